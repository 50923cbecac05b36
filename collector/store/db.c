// SPDX-License-Identifier: Apache-2.0
#include "collector/store/db.h"

#include <rocksdb/c.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WRITE_BUFFER_LEN ((size_t)32 << 20)
#define WRITE_BUFFERS 4
#define WAL_LEN_MAX ((uint64_t)256 << 20)
#define SST_LEN ((uint64_t)64 << 20)
#define SST_BLOCK_LEN ((size_t)16 << 10)
#define OPEN_FILES_MAX 512
#define READER_CACHE_LEN ((int64_t)64 << 20)
#define CACHE_SHARD_BITS 4
#define WAL_TOLERATE_TORN_TAIL 0 // kTolerateCorruptedTailRecords: refuses damage elsewhere
#define WAL_POINT_IN_TIME 2	 // kPointInTimeRecovery: stops before the damage
#define LEVELS 7
#define CATCH_UP_TRIES 16

struct db {
	rocksdb_t *db;
	rocksdb_options_t *options;
	rocksdb_block_based_table_options_t *tables;
	rocksdb_cache_t *cache;
	rocksdb_writeoptions_t *synced, *plain;
	char *dir;	     // of a secondary
	uint64_t oldest_wal; // likewise: number of the oldest when it had caught up
};

struct db_batch {
	rocksdb_writebatch_t *batch;
};

struct db_snapshot {
	struct db *db;
	const rocksdb_snapshot_t *snapshot;
};

struct db_iter {
	rocksdb_readoptions_t *options;
	rocksdb_iterator_t *it;
};

// RocksDB tells the kind of an error in the words it begins with (Status::ToString).
static int translate(char *what, char error[static DB_ERROR_LEN])
{
	static const struct {
		const char *words;
		int error;
	} known[] = {
		{"lock file", EBUSY},
		{"While lock", EBUSY},
		{"lock hold by current process", EBUSY},
		{"Corruption", EUCLEAN},
		{"checksum mismatch", EUCLEAN},
		{"does not exist (create_if_missing", ENOENT},
		{"NotFound", ENOENT},
		{"No such file or directory", ENOENT},
		{"No space left", ENOSPC},
		{"Permission denied", EACCES},
		{"Read-only file system", EROFS},
	};
	int ret = -EIO;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]) && ret == -EIO; i++) {
		if (strstr(what, known[i].words))
			ret = -known[i].error;
	}
	snprintf(error, DB_ERROR_LEN, "%s", what);
	rocksdb_free(what);
	return ret;
}

// Small values (tables, summaries, journal blocks) pass through the upper levels quickly: LZ4
// there, ZSTD where data come to rest. No blob files: a secondary of 7.8.3 crashes on them.
static void set_files(rocksdb_options_t *o)
{
	int levels[LEVELS];
	for (int i = 0; i < LEVELS; i++)
		levels[i] = rocksdb_lz4_compression;
	rocksdb_options_set_compression_per_level(o, levels, LEVELS);
	rocksdb_options_set_bottommost_compression(o, rocksdb_zstd_compression);
	rocksdb_options_set_bottommost_compression_options(o, -14, 3, 0, 0, 1);
	rocksdb_options_set_level_compaction_dynamic_level_bytes(o, 1);
	rocksdb_options_set_target_file_size_base(o, SST_LEN);
	rocksdb_options_set_bytes_per_sync(o, 1 << 20);
	rocksdb_options_set_max_background_jobs(o, 2);
	rocksdb_options_set_info_log_level(o, 2); // WARN
	rocksdb_options_set_keep_log_file_num(o, 4);
	rocksdb_options_set_max_log_file_size(o, 4 << 20);
	rocksdb_options_set_paranoid_checks(o, 1);
}

// Exceeded only by what is being read. A strict bound would refuse to read a block that is larger
// than a shard, and a large value has its small neighbours in its block.
static rocksdb_cache_t *make_cache(int64_t len)
{
	rocksdb_lru_cache_options_t *o = rocksdb_lru_cache_options_create();
	rocksdb_lru_cache_options_set_capacity(o, (size_t)len);
	rocksdb_lru_cache_options_set_num_shard_bits(o, CACHE_SHARD_BITS);
	rocksdb_cache_t *cache = rocksdb_cache_create_lru_opts(o);
	rocksdb_lru_cache_options_destroy(o);
	return cache;
}

// The bounds of what RocksDB may hold in memory: write buffers, and a cache that also holds index
// blocks.
static void set_memory(struct db *db, int64_t cache_len)
{
	rocksdb_options_set_write_buffer_size(db->options, WRITE_BUFFER_LEN);
	rocksdb_options_set_max_write_buffer_number(db->options, WRITE_BUFFERS);
	rocksdb_options_set_db_write_buffer_size(db->options, WRITE_BUFFERS * WRITE_BUFFER_LEN);
	rocksdb_options_set_max_total_wal_size(db->options, WAL_LEN_MAX);
	db->cache = make_cache(cache_len);
	rocksdb_block_based_options_set_block_cache(db->tables, db->cache);
	rocksdb_block_based_options_set_cache_index_and_filter_blocks(db->tables, 1);
	rocksdb_block_based_options_set_block_size(db->tables, SST_BLOCK_LEN);
	rocksdb_block_based_options_set_format_version(db->tables, 5);
	rocksdb_options_set_block_based_table_factory(db->options, db->tables);
}

