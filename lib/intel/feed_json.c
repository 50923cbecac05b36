// SPDX-License-Identifier: Apache-2.0

// JSON feeds: an object a line (Spamhaus, our own), an array of objects (Feodo), and documents:
// MISP events, OTX pulses, STIX 2.1 bundles. Members are found by name, as columns are.

#include "lib/base/json.h"
#include "lib/intel/row.h"

#include <string.h>

// Texts of numbers and flags: enough of them for one object's members.
struct texts {
	unsigned n;
	char text[ROW_N_ROLES][32];
};

static struct field field_of(const json_t *v, struct texts *t)
{
	if (json_is_string(v))
		return (struct field){json_string_value(v), json_string_length(v)};
	if (json_is_boolean(v))
		return json_is_true(v) ? (struct field){"true", 4} : (struct field){"false", 5};
	if (!json_is_number(v) || t->n == ROW_N_ROLES)
		return (struct field){};
	char *text = t->text[t->n++];
	int n = json_is_integer(v) ? snprintf(text, 32, "%lld", (long long)json_integer_value(v))
				   : snprintf(text, 32, "%.6g", json_real_value(v));
	return (struct field){text, (size_t)n};
}

static void take_object(struct feed_parser *f, const json_t *object)
{
	struct texts texts = {};
	struct row r = {};
	const char *name;
	json_t *v;
	json_object_foreach((json_t *)object, name, v)
	{
		enum row_role role = row_role_of(name, strlen(name));
		struct field text = role == ROW_IGNORED ? (struct field){} : field_of(v, &texts);
		row_set(&r, role, text.p, text.len);
	}
	row_take(f, &r);
}

// The last line of Spamhaus' lists tells of the list itself.
static bool is_metadata(const json_t *object)
{
	const char *type = json_string_value(json_object_get(object, "type"));
	return type && strcmp(type, "metadata") == 0;
}

static bool has_value(const json_t *object)
{
	const char *name;
	json_t *v;
	json_object_foreach((json_t *)object, name, v)
	{
		enum row_role role = row_role_of(name, strlen(name));
		if (json_is_string(v) && (role == ROW_VALUE || role == ROW_URL))
			return true;
	}
	return false;
}

static bool jsonl_fits_line(const struct field *line)
{
	json_t *object = *line->p == '{' ? json_load_foreign(line->p, line->len) : NULL;
	bool fits = json_is_object(object) && (has_value(object) || is_metadata(object));
	json_decref(object);
	return fits;
}

bool feed_jsonl_fits(const char *data, size_t len)
{
	struct text_lines t = {.p = data, .end = data + len};
	struct field line = {};
	while (text_next(&t, &line) && text_is_comment(&line))
		;
	bool is_array = line.len && *line.p == '['; // of objects, each in its line
	return !is_array && text_fits_often(data, len, jsonl_fits_line, 2);
}

void feed_jsonl_parse(struct feed_parser *f, const char *data, size_t len)
{
	struct text_lines t = {.p = data, .end = data + len};
	struct field line;
	while (!f->no_memory && text_next(&t, &line)) {
		f->line = t.number;
		if (text_is_comment(&line))
			continue;
		f->report->lines++;
		json_t *object =
			line.len <= FEED_LINE_MAX ? json_load_foreign(line.p, line.len) : NULL;
		if (!json_is_object(object))
			row_reject(f, "not a JSON object", line.p, line.len);
		else if (is_metadata(object))
			f->report->lines--;
		else
			take_object(f, object);
		json_decref(object);
	}
}

struct stix {
	struct feed_parser *f;
	const json_t *object;
};

static void take_stix_value(void *ctx, const char *value, size_t len, bool is_exact)
{
	static const char *const kinds[] = {"labels", "indicator_types"};
	struct stix *s = ctx;
	struct texts texts = {};
	struct row r = {};
	const char *name;
	json_t *v;
	row_set(&r, ROW_VALUE, value, len);
	if (is_exact)
		row_set(&r, ROW_TYPE, "hostname", 8);
	json_object_foreach((json_t *)s->object, name, v)
	{
		enum row_role role = row_role_of(name, strlen(name));
		if (role == ROW_TYPE || role == ROW_VALUE || role == ROW_URL)
			continue;
		struct field text = role == ROW_IGNORED ? (struct field){} : field_of(v, &texts);
		row_set(&r, role, text.p, text.len);
	}
	for (int i = 0; i < 2; i++) {
		const json_t *kind = json_array_get(json_object_get(s->object, kinds[i]), 0);
		row_set(&r, ROW_CATEGORY, json_string_value(kind), json_string_length(kind));
	}
	const json_t *title = json_object_get(s->object, "name");
	row_set(&r, ROW_DESCRIPTION, json_string_value(title), json_string_length(title));
	const json_t *id = json_object_get(s->object, "id");
	row_set(&r, ROW_REFERENCE, json_string_value(id), json_string_length(id));
	row_take(s->f, &r);
}

