// SPDX-License-Identifier: Apache-2.0

// A hunt against a plain look at every row that was committed.

#include "collector/hunt/scan.h"
#include "collector/store/lookup.h"
#include "collector/store/view.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/stores.h"

#define HOURS 4

static struct intel_db *database(const char *const *values, size_t n)
{
	struct intel_list *l = intel_list_create("feed");
	struct intel_options o = {.n_threads = 1};
	char error[INTEL_ERROR_LEN], name[INDICATOR_NAME_MAX + 1];
	struct intel_db *db;
	for (size_t i = 0; i < n; i++) {
		struct indicator x = {.score = 500, .is_forced = true};
		assert_null(indicator_parse(values[i], strlen(values[i]), &x, name));
		assert_int_equal(intel_list_add(l, &x, name), 0);
	}
	assert_int_equal(intel_db_create(&l, 1, &o, &db, error), 0);
	intel_list_put(l);
	return db;
}

struct sums {
	uint64_t flows, packets, bytes, denied;
	uint64_t hours; // whose rows were looked at
};

// By every row of the journal and the blocks.
static struct sums plainly(struct store_view *v, const struct intel_db *db)
{
	struct store_scan_spec spec = {.to_ns = UINT64_MAX, .fields = ~0ull};
	struct intel_counters c = {};
	struct store_scan *scan;
	const struct record_batch *b;
	struct sums s = {};
	assert_int_equal(store_scan_open(v, &spec, &scan), 0);
	while (store_scan_next(scan, &b) == 1) {
		for (uint32_t i = 0; i < b->n_rows; i++) {
			struct record r;
			struct intel_match m;
			record_batch_get(b, i, &r);
			struct intel_query q = {
				r.src, r.dst, r.sport, r.dport, r.proto, true, r.server_name};
			intel_match(db, 0, 1, &q, 1, &m, &c);
			if (!m.id)
				continue;
			s.flows++;
			s.packets += r.packets + r.rev_packets;
			s.bytes += r.bytes + r.rev_bytes;
			s.denied += r.verdict;
		}
	}
	store_scan_close(scan);
	return s;
}

static struct sums hunted(struct store_view *v, const struct intel_db *db)
{
	static const _Atomic bool never;
	struct quarry quarry;
	struct hunt_scan scan;
	struct ids ids;
	struct store_hour hour;
	struct sums s = {};
	assert_int_equal(ids_of(db, &ids), 0);
	assert_int_equal(quarry_init(&quarry, db, &ids), 0);
	assert_int_equal(hunt_scan_init(&scan, db, 0, &ids, &quarry), 0);
	for (uint32_t h = 0; store_view_hour(v, 0, h, &hour) == 1; h = hour.hour + 1) {
		assert_int_equal(hunt_scan_hour(&scan, v, 0, &hour, &never), 0);
		for (size_t i = 0; i < scan.n_hits; i++) {
			assert_int_equal(scan.hits[i].hour, hour.hour);
			s.flows += scan.hits[i].retro.flows;
			s.packets += scan.hits[i].retro.packets;
			s.bytes += scan.hits[i].retro.bytes;
			s.denied += scan.hits[i].retro.denied;
		}
	}
	s.hours = scan.hours_scanned;
	hunt_scan_fini(&scan);
	quarry_fini(&quarry);
	ids_free(&ids);
	return s;
}

static void compare(struct stores *f, const char *const *values, size_t n, bool any)
{
	struct intel_db *db = database(values, n);
	struct sums plain = plainly(stores_view(f), db), hunt = hunted(f->view, db);
	assert_int_equal(hunt.flows, plain.flows);
	assert_int_equal(hunt.packets, plain.packets);
	assert_int_equal(hunt.bytes, plain.bytes);
	assert_int_equal(hunt.denied, plain.denied);
	assert_int_equal(plain.flows > 0, any);
	intel_db_put(db);
}

static void compare_all(struct stores *f)
{
	static const char *const sets[][4] = {
		{"10.0.0.7", "10.0.1.9", "2001:db8::5", "192.0.2.1"},
		{"10.0.0.0/25", "10.0.0.64/27", "2001:db8:0:100::/56", "10.0.1.128/25"},
		{"port 443", "port 17/udp", "10.0.0.3:443", "port 2999"},
		{"example.net", "=mail.example.org", "10.0.0.200", "org.example"},
	};
	static const char *const nothing[] = {
		"192.0.2.0/24", "2001:db9::/32", "no.such.name", "port 65000"};
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		compare(f, sets[i], 4, true);
	compare(f, nothing, 4, false);
}

static void finds_what_a_look_at_every_row_finds(void **state)
{
	struct stores *f = *state;
	stores_commit(f, 0, HOURS, 3000);
	compare_all(f); // in the journal
	stores_seal(f);
	compare_all(f); // in blocks
	stores_commit(f, 0, HOURS, 1000);
	compare_all(f); // in both
}

static void rows_are_left_alone_when_the_tables_have_nothing(void **state)
{
	struct stores *f = *state;
	static const char *const values[] = {
		"192.0.2.0/24", "2001:db9::/32", "port 65000", "=example.net", "w.example.net"};
	struct intel_db *all = database(values, 5);
	stores_commit(f, 0, HOURS, 2000);
	assert_int_equal(hunted(stores_view(f), all).hours, HOURS);
	stores_seal(f);
	assert_int_equal(hunted(stores_view(f), all).hours, 0);
	stores_commit(f, 0, 1, 10);
	assert_int_equal(hunted(stores_view(f), all).hours, 1);
	intel_db_put(all);
}

