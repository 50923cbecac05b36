// SPDX-License-Identifier: Apache-2.0
#include "collector/store/block.h"
#include "collector/store/table.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/writer.h"

#define ROUNDS 20

static struct db *open_db(const struct stores *f)
{
	char path[80], error[DB_ERROR_LEN];
	struct db *db;
	snprintf(path, sizeof(path), "%s/db", f->dir);
	if (db_open(path, 64 << 20, DB_WAL_STRICT, &db, error) < 0)
		fail_msg("%s", error);
	return db;
}

static bool has_key(struct db *db, const struct key *k)
{
	struct db_iter *it = db_iter_open(db, NULL, true);
	bool found = db_iter_seek(it, key_slice(k)) && key_is(db_iter_key(it), k);
	db_iter_close(it);
	return found;
}

// How many keys of a kind there are; each must have its like of another kind.
static int count_pairs(struct db *db, enum key_kind kind, enum key_kind like)
{
	struct db_iter *it = db_iter_open(db, NULL, true);
	struct key start = key_hour(kind, 0, 0);
	struct key_parts at;
	int n = 0;
	bool valid = db_iter_seek(it, key_slice(&start));
	for (; valid && key_parse(db_iter_key(it), kind, &at); valid = db_iter_next(it)) {
		struct key other = key_block(like, at.entity, at.hour, at.number);
		if (!has_key(db, &other))
			fail_msg("%c of block %u without %c", kind, (unsigned)at.number, like);
		n++;
	}
	assert_int_equal(db_iter_error(it), 0);
	db_iter_close(it);
	return n;
}

// No half journal block, and once all is sealed, no column of a pass that was cut short.
static void check_keys(struct stores *f)
{
	stores_close(f);
	struct db *db = open_db(f);
	assert_int_equal(
		count_pairs(db, KEY_ARRIVED, KEY_JOURNAL), count_pairs(db, KEY_JOURNAL, KEY_ARRIVED)
	);
	db_close(db);
	stores_open(f);
	stores_seal(f);
	stores_close(f);
	db = open_db(f);
	assert_int_equal(count_pairs(db, KEY_JOURNAL, KEY_ARRIVED), 0);
	assert_true(count_pairs(db, KEY_COLUMN, KEY_SUMMARY) > 0);
	db_close(db);
}

static void a_killed_collector_loses_no_acknowledged_row(void **state)
{
	struct stores *f = *state;
	uint32_t n = 0, n_killed = 0;
	stores_close(f);
	for (int round = 0; round < ROUNDS; round++) {
		struct child c = writer_start(f, n);
		// Once with the first commit, else at any moment, that of opening among them.
		if (round % 2)
			n = (uint32_t)child_last_number(&c, 5000, n);
		usleep((useconds_t)rows_below(round % 3 ? 100000 : 300000));
		n_killed += child_kill(&c);
		uint32_t acknowledged = (uint32_t)child_last_number(&c, 0, n);
		close(c.fd);
		stores_open(f);
		assert_string_equal(f->error, "");
		n = writer_check(stores_view(f));
		if (n != acknowledged && n != acknowledged + writer_commit_rows(acknowledged))
			fail_msg("%u rows where %u were acknowledged", n, acknowledged);
		if (round % 7 == 6)
			check_keys(f);
		stores_close(f);
	}
	assert_int_equal(n_killed, ROUNDS);
	assert_true(n > 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, stores_set_up, stores_tear_down)
		TEST(a_killed_collector_loses_no_acknowledged_row),
	};
	if (argc > 3)
		return writer_main(argv + 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
