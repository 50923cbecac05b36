// SPDX-License-Identifier: Apache-2.0

// GET /api/v1/live: server-sent events (WHATWG HTML §9.2) of what arrives.
// Thread: live_get worker; looking live.

#include "api/http/live.h"

#include "api/http/live_sub.h"
#include "api/http/native.h"
#include "collector/store/hit.h"
#include "collector/store/tail.h"
#include "lib/base/log.h"
#include "lib/intel/indicator.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_NS NS_PER_SEC
#define HEARTBEAT_NS (10 * NS_PER_SEC)
#define PULSES_MAX 64

struct live {
	struct app *app;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work;
	bool stopping;
	struct live_sub *fresh; // not yet seen by the thread
	struct live_sub *subs;	// the thread's, but adding and removing is done with the lock
	struct live_counts counts;
	struct live_pulse pulses[PULSES_MAX]; // the thread's
};

static bool is_due(struct store_view *v, const struct live_sub *s, const char **ret_why)
{
	struct store_user u;
	*ret_why = "token expired";
	if ((uint64_t)s->claims.expires_sec * NS_PER_SEC <= clock_now_ns())
		return false;
	*ret_why = "credentials changed";
	return store_view_user(v, s->claims.api_id, &u) == 0 &&
	       u.generation == s->claims.generation && strcmp(u.entity, s->claims.entity) == 0 &&
	       strcmp(u.role, s->claims.role) == 0;
}

// The entity's pulse, up to date; NULL: it holds nothing yet, or cannot be read now.
static struct live_pulse *pulse_of(struct live *l, struct store_view *v, const char *name)
{
	struct live_pulse *p = NULL;
	int entity = store_view_entity(v, name);
	for (int i = 0; entity >= 0 && i < PULSES_MAX; i++) {
		struct live_pulse *q = &l->pulses[i];
		if (q->is_used && q->entity == entity) {
			p = q;
			break;
		}
		if (!q->is_used && !p)
			p = q;
	}
	if (!p)
		return NULL;
	p->entity = (uint16_t)entity;
	if (!p->is_fresh && live_pulse_take(p, v, clock_mono_ns()) < 0)
		return NULL;
	return p;
}

// False: the stream is over.
static bool tell(struct live *l, struct store_view *v, struct live_sub *s)
{
	const char *why;
	char *text = NULL;
	size_t len = 0;
	uint64_t now = clock_mono_ns();
	if (stream_is_closed(s->stream))
		return false;
	FILE *out = open_memstream(&text, &len);
	if (!out)
		return true; // at the next look
	bool due = is_due(v, s, &why);
	if (!due)
		fprintf(out, "event: end\ndata: {\"reason\":\"%s\"}\n\n", why);
	else if (live_sub_tell(s, v, pulse_of(l, v, s->entity), out) < 0)
		fputs(": stored data cannot be read now\n\n", out);
	if (ftell(out) == 0 && now - s->said_ns >= HEARTBEAT_NS)
		fputs(":\n\n", out);
	bool ok = fclose(out) == 0;
	int ret = ok && len ? stream_push(s->stream, text, len) : 0;
	if (len)
		s->said_ns = now;
	free(text);
	if (ret == -ENOBUFS) {
		pthread_mutex_lock(&l->lock);
		l->counts.cut++;
		pthread_mutex_unlock(&l->lock);
	}
	if (ret < 0 || !due)
		stream_end(s->stream, ret == 0);
	return ret == 0 && due;
}

static void look(struct live *l)
{
	char error[STORE_READ_ERROR_LEN];
	struct store_view *v;
	if (source_view(l->app->source, &v, error) < 0)
		return; // what is missing now is there at a later look
	for (int i = 0; i < PULSES_MAX; i++)
		l->pulses[i].is_fresh = false;
	for (struct live_sub **at = &l->subs; *at;) {
		struct live_sub *s = *at;
		if (tell(l, v, s)) {
			at = &s->next;
			continue;
		}
		pthread_mutex_lock(&l->lock);
		*at = s->next;
		l->counts.open--;
		pthread_mutex_unlock(&l->lock);
		live_sub_free(s);
	}
	for (int i = 0; i < PULSES_MAX; i++) // nobody asked for it
		l->pulses[i].is_used &= l->pulses[i].is_fresh;
	source_release(l->app->source, v);
}

