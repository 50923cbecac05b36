// SPDX-License-Identifier: Apache-2.0

// Templates as they come by the wire: learnt, refreshed, replaced, withdrawn, expired, and data
// that is there before its template.

#include "tests/unit/lib/ipfix/decode.h"

static void two_templates_interleave(void **) // V9-1
{
	struct record r[3];
	begin(9);
	DEFINE(256, 8, 4, 7, 2);
	DEFINE(257, 7, 2, 8, 4);
	set(256, "0a000001 0050");
	set(257, "0051 0a000002");
	set(256, "0a000003 0052");
	assert_int_equal(read_all(r, 3), 3);
	for (uint8_t i = 0; i < 3; i++) {
		assert_src(&r[i], (uint8_t)(i + 1));
		assert_int_equal(r[i].sport, 80 + i);
	}
}

static void data_of_another_id_is_not_decoded(void **) // V9-1
{
	begin(9);
	DEFINE(256, 8, 4);
	set(257, "0a000001");
	assert_int_equal(count_all(), 0);
	assert_int_equal(reader.n_unread, 1);
}

static void several_definitions_share_a_set(void **) // V9-6
{
	struct record r[2];
	begin(10);
	set(2, "0100 0001 0008 0004 0101 0001 000c 0004");
	set(256, "0a000001");
	set(257, "0a000002");
	assert_int_equal(read_all(r, 2), 2);
	assert_src(&r[0], 1);
	assert_int_equal(r[1].set & (RECORD_BIT(src) | RECORD_BIT(dst)), RECORD_BIT(dst));
}

static void template_and_data_come_apart(void **) // V9-6
{
	begin(9);
	DEFINE(256, 8, 4);
	DEFINE(257, 12, 4);
	assert_int_equal(count_all(), 0);
	begin(9);
	set(257, "0a000001");
	set(256, "0a000001");
	assert_int_equal(count_all(), 2);
}

static void new_definition_replaces_the_old_at_once(void **) // V9-4, IP-17
{
	for (uint16_t version = 9; version <= 10; version++) {
		struct record r[3];
		begin(version);
		DEFINE(256, 8, 4, 7, 2);
		set(256, "0a000001 0050");
		DEFINE(256, 7, 2, 8, 4);
		set(256, "0051 0a000002");
		assert_int_equal(read_all(r, 2), 2);
		assert_src(&r[0], 1);
		assert_src(&r[1], 2);
		assert_int_equal(r[1].sport, 81);
		assert_int_equal(domain->n_templates, 1);
	}
	assert_int_equal(domain->counts.templates, 4);
}

static void options_may_take_the_id_of_a_template(void **) // V9-4
{
	begin(10);
	DEFINE(256, 149, 4, 34, 4);
	set(256, "00000001 00000002");
	set(3, "0100 0002 0001 0095 0004 0022 0004"); // the same fields, but options
	set(256, "00000001 00000003");
	assert_int_equal(count_all(), 1);
	assert_int_equal(domain->counts.options, 1);
	assert_int_equal(domain->sampling, 3);
}

static void definition_that_cannot_be_ends_the_old_one(void **) // V9-4
{
	begin(9);
	DEFINE(256, 8, 4);
	DEFINE(256, 8, 3);
	set(256, "0a000001");
	assert_int_equal(count_all(), 0);
	assert_int_equal(domain->counts.bad_templates, 1);
	assert_int_equal(domain->n_templates, 0);
}

static void refreshed_template_is_not_counted_again(void **) // IP-17
{
	for (int i = 0; i < 3; i++) {
		begin(10);
		DEFINE(256, 8, 4);
		assert_int_equal(count_all(), 0);
	}
	assert_int_equal(domain->counts.templates, 1);
	begin(10);
	DEFINE(256, 8, 4, 7, 2);
	assert_int_equal(count_all(), 0);
	assert_int_equal(domain->counts.templates, 2);
}

