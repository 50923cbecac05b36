// SPDX-License-Identifier: Apache-2.0
#include "cli/shape.h"

static void add_counters(json_t *rows, json_t *group, const char *kind)
{
	const char *name;
	json_t *value;
	json_object_foreach(group, name, value) json_array_append_new(
		rows, json_pack("{s:s,s:s,s:O}", "kind", kind, "name", name, "value", value)
	);
}

json_t *shape_ledger(json_t *answer)
{
	json_t *rows = json_array();
	add_counters(rows, json_object_get(answer, "sums"), "sum");
	add_counters(rows, json_object_get(answer, "counters"), "counter");
	add_counters(rows, json_object_get(answer, "drops"), "drop");
	add_counters(rows, json_object_get(answer, "store"), "store");
	add_counters(rows, json_object_get(answer, "state"), "state");
	return rows;
}
