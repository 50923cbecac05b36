// SPDX-License-Identifier: Apache-2.0
#include "lib/base/endpoint.h"
#include "tests/unit/cmocka.h"

#include <errno.h>

static const char *const kinds[] = {"udp", "tcp", NULL};

static void check(const char *text, int kind, const char *want)
{
	struct endpoint ep;
	char back[ENDPOINT_TEXT_LEN];
	assert_int_equal(endpoint_parse(text, kinds, &ep), 0);
	assert_int_equal(ep.kind, kind);
	assert_string_equal(endpoint_format((struct sockaddr *)&ep.sa, back), want);
}

static void kind_host_and_port_are_read(void **)
{
	check("udp:127.0.0.1:2055", 0, "127.0.0.1:2055");
	check("tcp:127.0.0.1:4739", 1, "127.0.0.1:4739");
	check("127.0.0.1:1", 0, "127.0.0.1:1");
	check("tcp:[::1]:65535", 1, "[::1]:65535");
	check("[2001:db8::1]:0", 0, "[2001:db8::1]:0");
}

static void other_forms_are_refused(void **)
{
	static const char *const texts[] = {
		"",
		"udp",
		"udp:",
		":2055",
		"udp::2055",
		"2055",
		"sctp:127.0.0.1:1",
		"127.0.0.1",
		"127.0.0.1:",
		"127.0.0.1:x",
		"127.0.0.1:65536",
		"127.0.0.1:-1",
		"::1:2055",
		"[::1]",
		"[]:1"};
	struct endpoint ep;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(endpoint_parse(texts[i], kinds, &ep), -EINVAL);
}

static void an_unknown_name_is_said_so(void **)
{
	struct endpoint ep;
	assert_int_equal(endpoint_parse("no-such-host.invalid:1", kinds, &ep), -EHOSTUNREACH);
}

static void a_port_can_be_put_in(void **)
{
	struct endpoint ep;
	char back[ENDPOINT_TEXT_LEN];
	for (int v6 = 0; v6 < 2; v6++) {
		assert_int_equal(endpoint_parse(v6 ? "[::1]:0" : "127.0.0.1:0", kinds, &ep), 0);
		endpoint_set_port((struct sockaddr *)&ep.sa, 4739);
		assert_int_equal(endpoint_port((struct sockaddr *)&ep.sa), 4739);
		assert_string_equal(
			endpoint_format((struct sockaddr *)&ep.sa, back),
			v6 ? "[::1]:4739" : "127.0.0.1:4739"
		);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kind_host_and_port_are_read),
		cmocka_unit_test(a_port_can_be_put_in),
		cmocka_unit_test(other_forms_are_refused),
		cmocka_unit_test(an_unknown_name_is_said_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
