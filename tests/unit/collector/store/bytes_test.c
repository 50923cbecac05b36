// SPDX-License-Identifier: Apache-2.0
#include "collector/store/bytes.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/values.h"

static void numbers_are_little_endian(void **state)
{
	static const uint8_t want[] = {
		0x01, 0x34, 0x12, 0x78, 0x56, 0x34, 0x12, 8, 7, 6, 5, 4, 3, 2, 1};
	struct bytes w = {0};
	(void)state;
	bytes_u8(&w, 1);
	bytes_u16(&w, 0x1234);
	bytes_u32(&w, 0x12345678);
	bytes_u64(&w, 0x0102030405060708);
	assert_int_equal(w.len, sizeof(want));
	assert_memory_equal(w.p, want, sizeof(want));
	struct buf b = buf_of(w.p, w.len);
	assert_int_equal(buf_u8(&b), 1);
	assert_int_equal(bytes_get_u16(&b), 0x1234);
	assert_int_equal(bytes_get_u32(&b), 0x12345678);
	assert_int_equal(bytes_get_u64(&b), 0x0102030405060708);
	assert_false(b.bad);
	assert_int_equal(buf_left(&b), 0);
	bytes_fini(&w);
}

static void reads_past_the_end_give_0_and_stick(void **state)
{
	static const uint8_t bytes[7] = {1, 2, 3, 4, 5, 6, 7};
	struct buf b = buf_of(bytes, sizeof(bytes));
	(void)state;
	assert_int_equal(bytes_get_u64(&b), 0);
	assert_true(b.bad);
	assert_int_equal(bytes_get_u16(&b), 0);
	b = buf_of(bytes, 3);
	assert_int_equal(bytes_get_u32(&b), 0);
	assert_true(b.bad);
	b = buf_of(bytes, 1);
	assert_int_equal(bytes_get_u16(&b), 0);
	assert_true(b.bad);
}

static void varints_of_all_sizes_come_back(void **state)
{
	struct bytes w = {0};
	(void)state;
	for (unsigned bits = 0; bits < 64; bits++) {
		uint64_t v = 1ull << bits;
		w.len = 0;
		bytes_varint(&w, v - 1);
		bytes_varint(&w, v);
		assert_int_equal(w.len, (bits + 6) / 7 + (bits == 0) + bits / 7 + 1);
		struct buf b = buf_of(w.p, w.len);
		assert_int_equal(bytes_get_varint(&b), v - 1);
		assert_int_equal(bytes_get_varint(&b), v);
		assert_false(b.bad);
		assert_int_equal(buf_left(&b), 0);
	}
	w.len = 0;
	bytes_varint(&w, UINT64_MAX);
	assert_int_equal(w.len, 10);
	struct buf b = buf_of(w.p, w.len);
	assert_int_equal(bytes_get_varint(&b), UINT64_MAX);
	bytes_fini(&w);
}

static int decode_varint(void *ctx, const void *p, size_t len)
{
	struct buf b = buf_of(p, len);
	(void)ctx;
	(void)bytes_get_varint(&b);
	return b.bad ? -EIO : 0;
}

static void varints_beyond_64_bits_or_cut_are_bad(void **state)
{
	static const struct values v = {.decode = decode_varint};
	uint8_t bytes[12];
	struct bytes w = {0};
	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(values_decode(&v, bytes, sizeof(bytes)), -EIO);
	bytes[9] = 0x01;
	assert_int_equal(values_decode(&v, bytes, 10), 0);
	bytes[9] = 0x02; // bit 64
	assert_int_equal(values_decode(&v, bytes, 10), -EIO);
	bytes[9] = 0x81; // an eleventh byte
	bytes[10] = 0;
	assert_int_equal(values_decode(&v, bytes, 11), -EIO);
	bytes_varint(&w, UINT64_MAX);
	values_refuse_truncation(&v, &w);
	bytes_fini(&w);
}

static void the_writer_grows_and_keeps_what_is_there(void **state)
{
	struct bytes w = {0};
	(void)state;
	for (uint32_t i = 0; i < 10000; i++) {
		bytes_u32(&w, i);
		bytes_put(&w, NULL, 0);
	}
	assert_false(w.bad);
	assert_int_equal(w.len, 40000);
	struct buf b = buf_of(w.p, w.len);
	for (uint32_t i = 0; i < 10000; i++)
		assert_int_equal(bytes_get_u32(&b), i);
	uint8_t *p = bytes_take(&w, 100000);
	assert_ptr_equal(p, w.p + 40000);
	memset(p, 0xaa, 100000);
	bytes_fini(&w);
	assert_null(w.p);
	assert_int_equal(w.len + w.cap, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_little_endian),
		cmocka_unit_test(reads_past_the_end_give_0_and_stick),
		cmocka_unit_test(varints_of_all_sizes_come_back),
		cmocka_unit_test(varints_beyond_64_bits_or_cut_are_bad),
		cmocka_unit_test(the_writer_grows_and_keeps_what_is_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
