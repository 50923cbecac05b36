// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor/doctor.h"

#include "cli/doctor/needs.h"
#include "cli/doctor/print.h"
#include "cli/doctor/store.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SETTINGS "/etc/weir/weir.yaml"

struct options {
	const char *settings; // NULL: the installed file, if there is one
	const char *store;    // NULL: the machine is looked at
	bool repair;
	const char *root; // for tests, hence not in --help
	enum output_format format;
};

static int print_help(void)
{
	printf("Usage: weir doctor [-c FILE] [-o FORMAT]\n"
	       "       weir doctor --store DIR [--repair] [-o FORMAT]\n"
	       "Looks whether this machine has what the settings ask for, and prints the commands\n"
	       "that mend what is missing. Changes nothing. Ends with 1 when there is an error.\n\n"
	       "  -c, --config FILE      the settings [" SETTINGS ", where it is]\n"
	       "  -o, --output FORMAT    table, json or csv [table]\n"
	       "      --store DIR        read all of a store instead, and tell what is damaged\n"
	       "      --repair           make a damaged list of its files anew; stop the "
	       "collector\n"
	       "      --help             show this and end\n\nIt looks at:\n");
	for (const struct doctor_check *c = doctor_checks; c->name; c++)
		printf("  %-16s %s\n", c->name, c->text);
	return 0;
}

static int usage(const char *what, const char *word)
{
	fprintf(stderr, "weir doctor: %s: %s (try --help)\n", what, word);
	return CONFIG_EXIT_USAGE;
}

static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, 'c'},
		{"output", required_argument, NULL, 'o'},
		{"store", required_argument, NULL, 's'},
		{"repair", no_argument, NULL, 'r'},
		{"sysroot", required_argument, NULL, 'R'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	int c;
	while ((c = getopt_long(argc, argv, "c:o:h", longs, NULL)) != -1) {
		if (c == 'c')
			o->settings = optarg;
		else if (c == 's')
			o->store = optarg;
		else if (c == 'r')
			o->repair = true;
		else if (c == 'R')
			o->root = optarg;
		else if (c == 'o' && output_format_parse(optarg, &o->format) < 0)
			return usage("output is table, json or csv, not", optarg);
		else if (c == 'h')
			return print_help();
		else if (c == '?')
			return CONFIG_EXIT_USAGE;
	}
	if (o->repair && !o->store)
		return usage("--repair needs --store", "DIR");
	return optind < argc ? usage("unexpected argument", argv[optind]) : CONFIG_RUN;
}

static int look(const struct options *o, const char *settings)
{
	struct needs needs;
	int ret = needs_init(&needs, settings);
	struct doctor *d = ret == CONFIG_RUN ? doctor_create(o->root, &needs.doctor) : NULL;
	if (ret == CONFIG_RUN && (!d || doctor_run(d, DOCTOR_SENSOR | DOCTOR_COLLECTOR) < 0)) {
		fprintf(stderr, "weir doctor: no memory\n");
		ret = EXIT_FAILURE;
	} else if (ret == CONFIG_RUN) {
		doctor_print(d, settings, o->format);
		ret = doctor_status(d) == DOCTOR_ERROR ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	doctor_free(d);
	needs_fini(&needs);
	return ret;
}

int doctor_main(int argc, char **argv)
{
	struct options o = {.root = ""};
	char installed[PATH_MAX];
	int ret = parse_options(argc, argv, &o);
	if (ret != CONFIG_RUN)
		return ret;
	if (o.store)
		return doctor_store(o.store, o.repair, o.format);
	snprintf(installed, sizeof(installed), "%s%s", o.root, SETTINGS);
	if (!o.settings && access(installed, F_OK) == 0)
		o.settings = installed;
	return look(&o, o.settings);
}
