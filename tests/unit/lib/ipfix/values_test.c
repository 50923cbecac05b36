// SPDX-License-Identifier: Apache-2.0

// What a row says once all of it is read: sampling, second counters, ICMP, address families,
// firewall events. Its times are in values_time_test.c.

#include "tests/unit/lib/ipfix/decode.h"

static void out_counters_are_reverse_in_v9_beside_in_counters(void **)
{
	struct record r[2];
	begin(9);
	DEFINE(256, 1, 4, 2, 4, 23, 4, 24, 4);
	DEFINE(257, 23, 4, 24, 4);
	set(256, "00000005 00000001 00000009 00000002");
	set(257, "00000007 00000001");
	assert_int_equal(read_all(r, 2), 2);
	assert_int_equal(r[0].bytes, 5);
	assert_int_equal(r[0].packets, 1);
	assert_int_equal(r[0].rev_bytes, 9);
	assert_int_equal(r[0].rev_packets, 2);
	assert_int_equal(r[1].bytes, 7);
	assert_int_equal(r[1].packets, 1);
	assert_false(r[1].set & RECORD_BIT(rev_bytes));
}

static void post_counters_of_ipfix_are_the_same_packets_again(void **)
{
	struct record r[2];
	begin(10);
	DEFINE(256, 1, 4, 23, 4);
	DEFINE(257, 23, 4, 24, 4);
	set(256, "00000005 00000009");
	set(257, "00000007 00000001");
	assert_int_equal(read_all(r, 2), 2);
	assert_int_equal(r[0].bytes, 5);
	assert_int_equal(r[0].rev_bytes, 0);
	assert_int_equal(r[1].bytes, 7); // where there is nothing else
	assert_int_equal(r[1].packets, 1);
}

static void icmp_comes_in_many_forms(void **)
{
	struct record r[6];
	begin(10);
	DEFINE(256, 4, 1, 32, 2);
	DEFINE(257, 4, 1, 139, 2);
	DEFINE(258, 4, 1, 176, 1, 177, 1);
	DEFINE(259, 4, 1, 178, 1, 179, 1);
	DEFINE(260, 4, 1, 11, 2);
	set(256, "01 0304");
	set(257, "3a 0304");
	set(258, "01 03 04");
	set(259, "3a 03 04");
	set(260, "01 0304 3a 0304"); // in the port, of ICMP and ICMPv6
	assert_int_equal(read_all(r, 6), 6);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(r[i].icmp_type, 3);
		assert_int_equal(r[i].icmp_code, 4);
		assert_true(r[i].set & RECORD_BIT(icmp_type));
		assert_true(r[i].set & RECORD_BIT(icmp_code));
	}
}

static void icmp_of_other_protocols_means_nothing(void **)
{
	struct record r[3];
	begin(9);
	DEFINE(256, 4, 1, 32, 2);
	DEFINE(257, 4, 1, 11, 2);
	set(256, "06 0304");
	set(257, "06 0304 01 0000"); // TCP's port 772; ICMP without a word: echo reply, or nothing
	assert_int_equal(read_all(r, 3), 3);
	assert_false(r[0].set & RECORD_BIT(icmp_type));
	assert_int_equal(r[0].icmp_type, 0);
	assert_false(r[1].set & RECORD_BIT(icmp_type));
	assert_int_equal(r[1].dport, 0x304);
	assert_false(r[2].set & RECORD_BIT(icmp_type));
}

#define NO_V6 "00000000 00000000 00000000 00000000"
#define V6_1 "20010db8 00000000 00000000 00000001"
#define V6_2 "20010db8 00000000 00000000 00000002"

static void both_families_in_one_row_choose_the_one_given(void **)
{
	static const uint16_t orders[2][8] = {
		{8, 4, 27, 16, 12, 4, 28, 16},
		{27, 16, 8, 4, 28, 16, 12, 4},
	};
	static const char *const rows[2][2] = {
		{"0a000001" NO_V6 "0a000002" NO_V6, "00000000" V6_1 "00000000" V6_2},
		{NO_V6 "0a000001" NO_V6 "0a000002", V6_1 "00000000" V6_2 "00000000"},
	};
	for (int i = 0; i < 2; i++) {
		struct record r[2];
		uint16_t fields[10] = {};
		memcpy(fields, orders[i], sizeof(orders[i]));
		begin(9);
		define(256, fields);
		set(256, rows[i][0]);
		set(256, rows[i][1]);
		assert_int_equal(read_all(r, 2), 2);
		assert_src(&r[0], 1);
		assert_true(addr_is_v4(&r[0].dst));
		assert_int_equal(r[0].dst.b[15], 2);
		assert_false(addr_is_v4(&r[1].src));
		assert_int_equal(r[1].src.b[15], 1);
		assert_int_equal(r[1].dst.b[15], 2);
	}
}

