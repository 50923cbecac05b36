// SPDX-License-Identifier: Apache-2.0
#include "sensor/names/ja4.h"
#include "tests/unit/sensor/names/hello.h"
#include "tests/unit/sensor/names/rfc.h"
#include "tests/unit/sensor/names/seal.h"

#include <openssl/crypto.h>

#define MAX 4096
#define CID "\x83\x94\xc8\xf0\x3e\x51\x57\x08"

static struct crypt *crypt;
static struct quic_scratch scratch;
static struct quic_client client;
static struct assembly a;
static uint8_t data[MAX];
static unsigned n_allocations;

static void *counting_malloc(size_t n, const char *, int)
{
	n_allocations++;
	return malloc(n);
}

static void *counting_realloc(void *p, size_t n, const char *, int)
{
	n_allocations++;
	return realloc(p, n);
}

static void counting_free(void *p, const char *, int)
{
	free(p);
}

static int setup(void **)
{
	client = (struct quic_client){};
	assembly_init(&a, data, MAX);
	return 0;
}

static enum look add(const uint8_t *p, size_t n)
{
	uint8_t *exact = exact_copy(p, n);
	enum look look = quic_datagram_parse(buf_of(exact, n), crypt, &scratch, &client, &a);
	free(exact);
	return look;
}

static enum look hello(struct tls_hello *h)
{
	return tls_message_parse(data, assembly_ready(&a), MAX, h);
}

static void assert_name(const char *name)
{
	struct tls_hello h;
	assert_int_equal(hello(&h), LOOK_FOUND);
	assert_int_equal(buf_left(&h.server_name), strlen(name));
	assert_memory_equal(h.server_name.p, name, strlen(name));
}

static void assert_hex(const uint8_t *p, size_t n, const char *hex)
{
	uint8_t want[64];
	assert_int_equal(bytes_of_hex(hex, want), n);
	assert_memory_equal(p, want, n);
}

static void keys_are_those_of_the_rfcs(void **)
{
	struct quic_keys k;
	struct buf cid = buf_of(CID, 8);
	assert_true(quic_client_keys(QUIC_VERSION_1, cid, &k)); // RFC 9001 A.1
	assert_hex(k.key, 16, "1f369613dd76d5467730efcbe3b1a22d");
	assert_hex(k.iv, 12, "fa044b2f42a3fd3b46fb255c");
	assert_hex(k.hp, 16, "9f50449e04a0e810283a1e9933adedd2");
	assert_true(quic_client_keys(QUIC_VERSION_2, cid, &k)); // RFC 9369 A.1
	assert_hex(k.key, 16, "8b1a0bc121284290a29e0971b5cd045d");
	assert_hex(k.iv, 12, "91f73e2351d8fa91660e909f");
	assert_hex(k.hp, 16, "45b95e15235d6f45a6b19cbcb0294ba9");
	assert_false(quic_client_keys(0xff00001d, cid, &k));
}

static void packets_of_the_rfcs_are_opened(void **)
{
	static const char *const packets[] = {rfc9001_initial, rfc9369_initial};
	for (size_t i = 0; i < 2; i++) {
		uint8_t bytes[RFC_QUIC_LEN];
		struct tls_hello h;
		char ja4[JA4_LEN];
		setup(NULL);
		assert_int_equal(bytes_of_hex(packets[i], bytes), RFC_QUIC_LEN);
		assert_true(quic_is_initial(bytes, RFC_QUIC_LEN));
		assert_int_equal(add(bytes, RFC_QUIC_LEN), LOOK_MORE);
		assert_name("example.com");
		assert_int_equal(hello(&h), LOOK_FOUND);
		assert_int_equal(h.version, 0x0304);
		assert_memory_equal(h.alpn.p, "alpn", 4);
		assert_true(ja4_format(JA4_QUIC, &h, ja4));
		assert_memory_equal(ja4, "q13d0211an_", 11);
	}
}

