// SPDX-License-Identifier: Apache-2.0
#include "sensor/port.h"
#include "sensor/summary.h"
#include "tests/unit/sensor/eal.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <errno.h>

static struct sensor_config config;
static char *items[PORTS_MAX + 1]; // of a list in it
static struct port ports[PORTS_MAX];
static unsigned n_ports;
static FILE *capture;

static int setup(void **)
{
	config = eal_config();
	config.n_mbufs = 1023;
	n_ports = 0;
	return 0;
}

static int teardown(void **)
{
	ports_stop(ports, n_ports);
	if (capture) {
		(void)rte_eal_hotplug_remove("vdev", "net_pcap0");
		fclose(capture);
	}
	capture = NULL;
	return rte_eth_dev_count_avail() == 0 ? 0 : -1; // none is left open
}

static void add_vdev(char *text)
{
	config.vdevs.items = items;
	items[config.vdevs.n++] = text;
}

// Whether DPDK says why depends on who runs it: drivers answer anything to the unprivileged.
static int refused(void)
{
	return geteuid() == 0 ? -EINVAL : -EPERM;
}

static void write_capture(unsigned n)
{
	struct frame f;
	capture = eal_capture();
	eal_udp(&f, 1);
	for (unsigned i = 0; i < n; i++)
		eal_capture_add(capture, T0 + i, &f);
}

static unsigned receive(const struct port *p)
{
	struct rte_mbuf *mbufs[64];
	unsigned n = 0, got;
	while ((got = rte_eth_rx_burst(p->id, 0, mbufs, 64)) > 0) {
		rte_pktmbuf_free_bulk(mbufs, got);
		n += got;
	}
	return n;
}

static void a_capture_is_a_port_that_can_begin_anew(void **)
{
	write_capture(200);
	assert_int_equal(ports_start(&config, eal_capture_fd(capture), ports, &n_ports), 0);
	assert_int_equal(n_ports, 1);
	assert_string_equal(ports[0].name, "net_pcap0");
	assert_true(ports[0].is_virtual);
	for (int round = 0; round < 3; round++) {
		assert_int_equal(receive(&ports[0]), 200);
		assert_int_equal(port_restart(&ports[0]), 0);
	}
	struct port_drops d = port_drops(&ports[0]);
	assert_int_equal(d.missed + d.errors + d.no_buffer, 0);
}

static void what_a_port_loses_for_want_of_buffers_is_counted(void **)
{
	static struct rte_mbuf *held[1023];
	struct rte_mbuf *mbufs[64];
	struct summary sum = {};
	write_capture(50);
	assert_int_equal(ports_start(&config, eal_capture_fd(capture), ports, &n_ports), 0);
	assert_int_equal(rte_pktmbuf_alloc_bulk(ports[0].pool, held, 1023), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(rte_eth_rx_burst(ports[0].id, 0, mbufs, 64), 0);
	rte_pktmbuf_free_bulk(held, 1023);
	assert_int_equal(port_drops(&ports[0]).no_buffer, 50);
	summary_add_port(&sum, &ports[0]);
	assert_int_equal(sum.packets, 50);
	assert_int_equal(summary_residue(&sum), 0);
}

static void a_file_that_is_no_capture_is_refused(void **)
{
	capture = tmpfile();
	assert_non_null(capture);
	fputs("this is not a capture, it is a text", capture);
	assert_int_equal(ports_start(&config, eal_capture_fd(capture), ports, &n_ports), refused());
	assert_int_equal(n_ports, 0);
}

static void a_device_gets_no_more_queues_than_it_has(void **)
{
	config.n_queues = 4;
	write_capture(1);
	assert_int_equal(ports_start(&config, eal_capture_fd(capture), ports, &n_ports), 0);
	assert_int_equal(ports[0].n_queues, 1);
}

static void every_virtual_device_is_a_port_with_its_queues(void **)
{
	static char first[] = "net_null10,size=64", second[] = "net_null11";
	config.n_queues = 2;
	add_vdev(first);
	add_vdev(second);
	assert_int_equal(ports_start(&config, -1, ports, &n_ports), 0);
	assert_int_equal(n_ports, 2);
	assert_string_equal(ports[0].name, "net_null10");
	assert_string_equal(ports[1].name, "net_null11");
	assert_int_not_equal(ports[0].id, ports[1].id);
	assert_ptr_not_equal(ports[0].pool, ports[1].pool);
	assert_int_equal(ports[1].n_queues, 2);
}

static void a_device_that_cannot_be_made_closes_those_before_it(void **)
{
	static char good[] = "net_null20", bad[] = "net_nosuchdriver0";
	add_vdev(good);
	add_vdev(bad);
	assert_int_equal(ports_start(&config, -1, ports, &n_ports), refused());
	assert_int_equal(rte_eth_dev_count_avail(), 0);
	assert_int_equal(n_ports, 0);
}

static void a_device_without_a_name_or_with_an_endless_one_is_refused(void **)
{
	static char none[] = ",iface=eth0", endless[128];
	add_vdev(none);
	assert_int_equal(ports_start(&config, -1, ports, &n_ports), -EINVAL);
	memset(endless, 'x', sizeof(endless) - 1);
	config.vdevs.items[0] = endless;
	assert_int_equal(ports_start(&config, -1, ports, &n_ports), -EINVAL);
}

static void a_nic_that_is_not_there_is_said_so(void **)
{
	static char nowhere[] = "ffff:ff:1f.7";
	items[0] = nowhere;
	config.ports.items = items;
	config.ports.n = 1;
	assert_int_equal(ports_start(&config, -1, ports, &n_ports), -ENODEV);
}

static void more_devices_than_there_is_room_for_are_refused(void **)
{
	static char names[PORTS_MAX + 1][24];
	for (int i = 0; i <= PORTS_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "net_null%d", 100 + i);
		add_vdev(names[i]);
	}
	assert_int_equal(ports_start(&config, -1, ports, &n_ports), -EINVAL);
	assert_int_equal(rte_eth_dev_count_avail(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_capture_is_a_port_that_can_begin_anew),
		TEST(what_a_port_loses_for_want_of_buffers_is_counted),
		TEST(a_file_that_is_no_capture_is_refused),
		TEST(a_device_gets_no_more_queues_than_it_has),
		TEST(every_virtual_device_is_a_port_with_its_queues),
		TEST(a_device_that_cannot_be_made_closes_those_before_it),
		TEST(a_device_without_a_name_or_with_an_endless_one_is_refused),
		TEST(a_nic_that_is_not_there_is_said_so),
		TEST(more_devices_than_there_is_room_for_are_refused),
	};
	return cmocka_run_group_tests(tests, eal_begin, eal_end);
}
