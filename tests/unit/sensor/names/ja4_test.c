// SPDX-License-Identifier: Apache-2.0
#include "sensor/names/crypt.h"
#include "sensor/names/ja4.h"
#include "tests/unit/sensor/names/hello.h"

// Published by FoxIO: the specification's example, and the fingerprints beside their raw forms of
// the captures named (python/test/testdata and rust/ja4/src/snapshots of github.com/FoxIO-LLC/ja4).
struct vector {
	const char *ja4;
	const char *ciphers, *extensions, *signature_algorithms; // as sent
	const char *alpn;
};

#define CHROME_CIPHERS "1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035"
#define CHROME_ALGORITHMS "0403,0804,0401,0503,0805,0501,0806,0601"

static const struct vector vectors[] = {
	// technical_details/JA4.md
	{"t13d1516h2_8daaf6152771_e5627efa2ab1",
	 CHROME_CIPHERS,
	 "001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015",
	 CHROME_ALGORITHMS,
	 "h2"},
	// tls-handshake.pcapng: the same client with other protocols, and without any
	{"t13d1516h1_8daaf6152771_e5627efa2ab1",
	 CHROME_CIPHERS,
	 "000d,0033,0000,ff01,002b,0023,002d,0005,0012,000b,0017,4469,0010,001b,000a,0015",
	 CHROME_ALGORITHMS,
	 "http/1.1"},
	{"t13d151400_8daaf6152771_de4a06bb82e3",
	 CHROME_CIPHERS,
	 "0033,002b,001b,0000,0012,002d,000d,000a,0005,0023,0017,ff01,000b,0015",
	 CHROME_ALGORITHMS,
	 NULL},
	// tls12.pcap
	{"t13d1715h2_5b57614c22b0_3d5424432f57",
	 "1301,1303,1302,c02b,c02f,cca9,cca8,c02c,c030,c00a,c009,c013,c014,009c,009d,002f,0035",
	 "0000,0017,ff01,000a,000b,0023,0010,0005,0022,0033,002b,000d,002d,001c,0015",
	 "0403,0503,0603,0804,0805,0806,0401,0501,0601,0203,0201",
	 "h2"},
	// badcurveball.pcap
	{"t13d1615h2_46e7e9700bed_45f260be83e2",
	 "1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035,000a",
	 "0000,0017,ff01,000a,000b,0023,0010,0005,000d,0012,0033,002d,002b,001b,0015",
	 "0403,0804,0401,0503,0805,0501,0806,0601,0201",
	 "h2"},
	// sigalg-grease.pcapng: GREASE also among the algorithms
	{"t13d1517h2_8daaf6152771_cb7bf5808d99",
	 "8a8a," CHROME_CIPHERS,
	 "dada,fe0d,0010,0017,0033,44cd,ff01,000a,000d,0023,002b,000b,ca34,002d,0000,0005,001b,0012"
	 ",7a7a",
	 "0904,0905,0906,0403,0804,0401,2a2a,0503,0805,0501,0806,0601",
	 "h2"},
	// chrome-cloudflare-quic-with-secrets.pcapng
	{"q13d0310h3_55b375c5d22e_cd85d2d88918",
	 "1301,1302,1303",
	 "0010,0000,001b,002d,4469,002b,0039,000a,0033,000d",
	 "0403,0804,0401,0503,0805,0501,0806,0601,0201",
	 "h3"},
};

static size_t numbers_of(const char *list, uint16_t *to)
{
	uint8_t bytes[2048];
	size_t n = bytes_of_hex(list ? list : "", bytes) / 2;
	for (size_t i = 0; i < n; i++)
		to[i] = (uint16_t)(bytes[2 * i] << 8 | bytes[2 * i + 1]);
	return n;
}

static void put_typed(struct wbuf *w, uint16_t type, const struct vector *v)
{
	uint8_t list[256];
	if (type == 0) {
		put_server_name(w, "example.com", 11);
	} else if (type == 16) {
		put_alpn(w, v->alpn, strlen(v->alpn));
	} else if (type == 43) {
		put_extension(w, type, "\6\xfa\xfa\3\4\3\3", 7);
	} else if (type == 13) {
		size_t n = bytes_of_hex(v->signature_algorithms, list + 2);
		list[0] = 0;
		list[1] = (uint8_t)n;
		put_extension(w, type, list, n + 2);
	} else {
		put_extension(w, type, "?", 1);
	}
}

// The fingerprint of a hello that is written from the lists and then parsed.
static const char *fingerprint(const struct vector *v, enum ja4_protocol protocol)
{
	static char text[JA4_LEN + 1];
	uint16_t ciphers[128], types[128];
	uint8_t extensions[1024], message[4096];
	struct wbuf e = wbuf_of(extensions, sizeof(extensions));
	struct wbuf m = wbuf_of(message, sizeof(message));
	struct tls_hello h;

	size_t n_types = numbers_of(v->extensions, types);
	for (size_t i = 0; i < n_types; i++)
		put_typed(&e, types[i], v);
	struct written_hello written = {
		.version = 0x0303,
		.ciphers = ciphers,
		.n_ciphers = numbers_of(v->ciphers, ciphers),
		.extensions = extensions,
		.extensions_len = wbuf_len(&e),
		.has_extensions = n_types > 0,
	};
	put_hello(&m, &written);
	assert_int_equal(tls_message_parse(message, wbuf_len(&m), 4096, &h), LOOK_FOUND);
	assert_true(ja4_format(protocol, &h, text));
	return text;
}

