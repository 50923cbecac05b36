// SPDX-License-Identifier: Apache-2.0
#pragma once

// The beginning of a stream, put together from pieces in any order: TCP segments, QUIC CRYPTO
// frames, DTLS fragments. Bounded twice, in bytes and in the number of pieces with gaps between
// them. A byte that is there stays: who sends another one for the same place changes nothing.
// The memory is the caller's.
// Thread: worker.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A browser shuffles a ClientHello in a dozen frames and more per packet, over two packets; every
// second one of these can be apart from the others.
#define ASSEMBLY_PIECES 24
#define ASSEMBLY_MAX UINT16_MAX

struct assembly_piece {
	uint16_t begin, end;
};

struct assembly {
	uint8_t *data;
	uint16_t max;				       // bytes
	uint16_t n;				       // pieces
	struct assembly_piece pieces[ASSEMBLY_PIECES]; // in order, with gaps between them
};

static inline void assembly_init(struct assembly *a, uint8_t *data, uint16_t max)
{
	a->data = data;
	a->max = max;
	a->n = 0;
}

// Puts the bytes at their place; what is beyond the end is left out. False, and nothing is done,
// when they would be one piece too many.
bool assembly_add(struct assembly *a, uint64_t at, const uint8_t *p, size_t len);

// Bytes from the first on without a gap.
static inline size_t assembly_ready(const struct assembly *a)
{
	return a->n > 0 && a->pieces[0].begin == 0 ? a->pieces[0].end : 0;
}
