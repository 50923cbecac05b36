// SPDX-License-Identifier: Apache-2.0
#include "bench/gen/conv.h"
#include "bench/gen/payload.h"

#define SUM_AT 6
#define LEN_AT 4
#define QUIC_LEN 1200
#define QUIC_DATAGRAM_MAX 1350

static void quic(struct wbuf *w, struct conv *c, bool back)
{
	if (c->n_done < 2) {
		payload_quic(w, c, QUIC_LEN);
		return;
	}
	wbuf_u8(w, 0x41); // short header
	wbuf_u64(w, (uint64_t)c->seq[0] << 32 | c->seq[1]);
	payload_filler(w, back ? rng_between(&c->rng, 400, QUIC_DATAGRAM_MAX) : 30);
}

void conv_udp_next(struct conv *c, struct wbuf *w, struct packet *p)
{
	p->back = c->n_done == 1 || (c->n_done > 1 && rng_below(&c->rng, 3) < 2);
	p->sum_at = SUM_AT;
	p->pseudo = true;
	wbuf_u16(w, c->port[p->back]);
	wbuf_u16(w, c->port[!p->back]);
	wbuf_u32(w, 0); // length, checksum
	if (c->kind == CONV_DNS)
		payload_dns(w, c, p->back);
	else if (c->kind == CONV_NTP)
		payload_ntp(w, p->back);
	else
		quic(w, c, p->back);
	wbuf_put_u16(w, LEN_AT, (uint16_t)wbuf_len(w));
}
