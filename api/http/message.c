// SPDX-License-Identifier: Apache-2.0
#include "api/http/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define JSON_TYPE "application/json"
#define PROBLEM_TYPE "application/problem+json"

void response_fini(struct response *r)
{
	if (r->stream)
		stream_close(r->stream);
	stream_release(r->stream);
	free(r->body);
	*r = (struct response){};
}

void response_start(struct response *r)
{
	if (r->start)
		r->start(r);
}

static void set_body(struct response *r, int status, char *body)
{
	static const char no_memory[] = "{\"status\":false,\"errorMessage\":\"out of memory\"}";
	free(r->body);
	r->status = body ? status : 500;
	r->content_type = JSON_TYPE;
	r->body = body ? body : strdup(no_memory);
	r->body_len = r->body ? strlen(r->body) : 0;
}

void response_json(struct response *r, int status, json_t *doc)
{
	// 15 digits: what a double holds for certain, so that 33.33 is not
	// written 33.329999999999998
	set_body(r, status, doc ? json_dumps(doc, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL);
	json_decref(doc);
}

void response_ok(struct response *r, json_t *result)
{
	response_json(
		r, 200, result ? json_pack("{s:b,s:o}", "status", 1, "result", result) : NULL
	);
}

static json_t *refusal(const char *message)
{
	return json_pack("{s:b,s:s}", "status", 0, "errorMessage", message);
}

// RFC 9457; "about:blank" says that the status tells the kind.
static json_t *problem(int status, const char *detail)
{
	return json_pack(
		"{s:s,s:s,s:i,s:s}",
		"type",
		"about:blank",
		"title",
		response_reason(status),
		"status",
		status,
		"detail",
		detail
	);
}

void response_error(struct response *r, int status, const char *fmt, ...)
{
	char message[256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	json_t *doc = r->is_native ? problem(status, message) : refusal(message);
	if (!doc) // a name cut within a character
		doc = r->is_native ? problem(status, "invalid request")
				   : refusal("invalid request");
	response_json(r, status, doc);
	if (r->is_native && r->status == status)
		r->content_type = PROBLEM_TYPE;
}

void response_fault(struct response *r, const char *parameter, unsigned column, const char *what)
{
	char message[256];
	snprintf(message, sizeof(message), "%s, column %u: %s", parameter, column, what);
	json_t *doc = problem(400, message);
	if (doc) {
		json_object_set_new(doc, "parameter", json_string(parameter));
		json_object_set_new(doc, "column", json_integer(column));
	}
	response_json(r, 400, doc);
	if (r->status == 400)
		r->content_type = PROBLEM_TYPE;
}

void response_body(struct response *r, const char *content_type, char *body, size_t len)
{
	free(r->body);
	r->status = 200;
	r->content_type = content_type;
	r->body = body;
	r->body_len = len;
}

const char *response_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
		{200, "OK"},
		{201, "Created"},
		{202, "Accepted"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{413, "Content Too Large"},
		{415, "Unsupported Media Type"},
		{422, "Unprocessable Content"},
		{429, "Too Many Requests"},
		{500, "Internal Server Error"},
		{503, "Service Unavailable"},
	};
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Unknown";
}

bool message_is_json(const char *content_type)
{
	static const char json[] = "application/json";
	if (!content_type)
		return true; // RFC 9110 §8.3: up to the recipient
	if (strncasecmp(content_type, json, sizeof(json) - 1) != 0)
		return false;
	const char *rest = content_type + sizeof(json) - 1;
	rest += strspn(rest, " \t");
	return *rest == '\0' || *rest == ';';
}
