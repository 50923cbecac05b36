// SPDX-License-Identifier: Apache-2.0
#include "api/query/newest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ORDER(x, y)                                                                                \
	do {                                                                                       \
		if ((x) != (y))                                                                    \
			return (x) < (y) ? -1 : 1;                                                 \
	} while (0)

// Below 0: a comes before b in the answer. Goes on until every member that an answer shows has been
// looked at.
static int compare(const void *va, const void *vb)
{
	const struct record *a = va, *b = vb;
	ORDER(b->start_ns, a->start_ns);
	ORDER(b->end_ns, a->end_ns);
	int c = addr_cmp(&a->src, &b->src);
	if (c == 0)
		c = addr_cmp(&a->dst, &b->dst);
	if (c != 0)
		return c;
	ORDER(a->proto, b->proto);
	ORDER(a->sport, b->sport);
	ORDER(a->dport, b->dport);
	ORDER(b->bytes, a->bytes);
	ORDER(b->packets, a->packets);
	ORDER(b->rev_bytes, a->rev_bytes);
	ORDER(b->rev_packets, a->rev_packets);
	ORDER(a->tcp_flags, b->tcp_flags);
	ORDER(a->rev_tcp_flags, b->rev_tcp_flags);
	ORDER(a->icmp_type, b->icmp_type);
	ORDER(a->icmp_code, b->icmp_code);
	ORDER(a->verdict, b->verdict);
	return 0;
}

static void swap(struct newest *t, size_t i, size_t k)
{
	struct record r = t->heap[i];
	t->heap[i] = t->heap[k];
	t->heap[k] = r;
}

static void sift_up(struct newest *t, size_t i)
{
	while (i > 0 && compare(&t->heap[i], &t->heap[(i - 1) / 2]) > 0) {
		swap(t, i, (i - 1) / 2);
		i = (i - 1) / 2;
	}
}

static void sift_down(struct newest *t)
{
	for (size_t i = 0;;) {
		size_t last = i;
		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < t->n; child++)
			if (compare(&t->heap[child], &t->heap[last]) > 0)
				last = child;
		if (last == i)
			return;
		swap(t, i, last);
		i = last;
	}
}

int newest_init(struct newest *t, size_t cap)
{
	*t = (struct newest){.cap = cap};
	t->heap = calloc(cap, sizeof(*t->heap));
	return t->heap ? 0 : -ENOMEM;
}

void newest_fini(struct newest *t)
{
	free(t->heap);
	*t = (struct newest){};
}

void newest_push(struct newest *t, const struct record *r)
{
	if (!newest_full(t)) {
		t->heap[t->n] = *r;
		sift_up(t, t->n++);
	} else if (compare(r, &t->heap[0]) < 0) {
		t->heap[0] = *r;
		sift_down(t);
	}
}

void newest_sort(struct newest *t)
{
	qsort(t->heap, t->n, sizeof(*t->heap), compare);
}
