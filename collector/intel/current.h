// SPDX-License-Identifier: Apache-2.0
#pragma once

// The database in use. Who matches takes a reference for a batch; who built a new one swaps it in,
// and the old one goes with its last reference: no batch is ever matched by two, or by half of one.
// Thread: any.

#include "lib/intel/database.h"

struct intel_current;

struct intel_current *intel_current_create(void); // NULL without memory
void intel_current_free(struct intel_current *c);

// A reference, to be given back with intel_db_put; NULL: there is none yet.
struct intel_db *intel_current_get(struct intel_current *c);

// Takes the reference over.
void intel_current_set(struct intel_current *c, struct intel_db *db);
