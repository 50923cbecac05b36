// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is remembered of each exporter: one session per transport, address, port and observation
// domain (RFC 3954 §5.1, RFC 7011 §8), with its templates and its place in the sequence. The table
// is keyed by SipHash and capped: a newcomer takes the place of one that never sent a record, or
// of one long silent, never of an active one.
// Thread: the ingest thread that owns the table.

#include "collector/ledger.h"
#include "lib/base/siphash.h"
#include "lib/ipfix/domain.h"

struct session_key {
	struct addr addr;
	uint64_t source; // which socket, or which connection: templates never outlive it
	uint32_t domain;
	uint16_t port;
	uint16_t fixed; // version without templates: its domain is none of v9 and IPFIX, which have
			// 0
};
static_assert(sizeof(struct session_key) == 32, "hashed and compared as bytes");

#define SESSION_SFLOW 0x105 // of struct session_key.fixed

#define SEQUENCE_SEEN 64

// Where a stream of numbered messages stands. A gap is only a loss once a late message could no
// longer fill it; one that has come already does not.
struct sequence {
	uint32_t expected;
	uint32_t late_next; // what would follow the last late message
	uint32_t late_run;  // late messages that followed each other: the numbers began anew
	uint32_t n_seen;
	uint32_t seen[SEQUENCE_SEEN]; // the last messages' numbers, from n_seen % SEQUENCE_SEEN on
	uint64_t gap;
	uint64_t gap_ns;
	bool is_known;
};

enum sequence_event {
	SEQUENCE_OK,
	SEQUENCE_GAP,
	SEQUENCE_LATE,
	SEQUENCE_DUPLICATE,
	SEQUENCE_RESET,
};

struct session {
	struct session_key key;
	struct session *next;	       // in its bucket
	struct session *older, *newer; // in its list
	struct ipfix_domain *domain;   // NULL without templates
	struct sequence sequence;
	uint64_t last_ns;
	uint64_t messages, records, options, lost, resets, reordered, duplicates;
	int64_t skew_ns; // what its clock was ahead of ours in the last message
	bool has_skew;
	int64_t boot_ms;    // v9: when its uptime was 0, by its own clock
	uint32_t uptime_ms; // v9: of the last message
	uint32_t sampling;
	uint16_t version;
	uint16_t entity;
	bool is_restored; // its templates are of before our start, and none of its messages seen
			  // yet
	bool is_trusted;  // its records may say whom they are from and of what entity
	bool is_sensor;	  // its records may say which indicator they met
	bool is_proven;	  // has sent a record
	int32_t named_entity; // what the record being added says; -1: nothing
	struct addr origin;   // whom the last such record was from
	uint16_t origin_entity;
	bool is_tcp;
};

struct session_list {
	struct session *oldest, *newest;
};

struct session_table {
	struct session **buckets;
	uint32_t n_buckets; // a power of two
	uint32_t n, max;
	uint64_t idle_ns;
	struct siphash_key hash_key;
	struct session_list proven, fresh;
	// Told of a session before it goes, so that its open counts are not lost.
	void (*on_del)(void *arg, struct session *s);
	void *arg;
};

[[nodiscard]] int session_table_init(struct session_table *t, uint32_t max, uint64_t idle_ns);
void session_table_fini(struct session_table *t);

// The session, now the most recent one; NULL when there is none.
struct session *
session_find(struct session_table *t, const struct session_key *key, uint64_t now_ns);

// A new session; NULL when all places are taken by active ones, or without memory.
struct session *
session_add(struct session_table *t, const struct session_key *key, uint64_t now_ns);

// The session has sent a record.
void session_prove(struct session_table *t, struct session *s);

// Ends a session.
void session_del(struct session_table *t, struct session *s);

// Ends the sessions of a source.
void session_del_source(struct session_table *t, uint64_t source);

// Calls f for each session, the most recent ones first.
void session_each(struct session_table *t, void (*f)(void *arg, struct session *s), void *arg);

// Takes a message's number; `count` is by how much it moves the numbers on, `reorder` how far back
// a late message may lie.
enum sequence_event sequence_take(
	struct sequence *q, uint32_t number, uint32_t count, uint32_t reorder, uint64_t now_ns
);

// The numbers are not known beyond this message: data without template.
void sequence_forget(struct sequence *q);

// What is lost for good, once gaps are a second old; UINT64_MAX: all.
uint64_t sequence_lost(struct sequence *q, uint64_t now_ns);
