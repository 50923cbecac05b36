// SPDX-License-Identifier: Apache-2.0

// Flows with a real table and real indicators: what is kept beside them, and what is told at once.

#include "lib/intel/feed.h"
#include "sensor/inspect/inspect.h"
#include "sensor/inspect/note.h"
#include "tests/unit/sensor/flow/flows.h"

static const char feed[] = "indicator,category,score\n"
			   "198.51.100.7,c2,800\n"
			   "2001:db8:5::/48,scanner,300\n"
			   "bad.example,phishing,900\n";

static struct flows flows;
static struct names *names;
static struct inspect *inspect;
static struct intel_db *db;

static int set_up(void **)
{
	struct flow_table_options o = flows_options();
	struct names_options n = NAMES_OPTIONS_DEFAULT;
	struct inspect_options i = {};
	struct feed_options f = {.name = "feed"};
	struct feed_report report;
	struct intel_list *list;
	char error[INTEL_ERROR_LEN];
	assert_int_equal(names_create(&n, &names), 0);
	i.names = o.names = names;
	o.extra_bytes = 1 << 20;
	flows_open(&flows, &o);
	inspect = inspect_create(&i);
	assert_non_null(inspect);
	assert_int_equal(feed_parse(&f, feed, strlen(feed), T0, &list, &report), 0);
	assert_int_equal(report.taken, 3);
	assert_int_equal(
		intel_db_create(&list, 1, &(struct intel_options){.n_threads = 1}, &db, error), 0
	);
	intel_list_put(list);
	return 0;
}

static int tear_down(void **)
{
	flows_close(&flows);
	names_free(names);
	inspect_free(inspect);
	intel_db_put(db);
	return 0;
}

