// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/lib/doctor/exam.h"
#include "tests/unit/lib/doctor/nictree.h"

static void look(struct exam *e, const char *vdev)
{
	e->needs.vdevs.n = 0;
	exam_vdev(e, vdev);
	exam_run(e, "vdev");
}

static void good_ones_are_ok(void **state)
{
	static const char *const good[] = {
		"net_null0",
		"net_null_of_mine,size=64",
		"net_memif0,role=server,socket=/run/memif.sock,id=0",
		"net_af_packet0,iface=eth0,qpairs=2,framesz=2048,framecnt=4096",
		"net_pcap0,iface=eth0",
		"net_pcap0,rx_pcap=/data/a.pcap,infinite_rx=1",
		"net_tap0,iface=mirror0",
		"net_af_xdp0,iface=eth0",
	};
	struct exam *e = *state;
	tree_netdev(&e->t, "eth0", "up");
	tree_dir(&e->t, "/sys/class/net/eth0/queues/rx-0");
	tree_dir(&e->t, "/sys/class/net/eth0/queues/tx-0");
	tree_file(&e->t, "/data/a.pcap", "");
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		look(e, good[i]);
		exam_only(e, DOCTOR_OK, "has what it needs", NULL);
	}
}

static void unknown_arguments_are_told_with_the_known_ones(void **state)
{
	look(*state, "net_pcap0,rx_pcap=/a,tx_drop=1");
	exam_only(
		*state,
		DOCTOR_ERROR,
		"unknown argument 'tx_drop=1'",
		"# arguments of net_pcap are: rx_pcap tx_pcap"
	);
	look(*state, "net_af_packet0,iface=eth0,qpairs");
	exam_only(*state, DOCTOR_ERROR, "not of the form key=value 'qpairs'", "iface qpairs");
	look(*state, "net_null0,");
	exam_only(*state, DOCTOR_ERROR, "not of the form key=value ''", "size copy");
	look(*state, "net_af_packet0,ifac=eth0");
	exam_only(*state, DOCTOR_ERROR, "unknown argument 'ifac=eth0'", "iface");
}

static void missing_arguments_are_told(void **state)
{
	look(*state, "net_af_packet0");
	exam_only(*state, DOCTOR_ERROR, "the argument iface= is missing", "iface qpairs");
	look(*state, "net_af_xdp0,queue_count=1");
	exam_only(*state, DOCTOR_ERROR, "the argument iface= is missing", "start_queue");
}

static void an_unknown_driver_is_not_looked_at(void **state)
{
	look(*state, "net_afpacket0,iface=eth0");
	exam_only(*state, DOCTOR_WARNING, "a driver the doctor does not know", "net_af_packet");
}

static void the_interface_must_be_there_and_up(void **state)
{
	struct exam *e = *state;
	tree_netdev(&e->t, "eth7", "down");
	look(e, "net_af_packet0,iface=eth9");
	exam_only(e, DOCTOR_ERROR, "there is no interface 'eth9'", "# interfaces there are: eth7");
	look(e, "net_af_packet0,iface=../../etc");
	exam_only(e, DOCTOR_ERROR, "there is no interface '../../etc'", "eth7");
	tree_file(
		&e->t,
		"/proc/net/dev",
		"Inter-|   Receive\n face |bytes\n    lo:       0\n  eth8: 1 2 3\n"
	);
	look(e, "net_pcap0,iface=eth8"); // of another name space than /sys
	exam_only(e, DOCTOR_OK, "has what it needs", NULL);
	look(e, "net_af_packet0,iface=eth7");
	exam_only(e, DOCTOR_WARNING, "eth7 is not up", "ip link set eth7 up");
	look(e, "net_pcap0,rx_iface=eth9");
	exam_only(e, DOCTOR_ERROR, "there is no interface 'eth9'", "eth7");
	look(e, "net_tap0,iface=new0,remote=eth9");
	exam_only(e, DOCTOR_ERROR, "there is no interface 'eth9'", "eth7");
}

static void frames_must_fit_the_packet_buffers(void **state)
{
	struct exam *e = *state;
	tree_netdev(&e->t, "eth0", "up");
	look(e, "net_af_packet0,iface=eth0,framesz=16384");
	exam_only(
		e, DOCTOR_ERROR, "framesz=16384 is more than the 2048 bytes", "leave framesz out"
	);
	tree_file(&e->t, "/sys/class/net/eth0/mtu", "9000\n");
	look(e, "net_af_packet0,iface=eth0,framecnt=8192");
	exam_only(
		e, DOCTOR_WARNING, "MTU of 9000, frames of more than", "ip link set eth0 mtu 1500"
	);
	tree_netdev(&e->t, "lo", "unknown");
	tree_file(&e->t, "/sys/class/net/lo/mtu", "65536\n");
	look(e, "net_af_packet0,iface=lo,framecnt=8192");
	exam_only(e, DOCTOR_OK, "has what it needs", NULL);
}

