// SPDX-License-Identifier: Apache-2.0

// The flow table alone: packets of n flows in random order, in bursts, against rte_hash bulk lookup
// and an update of the same 128 bytes. Nanoseconds of the thread's CPU time, so that what else the
// machine does matters little, without making the packets; rounds alternate, medians
// count.
//
//	flow_table_bench [FLOWS...]	1000 100000 1000000 10000000

#include "lib/base/clock.h"
#include "sensor/flow/table.h"

#include <rte_eal.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 5
#define N_PACKETS (4u << 20) // of a round
#define WINDOW 2048u	     // packets between two looks at the clock

static uint64_t random_state = 88172645463325252ull;

static uint64_t draw(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static double cpu_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static void *need(void *p)
{
	if (!p) {
		fprintf(stderr, "out of memory\n");
		exit(1);
	}
	return p;
}

// The i-th flow's packet.
static struct packet packet_of(uint32_t i)
{
	uint8_t src[4] = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
	uint8_t dst[4] = {192, 0, 2, (uint8_t)(i >> 24)};
	return (struct packet){
		.time_ns = NS_PER_SEC,
		.bytes = 60,
		.src = addr_of_v4(src),
		.dst = addr_of_v4(dst),
		.sport = (uint16_t)(1024 + i % 60000),
		.dport = 443,
		.proto = PROTO_UDP,
	};
}

// Which flows the packets of a round belong to; the same for both.
static uint32_t *order_of(uint32_t n_flows)
{
	uint32_t *order = need(malloc(N_PACKETS * sizeof(*order)));
	for (uint32_t i = 0; i < N_PACKETS; i++)
		order[i] = (uint32_t)((draw() >> 32) * n_flows >> 32);
	return order;
}

// The packets of a window, made outside of what is measured.
static void make_window(struct packet *packets, const uint32_t *order, uint32_t i, uint32_t n)
{
	for (uint32_t k = 0; k < n; k++)
		packets[k] = packet_of(order ? order[i + k] : i + k);
}

struct ours {
	struct flow_table *table;
	struct flow_ring *ring;
};

static struct ours ours_create(uint32_t n_flows)
{
	struct ours o = {.ring = need(flow_ring_create(64, false))};
	struct flow_table_options options = {
		.n_flows = n_flows,
		.idle_ns = 3600 * NS_PER_SEC,
		.active_ns = 3600 * NS_PER_SEC,
		.out = o.ring,
	};
	if (flow_table_create(&options, &o.table) < 0)
		need(NULL);
	return o;
}

static void ours_burst(struct ours *o, const struct packet *packets)
{
	struct flow_probe probes[FLOW_BURST];
	struct flow *flows[FLOW_BURST];
	flow_table_probe(o->table, packets, FLOW_BURST, probes);
	flow_table_update(o->table, packets, FLOW_BURST, probes, flows);
}

struct theirs {
	struct rte_hash *hash;
	struct flow *flows; // by position
};

static struct theirs theirs_create(uint32_t n_flows)
{
	struct rte_hash_parameters p = {
		.name = "bench",
		.entries = n_flows + n_flows / 4 + 64,
		.key_len = sizeof(struct flow_key),
		.hash_func = rte_hash_crc,
		.socket_id = (int)rte_socket_id(),
	};
	struct theirs t = {.hash = need(rte_hash_create(&p))};
	size_t len = p.entries * sizeof(struct flow);
	t.flows = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (t.flows == MAP_FAILED)
		need(NULL);
	madvise(t.flows, len, MADV_HUGEPAGE);
	return t;
}

static void theirs_free(struct theirs *t, uint32_t n_flows)
{
	munmap(t->flows, (n_flows + n_flows / 4 + 64) * sizeof(struct flow));
	rte_hash_free(t->hash);
}

static void theirs_update(struct theirs *t, const int32_t *at, const struct packet *packets)
{
	for (uint32_t k = 0; k < FLOW_BURST; k++) {
		__builtin_prefetch(&t->flows[at[k]], 1);
		__builtin_prefetch((char *)&t->flows[at[k]] + 64, 1);
	}
	for (uint32_t k = 0; k < FLOW_BURST; k++) {
		struct flow *f = &t->flows[at[k]];
		f->last_ns = packets[k].time_ns;
		f->packets[0]++;
		f->bytes[0] += packets[k].bytes;
		f->tcp_flags[0] |= packets[k].tcp_flags;
	}
}

static void theirs_burst(struct theirs *t, const struct packet *packets, bool is_new)
{
	static const struct flow_key_parts parts;
	struct flow_key keys[FLOW_BURST];
	const void *refs[FLOW_BURST];
	int32_t at[FLOW_BURST];
	for (uint32_t k = 0; k < FLOW_BURST; k++) {
		(void)flow_key_of(&packets[k], &parts, &keys[k]);
		refs[k] = &keys[k];
	}
	if (is_new) {
		for (uint32_t k = 0; k < FLOW_BURST; k++)
			at[k] = rte_hash_add_key(t->hash, &keys[k]);
	} else {
		rte_hash_lookup_bulk(t->hash, refs, FLOW_BURST, at);
	}
	for (uint32_t k = 0; k < FLOW_BURST; k++)
		at[k] = at[k] < 0 ? 0 : at[k];
	theirs_update(t, at, packets);
}

// Nanoseconds per packet of one of the two; without an order every flow's first packet.
static double run(struct ours *o, struct theirs *t, const uint32_t *order, uint32_t n)
{
	static struct packet packets[WINDOW];
	double sum = 0;
	for (uint32_t i = 0, w; i < n; i += w) {
		w = n - i < WINDOW ? n - i : WINDOW;
		make_window(packets, order, i, w);
		double start = cpu_ns();
		for (uint32_t k = 0; k < w; k += FLOW_BURST) {
			if (o)
				ours_burst(o, packets + k);
			else
				theirs_burst(t, packets + k, !order);
		}
		sum += cpu_ns() - start;
	}
	return sum / n;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *v)
{
	qsort(v, ROUNDS, sizeof(*v), by_value);
	return v[ROUNDS / 2];
}

static void bench(uint32_t n_flows)
{
	double ours_ns[ROUNDS], theirs_ns[ROUNDS];
	uint32_t *order = order_of(n_flows);
	struct ours o = ours_create(n_flows);
	struct theirs t = theirs_create(n_flows);
	uint32_t whole = n_flows / FLOW_BURST * FLOW_BURST;
	double ours_new = run(&o, NULL, NULL, whole), theirs_new = run(NULL, &t, NULL, whole);
	for (int r = 0; r < ROUNDS; r++) {
		ours_ns[r] = run(&o, NULL, order, N_PACKETS);
		theirs_ns[r] = run(NULL, &t, order, N_PACKETS);
	}
	double a = median(ours_ns), b = median(theirs_ns);
	printf("{\"bench\": \"flow_table\", \"flows\": %u, \"ns\": %.1f, \"rte_hash_ns\": %.1f, "
	       "\"ratio\": %.2f, \"new_ns\": %.1f, \"rte_hash_new_ns\": %.1f}\n",
	       n_flows,
	       a,
	       b,
	       b / a,
	       ours_new,
	       theirs_new);
	fprintf(stderr, "%10u flows %8.1f ns %8.1f ns rte_hash %6.2f times\n", n_flows, a, b, b / a
	);
	theirs_free(&t, n_flows);
	flow_table_free(o.table);
	flow_ring_free(o.ring);
	free(order);
}

int main(int argc, char **argv)
{
	static const uint32_t usual[] = {1000, 100000, 1000000, 10000000};
	char prefix[64];
	snprintf(prefix, sizeof(prefix), "--file-prefix=bench%d", (int)getpid());
	char *eal[] = {argv[0], "-l0", "--no-huge", "-m4096", "--no-pci", prefix, "--log-level=4"};
	if (rte_eal_init(7, eal) < 0)
		return 1;
	if (argc > 1) {
		for (int i = 1; i < argc; i++)
			bench((uint32_t)strtoul(argv[i], NULL, 10));
	} else {
		for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
			bench(usual[i]);
	}
	rte_eal_cleanup();
	return 0;
}
