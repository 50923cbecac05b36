// SPDX-License-Identifier: Apache-2.0

// The collector's table of settings: its defaults, its bounds, and what is refused with the place.

#include "collector/config.h"
#include "lib/base/clock.h"
#include "tests/unit/cmocka.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char file_path[] = "/tmp/weir-collector-config-XXXXXX";
static char said_path[] = "/tmp/weir-collector-words-XXXXXX";
static char said[1024]; // on stderr, by the last parse
static struct collector_config config;

static int make_files(void **)
{
	int fd = mkstemp(file_path), words = mkstemp(said_path);
	return fd < 0 || words < 0 ? -1 : close(fd) + close(words);
}

static int remove_files(void **)
{
	return unlink(file_path) + unlink(said_path);
}

static int parse(int argc, const char *const *argv)
{
	int saved = dup(STDERR_FILENO), words = open(said_path, O_RDWR | O_TRUNC);
	fflush(stderr);
	dup2(words, STDERR_FILENO);
	memset(&config, 0, sizeof(config));
	int ret = config_parse(&collector_program, argc, (char **)(uintptr_t)argv, &config, NULL);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	ssize_t n = pread(words, said, sizeof(said) - 1, 0);
	said[n > 0 ? n : 0] = '\0';
	close(words);
	return ret;
}

#define PARSE(...)                                                                                 \
	parse((int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),                       \
	      (const char *const[]){__VA_ARGS__, NULL})

// The status with a file of this text.
static int load(const char *text)
{
	FILE *f = fopen(file_path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	return PARSE("weir-collector", "-c", file_path);
}

static void assert_refused(const char *text, const char *words)
{
	int ret = load(text);
	config_free(&collector_program, &config);
	if (ret != CONFIG_EXIT_BAD)
		fail_msg("taken: %s", text);
	if (!strstr(said, words))
		fail_msg("%s: %s", text, said);
}

static void defaults_are_what_the_documents_say(void **) // IP-23
{
	assert_int_equal(PARSE("weir-collector"), CONFIG_RUN);
	assert_string_equal(config.store_dir, "/var/lib/weir/store");
	assert_string_equal(config.control_path, "/run/weir/control.sock");
	assert_int_equal(config.listen.n, 3);
	assert_string_equal(config.listen.items[0], "udp:0.0.0.0:2055");
	assert_string_equal(config.listen.items[1], "udp:0.0.0.0:4739");
	assert_string_equal(config.listen.items[2], "tcp:0.0.0.0:4739");
	assert_int_equal(config.allow.n, 0);
	assert_int_equal(config.entities.n, 0);
	assert_int_equal(config.threads, 1);
	assert_int_equal(config.rcvbuf, 32 << 20);
	assert_int_equal(config.clock_skew_ns, 24 * NS_PER_HOUR);
	assert_int_equal(config.max_exporters, 1024);
	assert_false(config.verbose);
	config_free(&collector_program, &config);
}

static void flags_win_over_the_file(void **) // IP-23
{
	FILE *f = fopen(file_path, "w");
	fputs("collector:\n  listen: [udp:127.0.0.1:1, udp:127.0.0.1:2]\n  threads: 2\n"
	      "  allow: [192.0.2.0/24]\n",
	      f);
	fclose(f);
	assert_int_equal(
		PARSE("weir-collector",
		      "-c",
		      file_path,
		      "--listen",
		      "tcp:[::1]:4739",
		      "--store",
		      "/s"),
		CONFIG_RUN
	);
	assert_int_equal(config.listen.n, 1);
	assert_string_equal(config.listen.items[0], "tcp:[::1]:4739");
	assert_string_equal(config.store_dir, "/s");
	assert_int_equal(config.threads, 2);
	assert_int_equal(config.allow.n, 1);
	config_free(&collector_program, &config);
}

static void entities_are_named_groups_of_prefixes(void **)
{
	assert_int_equal(
		load("entities:\n  lentor: [192.0.2.0/24, 2001:db8::/32]\n  site_2-b: "
		     "[198.51.100.7]\n"),
		CONFIG_RUN
	);
	assert_int_equal(config.entities.n, 2);
	assert_string_equal(config.entities.entries[0].name, "lentor");
	assert_int_equal(config.entities.entries[0].values.n, 2);
	assert_string_equal(config.entities.entries[1].values.items[0], "198.51.100.7");
	config_free(&collector_program, &config);
}

static void senseless_entities_are_refused(void **)
{
	char text[256], name[80];
	assert_refused("entities:\n  \"a b\": [192.0.2.0/24]\n", "entities: names are of");
	assert_refused("entities:\n  Lentor: [192.0.2.0/24]\n", "entities: names are of");
	assert_refused("entities:\n  \"\": [192.0.2.0/24]\n", "entities");
	assert_refused("entities:\n  a: [192.0.2.1/24]\n", "entities: expected addresses");
	assert_refused("entities:\n  a: [example.net]\n", "entities: expected addresses");
	memset(name, 'n', 63);
	name[63] = '\0';
	snprintf(text, sizeof(text), "entities:\n  %s: [192.0.2.0/24]\n", name);
	assert_int_equal(load(text), CONFIG_RUN);
	config_free(&collector_program, &config);
	snprintf(text, sizeof(text), "entities:\n  n%s: [192.0.2.0/24]\n", name);
	assert_refused(text, "entities: names are of");
}

static void senseless_prefixes_are_refused(void **)
{
	assert_refused("collector:\n  allow: [192.0.2.1/24]\n", "collector.allow: expected");
	assert_refused("collector:\n  allow: [\"\"]\n", "collector.allow");
	assert_refused(
		"collector:\n  trust_exporter_field: [10.0.0.0/33]\n",
		"collector.trust_exporter_field: expected"
	);
	assert_int_equal(load("collector:\n  allow: [\"::/0\", 0.0.0.0/0]\n"), CONFIG_RUN);
	config_free(&collector_program, &config);
}

static void nothing_to_listen_on_is_refused(void **)
{
	assert_refused("collector:\n  listen: []\n", "nothing to listen on");
}

static void numbers_have_bounds(void **)
{
	static const struct {
		const char *key, *low, *high, *below, *above;
	} bounds[] = {
		{"threads", "1", "64", "0", "65"},
		{"rcvbuf", "64 KiB", "1 GiB", "65535", "1073741825"},
		{"clock_skew", "0", "3650d", "-1", "3651d"},
		{"max_exporters", "1", "1048576", "0", "1048577"},
		{"batches", "8", "4096", "7", "4097"},
		{"batch_rows", "64", "65536", "63", "65537"},
		{"cache", "8 MiB", "1 TiB", "7 MiB", "1025 GiB"},
		{"seal_grace", "0", "24h", "-5m", "25h"},
		{"block_rows", "64", "1048576", "63", "1048577"},
	};
	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		char text[128];
		const char *values[4] = {
			bounds[i].low, bounds[i].high, bounds[i].below, bounds[i].above};
		for (int v = 0; v < 4; v++) {
			snprintf(
				text,
				sizeof(text),
				"collector:\n  %s: %s\n",
				bounds[i].key,
				values[v]
			);
			int ret = load(text);
			config_free(&collector_program, &config);
			if (ret != (v < 2 ? CONFIG_RUN : CONFIG_EXIT_BAD))
				fail_msg("%s: %d %s", text, ret, said);
			if (v >= 2)
				assert_non_null(strstr(said, ":2:")); // the line it is on
		}
	}
}

