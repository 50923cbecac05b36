// SPDX-License-Identifier: Apache-2.0
#include "api/query/run.h"
#include "collector/store/store.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/rows.h"

// Hours by what became of their rows.
#define SEALED (ROWS_HOUR + 0)
#define SEALED_TOO (ROWS_HOUR + 1)
#define JOINED (ROWS_HOUR + 2) // sealed, and late rows in the journal
#define RUNNING (ROWS_HOUR + 3)
#define EMPTY (ROWS_HOUR + 4)
#define LAST (ROWS_HOUR + 5)

#define ENTITY 1
#define ROWS_MAX 8000

// A store, and beside it every row of the entity.
struct fixture {
	char dir[64], scratch[80];
	char error[STORE_ERROR_LEN];
	struct store *store;
	struct store_reader *reader;
	struct store_view *view; // closed before the reader, whatever happens
	struct record_batch *all;
	struct record_batch *picked; // of these, the ones of a window
};

static const struct query_stop no_stop = {.deadline_ns = UINT64_MAX};

static void commit(struct fixture *f, struct record_batch *b)
{
	if (store_commit(f->store, &b, 1, f->error) < 0)
		fail_msg("%s", f->error);
	for (uint32_t i = 0; b->entity == ENTITY && i < b->n_rows; i++) {
		struct record r;
		record_batch_get(b, i, &r);
		assert_int_equal(record_batch_add(f->all, &r), 0);
	}
	record_batch_free(b);
}

// A flow of one of few protocols: for each that has ports a sum allocates 1.5 MB.
static struct record some_row(uint32_t hour)
{
	static const uint8_t protos[] = {6, 6, 6, 1, 47, 58};
	struct record r = rows_record(hour);
	r.proto = protos[rows_below(sizeof(protos))];
	return r;
}

static struct record_batch *some_rows(uint16_t entity, uint32_t hour, uint32_t n)
{
	struct record_batch *b = record_batch_create(n);
	assert_non_null(b);
	b->entity = entity;
	for (uint32_t i = 0; i < n; i++) {
		struct record r = some_row(hour);
		assert_int_equal(record_batch_add(b, &r), 0);
	}
	return b;
}

// Rows all over the hour and on both of its edges; another entity's beside them.
static void commit_hour(struct fixture *f, uint32_t hour)
{
	struct record_batch *edges = record_batch_create(4);
	assert_non_null(edges);
	edges->entity = ENTITY;
	for (int i = 0; i < 4; i++) {
		struct record r = some_row(hour);
		r.start_ns = store_hour_start(hour) + (i < 2 ? 0 : NS_PER_HOUR - 1);
		assert_int_equal(record_batch_add(edges, &r), 0);
	}
	commit(f, some_rows(ENTITY, hour, 150 + (uint32_t)rows_below(150)));
	commit(f, edges);
	commit(f, some_rows(ENTITY - 1, hour, 20));
	commit(f, some_rows(ENTITY + 1, hour, 20));
}

