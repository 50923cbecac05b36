// SPDX-License-Identifier: Apache-2.0
#pragma once

// Every key of the store, in one table. A key is its kind, the version of its value's format, and
// what it names; numbers are big-endian, so that keys sort as the numbers do.
// Thread: any.

#include "collector/store/db.h"
#include "collector/store/model.h"
#include "lib/base/addr.h"

//                         after kind and version        value
enum key_kind {
	KEY_ADDRS = 'A',   // entity hour first address      hosts of a part of the hour's table
	KEY_SUMMARY = 'B', // entity hour number             struct block_summary of a sealed block
	KEY_COLUMN = 'C',  // entity hour number field       a column of a sealed block
	KEY_DOC = 'D',	   // kind name                      a small document
	KEY_ENTITY = 'E',  // name                           its number
	KEY_HOUR = 'H',	   // entity hour                    sums of the hour's sealed rows
	KEY_ARRIVED = 'I', // entity hour number             struct block_summary of a journal block
	KEY_JOURNAL = 'J', // entity hour number             a journal block
	KEY_HIT_LOG = 'L', // number                         the key of a hit that changed
	KEY_META = 'M',	   // name                           where the committer stands
	KEY_NAMES = 'N',   // entity hour first name number  names of a part of the hour's names
	KEY_PORTS = 'P',   // entity hour proto first port   ports of a part of the hour's table
	KEY_HIT = 'T',	   // entity hour indicator inside direction   struct hit
	KEY_USER = 'U',	   // api_id                         struct store_user
	KEY_INDEX = 'X',   // entity hour first address      addresses of a part of the hour's hosts
};

#define KEY_VERSION 1
#define KEY_LEN_MAX 80
#define KEY_NAME_LEN 32 // bytes of a part's first name in its key; a shorter one is filled with 0

struct key {
	size_t len;
	uint8_t b[KEY_LEN_MAX];
};

// What an hour's keys name; those of a kind that has no number or field leave them 0.
struct key_parts {
	uint16_t entity;
	uint32_t hour;
	uint64_t number; // of a block
};

static inline struct slice key_slice(const struct key *k)
{
	return (struct slice){k->b, k->len};
}

struct key key_name(enum key_kind kind, const char *name);		 // E M U
struct key key_hour(enum key_kind kind, uint16_t entity, uint32_t hour); // H; start of others
struct key key_block(enum key_kind kind, uint16_t entity, uint32_t hour, uint64_t number); // B I J
struct key key_column(uint16_t entity, uint32_t hour, uint64_t number, uint8_t field);
// A X
struct key key_addrs(enum key_kind kind, uint16_t entity, uint32_t hour, const struct addr *first);
struct key key_ports(uint16_t entity, uint32_t hour, uint8_t proto, uint16_t first);

// `first` is a name as in collector/store/names.h; number: of the part, from 0 on.
struct key
key_names(uint16_t entity, uint32_t hour, const char *first, size_t len, uint32_t number);

// True when the key is one of the kind and our version, with its entity, hour and number.
bool key_parse(struct slice key, enum key_kind kind, struct key_parts *ret_parts);

bool key_is(struct slice key, const struct key *k);
bool key_has_prefix(struct slice key, const struct key *prefix);
