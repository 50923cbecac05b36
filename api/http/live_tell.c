// SPDX-License-Identifier: Apache-2.0

// What a live stream says: events of what is new, each with the place to go on at as its id.
// Thread: live.

#include "api/http/live_sub.h"
#include "api/http/native.h"
#include "api/query/time.h"
#include "collector/store/hit.h"
#include "collector/store/hit_json.h"
#include "collector/store/tail.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define FLOWS_MAX 1000 // at one look; the others at the next
#define HITS_MAX 500
#define TEXT_MAX (STREAM_CAP / 2) // of one look
#define LAG_ROWS 500000		  // a stream that is further behind leaves the oldest out
#define PULSE_FIELDS                                                                               \
	(RECORD_BIT(packets) | RECORD_BIT(rev_packets) | RECORD_BIT(bytes) |                       \
	 RECORD_BIT(rev_bytes) | RECORD_BIT(verdict))

void live_sub_free(struct live_sub *s)
{
	if (!s)
		return;
	stream_release(s->stream);
	filter_free(s->filter);
	free(s);
}

static uint64_t sum(const uint64_t *column, uint32_t n)
{
	uint64_t all = 0;
	for (uint32_t i = 0; column && i < n; i++)
		all += column[i];
	return all;
}

static void add_batch(struct live_pulse *p, const struct record_batch *b)
{
	const uint8_t *verdict = RECORD_COLUMN(b, verdict);
	p->flows += b->n_rows;
	p->packets += sum(RECORD_COLUMN(b, packets), b->n_rows);
	p->packets += sum(RECORD_COLUMN(b, rev_packets), b->n_rows);
	p->bytes += sum(RECORD_COLUMN(b, bytes), b->n_rows);
	p->bytes += sum(RECORD_COLUMN(b, rev_bytes), b->n_rows);
	for (uint32_t i = 0; verdict && i < b->n_rows; i++)
		p->denied += verdict[i] == VERDICT_DENY;
}

int live_pulse_take(struct live_pulse *p, struct store_view *v, uint64_t now_ns)
{
	const struct record_batch *b;
	struct store_tail *t;
	uint64_t number;
	int ret = p->is_used ? 0 : store_view_arrived(v, p->entity, &p->at);
	if (ret < 0)
		return ret;
	p->took_ns = p->is_used ? now_ns - p->now_ns : NS_PER_SEC;
	p->now_ns = now_ns;
	p->is_used = p->is_fresh = true;
	p->flows = p->packets = p->bytes = p->denied = 0;
	ret = store_tail_open(v, p->entity, p->at, PULSE_FIELDS, UINT64_MAX, &t);
	if (ret < 0)
		return ret;
	while ((ret = store_tail_next(t, &number, &b)) != 0 && ret != -ENOMEM) {
		p->at = number + 1;
		if (ret > 0) // a damaged block is passed over
			add_batch(p, b);
	}
	store_tail_close(t);
	return ret;
}

static void begin(const struct live_sub *s, FILE *out, const char *event)
{
	fprintf(out, "event: %s\nid: %" PRIx64 "-%" PRIx64 "\ndata: ", event, s->flow_at, s->hit_at
	);
}

static void tell_pulse(const struct live_sub *s, const struct live_pulse *p, FILE *out)
{
	char time[TIME_TEXT_LEN];
	begin(s, out, "kpi");
	fprintf(out,
		"{\"time\":\"%s\",\"seconds\":%.3f,\"flows\":%" PRIu64 ",\"packets\":%" PRIu64
		",\"bytes\":%" PRIu64 ",\"denied\":%" PRIu64 "}\n\n",
		time_format(clock_now_ns() / NS_PER_SEC * NS_PER_SEC, time),
		(double)p->took_ns / 1e9,
		p->flows,
		p->packets,
		p->bytes,
		p->denied);
}

// --- hits ---------------------------------------------------------------------------------------

struct hits_told {
	struct live_sub *sub;
	FILE *out;
	unsigned n;
};

static int tell_hit(void *ctx, const struct hit *h)
{
	struct hits_told *x = ctx;
	x->sub->hit_at = h->number;
	if (h->score < x->sub->min_score)
		return 0;
	json_t *doc = hit_json(h);
	char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	json_decref(doc);
	if (!text)
		return -ENOMEM;
	begin(x->sub, x->out, "hit");
	fprintf(x->out, "%s\n\n", text);
	free(text);
	return ++x->n == HITS_MAX || ftell(x->out) >= (long)TEXT_MAX;
}

