// SPDX-License-Identifier: Apache-2.0
#include "collector/store/hit_json.h"

#include "lib/base/clock.h"
#include "lib/intel/match.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const direction_names[] = {
	[HIT_UNKNOWN] = "unknown", [HIT_OUTBOUND] = "outbound", [HIT_INBOUND] = "inbound"};

static const char *const where_names[] = {
	[INTEL_NONE] = "none",
	[INTEL_DST] = "destination",
	[INTEL_SRC] = "source",
	[INTEL_NAME] = "name",
	[INTEL_PORT] = "port",
};

static const char *name_of(const char *const *names, size_t n, unsigned i)
{
	return i < n ? names[i] : "unknown";
}

#define NAME(names, i) name_of(names, sizeof(names) / sizeof((names)[0]), i)

const char *hit_id_format(const struct hit *h, char text[static HIT_ID_LEN])
{
	int n = snprintf(
		text, HIT_ID_LEN, "%04x-%08x-%016" PRIx64 "-", h->entity, h->hour, h->indicator
	);
	for (int i = 0; i < 16; i++)
		n += snprintf(text + n, HIT_ID_LEN - (size_t)n, "%02x", h->inside.b[i]);
	snprintf(text + n, HIT_ID_LEN - (size_t)n, "-%x", h->direction);
	return text;
}

int hit_id_parse(const char *text, struct hit *ret_hit)
{
	struct hit h = {};
	char inside[33], again[HIT_ID_LEN];
	unsigned entity, direction;
	if (strlen(text) >= HIT_ID_LEN ||
	    sscanf(text,
		   "%4x-%8x-%16" SCNx64 "-%32[0-9a-f]-%1x",
		   &entity,
		   &h.hour,
		   &h.indicator,
		   inside,
		   &direction) != 5 ||
	    strlen(inside) != 32)
		return -EINVAL;
	h.entity = (uint16_t)entity;
	h.direction = (uint8_t)direction;
	for (int i = 0; i < 16; i++) {
		unsigned byte;
		if (sscanf(inside + 2 * i, "%2x", &byte) != 1)
			return -EINVAL;
		h.inside.b[i] = (uint8_t)byte;
	}
	// only the form that is given out
	if (strcmp(hit_id_format(&h, again), text) != 0)
		return -EINVAL;
	*ret_hit = h;
	return 0;
}

static json_t *time_json(uint64_t ns)
{
	char text[32];
	unsigned ms = (unsigned)(ns % NS_PER_SEC / NS_PER_MSEC);
	clock_format(ns, "%Y-%m-%dT%H:%M:%S", text, sizeof(text));
	return json_sprintf("%s.%03uZ", text, ms);
}

static void put_text(json_t *j, const char *key, const struct record_str *s)
{
	json_t *text = json_stringn(s->len ? s->p : "", s->len);
	json_object_set_new(j, key, text ? text : json_string("")); // not UTF-8
}

static json_int_t sum(uint64_t a, uint64_t b)
{
	return a + b > INT64_MAX ? INT64_MAX : (json_int_t)(a + b);
}

json_t *hit_json(const struct hit *h)
{
	static const struct {
		const char *key;
		int text;
	} texts[] = {
		{"indicator", HIT_VALUE},
		{"feed", HIT_FEED},
		{"category", HIT_CATEGORY},
		{"description", HIT_DESCRIPTION},
		{"reference", HIT_REFERENCE},
		{"server_name", HIT_SEEN_NAME},
	};
	char id[HIT_ID_LEN], inside[ADDR_TEXT_LEN], outside[ADDR_TEXT_LEN], proto[16];
	uint64_t flows = h->live.flows + h->retro.flows, denied = h->live.denied + h->retro.denied;
	json_t *j = json_pack(
		"{s:s,s:o,s:s,s:s,s:I,s:I,s:s,s:s,s:s,s:s,s:i,s:i,s:s}",
		"id",
		hit_id_format(h, id),
		"indicator_id",
		json_sprintf("%016" PRIx64, h->indicator),
		"type",
		indicator_type_name(h->type < INDICATOR_N_TYPES ? h->type : INDICATOR_NONE),
		"severity",
		indicator_severity_name(h->severity < SEVERITY_N ? h->severity : SEVERITY_NONE),
		"score",
		(json_int_t)h->score,
		"confidence",
		(json_int_t)h->confidence,
		"matched",
		NAME(where_names, h->where),
		"direction",
		NAME(direction_names, h->direction),
		"inside",
		addr_format(&h->inside, inside),
		"outside",
		addr_format(&h->outside, outside),
		"inside_port",
		(int)h->inside_port,
		"outside_port",
		(int)h->outside_port,
		"proto",
		record_format_proto(h->proto, proto)
	);
	if (!j)
		return NULL;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		put_text(j, texts[i].key, &h->texts[texts[i].text]);
	json_object_set_new(j, "flows", json_integer(sum(flows, 0)));
	json_object_set_new(j, "packets", json_integer(sum(h->live.packets, h->retro.packets)));
	json_object_set_new(j, "bytes", json_integer(sum(h->live.bytes, h->retro.bytes)));
	json_object_set_new(j, "denied_flows", json_integer(sum(denied, 0)));
	json_object_set_new(j, "allowed_flows", json_integer(sum(flows - denied, 0)));
	json_object_set_new(j, "verdict", json_string(flows > denied ? "Allow" : "Deny"));
	json_object_set_new(j, "retro", json_boolean(h->retro.flows > 0));
	json_object_set_new(j, "retro_flows", json_integer(sum(h->retro.flows, 0)));
	json_object_set_new(j, "first", time_json(h->first_ns));
	json_object_set_new(j, "last", time_json(h->last_ns));
	json_object_set_new(j, "found", time_json(h->found_ns));
	json_object_set_new(j, "number", json_integer((json_int_t)h->number));
	return j;
}
