// SPDX-License-Identifier: Apache-2.0
#pragma once

// Indicators to hunt for, and the sums of what was found.

#include "collector/hunt/hunt_doc.h"
#include "collector/store/hit.h"
#include "tests/unit/collector/store/stores.h"

static inline struct intel_db *hunts_database(const char *const *values, size_t n, uint16_t score)
{
	struct intel_list *l = intel_list_create("feed");
	struct intel_options o = {.n_threads = 1};
	char error[INTEL_ERROR_LEN], name[INDICATOR_NAME_MAX + 1];
	struct intel_db *db;
	for (size_t i = 0; i < n; i++) {
		struct indicator x = {.score = score, .is_forced = true};
		assert_null(indicator_parse(values[i], strlen(values[i]), &x, name));
		assert_int_equal(intel_list_add(l, &x, name), 0);
	}
	if (intel_db_create(&l, 1, &o, &db, error) < 0)
		fail_msg("%s", error);
	intel_list_put(l);
	return db;
}

struct hunts_sums {
	uint64_t rows, flows;	 // found by hunts
	uint32_t oldest, newest; // hours of them
};

static inline int hunts_add(void *ctx, const struct hit *h)
{
	struct hunts_sums *s = ctx;
	if (!h->retro.flows)
		return 0;
	s->oldest = s->rows && s->oldest < h->hour ? s->oldest : h->hour;
	s->newest = s->rows && s->newest > h->hour ? s->newest : h->hour;
	s->rows++;
	s->flows += h->retro.flows;
	return 0;
}

// Of all hits of all entities in the store.
static inline struct hunts_sums hunts_sums(struct stores *f)
{
	struct hunts_sums s = {};
	struct store_view *v = stores_view(f);
	for (uint16_t e = 0; e < store_n_entities(f->store); e++)
		assert_int_equal(store_view_hits(v, e, 0, UINT32_MAX, hunts_add, &s), 0);
	return s;
}
