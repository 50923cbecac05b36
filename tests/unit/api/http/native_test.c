// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/api/http/app.h"

#define V1 "/api/v1/"
#define HOUR "start=2025-11-24T16:00:00Z&end=2025-11-24T17:00:00Z" // ROWS_HOUR

static struct record visit(const char *src, const char *dst, uint64_t start_ms, uint64_t bytes)
{
	struct record r = {};
	assert_int_equal(addr_parse(src, &r.src), 0);
	assert_int_equal(addr_parse(dst, &r.dst), 0);
	r.set |= RECORD_BIT(src) | RECORD_BIT(dst);
	RECORD_SET(&r, start_ns, store_hour_start(ROWS_HOUR) + start_ms * NS_PER_MSEC);
	RECORD_SET(&r, end_ns, r.start_ns + 1500 * NS_PER_MSEC);
	RECORD_SET(&r, proto, 6);
	RECORD_SET(&r, sport, 40000);
	RECORD_SET(&r, dport, 443);
	RECORD_SET(&r, tcp_flags, TCP_RST | TCP_ACK);
	RECORD_SET(&r, packets, 3);
	RECORD_SET(&r, bytes, bytes);
	RECORD_SET(&r, rev_bytes, 50);
	RECORD_SET(&r, server_name, ((struct record_str){"www.example.net", 15}));
	RECORD_SET(&r, verdict, (uint8_t)record_verdict(&r));
	return r;
}

static int set_up(void **state)
{
	app_set_up(state);
	struct app_fixture *f = *state;
	app_open_store(f);
	struct record_batch *b = record_batch_create(3);
	struct record rows[] = {
		visit("10.0.0.1", "192.0.2.80", 1000, 1000),
		visit("2001:db8::1", "2001:db8::80", 61000, 500),
		visit("10.0.0.1", "192.0.2.81", 62000, 100),
	};
	for (int i = 0; i < 3; i++)
		assert_int_equal(record_batch_add(b, &rows[i]), 0);
	app_commit(f, b);
	return 0;
}

static void get(struct app_fixture *f, const char *resource, const char *query, int status)
{
	char path[64];
	snprintf(path, sizeof(path), V1 "%s", resource);
	int got = app_get(f, path, query);
	if (got != status)
		fail_msg("%s?%s: %d %s", resource, query, got, f->response.body);
}

static void a_row_is_to_the_letter(void **state)
{
	struct app_fixture *f = *state;
	get(f, "flows", HOUR "&filter=ipv6", 200);
	assert_string_equal(f->response.content_type, "application/json");
	app_check_json(
		f->answer,
		"{'flows':[{'start':'2025-11-24T16:01:01.000000000Z',"
		"'end':'2025-11-24T16:01:02.500000000Z','duration_ms':1500,'src_ip':'2001:db8::1',"
		"'src_port':40000,'dst_ip':'2001:db8::80','dst_port':443,'proto':6,"
		"'proto_name':'TCP','flags':'.A.R..','rev_flags':'......','packets':3,'bytes':500,"
		"'rev_packets':0,'rev_bytes':50,'icmp_type':0,'icmp_code':0,"
		"'server_name':'www.example.net','score':0,'verdict':'Deny','exporter':'::'}],"
		"'next':null,'meta':{'start':'2025-11-24T16:00:00Z','end':'2025-11-24T17:00:00Z',"
		"'scanned':3,'matched':1}}"
	);
}

static const char *body_of(struct app_fixture *f, const char *resource, const char *query)
{
	char path[64];
	snprintf(path, sizeof(path), V1 "%s", resource);
	struct request *r = app_request(f, "GET", path);
	struct auth_claims claims = {};
	r->query = query;
	r->query_len = strlen(query);
	r->authorization = f->bearer;
	response_fini(&f->response);
	const struct route *route = route_admit(&f->app, r, &f->response, &claims);
	assert_non_null(route);
	route_run(&f->app, route, r, &claims, &f->response);
	return f->response.body;
}

static void rows_come_as_csv_and_lines_too(void **state)
{
	struct app_fixture *f = *state;
	assert_string_equal(
		body_of(f, "flows", HOUR "&fields=src_ip,bytes&format=csv&limit=2"),
		"src_ip,bytes\r\n10.0.0.1,100\r\n2001:db8::1,500\r\n"
	);
	assert_string_equal(f->response.content_type, "text/csv; charset=utf-8");
	assert_true(*f->response.next_cursor);
	assert_string_equal(
		body_of(f, "flows", HOUR "&fields=bytes&format=jsonl"),
		"{\"bytes\":100}\n{\"bytes\":500}\n{\"bytes\":1000}\n"
	);
	assert_true(!*f->response.next_cursor);
	assert_string_equal(
		body_of(f, "top", HOUR "&by=src_ip&format=csv"),
		"src_ip,flows,packets,bytes,denied\r\n10.0.0.1,2,6,1200,2\r\n"
		"2001:db8::1,1,3,550,1\r\n"
	);
	assert_string_equal(
		body_of(f, "series", HOUR "&step=1m&format=csv&filter=ipv4"),
		"time,flows,packets,bytes,denied\r\n2025-11-24T16:00:00.000000000Z,1,3,1050,1\r\n"
		"2025-11-24T16:01:00.000000000Z,1,3,150,1\r\n"
	);
}

