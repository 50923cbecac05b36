// SPDX-License-Identifier: Apache-2.0
#pragma once

// What must be true of every name, for the targets of sensor/names.

#include "lib/base/buf.h"
#include "sensor/names/result.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A copy of exactly that size, the caller's to free.
static inline uint8_t *exact_copy(const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);
	if (!copy)
		abort();
	memcpy(copy, p, n);
	return copy;
}

static inline void check_text(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert(p[i] > ' ' && p[i] <= '~');
}

static inline void check_result(const struct names_result *r)
{
	uint8_t packed[NAMES_PACKED_MAX];
	struct names_result back;
	char answers[RECORD_STR_MAX];
	assert(r->kind > NAMES_NONE && r->kind < NAMES_N_KINDS);
	assert(r->alpn_len <= NAMES_ALPN_MAX && r->n_answers <= NAMES_ANSWERS_MAX);
	assert(r->ja4_len == 0 || r->ja4_len == NAMES_JA4_MAX);
	check_text(r->server, r->server_len);
	check_text(r->alpn, r->alpn_len);
	check_text(r->ja4, r->ja4_len);
	assert(r->server_len < 2 || r->server[r->server_len - 1] != '.' ||
	       r->server[r->server_len - 2] == '\\');
	assert(names_format_answers(r, answers) <= RECORD_STR_MAX);
	size_t n = names_pack(r, packed);
	assert(names_unpack(packed, n, &back));
	assert(back.server_len == r->server_len &&
	       memcmp(back.server, r->server, r->server_len) == 0);
}

// The next piece, its length (2) in front.
static inline struct buf take_piece(struct buf *b)
{
	size_t n = buf_u16(b);
	return buf_sub(b, n < buf_left(b) ? n : buf_left(b));
}
