// SPDX-License-Identifier: Apache-2.0
#pragma once

// Configuration as a table. Each program describes its settings once, as config_items; from that
// table come the defaults, the keys of weir.yaml, the command line's flags, --help, --print-config
// and the checks of type and range. Flags win over the file, the file over the defaults.
//
// The file is YAML; a nested mapping is a dotted key ("collector: {listen: [..]}" is
// collector.listen). One file serves all programs: a section that a program has no item in is left
// to the others, an unknown key anywhere else is an error, said as "file:line:col: what".
// Thread: control.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_type {
	CONFIG_BOOL,	 // bool        yes no true false on off
	CONFIG_INT,	 // int64_t     min..max
	CONFIG_DURATION, // int64_t ns  "250ms" "30s" "5m" "2h" "7d"; a bare number is seconds
	CONFIG_SIZE,	 // int64_t     "64 MiB" "10G" "4096" (K, M, G, T are powers of 1024)
	CONFIG_STRING,	 // char *      never NULL; "" when the default is ""
	CONFIG_LIST,	 // struct config_list; a flag may be given several times
	CONFIG_MAP,	 // struct config_map; key "entities.*": names chosen by the user
};

struct config_list {
	char **items;
	size_t n;
};

struct config_map_entry {
	char *name;
	struct config_list values;
};

struct config_map {
	struct config_map_entry *entries;
	size_t n;
};

struct config_item {
	const char *key;  // "sensor.idle_timeout"; NULL: a flag only
	const char *flag; // "idle-timeout"; NULL: no flag; neither: the words that are no flags
	const char *arg;  // the flag's argument in --help; NULL: a switch (CONFIG_BOOL)
	enum config_type type;
	size_t offset;	  // of the member in the program's struct
	int64_t min, max; // CONFIG_INT, CONFIG_DURATION, CONFIG_SIZE; 0, 0: any
	const char *def;  // as text; items of a list apart by one space; NULL: empty
	const char *text; // one line for --help and the docs, with the unit
};

struct config_program {
	const char *name;	   // "weir-sensor"
	const char *section;	   // "sensor": this program's own section
	const char *const *others; // keys of its sections that only others read; ended by NULL
	const char *synopsis;	   // after the name in --help
	const char *about;	   // one or two sentences
	const struct config_item *items;
	size_t n_items;
	size_t size; // of the program's struct
	// Checks what the table cannot; NULL or the fault in *ret_what; may be NULL itself.
	int (*check)(const void *config, const char **ret_what);
};

#define CONFIG_EXIT_USAGE 2
#define CONFIG_EXIT_BAD 78 // sysexits EX_CONFIG

enum { CONFIG_RUN = -1 };

// Fills *config (the program's zeroed struct) from defaults, file and flags. Handles -c FILE,
// --check-config, --help, --version and a lone "--" (the rest is for others, from *ret_rest on).
// Returns CONFIG_RUN when the program is to go on, else the exit status; words are on stderr,
// --help, --version and --print-config are on stdout. May be called again on SIGHUP with a fresh
// struct.
[[nodiscard]] int
config_parse(const struct config_program *p, int argc, char **argv, void *config, int *ret_rest);

// Frees what the items own and zeroes the struct.
void config_free(const struct config_program *p, void *config);

// Prints every setting with its default and text, as a file that config_parse can read.
void config_print(const struct config_program *p);

// For config_yaml.c: sets one item from text. `value` of a list adds one entry. 0, or -EINVAL with
// the reason in *ret_what.
[[nodiscard]] int config_set(
	const struct config_item *item,
	void *config,
	const char *name,
	const char *value,
	const char **ret_what
);

// For config_parse: reads the file into *config; 0, or -EINVAL with "file:line:col: what" written.
[[nodiscard]] int config_yaml_load(
	const struct config_program *p, const char *path, void *config, char *what, size_t what_len
);
