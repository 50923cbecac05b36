// SPDX-License-Identifier: Apache-2.0
#include "collector/hunt/name_join.h"

#include <errno.h>
#include <stdlib.h>

#define SEEK_NAMES 32 // with more, all parts are read

static int cmp_sought(const void *left, const void *right, void *text)
{
	const struct sought_name *l = left, *r = right;
	return name_cmp((char *)text + l->off, l->len, (char *)text + r->off, r->len);
}

// The entry of an id when it is a name, else one whose indicator is NULL.
static struct intel_entry name_of(const struct intel_db *db, uint64_t id)
{
	struct intel_entry none = {};
	size_t at = intel_db_find(db, id);
	if (at == intel_db_stats(db)->entries)
		return none;
	struct intel_entry e = intel_db_entry(db, at);
	return e.indicator->type == INDICATOR_NAME ? e : none;
}

static size_t len_of(const struct intel_entry *e)
{
	return strlen(intel_list_str(e->list, e->indicator->name));
}

int name_quarry_init(struct name_quarry *q, const struct intel_db *db, const struct ids *ids)
{
	size_t n = 0, text_len = 0;
	*q = (struct name_quarry){};
	for (size_t i = 0; i < ids->n; i++) {
		struct intel_entry e = name_of(db, ids->v[i]);
		n += e.indicator != NULL;
		text_len += e.indicator ? len_of(&e) + 1 : 0;
	}
	if (n == 0)
		return 0;
	q->items = calloc(n, sizeof(*q->items));
	q->text = malloc(text_len);
	if (!q->items || !q->text)
		return -ENOMEM; // the owner ends it
	text_len = 0;
	for (size_t i = 0; i < ids->n; i++) {
		struct intel_entry e = name_of(db, ids->v[i]);
		if (!e.indicator)
			continue;
		size_t len = len_of(&e);
		name_reverse(intel_list_str(e.list, e.indicator->name), len, q->text + text_len);
		q->text[text_len + len] = '.';
		q->items[q->n++] =
			(struct sought_name){text_len, (uint8_t)len, e.indicator->is_exact};
		text_len += len + 1;
	}
	qsort_r(q->items, q->n, sizeof(*q->items), cmp_sought, q->text);
	return 0;
}

void name_quarry_fini(struct name_quarry *q)
{
	free(q->items);
	free(q->text);
	*q = (struct name_quarry){};
}

// Whether a name of the part, from *at on, is the sought one or below it; *at is moved to where the
// search for the next sought one may begin.
static bool
part_has(const struct table_names *t, uint32_t *at, const char *text, const struct sought_name *x)
{
	uint32_t i = *at = name_table_find(t, *at, text, x->len);
	if (i < t->n && t->len[i] == x->len && memcmp(t->text + t->off[i], text, x->len) == 0)
		return true;
	if (x->is_exact)
		return false;
	// Between a name and those below it stand others: "moc.a", "moc.a-b", "moc.a.www".
	i = name_table_find(t, i, text, x->len + 1u);
	return i < t->n && t->len[i] > x->len &&
	       memcmp(t->text + t->off[i], text, x->len + 1u) == 0;
}

// Whether later parts may have the sought one or names below it: this one does not go beyond them.
static bool is_later(const struct table_names *t, const char *text, const struct sought_name *x)
{
	if (t->n == 0)
		return true;
	const char *last = t->text + t->off[t->n - 1];
	size_t len = t->len[t->n - 1];
	return memcmp(last, text, len < x->len + 1u ? len : x->len + 1u) <= 0;
}

int name_quarry_join(
	const struct name_quarry *q,
	struct name_walk *w,
	struct store_view *v,
	uint16_t entity,
	uint32_t hour
)
{
	size_t k = 0, sought = 0;
	int ret = name_walk_open(w, v, entity, hour);
	if (ret <= 0)
		return ret < 0 ? ret : -ENOENT;
	ret = name_walk_seek(w, q->text + q->items[0].off, q->items[0].len);
	while (ret > 0) {
		uint32_t at = 0;
		for (; k < q->n; k++) {
			const struct sought_name *x = &q->items[k];
			const char *text = q->text + x->off;
			if (part_has(&w->part, &at, text, x))
				return 1;
			if (is_later(&w->part, text, x))
				break;
		}
		if (k == q->n)
			return 0;
		if (q->n > SEEK_NAMES || k == sought) {
			ret = name_walk_next(w);
			continue;
		}
		sought = k;
		ret = name_walk_seek(w, q->text + q->items[k].off, q->items[k].len);
	}
	return ret;
}
