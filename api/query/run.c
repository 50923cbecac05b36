// SPDX-License-Identifier: Apache-2.0
#include "api/query/run.h"

#define SUM_FIELDS                                                                                 \
	(RECORD_BIT(start_ns) | RECORD_BIT(src) | RECORD_BIT(dst) | RECORD_BIT(sport) |            \
	 RECORD_BIT(dport) | RECORD_BIT(proto) | RECORD_BIT(packets) | RECORD_BIT(bytes) |         \
	 RECORD_BIT(rev_packets) | RECORD_BIT(rev_bytes) | RECORD_BIT(verdict))

#define ROW_FIELDS                                                                                 \
	(SUM_FIELDS | RECORD_BIT(end_ns) | RECORD_BIT(tcp_flags) | RECORD_BIT(rev_tcp_flags) |     \
	 RECORD_BIT(icmp_type) | RECORD_BIT(icmp_code))

static int sum_rows(
	const struct run *run,
	uint64_t from_ns,
	uint64_t to_ns,
	bool journal_only,
	struct rollup *into
)
{
	struct store_scan_spec spec = {
		.entity = run->entity,
		.from_ns = from_ns,
		.to_ns = to_ns,
		.fields = SUM_FIELDS,
		.journal_only = journal_only,
	};
	struct store_scan *scan;
	const struct record_batch *b;

	int ret = store_scan_open(run->view, &spec, &scan);
	if (ret < 0)
		return ret;
	while ((ret = query_stopped(run->stop)) == 0 && (ret = store_scan_next(scan, &b)) == 1) {
		ret = rollup_add_batch(into, b, from_ns, to_ns);
		if (ret < 0)
			break;
	}
	store_scan_close(scan);
	return ret;
}

// The part of an hour that lies in the window.
static int
sum_hour(const struct run *run, const struct store_hour *h, struct rollup *into, bool *scanned)
{
	uint64_t first = store_hour_start(h->hour), last = first + NS_PER_HOUR - 1;
	bool whole = first >= run->window->from_ns && last <= run->window->to_ns;
	int ret = 0;

	if (first < run->window->from_ns)
		first = run->window->from_ns;
	if (last > run->window->to_ns)
		last = run->window->to_ns;
	if (whole && h->sealed_rows)
		ret = store_view_rollup(run->view, run->entity, h->hour, into);
	if (ret == 0 && (!whole || h->journal_rows)) {
		*scanned = true;
		ret = sum_rows(run, first, last, whole, into);
	}
	return ret;
}

int run_sums(const struct run *run, struct rollup *into, bool *ret_scanned)
{
	uint32_t next = store_hour_of(run->window->from_ns);
	uint32_t last = store_hour_of(run->window->to_ns);
	struct store_hour h;
	bool scanned = false;

	while (next <= last) {
		int ret = query_stopped(run->stop);
		if (ret == 0)
			ret = store_view_hour(run->view, run->entity, next, &h);
		if (ret < 0)
			return ret;
		if (ret == 0 || h.hour > last)
			break;
		ret = sum_hour(run, &h, into, &scanned);
		if (ret < 0)
			return ret;
		next = h.hour + 1;
	}
	*ret_scanned = scanned;
	return 0;
}

static void push_rows(const struct window *w, const struct record_batch *b, struct newest *into)
{
	const uint64_t *start = RECORD_COLUMN(b, start_ns);
	struct record r;
	for (uint32_t i = 0; start && i < b->n_rows; i++) {
		if (start[i] < w->from_ns || start[i] > w->to_ns ||
		    start[i] < newest_floor_ns(into))
			continue;
		record_batch_get(b, i, &r);
		r.server_name = r.ja4 = (struct record_str){};
		newest_push(into, &r);
	}
}

int run_newest(const struct run *run, struct newest *into)
{
	struct store_scan_spec spec = {
		.entity = run->entity,
		.from_ns = run->window->from_ns,
		.to_ns = run->window->to_ns,
		.fields = ROW_FIELDS,
		.newest_first = true,
	};
	struct store_scan *scan;
	const struct record_batch *b;

	int ret = store_scan_open(run->view, &spec, &scan);
	if (ret < 0)
		return ret;
	while ((ret = query_stopped(run->stop)) == 0 && (ret = store_scan_next(scan, &b)) == 1) {
		push_rows(run->window, b, into);
		if (newest_full(into))
			store_scan_raise(scan, newest_floor_ns(into));
	}
	store_scan_close(scan);
	return ret;
}
