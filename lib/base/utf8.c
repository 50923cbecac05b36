// SPDX-License-Identifier: Apache-2.0
#include "lib/base/utf8.h"

#include <stdint.h>
#include <string.h>

#define HIGH_BITS 0x8080808080808080u

// The well-formed sequences of RFC 3629 §4.
size_t utf8_len(const void *text, size_t left)
{
	const uint8_t *p = text;
	static const struct {
		uint8_t lo, hi;	  // first byte
		uint8_t lo2, hi2; // second byte
		uint8_t len;
	} forms[] = {
		{0x00, 0x7f, 0, 0, 1},
		{0xc2, 0xdf, 0x80, 0xbf, 2},
		{0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3},
		{0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4},
		{0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	size_t i = 0, n = sizeof(forms) / sizeof(forms[0]);
	while (i < n && (p[0] < forms[i].lo || p[0] > forms[i].hi))
		i++;
	if (i == n || forms[i].len > left)
		return 0;
	if (forms[i].len > 1 && (p[1] < forms[i].lo2 || p[1] > forms[i].hi2))
		return 0;
	for (size_t k = 2; k < forms[i].len; k++) {
		if ((p[k] & 0xc0) != 0x80)
			return 0;
	}
	return forms[i].len;
}

bool utf8_is_valid(const void *text, size_t len)
{
	const uint8_t *p = text;
	while (len) {
		uint64_t word = HIGH_BITS;
		if (len >= sizeof(word))
			memcpy(&word, p, sizeof(word));
		size_t n = word & HIGH_BITS ? utf8_len(p, len) : sizeof(word); // ASCII by eights
		if (n == 0)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

size_t utf8_cut(const void *text, size_t len, size_t max)
{
	const uint8_t *p = text;
	if (len <= max)
		return len;
	while (max && (p[max] & 0xc0) == 0x80)
		max--;
	return max;
}