// Takes the fresh ones over and waits for the time to look. False: it is time to end.
static bool wait_for_look(struct live *l, uint64_t at_ns)
{
	struct timespec until = {(time_t)(at_ns / NS_PER_SEC), (long)(at_ns % NS_PER_SEC)};
	pthread_mutex_lock(&l->lock);
	while (!l->stopping && clock_mono_ns() < at_ns)
		pthread_cond_timedwait(&l->work, &l->lock, &until);
	while (!l->stopping && !l->fresh && !l->subs)
		pthread_cond_wait(&l->work, &l->lock);
	while (l->fresh) {
		struct live_sub *s = l->fresh;
		l->fresh = s->next;
		s->next = l->subs;
		l->subs = s;
	}
	bool goes_on = !l->stopping;
	pthread_mutex_unlock(&l->lock);
	return goes_on;
}

static void end_all(struct live_sub *list)
{
	for (struct live_sub *s = list, *next; s; s = next) {
		next = s->next;
		stream_end(s->stream, true);
		live_sub_free(s);
	}
}

static void *live_main(void *arg)
{
	struct live *l = arg;
	uint64_t at = clock_mono_ns();
	while (wait_for_look(l, at)) {
		at = clock_mono_ns() + LOOK_NS;
		look(l);
	}
	pthread_mutex_lock(&l->lock); // nothing is added any more, but the lists are looked at
	struct live_sub *subs = l->subs, *fresh = l->fresh;
	l->subs = l->fresh = NULL;
	l->counts.open = 0;
	pthread_mutex_unlock(&l->lock);
	end_all(subs);
	end_all(fresh);
	return NULL;
}

int live_start(struct app *app, struct live **ret_live)
{
	struct live *l = calloc(1, sizeof(*l));
	pthread_condattr_t attr;
	if (!l)
		return -ENOMEM;
	l->app = app;
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->work, &attr);
	pthread_condattr_destroy(&attr);
	int ret = -pthread_create(&l->thread, NULL, live_main, l);
	if (ret < 0) {
		free(l);
		return ret;
	}
	*ret_live = l;
	return 0;
}

void live_stop(struct live *l)
{
	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	l->stopping = true;
	pthread_cond_signal(&l->work);
	pthread_mutex_unlock(&l->lock);
	pthread_join(l->thread, NULL);
}

