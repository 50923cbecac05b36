// SPDX-License-Identifier: Apache-2.0
#include "collector/ingest/intake.h"

#include "collector/ingest/kept.h"
#include "lib/base/clock.h"
#include "lib/ipfix/wire.h"

#include <errno.h>
#include <stdlib.h>

// How far back a late message may lie, in what its version counts: about 64 messages.
#define REORDER_PACKETS 64
#define REORDER_RECORDS 2048

static void on_session_del(void *arg, struct session *s);

int intake_init(struct intake *in, const struct ingest_options *o)
{
	memset(in, 0, sizeof(*in));
	in->o = o;
	in->budget.max = o->memory;
	in->open = calloc(o->open_batches, sizeof(*in->open));
	if (!in->open)
		return -ENOMEM;
	int ret = session_table_init(&in->sessions, o->max_exporters, o->idle_ns);
	if (ret < 0) {
		free(in->open);
		in->open = NULL;
		return ret;
	}
	in->sessions.on_del = on_session_del;
	in->sessions.arg = in;
	return 0;
}

void intake_account(struct intake *in)
{
	for (int i = 0; i < LEDGER_N; i++) {
		if (in->counts[i])
			ledger_add(in->o->ledger, (enum ledger_id)i, in->counts[i]);
		in->counts[i] = 0;
	}
}

// Rows are counted as decoded before they can be counted as stored.
static void push(struct intake *in, uint32_t i)
{
	struct record_batch *b = in->open[i].batch;
	intake_account(in);
	in->open[i] = in->open[--in->n_open];
	commit_push(in->o->commit, b);
}

void intake_fini(struct intake *in)
{
	session_table_fini(&in->sessions);
	while (in->n_open)
		push(in, 0);
	intake_account(in);
	free(in->open);
}

// The open batch of the entity. When the thread holds as many as it may, its oldest goes.
static struct open_batch *batch_of(struct intake *in, uint16_t entity, uint64_t now_ns)
{
	uint32_t oldest = 0;
	for (uint32_t i = 0; i < in->n_open; i++) {
		if (in->open[i].batch->entity == entity)
			return &in->open[i];
		if (in->open[i].since_ns < in->open[oldest].since_ns)
			oldest = i;
	}
	if (in->n_open == in->o->open_batches)
		push(in, oldest);
	struct open_batch *b = &in->open[in->n_open++];
	*b = (struct open_batch){
		.batch = commit_take(in->o->commit, entity),
		.since_ns = now_ns,
	};
	return b;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

// An exporter's clock that is far off must not spread its records over years (DESIGN §3.4); history
// that is being imported is far off by its nature.
static void clamp_times(struct intake *in, struct record *r, bool is_imported)
{
	uint64_t skew = is_imported ? 0 : in->o->clock_skew_ns;
	if (r->start_ns > r->end_ns) {
		uint64_t t = r->start_ns;
		r->start_ns = r->end_ns;
		r->end_ns = t;
	}
	if (skew == 0 ||
	    (distance(r->start_ns, r->recv_ns) <= skew && distance(r->end_ns, r->recv_ns) <= skew))
		return;
	r->start_ns = r->end_ns = r->recv_ns;
	in->counts[LEDGER_time_clamped]++;
}

static bool is_within(const struct prefix *prefixes, size_t n, const struct addr *a)
{
	for (size_t i = 0; i < n; i++) {
		if (prefix_contains(&prefixes[i], a))
			return true;
	}
	return false;
}

static uint16_t entity_of(const struct ingest_options *o, const struct addr *a)
{
	const struct ingest_entity *best = NULL;
	for (size_t i = 0; i < o->n_entities; i++) {
		const struct ingest_entity *e = &o->entities[i];
		if ((!best || e->prefix.len > best->prefix.len) && prefix_contains(&e->prefix, a))
			best = e;
	}
	return best ? best->entity : o->default_entity;
}

static bool is_unspecified(const struct addr *a)
{
	static const struct addr none, none4 = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}};
	return addr_eq(a, &none) || addr_eq(a, &none4);
}

