// SPDX-License-Identifier: Apache-2.0

// IPFIX over connections (tests/fuzz/intake.h says how the input is cut into pieces). However the
// bytes are cut on their way, what comes of them is the same.

#include "collector/ingest/stream.h"
#include "lib/base/clock.h"
#include "lib/ipfix/wire.h"
#include "tests/fuzz/intake.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NOW (1700000000 * NS_PER_SEC)
#define SIZE_MAX_INPUT 8192 // far less than a socket holds

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int listener = -1;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static socklen_t address_len = sizeof(sa_family_t); // the kernel gives it a name

static void listen_once(void)
{
	if (listener >= 0)
		return;
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)&address, address_len) < 0 || listen(listener, 8) < 0)
		abort();
	address_len = sizeof(address);
	if (getsockname(listener, (struct sockaddr *)&address, &address_len) < 0)
		abort();
}

struct end {
	int fd;
	struct stream *stream; // NULL: closed by the collector
};

static struct end connect_to(struct stream_table *t)
{
	bool more;
	struct end e = {.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	if (connect(e.fd, (struct sockaddr *)&address, address_len) < 0)
		abort();
	e.stream = stream_accept(t, listener, NOW, &more);
	assert(e.stream);
	return e;
}

static void put(struct stream_table *t, struct end *e, const uint8_t *p, size_t len)
{
	if (!e->stream || len == 0)
		return;
	if (send(e->fd, p, len, MSG_NOSIGNAL) != (ssize_t)len)
		abort();
	if (!stream_read(t, e->stream, NOW))
		e->stream = NULL;
}

// Byte by byte, or what goes over each connection at once.
static void run(const uint8_t *data, size_t size, bool cut, struct fuzz_intake *f)
{
	struct buf input = buf_of(data, size);
	struct piece piece;
	struct wbuf whole[2];
	fuzz_intake_options(f);
	f->o.memory = 64 << 20; // shared by the two: which one meets the cap is a matter of order
	f->o.max_exporters = SIZE_MAX_INPUT / IPFIX_HEADER_LEN;
	fuzz_intake_start(f);
	struct stream_table t = {.intake = &f->in, .max = 2, .idle_ns = NS_PER_SEC};
	struct end ends[2] = {connect_to(&t), connect_to(&t)};
	for (int i = 0; i < 2; i++)
		whole[i] = wbuf_of(malloc(SIZE_MAX_INPUT), SIZE_MAX_INPUT);
	while (piece_next(&input, IPFIX_VERSION, &piece)) {
		size_t half = piece.is_later ? piece.len / 2 : piece.len;
		if (cut) {
			put(&t, &ends[piece.is_second], piece.p, half);
			put(&t, &ends[piece.is_second], piece.p + half, piece.len - half);
		} else {
			wbuf_bytes(&whole[piece.is_second], piece.p, piece.len);
		}
		free(piece.p);
	}
	for (int i = 0; i < 2; i++) {
		put(&t, &ends[i], whole[i].start, wbuf_len(&whole[i]));
		free(whole[i].start);
		close(ends[i].fd);
	}
	stream_tick(&t, NOW);
	stream_tick(&t, NOW + 2 * NS_PER_SEC);
	assert(t.n == 0 && !t.first);
	fuzz_intake_stop(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_intake cut, whole;
	if (size > SIZE_MAX_INPUT)
		return 0;
	listen_once();
	run(data, size, true, &cut);
	run(data, size, false, &whole);
	for (int i = 0; i < LEDGER_N; i++)
		assert(ledger_get(&cut.ledger, (enum ledger_id)i) ==
		       ledger_get(&whole.ledger, (enum ledger_id)i));
	return 0;
}
