// SPDX-License-Identifier: Apache-2.0
// The flow table beyond its capacity: what goes when a bucket is full, and that nothing goes
// uncounted, against sums kept beside it.
#include "sensor/flow/table.h"
#include "tests/unit/sensor/flow/flows.h"

#define SLOTS 16 // of the one bucket of the smallest table

static struct flows flows;

static int teardown(void **)
{
	flows_close(&flows);
	return 0;
}

static void open_one_bucket(void)
{
	struct flow_table_options o = flows_options();
	o.n_flows = 1;
	flows_open(&flows, &o);
}

static struct packet nth(uint32_t i)
{
	struct packet p = flows_packet(i, 0x800000, PROTO_TCP);
	p.tcp_flags = TCP_ACK;
	return p;
}

static uint32_t number_of(const struct flow *f)
{
	struct addr a = flows_initiator(f);
	return (uint32_t)a.b[13] << 16 | (uint32_t)a.b[14] << 8 | a.b[15];
}

static void fill(void)
{
	open_one_bucket();
	for (uint32_t i = 0; i < SLOTS; i++)
		flows_put_at(&flows, nth(i), T0 + i);
	assert_int_equal(flows_n_ended(&flows), 0);
}

// Of those with one packet, else of all.
static uint32_t silent_for_longest(const uint64_t last[], const bool often[], uint32_t n)
{
	uint32_t oldest = UINT32_MAX;
	for (uint32_t i = 0; i < n; i++)
		if (last[i] != UINT64_MAX &&
		    (oldest == UINT32_MAX || often[i] < often[oldest] ||
		     (often[i] == often[oldest] && last[i] < last[oldest])))
			oldest = i;
	return oldest;
}

static void a_full_bucket_gives_up_the_flow_silent_for_longest(void **)
{
	static uint64_t last[1000];
	static bool often[1000];
	uint64_t now_ns = T0 + 100;
	fill();
	for (uint32_t i = 0; i < SLOTS; i++)
		last[i] = T0 + i;
	for (uint32_t i = SLOTS; i < 1000; i++) {
		for (uint32_t n = flows_below(4); n > 0; n--) { // some of the others speak again
			uint32_t again = i - 1 - flows_below(SLOTS);
			if (last[again] == UINT64_MAX)
				continue;
			flows_put_at(&flows, nth(again), last[again] = ++now_ns);
			often[again] = true;
		}
		flows_put_at(&flows, nth(i), last[i] = ++now_ns);
		struct flow f = flows_only(&flows, FLOW_END_RESOURCES);
		uint32_t oldest = silent_for_longest(last, often, i);
		assert_int_equal(number_of(&f), oldest);
		last[oldest] = UINT64_MAX; // gone
	}
	const struct flow_counters *c = flow_table_counters(flows.table);
	assert_int_equal(c->evicted, 1000 - SLOTS);
	flow_table_flush(flows.table);
	assert_int_equal(flows_n_ended(&flows), SLOTS);
	assert_int_equal(c->flows, 1000);
}

static void a_closed_flow_goes_before_any_other_and_is_no_eviction(void **)
{
	fill();
	struct packet p = nth(SLOTS - 1); // the youngest of all
	p.tcp_flags = TCP_RST;
	flows_put_at(&flows, p, T0 + 100);
	flows_put_at(&flows, nth(SLOTS), T0 + 101);
	struct flow f = flows_only(&flows, FLOW_END_DETECTED);
	assert_int_equal(number_of(&f), SLOTS - 1);
	assert_int_equal(flow_table_counters(flows.table)->evicted, 0);
}

static void a_flow_that_was_over_already_gives_room_for_its_own_reason(void **)
{
	fill(); // then a pause within a burst: nothing was swept since
	flows_put_at(&flows, nth(SLOTS), T0 + IDLE_NS);
	struct flow f = flows_only(&flows, FLOW_END_IDLE);
	assert_int_equal(number_of(&f), 0);
	assert_int_equal(flow_table_counters(flows.table)->evicted, 0);
}

static void a_flow_evicted_after_its_active_timeout_gives_no_empty_record(void **)
{
	open_one_bucket();
	for (uint64_t at = T0; at < T0 + ACTIVE_NS; at += IDLE_NS / 2)
		flows_put_at(&flows, nth(0), at);
	uint64_t now_ns = T0 + ACTIVE_NS;
	flows_expire(&flows, now_ns, now_ns + NS_PER_SEC, 50 * NS_PER_MSEC);
	(void)flows_only(&flows, FLOW_END_ACTIVE);
	for (uint32_t i = 1; i <= SLOTS; i++)
		for (int n = 0; n < 2; n++) // one packet alone would go first
			flows_put_at(&flows, nth(i), now_ns + NS_PER_SEC + i);
	assert_int_equal(flows_n_ended(&flows), 0);
	flow_table_flush(flows.table);
	assert_int_equal(flows_n_ended(&flows), SLOTS);
}

