// SPDX-License-Identifier: Apache-2.0
#include "lib/ipfix/template.h"
#include "tests/unit/lib/ipfix/message.h"

#include <errno.h>
#include <stdlib.h>

static struct ipfix_values v;

// Compiles a definition given as pairs of element and length, ended by 0, 0.
static int compile(const uint16_t *pairs, struct ipfix_template **ret_template)
{
	struct ipfix_template_head head = {.id = 256, .weir_pen = PEN_WEIR};
	uint8_t fields[4 * 1024];
	struct wbuf d = wbuf_of(fields, sizeof(fields));
	size_t size;
	for (; pairs[0] || pairs[1]; pairs += 2, head.n_fields++) {
		wbuf_u16(&d, pairs[0]);
		wbuf_u16(&d, pairs[1]);
	}
	return ipfix_template_compile(&head, fields, wbuf_len(&d), ret_template, &size);
}

#define COMPILE(t, ...) compile((const uint16_t[]){__VA_ARGS__, 0, 0}, t)

// The row these bytes are, by a template of its own.
static bool row(const uint16_t *pairs, const char *hex)
{
	struct ipfix_template *t;
	uint8_t data[1024];
	struct buf b = buf_of(data, hex_parse(hex, data, sizeof(data)));
	assert_int_equal(compile(pairs, &t), 0);
	bool ok = ipfix_template_row(t, &b, &v);
	if (ok)
		assert_int_equal(buf_left(&b), 0);
	free(t);
	return ok;
}

#define ROW(hex, ...) assert_true(row((const uint16_t[]){__VA_ARGS__, 0, 0}, hex))

static void heads_tell_definitions_and_withdrawals(void **)
{
	static const struct {
		const char *hex;
		bool is_v9, is_options, ok;
		uint16_t id, n_fields, n_scope;
	} heads[] = {
		{"0100 0002", false, false, true, 256, 2, 0},
		{"ffff 0002", false, false, true, 65535, 2, 0},
		{"00ff 0002", false, false, false, 0, 0, 0}, // IP-4
		{"0000 0002", false, false, false, 0, 0, 0},
		{"0100 0000", false, false, true, 256, 0, 0}, // IP-15: withdrawals
		{"0002 0000", false, false, true, 2, 0, 0},
		{"0003 0000", false, true, true, 3, 0, 0},
		{"0100 0000", false, true, true, 256, 0, 0},
		{"0001 0000", false, false, false, 0, 0, 0}, // nor of anything else
		{"0004 0000", false, false, false, 0, 0, 0},
		{"00ff 0000", false, false, false, 0, 0, 0},
		{"0003 0000", false, false, false, 0, 0, 0}, // all options: among options alone
		{"0002 0000", false, true, false, 0, 0, 0},
		{"0100 0003 0002", false, true, true, 256, 3, 2},
		{"0100 0003 0003", false, true, true, 256, 3, 3},
		{"0100 0003 0000", false, true, false, 0, 0, 0}, // IP-5
		{"0100 0003 0004", false, true, false, 0, 0, 0},
		{"0100 0002", true, false, true, 256, 2, 0},
		{"00ff 0000", true, false, false, 0, 0, 0},
		{"0002 0000", true, false, false, 0, 0, 0},
		{"0100 0004 0008", true, true, true, 256, 3, 1},
		{"0100 0000 0008", true, true, true, 256, 2, 0},
		{"0100 0003 0008", true, true, false, 0, 0, 0},
		{"0100 0004 0006", true, true, false, 0, 0, 0},
		{"0100 8000 8000", true, true, false, 0, 0, 0},
		{"0100 00", false, false, false, 0, 0, 0},
		{"0100 0003 00", false, true, false, 0, 0, 0},
		{"0100 0004 00", true, true, false, 0, 0, 0},
	};
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct ipfix_template_head h;
		uint8_t data[8];
		struct buf b = buf_of(data, hex_parse(heads[i].hex, data, sizeof(data)));
		bool ok = ipfix_template_head(&b, heads[i].is_v9, heads[i].is_options, &h);
		if (ok != heads[i].ok)
			fail_msg("%s: %d", heads[i].hex, ok);
		if (!ok)
			continue;
		assert_int_equal(h.id, heads[i].id);
		assert_int_equal(h.n_fields, heads[i].n_fields);
		assert_int_equal(h.n_scope, heads[i].n_scope);
		assert_int_equal(h.is_options, heads[i].is_options);
	}
}

