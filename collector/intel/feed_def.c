// SPDX-License-Identifier: Apache-2.0
#include "collector/intel/feed_def.h"

#include "lib/base/clock.h"
#include "lib/base/config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SEC ((int64_t)NS_PER_SEC)

// What the words of a definition set: lib/base/config.h reads types, units and bounds.
struct words {
	char *location, *format, *category, *severity, *ca_file;
	int64_t score, confidence, every_ns, timeout_ns, max_age_ns, max_len, max_items, min_share;
	bool allow, reserved, exact, allow_private;
};

#define AT(member) offsetof(struct words, member)

// clang-format off
static const struct config_item items[] = {
	{"location", NULL, NULL, CONFIG_STRING, AT(location), 0, 0, NULL, "https URL, file or directory"},
	{"format", NULL, NULL, CONFIG_STRING, AT(format), 0, 0, "auto", "form of the content"},
	{"category", NULL, NULL, CONFIG_STRING, AT(category), 0, 0, NULL, "of indicators that say none"},
	{"severity", NULL, NULL, CONFIG_STRING, AT(severity), 0, 0, NULL, "low, medium, high or critical; default: by the score"},
	{"score", NULL, NULL, CONFIG_INT, AT(score), 1, INDICATOR_SCORE_MAX, "700", "of indicators that say none, 1 to 1000"},
	{"confidence", NULL, NULL, CONFIG_INT, AT(confidence), 1, 100, "75", "likewise, 1 to 100"},
	{"every", NULL, NULL, CONFIG_DURATION, AT(every_ns), SEC, 30 * 86400 * SEC, "0", "how often it is looked at; default: a URL each hour, a file each second"},
	{"timeout", NULL, NULL, CONFIG_DURATION, AT(timeout_ns), SEC, 3600 * SEC, "60s", "of a download"},
	{"max_age", NULL, NULL, CONFIG_DURATION, AT(max_age_ns), 0, 3650 * 86400 * SEC, "0", "indicators not seen for so long are left out"},
	{"max_size", NULL, NULL, CONFIG_SIZE, AT(max_len), 1, 4ll << 30, "256 MiB", "bytes"},
	{"max_items", NULL, NULL, CONFIG_INT, AT(max_items), 1, 8000000, "2000000", "indicators"},
	{"min_share", NULL, NULL, CONFIG_INT, AT(min_share), 0, 100, "50", "percent of the last good copy's indicators that a new one must have"},
	{"allow", NULL, NULL, CONFIG_BOOL, AT(allow), 0, 0, "no", "an allow-list"},
	{"reserved", NULL, NULL, CONFIG_BOOL, AT(reserved), 0, 0, "no", "keep private and other reserved networks"},
	{"exact", NULL, NULL, CONFIG_BOOL, AT(exact), 0, 0, "no", "names mean themselves, not those below"},
	{"allow_private", NULL, NULL, CONFIG_BOOL, AT(allow_private), 0, 0, "no", "the URL may lead to a private address"},
	{"ca_file", NULL, NULL, CONFIG_STRING, AT(ca_file), 0, 0, NULL, "certificates the URL's server is checked with"},
};
// clang-format on

#define N_ITEMS (sizeof(items) / sizeof(items[0]))

static const struct config_program program = {.items = items, .n_items = N_ITEMS};

bool feed_def_is_name(const char *name)
{
	size_t n = strlen(name);
	return n >= 1 && n <= INTEL_FEED_NAME_MAX && *name != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-.") == n;
}

bool feed_def_is_url(const struct feed_def *d)
{
	return strncasecmp(d->location, "https://", 8) == 0;
}

__attribute__((format(printf, 2, 3))) static int
fail(char error[static FEED_ERROR_LEN], const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vsnprintf(error, FEED_ERROR_LEN, fmt, args);
	va_end(args);
	return -EINVAL;
}

