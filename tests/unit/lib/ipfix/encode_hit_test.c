// SPDX-License-Identifier: Apache-2.0
#include "lib/ipfix/encode_hit.h"
#include "tests/unit/lib/ipfix/decode.h"

#include <errno.h>

static struct ipfix_encoder *encoder_of(uint16_t version, uint16_t max_len)
{
	struct ipfix_encoder *e = NULL;
	struct ipfix_encoder_options o = {
		.domain = DOMAIN, .max_len = max_len, .biflow = true, .version = version};
	assert_int_equal(ipfix_encoder_create(&o, &e), 0);
	return e;
}

static struct record_str text(const char *s)
{
	return (struct record_str){s, (uint16_t)strlen(s)};
}

static struct ipfix_hit hit_of(bool v6)
{
	struct ipfix_hit h = {.type = 4, .severity = 3, .confidence = 90};
	RECORD_SET(&h.record, start_ns, NOW);
	RECORD_SET(&h.record, src, addr_of_v4("\x0a\0\0\1"));
	RECORD_SET(
		&h.record,
		dst,
		v6 ? addr_of_v6("\x20\1\x0d\xb8........wxyz") : addr_of_v4("\xc6\x33\x64\7")
	);
	RECORD_SET(&h.record, sport, 40000);
	RECORD_SET(&h.record, dport, 443);
	RECORD_SET(&h.record, proto, 6);
	RECORD_SET(&h.record, indicator, 0x0123456789abcdef);
	RECORD_SET(&h.record, score, 800);
	RECORD_SET(&h.record, matched, 3);
	RECORD_SET(&h.record, server_name, text("c2.bad.example"));
	h.texts[AUX_TEXT_VALUE - AUX_N_NUMBERS] = text("bad.example");
	h.texts[AUX_TEXT_FEED - AUX_N_NUMBERS] = text("feed");
	h.texts[AUX_TEXT_CATEGORY - AUX_N_NUMBERS] = text("c2");
	h.texts[AUX_TEXT_DESCRIPTION - AUX_N_NUMBERS] = text("a description");
	h.texts[AUX_TEXT_REFERENCE - AUX_N_NUMBERS] = text("https://example.com/");
	return h;
}

// Reads the encoder's message; hits and flows in it. The last hit stays in the reader.
static void
receive(struct ipfix_encoder *e, bool wants_hits, unsigned *ret_hits, unsigned *ret_flows)
{
	struct ipfix_message m;
	const uint8_t *p;
	size_t len = ipfix_encoder_finish(e, NOW, &p, NULL);
	struct buf b = buf_of(p, len);
	*ret_hits = *ret_flows = 0;
	assert_true(len > 0);
	assert_int_equal(ipfix_message_parse(&b, NOW, &m), IPFIX_OK);
	ipfix_reader_init(&reader, domain, &m);
	reader.wants_hits = wants_hits;
	while (ipfix_reader_next(&reader)) {
		if (ipfix_reader_is_hit(&reader))
			++*ret_hits;
		else
			++*ret_flows;
	}
	assert_false(reader.is_malformed);
}

static void assert_text(enum ipfix_aux a, const char *want)
{
	struct record_str s = ipfix_reader_text(&reader, a);
	assert_int_equal(s.len, strlen(want));
	assert_memory_equal(s.p, want, s.len);
}

static void a_hit_comes_out_as_it_went_in(void **)
{
	struct ipfix_encoder *e = encoder_of(10, 1420);
	for (int v6 = 0; v6 < 2; v6++) {
		struct ipfix_hit h = hit_of(v6);
		unsigned hits, flows;
		assert_int_equal(ipfix_encoder_add_hit(e, &h), 0);
		receive(e, true, &hits, &flows);
		assert_int_equal(hits, 1);
		assert_int_equal(flows, 0);
		const struct record *r = &reader.values.r;
		assert_true(addr_eq(&r->src, &h.record.src) && addr_eq(&r->dst, &h.record.dst));
		assert_true(r->indicator == h.record.indicator && r->start_ns == NOW);
		assert_int_equal(r->sport, 40000);
		assert_int_equal(r->dport, 443);
		assert_int_equal(r->proto, 6);
		assert_int_equal(r->score, 800);
		assert_int_equal(r->matched, 3);
		assert_memory_equal(r->server_name.p, "c2.bad.example", r->server_name.len);
		assert_int_equal(reader.values.aux[AUX_INDICATOR_TYPE], 4);
		assert_int_equal(reader.values.aux[AUX_SEVERITY], 3);
		assert_int_equal(reader.values.aux[AUX_CONFIDENCE], 90);
		assert_text(AUX_TEXT_VALUE, "bad.example");
		assert_text(AUX_TEXT_FEED, "feed");
		assert_text(AUX_TEXT_CATEGORY, "c2");
		assert_text(AUX_TEXT_DESCRIPTION, "a description");
		assert_text(AUX_TEXT_REFERENCE, "https://example.com/");
	}
	ipfix_encoder_free(e);
}