static void fields_are_as_long_as_their_enterprise_bits_say(void **) // IP-6
{
	struct ipfix_template_head ipfix = {.n_fields = 2}, v9 = {.n_fields = 2, .is_v9 = true};
	uint8_t data[12];
	size_t len, n = hex_parse("8001 0004 00007279 0001 0004", data, sizeof(data));
	struct buf b = buf_of(data, n);
	assert_non_null(ipfix_template_fields(&b, &ipfix, &len));
	assert_int_equal(len, 12);
	b = buf_of(data, n);
	assert_non_null(ipfix_template_fields(&b, &v9, &len));
	assert_int_equal(len, 8);
	for (size_t cut = 0; cut < 12; cut++) {
		b = buf_of(data, cut);
		assert_null(ipfix_template_fields(&b, &ipfix, &len));
	}
}

static void numbers_of_every_length_fit_every_member(void **) // IP-9
{
	static const struct {
		uint16_t ie;
		uint8_t width;
	} members[] = {{4, 1}, {7, 2}, {10, 4}, {1, 8}, {302, 8}};
	for (size_t m = 0; m < sizeof(members) / sizeof(members[0]); m++) {
		for (uint16_t len = 1; len <= 8; len++) {
			uint8_t width = members[m].width;
			uint64_t want = 0x8182838485868788ull >> 8 * (8 - len);
			char hex[17] = "8182838485868788";
			hex[2 * len] = '\0';
			if (width < 8)
				want &= (1ull << 8 * width) - 1; // the low bytes
			ROW(hex, members[m].ie, len);
			uint64_t got = members[m].ie == 4    ? v.r.proto
				       : members[m].ie == 7  ? v.r.sport
				       : members[m].ie == 10 ? v.r.in_if
				       : members[m].ie == 1  ? v.r.bytes
							     : v.aux[AUX_SAMPLER];
			assert_int_equal(got, want);
		}
	}
}

static void numbers_may_have_a_length_of_their_own(void **) // IP-8, IP-9
{
	ROW("03 010203", 1, 65535);
	assert_int_equal(v.r.bytes, 0x010203);
	ROW("ff0008 0000000000000007", 1, 65535);
	assert_int_equal(v.r.bytes, 7);
	ROW("00", 1, 65535);
	assert_int_equal(v.r.bytes, 0);
	ROW("09 010203040506070809", 1, 65535); // more than a number can be
	assert_int_equal(v.r.bytes, 0);
	ROW("02 5112", 6, 65535);
	assert_int_equal(v.r.tcp_flags, 0x112);
	ROW("02 0304", 32, 65535);
	assert_int_equal(v.r.icmp_type, 3);
}

static void numbers_of_no_or_nine_bytes_are_passed_over(void **)
{
	ROW("0050", 1, 0, 7, 2);
	assert_int_equal(v.r.sport, 80);
	assert_false(v.r.set & RECORD_BIT(bytes));
	ROW("010203040506070809 0050", 1, 9, 7, 2);
	assert_int_equal(v.r.sport, 80);
	assert_false(v.r.set & RECORD_BIT(bytes));
}

static void addresses_have_one_length(void **) // IP-9
{
	static const struct {
		uint16_t ie, len;
	} fixed[] = {{8, 4}, {12, 4}, {15, 4}, {27, 16}, {28, 16}, {62, 16}, {56, 6}, {80, 6}};
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		for (uint16_t len = 0; len <= 20; len++) {
			struct ipfix_template *t = NULL;
			int ret = COMPILE(&t, 7, 2, fixed[i].ie, len);
			assert_int_equal(ret, len == 0 || len == fixed[i].len ? 0 : -EINVAL);
			free(t);
		}
		struct ipfix_template *t = NULL;
		assert_int_equal(COMPILE(&t, fixed[i].ie, 65535), -EINVAL);
		free(t);
	}
}

