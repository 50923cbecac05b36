// SPDX-License-Identifier: Apache-2.0
// weir-gen: makes traffic whose sums are known, for tests, benches and the demo.
#include "bench/gen/gen.h"
#include "lib/base/config.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
		const char *text;
	} commands[] = {
		{"capture", gen_capture, "write a capture file"},
		{"export", gen_export, "send NetFlow, IPFIX or sFlow to a collector"},
	};
	const size_t n = sizeof(commands) / sizeof(*commands);

	for (size_t i = 0; argc > 1 && i < n; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	bool help = argc > 1 && strcmp(argv[1], "--help") == 0;
	FILE *out = help ? stdout : stderr;
	fprintf(out, "Usage: weir-gen COMMAND [OPTION]... (--help after a command explains it)\n");
	for (size_t i = 0; i < n; i++)
		fprintf(out, "  %-8s  %s\n", commands[i].name, commands[i].text);
	return help ? 0 : CONFIG_EXIT_USAGE;
}
