// SPDX-License-Identifier: Apache-2.0
#include "collector/store/ints.h"
#include "collector/store/pack.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/arrays.h"
#include "tests/unit/collector/store/values.h"

enum { FORM_PACK, FORM_DELTA, FORM_DICT }; // the first byte, docs/STORE.md

#define ROWS_MAX (1u << 20) // of a sealed block

struct fixture {
	struct ints_coder coder, other; // what decodes is not what encoded
	struct bytes out;
	const uint64_t *want; // NULL: any values will do
	uint32_t n;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	ints_init(&f->coder);
	ints_init(&f->other);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	ints_fini(&f->coder);
	ints_fini(&f->other);
	bytes_fini(&f->out);
	free(f);
	return 0;
}

static int decode(void *ctx, const void *p, size_t len)
{
	struct fixture *f = ctx;
	struct buf b = buf_of(p, len);
	uint64_t *got = arrays_room(f->n);
	int ret = ints_decode(&f->other, &b, got, f->n);
	if (ret == 0 && f->want) {
		assert_memory_equal(got, f->want, f->n * sizeof(*got));
		assert_int_equal(buf_left(&b), 0);
	}
	free(got);
	return ret;
}

// Encodes the array; the length.
static size_t encode(struct fixture *f, const uint64_t *v, uint32_t n, struct ints_spec spec)
{
	f->out.len = 0;
	assert_int_equal(ints_encode(&f->coder, &f->out, v, n, spec), 0);
	f->want = v;
	f->n = n;
	return f->out.len;
}

// As encode, and back; the form chosen.
static int check(struct fixture *f, const uint64_t *v, uint32_t n, struct ints_spec spec)
{
	struct values values = {decode, f};
	(void)encode(f, v, n, spec);
	assert_int_equal(values_decode(&values, f->out.p, f->out.len), 0);
	return f->out.p[0];
}

static void arrays_of_all_kinds_come_back(void **state)
{
	static const uint32_t sizes[] = {1, 2, 3, 4, 8, 100, 3000};
	for (int a = 0; a < ARRAY_N; a++) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			uint64_t *v = arrays_make((enum array)a, sizes[i]);
			for (int k = 0; k < 8; k++) {
				struct ints_spec spec = {
					(enum ints_effort)(k % 2), k / 2 % 2, k / 4};
				(void)check(*state, v, sizes[i], spec);
			}
			free(v);
		}
	}
}

static void what_rises_in_parts_is_kept_as_steps(void **state)
{
	uint64_t v[4000];
	for (uint32_t i = 0; i < 4000; i++) // mapped IPv4 addresses, then small numbers
		v[i] = i < 3000 ? (0xffff0a010000 + i * 3) : i;
	int plain = check(*state, v, 4000, (struct ints_spec){INTS_FAST, false, false});
	size_t plain_len = encode(*state, v, 4000, (struct ints_spec){INTS_FAST, false, false});
	int steps = check(*state, v, 4000, (struct ints_spec){INTS_FAST, false, true});
	size_t len = encode(*state, v, 4000, (struct ints_spec){INTS_FAST, false, true});
	assert_int_equal(plain, 0);
	assert_int_equal(steps, 1);
	assert_true(len < plain_len / 8);
}

static void the_largest_arrays_come_back(void **state)
{
	static const enum array arrays[] = {ARRAY_RANDOM, ARRAY_FEW, ARRAY_SORTED, ARRAY_CONSTANT};
	for (int i = 0; i < 4; i++) {
		uint64_t *v = arrays_make(arrays[i], ROWS_MAX);
		(void)check(*state, v, ROWS_MAX, (struct ints_spec){INTS_SMALL, false, false});
		free(v);
	}
}

static int form_of(struct fixture *f, enum array a, enum ints_effort effort)
{
	uint64_t *v = arrays_make(a, 4000);
	int form = check(f, v, 4000, (struct ints_spec){effort, false, false});
	free(v);
	return form;
}

static void the_form_goes_by_the_size(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(form_of(f, ARRAY_ZERO, INTS_SMALL), FORM_PACK);
	assert_int_equal(form_of(f, ARRAY_CONSTANT, INTS_SMALL), FORM_PACK);
	assert_int_equal(form_of(f, ARRAY_SMALL, INTS_SMALL), FORM_PACK);
	assert_int_equal(form_of(f, ARRAY_RANDOM, INTS_SMALL), FORM_PACK);
	assert_int_equal(form_of(f, ARRAY_SORTED, INTS_SMALL), FORM_DELTA);
	assert_int_equal(form_of(f, ARRAY_STEPS, INTS_FAST), FORM_DELTA);
	assert_int_equal(form_of(f, ARRAY_FEW, INTS_SMALL), FORM_DICT);
	assert_int_equal(form_of(f, ARRAY_FEW, INTS_FAST), FORM_PACK);
	assert_int_equal(form_of(f, ARRAY_ALTERNATING, INTS_SMALL), FORM_DICT);
}

