// SPDX-License-Identifier: Apache-2.0
#pragma once

// The head of a packet, as sFlow samples carry it, to a record's fields: Ethernet with VLAN tags
// and MPLS labels, IPv4, IPv6 with extension headers, ports, TCP flags, ICMP. What is cut short
// gives what was there. Thread: any.

#include "lib/base/buf.h"
#include "lib/record/record.h"

// From an Ethernet header, or an IP header, on; false: no IP packet, or none with whole addresses.
bool frame_ethernet(struct buf b, struct record *r);
bool frame_ip(struct buf b, struct record *r);

// The fields that a transport header's first bytes give; `b` may be empty.
void frame_ports(struct buf b, struct record *r);
