// SPDX-License-Identifier: Apache-2.0
#include "lib/nfdump/reader.h"

#include "lib/base/clock.h"
#include "lib/nfdump/format.h"

#include <byteswap.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LAYOUT_1 1

struct exporter {
	struct addr addr;
	uint32_t domain;
	bool is_known;
};

struct nfdump_reader {
	int fd;
	struct nfdump_head head;
	struct nfdump_counts counts;
	uint64_t at, end;	 // of the next block; of the data blocks
	uint32_t n_blocks;	 // read
	uint8_t *packed, *plain; // of the block being read
	size_t packed_room, plain_room;
	const uint8_t *p, *p_end;   // what is left of it
	struct exporter *exporters; // by number
	uint32_t n_exporters;
};

// 1, or 0 when the file ends before, or -errno.
static int read_at(int fd, void *to, size_t len, uint64_t at)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(fd, (uint8_t *)to + done, len - done, (off_t)(at + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		done += (size_t)n;
	}
	return 1;
}

static int refuse(const char **ret_what, const char *what)
{
	*ret_what = what;
	return -EINVAL;
}

static int check_header(const uint8_t *h, const char **ret_what)
{
	uint16_t magic = nfdump_u16(h), layout = nfdump_u16(h + NFDUMP_AT_LAYOUT);
	if (magic == bswap_16(NFDUMP_MAGIC))
		return refuse(ret_what, "written on a machine of the other byte order");
	if (magic != NFDUMP_MAGIC)
		return refuse(ret_what, "not an nfdump file");
	if (layout == LAYOUT_1)
		return refuse(
			ret_what, "an nfdump 1.6 file: rewrite it with nfdump 1.7 (-r FILE -w FILE)"
		);
	if (layout != NFDUMP_LAYOUT)
		return refuse(ret_what, "an nfdump file of a layout that is not known");
	if (h[NFDUMP_AT_ENCRYPTION])
		return refuse(ret_what, "encrypted");
	if (h[NFDUMP_AT_COMPRESSION] >= NFDUMP_N_CODECS)
		return refuse(
			ret_what, "compressed in a way that nfdump 1.7.1 does not know (nfdump -J)"
		);
	return 0;
}

static int open_file(struct nfdump_reader *r, const char **ret_what)
{
	uint8_t h[NFDUMP_HEADER_LEN] = {};
	struct stat st;
	int ret = fstat(r->fd, &st) < 0 ? -errno : read_at(r->fd, h, sizeof(h), 0);
	if (ret < 0) {
		*ret_what = "cannot be read";
		return ret;
	}
	if (ret == 0)
		return refuse(ret_what, "too short for the header of an nfdump file");
	if ((ret = check_header(h, ret_what)) < 0)
		return ret;
	uint64_t size = (uint64_t)st.st_size, appendix = nfdump_u64(h + NFDUMP_AT_APPENDIX);
	r->head = (struct nfdump_head){
		.codec = (enum nfdump_codec)h[NFDUMP_AT_COMPRESSION],
		.version = nfdump_u32(h + NFDUMP_AT_VERSION),
		.created = nfdump_u64(h + NFDUMP_AT_CREATED),
		.n_blocks = nfdump_u32(h + NFDUMP_AT_BLOCKS),
		.is_open = !nfdump_u16(h + NFDUMP_AT_APPENDICES),
	};
	r->at = NFDUMP_HEADER_LEN;
	r->end = !r->head.is_open && appendix >= r->at && appendix < size ? appendix : size;
	return 0;
}

int nfdump_reader_open(int fd, struct nfdump_reader **ret_reader, const char **ret_what)
{
	struct nfdump_reader *r = calloc(1, sizeof(*r));
	if (!r) {
		*ret_what = "out of memory";
		return -ENOMEM;
	}
	r->fd = fd;
	int ret = open_file(r, ret_what);
	if (ret < 0) {
		nfdump_reader_close(r);
		return ret;
	}
	*ret_reader = r;
	return 0;
}

void nfdump_reader_close(struct nfdump_reader *r)
{
	if (!r)
		return;
	free(r->packed);
	free(r->plain);
	free(r->exporters);
	free(r);
}

// Memory of at least `len` bytes; what was in it is lost.
static int make_room(uint8_t **p, size_t *room, size_t len)
{
	if (*room >= len)
		return 0;
	uint8_t *more = malloc(len);
	if (!more)
		return -ENOMEM;
	free(*p);
	*p = more;
	*room = len;
	return 0;
}

// The most that `len` bytes can have been: LZO and LZ4 say at most 255 bytes with one.
static size_t plain_max(enum nfdump_codec codec, size_t len)
{
	size_t most = codec == NFDUMP_BZ2 ? NFDUMP_BLOCK_MAX : 256 * len + 4096;
	return most < NFDUMP_BLOCK_MAX ? most : NFDUMP_BLOCK_MAX;
}

// Decompresses the block. 1, 0 when it is damaged, or -errno.
static int unpack(struct nfdump_reader *r, size_t len, bool is_plain)
{
	int64_t n = (int64_t)len;
	r->p = r->packed;
	if (!is_plain && r->head.codec != NFDUMP_NONE) {
		size_t room = plain_max(r->head.codec, len);
		int ret = make_room(&r->plain, &r->plain_room, room);
		if (ret < 0)
			return ret;
		n = nfdump_codec_decompress(r->head.codec, r->packed, len, r->plain, room);
		r->p = r->plain;
	}
	if (n == -ENOMEM)
		return -ENOMEM;
	r->p_end = r->p + (n > 0 ? n : 0);
	return n > 0;
}

