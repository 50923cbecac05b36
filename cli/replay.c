// SPDX-License-Identifier: Apache-2.0
#include "cli/replay.h"

#include "cli/flows.h"
#include "cli/outlet.h"
#include "cli/progress.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/ipfix/wire.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UPDATE_ROWS 1024
#define TURN_NS (2 * NS_PER_MSEC)   // shorter waits are saved up
#define LOOK_NS (200 * NS_PER_MSEC) // longer ones show that time goes on
#define SPEED_MAX 1e9

struct settings {
	char *dir, *from, *until, *entity, *to, *protocol, *speed;
	int64_t rate, domain;
	bool max, split, keep_exporter;
};

#define AT(m) offsetof(struct settings, m)
static const struct config_item items[] = {
	{"store.dir",
	 "store",
	 "DIR",
	 CONFIG_STRING,
	 AT(dir),
	 0,
	 0,
	 "/var/lib/weir/store",
	 "where the flows are kept"},
	{NULL, "to", "TO", CONFIG_STRING, AT(to), 0, 0, NULL, "udp:HOST:PORT or tcp:HOST:PORT"},
	{NULL, "protocol", "P", CONFIG_STRING, AT(protocol), 0, 0, "ipfix", "ipfix or v9"},
	{NULL,
	 "from",
	 "TIME",
	 CONFIG_STRING,
	 AT(from),
	 0,
	 0,
	 NULL,
	 "flows that began then or later, UTC: 2026/03/25 09:00; none given: all"},
	{NULL, "until", "TIME", CONFIG_STRING, AT(until), 0, 0, NULL, "up to that minute's end"},
	{NULL, "entity", "E", CONFIG_STRING, AT(entity), 0, 0, "netflow", "whose flows"},
	{NULL,
	 "speed",
	 "FACTOR",
	 CONFIG_STRING,
	 AT(speed),
	 0,
	 0,
	 "1",
	 "1: in the time they took; 60: an hour in a minute"},
	{NULL,
	 "rate",
	 "N",
	 CONFIG_INT,
	 AT(rate),
	 0,
	 INT64_MAX,
	 "0",
	 "flows a second, whatever time they took"},
	{NULL, "max", NULL, CONFIG_BOOL, AT(max), 0, 0, NULL, "as fast as they can be sent"},
	{NULL,
	 "split",
	 NULL,
	 CONFIG_BOOL,
	 AT(split),
	 0,
	 0,
	 NULL,
	 "a biflow leaves as two flows, one each way"},
	{NULL,
	 "keep-exporter",
	 NULL,
	 CONFIG_BOOL,
	 AT(keep_exporter),
	 0,
	 0,
	 NULL,
	 "ipfix: tell exporter, domain and exact times, for a weir-collector that trusts this "
	 "host"},
	{NULL, "domain", "N", CONFIG_INT, AT(domain), 0, UINT32_MAX, "0", "observation domain"},
};

// The factor, or 0 for what is none.
static double speed_of(const char *text)
{
	char *end;
	double v = strtod(text, &end);
	return end != text && !*end && v > 0 && v <= SPEED_MAX ? v : 0;
}

static bool is_v9(const struct settings *s)
{
	return strcmp(s->protocol, "v9") == 0;
}

static int check(const void *config, const char **ret_what)
{
	const struct settings *s = config;
	struct flows_options window;
	struct endpoint to;
	*ret_what = NULL;
	if (flows_parse_window(s->from, s->until, &window, ret_what) < 0)
		return -EINVAL;
	if (!*s->to || sender_parse(s->to, &to) < 0)
		*ret_what = "--to is udp:HOST:PORT or tcp:HOST:PORT";
	else if (!is_v9(s) && strcmp(s->protocol, "ipfix") != 0)
		*ret_what = "--protocol is ipfix or v9";
	else if (is_v9(s) && to.kind == SENDER_TCP)
		*ret_what = "NetFlow v9 goes over UDP only";
	else if (is_v9(s) && s->keep_exporter)
		*ret_what = "--keep-exporter is for ipfix";
	else if (speed_of(s->speed) <= 0)
		*ret_what = "--speed is a number above 0";
	else if (s->max && s->rate)
		*ret_what = "--max and --rate exclude each other";
	return *ret_what ? -EINVAL : 0;
}

static const struct config_program program = {
	.name = "weir replay",
	.section = "replay",
	.synopsis = "--to udp|tcp:HOST:PORT [--store DIR] [--protocol ipfix|v9] [OPTION]...",
	.about = "Sends stored flows to a collector of any make, in the order they began.",
	.items = items,
	.n_items = sizeof(items) / sizeof(*items),
	.size = sizeof(struct settings),
	.check = check,
};

struct replay {
	const struct settings *settings;
	struct flows *flows;
	struct outlet outlet;
	struct progress progress;
	double speed;	   // 0: the flows' own time does not matter
	uint64_t first_ns; // start of the first flow
	uint64_t begin_ns; // when it was sent, monotonic
	uint64_t n_read;
};

