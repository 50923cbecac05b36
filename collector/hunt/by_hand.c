// SPDX-License-Identifier: Apache-2.0
#include "collector/hunt/by_hand.h"

#include "collector/intel/feed_source.h"
#include "lib/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCORE 1000 // of what somebody asks for by name

int by_hand_parse(
	const char *content,
	size_t len,
	unsigned n_matchers,
	struct intel_db **ret_db,
	char error[static 256]
)
{
	struct feed_options options = {
		.name = "hunt", .format = "auto", .score = SCORE, .keep_reserved = true};
	struct intel_options db_options = {.n_threads = n_matchers};
	struct intel_list *list = NULL;
	struct feed_report report = {};
	int ret = feed_parse(&options, content, len, clock_now_ns(), &list, &report);
	if (ret < 0 || list->n == 0) {
		const char *why = report.n_rejects ? report.rejects[0].why : "no indicator in it";
		snprintf(error, 256, "%s", ret == -ENOMEM ? strerror(ENOMEM) : why);
		intel_list_put(list);
		return ret < 0 ? ret : -EINVAL;
	}
	ret = intel_db_create(&list, 1, &db_options, ret_db, error);
	intel_list_put(list);
	return ret;
}

static void file_name(uint64_t id, char name[static 24])
{
	snprintf(name, 24, "%012llu", (unsigned long long)id);
}

int by_hand_keep(const char *dir, uint64_t id, const char *content, size_t len)
{
	const struct feed_bytes bytes = {(char *)content, len};
	char name[24];
	file_name(id, name);
	return feed_copy_write(dir, name, &bytes);
}

int by_hand_load(const char *dir, uint64_t id, unsigned n_matchers, struct intel_db **ret_db)
{
	char name[24], error[256];
	struct feed_bytes bytes;
	file_name(id, name);
	int ret = feed_copy_read(dir, name, &bytes);
	if (ret < 0)
		return ret;
	ret = by_hand_parse(bytes.data, bytes.len, n_matchers, ret_db, error);
	free(bytes.data);
	return ret;
}

void by_hand_forget(const char *dir, uint64_t id)
{
	char name[24];
	file_name(id, name);
	feed_copy_del(dir, name);
}
