// SPDX-License-Identifier: Apache-2.0
#include "lib/ipfix/decode.h"
#include "lib/ipfix/encode.h"
#include "lib/ipfix/wire.h"
#include "tests/unit/cmocka.h"

#include <stdlib.h>

#define SEC 1700000000u
#define NOW (SEC * NS_PER_SEC)
#define UPTIME 1000000u // ms, of v9 headers

static struct ipfix_budget budget;
static struct ipfix_domain *domain;
static struct ipfix_reader reader;
static uint8_t bytes[65535];
static struct wbuf w; // the message being written
static uint64_t now_ns;

static struct ipfix_limits limits(void)
{
	return (struct ipfix_limits){
		.templates = 1024,
		.fields = IPFIX_FIELDS_LIMIT,
		.pending_len = 65536,
		.pending_ns = 60 * NS_PER_SEC,
		.weir_pen = PEN_WEIR,
	};
}

static int setup(void **)
{
	struct ipfix_limits l = limits();
	budget = (struct ipfix_budget){.max = 64 << 20};
	domain = ipfix_domain_create(&l, &budget);
	now_ns = NOW;
	return domain ? 0 : -1;
}

static int teardown(void **)
{
	ipfix_domain_free(domain);
	return budget.used == 0 ? 0 : -1; // every byte given back
}

static void reliable(void)
{
	domain->limits.is_reliable = true;
}

static void begin_at(uint16_t version, uint32_t sec)
{
	w = wbuf_of(bytes, sizeof(bytes));
	wbuf_u16(&w, version);
	wbuf_u16(&w, version == NETFLOW9_VERSION ? 1 : 0);
	if (version == NETFLOW9_VERSION)
		wbuf_u32(&w, UPTIME);
	wbuf_u32(&w, sec);
	wbuf_u32(&w, 0);
	wbuf_u32(&w, 7);
}

static void begin(uint16_t version)
{
	begin_at(version, SEC);
}

static void set(uint16_t id, const void *data, size_t len)
{
	wbuf_u16(&w, id);
	wbuf_u16(&w, (uint16_t)(len + 4));
	wbuf_bytes(&w, data, len);
}

// A template set of one definition; pairs of element and length, ended by 0, 0.
static void define(uint16_t id, const uint16_t *fields)
{
	unsigned n = 0;
	bool v9 = bytes[1] == NETFLOW9_VERSION;
	while (fields[2 * n] || fields[2 * n + 1])
		n++;
	wbuf_u16(&w, v9 ? NETFLOW9_SET_TEMPLATE : IPFIX_SET_TEMPLATE);
	wbuf_u16(&w, (uint16_t)(8 + 4 * n));
	wbuf_u16(&w, id);
	wbuf_u16(&w, (uint16_t)n);
	for (unsigned i = 0; i < 2 * n; i++)
		wbuf_u16(&w, fields[i]);
}

#define DEFINE(id, ...) define(id, (const uint16_t[]){__VA_ARGS__, 0, 0})
#define DATA(id, ...)                                                                              \
	set(id, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))
#define V4(last) 10, 0, 0, (last)

static enum ipfix_status parse(struct ipfix_message *m)
{
	if (bytes[1] == IPFIX_VERSION)
		wbuf_put_u16(&w, 2, (uint16_t)wbuf_len(&w));
	struct buf b = buf_of(bytes, wbuf_len(&w));
	return ipfix_message_parse(&b, now_ns, m);
}

// Reads the message written; the number of records, the first ones in `ret`.
static unsigned read_all(struct record *ret, unsigned max)
{
	struct ipfix_message m;
	struct record *r;
	unsigned n = 0;
	assert_int_equal(parse(&m), IPFIX_OK);
	ipfix_reader_init(&reader, domain, &m);
	while ((r = ipfix_reader_next(&reader))) {
		if (n < max)
			ret[n] = *r;
		n++;
	}
	return n;
}

static void assert_src(const struct record *r, uint8_t last)
{
	struct addr a = addr_of_v4((const uint8_t[]){V4(last)});
	assert_memory_equal(&r->src, &a, sizeof(a));
}

// --- templates -----------------------------------------------------------------------------------

static void two_templates_interleave(void **) // V9-1
{
	struct record r[3];
	begin(9);
	DEFINE(256, 8, 4, 7, 2);
	DEFINE(257, 7, 2, 8, 4);
	DATA(256, V4(1), 0, 80);
	DATA(257, 0, 81, V4(2));
	DATA(256, V4(3), 0, 82);
	assert_int_equal(read_all(r, 3), 3);
	for (uint8_t i = 0; i < 3; i++) {
		assert_src(&r[i], (uint8_t)(i + 1));
		assert_int_equal(r[i].sport, 80 + i);
	}
}

