// SPDX-License-Identifier: Apache-2.0
#include "api/query/group.h"
#include "tests/unit/api/query/held.h"

#include <errno.h>

static struct cell_columns by_of(const char *list)
{
	struct cell_columns c;
	char bad[CELL_NAME_LEN];
	if (cell_groups_parse(list, GROUP_COLUMNS_MAX, &c, bad) < 0)
		fail_msg("%s: %s", list, bad);
	return c;
}

static struct groups *run_groups(struct held *h, const char *list, uint64_t step_ns)
{
	struct cell_columns by = by_of(list);
	struct groups *g = NULL;
	struct walk_counts counts;
	struct run run = held_run(h);
	assert_int_equal(groups_create(&by, step_ns, 16 << 20, &g), 0);
	assert_int_equal(groups_run(g, &run, NULL, &counts), 0);
	assert_int_equal(counts.passed, h->all->n_rows);
	assert_int_equal(groups_total(g).v[GROUP_FLOWS], h->all->n_rows);
	return g;
}

// What the rows of a condition add up to.
static struct group_sums
naive(const struct held *h, bool (*is_in)(const struct record *, const void *), const void *arg)
{
	struct group_sums s = {};
	for (uint32_t i = 0; i < h->all->n_rows; i++) {
		struct record r;
		record_batch_get(h->all, i, &r);
		if (!is_in(&r, arg))
			continue;
		s.v[GROUP_FLOWS]++;
		s.v[GROUP_PACKETS] += r.packets + r.rev_packets;
		s.v[GROUP_BYTES] += r.bytes + r.rev_bytes;
		s.v[GROUP_DENIED] += r.verdict == VERDICT_DENY;
	}
	return s;
}

struct want {
	struct cell first, second;
	uint64_t bucket;
};

static bool is_of_src_proto(const struct record *r, const void *arg)
{
	const struct want *w = arg;
	return addr_eq(&r->src, &w->first.addr) && r->proto == w->second.number;
}

static void groups_are_what_their_rows_add_up_to(void **state)
{
	struct held *h = *state;
	struct groups *g = run_groups(h, "src_ip,proto", 0);
	size_t n;
	const struct group_row *rows = groups_largest(g, GROUP_BYTES, SIZE_MAX, &n);
	uint64_t flows = 0;
	for (size_t i = 0; i < groups_count(g); i++) {
		struct want w = {groups_cell(g, &rows[i], 0), groups_cell(g, &rows[i], 1), 0};
		struct group_sums want = naive(h, is_of_src_proto, &w);
		assert_memory_equal(&rows[i].sums, &want, sizeof(want));
		assert_true(
			i == 0 || rows[i].sums.v[GROUP_BYTES] <= rows[i - 1].sums.v[GROUP_BYTES]
		);
		flows += want.v[GROUP_FLOWS];
	}
	assert_int_equal(flows, h->all->n_rows);
	groups_free(g);
}

static void the_largest_are_those_of_all(void **state)
{
	struct held *h = *state;
	static const size_t limits[] = {0, 1, 2, 7, 50, 100000};
	for (size_t k = 0; k < sizeof(limits) / sizeof(limits[0]); k++) {
		struct groups *all = run_groups(h, "src_ip,dst_port", 0);
		struct groups *some = run_groups(h, "src_ip,dst_port", 0);
		size_t n_all, n;
		const struct group_row *want = groups_largest(all, GROUP_FLOWS, SIZE_MAX, &n_all);
		const struct group_row *got = groups_largest(some, GROUP_FLOWS, limits[k], &n);
		assert_int_equal(n, limits[k] < n_all ? limits[k] : n_all);
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(got[i].key_len, want[i].key_len);
			assert_memory_equal(got[i].key, want[i].key, got[i].key_len);
			assert_memory_equal(&got[i].sums, &want[i].sums, sizeof(got[i].sums));
		}
		groups_free(all);
		groups_free(some);
	}
}

static bool is_at_either_end(const struct record *r, const void *arg)
{
	const struct want *w = arg;
	return addr_eq(&r->src, &w->first.addr) || addr_eq(&r->dst, &w->first.addr);
}

