// SPDX-License-Identifier: Apache-2.0

// weir-api: settings, keys, certificate, then the server until a signal ends it.
// Thread: control.

#include "api/config.h"
#include "api/http/live.h"
#include "api/http/metrics.h"
#include "api/http/of.h"
#include "api/http/server.h"
#include "api/state.h"
#include "lib/base/log.h"
#include "lib/base/notify.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_UNAVAILABLE 69
#define EXIT_NOPERM 77
#define NAMES_CACHE 16384
#define DNS_ATTEMPT_MS 1000

struct api {
	struct api_config config;
	struct app app;
	struct listener listeners[LISTEN_MAX];
	size_t n_listeners;
	bool any_tls;
	SSL_CTX *tls;
	struct server *server;
};

// Writes through to a client that is gone must be an error, not the end. The rest is waited for, so
// every thread starts with them blocked.
static void block_signals(sigset_t *set)
{
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(set);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, set, NULL);
}

// Queries take and give back columns of megabytes: from the system each would come as new pages, and
// faulting them in costs as much as filling them.
static void keep_memory(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, 32 << 20);
	(void)mallopt(M_TRIM_THRESHOLD, 128 << 20);
}

static int open_listeners(struct api *a)
{
	for (size_t i = 0; i < a->config.listen.n; i++) {
		if (a->n_listeners == LISTEN_MAX) {
			log_err("more than %d addresses to listen on", LISTEN_MAX);
			return -E2BIG;
		}
		int ret = listen_open(a->config.listen.items[i], &a->listeners[a->n_listeners]);
		if (ret < 0)
			return log_errno(ret, "listen on %s", a->config.listen.items[i]);
		a->any_tls |= a->listeners[a->n_listeners++].tls;
	}
	return 0;
}

// The certificate is for the addresses listened on; a wildcard is every address and none by name.
static int make_cert(struct api *a)
{
	char hosts[LISTEN_MAX][ENDPOINT_TEXT_LEN], error[TLS_ERROR_LEN];
	const char *addrs[LISTEN_MAX];
	size_t n = 0;

	for (size_t i = 0; i < a->n_listeners; i++) {
		char *host = hosts[n];
		strcpy(host, a->listeners[i].text);
		host[strlen(host) - strlen(strrchr(host, ':'))] = '\0';
		if (host[0] == '[') {
			memmove(host, host + 1, strlen(host));
			host[strlen(host) - 1] = '\0';
		}
		if (strcmp(host, "0.0.0.0") != 0 && strcmp(host, "::") != 0)
			addrs[n++] = host;
	}
	if (tls_self_sign(a->config.cert, a->config.key, addrs, n, error) < 0) {
		log_err("%s", error);
		return -EIO;
	}
	log_info("made a self-signed certificate: %s", a->config.cert);
	return 0;
}

static int load_tls(struct api *a, SSL_CTX **ret_tls)
{
	char state_error[STATE_ERROR_LEN], error[TLS_ERROR_LEN], fingerprint[TLS_FINGERPRINT_LEN];
	int ret = state_check_key(a->config.key, state_error);
	// without a certificate: a start that was cut short; its key will do
	bool lacks = ret == -ENOENT || (ret == 0 && access(a->config.cert, F_OK) < 0);
	if (lacks && a->config.own_cert) {
		ret = make_cert(a);
		if (ret < 0)
			return ret;
	} else if (ret < 0) {
		log_err("%s", state_error);
		return ret;
	}
	ret = tls_context(a->config.cert, a->config.key, a->config.http2, ret_tls, error);
	if (ret < 0) {
		log_err("%s", error);
		return ret;
	}
	log_info(
		"certificate %s SHA-256 %s", a->config.cert, tls_fingerprint(*ret_tls, fingerprint)
	);
	return 0;
}

