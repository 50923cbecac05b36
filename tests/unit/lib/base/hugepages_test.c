// SPDX-License-Identifier: Apache-2.0
#include "lib/base/hugepages.h"
#include "tests/unit/tree.h"

static void need_grows_with_ports_and_their_buffers(void **)
{
	uint64_t base = hugepages_need(0, 16383);
	assert_true(base >= 64ull << 20 && base <= 256ull << 20);
	assert_int_equal(hugepages_need(2, 16383) - base, 2 * (hugepages_need(1, 16383) - base));
	// a buffer is 2048 bytes, its headroom 128, its header 128
	assert_true(hugepages_need(1, 1000) - base >= 1000 * 2304);
}

static void pools_are_read_in_rising_order(void **state)
{
	struct hugepages_pool pools[HUGEPAGES_POOLS_MAX];
	unsigned n;
	tree_hugepages(*state, -1, 1048576, 4, 3);
	tree_hugepages(*state, -1, 2048, 512, 100);
	tree_dir(*state, "/sys/kernel/mm/hugepages/other");
	assert_int_equal(hugepages_read(((struct tree *)*state)->root, -1, pools, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(pools[0].page_len, 2 << 20);
	assert_int_equal(pools[0].n_total, 512);
	assert_int_equal(pools[1].n_free, 3);
	assert_int_equal(hugepages_free_len(pools, n), (100ull << 21) + (3ull << 30));
}

static void a_node_has_its_own(void **state)
{
	struct hugepages_pool pools[HUGEPAGES_POOLS_MAX];
	unsigned n;
	tree_hugepages(*state, 1, 2048, 7, 5);
	assert_int_equal(hugepages_read(((struct tree *)*state)->root, 1, pools, &n), 0);
	assert_int_equal(pools[0].n_free, 5);
	assert_int_equal(hugepages_read(((struct tree *)*state)->root, 2, pools, &n), -ENOENT);
}

static void a_kernel_without_hugepages_is_told(void **state)
{
	struct hugepages_pool pools[HUGEPAGES_POOLS_MAX];
	unsigned n;
	const char *root = ((struct tree *)*state)->root;
	assert_int_equal(hugepages_read(root, -1, pools, &n), -ENOENT);
	tree_dir(*state, "/sys/kernel/mm/hugepages");
	assert_int_equal(hugepages_read(root, -1, pools, &n), -ENOENT);
}

static void what_is_no_number_counts_as_none(void **state)
{
	struct hugepages_pool pools[HUGEPAGES_POOLS_MAX];
	unsigned n;
	tree_file(*state, "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "many\n");
	assert_int_equal(hugepages_read(((struct tree *)*state)->root, -1, pools, &n), 0);
	assert_int_equal(pools[0].n_free + pools[0].n_total, 0);
}

static int setup(void **state)
{
	static struct tree t;
	tree_init(&t);
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	tree_fini(*state);
	return 0;
}

#define with_tree(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(need_grows_with_ports_and_their_buffers),
		with_tree(pools_are_read_in_rising_order),
		with_tree(a_node_has_its_own),
		with_tree(a_kernel_without_hugepages_is_told),
		with_tree(what_is_no_number_counts_as_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