static void several_definitions_share_a_set(void **) // V9-6
{
	struct record r[2];
	begin(10);
	DATA(2, 1, 0, 0, 1, 0, 8, 0, 4, 1, 1, 0, 1, 0, 12, 0, 4);
	DATA(256, V4(1));
	DATA(257, V4(2));
	assert_int_equal(read_all(r, 2), 2);
	assert_src(&r[0], 1);
	assert_int_equal(r[1].set & (RECORD_BIT(src) | RECORD_BIT(dst)), RECORD_BIT(dst));
}

static void new_definition_replaces_the_old_at_once(void **) // V9-4, IP-17
{
	struct record r[2];
	begin(9);
	DEFINE(256, 8, 4, 7, 2);
	DATA(256, V4(1), 0, 80);
	DEFINE(256, 7, 2, 8, 4);
	DATA(256, 0, 81, V4(2));
	assert_int_equal(read_all(r, 2), 2);
	assert_src(&r[1], 2);
	assert_int_equal(domain->counts.templates, 2);
	assert_int_equal(domain->n_templates, 1);
}

static void refreshed_template_is_not_counted_again(void **) // IP-17
{
	for (int i = 0; i < 3; i++) {
		begin(10);
		DEFINE(256, 8, 4);
		assert_int_equal(read_all(NULL, 0), 0);
	}
	assert_int_equal(domain->counts.templates, 1);
}

static void data_before_its_template_is_replayed(void **) // V9-5, IP-14
{
	struct record r[3];
	begin_at(10, SEC - 5);
	DATA(256, V4(1), V4(2));
	assert_int_equal(read_all(NULL, 0), 0);
	assert_int_equal(domain->counts.buffered, 1);
	assert_int_equal(reader.n_unread, 1);
	begin(10);
	DATA(256, V4(3));
	DEFINE(256, 8, 4);
	assert_int_equal(read_all(r, 3), 3);
	assert_src(&r[0], 1);
	assert_int_equal(r[0].start_ns, (SEC - 5) * NS_PER_SEC); // by its own message
	assert_src(&r[1], 2);
	assert_src(&r[2], 3);
	assert_int_equal(r[2].start_ns, NOW);
	assert_int_equal(reader.n_records, 0); // of the message itself none could be numbered
	assert_int_equal(domain->counts.template_unknown, 0);
	assert_null(domain->pending);
}

static void waiting_data_is_bounded_and_given_up(void **)
{
	static const uint8_t data[1000];
	for (int i = 0; i < 100; i++) {
		begin(10);
		set(256, data, sizeof(data));
		assert_int_equal(read_all(NULL, 0), 0);
	}
	assert_true(domain->pending_len <= 65536);
	assert_int_equal(domain->counts.buffered + domain->counts.template_unknown, 100);
	ipfix_domain_tick(domain, NOW + 61 * NS_PER_SEC);
	assert_int_equal(domain->counts.template_unknown, 100);
	assert_null(domain->pending);
	begin(10);
	set(256, data, sizeof(data));
	assert_int_equal(read_all(NULL, 0), 0);
	assert_non_null(domain->pending);
}

static void expired_template_decodes_nothing(void **) // V9-7, IP-18
{
	domain->limits.lifetime_ns = NS_PER_SEC;
	begin(10);
	DEFINE(256, 8, 4);
	assert_int_equal(read_all(NULL, 0), 0);
	now_ns += NS_PER_SEC;
	begin(10);
	DATA(256, V4(1));
	assert_int_equal(read_all(NULL, 0), 1);
	now_ns++;
	begin(10);
	DATA(256, V4(1));
	assert_int_equal(read_all(NULL, 0), 0);
	begin(10);
	DEFINE(256, 8, 4);
	assert_int_equal(read_all(NULL, 0), 1); // alive again, and what waited comes
}

static void template_ids_start_at_256(void **) // IP-4
{
	struct ipfix_message m;
	static const uint16_t good[] = {256, 257, 65535};
	for (int i = 0; i < 3; i++) {
		begin(10);
		DEFINE(good[i], 8, 4);
		set(good[i], (const uint8_t[]){V4(1)}, 4);
		assert_int_equal(read_all(NULL, 0), 1);
	}
	begin(10);
	DEFINE(255, 8, 4);
	assert_int_equal(parse(&m), IPFIX_BAD_TEMPLATE);
	begin(9);
	DEFINE(255, 8, 4);
	assert_int_equal(parse(&m), IPFIX_BAD_TEMPLATE);
}

static void number_of_templates_is_capped(void **)
{
	domain->limits.templates = 3;
	for (uint16_t id = 256; id < 266; id++) {
		begin(10);
		DEFINE(id, 8, 4);
		assert_int_equal(read_all(NULL, 0), 0);
	}
	assert_int_equal(domain->n_templates, 3);
	assert_int_equal(domain->counts.template_limit, 7);
	begin(10);
	DATA(258, V4(1)); // those that were first stay in use
	assert_int_equal(read_all(NULL, 0), 1);
}

static void number_of_fields_is_capped(void **)
{
	domain->limits.fields = 2;
	begin(10);
	DEFINE(256, 8, 4, 12, 4, 7, 2);
	assert_int_equal(read_all(NULL, 0), 0);
	assert_int_equal(domain->n_templates, 0);
	assert_int_equal(domain->counts.template_limit, 1);
}

