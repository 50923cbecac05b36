// SPDX-License-Identifier: Apache-2.0
#include "bench/gen/payload.h"

#include <stdio.h>

#define TLS_HANDSHAKE 22
#define TLS_APPLICATION_DATA 23
#define NTP_EPOCH_SEC 3900000000u

const char *payload_name(const struct conv *c, char name[static PAYLOAD_NAME_LEN])
{
	static const char *const first[] = {"www", "api", "cdn", "mail", "login", "static"};
	static const char *const last[] = {"example.com", "example.net", "example.org"};
	const char *domain = c->kind == CONV_BEACON ? "update.invalid" : last[c->host % 3];
	snprintf(name, PAYLOAD_NAME_LEN, "%s.s%u.%s", first[c->host % 6], c->host, domain);
	return name;
}

// A length field of n bytes, filled in by close_len once what it counts is written.
static size_t open_len(struct wbuf *w, size_t n)
{
	wbuf_uint(w, 0, n);
	return wbuf_len(w);
}

static void close_len(struct wbuf *w, size_t at)
{
	wbuf_put_u16(w, at - 2, (uint16_t)(wbuf_len(w) - at));
}

static void random_bytes(struct wbuf *w, struct rng *r, size_t n)
{
	for (; n >= 8; n -= 8)
		wbuf_u64(w, rng_next(r));
	if (n)
		wbuf_uint(w, rng_next(r), n);
}

static void text(struct wbuf *w, const char *s)
{
	wbuf_bytes(w, s, strlen(s));
}

static void extension(struct wbuf *w, uint16_t type, const void *body, size_t len)
{
	wbuf_u16(w, type);
	wbuf_u16(w, (uint16_t)len);
	wbuf_bytes(w, body, len);
}

static void sni(struct wbuf *w, const char *name)
{
	uint16_t n = (uint16_t)strlen(name);
	wbuf_u16(w, 0);
	wbuf_u16(w, n + 5);
	wbuf_u16(w, n + 3);
	wbuf_u8(w, 0); // host_name
	wbuf_u16(w, n);
	wbuf_bytes(w, name, n);
}

static void key_share(struct wbuf *w, struct rng *r, bool client)
{
	wbuf_u16(w, 51);
	wbuf_u16(w, client ? 38 : 36);
	if (client)
		wbuf_u16(w, 36);
	wbuf_u16(w, 29); // x25519
	wbuf_u16(w, 32);
	random_bytes(w, r, 32);
}

void payload_client_hello(struct wbuf *w, struct conv *c)
{
	static const uint8_t ciphers[] = {
		0x13, 0x01, 0x13, 0x02, 0x13, 0x03, 0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x30};
	char name[PAYLOAD_NAME_LEN];

	wbuf_u8(w, TLS_HANDSHAKE);
	wbuf_u16(w, 0x0301);
	size_t record = open_len(w, 2);
	wbuf_u8(w, 1); // client_hello
	size_t hello = open_len(w, 3);
	wbuf_u16(w, 0x0303);
	random_bytes(w, &c->rng, 32);
	wbuf_u8(w, 32);
	random_bytes(w, &c->rng, 32);
	wbuf_u16(w, sizeof(ciphers));
	wbuf_bytes(w, ciphers, sizeof(ciphers));
	wbuf_u16(w, 0x0100); // compression: one method, none
	size_t extensions = open_len(w, 2);
	sni(w, payload_name(c, name));
	extension(w, 10, "\0\4\0\x1d\0\x17", 6);	// supported groups
	extension(w, 11, "\1\0", 2);			// point formats
	extension(w, 13, "\0\6\4\3\x08\4\4\1", 8);	// signature algorithms
	extension(w, 16, "\0\x0c\2h2\x08http/1.1", 14); // ALPN
	extension(w, 43, "\4\3\4\3\3", 5);		// supported versions
	key_share(w, &c->rng, true);
	close_len(w, extensions);
	close_len(w, hello);
	close_len(w, record);
}

