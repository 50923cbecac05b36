// SPDX-License-Identifier: Apache-2.0
#include "lib/base/buf.h"
#include "sensor/packet/capture.h"
#include "tests/unit/cmocka.h"

#include <byteswap.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define MAGIC_USEC 0xa1b2c3d4u
#define MAGIC_NSEC 0xa1b23c4du
#define ETHERNET 1
#define FILE_MAX (8 << 20)

enum { SECTION = 0x0a0d0d0a, INTERFACE = 1, OLD_PACKET = 2, SIMPLE = 3, NAMES = 4, ENHANCED = 6 };

static struct {
	int fd;
	bool swap; // the other byte order than this machine's
	uint8_t *bytes;
	struct wbuf w;
	struct capture_info info;
	const char *what;
} file;

static int setup(void **)
{
	char path[] = "/tmp/weir-capture-XXXXXX";
	file.fd = mkstemp(path);
	file.bytes = malloc(FILE_MAX);
	return file.fd < 0 || !file.bytes || unlink(path) < 0 ? -1 : 0;
}

static int teardown(void **)
{
	free(file.bytes);
	return close(file.fd);
}

static void begin(bool swap)
{
	file.swap = swap;
	file.w = wbuf_of(file.bytes, FILE_MAX);
}

static void u32(uint32_t v)
{
	v = file.swap ? bswap_32(v) : v;
	wbuf_bytes(&file.w, &v, sizeof(v));
}

static void u16(uint16_t v)
{
	v = file.swap ? bswap_16(v) : v;
	wbuf_bytes(&file.w, &v, sizeof(v));
}

static void zeros(size_t n)
{
	uint8_t *p = wbuf_take(&file.w, n);
	assert_non_null(p);
	memset(p, 0, n);
}

// Scans the first `len` bytes of what was written.
static int scan_cut(size_t len)
{
	assert_int_equal(ftruncate(file.fd, 0), 0);
	assert_int_equal(pwrite(file.fd, file.bytes, len, 0), len);
	assert_int_equal(lseek(file.fd, 0, SEEK_SET), 0);
	memset(&file.info, 0, sizeof(file.info));
	file.what = NULL;
	return capture_scan(file.fd, &file.info, &file.what);
}

static int scan(void)
{
	return scan_cut(wbuf_len(&file.w));
}

static void assert_refused(const char *what)
{
	assert_int_equal(scan(), -EINVAL);
	assert_string_equal(file.what, what);
}

static void pcap(bool swap, uint32_t magic, uint32_t link)
{
	begin(swap);
	u32(magic);
	u16(2);
	u16(4);
	zeros(8);
	u32(65535);
	u32(link);
}

static void pcap_packet(uint32_t len, uint32_t said)
{
	u32(1);
	u32(2);
	u32(said);
	u32(said);
	zeros(len);
}

static void section(bool swap)
{
	file.swap = swap;
	u32(SECTION);
	u32(28);
	u32(0x1a2b3c4d);
	u32(1);
	zeros(8);
	u32(28);
}

static void block(uint32_t type, uint32_t first, uint32_t len)
{
	u32(type);
	u32(len);
	u32(first);
	zeros(len - 16);
	u32(len);
}

static void interface(uint16_t link)
{
	u32(INTERFACE);
	u32(20);
	u16(link);
	u16(0);
	u32(65535);
	u32(20);
}

static void pcapng(bool swap)
{
	begin(swap);
	section(swap);
	interface(ETHERNET);
}

static void packets_of_pcap_files_of_each_order_and_precision_are_counted(void **)
{
	for (int kind = 0; kind < 4; kind++) {
		bool is_nsec = kind & 1;
		pcap(kind & 2, is_nsec ? MAGIC_NSEC : MAGIC_USEC, ETHERNET);
		for (uint32_t i = 0; i < 5; i++)
			pcap_packet(60 + i, 60 + i);
		assert_int_equal(scan(), 0);
		assert_int_equal(file.info.n_packets, 5);
		assert_int_equal(file.info.nanoseconds, is_nsec);
		assert_false(file.info.truncated);
	}
}

static void blocks_with_packets_are_counted_and_others_are_not(void **)
{
	for (int swap = 0; swap < 2; swap++) {
		pcapng(swap);
		block(ENHANCED, 0, 96);
		block(NAMES, 0, 32);
		block(SIMPLE, 64, 80);
		block(OLD_PACKET, 0, 96);
		block(5, 0, 24); // statistics
		block(0x80000001, 0, 128);
		block(ENHANCED, 0, 32);
		assert_int_equal(scan(), 0);
		assert_int_equal(file.info.n_packets, 4);
		assert_false(file.info.truncated);
	}
}

static void a_second_section_may_have_the_other_byte_order(void **)
{
	pcapng(false);
	block(ENHANCED, 0, 96);
	section(true);
	interface(ETHERNET);
	block(ENHANCED, 0, 96);
	block(ENHANCED, 0, 96);
	assert_int_equal(scan(), 0);
	assert_int_equal(file.info.n_packets, 3);
	assert_false(file.info.truncated);
}

static void a_capture_without_packets_is_none_of_them(void **)
{
	pcap(false, MAGIC_USEC, ETHERNET);
	assert_int_equal(scan(), 0);
	assert_int_equal(file.info.n_packets, 0);
	assert_false(file.info.truncated);
	pcapng(false);
	assert_int_equal(scan(), 0);
	assert_int_equal(file.info.n_packets, 0);
}

static void a_pcap_file_cut_anywhere_tells_its_whole_packets(void **)
{
	pcap(false, MAGIC_USEC, ETHERNET);
	for (int i = 0; i < 3; i++)
		pcap_packet(20, 20);
	for (size_t len = 24; len <= 24 + 3 * 36; len++) {
		assert_int_equal(scan_cut(len), 0);
		assert_int_equal(file.info.n_packets, (len - 24) / 36);
		assert_int_equal(file.info.truncated, (len - 24) % 36 != 0);
	}
}

