// SPDX-License-Identifier: Apache-2.0
#pragma once

// The collector's settings. The table in config.c is their only home: keys, flags, defaults,
// bounds and --print-config come from it.
// Thread: filled by control at start and reload, const for everybody else.

#include "lib/base/config.h"

struct collector_config {
	char *store_dir;
	char *control_path;
	struct config_list listen;
	struct config_list allow;
	struct config_list trust_exporter_field, trust_intel;
	struct config_map entities;
	struct config_map feeds;
	struct config_list intel_files;
	struct config_list own;
	int64_t threads;
	int64_t rcvbuf;
	int64_t clock_skew_ns;
	int64_t max_exporters;
	int64_t batches;
	int64_t batch_rows;
	int64_t cache_len;
	int64_t seal_grace_ns;
	int64_t block_rows;
	int64_t retention_age_ns, retention_size, retention_free;
	int64_t reserve;
	int64_t scrub;
	bool verbose;
};

extern const struct config_program collector_program;
