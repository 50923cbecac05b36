// SPDX-License-Identifier: Apache-2.0
#include "collector/store/store.h"

#include "collector/store/changes.h"
#include "collector/store/hit_row.h"
#include "collector/store/salvage.h"
#include "collector/store/table.h"
#include "collector/store/witness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_ROWS_DEFAULT 65536
#define CACHE_LEN_MIN ((int64_t)32 << 20) // a shard holds some of the largest table parts

int store_fail(int ret, char error[static STORE_ERROR_LEN], const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vsnprintf(error, STORE_ERROR_LEN, fmt, args);
	va_end(args);
	return ret;
}

void store_say(char error[static STORE_ERROR_LEN], const char *fmt, ...)
{
	size_t len = strlen(error);
	va_list args;
	if (len)
		len += (size_t)snprintf(error + len, STORE_ERROR_LEN - len, "; ");
	if (len >= STORE_ERROR_LEN)
		return;
	va_start(args, fmt);
	vsnprintf(error + len, STORE_ERROR_LEN - len, fmt, args);
	va_end(args);
}

void store_span_add(struct store *s, uint32_t hour)
{
	if (hour < atomic_load(&s->first_hour))
		atomic_store(&s->first_hour, hour);
	if (hour > atomic_load(&s->last_hour))
		atomic_store(&s->last_hour, hour);
}

static int make_dir(const char *path, char error[static STORE_ERROR_LEN])
{
	if (mkdir(path, 0750) < 0 && errno != EEXIST) {
		int ret = -errno;
		return store_fail(ret, error, "%s: %s", path, strerror(-ret));
	}
	return 0;
}

// Reads the numbers and names of the entities.
static int load_entities(struct store *s)
{
	struct key prefix = key_name(KEY_ENTITY, "");
	struct db_iter *it = db_iter_open(s->db, NULL, true);
	int ret = 0;
	if (!it)
		return -ENOMEM;
	bool valid = db_iter_seek(it, key_slice(&prefix));
	for (; valid && key_has_prefix(db_iter_key(it), &prefix); valid = db_iter_next(it)) {
		struct slice key = db_iter_key(it), value = db_iter_value(it);
		struct buf b = buf_of(value.p, value.len);
		uint16_t number = bytes_get_u16(&b);
		size_t len = key.len - prefix.len;
		if (b.bad || len > STORE_NAME_MAX) {
			ret = -EIO;
			break;
		}
		memcpy(s->entities[number], (const char *)key.p + prefix.len, len);
		if (number >= s->n_entities)
			s->n_entities = number + 1u;
	}
	if (ret == 0)
		ret = db_iter_error(it);
	db_iter_close(it);
	return ret;
}

// Adds up the rows of one kind of entry: the sealed ones of hours, or those that have arrived.
static int count_rows(struct store *s, enum key_kind kind, _Atomic uint64_t *counter)
{
	struct db_iter *it = db_iter_open(s->db, NULL, true);
	struct key start = key_hour(kind, 0, 0);
	struct key_parts parts;
	if (!it)
		return -ENOMEM;
	bool valid = db_iter_seek(it, key_slice(&start));
	for (; valid && key_parse(db_iter_key(it), kind, &parts); valid = db_iter_next(it)) {
		struct slice value = db_iter_value(it);
		struct block_summary block;
		struct table_hour hour;
		// One that is damaged is met again, and said, by who reads or seals the hour.
		if (kind == KEY_ARRIVED && block_summary_decode(value.p, value.len, &block) == 0)
			*counter += block.n_rows;
		else if (kind == KEY_HOUR && table_hour_decode(value, &hour) == 0)
			*counter += hour.totals.flows;
		store_span_add(s, parts.hour);
	}
	int ret = db_iter_error(it);
	db_iter_close(it);
	return ret;
}

// What is missing is said once: from now on it counts as gone.
static void write_off(struct store *s, uint64_t lost_commits)
{
	char words[DB_ERROR_LEN];
	s->gone.commits += lost_commits;
	s->gone.rows = s->mark.rows - s->total_rows;
	db_batch_clear(s->batch);
	witness_mark_put(s->batch, "commit", &s->mark);
	witness_mark_put(s->batch, "gone", &s->gone);
	// A failure only means that the next opening says it again.
	int ret = db_write(s->db, s->batch, true, words);
	(void)ret;
}

