// SPDX-License-Identifier: Apache-2.0
#include "collector/store/rollup.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/naive.h"

#include <errno.h>

struct fixture {
	struct rollup *rollup;
	struct naive naive;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_int_equal(rollup_create(&f->rollup), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	rollup_free(f->rollup);
	free(f);
	return 0;
}

// Rows of several hours, in no order.
static struct record_batch *random_rows(uint32_t n)
{
	struct record_batch *b = record_batch_create(n);
	for (uint32_t i = 0; i < n; i++) {
		struct record r = rows_record(ROWS_HOUR + (uint32_t)rows_below(9));
		if (i % 16 == 0)
			r.dst = r.src; // a flow of a host to itself
		assert_int_equal(record_batch_add(b, &r), 0);
	}
	return b;
}

static void sums_are_those_of_the_rows(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 5; i++) {
		struct record_batch *b = random_rows(1000);
		assert_int_equal(rollup_add_batch(f->rollup, b, 0, UINT64_MAX), 0);
		naive_add_batch(&f->naive, b, 0, UINT64_MAX);
		naive_check(&f->naive, f->rollup);
		record_batch_free(b);
	}
}

static void only_rows_that_start_in_the_window_count(void **state)
{
	struct fixture *f = *state;
	struct record_batch *b = random_rows(1000);
	const uint64_t *start = RECORD_COLUMN(b, start_ns);
	for (int i = 0; i < 10; i++) {
		// Both ends are of rows: they are included.
		uint64_t from = start[rows_below(1000)], to = start[rows_below(1000)];
		assert_int_equal(rollup_add_batch(f->rollup, b, from, to), 0);
		naive_add_batch(&f->naive, b, from, to);
		naive_check(&f->naive, f->rollup);
	}
	record_batch_free(b);
}

static void rows_without_columns_count_as_zeros(void **state)
{
	struct fixture *f = *state;
	struct record_batch *b = record_batch_create(3);
	struct record r = {0};
	for (int i = 0; i < 3; i++)
		assert_int_equal(record_batch_add(b, &r), 0);
	assert_int_equal(rollup_add_batch(f->rollup, b, 0, 0), 0);
	naive_add_batch(&f->naive, b, 0, 0);
	naive_check(&f->naive, f->rollup);
	record_batch_free(b);
}

static void add_all(struct rollup *into, const struct rollup *from)
{
	struct rollup_host *hosts = calloc(NAIVE_HOSTS, sizeof(*hosts));
	struct rollup_port *ports = calloc(NAIVE_PORTS, sizeof(*ports));
	struct rollup_proto protos[256];
	struct rollup_hour hours[NAIVE_HOURS];
	struct rollup_totals t = rollup_totals(from);
	uint64_t denied = t.denied;
	size_t n = rollup_hours(from, hours, NAIVE_HOURS);
	for (size_t i = 0; i < n; i++) {
		t = (struct rollup_totals
		){hours[i].flows, hours[i].packets, hours[i].bytes, i ? 0 : denied};
		assert_int_equal(rollup_add_totals(into, hours[i].hour, &t), 0);
	}
	n = rollup_hosts(from, ROLLUP_BY_IN_BYTES, hosts, NAIVE_HOSTS);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(rollup_add_host(into, &hosts[i]), 0);
	n = rollup_hosts(from, ROLLUP_BY_KEY, hosts, NAIVE_HOSTS);
	for (size_t i = 0; i < n; i++) {
		if (hosts[i].in_flows == 0) // not among those that received
			assert_int_equal(rollup_add_host(into, &hosts[i]), 0);
	}
	n = rollup_ports(from, ROLLUP_BY_BYTES, ports, NAIVE_PORTS);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(rollup_add_port(into, &ports[i]), 0);
	n = rollup_protos(from, ROLLUP_BY_BYTES, protos, 256);
	for (size_t i = 0; i < n; i++)
		rollup_add_proto(into, &protos[i]);
	free(hosts);
	free(ports);
}

