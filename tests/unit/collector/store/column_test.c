// SPDX-License-Identifier: Apache-2.0
#include "collector/store/column.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/columns.h"
#include "tests/unit/collector/store/values.h"

#define ROWS_MAX (1u << 20) // of a sealed block

struct fixture {
	struct column_coder coder, other; // what decodes is not what encoded
	struct bytes out;
	const struct column_rows *want; // NULL: any values will do
	enum record_field f;
	uint32_t n;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	column_init(&f->coder);
	column_init(&f->other);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	column_fini(&f->coder);
	column_fini(&f->other);
	bytes_fini(&f->out);
	free(f);
	return 0;
}

static void take_start(struct record_batch *into, const struct column_rows *rows)
{
	const uint64_t *from = RECORD_COLUMN(rows->batch, start_ns);
	uint64_t *to = from ? record_batch_column(into, FIELD_start_ns) : NULL;
	for (uint32_t i = 0; to && i < rows->n; i++)
		to[i] = from[rows->rows ? rows->rows[i] : i];
}

static int decode(void *ctx, const void *p, size_t len)
{
	struct fixture *f = ctx;
	struct record_batch *got = columns_batch(f->n);
	if (f->want && f->f != FIELD_start_ns)
		take_start(got, f->want);
	int ret = column_decode(&f->other, buf_of(p, len), f->f, got, f->n);
	if (ret == 0 && f->want)
		columns_assert_equal(f->want, f->f, got);
	assert_int_equal(got->used >> f->f & 1, ret == 0);
	record_batch_free(got);
	return ret;
}

// Encodes a column of the rows: as column_encode.
static int
encode(struct fixture *f,
       const struct column_rows *rows,
       enum record_field field,
       enum ints_effort effort)
{
	f->out.len = 0;
	f->want = rows;
	f->f = field;
	f->n = rows->n;
	int ret = column_encode(&f->coder, &f->out, rows, field, effort);
	assert_true(ret >= 0);
	assert_int_equal(ret, f->out.len > 0);
	return ret;
}

// As encode, and back; the form chosen, 0 for none.
static int
check(struct fixture *f,
      const struct column_rows *rows,
      enum record_field field,
      enum ints_effort effort)
{
	struct values values = {decode, f};
	if (!encode(f, rows, field, effort))
		return 0;
	assert_int_equal(values_decode(&values, f->out.p, f->out.len), 0);
	return f->out.p[0];
}

static void each_field_comes_back_whatever_it_holds(void **state)
{
	static const uint32_t sizes[] = {1, 2, 5, 400};
	for (int field = 0; field < RECORD_N_FIELDS; field++) {
		for (int a = 0; a < ARRAY_N; a++) {
			uint32_t n = sizes[(field + a) % 4];
			struct record_batch *b = columns_batch(n);
			columns_fill(b, (enum record_field)field, (enum array)a);
			struct column_rows rows = {b, NULL, n};
			int form = check(*state, &rows, (enum record_field)field, INTS_FAST);
			assert_int_equal(
				form != 0,
				check(*state, &rows, (enum record_field)field, INTS_SMALL) != 0
			);
			assert_true(form || a != ARRAY_CONSTANT);
			record_batch_free(b);
		}
	}
}

static void nothing_is_written_of_a_column_of_zeros(void **state)
{
	for (int field = 0; field < RECORD_N_FIELDS; field++) {
		struct record_batch *b = columns_batch(100);
		struct column_rows rows = {b, NULL, 100};
		assert_int_equal(encode(*state, &rows, (enum record_field)field, INTS_SMALL), 0);
		columns_fill(b, (enum record_field)field, ARRAY_ZERO);
		assert_int_equal(encode(*state, &rows, (enum record_field)field, INTS_SMALL), 0);
		assert_int_equal(encode(*state, &rows, (enum record_field)field, INTS_FAST), 0);
		record_batch_free(b);
	}
}

