// SPDX-License-Identifier: Apache-2.0
#include "lib/intel/list.h"

#include "lib/base/siphash.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define SLOTS_START 1024

struct intel_list *intel_list_create(const char *feed)
{
	struct intel_list *l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->n_owners = 1;
	l->seed = siphash_key_random().k0;
	snprintf(l->feed, sizeof(l->feed), "%s", feed);
	l->text_cap = 4096;
	l->text = malloc(l->text_cap);
	l->n_slots = SLOTS_START;
	l->interned = calloc(l->n_slots, sizeof(*l->interned));
	if (!l->text || !l->interned) {
		intel_list_put(l);
		return NULL;
	}
	l->text[0] = '\0';
	l->text_len = 1;
	return l;
}

struct intel_list *intel_list_get(struct intel_list *l)
{
	atomic_fetch_add_explicit(&l->n_owners, 1, memory_order_relaxed);
	return l;
}

void intel_list_put(struct intel_list *l)
{
	if (!l || atomic_fetch_sub_explicit(&l->n_owners, 1, memory_order_acq_rel) > 1)
		return;
	free(l->items);
	free(l->text);
	free(l->interned);
	free(l);
}

static uint64_t hash_of(const struct intel_list *l, const char *text, size_t len)
{
	struct siphash_key key = {l->seed, ~l->seed};
	return siphash(&key, text, len);
}

static size_t slot_of(const struct intel_list *l, const char *text, size_t len)
{
	size_t at = hash_of(l, text, len) & (l->n_slots - 1);
	for (; l->interned[at]; at = (at + 1) & (l->n_slots - 1)) {
		const char *there = l->text + l->interned[at];
		if (strncmp(there, text, len) == 0 && there[len] == '\0')
			break;
	}
	return at;
}

static bool grow_slots(struct intel_list *l)
{
	struct intel_list wider = *l;
	wider.n_slots *= 2;
	wider.interned = calloc(wider.n_slots, sizeof(*wider.interned));
	if (!wider.interned)
		return false;
	for (size_t i = 0; i < l->n_slots; i++) {
		const char *text = l->text + l->interned[i];
		if (l->interned[i])
			wider.interned[slot_of(&wider, text, strlen(text))] = l->interned[i];
	}
	free(l->interned);
	l->interned = wider.interned;
	l->n_slots = wider.n_slots;
	return true;
}

static bool grow_text(struct intel_list *l, size_t len)
{
	size_t cap = l->text_cap;
	while (cap - l->text_len < len)
		cap *= 2;
	if (cap == l->text_cap)
		return true;
	char *text = cap <= UINT32_MAX ? realloc(l->text, cap) : NULL;
	if (!text)
		return false;
	l->text = text;
	l->text_cap = cap;
	return true;
}

uint32_t intel_list_text(struct intel_list *l, const char *text, size_t len)
{
	const char *nul = len ? memchr(text, '\0', len) : NULL;
	len = nul ? (size_t)(nul - text) : len;
	if (len == 0)
		return 0;
	if (l->n_interned * 2 >= l->n_slots && !grow_slots(l))
		return UINT32_MAX;
	size_t at = slot_of(l, text, len);
	if (l->interned[at])
		return l->interned[at];
	if (!grow_text(l, len + 1))
		return UINT32_MAX;
	uint32_t offset = (uint32_t)l->text_len;
	memcpy(l->text + offset, text, len);
	l->text[offset + len] = '\0';
	l->text_len += len + 1;
	l->interned[at] = offset;
	l->n_interned++;
	return offset;
}

int intel_list_add(struct intel_list *l, const struct indicator *i, const char *name)
{
	char value[INDICATOR_TEXT_LEN];
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 256;
		struct indicator *items = reallocarray(l->items, cap, sizeof(*items));
		if (!items)
			return -ENOMEM;
		l->items = items;
		l->cap = cap;
	}
	struct indicator *item = &l->items[l->n];
	*item = *i;
	item->id = indicator_id(i, name);
	item->name = intel_list_text(l, name, strlen(name));
	indicator_format(i, name, value);
	// a name is its own value most of the time, and interned but once
	item->value = intel_list_text(l, value, strlen(value));
	if (item->name == UINT32_MAX || item->value == UINT32_MAX)
		return -ENOMEM;
	l->n++;
	return 0;
}
