// SPDX-License-Identifier: Apache-2.0
#include "lib/record/batch.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

// A record with every member set, different for each `salt`.
static struct record full_record(uint32_t salt, char text[static 32])
{
	struct record r = {};
	snprintf(text, 32, "name-%u", salt);
	for (int f = 0; f < RECORD_N_FIELDS; f++) {
		const struct record_field_info *info = &record_fields[f];
		void *member = (char *)&r + info->offset;
		if (info->type == RECORD_TYPE_STR)
			*(struct record_str *)member =
				(struct record_str){.p = text, .len = (uint16_t)strlen(text)};
		else
			memset(member, (int)(1 + (salt + (uint32_t)f) % 255), info->width);
		r.set |= 1ull << f;
	}
	return r;
}

static void assert_same(const struct record *a, const struct record *b)
{
	for (int f = 0; f < RECORD_N_FIELDS; f++) {
		const struct record_field_info *info = &record_fields[f];
		const void *x = (const char *)a + info->offset, *y = (const char *)b + info->offset;
		if (info->type == RECORD_TYPE_STR) {
			const struct record_str *s = x, *t = y;
			assert_int_equal(s->len, t->len);
			if (s->len)
				assert_memory_equal(s->p, t->p, s->len);
		} else {
			assert_memory_equal(x, y, info->width);
		}
	}
}

static void every_field_comes_back_as_it_was(void **)
{
	struct record_batch *b = record_batch_create(100);
	char texts[100][32];
	struct record in[100], out;
	for (uint32_t i = 0; i < 100; i++) {
		in[i] = full_record(i * 7, texts[i]);
		assert_int_equal(record_batch_add(b, &in[i]), 0);
	}
	for (uint32_t i = 0; i < 100; i++) {
		record_batch_get(b, i, &out);
		assert_same(&in[i], &out);
	}
	record_batch_free(b);
}

static void a_full_batch_takes_no_more(void **)
{
	struct record_batch *b = record_batch_create(2);
	struct record r = {};
	RECORD_SET(&r, proto, 6);
	assert_int_equal(record_batch_add(b, &r), 0);
	assert_int_equal(record_batch_add(b, &r), 0);
	assert_int_equal(record_batch_add(b, &r), -ENOSPC);
	assert_int_equal(b->n_rows, 2);
	record_batch_free(b);
}

static void a_field_nobody_fills_costs_nothing(void **)
{
	struct record_batch *b = record_batch_create(10);
	struct record r = {};
	RECORD_SET(&r, dport, 443);
	assert_int_equal(record_batch_add(b, &r), 0);
	assert_true(b->used == RECORD_BIT(dport));
	assert_null(b->columns[FIELD_sport]);
	assert_null(RECORD_COLUMN(b, sport));
	const uint16_t *dport = RECORD_COLUMN(b, dport);
	assert_int_equal(dport ? dport[0] : 0, 443);
	record_batch_free(b);
}

static void nothing_of_the_last_round_is_left(void **)
{
	struct record_batch *b = record_batch_create(3);
	char text[32];
	struct record full = full_record(1, text), small = {}, out;
	for (int i = 0; i < 3; i++)
		assert_int_equal(record_batch_add(b, &full), 0);
	record_batch_clear(b);
	RECORD_SET(&small, sport, 53);
	assert_int_equal(record_batch_add(b, &small), 0);
	RECORD_SET(&small, packets, 9);
	assert_int_equal(record_batch_add(b, &small), 0);
	record_batch_get(b, 0, &out);
	assert_int_equal(out.sport, 53);
	assert_int_equal(out.packets, 0);
	assert_int_equal(out.dport, 0);
	assert_int_equal(out.server_name.len, 0);
	record_batch_get(b, 1, &out);
	assert_int_equal(out.packets, 9);
	record_batch_free(b);
}

static void long_text_is_cut_at_255_bytes(void **)
{
	struct record_batch *b = record_batch_create(1);
	char text[300];
	memset(text, 'x', sizeof(text));
	struct record r = {}, out;
	RECORD_SET(&r, server_name, ((struct record_str){.p = text, .len = sizeof(text)}));
	assert_int_equal(record_batch_add(b, &r), 0);
	record_batch_get(b, 0, &out);
	assert_int_equal(out.server_name.len, RECORD_STR_MAX);
	record_batch_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_comes_back_as_it_was),
		cmocka_unit_test(a_full_batch_takes_no_more),
		cmocka_unit_test(a_field_nobody_fills_costs_nothing),
		cmocka_unit_test(nothing_of_the_last_round_is_left),
		cmocka_unit_test(long_text_is_cut_at_255_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
