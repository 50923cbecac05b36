// SPDX-License-Identifier: Apache-2.0
#include "lib/base/config.h"

#include <yaml.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define KEY_MAX 128
#define DEPTH_MAX 4

// The top-level names of weir.yaml, of all programs.
static const char *const sections[] = {
	"sensor", "collector", "api", "store", "control", "entities", "intel", NULL};

struct load {
	const struct config_program *p;
	const char *path;
	yaml_document_t doc;
	void *config;
	char *what;
	size_t what_len;
};

static int fail(struct load *l, yaml_mark_t at, const char *key, const char *what)
{
	snprintf(
		l->what,
		l->what_len,
		"%s:%zu:%zu: %s%s%s",
		l->path,
		at.line + 1,
		at.column + 1,
		key,
		*key ? ": " : "",
		what
	);
	return -EINVAL;
}

static bool starts_with_name(const char *key, const char *name, size_t n)
{
	return strncmp(key, name, n) == 0 && (key[n] == '.' || key[n] == '\0');
}

// A section, or a key in one of ours, that only other programs read.
static bool is_foreign(const struct load *l, const char *key)
{
	size_t n = strcspn(key, ".");
	for (const char *const *other = l->p->others; other && *other; other++)
		if (strcmp(key, *other) == 0)
			return true;
	for (size_t i = 0; i < l->p->n_items; i++)
		if (l->p->items[i].key && starts_with_name(l->p->items[i].key, key, n))
			return false;
	for (int i = 0; sections[i]; i++)
		if (strlen(sections[i]) == n && strncmp(key, sections[i], n) == 0)
			return true;
	return false;
}

// The item of a key; *ret_name is the part that a "*" stands for.
static const struct config_item *
find_key(const struct load *l, const char *key, const char **ret_name)
{
	for (size_t i = 0; i < l->p->n_items; i++) {
		const char *k = l->p->items[i].key;
		size_t n = k ? strlen(k) : 0;
		if (!k)
			continue;
		if (k[n - 1] == '*' && strncmp(k, key, n - 1) == 0 && key[n - 1]) {
			*ret_name = key + n - 1;
			return &l->p->items[i];
		}
		if (strcmp(k, key) == 0)
			return &l->p->items[i];
	}
	return NULL;
}

static int set_scalar(struct load *l, const char *key, const yaml_node_t *node)
{
	const char *name = NULL, *what;
	const struct config_item *item = find_key(l, key, &name);
	const char *value = (const char *)node->data.scalar.value;
	if (!item)
		return fail(l, node->start_mark, key, "unknown key");
	if (strlen(value) != node->data.scalar.length)
		return fail(l, node->start_mark, key, "NUL in a value");
	if (config_set(item, l->config, name, value, &what) < 0)
		return fail(l, node->start_mark, key, what);
	return 0;
}

static int set_sequence(struct load *l, const char *key, const yaml_node_t *node)
{
	const char *name = NULL;
	const struct config_item *item = find_key(l, key, &name);
	if (!item)
		return fail(l, node->start_mark, key, "unknown key");
	if (item->type != CONFIG_LIST && item->type != CONFIG_MAP)
		return fail(l, node->start_mark, key, "expected one value, not a list");
	if (item->type == CONFIG_LIST) { // the file's list replaces the default
		struct config_program one = {.items = item, .n_items = 1};
		config_free(&one, l->config);
	}
	for (yaml_node_item_t *i = node->data.sequence.items.start;
	     i < node->data.sequence.items.top;
	     i++) {
		const yaml_node_t *child = yaml_document_get_node(&l->doc, *i);
		if (child->type != YAML_SCALAR_NODE)
			return fail(l, child->start_mark, key, "expected a plain value");
		int ret = set_scalar(l, key, child);
		if (ret < 0)
			return ret;
	}
	return 0;
}

