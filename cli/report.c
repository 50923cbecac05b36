// SPDX-License-Identifier: Apache-2.0
#include "cli/report.h"

void report_add(struct report *r, const char *name, uint64_t value)
{
	if (r->n == REPORT_MAX)
		return;
	r->values[r->n].name = name;
	r->values[r->n++].value = value;
}

static json_t *row(const char *kind, const char *name, uint64_t value)
{
	return json_pack("{s:s,s:s,s:I}", "kind", kind, "name", name, "value", (json_int_t)value);
}

static json_t *rows_of(const struct report *r)
{
	json_t *rows = json_array();
	for (size_t i = 0; i < r->n; i++)
		json_array_append_new(rows, row("total", r->values[i].name, r->values[i].value));
	for (size_t i = 0; r->tally && i < r->tally->n; i++) {
		const struct tally_entry *e = &r->tally->entries[i];
		json_array_append_new(rows, row(e->group, e->name, e->n));
	}
	return rows;
}

static json_t *object_of(const struct report *r)
{
	json_t *all = json_object();
	for (size_t i = 0; i < r->n; i++)
		json_object_set_new(
			all, r->values[i].name, json_integer((json_int_t)r->values[i].value)
		);
	for (size_t i = 0; r->tally && i < r->tally->n; i++) {
		const struct tally_entry *e = &r->tally->entries[i];
		json_t *group = json_object_get(all, e->group);
		if (!group) {
			group = json_object();
			json_object_set_new(all, e->group, group);
		}
		json_object_set_new(group, e->name, json_integer((json_int_t)e->n));
	}
	return all;
}

void report_print(const struct report *r)
{
	static const char *const columns[] = {"kind", "name", "value", NULL};
	json_t *answer = r->format == OUTPUT_JSON ? object_of(r) : rows_of(r);
	output_rows(answer, columns, r->format);
	json_decref(answer);
}
