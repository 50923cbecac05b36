# SPDX-License-Identifier: Apache-2.0
"""Exporters at full pace over UDP: every record arrives, and the sums are theirs."""
import os
import time

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
