// SPDX-License-Identifier: Apache-2.0
#pragma once

// Users as stored values: key api_id, value of fixed size with a version and a checksum.
// Thread: any.

#include "collector/store/bytes.h"
#include "collector/store/key.h"

#define USER_VERSION 1

[[nodiscard]] int user_encode(const struct store_user *user, struct bytes *out);

// 0, or -EIO.
[[nodiscard]] int user_decode(struct slice key, struct slice value, struct store_user *ret_user);