static void look_again(struct fixture *f)
{
	char error[STORE_READ_ERROR_LEN];
	if (!f->reader && store_reader_open(f->dir, f->scratch, &f->reader, error) < 0)
		fail_msg("%s", error);
	assert_int_equal(store_reader_refresh(f->reader, 0), 0);
	store_view_close(f->view);
	f->view = store_view_open(f->reader);
	assert_non_null(f->view);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	rows_dir(f->dir);
	snprintf(f->scratch, sizeof(f->scratch), "%s.reader", f->dir);
	struct store_options o = {.dir = f->dir, .block_rows = 60};
	if (store_open(&o, &f->store, f->error) < 0)
		fail_msg("%s", f->error);
	f->all = record_batch_create(ROWS_MAX);
	f->picked = record_batch_create(ROWS_MAX);
	for (uint32_t hour = SEALED; hour <= JOINED; hour++)
		commit_hour(f, hour);
	assert_true(store_seal(f->store, store_hour_start(EMPTY), false, f->error) > 0);
	commit_hour(f, JOINED);
	commit_hour(f, RUNNING);
	commit_hour(f, LAST);
	look_again(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	store_view_close(f->view);
	store_reader_close(f->reader);
	store_close(f->store);
	record_batch_free(f->all);
	record_batch_free(f->picked);
	rows_dir_remove(f->dir);
	rows_dir_remove(f->scratch);
	free(f);
	return 0;
}

static struct run run_of(struct fixture *f, const struct window *w)
{
	return (struct run){.view = f->view, .entity = ENTITY, .window = w, .stop = &no_stop};
}

// A time on, beside or between the edges of hours and minutes.
static uint64_t some_time(void)
{
	uint64_t ns = store_hour_start(SEALED - 1 + (uint32_t)rows_below(8));
	switch (rows_below(6)) {
	case 0:
		return ns;
	case 1:
		return ns + 1;
	case 2:
		return ns + NS_PER_HOUR - 1;
	case 3:
		return ns + NS_PER_HOUR - 2;
	case 4:
		return ns + rows_below(60) * 60 * NS_PER_SEC;
	default:
		return ns + rows_below(NS_PER_HOUR);
	}
}

static struct window some_window(void)
{
	uint64_t a = some_time(), b = some_time();
	return (struct window){.from_ns = a < b ? a : b, .to_ns = a < b ? b : a};
}

static struct window hours(uint32_t first, uint32_t last)
{
	return (struct window
	){.from_ns = store_hour_start(first), .to_ns = store_hour_start(last + 1) - 1};
}

// The window's rows, picked one by one.
static const struct record_batch *pick(const struct fixture *f, const struct window *w)
{
	struct record_batch *b = f->picked;
	record_batch_clear(b);
	for (uint32_t i = 0; i < f->all->n_rows; i++) {
		struct record r;
		record_batch_get(f->all, i, &r);
		if (r.start_ns >= w->from_ns && r.start_ns <= w->to_ns)
			assert_int_equal(record_batch_add(b, &r), 0);
	}
	return b;
}

static void check_totals(const struct rollup *got, const struct record_batch *rows)
{
	struct rollup_totals want = {}, t = rollup_totals(got);
	for (uint32_t i = 0; i < rows->n_rows; i++) {
		struct record r;
		record_batch_get(rows, i, &r);
		want.flows++;
		want.packets += r.packets + r.rev_packets;
		want.bytes += r.bytes + r.rev_bytes;
		want.denied += r.verdict == VERDICT_DENY;
	}
	assert_int_equal(t.flows, want.flows);
	assert_int_equal(t.packets, want.packets);
	assert_int_equal(t.bytes, want.bytes);
	assert_int_equal(t.denied, want.denied);
}

#define N_MAX 4096

static void check_hosts(const struct rollup *got, const struct rollup *want)
{
	static struct rollup_host g[N_MAX], w[N_MAX];
	size_t n = rollup_hosts(want, ROLLUP_BY_KEY, w, N_MAX);
	assert_int_equal(rollup_hosts(got, ROLLUP_BY_KEY, g, N_MAX), n);
	assert_memory_equal(g, w, n * sizeof(*w)); // has no padding
}

static void check_ports(const struct rollup *got, const struct rollup *want)
{
	static struct rollup_port g[N_MAX], w[N_MAX];
	size_t n = rollup_ports(want, ROLLUP_BY_KEY, w, N_MAX);
	assert_int_equal(rollup_ports(got, ROLLUP_BY_KEY, g, N_MAX), n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(g[i].port, w[i].port);
		assert_int_equal(g[i].proto, w[i].proto);
		assert_int_equal(g[i].flows, w[i].flows);
		assert_int_equal(g[i].packets, w[i].packets);
		assert_int_equal(g[i].bytes, w[i].bytes);
	}
}

static void check_protos_and_hours(const struct rollup *got, const struct rollup *want)
{
	struct rollup_proto gp[256], wp[256];
	struct rollup_hour gh[16], wh[16];
	size_t n = rollup_protos(want, ROLLUP_BY_KEY, wp, 256);
	assert_int_equal(rollup_protos(got, ROLLUP_BY_KEY, gp, 256), n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(gp[i].proto, wp[i].proto);
		assert_int_equal(gp[i].flows, wp[i].flows);
		assert_int_equal(gp[i].bytes, wp[i].bytes);
	}
	n = rollup_hours(want, wh, 16);
	assert_int_equal(rollup_hours(got, gh, 16), n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(gh[i].hour, wh[i].hour);
		assert_int_equal(gh[i].flows, wh[i].flows);
		assert_int_equal(gh[i].bytes, wh[i].bytes);
	}
}

// Returns whether rows were looked at.
static bool check_sums(struct fixture *f, const struct window *w)
{
	struct run run = run_of(f, w);
	const struct record_batch *rows = pick(f, w);
	struct rollup *got, *want;
	bool scanned = false;
	assert_int_equal(rollup_create(&got), 0);
	assert_int_equal(rollup_create(&want), 0);
	assert_int_equal(rollup_add_batch(want, rows, 0, UINT64_MAX), 0);
	assert_int_equal(run_sums(&run, got, &scanned), 0);
	check_totals(got, rows);
	check_hosts(got, want);
	check_ports(got, want);
	check_protos_and_hours(got, want);
	rollup_free(got);
	rollup_free(want);
	return scanned;
}

static void sums_of_any_window_are_those_of_its_rows(void **state)
{
	for (int i = 0; i < 60; i++) {
		struct window w = some_window();
		check_sums(*state, &w);
	}
}

static void rows_on_the_very_edge_are_in(void **state)
{
	struct fixture *f = *state;
	for (uint32_t hour = SEALED; hour <= LAST; hour++) {
		uint64_t first = store_hour_start(hour), last = first + NS_PER_HOUR - 1;
		struct window windows[] = {
			{.from_ns = first, .to_ns = first},
			{.from_ns = last, .to_ns = last},
			{.from_ns = last, .to_ns = last + 1},
			{.from_ns = first + 1, .to_ns = last - 1},
		};
		for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++)
			check_sums(f, &windows[i]);
		assert_true(hour == EMPTY || pick(f, &windows[0])->n_rows >= 2);
	}
}

