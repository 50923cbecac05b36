// SPDX-License-Identifier: Apache-2.0
#pragma once

// Flow records to one collector: encoded as IPFIX or NetFlow v9, at most so many a second.
// Thread: any one at a time; may block.

#include "cli/sender.h"
#include "lib/ipfix/encode.h"

struct outlet_options {
	const struct endpoint *to;	      // used by outlet_open only
	struct ipfix_encoder_options encoder; // max_len is set here
	uint64_t rate;			      // records a second at most; 0: no limit
};

struct outlet {
	struct outlet_options o;
	bool is_stream;
	struct sender *sender;
	struct ipfix_encoder *encoder;
	uint64_t n_sent;     // records in messages that were sent
	uint64_t n_messages; // sent, without those of templates alone
	uint64_t begin_ns, templates_ns;
	uint64_t newest_ns; // end of the message's newest flow
};

// Connects. 0, or -errno.
[[nodiscard]] int outlet_open(struct outlet *o, const struct outlet_options *options);

// Adds a record to the message being built, which is sent when it is full. 0, or -errno.
[[nodiscard]] int outlet_add(struct outlet *o, const struct record *r);

// Sends what waits.
[[nodiscard]] int outlet_flush(struct outlet *o);

// Sends what waits and closes (sender_close). 0, or -errno; ends the outlet either way.
[[nodiscard]] int outlet_close(struct outlet *o);
void outlet_abandon(struct outlet *o);

// Sleeps until the monotonic clock says `due_ns`, or a signal comes.
void outlet_sleep(uint64_t due_ns);
