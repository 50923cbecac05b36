// SPDX-License-Identifier: Apache-2.0
#pragma once

// Random rows for the store's tests, from a fixed sequence, and throw-away folders.

#include "lib/base/clock.h"
#include "lib/record/batch.h"
#include "tests/unit/cmocka.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __SANITIZE_THREAD__
// What is not instrumented: the sanitizer sees RocksDB's memory, but not its locks.
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "called_from_lib:librocksdb\n"
	       "called_from_lib:libstdc++\n"
	       "called_from_lib:liblz4\n"
	       "called_from_lib:libzstd\n";
}
#endif

#define ROWS_HOUR 490000u // some hour of 2025

static uint64_t rows_state = 0x9e3779b97f4a7c15;

static inline uint64_t rows_random(void)
{
	rows_state ^= rows_state << 13;
	rows_state ^= rows_state >> 7;
	rows_state ^= rows_state << 17;
	return rows_state;
}

static inline uint64_t rows_below(uint64_t n)
{
	return rows_random() % n;
}

static inline struct addr rows_addr(void)
{
	uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8};
	uint8_t v4[4] = {10, 0, (uint8_t)rows_below(2), (uint8_t)rows_below(200)};
	if (rows_below(4))
		return addr_of_v4(v4);
	v6[15] = (uint8_t)rows_below(100);
	v6[5] = (uint8_t)rows_below(3);
	return addr_of_v6(v6);
}

// A plausible flow that starts somewhere in the hour.
static inline struct record rows_record(uint32_t hour)
{
	static const uint8_t protos[] = {6, 6, 6, 17, 17, 1, 58, 132, 33, 136, 47};
	static const char *const names[] = {"www.example.net", "mail.example.org", "a", ""};
	struct record r = {0};
	const char *name = names[rows_below(4)];
	RECORD_SET(&r, start_ns, (uint64_t)hour * NS_PER_HOUR + rows_below(NS_PER_HOUR));
	RECORD_SET(&r, end_ns, r.start_ns + rows_below(60) * NS_PER_SEC);
	RECORD_SET(&r, recv_ns, r.end_ns + rows_below(NS_PER_SEC));
	RECORD_SET(&r, src, rows_addr());
	RECORD_SET(&r, dst, rows_addr());
	RECORD_SET(&r, proto, protos[rows_below(sizeof(protos))]);
	RECORD_SET(&r, sport, (uint16_t)rows_random());
	RECORD_SET(&r, dport, (uint16_t)(rows_below(3) ? 443 : rows_below(3000)));
	RECORD_SET(&r, packets, 1 + rows_below(100));
	RECORD_SET(&r, bytes, r.packets * (40 + rows_below(1400)));
	RECORD_SET(&r, rev_packets, rows_below(2) ? rows_below(50) : 0);
	RECORD_SET(&r, rev_bytes, r.rev_packets * 100);
	RECORD_SET(&r, tcp_flags, (uint16_t)(rows_below(4) ? 0x1b : 0x14));
	RECORD_SET(&r, verdict, (uint8_t)record_verdict(&r));
	RECORD_SET(&r, server_name, ((struct record_str){name, (uint16_t)strlen(name)}));
	return r;
}

static inline struct record_batch *rows_batch(uint16_t entity, uint32_t hour, uint32_t n)
{
	struct record_batch *b = record_batch_create(n);
	assert_non_null(b);
	b->entity = entity;
	for (uint32_t i = 0; i < n; i++) {
		struct record r = rows_record(hour);
		assert_int_equal(record_batch_add(b, &r), 0);
	}
	return b;
}

static inline int rows_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

// In memory where that can be: tests commit often, and each commit waits for the disk.
static inline void rows_dir(char path[static 64])
{
	static const char in_memory[] = "/dev/shm/weir-store-XXXXXX";
	static const char on_disk[] = "/tmp/weir-store-XXXXXX";
	memcpy(path, in_memory, sizeof(in_memory));
	if (mkdtemp(path))
		return;
	memcpy(path, on_disk, sizeof(on_disk));
	assert_non_null(mkdtemp(path));
}

static inline void rows_dir_remove(const char *path)
{
	nftw(path, rows_remove, 16, FTW_DEPTH | FTW_PHYS);
}
