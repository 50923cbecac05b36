// SPDX-License-Identifier: Apache-2.0
#include "lib/base/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ERROR_LEN 256

static int control_connect(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct timeval timeout = {.tv_sec = CONTROL_TIMEOUT_SEC};
	if (strlen(path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	strcpy(sun.sun_path, path);

	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0 ||
	    connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0) {
		int ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

static int send_line(int fd, json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	if (!text)
		return -ENOMEM;
	size_t len = strlen(text), done = 0;
	text[len++] = '\n'; // over the NUL: the length is known
	while (done < len) {
		ssize_t n = send(fd, text + done, len - done, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int ret = -errno;
			free(text);
			return ret;
		}
		done += (size_t)n;
	}
	free(text);
	return 0;
}

static int recv_line(int fd, json_t **ret_answer)
{
	char *line = malloc(CONTROL_LINE_MAX);
	size_t len = 0;
	int ret = line ? 0 : -ENOMEM;
	while (ret == 0 && !memchr(line, '\n', len)) {
		ssize_t n =
			len < CONTROL_LINE_MAX ? read(fd, line + len, CONTROL_LINE_MAX - len) : 0;
		if (n > 0)
			len += (size_t)n;
		else if (n == 0)
			ret = -EPROTO;
		else if (errno != EINTR)
			ret = errno == EAGAIN ? -ETIMEDOUT : -errno;
	}
	if (ret == 0) {
		*ret_answer = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
		ret = *ret_answer ? 0 : -EPROTO;
	}
	free(line);
	return ret;
}

int control_call(
	const char *path,
	const char *cmd,
	json_t *args,
	json_t **ret_result,
	char error[static ERROR_LEN]
)
{
	json_t *request = args ? json_pack("{s:s,s:O}", "cmd", cmd, "args", args)
			       : json_pack("{s:s,s:{}}", "cmd", cmd, "args");
	json_t *answer = NULL;
	int fd = control_connect(path);
	int ret = fd < 0 ? fd : (request ? send_line(fd, request) : -ENOMEM);
	if (ret == 0)
		ret = recv_line(fd, &answer);
	if (fd >= 0)
		close(fd);
	json_decref(request);
	if (ret < 0) {
		snprintf(error, ERROR_LEN, "collector at %s: %s", path, strerror(-ret));
		return ret;
	}

	if (json_is_true(json_object_get(answer, "ok"))) {
		*ret_result = json_incref(json_object_get(answer, "result"));
	} else {
		const char *why = json_string_value(json_object_get(answer, "error"));
		snprintf(error, ERROR_LEN, "%s", why ? why : "refused without a reason");
		ret = -EREMOTEIO;
	}
	json_decref(answer);
	return ret;
}
