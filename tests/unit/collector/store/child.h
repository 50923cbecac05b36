// SPDX-License-Identifier: Apache-2.0
#pragma once

// A second process of the same test program, to be killed or followed. RocksDB's threads do not
// survive fork(2), so the program is executed anew: its main() hands over to what the child is to
// do when it is given arguments. What the child writes to its standard output comes here.

#include "tests/unit/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct child {
	pid_t pid;
	int fd;
};

// `args` is the role and its parameters, ended by NULL.
static inline struct child child_start(char *const args[static 2])
{
	char *argv[8] = {(char *)"child"};
	posix_spawn_file_actions_t actions;
	struct child c;
	int ends[2];
	for (int i = 0; i < 6 && args[i]; i++)
		argv[i + 1] = args[i];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	assert_int_equal(posix_spawn(&c.pid, "/proc/self/exe", &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	c.fd = ends[0];
	return c;
}

// The last number the child has written, after waiting for one at most so long; `before` when there
// is none.
static inline uint64_t child_last_number(const struct child *c, int wait_ms, uint64_t before)
{
	struct pollfd p = {.fd = c->fd, .events = POLLIN};
	for (uint64_t number; poll(&p, 1, wait_ms) > 0 && (p.revents & POLLIN); wait_ms = 0) {
		if (read(c->fd, &number, sizeof(number)) == sizeof(number))
			before = number;
	}
	return before;
}

// The child ends when nobody reads its numbers any more (SIGPIPE).
static inline void child_write_number(uint64_t number)
{
	if (write(STDOUT_FILENO, &number, sizeof(number)) != sizeof(number))
		_exit(1);
}

// Kills the child where it stands. True when it lived until then.
static inline bool child_kill(struct child *c)
{
	int status = 0;
	kill(c->pid, SIGKILL);
	assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}
