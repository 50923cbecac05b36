// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor/print.h"

#include <stdio.h>
#include <string.h>

static json_t *commands_of(const struct doctor_finding *f)
{
	json_t *list = json_array();
	for (const char *mend = f->mend; *mend; mend += *mend == '\n') {
		size_t n = strcspn(mend, "\n");
		json_array_append_new(list, json_stringn(mend, n));
		mend += n;
	}
	return list;
}

static json_t *checks_of(const struct doctor *d)
{
	json_t *list = json_array();
	for (size_t i = 0; i < d->n_findings; i++) {
		const struct doctor_finding *f = &d->findings[i];
		json_array_append_new(
			list,
			json_pack(
				"{s:s,s:s,s:s,s:o}",
				"status",
				doctor_status_name(f->status),
				"check",
				f->check->name,
				"reason",
				f->reason,
				"mend",
				commands_of(f)
			)
		);
	}
	return list;
}

static json_t *string_or_null(const char *text)
{
	return *text ? json_string(text) : json_null();
}

static json_t *number_or_null(int n)
{
	return n >= 0 ? json_integer(n) : json_null();
}

static json_t *nics_of(const struct doctor *d)
{
	json_t *list = json_array();
	for (size_t i = 0; i < d->n_nics; i++) {
		const struct nic *n = &d->nics[i];
		char id[16];
		snprintf(id, sizeof(id), "%04x:%04x", n->vendor, n->device);
		json_array_append_new(
			list,
			json_pack(
				"{s:s,s:s,s:o,s:o,s:s,s:o,s:o,s:o,s:o,s:o}",
				"bdf",
				n->bdf,
				"id",
				id,
				"driver",
				string_or_null(n->driver),
				"netdev",
				string_or_null(n->netdev),
				"link",
				nic_link_name(n->link),
				"node",
				number_or_null(n->node),
				"group",
				number_or_null(n->group),
				"members",
				string_or_null(n->members),
				"use",
				string_or_null(n->use),
				"recommended",
				string_or_null(n->recommended ? n->recommended : "")
			)
		);
	}
	return list;
}

static void print_json(const struct doctor *d, const char *settings)
{
	json_t *all = json_pack(
		"{s:s,s:o,s:o,s:o}",
		"status",
		doctor_status_name(doctor_status(d)),
		"settings",
		settings ? json_string(settings) : json_null(),
		"checks",
		checks_of(d),
		"nics",
		nics_of(d)
	);
	json_dumpf(all, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(all);
}

// One cell for all commands of a finding: joined, they can still be pasted into a shell.
static void print_csv(const struct doctor *d)
{
	static const char *const columns[] = {"status", "check", "reason", "mend", NULL};
	json_t *rows = checks_of(d), *row, *command;
	size_t i, j;
	json_array_foreach(rows, i, row)
	{
		char text[DOCTOR_MEND_LEN + 64] = "";
		json_array_foreach(json_object_get(row, "mend"), j, command)
		{
			const char *word = json_string_value(command);
			size_t at = strlen(text);
			const char *between = j == 0 ? "" : *word == '#' ? " " : " && ";
			snprintf(text + at, sizeof(text) - at, "%s%s", between, word);
		}
		json_object_set_new(row, "mend", json_string(text));
	}
	output_rows(rows, columns, OUTPUT_CSV);
	json_decref(rows);
}

static void print_finding(const struct doctor_finding *f)
{
	printf("%-8s %-15s %s\n", doctor_status_name(f->status), f->check->name, f->reason);
	for (const char *mend = f->mend; *mend; mend += *mend == '\n') {
		int n = (int)strcspn(mend, "\n");
		printf("%25s%s%.*s\n", "", *mend == '#' ? "" : "$ ", n, mend);
		mend += n;
	}
}

static void print_table(const struct doctor *d, const char *settings)
{
	static const char *const columns[] = {
		"bdf",
		"id",
		"driver",
		"netdev",
		"link",
		"node",
		"group",
		"members",
		"use",
		"recommended",
		NULL};
	unsigned counts[DOCTOR_ERROR + 1] = {};
	for (size_t i = 0; i < d->n_findings; i++) {
		print_finding(&d->findings[i]);
		counts[d->findings[i].status]++;
	}
	printf("\nnetwork cards%s\n", d->n_nics ? "" : ": none on the PCI bus");
	if (d->n_nics) {
		json_t *nics = nics_of(d);
		output_rows(nics, columns, OUTPUT_TABLE);
		json_decref(nics);
	}
	printf("\n%u error%s, %u warning%s, %u ok; settings: %s\n",
	       counts[DOCTOR_ERROR],
	       counts[DOCTOR_ERROR] == 1 ? "" : "s",
	       counts[DOCTOR_WARNING],
	       counts[DOCTOR_WARNING] == 1 ? "" : "s",
	       counts[DOCTOR_OK],
	       settings ? settings : "the defaults");
}

void doctor_print(const struct doctor *d, const char *settings, enum output_format format)
{
	if (format == OUTPUT_JSON)
		print_json(d, settings);
	else if (format == OUTPUT_CSV)
		print_csv(d);
	else
		print_table(d, settings);
}