static void a_row_counts_at_both_ends_and_once_where_they_are_one(void **state)
{
	struct held *h = *state;
	struct record_batch *b = record_batch_create(1);
	struct record r = rows_record(ROWS_HOUR);
	r.dst = r.src;
	assert_int_equal(record_batch_add(b, &r), 0);
	held_commit(h, b);
	held_look(h);
	struct groups *g = run_groups(h, "ip", 0);
	size_t n;
	const struct group_row *rows = groups_largest(g, GROUP_FLOWS, SIZE_MAX, &n);
	for (size_t i = 0; i < groups_count(g); i++) {
		struct want w = {.first = groups_cell(g, &rows[i], 0)};
		struct group_sums want = naive(h, is_at_either_end, &w);
		assert_memory_equal(&rows[i].sums, &want, sizeof(want));
	}
	groups_free(g);
}

static bool is_of_name_hour(const struct record *r, const void *arg)
{
	const struct want *w = arg;
	return r->start_ns / NS_PER_HOUR == w->bucket && r->server_name.len == w->first.text.len &&
	       (!r->server_name.len ||
		memcmp(r->server_name.p, w->first.text.p, r->server_name.len) == 0);
}

static void steps_are_groups_too(void **state)
{
	struct held *h = *state;
	struct groups *g = run_groups(h, "server_name", NS_PER_HOUR);
	const struct group_row *rows = groups_by_key(g);
	assert_int_equal(groups_count(g), 4 * 3); // names, hours
	for (size_t i = 0; i < groups_count(g); i++) {
		struct want w = {.first = groups_cell(g, &rows[i], 0), .bucket = rows[i].bucket};
		struct group_sums want = naive(h, is_of_name_hour, &w);
		assert_memory_equal(&rows[i].sums, &want, sizeof(want));
		assert_int_equal(rows[i].bucket, ROWS_HOUR + i % 3);
	}
	groups_free(g);
}

static bool is_v4_of_net(const struct record *r, const void *arg)
{
	const struct want *w = arg;
	return addr_is_v4(&r->src) && addr_is_v4(&w->first.addr) &&
	       memcmp(r->src.b, w->first.addr.b, 15) == 0;
}

static bool is_of_src(const struct record *r, const void *arg)
{
	return addr_eq(&r->src, &((const struct want *)arg)->first.addr);
}

static bool is_of_proto(const struct record *r, const void *arg)
{
	return r->proto == ((const struct want *)arg)->first.number;
}

// These have a place for each value instead of a hash.
static void groups_of_one_column_are_the_same(void **state)
{
	struct held *h = *state;
	for (int k = 0; k < 2; k++) {
		struct groups *g = run_groups(h, k ? "proto" : "src_ip", 0);
		const struct group_row *rows = groups_by_key(g);
		for (size_t i = 0; i < groups_count(g); i++) {
			struct want w = {.first = groups_cell(g, &rows[i], 0)};
			struct group_sums want = naive(h, k ? is_of_proto : is_of_src, &w);
			assert_memory_equal(&rows[i].sums, &want, sizeof(want));
		}
		groups_free(g);
	}
}

static void threads_change_nothing(void **state)
{
	static const char *const lists[] = {
		"src_ip", "dst_port", "ip", "src_ip,dst_ip", "proto_name"};
	struct held *h = *state;
	for (size_t k = 0; k < sizeof(lists) / sizeof(*lists); k++) {
		walk_set_threads(1);
		struct groups *one = run_groups(h, lists[k], k % 2 ? NS_PER_SEC : 0);
		walk_set_threads(4);
		struct groups *four = run_groups(h, lists[k], k % 2 ? NS_PER_SEC : 0);
		walk_set_threads(0);
		const struct group_row *want = groups_by_key(one), *got = groups_by_key(four);
		assert_int_equal(groups_count(four), groups_count(one));
		for (size_t i = 0; i < groups_count(one); i++) {
			assert_int_equal(got[i].bucket, want[i].bucket);
			assert_int_equal(got[i].key_len, want[i].key_len);
			assert_memory_equal(got[i].key, want[i].key, want[i].key_len);
			assert_memory_equal(&got[i].sums, &want[i].sums, sizeof(want[i].sums));
		}
		groups_free(one);
		groups_free(four);
	}
}

static void addresses_may_be_cut_to_networks(void **state)
{
	struct held *h = *state;
	struct groups *g = run_groups(h, "src_ip/24/48", 0);
	size_t n;
	const struct group_row *rows = groups_largest(g, GROUP_BYTES, SIZE_MAX, &n);
	assert_int_equal(groups_count(g), 2 + 3); // 10.0.{0,1}.0/24, 2001:db8:{0,1,2}::/48
	for (size_t i = 0; i < groups_count(g); i++) {
		struct want w = {.first = groups_cell(g, &rows[i], 0)};
		struct group_sums want = naive(h, is_v4_of_net, &w);
		if (addr_is_v4(&w.first.addr))
			assert_memory_equal(&rows[i].sums, &want, sizeof(want));
	}
	groups_free(g);
}

