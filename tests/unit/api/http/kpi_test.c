// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/api/http/app.h"

#define PATH "/mbox/api/netflow/kpi"
#define HOUR "start=2025/11/24 16:00&end=2025/11/24 16:59" // ROWS_HOUR

struct row {
	const char *src, *dst;
	uint8_t proto;
	uint16_t dport, flags;
	uint64_t packets, bytes, rev_packets, rev_bytes;
};

static void commit_rows(struct app_fixture *f, const struct row *rows, uint32_t n)
{
	struct record_batch *b = record_batch_create(n);
	assert_non_null(b);
	for (uint32_t i = 0; i < n; i++) {
		struct record r = {};
		struct addr src, dst;
		assert_int_equal(addr_parse(rows[i].src, &src), 0);
		assert_int_equal(addr_parse(rows[i].dst, &dst), 0);
		RECORD_SET(&r, start_ns, store_hour_start(ROWS_HOUR) + i);
		RECORD_SET(&r, src, src);
		RECORD_SET(&r, dst, dst);
		RECORD_SET(&r, proto, rows[i].proto);
		RECORD_SET(&r, dport, rows[i].dport);
		RECORD_SET(&r, tcp_flags, rows[i].flags);
		RECORD_SET(&r, packets, rows[i].packets);
		RECORD_SET(&r, bytes, rows[i].bytes);
		RECORD_SET(&r, rev_packets, rows[i].rev_packets);
		RECORD_SET(&r, rev_bytes, rows[i].rev_bytes);
		RECORD_SET(&r, verdict, (uint8_t)record_verdict(&r));
		assert_int_equal(record_batch_add(b, &r), 0);
	}
	app_commit(f, b);
}

static const struct row few[] = {
	{"10.0.0.1", "10.0.0.2", 6, 443, TCP_SYN | TCP_ACK, 10, 1000000000, 20, 3000000000},
	{"10.0.0.1", "10.0.0.3", 17, 53, 0, 1, 100, 0, 0},
	{"10.0.0.4", "10.0.0.2", 6, 443, TCP_RST, 1, 40, 0, 0},
	{"2001:db8::1", "10.0.0.2", 17, 443, 0, 2, 500, 0, 0},
	{"10.0.0.4", "10.0.0.5", 1, 0, 0, 1, 60, 0, 0},
	{"10.0.0.4", "10.0.0.5", 6, 31337, TCP_RST | TCP_SYN, 1, 300, 0, 0}};

static void all_sums_are_those_of_the_rows(void **state)
{
	struct app_fixture *f = *state;
	app_open_store(f);
	commit_rows(f, few, 6);
	assert_int_equal(app_get(f, PATH, HOUR), 200);
	app_check_json(
		app_result(f, "meta"),
		"{'start': '2025/11/24 16:00', 'end': '2025/11/24 16:59', 'source': 'fallback'}"
	);
	// 4000001000 bytes in 3600 s
	app_check_json(
		app_result(f, "kpi"),
		"{'total_traffic': '3.7 G', 'total_bytes': 4000001000, 'active_flows': 6,"
		" 'avg_throughput_mbps': 8.889, 'denied_flows': 1}"
	);
	// who sent: the answering side of a conversation sent what went back
	app_check_json(
		app_result(f, "top_src"),
		"[{'ip': '10.0.0.2', 'bytes': 3000000000, 'packets': 20, 'flows': 1},"
		" {'ip': '10.0.0.1', 'bytes': 1000000100, 'packets': 11, 'flows': 2},"
		" {'ip': '2001:db8::1', 'bytes': 500, 'packets': 2, 'flows': 1},"
		" {'ip': '10.0.0.4', 'bytes': 400, 'packets': 3, 'flows': 3}]"
	);
	app_check_json(
		app_result(f, "top_dst_ip"),
		"[{'ip': '10.0.0.1', 'bytes': 3000000000, 'packets': 20, 'flows': 1},"
		" {'ip': '10.0.0.2', 'bytes': 1000000540, 'packets': 13, 'flows': 3},"
		" {'ip': '10.0.0.5', 'bytes': 360, 'packets': 2, 'flows': 2},"
		" {'ip': '10.0.0.3', 'bytes': 100, 'packets': 1, 'flows': 1}]"
	);
	// a port of two protocols is one line; ICMP has none
	app_check_json(
		app_result(f, "top_dst"),
		"[{'port': 443, 'label': 'HTTPS', 'flows': 3, 'bytes': 4000000540},"
		" {'port': 53, 'label': 'DNS', 'flows': 1, 'bytes': 100},"
		" {'port': 31337, 'label': '', 'flows': 1, 'bytes': 300}]"
	);
	app_check_json(
		app_result(f, "protocols"),
		"[{'proto': 'TCP', 'proto_num': 6, 'bytes': 4000000340, 'flows': 3, 'pct': 100.0},"
		" {'proto': 'UDP', 'proto_num': 17, 'bytes': 600, 'flows': 2, 'pct': 0.0},"
		" {'proto': 'ICMP', 'proto_num': 1, 'bytes': 60, 'flows': 1, 'pct': 0.0}]"
	);
	app_check_json(
		app_result(f, "timeseries"),
		"[{'timestamp': '2025-11-24T16:00:00Z', 'bytes': 4000001000, 'flows': 6}]"
	);
}

