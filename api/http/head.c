// SPDX-License-Identifier: Apache-2.0
#include "api/http/head.h"

#include <string.h>
#include <strings.h>

static bool is_header(const char *line, size_t len, const char *name)
{
	size_t n = strlen(name);
	return len > n && line[n] == ':' && strncasecmp(line, name, n) == 0;
}

bool head_is_ambiguous(const char *text, size_t len)
{
	unsigned n_lengths = 0;
	bool begun = false;
	for (size_t at = 0; at < len;) {
		const char *line = text + at, *end = memchr(line, '\n', len - at);
		size_t n = end ? (size_t)(end - line) : len - at;
		bool empty = n == 0 || (n == 1 && line[0] == '\r');
		if (empty && begun)
			break;
		if (begun && (line[0] == ' ' || line[0] == '\t'))
			return true; // obs-fold (RFC 9112 §5.2)
		if (is_header(line, n, "content-length") || is_header(line, n, "transfer-encoding"))
			n_lengths++;
		begun |= !empty; // an empty line in front is skipped (RFC 9112 §2.2)
		at += n + 1;
	}
	return n_lengths > 1;
}
