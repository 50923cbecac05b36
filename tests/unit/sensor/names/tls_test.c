// SPDX-License-Identifier: Apache-2.0
#include "sensor/names/tls.h"
#include "tests/unit/sensor/names/hello.h"

static struct tls_scratch scratch;
static const uint16_t some_ciphers[] = {0x1301, 0x1302};

static enum look parse(const uint8_t *p, size_t n, struct tls_hello *h)
{
	return tls_stream_parse(buf_of(p, n), HELLO_MAX, &scratch, h);
}

static void assert_text(struct buf b, const char *text)
{
	assert_int_equal(buf_left(&b), strlen(text));
	assert_memory_equal(b.p, text, strlen(text));
}

static size_t real_hello(int version, uint8_t *to)
{
	struct openssl_hello o = {
		.method = TLS_client_method(),
		.version = version,
		.name = "www.example.com",
		.alpn = "\2h2\10http/1.1",
	};
	return openssl_hello(&o, to, HELLO_MAX);
}

// A hello in one record with the given extensions.
static size_t written(const struct wbuf *extensions, uint8_t *to)
{
	uint8_t message[HELLO_MAX];
	struct wbuf m = wbuf_of(message, sizeof(message)), w = wbuf_of(to, HELLO_MAX);
	struct written_hello h = {
		.version = 0x0303,
		.ciphers = some_ciphers,
		.n_ciphers = 2,
		.has_extensions = extensions != NULL,
		.extensions = extensions ? extensions->start : NULL,
		.extensions_len = extensions ? wbuf_len(extensions) : 0,
	};
	put_hello(&m, &h);
	put_record(&w, message, wbuf_len(&m));
	return wbuf_len(&w);
}

static enum look parse_written(const struct wbuf *extensions, struct tls_hello *h)
{
	static uint8_t bytes[HELLO_MAX];
	return parse(bytes, written(extensions, bytes), h);
}

static void openssls_hello_is_read(void **)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	for (size_t i = 0; i < 2; i++) {
		uint8_t bytes[HELLO_MAX];
		struct tls_hello h;
		size_t n = real_hello(versions[i], bytes);
		assert_true(tls_is_record(bytes, n));
		assert_int_equal(parse(bytes, n, &h), LOOK_FOUND);
		assert_int_equal(h.version, versions[i]);
		assert_text(h.server_name, "www.example.com");
		assert_text(h.alpn, "h2");
		assert_true(h.has_server_name);
		assert_false(h.has_ech);
		assert_true(buf_left(&h.ciphers) >= 6);
		assert_true(buf_left(&h.signature_algorithms) >= 6);
	}
}

static void hello_without_name_and_protocol_is_read(void **)
{
	struct openssl_hello o = {.method = TLS_client_method(), .version = TLS1_3_VERSION};
	uint8_t bytes[HELLO_MAX];
	struct tls_hello h;
	size_t n = openssl_hello(&o, bytes, sizeof(bytes));
	assert_int_equal(parse(bytes, n, &h), LOOK_FOUND);
	assert_false(h.has_server_name);
	assert_int_equal(buf_left(&h.server_name), 0);
	assert_int_equal(buf_left(&h.alpn), 0);
}

static void every_beginning_of_a_hello_waits_for_more(void **)
{
	uint8_t bytes[HELLO_MAX];
	struct tls_hello h;
	size_t n = real_hello(TLS1_3_VERSION, bytes);
	for (size_t i = 0; i < n; i++) {
		uint8_t *cut = exact_copy(bytes, i);
		assert_int_equal(parse(cut, i, &h), LOOK_MORE);
		free(cut);
	}
}

static void hello_in_records_of_any_size_is_one(void **)
{
	uint8_t bytes[HELLO_MAX], split[2 * HELLO_MAX];
	size_t n = real_hello(TLS1_3_VERSION, bytes);
	for (size_t size = 1; size < n - TLS_RECORD_HEADER_LEN; size += size < 20 ? 1 : 31) {
		struct wbuf w = wbuf_of(split, sizeof(split));
		struct tls_hello h;
		for (size_t at = TLS_RECORD_HEADER_LEN; at < n; at += size)
			put_record(&w, bytes + at, size < n - at ? size : n - at);
		assert_int_equal(parse(split, wbuf_len(&w), &h), LOOK_FOUND);
		assert_text(h.server_name, "www.example.com");
		assert_int_equal(parse(split, wbuf_len(&w) - 1, &h), LOOK_MORE);
	}
}