static void chosen_rows_come_in_the_order_asked_for(void **state)
{
	static const enum record_field fields[] = {
		FIELD_start_ns,
		FIELD_end_ns,
		FIELD_src,
		FIELD_dport,
		FIELD_src_mac,
		FIELD_server_name,
	};
	struct record_batch *b = columns_batch(1000);
	uint32_t order[300];
	struct column_rows rows = {b, order, 300};
	columns_fill(b, FIELD_start_ns, ARRAY_MSEC);
	for (size_t i = 1; i < sizeof(fields) / sizeof(fields[0]); i++)
		columns_fill(b, fields[i], ARRAY_OUTLIERS);
	for (int i = 0; i < 300; i++)
		order[i] = (uint32_t)rows_below(1000);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		assert_true(check(*state, &rows, fields[i], INTS_FAST) > 0);
		assert_true(check(*state, &rows, fields[i], INTS_SMALL) > 0);
	}
	record_batch_free(b);
}

static int form_of(struct fixture *f, enum record_field field, enum array a)
{
	struct record_batch *b = columns_batch(4000);
	struct column_rows rows = {b, NULL, 4000};
	columns_fill(b, field, a);
	int form = check(f, &rows, field, INTS_SMALL);
	record_batch_free(b);
	return form;
}

static void the_form_goes_by_the_size(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(form_of(f, FIELD_bytes, ARRAY_RANDOM), COLUMN_INTS);
	assert_int_equal(form_of(f, FIELD_src_mac, ARRAY_RANDOM), COLUMN_INTS);
	assert_int_equal(form_of(f, FIELD_src, ARRAY_RANDOM), COLUMN_ADDR);
	assert_int_equal(form_of(f, FIELD_src, ARRAY_CONSTANT), COLUMN_ADDR);
	assert_int_equal(form_of(f, FIELD_src, ARRAY_FEW), COLUMN_ADDR_DICT);
	assert_int_equal(form_of(f, FIELD_server_name, ARRAY_FEW), COLUMN_TEXT_DICT);
}

static void times_near_the_start_are_written_as_distances(void **state)
{
	struct record_batch *b = columns_batch(4000);
	struct column_rows rows = {b, NULL, 4000};
	columns_fill(b, FIELD_start_ns, ARRAY_MSEC);
	const uint64_t *start = RECORD_COLUMN(b, start_ns);
	uint64_t *end = record_batch_column(b, FIELD_end_ns);
	uint64_t *recv = record_batch_column(b, FIELD_recv_ns);
	for (int i = 0; i < 4000; i++) {
		end[i] = start[i] + rows_below(256) * NS_PER_MSEC;
		recv[i] = start[0]; // all of one datagram
	}
	end[17] = start[17] - 5; // a clock that went back: the distance wraps
	assert_int_equal(check(*state, &rows, FIELD_end_ns, INTS_SMALL), COLUMN_SINCE_START);
	assert_int_equal(check(*state, &rows, FIELD_end_ns, INTS_FAST), COLUMN_SINCE_START);
	assert_int_equal(check(*state, &rows, FIELD_recv_ns, INTS_SMALL), COLUMN_INTS);
	assert_int_equal(check(*state, &rows, FIELD_recv_ns, INTS_FAST), COLUMN_INTS);
	assert_int_equal(check(*state, &rows, FIELD_start_ns, INTS_SMALL), COLUMN_INTS);
	record_batch_free(b);
}

static void more_effort_never_makes_it_longer(void **state)
{
	struct fixture *f = *state;
	for (int field = 0; field < RECORD_N_FIELDS; field++) {
		for (int a = 0; a < ARRAY_N; a++) {
			struct record_batch *b = columns_batch(600);
			struct column_rows rows = {b, NULL, 600};
			columns_fill(b, (enum record_field)field, (enum array)a);
			(void)encode(f, &rows, (enum record_field)field, INTS_FAST);
			size_t fast = f->out.len;
			(void)encode(f, &rows, (enum record_field)field, INTS_SMALL);
			assert_true(f->out.len <= fast);
			record_batch_free(b);
		}
	}
}

