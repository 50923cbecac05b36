// SPDX-License-Identifier: Apache-2.0
#include "lib/record/record.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void every_protocol_has_a_text(void **)
{
	for (unsigned proto = 0; proto < 256; proto++) {
		char text[16], number[16];
		memset(text, 'x', sizeof(text));
		assert_ptr_equal(record_format_proto((uint8_t)proto, text), text);
		assert_true(strlen(text) >= 1 && strlen(text) < sizeof(text));
		snprintf(number, sizeof(number), "%u", proto);
		bool is_number = strspn(text, "0123456789") == strlen(text);
		if (is_number)
			assert_string_equal(text, number);
	}
}

static void protocols_have_the_names_of_iana(void **)
{
	static const struct {
		uint8_t proto;
		const char *name;
	} known[] = {
		{0, "0"},
		{1, "ICMP"},
		{2, "IGMP"},
		{6, "TCP"},
		{17, "UDP"},
		{41, "IPv6"},
		{47, "GRE"},
		{50, "ESP"},
		{51, "AH"},
		{58, "ICMPv6"},
		{89, "OSPF"},
		{103, "PIM"},
		{112, "VRRP"},
		{115, "L2TP"},
		{132, "SCTP"},
		{255, "255"},
	};
	char text[16];
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_string_equal(record_format_proto(known[i].proto, text), known[i].name);
}

static void each_flag_has_its_letter_and_place(void **)
{
	static const char letters[] = "UAPRSF";
	char text[8];
	for (unsigned flags = 0; flags < 0x1000; flags++) {
		assert_ptr_equal(record_format_flags((uint16_t)flags, text), text);
		assert_int_equal(strlen(text), 6);
		for (int i = 0; i < 6; i++) {
			char want = flags >> (5 - i) & 1 ? letters[i] : '.';
			assert_int_equal(text[i], want);
		}
	}
}

static void volumes_below_a_kibibyte_are_numbers(void **)
{
	char text[16], want[16];
	for (unsigned bytes = 0; bytes < 1024; bytes++) {
		snprintf(want, sizeof(want), "%u", bytes);
		assert_string_equal(record_format_volume(bytes, text), want);
	}
}

// What a text of record_format_volume says, in bytes.
static double value_of(const char *text)
{
	char *unit;
	double v = strtod(text, &unit);
	const char *units = "KMGTPE", *at = *unit ? strchr(units, unit[1]) : NULL;
	for (int i = 0; at && i <= at - units; i++)
		v *= 1024;
	return v;
}

static void volumes_are_as_near_as_their_digits_allow(void **)
{
	char text[16];
	for (uint64_t bytes = 1024; bytes < UINT64_MAX / 2; bytes += bytes / 1000 + 1) {
		record_format_volume(bytes, text);
		double said = value_of(text), error = said / (double)bytes - 1;
		// half a unit of the last digit: of one decimal below 100, of none above
		if (error > 0.05 || error < -0.05)
			fail_msg("%llu: %s", (unsigned long long)bytes, text);
	}
}

static void volumes_never_reach_the_next_unit(void **)
{
	static const char units[] = "KMGTPE";
	for (int u = 0; u < 5; u++) {
		uint64_t unit = 1024ull << 10 * u;
		for (unsigned permille = 990000; permille < 1024000; permille += 50) {
			char text[16];
			uint64_t bytes = (uint64_t)((double)unit * permille / 1000);
			record_format_volume(bytes, text);
			char *end;
			double v = strtod(text, &end);
			if (v >= 1024 || (end[1] != units[u] && end[1] != units[u + 1]))
				fail_msg("%llu: %s", (unsigned long long)bytes, text);
		}
	}
}

static void volumes_have_a_decimal_below_a_hundred(void **)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{1024, "1.0 K"},
		{1536, "1.5 K"},
		{102348, "99.9 K"},
		{102349, "100 K"}, // 99.95 and more
		{1047552, "1023 K"},
		{1048063, "1023 K"}, // below 1023.5
		{1048064, "1.0 M"},  // not "1024 K"
		{1048576, "1.0 M"},
		{1ull << 60, "1.0 E"},
		{UINT64_MAX, "16.0 E"},
	};
	char text[16];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(record_format_volume(cases[i].bytes, text), cases[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_protocol_has_a_text),
		cmocka_unit_test(protocols_have_the_names_of_iana),
		cmocka_unit_test(each_flag_has_its_letter_and_place),
		cmocka_unit_test(volumes_below_a_kibibyte_are_numbers),
		cmocka_unit_test(volumes_are_as_near_as_their_digits_allow),
		cmocka_unit_test(volumes_never_reach_the_next_unit),
		cmocka_unit_test(volumes_have_a_decimal_below_a_hundred),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
