// SPDX-License-Identifier: Apache-2.0
#include "lib/base/hugepages.h"

#include "lib/doctor/checks.h"
#include "lib/doctor/host.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#define NODES_MAX 64
#define SYSFS_POOLS "/sys/kernel/mm/hugepages"

// "12 of 512 pages of 2 MiB free, 0 of 4 of 1024 MiB"
static const char *pools_text(const struct hugepages_pool *pools, unsigned n, char text[static 256])
{
	size_t at = 0;
	text[0] = '\0';
	for (unsigned i = 0; i < n && at + 64 < 256; i++)
		at += (size_t)snprintf(
			text + at,
			256 - at,
			"%s%" PRIu64 " of %" PRIu64 " %sof %llu MiB%s",
			i ? ", " : "",
			pools[i].n_free,
			pools[i].n_total,
			i ? "" : "pages ",
			doctor_mib(pools[i].page_len),
			i ? "" : " free"
		);
	return text;
}

// The commands that make `need` bytes free, `have` being there: in the pool of the smallest pages,
// which can be had at any time, 1 GiB ones hardly after the start of the machine. Now, and at each
// start. The node is -1 for the whole machine.
static void
mend_pool(struct doctor *d, int node, const struct hugepages_pool *p, uint64_t need, uint64_t have)
{
	uint64_t len = need - (have - p->n_free * p->page_len);
	uint64_t pages = p->n_total - p->n_free + (len + p->page_len - 1) / p->page_len;
	char dir[96] = SYSFS_POOLS, path[160], suffix[24] = "";
	if (node >= 0) {
		snprintf(dir, sizeof(dir), "/sys/devices/system/node/node%d/hugepages", node);
		snprintf(suffix, sizeof(suffix), "-node%d", node);
	}
	snprintf(
		path,
		sizeof(path),
		"%s/hugepages-%" PRIu64 "kB/nr_hugepages",
		dir,
		p->page_len >> 10
	);
	doctor_mend(d, "echo %" PRIu64 " > %s", pages, path);
	doctor_mend(
		d,
		"echo 'w %s - - - - %" PRIu64 "' > /etc/tmpfiles.d/weir-hugepages%s.conf",
		path,
		pages,
		suffix
	);
}

void check_hugepages(struct doctor *d)
{
	struct hugepages_pool pools[HUGEPAGES_POOLS_MAX];
	char text[256];
	unsigned n = 0;
	uint64_t need = d->needs->hugepage_len;
	// Without a NIC plain memory does, at some cost; a NIC's rings want real pages.
	enum doctor_status bad = d->needs->ports.n ? DOCTOR_ERROR : DOCTOR_WARNING;

	if (hugepages_read(d->root, -1, pools, &n) < 0) {
		doctor_found(
			d,
			bad,
			"the kernel has no hugepages (no " SYSFS_POOLS "), %llu MiB needed",
			doctor_mib(need)
		);
		doctor_mend(d, "# boot a kernel with CONFIG_HUGETLBFS, such as Debian's own");
		return;
	}
	uint64_t have = hugepages_free_len(pools, n);
	uint64_t used = doctor_used_by_sensor(d, "HugetlbPages");
	if (have + used >= need) {
		doctor_found(
			d,
			DOCTOR_OK,
			"%llu MiB of hugepages free, %llu in use by weir-sensor, %llu needed (%s)",
			doctor_mib(have),
			doctor_mib(used),
			doctor_mib(need),
			pools_text(pools, n, text)
		);
		return;
	}
	doctor_found(
		d,
		bad,
		"%llu MiB of hugepages free, %llu needed (%s)%s",
		doctor_mib(have),
		doctor_mib(need),
		pools_text(pools, n, text),
		bad == DOCTOR_WARNING ? ": the sensor goes without, slower" : ""
	);
	mend_pool(d, -1, &pools[0], need, have);
}

// What a port's packet buffers take of its node: the whole need for one of several ports would ask
// for too much, so it is divided.
static uint64_t need_of_node(const struct doctor *d, int node)
{
	const struct doctor_needs *needs = d->needs;
	size_t n_ports = needs->ports.n + needs->vdevs.n, here = 0;
	for (size_t i = 0; i < needs->ports.n; i++) {
		const struct nic *n = doctor_port(d, i);
		here += n && n->node == node;
	}
	return n_ports ? needs->hugepage_len * here / n_ports : 0;
}

