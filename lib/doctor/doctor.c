// SPDX-License-Identifier: Apache-2.0
#include "lib/doctor/doctor.h"

#include "lib/doctor/checks.h"
#include "lib/doctor/host.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>

// clang-format off
const struct doctor_check doctor_checks[] = {
	{"hugepages", DOCTOR_SENSOR | DOCTOR_START, check_hugepages, "free hugepages for DPDK against what the settings need"},
	{"hugepages_node", DOCTOR_SENSOR, check_hugepages_node, "hugepages on the NUMA node of each port"},
	{"hugepages_left", DOCTOR_SENSOR | DOCTOR_START, check_hugepages_left, "files of ended programs that keep hugepages"},
	{"nic", DOCTOR_SENSOR | DOCTOR_START, check_nic, "each port is there, has the right driver and no use but ours"},
	{"nic_node", DOCTOR_SENSOR, check_nic_node, "a port's workers run on the NUMA node of the port"},
	{"iommu", DOCTOR_SENSOR | DOCTOR_START, check_iommu, "the IOMMU that vfio-pci needs"},
	{"iommu_group", DOCTOR_SENSOR | DOCTOR_START, check_iommu_group, "nothing foreign in the IOMMU group of a port"},
	{"vfio", DOCTOR_SENSOR | DOCTOR_START, check_vfio, "vfio-pci is loaded and its devices may be opened"},
	{"vdev", DOCTOR_SENSOR | DOCTOR_START, check_vdev, "virtual devices: driver, arguments, interface"},
	{"dpdk_process", DOCTOR_SENSOR | DOCTOR_START, check_dpdk_process, "other DPDK programs: their ports, prefix and telemetry socket"},
	{"cpu_flags", DOCTOR_SENSOR, check_cpu_flags, "instructions that DPDK and Hyperscan use"},
	{"cpu_workers", DOCTOR_SENSOR, check_cpu_workers, "a CPU for each worker"},
	{"cpu_isolation", DOCTOR_SENSOR, check_cpu_isolation, "CPUs of the workers are kept free (isolcpus, nohz_full)"},
	{"memlock", DOCTOR_SENSOR | DOCTOR_START, check_memlock, "memory that may be locked for DMA"},
	{"memory", DOCTOR_SENSOR | DOCTOR_START, check_memory, "memory for the flow tables"},
	{"open_files", DOCTOR_COLLECTOR, check_open_files, "open files for the store and for connections"},
	{"rmem_max", DOCTOR_COLLECTOR, check_rmem_max, "net.core.rmem_max against collector.rcvbuf"},
	{"udp_drops", DOCTOR_COLLECTOR, check_udp_drops, "datagrams the kernel dropped before the collector read them"},
	{"disk", DOCTOR_COLLECTOR, check_disk, "free disk for the store, and its file system"},
	{"clock", DOCTOR_SENSOR | DOCTOR_COLLECTOR, check_clock, "the clock is kept right by NTP"},
	{},
};
// clang-format on

static bool clock_is_synced(void)
{
	struct timex t = {};
	return adjtimex(&t) >= 0 && !(t.status & STA_UNSYNC);
}

struct doctor *doctor_create(const char *root, const struct doctor_needs *needs)
{
	struct doctor *d = calloc(1, sizeof(*d));
	if (!d)
		return NULL;
	d->root = root;
	d->needs = needs;
	d->statvfs = statvfs;
	d->clock_is_synced = clock_is_synced;
	if (nics_scan(root, &d->nics, &d->n_nics) < 0) {
		free(d);
		return NULL;
	}
	return d;
}

void doctor_free(struct doctor *d)
{
	if (!d)
		return;
	free(d->nics);
	free(d->findings);
	free(d);
}

void doctor_found(struct doctor *d, enum doctor_status status, const char *fmt, ...)
{
	va_list ap;
	struct doctor_finding *more =
		reallocarray(d->findings, d->n_findings + 1, sizeof(d->findings[0]));
	if (!more) {
		d->no_memory = true;
		return;
	}
	d->findings = more;
	struct doctor_finding *f = &d->findings[d->n_findings++];
	*f = (struct doctor_finding){.check = d->check, .status = status};
	va_start(ap, fmt);
	vsnprintf(f->reason, sizeof(f->reason), fmt, ap);
	va_end(ap);
}

// A command that does not fit whole is left out: half of one could do harm.
void doctor_mend(struct doctor *d, const char *fmt, ...)
{
	va_list ap;
	if (d->no_memory || d->n_findings == 0)
		return;
	struct doctor_finding *f = &d->findings[d->n_findings - 1];
	size_t at = strlen(f->mend), room = sizeof(f->mend) - at;
	if (at && room > 1)
		f->mend[at] = '\n';
	size_t sep = at ? 1 : 0;
	va_start(ap, fmt);
	int n = room > sep ? vsnprintf(f->mend + at + sep, room - sep, fmt, ap) : -1;
	va_end(ap);
	if (n < 0 || (size_t)n >= room - sep)
		f->mend[at] = '\0';
}

static int by_status(const void *a, const void *b)
{
	const struct doctor_finding *p = a, *q = b;
	if (p->status != q->status)
		return p->status > q->status ? -1 : 1;
	if (p->check != q->check)
		return p->check < q->check ? -1 : 1;
	return strcmp(p->reason, q->reason);
}

int doctor_run(struct doctor *d, unsigned scopes)
{
	for (const struct doctor_check *c = doctor_checks; c->name; c++) {
		if (!(c->scope & scopes))
			continue;
		d->check = c;
		c->run(d);
	}
	if (d->n_findings)
		qsort(d->findings, d->n_findings, sizeof(d->findings[0]), by_status);
	return d->no_memory ? -ENOMEM : 0;
}

enum doctor_status doctor_status(const struct doctor *d)
{
	enum doctor_status worst = DOCTOR_OK;
	for (size_t i = 0; i < d->n_findings; i++)
		if (d->findings[i].status > worst)
			worst = d->findings[i].status;
	return worst;
}

const char *doctor_status_name(enum doctor_status status)
{
	static const char *const names[] = {
		[DOCTOR_OK] = "ok", [DOCTOR_WARNING] = "warning", [DOCTOR_ERROR] = "error"};
	return names[status];
}

const struct nic *doctor_port(const struct doctor *d, size_t i)
{
	return nics_find(d->nics, d->n_nics, d->needs->ports.items[i]);
}

bool doctor_wants_vfio(const struct doctor *d)
{
	for (size_t i = 0; i < d->needs->ports.n; i++) {
		const struct nic *n = doctor_port(d, i);
		if (n && !nic_keeps_kernel_driver(n))
			return true;
	}
	return false;
}

unsigned long long doctor_mib(uint64_t len)
{
	return (unsigned long long)((len + (1 << 20) - 1) >> 20);
}