// How many blocks the header tells of that are not there.
static void count_missing(struct nfdump_reader *r)
{
	if (!r->head.is_open && r->n_blocks < r->head.n_blocks)
		r->counts.missing_blocks += r->head.n_blocks - r->n_blocks;
	else if (r->at < r->end)
		r->counts.missing_blocks++; // a part of one
	r->at = r->end;
}

// Reads the header and bytes of the block at r->at. 1, 0 when it is not there as a whole, or
// -errno.
static int read_block(struct nfdump_reader *r, uint8_t *h, uint32_t *ret_len)
{
	uint64_t left = r->end - r->at;
	int ret = left < NFDUMP_BLOCK_HEADER_LEN
			  ? 0
			  : read_at(r->fd, h, NFDUMP_BLOCK_HEADER_LEN, r->at);
	if (ret <= 0)
		return ret;
	uint32_t len = nfdump_u32(h + 4);
	if (len > NFDUMP_BLOCK_MAX || len > left - NFDUMP_BLOCK_HEADER_LEN)
		return 0;
	ret = make_room(&r->packed, &r->packed_room, len + 1);
	if (ret < 0)
		return ret;
	*ret_len = len;
	return read_at(r->fd, r->packed, len, r->at + NFDUMP_BLOCK_HEADER_LEN);
}

// Moves to the next block: 1 with its bytes at r->p (none when it is to be passed over), 0 at the
// end, or -errno.
static int next_block(struct nfdump_reader *r)
{
	uint8_t h[NFDUMP_BLOCK_HEADER_LEN];
	uint32_t len = 0;
	r->p = r->p_end = NULL;
	if (!r->head.is_open && r->n_blocks == r->head.n_blocks)
		return 0;
	int ret = read_block(r, h, &len);
	if (ret == 0)
		count_missing(r);
	if (ret <= 0)
		return ret;
	r->at += sizeof(h) + len;
	r->n_blocks++;
	uint16_t type = nfdump_u16(h + 8), flags = nfdump_u16(h + 10);
	if (type == NFDUMP_BLOCK_ARRAY) {
		r->counts.array_blocks++;
		return 1;
	}
	ret = type == NFDUMP_BLOCK_RECORDS ? unpack(r, len, flags & NFDUMP_BLOCK_UNCOMPRESSED) : 0;
	if (ret < 0)
		return ret;
	r->counts.bad_blocks += ret == 0;
	return 1;
}

// Remembers who an exporter number stands for. 0, or -ENOMEM.
static int take_exporter(struct nfdump_reader *r, const uint8_t *p, size_t len)
{
	if (len < NFDUMP_EXPORTER_LEN) {
		r->counts.bad_records++;
		return 0;
	}
	uint16_t number = nfdump_u16(p + 26);
	if (number >= r->n_exporters) {
		uint32_t n = number + 1u;
		struct exporter *all = reallocarray(r->exporters, n, sizeof(*all));
		if (!all)
			return -ENOMEM;
		memset(all + r->n_exporters, 0, (n - r->n_exporters) * sizeof(*all));
		r->exporters = all;
		r->n_exporters = n;
	}
	uint64_t be[2] = {htobe64(nfdump_u64(p + 8)), htobe64(nfdump_u64(p + 16))};
	uint32_t be4 = htobe32(nfdump_u32(p + 16));
	bool is_v4 = nfdump_u16(p + 24) == 2; // AF_INET
	r->exporters[number] = (struct exporter){
		.addr = is_v4 ? addr_of_v4(&be4) : addr_of_v6(be),
		.domain = nfdump_u32(p + 28),
		.is_known = true,
	};
	return 0;
}

// What the exporter record adds to a flow record.
static void
complete(const struct nfdump_reader *r, const struct nfdump_origin *origin, struct record *record)
{
	if (origin->exporter >= r->n_exporters || !r->exporters[origin->exporter].is_known)
		return;
	const struct exporter *e = &r->exporters[origin->exporter];
	if (!(record->set & RECORD_BIT(exporter)))
		RECORD_SET(record, exporter, e->addr);
	if (!origin->has_domain && e->domain)
		RECORD_SET(record, domain, e->domain);
}

// The next record of the block: 1 when it is a flow, 0 when not, or -ENOMEM.
static int next_record(struct nfdump_reader *r, struct record *ret_record)
{
	size_t left = (size_t)(r->p_end - r->p);
	uint16_t type = left >= 4 ? nfdump_u16(r->p) : 0,
		 len = left >= 4 ? nfdump_u16(r->p + 2) : 0;
	if (len < 4 || len > left) { // where the next one begins is not known
		r->counts.bad_blocks++;
		r->p = r->p_end;
		return 0;
	}
	const uint8_t *p = r->p;
	r->p += len;
	if (type != NFDUMP_RECORD_FLOW) {
		r->counts.other_records++;
		return type == NFDUMP_RECORD_EXPORTER ? take_exporter(r, p, len) : 0;
	}
	struct nfdump_origin origin;
	if (nfdump_record_decode(p, len, ret_record, &origin, r->counts.left) < 0) {
		r->counts.bad_records++;
		return 0;
	}
	complete(r, &origin, ret_record);
	r->counts.flows++;
	return 1;
}

int nfdump_reader_next(struct nfdump_reader *r, struct record *ret_record)
{
	for (;;) {
		while (r->p < r->p_end) {
			int ret = next_record(r, ret_record);
			if (ret != 0)
				return ret;
		}
		int ret = next_block(r);
		if (ret <= 0)
			return ret;
	}
}

const struct nfdump_counts *nfdump_reader_counts(const struct nfdump_reader *r)
{
	return &r->counts;
}

const struct nfdump_head *nfdump_reader_head(const struct nfdump_reader *r)
{
	return &r->head;
}

uint64_t nfdump_reader_place(const struct nfdump_reader *r)
{
	return r->at;
}
