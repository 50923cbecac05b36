// SPDX-License-Identifier: Apache-2.0
#include "cli/raw.h"

#include "cli/account.h"
#include "cli/progress.h"
#include "lib/base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define EXPORTERS_MAX 512 // further ones share the sockets of these
#define WINDOW 64	  // datagrams under way: far fewer than the smallest receive buffer holds
#define PATIENCE_NS (200 * NS_PER_MSEC) // then what is under way counts as lost

struct exporter {
	struct addr addr;
	uint16_t port;
	int fd;
};

struct raw {
	struct endpoint to;
	const char *control;
	struct account before;
	bool is_open; // the account before has been taken
	struct raw_counts counts;
	uint64_t lost; // given up waiting for
	struct exporter exporters[EXPORTERS_MAX];
};

struct raw *raw_create(const struct endpoint *to, const char *control)
{
	struct raw *r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->to = *to;
	r->control = control;
	return r;
}

static bool bind_to(int fd, int family, const struct addr *a, uint16_t port)
{
	struct sockaddr_in sa4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 sa6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	memcpy(&sa4.sin_addr, a->b + 12, 4);
	memcpy(&sa6.sin6_addr, a->b, 16);
	if (family == AF_INET)
		return addr_is_v4(a) && bind(fd, (struct sockaddr *)&sa4, sizeof(sa4)) == 0;
	return bind(fd, (struct sockaddr *)&sa6, sizeof(sa6)) == 0;
}

static int open_socket(struct raw *r, const struct addr *a, uint16_t port)
{
	int family = r->to.sa.ss_family;
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	r->counts.kept += bind_to(fd, family, a, port) || bind_to(fd, family, a, 0);
	if (connect(fd, (struct sockaddr *)&r->to.sa, r->to.len) < 0) {
		int ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

// The exporter's socket, or -errno.
static int socket_of(struct raw *r, const struct datagram *d)
{
	uint32_t n = r->counts.exporters;
	for (uint32_t i = 0; i < n; i++) {
		const struct exporter *e = &r->exporters[i];
		if (e->port == d->sport && addr_eq(&e->addr, &d->src))
			return e->fd;
	}
	if (n == EXPORTERS_MAX)
		return r->exporters[d->sport % n].fd;
	int fd = open_socket(r, &d->src, d->sport);
	if (fd < 0)
		return fd;
	r->exporters[n] = (struct exporter){.addr = d->src, .port = d->sport, .fd = fd};
	r->counts.exporters++;
	return fd;
}

// Waits until the collector has read what was sent but for less than a window.
static int keep_window(struct raw *r)
{
	char error[256];
	struct account now;
	if (!r->control || r->counts.sent % WINDOW)
		return 0;
	if (!r->is_open) {
		r->is_open = true;
		return account_ask(r->control, &r->before, error);
	}
	for (uint64_t until = clock_mono_ns() + PATIENCE_NS;;) {
		int ret = account_ask(r->control, &now, error);
		if (ret < 0)
			return ret;
		uint64_t read = account_grown(&r->before, &now, LEDGER_datagrams);
		if (read + r->lost + WINDOW > r->counts.sent || progress_stopped())
			return 0;
		if (clock_mono_ns() > until) {
			r->lost = r->counts.sent - read;
			return 0;
		}
		usleep(200);
	}
}

int raw_send(struct raw *r, const struct datagram *d)
{
	int ret = keep_window(r);
	int fd = ret < 0 ? ret : socket_of(r, d);
	if (fd < 0)
		return fd;
	for (int i = 0; i < 2; i++) { // the first may tell of an earlier one's ICMP error
		if (send(fd, d->data, d->len, MSG_NOSIGNAL) >= 0) {
			r->counts.sent++;
			return 0;
		}
		ret = -errno;
	}
	return ret;
}

void raw_finish(struct raw *r, struct raw_counts *ret_counts)
{
	*ret_counts = r->counts;
	for (uint32_t i = 0; i < r->counts.exporters; i++)
		close(r->exporters[i].fd);
	free(r);
}
