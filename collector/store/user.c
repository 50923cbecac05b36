// SPDX-License-Identifier: Apache-2.0
#include "collector/store/user.h"

#include "collector/store/changes.h"
#include "collector/store/checksum.h"
#include "collector/store/state.h"

#include <errno.h>

#define CHECKSUM_LEN 8

static void put_text(struct bytes *out, const char *text, size_t size)
{
	size_t len = strnlen(text, size - 1);
	bytes_u8(out, (uint8_t)len);
	bytes_put(out, text, len);
}

static void get_text(struct buf *b, char *ret_text, size_t size)
{
	uint8_t len = buf_u8(b);
	const uint8_t *p = buf_take(b, len);
	if (!p || len >= size) {
		b->bad = true;
		return;
	}
	memcpy(ret_text, p, len);
	ret_text[len] = 0;
}

int user_encode(const struct store_user *user, struct bytes *out)
{
	size_t start = out->len;
	bytes_u8(out, USER_VERSION);
	put_text(out, user->name, sizeof(user->name));
	put_text(out, user->entity, sizeof(user->entity));
	put_text(out, user->role, sizeof(user->role));
	bytes_put(out, user->secret_hash, sizeof(user->secret_hash));
	bytes_u64(out, user->generation);
	bytes_u64(out, user->created_ns);
	if (!out->bad)
		bytes_u64(out, checksum64(out->p + start, out->len - start));
	return out->bad ? -ENOMEM : 0;
}

int user_decode(struct slice key, struct slice value, struct store_user *ret_user)
{
	struct store_user user = {0};
	struct buf k = buf_of(key.p, key.len), b, sum;
	if (value.len < CHECKSUM_LEN)
		return -EIO;
	b = buf_of(value.p, value.len - CHECKSUM_LEN);
	sum = buf_of(b.end, CHECKSUM_LEN);
	if (bytes_get_u64(&sum) != checksum64(b.p, buf_left(&b)) || buf_u8(&b) != USER_VERSION)
		return -EIO;
	get_text(&b, user.name, sizeof(user.name));
	get_text(&b, user.entity, sizeof(user.entity));
	get_text(&b, user.role, sizeof(user.role));
	const uint8_t *hash = buf_take(&b, sizeof(user.secret_hash));
	if (hash)
		memcpy(user.secret_hash, hash, sizeof(user.secret_hash));
	user.generation = bytes_get_u64(&b);
	user.created_ns = bytes_get_u64(&b);
	buf_skip(&k, 2); // kind, version
	if (b.bad || buf_left(&b) || k.bad || buf_left(&k) >= sizeof(user.api_id))
		return -EIO;
	memcpy(user.api_id, k.p, buf_left(&k));
	*ret_user = user;
	return 0;
}

// 1 when there is a user by that id, 0 when not, or -errno.
static int exists(struct store *s, const struct key *key)
{
	struct db_iter *it = db_iter_open(s->db, NULL, true);
	if (!it)
		return -ENOMEM;
	bool found = db_iter_seek(it, key_slice(key)) && key_is(db_iter_key(it), key);
	int ret = found ? 1 : db_iter_error(it);
	db_iter_close(it);
	return ret;
}

// Writes (or with user NULL deletes) the entry, when its being there is as `present` says.
static int change(struct store *s, const char *api_id, const struct store_user *user, bool present)
{
	struct key key = key_name(KEY_USER, api_id);
	struct bytes value = {0};
	struct db_batch *batch = db_batch_create();
	char error[DB_ERROR_LEN];
	int ret = batch ? 0 : -ENOMEM;
	pthread_mutex_lock(&s->names);
	if (ret == 0)
		ret = exists(s, &key);
	if (ret >= 0 && ret != present)
		ret = present ? -ENOENT : -EEXIST;
	if (ret >= 0)
		ret = user ? user_encode(user, &value) : 0;
	if (ret == 0) {
		if (user)
			db_batch_put(batch, key_slice(&key), (struct slice){value.p, value.len});
		else
			db_batch_del(batch, key_slice(&key));
		ret = db_write(s->db, batch, true, error);
		if (ret == 0)
			changes_bump(s->changes_fd);
	}
	pthread_mutex_unlock(&s->names);
	db_batch_free(batch);
	bytes_fini(&value);
	return ret;
}

int store_user_add(struct store *s, const struct store_user *user)
{
	size_t len = strnlen(user->api_id, sizeof(user->api_id));
	if (len == 0 || len >= sizeof(user->api_id))
		return -EINVAL;
	return change(s, user->api_id, user, false);
}

int store_user_update(struct store *s, const struct store_user *user)
{
	return change(s, user->api_id, user, true);
}

int store_user_del(struct store *s, const char *api_id)
{
	return change(s, api_id, NULL, true);
}

int store_user_each(struct store *s, int (*fn)(void *ctx, const struct store_user *user), void *ctx)
{
	struct key prefix = key_name(KEY_USER, "");
	struct db_iter *it = db_iter_open(s->db, NULL, true);
	int ret = 0;
	if (!it)
		return -ENOMEM;
	bool valid = db_iter_seek(it, key_slice(&prefix));
	for (; ret == 0 && valid && key_has_prefix(db_iter_key(it), &prefix);
	     valid = db_iter_next(it)) {
		struct store_user user;
		ret = user_decode(db_iter_key(it), db_iter_value(it), &user);
		if (ret == 0)
			ret = fn(ctx, &user);
	}
	if (ret == 0)
		ret = db_iter_error(it);
	db_iter_close(it);
	return ret;
}
