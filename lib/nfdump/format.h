// SPDX-License-Identifier: Apache-2.0
#pragma once

// The numbers of nfdump 1.7 files, "layout 2". Everything is in the byte order of the machine that
// wrote it; the magic number tells the two orders apart. A file is a header, data blocks, and an
// appendix block with the file's name and sums. A block is a header and records, all of them
// compressed as one piece; a flow record is a header and elements, each with type and length.
//
//   file header   magic u16, layout u16, version u32, created s64, compression u8, encryption u8,
//                 appendix blocks u16, creator u32, appendix at s64, block size u32, blocks u32
//   block header  records u32, length u32, type u16, flags u16
//   flow record   type u16, length u16, elements u16, engine type u8, engine id u8, exporter u16,
//                 flags u8, version u8
//   element       type u16, length u16 (with these four bytes)
// Thread: any.

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define NFDUMP_MAGIC 0xa50c
#define NFDUMP_LAYOUT 2
#define NFDUMP_VERSION 0x01070100 // 1.7.1, whose elements we write
#define NFDUMP_HEADER_LEN 40
#define NFDUMP_BLOCK_HEADER_LEN 12
#define NFDUMP_RECORD_HEADER_LEN 12
#define NFDUMP_ELEMENT_HEADER_LEN 4
#define NFDUMP_EXPORTER_LEN 32
#define NFDUMP_STAT_LEN 144u	    // 18 numbers of 8 bytes
#define NFDUMP_BLOCK_MAX (8u << 20) // nfdump's own buffers are 5 MiB
#define NFDUMP_WRITE_LEN (1u << 20) // nfcapd 1.7.1 ends a block here

enum nfdump_block_type { NFDUMP_BLOCK_RECORDS = 3, NFDUMP_BLOCK_ARRAY = 4 };

#define NFDUMP_BLOCK_UNCOMPRESSED 1 // a flag: whatever the file's header says

enum nfdump_record_type {
	NFDUMP_RECORD_EXPORTER = 7,
	NFDUMP_RECORD_FLOW = 11,
	NFDUMP_RECORD_IDENT = 0x8001,
	NFDUMP_RECORD_STAT = 0x8002,
};

// Offsets within the file's header.
enum {
	NFDUMP_AT_LAYOUT = 2,
	NFDUMP_AT_VERSION = 4,
	NFDUMP_AT_CREATED = 8,
	NFDUMP_AT_COMPRESSION = 16,
	NFDUMP_AT_ENCRYPTION = 17,
	NFDUMP_AT_APPENDICES = 18,
	NFDUMP_AT_APPENDIX = 24,
	NFDUMP_AT_BLOCKS = 36,
};

static inline uint16_t nfdump_u16(const uint8_t *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t nfdump_u32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t nfdump_u64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static inline void nfdump_put_u16(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
}

static inline void nfdump_put_u32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

static inline void nfdump_put_u64(uint8_t *p, uint64_t v)
{
	memcpy(p, &v, sizeof(v));
}