static int start_app(struct api *a)
{
	char error[STATE_ERROR_LEN], scratch[PATH_MAX];
	struct app *app = &a->app;
	const struct api_config *c = &a->config;
	const char *bad = "";
	struct resolver_options dns = {
		.server = c->dns, .cache_cap = NAMES_CACHE, .timeout_ms = DNS_ATTEMPT_MS};

	int ret = state_open(c->state_dir, error);
	if (ret == 0)
		ret = state_secret(c->state_dir, "jwt.key", app->key.b, sizeof(app->key.b), error);
	if (ret < 0) {
		log_err("%s", error);
		return ret;
	}
	app->config = c;
	app->started_ns = clock_mono_ns();
	app->failed_logins = rate_create((unsigned)c->login_rate, 60 * NS_PER_SEC);
	app->quota = quota_create((unsigned)c->max_queries);
	app->posts = rate_create(APP_POSTS_MAX, APP_POSTS_WINDOW_NS);
	app->metrics = metrics_create();
	ret = app->failed_logins && app->quota && app->posts && app->metrics
		      ? health_create(&app->health)
		      : -ENOMEM;
	if (ret < 0)
		return log_errno(ret, "start");
	ret = of_create(c, &app->of, &bad);
	if (ret < 0)
		return log_errno(ret, "api.of: %s", bad);
	if (snprintf(scratch, sizeof(scratch), "%s/secondary", c->state_dir) >=
	    (int)sizeof(scratch))
		return log_errno(-ENAMETOOLONG, "%s", c->state_dir);
	ret = source_create(c->store_dir, scratch, &app->source);
	if (ret < 0)
		return log_errno(ret, "store %s", c->store_dir);
	ret = resolver_start(&dns, &app->resolver);
	if (ret < 0)
		return log_errno(ret, "api.dns %s", c->dns);
	ret = live_start(app, &app->live);
	return ret < 0 ? log_errno(ret, "live streams") : 0;
}

static int start(struct api *a)
{
	int ret = start_app(a);
	if (ret == 0)
		ret = open_listeners(a);
	if (ret == 0 && a->any_tls)
		ret = load_tls(a, &a->tls);
	if (ret < 0)
		return ret;
	struct server_options options = {
		.app = &a->app,
		.listeners = a->listeners,
		.n_listeners = a->n_listeners,
		.tls = a->tls,
	};
	ret = server_start(&options, &a->server);
	if (ret < 0)
		return log_errno(ret, "server");
	for (size_t i = 0; i < a->n_listeners; i++)
		log_info(
			"listening on %s://%s",
			a->listeners[i].tls ? "https" : "http",
			a->listeners[i].text
		);
	return 0;
}

// What a running server can take over is the certificate; for the rest the new settings are checked
// and what they say is used from the next start on. On any fault the old ones stay.
static void reload(struct api *a, int argc, char **argv)
{
	struct api_config fresh = {};
	SSL_CTX *tls;
	notify_reloading();
	int ret = config_parse(&api_program, argc, argv, &fresh, NULL);
	config_free(&api_program, &fresh);
	if (ret != CONFIG_RUN) {
		log_err("reload: the new settings are not valid, the old ones stay");
	} else {
		if (a->any_tls && load_tls(a, &tls) == 0)
			server_set_tls(a->server, tls);
		log_info("reloaded");
	}
	notify_ready();
}

static bool goes_on(void *arg)
{
	struct api *a = arg;
	return server_goes_on(a->server);
}

static int exit_status(int ret)
{
	if (ret == -EPERM || ret == -EACCES)
		return EXIT_NOPERM;
	if (ret == -EADDRINUSE || ret == -EADDRNOTAVAIL)
		return EXIT_UNAVAILABLE;
	return ret < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static struct api a;
	sigset_t signals;

	log_open(api_program.name, LOG_LEVEL_INFO);
	json_object_seed(0); // before there are threads
	int ret = config_parse(&api_program, argc, argv, &a.config, NULL);
	if (ret != CONFIG_RUN)
		return ret;
	keep_memory();
	block_signals(&signals);
	ret = api_config_paths(&a.config);
	if (ret == 0)
		ret = start(&a);
	if (ret < 0)
		return exit_status(ret);
	log_info("ready");
	notify_ready();
	while (notify_wait(&signals, goes_on, &a) == SIGHUP)
		reload(&a, argc, argv);
	log_info("stopping");
	notify_stopping();
	live_stop(a.app.live);
	server_stop(a.server);
	live_free(a.app.live);
	resolver_stop(a.app.resolver);
	source_free(a.app.source);
	health_free(a.app.health);
	rate_free(a.app.failed_logins);
	quota_free(a.app.quota);
	rate_free(a.app.posts);
	of_free(a.app.of);
	metrics_free(a.app.metrics);
	log_info("stopped");
	return 0;
}
