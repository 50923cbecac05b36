// SPDX-License-Identifier: Apache-2.0
#include "api/query/filter.h"

#include "api/query/filter_plan.h"

#include <endian.h>
#include <stdlib.h>
#include <strings.h>

#define WORDS (FILTER_CHUNK / 64)

struct chunk {
	const struct filter *f;
	const struct record_batch *b;
	uint32_t first, n, n_words;
	const struct filter_block *k; // or NULL
};

static bool is_empty(const uint64_t *mask, uint32_t n_words)
{
	uint64_t any = 0;
	for (uint32_t i = 0; i < n_words; i++)
		any |= mask[i];
	return any == 0;
}

static bool in_ranges(const struct filter_range *r, uint32_t n, uint64_t v)
{
	uint32_t lo = 0, hi = n; // the first range that ends at v or behind it
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (r[mid].hi < v)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && r[lo].lo <= v;
}

bool filter_in_nets(const struct filter_net *r, uint32_t n, const struct addr *a)
{
	uint32_t lo = 0, hi = n;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (addr_cmp(&r[mid].hi, a) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && addr_cmp(&r[lo].lo, a) <= 0;
}

#define SET(mask, i, condition) ((mask)[(i) / 64] |= (uint64_t)(condition) << (i) % 64)

// Bytes of 0 or 1, as many as there are in a chunk, to bits: eight at a time by a multiplication.
static void set_bits(const uint8_t hit[static FILTER_CHUNK], uint32_t n_words, uint64_t *mask)
{
	for (uint32_t w = 0; w < n_words; w++) {
		uint64_t bits = 0;
		for (uint32_t k = 0; k < 8; k++) {
			uint64_t eight;
			memcpy(&eight, hit + (size_t)w * 64 + (size_t)k * 8, 8);
			bits |= (le64toh(eight) * 0x0102040810204080 >> 56) << 8 * k;
		}
		mask[w] = bits;
	}
}

#define COMPARE(type)                                                                              \
	do {                                                                                       \
		const type *v = (const type *)c->b->columns[node->source] + c->first;              \
		type lo = (type)r->lo, span = (type)(r->hi - r->lo);                               \
		for (uint32_t i = 0; i < c->n; i++)                                                \
			hit[i] = (type)(v[i] - lo) <= span;                                        \
	} while (0)

// One range of a plain column, in the width of its own.
static bool run_range(const struct chunk *c, const struct filter_node *node, uint64_t *mask)
{
	uint8_t hit[FILTER_CHUNK] = {0};
	struct filter_range one = c->f->ranges[node->first], *r = &one;
	if (node->source >= (int)RECORD_N_FIELDS || !(c->b->used >> node->source & 1))
		return false;
	uint64_t max = value_max(node->source);
	if (r->lo > max)
		return true; // no row
	r->hi = r->hi > max ? max : r->hi;
	switch (record_fields[node->source].width) {
	case 1:
		COMPARE(uint8_t);
		break;
	case 2:
		COMPARE(uint16_t);
		break;
	case 4:
		COMPARE(uint32_t);
		break;
	case 8:
		COMPARE(uint64_t);
		break;
	default:
		return false;
	}
	set_bits(hit, c->n_words, mask);
	return true;
}

static void run_number(const struct chunk *c, const struct filter_node *node, uint64_t *mask)
{
	uint64_t v[FILTER_CHUNK];
	const struct filter_range *r = &c->f->ranges[node->first];
	if (node->op == FILTER_NUMBER && node->n == 1 && run_range(c, node, mask))
		return;
	value_load(c->b, node->source, c->first, c->n, v);
	if (node->op == FILTER_BITS) {
		for (uint32_t i = 0; i < c->n; i++)
			SET(mask, i, (v[i] & node->bits) == node->bits);
	} else if (node->op == FILTER_ANY_BITS) {
		for (uint32_t i = 0; i < c->n; i++)
			SET(mask, i, (v[i] & node->bits) != 0);
	} else if (node->n == 1) {
		uint64_t lo = r->lo, span = r->hi - r->lo;
		for (uint32_t i = 0; i < c->n; i++)
			SET(mask, i, v[i] - lo <= span);
	} else {
		for (uint32_t i = 0; node->n && i < c->n; i++)
			SET(mask, i, in_ranges(r, node->n, v[i]));
	}
}

// An address as two numbers.
struct halves {
	uint64_t hi, lo;
};

static struct halves halves_of(const struct addr *a)
{
	uint64_t be[2];
	memcpy(be, a->b, sizeof(be));
	return (struct halves){be64toh(be[0]), be64toh(be[1])};
}

// The bits in which the ends of a range differ.
static struct halves open_bits(const struct filter_net *r)
{
	struct halves lo = halves_of(&r->lo), hi = halves_of(&r->hi);
	return (struct halves){lo.hi ^ hi.hi, lo.lo ^ hi.lo};
}

// Whether the range is all addresses of one prefix.
static bool is_network(const struct filter_net *r)
{
	struct halves lo = halves_of(&r->lo), open = open_bits(r);
	bool ones = open.hi ? open.lo == UINT64_MAX && (open.hi & (open.hi + 1)) == 0
			    : (open.lo & (open.lo + 1)) == 0;
	return ones && (lo.hi & open.hi) == 0 && (lo.lo & open.lo) == 0;
}

static void
run_network(const struct filter_net *r, const struct addr *a, uint32_t n, uint64_t *mask)
{
	struct halves lo = halves_of(&r->lo), open = open_bits(r);
	for (uint32_t i = 0; i < n; i++) {
		struct halves v = halves_of(&a[i]);
		uint64_t differs = ((v.hi ^ lo.hi) & ~open.hi) | ((v.lo ^ lo.lo) & ~open.lo);
		SET(mask, i, differs == 0);
	}
}

static void run_coded(const struct chunk *c, const struct filter_node *node, uint64_t *mask)
{
	const struct record_coded *coded = &c->b->coded[node->source];
	const uint32_t *codes = coded->codes + c->first;
	const struct filter_map *map = c->k ? &c->k->maps[node - c->f->nodes] : NULL;
	uint8_t hit[FILTER_CHUNK] = {0};
	if (map && map->given) {
		const uint8_t *bytes = c->k->bytes + map->at;
		for (uint32_t i = 0; i < c->n; i++)
			hit[i] = bytes[codes[i]];
	} else {
		const struct filter_net *nets = &c->f->nets[node->first];
		for (uint32_t i = 0; i < c->n; i++)
			hit[i] = filter_in_nets(nets, node->n, &coded->values[codes[i]]);
	}
	set_bits(hit, c->n_words, mask);
}

static void run_addr(const struct chunk *c, const struct filter_node *node, uint64_t *mask)
{
	static const struct addr zero;
	const struct filter_net *nets = &c->f->nets[node->first];
	if (c->b->has_coded >> node->source & 1) {
		run_coded(c, node, mask);
		return;
	}
	if (!(c->b->used >> node->source & 1)) {
		bool hit = filter_in_nets(nets, node->n, &zero);
		for (uint32_t i = 0; i < c->n; i++)
			SET(mask, i, hit);
		return;
	}
	const struct addr *a = (const struct addr *)c->b->columns[node->source] + c->first;
	if (node->n == 1 && is_network(nets)) {
		run_network(nets, a, c->n, mask);
		return;
	}
	for (uint32_t i = 0; i < c->n; i++)
		SET(mask, i, filter_in_nets(nets, node->n, &a[i]));
}

static bool contains(struct record_str s, const char *what, uint32_t len)
{
	for (uint32_t i = 0; i + len <= s.len; i++)
		if (strncasecmp(s.p + i, what, len) == 0)
			return true;
	return false;
}

static void run_text(
	const struct chunk *c,
	const struct filter_node *node,
	const uint64_t *wanted,
	uint64_t *mask
)
{
	const struct filter_text *t = &c->f->texts[node->first];
	for (uint32_t i = 0; i < c->n; i++) {
		if (!(wanted[i / 64] >> i % 64 & 1))
			continue;
		struct record_str s =
			value_text(c->b, (enum record_field)node->source, c->first + i);
		bool hit = false;
		for (uint32_t k = 0; k < node->n && !hit; k++) {
			const char *what = c->f->text + t[k].at;
			hit = node->op == FILTER_CONTAINS
				      ? contains(s, what, t[k].len)
				      : s.len == t[k].len && strncasecmp(s.p, what, s.len) == 0;
		}
		SET(mask, i, hit);
	}
}

static void
run(const struct chunk *c, const struct filter_node *node, const uint64_t *wanted, uint64_t *mask);

// Leaves in `mask` what all children say of the wanted rows.
static void
// NOLINTNEXTLINE(misc-no-recursion): a parsed filter is at most FILTER_DEPTH_MAX deep
run_and(const struct chunk *c,
	const struct filter_node *node,
	const uint64_t *wanted,
	uint64_t *mask)
{
	memcpy(mask, wanted, c->n_words * sizeof(*mask));
	for (uint16_t k = node->child; k != FILTER_NONE && !is_empty(mask, c->n_words);
	     k = c->f->nodes[k].next) {
		uint64_t left[WORDS];
		run(c, &c->f->nodes[k], mask, left);
		memcpy(mask, left, c->n_words * sizeof(*mask));
	}
}

static void
// NOLINTNEXTLINE(misc-no-recursion): a parsed filter is at most FILTER_DEPTH_MAX deep
run_or(const struct chunk *c, const struct filter_node *node, const uint64_t *wanted, uint64_t *mask
)
{
	uint64_t open[WORDS]; // wanted, and not yet found
	memcpy(open, wanted, c->n_words * sizeof(*open));
	for (uint16_t k = node->child; k != FILTER_NONE && !is_empty(open, c->n_words);
	     k = c->f->nodes[k].next) {
		uint64_t found[WORDS];
		run(c, &c->f->nodes[k], open, found);
		for (uint32_t i = 0; i < c->n_words; i++) {
			mask[i] |= found[i];
			open[i] &= ~found[i];
		}
	}
}

// Which of the wanted rows the node takes.
static void
// NOLINTNEXTLINE(misc-no-recursion): a parsed filter is at most FILTER_DEPTH_MAX deep
run(const struct chunk *c, const struct filter_node *node, const uint64_t *wanted, uint64_t *mask)
{
	memset(mask, 0, c->n_words * sizeof(*mask));
	switch ((enum filter_op)node->op) {
	case FILTER_ANY:
		memcpy(mask, wanted, c->n_words * sizeof(*mask));
		break;
	case FILTER_AND:
		run_and(c, node, wanted, mask);
		break;
	case FILTER_OR:
		run_or(c, node, wanted, mask);
		break;
	case FILTER_NUMBER:
	case FILTER_BITS:
	case FILTER_ANY_BITS:
		run_number(c, node, mask);
		break;
	case FILTER_ADDR:
		run_addr(c, node, mask);
		break;
	case FILTER_TEXT:
	case FILTER_CONTAINS:
		run_text(c, node, wanted, mask);
		break;
	}
	for (uint32_t i = 0; i < c->n_words; i++)
		mask[i] = wanted[i] & (node->negate ? ~mask[i] : mask[i]);
}

static bool run_chunk(struct chunk c, uint64_t *ret_mask)
{
	uint64_t wanted[WORDS];
	c.n_words = (c.n + 63) / 64;
	memset(wanted, 0xff, sizeof(wanted));
	if (c.n % 64)
		wanted[c.n / 64] = (1ull << c.n % 64) - 1;
	run(&c, &c.f->nodes[c.f->root], wanted, ret_mask);
	return !is_empty(ret_mask, c.n_words);
}

bool filter_rows(
	const struct filter *f,
	const struct record_batch *b,
	uint32_t first,
	uint32_t n,
	uint64_t ret_mask[static WORDS]
)
{
	return run_chunk((struct chunk){.f = f, .b = b, .first = first, .n = n}, ret_mask);
}

bool filter_block_rows(
	const struct filter_block *k, uint32_t first, uint32_t n, uint64_t ret_mask[static WORDS]
)
{
	return run_chunk(
		(struct chunk){.f = k->f, .b = k->b, .first = first, .n = n, .k = k}, ret_mask
	);
}

uint64_t filter_fields(const struct filter *f)
{
	return f->fields;
}

bool filter_is_any(const struct filter *f)
{
	return f->nodes[f->root].op == FILTER_ANY && !f->nodes[f->root].negate;
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	free(f->ranges);
	free(f->nets);
	free(f->texts);
	free(f);
}
