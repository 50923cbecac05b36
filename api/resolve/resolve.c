// SPDX-License-Identifier: Apache-2.0
#include "api/resolve/resolve.h"

#include "lib/base/clock.h"

#include <ares.h>

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define WAITING_MAX 512 // addresses asked for and not answered yet
#define FLIGHT_MAX 64	// of those, questions out at the servers
#define KEEP_NAME_NS (600 * NS_PER_SEC)
#define KEEP_NONE_NS (120 * NS_PER_SEC)
#define KEEP_FAILED_NS (10 * NS_PER_SEC)

struct question {
	struct resolver *r;
	struct addr addr;
	enum { FREE, QUEUED, ASKED } state;
};

struct resolver {
	bool off;
	ares_channel channel; // the thread's alone
	pthread_t thread;
	int wake; // eventfd
	pthread_mutex_t lock;
	pthread_cond_t answered;
	struct cache *cache;
	struct question waiting[WAITING_MAX];
	unsigned n_asked;
	bool stopping;
};

// Thread: resolver, with the lock held. What is kept how long depends on who said so: no such name
// is an answer, a timeout is not.
static void store_answer(struct resolver *r, const struct addr *a, int status, const char *name)
{
	char clean[CACHE_NAME_LEN] = "";
	uint64_t keep = KEEP_FAILED_NS;
	if (status == ARES_SUCCESS && name)
		cache_clean_name(name, clean);
	if (*clean)
		keep = KEEP_NAME_NS;
	else if (status == ARES_SUCCESS || status == ARES_ENOTFOUND || status == ARES_ENODATA)
		keep = KEEP_NONE_NS;
	cache_set(r->cache, a, clean, clock_mono_ns() + keep);
}

// Thread: resolver.
static void on_answer(void *arg, int status, int timeouts, struct hostent *host)
{
	struct question *q = arg;
	struct resolver *r = q->r;
	(void)timeouts;
	pthread_mutex_lock(&r->lock);
	store_answer(r, &q->addr, status, host ? host->h_name : NULL);
	q->state = FREE;
	r->n_asked--;
	pthread_cond_broadcast(&r->answered);
	pthread_mutex_unlock(&r->lock);
}

static void ask(struct resolver *r, struct question *q)
{
	if (addr_is_v4(&q->addr))
		ares_gethostbyaddr(r->channel, q->addr.b + 12, 4, AF_INET, on_answer, q);
	else
		ares_gethostbyaddr(r->channel, q->addr.b, 16, AF_INET6, on_answer, q);
}

// Sends queued questions as far as FLIGHT_MAX allows. An answer may come before ask() returns, so
// the lock is not held around it; only this thread turns QUEUED into ASKED.
static void ask_queued(struct resolver *r)
{
	for (unsigned i = 0; i < WAITING_MAX; i++) {
		pthread_mutex_lock(&r->lock);
		bool go = r->waiting[i].state == QUEUED && r->n_asked < FLIGHT_MAX;
		if (go) {
			r->waiting[i].state = ASKED;
			r->n_asked++;
		}
		pthread_mutex_unlock(&r->lock);
		if (go)
			ask(r, &r->waiting[i]);
	}
}

static void wait_for_sockets(struct resolver *r)
{
	ares_socket_t socks[ARES_GETSOCK_MAXNUM];
	struct pollfd fds[ARES_GETSOCK_MAXNUM + 1] = {{.fd = r->wake, .events = POLLIN}};
	struct timeval most = {.tv_sec = 1}, tv;
	unsigned bits = (unsigned)ares_getsock(r->channel, socks, ARES_GETSOCK_MAXNUM);
	nfds_t n = 1;

	for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
		// not ARES_GETSOCK_WRITABLE, which shifts into the sign of an int
		short events = 0;
		if (bits & 1u << i)
			events |= POLLIN;
		if (bits & 1u << (i + ARES_GETSOCK_MAXNUM))
			events |= POLLOUT;
		if (events)
			fds[n++] = (struct pollfd){.fd = socks[i], .events = events};
	}
	const struct timeval *left = ares_timeout(r->channel, &most, &tv);
	if (poll(fds, n, (int)(left->tv_sec * 1000 + left->tv_usec / 1000 + 1)) < 0)
		return;
	uint64_t count;
	if (fds[0].revents && read(r->wake, &count, sizeof(count)) < 0)
		return; // woken by nobody
	bool any = false;
	for (nfds_t i = 1; i < n; i++) {
		ares_socket_t in = fds[i].revents & ~POLLOUT ? fds[i].fd : ARES_SOCKET_BAD;
		ares_socket_t out = fds[i].revents & POLLOUT ? fds[i].fd : ARES_SOCKET_BAD;
		any |= fds[i].revents != 0;
		if (fds[i].revents)
			ares_process_fd(r->channel, in, out);
	}
	if (!any) // timeouts
		ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static void *resolver_main(void *arg)
{
	struct resolver *r = arg;
	for (;;) {
		pthread_mutex_lock(&r->lock);
		bool stopping = r->stopping;
		pthread_mutex_unlock(&r->lock);
		if (stopping)
			return NULL;
		ask_queued(r);
		wait_for_sockets(r);
	}
}

