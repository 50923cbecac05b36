// SPDX-License-Identifier: Apache-2.0

// What NetFlow v9 has of its own: the sequence counts packets, and a restart shows in the uptime.

#include "collector/ingest/intake.h"
#include "lib/ipfix/wire.h"

void v9_take(struct intake *in, const struct peer *p, const struct ipfix_message *m)
{
	struct session_key key = {.domain = m->domain};
	struct session *s = intake_session(in, p, key, m->recv_ns);
	if (!s)
		return;
	s->version = NETFLOW9_VERSION;
	intake_clock(in, s, m->export_ns, m->recv_ns);
	enum sequence_event event = intake_sequence(in, s, m->sequence, 1, m->recv_ns);
	// A new process behind the old address has templates of its own (RFC 3954 §9). Uptime alone
	// proves nothing: it wraps, and replays make it up.
	if ((event == SEQUENCE_RESET || s->is_restored) && m->uptime_ms < s->uptime_ms)
		ipfix_domain_reset(s->domain);
	s->uptime_ms = m->uptime_ms;
	s->is_restored = false;
	intake_read(in, s, m);
}
