// SPDX-License-Identifier: Apache-2.0
#include "collector/store/pack.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/arrays.h"
#include "tests/unit/collector/store/values.h"

// Decodes n values and compares them with those at `want`, when there are any.
struct wanted {
	const uint64_t *want;
	uint32_t n;
};

static int decode(void *ctx, const void *p, size_t len)
{
	const struct wanted *w = ctx;
	struct buf b = buf_of(p, len);
	uint64_t *got = arrays_room(w->n);
	int ret = pack_decode(&b, got, w->n);
	if (ret == 0 && w->want) {
		assert_memory_equal(got, w->want, w->n * sizeof(*got));
		assert_int_equal(buf_left(&b), 0);
	}
	free(got);
	return ret;
}

static struct pack_plan encode(struct bytes *out, const uint64_t *v, uint32_t n, bool is_time)
{
	struct pack_plan plan = pack_plan(v, n, is_time);
	out->len = 0;
	pack_encode(&plan, out, v, n);
	assert_false(out->bad);
	return plan;
}

static void check(const uint64_t *v, uint32_t n, bool is_time)
{
	struct wanted wanted = {v, n};
	struct values values = {decode, &wanted};
	struct bytes out = {0};
	(void)encode(&out, v, n, is_time);
	assert_int_equal(values_decode(&values, out.p, out.len), 0);
	bytes_fini(&out);
}

static void arrays_of_all_kinds_come_back(void **state)
{
	static const uint32_t sizes[] = {1, 2, 3, 7, 8, 9, 63, 64, 65, 1000};
	(void)state;
	for (int a = 0; a < ARRAY_N; a++) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			uint64_t *v = arrays_make((enum array)a, sizes[i]);
			check(v, sizes[i], false);
			check(v, sizes[i], true);
			free(v);
		}
	}
}

// The end of the bits falls on each place in a byte, and the fast load of 8 bytes ends before it.
static void each_width_and_length_comes_back(void **state)
{
	uint64_t v[40];
	(void)state;
	for (unsigned bits = 0; bits <= 64; bits++) {
		for (uint32_t n = 1; n <= 40; n++) {
			uint64_t mask = bits < 64 ? (1ull << bits) - 1 : ~0ull;
			for (uint32_t i = 0; i < n; i++)
				v[i] = rows_random() & mask;
			check(v, n, false);
		}
	}
}

static void equal_values_take_no_bits(void **state)
{
	uint64_t *v = arrays_make(ARRAY_CONSTANT, 65536);
	struct bytes out = {0};
	(void)state;
	struct pack_plan plan = encode(&out, v, 65536, false);
	assert_int_equal(plan.bits, 0);
	assert_int_equal(plan.n_exceptions, 0);
	assert_true(out.len < 16);
	free(v);
	bytes_fini(&out);
}

static void few_large_values_are_exceptions(void **state)
{
	uint64_t *v = arrays_make(ARRAY_OUTLIERS, 10000);
	struct bytes out = {0};
	(void)state;
	struct pack_plan plan = encode(&out, v, 10000, false);
	assert_int_equal(plan.bits, 4);
	assert_in_range(plan.n_exceptions, 1, 500);
	assert_true(out.len < 10000 / 2 + 500 * 12);
	check(v, 10000, false);
	free(v);
	bytes_fini(&out);
}

static void widths_no_load_can_give_are_not_used(void **state)
{
	struct bytes out = {0};
	(void)state;
	for (unsigned bits = 57; bits <= 64; bits++) {
		uint64_t v[100];
		for (int i = 0; i < 100; i++)
			v[i] = (rows_random() | 1ull << 63) >> (64 - bits);
		v[0] = 0;
		struct pack_plan plan = encode(&out, v, 100, false);
		assert_int_equal(plan.bits, 64);
		check(v, 100, false);
	}
	bytes_fini(&out);
}

