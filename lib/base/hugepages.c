// SPDX-License-Identifier: Apache-2.0
#include "lib/base/hugepages.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define MBUF_LEN 2560 // with its header and the pool's share
#define BASE_LEN (96ull << 20)

uint64_t hugepages_need(size_t n_ports, uint64_t n_mbufs)
{
	return BASE_LEN + n_ports * n_mbufs * MBUF_LEN;
}

static uint64_t read_number(const char *dir, const char *pool, const char *file)
{
	char path[PATH_MAX];
	unsigned long long n = 0;
	if (snprintf(path, sizeof(path), "%s/%s/%s", dir, pool, file) >= (int)sizeof(path))
		return 0;
	FILE *f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%llu", &n) != 1)
		n = 0;
	fclose(f);
	return n;
}

static int by_page_len(const void *a, const void *b)
{
	const struct hugepages_pool *p = a, *q = b;
	return p->page_len < q->page_len ? -1 : p->page_len > q->page_len;
}

int hugepages_read(
	const char *root,
	int node,
	struct hugepages_pool ret_pools[HUGEPAGES_POOLS_MAX],
	unsigned *ret_n
)
{
	char path[PATH_MAX];
	struct dirent *entry;
	unsigned n = 0;

	if (node < 0)
		snprintf(path, sizeof(path), "%s/sys/kernel/mm/hugepages", root);
	else
		snprintf(
			path,
			sizeof(path),
			"%s/sys/devices/system/node/node%d/hugepages",
			root,
			node
		);
	DIR *dir = opendir(path);
	if (!dir)
		return -errno;
	while (n < HUGEPAGES_POOLS_MAX && (entry = readdir(dir))) {
		unsigned long long kib;
		if (sscanf(entry->d_name, "hugepages-%llukB", &kib) != 1)
			continue;
		ret_pools[n++] = (struct hugepages_pool){
			.page_len = kib << 10,
			.n_total = read_number(path, entry->d_name, "nr_hugepages"),
			.n_free = read_number(path, entry->d_name, "free_hugepages"),
		};
	}
	closedir(dir);
	qsort(ret_pools, n, sizeof(ret_pools[0]), by_page_len);
	*ret_n = n;
	return n ? 0 : -ENOENT;
}

uint64_t hugepages_free_len(const struct hugepages_pool *pools, unsigned n)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < n; i++)
		sum += pools[i].n_free * pools[i].page_len;
	return sum;
}
