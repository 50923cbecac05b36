// SPDX-License-Identifier: Apache-2.0

// How fast indicators compile and flows are matched: intel_bench [INDICATORS]...
// One JSON line per set: compile seconds, bytes, ns per new flow in bursts of 64, the same scanned
// one flow at a time, and beside it what DPDK's tables take for the same addresses: rte_hash for
// each prefix length, and one rte_fib lookup (IPv4, one next hop per network).

#include "lib/base/clock.h"
#include "lib/intel/match.h"

#include <rte_eal.h>
#include <rte_fib.h>
#include <rte_hash.h>
#include <rte_jhash.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define BURST 64
#define QUERIES (1u << 20)
#define LENGTHS 10

static uint64_t random_state = 0x2545f4914f6cdd1d;

static uint64_t draw(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static struct addr random_v4(void)
{
	uint32_t v = (uint32_t)draw();
	uint8_t b[4] = {
		(uint8_t)(11 + v % 112), (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
	return addr_of_v4(b);
}

static struct addr random_v6(void)
{
	uint64_t v[2] = {draw(), draw()};
	uint8_t b[16] = {0x2a};
	memcpy(b + 1, v, 15);
	return addr_of_v6(b);
}

static struct prefix masked(struct addr a, unsigned len)
{
	struct prefix p = {.len = (uint8_t)len};
	for (unsigned bit = 0; bit < len; bit++)
		p.addr.b[bit / 8] |= (uint8_t)(a.b[bit / 8] & (0x80 >> bit % 8));
	return p;
}

static const uint8_t lengths[LENGTHS] = {128, 120, 124, 118, 116, 126, 112, 122, 119, 117};

// Six of ten are IPv4 (half of them single addresses), two IPv6, two names.
static struct intel_list *make_list(size_t n)
{
	struct intel_list *l = intel_list_create("bench");
	for (size_t k = 0; k < n && l; k++) {
		struct indicator i = {.type = INDICATOR_NET, .score = 700};
		char name[64] = "";
		if (k % 10 < 6) {
			i.net = masked(random_v4(), k % 2 ? 128 : lengths[draw() % LENGTHS]);
		} else if (k % 10 < 8) {
			i.net = (struct prefix){random_v6(), 128};
		} else {
			snprintf(
				name,
				sizeof(name),
				"h%" PRIx64 ".bad%u.example",
				draw() >> 20,
				(unsigned)(draw() % 1000)
			);
			i.type = INDICATOR_NAME;
		}
		if (intel_list_add(l, &i, name) < 0)
			exit(1);
	}
	return l;
}

static struct intel_query *make_queries(void)
{
	struct intel_query *q = calloc(QUERIES, sizeof(*q));
	for (size_t i = 0; q && i < QUERIES; i++)
		q[i] = (struct intel_query
		){.src = random_v4(),
		  .dst = random_v4(),
		  .sport = (uint16_t)draw(),
		  .dport = 443,
		  .proto = 6,
		  .has_flow = true};
	return q;
}

static double match_ns(
	const struct intel_db *db,
	const struct intel_query *q,
	size_t burst,
	struct intel_counters *c
)
{
	static struct intel_match m[BURST];
	uint64_t start = clock_mono_ns();
	for (size_t at = 0; at + burst <= QUERIES; at += burst)
		intel_match(db, 0, 1, q + at, burst, m, c);
	return (double)(clock_mono_ns() - start) / QUERIES;
}

// A table per prefix length, as a filter by rte_hash would have it.
static double hash_ns(const struct intel_list *l, const struct intel_query *q)
{
	struct rte_hash *tables[129] = {};
	size_t found = 0;
	for (size_t k = 0; k < l->n; k++) {
		const struct indicator *i = &l->items[k];
		uint8_t len = i->net.len;
		char name[32];
		if (i->type != INDICATOR_NET || !addr_is_v4(&i->net.addr))
			continue;
		snprintf(name, sizeof(name), "len%u", len);
		struct rte_hash_parameters p = {
			.name = name,
			.entries = (uint32_t)l->n + 64,
			.key_len = 4,
			.hash_func = rte_jhash};
		if (!tables[len] && !(tables[len] = rte_hash_create(&p)))
			return -1;
		rte_hash_add_key(tables[len], i->net.addr.b + 12);
	}
	uint64_t start = clock_mono_ns();
	for (size_t at = 0; at < QUERIES; at += BURST / 2) {
		for (int len = 96; len <= 128; len++) {
			uint32_t keys[BURST];
			const void *pointers[BURST];
			int32_t places[BURST];
			if (!tables[len])
				continue;
			uint32_t mask = len == 96 ? 0 : htobe32(~0u << (128 - len));
			for (int i = 0; i < BURST; i++) {
				const struct intel_query *x = &q[at + (unsigned)i / 2];
				memcpy(&keys[i], (i % 2 ? x->src : x->dst).b + 12, 4);
				keys[i] &= mask;
				pointers[i] = &keys[i];
			}
			rte_hash_lookup_bulk(tables[len], pointers, BURST, places);
			for (int i = 0; i < BURST; i++)
				found += places[i] >= 0;
		}
	}
	double ns = (double)(clock_mono_ns() - start) / QUERIES;
	for (int len = 0; len <= 128; len++)
		rte_hash_free(tables[len]);
	return found == SIZE_MAX ? -1 : ns;
}

static double fib_ns(const struct intel_list *l, const struct intel_query *q)
{
	struct rte_fib_conf conf = {
		.type = RTE_FIB_DIR24_8,
		.max_routes = (int)l->n + 64,
		.rib_ext_sz = 0,
		.dir24_8 = {.nh_sz = RTE_FIB_DIR24_8_4B, .num_tbl8 = 1u << 19},
	};
	struct rte_fib *fib = rte_fib_create("bench", 0, &conf);
	uint64_t found = 0;
	if (!fib)
		return -1;
	for (size_t k = 0; k < l->n; k++) {
		const struct indicator *i = &l->items[k];
		uint32_t ip;
		if (i->type != INDICATOR_NET || !addr_is_v4(&i->net.addr))
			continue;
		memcpy(&ip, i->net.addr.b + 12, 4);
		if (rte_fib_add(fib, be32toh(ip), (uint8_t)(i->net.len - 96), k + 1) < 0) {
			rte_fib_free(fib);
			return -1;
		}
	}
	uint64_t start = clock_mono_ns();
	for (size_t at = 0; at < QUERIES; at += BURST / 2) {
		uint32_t ips[BURST];
		uint64_t hops[BURST];
		for (int i = 0; i < BURST; i++) {
			const struct intel_query *x = &q[at + (unsigned)i / 2];
			memcpy(&ips[i], (i % 2 ? x->src : x->dst).b + 12, 4);
			ips[i] = be32toh(ips[i]);
		}
		rte_fib_lookup_bulk(fib, ips, hops, BURST);
		for (int i = 0; i < BURST; i++)
			found += hops[i];
	}
	double ns = (double)(clock_mono_ns() - start) / QUERIES;
	rte_fib_free(fib);
	return found == UINT64_MAX ? -1 : ns;
}

static int run(size_t n, const struct intel_query *q)
{
	struct intel_list *l = make_list(n);
	struct intel_options o = {.n_threads = 1};
	struct intel_counters c = {}, one = {};
	struct intel_db *db;
	char error[INTEL_ERROR_LEN];
	if (!l || intel_db_create(&l, 1, &o, &db, error) < 0) {
		fprintf(stderr, "%s\n", l ? error : "out of memory");
		return 1;
	}
	const struct intel_stats *s = intel_db_stats(db);
	match_ns(db, q, BURST, &c); // warms up
	double burst = match_ns(db, q, BURST, &c), single = match_ns(db, q, 1, &one);
	printf("{\"indicators\": %zu, \"prefix_lengths\": %u, \"compile_s\": %.2f, "
	       "\"compiled_bytes\": %zu, "
	       "\"ns_per_flow\": %.1f, \"tokens_per_flow\": %.1f, \"scanned_per_flow\": %.3f, "
	       "\"hits\": %" PRIu64
	       ", \"ns_one_by_one\": %.1f, \"rte_hash_ns\": %.1f, \"rte_fib_ns\": %.1f}\n",
	       n,
	       s->prefix_lengths,
	       (double)s->compile_ns / 1e9,
	       s->size,
	       burst,
	       (double)c.tokens / (double)c.queries,
	       (double)c.scanned / (double)c.queries,
	       c.hits,
	       single,
	       hash_ns(l, q),
	       fib_ns(l, q));
	fflush(stdout);
	intel_list_put(l);
	intel_db_put(db);
	return 0;
}

int main(int argc, char **argv)
{
	char *eal[] = {
		argv[0],
		"--no-huge",
		"--no-pci",
		"--no-shconf",
		"--no-telemetry",
		"-m",
		"4096",
		"--log-level=1",
		"--file-prefix=weir-intel-bench"};
	static const size_t sizes[] = {1000, 10000, 100000, 1000000};
	struct intel_query *q = make_queries();
	int ret = 0;
	if (!q || rte_eal_init(sizeof(eal) / sizeof(eal[0]), eal) < 0)
		return 1;
	for (int i = 1; i < argc; i++)
		ret |= run(strtoul(argv[i], NULL, 10), q);
	for (size_t i = 0; argc < 2 && i < sizeof(sizes) / sizeof(sizes[0]); i++)
		ret |= run(sizes[i], q);
	free(q);
	return ret;
}
