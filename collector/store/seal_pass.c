// SPDX-License-Identifier: Apache-2.0
#include "collector/store/lookup.h"
#include "collector/store/name_table.h"
#include "collector/store/seal.h"

#include <errno.h>

#define GATHER_BLOCKS 4		       // sealed blocks' worth of rows sorted together
#define PASS_ROWS ((uint64_t)64 << 20) // rows of a pass, about
#define PASS_HOSTS ((size_t)1 << 20)   // new hosts of a pass, about: bounds the last write

// Room for the rows to be gathered: no more than wait, since columns are cleared whole.
static uint32_t rows_cap(struct seal_pass *p)
{
	struct key prefix = key_hour(KEY_ARRIVED, p->entity, p->hour);
	struct db_iter *it = p->view->keys;
	uint32_t max = GATHER_BLOCKS * p->store->options.block_rows, n = 0;
	bool valid = db_iter_seek(it, key_slice(&prefix));
	max = max < JOURNAL_ROWS_MAX ? JOURNAL_ROWS_MAX : max;
	for (; n < max && valid && key_has_prefix(db_iter_key(it), &prefix);
	     valid = db_iter_next(it)) {
		struct slice value = db_iter_value(it);
		struct block_summary s;
		if (block_summary_decode(value.p, value.len, &s) == 0)
			n += s.n_rows;
	}
	return n < max ? n : max;
}

static int set_up(struct seal_pass *p)
{
	column_init(&p->coder);
	names_init(&p->names);
	p->view = view_open(p->store->db, true);
	p->block = record_batch_create(JOURNAL_ROWS_MAX);
	p->rows = p->view ? record_batch_create(rows_cap(p)) : NULL;
	p->columns = db_batch_create();
	p->last = db_batch_create();
	if (!p->view || !p->block || !p->rows || !p->columns || !p->last)
		return -ENOMEM;
	return rollup_create(&p->rollup);
}

static void tear_down(struct seal_pass *p)
{
	store_view_close(p->view);
	rollup_free(p->rollup);
	names_fini(&p->names);
	column_fini(&p->coder);
	record_batch_free(p->block);
	record_batch_free(p->rows);
	db_batch_free(p->columns);
	db_batch_free(p->last);
	bytes_fini(&p->value);
}

// Clears columns that a pass cut short has left: their numbers come after those in use.
static int clear_leftovers(struct seal_pass *p, char error[static STORE_ERROR_LEN])
{
	struct key from = key_column(p->entity, p->hour, p->table.n_blocks, 0);
	struct key to = key_column(p->entity, p->hour, UINT64_MAX, 0);
	struct key_parts at;
	struct db_iter *it = p->view->keys;
	if (!db_iter_seek(it, key_slice(&from)))
		return view_error(it);
	if (!key_parse(db_iter_key(it), KEY_COLUMN, &at) || at.entity != p->entity ||
	    at.hour != p->hour)
		return 0;
	db_batch_clear(p->columns);
	db_batch_del_range(p->columns, key_slice(&from), key_slice(&to));
	return db_write(p->store->db, p->columns, false, error);
}

// The hour's names so far. A table that is absent though rows have names, or that cannot be read,
// is left out from now on: hunts look at the rows.
static int load_names(struct seal_pass *p)
{
	struct name_walk *w = malloc(sizeof(*w));
	uint64_t fields = 0;
	if (!w)
		return -ENOMEM;
	int ret = name_walk_open(w, p->view, p->entity, p->hour);
	p->has_names = p->names.any_row = ret > 0;
	if (ret > 0)
		ret = name_walk_seek(w, "", 0);
	else if (ret == 0 && store_view_fields(p->view, p->entity, p->hour, &fields) == 0)
		p->has_names = !(fields & RECORD_BIT(server_name));
	for (; ret > 0; ret = ret < 0 ? ret : name_walk_next(w)) {
		const struct table_names *t = &w->part;
		for (uint32_t i = 0; i < t->n && ret > 0; i++)
			if (names_add(&p->names, t->text + t->off[i], t->len[i]) < 0)
				ret = -ENOMEM;
	}
	free(w);
	if (ret == -EIO)
		p->has_names = false;
	return ret == -EIO ? 0 : ret;
}