// "section:" with nothing below it, as when all its settings are commented out.
static bool is_empty_section(const struct load *l, const char *key, const yaml_node_t *node)
{
	size_t n = strlen(key);
	if (node->type != YAML_SCALAR_NODE || node->data.scalar.length)
		return false;
	for (size_t i = 0; i < l->p->n_items; i++) {
		const char *k = l->p->items[i].key;
		if (k && strncmp(k, key, n) == 0 && k[n] == '.')
			return true;
	}
	return false;
}

static int load_mapping(struct load *l, const char *prefix, const yaml_node_t *node, int depth);

static int load_value(struct load *l, const char *key, const yaml_node_t *node, int depth)
{
	switch (node->type) {
	case YAML_SCALAR_NODE:
		return set_scalar(l, key, node);
	case YAML_SEQUENCE_NODE:
		return set_sequence(l, key, node);
	case YAML_MAPPING_NODE:
		return load_mapping(l, key, node, depth + 1);
	default:
		return fail(l, node->start_mark, key, "expected a value");
	}
}

static int load_mapping(struct load *l, const char *prefix, const yaml_node_t *node, int depth)
{
	if (depth > DEPTH_MAX)
		return fail(l, node->start_mark, prefix, "nested too deeply");
	for (yaml_node_pair_t *i = node->data.mapping.pairs.start; i < node->data.mapping.pairs.top;
	     i++) {
		const yaml_node_t *k = yaml_document_get_node(&l->doc, i->key);
		const yaml_node_t *v = yaml_document_get_node(&l->doc, i->value);
		char key[KEY_MAX];
		if (k->type != YAML_SCALAR_NODE)
			return fail(l, k->start_mark, prefix, "expected a key");
		int n = snprintf(
			key,
			sizeof(key),
			"%s%s%s",
			prefix,
			*prefix ? "." : "",
			(const char *)k->data.scalar.value
		);
		if (n < 0 || (size_t)n >= sizeof(key))
			return fail(l, k->start_mark, prefix, "key too long");
		if (is_foreign(l, key))
			continue;
		for (yaml_node_pair_t *j = node->data.mapping.pairs.start; j < i; j++) {
			const yaml_node_t *other = yaml_document_get_node(&l->doc, j->key);
			if (strcmp((const char *)other->data.scalar.value,
				   (const char *)k->data.scalar.value) == 0)
				return fail(l, k->start_mark, key, "key given twice");
		}
		if (is_empty_section(l, key, v))
			continue;
		// the unknown key is where it stands, not where its value does
		const char *name;
		if (v->type != YAML_MAPPING_NODE && !find_key(l, key, &name))
			return fail(l, k->start_mark, key, "unknown key");
		int ret = load_value(l, key, v, depth);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int config_yaml_load(
	const struct config_program *p, const char *path, void *config, char *what, size_t what_len
)
{
	struct load l = {
		.p = p, .path = path, .config = config, .what = what, .what_len = what_len};
	yaml_parser_t parser;
	int ret = 0;

	FILE *file = fopen(path, "re");
	if (!file) {
		snprintf(what, what_len, "%s: %s", path, strerror(errno));
		return -EINVAL;
	}
	if (!yaml_parser_initialize(&parser)) {
		fclose(file);
		snprintf(what, what_len, "%s: out of memory", path);
		return -EINVAL;
	}
	yaml_parser_set_input_file(&parser, file);
	if (!yaml_parser_load(&parser, &l.doc)) {
		ret = fail(
			&l, parser.problem_mark, "", parser.problem ? parser.problem : "not YAML"
		);
	} else {
		const yaml_node_t *root = yaml_document_get_root_node(&l.doc);
		if (root && root->type != YAML_MAPPING_NODE)
			ret = fail(&l, root->start_mark, "", "expected keys and values");
		else if (root)
			ret = load_mapping(&l, "", root, 0);
		yaml_document_delete(&l.doc);
	}
	yaml_parser_delete(&parser);
	fclose(file);
	return ret;
}
