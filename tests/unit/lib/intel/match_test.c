// SPDX-License-Identifier: Apache-2.0

// The matcher against one that compares everything with everything: no miss, no false hit, ever.

#include "tests/unit/lib/intel/oracle.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define NOW 1800000000u
#ifdef __SANITIZE_THREAD__
#define LOOKUPS_DEFAULT 10000
#else
#define LOOKUPS_DEFAULT 50000
#endif
#define BURST_MAX 300 // more than a round takes
#define NAME_LEN 300  // of a name of the test, too long ones too

static uint64_t random_state = 0x2545f4914f6cdd1d;

static uint32_t draw(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)((random_state >> 32) * n >> 32);
}

// A value the feeds of the test are made of, and a flow to try it with. Few distinct ones, so that
// they meet; and the edges.
static struct addr random_addr(void)
{
	static const char *const edges[] = {
		"0.0.0.0",
		"255.255.255.255",
		"127.0.0.1",
		"10.1.2.3",
		"224.0.0.1",
		"::",
		"::1",
		"fe80::1",
		"ff02::1",
		"2001:db8::",
		"2001:db8::1:0:0",
		"198.51.100.0",
		"8.8.8.8",
		"100.64.0.1",
		"2001:0:0:1::",
	};
	struct addr a = {};
	if (draw(8) == 0) {
		(void)!addr_parse(edges[draw(sizeof(edges) / sizeof(edges[0]))], &a);
		return a;
	}
	if (draw(2)) {
		uint8_t b[4] = {
			(uint8_t)(198 + draw(2)),
			(uint8_t)draw(4),
			(uint8_t)draw(8),
			(uint8_t)draw(16)};
		return addr_of_v4(b);
	}
	uint8_t b[16] = {
		0x20,
		0x01,
		0x0d,
		0xb8,
		[7] = (uint8_t)draw(4),
		[11] = (uint8_t)draw(2),
		[15] = (uint8_t)draw(16)};
	return addr_of_v6(b);
}

static size_t random_name(char text[static NAME_LEN])
{
	static const char *const labels[] = {
		"a", "b", "evil", "www", "com", "example", "x-1", "co"};
	size_t n = 2 + draw(4), at = 0;
	if (draw(16) == 0) { // of so many labels that they are no longer counted
		for (n = 60 + draw(67); n > 0; n--)
			at += (size_t)sprintf(text + at, "a%s", n > 1 ? "." : "");
		return at;
	}
	for (size_t i = 0; i < n; i++)
		at += (size_t)sprintf(text + at, "%s%s", i ? "." : "", labels[draw(8)]);
	return at;
}

// As names come from the wire: in capitals, with a dot at the end, too long, broken.
static uint16_t wild_name(char text[static NAME_LEN])
{
	static const char junk[8] = "\0. *\n\xc3/9";
	size_t len = random_name(text);
	for (uint32_t n = draw(3) ? 0 : draw(6); n > 0; n--) {
		char *c = &text[draw((uint32_t)len)];
		*c = (char)toupper((unsigned char)*c);
	}
	if (draw(16) == 0)
		text[draw((uint32_t)len)] = junk[draw(sizeof(junk))];
	if (draw(32) == 0) {
		memmove(text + 40, text, len < 200 ? len : 200);
		memset(text, 'x', 40 + draw(2) * 30);
		len = 40 + (len < 200 ? len : 200);
	}
	if (draw(8) == 0)
		text[len++] = '.';
	return (uint16_t)len;
}

static struct prefix masked(struct addr a, unsigned len)
{
	struct prefix p = {.len = (uint8_t)len};
	for (unsigned bit = 0; bit < len; bit++)
		p.addr.b[bit / 8] |= (uint8_t)(a.b[bit / 8] & (0x80 >> bit % 8));
	return p;
}

static void add_random(struct intel_list *l)
{
	struct indicator i = {
		.score = (uint16_t)(1 + draw(4) * 250),
		.is_allow = draw(8) == 0,
		.is_forced = draw(4) == 0,
		.expires = draw(5) ? 0 : NOW - 10 + draw(21),
	};
	char name[NAME_LEN] = "";
	struct addr a = random_addr();
	unsigned base = addr_is_v4(&a) ? 96 : 0, width = 128 - base;
	switch (draw(8)) {
	case 0:
		i.type = INDICATOR_PORT;
		i.port = (uint16_t)(draw(8) ? 1 + draw(20) : 65535);
		i.proto = draw(3) ? 0 : (draw(2) ? 6 : 17);
		break;
	case 1:
		i.type = INDICATOR_ADDR_PORT;
		i.net = (struct prefix){a, 128};
		i.port = (uint16_t)(1 + draw(20));
		i.proto = draw(3) ? 0 : (draw(2) ? 6 : 17);
		break;
	case 2:
	case 3:
		random_name(name);
		i.type = INDICATOR_NAME;
		i.is_exact = draw(3) == 0;
		break;
	default:
		i.type = INDICATOR_NET;
		// of any length: feeds refuse the short ones, what is there must match all the same
		i.net = masked(
			a, base + (draw(3) ? width : width - draw(width - (draw(8) ? 8 : 0) + 1))
		);
	}
	assert_int_equal(intel_list_add(l, &i, name), 0);
}