static void data_before_its_template_is_replayed(void **) // V9-5, IP-14
{
	struct record r[3];
	begin_head(10, (struct message_head){.sec = SEC - 5, .domain = DOMAIN});
	set(256, "0a000001 0a000002");
	assert_int_equal(count_all(), 0);
	assert_int_equal(domain->counts.buffered, 1);
	assert_int_equal(reader.n_unread, 1);
	begin(10);
	set(256, "0a000003"); // in one message too, though no exporter may (RFC 7011 §8.2)
	DEFINE(256, 8, 4);
	assert_int_equal(read_all(r, 3), 3);
	assert_src(&r[0], 1);
	assert_int_equal(r[0].start_ns, (SEC - 5) * NS_PER_SEC); // by its own message
	assert_src(&r[1], 2);
	assert_src(&r[2], 3);
	assert_int_equal(r[2].start_ns, NOW);
	assert_int_equal(reader.n_records, 0); // of the message itself none could be numbered
	assert_int_equal(domain->counts.template_unknown, 0);
	assert_null(domain->pending);
}

static void replayed_times_are_by_their_own_uptime(void **) // V9-5
{
	struct record r;
	begin_head(9, (struct message_head){SEC - 100, UPTIME - 100000, 0, DOMAIN});
	set(256, "0a000001 000dbba0"); // 0xdbba0 = 900000 ms, that uptime
	assert_int_equal(count_all(), 0);
	begin(9);
	DEFINE(256, 8, 4, 22, 4);
	assert_int_equal(read_all(&r, 1), 1);
	assert_int_equal(r.start_ns, (SEC - 100) * NS_PER_SEC);
}

static void options_data_before_its_template_is_replayed(void **) // V9-5, SA-1
{
	begin(10);
	set(257, "00000007 000003e8");
	assert_int_equal(count_all(), 0);
	begin(10);
	set(3, "0101 0002 0001 0095 0004 0022 0004");
	assert_int_equal(count_all(), 0);
	assert_int_equal(domain->sampling, 1000);
	assert_int_equal(domain->counts.options, 1);
}

static void waiting_data_that_does_not_fit_is_dropped_whole(void **) // V9-5, IP-19, IP-24
{
	struct record r;
	begin(10);
	set(256, "0a000001 00 0a000002 05 61");
	assert_int_equal(count_all(), 0);
	begin(10);
	DEFINE(256, 8, 4, 460, 65535);
	set(256, "0a000003 00");
	assert_int_equal(read_all(&r, 1), 1); // the message that brought the template is fine
	assert_src(&r, 3);
	assert_false(reader.is_malformed);
	assert_int_equal(domain->counts.bad_pending, 1);
	assert_null(domain->pending);
}

static void template_of_another_id_leaves_data_waiting(void **) // V9-5
{
	begin(9);
	set(256, "0a000001");
	DEFINE(257, 8, 4);
	assert_int_equal(count_all(), 0);
	assert_non_null(domain->pending);
	begin(9);
	DEFINE(256, 8, 4);
	assert_int_equal(count_all(), 1);
}

static void expired_template_decodes_nothing(void **) // V9-7, IP-18
{
	domain->limits.lifetime_ns = NS_PER_SEC;
	begin(10);
	DEFINE(256, 8, 4);
	assert_int_equal(count_all(), 0);
	now_ns += NS_PER_SEC;
	begin(10);
	set(256, "0a000001");
	assert_int_equal(count_all(), 1);
	now_ns++;
	begin(10);
	set(256, "0a000001");
	assert_int_equal(count_all(), 0);
	begin(10);
	DEFINE(256, 8, 4);
	assert_int_equal(count_all(), 1); // alive again, and what waited comes
}

static void refresh_prolongs_the_life(void **) // V9-7, IP-18
{
	domain->limits.lifetime_ns = NS_PER_SEC;
	for (int i = 0; i < 5; i++) {
		begin(10);
		DEFINE(256, 8, 4);
		assert_int_equal(count_all(), 0);
		now_ns += NS_PER_SEC;
		begin(10);
		set(256, "0a000001");
		assert_int_equal(count_all(), 1);
	}
}

