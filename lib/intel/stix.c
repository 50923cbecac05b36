// SPDX-License-Identifier: Apache-2.0

// The part of STIX patterns (STIX 2.1 §9) that a flow can be matched with: comparisons of
// ipv4-addr, ipv6-addr, domain-name and network-traffic addresses with =, IN or ISSUBSET, joined by
// OR. Everything else (AND, FOLLOWEDBY, file hashes, qualifiers) is left alone.

#include "lib/intel/row.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define DEPTH_MAX 8
#define LITERAL_MAX 512

struct scanner {
	const char *p, *end;
	void (*take)(void *ctx, const char *value, size_t len, bool is_exact);
	void *ctx;
	bool invalid;	  // not the grammar
	bool unsupported; // the grammar, but nothing we can match
	bool dry;	  // the first round only looks
};

static void skip_blanks(struct scanner *s)
{
	while (s->p < s->end && isspace((unsigned char)*s->p))
		s->p++;
}

static bool take_mark(struct scanner *s, char c)
{
	skip_blanks(s);
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

static bool take_keyword(struct scanner *s, const char *word)
{
	size_t n = strlen(word);
	skip_blanks(s);
	if ((size_t)(s->end - s->p) < n || strncasecmp(s->p, word, n) != 0)
		return false;
	if (s->p + n < s->end && (isalnum((unsigned char)s->p[n]) || s->p[n] == '_'))
		return false;
	s->p += n;
	return true;
}

// A quoted text, unescaped; its length, or -1.
static int take_literal(struct scanner *s, char text[static LITERAL_MAX])
{
	int n = 0;
	if (!take_mark(s, '\''))
		return -1;
	while (s->p < s->end && *s->p != '\'') {
		if (*s->p == '\\' && s->p + 1 < s->end)
			s->p++;
		if (n == LITERAL_MAX - 1)
			return -1;
		text[n++] = *s->p++;
	}
	if (s->p++ >= s->end)
		return -1;
	text[n] = '\0';
	return n;
}

// "ipv4-addr:value", "network-traffic:dst_ref.value", with quotes and brackets as they come
static bool take_path(struct scanner *s, const char **ret_path, size_t *ret_len)
{
	skip_blanks(s);
	const char *start = s->p;
	while (s->p < s->end && (isalnum((unsigned char)*s->p) || strchr("-_:.'[]*", *s->p)))
		s->p++;
	*ret_path = start;
	*ret_len = (size_t)(s->p - start);
	return *ret_len > 0 && memchr(start, ':', *ret_len);
}

static bool path_is(const char *path, size_t len, const char *want)
{
	return len == strlen(want) && memcmp(path, want, len) == 0;
}

static void literal(struct scanner *s, const char *path, size_t path_len)
{
	char text[LITERAL_MAX];
	skip_blanks(s);
	if (s->p < s->end && (isalnum((unsigned char)*s->p) || strchr("-+.", *s->p))) {
		s->unsupported = true; // a number, true, t'…', h'…', b'…'
		return;
	}
	int n = take_literal(s, text);
	bool is_name = path_is(path, path_len, "domain-name:value");
	bool is_addr = path_is(path, path_len, "ipv4-addr:value") ||
		       path_is(path, path_len, "ipv6-addr:value") ||
		       path_is(path, path_len, "network-traffic:dst_ref.value") ||
		       path_is(path, path_len, "network-traffic:src_ref.value");
	bool is_url = path_is(path, path_len, "url:value");
	if (n < 0)
		s->invalid = true;
	else if (!is_name && !is_addr && !is_url)
		s->unsupported = true;
	else if (!s->dry)
		s->take(s->ctx, text, (size_t)n, is_name);
}

static void comparison(struct scanner *s)
{
	const char *path;
	size_t len;
	if (take_keyword(s, "EXISTS")) {
		s->unsupported = true;
		return;
	}
	if (!take_path(s, &path, &len)) {
		s->invalid = true;
		return;
	}
	if (take_keyword(s, "IN")) {
		s->invalid |= !take_mark(s, '(');
		do
			literal(s, path, len);
		while (!s->invalid && !s->unsupported && take_mark(s, ','));
		s->invalid |= !s->unsupported && !take_mark(s, ')');
	} else if (take_keyword(s, "ISSUBSET") || take_mark(s, '=')) {
		literal(s, path, len);
	} else {
		s->unsupported = true; // NOT, !=, LIKE, MATCHES, <, …
		s->p = s->end;
	}
}

static void expression(struct scanner *s, char close, int depth);

static void term(struct scanner *s, int depth)
{
	if (depth > DEPTH_MAX)
		s->invalid = true;
	else if (take_mark(s, '('))
		expression(s, ')', depth + 1);
	else if (take_mark(s, '['))
		expression(s, ']', depth + 1);
	else
		comparison(s);
}

// Terms joined by OR, up to the mark that closes it ('\0': the end).
static void expression(struct scanner *s, char close, int depth)
{
	do
		term(s, depth);
	while (!s->invalid && !s->unsupported && take_keyword(s, "OR"));
	if (s->invalid || s->unsupported)
		return;
	skip_blanks(s);
	if (close ? take_mark(s, close) : s->p == s->end)
		return;
	// AND, FOLLOWEDBY, WITHIN, REPEATS, START: more than an address or a name can tell
	if (s->p < s->end && isalpha((unsigned char)*s->p))
		s->unsupported = true;
	else
		s->invalid = true;
}

bool stix_pattern_each(
	const char *pattern,
	size_t len,
	void (*take)(void *ctx, const char *value, size_t len, bool is_exact),
	void *ctx,
	bool *ret_invalid
)
{
	for (int round = 0; round < 2; round++) {
		struct scanner s = {
			.p = pattern,
			.end = pattern + len,
			.take = take,
			.ctx = ctx,
			.dry = round == 0,
		};
		expression(&s, '\0', 0);
		*ret_invalid = s.invalid;
		if (s.invalid || s.unsupported)
			return false;
	}
	return true;
}
