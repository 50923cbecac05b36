// SPDX-License-Identifier: Apache-2.0
#include "api/query/filter.h"
#include "lib/base/clock.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/rows.h"

#include <errno.h>

#define START (1774429200 * NS_PER_SEC) // 2026-03-25 09:00

static struct record
flow(const char *src, unsigned sport, const char *dst, unsigned dport, uint8_t proto)
{
	struct record r = {};
	RECORD_SET(&r, start_ns, START);
	RECORD_SET(&r, end_ns, START);
	assert_int_equal(addr_parse(src, &r.src), 0);
	assert_int_equal(addr_parse(dst, &r.dst), 0);
	r.set |= RECORD_BIT(src) | RECORD_BIT(dst);
	RECORD_SET(&r, sport, (uint16_t)sport);
	RECORD_SET(&r, dport, (uint16_t)dport);
	RECORD_SET(&r, proto, proto);
	RECORD_SET(&r, packets, 10);
	RECORD_SET(&r, bytes, 1000);
	return r;
}

static void put(struct record_batch *b, const struct record *r)
{
	assert_int_equal(record_batch_add(b, r), 0);
}

// Row 0: a web visit of two seconds; 1: DNS over IPv6; 2: a ping; 3: a large transfer, denied.
static struct record_batch *four_rows(void)
{
	struct record_batch *b = record_batch_create(4);
	assert_non_null(b);
	struct record r = flow("10.1.2.3", 40000, "192.0.2.80", 443, 6);
	RECORD_SET(&r, end_ns, START + 2 * NS_PER_SEC);
	RECORD_SET(&r, tcp_flags, TCP_SYN | TCP_ACK | TCP_FIN);
	RECORD_SET(&r, rev_bytes, 5000);
	RECORD_SET(&r, rev_packets, 7);
	RECORD_SET(&r, src_as, 64500);
	RECORD_SET(&r, in_if, 3);
	RECORD_SET(&r, src_mac, ((struct record_mac){{0, 0x11, 0x22, 0x33, 0x44, 0x55}}));
	RECORD_SET(&r, server_name, ((struct record_str){"www.Example.net", 15}));
	put(b, &r);
	r = flow("2001:db8::1", 5353, "2001:db8::53", 53, 17);
	RECORD_SET(&r, bytes, 70);
	RECORD_SET(&r, packets, 1);
	RECORD_SET(&r, dst_as, 64500);
	RECORD_SET(&r, out_if, 3);
	put(b, &r);
	r = flow("10.9.9.9", 0, "10.1.2.3", 0, 1);
	RECORD_SET(&r, icmp_type, 8);
	RECORD_SET(&r, start_ns, START + NS_PER_HOUR);
	RECORD_SET(&r, end_ns, START + NS_PER_HOUR);
	put(b, &r);
	r = flow("192.0.2.80", 443, "198.51.100.7", 40001, 6);
	RECORD_SET(&r, bytes, 2000000);
	RECORD_SET(&r, packets, 2000);
	RECORD_SET(&r, tcp_flags, TCP_RST);
	RECORD_SET(&r, verdict, VERDICT_DENY);
	assert_int_equal(addr_parse("10.0.0.1", &r.next_hop), 0);
	r.set |= RECORD_BIT(next_hop);
	put(b, &r);
	return b;
}

static struct filter *parse(const char *text)
{
	struct filter *f = NULL;
	struct filter_error e = {};
	if (filter_parse(text, strlen(text), "netflow", &f, &e) < 0)
		fail_msg("%s: column %u: %s", text, e.column, e.text);
	return f;
}

// The rows that pass, as bits.
static unsigned passing(const struct record_batch *b, const char *text)
{
	uint64_t mask[FILTER_CHUNK / 64];
	struct filter *f = parse(text);
	bool any = filter_rows(f, b, 0, b->n_rows, mask);
	assert_int_equal(any, mask[0] != 0);
	filter_free(f);
	return (unsigned)mask[0];
}

#define ROW(i) (1u << (i))
#define ALL 15u

