// SPDX-License-Identifier: Apache-2.0
#include "sensor/export/transport.h"

#include "lib/base/clock.h"
#include "sensor/export/tls.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define CLOSE_WAIT_MS 2000
#define SEND_TRIES 3

#define UNIX_PREFIX "unix:"

static const char *const kinds[] = {
	[TRANSPORT_UDP] = "udp",
	[TRANSPORT_TCP] = "tcp",
	[TRANSPORT_TLS] = "tls",
	NULL,
};

static const struct {
	const char *prefix;
	uint16_t version;
} formats[] = {{"v5+", 5}, {"v9+", 9}, {"ipfix+", 10}};

static int parse_unix(const char *path, struct endpoint *ret_to)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	if (len == 0 || len >= sizeof(sun.sun_path))
		return -EINVAL;
	memcpy(sun.sun_path, path, len + 1);
	*ret_to = (struct endpoint){.kind = TRANSPORT_UNIX, .len = sizeof(sun)};
	memcpy(&ret_to->sa, &sun, sizeof(sun));
	return 0;
}

int transport_parse(const char *target, struct endpoint *ret_to, uint16_t *ret_version)
{
	*ret_version = 10;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		size_t len = strlen(formats[i].prefix);
		if (strncmp(target, formats[i].prefix, len) != 0)
			continue;
		*ret_version = formats[i].version;
		target += len;
		break;
	}
	if (strncmp(target, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
		return parse_unix(target + strlen(UNIX_PREFIX), ret_to);
	return endpoint_parse(target, kinds, ret_to);
}

// HOST of "…tls:HOST:PORT", without brackets.
static void host_of(const char *target, char *ret_host, size_t len)
{
	const char *from = strstr(target, "tls:");
	from = from ? from + 4 : target;
	const char *to = strrchr(from, ':');
	if (*from == '[' && to > from + 1) {
		from++;
		to--;
	}
	snprintf(ret_host, len, "%.*s", (int)(to ? to - from : 0), from);
}

int transport_init(struct transport *t, const char *target, const struct transport_tls *tls)
{
	uint16_t version;
	char host[256];
	*t = (struct transport){.fd = -1, .pause_ns = TRANSPORT_PAUSE_MIN_NS};
	int ret = transport_parse(target, &t->to, &version);
	if (ret < 0 || t->to.kind != TRANSPORT_TLS)
		return ret;
	if (!tls)
		return -EINVAL;
	host_of(target, host, sizeof(host));
	return tls_create(host, tls->ca, tls->cert, tls->key, &t->tls);
}

static int open_socket(struct transport *t)
{
	int type = transport_is_datagrams(t) ? SOCK_DGRAM : SOCK_STREAM;
	int fd = socket(t->to.sa.ss_family, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	// bounds connect(2) as well (socket(7)); all these options are wishes
	struct timeval limit = {.tv_sec = 5}, wait = {.tv_sec = CLOSE_WAIT_MS / 1000};
	int room = 4 << 20, ret = 0;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	if (connect(fd, (struct sockaddr *)&t->to.sa, t->to.len) < 0)
		ret = errno == EINPROGRESS ? -ETIMEDOUT : -errno;
	if (ret == 0 && t->tls)
		ret = tls_connect(t->tls, fd);
	if (ret < 0) {
		if (t->tls)
			tls_close(t->tls, false);
		close(fd);
		return ret;
	}
	return fd;
}

static void drop_connection(struct transport *t, int error)
{
	if (t->tls)
		tls_close(t->tls, false);
	close(t->fd);
	t->fd = -1;
	t->error = error;
	t->next_try_ns = clock_mono_ns() + t->pause_ns;
}

// IPFIX flows one way: whatever can be read is the end of the connection, but for what TLS itself
// has to say. Without this look the first message after it would vanish in a send that succeeds.
static bool peer_is_gone(const struct transport *t)
{
	struct pollfd p = {.fd = t->fd, .events = t->tls ? POLLRDHUP : POLLIN | POLLRDHUP};
	return poll(&p, 1, 0) > 0 && p.revents & (POLLRDHUP | POLLHUP | POLLERR);
}

bool transport_connect(struct transport *t, uint64_t now_ns)
{
	if (t->fd >= 0 && !transport_is_datagrams(t) && peer_is_gone(t))
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
	if (t->tls) {
		int ret = tls_send(t->tls, p, len);
		if (ret < 0)
			drop_connection(t, ret);
		return ret;
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
	if (transport_is_datagrams(t))
		return send_datagram(t, message, len);
	return send_stream(t, message, len);
}

void transport_close(struct transport *t)
{
	if (t->fd < 0)
		return;
	if (t->tls) {
		tls_close(t->tls, true);
	} else if (!transport_is_datagrams(t) && shutdown(t->fd, SHUT_WR) == 0) {
		struct pollfd p = {.fd = t->fd, .events = POLLIN};
		(void)poll(&p, 1, CLOSE_WAIT_MS);
	}
	close(t->fd);
	t->fd = -1;
}

void transport_fini(struct transport *t)
{
	transport_close(t);
	tls_free(t->tls);
	t->tls = NULL;
}
