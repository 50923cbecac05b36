// SPDX-License-Identifier: Apache-2.0
#include "collector/hunt/hunter.h"

#include "collector/hunt/by_hand.h"
#include "collector/hunt/journey.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define QUEUE_MAX 16 // hunts that wait
#define DRAIN_STEP_NS (2 * NS_PER_MSEC)

struct hunter {
	struct hunter_options options;
	char *path;  // of what has been hunted for
	char *hands; // folder of what is hunted for by hand
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct hunt *queue[QUEUE_MAX + 1]; // and one that a restart interrupted
	unsigned n_queue;
	struct intel_db *changed; // the newest that was not hunted with yet
	struct intel_db *before;  // the one it replaced: batches may still hold it
	uint64_t next_id;
	uint64_t running; // id; 0: none
	_Atomic bool cancel;
	bool stop;
	struct ids known;	 // hunter's own: what has been hunted for
	struct intel_db *in_use; // hunter's own
};

static uint64_t take_id(struct hunter *h)
{
	pthread_mutex_lock(&h->lock);
	uint64_t id = h->next_id++;
	pthread_mutex_unlock(&h->lock);
	return id;
}

// Records that were matched by the indicators of before are on their way still; once they are
// committed the hunt sees them. Each batch holds its database until then.
static void wait_for_batches(struct hunter *h, struct intel_db *before)
{
	struct timespec step = {.tv_nsec = DRAIN_STEP_NS};
	while (before && intel_db_owners(before) > 1 && !atomic_load(&h->cancel))
		nanosleep(&step, NULL);
	intel_db_put(before);
}

static void end(struct hunter *h, struct hunt *x, enum hunt_state state)
{
	x->state = state;
	x->ended_ns = clock_now_ns();
	hunt_doc_put(h->options.store, x);
	if (x->is_manual)
		by_hand_forget(h->hands, x->id);
}

static void run(struct hunter *h, struct hunt *x)
{
	pthread_mutex_lock(&h->lock);
	h->running = x->id;
	atomic_store(&h->cancel, h->stop);
	pthread_mutex_unlock(&h->lock);
	x->state = HUNT_RUNNING;
	x->started_ns = x->started_ns ? x->started_ns : clock_now_ns();
	hunt_doc_put(h->options.store, x);
	int ret = journey_run(h->options.store, h->options.thread, x, &h->cancel);
	pthread_mutex_lock(&h->lock);
	h->running = 0;
	bool stopping = h->stop;
	atomic_store(&h->cancel, stopping); // was of this hunt
	pthread_mutex_unlock(&h->lock);
	if (ret == -ECANCELED && stopping) {
		hunt_doc_put(h->options.store, x); // goes on at the next start
		return;
	}
	if (ret < 0 && ret != -ECANCELED && !x->error[0])
		snprintf(x->error, sizeof(x->error), "%s", strerror(-ret));
	end(h, x, ret == 0 ? HUNT_DONE : ret == -ECANCELED ? HUNT_CANCELLED : HUNT_FAILED);
}

// Hunts for what the changed database has and was not hunted for yet.
static void hunt_changes(struct hunter *h, struct intel_db *db, struct intel_db *before)
{
	struct ids now = {};
	struct hunt *x = calloc(1, sizeof(*x));
	int ret = x ? ids_of(db, &now) : -ENOMEM;
	if (ret == 0)
		ret = ids_new(&now, &h->known, &x->ids);
	wait_for_batches(h, before);
	if (ret == 0 && x->ids.n) {
		x->id = take_id(h);
		x->db = intel_db_get(db);
		x->asked_ns = clock_now_ns();
		x->ids_hash = ids_hash(&x->ids);
		snprintf(x->what, sizeof(x->what), "feeds");
		hunt_doc_resume(h->options.store, x);
		run(h, x);
	}
	if (ret == 0 && (x->ids.n == 0 || x->state == HUNT_DONE || x->state == HUNT_CANCELLED)) {
		ids_free(&h->known);
		h->known = now;
		now = (struct ids){};
		(void)!ids_save(h->path, &h->known);
	}
	ids_free(&now);
	hunt_free(x);
	intel_db_put(db);
}

static void *hunter_main(void *arg)
{
	struct hunter *h = arg;
	for (;;) {
		struct hunt *x = NULL;
		pthread_mutex_lock(&h->lock);
		while (!h->stop && !h->changed && h->n_queue == 0)
			pthread_cond_wait(&h->wake, &h->lock);
		bool stop = h->stop;
		struct intel_db *db = h->changed, *before = h->before;
		h->changed = h->before = NULL;
		if (!stop && !db) {
			x = h->queue[0];
			memmove(h->queue, h->queue + 1, --h->n_queue * sizeof(struct hunt *));
		}
		pthread_mutex_unlock(&h->lock);
		if (stop) {
			intel_db_put(db);
			intel_db_put(before);
			return NULL;
		}
		if (db)
			hunt_changes(h, db, before);
		else
			run(h, x);
		hunt_free(x);
		hunt_doc_forget(h->options.store);
	}
}

static void hunter_free(struct hunter *h)
{
	for (unsigned i = 0; i < h->n_queue; i++)
		hunt_free(h->queue[i]);
	intel_db_put(h->in_use);
	ids_free(&h->known);
	pthread_mutex_destroy(&h->lock);
	pthread_cond_destroy(&h->wake);
	free(h->path);
	free(h->hands);
	free(h);
}

static int make_dir(const char *path)
{
	return mkdir(path, 0750) < 0 && errno != EEXIST ? -errno : 0;
}

