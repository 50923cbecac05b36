// SPDX-License-Identifier: Apache-2.0
// weir-gen capture: conversations, interleaved by time, as a capture file.
#include "bench/gen/conv.h"
#include "bench/gen/frame.h"
#include "bench/gen/gen.h"
#include "bench/gen/truth.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define PCAP_MAGIC_USEC 0xa1b2c3d4
#define PCAP_ETHERNET 1
#define PCAP_SNAPLEN 65535
#define PACKETS_PER_ARP 2000
#define OUT_BUFFER (1 << 20)

struct settings {
	char *out, *truth, *feed, *profile;
	int64_t packets, flows, seed, start, duration;
};

#define AT(m) offsetof(struct settings, m)
static const struct config_item items[] = {
	{NULL, "out", "FILE", CONFIG_STRING, AT(out), 0, 0, NULL, "capture to write (pcap)"},
	{NULL,
	 "packets",
	 "N",
	 CONFIG_INT,
	 AT(packets),
	 1,
	 INT64_C(1) << 40,
	 "200000",
	 "IP packets"},
	{NULL, "flows", "N", CONFIG_INT, AT(flows), 1, 100000000, "5000", "conversations"},
	{NULL, "seed", "S", CONFIG_INT, AT(seed), 0, INT64_MAX, "1", "same seed, same capture"},
	{NULL,
	 "start",
	 "EPOCH",
	 CONFIG_INT,
	 AT(start),
	 0,
	 UINT32_MAX,
	 "1774429200",
	 "first second"},
	{NULL, "duration", "SEC", CONFIG_INT, AT(duration), 1, 86400 * 7, "300", "seconds covered"},
	{NULL, "truth", "FILE", CONFIG_STRING, AT(truth), 0, 0, NULL, "write the true sums (JSON)"},
	{NULL,
	 "feed",
	 "FILE",
	 CONFIG_STRING,
	 AT(feed),
	 0,
	 0,
	 NULL,
	 "write the malicious addresses"},
	{NULL,
	 "profile",
	 "NAME",
	 CONFIG_STRING,
	 AT(profile),
	 0,
	 0,
	 "realistic",
	 "realistic or plain"},
};

static int check(const void *config, const char **ret_what)
{
	const struct settings *s = config;
	*ret_what = NULL;
	if (!*s->out)
		*ret_what = "--out is missing";
	else if (strcmp(s->profile, "realistic") != 0 && strcmp(s->profile, "plain") != 0)
		*ret_what = "--profile is realistic or plain";
	return *ret_what ? -EINVAL : 0;
}

static const struct config_program program = {
	.name = "weir-gen capture",
	.section = "gen",
	.synopsis = "--out FILE [--packets N] [--flows N] [--truth FILE]",
	.about = "Writes a capture of known conversations, and what a meter must find in it.",
	.items = items,
	.n_items = sizeof(items) / sizeof(*items),
	.size = sizeof(struct settings),
	.check = check,
};

// A running conversation, in the heap by the time of its next packet.
struct live {
	uint64_t next_us;
	uint32_t order; // of beginning; decides between equal times
	struct conv conv;
	struct truth_flow flow;
};

struct writer {
	FILE *file;
	struct conv_plan *plan;
	struct truth *truth;
	struct live **heap;
	size_t n, cap;
	struct live *idle; // one to begin with next
	uint32_t n_begun;
	uint64_t n_written;
};

static bool before(const struct live *a, const struct live *b)
{
	return a->next_us != b->next_us ? a->next_us < b->next_us : a->order < b->order;
}

static int heap_push(struct writer *w, struct live *l)
{
	if (w->n == w->cap) {
		size_t cap = w->cap ? w->cap * 2 : 1024;
		struct live **heap = reallocarray(w->heap, cap, sizeof(*heap));
		if (!heap)
			return -ENOMEM;
		w->heap = heap;
		w->cap = cap;
	}
	size_t i = w->n++;
	for (; i && before(l, w->heap[(i - 1) / 2]); i = (i - 1) / 2)
		w->heap[i] = w->heap[(i - 1) / 2];
	w->heap[i] = l;
	return 0;
}

// Puts l into the place of the heap's first and lets it sink.
static void heap_sink(struct writer *w, struct live *l)
{
	size_t i = 0;
	for (size_t child; (child = 2 * i + 1) < w->n; i = child) {
		if (child + 1 < w->n && before(w->heap[child + 1], w->heap[child]))
			child++;
		if (!before(w->heap[child], l))
			break;
		w->heap[i] = w->heap[child];
	}
	w->heap[i] = l;
}

static void pcap_u32(FILE *f, uint32_t v)
{
	v = htole32(v);
	fwrite(&v, sizeof(v), 1, f);
}

static void pcap_header(FILE *f)
{
	pcap_u32(f, PCAP_MAGIC_USEC);
	pcap_u32(f, 4 << 16 | 2); // version 2.4
	pcap_u32(f, 0);
	pcap_u32(f, 0);
	pcap_u32(f, PCAP_SNAPLEN);
	pcap_u32(f, PCAP_ETHERNET);
}