static void a_table_holds_the_flows_it_was_made_for(void **)
{
	enum { N = 20000 };
	struct flow_table_options o = flows_options();
	o.n_flows = N;
	flows_open(&flows, &o);
	for (uint32_t i = 0; i < N; i++)
		flows_put_at(&flows, nth(i), T0 + i);
	assert_true(flow_table_counters(flows.table)->evicted < N / 50);
}

// What each end of each flow sent, beside what the records say.
struct sums {
	uint64_t packets[2], bytes[2]; // of the numbered host, of the other
};

enum { N_FLOWS = 10000, N_PACKETS = 1000000 / FLOWS_SHARE };

static void take(struct sums *got, unsigned *ret_n, unsigned *ret_evicted)
{
	struct flow f;
	while (flows_next(&flows, &f)) {
		bool is_first = !(flows_initiator(&f).b[13] & 0x80);
		struct addr numbered = f.key.low.b[13] & 0x80 ? f.key.high : f.key.low;
		uint32_t i = (uint32_t)numbered.b[14] << 8 | numbered.b[15];
		for (unsigned dir = 0; dir < 2; dir++) {
			unsigned from = is_first ? dir : !dir;
			got[i].packets[from] += f.packets[dir];
			got[i].bytes[from] += f.bytes[dir];
		}
		assert_true(f.start_ns <= f.last_ns);
		assert_true(f.packets[0] + f.packets[1] > 0);
		*ret_evicted += f.end_reason == FLOW_END_RESOURCES;
		++*ret_n;
	}
}

static void burst(struct sums *sent, uint64_t now_ns)
{
	struct packet p[FLOW_BURST];
	struct flow_probe probes[FLOW_BURST];
	for (int k = 0; k < FLOW_BURST; k++) {
		uint32_t i = flows_below(flows_below(2) ? N_FLOWS : 100);
		unsigned from = flows_below(2);
		p[k] = nth(i);
		if (from)
			p[k] = flows_answer(&p[k]);
		p[k].time_ns = now_ns + (uint64_t)k;
		p[k].bytes = 40 + flows_below(1461);
		p[k].tcp_flags = flows_below(50) ? TCP_ACK : (uint16_t)flows_below(64);
		sent[i].packets[from]++;
		sent[i].bytes[from] += p[k].bytes;
	}
	flow_table_probe(flows.table, p, FLOW_BURST, probes);
	struct flow *out[FLOW_BURST];
	flow_table_update(flows.table, p, FLOW_BURST, probes, out);
}

static void every_packet_is_in_one_record(size_t capacity)
{
	static struct sums sent[N_FLOWS], got[N_FLOWS];
	const struct flow_counters *c;
	struct flow_table_options o = flows_options();
	uint64_t now_ns = T0;
	unsigned n = 0, n_evicted = 0, n_sent = 0;
	memset(sent, 0, sizeof(sent));
	memset(got, 0, sizeof(got));
	o.n_flows = capacity;
	flows_open(&flows, &o);
	for (; n_sent < N_PACKETS; n_sent += FLOW_BURST) {
		now_ns += flows_below(20 * NS_PER_MSEC);
		burst(sent, now_ns);
		flow_table_expire(flows.table, now_ns + FLOW_BURST);
		take(got, &n, &n_evicted);
	}
	flow_table_flush(flows.table);
	take(got, &n, &n_evicted);
	assert_memory_equal(sent, got, sizeof(sent));
	c = flow_table_counters(flows.table);
	assert_int_equal(c->packets, n_sent);
	assert_int_equal(c->flows, n);
	assert_int_equal(c->evicted, n_evicted);
	assert_int_equal(c->lost, 0);
	assert_int_equal(n_evicted > 0, capacity < N_FLOWS);
}

static void records_add_up_to_the_packets_of_every_end_when_there_is_room(void **)
{
	every_packet_is_in_one_record(10UL * N_FLOWS);
}

static void records_add_up_to_the_packets_of_every_end_when_most_are_evicted(void **)
{
	every_packet_is_in_one_record(N_FLOWS / 10);
}

#define ESTABLISHED 200
#define SPOOFED 4000 // of a table for 1000, with room for 1600

static struct packet established(uint32_t i)
{
	struct packet p = flows_packet(500000 + i, 900000, PROTO_TCP);
	p.tcp_flags = TCP_ACK;
	return p;
}

