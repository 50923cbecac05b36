// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rows of flow records held as columns: what ingest fills, the store encodes, and queries scan.
// A column exists only once a row gives it a value other than 0; a field nobody fills costs
// nothing. Capacity is fixed at creation. Owned by one thread at a time; handed over whole.
// Thread: any one at a time.

#include "lib/record/record.h"

// A column of addresses as a dictionary: row i has values[codes[i]].
struct record_coded {
	uint32_t n;		   // values, rising
	uint32_t *codes;	   // of cap rows, below n
	const struct addr *values; // room for cap
};

struct record_batch {
	uint32_t n_rows;
	uint32_t cap;
	uint16_t entity;		// the group of exporters all rows belong to
	uint64_t used;			// bit f: columns[f] has a value other than 0
	void *columns[RECORD_N_FIELDS]; // cap values of record_fields[f].width; NULL: never used
	char *text;			// what the STR columns point into
	size_t text_len, text_cap;
	// Bit f: coded[f] holds column f. Only who asks for coded columns gets them; such a column
	// may be in columns[f] too, or not.
	uint64_t has_coded;
	struct record_coded coded[RECORD_N_FIELDS];
};

// An empty batch for up to `cap` rows (at least 1), or NULL without memory.
struct record_batch *record_batch_create(uint32_t cap);
void record_batch_free(struct record_batch *b);

// Empties the batch; columns stay allocated for the next round.
void record_batch_clear(struct record_batch *b);

// Adds a row, text copied. 0, -ENOSPC when all rows are taken, or -ENOMEM (the row is not added).
[[nodiscard]] int record_batch_add(struct record_batch *b, const struct record *r);

// Row i as a record; text members point into the batch. Members of unused columns are 0.
void record_batch_get(const struct record_batch *b, uint32_t i, struct record *ret_record);

// The column for direct writing (decoders of blocks), zeroed and marked used; NULL without memory.
void *record_batch_column(struct record_batch *b, enum record_field f);

// The same, but what is in it stays undefined: for decoders that write every row and add none
// after.
void *record_batch_column_raw(struct record_batch *b, enum record_field f);

// Room for a coded column, marked as there; its values, to be written, in *ret_values. NULL without
// memory.
struct record_coded *
record_batch_coded(struct record_batch *b, enum record_field f, struct addr **ret_values);

// Makes a plain column of a coded one too. 0, or -ENOMEM.
[[nodiscard]] int record_batch_expand(struct record_batch *b, enum record_field f);

// Bit f: field f is an address.
static inline uint64_t record_addr_fields(void)
{
	uint64_t fields = 0;
	for (int f = 0; f < RECORD_N_FIELDS; f++)
		fields |= (uint64_t)(record_fields[f].type == RECORD_TYPE_ADDR) << f;
	return fields;
}

// The address of a row, from the coded or the plain column; zeros when there is neither.
static inline struct addr record_batch_addr(const struct record_batch *b, int f, uint32_t row)
{
	if (b->has_coded >> f & 1)
		return b->coded[f].values[b->coded[f].codes[row]];
	if (b->used >> f & 1)
		return ((const struct addr *)b->columns[f])[row];
	return (struct addr){};
}

// What a STR column holds: a place in the batch's text.
struct record_text {
	uint64_t off;
	uint16_t len;
};
static_assert(sizeof(struct record_text) == sizeof(struct record_str), "a reference is a value");

// Copies text in for rows to refer to, by direct writing of the column.
[[nodiscard]] int
record_batch_add_text(struct record_batch *b, const char *text, size_t len, uint64_t *ret_off);

// Room for `len` bytes of text that stays valid until the batch is cleared; the address may change
// while text is added, so STR columns are set through record_batch_add or record_batch_set_text.
[[nodiscard]] int record_batch_set_text(
	struct record_batch *b, enum record_field f, uint32_t row, const char *text, uint16_t len
);

// A column's values when it is used, else NULL: RECORD_COLUMN(b, sport)[i].
#define RECORD_COLUMN(b, m)                                                                        \
	((const __typeof__(((struct record *)0)->m                                                 \
	) *)((b)->used & RECORD_BIT(m) ? (b)->columns[FIELD_##m] : NULL))
