// SPDX-License-Identifier: Apache-2.0
#include "sensor/inspect/inspect.h"

#include "lib/base/clock.h"
#include "sensor/inspect/note.h"

#include <stdlib.h>
#include <sys/random.h>

#define TOLD_SLOTS 4096 // a power of two
#define TOLD_AGAIN_NS (60 * NS_PER_SEC)
#define HITS_PER_SEC 1000
#define N_QUERIES (2 * FLOW_BURST) // of a burst: flows that began, and names

// Whose hit was told last: an indicator and the end that met it, as a hash.
struct told {
	uint64_t who;
	uint64_t at_ns;
};

struct inspect {
	struct inspect_options options;
	struct flow_table *table;
	uint64_t now_ns;
	uint64_t credit_ns; // up to now_ns: what hits may still be told for
	uint32_t n;	    // queries
	uint32_t n_names;
	struct intel_query queries[N_QUERIES];
	struct intel_match matches[N_QUERIES];
	struct flow *flows[N_QUERIES]; // what each is of
	struct names_result names[FLOW_BURST];
	struct told told[TOLD_SLOTS];
	struct flow_secret secret; // of the hashes
	struct inspect_counters counters;
};

struct inspect *inspect_create(const struct inspect_options *o)
{
	struct inspect *x = calloc(1, sizeof(*x));
	if (!x)
		return NULL;
	x->options = *o;
	if (getrandom(&x->secret, sizeof(x->secret), 0) != sizeof(x->secret)) {
		free(x);
		return NULL;
	}
	return x;
}

void inspect_free(struct inspect *x)
{
	free(x);
}

const struct inspect_counters *inspect_counters(const struct inspect *x)
{
	return &x->counters;
}

void inspect_begin(struct inspect *x, struct flow_table *table, uint64_t now_ns)
{
	x->table = table;
	x->now_ns = now_ns;
	x->n = x->n_names = 0;
	if (x->options.names)
		names_turn(x->options.names, now_ns);
}

// --- what a flow has beside ----------------------------------------------------------------------

// The flow's note, in `bytes`; all zero when it has none.
static void note_of(struct inspect *x, const struct flow *f, uint8_t *bytes, struct note *ret_note)
{
	size_t len = flow_table_extra(x->table, f, bytes);
	if (len == 0 || !note_get(bytes, len, ret_note))
		*ret_note = (struct note){};
}

static void keep_note(struct inspect *x, struct flow *f, const struct note *n)
{
	uint8_t bytes[FLOW_EXTRA_MAX];
	size_t len = note_put(n, bytes);
	if (len)
		flow_table_put_extra(x->table, f, bytes, len);
}

static void keep_name(struct inspect *x, struct flow *f, const struct names_result *found)
{
	uint8_t bytes[FLOW_EXTRA_MAX], packed[NAMES_PACKED_MAX];
	struct names_result all = {};
	struct note n;
	note_of(x, f, bytes, &n);
	if (n.names_len && !names_unpack(n.names, n.names_len, &all))
		all = (struct names_result){};
	names_merge(&all, found);
	n.names_len = (uint16_t)names_pack(&all, packed);
	n.names = packed;
	keep_note(x, f, &n);
}

void inspect_payload(
	struct inspect *x,
	struct flow *f,
	const struct flow_probe *probe,
	const struct packet *p,
	const uint8_t *payload,
	size_t len
)
{
	struct names_packet np = {
		.payload = payload,
		.len = len,
		.seq = p->tcp_seq,
		.tcp_flags = p->tcp_flags,
		.sport = p->sport,
		.dport = p->dport,
		.proto = p->proto,
		.reverse = probe->src_is_high != f->forward_is_high,
	};
	struct names_result *found = &x->names[x->n_names];
	if (!names_look(x->options.names, &f->names, &np, found))
		return;
	keep_name(x, f, found);
	if (found->server_len == 0)
		return;
	struct intel_query *q = &x->queries[x->n];
	*q = (struct intel_query){.name = {found->server, found->server_len}};
	x->flows[x->n++] = f;
	x->n_names++;
}

// --- the intelligence ----------------------------------------------------------------------------

