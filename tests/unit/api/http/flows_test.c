// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/api/http/app.h"

#define PATH "/mbox/api/netflow/flows"
#define HOUR "start=2025/11/24 16:00&end=2025/11/24 16:59" // ROWS_HOUR

struct row {
	uint64_t start_ms, lasted_ns;
	const char *src, *dst;
	uint8_t proto, icmp_type, icmp_code;
	uint16_t sport, dport, flags, rev_flags;
	uint64_t packets, bytes, rev_packets, rev_bytes;
};

static void commit_rows(struct app_fixture *f, const struct row *rows, uint32_t n)
{
	struct record_batch *b = record_batch_create(n);
	assert_non_null(b);
	for (uint32_t i = 0; i < n; i++) {
		const struct row *row = &rows[i];
		struct record r = {};
		struct addr src, dst;
		assert_int_equal(addr_parse(row->src, &src), 0);
		assert_int_equal(addr_parse(row->dst, &dst), 0);
		RECORD_SET(&r, start_ns, store_hour_start(ROWS_HOUR) + row->start_ms * NS_PER_MSEC);
		RECORD_SET(&r, end_ns, r.start_ns + row->lasted_ns);
		RECORD_SET(&r, src, src);
		RECORD_SET(&r, dst, dst);
		RECORD_SET(&r, proto, row->proto);
		RECORD_SET(&r, sport, row->sport);
		RECORD_SET(&r, dport, row->dport);
		RECORD_SET(&r, icmp_type, row->icmp_type);
		RECORD_SET(&r, icmp_code, row->icmp_code);
		RECORD_SET(&r, tcp_flags, row->flags);
		RECORD_SET(&r, rev_tcp_flags, row->rev_flags);
		RECORD_SET(&r, packets, row->packets);
		RECORD_SET(&r, bytes, row->bytes);
		RECORD_SET(&r, rev_packets, row->rev_packets);
		RECORD_SET(&r, rev_bytes, row->rev_bytes);
		RECORD_SET(&r, verdict, (uint8_t)record_verdict(&r));
		assert_int_equal(record_batch_add(b, &r), 0);
	}
	app_commit(f, b);
}

// What a single row looks like.
static void check_row(struct app_fixture *f, const struct row *row, const char *want)
{
	app_open_store(f);
	commit_rows(f, row, 1);
	assert_int_equal(app_get(f, PATH, HOUR), 200);
	assert_int_equal(json_integer_value(app_result(f, "total")), 1);
	app_check_json(json_array_get(app_result(f, "flows"), 0), want);
}

static void numbers_are_text_as_clients_expect(void **state)
{
	static const struct row row = {
		.start_ms = 3585000,
		.lasted_ns = 120 * NS_PER_MSEC,
		.src = "10.65.30.2",
		.dst = "8.8.8.8",
		.proto = 17,
		.sport = 45123,
		.dport = 53,
		.packets = 2,
		.bytes = 128};
	check_row(
		*state,
		&row,
		"{'ts': '2025-11-24 16:59:45', 'src_ip': '10.65.30.2', 'dst_ip': '8.8.8.8',"
		" 'dst_fqdn': '', 'src_port': '45123', 'dst_port': '53', 'proto': 'UDP',"
		" 'flags': '......', 'packets': '2', 'bytes': '128', 'duration': '0.120',"
		" 'verdict': 'Allow', 'rev_packets': '0', 'rev_bytes': '0',"
		" 'rev_flags': '......'}"
	);
}

static void both_directions_count_and_what_went_back_stands_beside(void **state)
{
	static const struct row row = {
		.lasted_ns = 61244600000,
		.src = "2001:db8::1",
		.dst = "2001:db8::2",
		.proto = 6,
		.sport = 1,
		.dport = 65535,
		.flags = TCP_SYN | TCP_ACK | TCP_PSH,
		.rev_flags = TCP_RST | TCP_ACK,
		.packets = 10,
		.bytes = 1000,
		.rev_packets = 7,
		.rev_bytes = 18000000000000000000ull};
	check_row(
		*state,
		&row,
		"{'ts': '2025-11-24 16:00:00', 'src_ip': '2001:db8::1', 'dst_ip': '2001:db8::2',"
		" 'dst_fqdn': '', 'src_port': '1', 'dst_port': '65535', 'proto': 'TCP',"
		" 'flags': '.AP.S.', 'packets': '17', 'bytes': '18000000000000001000',"
		" 'duration': '61.245', 'verdict': 'Deny', 'rev_packets': '7',"
		" 'rev_bytes': '18000000000000000000', 'rev_flags': '.A.R..'}"
	);
}

