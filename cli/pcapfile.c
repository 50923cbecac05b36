// SPDX-License-Identifier: Apache-2.0
#include "cli/pcapfile.h"

#include "lib/base/clock.h"

#include <byteswap.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOM ((size_t)64 << 10) // more for what is larger
#define PACKET_MAX (256u << 10) // libpcap's MAXIMUM_SNAPLEN
#define BLOCK_MAX (512u << 10)	// a packet with its options
#define INTERFACES_MAX 256

#define MAGIC_USEC 0xa1b2c3d4u
#define MAGIC_NSEC 0xa1b23c4du
#define MAGIC_PCAPNG 0x0a0d0d0au // also the type of a section header block
#define PCAPNG_ORDER 0x1a2b3c4du

enum block { BLOCK_INTERFACE = 1, BLOCK_PACKET = 2, BLOCK_SIMPLE = 3, BLOCK_ENHANCED = 6 };
enum option { OPTION_END = 0, OPTION_TSRESOL = 9, OPTION_TSOFFSET = 14 };

struct interface {
	uint16_t link;
	uint64_t per_sec; // time stamps count in parts of a second
	uint64_t offset_sec;
};

struct pcapfile {
	int fd;
	int error;
	bool swap;
	bool is_ng;
	bool is_nsec;
	uint16_t link; // pcap
	uint32_t n_interfaces;
	struct interface interfaces[INTERFACES_MAX];
	uint64_t place; // of data[at] in the file
	size_t at, len, room;
	uint8_t *data;
};

// Moves what is left to the front, and makes room for n bytes.
static bool make_room(struct pcapfile *f, size_t n)
{
	memmove(f->data, f->data + f->at, f->len - f->at);
	f->len -= f->at;
	f->at = 0;
	if (n <= f->room)
		return true;
	uint8_t *data = realloc(f->data, n);
	if (!data) {
		f->error = -ENOMEM;
		return false;
	}
	f->data = data;
	f->room = n;
	return true;
}

// The next n bytes where they lie; NULL when the file ends before.
static const uint8_t *peek(struct pcapfile *f, size_t n)
{
	if (f->len - f->at < n && !make_room(f, n))
		return NULL;
	while (f->len - f->at < n) {
		ssize_t got = read(f->fd, f->data + f->len, f->room - f->len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			f->error = -errno;
		if (got <= 0)
			return NULL;
		f->len += (size_t)got;
	}
	return f->data + f->at;
}

static const uint8_t *take(struct pcapfile *f, size_t n)
{
	const uint8_t *p = peek(f, n);
	if (p) {
		f->at += n;
		f->place += n;
	}
	return p;
}

static uint16_t get16(const struct pcapfile *f, const uint8_t *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof(v));
	return f->swap ? bswap_16(v) : v;
}

static uint32_t get32(const struct pcapfile *f, const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return f->swap ? bswap_32(v) : v;
}

static int open_pcap(struct pcapfile *f, const char **ret_what)
{
	const uint8_t *p = take(f, 24);
	if (!p) {
		*ret_what = "the capture ends within its header";
		return -EINVAL;
	}
	f->link = (uint16_t)get32(f, p + 20); // the high bits tell of frame checksums
	return 0;
}

// A section header: sets the byte order, forgets the interfaces. False: it is none.
static bool take_section(struct pcapfile *f)
{
	const uint8_t *p = peek(f, 12);
	if (!p)
		return false;
	f->swap = false;
	f->swap = get32(f, p + 8) != PCAPNG_ORDER;
	uint32_t len = get32(f, p + 4);
	if (get32(f, p + 8) != PCAPNG_ORDER || len < 28 || len > BLOCK_MAX || len % 4)
		return false;
	f->n_interfaces = 0;
	return take(f, len) != NULL;
}

int pcapfile_open(int fd, struct pcapfile **ret_file, const char **ret_what)
{
	struct pcapfile *f = calloc(1, sizeof(*f));
	int ret = -EINVAL;
	*ret_what = "not a capture";
	if (f)
		f->data = malloc(f->room = ROOM);
	if (!f || !f->data) {
		pcapfile_close(f);
		return -ENOMEM;
	}
	f->fd = fd;
	const uint8_t *p = peek(f, 4);
	uint32_t magic = p ? get32(f, p) : 0;
	f->swap = magic == bswap_32(MAGIC_USEC) || magic == bswap_32(MAGIC_NSEC);
	magic = f->swap ? bswap_32(magic) : magic;
	f->is_nsec = magic == MAGIC_NSEC;
	f->is_ng = magic == MAGIC_PCAPNG;
	if (magic == MAGIC_USEC || f->is_nsec)
		ret = open_pcap(f, ret_what);
	else if (f->is_ng && take_section(f))
		ret = 0;
	else if (f->is_ng)
		*ret_what = "the capture's header is damaged";
	if (ret < 0) {
		ret = f->error ? f->error : ret;
		pcapfile_close(f);
		return ret;
	}
	*ret_file = f;
	return 0;
}

void pcapfile_close(struct pcapfile *f)
{
	if (f)
		free(f->data);
	free(f);
}

// What a read that found too few bytes means.
static int cut(const struct pcapfile *f)
{
	return f->error ? f->error : -EBADMSG;
}

