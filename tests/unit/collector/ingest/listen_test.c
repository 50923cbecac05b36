// SPDX-License-Identifier: Apache-2.0
#include "collector/ingest/listen.h"
#include "lib/base/addr.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define RCVBUF (1 << 16)

static struct sockaddr_storage loopback(int family)
{
	struct sockaddr_storage sa = {.ss_family = (sa_family_t)family};
	if (family == AF_INET)
		((struct sockaddr_in *)&sa)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		((struct sockaddr_in6 *)&sa)->sin6_addr = in6addr_loopback;
	return sa;
}

static socklen_t len_of(const struct sockaddr_storage *sa)
{
	return sa->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static unsigned port_of(const struct sockaddr_storage *sa)
{
	return endpoint_port((const struct sockaddr *)sa);
}

static int open_udp(struct sockaddr_storage *sa)
{
	int granted = 0, fd = listen_udp(sa, RCVBUF, &granted);
	assert_true(fd >= 0);
	assert_true(granted > 0);
	return fd;
}

static int sender_to(const struct sockaddr_storage *sa)
{
	int fd = socket(sa->ss_family, SOCK_DGRAM, 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)sa, len_of(sa)), 0);
	return fd;
}

static void wait_for(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	assert_int_equal(poll(&p, 1, 5000), 1);
}

static void port_zero_becomes_a_port(void **) // IP-23
{
	struct sockaddr_storage sa = loopback(AF_INET);
	int fd = open_udp(&sa);
	assert_true(port_of(&sa) > 0);
	close(fd);
	sa = loopback(AF_INET);
	fd = listen_tcp(&sa);
	assert_true(fd >= 0);
	assert_true(port_of(&sa) > 0);
	close(fd);
}

static void sockets_of_several_threads_share_a_port(void **)
{
	struct sockaddr_storage sa = loopback(AF_INET);
	int first = open_udp(&sa), second;
	struct sockaddr_storage same = sa;
	second = open_udp(&same);
	assert_int_equal(port_of(&same), port_of(&sa));
	close(first);
	close(second);
	sa = loopback(AF_INET);
	first = listen_tcp(&sa);
	same = sa;
	second = listen_tcp(&same);
	assert_true(first >= 0 && second >= 0);
	assert_int_equal(port_of(&same), port_of(&sa));
	close(first);
	close(second);
}

static void port_of_somebody_else_is_refused(void **)
{
	struct sockaddr_storage sa = loopback(AF_INET);
	int other = socket(AF_INET, SOCK_DGRAM, 0), granted;
	socklen_t len = sizeof(sa);
	assert_int_equal(bind(other, (struct sockaddr *)&sa, len_of(&sa)), 0);
	assert_int_equal(getsockname(other, (struct sockaddr *)&sa, &len), 0);
	assert_int_equal(listen_udp(&sa, RCVBUF, &granted), -EADDRINUSE);
	close(other);
	sa = loopback(AF_INET);
	((struct sockaddr_in *)&sa)->sin_addr.s_addr = htonl(0xc6336401); // not of this host
	assert_int_equal(listen_udp(&sa, RCVBUF, &granted), -EADDRNOTAVAIL);
	assert_int_equal(listen_tcp(&sa), -EADDRNOTAVAIL);
}

static void bursts_are_read_in_order_with_their_senders(void **)
{
	struct sockaddr_storage sa = loopback(AF_INET);
	int fd = open_udp(&sa), from = sender_to(&sa);
	struct listen_burst *b = listen_burst_create();
	struct sockaddr_storage self;
	socklen_t len = sizeof(self);
	assert_non_null(b);
	assert_int_equal(listen_read(fd, b), 0); // nothing waits
	getsockname(from, (struct sockaddr *)&self, &len);
	for (uint8_t i = 0; i < LISTEN_BURST + 5; i++)
		assert_int_equal(send(from, &i, 1, 0), 1);
	uint8_t next = 0;
	static const unsigned sizes[] = {LISTEN_BURST, 5, 0};
	for (int round = 0; round < 3; round++) {
		unsigned n = listen_read(fd, b);
		assert_int_equal(n, sizes[round]);
		for (unsigned i = 0; i < n; i++) {
			struct listen_datagram d = listen_datagram(b, i);
			assert_int_equal(d.len, 1);
			assert_int_equal(d.data[0], next++);
			assert_int_equal(port_of(d.from), port_of(&self));
		}
	}
	assert_int_equal(listen_drops(fd), 0);
	listen_burst_free(b);
	close(from);
	close(fd);
}

