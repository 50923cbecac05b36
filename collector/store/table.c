// SPDX-License-Identifier: Apache-2.0
#include "collector/store/table.h"

#include "collector/store/checksum.h"

#include <errno.h>

#define CHECKSUM_LEN 8
#define HOST_COLUMNS 9
#define PORT_COLUMNS 5

static int finish(struct bytes *out, size_t start)
{
	if (!out->bad)
		bytes_u64(out, checksum64(out->p + start, out->len - start));
	return out->bad ? -ENOMEM : 0;
}

// What follows the version byte; bad when checksum or version is wrong.
static struct buf checked(struct slice value)
{
	struct buf b = {.bad = true};
	if (value.len < CHECKSUM_LEN + 1)
		return b;
	size_t len = value.len - CHECKSUM_LEN;
	struct buf sum = buf_of((const uint8_t *)value.p + len, CHECKSUM_LEN);
	if (bytes_get_u64(&sum) != checksum64(value.p, len))
		return b;
	b = buf_of(value.p, len);
	if (buf_u8(&b) != TABLE_VERSION)
		b.bad = true;
	return b;
}

int table_hour_encode(const struct table_hour *h, struct bytes *out)
{
	size_t start = out->len;
	bytes_u8(out, TABLE_VERSION);
	bytes_varint(out, h->totals.flows);
	bytes_varint(out, h->totals.packets);
	bytes_varint(out, h->totals.bytes);
	bytes_varint(out, h->totals.denied);
	bytes_varint(out, h->n_blocks);
	bytes_varint(out, h->n_protos);
	for (uint32_t i = 0; i < h->n_protos; i++) {
		bytes_u8(out, h->protos[i].proto);
		bytes_varint(out, h->protos[i].flows);
		bytes_varint(out, h->protos[i].packets);
		bytes_varint(out, h->protos[i].bytes);
	}
	return finish(out, start);
}

int table_hour_decode(struct slice value, struct table_hour *ret_hour)
{
	struct buf b = checked(value);
	struct table_hour *h = ret_hour;
	h->totals.flows = bytes_get_varint(&b);
	h->totals.packets = bytes_get_varint(&b);
	h->totals.bytes = bytes_get_varint(&b);
	h->totals.denied = bytes_get_varint(&b);
	h->n_blocks = bytes_get_varint(&b);
	uint64_t n = bytes_get_varint(&b);
	if (b.bad || n > 256)
		return -EIO;
	h->n_protos = (uint32_t)n;
	for (uint32_t i = 0; i < n; i++) {
		h->protos[i].proto = buf_u8(&b);
		h->protos[i].flows = bytes_get_varint(&b);
		h->protos[i].packets = bytes_get_varint(&b);
		h->protos[i].bytes = bytes_get_varint(&b);
	}
	return b.bad || buf_left(&b) ? -EIO : 0;
}

static int encode_columns(
	struct ints_coder *c,
	struct bytes *out,
	const uint64_t *columns,
	uint32_t n_columns,
	uint32_t n
)
{
	size_t start = out->len;
	bytes_u8(out, TABLE_VERSION);
	bytes_varint(out, n);
	for (uint32_t i = 0; i < n_columns; i++) {
		struct ints_spec spec = {.effort = INTS_SMALL};
		int ret = ints_encode(c, out, columns + (size_t)i * n, n, spec);
		if (ret < 0)
			return ret;
	}
	return finish(out, start);
}

// Column i starts at ret_columns + i * n.
static int decode_columns(
	struct ints_coder *c,
	struct slice value,
	uint64_t *ret_columns,
	uint32_t n_columns,
	uint32_t n_max
)
{
	struct buf b = checked(value);
	uint64_t n = bytes_get_varint(&b);
	if (b.bad || n == 0 || n > n_max)
		return -EIO;
	for (uint32_t i = 0; i < n_columns; i++) {
		int ret = ints_decode(c, &b, ret_columns + i * n, (uint32_t)n);
		if (ret < 0)
			return ret;
	}
	return b.bad || buf_left(&b) ? -EIO : (int)n;
}

static struct addr addr_of_halves(uint64_t hi, uint64_t lo)
{
	struct addr a;
	hi = htobe64(hi);
	lo = htobe64(lo);
	memcpy(a.b, &hi, 8);
	memcpy(a.b + 8, &lo, 8);
	return a;
}