// Whose the record is: the peer's, unless a trusted importer says otherwise. Its entity.
static uint16_t
set_origin(const struct intake *in, struct session *s, struct record *r, bool is_imported)
{
	if (!is_imported || is_unspecified(&r->exporter))
		RECORD_SET(r, exporter, s->key.addr);
	if (!is_imported || !(r->set & RECORD_BIT(domain)))
		RECORD_SET(r, domain, s->key.domain);
	if (!is_imported)
		return s->entity;
	if (s->named_entity >= 0)
		return (uint16_t)s->named_entity;
	if (!addr_eq(&s->origin, &r->exporter)) {
		s->origin = r->exporter;
		s->origin_entity = entity_of(in->o, &r->exporter);
	}
	return s->origin_entity;
}

// Anybody may send flows, but a hit is an accusation.
static void distrust(struct intake *in, struct record *r)
{
	RECORD_SET(r, indicator, 0);
	RECORD_SET(r, score, 0);
	RECORD_SET(r, matched, 0);
	in->counts[LEDGER_intel_untrusted]++;
}

// The word of a hit: of a flow that will be counted when its record comes.
static void add_hit(struct intake *in, struct session *s, struct record *r, uint64_t now_ns)
{
	if (!s->is_sensor) {
		in->counts[LEDGER_intel_untrusted]++;
		return;
	}
	RECORD_SET(r, recv_ns, now_ns + in->wall_ns);
	r->end_ns = r->start_ns;
	clamp_times(in, r, false);
	struct hit h = batch_hit_told(r, s->entity);
	h.type = (uint8_t)in->reader.values.aux[AUX_INDICATOR_TYPE];
	h.severity = (uint8_t)in->reader.values.aux[AUX_SEVERITY];
	h.confidence = (uint8_t)in->reader.values.aux[AUX_CONFIDENCE];
	h.texts[HIT_VALUE] = ipfix_reader_text(&in->reader, AUX_TEXT_VALUE);
	h.texts[HIT_FEED] = ipfix_reader_text(&in->reader, AUX_TEXT_FEED);
	h.texts[HIT_CATEGORY] = ipfix_reader_text(&in->reader, AUX_TEXT_CATEGORY);
	h.texts[HIT_DESCRIPTION] = ipfix_reader_text(&in->reader, AUX_TEXT_DESCRIPTION);
	h.texts[HIT_REFERENCE] = ipfix_reader_text(&in->reader, AUX_TEXT_REFERENCE);
	bool ok = h.indicator && h.type < INDICATOR_N_TYPES && h.severity < SEVERITY_N &&
		  commit_hit(in->o->commit, &h);
	in->counts[ok ? LEDGER_intel_told : LEDGER_intel_told_lost]++;
}

void intake_add(struct intake *in, struct session *s, struct record *r, uint64_t now_ns)
{
	bool is_imported = s->is_trusted && r->set & RECORD_BIT(exporter);
	in->counts[LEDGER_records]++;
	s->records++;
	session_prove(&in->sessions, s);
	if (!(r->set & (RECORD_BIT(src) | RECORD_BIT(dst)))) {
		in->counts[LEDGER_no_address]++;
		return;
	}
	RECORD_SET(r, recv_ns, now_ns + in->wall_ns);
	uint16_t entity = set_origin(in, s, r, is_imported);
	in->counts[LEDGER_imported] += is_imported;
	if (r->sampling)
		s->sampling = r->sampling;
	clamp_times(in, r, is_imported);
	if (r->indicator && !s->is_sensor)
		distrust(in, r);
	if (record_verdict(r) == VERDICT_DENY)
		RECORD_SET(r, verdict, VERDICT_DENY);

	struct open_batch *b = batch_of(in, entity, now_ns);
	int ret = record_batch_add(b->batch, r);
	if (ret < 0) {
		in->counts[LEDGER_no_memory]++;
		return;
	}
	if (b->batch->n_rows == b->batch->cap)
		push(in, (uint32_t)(b - in->open));
}

bool intake_allows(const struct intake *in, const struct addr *a)
{
	const struct ingest_options *o = in->o;
	return o->n_allow == 0 || is_within(o->allow, o->n_allow, a);
}