static void datagrams_of_every_size_come_whole(void **) // IP-21
{
	static uint8_t data[65507]; // the most that UDP over IPv4 carries
	static const size_t sizes[] = {0, 1, 1500, 9000, sizeof(data)};
	struct sockaddr_storage sa = loopback(AF_INET);
	int granted, fd = listen_udp(&sa, 1 << 20, &granted), from = sender_to(&sa);
	struct listen_burst *b = listen_burst_create();
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_int_equal(send(from, data, sizes[i], 0), sizes[i]);
		wait_for(fd);
		assert_int_equal(listen_read(fd, b), 1);
		struct listen_datagram d = listen_datagram(b, 0);
		assert_int_equal(d.len, sizes[i]);
		assert_memory_equal(d.data, data, sizes[i]);
	}
	listen_burst_free(b);
	close(from);
	close(fd);
}

static void ipv6_is_listened_to(void **)
{
	struct sockaddr_storage sa = loopback(AF_INET6);
	int granted, fd = listen_udp(&sa, RCVBUF, &granted);
	if (fd == -EADDRNOTAVAIL || fd == -EAFNOSUPPORT)
		skip(); // no IPv6 here
	int from = sender_to(&sa);
	struct listen_burst *b = listen_burst_create();
	assert_int_equal(send(from, "x", 1, 0), 1);
	wait_for(fd);
	assert_int_equal(listen_read(fd, b), 1);
	struct addr a = addr_of_sockaddr((struct sockaddr *)listen_datagram(b, 0).from);
	assert_int_equal(a.b[15], 1);
	listen_burst_free(b);
	close(from);
	close(fd);
}

// Every datagram is either read or counted by the kernel.
static void drops_of_the_kernel_are_counted(void **)
{
	enum { SENT = 2000 };
	static uint8_t data[500];
	struct sockaddr_storage sa = loopback(AF_INET);
	int fd = open_udp(&sa), from = sender_to(&sa);
	struct listen_burst *b = listen_burst_create();
	for (int i = 0; i < SENT; i++)
		assert_int_equal(send(from, data, sizeof(data), 0), sizeof(data));
	unsigned n, n_read = 0;
	uint32_t drops = listen_drops(fd); // without a datagram to carry the count
	assert_true(drops > 0);
	while ((n = listen_read(fd, b)))
		n_read += n;
	assert_int_equal(n_read + drops, SENT);
	assert_int_equal(listen_drops(fd), drops); // since it was opened, not since the last look
	listen_burst_free(b);
	close(from);
	close(fd);
}

static void buffer_granted_is_said(void **)
{
	struct sockaddr_storage sa = loopback(AF_INET);
	int granted = 0, fd = listen_udp(&sa, 100000, &granted);
	assert_true(fd >= 0);
	assert_int_equal(granted, 100000);
	close(fd);
	sa = loopback(AF_INET);
	granted = 0;
	fd = listen_udp(&sa, 1 << 30, &granted); // more than most kernels allow without a right
	assert_true(fd >= 0);
	assert_true(granted > 0 && granted <= 1 << 30);
	close(fd);
	assert_int_equal(listen_drops(-1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(port_zero_becomes_a_port),
		cmocka_unit_test(sockets_of_several_threads_share_a_port),
		cmocka_unit_test(port_of_somebody_else_is_refused),
		cmocka_unit_test(bursts_are_read_in_order_with_their_senders),
		cmocka_unit_test(datagrams_of_every_size_come_whole),
		cmocka_unit_test(ipv6_is_listened_to),
		cmocka_unit_test(drops_of_the_kernel_are_counted),
		cmocka_unit_test(buffer_granted_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