static void whole_sealed_hours_are_answered_without_a_scan(void **state)
{
	struct fixture *f = *state;
	struct window w = hours(SEALED, SEALED_TOO);
	assert_false(check_sums(f, &w));
	w = hours(EMPTY, EMPTY);
	assert_false(check_sums(f, &w));
	w = hours(SEALED, SEALED);
	w.to_ns--;
	assert_true(check_sums(f, &w));
	w = hours(SEALED, JOINED);
	assert_true(check_sums(f, &w));
	w = hours(RUNNING, RUNNING);
	assert_true(check_sums(f, &w));
	w = (struct window){.from_ns = 0, .to_ns = UINT64_MAX};
	assert_true(check_sums(f, &w));
	assert_true(store_seal(f->store, 0, true, f->error) > 0);
	look_again(f);
	assert_false(check_sums(f, &w));
}

static void an_entity_without_rows_has_no_sums(void **state)
{
	struct fixture *f = *state;
	struct window w = {.to_ns = UINT64_MAX};
	struct run run = run_of(f, &w);
	struct rollup *r;
	struct newest t;
	bool scanned = true;
	run.entity = 7;
	assert_int_equal(rollup_create(&r), 0);
	assert_int_equal(newest_init(&t, 5), 0);
	assert_int_equal(run_sums(&run, r, &scanned), 0);
	assert_int_equal(run_newest(&run, &t), 0);
	assert_false(scanned);
	assert_int_equal(rollup_totals(r).flows, 0);
	assert_int_equal(t.n, 0);
	newest_fini(&t);
	rollup_free(r);
}

// Every member that an answer shows.
static void check_row(const struct record *got, const struct record *want)
{
	static const enum record_field shown[] = {
		FIELD_start_ns,
		FIELD_end_ns,
		FIELD_src,
		FIELD_dst,
		FIELD_sport,
		FIELD_dport,
		FIELD_proto,
		FIELD_packets,
		FIELD_bytes,
		FIELD_rev_bytes,
		FIELD_rev_packets,
		FIELD_tcp_flags,
		FIELD_rev_tcp_flags,
		FIELD_icmp_type,
		FIELD_icmp_code,
		FIELD_verdict};
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		const struct record_field_info *f = &record_fields[shown[i]];
		if (memcmp((const char *)got + f->offset, (const char *)want + f->offset, f->width))
			fail_msg("%s differs", f->name);
	}
	assert_null(got->server_name.p); // would point into a batch that is gone
}

