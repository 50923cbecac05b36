// SPDX-License-Identifier: Apache-2.0
#include "collector/store/read.h"
#include "collector/store/seal.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/rows.h"

#define N_ENTITIES 3
#define N_HOURS 3
#define ROWS_MAX 20000

// A store, and beside it every row that was committed.
struct fixture {
	char dir[64], scratch[80];
	char error[STORE_ERROR_LEN];
	struct store *store;
	struct store_reader *reader;
	struct store_view *view; // closed before the reader, whatever happens
	struct record_batch *all[N_ENTITIES];
};

static void open_store(struct fixture *f)
{
	struct store_options o = {
		.dir = f->dir, .block_rows = 700, .seal_grace_ns = 60 * (int64_t)NS_PER_SEC};
	if (store_open(&o, &f->store, f->error) < 0)
		fail_msg("%s", f->error);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	rows_dir(f->dir);
	snprintf(f->scratch, sizeof(f->scratch), "%s.reader", f->dir);
	open_store(f);
	for (int e = 0; e < N_ENTITIES; e++)
		f->all[e] = record_batch_create(ROWS_MAX);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	store_view_close(f->view);
	store_reader_close(f->reader);
	store_close(f->store);
	for (int e = 0; e < N_ENTITIES; e++)
		record_batch_free(f->all[e]);
	rows_dir_remove(f->dir);
	rows_dir_remove(f->scratch);
	free(f);
	return 0;
}

static void commit_random(struct fixture *f)
{
	struct record_batch *batches[N_ENTITIES];
	for (uint16_t e = 0; e < N_ENTITIES; e++) {
		uint32_t n = 1 + (uint32_t)rows_below(400);
		batches[e] = record_batch_create(n);
		batches[e]->entity = e;
		for (uint32_t i = 0; i < n; i++) {
			struct record r = rows_record(ROWS_HOUR + (uint32_t)rows_below(N_HOURS));
			assert_int_equal(record_batch_add(batches[e], &r), 0);
			assert_int_equal(record_batch_add(f->all[e], &r), 0);
		}
	}
	if (store_commit(f->store, batches, N_ENTITIES, f->error) < 0)
		fail_msg("%s", f->error);
	for (int e = 0; e < N_ENTITIES; e++)
		record_batch_free(batches[e]);
}

static struct store_view *fresh_view(struct fixture *f)
{
	char error[STORE_READ_ERROR_LEN];
	if (!f->reader && store_reader_open(f->dir, f->scratch, &f->reader, error) < 0)
		fail_msg("%s", error);
	assert_int_equal(store_reader_refresh(f->reader, 0), 0);
	store_view_close(f->view);
	f->view = store_view_open(f->reader);
	assert_non_null(f->view);
	return f->view;
}

// What a query does: stored tables, and the rows that are not in them.
static struct rollup *query(struct store_view *v, uint16_t entity, uint64_t *ret_journal_rows)
{
	struct store_scan_spec spec = {
		.entity = entity, .to_ns = UINT64_MAX, .fields = ~0ull, .journal_only = true};
	const struct record_batch *b;
	struct store_hour hour;
	struct store_scan *scan;
	struct rollup *r;
	assert_int_equal(rollup_create(&r), 0);
	*ret_journal_rows = 0;
	for (uint32_t from = 0; store_view_hour(v, entity, from, &hour) == 1;
	     from = hour.hour + 1) {
		assert_int_equal(store_view_rollup(v, entity, hour.hour, r), 0);
		*ret_journal_rows += hour.journal_rows;
	}
	assert_int_equal(store_scan_open(v, &spec, &scan), 0);
	while (store_scan_next(scan, &b) == 1)
		assert_int_equal(rollup_add_batch(r, b, 0, UINT64_MAX), 0);
	store_scan_close(scan);
	return r;
}

static struct rollup_totals count_all(const struct record_batch *all)
{
	struct rollup_totals t = {0};
	for (uint32_t i = 0; i < all->n_rows; i++) {
		struct record r;
		record_batch_get(all, i, &r);
		t.flows++;
		t.packets += r.packets + r.rev_packets;
		t.bytes += r.bytes + r.rev_bytes;
		t.denied += r.verdict == VERDICT_DENY;
	}
	return t;
}

