// SPDX-License-Identifier: Apache-2.0
#include "api/http/relay.h"

#include "lib/base/control.h"
#include "lib/base/json.h"
#include "lib/base/log.h"

#include <errno.h>
#include <string.h>

json_t *relay_body(struct call *c)
{
	const struct request *q = c->request;
	if (!message_is_json(q->content_type)) {
		response_error(c->response, 415, "expected Content-Type: application/json");
		return NULL;
	}
	json_t *body = json_load_foreign(q->body, q->body_len);
	if (json_is_object(body))
		return body;
	json_decref(body);
	response_error(c->response, 400, "the body is not a JSON object");
	return NULL;
}

json_t *relay_ask(struct call *c, const char *cmd, json_t *args)
{
	char error[256] = "";
	json_t *result = NULL;
	int ret = control_call(c->app->config->control, cmd, args, &result, error);
	json_decref(args);
	if (ret == 0)
		return result;
	if (ret == -EREMOTEIO) {
		response_error(c->response, 400, "%s", error);
	} else {
		log_warn("%s", error);
		response_error(c->response, 503, "the collector does not answer");
		c->response->retry_after_sec = 5;
	}
	return NULL;
}

// Who asks, for the trail of changes.
static void add_by(struct call *c, json_t *args)
{
	char address[ADDR_TEXT_LEN];
	struct store_user u;
	bool known = store_view_user(c->view, c->claims.api_id, &u) == 0;
	json_object_set_new(
		args,
		"by",
		json_pack(
			"{s:s,s:s}",
			"user",
			known ? u.name : c->claims.api_id,
			"address",
			addr_format(&c->request->peer, address)
		)
	);
}

void relay(struct call *c, const char *cmd, json_t *args, int status)
{
	if (status != 200) // a change
		add_by(c, args);
	json_t *result = relay_ask(c, cmd, args);
	if (!result)
		return;
	if (status != 200)
		log_info("%s by user %s", cmd, c->claims.api_id);
	response_json(c->response, status, result);
}
