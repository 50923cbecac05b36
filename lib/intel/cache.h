// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inside of a database: compiled ones kept on disk, found again by their content.
// Thread: the one that creates the database.

#include "lib/intel/db.h"

#define CACHE_KEY_LEN 32

struct db_cache {
	char dir[4000], path[4096]; // "": no cache
	uint8_t key[CACHE_KEY_LEN];
	uint32_t n_tokens, n_shards; // of the file found
	void *data;
	size_t len;
};

// Whether there is a sound file for the entries (sorted by id), and with what secret its tokens
// were made. Either way *cache is to be ended by cache_fini.
bool cache_find(
	struct db_cache *cache,
	const struct intel_db *db,
	const char *dir,
	struct token_secret *ret_secret
);

// The shards from the file that was found. False: it does not fit this machine, or the tokens.
bool cache_load(const struct db_cache *cache, struct intel_db *db);

// Kept for the next start; that it cannot be is no reason not to run.
void cache_save(const struct db_cache *cache, const struct intel_db *db);

void cache_fini(struct db_cache *cache);
