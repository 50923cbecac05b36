// SPDX-License-Identifier: Apache-2.0
#include "lib/intel/indicator.h"

#include <openssl/sha.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define PROTO_TCP 6
#define PROTO_UDP 17
#define PROTO_SCTP 132
#define PREFIX_V4 96 // bits before those of an IPv4 address

static const char *const type_names[INDICATOR_N_TYPES] = {
	[INDICATOR_NONE] = "none",
	[INDICATOR_NET] = "net",
	[INDICATOR_ADDR_PORT] = "addr_port",
	[INDICATOR_PORT] = "port",
	[INDICATOR_NAME] = "name",
};

static const char *const severity_names[SEVERITY_N] = {
	[SEVERITY_NONE] = "none",
	[SEVERITY_LOW] = "low",
	[SEVERITY_MEDIUM] = "medium",
	[SEVERITY_HIGH] = "high",
	[SEVERITY_CRITICAL] = "critical",
};

static const struct {
	const char *name;
	uint8_t proto;
} protos[] = {{"tcp", PROTO_TCP}, {"udp", PROTO_UDP}, {"sctp", PROTO_SCTP}, {"any", 0}};

const char *indicator_type_name(enum indicator_type type)
{
	return type_names[type];
}

const char *indicator_severity_name(enum indicator_severity s)
{
	return severity_names[s];
}

enum indicator_severity indicator_severity_of(uint16_t score)
{
	unsigned quarter = score * 4u / (INDICATOR_SCORE_MAX + 1);
	return score == 0 ? SEVERITY_NONE : (enum indicator_severity)(SEVERITY_LOW + quarter);
}

bool indicator_severity_parse(const char *text, uint8_t *ret_value)
{
	for (int s = 0; s < SEVERITY_N; s++) {
		if (strcasecmp(text, severity_names[s]) != 0)
			continue;
		*ret_value = (uint8_t)s;
		return true;
	}
	return false;
}

// "443", "443/udp"
static bool parse_port(const char *text, uint16_t *ret_port, uint8_t *ret_proto)
{
	char *end;
	if (!isdigit((unsigned char)*text))
		return false;
	unsigned long port = strtoul(text, &end, 10);
	if (end - text > 5 || port == 0 || port > UINT16_MAX)
		return false;
	*ret_port = (uint16_t)port;
	*ret_proto = 0;
	if (*end == '\0')
		return true;
	for (size_t i = 0; *end == '/' && i < sizeof(protos) / sizeof(protos[0]); i++) {
		if (strcasecmp(end + 1, protos[i].name) != 0)
			continue;
		*ret_proto = protos[i].proto;
		return true;
	}
	return false;
}

static struct addr masked(const struct addr *a, unsigned len)
{
	struct addr m = {};
	memcpy(m.b, a->b, len / 8);
	if (len % 8)
		m.b[len / 8] = (uint8_t)(a->b[len / 8] & (0xff00 >> (len % 8)));
	return m;
}

// "192.0.2.1", "192.0.2.77/24"; what has host bits set is the network it lies in.
static bool parse_net(const char *text, struct prefix *ret_net)
{
	char host[ADDR_TEXT_LEN];
	struct addr a;
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	if (n >= sizeof(host))
		return false;
	memcpy(host, text, n);
	host[n] = '\0';
	if (addr_parse(host, &a) < 0)
		return false;
	unsigned long base = strchr(host, ':') ? 0 : PREFIX_V4, len = 128 - base;
	if (slash) {
		char *end;
		if (!isdigit((unsigned char)slash[1]))
			return false;
		len = strtoul(slash + 1, &end, 10);
		if (*end || len > 128 - base)
			return false;
	}
	ret_net->len = (uint8_t)(base + len);
	ret_net->addr = masked(&a, ret_net->len);
	return true;
}

