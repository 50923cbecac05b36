// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/lib/doctor/exam.h"

#define MIB (1ull << 20)

static void limits(struct exam *e, const char *pid, const char *memlock, const char *files)
{
	char path[64], text[512];
	snprintf(path, sizeof(path), "/proc/%s/limits", pid);
	snprintf(
		text,
		sizeof(text),
		"Limit                     Soft Limit           Hard Limit           Units     \n"
		"Max open files            %-20s 1048576              files     \n"
		"Max locked memory         %-20s %-20s bytes     \n",
		files,
		memlock,
		memlock
	);
	tree_file(&e->t, path, text);
}

static void capabilities(struct exam *e, const char *mask)
{
	char text[64];
	snprintf(text, sizeof(text), "Name:\tx\nCapEff:\t%s\n", mask);
	tree_file(&e->t, "/proc/self/status", text);
}

static void memory_for_dma_must_be_lockable(void **state)
{
	struct exam *e = *state;
	e->needs.hugepage_len = 200 * MIB;
	exam_port(e, "0000:81:00.0");
	limits(e, "self", "8388608", "1024");
	capabilities(e, "0000000000000000");
	exam_run(e, "memlock");
	exam_only(
		e,
		DOCTOR_ERROR,
		"only 8 MiB of memory may be locked (RLIMIT_MEMLOCK), 200 needed",
		"prlimit --pid $$ --memlock=unlimited"
	);
	limits(e, "self", "209715200", "1024");
	exam_run(e, "memlock");
	exam_only(e, DOCTOR_OK, "200 MiB of memory may be locked, 200 needed", NULL);
	limits(e, "self", "unlimited", "1024");
	exam_run(e, "memlock");
	exam_only(e, DOCTOR_OK, "any amount", NULL);
}

static void who_has_the_capability_needs_no_limit(void **state)
{
	struct exam *e = *state;
	e->needs.hugepage_len = 200 * MIB;
	exam_vdev(e, "net_af_xdp0,iface=eth0");
	limits(e, "self", "65536", "1024");
	capabilities(e, "0000000000004000"); // CAP_IPC_LOCK
	exam_run(e, "memlock");
	exam_only(e, DOCTOR_OK, "any amount", NULL);
	capabilities(e, "00000000ffffbfff");
	exam_run(e, "memlock");
	exam_only(e, DOCTOR_ERROR, "only 0 MiB", "memlock");
}

static void without_dma_nothing_is_locked(void **state)
{
	struct exam *e = *state;
	exam_vdev(e, "net_af_packet0,iface=eth0");
	exam_run(e, "memlock");
	exam_only(e, DOCTOR_OK, "nothing that a card writes to", NULL);
}

static void memory_is_compared_with_the_flow_tables(void **state)
{
	struct exam *e = *state;
	exam_run(e, "memory");
	exam_only(e, DOCTOR_OK, "does not tell", NULL);
	tree_file(&e->t, "/proc/meminfo", "MemTotal: 9 kB\nMemAvailable:    1024000 kB\n");
	e->needs.flow_len = 100 * MIB;
	exam_run(e, "memory");
	exam_only(e, DOCTOR_OK, "1000 MiB of memory available, 100 needed", NULL);
	e->needs.flow_len = 900 * MIB;
	exam_run(e, "memory");
	exam_only(e, DOCTOR_WARNING, "900 needed", "sensor.flows");
	e->needs.flow_len = 2000 * MIB;
	exam_run(e, "memory");
	exam_only(e, DOCTOR_ERROR, "2000 needed", "sensor.flows");
	tree_file(&e->t, "/proc/1234567/comm", "weir-sensor\n"); // it has what it needs already
	tree_file(&e->t, "/proc/1234567/status", "VmRSS:\t 2048000 kB\n");
	exam_run(e, "memory");
	exam_only(e, DOCTOR_OK, "3000 MiB of memory available", NULL);
}

static void open_files_are_those_of_a_collector_that_runs(void **state)
{
	struct exam *e = *state;
	limits(e, "self", "65536", "1024");
	exam_run(e, "open_files");
	exam_only(e, DOCTOR_WARNING, "only 1024 files may be open", "ulimit -n 4096");
	limits(e, "1234567", "65536", "65536");
	tree_file(&e->t, "/proc/1234567/comm", "weir-collector\n");
	exam_run(e, "open_files");
	exam_only(e, DOCTOR_OK, "65536 files may be open", NULL);
	limits(e, "1234567", "65536", "unlimited");
	exam_run(e, "open_files");
	exam_only(e, DOCTOR_OK, "any number of files", NULL);
}

