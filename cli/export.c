// SPDX-License-Identifier: Apache-2.0
#include "cli/export.h"

#include "cli/flows.h"
#include "cli/progress.h"
#include "cli/rows.h"
#include "cli/slots.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UPDATE_ROWS 4096
#define MINUTE_NS (60 * (int64_t)NS_PER_SEC)
#define HOUR_NS (60 * MINUTE_NS)

enum format { FORMAT_NFCAPD, FORMAT_CSV, FORMAT_JSONL, N_FORMATS };

static const char *const format_names[N_FORMATS] = {
	[FORMAT_NFCAPD] = "nfcapd",
	[FORMAT_CSV] = "csv",
	[FORMAT_JSONL] = "jsonl",
};

struct settings {
	char *dir, *from, *to, *until, *entity, *format, *out, *compress;
	int64_t every_ns;
	bool split;
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
	{NULL,
	 "from",
	 "TIME",
	 CONFIG_STRING,
	 AT(from),
	 0,
	 0,
	 NULL,
	 "flows that began then or later, UTC: 2026/03/25 09:00; none given: all"},
	{NULL, "to", "TIME", CONFIG_STRING, AT(to), 0, 0, NULL, "up to that minute's end"},
	{NULL, "until", "TIME", CONFIG_STRING, AT(until), 0, 0, NULL, "the same"},
	{NULL, "entity", "E", CONFIG_STRING, AT(entity), 0, 0, "netflow", "whose flows"},
	{NULL,
	 "format",
	 "FORMAT",
	 CONFIG_STRING,
	 AT(format),
	 0,
	 0,
	 "csv",
	 "nfcapd (nfdump 1.7 files), csv or jsonl"},
	{NULL,
	 "out",
	 "PATH",
	 CONFIG_STRING,
	 AT(out),
	 0,
	 0,
	 "-",
	 "a folder for nfcapd, else a file; -: standard output"},
	{NULL,
	 "every",
	 "TIME",
	 CONFIG_DURATION,
	 AT(every_ns),
	 MINUTE_NS,
	 HOUR_NS,
	 "1h",
	 "nfcapd: a file for each so long, a whole part of an hour"},
	{NULL,
	 "compress",
	 "HOW",
	 CONFIG_STRING,
	 AT(compress),
	 0,
	 0,
	 "lz4",
	 "nfcapd: none, lzo, lz4 or bz2"},
	{NULL,
	 "split",
	 NULL,
	 CONFIG_BOOL,
	 AT(split),
	 0,
	 0,
	 NULL,
	 "a biflow becomes two flows, one each way"},
};

static int format_of(const char *text)
{
	for (int i = 0; i < N_FORMATS; i++) {
		if (strcmp(text, format_names[i]) == 0)
			return i;
	}
	return -EINVAL;
}

static int check(const void *config, const char **ret_what)
{
	const struct settings *s = config;
	struct flows_options window;
	enum nfdump_codec codec;
	int format = format_of(s->format);
	*ret_what = NULL;
	if (flows_parse_window(s->from, *s->to ? s->to : s->until, &window, ret_what) < 0)
		return -EINVAL;
	if (format < 0)
		*ret_what = "--format is nfcapd, csv or jsonl";
	else if (nfdump_codec_parse(s->compress, &codec) < 0)
		*ret_what = "--compress is none, lzo, lz4 or bz2";
	else if (HOUR_NS % s->every_ns || s->every_ns % MINUTE_NS)
		*ret_what = "--every is a whole part of an hour: 1h, 30m, 15m, 10m, 5m, 1m";
	else if (format == FORMAT_NFCAPD && strcmp(s->out, "-") == 0)
		*ret_what = "--format nfcapd needs --out DIR";
	return *ret_what ? -EINVAL : 0;
}

static const struct config_program program = {
	.name = "weir export",
	.section = "export",
	.synopsis = "[--store DIR] [--format nfcapd|csv|jsonl] [--out PATH] [OPTION]...",
	.about = "Writes stored flows, beside a running collector or without one.",
	.items = items,
	.n_items = sizeof(items) / sizeof(*items),
	.size = sizeof(struct settings),
	.check = check,
};

// Where the rows go: text, or nfdump files.
struct target {
	int fd; // of text; -1: not ours to close
	bool is_new;
	struct rows *rows;
	struct slots *slots;
	uint64_t n_rows, n_files;
};

static int say(const char *what)
{
	fprintf(stderr, "weir export: %s\n", what);
	return EXIT_FAILURE;
}

static int say_errno(const char *what, int ret)
{
	fprintf(stderr, "weir export: %s: %s\n", what, strerror(-ret));
	return EXIT_FAILURE;
}

static int open_slots(const struct settings *s, struct target *t)
{
	char error[SLOTS_ERROR_LEN];
	struct slots_options options = {
		.dir = s->out,
		.slot_ns = (uint64_t)s->every_ns,
		.ident = s->entity,
	};
	int ret = nfdump_codec_parse(s->compress, &options.codec);
	if (ret == 0)
		ret = slots_open(&options, &t->slots, error);
	return ret < 0 ? say(error) : EXIT_SUCCESS;
}

