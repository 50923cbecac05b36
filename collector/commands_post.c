// SPDX-License-Identifier: Apache-2.0
#include "collector/commands_post.h"

#include "collector/commands.h"
#include "collector/store/hit_json.h"
#include "lib/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ERROR_LEN 256
#define WAIT_NS (5 * NS_PER_SEC) // below what clients of the socket wait

enum { ACTION_ALLOW = 1, ACTION_DENY = 2 };
enum { DIRECTION_INBOUND = 1, DIRECTION_OUTBOUND = 2 };

static struct record_str text_of(const json_t *args, const char *key)
{
	const json_t *text = json_object_get(args, key);
	size_t n = json_string_length(text);
	return (struct record_str
	){json_string_value(text), (uint16_t)(n > RECORD_STR_MAX ? RECORD_STR_MAX : n)};
}

static int addr_of(const json_t *args, const char *key, struct addr *ret)
{
	const char *text = json_string_value(json_object_get(args, key));
	return text ? addr_parse(text, ret) : -EINVAL;
}

static int number_of(const json_t *args, const char *key, json_int_t max, json_int_t *ret)
{
	const json_t *number = json_object_get(args, key);
	*ret = json_integer_value(number);
	return json_is_integer(number) && *ret >= 0 && *ret <= max ? 0 : -EINVAL;
}

// 1 for the first word, 2 for the second, 0 for anything else.
static uint8_t word_of(const json_t *args, const char *key, const char *first, const char *second)
{
	const char *word = json_string_value(json_object_get(args, key));
	if (!word)
		return 0;
	return strcmp(word, first) == 0 ? 1 : strcmp(word, second) == 0 ? 2 : 0;
}

static int parse(const json_t *args, struct record *ret)
{
	struct record r = {};
	struct addr src, dst;
	json_int_t sport, dport, proto;
	uint8_t action = word_of(args, "action", "Allow", "Deny");
	uint8_t direction = word_of(args, "direction", "inbound", "outbound");
	if (addr_of(args, "src_ip", &src) < 0 || addr_of(args, "dst_ip", &dst) < 0 ||
	    number_of(args, "src_port", UINT16_MAX, &sport) < 0 ||
	    number_of(args, "dst_port", UINT16_MAX, &dport) < 0 ||
	    number_of(args, "proto", UINT8_MAX, &proto) < 0 || !action || !direction)
		return -EINVAL;
	RECORD_SET(&r, start_ns, clock_now_ns());
	RECORD_SET(&r, end_ns, r.start_ns);
	RECORD_SET(&r, recv_ns, r.start_ns);
	RECORD_SET(&r, src, src);
	RECORD_SET(&r, dst, dst);
	RECORD_SET(&r, sport, (uint16_t)sport);
	RECORD_SET(&r, dport, (uint16_t)dport);
	RECORD_SET(&r, proto, (uint8_t)proto);
	RECORD_SET(&r, action, action);
	RECORD_SET(&r, direction, direction);
	RECORD_SET(&r, firewall, text_of(args, "firewall"));
	RECORD_SET(&r, service, text_of(args, "service"));
	if (addr_of(args, "exporter", &src) == 0)
		RECORD_SET(&r, exporter, src);
	if (record_verdict(&r) == VERDICT_DENY)
		RECORD_SET(&r, verdict, VERDICT_DENY);
	*ret = r;
	return 0;
}

static void told(void *ctx, const struct hit *h)
{
	json_t **assessment = ctx;
	json_t *detail = h ? hit_json(h) : NULL;
	*assessment = json_pack("{s:b,s:i}", "hit", h != NULL, "score", h ? (int)h->score : 0);
	static const char *const members[] = {
		"feed",
		"indicator",
		"matched",
		"category",
		"severity",
		"confidence",
		"description",
		"reference"};
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		json_t *member = json_object_get(detail, members[i]);
		json_object_set(*assessment, members[i], member ? member : json_null());
	}
	json_decref(detail);
}

json_t *cmd_flow_post(void *ctx, json_t *args, char error[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	struct record r;
	json_t *assessment = NULL;
	const char *name = json_string_value(json_object_get(args, "entity"));
	if (!name || strlen(name) > STORE_NAME_MAX)
		return control_fail(error, "entity: a name is needed");
	if (parse(args, &r) < 0)
		return control_fail(
			error, "the record lacks something, or has something that cannot be"
		);
	int entity = store_entity(c->store, name);
	if (entity < 0)
		return control_fail(error, strerror(-entity));
	int ret = commit_one(c->commit, (uint16_t)entity, &r, WAIT_NS, told, &assessment);
	if (ret == 0)
		return assessment ? assessment : control_fail(error, "out of memory");
	json_decref(assessment);
	return control_fail(error, ret == -ETIMEDOUT ? "busy" : "the store refuses");
}
