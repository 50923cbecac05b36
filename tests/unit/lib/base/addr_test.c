// SPDX-License-Identifier: Apache-2.0
#include "lib/base/addr.h"
#include "tests/unit/cmocka.h"

#include <errno.h>

static void both_families_survive_text_and_back(void **)
{
	static const char *const texts[] = {
		"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1", "2001:db8::1"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct addr a;
		char text[ADDR_TEXT_LEN];
		assert_int_equal(addr_parse(texts[i], &a), 0);
		assert_string_equal(addr_format(&a, text), texts[i]);
	}
}

static void ipv4_is_mapped_into_ipv6(void **)
{
	struct addr v4, mapped;
	assert_int_equal(addr_parse("192.0.2.1", &v4), 0);
	assert_int_equal(addr_parse("::ffff:192.0.2.1", &mapped), 0);
	assert_true(addr_eq(&v4, &mapped));
	assert_true(addr_is_v4(&v4));
	assert_int_equal(addr_parse("::1", &mapped), 0);
	assert_false(addr_is_v4(&mapped));
}

static void nonsense_is_no_address(void **)
{
	static const char *const texts[] = {
		"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "::g", "1.2.3.4 ", "host"};
	struct addr a;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(addr_parse(texts[i], &a), -EINVAL);
}

static bool contains(const char *prefix, const char *addr)
{
	struct prefix p;
	struct addr a;
	assert_int_equal(prefix_parse(prefix, &p), 0);
	assert_int_equal(addr_parse(addr, &a), 0);
	return prefix_contains(&p, &a);
}

static void a_prefix_contains_its_addresses_only(void **)
{
	assert_true(contains("10.0.0.0/8", "10.255.255.255"));
	assert_false(contains("10.0.0.0/8", "11.0.0.0"));
	assert_true(contains("192.0.2.128/25", "192.0.2.128"));
	assert_false(contains("192.0.2.128/25", "192.0.2.127"));
	assert_true(contains("192.0.2.1", "192.0.2.1"));
	assert_false(contains("192.0.2.1/32", "192.0.2.0"));
	assert_true(contains("0.0.0.0/0", "203.0.113.9"));
	assert_false(contains("0.0.0.0/0", "2001:db8::1"));
	assert_true(contains("::/0", "203.0.113.9"));
	assert_true(contains("2001:db8::/33", "2001:db8:7fff::"));
	assert_false(contains("2001:db8::/33", "2001:db8:8000::"));
}

static void a_prefix_with_host_bits_or_bad_length_is_refused(void **)
{
	static const char *const texts[] = {
		"10.0.0.1/8",
		"10.0.0.0/33",
		"10.0.0.0/",
		"10.0.0.0/-1",
		"10.0.0.0/8x",
		"/8",
		"2001:db8::/129"};
	struct prefix p;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(prefix_parse(texts[i], &p), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_families_survive_text_and_back),
		cmocka_unit_test(ipv4_is_mapped_into_ipv6),
		cmocka_unit_test(nonsense_is_no_address),
		cmocka_unit_test(a_prefix_contains_its_addresses_only),
		cmocka_unit_test(a_prefix_with_host_bits_or_bad_length_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
