// SPDX-License-Identifier: Apache-2.0
#include "lib/doctor/checks.h"
#include "lib/doctor/host.h"

#include <inttypes.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

#define UNLIMITED UINT64_MAX
#define OPEN_FILES 4096 // the store's 512, and as many connections as there may be

// A process's soft limit by its name in /proc/PID/limits; unlimited too when it is not there.
static uint64_t soft_limit(const struct doctor *d, const char *pid, const char *name)
{
	char text[HOST_TEXT_LEN];
	(void)host_read(d->root, text, sizeof(text), "/proc/%s/limits", pid);
	const char *line = strstr(text, name);
	if (!line)
		return UNLIMITED;
	line += strlen(name);
	line += strspn(line, " ");
	return strncmp(line, "unlimited", 9) == 0 ? UNLIMITED : strtoull(line, NULL, 10);
}

bool doctor_has_capability(const struct doctor *d, const char *pid, unsigned cap)
{
	char text[HOST_TEXT_LEN], mask[32];
	(void)host_read(d->root, text, sizeof(text), "/proc/%s/status", pid);
	host_field(text, "CapEff", mask, sizeof(mask));
	return !*mask || (strtoull(mask, NULL, 16) >> cap & 1);
}

static bool wants_dma(const struct doctor_needs *n)
{
	bool any = n->ports.n > 0;
	for (size_t i = 0; i < n->vdevs.n; i++)
		any |= strncmp(n->vdevs.items[i], "net_af_xdp", 10) == 0;
	return any;
}

void check_memlock(struct doctor *d)
{
	char pid[16];
	uint64_t need = d->needs->hugepage_len;
	doctor_process(d, "weir-sensor", pid);
	uint64_t limit = soft_limit(d, pid, "Max locked memory");
	if (!wants_dma(d->needs)) {
		doctor_found(d, DOCTOR_OK, "nothing that a card writes to by itself is locked");
	} else if (limit == UNLIMITED || doctor_has_capability(d, pid, CAP_IPC_LOCK)) {
		doctor_found(d, DOCTOR_OK, "any amount of memory may be locked");
	} else if (limit >= need) {
		doctor_found(
			d,
			DOCTOR_OK,
			"%llu MiB of memory may be locked, %llu needed",
			doctor_mib(limit),
			doctor_mib(need)
		);
	} else {
		doctor_found(
			d,
			DOCTOR_ERROR,
			"only %llu MiB of memory may be locked (RLIMIT_MEMLOCK), %llu needed for "
			"DMA; "
			"the sensor's systemd unit sets the limit itself",
			(unsigned long long)(limit >> 20),
			doctor_mib(need)
		);
		doctor_mend(d, "sudo prlimit --pid $$ --memlock=unlimited");
		doctor_mend(
			d, "echo '* - memlock unlimited' > /etc/security/limits.d/weir-memlock.conf"
		);
	}
}

void check_memory(struct doctor *d)
{
	char text[HOST_TEXT_LEN], value[32];
	uint64_t need = d->needs->flow_len;
	(void)host_read(d->root, text, sizeof(text), "/proc/meminfo");
	host_field(text, "MemAvailable", value, sizeof(value));
	if (!*value) {
		doctor_found(d, DOCTOR_OK, "the kernel does not tell what memory is available");
		return;
	}
	uint64_t have = strtoull(value, NULL, 10) << 10;
	have += doctor_used_by_sensor(d, "VmRSS");
	enum doctor_status status = need > have		  ? DOCTOR_ERROR
				    : need > have / 5 * 4 ? DOCTOR_WARNING
							  : DOCTOR_OK;
	doctor_found(
		d,
		status,
		"%llu MiB of memory available, %llu needed for the flow tables",
		(unsigned long long)(have >> 20),
		doctor_mib(need)
	);
	if (status != DOCTOR_OK)
		doctor_mend(
			d,
			"# in weir.yaml take fewer flows per queue (sensor.flows) or fewer queues"
		);
}

