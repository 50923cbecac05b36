// SPDX-License-Identifier: Apache-2.0
#include "collector/store/doc.h"

#include "collector/store/changes.h"
#include "collector/store/checksum.h"
#include "collector/store/state.h"
#include "collector/store/view.h"

#include <errno.h>
#include <stdlib.h>

#define DOC_VERSION 1
#define CHECKSUM_LEN 8
#define HEAD_LEN 3 // of a key: kind of key, its version, kind of document

struct doc_key {
	size_t len;
	uint8_t b[HEAD_LEN + DOC_NAME_MAX];
};

// False: a name that cannot be.
static bool doc_key(enum doc_kind kind, const char *name, struct doc_key *ret_key)
{
	size_t len = strnlen(name, DOC_NAME_MAX + 1);
	if (len > DOC_NAME_MAX)
		return false;
	ret_key->b[0] = KEY_DOC;
	ret_key->b[1] = KEY_VERSION;
	ret_key->b[2] = (uint8_t)kind;
	memcpy(ret_key->b + HEAD_LEN, name, len);
	ret_key->len = HEAD_LEN + len;
	return true;
}

// Writes (text) or deletes (NULL) under the lock that all small writers share.
static int change(struct store *s, const struct doc_key *key, const struct bytes *value)
{
	char error[DB_ERROR_LEN];
	struct slice k = {key->b, key->len};
	struct db_batch *batch = db_batch_create();
	if (!batch)
		return -ENOMEM;
	if (value)
		db_batch_put(batch, k, (struct slice){value->p, value->len});
	else
		db_batch_del(batch, k);
	int ret = db_write(s->db, batch, true, error);
	if (ret == 0)
		changes_bump(s->changes_fd);
	db_batch_free(batch);
	return ret;
}

int store_doc_put(
	struct store *s, enum doc_kind kind, const char *name, const char *text, size_t len
)
{
	struct doc_key key;
	struct bytes value = {0};
	if (!*name || !doc_key(kind, name, &key) || len == 0 || len > DOC_TEXT_MAX)
		return -EINVAL;
	bytes_u8(&value, DOC_VERSION);
	bytes_put(&value, text, len);
	if (!value.bad)
		bytes_u64(&value, checksum64(value.p, value.len));
	int ret = value.bad ? -ENOMEM : 0;
	pthread_mutex_lock(&s->names);
	if (ret == 0)
		ret = change(s, &key, &value);
	pthread_mutex_unlock(&s->names);
	bytes_fini(&value);
	return ret;
}

int store_doc_del(struct store *s, enum doc_kind kind, const char *name)
{
	struct doc_key key;
	if (!*name || !doc_key(kind, name, &key))
		return -EINVAL;
	pthread_mutex_lock(&s->names);
	struct db_iter *it = db_iter_open(s->db, NULL, true);
	struct slice k = {key.b, key.len};
	int ret = it ? 0 : -ENOMEM;
	if (it && (!db_iter_seek(it, k) || db_iter_key(it).len != key.len ||
		   memcmp(db_iter_key(it).p, key.b, key.len) != 0))
		ret = db_iter_error(it) < 0 ? -EIO : -ENOENT;
	db_iter_close(it);
	if (ret == 0)
		ret = change(s, &key, NULL);
	pthread_mutex_unlock(&s->names);
	return ret;
}

// The document at the iterator as NUL-terminated copies in one piece of memory; NULL: damaged.
static char *copy(struct slice key, struct slice value, struct doc *ret_doc)
{
	size_t name_len = key.len - HEAD_LEN;
	if (value.len < CHECKSUM_LEN + 1)
		return NULL;
	size_t len = value.len - CHECKSUM_LEN;
	struct buf sum = buf_of((const uint8_t *)value.p + len, CHECKSUM_LEN);
	if (*(const uint8_t *)value.p != DOC_VERSION ||
	    bytes_get_u64(&sum) != checksum64(value.p, len))
		return NULL;
	char *text = malloc(name_len + len + 1);
	if (!text)
		return NULL;
	memcpy(text, (const char *)key.p + HEAD_LEN, name_len);
	text[name_len] = '\0';
	memcpy(text + name_len + 1, (const char *)value.p + 1, len - 1);
	text[name_len + len] = '\0';
	*ret_doc = (struct doc){text, text + name_len + 1, len - 1};
	return text;
}

static int
each(struct db_iter *it, enum doc_kind kind, int (*fn)(void *ctx, const struct doc *d), void *ctx)
{
	struct doc_key prefix;
	int ret = 0, damaged = 0;
	(void)doc_key(kind, "", &prefix);
	bool valid = db_iter_seek(it, (struct slice){prefix.b, prefix.len});
	for (; valid && ret == 0; valid = db_iter_next(it)) {
		struct slice key = db_iter_key(it);
		struct doc d;
		if (key.len < HEAD_LEN || memcmp(key.p, prefix.b, HEAD_LEN) != 0)
			break;
		char *text = copy(key, db_iter_value(it), &d);
		if (text)
			ret = fn(ctx, &d);
		else
			damaged = -EIO;
		free(text);
	}
	if (ret == 0)
		ret = view_error(it);
	return ret ? ret : damaged;
}

int store_doc_each(
	struct store *s, enum doc_kind kind, int (*fn)(void *ctx, const struct doc *d), void *ctx
)
{
	struct db_iter *it = db_iter_open(s->db, NULL, true);
	int ret = it ? each(it, kind, fn, ctx) : -ENOMEM;
	db_iter_close(it);
	return ret;
}

int store_view_doc_each(
	struct store_view *v,
	enum doc_kind kind,
	int (*fn)(void *ctx, const struct doc *d),
	void *ctx
)
{
	return each(v->keys, kind, fn, ctx);
}
