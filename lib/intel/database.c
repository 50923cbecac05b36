// SPDX-License-Identifier: Apache-2.0
#include "lib/intel/database.h"

#include "lib/base/clock.h"
#include "lib/intel/db.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define FILTER_TOKENS_PER_WORD 3 // of 64 bits, two each: one token in a hundred passes in error

int intel_supported(void)
{
	return hs_valid_platform() == HS_SUCCESS ? 0 : -ENOTSUP;
}

struct intel_db *intel_db_get(struct intel_db *db)
{
	atomic_fetch_add_explicit(&db->n_owners, 1, memory_order_relaxed);
	return db;
}

void intel_db_put(struct intel_db *db)
{
	if (!db || atomic_fetch_sub_explicit(&db->n_owners, 1, memory_order_acq_rel) > 1)
		return;
	for (unsigned i = 0; db->threads && i < db->n_threads; i++)
		hs_free_scratch(db->threads[i].scratch);
	hs_free_database(db->hs);
	for (size_t i = 0; db->lists && i < db->n_lists; i++)
		intel_list_put(db->lists[i]);
	free(db->lists);
	free(db->own);
	free(db->entries);
	free(db->first);
	free(db->by_id);
	free(db->filter);
	free(db->threads);
	free(db);
}

unsigned intel_db_owners(const struct intel_db *db)
{
	return atomic_load_explicit(&db->n_owners, memory_order_acquire);
}

const struct intel_stats *intel_db_stats(const struct intel_db *db)
{
	return &db->stats;
}

// The strongest of like indicators first: an allow-list's, then the higher score, then the order of
// the feeds.
static int
cmp_strength(const struct intel_db *db, const struct db_entry *l, const struct db_entry *r)
{
	const struct indicator *a = db_indicator(db, l), *b = db_indicator(db, r);
	if (a->is_allow != b->is_allow)
		return a->is_allow ? -1 : 1;
	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	if (l->list != r->list)
		return l->list < r->list ? -1 : 1;
	return l->item < r->item ? -1 : l->item > r->item;
}

static int cmp_token(const void *left, const void *right, void *db)
{
	const struct db_entry *l = left, *r = right;
	if (l->token != r->token)
		return l->token < r->token ? -1 : 1;
	return cmp_strength(db, l, r);
}

static int cmp_id(const void *left, const void *right, void *ctx)
{
	const struct intel_db *db = ctx;
	const struct db_entry *l = &db->entries[*(const uint32_t *)left];
	const struct db_entry *r = &db->entries[*(const uint32_t *)right];
	if (l->id != r->id)
		return l->id < r->id ? -1 : 1;
	return cmp_strength(db, l, r);
}

static void halves(const struct addr *a, uint64_t *ret_hi, uint64_t *ret_lo)
{
	memcpy(ret_hi, a->b, 8);
	memcpy(ret_lo, a->b + 8, 8);
}

static uint64_t token_of(const struct intel_db *db, const struct db_entry *e)
{
	const struct indicator *i = db_indicator(db, e);
	const struct token_secret *s = &db->secret;
	uint64_t hi, lo, h = 0;
	halves(&i->net.addr, &hi, &lo);
	switch ((enum indicator_type)i->type) {
	case INDICATOR_NET:
		return token_net(s, addr_is_v4(&i->net.addr), i->net.len, hi, lo);
	case INDICATOR_ADDR_PORT:
		return token_addr_port(s, hi, lo, i->port, i->proto);
	case INDICATOR_PORT:
		return token_port(s, i->port, i->proto);
	default:
		break;
	}
	const char *name = db_name(db, e);
	for (size_t n = strlen(name); n > 0; n--)
		h = token_name_step(s, h, name[n - 1]);
	return token_name(s, i->is_exact, h);
}

static int gather(struct intel_db *db, struct intel_list *const *lists)
{
	size_t n = 0;
	for (size_t i = 0; i < db->n_lists; i++)
		n += lists[i]->n;
	if (n >= UINT32_MAX)
		return -E2BIG;
	db->lists = calloc(db->n_lists + 1, sizeof(struct intel_list *));
	db->entries = malloc((n + 1) * sizeof(*db->entries));
	db->by_id = malloc((n + 1) * sizeof(*db->by_id));
	if (!db->lists || !db->entries || !db->by_id)
		return -ENOMEM;
	for (size_t i = 0; i < db->n_lists; i++) {
		db->lists[i] = intel_list_get(lists[i]);
		for (size_t k = 0; k < lists[i]->n; k++) {
			struct db_entry *e = &db->entries[db->n_entries++];
			*e = (struct db_entry){.list = (uint32_t)i, .item = (uint32_t)k};
			e->id = lists[i]->items[k].id;
		}
	}
	return 0;
}

static void sort_ids(struct intel_db *db)
{
	for (uint32_t i = 0; i < db->n_entries; i++)
		db->by_id[i] = i;
	qsort_r(db->by_id, db->n_entries, sizeof(*db->by_id), cmp_id, db);
}

static void note_length(struct db_lengths *l, unsigned len)
{
	unsigned at = 0;
	while (at < l->n && l->at[at].len > len)
		at++;
	if (at < l->n && l->at[at].len == len)
		return;
	memmove(&l->at[at + 1], &l->at[at], (l->n - at) * sizeof(l->at[0]));
	struct addr mask = {};
	for (unsigned bit = 0; bit < len; bit++)
		mask.b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	l->at[at].len = (uint8_t)len;
	halves(&mask, &l->at[at].hi, &l->at[at].lo);
	l->n++;
}