static void other_protocols_are_told_at_once(void **)
{
	static const char *const others[] = {
		"17",
		"160202",
		"1604",
		"160305",
		"1603010005 02",
		"1503010002",
		"80 2e 01 03 01",
		"47455420"};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		uint8_t bytes[16];
		struct tls_hello h;
		size_t n = bytes_of_hex(others[i], bytes);
		assert_int_equal(parse(bytes, n, &h), LOOK_NOTHING);
	}
}

static void records_that_cannot_be_are_refused(void **)
{
	static const char *const bad[] = {
		"1603010000",			 // empty
		"160301 4001",			 // longer than 2^14
		"1603010002 0100 1703010001 00", // something else within the hello
		"1603010002 0100 1503010002 0228",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t bytes[32];
		struct tls_hello h;
		size_t n = bytes_of_hex(bad[i], bytes);
		assert_int_equal(parse(bytes, n, &h), LOOK_BAD);
	}
}

static void hello_that_is_too_long_is_not_waited_for(void **)
{
	uint8_t bytes[HELLO_MAX];
	struct tls_hello h;
	size_t n = real_hello(TLS1_3_VERSION, bytes);
	struct buf first = buf_of(bytes, 9); // the length is there
	assert_int_equal(tls_stream_parse(first, n - 6, &scratch, &h), LOOK_TOO_LONG);
	assert_int_equal(tls_stream_parse(first, n - 5, &scratch, &h), LOOK_MORE);
	n = bytes_of_hex("160301 4000 01 ffffff", bytes);
	assert_int_equal(tls_stream_parse(buf_of(bytes, n), 1 << 20, &scratch, &h), LOOK_TOO_LONG);
}

static void hello_from_before_extensions_is_read(void **)
{
	struct tls_hello h;
	assert_int_equal(parse_written(NULL, &h), LOOK_FOUND);
	assert_int_equal(h.version, 0x0303);
	assert_int_equal(buf_left(&h.ciphers), 4);
	assert_int_equal(buf_left(&h.extensions), 0);
}

static void grease_is_no_version(void **)
{
	uint8_t bytes[256];
	struct tls_hello h;
	struct wbuf w = wbuf_of(bytes, sizeof(bytes));
	put_extension(&w, 0x1a1a, "", 0);
	put_extension(&w, 43, "\6\xfa\xfa\3\3\3\4", 7);
	assert_int_equal(parse_written(&w, &h), LOOK_FOUND);
	assert_int_equal(h.version, 0x0304);
	for (unsigned v = 0; v < 0x10000; v++) {
		bool grease = (v & 0xf) == 0xa && (v >> 8) == (v & 0xff);
		assert_int_equal(tls_is_grease((uint16_t)v), grease);
	}
}

static void outer_encrypted_hello_is_noted(void **)
{
	uint8_t bytes[256];
	struct tls_hello h;
	struct wbuf w = wbuf_of(bytes, sizeof(bytes));
	put_server_name(&w, "public.example", 14);
	put_extension(&w, 0xfe0d, "\0\0\1\0\1", 5);
	assert_int_equal(parse_written(&w, &h), LOOK_FOUND);
	assert_true(h.has_ech);
	w = wbuf_of(bytes, sizeof(bytes));
	put_extension(&w, 0xfe0d, "\1", 1); // the inner one has no more
	assert_int_equal(parse_written(&w, &h), LOOK_FOUND);
	assert_false(h.has_ech);
}

static void only_host_names_are_names(void **)
{
	uint8_t bytes[256];
	struct tls_hello h;
	struct wbuf w = wbuf_of(bytes, sizeof(bytes));
	put_extension(&w, 0, "\0\x0a\1\0\2zz\0\0\2ab", 12);
	assert_int_equal(parse_written(&w, &h), LOOK_FOUND);
	assert_text(h.server_name, "ab");
	w = wbuf_of(bytes, sizeof(bytes));
	put_extension(&w, 0, "", 0);
	assert_int_equal(parse_written(&w, &h), LOOK_FOUND);
	assert_true(h.has_server_name);
	assert_int_equal(buf_left(&h.server_name), 0);
}

