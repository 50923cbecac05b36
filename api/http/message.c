// SPDX-License-Identifier: Apache-2.0
#include "api/http/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_TYPE "application/json"

void response_fini(struct response *r)
{
	free(r->body);
	*r = (struct response){};
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

void response_error(struct response *r, int status, const char *fmt, ...)
{
	char message[256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	json_t *doc = json_pack("{s:b,s:s}", "status", 0, "errorMessage", message);
	if (!doc) // a name cut within a character
		doc = json_pack("{s:b,s:s}", "status", 0, "errorMessage", "invalid request");
	response_json(r, status, doc);
}

const char *response_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
		{200, "OK"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{413, "Content Too Large"},
		{415, "Unsupported Media Type"},
		{429, "Too Many Requests"},
		{500, "Internal Server Error"},
		{503, "Service Unavailable"},
	};
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Unknown";
}