static void memory_is_capped(void **)
{
	budget.max = budget.used + 5000;
	for (unsigned id = 256; id < 1280; id++) {
		begin(10);
		DEFINE((uint16_t)id, 8, 4, 12, 4);
		assert_int_equal(read_all(NULL, 0), 0);
	}
	assert_true(budget.used <= budget.max);
	assert_true(domain->counts.template_limit > 0);
	budget.max = 64 << 20;
}

static void addresses_cannot_be_shortened(void **) // IP-9
{
	begin(10);
	DEFINE(256, 8, 3);
	assert_int_equal(read_all(NULL, 0), 0);
	begin(10);
	DEFINE(257, 27, 4);
	assert_int_equal(read_all(NULL, 0), 0);
	assert_int_equal(domain->counts.bad_templates, 2);
	assert_int_equal(domain->n_templates, 0);
}

static void rows_without_length_are_refused(void **)
{
	begin(9);
	DEFINE(256, 8, 0, 12, 0);
	DATA(256, 1, 2, 3, 4);
	assert_int_equal(read_all(NULL, 0), 0);
	assert_int_equal(domain->counts.bad_templates, 1);
}

static void rows_beyond_a_message_are_refused(void **)
{
	begin(10);
	DEFINE(256, 300, 65000, 301, 65000);
	assert_int_equal(read_all(NULL, 0), 0);
	assert_int_equal(domain->counts.bad_templates, 1);
}

static void empty_fields_are_skipped(void **)
{
	struct record r;
	begin(9);
	DEFINE(256, 8, 4, 12, 0, 7, 2);
	DATA(256, V4(1), 0, 80);
	assert_int_equal(read_all(&r, 1), 1);
	assert_int_equal(r.sport, 80);
}

static void withdrawals_are_ignored_over_udp(void **) // IP-16
{
	begin(10);
	DEFINE(256, 8, 4);
	assert_int_equal(read_all(NULL, 0), 0);
	begin(10);
	DATA(2, 1, 0, 0, 0);
	DATA(2, 0, 2, 0, 0);
	DATA(256, V4(1));
	assert_int_equal(read_all(NULL, 0), 1);
}

static void withdrawals_count_over_tcp(void **) // IP-15
{
	reliable();
	begin(10);
	DEFINE(256, 8, 4);
	DEFINE(257, 8, 4);
	DATA(3, 1, 4, 0, 2, 0, 1, 0, 34, 0, 4, 0, 8, 0, 4);
	DATA(2, 1, 0, 0, 0);
	DATA(2, 9, 0, 0, 0); // one that is not known
	assert_int_equal(read_all(NULL, 0), 0);
	assert_int_equal(domain->n_templates, 2);
	begin(10);
	DATA(2, 0, 2, 0, 0); // all templates, no options templates
	assert_int_equal(read_all(NULL, 0), 0);
	assert_int_equal(domain->n_templates, 1);
	begin(10);
	DATA(3, 0, 3, 0, 0);
	assert_int_equal(read_all(NULL, 0), 0);
	assert_int_equal(domain->n_templates, 0);
}

static void enterprise_fields_are_skipped_and_counted(void **) // IP-6, IP-20
{
	struct record r;
	begin(10);
	DATA(2,
	     1,
	     0,
	     0,
	     3,
	     0x80,
	     1,
	     0,
	     2,
	     0,
	     0,
	     0x8b,
	     0x30,
	     0,
	     8,
	     0,
	     4,
	     0x80,
	     2,
	     0xff,
	     0xff,
	     0,
	     0,
	     0,
	     9);
	DATA(256, 1, 2, V4(1), 3, 'a', 'b', 'c');
	assert_int_equal(read_all(&r, 1), 1);
	assert_src(&r, 1);
	assert_int_equal(domain->counts.unknown_fields, 2);
}

static void definitions_cut_short_are_refused(void **) // IP-6
{
	struct ipfix_message m;
	begin(10);
	DATA(2, 1, 0, 0, 1, 0x80, 1, 0, 2, 0, 0); // half an enterprise number
	assert_int_equal(parse(&m), IPFIX_BAD_TEMPLATE);
	begin(9);
	DATA(0, 1, 0, 0, 2, 0, 8, 0, 4);
	assert_int_equal(parse(&m), IPFIX_BAD_TEMPLATE);
}

static void scope_counts_are_checked(void **) // IP-5
{
	struct ipfix_message m;
	begin(10);
	DATA(3, 1, 0, 0, 1, 0, 0, 0, 34, 0, 4);
	assert_int_equal(parse(&m), IPFIX_BAD_TEMPLATE);
	begin(10);
	DATA(3, 1, 0, 0, 1, 0, 2, 0, 34, 0, 4);
	assert_int_equal(parse(&m), IPFIX_BAD_TEMPLATE);
	begin(9);
	DATA(1, 1, 0, 0, 3, 0, 4, 0, 1, 0, 4, 0, 34, 0, 4);
	assert_int_equal(parse(&m), IPFIX_BAD_TEMPLATE);
}