static void a_receive_buffer_above_the_kernels_is_told(void **state)
{
	struct exam *e = *state;
	e->needs.rcvbuf = 32 * MIB;
	exam_run(e, "rmem_max");
	exam_only(e, DOCTOR_OK, "cannot be read here", NULL);
	tree_file(&e->t, "/proc/sys/net/core/rmem_max", "212992\n");
	exam_run(e, "rmem_max");
	exam_only(
		e,
		DOCTOR_WARNING,
		"net.core.rmem_max is 212992 bytes, collector.rcvbuf 33554432",
		"sysctl -w net.core.rmem_max=33554432\n"
		"echo 'net.core.rmem_max = 33554432' > /etc/sysctl.d/60-weir.conf"
	);
	tree_file(&e->t, "/proc/sys/net/core/rmem_max", "33554432\n");
	exam_run(e, "rmem_max");
	exam_only(e, DOCTOR_OK, "33554432", NULL);
}

#define UDP_HEAD                                                                                   \
	"   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "     \
	"timeout inode ref pointer drops\n"
#define UDP_LINE(port, drops)                                                                      \
	"  118: 0100007F:" port " 00000000:0000 07 00000000:00000000 00:00000000 00000000     "    \
	"0        0 34391 2 0000000000000000 " drops "\n"
#define UDP6_LINE(port, drops)                                                                     \
	"   44: 00000000000000000000000001000000:" port                                            \
	" 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     "    \
	"0        0 34392 2 0000000000000000 " drops "\n"

static void datagrams_dropped_on_our_ports_are_counted(void **state)
{
	struct exam *e = *state;
	e->needs.rcvbuf = 32 * MIB;
	exam_listen(e, "udp:0.0.0.0:2055"); // 0x0807
	exam_listen(e, "[::]:4739");	    // 0x1283
	exam_listen(e, "tcp:0.0.0.0:53");
	exam_run(e, "udp_drops");
	exam_only(e, DOCTOR_OK, "no socket is open", NULL);
	tree_file(&e->t, "/proc/net/udp", UDP_HEAD UDP_LINE("0807", "0") UDP_LINE("0035", "7"));
	exam_run(e, "udp_drops");
	exam_only(e, DOCTOR_OK, "0 datagrams dropped by the kernel in 1 sockets", NULL);
	tree_file(&e->t, "/proc/net/udp", UDP_HEAD UDP_LINE("0807", "12") UDP_LINE("0807", "3"));
	tree_file(&e->t, "/proc/net/udp6", UDP_HEAD UDP6_LINE("1283", "100"));
	exam_run(e, "udp_drops");
	exam_only(
		e,
		DOCTOR_WARNING,
		"115 datagrams dropped by the kernel in 3 sockets",
		"sysctl -w net.core.rmem_max=67108864"
	);
	exam_found(e, DOCTOR_WARNING, "115", "# in weir.yaml: collector: {rcvbuf: 64 MiB}");
}

static bool synced(void)
{
	return true;
}

static bool not_synced(void)
{
	return false;
}

static void a_clock_that_nothing_keeps_right_is_told(void **state)
{
	struct exam *e = *state;
	exam_begin(e);
	e->d->clock_is_synced = synced;
	exam_check(e, "clock");
	exam_only(e, DOCTOR_OK, "kept right", NULL);
	exam_begin(e);
	e->d->clock_is_synced = not_synced;
	exam_check(e, "clock");
	exam_only(e, DOCTOR_WARNING, "unsynchronised", "timedatectl set-ntp true");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		exam_test(memory_for_dma_must_be_lockable),
		exam_test(who_has_the_capability_needs_no_limit),
		exam_test(without_dma_nothing_is_locked),
		exam_test(memory_is_compared_with_the_flow_tables),
		exam_test(open_files_are_those_of_a_collector_that_runs),
		exam_test(a_receive_buffer_above_the_kernels_is_told),
		exam_test(datagrams_dropped_on_our_ports_are_counted),
		exam_test(a_clock_that_nothing_keeps_right_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
