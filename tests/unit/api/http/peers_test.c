// SPDX-License-Identifier: Apache-2.0
#include "api/http/peers.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

static struct addr address(const char *text)
{
	struct addr a;
	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct addr numbered(unsigned n)
{
	uint8_t b[4] = {10, 0, (uint8_t)(n >> 8), (uint8_t)n};
	return addr_of_v4(b);
}

static void one_address_has_at_most_its_share(void **)
{
	struct peers *p = peers_create(100, 3);
	struct addr a = address("192.0.2.1"), b = address("192.0.2.2");
	for (int i = 0; i < 3; i++)
		assert_int_equal(peers_add(p, &a), 0);
	assert_int_equal(peers_add(p, &a), -EDQUOT);
	assert_int_equal(peers_add(p, &b), 0);
	assert_int_equal(peers_total(p), 4); // the refused one does not count
	peers_del(p, &a);
	assert_int_equal(peers_add(p, &a), 0);
	assert_int_equal(peers_add(p, &a), -EDQUOT);
	peers_free(p);
}

static void all_together_have_at_most_the_total(void **)
{
	struct peers *p = peers_create(5, 3);
	struct addr a;
	for (unsigned i = 0; i < 5; i++) {
		a = numbered(i);
		assert_int_equal(peers_add(p, &a), 0);
	}
	a = numbered(99);
	assert_int_equal(peers_add(p, &a), -EMFILE);
	a = numbered(0);
	assert_int_equal(peers_add(p, &a), -EMFILE);
	peers_del(p, &a);
	assert_int_equal(peers_total(p), 4);
	a = numbered(99);
	assert_int_equal(peers_add(p, &a), 0);
	peers_free(p);
}

static void an_ipv6_address_counts_for_its_64(void **)
{
	struct peers *p = peers_create(100, 2);
	struct addr a = address("2001:db8:1:2::1"), b = address("2001:db8:1:2:8000::");
	struct addr c = address("2001:db8:1:2:ffff::"), other = address("2001:db8:1:3::1");
	assert_int_equal(peers_add(p, &a), 0);
	assert_int_equal(peers_add(p, &b), 0);
	assert_int_equal(peers_add(p, &c), -EDQUOT);
	assert_int_equal(peers_add(p, &other), 0);
	peers_del(p, &c); // any of the /64 gives back for all of it
	assert_int_equal(peers_add(p, &a), 0);
	assert_int_equal(peers_add(p, &a), -EDQUOT);
	peers_free(p);
}

static void an_address_that_is_not_there_gives_nothing_back(void **)
{
	struct peers *p = peers_create(10, 2);
	struct addr a = numbered(1), b = numbered(2);
	assert_int_equal(peers_add(p, &a), 0);
	peers_del(p, &b);
	assert_int_equal(peers_total(p), 1);
	peers_del(p, &a);
	peers_del(p, &a);
	assert_int_equal(peers_total(p), 0);
	peers_free(p);
	peers_free(NULL);
}

static void one_connection_in_all_is_possible(void **)
{
	struct peers *p = peers_create(1, 1);
	struct addr a = numbered(1), b = numbered(2);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(peers_add(p, &a), 0);
		assert_int_equal(peers_add(p, &b), -EMFILE);
		peers_del(p, &a);
		assert_int_equal(peers_add(p, &b), 0);
		peers_del(p, &b);
	}
	peers_free(p);
}

// Comings and goings against plain counters: a slot lost or doubled when a gap is closed shows.
static void it_counts_as_plain_counters_do(void **)
{
	enum { N_ADDRS = 150, TOTAL = 100, EACH = 4 };
	struct peers *p = peers_create(TOTAL, EACH);
	unsigned count[N_ADDRS] = {}, total = 0, n_full = 0, n_quota = 0;
	srand(1);
	for (int round = 0; round < 200000; round++) {
		unsigned i = (unsigned)rand() % N_ADDRS;
		struct addr a = numbered(i);
		// ebb and flow, so that the table is full and empty in turns
		if (rand() % 100 < (round / 1000 % 2 ? 35 : 65)) {
			int want = total >= TOTAL ? -EMFILE : (count[i] >= EACH ? -EDQUOT : 0);
			assert_int_equal(peers_add(p, &a), want);
			n_full += want == -EMFILE;
			n_quota += want == -EDQUOT;
			count[i] += want == 0;
			total += want == 0;
		} else if (count[i]) {
			peers_del(p, &a);
			count[i]--;
			total--;
		}
		assert_int_equal(peers_total(p), total);
	}
	assert_true(n_full > 100 && n_quota > 100);
	for (unsigned i = 0; i < N_ADDRS; i++)
		for (struct addr a = numbered(i); count[i]; count[i]--)
			peers_del(p, &a);
	assert_int_equal(peers_total(p), 0);
	peers_free(p);
}

static void *come_and_go(void *arg)
{
	for (unsigned i = 0; i < 20000; i++) {
		struct addr a = numbered(i % 7);
		if (peers_add(arg, &a) == 0)
			peers_del(arg, &a);
	}
	return NULL;
}

static void threads_may_use_it_at_once(void **)
{
	struct peers *p = peers_create(3, 2);
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, p), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(peers_total(p), 0);
	peers_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_address_has_at_most_its_share),
		cmocka_unit_test(all_together_have_at_most_the_total),
		cmocka_unit_test(an_ipv6_address_counts_for_its_64),
		cmocka_unit_test(an_address_that_is_not_there_gives_nothing_back),
		cmocka_unit_test(one_connection_in_all_is_possible),
		cmocka_unit_test(it_counts_as_plain_counters_do),
		cmocka_unit_test(threads_may_use_it_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
