// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the store's writer and its readers agree on: hours, users, counters. The bytes in RocksDB
// are in docs/STORE.md.
// Thread: any.

#include "lib/base/clock.h"

#include <stdbool.h>
#include <stdint.h>

#define STORE_NAME_MAX 63    // bytes of an entity or user name
#define STORE_API_ID_LEN 32  // hex digits
#define STORE_SECRET_HASH 32 // SHA-256
#define STORE_ENTITY_DEFAULT "netflow"

// An hour is the unit of storage: hours since 1970 UTC. A record belongs to the hour of its start.
static inline uint32_t store_hour_of(uint64_t ns)
{
	return (uint32_t)(ns / NS_PER_HOUR);
}

static inline uint64_t store_hour_start(uint32_t hour)
{
	return hour * NS_PER_HOUR;
}

// Credentials of the API. The secret itself is shown once and never stored.
struct store_user {
	char api_id[STORE_API_ID_LEN + 1];
	char name[STORE_NAME_MAX + 1];
	char entity[STORE_NAME_MAX + 1];
	char role[16]; // "viewer", "analyst", "admin"
	uint8_t secret_hash[STORE_SECRET_HASH];
	uint64_t generation; // grows with each rotation: tokens carry it and end with it
	uint64_t created_ns;
};

// What an hour of an entity holds.
struct store_hour {
	uint32_t hour;
	uint64_t sealed_rows;  // in blocks, counted in the hour's tables
	uint64_t journal_rows; // committed, not yet sealed: to be scanned
};
