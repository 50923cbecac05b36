// SPDX-License-Identifier: Apache-2.0

// The matcher against one that compares everything with everything: no miss, no false hit, ever.

#include "lib/intel/match.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>

#define NOW 1800000000u
#define LOOKUPS_DEFAULT 200000

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

static void random_name(char *text, size_t size)
{
	static const char *const labels[] = {
		"a", "b", "evil", "www", "com", "example", "x-1", "co"};
	size_t n = 2 + draw(4), at = 0;
	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, size - at, "%s%s", i ? "." : "", labels[draw(8)]);
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
	char name[64] = "";
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
	case 3: {
		random_name(name, sizeof(name));
		i.type = INDICATOR_NAME;
		i.is_exact = draw(3) == 0;
		break;
	}
	default:
		i.type = INDICATOR_NET;
		i.net = masked(a, base + (draw(3) ? width : width - draw(width - 8)));
	}
	assert_int_equal(intel_list_add(l, &i, name), 0);
}

struct oracle {
	struct intel_list *lists[3];
	struct prefix own[2];
};

struct found {
	const struct indicator *i;
	const struct intel_list *l;
	size_t list, item;
	unsigned len;
};

static bool exempt(const struct oracle *o, const struct indicator *i, const struct addr *a)
{
	struct prefix host = {*a, 128};
	if (i->is_allow)
		return false;
	return prefix_contains(&o->own[0], a) || prefix_contains(&o->own[1], a) ||
	       (!i->is_forced && indicator_is_reserved(&host));
}

// How specifically the indicator covers the part of the query; -1: not at all.
static int coverage(
	const struct oracle *o,
	const struct indicator *i,
	const char *name,
	const struct intel_query *q,
	int where
)
{
	const struct addr *a = where == INTEL_SRC ? &q->src : &q->dst;
	uint16_t port = where == INTEL_SRC ? q->sport : q->dport;
	bool proto = i->proto == 0 || i->proto == q->proto;
	if (i->expires && i->expires <= NOW)
		return -1;
	if (i->type == INDICATOR_NAME) {
		if (where != INTEL_NAME || q->name.len < strlen(name))
			return -1;
		const char *end = q->name.p + q->name.len - strlen(name);
		if (memcmp(end, name, strlen(name)) != 0)
			return -1;
		bool whole = end == q->name.p;
		return whole || (!i->is_exact && end[-1] == '.') ? (int)strlen(name) : -1;
	}
	if (!q->has_flow)
		return -1;
	if (i->type == INDICATOR_PORT)
		return where == INTEL_PORT && i->port == q->dport && proto ? 0 : -1;
	if (where != INTEL_SRC && where != INTEL_DST)
		return -1;
	if (addr_is_v4(a) != addr_is_v4(&i->net.addr) || !prefix_contains(&i->net, a) ||
	    exempt(o, i, a))
		return -1;
	if (i->type == INDICATOR_ADDR_PORT && (i->port != port || !proto))
		return -1;
	return i->net.len;
}

static struct found search(const struct oracle *o, const struct intel_query *q, int where)
{
	struct found best = {};
	for (size_t k = 0; k < 3; k++) {
		for (size_t n = 0; n < o->lists[k]->n; n++) {
			const struct indicator *i = &o->lists[k]->items[n];
			int len = coverage(o, i, intel_list_str(o->lists[k], i->name), q, where);
			if (len < 0)
				continue;
			struct found f = {i, o->lists[k], k, n, (unsigned)len};
			bool better = !best.i || f.len > best.len;
			if (best.i && f.len == best.len) {
				if (i->is_allow != best.i->is_allow)
					better = i->is_allow;
				else
					better = i->score > best.i->score;
			}
			if (better)
				best = f;
		}
	}
	return best;
}

static struct intel_query random_query(char *name, size_t size)
{
	struct intel_query q = {
		.src = random_addr(),
		.dst = random_addr(),
		.sport = (uint16_t)(1 + draw(20)),
		.dport = (uint16_t)(draw(8) ? 1 + draw(20) : 65535),
		.proto = draw(2) ? 6 : 17,
		.has_flow = draw(10) != 0,
	};
	if (draw(3) == 0) {
		random_name(name, size);
		q.name = (struct record_str){name, (uint16_t)strlen(name)};
	}
	return q;
}

static void
compare(const struct oracle *o, const struct intel_query *q, const struct intel_match *m)
{
	struct found part[INTEL_PORT + 1], best = {};
	bool allowed = false;
	int where = INTEL_NONE;
	for (int w = INTEL_DST; w <= INTEL_PORT; w++)
		part[w] = search(o, q, w);
	bool shielded = (part[INTEL_DST].i && part[INTEL_DST].i->is_allow) ||
			(part[INTEL_SRC].i && part[INTEL_SRC].i->is_allow);
	for (int w = INTEL_DST; w <= INTEL_PORT; w++) {
		if (!part[w].i)
			continue;
		if (part[w].i->is_allow || (w == INTEL_PORT && shielded)) {
			allowed = true;
		} else if (!best.i || part[w].i->score > best.i->score) {
			best = part[w];
			where = w;
		}
	}
	assert_int_equal(m->is_allowed, allowed);
	assert_int_equal(m->where, where);
	assert_ptr_equal(m->indicator, best.i);
	if (best.i)
		assert_int_equal(m->id, best.i->id);
	else
		assert_int_equal(m->id, 0);
}

static void one_set(size_t n_indicators, size_t n_lookups)
{
	enum { BURST = 100 };
	static char names[BURST][64];
	struct intel_query queries[BURST];
	struct intel_match matches[BURST];
	struct intel_counters counters = {};
	struct oracle o = {};
	struct intel_db *db;
	char error[INTEL_ERROR_LEN];
	assert_int_equal(prefix_parse("198.3.7.0/24", &o.own[0]), 0);
	assert_int_equal(prefix_parse("2001:db8:0:3::/64", &o.own[1]), 0);
	for (int k = 0; k < 3; k++)
		o.lists[k] = intel_list_create("feed");
	for (size_t i = 0; i < n_indicators; i++)
		add_random(o.lists[draw(3)]);
	struct intel_options options = {.own = o.own, .n_own = 2, .n_threads = 2};
	assert_int_equal(intel_db_create(o.lists, 3, &options, &db, error), 0);
	for (size_t done = 0; done < n_lookups; done += BURST) {
		for (int i = 0; i < BURST; i++)
			queries[i] = random_query(names[i], sizeof(names[i]));
		intel_match(
			db, (unsigned)(done / BURST % 2), NOW, queries, BURST, matches, &counters
		);
		for (int i = 0; i < BURST; i++)
			compare(&o, &queries[i], &matches[i]);
	}
	assert_int_equal(counters.scan_errors, 0);
	assert_int_equal(counters.queries, n_lookups);
	for (int k = 0; k < 3; k++)
		intel_list_put(o.lists[k]);
	intel_db_put(db);
}

static void equals_the_plain_search_for_any_set(void **)
{
	const char *wanted = getenv("WEIR_TEST_LOOKUPS");
	size_t lookups = wanted ? strtoul(wanted, NULL, 10) : LOOKUPS_DEFAULT;
	static const size_t sizes[] = {1, 2, 3, 10, 40, 100, 300, 40, 100, 10};
	size_t n = sizeof(sizes) / sizeof(sizes[0]);
	for (size_t i = 0; i < n; i++)
		one_set(sizes[i], lookups / n / 100 * 100);
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
