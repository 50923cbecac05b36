// SPDX-License-Identifier: Apache-2.0
#include "collector/store/block.h"
#include "collector/store/checksum.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/columns.h"
#include "tests/unit/collector/store/values.h"

// Places in a journal block (docs/STORE.md).
#define AT_VERSION 4
#define AT_COLUMNS 6
#define AT_ROWS 8
#define AT_DIRECTORY 32
#define ENTRY_LEN 5

struct fixture {
	struct column_coder coder, other;
	struct bytes out;
	struct record_batch *rows, *got;
	struct block_summary summary;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	column_init(&f->coder);
	column_init(&f->other);
	f->got = record_batch_create(1000);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	column_fini(&f->coder);
	column_fini(&f->other);
	bytes_fini(&f->out);
	record_batch_free(f->rows);
	record_batch_free(f->got);
	free(f);
	return 0;
}

static int decode(void *ctx, const void *p, size_t len)
{
	struct fixture *f = ctx;
	int ret = block_decode(&f->other, p, len, ~0ull, f->got);
	if (ret < 0)
		assert_int_equal(f->got->n_rows | f->got->used, 0);
	return ret;
}

// A block of plausible rows.
static struct values encode(struct fixture *f, uint32_t n)
{
	record_batch_free(f->rows);
	f->rows = rows_batch(0, ROWS_HOUR, n);
	f->out.len = 0;
	struct column_rows rows = {f->rows, NULL, n};
	assert_int_equal(block_encode(&f->coder, &f->out, &rows, &f->summary), 0);
	return (struct values){decode, f};
}

// Makes the checksum right again after a change.
static int decode_sealed(struct fixture *f)
{
	struct values values = {decode, f};
	uint64_t sum = htole64(checksum64(f->out.p, f->out.len - 8));
	memcpy(f->out.p + f->out.len - 8, &sum, 8);
	return values_decode(&values, f->out.p, f->out.len);
}

static void assert_rows(const struct fixture *f)
{
	struct column_rows rows = {f->rows, NULL, f->rows->n_rows};
	assert_int_equal(f->got->n_rows, f->rows->n_rows);
	for (int field = 0; field < RECORD_N_FIELDS; field++)
		columns_assert_equal(&rows, (enum record_field)field, f->got);
}

static void blocks_of_all_sizes_come_back(void **state)
{
	struct fixture *f = *state;
	static const uint32_t sizes[] = {1, 2, 3, 100, 1000};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct values values = encode(f, sizes[i]);
		assert_int_equal(values_decode(&values, f->out.p, f->out.len), 0);
		assert_rows(f);
	}
}

static void all_columns_come_back(void **state)
{
	struct fixture *f = *state;
	f->rows = columns_batch(700);
	struct column_rows rows = {f->rows, NULL, 700};
	for (int field = 0; field < RECORD_N_FIELDS; field++)
		columns_fill(f->rows, (enum record_field)field, (enum array)(field % ARRAY_N));
	assert_int_equal(block_encode(&f->coder, &f->out, &rows, &f->summary), 0);
	assert_int_equal(decode(f, f->out.p, f->out.len), 0);
	assert_rows(f);
}

static void a_full_journal_block_comes_back(void **state)
{
	struct fixture *f = *state;
	record_batch_free(f->got);
	f->got = record_batch_create(JOURNAL_ROWS_MAX);
	struct values values = encode(f, JOURNAL_ROWS_MAX);
	assert_int_equal(values_decode(&values, f->out.p, f->out.len), 0);
	assert_rows(f);
}

static void only_the_columns_asked_for_come_and_the_start(void **state)
{
	struct fixture *f = *state;
	(void)encode(f, 100);
	assert_int_equal(
		block_decode(&f->other, f->out.p, f->out.len, RECORD_BIT(bytes), f->got), 0
	);
	assert_int_equal(f->got->used, RECORD_BIT(bytes) | RECORD_BIT(start_ns));
	assert_int_equal(block_decode(&f->other, f->out.p, f->out.len, 0, f->got), 0);
	assert_int_equal(f->got->used, RECORD_BIT(start_ns));
	assert_int_equal(f->got->n_rows, 100);
}

static void the_summary_says_what_is_in_it(void **state)
{
	struct fixture *f = *state;
	(void)encode(f, 1000);
	struct block_summary want = {.n_rows = 1000, .start_min = UINT64_MAX, .len = f->out.len};
	for (uint32_t i = 0; i < 1000; i++) {
		struct record r;
		record_batch_get(f->rows, i, &r);
		want.start_min = r.start_ns < want.start_min ? r.start_ns : want.start_min;
		want.start_max = r.start_ns > want.start_max ? r.start_ns : want.start_max;
		want.n_denied += r.verdict == VERDICT_DENY;
		want.fields |= r.set;
	}
	assert_true(want.n_denied > 0);
	assert_memory_equal(&f->summary, &want, sizeof(want));
}

static int decode_summary(void *ctx, const void *p, size_t len)
{
	struct block_summary *s = ctx;
	return block_summary_decode(p, len, s);
}

static void summaries_come_back_and_damaged_ones_do_not(void **state)
{
	struct block_summary got, want = {1, 0, 5, 5, ~0ull, UINT64_MAX};
	struct values values = {decode_summary, &got};
	uint8_t bytes[BLOCK_SUMMARY_LEN + 1] = {0};
	struct bytes b = {.p = bytes, .len = BLOCK_SUMMARY_LEN};
	(void)state;
	block_summary_encode(&want, bytes);
	assert_int_equal(values_decode(&values, bytes, BLOCK_SUMMARY_LEN), 0);
	assert_memory_equal(&got, &want, sizeof(got));
	values_refuse_truncation(&values, &b);
	values_refuse_flips(&values, &b);
	assert_int_equal(values_decode(&values, bytes, sizeof(bytes)), -EIO);
}

