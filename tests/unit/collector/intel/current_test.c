// SPDX-License-Identifier: Apache-2.0

// The database in use is replaced while threads match with it. Each generation holds another half
// of the same addresses and names, with its number as their score: every burst must be answered by
// one generation, whole, and by none that was gone before the burst began. WEIR_TEST_RELOADS sets
// how many reloads there are.

#include "collector/intel/current.h"
#include "lib/intel/match.h"
#include "tests/unit/cmocka.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define RELOADS_DEFAULT 20
#define THREADS 3
#define VALUES 96 // half of them addresses, half names
#define SCORES 1000

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RSS_IS_OURS 0 // a sanitizer keeps what was freed
#else
#define RSS_IS_OURS 1
#endif

struct load {
	struct intel_current *current;
	_Atomic unsigned published; // generation
	_Atomic bool is_over;
	_Atomic uint64_t n_bursts;
	_Atomic unsigned n_faults;
};

struct matcher {
	struct load *load;
	unsigned number;
};

static bool is_in(unsigned generation, unsigned value)
{
	return (value * 7 + generation) % 3 != 0;
}

static uint16_t score_of(unsigned generation)
{
	return (uint16_t)(1 + generation % SCORES);
}

static void value_text(unsigned value, char text[static 64])
{
	if (value % 2)
		snprintf(text, 64, "h%u.bad.example", value);
	else
		snprintf(text, 64, value % 4 ? "203.0.113.%u" : "2001:db8::%x", value);
}

static struct intel_db *db_of(unsigned generation)
{
	struct intel_list *l = intel_list_create("feed");
	struct intel_options o = {.n_threads = THREADS};
	struct intel_db *db = NULL;
	char error[INTEL_ERROR_LEN], name[INDICATOR_NAME_MAX + 1], text[64];
	for (unsigned v = 0; v < VALUES; v++) {
		struct indicator i = {.score = score_of(generation)};
		value_text(v, text);
		if (!is_in(generation, v) || indicator_parse(text, strlen(text), &i, name))
			continue;
		if (intel_list_add(l, &i, name) < 0)
			abort();
	}
	if (intel_db_create(&l, 1, &o, &db, error) < 0)
		abort();
	intel_list_put(l);
	return db;
}

// Whether the answers are those of one generation from `least` to `most`.
static bool is_whole(const struct intel_match m[static VALUES], unsigned least, unsigned most)
{
	for (unsigned g = least; g <= most; g++) {
		unsigned v = 0;
		while (v < VALUES && m[v].score == (is_in(g, v) ? score_of(g) : 0))
			v++;
		if (v == VALUES)
			return true;
	}
	return false;
}

static void make_queries(struct intel_query q[static VALUES], char names[static VALUES][64])
{
	memset(q, 0, VALUES * sizeof(*q));
	for (unsigned v = 0; v < VALUES; v++) {
		value_text(v, names[v]);
		if (v % 2)
			q[v].name = (struct record_str){names[v], (uint16_t)strlen(names[v])};
		else if (addr_parse(names[v], &q[v].dst) < 0)
			abort();
		q[v].has_flow = v % 2 == 0;
		q[v].src = q[v].dst;
	}
}

static void *match_until_over(void *arg)
{
	struct matcher *me = arg;
	struct load *l = me->load;
	struct intel_query queries[VALUES];
	char names[VALUES][64];
	struct intel_match matches[VALUES];
	struct intel_counters counters = {};
	make_queries(queries, names);
	while (!l->is_over) {
		unsigned least = l->published;
		struct intel_db *db = intel_current_get(l->current);
		intel_match(db, me->number, 1, queries, VALUES, matches, &counters);
		unsigned most = l->published + 1; // it is set just before it is told
		if (!is_whole(matches, least, most))
			l->n_faults++;
		for (unsigned v = 0; v < VALUES; v++)
			if (matches[v].indicator && matches[v].score != matches[v].indicator->score)
				l->n_faults++;
		intel_db_put(db);
		l->n_bursts++;
	}
	if (counters.scan_errors)
		l->n_faults++;
	return NULL;
}

static long rss_kib(void)
{
	char text[128] = "";
	FILE *f = fopen("/proc/self/statm", "re");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	fclose(f);
	return strtol(text + strcspn(text, " "), NULL, 10) * 4; // pages
}

static void a_reload_under_load_is_whole_and_leaves_nothing(void **)
{
	const char *wanted = getenv("WEIR_TEST_RELOADS");
	unsigned reloads = wanted ? (unsigned)strtoul(wanted, NULL, 10) : RELOADS_DEFAULT;
	struct load l = {.current = intel_current_create()};
	struct matcher matchers[THREADS];
	pthread_t threads[THREADS];
	long rss_early = 0;
	intel_current_set(l.current, db_of(0));
	for (unsigned i = 0; i < THREADS; i++) {
		matchers[i] = (struct matcher){&l, i};
		assert_int_equal(
			pthread_create(&threads[i], NULL, match_until_over, &matchers[i]), 0
		);
	}
	for (unsigned g = 1; g <= reloads; g++) {
		intel_current_set(l.current, db_of(g));
		l.published = g;
		if (g == reloads / 4 + 1)
			rss_early = rss_kib();
	}
	l.is_over = true;
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	long grown = rss_kib() - rss_early;
	printf("%u reloads, %lu bursts, RSS %ld KiB, grown by %ld KiB\n",
	       reloads,
	       (unsigned long)l.n_bursts,
	       rss_early + grown,
	       grown);
	assert_int_equal(l.n_faults, 0);
	assert_true(l.n_bursts > reloads / 4);
	assert_true(!RSS_IS_OURS || grown < 16384); // a database is 200 KiB
	struct intel_db *last = intel_current_get(l.current);
	assert_int_equal(intel_db_owners(last), 2); // the current one's and ours
	intel_current_free(l.current);
	assert_int_equal(intel_db_owners(last), 1);
	intel_db_put(last);
}

static void without_a_database_there_is_none_to_get(void **)
{
	struct intel_current *c = intel_current_create();
	assert_null(intel_current_get(c));
	intel_current_set(c, db_of(1));
	intel_current_set(c, NULL);
	assert_null(intel_current_get(c));
	intel_current_free(c);
	intel_current_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reload_under_load_is_whole_and_leaves_nothing),
		cmocka_unit_test(without_a_database_there_is_none_to_get),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
