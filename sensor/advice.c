// SPDX-License-Identifier: Apache-2.0
#include "sensor/advice.h"

#include "lib/base/hugepages.h"
#include "lib/base/log.h"

#include <string.h>

#define FLOW_LEN 215 // bytes of a flow in table and ring, as --flows tells

uint64_t sensor_hugepage_len(const struct sensor_config *c)
{
	size_t n_ports = c->vdevs.n + c->ports.n;
	return hugepages_need(n_ports ? n_ports : 1, (uint64_t)c->n_mbufs);
}

void sensor_needs(const struct sensor_config *c, struct doctor_needs *needs)
{
	size_t n_ports = c->vdevs.n + c->ports.n;
	uint64_t n_workers = *c->pcap ? 1 : n_ports * (uint64_t)c->n_queues;
	needs->ports = c->ports;
	needs->vdevs = c->vdevs;
	needs->has_capture = *c->pcap != '\0';
	needs->n_queues = (uint64_t)c->n_queues;
	needs->hugepage_len = sensor_hugepage_len(c);
	needs->flow_len = n_workers * (uint64_t)c->n_flows * FLOW_LEN;
}

// "--file-prefix=X" or "--file-prefix X"; NULL when not given.
static const char *file_prefix(char **rest)
{
	static const char option[] = "--file-prefix";
	size_t n = sizeof(option) - 1;
	for (; *rest; rest++) {
		if (strncmp(*rest, option, n) != 0)
			continue;
		if ((*rest)[n] == '=')
			return *rest + n + 1;
		if ((*rest)[n] == '\0')
			return rest[1];
	}
	return NULL;
}

static void log_finding(const struct doctor_finding *f)
{
	if (f->status == DOCTOR_OK)
		return;
	log_line(
		f->status == DOCTOR_ERROR ? LOG_LEVEL_ERR : LOG_LEVEL_WARN,
		"%s: %s",
		f->check->name,
		f->reason
	);
	for (const char *mend = f->mend; *mend; mend += *mend == '\n') {
		int n = (int)strcspn(mend, "\n");
		log_info("mend: %.*s", n, mend);
		mend += n;
	}
}

void sensor_advise(const struct sensor_config *c, char **rest)
{
	struct doctor_needs needs = {.is_sensor = true, .file_prefix = file_prefix(rest)};
	sensor_needs(c, &needs);
	struct doctor *d = doctor_create("", &needs);
	if (!d || doctor_run(d, DOCTOR_START) < 0)
		log_warn("no memory to look for what is amiss");
	for (size_t i = 0; d && i < d->n_findings; i++)
		log_finding(&d->findings[i]);
	doctor_free(d);
}
