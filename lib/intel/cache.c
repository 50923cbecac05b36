// SPDX-License-Identifier: Apache-2.0

// Compiled databases kept in a folder. A file is named by the SHA-256 of what it was made of (the
// ids of the values, and Hyperscan's version) and holds that hash whole, the secret its tokens were
// made with, and a hash over all that follows: one that is cut, damaged or another's is as good as
// none, and so is one that Hyperscan refuses (another CPU). The newest few are kept.

#include "lib/intel/cache.h"

#include <openssl/evp.h>

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC 0x33434448 // "HDC3"
#define KEPT 4		 // files in the folder
#define NAME_DIGITS 32
#define STALE_SEC 3600 // a file that was being written and never became one

struct head {
	uint32_t magic, n_tokens, n_shards, spare;
	uint64_t len; // of what follows: of each shard its length (8 bytes) and its bytes
	struct token_secret secret;
	uint8_t key[CACHE_KEY_LEN];
	uint8_t hash[CACHE_KEY_LEN]; // of the head with this as zeros, and of what follows
};

// The ids, each once, in rising order: the same for the same set of values.
static bool hash_content(const struct intel_db *db, uint8_t ret_key[static CACHE_KEY_LEN])
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	const char *version = hs_version();
	bool ok = c && EVP_DigestInit_ex(c, EVP_sha256(), NULL) &&
		  EVP_DigestUpdate(c, version, strlen(version) + 1);
	for (size_t i = 0; ok && i < db->n_entries; i++) {
		uint64_t id = db->entries[db->by_id[i]].id;
		if (i == 0 || id != db->entries[db->by_id[i - 1]].id)
			ok = EVP_DigestUpdate(c, &id, sizeof(id));
	}
	ok = ok && EVP_DigestFinal_ex(c, ret_key, NULL);
	EVP_MD_CTX_free(c);
	return ok;
}

static bool hash_file(const struct head *head, const void *data, uint8_t ret[static CACHE_KEY_LEN])
{
	struct head plain = *head;
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	memset(plain.hash, 0, sizeof(plain.hash));
	bool ok = c && EVP_DigestInit_ex(c, EVP_sha256(), NULL) &&
		  EVP_DigestUpdate(c, &plain, sizeof(plain)) &&
		  EVP_DigestUpdate(c, data, head->len) && EVP_DigestFinal_ex(c, ret, NULL);
	EVP_MD_CTX_free(c);
	return ok;
}

