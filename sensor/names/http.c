// SPDX-License-Identifier: Apache-2.0
#include "sensor/names/http.h"

#include "sensor/names/text.h"

#include <strings.h>

// RFC 9110 §9, RFC 5789, and those of WebDAV and its relatives that are seen on the open network.
static const char *const methods[] = {
	"GET ",	   "POST ",	 "HEAD ",     "PUT ",	 "DELETE ", "CONNECT ", "OPTIONS ",
	"TRACE ",  "PATCH ",	 "PROPFIND ", "MKCOL ",	 "COPY ",   "MOVE ",	"LOCK ",
	"UNLOCK ", "PROPPATCH ", "REPORT ",   "SEARCH ", "PURGE ",  "MERGE ",
};

#define N_METHODS (sizeof(methods) / sizeof(methods[0]))
#define CONNECT "CONNECT "

// The method the stream begins with, its bytes taken; LOOK_MORE when it may become one.
static enum look take_method(struct buf *b, bool *ret_is_connect)
{
	size_t left = buf_left(b);
	enum look look = LOOK_NOTHING;
	for (size_t i = 0; i < N_METHODS; i++) {
		const char *m = methods[i];
		size_t n = strlen(m);
		if (left > 0 && (uint8_t)*m != *b->p)
			continue;
		if (memcmp(b->p, m, left < n ? left : n) != 0)
			continue;
		if (left >= n) {
			*ret_is_connect = strcmp(m, CONNECT) == 0;
			buf_skip(b, n);
			return LOOK_FOUND;
		}
		look = LOOK_MORE;
	}
	return look;
}

// The next line without its end, LF or CRLF (RFC 9112 §2.2); false when it has none yet.
static bool take_line(struct buf *b, struct buf *ret_line)
{
	size_t left = buf_left(b);
	const uint8_t *end = left ? memchr(b->p, '\n', left) : NULL;
	if (!end)
		return false;
	size_t n = (size_t)(end - b->p);
	*ret_line = buf_of(b->p, n > 0 && end[-1] == '\r' ? n - 1 : n);
	buf_skip(b, n + 1);
	return true;
}

// Up to the first byte that is one of three.
static struct buf until(struct buf b, const char ends[static 3])
{
	uint8_t x = (uint8_t)ends[0], y = (uint8_t)ends[1], z = (uint8_t)ends[2];
	size_t n = 0, left = buf_left(&b);
	while (n < left && b.p[n] != x && b.p[n] != y && b.p[n] != z)
		n++;
	return buf_of(b.p, n);
}

// Host and port to the host alone, RFC 3986 §3.2. Nothing is found when it is empty.
static enum look take_authority(struct buf b, struct names_result *r)
{
	size_t n = buf_left(&b);
	const uint8_t *at = n ? memrchr(b.p, '@', n) : NULL;
	if (at)
		b.p = at + 1;
	if (buf_left(&b) > 0 && *b.p == '[') {
		b.p++;
		b = until(b, "]]]");
	} else {
		b = until(b, ":::");
	}
	struct text t = text_of(r->server, sizeof(r->server));
	text_put_host(&t, b.p, buf_left(&b));
	if (t.len == 0)
		return LOOK_NOTHING;
	memset(r, 0, offsetof(struct names_result, server));
	r->kind = NAMES_HTTP;
	r->server_len = (uint8_t)t.len;
	r->flags = t.cut ? NAMES_CUT : 0;
	return LOOK_FOUND;
}

static bool has_prefix(struct buf b, const char *prefix)
{
	size_t n = strlen(prefix);
	return buf_left(&b) >= n && strncasecmp((const char *)b.p, prefix, n) == 0;
}

// The target and version of the first line. LOOK_MORE: the host is in the fields that follow.
static enum look take_request(struct buf line, bool is_connect, struct names_result *r)
{
	struct buf target = until(line, " \t\t");
	line.p = target.p + buf_left(&target);
	if (!has_prefix(line, " HTTP/1."))
		return LOOK_NOTHING; // RTSP, SIP and others are made alike
	if (is_connect)
		return take_authority(target, r);
	size_t n = has_prefix(target, "http://") ? 7 : has_prefix(target, "https://") ? 8 : 0;
	if (n == 0)
		return LOOK_MORE;
	target.p += n;
	return take_authority(until(target, "/?#"), r);
}

static struct buf trim(struct buf b)
{
	while (buf_left(&b) > 0 && (*b.p == ' ' || *b.p == '\t'))
		b.p++;
	while (buf_left(&b) > 0 && (b.end[-1] == ' ' || b.end[-1] == '\t'))
		b.end--;
	return b;
}

// The first Host field counts; a server refuses a second one.
static enum look take_fields(struct buf b, struct names_result *r)
{
	struct buf line;
	while (take_line(&b, &line)) {
		if (buf_left(&line) == 0)
			return LOOK_NOTHING; // the end of the fields
		if (!has_prefix(line, "host:"))
			continue;
		line.p += strlen("host:");
		return take_authority(trim(line), r);
	}
	return LOOK_MORE;
}

enum look http_parse(struct buf b, struct names_result *ret_result)
{
	struct buf line;
	bool is_connect = false;
	enum look look = take_method(&b, &is_connect);
	if (look != LOOK_FOUND)
		return look;
	if (!take_line(&b, &line))
		return LOOK_MORE;
	look = take_request(line, is_connect, ret_result);
	return look == LOOK_MORE ? take_fields(b, ret_result) : look;
}
