// SPDX-License-Identifier: Apache-2.0
#include "collector/intel/batch.h"
#include "lib/intel/feed.h"
#include "tests/unit/cmocka.h"

#include <stdlib.h>

#define T0 (1700000000 * NS_PER_SEC)

static struct record_batch *batch;
static struct intel_db *db;
static struct intel_counters counters;

static int set_up(void **)
{
	static const char text[] = "198.51.100.7\n2001:db8:5::/48\n";
	struct feed_options o = {.name = "feed", .category = "c2"};
	struct feed_report report;
	struct intel_list *list;
	char error[INTEL_ERROR_LEN];
	counters = (struct intel_counters){};
	batch = record_batch_create(2000);
	assert_non_null(batch);
	assert_int_equal(feed_parse(&o, text, strlen(text), T0, &list, &report), 0);
	assert_int_equal(
		intel_db_create(&list, 1, &(struct intel_options){.n_threads = 1}, &db, error), 0
	);
	intel_list_put(list);
	return 0;
}

static int tear_down(void **)
{
	record_batch_free(batch);
	intel_db_put(db);
	return 0;
}

static struct record record_of(const char *dst)
{
	struct record r = {};
	struct addr a;
	assert_int_equal(addr_parse(dst, &a), 0);
	RECORD_SET(&r, start_ns, T0);
	RECORD_SET(&r, end_ns, T0 + 5);
	RECORD_SET(&r, src, addr_of_v4("\x0a\0\0\1"));
	RECORD_SET(&r, dst, a);
	RECORD_SET(&r, proto, 6);
	RECORD_SET(&r, packets, 3);
	RECORD_SET(&r, bytes, 300);
	return r;
}

static void add(const struct record *r)
{
	assert_int_equal(record_batch_add(batch, r), 0);
}

static struct record row(uint32_t i)
{
	struct record r;
	record_batch_get(batch, i, &r);
	return r;
}

static void rows_that_match_are_marked_and_listed(void **)
{
	for (uint32_t i = 0; i < 1000; i++) {
		struct record r = record_of(i % 100 == 99 ? "198.51.100.7" : "192.0.2.1");
		add(&r);
	}
	struct batch_hits *h = batch_match(db, 0, batch, &counters);
	assert_non_null(h);
	assert_int_equal(h->n, 10);
	for (uint32_t i = 0; i < 10; i++) {
		struct record r = row(100 * i + 99);
		assert_int_equal(h->matches[i].row, 100 * i + 99);
		assert_true(r.indicator == h->matches[i].match.id && r.indicator != 0);
		assert_int_equal(r.matched, INTEL_DST);
		struct hit hit = batch_hit_of(&h->matches[i].match, &r, 5, false);
		assert_int_equal(hit.entity, 5);
		assert_int_equal(hit.live.flows, 1);
		assert_int_equal(hit.live.bytes, 300);
		assert_memory_equal(hit.texts[HIT_VALUE].p, "198.51.100.7", 12);
		assert_memory_equal(hit.texts[HIT_CATEGORY].p, "c2", 2);
	}
	assert_int_equal(row(0).indicator, 0);
	assert_int_equal(counters.hits, 10);
	batch_hits_free(h);
}

static void what_a_sensor_marked_counts_where_nothing_here_matches(void **)
{
	struct record marked = record_of("192.0.2.1"), both = record_of("198.51.100.7");
	RECORD_SET(&marked, indicator, 77);
	RECORD_SET(&marked, score, 600);
	RECORD_SET(&marked, matched, INTEL_NAME);
	RECORD_SET(&both, indicator, 77);
	add(&marked);
	add(&both);
	for (int has_db = 0; has_db < 2; has_db++) {
		struct batch_hits *h = batch_match(has_db ? db : NULL, 0, batch, &counters);
		assert_non_null(h);
		assert_int_equal(h->n, 2);
		assert_int_equal(h->matches[0].match.id, 77);
		struct record r = row(0);
		struct hit hit = batch_hit_of(&h->matches[0].match, &r, 0, false);
		assert_int_equal(hit.where, INTEL_NAME);
		assert_int_equal(hit.score, 600);
		assert_int_equal(hit.live.flows, 1);
		assert_int_equal(hit.texts[HIT_VALUE].len, 0);
		assert_int_equal(h->matches[1].match.id == 77, !has_db); // ours explains more
		batch_hits_free(h);
	}
	assert_int_equal(counters.hits, 4);
}

static void nothing_matched_is_no_list(void **)
{
	struct record r = record_of("192.0.2.1");
	add(&r);
	assert_null(batch_match(db, 0, batch, &counters));
	assert_null(batch_match(NULL, 0, batch, &counters));
	batch_hits_free(NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rows_that_match_are_marked_and_listed),
		TEST(what_a_sensor_marked_counts_where_nothing_here_matches),
		TEST(nothing_matched_is_no_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
