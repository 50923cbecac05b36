// SPDX-License-Identifier: Apache-2.0
#include "lib/base/endpoint.h"

#include "lib/base/addr.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Takes "kind:" off the front of *text; the kind's index, 0 when none is named.
static int endpoint_kind(const char **text, const char *const *kinds)
{
	for (int i = 0; kinds[i]; i++) {
		size_t n = strlen(kinds[i]);
		if (strncmp(*text, kinds[i], n) == 0 && (*text)[n] == ':') {
			*text += n + 1;
			return i;
		}
	}
	return 0;
}

int endpoint_parse(const char *text, const char *const *kinds, struct endpoint *ret_endpoint)
{
	struct endpoint ep = {};
	char host[256];

	ep.kind = endpoint_kind(&text, kinds);
	const char *colon = strrchr(text, ':');
	if (!colon || colon == text)
		return -EINVAL;
	size_t n = (size_t)(colon - text);
	if (text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	} else if (memchr(text, ':', n)) {
		return -EINVAL; // an unknown kind, or IPv6 without brackets
	}
	char *end;
	unsigned long port = strtoul(colon + 1, &end, 10);
	if (n == 0 || n >= sizeof(host) || colon[1] < '0' || colon[1] > '9' || *end || port > 65535)
		return -EINVAL;
	memcpy(host, text, n);
	host[n] = '\0';

	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	if (getaddrinfo(host, colon + 1, &hints, &found) != 0 || !found)
		return -EHOSTUNREACH;
	memcpy(&ep.sa, found->ai_addr, found->ai_addrlen);
	ep.len = found->ai_addrlen;
	freeaddrinfo(found);
	*ret_endpoint = ep;
	return 0;
}

unsigned endpoint_port(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)(const void *)sa)->sin_port);
	if (sa->sa_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)(const void *)sa)->sin6_port);
	return 0;
}

void endpoint_set_port(struct sockaddr *sa, unsigned port)
{
	if (sa->sa_family == AF_INET)
		((struct sockaddr_in *)(void *)sa)->sin_port = htons((uint16_t)port);
	else if (sa->sa_family == AF_INET6)
		((struct sockaddr_in6 *)(void *)sa)->sin6_port = htons((uint16_t)port);
}

const char *endpoint_format(const struct sockaddr *sa, char text[static ENDPOINT_TEXT_LEN])
{
	char host[ADDR_TEXT_LEN];
	struct addr a = addr_of_sockaddr(sa);
	addr_format(&a, host);
	const char *form = strchr(host, ':') ? "[%s]:%u" : "%s:%u";
	snprintf(text, ENDPOINT_TEXT_LEN, form, host, endpoint_port(sa));
	return text;
}
