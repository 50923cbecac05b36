// SPDX-License-Identifier: Apache-2.0
#include "sensor/config.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEC 1000000000L
#define WORDS_MAX 16

static struct sensor_config config;
static char file_path[] = "/tmp/weir-sensor-config-XXXXXX";

static int make_file(void **)
{
	int fd = mkstemp(file_path);
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **)
{
	return unlink(file_path);
}

static int teardown(void **)
{
	config_free(&sensor_program, &config);
	return 0;
}

// The words of a command line, apart by single spaces.
static int parse(const char *line)
{
	char text[512], *words[WORDS_MAX] = {"weir-sensor"};
	int n = 1;
	snprintf(text, sizeof(text), "%s", line);
	for (char *at = text, *word; (word = strsep(&at, " ")) && n < WORDS_MAX - 1;)
		words[n++] = word;
	teardown(NULL);
	return config_parse(&sensor_program, n, words, &config, NULL);
}

static int load(const char *yaml, const char *line)
{
	char text[512];
	FILE *f = fopen(file_path, "w");
	assert_non_null(f);
	fputs(yaml, f);
	fclose(f);
	snprintf(text, sizeof(text), "-c %s%s", file_path, line);
	return parse(text);
}

static void a_capture_alone_leaves_everything_at_its_default(void **)
{
	assert_int_equal(parse("--pcap a.pcap"), CONFIG_RUN);
	assert_string_equal(config.pcap, "a.pcap");
	assert_int_equal(config.targets.n, 0);
	assert_int_equal(config.idle_ns, 30 * SEC);
	assert_int_equal(config.active_ns, 300 * SEC);
	assert_int_equal(config.n_flows, 1 << 20);
	assert_int_equal(config.n_queues, 1);
	assert_int_equal(config.message_len, 1420);
	assert_int_equal(config.template_interval_ns, 60 * SEC);
	assert_int_equal(config.domain, 1);
	assert_true(config.key_vlan && config.biflow && config.idle_sleep);
	assert_false(config.once || config.loop || config.telemetry);
	assert_int_equal(config.rate + config.export_rate + config.pen, 0);
}

static void without_an_input_there_is_nothing_to_do(void **)
{
	assert_int_equal(parse("--once"), CONFIG_EXIT_BAD);
	assert_int_equal(parse("--export udp:127.0.0.1:4739"), CONFIG_EXIT_BAD);
	assert_int_equal(parse("--vdev net_null0"), CONFIG_RUN);
	assert_int_equal(parse("--port 0000:81:00.0"), CONFIG_RUN);
	assert_int_equal(parse("--vdev net_null0 --vdev net_null1"), CONFIG_RUN);
	assert_int_equal(config.vdevs.n, 2);
}

static void what_concerns_a_replay_needs_a_capture(void **)
{
	static const char *const flags[] = {"--once", "--loop", "--rate 1000"};
	char line[128];
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		snprintf(line, sizeof(line), "--vdev net_null0 %s", flags[i]);
		assert_int_equal(parse(line), CONFIG_EXIT_BAD);
		snprintf(line, sizeof(line), "--pcap a.pcap %s", flags[i]);
		assert_int_equal(parse(line), CONFIG_RUN);
	}
}

static void a_capture_goes_alone(void **)
{
	assert_int_equal(parse("--pcap a.pcap --vdev net_null0"), CONFIG_EXIT_BAD);
	assert_int_equal(parse("--pcap a.pcap --port 0000:81:00.0"), CONFIG_EXIT_BAD);
}

static void once_and_loop_contradict_each_other(void **)
{
	assert_int_equal(parse("--pcap a.pcap --once --loop"), CONFIG_EXIT_BAD);
	assert_int_equal(load("sensor: {loop: yes, pcap: a}\n", " --once"), CONFIG_EXIT_BAD);
}

