// SPDX-License-Identifier: Apache-2.0
// The table against a model of it that looks at every flow at every packet: whatever the order of
// sweeps and packets, both give the same records, and the table gives none later than a second
// after its time. Days pass, in steps of milliseconds to hours.
#include "sensor/flow/table.h"
#include "sensor/flow/tcp.h"
#include "tests/unit/sensor/flow/flows.h"

#define N_FLOWS 100
#define SLACK_NS NS_PER_SEC
#define WAITING_MAX 64

struct model_record {
	uint64_t over_ns; // when it ended
	uint64_t start_ns, last_ns;
	uint64_t packets[2], bytes[2];
	uint16_t flags[2];
	uint8_t reason;
	bool from_second; // the flow's second end began it
};

struct model_flow {
	bool is_live, is_closed, fin[2];
	struct model_record r; // being counted; r.last_ns lives on from part to part
	struct model_record waiting[WAITING_MAX]; // ended, not yet given by the table
	unsigned n_waiting;
};

static struct {
	uint64_t idle_ns, active_ns, now_ns;
	struct model_flow flows[N_FLOWS];
	unsigned n_records, n_by_reason[6];
} model;

static struct flows flows;

static int teardown(void **)
{
	flows_close(&flows);
	return 0;
}

static void model_end(struct model_flow *f, enum flow_end reason, uint64_t over_ns)
{
	if (f->r.packets[0] + f->r.packets[1] > 0) {
		assert_in_range(f->n_waiting, 0, WAITING_MAX - 1);
		f->r.reason = (uint8_t)reason;
		f->r.over_ns = over_ns;
		f->waiting[f->n_waiting++] = f->r;
		model.n_records++;
		model.n_by_reason[reason]++;
	}
	f->r = (struct model_record){.last_ns = f->r.last_ns, .from_second = f->r.from_second};
}

// What time alone does to a flow until now.
static void model_tick(struct model_flow *f, uint64_t now_ns)
{
	if (!f->is_live)
		return;
	uint64_t idle_at = f->r.last_ns + (f->is_closed ? TCP_LINGER_NS : model.idle_ns);
	bool is_empty = f->r.packets[0] + f->r.packets[1] == 0;
	uint64_t active_at = is_empty ? UINT64_MAX : f->r.start_ns + model.active_ns;
	if (active_at <= now_ns && active_at < idle_at)
		model_end(f, f->is_closed ? FLOW_END_DETECTED : FLOW_END_ACTIVE, active_at);
	if (idle_at > now_ns)
		return;
	model_end(f, f->is_closed ? FLOW_END_DETECTED : FLOW_END_IDLE, idle_at);
	f->is_live = false;
}

static void model_tick_all(uint64_t now_ns)
{
	model.now_ns = now_ns;
	for (int i = 0; i < N_FLOWS; i++)
		model_tick(&model.flows[i], now_ns);
}

