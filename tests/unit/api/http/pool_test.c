// SPDX-License-Identifier: Apache-2.0
#include "api/http/pool.h"
#include "tests/unit/cmocka.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static struct pool *start(unsigned n_threads, unsigned cap)
{
	struct pool *p = NULL;
	assert_int_equal(pool_start(n_threads, cap, &p), 0);
	assert_non_null(p);
	return p;
}

// A task that counts its runs, and one that waits for a gate to be opened.
struct job {
	struct task task; // first: run() is given its address
	_Atomic unsigned n_runs;
	unsigned order; // when it ran among all, from 1
	pthread_t ran_on;
};

static _Atomic unsigned n_run, n_in_gate;
static _Atomic bool gate_open;

static void count_run(struct task *t)
{
	struct job *j = (struct job *)t;
	j->ran_on = pthread_self();
	j->order = atomic_fetch_add(&n_run, 1) + 1;
	atomic_fetch_add(&j->n_runs, 1);
}

static void wait_in_gate(struct task *t)
{
	atomic_fetch_add(&n_in_gate, 1);
	while (!atomic_load(&gate_open))
		usleep(1000);
	count_run(t);
}

static int reset(void **)
{
	atomic_store(&n_run, 0);
	atomic_store(&n_in_gate, 0);
	atomic_store(&gate_open, false);
	return 0;
}

// Keeps `n` threads busy until the gate opens.
static void block(struct pool *p, struct job *jobs, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		jobs[i] = (struct job){.task.run = wait_in_gate};
		assert_true(pool_push(p, &jobs[i].task));
		while (atomic_load(&n_in_gate) <= i)
			usleep(1000);
	}
}

static void every_task_runs_once(void **)
{
	static struct job jobs[5000];
	struct pool *p = start(4, 10000);
	for (int i = 0; i < 5000; i++) {
		jobs[i] = (struct job){.task.run = count_run};
		assert_true(pool_push(p, &jobs[i].task));
	}
	pool_stop(p);
	for (int i = 0; i < 5000; i++) {
		assert_int_equal(atomic_load(&jobs[i].n_runs), 1);
		assert_false(pthread_equal(jobs[i].ran_on, pthread_self()));
	}
}

static void one_thread_runs_tasks_in_their_order(void **)
{
	struct job gate, jobs[100];
	struct pool *p = start(1, 100);
	block(p, &gate, 1);
	for (int i = 0; i < 100; i++) {
		jobs[i] = (struct job){.task.run = count_run};
		assert_true(pool_push(p, &jobs[i].task));
	}
	atomic_store(&gate_open, true);
	pool_stop(p);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(jobs[i].order, i + 2);
}

static void a_full_queue_refuses(void **)
{
	struct job gates[2], waiting[3], extra = {.task.run = count_run};
	struct pool *p = start(2, 3);
	block(p, gates, 2); // these run: they do not wait
	for (int i = 0; i < 3; i++) {
		waiting[i] = (struct job){.task.run = count_run};
		assert_true(pool_push(p, &waiting[i].task));
	}
	for (int i = 0; i < 10; i++)
		assert_false(pool_push(p, &extra.task));
	atomic_store(&gate_open, true);
	while (atomic_load(&n_run) < 5)
		usleep(1000);
	assert_int_equal(atomic_load(&extra.n_runs), 0); // stayed ours
	assert_true(pool_push(p, &extra.task));		 // and now there is room
	pool_stop(p);
	assert_int_equal(atomic_load(&extra.n_runs), 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(atomic_load(&waiting[i].n_runs), 1);
}

static void *open_gate_later(void *)
{
	usleep(50000);
	atomic_store(&gate_open, true);
	return NULL;
}

static void stopping_runs_what_still_waits(void **)
{
	struct job gates[2], waiting[50];
	pthread_t opener;
	struct pool *p = start(2, 50);
	block(p, gates, 2);
	for (int i = 0; i < 50; i++) {
		waiting[i] = (struct job){.task.run = count_run};
		assert_true(pool_push(p, &waiting[i].task));
	}
	assert_int_equal(atomic_load(&n_run), 0);
	assert_int_equal(pthread_create(&opener, NULL, open_gate_later, NULL), 0);
	pool_stop(p); // while all threads are in the gate
	pthread_join(opener, NULL);
	assert_int_equal(atomic_load(&n_run), 52);
}

// What a worker hands back may come again at once: the pool has let go of it by then.
static void a_task_may_be_pushed_again_once_it_has_run(void **)
{
	static struct job jobs[4];
	struct pool *p = start(2, 4);
	for (unsigned round = 1; round <= 500; round++) {
		for (int i = 0; i < 4; i++) {
			jobs[i].task.run = count_run;
			assert_true(pool_push(p, &jobs[i].task));
		}
		for (int i = 0; i < 4; i++)
			while (atomic_load(&jobs[i].n_runs) < round)
				;
	}
	pool_stop(p);
	assert_int_equal(atomic_load(&n_run), 4 * 500);
}

static void all_threads_work_at_once(void **)
{
	struct job jobs[8];
	struct pool *p = start(8, 1);
	block(p, jobs, 8); // would wait for ever with fewer
	atomic_store(&gate_open, true);
	pool_stop(p);
	assert_int_equal(atomic_load(&n_run), 8);
}

static void an_idle_pool_stops(void **)
{
	pool_stop(start(4, 4));
	pool_stop(NULL);
}

struct pusher {
	struct pool *pool;
	struct job jobs[2000];
	unsigned n_taken;
};

static void *push_many(void *arg)
{
	struct pusher *u = arg;
	for (int i = 0; i < 2000; i++) {
		u->jobs[i] = (struct job){.task.run = count_run};
		u->n_taken += pool_push(u->pool, &u->jobs[i].task);
	}
	return NULL;
}

static void threads_may_push_at_once(void **)
{
	static struct pusher pushers[4];
	pthread_t threads[4];
	struct pool *p = start(3, 16);
	unsigned n_taken = 0;
	for (int i = 0; i < 4; i++) {
		pushers[i].pool = p;
		assert_int_equal(pthread_create(&threads[i], NULL, push_many, &pushers[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		n_taken += pushers[i].n_taken;
	}
	pool_stop(p);
	assert_int_equal(atomic_load(&n_run), n_taken);
	for (int i = 0; i < 4; i++)
		for (int k = 0; k < 2000; k++)
			assert_in_range(atomic_load(&pushers[i].jobs[k].n_runs), 0, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, reset)
		TEST(every_task_runs_once),
		TEST(one_thread_runs_tasks_in_their_order),
		TEST(a_full_queue_refuses),
		TEST(stopping_runs_what_still_waits),
		TEST(a_task_may_be_pushed_again_once_it_has_run),
		TEST(all_threads_work_at_once),
		TEST(an_idle_pool_stops),
		TEST(threads_may_push_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