static void memory_is_bounded(void **state)
{
	struct held *h = *state;
	struct cell_columns by = by_of("src_ip,dst_ip,src_port,bytes,received,server_name");
	struct walk_counts counts;
	struct groups *g = NULL;
	struct run run = held_run(h);
	assert_int_equal(groups_create(&by, 0, 300000, &g), 0);
	assert_int_equal(groups_run(g, &run, NULL, &counts), -E2BIG);
	groups_free(g);
}

static void columns_are_known_or_named(void **)
{
	static const struct {
		const char *list, *bad;
	} wrong[] = {
		{"", ""},
		{"colour", "colour"},
		{"src_ip,", ""},
		{"src_ip,src_ip", "src_ip"},
		{"ip,port", "port"},
		{"proto/8", "proto/8"},
		{"src_ip/33", "src_ip/33"},
		{"src_ip/", "src_ip/"},
		{"src_ip/24/129", "src_ip/24/129"},
		{"src_ip/24x", "src_ip/24x"},
		{"proto,src_port,dst_port,tos,vlan,in_if,out_if,src_as,dst_as", "dst_as"},
		{"a_name_that_is_much_too_long_for_any", "a_name_that_is_much_too_long_fo"},
	};
	struct cell_columns c;
	char bad[CELL_NAME_LEN];
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(
			cell_groups_parse(wrong[i].list, GROUP_COLUMNS_MAX, &c, bad), -EINVAL
		);
		assert_string_equal(bad, wrong[i].bad);
	}
	assert_int_equal(cell_columns_parse("ip", &c, bad), -EINVAL); // of groups only
	assert_int_equal(cell_columns_parse("src_ip/24", &c, bad), -EINVAL);
	for (int f = 0; f < RECORD_N_FIELDS; f++) {
		assert_int_equal(cell_columns_parse(record_fields[f].name, &c, bad), 0);
		assert_true(cell_columns_fields(&c) == 1ull << f);
	}
}

static void values_are_written_safely(void **)
{
	static const struct {
		const char *column, *text, *json, *csv;
	} cases[] = {
		{"server_name", "plain.example", "\"plain.example\"", "plain.example"},
		{"server_name", "a\"b,\\\n", "\"a\\\"b,\\\\\\u000a\"", "\"a\"\"b,\\\n\""},
		{"server_name", "=1+1", "\"=1+1\"", "\"'=1+1\""},
		{"server_name",
		 "\xff\xc3\xa4\x7f",
		 "\"\\ufffd\xc3\xa4\\u007f\"",
		 "\xff\xc3\xa4\x7f"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cell_columns c;
		char bad[CELL_NAME_LEN], *got = NULL;
		size_t len;
		assert_int_equal(cell_columns_parse(cases[i].column, &c, bad), 0);
		struct cell v = {.text = {cases[i].text, (uint16_t)strlen(cases[i].text)}};
		FILE *out = open_memstream(&got, &len);
		cell_print_json(out, &c.c[0], &v);
		putc('|', out);
		cell_print_csv(out, &c.c[0], &v);
		fclose(out);
		char want[128];
		snprintf(want, sizeof(want), "%s|%s", cases[i].json, cases[i].csv);
		assert_string_equal(got, want);
		free(got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			groups_are_what_their_rows_add_up_to, held_set_up, held_tear_down
		),
		cmocka_unit_test_setup_teardown(
			a_row_counts_at_both_ends_and_once_where_they_are_one,
			held_set_up,
			held_tear_down
		),
		cmocka_unit_test_setup_teardown(
			the_largest_are_those_of_all, held_set_up, held_tear_down
		),
		cmocka_unit_test_setup_teardown(steps_are_groups_too, held_set_up, held_tear_down),
		cmocka_unit_test_setup_teardown(
			addresses_may_be_cut_to_networks, held_set_up, held_tear_down
		),
		cmocka_unit_test_setup_teardown(
			groups_of_one_column_are_the_same, held_set_up, held_tear_down
		),
		cmocka_unit_test_setup_teardown(
			threads_change_nothing, held_set_up, held_tear_down
		),
		cmocka_unit_test_setup_teardown(memory_is_bounded, held_set_up, held_tear_down),
		cmocka_unit_test(columns_are_known_or_named),
		cmocka_unit_test(values_are_written_safely),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
