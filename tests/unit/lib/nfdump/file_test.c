// SPDX-License-Identifier: Apache-2.0

// The reader and the writer, through files.

#include "lib/base/clock.h"
#include "lib/nfdump/format.h"
#include "lib/nfdump/reader.h"
#include "lib/nfdump/writer.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define AT (1700000000 * NS_PER_SEC)
#define ROWS 20000 // more than one block

static struct record row(uint32_t i)
{
	struct record r = {};
	uint32_t be = htobe32(0x0a000000 + i);
	RECORD_SET(&r, start_ns, AT + i * NS_PER_MSEC);
	RECORD_SET(&r, end_ns, AT + (i + 5) * NS_PER_MSEC);
	RECORD_SET(&r, src, addr_of_v4(&be));
	RECORD_SET(&r, dst, addr_of_v4("\xc0\0\2\1"));
	RECORD_SET(&r, proto, i % 3 == 0 ? 6 : i % 3 == 1 ? 17 : 1);
	RECORD_SET(&r, packets, i + 1);
	RECORD_SET(&r, bytes, 100ull * i + 40);
	RECORD_SET(&r, exporter, addr_of_v4(i % 2 ? "\xc0\0\2\x9" : "\xc0\0\2\x8"));
	RECORD_SET(&r, domain, i % 2 ? 7 : 300000);
	return r;
}