static int open_channel(const struct resolver_options *o, ares_channel *ret_channel)
{
	struct ares_options options = {
		.timeout = (int)o->timeout_ms, .tries = 2, .lookups = (char *)"b"};
	int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS;
	int ret = ares_init_options(ret_channel, &options, mask);
	if (ret != ARES_SUCCESS)
		return ret == ARES_ENOMEM ? -ENOMEM : -EIO;
	if (strcmp(o->server, "system") == 0)
		return 0;
	// an empty list would be taken, and leave no server at all
	ret = *o->server ? ares_set_servers_ports_csv(*ret_channel, o->server) : ARES_EBADSTR;
	if (ret == ARES_SUCCESS)
		return 0;
	ares_destroy(*ret_channel);
	return -EINVAL;
}

int resolver_start(const struct resolver_options *options, struct resolver **ret_resolver)
{
	pthread_condattr_t attr;
	struct resolver *r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->off = strcmp(options->server, "off") == 0;
	if (r->off) {
		*ret_resolver = r;
		return 0;
	}
	int ret = ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS ? 0 : -ENOMEM;
	if (ret < 0 || (ret = open_channel(options, &r->channel)) < 0)
		goto free_resolver;
	r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->cache = cache_create(options->cache_cap);
	ret = r->wake < 0 ? -errno : (r->cache ? 0 : -ENOMEM);
	if (ret < 0)
		goto close_channel;

	for (int i = 0; i < WAITING_MAX; i++)
		r->waiting[i].r = r;
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->answered, &attr);
	pthread_condattr_destroy(&attr);
	ret = -pthread_create(&r->thread, NULL, resolver_main, r);
	if (ret == 0) {
		*ret_resolver = r;
		return 0;
	}
close_channel:
	if (r->wake >= 0)
		close(r->wake);
	cache_free(r->cache);
	ares_destroy(r->channel);
free_resolver:
	free(r);
	return ret;
}

static void wake(struct resolver *r)
{
	uint64_t one = 1;
	if (write(r->wake, &one, sizeof(one)) < 0)
		return; // the counter is full: it is awake
}

void resolver_stop(struct resolver *r)
{
	if (!r)
		return;
	if (!r->off) {
		pthread_mutex_lock(&r->lock);
		r->stopping = true;
		pthread_mutex_unlock(&r->lock);
		wake(r);
		pthread_join(r->thread, NULL);
		ares_destroy(r->channel); // ends what is under way through on_answer
		ares_library_cleanup();
		close(r->wake);
		cache_free(r->cache);
		pthread_cond_destroy(&r->answered);
		pthread_mutex_destroy(&r->lock);
	}
	free(r);
}

// With the lock held: whether the address is being asked for, queueing it if there is room.
static bool is_waiting(struct resolver *r, const struct addr *a, bool queue, bool *woke)
{
	struct question *room = NULL;
	for (unsigned i = 0; i < WAITING_MAX; i++) {
		struct question *q = &r->waiting[i];
		if (q->state != FREE && addr_eq(&q->addr, a))
			return true;
		if (q->state == FREE && !room)
			room = q;
	}
	if (!queue || !room)
		return false;
	room->addr = *a;
	room->state = QUEUED;
	*woke = true;
	return true;
}

// With the lock held: fills in what is known; how many are still to come.
static size_t
fill(struct resolver *r,
     const struct addr *addrs,
     size_t n,
     bool queue,
     char (*ret_names)[CACHE_NAME_LEN])
{
	uint64_t now = clock_mono_ns();
	size_t missing = 0;
	bool woke = false;
	for (size_t i = 0; i < n; i++) {
		if (*ret_names[i])
			continue;
		const char *name = cache_find(r->cache, &addrs[i], now);
		if (name)
			memcpy(ret_names[i], name, strlen(name) + 1);
		else if (is_waiting(r, &addrs[i], queue, &woke))
			missing++;
	}
	if (woke)
		wake(r);
	return missing;
}

void resolver_lookup(
	struct resolver *r,
	const struct addr *addrs,
	size_t n,
	uint64_t timeout_ns,
	char (*ret_names)[CACHE_NAME_LEN]
)
{
	for (size_t i = 0; i < n; i++)
		ret_names[i][0] = '\0';
	if (r->off || n == 0)
		return;
	uint64_t until = clock_mono_ns() + timeout_ns;
	struct timespec ts = {
		.tv_sec = (time_t)(until / NS_PER_SEC), .tv_nsec = (long)(until % NS_PER_SEC)};

	pthread_mutex_lock(&r->lock);
	bool queue = true;
	while (fill(r, addrs, n, queue, ret_names) > 0) {
		queue = false;
		if (pthread_cond_timedwait(&r->answered, &r->lock, &ts) != 0)
			break; // the time is over
	}
	pthread_mutex_unlock(&r->lock);
}
