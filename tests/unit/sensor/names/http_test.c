// SPDX-License-Identifier: Apache-2.0
#include "sensor/names/http.h"
#include "tests/unit/sensor/names/hello.h"

static enum look parse_n(const char *p, size_t n, struct names_result *r)
{
	uint8_t *exact = exact_copy((const uint8_t *)p, n);
	memset(r, 0xee, sizeof(*r));
	enum look look = http_parse(buf_of(exact, n), r);
	free(exact);
	return look;
}

static void assert_host(const char *request, const char *host)
{
	struct names_result r;
	assert_int_equal(parse_n(request, strlen(request), &r), LOOK_FOUND);
	assert_int_equal(r.kind, NAMES_HTTP);
	assert_int_equal(r.server_len, strlen(host));
	assert_memory_equal(r.server, host, strlen(host));
	assert_int_equal(r.alpn_len + r.ja4_len + r.n_answers, 0);
}

static void assert_look(const char *request, enum look look)
{
	struct names_result r;
	assert_int_equal(parse_n(request, strlen(request), &r), look);
}

static void host_field_is_read(void **)
{
	assert_host("GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n", "www.example.com");
	assert_host("GET / HTTP/1.1\r\nHost: www.example.com\r\n", "www.example.com");
	assert_host(
		"POST /a?b HTTP/1.0\r\nAccept: */*\r\nhOsT:\t WWW.Example.Com. \r\n",
		"www.example.com"
	);
	assert_host("GET / HTTP/1.1\nHost: bare-lf.example\n", "bare-lf.example");
	assert_host("PROPFIND /dav HTTP/1.1\r\nHost:a.example\r\n", "a.example");
	assert_host("OPTIONS * HTTP/1.1\r\nHost: a.example\r\n", "a.example");
}

static void port_and_brackets_are_left_out(void **)
{
	assert_host("GET / HTTP/1.1\r\nHost: a.example:8080\r\n", "a.example");
	assert_host("GET / HTTP/1.1\r\nHost: [2001:DB8::1]:80\r\n", "2001:db8::1");
	assert_host("GET / HTTP/1.1\r\nHost: [::1\r\n", "::1");
	assert_host("GET / HTTP/1.1\r\nHost: 192.0.2.1:80\r\n", "192.0.2.1");
}

static void absolute_target_counts_more_than_the_field(void **)
{
	assert_host("GET http://a.example/x HTTP/1.1\r\nHost: b.example\r\n", "a.example");
	assert_host("GET HTTPS://A.example:444?x HTTP/1.1\r\n", "a.example");
	assert_host("GET http://user:secret@a.example/@b HTTP/1.1\r\n", "a.example");
	assert_host("GET http://a.example#f HTTP/1.0\r\n", "a.example");
}

static void connect_names_the_other_end(void **)
{
	assert_host("CONNECT mail.example:993 HTTP/1.1\r\nHost: proxy.example\r\n", "mail.example");
	assert_host("CONNECT [2001:db8::2]:443 HTTP/1.1\r\n", "2001:db8::2");
}

static void first_of_several_hosts_counts(void **)
{
	assert_host("GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n", "a.example");
}

static void fields_that_look_like_host_are_not_it(void **)
{
	assert_host(
		"GET / HTTP/1.1\r\nX-Host: x\r\nHost : y\r\n Host: z\r\nHost: a.example\r\n",
		"a.example"
	);
	assert_look("GET / HTTP/1.1\r\nHostname: x\r\n\r\n", LOOK_NOTHING);
}

static void what_names_no_host_tells_nothing(void **)
{
	assert_look("GET / HTTP/1.0\r\nAccept: */*\r\n\r\n", LOOK_NOTHING);
	assert_look("GET / HTTP/1.1\r\nHost:\r\n\r\n", LOOK_NOTHING);
	assert_look("GET / HTTP/1.1\r\nHost: :80\r\n\r\n", LOOK_NOTHING);
	assert_look("GET http:///x HTTP/1.1\r\nHost: a\r\n", LOOK_NOTHING);
}

static void other_protocols_are_told_at_once(void **)
{
	static const char *const others[] = {
		"EHLO me\r\n",
		"USER me\r\n",
		"get / HTTP/1.1\r\n",
		"GETX / HTTP/1.1\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"OPTIONS rtsp://a RTSP/1.0\r\n",
		"OPTIONS sip:a SIP/2.0\r\n",
		"GET /\r\n",
		"GET / HTTP/2\r\n",
		"HTTP/1.1 200 OK\r\n",
		"Z",
		"SSH-2.0-x\r\n",
		"\r\nGET / HTTP/1.1\r\n"};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_look(others[i], LOOK_NOTHING);
}

static void every_beginning_waits_for_more(void **)
{
	static const char request[] = "CONNECTx";
	static const char whole[] = "OPTIONS /x HTTP/1.1\r\nAccept: */*\r\nHost: a.example\r\n";
	struct names_result r;
	for (size_t i = 0; i < sizeof(whole) - 1; i++)
		assert_int_equal(parse_n(whole, i, &r), LOOK_MORE);
	assert_int_equal(parse_n(whole, sizeof(whole) - 1, &r), LOOK_FOUND);
	assert_int_equal(parse_n(request, 7, &r), LOOK_MORE);
	assert_int_equal(parse_n(request, 8, &r), LOOK_NOTHING);
}

static void hostile_hosts_are_escaped_and_cut(void **)
{
	static const char zero[] = "GET / HTTP/1.1\r\nHost: a\0b\x1b[2J\"<\xff>\r\n";
	struct names_result r;
	assert_int_equal(parse_n(zero, sizeof(zero) - 1, &r), LOOK_FOUND);
	assert_int_equal(r.server_len, 20);
	assert_memory_equal(r.server, "a\\000b\\027[2j\"<\\255>", 20);
	char request[600] = "GET / HTTP/1.1\r\nHost: ";
	size_t n = strlen(request);
	memset(request + n, 'a', 300);
	strcpy(request + n + 300, "\r\n");
	assert_int_equal(parse_n(request, strlen(request), &r), LOOK_FOUND);
	assert_int_equal(r.server_len, 255);
	assert_int_equal(r.flags, NAMES_CUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host_field_is_read),
		cmocka_unit_test(port_and_brackets_are_left_out),
		cmocka_unit_test(absolute_target_counts_more_than_the_field),
		cmocka_unit_test(connect_names_the_other_end),
		cmocka_unit_test(first_of_several_hosts_counts),
		cmocka_unit_test(fields_that_look_like_host_are_not_it),
		cmocka_unit_test(what_names_no_host_tells_nothing),
		cmocka_unit_test(other_protocols_are_told_at_once),
		cmocka_unit_test(every_beginning_waits_for_more),
		cmocka_unit_test(hostile_hosts_are_escaped_and_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