struct bad_extension {
	uint16_t type;
	const char *hex;
};

static void extensions_that_lie_about_lengths_are_refused(void **)
{
	static const struct bad_extension bad[] = {
		{0, "00"},
		{0, "0004 00 0002 61"},
		{0, "0004 00 0001 61 00"},
		{0, "0005 00 0001 61"},
		{16, "00"},
		{16, "0003 02 68"},
		{16, "0003 03 6832"},
		{16, "0002 02 6832"},
		{16, "0004 02 6832"},
		{43, ""},
		{43, "03 0304 03"},
		{43, "04 0304"},
		{43, "02 0304 00"},
		{13, "0003 040308"},
		{13, "0004 0403"},
		{13, "0002 0403 00"},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t bytes[256], body[32];
		struct tls_hello h;
		struct wbuf w = wbuf_of(bytes, sizeof(bytes));
		put_extension(&w, bad[i].type, body, bytes_of_hex(bad[i].hex, body));
		assert_int_equal(parse_written(&w, &h), LOOK_BAD);
	}
}

static void extension_given_twice_is_refused(void **)
{
	uint8_t bytes[256];
	struct tls_hello h;
	struct wbuf w = wbuf_of(bytes, sizeof(bytes));
	put_server_name(&w, "a.example", 9);
	put_server_name(&w, "b.example", 9);
	assert_int_equal(parse_written(&w, &h), LOOK_BAD);
	w = wbuf_of(bytes, sizeof(bytes));
	put_extension(&w, 0x0a0a, "", 0); // GREASE may come twice, with two values
	put_extension(&w, 0x1a1a, "", 0);
	assert_int_equal(parse_written(&w, &h), LOOK_FOUND);
}

// Changing one byte of a real hello never reads beyond it, and what is found lies within.
static void no_byte_leads_outside(void **)
{
	uint8_t bytes[HELLO_MAX];
	size_t n = real_hello(TLS1_2_VERSION, bytes);
	for (size_t at = 0; at < n; at++) {
		static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
		for (size_t v = 0; v < sizeof(values); v++) {
			uint8_t *copy = exact_copy(bytes, n);
			struct tls_hello h;
			copy[at] = values[v];
			if (parse(copy, n, &h) == LOOK_FOUND && buf_left(&h.server_name) > 0) {
				assert_true(h.server_name.p > copy);
				assert_true(h.server_name.end <= copy + n);
			}
			free(copy);
		}
	}
}

static void bytes_behind_the_extensions_are_refused(void **)
{
	uint8_t bytes[HELLO_MAX];
	struct tls_hello h;
	size_t n = written(NULL, bytes);
	bytes[n++] = 0; // half a length
	bytes[4]++;
	bytes[8]++;
	assert_int_equal(parse(bytes, n, &h), LOOK_BAD);
	n = written(&(struct wbuf){.start = bytes, .p = bytes}, bytes);
	bytes[n++] = 0;
	bytes[4]++;
	bytes[8]++;
	assert_int_equal(parse(bytes, n, &h), LOOK_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssls_hello_is_read),
		cmocka_unit_test(hello_without_name_and_protocol_is_read),
		cmocka_unit_test(every_beginning_of_a_hello_waits_for_more),
		cmocka_unit_test(hello_in_records_of_any_size_is_one),
		cmocka_unit_test(other_protocols_are_told_at_once),
		cmocka_unit_test(records_that_cannot_be_are_refused),
		cmocka_unit_test(hello_that_is_too_long_is_not_waited_for),
		cmocka_unit_test(hello_from_before_extensions_is_read),
		cmocka_unit_test(grease_is_no_version),
		cmocka_unit_test(outer_encrypted_hello_is_noted),
		cmocka_unit_test(only_host_names_are_names),
		cmocka_unit_test(extensions_that_lie_about_lengths_are_refused),
		cmocka_unit_test(extension_given_twice_is_refused),
		cmocka_unit_test(no_byte_leads_outside),
		cmocka_unit_test(bytes_behind_the_extensions_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
