// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a feed is: where it comes from, how often, and what is thought of what it says. Written in
// the settings as a list ("LOCATION", "key=value", …), kept in the store as JSON.
// Thread: any; pure.

#include "lib/intel/feed.h"

#include <jansson.h>

#define FEED_LOCATION_MAX 1023
#define FEED_WORD_MAX 63
#define FEED_ERROR_LEN 256

struct feed_def {
	char name[INTEL_FEED_NAME_MAX + 1];
	char location[FEED_LOCATION_MAX + 1]; // https URL, file or directory
	char format[16];
	char category[FEED_WORD_MAX + 1];
	char ca_file[FEED_LOCATION_MAX + 1]; // certificates for its URL; "": the system's
	uint16_t score;
	uint8_t severity, confidence;
	bool is_allow, keep_reserved, is_exact, allow_private;
	uint64_t every_ns; // between two looks
	uint64_t timeout_ns;
	uint64_t max_age_ns; // of an indicator since it was last seen; 0: any
	size_t max_len;	     // bytes
	size_t max_items;
	uint8_t min_share; // percent of the last good copy that a new one must have
	bool is_stored;	   // by `weir feeds add`, not by the settings
};

// A name: 1 to 63 of a-z, 0-9, '_', '-', '.', not beginning with '.'.
bool feed_def_is_name(const char *name);

// From a list as in the settings. 0, or -EINVAL with the reason in `error`.
[[nodiscard]] int feed_def_parse(
	const char *name,
	const char *const *words,
	size_t n,
	struct feed_def *ret_def,
	char error[static FEED_ERROR_LEN]
);

// Every setting by name, also for the list of feeds; NULL without memory.
json_t *feed_def_json(const struct feed_def *d);

// Back from feed_def_json, or from a client's words. 0, or -EINVAL with the reason.
[[nodiscard]] int feed_def_of_json(
	const char *name,
	const json_t *json,
	struct feed_def *ret_def,
	char error[static FEED_ERROR_LEN]
);

// As feed_parse wants it; it points into the definition.
struct feed_options feed_def_options(const struct feed_def *d);

bool feed_def_is_url(const struct feed_def *d);

// The first refused lines: number, why, beginning; NULL without memory.
json_t *feed_rejects_json(const struct feed_report *r);
