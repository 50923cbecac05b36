# SPDX-License-Identifier: Apache-2.0
"""kill -9 in the middle of an export: what was said to be stored is still there."""
import time

from weir import equal, wait_for

FLOWS = 600_000
HALF = 150_000


def check_kill(t, kind):
    col = t.collector()
    to = col.udp() if kind == "udp" else col.tcp()
    argv = t.export_argv("ipfix", to, FLOWS, rate=150_000, start=int(time.time()) - 60)
    exporter = t.start("weir-gen", argv)
    stored = wait_for("half of the export is stored", lambda: above(col.ledger()["stored"], HALF), 60)
    col.kill()
    exporter.wait()
    col.start()
    kept = col.ledger()["store_rows"]
    assert kept >= stored, f"{stored} records were stored, {kept} are there after kill -9"
    span = {"first_us": (time.time() - 120) * 10**6, "last_us": (time.time() + 120) * 10**6}
    api = t.api(col)
    equal("flows the API sees", api.kpi(span)["kpi"]["active_flows"], kept)

    more = t.export("ipfix", to, 20_000, name="more", rate=100_000, start=int(time.time()) - 60, domain=7)
    col.wait_stored(more["conversations"])
    equal("flows after the restart", api.kpi(span)["kpi"]["active_flows"], kept + more["conversations"])
    col.seal()
    equal("flows after sealing", api.kpi(span)["kpi"]["active_flows"], kept + more["conversations"])


def above(n, least):
    return n if n >= least else 0


def kill9_of_the_collector_loses_no_stored_record_udp(t):
    check_kill(t, "udp")


def kill9_of_the_collector_loses_no_stored_record_tcp(t):
    check_kill(t, "tcp")


def sigterm_of_the_collector_stores_all_it_read(t):
    col = t.collector()
    t.export("ipfix", col.udp(), 50_000, rate=200_000)
    wait_for("all records are read", lambda: col.ledger()["records"] == 50_000)
    col.stop()
    col.start()
    equal("records after the restart", col.ledger()["store_rows"], 50_000)
