// SPDX-License-Identifier: Apache-2.0

// Records that trusted importers pass on (weir import): whose they are, and of which entity.

#include "tests/unit/collector/ingest/intake.h"

static struct prefix prefix_of(const char *text)
{
	struct prefix p;
	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static struct prefix trust[1];
static struct ingest_entity entities[2];

// Peers 192.0.2.1 are trusted; two exporters belong to entities 5 and 6, everybody else to 1.
static void start(void)
{
	trust[0] = prefix_of("192.0.2.1");
	entities[0] = (struct ingest_entity){prefix_of("198.51.100.5"), 5};
	entities[1] = (struct ingest_entity){prefix_of("198.51.100.6"), 6};
	options.trust = trust;
	options.n_trust = 1;
	options.entities = entities;
	options.n_entities = 2;
	options.default_entity = 1;
	intake_restart();
}

static uint16_t entity_of_row(uint64_t n)
{
	uint16_t entity;
	(void)sink_row(&sink, n, &entity);
	return entity;
}

static void each_row_is_of_its_exporters_entity(void **)
{
	start();
	begin(10);
	DEFINE(256, 8, 4, 130, 4);
	set(256, "0a000001 c6336405 0a000002 c6336406 0a000003 c6336405 0a000004 c6336407");
	deliver();
	static const uint16_t want[] = {5, 6, 5, 1};
	for (uint64_t i = 0; i < 4; i++)
		assert_int_equal(entity_of_row(i), want[i]);
	deliver_from(peer_of(2)); // the same from somebody whom nobody trusts
	assert_int_equal(entity_of_row(4), 1);
	assert_int_equal(count(LEDGER_imported), 4);
}

static void an_exporter_that_is_not_known_is_the_importer(void **)
{
	start();
	begin(10);
	DEFINE(256, 8, 4, 130, 4, 150, 4);
	DEFINE(257, 27, 16, 131, 16, 150, 4);
	set(256, "0a000001 00000000 00000005");
	set(257, "20010db8000000000000000000000001 00000000000000000000000000000000 00000006");
	deliver();
	for (uint64_t i = 0; i < 2; i++) {
		struct record r = row_at(i);
		assert_exporter(&r, 1);
		assert_int_equal(
			r.start_ns, (5 + i) * NS_PER_SEC
		); // its time is history all the same
		assert_int_equal(entity_of_row(i), 1);
	}
}

static void a_named_entity_goes_before_the_exporters(void **)
{
	start();
	begin(10);
	set(2, "0100 0003 0008 0004 0082 0004 8064 0002 00007ed9"); // our own element 100
	set(256, "0a000001 c6336405 0009");
	deliver();
	deliver_from(peer_of(2));
	assert_int_equal(entity_of_row(0), 9);
	assert_int_equal(entity_of_row(1), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_row_is_of_its_exporters_entity),
		TEST(an_exporter_that_is_not_known_is_the_importer),
		TEST(a_named_entity_goes_before_the_exporters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