static void element_given_twice_counts_once(void **) // IP-11
{
	struct record r;
	begin(10);
	DEFINE(256, 8, 4, 7, 2, 7, 2);
	DATA(256, V4(1), 0, 80, 0, 81);
	assert_int_equal(read_all(&r, 1), 1);
	assert_int_equal(r.sport, 80);
}

// --- messages and sets ---------------------------------------------------------------------------

static void only_versions_9_and_10_are_read(void **) // IP-1
{
	struct ipfix_message m;
	begin(11);
	assert_int_equal(parse(&m), IPFIX_BAD_VERSION);
	begin(8);
	assert_int_equal(parse(&m), IPFIX_BAD_VERSION);
}

static void message_length_is_checked(void **) // IP-1, V9-10
{
	struct ipfix_message m;
	begin(10);
	DEFINE(256, 8, 4);
	assert_int_equal(parse(&m), IPFIX_OK);
	for (int len = 0; len < 64; len++) {
		struct buf b = buf_of(bytes, wbuf_len(&w));
		bytes[3] = (uint8_t)len;
		assert_int_equal(
			ipfix_message_parse(&b, NOW, &m) == IPFIX_OK,
			len == (int)wbuf_len(&w) || len == 16 || len == 17 // a zero pads
		);
	}
	begin(9);
	struct buf b = buf_of(bytes, 19);
	assert_int_equal(ipfix_message_parse(&b, NOW, &m), IPFIX_BAD_LENGTH);
	bytes[2] = bytes[3] = 0xff; // the count may lie
	b = buf_of(bytes, 20);
	assert_int_equal(ipfix_message_parse(&b, NOW, &m), IPFIX_OK);
}

static void several_messages_share_a_datagram(void **)
{
	struct ipfix_message m;
	begin(10);
	assert_int_equal(parse(&m), IPFIX_OK);
	size_t len = wbuf_len(&w);
	memcpy(bytes + len, bytes, len);
	memset(bytes + 2 * len, 0, 8); // and padding
	struct buf b = buf_of(bytes, 2 * len + 8);
	assert_int_equal(ipfix_message_parse(&b, NOW, &m), IPFIX_OK);
	assert_int_equal(ipfix_message_parse(&b, NOW, &m), IPFIX_OK);
	assert_int_equal(ipfix_message_parse(&b, NOW, &m), IPFIX_END);
}

static void bad_set_lengths_discard_the_message(void **) // IP-2, IP-19
{
	static const uint16_t bad[] = {0, 1, 2, 3, 9, 65535};
	struct ipfix_message m;
	for (int version = 9; version <= 10; version++) {
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			begin((uint16_t)version);
			DEFINE(256, 8, 4);
			size_t at = wbuf_len(&w);
			DATA(256, V4(1));
			wbuf_put_u16(&w, at + 2, bad[i]);
			assert_int_equal(parse(&m), IPFIX_BAD_LENGTH);
		}
	}
}

static void overrunning_row_discards_the_message(void **) // IP-8, IP-19
{
	begin(10);
	DEFINE(256, 8, 4);
	DEFINE(257, 8, 4, 460, 65535);
	assert_int_equal(read_all(NULL, 0), 0);
	begin(10);
	DATA(256, V4(1));
	DATA(257, V4(2), 5, 'a', 'b');
	assert_int_equal(read_all(NULL, 0), 0);
	assert_true(reader.is_malformed);
}

static void zeros_fill_up_a_message(void **)
{
	static const uint8_t zeros[200];
	for (int version = 9; version <= 10; version++) {
		begin((uint16_t)version);
		DEFINE(256, 8, 4);
		DATA(256, V4(1));
		wbuf_bytes(&w, zeros, sizeof(zeros));
		assert_int_equal(read_all(NULL, 0), 1);
	}
}

static void padding_is_no_row(void **) // V9-8, IP-3
{
	static const uint8_t data[8 + 7] = {V4(1), 0, 80, 0, 81};
	for (size_t pad = 0; pad < 8; pad++) {
		begin(10);
		DEFINE(256, 8, 4, 7, 2, 11, 2);
		set(256, data, 8 + pad);
		assert_int_equal(read_all(NULL, 0), 1);
		assert_false(reader.is_malformed);
	}
	for (size_t pad = 0; pad < 4; pad++) {
		static const uint8_t variable[5 + 4] = {V4(1), 0};
		begin(10);
		DEFINE(257, 8, 4, 460, 65535);
		set(257, variable, 5 + pad);
		assert_int_equal(read_all(NULL, 0), 1);
		assert_false(reader.is_malformed);
	}
}

static void reserved_sets_are_skipped(void **)
{
	begin(10);
	DEFINE(256, 8, 4);
	DATA(0, 1);
	DATA(4, 1, 2, 3);
	DATA(255, 1, 2, 3);
	DATA(256, V4(1));
	assert_int_equal(read_all(NULL, 0), 1);
}

