// SPDX-License-Identifier: Apache-2.0
#include "lib/ipfix/decode.h"

#include "lib/ipfix/values.h"
#include "lib/ipfix/wire.h"

static bool is_zero(const struct buf *b)
{
	uint8_t any = 0;
	for (const uint8_t *p = b->p; p < b->end; p++)
		any |= *p;
	return any == 0;
}

static bool is_template_set(uint16_t version, uint16_t id, bool *ret_options)
{
	bool v9 = version == NETFLOW9_VERSION;
	*ret_options = id == (v9 ? NETFLOW9_SET_OPTIONS : IPFIX_SET_OPTIONS);
	return *ret_options || id == (v9 ? NETFLOW9_SET_TEMPLATE : IPFIX_SET_TEMPLATE);
}

// What is too short for a definition, or zero, pads the set.
static bool has_definition(const struct buf *b)
{
	return buf_left(b) >= 4 && !(b->p[0] == 0 && b->p[1] == 0 && is_zero(b));
}

static bool check_definitions(struct buf set, bool v9, bool options)
{
	struct ipfix_template_head head;
	size_t len;
	while (has_definition(&set)) {
		if (!ipfix_template_head(&set, v9, options, &head) ||
		    !ipfix_template_fields(&set, &head, &len))
			return false;
	}
	return true;
}

// Walks over all sets before any is used: a malformed message is discarded whole (RFC 7011 §9.1).
// Zeros that fill up the message are cut off.
static enum ipfix_status check_sets(struct ipfix_message *m)
{
	struct buf b = m->sets;
	bool options;
	while (buf_left(&b) >= IPFIX_SET_HEADER_LEN) {
		const uint8_t *start = b.p;
		uint16_t id = buf_u16(&b), len = buf_u16(&b);
		if (id == 0 && len == 0 && is_zero(&b)) {
			m->sets.end = start;
			return IPFIX_OK;
		}
		if (len < IPFIX_SET_HEADER_LEN || len - IPFIX_SET_HEADER_LEN > (int)buf_left(&b))
			return IPFIX_BAD_LENGTH;
		struct buf set = buf_sub(&b, len - IPFIX_SET_HEADER_LEN);
		bool v9 = m->version == NETFLOW9_VERSION;
		if (is_template_set(m->version, id, &options) &&
		    !check_definitions(set, v9, options))
			return IPFIX_BAD_TEMPLATE;
	}
	m->sets.end = b.p;
	return m->version == NETFLOW9_VERSION || is_zero(&b) ? IPFIX_OK : IPFIX_BAD_LENGTH;
}

static enum ipfix_status parse_v9(struct buf *b, struct ipfix_message *m)
{
	buf_skip(b, 4); // the count may lie: the datagram's end decides
	m->uptime_ms = buf_u32(b);
	m->export_ns = buf_u32(b) * NS_PER_SEC;
	m->sequence = buf_u32(b);
	m->domain = buf_u32(b);
	m->sets = *b;
	if (b->bad)
		return IPFIX_BAD_LENGTH;
	b->p = b->end;
	return check_sets(m);
}

static enum ipfix_status parse_ipfix(struct buf *b, struct ipfix_message *m)
{
	struct buf head = *b;
	buf_skip(&head, 2);
	uint16_t len = buf_u16(&head);
	if (len < IPFIX_HEADER_LEN || len > buf_left(b))
		return IPFIX_BAD_LENGTH;
	m->export_ns = buf_u32(&head) * NS_PER_SEC;
	m->sequence = buf_u32(&head);
	m->domain = buf_u32(&head);
	m->sets = buf_of(head.p, len - IPFIX_HEADER_LEN);
	buf_skip(b, len);
	return check_sets(m);
}

enum ipfix_status
ipfix_message_parse(struct buf *b, uint64_t recv_ns, struct ipfix_message *ret_message)
{
	struct ipfix_message m = {.recv_ns = recv_ns};
	enum ipfix_status status;
	struct buf head = *b;

	if (buf_left(b) < IPFIX_HEADER_LEN && is_zero(&head))
		return IPFIX_END;
	m.version = buf_u16(&head);
	if (m.version == NETFLOW9_VERSION)
		status = parse_v9(b, &m);
	else if (m.version == IPFIX_VERSION)
		status = parse_ipfix(b, &m);
	else
		return IPFIX_BAD_VERSION;
	if (status == IPFIX_OK)
		*ret_message = m;
	return status;
}

