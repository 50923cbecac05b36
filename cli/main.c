// SPDX-License-Identifier: Apache-2.0

// weir: the operator's command. Data go to standard output, words to standard error.

#include "cli/commands.h"
#include "cli/doctor/doctor.h"
#include "cli/export.h"
#include "cli/import.h"
#include "cli/output.h"
#include "cli/query.h"
#include "cli/replay.h"
#include "cli/restore.h"
#include "cli/shape.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/control.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXIT_UNAVAILABLE 69 // sysexits EX_UNAVAILABLE

// The collector's working directory is not ours.
static json_t *absolute(const char *word)
{
	char path[PATH_MAX], cwd[PATH_MAX];
	if (*word == '/' || !getcwd(cwd, sizeof(cwd)))
		return json_string(word);
	int n = snprintf(path, sizeof(path), "%s/%s", cwd, word);
	return n > 0 && (size_t)n < sizeof(path) ? json_string(path) : NULL;
}

// Commands with options of their own (COMMAND --help).
static const struct program {
	const char *name;
	int (*main)(int argc, char **argv);
	const char *text;
} programs[] = {
	{"flows", query_main, "stored flows that pass a filter, newest first"},
	{"top", query_main, "stored flows summed up by fields, largest first"},
	{"series", query_main, "stored flows summed up by steps of time"},
	{"kpi", query_main, "totals, protocols, largest senders, receivers, ports"},
	{"import", import_main, "nfdump files and captures into the store"},
	{"export", export_main, "stored flows as nfdump files, CSV or JSON"},
	{"replay", replay_main, "stored flows to another collector"},
	{"restore", restore_main, "a store of what weir backup made"},
	{"doctor", doctor_main, "whether this machine has what it needs"},
};

#define N_PROGRAMS (sizeof(programs) / sizeof(programs[0]))

static int print_help(void)
{
	printf("Usage: weir COMMAND [OPTION]...\nAsks and steers the Weir collector.\n\n");
	for (size_t i = 0; i < n_commands; i++) {
		const struct command *c = &commands[i];
		char left[64];
		snprintf(
			left,
			sizeof(left),
			"%s %s %s",
			c->words[0],
			c->words[1] ? c->words[1] : "",
			c->operands ? c->operands : ""
		);
		printf("  %-40s %s\n", left, c->text);
	}
	for (size_t i = 0; i < N_PROGRAMS; i++)
		printf("  %-40s %s (%s --help)\n",
		       programs[i].name,
		       programs[i].text,
		       programs[i].name);
	printf("\n      --control PATH     the collector's socket [/run/weir/control.sock]\n"
	       "      --entity E         user add: whose flows the user sees [netflow]\n"
	       "      --role R           user add: viewer, analyst, admin or exporter [viewer]\n"
	       "      --since TIME       hits, hunt: from this time on: 2026-03-25T09:00:00Z, or "
	       "12h ago\n"
	       "      --limit N          hits: at most so many [200]; feeds test: indicators shown "
	       "[10]\n"
	       "      --force            feeds refresh: take one that has shrunk, too\n"
	       "  -o, --output FORMAT    table, json or csv [table]\n"
	       "      --help             show this and end\n"
	       "      --version          show the version and end\n");
	return 0;
}

static int usage(const char *what, const char *word)
{
	fprintf(stderr, "weir: %s%s%s (try --help)\n", what, *word ? ": " : "", word);
	return CONFIG_EXIT_USAGE;
}