static int
set(struct words *w, const char *key, const char *value, char error[static FEED_ERROR_LEN])
{
	for (size_t i = 0; i < N_ITEMS; i++) {
		const char *what;
		if (strcmp(items[i].key, key) != 0)
			continue;
		if (config_set(&items[i], w, NULL, value, &what) < 0)
			return fail(error, "%s: %s", key, what);
		return 0;
	}
	return fail(error, "%s: no such setting of a feed", key);
}

static int set_defaults(struct words *w, char error[static FEED_ERROR_LEN])
{
	int ret = 0;
	for (size_t i = 0; i < N_ITEMS && ret == 0; i++) {
		const char *def = items[i].def ? items[i].def : "";
		bool unset = strcmp(def, "0") == 0; // below the bounds on purpose
		if (items[i].type == CONFIG_STRING || !unset)
			ret = *def || items[i].type == CONFIG_STRING
				      ? set(w, items[i].key, def, error)
				      : 0;
	}
	return ret;
}

static bool is_format(const char *name)
{
	if (strcmp(name, "auto") == 0)
		return true;
	for (size_t i = 0; feed_formats[i].name; i++)
		if (strcmp(feed_formats[i].name, name) == 0)
			return true;
	return false;
}

static int
check(const char *name, const struct words *w, struct feed_def *d, char error[static FEED_ERROR_LEN]
)
{
	bool url = strncasecmp(w->location, "https://", 8) == 0;
	if (!feed_def_is_name(name))
		return fail(error, "a feed's name is 1 to 63 of a-z, 0-9, '_', '-' and '.'");
	if (!*w->location || strlen(w->location) > FEED_LOCATION_MAX)
		return fail(error, "expected an https URL, a file or a directory");
	if (!url && strstr(w->location, "://"))
		return fail(error, "only https URLs are fetched");
	if (!url && *w->location != '/')
		return fail(error, "a file is named by its whole path");
	if (!is_format(w->format))
		return fail(error, "format: no such format");
	if (strlen(w->category) > FEED_WORD_MAX || strlen(w->ca_file) > FEED_LOCATION_MAX)
		return fail(error, "category or ca_file: too long");
	if (*w->severity && !indicator_severity_parse(w->severity, &d->severity))
		return fail(error, "severity: expected low, medium, high or critical");
	return 0;
}

static void fill(const char *name, const struct words *w, struct feed_def *d)
{
	snprintf(d->name, sizeof(d->name), "%s", name);
	snprintf(d->location, sizeof(d->location), "%s", w->location);
	snprintf(d->format, sizeof(d->format), "%s", w->format);
	snprintf(d->category, sizeof(d->category), "%s", w->category);
	snprintf(d->ca_file, sizeof(d->ca_file), "%s", w->ca_file);
	d->score = (uint16_t)w->score;
	d->confidence = (uint8_t)w->confidence;
	d->is_allow = w->allow;
	d->keep_reserved = w->reserved;
	d->is_exact = w->exact;
	d->allow_private = w->allow_private;
	d->timeout_ns = (uint64_t)w->timeout_ns;
	d->max_age_ns = (uint64_t)w->max_age_ns;
	d->max_len = (size_t)w->max_len;
	d->max_items = (size_t)w->max_items;
	d->min_share = (uint8_t)w->min_share;
	d->every_ns = (uint64_t)w->every_ns;
	if (d->every_ns == 0)
		d->every_ns = feed_def_is_url(d) ? NS_PER_HOUR : NS_PER_SEC;
}

static int
finish(const char *name,
       struct words *w,
       int ret,
       struct feed_def *ret_def,
       char error[static FEED_ERROR_LEN])
{
	struct feed_def d = {};
	if (ret == 0)
		ret = check(name, w, &d, error);
	if (ret == 0) {
		fill(name, w, &d);
		*ret_def = d;
	}
	config_free(&program, w);
	return ret;
}

