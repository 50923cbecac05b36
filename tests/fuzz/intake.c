// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/intake.h"

#include "lib/base/clock.h"
#include "lib/ipfix/wire.h"
#include "tests/fuzz/rows.h"

#include <stdlib.h>

#define NOW (1700000000 * NS_PER_SEC)
#define LATER (900 * NS_PER_SEC)
#define BATCH_ROWS 8

#define PIECE_SECOND 0x8000
#define PIECE_MENDED 0x4000
#define PIECE_LATER 0x2000
#define PIECE_LEN 0x0fff

static const uint8_t exporters[2][4] = {{192, 0, 2, 1}, {198, 51, 100, 2}};

struct record_batch *commit_take(struct commit *, uint16_t entity)
{
	struct record_batch *b = record_batch_create(BATCH_ROWS);
	b->entity = entity;
	return b;
}

void commit_push(struct commit *c, struct record_batch *b)
{
	struct record r;
	for (uint32_t i = 0; i < b->n_rows; i++) {
		record_batch_get(b, i, &r);
		assert(r.start_ns <= r.end_ns && r.recv_ns >= NOW);
		assert(r.verdict == record_verdict(&r));
	}
	rows_assert_equal(b, b); // reads all of it
	c->n_rows += b->n_rows;
	record_batch_free(b);
}

bool commit_hit(struct commit *, const struct hit *h)
{
	uint64_t sum = 0;
	assert(h->indicator && h->type < INDICATOR_N_TYPES && h->first_ns <= h->last_ns);
	for (int i = 0; i < HIT_N_TEXTS; i++) {
		assert(h->texts[i].len <= HIT_TEXT_MAX);
		for (uint16_t k = 0; k < h->texts[i].len; k++)
			sum += (uint8_t)h->texts[i].p[k];
	}
	return sum & 1;
}

bool piece_next(struct buf *input, uint16_t version, struct piece *ret_piece)
{
	uint16_t head = buf_u16(input);
	size_t left = buf_left(input), len = head & PIECE_LEN;
	if (input->bad)
		return false;
	struct piece p = {
		.is_second = head & PIECE_SECOND,
		.is_mended = head & PIECE_MENDED,
		.is_later = head & PIECE_LATER,
		.len = len < left ? len : left,
	};
	p.p = malloc(p.len ? p.len : 1);
	memcpy(p.p, buf_take(input, p.len), p.len);
	if (p.is_mended) {
		struct wbuf w = wbuf_of(p.p, p.len);
		wbuf_u16(&w, version);
		if (version == IPFIX_VERSION)
			wbuf_u16(&w, (uint16_t)p.len);
	}
	*ret_piece = p;
	return true;
}

void fuzz_intake_options(struct fuzz_intake *f)
{
	*f = (struct fuzz_intake){.o = ingest_defaults()};
	for (int i = 0; i < 2; i++)
		f->entities[i] = (struct ingest_entity){
			.prefix = {.addr = addr_of_v4(exporters[i]), .len = 128},
			.entity = (uint16_t)(i + 1),
		};
	f->o.entities = f->entities;
	f->o.n_entities = 2;
	f->trust = f->entities[1].prefix;
	f->o.trust = &f->trust;
	f->o.n_trust = 1;
	f->o.sensors = &f->trust;
	f->o.n_sensors = 1;
	f->o.open_batches = 1;
	f->o.max_exporters = 4;
	f->o.memory = 64 << 10;
	f->o.limits.templates = 8;
	f->o.limits.pending_len = 1024;
	f->o.commit = &f->commit;
	f->o.ledger = &f->ledger;
}

void fuzz_intake_start(struct fuzz_intake *f)
{
	if (intake_init(&f->in, &f->o) < 0)
		abort();
}

void fuzz_intake_stop(struct fuzz_intake *f)
{
	intake_fini(&f->in);
	uint64_t dropped = ledger_get(&f->ledger, LEDGER_no_address);
	assert(ledger_get(&f->ledger, LEDGER_records) == f->commit.n_rows + dropped);
	assert(f->in.budget.used == 0 && f->in.sessions.n == 0);
}

void fuzz_datagrams(const uint8_t *data, size_t size, uint16_t version)
{
	struct fuzz_intake f;
	struct buf input = buf_of(data, size);
	struct piece piece;
	uint64_t now_ns = NOW, n = 0;

	fuzz_intake_options(&f);
	fuzz_intake_start(&f);
	for (; piece_next(&input, version, &piece); n++) {
		now_ns += piece.is_later ? LATER : NS_PER_SEC / 10;
		struct peer peer = {
			.addr = addr_of_v4(exporters[piece.is_second]),
			.port = 2055,
		};
		intake_datagram(&f.in, &peer, buf_of(piece.p, piece.len), now_ns);
		assert(f.in.budget.used <= f.in.budget.max);
		assert(f.in.sessions.n <= f.o.max_exporters);
		free(piece.p);
		intake_tick(&f.in, now_ns);
	}
	fuzz_intake_stop(&f);
	assert(ledger_get(&f.ledger, LEDGER_datagrams) == n);
}