static void no_memory_is_taken_per_packet(void **)
{
	uint8_t bytes[RFC_QUIC_LEN], broken[RFC_QUIC_LEN];
	struct tls_hello h;
	char ja4[JA4_LEN];
	bytes_of_hex(rfc9001_initial, bytes);
	memcpy(broken, bytes, sizeof(bytes));
	broken[600] ^= 1;
	if (n_allocations == 0) // memory was taken before this test could see it
		skip();
	n_allocations = 0;
	for (int i = 0; i < 10; i++) {
		client = (struct quic_client){};
		assembly_init(&a, data, MAX);
		enum look look = quic_datagram_parse(
			buf_of(bytes, RFC_QUIC_LEN), crypt, &scratch, &client, &a
		);
		assert_int_equal(look, LOOK_MORE);
		assert_int_equal(hello(&h), LOOK_FOUND);
		assert_true(ja4_format(JA4_QUIC, &h, ja4));
		client = (struct quic_client){};
		look = quic_datagram_parse(
			buf_of(broken, RFC_QUIC_LEN), crypt, &scratch, &client, &a
		);
		assert_int_equal(look, LOOK_BAD);
	}
	assert_int_equal(n_allocations, 0);
}

static struct seal seal_of(uint32_t version, const char *cid, uint8_t cid_len)
{
	struct seal s = {
		.version = version,
		.cid = (const uint8_t *)cid,
		.cid_len = cid_len,
		.number_len = 1,
		.datagram_len = 1200,
	};
	assert_true(quic_client_keys(version, buf_of(cid, cid_len), &s.keys));
	return s;
}

// A hello of several packets: a real one with a long name, without its record header.
static size_t long_hello(uint8_t *to)
{
	static char alpn[2000];
	static uint8_t record[HELLO_MAX];
	for (size_t i = 0; i + 10 < sizeof(alpn); i += 10)
		memcpy(alpn + i, "\11something", 10);
	struct openssl_hello o = {
		.method = TLS_client_method(),
		.version = TLS1_3_VERSION,
		.name = "quic.example.org",
		.alpn = alpn,
	};
	size_t n = openssl_hello(&o, record, sizeof(record)) - TLS_RECORD_HEADER_LEN;
	memcpy(to, record + TLS_RECORD_HEADER_LEN, n);
	return n;
}

static size_t seal_frames(const struct seal *s, const struct wbuf *frames, uint8_t *to)
{
	struct wbuf w = wbuf_of(to, 2048);
	seal_initial(&w, s, frames->start, wbuf_len(frames));
	return wbuf_len(&w);
}

// As Chrome sends it: pieces in any order over two packets, with PING and PADDING in between.
static void shuffled_pieces_over_packets_are_put_together(void **)
{
	uint8_t message[HELLO_MAX], frames[2][1400], packet[2048];
	size_t n = long_hello(message);
	assert_in_range(n, 1300, 2400);
	srand(1);
	for (int round = 0; round < 100; round++) {
		struct seal s = seal_of(round % 2 ? QUIC_VERSION_2 : QUIC_VERSION_1, CID, 8);
		struct wbuf w[2] = {wbuf_of(frames[0], 1300), wbuf_of(frames[1], 1300)};
		size_t order[20], piece = (n + 19) / 20;
		setup(NULL);
		for (size_t i = 0; i < 20; i++) {
			size_t j = (size_t)rand() % (i + 1);
			order[i] = order[j];
			order[j] = i;
		}
		for (size_t i = 0; i < 20; i++) {
			size_t at = order[i] * piece, len = piece < n - at ? piece : n - at;
			wbuf_bytes(&w[i / 10], "\1\0\0", (size_t)rand() % 4);
			seal_crypto(&w[i / 10], message, at, len);
		}
		for (unsigned i = 0; i < 2; i++) {
			struct tls_hello h;
			s.number = i;
			size_t len = seal_frames(&s, &w[i], packet);
			assert_int_equal(add(packet, len), LOOK_MORE);
			assert_int_equal(hello(&h) == LOOK_FOUND, i);
		}
		assert_name("quic.example.org");
	}
}

