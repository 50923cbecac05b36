// SPDX-License-Identifier: Apache-2.0

// The table of sessions: who is whom, and who makes room for whom. Numbers of messages are in
// sequence_test.c.

#include "collector/ingest/session.h"
#include "lib/base/clock.h"
#include "tests/unit/cmocka.h"

#include <stdlib.h>

#define NOW (1700000000 * NS_PER_SEC)
#define IDLE (600 * NS_PER_SEC)

static struct session_table table;
static unsigned n_deleted;

static void on_del(void *arg, struct session *s)
{
	assert_ptr_equal(arg, &table);
	assert_non_null(s);
	n_deleted++;
}

static void start(uint32_t max)
{
	assert_int_equal(session_table_init(&table, max, IDLE), 0);
	table.on_del = on_del;
	table.arg = &table;
	n_deleted = 0;
}

static struct session_key key_of(uint32_t i)
{
	uint8_t v4[4] = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
	return (struct session_key){.addr = addr_of_v4(v4), .port = 2055};
}

static struct session *add(uint32_t i, uint64_t now_ns)
{
	struct session_key key = key_of(i);
	return session_add(&table, &key, now_ns);
}

static struct session *find(uint32_t i, uint64_t now_ns)
{
	struct session_key key = key_of(i);
	return session_find(&table, &key, now_ns);
}

static void every_part_of_the_key_counts(void **) // V9-3, IP-12, IP-13
{
	struct session_key keys[6];
	struct session *sessions[6];
	start(16);
	for (int i = 0; i < 6; i++)
		keys[i] = key_of(1);
	keys[1].addr.b[15]++;
	keys[2].port++;
	keys[3].domain++;
	keys[4].source++;
	keys[5].fixed++;
	for (int i = 0; i < 6; i++) {
		assert_null(session_find(&table, &keys[i], NOW));
		sessions[i] = session_add(&table, &keys[i], NOW);
	}
	for (int i = 0; i < 6; i++)
		assert_ptr_equal(session_find(&table, &keys[i], NOW), sessions[i]);
	assert_int_equal(table.n, 6);
	session_table_fini(&table);
	assert_int_equal(n_deleted, 6);
}

static void newcomer_takes_the_place_of_who_never_sent_a_record(void **) // IP-26
{
	start(3);
	session_prove(&table, add(1, NOW));
	add(2, NOW);
	add(3, NOW);
	assert_non_null(add(4, NOW + 1));
	assert_null(find(2, NOW + 1)); // the oldest of them
	assert_non_null(find(1, NOW + 1));
	assert_non_null(find(3, NOW + 1));
	assert_non_null(add(5, NOW + 2));
	assert_null(find(4, NOW + 2)); // 3 was heard of after it
	assert_int_equal(table.n, 3);
	session_table_fini(&table);
}

static void active_sessions_keep_their_places(void **) // IP-26
{
	start(3);
	for (uint32_t i = 1; i <= 3; i++)
		session_prove(&table, add(i, NOW));
	assert_null(add(4, NOW + IDLE));
	assert_int_equal(n_deleted, 0);
	assert_non_null(find(1, NOW + IDLE)); // heard of again
	assert_non_null(add(4, NOW + IDLE + 1));
	assert_non_null(find(1, NOW + IDLE + 1));
	assert_null(find(2, NOW + IDLE + 1)); // the one that was silent longest
	assert_int_equal(n_deleted, 1);
	session_table_fini(&table);
}

static void clock_set_back_ends_nobody(void **)
{
	start(1);
	session_prove(&table, add(1, NOW));
	assert_null(add(2, NOW - 10 * IDLE));
	assert_non_null(find(1, NOW));
	session_table_fini(&table);
}

static void a_session_is_proven_once(void **)
{
	start(4);
	struct session *s = add(1, NOW);
	assert_false(s->is_proven);
	session_prove(&table, s);
	session_prove(&table, s);
	assert_true(s->is_proven);
	assert_ptr_equal(table.proven.oldest, s);
	assert_ptr_equal(table.proven.newest, s);
	assert_null(table.fresh.oldest);
	session_del(&table, s);
	assert_null(table.proven.oldest);
	assert_int_equal(table.n, 0);
	session_table_fini(&table);
}

static void sessions_of_a_source_end_together(void **) // IP-13, IP-22
{
	start(32);
	for (uint32_t i = 0; i < 20; i++) {
		struct session_key key = key_of(i);
		key.source = i % 3;
		struct session *s = session_add(&table, &key, NOW);
		if (i % 2)
			session_prove(&table, s);
	}
	session_del_source(&table, 1);
	assert_int_equal(n_deleted, 7);
	assert_int_equal(table.n, 13);
	for (uint32_t i = 0; i < 20; i++) {
		struct session_key key = key_of(i);
		key.source = i % 3;
		assert_int_equal(session_find(&table, &key, NOW) != NULL, i % 3 != 1);
	}
	session_table_fini(&table);
}

static void collect(void *arg, struct session *s)
{
	uint8_t **p = arg;
	*(*p)++ = s->key.addr.b[15];
}

static void walk_is_from_the_newest_on(void **)
{
	uint8_t seen[8], *end = seen;
	start(8);
	for (uint32_t i = 1; i <= 6; i++) {
		struct session *s = add(i, NOW);
		if (i <= 3)
			session_prove(&table, s);
	}
	find(1, NOW);
	find(5, NOW);
	session_each(&table, collect, &end);
	assert_int_equal(end - seen, 6);
	assert_memory_equal(seen, ((uint8_t[]){1, 3, 2, 5, 6, 4}), 6);
	session_table_fini(&table);
}

static void table_may_be_as_small_as_one(void **)
{
	start(0);
	assert_non_null(add(1, NOW));
	assert_non_null(add(2, NOW));
	assert_int_equal(table.n, 1);
	session_table_fini(&table);
}

// A million strangers, one message each, do not move those who are at work.
static void flood_of_newcomers_leaves_the_active_alone(void **) // IP-26
{
	enum { MAX = 1024, ACTIVE = 100, FLOOD = 1000000 };
	start(MAX);
	for (uint32_t i = 0; i < ACTIVE; i++)
		session_prove(&table, add(i, NOW));
	for (uint32_t i = ACTIVE; i < FLOOD; i++) {
		assert_non_null(add(i, NOW));
		assert_true(table.n <= MAX);
	}
	assert_int_equal(table.n, MAX);
	assert_int_equal(n_deleted, FLOOD - MAX);
	for (uint32_t i = 0; i < ACTIVE; i++)
		assert_non_null(find(i, NOW));
	session_table_fini(&table);
	assert_int_equal(n_deleted, FLOOD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_part_of_the_key_counts),
		cmocka_unit_test(newcomer_takes_the_place_of_who_never_sent_a_record),
		cmocka_unit_test(active_sessions_keep_their_places),
		cmocka_unit_test(clock_set_back_ends_nobody),
		cmocka_unit_test(a_session_is_proven_once),
		cmocka_unit_test(sessions_of_a_source_end_together),
		cmocka_unit_test(walk_is_from_the_newest_on),
		cmocka_unit_test(table_may_be_as_small_as_one),
		cmocka_unit_test(flood_of_newcomers_leaves_the_active_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