static int open_rows(const struct settings *s, struct target *t)
{
	enum rows_format format = format_of(s->format) == FORMAT_CSV ? ROWS_CSV : ROWS_JSONL;
	bool is_stdout = strcmp(s->out, "-") == 0;
	struct stat st;
	// a file that is there already is left alone; a pipe or device is written to
	t->is_new = stat(s->out, &st) < 0 || S_ISREG(st.st_mode);
	int flags = O_WRONLY | O_CLOEXEC | (t->is_new ? O_CREAT | O_EXCL : 0);
	int fd = is_stdout ? STDOUT_FILENO : open(s->out, flags, 0640);
	if (fd < 0)
		return say_errno(s->out, -errno);
	t->fd = is_stdout ? -1 : fd;
	t->rows = rows_open(fd, format);
	return t->rows ? EXIT_SUCCESS : say_errno(s->out, -ENOMEM);
}

static int add_one(struct target *t, const struct record *r, char error[static SLOTS_ERROR_LEN])
{
	t->n_rows++;
	if (t->slots)
		return slots_add(t->slots, r, error);
	int ret = rows_add(t->rows, r);
	if (ret < 0)
		snprintf(error, SLOTS_ERROR_LEN, "%s", strerror(-ret));
	return ret;
}

static int add(struct target *t, struct record *r, bool split, char error[static SLOTS_ERROR_LEN])
{
	struct record reverse;
	if (!split || !record_reverse(r, &reverse))
		return add_one(t, r, error);
	r->rev_packets = r->rev_bytes = 0;
	r->rev_tcp_flags = 0;
	int ret = add_one(t, r, error);
	return ret < 0 ? ret : add_one(t, &reverse, error);
}

// Every flow of the window into the target. 0, or -errno with the words in `error`.
static int
copy(const struct settings *s, struct flows *f, struct target *t, char error[SLOTS_ERROR_LEN])
{
	struct progress progress;
	struct record r;
	int ret, added = 0;
	snprintf(error, SLOTS_ERROR_LEN, "the store cannot be read");
	progress_begin(&progress, "exporting", "flows", flows_total(f));
	while (added == 0 && (ret = flows_next(f, &r)) > 0) {
		added = add(t, &r, s->split, error);
		if (t->n_rows % UPDATE_ROWS)
			continue;
		progress_update(&progress, flows_passed(f), t->n_rows);
		if (progress_stopped()) {
			snprintf(error, SLOTS_ERROR_LEN, "interrupted");
			added = -EINTR;
		}
	}
	progress_end(&progress);
	return added < 0 ? added : ret;
}

// Ends the target; removes what is not whole when `ret` tells of a failure.
static int
close_target(const struct settings *s, struct target *t, int ret, char error[SLOTS_ERROR_LEN])
{
	if (t->slots && ret < 0)
		slots_abandon(t->slots);
	else if (t->slots)
		ret = slots_close(t->slots, &t->n_files, error);
	if (t->rows) {
		int last = rows_close(t->rows);
		if (ret == 0 && last < 0)
			snprintf(error, SLOTS_ERROR_LEN, "%.400s: %s", s->out, strerror(-last));
		ret = ret == 0 ? last : ret;
	}
	if (t->fd >= 0) {
		close(t->fd);
		if (ret < 0 && t->is_new)
			unlink(s->out);
	}
	return ret;
}

static void print_words(const struct target *t, uint64_t begin_ns)
{
	char rate[16];
	double sec = (double)(clock_mono_ns() - begin_ns) / NS_PER_SEC;
	uint64_t per_sec = sec > 0 ? (uint64_t)((double)t->n_rows / sec) : 0;
	fprintf(stderr, "weir export: %llu flows", (unsigned long long)t->n_rows);
	if (t->slots)
		fprintf(stderr, " in %llu files", (unsigned long long)t->n_files);
	fprintf(stderr, ", %.1f s, %s/s\n", sec, progress_count(per_sec, rate));
}

static int run(const struct settings *s)
{
	char error[FLOWS_ERROR_LEN] = "";
	struct target t = {.fd = -1};
	struct flows_options options = {.dir = s->dir, .entity = s->entity};
	struct flows *f;
	const char *what;
	uint64_t begin_ns = clock_mono_ns();
	static_assert(FLOWS_ERROR_LEN >= SLOTS_ERROR_LEN, "either's words fit");

	if (flows_parse_window(s->from, *s->to ? s->to : s->until, &options, &what) < 0)
		return say(what);
	progress_catch(); // the scratch folder must go, whatever happens
	signal(SIGPIPE, SIG_IGN);
	if (flows_open(&options, &f, error) < 0)
		return say(error);
	bool is_nfcapd = format_of(s->format) == FORMAT_NFCAPD;
	int status = is_nfcapd ? open_slots(s, &t) : open_rows(s, &t);
	if (status != EXIT_SUCCESS) {
		flows_close(f);
		return status;
	}
	int ret = copy(s, f, &t, error);
	ret = close_target(s, &t, ret, error);
	uint64_t damaged = flows_damaged(f);
	flows_close(f);
	if (ret == -EPIPE)
		return EXIT_FAILURE; // whoever reads has seen enough
	if (ret < 0)
		return say(error);
	print_words(&t, begin_ns);
	if (damaged)
		fprintf(stderr,
			"weir export: %llu blocks of the store are damaged; their flows are "
			"missing\n",
			(unsigned long long)damaged);
	return damaged ? EXIT_FAILURE : EXIT_SUCCESS;
}

int export_main(int argc, char **argv)
{
	struct settings s = {};
	int status = config_parse(&program, argc, argv, &s, NULL);
	if (status == CONFIG_RUN)
		status = run(&s);
	config_free(&program, &s);
	return status;
}