static int write_rows(enum nfdump_codec codec, uint32_t n)
{
	struct nfdump_writer *w;
	int fd = memfd_create("nfdump", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(nfdump_writer_open(fd, codec, "a name", &w), 0);
	for (uint32_t i = 0; i < n; i++) {
		struct record r = row(i);
		assert_int_equal(nfdump_writer_add(w, &r), 0);
	}
	assert_int_equal(nfdump_writer_close(w), 0);
	return fd;
}

static struct nfdump_reader *open_file(int fd)
{
	struct nfdump_reader *r = NULL;
	const char *what = NULL;
	assert_int_equal(nfdump_reader_open(fd, &r, &what), 0);
	return r;
}

// Reads to the end; the number of flows, the counts in *ret.
static uint64_t read_all(int fd, struct nfdump_counts *ret)
{
	struct nfdump_reader *reader = open_file(fd);
	struct record r;
	int more;
	while ((more = nfdump_reader_next(reader, &r)) > 0)
		;
	assert_int_equal(more, 0);
	*ret = *nfdump_reader_counts(reader);
	nfdump_reader_close(reader);
	return ret->flows;
}

static void rows_survive_in_every_compression(void **)
{
	for (int c = 0; c < NFDUMP_N_CODECS; c++) {
		int fd = write_rows((enum nfdump_codec)c, ROWS);
		struct nfdump_reader *reader = open_file(fd);
		const struct nfdump_head *head = nfdump_reader_head(reader);
		assert_int_equal(head->codec, c);
		assert_true(head->n_blocks > 1 && !head->is_open);
		for (uint32_t i = 0; i < ROWS; i++) {
			struct record want = row(i), got;
			assert_int_equal(nfdump_reader_next(reader, &got), 1);
			assert_true(got.start_ns == want.start_ns && got.bytes == want.bytes);
			assert_memory_equal(&got.src, &want.src, sizeof(got.src));
			assert_memory_equal(&got.exporter, &want.exporter, sizeof(got.src));
			assert_int_equal(got.domain, want.domain);
		}
		struct record none;
		assert_int_equal(nfdump_reader_next(reader, &none), 0);
		assert_int_equal(nfdump_reader_next(reader, &none), 0); // and stays there
		const struct nfdump_counts *n = nfdump_reader_counts(reader);
		assert_int_equal(n->flows, ROWS);
		assert_int_equal(n->other_records, 2); // the exporters
		assert_int_equal(n->bad_blocks + n->bad_records + n->missing_blocks, 0);
		nfdump_reader_close(reader);
		close(fd);
	}
}

static void a_file_without_flows_is_whole(void **)
{
	struct nfdump_counts n;
	int fd = write_rows(NFDUMP_LZ4, 0);
	assert_int_equal(read_all(fd, &n), 0);
	assert_int_equal(n.bad_blocks + n.missing_blocks, 0);
	close(fd);
}

static void the_appendix_has_name_and_sums(void **)
{
	uint8_t h[NFDUMP_HEADER_LEN], p[256];
	int fd = write_rows(NFDUMP_NONE, 300);
	assert_int_equal(pread(fd, h, sizeof(h), 0), sizeof(h));
	off_t at = (off_t)nfdump_u64(h + NFDUMP_AT_APPENDIX);
	ssize_t len = pread(fd, p, sizeof(p), at);
	assert_true(len == 12 + 4 + 7 + 4 + NFDUMP_STAT_LEN);
	assert_int_equal(nfdump_u32(p), 2);
	assert_int_equal(nfdump_u16(p + 12), NFDUMP_RECORD_IDENT);
	assert_string_equal((char *)p + 16, "a name");
	const uint8_t *sums = p + 12 + 4 + 7 + 4;
	uint64_t packets = 300 * 301 / 2, bytes = 100ull * (299 * 300 / 2) + 40 * 300;
	assert_int_equal(nfdump_u64(sums), 300);
	assert_int_equal(nfdump_u64(sums + 8), bytes);
	assert_int_equal(nfdump_u64(sums + 16), packets);
	assert_int_equal(nfdump_u64(sums + 24), 100);	   // TCP
	assert_int_equal(nfdump_u64(sums + 24 + 16), 100); // ICMP
	assert_true(nfdump_u64(sums + 120) == AT / NS_PER_MSEC);
	assert_true(nfdump_u64(sums + 128) == AT / NS_PER_MSEC + 304);
	close(fd);
}

static void a_cut_file_gives_its_whole_blocks(void **)
{
	int fd = write_rows(NFDUMP_NONE, ROWS);
	struct nfdump_counts n;
	off_t size = lseek(fd, 0, SEEK_END);
	uint64_t before = ROWS;
	for (off_t len = size - 1; len > NFDUMP_HEADER_LEN; len -= size / 13) {
		assert_int_equal(ftruncate(fd, len), 0);
		uint64_t flows = read_all(fd, &n);
		assert_true(flows <= before);
		assert_true(flows == ROWS || n.missing_blocks > 0);
		before = flows;
	}
	close(fd);
}

static void a_damaged_block_is_passed_over(void **)
{
	uint8_t noise[64];
	struct nfdump_counts n;
	memset(noise, 0xff, sizeof(noise));
	for (int c = NFDUMP_LZO; c < NFDUMP_N_CODECS; c++) {
		int fd = write_rows((enum nfdump_codec)c, ROWS);
		off_t at = NFDUMP_HEADER_LEN + NFDUMP_BLOCK_HEADER_LEN;
		assert_int_equal(pwrite(fd, noise, sizeof(noise), at), sizeof(noise));
		uint64_t flows = read_all(fd, &n);
		assert_int_equal(n.bad_blocks, 1);
		assert_true(flows > 0 && flows < ROWS);
		close(fd);
	}
}

static void a_record_that_overruns_its_block_ends_the_block(void **)
{
	struct nfdump_counts n;
	int fd = write_rows(NFDUMP_NONE, ROWS);
	const uint8_t bad[2] = {0xff, 0xff};
	off_t at = NFDUMP_HEADER_LEN + NFDUMP_BLOCK_HEADER_LEN + 32 + 2; // after the exporter
	assert_int_equal(pwrite(fd, bad, 2, at), 2);
	uint64_t flows = read_all(fd, &n);
	assert_int_equal(n.bad_blocks, 1);
	assert_true(flows > 0 && flows < ROWS);
	close(fd);
}

static void a_file_never_finished_is_read_to_its_end(void **)
{
	struct nfdump_counts n;
	uint8_t h[NFDUMP_HEADER_LEN];
	int fd = write_rows(NFDUMP_LZ4, ROWS);
	assert_int_equal(pread(fd, h, sizeof(h), 0), sizeof(h));
	off_t end = (off_t)nfdump_u64(h + NFDUMP_AT_APPENDIX);
	memset(h + NFDUMP_AT_APPENDICES, 0, sizeof(h) - NFDUMP_AT_APPENDICES);
	assert_int_equal(pwrite(fd, h, sizeof(h), 0), sizeof(h));
	assert_int_equal(ftruncate(fd, end), 0);
	assert_int_equal(read_all(fd, &n), ROWS);
	assert_int_equal(n.missing_blocks, 0);
	assert_int_equal(ftruncate(fd, end - 1), 0);
	assert_true(read_all(fd, &n) < ROWS);
	assert_int_equal(n.missing_blocks, 1);
	close(fd);
}

static void assert_refused(int fd, off_t at, uint8_t value, const char *word)
{
	struct nfdump_reader *r;
	const char *what;
	uint8_t old;
	assert_int_equal(pread(fd, &old, 1, at), 1);
	assert_int_equal(pwrite(fd, &value, 1, at), 1);
	assert_int_equal(nfdump_reader_open(fd, &r, &what), -EINVAL);
	assert_non_null(strstr(what, word));
	assert_int_equal(pwrite(fd, &old, 1, at), 1);
}

static void files_that_cannot_be_read_are_refused_in_words(void **)
{
	struct nfdump_reader *r;
	const char *what;
	int fd = write_rows(NFDUMP_LZ4, 10);
	assert_refused(fd, 0, 0, "not an nfdump file");
	assert_refused(fd, NFDUMP_AT_LAYOUT, 1, "1.6");
	assert_refused(fd, NFDUMP_AT_LAYOUT, 3, "layout");
	assert_refused(fd, NFDUMP_AT_COMPRESSION, 4, "compressed");
	assert_refused(fd, NFDUMP_AT_ENCRYPTION, 1, "encrypted");
	const uint8_t other[2] = {0xa5, 0x0c};
	assert_int_equal(pwrite(fd, other, 2, 0), 2);
	assert_int_equal(nfdump_reader_open(fd, &r, &what), -EINVAL);
	assert_non_null(strstr(what, "byte order"));
	assert_int_equal(ftruncate(fd, 39), 0);
	assert_int_equal(nfdump_reader_open(fd, &r, &what), -EINVAL);
	assert_non_null(strstr(what, "short"));
	close(fd);
}

static void more_exporters_than_have_numbers_are_still_told(void **)
{
	struct nfdump_writer *w;
	struct nfdump_counts n;
	int fd = memfd_create("nfdump", MFD_CLOEXEC);
	assert_int_equal(nfdump_writer_open(fd, NFDUMP_NONE, "", &w), 0);
	for (uint32_t i = 0; i < 5000; i++) {
		struct record r = row(i);
		r.domain = i;
		assert_int_equal(nfdump_writer_add(w, &r), 0);
	}
	assert_int_equal(nfdump_writer_close(w), 0);
	struct nfdump_reader *reader = open_file(fd);
	struct record r;
	for (uint32_t i = 0; i < 5000; i++) {
		assert_int_equal(nfdump_reader_next(reader, &r), 1);
		assert_int_equal(r.exporter.b[15], i % 2 ? 9 : 8);
		assert_int_equal(r.domain, i < 4096 ? i : 0);
	}
	nfdump_reader_close(reader);
	assert_int_equal(read_all(fd, &n), 5000);
	close(fd);
}

static void a_full_disk_is_told(void **)
{
	struct nfdump_writer *w;
	int fd = open("/dev/full", O_RDWR | O_CLOEXEC), ret = 0;
	if (fd < 0)
		skip();
	assert_int_equal(nfdump_writer_open(fd, NFDUMP_NONE, "", &w), 0);
	for (uint32_t i = 0; ret == 0 && i < ROWS; i++) {
		struct record r = row(i);
		ret = nfdump_writer_add(w, &r);
	}
	assert_int_equal(ret, -ENOSPC);
	nfdump_writer_abandon(w);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_survive_in_every_compression),
		cmocka_unit_test(a_file_without_flows_is_whole),
		cmocka_unit_test(the_appendix_has_name_and_sums),
		cmocka_unit_test(a_cut_file_gives_its_whole_blocks),
		cmocka_unit_test(a_damaged_block_is_passed_over),
		cmocka_unit_test(a_record_that_overruns_its_block_ends_the_block),
		cmocka_unit_test(a_file_never_finished_is_read_to_its_end),
		cmocka_unit_test(files_that_cannot_be_read_are_refused_in_words),
		cmocka_unit_test(more_exporters_than_have_numbers_are_still_told),
		cmocka_unit_test(a_full_disk_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