// As a query does: stored tables and scanned rows, in any mixture.
static void finished_sums_and_rows_add_up(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 6; i++) {
		struct record_batch *b = random_rows(500);
		struct rollup *part = f->rollup;
		if (i % 2)
			assert_int_equal(rollup_create(&part), 0);
		assert_int_equal(rollup_add_batch(part, b, 0, UINT64_MAX), 0);
		naive_add_batch(&f->naive, b, 0, UINT64_MAX);
		if (i % 2) {
			add_all(f->rollup, part);
			rollup_free(part);
		}
		record_batch_free(b);
	}
	naive_check(&f->naive, f->rollup);
}

static int cmp_falling(uint64_t l, uint64_t r)
{
	return l > r ? -1 : l < r;
}

static int cmp_out(const void *left, const void *right)
{
	const struct rollup_host *l = left, *r = right;
	int c = cmp_falling(l->out_bytes, r->out_bytes);
	return c ? c : addr_cmp(&l->addr, &r->addr);
}

static int cmp_in(const void *left, const void *right)
{
	const struct rollup_host *l = left, *r = right;
	int c = cmp_falling(l->in_bytes, r->in_bytes);
	return c ? c : addr_cmp(&l->addr, &r->addr);
}

static int cmp_key(const void *left, const void *right)
{
	const struct rollup_host *l = left, *r = right;
	return addr_cmp(&l->addr, &r->addr);
}

static void check_hosts(
	struct fixture *f, enum rollup_order by, int (*cmp)(const void *left, const void *right)
)
{
	struct rollup_host *want = calloc(NAIVE_HOSTS, sizeof(*want));
	struct rollup_host *got = calloc(NAIVE_HOSTS, sizeof(*got));
	size_t n = 0;
	for (size_t i = 0; i < f->naive.n_hosts; i++) {
		const struct rollup_host *h = &f->naive.hosts[i];
		bool in = by == ROLLUP_BY_OUT_BYTES ? h->out_flows : h->in_flows;
		if (in || by == ROLLUP_BY_KEY)
			want[n++] = *h;
	}
	qsort(want, n, sizeof(*want), cmp);
	assert_int_equal(rollup_hosts(f->rollup, by, NULL, 0), n);
	for (size_t cap = 0; cap < n + 3; cap += cap < 12 ? 1 : 97) {
		size_t n_got = rollup_hosts(f->rollup, by, got, cap);
		assert_int_equal(n_got, cap < n ? cap : n);
		if (n_got)
			assert_memory_equal(got, want, n_got * sizeof(*got));
	}
	free(want);
	free(got);
}

static void hosts_come_in_the_order_asked_for(void **state)
{
	struct fixture *f = *state;
	struct record_batch *b = random_rows(1500);
	assert_int_equal(rollup_add_batch(f->rollup, b, 0, UINT64_MAX), 0);
	naive_add_batch(&f->naive, b, 0, UINT64_MAX);
	check_hosts(f, ROLLUP_BY_OUT_BYTES, cmp_out);
	check_hosts(f, ROLLUP_BY_IN_BYTES, cmp_in);
	check_hosts(f, ROLLUP_BY_KEY, cmp_key);
	record_batch_free(b);
}

// Whether two neighbours may stand so: by what is asked for, ties by key.
static bool
port_order(const struct rollup_port *l, const struct rollup_port *r, enum rollup_order by)
{
	int c = 0;
	if (by == ROLLUP_BY_FLOWS)
		c = cmp_falling(l->flows, r->flows);
	if (by == ROLLUP_BY_BYTES)
		c = cmp_falling(l->bytes, r->bytes);
	if (c)
		return c < 0;
	return l->proto != r->proto ? l->proto < r->proto : l->port < r->port;
}

