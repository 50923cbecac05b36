// SPDX-License-Identifier: Apache-2.0
#include "collector/ingest/listen.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 128

struct listen_burst {
	struct mmsghdr messages[LISTEN_BURST];
	struct iovec parts[LISTEN_BURST];
	struct sockaddr_storage from[LISTEN_BURST];
	uint8_t data[LISTEN_BURST][LISTEN_DATAGRAM_MAX];
};

static socklen_t len_of(const struct sockaddr_storage *sa)
{
	return sa->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

static int open_bound(struct sockaddr_storage *sa, int type)
{
	const int on = 1;
	socklen_t len = sizeof(*sa);
	int fd = socket(sa->ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	// Restarts must not wait for old connections to time out.
	if (type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)sa, len_of(sa)) < 0 ||
	    getsockname(fd, (struct sockaddr *)sa, &len) < 0) {
		int ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

int listen_udp(struct sockaddr_storage *sa, int rcvbuf, int *ret_rcvbuf)
{
	int granted = 0;
	socklen_t len = sizeof(granted);
	int fd = open_bound(sa, SOCK_DGRAM);
	if (fd < 0)
		return fd;
	// The forced one passes net.core.rmem_max, but needs CAP_NET_ADMIN.
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &rcvbuf, sizeof(rcvbuf)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf));
	getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &granted, &len);
	*ret_rcvbuf = granted / 2; // the kernel doubles what it was asked for (socket(7))
	return fd;
}

int listen_tcp(struct sockaddr_storage *sa)
{
	int fd = open_bound(sa, SOCK_STREAM);
	if (fd < 0)
		return fd;
	if (listen(fd, BACKLOG) < 0) {
		int ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

struct listen_burst *listen_burst_create(void)
{
	struct listen_burst *b = calloc(1, sizeof(*b));
	for (unsigned i = 0; b && i < LISTEN_BURST; i++) {
		b->parts[i] = (struct iovec){.iov_base = b->data[i], .iov_len = sizeof(b->data[i])};
		b->messages[i].msg_hdr.msg_iov = &b->parts[i];
		b->messages[i].msg_hdr.msg_iovlen = 1;
		b->messages[i].msg_hdr.msg_name = &b->from[i];
	}
	return b;
}

void listen_burst_free(struct listen_burst *b)
{
	free(b);
}

unsigned listen_read(int fd, struct listen_burst *b)
{
	for (unsigned i = 0; i < LISTEN_BURST; i++)
		b->messages[i].msg_hdr.msg_namelen = sizeof(b->from[i]);
	int n = recvmmsg(fd, b->messages, LISTEN_BURST, MSG_DONTWAIT, NULL);
	return n > 0 ? (unsigned)n : 0;
}

struct listen_datagram listen_datagram(struct listen_burst *b, unsigned i)
{
	return (struct listen_datagram){
		.data = b->data[i],
		.len = b->messages[i].msg_len,
		.from = &b->from[i],
	};
}

// The count that SO_RXQ_OVFL would attach to datagrams, asked for: it is there without a datagram
// to carry it too.
uint32_t listen_drops(int fd)
{
	uint32_t info[SK_MEMINFO_VARS] = {};
	socklen_t len = sizeof(info);
	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len) < 0)
		return 0;
	return info[SK_MEMINFO_DROPS];
}