static void rows_pass_that_the_filter_says(void **)
{
	static const struct {
		const char *text;
		unsigned rows;
	} cases[] = {
		{"", ALL},
		{"  # nothing asked\n", ALL},
		{"any", ALL},
		{"not any", 0},
		{"not not any", ALL},
		{"ipv4", ROW(0) | ROW(2) | ROW(3)},
		{"inet6", ROW(1)},
		{"proto tcp", ROW(0) | ROW(3)},
		{"tcp", ROW(0) | ROW(3)},
		{"PROTO 17", ROW(1)},
		{"proto in [udp, icmp]", ROW(1) | ROW(2)},
		{"proto != tcp", ROW(1) | ROW(2)},
		{"ip 10.1.2.3", ROW(0) | ROW(2)},
		{"host 10.1.2.3", ROW(0) | ROW(2)},
		{"src ip 10.1.2.3", ROW(0)},
		{"dst ip = 10.1.2.3", ROW(2)},
		{"ip != 10.1.2.3", ROW(1) | ROW(3)},
		{"src or dst ip 10.1.2.3", ROW(0) | ROW(2)},
		{"src and dst net 10.0.0.0/8", ROW(2)},
		{"net 10.255.1.1/8", ROW(0) | ROW(2)},
		{"net 10.0.0.0 255.0.0.0", ROW(0) | ROW(2)},
		{"net 10.0.0.0 255.0.0.0 and icmp", ROW(2)},
		{"net 0.0.0.0/0", ROW(0) | ROW(2) | ROW(3)},
		{"net ::/0", ALL},
		{"net 2001:db8::/32", ROW(1)},
		{"ip in [2001:db8::53 198.51.100.0/24, 10.9.9.9]", ROW(1) | ROW(2) | ROW(3)},
		{"src_ip 2001:db8::1", ROW(1)},
		{"port 443", ROW(0) | ROW(3)},
		{"src port 443", ROW(3)},
		{"source port 443", ROW(3)},
		{"dst port in [53 443]", ROW(0) | ROW(1)},
		{"port in [1-100, 40001-40002]", ROW(1) | ROW(3)},
		{"dst port > 443", ROW(2) | ROW(3)},
		{"dst port >= 443 and tcp", ROW(0) | ROW(3)},
		{"dst port lt 100", ROW(1)},
		{"dst port < 0", 0},
		{"bytes > 18446744073709551615", 0},
		{"dst port 2048", ROW(2)}, // of a ping, as nfdump has it
		{"dst_port 0", ROW(2)},
		{"icmp-type 8", ROW(2)},
		{"icmp-code 0", ROW(2)},
		{"not icmp-type 8", ROW(0) | ROW(1) | ROW(3)},
		{"flags S", ROW(0)},
		{"flags SAF", ROW(0)},
		{"flags SAR", 0},
		{"flags R and not flags SA", ROW(3)},
		{"not flags RS", ROW(1) | ROW(2)}, // none of them, as in nfdump
		{"not not flags SA", ROW(0)},
		{"not (flags RS or udp)", ROW(2)},
		{"flags = 4", ROW(3)},
		{"flags = R", ROW(3)},
		{"flags = S", 0},
		{"flags != R", ROW(0)},
		{"tcp_flags = 0x13", ROW(0)},
		{"bytes > 1M", ROW(3)},
		{"bytes >= 2m", ROW(3)},
		{"bytes > 2M", 0},
		{"bytes 1k", ROW(0) | ROW(2)},
		{"bytes < 1k", ROW(1)},
		{"out bytes 5000", ROW(0)},
		{"in packets 1", ROW(1)},
		{"total_bytes 6k", ROW(0)},
		{"total_packets 17", ROW(0)},
		{"rev_bytes > 0", ROW(0)},
		{"flows 1", ALL},
		{"duration 2000", ROW(0)},
		{"duration > 2000", 0},
		{"pps 5", ROW(0)},
		{"bps = 4k", ROW(0)},
		{"bpp = 100", ROW(0) | ROW(2)},
		{"as 64500", ROW(0) | ROW(1)},
		{"src as 64500", ROW(0)},
		{"if 3", ROW(0) | ROW(1)},
		{"in if 3", ROW(0)},
		{"out if 3", ROW(1)},
		{"mac 00:11:22:33:44:55", ROW(0)},
		{"in src mac 00-11-22-33-44-55", ROW(0)},
		{"dst mac 00:11:22:33:44:55", 0},
		{"next ip 10.0.0.1", ROW(3)},
		{"router ip 10.0.0.1", 0},
		{"ident netflow", ALL},
		{"ident lentor", 0},
		{"verdict deny", ROW(3)},
		{"verdict = allow", ROW(0) | ROW(1) | ROW(2)},
		{"server_name www.example.NET", ROW(0)},
		{"server_name ~ 'EXAMPLE'", ROW(0)},
		{"server_name in [a \"b c\" www.example.net]", ROW(0)},
		{"server_name = \"\"", ROW(1) | ROW(2) | ROW(3)},
		{"start >= 2026-03-25T10:00:00Z", ROW(2)},
		{"start = 1774432800", ROW(2)},
		{"end > '2026-03-25 09:00:01.5'", ROW(0) | ROW(2)},
		{"proto tcp and (src ip 192.0.2.80 or port 1)", ROW(3)},
		{"tcp or udp and port 53", ROW(0) | ROW(1) | ROW(3)},
		{"(tcp or udp) and port 53", ROW(1)},
		{"!(tcp || udp) && ! ipv6", ROW(2)},
		{"tcp and not flags R or icmp", ROW(0) | ROW(2)},
		{"udp or icmp or tcp and bytes > 1M", ROW(1) | ROW(2) | ROW(3)},
	};
	struct record_batch *b = four_rows();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned got = passing(b, cases[i].text);
		if (got != cases[i].rows)
			fail_msg("%s: rows %x, not %x", cases[i].text, got, cases[i].rows);
	}
	record_batch_free(b);
}

