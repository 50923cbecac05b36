// SPDX-License-Identifier: Apache-2.0
#include "lib/base/buf.h"
#include "tests/unit/cmocka.h"

static void integers_are_read_in_network_order(void **)
{
	static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	struct buf b = buf_of(bytes, sizeof(bytes));
	assert_int_equal(buf_u8(&b), 1);
	assert_int_equal(buf_u16(&b), 0x0203);
	assert_int_equal(buf_u32(&b), 0x04050607);
	assert_true(buf_u64(&b) == 0x08090a0b0c0d0e0full);
	assert_int_equal(buf_left(&b), 0);
	assert_false(b.bad);
}

static void reads_past_the_end_give_zero_and_stick(void **)
{
	static const uint8_t bytes[] = {1, 2, 3};
	struct buf b = buf_of(bytes, sizeof(bytes));
	assert_int_equal(buf_u32(&b), 0);
	assert_true(b.bad);
	assert_int_equal(buf_u8(&b), 0);
	assert_int_equal(buf_left(&b), 0);
	assert_true(b.bad);
}

static void reduced_size_integers_have_zero_to_eight_bytes(void **)
{
	static const uint8_t bytes[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
	for (size_t n = 0; n <= 8; n++) {
		struct buf b = buf_of(bytes, n);
		uint64_t want = 0;
		for (size_t i = 0; i < n; i++)
			want = want << 8 | bytes[i];
		assert_true(buf_uint(&b, n) == want);
		assert_false(b.bad);
	}
	struct buf b = buf_of(bytes, 9);
	assert_int_equal(buf_uint(&b, 9), 0);
	assert_true(b.bad);
}

static void a_part_longer_than_the_rest_is_bad_and_empty(void **)
{
	static const uint8_t bytes[4] = {};
	struct buf b = buf_of(bytes, sizeof(bytes));
	struct buf good = buf_sub(&b, 3);
	assert_int_equal(buf_left(&good), 3);
	struct buf bad = buf_sub(&b, 2);
	assert_true(bad.bad);
	assert_int_equal(buf_left(&bad), 0);
}

static void what_does_not_fit_is_not_written(void **)
{
	uint8_t room[4];
	struct wbuf w = wbuf_of(room, sizeof(room));
	wbuf_u16(&w, 0x0102);
	wbuf_u32(&w, 0xffffffff);
	assert_true(w.full);
	assert_int_equal(wbuf_len(&w), 2);
	wbuf_u8(&w, 9); // would fit, but the error sticks
	assert_int_equal(wbuf_len(&w), 2);
}

static void lengths_are_put_back_at_their_place(void **)
{
	uint8_t room[8];
	struct wbuf w = wbuf_of(room, sizeof(room));
	wbuf_u16(&w, 0);
	wbuf_uint(&w, 0xabcdef, 3);
	wbuf_put_u16(&w, 0, (uint16_t)wbuf_len(&w));
	static const uint8_t want[] = {0, 5, 0xab, 0xcd, 0xef};
	assert_int_equal(wbuf_len(&w), sizeof(want));
	assert_memory_equal(room, want, sizeof(want));
	wbuf_put_u16(&w, 4, 0xffff); // its second byte is not written yet
	assert_memory_equal(room, want, sizeof(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_read_in_network_order),
		cmocka_unit_test(reads_past_the_end_give_zero_and_stick),
		cmocka_unit_test(reduced_size_integers_have_zero_to_eight_bytes),
		cmocka_unit_test(a_part_longer_than_the_rest_is_bad_and_empty),
		cmocka_unit_test(what_does_not_fit_is_not_written),
		cmocka_unit_test(lengths_are_put_back_at_their_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
