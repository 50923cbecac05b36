// SPDX-License-Identifier: Apache-2.0
#include "lib/base/log.h"

#include "lib/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_LINE_MAX 1024

static const char *log_program = "weir";
static enum log_level log_max = LOG_LEVEL_INFO;
static bool log_journal;

static const char *const log_names[] = {
	[LOG_LEVEL_ERR] = "error",
	[LOG_LEVEL_WARN] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

void log_open(const char *program, enum log_level max)
{
	log_program = program;
	log_max = max;
	log_journal = getenv("JOURNAL_STREAM") != NULL;
}

// Copies text, control characters as '?': foreign names must not forge lines or move the cursor.
static size_t log_clean(char *dst, size_t room, const char *src)
{
	size_t n = 0;
	for (; *src && n < room; src++)
		dst[n++] = (unsigned char)*src < 0x20 || *src == 0x7f ? '?' : *src;
	return n;
}

static void log_write(enum log_level level, const char *message)
{
	char line[LOG_LINE_MAX], stamp[32];
	int n;
	if (log_journal)
		n = snprintf(line, sizeof(line), "<%d>%s: ", (int)level, log_program);
	else
		n = snprintf(
			line,
			sizeof(line),
			"%s %s %s: ",
			clock_format(clock_now_ns(), "%Y-%m-%dT%H:%M:%SZ", stamp, sizeof(stamp)),
			log_names[level],
			log_program
		);
	size_t len = (size_t)n;
	len += log_clean(line + len, sizeof(line) - len - 1, message);
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, len) < 0)
		return; // nowhere left to say so
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char message[LOG_LINE_MAX];
	va_list ap;
	if (level > log_max)
		return;
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	log_write(level, message);
}

int log_errno(int ret, const char *fmt, ...)
{
	char message[LOG_LINE_MAX];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(message))
		snprintf(
			message + n,
			sizeof(message) - (size_t)n,
			": %s",
			strerror(ret < 0 ? -ret : ret)
		);
	log_write(LOG_LEVEL_ERR, message);
	return ret;
}

bool log_limit_ok(struct log_limit *l, uint32_t burst, uint64_t *ret_suppressed)
{
	uint64_t now = clock_mono_ns();
	uint64_t earned = l->last_ns ? (now - l->last_ns) / NS_PER_SEC : burst;
	if (earned) {
		l->tokens = earned >= burst - l->tokens ? burst : l->tokens + (uint32_t)earned;
		l->last_ns = now;
	}
	if (l->tokens == 0) {
		l->suppressed++;
		return false;
	}
	l->tokens--;
	*ret_suppressed = l->suppressed;
	l->suppressed = 0;
	return true;
}
