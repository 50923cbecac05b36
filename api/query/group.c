// SPDX-License-Identifier: Apache-2.0
#include "api/query/group.h"

#include "lib/base/siphash.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>

#define KEY_MAX (8 + GROUP_COLUMNS_MAX * (2 + RECORD_STR_MAX))
#define CHUNK_LEN ((size_t)1 << 18)

const char *const group_metrics[GROUP_N_METRICS + 1] = {
	[GROUP_FLOWS] = "flows",
	[GROUP_PACKETS] = "packets",
	[GROUP_BYTES] = "bytes",
	[GROUP_DENIED] = "denied",
};

// Memory for keys: pieces that stay where they are.
struct chunk {
	struct chunk *next;
	size_t len;
	uint8_t data[CHUNK_LEN];
};

struct groups {
	struct cell_columns by;
	bool has_other; // a column of either end
	uint64_t step_ns;
	size_t memory, used;
	struct siphash_key hash_key;
	struct group_row *rows;
	uint64_t *hashes;
	size_t n, cap;
	uint32_t *slots; // 1 + place of a row; 0: free
	size_t n_slots;	 // a power of two
	struct chunk *chunks;
	struct group_sums total;
};

int groups_create(
	const struct cell_columns *by, uint64_t step_ns, size_t memory, struct groups **ret_groups
)
{
	struct groups *g = calloc(1, sizeof(*g));
	if (!g)
		return -ENOMEM;
	g->by = *by;
	g->step_ns = step_ns;
	g->memory = memory;
	g->hash_key = siphash_key_random();
	for (size_t i = 0; i < by->n; i++)
		g->has_other |= by->c[i].other >= 0;
	*ret_groups = g;
	return 0;
}

void groups_free(struct groups *g)
{
	if (!g)
		return;
	while (g->chunks) {
		struct chunk *next = g->chunks->next;
		free(g->chunks);
		g->chunks = next;
	}
	free(g->rows);
	free(g->hashes);
	free(g->slots);
	free(g);
}

// Counts what is about to be allocated.
static int charge(struct groups *g, size_t n)
{
	if (g->memory - g->used < n)
		return -E2BIG;
	g->used += n;
	return 0;
}

static int keep_key(struct groups *g, const uint8_t *key, size_t len, const uint8_t **ret_key)
{
	if (!g->chunks || CHUNK_LEN - g->chunks->len < len) {
		if (charge(g, sizeof(struct chunk)) < 0)
			return -E2BIG;
		struct chunk *c = malloc(sizeof(*c));
		if (!c)
			return -ENOMEM;
		c->next = g->chunks;
		c->len = 0;
		g->chunks = c;
	}
	uint8_t *p = g->chunks->data + g->chunks->len;
	g->chunks->len += len;
	*ret_key = memcpy(p, key, len);
	return 0;
}

static void put_slot(struct groups *g, size_t row)
{
	size_t at = g->hashes[row] & (g->n_slots - 1);
	while (g->slots[at])
		at = (at + 1) & (g->n_slots - 1);
	g->slots[at] = (uint32_t)row + 1;
}

static int grow(struct groups *g)
{
	size_t cap = g->cap ? g->cap * 2 : 256;
	if (cap > UINT32_MAX / 4)
		return -E2BIG;
	int ret =
		charge(g,
		       (cap - g->cap) * (sizeof(*g->rows) + sizeof(*g->hashes)) +
			       (cap * 2 - g->n_slots) * sizeof(*g->slots));
	if (ret < 0)
		return ret;
	struct group_row *rows = reallocarray(g->rows, cap, sizeof(*rows));
	if (rows)
		g->rows = rows;
	uint64_t *hashes = reallocarray(g->hashes, cap, sizeof(*hashes));
	if (hashes)
		g->hashes = hashes;
	uint32_t *slots = calloc(cap * 2, sizeof(*slots));
	if (!rows || !hashes || !slots) {
		free(slots);
		return -ENOMEM;
	}
	free(g->slots);
	g->slots = slots;
	g->n_slots = cap * 2;
	g->cap = cap;
	for (size_t i = 0; i < g->n; i++)
		put_slot(g, i);
	return 0;
}

