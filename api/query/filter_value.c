// SPDX-License-Identifier: Apache-2.0
#include "api/query/filter_value.h"

#include "api/query/time.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// k, m, g, t as nfdump counts them: powers of 1000.
static uint64_t scale(char c)
{
	switch (c | 0x20) {
	case 'k':
		return 1000;
	case 'm':
		return 1000000;
	case 'g':
		return 1000000000;
	case 't':
		return 1000000000000;
	default:
		return 0;
	}
}

// A whole number in [p, end), "0x" and scale allowed.
static int parse_number(const char *p, const char *end, uint64_t *ret)
{
	bool hex = end - p > 2 && p[0] == '0' && (p[1] | 0x20) == 'x';
	unsigned base = hex ? 16 : 10;
	uint64_t v = 0, by = 1;
	if (hex)
		p += 2;
	if (p == end)
		return -EINVAL;
	uint64_t thousands = hex || end - p < 2 ? 0 : scale(end[-1]);
	if (thousands) {
		by = thousands;
		end--;
	}
	for (; p < end; p++) {
		int d = hex_digit(*p);
		if (d < 0 || (unsigned)d >= base || v > (UINT64_MAX - (unsigned)d) / base)
			return -EINVAL;
		v = v * base + (unsigned)d;
	}
	if (v > UINT64_MAX / by)
		return -EINVAL;
	*ret = v * by;
	return 0;
}

// "80" or "80-90".
static int parse_range(const struct lex_token *t, struct filter_range *ret)
{
	const char *dash = memchr(t->p, '-', t->len), *end = t->p + t->len;
	int ret_lo = parse_number(t->p, dash ? dash : end, &ret->lo);
	if (ret_lo < 0)
		return ret_lo;
	ret->hi = ret->lo;
	if (dash && parse_number(dash + 1, end, &ret->hi) < 0)
		return -EINVAL;
	return ret->lo <= ret->hi ? 0 : -EINVAL;
}

// "00:11:22:33:44:55", or with dashes.
static int parse_mac(const struct lex_token *t, uint64_t *ret)
{
	uint64_t v = 0;
	if (t->len != 17)
		return -EINVAL;
	for (size_t i = 0; i < 17; i++) {
		if (i % 3 == 2) {
			if (t->p[i] != ':' && t->p[i] != '-')
				return -EINVAL;
			continue;
		}
		int d = hex_digit(t->p[i]);
		if (d < 0)
			return -EINVAL;
		v = v << 4 | (unsigned)d;
	}
	*ret = v;
	return 0;
}

static int parse_named(enum filter_kind kind, const struct lex_token *t, uint64_t *ret)
{
	uint8_t proto;
	switch (kind) {
	case KIND_PROTO:
		if (filter_proto_find(t, &proto) < 0)
			return -ENOENT;
		*ret = proto;
		return 0;
	case KIND_VERDICT:
	case KIND_ACTION:
		if (!lex_is(t, "allow") && !lex_is(t, "deny"))
			return -ENOENT;
		*ret = lex_is(t, "deny") ? 1 : 0;
		*ret += kind == KIND_ACTION;
		return 0;
	default:
		return -ENOENT;
	}
}

int filter_value_number(
	enum filter_kind kind,
	uint64_t max,
	const struct lex_token *t,
	struct filter_range *ret_range,
	const char **ret_what
)
{
	static const char *const expected[] = {
		[KIND_NUMBER] = "expected a whole number, with k, m, g or t for thousands",
		[KIND_PROTO] = "expected a protocol's number or name",
		[KIND_FLAGS] = "expected flags (letters of UAPRSF, E, C) or a number",
		[KIND_TIME] = "expected a time such as 2026-03-25T09:00:00Z",
		[KIND_MAC] = "expected a MAC address such as 00:11:22:33:44:55",
		[KIND_VERDICT] = "expected allow or deny",
		[KIND_ACTION] = "expected allow or deny",
		[KIND_ADDR] = "",
		[KIND_TEXT] = "",
	};
	struct filter_range r = {};
	int ret;
	*ret_what = expected[kind];
	if (kind == KIND_TIME)
		ret = time_parse(t->p, t->len, &r.lo);
	else if (kind == KIND_MAC)
		ret = parse_mac(t, &r.lo);
	else
		ret = parse_named(kind, t, &r.lo);
	if (ret == 0)
		r.hi = r.lo;
	else if (kind != KIND_MAC && kind != KIND_TIME)
		ret = parse_range(t, &r);
	if (ret < 0)
		return -EINVAL;
	if (r.hi > max) {
		*ret_what = "the number is too large for this field";
		return -EINVAL;
	}
	*ret_range = r;
	return 0;
}

int filter_value_flags(const struct lex_token *t, uint64_t *ret_bits)
{
	static const struct {
		char letter;
		uint8_t bits;
	} flags[] = {
		{'F', TCP_FIN},
		{'S', TCP_SYN},
		{'R', TCP_RST},
		{'P', TCP_PSH},
		{'A', TCP_ACK},
		{'U', TCP_URG},
		{'E', 0x40},
		{'C', 0x80},
		{'X', 0x3f},
	};
	uint64_t bits = 0;
	for (size_t i = 0; i < t->len; i++) {
		size_t k = 0;
		while (k < sizeof(flags) / sizeof(flags[0]) && flags[k].letter != (t->p[i] & ~0x20))
			k++;
		if (k == sizeof(flags) / sizeof(flags[0]))
			return -EINVAL;
		bits |= flags[k].bits;
	}
	*ret_bits = bits;
	return t->len ? 0 : -EINVAL;
}

// All addresses whose first `len` of 128 bits are those of `a`.
static void widen(const struct addr *a, unsigned len, struct filter_net *ret)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned bits = len <= i * 8 ? 0 : len >= i * 8 + 8 ? 8 : len - i * 8;
		uint8_t mask = (uint8_t)(0xff00 >> bits);
		ret->lo.b[i] = a->b[i] & mask;
		ret->hi.b[i] = a->b[i] | (uint8_t)~mask;
	}
}

int filter_value_net(const struct lex_token *t, struct filter_net *ret_net)
{
	char text[ADDR_TEXT_LEN];
	const char *slash = memchr(t->p, '/', t->len);
	size_t len = slash ? (size_t)(slash - t->p) : t->len;
	struct addr a;
	if (len >= sizeof(text))
		return -EINVAL;
	memcpy(text, t->p, len);
	text[len] = '\0';
	if (addr_parse(text, &a) < 0)
		return -EINVAL;
	bool v4 = !strchr(text, ':');
	uint64_t bits = v4 ? 32 : 128;
	if (slash && (parse_number(slash + 1, t->p + t->len, &bits) < 0 || bits > (v4 ? 32 : 128)))
		return -EINVAL;
	widen(&a, (unsigned)bits + (v4 ? 96 : 0), ret_net);
	return 0;
}

int filter_value_mask(const struct lex_token *t, struct filter_net *net)
{
	struct filter_net m;
	uint32_t bits;
	if (filter_value_net(t, &m) < 0 || !addr_is_v4(&m.lo) || memchr(t->p, '/', t->len))
		return -EINVAL;
	memcpy(&bits, m.lo.b + 12, sizeof(bits));
	bits = be32toh(bits);
	if (~bits & (~bits + 1)) // not ones, then zeros
		return -EINVAL;
	struct addr a = net->lo;
	widen(&a, 96 + (unsigned)__builtin_popcount(bits), net);
	return 0;
}
