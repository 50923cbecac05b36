// SPDX-License-Identifier: Apache-2.0
#include "lib/base/cpulist.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cpulist_parse(const char *text, struct cpulist *ret_list)
{
	struct cpulist l = {};
	while (*text && *text != '\n') {
		char *end;
		unsigned long first = strtoul(text, &end, 10), last = first;
		if (end == text)
			return -EINVAL;
		if (*end == '-') {
			text = end + 1;
			last = strtoul(text, &end, 10);
			if (end == text)
				return -EINVAL;
		}
		if (last < first || last >= UINT16_MAX || last - first >= CPULIST_MAX - l.n)
			return -EINVAL;
		for (unsigned long cpu = first; cpu <= last; cpu++)
			l.cpus[l.n++] = (uint16_t)cpu;
		text = end + (*end == ',');
	}
	*ret_list = l;
	return 0;
}

void cpulist_affinity(struct cpulist *ret_list)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		CPU_SET(0, &set);
	ret_list->n = 0;
	for (unsigned cpu = 0; cpu < CPU_SETSIZE && cpu < CPULIST_MAX; cpu++)
		if (CPU_ISSET(cpu, &set))
			ret_list->cpus[ret_list->n++] = (uint16_t)cpu;
}

const char *cpulist_format(const struct cpulist *l, char text[static CPULIST_TEXT_LEN])
{
	size_t at = 0;
	text[0] = '\0';
	for (unsigned i = 0, next; i < l->n && at + 16 < CPULIST_TEXT_LEN; i = next) {
		for (next = i + 1; next < l->n && l->cpus[next] == l->cpus[next - 1] + 1; next++)
			;
		at += (size_t
		)snprintf(text + at, CPULIST_TEXT_LEN - at, "%s%u", i ? "," : "", l->cpus[i]);
		if (next - i > 1)
			at += (size_t
			)snprintf(text + at, CPULIST_TEXT_LEN - at, "-%u", l->cpus[next - 1]);
	}
	return text;
}

bool cpulist_has(const struct cpulist *l, unsigned cpu)
{
	for (unsigned i = 0; i < l->n; i++)
		if (l->cpus[i] == cpu)
			return true;
	return false;
}

unsigned cpulist_worker(const struct cpulist *l, unsigned i)
{
	return l->cpus[l->n - 1 - i % l->n];
}