static void packet_numbers_and_headers_of_every_length_are_read(void **)
{
	static const uint8_t frames[] = {6, 0, 4, 1, 0, 0, 9};
	for (uint8_t number_len = 1; number_len <= 4; number_len++) {
		for (uint8_t cid_len = 0; cid_len <= QUIC_CID_MAX; cid_len += 4) {
			uint8_t packet[2048];
			struct seal s = seal_of(QUIC_VERSION_1, "12345678901234567890", cid_len);
			struct wbuf w = wbuf_of(packet, sizeof(packet));
			setup(NULL);
			s.number_len = number_len;
			s.number = 0xa1b2c3d4u >> (32 - 8 * number_len);
			s.scid_len = QUIC_CID_MAX - cid_len;
			s.token_len = (uint16_t)(40 * number_len);
			seal_initial(&w, &s, frames, sizeof(frames));
			assert_int_equal(add(packet, wbuf_len(&w)), LOOK_MORE);
			assert_int_equal(assembly_ready(&a), 4);
		}
	}
}

static void what_does_not_decrypt_is_refused(void **)
{
	uint8_t bytes[RFC_QUIC_LEN];
	bytes_of_hex(rfc9001_initial, bytes);
	for (size_t at = 0; at < RFC_QUIC_LEN; at += at < 60 ? 1 : 37) {
		setup(NULL);
		bytes[at] ^= 0x10;
		assert_int_equal(add(bytes, RFC_QUIC_LEN), LOOK_BAD);
		assert_int_equal(a.n, 0);
		bytes[at] ^= 0x10;
	}
}

static void cut_datagrams_are_refused(void **)
{
	uint8_t bytes[RFC_QUIC_LEN];
	bytes_of_hex(rfc9001_initial, bytes);
	for (size_t n = 0; n < RFC_QUIC_LEN; n++) {
		setup(NULL);
		assert_int_equal(add(bytes, n), LOOK_BAD);
		assert_false(quic_is_initial(bytes, n));
	}
}

static void packets_too_short_for_a_sample_are_refused(void **)
{
	uint8_t bytes[64];
	for (unsigned len = 0; len < 21; len++) {
		struct wbuf w = wbuf_of(bytes, sizeof(bytes));
		wbuf_bytes(&w, "\xc0\0\0\0\1\0\0\0", 8);
		wbuf_u8(&w, (uint8_t)len);
		uint8_t *rest = wbuf_take(&w, len);
		memset(rest, 0, len);
		setup(NULL);
		assert_int_equal(add(bytes, wbuf_len(&w)), LOOK_BAD);
	}
}

// Initial, Handshake and another Initial in one datagram (RFC 9000 §12.2).
static void packets_behind_the_first_are_read_too(void **)
{
	static const uint8_t first[] = {6, 0, 2, 1, 0}, second[] = {6, 2, 2, 0, 9};
	uint8_t bytes[2048];
	struct seal s = seal_of(QUIC_VERSION_1, CID, 8);
	struct wbuf w = wbuf_of(bytes, sizeof(bytes));
	s.datagram_len = 100;
	seal_initial(&w, &s, first, sizeof(first));
	wbuf_bytes(&w, "\xe0\0\0\0\1\10" CID "\0\5hands", 21);
	s.number = 1;
	seal_initial(&w, &s, second, sizeof(second));
	assert_int_equal(add(bytes, wbuf_len(&w)), LOOK_MORE);
	assert_int_equal(assembly_ready(&a), 4);
}

static void after_a_retry_the_hello_begins_anew(void **)
{
	static const uint8_t old[] = {6, 0, 4, 1, 0, 0, 9}, new[] = {6, 0, 4, 1, 0, 0, 7};
	uint8_t bytes[2048];
	struct seal s = seal_of(QUIC_VERSION_1, CID, 8);
	struct wbuf w = wbuf_of(bytes, sizeof(bytes));
	seal_initial(&w, &s, old, sizeof(old));
	assert_int_equal(add(bytes, wbuf_len(&w)), LOOK_MORE);
	// The keys are those of the server's new connection id, the hello is sent again.
	s = seal_of(QUIC_VERSION_1, "newcid", 6);
	s.token_len = 30;
	s.number = 1;
	w = wbuf_of(bytes, sizeof(bytes));
	seal_initial(&w, &s, new, sizeof(new));
	assert_int_equal(add(bytes, wbuf_len(&w)), LOOK_MORE);
	assert_int_equal(data[3], 7);
	// Without a Retry the id changes and the keys stay.
	const struct quic_keys keys = s.keys;
	s = seal_of(QUIC_VERSION_1, "third", 5);
	s.keys = keys;
	s.number = 2;
	w = wbuf_of(bytes, sizeof(bytes));
	seal_initial(&w, &s, (const uint8_t[]){6, 4, 1, 0}, 4);
	assert_int_equal(add(bytes, wbuf_len(&w)), LOOK_MORE);
	assert_int_equal(assembly_ready(&a), 5);
}

