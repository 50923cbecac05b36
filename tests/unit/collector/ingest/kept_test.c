// SPDX-License-Identifier: Apache-2.0

// What exporters announced before a restart: their first data after it are decoded at once.

#include "collector/ingest/kept.h"
#include "tests/unit/collector/ingest/intake.h"

#include <errno.h>

static uint8_t room[1 << 20];
static size_t len;
static struct kept_table kept;

static void keep_session(void *arg, struct session *s)
{
	kept_put(arg, s, now_ns, now_ns);
}

static size_t keep_in(size_t cap)
{
	struct wbuf to = wbuf_of(room, cap);
	kept_head(&to);
	session_each(&in.sessions, keep_session, &to);
	return wbuf_len(&to);
}

// The collector ends and starts again, `sec` later.
static void start_again(uint64_t sec)
{
	len = keep_in(sizeof(room));
	now_ns += sec * NS_PER_SEC;
	kept_fini(&kept);
	assert_int_equal(kept_init(&kept, room, len), 0);
	options.kept = &kept;
	intake_restart();
}

static int end(void **state)
{
	kept_fini(&kept);
	return tear_down(state);
}

static void announce(uint16_t version)
{
	begin(version);
	DEFINE(300, 8, 4, 12, 4);
	set(300, "0a000001 0a000002");
}

static void data_only(uint16_t version, uint32_t uptime_ms)
{
	struct message_head h = message_head;
	h.sequence = 1;
	h.uptime_ms = uptime_ms;
	begin_head(version, h);
	set(300, "0a000005 0a000002");
}

static void check_first_data(uint16_t version)
{
	announce(version);
	deliver();
	assert_int_equal(n_rows(), 1);
	start_again(10);
	data_only(version, UPTIME + 10000);
	deliver();
	assert_int_equal(n_rows(), 1);
	struct record r = row_at(0);
	assert_src(&r, 5);
	assert_int_equal(count(LEDGER_templates_restored), 1);
	assert_int_equal(count(LEDGER_buffered), 0);
}

static void first_ipfix_data_after_a_restart_are_decoded(void **)
{
	check_first_data(IPFIX_VERSION);
}

static void first_v9_data_after_a_restart_are_decoded(void **)
{
	check_first_data(NETFLOW9_VERSION);
}

static void announced_rates_stay(void **)
{
	begin(IPFIX_VERSION);
	DEFINE(300, 8, 4, 12, 4, 48, 1);
	set(3, "0101 0002 0001  0030 0001  0032 0004"); // samplerId -> samplerRandomInterval
	set(257, "07 000003e8");
	set(300, "0a000001 0a000002 07");
	deliver();
	struct record r = row_at(0);
	assert_int_equal(r.sampling, 1000);
	start_again(1);
	begin(IPFIX_VERSION);
	set(300, "0a000001 0a000002 07");
	deliver();
	r = row_at(0);
	assert_int_equal(r.sampling, 1000);
}

static void a_newer_definition_replaces_what_was_kept(void **)
{
	announce(IPFIX_VERSION);
	deliver();
	start_again(10);
	begin(IPFIX_VERSION);
	DEFINE(300, 12, 4, 8, 4); // the other way round
	set(300, "0a000002 0a000009");
	deliver();
	struct record r = row_at(0);
	assert_src(&r, 9);
}

static void of_an_exporter_that_started_anew_nothing_is_known(void **)
{
	announce(NETFLOW9_VERSION);
	deliver();
	start_again(10);
	data_only(NETFLOW9_VERSION, 5000); // its uptime has fallen
	deliver();
	assert_int_equal(n_rows(), 0);
	assert_int_equal(count(LEDGER_buffered), 1);
}

static void what_is_older_than_its_lifetime_is_not_taken(void **)
{
	announce(IPFIX_VERSION);
	deliver();
	start_again(options.limits.lifetime_ns / NS_PER_SEC + 10);
	data_only(IPFIX_VERSION, 0);
	deliver();
	assert_int_equal(n_rows(), 0);
	assert_int_equal(count(LEDGER_buffered), 1);
}

static void another_exporter_gets_nothing_of_it(void **)
{
	announce(IPFIX_VERSION);
	deliver();
	start_again(1);
	struct peer other = peer_of(1);
	other.port++;
	data_only(IPFIX_VERSION, 0);
	deliver_from(peer_of(2));
	data_only(IPFIX_VERSION, 0);
	deliver_from(other);
	other = peer_of(1);
	other.source = 1;
	data_only(IPFIX_VERSION, 0);
	deliver_from(other);
	assert_int_equal(n_rows(), 0);
}

static void who_is_not_heard_is_kept_on(void **)
{
	struct wbuf to;
	announce(IPFIX_VERSION);
	deliver();
	start_again(1);
	to = wbuf_of(room, sizeof(room));
	kept_head(&to);
	kept_put_rest(&to, &kept, 1800 * NS_PER_SEC, now_ns);
	assert_int_equal(wbuf_len(&to), len);
	// but not for ever, and not beside what its session says
	to = wbuf_of(room, sizeof(room));
	kept_head(&to);
	kept_put_rest(&to, &kept, 1800 * NS_PER_SEC, now_ns + 1801 * NS_PER_SEC);
	data_only(IPFIX_VERSION, 0);
	deliver();
	kept_put_rest(&to, &kept, 1800 * NS_PER_SEC, now_ns);
	assert_int_equal(wbuf_len(&to), 5);
}

static void who_sent_no_record_is_not_kept(void **)
{
	begin(IPFIX_VERSION);
	DEFINE(300, 8, 4, 12, 4);
	deliver();
	assert_int_equal(keep_in(sizeof(room)), 5);
}

static void what_does_not_fit_is_left_out_whole(void **)
{
	announce(IPFIX_VERSION);
	deliver();
	size_t whole = keep_in(sizeof(room));
	for (size_t cap = 5; cap < whole; cap++)
		assert_int_equal(keep_in(cap), 5);
	assert_int_equal(keep_in(whole), whole);
}

static void damaged_entries_are_left_out_and_counted(void **)
{
	announce(IPFIX_VERSION);
	deliver();
	len = keep_in(sizeof(room));
	for (size_t i = 0; i < len; i++) {
		room[i] ^= 0x10;
		int ret = kept_init(&kept, room, len);
		if (i < 5) {
			assert_int_equal(ret, -EINVAL);
		} else {
			assert_int_equal(ret, 0);
			assert_int_equal(kept.n, 0);
			assert_int_equal(kept.n_damaged, 1);
		}
		kept_fini(&kept);
		room[i] ^= 0x10;
	}
	for (size_t n = 6; n < len; n++) {
		assert_int_equal(kept_init(&kept, room, n), 0);
		assert_int_equal(kept.n, 0);
		kept_fini(&kept);
	}
}

#define KEPT_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KEPT_TEST(first_ipfix_data_after_a_restart_are_decoded),
		KEPT_TEST(first_v9_data_after_a_restart_are_decoded),
		KEPT_TEST(announced_rates_stay),
		KEPT_TEST(a_newer_definition_replaces_what_was_kept),
		KEPT_TEST(of_an_exporter_that_started_anew_nothing_is_known),
		KEPT_TEST(what_is_older_than_its_lifetime_is_not_taken),
		KEPT_TEST(another_exporter_gets_nothing_of_it),
		KEPT_TEST(who_is_not_heard_is_kept_on),
		KEPT_TEST(who_sent_no_record_is_not_kept),
		KEPT_TEST(what_does_not_fit_is_left_out_whole),
		KEPT_TEST(damaged_entries_are_left_out_and_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
