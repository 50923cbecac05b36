// SPDX-License-Identifier: Apache-2.0
#pragma once

// Log lines on standard error: "<level> program: message" with the journal's <0-7> prefix when
// journald listens (JOURNAL_STREAM), else with a UTC time. Control characters in what is logged are
// escaped. Only program roots and api/http log; libraries and stages return errors.
// Thread: any (one write(2) a line); never a worker lcore.

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERR = 3, LOG_LEVEL_WARN = 4, LOG_LEVEL_INFO = 6, LOG_LEVEL_DEBUG = 7 };

// At program start; `program` must outlive the process's logging.
void log_open(const char *program, enum log_level max);

__attribute__((format(printf, 2, 3))) void log_line(enum log_level level, const char *fmt, ...);

#define log_err(...) log_line(LOG_LEVEL_ERR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

// Logs "message: error text" at error level and returns ret (0 or -errno), so that a failure costs
// one line: return log_errno(ret, "open %s", path);
__attribute__((format(printf, 2, 3))) int log_errno(int ret, const char *fmt, ...);

// A token bucket for messages that outsiders can provoke: `burst` lines, then one per second.
struct log_limit {
	uint64_t last_ns;
	uint32_t tokens;
	uint64_t suppressed;
};

// True when a line may be written now; *ret_suppressed gives how many were not since the last one.
bool log_limit_ok(struct log_limit *l, uint32_t burst, uint64_t *ret_suppressed);
