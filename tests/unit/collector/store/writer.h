// SPDX-License-Identifier: Apache-2.0
#pragma once

// A collector in short, as a child process: commits and seals without end, and writes after each
// commit how many rows are acknowledged. How many rows a commit has follows from how many there
// were before, so that whoever counts them later knows where a commit may end.

#include "tests/unit/collector/store/child.h"
#include "tests/unit/collector/store/stores.h"

#define WRITER_ENTITIES 2
#define WRITER_HOURS 2

// Rows of the commit after the first n.
static inline uint32_t writer_commit_rows(uint32_t n)
{
	return 1 + (n * 2654435761u >> 20) % 90;
}

// Serial numbers alternate between the entities.
static inline uint16_t writer_entity(uint32_t serial)
{
	return (uint16_t)(serial % WRITER_ENTITIES);
}

static inline void writer_commit(struct stores *f, uint32_t n)
{
	struct record_batch *batches[WRITER_ENTITIES];
	for (uint16_t e = 0; e < WRITER_ENTITIES; e++) {
		batches[e] = record_batch_create(n);
		batches[e]->entity = e;
	}
	for (uint32_t i = 0; i < n; i++, f->next_serial++) {
		struct record r = rows_record(ROWS_HOUR + (uint32_t)rows_below(WRITER_HOURS));
		RECORD_SET(&r, domain, f->next_serial);
		RECORD_SET(&r, bytes, 1000 + f->next_serial);
		RECORD_SET(&r, rev_packets, 0);
		RECORD_SET(&r, rev_bytes, 0);
		if (record_batch_add(batches[writer_entity(f->next_serial)], &r) < 0)
			_exit(1);
	}
	if (store_commit(f->store, batches, WRITER_ENTITIES, f->error) < 0) {
		fprintf(stderr, "%s\n", f->error);
		_exit(1);
	}
	for (int e = 0; e < WRITER_ENTITIES; e++)
		record_batch_free(batches[e]);
}

// args: "writer", the folder, how many rows there are.
static inline int writer_main(char *const args[static 3])
{
	static struct stores f;
	snprintf(f.dir, sizeof(f.dir), "%s", args[1]);
	f.next_serial = (uint32_t)strtoul(args[2], NULL, 10);
	rows_state ^= f.next_serial * 0x9e3779b97f4a7c15 + 1;
	f.options.block_rows = 50;
	if (stores_try_open(&f) < 0) {
		fprintf(stderr, "%s\n", f.error);
		return 1;
	}
	for (int i = 1;; i++) {
		writer_commit(&f, writer_commit_rows(f.next_serial));
		child_write_number(f.next_serial);
		if (i % 6 == 0 && store_seal(f.store, 0, true, f.error) < 0) {
			fprintf(stderr, "%s\n", f.error);
			return 1;
		}
	}
}

static inline struct child writer_start(const struct stores *f, uint32_t n_rows)
{
	char dir[64], number[16];
	char *const args[] = {(char *)"writer", dir, number, NULL};
	memcpy(dir, f->dir, sizeof(dir));
	snprintf(number, sizeof(number), "%u", n_rows);
	return child_start(args);
}

// Adds what a query would: the stored tables, and the rows that are not in them.
static inline void writer_add(struct store_view *v, uint16_t entity, struct rollup *into)
{
	struct store_scan_spec spec = {
		.entity = entity, .to_ns = UINT64_MAX, .fields = ~0ull, .journal_only = true};
	const struct record_batch *b;
	struct store_hour hour;
	struct store_scan *scan;
	int ret;
	for (uint32_t from = 0; (ret = store_view_hour(v, entity, from, &hour)) == 1;
	     from = hour.hour + 1)
		assert_int_equal(store_view_rollup(v, entity, hour.hour, into), 0);
	assert_int_equal(ret, 0);
	assert_int_equal(store_scan_open(v, &spec, &scan), 0);
	while ((ret = store_scan_next(scan, &b)) == 1)
		assert_int_equal(rollup_add_batch(into, b, 0, UINT64_MAX), 0);
	assert_int_equal(ret, 0);
	store_scan_close(scan);
}

// That a view holds rows 0 to n - 1, each once, in blocks as in sums: n.
static inline uint32_t writer_check(struct store_view *v)
{
	struct serials s = {0};
	struct rollup *r;
	assert_int_equal(rollup_create(&r), 0);
	for (uint16_t e = 0; e < WRITER_ENTITIES; e++) {
		assert_int_equal(serials_scan(&s, v, e), 0);
		writer_add(v, e, r);
	}
	uint64_t n = serials_assert_prefix(&s);
	struct rollup_totals t = rollup_totals(r);
	assert_int_equal(t.flows, n);
	assert_int_equal(t.bytes, n * 1000 + n * (n - 1) / 2);
	serials_fini(&s);
	rollup_free(r);
	return (uint32_t)n;
}
