// SPDX-License-Identifier: Apache-2.0
#pragma once

// The numbers of NetFlow v9 (RFC 3954) and IPFIX (RFC 7011) on the wire, and IPFIX times, for both
// directions.
// Thread: any.

#include "lib/base/clock.h"

#include <stdint.h>

#define NETFLOW1_VERSION 1
#define NETFLOW5_VERSION 5
#define NETFLOW7_VERSION 7
#define NETFLOW9_VERSION 9
#define IPFIX_VERSION 10
#define NETFLOW1_HEADER_LEN 16
#define NETFLOW1_RECORD_LEN 48
#define NETFLOW1_RECORD_LEN_LONG 52 // some exporters pad
#define NETFLOW5_HEADER_LEN 24
#define NETFLOW5_RECORD_LEN 48
#define NETFLOW7_RECORD_LEN 52
#define NETFLOW9_HEADER_LEN 20
#define SFLOW5_VERSION 5u // 32 bits on the wire
#define IPFIX_HEADER_LEN 16
#define IPFIX_SET_HEADER_LEN 4

#define NETFLOW9_SET_TEMPLATE 0
#define NETFLOW9_SET_OPTIONS 1
#define IPFIX_SET_TEMPLATE 2
#define IPFIX_SET_OPTIONS 3
#define IPFIX_SET_MIN 256 // the smallest template id

#define IPFIX_ENTERPRISE 0x8000u
#define IPFIX_VARLEN 65535
#define IPFIX_VARLEN_LONG 255 // first length byte that announces two more

#define IPFIX_IE_ENTITY 100 // our own, no member of the record: an entity's number
#define IPFIX_ENTITY_LEN 2
#define IPFIX_IE_ICMP4 32 // type * 256 + code
#define IPFIX_IE_ICMP6 139
#define IPFIX_IE_MPLS_TOP 70
#define IPFIX_IE_START_MS 152
#define IPFIX_IE_START_NS 156
#define IPFIX_IE_END_NS 157
#define IPFIX_PROTO_ICMP 1
#define IPFIX_PROTO_ICMP6 58

#define NTP_UNIX_OFFSET 2208988800ull // seconds from 1900 to 1970

// Time stamps of RFC 7011 §6.1.10 are NTP's: seconds since 1900 and a fraction of 2^-32 s. The
// fraction is rounded up, so that rounding it down gives the nanosecond back.
static inline uint64_t ipfix_time_to_wire(uint16_t ie, uint64_t ns)
{
	if (ie != IPFIX_IE_START_NS && ie != IPFIX_IE_END_NS)
		return ns / NS_PER_MSEC;
	uint64_t fraction = ((ns % NS_PER_SEC << 32) + NS_PER_SEC - 1) / NS_PER_SEC;
	return (ns / NS_PER_SEC + NTP_UNIX_OFFSET) << 32 | fraction;
}

// The inverse. Seconds below 2^31 are of NTP's next era, from 2036 on.
static inline uint64_t ipfix_time_of_ntp(uint64_t wire)
{
	uint64_t sec = wire >> 32, fraction = wire & 0xffffffff;
	sec += sec >> 31 ? 0 : 1ull << 32;
	if (sec < NTP_UNIX_OFFSET)
		return 0; // before 1970
	return (sec - NTP_UNIX_OFFSET) * NS_PER_SEC + (fraction * NS_PER_SEC >> 32);
}
