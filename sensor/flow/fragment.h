// SPDX-License-Identifier: Apache-2.0
#pragma once

// Ports for the fragments of a datagram that do not have them: those of its first fragment, kept
// for as long as the others may come. Nothing waits and nothing is reassembled: a fragment that
// comes before the first one has ports 0, and is counted. The table is of fixed size: a full bucket
// gives up its oldest datagram. Its hash is keyed, so that no sender can choose who shares a
// bucket. Thread: worker; create, free: control.

#include "sensor/flow/key.h"
#include "sensor/packet/packet.h"

struct fragments;

struct fragment_counters {
	uint64_t seen;	      // fragments
	uint64_t resolved;    // of them: got the ports of their first one
	uint64_t without;     // of them: the first one had not been seen
	uint64_t overlapping; // of them: had bytes that another one had
	uint64_t evicted;     // datagrams given up before their time
};

// For about `n` datagrams at a time; NULL without memory.
struct fragments *fragments_create(size_t n);
void fragments_free(struct fragments *f);

// Gives ports to a packet that is a fragment, or learns them from it.
void fragments_resolve(struct fragments *f, struct packet *pkt);

const struct fragment_counters *fragments_counters(const struct fragments *f);
