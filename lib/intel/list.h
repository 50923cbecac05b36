// SPDX-License-Identifier: Apache-2.0
#pragma once

// The indicators of one feed, in the order of the feed, with their texts. Filled by one thread,
// then never changed and shared: whoever keeps it holds a reference.
// Thread: the one that fills it; then any.

#include "lib/intel/indicator.h"

#define INTEL_LIST_TEXT_MAX 255 // bytes of a category, description or reference; the rest is cut
#define INTEL_FEED_NAME_MAX 63

struct intel_list {
	_Atomic unsigned n_owners;
	char feed[INTEL_FEED_NAME_MAX + 1];
	struct indicator *items;
	size_t n, cap;
	char *text; // begins with the empty one
	size_t text_len, text_cap;
	uint32_t *interned; // offsets of texts, by hash
	size_t n_slots, n_interned;
	uint64_t seed;
};

struct intel_list *intel_list_create(const char *feed); // NULL without memory
struct intel_list *intel_list_get(struct intel_list *l);
void intel_list_put(struct intel_list *l); // NULL is fine

// The text's offset, the same for the same text; 0 for "". UINT32_MAX without memory (or above
// 4 GiB of text).
uint32_t intel_list_text(struct intel_list *l, const char *text, size_t len);

// Appends a copy, with its name, canonical value and id filled in; `name` is "" for those that have
// none. 0, or -ENOMEM.
[[nodiscard]] int intel_list_add(struct intel_list *l, const struct indicator *i, const char *name);

static inline const char *intel_list_str(const struct intel_list *l, uint32_t offset)
{
	return l->text + offset;
}
