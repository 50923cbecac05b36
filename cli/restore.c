// SPDX-License-Identifier: Apache-2.0
#include "cli/restore.h"

#include "collector/store/backup.h"
#include "lib/base/config.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STORE_DEFAULT "/var/lib/weir/store"

static int print_help(void)
{
	printf("Usage: weir restore BACKUP [--store DIR]\n"
	       "Makes a store of a folder that weir backup made. The store must not exist yet; "
	       "the\n"
	       "backup stays as it is. Reads all of it then, and ends with 1 when there is "
	       "damage.\n\n"
	       "      --store DIR    the store [" STORE_DEFAULT "]\n"
	       "      --help         show this and end\n");
	return 0;
}

static int usage(const char *what)
{
	fprintf(stderr, "weir restore: %s (try --help)\n", what);
	return CONFIG_EXIT_USAGE;
}

static int restore(const char *backup, const char *store)
{
	char error[STORE_ERROR_LEN] = "";
	struct store_condition s = {0};
	int ret = store_restore(backup, store, error);
	if (ret == 0)
		ret = store_condition(store, &s, error);
	if (ret < 0) {
		fprintf(stderr, "weir restore: %s\n", error);
		return EXIT_FAILURE;
	}
	bool ok = s.check.rows == s.rows_expected && !*s.check.first_bad;
	fprintf(stderr,
		"%s: %llu of %llu records restored%s%s\n",
		store,
		(unsigned long long)s.check.rows,
		(unsigned long long)s.rows_expected,
		ok ? "" : "; damaged: ",
		s.check.first_bad);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

int restore_main(int argc, char **argv)
{
	static const struct option longs[] = {
		{"store", required_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	const char *store = STORE_DEFAULT;
	int c;
	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == 'h')
			return print_help();
		if (c != 's')
			return CONFIG_EXIT_USAGE;
		store = optarg;
	}
	if (argc - optind != 1)
		return usage("one folder is expected");
	return restore(argv[optind], store);
}