static void sealing_changes_the_source_alone(void **state)
{
	struct app_fixture *f = *state;
	app_open_store(f);
	app_commit(f, rows_batch(0, ROWS_HOUR, 400));
	app_commit(f, rows_batch(0, ROWS_HOUR + 1, 400));
	assert_int_equal(app_get(f, PATH, HOUR), 200);
	json_t *before = json_incref(app_result(f, ""));
	assert_int_equal(store_seal(f->store, 0, true, f->error), 800);
	usleep(SOURCE_MAX_AGE_NS / NS_PER_USEC);
	assert_int_equal(app_get(f, PATH, HOUR), 200);
	json_t *meta = app_result(f, "meta");
	assert_string_equal(json_string_value(json_object_get(meta, "source")), "hourly_cache");
	json_object_set_new(meta, "source", json_string("fallback"));
	assert_true(json_equal(before, app_result(f, "")));
	json_decref(before);
	// an hour that the window cuts is scanned
	assert_int_equal(app_get(f, PATH, "start=2025/11/24 16:00&end=2025/11/24 16:58"), 200);
	assert_string_equal(json_string_value(app_result(f, "meta.source")), "fallback");
}

static void each_hour_of_the_window_has_its_point(void **state)
{
	struct app_fixture *f = *state;
	app_open_store(f);
	app_commit(f, rows_batch(0, ROWS_HOUR, 7));
	app_commit(f, rows_batch(0, ROWS_HOUR + 2, 3));
	assert_int_equal(app_get(f, PATH, "start=2025/11/24 15:30&end=2025/11/24 19:10"), 200);
	const json_t *points = app_result(f, "timeseries");
	static const int flows[] = {0, 7, 0, 3, 0};
	json_int_t bytes = 0;
	assert_int_equal(json_array_size(points), 5);
	for (size_t i = 0; i < 5; i++) {
		const json_t *point = json_array_get(points, i);
		char want[32];
		snprintf(want, sizeof(want), "2025-11-24T%zu:00:00Z", 15 + i);
		assert_string_equal(json_string_value(json_object_get(point, "timestamp")), want);
		assert_int_equal(json_integer_value(json_object_get(point, "flows")), flows[i]);
		bytes += json_integer_value(json_object_get(point, "bytes"));
	}
	assert_int_equal(json_integer_value(app_result(f, "kpi.total_bytes")), bytes);
	assert_int_equal(json_integer_value(app_result(f, "kpi.active_flows")), 10);
}

// Up to ten, each no larger than the one before.
static void check_top(const json_t *list, const char *by)
{
	json_int_t last = INT64_MAX;
	assert_int_equal(json_array_size(list), 10);
	for (size_t i = 0; i < 10; i++) {
		json_int_t v = json_integer_value(json_object_get(json_array_get(list, i), by));
		assert_true(v <= last);
		last = v;
	}
}

