// SPDX-License-Identifier: Apache-2.0
#include "cli/rows.h"

#include "lib/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ROOM ((size_t)256 << 10)
// The longest line: every field with its name, texts with each byte as \u0000.
#define LINE_MAX_LEN ((size_t)RECORD_N_FIELDS * (64 + 6 * RECORD_STR_MAX))
static_assert(LINE_MAX_LEN < ROOM, "a line fits the empty buffer");

// What a flow always is: in JSON these are there even when they are 0.
#define ALWAYS                                                                                     \
	(RECORD_BIT(start_ns) | RECORD_BIT(end_ns) | RECORD_BIT(src) | RECORD_BIT(dst) |           \
	 RECORD_BIT(sport) | RECORD_BIT(dport) | RECORD_BIT(proto) | RECORD_BIT(packets) |         \
	 RECORD_BIT(bytes))

// A member's name as it stands in JSON, after what comes before.
struct key {
	uint8_t len;
	char text[47]; // ,"name":
};

struct rows {
	int fd;
	enum rows_format format;
	uint64_t minute; // the text below is of
	char minute_text[24];
	struct key keys[RECORD_N_FIELDS];
	size_t len;
	char data[ROOM];
};

static int flush(struct rows *w)
{
	for (size_t done = 0; done < w->len;) {
		ssize_t n = write(w->fd, w->data + done, w->len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	w->len = 0;
	return 0;
}

// The put functions write at p and return the end.
static char *put_text(char *p, const char *text)
{
	return stpcpy(p, text);
}

static char *put_uint(char *p, uint64_t v)
{
	char digits[20];
	int n = 0;
	do
		digits[n++] = (char)('0' + v % 10);
	while (v /= 10);
	while (n)
		*p++ = digits[--n];
	return p;
}

static char *put_digits(char *p, uint64_t v, int n)
{
	for (int i = n - 1; i >= 0; i--, v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + n;
}

// Most rows are of the same minute as the one before.
static char *put_time(struct rows *w, char *p, uint64_t ns)
{
	uint64_t minute = ns / (60 * NS_PER_SEC), rest = ns % (60 * NS_PER_SEC);
	if (minute != w->minute || !*w->minute_text) {
		const char *format = "%Y-%m-%dT%H:%M:";
		clock_format(ns, format, w->minute_text, sizeof(w->minute_text));
		w->minute = minute;
	}
	p = put_text(p, w->minute_text);
	p = put_digits(p, rest / NS_PER_SEC, 2);
	*p++ = '.';
	p = put_digits(p, rest % NS_PER_SEC, 9);
	*p++ = 'Z';
	return p;
}

static char *put_addr(char *p, const struct addr *a)
{
	char text[ADDR_TEXT_LEN];
	if (!addr_is_v4(a))
		return put_text(p, addr_format(a, text));
	for (int i = 12; i < 16; i++) {
		p = put_uint(p, a->b[i]);
		*p++ = '.';
	}
	return p - 1;
}

static char *put_mac(char *p, const struct record_mac *mac)
{
	static const char hex[] = "0123456789abcdef";
	for (int i = 0; i < 6; i++) {
		*p++ = hex[mac->b[i] >> 4];
		*p++ = hex[mac->b[i] & 15];
		*p++ = ':';
	}
	return p - 1;
}

static uint64_t number(enum record_type type, const void *value)
{
	switch (type) {
	case RECORD_TYPE_U8:
		return *(const uint8_t *)value;
	case RECORD_TYPE_U16:
		return *(const uint16_t *)value;
	case RECORD_TYPE_U32:
		return *(const uint32_t *)value;
	default:
		return *(const uint64_t *)value;
	}
}

// An address of four zeros is none, but where it is an end of the flow.
static bool is_empty(int f, const struct record_field_info *info, const void *value)
{
	static const uint8_t zeros[16];
	static const struct addr none4 = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}};
	if (info->type == RECORD_TYPE_STR)
		return ((const struct record_str *)value)->len == 0;
	if (info->type == RECORD_TYPE_ADDR && !(ALWAYS >> f & 1) && addr_eq(value, &none4))
		return true;
	return memcmp(value, zeros, info->width) == 0;
}

static char *put_csv_text(char *p, const struct record_str *s)
{
	bool quoted = false;
	for (unsigned i = 0; i < s->len; i++)
		quoted |= strchr(",\"\r\n", s->p[i]) != NULL; // NUL too
	if (quoted)
		*p++ = '"';
	for (unsigned i = 0; i < s->len; i++) {
		if (s->p[i] == '"')
			*p++ = '"';
		*p++ = s->p[i];
	}
	if (quoted)
		*p++ = '"';
	return p;
}

// Bytes of the UTF-8 sequence at s (RFC 3629 §4), 0 when it is none.
static unsigned utf8_len(const uint8_t *s, unsigned left)
{
	unsigned n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (n == 0 || n > left || s[0] > 0xf4)
		return 0;
	for (unsigned i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	bool wrong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
		     (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f);
	return wrong ? 0 : n;
}

// Foreign bytes as a JSON string (RFC 8259 §7): what is no UTF-8 becomes U+FFFD.
static char *put_json_text(char *p, const struct record_str *s)
{
	static const char hex[] = "0123456789abcdef";
	*p++ = '"';
	for (unsigned i = 0, n; i < s->len; i += n) {
		uint8_t c = (uint8_t)s->p[i];
		n = utf8_len((const uint8_t *)s->p + i, s->len - i);
		if (n == 0) {
			p = put_text(p, "\\ufffd");
			n = 1;
		} else if (c == '"' || c == '\\') {
			*p++ = '\\';
			*p++ = (char)c;
		} else if (c < 0x20 || c == 0x7f) {
			p = put_text(p, "\\u00");
			*p++ = hex[c >> 4];
			*p++ = hex[c & 15];
		} else {
			memcpy(p, s->p + i, n);
			p += n;
		}
	}
	*p++ = '"';
	return p;
}

static char *put_csv(struct rows *w, char *p, const struct record *r)
{
	for (int f = 0; f < RECORD_N_FIELDS; f++) {
		const struct record_field_info *info = &record_fields[f];
		const void *value = (const char *)r + info->offset;
		bool is_number = info->type <= RECORD_TYPE_U64;
		if (f)
			*p++ = ',';
		if (is_number)
			p = put_uint(p, number(info->type, value));
		else if (is_empty(f, info, value))
			continue;
		else if (info->type == RECORD_TYPE_TIME)
			p = put_time(w, p, *(const uint64_t *)value);
		else if (info->type == RECORD_TYPE_ADDR)
			p = put_addr(p, value);
		else if (info->type == RECORD_TYPE_MAC)
			p = put_mac(p, value);
		else
			p = put_csv_text(p, value);
	}
	*p++ = '\r';
	*p++ = '\n';
	return p;
}

static char *put_quoted(struct rows *w, char *p, enum record_type type, const void *value)
{
	if (type == RECORD_TYPE_STR)
		return put_json_text(p, value);
	*p++ = '"';
	if (type == RECORD_TYPE_TIME)
		p = put_time(w, p, *(const uint64_t *)value);
	else if (type == RECORD_TYPE_ADDR)
		p = put_addr(p, value);
	else
		p = put_mac(p, value);
	*p++ = '"';
	return p;
}

static char *put_json(struct rows *w, char *p, const struct record *r)
{
	char *start = p;
	for (uint64_t left = r->set | ALWAYS; left; left &= left - 1) {
		int f = __builtin_ctzll(left);
		const struct record_field_info *info = &record_fields[f];
		const void *value = (const char *)r + info->offset;
		if (!(ALWAYS >> f & 1) && is_empty(f, info, value))
			continue;
		memcpy(p, w->keys[f].text, sizeof(w->keys[f].text));
		p += w->keys[f].len;
		p = info->type <= RECORD_TYPE_U64 ? put_uint(p, number(info->type, value))
						  : put_quoted(w, p, info->type, value);
	}
	*start = '{';
	*p++ = '}';
	*p++ = '\n';
	return p;
}

static void make_keys(struct rows *w)
{
	for (int f = 0; f < RECORD_N_FIELDS; f++) {
		struct key *k = &w->keys[f];
		int len = snprintf(k->text, sizeof(k->text), ",\"%s\":", record_fields[f].name);
		assert(len < (int)sizeof(k->text));
		k->len = (uint8_t)len;
	}
}

static void put_header(struct rows *w)
{
	char *p = w->data;
	for (int f = 0; f < RECORD_N_FIELDS; f++) {
		if (f)
			*p++ = ',';
		p = put_text(p, record_fields[f].name);
	}
	p = put_text(p, "\r\n");
	w->len = (size_t)(p - w->data);
}

struct rows *rows_open(int fd, enum rows_format format)
{
	struct rows *w = malloc(sizeof(*w));
	if (!w)
		return NULL;
	w->fd = fd;
	w->format = format;
	w->minute = 0;
	w->minute_text[0] = '\0';
	w->len = 0;
	make_keys(w);
	if (format == ROWS_CSV)
		put_header(w);
	return w;
}

int rows_add(struct rows *w, const struct record *r)
{
	int ret = ROOM - w->len < LINE_MAX_LEN ? flush(w) : 0;
	if (ret < 0)
		return ret;
	char *p = w->data + w->len;
	char *end = w->format == ROWS_CSV ? put_csv(w, p, r) : put_json(w, p, r);
	w->len += (size_t)(end - p);
	return 0;
}

int rows_close(struct rows *w)
{
	int ret = flush(w);
	free(w);
	return ret;
}