// A packet of flow i; `second`: from its second end.
static void model_packet(unsigned i, bool second, const struct packet *p)
{
	struct model_flow *f = &model.flows[i];
	uint16_t flags = p->tcp_flags;
	model_tick(f, p->time_ns);
	if (f->is_live && f->is_closed && (flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN) {
		model_end(f, FLOW_END_DETECTED, p->time_ns);
		f->is_live = false;
	}
	if (!f->is_live) {
		f->is_live = true;
		f->is_closed = f->fin[0] = f->fin[1] = false;
		f->r.from_second = second != ((flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK));
	}
	unsigned dir = second != f->r.from_second;
	if (f->r.packets[0] + f->r.packets[1] == 0)
		f->r.start_ns = p->time_ns;
	f->r.last_ns = p->time_ns;
	f->r.packets[dir]++;
	f->r.bytes[dir] += p->bytes;
	f->r.flags[dir] |= flags;
	f->fin[dir] |= (flags & TCP_FIN) != 0;
	f->is_closed |= flags & TCP_RST || (f->fin[0] && f->fin[1]);
}

// Flow i lies between host i and host i of another range; which of the keys is the lower one
// changes from flow to flow.
static struct packet random_packet(unsigned *ret_i, bool *ret_second)
{
	unsigned i = flows_below(flows_below(3) ? N_FLOWS : 5);
	struct packet p = flows_packet(i, 0x10000 + (i * 7919u & 0xffff), PROTO_UDP);
	if (i % 3) {
		p.proto = PROTO_TCP;
		p.tcp_flags = TCP_ACK;
		if (flows_below(6) == 0)
			p.tcp_flags = (uint16_t)flows_below(64);
	}
	p.bytes = 40 + flows_below(1000);
	*ret_i = i;
	*ret_second = flows_below(2);
	return *ret_second ? flows_answer(&p) : p;
}

static void assert_record(const struct flow *f)
{
	bool low_is_first = !f->key.low.b[13];
	unsigned i = low_is_first ? f->key.low.b[15] : f->key.high.b[15];
	struct model_flow *m = &model.flows[i];
	struct model_record *r = &m->waiting[0];
	if (m->n_waiting == 0)
		fail_msg("flow %u ended too early, for reason %u", i, f->end_reason);
	assert_int_equal(f->end_reason, r->reason);
	assert_true(f->start_ns == r->start_ns);
	assert_true(f->last_ns == r->last_ns);
	assert_int_equal(f->forward_is_high, r->from_second == low_is_first);
	assert_memory_equal(f->packets, r->packets, sizeof(r->packets));
	assert_memory_equal(f->bytes, r->bytes, sizeof(r->bytes));
	assert_memory_equal(f->tcp_flags, r->flags, sizeof(r->flags));
	memmove(r, r + 1, --m->n_waiting * sizeof(*r));
}

static void compare(void)
{
	struct flow f;
	while (flows_next(&flows, &f))
		assert_record(&f);
}

static void assert_none_is_late(uint64_t now_ns)
{
	for (int i = 0; i < N_FLOWS; i++)
		if (model.flows[i].n_waiting > 0)
			assert_true(model.flows[i].waiting[0].over_ns + SLACK_NS > now_ns);
}

// Mostly little, now and then beyond the timeouts, rarely beyond what 16-bit due times tell.
static uint64_t random_step(void)
{
	uint32_t kind = flows_below(1000);
	if (kind < 900)
		return flows_below(400) * NS_PER_MSEC + flows_below(1000);
	if (kind < 990)
		return flows_below(20) * NS_PER_SEC;
	if (kind < 999)
		return flows_below(600) * NS_PER_SEC;
	return flows_below(12) * NS_PER_HOUR;
}

// Packets in turns as a worker has them: a burst, of which the last packet's time is now, then the
// sweep; `sweeps` false: only packets end flows.
static void turn(bool sweeps)
{
	struct packet p[8];
	struct flow_probe probes[8];
	uint64_t now_ns = model.now_ns;
	uint32_t n = flows_below(4) ? 0 : flows_below(8);
	if (n == 0)
		now_ns += random_step();
	for (uint32_t k = 0; k < n; k++) {
		unsigned i;
		bool second;
		now_ns += flows_below(10) ? flows_below(1000) : random_step();
		p[k] = random_packet(&i, &second);
		p[k].time_ns = now_ns;
		model_packet(i, second, &p[k]);
	}
	flow_table_probe(flows.table, p, n, probes);
	struct flow *out[FLOW_BURST];
	flow_table_update(flows.table, p, n, probes, out);
	model_tick_all(now_ns);
	if (sweeps)
		flow_table_expire(flows.table, now_ns);
	compare();
	if (sweeps)
		assert_none_is_late(now_ns);
}

static void begin(size_t capacity, uint64_t idle_ns, uint64_t active_ns)
{
	struct flow_table_options o = flows_options();
	o.n_flows = capacity;
	o.idle_ns = idle_ns;
	o.active_ns = active_ns;
	flows_open(&flows, &o);
	memset(&model, 0, sizeof(model));
	model.idle_ns = idle_ns;
	model.active_ns = active_ns;
	model.now_ns = T0;
}

static void finish(void)
{
	uint64_t end_ns = model.now_ns + model.idle_ns + model.active_ns + SLACK_NS;
	flow_table_expire(flows.table, end_ns);
	model_tick_all(end_ns);
	compare();
	assert_none_is_late(end_ns);
	assert_int_equal(flow_table_counters(flows.table)->flows, model.n_records);
	assert_int_equal(flow_table_counters(flows.table)->evicted, 0);
	flow_table_flush(flows.table);
	assert_int_equal(flows_n_ended(&flows), 0); // nothing was left behind
}

static const struct {
	size_t capacity;
	uint64_t idle_sec, active_sec;
	unsigned turns;
} runs[] = {
	{100000, 30, 300, 60000},
	{300, 30, 300, 60000}, // one group of buckets
	{2000, 15, 60, 60000},
	{20000, 300, 30, 60000}, // parts shorter than pauses
	{20000, 1, 1, 60000},
	{20000, 3600, 7200, 60000},
	{20000, 86400, 86400, 60000},
};

static void run_all(bool sweeps)
{
	uint64_t days = 0;
	unsigned n_by_reason[6] = {0};
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		begin(runs[i].capacity,
		      runs[i].idle_sec * NS_PER_SEC,
		      runs[i].active_sec * NS_PER_SEC);
		for (unsigned n = 0; n < runs[i].turns / FLOWS_SHARE; n++)
			turn(sweeps);
		finish();
		days += (model.now_ns - T0) / (24 * NS_PER_HOUR);
		for (int r = 0; r < 6; r++)
			n_by_reason[r] += model.n_by_reason[r];
	}
	assert_true(days > 30 / FLOWS_SHARE);
	assert_true(n_by_reason[FLOW_END_IDLE] > 10000 / FLOWS_SHARE);
	assert_true(n_by_reason[FLOW_END_ACTIVE] > 1000 / FLOWS_SHARE);
	assert_true(n_by_reason[FLOW_END_DETECTED] > 1000 / FLOWS_SHARE);
}

static void the_sweep_gives_the_models_records_within_a_second(void **)
{
	run_all(true);
}

static void packets_alone_give_the_models_records(void **)
{
	run_all(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
		TEST(the_sweep_gives_the_models_records_within_a_second),
		TEST(packets_alone_give_the_models_records),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
