// SPDX-License-Identifier: Apache-2.0
#pragma once

// A filter's text as tokens. Thread: the owner's.

#include <stddef.h>

enum lex_kind {
	LEX_END,
	LEX_BAD,  // a character that belongs to nothing, or a string without its end
	LEX_WORD, // letters, digits and _ . : / - + @ *
	LEX_STRING,
	LEX_OPEN,  // (
	LEX_CLOSE, // )
	LEX_LIST,  // [
	LEX_LIST_END,
	LEX_COMMA,
	LEX_AND,
	LEX_OR,
	LEX_NOT,
	LEX_EQ,
	LEX_NE,
	LEX_GT,
	LEX_LT,
	LEX_GE,
	LEX_LE,
	LEX_LIKE, // ~
};

struct lex_token {
	enum lex_kind kind;
	const char *p; // a string without its quotes
	size_t len;
	size_t at; // where it begins
};

struct lex {
	const char *text;
	size_t len, next;
	struct lex_token now;
};

// Looks at the first token.
void lex_init(struct lex *l, const char *text, size_t len);

// Goes to the next token.
void lex_next(struct lex *l);

// Whether the token is this word, whatever the case of letters.
int lex_is(const struct lex_token *t, const char *word);
