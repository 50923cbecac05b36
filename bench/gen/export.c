// SPDX-License-Identifier: Apache-2.0
// weir-gen export: an exporter of known flows at a steady pace.
#include "bench/gen/gen.h"
#include "bench/gen/wire.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/endpoint.h"
#include "lib/record/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define BATCH 32	       // datagrams a system call
#define TEMPLATES_EVERY 400    // messages
#define BOOT_BEFORE_MS 3600000 // the exporter has been up for an hour
#define LAG_SEC 20	       // flows began at most so long before they are exported
#define SEND_BUFFER (4 << 20)
#define TURN_NS (2 * NS_PER_MSEC) // of pacing

enum { TO_UDP, TO_TCP };
static const char *const kinds[] = {"udp", "tcp", NULL};

struct settings {
	char *proto, *to, *truth, *progress;
	int64_t flows, rate, begin, seed, start, domain;
};

#define AT(m) offsetof(struct settings, m)
static const struct config_item items[] = {
	{NULL,
	 "proto",
	 "NAME",
	 CONFIG_STRING,
	 AT(proto),
	 0,
	 0,
	 "ipfix",
	 "v1, v5, v7, v9, ipfix or sflow"},
	{NULL, "to", "TO", CONFIG_STRING, AT(to), 0, 0, NULL, "udp:HOST:PORT or tcp:HOST:PORT"},
	{NULL, "flows", "N", CONFIG_INT, AT(flows), 1, INT64_MAX, "100000", "flows to send"},
	{NULL,
	 "rate",
	 "N",
	 CONFIG_INT,
	 AT(rate),
	 0,
	 INT64_MAX,
	 "100000",
	 "flows per second; 0: no pace"},
	{NULL,
	 "begin",
	 "N",
	 CONFIG_INT,
	 AT(begin),
	 0,
	 INT64_MAX,
	 "0",
	 "flows that begin in a second, by their own times; 0: as --rate"},
	{NULL, "seed", "S", CONFIG_INT, AT(seed), 0, INT64_MAX, "1", "same seed, same flows"},
	{NULL, "start", "EPOCH", CONFIG_INT, AT(start), 0, UINT32_MAX, "0", "first second; 0: now"},
	{NULL, "domain", "N", CONFIG_INT, AT(domain), 0, UINT32_MAX, "0", "observation domain"},
	{NULL, "truth", "FILE", CONFIG_STRING, AT(truth), 0, 0, NULL, "write the true sums (JSON)"},
	{NULL,
	 "progress",
	 "FILE",
	 CONFIG_STRING,
	 AT(progress),
	 0,
	 0,
	 NULL,
	 "keep the number of flows sent so far in FILE"},
};

