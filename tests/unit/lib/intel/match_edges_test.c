// SPDX-License-Identifier: Apache-2.0

// The rules of matching at their edges, each said by a sentence; match_test.c tries what nobody
// thought of.

#include "lib/intel/match.h"
#include "lib/intel/token.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>

#define NOW 1800000000u

// Indicators as a table of texts; what is not said is 0.
struct given {
	const char *value;
	uint16_t score;
	bool is_allow, is_forced;
	uint32_t expires;
};

static struct intel_db *db_of(const struct given *given, size_t n)
{
	struct intel_list *l = intel_list_create("feed");
	struct intel_options o = {.n_threads = 1};
	struct intel_db *db = NULL;
	char error[INTEL_ERROR_LEN], name[INDICATOR_NAME_MAX + 1];
	for (size_t k = 0; k < n; k++) {
		struct indicator i = {
			.score = given[k].score,
			.is_allow = given[k].is_allow,
			.is_forced = given[k].is_forced,
			.expires = given[k].expires};
		assert_null(indicator_parse(given[k].value, strlen(given[k].value), &i, name));
		assert_int_equal(intel_list_add(l, &i, name), 0);
	}
	assert_int_equal(intel_db_create(&l, 1, &o, &db, error), 0);
	intel_list_put(l);
	return db;
}

static struct intel_match ask(const struct intel_db *db, const struct intel_query *q)
{
	struct intel_match m;
	struct intel_counters c = {};
	intel_match(db, 0, NOW, q, 1, &m, &c);
	assert_int_equal(c.scan_errors, 0);
	return m;
}

static struct addr addr_of(const char *text)
{
	struct addr a;
	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

// A TCP flow from an address nobody lists.
static struct intel_match
ask_flow(const struct intel_db *db, const char *dst, uint16_t dport, uint8_t proto)
{
	struct intel_query q = {
		.src = addr_of(strchr(dst, ':') ? "2001:db8:ffff::1" : "198.51.100.250"),
		.dst = addr_of(dst),
		.sport = 50000,
		.dport = dport,
		.proto = proto,
		.has_flow = true};
	return ask(db, &q);
}

static unsigned score_to(const struct intel_db *db, const char *dst)
{
	return ask_flow(db, dst, 443, 6).score;
}

static void what_covers_much_of_the_internet_is_refused(void **)
{
	static const char *const texts[] = {
		"0.0.0.0/0",
		"128.0.0.0/1",
		"8.0.0.0/7",
		"::/0",
		"2000::/3",
		"2000::/11",
		"::ffff:0:0/96",
		"::ffff:8.0.0.0/103",
		"com",
		"com.",
		"*.com",
		""};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct indicator x = {};
		char name[INDICATOR_NAME_MAX + 1];
		assert_non_null(indicator_parse(texts[i], strlen(texts[i]), &x, name));
	}
}

