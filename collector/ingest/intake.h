// SPDX-License-Identifier: Apache-2.0
#pragma once

// One ingest thread's work between sockets and committer: a datagram or stream message goes in,
// its records are finished (exporter, times, verdict) and laid into the open batches. Counters are
// kept here and given to the ledger once per round. Every now_ns is of a clock that nobody sets.
// Thread: the ingest thread that owns it.

#include "collector/ingest/ingest.h"
#include "collector/ingest/session.h"
#include "lib/ipfix/decode.h"

struct peer {
	struct addr addr;
	uint16_t port;
	bool is_tcp;
	uint64_t source; // which socket or connection
};

struct open_batch {
	struct record_batch *batch;
	uint64_t since_ns; // when its first row came
};

struct intake {
	const struct ingest_options *o;
	struct session_table sessions;
	struct ipfix_budget budget;
	struct ipfix_reader reader;
	struct open_batch *open;
	uint32_t n_open;
	uint64_t now_ns;   // of the last look at all sessions
	uint64_t wall_ns;  // what the wall clock is ahead of the now_ns of all calls
	uint64_t n_learnt; // templates and options, ever: whether there is something to keep
	uint64_t counts[LEDGER_N];
};

[[nodiscard]] int intake_init(struct intake *in, const struct ingest_options *o);

// Pushes what is open, ends all sessions, hands the last counts over.
void intake_fini(struct intake *in);

// Everything a datagram holds.
void intake_datagram(struct intake *in, const struct peer *p, struct buf data, uint64_t now_ns);

// Whether the allow-list lets the exporter in.
bool intake_allows(const struct intake *in, const struct addr *a);

enum intake_result {
	INTAKE_TAKEN,
	INTAKE_MALFORMED, // nothing of it was used
	INTAKE_NONSENSE,  // no IPFIX: nor will be what follows
};

// One whole IPFIX message of a stream.
enum intake_result
intake_message(struct intake *in, const struct peer *p, struct buf data, uint64_t now_ns);

// The stream's connection has ended: so have its sessions.
void intake_close(struct intake *in, const struct peer *p);

// Pushes batches whose time has come, gives up what waited too long.
void intake_tick(struct intake *in, uint64_t now_ns);

// Adds the counts to the ledger.
void intake_account(struct intake *in);

// For v5.c, v9.c, ipfix.c and sflow.c:
// -------------------------------------------------------------------

// The peer's session of the domain, made when it is new; NULL (and counted) when it is refused.
struct session *
intake_session(struct intake *in, const struct peer *p, struct session_key key, uint64_t now_ns);

// Finishes a record and adds it to the batch of its entity.
void intake_add(struct intake *in, struct session *s, struct record *r, uint64_t now_ns);

// Notes what the exporter's clock says.
void intake_clock(const struct intake *in, struct session *s, uint64_t export_ns, uint64_t now_ns);

// Takes the message's number and counts what that tells. The event, for who wants to know.
enum sequence_event intake_sequence(
	struct intake *in, struct session *s, uint32_t number, uint32_t count, uint64_t now_ns
);

// Reads a v9 or IPFIX message's records.
void intake_read(struct intake *in, struct session *s, const struct ipfix_message *m);

void v5_take(struct intake *in, const struct peer *p, struct buf data, uint64_t now_ns); // 1, 5, 7
void sflow_take(struct intake *in, const struct peer *p, struct buf data, uint64_t now_ns);
void v9_take(struct intake *in, const struct peer *p, const struct ipfix_message *m);
void ipfix_take(struct intake *in, const struct peer *p, const struct ipfix_message *m);
