// SPDX-License-Identifier: Apache-2.0
#include "lib/base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <strings.h>
#include <time.h>

static uint64_t clock_read_ns(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

uint64_t clock_now_ns(void)
{
	return clock_read_ns(CLOCK_REALTIME);
}

uint64_t clock_mono_ns(void)
{
	return clock_read_ns(CLOCK_MONOTONIC);
}

const char *clock_format(uint64_t ns, const char *format, char *text, size_t size)
{
	time_t sec = (time_t)(ns / NS_PER_SEC);
	struct tm tm;
	gmtime_r(&sec, &tm);
	if (strftime(text, size, format, &tm) == 0 && size)
		text[0] = '\0';
	return text;
}

// Whether the text is the form with any digit for each 0.
static bool has_form(const char *text, const char *form)
{
	for (; *form; text++, form++) {
		bool is_digit = *text >= '0' && *text <= '9';
		if (*form == '0' ? !is_digit : *text != *form)
			return false;
	}
	return *text == '\0';
}

static int number_of(const char *digits, int n)
{
	int v = 0;
	for (; n; n--)
		v = v * 10 + (*digits++ - '0');
	return v;
}

int clock_parse_minute(const char *text, uint64_t *ret_ns)
{
	struct tm tm = {}, back;
	if (!has_form(text, "0000/00/00 00:00"))
		return -EINVAL;
	tm.tm_year = number_of(text, 4) - 1900;
	tm.tm_mon = number_of(text + 5, 2) - 1;
	tm.tm_mday = number_of(text + 8, 2);
	tm.tm_hour = number_of(text + 11, 2);
	tm.tm_min = number_of(text + 14, 2);
	back = tm;
	time_t sec = timegm(&back);
	// timegm mends what is out of range (31 April, 25:00): a mended time was not a time
	if (sec < 0 || back.tm_year != tm.tm_year || back.tm_mon != tm.tm_mon ||
	    back.tm_mday != tm.tm_mday || back.tm_hour != tm.tm_hour || back.tm_min != tm.tm_min)
		return -EINVAL;
	*ret_ns = (uint64_t)sec * NS_PER_SEC;
	return 0;
}

// A number of `n` digits (at most 9) at *p, which is moved behind it; -1: it is not there.
static int digits(const char **p, const char *end, int n)
{
	int v = 0;
	for (int i = 0; i < n; i++, ++*p) {
		if (*p == end || !isdigit((unsigned char)**p))
			return -1;
		v = v * 10 + (**p - '0');
	}
	return v;
}

static bool take_char(const char **p, const char *end, char c)
{
	if (*p == end || **p != c)
		return false;
	++*p;
	return true;
}

// What may follow a time of day: a fraction, then "Z", "UTC" or an offset; seconds east of UTC.
static bool take_zone(const char *p, const char *end, int *ret_east)
{
	*ret_east = 0;
	if (take_char(&p, end, '.'))
		while (p < end && isdigit((unsigned char)*p))
			p++;
	while (take_char(&p, end, ' '))
		;
	if (p == end || (end - p == 1 && toupper((unsigned char)*p) == 'Z') ||
	    (end - p == 3 && strncasecmp(p, "UTC", 3) == 0))
		return true;
	int sign = *p == '-' ? -1 : 1;
	if (*p++ != '+' && sign > 0)
		return false;
	int hours = digits(&p, end, 2);
	(void)take_char(&p, end, ':');
	int minutes = digits(&p, end, 2);
	*ret_east = sign * (hours * 3600 + minutes * 60);
	return p == end && hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60;
}

// Nine or ten digits: seconds since 1970; 0 for anything else, and for what is beyond 32 bits.
static uint32_t parse_epoch(const char *text, size_t len)
{
	uint64_t sec = 0;
	if (len < 9 || len > 10)
		return 0;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)text[i]))
			return 0;
		sec = sec * 10 + (uint64_t)(text[i] - '0');
	}
	return sec <= UINT32_MAX ? (uint32_t)sec : 0;
}

uint32_t clock_parse_sec(const char *text, size_t len)
{
	const char *p = text, *end = text + len;
	struct tm tm = {};
	int east = 0;
	uint32_t epoch = parse_epoch(text, len);
	if (epoch)
		return epoch;
	tm.tm_year = digits(&p, end, 4) - 1900;
	if (!take_char(&p, end, '-'))
		return 0;
	tm.tm_mon = digits(&p, end, 2) - 1;
	if (!take_char(&p, end, '-'))
		return 0;
	tm.tm_mday = digits(&p, end, 2);
	if (p < end) {
		if (!take_char(&p, end, 'T') && !take_char(&p, end, ' '))
			return 0;
		tm.tm_hour = digits(&p, end, 2);
		if (!take_char(&p, end, ':'))
			return 0;
		tm.tm_min = digits(&p, end, 2);
		if (take_char(&p, end, ':'))
			tm.tm_sec = digits(&p, end, 2);
		if (!take_zone(p, end, &east))
			return 0;
	}
	if (tm.tm_year < 70 || tm.tm_mon < 0 || tm.tm_mon > 11 || tm.tm_mday < 1 ||
	    tm.tm_mday > 31 || tm.tm_hour < 0 || tm.tm_min < 0 || tm.tm_sec < 0)
		return 0;
	time_t at = timegm(&tm) - east;
	return at > 0 && at <= UINT32_MAX ? (uint32_t)at : 0;
}
