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

struct literals {
	const char **p;
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

static bool literals_init(struct literals *l, size_t n)
{
	l->p = malloc(n * sizeof(*l->p));
	l->tokens = malloc(n * sizeof(*l->tokens));
	l->flags = calloc(n, sizeof(*l->flags));
	l->ids = malloc(n * sizeof(*l->ids));
	l->lens = malloc(n * sizeof(*l->lens));
	return l->p && l->tokens && l->flags && l->ids && l->lens;
}

static void literals_fini(struct literals *l)
{
	free(l->p);
	free(l->tokens);
	free(l->flags);
	free(l->ids);
	free(l->lens);
}

// The tokens from place `from` on that belong to the shard; *ret_to is the first of the next one.
static int compile_shard(
	struct intel_db *db,
	struct literals *l,
	uint32_t shard,
	uint32_t from,
	uint32_t *ret_to,
	char error[static INTEL_ERROR_LEN]
)
{
	hs_compile_error_t *why = NULL;
	unsigned n = 0;
	uint32_t at = from;
	for (; at < db->n_tokens; at++, n++) {
		uint64_t token = db->entries[db->first[at]].token;
		if (db_shard(db, token) != shard)
			break;
		l->tokens[n] = token;
		l->p[n] = (const char *)&l->tokens[n];
		l->ids[n] = at;
		l->lens[n] = TOKEN_LEN;
	}
	*ret_to = at;
	if (n == 0)
		return 0;
	hs_error_t e = hs_compile_lit_multi(
		l->p, l->flags, l->ids, l->lens, n, HS_MODE_BLOCK, NULL, &db->shards[shard], &why
	);
	if (e == HS_SUCCESS)
		return 0;
	snprintf(error, INTEL_ERROR_LEN, "Hyperscan: %s", why && why->message ? why->message : "?");
	hs_free_compile_error(why);
	db->shards[shard] = NULL;
	return -EIO;
}

int compile_hs(struct intel_db *db, char error[static INTEL_ERROR_LEN])
{
	struct literals l = {};
	int ret = literals_init(&l, db->n_tokens) ? 0 : -ENOMEM;
	uint32_t at = 0;
	for (uint32_t s = 0; ret == 0 && s < db->n_shards; s++)
		ret = compile_shard(db, &l, s, at, &at, error);
	literals_fini(&l);
	return ret;
}
