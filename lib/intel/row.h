// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inside of feed parsing: a row of named values becomes an indicator. Tables, JSON objects and
// STIX indicators all end here, so that a rule (what "None" means, what an expired row is) is said
// once.
// Thread: the one that parses the feed.

#include "lib/intel/feed.h"

enum row_role {
	ROW_IGNORED,
	ROW_VALUE,
	ROW_URL, // a value of which the host counts, when it is an address
	ROW_PORT,
	ROW_PROTO,
	ROW_TYPE,
	ROW_CATEGORY,
	ROW_SCORE,
	ROW_SCORE_127, // Suricata's scale
	ROW_RISK_10,   // AlienVault's
	ROW_RELIABILITY_10,
	ROW_SEVERITY,
	ROW_CONFIDENCE,
	ROW_FIRST_SEEN,
	ROW_LAST_SEEN,
	ROW_EXPIRES,
	ROW_REFERENCE,
	ROW_DESCRIPTION,
	ROW_COMPROMISED, // the address is a victim's: less weight
	ROW_SHARED,	 // of a CDN: likewise
	ROW_ACTIVE,	 // a flag that is to be set: MISP's to_ids, OTX's is_active
	ROW_ALLOW,	 // whitelist flag of Zeek
	ROW_REMOVED,	 // Zeek's: no longer meant
	ROW_N_ROLES
};

struct field {
	const char *p;
	size_t len; // 0: absent
};

struct row {
	struct field fields[ROW_N_ROLES];
};

struct feed_parser {
	const struct feed_options *o;
	struct intel_list *list;
	struct feed_report *report;
	uint32_t now_sec;
	uint32_t line;
	char category[INTEL_LIST_TEXT_MAX + 1]; // of the feed's own head (FireHOL)
	bool is_allow;				// by the content: MISP's warning lists
	bool no_memory;
};

// The role of a column or member by its name (case does not count), or ROW_IGNORED.
enum row_role row_role_of(const char *name, size_t len);

static inline void row_set(struct row *r, enum row_role role, const char *p, size_t len)
{
	if (len && !r->fields[role].len)
		r->fields[role] = (struct field){p, len};
}

// Makes the row's indicator part of the list, or counts why not.
void row_take(struct feed_parser *f, const struct row *r);

// Counts a line that is not what it should be.
void row_reject(struct feed_parser *f, const char *why, const char *sample, size_t len);

// One file each: ---------------------------------------------------------------------------------

struct text_lines {
	const char *p, *end;
	uint32_t number;
	bool is_table; // of tabs: those at the ends of a line belong to it
};

// The next line without its end (CR LF, LF), blanks at both ends cut; false at the end.
bool text_next(struct text_lines *t, struct field *ret_line);

static inline bool text_is_comment(const struct field *l)
{
	return l->len == 0 || *l->p == '#' || *l->p == ';' ||
	       (l->len > 1 && l->p[0] == '/' && l->p[1] == '/');
}

// Whether at least one in `one_in` of the first lines pleases `fits`: a bad one at the top does not
// hide what the feed is.
bool text_fits_often(
	const char *data, size_t len, bool (*fits)(const struct field *line), unsigned one_in
);

// Each tells whether the content looks like its format, and parses it.
bool feed_commas_fits(const char *data, size_t len);
void feed_commas_parse(struct feed_parser *f, const char *data, size_t len);
bool feed_plain_fits(const char *data, size_t len);
void feed_plain_parse(struct feed_parser *f, const char *data, size_t len);
bool feed_iprep_fits(const char *data, size_t len);
void feed_iprep_parse(struct feed_parser *f, const char *data, size_t len);
bool feed_alienvault_fits(const char *data, size_t len);
void feed_alienvault_parse(struct feed_parser *f, const char *data, size_t len);
bool feed_csv_fits(const char *data, size_t len);
void feed_csv_parse(struct feed_parser *f, const char *data, size_t len);
bool feed_zeek_fits(const char *data, size_t len);
void feed_zeek_parse(struct feed_parser *f, const char *data, size_t len);
bool feed_jsonl_fits(const char *data, size_t len);
void feed_jsonl_parse(struct feed_parser *f, const char *data, size_t len);
bool feed_json_fits(const char *data, size_t len);
void feed_json_parse(struct feed_parser *f, const char *data, size_t len);

// The comparisons of a STIX pattern that can be matched ("ipv4-addr:value = 'x' OR …"); calls take
// for each value. False: there is something in it that is not such a comparison (`*ret_invalid`:
// not even a pattern).
bool stix_pattern_each(
	const char *pattern,
	size_t len,
	void (*take)(void *ctx, const char *value, size_t len, bool is_exact),
	void *ctx,
	bool *ret_invalid
);
