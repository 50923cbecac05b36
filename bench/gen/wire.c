// SPDX-License-Identifier: Apache-2.0
#include "bench/gen/wire.h"

static const size_t header_len[] = {
	[WIRE_V1] = 16,
	[WIRE_V5] = 24,
	[WIRE_V7] = 24,
	[WIRE_V9] = 20,
	[WIRE_IPFIX] = 16,
	[WIRE_SFLOW] = WIRE_SFLOW_HEADER,
};

static bool has_templates(const struct wire *s)
{
	return s->proto == WIRE_V9 || s->proto == WIRE_IPFIX;
}

void wire_open(struct wire *s, bool templates)
{
	s->w = wbuf_of(s->bytes, sizeof(s->bytes));
	s->n_flows = 0;
	s->n_templates = 0;
	s->set_id = 0;
	(void)wbuf_take(&s->w, header_len[s->proto]);
	if (templates && has_templates(s))
		wire9_templates(s);
}

bool wire_add(struct wire *s, const struct flow *f)
{
	bool added = has_templates(s)	      ? wire9_add(s, f)
		     : s->proto == WIRE_SFLOW ? wire_sflow_add(s, f)
					      : wire5_add(s, f);
	s->n_flows += added;
	return added;
}

size_t wire_close(struct wire *s, uint64_t now_ms)
{
	if (has_templates(s))
		wire9_close(s, now_ms);
	else if (s->proto == WIRE_SFLOW)
		wire_sflow_close(s, now_ms);
	else
		wire5_close(s, now_ms);
	s->n_records += s->n_flows;
	s->n_messages++;
	return wbuf_len(&s->w);
}
