// SPDX-License-Identifier: Apache-2.0
#include "lib/intel/match.h"

#include "lib/intel/db.h"

#define QUERIES_MAX 256 // of one round
#define STRIDE 32	// flows that are looked up together

// What is known of one part (destination, source, name, port) of one query.
struct best {
	const struct db_entry *entry;
	uint8_t len; // how specific
};

struct round {
	const struct intel_db *db;
	struct db_thread *thread;
	const struct intel_query *queries;
	uint32_t now_sec;
	struct intel_counters *counters;
	char names[QUERIES_MAX][INDICATOR_NAME_MAX + 1]; // in canonical form; "": none
	uint8_t name_lens[QUERIES_MAX];
	unsigned scanned;		  // tokens of the shards before the one that is scanned
	uint64_t known[QUERIES_MAX / 64]; // bit i: best[i] holds something
	struct best best[QUERIES_MAX][INTEL_PORT + 1];
};

static const struct addr *end_of(const struct intel_query *q, enum intel_where where)
{
	return where == INTEL_SRC ? &q->src : &q->dst;
}

static uint16_t port_of(const struct intel_query *q, enum intel_where where)
{
	return where == INTEL_SRC ? q->sport : q->dport;
}

// Own and reserved addresses are never a hit; an allow-list may name them.
static bool is_exempt(const struct intel_db *db, const struct indicator *i, const struct addr *a)
{
	struct prefix host = {*a, 128};
	if (i->is_allow)
		return false;
	for (size_t k = 0; k < db->n_own; k++)
		if (prefix_contains(&db->own[k], a))
			return true;
	return !i->is_forced && indicator_is_reserved(&host);
}

static bool
covers(const struct round *r,
       const struct db_entry *e,
       unsigned query,
       enum intel_where where,
       uint8_t len)
{
	const struct intel_query *q = &r->queries[query];
	const struct indicator *i = db_indicator(r->db, e);
	const struct addr *a = end_of(q, where);
	bool proto_fits = i->proto == 0 || i->proto == q->proto;
	switch ((enum indicator_type)i->type) {
	case INDICATOR_NET:
		return where <= INTEL_SRC && addr_is_v4(a) == addr_is_v4(&i->net.addr) &&
		       prefix_contains(&i->net, a) && !is_exempt(r->db, i, a);
	case INDICATOR_ADDR_PORT:
		return where <= INTEL_SRC && addr_eq(a, &i->net.addr) && proto_fits &&
		       i->port == port_of(q, where) && !is_exempt(r->db, i, a);
	case INDICATOR_PORT:
		return where == INTEL_PORT && proto_fits && i->port == q->dport;
	default:
		break;
	}
	const char *name = r->names[query], *end = name + r->name_lens[query] - len;
	return where == INTEL_NAME && strcmp(db_name(r->db, e), end) == 0 &&
	       (!i->is_exact || end == name);
}

// Whether e is to be preferred to what is known: more specific; else an allow-list; else the
// stronger one.
static bool is_better(
	const struct intel_db *db, const struct best *known, const struct db_entry *e, uint8_t len
)
{
	if (!known->entry)
		return true;
	const struct indicator *a = db_indicator(db, known->entry), *b = db_indicator(db, e);
	if (len != known->len)
		return len > known->len;
	if (a->is_allow != b->is_allow)
		return b->is_allow;
	if (a->score != b->score)
		return b->score > a->score;
	if (e->list != known->entry->list)
		return e->list < known->entry->list;
	return e->item < known->entry->item;
}

static struct best *best_of(struct round *r, unsigned query)
{
	if (!bit_of(r->known, (uint16_t)query)) {
		r->known[query >> 6] |= 1ull << (query & 63);
		memset(r->best[query], 0, sizeof(r->best[query]));
	}
	return r->best[query];
}

