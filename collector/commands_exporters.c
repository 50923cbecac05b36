// SPDX-License-Identifier: Apache-2.0
#include "collector/commands_exporters.h"

#include "collector/commands.h"
#include "collector/ingest/ingest.h"
#include "lib/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERROR_LEN 256
#define LIST_MAX 4096

static json_t *sequence_json(const struct ingest_exporter *e)
{
	return json_pack(
		"{s:I,s:I,s:I,s:I,s:I,s:I,s:I}",
		"packets",
		(json_int_t)e->messages,
		"records",
		(json_int_t)e->records,
		"options",
		(json_int_t)e->options,
		"lost",
		(json_int_t)e->lost,
		"reordered",
		(json_int_t)e->reordered,
		"duplicates",
		(json_int_t)e->duplicates,
		"resets",
		(json_int_t)e->resets
	);
}

static json_t *or_null(bool is_known, int64_t v)
{
	return is_known ? json_integer(v) : json_null();
}

static json_t *exporter_json(const struct ingest_exporter *e, uint64_t now_ns)
{
	char addr[ADDR_TEXT_LEN], seen[32];
	bool has_age = e->templates && e->template_ns && e->template_ns <= now_ns;
	json_t *j = json_pack(
		"{s:s,s:i,s:s,s:s,s:I,s:i,s:i,s:i}",
		"address",
		addr_format(&e->addr, addr),
		"port",
		e->port,
		"transport",
		e->is_tcp ? "tcp" : "udp",
		"protocol",
		e->is_sflow	   ? "sflow"
		: e->version == 10 ? "ipfix"
				   : "netflow",
		"domain",
		(json_int_t)e->domain,
		"version",
		e->version,
		"entity",
		e->entity,
		"templates",
		(int)e->templates
	);
	json_t *more = json_pack(
		"{s:o,s:o,s:o,s:s}",
		"template_age_sec",
		or_null(has_age, (int64_t)((now_ns - e->template_ns) / NS_PER_SEC)),
		"sampling",
		or_null(e->sampling, e->sampling),
		"clock_skew_ms",
		or_null(e->has_skew, e->skew_ns / (int64_t)NS_PER_MSEC),
		"last_seen",
		clock_format(e->last_ns, "%Y-%m-%dT%H:%M:%SZ", seen, sizeof(seen))
	);
	json_t *sequence = sequence_json(e);
	json_object_update(j, sequence);
	json_object_update(j, more);
	json_decref(sequence);
	json_decref(more);
	return j;
}

// The longest silent last.
static int by_last(const void *a, const void *b)
{
	const struct ingest_exporter *x = a, *y = b;
	return x->last_ns < y->last_ns ? 1 : x->last_ns > y->last_ns ? -1 : 0;
}

static json_t *
list_json(struct ingest_exporter *list, size_t n, const struct addr *only, size_t limit)
{
	json_t *result = json_array();
	uint64_t now_ns = clock_now_ns();
	qsort(list, n, sizeof(*list), by_last);
	for (size_t i = 0; i < n && json_array_size(result) < limit; i++) {
		if (!only || addr_eq(only, &list[i].addr))
			json_array_append_new(result, exporter_json(&list[i], now_ns));
	}
	return result;
}

json_t *cmd_exporters(void *ctx, json_t *args, char error[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	const char *address = json_string_value(json_object_get(args, "address"));
	json_int_t limit = json_integer_value(json_object_get(args, "limit"));
	struct addr only;
	if (address && addr_parse(address, &only) < 0)
		return control_fail(error, "address: not an IP address");
	if (limit < 0 || limit > LIST_MAX)
		return control_fail(error, "limit: 1 to 4096");
	struct ingest_exporter *list = calloc(LIST_MAX, sizeof(*list));
	if (!list)
		return control_fail(error, "out of memory");
	pthread_mutex_lock(&c->ingest_lock); // it starts after the socket, and ends before it
	size_t n = c->ingest ? ingest_exporters(c->ingest, list, LIST_MAX) : 0;
	pthread_mutex_unlock(&c->ingest_lock);
	json_t *result =
		list_json(list, n, address ? &only : NULL, limit ? (size_t)limit : LIST_MAX);
	free(list);
	return result;
}
