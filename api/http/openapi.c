// SPDX-License-Identifier: Apache-2.0

// GET /openapi.json: OpenAPI 3.0, made from the route table, so that what is there is told and what
// is told is there. Thread: worker.

#include "api/http/route.h"

#include <stdlib.h>
#include <string.h>

#define V1 "/api/v1/"

struct parameter {
	const char *key;  // in the route table
	const char *name; // in the URL
	const char *type;
	const char *words; // allowed ones, separated by blanks; NULL: any
	const char *text;
};

// clang-format off
static const struct parameter parameters[] = {
	{"entity", "entity", "string", NULL, "whose records; the token's"},
	{"start_minute", "start", "string", NULL, "UTC, YYYY/MM/DD HH:mm"},
	{"end_minute", "end", "string", NULL, "UTC, YYYY/MM/DD HH:mm; that minute included"},
	{"start", "start", "string", NULL, "RFC 3339; an hour before the end"},
	{"end", "end", "string", NULL, "RFC 3339, not included; now"},
	{"filter", "filter", "string", NULL, "in nfdump's syntax, every field by its name"},
	{"fields", "fields", "string", NULL, "names of columns, separated by commas"},
	{"limit", "limit", "integer", NULL, "rows at most"},
	{"rows", "limit", "string", NULL, "1 to 10000; all: as csv or jsonl, however many; 200"},
	{"limit200", "limit", "integer", NULL, "rows at most; 200, which is the cap too"},
	{"cursor", "cursor", "string", NULL, "where the page before ended"},
	{"format", "format", "string", "json jsonl csv", "of the answer; also by Accept"},
	{"events", "events", "string", NULL, "some of kpi,hits,flows; flows when there is a filter"},
	{"by", "by", "string", NULL, "fields to sum up by, separated by commas"},
	{"metric", "metric", "string", "flows packets bytes denied", "largest first by this; bytes"},
	{"step", "step", "string", NULL, "60, 5m, 1h"},
	{"ips", "ips", "string", NULL, "addresses, separated by commas; the first 20 count"},
	{"module", "module", "string", "gettraff graph", "what is asked for"},
	{"ip", "ip", "string", NULL, "an address; 0.0.0.0 is all hosts"},
	{"host", "ip", "string", NULL, "an address; without it all hosts"},
	{"way", "dir", "string", "received sent", "of the traffic; received"},
	{"picture", "format", "string", "png csv", "of the answer"},
	{"hours", "step", "string", "hour day", "of the sums; days beyond a week"},
	{"top", "top", "integer", NULL, "peers, ports and protocols at most; 0: none, and no scan; 10"},
	{"address", "address", "string", NULL, "only this exporter"},
	{"year", "year", "integer", NULL, "of gettraff"},
	{"month", "month", "string", NULL, "of gettraff: a number, with or without a zero in front"},
	{"dir", "dir", "string", "R S", "of graph: received, sent"},
	{"period", "period", "string", "hour day week month year 24h 48h explict", "of graph"},
	{"from", "from", "integer", NULL, "of explict: seconds since 1970"},
	{"to", "to", "integer", NULL, "of explict: seconds since 1970"},
	{"w", "w", "integer", NULL, "of graph: width"},
	{"h", "h", "integer", NULL, "of graph: height"},
	{"dumpdata", "dumpdata", "string", NULL, "of graph: as numbers"},
	{"min_score", "min_score", "integer", NULL, "hits of at least this score"},
	{"retro", "retro", "boolean", NULL, "only hits that a hunt found, or only others"},
	{"after", "after", "integer", NULL, "changes since this number, oldest first"},
	{"name", "name", "string", NULL, "of the feed"},
	{"value", "value", "string", NULL, "the indicator, as it was added"},
	{"user", "user", "string", NULL, "name or api_id"},
	{"id", "id", "string", NULL, "of the hunt"},
};

static const struct parameter members[] = {
	{"login", "api_id", "string", NULL, "as weir user add printed it"},
	{"login", "secret", "string", NULL, "likewise"},
	{"account", "name", "string", NULL, "of the user"},
	{"rotation", "user", "string", NULL, "name or api_id"},
	{"traffic", "firewall", "string", NULL, "name of the firewall"},
	{"traffic", "direction", "string", "inbound outbound", "of the connection"},
	{"traffic", "src_ip", "string", NULL, "source address"},
	{"traffic", "dst_ip", "string", NULL, "destination address"},
	{"traffic", "src_port", "integer", NULL, "source port"},
	{"traffic", "dst_port", "integer", NULL, "destination port"},
	{"traffic", "service", "string", NULL, "name of the service"},
	{"traffic", "action", "string", "Allow Deny", "what the firewall did"},
};
// clang-format on

static json_t *words_json(const char *words)
{
	json_t *list = json_array();
	while (*words) {
		size_t n = strcspn(words, " ");
		json_array_append_new(list, json_stringn(words, n));
		words += n + (words[n] == ' ');
	}
	return list;
}

static json_t *schema_of(const struct parameter *p)
{
	json_t *schema = json_pack("{s:s}", "type", p->type);
	if (p->words)
		json_object_set_new(schema, "enum", words_json(p->words));
	return schema;
}

