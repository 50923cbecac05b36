// SPDX-License-Identifier: Apache-2.0
// The sensor as a whole. DPDK starts once in a process, so that there is one run; what fails before
// it comes first.
#include "sensor/sensor.h"
#include "tests/unit/sensor/eal.h"
#include "tests/unit/sensor/export/collector.h"

#include <errno.h>

#define N_FLOWS 500

static char path[] = "/tmp/weir-sensor-XXXXXX";
static char *rest[] = {"--no-huge", "--no-shconf", "--iova-mode=va", "-m", "256", NULL};
static struct sensor_config config;
static struct sensor *sensor;

static int setup(void **)
{
	config = eal_config();
	config.pcap = path;
	config.control = config.metrics = "";
	config.once = true;
	return 0;
}

static int make_file(void **)
{
	int fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **)
{
	return unlink(path);
}

static void copy_to_path(FILE *f)
{
	char part[4096];
	size_t n;
	FILE *to = fopen(path, "w");
	assert_non_null(to);
	rewind(f);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		assert_int_equal(fwrite(part, 1, n, to), n);
	fclose(to);
	fclose(f);
}

static void a_capture_that_cannot_be_opened_gives_the_systems_error(void **)
{
	static char nowhere[] = "/nonexistent/capture.pcap";
	config.pcap = nowhere;
	assert_int_equal(sensor_start(&config, rest, &sensor), -ENOENT);
}

static void what_is_no_capture_with_packets_is_refused(void **)
{
	static char dir[] = "/tmp";
	config.pcap = dir;
	assert_int_equal(sensor_start(&config, rest, &sensor), -EIO);
	config.pcap = path;
	config.control = config.metrics = "";
	assert_int_equal(sensor_start(&config, rest, &sensor), -EIO); // empty
	copy_to_path(eal_capture());
	assert_int_equal(sensor_start(&config, rest, &sensor), -EIO); // without packets
}

// Two packets of each flow, and a frame that is none every ten.
static void write_capture(void)
{
	struct frame f;
	FILE *capture = eal_capture();
	for (unsigned i = 0; i < 2 * N_FLOWS; i++) {
		eal_udp(&f, (uint16_t)(1000 + i % N_FLOWS));
		eal_capture_add(capture, T0 + i * NS_PER_MSEC, &f);
		if (i % 10)
			continue;
		frame_eth(&f, 0x0806);
		frame_bytes(&f, 0, 46);
		eal_capture_add(capture, T0 + i * NS_PER_MSEC, &f);
	}
	copy_to_path(capture);
}

static void a_run_accounts_for_every_packet_and_delivers_every_flow(void **)
{
	static struct collector collector;
	struct summary sum;
	uint64_t limit = clock_mono_ns() + 60 * NS_PER_SEC;
	write_capture();
	collector_open(&collector, SOCK_DGRAM);
	static char *targets[1];
	targets[0] = collector.target;
	config.targets = (struct config_list){.items = targets, .n = 1};
	config.domain = 3;
	assert_int_equal(sensor_start(&config, rest, &sensor), 0);
	while (!sensor_ended(sensor) && clock_mono_ns() < limit)
		usleep(1000);
	assert_int_equal(sensor_stop(sensor, &sum), 0);
	collector_drain(&collector);
	collector_close(&collector);

	assert_int_equal(summary_residue(&sum), 0);
	assert_int_equal(sum.packets, 2 * N_FLOWS * 11 / 10);
	assert_int_equal(sum.flow_packets, 2 * N_FLOWS);
	assert_int_equal(sum.verdicts[PACKET_NOT_IP], 2 * N_FLOWS / 10);
	assert_int_equal(sum.bytes, 2 * N_FLOWS * 46);
	assert_int_equal(sum.flows, N_FLOWS);
	assert_int_equal(sum.exported, N_FLOWS);
	assert_int_equal(collector.n_records, N_FLOWS);
	assert_int_equal(collector.last.packets, 2);
	assert_int_equal(collector.last.dport, 53);
	assert_true(collector.last.start_ns >= T0);
	assert_true(collector.last.end_ns < T0 + 2 * NS_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, setup)
		TEST(a_capture_that_cannot_be_opened_gives_the_systems_error),
		TEST(what_is_no_capture_with_packets_is_refused),
		TEST(a_run_accounts_for_every_packet_and_delivers_every_flow),
	};
	return cmocka_run_group_tests(tests, make_file, remove_file);
}