// Networks of every length around one address: an address that shares exactly the first bits with
// it is told by the network of that length, and by no longer one.
static void each_length_counts_its_bits(const char *around, unsigned width, unsigned least)
{
	static struct given given[129];
	static char texts[129][64];
	struct addr base = addr_of(around);
	size_t n = 0;
	for (unsigned len = least; len <= width; len++, n++) {
		snprintf(texts[n], sizeof(texts[n]), "%s/%u", around, len);
		given[n] = (struct given){texts[n], (uint16_t)(len + 1), false, false, 0};
	}
	struct intel_db *db = db_of(given, n);
	for (unsigned len = 0; len <= width; len++) {
		char text[ADDR_TEXT_LEN];
		struct addr a = base;
		unsigned bit = 128 - width + len;
		if (len < width)
			a.b[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		addr_format(&a, text);
		assert_int_equal(score_to(db, text), len < least ? 0 : len + 1);
	}
	intel_db_put(db);
}

static void each_length_of_ipv4_counts_its_bits(void **)
{
	each_length_counts_its_bits("101.102.103.104", 32, 8);
	each_length_counts_its_bits("8.0.0.0", 32, 8);
}

static void each_length_of_ipv6_counts_its_bits(void **)
{
	each_length_counts_its_bits("2a02:1234:5678:9abc:def0:1234:5678:9abc", 128, 12);
	each_length_counts_its_bits("2a00::", 128, 12); // zeros to the end
	each_length_counts_its_bits("2a00::1", 128, 12);
}

static void a_network_has_its_first_and_last_address(void **)
{
	const struct given given[] = {
		{"203.0.113.64/26", 1, 0, 0, 0}, {"2001:db8:0:40::/58", 2, 0, 0, 0}};
	struct intel_db *db = db_of(given, 2);
	assert_int_equal(score_to(db, "203.0.113.63"), 0);
	assert_int_equal(score_to(db, "203.0.113.64"), 1);
	assert_int_equal(score_to(db, "203.0.113.127"), 1);
	assert_int_equal(score_to(db, "203.0.113.128"), 0);
	assert_int_equal(score_to(db, "2001:db8:0:3f:ffff:ffff:ffff:ffff"), 0);
	assert_int_equal(score_to(db, "2001:db8:0:40::"), 2);
	assert_int_equal(score_to(db, "2001:db8:0:7f:ffff:ffff:ffff:ffff"), 2);
	assert_int_equal(score_to(db, "2001:db8:0:80::"), 0);
	intel_db_put(db);
}

static void reserved_addresses_hit_only_when_forced(void **)
{
	static const char *const texts[] = {
		"0.0.0.0",
		"255.255.255.255",
		"127.0.0.1",
		"10.0.0.1",
		"192.168.255.255",
		"224.0.0.251",
		"::",
		"::1",
		"fe80::1",
		"ff02::1"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct given given = {texts[i], 5, false, false, 0};
		struct intel_db *db = db_of(&given, 1);
		assert_int_equal(score_to(db, texts[i]), 0);
		intel_db_put(db);
		given.is_forced = true;
		db = db_of(&given, 1);
		assert_int_equal(score_to(db, texts[i]), 5);
		intel_db_put(db);
	}
}

static void mapped_addresses_are_ipv4(void **)
{
	const struct given given[] = {{"::ffff:203.0.113.7", 1, 0, 0, 0}};
	struct intel_db *db = db_of(given, 1);
	assert_int_equal(score_to(db, "203.0.113.7"), 1);
	assert_string_equal(
		intel_list_str(intel_db_entry(db, 0).list, intel_db_entry(db, 0).indicator->value),
		"203.0.113.7"
	);
	intel_db_put(db);
}

static void of_like_ones_the_highest_score_and_the_allow_list_win(void **)
{
	const struct given given[] = {
		{"203.0.113.7", 1, 0, 0, 0},
		{"203.0.113.7", 3, 0, 0, 0},
		{"203.0.113.7/32", 2, 0, 0, 0},
		{"203.0.113.8", 9, 0, 0, 0},
		{"203.0.113.8", 0, true, 0, 0}};
	struct intel_db *db = db_of(given, 5);
	assert_int_equal(intel_db_stats(db)->entries, 5);
	assert_int_equal(intel_db_stats(db)->values, 2);
	assert_int_equal(score_to(db, "203.0.113.7"), 3);
	assert_int_equal(score_to(db, "203.0.113.8"), 0);
	assert_true(ask_flow(db, "203.0.113.8", 443, 6).is_allowed);
	intel_db_put(db);
}

static void the_longer_of_overlapping_networks_wins(void **)
{
	const struct given given[] = {
		{"203.0.113.0/24", 5, 0, 0, 0},
		{"203.0.113.64/26", 0, true, 0, 0}, // allowed inside
		{"203.0.113.77", 3, 0, 0, 0},	    // and listed within that
		{"192.0.2.0/24", 0, true, 0, 0},
		{"192.0.2.9:443", 4, 0, 0, 0}};
	struct intel_db *db = db_of(given, 5);
	assert_int_equal(score_to(db, "203.0.113.1"), 5);
	assert_int_equal(score_to(db, "203.0.113.65"), 0);
	assert_true(ask_flow(db, "203.0.113.65", 443, 6).is_allowed);
	assert_int_equal(score_to(db, "203.0.113.77"), 3);
	assert_false(ask_flow(db, "203.0.113.77", 443, 6).is_allowed);
	assert_int_equal(score_to(db, "192.0.2.9"), 4);
	assert_int_equal(ask_flow(db, "192.0.2.9", 80, 6).score, 0);
	intel_db_put(db);
}

static void what_has_expired_neither_hits_nor_allows(void **)
{
	const struct given given[] = {
		{"203.0.113.7", 5, 0, 0, NOW}, // this very second
		{"203.0.113.8", 5, 0, 0, NOW + 1},
		{"203.0.113.9", 5, 0, 0, 0}, // never
		{"203.0.113.9", 0, true, 0, NOW - 1},
		{"203.0.113.0/24", 2, 0, 0, 0}};
	struct intel_db *db = db_of(given, 5);
	assert_int_equal(score_to(db, "203.0.113.7"), 2);
	assert_int_equal(score_to(db, "203.0.113.8"), 5);
	assert_int_equal(score_to(db, "203.0.113.9"), 5);
	intel_db_put(db);
}

static void an_address_with_a_port_needs_both(void **)
{
	const struct given given[] = {
		{"203.0.113.7:443", 5, 0, 0, 0},
		{"[2001:db8::7]:53/udp", 6, 0, 0, 0},
		{"203.0.113.8:65535/tcp", 7, 0, 0, 0}};
	struct intel_db *db = db_of(given, 3);
	assert_int_equal(ask_flow(db, "203.0.113.7", 443, 6).score, 5);
	assert_int_equal(ask_flow(db, "203.0.113.7", 443, 17).score, 5);
	assert_int_equal(ask_flow(db, "203.0.113.7", 444, 6).score, 0);
	assert_int_equal(ask_flow(db, "203.0.113.6", 443, 6).score, 0);
	assert_int_equal(ask_flow(db, "2001:db8::7", 53, 17).score, 6);
	assert_int_equal(ask_flow(db, "2001:db8::7", 53, 6).score, 0);
	assert_int_equal(ask_flow(db, "203.0.113.8", 65535, 6).score, 7);
	struct intel_query answer = {
		.src = addr_of("203.0.113.7"),
		.sport = 443,
		.dst = addr_of("10.0.0.1"),
		.dport = 50000,
		.proto = 6,
		.has_flow = true};
	assert_int_equal(ask(db, &answer).where, INTEL_SRC);
	answer.sport = 50000, answer.dport = 443; // the port of the other end
	assert_int_equal(ask(db, &answer).where, INTEL_NONE);
	intel_db_put(db);
}

static void a_port_is_that_of_the_destination(void **)
{
	const struct given given[] = {
		{"port 4444/tcp", 5, 0, 0, 0},
		{"port 65535", 6, 0, 0, 0},
		{"203.0.113.0/24", 0, true, 0, 0}};
	struct intel_db *db = db_of(given, 3);
	assert_int_equal(ask_flow(db, "192.0.2.1", 4444, 6).score, 5);
	assert_int_equal(ask_flow(db, "192.0.2.1", 4444, 6).where, INTEL_PORT);
	assert_int_equal(ask_flow(db, "192.0.2.1", 4444, 17).score, 0);
	assert_int_equal(ask_flow(db, "2001:db8::1", 65535, 132).score, 6);
	assert_int_equal(ask_flow(db, "203.0.113.1", 4444, 6).score, 0); // shielded
	assert_true(ask_flow(db, "203.0.113.1", 4444, 6).is_allowed);
	intel_db_put(db);
}

static void names_cover_what_is_below_them(void **)
{
	const struct given given[] = {
		{"evil.example", 5, 0, 0, 0},
		{"=exact.example", 6, 0, 0, 0},
		{"good.evil.example", 0, true, 0, 0}};
	static const struct {
		const char *name;
		unsigned score;
	} asked[] = {
		{"evil.example", 5},
		{"EVIL.Example.", 5},
		{"a.b.c.evil.example", 5},
		{"notevil.example", 0},
		{"evil.example.org", 0},
		{"example", 0},
		{".evil.example", 0},
		{"a..evil.example", 0},
		{"exact.example", 6},
		{"www.exact.example", 0},
		{"www.good.evil.example", 0},
		{"a b.evil.example", 0}};
	struct intel_db *db = db_of(given, 3);
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		struct intel_query q = {.name = {asked[i].name, (uint16_t)strlen(asked[i].name)}};
		assert_int_equal(ask(db, &q).score, asked[i].score);
	}
	intel_db_put(db);
}

