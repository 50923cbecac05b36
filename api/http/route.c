// SPDX-License-Identifier: Apache-2.0
#include "api/http/route.h"

#include "api/http/of.h"
#include "lib/base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MBOX "/mbox/api/netflow/"
#define V1 "/api/v1/"

// clang-format off
const struct route routes[] = {
	{"POST", MBOX "auth", ROUTE_PUBLIC, login_post,
	 "login", "trade api_id and secret for a token"},
	{"GET", MBOX "latest", ROUTE_TOKEN, latest_get,
	 "entity", "time range of the newest stored hour"},
	{"GET", MBOX "kpi", ROUTE_TOKEN, kpi_get,
	 "start_minute! end_minute! entity", "totals, top talkers, protocols, series of a window"},
	{"GET", MBOX "flows", ROUTE_TOKEN, flows_get,
	 "start_minute! end_minute! limit200 entity", "the newest flow records of a window"},
	{"GET", MBOX "resolve", ROUTE_TOKEN, resolve_get,
	 "ips", "names of up to 20 addresses"},
	{"GET", "/of/", ROUTE_OPEN, of_get,
	 "module! ip year month dir period from to w h dumpdata", "OphanimFlow's graph and gettraff"},
	{"GET", V1 "kpi", ROUTE_TOKEN, kpi_native_get,
	 "start end filter entity", "the same of any window and filter"},
	{"GET", V1 "flows", ROUTE_TOKEN, rows_get,
	 "start end filter fields rows cursor format entity", "records that pass a filter, page by page"},
	{"GET", V1 "top", ROUTE_TOKEN, top_get,
	 "start end filter by metric limit format entity", "records summed up by fields, largest first"},
	{"GET", V1 "series", ROUTE_TOKEN, series_get,
	 "start end filter step by metric limit format entity", "records summed up by steps of time"},
	{"POST", V1 "poc_traffic/direct", ROUTE_POST, traffic_post,
	 "traffic", "store a firewall's record and tell what it matched"},
	{"GET", V1 "live", ROUTE_TOKEN, live_get,
	 "events filter fields min_score entity", "what arrives, as it arrives: server-sent events"},
	{"GET", V1 "hosts/{ip}", ROUTE_TOKEN, host_get,
	 "ip! start end hours top entity", "what a host sent and received, with whom, and its hits"},
	{"GET", V1 "graph.png", ROUTE_TOKEN, graph_get,
	 "start end host way w h picture entity", "traffic by kinds, drawn"},
	{"GET", V1 "resolve", ROUTE_TOKEN, names_get,
	 "ips", "names of up to 20 addresses"},
	{"GET", V1 "exporters", ROUTE_TOKEN, exporters_get,
	 "address entity", "who sends to the collector, and how well"},
	{"GET", V1 "ledger", ROUTE_ANALYST, ledger_get_all,
	 "", "what came in, what was stored, what was dropped and why"},
	{"GET", V1 "hits", ROUTE_TOKEN, hits_get,
	 "start end min_score retro after limit entity", "traffic that indicators matched"},
	{"GET", V1 "feeds", ROUTE_TOKEN, feeds_get,
	 "", "feeds of indicators and how they are"},
	{"POST", V1 "feeds", ROUTE_ADMIN, feeds_post,
	 "object", "another feed"},
	{"DELETE", V1 "feeds", ROUTE_ADMIN, feeds_delete,
	 "name!", "remove a feed"},
	{"POST", V1 "feeds/refresh", ROUTE_ANALYST, feeds_refresh_post,
	 "object", "look at feeds now"},
	{"GET", V1 "indicators", ROUTE_TOKEN, indicators_get,
	 "", "our own indicators"},
	{"POST", V1 "indicators", ROUTE_ANALYST, indicators_post,
	 "object", "an indicator more"},
	{"DELETE", V1 "indicators", ROUTE_ANALYST, indicators_delete,
	 "value!", "an indicator less"},
	{"GET", V1 "allow", ROUTE_TOKEN, allow_get,
	 "", "what is never a hit"},
	{"POST", V1 "allow", ROUTE_ANALYST, allow_post,
	 "object", "allow something"},
	{"DELETE", V1 "allow", ROUTE_ANALYST, allow_delete,
	 "value!", "allow it no more"},
	{"GET", V1 "hunts", ROUTE_TOKEN, hunts_get,
	 "", "searches of the past and their progress"},
	{"POST", V1 "hunts", ROUTE_ANALYST, hunts_post,
	 "object", "search the past"},
	{"DELETE", V1 "hunts", ROUTE_ANALYST, hunts_delete,
	 "id!", "end a search"},
	{"GET", V1 "entities", ROUTE_TOKEN, entities_get,
	 "", "named groups of exporters that the user may see"},
	{"GET", V1 "users", ROUTE_ADMIN, users_get,
	 "", "who has credentials"},
	{"POST", V1 "users", ROUTE_ADMIN, users_post,
	 "account", "new credentials; the secret is told this once"},
	{"POST", V1 "users/rotate", ROUTE_ADMIN, users_rotate_post,
	 "rotation", "other credentials; the old ones and their tokens end at once"},
	{"DELETE", V1 "users", ROUTE_ADMIN, users_delete,
	 "user!", "remove credentials"},
	{"GET", V1 "audit", ROUTE_ADMIN, audit_get,
	 "limit", "who changed what, when and from where"},
	{"GET", "/metrics", ROUTE_LOCAL, metrics_get,
	 "", "counters of this API, as OpenMetrics"},
	{"GET", "/openapi.json", ROUTE_PUBLIC, openapi_get,
	 "", "this description"},
	{"GET", "/healthz", ROUTE_PUBLIC, healthz_get,
	 "", "the process is alive"},
	{"GET", "/readyz", ROUTE_PUBLIC, readyz_get,
	 "", "it can serve; reasons if not"},
	{"GET", "/", ROUTE_PUBLIC, index_get,
	 "", "where to find what"},
};
// clang-format on