static void the_largest_columns_come_back(void **state)
{
	static const enum record_field fields[] = {FIELD_bytes, FIELD_src, FIELD_dst};
	static const enum array arrays[] = {ARRAY_RANDOM, ARRAY_FEW, ARRAY_OUTLIERS};
	for (int i = 0; i < 3; i++) {
		struct record_batch *b = columns_batch(ROWS_MAX);
		struct column_rows rows = {b, NULL, ROWS_MAX};
		columns_fill(b, fields[i], arrays[i]);
		assert_true(check(*state, &rows, fields[i], INTS_SMALL) > 0);
		record_batch_free(b);
	}
}

static void cut_bytes_are_refused_and_wrong_ones_do_no_harm(void **state)
{
	struct fixture *f = *state;
	struct values values = {decode, f};
	for (int field = 0; field < RECORD_N_FIELDS; field++) {
		struct record_batch *b = columns_batch(60);
		struct column_rows rows = {b, NULL, 60};
		columns_fill(b, (enum record_field)field, field % 2 ? ARRAY_FEW : ARRAY_RANDOM);
		(void)encode(f, &rows, (enum record_field)field, INTS_SMALL);
		f->want = NULL;
		values_refuse_truncation(&values, &f->out);
		values_survive_flips(&values, &f->out);
		bytes_u8(&f->out, 0);
		assert_int_equal(values_decode(&values, f->out.p, f->out.len), -EIO);
		record_batch_free(b);
	}
}

static void a_form_that_does_not_go_with_the_type_is_refused(void **state)
{
	struct fixture *f = *state;
	struct values values = {decode, f};
	static const enum record_field fields[] = {
		FIELD_src,
		FIELD_server_name,
		FIELD_proto,
		FIELD_start_ns,
		FIELD_bytes,
		FIELD_src_mac};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct record_batch *b = columns_batch(10);
		struct column_rows rows = {b, NULL, 10};
		columns_fill(b, fields[i], ARRAY_CONSTANT);
		(void)encode(f, &rows, fields[i], INTS_FAST);
		f->want = NULL;
		for (size_t k = 0; k < sizeof(fields) / sizeof(fields[0]); k++) {
			bool ints = i > 1 && k > 1;
			f->f = fields[k];
			assert_int_equal(
				values_decode(&values, f->out.p, f->out.len),
				i == k || ints ? 0 : -EIO
			);
		}
		record_batch_free(b);
	}
	// Distances are of times only, and not of the start itself.
	static const uint8_t since[] = {COLUMN_SINCE_START, 0, 0, 5, 1, 0};
	f->f = FIELD_end_ns;
	assert_int_equal(values_decode(&values, since, sizeof(since)), 0);
	f->f = FIELD_start_ns;
	assert_int_equal(values_decode(&values, since, sizeof(since)), -EIO);
	f->f = FIELD_bytes;
	assert_int_equal(values_decode(&values, since, sizeof(since)), -EIO);
}

static void more_rows_than_the_batch_can_take_are_refused(void **state)
{
	struct fixture *f = *state;
	struct record_batch *b = columns_batch(10), *small = columns_batch(9);
	struct column_rows rows = {b, NULL, 10};
	columns_fill(b, FIELD_bytes, ARRAY_CONSTANT);
	(void)encode(f, &rows, FIELD_bytes, INTS_FAST);
	struct buf in = buf_of(f->out.p, f->out.len);
	assert_int_equal(column_decode(&f->other, in, FIELD_bytes, small, 10), -EIO);
	record_batch_free(b);
	record_batch_free(small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(each_field_comes_back_whatever_it_holds),
		TEST(nothing_is_written_of_a_column_of_zeros),
		TEST(chosen_rows_come_in_the_order_asked_for),
		TEST(the_form_goes_by_the_size),
		TEST(times_near_the_start_are_written_as_distances),
		TEST(more_effort_never_makes_it_longer),
		TEST(the_largest_columns_come_back),
		TEST(cut_bytes_are_refused_and_wrong_ones_do_no_harm),
		TEST(a_form_that_does_not_go_with_the_type_is_refused),
		TEST(more_rows_than_the_batch_can_take_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
