// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/api/http/app.h"

#define MONTH "module=gettraff&year=2025&month=11" // of ROWS_HOUR

static int set_up(void **state)
{
	static char office[] = "10.0.0.0/8 Office LAN", v6[] = "2001:db8::/32",
		    local[] = "192.0.2.99";
	static char *nets[] = {office, v6}, *open[] = {local};
	app_set_up(state);
	struct app_fixture *f = *state;
	const char *bad;
	f->config.of_networks = (struct config_list){.items = nets, .n = 2};
	f->config.of_open = (struct config_list){.items = open, .n = 1};
	of_free(f->app.of);
	assert_int_equal(of_create(&f->config, &f->app.of, &bad), 0);
	app_open_store(f);
	struct record_batch *b = record_batch_create(3);
	static const struct {
		const char *src, *dst;
		uint64_t bytes, rev_bytes;
	} rows[] = {
		{"10.0.0.5", "192.0.2.80", 100, 5000},
		{"203.0.113.1", "10.0.0.5", 30, 7},
		{"2001:db8::1", "10.0.0.6", 1, 2},
	};
	for (int i = 0; i < 3; i++) {
		struct record r = {};
		RECORD_SET(&r, start_ns, store_hour_start(ROWS_HOUR) + NS_PER_SEC);
		assert_int_equal(addr_parse(rows[i].src, &r.src), 0);
		assert_int_equal(addr_parse(rows[i].dst, &r.dst), 0);
		r.set |= RECORD_BIT(src) | RECORD_BIT(dst);
		RECORD_SET(&r, proto, 6);
		RECORD_SET(&r, sport, 40000);
		RECORD_SET(&r, dport, 443);
		RECORD_SET(&r, bytes, rows[i].bytes);
		RECORD_SET(&r, rev_bytes, rows[i].rev_bytes);
		RECORD_SET(&r, packets, 1);
		RECORD_SET(&r, rev_packets, 1);
		assert_int_equal(record_batch_add(b, &r), 0);
	}
	app_commit(f, b);
	return 0;
}

// Without a token, from an address that may.
static int get(struct app_fixture *f, const char *query)
{
	struct request *r = app_request(f, "GET", "/of/");
	struct auth_claims claims = {};
	r->query = query;
	r->query_len = strlen(query);
	response_fini(&f->response);
	json_decref(f->answer);
	f->answer = NULL;
	const struct route *route = route_admit(&f->app, r, &f->response, &claims);
	if (route)
		route_run(&f->app, route, r, &claims, &f->response);
	if (f->response.status == 200 && strcmp(f->response.content_type, "application/json") == 0)
		f->answer = json_loadb(f->response.body, f->response.body_len, 0, NULL);
	return f->response.status;
}

static void a_month_is_told_for_each_of_our_hosts(void **state)
{
	struct app_fixture *f = *state;
	static const char *const all =
		"{'10.0.0.5':{'dl':'5030','ul':'107'},'10.0.0.6':{'dl':'1','ul':'2'},"
		"'2001:db8::1':{'dl':'2','ul':'1'}}";
	for (int sealed = 0; sealed < 2; sealed++) {
		assert_int_equal(get(f, MONTH), 200);
		app_check_json(f->answer, all);
		assert_int_equal(get(f, MONTH "&ip=10.0.0.5"), 200);
		app_check_json(f->answer, "{'10.0.0.5':{'dl':'5030','ul':'107'}}");
		assert_int_equal(get(f, MONTH "&ip=203.0.113.1"), 200); // not ours, but asked for
		app_check_json(f->answer, "{'203.0.113.1':{'dl':'7','ul':'30'}}");
		assert_int_equal(get(f, MONTH "&ip=10.0.0.7"), 200);
		app_check_json(f->answer, "[]");
		assert_true(store_seal(f->store, UINT64_MAX, true, f->error) >= 0);
	}
	assert_int_equal(get(f, "module=gettraff&year=2025&month=04"), 200);
	app_check_json(f->answer, "[]");
	assert_int_equal(get(f, "module=gettraff&year=&month=&ip="), 200); // this month
}

