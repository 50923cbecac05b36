// SPDX-License-Identifier: Apache-2.0
#pragma once

// The API's own directory: the key that signs tokens, the TLS key and certificate, scratch files of
// the store's reader. Made with mode 0700; a key that others can read is refused, not used.
// Thread: control.

#include <stddef.h>

#define STATE_ERROR_LEN 512

// Makes the directory when it is absent and checks that only its owner may write to it.
[[nodiscard]] int state_open(const char *dir, char error[static STATE_ERROR_LEN]);

// Reads `len` secret bytes from dir/name; makes the file from random bytes when it is absent.
[[nodiscard]] int state_secret(
	const char *dir,
	const char *name,
	void *ret_key,
	size_t len,
	char error[static STATE_ERROR_LEN]
);

// That a key file is there and only its owner may read it: 0; -ENOENT; -EPERM with the reason.
[[nodiscard]] int state_check_key(const char *path, char error[static STATE_ERROR_LEN]);
