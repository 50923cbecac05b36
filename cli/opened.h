// SPDX-License-Identifier: Apache-2.0
#pragma once

// The store of a collector, opened for reading by a command: a secondary with a scratch folder of
// its own that goes with it, and one view. Thread: control.

#include "collector/store/read.h"

#define OPENED_ERROR_LEN STORE_READ_ERROR_LEN

struct opened;

// 0, or -errno with the words for the user in `error`.
[[nodiscard]] int opened_open(
	const char *dir,
	const char *entity,
	struct opened **ret_opened,
	char error[static OPENED_ERROR_LEN]
);
void opened_close(struct opened *o); // NULL is fine

struct store_view *opened_view(const struct opened *o);
uint16_t opened_entity(const struct opened *o);
