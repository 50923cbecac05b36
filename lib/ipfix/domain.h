// SPDX-License-Identifier: Apache-2.0
#pragma once

// What must be remembered of one observation domain of one session: templates, sampling rates,
// and data that came before its template. Everything is capped; what is refused is counted. The
// budget is shared by the domains of one thread, so that no exporter can take all memory.
// Thread: the one that owns the session.

#include "lib/ipfix/template.h"

#define IPFIX_SAMPLERS_MAX 64
#define IPFIX_PENDING_MAX 256 // sets that wait: each template learnt looks through them

struct ipfix_budget {
	size_t used, max; // bytes
};

struct ipfix_limits {
	uint32_t templates;   // of a domain
	uint32_t fields;      // of a template, at most IPFIX_FIELDS_LIMIT
	uint32_t pending_len; // bytes of data waiting for their templates
	uint64_t pending_ns;  // how long they wait
	uint64_t lifetime_ns; // of a template not announced again (UDP, RFC 7011 §8.4); 0: no end
	uint32_t weir_pen;    // the enterprise number of our own elements
	bool is_reliable;     // TCP: withdrawals count (RFC 7011 §8.1, §8.4)
};

// Events since they were last taken; whoever owns the domain reads and clears them.
struct ipfix_counts {
	uint32_t templates;
	uint32_t bad_templates;
	uint32_t template_limit;
	uint32_t template_unknown; // sets
	uint32_t buffered;	   // sets
	uint32_t bad_pending;	   // sets that waited and do not fit their template
	uint32_t options;	   // records
	uint32_t unknown_fields;   // in templates learnt
	uint32_t time_missing;	   // records without any time: export time used
	uint32_t bad_text;	   // fields left out: not UTF-8
};

struct ipfix_sampler {
	uint64_t id;
	uint32_t rate;
};

struct ipfix_message;

// A data set kept until its template comes, with the header of the message it came in.
struct ipfix_pending {
	struct ipfix_pending *next;
	uint64_t recv_ns;
	uint64_t export_ns;
	uint32_t uptime_ms;
	uint16_t version;
	uint16_t id;
	uint32_t len;
	uint8_t data[];
};

struct ipfix_domain {
	struct ipfix_limits limits;
	struct ipfix_budget *budget;
	struct ipfix_counts counts;
	struct ipfix_template **pages[256]; // by the id's high byte, each 256 by its low one
	struct ipfix_template *first[2];    // of those that are no options, and those that are
	uint32_t n_templates;
	uint64_t swept_ns;
	uint64_t learnt_ns; // when a template was last announced; 0: never
	struct ipfix_pending *pending, **pending_end;
	size_t pending_len;
	uint32_t n_pending;
	struct ipfix_sampler samplers[IPFIX_SAMPLERS_MAX];
	uint32_t n_samplers;
	uint32_t sampling;	 // announced without a sampler's id; 0: not
	uint64_t system_init_ms; // IPFIX: what sysUpTime counts from, when options say so; 0: not
};

// An empty domain, or NULL without memory.
struct ipfix_domain *
ipfix_domain_create(const struct ipfix_limits *limits, struct ipfix_budget *budget);
void ipfix_domain_free(struct ipfix_domain *d);

// Forgets templates and options: the exporter has started anew (RFC 3954 §9).
void ipfix_domain_reset(struct ipfix_domain *d);

// A live template, or NULL.
const struct ipfix_template *
ipfix_domain_find(const struct ipfix_domain *d, uint16_t id, uint64_t now_ns);

// Learns, refreshes or replaces a template. True when data waiting for it can be replayed.
bool ipfix_domain_learn(
	struct ipfix_domain *d,
	const struct ipfix_template_head *head,
	const uint8_t *fields,
	size_t len,
	uint64_t now_ns
);

// Forgets one template, or all of its kind for id 2 or 3 (RFC 7011 §8.1).
void ipfix_domain_withdraw(struct ipfix_domain *d, uint16_t id);

// Keeps a data set whose template is not known.
void ipfix_domain_keep(
	struct ipfix_domain *d, const struct ipfix_message *m, uint16_t id, struct buf set
);

// Takes the oldest set waiting for the template, or NULL; the caller gives it back to
// ipfix_domain_drop.
struct ipfix_pending *ipfix_domain_take(struct ipfix_domain *d, uint16_t id);
void ipfix_domain_drop(struct ipfix_domain *d, struct ipfix_pending *p);

// Gives up sets that have waited too long; call it now and then.
void ipfix_domain_tick(struct ipfix_domain *d, uint64_t now_ns);

// The rate of the sampler, or of the domain; 0 when unknown.
uint32_t ipfix_domain_sampling(const struct ipfix_domain *d, bool has_id, uint64_t id);

// What an options record announced.
void ipfix_domain_announce_sampling(
	struct ipfix_domain *d, bool has_id, uint64_t id, uint32_t rate
);