static int load(struct seal_pass *p, char error[static STORE_ERROR_LEN])
{
	int ret = view_table_hour(p->view, p->entity, p->hour, &p->table);
	if (ret > 0)
		ret = store_view_rollup(p->view, p->entity, p->hour, p->rollup);
	if (ret == 0)
		ret = load_names(p);
	if (ret == 0)
		ret = clear_leftovers(p, error);
	if (ret == -EIO && !error[0])
		return store_fail(
			ret,
			error,
			"the tables of entity %u, hour %u are damaged; its late rows stay unsealed",
			p->entity,
			p->hour
		);
	return ret;
}

// Deletes the run of journal blocks that ends here, in the last write.
static void end_run(struct seal_pass *p)
{
	static const enum key_kind kinds[] = {KEY_ARRIVED, KEY_JOURNAL};
	for (int i = 0; i < 2 && p->first < p->end; i++) {
		struct key from = key_block(kinds[i], p->entity, p->hour, p->first);
		struct key to = key_block(kinds[i], p->entity, p->hour, p->end);
		db_batch_del_range(p->last, key_slice(&from), key_slice(&to));
	}
	p->first = p->end = 0;
}

// Reads a journal block. -EIO: it is damaged.
static int read_block(struct seal_pass *p, uint64_t number, const struct block_summary *summary)
{
	struct key key = key_block(KEY_JOURNAL, p->entity, p->hour, number);
	struct db_iter *it = p->view->values;
	if (!db_iter_seek(it, key_slice(&key)) || !key_is(db_iter_key(it), &key))
		return -EIO;
	struct slice value = db_iter_value(it);
	int ret = block_decode(&p->coder, value.p, value.len, ~0ull, p->block);
	return ret == 0 && p->block->n_rows != summary->n_rows ? -EIO : ret;
}

// Takes the block's rows in. 0, -EIO when it is damaged (and stays), or another -errno.
static int
take_block(struct seal_pass *p, uint64_t number, struct slice value, char error[STORE_ERROR_LEN])
{
	struct block_summary summary = {0};
	int ret = block_summary_decode(value.p, value.len, &summary);
	if (ret == 0)
		ret = read_block(p, number, &summary);
	if (ret == -EIO) {
		p->damaged_blocks++;
		p->damaged_rows += summary.n_rows;
		end_run(p);
		return 0;
	}
	if (ret == 0 && p->rows->cap - p->rows->n_rows < p->block->n_rows)
		ret = seal_write_blocks(p, error);
	if (ret == 0)
		ret = gather_append(p->rows, p->block);
	if (ret == 0)
		ret = rollup_add_batch(p->rollup, p->block, 0, UINT64_MAX);
	if (ret == 0 && p->has_names)
		ret = names_add_batch(&p->names, p->block);
	if (ret < 0)
		return ret;
	if (p->first == p->end)
		p->first = number;
	p->end = number + 1;
	p->n_rows += p->block->n_rows;
	return 0;
}

static int take_blocks(struct seal_pass *p, char error[static STORE_ERROR_LEN])
{
	struct key prefix = key_hour(KEY_ARRIVED, p->entity, p->hour);
	struct db_iter *it = p->view->keys;
	size_t hosts_max = rollup_n_hosts(p->rollup) + PASS_HOSTS;
	bool valid = db_iter_seek(it, key_slice(&prefix));
	for (; valid && key_has_prefix(db_iter_key(it), &prefix); valid = db_iter_next(it)) {
		struct key_parts at;
		if (p->n_rows >= PASS_ROWS || rollup_n_hosts(p->rollup) >= hosts_max) {
			p->more = true;
			break;
		}
		if (!key_parse(db_iter_key(it), KEY_ARRIVED, &at))
			continue;
		int ret = take_block(p, at.number, db_iter_value(it), error);
		if (ret < 0)
			return ret;
	}
	end_run(p);
	return view_error(it);
}

static void count(struct seal_pass *p)
{
	p->store->sealed_rows += p->n_rows;
	p->store->journal_rows -= p->n_rows;
}

int seal_pass_run(struct seal_pass *p, char error[static STORE_ERROR_LEN])
{
	int ret = set_up(p);
	if (ret == 0)
		ret = load(p, error);
	if (ret == 0)
		ret = take_blocks(p, error);
	if (ret == 0)
		ret = seal_write_blocks(p, error);
	if (ret == 0 && p->n_rows) {
		ret = seal_put_tables(p);
		if (ret == 0)
			ret = db_write(p->store->db, p->last, true, error);
		if (ret == 0)
			count(p);
	}
	tear_down(p);
	return ret;
}
