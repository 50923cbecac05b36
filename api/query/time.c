// SPDX-License-Identifier: Apache-2.0
#include "api/query/time.h"

#include "lib/base/clock.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define TIME_MAX 64	 // bytes of a time
#define YEAR_LAST "2499" // later ones do not fit 64 bits of nanoseconds

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

// The fraction of a second, cut to nine digits.
static uint64_t fraction(const char *text, size_t len)
{
	const char *dot = memchr(text, '.', len), *end = text + len;
	uint64_t ns = 0, unit = NS_PER_SEC / 10;
	if (!dot)
		return 0;
	for (const char *p = dot + 1; p < end && is_digit(*p); p++, unit /= 10)
		ns += (uint64_t)(*p - '0') * unit;
	return ns;
}

int time_parse(const char *text, size_t len, uint64_t *ret_ns)
{
	char copy[TIME_MAX + 1];
	if (len == 0 || len > TIME_MAX)
		return -EINVAL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (strlen(copy) == len && strncmp(copy, YEAR_LAST, 4) <= 0 &&
	    clock_parse_minute(copy, ret_ns) == 0)
		return 0;
	uint32_t sec = clock_parse_sec(copy, len);
	if (sec == 0)
		return -EINVAL;
	*ret_ns = sec * NS_PER_SEC + fraction(copy, len);
	return 0;
}

int time_parse_span(const char *text, uint64_t *ret_sec)
{
	static const struct {
		char unit;
		uint64_t sec;
	} units[] = {{'\0', 1}, {'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	uint64_t v = 0;
	const char *p = text;
	for (; is_digit(*p); p++) {
		v = v * 10 + (uint64_t)(*p - '0');
		if (v > UINT32_MAX)
			return -EINVAL;
	}
	for (size_t i = 0; v && i < sizeof(units) / sizeof(units[0]); i++) {
		if (*p != units[i].unit || (*p && p[1]))
			continue;
		*ret_sec = v * units[i].sec;
		return 0;
	}
	return -EINVAL;
}

static const char *format(uint64_t ns, int digits, char *text)
{
	time_t sec = (time_t)(ns / NS_PER_SEC);
	uint64_t rest = ns % NS_PER_SEC, unit = NS_PER_SEC / 10;
	struct tm tm;
	gmtime_r(&sec, &tm);
	size_t n = strftime(text, TIME_TEXT_LEN, "%Y-%m-%dT%H:%M:%S", &tm);
	if (digits)
		text[n++] = '.';
	for (int i = 0; i < digits; i++, unit /= 10)
		text[n++] = (char)('0' + rest / unit % 10);
	text[n++] = 'Z';
	text[n] = '\0';
	return text;
}

const char *time_format(uint64_t ns, char text[static TIME_TEXT_LEN])
{
	uint64_t rest = ns % NS_PER_SEC;
	if (rest == 0)
		return format(ns, 0, text);
	return format(ns, rest % NS_PER_MSEC == 0 ? 3 : rest % NS_PER_USEC == 0 ? 6 : 9, text);
}

const char *time_format_ns(uint64_t ns, char text[static TIME_TEXT_LEN])
{
	return format(ns, 9, text);
}
