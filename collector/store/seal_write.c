// SPDX-License-Identifier: Apache-2.0
#include "collector/store/name_table.h"
#include "collector/store/seal.h"

#include <errno.h>

// Each column as a value of its own; the summary waits for the last write.
static int
write_block(struct seal_pass *p, const struct column_rows *rows, char error[static STORE_ERROR_LEN])
{
	struct block_summary summary = block_summary_of(rows);
	uint64_t number = p->table.n_blocks;
	uint8_t bytes[BLOCK_SUMMARY_LEN];
	db_batch_clear(p->columns);
	for (uint64_t left = rows->batch->used; left; left &= left - 1) {
		enum record_field f = (enum record_field)__builtin_ctzll(left);
		struct key key = key_column(p->entity, p->hour, number, (uint8_t)f);
		p->value.len = 0;
		p->value.bad = false;
		int ret = block_column_encode(&p->coder, &p->value, rows, f);
		if (ret < 0)
			return ret;
		if (ret == 0)
			continue;
		summary.fields |= 1ull << f;
		summary.len += p->value.len;
		db_batch_put(p->columns, key_slice(&key), (struct slice){p->value.p, p->value.len});
	}
	// Not synced: the last write is, and with it all that was written before.
	int ret = db_write(p->store->db, p->columns, false, error);
	if (ret < 0)
		return ret;
	struct key key = key_block(KEY_SUMMARY, p->entity, p->hour, number);
	block_summary_encode(&summary, bytes);
	db_batch_put(p->last, key_slice(&key), (struct slice){bytes, sizeof(bytes)});
	p->table.n_blocks++;
	return 0;
}

int seal_write_blocks(struct seal_pass *p, char error[static STORE_ERROR_LEN])
{
	uint32_t block_rows = p->store->options.block_rows;
	uint32_t *order = gather_order(p->rows);
	int ret = order ? 0 : -ENOMEM;
	for (uint32_t from = 0, n; ret == 0 && from < p->rows->n_rows; from += n) {
		n = p->rows->n_rows - from;
		n = n < block_rows ? n : block_rows;
		struct column_rows rows = {p->rows, order + from, n};
		ret = write_block(p, &rows, error);
	}
	free(order);
	record_batch_clear(p->rows);
	return ret;
}

// Range of all keys of the hour of that kind, whose old entries the new ones replace.
static void del_parts(struct seal_pass *p, enum key_kind kind)
{
	struct key from = key_hour(kind, p->entity, p->hour), to = from;
	// One byte more than any key of the hour has: after all of them.
	memset(to.b + to.len, 0xff, sizeof(struct addr) + 1);
	to.len += sizeof(struct addr) + 1;
	db_batch_del_range(p->last, key_slice(&from), key_slice(&to));
}

static int put_index(struct seal_pass *p, const struct rollup_host *hosts, size_t n)
{
	int ret = 0;
	for (size_t from = 0, part; ret == 0 && from < n; from += part) {
		part = n - from < TABLE_INDEX ? n - from : TABLE_INDEX;
		struct key key = key_addrs(KEY_INDEX, p->entity, p->hour, &hosts[from].addr);
		p->value.len = 0;
		ret = table_index_encode(&p->coder.ints, hosts + from, (uint32_t)part, &p->value);
		if (ret == 0)
			db_batch_put(
				p->last, key_slice(&key), (struct slice){p->value.p, p->value.len}
			);
	}
	return ret;
}

static int put_hosts(struct seal_pass *p)
{
	size_t n = rollup_n_hosts(p->rollup);
	struct rollup_host *hosts = malloc((n + 1) * sizeof(*hosts));
	int ret = hosts ? 0 : -ENOMEM;
	if (hosts)
		(void)rollup_hosts(p->rollup, ROLLUP_BY_KEY, hosts, n);
	for (size_t from = 0, part; ret == 0 && from < n; from += part) {
		part = n - from < TABLE_HOSTS ? n - from : TABLE_HOSTS;
		struct key key = key_addrs(KEY_ADDRS, p->entity, p->hour, &hosts[from].addr);
		p->value.len = 0;
		ret = table_hosts_encode(&p->coder.ints, hosts + from, (uint32_t)part, &p->value);
		if (ret == 0)
			db_batch_put(
				p->last, key_slice(&key), (struct slice){p->value.p, p->value.len}
			);
	}
	if (ret == 0)
		ret = put_index(p, hosts, n);
	free(hosts);
	return ret;
}

static int put_ports(struct seal_pass *p)
{
	size_t n = rollup_ports(p->rollup, ROLLUP_BY_KEY, NULL, 0);
	struct rollup_port *ports = malloc((n + 1) * sizeof(*ports));
	int ret = ports ? 0 : -ENOMEM;
	if (ports)
		(void)rollup_ports(p->rollup, ROLLUP_BY_KEY, ports, n);
	for (size_t from = 0, part; ret == 0 && from < n; from += part) {
		part = n - from < TABLE_PORTS ? n - from : TABLE_PORTS;
		struct key key = key_ports(p->entity, p->hour, ports[from].proto, ports[from].port);
		p->value.len = 0;
		ret = table_ports_encode(&p->coder.ints, ports + from, (uint32_t)part, &p->value);
		if (ret == 0)
			db_batch_put(
				p->last, key_slice(&key), (struct slice){p->value.p, p->value.len}
			);
	}
	free(ports);
	return ret;
}

// One part at least when rows have names, so that it can be told that all are there.
static int put_names(struct seal_pass *p)
{
	struct names *s = &p->names;
	uint32_t number = 0;
	int ret = 0;
	if (!p->has_names || s->is_over || !s->any_row)
		return 0;
	names_sort(s);
	for (size_t from = 0; ret == 0 && (from < s->n || number == 0); number++) {
		uint32_t n = s->n - from < TABLE_NAMES ? (uint32_t)(s->n - from) : TABLE_NAMES;
		const char *first = n ? names_text(s, from) : "";
		size_t len = n ? s->items[from].len : 0;
		struct key key = key_names(p->entity, p->hour, first, len, number);
		p->value.len = 0;
		ret = name_table_encode(s, from, n, &p->value);
		if (ret == 0)
			db_batch_put(
				p->last, key_slice(&key), (struct slice){p->value.p, p->value.len}
			);
		from += n;
	}
	return ret;
}

int seal_put_tables(struct seal_pass *p)
{
	struct key key = key_hour(KEY_HOUR, p->entity, p->hour);
	del_parts(p, KEY_ADDRS);
	del_parts(p, KEY_INDEX);
	del_parts(p, KEY_PORTS);
	del_parts(p, KEY_NAMES);
	int ret = put_hosts(p);
	if (ret == 0)
		ret = put_ports(p);
	if (ret == 0)
		ret = put_names(p);
	if (ret < 0)
		return ret;
	p->table.totals = rollup_totals(p->rollup);
	p->table.n_protos = (uint32_t)rollup_protos(p->rollup, ROLLUP_BY_KEY, p->table.protos, 256);
	p->value.len = 0;
	ret = table_hour_encode(&p->table, &p->value);
	if (ret == 0)
		db_batch_put(p->last, key_slice(&key), (struct slice){p->value.p, p->value.len});
	return ret;
}
