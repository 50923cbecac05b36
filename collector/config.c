// SPDX-License-Identifier: Apache-2.0
#include "collector/config.h"

#include "collector/store/model.h"
#include "lib/base/prefixes.h"

#include <errno.h>
#include <string.h>

#define AT(member) offsetof(struct collector_config, member)
#define HOUR_NS 3600000000000ll

static const struct config_item items[] = {
	{.key = "store.dir",
	 .flag = "store",
	 .arg = "DIR",
	 .type = CONFIG_STRING,
	 .offset = AT(store_dir),
	 .def = "/var/lib/weir/store",
	 .text = "where the flows are kept"},
	{.key = "control",
	 .flag = "control",
	 .arg = "PATH",
	 .type = CONFIG_STRING,
	 .offset = AT(control_path),
	 .def = "/run/weir/control.sock",
	 .text = "the control socket"},
	{.key = "collector.listen",
	 .flag = "listen",
	 .arg = "PROTO:HOST:PORT",
	 .type = CONFIG_LIST,
	 .offset = AT(listen),
	 .def = "udp:0.0.0.0:2055 udp:0.0.0.0:4739 tcp:0.0.0.0:4739",
	 .text = "udp or tcp address to take exports on; may be repeated"},
	{.key = "collector.allow",
	 .flag = "allow",
	 .arg = "PREFIX",
	 .type = CONFIG_LIST,
	 .offset = AT(allow),
	 .text = "exporters to accept; none given: every one; may be repeated"},
	{.key = "collector.trust_exporter_field",
	 .type = CONFIG_LIST,
	 .offset = AT(trust_exporter_field),
	 .def = "127.0.0.0/8 ::1",
	 .text = "peers (weir import) whose records may name their exporter, and are of any time"},
	{.key = "collector.trust_intel",
	 .type = CONFIG_LIST,
	 .offset = AT(trust_intel),
	 .def = "127.0.0.0/8 ::1",
	 .text = "sensors whose word of a hit is believed, beside what is matched here"},
	{.key = "entities.*",
	 .type = CONFIG_MAP,
	 .offset = AT(entities),
	 .text = "named groups of exporters: prefixes whose flows belong to the entity"},
	{.key = "intel.feeds.*",
	 .type = CONFIG_MAP,
	 .offset = AT(feeds),
	 .text = "feeds of indicators: NAME: [https URL, file or directory, key=value, ...]"},
	{.key = "intel.files",
	 .flag = "intel",
	 .arg = "FILE",
	 .type = CONFIG_LIST,
	 .offset = AT(intel_files),
	 .text = "a file of indicators in any format; read again when it changes; may be repeated"},
	{.key = "intel.own",
	 .type = CONFIG_LIST,
	 .offset = AT(own),
	 .text = "our own networks: never a hit, beside the private and reserved ones"},
	{.key = "collector.threads",
	 .flag = "threads",
	 .arg = "N",
	 .type = CONFIG_INT,
	 .offset = AT(threads),
	 .min = 1,
	 .max = 64,
	 .def = "1",
	 .text = "ingest threads, each with its own sockets on every address"},
	{.key = "collector.rcvbuf",
	 .type = CONFIG_SIZE,
	 .offset = AT(rcvbuf),
	 .min = 65536,
	 .max = 1ll << 30,
	 .def = "32 MiB",
	 .text = "receive buffer of each UDP socket, bytes"},
	{.key = "collector.clock_skew",
	 .flag = "clock-skew",
	 .arg = "TIME",
	 .type = CONFIG_DURATION,
	 .offset = AT(clock_skew_ns),
	 .min = 0,
	 .max = 3650 * 24 * HOUR_NS,
	 .def = "1d",
	 .text = "flow times further from receive time than this give way to it; 0: never"},
	{.key = "collector.max_exporters",
	 .type = CONFIG_INT,
	 .offset = AT(max_exporters),
	 .min = 1,
	 .max = 1 << 20,
	 .def = "1024",
	 .text = "exporters kept track of per ingest thread"},
	{.key = "collector.batches",
	 .type = CONFIG_INT,
	 .offset = AT(batches),
	 .min = 8,
	 .max = 4096,
	 .def = "64",
	 .text = "batches of records between ingest and store"},
	{.key = "collector.batch_rows",
	 .type = CONFIG_INT,
	 .offset = AT(batch_rows),
	 .min = 64,
	 .max = 65536,
	 .def = "8192",
	 .text = "records in a batch, at most"},
	{.key = "collector.cache",
	 .type = CONFIG_SIZE,
	 .offset = AT(cache_len),
	 .min = 8ll << 20,
	 .max = 1ll << 40,
	 .def = "256 MiB",
	 .text = "memory for RocksDB's block cache, bytes"},
	{.key = "collector.seal_grace",
	 .flag = "seal-grace",
	 .arg = "TIME",
	 .type = CONFIG_DURATION,
	 .offset = AT(seal_grace_ns),
	 .min = 0,
	 .max = 24 * HOUR_NS,
	 .def = "5m",
	 .text = "an hour is sealed this long after its end"},
	{.key = "collector.block_rows",
	 .type = CONFIG_INT,
	 .offset = AT(block_rows),
	 .min = 64,
	 .max = 1 << 20,
	 .def = "65536",
	 .text = "records in a sealed block, at most"},
	{.key = "collector.retention.age",
	 .flag = "keep",
	 .arg = "TIME",
	 .type = CONFIG_DURATION,
	 .offset = AT(retention_age_ns),
	 .min = 0,
	 .max = 36500 * 24 * HOUR_NS,
	 .def = "0",
	 .text = "hours older than this are removed; 0: none"},
	{.key = "collector.retention.size",
	 .type = CONFIG_SIZE,
	 .offset = AT(retention_size),
	 .min = 0,
	 .max = 1ll << 60,
	 .def = "0",
	 .text = "the oldest hours are removed when the store takes more, bytes; 0: no limit"},
	{.key = "collector.retention.free",
	 .type = CONFIG_SIZE,
	 .offset = AT(retention_free),
	 .min = 0,
	 .max = 1ll << 60,
	 .def = "0",
	 .text = "the oldest hours are removed when less is free on the disk, bytes; 0: none"},
	{.key = "collector.reserve",
	 .type = CONFIG_SIZE,
	 .offset = AT(reserve),
	 .min = 1ll << 20,
	 .max = 1ll << 60,
	 .def = "256 MiB",
	 .text = "intake waits while less than this is free on the store's disk, bytes"},
	{.key = "collector.scrub",
	 .type = CONFIG_SIZE,
	 .offset = AT(scrub),
	 .min = 0,
	 .max = 1ll << 30,
	 .def = "4 MiB",
	 .text = "of the store read each second to find damage, bytes; 0: nothing"},
	{.flag = "verbose", .type = CONFIG_BOOL, .offset = AT(verbose), .text = "log details too"},
};

