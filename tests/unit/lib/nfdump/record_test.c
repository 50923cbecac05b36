// SPDX-License-Identifier: Apache-2.0
#include "lib/base/clock.h"
#include "lib/nfdump/format.h"
#include "lib/nfdump/record.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <string.h>

#define AT (1700000000 * NS_PER_SEC)

static uint64_t left[NFDUMP_N_ELEMENTS];
static struct nfdump_origin origin;

// Everything that an nfdump record can say.
static struct record full_record(bool v6)
{
	struct record r = {};
	RECORD_SET(&r, start_ns, AT + 5 * NS_PER_MSEC);
	RECORD_SET(&r, end_ns, AT + 700 * NS_PER_MSEC);
	RECORD_SET(&r, recv_ns, AT + 900 * NS_PER_MSEC);
	RECORD_SET(&r, src, addr_of_v4("\xc0\0\2\1"));
	RECORD_SET(&r, dst, addr_of_v4("\xc6\x33\x64\2"));
	RECORD_SET(&r, next_hop, addr_of_v4("\xc0\0\2\xfe"));
	RECORD_SET(&r, exporter, addr_of_v4("\xcb\0\x71\1"));
	if (v6) {
		r.src = addr_of_v6("\x20\1\xd\xb8\0\0\0\0\1\2\3\4\5\6\7\x8");
		r.dst = addr_of_v6("\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\2");
		r.next_hop = addr_of_v6("\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1");
		r.exporter = addr_of_v6("\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\x9");
	}
	RECORD_SET(&r, sport, 50000);
	RECORD_SET(&r, dport, 443);
	RECORD_SET(&r, proto, 6);
	RECORD_SET(&r, tcp_flags, 0x1b);
	RECORD_SET(&r, rev_tcp_flags, 0x12);
	RECORD_SET(&r, packets, 1ull << 40);
	RECORD_SET(&r, bytes, 1ull << 50);
	RECORD_SET(&r, rev_packets, 7);
	RECORD_SET(&r, rev_bytes, 7000);
	RECORD_SET(&r, tos, 0xb8);
	RECORD_SET(&r, vlan, 4094);
	RECORD_SET(&r, mpls_label, 0xabcde);
	RECORD_SET(&r, in_if, 70000);
	RECORD_SET(&r, out_if, 2);
	RECORD_SET(&r, src_as, 4200000000);
	RECORD_SET(&r, dst_as, 64512);
	RECORD_SET(&r, src_mask, 24);
	RECORD_SET(&r, dst_mask, 16);
	RECORD_SET(&r, src_mac, ((struct record_mac){{2, 0, 0, 1, 2, 3}}));
	RECORD_SET(&r, dst_mac, ((struct record_mac){{0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54}}));
	RECORD_SET(&r, end_reason, 3);
	RECORD_SET(&r, fwd_status, 0x80);
	RECORD_SET(&r, fw_event, 3);
	return r;
}

static void assert_same(const struct record *got, const struct record *want)
{
	for (int f = 0; f < RECORD_N_FIELDS; f++) {
		const struct record_field_info *info = &record_fields[f];
		const void *a = (const char *)got + info->offset,
			   *b = (const char *)want + info->offset;
		if (info->type != RECORD_TYPE_STR && memcmp(a, b, info->width) != 0)
			fail_msg("%s differs", info->name);
	}
}

static void a_full_record_survives(void **)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct record r = full_record(v6), got;
		uint8_t bytes[NFDUMP_RECORD_MAX];
		size_t len = nfdump_record_encode(&r, 9, bytes);
		assert_true(len <= NFDUMP_RECORD_MAX);
		assert_int_equal(nfdump_u16(bytes), NFDUMP_RECORD_FLOW);
		assert_int_equal(nfdump_u16(bytes + 2), len);
		assert_int_equal(nfdump_record_decode(bytes, len, &got, &origin, left), 0);
		assert_same(&got, &r);
		assert_true(got.set & RECORD_BIT(exporter) && got.set & RECORD_BIT(vlan));
		assert_int_equal(origin.exporter, 9);
		assert_false(origin.has_domain);
	}
}

static void a_small_record_is_small(void **)
{
	struct record r = {}, got;
	uint8_t bytes[NFDUMP_RECORD_MAX];
	RECORD_SET(&r, src, addr_of_v4("\xc0\0\2\1"));
	RECORD_SET(&r, dst, addr_of_v4("\xc0\0\2\2"));
	size_t len = nfdump_record_encode(&r, 0, bytes);
	assert_int_equal(len, 12 + 52 + 12);
	assert_int_equal(nfdump_record_decode(bytes, len, &got, &origin, left), 0);
	assert_same(&got, &r);
	assert_false(got.set & (RECORD_BIT(next_hop) | RECORD_BIT(exporter) | RECORD_BIT(vlan)));
}

static void icmp_type_and_code_stand_in_the_place_of_the_port(void **)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct record r = full_record(v6), got;
		uint8_t bytes[NFDUMP_RECORD_MAX];
		r.proto = v6 ? 58 : 1;
		r.sport = r.dport = 0;
		RECORD_SET(&r, icmp_type, 3);
		RECORD_SET(&r, icmp_code, 13);
		size_t len = nfdump_record_encode(&r, 0, bytes);
		assert_int_equal(nfdump_record_decode(bytes, len, &got, &origin, left), 0);
		assert_same(&got, &r);
	}
}