static void unknown_settings_are_refused(void **)
{
	assert_refused("collector:\n  lisen: [udp:0.0.0.0:1]\n", "lisen");
	assert_int_equal(load("sensor:\n  anything: 5\n"), CONFIG_RUN); // of another program
	config_free(&collector_program, &config);
	assert_int_equal(PARSE("weir-collector", "--lisen", "x"), CONFIG_EXIT_USAGE);
	config_free(&collector_program, &config);
}

static void every_setting_has_words_and_a_place_of_its_own(void **)
{
	const struct config_program *p = &collector_program;
	for (size_t i = 0; i < p->n_items; i++) {
		const struct config_item *item = &p->items[i];
		assert_true(item->key || item->flag);
		assert_true(item->text && *item->text);
		assert_true(item->offset < sizeof(struct collector_config));
		for (size_t k = 0; k < i; k++) {
			assert_int_not_equal(p->items[k].offset, item->offset);
			if (item->flag && p->items[k].flag)
				assert_string_not_equal(p->items[k].flag, item->flag);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_what_the_documents_say),
		cmocka_unit_test(flags_win_over_the_file),
		cmocka_unit_test(entities_are_named_groups_of_prefixes),
		cmocka_unit_test(senseless_entities_are_refused),
		cmocka_unit_test(senseless_prefixes_are_refused),
		cmocka_unit_test(nothing_to_listen_on_is_refused),
		cmocka_unit_test(numbers_have_bounds),
		cmocka_unit_test(unknown_settings_are_refused),
		cmocka_unit_test(every_setting_has_words_and_a_place_of_its_own),
	};
	return cmocka_run_group_tests(tests, make_files, remove_files);
}
