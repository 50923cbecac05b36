// SPDX-License-Identifier: Apache-2.0
#include "collector/hunt/journey.h"
#include "collector/store/hit.h"
#include "collector/store/lookup.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/hunt/hunts.h"

#include <stdatomic.h>

#define HOURS 5ull

static struct hunt hunt_for(struct intel_db *db)
{
	struct hunt x = {.id = 1, .state = HUNT_RUNNING, .what = "feeds", .db = db};
	assert_int_equal(ids_of(db, &x.ids), 0);
	return x;
}

static int run(struct stores *f, struct hunt *x, bool cancelled)
{
	_Atomic bool cancel = cancelled;
	int ret = journey_run(f->store, 0, x, &cancel);
	ids_free(&x->ids);
	return ret;
}

static void commit_one(struct stores *f, uint16_t entity, uint32_t hour, uint8_t last, bool denied)
{
	struct record_batch *b = record_batch_create(1);
	struct record r = rows_record(hour);
	b->entity = entity;
	RECORD_SET(&r, dst, addr_of_v4((uint8_t[]){198, 51, 100, last}));
	RECORD_SET(&r, verdict, denied);
	assert_int_equal(record_batch_add(b, &r), 0);
	assert_int_equal(store_commit(f->store, &b, 1, f->error), 0);
	record_batch_free(b);
}

static void all_hours_of_all_entities_are_hunted(void **state)
{
	struct stores *f = *state;
	static const char *const values[] = {"198.51.100.7"};
	struct intel_db *db = hunts_database(values, 1, 500);
	assert_int_equal(store_entity(f->store, "netflow"), 0);
	assert_int_equal(store_entity(f->store, "lentor"), 1);
	for (uint32_t i = 0; i < HOURS; i++) {
		commit_one(f, i % 2, ROWS_HOUR + i, 7, false);
		if (i == 2)
			stores_seal(f);
	}
	struct hunt x = hunt_for(db);
	assert_int_equal(run(f, &x, false), 0);
	assert_int_equal(x.hours_all, HOURS);
	assert_int_equal(x.hours_done, HOURS);
	assert_int_equal(x.hits, HOURS);
	assert_int_equal(x.allowed, HOURS);
	assert_int_equal(hunts_sums(f).rows, HOURS);
	// again: nothing is told twice
	x = hunt_for(db);
	assert_int_equal(run(f, &x, false), 0);
	assert_int_equal(hunts_sums(f).rows, HOURS);
	assert_int_equal(hunts_sums(f).flows, HOURS);
	intel_db_put(db);
}

static void a_hunt_since_some_time_leaves_older_hours_alone(void **state)
{
	struct stores *f = *state;
	static const char *const values[] = {"198.51.100.7"};
	struct intel_db *db = hunts_database(values, 1, 500);
	assert_int_equal(store_entity(f->store, "netflow"), 0);
	for (uint32_t i = 0; i < HOURS; i++)
		commit_one(f, 0, ROWS_HOUR + i, 7, false);
	struct hunt x = hunt_for(db);
	x.since_ns = store_hour_start(ROWS_HOUR + 3);
	assert_int_equal(run(f, &x, false), 0);
	assert_int_equal(x.hours_all, 2);
	assert_int_equal(x.hits, 2);
	intel_db_put(db);
}

static void a_hunt_goes_on_from_its_place(void **state)
{
	struct stores *f = *state;
	static const char *const values[] = {"198.51.100.7"};
	struct intel_db *db = hunts_database(values, 1, 500);
	assert_int_equal(store_entity(f->store, "netflow"), 0);
	assert_int_equal(store_entity(f->store, "lentor"), 1);
	for (uint32_t i = 0; i < HOURS; i++)
		for (uint16_t e = 0; e < 2; e++)
			commit_one(f, e, ROWS_HOUR + i, 7, false);
	struct hunt x = hunt_for(db);
	x.has_place = true;
	x.entity = 1;
	x.hour = ROWS_HOUR + 2;
	x.hours_all = 2 * HOURS;
	x.hours_done = 8;
	x.hits = 8;
	assert_int_equal(run(f, &x, false), 0);
	assert_int_equal(x.hours_done, 2 * HOURS);
	assert_int_equal(x.hits, 10);
	assert_int_equal(hunts_sums(f).rows, 2); // the other eight were stored before the crash
	intel_db_put(db);
}

// The store may have nothing that needs a look: it ends all the same.
static void a_cancelled_hunt_ends_between_hours(void **state)
{
	struct stores *f = *state;
	static const char *const values[] = {"203.0.113.99"};
	struct intel_db *db = hunts_database(values, 1, 500);
	assert_int_equal(store_entity(f->store, "netflow"), 0);
	commit_one(f, 0, ROWS_HOUR, 7, false);
	stores_seal(f);
	struct hunt x = hunt_for(db);
	assert_int_equal(run(f, &x, true), -ECANCELED);
	assert_int_equal(x.hours_done, 0);
	assert_false(x.has_place);
	intel_db_put(db);
}

static int note_order(void *ctx, const struct hit *h)
{
	char *order = ctx;
	size_t n = strlen(order);
	order[n] = (char)('0' + h->outside.b[15] % 10);
	return 0;
}

static void what_was_allowed_is_told_first(void **state)
{
	struct stores *f = *state;
	char order[16] = "";
	static const char *const values[] = {"198.51.100.0/28"};
	struct intel_db *db = hunts_database(values, 1, 500);
	assert_int_equal(store_entity(f->store, "netflow"), 0);
	for (uint8_t i = 1; i <= 4; i++)
		commit_one(f, 0, ROWS_HOUR, i, i % 2);
	struct hunt x = hunt_for(db);
	assert_int_equal(run(f, &x, false), 0);
	assert_int_equal(x.hits, 4);
	assert_int_equal(x.allowed, 2);
	assert_int_equal(store_view_hits_since(stores_view(f), -1, 0, note_order, order), 0);
	assert_int_equal(strspn(order, "24"), 2);
	assert_int_equal(strspn(order + 2, "13"), 2);
	intel_db_put(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, stores_set_up, stores_tear_down)
		TEST(all_hours_of_all_entities_are_hunted),
		TEST(a_hunt_since_some_time_leaves_older_hours_alone),
		TEST(a_hunt_goes_on_from_its_place),
		TEST(a_cancelled_hunt_ends_between_hours),
		TEST(what_was_allowed_is_told_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