#define BROUGHT_FIELDS_MAX (65535 / 4) // of a message: a field's definition takes 4 bytes or more

struct definition {
	uint32_t generation;
	struct ipfix_template template; // without fields: withdrawn
};

// The definitions a message brings along, by the low byte of their ids.
struct brought {
	uint32_t generation; // ends with a withdrawal of all; 0: none so far
	bool is_unsure;	     // of an id that is not here the domain's template may be outdated
	uint32_t n_fields;
	struct definition slots[256];
	uint16_t lens[BROUGHT_FIELDS_MAX];
};

static void
bring(struct brought *k, const struct ipfix_template_head *head, const uint8_t *fields, size_t len)
{
	struct definition *slot = &k->slots[head->id & 0xff];
	if (!k->generation)
		memset(k->slots, 0, sizeof(k->slots));
	bool is_all = head->id < IPFIX_SET_MIN;
	k->generation += is_all || !k->generation;
	k->is_unsure |= is_all;
	k->is_unsure |= slot->generation == k->generation && slot->template.id != head->id;
	slot->generation = k->generation;
	assert(k->n_fields + head->n_fields <= BROUGHT_FIELDS_MAX);
	slot->template = (struct ipfix_template){.id = head->id, .lens = k->lens + k->n_fields};
	ipfix_template_measure(&slot->template, head, fields, len);
	k->n_fields += slot->template.n_fields;
}

static void bring_set(const struct ipfix_reader *r, struct brought *k, struct buf set, bool options)
{
	bool v9 = r->message->version == NETFLOW9_VERSION;
	struct ipfix_template_head head;
	const uint8_t *fields;
	size_t len;
	while (has_definition(&set) && ipfix_template_head(&set, v9, options, &head) &&
	       (fields = ipfix_template_fields(&set, &head, &len))) {
		if (head.n_fields || r->domain->limits.is_reliable)
			bring(k, &head, fields, len);
	}
}

static bool
check_data(const struct ipfix_reader *r, const struct brought *k, uint16_t id, struct buf set)
{
	const struct definition *d = &k->slots[id & 0xff];
	const struct ipfix_template *t = NULL;
	if (k->generation && d->generation == k->generation && d->template.id == id)
		t = &d->template;
	else if (!k->is_unsure)
		t = ipfix_domain_find(r->domain, id, r->message->recv_ns);
	return !t || !t->is_variable || ipfix_template_fits(t, set);
}

// Rows of variable length can overrun their set: looked at before anything of the message is used.
static bool check_rows(const struct ipfix_reader *r)
{
	struct buf b = r->sets;
	struct brought brought;
	bool options;
	brought.generation = brought.n_fields = 0;
	brought.is_unsure = false;
	while (buf_left(&b) >= IPFIX_SET_HEADER_LEN) {
		uint16_t id = buf_u16(&b), len = buf_u16(&b);
		struct buf set = buf_sub(&b, len - IPFIX_SET_HEADER_LEN);
		if (is_template_set(r->message->version, id, &options))
			bring_set(r, &brought, set, options);
		else if (!check_data(r, &brought, id, set))
			return false;
	}
	return true;
}

void ipfix_reader_init(
	struct ipfix_reader *r, struct ipfix_domain *d, const struct ipfix_message *m
)
{
	memset(r, 0, offsetof(struct ipfix_reader, values));
	r->domain = d;
	r->message = m;
	r->sets = m->sets;
	if (check_rows(r))
		return;
	r->is_malformed = true;
	r->sets.p = r->sets.end;
}

// Opens the oldest data set that waited for the template just learnt.
static bool replay_next(struct ipfix_reader *r)
{
	if (r->replay)
		ipfix_domain_drop(r->domain, r->replay);
	r->replay = ipfix_domain_take(r->domain, r->replay_id);
	if (!r->replay) {
		r->replay_id = 0;
		return false;
	}
	struct ipfix_pending *p = r->replay;
	r->replay_message = (struct ipfix_message){
		.version = p->version,
		.export_ns = p->export_ns,
		.uptime_ms = p->uptime_ms,
		.recv_ns = p->recv_ns,
	};
	r->template = ipfix_domain_find(r->domain, p->id, r->message->recv_ns);
	r->rows = buf_of(p->data, p->len);
	if (r->template && r->template->is_variable && !ipfix_template_fits(r->template, r->rows)) {
		r->domain->counts.bad_pending++;
		r->template = NULL;
	}
	return true;
}

