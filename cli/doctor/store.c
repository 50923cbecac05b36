// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor/store.h"

#include "collector/store/backup.h"

#include <jansson.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static json_t *row(const char *what, uint64_t checked, uint64_t damaged, uint64_t records)
{
	return json_pack(
		"{s:s,s:I,s:I,s:I}",
		"what",
		what,
		"checked",
		(json_int_t)checked,
		"damaged",
		(json_int_t)damaged,
		"records_lost",
		(json_int_t)records
	);
}

// What is lost is what was committed and cannot be read, whether or not it is known where it was.
static int print(const char *dir, const struct store_condition *s, enum output_format format)
{
	static const char *const columns[] = {"what", "checked", "damaged", "records_lost", NULL};
	const struct check *c = &s->check;
	uint64_t lost = s->rows_expected > c->rows ? s->rows_expected - c->rows : 0;
	lost = lost > c->bad_rows ? lost : c->bad_rows;
	json_t *rows = json_array();
	json_array_append_new(
		rows, row("blocks of records", c->blocks + c->bad_blocks, c->bad_blocks, lost)
	);
	json_array_append_new(
		rows, row("tables and settings", c->tables + c->bad_tables, c->bad_tables, 0)
	);
	json_array_append_new(rows, row("parts of files not readable", c->gaps, c->gaps, 0));
	output_rows(rows, columns, format);
	json_decref(rows);
	fprintf(stderr,
		"%s: %llu of %llu records can be read%s%s%s\n",
		dir,
		(unsigned long long)c->rows,
		(unsigned long long)(c->rows + lost),
		*c->first_bad ? "; the first that is damaged: " : "",
		c->first_bad,
		s->is_open ? "; a collector has it open" : "");
	return lost || c->bad_blocks || c->bad_tables || c->gaps ? EXIT_FAILURE : EXIT_SUCCESS;
}

int doctor_store(const char *dir, bool repair, enum output_format format)
{
	char error[STORE_ERROR_LEN] = "";
	struct store_condition condition;
	int ret = repair ? store_repair(dir, error) : 0;
	if (ret < 0) {
		fprintf(stderr, "weir doctor: %s\n", error);
		return EXIT_FAILURE;
	}
	if (*error)
		fprintf(stderr, "weir doctor: %s\n", error);
	ret = store_condition(dir, &condition, error);
	if (ret == 0)
		return print(dir, &condition, format);
	fprintf(stderr,
		"weir doctor: %s%s\n",
		error,
		ret == -EUCLEAN ? ": stop the collector and try --repair" : "");
	return EXIT_FAILURE;
}