static bool are_few(const struct doctor *d)
{
	struct hugepages_pool pools[HUGEPAGES_POOLS_MAX];
	unsigned n = 0;
	return hugepages_read(d->root, -1, pools, &n) == 0 &&
	       hugepages_free_len(pools, n) + doctor_used_by_sensor(d, "HugetlbPages") <
		       d->needs->hugepage_len;
}

void check_hugepages_node(struct doctor *d)
{
	bool is_bad = false;
	if (are_few(d)) { // wherever they are: the check "hugepages" tells
		doctor_found(d, DOCTOR_OK, "there are too few hugepages to ask where they are");
		return;
	}
	for (int node = 0; node < NODES_MAX; node++) {
		struct hugepages_pool pools[HUGEPAGES_POOLS_MAX];
		unsigned n = 0;
		uint64_t need = need_of_node(d, node);
		if (need == 0 || hugepages_read(d->root, node, pools, &n) < 0)
			continue;
		uint64_t have = hugepages_free_len(pools, n);
		if (have + doctor_used_by_sensor(d, "HugetlbPages") >= need)
			continue;
		is_bad = true;
		doctor_found(
			d,
			DOCTOR_WARNING,
			"NUMA node %d, where ports are, has %llu MiB of hugepages free of %llu "
			"needed there: their buffers would lie far away",
			node,
			doctor_mib(have),
			doctor_mib(need)
		);
		mend_pool(d, node, &pools[0], need, have);
	}
	if (!is_bad)
		doctor_found(
			d,
			DOCTOR_OK,
			d->needs->ports.n ? "hugepages are where the ports are"
					  : "no port that is on a NUMA node"
		);
}

// The files that DPDK makes when it does not unlink them: "rtemap_0", "PREFIXmap_12".
static bool is_dpdk_file(const char *name)
{
	const char *map = strstr(name, "map_");
	return map && map[4] && strspn(map + 4, "0123456789") == strlen(map + 4);
}

static void count_files(const struct doctor *d, const char *mount, unsigned *n, uint64_t *len)
{
	struct dirent *entry;
	struct stat st;
	DIR *dir = host_opendir(d->root, "%s", mount);
	while ((entry = host_readdir(dir))) {
		if (!is_dpdk_file(entry->d_name) || fstatat(dirfd(dir), entry->d_name, &st, 0) < 0)
			continue;
		++*n;
		*len += (uint64_t)st.st_size;
	}
	if (dir)
		closedir(dir);
}

// A program that runs is right to have such files; they are a fault only when pages are missing.
static void tell_files(struct doctor *d, const char *mount, unsigned n, uint64_t len)
{
	bool few = are_few(d);
	doctor_found(
		d,
		few ? DOCTOR_WARNING : DOCTOR_OK,
		"%u files of DPDK programs in %s keep %llu MiB of hugepages%s",
		n,
		mount,
		doctor_mib(len),
		few ? ", also those whose program has ended" : ""
	);
	if (few)
		doctor_mend(
			d,
			"for f in %s/*map_*; do fuser -s \"$f\"; [ $? -ne 1 ] || rm \"$f\"; done",
			mount
		);
}

void check_hugepages_left(struct doctor *d)
{
	char line[1024], mount[256], type[32];
	unsigned n_all = 0;
	FILE *f = host_fopen(d->root, "/proc/mounts");
	while (f && fgets(line, sizeof(line), f)) {
		unsigned n = 0;
		uint64_t len = 0;
		if (sscanf(line, "%*s %255s %31s", mount, type) != 2 ||
		    strcmp(type, "hugetlbfs") != 0)
			continue;
		count_files(d, mount, &n, &len);
		if (n)
			tell_files(d, mount, n, len);
		n_all += n;
	}
	if (f)
		fclose(f);
	if (n_all == 0)
		doctor_found(d, DOCTOR_OK, "no files of DPDK programs keep hugepages");
}