static void whole_units_of_time_are_scaled(void **state)
{
	static const uint64_t units[] = {1, NS_PER_USEC, NS_PER_MSEC, NS_PER_SEC};
	struct bytes out = {0};
	uint64_t v[1000];
	(void)state;
	for (int u = 0; u < 4; u++) {
		for (int i = 0; i < 1000; i++)
			v[i] = 1766000000123456789 + rows_below(4096) * units[u];
		assert_int_equal(encode(&out, v, 1000, true).scale, units[u]);
		assert_int_equal(encode(&out, v, 1000, false).scale, 1);
		check(v, 1000, true);
	}
	bytes_fini(&out);
}

static void cut_bytes_are_refused(void **state)
{
	(void)state;
	for (int a = 0; a < ARRAY_N; a++) {
		uint64_t *v = arrays_make((enum array)a, 100);
		struct wanted wanted = {NULL, 100};
		struct values values = {decode, &wanted};
		struct bytes out = {0};
		(void)encode(&out, v, 100, true);
		values_refuse_truncation(&values, &out);
		values_survive_flips(&values, &out);
		bytes_fini(&out);
		free(v);
	}
}

static int decode_head(
	uint8_t bits, uint64_t n_exceptions, uint64_t first_exception, size_t n_data, uint32_t n
)
{
	struct wanted wanted = {NULL, n};
	struct values values = {decode, &wanted};
	struct bytes out = {0};
	bytes_u8(&out, bits);
	bytes_varint(&out, 0);
	bytes_varint(&out, 1);
	bytes_varint(&out, n_exceptions);
	for (uint64_t i = 0; i < n_exceptions && i < 100; i++) {
		bytes_varint(&out, i ? 1 : first_exception);
		bytes_varint(&out, 5);
	}
	for (size_t i = 0; i < n_data; i++)
		bytes_u8(&out, 0x55);
	int ret = values_decode(&values, out.p, out.len);
	bytes_fini(&out);
	return ret;
}

static void heads_that_cannot_be_are_refused(void **state)
{
	(void)state;
	assert_int_equal(decode_head(8, 0, 0, 10, 10), 0);
	assert_int_equal(decode_head(8, 10, 0, 10, 10), 0);
	assert_int_equal(decode_head(8, 10, 1, 10, 10), -EIO); // the last is beyond the array
	assert_int_equal(decode_head(8, 11, 0, 10, 10), -EIO); // more than there are values
	assert_int_equal(decode_head(8, UINT64_MAX, 0, 10, 10), -EIO);
	assert_int_equal(decode_head(8, 1, UINT64_MAX, 10, 10), -EIO);
	assert_int_equal(decode_head(56, 0, 0, 70, 10), 0);
	assert_int_equal(decode_head(57, 0, 0, 80, 10), -EIO);
	assert_int_equal(decode_head(64, 0, 0, 80, 10), 0);
	assert_int_equal(decode_head(65, 0, 0, 100, 10), -EIO);
	assert_int_equal(decode_head(255, 0, 0, 400, 10), -EIO);
}

static void random_bytes_do_no_harm(void **state)
{
	uint8_t bytes[64];
	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct wanted wanted = {NULL, (uint32_t)rows_below(60)};
		struct values values = {decode, &wanted};
		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = (uint8_t)rows_random();
		bytes[0] &= 63;
		bytes[3] &= 7;
		int ret = values_decode(&values, bytes, rows_below(sizeof(bytes)));
		assert_true(ret == 0 || ret == -EIO);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arrays_of_all_kinds_come_back),
		cmocka_unit_test(each_width_and_length_comes_back),
		cmocka_unit_test(equal_values_take_no_bits),
		cmocka_unit_test(few_large_values_are_exceptions),
		cmocka_unit_test(widths_no_load_can_give_are_not_used),
		cmocka_unit_test(whole_units_of_time_are_scaled),
		cmocka_unit_test(cut_bytes_are_refused),
		cmocka_unit_test(heads_that_cannot_be_are_refused),
		cmocka_unit_test(random_bytes_do_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
