// SPDX-License-Identifier: Apache-2.0
#include "sensor/worker.h"
#include "tests/unit/sensor/eal.h"

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <errno.h>

#define RING_PORT "net_ring0" // what is sent to it comes back

static struct sensor_config config;
static struct port ring_port; // made once: devices keep their names to the end of the process
static struct worker worker;
static FILE *capture;
static struct port ports[PORTS_MAX];
static unsigned n_ports;

static int make_ring_port(void)
{
	struct rte_eth_conf conf = {};
	struct port *p = &ring_port;
	if (rte_eal_hotplug_add("vdev", RING_PORT, "") < 0 ||
	    rte_eth_dev_get_port_by_name(RING_PORT, &p->id) < 0)
		return -1;
	p->n_queues = 1;
	p->is_virtual = true;
	p->pool = rte_pktmbuf_pool_create("test", 4095, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	if (!p->pool || rte_eth_dev_configure(p->id, 1, 1, &conf) < 0 ||
	    rte_eth_rx_queue_setup(p->id, 0, 1024, 0, NULL, p->pool) < 0 ||
	    rte_eth_tx_queue_setup(p->id, 0, 1024, 0, NULL) < 0)
		return -1;
	return rte_eth_dev_start(p->id);
}

static int begin(void **state)
{
	return eal_begin(state) < 0 || make_ring_port() < 0 ? -1 : 0;
}

static int end(void **state)
{
	(void)rte_eth_dev_stop(ring_port.id);
	rte_mempool_free(ring_port.pool);
	return eal_end(state);
}

static int setup(void **)
{
	config = eal_config();
	memset(&worker, 0, sizeof(worker));
	(void)rte_eth_stats_reset(ring_port.id);
	return 0;
}

static int teardown(void **)
{
	worker_fini(&worker);
	ports_stop(ports, n_ports);
	if (n_ports > 0)
		(void)rte_eal_hotplug_remove("vdev", "net_pcap0");
	n_ports = 0;
	if (capture)
		fclose(capture);
	capture = NULL;
	return 0;
}

static void init_on_ring(void)
{
	assert_int_equal(
		worker_init(&worker, &config, &(struct worker_place){.port = &ring_port}), 0
	);
}

// A frame cut into segments of `part` bytes.
static struct rte_mbuf *mbuf_of(const struct frame *f, size_t part)
{
	struct rte_mbuf *first = NULL, *last = NULL;
	for (size_t at = 0; at < frame_len(f); at += part) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(ring_port.pool);
		size_t n = frame_len(f) - at < part ? frame_len(f) - at : part;
		assert_non_null(m);
		memcpy(rte_pktmbuf_append(m, (uint16_t)n), f->bytes + at, n);
		if (!first) {
			first = m;
		} else {
			last->next = m;
			first->nb_segs++;
			first->pkt_len += (uint32_t)n;
		}
		last = m;
	}
	return first;
}

static void feed(const struct frame *f, size_t part)
{
	struct rte_mbuf *m = mbuf_of(f, part);
	assert_int_equal(rte_eth_tx_burst(ring_port.id, 0, &m, 1), 1);
}

static void launch(void)
{
	assert_int_equal(rte_eal_remote_launch(worker_run, &worker, 1), 0);
}

static void wait_until_done(void)
{
	uint64_t limit = clock_mono_ns() + WAIT_NS;
	while (!atomic_load(&worker.done)) {
		if (clock_mono_ns() > limit)
			atomic_store(&worker.stop, true);
		usleep(500);
	}
	(void)rte_eal_wait_lcore(1);
	assert_false(atomic_load(&worker.stop)); // it ended by itself
}

static void stop(void)
{
	atomic_store(&worker.stop, true);
	while (!atomic_load(&worker.done))
		usleep(500);
	(void)rte_eal_wait_lcore(1);
}

static void wait_until_received(uint64_t n)
{
	uint64_t limit = clock_mono_ns() + WAIT_NS;
	struct rte_eth_stats s;
	do {
		usleep(500);
		assert_int_equal(rte_eth_stats_get(ring_port.id, &s), 0);
	} while (s.ipackets < n && clock_mono_ns() < limit);
}

