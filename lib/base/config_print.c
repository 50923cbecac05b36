// SPDX-License-Identifier: Apache-2.0
#include "lib/base/config.h"

#include <stdio.h>
#include <string.h>

static void print_list(const char *def)
{
	putchar('[');
	for (const char *p = def; *p; p++) {
		if (*p == ' ')
			fputs("\", \"", stdout);
		else {
			if (p == def)
				putchar('"');
			putchar(*p);
		}
	}
	fputs(*def ? "\"]\n" : "]\n", stdout);
}

static void print_item(const struct config_item *item, const char *name, int depth)
{
	const char *def = item->def ? item->def : "";
	printf("%*s# %s\n", depth * 2, "", item->text);
	if (item->type == CONFIG_MAP) {
		printf("%*s# NAME: [\"192.0.2.0/24\"]\n", depth * 2, "");
		return;
	}
	printf("%*s%s: ", depth * 2, "", name);
	if (item->type == CONFIG_LIST)
		print_list(def);
	else if (item->type == CONFIG_STRING)
		printf("\"%s\"\n", def);
	else if (item->type == CONFIG_BOOL)
		printf("%s\n", *def ? def : "no");
	else
		printf("%s\n", *def ? def : "0");
}

// True when an earlier item stands under the same name at this level: it printed both.
static bool is_seen(const struct config_program *p, size_t i, size_t len)
{
	for (size_t j = 0; j < i; j++)
		if (p->items[j].key && strncmp(p->items[j].key, p->items[i].key, len) == 0)
			return true;
	return false;
}

// Everything below the first `len` bytes of item `first`'s key ("" or "section.").
static void print_level(const struct config_program *p, size_t first, size_t len, int depth)
{
	for (size_t i = first; i < p->n_items; i++) {
		const char *key = p->items[i].key;
		if (!key || strncmp(key, p->items[first].key, len) != 0)
			continue;
		const char *name = key + len, *dot = strchr(name, '.');
		if (!dot) {
			print_item(&p->items[i], name, depth);
			continue;
		}
		size_t inner = (size_t)(dot - key) + 1;
		if (is_seen(p, i, inner))
			continue;
		printf("%*s%.*s:\n", depth * 2, "", (int)(dot - name), name);
		print_level(p, i, inner, depth + 1);
	}
}

void config_print(const struct config_program *p)
{
	printf("# Settings of %s with their defaults, as they stand in weir.yaml.\n", p->name);
	for (size_t i = 0; i < p->n_items; i++)
		if (p->items[i].key) {
			print_level(p, i, 0, 0);
			return;
		}
}