static void top_and_series_are_to_the_letter(void **state)
{
	struct app_fixture *f = *state;
	get(f, "top", HOUR "&by=src_ip/8&limit=1", 200);
	json_object_del(f->answer, "meta");
	app_check_json(
		f->answer,
		"{'top':[{'src_ip/8':'10.0.0.0/8','flows':2,'packets':6,'bytes':1200,'denied':2}],"
		"'groups':2,'total':{'flows':3,'packets':9,'bytes':1750,'denied':3}}"
	);
	get(f,
	    "series",
	    "start=2025-11-24T16:00:00Z&end=2025-11-24T16:02:00Z&step=60&by=src_ip&limit=1",
	    200);
	json_object_del(f->answer, "meta");
	app_check_json(
		f->answer,
		"{'metric':'bytes','step':60,'times':['2025-11-24T16:00:00Z','2025-11-24T16:01:00Z'"
		"],"
		"'series':[{'key':{'src_ip':'10.0.0.1'},'total':1200,'values':[1050,150]},"
		"{'key':null,'total':550,'values':[0,550]}],'groups':2}"
	);
}

static void kpi_counts_what_the_filter_takes(void **state)
{
	struct app_fixture *f = *state;
	get(f, "kpi", HOUR "&filter=ipv4", 200);
	app_check_json(
		json_object_get(f->answer, "kpi"),
		"{'bytes':1200,'packets':6,'flows':2,'denied':2,'mbps':0.0,'hosts':3}"
	);
	get(f, "kpi", HOUR, 200);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(f->answer, "kpi"), "flows")), 3
	);
}

static void faults_are_problems(void **state)
{
	struct app_fixture *f = *state;
	static const struct {
		const char *resource, *query, *detail;
	} cases[] = {
		{"flows", "filter=port 80 or", "filter, column 11: the filter ends here"},
		{"flows", "fields=a", "what is 'a'"},
		{"flows", "limit=0", "from 1 to 10000"},
		{"flows", "limit=-1", "from 1 to 10000"},
		{"flows", "limit=1x", "from 1 to 10000"},
		{"flows", "cursor=7", "not one of ours"},
		{"flows", "format=xml", "one of json, jsonl, csv"},
		{"flows", "start=monday", "a time such as"},
		{"flows", "start=2025-11-25&end=2025-11-24", "not before 'end'"},
		{"top", "by=", "what is ''"},
		{"top", "metric=x", "one of flows, packets, bytes, denied"},
		{"series", "step=1x", "a span such as"},
		{"series", "step=1&start=2025-11-24&end=2025-11-26", "more than 5000"},
		{"kpi", "start=2000-01-01&end=2025-11-24", "above ten years"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		get(f, cases[i].resource, cases[i].query, 400);
		const char *detail = json_string_value(json_object_get(f->answer, "detail"));
		assert_string_equal(f->response.content_type, "application/problem+json");
		if (!detail || !strstr(detail, cases[i].detail))
			fail_msg("%s", f->response.body);
	}
	get(f, "flows", "filter=colour blue", 400);
	assert_int_equal(json_integer_value(json_object_get(f->answer, "column")), 1);
	get(f, "flows", "entity=lentor", 403);
}

static void too_many_groups_are_refused(void **state)
{
	struct app_fixture *f = *state;
	f->config.query_memory = 1000;
	get(f, "top", HOUR, 422);
	get(f, "series", HOUR "&by=src_ip", 422);
}

static void a_user_has_only_so_many_queries_at_a_time(void **state)
{
	struct app_fixture *f = *state;
	assert_int_equal(quota_begin(f->app.quota, APP_API_ID), 0);
	get(f, "flows", HOUR, 200);
	assert_int_equal(quota_begin(f->app.quota, APP_API_ID), 0);
	get(f, "flows", HOUR, 429);
	assert_true(f->response.retry_after_sec > 0);
	get(f, "hits", "", 200); // short ones are not counted
	get(f, "hunts", "", 200);
	assert_int_equal(quota_begin(f->app.quota, "someone else"), 0);
	quota_end(f->app.quota, APP_API_ID);
	get(f, "flows", HOUR, 200);
	get(f, "flows", "limit=0", 400); // gives its place back too
	get(f, "flows", HOUR, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_row_is_to_the_letter, set_up, app_tear_down),
		cmocka_unit_test_setup_teardown(
			rows_come_as_csv_and_lines_too, set_up, app_tear_down
		),
		cmocka_unit_test_setup_teardown(
			top_and_series_are_to_the_letter, set_up, app_tear_down
		),
		cmocka_unit_test_setup_teardown(
			kpi_counts_what_the_filter_takes, set_up, app_tear_down
		),
		cmocka_unit_test_setup_teardown(faults_are_problems, set_up, app_tear_down),
		cmocka_unit_test_setup_teardown(too_many_groups_are_refused, set_up, app_tear_down),
		cmocka_unit_test_setup_teardown(
			a_user_has_only_so_many_queries_at_a_time, set_up, app_tear_down
		),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
