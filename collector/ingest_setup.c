// SPDX-License-Identifier: Apache-2.0
#include "collector/ingest_setup.h"

#include "lib/base/prefixes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
fail(char error[static INGEST_SETUP_ERROR_LEN], const char *what, const char *name, int ret)
{
	snprintf(error, INGEST_SETUP_ERROR_LEN, "%s %s: %s", what, name, strerror(-ret));
	return ret;
}

static int setup_listen(
	struct ingest_setup *s,
	const struct collector_config *config,
	char error[static INGEST_SETUP_ERROR_LEN]
)
{
	static const char *const kinds[] = {
		[INGEST_UDP] = "udp", [INGEST_TCP] = "tcp", [INGEST_TCP + 1] = NULL};
	if (config->listen.n > INGEST_LISTEN_MAX)
		return fail(error, "collector.listen", "too many addresses", -E2BIG);
	for (size_t i = 0; i < config->listen.n; i++) {
		int ret = endpoint_parse(config->listen.items[i], kinds, &s->listen[i]);
		if (ret < 0)
			return fail(error, "collector.listen", config->listen.items[i], ret);
	}
	s->options.listen = s->listen;
	s->options.n_listen = config->listen.n;
	return 0;
}

static int setup_peers(struct ingest_setup *s, const struct collector_config *config)
{
	s->allow = prefixes_of(&config->allow);
	s->trust = prefixes_of(&config->trust_exporter_field);
	s->sensors = prefixes_of(&config->trust_intel);
	if (!s->allow || !s->trust || !s->sensors)
		return -ENOMEM;
	s->options.allow = s->allow;
	s->options.n_allow = config->allow.n;
	s->options.trust = s->trust;
	s->options.n_trust = config->trust_exporter_field.n;
	s->options.sensors = s->sensors;
	s->options.n_sensors = config->trust_intel.n;
	return 0;
}

// The prefixes of one entity, behind those already there.
static int add_entity(struct ingest_setup *s, const struct config_map_entry *e, int number)
{
	size_t n = s->options.n_entities;
	struct ingest_entity *all = reallocarray(s->entities, n + e->values.n + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	s->entities = all;
	for (size_t i = 0; i < e->values.n; i++) {
		int ret = prefix_parse(e->values.items[i], &all[n].prefix);
		if (ret < 0)
			return ret; // config.c has checked them
		all[n++].entity = (uint16_t)number;
	}
	s->options.entities = all;
	s->options.n_entities = n;
	return 0;
}

static int setup_entities(
	struct ingest_setup *s,
	const struct collector_config *config,
	struct store *store,
	char error[static INGEST_SETUP_ERROR_LEN]
)
{
	int number = store_entity(store, STORE_ENTITY_DEFAULT);
	if (number < 0)
		return fail(error, "entity", STORE_ENTITY_DEFAULT, number);
	s->options.default_entity = (uint16_t)number;
	for (size_t i = 0; i < config->entities.n; i++) {
		const struct config_map_entry *e = &config->entities.entries[i];
		number = store_entity(store, e->name);
		int ret = number < 0 ? number : add_entity(s, e, number);
		if (ret < 0)
			return fail(error, "entity", e->name, ret);
	}
	return 0;
}

int ingest_setup_init(
	struct ingest_setup *setup,
	const struct collector_config *config,
	struct store *store,
	char error[static INGEST_SETUP_ERROR_LEN]
)
{
	*setup = (struct ingest_setup){.options = ingest_defaults()};
	setup->options.threads = (unsigned)config->threads;
	setup->options.rcvbuf = (int)config->rcvbuf;
	setup->options.clock_skew_ns = (uint64_t)config->clock_skew_ns;
	setup->options.max_exporters = (uint32_t)config->max_exporters;

	int ret = setup_listen(setup, config, error);
	if (ret == 0 && (ret = setup_peers(setup, config)) < 0)
		fail(error, "collector.allow", "prefixes", ret);
	if (ret == 0)
		ret = setup_entities(setup, config, store, error);
	if (ret < 0)
		ingest_setup_fini(setup);
	return ret;
}

void ingest_setup_fini(struct ingest_setup *setup)
{
	free(setup->entities);
	free(setup->allow);
	free(setup->trust);
	free(setup->sensors);
	*setup = (struct ingest_setup){};
}