static struct intel_query random_query(char name[static NAME_LEN])
{
	struct intel_query q = {
		.src = random_addr(),
		.dst = random_addr(),
		.sport = (uint16_t)draw(21),
		.dport = (uint16_t)(draw(8) ? draw(21) : 65535),
		.proto = draw(2)   ? 6
			 : draw(4) ? 17
				   : 0,
		.has_flow = draw(10) != 0,
	};
	if (draw(3) == 0)
		q.name = (struct record_str){name, wild_name(name)};
	return q;
}

static struct oracle random_oracle(size_t n_indicators)
{
	struct oracle o = {.now_sec = NOW};
	assert_int_equal(prefix_parse("198.3.7.0/24", &o.own[0]), 0);
	assert_int_equal(prefix_parse("2001:db8:0:3::/64", &o.own[1]), 0);
	for (int k = 0; k < ORACLE_LISTS; k++)
		o.lists[k] = intel_list_create("feed");
	for (size_t i = 0; i < n_indicators; i++)
		add_random(o.lists[draw(ORACLE_LISTS)]);
	return o;
}

static void one_set(size_t n_indicators, size_t n_lookups)
{
	static char names[BURST_MAX][NAME_LEN];
	static struct intel_query queries[BURST_MAX];
	static struct intel_match matches[BURST_MAX];
	struct intel_counters counters = {};
	struct oracle o = random_oracle(n_indicators);
	struct intel_options options = {.own = o.own, .n_own = 2, .n_threads = 2};
	if (draw(2)) // several Hyperscan databases, as the large sets have
		options.shard_values = 1 + draw(draw(2) ? 3 : (uint32_t)n_indicators);
	struct intel_db *db;
	char error[INTEL_ERROR_LEN];
	assert_int_equal(intel_db_create(o.lists, ORACLE_LISTS, &options, &db, error), 0);
	for (size_t done = 0, n; done < n_lookups; done += n) {
		n = 1 + draw(BURST_MAX);
		for (size_t i = 0; i < n; i++)
			queries[i] = random_query(names[i]);
		intel_match(db, draw(2), NOW, queries, n, matches, &counters);
		for (size_t i = 0; i < n; i++)
			oracle_check(&o, &queries[i], &matches[i]);
	}
	assert_int_equal(counters.scan_errors, 0);
	assert_true(counters.queries >= n_lookups);
	for (int k = 0; k < ORACLE_LISTS; k++)
		intel_list_put(o.lists[k]);
	intel_db_put(db);
}

// The sizes make Hyperscan choose each of its engines: one literal, some, many.
static void equals_the_plain_search_for_any_set(void **)
{
	const char *wanted = getenv("WEIR_TEST_LOOKUPS");
	size_t lookups = wanted ? strtoul(wanted, NULL, 10) : LOOKUPS_DEFAULT;
	static const size_t sizes[] = {1, 1, 2, 3, 5, 10, 20, 40, 60, 80, 100, 300, 40, 10};
	size_t n = sizeof(sizes) / sizeof(sizes[0]);
	size_t rounds = 1 + lookups / 1000000; // of other sets, where there are many
	for (size_t k = 0; k < rounds; k++)
		for (size_t i = 0; i < n; i++)
			one_set(sizes[i], lookups / n / rounds);
	one_set(3000, lookups / 500);
}

static void no_indicator_is_no_hit(void **)
{
	struct intel_query q = {.has_flow = true, .dport = 80};
	struct intel_match m = {.id = 1};
	struct intel_counters c = {};
	struct intel_options o = {.n_threads = 1};
	struct intel_db *db;
	char error[INTEL_ERROR_LEN];
	assert_int_equal(intel_db_create(NULL, 0, &o, &db, error), 0);
	intel_match(db, 0, NOW, &q, 1, &m, &c);
	assert_int_equal(m.id, 0);
	intel_db_put(db);
}

// Many lookups in one round: more tokens than a scan takes.
static void a_burst_beyond_the_buffer_is_scanned_in_parts(void **)
{
	enum { N = 5000 };
	static struct intel_query queries[N];
	static struct intel_match matches[N];
	struct intel_list *l = intel_list_create("feed");
	struct intel_counters c = {};
	struct intel_options o = {.n_threads = 1};
	struct intel_db *db;
	char error[INTEL_ERROR_LEN];
	for (unsigned len = 104; len <= 128; len++) {
		struct indicator i = {.type = INDICATOR_NET, .score = (uint16_t)len};
		i.net = masked(addr_of_v4((uint8_t[]){203, 0, 113, 7}), len);
		assert_int_equal(intel_list_add(l, &i, ""), 0);
	}
	assert_int_equal(intel_db_create(&l, 1, &o, &db, error), 0);
	for (int i = 0; i < N; i++)
		queries[i] = (struct intel_query){
			.has_flow = true,
			.src = addr_of_v4((uint8_t[]){203, 0, 113, 7}),
			.dst = addr_of_v4((uint8_t[]){203, 0, 113, 6}),
		};
	intel_match(db, 0, NOW, queries, N, matches, &c);
	for (int i = 0; i < N; i++) {
		assert_int_equal(matches[i].score, 128);
		assert_int_equal(matches[i].where, INTEL_SRC);
	}
	assert_int_equal(c.hits, N);
	intel_list_put(l);
	intel_db_put(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_the_plain_search_for_any_set),
		cmocka_unit_test(no_indicator_is_no_hit),
		cmocka_unit_test(a_burst_beyond_the_buffer_is_scanned_in_parts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