static void icmp_has_its_type_and_code_as_port(void **state)
{
	static const struct row row = {
		.src = "192.0.2.1",
		.dst = "192.0.2.2",
		.proto = 1,
		.sport = 99, // of an exporter that puts something here
		.icmp_type = 3,
		.icmp_code = 13,
		.packets = 1,
		.bytes = 56};
	struct app_fixture *f = *state;
	app_open_store(f);
	commit_rows(f, &row, 1);
	assert_int_equal(app_get(f, PATH, HOUR), 200);
	const json_t *flow = json_array_get(app_result(f, "flows"), 0);
	assert_string_equal(json_string_value(json_object_get(flow, "proto")), "ICMP");
	assert_string_equal(json_string_value(json_object_get(flow, "src_port")), "0");
	assert_string_equal(json_string_value(json_object_get(flow, "dst_port")), "781");
	assert_string_equal(json_string_value(json_object_get(flow, "duration")), "0.000");
}

static void the_newest_come_first_and_no_more_than_asked_for(void **state)
{
	static const struct {
		const char *limit;
		size_t want;
	} cases[] = {
		{"", 200},
		{"&limit=1", 1},
		{"&limit=50", 50},
		{"&limit=200", 200},
		{"&limit=9999", 200}};
	struct app_fixture *f = *state;
	char query[128];
	app_open_store(f);
	app_commit(f, rows_batch(0, ROWS_HOUR, 300));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(query, sizeof(query), "%s%s", HOUR, cases[i].limit);
		assert_int_equal(app_get(f, PATH, query), 200);
		const json_t *flows = app_result(f, "flows");
		assert_int_equal(json_array_size(flows), cases[i].want);
		assert_int_equal(json_integer_value(app_result(f, "total")), cases[i].want);
		const char *last = "9999";
		for (size_t k = 0; k < cases[i].want; k++) {
			const char *ts =
				json_string_value(json_object_get(json_array_get(flows, k), "ts"));
			assert_true(strcmp(ts, last) <= 0);
			last = ts;
		}
	}
}

static void a_window_without_rows_is_no_error(void **state)
{
	struct app_fixture *f = *state;
	app_open_store(f);
	assert_int_equal(app_get(f, PATH, HOUR), 200);
	app_check_json(app_result(f, ""), "{'flows': [], 'total': 0}");
	app_commit(f, rows_batch(0, ROWS_HOUR + 1, 5));
	usleep(SOURCE_MAX_AGE_NS / NS_PER_USEC);
	assert_int_equal(app_get(f, PATH, HOUR), 200);
	app_check_json(app_result(f, ""), "{'flows': [], 'total': 0}");
}

static void faults_of_the_query_are_named(void **state)
{
	static const char *const faults[][2] = {
		{"", "'start'"},
		{"start=2025/11/24 16:00", "'end'"},
		{"start=yesterday&end=2025/11/24 16:59", "'start'"},
		{"start=2025/11/24 17:00&end=2025/11/24 16:59", "'start' is after 'end'"},
		{HOUR "&limit=0", "'limit'"},
		{HOUR "&limit=1e3", "'limit'"},
		{HOUR "&limit=", "'limit'"},
		{HOUR "&limit=1&limit=2", "'limit'"}};
	struct app_fixture *f = *state;
	app_open_store(f);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		assert_int_equal(app_get(f, PATH, faults[i][0]), 400);
		assert_non_null(strstr(app_error(f), faults[i][1]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_set_up, app_tear_down)
		TEST(numbers_are_text_as_clients_expect),
		TEST(both_directions_count_and_what_went_back_stands_beside),
		TEST(icmp_has_its_type_and_code_as_port),
		TEST(the_newest_come_first_and_no_more_than_asked_for),
		TEST(a_window_without_rows_is_no_error),
		TEST(faults_of_the_query_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
