// SPDX-License-Identifier: Apache-2.0
#include "lib/ipfix/encode_options.h"

#include "lib/base/utf8.h"
#include "lib/ipfix/encoder.h"
#include "lib/ipfix/wire.h"

#include <errno.h>
#include <string.h>

#define FIELDS_MAX 8
#define NAME_LEN 32 // fixed: NetFlow v9 has no variable length, and nfcapd wants none in IPFIX
#define TEXT_LEN 64
#define IE_OBSERVATION_DOMAIN 149
#define IE_INGRESS_INTERFACE 10
#define IE_INTERFACE_NAME 82
#define IE_INTERFACE_DESCRIPTION 83
#define SCOPE9_SYSTEM 1
#define SCOPE9_INTERFACE 2
#define SELECTOR 1	   // the only one we have
#define SYSTEMATIC_COUNT 1 // IANA's psamp-parameters
#define RANDOM_N_OUT_OF_N 3
#define ALGORITHM9_DETERMINISTIC 1 // samplingAlgorithm
#define ALGORITHM9_RANDOM 2

// The first is the scope: four bytes.
struct kind {
	uint16_t scope, scope9;
	unsigned n_fields; // without it
	struct {
		uint16_t ie, len;
	} fields[FIELDS_MAX];
};

static const struct kind kinds[ENCODER_N_OPTIONS] = {
	[ENCODER_STATISTICS] =
		{IE_OBSERVATION_DOMAIN,
		 SCOPE9_SYSTEM,
		 7,
		 {{40, 8}, {41, 8}, {42, 8}, {163, 8}, {166, 8}, {164, 8}, {135, 8}}},
	// The last two are what older collectors know.
	[ENCODER_SAMPLING] =
		{IE_OBSERVATION_DOMAIN,
		 SCOPE9_SYSTEM,
		 6,
		 {{302, 4}, {304, 2}, {305, 4}, {306, 4}, {34, 4}, {35, 1}}},
	[ENCODER_SAMPLING_RANDOM] =
		{IE_OBSERVATION_DOMAIN,
		 SCOPE9_SYSTEM,
		 6,
		 {{302, 4}, {304, 2}, {309, 4}, {310, 4}, {34, 4}, {35, 1}}},
	[ENCODER_INTERFACE] =
		{IE_INGRESS_INTERFACE,
		 SCOPE9_INTERFACE,
		 2,
		 {{IE_INTERFACE_NAME, NAME_LEN}, {IE_INTERFACE_DESCRIPTION, TEXT_LEN}}},
};

union value {
	uint64_t n;
	const char *text;
};

static bool is_v9(const struct ipfix_encoder *e)
{
	return e->o.version == NETFLOW9_VERSION;
}

static uint16_t id_of(enum encoder_option o)
{
	return (uint16_t)(IPFIX_SET_MIN + N_TEMPLATES + 1 + o);
}

static void put_template(struct ipfix_encoder *e, enum encoder_option o)
{
	const struct kind *k = &kinds[o];
	ipfix_encoder_set(e, is_v9(e) ? NETFLOW9_SET_OPTIONS : IPFIX_SET_OPTIONS);
	wbuf_u16(&e->w, id_of(o));
	if (is_v9(e)) {
		wbuf_u16(&e->w, 4); // bytes of the scopes' specifiers, then of the others'
		wbuf_u16(&e->w, (uint16_t)(4 * k->n_fields));
		wbuf_u16(&e->w, k->scope9);
	} else {
		wbuf_u16(&e->w, (uint16_t)(k->n_fields + 1));
		wbuf_u16(&e->w, 1);
		wbuf_u16(&e->w, k->scope);
	}
	wbuf_u16(&e->w, 4);
	for (unsigned i = 0; i < k->n_fields; i++) {
		wbuf_u16(&e->w, k->fields[i].ie);
		wbuf_u16(&e->w, k->fields[i].len);
	}
	e->n_templates++;
}

void ipfix_encoder_option_templates(struct ipfix_encoder *e)
{
	for (int o = 0; o < ENCODER_N_OPTIONS; o++) {
		struct ipfix_encoder_mark before = ipfix_encoder_mark(e);
		if (!e->options_used[o])
			continue;
		put_template(e, (enum encoder_option)o);
		e->options_announced[o] = !e->w.full;
		if (e->w.full)
			ipfix_encoder_back(e, &before);
	}
}

static void put_text(struct wbuf *w, const char *text, size_t room)
{
	static const char zeros[TEXT_LEN];
	size_t len = strnlen(text, room + 1);
	len = len > room ? utf8_cut(text, len, room) : len;
	wbuf_bytes(w, text, len);
	wbuf_bytes(w, zeros, room - len);
}

static int
add(struct ipfix_encoder *e, enum encoder_option o, uint32_t scope, const union value *values)
{
	const struct kind *k = &kinds[o];
	if (e->o.version == NETFLOW5_VERSION)
		return 0; // it has no options
	struct ipfix_encoder_mark before = ipfix_encoder_mark(e);
	if (!e->options_announced[o])
		put_template(e, o);
	if (!e->set_at || e->set_id != id_of(o))
		ipfix_encoder_set(e, id_of(o));
	wbuf_u32(&e->w, scope);
	for (unsigned i = 0; i < k->n_fields; i++) {
		if (k->fields[i].ie == IE_INTERFACE_NAME ||
		    k->fields[i].ie == IE_INTERFACE_DESCRIPTION)
			put_text(&e->w, values[i].text, k->fields[i].len);
		else
			wbuf_uint(&e->w, values[i].n, k->fields[i].len);
	}
	if (e->w.full) { // all of it or nothing
		ipfix_encoder_back(e, &before);
		return -ENOSPC;
	}
	e->options_announced[o] = e->options_used[o] = true;
	e->n_records++;
	return 0;
}

int ipfix_encoder_add_statistics(struct ipfix_encoder *e, const struct ipfix_statistics *s)
{
	const union value values[] = {
		{s->bytes},
		{s->messages},
		{s->flows},
		{s->observed_flows},
		{s->not_sent_flows},
		{s->ignored_packets},
		{s->dropped_packets},
	};
	return add(e, ENCODER_STATISTICS, e->o.domain, values);
}

int ipfix_encoder_add_sampling(struct ipfix_encoder *e, const struct ipfix_sampling *s)
{
	const union value values[] = {
		{SELECTOR},
		{s->is_random ? RANDOM_N_OUT_OF_N : SYSTEMATIC_COUNT},
		{1},
		{s->is_random ? s->n : s->n - 1},
		{s->n},
		{s->is_random ? ALGORITHM9_RANDOM : ALGORITHM9_DETERMINISTIC},
	};
	e->sampling5 = *s;
	enum encoder_option o = s->is_random ? ENCODER_SAMPLING_RANDOM : ENCODER_SAMPLING;
	return add(e, o, e->o.domain, values);
}

int ipfix_encoder_add_interface(struct ipfix_encoder *e, const struct ipfix_interface *i)
{
	const union value values[] = {{.text = i->name}, {.text = i->description}};
	return add(e, ENCODER_INTERFACE, i->index, values);
}