static void a_target_is_checked_as_far_as_its_form_tells(void **)
{
	static const struct {
		const char *target;
		bool is_good;
	} cases[] = {
		{"udp:127.0.0.1:4739", true},
		{"tcp:[::1]:4739", true},
		{"127.0.0.1:4739", true},
		{"udp:127.0.0.1", false},
		{"sctp:127.0.0.1:4739", false},
		{"tcp:127.0.0.1:70000", false},
		{"4739", false},
	};
	char line[128];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(line, sizeof(line), "--pcap a --export %s", cases[i].target);
		assert_int_equal(parse(line), cases[i].is_good ? CONFIG_RUN : CONFIG_EXIT_BAD);
	}
}

static void numbers_keep_to_their_ranges(void **)
{
	static const struct {
		const char *key;
		int64_t min, max;
		size_t at;
	} items[] = {
#define ITEM(key, min, max, member) {key, min, max, offsetof(struct sensor_config, member)}
		ITEM("queues", 1, 64, n_queues),
		ITEM("mbufs", 1023, 4194303, n_mbufs),
		ITEM("rate", 0, 1000000000, rate),
		ITEM("idle_timeout", 1, 86400, idle_ns),
		ITEM("active_timeout", 1, 86400, active_ns),
		ITEM("flows", 16, 1 << 28, n_flows),
		ITEM("template_interval", 1, 86400, template_interval_ns),
		ITEM("message_len", 1024, 65535, message_len),
		ITEM("export_ring", 64, 1 << 24, ring),
		ITEM("domain", 0, 4294963199, domain),
		ITEM("pen", 0, 4294967295, pen),
		ITEM("memory", 64, 1 << 20, memory),
	};
	char yaml[128];
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		bool is_time = strstr(items[i].key, "timeout") || strstr(items[i].key, "interval");
		int64_t unit = is_time ? SEC : 1;
		for (int step = -1; step <= 1; step++) {
			int64_t edges[] = {items[i].min + step, items[i].max + step};
			for (int e = 0; e < 2; e++) {
				bool is_good = edges[e] >= items[i].min && edges[e] <= items[i].max;
				snprintf(
					yaml,
					sizeof(yaml),
					"sensor: {pcap: a, %s: %lld}\n",
					items[i].key,
					(long long)edges[e]
				);
				assert_int_equal(
					load(yaml, ""), is_good ? CONFIG_RUN : CONFIG_EXIT_BAD
				);
				int64_t *value = (int64_t *)(void *)((char *)&config + items[i].at);
				assert_true(!is_good || *value == edges[e] * unit);
			}
		}
	}
}

static void messages_over_udp_fit_a_datagram(void **)
{
	static const char yaml[] = "sensor: {pcap: a, message_len: 65508}\n";
	assert_int_equal(load(yaml, " --export udp:127.0.0.1:4739"), CONFIG_EXIT_BAD);
	assert_int_equal(load(yaml, " --export 127.0.0.1:4739"), CONFIG_EXIT_BAD);
	assert_int_equal(load(yaml, " --export tcp:127.0.0.1:4739"), CONFIG_RUN);
	assert_int_equal(load(yaml, ""), CONFIG_RUN);
	assert_int_equal(
		load("sensor: {pcap: a, message_len: 65507}\n", " --export udp:127.0.0.1:4739"),
		CONFIG_RUN
	);
}

static void the_file_and_flags_give_the_same_settings(void **)
{
	int ret =
		load("sensor:\n"
		     "  vdevs: ['net_af_packet0,iface=eth0', net_null1]\n"
		     "  idle_timeout: 15s\n"
		     "  flows: 2M\n"
		     "  biflow: no\n"
		     "  key_vlan: no\n"
		     "  export: tcp:127.0.0.1:1\n",
		     " --idle-timeout 1m");
	assert_int_equal(ret, CONFIG_RUN);
	assert_int_equal(config.vdevs.n, 2);
	assert_string_equal(config.vdevs.items[0], "net_af_packet0,iface=eth0");
	assert_int_equal(config.idle_ns, 60 * SEC); // the flag wins
	assert_int_equal(config.n_flows, 2 << 20);
	assert_false(config.biflow || config.key_vlan);
	assert_string_equal(config.targets.items[0], "tcp:127.0.0.1:1");
}

