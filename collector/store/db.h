// SPDX-License-Identifier: Apache-2.0
#pragma once

// RocksDB behind the few calls the store needs: the only place that knows rocksdb/c.h. Errors are
// -errno: -EBUSY another process holds the lock, -EUCLEAN damaged bytes, -ENOENT no database,
// -ENOSPC, else -EIO; the words are in `error`. Settings and why: db.c.
// Thread: any, but an iterator or batch belongs to one.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DB_ERROR_LEN 384

struct db;
struct db_batch;
struct db_iter;
struct db_snapshot;

struct slice {
	const void *p;
	size_t len;
};

enum db_wal { DB_WAL_STRICT, DB_WAL_SALVAGE };

// The writer. STRICT refuses a journal with damaged bytes (a torn tail is normal after a crash);
// SALVAGE opens with what comes before the damage.
[[nodiscard]] int
db_open(const char *dir,
	int64_t cache_len,
	enum db_wal wal,
	struct db **ret_db,
	char error[static DB_ERROR_LEN]);

// A reader that follows a writer in another process (or none); `scratch` is its own.
[[nodiscard]] int db_open_secondary(
	const char *dir, const char *scratch, struct db **ret_db, char error[static DB_ERROR_LEN]
);
void db_close(struct db *db);

// Makes a secondary see what was written until now: all of it, up to some write.
[[nodiscard]] int db_catch_up(struct db *db, char error[static DB_ERROR_LEN]);

struct db_batch *db_batch_create(void); // NULL without memory
void db_batch_free(struct db_batch *b);
void db_batch_clear(struct db_batch *b);
void db_batch_put(struct db_batch *b, struct slice key, struct slice value);
void db_batch_del(struct db_batch *b, struct slice key);
// All keys from `from` on, `to` not included.
void db_batch_del_range(struct db_batch *b, struct slice from, struct slice to);

// All of the batch or nothing; with `sync` it is on the disk when this returns.
[[nodiscard]] int
db_write(struct db *db, struct db_batch *b, bool sync, char error[static DB_ERROR_LEN]);

// Moves what was written to a file and starts another WAL. Returns when that is done.
[[nodiscard]] int db_flush(struct db *db, char error[static DB_ERROR_LEN]);

// For ranges [from, to) whose keys have been deleted. Deletes the files that lie wholly in one, and
// rewrites the others without what is deleted; failures leave things as they are. Bytes of the
// files that keys in the range take, about.
void db_delete_files(struct db *db, struct slice from, struct slice to);
void db_compact(struct db *db, struct slice from, struct slice to);
uint64_t db_range_len(struct db *db, struct slice from, struct slice to);

// The state of the database now, for iterators; not of a secondary, whose state stands still
// between catch-ups. NULL is "now" for each iterator.
struct db_snapshot *db_snapshot_create(struct db *db);
void db_snapshot_free(struct db_snapshot *s);

// An iterator sees the state of its opening. `cached`: what it reads goes to the block cache (not
// for large values). NULL without memory.
struct db_iter *db_iter_open(struct db *db, const struct db_snapshot *snapshot, bool cached);
void db_iter_close(struct db_iter *it);

// To the first key >= (last key <=) the given one: true when there is one. False may be an error
// too: db_iter_error tells (0, or -errno).
bool db_iter_seek(struct db_iter *it, struct slice key);
bool db_iter_seek_back(struct db_iter *it, struct slice key);
bool db_iter_next(struct db_iter *it);
bool db_iter_prev(struct db_iter *it);
int db_iter_error(struct db_iter *it);
// Good until the iterator moves.
struct slice db_iter_key(const struct db_iter *it);
struct slice db_iter_value(const struct db_iter *it);

// The database as it is now, all of it in files, below `dir`, which must not exist: by links where
// it is on the same file system.
[[nodiscard]] int db_checkpoint(struct db *db, const char *dir, char error[static DB_ERROR_LEN]);

// Makes a database whose list of files is damaged anew from those files; nobody may have it open.
[[nodiscard]] int db_repair(const char *dir, char error[static DB_ERROR_LEN]);

// A number RocksDB keeps of itself, 0 when it does not know the name.
uint64_t db_property(struct db *db, const char *name);
