// SPDX-License-Identifier: Apache-2.0
#include "sensor/names/tls.h"
#include "tests/unit/sensor/names/hello.h"

#define MAX 4096

static uint8_t data[MAX];
static struct assembly a;
static uint16_t sequence;

static int setup(void **)
{
	assembly_init(&a, data, MAX);
	sequence = 0;
	return 0;
}

static enum look parse(const uint8_t *p, size_t n, struct tls_hello *h)
{
	uint8_t *exact = exact_copy(p, n);
	enum look look = dtls_datagram_parse(buf_of(exact, n), &a, &sequence, h);
	free(exact);
	return look;
}

static size_t real_hello(uint8_t *to)
{
	struct openssl_hello o = {
		.method = DTLS_client_method(),
		.version = DTLS1_2_VERSION,
		.name = "turn.example.com",
		.alpn = "\6webrtc",
		.mtu = 1400,
	};
	return openssl_hello(&o, to, HELLO_MAX);
}

static void assert_name(const struct tls_hello *h)
{
	assert_int_equal(buf_left(&h->server_name), 16);
	assert_memory_equal(h->server_name.p, "turn.example.com", 16);
}

static void openssls_hello_is_read(void **)
{
	uint8_t bytes[HELLO_MAX];
	struct tls_hello h;
	size_t n = real_hello(bytes);
	assert_true(dtls_is_record(bytes, n));
	assert_int_equal(parse(bytes, n, &h), LOOK_FOUND);
	assert_int_equal(h.version, 0xfefd);
	assert_name(&h);
}

// Header and one fragment of a hello.
static size_t
fragment(uint8_t *to, uint16_t number, const uint8_t *body, size_t total, const size_t range[2])
{
	struct wbuf w = wbuf_of(to, HELLO_MAX);
	size_t n = range[1] - range[0];
	wbuf_u8(&w, 22);
	wbuf_u16(&w, 0xfefd);
	wbuf_u64(&w, number); // epoch 0 and the record's number
	wbuf_u16(&w, (uint16_t)(12 + n));
	wbuf_u8(&w, 1);
	wbuf_uint(&w, total, 3);
	wbuf_u16(&w, number);
	wbuf_uint(&w, range[0], 3);
	wbuf_uint(&w, n, 3);
	wbuf_bytes(&w, body + range[0], n);
	return wbuf_len(&w);
}

static void fragments_are_put_together_in_any_order(void **)
{
	static const size_t cuts[] = {0, 1, 40, 41, 100};
	uint8_t bytes[HELLO_MAX], whole[HELLO_MAX];
	struct tls_hello h;
	size_t n = real_hello(whole) - 25, n_cuts = sizeof(cuts) / sizeof(cuts[0]);
	for (size_t i = n_cuts; i-- > 0;) {
		size_t range[] = {cuts[i], i + 1 < n_cuts ? cuts[i + 1] : n};
		size_t len = fragment(bytes, 0, whole + 25, n, range);
		assert_int_equal(parse(bytes, len, &h), i ? LOOK_MORE : LOOK_FOUND);
	}
	assert_name(&h);
}

static size_t body_of(const char *name, bool has_cookie, uint8_t *to)
{
	static const uint16_t ciphers[] = {0xc02b};
	uint8_t extensions[64], message[512];
	struct wbuf e = wbuf_of(extensions, sizeof(extensions));
	struct wbuf m = wbuf_of(message, sizeof(message));
	put_server_name(&e, name, strlen(name));
	struct written_hello h = {
		.version = 0xfefd,
		.ciphers = ciphers,
		.n_ciphers = 1,
		.extensions = extensions,
		.extensions_len = wbuf_len(&e),
		.has_extensions = true,
		.has_cookie = has_cookie,
	};
	put_hello(&m, &h);
	memcpy(to, message + 4, wbuf_len(&m) - 4);
	return wbuf_len(&m) - 4;
}

static void hello_with_a_cookie_replaces_the_first(void **)
{
	uint8_t body[512], bytes[HELLO_MAX];
	struct tls_hello h;
	size_t n = body_of("first.example", true, body);
	size_t len = fragment(bytes, 0, body, n, (size_t[]){0, 20});
	assert_int_equal(parse(bytes, len, &h), LOOK_MORE);
	n = body_of("other.example", true, body);
	len = fragment(bytes, 1, body, n, (size_t[]){0, n});
	assert_int_equal(parse(bytes, len, &h), LOOK_FOUND);
	assert_memory_equal(h.server_name.p, "other.example", 13);
}

static void cookie_cannot_be_left_out(void **)
{
	uint8_t body[512], bytes[HELLO_MAX];
	struct tls_hello h;
	size_t n = body_of("first.example", false, body);
	size_t len = fragment(bytes, 0, body, n, (size_t[]){0, n});
	assert_int_equal(parse(bytes, len, &h), LOOK_BAD);
}

static void fragments_outside_of_their_message_are_refused(void **)
{
	uint8_t body[512], bytes[HELLO_MAX];
	struct tls_hello h;
	size_t n = body_of("first.example", true, body);
	size_t len = fragment(bytes, 0, body, n - 1, (size_t[]){0, n});
	assert_int_equal(parse(bytes, len, &h), LOOK_BAD);
	setup(NULL);
	len = fragment(bytes, 0, body, n, (size_t[]){0, n});
	assert_int_equal(parse(bytes, len - 1, &h), LOOK_BAD);
	setup(NULL);
	bytes[13] = 2; // a server's
	assert_int_equal(parse(bytes, len, &h), LOOK_NOTHING);
	setup(NULL);
	len = fragment(bytes, 0, body, 1 << 20, (size_t[]){0, n});
	assert_int_equal(parse(bytes, len, &h), LOOK_TOO_LONG);
}

static void no_cut_datagram_is_taken_for_a_hello(void **)
{
	uint8_t bytes[HELLO_MAX];
	struct tls_hello h;
	size_t n = real_hello(bytes);
	for (size_t i = 0; i < n; i++) {
		setup(NULL);
		assert_int_not_equal(parse(bytes, i, &h), LOOK_FOUND);
	}
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(openssls_hello_is_read),
		TEST(fragments_are_put_together_in_any_order),
		TEST(hello_with_a_cookie_replaces_the_first),
		TEST(cookie_cannot_be_left_out),
		TEST(fragments_outside_of_their_message_are_refused),
		TEST(no_cut_datagram_is_taken_for_a_hello),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