static void pcap_frame(struct writer *w, uint64_t time_us, const uint8_t *frame, size_t len)
{
	pcap_u32(w->file, (uint32_t)(time_us / 1000000));
	pcap_u32(w->file, (uint32_t)(time_us % 1000000));
	pcap_u32(w->file, (uint32_t)len);
	pcap_u32(w->file, (uint32_t)len);
	fwrite(frame, 1, len, w->file);
}

// Makes the plan's next conversation ready to begin. 1, 0 when there is none, or -ENOMEM.
static int prepare(struct writer *w)
{
	struct live *l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	if (!conv_plan_next(w->plan, &l->conv)) {
		free(l);
		return 0;
	}
	l->order = w->n_begun++;
	l->next_us = conv_time_us(&l->conv);
	l->flow = (struct truth_flow){
		.src = l->conv.addr[0],
		.dst = l->conv.addr[1],
		.sport = l->conv.port[0],
		.dport = l->conv.port[1],
		.proto = l->conv.proto,
		.denied = conv_is_denied(&l->conv),
		.malicious = conv_is_malicious(&l->conv),
		.start_us = l->next_us,
	};
	w->idle = l;
	return 1;
}

// Begins every conversation that starts before the first packet of those that run.
static int begin_due(struct writer *w)
{
	while (w->idle && (w->n == 0 || before(w->idle, w->heap[0]))) {
		int ret = heap_push(w, w->idle);
		if (ret < 0)
			return ret;
		w->idle = NULL;
		ret = prepare(w);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static void write_packet(struct writer *w, struct live *l)
{
	struct packet p;
	uint8_t frame[FRAME_MAX];
	size_t ip_len;

	conv_next(&l->conv, &p);
	size_t len = frame_build(frame, &l->conv, &p, &ip_len);
	pcap_frame(w, l->next_us, frame, len);
	l->flow.packets[p.back]++;
	l->flow.bytes[p.back] += ip_len;
	l->flow.end_us = l->next_us;
	if (w->n_written++ % PACKETS_PER_ARP == 0) {
		len = frame_build_arp(frame, (uint32_t)(w->n_written / PACKETS_PER_ARP));
		pcap_frame(w, l->next_us, frame, len);
		truth_add_non_ip(w->truth, 1);
	}
}

static int run(struct writer *w)
{
	int ret = prepare(w);
	if (ret < 0)
		return ret;
	for (;;) {
		ret = begin_due(w);
		if (ret < 0 || w->n == 0)
			return ret;
		struct live *l = w->heap[0];
		write_packet(w, l);
		if (l->conv.n_done < l->conv.n_packets) {
			l->next_us = conv_time_us(&l->conv);
			heap_sink(w, l);
			continue;
		}
		ret = truth_add(w->truth, &l->flow);
		free(l);
		w->n--;
		if (w->n)
			heap_sink(w, w->heap[w->n]);
		if (ret < 0)
			return ret;
	}
}

static int write_feed(const char *path)
{
	FILE *f = fopen(path, "we");
	if (!f)
		return -errno;
	fputs("# Hosts that the generated capture talks to and that count as malicious.\n", f);
	for (uint32_t i = 0; conv_feed_entry(i); i++)
		fprintf(f, "%s\n", conv_feed_entry(i));
	return fclose(f) == 0 ? 0 : -errno;
}

static int write_capture(struct writer *w, const struct settings *s)
{
	w->file = fopen(s->out, "we");
	if (!w->file)
		return -errno;
	setvbuf(w->file, NULL, _IOFBF, OUT_BUFFER);
	pcap_header(w->file);
	int ret = run(w);
	bool bad = ferror(w->file);
	if (fclose(w->file) != 0 || bad)
		ret = ret < 0 ? ret : -EIO;
	return ret;
}

static int generate(const struct settings *s)
{
	const struct conv_options options = {
		.seed = (uint64_t)s->seed,
		.start_us = (uint64_t)s->start * 1000000,
		.duration_us = (uint64_t)s->duration * 1000000,
		.n_packets = (uint64_t)s->packets,
		.n_flows = (uint32_t)s->flows,
		.plain = strcmp(s->profile, "plain") == 0,
	};
	struct writer w = {.truth = truth_create()};
	uint64_t least = 0;
	int ret = w.truth ? conv_plan_create(&options, &w.plan, &least) : -ENOMEM;
	if (ret == -ERANGE)
		fprintf(stderr, "weir-gen: so many flows take %ju packets\n", (uintmax_t)least);
	if (ret == 0)
		ret = write_capture(&w, s);
	if (ret == 0 && *s->truth)
		ret = truth_write(w.truth, s->truth);
	if (ret == 0 && *s->feed)
		ret = write_feed(s->feed);
	conv_plan_free(w.plan);
	truth_free(w.truth);
	for (size_t i = 0; i < w.n; i++)
		free(w.heap[i]);
	free(w.idle);
	free(w.heap);
	return ret;
}

int gen_capture(int argc, char **argv)
{
	struct settings s = {};
	int status = config_parse(&program, argc, argv, &s, NULL);
	if (status == CONFIG_RUN) {
		int ret = generate(&s);
		if (ret < 0)
			fprintf(stderr, "weir-gen: %s: %s\n", s.out, strerror(-ret));
		status = ret < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	config_free(&program, &s);
	return status;
}
