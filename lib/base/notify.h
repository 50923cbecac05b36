// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the service manager is told: sd_notify(3)'s protocol, datagrams of "NAME=value" lines to the
// socket named by NOTIFY_SOCKET. Without a manager nothing is sent.
// Thread: control.

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

// "READY=1", "STOPPING=1", "STATUS=…"; 0, or -errno. A manager that does not listen is no reason to
// fail: callers may go on.
int notify(const char *state);

// Around a reload: RELOADING=1 with the time since boot that systemd wants beside it; notify_ready
// ends it.
void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);

// How long the manager waits for a sign of life (WatchdogSec=), if it waits for this process; 0:
// it does not.
uint64_t notify_watchdog_ns(void);

// The signs of life: one is due at half of that time.
struct notify_watchdog {
	uint64_t interval_ns; // 0: none wanted
	uint64_t next_ns;     // on the monotonic clock
};

void notify_watchdog_init(struct notify_watchdog *w);

// True when it is time: the caller looks whether all its threads go on and, if so, calls
// notify_alive. When they do not, it stays silent and the manager acts.
bool notify_watchdog_due(struct notify_watchdog *w, uint64_t now_ns);
void notify_alive(void);

// Waits for one of the signals, which are blocked, and returns it; meanwhile gives the signs of
// life as long as goes_on(arg) says so.
int notify_wait(const sigset_t *signals, bool (*goes_on)(void *arg), void *arg);
