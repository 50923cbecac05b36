// SPDX-License-Identifier: Apache-2.0
#include "lib/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
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

int clock_parse_minute(const char *text, uint64_t *ret_ns)
{
	struct tm tm = {}, back;
	int n = 0;
	if (strlen(text) != 16 || strspn(text, "0123456789/: ") != 16 ||
	    sscanf(text,
		   "%4d/%2d/%2d %2d:%2d%n",
		   &tm.tm_year,
		   &tm.tm_mon,
		   &tm.tm_mday,
		   &tm.tm_hour,
		   &tm.tm_min,
		   &n) != 5 ||
	    n != 16)
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
