// SPDX-License-Identifier: Apache-2.0
#include "collector/ingest/stream.h"

#include "lib/ipfix/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define READS_MAX 16	// of one connection before the others have their turn
#define MALFORMED_MAX 3 // messages in a row: the exporter does not work (RFC 7011 §9.1)

static void stream_close(struct stream_table *t, struct stream *s)
{
	if (s->len) // half a message
		t->intake->counts[LEDGER_bad_length]++;
	intake_close(t->intake, &s->peer);
	if (s->next)
		s->next->prev = s->prev;
	if (s->prev)
		s->prev->next = s->next;
	else
		t->first = s->next;
	t->n--;
	close(s->fd);
	free(s);
}

struct stream *stream_accept(struct stream_table *t, int listen_fd, uint64_t now_ns, bool *ret_more)
{
	struct sockaddr_storage sa = {};
	socklen_t len = sizeof(sa);
	const int on = 1;
	int fd = accept4(listen_fd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	*ret_more = fd >= 0;
	t->is_starved = fd < 0 &&
			(errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS);
	if (fd < 0)
		return NULL;
	struct addr addr = addr_of_sockaddr((struct sockaddr *)&sa);
	bool is_allowed = intake_allows(t->intake, &addr);
	struct stream *s = is_allowed && t->n < t->max ? calloc(1, sizeof(*s)) : NULL;
	if (!s) {
		t->intake->counts[is_allowed ? LEDGER_connection_limit : LEDGER_exporter_refused]++;
		close(fd);
		return NULL;
	}
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	s->fd = fd;
	s->last_ns = now_ns;
	s->peer = (struct peer){
		.addr = addr,
		.port = (uint16_t)endpoint_port((struct sockaddr *)&sa),
		.is_tcp = true,
		.source = INGEST_LISTEN_MAX + ++t->accepted,
	};
	s->next = t->first;
	if (s->next)
		s->next->prev = s;
	t->first = s;
	t->n++;
	t->intake->counts[LEDGER_connections]++;
	return s;
}

// One whole message; false when the stream makes no sense.
static bool take_message(struct stream_table *t, struct stream *s, struct buf m, uint64_t now_ns)
{
	switch (intake_message(t->intake, &s->peer, m, now_ns)) {
	case INTAKE_TAKEN:
		s->n_malformed = 0;
		return true;
	case INTAKE_MALFORMED:
		return ++s->n_malformed < MALFORMED_MAX;
	default:
		return false;
	}
}

// Takes the whole messages; false when the stream makes no sense.
static bool take_messages(struct stream_table *t, struct stream *s, uint64_t now_ns)
{
	uint32_t at = 0;
	for (;;) {
		struct buf head = buf_of(s->data + at, s->len - at);
		uint16_t version = buf_u16(&head), len = buf_u16(&head);
		if (head.bad)
			break;
		if (version != IPFIX_VERSION || len < IPFIX_HEADER_LEN) {
			enum ledger_id why =
				version != IPFIX_VERSION ? LEDGER_bad_version : LEDGER_bad_length;
			t->intake->counts[why]++;
			return false;
		}
		if (s->len - at < len)
			break;
		if (!take_message(t, s, buf_of(s->data + at, len), now_ns))
			return false;
		at += len;
	}
	s->len -= at;
	memmove(s->data, s->data + at, s->len);
	return true;
}

bool stream_read(struct stream_table *t, struct stream *s, uint64_t now_ns)
{
	for (int i = 0; i < READS_MAX; i++) {
		ssize_t n = recv(s->fd, s->data + s->len, sizeof(s->data) - s->len, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n <= 0) {
			stream_close(t, s);
			return false;
		}
		s->len += (uint32_t)n;
		s->last_ns = now_ns;
		if (!take_messages(t, s, now_ns)) {
			s->len = 0; // what made no sense is counted already
			stream_close(t, s);
			return false;
		}
	}
	return true;
}

void stream_tick(struct stream_table *t, uint64_t now_ns)
{
	for (struct stream *s = t->first, *next; s; s = next) {
		next = s->next;
		if (now_ns > s->last_ns && now_ns - s->last_ns > t->idle_ns)
			stream_close(t, s);
	}
}

void stream_fini(struct stream_table *t)
{
	while (t->first)
		stream_close(t, t->first);
}