const size_t n_routes = sizeof(routes) / sizeof(routes[0]);

// HEAD is GET without the body, which the server leaves out (RFC 9110 §9.3.2).
static bool method_fits(const struct route *r, const char *method)
{
	return strcmp(r->method, method) == 0 ||
	       (strcmp(method, "HEAD") == 0 && strcmp(r->method, "GET") == 0);
}

static unsigned method_bit(const char *method)
{
	return strcmp(method, "GET") == 0 ? 1 : strcmp(method, "POST") == 0 ? 2 : 4;
}

// Where the value of a path's {name} begins; NULL: the path is another.
static const char *match(const char *pattern, const char *path)
{
	size_t n = strcspn(pattern, "{");
	if (strncmp(pattern, path, n) != 0)
		return NULL;
	if (!pattern[n])
		return path[n] ? NULL : path + n;
	return path[n] && !strchr(path + n, '/') ? path + n : NULL;
}

static int hex_of(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) % 16 : -1;
}

// "%3A" and the like as what they stand for; what does not fit is no value.
static void take_path_value(struct call *c, const char *pattern)
{
	const char *from = match(pattern, c->request->path);
	size_t n = 0;
	for (; from && *from && n < sizeof(c->path_value) - 1; n++) {
		int hi = *from == '%' ? hex_of(from[1]) : -1;
		int lo = hi >= 0 ? hex_of(from[2]) : -1;
		c->path_value[n] = *from;
		if (lo >= 0)
			c->path_value[n] = (char)(hi << 4 | lo);
		from += lo >= 0 ? 3 : 1;
	}
	c->path_value[from && !*from ? n : 0] = '\0';
}

static const struct route *find(const struct request *request, struct response *response)
{
	static const char *const allowed[8] = {
		[1] = "GET, HEAD",
		[2] = "POST",
		[3] = "GET, HEAD, POST",
		[4] = "DELETE",
		[5] = "GET, HEAD, DELETE",
		[6] = "POST, DELETE",
		[7] = "GET, HEAD, POST, DELETE",
	};
	unsigned methods = 0;
	response->is_native = strncmp(request->path, V1, sizeof(V1) - 1) == 0;
	for (size_t i = 0; i < n_routes; i++) {
		if (!match(routes[i].path, request->path))
			continue;
		if (method_fits(&routes[i], request->method))
			return &routes[i];
		methods |= method_bit(routes[i].method);
	}
	response_error(
		response,
		methods ? 405 : 404,
		methods ? "method not allowed here" : "no such resource"
	);
	response->allow = allowed[methods];
	return NULL;
}

static int refuse_token(const struct request *request, struct response *response, const char *why)
{
	static __thread struct log_limit limit;
	uint64_t suppressed;
	char peer[ADDR_TEXT_LEN];
	if (log_limit_ok(&limit, 10, &suppressed))
		log_info(
			"token refused: %s, from %s (%llu more)",
			why,
			addr_format(&request->peer, peer),
			(unsigned long long)suppressed
		);
	response_error(response, 401, "missing, invalid or expired token");
	return -EACCES;
}

// Clients that know no tokens. Who comes through a proxy is not who he seems to be.
static bool is_open(const struct app *app, const struct route *route, const struct request *request)
{
	return (route->scope == ROUTE_OPEN || route->scope == ROUTE_LOCAL) &&
	       !request->is_forwarded && of_is_open(app->of, &request->peer);
}

const struct route *route_admit(
	struct app *app,
	const struct request *request,
	struct response *response,
	struct auth_claims *ret_claims
)
{
	const struct route *route = find(request, response);
	const char *why = "none";
	size_t len = 0;

	if (!route || route->scope == ROUTE_PUBLIC)
		return route;
	const char *token = auth_token_find(request->authorization, request->cookie, &len);
	if (!token && is_open(app, route, request))
		return route;
	if (token && auth_token_check(&app->key, token, len, clock_now_ns(), ret_claims, &why) == 0)
		return route;
	if (token)
		(void)refuse_token(request, response, why);
	else
		response_error(response, 401, "token required: Authorization: Bearer TOKEN");
	return NULL;
}

