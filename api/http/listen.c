// SPDX-License-Identifier: Apache-2.0
#include "api/http/listen.h"

#include "api/config.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

#define BACKLOG 512

int listen_open(const char *spec, struct listener *ret_listener)
{
	struct endpoint ep;
	struct sockaddr_storage bound;
	socklen_t len = sizeof(bound);
	int on = 1, defer_sec = 5;

	int ret = endpoint_parse(spec, api_listen_kinds, &ep);
	if (ret < 0)
		return ret;
	int fd = socket(ep.sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (ep.sa.ss_family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &defer_sec, sizeof(defer_sec)) < 0 ||
	    bind(fd, (struct sockaddr *)&ep.sa, ep.len) < 0 || listen(fd, BACKLOG) < 0 ||
	    getsockname(fd, (struct sockaddr *)&bound, &len) < 0) {
		ret = -errno;
		close(fd);
		return ret;
	}
	ret_listener->fd = fd;
	ret_listener->tls = ep.kind == API_LISTEN_HTTPS;
	endpoint_format((struct sockaddr *)&bound, ret_listener->text);
	return 0;
}
