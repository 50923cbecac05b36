// SPDX-License-Identifier: Apache-2.0
#include "lib/intel/database.h"

#include "lib/base/clock.h"
#include "lib/intel/cache.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#define FILTER_SIEVES_PER_WORD 3 // of 64 bits, two each: one in a hundred passes in error

int intel_supported(void)
{
	return hs_valid_platform() == HS_SUCCESS ? 0 : -ENOTSUP;
}

struct intel_db *intel_db_get(struct intel_db *db)
{
	atomic_fetch_add_explicit(&db->n_owners, 1, memory_order_relaxed);
	return db;
}

static void free_filters(struct db_lengths *l)
{
	for (unsigned g = 0; g < l->n_groups; g++)
		free(l->groups[g].filter.words);
}

void intel_db_put(struct intel_db *db)
{
	if (!db || atomic_fetch_sub_explicit(&db->n_owners, 1, memory_order_acq_rel) > 1)
		return;
	for (unsigned i = 0; db->threads && i < db->n_threads; i++)
		hs_free_scratch(db->threads[i].scratch);
	for (uint32_t i = 0; db->shards && i < db->n_shards; i++)
		hs_free_database(db->shards[i]);
	for (size_t i = 0; db->lists && i < db->n_lists; i++)
		intel_list_put(db->lists[i]);
	free(db->lists);
	free(db->own);
	free(db->entries);
	free(db->first);
	free(db->by_id);
	free(db->filter.words);
	free_filters(&db->v4);
	free_filters(&db->v6);
	free(db->shards);
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

static void mark(struct db_filter *f, uint64_t sieve)
{
	f->words[sieve >> f->shift] |= db_filter_bits(sieve);
}

static uint64_t mark_net(struct intel_db *db, const struct prefix *net)
{
	bool v4 = addr_is_v4(&net->addr);
	struct db_lengths *l = v4 ? &db->v4 : &db->v6;
	unsigned g = 0;
	uint64_t hi, lo;
	halves(&net->addr, &hi, &lo);
	while (l->at[l->groups[g].last].len > net->len)
		g++;
	mark(&l->groups[g].filter, db_sieve_net(db, &l->at[l->groups[g].last], hi, lo));
	uint64_t sieve = token_sieve(&db->secret, net->len, hi, lo);
	mark(&db->filter, sieve);
	return token_finish(&db->secret, token_net_kind(v4), net->len, sieve);
}

static uint64_t mark_port(struct intel_db *db, const struct indicator *i)
{
	bool has_addr = i->type == INDICATOR_ADDR_PORT;
	uint64_t more = token_port(i->port, i->proto), hi = 0, lo = 0;
	if (has_addr)
		halves(&i->net.addr, &hi, &lo);
	uint64_t sieve = token_sieve(&db->secret, more, hi, lo);
	mark(&db->filter, sieve);
	return token_finish(&db->secret, has_addr ? TOKEN_ADDR_PORT : TOKEN_PORT, more, sieve);
}

static uint64_t mark_name(struct intel_db *db, const char *name, bool is_exact)
{
	uint64_t sieve = 0;
	for (size_t n = strlen(name); n > 0; n--)
		sieve = token_name_step(&db->secret, sieve, name[n - 1]);
	mark(&db->filter, sieve);
	return token_finish(&db->secret, is_exact ? TOKEN_EXACT : TOKEN_NAME, 0, sieve);
}

// The entry's token; what it is looked up by is in the filter from then on.
static uint64_t mark_entry(struct intel_db *db, const struct db_entry *e)
{
	const struct indicator *i = db_indicator(db, e);
	if (i->type == INDICATOR_NET)
		return mark_net(db, &i->net);
	if (i->type == INDICATOR_NAME)
		return mark_name(db, db_name(db, e), i->is_exact);
	return mark_port(db, i);
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
	if (at < l->n && l->at[at].len == len) {
		l->at[at].n++;
		return;
	}
	memmove(&l->at[at + 1], &l->at[at], (l->n - at) * sizeof(l->at[0]));
	struct addr mask = {};
	for (unsigned bit = 0; bit < len; bit++)
		mask.b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	l->at[at].len = (uint8_t)len;
	l->at[at].n = 1;
	halves(&mask, &l->at[at].hi, &l->at[at].lo);
	l->n++;
}

// Lengths that are alike go together: 24 and more, 16 to 23, the rest; of IPv6 64, 48, 32.
static void group_lengths(struct db_lengths *l, bool v4)
{
	static const uint8_t least[2][DB_GROUPS] = {{64, 48, 32, 0}, {96 + 24, 96 + 16, 0, 0}};
	unsigned g = 0, at = 0;
	l->n_groups = 0;
	for (; at < l->n; g++) {
		unsigned first = at;
		while (at < l->n && l->at[at].len >= least[v4][g])
			at++;
		if (at > first)
			l->groups[l->n_groups++] =
				(struct db_group){(uint8_t)first, (uint8_t)(at - 1), {}};
	}
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

static int filter_init(struct db_filter *f, size_t n)
{
	size_t words = 64;
	while (words * FILTER_SIEVES_PER_WORD < n)
		words *= 2;
	f->words = calloc(words, sizeof(*f->words));
	f->shift = 64 - (unsigned)__builtin_ctzll(words);
	return f->words ? 0 : -ENOMEM;
}

static int make_filters(struct intel_db *db, struct db_lengths *l)
{
	int ret = 0;
	for (unsigned g = 0; ret == 0 && g < l->n_groups; g++) {
		size_t n = 0;
		for (unsigned i = l->groups[g].first; i <= l->groups[g].last; i++)
			n += l->at[i].n;
		ret = filter_init(&l->groups[g].filter, n);
	}
	if (ret == 0 && !db->filter.words)
		ret = filter_init(&db->filter, db->n_entries);
	return ret;
}

// Sorts the entries by token and makes the index over the different ones, and the filter.
static int index_tokens(struct intel_db *db)
{
	size_t n = db->n_entries;
	for (size_t i = 0; i < n; i++)
		note_use(db, &db->entries[i]);
	group_lengths(&db->v4, true);
	group_lengths(&db->v6, false);
	db->first = malloc((n + 1) * sizeof(*db->first));
	if (!db->first || make_filters(db, &db->v4) < 0 || make_filters(db, &db->v6) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		db->entries[i].token = mark_entry(db, &db->entries[i]);
	qsort_r(db->entries, n, sizeof(*db->entries), cmp_token, db);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || db->entries[i].token != db->entries[i - 1].token)
			db->first[db->n_tokens++] = (uint32_t)i;
	db->first[db->n_tokens] = (uint32_t)n;
	return 0;
}

// One scratch serves every shard.
static hs_error_t make_scratch(const struct intel_db *db, hs_scratch_t **scratch)
{
	hs_error_t e = HS_SUCCESS;
	for (uint32_t s = 0; e == HS_SUCCESS && s < db->n_shards; s++)
		if (db->shards[s])
			e = hs_alloc_scratch(db->shards[s], scratch);
	return e;
}

static int make_threads(struct intel_db *db, unsigned n_threads)
{
	db->threads = calloc(n_threads + 1, sizeof(*db->threads));
	if (!db->threads)
		return -ENOMEM;
	db->n_threads = n_threads;
	for (unsigned i = 0; db->n_tokens && i < n_threads; i++) {
		hs_error_t e = i ? hs_clone_scratch(db->threads[0].scratch, &db->threads[i].scratch)
				 : make_scratch(db, &db->threads[0].scratch);
		if (e != HS_SUCCESS)
			return e == HS_NOMEM ? -ENOMEM : -EIO;
	}
	return 0;
}

// The shards, from the cache when they are there.
static int
make_shards(struct intel_db *db, const struct db_cache *cache, char error[static INTEL_ERROR_LEN])
{
	if (db->n_tokens == 0)
		return 0;
	if (intel_supported() < 0) {
		snprintf(error, INTEL_ERROR_LEN, "%s", INTEL_UNSUPPORTED);
		return -ENOTSUP;
	}
	db->shards = calloc(db->n_shards, sizeof(hs_database_t *));
	if (!db->shards)
		return -ENOMEM;
	db->stats.is_cached = cache_load(cache, db);
	int ret = db->stats.is_cached ? 0 : compile_hs(db, error);
	if (ret == 0 && !db->stats.is_cached)
		cache_save(cache, db);
	for (uint32_t s = 0; ret == 0 && s < db->n_shards; s++) {
		size_t size = 0;
		if (db->shards[s] && hs_database_size(db->shards[s], &size) == HS_SUCCESS)
			db->stats.size += size;
	}
	return ret;
}

static int copy_own(struct intel_db *db, const struct intel_options *o)
{
	if (o->n_own == 0)
		return 0;
	db->own = malloc(o->n_own * sizeof(*db->own));
	if (!db->own)
		return -ENOMEM;
	memcpy(db->own, o->own, o->n_own * sizeof(*db->own));
	db->n_own = o->n_own;
	return 0;
}

static int
build(struct intel_db *db,
      struct intel_list *const *lists,
      const struct intel_options *o,
      char error[static INTEL_ERROR_LEN])
{
	struct db_cache cache;
	int ret = gather(db, lists);
	if (ret == 0)
		ret = copy_own(db, o);
	if (ret < 0)
		return ret;
	sort_ids(db);
	if (!cache_find(&cache, db, o->cache_dir, &db->secret) &&
	    getrandom(&db->secret, sizeof(db->secret), 0) != sizeof(db->secret))
		abort(); // only with flags or sizes that are not used here
	ret = index_tokens(db);
	if (ret == 0) {
		sort_ids(db); // the entries have moved
		compile_shards(db, o->shard_values);
		ret = make_shards(db, &cache, error);
	}
	cache_fini(&cache);
	return ret == 0 ? make_threads(db, o->n_threads) : ret;
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
