// SPDX-License-Identifier: Apache-2.0

// POST /api/v1/poc_traffic/direct: a firewall tells of one connection. It is stored like any other
// record and answered with what is known of its ends. Members that we do not know are let be: other
// people's clients send what they send.
// Thread: worker; waits for the collector.

#include "api/http/relay.h"
#include "api/query/filter_words.h"
#include "lib/base/control.h"
#include "lib/base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PROTO_DEFAULT 6 // nothing in the request says which

static bool fail(struct call *c, const char *name, const char *expected)
{
	response_error(c->response, 400, "member '%s': expected %s", name, expected);
	return false;
}

static bool take_text(struct call *c, const json_t *body, const char *name, json_t *args)
{
	json_t *text = json_object_get(body, name);
	size_t n = json_string_length(text);
	if (!json_is_string(text) || n == 0 || n > RECORD_STR_MAX)
		return fail(c, name, "a text of 1 to 255 bytes");
	json_object_set(args, name, text);
	return true;
}

// One of two words, whatever the case of letters; passed on as it is written here.
static bool take_word(
	struct call *c,
	const json_t *body,
	const char *name,
	const char *const words[2],
	json_t *args
)
{
	const char *text = json_string_value(json_object_get(body, name));
	char expected[64];
	for (int i = 0; text && i < 2; i++) {
		if (strcasecmp(text, words[i]) == 0) {
			json_object_set_new(args, name, json_string(words[i]));
			return true;
		}
	}
	snprintf(expected, sizeof(expected), "\"%s\" or \"%s\"", words[0], words[1]);
	return fail(c, name, expected);
}

static bool take_addr(struct call *c, const json_t *body, const char *name, json_t *args)
{
	const char *text = json_string_value(json_object_get(body, name));
	struct addr a;
	if (!text || addr_parse(text, &a) < 0)
		return fail(c, name, "an address");
	json_object_set(args, name, json_object_get(body, name));
	return true;
}

static bool take_port(struct call *c, const json_t *body, const char *name, json_t *args)
{
	json_t *port = json_object_get(body, name);
	json_int_t v = json_integer_value(port);
	if (!json_is_integer(port) || v < 0 || v > UINT16_MAX)
		return fail(c, name, "a whole number from 0 to 65535");
	json_object_set(args, name, port);
	return true;
}

// Ours, and optional: a number or a name.
static bool take_proto(struct call *c, const json_t *body, json_t *args)
{
	json_t *proto = json_object_get(body, "proto");
	const char *name = json_string_value(proto);
	struct lex_token word = {.p = name, .len = name ? strlen(name) : 0};
	json_int_t v = proto ? json_integer_value(proto) : PROTO_DEFAULT;
	uint8_t number;
	if (name && filter_proto_find(&word, &number) == 0)
		v = number;
	else if (proto && (!json_is_integer(proto) || v < 0 || v > UINT8_MAX))
		return fail(c, "proto", "a protocol's number or name");
	json_object_set_new(args, "proto", json_integer(v));
	return true;
}

static bool take_all(struct call *c, const json_t *body, json_t *args)
{
	static const char *const directions[2] = {"inbound", "outbound"};
	static const char *const actions[2] = {"Allow", "Deny"};
	char peer[ADDR_TEXT_LEN];
	json_object_set_new(args, "entity", json_string(c->claims.entity));
	json_object_set_new(args, "exporter", json_string(addr_format(&c->request->peer, peer)));
	return take_text(c, body, "firewall", args) &&
	       take_word(c, body, "direction", directions, args) &&
	       take_addr(c, body, "src_ip", args) && take_addr(c, body, "dst_ip", args) &&
	       take_port(c, body, "src_port", args) && take_port(c, body, "dst_port", args) &&
	       take_text(c, body, "service", args) && take_word(c, body, "action", actions, args) &&
	       take_proto(c, body, args);
}

static void store(struct call *c, json_t *args)
{
	char error[256] = "";
	json_t *result = NULL;
	int ret = control_call(c->app->config->control, "flow.post", args, &result, error);
	if (ret < 0) {
		static __thread struct log_limit limit;
		uint64_t suppressed;
		if (log_limit_ok(&limit, 3, &suppressed))
			log_warn("posted record: %s", error);
		response_error(c->response, 503, "the collector does not take it now");
		c->response->retry_after_sec = 5;
		return;
	}
	json_object_set(result, "verdict", json_object_get(args, "action"));
	response_json(c->response, 201, result);
}

// A user's number of 128 bits, as which his api_id is written.
static void key_of(const char *api_id, uint8_t key[static RATE_KEY_LEN])
{
	for (size_t i = 0; i < RATE_KEY_LEN; i++) {
		char digits[3] = {api_id[2 * i], api_id[2 * i + 1], '\0'};
		key[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
}

void traffic_post(struct call *c)
{
	uint8_t key[RATE_KEY_LEN];
	static_assert(2 * RATE_KEY_LEN == STORE_API_ID_LEN, "an api_id is such a number");
	key_of(c->claims.api_id, key);
	unsigned wait = rate_take(c->app->posts, key, clock_mono_ns());
	if (wait) {
		response_error(c->response, 429, "more than 150 requests within 10 seconds");
		c->response->retry_after_sec = wait;
		return;
	}
	if (call_entity(c) == -EPERM)
		return;
	json_t *body = relay_body(c);
	if (!body)
		return;
	json_t *args = json_object();
	if (take_all(c, body, args))
		store(c, args);
	json_decref(args);
	json_decref(body);
}
