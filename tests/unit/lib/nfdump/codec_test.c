// SPDX-License-Identifier: Apache-2.0
#include "lib/nfdump/codec.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LEN 300000

static uint8_t *plain(bool is_noise)
{
	uint8_t *p = malloc(LEN);
	uint32_t x = 1;
	for (size_t i = 0; p && i < LEN; i++) {
		x = x * 1664525 + 1013904223;
		p[i] = is_noise ? (uint8_t)(x >> 24) : (uint8_t)(i / 100);
	}
	assert_non_null(p);
	return p;
}

static void every_codec_gives_back_what_it_took(void **)
{
	for (int noise = 0; noise < 2; noise++) {
		uint8_t *from = plain(noise), *back = malloc(LEN);
		uint8_t *packed = malloc(nfdump_codec_bound(LEN));
		for (int c = 0; c < NFDUMP_N_CODECS; c++) {
			enum nfdump_codec codec = (enum nfdump_codec)c;
			int64_t n = nfdump_codec_compress(codec, from, LEN, packed);
			assert_true(n > 0 && (size_t)n <= nfdump_codec_bound(LEN));
			assert_true(noise || c == NFDUMP_NONE || n < LEN / 4);
			memset(back, 0, LEN);
			int64_t len = nfdump_codec_decompress(codec, packed, (size_t)n, back, LEN);
			assert_int_equal(len, LEN);
			assert_memory_equal(back, from, LEN);
		}
		free(from);
		free(back);
		free(packed);
	}
}

static void what_does_not_fit_the_room_is_refused(void **)
{
	uint8_t *from = plain(false), *packed = malloc(nfdump_codec_bound(LEN)), back[1000];
	for (int c = 0; c < NFDUMP_N_CODECS; c++) {
		enum nfdump_codec codec = (enum nfdump_codec)c;
		int64_t n = nfdump_codec_compress(codec, from, LEN, packed);
		assert_true(n > 0);
		assert_int_equal(
			nfdump_codec_decompress(codec, packed, (size_t)n, back, sizeof(back)),
			-EBADMSG
		);
	}
	free(from);
	free(packed);
}

static void noise_is_refused_or_bounded(void **)
{
	uint8_t *noise = plain(true), back[4096];
	for (int c = NFDUMP_LZO; c < NFDUMP_N_CODECS; c++) {
		for (size_t at = 0; at < 2000; at++) {
			int64_t n = nfdump_codec_decompress(
				(enum nfdump_codec)c, noise + at, at, back, sizeof(back)
			);
			assert_true(n == -EBADMSG || (n >= 0 && n <= (int64_t)sizeof(back)));
		}
	}
	free(noise);
}

static void codecs_have_names(void **)
{
	enum nfdump_codec codec;
	for (int c = 0; c < NFDUMP_N_CODECS; c++) {
		assert_int_equal(
			nfdump_codec_parse(nfdump_codec_name((enum nfdump_codec)c), &codec), 0
		);
		assert_int_equal(codec, c);
	}
	assert_int_equal(nfdump_codec_parse("zstd", &codec), -EINVAL);
	assert_int_equal(nfdump_codec_parse("", &codec), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_codec_gives_back_what_it_took),
		cmocka_unit_test(what_does_not_fit_the_room_is_refused),
		cmocka_unit_test(noise_is_refused_or_bounded),
		cmocka_unit_test(codecs_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