// A time, or how long ago, as seconds since 1970; 0: neither.
static int64_t since_of(const char *text)
{
	static const struct {
		char unit;
		int64_t sec;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
	char *end;
	long long n = strtoll(text, &end, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (n > 0 && n < 1000000 && end[0] == units[i].unit && !end[1])
			return (int64_t)(clock_now_ns() / NS_PER_SEC) - n * units[i].sec;
	return clock_parse_sec(text, strlen(text));
}

// Reads options into *o, leaving the other words in front of argv; *ret_words is their number.
static int parse_options(int argc, char **argv, struct options *o, int *ret_words)
{
	static const struct option longs[] = {
		{"control", required_argument, NULL, 'C'},
		{"entity", required_argument, NULL, 'e'},
		{"role", required_argument, NULL, 'r'},
		{"since", required_argument, NULL, 's'},
		{"limit", required_argument, NULL, 'l'},
		{"force", no_argument, NULL, 'f'},
		{"output", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{},
	};
	int c, n = 0;
	while ((c = getopt_long(argc, argv, "-o:h", longs, NULL)) != -1) {
		if (c == 1)
			argv[n++] = optarg;
		else if (c == 'C')
			o->control = optarg;
		else if (c == 'e')
			o->entity = optarg;
		else if (c == 'r')
			o->role = optarg;
		else if (c == 's' && !(o->since_sec = since_of(optarg)))
			return usage("--since: expected a time, or 12h, 7d and the like", optarg);
		else if (c == 'l' && (o->limit = strtoll(optarg, NULL, 10)) <= 0)
			return usage("--limit: expected a number from 1 on", optarg);
		else if (c == 'f')
			o->force = true;
		else if (c == 'o' && output_format_parse(optarg, &o->format) < 0)
			return usage("output is table, json or csv, not", optarg);
		else if (c == 'h')
			return print_help();
		else if (c == 'V')
			return printf("weir %s\n", WEIR_VERSION) < 0;
		else if (c == '?')
			return CONFIG_EXIT_USAGE;
	}
	*ret_words = n;
	return CONFIG_RUN;
}

static int n_keys(const struct command *c)
{
	int n = 0;
	while (n < OPERANDS_MAX && c->operand_keys[n])
		n++;
	return n;
}

static const struct command *find_command(char **words, int n, struct options *o)
{
	for (size_t i = 0; i < n_commands; i++) {
		const struct command *c = &commands[i];
		int own = c->words[1] ? 2 : 1, keys = n_keys(c);
		if (n < own || strcmp(words[0], c->words[0]) != 0 ||
		    (own == 2 && strcmp(words[1], c->words[1]) != 0))
			continue;
		o->operands = words + own;
		o->n_operands = n - own;
		bool few = o->n_operands < keys - c->n_optional;
		return few || (o->n_operands > keys && !c->takes_pairs) ? NULL : c;
	}
	return NULL;
}

// "score=700" as {"score": 700}: what is a number is sent as one.
static bool add_pair(json_t *args, const char *pair)
{
	const char *equals = strchr(pair, '=');
	char key[64], *end;
	if (!equals || equals == pair || (size_t)(equals - pair) >= sizeof(key))
		return false;
	memcpy(key, pair, (size_t)(equals - pair));
	key[equals - pair] = '\0';
	errno = 0;
	long long number = strtoll(equals + 1, &end, 10);
	bool is_number = equals[1] && !*end && errno == 0;
	json_object_set_new(args, key, is_number ? json_integer(number) : json_string(equals + 1));
	return true;
}

// A file's content, or the word itself when there is no such file.
static json_t *content(const char *word)
{
	struct stat st;
	json_t *text = NULL;
	char *data;
	int fd = open(word, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		if (fd >= 0)
			close(fd);
		return json_string(word);
	}
	data = st.st_size < CONTROL_LINE_MAX ? malloc((size_t)st.st_size + 1) : NULL;
	if (data && read(fd, data, (size_t)st.st_size) == (ssize_t)st.st_size)
		text = json_stringn(data, (size_t)st.st_size);
	free(data);
	close(fd);
	return text;
}

// NULL, and said why, when an operand cannot be sent.
static json_t *arguments(const struct command *c, const struct options *o)
{
	json_t *args = json_object();
	int keys = n_keys(c);
	for (int i = 0; i < o->n_operands; i++) {
		const char *word = o->operands[i];
		bool ok = true;
		if (i >= keys)
			ok = add_pair(args, word);
		else if (c->takes_dir)
			ok = json_object_set_new(args, c->operand_keys[i], absolute(word)) == 0;
		else if (c->takes_file && i == keys - 1)
			ok = json_object_set_new(args, c->operand_keys[i], content(word)) == 0;
		else
			ok = json_object_set_new(args, c->operand_keys[i], json_string(word)) == 0;
		if (!ok) {
			fprintf(stderr,
				"weir: %s: %s\n",
				word,
				i >= keys ? "expected key=value"
					  : "cannot be sent: no UTF-8, or above 1 MiB");
			json_decref(args);
			return NULL;
		}
	}
	if (c->takes_file && o->n_operands)
		json_object_set_new(args, "what", json_string(o->operands[0]));
	if (o->entity)
		json_object_set_new(args, "entity", json_string(o->entity));
	if (o->role)
		json_object_set_new(args, "role", json_string(o->role));
	if (o->since_sec)
		json_object_set_new(args, "since", json_integer(o->since_sec));
	if (o->limit)
		json_object_set_new(args, "limit", json_integer(o->limit));
	if (o->force)
		json_object_set_new(args, "force", json_true());
	json_object_set_new(args, "by", shape_by());
	return args;
}

static int run(const struct command *c, const struct options *o)
{
	char error[256];
	if (c->local)
		return c->local(o);
	json_t *args = arguments(c, o), *result = NULL;
	if (!args)
		return CONFIG_EXIT_USAGE;
	int ret = control_call(o->control, c->cmd, args, &result, error);
	json_decref(args);
	if (ret < 0) {
		fprintf(stderr, "weir: %s\n", error);
		return ret == -EREMOTEIO ? EXIT_FAILURE : EXIT_UNAVAILABLE;
	}
	json_t *rows =
		c->shape && o->format != OUTPUT_JSON ? c->shape(result) : json_incref(result);
	output_rows(rows, c->columns, o->format);
	json_decref(rows);
	json_decref(result);
	return EXIT_SUCCESS;
}

// Their options are long ones: -o is what it is elsewhere.
static int run_program(const struct program *p, int argc, char **argv)
{
	static char output[] = "--output";
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-o") == 0)
			argv[i] = output;
	}
	return p->main(argc, argv);
}

int main(int argc, char **argv)
{
	struct options o = {.control = "/run/weir/control.sock"};
	int n = 0;
	for (size_t i = 0; argc > 1 && i < N_PROGRAMS; i++) {
		if (strcmp(argv[1], programs[i].name) == 0)
			return run_program(&programs[i], argc - 1, argv + 1);
	}
	int ret = parse_options(argc, argv, &o, &n);
	if (ret != CONFIG_RUN)
		return ret;
	if (n == 0)
		return usage("no command", "");
	const struct command *c = find_command(argv, n, &o);
	if (!c)
		return usage("unknown command, or too few words or too many", argv[0]);
	return run(c, &o);
}
