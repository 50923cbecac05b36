// SPDX-License-Identifier: Apache-2.0
#pragma once

// Settings of weir-api: one table from which come flags, keys, defaults and checks.
// Thread: control at start; const afterwards.

#include "lib/base/config.h"
#include "lib/base/endpoint.h"

struct api_config {
	char *store_dir;
	char *control;
	struct config_list listen;
	char *state_dir; // "" until api_config_paths
	char *cert;	 // "" until api_config_paths, unless set
	char *key;	 // likewise
	char *dns;
	int64_t token_lifetime_ns;
	int64_t dns_timeout_ns;
	int64_t query_timeout_ns;
	int64_t query_memory; // bytes
	int64_t max_queries;  // of one user at a time
	int64_t max_streams;  // live ones, in all
	int64_t login_rate;   // failed logins of one address and minute
	int64_t threads, workers, queue;
	int64_t max_conns, max_conns_peer, max_conn_requests, max_conn_age_ns;
	struct config_list of_networks, of_open;
	bool http2;
	bool own_cert; // cert and key are ours to make: neither was set
};

extern const struct config_program api_program;

enum { API_LISTEN_HTTPS, API_LISTEN_HTTP };
extern const char *const api_listen_kinds[];

// Fills the paths that have other settings as their default. 0, or -ENOMEM.
[[nodiscard]] int api_config_paths(struct api_config *c);
