// SPDX-License-Identifier: Apache-2.0
#pragma once

// Flow records to IPFIX messages (RFC 7011; biflows by RFC 5103), or to NetFlow v9 (RFC 3954) or v5
// packets. One encoder is one exporting process's stream for one observation domain: it numbers
// its records (v9: its packets), knows its templates and builds one message at a time in its own
// memory. It sends nothing: sensor/export and the weir command do.
//
// What v9 cannot say is left out: texts and our own elements. Counters of the way back become its
// OUT counters, times are milliseconds of sysUptime. v5 says what its 48 bytes can hold.
// Thread: the one that owns the encoder.

#include "lib/record/record.h"

struct ipfix_encoder;

struct ipfix_encoder_options {
	uint32_t domain;  // observation domain id
	uint16_t max_len; // of a message, 544..65535 (896 without biflow): what fits the path's MTU
	bool biflow;	  // false: a biflow leaves as two uniflows
	uint32_t pen;	  // stands in for PEN_WEIR; 0: PEN_WEIR itself
	uint16_t version; // 5, 9: NetFlow; else IPFIX
	bool exact_times; // IPFIX: nanoseconds, not milliseconds
	// IPFIX, for records that are passed on: tell exporter, domain and sampling rate of each,
	// and the entity it belongs to, by its number in the collector's store.
	bool origin;
	bool has_entity;
	uint16_t entity;
};

[[nodiscard]] int ipfix_encoder_create(
	const struct ipfix_encoder_options *options, struct ipfix_encoder **ret_encoder
);
void ipfix_encoder_free(struct ipfix_encoder *e);

// Adds a record to the message being built. 0, or -ENOSPC when it does not fit any more: take the
// message with ipfix_encoder_finish and add it again. NetFlow v5: -EAFNOSUPPORT for IPv6.
[[nodiscard]] int ipfix_encoder_add(struct ipfix_encoder *e, const struct record *r);

// Ends the message being built: its bytes, valid until the next call, and their number, 0 when
// there is nothing to send. `now_ns` becomes the export time; in v9, whose times are relative to
// it, no flow may be further from it than 24 days. *ret_records (may be NULL) gets the number of
// data records within, which the sequence number counts (RFC 7011 §3.1).
size_t ipfix_encoder_finish(
	struct ipfix_encoder *e, uint64_t now_ns, const uint8_t **ret_message, uint32_t *ret_records
);

// A message with every template and options template, to be sent before data, on reconnect, and
// over UDP again and again (RFC 7011 §8.4). Only between ipfix_encoder_finish and _add.
size_t
ipfix_encoder_templates(struct ipfix_encoder *e, uint64_t now_ns, const uint8_t **ret_message);

// Counts records that were made but never sent, so that the gap shows in the sequence
// (RFC 7011 §10.2.2). In v9 that is one packet.
void ipfix_encoder_skip(struct ipfix_encoder *e, uint32_t n_records);
