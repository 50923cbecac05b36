// SPDX-License-Identifier: Apache-2.0
#include "lib/ipfix/domain.h"

#include "lib/ipfix/decode.h"
#include "lib/ipfix/wire.h"

#include <errno.h>
#include <stdlib.h>

#define PAGE_SLOTS 256
#define PAGE_SIZE_BYTES (PAGE_SLOTS * sizeof(struct ipfix_template *))

static bool budget_take(struct ipfix_budget *b, size_t len)
{
	if (b->max - b->used < len)
		return false;
	b->used += len;
	return true;
}

struct ipfix_domain *
ipfix_domain_create(const struct ipfix_limits *limits, struct ipfix_budget *budget)
{
	if (!budget_take(budget, sizeof(struct ipfix_domain)))
		return NULL;
	struct ipfix_domain *d = calloc(1, sizeof(*d));
	if (!d) {
		budget->used -= sizeof(struct ipfix_domain);
		return NULL;
	}
	d->limits = *limits;
	d->budget = budget;
	d->pending_end = &d->pending;
	return d;
}

static size_t template_size(const struct ipfix_template *t)
{
	return (size_t)(t->def - (const uint8_t *)t) + t->def_len;
}

static struct ipfix_template **slot_of(const struct ipfix_domain *d, uint16_t id)
{
	struct ipfix_template **page = d->pages[id >> 8];
	return page ? &page[id & 0xff] : NULL;
}

static void
template_add(struct ipfix_domain *d, struct ipfix_template **slot, struct ipfix_template *t)
{
	t->at = &d->first[t->is_options];
	t->next = *t->at;
	if (t->next)
		t->next->at = &t->next;
	*t->at = *slot = t;
	d->n_templates++;
}

// What is in the slot, if there is one.
static void template_del(struct ipfix_domain *d, struct ipfix_template **slot)
{
	struct ipfix_template *t = slot ? *slot : NULL;
	if (!t)
		return;
	*t->at = t->next;
	if (t->next)
		t->next->at = t->at;
	d->budget->used -= template_size(t);
	d->n_templates--;
	free(t);
	*slot = NULL;
}

static void template_del_all(struct ipfix_domain *d, bool is_options)
{
	while (d->first[is_options])
		template_del(d, slot_of(d, d->first[is_options]->id));
}

static bool is_expired(const struct ipfix_domain *d, const struct ipfix_template *t, uint64_t now)
{
	uint64_t lifetime = d->limits.lifetime_ns;
	return lifetime && now > t->seen_ns && now - t->seen_ns > lifetime;
}

void ipfix_domain_reset(struct ipfix_domain *d)
{
	template_del_all(d, false);
	template_del_all(d, true);
	for (int p = 0; p < 256; p++) {
		if (!d->pages[p])
			continue;
		free(d->pages[p]);
		d->pages[p] = NULL;
		d->budget->used -= PAGE_SIZE_BYTES;
	}
	d->n_samplers = 0;
	d->sampling = 0;
	d->system_init_ms = 0;
}

// Makes room by forgetting expired templates, at most once a second: a flood of templates must not
// buy a walk over all of them each.
static void sweep(struct ipfix_domain *d, uint64_t now_ns)
{
	if (now_ns - d->swept_ns < NS_PER_SEC)
		return;
	d->swept_ns = now_ns;
	for (int kind = 0; kind < 2; kind++) {
		for (struct ipfix_template *t = d->first[kind], *next; t; t = next) {
			next = t->next;
			if (is_expired(d, t, now_ns))
				template_del(d, slot_of(d, t->id));
		}
	}
}

const struct ipfix_template *
ipfix_domain_find(const struct ipfix_domain *d, uint16_t id, uint64_t now_ns)
{
	struct ipfix_template **slot = slot_of(d, id);
	return slot && *slot && !is_expired(d, *slot, now_ns) ? *slot : NULL;
}

static struct ipfix_template **slot_make(struct ipfix_domain *d, uint16_t id)
{
	if (!d->pages[id >> 8]) {
		if (!budget_take(d->budget, PAGE_SIZE_BYTES))
			return NULL;
		d->pages[id >> 8] = calloc(PAGE_SLOTS, sizeof(struct ipfix_template *));
		if (!d->pages[id >> 8]) {
			d->budget->used -= PAGE_SIZE_BYTES;
			return NULL;
		}
	}
	return slot_of(d, id);
}

static bool
is_same(const struct ipfix_template *t,
	const struct ipfix_template_head *head,
	const uint8_t *fields,
	size_t len)
{
	return t->is_options == head->is_options && t->n_scope == head->n_scope &&
	       t->def_len == len && memcmp(t->def, fields, len) == 0;
}

// Compiles and stores; 0, -EINVAL, or -ENOSPC when a cap or the memory does not allow it.
static int
replace(struct ipfix_domain *d,
	const struct ipfix_template_head *head,
	const uint8_t *fields,
	size_t len,
	uint64_t now_ns)
{
	struct ipfix_template *t;
	struct ipfix_template **slot = slot_of(d, head->id);
	size_t size;

	if (head->n_fields > d->limits.fields)
		return -ENOSPC;
	if (!slot || !*slot) {
		if (d->n_templates >= d->limits.templates)
			sweep(d, now_ns);
		if (d->n_templates >= d->limits.templates)
			return -ENOSPC;
	}
	int ret = ipfix_template_compile(head, fields, len, &t, &size);
	if (ret < 0)
		return ret == -EINVAL ? ret : -ENOSPC;
	slot = slot_make(d, head->id);
	if (!slot || !budget_take(d->budget, size)) {
		free(t);
		return -ENOSPC;
	}
	template_del(d, slot);
	t->seen_ns = now_ns;
	template_add(d, slot, t);
	d->counts.templates++;
	d->counts.unknown_fields += t->n_unknown;
	return 0;
}

