// SPDX-License-Identifier: Apache-2.0
#include "lib/intel/feed.h"

#include "lib/base/clock.h"
#include "lib/intel/row.h"

#include <errno.h>

// In the order in which a content is tried: the pickier first.
static const struct {
	bool (*fits)(const char *data, size_t len);
	void (*parse)(struct feed_parser *f, const char *data, size_t len);
} parsers[] = {
	{feed_jsonl_fits, feed_jsonl_parse},
	{feed_json_fits, feed_json_parse},
	{feed_zeek_fits, feed_zeek_parse},
	{feed_alienvault_fits, feed_alienvault_parse},
	{feed_iprep_fits, feed_iprep_parse},
	{feed_csv_fits, feed_csv_parse},
	{feed_commas_fits, feed_commas_parse},
	{feed_plain_fits, feed_plain_parse},
};

#define N_FORMATS (sizeof(parsers) / sizeof(parsers[0]))

const struct feed_format feed_formats[N_FORMATS + 1] = {
	{"jsonl", "an object a line: Spamhaus DROP, our own"},
	{"json", "a document: STIX 2.1, MISP events and warning lists, OTX, Feodo"},
	{"zeek", "Zeek intel: tabs, #fields"},
	{"alienvault", "address#reliability#risk#type"},
	{"iprep", "Suricata: address,category,score"},
	{"csv", "a table with a head: abuse.ch, OneFirewall, MISP, our own"},
	{"commas", "values in one line, apart by commas: OneFirewall"},
	{"plain", "a value a line: FireHOL, Spamhaus, DShield, hosts files"},
	{},
};

static int find_format(const char *name, const char *data, size_t len)
{
	bool any = !name || !*name || strcmp(name, "auto") == 0;
	for (size_t i = 0; i < N_FORMATS; i++)
		if (any ? parsers[i].fits(data, len) : strcmp(feed_formats[i].name, name) == 0)
			return (int)i;
	return -1;
}

// Whether there is anything in it but comments.
static bool is_empty(const char *data, size_t len)
{
	struct text_lines t = {.p = data, .end = data + len};
	struct field line;
	while (text_next(&t, &line))
		if (!text_is_comment(&line))
			return false;
	return true;
}

int feed_parse(
	const struct feed_options *o,
	const char *data,
	size_t len,
	uint64_t now_ns,
	struct intel_list **ret_list,
	struct feed_report *ret_report
)
{
	struct feed_parser f = {
		.o = o,
		.report = ret_report,
		.now_sec = (uint32_t)(now_ns / NS_PER_SEC),
		.list = intel_list_create(o->name),
	};
	*ret_report = (struct feed_report){};
	if (!f.list)
		return -ENOMEM;
	bool empty = is_empty(data, len);
	int format = empty ? (int)N_FORMATS - 1 : find_format(o->format, data, len);
	if (format >= 0) {
		ret_report->format = feed_formats[format].name;
		if (!empty)
			parsers[format].parse(&f, data, len);
	}
	bool none = !empty && ret_report->taken == 0 && ret_report->reserved == 0 &&
		    ret_report->expired == 0 && ret_report->unsupported == 0;
	int ret = f.no_memory ? -ENOMEM : none ? -EINVAL : 0;
	if (ret < 0)
		intel_list_put(f.list);
	else
		*ret_list = f.list;
	return ret;
}