static int say(const char *what, const char *why)
{
	fprintf(stderr, "weir replay: %s: %s\n", what, why);
	return EXIT_FAILURE;
}

// Waits until a flow that began then is due.
static int keep_time(struct replay *r, uint64_t start_ns)
{
	if (r->speed <= 0)
		return 0;
	if (r->n_read == 1) {
		r->first_ns = start_ns;
		r->begin_ns = clock_mono_ns();
	}
	double after_ns = (double)(start_ns - r->first_ns) / r->speed;
	uint64_t due_ns = r->begin_ns + (uint64_t)after_ns, now_ns = clock_mono_ns();
	if (due_ns < now_ns + TURN_NS)
		return 0;
	int ret = outlet_flush(&r->outlet);
	for (; ret == 0 && now_ns < due_ns && !progress_stopped(); now_ns = clock_mono_ns()) {
		outlet_sleep(due_ns - now_ns > LOOK_NS ? now_ns + LOOK_NS : due_ns);
		progress_update(&r->progress, r->n_read, r->n_read);
	}
	return ret;
}

// Sends every flow. 0, or -errno with the words printed.
static int send_all(struct replay *r)
{
	struct record record;
	int ret, sent = 0;
	progress_begin(&r->progress, "replaying", "flows", flows_total(r->flows));
	while (sent == 0 && (ret = flows_next(r->flows, &record)) > 0) {
		r->n_read++;
		sent = keep_time(r, record.start_ns);
		if (sent == 0)
			sent = outlet_add(&r->outlet, &record);
		if (r->n_read % UPDATE_ROWS == 0)
			progress_update(&r->progress, r->n_read, r->n_read);
		if (sent == 0 && progress_stopped())
			sent = -EINTR;
	}
	progress_end(&r->progress);
	if (sent < 0)
		say(r->settings->to, sent == -EINTR ? "interrupted" : strerror(-sent));
	else if (ret < 0)
		say(r->settings->dir, strerror(-ret));
	return sent < 0 ? sent : ret;
}

static int open_all(struct replay *r)
{
	const struct settings *s = r->settings;
	char error[FLOWS_ERROR_LEN];
	const char *what = "";
	struct endpoint to;
	struct flows_options window = {
		.dir = s->dir, .entity = s->entity, .sorted = !s->max && !s->rate};
	struct outlet_options options = {
		.to = &to,
		.rate = (uint64_t)s->rate,
		.encoder =
			{
				.domain = (uint32_t)s->domain,
				.biflow = !s->split,
				.version = is_v9(s) ? NETFLOW9_VERSION : IPFIX_VERSION,
				.origin = s->keep_exporter,
				.exact_times = s->keep_exporter,
			},
	};
	if (flows_parse_window(s->from, s->until, &window, &what) < 0 ||
	    sender_parse(s->to, &to) < 0)
		return say(s->to, what);
	if (flows_open(&window, &r->flows, error) < 0)
		return say("store", error);
	int ret = outlet_open(&r->outlet, &options);
	return ret < 0 ? say(s->to, strerror(-ret)) : EXIT_SUCCESS;
}

static void print_words(const struct replay *r, uint64_t begin_ns)
{
	char rate[16];
	double sec = (double)(clock_mono_ns() - begin_ns) / NS_PER_SEC;
	uint64_t per_sec = sec > 0 ? (uint64_t)((double)r->n_read / sec) : 0;
	fprintf(stderr,
		"weir replay: %llu flows in %llu messages, %.1f s, %s/s\n",
		(unsigned long long)r->n_read,
		(unsigned long long)r->outlet.n_messages,
		sec,
		progress_count(per_sec, rate));
}

static int run(const struct settings *s)
{
	uint64_t begin_ns = clock_mono_ns();
	struct replay r = {
		.settings = s,
		.speed = s->max || s->rate ? 0 : speed_of(s->speed),
	};
	progress_catch(); // the scratch folder must go, whatever happens
	signal(SIGPIPE, SIG_IGN);
	int status = open_all(&r);
	if (status == EXIT_SUCCESS) {
		int ret = send_all(&r);
		int last = 0;
		if (ret < 0)
			outlet_abandon(&r.outlet);
		else if ((last = outlet_close(&r.outlet)) < 0)
			say(s->to, strerror(-last));
		status = ret < 0 || last < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
		print_words(&r, begin_ns);
	}
	if (r.flows && flows_damaged(r.flows)) {
		say(s->dir, "damaged blocks; their flows are missing");
		status = EXIT_FAILURE;
	}
	flows_close(r.flows);
	return status;
}

int replay_main(int argc, char **argv)
{
	struct settings s = {};
	int status = config_parse(&program, argc, argv, &s, NULL);
	if (status == CONFIG_RUN)
		status = run(&s);
	config_free(&program, &s);
	return status;
}
