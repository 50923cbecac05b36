// SPDX-License-Identifier: Apache-2.0
#pragma once

// A feed's bytes to indicators. The form is told by the content (or named): plain lists of
// addresses, networks and names (FireHOL, Spamhaus DROP, Emerging Threats, hosts files, AlienVault,
// DShield, ipsum), tables with a header line (abuse.ch, OneFirewall, MISP CSV, our own), Suricata
// iprep, Zeek intel, JSON lines and documents (Spamhaus, Feodo, OTX, our own, MISP events, STIX
// 2.1 bundles). Columns and members are found by name, never by place. One bad line never spoils
// the rest: it is counted, and the first ones are kept with their numbers.
// Thread: any that may block; a whole parse belongs to one.

#include "lib/intel/list.h"

#define FEED_REJECTS_SHOWN 5
#define FEED_LINE_MAX 65536 // bytes of a line; longer ones are rejected
#define FEED_WHY_LEN 96
#define FEED_SAMPLE_LEN 80

struct feed_options {
	const char *name;
	const char *format;   // one of feed_formats' names; NULL or "auto": by the content
	const char *category; // of indicators that say none themselves
	uint16_t score;	      // likewise; 0: 700
	uint8_t severity;     // likewise; 0: by the score
	uint8_t confidence;   // likewise; 0: 75
	bool is_allow;	      // an allow-list
	bool keep_reserved;   // private and other reserved networks too (own networks' lists)
	bool is_exact;	      // names mean themselves only, not those below
	uint32_t max_age_sec; // indicators last seen longer ago are left out; 0: never
	size_t max_items;     // 0: no limit
};

struct feed_reject {
	uint32_t line; // or item of a document, from 1
	char why[FEED_WHY_LEN];
	char sample[FEED_SAMPLE_LEN]; // the beginning, control characters as '?'
};

struct feed_report {
	const char *format; // NULL: not recognised
	uint64_t lines;	    // or items, comments and empty ones left out
	uint64_t taken;
	uint64_t rejected;    // not what the format promises
	uint64_t unsupported; // well formed, but of a kind nothing here can match (file hashes, …)
	uint64_t reserved;    // private and other reserved networks
	uint64_t expired;
	uint64_t over_limit;
	uint32_t n_rejects;
	struct feed_reject rejects[FEED_REJECTS_SHOWN];
};

struct feed_format {
	const char *name;
	const char *text;
};

extern const struct feed_format feed_formats[]; // ended by a NULL name

// 0 with the list (the caller's reference) and the report; -EINVAL: unknown or unrecognisable
// format (report->format is NULL), or nothing in a non-empty feed could be used; -ENOMEM.
[[nodiscard]] int feed_parse(
	const struct feed_options *o,
	const char *data,
	size_t len,
	uint64_t now_ns,
	struct intel_list **ret_list,
	struct feed_report *ret_report
);
