# SPDX-License-Identifier: Apache-2.0
"""Exporters at full pace over UDP: every record arrives, and the sums are theirs."""
import os
import time

from collections import Counter

from peers import Tee
from test_capture import compare_kpi
from weir import equal

FLOWS = int(os.environ.get("WEIR_TEST_FLOWS", 300_000))


def check_exporter(t, proto, kind="udp"):
    col = t.collector()
    minute = int(time.time()) // 60 * 60 - 60  # a flow told a millisecond early is in no minute asked for
    truth = t.export(proto, col.udp() if kind == "udp" else col.tcp(), FLOWS, rate=200_000, start=minute)
    col.wait_stored(truth["conversations"])
    ledger = col.ledger()
    equal("records, and those in flight", (ledger["records"], ledger["in_flight"]), (FLOWS, 0))
    equal("lost by sequence", (ledger["sequence_lost"], ledger["kernel_queue"]), (0, 0))
    api = t.api(col)
    live = api.kpi(truth)
    compare_kpi(live, truth)
    col.seal()
    compare_kpi(api.kpi(truth), truth)
    col.stop()


def exporter_v5_exact(t):
    check_exporter(t, "v5")


def exporter_v9_exact(t):
    check_exporter(t, "v9")


def exporter_ipfix_exact(t):
    check_exporter(t, "ipfix")


def exporter_ipfix_over_tcp_exact(t):
    check_exporter(t, "ipfix", "tcp")


def check_small(t, proto, flows=60_000):
    col = t.collector()
    minute = int(time.time()) // 60 * 60 - 60
    truth = t.export(proto, col.udp(), flows, rate=100_000, start=minute)
    col.wait_stored(flows)
    ledger = col.ledger()
    equal("lost by sequence", (ledger["sequence_lost"], ledger["kernel_queue"]), (0, 0))
    compare_kpi(t.api(col).kpi(truth), truth)
    return ledger


def exporter_v1_exact(t):
    check_small(t, "v1")


def exporter_v7_exact(t):
    check_small(t, "v7")


def exporter_sflow_exact(t):
    ledger = check_small(t, "sflow", 30_000)
    equal("samples", (ledger["sflow_samples"], ledger["sflow_no_ip"], ledger["bad_length"]), (30_000, 0, 0))


def sflow_as_tshark_sees_it(t):
    tshark, col = t.peer("tshark"), t.collector()
    tee = Tee(t, col.port["udp"])
    truth = t.export("sflow", f"udp:127.0.0.1:{tee.port}", 150)
    col.wait_stored(150)
    tee.save(t.path("sflow.pcap"))
    names = ["ip.src", "ipv6.src", "sflow_245.ipv4_src", "sflow_245.ipv6_src"]
    names += [n.replace("src", "dst") for n in names] + ["sflow.ip.destination_port"]
    argv = [tshark, "-r", t.path("sflow.pcap"), "-d", f"udp.port=={tee.port},sflow", "-T", "fields"]
    rows = t.run(argv + [a for n in names for a in ("-e", n)]).stdout.splitlines()
    seen = {n: Counter() for n in names}
    for row in rows:
        for name, values in zip(names, row.split("\t")):
            values = values.split(",") if values else []
            seen[name].update(values[1:] if name in ("ip.src", "ip.dst") else values)  # the datagram's own is first
    flows = t.api(col).flows(truth, limit=200)
    for side in ("src", "dst"):
        tsharks = sum((seen[n] for n in names if n.endswith(side)), Counter())
        equal(f"{side} addresses", Counter(f[f"{side}_ip"] for f in flows), tsharks)
