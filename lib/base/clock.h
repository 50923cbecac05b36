// SPDX-License-Identifier: Apache-2.0
#pragma once

// Clocks, and UTC times as text. Times are nanoseconds: since 1970-01-01 UTC for stamps, since some
// fixed point for intervals. Text forms are UTC (docs/ARCHITECTURE.md, "Time").
// Thread: any.

#include <stddef.h>
#include <stdint.h>

#define NS_PER_SEC 1000000000ull
#define NS_PER_MSEC 1000000ull
#define NS_PER_USEC 1000ull
#define NS_PER_HOUR (3600 * NS_PER_SEC)

uint64_t clock_now_ns(void);  // wall clock: for stamps only
uint64_t clock_mono_ns(void); // monotonic: for timers

// strftime(3) in UTC of a stamp; returns `text`.
const char *clock_format(uint64_t ns, const char *format, char *text, size_t size);

// A UTC time given as "YYYY/MM/DD HH:mm" (to the letter); 0, or -EINVAL.
[[nodiscard]] int clock_parse_minute(const char *text, uint64_t *ret_ns);

// A time in one of the forms machines write: "2026-03-25T09:00:00.5Z", "2026-03-25 09:00:00",
// "…+01:00", "2026-03-25", seconds since 1970. UTC where no zone is given. Seconds since 1970, or 0
// for anything else.
uint32_t clock_parse_sec(const char *text, size_t len);
