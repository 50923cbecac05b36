// SPDX-License-Identifier: Apache-2.0
#pragma once

// Exported flow records in: N threads, each with sockets of its own on every address (the kernel
// spreads exporters over them by SO_REUSEPORT), its own sessions and its own open batches. What
// they decode goes to the committer (collector/commit.h); what they cannot use is counted.
// Thread: control.

#include "collector/commit.h"
#include "lib/base/endpoint.h"
#include "lib/ipfix/domain.h"

enum { INGEST_UDP, INGEST_TCP }; // struct endpoint.kind, for endpoint_parse's {"udp", "tcp", NULL}

#define INGEST_LISTEN_MAX 16
#define INGEST_THREADS_MAX 64
#define INGEST_WARNING_LEN 256

struct kept_table;

struct ingest_entity {
	struct prefix prefix; // of exporters' addresses; the longest that holds one counts
	uint16_t entity;
};

// Arrays stay the caller's and must outlive the ingest.
struct ingest_options {
	const struct endpoint *listen;
	size_t n_listen;
	unsigned threads;
	const struct ingest_entity *entities;
	size_t n_entities;
	uint16_t default_entity;
	const struct prefix *allow; // exporters to listen to; none: all
	size_t n_allow;
	const struct prefix *trust; // peers whose exporter field counts (weir import); none: nobody
	size_t n_trust;
	const struct prefix *sensors; // peers whose word of an indicator counts
	size_t n_sensors;
	uint64_t clock_skew_ns; // records further off the receive time take that instead; 0: never
	uint64_t flush_ns;	// the oldest row of an open batch waits no longer
	uint64_t idle_ns;	// a session not heard of may make room; a connection is closed
	uint32_t max_exporters; // sessions (exporter and domain) of a thread
	uint32_t max_connections; // of a thread
	uint32_t open_batches; // a thread holds at most; the committer needs more than all of them
	int rcvbuf;	       // bytes of each UDP socket's receive buffer
	size_t memory;	       // bytes of templates and waiting data of a thread
	struct ipfix_limits limits;
	struct kept_table *kept; // what was known before the start (kept.h); NULL: nothing
	struct commit *commit;
	struct ledger *ledger;
};

// What ingest knows of a session.
struct ingest_exporter {
	struct addr addr;
	uint32_t domain;
	uint16_t port;
	uint16_t version; // 1, 5, 7, 9, 10
	bool is_sflow;	  // of version 5
	uint16_t entity;
	bool is_tcp;
	uint32_t templates;
	uint32_t sampling; // last seen; 0 unknown
	uint64_t messages, records, options, lost, resets, reordered, duplicates;
	uint64_t last_ns;
	uint64_t template_ns; // when one was last announced; 0: never
	int64_t skew_ns;      // what its clock was ahead of ours in the last message
	bool has_skew;
};

struct ingest;

// Every default; listen, commit and ledger are left to the caller.
struct ingest_options ingest_defaults(void);

// Opens the sockets and starts the threads. 0, or -errno with its words in `warning`; also with 0
// `warning` may hold what the operator should know (a receive buffer the kernel capped), else "".
[[nodiscard]] int ingest_start(
	const struct ingest_options *options,
	struct ingest **ret_ingest,
	char warning[static INGEST_WARNING_LEN]
);

// Writes what sessions know, as of some seconds ago, and what was kept and not taken up, to w
// (collector/ingest/kept.h). Thread: any.
void ingest_keep(struct ingest *g, struct wbuf *w);

// The same as below, but what sessions know stays for ingest_keep until then.
void ingest_finish(struct ingest *g);

// Reads what already waits in the sockets (for at most two seconds), pushes all rows, ends.
void ingest_stop(struct ingest *g);

// Whether every thread has gone on since the last call. One that waits for a free batch has not.
// Thread: control.
bool ingest_goes_on(struct ingest *g);

// The port that listen[i] got: what was asked for, or the kernel's choice for port 0.
unsigned ingest_port(const struct ingest *g, size_t i);

// Up to `max` sessions as of at most a second ago; returns their number.
size_t ingest_exporters(struct ingest *g, struct ingest_exporter *ret_list, size_t max);