static struct session *
session_make(struct intake *in, const struct peer *p, struct session_key key, uint64_t now_ns)
{
	if (!intake_allows(in, &p->addr)) {
		in->counts[LEDGER_exporter_refused]++;
		return NULL;
	}
	struct session *s = session_add(&in->sessions, &key, now_ns);
	if (!s) {
		in->counts[LEDGER_exporter_limit]++;
		return NULL;
	}
	s->entity = entity_of(in->o, &p->addr);
	s->is_trusted = is_within(in->o->trust, in->o->n_trust, &p->addr);
	s->is_sensor = is_within(in->o->sensors, in->o->n_sensors, &p->addr);
	s->named_entity = -1;
	s->is_tcp = p->is_tcp;
	if (p->is_tcp) // nobody forges a connection, and its templates do not come again
		session_prove(&in->sessions, s);
	if (key.fixed)
		return s;
	struct ipfix_limits limits = in->o->limits;
	limits.is_reliable = p->is_tcp;
	limits.lifetime_ns = p->is_tcp ? 0 : limits.lifetime_ns;
	s->domain = ipfix_domain_create(&limits, &in->budget);
	if (!s->domain) {
		in->counts[LEDGER_exporter_limit]++;
		session_del(&in->sessions, s);
		return NULL;
	}
	if (kept_take(in->o->kept, s, now_ns, now_ns + in->wall_ns)) {
		in->counts[LEDGER_templates_restored] += s->domain->n_templates;
		session_prove(&in->sessions, s);
	}
	return s;
}

// Memory that runs short is taken from those who never sent a record, the longest silent first.
static void make_memory(struct intake *in, const struct session *but)
{
	struct session *oldest;
	while (in->budget.used > in->budget.max / 4 * 3 && (oldest = in->sessions.fresh.oldest) &&
	       oldest != but)
		session_del(&in->sessions, oldest);
}

struct session *
intake_session(struct intake *in, const struct peer *p, struct session_key key, uint64_t now_ns)
{
	key.addr = p->addr;
	key.port = p->port;
	key.source = p->source;
	struct session *s = session_find(&in->sessions, &key, now_ns);
	make_memory(in, s);
	if (!s)
		s = session_make(in, p, key, now_ns);
	if (s)
		s->messages++;
	return s;
}

void intake_clock(const struct intake *in, struct session *s, uint64_t export_ns, uint64_t now_ns)
{
	s->skew_ns = (int64_t)(export_ns - (now_ns + in->wall_ns));
	s->has_skew = true;
}

static void settle_losses(struct intake *in, struct session *s, uint64_t now_ns)
{
	uint64_t lost = sequence_lost(&s->sequence, now_ns);
	s->lost += lost;
	in->counts[LEDGER_sequence_lost] += lost;
}

enum sequence_event intake_sequence(
	struct intake *in, struct session *s, uint32_t number, uint32_t count, uint64_t now_ns
)
{
	bool packets = s->version == NETFLOW9_VERSION || s->key.fixed == SESSION_SFLOW;
	settle_losses(in, s, now_ns);
	enum sequence_event event = sequence_take(
		&s->sequence, number, count, packets ? REORDER_PACKETS : REORDER_RECORDS, now_ns
	);
	if (event == SEQUENCE_LATE) {
		s->reordered++;
		in->counts[LEDGER_sequence_reordered]++;
	} else if (event == SEQUENCE_DUPLICATE) {
		s->duplicates++;
		in->counts[LEDGER_sequence_duplicate]++;
	} else if (event == SEQUENCE_RESET) {
		s->resets++;
		in->counts[LEDGER_sequence_reset]++;
	}
	return event;
}

static void take_counts(struct intake *in, struct ipfix_counts *c)
{
	in->counts[LEDGER_templates] += c->templates;
	in->n_learnt += c->templates + c->options;
	in->counts[LEDGER_bad_template] += c->bad_templates;
	in->counts[LEDGER_template_limit] += c->template_limit;
	in->counts[LEDGER_template_unknown] += c->template_unknown;
	in->counts[LEDGER_buffered] += c->buffered;
	in->counts[LEDGER_bad_length] += c->bad_pending;
	in->counts[LEDGER_options] += c->options;
	in->counts[LEDGER_unknown_fields] += c->unknown_fields;
	in->counts[LEDGER_time_missing] += c->time_missing;
	in->counts[LEDGER_bad_text] += c->bad_text;
	memset(c, 0, sizeof(*c));
}

