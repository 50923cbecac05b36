// SPDX-License-Identifier: Apache-2.0
// Conversations that are neither TCP nor UDP: echo, SCTP, ESP.
#include "bench/gen/conv.h"
#include "bench/gen/payload.h"

#define SCTP_SUM_AT 8
#define SCTP_DATA_LEN 120

void conv_echo_next(struct conv *c, struct wbuf *w, struct packet *p)
{
	bool v6 = !addr_is_v4(&c->addr[0]);
	p->back = c->n_done & 1;
	p->sum_at = 2;
	p->pseudo = v6; // RFC 4443 §2.3
	wbuf_u8(w, (uint8_t)(p->back ? (v6 ? 129 : 0) : (v6 ? 128 : 8)));
	wbuf_u8(w, 0);
	wbuf_u16(w, 0);
	wbuf_u16(w, (uint16_t)c->seq[0]);
	wbuf_u16(w, (uint16_t)(c->n_done / 2));
	payload_filler(w, 56);
}

void conv_esp_next(struct conv *c, struct wbuf *w, struct packet *p)
{
	p->back = c->n_done & 1;
	wbuf_u32(w, c->seq[p->back] | 0x1000);
	wbuf_u32(w, c->n_done / 2 + 1);
	payload_filler(w, rng_between(&c->rng, 20, 200) * 4);
}

struct chunk {
	bool back;
	uint8_t type;
	uint8_t n_fixed; // bytes of 0 (or numbers that do not matter) after the chunk header
};

// One association, from INIT to SHUTDOWN COMPLETE (RFC 9260 §5, §9.2).
static const struct chunk association[] = {
	{false, 1, 16},
	{true, 2, 16},
	{false, 10, 16},
	{true, 11, 0},
	{false, 0, 12},
	{true, 3, 12},
	{true, 0, 12},
	{false, 3, 12},
	{false, 7, 4},
	{true, 8, 0},
	{false, 14, 0},
};

static void chunk_value(struct wbuf *w, struct conv *c, const struct chunk *k)
{
	switch (k->type) {
	case 0: // DATA: TSN, stream, sequence, payload protocol
		wbuf_u32(w, c->seq[k->back]);
		wbuf_u64(w, 0);
		payload_filler(w, SCTP_DATA_LEN);
		return;
	case 1: // INIT, INIT ACK: tag, window, streams out and in, TSN
	case 2:
		wbuf_u32(w, c->seq[k->back] | 1);
		wbuf_u32(w, 131072);
		wbuf_u32(w, 0x000a000a);
		wbuf_u32(w, c->seq[k->back]);
		if (k->type == 2) { // the state cookie
			wbuf_u32(w, 7 << 16 | 20);
			payload_filler(w, 16);
		}
		return;
	case 3: // SACK: TSN, window, no gaps
		wbuf_u32(w, c->seq[!k->back]);
		wbuf_u32(w, 131072);
		wbuf_u32(w, 0);
		return;
	default:
		payload_filler(w, k->n_fixed);
	}
}

// CRC32c (RFC 9260 §6.8), bit by bit: there are few of these packets.
static uint32_t crc32c(const uint8_t *p, size_t n)
{
	uint32_t crc = 0xffffffff;
	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (0x82f63b78 & -(crc & 1));
	}
	return ~crc;
}

void conv_sctp_next(struct conv *c, struct wbuf *w, struct packet *p)
{
	const struct chunk *k = &association[c->n_done];
	p->back = k->back;
	wbuf_u16(w, c->port[k->back]);
	wbuf_u16(w, c->port[!k->back]);
	wbuf_u32(w, k->type == 1 ? 0 : c->seq[!k->back] | 1);
	wbuf_u32(w, 0); // checksum
	wbuf_u16(w, (uint16_t)(k->type << 8 | (k->type == 0 ? 3 : 0)));
	size_t at = wbuf_len(w);
	wbuf_u16(w, 0);
	chunk_value(w, c, k);
	wbuf_put_u16(w, at, (uint16_t)(wbuf_len(w) - at + 2));
	if (!w->full) {
		uint32_t crc = htole32(crc32c(w->start, wbuf_len(w)));
		memcpy(w->start + SCTP_SUM_AT, &crc, sizeof(crc));
	}
}
