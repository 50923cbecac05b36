// SPDX-License-Identifier: Apache-2.0
#pragma once

// The n first of many items in some order, kept in the caller's array: items are appended until it
// is full, from then on it is a heap whose root is the last of those kept. No allocation.
// Thread: the owner's.

#include <stddef.h>

struct top {
	void *items; // the caller's, room for cap of `width` bytes each
	size_t width, cap;
	size_t n;					 // held now
	int (*cmp)(const void *left, const void *right); // < 0: left comes first
};

void top_add(struct top *t, const void *item);

// Puts the items held in order; nothing may be added after.
void top_sort(struct top *t);
