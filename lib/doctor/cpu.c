// SPDX-License-Identifier: Apache-2.0
#include "lib/doctor/checks.h"
#include "lib/doctor/host.h"

#include <string.h>

#define LIST_SHOWN 100 // characters of a CPU list

void doctor_mend_affinity(struct doctor *d, const struct cpulist *cpus)
{
	char text[CPULIST_TEXT_LEN];
	doctor_mend(
		d,
		"mkdir -p /etc/systemd/system/weir-sensor.service.d && "
		"printf '[Service]\\nCPUAffinity=%.*s\\n' > "
		"/etc/systemd/system/weir-sensor.service.d/cpu.conf && "
		"systemctl daemon-reload && systemctl restart weir-sensor",
		LIST_SHOWN,
		cpulist_format(cpus, text)
	);
}

void doctor_cpus(const struct doctor *d, struct cpulist *ret_list)
{
	char status[HOST_TEXT_LEN], pid[16], list[CPULIST_TEXT_LEN];
	doctor_process(d, "weir-sensor", pid);
	ret_list->n = 0;
	(void)host_read(d->root, status, sizeof(status), "/proc/%s/status", pid);
	host_field(status, "Cpus_allowed_list", list, sizeof(list));
	if (cpulist_parse(list, ret_list) < 0)
		ret_list->n = 0;
}