// The indicators of a token that was found at a reference: those that really cover it.
static void take_token(struct round *r, uint32_t token, unsigned ref)
{
	const struct intel_db *db = r->db;
	unsigned query = r->thread->refs[ref].query;
	enum intel_where where = r->thread->refs[ref].where;
	uint8_t len = r->thread->refs[ref].len;
	struct best *best = &best_of(r, query)[where];
	bool any = false;
	for (uint32_t k = db->first[token]; k < db->first[token + 1]; k++) {
		const struct db_entry *e = &db->entries[k];
		const struct indicator *i = db_indicator(db, e);
		if (!covers(r, e, query, where, len))
			continue;
		any = true;
		if (i->expires && i->expires <= r->now_sec)
			continue;
		if (is_better(db, best, e, len))
			*best = (struct best){e, len};
	}
	r->counters->unequal += !any;
}

static int
on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *ctx)
{
	struct round *r = ctx;
	(void)from;
	(void)flags;
	if (to % TOKEN_LEN)
		r->counters->unaligned++;
	else
		take_token(r, id, r->thread->order[r->scanned + to / TOKEN_LEN - 1]);
	return 0;
}

// Hyperscan failed: each token of the shard is searched for.
static __attribute__((noinline)) void search(struct round *r, unsigned from, unsigned to)
{
	const struct intel_db *db = r->db;
	for (unsigned i = from; i < to; i++) {
		uint32_t low = 0, high = db->n_tokens;
		uint64_t token = r->thread->sorted[i];
		while (low < high) {
			uint32_t middle = low + (high - low) / 2;
			if (db->entries[db->first[middle]].token < token)
				low = middle + 1;
			else
				high = middle;
		}
		if (low < db->n_tokens && db->entries[db->first[low]].token == token)
			take_token(r, low, r->thread->order[i]);
	}
}

// Brings the tokens of each shard together; ends[] says where each shard's end.
static void sort_by_shard(const struct intel_db *db, struct db_thread *t)
{
	uint16_t sum = 0;
	memset(t->ends, 0, db->n_shards * sizeof(t->ends[0]));
	for (unsigned i = 0; i < t->n; i++)
		t->ends[db_shard(db, t->tokens[i])]++;
	for (uint32_t s = 0; s < db->n_shards; s++) {
		uint16_t n = t->ends[s];
		t->ends[s] = sum; // where it begins, for now
		sum = (uint16_t)(sum + n);
	}
	for (unsigned i = 0; i < t->n; i++) {
		uint16_t at = t->ends[db_shard(db, t->tokens[i])]++;
		t->sorted[at] = t->tokens[i];
		t->order[at] = (uint16_t)i;
	}
}

// One scan for each shard that any of the tokens belongs to.
static void scan(struct round *r)
{
	const struct intel_db *db = r->db;
	struct db_thread *t = r->thread;
	if (t->n == 0)
		return;
	r->counters->scanned += t->n;
	sort_by_shard(db, t);
	r->scanned = 0;
	for (uint32_t s = 0; s < db->n_shards && r->scanned < t->n; s++) {
		unsigned n = t->ends[s] - r->scanned;
		const char *data = (const char *)&t->sorted[r->scanned];
		hs_error_t e = HS_SUCCESS;
		if (n && db->shards[s]) // without one nothing is there
			e = hs_scan(db->shards[s], data, n * TOKEN_LEN, 0, t->scratch, on_match, r);
		if (e != HS_SUCCESS) {
			r->counters->scan_errors++;
			search(r, r->scanned, t->ends[s]);
		}
		r->scanned = t->ends[s];
	}
	t->n = 0;
}

static __attribute__((noinline)) void
push(struct round *r, uint64_t token, unsigned query, enum intel_where where, uint8_t len)
{
	struct db_thread *t = r->thread;
	if (t->n == DB_TOKENS)
		scan(r);
	t->tokens[t->n] = token;
	t->refs[t->n].query = (uint16_t)query;
	t->refs[t->n].where = (uint8_t)where;
	t->refs[t->n].len = len;
	t->n++;
}

