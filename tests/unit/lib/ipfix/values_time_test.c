// SPDX-License-Identifier: Apache-2.0

// Times of a row, in every encoding that exporters use.

#include "tests/unit/lib/ipfix/decode.h"

#define MS (NOW / NS_PER_MSEC)

struct field {
	uint16_t ie;
	uint16_t len;
	uint64_t value;
};

// A record of these fields, of the message that was begun.
static struct record row(const struct field *fields)
{
	struct record r = {};
	uint16_t pairs[22] = {8, 4};
	uint8_t data[128] = {10, 0, 0, 1};
	struct wbuf d = wbuf_of(data, sizeof(data));
	(void)wbuf_take(&d, 4);
	for (unsigned n = 1; fields->ie; fields++, n++) {
		pairs[2 * n] = fields->ie;
		pairs[2 * n + 1] = fields->len;
		wbuf_uint(&d, fields->value, fields->len);
	}
	define(256, pairs);
	set_bytes(256, data, wbuf_len(&d));
	assert_int_equal(read_all(&r, 1), 1);
	assert_src(&r, 1);
	return r;
}

static struct record row_of(uint16_t version, const struct field *fields)
{
	begin(version);
	return row(fields);
}

#define ROW(version, ...) row_of(version, (const struct field[]){__VA_ARGS__, {}})

static void absolute_times_of_every_precision(void **)
{
	uint64_t ns = NOW - 123456789, us = (ns + 500) / 1000 * 1000, ms = ns / 1000000;
	uint64_t ntp = ipfix_time_to_wire(156, ns);
	for (uint16_t version = 9; version <= 10; version++) {
		struct record r = ROW(version, {150, 4, SEC - 9}, {151, 4, SEC - 8});
		assert_int_equal(r.start_ns, (SEC - 9) * NS_PER_SEC);
		assert_int_equal(r.end_ns, (SEC - 8) * NS_PER_SEC);
		r = ROW(version, {152, 8, ms}, {153, 8, ms + 7});
		assert_int_equal(r.start_ns, ms * NS_PER_MSEC);
		assert_int_equal(r.end_ns, (ms + 7) * NS_PER_MSEC);
		r = ROW(version, {154, 8, ntp}, {155, 8, ntp + (1ull << 32)});
		assert_int_equal(r.start_ns, us);
		assert_int_equal(r.end_ns, us + NS_PER_SEC);
		r = ROW(version, {156, 8, ntp}, {157, 8, ntp + (1ull << 32)});
		assert_int_equal(r.start_ns, ns);
		assert_int_equal(r.end_ns, ns + NS_PER_SEC);
		r = ROW(version, {158, 4, 1500}, {159, 4, 500});
		assert_int_equal(r.start_ns, NOW - 1500000);
		assert_int_equal(r.end_ns, NOW - 500000);
	}
	assert_int_equal(domain->counts.time_missing, 0);
}

static void low_bits_of_microseconds_are_ignored(void **) // IP-10, RFC 7011 §6.1.9
{
	uint64_t ntp = ipfix_time_to_wire(156, NOW - 5000) & ~0x7ffull;
	struct record a = ROW(10, {154, 8, ntp}), b = ROW(10, {154, 8, ntp | 0x7ff});
	assert_int_equal(a.start_ns, b.start_ns);
	a = ROW(10, {156, 8, ntp}), b = ROW(10, {156, 8, ntp | 0x7ff}); // of nanoseconds not
	assert_true(b.start_ns > a.start_ns);
}

static void plain_numbers_where_ntp_belongs_are_seen(void **) // as VPP sends them
{
	struct record r = ROW(10, {156, 8, NOW - 5}, {157, 8, NOW});
	assert_int_equal(r.start_ns, NOW - 5);
	assert_int_equal(r.end_ns, NOW);
	r = ROW(10, {154, 8, NOW / 1000 / 2048 * 2048}, {155, 8, NOW / 1000 / 2048 * 2048});
	assert_true(r.start_ns > NOW - 10 * NS_PER_MSEC && r.start_ns <= NOW);
}

