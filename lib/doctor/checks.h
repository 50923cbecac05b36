// SPDX-License-Identifier: Apache-2.0
#pragma once

// The checks, a file a group; doctor.c has them in its table. Each adds at least one finding.
// Thread: control.

#include "lib/base/cpulist.h"
#include "lib/doctor/doctor.h"

// hugepages.c
void check_hugepages(struct doctor *d);
void check_hugepages_node(struct doctor *d);
void check_hugepages_left(struct doctor *d);

// nic.c
void check_nic(struct doctor *d);
void check_nic_node(struct doctor *d);

// iommu.c
void check_iommu(struct doctor *d);
void check_iommu_group(struct doctor *d);
void check_vfio(struct doctor *d);

// vdev.c
void check_vdev(struct doctor *d);

// process.c
void check_dpdk_process(struct doctor *d);

// cpu.c
void check_cpu_flags(struct doctor *d);
void check_cpu_workers(struct doctor *d);
void check_cpu_isolation(struct doctor *d);

// limits.c
void check_memlock(struct doctor *d);
void check_memory(struct doctor *d);
void check_open_files(struct doctor *d);
void check_rmem_max(struct doctor *d);
void check_udp_drops(struct doctor *d);
void check_clock(struct doctor *d);

// disk.c
void check_disk(struct doctor *d);

// What several of them ask.

// Arguments of net_af_packet for a ring of 8192 packets (16 MiB); by default it has 512.
#define DOCTOR_AF_PACKET_RING "blocksz=65536,framesz=2048,framecnt=8192"

// The i-th port of the settings among the machine's NICs; NULL: none there.
const struct nic *doctor_port(const struct doctor *d, size_t i);

// Whether any port of the settings is one that vfio-pci hands to DPDK.
bool doctor_wants_vfio(const struct doctor *d);

// The CPUs the sensor may use: those of one that runs, else of this process.
void doctor_cpus(const struct doctor *d, struct cpulist *ret_list);

// The process of that name, "self" when there is none, as a folder of /proc: what is asked of a
// program is best asked of the one that runs.
void doctor_process(const struct doctor *d, const char *name, char ret_pid[static 16]);

// What a sensor that runs has already of what one needs, bytes: a field in kB of its
// /proc/PID/status, "HugetlbPages" or "VmRSS". 0 when none runs. When it is a sensor that asks,
// what it has itself.
uint64_t doctor_used_by_sensor(const struct doctor *d, const char *field);

// Whether a process has a capability (linux/capability.h); yes when that cannot be read.
bool doctor_has_capability(const struct doctor *d, const char *pid, unsigned cap);

// The commands that give the sensor's unit these CPUs.
void doctor_mend_affinity(struct doctor *d, const struct cpulist *cpus);

// Bytes as MiB, rounded up.
unsigned long long doctor_mib(uint64_t len);
