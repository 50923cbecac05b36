// SPDX-License-Identifier: Apache-2.0
#include "lib/nfdump/writer.h"

#include "lib/base/clock.h"
#include "lib/nfdump/format.h"
#include "lib/nfdump/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define EXPORTERS_MAX 4096 // told apart; those beyond have no number

// The sums at the end of a file, in their order there.
struct stat_record {
	uint64_t flows, bytes, packets;
	uint64_t flows_by[4], bytes_by[4], packets_by[4]; // TCP, UDP, ICMP, others
	uint64_t first_ms, last_ms;
	uint64_t sequence_failures;
};
static_assert(sizeof(struct stat_record) == NFDUMP_STAT_LEN, "written as it is");

struct exporter {
	struct addr addr;
	uint32_t domain;
};

struct nfdump_writer {
	int fd;
	enum nfdump_codec codec;
	uint64_t created, at;
	uint32_t n_blocks;
	uint32_t n_records; // in the block
	size_t len;	    // bytes of it
	struct stat_record stat;
	uint32_t n_exporters;
	uint32_t last; // exporter of the last record: the number, 0 none
	struct exporter exporters[EXPORTERS_MAX];
	char ident[NFDUMP_IDENT_LEN];
	uint8_t *packed; // block header and compressed bytes
	uint8_t plain[NFDUMP_BLOCK_HEADER_LEN + NFDUMP_WRITE_LEN];
};

static int write_all(int fd, const uint8_t *p, size_t len, uint64_t at)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, p, len, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int nfdump_writer_open(
	int fd, enum nfdump_codec codec, const char *ident, struct nfdump_writer **ret_writer
)
{
	struct nfdump_writer *w = calloc(1, sizeof(*w));
	uint8_t *packed = malloc(NFDUMP_BLOCK_HEADER_LEN + nfdump_codec_bound(NFDUMP_WRITE_LEN));
	if (!w || !packed) {
		free(packed);
		free(w);
		return -ENOMEM;
	}
	w->fd = fd;
	w->codec = codec;
	w->created = clock_now_ns() / NS_PER_SEC;
	w->packed = packed;
	w->at = NFDUMP_HEADER_LEN;
	w->stat.first_ms = INT64_MAX; // as nfcapd has it before the first flow
	size_t len = strnlen(ident, sizeof(w->ident) - 1);
	memcpy(w->ident, ident, len);
	*ret_writer = w;
	return 0;
}

void nfdump_writer_abandon(struct nfdump_writer *w)
{
	if (!w)
		return;
	free(w->packed);
	free(w);
}

// Compresses and writes the block being filled.
static int write_block(struct nfdump_writer *w)
{
	if (w->n_records == 0)
		return 0;
	uint8_t *h = w->packed;
	int64_t n = nfdump_codec_compress(
		w->codec,
		w->plain + NFDUMP_BLOCK_HEADER_LEN,
		w->len,
		w->packed + NFDUMP_BLOCK_HEADER_LEN
	);
	if (n < 0)
		return (int)n;
	nfdump_put_u32(h, w->n_records);
	nfdump_put_u32(h + 4, (uint32_t)n);
	nfdump_put_u16(h + 8, NFDUMP_BLOCK_RECORDS);
	nfdump_put_u16(h + 10, 0);
	size_t len = NFDUMP_BLOCK_HEADER_LEN + (size_t)n;
	int ret = write_all(w->fd, w->packed, len, w->at);
	w->at += len;
	w->n_records = 0;
	w->len = 0;
	return ret;
}

// Room for a record at the block's end, after the block was written when it was full.
static uint8_t *record_room(struct nfdump_writer *w, int *ret)
{
	*ret = 0;
	if (NFDUMP_WRITE_LEN - w->len < NFDUMP_RECORD_MAX) {
		*ret = write_block(w);
		w->n_blocks++;
	}
	return w->plain + NFDUMP_BLOCK_HEADER_LEN + w->len;
}

static void record_end(struct nfdump_writer *w, size_t len)
{
	w->len += len;
	w->n_records++;
}

// A record that tells whom an exporter's number stands for.
static int put_exporter(struct nfdump_writer *w, const struct exporter *e, uint16_t number)
{
	int ret;
	uint8_t *p = record_room(w, &ret);
	uint64_t be[2];
	uint32_t be4;
	bool is_v4 = addr_is_v4(&e->addr);
	memcpy(be, e->addr.b, sizeof(be));
	memcpy(&be4, e->addr.b + 12, sizeof(be4));
	memset(p, 0, NFDUMP_EXPORTER_LEN);
	nfdump_put_u16(p, NFDUMP_RECORD_EXPORTER);
	nfdump_put_u16(p + 2, NFDUMP_EXPORTER_LEN);
	if (is_v4) {
		nfdump_put_u32(p + 16, be32toh(be4));
	} else {
		nfdump_put_u64(p + 8, be64toh(be[0]));
		nfdump_put_u64(p + 16, be64toh(be[1]));
	}
	nfdump_put_u16(p + 24, is_v4 ? 2 : 10); // AF_INET, AF_INET6 of Linux
	nfdump_put_u16(p + 26, number);
	nfdump_put_u32(p + 28, e->domain);
	record_end(w, NFDUMP_EXPORTER_LEN);
	return ret;
}