static void variable_lengths_are_read_in_both_forms(void **) // IP-8
{
	static uint8_t data[400] = {V4(1), 255, 1, 44};
	struct record r[3];
	memset(data + 7, 'x', 300);
	begin(10);
	DEFINE(256, 8, 4, 460, 65535);
	set(256, data, 307);
	DATA(256, V4(2), 0);
	DATA(256, V4(3), 255, 0, 2, 'h', 'i');
	assert_int_equal(read_all(r, 3), 3);
	assert_int_equal(r[0].server_name.len, RECORD_STR_MAX); // cut
	assert_int_equal(r[1].server_name.len, 0);
	assert_int_equal(r[2].server_name.len, 2);
	assert_memory_equal(r[2].server_name.p, "hi", 2);
}

// --- values --------------------------------------------------------------------------------------

static void counters_of_every_length_are_read(void **) // IP-9
{
	static const uint8_t data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	for (uint16_t len = 1; len <= 8; len++) {
		struct record r;
		uint64_t want = 0;
		for (int i = 0; i < len; i++)
			want = want << 8 | data[i];
		begin(10);
		DEFINE(256, 1, len);
		set(256, data, len);
		assert_true(read_all(&r, 1) >= 1);
		assert_int_equal(r.bytes, want);
	}
}

static void ipv4_and_ipv6_in_one_row_choose_the_one_given(void **)
{
	struct record r[2];
	begin(9);
	DEFINE(256, 8, 4, 27, 16, 12, 4, 28, 16);
	DATA(256,
	     V4(1),
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0);
	DATA(256,
	     0,
	     0,
	     0,
	     0,
	     0x20,
	     1,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     1,
	     0,
	     0,
	     0,
	     0,
	     0x20,
	     1,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     0,
	     2);
	assert_int_equal(read_all(r, 2), 2);
	assert_src(&r[0], 1);
	assert_true(addr_is_v4(&r[0].dst)); // 0.0.0.0
	assert_int_equal(r[1].src.b[15], 1);
	assert_int_equal(r[1].dst.b[15], 2);
}

static void flags_of_one_and_two_bytes(void **) // TC-1
{
	struct record r[2];
	begin(10);
	DEFINE(256, 8, 4, 6, 1);
	DEFINE(257, 8, 4, 6, 2);
	DATA(256, V4(1), 0xff);
	DATA(257, V4(1), 0x51, 0x12); // data offset 5, AE, ACK SYN
	assert_int_equal(read_all(r, 2), 2);
	assert_int_equal(r[0].tcp_flags, 0xff);
	assert_int_equal(r[1].tcp_flags, 0x112);
}

static void reverse_elements_are_the_other_direction(void **) // BI-1
{
	struct record r;
	begin(10);
	DATA(2,
	     1,
	     0,
	     0,
	     4,
	     0,
	     8,
	     0,
	     4,
	     0,
	     1,
	     0,
	     4,
	     0x80,
	     1,
	     0,
	     4,
	     0,
	     0,
	     0x72,
	     0x79,
	     0x80,
	     8,
	     0,
	     4,
	     0,
	     0,
	     0x72,
	     0x79); // and a reversed key, which means nothing
	DATA(256, V4(1), 0, 0, 0, 5, 0, 0, 0, 9, 1, 1, 1, 1);
	assert_int_equal(read_all(&r, 1), 1);
	assert_src(&r, 1);
	assert_int_equal(r.bytes, 5);
	assert_int_equal(r.rev_bytes, 9);
}

static void totals_give_way_to_deltas(void **)
{
	struct record r[2];
	begin(10);
	DEFINE(256, 1, 4, 85, 4);
	DATA(256, 0, 0, 0, 5, 0, 0, 0, 9);
	DATA(256, 0, 0, 0, 0, 0, 0, 0, 9);
	assert_int_equal(read_all(r, 2), 2);
	assert_int_equal(r[0].bytes, 5);
	assert_int_equal(r[1].bytes, 9);
}

static void out_counters_are_reverse_in_v9_beside_in_counters(void **)
{
	struct record r[3];
	begin(9);
	DEFINE(256, 1, 4, 23, 4);
	DEFINE(257, 23, 4, 24, 4);
	DATA(256, 0, 0, 0, 5, 0, 0, 0, 9);
	DATA(257, 0, 0, 0, 7, 0, 0, 0, 1);
	assert_int_equal(read_all(r, 2), 2);
	assert_int_equal(r[0].bytes, 5);
	assert_int_equal(r[0].rev_bytes, 9);
	assert_int_equal(r[1].bytes, 7);
	assert_int_equal(r[1].packets, 1);
	assert_int_equal(r[1].rev_bytes, 0);
}

