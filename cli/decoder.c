// SPDX-License-Identifier: Apache-2.0
#include "cli/decoder.h"

#include "collector/ingest/intake.h"
#include "lib/base/clock.h"

#include <stdlib.h>

#define BATCH_ROWS 1024
#define EXPORTERS_MAX 65536
#define MEMORY_MAX ((size_t)256 << 20)

// What stands behind the ingest here: not a committer but the sink.
struct commit {
	decoder_sink sink;
	void *arg;
	int error; // of the sink
	struct record_batch *batch;
};

struct decoder {
	struct ingest_options options;
	struct ledger ledger;
	struct commit commit;
	struct intake intake;
	uint64_t now_ns; // never goes back, whatever the capture says
};

struct record_batch *commit_take(struct commit *c, uint16_t entity)
{
	struct record_batch *b = c->batch;
	c->batch = NULL;
	if (!b)
		b = record_batch_create(BATCH_ROWS);
	if (!b)
		abort(); // the ingest has no way to go on without
	b->entity = entity;
	return b;
}

void commit_push(struct commit *c, struct record_batch *b)
{
	for (uint32_t i = 0; i < b->n_rows && c->error == 0; i++) {
		struct record r;
		record_batch_get(b, i, &r);
		c->error = c->sink(c->arg, &r);
	}
	record_batch_clear(b);
	if (c->batch)
		record_batch_free(b);
	else
		c->batch = b;
}

// Words of hits are of flows whose records follow.
bool commit_hit(struct commit *, const struct hit *)
{
	return true;
}

struct decoder *decoder_create(decoder_sink sink, void *arg)
{
	struct decoder *d = calloc(1, sizeof(*d));
	if (!d)
		return NULL;
	d->commit = (struct commit){.sink = sink, .arg = arg};
	d->options = ingest_defaults();
	d->options.clock_skew_ns = 0;
	d->options.open_batches = 1;
	d->options.max_exporters = EXPORTERS_MAX;
	d->options.memory = MEMORY_MAX;
	d->options.commit = &d->commit;
	d->options.ledger = &d->ledger;
	if (intake_init(&d->intake, &d->options) < 0) {
		free(d);
		return NULL;
	}
	return d;
}

int decoder_take(struct decoder *d, const struct datagram *datagram, uint64_t time_ns)
{
	struct peer peer = {.addr = datagram->src, .port = datagram->sport};
	if (time_ns > d->now_ns)
		d->now_ns = time_ns;
	intake_datagram(&d->intake, &peer, buf_of(datagram->data, datagram->len), d->now_ns);
	intake_tick(&d->intake, d->now_ns);
	return d->commit.error;
}

int decoder_finish(struct decoder *d, struct tally *tally)
{
	if (!d)
		return 0;
	intake_fini(&d->intake);
	for (int id = 0; id < LEDGER_N; id++) {
		const struct ledger_info *info = &ledger_infos[id];
		if (info->is_drop)
			tally_add(
				tally,
				"undecoded",
				info->text,
				ledger_get(&d->ledger, (enum ledger_id)id)
			);
	}
	int ret = d->commit.error;
	record_batch_free(d->commit.batch);
	free(d);
	return ret;
}
