// SPDX-License-Identifier: Apache-2.0

// A configuration file, read into settings of every type.

#include "lib/base/addr.h"
#include "lib/base/config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct settings {
	bool verbose;
	int64_t threads, grace_ns, cache_len;
	char *dir;
	struct config_list listen;
	struct config_map entities;
};

#define AT(m) offsetof(struct settings, m)
static const struct config_item items[] = {
	{"store.dir", "dir", "DIR", CONFIG_STRING, AT(dir), 0, 0, "/", ""},
	{"collector.verbose", NULL, NULL, CONFIG_BOOL, AT(verbose), 0, 0, "no", ""},
	{"collector.threads", NULL, NULL, CONFIG_INT, AT(threads), 1, 64, "1", ""},
	{"collector.seal.grace", NULL, NULL, CONFIG_DURATION, AT(grace_ns), 0, 0, "5m", ""},
	{"collector.cache", NULL, NULL, CONFIG_SIZE, AT(cache_len), 0, 0, "1 MiB", ""},
	{"collector.listen", NULL, NULL, CONFIG_LIST, AT(listen), 0, 0, "a b", ""},
	{"entities.*", NULL, NULL, CONFIG_MAP, AT(entities), 0, 0, NULL, ""},
};

static const struct config_program program = {
	.name = "fuzz",
	.section = "collector",
	.items = items,
	.n_items = sizeof(items) / sizeof(items[0]),
	.size = sizeof(struct settings),
};

static void check(const struct settings *s)
{
	struct prefix prefix;
	assert(s->dir && s->threads >= 1 && s->threads <= 64);
	for (size_t i = 0; i < s->entities.n; i++)
		for (size_t k = 0; k < s->entities.entries[i].values.n; k++)
			if (prefix_parse(s->entities.entries[i].values.items[k], &prefix) == 0)
				assert(prefix_contains(&prefix, &prefix.addr));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings s = {};
	char path[32], what[512] = "";
	int fd = memfd_create("config", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size ||
	    config_parse(&program, 1, (char *[]){"fuzz", NULL}, &s, NULL) != CONFIG_RUN)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (config_yaml_load(&program, path, &s, what, sizeof(what)) == 0)
		check(&s);
	else
		assert(*what);
	config_free(&program, &s);
	close(fd);
	return 0;
}