static void icmp_comes_in_four_forms(void **)
{
	struct record r[5];
	begin(10);
	DEFINE(256, 4, 1, 32, 2);
	DEFINE(257, 4, 1, 139, 2);
	DEFINE(258, 4, 1, 176, 1, 177, 1);
	DEFINE(259, 4, 1, 11, 2);
	DATA(256, 1, 3, 4);
	DATA(257, 58, 3, 4);
	DATA(258, 1, 3, 4);
	DATA(259, 1, 3, 4);
	DATA(256, 6, 3, 4); // not ICMP
	assert_int_equal(read_all(r, 5), 5);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(r[i].icmp_type, 3);
		assert_int_equal(r[i].icmp_code, 4);
		assert_true(r[i].set & RECORD_BIT(icmp_code));
	}
	assert_false(r[4].set & RECORD_BIT(icmp_type));
}

static void forwarding_status_comes_in_one_and_four_bytes(void **)
{
	struct record r[2];
	begin(10);
	DEFINE(256, 89, 1);
	DEFINE(257, 89, 4);
	DATA(256, 0x80);
	DATA(257, 0, 0, 0, 0x80);
	assert_int_equal(read_all(r, 2), 2);
	assert_int_equal(r[0].fwd_status, 0x80);
	assert_int_equal(r[1].fwd_status, 0x80);
	assert_int_equal(record_verdict(&r[1]), VERDICT_DENY);
}

static void mpls_label_loses_exp_and_bottom(void **)
{
	struct record r;
	begin(10);
	DEFINE(256, 70, 3);
	DATA(256, 0x12, 0x34, 0x5f);
	assert_int_equal(read_all(&r, 1), 1);
	assert_int_equal(r.mpls_label, 0x12345);
}

static void options_announce_sampling(void **) // SA-1
{
	struct record r[3];
	begin(9);
	DATA(1, 1, 1, 0, 4, 0, 8, 0, 1, 0, 4, 0, 48, 0, 1, 0, 50, 0, 4, 0, 0);
	DATA(257, 0, 0, 0, 1, 3, 0, 0, 3, 0xe8);
	DATA(257, 0, 0, 0, 1, 4, 0, 0, 0, 10);
	DEFINE(256, 8, 4, 48, 1);
	DATA(256, V4(1), 3);
	DATA(256, V4(2), 4);
	DATA(256, V4(3), 5); // announced by nobody: no loss
	assert_int_equal(read_all(r, 3), 3);
	assert_int_equal(r[0].sampling, 1000);
	assert_int_equal(r[1].sampling, 10);
	assert_int_equal(r[2].sampling, 0);
	assert_int_equal(domain->counts.options, 2);
	assert_int_equal(reader.n_records, 5); // options data are data records
}

static void sampling_can_be_a_ratio(void **)
{
	struct record r[2];
	begin(10);
	DATA(3, 1, 1, 0, 3, 0, 1, 0, 149, 0, 4, 1, 49, 0, 4, 1, 50, 0, 4);
	DATA(257, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 99);
	DEFINE(256, 8, 4);
	DEFINE(258, 8, 4, 34, 4);
	DATA(256, V4(1));
	DATA(258, V4(1), 0, 0, 0, 5);
	assert_int_equal(read_all(r, 2), 2);
	assert_int_equal(r[0].sampling, 100);
	assert_int_equal(r[1].sampling, 5); // its own word counts more
}

// --- times ---------------------------------------------------------------------------------------

static void put_time(uint16_t ie, uint64_t value, size_t len)
{
	uint8_t data[12] = {V4(1)};
	for (size_t i = 0; i < len; i++)
		data[4 + i] = (uint8_t)(value >> 8 * (len - 1 - i));
	DEFINE(256, 8, 4, ie, (uint16_t)len);
	set(256, data, 4 + len);
}

static uint64_t start_of(uint16_t version, uint16_t ie, uint64_t value, size_t len)
{
	struct record r;
	begin(version);
	put_time(ie, value, len);
	assert_int_equal(read_all(&r, 1), 1);
	return r.start_ns;
}

static void every_encoding_of_time_is_read(void **)
{
	uint64_t ns = NOW - 123456789, ntp = ipfix_time_to_wire(156, ns);
	assert_int_equal(start_of(10, 150, SEC - 9, 4), (SEC - 9) * NS_PER_SEC);
	assert_int_equal(start_of(10, 152, ns / 1000000, 8), ns / 1000000 * 1000000);
	assert_int_equal(start_of(10, 154, ntp & ~0x7ffull, 8), (ns + 500) / 1000 * 1000);
	assert_int_equal(start_of(10, 156, ntp, 8), ns);
	assert_int_equal(start_of(10, 156, ns, 8), ns); // VPP's: plain nanoseconds
	assert_int_equal(start_of(10, 158, 1500, 4), NOW - 1500000);
	assert_int_equal(start_of(9, 22, UPTIME - 2500, 4), NOW - 2500000000ull);
	assert_int_equal(start_of(9, 22, UPTIME + 100, 4), NOW + 100000000ull);
	assert_int_equal(start_of(10, 323, ns / 1000000, 8), ns / 1000000 * 1000000);
}

