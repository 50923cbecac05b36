// SPDX-License-Identifier: Apache-2.0
#include "sensor/export/transport.h"

#include "lib/base/clock.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define CLOSE_WAIT_MS 2000
#define SEND_TRIES 3

static const char *const kinds[] = {
	[TRANSPORT_UDP] = "udp",
	[TRANSPORT_TCP] = "tcp",
	NULL,
};

int transport_init(struct transport *t, const char *target)
{
	*t = (struct transport){.fd = -1, .pause_ns = TRANSPORT_PAUSE_MIN_NS};
	return endpoint_parse(target, kinds, &t->to);
}

static int open_socket(struct transport *t)
{
	int type = t->to.kind == TRANSPORT_TCP ? SOCK_STREAM : SOCK_DGRAM;
	int fd = socket(t->to.sa.ss_family, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	// bounds connect(2) as well (socket(7)); both options are wishes
	struct timeval limit = {.tv_sec = 5};
	int room = 4 << 20;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	if (connect(fd, (struct sockaddr *)&t->to.sa, t->to.len) < 0) {
		int ret = errno == EINPROGRESS ? -ETIMEDOUT : -errno;
		close(fd);
		return ret;
	}
	return fd;
}

static void drop_connection(struct transport *t, int error)
{
	close(t->fd);
	t->fd = -1;
	t->error = error;
	t->next_try_ns = clock_mono_ns() + t->pause_ns;
}

// IPFIX flows one way: whatever can be read is the end of the connection. Without this look the
// first message after it would vanish in a send that succeeds.
static bool peer_is_gone(const struct transport *t)
{
	struct pollfd p = {.fd = t->fd, .events = POLLIN | POLLRDHUP};
	return poll(&p, 1, 0) > 0 && p.revents & (POLLRDHUP | POLLHUP | POLLERR);
}

bool transport_connect(struct transport *t, uint64_t now_ns)
{
	if (t->fd >= 0 && t->to.kind == TRANSPORT_TCP && peer_is_gone(t))
		drop_connection(t, -EPIPE);
	if (t->fd >= 0)
		return true;
	if (now_ns < t->next_try_ns)
		return false;
	int fd = open_socket(t);
	if (fd < 0) {
		t->error = fd;
		t->next_try_ns = clock_mono_ns() + t->pause_ns;
		t->pause_ns *= 2;
		if (t->pause_ns > TRANSPORT_PAUSE_MAX_NS)
			t->pause_ns = TRANSPORT_PAUSE_MAX_NS;
		return false;
	}
	t->fd = fd;
	t->error = 0;
	t->pause_ns = TRANSPORT_PAUSE_MIN_NS;
	return true;
}

// A connected UDP socket is told of an earlier datagram's ICMP error instead of sending this one,
// and a full queue below passes: both are worth another try.
static int send_datagram(struct transport *t, const void *message, size_t len)
{
	int error = 0;
	for (int i = 0; i < SEND_TRIES; i++) {
		if (send(t->fd, message, len, MSG_NOSIGNAL) == (ssize_t)len)
			return 0;
		error = -errno;
		if (error == -ENOBUFS)
			usleep(1000);
	}
	t->error = error;
	return error;
}

static int send_stream(struct transport *t, const char *p, size_t len)
{
	if (peer_is_gone(t)) {
		drop_connection(t, -EPIPE);
		return -EPIPE;
	}
	while (len > 0) {
		ssize_t n = send(t->fd, p, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int error = errno == EAGAIN ? -ETIMEDOUT : -errno;
			drop_connection(t, error);
			return error;
		}
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int transport_send(struct transport *t, const void *message, size_t len)
{
	if (t->fd < 0)
		return -ENOTCONN;
	if (t->to.kind == TRANSPORT_TCP)
		return send_stream(t, message, len);
	return send_datagram(t, message, len);
}

void transport_close(struct transport *t)
{
	if (t->fd < 0)
		return;
	if (t->to.kind == TRANSPORT_TCP && shutdown(t->fd, SHUT_WR) == 0) {
		struct pollfd p = {.fd = t->fd, .events = POLLIN};
		(void)poll(&p, 1, CLOSE_WAIT_MS);
	}
	close(t->fd);
	t->fd = -1;
}