static void ntp_times_go_on_after_2036(void **)
{
	uint32_t sec = 2208988800u; // 2040
	uint64_t ns = sec * NS_PER_SEC + 42;
	begin_head(10, (struct message_head){.sec = sec, .domain = DOMAIN});
	struct record r = row((const struct field[]){{156, 8, ipfix_time_to_wire(156, ns)}, {}});
	assert_int_equal(r.start_ns, ns);
}

static void uptimes_count_from_the_header(void **)
{
	struct record r = ROW(9, {22, 4, UPTIME - 2500}, {21, 4, UPTIME - 500});
	assert_int_equal(r.start_ns, NOW - 2500 * NS_PER_MSEC);
	assert_int_equal(r.end_ns, NOW - 500 * NS_PER_MSEC);
	r = ROW(9, {22, 4, UPTIME}, {21, 4, UPTIME + 100}); // newer than the header's clock
	assert_int_equal(r.end_ns, NOW + 100 * NS_PER_MSEC);
}

static void uptime_wraps(void **)
{
	begin_head(9, (struct message_head){SEC, 500, 0, DOMAIN});
	struct record r = row((const struct field[]){{22, 4, 0u - 2000u}, {21, 4, 100}, {}});
	assert_int_equal(r.start_ns, NOW - 2500 * NS_PER_MSEC); // before the wrap
	assert_int_equal(r.end_ns, NOW - 400 * NS_PER_MSEC);
	begin_head(9, (struct message_head){SEC, 0u - 300u, 0, DOMAIN});
	r = row((const struct field[]){{22, 4, 0u - 2300u}, {21, 4, 0}, {}}); // end just after it
	assert_int_equal(r.start_ns, NOW - 2000 * NS_PER_MSEC);
	assert_int_equal(r.end_ns, NOW + 300 * NS_PER_MSEC);
}

static void uptime_of_ipfix_counts_from_system_init(void **)
{
	// In the row itself (flowStartSysUpTime with systemInitTimeMilliseconds, IE 160) ...
	struct record r = ROW(10, {160, 8, MS - 10000}, {22, 4, 1000}, {21, 4, 2000});
	assert_int_equal(r.start_ns, (MS - 9000) * NS_PER_MSEC);
	assert_int_equal(r.end_ns, (MS - 8000) * NS_PER_MSEC);

	// ... or in options.
	begin(10);
	set(3, "0101 0002 0001 0095 0004 00a0 0008");
	set(257, "00000007 0000018bcfe540f0"); // MS - 10000
	assert_int_equal(count_all(), 0);
	assert_int_equal(domain->system_init_ms, MS - 10000);
	r = ROW(10, {22, 4, 1000}, {21, 4, 2000});
	assert_int_equal(r.start_ns, (MS - 9000) * NS_PER_MSEC);
	assert_int_equal(r.end_ns, (MS - 8000) * NS_PER_MSEC);
}

static void uptime_of_ipfix_without_system_init_keeps_its_length(void **)
{
	struct record r = ROW(10, {22, 4, 1000}, {21, 4, 2000});
	assert_int_equal(r.end_ns, NOW);
	assert_int_equal(r.start_ns, NOW - NS_PER_SEC);
	r = ROW(10, {22, 4, 2000}, {21, 4, 1000}); // ends before it starts
	assert_int_equal(r.start_ns, NOW);
	r = ROW(10, {22, 4, 0u - 500u}, {21, 4, 500}); // over the wrap
	assert_int_equal(r.start_ns, NOW - NS_PER_SEC);
}

static void precise_times_win_unless_empty(void **)
{
	uint64_t ntp = ipfix_time_to_wire(156, NOW - 1);
	struct record r = ROW(10, {150, 4, SEC - 9}, {152, 8, MS - 5}, {156, 8, ntp});
	assert_int_equal(r.start_ns, NOW - 1);
	r = ROW(10, {150, 4, SEC - 9}, {152, 8, MS - 5}, {156, 8, 0});
	assert_int_equal(r.start_ns, NOW - 5 * NS_PER_MSEC);
	r = ROW(10, {150, 4, SEC - 9}, {152, 8, 0}, {156, 8, 0});
	assert_int_equal(r.start_ns, NOW - 9 * NS_PER_SEC);
	r = ROW(9, {150, 4, SEC - 9}, {22, 4, UPTIME - 2});
	assert_int_equal(r.start_ns, NOW - 2 * NS_PER_MSEC);
}

