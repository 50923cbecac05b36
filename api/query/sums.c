// SPDX-License-Identifier: Apache-2.0
#include "api/query/sums.h"

#include <errno.h>

#define SUM_FIELDS                                                                                 \
	(RECORD_BIT(start_ns) | RECORD_BIT(src) | RECORD_BIT(dst) | RECORD_BIT(sport) |            \
	 RECORD_BIT(dport) | RECORD_BIT(proto) | RECORD_BIT(packets) | RECORD_BIT(bytes) |         \
	 RECORD_BIT(rev_packets) | RECORD_BIT(rev_bytes) | RECORD_BIT(verdict))

struct sums {
	struct record_batch *some; // the rows that pass, close together
	struct rollup *into;
	const struct window *window;
};

static int
gather(struct record_batch *to,
       const struct record_batch *from,
       enum record_field f,
       const uint32_t *rows,
       uint32_t n)
{
	size_t width = record_fields[f].width;
	const uint8_t *source = from->columns[f];
	if (!(from->used >> f & 1))
		return 0;
	uint8_t *column = record_batch_column_raw(to, f);
	if (!column)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		memcpy(column + i * width, source + rows[i] * width, width);
	return 0;
}

static int take(void *ctx, const struct record_batch *b, const uint32_t *rows, uint32_t n)
{
	struct sums *s = ctx;
	record_batch_clear(s->some);
	for (uint64_t left = SUM_FIELDS; left; left &= left - 1) {
		enum record_field f = (enum record_field)__builtin_ctzll(left);
		if (gather(s->some, b, f, rows, n) < 0)
			return -ENOMEM;
	}
	s->some->n_rows = n;
	return rollup_add_batch(s->into, s->some, s->window->from_ns, s->window->to_ns);
}

int sums_run(
	const struct run *run,
	const struct filter *filter,
	struct rollup *into,
	struct walk_counts *ret_counts
)
{
	struct sums s = {record_batch_create(FILTER_CHUNK), into, run->window};
	struct walk walk = {
		.run = *run, .filter = filter, .fields = SUM_FIELDS, .rows = take, .ctx = &s};
	if (!s.some)
		return -ENOMEM;
	int ret = walk_rows(&walk, ret_counts);
	record_batch_free(s.some);
	return ret;
}
