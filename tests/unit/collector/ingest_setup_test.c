// SPDX-License-Identifier: Apache-2.0

// Settings to ingest's options, with a store of this test's own for the entities' numbers.

#include "collector/ingest_setup.h"
#include "lib/base/clock.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 8

struct store {
	char names[NAMES_MAX][64];
	int n;
};

static struct store store;
static struct ingest_setup setup;
static struct collector_config config;
static char error[INGEST_SETUP_ERROR_LEN];

int store_entity(struct store *s, const char *name)
{
	int i = 0;
	while (i < s->n && strcmp(s->names[i], name) != 0)
		i++;
	if (i == NAMES_MAX)
		return -ENOSPC;
	if (i == s->n)
		snprintf(s->names[s->n++], sizeof(s->names[0]), "%s", name);
	return 10 + i;
}

// The settings these flags give.
static void parse(const char *const *argv)
{
	int argc = 0;
	while (argv[argc])
		argc++;
	memset(&config, 0, sizeof(config));
	int ret = config_parse(&collector_program, argc, (char **)(uintptr_t)argv, &config, NULL);
	assert_int_equal(ret, CONFIG_RUN);
}

#define PARSE(...) parse((const char *const[]){"weir-collector", __VA_ARGS__, NULL})

static int begin(void **)
{
	store = (struct store){};
	setup = (struct ingest_setup){};
	config = (struct collector_config){};
	error[0] = '\0';
	return 0;
}

static int end(void **)
{
	ingest_setup_fini(&setup);
	ingest_setup_fini(&setup); // twice is once
	config_free(&collector_program, &config);
	return 0;
}

static int init(void)
{
	return ingest_setup_init(&setup, &config, &store, error);
}

static void addresses_are_of_both_kinds(void **) // IP-23
{
	PARSE("--listen",
	      "udp:127.0.0.1:2055",
	      "--listen",
	      "tcp:[::1]:4739",
	      "--listen",
	      "127.0.0.1:9995");
	assert_int_equal(init(), 0);
	assert_int_equal(setup.options.n_listen, 3);
	assert_int_equal(setup.options.listen[0].kind, INGEST_UDP);
	assert_int_equal(setup.options.listen[1].kind, INGEST_TCP);
	assert_int_equal(setup.options.listen[2].kind, INGEST_UDP); // where none is named
	assert_int_equal(setup.options.listen[1].sa.ss_family, AF_INET6);
	assert_int_equal(endpoint_port((const struct sockaddr *)&setup.options.listen[1].sa), 4739);
}

static void defaults_listen_where_exporters_send(void **) // IP-23
{
	PARSE("--threads", "3");
	assert_int_equal(init(), 0);
	assert_int_equal(setup.options.n_listen, 3);
	assert_int_equal(setup.options.threads, 3);
	assert_int_equal(setup.options.rcvbuf, 32 << 20);
	assert_int_equal(setup.options.clock_skew_ns, 24 * NS_PER_HOUR);
	assert_int_equal(setup.options.max_exporters, 1024);
	assert_int_equal(setup.options.limits.weir_pen, PEN_WEIR);
	assert_int_equal(setup.options.limits.lifetime_ns, 1800 * NS_PER_SEC); // IP-18
	assert_false(setup.options.limits.is_reliable);
	assert_int_equal(setup.options.n_allow, 0);
	assert_int_equal(setup.options.n_entities, 0);
	assert_int_equal(setup.options.n_trust, 2);
}

static void bad_addresses_are_named(void **)
{
	static const char *const bad[] = {
		"sctp:127.0.0.1:4739",
		"udp:127.0.0.1",
		"udp:127.0.0.1:65536",
		"udp:::1:4739",
		"udp:"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		PARSE("--listen", "udp:127.0.0.1:2055", "--listen", bad[i]);
		assert_int_equal(init(), -EINVAL);
		if (!strstr(error, bad[i]))
			fail_msg("%s", error);
		config_free(&collector_program, &config);
	}
}

static void more_addresses_than_fit_are_refused(void **)
{
	const char *argv[2 * (INGEST_LISTEN_MAX + 1) + 2] = {"weir-collector"};
	for (int i = 0; i <= INGEST_LISTEN_MAX; i++) {
		argv[1 + 2 * i] = "--listen";
		argv[2 + 2 * i] = "udp:127.0.0.1:0";
	}
	parse(argv);
	assert_int_equal(init(), -E2BIG);
	assert_non_null(strstr(error, "too many addresses"));
	config_free(&collector_program, &config);
	argv[1 + 2 * INGEST_LISTEN_MAX] = NULL;
	parse(argv);
	assert_int_equal(init(), 0);
	assert_int_equal(setup.options.n_listen, INGEST_LISTEN_MAX);
}

static void allow_list_becomes_prefixes(void **)
{
	PARSE("--allow", "192.0.2.0/24", "--allow", "2001:db8::1");
	assert_int_equal(init(), 0);
	assert_int_equal(setup.options.n_allow, 2);
	struct addr a = addr_of_v4("\xc0\0\2\7");
	assert_true(prefix_contains(&setup.options.allow[0], &a));
	assert_int_equal(setup.options.allow[1].len, 128);
}

static void entities_have_the_numbers_of_the_store(void **)
{
	static char lentor[] = "lentor", lab[] = "lab", netflow[] = "netflow";
	static char a[] = "192.0.2.0/24", b[] = "198.51.100.7", c[] = "2001:db8::/32",
		    d[] = "10.0.0.0/8";
	static char *of_lentor[] = {a, b}, *of_lab[] = {c}, *of_netflow[] = {d};
	static struct config_map_entry entries[] = {
		{lentor, {of_lentor, 2}}, {lab, {of_lab, 1}}, {netflow, {of_netflow, 1}}};
	PARSE("--threads", "1");
	config.entities = (struct config_map){entries, 3};
	int ret = init();
	config.entities = (struct config_map){};
	assert_int_equal(ret, 0);
	assert_int_equal(setup.options.default_entity, 10); // "netflow", made first
	assert_string_equal(store.names[0], STORE_ENTITY_DEFAULT);
	static const uint16_t want[] = {11, 11, 12, 10};
	assert_int_equal(setup.options.n_entities, 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(setup.options.entities[i].entity, want[i]);
	assert_int_equal(setup.options.entities[1].prefix.len, 128);
}

static void store_that_is_full_is_said(void **)
{
	PARSE("--threads", "1");
	store.n = NAMES_MAX;
	assert_int_equal(init(), -ENOSPC);
	assert_non_null(strstr(error, STORE_ENTITY_DEFAULT));
	assert_null(setup.allow); // nothing is left behind
}

// Ingest is linked, never started.
struct record_batch *commit_take(struct commit *, uint16_t)
{
	abort();
}

void commit_push(struct commit *, struct record_batch *)
{
	abort();
}

bool commit_hit(struct commit *, const struct hit *)
{
	abort();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(addresses_are_of_both_kinds),
		TEST(defaults_listen_where_exporters_send),
		TEST(bad_addresses_are_named),
		TEST(more_addresses_than_fit_are_refused),
		TEST(allow_list_becomes_prefixes),
		TEST(entities_have_the_numbers_of_the_store),
		TEST(store_that_is_full_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
