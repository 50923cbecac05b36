// SPDX-License-Identifier: Apache-2.0
#include "api/query/parse.h"

#include "lib/base/utf8.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int fail(char error[static QUERY_ERROR_LEN], const char *what)
{
	snprintf(error, QUERY_ERROR_LEN, "query string: %s", what);
	return -EINVAL;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Decodes one name or value to *out, NUL-terminated, and moves *out behind it. Never longer than
// what it was decoded from, and the final NUL takes the place of '=', '&' or the end.
static int decode(const char *from, size_t len, char **out, char error[static QUERY_ERROR_LEN])
{
	char *start = *out, *to = *out;
	for (size_t i = 0; i < len; i++) {
		if (from[i] == '+') {
			*to++ = ' ';
		} else if (from[i] == '%') {
			int hi = i + 1 < len ? hex_digit(from[i + 1]) : -1;
			int lo = i + 2 < len ? hex_digit(from[i + 2]) : -1;
			if (hi < 0 || lo < 0)
				return fail(error, "'%' is not followed by two hex digits");
			*to++ = (char)(hi << 4 | lo);
			i += 2;
		} else {
			*to++ = from[i];
		}
	}
	size_t n = (size_t)(to - start);
	if (!utf8_is_valid(start, n) || memchr(start, 0, n))
		return fail(error, "not UTF-8, or a NUL");
	*to++ = '\0';
	*out = to;
	return 0;
}

static int add_pair(
	struct query *q,
	const char *pair,
	size_t len,
	char **out,
	char error[static QUERY_ERROR_LEN]
)
{
	const char *eq = memchr(pair, '=', len);
	size_t name_len = eq ? (size_t)(eq - pair) : len;
	struct query_param p = {.name = *out};

	int ret = decode(pair, name_len, out, error);
	if (ret < 0)
		return ret;
	p.value = eq ? *out : "";
	if (eq && (ret = decode(eq + 1, len - name_len - 1, out, error)) < 0)
		return ret;
	if (query_find(q, p.name)) {
		snprintf(error, QUERY_ERROR_LEN, "parameter '%.64s' is given twice", p.name);
		return -EINVAL;
	}
	if (q->n == QUERY_PARAMS_MAX)
		return fail(error, "too many parameters");
	q->params[q->n++] = p;
	return 0;
}

int query_parse(
	const char *text, size_t len, struct query *ret_query, char error[static QUERY_ERROR_LEN]
)
{
	char *out = ret_query->text;
	ret_query->n = 0;
	if (len > QUERY_TEXT_MAX)
		return fail(error, "too long");
	for (size_t at = 0; at < len;) {
		const char *amp = memchr(text + at, '&', len - at);
		size_t n = amp ? (size_t)(amp - text) - at : len - at;
		if (n > 0) {
			int ret = add_pair(ret_query, text + at, n, &out, error);
			if (ret < 0)
				return ret;
		}
		at += n + 1;
	}
	return 0;
}

const char *query_find(const struct query *q, const char *name)
{
	for (size_t i = 0; i < q->n; i++)
		if (strcmp(q->params[i].name, name) == 0)
			return q->params[i].value;
	return NULL;
}

int query_limit(
	const struct query *q, unsigned max, unsigned *ret_limit, char error[static QUERY_ERROR_LEN]
)
{
	const char *text = query_find(q, "limit");
	uint64_t v = 0;
	if (!text) {
		*ret_limit = max;
		return 0;
	}
	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9') {
			v = 0;
			break;
		}
		v = v * 10 + (uint64_t)(*p - '0');
		v = v > max ? max : v; // the cap is silent and keeps the sum small
	}
	if (v == 0) {
		snprintf(
			error,
			QUERY_ERROR_LEN,
			"parameter 'limit': expected a whole number from 1 to %u",
			max
		);
		return -EINVAL;
	}
	*ret_limit = (unsigned)v;
	return 0;
}
