// SPDX-License-Identifier: Apache-2.0
#include "lib/base/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONFIG_ITEMS_MAX 128

struct unit {
	const char *name;
	int64_t scale;
};

static const struct unit duration_units[] = {
	{"", 1000000000},
	{"ns", 1},
	{"us", 1000},
	{"ms", 1000000},
	{"s", 1000000000},
	{"m", 60000000000},
	{"h", 3600000000000},
	{"d", 86400000000000},
	{},
};

static const struct unit size_units[] = {
	{"", 1},
	{"K", 1ll << 10},
	{"KiB", 1ll << 10},
	{"M", 1ll << 20},
	{"MiB", 1ll << 20},
	{"G", 1ll << 30},
	{"GiB", 1ll << 30},
	{"T", 1ll << 40},
	{"TiB", 1ll << 40},
	{},
};

static const struct unit plain_units[] = {{"", 1}, {}};

static void *member(const struct config_item *item, void *config)
{
	return (char *)config + item->offset;
}

static int
set_number(const struct config_item *item, int64_t *ret, const struct unit *u, const char *text)
{
	char *end;
	errno = 0;
	long long v = strtoll(text, &end, 10);
	if (end == text || errno)
		return -EINVAL;
	while (*end == ' ')
		end++;
	for (; u->name; u++) {
		int64_t scaled;
		if (strcmp(end, u->name) != 0)
			continue;
		if (__builtin_mul_overflow((int64_t)v, u->scale, &scaled))
			return -EINVAL;
		if ((item->min || item->max) && (scaled < item->min || scaled > item->max))
			return -ERANGE;
		*ret = scaled;
		return 0;
	}
	return -EINVAL;
}

static int set_bool(bool *ret, const char *text)
{
	static const char *const words[2][4] = {
		{"no", "false", "off", "0"}, {"yes", "true", "on", "1"}};
	for (int v = 0; v < 2; v++)
		for (int i = 0; i < 4; i++)
			if (strcasecmp(text, words[v][i]) == 0) {
				*ret = v;
				return 0;
			}
	return -EINVAL;
}

static int set_string(char **ret, const char *text)
{
	char *copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	free(*ret);
	*ret = copy;
	return 0;
}

static int list_add(struct config_list *list, const char *text)
{
	char **items = reallocarray(list->items, list->n + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	list->items = items;
	items[list->n] = strdup(text);
	if (!items[list->n])
		return -ENOMEM;
	list->n++;
	return 0;
}

static void list_free(struct config_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct config_list){};
}

