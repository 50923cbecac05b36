// SPDX-License-Identifier: Apache-2.0

// A stored user. Input: the key's length (1), the key, the value without its checksum.

#include "collector/store/user.h"
#include "tests/fuzz/stored.h"

#include <assert.h>
#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_text(const char *text, size_t size)
{
	return strnlen(text, size) < size;
}

static void decode(struct slice key, const uint8_t *value, size_t len)
{
	struct store_user u, again;
	struct bytes w = {};
	int ret = user_decode(key, (struct slice){value, len}, &u);
	assert(ret == 0 || ret == -EIO);
	if (ret < 0)
		return;
	assert(is_text(u.api_id, sizeof(u.api_id)) && is_text(u.name, sizeof(u.name)));
	assert(is_text(u.entity, sizeof(u.entity)) && is_text(u.role, sizeof(u.role)));
	assert(user_encode(&u, &w) == 0);
	assert(user_decode(key, (struct slice){w.p, w.len}, &again) == 0);
	assert(strcmp(u.name, again.name) == 0 && u.generation == again.generation);
	bytes_fini(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = buf_of(data, size);
	size_t key_len = buf_u8(&b);
	struct slice key = {buf_take(&b, key_len), key_len};
	if (b.bad)
		return 0;
	decode(key, b.p, buf_left(&b));
	struct bytes value = stored_mend(b.p, buf_left(&b));
	decode(key, value.p, value.len);
	bytes_fini(&value);
	return 0;
}
