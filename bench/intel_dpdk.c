// SPDX-License-Identifier: Apache-2.0
#include "bench/intel_dpdk.h"

#include <rte_fib.h>
#include <rte_fib6.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>

#include <stdlib.h>

#define KEYS 64 // of one bulk lookup: what rte_hash takes at most

struct key {
	struct addr net;
	uint32_t len;
};

struct length {
	uint8_t len;
	uint64_t hi, lo; // mask
};

struct dpdk_tables {
	struct rte_hash *hash;
	struct rte_fib *fib;
	struct rte_fib6 *fib6;
	bool has_fib; // it took all networks
	struct length v4[33], v6[129];
	unsigned n_v4, n_v6;
};

static void note_length(struct length *lengths, unsigned *n, uint8_t len)
{
	struct addr mask = {};
	for (unsigned i = 0; i < *n; i++)
		if (lengths[i].len == len)
			return;
	for (unsigned bit = 0; bit < len; bit++)
		mask.b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	lengths[*n].len = len;
	memcpy(&lengths[*n].hi, mask.b, 8);
	memcpy(&lengths[*n].lo, mask.b + 8, 8);
	++*n;
}

static int add(struct dpdk_tables *t, const struct prefix *net, uint64_t hop)
{
	struct key key = {net->addr, net->len};
	uint32_t ip;
	int ret = rte_hash_add_key(t->hash, &key);
	if (ret < 0)
		return ret;
	if (!addr_is_v4(&net->addr)) {
		note_length(t->v6, &t->n_v6, net->len);
		if (t->has_fib)
			ret = rte_fib6_add(t->fib6, net->addr.b, net->len, hop);
	} else {
		note_length(t->v4, &t->n_v4, net->len);
		memcpy(&ip, net->addr.b + 12, 4);
		if (t->has_fib)
			ret = rte_fib_add(t->fib, be32toh(ip), (uint8_t)(net->len - 96), hop);
	}
	t->has_fib &= ret >= 0;
	return 0;
}

// Groups of 256 for what is longer than 24 bits, as many as may be needed.
static uint32_t tbl8(const struct intel_list *l, size_t of_each)
{
	size_t n = l->n * of_each + 1024;
	return n < (1u << 20) - 1 ? (uint32_t)n : (1u << 20) - 1;
}

bool dpdk_has_fib(const struct dpdk_tables *t)
{
	return t->has_fib;
}

struct dpdk_tables *dpdk_tables_create(const struct intel_list *l)
{
	struct dpdk_tables *t = calloc(1, sizeof(*t));
	struct rte_hash_parameters hash = {
		.name = "intel",
		.entries = (uint32_t)l->n + l->n / 4 + 64,
		.key_len = sizeof(struct key),
		.hash_func = rte_hash_crc};
	struct rte_fib_conf fib = {
		.type = RTE_FIB_DIR24_8,
		.max_routes = (int)l->n + 64,
		.dir24_8 = {.nh_sz = RTE_FIB_DIR24_8_4B, .num_tbl8 = tbl8(l, 1)}};
	struct rte_fib6_conf fib6 = {
		.type = RTE_FIB6_TRIE,
		.max_routes = (int)l->n + 64,
		.trie = {.nh_sz = RTE_FIB6_TRIE_4B, .num_tbl8 = tbl8(l, 3)}};
	if (!t)
		return NULL;
	t->hash = rte_hash_create(&hash);
	t->fib = rte_fib_create("intel", 0, &fib);
	t->fib6 = rte_fib6_create("intel6", 0, &fib6);
	t->has_fib = t->fib && t->fib6;
	bool fits = t->hash != NULL;
	for (size_t k = 0; fits && k < l->n; k++)
		if (l->items[k].type == INDICATOR_NET)
			fits = add(t, &l->items[k].net, k + 1) >= 0;
	if (fits)
		return t;
	dpdk_tables_free(t);
	return NULL;
}

void dpdk_tables_free(struct dpdk_tables *t)
{
	if (!t)
		return;
	rte_hash_free(t->hash);
	rte_fib_free(t->fib);
	rte_fib6_free(t->fib6);
	free(t);
}

static uint64_t flush_hash(struct dpdk_tables *t, const struct key *keys, unsigned n)
{
	const void *pointers[KEYS];
	int32_t places[KEYS];
	uint64_t found = 0;
	for (unsigned i = 0; i < n; i++)
		pointers[i] = &keys[i];
	if (n && rte_hash_lookup_bulk(t->hash, pointers, n, places) < 0)
		abort();
	for (unsigned i = 0; i < n; i++)
		found += places[i] >= 0;
	return found;
}

uint64_t dpdk_hash_lookup(struct dpdk_tables *t, const struct intel_query *q, size_t n)
{
	struct key keys[KEYS];
	unsigned n_keys = 0;
	uint64_t found = 0;
	for (size_t i = 0; i < 2 * n; i++) {
		const struct addr *a = i % 2 ? &q[i / 2].src : &q[i / 2].dst;
		bool v4 = addr_is_v4(a);
		const struct length *lengths = v4 ? t->v4 : t->v6;
		uint64_t hi, lo;
		memcpy(&hi, a->b, 8);
		memcpy(&lo, a->b + 8, 8);
		for (unsigned k = 0; k < (v4 ? t->n_v4 : t->n_v6); k++) {
			uint64_t masked[2] = {hi & lengths[k].hi, lo & lengths[k].lo};
			if (n_keys == KEYS) {
				found += flush_hash(t, keys, n_keys);
				n_keys = 0;
			}
			memcpy(&keys[n_keys].net, masked, 16);
			keys[n_keys++].len = lengths[k].len;
		}
	}
	return found + flush_hash(t, keys, n_keys);
}

uint64_t dpdk_fib_lookup(struct dpdk_tables *t, const struct intel_query *q, size_t n)
{
	uint64_t hops[KEYS], found = 0;
	uint32_t v4[KEYS];
	uint8_t v6[KEYS][16];
	unsigned n_v4 = 0, n_v6 = 0;
	if (!t->has_fib)
		return 0;
	for (size_t i = 0; i < 2 * n; i++) {
		const struct addr *a = i % 2 ? &q[i / 2].src : &q[i / 2].dst;
		if (addr_is_v4(a)) {
			memcpy(&v4[n_v4], a->b + 12, 4);
			v4[n_v4] = be32toh(v4[n_v4]);
			n_v4++;
		} else {
			memcpy(v6[n_v6++], a->b, 16);
		}
		if (n_v4 == KEYS || (i + 1 == 2 * n && n_v4)) {
			rte_fib_lookup_bulk(t->fib, v4, hops, (int)n_v4);
			for (unsigned k = 0; k < n_v4; k++)
				found += hops[k] != 0;
			n_v4 = 0;
		}
		if (n_v6 == KEYS || (i + 1 == 2 * n && n_v6)) {
			rte_fib6_lookup_bulk(t->fib6, v6, hops, (int)n_v6);
			for (unsigned k = 0; k < n_v6; k++)
				found += hops[k] != 0;
			n_v6 = 0;
		}
	}
	return found;
}
