// SPDX-License-Identifier: Apache-2.0
#pragma once

// A feed over https: certificate checked, no redirects, a cap on size and time, and no connection
// to private or other reserved addresses unless that was allowed: a feed's URL must not become a
// way into the network behind the collector.
// Thread: any that may block.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FETCH_ERROR_LEN 256
#define FETCH_TAG_LEN 192

struct fetch_options {
	const char *url; // https only
	const char *tag; // of the copy at hand (ETag, or the time it was last changed); "": none
	const char *ca_file; // NULL: the system's certificates
	size_t max_len;
	uint64_t timeout_ns;
	bool allow_private;
};

struct fetch_result {
	char *data; // the caller's to free; NULL when not modified
	size_t len;
	bool is_modified;
	char tag[FETCH_TAG_LEN]; // of what was fetched
};

// Once at program start, before threads.
[[nodiscard]] int fetch_init(void);

// 0, or -errno with the reason in `error`: -EINVAL (not an https URL), -EACCES (an address that is
// not allowed, a certificate that is not valid), -EFBIG, -ETIMEDOUT, else -EIO.
[[nodiscard]] int
fetch(const struct fetch_options *o,
      struct fetch_result *ret_result,
      char error[static FETCH_ERROR_LEN]);