// Counts what comes out: of the flood, and of flow i the records and packets.
static void drain(unsigned *flood, unsigned records[ESTABLISHED], uint64_t packets[ESTABLISHED])
{
	struct flow f;
	while (flows_next(&flows, &f)) {
		for (uint32_t i = 0; i < ESTABLISHED; i++) {
			struct packet p = established(i);
			if (!addr_eq(&f.key.low, &p.src) && !addr_eq(&f.key.high, &p.src))
				continue;
			records[i]++;
			packets[i] += f.packets[0] + f.packets[1];
			goto next;
		}
		++*flood;
	next:;
	}
}

static void a_flood_of_syns_leaves_answered_flows_alone(void **)
{
	struct flow_table_options o = flows_options();
	unsigned flood = 0, records[ESTABLISHED] = {}, rounds = 0;
	uint64_t packets[ESTABLISHED] = {}, now_ns = T0;
	o.emergency_ns = 2 * NS_PER_SEC;
	flows_open(&flows, &o);
	for (uint32_t n = 0; n < SPOOFED; n++) {
		struct packet syn = flows_packet(n, 700000, PROTO_TCP);
		syn.tcp_flags = TCP_SYN;
		if (n % 400 == 0) {
			rounds++;
			for (uint32_t i = 0; i < ESTABLISHED; i++) {
				struct packet p = established(i), a = flows_answer(&p);
				flows_put_at(&flows, p, now_ns);
				flows_put_at(&flows, a, now_ns);
			}
		}
		flows_put_at(&flows, syn, now_ns += NS_PER_MSEC);
		flow_table_expire(flows.table, now_ns);
	}
	const struct flow_counters *c = flow_table_counters(flows.table);
	assert_int_equal(c->emergencies, 1);
	assert_true(c->hurried > 0);
	flows_expire(&flows, now_ns, now_ns + 5 * NS_PER_SEC, 50 * NS_PER_MSEC);
	drain(&flood, records, packets);
	for (uint32_t i = 0; i < ESTABLISHED; i++)
		assert_int_equal(records[i], 0); // they go on
	flow_table_flush(flows.table);
	drain(&flood, records, packets);
	for (uint32_t i = 0; i < ESTABLISHED; i++) {
		assert_int_equal(records[i], 1);
		assert_int_equal(packets[i], 2 * rounds);
	}
	assert_int_equal(flood, SPOOFED);
	assert_int_equal(c->packets, SPOOFED + 2 * rounds * ESTABLISHED);
	assert_int_equal(c->flows, SPOOFED + ESTABLISHED);
}

// All at once: nothing can time out, one of the flood gives room to the next.
static void a_burst_of_syns_evicts_only_itself(void **)
{
	struct flow_table_options o = flows_options();
	unsigned flood = 0, records[ESTABLISHED] = {};
	uint64_t packets[ESTABLISHED] = {};
	o.emergency_ns = 2 * NS_PER_SEC;
	flows_open(&flows, &o);
	for (uint32_t i = 0; i < ESTABLISHED; i++) {
		struct packet p = established(i), a = flows_answer(&p);
		flows_put(&flows, &p);
		flows_put(&flows, &a);
	}
	for (uint32_t n = 0; n < SPOOFED; n++) {
		struct packet syn = flows_packet(n, 700000, PROTO_TCP);
		syn.tcp_flags = TCP_SYN;
		flows_put_at(&flows, syn, T0 + n);
		flow_table_expire(flows.table, T0 + n);
	}
	const struct flow_counters *c = flow_table_counters(flows.table);
	assert_in_range(c->evicted, SPOOFED - 1700, SPOOFED);
	assert_int_equal(c->hurried, 0);
	drain(&flood, records, packets);
	assert_int_equal(flood, c->evicted);
	flow_table_flush(flows.table);
	drain(&flood, records, packets);
	assert_int_equal(flood, SPOOFED);
	for (uint32_t i = 0; i < ESTABLISHED; i++) {
		assert_int_equal(records[i], 1);
		assert_int_equal(packets[i], 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
		TEST(a_full_bucket_gives_up_the_flow_silent_for_longest),
		TEST(a_closed_flow_goes_before_any_other_and_is_no_eviction),
		TEST(a_flow_that_was_over_already_gives_room_for_its_own_reason),
		TEST(a_flow_evicted_after_its_active_timeout_gives_no_empty_record),
		TEST(a_table_holds_the_flows_it_was_made_for),
		TEST(a_flood_of_syns_leaves_answered_flows_alone),
		TEST(a_burst_of_syns_evicts_only_itself),
		TEST(records_add_up_to_the_packets_of_every_end_when_there_is_room),
		TEST(records_add_up_to_the_packets_of_every_end_when_most_are_evicted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
