// SPDX-License-Identifier: Apache-2.0
#include "sensor/inspect/note.h"
#include "tests/unit/cmocka.h"

#include <string.h>

static uint8_t bytes[FLOW_EXTRA_MAX];

static struct note note_of(bool is_word)
{
	struct note n = {
		.indicator = 0x0123456789abcdef,
		.score = 900,
		.matched = 2,
		.names = (const uint8_t *)"names",
		.names_len = 5,
	};
	if (!is_word)
		return n;
	n.type = 1;
	n.severity = 4;
	n.confidence = 80;
	for (int i = 0; i < NOTE_N_TEXTS; i++)
		n.texts[i] = (struct record_str){"texts", (uint16_t)(i + 1)};
	return n;
}

static void notes_come_back(void **)
{
	for (int is_word = 0; is_word < 2; is_word++) {
		struct note n = note_of(is_word), got;
		size_t len = note_put(&n, bytes);
		assert_true(len > 0);
		assert_true(note_get(bytes, len, &got));
		assert_true(got.indicator == n.indicator);
		assert_int_equal(got.score, n.score);
		assert_int_equal(got.matched, n.matched);
		assert_int_equal(got.names_len, 5);
		assert_memory_equal(got.names, "names", 5);
		assert_int_equal(got.type, n.type);
		assert_int_equal(got.severity, n.severity);
		assert_int_equal(got.confidence, n.confidence);
		for (int i = 0; is_word && i < NOTE_N_TEXTS; i++) {
			assert_int_equal(got.texts[i].len, i + 1);
			assert_memory_equal(got.texts[i].p, "texts", got.texts[i].len);
		}
	}
}

static void the_largest_note_fits(void **)
{
	static char longest[RECORD_STR_MAX];
	static uint8_t names[NAMES_PACKED_MAX];
	struct note n = note_of(true), got;
	n.names = names;
	n.names_len = sizeof(names);
	for (int i = 0; i < NOTE_N_TEXTS; i++)
		n.texts[i] = (struct record_str){longest, sizeof(longest)};
	size_t len = note_put(&n, bytes);
	assert_true(len > sizeof(names));
	assert_true(note_get(bytes, len, &got));
}

static void what_is_cut_or_longer_is_none(void **)
{
	struct note n = note_of(true), got;
	size_t len = note_put(&n, bytes);
	for (size_t cut = 0; cut < len; cut++)
		assert_false(note_get(bytes, cut, &got));
	bytes[len] = 0;
	assert_false(note_get(bytes, len + 1, &got));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(notes_come_back),
		cmocka_unit_test(the_largest_note_fits),
		cmocka_unit_test(what_is_cut_or_longer_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