static void template_ids_start_at_256(void **) // IP-4
{
	static const uint16_t good[] = {65535, 256, 257, 1024}; // in any order
	static const uint16_t bad[] = {1, 2, 3, 4, 255};
	struct ipfix_message m;
	for (uint16_t version = 9; version <= 10; version++) {
		for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
			begin(version);
			DEFINE(good[i], 8, 4);
			set(good[i], "0a000001");
			assert_int_equal(count_all(), 1);
		}
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			begin(version);
			DEFINE(bad[i], 8, 4);
			assert_int_equal(parse(&m), IPFIX_BAD_TEMPLATE);
		}
	}
}

static void withdrawals_are_ignored_over_udp(void **) // IP-16
{
	begin(10);
	DEFINE(256, 8, 4);
	assert_int_equal(count_all(), 0);
	begin(10);
	set(2, "0100 0000");
	set(2, "0002 0000");
	set(3, "0003 0000");
	set(256, "0a000001");
	assert_int_equal(count_all(), 1);
}

static void withdrawals_count_over_tcp(void **) // IP-15
{
	domain->limits.is_reliable = true;
	begin(10);
	DEFINE(256, 8, 4);
	DEFINE(257, 8, 4);
	DEFINE(258, 8, 4);
	set(3, "0104 0002 0001 0022 0004 0008 0004");
	set(2, "0100 0000");
	set(2, "0900 0000"); // one that is not known
	assert_int_equal(count_all(), 0);
	assert_int_equal(domain->n_templates, 3);
	begin(10);
	set(256, "0a000001");
	assert_int_equal(count_all(), 0);
	assert_int_equal(reader.n_unread, 1);
	begin(10);
	set(2, "0002 0000"); // all templates, no options templates
	assert_int_equal(count_all(), 0);
	assert_int_equal(domain->n_templates, 1);
	begin(10);
	set(3, "0003 0000");
	assert_int_equal(count_all(), 0);
	assert_int_equal(domain->n_templates, 0);
}

static void withdrawal_of_what_no_id_can_be_is_malformed(void **) // IP-4, IP-15, IP-19
{
	static const char *const bad[] = {"0000 0000", "0001 0000", "0003 0000", "00ff 0000"};
	struct ipfix_message m;
	domain->limits.is_reliable = true;
	begin(10);
	DEFINE(256, 8, 4);
	assert_int_equal(count_all(), 0);
	for (size_t i = 1; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin(10);
		set(2, bad[i]);
		assert_int_equal(parse(&m), IPFIX_BAD_TEMPLATE);
	}
	begin(10);
	set(3, "0002 0000");
	assert_int_equal(parse(&m), IPFIX_BAD_TEMPLATE);
	begin(10);
	set(2, bad[0]); // all zero: padding
	assert_int_equal(count_all(), 0);
	assert_int_equal(domain->n_templates, 1);
}

static void withdrawn_id_may_be_used_again(void **) // IP-15
{
	domain->limits.is_reliable = true;
	begin(10);
	DEFINE(256, 8, 4);
	set(2, "0100 0000 0100 0001 000c 0004"); // several actions in one set
	set(256, "0a000001");
	assert_int_equal(count_all(), 1);
	assert_int_equal(domain->n_templates, 1);
}

static void v9_has_no_withdrawals(void **)
{
	domain->limits.is_reliable = true;
	begin(9);
	DEFINE(256, 8, 4);
	assert_int_equal(count_all(), 0);
	begin(9);
	set(0, "0101 0000");
	set(256, "0a000001");
	assert_int_equal(count_all(), 1);
	assert_int_equal(domain->counts.bad_templates, 1);
}

static void enterprise_fields_are_skipped_and_counted(void **) // IP-6, IP-20
{
	struct record r;
	begin(10);
	set(2, "0100 0003 8001 0002 00008b30 0008 0004 8002 ffff 00000009");
	set(256, "0102 0a000001 03 616263");
	assert_int_equal(read_all(&r, 1), 1);
	assert_src(&r, 1);
	assert_int_equal(domain->counts.unknown_fields, 2);
}

