// SPDX-License-Identifier: Apache-2.0
#include "cli/rows.h"
#include "lib/base/clock.h"
#include "tests/unit/cmocka.h"

#include <jansson.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define AT (1700000000 * NS_PER_SEC + 123456789)

static char text[1 << 20];

// Writes the rows and leaves what came in `text`.
static void write_rows(enum rows_format format, const struct record *r, unsigned n)
{
	int fd = memfd_create("rows", MFD_CLOEXEC);
	struct rows *w = rows_open(fd, format);
	assert_non_null(w);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(rows_add(w, r), 0);
	assert_int_equal(rows_close(w), 0);
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);
	assert_true(len >= 0);
	text[len] = '\0';
	close(fd);
}

static struct record row(void)
{
	struct record r = {};
	RECORD_SET(&r, start_ns, AT);
	RECORD_SET(&r, end_ns, AT + 60 * NS_PER_SEC);
	RECORD_SET(&r, src, addr_of_v4("\xc0\0\2\1"));
	RECORD_SET(&r, dst, addr_of_v6("\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"));
	RECORD_SET(&r, dport, 443);
	RECORD_SET(&r, proto, 6);
	RECORD_SET(&r, bytes, UINT64_MAX);
	RECORD_SET(&r, src_mac, ((struct record_mac){{2, 0, 0xab, 0, 0, 1}}));
	RECORD_SET(&r, next_hop, addr_of_v4("\0\0\0\0"));
	RECORD_SET(&r, vlan, 0);
	return r;
}

static void csv_has_a_header_and_every_field(void **)
{
	struct record r = row();
	write_rows(ROWS_CSV, &r, 2);
	unsigned lines = 0, commas = 0;
	for (char *p = text; *p; p++) {
		lines += *p == '\n';
		commas += *p == ',';
	}
	assert_int_equal(lines, 3);
	assert_int_equal(commas, 3 * (RECORD_N_FIELDS - 1));
	assert_memory_equal(text, "start,end,received,src_ip,", 26);
	assert_non_null(
		strstr(text,
		       "\r\n2023-11-14T22:13:20.123456789Z,2023-11-14T22:14:20.123456789Z,,"
		       "192.0.2.1,2001:db8::1,0,443,6,")
	);
	assert_non_null(strstr(text, ",18446744073709551615,"));
	assert_non_null(strstr(text, ",02:00:ab:00:00:01,"));
	assert_null(strstr(text, "0.0.0.0")); // no next hop
}

static void csv_quotes_what_needs_it(void **)
{
	struct record r = row();
	RECORD_SET(&r, server_name, ((struct record_str){"a \"b\", c\n", 9}));
	write_rows(ROWS_CSV, &r, 1);
	assert_non_null(strstr(text, ",\"a \"\"b\"\", c\n\","));
}

// The one line as an object; the caller frees it.
static json_t *parse_line(void)
{
	json_error_t error;
	json_t *j = json_loads(text, 0, &error);
	if (!j)
		fail_msg("%s: %s", error.text, text);
	return j;
}

static void json_leaves_out_what_is_empty(void **)
{
	struct record r = row();
	r.bytes = 5;
	write_rows(ROWS_JSONL, &r, 1);
	json_t *j = parse_line();
	assert_int_equal(json_object_size(j), 10);
	assert_int_equal(json_integer_value(json_object_get(j, "bytes")), 5);
	assert_int_equal(json_integer_value(json_object_get(j, "src_port")), 0);
	assert_true(json_is_integer(json_object_get(j, "packets"))); // always there
	assert_string_equal(
		json_string_value(json_object_get(j, "start")), "2023-11-14T22:13:20.123456789Z"
	);
	assert_null(json_object_get(j, "vlan"));
	assert_null(json_object_get(j, "next_hop"));
	json_decref(j);
}

static void foreign_bytes_become_valid_json(void **)
{
	static const struct {
		const char *in, *out;
	} known[] = {
		{"plain.example", "plain.example"},
		{"\"\\\n\x7f", "\"\\\n\x7f"},
		{"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
		{"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},		  // overlong
		{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, // a surrogate
		{"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
		{"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"cut\xe2\x82", "cut\xef\xbf\xbd\xef\xbf\xbd"},
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct record r = row();
		r.bytes = 1;
		RECORD_SET(
			&r,
			server_name,
			((struct record_str){known[i].in, (uint16_t)strlen(known[i].in)})
		);
		write_rows(ROWS_JSONL, &r, 1);
		json_t *j = parse_line();
		assert_string_equal(
			json_string_value(json_object_get(j, "server_name")), known[i].out
		);
		json_decref(j);
	}
}

static void the_longest_rows_fit(void **)
{
	static char worst[RECORD_STR_MAX];
	struct record r = {.set = (1ull << RECORD_N_FIELDS) - 1};
	memset(worst, 1, sizeof(worst));
	for (int f = 0; f < RECORD_N_FIELDS; f++) {
		void *value = (char *)&r + record_fields[f].offset;
		if (record_fields[f].type == RECORD_TYPE_STR)
			*(struct record_str *)value = (struct record_str){worst, RECORD_STR_MAX};
		else
			memset(value, 0xff, record_fields[f].width);
	}
	write_rows(ROWS_JSONL, &r, 50);
	write_rows(ROWS_CSV, &r, 50);
}

static void a_full_disk_is_told(void **)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct record r = row();
	if (fd < 0)
		skip();
	struct rows *w = rows_open(fd, ROWS_CSV);
	assert_int_equal(rows_add(w, &r), 0);
	assert_int_equal(rows_close(w), -ENOSPC);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(csv_has_a_header_and_every_field),
		cmocka_unit_test(csv_quotes_what_needs_it),
		cmocka_unit_test(json_leaves_out_what_is_empty),
		cmocka_unit_test(foreign_bytes_become_valid_json),
		cmocka_unit_test(the_longest_rows_fit),
		cmocka_unit_test(a_full_disk_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
