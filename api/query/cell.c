// SPDX-License-Identifier: Apache-2.0
#include "api/query/cell.h"

#include "api/query/time.h"
#include "lib/base/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

struct made_column {
	const char *name;
	enum cell_type type;
	int source, other;
};

static const struct made_column made[] = {
	{"proto_name", CELL_PROTO, FIELD_proto, -1},
	{"flags", CELL_FLAGS, FIELD_tcp_flags, -1},
	{"rev_flags", CELL_FLAGS, FIELD_rev_tcp_flags, -1},
	{"verdict", CELL_VERDICT, FIELD_verdict, -1},
	{"duration_ms", CELL_NUMBER, VALUE_DURATION_MS, -1},
	{"total_packets", CELL_NUMBER, VALUE_ALL_PACKETS, -1},
	{"total_bytes", CELL_NUMBER, VALUE_ALL_BYTES, -1},
	{"pps", CELL_NUMBER, VALUE_PPS, -1},
	{"bps", CELL_NUMBER, VALUE_BPS, -1},
	{"bpp", CELL_NUMBER, VALUE_BPP, -1},
};

// Of groups only: either end.
static const struct made_column ends[] = {
	{"ip", CELL_ADDR, FIELD_src, FIELD_dst},
	{"port", CELL_NUMBER, FIELD_sport, VALUE_DST_PORT},
	{"as", CELL_NUMBER, FIELD_src_as, FIELD_dst_as},
};

static bool find_in(const struct made_column *list, size_t n, struct cell_column *c)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i].name, c->name) != 0)
			continue;
		c->type = list[i].type;
		c->source = list[i].source;
		c->other = list[i].other;
		return true;
	}
	return false;
}

static bool find_field(struct cell_column *c)
{
	static const enum cell_type types[] = {
		[RECORD_TYPE_U8] = CELL_NUMBER,
		[RECORD_TYPE_U16] = CELL_NUMBER,
		[RECORD_TYPE_U32] = CELL_NUMBER,
		[RECORD_TYPE_U64] = CELL_NUMBER,
		[RECORD_TYPE_TIME] = CELL_TIME,
		[RECORD_TYPE_ADDR] = CELL_ADDR,
		[RECORD_TYPE_MAC] = CELL_MAC,
		[RECORD_TYPE_STR] = CELL_TEXT,
	};
	for (int f = 0; f < RECORD_N_FIELDS; f++) {
		if (strcmp(record_fields[f].name, c->name) != 0)
			continue;
		c->type = types[record_fields[f].type];
		c->source = f;
		c->other = -1;
		return true;
	}
	return false;
}

static bool find_column(struct cell_column *c)
{
	c->v4_len = 32;
	c->v6_len = 128;
	return find_in(made, sizeof(made) / sizeof(made[0]), c) || find_field(c);
}

// "/24", "/24/48" behind the name of an address.
static bool take_lens(const char *p, struct cell_column *c)
{
	char *end;
	unsigned long v4 = strtoul(p + 1, &end, 10), v6 = 64;
	if (end == p + 1 || v4 > 32)
		return false;
	if (*end == '/') {
		const char *second = end + 1;
		v6 = strtoul(second, &end, 10);
		if (end == second || v6 > 128)
			return false;
	}
	c->v4_len = (uint8_t)v4;
	c->v6_len = (uint8_t)v6;
	return *end == '\0' && c->type == CELL_ADDR;
}

static bool find_group(struct cell_column *c)
{
	char full[CELL_NAME_LEN];
	memcpy(full, c->name, sizeof(full));
	char *slash = strchr(c->name, '/');
	if (slash)
		*slash = '\0';
	if (!find_in(ends, sizeof(ends) / sizeof(ends[0]), c) && !find_column(c))
		return false;
	c->v4_len = 32;
	c->v6_len = 128;
	if (slash && !take_lens(full + (slash - c->name), c))
		return false;
	memcpy(c->name, full, sizeof(full));
	return true;
}

static bool is_there(const struct cell_columns *list, const struct cell_column *c)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->c[i].name, c->name) == 0 ||
		    (c->other >= 0 && list->c[i].other >= 0))
			return true;
	return false;
}

static int
parse(const char *list,
      size_t max,
      bool (*find)(struct cell_column *),
      struct cell_columns *ret,
      char bad[static CELL_NAME_LEN])
{
	ret->n = 0;
	for (const char *p = list;; p++) {
		size_t n = strcspn(p, ",");
		struct cell_column *c = &ret->c[ret->n];
		size_t kept = n < CELL_NAME_LEN ? n : CELL_NAME_LEN - 1;
		memcpy(bad, p, kept);
		bad[kept] = '\0';
		if (n >= CELL_NAME_LEN || ret->n == max)
			return -EINVAL;
		memcpy(c->name, bad, kept + 1);
		if (!find(c) || is_there(ret, c))
			return -EINVAL;
		ret->n++;
		p += n;
		if (!*p)
			return 0;
	}
}

int cell_columns_parse(const char *list, struct cell_columns *ret, char bad[static CELL_NAME_LEN])
{
	return parse(list, CELL_COLUMNS_MAX, find_column, ret, bad);
}

int cell_groups_parse(
	const char *list, size_t max, struct cell_columns *ret, char bad[static CELL_NAME_LEN]
)
{
	return parse(list, max < CELL_COLUMNS_MAX ? max : CELL_COLUMNS_MAX, find_group, ret, bad);
}