static json_t *parameter_json(const char *key, size_t len, bool in_path)
{
	bool required = key[len - 1] == '!';
	len -= required;
	for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
		const struct parameter *p = &parameters[i];
		if (strlen(p->key) == len && strncmp(p->key, key, len) == 0)
			return json_pack(
				"{s:s,s:s,s:b,s:s,s:o}",
				"name",
				p->name,
				"in",
				in_path ? "path" : "query",
				"required",
				required,
				"description",
				p->text,
				"schema",
				schema_of(p)
			);
	}
	return NULL;
}

static json_t *parameters_json(const char *path, const char *takes)
{
	json_t *list = json_array();
	while (*takes) {
		size_t n = strcspn(takes, " ");
		const char *at = strchr(path, '{');
		bool in_path = at && n > 1 && strncmp(at + 1, takes, n - 1) == 0;
		json_array_append_new(list, parameter_json(takes, n, in_path));
		takes += n + (takes[n] == ' ');
	}
	return list;
}

static json_t *body_json(const char *kind)
{
	json_t *properties = json_object(), *required = json_array();
	json_t *schema = json_pack("{s:s}", "type", "object");
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (strcmp(members[i].key, kind) != 0)
			continue;
		json_object_set_new(properties, members[i].name, schema_of(&members[i]));
		json_array_append_new(required, json_string(members[i].name));
	}
	if (json_array_size(required)) {
		json_object_set(schema, "properties", properties);
		json_object_set(schema, "required", required);
	}
	json_decref(properties);
	json_decref(required);
	return json_pack(
		"{s:b,s:{s:{s:o}}}", "required", 1, "content", "application/json", "schema", schema
	);
}

static json_t *content_json(const char *types)
{
	json_t *content = json_object();
	while (*types) {
		size_t n = strcspn(types, " ");
		json_t *type = json_object(), *key = json_stringn(types, n);
		json_object_set_new(content, json_string_value(key), type);
		json_decref(key);
		types += n + (types[n] == ' ');
	}
	return content;
}

static const char *types_of(const struct route *r)
{
	if (strstr(r->takes, "events"))
		return "text/event-stream";
	if (strstr(r->takes, "format"))
		return "application/json application/x-ndjson text/csv";
	if (strstr(r->takes, "picture"))
		return "image/png text/csv";
	if (strstr(r->takes, "module"))
		return "application/json image/png text/csv";
	if (strcmp(r->path, "/metrics") == 0)
		return "application/openmetrics-text text/plain";
	return "application/json";
}

static json_t *response_of(const char *text, const char *types)
{
	return json_pack("{s:s,s:o}", "description", text, "content", content_json(types));
}

static json_t *responses_json(const struct route *r)
{
	bool native = strncmp(r->path, V1, sizeof(V1) - 1) == 0;
	const char *fault = native ? "application/problem+json" : "application/json";
	json_t *responses = json_object();
	json_object_set_new(responses, "2XX", response_of(r->text, types_of(r)));
	if (r->scope != ROUTE_PUBLIC)
		json_object_set_new(responses, "401", response_of("no good token", fault));
	if (r->scope > ROUTE_LOCAL)
		json_object_set_new(responses, "403", response_of("not for this", fault));
	json_object_set_new(responses, "default", response_of("what was wrong", fault));
	return responses;
}

static json_t *operation_json(const struct route *r)
{
	static const char *const roles[] = {
		[ROUTE_PUBLIC] = "anybody",
		[ROUTE_LOCAL] = "any token, or api.open",
		[ROUTE_OPEN] = "any user, or api.open",
		[ROUTE_TOKEN] = "viewer",
		[ROUTE_POST] = "exporter",
		[ROUTE_ANALYST] = "analyst",
		[ROUTE_ADMIN] = "admin",
	};
	bool has_body = strcmp(r->method, "POST") == 0;
	json_t *op = json_pack(
		"{s:s,s:s,s:o,s:o}",
		"summary",
		r->text,
		"x-role",
		roles[r->scope],
		"parameters",
		parameters_json(r->path, has_body ? "" : r->takes),
		"responses",
		responses_json(r)
	);
	if (has_body)
		json_object_set_new(op, "requestBody", body_json(r->takes));
	json_object_set_new(
		op,
		"security",
		r->scope == ROUTE_PUBLIC ? json_array() : json_pack("[{s:[]}]", "token")
	);
	return op;
}

static void lower(const char *method, char text[static 8])
{
	size_t i = 0;
	for (; method[i] && i < 7; i++)
		text[i] = (char)(method[i] | 0x20);
	text[i] = '\0';
}

static json_t *paths_json(void)
{
	json_t *paths = json_object();
	for (size_t i = 0; i < n_routes; i++) {
		char method[8];
		json_t *path = json_object_get(paths, routes[i].path);
		if (!path) {
			path = json_object();
			json_object_set_new(paths, routes[i].path, path);
		}
		lower(routes[i].method, method);
		json_object_set_new(path, method, operation_json(&routes[i]));
	}
	return paths;
}

void openapi_get(struct call *c)
{
	response_json(
		c->response,
		200,
		json_pack(
			"{s:s,s:{s:s,s:s,s:s},s:o,s:{s:{s:{s:s,s:s,s:s}}}}",
			"openapi",
			"3.0.3",
			"info",
			"title",
			"Weir",
			"version",
			WEIR_VERSION,
			"description",
			"What a network carried, and what of it is known to be malicious.",
			"paths",
			paths_json(),
			"components",
			"securitySchemes",
			"token",
			"type",
			"http",
			"scheme",
			"bearer",
			"bearerFormat",
			"JWT"
		)
	);
}
