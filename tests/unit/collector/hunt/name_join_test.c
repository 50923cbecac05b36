// SPDX-License-Identifier: Apache-2.0

// Names that are hunted for against those of an hour, by walks and by a plain comparison.

#include "collector/hunt/name_join.h"
#include "collector/store/lookup.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/stores.h"

#define STORED 2600

// Names that are alike: few different labels, and a dash where a dot might be.
static int draw(char name[static 64])
{
	static const char *const zones[] = {"net", "org", "co-x", "co"};
	int len = snprintf(name, 64, "n%u", (unsigned)rows_below(60));
	for (uint64_t n = rows_below(3); n; n--)
		len += snprintf(
			name + len,
			64 - (size_t)len,
			"%cb%u",
			rows_below(4) ? '.' : '-',
			(unsigned)rows_below(8)
		);
	return len + snprintf(name + len, 64 - (size_t)len, ".%s", zones[rows_below(4)]);
}

static void commit(struct stores *f, char (*names)[64], uint32_t n)
{
	struct record_batch *b = record_batch_create(n);
	for (uint32_t i = 0; i < n; i++) {
		struct record r = rows_record(ROWS_HOUR);
		uint16_t len = (uint16_t)draw(names[i]);
		RECORD_SET(&r, server_name, ((struct record_str){names[i], len}));
		assert_int_equal(record_batch_add(b, &r), 0);
	}
	assert_int_equal(store_commit(f->store, &b, 1, f->error), 0);
	record_batch_free(b);
	stores_seal(f);
}

static bool covers(const struct intel_list *l, const struct indicator *i, const char *seen)
{
	const char *name = intel_list_str(l, i->name);
	size_t len = strlen(name), seen_len = strlen(seen);
	if (seen_len < len || strcmp(seen + seen_len - len, name) != 0)
		return false;
	return seen_len == len || (!i->is_exact && seen[seen_len - len - 1] == '.');
}

static bool plainly(const struct intel_list *l, char (*names)[64], uint32_t n)
{
	bool any = false;
	for (size_t k = 0; k < l->n; k++)
		for (uint32_t i = 0; i < n && !any; i++)
			any = covers(l, &l->items[k], names[i]);
	return any;
}

static int by_walk(struct stores *f, struct intel_list *l)
{
	struct intel_options o = {.n_threads = 1};
	char error[INTEL_ERROR_LEN];
	struct name_walk *w = malloc(sizeof(*w));
	struct name_quarry q;
	struct intel_db *db;
	struct ids ids;
	assert_int_equal(intel_db_create(&l, 1, &o, &db, error), 0);
	assert_int_equal(ids_of(db, &ids), 0);
	assert_int_equal(name_quarry_init(&q, db, &ids), 0);
	int ret = name_quarry_join(&q, w, f->view, 0, ROWS_HOUR);
	name_quarry_fini(&q);
	ids_free(&ids);
	intel_db_put(db);
	free(w);
	return ret;
}

static void add(struct intel_list *l, const char *text)
{
	struct indicator i = {.score = 1};
	char name[INDICATOR_NAME_MAX + 1];
	assert_null(indicator_parse(text, strlen(text), &i, name));
	assert_int_equal(intel_list_add(l, &i, name), 0);
}

static void walks_find_what_a_comparison_of_all_finds(void **state)
{
	static const size_t sizes[] = {1, 2, 3, 10, 50};
	struct stores *f = *state;
	char(*names)[64] = calloc(STORED, sizeof(*names));
	unsigned found = 0;
	commit(f, names, STORED);
	(void)stores_view(f);
	for (int round = 0; round < 120; round++) {
		struct intel_list *l = intel_list_create("feed");
		for (size_t k = 0; k < sizes[round % 5]; k++) {
			char name[64], text[72];
			draw(name);
			// mostly such as are not there
			snprintf(
				text,
				sizeof(text),
				"%s%s%s",
				rows_below(2) ? "=" : "",
				rows_below(10) ? "x" : "",
				name
			);
			add(l, text);
		}
		bool want = plainly(l, names, STORED);
		assert_int_equal(by_walk(f, l), want);
		found += want;
		intel_list_put(l);
	}
	assert_in_range(found, 10, 110); // the test tests both
	free(names);
}

static void an_hour_without_stored_names_says_so(void **state)
{
	struct stores *f = *state;
	struct intel_list *l = intel_list_create("feed");
	add(l, "a.example");
	(void)stores_view(f);
	assert_int_equal(by_walk(f, l), -ENOENT);
	intel_list_put(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, stores_set_up, stores_tear_down)
		TEST(walks_find_what_a_comparison_of_all_finds),
		TEST(an_hour_without_stored_names_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
