// SPDX-License-Identifier: Apache-2.0
#include "sensor/names/assembly.h"

#include <string.h>

// Copies what the pieces first to last - 1, which touch the new one, do not have yet.
static void fill_gaps(
	struct assembly *a, struct assembly_piece new, const uint8_t *p, const uint16_t touched[2]
)
{
	uint16_t at = new.begin;
	for (unsigned i = touched[0]; i < touched[1]; i++) {
		const struct assembly_piece *old = &a->pieces[i];
		if (at < old->begin)
			memcpy(a->data + at, p + (at - new.begin), (size_t)(old->begin - at));
		at = old->end > at ? old->end : at;
	}
	if (at < new.end)
		memcpy(a->data + at, p + (at - new.begin), (size_t)(new.end - at));
}

bool assembly_add(struct assembly *a, uint64_t at, const uint8_t *p, size_t len)
{
	if (at >= a->max || len == 0)
		return true;
	len = len < a->max - at ? len : a->max - at;
	struct assembly_piece new = {(uint16_t)at, (uint16_t)(at + len)};
	uint16_t touched[2] = {0, 0};

	while (touched[0] < a->n && a->pieces[touched[0]].end < new.begin)
		touched[0]++;
	touched[1] = touched[0];
	while (touched[1] < a->n && a->pieces[touched[1]].begin <= new.end)
		touched[1]++;
	uint16_t n_touched = touched[1] - touched[0];
	if (n_touched == 0 && a->n == ASSEMBLY_PIECES)
		return false;
	fill_gaps(a, new, p, touched);
	// The touched pieces and the new one become one.
	if (n_touched > 0) {
		const struct assembly_piece *first = &a->pieces[touched[0]];
		const struct assembly_piece *last = &a->pieces[touched[1] - 1];
		new.begin = first->begin < new.begin ? first->begin : new.begin;
		new.end = last->end > new.end ? last->end : new.end;
	}
	memmove(&a->pieces[touched[0] + 1],
		&a->pieces[touched[1]],
		(size_t)(a->n - touched[1]) * sizeof(a->pieces[0]));
	a->pieces[touched[0]] = new;
	a->n = (uint16_t)(a->n - n_touched + 1);
	return true;
}
