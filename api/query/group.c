// SPDX-License-Identifier: Apache-2.0
#include "api/query/group_table.h"
#include "lib/base/siphash.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>

const char *const group_metrics[GROUP_N_METRICS + 1] = {
	[GROUP_FLOWS] = "flows",
	[GROUP_PACKETS] = "packets",
	[GROUP_BYTES] = "bytes",
	[GROUP_DENIED] = "denied",
};

#define CHUNK 256	// rows whose keys are made in one go
#define DENSE_MAX 65536 // values of a number that has a place for each

struct groups {
	struct cell_columns by;
	bool has_other; // a column of either end
	bool has_text;
	size_t key_len; // at most
	uint64_t step_ns;
	struct group_budget own_budget; // of the first one; its parts share it
	struct group_table table;
	struct group_sums total;
	// Sums by the number of a value, where that is all there is to a group: a coded address of
	// this block, or a small number of the walk. n_dense: places in use; cap_dense: there are.
	struct group_sums *dense;
	uint32_t n_dense, cap_dense;
	uint8_t *keys; // room for those of CHUNK rows, both ends
};

// What one row adds.
struct metrics {
	const uint64_t *packets, *bytes, *rev_packets, *rev_bytes;
	const uint8_t *verdict;
};

static size_t key_len_max(const struct cell_columns *by, bool *ret_has_text)
{
	size_t len = 0;
	*ret_has_text = false;
	for (size_t i = 0; i < by->n; i++) {
		bool text = by->c[i].type == CELL_TEXT;
		len += text ? 1 + RECORD_STR_MAX : by->c[i].type == CELL_ADDR ? 16 : 8;
		*ret_has_text |= text;
	}
	return len ? len : 1;
}

static int
create(const struct cell_columns *by,
       uint64_t step_ns,
       struct group_budget *budget,
       const uint64_t secret[static 2],
       struct groups **ret_groups)
{
	struct groups *g = calloc(1, sizeof(*g));
	if (!g)
		return -ENOMEM;
	g->by = *by;
	g->step_ns = step_ns;
	g->key_len = key_len_max(by, &g->has_text);
	for (size_t i = 0; i < by->n; i++)
		g->has_other |= by->c[i].other >= 0;
	group_table_init(&g->table, budget ? budget : &g->own_budget, secret);
	g->keys = malloc((size_t)2 * CHUNK * g->key_len);
	if (!g->keys) {
		groups_free(g);
		return -ENOMEM;
	}
	*ret_groups = g;
	return 0;
}

int groups_create(
	const struct cell_columns *by, uint64_t step_ns, size_t memory, struct groups **ret_groups
)
{
	struct siphash_key random = siphash_key_random();
	const uint64_t secret[2] = {random.k0, random.k1};
	int ret = create(by, step_ns, NULL, secret, ret_groups);
	if (ret == 0)
		(*ret_groups)->own_budget.max = memory;
	return ret;
}