static void finds_the_same_in_hours_of_an_older_release(void **state)
{
	struct stores *f = *state;
	stores_commit(f, 0, HOURS, 3000);
	stores_seal(f);
	stores_close(f);
	stores_forget(f, KEY_INDEX);
	stores_forget(f, KEY_NAMES);
	stores_open(f);
	compare_all(f);
	stores_commit(f, 0, 1, 500); // late rows bring the hour up to date
	stores_seal(f);
	compare_all(f);
}

static void finds_the_same_beside_damaged_tables(void **state)
{
	struct stores *f = *state;
	stores_commit(f, 0, 1, 3000);
	stores_seal(f);
	struct key key = key_hour(KEY_INDEX, 0, ROWS_HOUR);
	struct db_iter *it = stores_view(f)->keys;
	assert_true(db_iter_seek(it, key_slice(&key)));
	struct slice found = db_iter_key(it);
	memcpy(key.b, found.p, found.len);
	key.len = found.len;
	stores_close(f);
	stores_damage(f, &key);
	stores_open(f);
	compare_all(f);
}

static void what_matched_as_it_came_is_not_told_again(void **state)
{
	struct stores *f = *state;
	static const char *const value[] = {"198.51.100.7"};
	struct intel_db *db = database(value, 1);
	struct record_batch *b = record_batch_create(2);
	for (int i = 0; i < 2; i++) {
		struct record r = rows_record(ROWS_HOUR);
		RECORD_SET(&r, dst, addr_of_v4((uint8_t[]){198, 51, 100, 7}));
		if (i)
			RECORD_SET(&r, indicator, intel_db_entry(db, 0).id);
		assert_int_equal(record_batch_add(b, &r), 0);
	}
	assert_int_equal(store_commit(f->store, &b, 1, f->error), 0);
	record_batch_free(b);
	assert_int_equal(hunted(stores_view(f), db).flows, 1);
	intel_db_put(db);
}

// Each row is newer than the one before, and has another name: kept is the last one's, and no more.
static void the_newest_name_is_kept_and_no_other(void **state)
{
	struct stores *f = *state;
	static const _Atomic bool never;
	static const char *const value[] = {"198.51.100.7"};
	struct intel_db *db = database(value, 1);
	struct record_batch *b = record_batch_create(2000);
	char name[300] = "";
	for (int i = 0; i < 2000; i++) {
		struct record r = rows_record(ROWS_HOUR);
		int len = snprintf(name, sizeof(name), "%0*d.example", 1 + i * 7 % 300 % 240, i);
		RECORD_SET(&r, start_ns, store_hour_start(ROWS_HOUR) + (uint64_t)i * NS_PER_SEC);
		RECORD_SET(&r, end_ns, r.start_ns);
		RECORD_SET(&r, src, addr_of_v4((uint8_t[]){10, 0, 0, 1}));
		RECORD_SET(&r, dst, addr_of_v4((uint8_t[]){198, 51, 100, 7}));
		RECORD_SET(&r, server_name, ((struct record_str){name, (uint16_t)len}));
		assert_int_equal(record_batch_add(b, &r), 0);
	}
	assert_int_equal(store_commit(f->store, &b, 1, f->error), 0);
	record_batch_free(b);
	stores_seal(f);
	struct quarry quarry;
	struct hunt_scan scan;
	struct store_hour hour;
	struct ids ids;
	assert_int_equal(ids_of(db, &ids), 0);
	assert_int_equal(quarry_init(&quarry, db, &ids), 0);
	assert_int_equal(hunt_scan_init(&scan, db, 0, &ids, &quarry), 0);
	assert_int_equal(store_view_hour(stores_view(f), 0, 0, &hour), 1);
	assert_int_equal(hunt_scan_hour(&scan, f->view, 0, &hour, &never), 0);
	assert_int_equal(scan.n_hits, 1);
	assert_int_equal(scan.hits[0].retro.flows, 2000);
	struct record_str seen = scan.hits[0].texts[HIT_SEEN_NAME];
	assert_int_equal(seen.len, strlen(name));
	assert_memory_equal(seen.p, name, seen.len);
	assert_true(scan.names_len < 500);
	hunt_scan_fini(&scan);
	quarry_fini(&quarry);
	ids_free(&ids);
	intel_db_put(db);
}

static void a_cancelled_hunt_ends(void **state)
{
	struct stores *f = *state;
	static const _Atomic bool now = true;
	static const char *const value[] = {"10.0.0.0/8"};
	struct intel_db *db = database(value, 1);
	struct quarry quarry;
	struct hunt_scan scan;
	struct ids ids;
	struct store_hour hour;
	stores_commit(f, 0, 1, 500);
	assert_int_equal(ids_of(db, &ids), 0);
	assert_int_equal(quarry_init(&quarry, db, &ids), 0);
	assert_int_equal(hunt_scan_init(&scan, db, 0, &ids, &quarry), 0);
	assert_int_equal(store_view_hour(stores_view(f), 0, 0, &hour), 1);
	assert_int_equal(hunt_scan_hour(&scan, f->view, 0, &hour, &now), -ECANCELED);
	hunt_scan_fini(&scan);
	quarry_fini(&quarry);
	ids_free(&ids);
	intel_db_put(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, stores_set_up, stores_tear_down)
		TEST(finds_what_a_look_at_every_row_finds),
		TEST(rows_are_left_alone_when_the_tables_have_nothing),
		TEST(finds_the_same_in_hours_of_an_older_release),
		TEST(finds_the_same_beside_damaged_tables),
		TEST(what_matched_as_it_came_is_not_told_again),
		TEST(the_newest_name_is_kept_and_no_other),
		TEST(a_cancelled_hunt_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
