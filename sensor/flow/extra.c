// SPDX-License-Identifier: Apache-2.0
#include "sensor/flow/extra.h"

#include "sensor/flow/map.h"

#include <assert.h>
#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_DATA 58
#define N_CHUNKS_MAX (1u << 30)

struct chunk {
	alignas(64) uint32_t next; // of the same flow, or of the free ones; 0: the last
	uint16_t len;		   // of the first one: bytes of the flow
	uint8_t data[CHUNK_DATA];
};
static_assert(sizeof(struct chunk) == 64, "one cache line");

struct flow_extras {
	uint32_t *first;      // of each slot; 0: none
	struct chunk *chunks; // number 0 is not used
	uint32_t n_chunks;
	uint32_t n_touched; // chunks from here on were never used
	uint32_t free;	    // the rest of those that are not
	uint32_t n_used;
	size_t n_slots;
};

struct flow_extras *flow_extras_create(size_t n_slots, size_t bytes)
{
	struct flow_extras *e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	size_t n = bytes / sizeof(struct chunk) + 1;
	e->n_slots = n_slots;
	e->n_chunks = n < N_CHUNKS_MAX ? (uint32_t)n : N_CHUNKS_MAX;
	e->n_touched = 1;
	e->first = flow_map(n_slots * sizeof(*e->first));
	e->chunks = flow_map(e->n_chunks * sizeof(*e->chunks));
	if (!e->first || !e->chunks) {
		flow_extras_free(e);
		return NULL;
	}
	return e;
}

void flow_extras_free(struct flow_extras *e)
{
	if (!e)
		return;
	flow_unmap(e->first, e->n_slots * sizeof(*e->first));
	flow_unmap(e->chunks, e->n_chunks * sizeof(*e->chunks));
	free(e);
}

static uint32_t take(struct flow_extras *e)
{
	uint32_t c = e->free;
	if (c)
		e->free = e->chunks[c].next;
	else if (e->n_touched < e->n_chunks)
		c = e->n_touched++;
	e->n_used += c != 0;
	return c;
}

void flow_extras_del(struct flow_extras *e, size_t slot)
{
	uint32_t c = e->first[slot];
	e->first[slot] = 0;
	while (c) {
		uint32_t next = e->chunks[c].next;
		e->chunks[c].next = e->free;
		e->free = c;
		e->n_used--;
		c = next;
	}
}

int flow_extras_put(struct flow_extras *e, size_t slot, const void *p, size_t len)
{
	const uint8_t *from = p;
	uint32_t *link = &e->first[slot];
	flow_extras_del(e, slot);
	if (len == 0 || len > FLOW_EXTRA_MAX)
		return -ENOSPC;
	for (size_t done = 0, part; done < len; done += part) {
		uint32_t c = take(e);
		if (!c) {
			flow_extras_del(e, slot);
			return -ENOSPC;
		}
		part = len - done < CHUNK_DATA ? len - done : CHUNK_DATA;
		e->chunks[c].next = 0;
		e->chunks[c].len = (uint16_t)len;
		memcpy(e->chunks[c].data, from + done, part);
		*link = c;
		link = &e->chunks[c].next;
	}
	return 0;
}

size_t flow_extras_get(const struct flow_extras *e, size_t slot, uint8_t to[FLOW_EXTRA_MAX])
{
	uint32_t c = e->first[slot];
	size_t len = c ? e->chunks[c].len : 0, part;
	for (size_t done = 0; done < len; done += part, c = e->chunks[c].next) {
		part = len - done < CHUNK_DATA ? len - done : CHUNK_DATA;
		memcpy(to + done, e->chunks[c].data, part);
	}
	return len;
}

size_t flow_extras_used(const struct flow_extras *e)
{
	return (size_t)e->n_used * sizeof(struct chunk);
}
