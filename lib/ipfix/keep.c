// SPDX-License-Identifier: Apache-2.0
#include "lib/ipfix/keep.h"

#include "lib/base/clock.h"
#include "lib/ipfix/wire.h"

static uint32_t age_sec(uint64_t then_ns, uint64_t now_ns)
{
	uint64_t sec = now_ns > then_ns ? (now_ns - then_ns) / NS_PER_SEC : 0;
	return sec > UINT32_MAX ? UINT32_MAX : (uint32_t)sec;
}

static void save_template(const struct ipfix_template *t, struct wbuf *w, uint64_t now_ns)
{
	wbuf_u16(w, t->id);
	wbuf_u8(w, t->is_options);
	wbuf_u16(w, t->n_scope);
	wbuf_u32(w, age_sec(t->seen_ns, now_ns));
	wbuf_u16(w, (uint16_t)t->def_len); // at most IPFIX_FIELDS_LIMIT fields of 8 bytes
	wbuf_bytes(w, t->def, t->def_len);
}

void ipfix_domain_save(const struct ipfix_domain *d, struct wbuf *w, uint64_t now_ns)
{
	wbuf_u32(w, d->n_templates);
	for (int kind = 0; kind < 2; kind++)
		for (const struct ipfix_template *t = d->first[kind]; t; t = t->next)
			save_template(t, w, now_ns);
	wbuf_u32(w, d->sampling);
	wbuf_u64(w, d->system_init_ms);
	wbuf_u8(w, (uint8_t)d->n_samplers);
	for (uint32_t i = 0; i < d->n_samplers; i++) {
		wbuf_u64(w, d->samplers[i].id);
		wbuf_u32(w, d->samplers[i].rate);
	}
}

// How many fields the bytes of a definition are; 0 when they are not whole ones.
static uint16_t n_fields_of(struct buf def, bool is_v9)
{
	uint16_t n = 0;
	while (buf_left(&def) && n < IPFIX_FIELDS_LIMIT && !def.bad) {
		uint16_t ie = buf_u16(&def);
		buf_skip(&def, ie & IPFIX_ENTERPRISE && !is_v9 ? 6 : 2);
		n++;
	}
	return def.bad || buf_left(&def) ? 0 : n;
}

static bool restore_template(
	struct ipfix_domain *d, struct buf *b, bool is_v9, uint64_t passed_ns, uint64_t now_ns
)
{
	struct ipfix_template_head h = {.is_v9 = is_v9};
	h.id = buf_u16(b);
	h.is_options = buf_u8(b) != 0;
	h.n_scope = buf_u16(b);
	uint64_t age_ns = buf_u32(b) * NS_PER_SEC + passed_ns;
	struct buf def = buf_sub(b, buf_u16(b));
	h.n_fields = n_fields_of(def, is_v9);
	if (b->bad || h.id < IPFIX_SET_MIN || h.n_fields == 0 || h.n_scope > h.n_fields)
		return false;
	if (d->limits.lifetime_ns && age_ns > d->limits.lifetime_ns)
		return true; // the exporter must send it again, as if we had been there
	// A clock that began with this boot may not reach back that far.
	uint64_t seen_ns = now_ns > age_ns ? now_ns - age_ns : 0;
	ipfix_domain_learn(d, &h, def.p, buf_left(&def), seen_ns);
	return true;
}

static bool restore_samplers(struct ipfix_domain *d, struct buf *b)
{
	d->sampling = buf_u32(b);
	d->system_init_ms = buf_u64(b);
	uint8_t n = buf_u8(b);
	for (uint8_t i = 0; i < n && !b->bad; i++) {
		uint64_t id = buf_u64(b);
		ipfix_domain_announce_sampling(d, true, id, buf_u32(b));
	}
	return !b->bad && n <= IPFIX_SAMPLERS_MAX;
}

bool ipfix_domain_restore(
	struct ipfix_domain *d, struct buf *b, bool is_v9, uint64_t passed_ns, uint64_t now_ns
)
{
	uint32_t n = buf_u32(b);
	bool ok = n <= d->limits.templates;
	for (uint32_t i = 0; ok && i < n; i++)
		ok = restore_template(d, b, is_v9, passed_ns, now_ns);
	ok = ok && restore_samplers(d, b);
	if (!ok)
		ipfix_domain_reset(d);
	// They were counted when they were learnt, and unknown to whoever counts now.
	d->counts = (struct ipfix_counts){};
	return ok;
}
