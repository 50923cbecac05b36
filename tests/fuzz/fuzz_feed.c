// SPDX-License-Identifier: Apache-2.0

// A feed in any format: the first byte names the format (or leaves it to the content), the second
// sets options. Every line is counted once at least, and each value is its own canonical form.

#include "lib/intel/feed.h"

#include <assert.h>

#define NOW_NS 1764000000000000000ull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_report(const struct feed_report *r)
{
	uint64_t told =
		r->taken + r->rejected + r->unsupported + r->reserved + r->expired + r->over_limit;
	assert(r->format && told >= r->lines);
	assert(r->n_rejects <= FEED_REJECTS_SHOWN && r->n_rejects <= r->rejected);
	for (uint32_t i = 0; i < r->n_rejects; i++) {
		assert(r->rejects[i].why[0]);
		for (const char *c = r->rejects[i].sample; *c; c++)
			assert(*c >= 0x20 && *c < 0x7f);
	}
}

static void check_indicator(const struct intel_list *l, const struct indicator *i, bool keep)
{
	struct indicator again = {};
	char name[INDICATOR_NAME_MAX + 1];
	const char *value = intel_list_str(l, i->value);
	assert(indicator_parse(value, strlen(value), &again, name) == NULL);
	assert(again.type == i->type && indicator_id(&again, name) == i->id);
	assert(strcmp(name, intel_list_str(l, i->name)) == 0);
	assert(i->score <= INDICATOR_SCORE_MAX && i->confidence <= 100);
	assert(i->severity < SEVERITY_N);
	assert(keep || i->is_allow || again.type == INDICATOR_PORT ||
	       again.type == INDICATOR_NAME || !indicator_is_reserved(&i->net));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed_report report;
	struct intel_list *list;
	size_t n_formats = 0;
	if (size < 2)
		return 0;
	while (feed_formats[n_formats].name)
		n_formats++;
	struct feed_options o = {
		.name = "fuzz",
		.format = data[0] % (n_formats + 1)
				  ? feed_formats[data[0] % (n_formats + 1) - 1].name
				  : "auto",
		.is_allow = data[1] & 1,
		.keep_reserved = data[1] & 2,
		.is_exact = data[1] & 4,
		.max_age_sec = data[1] & 8 ? 86400 : 0,
		.max_items = data[1] & 16 ? 3 : 0,
	};
	if (feed_parse(&o, (const char *)data + 2, size - 2, NOW_NS, &list, &report) < 0)
		return 0;
	check_report(&report);
	assert(report.taken == list->n && (!o.max_items || list->n <= o.max_items));
	for (size_t i = 0; i < list->n; i++)
		check_indicator(list, &list->items[i], o.keep_reserved);
	intel_list_put(list);
	return 0;
}