static int tell_hits(struct live_sub *s, struct store_view *v, uint16_t entity, FILE *out)
{
	struct hits_told x = {.sub = s, .out = out};
	uint64_t last = s->hit_at;
	int ret = store_view_hits_since(v, entity, s->hit_at, tell_hit, &x);
	if (ret == 0 && (ret = store_view_hits_last(v, &last)) == 0 && last > s->hit_at)
		s->hit_at = last; // the others were other entities'
	return ret < 0 ? ret : 0;
}

// --- flows --------------------------------------------------------------------------------------

static void tell_flow(
	const struct live_sub *s, const struct record_batch *b, uint32_t row, struct native_out *o
)
{
	begin(s, o->file, "flow");
	native_row_begin(o, NATIVE_JSON, true);
	for (size_t i = 0; i < s->columns.n; i++) {
		struct cell cell = cell_load(&s->columns.c[i], b, row, false);
		native_cell(o, NATIVE_JSON, &s->columns.c[i], &cell, i == 0);
	}
	native_row_end(o, NATIVE_JSON);
	fputs("\n\n", o->file);
}

// Tells of the rows from `first` on that pass. How many rows are done with: all, or fewer when it
// is enough for this time.
static uint32_t tell_block(
	const struct live_sub *s,
	const struct record_batch *b,
	uint32_t first,
	unsigned *n_told,
	struct native_out *o
)
{
	uint64_t mask[FILTER_CHUNK / 64];
	for (uint32_t at = first - first % FILTER_CHUNK; at < b->n_rows; at += FILTER_CHUNK) {
		uint32_t n = b->n_rows - at < FILTER_CHUNK ? b->n_rows - at : FILTER_CHUNK;
		if (!filter_rows(s->filter, b, at, n, mask))
			continue;
		for (uint32_t i = 0; i < n; i++) {
			if (at + i < first || !(mask[i / 64] >> i % 64 & 1))
				continue;
			if (*n_told == FLOWS_MAX || ftell(o->file) >= (long)TEXT_MAX)
				return at + i;
			tell_flow(s, b, at + i, o);
			++*n_told;
		}
	}
	return b->n_rows;
}

static void tell_skipped(const struct live_sub *s, uint64_t n, FILE *out)
{
	if (!n)
		return;
	begin(s, out, "skipped");
	fprintf(out, "{\"flows\":%" PRIu64 "}\n\n", n);
}

static int tell_flows(struct live_sub *s, struct store_view *v, uint16_t entity, FILE *out)
{
	uint64_t fields = filter_fields(s->filter) | cell_columns_fields(&s->columns), number;
	struct native_out o = {.file = out};
	const struct record_batch *b;
	struct store_tail *t;
	unsigned n_told = 0;
	int ret = store_tail_open(v, entity, s->flow_at, fields, LAG_ROWS, &t);
	if (ret < 0)
		return ret;
	tell_skipped(s, store_tail_skipped(t), out);
	while ((ret = store_tail_next(t, &number, &b)) != 0 && ret != -ENOMEM) {
		uint32_t first = number == s->part ? (uint32_t)s->part_at : 0;
		uint32_t done = ret > 0 ? tell_block(s, b, first, &n_told, &o) : 0;
		if (ret > 0 && done < b->n_rows) {
			s->part = number;
			s->part_at = done;
			break;
		}
		s->flow_at = number + 1;
	}
	store_tail_close(t);
	return ret == -ENOMEM ? ret : 0;
}

int live_sub_tell(
	struct live_sub *s, struct store_view *v, const struct live_pulse *pulse, FILE *out
)
{
	int ret = 0;
	if (!pulse)
		return 0;
	if (s->events & LIVE_HITS)
		ret = tell_hits(s, v, pulse->entity, out);
	if (ret == 0 && s->events & LIVE_FLOWS)
		ret = tell_flows(s, v, pulse->entity, out);
	if (ret == 0 && s->events & LIVE_KPI)
		tell_pulse(s, pulse, out);
	return ret;
}
