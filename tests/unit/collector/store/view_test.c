// SPDX-License-Identifier: Apache-2.0
#include "collector/store/view.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/naive.h"
#include "tests/unit/collector/store/stores.h"

#include <limits.h>

static void entities_are_found_by_name(void **state)
{
	struct stores *f = *state;
	char longest[STORE_NAME_MAX + 1];
	memset(longest, 'x', STORE_NAME_MAX);
	longest[STORE_NAME_MAX] = 0;
	assert_int_equal(store_view_entity(stores_view(f), "netflow"), -ENOENT);
	assert_int_equal(store_entity(f->store, "netflow"), 0);
	assert_int_equal(store_entity(f->store, longest), 1);
	struct store_view *v = stores_view(f);
	assert_int_equal(store_view_entity(v, "netflow"), 0);
	assert_int_equal(store_view_entity(v, longest), 1);
	assert_int_equal(store_view_entity(v, "netflo"), -ENOENT);
	assert_int_equal(store_view_entity(v, "netflow2"), -ENOENT);
	assert_int_equal(store_view_entity(v, ""), -ENOENT);
}

static void commit_at(struct stores *f, uint16_t entity, uint32_t hour, uint32_t n)
{
	struct record_batch *b = rows_batch(entity, hour, n);
	assert_int_equal(store_commit(f->store, &b, 1, f->error), 0);
	record_batch_free(b);
}

#define N_HOURS 12

// Rows of some hours of some entities, sealed, waiting, or both: counted here as they should be.
static void fill(struct stores *f, struct store_hour hours[3][N_HOURS])
{
	for (uint16_t e = 0; e < 3; e += 2) { // entity 1 has none
		for (uint32_t h = 0; h < N_HOURS; h++) {
			uint32_t n = 1 + (uint32_t)rows_below(40);
			hours[e][h].hour = ROWS_HOUR + h;
			if (rows_below(3) == 0)
				continue;
			commit_at(f, e, ROWS_HOUR + h, n);
			hours[e][h].sealed_rows = n;
		}
	}
	stores_seal(f);
	for (uint16_t e = 0; e < 3; e += 2) {
		for (uint32_t h = 0; h < N_HOURS; h++) {
			uint32_t n = 1 + (uint32_t)rows_below(40);
			if (rows_below(3))
				continue;
			commit_at(f, e, ROWS_HOUR + h, n);
			commit_at(f, e, ROWS_HOUR + h, 1);
			hours[e][h].journal_rows = n + 1;
		}
	}
}

static bool has_rows(const struct store_hour *h)
{
	return h->sealed_rows || h->journal_rows;
}

static void assert_hour(int found, const struct store_hour *got, const struct store_hour *want)
{
	assert_int_equal(found, want != NULL);
	if (!want)
		return;
	assert_int_equal(got->hour, want->hour);
	assert_int_equal(got->sealed_rows, want->sealed_rows);
	assert_int_equal(got->journal_rows, want->journal_rows);
}

static void hours_with_rows_are_found_from_both_sides(void **state)
{
	struct stores *f = *state;
	struct store_hour hours[3][N_HOURS] = {0}, got;
	fill(f, hours);
	struct store_view *v = stores_view(f);
	for (uint16_t e = 0; e < 4; e++) {
		for (uint32_t at = 0; at < N_HOURS + 2; at++) {
			const struct store_hour *next = NULL, *last = NULL;
			for (uint32_t h = 0; e < 3 && h < N_HOURS; h++) {
				if (!has_rows(&hours[e][h]))
					continue;
				if (h >= at && !next)
					next = &hours[e][h];
				if (h <= at)
					last = &hours[e][h];
			}
			int found = store_view_hour(v, e, ROWS_HOUR + at, &got);
			assert_hour(found, &got, next);
			found = store_view_hour_last(v, e, ROWS_HOUR + at, &got);
			assert_hour(found, &got, last);
		}
		assert_int_equal(store_view_hour(v, e, UINT32_MAX, &got), 0);
		assert_int_equal(store_view_hour_last(v, e, 0, &got), 0);
	}
}

static void the_first_and_last_hours_of_time_are_hours_too(void **state)
{
	struct stores *f = *state;
	struct store_hour got;
	struct record_batch *b = record_batch_create(2);
	struct record r = {0};
	uint32_t last = store_hour_of(UINT64_MAX);
	assert_int_equal(record_batch_add(b, &r), 0);
	RECORD_SET(&r, start_ns, UINT64_MAX);
	assert_int_equal(record_batch_add(b, &r), 0);
	b->entity = UINT16_MAX;
	assert_int_equal(store_commit(f->store, &b, 1, f->error), 0);
	record_batch_free(b);
	for (int sealed = 0; sealed < 2; sealed++) {
		struct store_view *v = stores_view(f);
		assert_int_equal(store_view_hour(v, UINT16_MAX, 0, &got), 1);
		assert_int_equal(got.hour, 0);
		assert_int_equal(store_view_hour(v, UINT16_MAX, 1, &got), 1);
		assert_int_equal(got.hour, last);
		assert_int_equal(got.sealed_rows, sealed);
		assert_int_equal(store_view_hour_last(v, UINT16_MAX, UINT32_MAX, &got), 1);
		assert_int_equal(got.hour, last);
		assert_int_equal(store_view_hour_last(v, UINT16_MAX, last - 1, &got), 1);
		assert_int_equal(got.hour, 0);
		stores_seal(f);
	}
}

