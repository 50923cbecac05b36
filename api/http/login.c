// SPDX-License-Identifier: Apache-2.0

// POST /mbox/api/netflow/auth: {"api_id", "secret"} for a token. Wrong id and wrong secret are one
// answer; too many of either from one address are 429.
// Thread: worker.

#include "api/http/app.h"
#include "lib/base/json.h"
#include "lib/base/log.h"

#include <stdlib.h>
#include <string.h>

static void refuse(struct call *c, const char *why)
{
	static __thread struct log_limit limit;
	uint64_t suppressed;
	char peer[ADDR_TEXT_LEN];
	rate_add(c->app->failed_logins, &c->request->peer, clock_mono_ns());
	if (log_limit_ok(&limit, 10, &suppressed))
		log_warn(
			"login failed: %s, from %s (%llu more)",
			why,
			addr_format(&c->request->peer, peer),
			(unsigned long long)suppressed
		);
	response_error(c->response, 401, "unknown api_id or wrong secret");
}

// The user by that id whose secret it is. The hash is computed for an unknown id too, so that the
// time of an answer does not tell which ids exist.
static int find_user(struct call *c, const char *api_id, const char *secret, struct store_user *ret)
{
	static const uint8_t nobody[STORE_SECRET_HASH];
	struct store_view *view;
	char error[STORE_READ_ERROR_LEN];

	if (source_view(c->app->source, &view, error) < 0) {
		log_warn("store %s: %s", c->app->config->store_dir, error);
		response_error(c->response, 503, "the store is not available");
		c->response->retry_after_sec = 2;
		return -EAGAIN;
	}
	int found =
		strlen(api_id) == STORE_API_ID_LEN ? store_view_user(view, api_id, ret) : -ENOENT;
	source_release(c->app->source, view);
	bool matches = auth_secret_matches(secret, found == 0 ? ret->secret_hash : nobody);
	if (found < 0 && found != -ENOENT) {
		call_failed(c, found);
		return found;
	}
	if (found == 0 && matches)
		return 0;
	refuse(c, found == 0 ? "wrong secret" : "unknown api_id");
	return -EACCES;
}

static void answer(struct call *c, const char *api_id, const char *secret)
{
	struct store_user user;
	int64_t lifetime_sec = c->app->config->token_lifetime_ns / (int64_t)NS_PER_SEC;

	if (find_user(c, api_id, secret, &user) < 0)
		return;
	char *token = auth_token_create(&c->app->key, &user, clock_now_ns(), lifetime_sec);
	response_ok(
		c->response,
		token ? json_pack(
				"{s:s,s:I,s:s}",
				"token",
				token,
				"expires_in",
				(json_int_t)lifetime_sec,
				"token_type",
				"Bearer"
			)
		      : NULL
	);
	free(token);
}

void login_post(struct call *c)
{
	const struct request *q = c->request;
	unsigned wait = rate_wait_sec(c->app->failed_logins, &q->peer, clock_mono_ns());
	if (wait) {
		response_error(c->response, 429, "too many failed logins, wait %u seconds", wait);
		c->response->retry_after_sec = wait;
		return;
	}
	if (!message_is_json(q->content_type)) {
		response_error(c->response, 415, "expected Content-Type: application/json");
		return;
	}
	json_t *body = json_load_foreign(q->body, q->body_len);
	const char *api_id = json_string_value(json_object_get(body, "api_id"));
	const char *secret = json_string_value(json_object_get(body, "secret"));
	if (!body)
		response_error(c->response, 400, "the body is not valid JSON");
	else if (!api_id || !secret)
		response_error(c->response, 400, "expected {\"api_id\": \"…\", \"secret\": \"…\"}");
	else
		answer(c, api_id, secret);
	json_decref(body);
}