static void faults_are_told_with_their_column(void **)
{
	static const struct {
		const char *text;
		unsigned column;
		const char *words;
	} cases[] = {
		{"src", 4, "ends here: expected a field"},
		{"port", 5, "ends here: expected a value"},
		{"port 70000", 6, "too large"},
		{"port 80 443", 9, "expected and, or"},
		{"port in 80", 9, "expected '['"},
		{"port in [80", 12, "expected ']'"},
		{"port in []", 10, "expected a value"},
		{"port ~ 80", 6, "port cannot be compared"},
		{"ip > 10.0.0.1", 4, "ip cannot be compared"},
		{"ip 10.0.0", 4, "expected an address"},
		{"ip 10.0.0.0/33", 4, "expected an address"},
		{"ip 2001:db8::/129", 4, "expected an address"},
		{"ip 10.0.0.0/", 4, "expected an address"},
		{"net 10.0.0.0 255.0.255.0", 14, "expected and, or"},
		{"(tcp", 5, "ends here: expected ')'"},
		{"tcp)", 4, "expected and, or"},
		{"tcp and", 8, "ends here: expected a condition"},
		{"and tcp", 1, "expected a condition"},
		{"not", 4, "expected a condition"},
		{"colour blue", 1, "expected a field"},
		{"src colour 3", 5, "expected a field"},
		{"src or ip 10.0.0.1", 8, "expected the other one"},
		{"in ip 10.0.0.1", 1, "does not go with ip"},
		{"dst tos 3", 1, "does not go with tos"},
		{"src bytes > 3", 1, "does not go with bytes"},
		{"src proto tcp", 1, "does not go with proto"},
		{"proto smoke", 7, "protocol's number or name"},
		{"proto 256", 7, "too large"},
		{"flags Q", 7, "letters of"},
		{"bytes > 1x", 9, "whole number"},
		{"bytes > -1", 9, "whole number"},
		{"bytes > 99999999999999999999", 9, "whole number"},
		{"bytes > 18446744073709551615k", 9, "whole number"},
		{"port 90-80", 6, "whole number"},
		{"src mac 00:11:22", 9, "MAC address"},
		{"start > yesterday", 9, "a time such as"},
		{"server_name > a", 13, "server_name cannot be compared"},
		{"server_name 'a", 13, "expected a text"},
		{"server_name 'ü' and %", 21, "expected a condition"},
		{"next hop 10.0.0.1", 6, "expected ip"},
		{"ident", 6, "expected a name"},
		{"verdict maybe", 9, "allow or deny"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct filter *f = NULL;
		struct filter_error e = {};
		int ret = filter_parse(cases[i].text, strlen(cases[i].text), NULL, &f, &e);
		if (ret != -EINVAL || e.column != cases[i].column ||
		    !strstr(e.text, cases[i].words))
			fail_msg("%s: %d, column %u: %s", cases[i].text, ret, e.column, e.text);
	}
}

// `n` times `unit` behind `head`, then `tail`.
static char *repeat(const char *head, const char *unit, size_t n, const char *tail)
{
	char *text = calloc(1, strlen(head) + n * strlen(unit) + strlen(tail) + 1);
	assert_non_null(text);
	strcpy(text, head);
	for (size_t i = 0; i < n; i++)
		strcat(text, unit);
	return strcat(text, tail);
}

static int try_parse(char *text, struct filter_error *e)
{
	struct filter *f = NULL;
	int ret = filter_parse(text, strlen(text), NULL, &f, e);
	filter_free(f);
	free(text);
	return ret;
}

static void size_and_depth_are_bounded(void **)
{
	struct filter_error e;
	assert_int_equal(try_parse(repeat("", "(", FILTER_DEPTH_MAX, "any"), &e), -EINVAL);
	assert_non_null(strstr(e.text, "ends here"));
	assert_int_equal(try_parse(repeat("", "not ", FILTER_DEPTH_MAX, "any"), &e), 0);
	assert_int_equal(try_parse(repeat("", "not ", FILTER_DEPTH_MAX + 1, "any"), &e), -EINVAL);
	assert_int_equal(e.column, 4 * FILTER_DEPTH_MAX + 1);
	assert_int_equal(try_parse(repeat("any", "|| any", FILTER_NODES_MAX - 2, ""), &e), 0);
	assert_int_equal(try_parse(repeat("any", "||any", FILTER_NODES_MAX, ""), &e), -EINVAL);
	assert_non_null(strstr(e.text, "too many conditions"));
	assert_int_equal(try_parse(repeat("", " ", FILTER_TEXT_MAX, ""), &e), 0);
	assert_int_equal(try_parse(repeat("", " ", FILTER_TEXT_MAX + 1, ""), &e), -EINVAL);
	assert_non_null(strstr(e.text, "too long"));
	assert_int_equal(try_parse(repeat("port in [1", " 1", 2000, "]"), &e), 0);
}

static void a_nul_is_no_end(void **)
{
	struct filter *f = NULL;
	struct filter_error e;
	assert_int_equal(filter_parse("any\0and", 7, NULL, &f, &e), -EINVAL);
	assert_int_equal(e.column, 4);
}

static void only_what_it_looks_at_is_asked_for(void **)
{
	struct filter *f = parse("src ip 10.0.0.1 and bps > 3");
	assert_true(
		filter_fields(f) ==
		(RECORD_BIT(src) | RECORD_BIT(start_ns) | RECORD_BIT(end_ns) | RECORD_BIT(bytes))
	);
	assert_false(filter_is_any(f));
	filter_free(f);
	f = parse("");
	assert_true(filter_fields(f) == 0 && filter_is_any(f));
	filter_free(f);
}

static bool plainly(const struct record *r)
{
	struct addr net = r->src;
	bool in_net = addr_is_v4(&net) && net.b[12] == 10 && net.b[14] == 1;
	return (in_net && r->dport == 443) || (r->proto == 17 && r->bytes > 50000) ||
	       !(r->packets >= 10 || r->sport % 2 == r->sport);
}

static void many_rows_are_as_looked_at_one_by_one(void **)
{
	struct record_batch *b = record_batch_create(5000);
	struct filter *f = parse("src net 10.0.1.0/24 and dst_port 443 or udp and bytes > 50k or "
				 "not (packets >= 10 or src port in [0 1])");
	uint64_t mask[FILTER_CHUNK / 64];
	struct record r;
	uint32_t passed = 0;
	for (uint32_t i = 0; i < b->cap; i++) {
		r = rows_record(ROWS_HOUR);
		put(b, &r);
	}
	for (uint32_t first = 0; first < b->n_rows; first += 1000) {
		filter_rows(f, b, first, 1000, mask);
		for (uint32_t i = 0; i < 1000; i++) {
			record_batch_get(b, first + i, &r);
			assert_int_equal(mask[i / 64] >> i % 64 & 1, plainly(&r));
			passed += plainly(&r);
		}
		assert_int_equal(mask[15] >> (1000 % 64), 0);
	}
	assert_in_range(passed, 100, 4900);
	filter_free(f);
	record_batch_free(b);
}

// Every field of fields.def can be asked for by its name.
static void every_field_has_its_name(void **)
{
	static const char *const values[] = {
		[RECORD_TYPE_U8] = "1",
		[RECORD_TYPE_U16] = "1",
		[RECORD_TYPE_U32] = "1",
		[RECORD_TYPE_U64] = "1",
		[RECORD_TYPE_TIME] = "2026-03-25",
		[RECORD_TYPE_ADDR] = "10.0.0.1",
		[RECORD_TYPE_MAC] = "00:11:22:33:44:55",
		[RECORD_TYPE_STR] = "x",
	};
	char text[128];
	for (int f = 0; f < RECORD_N_FIELDS; f++) {
		snprintf(
			text,
			sizeof(text),
			"%s = %s",
			record_fields[f].name,
			strcmp(record_fields[f].name, "verdict") == 0 ||
					strcmp(record_fields[f].name, "action") == 0
				? "deny"
				: values[record_fields[f].type]
		);
		struct filter *filter = parse(text);
		assert_true(filter_fields(filter) >> f & 1);
		filter_free(filter);
	}
}

#define CODED_ROWS 300
#define CODED_ADDRS 40

static int cmp_addrs(const void *left, const void *right)
{
	return addr_cmp(left, right);
}

// A column as its values and as a dictionary of them.
static void put_both(struct record_batch *plain, struct record_batch *coded, enum record_field f)
{
	struct addr *values, *column = record_batch_column(plain, f);
	struct record_coded *c = record_batch_coded(coded, f, &values);
	assert_non_null(c);
	for (uint32_t i = 0; i < CODED_ADDRS; i++) {
		uint32_t v4 = htobe32(0x0a000000 + i * 7);
		uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = (uint8_t)i};
		values[i] = i % 2 ? addr_of_v4(&v4) : addr_of_v6(v6);
	}
	qsort(values, CODED_ADDRS, sizeof(*values), cmp_addrs);
	c->n = CODED_ADDRS;
	for (uint32_t i = 0; i < CODED_ROWS; i++) {
		c->codes[i] = (i * 13 + f) % CODED_ADDRS;
		column[i] = values[c->codes[i]];
	}
}