static struct addr addr(const char *text)
{
	struct addr a;
	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct packet packet(const char *src, const char *dst, uint16_t dport)
{
	struct packet p = flows_packet(1, 2, PROTO_UDP);
	p.src = addr(src);
	p.dst = addr(dst);
	p.dport = dport;
	return p;
}

// One packet as a burst, with a payload or without.
static void put(const struct packet *p, const void *payload, size_t len)
{
	struct flow_probe probe;
	struct flow *f;
	flow_table_probe(flows.table, p, 1, &probe);
	uint64_t begun = flow_table_update(flows.table, p, 1, &probe, &f);
	inspect_begin(inspect, flows.table, p->time_ns);
	if (len)
		inspect_payload(inspect, f, &probe, p, payload, len);
	inspect_flows(inspect, begun, &f, &probe, db);
}

// A DNS question for bad.example, below a name that differs.
static void ask(const struct packet *p, uint8_t differs)
{
	uint8_t q[] = "\0\1\1\0\0\1\0\0\0\0\0\0\1?\3bad\7example\0\0\1\0\1";
	q[13] = differs;
	put(p, q, sizeof(q) - 1);
}

// The next thing in the ring; its note is that of the bytes beside it.
static bool next(struct flow *ret_flow, struct note *ret_note)
{
	static uint8_t bytes[FLOW_EXTRA_MAX];
	const struct flow *f;
	const uint8_t *extra;
	if (flow_ring_peek(flows.ring, 1, &f) == 0)
		return false;
	size_t len = flow_ring_extra(flows.ring, f, &extra);
	*ret_flow = *f;
	*ret_note = (struct note){};
	if (len) {
		memcpy(bytes, extra, len);
		assert_true(note_get(bytes, len, ret_note));
	}
	flow_ring_release(flows.ring, 1);
	return true;
}

static void assert_text(const struct record_str *s, const char *want)
{
	assert_int_equal(s->len, strlen(want));
	assert_memory_equal(s->p, want, s->len);
}

static void a_listed_address_is_told_before_its_flow_ends(void **)
{
	struct packet p = packet("10.0.0.1", "198.51.100.7", 443);
	struct flow f;
	struct note n;
	put(&p, NULL, 0);
	assert_true(next(&f, &n));
	assert_int_equal(f.end_reason, FLOW_END_NONE);
	assert_int_equal(n.score, 800);
	assert_int_equal(n.matched, INTEL_DST);
	assert_int_equal(n.type, INDICATOR_NET);
	assert_text(&n.texts[NOTE_VALUE], "198.51.100.7");
	assert_text(&n.texts[NOTE_FEED], "feed");
	assert_text(&n.texts[NOTE_CATEGORY], "c2");
	uint64_t indicator = n.indicator;
	put(&p, NULL, 0); // of the same flow
	assert_false(next(&f, &n));
	flow_table_flush(flows.table);
	assert_true(next(&f, &n));
	assert_int_equal(f.packets[FLOW_FORWARD], 2);
	assert_true(n.indicator == indicator);
	assert_int_equal(n.type, INDICATOR_NONE); // the record needs no words
	assert_int_equal(inspect_counters(inspect)->hits, 1);
}

static void an_attacker_is_matched_as_source(void **)
{
	struct packet p = packet("2001:db8:5::1", "2001:db8:6::1", 22);
	struct flow f;
	struct note n;
	put(&p, NULL, 0);
	assert_true(next(&f, &n));
	assert_int_equal(n.matched, INTEL_SRC);
	assert_text(&n.texts[NOTE_VALUE], "2001:db8:5::/48");
}

static void others_have_nothing_beside(void **)
{
	struct packet p = packet("10.0.0.1", "198.51.100.8", 443);
	struct flow f;
	struct note n;
	put(&p, NULL, 0);
	flow_table_flush(flows.table);
	assert_true(next(&f, &n));
	assert_false(f.has_extra);
	assert_int_equal(inspect_counters(inspect)->hits, 0);
}

static void a_name_is_kept_and_matched(void **)
{
	struct packet p = packet("10.0.0.1", "10.0.0.53", 53);
	struct names_result name;
	struct flow f;
	struct note n;
	ask(&p, 'a');
	assert_true(next(&f, &n));
	assert_int_equal(n.matched, INTEL_NAME);
	assert_text(&n.texts[NOTE_VALUE], "bad.example");
	assert_true(names_unpack(n.names, n.names_len, &name));
	assert_int_equal(name.server_len, 13);
	assert_memory_equal(name.server, "a.bad.example", 13);
	flow_table_flush(flows.table);
	assert_true(next(&f, &n));
	assert_int_equal(n.score, 900);
	assert_true(names_unpack(n.names, n.names_len, &name));
}

static void the_higher_score_stays(void **)
{
	struct packet p = packet("10.0.0.1", "198.51.100.7", 53);
	struct flow f;
	struct note n;
	put(&p, NULL, 0);
	ask(&p, 'a');
	assert_true(next(&f, &n));
	assert_int_equal(n.score, 800);
	assert_true(next(&f, &n)); // the name is a hit of its own
	assert_int_equal(n.score, 900);
	flow_table_flush(flows.table);
	assert_true(next(&f, &n));
	assert_int_equal(n.score, 900);
	assert_int_equal(inspect_counters(inspect)->hits, 1); // flows
}

static void the_same_host_is_told_once_a_minute(void **)
{
	struct flow f;
	struct note n;
	unsigned told = 0;
	for (uint16_t port = 1; port <= 1000; port++) {
		struct packet p = packet("10.0.0.1", "198.51.100.7", port);
		put(&p, NULL, 0);
	}
	for (uint16_t port = 1; port <= 2; port++) {
		struct packet p = packet("10.0.0.2", "198.51.100.7", port);
		put(&p, NULL, 0);
	}
	struct packet later = packet("10.0.0.1", "198.51.100.7", 2000);
	later.time_ns += 61 * NS_PER_SEC;
	put(&later, NULL, 0);
	while (next(&f, &n))
		told += f.end_reason == FLOW_END_NONE;
	assert_int_equal(told, 3);
	assert_int_equal(inspect_counters(inspect)->hits, 1003);
	assert_int_equal(inspect_counters(inspect)->told, 3);
}

static void a_flood_of_hits_is_limited(void **)
{
	for (uint32_t host = 0; host < 3000; host++) {
		struct packet p = packet("10.0.0.1", "198.51.100.7", 1);
		p.src = flows_host(host + 100);
		put(&p, NULL, 0);
	}
	const struct inspect_counters *c = inspect_counters(inspect);
	assert_int_equal(c->hits, 3000);
	assert_true(c->told >= 1000 && c->told <= 1100);
	assert_int_equal(c->told + c->limited, 3000);
}

static void without_intelligence_names_are_kept_all_the_same(void **)
{
	struct packet p = packet("10.0.0.1", "10.0.0.53", 53);
	struct flow f;
	struct note n;
	intel_db_put(db);
	db = NULL;
	ask(&p, 'a');
	flow_table_flush(flows.table);
	assert_true(next(&f, &n));
	assert_true(n.names_len > 0);
	assert_true(n.indicator == 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_listed_address_is_told_before_its_flow_ends),
		TEST(an_attacker_is_matched_as_source),
		TEST(others_have_nothing_beside),
		TEST(a_name_is_kept_and_matched),
		TEST(the_higher_score_stays),
		TEST(the_same_host_is_told_once_a_minute),
		TEST(a_flood_of_hits_is_limited),
		TEST(without_intelligence_names_are_kept_all_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
