// SPDX-License-Identifier: Apache-2.0
#include "sensor/eal.h"

#include "lib/base/log.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARGS_MAX 128
#define HUGEPAGE_DIR "/sys/kernel/mm/hugepages"
#define MBUF_LEN 2560 // with its header and the pool's share
#define BASE_LEN (96ull << 20)

struct args {
	int n;
	bool bad;
	char *v[ARGS_MAX + 1];
};

static __attribute__((format(printf, 2, 3))) void arg_add(struct args *a, const char *fmt, ...)
{
	va_list ap;
	if (a->n == ARGS_MAX) {
		a->bad = true;
		return;
	}
	va_start(ap, fmt);
	if (vasprintf(&a->v[a->n], fmt, ap) < 0) {
		a->v[a->n] = NULL;
		a->bad = true;
	} else {
		a->n++;
	}
	va_end(ap);
}

static void args_free(struct args *a)
{
	for (int i = 0; i < a->n; i++)
		free(a->v[i]);
}

// Whether the user gave one of the options (names apart by spaces).
static bool gave(char **rest, const char *options)
{
	for (; *rest; rest++) {
		size_t n = strcspn(*rest, "=");
		for (const char *o = options; *o; o += strspn(o, " ")) {
			size_t len = strcspn(o, " ");
			if (len == n && strncmp(o, *rest, n) == 0)
				return true;
			o += len;
		}
	}
	return false;
}

static uint64_t hugepage_bytes_of(const char *size_dir)
{
	char path[512];
	unsigned long long kib, n = 0;
	if (sscanf(size_dir, "hugepages-%llukB", &kib) != 1)
		return 0;
	snprintf(path, sizeof(path), HUGEPAGE_DIR "/%s/free_hugepages", size_dir);
	FILE *f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%llu", &n) != 1)
		n = 0;
	fclose(f);
	return n * kib << 10;
}

static uint64_t free_hugepage_bytes(void)
{
	uint64_t sum = 0;
	struct dirent *entry;
	DIR *dir = opendir(HUGEPAGE_DIR);
	if (!dir)
		return 0;
	while ((entry = readdir(dir)))
		sum += hugepage_bytes_of(entry->d_name);
	closedir(dir);
	return sum;
}

static void add_memory(struct args *a, const struct sensor_config *c, char **rest)
{
	if (gave(rest, "--no-huge --in-memory -m --socket-mem --huge-dir --legacy-mem"))
		return;
	size_t n_pools = 1 + c->vdevs.n + c->ports.n;
	uint64_t need = BASE_LEN + n_pools * (uint64_t)c->n_mbufs * MBUF_LEN;
	uint64_t have = free_hugepage_bytes();
	if (have >= need) {
		arg_add(a, "--in-memory");
		return;
	}
	uint64_t mib = (need >> 20) + 1;
	log_info(
		"%llu MiB of hugepages free, %llu needed: going without (slower; see dpdk-config/)",
		(unsigned long long)(have >> 20),
		(unsigned long long)mib
	);
	arg_add(a, "--no-huge");
	arg_add(a, "--no-shconf");
	arg_add(a, "--iova-mode=va");
	arg_add(a, "-m");
	arg_add(a,
		"%llu",
		mib > (uint64_t)c->memory ? (unsigned long long)mib : (unsigned long long)c->memory
	);
}

// The main lcore floats over all CPUs we may use, as the exporter does; each worker gets one of its
// own, from the last on, as long as there are enough.
static void add_lcores(struct args *a, unsigned n_workers, char **rest)
{
	char text[4096], all[2048];
	unsigned cpus[CPU_SETSIZE], n_cpus = 0;
	size_t at = 0;
	cpu_set_t set;

	if (gave(rest, "-l -c --lcores -s"))
		return;
	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		CPU_SET(0, &set);
	for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set) && at + 8 < sizeof(all)) {
			at += (size_t
			)snprintf(all + at, sizeof(all) - at, "%s%u", n_cpus ? "," : "", cpu);
			cpus[n_cpus++] = cpu;
		}
	if (n_workers >= n_cpus)
		log_warn("%u workers on %u CPUs: they share", n_workers, n_cpus);
	at = (size_t)snprintf(text, sizeof(text), "0@(%s)", all);
	for (unsigned i = 0; i < n_workers && at + 16 < sizeof(text); i++) {
		unsigned cpu = cpus[n_cpus - 1 - i % n_cpus];
		at += (size_t)snprintf(text + at, sizeof(text) - at, ",%u@%u", i + 1, cpu);
	}
	arg_add(a, "--lcores=%s", text);
}

static void add_bus(struct args *a, const struct sensor_config *c, char **rest)
{
	if (gave(rest, "-a --allow -b --block --no-pci"))
		return;
	if (c->ports.n == 0)
		arg_add(a, "--no-pci");
	for (size_t i = 0; i < c->ports.n; i++) {
		arg_add(a, "-a");
		arg_add(a, "%s", c->ports.items[i]);
	}
}

// Its words for a wrong argument are on standard output, which is for data only.
static int eal_init(struct args *a)
{
	char *given[ARGS_MAX + 1]; // getopt moves them about; what was allocated is in `a`
	memcpy(given, a->v, sizeof(given));
	int out = dup(STDOUT_FILENO);
	if (out >= 0)
		dup2(STDERR_FILENO, STDOUT_FILENO);
	int ret = rte_eal_init(a->n, given);
	fflush(stdout);
	if (out >= 0) {
		dup2(out, STDOUT_FILENO);
		close(out);
	}
	if (ret < 0)
		return rte_errno ? -rte_errno : -EIO;
	return 0;
}

int eal_start(const struct sensor_config *c, unsigned n_workers, char **rest)
{
	struct args a = {};

	arg_add(&a, "weir-sensor");
	arg_add(&a, "--file-prefix=weir-sensor-%d", (int)getpid());
	arg_add(&a, "--log-level=error");
	if (!c->telemetry)
		arg_add(&a, "--no-telemetry");
	add_memory(&a, c, rest);
	add_lcores(&a, n_workers, rest);
	add_bus(&a, c, rest);
	for (; *rest; rest++)
		arg_add(&a, "%s", *rest);
	int ret = a.bad ? -E2BIG : eal_init(&a);
	args_free(&a);
	if (ret < 0)
		return log_errno(
			ret, "DPDK's environment does not start (-- --log-level=debug tells more)"
		);
	if (rte_lcore_count() < n_workers + 1) {
		eal_stop();
		return log_errno(
			-EINVAL,
			"the EAL arguments leave %u worker lcores of %u needed",
			rte_lcore_count() - 1,
			n_workers
		);
	}
	return 0;
}

void eal_stop(void)
{
	char dir[PATH_MAX];
	snprintf(dir, sizeof(dir), "%s", rte_eal_get_runtime_dir());
	rte_eal_cleanup();
	(void)rmdir(dir); // it is empty, named after our process, and left behind by the cleanup
}
