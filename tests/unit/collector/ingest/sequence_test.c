// SPDX-License-Identifier: Apache-2.0

// Numbers of messages: what is lost, late, doubled or begun anew, also where they wrap. They count
// flows in v5, packets in v9, data records in IPFIX (RFC 3954 §5.1, RFC 7011 §3.1).

#include "collector/ingest/session.h"
#include "lib/base/clock.h"
#include "tests/unit/cmocka.h"

#define NOW (1700000000 * NS_PER_SEC)
#define REORDER 64

static struct sequence q;

static int begin(void **)
{
	q = (struct sequence){};
	return 0;
}

static enum sequence_event take(uint32_t number, uint32_t count)
{
	return sequence_take(&q, number, count, REORDER, NOW);
}

static uint64_t lost_at_last(void)
{
	return sequence_lost(&q, UINT64_MAX);
}

static void numbers_in_order_lose_nothing(void **) // V9-2, IP-7
{
	uint32_t number = 12345; // wherever they begin
	for (uint32_t count = 0; count < 100; count++) {
		assert_int_equal(take(number, count), SEQUENCE_OK);
		number += count;
	}
	assert_int_equal(lost_at_last(), 0);
}

static void gap_is_what_is_missing(void **) // V9-2, IP-7
{
	assert_int_equal(take(10, 5), SEQUENCE_OK);
	assert_int_equal(take(18, 2), SEQUENCE_GAP);
	assert_int_equal(take(20, 1), SEQUENCE_OK);
	assert_int_equal(take(22, 1), SEQUENCE_GAP);
	assert_int_equal(lost_at_last(), 4);
	assert_int_equal(lost_at_last(), 0); // told once
}

static void every_dropped_message_of_many_is_counted(void **) // V9-2
{
	uint32_t dropped = 0;
	for (uint32_t i = 0; i < 10000; i++) {
		if (i && i % 100 == 37)
			dropped++;
		else
			(void)take(0xfffff000u + i, 1); // over the wrap
	}
	assert_int_equal(lost_at_last(), dropped);
}

static void messages_without_records_move_nothing(void **) // IP-7: templates alone
{
	assert_int_equal(take(10, 5), SEQUENCE_OK);
	assert_int_equal(take(15, 0), SEQUENCE_OK);
	assert_int_equal(take(15, 0), SEQUENCE_OK);
	assert_int_equal(take(15, 3), SEQUENCE_OK);
	assert_int_equal(lost_at_last(), 0);
}

static void late_message_fills_the_gap(void **) // V9-2, IP-7
{
	assert_int_equal(take(10, 1), SEQUENCE_OK);
	assert_int_equal(take(13, 1), SEQUENCE_GAP);
	assert_int_equal(take(11, 1), SEQUENCE_LATE);
	assert_int_equal(take(14, 1), SEQUENCE_OK);
	assert_int_equal(lost_at_last(), 1);
}

static void two_swapped_messages_lose_nothing(void **)
{
	for (uint32_t i = 0; i < 1000; i += 2) {
		(void)take(i + 1, 1);
		(void)take(i, 1);
	}
	assert_int_equal(lost_at_last(), 0);
	assert_int_equal(take(1000, 1), SEQUENCE_OK);
}

static void gap_is_a_loss_after_a_second(void **)
{
	assert_int_equal(take(10, 1), SEQUENCE_OK);
	assert_int_equal(take(12, 1), SEQUENCE_GAP);
	assert_int_equal(sequence_lost(&q, NOW), 0);
	assert_int_equal(sequence_lost(&q, NOW + NS_PER_SEC - 1), 0);
	assert_int_equal(sequence_lost(&q, NOW + NS_PER_SEC), 1);
	assert_int_equal(take(11, 1), SEQUENCE_LATE); // too late: it stays counted
	assert_int_equal(lost_at_last(), 0);
}

static void duplicate_fills_no_gap(void **) // RFC 7011 §9
{
	assert_int_equal(take(10, 1), SEQUENCE_OK);
	assert_int_equal(take(12, 1), SEQUENCE_GAP);
	assert_int_equal(take(12, 1), SEQUENCE_DUPLICATE);
	assert_int_equal(take(10, 1), SEQUENCE_DUPLICATE);
	assert_int_equal(take(13, 1), SEQUENCE_OK);
	assert_int_equal(lost_at_last(), 1); // 11 is missing still
}

static void late_message_can_come_twice(void **)
{
	assert_int_equal(take(10, 2), SEQUENCE_OK);
	assert_int_equal(take(16, 2), SEQUENCE_GAP);
	assert_int_equal(take(12, 2), SEQUENCE_LATE);
	assert_int_equal(take(12, 2), SEQUENCE_DUPLICATE);
	assert_int_equal(lost_at_last(), 2);
}

static void every_message_doubled_loses_nothing_and_hides_nothing(void **)
{
	for (uint32_t i = 0; i < 1000; i++) {
		if (i % 10 == 5)
			continue;
		(void)take(i, 1);
		assert_int_equal(take(i, 1), SEQUENCE_DUPLICATE);
	}
	assert_int_equal(lost_at_last(), 100);
}

