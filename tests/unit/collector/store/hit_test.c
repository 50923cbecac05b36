// SPDX-License-Identifier: Apache-2.0
#include "collector/store/hit.h"
#include "collector/store/hit_json.h"
#include "collector/store/hit_row.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/stores.h"
#include "tests/unit/collector/store/values.h"

static struct record_str text(const char *s)
{
	return (struct record_str){s, (uint16_t)strlen(s)};
}

// A hit of an inside host in an hour, of one flow of 100 bytes.
static struct hit one(uint32_t hour, uint64_t indicator, uint8_t host)
{
	struct hit h = {
		.hour = hour,
		.indicator = indicator,
		.inside = addr_of_v4((uint8_t[]){10, 0, 0, host}),
		.outside = addr_of_v4((uint8_t[]){198, 51, 100, 7}),
		.direction = HIT_OUTBOUND,
		.score = 700,
		.first_ns = store_hour_start(hour) + 5,
		.last_ns = store_hour_start(hour) + 10,
		.live = {.flows = 1, .packets = 2, .bytes = 100},
	};
	for (int i = 0; i < HIT_N_TEXTS; i++)
		h.texts[i] = text("");
	h.texts[HIT_VALUE] = text("198.51.100.7");
	return h;
}

static void add(struct stores *f, const struct hit *hits, size_t n)
{
	if (store_hits_add(f->store, hits, n, f->error) < 0)
		fail_msg("%s", f->error);
}

struct seen {
	struct hit hits[64];
	int n;
};

static int see(void *ctx, const struct hit *h)
{
	struct seen *s = ctx;
	s->hits[s->n++] = *h;
	return 0;
}

static struct seen all(struct stores *f)
{
	struct seen s = {.n = 0};
	assert_int_equal(store_view_hits(stores_view(f), 0, 0, UINT32_MAX, see, &s), 0);
	return s;
}

static void flows_of_one_row_are_folded(void **state)
{
	struct stores *f = *state;
	struct hit hits[] = {one(ROWS_HOUR, 7, 1), one(ROWS_HOUR, 7, 1), one(ROWS_HOUR, 7, 2)};
	hits[1].last_ns += 100;
	hits[1].first_ns -= 3;
	hits[1].live.denied = 1;
	add(f, hits, 3);
	add(f, hits, 1);
	struct seen s = all(f);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.hits[0].live.flows, 3);
	assert_int_equal(s.hits[0].live.bytes, 300);
	assert_int_equal(s.hits[0].live.denied, 1);
	assert_int_equal(s.hits[0].first_ns, hits[1].first_ns);
	assert_int_equal(s.hits[0].last_ns, hits[1].last_ns);
	assert_int_equal(s.hits[1].live.flows, 1);
}

static void a_delta_without_words_leaves_those_of_the_row(void **state)
{
	struct stores *f = *state;
	struct hit told = one(ROWS_HOUR, 7, 1), counted = told;
	told.live = (struct hit_counts){};
	told.severity = 3;
	told.type = 1;
	told.texts[HIT_SEEN_NAME] = text("a.example");
	counted.texts[HIT_VALUE] = text("");
	counted.last_ns += 100;
	add(f, &told, 1);
	add(f, &counted, 1);
	add(f, &counted, 1);
	struct seen s = all(f);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.hits[0].live.flows, 2);
	assert_int_equal(s.hits[0].severity, 3);
	assert_int_equal(s.hits[0].type, 1);
	assert_int_equal(s.hits[0].texts[HIT_VALUE].len, strlen("198.51.100.7"));
	assert_int_equal(s.hits[0].texts[HIT_SEEN_NAME].len, strlen("a.example"));
	counted.indicator = 8; // what was never told of is explained when it is
	add(f, &counted, 1);
	told.indicator = 8;
	told.last_ns -= 5;
	add(f, &told, 1);
	s = all(f);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.hits[1].texts[HIT_VALUE].len, strlen("198.51.100.7"));
}

static void what_a_hunt_finds_is_set_and_not_added(void **state)
{
	struct stores *f = *state;
	struct hit live = one(ROWS_HOUR, 7, 1), hunt = live;
	hunt.is_hunt = true;
	hunt.live = (struct hit_counts){};
	hunt.retro = (struct hit_counts){.flows = 5, .bytes = 50};
	add(f, &hunt, 1);
	add(f, &live, 1);
	add(f, &hunt, 1);
	struct seen s = all(f);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.hits[0].live.flows, 1);
	assert_int_equal(s.hits[0].retro.flows, 5);
}