static void check_newest(struct fixture *f, const struct window *w, size_t cap)
{
	struct run run = run_of(f, w);
	const struct record_batch *rows = pick(f, w);
	struct newest got, want;
	assert_int_equal(newest_init(&got, cap), 0);
	assert_int_equal(newest_init(&want, cap), 0);
	for (uint32_t i = 0; i < rows->n_rows; i++) {
		struct record r;
		record_batch_get(rows, i, &r);
		newest_push(&want, &r);
	}
	assert_int_equal(run_newest(&run, &got), 0);
	newest_sort(&got);
	newest_sort(&want);
	assert_int_equal(got.n, want.n);
	for (size_t i = 0; i < want.n; i++)
		check_row(&got.heap[i], &want.heap[i]);
	newest_fini(&got);
	newest_fini(&want);
}

static void the_newest_rows_of_any_window_are_found(void **state)
{
	static const size_t caps[] = {1, 10, 200, ROWS_MAX};
	for (int i = 0; i < 100; i++) {
		struct window w = some_window();
		check_newest(*state, &w, caps[rows_below(4)]);
	}
}

static void sealing_changes_no_answer(void **state)
{
	struct fixture *f = *state;
	struct record_batch *twins = record_batch_create(400);
	assert_non_null(twins);
	twins->entity = ENTITY;
	for (int i = 0; i < 400; i++) { // many that start together and differ in little
		struct record r = {};
		RECORD_SET(&r, start_ns, store_hour_start(LAST) + 5 + rows_below(3));
		RECORD_SET(&r, proto, 1);
		RECORD_SET(&r, icmp_type, (uint8_t)rows_below(4));
		RECORD_SET(&r, icmp_code, (uint8_t)rows_below(2));
		RECORD_SET(&r, rev_packets, rows_below(3));
		assert_int_equal(record_batch_add(twins, &r), 0);
	}
	commit(f, twins);
	look_again(f);
	struct window w = {.from_ns = store_hour_start(LAST), .to_ns = store_hour_start(LAST) + 10};
	check_newest(f, &w, 100);
	assert_true(store_seal(f->store, 0, true, f->error) > 0);
	look_again(f);
	check_newest(f, &w, 100);
	check_sums(f, &w);
}

static void check_ends(struct fixture *f, const struct query_stop *stop, int want)
{
	struct window w = {.to_ns = UINT64_MAX};
	struct run run = run_of(f, &w);
	struct rollup *r;
	struct newest t;
	bool scanned = true;
	run.stop = stop;
	assert_int_equal(rollup_create(&r), 0);
	assert_int_equal(newest_init(&t, 5), 0);
	assert_int_equal(run_sums(&run, r, &scanned), want);
	assert_int_equal(run_newest(&run, &t), want);
	assert_true(scanned);
	newest_fini(&t);
	rollup_free(r);
}

static void a_query_ends_at_its_deadline(void **state)
{
	struct query_stop stop = {.deadline_ns = clock_mono_ns()};
	check_ends(*state, &stop, -ETIMEDOUT);
	stop.deadline_ns = clock_mono_ns() + 60 * NS_PER_SEC;
	check_ends(*state, &stop, 0);
}

static void a_query_ends_when_its_client_is_gone(void **state)
{
	struct query_stop stop = {.gone = true, .deadline_ns = UINT64_MAX};
	check_ends(*state, &stop, -ECANCELED);
	stop.deadline_ns = 0; // nobody is there to be told of the time
	check_ends(*state, &stop, -ECANCELED);
}

static void more_hosts_than_there_is_room_for_end_the_query(void **state)
{
	struct fixture *f = *state;
	struct window w = {.to_ns = UINT64_MAX};
	struct run run = run_of(f, &w);
	struct rollup *r;
	bool scanned = false;
	assert_int_equal(rollup_create_capped(4, &r), 0);
	assert_int_equal(run_sums(&run, r, &scanned), -ENOMEM);
	rollup_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_of_any_window_are_those_of_its_rows),
		cmocka_unit_test(rows_on_the_very_edge_are_in),
		cmocka_unit_test(an_entity_without_rows_has_no_sums),
		cmocka_unit_test(the_newest_rows_of_any_window_are_found),
		cmocka_unit_test(a_query_ends_at_its_deadline),
		cmocka_unit_test(a_query_ends_when_its_client_is_gone),
		cmocka_unit_test(more_hosts_than_there_is_room_for_end_the_query),
		// these change the store, so they have one of their own
		cmocka_unit_test_setup_teardown(
			whole_sealed_hours_are_answered_without_a_scan, set_up, tear_down
		),
		cmocka_unit_test_setup_teardown(sealing_changes_no_answer, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
