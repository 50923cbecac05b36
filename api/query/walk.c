// SPDX-License-Identifier: Apache-2.0
#include "api/query/walk.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define WORDS (FILTER_CHUNK / 64)
#define HELPERS_MAX 15
#define ALONE_BLOCKS 2

// Takes the rows outside of the window from the mask.
static void keep_window(
	const struct window *w,
	const struct record_batch *b,
	uint32_t first,
	uint32_t n,
	uint64_t *mask
)
{
	const uint64_t *start = RECORD_COLUMN(b, start_ns);
	uint64_t span = w->to_ns - w->from_ns;
	for (uint32_t i = 0; i < n; i++) {
		bool in = (start ? start[first + i] : 0) - w->from_ns <= span;
		mask[i / 64] &= ~((uint64_t)!in << i % 64);
	}
}

// The places of the mask's bits.
static uint32_t list_rows(const uint64_t *mask, uint32_t first, uint32_t n, uint32_t *ret_rows)
{
	uint32_t found = 0;
	for (uint32_t w = 0; w < (n + 63) / 64; w++)
		for (uint64_t left = mask[w]; left; left &= left - 1)
			ret_rows[found++] = first + w * 64 + (uint32_t)__builtin_ctzll(left);
	return found;
}

// What threads of one walk have in common.
struct job {
	const struct walk *w;
	struct store_scan_spec spec;
	_Atomic uint64_t dealt;
	_Atomic int failed; // the first one's -errno; 0
};

// One thread's.
struct worker {
	struct job *job;
	struct store_view *view;
	struct store_scan *scan;
	struct filter_block *filter; // NULL: any
	void *ctx;
	struct walk_counts counts;
	bool loaded; // the columns that `rows` wants, of this block
	pthread_t thread;
	int ret;
};

static void
pass(const struct worker *k,
     const struct record_batch *b,
     uint32_t first,
     uint32_t n,
     uint64_t mask[static WORDS])
{
	if (k->filter) {
		filter_block_rows(k->filter, first, n, mask);
	} else {
		memset(mask, 0xff, WORDS * sizeof(*mask));
		if (n % 64)
			mask[n / 64] = (1ull << n % 64) - 1;
	}
	if (!store_scan_is_whole(k->scan))
		keep_window(k->job->w->run.window, b, first, n, mask);
}

static uint64_t wanted(const struct walk *w)
{
	return w->fields | (w->no_starts ? 0 : RECORD_BIT(start_ns));
}

static int load(struct worker *k, struct record_batch *b)
{
	const struct walk *w = k->job->w;
	if (k->loaded)
		return 0;
	k->loaded = true;
	int ret = store_scan_add(k->scan, wanted(w));
	for (uint64_t left = b->has_coded & w->fields & ~w->coded & ~b->used; ret == 0 && left;
	     left &= left - 1)
		ret = record_batch_expand(b, (enum record_field)__builtin_ctzll(left));
	return ret;
}

static int walk_chunks(struct worker *k, struct record_batch *b)
{
	const struct walk *w = k->job->w;
	uint64_t mask[WORDS];
	uint32_t rows[FILTER_CHUNK];
	uint32_t n_chunks = (b->n_rows + FILTER_CHUNK - 1) / FILTER_CHUNK;
	for (uint32_t i = 0; i < n_chunks; i++) {
		// blocks are sorted by time: what is looked for first lies at their end
		uint32_t first = (w->newest_first ? n_chunks - 1 - i : i) * FILTER_CHUNK;
		uint32_t n = b->n_rows - first < FILTER_CHUNK ? b->n_rows - first : FILTER_CHUNK;
		pass(k, b, first, n, mask);
		uint32_t found = list_rows(mask, first, n, rows);
		if (!found)
			continue;
		int ret = load(k, b);
		if (ret == 0)
			ret = w->rows(k->ctx, b, rows, found);
		if (ret < 0)
			return ret;
		k->counts.passed += found;
	}
	return k->loaded && w->block_end ? w->block_end(k->ctx, b) : 0;
}

// The addresses a filter asks for are looked up in the block's dictionaries first: most blocks of a
// search for one host end there.
static int walk_block(struct worker *k, struct record_batch *b)
{
	k->loaded = false;
	k->counts.scanned += b->n_rows;
	if (k->filter) {
		uint64_t fields = filter_fields(k->job->w->filter);
		if (filter_block_open(k->filter, b, store_scan_loaded(k->scan)) == FILTER_NO_ROW)
			return 0;
		int ret = store_scan_add(k->scan, fields);
		if (ret < 0)
			return ret;
	}
	return walk_chunks(k, b);
}

static int begin(struct worker *k)
{
	const struct walk *w = k->job->w;
	int ret = store_scan_open(k->view, &k->job->spec, &k->scan);
	if (ret == 0 && w->filter && !(k->filter = filter_block_create(w->filter)))
		ret = -ENOMEM;
	return ret;
}

