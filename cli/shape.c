// SPDX-License-Identifier: Apache-2.0
#include "cli/shape.h"

#include <pwd.h>
#include <unistd.h>

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
	json_t *rows = json_array(), *residue = json_object_get(answer, "residue");
	json_t *of_sensor = residue ? json_pack("{s:O}", "residue", residue) : NULL;
	add_counters(rows, of_sensor, "sum");
	json_decref(of_sensor);
	add_counters(rows, json_object_get(answer, "sums"), "sum");
	add_counters(rows, json_object_get(answer, "counters"), "counter");
	add_counters(rows, json_object_get(answer, "drops"), "drop");
	add_counters(rows, json_object_get(answer, "store"), "store");
	add_counters(rows, json_object_get(answer, "state"), "state");
	return rows;
}

json_t *shape_by(void)
{
	const struct passwd *p = getpwuid(getuid());
	json_t *user = p ? json_string(p->pw_name) : json_sprintf("uid %u", getuid());
	return json_pack("{s:o,s:s}", "user", user, "address", "control socket");
}