static enum look frames(const char *hex)
{
	uint8_t bytes[256];
	size_t n = bytes_of_hex(hex, bytes);
	uint8_t *exact = exact_copy(bytes, n);
	setup(NULL);
	enum look look = quic_frames_parse(buf_of(exact, n), &a);
	free(exact);
	return look;
}

static void frames_of_an_initial_are_read(void **)
{
	assert_int_equal(frames(""), LOOK_MORE);
	assert_int_equal(frames("00 00 01 00 06 00 02 aabb 01"), LOOK_MORE);
	assert_int_equal(assembly_ready(&a), 2);
	assert_int_equal(frames("02 05 00 00 05 06 00 01 aa"), LOOK_MORE); // ACK
	assert_int_equal(assembly_ready(&a), 1);
	assert_int_equal(frames("02 05 00 02 00 01 01 01 01 01"), LOOK_MORE);
	assert_int_equal(frames("03 05 00 00 05 01 02 43ff 06 00 01 aa"), LOOK_MORE); // ECN
	assert_int_equal(assembly_ready(&a), 1);
	assert_int_equal(frames("1c 0a 00 02 6e6f 06 00 01 aa"), LOOK_MORE); // CLOSE
	assert_int_equal(assembly_ready(&a), 1);
	assert_int_equal(frames("06 c000000000000001 4001 aa 06 00 01 bb"), LOOK_MORE);
	assert_int_equal(assembly_ready(&a), 2);
	assert_int_equal(frames("06 ffffffffffffffff 01 aa"), LOOK_MORE); // out of reach
	assert_int_equal(a.n, 0);
}

static void frames_that_cannot_be_there_are_refused(void **)
{
	static const char *const bad[] = {
		"08 00",		     // STREAM
		"1d 00 00",		     // an application's CLOSE
		"06 00 05 aabb",	     // longer than the packet
		"06 00 ffffffffffffffff aa", // much longer
		"06 00",
		"02 05 00 ffffffffffffffff 00 01 01", // ACK of endless ranges
		"1c 0a 00 05 00",
		"4006 00 01 aa 40",
		"1e",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(frames(bad[i]), LOOK_BAD);
}

static void only_initials_of_known_versions_are_taken(void **)
{
	uint8_t bytes[RFC_QUIC_LEN];
	bytes_of_hex(rfc9001_initial, bytes);
	static const struct {
		unsigned at;
		uint8_t value;
		bool is_initial;
	} cases[] = {
		{0, 0xc0, true},
		{0, 0xcf, true},
		{0, 0x40, false},
		{0, 0x80, false},
		{0, 0xd0, false},
		{0, 0xf0, false},
		{4, 2, false},
		{5, 20, true},
		{5, 21, false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t old = bytes[cases[i].at];
		bytes[cases[i].at] = cases[i].value;
		assert_int_equal(quic_is_initial(bytes, RFC_QUIC_LEN), cases[i].is_initial);
		bytes[cases[i].at] = old;
	}
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keys_are_those_of_the_rfcs),
		TEST(packets_of_the_rfcs_are_opened),
		TEST(no_memory_is_taken_per_packet),
		TEST(shuffled_pieces_over_packets_are_put_together),
		TEST(packet_numbers_and_headers_of_every_length_are_read),
		TEST(what_does_not_decrypt_is_refused),
		TEST(cut_datagrams_are_refused),
		TEST(packets_too_short_for_a_sample_are_refused),
		TEST(packets_behind_the_first_are_read_too),
		TEST(after_a_retry_the_hello_begins_anew),
		TEST(frames_of_an_initial_are_read),
		TEST(frames_that_cannot_be_there_are_refused),
		TEST(only_initials_of_known_versions_are_taken),
	};
	CRYPTO_set_mem_functions(counting_malloc, counting_realloc, counting_free);
	if (crypt_create(&crypt) < 0)
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	crypt_free(crypt);
	return failed;
}