// 1: a block was walked; 0: there are no more.
static int step(struct worker *k)
{
	const struct walk *w = k->job->w;
	struct record_batch *b = NULL;
	int ret = atomic_load_explicit(&k->job->failed, memory_order_relaxed);
	if (ret == 0)
		ret = query_stopped(w->run.stop);
	if (ret == 0)
		ret = store_scan_next_mutable(k->scan, &b);
	if (ret <= 0)
		return ret;
	ret = walk_block(k, b);
	if (w->floor_ns)
		store_scan_raise(k->scan, *w->floor_ns);
	return ret < 0 ? ret : 1;
}

static void finish(struct worker *k)
{
	store_scan_close(k->scan);
	filter_block_free(k->filter);
}

// Goes on until there are no more blocks, or another thread has failed.
static void run_on(struct worker *k)
{
	int none = 0;
	while ((k->ret = step(k)) == 1)
		;
	if (k->ret < 0)
		(void)atomic_compare_exchange_strong(&k->job->failed, &none, k->ret);
}

static _Atomic unsigned n_busy; // threads that walk
static _Atomic unsigned n_threads_max;

void walk_set_threads(unsigned n)
{
	n_threads_max = n;
}

static unsigned threads_max(void)
{
	cpu_set_t set;
	unsigned n = n_threads_max;
	if (n == 0) {
		int cpus = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
		n_threads_max = n = (unsigned)cpus;
	}
	return n;
}

static bool take_idle_cpu(void)
{
	unsigned busy = n_busy;
	while (busy < threads_max())
		if (atomic_compare_exchange_weak(&n_busy, &busy, busy + 1))
			return true;
	return false;
}

static void *help(void *arg)
{
	struct worker *k = arg;
	int none = 0;
	k->ret = begin(k);
	if (k->ret == 0)
		run_on(k);
	else
		(void)atomic_compare_exchange_strong(&k->job->failed, &none, k->ret);
	finish(k);
	atomic_fetch_sub(&n_busy, 1);
	return NULL;
}

// Another thread for the job, where one is to be had. False: none is.
static bool start_helper(const struct worker *first, struct worker *k)
{
	const struct walk *w = first->job->w;
	if (!take_idle_cpu())
		return false;
	*k = (struct worker){.job = first->job, .view = store_view_twin(first->view)};
	if (k->view && w->fork(first->ctx, &k->ctx) == 0) {
		if (pthread_create(&k->thread, NULL, help, k) == 0)
			return true;
		(void)w->join(first->ctx, k->ctx, false);
	}
	store_view_close(k->view);
	atomic_fetch_sub(&n_busy, 1);
	return false;
}

// Waits for a helper and takes what it has into the first worker's.
static void end_helper(struct worker *first, struct worker *k)
{
	pthread_join(k->thread, NULL);
	store_view_close(k->view);
	if (first->ret == 0)
		first->ret = k->ret;
	int ret = first->job->w->join(first->ctx, k->ctx, first->ret == 0);
	if (first->ret == 0)
		first->ret = ret;
	first->counts.scanned += k->counts.scanned;
	first->counts.passed += k->counts.passed;
}

// The first blocks are walked alone: mostly there are no more.
static void run_shared(struct worker *first)
{
	struct worker helpers[HELPERS_MAX];
	unsigned n = 0;
	for (int i = 0; i < ALONE_BLOCKS; i++)
		if ((first->ret = step(first)) != 1)
			return;
	while (n < HELPERS_MAX && start_helper(first, &helpers[n]))
		n++;
	run_on(first);
	for (unsigned i = 0; i < n; i++)
		end_helper(first, &helpers[i]);
}

static struct store_scan_spec make_spec(const struct walk *w, struct job *job)
{
	uint64_t filter = w->filter ? filter_fields(w->filter) : 0;
	uint64_t addrs = w->filter ? filter_addr_fields(w->filter) : 0;
	return (struct store_scan_spec){
		.entity = w->run.entity,
		.from_ns = w->run.window->from_ns,
		.to_ns = w->run.window->to_ns,
		.fields = addrs	      ? addrs
			  : w->filter ? filter
				      : w->fields,
		.late = wanted(w) | filter,
		.newest_first = w->newest_first,
		.journal_only = w->journal_only,
		.coded = addrs | w->coded,
		.lean = true,
		.share = w->fork ? &job->dealt : NULL,
	};
}

int walk_rows(const struct walk *w, struct walk_counts *ret_counts)
{
	struct job job = {.w = w};
	struct worker k = {.job = &job, .view = w->run.view, .ctx = w->ctx};
	job.spec = make_spec(w, &job);
	atomic_fetch_add(&n_busy, 1);
	k.ret = begin(&k);
	if (k.ret == 0 && w->fork)
		run_shared(&k);
	else if (k.ret == 0)
		run_on(&k);
	finish(&k);
	atomic_fetch_sub(&n_busy, 1);
	*ret_counts = k.counts;
	return k.ret;
}