static void addresses_and_macs_are_read(void **)
{
	ROW("c0000201", 8, 4);
	struct addr a = addr_of_v4("\xc0\x00\x02\x01");
	assert_memory_equal(&v.r.src, &a, sizeof(a));
	ROW("20010db8000000000000000000000001", 28, 16);
	assert_int_equal(v.r.dst.b[0], 0x20);
	assert_int_equal(v.r.dst.b[15], 1);
	ROW("020000000001", 56, 6);
	assert_memory_equal(v.r.src_mac.b, "\x02\0\0\0\0\1", 6);
}

static void flags_of_one_and_more_bytes(void **) // TC-1
{
	ROW("ff", 6, 1);
	assert_int_equal(v.r.tcp_flags, 0xff);
	ROW("5112", 6, 2); // data offset 5, AE, ACK SYN: RFC 9565 §3
	assert_int_equal(v.r.tcp_flags, 0x112);
	ROW("00000012", 6, 4);
	assert_int_equal(v.r.tcp_flags, 0x12);
}

static void mpls_label_loses_exp_and_bottom(void **)
{
	ROW("12345f", 70, 3);
	assert_int_equal(v.r.mpls_label, 0x12345);
	ROW("12345fff", 70, 4); // with its TTL
	assert_int_equal(v.r.mpls_label, 0x12345);
	ROW("1234 0050", 70, 2, 7, 2);
	assert_false(v.r.set & RECORD_BIT(mpls_label));
}

static void text_of_fixed_length_loses_its_padding(void **)
{
	ROW("6162630000", 460, 5);
	assert_int_equal(v.r.server_name.len, 3);
	ROW("0000000000", 460, 5);
	assert_int_equal(v.r.server_name.len, 0);
	ROW("6100630000", 460, 5); // a NUL inside stays
	assert_int_equal(v.r.server_name.len, 3);
}

static void text_that_is_not_utf8_is_ignored_and_counted(void **) // IP-10, RFC 7011 §6.1.6
{
	ROW("02 c3a9", 460, 65535);
	assert_int_equal(v.r.server_name.len, 2);
	assert_int_equal(v.bad_text, 0);
	ROW("02 c328", 460, 65535);
	assert_int_equal(v.r.server_name.len, 0);
	assert_int_equal(v.bad_text, 1);
	ROW("02 c0af 0050", 460, 65535, 7, 2); // overlong; the row itself is kept
	assert_int_equal(v.bad_text, 1);
	assert_int_equal(v.r.sport, 80);
	ROW("c3 0000", 460, 3);
	assert_int_equal(v.bad_text, 1);
}

static void long_text_is_cut_between_characters(void **)
{
	char hex[2 * 300 + 16] = "ff012c"; // 300 bytes: 100 times U+20AC
	for (int i = 0; i < 100; i++)
		strcat(hex, "e282ac");
	ROW(hex, 460, 65535);
	assert_int_equal(v.r.server_name.len, 255);
	assert_int_equal(v.bad_text, 0);
	memcpy(hex, "ff012d", 6); // the same behind one more byte
	memmove(hex + 8, hex + 6, 601);
	memcpy(hex + 6, "61", 2);
	ROW(hex, 460, 65535);
	assert_int_equal(v.r.server_name.len, 253);
}

static void forwarding_status_comes_in_one_and_four_bytes(void **)
{
	ROW("80", 89, 1);
	assert_int_equal(v.r.fwd_status, 0x80);
	ROW("00000080", 89, 4);
	assert_int_equal(v.r.fwd_status, 0x80);
	assert_int_equal(record_verdict(&v.r), VERDICT_DENY);
}

static void application_ids_keep_engine_and_selector(void **) // AP-1
{
	ROW("0d000050", 95, 4); // PANA-L7 80
	assert_int_equal(v.r.app_id, 0x0d000050);
	ROW("14 00000009 000050", 95, 8); // engine 20 carries an enterprise number
	assert_int_equal(v.r.app_id, 0x1400000009000050);
	ROW("03 0050", 95, 3);
	assert_int_equal(v.r.app_id, 0x030050);
}

