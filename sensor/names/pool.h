// SPDX-License-Identifier: Apache-2.0
#pragma once

// Room for the beginnings of flows whose names are spread over packets. A fixed number, taken at
// the start. When all are in use the one kept longest is taken from its flow: a name that is still
// coming is there within a round trip, so that who holds room for longer (a scan of half
// ClientHellos) cannot keep others out. Thread: worker; init, fini: control.

#include "sensor/names/quic.h"
#include "sensor/names/stage.h"

struct held {
	struct names_flow *owner;
	uint16_t older, newer; // among those kept
	uint8_t kind;	       // enum names_kind; NAMES_NONE while the first byte is missing
	uint8_t n_segments;
	bool reverse;	   // the direction that is gathered
	uint16_t sequence; // of the DTLS message
	uint32_t base;	   // TCP sequence number of the first byte
	struct quic_client quic;
	struct assembly bytes;
};

struct pool {
	struct held *held;
	uint8_t *data;
	uint16_t *spare; // a stack
	uint32_t n, n_spare;
	uint16_t max_bytes;
	uint16_t oldest, newest; // kept; POOL_NONE: none
};

#define POOL_NONE UINT16_MAX
#define POOL_MAX (UINT16_MAX - 1u)

// For n flows at a time, 1 to POOL_MAX.
[[nodiscard]] int pool_init(struct pool *p, uint32_t n, uint16_t max_bytes);
void pool_fini(struct pool *p);

// Empty room, good until the next call.
struct held *pool_spare(struct pool *p);

// Keeps that room for a flow, which must stay where it is in memory until it is released. True when
// it had to be taken from another flow, whose stage then is NAMES_DONE.
bool pool_keep(struct pool *p, struct held *h, struct names_flow *owner);

static inline struct held *pool_of(struct pool *p, const struct names_flow *f)
{
	return &p->held[f->at];
}

void pool_release(struct pool *p, struct held *h);