static void v9_has_no_enterprise_numbers(void **) // IP-6
{
	struct record r;
	begin(9);
	DEFINE(256, 0x8001, 2, 8, 4); // as Cisco's own elements above 32767
	set(256, "0102 0a000001");
	assert_int_equal(read_all(&r, 1), 1);
	assert_src(&r, 1);
}

static void definitions_cut_short_are_refused(void **) // IP-6, IP-24
{
	struct ipfix_message m;
	static const char *const ipfix[] = {
		"0100 0001 8001 0002 0000", // half an enterprise number
		"0100 0001 8001 0002",	    // none
		"0100 0002 0008 0004",	    // one field of two
		"0100 0001 0008",	    // half a field
		"0100 ffff 0008 0004",
	};
	for (size_t i = 0; i < sizeof(ipfix) / sizeof(ipfix[0]); i++) {
		begin(10);
		set(2, ipfix[i]);
		assert_int_equal(parse(&m), IPFIX_BAD_TEMPLATE);
	}
	begin(9);
	set(0, "0100 0002 0008 0004");
	assert_int_equal(parse(&m), IPFIX_BAD_TEMPLATE);
}

static void scope_counts_of_ipfix_are_checked(void **) // IP-5
{
	struct ipfix_message m;
	begin(10);
	set(3, "0100 0001 0000 0022 0004");
	assert_int_equal(parse(&m), IPFIX_BAD_TEMPLATE);
	begin(10);
	set(3, "0100 0001 0002 0022 0004");
	assert_int_equal(parse(&m), IPFIX_BAD_TEMPLATE);
	begin(10);
	set(3, "0100 0002 0002 0095 0004 0022 0004"); // nothing but scope
	assert_int_equal(count_all(), 0);
	assert_int_equal(domain->n_templates, 1);
}

static void scope_lengths_of_v9_are_checked(void **) // RFC 3954 §6.1
{
	struct ipfix_message m;
	static const char *const bad[] = {
		"0100 0003 0004 0001 0004 0022 0004", // not whole fields
		"0100 0004 0005 0001 0004 0022 0004",
		"0100 0008 0004 0001 0004 0022 0004", // one field short
		"0100 fffc fffc 0001 0004 0022 0004", // together more than a set
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin(9);
		set(1, bad[i]);
		assert_int_equal(parse(&m), IPFIX_BAD_TEMPLATE);
	}
	begin(9);
	set(1, "0100 0004 0004 0001 0004 0022 0004");
	set(256, "00000001 00000064");
	assert_int_equal(count_all(), 0);
	assert_int_equal(domain->sampling, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(two_templates_interleave),
		TEST(data_of_another_id_is_not_decoded),
		TEST(several_definitions_share_a_set),
		TEST(template_and_data_come_apart),
		TEST(new_definition_replaces_the_old_at_once),
		TEST(options_may_take_the_id_of_a_template),
		TEST(definition_that_cannot_be_ends_the_old_one),
		TEST(refreshed_template_is_not_counted_again),
		TEST(data_before_its_template_is_replayed),
		TEST(replayed_times_are_by_their_own_uptime),
		TEST(options_data_before_its_template_is_replayed),
		TEST(waiting_data_that_does_not_fit_is_dropped_whole),
		TEST(template_of_another_id_leaves_data_waiting),
		TEST(expired_template_decodes_nothing),
		TEST(refresh_prolongs_the_life),
		TEST(template_ids_start_at_256),
		TEST(withdrawals_are_ignored_over_udp),
		TEST(withdrawals_count_over_tcp),
		TEST(withdrawal_of_what_no_id_can_be_is_malformed),
		TEST(withdrawn_id_may_be_used_again),
		TEST(v9_has_no_withdrawals),
		TEST(enterprise_fields_are_skipped_and_counted),
		TEST(v9_has_no_enterprise_numbers),
		TEST(definitions_cut_short_are_refused),
		TEST(scope_counts_of_ipfix_are_checked),
		TEST(scope_lengths_of_v9_are_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
