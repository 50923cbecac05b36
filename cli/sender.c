// SPDX-License-Identifier: Apache-2.0
#include "cli/sender.h"

#include "cli/progress.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SEND_BUFFER (4 << 20)
#define STALL_MS 60000 // a collector that takes nothing for so long is given up
#define TRIES 3

static const char *const kinds[] = {[SENDER_UDP] = "udp", [SENDER_TCP] = "tcp", NULL};

struct sender {
	int fd;
	int kind;
	unsigned n; // datagrams kept
	size_t len[SENDER_GROUP];
	uint8_t data[SENDER_GROUP][SENDER_DATAGRAM_MAX];
};

int sender_parse(const char *text, struct endpoint *ret_endpoint)
{
	struct endpoint ep;
	int ret = endpoint_parse(text, kinds, &ep);
	if (ret < 0)
		return ret;
	if (ep.kind == SENDER_UDP && strncmp(text, "udp:", 4) != 0)
		ep.kind = SENDER_TCP;
	*ret_endpoint = ep;
	return 0;
}

int sender_open(const struct endpoint *to, struct sender **ret_sender)
{
	const int room = SEND_BUFFER;
	struct sender *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->kind = to->kind;
	int type = s->kind == SENDER_TCP ? SOCK_STREAM : SOCK_DGRAM;
	s->fd = socket(to->sa.ss_family, type | SOCK_CLOEXEC, 0);
	int ret = s->fd < 0 ? -errno : 0;
	if (ret == 0)
		(void)setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	if (ret == 0 && connect(s->fd, (const struct sockaddr *)&to->sa, to->len) < 0)
		ret = -errno;
	if (ret < 0) {
		sender_abandon(s);
		return ret;
	}
	*ret_sender = s;
	return 0;
}

void sender_abandon(struct sender *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

// Waits for room in the socket: 0, -ETIMEDOUT, -EINTR when the user wants to end, or -errno.
static int wait_writable(const struct sender *s)
{
	struct pollfd p = {.fd = s->fd, .events = POLLOUT};
	int n = poll(&p, 1, STALL_MS);
	if (n < 0)
		return errno == EINTR && !progress_stopped() ? 0 : -errno;
	return n == 0 ? -ETIMEDOUT : 0;
}

static int send_stream(struct sender *s, const uint8_t *p, size_t len)
{
	while (len > 0) {
		ssize_t n = send(s->fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN) {
			int ret = wait_writable(s);
			if (ret < 0)
				return ret;
			continue;
		}
		if (n < 0 && errno == EINTR && !progress_stopped())
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

// A connected UDP socket tells of an earlier datagram's ICMP error instead of sending this one:
// nobody listens there. That is worth another try, not a success.
static int send_group(struct sender *s)
{
	struct mmsghdr m[SENDER_GROUP] = {};
	struct iovec v[SENDER_GROUP];
	int refused = 0;
	for (unsigned i = 0; i < s->n; i++) {
		v[i] = (struct iovec){s->data[i], s->len[i]};
		m[i].msg_hdr = (struct msghdr){.msg_iov = &v[i], .msg_iovlen = 1};
	}
	for (unsigned done = 0; done < s->n;) {
		int n = sendmmsg(s->fd, m + done, s->n - done, 0);
		if (n >= 0)
			done += (unsigned)n;
		else if (errno == ENOBUFS)
			usleep(1000);
		else if (errno == ECONNREFUSED && ++refused < TRIES)
			continue;
		else if (errno != EINTR || progress_stopped())
			return -errno;
	}
	s->n = 0;
	return 0;
}

int sender_flush(struct sender *s)
{
	return s->n ? send_group(s) : 0;
}

int sender_send(struct sender *s, const uint8_t *message, size_t len)
{
	if (s->kind == SENDER_TCP)
		return send_stream(s, message, len);
	if (len > SENDER_DATAGRAM_MAX) { // as it was captured
		int ret = sender_flush(s);
		if (ret == 0 && send(s->fd, message, len, MSG_NOSIGNAL) < 0)
			ret = -errno;
		return ret;
	}
	memcpy(s->data[s->n], message, len);
	s->len[s->n++] = len;
	return s->n == SENDER_GROUP ? send_group(s) : 0;
}

// The collector closes its side once it has read to our end; a reset means that it has not.
static int wait_closed(const struct sender *s)
{
	char nothing[64];
	if (shutdown(s->fd, SHUT_WR) < 0)
		return -errno;
	for (;;) {
		struct pollfd p = {.fd = s->fd, .events = POLLIN};
		int n = poll(&p, 1, STALL_MS);
		if (n == 0)
			return -ETIMEDOUT;
		if (n < 0 && (errno != EINTR || progress_stopped()))
			return -errno;
		if (n < 0)
			continue;
		ssize_t got = recv(s->fd, nothing, sizeof(nothing), 0);
		if (got <= 0)
			return got < 0 ? -errno : 0;
	}
}

int sender_close(struct sender *s)
{
	int ret = s->kind == SENDER_TCP ? wait_closed(s) : sender_flush(s);
	sender_abandon(s);
	return ret;
}
