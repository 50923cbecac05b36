// SPDX-License-Identifier: Apache-2.0
#pragma once

// For encode.c, encode_hit.c, encode_options.c and encode_v5.c: the encoder from within.
// Thread: the one that owns the encoder.

#include "lib/ipfix/encode_options.h"
#include "lib/ipfix/encode_template.h"

enum encoder_option {
	ENCODER_STATISTICS,
	ENCODER_SAMPLING,
	ENCODER_SAMPLING_RANDOM,
	ENCODER_INTERFACE,
	ENCODER_N_OPTIONS,
};

struct ipfix_encoder {
	struct ipfix_encoder_options o;
	uint32_t sequence; // before the message being built: of data records, in v9 of messages
	uint32_t n_records;
	uint32_t n_templates;	  // defined in the message being built
	uint64_t boot_ns;	  // v5, v9: what sysUptime counts from
	uint16_t text_max;	  // bytes of all texts of a record together
	uint64_t group_fields[7]; // record.set bits of each group of log2 index
	struct wbuf w;
	size_t set_at;	 // where the open data set starts; 0: none is open
	uint16_t set_id; // its template
	struct ipfix_out_template templates[N_TEMPLATES];
	bool hits_announced; // likewise, of the options template of hits
	bool hits_used;
	struct ipfix_sampling sampling5; // v5: told in every header
	bool options_announced[ENCODER_N_OPTIONS], options_used[ENCODER_N_OPTIONS];
	uint8_t *message;
};

// Ends the open set, if any, and begins another.
void ipfix_encoder_set(struct ipfix_encoder *e, uint16_t id);

// The options template of hits, in a set of its own; what does not fit is left out.
void ipfix_encoder_hit_template(struct ipfix_encoder *e);

// Likewise, of the others.
void ipfix_encoder_option_templates(struct ipfix_encoder *e);

// Where the message being built stands, to go back to when something does not fit.
struct ipfix_encoder_mark {
	uint8_t *p;
	size_t set_at;
	uint16_t set_id;
	uint32_t n_records, n_templates;
};

static inline struct ipfix_encoder_mark ipfix_encoder_mark(const struct ipfix_encoder *e)
{
	return (struct ipfix_encoder_mark
	){e->w.p, e->set_at, e->set_id, e->n_records, e->n_templates};
}

static inline void ipfix_encoder_back(struct ipfix_encoder *e, const struct ipfix_encoder_mark *m)
{
	e->w.full = false;
	e->w.p = m->p;
	e->set_at = m->set_at;
	e->set_id = m->set_id;
	e->n_records = m->n_records;
	e->n_templates = m->n_templates;
}