static void zero_address_beside_one_of_ipv4_is_of_ipv4(void **)
{
	struct record r[3];
	begin(10);
	DEFINE(256, 8, 4, 27, 16, 12, 4, 28, 16);
	set(256, "0a000001" NO_V6 "00000000" NO_V6); // to 0.0.0.0
	set(256, "00000000" NO_V6 "0a000001" NO_V6); // from it
	set(256, "00000000" NO_V6 "00000000" V6_2);  // from ::
	assert_int_equal(read_all(r, 3), 3);
	assert_true(addr_is_v4(&r[0].dst));
	assert_true(addr_is_v4(&r[1].src));
	assert_false(addr_is_v4(&r[2].src));
}

static void masks_and_next_hops_follow_their_family(void **)
{
	struct record r[2];
	begin(9);
	DEFINE(256, 9, 1, 29, 1, 15, 4, 62, 16);
	set(256, "18 00 0a0000fe" NO_V6);
	set(256, "00 40 00000000" V6_1);
	assert_int_equal(read_all(r, 2), 2);
	assert_int_equal(r[0].src_mask, 24);
	assert_true(addr_is_v4(&r[0].next_hop));
	assert_int_equal(r[1].src_mask, 64);
	assert_int_equal(r[1].next_hop.b[15], 1);
}

static void firewall_events_are_kept(void **) // NSEL
{
	struct record r[3];
	begin(9);
	// As an ASA sends them: addresses, ports, protocol, ICMP, event, its time, start, octets of
	// both sides.
	DEFINE(265, 8, 4, 7, 2, 12, 4, 11, 2, 4, 1, 176, 1, 233, 1, 323, 8, 152, 8, 231, 4, 232, 4);
#define FROM_TO "0a000001 c000 0a000002 0050 06 00"
	set(265, FROM_TO "01 0000018bcfe56800 0000018bcfe56800 00000000 00000000");
	set(265, FROM_TO "02 0000018bcfe56bd0 0000018bcfe56800 00000400 00000800");
	set(265, FROM_TO "03 0000018bcfe56800 0000000000000000 00000000 00000000");
	assert_int_equal(read_all(r, 3), 3);
	for (uint8_t i = 0; i < 3; i++) {
		assert_src(&r[i], 1);
		assert_int_equal(r[i].fw_event, i + 1);
		assert_int_equal(r[i].start_ns, NOW);
		assert_false(r[i].set & RECORD_BIT(icmp_type));
	}
	assert_int_equal(r[1].bytes, 1024);
	assert_int_equal(r[1].rev_bytes, 2048);
	assert_int_equal(record_verdict(&r[1]), VERDICT_ALLOW);
	assert_int_equal(record_verdict(&r[2]), VERDICT_DENY);
}

static void old_firewall_event_has_a_number_of_its_own(void **) // ASA before 8.4.5
{
	struct record r[2];
	begin(9);
	DEFINE(256, 8, 4, 40005, 1);
	DEFINE(257, 8, 4, 40005, 1, 233, 1);
	set(256, "0a000001 03");
	set(257, "0a000001 02 00");
	assert_int_equal(read_all(r, 2), 2);
	assert_int_equal(r[0].fw_event, 3);
	assert_int_equal(r[1].fw_event, 2);
}

static void samplers_of_v9_announce_their_rates(void **) // SA-1
{
	struct record r[3];
	begin(9);
	set(1, "0101 0004 0008 0001 0004 0030 0001 0032 0004 0000");
	set(257, "00000001 03 000003e8 00000001 04 0000000a");
	DEFINE(256, 8, 4, 48, 1);
	set(256, "0a000001 03 0a000002 04 0a000003 05");
	assert_int_equal(read_all(r, 3), 3);
	assert_int_equal(r[0].sampling, 1000);
	assert_int_equal(r[1].sampling, 10);
	assert_false(r[2].set & RECORD_BIT(sampling)); // of 5 nobody told: no loss
	assert_int_equal(domain->counts.options, 2);
	assert_int_equal(reader.n_records, 5); // options data are data records
}

