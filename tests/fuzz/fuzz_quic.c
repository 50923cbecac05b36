// SPDX-License-Identifier: Apache-2.0

// Datagrams as they come, or frames that are put into an Initial and sealed first: what comes out
// must be what the frames say. Input: 0 or 1 (1); datagrams with their lengths (2), or version,
// length of the packet number, of the connection id and of the token (1 each), then for each packet
// its frames with their length (2).

#include "tests/fuzz/names.h"
#include "tests/unit/sensor/names/seal.h"

#define MAX 2048

static struct crypt *crypt;
static struct quic_scratch scratch;

struct side {
	struct assembly a;
	uint8_t data[MAX];
};

static void side_init(struct side *s)
{
	memset(s->data, 0, sizeof(s->data));
	assembly_init(&s->a, s->data, MAX);
}

static void check_hello(const struct side *s)
{
	struct tls_hello h;
	if (tls_message_parse(s->data, assembly_ready(&s->a), MAX, &h) == LOOK_FOUND)
		assert(h.server_name.end <= s->data + MAX);
}

static enum look add(struct quic_client *client, struct side *s, const uint8_t *p, size_t n)
{
	uint8_t *exact = exact_copy(p, n);
	(void)quic_is_initial(exact, n);
	enum look look = quic_datagram_parse(buf_of(exact, n), crypt, &scratch, client, &s->a);
	free(exact);
	check_hello(s);
	return look;
}

static void run_datagrams(struct buf b)
{
	static struct side s;
	struct quic_client client = {};
	side_init(&s);
	while (buf_left(&b) > 0) {
		struct buf piece = take_piece(&b);
		(void)add(&client, &s, piece.p, buf_left(&piece));
	}
}

static struct seal take_seal(struct buf *b)
{
	static const uint8_t cid[QUIC_CID_MAX] = "a connection's id...";
	struct seal s = {
		.version = buf_u8(b) & 1 ? QUIC_VERSION_2 : QUIC_VERSION_1,
		.number_len = (buf_u8(b) & 3) + 1,
		.cid = cid,
		.cid_len = buf_u8(b) % (QUIC_CID_MAX + 1),
		.token_len = buf_u8(b),
	};
	if (!quic_client_keys(s.version, buf_of(cid, s.cid_len), &s.keys))
		abort();
	return s;
}

static void run_frames(struct buf b)
{
	static struct side opened, plain;
	struct quic_client client = {};
	struct seal seal = take_seal(&b);
	side_init(&opened);
	side_init(&plain);
	for (; buf_left(&b) > 0 && seal.number < 200; seal.number++) {
		uint8_t packet[4096], frames[2048] = {};
		struct buf piece = take_piece(&b);
		size_t n = buf_left(&piece);
		struct wbuf w = wbuf_of(packet, sizeof(packet));
		if (n > 1400)
			return;
		memcpy(frames, piece.p, n);
		n = n < 4 ? 4 : n; // or there is nothing to take a sample of
		seal_initial(&w, &seal, frames, n);
		enum look look = add(&client, &opened, packet, wbuf_len(&w));
		assert(look == quic_frames_parse(buf_of(frames, n), &plain.a));
		assert(opened.a.n == plain.a.n);
		assert(memcmp(opened.data, plain.data, MAX) == 0);
		packet[(seal.number + 30) % wbuf_len(&w)] ^= 1;
		assert(add(&client, &opened, packet, wbuf_len(&w)) == LOOK_BAD);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = buf_of(data, size);
	if (!crypt && crypt_create(&crypt) < 0)
		abort();
	if (buf_u8(&b) & 1)
		run_frames(b);
	else
		run_datagrams(b);
	return 0;
}
