// SPDX-License-Identifier: Apache-2.0
#include "sensor/packet/capture.h"

#include <byteswap.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_LEN (64 << 10)
#define LINKTYPE_ETHERNET 1
#define PACKET_LEN_MAX (256 << 10) // libpcap's MAXIMUM_SNAPLEN for Ethernet
#define BLOCK_LEN_MAX (16 << 20)   // libpcap's limit of a pcapng block

#define MAGIC_USEC 0xa1b2c3d4u
#define MAGIC_NSEC 0xa1b23c4du
#define MAGIC_PCAPNG 0x0a0d0d0au // also the type of a section header block
#define PCAPNG_ORDER 0x1a2b3c4du

enum pcapng_block {
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 2, // obsolete
	BLOCK_SIMPLE = 3,
	BLOCK_ENHANCED = 6,
};

struct reader {
	int fd;
	int error;
	bool swap;
	size_t at, len;
	uint8_t *data; // READ_LEN bytes
};

static bool refill(struct reader *r)
{
	ssize_t n;
	do
		n = read(r->fd, r->data, READ_LEN);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		r->error = -errno;
	r->at = 0;
	r->len = n > 0 ? (size_t)n : 0;
	return n > 0;
}

// Copies (dst may be NULL) the next n bytes; false when the file ends before.
static bool next(struct reader *r, void *dst, size_t n)
{
	uint8_t *to = dst;
	while (n > 0) {
		if (r->at == r->len && !refill(r))
			return false;
		size_t part = r->len - r->at < n ? r->len - r->at : n;
		if (to) {
			memcpy(to, r->data + r->at, part);
			to += part;
		}
		r->at += part;
		n -= part;
	}
	return true;
}

static bool at_end(struct reader *r)
{
	return r->at == r->len && !refill(r);
}

static uint32_t order(const struct reader *r, uint32_t v)
{
	return r->swap ? bswap_32(v) : v;
}

static int scan_pcap(struct reader *r, struct capture_info *info, const char **ret_what)
{
	uint32_t head[5], packet[4];
	if (!next(r, head, sizeof(head))) {
		*ret_what = "the file ends within its header";
		return -EINVAL;
	}
	if ((order(r, head[4]) & 0xffff) != LINKTYPE_ETHERNET) {
		*ret_what = "its link type is not Ethernet";
		return -EINVAL;
	}
	while (!at_end(r)) {
		uint32_t len;
		// a length out of all bounds ends the walk as it ends libpcap's
		if (!next(r, packet, sizeof(packet)) ||
		    (len = order(r, packet[2])) > PACKET_LEN_MAX || !next(r, NULL, len)) {
			info->truncated = true;
			break;
		}
		info->n_packets++;
	}
	return 0;
}

// A section header after its type: sets the byte order. The rest of the block is skipped by it.
static bool section_header(struct reader *r)
{
	uint32_t head[2]; // length, byte-order magic
	if (!next(r, head, sizeof(head)))
		return false;
	r->swap = head[1] == bswap_32(PCAPNG_ORDER);
	uint32_t len = order(r, head[0]);
	if ((!r->swap && head[1] != PCAPNG_ORDER) || len < 28 || len > BLOCK_LEN_MAX)
		return false;
	return next(r, NULL, len - 12);
}

// Any other block after its type; -EINVAL for one that cannot be replayed.
static int block(struct reader *r, uint32_t type, struct capture_info *info, const char **ret_what)
{
	uint32_t len, link;
	size_t taken = 8;
	if (!next(r, &len, sizeof(len)))
		goto cut;
	len = order(r, len);
	if (len < 12 || len > BLOCK_LEN_MAX)
		goto cut;
	if (type == BLOCK_INTERFACE && len >= 16) {
		if (!next(r, &link, sizeof(link)))
			goto cut;
		taken += sizeof(link);
		uint16_t linktype;
		memcpy(&linktype, &link, sizeof(linktype));
		if ((r->swap ? bswap_16(linktype) : linktype) != LINKTYPE_ETHERNET) {
			*ret_what = "the link type of an interface in it is not Ethernet";
			return -EINVAL;
		}
	}
	if (!next(r, NULL, len - taken))
		goto cut;
	info->n_packets += type == BLOCK_PACKET || type == BLOCK_SIMPLE || type == BLOCK_ENHANCED;
	return 0;
cut:
	info->truncated = true;
	return 0;
}

static int scan_pcapng(struct reader *r, struct capture_info *info, const char **ret_what)
{
	if (!section_header(r)) {
		*ret_what = "the file ends within its header";
		return -EINVAL;
	}
	while (!info->truncated && !at_end(r)) {
		uint32_t type;
		if (!next(r, &type, sizeof(type))) {
			info->truncated = true;
		} else if (type == MAGIC_PCAPNG) { // the same in both byte orders
			info->truncated = !section_header(r);
		} else {
			int ret = block(r, order(r, type), info, ret_what);
			if (ret < 0)
				return ret;
		}
	}
	return 0;
}

static int scan(struct reader *r, struct capture_info *info, const char **ret_what)
{
	uint32_t magic;
	if (at_end(r)) {
		*ret_what = r->error ? "cannot be read" : "the file is empty";
		return r->error ? r->error : -EINVAL;
	}
	if (!next(r, &magic, sizeof(magic))) {
		*ret_what = "the file is too short to be a capture";
		return -EINVAL;
	}
	if (magic == MAGIC_PCAPNG)
		return scan_pcapng(r, info, ret_what);
	r->swap = magic == bswap_32(MAGIC_USEC) || magic == bswap_32(MAGIC_NSEC);
	magic = order(r, magic);
	if (magic != MAGIC_USEC && magic != MAGIC_NSEC) {
		*ret_what = "neither a pcap nor a pcapng file";
		return -EINVAL;
	}
	info->nanoseconds = magic == MAGIC_NSEC;
	return scan_pcap(r, info, ret_what);
}

int capture_scan(int fd, struct capture_info *ret_info, const char **ret_what)
{
	struct capture_info info = {};
	struct reader r = {.fd = fd, .data = malloc(READ_LEN)};
	if (!r.data) {
		*ret_what = "out of memory";
		return -ENOMEM;
	}
	int ret = scan(&r, &info, ret_what);
	if (ret == 0 && r.error) {
		*ret_what = "cannot be read";
		ret = r.error;
	}
	free(r.data);
	if (ret == 0)
		*ret_info = info;
	return ret;
}
