// SPDX-License-Identifier: Apache-2.0
#pragma once

// What can be said of a row only once all of it has been read: times in whichever of their many
// encodings it has, sampling, the direction of second counters, ICMP in a port.
// Thread: the one that owns the domain.

#include "lib/ipfix/decode.h"

// Completes a flow record.
void ipfix_values_finish(
	struct ipfix_values *v,
	const struct ipfix_template *t,
	const struct ipfix_message *m,
	struct ipfix_domain *d
);

// Takes an options record into the domain.
void ipfix_values_announce(
	const struct ipfix_values *v, const struct ipfix_template *t, struct ipfix_domain *d
);