static void numbers_wrap(void **) // IP-7: modulo 2^32
{
	assert_int_equal(take(0xfffffffe, 3), SEQUENCE_OK);
	assert_int_equal(take(1, 2), SEQUENCE_OK);
	assert_int_equal(take(3, 1), SEQUENCE_OK);
	assert_int_equal(lost_at_last(), 0);
	q = (struct sequence){};
	assert_int_equal(take(0xffffffff, 1), SEQUENCE_OK);
	assert_int_equal(take(0, 1), SEQUENCE_OK);
	assert_int_equal(lost_at_last(), 0);
}

static void gaps_late_ones_and_duplicates_over_the_wrap(void **)
{
	assert_int_equal(take(0xfffffff0, 1), SEQUENCE_OK);
	assert_int_equal(take(4, 1), SEQUENCE_GAP);
	assert_int_equal(take(0xffffffff, 1), SEQUENCE_LATE);
	assert_int_equal(take(0xfffffff0, 1), SEQUENCE_DUPLICATE);
	assert_int_equal(lost_at_last(), 18);
}

static void numbers_far_behind_began_anew(void **)
{
	assert_int_equal(take(100000, 1), SEQUENCE_OK);
	assert_int_equal(take(0, 1), SEQUENCE_RESET);
	assert_int_equal(take(1, 1), SEQUENCE_OK);
	assert_int_equal(take(1 + REORDER, 1), SEQUENCE_GAP);
	assert_int_equal(take(2, 1), SEQUENCE_LATE); // not further back than REORDER
	assert_int_equal(take(1, 1), SEQUENCE_RESET);
	assert_int_equal(lost_at_last(), REORDER - 2);
}

static void numbers_far_ahead_began_anew(void **)
{
	assert_int_equal(take(0, 1), SEQUENCE_OK);
	assert_int_equal(take(1 + (1u << 24), 1), SEQUENCE_GAP); // 16 million can be lost
	assert_int_equal(lost_at_last(), 1u << 24);
	q = (struct sequence){};
	assert_int_equal(take(0, 1), SEQUENCE_OK);
	assert_int_equal(take(2 + (1u << 24), 1), SEQUENCE_RESET);
	assert_int_equal(lost_at_last(), 0);
}

static void numbers_just_behind_began_anew_when_they_go_on(void **)
{
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(take(i, 1), SEQUENCE_OK);
	assert_int_equal(take(0, 1), SEQUENCE_DUPLICATE);
	assert_int_equal(take(1, 1), SEQUENCE_DUPLICATE);
	assert_int_equal(take(2, 1), SEQUENCE_RESET);
	for (uint32_t i = 3; i < 20; i++)
		assert_int_equal(take(i, 1), SEQUENCE_OK);
	assert_int_equal(lost_at_last(), 0);
}

static void late_ones_that_do_not_follow_each_other_are_no_restart(void **)
{
	assert_int_equal(take(0, 1), SEQUENCE_OK);
	assert_int_equal(take(20, 1), SEQUENCE_GAP);
	for (uint32_t i = 2; i < 20; i += 2)
		assert_int_equal(take(i, 1), SEQUENCE_LATE);
	assert_int_equal(take(21, 1), SEQUENCE_OK);
	assert_int_equal(lost_at_last(), 10);
}

static void old_gap_outlives_a_restart(void **)
{
	assert_int_equal(take(1000, 1), SEQUENCE_OK);
	assert_int_equal(take(1003, 1), SEQUENCE_GAP);
	assert_int_equal(take(0, 1), SEQUENCE_RESET);
	assert_int_equal(lost_at_last(), 2);
	assert_int_equal(take(0, 1), SEQUENCE_DUPLICATE); // of the new numbering
	assert_int_equal(take(1, 1), SEQUENCE_OK);
}

static void forgotten_numbers_begin_anywhere(void **)
{
	assert_int_equal(take(10, 1), SEQUENCE_OK);
	sequence_forget(&q);
	assert_int_equal(take(500, 1), SEQUENCE_OK);
	assert_int_equal(take(501, 1), SEQUENCE_OK);
	assert_int_equal(lost_at_last(), 0);
}

#define TEST(f) cmocka_unit_test_setup(f, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(numbers_in_order_lose_nothing),
		TEST(gap_is_what_is_missing),
		TEST(every_dropped_message_of_many_is_counted),
		TEST(messages_without_records_move_nothing),
		TEST(late_message_fills_the_gap),
		TEST(two_swapped_messages_lose_nothing),
		TEST(gap_is_a_loss_after_a_second),
		TEST(duplicate_fills_no_gap),
		TEST(late_message_can_come_twice),
		TEST(every_message_doubled_loses_nothing_and_hides_nothing),
		TEST(numbers_wrap),
		TEST(gaps_late_ones_and_duplicates_over_the_wrap),
		TEST(numbers_far_behind_began_anew),
		TEST(numbers_far_ahead_began_anew),
		TEST(numbers_just_behind_began_anew_when_they_go_on),
		TEST(late_ones_that_do_not_follow_each_other_are_no_restart),
		TEST(old_gap_outlives_a_restart),
		TEST(forgotten_numbers_begin_anywhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