// Compares what was acknowledged, and what was committed, with what is there.
static int check_rows(struct store *s, struct salvage *salvage, char error[static STORE_ERROR_LEN])
{
	struct commit_mark seen;
	int ret = witness_open(s->dir, &s->witness_fd, &seen);
	if (ret < 0)
		return store_fail(ret, error, "%s/acknowledged: %s", s->dir, strerror(-ret));
	int64_t missing = (int64_t)(s->mark.rows - s->gone.rows - s->total_rows);
	uint64_t lost = seen.commits > s->mark.commits ? seen.commits - s->mark.commits : 0;
	if (lost)
		store_say(
			error,
			"lost %llu commits with %llu acknowledged rows (after commit %llu)",
			(unsigned long long)lost,
			(unsigned long long)(seen.rows - s->mark.rows),
			(unsigned long long)s->mark.commits
		);
	if (missing)
		store_say(
			error,
			"%lld rows %s",
			(long long)(missing < 0 ? -missing : missing),
			missing < 0 ? "more than were committed are in the database"
				    : "that were in the database are missing"
		);
	if (!lost && !missing && salvage->damaged)
		store_say(error, "no acknowledged row is lost");
	// The numbers of lost blocks are not used again.
	if (seen.next_number > s->mark.next_number)
		s->mark = seen;
	if (lost || missing)
		write_off(s, lost);
	if (error[0])
		salvage_keep(salvage, error);
	return 0;
}

static int load(struct store *s, struct salvage *salvage, char error[static STORE_ERROR_LEN])
{
	_Atomic uint64_t sealed = 0;
	int ret = load_entities(s);
	if (ret == 0)
		ret = hits_load(s);
	if (ret == 0)
		ret = witness_mark_load(s->db, "commit", &s->mark);
	if (ret == 0)
		ret = witness_mark_load(s->db, "gone", &s->gone);
	if (ret == 0)
		ret = count_rows(s, KEY_ARRIVED, &s->journal_rows);
	if (ret == 0)
		ret = count_rows(s, KEY_HOUR, &sealed);
	if (ret < 0)
		return store_fail(ret, error, "%s: cannot be read: %s", s->dir, strerror(-ret));
	s->total_rows = sealed + s->journal_rows;
	return check_rows(s, salvage, error);
}

// A reader drops rows it has read from a WAL once another one is in use that the database's list of
// files names as the oldest needed. An opening names one that does not exist: a reader that slept
// through what came before would go on to show rows in the journal that have been sealed, and whose
// deletion has been forgotten since. A file and a write behind it put that right.
static void settle(struct store *s)
{
	char words[DB_ERROR_LEN];
	db_batch_clear(s->batch);
	witness_mark_put(s->batch, "commit", &s->mark);
	int ret = db_write(s->db, s->batch, true, words);
	if (ret == 0)
		ret = db_flush(s->db, words);
	if (ret == 0)
		ret = db_write(s->db, s->batch, true, words);
	// A full disk is no reason not to open: the next file puts it right, too.
	(void)ret;
}

static struct store *allocate(const struct store_options *options)
{
	struct store *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	pthread_mutex_init(&s->names, NULL);
	pthread_mutex_init(&s->hits, NULL);
	pthread_mutex_init(&s->hours, NULL);
	column_init(&s->coder);
	s->witness_fd = s->changes_fd = -1;
	s->first_hour = UINT32_MAX;
	s->options = *options;
	s->options.dir = NULL;
	if (s->options.block_rows == 0 || s->options.block_rows > BLOCK_ROWS_MAX)
		s->options.block_rows = BLOCK_ROWS_DEFAULT;
	if (s->options.cache_len < CACHE_LEN_MIN)
		s->options.cache_len = CACHE_LEN_MIN;
	s->dir = strdup(options->dir);
	s->entities = calloc(STORE_ENTITIES_MAX, sizeof(*s->entities));
	s->batch = db_batch_create();
	if (!s->dir || !s->entities || !s->batch) {
		store_close(s);
		return NULL;
	}
	return s;
}

