// SPDX-License-Identifier: Apache-2.0
#include "api/query/filter_lex.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("_.:/-+@*", c));
}

// Blanks, and comments to the end of their line.
static void skip_blanks(struct lex *l)
{
	while (l->next < l->len) {
		char c = l->text[l->next];
		if (c == '#') {
			while (l->next < l->len && l->text[l->next] != '\n')
				l->next++;
		} else if (is_blank(c)) {
			l->next++;
		} else {
			return;
		}
	}
}

static void take_word(struct lex *l)
{
	static const struct {
		const char *word;
		enum lex_kind kind;
	} words[] = {
		{"and", LEX_AND},
		{"or", LEX_OR},
		{"not", LEX_NOT},
		{"eq", LEX_EQ},
		{"gt", LEX_GT},
		{"lt", LEX_LT},
		{"ge", LEX_GE},
		{"le", LEX_LE},
	};
	while (l->next < l->len && is_word(l->text[l->next]))
		l->next++;
	l->now.kind = LEX_WORD;
	l->now.len = l->next - l->now.at;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (lex_is(&l->now, words[i].word))
			l->now.kind = words[i].kind;
}

static void take_string(struct lex *l)
{
	char quote = l->text[l->next++];
	const char *end = memchr(l->text + l->next, quote, l->len - l->next);
	l->now.p = l->text + l->next;
	l->now.kind = end ? LEX_STRING : LEX_BAD;
	l->now.len = end ? (size_t)(end - l->now.p) : 0;
	l->next = end ? (size_t)(end - l->text) + 1 : l->len;
}

static void take_sign(struct lex *l)
{
	static const struct {
		char sign[3];
		enum lex_kind kind;
	} signs[] = {
		// the longer ones first
		{"&&", LEX_AND},
		{"||", LEX_OR},
		{"==", LEX_EQ},
		{"!=", LEX_NE},
		{"<>", LEX_NE},
		{">=", LEX_GE},
		{"<=", LEX_LE},
		{"=", LEX_EQ},
		{"!", LEX_NOT},
		{">", LEX_GT},
		{"<", LEX_LT},
		{"~", LEX_LIKE},
		{"(", LEX_OPEN},
		{")", LEX_CLOSE},
		{"[", LEX_LIST},
		{"]", LEX_LIST_END},
		{",", LEX_COMMA},
	};
	size_t left = l->len - l->next;
	l->now.kind = LEX_BAD;
	l->now.len = 1;
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		size_t n = strlen(signs[i].sign);
		if (n <= left && memcmp(l->text + l->next, signs[i].sign, n) == 0) {
			l->now.kind = signs[i].kind;
			l->now.len = n;
			break;
		}
	}
	l->next += l->now.len;
}

void lex_next(struct lex *l)
{
	skip_blanks(l);
	l->now = (struct lex_token){.kind = LEX_END, .p = l->text + l->next, .at = l->next};
	if (l->next == l->len)
		return;
	char c = l->text[l->next];
	if (is_word(c))
		take_word(l);
	else if (c == '"' || c == '\'')
		take_string(l);
	else
		take_sign(l);
}

void lex_init(struct lex *l, const char *text, size_t len)
{
	*l = (struct lex){.text = text, .len = len};
	lex_next(l);
}

int lex_is(const struct lex_token *t, const char *word)
{
	return t->len == strlen(word) && strncasecmp(t->p, word, t->len) == 0;
}
