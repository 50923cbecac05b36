// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a machine must offer for Weir, looked at before anything fails: a table of checks, each of
// which says ok, warning or error, why, with the numbers it measured, and the commands that mend
// it. `weir doctor` runs them all, the sensor its own when DPDK does not start. Only /sys, /proc
// and file systems are looked at; nothing is changed.
// Thread: control.

#include "lib/base/config.h"
#include "lib/doctor/nics.h"

#include <sys/statvfs.h>

#define DOCTOR_REASON_LEN 400
#define DOCTOR_MEND_LEN 640

struct doctor;

enum doctor_status { DOCTOR_OK, DOCTOR_WARNING, DOCTOR_ERROR };

// Whose checks: a set. DOCTOR_START are those of the sensor that tell why DPDK did not start.
enum doctor_scope { DOCTOR_SENSOR = 1, DOCTOR_COLLECTOR = 2, DOCTOR_START = 4 };

// What the settings ask of the machine. Lists and strings stay the caller's.
struct doctor_needs {
	struct config_list ports; // PCI addresses
	struct config_list vdevs;
	bool is_sensor;		   // who asks is a sensor that starts: one that runs is another
	bool has_capture;	   // packets come from a file
	uint64_t n_queues;	   // of each port
	uint64_t hugepage_len;	   // bytes for DPDK
	uint64_t flow_len;	   // bytes of plain memory for the flow tables
	const char *file_prefix;   // of the EAL; NULL: one of the process's own
	const char *store_dir;	   // NULL: no store
	struct config_list listen; // "udp:HOST:PORT"
	uint64_t rcvbuf;
};

struct doctor_check {
	const char *name;
	unsigned scope;
	void (*run)(struct doctor *d);
	const char *text; // what it looks at
};

struct doctor_finding {
	const struct doctor_check *check;
	enum doctor_status status;
	char reason[DOCTOR_REASON_LEN];
	char mend[DOCTOR_MEND_LEN]; // commands, one a line; "# " begins what no command can do
};

// Made by doctor_create; checks read it and add findings.
struct doctor {
	const char *root; // before /sys and /proc: "" but in tests
	const struct doctor_needs *needs;
	struct nic *nics;
	size_t n_nics;
	int (*statvfs)(const char *path, struct statvfs *ret); // for tests
	bool (*clock_is_synced)(void);			       // for tests
	const struct doctor_check *check;		       // that runs
	struct doctor_finding *findings;
	size_t n_findings;
	bool no_memory; // findings are missing
};

extern const struct doctor_check doctor_checks[]; // ended by a NULL name

// Looks at the NICs. Both arguments must outlive it. NULL without memory.
[[nodiscard]] struct doctor *doctor_create(const char *root, const struct doctor_needs *needs);
void doctor_free(struct doctor *d);

// Runs the checks of the scopes; findings lie in d->findings, errors first. -ENOMEM when some are
// missing.
[[nodiscard]] int doctor_run(struct doctor *d, unsigned scopes);

// The worst there is.
enum doctor_status doctor_status(const struct doctor *d);

// "ok", "warning", "error".
const char *doctor_status_name(enum doctor_status status);

// For checks: adds a finding, and then what mends it, a command a call.
__attribute__((format(printf, 3, 4))) void
doctor_found(struct doctor *d, enum doctor_status status, const char *fmt, ...);
__attribute__((format(printf, 2, 3))) void doctor_mend(struct doctor *d, const char *fmt, ...);
