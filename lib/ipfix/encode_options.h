// SPDX-License-Identifier: Apache-2.0
#pragma once

// What an exporter tells of itself: options data records (RFC 7011 §3.4.2 and §4; NetFlow v9:
// RFC 3954 §6.1) of its own counters, of how packets were sampled (RFC 5477) and of the interfaces
// that flow records number.
// Thread: the one that owns the encoder.

#include "lib/ipfix/encode.h"

// Since the start, of the observation domain.
struct ipfix_statistics {
	uint64_t bytes, messages, flows; // sent: exportedOctet, -Message, -FlowRecordTotalCount
	uint64_t observed_flows;	 // made, sent or not
	uint64_t not_sent_flows;	 // that were lost on the way
	uint64_t ignored_packets;	 // received, but in no flow
	uint64_t dropped_packets;	 // lost by the interfaces
};

struct ipfix_sampling {
	uint32_t n; // 1 of n packets is looked at
	bool is_random;
};

struct ipfix_interface {
	uint32_t index; // as in_if of records
	const char *name, *description;
};

// Each as ipfix_encoder_add; what the version cannot say is left out.
[[nodiscard]] int
ipfix_encoder_add_statistics(struct ipfix_encoder *e, const struct ipfix_statistics *s);
[[nodiscard]] int
ipfix_encoder_add_sampling(struct ipfix_encoder *e, const struct ipfix_sampling *s);
[[nodiscard]] int
ipfix_encoder_add_interface(struct ipfix_encoder *e, const struct ipfix_interface *i);
