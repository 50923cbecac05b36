// SPDX-License-Identifier: Apache-2.0
#pragma once

// Files of indicators to a database, for programs that have nothing but files. Each file is a feed
// of its own, named by its file name.
// Thread: any that may block.

#include "lib/intel/database.h"
#include "lib/intel/feed.h"

#define INTEL_FILE_MAX (1ull << 30) // bytes

// Told of each file that was read.
typedef void (*intel_load_report)(void *ctx, const char *path, const struct feed_report *report);

// 0, or -errno with the reason, which names the file, in `error`; then nothing is loaded.
[[nodiscard]] int intel_load_files(
	const char *const *paths,
	size_t n,
	const struct intel_options *options,
	intel_load_report report,
	void *ctx,
	struct intel_db **ret_db,
	char error[static INTEL_ERROR_LEN]
);

// The feed's name of a path: its last part, in the characters that names may have.
void intel_name_of_path(const char *path, char name[static INTEL_FEED_NAME_MAX + 1]);
