// SPDX-License-Identifier: Apache-2.0
#include "sensor/flow/key.h"
#include "tests/unit/sensor/flow/flows.h"

static const struct flow_key_parts all = {UINT64_MAX, UINT64_MAX}, none;

static const struct flow_secret secret = {
	.w = {0x243f6a8885a308d3,
	      0x13198a2e03707344,
	      0xa4093822299f31d0,
	      0x082efa98ec4e6c89,
	      0x452821e638d01377,
	      0xbe5466cf34e90c6c,
	      0xc0ac29b7c97c50dd,
	      0x3f84d5b5b5470917},
};

static struct addr random_addr(void)
{
	struct addr a;
	for (size_t i = 0; i < sizeof(a.b); i++)
		a.b[i] = (uint8_t)flows_below(256);
	return a;
}

static struct packet random_packet(void)
{
	struct packet p = flows_packet(flows_below(1 << 24), flows_below(1 << 24), PROTO_TCP);
	if (flows_below(2))
		p.src = random_addr(), p.dst = random_addr();
	if (flows_below(8) == 0)
		p.dst = p.src;
	p.sport = (uint16_t)flows_below(65536);
	p.dport = (uint16_t)flows_below(flows_below(2) ? 65536 : 4);
	p.proto = (uint8_t)flows_below(256);
	p.vlan = (uint16_t)flows_below(4096);
	p.cvlan = (uint16_t)flows_below(4096);
	return p;
}

static void both_directions_have_one_key_and_opposite_sources(void **)
{
	for (int i = 0; i < 100000; i++) {
		struct packet p = random_packet(), a = flows_answer(&p);
		struct flow_key there, back;
		bool high = flow_key_of(&p, &all, &there);
		assert_int_equal(flow_key_of(&a, &all, &back), !high);
		assert_memory_equal(&there, &back, sizeof(there));
		assert_true(flow_key_eq(&there, &back));
		assert_true(addr_eq(&p.src, high ? &there.high : &there.low));
		assert_true(addr_eq(&p.dst, high ? &there.low : &there.high));
		assert_int_equal(flow_key_port(&there, high), p.sport);
		assert_int_equal(flow_key_port(&there, !high), p.dport);
		assert_int_equal(flow_key_proto(&there), p.proto);
	}
}

static void ends_alike_in_address_and_port_are_both_the_lower_one(void **)
{
	struct packet p = flows_packet(1, 1, PROTO_UDP);
	struct flow_key key;
	p.dport = p.sport;
	assert_false(flow_key_of(&p, &all, &key));
}

static void every_part_of_the_key_tells_flows_apart(void **)
{
	struct packet base = flows_packet(1, 2, PROTO_TCP);
	struct packet others[8];
	struct flow_key key, other;
	for (size_t i = 0; i < 8; i++)
		others[i] = base;
	others[0].src = flows_host(3);
	others[1].dst = flows_host(3);
	others[2].sport++;
	others[3].dport++;
	others[4].proto = PROTO_UDP;
	others[5].vlan = 1;
	others[6].cvlan = 1;
	others[7].tunnel = 1;
	flow_key_of(&base, &all, &key);
	for (size_t i = 0; i < 8; i++) {
		flow_key_of(&others[i], &all, &other);
		assert_false(flow_key_eq(&key, &other));
		assert_true(flow_key_hash(&key, &secret) != flow_key_hash(&other, &secret));
	}
}

static void vlans_are_in_the_key_only_when_asked_for(void **)
{
	struct packet a = flows_packet(1, 2, PROTO_TCP), b = a;
	struct flow_key ka, kb;
	a.vlan = 100;
	b.vlan = 200;
	b.cvlan = 0xfff;
	flow_key_of(&a, &none, &ka);
	flow_key_of(&b, &none, &kb);
	assert_true(flow_key_eq(&ka, &kb));
	assert_int_equal(flow_key_proto(&ka), PROTO_TCP);
}

// The i-th of the bits that share the key's third word, alone.
static struct packet with_bit(unsigned i)
{
	struct packet p = flows_packet(1, 2, 0);
	p.sport = p.dport = 0;
	if (i < 16)
		p.sport = (uint16_t)(1u << i);
	else if (i < 32)
		p.dport = (uint16_t)(1u << (i - 16));
	else if (i < 44)
		p.vlan = (uint16_t)(1u << (i - 32));
	else if (i < 56)
		p.cvlan = (uint16_t)(1u << (i - 44));
	else
		p.proto = (uint8_t)(1u << (i - 56));
	return p;
}

static void ports_vlans_and_protocol_do_not_run_into_each_other(void **)
{
	struct flow_key keys[64];
	for (unsigned i = 0; i < 64; i++) {
		struct packet p = with_bit(i);
		flow_key_of(&p, &all, &keys[i]);
		for (unsigned j = 0; j < i; j++)
			assert_int_equal(keys[i].rest & keys[j].rest, 0);
	}
}

static void keys_that_differ_in_one_bit_are_not_equal(void **)
{
	struct flow_key key = {};
	for (size_t bit = 0; bit < sizeof(key) * 8; bit++) {
		struct flow_key other = key;
		((uint8_t *)&other)[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(flow_key_eq(&key, &other));
		assert_true(flow_key_eq(&other, &other));
		assert_true(flow_key_hash(&key, &secret) != flow_key_hash(&other, &secret));
	}
}

static void every_word_of_the_secret_changes_the_hash(void **)
{
	struct packet p = flows_packet(1, 2, PROTO_TCP);
	struct flow_key key;
	flow_key_of(&p, &all, &key);
	for (int i = 0; i < 8; i++) {
		struct flow_secret other = secret;
		other.w[i] ^= 2;
		assert_true(flow_key_hash(&key, &secret) != flow_key_hash(&key, &other));
	}
}

// Addresses and ports in a row, as scans and pools of clients have them, over buckets and tags.
static void neighbouring_flows_spread_evenly(void **)
{
	enum { N = 1 << 16, CELLS = 1 << 8 };
	static unsigned high[CELLS], low[CELLS];
	for (uint32_t i = 0; i < N; i++) {
		struct packet p = flows_packet(i & 0xff, 0x10000 + (i >> 12), PROTO_TCP);
		struct flow_key key;
		p.sport = (uint16_t)(i >> 8 & 0xf);
		flow_key_of(&p, &all, &key);
		uint64_t hash = flow_key_hash(&key, &secret);
		high[hash >> 56]++;
		low[hash & 0xff]++;
	}
	for (int i = 0; i < CELLS; i++) { // 256 each on average, six standard deviations allowed
		assert_in_range(high[i], 160, 352);
		assert_in_range(low[i], 160, 352);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_directions_have_one_key_and_opposite_sources),
		cmocka_unit_test(ends_alike_in_address_and_port_are_both_the_lower_one),
		cmocka_unit_test(every_part_of_the_key_tells_flows_apart),
		cmocka_unit_test(vlans_are_in_the_key_only_when_asked_for),
		cmocka_unit_test(ports_vlans_and_protocol_do_not_run_into_each_other),
		cmocka_unit_test(keys_that_differ_in_one_bit_are_not_equal),
		cmocka_unit_test(every_word_of_the_secret_changes_the_hash),
		cmocka_unit_test(neighbouring_flows_spread_evenly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