int table_hosts_encode(
	struct ints_coder *c, const struct rollup_host *hosts, uint32_t n, struct bytes *out
)
{
	uint64_t *v = malloc((size_t)n * HOST_COLUMNS * sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		const struct rollup_host *h = &hosts[i];
		struct buf addr = buf_of(h->addr.b, 16);
		uint64_t row[HOST_COLUMNS] = {
			buf_u64(&addr),
			0,
			h->out_flows,
			h->out_packets,
			h->out_bytes,
			h->in_flows,
			h->in_packets,
			h->in_bytes,
			h->denied,
		};
		row[1] = buf_u64(&addr);
		for (size_t k = 0; k < HOST_COLUMNS; k++)
			v[k * n + i] = row[k];
	}
	int ret = encode_columns(c, out, v, HOST_COLUMNS, n);
	free(v);
	return ret;
}

int table_hosts_decode(
	struct ints_coder *c,
	struct slice value,
	struct rollup_host ret_hosts[static TABLE_HOSTS],
	uint32_t *ret_n
)
{
	uint64_t v[HOST_COLUMNS * TABLE_HOSTS];
	int n = decode_columns(c, value, v, HOST_COLUMNS, TABLE_HOSTS);
	for (int i = 0; i < n; i++) {
		ret_hosts[i] = (struct rollup_host){
			.addr = addr_of_halves(v[i], v[n + i]),
			.out_flows = v[2 * n + i],
			.out_packets = v[3 * n + i],
			.out_bytes = v[4 * n + i],
			.in_flows = v[5 * n + i],
			.in_packets = v[6 * n + i],
			.in_bytes = v[7 * n + i],
			.denied = v[8 * n + i],
		};
	}
	if (n < 0)
		return n;
	*ret_n = (uint32_t)n;
	return 0;
}

int table_index_encode(
	struct ints_coder *c, const struct rollup_host *hosts, uint32_t n, struct bytes *out
)
{
	uint64_t *v = malloc((size_t)n * 2 * sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		struct buf addr = buf_of(hosts[i].addr.b, 16);
		v[i] = buf_u64(&addr);
		v[n + i] = buf_u64(&addr);
	}
	int ret = encode_columns(c, out, v, 2, n);
	free(v);
	return ret;
}

int table_index_decode(
	struct ints_coder *c, struct slice value, bool is_hosts, struct table_index *ret_index
)
{
	struct buf b = checked(value);
	uint64_t n = bytes_get_varint(&b);
	if (b.bad || n == 0 || n > TABLE_INDEX)
		return -EIO;
	int ret = ints_decode(c, &b, ret_index->hi, (uint32_t)n);
	if (ret == 0)
		ret = ints_decode(c, &b, ret_index->lo, (uint32_t)n);
	if (ret < 0)
		return ret;
	ret_index->n = (uint32_t)n;
	return b.bad || (buf_left(&b) && !is_hosts) ? -EIO : 0;
}

int table_ports_encode(
	struct ints_coder *c, const struct rollup_port *ports, uint32_t n, struct bytes *out
)
{
	uint64_t *v = malloc((size_t)n * PORT_COLUMNS * sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		const struct rollup_port *p = &ports[i];
		v[i] = p->proto;
		v[n + i] = p->port;
		v[2 * (size_t)n + i] = p->flows;
		v[3 * (size_t)n + i] = p->packets;
		v[4 * (size_t)n + i] = p->bytes;
	}
	int ret = encode_columns(c, out, v, PORT_COLUMNS, n);
	free(v);
	return ret;
}

int table_ports_decode(
	struct ints_coder *c,
	struct slice value,
	struct rollup_port ret_ports[static TABLE_PORTS],
	uint32_t *ret_n
)
{
	uint64_t v[PORT_COLUMNS * TABLE_PORTS];
	int n = decode_columns(c, value, v, PORT_COLUMNS, TABLE_PORTS);
	for (int i = 0; i < n; i++) {
		ret_ports[i] = (struct rollup_port){
			.proto = (uint8_t)v[i],
			.port = (uint16_t)v[n + i],
			.flows = v[2 * n + i],
			.packets = v[3 * n + i],
			.bytes = v[4 * n + i],
		};
	}
	if (n < 0)
		return n;
	*ret_n = (uint32_t)n;
	return 0;
}