static int map_add(struct config_map *map, const char *name, const char *text)
{
	for (size_t i = 0; i < map->n; i++)
		if (strcmp(map->entries[i].name, name) == 0)
			return list_add(&map->entries[i].values, text);
	struct config_map_entry *entries = reallocarray(map->entries, map->n + 1, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	map->entries = entries;
	entries[map->n] = (struct config_map_entry){.name = strdup(name)};
	if (!entries[map->n].name)
		return -ENOMEM;
	return list_add(&entries[map->n++].values, text);
}

static void map_free(struct config_map *map)
{
	for (size_t i = 0; i < map->n; i++) {
		free(map->entries[i].name);
		list_free(&map->entries[i].values);
	}
	free(map->entries);
	*map = (struct config_map){};
}

static const char *const type_hints[] = {
	[CONFIG_BOOL] = "expected yes or no",
	[CONFIG_INT] = "expected a whole number",
	[CONFIG_DURATION] = "expected a duration such as 250ms, 30s, 5m, 2h or 7d",
	[CONFIG_SIZE] = "expected a size such as 4096, 64 MiB or 10G",
	[CONFIG_STRING] = "out of memory",
	[CONFIG_LIST] = "out of memory",
	[CONFIG_MAP] = "out of memory",
};

int config_set(
	const struct config_item *item,
	void *config,
	const char *name,
	const char *value,
	const char **ret_what
)
{
	void *m = member(item, config);
	int ret = -EINVAL;

	switch (item->type) {
	case CONFIG_BOOL:
		ret = set_bool(m, value);
		break;
	case CONFIG_INT:
		ret = set_number(item, m, plain_units, value);
		break;
	case CONFIG_DURATION:
		ret = set_number(item, m, duration_units, value);
		break;
	case CONFIG_SIZE:
		ret = set_number(item, m, size_units, value);
		break;
	case CONFIG_STRING:
		ret = set_string(m, value);
		break;
	case CONFIG_LIST:
		ret = list_add(m, value);
		break;
	case CONFIG_MAP:
		ret = map_add(m, name, value);
		break;
	}
	if (ret < 0)
		*ret_what = ret == -ERANGE ? "value out of range" : type_hints[item->type];
	return ret;
}

static int set_default(const struct config_item *item, void *config)
{
	const char *what, *def = item->def;
	if (item->type != CONFIG_LIST)
		return def ? config_set(item, config, NULL, def, &what)
			   : (item->type == CONFIG_STRING ? set_string(member(item, config), "") : 0
			     );

	char *copy = strdup(def ? def : ""), *save = NULL;
	int ret = copy ? 0 : -ENOMEM;
	for (char *word = copy; ret == 0 && (word = strtok_r(word, " ", &save)); word = NULL)
		ret = list_add(member(item, config), word);
	free(copy);
	return ret;
}

void config_free(const struct config_program *p, void *config)
{
	for (size_t i = 0; i < p->n_items; i++) {
		void *m = member(&p->items[i], config);
		if (p->items[i].type == CONFIG_STRING)
			free(*(char **)m);
		else if (p->items[i].type == CONFIG_LIST)
			list_free(m);
		else if (p->items[i].type == CONFIG_MAP)
			map_free(m);
	}
	memset(config, 0, p->size);
}

static void print_help(const struct config_program *p)
{
	printf("Usage: %s %s\n%s\n\n", p->name, p->synopsis, p->about);
	printf("  -c, --config FILE          read settings from FILE (YAML)\n");
	for (size_t i = 0; i < p->n_items; i++) {
		const struct config_item *item = &p->items[i];
		char left[64];
		if (!item->flag)
			continue;
		snprintf(left, sizeof(left), "--%s %s", item->flag, item->arg ? item->arg : "");
		printf("      %-22s %s", left, item->text);
		printf(item->def && *item->def ? " [%s]\n" : "\n", item->def);
	}
	printf("      --check-config         check the settings and end\n"
	       "      --print-config         print every setting with its default, and end\n"
	       "      --help                 show this and end\n"
	       "      --version              show the version and end\n\n"
	       "More settings have a key in the configuration file only: see --print-config.\n");
}

static const struct config_item *
find_flag(const struct config_program *p, const char *word, size_t n)
{
	for (size_t i = 0; i < p->n_items; i++) {
		const char *flag = p->items[i].flag;
		if (flag && strlen(flag) == n && strncmp(flag, word, n) == 0)
			return &p->items[i];
	}
	return NULL;
}

static int usage(const struct config_program *p, const char *what, const char *word)
{
	fprintf(stderr, "%s: %s: %s (try --help)\n", p->name, what, word);
	return CONFIG_EXIT_USAGE;
}

// A word that is no flag: an entry of the program's list of operands, when it has one.
static int parse_operand(const struct config_program *p, const char *word, void *config)
{
	const char *what;
	for (size_t i = 0; i < p->n_items; i++) {
		const struct config_item *item = &p->items[i];
		if (item->key || item->flag || (word[0] == '-' && word[1]))
			continue;
		if (!config || config_set(item, config, NULL, word, &what) == 0)
			return CONFIG_RUN;
		return usage(p, what, word);
	}
	return usage(p, "unexpected argument", word);
}

struct args {
	const char *file;
	bool check_only;
	int rest;
};

// One word that begins with "--"; moves *i over an argument it takes. A list given by flags
// replaces the file's list: `seen` remembers which were emptied for that.
static int parse_flag(const struct config_program *p, char **argv, int *i, void *config, bool *seen)
{
	const char *word = argv[*i] + 2, *what;
	size_t n = strcspn(word, "=");
	const struct config_item *item = find_flag(p, word, n);
	if (!item)
		return usage(p, "unknown option", argv[*i]);

	const char *value = word[n] == '=' ? word + n + 1 : NULL;
	if (!value && !item->arg)
		value = "yes";
	else if (!value && !(value = argv[++*i]))
		return usage(p, "option needs a value", argv[*i - 1]);
	if (!config)
		return CONFIG_RUN; // first pass: form only
	if (item->type == CONFIG_LIST && !seen[item - p->items]) {
		list_free(member(item, config));
		seen[item - p->items] = true;
	}
	if (config_set(item, config, NULL, value, &what) < 0) {
		fprintf(stderr, "%s: --%s %s: %s\n", p->name, item->flag, value, what);
		return CONFIG_EXIT_USAGE;
	}
	return CONFIG_RUN;
}

// Walks the words; with config NULL it only finds -c, --help and bad words (flags must be applied
// after the file, wherever -c stands).
static int
parse_args(const struct config_program *p, int argc, char **argv, void *config, struct args *args)
{
	bool seen[CONFIG_ITEMS_MAX] = {};
	args->rest = argc;
	for (int i = 1; i < argc; i++) {
		const char *w = argv[i];
		if (strcmp(w, "--") == 0) {
			args->rest = i + 1;
			return CONFIG_RUN;
		}
		if (strcmp(w, "-c") == 0 || strcmp(w, "--config") == 0) {
			if (!(args->file = argv[++i]))
				return usage(p, "option needs a value", w);
		} else if (strcmp(w, "--check-config") == 0) {
			args->check_only = true;
		} else if (strcmp(w, "--print-config") == 0) {
			config_print(p);
			return 0;
		} else if (strcmp(w, "--help") == 0 || strcmp(w, "-h") == 0) {
			print_help(p);
			return 0;
		} else if (strcmp(w, "--version") == 0) {
			printf("%s %s\n", p->name, WEIR_VERSION);
			return 0;
		} else {
			int ret = strncmp(w, "--", 2) == 0 ? parse_flag(p, argv, &i, config, seen)
							   : parse_operand(p, w, config);
			if (ret != CONFIG_RUN)
				return ret;
		}
	}
	return CONFIG_RUN;
}

int config_parse(const struct config_program *p, int argc, char **argv, void *config, int *ret_rest)
{
	struct args args = {};
	char what[512];
	const char *fault = NULL;

	int ret = parse_args(p, argc, argv, NULL, &args);
	if (ret != CONFIG_RUN)
		return ret;
	for (size_t i = 0; i < p->n_items; i++)
		if (set_default(&p->items[i], config) < 0) {
			fprintf(stderr, "%s: bad default of %s\n", p->name, p->items[i].key);
			abort(); // a fault of the table, found by the first run of any test
		}
	if (args.file && config_yaml_load(p, args.file, config, what, sizeof(what)) < 0) {
		fprintf(stderr, "%s: %s\n", p->name, what);
		return CONFIG_EXIT_BAD;
	}
	ret = parse_args(p, argc, argv, config, &args);
	if (ret != CONFIG_RUN)
		return ret;
	if (p->check && p->check(config, &fault) < 0) {
		fprintf(stderr, "%s: %s%s\n", p->name, args.file ? "" : "settings: ", fault);
		return CONFIG_EXIT_BAD;
	}
	if (args.check_only) {
		fprintf(stderr, "%s: settings are valid\n", p->name);
		return 0;
	}
	if (ret_rest)
		*ret_rest = args.rest;
	return CONFIG_RUN;
}