// Runs until the worker took `n` packets out of the ring.
static void run_on_ring(uint64_t n)
{
	launch();
	wait_until_received(n);
	stop();
	assert_int_equal(worker.counters.received, n);
}

static bool next_flow(struct flow *ret_flow)
{
	const struct flow *at;
	if (flow_ring_peek(worker.ring, 1, &at) == 0)
		return false;
	*ret_flow = *at;
	flow_ring_release(worker.ring, 1);
	return true;
}

static void packets_of_a_port_become_flows_at_the_clocks_time(void **)
{
	struct frame f;
	struct flow flow = {};
	unsigned n = 0;
	init_on_ring();
	for (uint16_t i = 0; i < 1000; i++) { // more than a burst
		eal_udp(&f, i % 10);
		feed(&f, 2048);
	}
	uint64_t before = clock_now_ns();
	run_on_ring(1000);
	for (; next_flow(&flow); n++) {
		assert_true(flow.start_ns >= before && flow.start_ns <= flow.last_ns);
		assert_true(flow.last_ns <= clock_now_ns());
		assert_int_equal(flow.packets[FLOW_FORWARD], 100);
		assert_int_equal(flow.bytes[FLOW_FORWARD], 100 * 46);
		assert_int_equal(flow.port, ring_port.id);
		assert_int_equal(flow.end_reason, FLOW_END_FORCED);
	}
	assert_int_equal(n, 10);
	assert_int_equal(worker.counters.verdicts[PACKET_KEEP], 1000);
}

static void a_frame_in_segments_is_the_same_packet(void **)
{
	struct frame f;
	struct flow flow = {};
	init_on_ring();
	frame_eth(&f, TYPE_VLAN);
	frame_tag(&f, 7, TYPE_IP6);
	frame_ip6(&f, 60, 64 + 20 + 900);
	wbuf_u16(&f.w, PROTO_TCP << 8 | 7);
	frame_bytes(&f, 0, 62);
	frame_tcp(&f, 1000, 80, 0x110);
	frame_bytes(&f, 0xff, 900);
	size_t n = 0;
	for (size_t part = 18; part < frame_len(&f); part += part < 150 ? 1 : 97, n++)
		feed(&f, part);
	feed(&f, frame_len(&f));
	run_on_ring(n + 1);
	assert_true(next_flow(&flow));
	assert_int_equal(flow.packets[FLOW_FORWARD], n + 1);
	assert_int_equal(flow.bytes[FLOW_FORWARD], (n + 1) * (40 + 64 + 20 + 900));
	assert_int_equal(flow.tcp_flags[FLOW_FORWARD], 0x110);
	assert_int_equal(flow_key_port(&flow.key, flow.forward_is_high), 1000);
	assert_int_equal(flow.vlan, 7);
	assert_false(next_flow(&flow));
}

static void dropped_packets_are_counted_by_reason_and_in_no_flow(void **)
{
	struct frame f;
	struct flow flow = {};
	init_on_ring();
	for (uint16_t i = 0; i < 60; i++) {
		eal_udp(&f, 1);
		if (i % 3 == 1) {
			frame_eth(&f, 0x0806);
			frame_bytes(&f, 0, 46);
		} else if (i % 3 == 2) {
			frame_put(&f, 0, 0x6500);
		}
		feed(&f, 2048);
	}
	run_on_ring(60);
	assert_int_equal(worker.counters.verdicts[PACKET_KEEP], 20);
	assert_int_equal(worker.counters.verdicts[PACKET_NOT_IP], 20);
	assert_int_equal(worker.counters.verdicts[PACKET_IP_VERSION], 20);
	assert_true(next_flow(&flow));
	assert_int_equal(flow.packets[FLOW_FORWARD], 20);
	assert_false(next_flow(&flow));
	assert_int_equal(flow_table_counters(worker.table)->packets, 20);
}

