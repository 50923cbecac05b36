// SPDX-License-Identifier: Apache-2.0

// Packets of a few flows through the front, with fewer places than flows. Input: packets, each its
// flow and what it is (1), sequence number (2), payload with its length (2).

#include "sensor/names/names.h"
#include "sensor/packet/packet.h"
#include "tests/fuzz/names.h"

#define N_FLOWS 8

static struct names *names;
static const uint16_t ports[N_FLOWS] = {443, 443, 53, 80, 443, 53, 4433, 5353};

static void reset(void)
{
	struct names_options o = NAMES_OPTIONS_DEFAULT;
	names_free(names);
	o.n_flows = 3;
	o.max_bytes = 1024;
	o.max_permille = 0;
	if (names_create(&o, &names) < 0)
		abort();
}

static void look(struct names_flow *f, struct names_packet p, struct buf payload)
{
	struct names_result r;
	uint8_t *exact = exact_copy(payload.p, buf_left(&payload));
	p.payload = exact;
	p.len = buf_left(&payload);
	if (names_wants(f, p.len, p.tcp_flags) && names_look(names, f, &p, &r))
		check_result(&r);
	assert(f->stage <= NAMES_DONE);
	free(exact);
}

static unsigned n_held(const struct names_flow *flows)
{
	unsigned n = 0;
	for (unsigned i = 0; i < N_FLOWS; i++)
		n += flows[i].stage == NAMES_HELD;
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct names_flow flows[N_FLOWS] = {};
	struct buf b = buf_of(data, size);
	if (!names)
		reset();
	while (buf_left(&b) > 0) {
		uint8_t what = buf_u8(&b);
		unsigned flow = what % N_FLOWS;
		struct names_packet p = {
			.seq = 0xffffff00u + buf_u16(&b),
			.proto = flow < 4 ? PROTO_TCP : PROTO_UDP,
			.reverse = what & 8,
			.tcp_flags = what & 16 ? TCP_SYN : 0,
			.sport = what & 8 ? ports[flow] : 40000,
			.dport = what & 8 ? 40000 : ports[flow],
		};
		if ((what & 0xe0) == 0xe0)
			names_end(names, &flows[flow]);
		look(&flows[flow], p, take_piece(&b));
		assert(n_held(flows) <= 3);
	}
	for (unsigned i = 0; i < N_FLOWS; i++)
		names_end(names, &flows[i]);
	return 0;
}