static struct intel_query query_of(const struct flow *f)
{
	bool high = f->forward_is_high;
	uint8_t proto = flow_key_proto(&f->key);
	bool has_ports = proto != PROTO_ICMP && proto != PROTO_ICMP6; // key.h: others stand there
	return (struct intel_query){
		.src = high ? f->key.high : f->key.low,
		.dst = high ? f->key.low : f->key.high,
		.sport = has_ports ? flow_key_port(&f->key, high) : 0,
		.dport = has_ports ? flow_key_port(&f->key, !high) : 0,
		.proto = proto,
		.has_flow = true,
	};
}

// Whether the hit is to be told: not of whom it just was, and not too many.
static bool is_to_tell(struct inspect *x, const struct flow *f, const struct intel_match *m)
{
	bool inside_is_high = (m->where == INTEL_SRC) != f->forward_is_high;
	struct flow_key who = {
		.low = inside_is_high ? f->key.high : f->key.low,
		.rest = m->id,
		.tunnel = m->where};
	uint64_t hash = flow_key_hash(&who, &x->secret);
	struct told *t = &x->told[hash % TOLD_SLOTS];
	if (t->who == hash && x->now_ns - t->at_ns < TOLD_AGAIN_NS)
		return false;
	// A bucket of a second's worth.
	const uint64_t each = NS_PER_SEC / HITS_PER_SEC;
	if (x->credit_ns + NS_PER_SEC < x->now_ns || x->credit_ns > x->now_ns)
		x->credit_ns = x->now_ns > NS_PER_SEC ? x->now_ns - NS_PER_SEC : 0;
	if (x->credit_ns + each > x->now_ns) {
		x->counters.limited++;
		return false;
	}
	x->credit_ns += each;
	*t = (struct told){hash, x->now_ns};
	return true;
}

static struct record_str text_of(const struct intel_list *l, uint32_t text)
{
	const char *p = intel_list_str(l, text);
	return (struct record_str){p, (uint16_t)strnlen(p, RECORD_STR_MAX)};
}

static void
tell(struct inspect *x, const struct flow *f, const struct intel_match *m, const struct note *kept)
{
	uint8_t bytes[FLOW_EXTRA_MAX];
	const struct indicator *i = m->indicator;
	struct note n = *kept;
	n.type = i->type;
	n.severity = i->severity;
	n.confidence = i->confidence;
	n.texts[NOTE_VALUE] = text_of(m->list, i->value);
	n.texts[NOTE_FEED] = (struct record_str
	){m->list->feed, (uint16_t)strnlen(m->list->feed, INTEL_FEED_NAME_MAX)};
	n.texts[NOTE_CATEGORY] = text_of(m->list, i->category);
	n.texts[NOTE_DESCRIPTION] = text_of(m->list, i->description);
	n.texts[NOTE_REFERENCE] = text_of(m->list, i->reference);
	size_t len = note_put(&n, bytes);
	if (len == 0)
		return;
	flow_table_tell(x->table, f, bytes, len);
	x->counters.told++;
}

static void take_match(struct inspect *x, struct flow *f, const struct intel_match *m)
{
	uint8_t bytes[FLOW_EXTRA_MAX];
	struct note n;
	note_of(x, f, bytes, &n);
	x->counters.hits += n.indicator == 0;
	if (n.indicator && n.score >= m->score)
		return;
	n.indicator = m->id;
	n.score = m->score;
	n.matched = m->where;
	keep_note(x, f, &n);
	if (is_to_tell(x, f, m))
		tell(x, f, m, &n);
}

void inspect_flows(
	struct inspect *x,
	uint64_t begun,
	struct flow *const *flows,
	const struct flow_probe *probes,
	const struct intel_db *db
)
{
	if (!db)
		return;
	for (; begun; begun &= begun - 1) {
		int i = __builtin_ctzll(begun);
		if (!flow_key_eq(&flows[i]->key, &probes[i].key))
			continue; // it has gone already, to make room
		x->flows[x->n] = flows[i];
		x->queries[x->n++] = query_of(flows[i]);
	}
	if (x->n == 0)
		return;
	uint32_t now_sec = (uint32_t)(x->now_ns / NS_PER_SEC);
	intel_match(
		db, x->options.thread, now_sec, x->queries, x->n, x->matches, &x->counters.intel
	);
	for (uint32_t i = 0; i < x->n; i++) {
		if (x->matches[i].id)
			take_match(x, x->flows[i], &x->matches[i]);
	}
}
