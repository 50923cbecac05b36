// SPDX-License-Identifier: Apache-2.0

// What NetFlow v9 has of its own: the sequence counts packets, and a restart shows in the uptime.

#include "collector/ingest/intake.h"
#include "lib/ipfix/wire.h"

#define BOOT_SLACK_MS 3000 // export times are whole seconds, and clocks are set

// A new process behind the old address has templates of its own (RFC 3954 §9). Uptime alone proves
// nothing: it wraps, replays make it up, and a message that is late has less of it.
static bool is_another_boot(const struct session *s, const struct ipfix_message *m, int64_t boot_ms)
{
	return m->uptime_ms < s->uptime_ms &&
	       (s->is_restored || boot_ms - s->boot_ms > BOOT_SLACK_MS);
}

void v9_take(struct intake *in, const struct peer *p, const struct ipfix_message *m)
{
	struct session_key key = {.domain = m->domain};
	struct session *s = intake_session(in, p, key, m->recv_ns);
	if (!s)
		return;
	s->version = NETFLOW9_VERSION;
	intake_clock(in, s, m->export_ns, m->recv_ns);
	enum sequence_event event = intake_sequence(in, s, m->sequence, 1, m->recv_ns);
	int64_t boot_ms = (int64_t)(m->export_ns / NS_PER_MSEC) - m->uptime_ms;
	if ((event == SEQUENCE_RESET || s->is_restored) && is_another_boot(s, m, boot_ms))
		ipfix_domain_reset(s->domain);
	s->boot_ms = boot_ms;
	s->uptime_ms = m->uptime_ms;
	s->is_restored = false;
	intake_read(in, s, m);
}
