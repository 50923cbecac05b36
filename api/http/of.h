// SPDX-License-Identifier: Apache-2.0
#pragma once

// Settings of the routes that OphanimFlow's clients use: whose hosts count as ours, and who may ask
// without a token, as those clients do. Thread: control at start; const afterwards.

#include "api/config.h"
#include "lib/base/addr.h"

#include <stddef.h>

struct of_net {
	struct prefix prefix;
	const char *text; // "Office LAN", or ""; the setting's
};

struct of;

// 0, -ENOMEM, or -EINVAL with the entry that is no network in *ret_bad.
[[nodiscard]] int
of_create(const struct api_config *config, struct of **ret_of, const char **ret_bad);
void of_free(struct of *of);

// Whether the address may ask without a token.
bool of_is_open(const struct of *of, const struct addr *a);
