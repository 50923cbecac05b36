// SPDX-License-Identifier: Apache-2.0
#include "api/query/walk.h"

#define WORDS (FILTER_CHUNK / 64)

// Takes the rows outside of the window from the mask.
static void keep_window(
	const struct window *w,
	const struct record_batch *b,
	uint32_t first,
	uint32_t n,
	uint64_t *mask
)
{
	const uint64_t *start = RECORD_COLUMN(b, start_ns);
	uint64_t span = w->to_ns - w->from_ns;
	for (uint32_t i = 0; i < n; i++) {
		bool in = (start ? start[first + i] : 0) - w->from_ns <= span;
		mask[i / 64] &= ~((uint64_t)!in << i % 64);
	}
}

// The places of the mask's bits.
static uint32_t list_rows(const uint64_t *mask, uint32_t first, uint32_t n, uint32_t *ret_rows)
{
	uint32_t found = 0;
	for (uint32_t w = 0; w < (n + 63) / 64; w++)
		for (uint64_t left = mask[w]; left; left &= left - 1)
			ret_rows[found++] = first + w * 64 + (uint32_t)__builtin_ctzll(left);
	return found;
}

static void
pass(const struct walk *w,
     const struct record_batch *b,
     uint32_t first,
     uint32_t n,
     uint64_t mask[static WORDS])
{
	if (w->filter) {
		filter_rows(w->filter, b, first, n, mask);
	} else {
		memset(mask, 0xff, WORDS * sizeof(*mask));
		if (n % 64)
			mask[n / 64] = (1ull << n % 64) - 1;
	}
	keep_window(w->run.window, b, first, n, mask);
}

static int walk_block(
	const struct walk *w,
	struct store_scan *scan,
	const struct record_batch *b,
	struct walk_counts *counts
)
{
	uint64_t mask[WORDS];
	uint32_t rows[FILTER_CHUNK];
	bool loaded = false;
	uint32_t n_chunks = (b->n_rows + FILTER_CHUNK - 1) / FILTER_CHUNK;
	for (uint32_t k = 0; k < n_chunks; k++) {
		// blocks are sorted by time: what is looked for first lies at their end
		uint32_t first = (w->newest_first ? n_chunks - 1 - k : k) * FILTER_CHUNK;
		uint32_t n = b->n_rows - first < FILTER_CHUNK ? b->n_rows - first : FILTER_CHUNK;
		pass(w, b, first, n, mask);
		uint32_t found = list_rows(mask, first, n, rows);
		if (!found)
			continue;
		int ret = loaded ? 0 : store_scan_load(scan);
		loaded = true;
		if (ret == 0)
			ret = w->rows(w->ctx, b, rows, found);
		if (ret < 0)
			return ret;
		counts->passed += found;
	}
	counts->scanned += b->n_rows;
	return 0;
}

int walk_rows(const struct walk *w, struct walk_counts *ret_counts)
{
	uint64_t first = RECORD_BIT(start_ns) | (w->filter ? filter_fields(w->filter) : 0);
	struct store_scan_spec spec = {
		.entity = w->run.entity,
		.from_ns = w->run.window->from_ns,
		.to_ns = w->run.window->to_ns,
		.fields = first,
		.late = w->fields & ~first,
		.newest_first = w->newest_first,
		.journal_only = w->journal_only,
	};
	struct store_scan *scan;
	const struct record_batch *b;

	*ret_counts = (struct walk_counts){};
	int ret = store_scan_open(w->run.view, &spec, &scan);
	if (ret < 0)
		return ret;
	while ((ret = query_stopped(w->run.stop)) == 0 && (ret = store_scan_next(scan, &b)) == 1) {
		ret = walk_block(w, scan, b, ret_counts);
		if (ret < 0)
			break;
		if (w->floor_ns)
			store_scan_raise(scan, *w->floor_ns);
	}
	store_scan_close(scan);
	return ret;
}
