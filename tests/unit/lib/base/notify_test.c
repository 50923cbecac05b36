// SPDX-License-Identifier: Apache-2.0
#include "lib/base/notify.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

// The manager's end of the socket.
struct manager {
	int fd;
	struct sockaddr_un sun;
};

static void listen_at(struct manager *m, const char *path)
{
	m->sun.sun_family = AF_UNIX;
	size_t n = strlen(path);
	memcpy(m->sun.sun_path, path, n + 1);
	if (path[0] == '@')
		m->sun.sun_path[0] = '\0';
	m->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	assert_int_equal(bind(m->fd, (struct sockaddr *)&m->sun, len), 0);
	setenv("NOTIFY_SOCKET", path, 1);
}

static void close_manager(struct manager *m)
{
	close(m->fd);
	if (m->sun.sun_path[0])
		unlink(m->sun.sun_path);
	unsetenv("NOTIFY_SOCKET");
}

static void heard(struct manager *m, const char *want)
{
	char text[256] = "";
	assert_true(recv(m->fd, text, sizeof(text) - 1, 0) >= 0);
	assert_string_equal(text, want);
}

static void states_arrive_as_datagrams(void **)
{
	struct manager m = {};
	char path[64];
	snprintf(path, sizeof(path), "/tmp/weir-notify-%d", (int)getpid());
	listen_at(&m, path);
	notify_ready();
	heard(&m, "READY=1\nSTATUS=");
	notify_stopping();
	heard(&m, "STOPPING=1");
	notify_alive();
	heard(&m, "WATCHDOG=1");
	assert_int_equal(notify("STATUS=sealing"), 0);
	heard(&m, "STATUS=sealing");
	close_manager(&m);
}

static void a_reload_tells_its_time(void **)
{
	struct manager m = {};
	char path[64], text[256] = "";
	unsigned long long usec = 0;
	snprintf(path, sizeof(path), "/tmp/weir-notify-%d", (int)getpid());
	listen_at(&m, path);
	notify_reloading();
	assert_true(recv(m.fd, text, sizeof(text) - 1, 0) > 0);
	assert_int_equal(sscanf(text, "RELOADING=1\nMONOTONIC_USEC=%llu", &usec), 1);
	assert_true(usec > 0);
	close_manager(&m);
}

static void abstract_sockets_are_reached(void **)
{
	struct manager m = {};
	char path[64];
	snprintf(path, sizeof(path), "@weir-notify-%d", (int)getpid());
	listen_at(&m, path);
	notify_stopping();
	heard(&m, "STOPPING=1");
	close_manager(&m);
}

static void without_a_manager_nothing_happens(void **)
{
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "", 1);
	assert_int_equal(notify("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "relative/path", 1);
	assert_int_equal(notify("READY=1"), -EINVAL);
	setenv("NOTIFY_SOCKET", "/tmp/weir-notify-nobody", 1);
	assert_int_equal(notify("READY=1"), -ENOENT);
	char path[200];
	memset(path, '/', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	setenv("NOTIFY_SOCKET", path, 1);
	assert_int_equal(notify("READY=1"), -EINVAL);
	unsetenv("NOTIFY_SOCKET");
}

static void the_watchdog_is_ours_when_the_process_is(void **)
{
	char pid[16];
	setenv("WATCHDOG_USEC", "30000000", 1);
	unsetenv("WATCHDOG_PID");
	assert_int_equal(notify_watchdog_ns(), 30000000000);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(notify_watchdog_ns(), 30000000000);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(notify_watchdog_ns(), 0);
	unsetenv("WATCHDOG_PID");
	static const char *const bad[] = {
		"", "x", "5x", "99999999999999999999", "18446744073709551615"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		setenv("WATCHDOG_USEC", bad[i], 1);
		assert_int_equal(notify_watchdog_ns(), 0);
	}
	unsetenv("WATCHDOG_USEC");
	assert_int_equal(notify_watchdog_ns(), 0);
}

static void signs_of_life_are_due_at_half_of_the_time(void **)
{
	struct notify_watchdog w;
	setenv("WATCHDOG_USEC", "2000", 1);
	notify_watchdog_init(&w);
	assert_true(notify_watchdog_due(&w, 5000000));
	assert_false(notify_watchdog_due(&w, 5999999));
	assert_true(notify_watchdog_due(&w, 6000000));
	unsetenv("WATCHDOG_USEC");
	notify_watchdog_init(&w);
	assert_false(notify_watchdog_due(&w, UINT64_MAX));
}

static bool goes_on(void *arg)
{
	return *(bool *)arg;
}

// Signs of life heard while the end, a timer's signal, is waited for.
static unsigned lives(struct manager *m, bool going_on)
{
	const struct itimerval after = {.it_value = {.tv_usec = 150000}};
	char text[64];
	unsigned n = 0;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	setitimer(ITIMER_REAL, &after, NULL);
	assert_int_equal(notify_wait(&set, goes_on, &going_on), SIGALRM);
	while (recv(m->fd, text, sizeof(text), 0) > 0)
		n++;
	return n;
}

static void life_is_told_only_while_all_goes_on(void **)
{
	struct manager m = {};
	char path[64];
	snprintf(path, sizeof(path), "/tmp/weir-notify-%d", (int)getpid());
	listen_at(&m, path);
	setenv("WATCHDOG_USEC", "60000", 1);
	assert_true(lives(&m, true) >= 2);
	assert_int_equal(lives(&m, false), 0);
	unsetenv("WATCHDOG_USEC");
	assert_int_equal(lives(&m, true), 0);
	close_manager(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_arrive_as_datagrams),
		cmocka_unit_test(a_reload_tells_its_time),
		cmocka_unit_test(abstract_sockets_are_reached),
		cmocka_unit_test(without_a_manager_nothing_happens),
		cmocka_unit_test(the_watchdog_is_ours_when_the_process_is),
		cmocka_unit_test(signs_of_life_are_due_at_half_of_the_time),
		cmocka_unit_test(life_is_told_only_while_all_goes_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
