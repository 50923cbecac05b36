// SPDX-License-Identifier: Apache-2.0

// How fast indicators compile and flows are matched: intel_bench [INDICATORS]...
// For each number of indicators a JSON line on standard output and a row of a table on standard
// error. Nanoseconds are of the thread's CPU per new flow (two ends under every prefix length in
// use, ports, pairs), medians of ROUNDS rounds in which every way takes its turn, so that what else
// the machine does weighs on all of them alike. About one flow in a hundred has an end that is
// listed. Beside it, on the same addresses: Hyperscan without our filter, a scan a flow and a scan
// a burst; DPDK's rte_hash with a lookup per end and prefix length; rte_fib and rte_fib6.

#include "bench/intel_dpdk.h"
#include "lib/base/clock.h"
#include "lib/intel/db.h"
#include "lib/intel/match.h"

#include <rte_eal.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BURST 64
#define QUERIES (1u << 16)
#define ROUNDS 7
#define PLAIN_MAX 150000 // tokens that are compiled as one database, too
#define HIT_EVERY 200	 // as many again meet a listed network by chance
#define LARGE_MAX 1320	 // networks of more than 256 addresses
#define V6_EVERY 8

enum way { BATCH, SINGLE, NAMES, HS_SINGLE, HS_BATCH, HASH, FIB, N_WAYS };

static const char *const way_names[N_WAYS] = {
	[BATCH] = "flow_ns",
	[SINGLE] = "flow_one_by_one_ns",
	[NAMES] = "name_ns",
	[HS_SINGLE] = "hyperscan_one_by_one_ns",
	[HS_BATCH] = "hyperscan_burst_ns",
	[HASH] = "rte_hash_ns",
	[FIB] = "rte_fib_ns",
};

// What is measured with one set of indicators.
struct bench {
	const struct intel_db *db;
	const struct intel_query *flows, *names;
	struct dpdk_tables *dpdk;
	hs_database_t *plain; // all tokens in one; NULL: too many
	hs_scratch_t *scratch;
	struct intel_counters counters; // of BATCH
	uint64_t found;
};

static uint64_t random_state = 0x2545f4914f6cdd1d;