static void who_does_not_want_hits_gets_the_flows_alone(void **)
{
	struct ipfix_encoder *e = encoder_of(10, 1420);
	struct ipfix_hit h = hit_of(false);
	struct record flow = h.record;
	unsigned hits, flows;
	RECORD_SET(&flow, packets, 7);
	for (int wants = 0; wants < 2; wants++) {
		assert_int_equal(ipfix_encoder_add(e, &flow), 0);
		assert_int_equal(ipfix_encoder_add_hit(e, &h), 0);
		assert_int_equal(ipfix_encoder_add(e, &flow), 0);
		receive(e, wants, &hits, &flows);
		assert_int_equal(hits, wants);
		assert_int_equal(flows, 2);
		assert_int_equal(reader.n_records, 3); // of the sequence (RFC 7011 §3.1)
	}
	ipfix_encoder_free(e);
}

static void the_longest_texts_fit_the_smallest_message(void **)
{
	static char longest[RECORD_STR_MAX];
	struct ipfix_encoder *e = encoder_of(10, 1024);
	struct ipfix_hit h = hit_of(true);
	unsigned hits, flows;
	memset(longest, 'x', sizeof(longest));
	for (int i = 0; i < AUX_N_TEXTS; i++)
		h.texts[i] = (struct record_str){longest, sizeof(longest)};
	h.record.server_name = h.texts[0];
	assert_int_equal(ipfix_encoder_add_hit(e, &h), 0);
	assert_int_equal(ipfix_encoder_add_hit(e, &h), -ENOSPC); // not both
	receive(e, true, &hits, &flows);
	assert_int_equal(hits, 1);
	assert_int_equal(ipfix_reader_text(&reader, AUX_TEXT_VALUE).len, sizeof(longest));
	assert_int_equal(ipfix_reader_text(&reader, AUX_TEXT_DESCRIPTION).len, 0);
	assert_int_equal(ipfix_encoder_add_hit(e, &h), 0);
	receive(e, true, &hits, &flows);
	assert_int_equal(hits, 1);
	ipfix_encoder_free(e);
}

static void templates_tell_hits_once_there_were_any(void **)
{
	struct ipfix_encoder *e = encoder_of(10, 40000);
	struct ipfix_hit h = hit_of(false);
	const uint8_t *p;
	unsigned hits, flows;
	size_t before = ipfix_encoder_templates(e, NOW, &p);
	assert_int_equal(ipfix_encoder_add_hit(e, &h), 0);
	receive(e, true, &hits, &flows);
	size_t after = ipfix_encoder_templates(e, NOW, &p);
	assert_true(after > before);
	// a collector that knows nothing but these reads the next hit
	assert_int_equal(tear_down(NULL) | set_up(NULL), 0);
	struct ipfix_message m;
	struct buf b = buf_of(p, after);
	assert_int_equal(ipfix_message_parse(&b, NOW, &m), IPFIX_OK);
	ipfix_reader_init(&reader, domain, &m);
	assert_null(ipfix_reader_next(&reader));
	assert_int_equal(ipfix_encoder_add_hit(e, &h), 0);
	receive(e, true, &hits, &flows);
	assert_int_equal(hits, 1);
	ipfix_encoder_free(e);
}

static void netflow_9_cannot_say_it(void **)
{
	struct ipfix_encoder *e = encoder_of(NETFLOW9_VERSION, 1420);
	struct ipfix_hit h = hit_of(false);
	const uint8_t *p;
	assert_int_equal(ipfix_encoder_add_hit(e, &h), -ENOTSUP);
	assert_int_equal(ipfix_encoder_finish(e, NOW, &p, NULL), 0);
	ipfix_encoder_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_hit_comes_out_as_it_went_in),
		TEST(who_does_not_want_hits_gets_the_flows_alone),
		TEST(the_longest_texts_fit_the_smallest_message),
		TEST(templates_tell_hits_once_there_were_any),
		TEST(netflow_9_cannot_say_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
