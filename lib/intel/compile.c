// SPDX-License-Identifier: Apache-2.0

// The Hyperscan side of building: the tokens as literals, and compiled databases kept on disk. A
// kept one is named by the SHA-256 of the ids it was made of; it holds the secret its tokens were
// made with. One that does not fit (another version or CPU, damaged) is compiled anew.

#include "lib/intel/db.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHE_MAGIC 0x31434448 // "HDC1"

struct cache_head {
	uint32_t magic, n_tokens;
	uint64_t len; // of the serialized database
	struct token_secret secret;
	uint8_t hash[SHA256_DIGEST_LENGTH]; // of what follows
};

// The ids, each once, in rising order: the same for the same set of values.
static bool hash_ids(const struct intel_db *db, uint8_t ret_hash[SHA256_DIGEST_LENGTH])
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool ok = c && EVP_DigestInit_ex(c, EVP_sha256(), NULL);
	for (size_t i = 0; ok && i < db->n_entries; i++) {
		uint64_t id = db->entries[db->by_id[i]].id;
		if (i == 0 || id != db->entries[db->by_id[i - 1]].id)
			ok = EVP_DigestUpdate(c, &id, sizeof(id));
	}
	ok = ok && EVP_DigestFinal_ex(c, ret_hash, NULL);
	EVP_MD_CTX_free(c);
	return ok;
}

static bool read_cache(struct db_cache *cache, struct cache_head *ret_head)
{
	struct stat st;
	uint8_t hash[SHA256_DIGEST_LENGTH];
	int fd = open(cache->path, O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		  read(fd, ret_head, sizeof(*ret_head)) == sizeof(*ret_head) &&
		  ret_head->magic == CACHE_MAGIC &&
		  (uint64_t)st.st_size == sizeof(*ret_head) + ret_head->len;
	cache->data = ok ? malloc(ret_head->len + 1) : NULL;
	cache->len = ok ? ret_head->len : 0;
	ok = cache->data && read(fd, cache->data, cache->len) == (ssize_t)cache->len;
	if (ok) {
		SHA256(cache->data, cache->len, hash);
		ok = memcmp(hash, ret_head->hash, sizeof(hash)) == 0;
	}
	if (fd >= 0)
		close(fd);
	if (!ok) {
		free(cache->data);
		cache->data = NULL;
	}
	return ok;
}

void compile_secret(struct intel_db *db, const char *cache_dir, struct db_cache *ret_cache)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	struct cache_head head;
	*ret_cache = (struct db_cache){};
	if (cache_dir && *cache_dir && db->n_entries && hash_ids(db, hash)) {
		int n = snprintf(ret_cache->path, sizeof(ret_cache->path), "%s/", cache_dir);
		for (size_t i = 0; i < 16 && n + 3 < (int)sizeof(ret_cache->path) - 8; i++)
			n += snprintf(ret_cache->path + n, 3, "%02x", hash[i]);
		strcpy(ret_cache->path + n, ".hsdb");
		ret_cache->is_found = read_cache(ret_cache, &head);
	}
	if (ret_cache->is_found)
		db->secret = head.secret;
	else if (getrandom(&db->secret, sizeof(db->secret), 0) != sizeof(db->secret))
		abort(); // only with flags or sizes that are not used here
}

// Kept for the next start; that it cannot be is no reason not to run.
static void write_cache(const struct intel_db *db, const struct db_cache *cache)
{
	char *data = NULL, aside[sizeof(cache->path) + 16];
	struct cache_head head = {
		.magic = CACHE_MAGIC, .n_tokens = db->n_tokens, .secret = db->secret};
	size_t len = 0;
	if (!cache->path[0] || hs_serialize_database(db->hs, &data, &len) != HS_SUCCESS)
		return;
	head.len = len;
	SHA256((const uint8_t *)data, len, head.hash);
	snprintf(aside, sizeof(aside), "%s.%d", cache->path, (int)getpid());
	int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool ok = fd >= 0 && write(fd, &head, sizeof(head)) == sizeof(head) &&
		  write(fd, data, len) == (ssize_t)len && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	if (!ok || rename(aside, cache->path) < 0)
		unlink(aside);
	free(data);
}

static int compile(struct intel_db *db, char error[static INTEL_ERROR_LEN])
{
	uint32_t n = db->n_tokens;
	const char **literals = malloc(n * sizeof(*literals));
	uint64_t *tokens = malloc(n * sizeof(*tokens));
	unsigned *flags = calloc(n, sizeof(*flags)), *ids = malloc(n * sizeof(*ids));
	size_t *lens = malloc(n * sizeof(*lens));
	hs_compile_error_t *why = NULL;
	int ret = literals && tokens && flags && ids && lens ? 0 : -ENOMEM;
	for (uint32_t i = 0; ret == 0 && i < n; i++) {
		tokens[i] = db->entries[db->first[i]].token;
		literals[i] = (const char *)&tokens[i];
		ids[i] = i;
		lens[i] = TOKEN_LEN;
	}
	if (ret == 0 && hs_compile_lit_multi(
				literals, flags, ids, lens, n, HS_MODE_BLOCK, NULL, &db->hs, &why
			) != HS_SUCCESS) {
		snprintf(
			error,
			INTEL_ERROR_LEN,
			"Hyperscan: %s",
			why && why->message ? why->message : "?"
		);
		hs_free_compile_error(why);
		db->hs = NULL;
		ret = -EIO;
	}
	free(literals);
	free(tokens);
	free(flags);
	free(ids);
	free(lens);
	return ret;
}

int compile_hs(struct intel_db *db, struct db_cache *cache, char error[static INTEL_ERROR_LEN])
{
	int ret = 0;
	if (db->n_tokens == 0)
		return 0;
	if (intel_supported() < 0) {
		snprintf(
			error,
			INTEL_ERROR_LEN,
			"this CPU cannot run Hyperscan: it needs SSSE3 (Intel from 2006, AMD from "
			"2011)"
		);
		return -ENOTSUP;
	}
	if (cache->is_found &&
	    hs_deserialize_database(cache->data, cache->len, &db->hs) == HS_SUCCESS)
		db->stats.is_cached = true;
	else
		ret = compile(db, error);
	if (ret == 0 && !db->stats.is_cached)
		write_cache(db, cache);
	if (ret == 0)
		hs_database_size(db->hs, &db->stats.size);
	return ret;
}