static struct rollup_host count_host(const struct record_batch *all, const struct addr *addr)
{
	struct rollup_host h = {.addr = *addr};
	for (uint32_t i = 0; i < all->n_rows; i++) {
		struct record r;
		record_batch_get(all, i, &r);
		bool is_src = addr_eq(&r.src, addr), is_dst = addr_eq(&r.dst, addr);
		h.out_flows += is_src + (is_dst && r.rev_packets);
		h.out_packets += is_src * r.packets + is_dst * r.rev_packets;
		h.out_bytes += is_src * r.bytes + is_dst * r.rev_bytes;
		h.in_flows += is_dst + (is_src && r.rev_packets);
		h.in_packets += is_dst * r.packets + is_src * r.rev_packets;
		h.in_bytes += is_dst * r.bytes + is_src * r.rev_bytes;
		h.denied += (is_src || is_dst) && r.verdict == VERDICT_DENY;
	}
	return h;
}

static struct rollup_port count_port(const struct record_batch *all, uint8_t proto, uint16_t port)
{
	struct rollup_port p = {.proto = proto, .port = port};
	for (uint32_t i = 0; i < all->n_rows; i++) {
		struct record r;
		record_batch_get(all, i, &r);
		if (r.proto != proto || r.dport != port)
			continue;
		p.flows++;
		p.packets += r.packets + r.rev_packets;
		p.bytes += r.bytes + r.rev_bytes;
	}
	return p;
}

static void check_rollup(const struct rollup *r, const struct record_batch *all)
{
	struct rollup_totals want = count_all(all), got = rollup_totals(r);
	assert_memory_equal(&got, &want, sizeof(want));
	struct rollup_host hosts[8];
	struct rollup_port ports[8];
	size_t n = rollup_hosts(r, ROLLUP_BY_OUT_BYTES, hosts, 8);
	assert_true(n > 0);
	for (size_t i = 0; i < n; i++) {
		struct rollup_host h = count_host(all, &hosts[i].addr);
		assert_memory_equal(&h, &hosts[i], sizeof(h));
		assert_true(i == 0 || hosts[i - 1].out_bytes >= hosts[i].out_bytes);
	}
	n = rollup_ports(r, ROLLUP_BY_FLOWS, ports, 8);
	for (size_t i = 0; i < n; i++) {
		struct rollup_port p = count_port(all, ports[i].proto, ports[i].port);
		assert_int_equal(p.flows, ports[i].flows);
		assert_int_equal(p.packets, ports[i].packets);
		assert_int_equal(p.bytes, ports[i].bytes);
	}
}

// Sums of the rows of a full scan, each within the window counted.
static void check_scan(struct store_view *v, uint16_t entity, const struct record_batch *all)
{
	struct store_scan_spec spec = {
		.entity = entity,
		.from_ns = store_hour_start(ROWS_HOUR) + rows_below(NS_PER_HOUR),
		.to_ns = store_hour_start(ROWS_HOUR + 2) + rows_below(NS_PER_HOUR),
		.fields = RECORD_BIT(bytes) | RECORD_BIT(server_name),
		.newest_first = rows_below(2),
	};
	uint64_t want = 0, got = 0, n_want = 0, n_got = 0;
	const struct record_batch *b;
	struct store_scan *scan;
	struct record r;
	for (uint32_t i = 0; i < all->n_rows; i++) {
		record_batch_get(all, i, &r);
		if (r.start_ns < spec.from_ns || r.start_ns > spec.to_ns)
			continue;
		n_want++;
		want += r.start_ns * 31 + r.bytes * 7 + r.server_name.len;
	}
	assert_int_equal(store_scan_open(v, &spec, &scan), 0);
	while (store_scan_next(scan, &b) == 1) {
		assert_false(b->used & RECORD_BIT(src));
		for (uint32_t i = 0; i < b->n_rows; i++) {
			record_batch_get(b, i, &r);
			if (r.start_ns < spec.from_ns || r.start_ns > spec.to_ns)
				continue;
			n_got++;
			got += r.start_ns * 31 + r.bytes * 7 + r.server_name.len;
		}
	}
	store_scan_close(scan);
	assert_int_equal(n_got, n_want);
	assert_int_equal(got, want);
}

