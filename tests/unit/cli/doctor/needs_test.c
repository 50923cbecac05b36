// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor/needs.h"
#include "lib/base/hugepages.h"
#include "tests/unit/tree.h"

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

static void the_defaults_listen_on_nothing(void **)
{
	struct needs n;
	assert_int_equal(needs_init(&n, NULL), CONFIG_RUN);
	assert_int_equal(n.doctor.ports.n + n.doctor.vdevs.n, 0);
	assert_false(n.doctor.has_capture || n.doctor.is_sensor);
	assert_int_equal(n.doctor.hugepage_len, hugepages_need(1, 16383));
	assert_int_equal(n.doctor.flow_len, 0);
	assert_int_equal(n.doctor.rcvbuf, 32 << 20);
	assert_string_equal(n.doctor.store_dir, "/var/lib/weir/store");
	assert_int_equal(n.doctor.listen.n, 3);
	needs_fini(&n);
}

static void settings_of_both_programs_are_read(void **state)
{
	struct needs n;
	char path[PATH_MAX];
	tree_file(
		*state,
		"/weir.yaml",
		"store: {dir: /data/weir}\n"
		"sensor:\n"
		"  ports: [\"0000:81:00.0\", \"0000:81:00.1\"]\n"
		"  queues: 4\n"
		"  mbufs: 65535\n"
		"  flows: 2M\n"
		"collector: {rcvbuf: 64 MiB, listen: [\"udp:0.0.0.0:9995\"]}\n"
		"api: {dns: off}\n"
	);
	tree_path(*state, "/weir.yaml", path);
	assert_int_equal(needs_init(&n, path), CONFIG_RUN);
	assert_int_equal(n.doctor.ports.n, 2);
	assert_string_equal(n.doctor.ports.items[1], "0000:81:00.1");
	assert_int_equal(n.doctor.n_queues, 4);
	assert_int_equal(n.doctor.hugepage_len, hugepages_need(2, 65535));
	assert_int_equal(n.doctor.flow_len, 8ull * (2 << 20) * 215);
	assert_int_equal(n.doctor.rcvbuf, 64 << 20);
	assert_string_equal(n.doctor.store_dir, "/data/weir");
	assert_string_equal(n.doctor.listen.items[0], "udp:0.0.0.0:9995");
	needs_fini(&n);
}

static void a_capture_has_one_worker(void **state)
{
	struct needs n;
	char path[PATH_MAX];
	tree_file(*state, "/weir.yaml", "sensor: {pcap: /a.pcap, queues: 4, flows: 1M}\n");
	tree_path(*state, "/weir.yaml", path);
	assert_int_equal(needs_init(&n, path), CONFIG_RUN);
	assert_true(n.doctor.has_capture);
	assert_int_equal(n.doctor.flow_len, 215ull << 20);
	needs_fini(&n);
}

static void bad_settings_end_with_their_status(void **state)
{
	struct needs n;
	char path[PATH_MAX];
	tree_file(*state, "/weir.yaml", "sensor: {queue: 4}\n");
	tree_path(*state, "/weir.yaml", path);
	assert_int_equal(needs_init(&n, path), CONFIG_EXIT_BAD);
	needs_fini(&n);
	tree_file(*state, "/weir.yaml", "collector: {rcvbuf: lots}\n");
	assert_int_equal(needs_init(&n, path), CONFIG_EXIT_BAD);
	needs_fini(&n);
	assert_int_equal(needs_init(&n, "/none.yaml"), CONFIG_EXIT_BAD);
	needs_fini(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_defaults_listen_on_nothing),
		cmocka_unit_test_setup_teardown(
			settings_of_both_programs_are_read, setup, teardown
		),
		cmocka_unit_test_setup_teardown(a_capture_has_one_worker, setup, teardown),
		cmocka_unit_test_setup_teardown(
			bad_settings_end_with_their_status, setup, teardown
		),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
