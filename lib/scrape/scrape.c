// SPDX-License-Identifier: Apache-2.0
#include "lib/scrape/scrape.h"

#include "lib/base/endpoint.h"
#include "lib/base/openmetrics.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_MAX 16
#define CONNECTION_SEC 10
#define CONNECTION_MEMORY 16384 // of a request's head, too

struct scrape {
	struct MHD_Daemon *daemon;
	scrape_print *print;
	void *ctx;
};

char *scrape_text(scrape_print *print, void *ctx, bool open)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	if (!out)
		return NULL;
	print(ctx, out, open);
	openmetrics_end(out, open);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static enum MHD_Result
respond(struct MHD_Connection *c, unsigned status, const char *type, char *text)
{
	struct MHD_Response *r =
		MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
	if (!r) {
		free(text);
		return MHD_NO;
	}
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	enum MHD_Result ret = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return ret;
}

static enum MHD_Result refuse(struct MHD_Connection *c, unsigned status, const char *words)
{
	char *text = strdup(words);
	return text ? respond(c, status, "text/plain; charset=utf-8", text) : MHD_NO;
}

static enum MHD_Result
answer(void *ctx,
       struct MHD_Connection *c,
       const char *path,
       const char *method,
       const char *version,
       const char *upload,
       size_t *upload_len,
       void **request)
{
	const struct scrape *s = ctx;
	(void)version;
	(void)upload;
	(void)request;
	if (*upload_len > 0)
		return MHD_NO; // nobody sends a body to ask
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return refuse(c, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET\n");
	if (strcmp(path, "/metrics") != 0)
		return refuse(c, MHD_HTTP_NOT_FOUND, "the metrics are at /metrics\n");
	const char *accept =
		MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
	bool open = openmetrics_is_wanted(accept);
	char *text = scrape_text(s->print, s->ctx, open);
	if (!text)
		return MHD_NO;
	return respond(c, MHD_HTTP_OK, openmetrics_content_type(open), text);
}

int scrape_start(const char *listen, scrape_print *print, void *ctx, struct scrape **ret_scrape)
{
	static const char *const kinds[] = {"http", NULL};
	struct endpoint ep;
	int ret = endpoint_parse(listen, kinds, &ep);
	if (ret < 0)
		return ret;
	struct scrape *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->print = print;
	s->ctx = ctx;
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO;
	if (ep.sa.ss_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	errno = 0;
	s->daemon = MHD_start_daemon(
		flags,
		(uint16_t)endpoint_port((struct sockaddr *)&ep.sa),
		NULL,
		NULL,
		answer,
		s,
		MHD_OPTION_SOCK_ADDR,
		(struct sockaddr *)&ep.sa,
		MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)CONNECTION_SEC,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY,
		MHD_OPTION_END
	);
	if (!s->daemon) {
		ret = errno ? -errno : -EIO;
		free(s);
		return ret;
	}
	*ret_scrape = s;
	return 0;
}

void scrape_stop(struct scrape *s)
{
	if (!s)
		return;
	MHD_stop_daemon(s->daemon);
	free(s);
}

unsigned scrape_port(const struct scrape *s)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);
	return info ? info->port : 0;
}
