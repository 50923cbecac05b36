// SPDX-License-Identifier: Apache-2.0
#include "api/query/value.h"

#include "lib/base/clock.h"

#define PROTO_ICMP 1
#define PROTO_ICMP6 58

uint64_t value_fields(int s)
{
	static const uint64_t made_of[VALUE_N_SOURCES] = {
		[VALUE_DST_PORT] = RECORD_BIT(dport) | RECORD_BIT(proto) | RECORD_BIT(icmp_type) |
				   RECORD_BIT(icmp_code),
		[VALUE_DURATION_MS] = RECORD_BIT(start_ns) | RECORD_BIT(end_ns),
		[VALUE_PPS] = RECORD_BIT(start_ns) | RECORD_BIT(end_ns) | RECORD_BIT(packets),
		[VALUE_BPS] = RECORD_BIT(start_ns) | RECORD_BIT(end_ns) | RECORD_BIT(bytes),
		[VALUE_BPP] = RECORD_BIT(packets) | RECORD_BIT(bytes),
		[VALUE_ALL_PACKETS] = RECORD_BIT(packets) | RECORD_BIT(rev_packets),
		[VALUE_ALL_BYTES] = RECORD_BIT(bytes) | RECORD_BIT(rev_bytes),
	};
	return s < (int)RECORD_N_FIELDS ? 1ull << s : made_of[s];
}

bool value_is_number(int s)
{
	if (s >= (int)RECORD_N_FIELDS)
		return true;
	enum record_type type = record_fields[s].type;
	return type != RECORD_TYPE_ADDR && type != RECORD_TYPE_STR;
}

uint64_t value_max(int s)
{
	if (s == VALUE_DST_PORT)
		return UINT16_MAX;
	if (s >= (int)RECORD_N_FIELDS || record_fields[s].width >= 8)
		return UINT64_MAX;
	return (1ull << (8 * record_fields[s].width)) - 1;
}

static void load_mac(const struct record_mac *from, uint32_t n, uint64_t *to)
{
	for (uint32_t i = 0; i < n; i++) {
		to[i] = 0;
		for (int k = 0; k < 6; k++)
			to[i] = to[i] << 8 | from[i].b[k];
	}
}

#define WIDEN(type)                                                                                \
	do {                                                                                       \
		const type *from = (const type *)column + first;                                   \
		for (uint32_t i = 0; i < n; i++)                                                   \
			to[i] = from[i];                                                           \
	} while (0)

static void load_field(
	const struct record_batch *b, enum record_field f, uint32_t first, uint32_t n, uint64_t *to
)
{
	const void *column = b->columns[f];
	if (!(b->used >> f & 1)) {
		memset(to, 0, n * sizeof(*to));
		return;
	}
	switch (record_fields[f].width) {
	case 1:
		WIDEN(uint8_t);
		break;
	case 2:
		WIDEN(uint16_t);
		break;
	case 4:
		WIDEN(uint32_t);
		break;
	case 6:
		load_mac((const struct record_mac *)column + first, n, to);
		break;
	default:
		memcpy(to, (const uint64_t *)column + first, n * sizeof(*to));
	}
}

static uint64_t at8(const uint8_t *column, uint32_t i)
{
	return column ? column[i] : 0;
}

static void load_dst_port(const struct record_batch *b, uint32_t first, uint32_t n, uint64_t *to)
{
	const uint8_t *proto = RECORD_COLUMN(b, proto);
	const uint8_t *type = RECORD_COLUMN(b, icmp_type), *code = RECORD_COLUMN(b, icmp_code);
	load_field(b, FIELD_dport, first, n, to);
	if (!proto || (!type && !code))
		return;
	for (uint32_t i = 0; i < n; i++) {
		uint8_t p = proto[first + i];
		if ((p == PROTO_ICMP || p == PROTO_ICMP6) && to[i] == 0)
			to[i] = at8(type, first + i) << 8 | at8(code, first + i);
	}
}

static void load_duration(const struct record_batch *b, uint32_t first, uint32_t n, uint64_t *to)
{
	const uint64_t *start = RECORD_COLUMN(b, start_ns), *end = RECORD_COLUMN(b, end_ns);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t from = start ? start[first + i] / NS_PER_MSEC : 0;
		uint64_t until = end ? end[first + i] / NS_PER_MSEC : 0;
		to[i] = until > from ? until - from : 0;
	}
}

static uint64_t times(uint64_t v, uint64_t by)
{
	return v > UINT64_MAX / by ? UINT64_MAX : v * by;
}

static uint64_t at64(const struct record_batch *b, enum record_field f, uint32_t i)
{
	return b->used >> f & 1 ? ((const uint64_t *)b->columns[f])[i] : 0;
}

// Of durations: how many of the field's per second; 0 where the duration is 0.
static void make_rate(
	const struct record_batch *b, enum record_field f, uint32_t first, uint32_t n, uint64_t *to
)
{
	uint64_t per = f == FIELD_bytes ? 8000 : 1000; // bits; milliseconds
	for (uint32_t i = 0; i < n; i++)
		to[i] = to[i] ? times(at64(b, f, first + i), per) / to[i] : 0;
}

// Of bytes: how many per packet.
static void make_bpp(const struct record_batch *b, uint32_t first, uint32_t n, uint64_t *to)
{
	for (uint32_t i = 0; i < n; i++) {
		uint64_t packets = at64(b, FIELD_packets, first + i);
		to[i] = packets ? to[i] / packets : 0;
	}
}

static void add_field(
	const struct record_batch *b, enum record_field f, uint32_t first, uint32_t n, uint64_t *to
)
{
	for (uint32_t i = 0; b->used >> f & 1 && i < n; i++)
		to[i] += at64(b, f, first + i);
}

void value_load(
	const struct record_batch *b, int s, uint32_t first, uint32_t n, uint64_t *ret_values
)
{
	switch ((int)s) {
	case VALUE_DST_PORT:
		load_dst_port(b, first, n, ret_values);
		break;
	case VALUE_DURATION_MS:
		load_duration(b, first, n, ret_values);
		break;
	case VALUE_PPS:
		load_duration(b, first, n, ret_values);
		make_rate(b, FIELD_packets, first, n, ret_values);
		break;
	case VALUE_BPS:
		load_duration(b, first, n, ret_values);
		make_rate(b, FIELD_bytes, first, n, ret_values);
		break;
	case VALUE_BPP:
		load_field(b, FIELD_bytes, first, n, ret_values);
		make_bpp(b, first, n, ret_values);
		break;
	case VALUE_ALL_PACKETS:
		load_field(b, FIELD_packets, first, n, ret_values);
		add_field(b, FIELD_rev_packets, first, n, ret_values);
		break;
	case VALUE_ALL_BYTES:
		load_field(b, FIELD_bytes, first, n, ret_values);
		add_field(b, FIELD_rev_bytes, first, n, ret_values);
		break;
	case VALUE_FLOWS:
		for (uint32_t i = 0; i < n; i++)
			ret_values[i] = 1;
		break;
	default:
		load_field(b, (enum record_field)s, first, n, ret_values);
	}
}

struct record_str value_text(const struct record_batch *b, enum record_field f, uint32_t row)
{
	struct record_text ref = {};
	if (b->used >> f & 1)
		memcpy(&ref, (const uint8_t *)b->columns[f] + (size_t)row * sizeof(ref), sizeof(ref)
		);
	return (struct record_str){.p = ref.len ? b->text + ref.off : "", .len = ref.len};
}
