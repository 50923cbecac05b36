// SPDX-License-Identifier: Apache-2.0
#pragma once

// One ingest thread's intake, fed with handwritten messages. Batches hold one row, so that rows are
// at the committer at once; a test's end checks that all memory came back and that the sum of the
// ledger holds.

#include "collector/ingest/intake.h"
#include "tests/unit/collector/ingest/sink.h"
#include "tests/unit/lib/ipfix/message.h"

static struct ledger ledger;
static struct commit sink;
static struct ingest_options options;
static struct intake in;
static uint64_t now_ns;

static inline void intake_start(void)
{
	options.commit = &sink;
	options.ledger = &ledger;
	assert_int_equal(intake_init(&in, &options), 0);
}

static inline uint64_t count(enum ledger_id id)
{
	return in.counts[id] + ledger_get(&ledger, id);
}

static inline void intake_end(void)
{
	intake_fini(&in);
	uint64_t lost = count(LEDGER_no_address) + count(LEDGER_no_memory);
	assert_int_equal(count(LEDGER_records), sink_rows(&sink) + lost);
	assert_int_equal(in.budget.used, 0);
	assert_int_equal(in.sessions.n, 0);
}

static inline int set_up(void **)
{
	ledger = (struct ledger){};
	sink_init(&sink, 1);
	options = ingest_defaults();
	now_ns = NOW;
	intake_start();
	return 0;
}

static inline int tear_down(void **)
{
	intake_end();
	sink_fini(&sink);
	return 0;
}

// Begins anew after the test has changed the options.
static inline void intake_restart(void)
{
	intake_end();
	ledger = (struct ledger){};
	sink_clear(&sink);
	intake_start();
}

// An exporter at 192.0.2.<last>.
static inline struct peer peer_of(uint8_t last)
{
	return (struct peer){
		.addr = addr_of_v4((const uint8_t[]){192, 0, 2, last}),
		.port = 2055,
	};
}

static inline void deliver_from(struct peer p)
{
	intake_datagram(&in, &p, message(), now_ns);
}

static inline void deliver(void)
{
	deliver_from(peer_of(1));
}

static inline uint64_t n_rows(void)
{
	return sink_rows(&sink);
}

static inline struct record row_at(uint64_t n)
{
	return sink_row(&sink, n, NULL);
}

static inline void assert_exporter(const struct record *r, uint8_t last)
{
	struct addr a = peer_of(last).addr;
	assert_memory_equal(&r->exporter, &a, sizeof(a));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
