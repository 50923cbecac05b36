// SPDX-License-Identifier: Apache-2.0
#include "sensor/export/record.h"
#include "sensor/packet/packet.h"
#include "tests/unit/cmocka.h"

#define LOW "\x0a\0\0\1"
#define HIGH "\x0a\0\0\2"

// Of the lower end's port 1000 and the higher one's port 80.
static struct flow flow_of(uint8_t proto)
{
	return (struct flow){
		.key =
			{
				.low = addr_of_v4(LOW),
				.high = addr_of_v4(HIGH),
				.rest = 1000ull << 48 | 80ull << 32 | proto,
			},
		.start_ns = 1700000000123456789,
		.last_ns = 1700000009987654321,
		.packets = {3, 0},
		.bytes = {(1ull << 40) + 7, 0},
		.tcp_flags = {0x1ff, 0},
		.tos = 0xb8,
		.icmp_type = 8,
		.icmp_code = 3,
		.vlan = 100,
		.cvlan = 200,
		.port = 4,
		.macs = "dddddd"
			"sssss",
		.end_reason = FLOW_END_IDLE,
	};
}

static const uint64_t always = RECORD_BIT(start_ns) | RECORD_BIT(end_ns) | RECORD_BIT(src) |
			       RECORD_BIT(dst) | RECORD_BIT(sport) | RECORD_BIT(dport) |
			       RECORD_BIT(proto) | RECORD_BIT(tcp_flags) | RECORD_BIT(packets) |
			       RECORD_BIT(bytes) | RECORD_BIT(tos) | RECORD_BIT(vlan) |
			       RECORD_BIT(cvlan) | RECORD_BIT(in_if) | RECORD_BIT(src_mac) |
			       RECORD_BIT(dst_mac) | RECORD_BIT(end_reason);
static const uint64_t reverse =
	RECORD_BIT(rev_packets) | RECORD_BIT(rev_bytes) | RECORD_BIT(rev_tcp_flags);

static void assert_addr(const struct addr *a, const char *want)
{
	struct addr b = addr_of_v4(want);
	assert_true(addr_eq(a, &b));
}

static void a_flow_of_one_direction_fills_these_members(void **)
{
	struct flow f = flow_of(PROTO_TCP);
	struct record r;
	record_of_flow(&f, NULL, NULL, &r);
	assert_true(r.set == always);
	assert_true(r.start_ns == 1700000000123456789);
	assert_true(r.end_ns == 1700000009987654321);
	assert_addr(&r.src, LOW);
	assert_addr(&r.dst, HIGH);
	assert_int_equal(r.sport, 1000);
	assert_int_equal(r.dport, 80);
	assert_int_equal(r.proto, PROTO_TCP);
	assert_int_equal(r.tcp_flags, 0x1ff);
	assert_int_equal(r.packets, 3);
	assert_true(r.bytes == (1ull << 40) + 7);
	assert_int_equal(r.tos, 0xb8);
	assert_int_equal(r.vlan, 100);
	assert_int_equal(r.cvlan, 200);
	assert_int_equal(r.in_if, 5); // interface indexes begin with 1
	assert_memory_equal(r.dst_mac.b, f.macs, 6);
	assert_memory_equal(r.src_mac.b, f.macs + 6, 6);
	assert_int_equal(r.end_reason, FLOW_END_IDLE);
}

static void the_answers_fill_the_reverse_members(void **)
{
	struct flow f = flow_of(PROTO_TCP);
	struct record r;
	f.packets[FLOW_REVERSE] = 2;
	f.bytes[FLOW_REVERSE] = 1ull << 33;
	f.tcp_flags[FLOW_REVERSE] = 0x112;
	record_of_flow(&f, NULL, NULL, &r);
	assert_true(r.set == (always | reverse));
	assert_int_equal(r.packets, 3);
	assert_int_equal(r.rev_packets, 2);
	assert_true(r.rev_bytes == 1ull << 33);
	assert_int_equal(r.rev_tcp_flags, 0x112);
	assert_int_equal(r.tcp_flags, 0x1ff);
}

