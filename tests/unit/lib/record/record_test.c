// SPDX-License-Identifier: Apache-2.0
#include "lib/record/record.h"
#include "tests/unit/cmocka.h"

#include <string.h>

static enum record_verdict verdict_of_flags(uint16_t forward, uint16_t reverse)
{
	struct record r = {.tcp_flags = forward, .rev_tcp_flags = reverse};
	return record_verdict(&r);
}

static void a_reset_without_syn_in_either_direction_is_denied(void **)
{
	assert_int_equal(verdict_of_flags(TCP_RST, 0), VERDICT_DENY);
	assert_int_equal(verdict_of_flags(TCP_RST | TCP_ACK, 0), VERDICT_DENY);
	assert_int_equal(verdict_of_flags(TCP_SYN, TCP_RST | TCP_ACK), VERDICT_DENY);
	assert_int_equal(verdict_of_flags(TCP_SYN | TCP_RST, 0), VERDICT_ALLOW);
	assert_int_equal(verdict_of_flags(TCP_SYN | TCP_ACK, TCP_SYN | TCP_RST), VERDICT_ALLOW);
	assert_int_equal(verdict_of_flags(TCP_SYN | TCP_ACK | TCP_FIN, TCP_ACK), VERDICT_ALLOW);
	assert_int_equal(verdict_of_flags(0, 0), VERDICT_ALLOW);
}

static void what_the_exporter_says_is_denied(void **)
{
	struct record dropped = {.fwd_status = 0x80}, forwarded = {.fwd_status = 0x40};
	struct record denied = {.fw_event = 3}, deleted = {.fw_event = 2};
	struct record posted = {.action = 2}, allowed = {.action = 1};
	assert_int_equal(record_verdict(&dropped), VERDICT_DENY);
	assert_int_equal(record_verdict(&forwarded), VERDICT_ALLOW);
	assert_int_equal(record_verdict(&denied), VERDICT_DENY);
	assert_int_equal(record_verdict(&deleted), VERDICT_ALLOW);
	assert_int_equal(record_verdict(&posted), VERDICT_DENY);
	assert_int_equal(record_verdict(&allowed), VERDICT_ALLOW);
}

static void flags_are_shown_as_six_letters(void **)
{
	char text[8];
	assert_string_equal(record_format_flags(0, text), "......");
	assert_string_equal(record_format_flags(TCP_RST, text), "...R..");
	assert_string_equal(record_format_flags(TCP_ACK | TCP_PSH, text), ".AP...");
	assert_string_equal(record_format_flags(0xffff, text), "UAPRSF");
}

static void protocols_have_the_names_users_know(void **)
{
	static const struct {
		uint8_t number;
		const char *name;
	} known[] = {
		{1, "ICMP"},
		{6, "TCP"},
		{17, "UDP"},
		{47, "GRE"},
		{50, "ESP"},
		{58, "ICMPv6"},
		{112, "VRRP"},
		{253, "253"}};
	char text[16];
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_string_equal(record_format_proto(known[i].number, text), known[i].name);
}

static void volumes_are_shown_in_powers_of_1024(void **)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{0, "0"},
		{1023, "1023"},
		{1024, "1.0 K"},
		{181500000000, "169 G"},
		{2684354560, "2.5 G"},
		{1048575, "1.0 M"},
		{107374182400, "100 G"},
		{UINT64_MAX, "16.0 E"},
	};
	char text[16];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(record_format_volume(cases[i].bytes, text), cases[i].text);
}

static void field_names_are_unique_and_widths_right(void **)
{
	for (int f = 0; f < RECORD_N_FIELDS; f++) {
		const struct record_field_info *info = &record_fields[f];
		assert_true(info->offset + info->width <= sizeof(struct record));
		assert_true(*info->text != '\0');
		for (int g = 0; g < f; g++)
			assert_string_not_equal(record_fields[g].name, info->name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reset_without_syn_in_either_direction_is_denied),
		cmocka_unit_test(what_the_exporter_says_is_denied),
		cmocka_unit_test(flags_are_shown_as_six_letters),
		cmocka_unit_test(protocols_have_the_names_users_know),
		cmocka_unit_test(volumes_are_shown_in_powers_of_1024),
		cmocka_unit_test(field_names_are_unique_and_widths_right),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
