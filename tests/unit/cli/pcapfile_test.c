// SPDX-License-Identifier: Apache-2.0
#include "cli/pcapfile.h"
#include "lib/base/clock.h"
#include "tests/unit/cmocka.h"

#include <byteswap.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static uint8_t file[1 << 20];
static size_t file_len;
static bool swapped;

static void put32(uint32_t v)
{
	v = swapped ? bswap_32(v) : v;
	memcpy(file + file_len, &v, 4);
	file_len += 4;
}

static void put16(uint16_t v)
{
	v = swapped ? bswap_16(v) : v;
	memcpy(file + file_len, &v, 2);
	file_len += 2;
}

static void put_bytes(uint8_t fill, size_t n)
{
	memset(file + file_len, fill, n);
	file_len += n;
}

static void begin_pcap(bool swap, bool ns, uint32_t link)
{
	file_len = 0;
	swapped = swap;
	put32(ns ? 0xa1b23c4d : 0xa1b2c3d4);
	put16(2);
	put16(4);
	put32(0);
	put32(0);
	put32(65535);
	put32(link);
}

static void put_packet(uint32_t sec, uint32_t fraction, uint32_t len)
{
	put32(sec);
	put32(fraction);
	put32(len);
	put32(len + 10); // it was longer on the wire
	put_bytes((uint8_t)len, len);
}

static void begin_pcapng(bool swap)
{
	file_len = 0;
	swapped = swap;
	put32(0x0a0d0d0a);
	put32(28);
	put32(0x1a2b3c4d);
	put16(1);
	put16(0);
	put_bytes(0xff, 8);
	put32(28);
}

static void put_interface(uint16_t link, int resolution)
{
	uint32_t len = resolution < 0 ? 20 : 32;
	put32(1);
	put32(len);
	put16(link);
	put16(0);
	put32(0);
	if (resolution >= 0) {
		put16(9);
		put16(1);
		put_bytes((uint8_t)resolution, 1);
		put_bytes(0, 3);
		put32(0);
	}
	put32(len);
}

static void put_enhanced(uint32_t interface, uint64_t stamp, uint32_t len)
{
	uint32_t padded = (len + 3) & ~3u;
	put32(6);
	put32(32 + padded);
	put32(interface);
	put32((uint32_t)(stamp >> 32));
	put32((uint32_t)stamp);
	put32(len);
	put32(len);
	put_bytes((uint8_t)len, padded);
	put32(32 + padded);
}

static struct pcapfile *open_as(size_t len, int *ret_fd)
{
	struct pcapfile *f = NULL;
	const char *what;
	*ret_fd = memfd_create("capture", MFD_CLOEXEC);
	assert_int_equal(pwrite(*ret_fd, file, len, 0), len);
	assert_int_equal(pcapfile_open(*ret_fd, &f, &what), 0);
	return f;
}

static void close_both(struct pcapfile *f, int fd)
{
	pcapfile_close(f);
	close(fd);
}

static void pcap_is_read_in_both_orders_and_units(void **)
{
	for (int i = 0; i < 4; i++) {
		struct pcapfile_packet p;
		int fd;
		begin_pcap(i & 1, i & 2, LINK_RAW);
		put_packet(1700000000, 123456, 60);
		put_packet(1700000001, 0, 0);
		struct pcapfile *f = open_as(file_len, &fd);
		assert_int_equal(pcapfile_next(f, &p), 1);
		assert_int_equal(p.len, 60);
		assert_int_equal(p.wire_len, 70);
		assert_int_equal(p.data[59], 60);
		assert_int_equal(p.link, LINK_RAW);
		uint64_t fraction = i & 2 ? 123456 : 123456 * NS_PER_USEC;
		assert_true(p.time_ns == 1700000000 * NS_PER_SEC + fraction);
		assert_int_equal(pcapfile_next(f, &p), 1);
		assert_int_equal(p.len, 0);
		assert_int_equal(pcapfile_next(f, &p), 0);
		assert_int_equal(pcapfile_place(f), file_len);
		close_both(f, fd);
	}
}

