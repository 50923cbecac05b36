// SPDX-License-Identifier: Apache-2.0
#pragma once

// The commands that ask a control socket: what each sends, and how its answer is shown, in one
// table. Thread: main.

#include "cli/output.h"

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORDS_MAX 3
#define OPERANDS_MAX 3

struct options {
	const char *control;
	const char *entity;
	const char *role;
	int64_t since_sec; // 1970; 0: not given
	int64_t limit;	   // 0: not given
	bool force;
	enum output_format format;
	char **operands;
	int n_operands;
};

struct command {
	const char *words[WORDS_MAX];		// "user", "add"
	const char *operands;			// in --help; NULL: none
	const char *cmd;			// of the control socket
	const char *operand_keys[OPERANDS_MAX]; // the arguments the operands become, ended by NULL
	int n_optional;				// of them, from the last on
	bool takes_dir;				// the operand is a path on this machine
	bool takes_pairs;			// more operands of the form key=value
	bool takes_file;	    // the last operand may be a file, whose content is sent
	const char *columns[11];    // of the table; none: the answer is shown as it is
	json_t *(*shape)(json_t *); // turns the answer into rows; NULL: it has rows
	// answers here and now, without the collector; the exit status
	int (*local)(const struct options *o);
	const char *text;
};

extern const struct command commands[];
extern const size_t n_commands;