static void better_elements_win_unless_zero(void **)
{
	// delta, total, initiator: each where the ones before say nothing
	ROW("00000005 00000009 00000007", 1, 4, 85, 4, 231, 4);
	assert_int_equal(v.r.bytes, 5);
	ROW("00000000 00000009 00000007", 1, 4, 85, 4, 231, 4);
	assert_int_equal(v.r.bytes, 9);
	ROW("00000000 00000000 00000007", 1, 4, 85, 4, 231, 4);
	assert_int_equal(v.r.bytes, 7);
	ROW("00000007 00000005", 231, 4, 1, 4); // in whatever order
	assert_int_equal(v.r.bytes, 5);
	ROW("03 000007 03 000005", 231, 65535, 1, 65535);
	assert_int_equal(v.r.bytes, 5);
	ROW("0050 0000 0051", 180, 2, 7, 2, 182, 2); // ports by protocol
	assert_int_equal(v.r.sport, 0x51);
}

static void element_given_twice_counts_once(void **) // IP-11: the first is the one
{
	ROW("0050 0051", 7, 2, 7, 2);
	assert_int_equal(v.r.sport, 80);
	ROW("0000 0051", 7, 2, 7, 2);
	assert_int_equal(v.r.sport, 0);
	ROW("01 05 01 06", 1, 65535, 1, 65535);
	assert_int_equal(v.r.bytes, 5);
}

static void nothing_of_the_last_row_is_left(void **)
{
	struct ipfix_template *t;
	uint8_t data[12];
	hex_parse("00000000 00000005 00000000", data, sizeof(data));
	assert_int_equal(COMPILE(&t, 48, 4), 0);
	memset(&v, 0xff, sizeof(v));
	struct buf b = buf_of(data, 4);
	assert_true(ipfix_template_row(t, &b, &v));
	assert_int_equal(v.aux[AUX_SAMPLER], 0);
	assert_int_equal(v.r.set, 0);
	assert_int_equal(v.r.bytes, 0);
	free(t);
}

static void rows_that_cannot_be_are_refused(void **)
{
	struct ipfix_template *t = NULL;
	assert_int_equal(COMPILE(&t, 8, 0, 12, 0), -EINVAL);	      // no length
	assert_int_equal(COMPILE(&t, 300, 65000, 301, 536), -EINVAL); // beyond any message
	assert_int_equal(COMPILE(&t, 300, 65000, 301, 535), 0);
	assert_int_equal(t->row_len, 65535);
	free(t);
}

static int compile_many(unsigned n, struct ipfix_template **ret_template)
{
	uint16_t pairs[2 * (IPFIX_FIELDS_LIMIT + 2)] = {};
	for (unsigned i = 0; i < n; i++) {
		pairs[2 * i] = 400;
		pairs[2 * i + 1] = 1;
	}
	return compile(pairs, ret_template);
}

static void number_of_fields_has_an_end(void **)
{
	struct ipfix_template *t;
	assert_int_equal(compile_many(0, &t), -EINVAL);
	assert_int_equal(compile_many(IPFIX_FIELDS_LIMIT + 1, &t), -EINVAL);
	assert_int_equal(compile_many(IPFIX_FIELDS_LIMIT, &t), 0);
	assert_int_equal(t->row_len, IPFIX_FIELDS_LIMIT);
	free(t);
}

static void every_element_has_its_step_in_one_template(void **)
{
	uint16_t pairs[2 * 513] = {};
	unsigned n = 0;
	for (uint16_t ie = 1; ie < 512; ie++) {
		const struct ipfix_element *e = ipfix_element_find(ie, 0, PEN_WEIR);
		if (!e)
			continue;
		pairs[2 * n] = ie;
		pairs[2 * n++ + 1] = e->kind == IPFIX_KIND_ADDR4   ? 4
				     : e->kind == IPFIX_KIND_ADDR6 ? 16
				     : e->kind == IPFIX_KIND_MAC   ? 6
				     : e->kind == IPFIX_KIND_MPLS  ? 3
								   : 1;
	}
	struct ipfix_template *t;
	assert_int_equal(compile(pairs, &t), 0);
	assert_int_equal(t->n_steps, n);
	free(t);
}