static void check(struct fixture *f)
{
	struct store_view *v = fresh_view(f);
	uint64_t waiting = 0, total = 0;
	for (uint16_t e = 0; e < N_ENTITIES; e++) {
		uint64_t n;
		struct rollup *r = query(v, e, &n);
		waiting += n;
		total += f->all[e]->n_rows;
		check_rollup(r, f->all[e]);
		rollup_free(r);
		check_scan(v, e, f->all[e]);
	}
	struct store_stats stats;
	store_stats(f->store, &stats);
	assert_int_equal(stats.journal_rows, waiting);
	assert_int_equal(stats.total_rows, total);
}

static void sealing_changes_no_sum(void **state)
{
	struct fixture *f = *state;
	uint64_t total = 0, sealed = 0;
	for (int round = 0; round < 6; round++) {
		// The hours end one after the other; some rows come late.
		uint64_t now_ns = store_hour_start(ROWS_HOUR + 1 + (uint32_t)round / 2) +
				  61 * NS_PER_SEC * (round % 2 + 1);
		for (int i = 0; i < 1 + round % 3; i++)
			commit_random(f);
		check(f);
		int64_t n = store_seal(f->store, now_ns, false, f->error);
		if (n < 0)
			fail_msg("%s", f->error);
		sealed += (uint64_t)n;
		check(f);
	}
	int64_t rest = store_seal(f->store, 0, true, f->error);
	assert_true(rest >= 0);
	check(f);
	for (int e = 0; e < N_ENTITIES; e++)
		total += f->all[e]->n_rows;
	assert_int_equal(sealed + (uint64_t)rest, total);
	assert_int_equal(store_seal(f->store, 0, true, f->error), 0);
}

static void a_running_hour_is_left_alone(void **state)
{
	struct fixture *f = *state;
	commit_random(f);
	uint64_t end_ns = store_hour_start(ROWS_HOUR + 1);
	assert_int_equal(store_seal(f->store, end_ns + 60 * NS_PER_SEC, false, f->error), 0);
	assert_true(store_seal(f->store, end_ns + 60 * NS_PER_SEC + 1, false, f->error) > 0);
	check(f);
}

static void a_reopened_store_goes_on_where_it_was(void **state)
{
	struct fixture *f = *state;
	commit_random(f);
	assert_true(store_seal(f->store, 0, true, f->error) > 0);
	commit_random(f);
	store_close(f->store);
	open_store(f);
	assert_string_equal(f->error, "");
	check(f);
	commit_random(f);
	check(f);
	assert_true(store_seal(f->store, 0, true, f->error) > 0);
	check(f);
}

static void the_newest_rows_come_first_and_the_scan_can_be_cut_short(void **state)
{
	struct fixture *f = *state;
	struct store_scan_spec spec = {
		.entity = 0, .to_ns = UINT64_MAX, .fields = 0, .newest_first = true};
	const struct record_batch *b;
	struct store_scan *scan;
	uint64_t last_max = UINT64_MAX;
	for (int i = 0; i < 20; i++)
		commit_random(f);
	assert_true(store_seal(f->store, 0, true, f->error) > 0);
	commit_random(f);
	struct store_view *v = fresh_view(f);
	assert_int_equal(store_scan_open(v, &spec, &scan), 0);
	int blocks = 0;
	while (store_scan_next(scan, &b) == 1) {
		uint64_t max = 0;
		for (uint32_t i = 0; i < b->n_rows; i++)
			max = RECORD_COLUMN(b, start_ns)[i] > max ? RECORD_COLUMN(b, start_ns)[i]
								  : max;
		assert_true(max <= last_max);
		last_max = max;
		if (++blocks == 2)
			store_scan_raise(scan, max);
	}
	assert_true(blocks >= 2 && blocks <= 8);
	store_scan_close(scan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(sealing_changes_no_sum),
		TEST(a_running_hour_is_left_alone),
		TEST(a_reopened_store_goes_on_where_it_was),
		TEST(the_newest_rows_come_first_and_the_scan_can_be_cut_short),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
