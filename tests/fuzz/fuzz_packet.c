// SPDX-License-Identifier: Apache-2.0

// A frame, whole and cut short. Input: bytes captured (2), bytes the frame has beyond those given
// (2), the frame.

#include "lib/base/buf.h"
#include "sensor/packet/parse.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct parse_options options;

// `fill` shows members the parser leaves alone.
static enum verdict
parse(const uint8_t *p, size_t len, size_t frame_len, int fill, struct packet *ret_packet)
{
	uint8_t *exact = malloc(len ? len : 1);
	memcpy(exact, p, len);
	memset(ret_packet, fill, sizeof(*ret_packet));
	enum verdict v = parse_frame(&options, exact, len, frame_len, ret_packet);
	assert(v < PACKET_N_VERDICTS);
	ret_packet->time_ns = 0;
	ret_packet->port = 0;
	free(exact);
	return v;
}

static bool is_same(const struct packet *a, const struct packet *b)
{
	return memcmp(a, b, offsetof(struct packet, macs) + sizeof(a->macs)) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet whole, again, cut;
	static const uint16_t ports[] = {PARSE_VXLAN_PORT, 8472};
	struct buf b = buf_of(data, size);
	size_t captured = buf_u16(&b), frame_len = buf_u16(&b), len = buf_left(&b);
	parse_options_init(&options, !(frame_len & 1), ports, 2);
	frame_len += len;
	captured = captured < len ? captured : len;

	enum verdict v = parse(b.p, len, frame_len, 0xaa, &whole);
	assert(v == parse(b.p, len, frame_len, 0x55, &again));
	assert(v != PACKET_KEEP || is_same(&whole, &again));
	// What is kept of a frame cut short is kept of the whole, and is the same; what stands
	// behind the ports may be cut off.
	enum verdict short_v = parse(b.p, captured, frame_len, 0, &cut);
	if (short_v == PACKET_TRUNCATED)
		return 0;
	assert(short_v == v);
	cut.tcp_flags = cut.tcp_flags ? cut.tcp_flags : whole.tcp_flags;
	cut.tcp_seq = cut.tcp_seq ? cut.tcp_seq : whole.tcp_seq;
	cut.tcp_len = cut.tcp_len ? cut.tcp_len : whole.tcp_len;
	if (cut.tcp_window == 0 || cut.tcp_window == UINT16_MAX) // not known
		cut.tcp_window = whole.tcp_window;
	if (cut.payload_len == 0) {
		cut.payload_at = whole.payload_at;
		cut.payload_len = whole.payload_len;
	}
	assert(v != PACKET_KEEP || is_same(&whole, &cut));
	return 0;
}
