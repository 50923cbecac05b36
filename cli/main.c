// SPDX-License-Identifier: Apache-2.0

// weir: the operator's command. Data go to standard output, words to standard error. What a command
// sends to the collector's control socket and how its answer is shown stand in one table.

#include "cli/doctor/doctor.h"
#include "cli/export.h"
#include "cli/import.h"
#include "cli/output.h"
#include "cli/replay.h"
#include "lib/base/config.h"
#include "lib/base/control.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_UNAVAILABLE 69 // sysexits EX_UNAVAILABLE
#define WORDS_MAX 3

struct options {
	const char *control;
	const char *entity;
	const char *role;
	enum output_format format;
	const char *operand;
};

struct command {
	const char *words[WORDS_MAX]; // "user", "add"
	const char *operand;	      // its name in --help; NULL: none
	const char *cmd;	      // of the control socket
	const char *operand_key;      // the argument the operand becomes
	const char *columns[8];	      // of the table; none: the answer is shown as it is
	json_t *(*shape)(json_t *);   // turns the answer into rows; NULL: it has rows
	const char *text;
};

static void add_counters(json_t *rows, json_t *group, const char *kind)
{
	const char *name;
	json_t *value;
	json_object_foreach(group, name, value) json_array_append_new(
		rows, json_pack("{s:s,s:s,s:O}", "kind", kind, "name", name, "value", value)
	);
}

static json_t *ledger_rows(json_t *answer)
{
	json_t *rows = json_array();
	add_counters(rows, json_object_get(answer, "counters"), "counter");
	add_counters(rows, json_object_get(answer, "drops"), "drop");
	add_counters(rows, json_object_get(answer, "store"), "store");
	return rows;
}

#define USER_COLUMNS                                                                               \
	{                                                                                          \
		"name", "entity", "role", "api_id", "created"                                      \
	}

static const struct command commands[] = {
	{.words = {"ledger"},
	 .cmd = "ledger",
	 .columns = {"kind", "name", "value"},
	 .shape = ledger_rows,
	 .text = "what came in, what was stored, what was dropped and why"},
	{.words = {"seal"},
	 .cmd = "seal",
	 .columns = {"sealed"},
	 .text = "seal all hours now, the running one too"},
	{.words = {"user", "add"},
	 .operand = "NAME",
	 .cmd = "user.add",
	 .operand_key = "name",
	 .columns = {"name", "entity", "role", "api_id", "secret"},
	 .text = "create API credentials; the secret is shown this once"},
	{.words = {"user", "list"},
	 .cmd = "user.list",
	 .columns = USER_COLUMNS,
	 .text = "who has credentials"},
	{.words = {"user", "rotate"},
	 .operand = "NAME",
	 .cmd = "user.rotate",
	 .operand_key = "user",
	 .columns = {"name", "entity", "role", "api_id", "secret"},
	 .text = "new credentials; the old ones and their tokens end at once"},
	{.words = {"user", "del"},
	 .operand = "NAME",
	 .cmd = "user.del",
	 .operand_key = "user",
	 .columns = USER_COLUMNS,
	 .text = "remove credentials"},
	{.words = {"ping"},
	 .cmd = "ping",
	 .columns = {"version", "uptime_sec"},
	 .text = "is the collector there"},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

// Commands with options of their own (COMMAND --help).
static const struct program {
	const char *name;
	int (*main)(int argc, char **argv);
	const char *text;
} programs[] = {
	{"import", import_main, "nfdump files and captures into the store"},
	{"export", export_main, "stored flows as nfdump files, CSV or JSON"},
	{"replay", replay_main, "stored flows to another collector"},
	{"doctor", doctor_main, "whether this machine has what it needs"},
};

#define N_PROGRAMS (sizeof(programs) / sizeof(programs[0]))

static int print_help(void)
{
	printf("Usage: weir COMMAND [OPTION]...\nAsks and steers the Weir collector.\n\n");
	for (size_t i = 0; i < N_COMMANDS; i++) {
		const struct command *c = &commands[i];
		char left[48];
		snprintf(
			left,
			sizeof(left),
			"%s %s %s",
			c->words[0],
			c->words[1] ? c->words[1] : "",
			c->operand ? c->operand : ""
		);
		printf("  %-22s %s\n", left, c->text);
	}
	for (size_t i = 0; i < N_PROGRAMS; i++)
		printf("  %-22s %s (%s --help)\n",
		       programs[i].name,
		       programs[i].text,
		       programs[i].name);
	printf("\n      --control PATH     the collector's socket [/run/weir/control.sock]\n"
	       "      --entity E         user add: whose flows the user sees [netflow]\n"
	       "      --role R           user add: viewer, analyst or admin [viewer]\n"
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

// Reads options into *o, leaving the other words in front of argv; *ret_words is their number.
static int parse_options(int argc, char **argv, struct options *o, int *ret_words)
{
	static const struct option longs[] = {
		{"control", required_argument, NULL, 'C'},
		{"entity", required_argument, NULL, 'e'},
		{"role", required_argument, NULL, 'r'},
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

static const struct command *find_command(char **words, int n, struct options *o)
{
	for (size_t i = 0; i < N_COMMANDS; i++) {
		const struct command *c = &commands[i];
		int own = c->words[1] ? 2 : 1;
		if (n < own || strcmp(words[0], c->words[0]) != 0 ||
		    (own == 2 && strcmp(words[1], c->words[1]) != 0))
			continue;
		o->operand = n > own ? words[own] : NULL;
		return n <= own + (c->operand != NULL) ? c : NULL;
	}
	return NULL;
}

static json_t *arguments(const struct command *c, const struct options *o)
{
	json_t *args = json_object();
	if (o->operand)
		json_object_set_new(args, c->operand_key, json_string(o->operand));
	if (o->entity)
		json_object_set_new(args, "entity", json_string(o->entity));
	if (o->role)
		json_object_set_new(args, "role", json_string(o->role));
	return args;
}

static int run(const struct command *c, const struct options *o)
{
	char error[256];
	json_t *args = arguments(c, o), *result = NULL;
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
		return usage("unknown command", argv[0]);
	if (c->operand && !o.operand)
		return usage("missing", c->operand);
	return run(c, &o);
}