static void cut_rows_are_refused(void **) // IP-24
{
	assert_false(row((const uint16_t[]){8, 4, 0, 0}, "0a0000"));
	assert_false(row((const uint16_t[]){8, 4, 460, 65535, 0, 0}, "0a000001"));
	assert_false(row((const uint16_t[]){8, 4, 460, 65535, 0, 0}, "0a000001 01"));
	assert_false(row((const uint16_t[]){8, 4, 460, 65535, 0, 0}, "0a000001 ff00"));
	assert_false(row((const uint16_t[]){8, 4, 460, 65535, 0, 0}, "0a000001 ffffff 00"));
}

static void variable_sets_fit_or_do_not(void **) // IP-3, IP-8, IP-24
{
	static const struct {
		const char *hex;
		bool fits;
	} sets[] = {
		{"", true},
		{"0a000001 00", true},
		{"0a000001 00 0a000002 01 61", true},
		{"0a000001 00 00000000000000", true}, // padding of 7
		{"0a000001 00 ffffff", true},	      // shorter than a row
		{"0a000001 01", false},
		{"0a000001 00 0a000002 02 61", false},
		{"0a000001 00 0000000000 0a000002 05", false}, // zeros that are a row
	};
	struct ipfix_template *t;
	assert_int_equal(COMPILE(&t, 8, 4, 460, 65535), 0);
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		uint8_t data[32];
		struct buf b = buf_of(data, hex_parse(sets[i].hex, data, sizeof(data)));
		if (ipfix_template_fits(t, b) != sets[i].fits)
			fail_msg("%s", sets[i].hex);
	}
	free(t);
}

static void reverse_elements_are_the_other_direction(void **) // BI-1
{
	struct ipfix_template_head head = {.id = 256, .n_fields = 5, .weir_pen = PEN_WEIR};
	struct ipfix_template *t;
	uint8_t fields[64], data[32];
	size_t size,
		len = hex_parse(
			"0001 0004 8001 0004 00007279 8006 0001 00007279 8002 0004 00007279"
			"8008 0004 00007279", // and a reversed key, which means nothing
			fields,
			sizeof(fields)
		);
	assert_int_equal(ipfix_template_compile(&head, fields, len, &t, &size), 0);
	assert_int_equal(t->n_unknown, 1);
	struct buf b =
		buf_of(data,
		       hex_parse("00000005 00000009 12 00000002 01010101", data, sizeof(data)));
	assert_true(ipfix_template_row(t, &b, &v));
	assert_int_equal(v.r.bytes, 5);
	assert_int_equal(v.r.rev_bytes, 9);
	assert_int_equal(v.r.rev_packets, 2);
	assert_int_equal(v.r.rev_tcp_flags, 0x12);
	assert_false(v.r.set & RECORD_BIT(src));
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_tell_definitions_and_withdrawals),
		cmocka_unit_test(fields_are_as_long_as_their_enterprise_bits_say),
		cmocka_unit_test(numbers_of_every_length_fit_every_member),
		cmocka_unit_test(numbers_may_have_a_length_of_their_own),
		cmocka_unit_test(numbers_of_no_or_nine_bytes_are_passed_over),
		cmocka_unit_test(addresses_have_one_length),
		cmocka_unit_test(addresses_and_macs_are_read),
		cmocka_unit_test(flags_of_one_and_more_bytes),
		cmocka_unit_test(mpls_label_loses_exp_and_bottom),
		cmocka_unit_test(text_of_fixed_length_loses_its_padding),
		cmocka_unit_test(text_that_is_not_utf8_is_ignored_and_counted),
		cmocka_unit_test(long_text_is_cut_between_characters),
		cmocka_unit_test(forwarding_status_comes_in_one_and_four_bytes),
		cmocka_unit_test(application_ids_keep_engine_and_selector),
		cmocka_unit_test(better_elements_win_unless_zero),
		cmocka_unit_test(element_given_twice_counts_once),
		cmocka_unit_test(nothing_of_the_last_row_is_left),
		cmocka_unit_test(rows_that_cannot_be_are_refused),
		cmocka_unit_test(number_of_fields_has_an_end),
		cmocka_unit_test(every_element_has_its_step_in_one_template),
		cmocka_unit_test(cut_rows_are_refused),
		cmocka_unit_test(variable_sets_fit_or_do_not),
		cmocka_unit_test(reverse_elements_are_the_other_direction),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
