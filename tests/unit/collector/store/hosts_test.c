// SPDX-License-Identifier: Apache-2.0
#include "collector/store/hosts.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/rows.h"

static struct addr numbered(uint32_t i)
{
	uint8_t b[16] = {0x20, 1, 13, 0xb8};
	memcpy(b + 4, &i, sizeof(i));
	return addr_of_v6(b);
}

static void an_address_keeps_its_entry_as_the_table_grows(void **state)
{
	struct hosts h;
	(void)state;
	hosts_init(&h, SIZE_MAX);
	for (uint32_t i = 0; i < 50000; i++) {
		struct addr addr = numbered(i);
		struct rollup_host *entry = hosts_at(&h, &addr);
		assert_non_null(entry);
		assert_true(addr_eq(&entry->addr, &addr));
		assert_int_equal(entry->out_flows, 0);
		entry->out_flows = i + 1;
	}
	assert_int_equal(h.n, 50000);
	for (uint32_t i = 0; i < 50000; i++) {
		struct addr addr = numbered(i);
		assert_int_equal(hosts_at(&h, &addr)->out_flows, i + 1);
	}
	assert_int_equal(h.n, 50000);
	hosts_fini(&h);
}

static void addresses_that_differ_in_one_bit_are_different(void **state)
{
	struct hosts h;
	struct addr addr = {0};
	(void)state;
	hosts_init(&h, SIZE_MAX);
	assert_non_null(hosts_at(&h, &addr));
	for (int bit = 0; bit < 128; bit++) {
		addr.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_non_null(hosts_at(&h, &addr));
		assert_int_equal(h.n, bit + 2);
		addr.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	hosts_fini(&h);
}

static void a_full_table_takes_no_new_hosts_and_keeps_the_old(void **state)
{
	struct hosts h;
	(void)state;
	hosts_init(&h, 1024);
	for (uint32_t i = 0; i < 1024; i++) {
		struct addr addr = numbered(i);
		assert_non_null(hosts_at(&h, &addr));
	}
	for (uint32_t i = 0; i < 3000; i++) {
		struct addr addr = numbered(i);
		struct rollup_host *entry = hosts_at(&h, &addr);
		assert_int_equal(entry != NULL, i < 1024);
	}
	assert_int_equal(h.n, 1024);
	assert_true(h.n_slots <= 4096);
	hosts_fini(&h);
}

static void no_hosts_at_all_may_be_the_bound(void **state)
{
	struct hosts h;
	struct addr addr = {0};
	(void)state;
	hosts_init(&h, 0);
	assert_null(hosts_at(&h, &addr));
	hosts_fini(&h);
	hosts_fini(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_keeps_its_entry_as_the_table_grows),
		cmocka_unit_test(addresses_that_differ_in_one_bit_are_different),
		cmocka_unit_test(a_full_table_takes_no_new_hosts_and_keeps_the_old),
		cmocka_unit_test(no_hosts_at_all_may_be_the_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
