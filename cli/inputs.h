// SPDX-License-Identifier: Apache-2.0
#pragma once

// The files that a command was told to read, folders walked: in the order of their paths, which is
// the order of time for nfcapd's names.
// Thread: control.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct input {
	char *path;
	uint64_t size;
	bool is_found; // in a folder: not named by the user
};

struct inputs {
	struct input *files;
	size_t n;
	uint64_t size; // of all
};

// 0, or -errno with the path at fault in *ret_path (one of `paths`).
[[nodiscard]] int
inputs_list(char *const *paths, size_t n, struct inputs *ret_inputs, const char **ret_path);
void inputs_free(struct inputs *in);

enum input_kind { INPUT_UNKNOWN, INPUT_NFDUMP, INPUT_CAPTURE };

// What an open file is by its first bytes.
enum input_kind input_kind_of(int fd);