void live_free(struct live *l)
{
	if (!l)
		return;
	pthread_cond_destroy(&l->work);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

struct live_counts live_counts(struct live *l)
{
	struct live_counts counts = {};
	if (!l)
		return counts;
	pthread_mutex_lock(&l->lock);
	counts = l->counts;
	pthread_mutex_unlock(&l->lock);
	return counts;
}

// --- the route ----------------------------------------------------------------------------------

// How many of a list are the user's.
static unsigned n_of(const struct live_sub *s, const char *api_id)
{
	unsigned n = 0;
	for (; s; s = s->next)
		n += strcmp(s->claims.api_id, api_id) == 0;
	return n;
}

// 0 and the stream is the thread's, or -EDQUOT (of the user) or -EAGAIN (of all).
static int hand_over(struct live *l, struct live_sub *s)
{
	int ret = 0;
	if (!l)
		return -EAGAIN;
	uint64_t max = (uint64_t)l->app->config->max_streams;
	pthread_mutex_lock(&l->lock);
	unsigned n = n_of(l->subs, s->claims.api_id) + n_of(l->fresh, s->claims.api_id);
	if (l->counts.open >= max || l->stopping)
		ret = -EAGAIN;
	else if (n >= (max + 1) / 2)
		ret = -EDQUOT;
	if (ret < 0) {
		l->counts.refused++;
	} else {
		l->counts.open++;
		l->counts.opened++;
		s->next = l->fresh;
		l->fresh = s;
		pthread_cond_signal(&l->work);
	}
	pthread_mutex_unlock(&l->lock);
	return ret;
}

static int parse_events(struct call *c, struct live_sub *s)
{
	static const char *const names[] = {"kpi", "hits", "flows"};
	const char *text = query_find(&c->query, "events");
	s->events = LIVE_KPI | LIVE_HITS | (query_find(&c->query, "filter") ? LIVE_FLOWS : 0);
	if (!text)
		return 0;
	s->events = 0;
	for (size_t n; *text; text += n + (text[n] == ',')) {
		unsigned event = 0;
		n = strcspn(text, ",");
		for (unsigned i = 0; i < 3; i++)
			if (strlen(names[i]) == n && memcmp(names[i], text, n) == 0)
				event = 1u << i;
		if (!event)
			break;
		s->events |= event;
	}
	if (!*text && s->events)
		return 0;
	response_error(c->response, 400, "parameter 'events': expected some of kpi,hits,flows");
	return -EINVAL;
}

static bool take_hex(const char **text, char end, uint64_t *ret)
{
	size_t n = strspn(*text, "0123456789abcdef");
	if (n < 1 || n > 16 || (*text)[n] != end)
		return false;
	*ret = strtoull(*text, NULL, 16);
	*text += n + (end != '\0');
	return true;
}

// A place is "HEX-HEX": of the flows and of the hits. Numbers that have not been given yet are
// another store's: then it goes on with what comes now.
static int parse_place(struct call *c, struct live_sub *s)
{
	const char *text = c->request->last_event_id;
	uint64_t flow_at, hit_at;
	if (!text || !*text)
		return 0;
	if (!take_hex(&text, '-', &flow_at) || !take_hex(&text, '\0', &hit_at)) {
		response_error(c->response, 400, "Last-Event-ID: not one of ours");
		return -EINVAL;
	}
	if (flow_at < s->flow_at)
		s->flow_at = flow_at;
	if (hit_at < s->hit_at)
		s->hit_at = hit_at;
	return 0;
}

// From now on, or from where the stream before ended.
static int find_place(struct call *c, struct live_sub *s, int entity)
{
	int ret = 0;
	if (entity >= 0)
		ret = store_view_arrived(c->view, (uint16_t)entity, &s->flow_at);
	if (ret == 0)
		ret = store_view_hits_last(c->view, &s->hit_at);
	if (ret < 0) {
		call_failed(c, ret);
		return ret;
	}
	return parse_place(c, s);
}

static int parse(struct call *c, struct live_sub *s)
{
	const char *name = query_find(&c->query, "entity");
	uint64_t score = 0;
	int entity = call_entity(c);
	if (entity == -EPERM)
		return -EPERM;
	snprintf(s->entity, sizeof(s->entity), "%s", name && *name ? name : c->claims.entity);
	s->claims = c->claims;
	s->said_ns = clock_mono_ns();
	if (parse_events(c, s) < 0 || native_fields(c, &s->columns) < 0 ||
	    native_number(c, "min_score", 0, INDICATOR_SCORE_MAX, &score) < 0 ||
	    native_filter(c, &s->filter) < 0)
		return -EINVAL;
	s->min_score = (uint16_t)score;
	return find_place(c, s, entity);
}

static void refuse(struct call *c, int why)
{
	response_error(
		c->response,
		why == -EDQUOT ? 429 : 503,
		why == -EDQUOT ? "too many live streams of this user" : "too many live streams"
	);
	c->response->retry_after_sec = 10;
}

void live_get(struct call *c)
{
	static const char hello[] = "retry: 3000\n\n";
	struct live_sub *s = calloc(1, sizeof(*s));
	struct stream *stream = s ? stream_create() : NULL;
	if (!stream) {
		free(s);
		call_failed(c, -ENOMEM);
		return;
	}
	s->stream = stream; // the writer's end
	int ret = parse(c, s);
	if (ret == 0 && stream_push(stream, hello, sizeof(hello) - 1) < 0) {
		call_failed(c, -ENOMEM);
		ret = -ENOMEM;
	}
	if (ret == 0 && (ret = hand_over(c->app->live, s)) < 0)
		refuse(c, ret);
	if (ret < 0) {
		live_sub_free(s);
		stream_release(stream); // the reader's end
		return;
	}
	c->response->status = 200;
	c->response->content_type = "text/event-stream";
	c->response->stream = stream;
	c->response->is_live = true;
}