// "192.0.2.1:443", "[2001:db8::1]:443", each with "/udp" or not
static bool parse_addr_port(const char *text, struct indicator *ret)
{
	char host[ADDR_TEXT_LEN];
	const char *colon = strrchr(text, ':'), *start = text, *end = colon;
	if (!colon)
		return false;
	if (*text == '[') {
		start = text + 1;
		end = colon > text && colon[-1] == ']' ? colon - 1 : NULL;
	} else if (memchr(text, ':', (size_t)(colon - text))) {
		return false; // an IPv6 address without brackets
	}
	if (!end || end < start || (size_t)(end - start) >= sizeof(host))
		return false;
	memcpy(host, start, (size_t)(end - start));
	host[end - start] = '\0';
	if (addr_parse(host, &ret->net.addr) < 0 || !parse_port(colon + 1, &ret->port, &ret->proto))
		return false;
	ret->net.len = 128;
	return true;
}

indicator_fault
indicator_parse_name(const char *text, size_t len, char name[static INDICATOR_NAME_MAX + 1])
{
	enum { OTHER, LETTER, CAPITAL, DIGIT, MARK };
	static const uint8_t kinds[256] = {
		['a' ... 'z'] = LETTER,
		['A' ... 'Z'] = CAPITAL,
		['0' ... '9'] = DIGIT,
		['-'] = MARK,
		['_'] = MARK};
	size_t label = 0, labels = 1;
	bool all_digits = true;
	if (len && text[len - 1] == '.')
		len--;
	if (len == 0 || len > INDICATOR_NAME_MAX)
		return "a name of no bytes or too many";
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c == '.') {
			if (label == 0)
				return "a name with an empty label";
			label = 0;
			labels++;
			all_digits = true;
		} else if (kinds[c]) {
			if (++label > 63)
				return "a name with a label of more than 63 bytes";
			all_digits &= kinds[c] == DIGIT;
		} else {
			return c >= 0x80 ? "a name that is not in its ASCII form (punycode)"
					 : "neither address, network, port nor name";
		}
		name[i] = (char)(kinds[c] == CAPITAL ? c + ('a' - 'A') : c);
	}
	name[len] = '\0';
	if (label == 0)
		return "a name with an empty label";
	if (labels < 2)
		return "a name of one label: it would cover a whole top-level domain";
	return all_digits ? "neither address, network, port nor name" : NULL;
}

static indicator_fault parse_name_form(
	const char *text,
	size_t len,
	struct indicator *ret,
	char name[static INDICATOR_NAME_MAX + 1]
)
{
	if (len && *text == '=') {
		ret->is_exact = true;
		text++, len--;
	} else if (len > 1 && text[0] == '*' && text[1] == '.') {
		text += 2, len -= 2;
	} else if (len && *text == '.') {
		text++, len--;
	}
	ret->type = INDICATOR_NAME;
	return indicator_parse_name(text, len, name);
}

static indicator_fault check_net(const struct prefix *net)
{
	bool v4 = net->len >= PREFIX_V4 && addr_is_v4(&net->addr);
	unsigned len = v4 ? net->len - PREFIX_V4 : net->len;
	// Shorter ones are mistakes (0.0.0.0/0 in a poisoned or empty feed), not intelligence.
	return len < (v4 ? 8u : 12u) ? "a network so large that it covers much of the Internet"
				     : NULL;
}

indicator_fault indicator_parse(
	const char *text,
	size_t len,
	struct indicator *ret,
	char name[static INDICATOR_NAME_MAX + 1]
)
{
	char z[INDICATOR_TEXT_LEN];
	name[0] = '\0';
	ret->type = INDICATOR_NONE;
	ret->proto = 0;
	ret->port = 0;
	ret->is_exact = false;
	ret->net = (struct prefix){};
	if (len == 0)
		return "empty";
	if (len >= sizeof(z))
		return "too long";
	if (memchr(text, '\0', len))
		return "a NUL byte";
	memcpy(z, text, len);
	z[len] = '\0';
	if (parse_net(z, &ret->net)) {
		ret->type = INDICATOR_NET;
		return check_net(&ret->net);
	}
	if (parse_addr_port(z, ret)) {
		ret->type = INDICATOR_ADDR_PORT;
		return NULL;
	}
	ret->net = (struct prefix){};
	if (strncasecmp(z, "port ", 5) == 0 || strncasecmp(z, "port:", 5) == 0) {
		ret->type = INDICATOR_PORT;
		return parse_port(z + 5, &ret->port, &ret->proto) ? NULL : "not a port";
	}
	return parse_name_form(text, len, ret, name);
}