static struct db *prepare(int64_t cache_len)
{
	struct db *db = calloc(1, sizeof(*db));
	if (!db)
		return NULL;
	db->options = rocksdb_options_create();
	db->tables = rocksdb_block_based_options_create();
	db->synced = rocksdb_writeoptions_create();
	db->plain = rocksdb_writeoptions_create();
	rocksdb_writeoptions_set_sync(db->synced, 1);
	set_files(db->options);
	set_memory(db, cache_len);
	return db;
}

int db_open(
	const char *dir,
	int64_t cache_len,
	enum db_wal wal,
	struct db **ret_db,
	char error[static DB_ERROR_LEN]
)
{
	struct db *db = prepare(cache_len);
	char *what = NULL;
	if (!db)
		return -ENOMEM;
	rocksdb_options_set_create_if_missing(db->options, 1);
	rocksdb_options_set_max_open_files(db->options, OPEN_FILES_MAX);
	rocksdb_options_set_wal_recovery_mode(
		db->options, wal == DB_WAL_STRICT ? WAL_TOLERATE_TORN_TAIL : WAL_POINT_IN_TIME
	);
	db->db = rocksdb_open(db->options, dir, &what);
	if (what) {
		db->db = NULL;
		db_close(db);
		return translate(what, error);
	}
	*ret_db = db;
	return 0;
}

int db_open_secondary(
	const char *dir, const char *scratch, struct db **ret_db, char error[static DB_ERROR_LEN]
)
{
	struct db *db = prepare(READER_CACHE_LEN);
	char *what = NULL;
	if (!db)
		return -ENOMEM;
	// All files stay open: the writer may delete one while it is still being read here.
	rocksdb_options_set_max_open_files(db->options, -1);
	db->dir = strdup(dir);
	db->db = rocksdb_open_as_secondary(db->options, dir, scratch, &what);
	int ret = -ENOMEM;
	if (what) {
		db->db = NULL;
		ret = translate(what, error);
	} else if (db->dir) {
		ret = db_catch_up(db, error);
	}
	if (ret < 0) {
		db_close(db);
		return ret;
	}
	*ret_db = db;
	return 0;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	if (db->db)
		rocksdb_close(db->db);
	rocksdb_options_destroy(db->options);
	rocksdb_block_based_options_destroy(db->tables);
	rocksdb_cache_destroy(db->cache);
	rocksdb_writeoptions_destroy(db->synced);
	rocksdb_writeoptions_destroy(db->plain);
	free(db->dir);
	free(db);
}

static uint64_t oldest_wal(const char *dir)
{
	uint64_t oldest = UINT64_MAX;
	struct dirent *e;
	DIR *d = opendir(dir);
	while (d && (e = readdir(d))) {
		char *end;
		uint64_t number = strtoull(e->d_name, &end, 10);
		if (end > e->d_name && strcmp(end, ".log") == 0 && number < oldest)
			oldest = number;
	}
	if (d)
		closedir(d);
	return oldest;
}

// RocksDB reads the list of files first and the WALs then. What the writer moves from a WAL to a
// file in between is in neither for us; but then that WAL is gone, and the next time finds the
// file.
int db_catch_up(struct db *db, char error[static DB_ERROR_LEN])
{
	for (int i = 0; i < CATCH_UP_TRIES; i++) {
		char *what = NULL;
		rocksdb_try_catch_up_with_primary(db->db, &what);
		if (what)
			return translate(what, error);
		uint64_t oldest = oldest_wal(db->dir);
		if (oldest == db->oldest_wal)
			return 0;
		db->oldest_wal = oldest;
	}
	snprintf(error, DB_ERROR_LEN, "%s: WALs go faster than they can be read", db->dir);
	return -EAGAIN;
}

struct db_batch *db_batch_create(void)
{
	struct db_batch *b = malloc(sizeof(*b));
	if (b)
		b->batch = rocksdb_writebatch_create();
	return b;
}

void db_batch_free(struct db_batch *b)
{
	if (!b)
		return;
	rocksdb_writebatch_destroy(b->batch);
	free(b);
}

void db_batch_clear(struct db_batch *b)
{
	rocksdb_writebatch_clear(b->batch);
}

void db_batch_put(struct db_batch *b, struct slice key, struct slice value)
{
	rocksdb_writebatch_put(b->batch, key.p, key.len, value.p, value.len);
}

void db_batch_del(struct db_batch *b, struct slice key)
{
	rocksdb_writebatch_delete(b->batch, key.p, key.len);
}

void db_batch_del_range(struct db_batch *b, struct slice from, struct slice to)
{
	rocksdb_writebatch_delete_range(b->batch, from.p, from.len, to.p, to.len);
}

