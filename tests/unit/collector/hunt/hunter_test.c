// SPDX-License-Identifier: Apache-2.0
#include "collector/hunt/hunter.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/hunt/hunts.h"

#define HOURS 4
#define WAIT_NS (10 * NS_PER_SEC)

static const char *const values[] = {"10.0.0.7", "2001:db8::5", "www.example.net"};

struct fixture {
	struct stores *stores;
	char dir[96];
	struct hunter *hunter;
};

static void start(struct fixture *f)
{
	struct hunter_options o = {.store = f->stores->store, .n_matchers = 1, .dir = f->dir};
	assert_int_equal(hunter_start(&o, &f->hunter), 0);
}

static void stop(struct fixture *f)
{
	hunter_stop(f->hunter);
	f->hunter = NULL;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	void *stores = NULL;
	stores_set_up(&stores);
	f->stores = stores;
	snprintf(f->dir, sizeof(f->dir), "%s/intel", f->stores->dir);
	assert_int_equal(store_entity(f->stores->store, "netflow"), 0);
	stores_commit(f->stores, 0, HOURS, 2000);
	stores_seal(f->stores);
	stores_commit(f->stores, 0, HOURS, 100);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	void *stores = f->stores;
	stop(f);
	stores_tear_down(&stores);
	free(f);
	return 0;
}

static json_t *list(struct fixture *f)
{
	char error[256];
	json_t *l = hunter_list(f->hunter, error);
	assert_non_null(l);
	return l;
}

static size_t n_hunts(struct fixture *f)
{
	json_t *l = list(f);
	size_t n = json_array_size(l);
	json_decref(l);
	return n;
}

// The hunt's document once it is in that state.
static json_t *wait_for(struct fixture *f, uint64_t id, const char *state)
{
	uint64_t end = clock_mono_ns() + WAIT_NS;
	while (clock_mono_ns() < end) {
		json_t *l = list(f), *x, *found = NULL;
		size_t i;
		json_array_foreach(l, i, x)
		{
			const char *is = json_string_value(json_object_get(x, "state"));
			if ((uint64_t)json_integer_value(json_object_get(x, "id")) == id &&
			    strcmp(is, state) == 0)
				found = json_incref(x);
		}
		json_decref(l);
		if (found)
			return found;
		usleep(2000);
	}
	char *all = json_dumps(list(f), JSON_COMPACT);
	fail_msg("hunt %u is not %s: %s", (unsigned)id, state, all);
	return NULL;
}

static void assert_member(const json_t *j, const char *key, uint64_t want)
{
	assert_int_equal(json_integer_value(json_object_get(j, key)), want);
}

// As the feeds would: their own reference goes.
static void change(struct fixture *f, const char *const *what, size_t n)
{
	struct intel_db *db = hunts_database(what, n, 500);
	hunter_changed(f->hunter, db);
	intel_db_put(db);
}

static void new_indicators_are_hunted_once(void **state)
{
	struct fixture *f = *state;
	start(f);
	change(f, values, 2);
	json_t *j = wait_for(f, 1, "done");
	struct hunts_sums sums = hunts_sums(f->stores);
	assert_member(j, "indicators", 2);
	assert_member(j, "hours_done", HOURS);
	assert_member(j, "hits", sums.rows);
	assert_true(sums.rows > 0);
	json_decref(j);
	change(f, values, 3);
	j = wait_for(f, 2, "done");
	assert_member(j, "indicators", 1);
	json_decref(j);
	assert_true(hunts_sums(f->stores).rows > sums.rows);
	// neither the same again nor fewer nor a restart
	change(f, values, 3);
	change(f, values, 2);
	stop(f);
	start(f);
	change(f, values, 2);
	stop(f);
	start(f);
	assert_int_equal(n_hunts(f), 2);
}

static struct hunt left_by_a_crash(struct intel_db *db, uint64_t id, uint32_t hour)
{
	struct hunt x = {
		.id = id,
		.state = HUNT_RUNNING,
		.what = "feeds",
		.asked_ns = clock_now_ns(),
		.hours_all = HOURS,
		.hours_done = ROWS_HOUR + HOURS - hour,
		.hits = 5,
		.hour = hour,
		.has_place = true,
	};
	assert_int_equal(ids_of(db, &x.ids), 0);
	x.ids_hash = ids_hash(&x.ids);
	return x;
}

static void a_hunt_goes_on_where_a_crash_left_it(void **state)
{
	struct fixture *f = *state;
	struct intel_db *db = hunts_database(values, 2, 500);
	struct hunt x = left_by_a_crash(db, 7, ROWS_HOUR + 2);
	hunt_doc_put(f->stores->store, &x);
	start(f);
	hunter_changed(f->hunter, db);
	json_t *j = wait_for(f, 7, "done");
	struct hunts_sums sums = hunts_sums(f->stores);
	assert_int_equal(sums.newest, ROWS_HOUR + 1); // the newer hours had been hunted
	assert_member(j, "hits", 5 + sums.rows);
	assert_member(j, "hours_done", HOURS);
	assert_int_equal(n_hunts(f), 1);
	json_decref(j);
	ids_free(&x.ids);
	intel_db_put(db);
}