static void uptime_wraps(void **)
{
	// The flow began 2 s before the header's uptime, which has wrapped since.
	struct record r;
	begin(9);
	memset(bytes + 4, 0, 4);
	put_time(22, 0u - 2000u, 4);
	assert_int_equal(read_all(&r, 1), 1);
	assert_int_equal(r.start_ns, NOW - 2 * NS_PER_SEC);
}

static void uptime_of_ipfix_needs_the_system_init_time(void **)
{
	struct record r[2];
	begin(10);
	DEFINE(256, 8, 4, 22, 4, 21, 4);
	DATA(256, V4(1), 0, 0, 0x03, 0xe8, 0, 0, 0x07, 0xd0);
	assert_int_equal(read_all(r, 1), 1);
	assert_int_equal(r[0].end_ns, NOW); // export time, the length kept
	assert_int_equal(r[0].start_ns, NOW - NS_PER_SEC);

	uint64_t init = SEC * 1000ull - 10000;
	begin(10);
	DATA(3, 1, 1, 0, 2, 0, 1, 0, 149, 0, 4, 0, 160, 0, 8);
	DATA(257,
	     0,
	     0,
	     0,
	     7,
	     (uint8_t)(init >> 56),
	     (uint8_t)(init >> 48),
	     (uint8_t)(init >> 40),
	     (uint8_t)(init >> 32),
	     (uint8_t)(init >> 24),
	     (uint8_t)(init >> 16),
	     (uint8_t)(init >> 8),
	     (uint8_t)init);
	DATA(256, V4(1), 0, 0, 0x03, 0xe8, 0, 0, 0x07, 0xd0);
	assert_int_equal(read_all(r, 1), 1);
	assert_int_equal(r[0].start_ns, (init + 1000) * NS_PER_MSEC);
	assert_int_equal(r[0].end_ns, (init + 2000) * NS_PER_MSEC);
}

static void precise_times_win_unless_empty(void **)
{
	struct record r[2];
	begin(10);
	DEFINE(256, 150, 4, 152, 8, 161, 4);
	DATA(256, 0x65, 0x53, 0xf1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0xe8);
	DATA(256, 0x65, 0x53, 0xf1, 0, 0, 0, 1, 0x8b, 0xcf, 0xe5, 0x68, 1, 0, 0, 0, 5);
	assert_int_equal(read_all(r, 2), 2);
	assert_int_equal(r[0].start_ns, NOW);
	assert_int_equal(r[0].end_ns, NOW + NS_PER_SEC);
	assert_int_equal(r[1].start_ns, 0x18bcfe56801 * NS_PER_MSEC);
	assert_int_equal(r[1].end_ns, r[1].start_ns + 5 * NS_PER_MSEC);
}

static void rows_without_time_take_the_export_time(void **)
{
	struct record r;
	begin(10);
	DEFINE(256, 8, 4);
	DATA(256, V4(1));
	assert_int_equal(read_all(&r, 1), 1);
	assert_int_equal(r.start_ns, NOW);
	assert_int_equal(r.end_ns, NOW);
	assert_int_equal(domain->counts.time_missing, 1);
}

// --- round trip ----------------------------------------------------------------------------------

static struct record full_record(bool v6)
{
	struct record r = {};
	for (int f = 0; f < RECORD_N_FIELDS; f++) {
		const struct record_field_info *info = &record_fields[f];
		uint8_t *value = (uint8_t *)&r + info->offset;
		if (info->ie == 0)
			continue;
		r.set |= 1ull << f;
		if (info->type == RECORD_TYPE_STR) {
			*(struct record_str *)value = (struct record_str){info->name, 3};
			continue;
		}
		for (unsigned i = 0; i < info->width; i++)
			value[i] = (uint8_t)(f * 7 + (int)i + 1);
		if (info->type == RECORD_TYPE_ADDR && !v6)
			*(struct addr *)value = addr_of_v4(value + 12);
	}
	r.start_ns = NOW - 5000 * NS_PER_MSEC;
	r.end_ns = NOW - 3 * NS_PER_MSEC;
	r.proto = v6 ? IPFIX_PROTO_ICMP6 : IPFIX_PROTO_ICMP;
	r.tcp_flags = 0xfab;
	r.rev_tcp_flags = 0x123;
	r.mpls_label = 0xabcde;
	return r;
}

static void assert_same(const struct record *got, const struct record *want)
{
	assert_int_equal(got->set, want->set);
	for (int f = 0; f < RECORD_N_FIELDS; f++) {
		const struct record_field_info *info = &record_fields[f];
		const void *a = (const char *)got + info->offset,
			   *b = (const char *)want + info->offset;
		if (info->type != RECORD_TYPE_STR) {
			assert_memory_equal(a, b, info->width);
			continue;
		}
		const struct record_str *s = a, *t = b;
		assert_int_equal(s->len, t->len);
		if (t->len)
			assert_memory_equal(s->p, t->p, t->len);
	}
}

