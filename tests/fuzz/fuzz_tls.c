// SPDX-License-Identifier: Apache-2.0

// A TCP stream from its beginning, whole and cut short, or DTLS datagrams. Input: 0 or 1 (1); of a
// stream where to cut it (2) and the stream, else datagrams with their lengths (2).

#include "sensor/names/ja4.h"
#include "tests/fuzz/names.h"

static struct tls_scratch scratch;

// Reads all a hello points to, so that the sanitizers see what is outside.
static void check_hello(const struct tls_hello *h)
{
	char ja4[JA4_LEN];
	unsigned sum = 0;
	for (const uint8_t *p = h->server_name.p; p < h->server_name.end; p++)
		sum += *p;
	assert(buf_left(&h->ciphers) % 2 == 0 && buf_left(&h->signature_algorithms) % 2 == 0);
	if (ja4_format(JA4_TLS, h, ja4))
		check_text(ja4, sizeof(ja4));
	assert(sum <= 255 * buf_left(&h->server_name));
}

static enum look parse(struct buf b, struct tls_hello *h)
{
	uint8_t *exact = exact_copy(b.p, buf_left(&b));
	enum look look = tls_stream_parse(buf_of(exact, buf_left(&b)), 4096, &scratch, h);
	if (look == LOOK_FOUND)
		check_hello(h);
	free(exact);
	return look;
}

static void run_stream(struct buf b)
{
	struct tls_hello h, cut_h;
	size_t cut = buf_u16(&b);
	struct buf begin = buf_of(b.p, cut < buf_left(&b) ? cut : buf_left(&b));
	enum look look = parse(b, &h), cut_look = parse(begin, &cut_h);
	assert(cut_look == LOOK_MORE || cut_look == look);
	assert(cut_look != LOOK_FOUND || cut_h.version == h.version);
}

static void run_datagrams(struct buf b)
{
	uint8_t *data = malloc(1500);
	struct assembly a;
	uint16_t sequence = 0;
	assembly_init(&a, data, 1500);
	while (buf_left(&b) > 0) {
		struct tls_hello h;
		struct buf piece = take_piece(&b);
		uint8_t *exact = exact_copy(piece.p, buf_left(&piece));
		struct buf datagram = buf_of(exact, buf_left(&piece));
		if (dtls_datagram_parse(datagram, &a, &sequence, &h) == LOOK_FOUND)
			check_hello(&h);
		assert(assembly_ready(&a) <= 1500 && a.n <= ASSEMBLY_PIECES);
		free(exact);
	}
	free(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = buf_of(data, size);
	if (buf_u8(&b) & 1)
		run_datagrams(b);
	else
		run_stream(b);
	return 0;
}