static void published_fingerprints_come_out(void **)
{
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const struct vector *v = &vectors[i];
		assert_string_equal(fingerprint(v, (enum ja4_protocol)v->ja4[0]), v->ja4);
	}
}

static void lists_without_algorithms_end_without_underscore(void **)
{
	// "0005,000a,…,ff01 = 6d807ffa2a79" in the specification; 000d is an extension of its own
	struct vector v = vectors[0];
	v.signature_algorithms = "";
	assert_string_equal(fingerprint(&v, JA4_TLS) + 24, "6d807ffa2a79");
}

static void empty_lists_are_zeros(void **)
{
	struct vector v = {NULL, "0a0a", "0000,0010", "", "h2"};
	assert_string_equal(fingerprint(&v, JA4_TLS), "t12d0002h2_000000000000_000000000000");
	v.extensions = NULL;
	assert_string_equal(fingerprint(&v, JA4_TLS), "t12i000000_000000000000_000000000000");
}

struct alpn_case {
	const char *alpn, *characters;
};

static void alpn_gives_its_first_and_last_character(void **)
{
	// the examples of the specification, and of FoxIO/ja4 pull request 277
	static const struct alpn_case cases[] = {
		{"h2", "h2"},
		{"http/1.1", "h1"},
		{"", "00"},
		{"z", "zz"},
		{"\xab", "ab"},
		{"\xab\xcd", "ad"},
		{"0\xab", "3b"},
		{"\x30\x31\xab\xcd", "3d"},
		{"\x30\xab\xcd\x31", "01"},
		{" ", "20"},
		{"a ", "60"},
		{"_x", "58"},
		{"Az", "Az"},
		{"webrtc", "wc"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tls_hello h = {.alpn = buf_of(cases[i].alpn, strlen(cases[i].alpn))};
		char text[JA4_LEN];
		assert_true(ja4_format(JA4_TLS, &h, text));
		assert_memory_equal(text + 8, cases[i].characters, 2);
	}
}

static void versions_have_two_characters(void **)
{
	static const struct {
		uint16_t version;
		const char *text;
	} cases[] = {
		{0x0304, "13"},
		{0x0303, "12"},
		{0x0302, "11"},
		{0x0301, "10"},
		{0x0300, "s3"},
		{0x0002, "s2"},
		{0xfeff, "d1"},
		{0xfefd, "d2"},
		{0xfefc, "d3"},
		{0x7f1c, "00"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tls_hello h = {.version = cases[i].version};
		char text[JA4_LEN];
		assert_true(ja4_format(JA4_DTLS, &h, text));
		assert_int_equal(text[0], 'd');
		assert_memory_equal(text + 1, cases[i].text, 2);
	}
}

static int by_value(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

// Up to and beyond where the way of sorting changes, against qsort and a hash of the text.
static void long_lists_are_sorted_too(void **)
{
	srand(1);
	for (size_t n = 1; n <= JA4_LIST_MAX; n += n < 130 ? 1 : 149) {
		static uint8_t bytes[2 * JA4_LIST_MAX];
		static char text[5 * JA4_LIST_MAX + 1], want[2 * CRYPT_HASH_LEN + 1];
		uint16_t v[JA4_LIST_MAX];
		uint8_t digest[CRYPT_HASH_LEN];
		char ja4[JA4_LEN];
		for (size_t i = 0; i < n; i++) {
			v[i] = (uint16_t)(rand() & 0xfff0) | 5; // no GREASE
			bytes[2 * i] = (uint8_t)(v[i] >> 8);
			bytes[2 * i + 1] = (uint8_t)v[i];
		}
		struct tls_hello h = {.ciphers = buf_of(bytes, 2 * n)};
		assert_true(ja4_format(JA4_TLS, &h, ja4));
		qsort(v, n, sizeof(v[0]), by_value);
		for (size_t i = 0; i < n; i++)
			sprintf(text + 5 * i, "%04x,", v[i]);
		assert_true(crypt_sha256(buf_of(text, 5 * n - 1), digest));
		for (size_t i = 0; i < 6; i++)
			sprintf(want + 2 * i, "%02x", digest[i]);
		assert_memory_equal(ja4 + 11, want, 12);
		char count[16];
		sprintf(count, "%02zu", n < 99 ? n : 99);
		assert_memory_equal(ja4 + 4, count, 2);
	}
}

static void endless_lists_have_no_fingerprint(void **)
{
	static uint8_t bytes[2 * (JA4_LIST_MAX + 1)];
	struct tls_hello h = {.ciphers = buf_of(bytes, sizeof(bytes))};
	char text[JA4_LEN] = "untouched";
	assert_false(ja4_format(JA4_TLS, &h, text));
	h = (struct tls_hello){.signature_algorithms = buf_of(bytes, sizeof(bytes))};
	assert_false(ja4_format(JA4_TLS, &h, text));
	assert_string_equal(text, "untouched");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_fingerprints_come_out),
		cmocka_unit_test(lists_without_algorithms_end_without_underscore),
		cmocka_unit_test(empty_lists_are_zeros),
		cmocka_unit_test(alpn_gives_its_first_and_last_character),
		cmocka_unit_test(versions_have_two_characters),
		cmocka_unit_test(long_lists_are_sorted_too),
		cmocka_unit_test(endless_lists_have_no_fingerprint),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