static bool
proto_order(const struct rollup_proto *l, const struct rollup_proto *r, enum rollup_order by)
{
	int c = 0;
	if (by == ROLLUP_BY_FLOWS)
		c = cmp_falling(l->flows, r->flows);
	if (by == ROLLUP_BY_BYTES)
		c = cmp_falling(l->bytes, r->bytes);
	return c ? c < 0 : l->proto < r->proto;
}

static void ports_and_protocols_come_in_the_order_asked_for(void **state)
{
	static const enum rollup_order orders[] = {ROLLUP_BY_KEY, ROLLUP_BY_FLOWS, ROLLUP_BY_BYTES};
	struct fixture *f = *state;
	struct record_batch *b = random_rows(3000);
	struct rollup_port all[NAIVE_PORTS], some[10];
	struct rollup_proto protos[256];
	assert_int_equal(rollup_add_batch(f->rollup, b, 0, UINT64_MAX), 0);
	for (int o = 0; o < 3; o++) {
		size_t n = rollup_ports(f->rollup, orders[o], all, NAIVE_PORTS);
		assert_int_equal(rollup_ports(f->rollup, orders[o], NULL, 0), n);
		assert_true(n > 100);
		for (size_t i = 1; i < n; i++)
			assert_true(port_order(&all[i - 1], &all[i], orders[o]));
		assert_int_equal(rollup_ports(f->rollup, orders[o], some, 10), 10);
		assert_memory_equal(some, all, sizeof(some));
		n = rollup_protos(f->rollup, orders[o], protos, 256);
		assert_int_equal(rollup_protos(f->rollup, orders[o], NULL, 0), n);
		assert_int_equal(n, 8);
		for (size_t i = 1; i < n; i++)
			assert_true(proto_order(&protos[i - 1], &protos[i], orders[o]));
	}
	record_batch_free(b);
}

static void hours_come_ascending(void **state)
{
	struct fixture *f = *state;
	struct record_batch *b = random_rows(500);
	struct rollup_hour hours[4];
	assert_int_equal(rollup_add_batch(f->rollup, b, 0, UINT64_MAX), 0);
	assert_int_equal(rollup_hours(f->rollup, NULL, 0), 9);
	assert_int_equal(rollup_hours(f->rollup, hours, 4), 4);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(hours[i].hour, ROWS_HOUR + i);
	record_batch_free(b);
}

static void hosts_beyond_the_cap_are_refused(void **state)
{
	struct record_batch *b = random_rows(1000);
	struct rollup_host h = {.out_flows = 1};
	struct rollup *r;
	(void)state;
	assert_int_equal(rollup_create_capped(10, &r), 0);
	assert_int_equal(rollup_add_batch(r, b, 0, UINT64_MAX), -ENOMEM);
	assert_int_equal(rollup_n_hosts(r), 10);
	h.addr.b[0] = 0xfe; // not in the rows
	assert_int_equal(rollup_add_host(r, &h), -ENOMEM);
	rollup_free(r);
	rollup_free(NULL);
	record_batch_free(b);
}

static void an_empty_rollup_says_nothing(void **state)
{
	struct fixture *f = *state;
	struct rollup_host host;
	struct rollup_port port;
	naive_check(&f->naive, f->rollup);
	assert_int_equal(rollup_hosts(f->rollup, ROLLUP_BY_OUT_BYTES, &host, 1), 0);
	assert_int_equal(rollup_ports(f->rollup, ROLLUP_BY_FLOWS, &port, 1), 0);
	assert_int_equal(rollup_hours(f->rollup, NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(sums_are_those_of_the_rows),
		TEST(only_rows_that_start_in_the_window_count),
		TEST(rows_without_columns_count_as_zeros),
		TEST(finished_sums_and_rows_add_up),
		TEST(hosts_come_in_the_order_asked_for),
		TEST(ports_and_protocols_come_in_the_order_asked_for),
		TEST(hours_come_ascending),
		TEST(hosts_beyond_the_cap_are_refused),
		TEST(an_empty_rollup_says_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