static void read_definition(struct ipfix_reader *r)
{
	struct ipfix_template_head head;
	bool v9 = r->message->version == NETFLOW9_VERSION;
	size_t len;
	if (!ipfix_template_head(&r->definitions, v9, r->options_definitions, &head))
		return;
	const uint8_t *fields = ipfix_template_fields(&r->definitions, &head, &len);
	if (!fields)
		return;
	if (!v9 && head.n_fields == 0) {
		// Over UDP withdrawals MUST be ignored (RFC 7011 §8.4).
		if (r->domain->limits.is_reliable)
			ipfix_domain_withdraw(r->domain, head.id);
		return;
	}
	if (ipfix_domain_learn(r->domain, &head, fields, len, r->message->recv_ns))
		r->replay_id = head.id;
}

static void read_set(struct ipfix_reader *r)
{
	uint16_t id = buf_u16(&r->sets), len = buf_u16(&r->sets);
	struct buf set = buf_sub(&r->sets, len - IPFIX_SET_HEADER_LEN);
	bool options;

	if (is_template_set(r->message->version, id, &options)) {
		r->definitions = set;
		r->options_definitions = options;
		return;
	}
	if (id < IPFIX_SET_MIN)
		return; // reserved (RFC 7011 §3.3.2)
	r->template = ipfix_domain_find(r->domain, id, r->message->recv_ns);
	if (r->template) {
		r->rows = set;
		return;
	}
	r->n_unread++;
	ipfix_domain_keep(r->domain, r->message, id, set);
}

// Moves to the next place where rows can be; false at the message's end.
static bool advance(struct ipfix_reader *r)
{
	r->rows.p = r->rows.end;
	r->template = NULL; // a definition may replace it now
	if (r->replay || r->replay_id) {
		replay_next(r);
		return true;
	}
	if (has_definition(&r->definitions)) {
		read_definition(r);
		return true;
	}
	r->definitions.p = r->definitions.end;
	if (r->is_malformed || buf_left(&r->sets) < IPFIX_SET_HEADER_LEN)
		return false;
	read_set(r);
	return true;
}

// The message whose rows are being read.
static const struct ipfix_message *message_of(const struct ipfix_reader *r)
{
	return r->replay ? &r->replay_message : r->message;
}

// What is left is no row but padding.
static bool at_padding(const struct ipfix_reader *r)
{
	size_t left = buf_left(&r->rows);
	if (!r->template || left < r->template->row_len)
		return true;
	// Rows can be as short as padding is. Zeros are padding then: of variable rows up to 7
	// bytes, of v9 those that lead to a multiple of 4 (RFC 3954 §5.3).
	if (r->template->is_variable)
		return left < 8 && is_zero(&r->rows);
	return left < 4 && message_of(r)->version == NETFLOW9_VERSION && is_zero(&r->rows);
}

static bool is_hit(const struct ipfix_template *t)
{
	uint64_t needs =
		RECORD_BIT(indicator) | RECORD_BIT(matched) | RECORD_BIT(src) | RECORD_BIT(dst);
	return (t->set & needs) == needs && t->aux & AUX_BIT(AUX_INDICATOR_TYPE);
}

struct record *ipfix_reader_next(struct ipfix_reader *r)
{
	for (;;) {
		while (at_padding(r)) {
			if (!advance(r))
				return NULL;
		}
		if (!ipfix_template_row(r->template, &r->rows, &r->values)) {
			r->is_malformed |= !r->replay;
			r->rows.p = r->rows.end;
			continue;
		}
		r->n_records += !r->replay;
		if (r->template->is_options) {
			ipfix_values_announce(&r->values, r->template, r->domain);
			if (!r->wants_hits || !is_hit(r->template))
				continue;
		}
		ipfix_values_finish(&r->values, r->template, message_of(r), r->domain);
		return &r->values.r;
	}
}
