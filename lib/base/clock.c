// SPDX-License-Identifier: Apache-2.0
#include "lib/base/clock.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
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

// Whether the text is the form with any digit for each 0. sscanf takes blanks before numbers.
static bool has_form(const char *text, const char *form)
{
	for (; *form; text++, form++) {
		bool is_digit = *text >= '0' && *text <= '9';
		if (*form == '0' ? !is_digit : *text != *form)
			return false;
	}
	return *text == '\0';
}

int clock_parse_minute(const char *text, uint64_t *ret_ns)
{
	struct tm tm = {}, back;
	if (!has_form(text, "0000/00/00 00:00") || sscanf(text,
							  "%4d/%2d/%2d %2d:%2d",
							  &tm.tm_year,
							  &tm.tm_mon,
							  &tm.tm_mday,
							  &tm.tm_hour,
							  &tm.tm_min) != 5)
		return -EINVAL;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	back = tm;
	time_t sec = timegm(&back);
	// timegm mends what is out of range (31 April, 25:00): a mended time was not a time
	if (sec < 0 || back.tm_year != tm.tm_year || back.tm_mon != tm.tm_mon ||
	    back.tm_mday != tm.tm_mday || back.tm_hour != tm.tm_hour || back.tm_min != tm.tm_min)
		return -EINVAL;
	*ret_ns = (uint64_t)sec * NS_PER_SEC;
	return 0;
}