// An address that is in the cut of some network of the group.
static __attribute__((noinline)) void look_up_group(
	struct round *r,
	const struct db_lengths *lengths,
	const struct db_group *g,
	unsigned query,
	enum intel_where where
)
{
	const struct intel_db *db = r->db;
	const struct addr *a = end_of(&r->queries[query], where);
	enum token_kind kind = token_net_kind(addr_is_v4(a));
	uint64_t hi, lo;
	memcpy(&hi, a->b, 8);
	memcpy(&lo, a->b + 8, 8);
	for (unsigned i = g->first; i <= g->last; i++) {
		const struct db_length *l = &lengths->at[i];
		uint64_t sieve = db_sieve_net(db, l, hi, lo);
		if (db_passes(&db->filter, sieve))
			push(r, token_finish(&db->secret, kind, l->len, sieve), query, where, l->len
			);
	}
}

// With any protocol, and with the query's own; `a` is the address the port is of, NULL: any.
static __attribute__((noinline)) void
look_up_port(struct round *r, const struct addr *a, unsigned query, enum intel_where where)
{
	enum token_kind kind = a ? TOKEN_ADDR_PORT : TOKEN_PORT;
	uint64_t hi = 0, lo = 0;
	const struct token_secret *s = &r->db->secret;
	const struct intel_query *q = &r->queries[query];
	uint16_t port = port_of(q, where);
	uint8_t len = a ? 128 : 0;
	if (a) {
		memcpy(&hi, a->b, 8);
		memcpy(&lo, a->b + 8, 8);
	}
	for (int i = 0; i < (q->proto ? 2 : 1); i++) {
		uint64_t more = token_port(port, i ? q->proto : 0);
		uint64_t sieve = token_sieve(s, more, hi, lo);
		if (db_passes(&r->db->filter, sieve))
			push(r, token_finish(s, kind, more, sieve), query, where, len);
	}
	r->counters->tokens += 2;
}

static const struct db_lengths *lengths_of(const struct intel_db *db, const struct addr *a)
{
	return addr_is_v4(a) ? &db->v4 : &db->v6;
}

static inline void
fetch_end(const struct intel_db *db, const struct addr *a, uint64_t sieves[static DB_GROUPS])
{
	const struct db_lengths *l = lengths_of(db, a);
	uint64_t hi, lo;
	memcpy(&hi, a->b, 8);
	memcpy(&lo, a->b + 8, 8);
	for (unsigned g = 0; g < l->n_groups; g++) {
		const struct db_filter *f = &l->groups[g].filter;
		sieves[g] = db_sieve_net(db, &l->at[l->groups[g].last], hi, lo);
		__builtin_prefetch(&f->words[sieves[g] >> f->shift]);
	}
}

static inline void look_up_end(
	struct round *r,
	unsigned query,
	enum intel_where where,
	const uint64_t sieves[static DB_GROUPS]
)
{
	const struct intel_db *db = r->db;
	const struct intel_query *q = &r->queries[query];
	const struct addr *a = end_of(q, where);
	const struct db_lengths *l = lengths_of(db, a);
	for (unsigned g = 0; g < l->n_groups; g++)
		if (__builtin_expect(db_passes(&l->groups[g].filter, sieves[g]), 0))
			look_up_group(r, l, &l->groups[g], query, where);
	r->counters->tokens += l->n;
	if (bit_of(db->addr_ports, port_of(q, where)))
		look_up_port(r, a, query, where);
}

// n queries from `from` on. What the groups' filters are asked is made and fetched for all of them
// first, so that the CPU waits for memory once, not flow by flow.
static void look_up_stride(struct round *r, unsigned from, unsigned n)
{
	uint64_t sieves[STRIDE][2][DB_GROUPS];
	for (unsigned i = 0; i < n; i++) {
		const struct intel_query *q = &r->queries[from + i];
		if (!q->has_flow)
			continue;
		fetch_end(r->db, &q->dst, sieves[i][0]);
		fetch_end(r->db, &q->src, sieves[i][1]);
	}
	for (unsigned i = 0; i < n; i++) {
		const struct intel_query *q = &r->queries[from + i];
		if (!q->has_flow)
			continue;
		look_up_end(r, from + i, INTEL_DST, sieves[i][0]);
		look_up_end(r, from + i, INTEL_SRC, sieves[i][1]);
		if (bit_of(r->db->ports, q->dport))
			look_up_port(r, NULL, from + i, INTEL_PORT);
	}
}

