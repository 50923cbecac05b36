// SPDX-License-Identifier: Apache-2.0
#include "lib/doctor/checks.h"
#include "lib/doctor/host.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOCKETS_MAX 32
#define PREFIX_LEN 64
#define COMM_LEN 20

// A Unix socket of a DPDK program: its runtime folder is named after its file prefix.
struct dpdk_socket {
	unsigned long inode;
	char prefix[PREFIX_LEN];
	char pid[16]; // whose it is; "": not found
	char comm[COMM_LEN];
};

struct scan {
	struct doctor *d;
	struct dpdk_socket sockets[SOCKETS_MAX];
	unsigned n_sockets;
	bool any;
};

static void read_comm(const struct doctor *d, const char *pid, char ret_comm[static COMM_LEN])
{
	(void)host_read(d->root, ret_comm, COMM_LEN, "/proc/%s/comm", pid);
}

// A folder of /proc that is a process, and not this one.
static bool is_other(const char *name)
{
	return isdigit((unsigned char)name[0]) && strlen(name) < 16 && atoi(name) != getpid();
}

void doctor_process(const struct doctor *d, const char *name, char ret_pid[static 16])
{
	struct dirent *entry;
	char comm[COMM_LEN];
	DIR *dir = host_opendir(d->root, "/proc");
	strcpy(ret_pid, "self");
	while ((entry = host_readdir(dir))) {
		if (!is_other(entry->d_name))
			continue;
		read_comm(d, entry->d_name, comm);
		if (strcmp(comm, name) != 0)
			continue;
		strcpy(ret_pid, entry->d_name);
		break;
	}
	if (dir)
		closedir(dir);
}

uint64_t doctor_used_by_sensor(const struct doctor *d, const char *field)
{
	char status[HOST_TEXT_LEN], value[32], pid[16] = "self";
	if (!d->needs->is_sensor) {
		doctor_process(d, "weir-sensor", pid);
		if (strcmp(pid, "self") == 0)
			return 0;
	}
	(void)host_read(d->root, status, sizeof(status), "/proc/%s/status", pid);
	host_field(status, field, value, sizeof(value));
	return strtoull(value, NULL, 10) << 10;
}

// "/run/dpdk/PREFIX/dpdk_telemetry.v2" or "…/mp_socket"
static bool parse_socket(const char *path, char ret_prefix[static PREFIX_LEN])
{
	const char *at = strstr(path, "/dpdk/");
	const char *slash = at ? strchr(at + 6, '/') : NULL;
	if (!slash || (strncmp(slash, "/dpdk_telemetry.v2", 18) != 0 &&
		       strncmp(slash, "/mp_socket", 10) != 0))
		return false;
	int n = (int)(slash - at - 6);
	return snprintf(ret_prefix, PREFIX_LEN, "%.*s", n, at + 6) < PREFIX_LEN;
}

static void read_sockets(struct scan *s)
{
	char line[512], path[256];
	FILE *f = host_fopen(s->d->root, "/proc/net/unix");
	while (f && s->n_sockets < SOCKETS_MAX && fgets(line, sizeof(line), f)) {
		struct dpdk_socket *k = &s->sockets[s->n_sockets];
		*k = (struct dpdk_socket){};
		if (sscanf(line, "%*s %*s %*s %*s %*s %*s %lu %255s", &k->inode, path) != 2 ||
		    !parse_socket(path, k->prefix))
			continue;
		s->n_sockets++;
	}
	if (f)
		fclose(f);
}

// A descriptor of /dev/vfio/GROUP is the port's: only one program may have it.
static void look_at_vfio(struct scan *s, const char *pid, int group)
{
	struct doctor *d = s->d;
	char comm[COMM_LEN];
	for (size_t i = 0; i < d->needs->ports.n; i++) {
		const struct nic *n = doctor_port(d, i);
		if (!n || n->group != group)
			continue;
		read_comm(d, pid, comm);
		bool ours = strcmp(comm, "weir-sensor") == 0 && !d->needs->is_sensor;
		s->any = true;
		doctor_found(
			d,
			ours ? DOCTOR_OK : DOCTOR_ERROR,
			"port %s is in use by %s (pid %s)",
			n->bdf,
			comm,
			pid
		);
		if (!ours)
			doctor_mend(d, "kill %s", pid);
	}
}

static void look_at_fd(struct scan *s, const char *pid, const char *fd)
{
	char target[64];
	unsigned long inode;
	int group;
	if (host_target(s->d->root, target, sizeof(target), "/proc/%s/fd/%s", pid, fd) < 0)
		return;
	if (sscanf(target, "/dev/vfio/%d", &group) == 1 ||
	    sscanf(target, "/dev/vfio/noiommu-%d", &group) == 1)
		look_at_vfio(s, pid, group);
	if (sscanf(target, "socket:[%lu]", &inode) != 1)
		return;
	for (unsigned i = 0; i < s->n_sockets; i++)
		if (s->sockets[i].inode == inode && !*s->sockets[i].pid) {
			snprintf(s->sockets[i].pid, 16, "%.15s", pid);
			read_comm(s->d, pid, s->sockets[i].comm);
		}
}

static void scan_process(struct scan *s, const char *pid)
{
	struct dirent *entry;
	DIR *dir = host_opendir(s->d->root, "/proc/%s/fd", pid);
	while ((entry = host_readdir(dir)))
		look_at_fd(s, pid, entry->d_name);
	if (dir)
		closedir(dir);
}

static void scan_processes(struct scan *s)
{
	struct dirent *entry;
	DIR *dir = host_opendir(s->d->root, "/proc");
	while ((entry = host_readdir(dir)))
		if (is_other(entry->d_name))
			scan_process(s, entry->d_name);
	if (dir)
		closedir(dir);
}

static bool is_told(const struct scan *s, unsigned i)
{
	for (unsigned j = 0; j < i; j++)
		if (strcmp(s->sockets[j].prefix, s->sockets[i].prefix) == 0)
			return true;
	return false;
}

static void tell_sockets(struct scan *s)
{
	const char *ours = s->d->needs->file_prefix;
	for (unsigned i = 0; i < s->n_sockets; i++) {
		const struct dpdk_socket *k = &s->sockets[i];
		bool clash = ours && strcmp(k->prefix, ours) == 0;
		if (is_told(s, i))
			continue;
		s->any = true;
		doctor_found(
			s->d,
			clash ? DOCTOR_ERROR : DOCTOR_OK,
			clash ? "%s (pid %s) has the file prefix '%s', and its telemetry socket, "
				"already: DPDK would not start"
			      : "%s (pid %s) uses DPDK too, with the file prefix '%s': no clash",
			*k->pid ? k->comm : "another program",
			*k->pid ? k->pid : "not to be seen",
			k->prefix
		);
		if (clash && *k->pid)
			doctor_mend(s->d, "kill %s", k->pid);
		if (clash)
			doctor_mend(
				s->d, "# or leave --file-prefix out: the sensor has one of its own"
			);
	}
}

void check_dpdk_process(struct doctor *d)
{
	struct scan s = {.d = d};
	read_sockets(&s);
	scan_processes(&s);
	tell_sockets(&s);
	if (!s.any)
		doctor_found(d, DOCTOR_OK, "no other DPDK program is to be seen");
}