static void a_pcapng_file_cut_anywhere_tells_its_whole_packets(void **)
{
	pcapng(false);
	size_t head = wbuf_len(&file.w);
	for (int i = 0; i < 3; i++)
		block(ENHANCED, 0, 36);
	for (size_t len = head; len <= head + 3UL * 36; len++) {
		assert_int_equal(scan_cut(len), 0);
		assert_int_equal(file.info.n_packets, (len - head) / 36);
		assert_int_equal(file.info.truncated, (len - head) % 36 != 0);
	}
	for (size_t len = 29; len < head; len++) { // within the interface
		assert_int_equal(scan_cut(len), 0);
		assert_int_equal(file.info.n_packets, 0);
		assert_true(file.info.truncated);
	}
}

static void a_packet_longer_than_any_ends_the_walk(void **)
{
	pcap(false, MAGIC_USEC, ETHERNET);
	pcap_packet(100, 100);
	pcap_packet(262144, 262144);
	pcap_packet(262145, 262145);
	pcap_packet(100, 100);
	assert_int_equal(scan(), 0);
	assert_int_equal(file.info.n_packets, 2);
	assert_true(file.info.truncated);
}

static void a_block_of_impossible_length_ends_the_walk(void **)
{
	static const uint32_t lens[] = {0, 11, (16 << 20) + 4, UINT32_MAX};
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		pcapng(false);
		block(ENHANCED, 0, 96);
		u32(ENHANCED);
		u32(lens[i]);
		zeros(200);
		assert_int_equal(scan(), 0);
		assert_int_equal(file.info.n_packets, 1);
		assert_true(file.info.truncated);
	}
	pcapng(false);
	block(ENHANCED, 0, 96);
	u32(SECTION); // without its magic
	zeros(200);
	assert_int_equal(scan(), 0);
	assert_int_equal(file.info.n_packets, 1);
	assert_true(file.info.truncated);
}

static void packets_across_the_borders_of_reads_are_counted(void **)
{
	uint32_t n = 0, len = 0;
	pcap(false, MAGIC_USEC, ETHERNET);
	for (; wbuf_left(&file.w) > 70000; n++) {
		len = len * 7 % 65521 + 1;
		pcap_packet(len, len);
	}
	assert_true(wbuf_len(&file.w) > 7 << 20); // several reads
	assert_int_equal(scan(), 0);
	assert_int_equal(file.info.n_packets, n);
	assert_false(file.info.truncated);
	assert_int_equal(scan_cut(wbuf_len(&file.w) - 1), 0);
	assert_int_equal(file.info.n_packets, n - 1);
	assert_true(file.info.truncated);
}

static void other_links_than_ethernet_are_refused(void **)
{
	pcap(false, MAGIC_USEC, 101);
	assert_refused("its link type is not Ethernet");
	pcap(true, MAGIC_USEC, 276);
	assert_refused("its link type is not Ethernet");
	pcap(false, MAGIC_USEC, 0x14000000 | ETHERNET); // with the length of the FCS
	assert_int_equal(scan(), 0);
	for (int swap = 0; swap < 2; swap++) {
		pcapng(swap);
		block(ENHANCED, 0, 96);
		interface(113);
		assert_refused("the link type of an interface in it is not Ethernet");
	}
}

static void what_is_no_capture_is_refused_in_words(void **)
{
	begin(false);
	assert_refused("the file is empty");
	zeros(3);
	assert_refused("the file is too short to be a capture");
	zeros(100);
	assert_refused("neither a pcap nor a pcapng file");
	pcap(false, MAGIC_USEC, ETHERNET);
	for (size_t len = 4; len < 24; len++) {
		assert_int_equal(scan_cut(len), -EINVAL);
		assert_string_equal(file.what, "the file ends within its header");
	}
	pcapng(false);
	for (size_t len = 4; len < 28; len++) {
		assert_int_equal(scan_cut(len), -EINVAL);
		assert_string_equal(file.what, "the file ends within its header");
	}
	begin(false);
	u32(SECTION);
	u32(28);
	u32(0x12345678); // of neither order
	zeros(16);
	assert_refused("the file ends within its header");
}

static void a_file_that_cannot_be_read_gives_the_systems_error(void **)
{
	struct capture_info info = {.n_packets = 77};
	const char *what = NULL;
	int fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(capture_scan(fd, &info, &what), -EISDIR);
	assert_string_equal(what, "cannot be read");
	assert_int_equal(info.n_packets, 77); // untouched
	close(fd);
	assert_int_equal(capture_scan(-1, &info, &what), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_of_pcap_files_of_each_order_and_precision_are_counted),
		cmocka_unit_test(blocks_with_packets_are_counted_and_others_are_not),
		cmocka_unit_test(a_second_section_may_have_the_other_byte_order),
		cmocka_unit_test(a_capture_without_packets_is_none_of_them),
		cmocka_unit_test(a_pcap_file_cut_anywhere_tells_its_whole_packets),
		cmocka_unit_test(a_pcapng_file_cut_anywhere_tells_its_whole_packets),
		cmocka_unit_test(a_packet_longer_than_any_ends_the_walk),
		cmocka_unit_test(a_block_of_impossible_length_ends_the_walk),
		cmocka_unit_test(packets_across_the_borders_of_reads_are_counted),
		cmocka_unit_test(other_links_than_ethernet_are_refused),
		cmocka_unit_test(what_is_no_capture_is_refused_in_words),
		cmocka_unit_test(a_file_that_cannot_be_read_gives_the_systems_error),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