static void selectors_of_ipfix_announce_their_rates(void **) // SA-1, RFC 5476 §6.5
{
	struct record r[3];
	begin(10);
	// selectorId as scope; samplingPacketInterval 1, samplingPacketSpace 99 and 1999
	set(3, "0101 0003 0001 012e 0008 0131 0004 0132 0004");
	set(257, "0000000000000001 00000001 00000063 0000000000000002 00000001 000007cf");
	DEFINE(256, 8, 4, 302, 8);
	DEFINE(258, 8, 4);
	set(256, "0a000001 0000000000000001 0a000002 0000000000000002");
	set(258, "0a000003"); // by which of them it does not say
	assert_int_equal(read_all(r, 3), 3);
	assert_int_equal(r[0].sampling, 100);
	assert_int_equal(r[1].sampling, 2000);
	assert_int_equal(r[2].sampling, 0);
}

static void sampling_can_be_given_by_size_and_population(void **) // RFC 5477 §8.2.6
{
	begin(10);
	set(3, "0101 0003 0001 0095 0004 0135 0004 0136 0004");
	set(257, "00000007 00000002 00000064");
	assert_int_equal(count_all(), 0);
	assert_int_equal(domain->sampling, 50);
}

static void rate_of_the_record_counts_more_than_the_announced(void **) // SA-1
{
	struct record r[3];
	begin(10);
	set(3, "0101 0002 0001 0095 0004 0022 0004");
	set(257, "00000007 00000064");
	DEFINE(256, 8, 4);
	DEFINE(258, 8, 4, 34, 4);
	set(256, "0a000001");
	set(258, "0a000001 00000005");
	set(258, "0a000001 00000000"); // says nothing
	assert_int_equal(read_all(r, 3), 3);
	assert_int_equal(r[0].sampling, 100);
	assert_int_equal(r[1].sampling, 5);
	assert_int_equal(r[2].sampling, 100);
}

static void rate_may_change_between_two_data_sets(void **) // SA-1
{
	struct record r[2];
	begin(10);
	set(3, "0101 0002 0001 0095 0004 0022 0004");
	DEFINE(256, 8, 4);
	set(257, "00000007 00000064");
	set(256, "0a000001");
	set(257, "00000007 000000c8");
	set(256, "0a000001");
	assert_int_equal(read_all(r, 2), 2);
	assert_int_equal(r[0].sampling, 100);
	assert_int_equal(r[1].sampling, 200);
}

static void senseless_ratios_are_no_rate(void **)
{
	begin(10);
	set(3, "0101 0003 0001 0095 0004 0131 0004 0132 0004"); // interval and space
	set(3, "0102 0003 0001 0095 0004 0135 0004 0136 0004"); // size and population
	set(257, "00000007 00000000 00000063");
	set(258, "00000007 00000000 00000064 00000007 00000064 00000001");
	assert_int_equal(count_all(), 0);
	assert_int_equal(domain->sampling, 0);
	assert_int_equal(domain->counts.options, 3);
	begin(10);
	set(257, "00000007 00000001 ffffffff"); // 1 in 2^32 does not fit
	assert_int_equal(count_all(), 0);
	assert_int_equal(domain->sampling, UINT32_MAX);
}

static void counters_stay_raw(void **) // SA-1
{
	struct record r;
	begin(9);
	DEFINE(256, 8, 4, 1, 4, 2, 4, 34, 4);
	set(256, "0a000001 00000064 00000001 000003e8");
	assert_int_equal(read_all(&r, 1), 1);
	assert_int_equal(r.bytes, 100);
	assert_int_equal(r.packets, 1);
	assert_int_equal(r.sampling, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(out_counters_are_reverse_in_v9_beside_in_counters),
		TEST(post_counters_of_ipfix_are_the_same_packets_again),
		TEST(icmp_comes_in_many_forms),
		TEST(icmp_of_other_protocols_means_nothing),
		TEST(both_families_in_one_row_choose_the_one_given),
		TEST(zero_address_beside_one_of_ipv4_is_of_ipv4),
		TEST(masks_and_next_hops_follow_their_family),
		TEST(firewall_events_are_kept),
		TEST(old_firewall_event_has_a_number_of_its_own),
		TEST(samplers_of_v9_announce_their_rates),
		TEST(selectors_of_ipfix_announce_their_rates),
		TEST(sampling_can_be_given_by_size_and_population),
		TEST(rate_of_the_record_counts_more_than_the_announced),
		TEST(rate_may_change_between_two_data_sets),
		TEST(senseless_ratios_are_no_rate),
		TEST(counters_stay_raw),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