void check_open_files(struct doctor *d)
{
	char pid[16];
	doctor_process(d, "weir-collector", pid);
	uint64_t limit = soft_limit(d, pid, "Max open files");
	if (limit >= OPEN_FILES) {
		doctor_found(
			d,
			DOCTOR_OK,
			limit == UNLIMITED ? "any number of files may be open"
					   : "%" PRIu64 " files may be open",
			limit
		);
		return;
	}
	doctor_found(
		d,
		DOCTOR_WARNING,
		"only %" PRIu64
		" files may be open (RLIMIT_NOFILE), up to %d are wanted; the systemd "
		"units set the limit themselves",
		limit,
		OPEN_FILES
	);
	doctor_mend(d, "ulimit -n %d", OPEN_FILES);
}

static void mend_rmem_max(struct doctor *d, uint64_t len)
{
	doctor_mend(d, "sysctl -w net.core.rmem_max=%" PRIu64, len);
	doctor_mend(d, "echo 'net.core.rmem_max = %" PRIu64 "' > /etc/sysctl.d/60-weir.conf", len);
}

void check_rmem_max(struct doctor *d)
{
	int64_t max = 0;
	uint64_t want = d->needs->rcvbuf;
	if (host_number(d->root, &max, "/proc/sys/net/core/rmem_max") < 0) {
		// so it is in a network name space of its own before Linux 6.18
		doctor_found(d, DOCTOR_OK, "net.core.rmem_max cannot be read here");
		return;
	}
	bool is_good = (uint64_t)max >= want;
	doctor_found(
		d,
		is_good ? DOCTOR_OK : DOCTOR_WARNING,
		"net.core.rmem_max is %" PRId64 " bytes, collector.rcvbuf %" PRIu64 "%s",
		max,
		want,
		is_good ? "" : ": without root the kernel gives no more, and bursts are lost"
	);
	if (!is_good)
		mend_rmem_max(d, want);
}

static bool is_ours(const struct config_list *listen, unsigned port)
{
	for (size_t i = 0; i < listen->n; i++) {
		const char *colon = strrchr(listen->items[i], ':');
		if (strncmp(listen->items[i], "tcp:", 4) != 0 && colon &&
		    strtoul(colon + 1, NULL, 10) == port)
			return true;
	}
	return false;
}

// "  sl  local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode ref pointer drops"
static void sum_drops(const struct doctor *d, const char *file, unsigned *n, uint64_t *drops)
{
	char line[512];
	unsigned port;
	unsigned long long lost;
	FILE *f = host_fopen(d->root, "%s", file);
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line,
			   "%*u: %*[0-9A-F]:%x %*s %*x %*s %*s %*x %*u %*u %*u %*d %*s %llu",
			   &port,
			   &lost) != 2 ||
		    !is_ours(&d->needs->listen, port))
			continue;
		++*n;
		*drops += lost;
	}
	if (f)
		fclose(f);
}

void check_udp_drops(struct doctor *d)
{
	unsigned n = 0;
	uint64_t drops = 0;
	sum_drops(d, "/proc/net/udp", &n, &drops);
	sum_drops(d, "/proc/net/udp6", &n, &drops);
	if (n == 0) {
		doctor_found(d, DOCTOR_OK, "no socket is open on the collector's UDP ports");
		return;
	}
	doctor_found(
		d,
		drops ? DOCTOR_WARNING : DOCTOR_OK,
		"%" PRIu64 " datagrams dropped by the kernel in %u sockets on the collector's UDP "
		"ports%s",
		drops,
		n,
		drops ? " since they were opened: the collector was too slow for a burst" : ""
	);
	if (!drops)
		return;
	uint64_t more = 2 * d->needs->rcvbuf;
	mend_rmem_max(d, more);
	doctor_mend(
		d,
		"# in weir.yaml: collector: {rcvbuf: %llu MiB}, and more threads where CPUs are "
		"free",
		doctor_mib(more)
	);
}

void check_clock(struct doctor *d)
{
	if (d->clock_is_synced()) {
		doctor_found(d, DOCTOR_OK, "the clock is kept right");
		return;
	}
	doctor_found(
		d,
		DOCTOR_WARNING,
		"nothing keeps the clock right (the kernel says: unsynchronised): flows would be "
		"stored under wrong times"
	);
	doctor_mend(d, "apt-get install -y systemd-timesyncd && timedatectl set-ntp true");
}
