// SPDX-License-Identifier: Apache-2.0
#include "cli/feed_trial.h"

#include "collector/intel/feed_source.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *counts_json(const struct feed_report *r)
{
	return json_pack(
		"{s:I,s:I,s:I,s:I,s:I,s:I,s:I}",
		"lines",
		(json_int_t)r->lines,
		"indicators",
		(json_int_t)r->taken,
		"rejected",
		(json_int_t)r->rejected,
		"unsupported",
		(json_int_t)r->unsupported,
		"reserved",
		(json_int_t)r->reserved,
		"expired",
		(json_int_t)r->expired,
		"over_limit",
		(json_int_t)r->over_limit
	);
}

static json_t *types_json(const struct intel_list *l)
{
	json_int_t n[INDICATOR_N_TYPES] = {}, n_allow = 0;
	json_t *types = json_object();
	for (size_t i = 0; l && i < l->n; i++) {
		n[l->items[i].type]++;
		n_allow += l->items[i].is_allow;
	}
	for (int i = INDICATOR_NET; i < INDICATOR_N_TYPES; i++)
		json_object_set_new(
			types, indicator_type_name((enum indicator_type)i), json_integer(n[i])
		);
	json_object_set_new(types, "allow", json_integer(n_allow));
	return types;
}

static void set_time(json_t *j, const char *key, uint32_t sec)
{
	char text[32];
	const char *form = "%Y-%m-%dT%H:%M:%SZ";
	json_object_set_new(
		j,
		key,
		sec ? json_string(clock_format(sec * NS_PER_SEC, form, text, sizeof(text)))
		    : json_null()
	);
}

// A text of the feed; what is no UTF-8 in it is left out.
static void set_text(json_t *j, const char *key, const char *text)
{
	json_t *v = json_string(text);
	json_object_set_new(j, key, v ? v : json_null());
}

static json_t *indicator_json(const struct intel_list *l, const struct indicator *i)
{
	json_t *j = json_object();
	set_text(j, "value", intel_list_str(l, i->value));
	set_text(j, "type", indicator_type_name((enum indicator_type)i->type));
	set_text(j, "category", intel_list_str(l, i->category));
	set_text(j, "severity", indicator_severity_name((enum indicator_severity)i->severity));
	json_object_set_new(j, "score", json_integer(i->score));
	json_object_set_new(j, "confidence", json_integer(i->confidence));
	json_object_set_new(j, "allow", json_boolean(i->is_allow));
	set_time(j, "first_seen", i->first_seen);
	set_time(j, "last_seen", i->last_seen);
	set_time(j, "expires", i->expires);
	set_text(j, "description", intel_list_str(l, i->description));
	set_text(j, "reference", intel_list_str(l, i->reference));
	return j;
}

static json_t *answer(const struct feed_report *r, const struct intel_list *l, size_t limit)
{
	json_t *j = json_object(), *first = json_array();
	json_object_set_new(j, "format", r->format ? json_string(r->format) : json_null());
	json_object_set_new(j, "counts", counts_json(r));
	json_object_set_new(j, "types", types_json(l));
	json_object_set_new(j, "rejects", feed_rejects_json(r));
	for (size_t i = 0; l && i < l->n && i < limit; i++)
		json_array_append_new(first, indicator_json(l, &l->items[i]));
	json_object_set_new(j, "first", first);
	return j;
}

static void add_row(json_t *rows, const char *kind, const char *name, json_t *value)
{
	json_array_append_new(
		rows, json_pack("{s:s,s:s,s:o}", "kind", kind, "name", name, "value", value)
	);
}

