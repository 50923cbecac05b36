// SPDX-License-Identifier: Apache-2.0
#include "collector/ingest/kept.h"

#include "lib/base/clock.h"
#include "lib/ipfix/keep.h"
#include "lib/ipfix/wire.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#define CHECKSUM_LEN 8
#define KEY_LEN 26 // address 16, port 2, domain 4, listener 4
#define ENTRIES_MAX 65536

struct kept_entry {
	const uint8_t *p; // the payload, its key first
	uint32_t len;
	atomic_bool is_taken;
};

static const char magic[4] = {'W', 'T', 'P', 'L'};
static const struct siphash_key checksum_key = {0, 0}; // against accidents, not malice

static uint64_t checksum(const void *p, size_t len)
{
	return siphash(&checksum_key, p, len);
}

static int cmp_entries(const void *a, const void *b)
{
	const struct kept_entry *x = a, *y = b;
	return memcmp(x->p, y->p, KEY_LEN);
}

// The next entry: 1, 0 when it is damaged, -1 at the end. What follows a length that cannot be is
// lost, too.
static int next_entry(struct buf *b, struct kept_entry *e)
{
	if (buf_left(b) == 0)
		return -1;
	uint32_t len = buf_u32(b);
	if (b->bad || len < KEY_LEN || len > KEPT_ENTRY_MAX || buf_left(b) < len + CHECKSUM_LEN) {
		b->p = b->end;
		return 0;
	}
	e->p = buf_take(b, len);
	e->len = len;
	return buf_u64(b) == checksum(e->p, len);
}

int kept_init(struct kept_table *t, const void *bytes, size_t len)
{
	*t = (struct kept_table){};
	if (len == 0)
		return 0;
	if (len < sizeof(magic) + 1 || memcmp(bytes, magic, sizeof(magic)) != 0 ||
	    ((const uint8_t *)bytes)[sizeof(magic)] != KEPT_VERSION)
		return -EINVAL;
	t->bytes = malloc(len);
	t->entries = calloc(ENTRIES_MAX, sizeof(*t->entries));
	if (!t->bytes || !t->entries) {
		kept_fini(t);
		return -ENOMEM;
	}
	memcpy(t->bytes, bytes, len);
	struct buf b = buf_of(t->bytes + sizeof(magic) + 1, len - sizeof(magic) - 1);
	int ret;
	while (t->n < ENTRIES_MAX && (ret = next_entry(&b, &t->entries[t->n])) >= 0) {
		if (ret)
			t->n++;
		else
			t->n_damaged++;
	}
	qsort(t->entries, t->n, sizeof(*t->entries), cmp_entries);
	return 0;
}

void kept_fini(struct kept_table *t)
{
	free(t->entries);
	free(t->bytes);
	*t = (struct kept_table){};
}

void kept_head(struct wbuf *w)
{
	wbuf_bytes(w, magic, sizeof(magic));
	wbuf_u8(w, KEPT_VERSION);
}

static void put_key(struct wbuf *w, const struct session_key *key)
{
	wbuf_bytes(w, key->addr.b, sizeof(key->addr.b));
	wbuf_u16(w, key->port);
	wbuf_u32(w, key->domain);
	wbuf_u32(w, (uint32_t)key->source);
}

// Gives the entry its length and checksum, or takes it back when it did not fit.
static void finish_entry(struct wbuf *w, uint8_t *start)
{
	size_t len = (size_t)(w->p - start);
	if (!w->full && len - 4 <= KEPT_ENTRY_MAX) {
		struct wbuf head = wbuf_of(start, 4);
		wbuf_u32(&head, (uint32_t)(len - 4));
		wbuf_u64(w, checksum(start + 4, len - 4));
	} else {
		w->full = true;
	}
	if (w->full)
		w->p = start;
	w->full = false;
}

void kept_put(struct wbuf *w, const struct session *s, uint64_t now_ns, uint64_t wall_ns)
{
	uint8_t *start = w->p;
	if (s->is_tcp || !s->domain || !s->is_proven)
		return;
	wbuf_u32(w, 0);
	put_key(w, &s->key);
	wbuf_u64(w, wall_ns / NS_PER_SEC);
	wbuf_u16(w, s->version);
	wbuf_u32(w, s->uptime_ms);
	ipfix_domain_save(s->domain, w, now_ns);
	finish_entry(w, start);
}

bool kept_take(struct kept_table *t, struct session *s, uint64_t now_ns, uint64_t wall_ns)
{
	uint8_t key[KEY_LEN];
	struct wbuf w = wbuf_of(key, sizeof(key));
	struct kept_entry wanted = {.p = key};
	if (!t || t->n == 0 || s->is_tcp || !s->domain)
		return false;
	put_key(&w, &s->key);
	struct kept_entry *e = bsearch(&wanted, t->entries, t->n, sizeof(*e), cmp_entries);
	if (!e || atomic_exchange(&e->is_taken, true))
		return false;
	struct buf b = buf_of(e->p + KEY_LEN, e->len - KEY_LEN);
	uint64_t then_ns = buf_u64(&b) * NS_PER_SEC;
	uint16_t version = buf_u16(&b);
	uint32_t uptime_ms = buf_u32(&b);
	uint64_t passed_ns = wall_ns > then_ns ? wall_ns - then_ns : 0;
	if (b.bad ||
	    !ipfix_domain_restore(s->domain, &b, version == NETFLOW9_VERSION, passed_ns, now_ns))
		return false;
	s->version = version;
	s->uptime_ms = uptime_ms;
	s->is_restored = true;
	return true;
}

void kept_put_rest(struct wbuf *w, struct kept_table *t, uint64_t lifetime_ns, uint64_t wall_ns)
{
	for (size_t i = 0; t && i < t->n; i++) {
		const struct kept_entry *e = &t->entries[i];
		struct buf b = buf_of(e->p + KEY_LEN, e->len - KEY_LEN);
		uint64_t then_ns = buf_u64(&b) * NS_PER_SEC;
		uint8_t *start = w->p;
		if (atomic_load(&e->is_taken) || then_ns > wall_ns ||
		    (lifetime_ns && wall_ns - then_ns > lifetime_ns))
			continue;
		wbuf_u32(w, 0);
		wbuf_bytes(w, e->p, e->len);
		finish_entry(w, start);
	}
}