void groups_free(struct groups *g)
{
	if (!g)
		return;
	group_table_fini(&g->table);
	free(g->dense);
	free(g->keys);
	free(g);
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

static size_t put_number(uint64_t v, uint8_t *key)
{
	v = htobe64(v);
	memcpy(key, &v, sizeof(v));
	return sizeof(v);
}

// The row's values one behind the other: numbers as 8 bytes, most significant first, so that keys
// sort as values do.
static size_t make_key(const struct groups *g, const struct place *p, uint8_t *key)
{
	size_t at = 0;
	for (size_t i = 0; i < g->by.n; i++) {
		const struct cell_column *c = &g->by.c[i];
		bool other = p->other && c->other >= 0;
		if (c->type == CELL_ADDR) {
			struct cell v = cell_load(c, p->b, p->row, other);
			memcpy(key + at, v.addr.b, 16);
			at += 16;
		} else if (c->type == CELL_TEXT) {
			struct cell v = cell_load(c, p->b, p->row, other);
			uint16_t n = v.text.len > RECORD_STR_MAX ? RECORD_STR_MAX : v.text.len;
			key[at++] = (uint8_t)n;
			memcpy(key + at, v.text.p, n);
			at += n;
		} else {
			at += put_number(
				p->numbers->v[other][i][p->row - p->numbers->first], key + at
			);
		}
	}
	return at;
}

static struct metrics metrics_of(const struct record_batch *b)
{
	return (struct metrics){
		.packets = RECORD_COLUMN(b, packets),
		.bytes = RECORD_COLUMN(b, bytes),
		.rev_packets = RECORD_COLUMN(b, rev_packets),
		.rev_bytes = RECORD_COLUMN(b, rev_bytes),
		.verdict = RECORD_COLUMN(b, verdict),
	};
}

static inline void add_row(struct group_sums *s, const struct metrics *m, uint32_t i)
{
	s->v[GROUP_FLOWS]++;
	s->v[GROUP_PACKETS] +=
		(m->packets ? m->packets[i] : 0) + (m->rev_packets ? m->rev_packets[i] : 0);
	s->v[GROUP_BYTES] += (m->bytes ? m->bytes[i] : 0) + (m->rev_bytes ? m->rev_bytes[i] : 0);
	s->v[GROUP_DENIED] += m->verdict && m->verdict[i] == VERDICT_DENY;
}

static void add_sums(struct group_sums *to, const struct group_sums *from)
{
	for (int m = 0; m < GROUP_N_METRICS; m++)
		to->v[m] += from->v[m];
}

// The keys of up to CHUNK rows, at both ends where there are two; len 0: that end is the same.
struct key_list {
	struct group_key k[2][CHUNK];
};

static void make_keys(
	const struct groups *g,
	struct place p,
	const uint32_t *rows,
	uint32_t n,
	struct key_list *ret
)
{
	const uint64_t *start = RECORD_COLUMN(p.b, start_ns);
	uint8_t *at = g->keys;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t bucket = g->step_ns && start ? start[rows[i]] / g->step_ns : 0;
		p.row = rows[i];
		for (int other = 0; other <= g->has_other; other++, at += g->key_len) {
			struct group_key *k = &ret->k[other][i], *first = &ret->k[0][i];
			p.other = other;
			k->bucket = bucket;
			k->p = at;
			k->len = make_key(g, &p, at);
			// both ends are the same: one record is one flow
			k->hash = other ? first->hash : 0;
			if (other && k->len == first->len && memcmp(k->p, first->p, k->len) == 0)
				k->p = NULL;
			else
				k->hash = group_table_hash(&g->table, bucket, at, k->len);
			group_table_prefetch(&g->table, k->hash);
		}
	}
}

static int take_some(struct groups *g, struct place p, const uint32_t *rows, uint32_t n)
{
	struct key_list keys;
	struct metrics m = metrics_of(p.b);
	make_keys(g, p, rows, n, &keys);
	for (int other = 0; other <= g->has_other; other++)
		for (uint32_t i = 0; i < n; i++)
			group_table_prefetch_row(&g->table, keys.k[other][i].hash);
	for (uint32_t i = 0; i < n; i++) {
		for (int other = 0; other <= g->has_other; other++) {
			struct group_row *r;
			if (!keys.k[other][i].p)
				continue;
			int ret = group_table_find(&g->table, &keys.k[other][i], &r);
			if (ret < 0)
				return ret;
			add_row(&r->sums, &m, rows[i]);
		}
		add_row(&g->total, &m, rows[i]);
	}
	return 0;
}

// Whether groups are values of one column, of which there are few or a dictionary.
static bool is_dense(const struct groups *g, const struct record_batch *b)
{
	const struct cell_column *c = &g->by.c[0];
	if (g->by.n != 1 || g->has_other || g->step_ns)
		return false;
	if (c->type == CELL_ADDR)
		return b->has_coded >> c->source & 1;
	return value_is_number(c->source) && value_max(c->source) < DENSE_MAX;
}

static int dense_room(struct groups *g, uint32_t n)
{
	if (n > g->cap_dense) {
		struct group_sums *more = reallocarray(g->dense, n, sizeof(*more));
		if (!more)
			return -ENOMEM;
		memset(more + g->cap_dense, 0, (n - g->cap_dense) * sizeof(*more));
		g->dense = more;
		g->cap_dense = n;
	}
	if (n > g->n_dense)
		g->n_dense = n;
	return 0;
}

static int take_dense(struct groups *g, const struct place *p, const uint32_t *rows, uint32_t n)
{
	const struct cell_column *c = &g->by.c[0];
	const struct record_coded *coded = &p->b->coded[c->source];
	struct metrics m = metrics_of(p->b);
	struct group_sums *sums;
	bool addr = c->type == CELL_ADDR;
	if (dense_room(g, addr ? coded->n : DENSE_MAX) < 0)
		return -ENOMEM;
	sums = g->dense;
	for (uint32_t i = 0; addr && i < n; i++)
		add_row(&sums[coded->codes[rows[i]]], &m, rows[i]);
	for (uint32_t i = 0; !addr && i < n; i++)
		add_row(&sums[p->numbers->v[0][0][rows[i] - rows[0]]], &m, rows[i]);
	return 0;
}