// A record by hand: header and room for elements.
struct hand {
	uint8_t bytes[1024];
	size_t len;
};

static struct hand hand_record(void)
{
	struct hand h = {.len = NFDUMP_RECORD_HEADER_LEN};
	nfdump_put_u16(h.bytes, NFDUMP_RECORD_FLOW);
	return h;
}

static uint8_t *hand_element(struct hand *h, unsigned id, size_t len)
{
	uint8_t *p = h->bytes + h->len;
	nfdump_put_u16(p, (uint16_t)id);
	nfdump_put_u16(p + 2, (uint16_t)(len + 4));
	h->len += len + 4;
	nfdump_put_u16(h->bytes + 4, (uint16_t)(nfdump_u16(h->bytes + 4) + 1));
	return p + 4;
}

static int decode(const struct hand *h, struct record *ret)
{
	memset(left, 0, sizeof(left));
	return nfdump_record_decode(h->bytes, h->len, ret, &origin, left);
}

static void what_has_no_place_is_counted_by_its_element(void **)
{
	struct hand h = hand_record();
	struct record r;
	hand_element(&h, 20, 8); // NAT addresses
	hand_element(&h, 20, 8);
	hand_element(&h, 24, 68); // user name
	hand_element(&h, 62, 4);  // of a later nfdump
	hand_element(&h, 999, 4);
	assert_int_equal(decode(&h, &r), 0);
	assert_int_equal(left[20], 2);
	assert_int_equal(left[24], 1);
	assert_int_equal(left[62], 1);
	assert_int_equal(left[0], 1);
	assert_string_equal(nfdump_element_name(20), "NAT addresses, IPv4");
	assert_string_equal(nfdump_element_name(999), "unknown element");
}

static void the_next_hop_goes_before_bgps(void **)
{
	for (int first = 0; first < 2; first++) {
		struct hand h = hand_record();
		struct record r;
		const unsigned ids[] = {first ? 8 : 10, first ? 10 : 8};
		for (int i = 0; i < 2; i++)
			nfdump_put_u32(hand_element(&h, ids[i], 4), 0x0a000000 + ids[i]);
		assert_int_equal(decode(&h, &r), 0);
		assert_int_equal(r.next_hop.b[15], 10);
	}
}

static void an_event_without_times_is_of_its_own_time(void **)
{
	struct hand h = hand_record();
	struct record r;
	hand_element(&h, 1, 48);
	uint8_t *p = hand_element(&h, 19, 16);
	nfdump_put_u64(p, AT / NS_PER_MSEC);
	p[14] = 3;
	assert_int_equal(decode(&h, &r), 0);
	assert_true(r.start_ns == AT && r.end_ns == AT);
	assert_int_equal(record_verdict(&r), VERDICT_DENY);
}

static void the_domain_is_the_elements_or_the_engines(void **)
{
	struct hand h = hand_record();
	struct record r;
	h.bytes[6] = 1;
	h.bytes[7] = 2;
	assert_int_equal(decode(&h, &r), 0);
	assert_int_equal(r.domain, 0x102);
	nfdump_put_u32(hand_element(&h, 33, 16) + 8, 77);
	assert_int_equal(decode(&h, &r), 0);
	assert_int_equal(r.domain, 77);
	assert_true(origin.has_domain);
}

static void times_beyond_all_bounds_stay_in_range(void **)
{
	struct hand h = hand_record();
	struct record r;
	memset(hand_element(&h, 1, 48), 0xff, 24);
	assert_int_equal(decode(&h, &r), 0);
	assert_true(r.start_ns == UINT64_MAX);
}

static void lengths_that_cannot_be_are_refused(void **)
{
	struct hand h = hand_record();
	struct record r;
	hand_element(&h, 1, 48);
	for (size_t len = 0; len < h.len; len++) // cut anywhere
		assert_int_equal(nfdump_record_decode(h.bytes, len, &r, &origin, left), -EBADMSG);
	for (unsigned len = 0; len < 52; len++) { // an element shorter than its members
		struct hand bad = h;
		nfdump_put_u16(bad.bytes + NFDUMP_RECORD_HEADER_LEN + 2, (uint16_t)len);
		assert_int_equal(decode(&bad, &r), -EBADMSG);
	}
	struct hand longer = h;
	nfdump_put_u16(longer.bytes + NFDUMP_RECORD_HEADER_LEN + 2, 53);
	assert_int_equal(decode(&longer, &r), -EBADMSG);
	struct hand more = h;
	nfdump_put_u16(more.bytes + 4, 2); // elements that are not there
	assert_int_equal(decode(&more, &r), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_record_survives),
		cmocka_unit_test(a_small_record_is_small),
		cmocka_unit_test(icmp_type_and_code_stand_in_the_place_of_the_port),
		cmocka_unit_test(what_has_no_place_is_counted_by_its_element),
		cmocka_unit_test(the_next_hop_goes_before_bgps),
		cmocka_unit_test(an_event_without_times_is_of_its_own_time),
		cmocka_unit_test(the_domain_is_the_elements_or_the_engines),
		cmocka_unit_test(times_beyond_all_bounds_stay_in_range),
		cmocka_unit_test(lengths_that_cannot_be_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