static void a_small_ring_is_told(void **state)
{
	struct exam *e = *state;
	tree_netdev(&e->t, "eth0", "up");
	look(e, "net_af_packet0,iface=eth0");
	exam_only(e, DOCTOR_WARNING, "its ring holds 512 packets", "iface=eth0,blocksz=65536");
	look(e, "net_af_packet0,iface=eth0,blocksz=65536,framesz=2048,framecnt=8192");
	exam_only(e, DOCTOR_OK, "has what it needs", NULL);
}

static void who_makes_the_device_must_be_allowed_to(void **state)
{
	struct exam *e = *state;
	tree_netdev(&e->t, "eth0", "up");
	tree_dir(&e->t, "/sys/class/net/eth0/queues/rx-0");
	tree_file(&e->t, "/proc/self/status", "CapEff:\t0000000000000000\n");
	look(e, "net_af_packet0,iface=eth0,framecnt=8192");
	exam_only(e, DOCTOR_ERROR, "only with CAP_NET_RAW", "systemctl start weir-sensor");
	look(e, "net_tap0,iface=new0");
	exam_only(e, DOCTOR_ERROR, "only with CAP_NET_ADMIN", "systemctl start weir-sensor");
	tree_file(&e->t, "/proc/self/status", "CapEff:\t0000000000007000\n"); // the unit's
	look(e, "net_tap0,iface=new0");
	exam_only(e, DOCTOR_OK, "has what it needs", NULL);
	look(e, "net_af_xdp0,iface=eth0");
	exam_only(
		e,
		DOCTOR_ERROR,
		"only with CAP_SYS_ADMIN",
		"[Service]\\nAmbientCapabilities=CAP_SYS_ADMIN\\nCapabilityBoundingSet=CAP_SYS_"
		"ADMIN"
		"\\nSystemCallFilter=bpf\\n"
	);
	tree_file(&e->t, "/proc/self/status", "CapEff:\t000001ffffffffff\n");
	look(e, "net_af_xdp0,iface=eth0");
	exam_only(e, DOCTOR_OK, "has what it needs", NULL);
}

static void af_xdp_must_listen_on_all_queues(void **state)
{
	struct exam *e = *state;
	tree_netdev(&e->t, "eth0", "up");
	tree_dir(&e->t, "/sys/class/net/eth0/queues/rx-0");
	tree_dir(&e->t, "/sys/class/net/eth0/queues/rx-1");
	tree_dir(&e->t, "/sys/class/net/eth0/queues/tx-0");
	look(e, "net_af_xdp0,iface=eth0");
	exam_only(
		e,
		DOCTOR_WARNING,
		"queues 0 to 0, eth0 has 2: packets in the others do not come",
		"ethtool -L eth0 combined 1"
	);
	look(e, "net_af_xdp0,iface=eth0,start_queue=1,queue_count=2");
	exam_only(e, DOCTOR_ERROR, "queues 1 to 2, eth0 has 2", "ethtool -L eth0 combined 2");
	look(e, "net_af_xdp0,iface=eth0,queue_count=2");
	exam_only(e, DOCTOR_OK, "has what it needs", NULL);
}

static void a_capture_must_be_there(void **state)
{
	look(*state, "net_pcap0,rx_pcap=/none.pcap");
	exam_only(*state, DOCTOR_ERROR, "there is no file /none.pcap", "rx_pcap=");
}

static void without_virtual_devices_there_is_nothing_to_look_at(void **state)
{
	exam_run(*state, "vdev");
	exam_only(*state, DOCTOR_OK, "take no virtual device", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		exam_test(good_ones_are_ok),
		exam_test(unknown_arguments_are_told_with_the_known_ones),
		exam_test(missing_arguments_are_told),
		exam_test(an_unknown_driver_is_not_looked_at),
		exam_test(the_interface_must_be_there_and_up),
		exam_test(frames_must_fit_the_packet_buffers),
		exam_test(a_small_ring_is_told),
		exam_test(who_makes_the_device_must_be_allowed_to),
		exam_test(af_xdp_must_listen_on_all_queues),
		exam_test(a_capture_must_be_there),
		exam_test(without_virtual_devices_there_is_nothing_to_look_at),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