static void take_stix(struct feed_parser *f, const json_t *object)
{
	const char *type = json_string_value(json_object_get(object, "type"));
	const char *kind = json_string_value(json_object_get(object, "pattern_type"));
	const json_t *pattern = json_object_get(object, "pattern");
	struct stix s = {f, object};
	bool invalid = false;
	if (!type || strcmp(type, "indicator") != 0)
		return;
	f->line++;
	f->report->lines++;
	if (json_is_true(json_object_get(object, "revoked"))) {
		f->report->expired++;
		return;
	}
	if (!json_is_string(pattern) || (kind && strcmp(kind, "stix") != 0)) {
		f->report->unsupported++;
		return;
	}
	const char *text = json_string_value(pattern);
	if (stix_pattern_each(text, json_string_length(pattern), take_stix_value, &s, &invalid))
		return;
	if (invalid)
		row_reject(f, "not a STIX pattern", text, strlen(text));
	else
		f->report->unsupported++;
}

// MISP: "evil.example|198.51.100.7" are two.
static bool take_pair(struct feed_parser *f, const json_t *object)
{
	const char *type = json_string_value(json_object_get(object, "type"));
	const char *value = json_string_value(json_object_get(object, "value"));
	const char *bar = value ? strchr(value, '|') : NULL;
	if (!type || !bar || strcmp(type, "domain|ip") != 0)
		return false;
	json_t *copy = json_copy((json_t *)object);
	json_object_set_new(copy, "type", json_string("domain"));
	json_object_set_new(copy, "value", json_stringn(value, (size_t)(bar - value)));
	take_object(f, copy);
	json_object_set_new(copy, "type", json_string("ip"));
	json_object_set_new(copy, "value", json_string(bar + 1));
	take_object(f, copy);
	json_decref(copy);
	return true;
}

static void take_array(struct feed_parser *f, const json_t *array)
{
	for (size_t i = 0; i < json_array_size(array) && !f->no_memory; i++) {
		const json_t *v = json_array_get(array, i);
		f->line++;
		f->report->lines++;
		if (json_is_object(v)) {
			if (!take_pair(f, v))
				take_object(f, v);
		} else if (json_is_string(v)) {
			struct row r = {};
			row_set(&r, ROW_VALUE, json_string_value(v), json_string_length(v));
			row_take(f, &r);
		} else {
			row_reject(f, "neither object nor text", "", 0);
		}
	}
}

// An event has attributes of its own and of its objects.
static void take_misp(struct feed_parser *f, const json_t *event)
{
	take_array(f, json_object_get(event, "Attribute"));
	const json_t *objects = json_object_get(event, "Object");
	for (size_t i = 0; i < json_array_size(objects); i++)
		take_array(f, json_object_get(json_array_get(objects, i), "Attribute"));
}

// MISP's warning lists hold what is known and harmless, however the feed was added.
static bool take_warninglist(struct feed_parser *f, const json_t *root)
{
	static const char *const kinds[] = {"cidr", "hostname", "string"};
	const char *type = json_string_value(json_object_get(root, "type"));
	const json_t *list = json_object_get(root, "list");
	if (!type || !json_is_array(list) || !json_object_get(root, "matching_attributes"))
		return false;
	f->is_allow = true;
	for (int i = 0; i < 3; i++) {
		if (strcmp(type, kinds[i]) == 0) {
			take_array(f, list);
			return true;
		}
	}
	f->report->unsupported += json_array_size(list); // regex, substring
	f->report->lines += json_array_size(list);
	return true;
}

static const json_t *event_of(const json_t *v)
{
	const json_t *event = json_object_get(v, "Event");
	return event ? event : v;
}

static bool is_misp(const json_t *v)
{
	const json_t *event = event_of(v);
	return json_is_array(json_object_get(event, "Attribute")) ||
	       json_is_array(json_object_get(event, "Object"));
}

static void take_document(struct feed_parser *f, const json_t *root)
{
	const json_t *objects = json_object_get(root, "objects");
	const json_t *response = json_object_get(root, "response"); // of MISP's search
	const json_t *results = json_object_get(root, "results");   // of OTX's
	if (take_warninglist(f, root))
		return;
	if (json_is_array(objects))
		for (size_t i = 0; i < json_array_size(objects) && !f->no_memory; i++)
			take_stix(f, json_array_get(objects, i));
	else if (json_is_array(response))
		for (size_t i = 0; i < json_array_size(response) && !f->no_memory; i++)
			take_misp(f, event_of(json_array_get(response, i)));
	else if (is_misp(root))
		take_misp(f, event_of(root));
	else if (json_is_array(json_object_get(root, "indicators")))
		take_array(f, json_object_get(root, "indicators"));
	else if (json_is_array(results))
		for (size_t i = 0; i < json_array_size(results) && !f->no_memory; i++)
			take_array(f, json_object_get(json_array_get(results, i), "indicators"));
	else if (json_is_array(root) && is_misp(json_array_get(root, 0)))
		for (size_t i = 0; i < json_array_size(root) && !f->no_memory; i++)
			take_misp(f, event_of(json_array_get(root, i)));
	else if (json_is_array(root))
		take_array(f, root);
	else if (json_is_object(root) && has_value(root))
		take_object(f, root);
}

bool feed_json_fits(const char *data, size_t len)
{
	size_t at = len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	while (at < len && strchr(" \t\r\n", data[at]) && data[at])
		at++;
	return at < len && (data[at] == '{' || data[at] == '[');
}

void feed_json_parse(struct feed_parser *f, const char *data, size_t len)
{
	size_t at = len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	json_t *root = json_load_foreign(data + at, len - at);
	if (root)
		take_document(f, root);
	else
		row_reject(f, "not JSON, or nested too deeply", data + at, len - at);
	json_decref(root);
}
