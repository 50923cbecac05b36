// SPDX-License-Identifier: Apache-2.0
#include "lib/base/clock.h"
#include "sensor/flow/fragment.h"
#include "tests/unit/sensor/flow/flows.h"

static struct fragments *fragments;

static int setup(void **)
{
	fragments = fragments_create(64);
	return fragments ? 0 : -1;
}

static int teardown(void **)
{
	fragments_free(fragments);
	return 0;
}

// `at` and `len` in bytes. Only the first one has ports.
static struct packet fragment(uint32_t id, unsigned at, unsigned len, bool more)
{
	struct packet p = flows_packet(1, 2, PROTO_UDP);
	p.fragment = (uint16_t)(at / 8 | (more ? FRAGMENT_MORE : 0));
	p.fragment_id = id;
	p.fragment_len = (uint16_t)len;
	if (at)
		p.sport = p.dport = 0;
	return p;
}

static void resolve(struct packet p, uint16_t sport, uint16_t dport)
{
	fragments_resolve(fragments, &p);
	assert_int_equal(p.sport, sport);
	assert_int_equal(p.dport, dport);
}

static const struct fragment_counters *counters(void)
{
	return fragments_counters(fragments);
}

static void later_fragments_get_the_ports_of_the_first(void **)
{
	resolve(fragment(7, 0, 1480, true), 1000, 80);
	resolve(fragment(7, 1480, 1480, true), 1000, 80);
	resolve(fragment(7, 2960, 100, false), 1000, 80);
	assert_int_equal(counters()->seen, 3);
	assert_int_equal(counters()->resolved, 2);
	assert_int_equal(counters()->without + counters()->overlapping, 0);
}

static void one_before_the_first_has_none_and_is_counted(void **)
{
	resolve(fragment(7, 1480, 100, false), 0, 0);
	resolve(fragment(7, 0, 1480, true), 1000, 80);
	resolve(fragment(7, 1480, 100, false), 1000, 80); // again
	assert_int_equal(counters()->without, 1);
	assert_int_equal(counters()->overlapping, 1);
}

static void datagrams_are_told_apart(void **)
{
	struct packet others[6];
	resolve(fragment(7, 0, 1480, true), 1000, 80);
	for (size_t i = 0; i < 6; i++)
		others[i] = fragment(7, 1480, 8, false);
	others[0].fragment_id = 8;
	others[1].src = flows_host(3);
	others[2].proto = PROTO_TCP;
	others[3].vlan = 5;
	others[4].tunnel = packet_tunnel(TUNNEL_GRE, 1);
	others[5].src = others[0].dst; // the way back
	others[5].dst = others[0].src;
	for (size_t i = 0; i < 6; i++)
		resolve(others[i], 0, 0);
	assert_int_equal(counters()->without, 6);
}

static void overlaps_are_found_in_any_order(void **)
{
	static const unsigned in_order[] = {0, 5, 2, 4, 1, 3};
	for (size_t i = 0; i < 6; i++) {
		struct packet p = fragment(1, in_order[i] * 80, 80, in_order[i] < 5);
		fragments_resolve(fragments, &p);
	}
	assert_int_equal(counters()->overlapping, 0);
	struct packet inside = fragment(1, 160, 8, true), across = fragment(2, 0, 100, true);
	fragments_resolve(fragments, &inside);
	assert_int_equal(counters()->overlapping, 1);
	fragments_resolve(fragments, &across);
	across = fragment(2, 96, 100, false);
	fragments_resolve(fragments, &across);
	assert_int_equal(counters()->overlapping, 2);
}

static void of_two_first_ones_the_first_counts(void **)
{
	struct packet second = fragment(7, 0, 1480, true);
	resolve(fragment(7, 0, 1480, true), 1000, 80);
	second.sport = 6666;
	resolve(second, 6666, 80); // it is what it is
	resolve(fragment(7, 1480, 8, false), 1000, 80);
	assert_int_equal(counters()->overlapping, 1);
}

static void what_was_kept_is_forgotten_in_time(void **)
{
	struct packet late = fragment(7, 1480, 8, false);
	resolve(fragment(7, 0, 1480, true), 1000, 80);
	late.time_ns += 31 * NS_PER_SEC;
	resolve(late, 0, 0);
	late.time_ns -= 3600 * NS_PER_SEC; // the clock was set back
	resolve(late, 0, 0);
	assert_int_equal(counters()->evicted, 0);
}

static void a_full_table_gives_up_the_oldest(void **)
{
	for (uint32_t i = 0; i < 10000; i++) {
		struct packet p = fragment(i, 0, 1480, true);
		p.time_ns += i;
		fragments_resolve(fragments, &p);
		p = fragment(i, 1480, 8, false);
		p.time_ns += i;
		resolve(p, 1000, 80);
	}
	assert_in_range(counters()->evicted, 10000 - 72, 9999);
}

static void ipv6_fragments_are_told_by_their_id(void **)
{
	struct packet first = fragment(0xfffffff0, 0, 1200, true);
	struct packet later = fragment(0xfffffff0, 1200, 64, false);
	static const uint8_t host[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};
	first.src = later.src = addr_of_v6(host);
	later.proto = 60; // of an option header that only the first one has
	fragments_resolve(fragments, &first);
	resolve(later, 1000, 80);
	fragments_resolve(fragments, &later);
	assert_int_equal(later.proto, PROTO_UDP);
	later.proto = 60;
	later.sport = later.dport = 0;
	later.fragment_id ^= 0x10000;
	resolve(later, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(later_fragments_get_the_ports_of_the_first),
		TEST(one_before_the_first_has_none_and_is_counted),
		TEST(datagrams_are_told_apart),
		TEST(overlaps_are_found_in_any_order),
		TEST(of_two_first_ones_the_first_counts),
		TEST(what_was_kept_is_forgotten_in_time),
		TEST(a_full_table_gives_up_the_oldest),
		TEST(ipv6_fragments_are_told_by_their_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
