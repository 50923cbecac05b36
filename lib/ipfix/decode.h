// SPDX-License-Identifier: Apache-2.0
#pragma once

// NetFlow v9 and IPFIX messages to flow records. A message is parsed (its header, and the lengths
// of all its sets and definitions), then a reader gives its records one by one; template and
// options sets are taken into the domain on the way, and data that waited for a template comes out
// where the template comes in.
//
//   while (!ipfix_message_parse(&datagram, now, &m)) {
//           ipfix_reader_init(&reader, domain_of(&m), &m);
//           while ((r = ipfix_reader_next(&reader)))
//                   use(r);
//   }
// Thread: the one that owns the domain.

#include "lib/ipfix/domain.h"

enum ipfix_status {
	IPFIX_OK,
	IPFIX_END, // no bytes left but padding
	IPFIX_BAD_VERSION,
	IPFIX_BAD_LENGTH,   // of message or set: nothing of it may be used (RFC 7011 §9.1)
	IPFIX_BAD_TEMPLATE, // a definition that is cut short, or with an id below 256
};

struct ipfix_message {
	uint16_t version; // 9 or 10
	uint32_t domain;
	uint32_t sequence;
	uint32_t uptime_ms; // v9
	uint64_t export_ns;
	uint64_t recv_ns;
	struct buf sets;
};

// Takes the next message from the datagram or stream at b. After any other status than IPFIX_OK
// what is left at b has no meaning.
enum ipfix_status
ipfix_message_parse(struct buf *b, uint64_t recv_ns, struct ipfix_message *ret_message);

struct ipfix_reader {
	struct ipfix_domain *domain;
	const struct ipfix_message *message;
	struct buf sets; // what is left of the message
	struct buf definitions;
	struct buf rows; // of the data set being read
	const struct ipfix_template *template;
	bool options_definitions;
	bool is_malformed;	      // a row overran its set: the rest was not read
	struct ipfix_pending *replay; // the set that `rows` is of, else the message
	uint16_t replay_id;
	struct ipfix_message replay_message;
	bool wants_hits;    // hits come out of ipfix_reader_next too; may be set after init
	uint32_t n_records; // data records of the message itself, options too: what IPFIX numbers
	uint32_t n_unread;  // data sets without template: n_records is too low
	struct ipfix_values values;
};

void ipfix_reader_init(
	struct ipfix_reader *r, struct ipfix_domain *d, const struct ipfix_message *m
);

// The next flow record, or NULL at the end. It lies in the reader, may be changed, and lives until
// the next call.
struct record *ipfix_reader_next(struct ipfix_reader *r);

// Whether the record just read is no flow but the word of a hit (encode_hit.h), of a flow that may
// still go on. Only where they are wanted.
static inline bool ipfix_reader_is_hit(const struct ipfix_reader *r)
{
	return r->template->is_options;
}

// A number that came with the record just read and is no member of it; false when none did.
static inline bool
ipfix_reader_aux(const struct ipfix_reader *r, enum ipfix_aux a, uint64_t *ret_value)
{
	if (!(r->template->aux & AUX_BIT(a)))
		return false;
	*ret_value = r->values.aux[a];
	return true;
}

// A text that came with the word of a hit (AUX_TEXT_VALUE, …); of no length: none did.
static inline struct record_str ipfix_reader_text(const struct ipfix_reader *r, enum ipfix_aux a)
{
	return r->values.texts[a - AUX_N_NUMBERS];
}
