// SPDX-License-Identifier: Apache-2.0
#include "lib/doctor/checks.h"
#include "lib/doctor/host.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define GIB (1ull << 30)

// The nearest folder above a path that exists, itself included; "/" at last.
static void existing(const char *root, char path[PATH_MAX])
{
	while (!host_exists(root, "%s", path)) {
		char *slash = strrchr(path, '/');
		if (!slash || slash == path) {
			strcpy(path, slash ? "/" : ".");
			return;
		}
		*slash = '\0';
	}
}

// The file system's type of the mount a path lies in: the longest that is above it.
static void type_of(const struct doctor *d, const char *path, char ret_type[static 32])
{
	char line[1024], mount[256], type[32];
	size_t best = 0;
	ret_type[0] = '\0';
	FILE *f = host_fopen(d->root, "/proc/mounts");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %255s %31s", mount, type) != 2)
			continue;
		size_t n = strlen(mount);
		bool is_above = strcmp(mount, "/") == 0 ||
				(strncmp(path, mount, n) == 0 && (path[n] == '/' || !path[n]));
		if (!is_above || n < best)
			continue;
		best = n;
		strcpy(ret_type, type);
	}
	if (f)
		fclose(f);
}

static const char *bad_type(const char *type)
{
	static const char *const network[] = {"nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p"};
	for (size_t i = 0; i < sizeof(network) / sizeof(network[0]); i++)
		if (strcmp(type, network[i]) == 0)
			return "over the network: slow, and its syncs may not hold";
	return strcmp(type, "tmpfs") == 0 ? "in memory: gone with the next start" : NULL;
}

static void look_at_type(struct doctor *d, const char *dir, const char *path)
{
	char type[32];
	type_of(d, path, type);
	const char *what = bad_type(type);
	if (!what)
		return;
	doctor_found(d, DOCTOR_WARNING, "%s is on %s, %s", dir, type, what);
	doctor_mend(d, "# in weir.yaml name a folder on a local disk: store: {dir: …}");
}

void check_disk(struct doctor *d)
{
	const char *dir = d->needs->store_dir;
	char path[PATH_MAX], full[2 * PATH_MAX];
	struct statvfs s;

	if (!dir || snprintf(path, sizeof(path), "%s", dir) >= (int)sizeof(path)) {
		doctor_found(d, DOCTOR_OK, "no store is asked for");
		return;
	}
	existing(d->root, path);
	snprintf(full, sizeof(full), "%s%s", d->root, path);
	if (d->statvfs(full, &s) < 0) {
		doctor_found(d, DOCTOR_ERROR, "store %s: %s: %s", dir, path, strerror(errno));
		doctor_mend(d, "ls -ld %s", path);
		return;
	}
	uint64_t free_len = (uint64_t)s.f_bavail * s.f_frsize;
	uint64_t total = (uint64_t)s.f_blocks * s.f_frsize;
	double percent = total ? 100.0 * (double)free_len / (double)total : 0;
	enum doctor_status status = free_len < GIB			  ? DOCTOR_ERROR
				    : free_len < 10 * GIB || percent < 10 ? DOCTOR_WARNING
									  : DOCTOR_OK;
	doctor_found(
		d,
		status,
		"store %s: %.1f GiB free of %.1f (%.0f %%)%s",
		dir,
		(double)free_len / (double)GIB,
		(double)total / (double)GIB,
		percent,
		status == DOCTOR_OK ? "" : ": a full disk stops the intake"
	);
	if (status != DOCTOR_OK)
		doctor_mend(d, "du -xh --max-depth=2 %s | sort -h | tail", path);
	look_at_type(d, dir, path);
}
