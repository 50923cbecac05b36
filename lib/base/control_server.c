// SPDX-License-Identifier: Apache-2.0
#include "lib/base/control_server.h"

#include "lib/base/control.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECTIONS_MAX 16
#define REQUEST_MAX CONTROL_LINE_MAX // what clients send at most
#define IDLE_SEC 30

struct control {
	const struct control_command *commands;
	void *ctx;
	struct sockaddr_un sun;
	int fd;
	int stop_fd; // readable once the end is asked for
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t left; // a connection ended
	unsigned n_connections;
};

struct connection {
	struct control *control;
	int fd;
};

json_t *control_fail(char error[static 256], const char *what)
{
	snprintf(error, 256, "%s", what);
	return NULL;
}

static json_t *failure(const char *error)
{
	return json_pack("{s:b,s:s}", "ok", 0, "error", error);
}

static json_t *answer(struct control *c, const char *line, size_t len)
{
	char error[256] = "failed";
	json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const char *cmd = json_string_value(json_object_get(request, "cmd"));
	json_t *args = json_object_get(request, "args"), *result = NULL;
	const struct control_command *command = c->commands;

	while (cmd && command->name && strcmp(command->name, cmd) != 0)
		command++;
	if (!cmd)
		snprintf(
			error, sizeof(error), "not a request: {\"cmd\": …, \"args\": {…}} expected"
		);
	else if (!command->name)
		snprintf(error, sizeof(error), "unknown command");
	else
		result = command->handler(c->ctx, args, error);
	json_decref(request);
	return result ? json_pack("{s:b,s:o}", "ok", 1, "result", result) : failure(error);
}

// A line that clients take; NULL without memory.
static char *line_of(const json_t *reply)
{
	char *text = reply ? json_dumps(reply, JSON_COMPACT) : NULL;
	if (!text || strlen(text) < CONTROL_LINE_MAX)
		return text;
	free(text);
	json_t *refusal = failure("the answer is too large: ask for less");
	text = refusal ? json_dumps(refusal, JSON_COMPACT) : NULL;
	json_decref(refusal);
	return text;
}

static int send_answer(int fd, json_t *reply)
{
	char *text = line_of(reply);
	if (!text)
		return -ENOMEM;
	size_t len = strlen(text), done = 0;
	text[len++] = '\n'; // over the NUL: the length is known
	while (done < len) {
		ssize_t n = send(fd, text + done, len - done, MSG_NOSIGNAL);
		if (n <= 0) {
			free(text);
			return -EPIPE;
		}
		done += (size_t)n;
	}
	free(text);
	return 0;
}

// Waits until the peer has sent something; false at the end, when stopping, or when it is silent.
static bool wait_input(struct connection *conn)
{
	struct pollfd fds[2] = {
		{.fd = conn->fd, .events = POLLIN},
		{.fd = conn->control->stop_fd, .events = POLLIN},
	};
	return poll(fds, 2, IDLE_SEC * 1000) > 0 && !(fds[1].revents & POLLIN);
}

static void serve(struct connection *conn, char *line)
{
	size_t len = 0;
	while (wait_input(conn)) {
		ssize_t n = recv(conn->fd, line + len, REQUEST_MAX - len, 0);
		if (n <= 0)
			return;
		len += (size_t)n;
		char *end;
		while ((end = memchr(line, '\n', len))) {
			size_t used = (size_t)(end - line) + 1;
			json_t *reply = answer(conn->control, line, used - 1);
			int ret = send_answer(conn->fd, reply);
			json_decref(reply);
			if (ret < 0)
				return;
			len -= used;
			memmove(line, end + 1, len);
		}
		if (len == REQUEST_MAX)
			return;
	}
}

static void *connection_main(void *arg)
{
	struct connection *conn = arg;
	struct control *c = conn->control;
	char *line = malloc(REQUEST_MAX);
	if (line)
		serve(conn, line);
	free(line);
	close(conn->fd);
	free(conn);
	pthread_mutex_lock(&c->lock);
	c->n_connections--;
	pthread_cond_signal(&c->left);
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static void accept_one(struct control *c)
{
	struct timeval timeout = {.tv_sec = IDLE_SEC};
	int fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return;
	struct connection *conn = malloc(sizeof(*conn));
	pthread_t thread;

	pthread_mutex_lock(&c->lock);
	bool room = conn && c->n_connections < CONNECTIONS_MAX;
	if (room) {
		*conn = (struct connection){.control = c, .fd = fd};
		room = setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) == 0 &&
		       pthread_create(&thread, NULL, connection_main, conn) == 0;
	}
	if (room) {
		pthread_detach(thread);
		c->n_connections++;
	}
	pthread_mutex_unlock(&c->lock);
	if (!room) {
		free(conn);
		close(fd);
	}
}

static void *control_main(void *arg)
{
	struct control *c = arg;
	struct pollfd fds[2] = {
		{.fd = c->fd, .events = POLLIN}, {.fd = c->stop_fd, .events = POLLIN}};
	while (poll(fds, 2, -1) < 0 || !(fds[1].revents & POLLIN))
		if (fds[0].revents & POLLIN)
			accept_one(c);
	return NULL;
}

// Removes a socket left behind; -EBUSY when somebody answers.
static int clear_path(const struct sockaddr_un *sun)
{
	struct stat st;
	if (stat(sun->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	bool alive = connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) == 0;
	close(fd);
	if (alive)
		return -EBUSY;
	return unlink(sun->sun_path) < 0 ? -errno : 0;
}

static int listen_at(struct control *c)
{
	int ret = clear_path(&c->sun);
	if (ret < 0)
		return ret;
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		return -errno;
	mode_t mask = umask(0117);
	ret = bind(c->fd, (struct sockaddr *)&c->sun, sizeof(c->sun));
	umask(mask);
	return ret < 0 || listen(c->fd, CONNECTIONS_MAX) < 0 ? -errno : 0;
}

static void control_free(struct control *c)
{
	if (c->fd >= 0)
		close(c->fd);
	if (c->stop_fd >= 0)
		close(c->stop_fd);
	free(c);
}

int control_start(
	const char *path,
	const struct control_command *commands,
	void *ctx,
	struct control **ret_control
)
{
	struct control *c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->commands = commands;
	c->ctx = ctx;
	c->fd = -1;
	c->stop_fd = eventfd(0, EFD_CLOEXEC);
	c->sun.sun_family = AF_UNIX;
	int ret = strlen(path) < sizeof(c->sun.sun_path) ? 0 : -ENAMETOOLONG;
	if (ret == 0) {
		memcpy(c->sun.sun_path, path, strlen(path) + 1);
		ret = c->stop_fd < 0 ? -EMFILE : listen_at(c);
	}
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->left, NULL);
	if (ret == 0)
		ret = -pthread_create(&c->thread, NULL, control_main, c);
	if (ret < 0) {
		control_free(c);
		return ret;
	}
	*ret_control = c;
	return 0;
}

void control_stop(struct control *c)
{
	if (!c)
		return;
	uint64_t one = 1;
	if (write(c->stop_fd, &one, sizeof(one)) < 0)
		abort(); // an eventfd takes its first write
	pthread_join(c->thread, NULL);
	pthread_mutex_lock(&c->lock);
	while (c->n_connections)
		pthread_cond_wait(&c->left, &c->lock);
	pthread_mutex_unlock(&c->lock);
	unlink(c->sun.sun_path);
	control_free(c);
}
