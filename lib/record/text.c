// SPDX-License-Identifier: Apache-2.0
#include "lib/record/record.h"

#include <stdio.h>

// IANA protocol numbers whose names operators read; the seed's seven among them.
static const char *const proto_names[256] = {
	[1] = "ICMP",	[2] = "IGMP",	  [4] = "IPIP",	     [6] = "TCP",      [8] = "EGP",
	[17] = "UDP",	[33] = "DCCP",	  [41] = "IPv6",     [46] = "RSVP",    [47] = "GRE",
	[50] = "ESP",	[51] = "AH",	  [58] = "ICMPv6",   [88] = "EIGRP",   [89] = "OSPF",
	[94] = "IPIP",	[97] = "ETHERIP", [103] = "PIM",     [108] = "IPCOMP", [112] = "VRRP",
	[115] = "L2TP", [132] = "SCTP",	  [136] = "UDPLITE", [137] = "MPLS",
};

const char *record_format_proto(uint8_t proto, char text[static 16])
{
	if (proto_names[proto])
		snprintf(text, 16, "%s", proto_names[proto]);
	else
		snprintf(text, 16, "%u", proto);
	return text;
}

const char *record_format_flags(uint16_t flags, char text[static 8])
{
	static const char letters[] = "FSRPAU"; // from bit 0 on
	for (int i = 0; i < 6; i++)
		text[5 - i] = flags >> i & 1 ? letters[i] : '.';
	text[6] = '\0';
	return text;
}

const char *record_format_volume(uint64_t bytes, char text[static 16])
{
	static const char units[] = {'K', 'M', 'G', 'T', 'P', 'E'};
	if (bytes < 1024) {
		snprintf(text, 16, "%u", (unsigned)bytes);
		return text;
	}
	double v = (double)bytes / 1024;
	int unit = 0;
	while (v >= 1023.5 && unit < 5) { // which would be shown as 1024
		v /= 1024;
		unit++;
	}
	snprintf(text, 16, v < 99.95 ? "%.1f %c" : "%.0f %c", v, units[unit]);
	return text;
}
