// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor/doctor.h"
#include "lib/doctor/doctor.h"
#include "tests/unit/lib/doctor/nictree.h"

#include <jansson.h>

#include <getopt.h>

#define OUT_LEN 65536

static struct tree tree;
static char out[OUT_LEN];

// Runs the command on the false machine; its status, what it wrote in `out`.
static int run(const char *const *words)
{
	char *argv[16] = {(char *)"doctor", (char *)"--sysroot", tree.root};
	int argc = 3;
	FILE *file = tmpfile();
	assert_non_null(file);
	while (*words)
		argv[argc++] = (char *)*words++;
	fflush(stdout);
	int saved = dup(STDOUT_FILENO);
	dup2(fileno(file), STDOUT_FILENO);
	optind = 0;
	int ret = doctor_main(argc, argv);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	rewind(file);
	out[fread(out, 1, OUT_LEN - 1, file)] = '\0';
	fclose(file);
	return ret;
}

static void settings(const char *text, char path[static PATH_MAX])
{
	tree_file(&tree, "/weir.yaml", text);
	tree_path(&tree, "/weir.yaml", path);
}

static json_t *parsed(void)
{
	json_t *all = json_loads(out, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(all);
	return all;
}

static void json_has_every_check_and_card(void **)
{
	tree_nic(
		&tree,
		&(struct nic_options
		){.bdf = "0000:81:00.0",
		  .id = "8086:10fb",
		  .driver = "ixgbe",
		  .netdev = "eth2",
		  .node = -1,
		  .group = 3}
	);
	assert_int_equal(run((const char *[]){"-o", "json", NULL}), 0);
	json_t *all = parsed(), *checks = json_object_get(all, "checks");
	assert_string_equal(json_string_value(json_object_get(all, "status")), "warning");
	assert_true(json_is_null(json_object_get(all, "settings")));
	for (const struct doctor_check *c = doctor_checks; c->name; c++) {
		size_t i, n = 0;
		json_t *row;
		json_array_foreach(checks, i, row) n +=
			strcmp(json_string_value(json_object_get(row, "check")), c->name) == 0;
		assert_true(n >= 1);
	}
	json_t *nic = json_array_get(json_object_get(all, "nics"), 0);
	assert_string_equal(json_string_value(json_object_get(nic, "bdf")), "0000:81:00.0");
	assert_string_equal(json_string_value(json_object_get(nic, "id")), "8086:10fb");
	assert_int_equal(json_integer_value(json_object_get(nic, "group")), 3);
	assert_true(json_is_null(json_object_get(nic, "node")));
	assert_true(json_is_null(json_object_get(nic, "use")));
	assert_string_equal(json_string_value(json_object_get(nic, "recommended")), "vfio-pci");
	json_decref(all);
}

static void any_error_ends_with_one(void **)
{
	char path[PATH_MAX];
	settings("sensor: {ports: [\"0000:81:00.0\"]}\n", path);
	assert_int_equal(run((const char *[]){"-c", path, "-o", "json", NULL}), 1);
	json_t *all = parsed();
	assert_string_equal(json_string_value(json_object_get(all, "status")), "error");
	assert_string_equal(json_string_value(json_object_get(all, "settings")), path);
	json_t *first = json_array_get(json_object_get(all, "checks"), 0);
	assert_string_equal(json_string_value(json_object_get(first, "status")), "error");
	assert_true(json_array_size(json_object_get(first, "mend")) >= 1);
	json_decref(all);
}

static void the_installed_settings_are_found(void **)
{
	tree_file(&tree, "/etc/weir/weir.yaml", "sensor: {vdevs: [net_null7]}\n");
	assert_int_equal(run((const char *[]){NULL}), 0);
	assert_non_null(strstr(out, "vdev 'net_null7' has what it needs"));
	assert_non_null(strstr(out, "/etc/weir/weir.yaml\n"));
}

static void people_read_errors_first_and_commands_below(void **)
{
	char path[PATH_MAX];
	settings("sensor: {ports: [\"0000:81:00.0\"]}\n", path);
	tree_nic(
		&tree,
		&(struct nic_options
		){.bdf = "0000:81:00.0", .id = "8086:10fb", .driver = "ixgbe", .netdev = "eth2"}
	);
	assert_int_equal(run((const char *[]){"--config", path, NULL}), 1);
	assert_int_equal(strncmp(out, "error    ", 9), 0);
	assert_non_null(strstr(out, "\n                         $ modprobe vfio-pci\n"));
	assert_non_null(strstr(out, "driverctl set-override 0000:81:00.0 vfio-pci\n"));
	assert_non_null(strstr(out, "\nnetwork cards\nbdf "));
	assert_non_null(strstr(out, " errors, "));
}

static void csv_has_a_line_for_each_finding(void **)
{
	assert_int_equal(run((const char *[]){"--output", "csv", NULL}), 0);
	assert_int_equal(strncmp(out, "status,check,reason,mend\r\n", 26), 0);
	size_t lines = 0, checks = 0;
	for (const char *p = out; (p = strstr(p, "\r\n")); p += 2)
		lines++;
	for (const struct doctor_check *c = doctor_checks; c->name; c++)
		checks++;
	assert_true(lines >= checks + 1);
	assert_null(strstr(out, "$ "));
}

static void wrong_words_are_refused(void **)
{
	assert_int_equal(run((const char *[]){"--what", NULL}), 2);
	assert_int_equal(run((const char *[]){"now", NULL}), 2);
	assert_int_equal(run((const char *[]){"-o", "xml", NULL}), 2);
	assert_int_equal(run((const char *[]){"-c", "/none.yaml", NULL}), 78);
	assert_int_equal(run((const char *[]){"--help", NULL}), 0);
	for (const struct doctor_check *c = doctor_checks; c->name; c++)
		assert_non_null(strstr(out, c->text));
	assert_null(strstr(out, "sysroot"));
}

static int setup(void **)
{
	tree_init(&tree);
	return 0;
}

static int teardown(void **)
{
	tree_fini(&tree);
	return 0;
}

#define with_tree(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_tree(json_has_every_check_and_card),
		with_tree(any_error_ends_with_one),
		with_tree(the_installed_settings_are_found),
		with_tree(people_read_errors_first_and_commands_below),
		with_tree(csv_has_a_line_for_each_finding),
		with_tree(wrong_words_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
