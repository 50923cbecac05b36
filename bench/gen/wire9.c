// SPDX-License-Identifier: Apache-2.0
// NetFlow version 9 (RFC 3954) and IPFIX (RFC 7011): one template for IPv4, one for IPv6.
#include "bench/gen/wire.h"

#define V9_TEMPLATES 0
#define IPFIX_TEMPLATES 2
#define TEMPLATE_V4 256
#define TEMPLATE_V6 257
#define RECORD_MAX 96

struct field {
	uint16_t ie, len;
};

// As wire9_add writes them; the addresses and times differ (see below).
static const struct field common[] = {
	{7, 2},
	{11, 2},
	{4, 1},
	{6, 1},
	{5, 1},
	{2, 8},
	{1, 8},
	{10, 4},
	{14, 4},
	{16, 4},
	{17, 4},
};
#define COMMON_N (sizeof(common) / sizeof(*common))

static void put_field(struct wbuf *w, uint16_t ie, uint16_t len)
{
	wbuf_u16(w, ie);
	wbuf_u16(w, len);
}

static void put_template(struct wire *s, uint16_t id)
{
	struct wbuf *w = &s->w;
	bool v6 = id == TEMPLATE_V6, v9 = s->proto == WIRE_V9;
	wbuf_u16(w, id);
	wbuf_u16(w, COMMON_N + 4);
	put_field(w, v6 ? 27 : 8, v6 ? 16 : 4);
	put_field(w, v6 ? 28 : 12, v6 ? 16 : 4);
	put_field(w, v9 ? 22 : 152, v9 ? 4 : 8); // FIRST_SWITCHED, flowStartMilliseconds
	put_field(w, v9 ? 21 : 153, v9 ? 4 : 8);
	for (size_t i = 0; i < COMMON_N; i++)
		put_field(w, common[i].ie, common[i].len);
}

static void close_set(struct wire *s)
{
	if (!s->w.full && wbuf_len(&s->w) > s->set_at)
		wbuf_put_u16(&s->w, s->set_at + 2, (uint16_t)(wbuf_len(&s->w) - s->set_at));
	s->set_id = 0;
}

static void open_set(struct wire *s, uint16_t id)
{
	s->set_at = wbuf_len(&s->w);
	s->set_id = id;
	wbuf_u16(&s->w, id);
	wbuf_u16(&s->w, 0);
}

void wire9_templates(struct wire *s)
{
	open_set(s, s->proto == WIRE_V9 ? V9_TEMPLATES : IPFIX_TEMPLATES);
	put_template(s, TEMPLATE_V4);
	put_template(s, TEMPLATE_V6);
	close_set(s);
	s->n_templates = 2;
}

static void put_time(struct wire *s, uint64_t us)
{
	if (s->proto == WIRE_V9)
		wbuf_u32(&s->w, (uint32_t)(us / 1000 - s->boot_ms));
	else
		wbuf_u64(&s->w, us / 1000);
}

bool wire9_add(struct wire *s, const struct flow *f)
{
	struct wbuf *w = &s->w;
	bool v4 = addr_is_v4(&f->t.src);
	uint16_t id = v4 ? TEMPLATE_V4 : TEMPLATE_V6;
	if (wbuf_left(w) < RECORD_MAX)
		return false;
	if (s->set_id != id) {
		if (s->set_id)
			close_set(s);
		open_set(s, id);
	}
	size_t skip = v4 ? 12 : 0;
	wbuf_bytes(w, f->t.src.b + skip, 16 - skip);
	wbuf_bytes(w, f->t.dst.b + skip, 16 - skip);
	put_time(s, f->t.start_us);
	put_time(s, f->t.end_us);
	wbuf_u16(w, f->t.sport);
	wbuf_u16(w, f->t.dport);
	wbuf_u8(w, f->t.proto);
	wbuf_u8(w, f->tcp_flags);
	wbuf_u8(w, f->tos);
	wbuf_u64(w, f->t.packets[0]);
	wbuf_u64(w, f->t.bytes[0]);
	wbuf_u32(w, f->in_if);
	wbuf_u32(w, f->out_if);
	wbuf_u32(w, f->src_as);
	wbuf_u32(w, f->dst_as);
	return true;
}

void wire9_close(struct wire *s, uint64_t now_ms)
{
	bool v9 = s->proto == WIRE_V9;
	if (s->set_id)
		close_set(s);
	struct wbuf w = wbuf_of(s->bytes, sizeof(s->bytes));
	wbuf_u16(&w, v9 ? 9 : 10);
	wbuf_u16(&w, (uint16_t)(v9 ? s->n_flows + s->n_templates : wbuf_len(&s->w)));
	// A v9 header has its time in whole seconds: the uptime of that second, or every time that
	// a receiver works out from the two is up to a second early.
	uint64_t now_sec = now_ms / 1000;
	if (v9)
		wbuf_u32(&w, (uint32_t)(now_sec * 1000 - s->boot_ms));
	wbuf_u32(&w, (uint32_t)now_sec);
	wbuf_u32(&w, v9 ? s->n_messages : s->n_records);
	wbuf_u32(&w, s->domain);
}
