// SPDX-License-Identifier: Apache-2.0
#include "lib/base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

struct addr addr_of_sockaddr(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET)
		return addr_of_v4(&((const struct sockaddr_in *)(const void *)sa)->sin_addr);
	if (sa->sa_family == AF_INET6)
		return addr_of_v6(&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr);
	return (struct addr){};
}

int addr_parse(const char *text, struct addr *ret_addr)
{
	uint8_t bytes[16];
	if (inet_pton(AF_INET, text, bytes) == 1) {
		*ret_addr = addr_of_v4(bytes);
		return 0;
	}
	if (inet_pton(AF_INET6, text, bytes) == 1) {
		*ret_addr = addr_of_v6(bytes);
		return 0;
	}
	return -EINVAL;
}

const char *addr_format(const struct addr *a, char text[static ADDR_TEXT_LEN])
{
	const char *done = addr_is_v4(a) ? inet_ntop(AF_INET, a->b + 12, text, ADDR_TEXT_LEN)
					 : inet_ntop(AF_INET6, a->b, text, ADDR_TEXT_LEN);
	return done ? done : strcpy(text, "?");
}

// A's first `len` bits, the rest 0.
static struct addr addr_masked(const struct addr *a, unsigned len)
{
	struct addr m = {};
	memcpy(m.b, a->b, len / 8);
	if (len % 8)
		m.b[len / 8] = (uint8_t)(a->b[len / 8] & (0xff00 >> (len % 8)));
	return m;
}

int prefix_parse(const char *text, struct prefix *ret_prefix)
{
	char host[ADDR_TEXT_LEN];
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	struct addr a;

	if (n >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, n);
	host[n] = '\0';
	if (addr_parse(host, &a) < 0)
		return -EINVAL;

	unsigned long max = strchr(host, ':') ? 128 : 32, len = max;
	if (slash) {
		char *end;
		if (slash[1] < '0' || slash[1] > '9')
			return -EINVAL;
		len = strtoul(slash + 1, &end, 10);
		if (*end || len > max)
			return -EINVAL;
	}
	len += 128 - max;
	struct addr net = addr_masked(&a, (unsigned)len);
	if (!addr_eq(&net, &a))
		return -EINVAL;
	*ret_prefix = (struct prefix){.addr = a, .len = (uint8_t)len};
	return 0;
}

bool prefix_contains(const struct prefix *p, const struct addr *a)
{
	struct addr net = addr_masked(a, p->len);
	return addr_eq(&net, &p->addr);
}
