// SPDX-License-Identifier: Apache-2.0

// The Hyperscan side of building: the tokens as literals. What it takes to compile a literal grows
// with their number (measured: 24 µs of 8,000, 52 µs of 128,000), and a scan of what does not fit
// the CPU's caches costs the more; so there are as many databases ("shards", by the first bits of
// the token) as keep each below SHARD_TOKENS.

#include "lib/intel/db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define SHARD_TOKENS 16384

// Of one shard, and where it stands.
struct compiler {
	struct intel_db *db;
	uint32_t at; // token that is the next shard's first
	const char **literals;
	uint64_t *tokens;
	unsigned *flags, *ids;
	size_t *lens;
};

void compile_shards(struct intel_db *db, size_t most)
{
	unsigned bits = 0;
	while (bits < DB_SHARD_BITS_MAX && db->n_tokens >> bits > (most ? most : SHARD_TOKENS))
		bits++;
	db->shard_bits = bits;
	db->n_shards = db->n_tokens ? 1u << bits : 0;
}

static bool compiler_init(struct compiler *c, struct intel_db *db)
{
	size_t n = db->n_tokens;
	*c = (struct compiler){.db = db};
	c->literals = malloc(n * sizeof(*c->literals));
	c->tokens = malloc(n * sizeof(*c->tokens));
	c->flags = calloc(n, sizeof(*c->flags));
	c->ids = malloc(n * sizeof(*c->ids));
	c->lens = malloc(n * sizeof(*c->lens));
	return c->literals && c->tokens && c->flags && c->ids && c->lens;
}

static void compiler_fini(struct compiler *c)
{
	free(c->literals);
	free(c->tokens);
	free(c->flags);
	free(c->ids);
	free(c->lens);
}

// Gathers the tokens from c->at on that belong to the shard; their number.
static unsigned gather(struct compiler *c, uint32_t shard)
{
	const struct intel_db *db = c->db;
	unsigned n = 0;
	for (; c->at < db->n_tokens; c->at++, n++) {
		uint64_t token = db->entries[db->first[c->at]].token;
		if (db_shard(db, token) != shard)
			break;
		c->tokens[n] = token;
		c->literals[n] = (const char *)&c->tokens[n];
		c->ids[n] = c->at;
		c->lens[n] = TOKEN_LEN;
	}
	return n;
}

static int compile_shard(struct compiler *c, uint32_t shard, char error[static INTEL_ERROR_LEN])
{
	hs_database_t **hs = &c->db->shards[shard];
	hs_compile_error_t *why = NULL;
	unsigned n = gather(c, shard);
	if (n == 0)
		return 0;
	hs_error_t e = hs_compile_lit_multi(
		c->literals, c->flags, c->ids, c->lens, n, HS_MODE_BLOCK, NULL, hs, &why
	);
	if (e == HS_SUCCESS)
		return 0;
	snprintf(error, INTEL_ERROR_LEN, "Hyperscan: %s", why && why->message ? why->message : "?");
	hs_free_compile_error(why);
	*hs = NULL;
	return -EIO;
}

int compile_hs(struct intel_db *db, char error[static INTEL_ERROR_LEN])
{
	struct compiler c;
	int ret = compiler_init(&c, db) ? 0 : -ENOMEM;
	for (uint32_t s = 0; ret == 0 && s < db->n_shards; s++)
		ret = compile_shard(&c, s, error);
	compiler_fini(&c);
	return ret;
}