static void every_field_survives_the_wire(void **)
{
	for (int i = 0; i < 4; i++) {
		bool v6 = i & 1;
		struct ipfix_encoder *e;
		struct ipfix_encoder_options o = {
			.max_len = 1400, .biflow = true, .pen = i & 2 ? 12345 : 0};
		struct record r = full_record(v6);
		const uint8_t *m;
		struct ipfix_message message;
		struct record *got;

		domain->limits.weir_pen = i & 2 ? 12345 : PEN_WEIR;
		assert_int_equal(ipfix_encoder_create(&o, &e), 0);
		assert_int_equal(ipfix_encoder_add(e, &r), 0);
		size_t len = ipfix_encoder_finish(e, NOW, &m, NULL);
		struct buf b = buf_of(m, len);
		assert_int_equal(ipfix_message_parse(&b, NOW, &message), IPFIX_OK);
		ipfix_reader_init(&reader, domain, &message);
		got = ipfix_reader_next(&reader);
		assert_non_null(got);
		assert_same(got, &r);
		assert_null(ipfix_reader_next(&reader));
		assert_int_equal(domain->counts.unknown_fields, 0);
		ipfix_encoder_free(e);
	}
}

static void biflow_leaves_as_two_uniflows_when_asked(void **)
{
	struct ipfix_encoder *e;
	struct ipfix_encoder_options o = {.max_len = 1400, .biflow = false};
	struct record r = full_record(false), *got;
	const uint8_t *m;
	struct ipfix_message message;
	uint32_t n;

	assert_int_equal(ipfix_encoder_create(&o, &e), 0);
	assert_int_equal(ipfix_encoder_add(e, &r), 0);
	size_t len = ipfix_encoder_finish(e, NOW, &m, &n);
	assert_int_equal(n, 2);
	struct buf b = buf_of(m, len);
	assert_int_equal(ipfix_message_parse(&b, NOW, &message), IPFIX_OK);
	ipfix_reader_init(&reader, domain, &message);
	got = ipfix_reader_next(&reader);
	assert_int_equal(got->packets, r.packets);
	assert_int_equal(got->rev_packets, 0);
	got = ipfix_reader_next(&reader);
	assert_int_equal(got->packets, r.rev_packets);
	assert_int_equal(got->bytes, r.rev_bytes);
	assert_int_equal(got->tcp_flags, r.rev_tcp_flags);
	assert_memory_equal(&got->src, &r.dst, sizeof(r.dst));
	assert_int_equal(got->sport, r.dport);
	assert_null(ipfix_reader_next(&reader));
	ipfix_encoder_free(e);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(two_templates_interleave),
		TEST(several_definitions_share_a_set),
		TEST(new_definition_replaces_the_old_at_once),
		TEST(refreshed_template_is_not_counted_again),
		TEST(data_before_its_template_is_replayed),
		TEST(waiting_data_is_bounded_and_given_up),
		TEST(expired_template_decodes_nothing),
		TEST(template_ids_start_at_256),
		TEST(number_of_templates_is_capped),
		TEST(number_of_fields_is_capped),
		TEST(memory_is_capped),
		TEST(addresses_cannot_be_shortened),
		TEST(rows_without_length_are_refused),
		TEST(rows_beyond_a_message_are_refused),
		TEST(empty_fields_are_skipped),
		TEST(withdrawals_are_ignored_over_udp),
		TEST(withdrawals_count_over_tcp),
		TEST(enterprise_fields_are_skipped_and_counted),
		TEST(definitions_cut_short_are_refused),
		TEST(scope_counts_are_checked),
		TEST(element_given_twice_counts_once),
		TEST(only_versions_9_and_10_are_read),
		TEST(message_length_is_checked),
		TEST(several_messages_share_a_datagram),
		TEST(bad_set_lengths_discard_the_message),
		TEST(overrunning_row_discards_the_message),
		TEST(zeros_fill_up_a_message),
		TEST(padding_is_no_row),
		TEST(reserved_sets_are_skipped),
		TEST(variable_lengths_are_read_in_both_forms),
		TEST(counters_of_every_length_are_read),
		TEST(ipv4_and_ipv6_in_one_row_choose_the_one_given),
		TEST(flags_of_one_and_two_bytes),
		TEST(reverse_elements_are_the_other_direction),
		TEST(totals_give_way_to_deltas),
		TEST(out_counters_are_reverse_in_v9_beside_in_counters),
		TEST(icmp_comes_in_four_forms),
		TEST(forwarding_status_comes_in_one_and_four_bytes),
		TEST(mpls_label_loses_exp_and_bottom),
		TEST(options_announce_sampling),
		TEST(sampling_can_be_a_ratio),
		TEST(every_encoding_of_time_is_read),
		TEST(uptime_wraps),
		TEST(uptime_of_ipfix_needs_the_system_init_time),
		TEST(precise_times_win_unless_empty),
		TEST(rows_without_time_take_the_export_time),
		TEST(every_field_survives_the_wire),
		TEST(biflow_leaves_as_two_uniflows_when_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