static unsigned labels_of(const char *name)
{
	unsigned n = 1;
	for (; *name; name++)
		n += *name == '.';
	return n < 63 ? n : 63;
}

// Notes what the indicator makes matching look at.
static void note_use(struct intel_db *db, const struct db_entry *e)
{
	const struct indicator *i = db_indicator(db, e);
	struct intel_stats *s = &db->stats;
	s->allows += i->is_allow;
	switch ((enum indicator_type)i->type) {
	case INDICATOR_NET:
		s->nets++;
		note_length(addr_is_v4(&i->net.addr) ? &db->v4 : &db->v6, i->net.len);
		break;
	case INDICATOR_ADDR_PORT:
		s->addr_ports++;
		db->addr_ports[i->port >> 6] |= 1ull << (i->port & 63);
		break;
	case INDICATOR_PORT:
		s->ports++;
		db->ports[i->port >> 6] |= 1ull << (i->port & 63);
		break;
	default:
		s->names++;
		db->name_labels |= 1ull << labels_of(db_name(db, e));
	}
}

// Sorts the entries by token and makes the index and the filter over the different ones.
static int index_tokens(struct intel_db *db)
{
	size_t n = db->n_entries, words = 64;
	for (size_t i = 0; i < n; i++) {
		db->entries[i].token = token_of(db, &db->entries[i]);
		note_use(db, &db->entries[i]);
	}
	qsort_r(db->entries, n, sizeof(*db->entries), cmp_token, db);
	while (words * FILTER_TOKENS_PER_WORD < n)
		words *= 2;
	db->filter = calloc(words, sizeof(*db->filter));
	db->first = malloc((n + 1) * sizeof(*db->first));
	if (!db->filter || !db->first)
		return -ENOMEM;
	db->filter_shift = 64 - (unsigned)__builtin_ctzll(words);
	for (size_t i = 0; i < n; i++) {
		uint64_t t = db->entries[i].token;
		if (i && t == db->entries[i - 1].token)
			continue;
		db->first[db->n_tokens++] = (uint32_t)i;
		db->filter[t >> db->filter_shift] |= 1ull << (t & 63) | 1ull << (t >> 6 & 63);
	}
	db->first[db->n_tokens] = (uint32_t)n;
	return 0;
}

static int make_threads(struct intel_db *db, unsigned n_threads)
{
	db->threads = calloc(n_threads + 1, sizeof(*db->threads));
	if (!db->threads)
		return -ENOMEM;
	db->n_threads = n_threads;
	for (unsigned i = 0; db->hs && i < n_threads; i++) {
		hs_error_t e = i ? hs_clone_scratch(db->threads[0].scratch, &db->threads[i].scratch)
				 : hs_alloc_scratch(db->hs, &db->threads[0].scratch);
		if (e != HS_SUCCESS)
			return e == HS_NOMEM ? -ENOMEM : -EIO;
	}
	return 0;
}

static int
build(struct intel_db *db,
      struct intel_list *const *lists,
      const struct intel_options *o,
      char error[static INTEL_ERROR_LEN])
{
	struct db_cache cache = {};
	int ret = gather(db, lists);
	if (ret == 0 && o->n_own) {
		db->own = malloc(o->n_own * sizeof(*db->own));
		db->n_own = o->n_own;
		if (db->own)
			memcpy(db->own, o->own, o->n_own * sizeof(*db->own));
		else
			ret = -ENOMEM;
	}
	if (ret == 0) {
		sort_ids(db);
		compile_secret(db, o->cache_dir, &cache);
		ret = index_tokens(db);
	}
	if (ret == 0) {
		sort_ids(db); // the entries have moved
		ret = compile_hs(db, &cache, error);
	}
	free(cache.data);
	if (ret == 0)
		ret = make_threads(db, o->n_threads);
	return ret;
}

int intel_db_create(
	struct intel_list *const *lists,
	size_t n_lists,
	const struct intel_options *options,
	struct intel_db **ret_db,
	char error[static INTEL_ERROR_LEN]
)
{
	uint64_t start_ns = clock_mono_ns();
	struct intel_db *db = calloc(1, sizeof(*db));
	error[0] = '\0';
	if (!db) {
		snprintf(error, INTEL_ERROR_LEN, "out of memory");
		return -ENOMEM;
	}
	db->n_owners = 1;
	db->n_lists = n_lists;
	int ret = build(db, lists, options, error);
	if (ret < 0) {
		if (!error[0])
			snprintf(error, INTEL_ERROR_LEN, "%s", strerror(-ret));
		intel_db_put(db);
		return ret;
	}
	db->stats.entries = db->n_entries;
	db->stats.values = db->n_tokens;
	db->stats.prefix_lengths = db->v4.n + db->v6.n;
	db->stats.compile_ns = clock_mono_ns() - start_ns;
	*ret_db = db;
	return 0;
}

struct intel_entry intel_db_entry(const struct intel_db *db, size_t i)
{
	const struct db_entry *e = &db->entries[db->by_id[i]];
	return (struct intel_entry){e->id, db_indicator(db, e), db->lists[e->list]};
}

size_t intel_db_find(const struct intel_db *db, uint64_t id)
{
	size_t low = 0, high = db->n_entries;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (db->entries[db->by_id[middle]].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < db->n_entries && db->entries[db->by_id[low]].id == id ? low : db->n_entries;
}
