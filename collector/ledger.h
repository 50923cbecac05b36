// SPDX-License-Identifier: Apache-2.0
#pragma once

// The collector's counters, one table (ledger.def), summed over all threads. The record sum holds
// at any time: records = stored + drops in records + in flight.
// Thread: any; additions are relaxed atomics, made once per message or batch.

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum ledger_id {
#define COUNTER(name, unit, text) LEDGER_##name,
#define DROP(name, unit, text) LEDGER_##name,
#include "collector/ledger.def"
#undef COUNTER
#undef DROP
	LEDGER_N
};

struct ledger_info {
	const char *name;
	const char *unit;
	const char *text;
	bool is_drop;
};

extern const struct ledger_info ledger_infos[LEDGER_N];

struct ledger {
	_Atomic uint64_t v[LEDGER_N];
};

static inline void ledger_add(struct ledger *l, enum ledger_id id, uint64_t n)
{
	atomic_fetch_add_explicit(&l->v[id], n, memory_order_relaxed);
}

static inline uint64_t ledger_get(const struct ledger *l, enum ledger_id id)
{
	return atomic_load_explicit(&l->v[id], memory_order_relaxed);
}