static void start_and_end_need_not_be_of_one_kind(void **)
{
	struct record r = ROW(9, {152, 8, MS - 60000}, {21, 4, UPTIME - 1000});
	assert_int_equal(r.start_ns, NOW - 60 * NS_PER_SEC);
	assert_int_equal(r.end_ns, NOW - NS_PER_SEC);
}

static void duration_gives_the_end_that_is_missing(void **)
{
	struct record r = ROW(10, {152, 8, MS - 9000}, {161, 4, 1000});
	assert_int_equal(r.end_ns, NOW - 8 * NS_PER_SEC);
	r = ROW(10, {153, 8, MS}, {162, 4, 1500});
	assert_int_equal(r.start_ns, NOW - 1500 * NS_PER_USEC);
	r = ROW(10, {153, 8, MS}, {161, 4, 5}, {162, 4, 1500}); // the finer of the two
	assert_int_equal(r.start_ns, NOW - 1500 * NS_PER_USEC);
	r = ROW(10, {161, 4, 2000}); // nothing but that: up to the export
	assert_int_equal(r.start_ns, NOW - 2 * NS_PER_SEC);
	assert_int_equal(r.end_ns, NOW);
	r = ROW(10, {152, 8, MS - 9000});
	assert_int_equal(r.end_ns, r.start_ns);
	r = ROW(10, {153, 8, MS - 9000});
	assert_int_equal(r.start_ns, r.end_ns);
}

static void events_have_one_time(void **)
{
	uint64_t ntp = ipfix_time_to_wire(156, NOW - 1000);
	assert_int_equal(ROW(10, {322, 4, SEC - 3}).start_ns, NOW - 3 * NS_PER_SEC);
	assert_int_equal(ROW(10, {323, 8, MS - 3}).start_ns, NOW - 3 * NS_PER_MSEC);
	assert_int_equal(ROW(10, {324, 8, ntp}).start_ns, NOW - 1000);
	assert_int_equal(ROW(10, {325, 8, ntp}).end_ns, NOW - 1000);
	struct record r = ROW(9, {323, 8, MS}, {152, 8, MS - 5000}); // beside a start: not needed
	assert_int_equal(r.start_ns, NOW - 5 * NS_PER_SEC);
	assert_int_equal(domain->counts.time_missing, 0);
}

static void rows_without_time_take_the_export_time(void **)
{
	for (uint16_t version = 9; version <= 10; version++) {
		struct record r = ROW(version, {7, 2, 80});
		assert_int_equal(r.start_ns, NOW);
		assert_int_equal(r.end_ns, NOW);
		r = ROW(version, {152, 8, 0}, {153, 8, 0});
		assert_int_equal(r.start_ns, NOW);
	}
	assert_int_equal(domain->counts.time_missing, 4);
}

static void times_beyond_what_counts_do_not_overflow(void **)
{
	struct record r = ROW(10, {152, 8, UINT64_MAX}, {153, 8, 1});
	assert_int_equal(r.start_ns, UINT64_MAX);
	assert_int_equal(r.end_ns, NS_PER_MSEC);
	r = ROW(10, {158, 8, UINT64_MAX}, {162, 8, UINT64_MAX}); // further back than 1970
	assert_int_equal(r.end_ns, NOW);
	begin_head(9, (struct message_head){0, UPTIME, 0, DOMAIN});
	r = row((const struct field[]){{22, 4, 0}, {}});
	assert_int_equal(r.start_ns, 0); // before 1970 there is nothing
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(absolute_times_of_every_precision),
		TEST(low_bits_of_microseconds_are_ignored),
		TEST(plain_numbers_where_ntp_belongs_are_seen),
		TEST(ntp_times_go_on_after_2036),
		TEST(uptimes_count_from_the_header),
		TEST(uptime_wraps),
		TEST(uptime_of_ipfix_counts_from_system_init),
		TEST(uptime_of_ipfix_without_system_init_keeps_its_length),
		TEST(precise_times_win_unless_empty),
		TEST(start_and_end_need_not_be_of_one_kind),
		TEST(duration_gives_the_end_that_is_missing),
		TEST(events_have_one_time),
		TEST(rows_without_time_take_the_export_time),
		TEST(times_beyond_what_counts_do_not_overflow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