static void pcapng_has_interfaces_with_units_of_their_own(void **)
{
	for (int swap = 0; swap < 2; swap++) {
		struct pcapfile_packet p;
		int fd;
		begin_pcapng(swap);
		put_interface(LINK_ETHERNET, -1); // microseconds
		put_interface(LINK_SLL, 9);
		put_interface(LINK_RAW, 0x80 | 20); // 2^-20 s
		put_enhanced(0, 1700000000123456, 61);
		put_enhanced(1, 1700000000123456789, 62);
		put_enhanced(2, (1700000000ull << 20) + (1 << 19), 63);
		struct pcapfile *f = open_as(file_len, &fd);
		const uint64_t want[] = {123456000, 123456789, 500000000};
		const uint16_t links[] = {LINK_ETHERNET, LINK_SLL, LINK_RAW};
		for (unsigned i = 0; i < 3; i++) {
			assert_int_equal(pcapfile_next(f, &p), 1);
			assert_int_equal(p.len, 61 + i);
			assert_int_equal(p.data[0], 61 + i);
			assert_int_equal(p.link, links[i]);
			assert_true(p.time_ns == 1700000000 * NS_PER_SEC + want[i]);
		}
		assert_int_equal(pcapfile_next(f, &p), 0);
		close_both(f, fd);
	}
}

static void packets_larger_than_the_buffer_are_whole(void **)
{
	struct pcapfile_packet p;
	int fd;
	begin_pcap(false, false, LINK_RAW);
	for (uint32_t i = 0; i < 4; i++)
		put_packet(i, 0, 200000 + i);
	struct pcapfile *f = open_as(file_len, &fd);
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(pcapfile_next(f, &p), 1);
		assert_int_equal(p.len, 200000 + i);
		assert_int_equal(p.data[p.len - 1], (uint8_t)(200000 + i));
	}
	assert_int_equal(pcapfile_next(f, &p), 0);
	close_both(f, fd);
}

static void cut_captures_end_where_they_are_cut(void **)
{
	for (int ng = 0; ng < 2; ng++) {
		if (ng) {
			begin_pcapng(false);
			put_interface(LINK_RAW, -1);
			put_enhanced(0, 1, 60);
		} else {
			begin_pcap(false, false, LINK_RAW);
			put_packet(1, 0, 60);
		}
		size_t begin = file_len;
		if (ng)
			put_enhanced(0, 1, 60);
		else
			put_packet(2, 0, 60);
		for (size_t len = begin + 1; len < file_len; len++) {
			struct pcapfile_packet p;
			int fd;
			struct pcapfile *f = open_as(len, &fd);
			assert_int_equal(pcapfile_next(f, &p), 1);
			assert_int_equal(pcapfile_next(f, &p), -EBADMSG);
			close_both(f, fd);
		}
	}
}

static void lengths_that_cannot_be_end_the_walk(void **)
{
	struct pcapfile_packet p;
	int fd;
	begin_pcap(false, false, LINK_RAW);
	put32(0);
	put32(0);
	put32(0xffffffff);
	put32(0);
	struct pcapfile *f = open_as(file_len, &fd);
	assert_int_equal(pcapfile_next(f, &p), -EBADMSG);
	close_both(f, fd);
	begin_pcapng(false);
	put_enhanced(0, 1, 60); // of an interface that nobody told
	f = open_as(file_len, &fd);
	assert_int_equal(pcapfile_next(f, &p), -EBADMSG);
	close_both(f, fd);
}

static void what_is_no_capture_is_refused(void **)
{
	struct pcapfile *f;
	const char *what = NULL;
	int fd = memfd_create("capture", MFD_CLOEXEC);
	assert_int_equal(pcapfile_open(fd, &f, &what), -EINVAL);
	assert_int_equal(pwrite(fd, "no capture", 10, 0), 10);
	assert_int_equal(pcapfile_open(fd, &f, &what), -EINVAL);
	assert_string_equal(what, "not a capture");
	close(fd);
	assert_int_equal(pcapfile_open(-1, &f, &what), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pcap_is_read_in_both_orders_and_units),
		cmocka_unit_test(pcapng_has_interfaces_with_units_of_their_own),
		cmocka_unit_test(packets_larger_than_the_buffer_are_whole),
		cmocka_unit_test(cut_captures_end_where_they_are_cut),
		cmocka_unit_test(lengths_that_cannot_be_end_the_walk),
		cmocka_unit_test(what_is_no_capture_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