static int take(void *ctx, const struct record_batch *b, const uint32_t *rows, uint32_t n)
{
	struct groups *g = ctx;
	struct numbers numbers;
	struct place p = {.b = b, .numbers = &numbers};
	int ret = 0;
	load_numbers(g, b, rows[0], rows[n - 1] - rows[0] + 1, &numbers);
	if (is_dense(g, b))
		return take_dense(g, &p, rows, n);
	for (uint32_t i = 0, some; ret == 0 && i < n; i += some) {
		some = n - i < CHUNK ? n - i : CHUNK;
		ret = take_some(g, p, rows + i, some);
	}
	return ret;
}

#define AHEAD 64

// Places that hold something, with their keys.
struct held {
	uint32_t n;
	uint32_t at[AHEAD];
	struct group_key key[AHEAD];
	uint8_t bytes[AHEAD][16];
};

static int move_held(struct groups *g, struct held *h)
{
	int ret = 0;
	for (uint32_t i = 0; i < h->n; i++)
		group_table_prefetch_row(&g->table, h->key[i].hash);
	for (uint32_t i = 0; ret == 0 && i < h->n; i++) {
		struct group_sums *s = &g->dense[h->at[i]];
		struct group_row *r;
		ret = group_table_find(&g->table, &h->key[i], &r);
		if (ret < 0)
			break;
		add_sums(&r->sums, s);
		add_sums(&g->total, s);
		*s = (struct group_sums){};
	}
	h->n = 0;
	return ret;
}

// Moves what is in the places to the table: `coded` says what they stand for, NULL: numbers.
static int end_dense(struct groups *g, const struct record_coded *coded)
{
	const struct cell_column *c = &g->by.c[0];
	struct held h = {};
	int ret = 0;
	for (uint32_t i = 0; ret == 0 && i < g->n_dense; i++) {
		if (!g->dense[i].v[GROUP_FLOWS])
			continue;
		struct group_key *k = &h.key[h.n];
		uint8_t *bytes = h.bytes[h.n];
		if (coded) {
			struct addr a = cell_cut(c, coded->values[i]);
			memcpy(bytes, a.b, sizeof(a));
		} else {
			(void)put_number(i, bytes);
		}
		size_t len = coded ? sizeof(struct addr) : sizeof(uint64_t);
		*k = (struct group_key
		){.hash = group_table_hash(&g->table, 0, bytes, len), .p = bytes, .len = len};
		group_table_prefetch(&g->table, k->hash);
		h.at[h.n++] = i;
		if (h.n == AHEAD)
			ret = move_held(g, &h);
	}
	if (ret == 0)
		ret = move_held(g, &h);
	g->n_dense = 0;
	return ret;
}

static int end_block(void *ctx, const struct record_batch *b)
{
	struct groups *g = ctx;
	if (g->n_dense && g->by.c[0].type == CELL_ADDR)
		return end_dense(g, &b->coded[g->by.c[0].source]);
	return 0;
}

static int fork_part(void *ctx, void **ret_part)
{
	const struct groups *g = ctx;
	struct groups *part;
	int ret = create(&g->by, g->step_ns, g->table.budget, g->table.secret, &part);
	if (ret == 0)
		*ret_part = part;
	return ret;
}

static int join_part(void *ctx, void *p, bool whole)
{
	struct groups *g = ctx, *part = p;
	int ret = whole ? end_dense(part, NULL) : 0;
	if (ret == 0 && whole)
		ret = group_table_merge(&g->table, &part->table);
	add_sums(&g->total, &part->total);
	groups_free(part);
	return ret;
}

int groups_run(
	struct groups *g,
	const struct run *run,
	const struct filter *filter,
	struct walk_counts *ret_counts
)
{
	uint64_t fields = cell_columns_fields(&g->by);
	struct walk walk = {
		.run = *run,
		.filter = filter,
		.fields = fields | RECORD_BIT(packets) | RECORD_BIT(bytes) |
			  RECORD_BIT(rev_packets) | RECORD_BIT(rev_bytes) | RECORD_BIT(verdict) |
			  (g->step_ns ? RECORD_BIT(start_ns) : 0),
		.coded = fields & record_addr_fields(),
		.no_starts = true,
		.rows = take,
		.block_end = end_block,
		.fork = fork_part,
		.join = join_part,
		.ctx = g,
	};
	int ret = walk_rows(&walk, ret_counts);
	return ret == 0 ? end_dense(g, NULL) : ret;
}

size_t groups_count(const struct groups *g)
{
	return g->table.n;
}

struct group_sums groups_total(const struct groups *g)
{
	return g->total;
}

const struct group_row *
groups_largest(struct groups *g, enum group_metric by, size_t max, size_t *ret_n)
{
	*ret_n = group_table_largest(&g->table, by, max);
	return g->table.rows;
}

const struct group_row *groups_by_key(struct groups *g)
{
	group_table_sort(&g->table);
	return g->table.rows;
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
