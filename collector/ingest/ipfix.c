// SPDX-License-Identifier: Apache-2.0

// What IPFIX has of its own: the sequence counts data records (RFC 7011 §3.1), which are known only
// once the message is read.

#include "collector/ingest/intake.h"
#include "lib/ipfix/wire.h"

void ipfix_take(struct intake *in, const struct peer *p, const struct ipfix_message *m)
{
	struct session_key key = {.domain = m->domain};
	struct session *s = intake_session(in, p, key, m->recv_ns);
	if (!s)
		return;
	s->version = IPFIX_VERSION;
	intake_clock(in, s, m->export_ns, m->recv_ns);
	intake_read(in, s, m);
	intake_sequence(in, s, m->sequence, in->reader.n_records, m->recv_ns);
	if (in->reader.n_unread || in->reader.is_malformed)
		sequence_forget(&s->sequence);
}