static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);
	for (const char *p = words; (p = strstr(p, word)); p += n)
		if ((p == words || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}

void check_cpu_flags(struct doctor *d)
{
	char cpuinfo[2 * HOST_TEXT_LEN], flags[HOST_TEXT_LEN];
	(void)host_read(d->root, cpuinfo, sizeof(cpuinfo), "/proc/cpuinfo");
	host_field(cpuinfo, "flags", flags, sizeof(flags));
	bool ssse3 = has_word(flags, "ssse3"), sse42 = has_word(flags, "sse4_2");
	if (!*flags) {
		doctor_found(d, DOCTOR_OK, "not an x86 CPU: nothing to ask of it");
	} else if (!ssse3 || !sse42) {
		doctor_found(
			d,
			DOCTOR_ERROR,
			"the CPU lacks%s%s: DPDK and Hyperscan do not run on it",
			ssse3 ? "" : " SSSE3",
			sse42 ? "" : " SSE4.2"
		);
		doctor_mend(
			d,
			"# in a virtual machine give it the host's CPU: -cpu host, host-passthrough"
		);
	} else if (!has_word(flags, "avx2")) {
		doctor_found(
			d,
			DOCTOR_WARNING,
			"the CPU has SSSE3 and SSE4.2 but not AVX2: receiving and matching are "
			"slower"
		);
		doctor_mend(
			d,
			"# in a virtual machine give it the host's CPU: -cpu host, host-passthrough"
		);
	} else {
		doctor_found(
			d,
			DOCTOR_OK,
			"the CPU has SSSE3, SSE4.2 and AVX2%s",
			has_word(flags, "avx512f") ? ", AVX-512 too" : ""
		);
	}
}

static unsigned count_workers(const struct doctor_needs *n)
{
	return n->has_capture ? 1 : (unsigned)((n->ports.n + n->vdevs.n) * n->n_queues);
}

void check_cpu_workers(struct doctor *d)
{
	unsigned n_workers = count_workers(d->needs);
	char text[CPULIST_TEXT_LEN];
	struct cpulist mine, online;

	doctor_cpus(d, &mine);
	(void)host_cpus(d->root, &online, "/sys/devices/system/cpu/online");
	if (n_workers < mine.n || n_workers == 0) {
		doctor_found(
			d,
			DOCTOR_OK,
			"%u workers on %u CPUs (%.*s)%s",
			n_workers,
			mine.n,
			LIST_SHOWN,
			cpulist_format(&mine, text),
			d->needs->ports.n ? "; those of ports are always busy, to the full" : ""
		);
		return;
	}
	doctor_found(
		d,
		DOCTOR_WARNING,
		"%u workers on %u CPUs (%.*s): they share, and leave none to the rest",
		n_workers,
		mine.n,
		LIST_SHOWN,
		cpulist_format(&mine, text)
	);
	if (online.n > mine.n)
		doctor_mend_affinity(d, &online);
	else
		doctor_mend(d, "# in weir.yaml take fewer: sensor: {queues: 1}");
}

// The CPUs that workers get, in rising order.
static void
worker_cpus(const struct doctor *d, const struct cpulist *mine, struct cpulist *ret_list)
{
	unsigned n_workers = count_workers(d->needs);
	unsigned n = n_workers < mine->n ? n_workers : mine->n;
	ret_list->n = n;
	for (unsigned i = 0; i < n; i++)
		ret_list->cpus[n - 1 - i] = (uint16_t)cpulist_worker(mine, i);
}

static bool contains(const struct cpulist *all, const struct cpulist *some)
{
	for (unsigned i = 0; i < some->n; i++)
		if (!cpulist_has(all, some->cpus[i]))
			return false;
	return true;
}

// Isolated CPUs are in nobody's mask until it is asked for: the unit must name them, and one more
// for all but the workers.
static void found_isolated_unused(struct doctor *d, const struct cpulist *isolated)
{
	char text[CPULIST_TEXT_LEN];
	struct cpulist wanted = {.n = 1}; // CPU 0
	for (unsigned i = 0; i < isolated->n && wanted.n < CPULIST_MAX; i++)
		if (isolated->cpus[i] != 0)
			wanted.cpus[wanted.n++] = isolated->cpus[i];
	doctor_found(
		d,
		DOCTOR_WARNING,
		"CPUs %.*s are isolated, but the sensor may not use them",
		LIST_SHOWN,
		cpulist_format(isolated, text)
	);
	doctor_mend_affinity(d, &wanted);
}

static void found_not_isolated(struct doctor *d, const struct cpulist *workers, bool no_nohz)
{
	char text[CPULIST_TEXT_LEN];
	const char *list = cpulist_format(workers, text);
	doctor_found(
		d,
		DOCTOR_WARNING,
		"the workers' CPUs (%.*s) are not %s: other work and timer ticks delay them, and "
		"packets are missed at high rates",
		LIST_SHOWN,
		list,
		no_nohz ? "in nohz_full" : "isolated"
	);
	doctor_mend(
		d,
		"echo 'GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT isolcpus=%.*s "
		"nohz_full=%.*s rcu_nocbs=%.*s\"' > /etc/default/grub.d/weir-cpus.cfg && "
		"update-grub && systemctl reboot",
		LIST_SHOWN,
		list,
		LIST_SHOWN,
		list,
		LIST_SHOWN,
		list
	);
}

void check_cpu_isolation(struct doctor *d)
{
	struct cpulist mine, workers, isolated, nohz;

	doctor_cpus(d, &mine);
	worker_cpus(d, &mine, &workers);
	(void)host_cpus(d->root, &isolated, "/sys/devices/system/cpu/isolated");
	(void)host_cpus(d->root, &nohz, "/sys/devices/system/cpu/nohz_full");
	if (d->needs->ports.n == 0)
		doctor_found(d, DOCTOR_OK, "no port whose workers would need CPUs to themselves");
	else if (workers.n == mine.n)
		doctor_found(d, DOCTOR_OK, "too few CPUs to keep some for the workers alone");
	else if (contains(&isolated, &workers) && contains(&nohz, &workers))
		doctor_found(d, DOCTOR_OK, "the workers' CPUs are isolated, without timer ticks");
	else if (isolated.n && !contains(&isolated, &workers) && !contains(&mine, &isolated))
		found_isolated_unused(d, &isolated);
	else
		found_not_isolated(d, &workers, contains(&isolated, &workers));
}
