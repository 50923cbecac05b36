// SPDX-License-Identifier: Apache-2.0
#pragma once

// The newest K of any number of records: a heap of at most K whose root is the one to go next.
// Order: later start first; records that start together are told apart by their content, so that
// an answer is the same before and after an hour is sealed.
// Thread: the owner's.

#include "lib/record/record.h"

#include <stdbool.h>
#include <stddef.h>

struct newest {
	struct record *heap; // root: the oldest
	size_t n, cap;
};

// `cap` at least 1. 0, or -ENOMEM.
[[nodiscard]] int newest_init(struct newest *t, size_t cap);
void newest_fini(struct newest *t);

static inline bool newest_full(const struct newest *t)
{
	return t->n == t->cap;
}

// The start below which nothing can enter any more; 0 while there is room.
static inline uint64_t newest_floor_ns(const struct newest *t)
{
	return newest_full(t) ? t->heap[0].start_ns : 0;
}

// Takes a copy if it is among the newest so far. Text members must not be set: they are borrowed.
void newest_push(struct newest *t, const struct record *r);

// Puts the records in order, newest first. No push afterwards.
void newest_sort(struct newest *t);