// Names come in any form; what is no name matches nothing.
static void look_up_name(struct round *r, unsigned query)
{
	const struct intel_db *db = r->db;
	const struct intel_query *q = &r->queries[query];
	char *name = r->names[query];
	uint64_t h = 0;
	unsigned labels = 0;
	name[0] = '\0';
	r->name_lens[query] = 0;
	if (!db->name_labels || indicator_parse_name(q->name.p, q->name.len, name))
		return;
	size_t len = strlen(name);
	r->name_lens[query] = (uint8_t)len;
	for (size_t n = len; n > 0; n--) {
		h = token_name_step(&db->secret, h, name[n - 1]);
		if (n > 1 && name[n - 2] != '.')
			continue;
		labels = labels < 63 ? labels + 1 : 63;
		if (!(db->name_labels >> labels & 1))
			continue;
		if (db_passes(&db->filter, h))
			push(r,
			     token_finish(&db->secret, TOKEN_NAME, 0, h),
			     query,
			     INTEL_NAME,
			     (uint8_t)(len - n + 1));
		r->counters->tokens++;
	}
	if (db_passes(&db->filter, h))
		push(r,
		     token_finish(&db->secret, TOKEN_EXACT, 0, h),
		     query,
		     INTEL_NAME,
		     (uint8_t)len);
	r->counters->tokens++;
}

static bool is_allowed(const struct intel_db *db, const struct best *b)
{
	return b->entry && db_indicator(db, b->entry)->is_allow;
}

// What of the parts is told (match.h has the rules).
static void conclude(struct round *r, unsigned query, struct intel_match *ret)
{
	const struct intel_db *db = r->db;
	const struct best *best = r->best[query];
	bool shielded = is_allowed(db, &best[INTEL_DST]) || is_allowed(db, &best[INTEL_SRC]);
	for (int where = INTEL_DST; where <= INTEL_PORT; where++) {
		const struct db_entry *e = best[where].entry;
		const struct indicator *i = e ? db_indicator(db, e) : NULL;
		if (!i)
			continue;
		if (i->is_allow || (where == INTEL_PORT && shielded)) {
			ret->is_allowed = true;
		} else if (!ret->id || i->score > ret->score) {
			ret->id = e->id;
			ret->indicator = i;
			ret->list = db->lists[e->list];
			ret->score = i->score;
			ret->where = (uint8_t)where;
		}
	}
	r->counters->hits += ret->id != 0;
	r->counters->allowed += ret->is_allowed;
}

static void match_round(struct round *r, unsigned n, struct intel_match *ret_matches)
{
	memset(r->known, 0, sizeof(r->known));
	for (unsigned at = 0; at < n; at += STRIDE)
		look_up_stride(r, at, n - at < STRIDE ? n - at : STRIDE);
	for (unsigned i = 0; i < n; i++)
		if (r->queries[i].name.len)
			look_up_name(r, i);
	scan(r);
	memset(ret_matches, 0, n * sizeof(*ret_matches));
	for (unsigned w = 0; w < QUERIES_MAX / 64; w++)
		for (uint64_t bits = r->known[w]; bits; bits &= bits - 1) {
			unsigned query = w * 64 + (unsigned)__builtin_ctzll(bits);
			conclude(r, query, &ret_matches[query]);
		}
}

void intel_match(
	const struct intel_db *db,
	unsigned thread,
	uint32_t now_sec,
	const struct intel_query *queries,
	size_t n,
	struct intel_match *ret_matches,
	struct intel_counters *counters
)
{
	static __thread struct round r;
	if (db->n_tokens == 0) {
		memset(ret_matches, 0, n * sizeof(*ret_matches));
		return;
	}
	r.db = db;
	r.thread = &db->threads[thread];
	r.now_sec = now_sec;
	r.counters = counters;
	counters->queries += n;
	for (size_t at = 0; at < n; at += QUERIES_MAX) {
		size_t m = n - at < QUERIES_MAX ? n - at : QUERIES_MAX;
		r.queries = queries + at;
		match_round(&r, (unsigned)m, ret_matches + at);
	}
}