bool ipfix_domain_learn(
	struct ipfix_domain *d,
	const struct ipfix_template_head *head,
	const uint8_t *fields,
	size_t len,
	uint64_t now_ns
)
{
	struct ipfix_template_head h = *head;
	struct ipfix_template **slot = slot_of(d, h.id);

	h.weir_pen = d->limits.weir_pen;
	d->learnt_ns = now_ns;
	if (slot && *slot && is_same(*slot, &h, fields, len)) {
		bool was_expired = is_expired(d, *slot, now_ns);
		(*slot)->seen_ns = now_ns;
		return was_expired;
	}
	int ret = replace(d, &h, fields, len, now_ns);
	if (ret == 0)
		return true;
	if (ret == -EINVAL)
		d->counts.bad_templates++;
	else
		d->counts.template_limit++;
	// The old definition is no longer what the exporter sends by (RFC 3954 §9).
	template_del(d, slot_of(d, h.id));
	return false;
}

void ipfix_domain_withdraw(struct ipfix_domain *d, uint16_t id)
{
	if (id < IPFIX_SET_MIN)
		template_del_all(d, id == IPFIX_SET_OPTIONS);
	else
		template_del(d, slot_of(d, id));
}

void ipfix_domain_keep(
	struct ipfix_domain *d, const struct ipfix_message *m, uint16_t id, struct buf set
)
{
	size_t len = buf_left(&set), size = sizeof(struct ipfix_pending) + len;
	struct ipfix_pending *p = NULL;

	if (d->n_pending < IPFIX_PENDING_MAX && d->pending_len + size <= d->limits.pending_len &&
	    budget_take(d->budget, size)) {
		p = malloc(size);
		if (!p)
			d->budget->used -= size;
	}
	if (!p) {
		d->counts.template_unknown++;
		return;
	}
	*p = (struct ipfix_pending){
		.recv_ns = m->recv_ns,
		.export_ns = m->export_ns,
		.uptime_ms = m->uptime_ms,
		.version = m->version,
		.id = id,
		.len = (uint32_t)len,
	};
	memcpy(p->data, set.p, len);
	d->pending_len += size;
	d->n_pending++;
	*d->pending_end = p;
	d->pending_end = &p->next;
	d->counts.buffered++;
}

// Unlinks the set at *at; the budget is given back when it is dropped.
static struct ipfix_pending *unlink_pending(struct ipfix_domain *d, struct ipfix_pending **at)
{
	struct ipfix_pending *p = *at;
	*at = p->next;
	if (d->pending_end == &p->next)
		d->pending_end = at;
	return p;
}

struct ipfix_pending *ipfix_domain_take(struct ipfix_domain *d, uint16_t id)
{
	for (struct ipfix_pending **at = &d->pending; *at; at = &(*at)->next) {
		if ((*at)->id == id)
			return unlink_pending(d, at);
	}
	return NULL;
}

void ipfix_domain_drop(struct ipfix_domain *d, struct ipfix_pending *p)
{
	size_t size = sizeof(*p) + p->len;
	d->pending_len -= size;
	d->n_pending--;
	d->budget->used -= size;
	free(p);
}

void ipfix_domain_tick(struct ipfix_domain *d, uint64_t now_ns)
{
	while (d->pending && now_ns > d->pending->recv_ns &&
	       now_ns - d->pending->recv_ns > d->limits.pending_ns) {
		ipfix_domain_drop(d, unlink_pending(d, &d->pending));
		d->counts.template_unknown++;
	}
}

void ipfix_domain_free(struct ipfix_domain *d)
{
	if (!d)
		return;
	ipfix_domain_reset(d);
	while (d->pending)
		ipfix_domain_drop(d, unlink_pending(d, &d->pending));
	d->budget->used -= sizeof(*d);
	free(d);
}

uint32_t ipfix_domain_sampling(const struct ipfix_domain *d, bool has_id, uint64_t id)
{
	for (uint32_t i = 0; has_id && i < d->n_samplers; i++) {
		if (d->samplers[i].id == id)
			return d->samplers[i].rate;
	}
	if (d->sampling)
		return d->sampling;
	// Records that name no sampler are by the only one there is.
	return !has_id && d->n_samplers == 1 ? d->samplers[0].rate : 0;
}

void ipfix_domain_announce_sampling(struct ipfix_domain *d, bool has_id, uint64_t id, uint32_t rate)
{
	uint32_t i = 0;
	if (!has_id) {
		d->sampling = rate;
		return;
	}
	while (i < d->n_samplers && d->samplers[i].id != id)
		i++;
	if (i == IPFIX_SAMPLERS_MAX)
		return;
	d->samplers[i] = (struct ipfix_sampler){.id = id, .rate = rate};
	if (i == d->n_samplers)
		d->n_samplers++;
}