static int at_end(struct pcapfile *f)
{
	if (peek(f, 1))
		return 0;
	return f->error ? f->error : 1;
}

static int next_pcap(struct pcapfile *f, struct pcapfile_packet *ret_packet)
{
	int end = at_end(f);
	if (end)
		return end < 0 ? end : 0;
	const uint8_t *p = take(f, 16);
	if (!p)
		return cut(f);
	uint64_t fraction = get32(f, p + 4);
	struct pcapfile_packet packet = {
		.time_ns =
			get32(f, p) * NS_PER_SEC + (f->is_nsec ? fraction : fraction * NS_PER_USEC),
		.len = get32(f, p + 8),
		.wire_len = get32(f, p + 12),
		.link = f->link,
	};
	if (packet.len > PACKET_MAX)
		return -EBADMSG;
	packet.data = take(f, packet.len);
	if (!packet.data)
		return cut(f);
	*ret_packet = packet;
	return 1;
}

// The options that say how time stamps count.
static void take_options(struct pcapfile *f, struct interface *in, const uint8_t *p, size_t len)
{
	while (len >= 4) {
		uint16_t code = get16(f, p), n = get16(f, p + 2);
		size_t padded = (n + 3u) & ~3u;
		if (code == OPTION_END || padded > len - 4)
			return;
		if (code == OPTION_TSRESOL && n >= 1) {
			unsigned digits = p[4] & 0x7f;
			in->per_sec = 1;
			for (unsigned i = 0; i < digits && in->per_sec < UINT64_MAX / 10; i++)
				in->per_sec *= p[4] & 0x80 ? 2 : 10;
		} else if (code == OPTION_TSOFFSET && n >= 8) {
			uint32_t low = get32(f, p + 4), high = get32(f, p + 8);
			in->offset_sec =
				f->swap ? (uint64_t)low << 32 | high : (uint64_t)high << 32 | low;
		}
		p += 4 + padded;
		len -= 4 + padded;
	}
}

static void take_interface(struct pcapfile *f, const uint8_t *p, size_t len)
{
	struct interface in = {.per_sec = 1000000};
	if (f->n_interfaces == INTERFACES_MAX || len < 8)
		return;
	in.link = get16(f, p);
	take_options(f, &in, p + 8, len - 8);
	f->interfaces[f->n_interfaces++] = in;
}

static uint64_t time_of(const struct interface *in, uint64_t stamp)
{
	uint64_t sec = stamp / in->per_sec, rest = stamp % in->per_sec;
	uint64_t ns = (uint64_t)((unsigned __int128)rest * NS_PER_SEC / in->per_sec);
	return (sec + in->offset_sec) * NS_PER_SEC + ns;
}

// A block that holds a packet, after type and length; false when it cannot be.
static bool take_packet(
	struct pcapfile *f,
	uint32_t type,
	const uint8_t *p,
	size_t len,
	struct pcapfile_packet *ret_packet
)
{
	struct pcapfile_packet packet = {};
	size_t head = type == BLOCK_SIMPLE ? 4 : 20;
	if (len < head)
		return false;
	uint32_t number = type == BLOCK_ENHANCED ? get32(f, p)
			  : type == BLOCK_PACKET ? get16(f, p)
						 : 0;
	if (number >= f->n_interfaces)
		return false;
	const struct interface *in = &f->interfaces[number];
	packet.link = in->link;
	packet.data = p + head;
	packet.wire_len = get32(f, p + head - 4);
	packet.len = packet.wire_len;
	if (type == BLOCK_SIMPLE) {
		packet.len = packet.wire_len < len - head ? packet.wire_len : len - head;
	} else {
		packet.len = get32(f, p + 12);
		packet.time_ns = time_of(in, (uint64_t)get32(f, p + 4) << 32 | get32(f, p + 8));
	}
	if (packet.len > len - head)
		return false;
	*ret_packet = packet;
	return true;
}

static int next_pcapng(struct pcapfile *f, struct pcapfile_packet *ret_packet)
{
	for (;;) {
		int end = at_end(f);
		if (end)
			return end < 0 ? end : 0;
		const uint8_t *p = peek(f, 12);
		if (!p)
			return cut(f);
		uint32_t type = get32(f, p), len = get32(f, p + 4);
		if (type == MAGIC_PCAPNG) { // the same in both byte orders
			if (!take_section(f))
				return cut(f);
			continue;
		}
		if (len < 12 || len > BLOCK_MAX || len % 4 || !(p = take(f, len)))
			return cut(f);
		if (type == BLOCK_INTERFACE)
			take_interface(f, p + 8, len - 12);
		else if (type == BLOCK_ENHANCED || type == BLOCK_SIMPLE || type == BLOCK_PACKET)
			return take_packet(f, type, p + 8, len - 12, ret_packet) ? 1 : -EBADMSG;
	}
}

int pcapfile_next(struct pcapfile *f, struct pcapfile_packet *ret_packet)
{
	return f->is_ng ? next_pcapng(f, ret_packet) : next_pcap(f, ret_packet);
}

uint64_t pcapfile_place(const struct pcapfile *f)
{
	return f->place;
}
