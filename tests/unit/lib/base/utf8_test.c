// SPDX-License-Identifier: Apache-2.0
#include "lib/base/utf8.h"
#include "tests/unit/cmocka.h"

#include <stdint.h>
#include <string.h>

// How many of all texts of n bytes after `prefix` are one valid text.
static unsigned count_valid(const char *prefix, size_t n)
{
	uint8_t text[8];
	unsigned valid = 0;
	size_t head = strlen(prefix);
	memcpy(text, prefix, head);
	for (unsigned v = 0; v < 1u << 8 * n; v++) {
		for (size_t i = 0; i < n; i++)
			text[head + i] = (uint8_t)(v >> 8 * i);
		valid += utf8_is_valid(text, head + n);
	}
	return valid;
}

// The counts are those of Unicode's characters by length: none is missed, nothing else passes.
static void exactly_the_characters_of_unicode_are_valid(void **)
{
	assert_int_equal(count_valid("", 1), 128);
	assert_int_equal(count_valid("", 2), 128 * 128 + 0x800 - 0x80);
	unsigned three = 0;
	for (unsigned first = 0x80; first < 0x100; first++) {
		char prefix[2] = {(char)first};
		// three bytes: one long character, or a short one with ASCII at either end
		three += count_valid(prefix, 2);
	}
	assert_int_equal(three, 0x10000 - 0x800 - 0x800 + (0x800 - 0x80) * 128);
}

static void four_bytes_end_with_the_last_plane(void **)
{
	static const uint8_t last[] = {0x7f, 0x80, 0xbf, 0xc0};
	unsigned four = 0;
	for (unsigned first = 0xf0; first < 0x100; first++) {
		for (unsigned v = 0; v < 64 * 256 * 4; v++) {
			uint8_t text[4] = {
				(uint8_t)first,
				(uint8_t)(0x80 | v >> 10),
				(uint8_t)(v >> 2),
				last[v & 3]};
			four += utf8_is_valid(text, 4);
		}
	}
	assert_int_equal(four, (0x110000 - 0x10000) / 64 * 2); // two of 64 last bytes
}

static void a_fault_is_found_at_every_place(void **)
{
	char text[40];
	for (size_t len = 0; len <= sizeof(text); len++) {
		memset(text, 'a', sizeof(text));
		assert_true(utf8_is_valid(text, len));
		for (size_t at = 0; at < len; at++) {
			text[at] = (char)0xff;
			assert_false(utf8_is_valid(text, len));
			text[at] = '\0';
			assert_true(utf8_is_valid(text, len));
			text[at] = 'a';
		}
	}
	assert_false(utf8_is_valid("aaaaaaa\xc3", 8)); // cut at the end of a word
	assert_true(utf8_is_valid("aaaaaaa\xc3\xa9", 9));
}

static void cuts_lie_between_characters(void **)
{
	const char *text = "a\xc3\xa9\xf0\x9f\x98\x80z"; // of 1, 2, 4 and 1 bytes
	static const size_t want[] = {0, 1, 1, 3, 3, 3, 3, 7, 8, 8};
	for (size_t max = 0; max < sizeof(want) / sizeof(want[0]); max++)
		assert_int_equal(utf8_cut(text, 8, max), want[max]);
	assert_int_equal(utf8_cut("", 0, 5), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exactly_the_characters_of_unicode_are_valid),
		cmocka_unit_test(four_bytes_end_with_the_last_plane),
		cmocka_unit_test(a_fault_is_found_at_every_place),
		cmocka_unit_test(cuts_lie_between_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