static int
find(struct groups *g, uint64_t bucket, const uint8_t *key, size_t len, struct group_row **ret_row)
{
	uint64_t hash = siphash(&g->hash_key, key, len) + bucket * 0x9e3779b97f4a7c15;
	hash ^= hash >> 32;
	for (size_t at = hash; g->n_slots; at++) {
		uint32_t slot = g->slots[at & (g->n_slots - 1)];
		if (!slot)
			break;
		struct group_row *r = &g->rows[slot - 1];
		if (g->hashes[slot - 1] == hash && r->bucket == bucket && r->key_len == len &&
		    memcmp(r->key, key, len) == 0) {
			*ret_row = r;
			return 0;
		}
	}
	int ret = g->n == g->cap ? grow(g) : 0;
	const uint8_t *kept = NULL;
	if (ret == 0)
		ret = keep_key(g, key, len, &kept);
	if (ret < 0)
		return ret;
	g->rows[g->n] = (struct group_row){.bucket = bucket, .key = kept, .key_len = (uint32_t)len};
	g->hashes[g->n] = hash;
	put_slot(g, g->n);
	*ret_row = &g->rows[g->n++];
	return 0;
}

// The numbers of some rows, column by column: [0] of the columns' sources, [1] of their other ones.
struct numbers {
	uint32_t first; // row
	uint64_t v[2][GROUP_COLUMNS_MAX][FILTER_CHUNK];
};

static void load_numbers(
	const struct groups *g,
	const struct record_batch *b,
	uint32_t first,
	uint32_t n,
	struct numbers *ret
)
{
	ret->first = first;
	for (size_t i = 0; i < g->by.n; i++) {
		const struct cell_column *c = &g->by.c[i];
		if (!value_is_number(c->source))
			continue;
		value_load(b, c->source, first, n, ret->v[0][i]);
		if (c->other >= 0)
			value_load(b, c->other, first, n, ret->v[1][i]);
	}
}

// A row, and at which end of it.
struct place {
	const struct record_batch *b;
	const struct numbers *numbers;
	uint32_t row;
	bool other;
};

// The row's values one behind the other: numbers as 8 bytes, most significant first, so that keys
// sort as values do.
static size_t make_key(const struct groups *g, const struct place *p, uint8_t *key)
{
	size_t at = 0;
	for (size_t i = 0; i < g->by.n; i++) {
		const struct cell_column *c = &g->by.c[i];
		bool other = p->other && c->other >= 0;
		if (c->type == CELL_ADDR || c->type == CELL_TEXT) {
			struct cell v = cell_load(c, p->b, p->row, other);
			if (c->type == CELL_ADDR) {
				memcpy(key + at, v.addr.b, 16);
				at += 16;
				continue;
			}
			uint16_t n = v.text.len > RECORD_STR_MAX ? RECORD_STR_MAX : v.text.len;
			key[at++] = (uint8_t)n;
			memcpy(key + at, v.text.p, n);
			at += n;
		} else {
			uint64_t be = htobe64(p->numbers->v[other][i][p->row - p->numbers->first]);
			memcpy(key + at, &be, sizeof(be));
			at += sizeof(be);
		}
	}
	return at;
}

static int add(struct groups *g, struct place p, uint64_t bucket, const struct group_sums *sums)
{
	uint8_t keys[2][KEY_MAX];
	size_t len[2];
	for (int other = 0; other <= g->has_other; other++) {
		struct group_row *r;
		p.other = other;
		len[other] = make_key(g, &p, keys[other]);
		if (other && len[0] == len[1] && memcmp(keys[0], keys[1], len[0]) == 0)
			break; // both ends are the same: one record is one flow
		int ret = find(g, bucket, keys[other], len[other], &r);
		if (ret < 0)
			return ret;
		for (int m = 0; m < GROUP_N_METRICS; m++)
			r->sums.v[m] += sums->v[m];
	}
	return 0;
}

static int take(void *ctx, const struct record_batch *b, const uint32_t *rows, uint32_t n)
{
	struct groups *g = ctx;
	struct numbers numbers;
	const uint64_t *start = RECORD_COLUMN(b, start_ns);
	const uint64_t *packets = RECORD_COLUMN(b, packets), *bytes = RECORD_COLUMN(b, bytes);
	const uint64_t *rev_packets = RECORD_COLUMN(b, rev_packets);
	const uint64_t *rev_bytes = RECORD_COLUMN(b, rev_bytes);
	const uint8_t *verdict = RECORD_COLUMN(b, verdict);
	load_numbers(g, b, rows[0], rows[n - 1] - rows[0] + 1, &numbers);
	for (uint32_t k = 0; k < n; k++) {
		uint32_t i = rows[k];
		struct group_sums s = {
			.v = {
				[GROUP_FLOWS] = 1,
				[GROUP_PACKETS] = (packets ? packets[i] : 0) +
						  (rev_packets ? rev_packets[i] : 0),
				[GROUP_BYTES] =
					(bytes ? bytes[i] : 0) + (rev_bytes ? rev_bytes[i] : 0),
				[GROUP_DENIED] = verdict && verdict[i] == VERDICT_DENY,
			}};
		uint64_t bucket = g->step_ns && start ? start[i] / g->step_ns : 0;
		struct place p = {.b = b, .numbers = &numbers, .row = i};
		int ret = add(g, p, bucket, &s);
		if (ret < 0)
			return ret;
		for (int m = 0; m < GROUP_N_METRICS; m++)
			g->total.v[m] += s.v[m];
	}
	return 0;
}

