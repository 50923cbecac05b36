// SPDX-License-Identifier: Apache-2.0
#include "sensor/af_packet.h"

#include <linux/if_packet.h>
#include <stdbool.h>
#include <sys/socket.h>

#define FDS_MAX 4096 // looked at: descriptors are given out from the lowest on

static bool has(const struct af_packet *a, int fd)
{
	for (unsigned i = 0; a && i < a->n; i++)
		if (a->fds[i] == fd)
			return true;
	return false;
}

void af_packet_find(struct af_packet *ret_sockets, const struct af_packet *except)
{
	*ret_sockets = (struct af_packet){};
	for (int fd = 0; fd < FDS_MAX && ret_sockets->n < AF_PACKET_SOCKETS_MAX; fd++) {
		int domain = 0;
		socklen_t len = sizeof(domain);
		if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
		    domain == AF_PACKET && !has(except, fd))
			ret_sockets->fds[ret_sockets->n++] = fd;
	}
}

uint64_t af_packet_drops(struct af_packet *a)
{
	for (unsigned i = 0; i < a->n; i++) {
		struct tpacket_stats stats = {};
		socklen_t len = sizeof(stats);
		if (getsockopt(a->fds[i], SOL_PACKET, PACKET_STATISTICS, &stats, &len) == 0)
			a->drops += stats.tp_drops;
	}
	return a->drops;
}