static int set_paths(struct hunter *h)
{
	if (asprintf(&h->path, "%s/hunted", h->options.dir) < 0) {
		h->path = NULL;
		return -ENOMEM;
	}
	if (asprintf(&h->hands, "%s/hunts", h->options.dir) < 0) {
		h->hands = NULL;
		return -ENOMEM;
	}
	int ret = make_dir(h->options.dir);
	return ret == 0 ? make_dir(h->hands) : ret;
}

// A hunt by hand that a restart interrupted waits once more, where it was.
static bool take_up(void *ctx, struct hunt *x)
{
	struct hunter *h = ctx;
	int ret = h->n_queue < sizeof(h->queue) / sizeof(h->queue[0]) ? 0 : -ENOSPC;
	if (ret == 0)
		ret = by_hand_load(h->hands, x->id, h->options.n_matchers, &x->db);
	if (ret == 0)
		ret = ids_of(x->db, &x->ids);
	if (ret < 0) {
		by_hand_forget(h->hands, x->id);
		hunt_free(x);
		return false;
	}
	x->ids_hash = ids_hash(&x->ids);
	h->queue[h->n_queue++] = x;
	return true;
}

int hunter_start(const struct hunter_options *options, struct hunter **ret_hunter)
{
	struct hunter *h = calloc(1, sizeof(*h));
	if (!h)
		return -ENOMEM;
	h->options = *options;
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->wake, NULL);
	int ret = set_paths(h);
	if (ret == 0)
		ret = ids_load(h->path, &h->known);
	if (ret == 0)
		ret = hunt_doc_open(options->store, take_up, h, &h->next_id);
	if (ret == 0)
		ret = -pthread_create(&h->thread, NULL, hunter_main, h);
	if (ret < 0) {
		hunter_free(h);
		return ret;
	}
	*ret_hunter = h;
	return 0;
}

void hunter_stop(struct hunter *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	h->stop = true;
	atomic_store(&h->cancel, true);
	pthread_cond_signal(&h->wake);
	pthread_mutex_unlock(&h->lock);
	pthread_join(h->thread, NULL);
	hunter_free(h);
}

void hunter_changed(struct hunter *h, struct intel_db *db)
{
	pthread_mutex_lock(&h->lock);
	intel_db_put(h->changed);
	h->changed = intel_db_get(db);
	// Of several changes the first one's predecessor is what batches may still hold, then the
	// next: each is waited for by holding on to the latest alone, as ingest takes a database
	// for a batch, which is a quarter of a second.
	intel_db_put(h->before);
	h->before = h->in_use;
	h->in_use = intel_db_get(db);
	pthread_cond_signal(&h->wake);
	pthread_mutex_unlock(&h->lock);
}

json_t *hunter_list(struct hunter *h, char error[static 256])
{
	int ret;
	json_t *list = hunt_doc_list(h->options.store, &ret);
	if (!list)
		snprintf(error, 256, "hunts: %s", strerror(-ret));
	return list;
}

// Puts a hunt into the queue, whose it is then. False: there is no room.
static bool push(struct hunter *h, struct hunt *x)
{
	pthread_mutex_lock(&h->lock);
	bool room = h->n_queue < QUEUE_MAX && !h->stop;
	if (room) {
		h->queue[h->n_queue++] = x;
		pthread_cond_signal(&h->wake);
	}
	pthread_mutex_unlock(&h->lock);
	return room;
}

json_t *hunter_hunt(
	struct hunter *h,
	const char *content,
	const char *what,
	uint64_t since_ns,
	char error[static 256]
)
{
	struct hunt *x = calloc(1, sizeof(*x));
	size_t len = strlen(content);
	snprintf(error, 256, "%s", strerror(ENOMEM));
	int ret = x ? by_hand_parse(content, len, h->options.n_matchers, &x->db, error) : -ENOMEM;
	if (ret == 0)
		ret = ids_of(x->db, &x->ids);
	if (ret < 0) {
		hunt_free(x);
		return NULL;
	}
	x->is_manual = true;
	x->since_ns = since_ns;
	x->asked_ns = clock_now_ns();
	x->ids_hash = ids_hash(&x->ids);
	x->id = take_id(h);
	snprintf(x->what, sizeof(x->what), "%s", what);
	// What cannot be kept is hunted for all the same; a restart would end it.
	(void)!by_hand_keep(h->hands, x->id, content, len);
	hunt_doc_put(h->options.store, x);
	json_t *answer =
		json_pack("{s:I,s:I}", "id", (json_int_t)x->id, "indicators", (json_int_t)x->ids.n);
	if (push(h, x))
		return answer;
	end(h, x, HUNT_CANCELLED);
	hunt_free(x);
	json_decref(answer);
	snprintf(error, 256, "hunt: %d hunts are waiting already", QUEUE_MAX);
	return NULL;
}

json_t *hunter_cancel(struct hunter *h, const char *id_text, char error[static 256])
{
	uint64_t id = strtoull(id_text, NULL, 10);
	struct hunt *x = NULL;
	bool found;
	pthread_mutex_lock(&h->lock);
	found = h->running == id && id;
	if (found)
		atomic_store(&h->cancel, true);
	for (unsigned i = 0; i < h->n_queue && !found; i++) {
		if (h->queue[i]->id != id)
			continue;
		x = h->queue[i];
		memmove(h->queue + i, h->queue + i + 1, (--h->n_queue - i) * sizeof(struct hunt *));
		found = true;
	}
	pthread_mutex_unlock(&h->lock);
	if (x)
		end(h, x, HUNT_CANCELLED);
	hunt_free(x);
	if (found)
		return json_pack("{s:I}", "cancelled", (json_int_t)id);
	snprintf(error, 256, "hunt %.30s: neither running nor waiting", id_text);
	return NULL;
}
