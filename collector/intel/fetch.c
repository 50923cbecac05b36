// SPDX-License-Identifier: Apache-2.0
#include "collector/intel/fetch.h"

#include "lib/base/addr.h"
#include "lib/base/clock.h"
#include "lib/intel/indicator.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECT_TIMEOUT_MS 10000L
#define SLOW_BYTES 100L // per second, for
#define SLOW_SEC 30L	// so long: given up
#define START_LEN 65536

struct download {
	const struct fetch_options *o;
	char *data;
	size_t len, cap;
	int error;	 // -EFBIG, -ENOMEM
	bool is_refused; // the address
	char tag[FETCH_TAG_LEN];
};

int fetch_init(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -EIO;
}

static size_t on_data(char *data, size_t size, size_t n, void *ctx)
{
	struct download *d = ctx;
	size_t len = size * n;
	if (len > d->o->max_len - d->len) {
		d->error = -EFBIG;
		return 0;
	}
	if (len > d->cap - d->len) {
		size_t cap = d->cap ? d->cap : START_LEN;
		while (cap - d->len < len)
			cap *= 2;
		char *wider = realloc(d->data, cap);
		if (!wider) {
			d->error = -ENOMEM;
			return 0;
		}
		d->data = wider;
		d->cap = cap;
	}
	memcpy(d->data + d->len, data, len);
	d->len += len;
	return len;
}

// An ETag says what was fetched; a Last-Modified will do where there is none.
static size_t on_header(char *line, size_t size, size_t n, void *ctx)
{
	static const char etag[] = "etag:", modified[] = "last-modified:";
	struct download *d = ctx;
	size_t len = size * n, skip = 0;
	if (len > sizeof(etag) - 1 && strncasecmp(line, etag, sizeof(etag) - 1) == 0)
		skip = sizeof(etag) - 1;
	else if (len > sizeof(modified) - 1 && !d->tag[0] && strncasecmp(line, modified, sizeof(modified) - 1) == 0)
		skip = sizeof(modified) - 1;
	if (!skip)
		return len;
	while (skip < len && line[skip] == ' ')
		skip++;
	size_t end = len;
	while (end > skip && (unsigned char)line[end - 1] <= ' ')
		end--;
	if (end - skip < sizeof(d->tag)) {
		memcpy(d->tag, line + skip, end - skip);
		d->tag[end - skip] = '\0';
	}
	return len;
}

// The address as it was resolved is what is judged, and connected to.
static curl_socket_t on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct download *d = ctx;
	struct prefix host = {addr_of_sockaddr(&a->addr), 128};
	(void)purpose;
	if (!d->o->allow_private && indicator_is_reserved(&host)) {
		d->is_refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

// "W/"x"" and ""x"" are ETags; anything else is a time.
static struct curl_slist *conditions(const char *tag)
{
	char line[FETCH_TAG_LEN + 32];
	bool is_etag = tag[0] == '"' || strncmp(tag, "W/", 2) == 0;
	if (!*tag)
		return NULL;
	snprintf(
		line, sizeof(line), "%s: %s", is_etag ? "If-None-Match" : "If-Modified-Since", tag
	);
	return curl_slist_append(NULL, line);
}

static void set_up(CURL *c, struct download *d, struct curl_slist *headers)
{
	const struct fetch_options *o = d->o;
	curl_easy_setopt(c, CURLOPT_URL, o->url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(
		c, CURLOPT_PROXY, ""
	); // the address that is judged is the one connected to
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)(o->timeout_ns / NS_PER_MSEC));
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, SLOW_SEC);
	curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(c, CURLOPT_USERAGENT, "weir/" WEIR_VERSION);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, d);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, d);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, d);
	if (o->ca_file && *o->ca_file)
		curl_easy_setopt(c, CURLOPT_CAINFO, o->ca_file);
}

static int translate(
	const struct download *d,
	CURLcode code,
	const char *words,
	char error[static FETCH_ERROR_LEN]
)
{
	if (d->is_refused) {
		snprintf(
			error,
			FETCH_ERROR_LEN,
			"the address is private or reserved: allow it with allow_private=yes"
		);
		return -EACCES;
	}
	if (d->error == -EFBIG) {
		snprintf(error, FETCH_ERROR_LEN, "larger than %zu bytes (max_size)", d->o->max_len);
		return -EFBIG;
	}
	snprintf(error, FETCH_ERROR_LEN, "%s", *words ? words : curl_easy_strerror(code));
	if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT)
		return -EINVAL;
	if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
		return -EACCES;
	if (d->error)
		return d->error;
	return code == CURLE_OPERATION_TIMEDOUT ? -ETIMEDOUT : -EIO;
}

static int check_status(CURL *c, bool *ret_modified, char error[static FETCH_ERROR_LEN])
{
	long status = 0;
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	*ret_modified = status == 200;
	if (status == 200 || status == 304)
		return 0;
	snprintf(
		error,
		FETCH_ERROR_LEN,
		"the server answered %ld%s",
		status,
		status >= 300 && status < 400 ? ": redirects are not followed" : ""
	);
	return -EIO;
}

int fetch(
	const struct fetch_options *o,
	struct fetch_result *ret_result,
	char error[static FETCH_ERROR_LEN]
)
{
	struct download d = {.o = o};
	char words[CURL_ERROR_SIZE] = "";
	bool modified = false;
	CURL *c = curl_easy_init();
	if (!c) {
		snprintf(error, FETCH_ERROR_LEN, "out of memory");
		return -ENOMEM;
	}
	struct curl_slist *headers = conditions(o->tag ? o->tag : "");
	set_up(c, &d, headers);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, words);
	CURLcode code = curl_easy_perform(c);
	int ret = code == CURLE_OK ? check_status(c, &modified, error)
				   : translate(&d, code, words, error);
	curl_easy_cleanup(c);
	curl_slist_free_all(headers);
	if (ret < 0 || !modified) {
		free(d.data);
		d.data = NULL;
		d.len = 0;
	}
	if (ret < 0)
		return ret;
	*ret_result = (struct fetch_result){.data = d.data, .len = d.len, .is_modified = modified};
	memcpy(ret_result->tag, modified ? d.tag : "", modified ? sizeof(d.tag) : 1);
	return 0;
}