int db_write(struct db *db, struct db_batch *b, bool sync, char error[static DB_ERROR_LEN])
{
	char *what = NULL;
	rocksdb_write(db->db, sync ? db->synced : db->plain, b->batch, &what);
	return what ? translate(what, error) : 0;
}

int db_flush(struct db *db, char error[static DB_ERROR_LEN])
{
	rocksdb_flushoptions_t *o = rocksdb_flushoptions_create();
	char *what = NULL;
	rocksdb_flush(db->db, o, &what); // waits
	rocksdb_flushoptions_destroy(o);
	return what ? translate(what, error) : 0;
}

void db_delete_files(struct db *db, struct slice from, struct slice to)
{
	char *what = NULL;
	rocksdb_delete_file_in_range(db->db, from.p, from.len, to.p, to.len, &what);
	if (what)
		rocksdb_free(what);
}

void db_compact(struct db *db, struct slice from, struct slice to)
{
	rocksdb_compactoptions_t *o = rocksdb_compactoptions_create();
	rocksdb_compactoptions_set_exclusive_manual_compaction(o, 0);
	rocksdb_compact_range_opt(db->db, o, from.p, from.len, to.p, to.len);
	rocksdb_compactoptions_destroy(o);
}

uint64_t db_range_len(struct db *db, struct slice from, struct slice to)
{
	const char *first = from.p, *end = to.p;
	uint64_t len = 0;
	char *what = NULL;
	rocksdb_approximate_sizes(db->db, 1, &first, &from.len, &end, &to.len, &len, &what);
	if (!what)
		return len;
	rocksdb_free(what);
	return 0;
}

struct db_snapshot *db_snapshot_create(struct db *db)
{
	struct db_snapshot *s = malloc(sizeof(*s));
	if (s)
		*s = (struct db_snapshot){db, rocksdb_create_snapshot(db->db)};
	return s;
}

void db_snapshot_free(struct db_snapshot *s)
{
	if (!s)
		return;
	rocksdb_release_snapshot(s->db->db, s->snapshot);
	free(s);
}

struct db_iter *db_iter_open(struct db *db, const struct db_snapshot *snapshot, bool cached)
{
	struct db_iter *it = malloc(sizeof(*it));
	if (!it)
		return NULL;
	it->options = rocksdb_readoptions_create();
	rocksdb_readoptions_set_verify_checksums(it->options, 1);
	rocksdb_readoptions_set_fill_cache(it->options, cached);
	rocksdb_readoptions_set_total_order_seek(it->options, 1);
	if (snapshot)
		rocksdb_readoptions_set_snapshot(it->options, snapshot->snapshot);
	it->it = rocksdb_create_iterator(db->db, it->options);
	return it;
}

void db_iter_close(struct db_iter *it)
{
	if (!it)
		return;
	rocksdb_iter_destroy(it->it);
	rocksdb_readoptions_destroy(it->options);
	free(it);
}

bool db_iter_seek(struct db_iter *it, struct slice key)
{
	rocksdb_iter_seek(it->it, key.p, key.len);
	return rocksdb_iter_valid(it->it);
}

bool db_iter_seek_back(struct db_iter *it, struct slice key)
{
	rocksdb_iter_seek_for_prev(it->it, key.p, key.len);
	return rocksdb_iter_valid(it->it);
}

bool db_iter_next(struct db_iter *it)
{
	rocksdb_iter_next(it->it);
	return rocksdb_iter_valid(it->it);
}

bool db_iter_prev(struct db_iter *it)
{
	rocksdb_iter_prev(it->it);
	return rocksdb_iter_valid(it->it);
}

int db_iter_error(struct db_iter *it)
{
	char error[DB_ERROR_LEN];
	char *what = NULL;
	rocksdb_iter_get_error(it->it, &what);
	return what ? translate(what, error) : 0;
}

struct slice db_iter_key(const struct db_iter *it)
{
	struct slice s;
	s.p = rocksdb_iter_key(it->it, &s.len);
	return s;
}

struct slice db_iter_value(const struct db_iter *it)
{
	struct slice s;
	s.p = rocksdb_iter_value(it->it, &s.len);
	return s;
}

int db_checkpoint(struct db *db, const char *dir, char error[static DB_ERROR_LEN])
{
	char *what = NULL;
	rocksdb_checkpoint_t *c = rocksdb_checkpoint_object_create(db->db, &what);
	if (!what)
		rocksdb_checkpoint_create(c, dir, 0, &what); // 0: what is in the WAL goes to a file
	if (c)
		rocksdb_checkpoint_object_destroy(c);
	return what ? translate(what, error) : 0;
}

int db_repair(const char *dir, char error[static DB_ERROR_LEN])
{
	struct db *db = prepare(READER_CACHE_LEN);
	char *what = NULL;
	if (!db)
		return -ENOMEM;
	rocksdb_repair_db(db->options, dir, &what);
	db_close(db);
	return what ? translate(what, error) : 0;
}

uint64_t db_property(struct db *db, const char *name)
{
	uint64_t v = 0;
	return rocksdb_property_int(db->db, name, &v) == 0 ? v : 0;
}