static void a_graph_is_a_png_of_the_size_asked_for(void **state)
{
	struct app_fixture *f = *state;
	static const char *const periods[] = {
		"",
		"&period=day",
		"&period=hour",
		"&period=24h",
		"&period=48h",
		"&period=week",
		"&period=month",
		"&period=year",
		"&period=explict&from=1763999000&to=1764003600",
		"&dir=S",
		"&dir=R&period=week"};
	for (size_t i = 0; i < sizeof(periods) / sizeof(periods[0]); i++) {
		char query[128];
		snprintf(
			query, sizeof(query), "module=graph&ip=10.0.0.5&w=640&h=0300%s", periods[i]
		);
		assert_int_equal(get(f, query), 200);
		assert_string_equal(f->response.content_type, "image/png");
		static const uint8_t head[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n',
					       0,    0,	  0,   13,  'I',  'H',	'D',  'R',
					       0,    0,	  2,   128, 0,	  0,	1,    44};
		assert_true(f->response.body_len > 100);
		assert_memory_equal(f->response.body, head, sizeof(head));
	}
	assert_int_equal(get(f, "module=graph&ip=2001:db8::1"), 200);
	assert_int_equal(get(f, "module=graph&ip=0.0.0.0"), 200);
}

static void what_is_drawn_can_be_had_as_numbers(void **state)
{
	struct app_fixture *f = *state;
#define SPAN "&period=explict&from=1763999000&to=1764003600&dumpdata=1"
	assert_int_equal(get(f, "module=graph&ip=10.0.0.5" SPAN), 200);
	assert_string_equal(
		f->response.body,
		"time,total,icmp,udp,tcp,mail,dns,vpn,ftp,web,proxy,quic,sip\r\n"
		"1764000000,5030,0,0,5030,0,0,0,0,5000,0,0,0\r\n"
	);
	assert_int_equal(get(f, "module=graph&dir=S&ip=0.0.0.0" SPAN), 200);
	assert_non_null(strstr(f->response.body, "\r\n1764000000,110,0,0,110,0,0,0,0,101,0,0,0\r\n")
	);
}

static void nonsense_is_refused(void **state)
{
	struct app_fixture *f = *state;
	static const char *const queries[] = {
		"module=graph",
		"module=graph&ip=10.0.0",
		"module=graph&ip=10.0.0.5&w=1",
		"module=graph&ip=10.0.0.5&w=5000",
		"module=graph&ip=10.0.0.5&h=abc",
		"module=graph&ip=10.0.0.5&h=100000000",
		"module=graph&ip=10.0.0.5&period=decade",
		"module=graph&ip=10.0.0.5&period=explict",
		"module=graph&ip=10.0.0.5&period=explict&from=1764003600&to=1764000000",
		"module=gettraff&month=13",
		"module=gettraff&month=0",
		"module=gettraff&year=1",
		"module=gettraff&ip=x",
	};
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++)
		if (get(f, queries[i]) != 400)
			fail_msg("%s: %d", queries[i], f->response.status);
	assert_int_equal(get(f, ""), 404);
	assert_int_equal(get(f, "module=rotator"), 404);
}

static void others_need_a_token(void **state)
{
	struct app_fixture *f = *state;
	static const uint8_t stranger[4] = {192, 0, 2, 98};
	struct request *r = app_request(f, "GET", "/of/");
	r->is_forwarded = true;
	r->query = MONTH;
	r->query_len = strlen(MONTH);
	assert_int_equal(app_run(f), 401);
	r->is_forwarded = false;
	r->peer = addr_of_v4(stranger);
	assert_int_equal(app_run(f), 401);
	r->authorization = f->bearer;
	assert_int_equal(app_run(f), 200);
	assert_int_equal(get(f, MONTH "&entity=lentor"), 403); // whatever is open is of netflow
	r = app_request(f, "GET", "/api/v1/flows");
	assert_int_equal(app_run(f), 401);
}

static void networks_that_are_none_are_told(void **)
{
	static char good[] = "10.0.0.0/8", bad_one[] = "10.0.0.0/40 Office",
		    *items[] = {good, bad_one};
	struct api_config config = {.of_networks = {.items = items, .n = 2}};
	struct of *of;
	const char *bad;
	assert_int_equal(of_create(&config, &of, &bad), -EINVAL);
	assert_string_equal(bad, bad_one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_month_is_told_for_each_of_our_hosts, set_up, app_tear_down
		),
		cmocka_unit_test_setup_teardown(
			a_graph_is_a_png_of_the_size_asked_for, set_up, app_tear_down
		),
		cmocka_unit_test_setup_teardown(
			what_is_drawn_can_be_had_as_numbers, set_up, app_tear_down
		),
		cmocka_unit_test_setup_teardown(nonsense_is_refused, set_up, app_tear_down),
		cmocka_unit_test_setup_teardown(others_need_a_token, set_up, app_tear_down),
		cmocka_unit_test(networks_that_are_none_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