static void dictionaries_are_filtered_like_rows(void **)
{
	static const struct {
		const char *text;
		int outcome; // of the block, -1: that there are some
	} cases[] = {
		{"src ip 10.0.0.7", -1},
		{"src ip 10.0.0.8", FILTER_NO_ROW},
		{"ip 10.0.0.8", FILTER_NO_ROW},
		{"not ip 10.0.0.8", FILTER_EVERY_ROW},
		{"src net 10.0.0.0/8 or src net 2001:db8::/32", -1},
		{"src ip in [10.0.0.0/8 2001:db8::/32]", FILTER_EVERY_ROW},
		{"not src ip in [10.0.0.0/8 2001:db8::/32]", FILTER_NO_ROW},
		{"src net 10.0.0.0/25 and dst ip in [10.0.0.7 2001:db8::2 2001:db8::77]", -1},
		{"next ip 10.0.0.1", FILTER_NO_ROW},
		{"ip in [10.0.0.7 10.0.0.21 ::1 2001:db8::4]", -1},
		{"src ip 10.0.0.8 and bytes > 1", FILTER_NO_ROW},
		{"bytes > 1 or not src ip 10.0.0.8", FILTER_EVERY_ROW},
	};
	struct record_batch *plain = record_batch_create(CODED_ROWS);
	struct record_batch *coded = record_batch_create(CODED_ROWS);
	put_both(plain, coded, FIELD_src);
	put_both(plain, coded, FIELD_dst);
	plain->n_rows = coded->n_rows = CODED_ROWS;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct filter *f = NULL;
		struct filter_error e;
		uint64_t want[FILTER_CHUNK / 64], got[FILTER_CHUNK / 64], bare[FILTER_CHUNK / 64];
		if (filter_parse(cases[i].text, strlen(cases[i].text), NULL, &f, &e) < 0)
			fail_msg("%s: %s", cases[i].text, e.text);
		struct filter_block *k = filter_block_create(f);
		uint64_t loaded = RECORD_BIT(src) | RECORD_BIT(dst) | RECORD_BIT(next_hop);
		int outcome = (int)filter_block_open(k, coded, loaded);
		if (outcome != (cases[i].outcome < 0 ? FILTER_SOME_ROWS : cases[i].outcome))
			fail_msg("%s: outcome %d", cases[i].text, outcome);
		assert_int_equal(filter_block_open(k, coded, 0), FILTER_SOME_ROWS);
		(void)filter_block_open(k, coded, loaded);
		bool any = filter_rows(f, plain, 0, CODED_ROWS, want);
		assert_int_equal(filter_block_rows(k, 0, CODED_ROWS, got), any);
		assert_int_equal(filter_rows(f, coded, 0, CODED_ROWS, bare), any);
		assert_memory_equal(got, want, (CODED_ROWS + 63) / 64 * 8);
		assert_memory_equal(bare, want, (CODED_ROWS + 63) / 64 * 8);
		filter_block_free(k);
		filter_free(f);
	}
	record_batch_free(plain);
	record_batch_free(coded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dictionaries_are_filtered_like_rows),
		cmocka_unit_test(rows_pass_that_the_filter_says),
		cmocka_unit_test(faults_are_told_with_their_column),
		cmocka_unit_test(size_and_depth_are_bounded),
		cmocka_unit_test(a_nul_is_no_end),
		cmocka_unit_test(only_what_it_looks_at_is_asked_for),
		cmocka_unit_test(many_rows_are_as_looked_at_one_by_one),
		cmocka_unit_test(every_field_has_its_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