static void the_higher_end_is_the_source_when_it_began(void **)
{
	struct flow f = flow_of(PROTO_UDP);
	struct record r;
	f.forward_is_high = true;
	record_of_flow(&f, NULL, NULL, &r);
	assert_addr(&r.src, HIGH);
	assert_addr(&r.dst, LOW);
	assert_int_equal(r.sport, 80);
	assert_int_equal(r.dport, 1000);
	assert_memory_equal(r.dst_mac.b, f.macs, 6); // they are those of the first packet
	assert_int_equal(r.packets, 3);
}

static void icmp_has_type_and_code_instead_of_ports(void **)
{
	static const uint8_t protos[] = {PROTO_ICMP, PROTO_ICMP6};
	for (size_t i = 0; i < sizeof(protos); i++) {
		struct flow f = flow_of(protos[i]);
		struct record r;
		record_of_flow(&f, NULL, NULL, &r);
		assert_true(r.set == (always | RECORD_BIT(icmp_type) | RECORD_BIT(icmp_code)));
		assert_int_equal(r.icmp_type, 8);
		assert_int_equal(r.icmp_code, 3);
		assert_int_equal(r.sport, 0);
		assert_int_equal(r.dport, 0);
	}
}

static void nothing_of_the_record_before_is_left(void **)
{
	struct flow f = flow_of(PROTO_UDP);
	struct record clean = {}, used;
	memset(&used, 0xff, sizeof(used));
	record_of_flow(&f, NULL, NULL, &used);
	record_of_flow(&f, NULL, NULL, &clean);
	for (int i = 0; i < RECORD_N_FIELDS; i++) {
		const struct record_field_info *info = &record_fields[i];
		assert_memory_equal(
			(const char *)&used + info->offset,
			(const char *)&clean + info->offset,
			info->type == RECORD_TYPE_STR ? sizeof(void *) + 2 : info->width
		);
	}
	assert_int_equal(used.icmp_type, 0); // it is no ICMP
	assert_int_equal(used.rev_packets, 0);
	assert_int_equal(used.out_if, 0);
}

static void what_a_flow_has_beside_fills_its_members(void **)
{
	struct flow f = flow_of(PROTO_TCP);
	struct names_result name = {.kind = NAMES_TLS, .server_len = 11, .alpn_len = 2};
	uint8_t packed[NAMES_PACKED_MAX];
	struct note n = {.indicator = 77, .score = 800, .matched = 3, .names = packed};
	struct record_texts texts;
	struct ipfix_hit hit;
	struct record r;
	memcpy(name.server, "example.com", 11);
	memcpy(name.alpn, "h2", 2);
	n.names_len = (uint16_t)names_pack(&name, packed);
	record_of_flow(&f, &n, &texts, &r);
	assert_true(r.indicator == 77);
	assert_int_equal(r.score, 800);
	assert_int_equal(r.matched, 3);
	assert_int_equal(r.name_kind, NAMES_TLS);
	assert_int_equal(r.server_name.len, 11);
	assert_memory_equal(r.server_name.p, "example.com", 11);
	assert_int_equal(r.alpn.len, 2);
	n.type = 1;
	n.severity = 4;
	n.confidence = 9;
	n.texts[NOTE_REFERENCE] = (struct record_str){"ref", 3};
	n.texts[NOTE_VALUE] = (struct record_str){"value", 5};
	hit_of_flow(&f, &n, &texts, &hit);
	assert_int_equal(hit.type, 1);
	assert_int_equal(hit.severity, 4);
	assert_int_equal(hit.confidence, 9);
	assert_int_equal(hit.texts[AUX_TEXT_REFERENCE - AUX_N_NUMBERS].len, 3);
	assert_int_equal(hit.texts[AUX_TEXT_VALUE - AUX_N_NUMBERS].len, 5);
	assert_true(hit.record.indicator == 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_of_one_direction_fills_these_members),
		cmocka_unit_test(the_answers_fill_the_reverse_members),
		cmocka_unit_test(the_higher_end_is_the_source_when_it_began),
		cmocka_unit_test(icmp_has_type_and_code_instead_of_ports),
		cmocka_unit_test(nothing_of_the_record_before_is_left),
		cmocka_unit_test(what_a_flow_has_beside_fills_its_members),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