static bool is_exporter(const struct exporter *e, const struct record *r)
{
	return e->domain == r->domain && addr_eq(&e->addr, &r->exporter);
}

// The number of the record's exporter, which is told to the file when it is new; 0 for none.
static int exporter_of(struct nfdump_writer *w, const struct record *r, uint16_t *ret_number)
{
	static const struct addr none;
	*ret_number = 0;
	if (addr_eq(&r->exporter, &none))
		return 0;
	if (!w->last || !is_exporter(&w->exporters[w->last - 1], r)) {
		uint32_t i = 0;
		while (i < w->n_exporters && !is_exporter(&w->exporters[i], r))
			i++;
		if (i == EXPORTERS_MAX)
			return 0;
		w->last = i + 1;
	}
	*ret_number = (uint16_t)w->last;
	if (w->last <= w->n_exporters)
		return 0;
	struct exporter *e = &w->exporters[w->n_exporters++];
	*e = (struct exporter){.addr = r->exporter, .domain = r->domain};
	return put_exporter(w, e, *ret_number);
}

// Which of the four kinds of the sums a protocol is of.
static unsigned kind_of(uint8_t proto)
{
	switch (proto) {
	case 6:
		return 0;
	case 17:
		return 1;
	case 1:
	case 58:
		return 2;
	default:
		return 3;
	}
}

// nfdump's sums count the forward direction only.
static void count(struct stat_record *s, const struct record *r)
{
	unsigned kind = kind_of(r->proto);
	uint64_t first_ms = r->start_ns / NS_PER_MSEC, last_ms = r->end_ns / NS_PER_MSEC;
	s->flows++;
	s->bytes += r->bytes;
	s->packets += r->packets;
	s->flows_by[kind]++;
	s->bytes_by[kind] += r->bytes;
	s->packets_by[kind] += r->packets;
	s->first_ms = first_ms < s->first_ms ? first_ms : s->first_ms;
	s->last_ms = last_ms > s->last_ms ? last_ms : s->last_ms;
}

int nfdump_writer_add(struct nfdump_writer *w, const struct record *r)
{
	uint16_t exporter;
	int ret = exporter_of(w, r, &exporter);
	if (ret < 0)
		return ret;
	uint8_t *p = record_room(w, &ret);
	record_end(w, nfdump_record_encode(r, exporter, p));
	count(&w->stat, r);
	return ret;
}

static int write_appendix(struct nfdump_writer *w)
{
	uint8_t *p = w->plain + NFDUMP_BLOCK_HEADER_LEN;
	size_t ident = 4 + strlen(w->ident) + 1;
	nfdump_put_u16(p, NFDUMP_RECORD_IDENT);
	nfdump_put_u16(p + 2, (uint16_t)ident);
	memcpy(p + 4, w->ident, ident - 4);
	record_end(w, ident);
	p += ident;
	nfdump_put_u16(p, NFDUMP_RECORD_STAT);
	nfdump_put_u16(p + 2, 4 + NFDUMP_STAT_LEN);
	memcpy(p + 4, &w->stat, NFDUMP_STAT_LEN);
	record_end(w, 4 + NFDUMP_STAT_LEN);
	return write_block(w);
}

static int write_header(const struct nfdump_writer *w, uint64_t appendix_at)
{
	uint8_t h[NFDUMP_HEADER_LEN] = {};
	nfdump_put_u16(h, NFDUMP_MAGIC);
	nfdump_put_u16(h + NFDUMP_AT_LAYOUT, NFDUMP_LAYOUT);
	nfdump_put_u32(h + NFDUMP_AT_VERSION, NFDUMP_VERSION);
	nfdump_put_u64(h + NFDUMP_AT_CREATED, w->created);
	h[NFDUMP_AT_COMPRESSION] = (uint8_t)w->codec;
	nfdump_put_u16(h + NFDUMP_AT_APPENDICES, 1);
	nfdump_put_u64(h + NFDUMP_AT_APPENDIX, appendix_at);
	nfdump_put_u32(h + NFDUMP_AT_BLOCKS, w->n_blocks);
	return write_all(w->fd, h, sizeof(h), 0);
}

static int finish(struct nfdump_writer *w)
{
	w->n_blocks += w->n_records > 0;
	int ret = write_block(w);
	uint64_t appendix_at = w->at;
	if (ret == 0)
		ret = write_appendix(w);
	return ret == 0 ? write_header(w, appendix_at) : ret;
}

int nfdump_writer_close(struct nfdump_writer *w)
{
	int ret = finish(w);
	nfdump_writer_abandon(w);
	return ret;
}