static void the_top_lists_have_ten_entries_the_largest_first(void **state)
{
	struct app_fixture *f = *state;
	app_open_store(f);
	app_commit(f, rows_batch(0, ROWS_HOUR, 1000));
	assert_int_equal(app_get(f, PATH, HOUR), 200);
	check_top(app_result(f, "top_src"), "bytes");
	check_top(app_result(f, "top_dst_ip"), "bytes");
	check_top(app_result(f, "top_dst"), "flows");
	const json_t *protos = app_result(f, "protocols");
	double pct = 0;
	for (size_t i = 0; i < json_array_size(protos); i++)
		pct += json_number_value(json_object_get(json_array_get(protos, i), "pct"));
	assert_true(pct > 99.9 && pct < 100.1);
}

static void without_bytes_the_share_is_that_of_the_flows(void **state)
{
	static const struct row rows[] = {
		{.src = "10.0.0.1", .dst = "10.0.0.2", .proto = 6, .dport = 80, .packets = 1},
		{.src = "10.0.0.1", .dst = "10.0.0.2", .proto = 6, .dport = 80, .packets = 1},
		{.src = "10.0.0.1", .dst = "10.0.0.2", .proto = 17, .dport = 53, .packets = 1}};
	struct app_fixture *f = *state;
	app_open_store(f);
	commit_rows(f, rows, 3);
	assert_int_equal(app_get(f, PATH, HOUR), 200);
	app_check_json(
		app_result(f, "protocols"),
		"[{'proto': 'TCP', 'proto_num': 6, 'bytes': 0, 'flows': 2, 'pct': 66.67},"
		" {'proto': 'UDP', 'proto_num': 17, 'bytes': 0, 'flows': 1, 'pct': 33.33}]"
	);
}

static void a_window_without_rows_is_all_zero(void **state)
{
	struct app_fixture *f = *state;
	app_open_store(f);
	assert_int_equal(app_get(f, PATH, HOUR), 200);
	app_check_json(
		app_result(f, ""),
		"{'meta': {'start': '2025/11/24 16:00', 'end': '2025/11/24 16:59',"
		"          'source': 'hourly_cache'},"
		" 'kpi': {'total_traffic': '0', 'total_bytes': 0, 'active_flows': 0,"
		"         'avg_throughput_mbps': 0.0, 'denied_flows': 0},"
		" 'top_src': [], 'top_dst_ip': [], 'top_dst': [], 'protocols': [],"
		" 'timeseries': [{'timestamp': '2025-11-24T16:00:00Z', 'bytes': 0, 'flows': 0}]}"
	);
}

static void windows_are_named_and_bounded(void **state)
{
	static const char *const faults[][2] = {
		{"", "'start'"},
		{"start=2025/11/24 16:00", "'end'"},
		{"start=2025/11/24 17:00&end=2025/11/24 16:59", "'start' is after 'end'"},
		{"start=1970/01/01 00:00&end=2499/12/31 23:59", "ten years"},
		{"start=2010/01/01 00:00&end=2020/01/09 00:00", "ten years"}};
	struct app_fixture *f = *state;
	app_open_store(f);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		assert_int_equal(app_get(f, PATH, faults[i][0]), 400);
		assert_non_null(strstr(app_error(f), faults[i][1]));
	}
	assert_int_equal(app_get(f, PATH, "start=2010/01/01 00:00&end=2019/12/31 23:59"), 200);
	assert_int_equal(json_array_size(app_result(f, "timeseries")), 3652 * 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, app_set_up, app_tear_down)
		TEST(all_sums_are_those_of_the_rows),
		TEST(sealing_changes_the_source_alone),
		TEST(each_hour_of_the_window_has_its_point),
		TEST(the_top_lists_have_ten_entries_the_largest_first),
		TEST(without_bytes_the_share_is_that_of_the_flows),
		TEST(a_window_without_rows_is_all_zero),
		TEST(windows_are_named_and_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