static void every_buffer_is_given_back(void **)
{
	struct frame f;
	unsigned before = rte_mempool_avail_count(ring_port.pool);
	init_on_ring();
	eal_udp(&f, 1);
	for (uint16_t i = 0; i < 1000; i++)
		feed(&f, i % 2 ? 2048 : 20);
	run_on_ring(1000);
	assert_int_equal(rte_mempool_avail_count(ring_port.pool), before);
}

static void every_flow_leaves_when_the_worker_is_stopped(void **)
{
	struct frame f;
	struct flow flow = {};
	unsigned n = 0;
	config.ring = 64; // fewer than there are flows: at the end there is time to wait
	init_on_ring();
	for (uint16_t i = 0; i < 1000; i++) {
		eal_udp(&f, i);
		feed(&f, 2048);
	}
	launch();
	wait_until_received(1000);
	atomic_store(&worker.stop, true);
	while (!atomic_load(&worker.done))
		n += next_flow(&flow);
	(void)rte_eal_wait_lcore(1);
	while (next_flow(&flow))
		n++;
	assert_int_equal(flow_table_counters(worker.table)->lost, 0);
	assert_int_equal(n, 1000);
}

static void flows_of_a_silent_port_end_in_time(void **)
{
	uint64_t limit = clock_mono_ns() + WAIT_NS;
	struct frame f;
	struct flow flow = {};
	config.idle_ns = 20 * (int64_t)NS_PER_MSEC;
	init_on_ring();
	eal_udp(&f, 1);
	feed(&f, 2048);
	launch();
	while (!next_flow(&flow) && clock_mono_ns() < limit)
		usleep(500);
	stop();
	assert_int_equal(flow.end_reason, FLOW_END_IDLE);
	assert_false(next_flow(&flow));
}

static void open_capture(uint64_t n_expect)
{
	static char name[] = "a capture";
	config.pcap = name;
	assert_int_equal(ports_start(&config, eal_capture_fd(capture), ports, &n_ports), 0);
	assert_int_equal(n_ports, 1);
	assert_int_equal(
		worker_init(&worker, &config, &(struct worker_place){.port = &ports[0]}), 0
	);
	worker.n_expect = n_expect;
}

// `n` packets of one flow, 10 ms apart.
static void write_capture(unsigned n)
{
	struct frame f;
	capture = eal_capture();
	eal_udp(&f, 1);
	for (unsigned i = 0; i < n; i++)
		eal_capture_add(capture, T0 + 10ULL * i * NS_PER_MSEC + 7 * NS_PER_USEC, &f);
}

static void a_capture_is_replayed_with_its_times_and_ends_by_itself(void **)
{
	struct flow flow = {};
	write_capture(500);
	open_capture(500);
	launch();
	wait_until_done();
	assert_int_equal(worker.counters.received, 500);
	assert_int_equal(worker.error, 0);
	assert_true(next_flow(&flow));
	assert_true(flow.start_ns == T0 + 7 * NS_PER_USEC);
	assert_true(flow.last_ns == T0 + 4990 * NS_PER_MSEC + 7 * NS_PER_USEC);
	assert_int_equal(flow.packets[FLOW_FORWARD], 500);
	assert_false(next_flow(&flow));
}

static void a_pause_of_the_capture_ends_flows_as_if_one_had_waited(void **)
{
	struct frame f;
	struct flow flow = {};
	capture = eal_capture();
	eal_udp(&f, 1);
	eal_capture_add(capture, T0, &f);
	eal_capture_add(capture, T0 + NS_PER_HOUR, &f);
	open_capture(2);
	launch();
	wait_until_done();
	assert_true(next_flow(&flow));
	assert_int_equal(flow.end_reason, FLOW_END_IDLE);
	assert_true(flow.last_ns == T0);
	assert_true(next_flow(&flow));
	assert_int_equal(flow.end_reason, FLOW_END_FORCED);
	assert_true(flow.start_ns == T0 + NS_PER_HOUR);
}