void payload_server_hello(struct wbuf *w, struct conv *c)
{
	wbuf_u8(w, TLS_HANDSHAKE);
	wbuf_u16(w, 0x0303);
	size_t record = open_len(w, 2);
	wbuf_u8(w, 2); // server_hello
	size_t hello = open_len(w, 3);
	wbuf_u16(w, 0x0303);
	random_bytes(w, &c->rng, 32);
	wbuf_u8(w, 0);
	wbuf_u16(w, 0x1301);
	wbuf_u8(w, 0);
	size_t extensions = open_len(w, 2);
	extension(w, 43, "\3\4", 2);
	key_share(w, &c->rng, false);
	close_len(w, extensions);
	close_len(w, hello);
	close_len(w, record);
	wbuf_bytes(w, "\x14\3\3\0\1\1", 6); // change_cipher_spec
	payload_tls_data(w, 120);
}

void payload_tls_data(struct wbuf *w, size_t len)
{
	wbuf_u8(w, TLS_APPLICATION_DATA);
	wbuf_u16(w, 0x0303);
	wbuf_u16(w, (uint16_t)len);
	payload_filler(w, len);
}

void payload_http_get(struct wbuf *w, struct conv *c)
{
	char name[PAYLOAD_NAME_LEN], line[64];
	snprintf(line, sizeof(line), "GET /%08x HTTP/1.1\r\nHost: ", c->seq[0]);
	text(w, line);
	text(w, payload_name(c, name));
	text(w, "\r\nUser-Agent: weir-gen\r\nAccept: */*\r\nConnection: close\r\n\r\n");
}

void payload_http_ok(struct wbuf *w)
{
	text(w,
	     "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
	     "Connection: close\r\n\r\n");
}

static void dns_name(struct wbuf *w, const char *name)
{
	while (*name) {
		size_t n = strcspn(name, ".");
		wbuf_u8(w, (uint8_t)n);
		wbuf_bytes(w, name, n);
		name += n + (name[n] == '.');
	}
	wbuf_u8(w, 0);
}

void payload_dns(struct wbuf *w, struct conv *c, bool answer)
{
	static const uint8_t a6[16] = {0x20, 0x01, 0x0d, 0xb8};
	char name[PAYLOAD_NAME_LEN];
	bool is_v6 = c->seq[0] & 1;
	uint16_t type = is_v6 ? 28 : 1;

	wbuf_u16(w, (uint16_t)c->seq[1]);
	wbuf_u16(w, answer ? 0x8180 : 0x0100);
	wbuf_u16(w, 1);
	wbuf_u16(w, answer);
	wbuf_u32(w, 0);
	dns_name(w, payload_name(c, name));
	wbuf_u16(w, type);
	wbuf_u16(w, 1);
	if (!answer)
		return;
	wbuf_u16(w, 0xc00c); // the name asked for
	wbuf_u16(w, type);
	wbuf_u16(w, 1);
	wbuf_u32(w, 300);
	wbuf_u16(w, is_v6 ? 16 : 4);
	if (is_v6)
		wbuf_bytes(w, a6, sizeof(a6));
	else
		wbuf_u32(w, 0xc6120001 + c->host);
}

void payload_ntp(struct wbuf *w, bool answer)
{
	wbuf_u8(w, answer ? 0x24 : 0x23); // version 4, server or client
	wbuf_u8(w, answer ? 2 : 0);
	wbuf_u16(w, 0x06ec);
	wbuf_uint(w, 0, 8);
	wbuf_u32(w, answer ? 0x7f7f0101 : 0);
	for (int i = 0; i < 4; i++)
		wbuf_u64(w, answer || i == 3 ? (uint64_t)NTP_EPOCH_SEC << 32 : 0);
}

void payload_quic(struct wbuf *w, struct conv *c, size_t len)
{
	wbuf_u8(w, 0xc3); // long header, Initial
	wbuf_u32(w, 1);
	wbuf_u8(w, 8);
	wbuf_u64(w, (uint64_t)c->seq[0] << 32 | c->seq[1]);
	wbuf_u16(w, 0); // no source connection id, no token
	wbuf_u16(w, (uint16_t)(0x4000 | (len - 18)));
	payload_filler(w, len - 18);
}

void payload_filler(struct wbuf *w, size_t len)
{
	static const char line[] = "the weir measures the river ....";
	uint8_t *p = wbuf_take(w, len);
	for (size_t i = 0; p && i < len; i += sizeof(line) - 1) {
		size_t left = len - i;
		memcpy(p + i, line, left < sizeof(line) - 1 ? left : sizeof(line) - 1);
	}
}
