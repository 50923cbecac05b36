// SPDX-License-Identifier: Apache-2.0
#pragma once

// The word of a hit: what a sensor tells at once of a flow that met an indicator, while the flow
// goes on. It is an options data record (RFC 7011 §3.4.2) whose scope is the indicator, so that a
// collector which does not know it takes it for no flow; it explains the indicator itself.
// Thread: the one that owns the encoder.

#include "lib/ipfix/elements.h"
#include "lib/ipfix/encode.h"

struct ipfix_hit {
	// start_ns, src, dst, sport, dport, proto, server_name, indicator, score, matched
	struct record record;
	uint8_t type, severity, confidence;
	struct record_str texts[AUX_N_TEXTS]; // from AUX_TEXT_VALUE on; cut to what fits
};

// As ipfix_encoder_add. -ENOTSUP: NetFlow cannot say it.
[[nodiscard]] int ipfix_encoder_add_hit(struct ipfix_encoder *e, const struct ipfix_hit *h);
