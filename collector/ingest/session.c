// SPDX-License-Identifier: Apache-2.0
#include "collector/ingest/session.h"

#include "lib/base/clock.h"

#include <errno.h>
#include <stdlib.h>

#define GAP_MAX (1u << 24) // a jump further ahead is another numbering
#define LATE_RUN_MAX 3	   // late messages in a row, each following the other

int session_table_init(struct session_table *t, uint32_t max, uint64_t idle_ns)
{
	uint32_t n = 16;
	while (n < max && n < 1u << 30)
		n *= 2;
	*t = (struct session_table){
		.n_buckets = n,
		.max = max ? max : 1,
		.idle_ns = idle_ns,
		.hash_key = siphash_key_random(),
		.buckets = calloc(n, sizeof(struct session *)),
	};
	return t->buckets ? 0 : -ENOMEM;
}

static struct session_list *list_of(struct session_table *t, const struct session *s)
{
	return s->is_proven ? &t->proven : &t->fresh;
}

static void list_push(struct session_list *l, struct session *s)
{
	s->newer = NULL;
	s->older = l->newest;
	if (l->newest)
		l->newest->newer = s;
	else
		l->oldest = s;
	l->newest = s;
}

static void list_del(struct session_list *l, struct session *s)
{
	if (s->newer)
		s->newer->older = s->older;
	else
		l->newest = s->older;
	if (s->older)
		s->older->newer = s->newer;
	else
		l->oldest = s->newer;
}

static struct session **bucket_of(const struct session_table *t, const struct session_key *key)
{
	return &t->buckets[siphash(&t->hash_key, key, sizeof(*key)) & (t->n_buckets - 1)];
}

void session_del(struct session_table *t, struct session *s)
{
	struct session **at = bucket_of(t, &s->key);
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	list_del(list_of(t, s), s);
	t->n--;
	if (t->on_del)
		t->on_del(t->arg, s);
	ipfix_domain_free(s->domain);
	free(s);
}

void session_table_fini(struct session_table *t)
{
	while (t->proven.oldest)
		session_del(t, t->proven.oldest);
	while (t->fresh.oldest)
		session_del(t, t->fresh.oldest);
	free(t->buckets);
	t->buckets = NULL;
}

struct session *
session_find(struct session_table *t, const struct session_key *key, uint64_t now_ns)
{
	struct session *s = *bucket_of(t, key);
	while (s && memcmp(&s->key, key, sizeof(*key)) != 0)
		s = s->next;
	if (!s)
		return NULL;
	s->last_ns = now_ns;
	if (s->newer) {
		list_del(list_of(t, s), s);
		list_push(list_of(t, s), s);
	}
	return s;
}

static bool make_room(struct session_table *t, uint64_t now_ns)
{
	struct session *oldest = t->proven.oldest;
	if (t->fresh.oldest)
		session_del(t, t->fresh.oldest);
	else if (oldest && now_ns > oldest->last_ns && now_ns - oldest->last_ns > t->idle_ns)
		session_del(t, oldest);
	return t->n < t->max;
}

struct session *session_add(struct session_table *t, const struct session_key *key, uint64_t now_ns)
{
	if (t->n >= t->max && !make_room(t, now_ns))
		return NULL;
	struct session *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	struct session **bucket = bucket_of(t, key);
	s->key = *key;
	s->last_ns = now_ns;
	s->next = *bucket;
	*bucket = s;
	list_push(&t->fresh, s);
	t->n++;
	return s;
}

void session_prove(struct session_table *t, struct session *s)
{
	if (s->is_proven)
		return;
	list_del(&t->fresh, s);
	s->is_proven = true;
	list_push(&t->proven, s);
}

static void del_source(struct session_table *t, struct session_list *l, uint64_t source)
{
	for (struct session *s = l->oldest, *newer; s; s = newer) {
		newer = s->newer;
		if (s->key.source == source)
			session_del(t, s);
	}
}

void session_del_source(struct session_table *t, uint64_t source)
{
	del_source(t, &t->proven, source);
	del_source(t, &t->fresh, source);
}

void session_each(struct session_table *t, void (*f)(void *arg, struct session *s), void *arg)
{
	for (struct session *s = t->proven.newest; s; s = s->older)
		f(arg, s);
	for (struct session *s = t->fresh.newest; s; s = s->older)
		f(arg, s);
}

// A message that moves no numbers shares its own with the next one: it is not remembered.
static void remember(struct sequence *q, uint32_t number, uint32_t count)
{
	if (count)
		q->seen[q->n_seen++ % SEQUENCE_SEEN] = number;
}

static bool is_seen(const struct sequence *q, uint32_t number)
{
	uint32_t n = q->n_seen < SEQUENCE_SEEN ? q->n_seen : SEQUENCE_SEEN;
	while (n && q->seen[n - 1] != number)
		n--;
	return n > 0;
}

static enum sequence_event sequence_restart(struct sequence *q, uint32_t number, uint32_t count)
{
	q->expected = number + count;
	q->late_run = 0;
	q->n_seen = 0;
	remember(q, number, count);
	return SEQUENCE_RESET;
}

// Older than expected: swapped or doubled on the way, or a numbering begun anew just behind. The
// latter shows when such messages follow each other.
static enum sequence_event sequence_late(struct sequence *q, uint32_t number, uint32_t count)
{
	q->late_run = q->late_run && number == q->late_next ? q->late_run + 1 : 1;
	q->late_next = number + count;
	if (q->late_run >= LATE_RUN_MAX && count)
		return sequence_restart(q, number, count);
	if (count && is_seen(q, number))
		return SEQUENCE_DUPLICATE;
	remember(q, number, count);
	q->gap -= count < q->gap ? count : q->gap;
	return SEQUENCE_LATE;
}

enum sequence_event sequence_take(
	struct sequence *q, uint32_t number, uint32_t count, uint32_t reorder, uint64_t now_ns
)
{
	int32_t ahead = (int32_t)(number - q->expected); // mod 2^32, as all of it

	if (!q->is_known) {
		(void)sequence_restart(q, number, count);
		q->is_known = true;
		return SEQUENCE_OK;
	}
	if (ahead < 0) {
		if (-(int64_t)ahead > reorder)
			return sequence_restart(q, number, count);
		return sequence_late(q, number, count);
	}
	if (ahead > (int32_t)GAP_MAX)
		return sequence_restart(q, number, count);
	q->expected = number + count;
	q->late_run = 0;
	remember(q, number, count);
	if (ahead == 0)
		return SEQUENCE_OK;
	if (!q->gap)
		q->gap_ns = now_ns;
	q->gap += (uint32_t)ahead;
	return SEQUENCE_GAP;
}

void sequence_forget(struct sequence *q)
{
	q->is_known = false;
	q->late_run = 0;
}

uint64_t sequence_lost(struct sequence *q, uint64_t now_ns)
{
	uint64_t lost = q->gap;
	if (!lost || (now_ns != UINT64_MAX && now_ns < q->gap_ns + NS_PER_SEC))
		return 0;
	q->gap = 0;
	return lost;
}
