// SPDX-License-Identifier: Apache-2.0
#include "lib/base/prefixes.h"

#include <stdlib.h>

bool prefixes_are_valid(const struct config_list *list)
{
	struct prefix p;
	for (size_t i = 0; i < list->n; i++) {
		if (prefix_parse(list->items[i], &p) < 0)
			return false;
	}
	return true;
}

struct prefix *prefixes_of(const struct config_list *list)
{
	struct prefix *prefixes = calloc(list->n + 1, sizeof(*prefixes));
	for (size_t i = 0; prefixes && i < list->n; i++) {
		if (prefix_parse(list->items[i], &prefixes[i]) < 0)
			abort();
	}
	return prefixes;
}
