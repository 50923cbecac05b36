// SPDX-License-Identifier: Apache-2.0
#include "lib/ipfix/elements.h"
#include "tests/unit/cmocka.h"

#include <string.h>

#define PEN_OTHER 35632u

// Calls f for every element there is, by the numbers that reach it.
static void each(void (*f)(uint16_t ie, uint32_t pen, const struct ipfix_element *e))
{
	static const uint32_t pens[] = {0, PEN_REVERSE, PEN_WEIR};
	for (size_t p = 0; p < sizeof(pens) / sizeof(pens[0]); p++) {
		for (unsigned ie = 0; ie <= UINT16_MAX; ie++) {
			const struct ipfix_element *e =
				ipfix_element_find((uint16_t)ie, pens[p], PEN_WEIR);
			if (e)
				f((uint16_t)ie, pens[p], e);
		}
	}
}

static void check_type(uint16_t ie, uint32_t pen, const struct ipfix_element *e)
{
	assert_true(e->name && *e->name);
	if (e->kind == IPFIX_KIND_AUX) {
		assert_true(e->target < AUX_N_NUMBERS);
		return;
	}
	if (e->kind == IPFIX_KIND_TEXT) {
		assert_true(e->target >= AUX_N_NUMBERS && e->target < AUX_N);
		return;
	}
	assert_true(e->target < RECORD_N_FIELDS);
	enum record_type type = record_fields[e->target].type;
	bool number = type == RECORD_TYPE_U8 || type == RECORD_TYPE_U16 ||
		      type == RECORD_TYPE_U32 || type == RECORD_TYPE_U64;
	bool ok = e->kind == IPFIX_KIND_ADDR4 || e->kind == IPFIX_KIND_ADDR6
			  ? type == RECORD_TYPE_ADDR
		  : e->kind == IPFIX_KIND_MAC ? type == RECORD_TYPE_MAC
		  : e->kind == IPFIX_KIND_STR ? type == RECORD_TYPE_STR
					      : number;
	if (!ok)
		fail_msg("%s (%u/%u) does not fit its member", e->name, ie, pen);
}

static void every_element_fits_its_member(void **) // IM-1
{
	each(check_type);
}

static void check_number(uint16_t ie, uint32_t pen, const struct ipfix_element *e)
{
	// RFC 7012 §4.2: 0 is reserved, 105 to 127 belong to NetFlow v9 alone, 210 is padding.
	if (pen == 0 && ie != 40005)
		assert_true(ie != 0 && !(ie >= 105 && ie <= 127) && ie != 210 && ie < 512);
	assert_false(e->kind == IPFIX_KIND_ICMP && pen);
}

static void reserved_numbers_are_nothing(void **) // IM-1
{
	each(check_number);
}

// Members without an IANA number of their own kind, or with one by another name.
static void fields_of_the_record_are_found_by_their_numbers(void **)
{
	for (int f = 0; f < RECORD_N_FIELDS; f++) {
		const struct record_field_info *info = &record_fields[f];
		if (!info->ie)
			continue;
		const struct ipfix_element *e = ipfix_element_find(info->ie, info->pen, PEN_WEIR);
		if (!e)
			fail_msg("%s: %u/%u is not read", info->name, info->ie, info->pen);
		if (f == FIELD_start_ns)
			assert_true(e->kind == IPFIX_KIND_AUX && e->target == AUX_START_MS);
		else if (f == FIELD_end_ns)
			assert_true(e->kind == IPFIX_KIND_AUX && e->target == AUX_END_MS);
		else
			assert_int_equal(e->target, f);
	}
}

static void numbers_have_the_names_of_iana(void **) // IM-1
{
	static const struct {
		uint16_t ie;
		const char *name;
	} known[] = {
		{1, "octetDeltaCount"},
		{4, "protocolIdentifier"},
		{8, "sourceIPv4Address"},
		{12, "destinationIPv4Address"},
		{21, "flowEndSysUpTime"},
		{22, "flowStartSysUpTime"},
		{27, "sourceIPv6Address"},
		{34, "samplingInterval"},
		{61, NULL}, // flowDirection: not used
		{89, "forwardingStatus"},
		{136, "flowEndReason"},
		{150, "flowStartSeconds"},
		{153, "flowEndMilliseconds"},
		{156, "flowStartNanoseconds"},
		{160, "systemInitTimeMilliseconds"},
		{210, NULL}, // paddingOctets
		{231, "initiatorOctets"},
		{233, "firewallEvent"},
		{291, NULL}, // basicList
		{302, "selectorId"},
		{305, "samplingPacketInterval"},
		{323, "observationTimeMilliseconds"},
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const struct ipfix_element *e = ipfix_element_find(known[i].ie, 0, PEN_WEIR);
		if (!known[i].name)
			assert_null(e);
		else
			assert_string_equal(e->name, known[i].name);
	}
}

static void numbers_of_strangers_are_nothing(void **) // IP-20
{
	for (unsigned ie = 0; ie <= UINT16_MAX; ie++) {
		assert_null(ipfix_element_find((uint16_t)ie, PEN_OTHER, PEN_WEIR));
		assert_null(ipfix_element_find((uint16_t)ie, UINT32_MAX, PEN_WEIR));
	}
}

static void keys_have_no_reverse(void **) // BI-1, RFC 5103 §6.1
{
	static const uint16_t keys[] = {4, 7, 8, 11, 12, 27, 28};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_null(ipfix_element_find(keys[i], PEN_REVERSE, PEN_WEIR));
	const struct ipfix_element *e = ipfix_element_find(2, PEN_REVERSE, PEN_WEIR);
	assert_int_equal(e->target, FIELD_rev_packets);
}

static void our_own_number_can_be_another(void **)
{
	uint16_t ie = record_fields[FIELD_server_name].ie;
	const struct ipfix_element *e = ipfix_element_find(ie, 12345, 12345);
	assert_int_equal(e->target, FIELD_server_name);
	assert_null(ipfix_element_find(ie, PEN_WEIR, 12345));
	assert_null(ipfix_element_find(0, PEN_WEIR, PEN_WEIR)); // members that are not exported
	assert_int_equal(ipfix_element_find(8, 0, 12345)->target, FIELD_src);
}

static void elements_of_one_place_are_of_one_size(void **)
{
	// icmpTypeCode fills two members, so it must not share its place with a better one that
	// fills both apart.
	const struct ipfix_element *both = ipfix_element_find(32, 0, PEN_WEIR);
	const struct ipfix_element *type = ipfix_element_find(176, 0, PEN_WEIR);
	assert_int_equal(both->target, type->target);
	assert_true(both->rank < type->rank);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_element_fits_its_member),
		cmocka_unit_test(reserved_numbers_are_nothing),
		cmocka_unit_test(fields_of_the_record_are_found_by_their_numbers),
		cmocka_unit_test(numbers_have_the_names_of_iana),
		cmocka_unit_test(numbers_of_strangers_are_nothing),
		cmocka_unit_test(keys_have_no_reverse),
		cmocka_unit_test(our_own_number_can_be_another),
		cmocka_unit_test(elements_of_one_place_are_of_one_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