static void no_array_takes_more_than_its_packed_form(void **state)
{
	struct fixture *f = *state;
	struct bytes packed = {0};
	for (int a = 0; a < ARRAY_N; a++) {
		uint64_t *v = arrays_make((enum array)a, 5000);
		struct pack_plan plan = pack_plan(v, 5000, true);
		packed.len = 0;
		pack_encode(&plan, &packed, v, 5000);
		size_t fast = encode(f, v, 5000, (struct ints_spec){INTS_FAST, true, false});
		size_t small = encode(f, v, 5000, (struct ints_spec){INTS_SMALL, true, false});
		assert_true(fast <= 1 + packed.len);
		assert_true(small <= fast);
		assert_true(small <= 5000 * 8 + 32);
		free(v);
	}
	bytes_fini(&packed);
}

static void arrays_stand_one_after_the_other(void **state)
{
	struct fixture *f = *state;
	uint64_t *v[ARRAY_N], got[500];
	for (int a = 0; a < ARRAY_N; a++) {
		struct ints_spec spec = {INTS_SMALL, false, false};
		v[a] = arrays_make((enum array)a, 500);
		assert_int_equal(ints_encode(&f->coder, &f->out, v[a], 500, spec), 0);
	}
	struct buf b = buf_of(f->out.p, f->out.len);
	for (int a = 0; a < ARRAY_N; a++) {
		assert_int_equal(ints_decode(&f->other, &b, got, 500), 0);
		assert_memory_equal(got, v[a], sizeof(got));
		free(v[a]);
	}
	assert_int_equal(buf_left(&b), 0);
}

static void cut_bytes_are_refused_and_wrong_ones_do_no_harm(void **state)
{
	struct fixture *f = *state;
	struct values values = {decode, f};
	for (int a = 0; a < ARRAY_N; a++) {
		uint64_t *v = arrays_make((enum array)a, 300);
		(void)encode(f, v, 300, (struct ints_spec){INTS_SMALL, true, false});
		f->want = NULL;
		values_refuse_truncation(&values, &f->out);
		values_survive_flips(&values, &f->out);
		free(v);
	}
}

// A dictionary of n_dict values 0, 1, 2, ... and n equal numbers.
static int decode_dict(struct fixture *f, uint64_t n_dict, uint64_t number, uint32_t n)
{
	struct values values = {decode, f};
	uint64_t *v = arrays_room(n);
	for (uint32_t i = 0; i < n; i++)
		v[i] = i;
	f->out.len = 0;
	bytes_u8(&f->out, FORM_DICT);
	bytes_varint(&f->out, n_dict);
	bytes_u8(&f->out, FORM_PACK);
	struct pack_plan plan = pack_plan(v, n_dict < n ? (uint32_t)n_dict : n, false);
	pack_encode(&plan, &f->out, v, n_dict < n ? (uint32_t)n_dict : n);
	for (uint32_t i = 0; i < n; i++)
		v[i] = number;
	plan = pack_plan(v, n, false);
	pack_encode(&plan, &f->out, v, n);
	free(v);
	f->want = NULL;
	f->n = n;
	return values_decode(&values, f->out.p, f->out.len);
}

static void dictionaries_that_cannot_be_are_refused(void **state)
{
	assert_int_equal(decode_dict(*state, 3, 2, 10), 0);
	assert_int_equal(decode_dict(*state, 3, 3, 10), -EIO);
	assert_int_equal(decode_dict(*state, 3, UINT64_MAX, 10), -EIO);
	assert_int_equal(decode_dict(*state, 10, 9, 10), 0);
	assert_int_equal(decode_dict(*state, 11, 0, 10), -EIO);
	assert_int_equal(decode_dict(*state, UINT64_MAX, 0, 10), -EIO);
	assert_int_equal(decode_dict(*state, 0, 0, 10), -EIO);
}

static void unknown_forms_are_refused(void **state)
{
	struct fixture *f = *state;
	struct values values = {decode, f};
	uint64_t v[10] = {1, 2, 3};
	(void)encode(f, v, 10, (struct ints_spec){INTS_FAST, false, false});
	for (int form = FORM_DICT + 1; form < 256; form++) {
		f->out.p[0] = (uint8_t)form;
		assert_int_equal(values_decode(&values, f->out.p, f->out.len), -EIO);
	}
	// Nor is a dictionary of dictionaries one.
	static const uint8_t nested[] = {FORM_DICT, 1, FORM_DICT, 1, FORM_PACK, 0, 0, 1, 0};
	f->n = 1;
	assert_int_equal(values_decode(&values, nested, sizeof(nested)), -EIO);
}

static void random_bytes_do_no_harm(void **state)
{
	struct fixture *f = *state;
	struct values values = {decode, f};
	uint8_t bytes[64];
	for (int i = 0; i < 20000; i++) {
		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = (uint8_t)(rows_random() & rows_random());
		bytes[0] %= 3;
		f->n = (uint32_t)rows_below(60);
		int ret = values_decode(&values, bytes, rows_below(sizeof(bytes)));
		assert_true(ret == 0 || ret == -EIO);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(arrays_of_all_kinds_come_back),
		TEST(what_rises_in_parts_is_kept_as_steps),
		TEST(the_largest_arrays_come_back),
		TEST(the_form_goes_by_the_size),
		TEST(no_array_takes_more_than_its_packed_form),
		TEST(arrays_stand_one_after_the_other),
		TEST(cut_bytes_are_refused_and_wrong_ones_do_no_harm),
		TEST(dictionaries_that_cannot_be_are_refused),
		TEST(unknown_forms_are_refused),
		TEST(random_bytes_do_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
