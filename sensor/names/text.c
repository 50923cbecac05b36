// SPDX-License-Identifier: Apache-2.0
#include "sensor/names/text.h"

#include <string.h>

// Characters that are written as they are, but for upper case and dots.
static const bool is_plain[256] = {
	['!' ... '['] = true,
	[']' ... '~'] = true,
};

// One byte as it is written, 1, 2 or 4 characters.
static size_t spell(char to[4], enum text_form form, uint8_t c)
{
	if (c == '\\' || (c == '.' && form == TEXT_LABEL)) {
		to[0] = '\\';
		to[1] = (char)c;
		return 2;
	}
	if (c <= ' ' || c > '~') {
		to[0] = '\\';
		to[1] = (char)('0' + c / 100);
		to[2] = (char)('0' + c / 10 % 10);
		to[3] = (char)('0' + c % 10);
		return 4;
	}
	to[0] = (char)c;
	return 1;
}

// The beginning of the bytes that needs no escaping, as far as it fits; its length.
static size_t put_plain(struct text *t, enum text_form form, const uint8_t *p, size_t n)
{
	char *to = t->p + t->len;
	size_t room = t->room - t->len, i = 0;
	n = n < room ? n : room;
	for (; i < n && is_plain[p[i]] && (p[i] != '.' || form != TEXT_LABEL); i++) {
		bool lower = form != TEXT_PLAIN && p[i] >= 'A' && p[i] <= 'Z';
		to[i] = (char)(lower ? p[i] | 0x20 : p[i]);
	}
	t->len += i;
	return i;
}

void text_put(struct text *t, enum text_form form, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n && !t->cut; i++) {
		char c[4];
		i += put_plain(t, form, p + i, n - i);
		if (i == n)
			return;
		size_t len = spell(c, form, p[i]);
		if (len > t->room - t->len) {
			t->cut = true;
			return;
		}
		memcpy(t->p + t->len, c, len);
		t->len += len;
	}
}

void text_put_host(struct text *t, const uint8_t *p, size_t n)
{
	while (n > 0 && p[n - 1] == '.')
		n--;
	text_put(t, TEXT_LOWER, p, n);
	while (t->cut && t->len > 0 && t->p[t->len - 1] == '.')
		t->len--;
}