// Sealed three times over: late rows join the tables of their hour.
static void the_tables_of_an_hour_count_its_sealed_rows(void **state)
{
	struct stores *f = *state;
	struct naive *naive = calloc(1, sizeof(*naive));
	struct rollup *r;
	for (int i = 0; i < 3; i++) {
		struct record_batch *b = rows_batch(7, ROWS_HOUR, 400);
		naive_add_batch(naive, b, 0, UINT64_MAX);
		assert_int_equal(store_commit(f->store, &b, 1, f->error), 0);
		record_batch_free(b);
		stores_seal(f);
		commit_at(f, 8, ROWS_HOUR, 10); // of another entity, and of another hour
		commit_at(f, 7, ROWS_HOUR + 1, 10);
		assert_int_equal(rollup_create(&r), 0);
		assert_int_equal(store_view_rollup(stores_view(f), 7, ROWS_HOUR, r), 0);
		naive_check(naive, r);
		rollup_free(r);
	}
	assert_int_equal(rollup_create(&r), 0);
	assert_int_equal(store_view_rollup(f->view, 7, ROWS_HOUR + 9, r), 0);
	assert_int_equal(rollup_totals(r).flows, 0);
	rollup_free(r);
	free(naive);
}

static void rows_without_addresses_and_ports_have_tables_too(void **state)
{
	struct stores *f = *state;
	struct record_batch *b = record_batch_create(5);
	struct record r = {0};
	struct rollup *rollup;
	RECORD_SET(&r, start_ns, store_hour_start(ROWS_HOUR));
	for (int i = 0; i < 5; i++)
		assert_int_equal(record_batch_add(b, &r), 0);
	assert_int_equal(store_commit(f->store, &b, 1, f->error), 0);
	record_batch_free(b);
	stores_seal(f);
	assert_int_equal(rollup_create(&rollup), 0);
	assert_int_equal(store_view_rollup(stores_view(f), 0, ROWS_HOUR, rollup), 0);
	assert_int_equal(rollup_totals(rollup).flows, 5);
	assert_int_equal(rollup_n_hosts(rollup), 1);
	assert_int_equal(rollup_ports(rollup, ROLLUP_BY_KEY, NULL, 0), 0);
	rollup_free(rollup);
}

static int read_hour(struct stores *f)
{
	struct rollup *r;
	assert_int_equal(rollup_create(&r), 0);
	int ret = store_view_rollup(stores_view(f), 0, ROWS_HOUR, r);
	rollup_free(r);
	return ret;
}

// Of the hour's parts of hosts (or ports): the first.
static struct key first_part(struct stores *f, enum key_kind kind)
{
	struct key prefix = key_hour(kind, 0, ROWS_HOUR), k = {0};
	struct store_view *v = stores_view(f);
	assert_true(db_iter_seek(v->keys, key_slice(&prefix)));
	struct slice found = db_iter_key(v->keys);
	assert_true(key_has_prefix(found, &prefix));
	memcpy(k.b, found.p, found.len);
	k.len = found.len;
	return k;
}

static void damaged_tables_are_told(void **state)
{
	struct stores *f = *state;
	struct store_hour hour;
	commit_at(f, 0, ROWS_HOUR, 100);
	stores_seal(f);
	commit_at(f, 0, ROWS_HOUR + 1, 100);
	struct key hosts = first_part(f, KEY_ADDRS), ports = first_part(f, KEY_PORTS);
	assert_int_equal(read_hour(f), 0);
	const struct key broken[] = {hosts, ports, key_hour(KEY_HOUR, 0, ROWS_HOUR)};
	for (int i = 0; i < 3; i++) {
		stores_close(f);
		stores_damage(f, &broken[i]);
		stores_open(f);
		assert_int_equal(read_hour(f), -EIO);
		int found = store_view_hour(stores_view(f), 0, ROWS_HOUR, &hour);
		assert_int_equal(found, i == 2 ? -EIO : 1);
		if (i < 2) {
			stores_close(f);
			stores_damage(f, &broken[i]); // the same bit: mended
			stores_open(f);
			assert_int_equal(read_hour(f), 0);
		}
	}
	assert_int_equal(store_view_hour(f->view, 0, ROWS_HOUR + 1, &hour), 1);
}

static void users_are_found_by_their_id(void **state)
{
	struct stores *f = *state;
	struct store_user got, user = {.api_id = "00ff", .name = "n", .role = "viewer"};
	assert_int_equal(store_view_user(stores_view(f), "00ff", &got), -ENOENT);
	assert_int_equal(store_user_add(f->store, &user), 0);
	struct store_view *v = stores_view(f);
	assert_int_equal(store_view_user(v, "00ff", &got), 0);
	assert_memory_equal(&got, &user, sizeof(got));
	assert_int_equal(store_view_user(v, "00f", &got), -ENOENT);
	assert_int_equal(store_view_user(v, "00ff0", &got), -ENOENT);
	assert_int_equal(store_view_user(v, "", &got), -ENOENT);
	stores_close(f);
	struct key key = key_name(KEY_USER, "00ff");
	stores_damage(f, &key);
	assert_int_equal(store_view_user(stores_view(f), "00ff", &got), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, stores_set_up, stores_tear_down)
		TEST(entities_are_found_by_name),
		TEST(hours_with_rows_are_found_from_both_sides),
		TEST(the_first_and_last_hours_of_time_are_hours_too),
		TEST(the_tables_of_an_hour_count_its_sealed_rows),
		TEST(rows_without_addresses_and_ports_have_tables_too),
		TEST(damaged_tables_are_told),
		TEST(users_are_found_by_their_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
