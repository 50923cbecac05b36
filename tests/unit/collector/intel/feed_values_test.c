// SPDX-License-Identifier: Apache-2.0
#include "collector/intel/feeds.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/stores.h"

#define WAIT_NS (20 * NS_PER_SEC)

struct fixture {
	struct stores *stores;
	char dir[96], error[256];
	struct intel_current *current;
	struct feeds *feeds;
};

static void start(struct fixture *f)
{
	struct feeds_options o = {
		.store = f->stores->store, .current = f->current, .dir = f->dir, .n_threads = 1};
	if (feeds_start(&o, &f->feeds, f->error) < 0)
		fail_msg("%s", f->error);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	void *stores = NULL;
	stores_set_up(&stores);
	f->stores = stores;
	snprintf(f->dir, sizeof(f->dir), "%s/intel", f->stores->dir);
	f->current = intel_current_create();
	start(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	void *stores = f->stores;
	feeds_stop(f->feeds);
	intel_current_free(f->current);
	stores_tear_down(&stores);
	free(f);
	return 0;
}

static json_t *add(struct fixture *f, bool is_allow, const char *value, const char *more)
{
	json_t *j = more ? json_loads(more, 0, NULL) : NULL;
	json_t *ret = feeds_value_add(f->feeds, is_allow, value, j, f->error);
	json_decref(j);
	return ret;
}

static void must_add(struct fixture *f, bool is_allow, const char *value, const char *more)
{
	json_t *j = add(f, is_allow, value, more);
	if (!j)
		fail_msg("%s", f->error);
	json_decref(j);
}

// Until the database in use has that many entries.
static struct intel_db *wait_entries(struct fixture *f, size_t n)
{
	uint64_t end = clock_mono_ns() + WAIT_NS;
	while (clock_mono_ns() < end) {
		struct intel_db *db = intel_current_get(f->current);
		if (db && intel_db_stats(db)->entries == n)
			return db;
		intel_db_put(db);
		usleep(2000);
	}
	fail_msg("no database of %zu entries", n);
	return NULL;
}

static size_t count(struct fixture *f, bool is_allow)
{
	json_t *l = feeds_value_list(f->feeds, is_allow, f->error);
	size_t n = json_array_size(l);
	json_decref(l);
	return n;
}

static void a_value_is_kept_in_its_canonical_form(void **state)
{
	struct fixture *f = *state;
	json_t *j = add(f, false, "Bad.Example.NET.", "{\"category\":\"c2\",\"score\":900}");
	assert_non_null(j);
	assert_string_equal(json_string_value(json_object_get(j, "value")), "bad.example.net");
	assert_true(json_integer_value(json_object_get(j, "added")) > 0);
	json_decref(j);
	must_add(f, false, "192.0.2.77/24", NULL);
	must_add(f, false, "192.0.2.0/24", NULL); // the same
	must_add(f, false, "bad.example.net", NULL);
	assert_int_equal(count(f, false), 2);
	assert_int_equal(count(f, true), 0);
	j = feeds_value_list(f->feeds, false, f->error);
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(j, 0), "value")), "192.0.2.0/24"
	);
	json_decref(j);
}

static void values_are_in_use_at_once_and_after_a_restart(void **state)
{
	struct fixture *f = *state;
	must_add(
		f,
		false,
		"10.1.2.3",
		"{\"score\":432,\"description\":\"ours\",\"expires\":4000000000}"
	);
	must_add(f, true, "192.0.2.0/24", "{\"reason\":\"a partner\",\"owner\":\"ann\"}");
	for (int round = 0; round < 2; round++) {
		struct intel_db *db = wait_entries(f, 2);
		size_t allows = 0;
		for (size_t i = 0; i < 2; i++) {
			struct intel_entry e = intel_db_entry(db, i);
			allows += e.indicator->is_allow;
			assert_true(e.indicator->is_forced); // somebody means it: private too
			if (e.indicator->is_allow)
				continue;
			assert_int_equal(e.indicator->score, 432);
			assert_int_equal(e.indicator->expires, 4000000000u);
			assert_string_equal(
				intel_list_str(e.list, e.indicator->description), "ours"
			);
		}
		assert_int_equal(allows, 1);
		intel_db_put(db);
		feeds_stop(f->feeds);
		start(f);
	}
}

static void a_value_is_removed_in_any_form(void **state)
{
	struct fixture *f = *state;
	must_add(f, false, "example.net", NULL);
	intel_db_put(wait_entries(f, 1));
	json_t *j = feeds_value_remove(f->feeds, false, "EXAMPLE.net.", f->error);
	assert_non_null(j);
	json_decref(j);
	intel_db_put(wait_entries(f, 0));
	assert_null(feeds_value_remove(f->feeds, false, "example.net", f->error));
	assert_non_null(strstr(f->error, "not on the list"));
	assert_null(feeds_value_remove(f->feeds, true, "no such thing", f->error));
}

static void what_cannot_be_meant_is_refused(void **state)
{
	struct fixture *f = *state;
	static const struct {
		bool is_allow;
		const char *value, *more;
	} cases[] = {
		{false, "", NULL},
		{false, "no such thing", NULL},
		{false, "0.0.0.0/0", NULL},
		{false, "net", NULL},
		{false, "192.0.2.1", "{\"score\":\"high\"}"},
		{false, "192.0.2.1", "{\"score\":-1}"},
		{false, "192.0.2.1", "{\"reason\":\"of the allow-list\"}"},
		{true, "192.0.2.1", "{\"score\":3}"},
		{true, "192.0.2.1", "{\"reason\":7}"},
		{true, "192.0.2.1", "{\"unknown\":\"x\"}"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f->error[0] = '\0';
		if (add(f, cases[i].is_allow, cases[i].value, cases[i].more))
			fail_msg("case %zu was taken", i);
		assert_true(*f->error);
	}
	assert_int_equal(count(f, false) + count(f, true), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_value_is_kept_in_its_canonical_form),
		TEST(values_are_in_use_at_once_and_after_a_restart),
		TEST(a_value_is_removed_in_any_form),
		TEST(what_cannot_be_meant_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
