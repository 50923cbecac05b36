// SPDX-License-Identifier: Apache-2.0
#include "api/query/traffic.h"
#include "tests/unit/api/query/held.h"

#include <errno.h>

#define BIT(class) (1u << TRAFFIC_##class)

static void kinds_follow_from_the_far_port(void **)
{
	static const struct {
		uint8_t proto;
		uint16_t port;
		unsigned classes;
	} cases[] = {
		{6, 443, BIT(TCP) | BIT(WEB)},
		{6, 80, BIT(TCP) | BIT(WEB)},
		{6, 20, BIT(TCP) | BIT(FTP)},
		{6, 21, BIT(TCP) | BIT(FTP)},
		{6, 25, BIT(TCP) | BIT(MAIL)},
		{6, 587, BIT(TCP) | BIT(MAIL)},
		{6, 53, BIT(TCP) | BIT(DNS)},
		{6, 3128, BIT(TCP) | BIT(PROXY)},
		{6, 8888, BIT(TCP) | BIT(PROXY)},
		{6, 5060, BIT(TCP)},
		{17, 53, BIT(UDP) | BIT(DNS)},
		{17, 1701, BIT(UDP) | BIT(VPN)},
		{17, 51820, BIT(UDP) | BIT(VPN)},
		{17, 443, BIT(UDP) | BIT(QUIC)},
		{17, 5060, BIT(UDP) | BIT(SIP)},
		{17, 25, BIT(UDP)},
		{47, 0, BIT(VPN)},
		{50, 0, BIT(VPN)},
		{1, 0, BIT(ICMP)},
		{58, 0, BIT(ICMP)},
		{132, 443, 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
			traffic_classes(cases[i].proto, cases[i].port),
			cases[i].classes | BIT(TOTAL)
		);
}

// All of a host's bytes, by looking at every row.
static void
naive(const struct held *h, const struct addr *host, uint64_t *ret_received, uint64_t *ret_sent)
{
	*ret_received = *ret_sent = 0;
	for (uint32_t i = 0; i < h->all->n_rows; i++) {
		struct record r;
		record_batch_get(h->all, i, &r);
		if (r.start_ns < h->window.from_ns || r.start_ns > h->window.to_ns)
			continue;
		if (addr_eq(&r.src, host)) {
			*ret_sent += r.bytes;
			*ret_received += r.rev_bytes;
		}
		if (addr_eq(&r.dst, host)) {
			*ret_received += r.bytes;
			*ret_sent += r.rev_bytes;
		}
	}
}

static void bins_are_what_the_host_has(void **state)
{
	struct held *h = *state;
	struct addr host = rows_addr();
	uint64_t want[2];
	naive(h, &host, &want[0], &want[1]);
	for (int sent = 0; sent < 2; sent++) {
		struct traffic_bin bins[36] = {};
		struct traffic t = {
			.from_ns = h->window.from_ns,
			.bin_ns = NS_PER_HOUR / 12,
			.n_bins = 36,
			.bins = bins,
			.sent = sent,
			.host = &host,
		};
		struct run run = held_run(h);
		assert_int_equal(traffic_run(&t, &run), 0);
		uint64_t total = 0;
		for (int i = 0; i < 36; i++) {
			total += bins[i].bytes[TRAFFIC_TOTAL];
			assert_true(
				bins[i].bytes[TRAFFIC_TOTAL] >= bins[i].bytes[TRAFFIC_TCP] +
									bins[i].bytes[TRAFFIC_UDP] +
									bins[i].bytes[TRAFFIC_ICMP]
			);
		}
		assert_int_equal(total, want[sent]);
	}
}

// What one of our networks sends within itself is sent once and received once.
static void networks_count_each_end_that_is_ours(void **state)
{
	struct held *h = *state;
	struct prefix net;
	uint64_t want = 0, got = 0;
	assert_int_equal(prefix_parse("10.0.1.0/24", &net), 0);
	for (uint32_t i = 0; i < h->all->n_rows; i++) {
		struct record r;
		record_batch_get(h->all, i, &r);
		want += prefix_contains(&net, &r.dst) ? r.bytes : 0;
		want += prefix_contains(&net, &r.src) ? r.rev_bytes : 0;
	}
	struct traffic_bin bins[36] = {};
	struct traffic t = {
		.from_ns = h->window.from_ns,
		.bin_ns = NS_PER_HOUR / 12,
		.n_bins = 36,
		.bins = bins,
		.nets = &net,
		.n_nets = 1,
	};
	struct run run = held_run(h);
	assert_int_equal(traffic_run(&t, &run), 0);
	for (int i = 0; i < 36; i++)
		got += bins[i].bytes[TRAFFIC_TOTAL];
	assert_int_equal(got, want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_follow_from_the_far_port),
		cmocka_unit_test_setup_teardown(
			bins_are_what_the_host_has, held_set_up, held_tear_down
		),
		cmocka_unit_test_setup_teardown(
			networks_count_each_end_that_is_ours, held_set_up, held_tear_down
		),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
