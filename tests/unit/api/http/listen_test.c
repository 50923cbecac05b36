// SPDX-License-Identifier: Apache-2.0
#include "api/http/listen.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct listener good(const char *spec)
{
	struct listener l = {.fd = -1};
	int ret = listen_open(spec, &l);
	if (ret < 0)
		fail_msg("%s: %s", spec, strerror(-ret));
	assert_true(l.fd >= 0);
	return l;
}

static unsigned port_of(const struct listener *l)
{
	return (unsigned)atoi(strrchr(l->text, ':') + 1);
}

// Connects and says a word; what is accepted and reads the same is this listener.
static void check_connects(const struct listener *l)
{
	struct endpoint ep;
	char word[4] = "";
	static const char *const kinds[] = {"tcp", NULL};
	assert_int_equal(endpoint_parse(l->text, kinds, &ep), 0);
	int client = socket(ep.sa.ss_family, SOCK_STREAM, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&ep.sa, ep.len), 0);
	assert_int_equal(send(client, "hey", 3, MSG_NOSIGNAL), 3);
	int server = -1;
	for (int i = 0; i < 2000 && server < 0; i++, usleep(1000))
		server = accept(l->fd, NULL, NULL);
	assert_true(server >= 0);
	assert_int_equal(recv(server, word, 3, 0), 3);
	assert_string_equal(word, "hey");
	close(server);
	close(client);
}

static void a_listener_knows_the_port_it_got(void **)
{
	struct listener l = good("https:127.0.0.1:0");
	assert_int_equal(strncmp(l.text, "127.0.0.1:", 10), 0);
	assert_in_range(port_of(&l), 1, 65535);
	assert_true(l.tls);
	check_connects(&l);
	close(l.fd);
}

static void the_kind_decides_about_tls(void **)
{
	struct listener l = good("http:127.0.0.1:0");
	assert_false(l.tls);
	close(l.fd);
	l = good("127.0.0.1:0"); // https is meant when nothing is said
	assert_true(l.tls);
	close(l.fd);
}

static void sockets_do_not_block_and_are_not_inherited(void **)
{
	struct listener l = good("127.0.0.1:0");
	assert_true(fcntl(l.fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(l.fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(accept(l.fd, NULL, NULL), -1);
	assert_int_equal(errno, EAGAIN);
	close(l.fd);
}

static void an_address_in_use_is_said_so(void **)
{
	struct listener l = good("127.0.0.1:0"), second = {.fd = 77};
	assert_int_equal(listen_open(l.text, &second), -EADDRINUSE);
	assert_int_equal(second.fd, 77);
	close(l.fd);
	second = good(l.text); // and is free again at once
	close(second.fd);
}

static void an_address_of_somebody_else_is_said_so(void **)
{
	struct listener l = {.fd = 77};
	assert_int_equal(listen_open("192.0.2.1:0", &l), -EADDRNOTAVAIL);
	assert_int_equal(l.fd, 77);
}

static void both_families_may_listen_on_one_port(void **)
{
	char spec[32];
	int probe = socket(AF_INET6, SOCK_STREAM, 0);
	if (probe < 0)
		skip(); // a machine without IPv6
	close(probe);
	struct listener six = good("[::]:0");
	snprintf(spec, sizeof(spec), "0.0.0.0:%u", port_of(&six));
	struct listener four = good(spec);
	assert_int_equal(strncmp(six.text, "[::]:", 5), 0);
	snprintf(six.text, sizeof(six.text), "[::1]:%u", port_of(&six));
	snprintf(four.text, sizeof(four.text), "127.0.0.1:%u", port_of(&four));
	check_connects(&six);
	check_connects(&four);
	close(six.fd);
	close(four.fd);
}

static void other_forms_are_refused(void **)
{
	static const char *const specs[] = {
		"",
		"https",
		"https:",
		"8443",
		"127.0.0.1",
		"::1:80",
		"tcp:127.0.0.1:1",
		"https:127.0.0.1:65536",
		"https://127.0.0.1:1"};
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct listener l = {.fd = 77};
		assert_true(listen_open(specs[i], &l) < 0);
		assert_int_equal(l.fd, 77);
	}
}

static int count_fds(void)
{
	int n = 0;
	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void a_failure_leaves_no_socket_open(void **)
{
	struct listener l = good("127.0.0.1:0"), other;
	int before = count_fds();
	for (int i = 0; i < 20; i++) {
		assert_true(listen_open(l.text, &other) < 0);
		assert_true(listen_open("192.0.2.1:0", &other) < 0);
		assert_true(listen_open("nonsense", &other) < 0);
	}
	assert_int_equal(count_fds(), before);
	close(l.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_listener_knows_the_port_it_got),
		cmocka_unit_test(the_kind_decides_about_tls),
		cmocka_unit_test(sockets_do_not_block_and_are_not_inherited),
		cmocka_unit_test(an_address_in_use_is_said_so),
		cmocka_unit_test(an_address_of_somebody_else_is_said_so),
		cmocka_unit_test(both_families_may_listen_on_one_port),
		cmocka_unit_test(other_forms_are_refused),
		cmocka_unit_test(a_failure_leaves_no_socket_open),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
