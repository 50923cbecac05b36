// SPDX-License-Identifier: Apache-2.0
#include "lib/record/record.h"

const struct record_field_info record_fields[RECORD_N_FIELDS] = {
#define FIELD(member, type_, ie_, pen_, json, text_)                                               \
	[FIELD_##member] = {                                                                       \
		.name = json,                                                                      \
		.text = text_,                                                                     \
		.type = RECORD_TYPE_##type_,                                                       \
		.offset = offsetof(struct record, member),                                         \
		.width = sizeof(RECORD_##type_),                                                   \
		.ie = ie_,                                                                         \
		.pen = pen_,                                                                       \
	},
#include "lib/record/fields.def"
#undef FIELD
};

#define FORWARDING_DROPPED 2 // the two high bits of forwardingStatus, RFC 7270 §4.12
#define FIREWALL_DENIED 3    // firewallEvent, IANA
#define ACTION_DENY 2

static bool is_refused(uint16_t flags)
{
	return (flags & (TCP_RST | TCP_SYN)) == TCP_RST;
}

enum record_verdict record_verdict(const struct record *r)
{
	bool dropped = r->fwd_status >> 6 == FORWARDING_DROPPED;
	if (dropped || r->fw_event == FIREWALL_DENIED || r->action == ACTION_DENY)
		return VERDICT_DENY;
	return is_refused(r->tcp_flags) || is_refused(r->rev_tcp_flags) ? VERDICT_DENY
									: VERDICT_ALLOW;
}
