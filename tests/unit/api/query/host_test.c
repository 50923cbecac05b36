// SPDX-License-Identifier: Apache-2.0
#include "api/query/host.h"
#include "tests/unit/api/query/held.h"

static void
naive(const struct held *h,
      const struct addr *host,
      const struct host_sums *s,
      struct rollup_host *ret)
{
	for (uint32_t i = 0; i < h->all->n_rows; i++) {
		struct record r;
		record_batch_get(h->all, i, &r);
		if (r.start_ns < h->window.from_ns || r.start_ns > h->window.to_ns)
			continue;
		struct rollup_host *at = &ret[(r.start_ns - s->from_ns) / s->bin_ns];
		bool src = addr_eq(&r.src, host), dst = addr_eq(&r.dst, host), both = r.rev_packets;
		at->out_flows += src + (dst && both);
		at->in_flows += dst + (src && both);
		at->out_packets += (src ? r.packets : 0) + (dst ? r.rev_packets : 0);
		at->in_packets += (dst ? r.packets : 0) + (src ? r.rev_packets : 0);
		at->out_bytes += (src ? r.bytes : 0) + (dst ? r.rev_bytes : 0);
		at->in_bytes += (dst ? r.bytes : 0) + (src ? r.rev_bytes : 0);
		at->denied += (src || dst) && r.verdict == VERDICT_DENY;
	}
}

// The bins of `n_hours` hours, against every row looked at.
static void check_bins(struct held *h, const struct addr *host, uint32_t n_hours)
{
	struct run run = held_run(h);
	struct rollup_host bins[8] = {}, want[8] = {};
	uint64_t first = h->window.from_ns - h->window.from_ns % NS_PER_HOUR;
	struct host_sums s = {host, first, n_hours * NS_PER_HOUR, 8, bins};
	naive(h, host, &s, want);
	assert_int_equal(host_run(&s, &run), 0);
	assert_memory_equal(bins, want, sizeof(bins));
}

static void check_host(struct held *h, const struct addr *host)
{
	check_bins(h, host, 1);
	check_bins(h, host, 3);
}

static void a_host_is_the_same_from_tables_and_rows(void **state)
{
	struct held *h = *state;
	struct window whole = h->window;
	struct addr stranger;
	assert_int_equal(addr_parse("203.0.113.9", &stranger), 0);
	for (int cut = 0; cut < 2; cut++) {
		for (int i = 0; i < 40; i++) {
			struct addr a = rows_addr();
			check_host(h, &a);
		}
		check_host(h, &stranger);
		h->window.from_ns = whole.from_ns + NS_PER_HOUR / 3;
		h->window.to_ns = whole.to_ns - NS_PER_HOUR / 2;
	}
	h->window = whole;
	held_seal(h);
	held_look(h);
	for (int i = 0; i < 40; i++) {
		struct addr a = rows_addr();
		check_host(h, &a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_host_is_the_same_from_tables_and_rows, held_set_up, held_tear_down
		),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
