// SPDX-License-Identifier: Apache-2.0
#pragma once

// Times as clients of the native routes write them. Thread: any.

#include <stddef.h>
#include <stdint.h>

// RFC 3339 with up to nine digits behind the second, a date, seconds since 1970, or
// "YYYY/MM/DD HH:mm". UTC where no zone is given. ns since 1970: 0, or -EINVAL.
[[nodiscard]] int time_parse(const char *text, size_t len, uint64_t *ret_ns);

// "90", "90s", "5m", "1h", "1d": seconds; 0, or -EINVAL also for none at all.
[[nodiscard]] int time_parse_span(const char *text, uint64_t *ret_sec);

#define TIME_TEXT_LEN 32
// RFC 3339 in UTC with as many digits (none, 3, 6, 9) as it takes; returns `text`.
const char *time_format(uint64_t ns, char text[static TIME_TEXT_LEN]);

// The same with nine digits always: texts sort as times do.
const char *time_format_ns(uint64_t ns, char text[static TIME_TEXT_LEN]);
