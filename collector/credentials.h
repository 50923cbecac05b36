// SPDX-License-Identifier: Apache-2.0
#pragma once

// Making of API credentials: an id of 128 and a secret of 256 random bits. The secret leaves the
// process once, in the answer to whoever asked for it; the store keeps its SHA-256.
// Thread: any.

#include "collector/store/model.h"

#define CREDENTIALS_SECRET_LEN 43 // base64url of 32 bytes, without padding

// Fills api_id and secret_hash of *user and writes the secret. 0, or -errno.
[[nodiscard]] int
credentials_make(struct store_user *user, char secret[static CREDENTIALS_SECRET_LEN + 1]);