static void add_rows(json_t *rows, const char *kind, json_t *group)
{
	const char *name;
	json_t *value;
	json_object_foreach(group, name, value) add_row(rows, kind, name, json_incref(value));
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

// "score 700, high, c2, what it is": what of it there is
static json_t *indicator_text(const json_t *v)
{
	const char *category = text_of(v, "category"), *description = text_of(v, "description");
	return json_sprintf(
		"score %lld, %s%s%s%s%s",
		(long long)json_integer_value(json_object_get(v, "score")),
		text_of(v, "severity"),
		*category ? ", " : "",
		category,
		*description ? ", " : "",
		description
	);
}

// The same as rows of one shape, so that table and CSV can show it.
static json_t *rows_of(json_t *j)
{
	json_t *rows = json_array(), *v;
	size_t i;
	add_row(rows, "feed", "format", json_incref(json_object_get(j, "format")));
	add_rows(rows, "count", json_object_get(j, "counts"));
	add_rows(rows, "type", json_object_get(j, "types"));
	json_array_foreach(json_object_get(j, "rejects"), i, v)
	{
		char name[32];
		snprintf(
			name,
			sizeof(name),
			"line %lld",
			(long long)json_integer_value(json_object_get(v, "line"))
		);
		add_row(rows,
			"rejected",
			name,
			json_sprintf("%s: %s", text_of(v, "why"), text_of(v, "text")));
	}
	json_array_foreach(json_object_get(j, "first"), i, v)
	{
		bool is_allow = json_is_true(json_object_get(v, "allow"));
		add_row(rows,
			is_allow ? "allow" : "indicator",
			text_of(v, "value"),
			indicator_text(v));
	}
	return rows;
}

static void
print(const struct feed_report *r,
      const struct intel_list *l,
      size_t limit,
      enum output_format format)
{
	static const char *const columns[] = {"kind", "name", "value", NULL};
	json_t *j = answer(r, l, limit);
	json_t *shown = format == OUTPUT_JSON ? json_incref(j) : rows_of(j);
	output_rows(shown, columns, format);
	json_decref(shown);
	json_decref(j);
}

// The words as a definition: a file by its whole path, as the collector wants it.
static int define(const char *const *words, int n, struct feed_def *ret_def)
{
	char error[FEED_ERROR_LEN], path[PATH_MAX];
	const char *all[32];
	if (n < 1 || n > 32) {
		fprintf(stderr, "weir: expected a file and at most 31 settings (try --help)\n");
		return CONFIG_EXIT_USAGE;
	}
	memcpy(all, words, (size_t)n * sizeof(all[0]));
	if (!strstr(words[0], "://") && !realpath(words[0], path)) {
		fprintf(stderr, "weir: %s: %s\n", words[0], strerror(errno));
		return EXIT_FAILURE;
	}
	if (!strstr(words[0], "://"))
		all[0] = path;
	if (feed_def_parse("test", all, (size_t)n, ret_def, error) == 0)
		return CONFIG_RUN;
	fprintf(stderr, "weir: %s\n", error);
	return CONFIG_EXIT_USAGE;
}

int feed_trial(const char *const *words, int n, size_t limit, enum output_format format)
{
	struct feed_def def;
	struct feed_mark mark = {};
	struct feed_bytes bytes = {};
	struct feed_report report = {};
	struct intel_list *list = NULL;
	char error[FEED_ERROR_LEN];
	int ret = define(words, n, &def);
	if (ret != CONFIG_RUN)
		return ret;
	if (feed_source_read(&def, &mark, &bytes, error) < 0) {
		fprintf(stderr, "weir: %s: %s\n", words[0], error);
		return EXIT_FAILURE;
	}
	struct feed_options o = feed_def_options(&def);
	ret = feed_parse(&o, bytes.data, bytes.len, clock_now_ns(), &list, &report);
	free(bytes.data);
	if (ret == -EINVAL)
		fprintf(stderr,
			"weir: %s: %s\n",
			words[0],
			report.format ? "nothing in it could be used" : "its format is not known");
	else if (ret < 0)
		fprintf(stderr, "weir: %s: %s\n", words[0], strerror(-ret));
	print(&report, list, limit, format);
	intel_list_put(list);
	return ret < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