void call_failed(struct call *c, int ret)
{
	if (ret == -ETIMEDOUT) {
		response_error(c->response, 503, "query took too long: ask for a shorter window");
		c->response->retry_after_sec = 5;
	} else if (ret == -E2BIG) {
		response_error(
			c->response,
			422,
			"too many groups for the memory of a query: narrow the filter or the window"
		);
	} else if (ret == -ECANCELED) {
		response_error(c->response, 503, "canceled");
	} else {
		(void)log_errno(ret, "query %s", c->request->path);
		response_error(c->response, 500, "stored data cannot be read");
	}
}

int call_entity(struct call *c)
{
	const char *name = query_find(&c->query, "entity");
	if (!name || !*name)
		name = c->response->is_native ? c->claims.entity : STORE_ENTITY_DEFAULT;
	if (strlen(name) > STORE_NAME_MAX) {
		response_error(c->response, 400, "parameter 'entity': unknown entity");
		return -EPERM;
	}
	if (strcmp(name, c->claims.entity) != 0) {
		response_error(c->response, 403, "the token is for another entity");
		return -EPERM;
	}
	int ret = store_view_entity(c->view, name);
	if (ret < 0 && ret != -ENOENT) {
		call_failed(c, ret);
		return -EPERM;
	}
	return ret;
}

// The token says who it was made for; the store says whether that still holds. Deleting a user or
// rotating the secret ends every token at once.
static int check_user(struct call *c)
{
	struct store_user user;
	if (!*c->claims.api_id) { // admitted without a token
		strcpy(c->claims.entity, STORE_ENTITY_DEFAULT);
		return 0;
	}
	int ret = store_view_user(c->view, c->claims.api_id, &user);
	if (ret < 0 && ret != -ENOENT) {
		call_failed(c, ret);
		return ret;
	}
	if (ret == -ENOENT || user.generation != c->claims.generation ||
	    strcmp(user.entity, c->claims.entity) != 0 || strcmp(user.role, c->claims.role) != 0)
		return refuse_token(c->request, c->response, "user gone or secret rotated");
	return 0;
}

static enum route_scope scope_of(const char *name)
{
	if (strcmp(name, "admin") == 0)
		return ROUTE_ADMIN;
	return strcmp(name, "analyst") == 0 ? ROUTE_ANALYST : ROUTE_TOKEN;
}

static bool may(const char *role, enum route_scope scope)
{
	if (strcmp(role, "exporter") == 0)
		return scope == ROUTE_POST;
	return scope_of(role) >= scope;
}

// What takes a filter, and a graph, may have to read all that is stored: they count against the
// user's quota. The others are short, and a client that multiplexes has many of them under way.
static bool is_scan(const struct route *route)
{
	void (*const others[])(struct call *) = {of_get, graph_get, host_get};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (route->handle == others[i])
			return true;
	return strstr(route->takes, "filter") && route->handle != live_get;
}

static void run_with_token(struct call *c, const struct route *route)
{
	char error[STORE_READ_ERROR_LEN], fault[QUERY_ERROR_LEN];
	static __thread struct log_limit limit;
	uint64_t suppressed;

	int ret = source_view(c->app->source, &c->view, error);
	if (ret < 0) {
		if (log_limit_ok(&limit, 3, &suppressed))
			log_warn("store %s: %s", c->app->config->store_dir, error);
		response_error(c->response, 503, "the store is not available");
		c->response->retry_after_sec = 2;
		return;
	}
	bool is_query = is_scan(route);
	if (check_user(c) < 0)
		goto out;
	if (is_query && quota_begin(c->app->quota, c->claims.api_id) < 0) {
		response_error(c->response, 429, "too many queries of this user at a time");
		c->response->retry_after_sec = 1;
		goto out;
	}
	if (!may(c->claims.role, route->scope))
		response_error(c->response, 403, "the user's role does not allow this");
	else if (query_parse(c->request->query, c->request->query_len, &c->query, fault) < 0)
		response_error(c->response, 400, "%s", fault);
	else
		route->handle(c);
	if (is_query)
		quota_end(c->app->quota, c->claims.api_id);
out:
	source_release(c->app->source, c->view);
}

void route_run(
	struct app *app,
	const struct route *route,
	const struct request *request,
	const struct auth_claims *claims,
	struct response *response
)
{
	struct call *c = calloc(1, sizeof(*c));
	if (!c) {
		response_error(response, 500, "out of memory");
		return;
	}
	*c = (struct call){.app = app, .request = request, .response = response, .claims = *claims};
	take_path_value(c, route->path);
	if (query_stopped(&request->stop) < 0) {
		response_error(response, 503, "too busy, try again");
		response->retry_after_sec = 2;
	} else if (route->scope <= ROUTE_LOCAL) {
		route->handle(c);
	} else {
		run_with_token(c, route);
	}
	free(c);
}
