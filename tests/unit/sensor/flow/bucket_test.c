// SPDX-License-Identifier: Apache-2.0
#include "sensor/flow/bucket.h"
#include "tests/unit/sensor/flow/flows.h"

// Tags that are often equal, and of which every bit and sign matters.
static uint16_t random_tag(void)
{
	static const uint16_t edges[] = {0, 1, 0x7fff, 0x8000, 0x8001, 0xff00, 0x00ff, 0xffff};
	return flows_below(2) ? edges[flows_below(8)] : (uint16_t)flows_below(65536);
}

static void matching_by_vectors_gives_what_plain_matching_gives(void **)
{
	for (int round = 0; round < 100000; round++) {
		struct flow_bucket b;
		for (int i = 0; i < BUCKET_SLOTS; i++) {
			b.tags[i] = random_tag();
			b.due[i] = random_tag();
		}
		for (int i = 0; i < BUCKET_SLOTS; i++)
			assert_int_equal(
				bucket_match(&b, b.tags[i]), bucket_match_plain(&b, b.tags[i])
			);
		uint16_t any = random_tag();
		assert_int_equal(bucket_match(&b, any), bucket_match_plain(&b, any));
	}
}

static void each_slot_is_a_bit_of_its_own(void **)
{
	for (int i = 0; i < BUCKET_SLOTS; i++) {
		struct flow_bucket b = {};
		b.tags[i] = 0x8001;
		assert_int_equal(bucket_match(&b, 0x8001), 1 << i);
		assert_int_equal(bucket_match_plain(&b, 0x8001), 1 << i);
		assert_int_equal(bucket_match(&b, 0), 0xffff & ~(1 << i));
		assert_int_equal(bucket_match(&b, 0x8000), 0);
	}
}

static void due_times_are_no_tags(void **)
{
	struct flow_bucket b = {};
	for (int i = 0; i < BUCKET_SLOTS; i++)
		b.due[i] = 7;
	assert_int_equal(bucket_match(&b, 7), 0);
}

static void a_bucket_is_two_adjacent_cache_lines(void **)
{
	assert_int_equal(sizeof(struct flow_bucket), 128);
	assert_int_equal(alignof(struct flow_bucket), 128);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matching_by_vectors_gives_what_plain_matching_gives),
		cmocka_unit_test(each_slot_is_a_bit_of_its_own),
		cmocka_unit_test(due_times_are_no_tags),
		cmocka_unit_test(a_bucket_is_two_adjacent_cache_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