int groups_run(
	struct groups *g,
	const struct run *run,
	const struct filter *filter,
	struct walk_counts *ret_counts
)
{
	struct walk walk = {
		.run = *run,
		.filter = filter,
		.fields = cell_columns_fields(&g->by) | RECORD_BIT(packets) | RECORD_BIT(bytes) |
			  RECORD_BIT(rev_packets) | RECORD_BIT(rev_bytes) | RECORD_BIT(verdict),
		.rows = take,
		.ctx = g,
	};
	return walk_rows(&walk, ret_counts);
}

size_t groups_count(const struct groups *g)
{
	return g->n;
}

struct group_sums groups_total(const struct groups *g)
{
	return g->total;
}

static int compare_key(const struct group_row *a, const struct group_row *b)
{
	size_t n = a->key_len < b->key_len ? a->key_len : b->key_len;
	int c = n ? memcmp(a->key, b->key, n) : 0;
	if (c == 0 && a->key_len != b->key_len)
		c = a->key_len < b->key_len ? -1 : 1;
	return c;
}

static int cmp_metric(const void *left, const void *right, void *arg)
{
	const struct group_row *a = left, *b = right;
	int m = *(const int *)arg, c = 0;
	if (m >= 0 && a->sums.v[m] != b->sums.v[m])
		return a->sums.v[m] > b->sums.v[m] ? -1 : 1;
	if ((c = compare_key(a, b)) != 0)
		return c;
	return a->bucket < b->bucket ? -1 : a->bucket > b->bucket;
}

static void swap(struct group_row *rows, size_t i, size_t k)
{
	struct group_row r = rows[i];
	rows[i] = rows[k];
	rows[k] = r;
}

// A heap of n rows whose root is the one to go next.
static void sift_down(struct group_row *rows, size_t n, size_t i, int m)
{
	for (size_t last;; i = last) {
		last = i;
		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < n; child++)
			if (cmp_metric(&rows[child], &rows[last], &m) > 0)
				last = child;
		if (last == i)
			return;
		swap(rows, i, last);
	}
}

const struct group_row *
groups_largest(struct groups *g, enum group_metric by, size_t max, size_t *ret_n)
{
	int m = (int)by;
	size_t n = g->n < max ? g->n : max;
	for (size_t i = n / 2; i-- > 0;)
		sift_down(g->rows, n, i, m);
	for (size_t i = n; n && i < g->n; i++) {
		if (cmp_metric(&g->rows[i], &g->rows[0], &m) >= 0)
			continue;
		swap(g->rows, 0, i);
		sift_down(g->rows, n, 0, m);
	}
	if (n)
		qsort_r(g->rows, n, sizeof(*g->rows), cmp_metric, &m);
	*ret_n = n;
	return g->rows;
}

const struct group_row *groups_by_key(struct groups *g)
{
	int m = -1;
	if (g->n)
		qsort_r(g->rows, g->n, sizeof(*g->rows), cmp_metric, &m);
	return g->rows;
}

struct cell groups_cell(const struct groups *g, const struct group_row *row, size_t i)
{
	struct cell v = {};
	const uint8_t *p = row->key;
	for (size_t k = 0;; k++) {
		enum cell_type type = g->by.c[k].type;
		if (type == CELL_ADDR) {
			memcpy(v.addr.b, p, 16);
			p += 16;
		} else if (type == CELL_TEXT) {
			v.text = (struct record_str){(const char *)p + 1, *p};
			p += 1 + *p;
		} else {
			v.number = 0;
			for (int n = 0; n < 8; n++)
				v.number = v.number << 8 | *p++;
		}
		if (k == i)
			return v;
	}
}
