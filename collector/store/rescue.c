// SPDX-License-Identifier: Apache-2.0
#include "collector/store/rescue.h"

#include "collector/store/check.h"

#include <errno.h>

#define BATCH_LEN ((size_t)4 << 20)
#define CACHE_LEN ((int64_t)32 << 20)
#define STREAK_NEAR 256 // leaps in a row after which each is twice the one before

struct copy {
	struct db_iter *it;
	struct db *to;
	struct db_batch *batch;
	size_t batch_len;
	size_t at_len;
	uint8_t at[CHECK_KEY_MAX];
	uint32_t streak;
	struct rescue done;
};

static void go_to(struct copy *c, struct slice key)
{
	c->at_len = key.len < sizeof(c->at) - 1 ? key.len : sizeof(c->at) - 1;
	memcpy(c->at, key.p, c->at_len);
}

// The key that comes `by` steps behind where the copy stands, in what its kind counts: columns,
// blocks or hours. What has no such number is left, and the next kind begun.
static struct key next_key(const struct copy *c, uint64_t by)
{
	enum key_kind kind = c->at_len ? (enum key_kind)c->at[0] : 0;
	struct slice at = {c->at, c->at_len};
	struct key_parts p;
	bool has_hour = kind == KEY_DOC || kind == KEY_META || kind == KEY_USER ||
					kind == KEY_ENTITY || kind == KEY_HIT_LOG
				? false
				: key_parse(at, kind, &p);
	if (has_hour && kind == KEY_COLUMN && by < 64) {
		unsigned field = (c->at_len > 16 ? c->at[16] : 0) + (unsigned)by;
		return key_column(p.entity, p.hour, p.number + field / 64, field % 64);
	}
	if (has_hour &&
	    (kind == KEY_COLUMN || kind == KEY_JOURNAL || kind == KEY_SUMMARY || kind == KEY_ARRIVED
	    ) &&
	    by < 1 << 12)
		return key_block(kind, p.entity, p.hour, p.number + by);
	if (has_hour && by < 1 << 20 && p.hour + by <= UINT32_MAX)
		return key_hour(kind, p.entity, p.hour + (uint32_t)(by < 1 << 12 ? 1 : by >> 12));
	return (struct key){.len = 1, .b = {(uint8_t)(kind + 1)}};
}

static void leap(struct copy *c)
{
	uint64_t by = c->streak < STREAK_NEAR ? 1 : 1ull << ((c->streak - STREAK_NEAR) & 31);
	struct key next = next_key(c, by);
	c->done.gaps += c->streak++ == 0;
	go_to(c, key_slice(&next));
}

static int flush(struct copy *c, char error[static DB_ERROR_LEN])
{
	int ret = db_write(c->to, c->batch, false, error);
	db_batch_clear(c->batch);
	c->batch_len = 0;
	return ret;
}

// One key. 1, 0 at the end, -errno.
static int step(struct copy *c, char error[static DB_ERROR_LEN])
{
	if (!db_iter_seek(c->it, (struct slice){c->at, c->at_len})) {
		if (db_iter_error(c->it) == 0)
			return 0;
		leap(c);
		return 1;
	}
	do {
		struct slice key = db_iter_key(c->it), value = db_iter_value(c->it);
		db_batch_put(c->batch, key, value);
		c->batch_len += key.len + value.len;
		c->done.keys++;
		c->streak = 0;
		go_to(c, key);
		int ret = c->batch_len >= BATCH_LEN ? flush(c, error) : 0;
		if (ret < 0)
			return ret;
	} while (db_iter_next(c->it));
	c->at[c->at_len++] = 0; // behind the last one that was good
	return 1;
}

int rescue_copy(
	struct db *from, const char *to, struct rescue *ret_rescue, char error[static DB_ERROR_LEN]
)
{
	struct copy c = {.it = db_iter_open(from, NULL, false), .batch = db_batch_create()};
	int ret = c.it && c.batch ? db_open(to, CACHE_LEN, DB_WAL_STRICT, &c.to, error) : -ENOMEM;
	while (ret == 0 && (ret = step(&c, error)) > 0)
		ret = 0;
	if (ret == 0)
		ret = flush(&c, error);
	if (ret == 0)
		ret = db_flush(c.to, error);
	db_close(c.to);
	db_iter_close(c.it);
	db_batch_free(c.batch);
	*ret_rescue = c.done;
	return ret;
}