static int proto_of(const char *name)
{
	static const char *const names[] = {"v5", "v9", "ipfix", "v1", "v7", "sflow"};
	for (int i = 0; i < 6; i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	return -EINVAL;
}

static int check(const void *config, const char **ret_what)
{
	const struct settings *s = config;
	struct endpoint to;
	*ret_what = NULL;
	if (proto_of(s->proto) < 0)
		*ret_what = "--proto is v1, v5, v7, v9, ipfix or sflow";
	else if (endpoint_parse(s->to, kinds, &to) < 0)
		*ret_what = "--to is udp:HOST:PORT or tcp:HOST:PORT";
	else if (to.kind == TO_TCP && proto_of(s->proto) != WIRE_IPFIX)
		*ret_what = "only IPFIX goes over TCP";
	return *ret_what ? -EINVAL : 0;
}

static const struct config_program program = {
	.name = "weir-gen export",
	.section = "gen",
	.synopsis =
		"--to udp|tcp:HOST:PORT [--proto v1|v5|v7|v9|ipfix|sflow] [--flows N] [--rate N]",
	.about = "Sends known flows to a collector. Ends with what was sent on standard output.",
	.items = items,
	.n_items = sizeof(items) / sizeof(*items),
	.size = sizeof(struct settings),
	.check = check,
};

struct sender {
	int fd;
	int kind;
	int progress_fd;
	uint64_t n_sent, n_queued; // flows
	unsigned n;		   // messages waiting
	size_t len[BATCH];
	uint8_t bytes[BATCH][WIRE_MAX];
};

static int connect_to(struct sender *s, const char *text)
{
	struct endpoint to;
	int size = SEND_BUFFER;
	int ret = endpoint_parse(text, kinds, &to);
	if (ret < 0)
		return ret;
	s->kind = to.kind;
	s->fd = socket(
		to.sa.ss_family, (to.kind == TO_TCP ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0
	);
	if (s->fd < 0)
		return -errno;
	(void)setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return connect(s->fd, (struct sockaddr *)&to.sa, to.len) < 0 ? -errno : 0;
}

static int send_udp(struct sender *s)
{
	struct mmsghdr m[BATCH] = {};
	struct iovec v[BATCH];
	for (unsigned i = 0; i < s->n; i++) {
		v[i] = (struct iovec){s->bytes[i], s->len[i]};
		m[i].msg_hdr = (struct msghdr){.msg_iov = &v[i], .msg_iovlen = 1};
	}
	for (unsigned done = 0; done < s->n;) {
		int n = sendmmsg(s->fd, m + done, s->n - done, 0);
		// ECONNREFUSED tells of an earlier datagram, which nobody was there to read: to an
		// exporter that is as good as sent.
		if (n < 0 && errno != EINTR && errno != ECONNREFUSED)
			return -errno;
		done += n > 0 ? (unsigned)n : 0;
	}
	return 0;
}

static int send_tcp(struct sender *s)
{
	for (unsigned i = 0; i < s->n; i++)
		for (size_t done = 0; done < s->len[i];) {
			ssize_t n = send(s->fd, s->bytes[i] + done, s->len[i] - done, MSG_NOSIGNAL);
			if (n < 0 && errno != EINTR)
				return -errno;
			done += n > 0 ? (size_t)n : 0;
		}
	return 0;
}

static int flush(struct sender *s)
{
	char text[24];
	int ret = s->kind == TO_UDP ? send_udp(s) : send_tcp(s);
	if (ret < 0)
		return ret;
	s->n = 0;
	s->n_sent = s->n_queued;
	if (s->progress_fd < 0)
		return 0;
	int len = snprintf(text, sizeof(text), "%ju\n", (uintmax_t)s->n_sent);
	return pwrite(s->progress_fd, text, (size_t)len, 0) < 0 ? -errno : 0;
}

static int put(struct sender *s, struct wire *w, uint64_t now_ms)
{
	s->n_queued += w->n_flows;
	s->len[s->n] = wire_close(w, now_ms);
	memcpy(s->bytes[s->n], w->bytes, s->len[s->n]);
	s->n++;
	return s->n == BATCH ? flush(s) : 0;
}

// Sends what waits and sleeps when more was sent than the pace allows by now.
static int keep_pace(struct sender *s, uint64_t begin_ns, uint64_t n, uint64_t rate)
{
	uint64_t due_ns = begin_ns + (uint64_t)((double)n / (double)rate * NS_PER_SEC);
	uint64_t now_ns = clock_mono_ns();
	if (due_ns < now_ns + TURN_NS)
		return 0;
	int ret = flush(s);
	struct timespec until = {(time_t)(due_ns / NS_PER_SEC), (long)(due_ns % NS_PER_SEC)};
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	return ret;
}

static bool is_v4_only(enum wire_proto proto)
{
	return proto == WIRE_V1 || proto == WIRE_V5 || proto == WIRE_V7;
}

// One packet, of now: sFlow tells no times.
static void make_sample(struct flow *f)
{
	f->t.packets[0] = 1;
	f->t.bytes[0] = 60 + f->t.bytes[0] % 1400;
	f->t.start_us = f->t.end_us = clock_now_ns() / 1000;
}

static int run(const struct settings *c, struct sender *s, struct truth *truth, struct wire *w)
{
	const uint64_t start_ms = (uint64_t)c->start * 1000, begin_ns = clock_mono_ns();
	const uint64_t rate = c->rate ? (uint64_t)c->rate : UINT64_C(1) << 40;
	const uint64_t begin = c->begin ? (uint64_t)c->begin : rate;
	uint64_t now_ms = start_ms;
	int ret = 0;

	wire_open(w, true);
	for (uint64_t i = 0; ret == 0 && i < (uint64_t)c->flows; i++) {
		struct flow f;
		flow_draw(
			(uint64_t)c->seed, i, start_ms + i * 1000 / begin, is_v4_only(w->proto), &f
		);
		if (w->proto == WIRE_SFLOW)
			make_sample(&f);
		now_ms = f.t.start_us / 1000 + LAG_SEC * 1000;
		ret = truth_add(truth, &f.t);
		if (wire_add(w, &f))
			continue;
		if (ret == 0)
			ret = put(s, w, now_ms);
		wire_open(w, w->n_messages % TEMPLATES_EVERY == 0);
		(void)wire_add(w, &f);
		if (ret == 0 && c->rate)
			ret = keep_pace(s, begin_ns, i, rate);
	}
	if (ret == 0)
		ret = put(s, w, now_ms);
	if (ret == 0)
		ret = flush(s);
	double took = (double)(clock_mono_ns() - begin_ns) / NS_PER_SEC;
	printf("{\"flows\": %ju, \"messages\": %u, \"seconds\": %.3f, \"flows_per_second\": "
	       "%.0f}\n",
	       (uintmax_t)s->n_sent,
	       w->n_messages,
	       took,
	       (double)s->n_sent / took);
	return ret;
}

static int send_all(struct settings *c)
{
	struct sender *s = calloc(1, sizeof(*s));
	struct truth *truth = truth_create();
	if (c->start == 0)
		c->start = (int64_t)(clock_now_ns() / NS_PER_SEC) - 2 * LAG_SEC;
	struct wire w = {
		.proto = (enum wire_proto)proto_of(c->proto),
		.boot_ms = (uint64_t)c->start * 1000 - BOOT_BEFORE_MS,
		.domain = (uint32_t)c->domain,
	};
	int ret = s && truth ? 0 : -ENOMEM;
	if (ret == 0) {
		s->fd = -1;
		s->progress_fd = -1;
		if (*c->progress)
			s->progress_fd =
				open(c->progress, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
		ret = connect_to(s, c->to);
	}
	if (ret == 0)
		ret = run(c, s, truth, &w);
	if (ret == 0 && *c->truth)
		ret = truth_write(truth, c->truth);
	if (s && s->fd >= 0)
		close(s->fd);
	if (s && s->progress_fd >= 0)
		close(s->progress_fd);
	free(s);
	truth_free(truth);
	return ret;
}

int gen_export(int argc, char **argv)
{
	struct settings c = {};
	int status = config_parse(&program, argc, argv, &c, NULL);
	if (status == CONFIG_RUN) {
		int ret = send_all(&c);
		if (ret < 0)
			fprintf(stderr, "weir-gen: %s: %s\n", c.to, strerror(-ret));
		status = ret < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	config_free(&program, &c);
	return status;
}
