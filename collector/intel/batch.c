// SPDX-License-Identifier: Apache-2.0
#include "collector/intel/batch.h"

#include <stdlib.h>

#define BURST 256

void batch_hits_free(struct batch_hits *h)
{
	if (!h)
		return;
	intel_db_put(h->db);
	free(h);
}

// Rows [from, from + n) as queries. A column that nobody filled is 0 in all rows.
static void
queries_of(const struct record_batch *b, uint32_t from, uint32_t n, struct intel_query *q)
{
	const struct addr *src = RECORD_COLUMN(b, src), *dst = RECORD_COLUMN(b, dst);
	const uint16_t *sport = RECORD_COLUMN(b, sport), *dport = RECORD_COLUMN(b, dport);
	const uint8_t *proto = RECORD_COLUMN(b, proto);
	const struct record_text *name =
		(const void
			 *)(b->used & RECORD_BIT(server_name) ? b->columns[FIELD_server_name] : NULL);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t row = from + i;
		q[i] = (struct intel_query){
			.src = src ? src[row] : (struct addr){},
			.dst = dst ? dst[row] : (struct addr){},
			.sport = sport ? sport[row] : 0,
			.dport = dport ? dport[row] : 0,
			.proto = proto ? proto[row] : 0,
			.has_flow = true,
		};
		if (name && name[row].len)
			q[i].name = (struct record_str){b->text + name[row].off, name[row].len};
	}
}

static void mark_row(struct record_batch *b, uint32_t row, const struct intel_match *m)
{
	uint64_t *indicator = record_batch_column(b, FIELD_indicator);
	uint16_t *score = record_batch_column(b, FIELD_score);
	uint8_t *matched = record_batch_column(b, FIELD_matched);
	if (indicator)
		indicator[row] = m->id;
	if (score)
		score[row] = m->score;
	if (matched)
		matched[row] = m->where;
}

// What the row's sensor matched. False: nothing.
static bool is_marked(const struct record_batch *b, uint32_t row, struct intel_match *ret_match)
{
	const uint64_t *indicator = RECORD_COLUMN(b, indicator);
	const uint16_t *score = RECORD_COLUMN(b, score);
	const uint8_t *matched = RECORD_COLUMN(b, matched);
	if (!indicator || !indicator[row])
		return false;
	*ret_match = (struct intel_match){
		.id = indicator[row],
		.score = score ? score[row] : 0,
		.where = matched && matched[row] <= INTEL_PORT ? matched[row] : INTEL_NONE,
	};
	return true;
}

// Room for one more, doubling; NULL without memory (the old one is gone then).
static struct batch_hits *grow(struct batch_hits *h, struct intel_db *db, uint32_t *cap)
{
	if (h && h->n < *cap)
		return h;
	uint32_t wider = h ? *cap * 2 : 16;
	struct batch_hits *more = realloc(h, sizeof(*more) + wider * sizeof(more->matches[0]));
	if (!more) {
		batch_hits_free(h);
		return NULL;
	}
	if (!h) {
		more->db = db ? intel_db_get(db) : NULL;
		more->n = 0;
	}
	*cap = wider;
	return more;
}

struct batch_hits *batch_match(
	struct intel_db *db,
	unsigned thread,
	struct record_batch *b,
	struct intel_counters *counters
)
{
	struct intel_query queries[BURST];
	struct intel_match matches[BURST];
	struct batch_hits *hits = NULL;
	const uint64_t *end = RECORD_COLUMN(b, end_ns);
	uint32_t cap = 0;
	for (uint32_t from = 0, n; from < b->n_rows; from += n) {
		n = b->n_rows - from < BURST ? b->n_rows - from : BURST;
		uint32_t now_sec = end ? (uint32_t)(end[from] / NS_PER_SEC) : 0;
		if (db)
			queries_of(b, from, n, queries);
		if (db)
			intel_match(db, thread, now_sec, queries, n, matches, counters);
		for (uint32_t i = 0; i < n; i++) {
			bool is_ours = db && matches[i].id;
			if (is_ours)
				mark_row(b, from + i, &matches[i]);
			else if (is_marked(b, from + i, &matches[i]))
				counters->hits++;
			else
				continue;
			hits = grow(hits, db, &cap);
			if (hits)
				hits->matches[hits->n++] =
					(struct batch_match){from + i, matches[i]};
		}
	}
	return hits;
}

static struct record_str text_of(const char *text)
{
	return (struct record_str){text, (uint16_t)strlen(text)};
}

// The row that names where the hit is counted.
static struct hit row_of(const struct intel_match *m, const struct record *r, uint16_t entity)
{
	bool inbound = m->where == INTEL_SRC;
	return (struct hit){
		.entity = entity,
		.hour = store_hour_of(r->start_ns),
		.indicator = m->id,
		.inside = inbound ? r->dst : r->src,
		.direction = inbound ? HIT_INBOUND : HIT_OUTBOUND,
		.where = m->where,
		.score = m->score,
		.first_ns = r->start_ns,
		.last_ns = r->end_ns > r->start_ns ? r->end_ns : r->start_ns,
		.outside = inbound ? r->src : r->dst,
		.inside_port = inbound ? r->dport : r->sport,
		.outside_port = inbound ? r->sport : r->dport,
		.proto = r->proto,
	};
}

struct hit
batch_hit_of(const struct intel_match *m, const struct record *r, uint16_t entity, bool is_hunt)
{
	const struct indicator *i = m->indicator;
	const struct intel_list *l = m->list;
	struct hit_counts counts = {
		.flows = 1,
		.packets = r->packets + r->rev_packets,
		.bytes = r->bytes + r->rev_bytes,
		.denied = r->verdict == VERDICT_DENY,
	};
	struct hit h = row_of(m, r, entity);
	h.is_hunt = is_hunt;
	*(is_hunt ? &h.retro : &h.live) = counts;
	h.texts[HIT_SEEN_NAME] = r->server_name;
	if (!i)
		return h; // its sensor has told the rest
	h.type = i->type;
	h.severity = i->severity;
	h.confidence = i->confidence;
	h.score = i->score;
	h.texts[HIT_FEED] = text_of(l->feed);
	h.texts[HIT_VALUE] = text_of(intel_list_str(l, i->value));
	h.texts[HIT_CATEGORY] = text_of(intel_list_str(l, i->category));
	h.texts[HIT_DESCRIPTION] = text_of(intel_list_str(l, i->description));
	h.texts[HIT_REFERENCE] = text_of(intel_list_str(l, i->reference));
	return h;
}

struct hit batch_hit_told(const struct record *r, uint16_t entity)
{
	struct intel_match m = {
		.id = r->indicator,
		.score = r->score,
		.where = r->matched <= INTEL_PORT ? r->matched : INTEL_NONE,
	};
	struct hit h = row_of(&m, r, entity);
	h.texts[HIT_SEEN_NAME] = r->server_name;
	return h;
}
