// SPDX-License-Identifier: Apache-2.0
#include "cli/tally.h"

#include <string.h>

void tally_add(struct tally *t, const char *group, const char *name, uint64_t n)
{
	if (n == 0)
		return;
	size_t i = 0;
	while (i < t->n &&
	       (strcmp(t->entries[i].group, group) != 0 || strcmp(t->entries[i].name, name) != 0))
		i++;
	if (i == TALLY_MAX)
		return;
	if (i == t->n)
		t->entries[t->n++] = (struct tally_entry){.group = group, .name = name};
	t->entries[i].n += n;
}

uint64_t tally_sum(const struct tally *t, const char *group)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < t->n; i++) {
		if (strcmp(t->entries[i].group, group) == 0)
			sum += t->entries[i].n;
	}
	return sum;
}
