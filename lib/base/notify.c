// SPDX-License-Identifier: Apache-2.0
#include "lib/base/notify.h"

#include "lib/base/clock.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_SEC 5 // with a manager that does not read

int notify(const char *state)
{
	const struct timeval patience = {.tv_sec = PATIENCE_SEC};
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t n = path ? strlen(path) : 0;

	if (n == 0)
		return 0;
	if ((path[0] != '/' && path[0] != '@') || n >= sizeof(to.sun_path))
		return -EINVAL;
	memcpy(to.sun_path, path, n);
	if (path[0] == '@') // of the abstract name space
		to.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	ssize_t sent =
		sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to, len);
	int ret = sent < 0 ? -errno : 0;
	close(fd);
	return ret;
}

void notify_ready(void)
{
	notify("READY=1\nSTATUS=");
}

void notify_reloading(void)
{
	char text[64];
	snprintf(
		text,
		sizeof(text),
		"RELOADING=1\nMONOTONIC_USEC=%llu",
		(unsigned long long)(clock_mono_ns() / NS_PER_USEC)
	);
	notify(text);
}

void notify_stopping(void)
{
	notify("STOPPING=1");
}

void notify_alive(void)
{
	notify("WATCHDOG=1");
}

static bool parse_number(const char *text, uint64_t *ret)
{
	char *end;
	errno = 0;
	*ret = text ? strtoull(text, &end, 10) : 0;
	return text && end != text && *end == '\0' && errno == 0;
}

uint64_t notify_watchdog_ns(void)
{
	const char *pid = getenv("WATCHDOG_PID");
	uint64_t usec, wanted;
	if (!parse_number(getenv("WATCHDOG_USEC"), &usec) || usec > UINT64_MAX / NS_PER_USEC)
		return 0;
	if (pid && (!parse_number(pid, &wanted) || wanted != (uint64_t)getpid()))
		return 0;
	return usec * NS_PER_USEC;
}

void notify_watchdog_init(struct notify_watchdog *w)
{
	*w = (struct notify_watchdog){.interval_ns = notify_watchdog_ns() / 2};
}

bool notify_watchdog_due(struct notify_watchdog *w, uint64_t now_ns)
{
	if (w->interval_ns == 0 || now_ns < w->next_ns)
		return false;
	w->next_ns = now_ns + w->interval_ns;
	return true;
}

int notify_wait(const sigset_t *signals, bool (*goes_on)(void *arg), void *arg)
{
	struct notify_watchdog w;
	notify_watchdog_init(&w);
	for (;;) {
		uint64_t ns = w.interval_ns / 4;
		struct timespec pause = {
			.tv_sec = (time_t)(ns / NS_PER_SEC), .tv_nsec = (long)(ns % NS_PER_SEC)};
		int sig = sigtimedwait(signals, NULL, w.interval_ns ? &pause : NULL);
		if (sig > 0)
			return sig;
		if (notify_watchdog_due(&w, clock_mono_ns()) && goes_on(arg))
			notify_alive();
	}
}
