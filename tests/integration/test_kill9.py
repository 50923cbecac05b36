# SPDX-License-Identifier: Apache-2.0
"""kill -9 in the middle of an export: what was said to be stored is still there."""
import os
import random
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


def kill9_at_random_moments_loses_nothing_acknowledged(t):
    """WEIR_TEST_KILLS=100 for a long run."""
    kills, r = int(os.environ.get("WEIR_TEST_KILLS", 3)), random.Random(9)
    col, kept, worst = t.collector(), 0, 0.0
    for i in range(kills):
        # an odd one over UDP, whose exporter nothing holds back
        to = col.udp() if i % 2 else col.tcp()
        argv = t.export_argv("ipfix", to, 3_000_000, domain=i, start=int(time.time()) - 60, rate=400_000)
        exporter = t.start("weir-gen", argv)
        time.sleep(r.uniform(0.05, 0.7))
        stored = col.ledger()["stored"]
        col.kill()
        exporter.kill()
        begin = time.monotonic()
        col.start()
        ready = time.monotonic() - begin
        rows = col.ledger()["store_rows"]
        assert rows >= kept + stored, f"kill {i}: {kept} + {stored} records were stored, {rows} are there"
        text = col.process.text()
        assert "lost" not in text and "missing" not in text, text[-500:]
        worst = max(worst, ready)
        kept = rows
    assert worst < 10, f"ready after {worst:.1f} s"  # on a machine that does other things, too
    print(f"{kills} kills, {kept} records kept, ready after {worst:.2f} s at most")
    col.stop()
    doctor = t.run([t.program("cli/weir"), "doctor", "--store", col.store])
    assert f"{kept} of {kept} records can be read" in doctor.stderr, doctor.stderr
