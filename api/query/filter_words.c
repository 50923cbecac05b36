// SPDX-License-Identifier: Apache-2.0
#include "api/query/filter_words.h"

#include <errno.h>

#define TCP 6
#define ICMP 1
#define ICMP6 58

// A subject with a value on each side.
#define TWO(w, k, s, first, second)                                                                \
	{                                                                                          \
		.word = (w), .kind = (k), .sides = (s), .a = (first), .b = (second)                \
	}

static const struct filter_subject subjects[] = {
	TWO("ip", KIND_ADDR, SIDES_ENDS, FIELD_src, FIELD_dst),
	TWO("host", KIND_ADDR, SIDES_ENDS, FIELD_src, FIELD_dst),
	TWO("net", KIND_ADDR, SIDES_ENDS, FIELD_src, FIELD_dst),
	TWO("port", KIND_NUMBER, SIDES_ENDS, FIELD_sport, VALUE_DST_PORT),
	TWO("as", KIND_NUMBER, SIDES_ENDS, FIELD_src_as, FIELD_dst_as),
	TWO("mask", KIND_NUMBER, SIDES_ENDS, FIELD_src_mask, FIELD_dst_mask),
	TWO("mac", KIND_MAC, SIDES_ENDS, FIELD_src_mac, FIELD_dst_mac),
	{.word = "tos", .kind = KIND_NUMBER, .sides = SIDES_SRC, .a = FIELD_tos},
	{.word = "vlan", .kind = KIND_NUMBER, .sides = SIDES_SRC, .a = FIELD_vlan},
	TWO("if", KIND_NUMBER, SIDES_IFS, FIELD_in_if, FIELD_out_if),
	TWO("packets", KIND_NUMBER, SIDES_WAYS, FIELD_packets, FIELD_rev_packets),
	TWO("bytes", KIND_NUMBER, SIDES_WAYS, FIELD_bytes, FIELD_rev_bytes),
	{.word = "total_packets", .kind = KIND_NUMBER, .sides = SIDES_NONE, .a = VALUE_ALL_PACKETS},
	{.word = "total_bytes", .kind = KIND_NUMBER, .sides = SIDES_NONE, .a = VALUE_ALL_BYTES},
	{.word = "flows", .kind = KIND_NUMBER, .sides = SIDES_NONE, .a = VALUE_FLOWS},
	{.word = "duration", .kind = KIND_NUMBER, .sides = SIDES_NONE, .a = VALUE_DURATION_MS},
	{.word = "pps", .kind = KIND_NUMBER, .sides = SIDES_NONE, .a = VALUE_PPS},
	{.word = "bps", .kind = KIND_NUMBER, .sides = SIDES_NONE, .a = VALUE_BPS},
	{.word = "bpp", .kind = KIND_NUMBER, .sides = SIDES_NONE, .a = VALUE_BPP},
	{.word = "proto", .kind = KIND_PROTO, .sides = SIDES_NONE, .a = FIELD_proto},
	{.word = "flags",
	 .kind = KIND_FLAGS,
	 .sides = SIDES_NONE,
	 .a = FIELD_tcp_flags,
	 .proto = TCP},
	{.word = "tcp_flags", .kind = KIND_FLAGS, .sides = SIDES_NONE, .a = FIELD_tcp_flags},
	{.word = "rev_tcp_flags",
	 .kind = KIND_FLAGS,
	 .sides = SIDES_NONE,
	 .a = FIELD_rev_tcp_flags},
	{.word = "icmp-type",
	 .kind = KIND_NUMBER,
	 .sides = SIDES_NONE,
	 .a = FIELD_icmp_type,
	 .proto = ICMP,
	 .proto2 = ICMP6},
	{.word = "icmp-code",
	 .kind = KIND_NUMBER,
	 .sides = SIDES_NONE,
	 .a = FIELD_icmp_code,
	 .proto = ICMP,
	 .proto2 = ICMP6},
	{.word = "fwdstat", .kind = KIND_NUMBER, .sides = SIDES_NONE, .a = FIELD_fwd_status},
	{.word = "verdict", .kind = KIND_VERDICT, .sides = SIDES_NONE, .a = FIELD_verdict},
	{.word = "action", .kind = KIND_ACTION, .sides = SIDES_NONE, .a = FIELD_action},
};

static int find_field(const struct lex_token *t, struct filter_subject *ret_subject)
{
	static const enum filter_kind kinds[] = {
		[RECORD_TYPE_U8] = KIND_NUMBER,
		[RECORD_TYPE_U16] = KIND_NUMBER,
		[RECORD_TYPE_U32] = KIND_NUMBER,
		[RECORD_TYPE_U64] = KIND_NUMBER,
		[RECORD_TYPE_TIME] = KIND_TIME,
		[RECORD_TYPE_ADDR] = KIND_ADDR,
		[RECORD_TYPE_MAC] = KIND_MAC,
		[RECORD_TYPE_STR] = KIND_TEXT,
	};
	for (int f = 0; f < RECORD_N_FIELDS; f++) {
		if (!lex_is(t, record_fields[f].name))
			continue;
		*ret_subject = (struct filter_subject){
			.word = record_fields[f].name,
			.kind = kinds[record_fields[f].type],
			.a = f,
		};
		return 0;
	}
	return -ENOENT;
}

int filter_subject_find(const struct lex_token *t, struct filter_subject *ret_subject)
{
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		if (!lex_is(t, subjects[i].word))
			continue;
		*ret_subject = subjects[i];
		return 0;
	}
	return find_field(t, ret_subject);
}

int filter_proto_find(const struct lex_token *t, uint8_t *ret_proto)
{
	static const struct {
		const char *word;
		uint8_t proto;
	} protos[] = {
		{"icmp", ICMP}, {"igmp", 2},   {"ipip", 4},    {"tcp", TCP},  {"udp", 17},
		{"dccp", 33},	{"ipv6", 41},  {"rsvp", 46},   {"gre", 47},   {"esp", 50},
		{"ah", 51},	{"icmp6", 58}, {"icmpv6", 58}, {"eigrp", 88}, {"ospf", 89},
		{"pim", 103},	{"vrrp", 112}, {"l2tp", 115},  {"sctp", 132}, {"udplite", 136},
	};
	for (size_t i = 0; i < sizeof(protos) / sizeof(protos[0]); i++) {
		if (!lex_is(t, protos[i].word))
			continue;
		*ret_proto = protos[i].proto;
		return 0;
	}
	return -ENOENT;
}
