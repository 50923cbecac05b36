// SPDX-License-Identifier: Apache-2.0
#include "api/config.h"

#include "lib/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct api_config, member)

const char *const api_listen_kinds[] = {
	[API_LISTEN_HTTPS] = "https", [API_LISTEN_HTTP] = "http", NULL};

// clang-format off
static const struct config_item items[] = {
	{"store.dir", "store", "DIR", CONFIG_STRING, AT(store_dir), 0, 0,
	 "/var/lib/weir/store", "the collector's store"},
	{"control", "control", "PATH", CONFIG_STRING, AT(control), 0, 0,
	 "/run/weir/control.sock", "the collector's control socket"},
	{"api.listen", "listen", "[KIND:]HOST:PORT", CONFIG_LIST, AT(listen), 0, 0,
	 "https:127.0.0.1:8443", "where to serve: https or http; port 0 takes a free one; repeatable"},
	{"api.state", "state", "DIR", CONFIG_STRING, AT(state_dir), 0, 0,
	 "", "keys, certificate and scratch files; made with mode 0700; default: api beside the store"},
	{"api.cert", "cert", "FILE", CONFIG_STRING, AT(cert), 0, 0,
	 "", "TLS certificate chain (PEM); default: cert.pem in the state directory, made when absent"},
	{"api.key", "key", "FILE", CONFIG_STRING, AT(key), 0, 0,
	 "", "its private key (PEM), readable by its owner only; default: key.pem beside it"},
	{"api.http2", "http2", "YES|NO", CONFIG_BOOL, AT(http2), 0, 0,
	 "yes", "offer HTTP/2 over TLS beside HTTP/1.1"},
	{"api.token_lifetime", "token-lifetime", "DURATION", CONFIG_DURATION, AT(token_lifetime_ns),
	 (int64_t)NS_PER_SEC, 24 * (int64_t)NS_PER_HOUR, "1h", "how long a token is good, at most 24h"},
	{"api.login_rate", "login-rate", "N", CONFIG_INT, AT(login_rate), 1, 64,
	 "10", "failed logins from one address (IPv6: /64) in a minute before it is refused"},
	{"api.threads", NULL, NULL, CONFIG_INT, AT(threads), 1, 64, "1", "event loop threads"},
	{"api.workers", NULL, NULL, CONFIG_INT, AT(workers), 1, 256, "8", "threads that run queries"},
	{"api.queue", NULL, NULL, CONFIG_INT, AT(queue), 1, 65536,
	 "256", "requests that may wait for a worker before 503"},
	{"api.query_timeout", "query-timeout", "DURATION", CONFIG_DURATION, AT(query_timeout_ns),
	 100 * (int64_t)NS_PER_MSEC, 600 * (int64_t)NS_PER_SEC, "5s", "longest run of one query, its wait included"},
	{"api.query_memory", NULL, NULL, CONFIG_SIZE, AT(query_memory), 1 << 20, (int64_t)1 << 40,
	 "256M", "what the groups of one query may take"},
	{"api.limits.queries", NULL, NULL, CONFIG_INT, AT(max_queries), 1, 256,
	 "4", "queries of one user at a time"},
	{"api.limits.streams", NULL, NULL, CONFIG_INT, AT(max_streams), 1, 1024,
	 "32", "live streams in all; one user may have half of them"},
	{"api.limits.connections", NULL, NULL, CONFIG_INT, AT(max_conns), 1, 65536,
	 "1024", "connections in all"},
	{"api.limits.connections_per_address", NULL, NULL, CONFIG_INT, AT(max_conns_peer), 1, 65536,
	 "32", "connections of one address (IPv6: /64)"},
	{"api.limits.requests", NULL, NULL, CONFIG_INT, AT(max_conn_requests), 1, 1000000,
	 "1000", "requests of one connection before it is ended in an orderly way"},
	{"api.limits.age", NULL, NULL, CONFIG_DURATION, AT(max_conn_age_ns),
	 (int64_t)NS_PER_SEC, 24 * (int64_t)NS_PER_HOUR, "10m", "age of a connection before it is ended"},
	{"api.of.networks", NULL, NULL, CONFIG_LIST, AT(of_networks), 0, 0,
	 NULL, "/of/: whose hosts are told of, 'PREFIX words that describe it'; none given: all hosts"},
	{"api.open", NULL, NULL, CONFIG_LIST, AT(of_open), 0, 0,
	 "127.0.0.0/8 ::1", "who may ask /of/ (as OphanimFlow's clients do) and /metrics without a token"},
	{"api.dns", "dns", "HOST:PORT", CONFIG_STRING, AT(dns), 0, 0,
	 "system", "resolver for names of addresses: an address with port, system, or off"},
	{"api.dns_timeout", NULL, NULL, CONFIG_DURATION, AT(dns_timeout_ns),
	 0, 10 * (int64_t)NS_PER_SEC, "200ms", "how long a list of flows waits for names"},
};
// clang-format on

static int check(const void *config, const char **ret_what)
{
	const struct api_config *c = config;
	struct endpoint ep;

	if (c->listen.n == 0) {
		*ret_what = "api.listen: at least one is needed";
		return -EINVAL;
	}
	for (size_t i = 0; i < c->listen.n; i++)
		if (endpoint_parse(c->listen.items[i], api_listen_kinds, &ep) < 0) {
			*ret_what = "api.listen: expected [https|http]:HOST:PORT";
			return -EINVAL;
		}
	if (!*c->store_dir) {
		*ret_what = "store.dir: must not be empty";
		return -EINVAL;
	}
	if (!*c->cert != !*c->key) {
		*ret_what = "api.cert and api.key: set both or neither";
		return -EINVAL;
	}
	return 0;
}

const struct config_program api_program = {
	.name = "weir-api",
	.section = "api",
	.synopsis = "[-c FILE] [--store DIR] [--control PATH] [--listen [https|http]:HOST:PORT]...",
	.about = "Serves what the collector has stored over HTTPS (HTTP/2 and HTTP/1.1).",
	.items = items,
	.n_items = sizeof(items) / sizeof(items[0]),
	.size = sizeof(struct api_config),
	.check = check,
};

// Puts "dir/name" in the place of an empty string.
static int set_path(char **path, const char *dir, size_t dir_len, const char *name)
{
	const char *slash = dir_len && dir[dir_len - 1] == '/' ? "" : "/";
	char *full;
	if (**path)
		return 0;
	if (asprintf(&full, "%.*s%s%s", (int)dir_len, dir, slash, name) < 0)
		return -ENOMEM;
	free(*path);
	*path = full;
	return 0;
}

int api_config_paths(struct api_config *c)
{
	size_t n = strlen(c->store_dir);
	while (n > 1 && c->store_dir[n - 1] == '/')
		n--;
	while (n > 0 && c->store_dir[n - 1] != '/')
		n--;
	bool has_parent = n > 0;
	while (n > 1 && c->store_dir[n - 1] == '/')
		n--;

	c->own_cert = !*c->cert && !*c->key;
	int ret = has_parent ? set_path(&c->state_dir, c->store_dir, n, "api")
			     : set_path(&c->state_dir, ".", 1, "api");
	if (ret == 0)
		ret = set_path(&c->cert, c->state_dir, strlen(c->state_dir), "cert.pem");
	if (ret == 0)
		ret = set_path(&c->key, c->state_dir, strlen(c->state_dir), "key.pem");
	return ret;
}
