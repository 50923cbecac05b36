// SPDX-License-Identifier: Apache-2.0
#include "bench/gen/wire.h"

static const size_t header_len[] = {[WIRE_V5] = 24, [WIRE_V9] = 20, [WIRE_IPFIX] = 16};

void wire_open(struct wire *s, bool templates)
{
	s->w = wbuf_of(s->bytes, sizeof(s->bytes));
	s->n_flows = 0;
	s->n_templates = 0;
	s->set_id = 0;
	(void)wbuf_take(&s->w, header_len[s->proto]);
	if (templates && s->proto != WIRE_V5)
		wire9_templates(s);
}

bool wire_add(struct wire *s, const struct flow *f)
{
	bool added = s->proto == WIRE_V5 ? wire5_add(s, f) : wire9_add(s, f);
	s->n_flows += added;
	return added;
}

size_t wire_close(struct wire *s, uint64_t now_ms)
{
	if (s->proto == WIRE_V5)
		wire5_close(s, now_ms);
	else
		wire9_close(s, now_ms);
	s->n_records += s->n_flows;
	s->n_messages++;
	return wbuf_len(&s->w);
}
