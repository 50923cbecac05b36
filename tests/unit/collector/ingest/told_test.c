// SPDX-License-Identifier: Apache-2.0

// Indicators that come from outside: a sensor's word of a hit, and records that say they met one.

#include "lib/ipfix/encode_hit.h"
#include "tests/unit/collector/ingest/intake.h"

static struct prefix sensors;

// Exporters at 192.0.2.1 are sensors.
static void trust(void)
{
	sensors = (struct prefix){.addr = peer_of(1).addr, .len = 128};
	options.sensors = &sensors;
	options.n_sensors = 1;
	intake_restart();
}

static struct ipfix_hit hit_of(void)
{
	struct ipfix_hit h = {.type = 1, .severity = 3, .confidence = 90};
	RECORD_SET(&h.record, start_ns, NOW - NS_PER_SEC);
	RECORD_SET(&h.record, src, addr_of_v4("\xc6\x33\x64\7"));
	RECORD_SET(&h.record, dst, addr_of_v4("\x0a\0\0\1"));
	RECORD_SET(&h.record, sport, 40000);
	RECORD_SET(&h.record, dport, 22);
	RECORD_SET(&h.record, proto, 6);
	RECORD_SET(&h.record, indicator, 77);
	RECORD_SET(&h.record, score, 800);
	RECORD_SET(&h.record, matched, INTEL_SRC);
	h.texts[AUX_TEXT_VALUE - AUX_N_NUMBERS] = (struct record_str){"198.51.100.7", 12};
	h.texts[AUX_TEXT_FEED - AUX_N_NUMBERS] = (struct record_str){"feed", 4};
	return h;
}

// A message of the hit and, behind it, its flow.
static void tell(uint8_t last, const struct ipfix_hit *h)
{
	struct ipfix_encoder_options o = {.domain = DOMAIN, .max_len = 1420, .biflow = true};
	struct ipfix_encoder *e;
	struct record flow = h->record;
	struct peer p = peer_of(last);
	const uint8_t *m;
	RECORD_SET(&flow, packets, 9);
	assert_int_equal(ipfix_encoder_create(&o, &e), 0);
	assert_int_equal(ipfix_encoder_add_hit(e, h), 0);
	assert_int_equal(ipfix_encoder_add(e, &flow), 0);
	size_t len = ipfix_encoder_finish(e, now_ns, &m, NULL);
	intake_datagram(&in, &p, buf_of(m, len), now_ns);
	ipfix_encoder_free(e);
}

static void a_sensor_is_believed(void **)
{
	struct ipfix_hit h = hit_of();
	trust();
	tell(1, &h);
	assert_int_equal(sink.n_hits, 1);
	assert_int_equal(sink.hit.indicator, 77);
	assert_int_equal(sink.hit.direction, HIT_INBOUND);
	assert_true(addr_eq(&sink.hit.inside, &h.record.dst));
	assert_true(addr_eq(&sink.hit.outside, &h.record.src));
	assert_int_equal(sink.hit.inside_port, 22);
	assert_int_equal(sink.hit.severity, 3);
	assert_int_equal(sink.hit.confidence, 90);
	assert_int_equal(sink.hit.score, 800);
	assert_int_equal(sink.hit.live.flows, 0); // it is counted when its record comes
	assert_string_equal(sink.value, "198.51.100.7");
	assert_string_equal(sink.feed, "feed");
	assert_int_equal(count(LEDGER_intel_told), 1);
	assert_int_equal(n_rows(), 1);
	assert_int_equal(row_at(0).indicator, 77);
	assert_int_equal(row_at(0).matched, INTEL_SRC);
	assert_int_equal(count(LEDGER_intel_untrusted), 0);
}

static void a_stranger_is_not(void **)
{
	struct ipfix_hit h = hit_of();
	trust();
	tell(2, &h);
	assert_int_equal(sink.n_hits, 0);
	assert_int_equal(n_rows(), 1);
	assert_int_equal(row_at(0).indicator, 0);
	assert_int_equal(row_at(0).score, 0);
	assert_int_equal(row_at(0).matched, 0);
	assert_int_equal(row_at(0).packets, 9);
	assert_int_equal(count(LEDGER_intel_untrusted), 2);
}

static void nonsense_is_refused(void **)
{
	struct ipfix_hit h = hit_of();
	trust();
	h.type = INDICATOR_N_TYPES;
	tell(1, &h);
	h = hit_of();
	h.severity = SEVERITY_N;
	tell(1, &h);
	h = hit_of();
	h.record.indicator = 0;
	tell(1, &h);
	assert_int_equal(sink.n_hits, 0);
	assert_int_equal(count(LEDGER_intel_told_lost), 3);
	h = hit_of();
	h.record.matched = 200;
	tell(1, &h);
	assert_int_equal(sink.n_hits, 1);
	assert_int_equal(sink.hit.where, INTEL_NONE);
}

static void times_far_off_are_not_taken(void **)
{
	struct ipfix_hit h = hit_of();
	trust();
	h.record.start_ns = 1000 * NS_PER_SEC;
	tell(1, &h);
	assert_int_equal(sink.n_hits, 1);
	assert_true(sink.hit.first_ns >= NOW);
	assert_true(sink.hit.last_ns >= sink.hit.first_ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_sensor_is_believed),
		TEST(a_stranger_is_not),
		TEST(nonsense_is_refused),
		TEST(times_far_off_are_not_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
