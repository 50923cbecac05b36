// SPDX-License-Identifier: Apache-2.0
#pragma once

// NetFlow and IPFIX datagrams out of captures to flow records, by the collector's own ingest: the
// exporter is whoever sent the datagram, the time of receipt that of the packet. Templates are kept
// from one capture to the next.
// Thread: any one at a time.

#include "cli/datagram.h"
#include "cli/tally.h"
#include "lib/record/record.h"

struct decoder;

// Takes a record; 0, or -errno: then it is called no more.
typedef int (*decoder_sink)(void *arg, const struct record *r);

// NULL without memory.
struct decoder *decoder_create(decoder_sink sink, void *arg);

// Everything a datagram holds. 0, or what the sink returned.
[[nodiscard]] int
decoder_take(struct decoder *d, const struct datagram *datagram, uint64_t time_ns);

// Hands the last records to the sink, adds the ingest's drops to the tally, and ends the decoder.
[[nodiscard]] int decoder_finish(struct decoder *d, struct tally *tally);