static void what_tunnels_are_opened_is_checked(void **)
{
	struct parse_options o;
	assert_int_equal(load("sensor: {flow_of: both}\n", " --pcap a"), CONFIG_EXIT_BAD);
	assert_int_equal(load("sensor: {vxlan_ports: [0]}\n", " --pcap a"), CONFIG_EXIT_BAD);
	assert_int_equal(load("sensor: {vxlan_ports: [65536]}\n", " --pcap a"), CONFIG_EXIT_BAD);
	assert_int_equal(load("sensor: {vxlan_ports: [x]}\n", " --pcap a"), CONFIG_EXIT_BAD);
	assert_int_equal(
		load("sensor: {vxlan_ports: [1, 2, 3, 4, 5, 6, 7, 8, 9]}\n", " --pcap a"),
		CONFIG_EXIT_BAD
	);
	assert_int_equal(load("sensor: {vxlan_ports: [4789, 8472]}\n", " --pcap a"), CONFIG_RUN);
	sensor_config_parse(&config, &o);
	assert_true(o.inner && o.n_vxlan_ports == 2 && o.vxlan_ports[1] == 8472);
	assert_int_equal(
		load("sensor: {key_tunnel: no}\n", " --pcap a --flow-of outer"), CONFIG_RUN
	);
	sensor_config_parse(&config, &o);
	assert_false(o.inner || o.udp_ports || config.key_tunnel);
}

static void other_programs_sections_are_left_alone_and_unknown_keys_are_not(void **)
{
	assert_int_equal(load("collector: {any: 1}\n", " --pcap a"), CONFIG_RUN);
	assert_int_equal(load("intel: {feeds: {x: [/tmp/x]}}\n", " --pcap a"), CONFIG_RUN);
	assert_int_equal(load("intel: {feed: red}\n", " --pcap a"), CONFIG_EXIT_BAD);
	assert_int_equal(load("sensor: {colour: red}\n", " --pcap a"), CONFIG_EXIT_BAD);
	assert_int_equal(parse("--pcap a --colour red"), CONFIG_EXIT_USAGE);
}

static void every_item_has_a_text_and_a_place_of_its_own(void **)
{
	for (size_t i = 0; i < sensor_program.n_items; i++) {
		const struct config_item *a = &sensor_program.items[i];
		assert_true(a->key || a->flag);
		assert_true(strlen(a->text) > 0);
		assert_true(a->offset < sensor_program.size);
		bool is_shared = a->key && strncmp(a->key, "intel.", 6) == 0;
		assert_true(!a->key || is_shared || strncmp(a->key, "sensor.", 7) == 0);
		for (size_t j = 0; j < i; j++)
			assert_true(a->offset != sensor_program.items[j].offset);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
		TEST(a_capture_alone_leaves_everything_at_its_default),
		TEST(without_an_input_there_is_nothing_to_do),
		TEST(what_concerns_a_replay_needs_a_capture),
		TEST(a_capture_goes_alone),
		TEST(once_and_loop_contradict_each_other),
		TEST(a_target_is_checked_as_far_as_its_form_tells),
		TEST(numbers_keep_to_their_ranges),
		TEST(messages_over_udp_fit_a_datagram),
		TEST(the_file_and_flags_give_the_same_settings),
		TEST(what_tunnels_are_opened_is_checked),
		TEST(other_programs_sections_are_left_alone_and_unknown_keys_are_not),
		TEST(every_item_has_a_text_and_a_place_of_its_own),
	};
	return cmocka_run_group_tests(tests, make_file, remove_file);
}