static bool is_entity_name(const char *name)
{
	size_t n = strlen(name);
	return n <= STORE_NAME_MAX && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

#define EXPECTED_PREFIXES "expected addresses or prefixes such as 192.0.2.0/24 (host bits 0)"

static int check(const void *config, const char **ret_what)
{
	const struct collector_config *c = config;
	const struct {
		const struct config_list *list;
		const char *what;
	} prefixes[] = {
		{&c->allow, "collector.allow: " EXPECTED_PREFIXES},
		{&c->trust_exporter_field, "collector.trust_exporter_field: " EXPECTED_PREFIXES},
		{&c->trust_intel, "collector.trust_intel: " EXPECTED_PREFIXES},
		{&c->own, "intel.own: " EXPECTED_PREFIXES},
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (!prefixes_are_valid(prefixes[i].list)) {
			*ret_what = prefixes[i].what;
			return -EINVAL;
		}
	}
	for (size_t e = 0; e < c->entities.n; e++) {
		const struct config_map_entry *entry = &c->entities.entries[e];
		if (!is_entity_name(entry->name)) {
			*ret_what = "entities: names are of a-z, 0-9, '_' and '-'";
			return -EINVAL;
		}
		if (!prefixes_are_valid(&entry->values)) {
			*ret_what = "entities: " EXPECTED_PREFIXES;
			return -EINVAL;
		}
	}
	if (c->listen.n == 0) {
		*ret_what = "collector.listen: nothing to listen on";
		return -EINVAL;
	}
	return 0;
}

const struct config_program collector_program = {
	.name = "weir-collector",
	.synopsis = "[-c FILE] [OPTION]...",
	.about = "Takes NetFlow, IPFIX and sFlow, and keeps every flow record.",
	.items = items,
	.n_items = sizeof(items) / sizeof(items[0]),
	.size = sizeof(struct collector_config),
	.check = check,
};
