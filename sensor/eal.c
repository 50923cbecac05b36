// SPDX-License-Identifier: Apache-2.0
#include "sensor/eal.h"

#include "lib/base/cpulist.h"
#include "lib/base/hugepages.h"
#include "lib/base/log.h"
#include "sensor/advice.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARGS_MAX 128

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

static void add_memory(struct args *a, const struct sensor_config *c, char **rest)
{
	if (gave(rest, "--no-huge --in-memory -m --socket-mem --huge-dir --legacy-mem"))
		return;
	struct hugepages_pool pools[HUGEPAGES_POOLS_MAX];
	unsigned n_pools = 0;
	uint64_t need = sensor_hugepage_len(c);
	uint64_t have = hugepages_read("", -1, pools, &n_pools) == 0
				? hugepages_free_len(pools, n_pools)
				: 0;
	if (have >= need) {
		arg_add(a, "--in-memory");
		return;
	}
	uint64_t mib = (need >> 20) + 1;
	log_info(
		"%llu MiB of hugepages free, %llu needed: going without (slower; see weir doctor)",
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
	char text[4096], all[CPULIST_TEXT_LEN];
	struct cpulist cpus;

	if (gave(rest, "-l -c --lcores -s"))
		return;
	cpulist_affinity(&cpus);
	if (n_workers >= cpus.n)
		log_warn("%u workers on %u CPUs: they share", n_workers, cpus.n);
	size_t at = (size_t)snprintf(text, sizeof(text), "0@(%s)", cpulist_format(&cpus, all));
	for (unsigned i = 0; i < n_workers && at + 16 < sizeof(text); i++)
		at += (size_t
		)snprintf(text + at, sizeof(text) - at, ",%u@%u", i + 1, cpulist_worker(&cpus, i));
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