static void hours_come_newest_first_and_within_bounds(void **state)
{
	struct stores *f = *state;
	struct hit hits[] = {one(100, 7, 1), one(300, 7, 1), one(200, 7, 1)};
	struct seen s = {.n = 0};
	add(f, hits, 3);
	s = all(f);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.hits[0].hour, 300);
	assert_int_equal(s.hits[2].hour, 100);
	s.n = 0;
	assert_int_equal(store_view_hits(stores_view(f), 0, 101, 299, see, &s), 0);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.hits[0].hour, 200);
	s.n = 0;
	assert_int_equal(store_view_hits(stores_view(f), 1, 0, UINT32_MAX, see, &s), 0);
	assert_int_equal(s.n, 0);
}

static void the_log_tells_what_changed_since_a_number(void **state)
{
	struct stores *f = *state;
	struct hit hits[] = {one(100, 7, 1), one(100, 7, 2)};
	uint64_t last;
	struct seen s = {.n = 0};
	add(f, hits, 2);
	assert_int_equal(store_view_hits_last(stores_view(f), &last), 0);
	assert_int_equal(last, 2);
	add(f, &hits[0], 1);
	assert_int_equal(store_view_hits_since(stores_view(f), 0, last, see, &s), 0);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.hits[0].number, 3);
	assert_int_equal(s.hits[0].live.flows, 2);
	s.n = 0;
	assert_int_equal(store_view_hits_since(stores_view(f), -1, 0, see, &s), 0);
	assert_int_equal(s.n, 2); // each row once, with its last change
	assert_int_equal(s.hits[0].number, 2);
	// the numbers go on after a restart
	stores_close(f);
	stores_open(f);
	add(f, &hits[1], 1);
	assert_int_equal(store_view_hits_last(stores_view(f), &last), 0);
	assert_int_equal(last, 4);
}

static void rows_and_hits_are_committed_together(void **state)
{
	struct stores *f = *state;
	struct record_batch *b = stores_rows(f, 0, 1, 10);
	struct hit h = one(ROWS_HOUR, 7, 1);
	assert_int_equal(store_commit_hits(f->store, &b, 1, &h, 1, f->error), 0);
	record_batch_free(b);
	assert_int_equal(all(f).n, 1);
	struct store_hour hour;
	assert_int_equal(store_view_hour(f->view, 0, 0, &hour), 1);
	assert_int_equal(hour.journal_rows, 10);
}

struct decoded {
	struct key key;
	struct hit hit;
};

static int decode(void *ctx, const void *p, size_t len)
{
	struct decoded *d = ctx;
	return hit_decode(key_slice(&d->key), (struct slice){p, len}, &d->hit);
}

static void a_hit_comes_back_and_a_damaged_one_does_not(void **state)
{
	struct hit h = one(ROWS_HOUR, 0x0123456789abcdef, 9);
	struct decoded d = {.key = hit_key(&h)};
	struct values values = {decode, &d};
	struct bytes out = {0};
	(void)state;
	h.texts[HIT_SEEN_NAME] = text("www.example.net");
	h.retro = (struct hit_counts){1, 2, 3, 4};
	h.number = 77;
	assert_int_equal(hit_encode(&h, &out), 0);
	assert_int_equal(values_decode(&values, out.p, out.len), 0);
	assert_int_equal(d.hit.indicator, h.indicator);
	assert_int_equal(d.hit.number, 77);
	assert_int_equal(d.hit.retro.denied, 4);
	assert_int_equal(d.hit.texts[HIT_SEEN_NAME].len, 15);
	values_refuse_truncation(&values, &out);
	values_refuse_flips(&values, &out);
	bytes_fini(&out);
}

static void an_id_names_its_row_and_nothing_else_does(void **state)
{
	struct hit h = one(ROWS_HOUR, 0xfedcba9876543210, 3), back;
	char id[HIT_ID_LEN];
	(void)state;
	assert_int_equal(hit_id_parse(hit_id_format(&h, id), &back), 0);
	assert_int_equal(back.hour, h.hour);
	assert_int_equal(back.indicator, h.indicator);
	assert_true(addr_eq(&back.inside, &h.inside));
	assert_int_equal(hit_id_parse("", &back), -EINVAL);
	assert_int_equal(hit_id_parse("0-0-0-0-0", &back), -EINVAL);
	id[0] = 'x';
	assert_int_equal(hit_id_parse(id, &back), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, stores_set_up, stores_tear_down)
		TEST(flows_of_one_row_are_folded),
		TEST(a_delta_without_words_leaves_those_of_the_row),
		TEST(what_a_hunt_finds_is_set_and_not_added),
		TEST(hours_come_newest_first_and_within_bounds),
		TEST(the_log_tells_what_changed_since_a_number),
		TEST(rows_and_hits_are_committed_together),
		TEST(a_hit_comes_back_and_a_damaged_one_does_not),
		TEST(an_id_names_its_row_and_nothing_else_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