static bool read_all(int fd, void *data, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = read(fd, (char *)data + at, len - at);
		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

static bool write_all(int fd, const void *data, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = write(fd, (const char *)data + at, len - at);
		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

static bool read_file(struct db_cache *cache, int fd, struct head *ret_head)
{
	struct stat st;
	uint8_t hash[CACHE_KEY_LEN];
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    !read_all(fd, ret_head, sizeof(*ret_head)) || ret_head->magic != MAGIC ||
	    memcmp(ret_head->key, cache->key, CACHE_KEY_LEN) != 0 ||
	    ret_head->len != (uint64_t)st.st_size - sizeof(*ret_head))
		return false;
	cache->data = malloc(ret_head->len + 1);
	cache->len = ret_head->len;
	return cache->data && read_all(fd, cache->data, cache->len) &&
	       hash_file(ret_head, cache->data, hash) &&
	       memcmp(hash, ret_head->hash, sizeof(hash)) == 0;
}

bool cache_find(
	struct db_cache *cache,
	const struct intel_db *db,
	const char *dir,
	struct token_secret *ret_secret
)
{
	struct head head = {};
	*cache = (struct db_cache){};
	if (!dir || !*dir || db->n_entries == 0 || strlen(dir) >= sizeof(cache->dir) ||
	    !hash_content(db, cache->key))
		return false;
	snprintf(cache->dir, sizeof(cache->dir), "%s", dir);
	int n = snprintf(cache->path, sizeof(cache->path), "%s/", dir);
	for (int i = 0; i < NAME_DIGITS / 2; i++)
		n += sprintf(cache->path + n, "%02x", cache->key[i]);
	snprintf(cache->path + n, sizeof(cache->path) - (size_t)n, ".hsdb");
	int fd = open(cache->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool is_found = fd >= 0 && read_file(cache, fd, &head);
	if (is_found) {
		cache->n_tokens = head.n_tokens;
		cache->n_shards = head.n_shards;
		*ret_secret = head.secret;
		(void)!futimens(fd, NULL); // used: not the first to go
	} else {
		cache_fini(cache);
	}
	if (fd >= 0)
		close(fd);
	return is_found;
}

bool cache_load(const struct db_cache *cache, struct intel_db *db)
{
	const char *p = cache->data, *end = p + cache->len;
	bool ok = p && cache->n_tokens == db->n_tokens && cache->n_shards == db->n_shards;
	for (uint32_t s = 0; ok && s < db->n_shards; s++) {
		uint64_t len = 0;
		ok = (size_t)(end - p) >= sizeof(len);
		if (ok) {
			memcpy(&len, p, sizeof(len));
			p += sizeof(len);
		}
		ok = ok && len <= (size_t)(end - p);
		if (ok && len) {
			ok = hs_deserialize_database(p, len, &db->shards[s]) == HS_SUCCESS;
			p += len;
		}
	}
	for (uint32_t s = 0; !ok && s < db->n_shards; s++) {
		hs_free_database(db->shards[s]);
		db->shards[s] = NULL;
	}
	return ok;
}

// All shards, one after the other; NULL without memory.
static char *serialize(const struct intel_db *db, uint64_t *ret_len)
{
	char *all = NULL;
	size_t at = 0;
	for (uint32_t s = 0; s < db->n_shards; s++) {
		char *one = NULL;
		size_t len = 0;
		if (db->shards[s] && hs_serialize_database(db->shards[s], &one, &len) != HS_SUCCESS)
			break;
		char *more = realloc(all, at + sizeof(uint64_t) + len);
		if (!more) {
			free(one);
			break;
		}
		all = more;
		memcpy(all + at, &(uint64_t){len}, sizeof(uint64_t));
		at += sizeof(uint64_t);
		if (len)
			memcpy(all + at, one, len);
		at += len;
		free(one);
		if (s + 1 == db->n_shards) {
			*ret_len = at;
			return all;
		}
	}
	free(all);
	return NULL;
}

// 32 digits, ".hsdb", and behind it nothing, or what a file has while it is written.
static bool is_ours(const char *name, bool *ret_is_whole)
{
	for (int i = 0; i < NAME_DIGITS; i++)
		if (!isxdigit((unsigned char)name[i]))
			return false;
	const char *end = name + NAME_DIGITS;
	*ret_is_whole = strcmp(end, ".hsdb") == 0;
	return *ret_is_whole || strncmp(end, ".hsdb.", 6) == 0;
}

// One round: removes what was never finished, counts the others and finds the oldest.
static unsigned look_over(DIR *dir, time_t now, char ret_oldest[static 256])
{
	unsigned n = 0;
	struct timespec oldest = {};
	const struct dirent *e;
	rewinddir(dir);
	while ((e = readdir(dir))) {
		struct stat st;
		bool is_whole;
		if (!is_ours(e->d_name, &is_whole) ||
		    fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (!is_whole) {
			if (now - st.st_mtim.tv_sec > STALE_SEC)
				(void)!unlinkat(dirfd(dir), e->d_name, 0);
			continue;
		}
		bool is_older =
			st.st_mtim.tv_sec < oldest.tv_sec ||
			(st.st_mtim.tv_sec == oldest.tv_sec && st.st_mtim.tv_nsec < oldest.tv_nsec);
		if (n++ == 0 || is_older) {
			oldest = st.st_mtim;
			snprintf(ret_oldest, 256, "%s", e->d_name);
		}
	}
	return n;
}

static void prune(const char *path)
{
	char oldest[256];
	DIR *dir = opendir(path);
	for (int i = 0; dir && i < 1000 && look_over(dir, time(NULL), oldest) > KEPT; i++)
		if (unlinkat(dirfd(dir), oldest, 0) < 0)
			break;
	if (dir)
		closedir(dir);
}

void cache_save(const struct db_cache *cache, const struct intel_db *db)
{
	char aside[sizeof(cache->path) + 8];
	struct head head = {
		.magic = MAGIC,
		.n_tokens = db->n_tokens,
		.n_shards = db->n_shards,
		.secret = db->secret};
	if (!cache->path[0])
		return;
	char *data = serialize(db, &head.len);
	memcpy(head.key, cache->key, sizeof(head.key));
	if (!data || !hash_file(&head, data, head.hash)) {
		free(data);
		return;
	}
	snprintf(aside, sizeof(aside), "%s.XXXXXX", cache->path);
	int fd = mkostemp(aside, O_CLOEXEC);
	if (fd >= 0) {
		bool ok = write_all(fd, &head, sizeof(head)) && write_all(fd, data, head.len) &&
			  fsync(fd) == 0;
		close(fd);
		if (!ok || rename(aside, cache->path) < 0)
			unlink(aside);
	}
	free(data);
	prune(cache->dir);
}

void cache_fini(struct db_cache *cache)
{
	free(cache->data);
	cache->data = NULL;
	cache->len = 0;
}