static void a_hunt_for_other_indicators_is_over(void **state)
{
	struct fixture *f = *state;
	struct intel_db *db = hunts_database(values, 2, 500),
			*other = hunts_database(values, 3, 500);
	struct hunt x = left_by_a_crash(db, 7, ROWS_HOUR + 2);
	hunt_doc_put(f->stores->store, &x);
	start(f);
	hunter_changed(f->hunter, other);
	json_decref(wait_for(f, 7, "failed"));
	json_t *j = wait_for(f, 8, "done");
	assert_member(j, "hours_done", HOURS); // all is hunted for, the interrupted ones too
	assert_member(j, "indicators", 3);
	json_decref(j);
	ids_free(&x.ids);
	intel_db_put(db);
	intel_db_put(other);
}

// While a batch holds the indicators of before, the hunter waits for it, and hunts by hand for the
// hunter. The reference of that batch.
static struct intel_db *hold_up(struct fixture *f, const char *const *what)
{
	struct intel_db *batch = hunts_database(what, 1, 500);
	hunter_changed(f->hunter, batch);
	json_decref(wait_for(f, 1, "done"));
	change(f, what, 2);
	return batch;
}

static uint64_t by_hand(struct fixture *f, const char *what)
{
	char error[256];
	json_t *j = hunter_hunt(f->hunter, what, what, 0, error);
	if (!j)
		fail_msg("%s", error);
	uint64_t id = (uint64_t)json_integer_value(json_object_get(j, "id"));
	json_decref(j);
	return id;
}

static void records_on_their_way_are_waited_for(void **state)
{
	struct fixture *f = *state;
	static const char *const late[] = {"10.0.0.7", "198.51.100.77"};
	start(f);
	struct intel_db *batch = hold_up(f, late);
	usleep(50000);
	assert_int_equal(n_hunts(f), 1);
	// the batch was matched by the first database, and comes late
	struct record_batch *b = record_batch_create(1);
	struct record r = rows_record(ROWS_HOUR);
	RECORD_SET(&r, dst, addr_of_v4((uint8_t[]){198, 51, 100, 77}));
	assert_int_equal(record_batch_add(b, &r), 0);
	assert_int_equal(store_commit(f->stores->store, &b, 1, f->stores->error), 0);
	record_batch_free(b);
	intel_db_put(batch);
	json_t *j = wait_for(f, 2, "done");
	assert_member(j, "hits", 1);
	json_decref(j);
}

static void a_hunt_by_hand_survives_a_restart(void **state)
{
	struct fixture *f = *state;
	start(f);
	struct intel_db *batch = hold_up(f, values);
	uint64_t id = by_hand(f, "www.example.net");
	json_decref(wait_for(f, id, "waiting"));
	uint64_t before = hunts_sums(f->stores).rows;
	stop(f);
	intel_db_put(batch);
	start(f);
	json_t *j = wait_for(f, id, "done");
	assert_string_equal(json_string_value(json_object_get(j, "what")), "www.example.net");
	assert_member(j, "hours_done", HOURS);
	assert_member(j, "hits", hunts_sums(f->stores).rows - before);
	assert_true(hunts_sums(f->stores).rows > before);
	json_decref(j);
	// what the change was for is hunted when the feeds are there again
	change(f, values, 2);
	json_decref(wait_for(f, 3, "done"));
}

static void one_that_cannot_be_known_again_is_over(void **state)
{
	struct fixture *f = *state;
	struct hunt x = {
		.id = 3,
		.state = HUNT_WAITING,
		.what = "10.0.0.7",
		.is_manual = true,
		.asked_ns = 1};
	hunt_doc_put(f->stores->store, &x);
	start(f);
	json_decref(wait_for(f, 3, "failed"));
	assert_int_equal(by_hand(f, "10.0.0.7"), 4);
	json_decref(wait_for(f, 4, "done"));
}

static void a_hunt_that_waits_can_be_cancelled(void **state)
{
	struct fixture *f = *state;
	char error[256], id[24];
	start(f);
	struct intel_db *batch = hold_up(f, values);
	uint64_t first = by_hand(f, "www.example.net"), second = by_hand(f, "10.0.0.0/8");
	snprintf(id, sizeof(id), "%u", (unsigned)first);
	json_t *j = hunter_cancel(f->hunter, id, error);
	assert_non_null(j);
	json_decref(j);
	json_decref(wait_for(f, first, "cancelled"));
	assert_null(hunter_cancel(f->hunter, id, error));
	assert_null(hunter_cancel(f->hunter, "0", error));
	assert_null(hunter_cancel(f->hunter, "nonsense", error));
	intel_db_put(batch);
	json_decref(wait_for(f, second, "done"));
}

static void the_queue_has_an_end(void **state)
{
	struct fixture *f = *state;
	char error[256];
	json_t *j;
	int n = 0;
	start(f);
	struct intel_db *batch = hold_up(f, values);
	while ((j = hunter_hunt(f->hunter, "192.0.2.1", "192.0.2.1", 0, error))) {
		json_decref(j);
		assert_true(++n < 100);
	}
	assert_int_equal(n, 16);
	assert_non_null(strstr(error, "waiting already"));
	assert_null(hunter_hunt(f->hunter, "no such thing", "x", 0, error));
	stop(f);
	intel_db_put(batch);
	start(f); // all that waited still do
	json_decref(wait_for(f, 17, "done"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(new_indicators_are_hunted_once),
		TEST(a_hunt_goes_on_where_a_crash_left_it),
		TEST(a_hunt_for_other_indicators_is_over),
		TEST(records_on_their_way_are_waited_for),
		TEST(a_hunt_by_hand_survives_a_restart),
		TEST(one_that_cannot_be_known_again_is_over),
		TEST(a_hunt_that_waits_can_be_cancelled),
		TEST(the_queue_has_an_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