static const char *proto_suffix(uint8_t proto)
{
	switch (proto) {
	case PROTO_TCP:
		return "/tcp";
	case PROTO_UDP:
		return "/udp";
	case PROTO_SCTP:
		return "/sctp";
	default:
		return "";
	}
}

static void format_net(const struct prefix *net, char text[static INDICATOR_TEXT_LEN])
{
	char addr[ADDR_TEXT_LEN];
	unsigned len = net->len;
	if (len >= PREFIX_V4 && addr_is_v4(&net->addr))
		len -= PREFIX_V4;
	addr_format(&net->addr, addr);
	if (net->len == 128)
		snprintf(text, INDICATOR_TEXT_LEN, "%s", addr);
	else
		snprintf(text, INDICATOR_TEXT_LEN, "%s/%u", addr, len);
}

const char *
indicator_format(const struct indicator *i, const char *name, char text[static INDICATOR_TEXT_LEN])
{
	char addr[ADDR_TEXT_LEN];
	switch ((enum indicator_type)i->type) {
	case INDICATOR_NET:
		format_net(&i->net, text);
		break;
	case INDICATOR_ADDR_PORT:
		addr_format(&i->net.addr, addr);
		snprintf(
			text,
			INDICATOR_TEXT_LEN,
			addr_is_v4(&i->net.addr) ? "%s:%u%s" : "[%s]:%u%s",
			addr,
			i->port,
			proto_suffix(i->proto)
		);
		break;
	case INDICATOR_PORT:
		snprintf(text, INDICATOR_TEXT_LEN, "port %u%s", i->port, proto_suffix(i->proto));
		break;
	case INDICATOR_NAME:
		snprintf(text, INDICATOR_TEXT_LEN, "%s%s", i->is_exact ? "=" : "", name);
		break;
	default:
		text[0] = '\0';
	}
	return text;
}

uint64_t indicator_id(const struct indicator *i, const char *name)
{
	char text[INDICATOR_TEXT_LEN + 16], value[INDICATOR_TEXT_LEN];
	uint8_t hash[SHA256_DIGEST_LENGTH];
	uint64_t id = 0;
	int n = snprintf(
		text, sizeof(text), "%s %s", type_names[i->type], indicator_format(i, name, value)
	);
	SHA256((const uint8_t *)text, (size_t)n, hash);
	for (int k = 0; k < 8; k++)
		id = id << 8 | hash[k];
	return id ? id : 1; // 0 is "none" in a record
}

bool indicator_is_reserved(const struct prefix *net)
{
	// RFC 6890 and its updates; documentation and benchmark networks are left out: nobody meets
	// them on a real network, and examples use them.
	static const struct {
		uint8_t b[4];
		uint8_t len;
	} v4[] = {
		{{0}, 8},
		{{10}, 8},
		{{100, 64}, 10},
		{{127}, 8},
		{{169, 254}, 16},
		{{172, 16}, 12},
		{{192, 0, 0}, 24},
		{{192, 168}, 16},
		{{192, 88, 99}, 24},
		{{224}, 4},
		{{240}, 4},
	};
	static const struct {
		uint8_t b[2];
		uint8_t len;
	} v6[] = {{{0xfc}, 7}, {{0xfe, 0x80}, 10}, {{0xfe, 0xc0}, 10}, {{0xff}, 8}};
	static const uint8_t loopback[16] = {[15] = 1};
	static const uint8_t zero[16];

	if (net->len >= PREFIX_V4 && addr_is_v4(&net->addr)) {
		for (size_t i = 0; i < sizeof(v4) / sizeof(v4[0]); i++) {
			struct prefix p = {.len = (uint8_t)(PREFIX_V4 + v4[i].len)};
			p.addr = addr_of_v4(v4[i].b);
			if (net->len >= p.len && prefix_contains(&p, &net->addr))
				return true;
		}
		return false;
	}
	if (net->len == 128 &&
	    (memcmp(net->addr.b, loopback, 16) == 0 || memcmp(net->addr.b, zero, 16) == 0))
		return true;
	for (size_t i = 0; i < sizeof(v6) / sizeof(v6[0]); i++) {
		struct prefix p = {.len = v6[i].len};
		memcpy(p.addr.b, v6[i].b, 2);
		if (net->len >= p.len && prefix_contains(&p, &net->addr))
			return true;
	}
	return false;
}
