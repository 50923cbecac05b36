// SPDX-License-Identifier: Apache-2.0
#include "collector/hunt/join.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>

static uint64_t state = 0x2545f4914f6cdd1d;

static uint32_t draw(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 32) * n >> 32);
}

static struct addr some_addr(void)
{
	return addr_of_v4((uint8_t[]){10, (uint8_t)draw(2), (uint8_t)draw(4), (uint8_t)draw(256)});
}

static int cmp(const void *left, const void *right)
{
	return addr_cmp(left, right);
}

static void
join_part(struct prey *p, const struct quarry *q, const struct addr *hosts, uint32_t n, size_t *at)
{
	struct table_index *part = calloc(1, sizeof(*part));
	part->n = n;
	for (uint32_t i = 0; i < n; i++) {
		unsigned __int128 v = addr_number(&hosts[i]);
		part->hi[i] = (uint64_t)(v >> 64);
		part->lo[i] = (uint64_t)v;
	}
	assert_int_equal(prey_join(p, q, part, at), 0);
	free(part);
}

static void one_join(size_t n_nets, uint32_t n_hosts)
{
	struct intel_list *l = intel_list_create("feed");
	struct intel_options o = {.n_threads = 1};
	char error[INTEL_ERROR_LEN];
	struct intel_db *db;
	struct ids ids;
	struct quarry q;
	struct prey p = {};
	struct addr *hosts = calloc(n_hosts + 1, sizeof(*hosts));
	for (size_t i = 0; i < n_nets; i++) {
		struct indicator x = {.type = INDICATOR_NET, .score = 1};
		struct addr a = some_addr();
		x.net.len = (uint8_t)(128 - draw(9));
		for (unsigned bit = 0; bit < x.net.len; bit++)
			x.net.addr.b[bit / 8] |= (uint8_t)(a.b[bit / 8] & (0x80 >> bit % 8));
		assert_int_equal(intel_list_add(l, &x, ""), 0);
	}
	for (uint32_t i = 0; i < n_hosts; i++)
		hosts[i] = some_addr();
	qsort(hosts, n_hosts, sizeof(*hosts), cmp);
	assert_int_equal(intel_db_create(&l, 1, &o, &db, error), 0);
	assert_int_equal(ids_of(db, &ids), 0);
	assert_int_equal(quarry_init(&q, db, &ids), 0);
	// in two parts, as a table has them
	size_t at = 0;
	join_part(&p, &q, hosts, n_hosts / 2, &at);
	join_part(&p, &q, hosts + n_hosts / 2, n_hosts - n_hosts / 2, &at);
	assert_int_equal(prey_index(&p), 0);
	size_t expected = 0;
	for (uint32_t i = 0; i < n_hosts; i++) {
		bool any = false;
		for (size_t k = 0; k < l->n; k++)
			any |= prefix_contains(&l->items[k].net, &hosts[i]);
		expected += any;
		assert_int_equal(quarry_has(&q, &hosts[i]), any);
		assert_int_equal(prey_has(&p, &hosts[i]), any);
	}
	assert_int_equal(p.n, expected);
	prey_fini(&p);
	quarry_fini(&q);
	ids_free(&ids);
	intel_db_put(db);
	intel_list_put(l);
	free(hosts);
}

static void finds_the_hosts_that_lie_in_the_networks(void **)
{
	static const size_t nets[] = {0, 1, 2, 5, 30, 200};
	static const uint32_t hosts[] = {0, 1, 2, 7, 100, 2000};
	for (size_t i = 0; i < 6; i++)
		for (size_t k = 0; k < 6; k++)
			one_join(nets[i], hosts[k]);
}

static void ids_are_told_apart_kept_and_read_again(void **)
{
	char path[] = "/tmp/weir-ids-XXXXXX";
	uint64_t a[] = {1, 5, 9}, b[] = {2, 5};
	struct ids now = {a, 3}, before = {b, 2}, fresh, back;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(ids_new(&now, &before, &fresh), 0);
	assert_int_equal(fresh.n, 2);
	assert_int_equal(fresh.v[0], 1);
	assert_int_equal(fresh.v[1], 9);
	assert_true(ids_has(&now, 5));
	assert_false(ids_has(&now, 6));
	assert_int_equal(ids_save(path, &now), 0);
	assert_int_equal(ids_load(path, &back), 0);
	assert_int_equal(back.n, 3);
	assert_int_equal(ids_hash(&back), ids_hash(&now));
	ids_free(&back);
	// a damaged file is an empty set: everything is hunted for again
	FILE *file = fopen(path, "r+e");
	assert_non_null(file);
	fseek(file, 30, SEEK_SET);
	fputc(0x55, file);
	fclose(file);
	assert_int_equal(ids_load(path, &back), 0);
	assert_int_equal(back.n, 0);
	ids_free(&back);
	assert_int_equal(ids_load("/nowhere/at/all", &back), 0);
	assert_int_equal(back.n, 0);
	ids_free(&back);
	ids_free(&fresh);
	remove(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_hosts_that_lie_in_the_networks),
		cmocka_unit_test(ids_are_told_apart_kept_and_read_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
