// SPDX-License-Identifier: Apache-2.0

// The head of an HTTP/1 request, against the parser that libh2o reads it by: whatever that one
// takes for two statements about the body's length must not pass.

#include "api/http/head.h"

#include <assert.h>
#include <stdint.h>
#include <strings.h>

#define HEADERS_MAX 100 // H2O_MAX_HEADERS

// picohttpparser's, which libh2o exports without its header.
struct phr_header {
	const char *name; // NULL: a folded line
	size_t name_len;
	const char *value;
	size_t value_len;
};
int phr_parse_request(
	const char *buf,
	size_t len,
	const char **method,
	size_t *method_len,
	const char **path,
	size_t *path_len,
	int *minor_version,
	struct phr_header *headers,
	size_t *num_headers,
	size_t last_len
);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is(const struct phr_header *h, const char *name, size_t len)
{
	return h->name_len == len && strncasecmp(h->name, name, len) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct phr_header headers[HEADERS_MAX];
	const char *text = (const char *)data, *method, *path;
	size_t method_len, path_len, n = HEADERS_MAX, n_lengths = 0;
	int minor;
	bool is_ambiguous = head_is_ambiguous(text, size);
	if (phr_parse_request(
		    text, size, &method, &method_len, &path, &path_len, &minor, headers, &n, 0
	    ) < 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		assert(headers[i].name || is_ambiguous);
		n_lengths += headers[i].name && (is(&headers[i], "content-length", 14) ||
						 is(&headers[i], "transfer-encoding", 17));
	}
	assert(n_lengths < 2 || is_ambiguous);
	return 0;
}
