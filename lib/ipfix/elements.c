// SPDX-License-Identifier: Apache-2.0
#include "lib/ipfix/elements.h"

#define N_IANA 512
#define N_REVERSE 128
#define N_OWN 128
#define IE_ASA_FW_EVENT 40005 // NF_F_FW_EVENT before ASA 8.4.5; later it is firewallEvent

#define ENTRY(ie, kind_, target_, rank_, name_)                                                    \
	[ie] = {.name = name_, .kind = IPFIX_KIND_##kind_, .target = target_, .rank = rank_},

static const struct ipfix_element iana[N_IANA] = {
#define IANA ENTRY
#define REVERSE(...)
#define WEIR(...)
#include "lib/ipfix/elements.def"
#undef IANA
#undef REVERSE
#undef WEIR
};

static const struct ipfix_element reverse[N_REVERSE] = {
#define IANA(...)
#define REVERSE ENTRY
#define WEIR(...)
#include "lib/ipfix/elements.def"
#undef IANA
#undef REVERSE
#undef WEIR
};

static const struct ipfix_element own[N_OWN] = {
#define IANA(...)
#define REVERSE(...)
#define WEIR ENTRY
#include "lib/ipfix/elements.def"
#undef IANA
#undef REVERSE
#undef WEIR
};

// Our own members of the record: one line of fields.def is enough.
static const struct ipfix_element weir[RECORD_N_FIELDS] = {
#define KIND_U8 IPFIX_KIND_UINT
#define KIND_U16 IPFIX_KIND_UINT
#define KIND_U32 IPFIX_KIND_UINT
#define KIND_U64 IPFIX_KIND_UINT
#define KIND_TIME IPFIX_KIND_UINT
#define KIND_ADDR IPFIX_KIND_ADDR6
#define KIND_MAC IPFIX_KIND_MAC
#define KIND_STR IPFIX_KIND_STR
#define FIELD(member, type, ie, pen, json, text)                                                   \
	[FIELD_##member] = {.name = json, .kind = KIND_##type, .target = FIELD_##member},
#include "lib/record/fields.def"
#undef FIELD
};

static const struct ipfix_element asa_fw_event = {
	.name = "NF_F_FW_EVENT",
	.kind = IPFIX_KIND_UINT,
	.target = FIELD_fw_event,
};

static const struct ipfix_element *find_weir(uint16_t ie)
{
	if (ie < N_OWN && own[ie].name)
		return &own[ie];
	for (int f = 0; f < RECORD_N_FIELDS; f++) {
		if (record_fields[f].pen == PEN_WEIR && record_fields[f].ie == ie)
			return &weir[f];
	}
	return NULL;
}

const struct ipfix_element *ipfix_element_find(uint16_t ie, uint32_t pen, uint32_t weir_pen)
{
	const struct ipfix_element *e = NULL;
	if (pen == 0 && ie == IE_ASA_FW_EVENT)
		return &asa_fw_event;
	if (pen == 0 && ie < N_IANA)
		e = &iana[ie];
	else if (pen == PEN_REVERSE && ie < N_REVERSE)
		e = &reverse[ie];
	else if (pen == weir_pen)
		return ie ? find_weir(ie) : NULL;
	return e && e->name ? e : NULL;
}