static uint64_t draw(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

// Traffic and indicators are of the same networks.
static struct addr random_v4(void)
{
	uint32_t v = (uint32_t)draw();
	uint8_t b[4] = {
		(uint8_t)(20 + v % 180), (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
	return addr_of_v4(b);
}

static struct addr random_v6(void)
{
	uint64_t v[2] = {draw(), draw()};
	uint8_t b[16];
	memcpy(b, v, 16);
	b[0] = 0x2a;
	b[1] &= 0x0f;
	return addr_of_v6(b);
}

static struct prefix masked(struct addr a, unsigned len)
{
	struct prefix p = {.len = (uint8_t)len};
	for (unsigned bit = 0; bit < len; bit++)
		p.addr.b[bit / 8] |= (uint8_t)(a.b[bit / 8] & (0x80 >> bit % 8));
	return p;
}

static size_t random_name(bool is_listed, char text[static 64])
{
	return (size_t)snprintf(
		text,
		64,
		"h%" PRIx64 ".%s%u.example",
		draw() >> 40,
		is_listed ? "bad" : "good",
		(unsigned)(draw() % 1000)
	);
}

// Ten lengths, as lists have them: mostly single addresses and /24, few large ones, of which there
// are no more however long the lists.
static unsigned random_v4_len(unsigned *n_large)
{
	static const struct {
		uint16_t below;
		uint8_t len;
	} lens[] = {
		{600, 32},
		{800, 24},
		{850, 28},
		{900, 29},
		{940, 27},
		{978, 26},
		{988, 23},
		{996, 22},
		{999, 20},
		{1000, 16}};
	unsigned at = 0, n = (unsigned)(draw() % (*n_large < LARGE_MAX ? 1000 : 978));
	while (n >= lens[at].below)
		at++;
	*n_large += lens[at].len < 24;
	return 96u + lens[at].len;
}

// Six of ten are IPv4, two IPv6, two names.
static struct intel_list *make_list(size_t n)
{
	static const uint8_t v6[] = {128, 64, 48, 128};
	struct intel_list *l = intel_list_create("bench");
	unsigned n_large = 0;
	for (size_t k = 0; k < n && l; k++) {
		struct indicator i = {.type = INDICATOR_NET, .score = 700};
		char name[64] = "";
		if (k % 10 < 6) {
			i.net = masked(random_v4(), random_v4_len(&n_large));
		} else if (k % 10 < 8) {
			i.net = masked(random_v6(), v6[draw() % sizeof(v6)]);
		} else {
			random_name(true, name);
			i.type = INDICATOR_NAME;
		}
		if (intel_list_add(l, &i, name) < 0)
			exit(1);
	}
	return l;
}

static const struct indicator *random_listed(const struct intel_list *l, bool is_name)
{
	const struct indicator *i;
	do
		i = &l->items[draw() % l->n];
	while ((i->type == INDICATOR_NAME) != is_name);
	return i;
}

static struct intel_query *make_flows(const struct intel_list *l)
{
	struct intel_query *q = calloc(QUERIES, sizeof(*q));
	for (size_t i = 0; q && i < QUERIES; i++) {
		bool v4 = i % V6_EVERY != 0;
		q[i] = (struct intel_query
		){.src = v4 ? random_v4() : random_v6(),
		  .dst = v4 ? random_v4() : random_v6(),
		  .sport = (uint16_t)draw(),
		  .dport = 443,
		  .proto = 6,
		  .has_flow = true};
		if (i % HIT_EVERY == 0)
			q[i].dst = random_listed(l, false)->net.addr;
	}
	return q;
}

static struct intel_query *make_names(const struct intel_list *l)
{
	struct intel_query *q = calloc(QUERIES, sizeof(*q));
	char *texts = malloc(QUERIES * 64ul);
	for (size_t i = 0; q && texts && i < QUERIES; i++) {
		char *text = texts + 64 * i;
		size_t len = random_name(false, text);
		if (i % HIT_EVERY == 0)
			len = (size_t
			)snprintf(text, 64, "%s", intel_list_str(l, random_listed(l, true)->name));
		q[i].name = (struct record_str){text, (uint16_t)len};
	}
	return texts ? q : NULL;
}

static void match(struct bench *b, const struct intel_query *q, size_t burst, bool is_counted)
{
	static struct intel_match m[BURST];
	struct intel_counters other = {};
	for (size_t at = 0; at + burst <= QUERIES; at += burst) {
		intel_match(b->db, 0, 1, q + at, burst, m, is_counted ? &b->counters : &other);
		b->found += m[0].id;
	}
}

static int
on_hit(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *ctx)
{
	(void)id, (void)from, (void)flags;
	*(uint64_t *)ctx += to % TOKEN_LEN == 0;
	return 0;
}

static unsigned tokens_of(const struct intel_db *db, const struct addr *a, uint64_t *ret_tokens)
{
	bool v4 = addr_is_v4(a);
	const struct db_lengths *l = v4 ? &db->v4 : &db->v6;
	uint64_t hi, lo;
	memcpy(&hi, a->b, 8);
	memcpy(&lo, a->b + 8, 8);
	for (unsigned i = 0; i < l->n; i++)
		ret_tokens[i] = token_finish(
			&db->secret,
			token_net_kind(v4),
			l->at[i].len,
			db_sieve_net(db, &l->at[i], hi, lo)
		);
	return l->n;
}

// Every token of the database as a literal of one.
static hs_database_t *compile_plain(const struct intel_db *db)
{
	uint32_t n = db->n_tokens;
	uint64_t *tokens = malloc(n * sizeof(*tokens));
	const char **literals = malloc(n * sizeof(*literals));
	unsigned *flags = calloc(n, sizeof(*flags)), *ids = calloc(n, sizeof(*ids));
	size_t *lens = malloc(n * sizeof(*lens));
	hs_database_t *hs = NULL;
	hs_compile_error_t *error = NULL;
	bool ok = n <= PLAIN_MAX && tokens && literals && flags && ids && lens;
	for (uint32_t i = 0; ok && i < n; i++) {
		tokens[i] = db->entries[db->first[i]].token;
		literals[i] = (const char *)&tokens[i];
		ids[i] = i;
		lens[i] = TOKEN_LEN;
	}
	if (ok &&
	    hs_compile_lit_multi(literals, flags, ids, lens, n, HS_MODE_BLOCK, NULL, &hs, &error) !=
		    HS_SUCCESS)
		hs_free_compile_error(error);
	free(tokens);
	free(literals);
	free(flags);
	free(ids);
	free(lens);
	return hs;
}

// Hyperscan alone: every token of a burst of flows in one scan.
static void scan_all(struct bench *b, size_t burst)
{
	static uint64_t tokens[BURST * 2 * 64];
	for (size_t at = 0; at + burst <= QUERIES; at += burst) {
		unsigned n = 0;
		for (size_t i = at; i < at + burst; i++) {
			n += tokens_of(b->db, &b->flows[i].dst, tokens + n);
			n += tokens_of(b->db, &b->flows[i].src, tokens + n);
		}
		if (hs_scan(b->plain,
			    (const char *)tokens,
			    n * TOKEN_LEN,
			    0,
			    b->scratch,
			    on_hit,
			    &b->found) != HS_SUCCESS)
			exit(1);
	}
}

// Whether this way can be gone with so many indicators.
static bool is_possible(const struct bench *b, enum way way)
{
	if (way == HS_SINGLE || way == HS_BATCH)
		return b->plain != NULL;
	return way != FIB || dpdk_has_fib(b->dpdk);
}

static void take(struct bench *b, enum way way)
{
	switch (way) {
	case BATCH:
		match(b, b->flows, BURST, true);
		break;
	case SINGLE:
		match(b, b->flows, 1, false);
		break;
	case NAMES:
		match(b, b->names, BURST, false);
		break;
	case HS_SINGLE:
		scan_all(b, 1);
		break;
	case HS_BATCH:
		scan_all(b, BURST);
		break;
	case HASH:
		b->found += dpdk_hash_lookup(b->dpdk, b->flows, QUERIES);
		break;
	default:
		b->found += dpdk_fib_lookup(b->dpdk, b->flows, QUERIES);
	}
}

static uint64_t cpu_ns(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_nsec;
}

static int cmp_double(const void *a, const void *b)
{
	return *(const double *)a < *(const double *)b ? -1
						       : *(const double *)a > *(const double *)b;
}

// The first round only warms up.
static void measure(struct bench *b, double ret_ns[static N_WAYS])
{
	double ns[N_WAYS][ROUNDS] = {};
	for (int round = -1; round < ROUNDS; round++) {
		for (int way = 0; way < N_WAYS; way++) {
			uint64_t start = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
			if (!is_possible(b, (enum way)way))
				continue;
			take(b, (enum way)way);
			if (round >= 0)
				ns[way][round] =
					(double)(cpu_ns(CLOCK_THREAD_CPUTIME_ID) - start) / QUERIES;
		}
	}
	for (int way = 0; way < N_WAYS; way++) {
		qsort(ns[way], ROUNDS, sizeof(double), cmp_double);
		ret_ns[way] = ns[way][ROUNDS / 2];
	}
}

static void print(const struct bench *b, double compile_sec, const double ns[static N_WAYS])
{
	const struct intel_stats *s = intel_db_stats(b->db);
	const struct intel_counters *c = &b->counters;
	printf("{\"indicators\": %zu, \"prefix_lengths_v4\": %u, \"prefix_lengths_v6\": %u, "
	       "\"compile_cpu_s\": %.2f, \"compiled_bytes\": %zu, \"tokens_per_flow\": %.1f, "
	       "\"scanned_per_flow\": %.3f, \"hit_share\": %.4f",
	       s->entries,
	       b->db->v4.n,
	       b->db->v6.n,
	       compile_sec,
	       s->size,
	       (double)c->tokens / (double)c->queries,
	       (double)c->scanned / (double)c->queries,
	       (double)c->hits / (double)c->queries);
	fprintf(stderr, "%10zu %9.2f %9zu", s->entries, compile_sec, s->size >> 10);
	for (int way = 0; way < N_WAYS; way++) {
		if (!is_possible(b, (enum way)way)) {
			printf(", \"%s\": null", way_names[way]);
			fprintf(stderr, " %9s", "-");
			continue;
		}
		printf(", \"%s\": %.1f", way_names[way], ns[way]);
		fprintf(stderr, " %9.1f", ns[way]);
	}
	printf("}\n");
	fputc('\n', stderr);
	fflush(stdout);
}

static int run(size_t n)
{
	struct intel_list *l = make_list(n < 100 ? 100 : n);
	struct intel_options o = {.n_threads = 1};
	struct bench b = {};
	struct intel_db *db;
	char error[INTEL_ERROR_LEN];
	double ns[N_WAYS];
	uint64_t start = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
	if (!l || intel_db_create(&l, 1, &o, &db, error) < 0) {
		fprintf(stderr, "%s\n", l ? error : "out of memory");
		return 1;
	}
	double compile_sec = (double)(cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - start) / 1e9;
	struct intel_query *flows = make_flows(l), *names = make_names(l);
	b.db = db;
	b.flows = flows;
	b.names = names;
	b.dpdk = dpdk_tables_create(l);
	b.plain = compile_plain(db);
	if (!flows || !names || !b.dpdk ||
	    (b.plain && hs_alloc_scratch(b.plain, &b.scratch) != HS_SUCCESS)) {
		fprintf(stderr, "a table for comparison does not fit\n");
		return 1;
	}
	measure(&b, ns);
	print(&b, compile_sec, ns);
	hs_free_scratch(b.scratch);
	hs_free_database(b.plain);
	dpdk_tables_free(b.dpdk);
	free((void *)names[0].name.p);
	free(names);
	free(flows);
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
	int ret = 0;
	if (rte_eal_init(sizeof(eal) / sizeof(eal[0]), eal) < 0)
		return 1;
	fprintf(stderr,
		"%10s %9s %9s %9s %9s %9s %9s %9s %9s %9s\n",
		"indicators",
		"compile s",
		"KiB",
		"flow",
		"one by 1",
		"name",
		"hs 1by1",
		"hs burst",
		"rte_hash",
		"rte_fib");
	for (int i = 1; i < argc; i++)
		ret |= run(strtoul(argv[i], NULL, 10));
	for (size_t i = 0; argc < 2 && i < sizeof(sizes) / sizeof(sizes[0]); i++)
		ret |= run(sizes[i]);
	return ret;
}