int store_open(
	const struct store_options *options,
	struct store **ret_store,
	char error[static STORE_ERROR_LEN]
)
{
	struct salvage salvage;
	error[0] = 0;
	int ret = make_dir(options->dir, error);
	if (ret < 0)
		return ret;
	struct store *s = allocate(options);
	if (!s)
		return store_fail(-ENOMEM, error, "out of memory");
	s->changes_fd = changes_open(s->dir, true);
	if (s->changes_fd < 0)
		ret = store_fail(
			s->changes_fd, error, "%s/changes: %s", s->dir, strerror(-s->changes_fd)
		);
	if (ret == 0)
		ret = salvage_open(s->dir, s->options.cache_len, &s->db, &salvage, error);
	if (ret == 0) {
		ret = load(s, &salvage, error);
		if (ret < 0 && salvage.damaged)
			salvage_keep(&salvage, error);
		salvage_drop(&salvage);
	}
	if (ret < 0) {
		store_close(s);
		return ret;
	}
	settle(s);
	*ret_store = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	db_batch_free(s->batch);
	db_close(s->db);
	if (s->witness_fd >= 0)
		close(s->witness_fd);
	if (s->changes_fd >= 0)
		close(s->changes_fd);
	column_fini(&s->coder);
	bytes_fini(&s->value);
	pthread_mutex_destroy(&s->names);
	pthread_mutex_destroy(&s->hits);
	pthread_mutex_destroy(&s->hours);
	free(s->order);
	free(s->entities);
	free(s->dir);
	free(s);
}

static int add_entity(struct store *s, const char *name)
{
	uint32_t number = s->n_entities;
	struct key key = key_name(KEY_ENTITY, name);
	uint8_t value[2] = {(uint8_t)number, (uint8_t)(number >> 8)};
	struct db_batch *batch = db_batch_create();
	char error[DB_ERROR_LEN];
	if (!batch)
		return -ENOMEM;
	if (number == STORE_ENTITIES_MAX) {
		db_batch_free(batch);
		return -ENOSPC;
	}
	db_batch_put(batch, key_slice(&key), (struct slice){value, sizeof(value)});
	int ret = db_write(s->db, batch, true, error);
	db_batch_free(batch);
	if (ret < 0)
		return ret;
	snprintf(s->entities[number], sizeof(s->entities[number]), "%s", name);
	s->n_entities = number + 1;
	return (int)number;
}

int store_entity(struct store *s, const char *name)
{
	size_t len = strlen(name);
	int ret = -ENOENT;
	if (len == 0 || len > STORE_NAME_MAX)
		return -EINVAL;
	pthread_mutex_lock(&s->names);
	for (uint32_t i = 0; ret < 0 && i < s->n_entities; i++) {
		if (strcmp(s->entities[i], name) == 0)
			ret = (int)i;
	}
	if (ret < 0)
		ret = add_entity(s, name);
	pthread_mutex_unlock(&s->names);
	return ret;
}

unsigned store_n_entities(const struct store *s)
{
	return s->n_entities;
}

static uint64_t files_len(const char *dir)
{
	char path[PATH_MAX];
	uint64_t sum = 0;
	struct stat st;
	struct dirent *e;
	snprintf(path, sizeof(path), "%s/db", dir);
	DIR *d = opendir(path);
	while (d && (e = readdir(d))) {
		if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode))
			sum += (uint64_t)st.st_size;
	}
	if (d)
		closedir(d);
	return sum;
}

void store_stats(struct store *s, struct store_stats *ret_stats)
{
	uint32_t first = s->first_hour, last = s->last_hour;
	*ret_stats = (struct store_stats){
		.committed_rows = s->committed_rows,
		.sealed_rows = s->sealed_rows,
		.commits = s->commits,
		.commit_ns = s->commit_ns,
		.size = files_len(s->dir),
		.journal_rows = s->journal_rows,
		.total_rows = s->total_rows,
	};
	if (first <= last) {
		ret_stats->first_ns = store_hour_start(first);
		ret_stats->last_ns = store_hour_start(last + 1) - 1;
	}
}