static void summaries_that_cannot_be_are_refused(void **state)
{
	static const struct block_summary wrong[] = {
		{.n_rows = 0, .start_max = 1},
		{.n_rows = BLOCK_ROWS_MAX + 1, .start_max = 1},
		{.n_rows = 1, .start_min = 2, .start_max = 1},
	};
	uint8_t bytes[BLOCK_SUMMARY_LEN];
	struct block_summary got;
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		block_summary_encode(&wrong[i], bytes);
		assert_int_equal(block_summary_decode(bytes, sizeof(bytes), &got), -EIO);
	}
}

static void damaged_blocks_are_refused(void **state)
{
	struct fixture *f = *state;
	struct values values = encode(f, 20);
	values_refuse_truncation(&values, &f->out);
	values_refuse_flips(&values, &f->out);
	bytes_u8(&f->out, 0);
	assert_int_equal(values_decode(&values, f->out.p, f->out.len), -EIO);
}

// Bytes that are not what we write, under a right checksum.
static void blocks_that_cannot_be_are_refused(void **state)
{
	struct fixture *f = *state;
	static const struct {
		size_t at;
		uint8_t flip;
	} changes[] = {
		{0, 1},			       // the magic
		{AT_VERSION, 3},	       // version 2
		{AT_COLUMNS, 1},	       // one column more or less
		{AT_COLUMNS + 1, 1},	       // 256 more
		{AT_ROWS, 16},		       // 16 rows more or less
		{AT_ROWS + 3, 0x80},	       // far more than the batch can take
		{AT_DIRECTORY, 63},	       // the order of the columns
		{AT_DIRECTORY + ENTRY_LEN, 1}, // likewise
		{AT_DIRECTORY + 1, 1},	       // the length of a column
		{AT_DIRECTORY + 4, 0x80},      // likewise, beyond the end
	};
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		(void)encode(f, 100);
		f->out.p[changes[i].at] ^= changes[i].flip;
		if (decode_sealed(f) != -EIO)
			fail_msg("change %zu went unnoticed", i);
	}
	(void)encode(f, 100);
	memset(f->out.p + AT_ROWS, 0, 4);
	assert_int_equal(decode_sealed(f), -EIO);
}

static void columns_of_a_newer_version_are_passed_over(void **state)
{
	struct fixture *f = *state;
	(void)encode(f, 100);
	uint16_t n = f->out.p[AT_COLUMNS];
	uint8_t *last = f->out.p + AT_DIRECTORY + (n - 1) * ENTRY_LEN;
	enum record_field was = (enum record_field) * last;
	*last = 63;
	assert_int_equal(decode_sealed(f), 0);
	assert_int_equal(f->got->n_rows, 100);
	assert_int_equal(f->got->used, f->summary.fields & ~(1ull << was));
	*last = 64; // no field can have that number
	assert_int_equal(decode_sealed(f), -EIO);
}

static void blocks_of_no_rows_and_too_many_are_not_made(void **state)
{
	struct fixture *f = *state;
	f->rows = rows_batch(0, ROWS_HOUR, 1);
	struct column_rows rows = {f->rows, NULL, 0};
	assert_int_equal(block_encode(&f->coder, &f->out, &rows, &f->summary), -EINVAL);
	rows.n = BLOCK_ROWS_MAX + 1;
	assert_int_equal(block_encode(&f->coder, &f->out, &rows, &f->summary), -EINVAL);
	(void)encode(f, 11);
	record_batch_free(f->got);
	f->got = record_batch_create(10);
	assert_int_equal(decode(f, f->out.p, f->out.len), -EIO);
}

struct column_value {
	struct fixture *f;
	enum record_field field;
};

static int decode_column(void *ctx, const void *p, size_t len)
{
	const struct column_value *c = ctx;
	struct buf b = buf_of(p, len);
	return block_column_decode(&c->f->other, b, c->field, c->f->got, c->f->rows->n_rows, false);
}

static void sealed_columns_come_back_and_damaged_ones_do_not(void **state)
{
	struct fixture *f = *state;
	(void)encode(f, 50);
	struct column_rows rows = {f->rows, NULL, 50};
	for (int field = 0; field < RECORD_N_FIELDS; field++) {
		struct column_value c = {f, (enum record_field)field};
		struct values values = {decode_column, &c};
		f->out.len = 0;
		int ret = block_column_encode(&f->coder, &f->out, &rows, c.field);
		assert_int_equal(ret, f->summary.fields >> field & 1);
		assert_int_equal(f->out.len > 0, ret);
		if (!ret)
			continue;
		assert_int_equal(values_decode(&values, f->out.p, f->out.len), 0);
		f->got->n_rows = 50;
		columns_assert_equal(&rows, c.field, f->got);
		values_refuse_truncation(&values, &f->out);
		values_refuse_flips(&values, &f->out);
		assert_int_equal(values_decode(&values, f->out.p, f->out.len), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(blocks_of_all_sizes_come_back),
		TEST(all_columns_come_back),
		TEST(a_full_journal_block_comes_back),
		TEST(only_the_columns_asked_for_come_and_the_start),
		TEST(the_summary_says_what_is_in_it),
		TEST(summaries_come_back_and_damaged_ones_do_not),
		TEST(summaries_that_cannot_be_are_refused),
		TEST(damaged_blocks_are_refused),
		TEST(blocks_that_cannot_be_are_refused),
		TEST(columns_of_a_newer_version_are_passed_over),
		TEST(blocks_of_no_rows_and_too_many_are_not_made),
		TEST(sealed_columns_come_back_and_damaged_ones_do_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