// To Vectorscan such a literal is an empty one, and the whole database is refused.
static void no_token_begins_with_nul(void **)
{
	const struct token_secret s = {{1, 2, 3, 4}};
	unsigned char first;
	for (uint64_t i = 0; i < 100000; i++) {
		uint64_t t = token_finish(&s, TOKEN_NET4, 32, token_sieve(&s, 32, 0, i));
		memcpy(&first, &t, 1);
		assert_int_not_equal(first, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_covers_much_of_the_internet_is_refused),
		cmocka_unit_test(each_length_of_ipv4_counts_its_bits),
		cmocka_unit_test(each_length_of_ipv6_counts_its_bits),
		cmocka_unit_test(a_network_has_its_first_and_last_address),
		cmocka_unit_test(reserved_addresses_hit_only_when_forced),
		cmocka_unit_test(mapped_addresses_are_ipv4),
		cmocka_unit_test(of_like_ones_the_highest_score_and_the_allow_list_win),
		cmocka_unit_test(the_longer_of_overlapping_networks_wins),
		cmocka_unit_test(what_has_expired_neither_hits_nor_allows),
		cmocka_unit_test(an_address_with_a_port_needs_both),
		cmocka_unit_test(a_port_is_that_of_the_destination),
		cmocka_unit_test(names_cover_what_is_below_them),
		cmocka_unit_test(no_token_begins_with_nul),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