void intake_read(struct intake *in, struct session *s, const struct ipfix_message *m)
{
	struct record *r;
	ipfix_reader_init(&in->reader, s->domain, m);
	in->reader.wants_hits = true;
	while ((r = ipfix_reader_next(&in->reader))) {
		uint64_t entity;
		if (ipfix_reader_is_hit(&in->reader)) {
			add_hit(in, s, r, m->recv_ns);
			continue;
		}
		bool is_named = ipfix_reader_aux(&in->reader, AUX_ENTITY, &entity);
		s->named_entity = is_named && entity <= UINT16_MAX ? (int32_t)entity : -1;
		intake_add(in, s, r, m->recv_ns);
	}
	if (in->reader.is_malformed)
		in->counts[LEDGER_bad_length]++;
	s->options += s->domain->counts.options;
	take_counts(in, &s->domain->counts);
}

static void on_session_del(void *arg, struct session *s)
{
	struct intake *in = arg;
	settle_losses(in, s, UINT64_MAX);
	if (!s->domain)
		return;
	ipfix_domain_tick(s->domain, UINT64_MAX);
	take_counts(in, &s->domain->counts);
}

static void tick_session(void *arg, struct session *s)
{
	struct intake *in = arg;
	settle_losses(in, s, in->now_ns);
	if (!s->domain)
		return;
	ipfix_domain_tick(s->domain, in->now_ns);
	take_counts(in, &s->domain->counts);
}

void intake_tick(struct intake *in, uint64_t now_ns)
{
	for (uint32_t i = in->n_open; i-- > 0;) {
		if (now_ns - in->open[i].since_ns >= in->o->flush_ns)
			push(in, i);
	}
	if (now_ns - in->now_ns >= NS_PER_SEC) {
		in->now_ns = now_ns;
		session_each(&in->sessions, tick_session, in);
	}
	intake_account(in);
}

void intake_close(struct intake *in, const struct peer *p)
{
	session_del_source(&in->sessions, p->source);
}

static bool count_status(struct intake *in, enum ipfix_status status)
{
	if (status == IPFIX_BAD_VERSION)
		in->counts[LEDGER_bad_version]++;
	else if (status == IPFIX_BAD_TEMPLATE)
		in->counts[LEDGER_bad_template]++;
	else if (status == IPFIX_BAD_LENGTH || status == IPFIX_END)
		in->counts[LEDGER_bad_length]++;
	return status == IPFIX_OK;
}

// What has no templates. False: it is neither of these.
static bool take_fixed(struct intake *in, const struct peer *p, struct buf data, uint64_t now_ns)
{
	struct buf head = data, words = data;
	uint16_t version = buf_u16(&head);
	bool is_sflow = buf_u32(&words) == SFLOW5_VERSION && !words.bad;
	if (head.bad || !(is_sflow || version == NETFLOW1_VERSION || version == NETFLOW5_VERSION ||
			  version == NETFLOW7_VERSION))
		return false;
	in->counts[LEDGER_messages]++;
	if (is_sflow)
		sflow_take(in, p, data, now_ns);
	else
		v5_take(in, p, data, now_ns);
	return true;
}

void intake_datagram(struct intake *in, const struct peer *p, struct buf data, uint64_t now_ns)
{
	struct ipfix_message m;

	in->counts[LEDGER_datagrams]++;
	in->counts[LEDGER_bytes] += buf_left(&data);
	if (take_fixed(in, p, data, now_ns))
		return;
	bool is_first = true;
	do {
		enum ipfix_status status = ipfix_message_parse(&data, now_ns, &m);
		if (status == IPFIX_END && !is_first)
			return;
		is_first = false;
		in->counts[LEDGER_messages]++;
		if (!count_status(in, status))
			return;
		if (m.version == NETFLOW9_VERSION)
			v9_take(in, p, &m);
		else
			ipfix_take(in, p, &m);
	} while (buf_left(&data));
}

enum intake_result
intake_message(struct intake *in, const struct peer *p, struct buf data, uint64_t now_ns)
{
	struct ipfix_message m;
	in->counts[LEDGER_messages]++;
	in->counts[LEDGER_bytes] += buf_left(&data);
	enum ipfix_status status = ipfix_message_parse(&data, now_ns, &m);
	if (status == IPFIX_OK && m.version != IPFIX_VERSION)
		status = IPFIX_BAD_VERSION;
	if (!count_status(in, status))
		return status == IPFIX_BAD_VERSION ? INTAKE_NONSENSE : INTAKE_MALFORMED;
	in->reader.is_malformed = false; // it is the last message's
	ipfix_take(in, p, &m);
	return in->reader.is_malformed ? INTAKE_MALFORMED : INTAKE_TAKEN;
}
