// SPDX-License-Identifier: Apache-2.0
#include "sensor/names/text.h"
#include "tests/unit/cmocka.h"

#include <string.h>

static const char *put(enum text_form form, const char *p, size_t n)
{
	static char out[1024];
	struct text t = text_of(out, sizeof(out) - 1);
	text_put(&t, form, (const uint8_t *)p, n);
	assert_false(t.cut);
	out[t.len] = 0;
	return out;
}

static const char *put_host(const char *p)
{
	static char out[1024];
	struct text t = text_of(out, sizeof(out) - 1);
	text_put_host(&t, (const uint8_t *)p, strlen(p));
	out[t.len] = 0;
	return out;
}

static void every_byte_becomes_printable_ascii(void **)
{
	for (int form = TEXT_PLAIN; form <= TEXT_LABEL; form++) {
		for (int c = 0; c < 256; c++) {
			char byte = (char)c;
			const char *out = put((enum text_form)form, &byte, 1);
			for (const char *p = out; *p; p++)
				assert_in_range((uint8_t)*p, 0x21, 0x7e);
		}
	}
}

static void no_two_bytes_look_alike(void **)
{
	char seen[256][5];
	for (int c = 0; c < 256; c++) {
		char byte = (char)c;
		strcpy(seen[c], put(TEXT_PLAIN, &byte, 1));
		for (int other = 0; other < c; other++)
			assert_string_not_equal(seen[c], seen[other]);
	}
}

static void controls_and_high_bytes_are_escaped(void **)
{
	assert_string_equal(put(TEXT_PLAIN, "a\0b", 3), "a\\000b");
	assert_string_equal(put(TEXT_PLAIN, "a\r\nb", 4), "a\\013\\010b");
	assert_string_equal(put(TEXT_PLAIN, "\x1b[31m", 5), "\\027[31m");
	assert_string_equal(put(TEXT_PLAIN, "a b", 3), "a\\032b");
	assert_string_equal(put(TEXT_PLAIN, "\x7f\x80\xff", 3), "\\127\\128\\255");
	assert_string_equal(put(TEXT_PLAIN, "a\\000b", 6), "a\\\\000b");
	assert_string_equal(
		put(TEXT_PLAIN,
		    "b\xc3\xbc"
		    "cher",
		    7),
		"b\\195\\188cher"
	);
}

static void dots_are_escaped_within_labels_only(void **)
{
	assert_string_equal(put(TEXT_LABEL, "a.b", 3), "a\\.b");
	assert_string_equal(put(TEXT_LOWER, "a.b", 3), "a.b");
}

static void hosts_are_lower_cased_and_end_without_dots(void **)
{
	assert_string_equal(put_host("WWW.Example.COM"), "www.example.com");
	assert_string_equal(put_host("example.com."), "example.com");
	assert_string_equal(put_host("example.com..."), "example.com");
	assert_string_equal(put_host("..."), "");
	assert_string_equal(put_host(""), "");
	assert_string_equal(put(TEXT_PLAIN, "H2", 2), "H2");
}

static void what_does_not_fit_is_cut_between_characters(void **)
{
	char out[8];
	memset(out, 'x', sizeof(out));
	struct text t = text_of(out, 6);
	text_put(&t, TEXT_PLAIN, (const uint8_t *)"abc", 3);
	assert_false(t.cut);
	text_put(&t, TEXT_PLAIN, (const uint8_t *)"\1z", 2); // three are left, four needed
	assert_true(t.cut);
	text_put(&t, TEXT_PLAIN, (const uint8_t *)"z", 1); // nothing comes after a gap
	assert_int_equal(t.len, 3);
	assert_memory_equal(out, "abcxxxxx", 8);
}

static void cut_hosts_end_without_dots_too(void **)
{
	char out[4];
	struct text t = text_of(out, sizeof(out));
	text_put_host(&t, (const uint8_t *)"ab..cd", 6);
	assert_true(t.cut);
	assert_int_equal(t.len, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_becomes_printable_ascii),
		cmocka_unit_test(no_two_bytes_look_alike),
		cmocka_unit_test(controls_and_high_bytes_are_escaped),
		cmocka_unit_test(dots_are_escaped_within_labels_only),
		cmocka_unit_test(hosts_are_lower_cased_and_end_without_dots),
		cmocka_unit_test(cut_hosts_end_without_dots_too),
		cmocka_unit_test(what_does_not_fit_is_cut_between_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