int feed_def_parse(
	const char *name,
	const char *const *words,
	size_t n,
	struct feed_def *ret_def,
	char error[static FEED_ERROR_LEN]
)
{
	struct words w = {};
	int ret = set_defaults(&w, error);
	for (size_t i = 0; i < n && ret == 0; i++) {
		const char *equals = strchr(words[i], '=');
		char key[32];
		if (i == 0) {
			ret = set(&w, "location", words[0], error);
			continue;
		}
		if (!equals || (size_t)(equals - words[i]) >= sizeof(key)) {
			ret = fail(error, "'%.60s': expected key=value", words[i]);
			continue;
		}
		memcpy(key, words[i], (size_t)(equals - words[i]));
		key[equals - words[i]] = '\0';
		ret = set(&w, key, equals + 1, error);
	}
	return finish(name, &w, ret, ret_def, error);
}

int feed_def_of_json(
	const char *name,
	const json_t *json,
	struct feed_def *ret_def,
	char error[static FEED_ERROR_LEN]
)
{
	struct words w = {};
	const char *key;
	json_t *v;
	int ret = set_defaults(&w, error);
	json_object_foreach((json_t *)json, key, v)
	{
		char number[32];
		const char *text = json_string_value(v);
		if (ret < 0 || strcmp(key, "name") == 0)
			continue;
		if (json_is_integer(v)) {
			snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(v));
			text = number;
		} else if (json_is_boolean(v)) {
			text = json_is_true(v) ? "yes" : "no";
		}
		ret = text ? set(&w, key, text, error)
			   : fail(error, "%s: expected text, number or flag", key);
	}
	return finish(name, &w, ret, ret_def, error);
}

json_t *feed_def_json(const struct feed_def *d)
{
	json_t *j = json_pack(
		"{s:s,s:s,s:i,s:i,s:b,s:b,s:b,s:b,s:I,s:I,s:I,s:I,s:I,s:i}",
		"location",
		d->location,
		"format",
		d->format,
		"score",
		(int)d->score,
		"confidence",
		(int)d->confidence,
		"allow",
		d->is_allow,
		"reserved",
		d->keep_reserved,
		"exact",
		d->is_exact,
		"allow_private",
		d->allow_private,
		"every",
		(json_int_t)(d->every_ns / NS_PER_SEC),
		"timeout",
		(json_int_t)(d->timeout_ns / NS_PER_SEC),
		"max_age",
		(json_int_t)(d->max_age_ns / NS_PER_SEC),
		"max_size",
		(json_int_t)d->max_len,
		"max_items",
		(json_int_t)d->max_items,
		"min_share",
		(int)d->min_share
	);
	if (j && *d->category)
		json_object_set_new(j, "category", json_string(d->category));
	if (j && *d->ca_file)
		json_object_set_new(j, "ca_file", json_string(d->ca_file));
	if (j && d->severity)
		json_object_set_new(
			j, "severity", json_string(indicator_severity_name(d->severity))
		);
	return j;
}

struct feed_options feed_def_options(const struct feed_def *d)
{
	return (struct feed_options){
		.name = d->name,
		.format = d->format,
		.category = d->category,
		.score = d->score,
		.severity = d->severity,
		.confidence = d->confidence,
		.is_allow = d->is_allow,
		.keep_reserved = d->keep_reserved || d->is_allow,
		.is_exact = d->is_exact,
		.max_age_sec = (uint32_t)(d->max_age_ns / NS_PER_SEC),
		.max_items = d->max_items,
	};
}

json_t *feed_rejects_json(const struct feed_report *r)
{
	json_t *list = json_array();
	for (uint32_t i = 0; i < r->n_rejects; i++)
		json_array_append_new(
			list,
			json_pack(
				"{s:I,s:s,s:s}",
				"line",
				(json_int_t)r->rejects[i].line,
				"why",
				r->rejects[i].why,
				"text",
				r->rejects[i].sample
			)
		);
	return list;
}