static void frames_larger_than_a_buffer_are_whole_packets(void **)
{
	static struct frame f;
	struct flow flow = {};
	capture = eal_capture();
	frame_eth(&f, TYPE_IP4);
	frame_ip4(&f, PROTO_UDP, 4000);
	frame_put(&f, 2, 0); // as segmentation offload leaves it
	frame_udp(&f, 1, 2);
	frame_bytes(&f, 0, 3992);
	eal_capture_add(capture, T0, &f);
	open_capture(1);
	launch();
	wait_until_done();
	assert_true(next_flow(&flow));
	assert_int_equal(flow.bytes[FLOW_FORWARD], 4020);
}

static void a_capture_with_fewer_packets_than_were_counted_ends_all_the_same(void **)
{
	write_capture(100);
	open_capture(200);
	launch();
	wait_until_done();
	assert_int_equal(worker.counters.received, 100);
}

static void packets_that_the_port_lost_are_not_waited_for(void **)
{
	static struct rte_mbuf *held[2047];
	write_capture(50);
	open_capture(50);
	assert_int_equal(rte_pktmbuf_alloc_bulk(ports[0].pool, held, 2047), 0);
	launch();
	wait_until_done();
	rte_pktmbuf_free_bulk(held, 2047);
	assert_int_equal(worker.counters.received, 0);
	assert_int_equal(port_drops(&ports[0]).no_buffer, 50);
}

static void a_looped_capture_begins_anew_at_the_clocks_time_until_stopped(void **)
{
	uint64_t before = clock_now_ns(), packets = 0;
	struct flow flow = {};
	config.loop = true;
	config.active_ns = 10 * (int64_t)NS_PER_MSEC;
	write_capture(100);
	open_capture(100);
	launch();
	usleep(300000);
	stop();
	assert_true(worker.counters.received > 200); // the third round was begun
	assert_int_equal(worker.error, 0);
	while (next_flow(&flow)) {
		assert_true(flow.start_ns >= before && flow.last_ns <= clock_now_ns());
		packets += flow.packets[FLOW_FORWARD];
	}
	const struct flow_counters *c = flow_table_counters(worker.table);
	assert_true(c->flows > 1); // parts
	assert_true(packets == c->packets || c->lost > 0);
	assert_int_equal(c->packets, worker.counters.received);
}

static void a_looped_capture_of_nothing_is_an_error(void **)
{
	config.loop = true;
	write_capture(0);
	open_capture(0);
	launch();
	wait_until_done();
	assert_int_equal(worker.error, -ENODATA);
}

static void a_paced_replay_loses_nothing(void **)
{
	config.rate = 10000;
	write_capture(500);
	open_capture(500);
	launch();
	wait_until_done();
	assert_int_equal(worker.counters.received, 500);
	assert_int_equal(flow_table_counters(worker.table)->packets, 500);
}

static void a_worker_that_cannot_be_made_leaves_nothing_behind(void **)
{
	config.n_flows = 1L << 40;
	assert_int_equal(
		worker_init(&worker, &config, &(struct worker_place){.port = &ring_port}), -ERANGE
	);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(packets_of_a_port_become_flows_at_the_clocks_time),
		TEST(a_frame_in_segments_is_the_same_packet),
		TEST(dropped_packets_are_counted_by_reason_and_in_no_flow),
		TEST(every_buffer_is_given_back),
		TEST(every_flow_leaves_when_the_worker_is_stopped),
		TEST(flows_of_a_silent_port_end_in_time),
		TEST(a_capture_is_replayed_with_its_times_and_ends_by_itself),
		TEST(a_pause_of_the_capture_ends_flows_as_if_one_had_waited),
		TEST(frames_larger_than_a_buffer_are_whole_packets),
		TEST(a_capture_with_fewer_packets_than_were_counted_ends_all_the_same),
		TEST(packets_that_the_port_lost_are_not_waited_for),
		TEST(a_looped_capture_begins_anew_at_the_clocks_time_until_stopped),
		TEST(a_looped_capture_of_nothing_is_an_error),
		TEST(a_paced_replay_loses_nothing),
		TEST(a_worker_that_cannot_be_made_leaves_nothing_behind),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
