// SPDX-License-Identifier: Apache-2.0
#include "api/query/group_table.h"

#include <stdlib.h>

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

size_t group_table_largest(struct group_table *t, enum group_metric by, size_t max)
{
	int m = (int)by;
	size_t n = t->n < max ? t->n : max;
	for (size_t i = n / 2; i-- > 0;)
		sift_down(t->rows, n, i, m);
	for (size_t i = n; n && i < t->n; i++) {
		if (cmp_metric(&t->rows[i], &t->rows[0], &m) >= 0)
			continue;
		swap(t->rows, 0, i);
		sift_down(t->rows, n, 0, m);
	}
	if (n)
		qsort_r(t->rows, n, sizeof(*t->rows), cmp_metric, &m);
	return n;
}

void group_table_sort(struct group_table *t)
{
	int m = -1;
	if (t->n)
		qsort_r(t->rows, t->n, sizeof(*t->rows), cmp_metric, &m);
}