uint64_t cell_columns_fields(const struct cell_columns *columns)
{
	uint64_t fields = 0;
	for (size_t i = 0; i < columns->n; i++) {
		fields |= value_fields(columns->c[i].source);
		if (columns->c[i].other >= 0)
			fields |= value_fields(columns->c[i].other);
	}
	return fields;
}

static void cut(struct addr *a, const struct cell_column *c)
{
	unsigned len = addr_is_v4(a) ? c->v4_len + 96u : c->v6_len;
	for (unsigned i = len / 8; i < 16; i++) {
		unsigned bits = len > i * 8 ? len - i * 8 : 0;
		a->b[i] &= (uint8_t)(0xff00 >> bits);
	}
}

struct cell
cell_load(const struct cell_column *c, const struct record_batch *b, uint32_t row, bool other)
{
	struct cell v = {};
	int s = other ? c->other : c->source;
	if (c->type == CELL_TEXT) {
		v.text = value_text(b, (enum record_field)s, row);
	} else if (c->type == CELL_ADDR) {
		v.addr = record_batch_addr(b, s, row);
		cut(&v.addr, c);
	} else {
		value_load(b, s, row, 1, &v.number);
	}
	return v;
}

static void print_json_text(FILE *out, const char *p, size_t len)
{
	putc('"', out);
	for (size_t i = 0, n; i < len; i += n) {
		uint8_t ch = (uint8_t)p[i];
		n = utf8_len((const uint8_t *)p + i, len - i);
		if (n == 0) { // foreign bytes: what is no UTF-8 becomes U+FFFD
			fputs("\\ufffd", out);
			n = 1;
		} else if (ch == '"' || ch == '\\') {
			putc('\\', out);
			putc(ch, out);
		} else if (ch < 0x20 || ch == 0x7f) {
			fprintf(out, "\\u%04x", ch);
		} else {
			fwrite(p + i, 1, n, out);
		}
	}
	putc('"', out);
}

// A text that begins like a formula would be run by spreadsheets (OWASP, "CSV injection").
static void print_csv_text(FILE *out, const char *p, size_t len)
{
	bool quoted = false, formula = len && strchr("=+-@\t\r", p[0]);
	for (size_t i = 0; i < len; i++)
		quoted |= strchr(",\"\r\n", p[i]) != NULL; // NUL too
	quoted |= formula;
	if (quoted)
		putc('"', out);
	if (formula)
		putc('\'', out);
	for (size_t i = 0; i < len; i++) {
		if (p[i] == '"')
			putc('"', out);
		putc(p[i], out);
	}
	if (quoted)
		putc('"', out);
}

struct addr cell_cut(const struct cell_column *c, struct addr a)
{
	cut(&a, c);
	return a;
}

static const char *print_addr(const struct cell_column *c, const struct addr *a, char *text)
{
	unsigned len = addr_is_v4(a) ? c->v4_len : c->v6_len;
	addr_format(a, text);
	if (len < (addr_is_v4(a) ? 32u : 128u))
		sprintf(text + strlen(text), "/%u", len);
	return text;
}

static const char *print_mac(uint64_t mac, char *text)
{
	for (int i = 0; i < 6; i++)
		sprintf(text + 3 * (size_t)i,
			i < 5 ? "%02x:" : "%02x",
			(unsigned)(mac >> (40 - 8 * i)) & 0xff);
	return text;
}

// The text of what is no number and no foreign text.
static const char *
text_of(const struct cell_column *c, const struct cell *v, char text[static ADDR_TEXT_LEN + 8])
{
	switch (c->type) {
	case CELL_ADDR:
		return print_addr(c, &v->addr, text);
	case CELL_MAC:
		return print_mac(v->number, text);
	case CELL_TIME:
		return time_format_ns(v->number, text);
	case CELL_PROTO:
		return record_format_proto((uint8_t)v->number, text);
	case CELL_FLAGS:
		return record_format_flags((uint16_t)v->number, text);
	case CELL_VERDICT:
		return v->number == VERDICT_DENY ? "Deny" : "Allow";
	case CELL_NUMBER:
	case CELL_TEXT:
		break;
	}
	return "";
}

void cell_print_json(FILE *out, const struct cell_column *c, const struct cell *v)
{
	char text[ADDR_TEXT_LEN + 8];
	if (c->type == CELL_NUMBER)
		fprintf(out, "%" PRIu64, v->number);
	else if (c->type == CELL_TEXT)
		print_json_text(out, v->text.p, v->text.len);
	else
		fprintf(out, "\"%s\"", text_of(c, v, text));
}

void cell_print_csv(FILE *out, const struct cell_column *c, const struct cell *v)
{
	char text[ADDR_TEXT_LEN + 8];
	if (c->type == CELL_NUMBER)
		fprintf(out, "%" PRIu64, v->number);
	else if (c->type == CELL_TEXT)
		print_csv_text(out, v->text.p, v->text.len);
	else
		fputs(text_of(c, v, text), out);
}

void cell_print_names(FILE *out, const struct cell_columns *columns)
{
	for (size_t i = 0; i < columns->n; i++)
		fprintf(out, "%s%s", i ? "," : "", columns->c[i].name);
}
