// SPDX-License-Identifier: Apache-2.0
#include "collector/store/witness.h"

#include "collector/store/checksum.h"
#include "collector/store/key.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#define MARK_VERSION 1
#define SLOT_LEN 64

void witness_mark_encode(const struct commit_mark *m, uint8_t ret_bytes[WITNESS_MARK_LEN])
{
	const uint64_t words[] = {
		htole64(MARK_VERSION),
		htole64(m->next_number),
		htole64(m->commits),
		htole64(m->rows)};
	uint64_t sum = htole64(checksum64(words, sizeof(words)));
	static_assert(sizeof(words) + sizeof(sum) == WITNESS_MARK_LEN);
	memcpy(ret_bytes, words, sizeof(words));
	memcpy(ret_bytes + sizeof(words), &sum, sizeof(sum));
}

int witness_mark_decode(const void *bytes, size_t len, struct commit_mark *ret_mark)
{
	struct buf b = buf_of(bytes, len);
	uint64_t version = bytes_get_u64(&b);
	struct commit_mark m = {
		.next_number = bytes_get_u64(&b),
		.commits = bytes_get_u64(&b),
		.rows = bytes_get_u64(&b),
	};
	uint64_t sum = bytes_get_u64(&b);
	if (len != WITNESS_MARK_LEN || version != MARK_VERSION ||
	    sum != checksum64(bytes, WITNESS_MARK_LEN - sizeof(sum)))
		return -EIO;
	*ret_mark = m;
	return 0;
}

int witness_mark_load(struct db *db, const char *name, struct commit_mark *ret_mark)
{
	struct key key = key_name(KEY_META, name);
	struct db_iter *it = db_iter_open(db, NULL, true);
	int ret = 0;
	if (!it)
		return -ENOMEM;
	if (db_iter_seek(it, key_slice(&key)) && key_is(db_iter_key(it), &key)) {
		struct slice value = db_iter_value(it);
		ret = witness_mark_decode(value.p, value.len, ret_mark);
	} else {
		*ret_mark = (struct commit_mark){0};
		ret = db_iter_error(it);
	}
	db_iter_close(it);
	return ret;
}

void witness_mark_put(struct db_batch *b, const char *name, const struct commit_mark *m)
{
	struct key key = key_name(KEY_META, name);
	uint8_t bytes[WITNESS_MARK_LEN];
	witness_mark_encode(m, bytes);
	db_batch_put(b, key_slice(&key), (struct slice){bytes, sizeof(bytes)});
}

int witness_open(const char *dir, int *ret_fd, struct commit_mark *ret_mark)
{
	char path[PATH_MAX];
	uint8_t slots[2 * SLOT_LEN] = {0};
	snprintf(path, sizeof(path), "%s/acknowledged", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	if (pread(fd, slots, sizeof(slots), 0) < 0) {
		int ret = -errno;
		close(fd);
		return ret;
	}
	*ret_mark = (struct commit_mark){0};
	for (int i = 0; i < 2; i++) {
		struct commit_mark m;
		if (witness_mark_decode(slots + i * SLOT_LEN, WITNESS_MARK_LEN, &m) == 0 &&
		    m.commits > ret_mark->commits)
			*ret_mark = m;
	}
	*ret_fd = fd;
	return 0;
}

void witness_write(int fd, const struct commit_mark *m)
{
	uint8_t slot[SLOT_LEN] = {0};
	witness_mark_encode(m, slot);
	// A failure leaves an older mark, which is still true.
	ssize_t n = pwrite(fd, slot, sizeof(slot), (off_t)(m->commits % 2 * SLOT_LEN));
	(void)n;
}
