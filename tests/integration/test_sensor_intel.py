# SPDX-License-Identifier: Apache-2.0
"""Names and indicators in the sensor, up to the collector's hits."""
import json
import os
import signal
import time

from test_intel import analyst, v1
from weir import equal, wait_for


def rows(t, col):
    r = t.run([t.program("cli/weir"), "export", "--store", col.store, "--format", "jsonl"])
    return [json.loads(line) for line in r.stdout.splitlines()]


def tshark_names(t, pcap, field):
    r = t.run([t.peer("tshark"), "-r", pcap, "-Y", field, "-T", "fields", "-e", field])
    return {name for line in r.stdout.splitlines() for name in line.split(",") if name}


def live_sensor(t, pcap, export, *args, rate=1_000_000):
    argv = [t.program("sensor/weir-sensor"), "--pcap", pcap, "--export", export, "--loop", "--rate", rate]
    return t.start("weir-sensor", argv + list(args))


def age(hit):
    """Seconds from the flow's first packet to its hit in the store."""
    stamp = lambda s: time.mktime(time.strptime(s[:19], "%Y-%m-%dT%H:%M:%S")) + float("0" + s[19:].rstrip("Z") or 0)
    return stamp(hit["found"]) - stamp(hit["first"])


def names_are_those_that_tshark_sees(t):
    pcap, truth = t.capture(packets=20_000, flows=1_000)
    col = t.collector()
    names = t.sensor(pcap, col.tcp())["names"]
    col.wait_stored(truth["conversations"])
    got = rows(t, col)
    for kind, number, field in (("tls", 1, "tls.handshake.extensions_server_name"), ("dns", 3, "dns.qry.name")):
        seen = {r["server_name"] for r in got if r.get("name_kind") == number}
        equal(f"names of {kind}", seen, tshark_names(t, pcap, field))
    equal("flows with TLS", sum(r.get("name_kind") == 1 for r in got), names["tls"])
    assert all(r.get("ja4") for r in got if r.get("name_kind") == 1), "a ClientHello without JA4"


def hits_of_the_sensor_are_the_truth(t):
    feed = t.path("bad.txt")
    pcap, truth = t.capture(packets=100_000, flows=5_000, feed=feed)
    col = t.collector()  # which has no feed itself
    summary = t.sensor(pcap, col.tcp(), "--intel", feed)
    equal("hits of the sensor", summary["hits"], truth["malicious"]["flows"])
    col.wait_stored(truth["conversations"])
    hits = v1(analyst(t, col), "GET", "hits", limit=1000)["hits"]
    for key in ("flows", "packets", "bytes"):
        equal(f"{key} of all hits", sum(h[key] for h in hits), truth["malicious"][key])
    listed = set(feed.read_text().splitlines()[1:])
    for h in hits:
        equal("hit", (h["feed"], h["retro"], h["type"]), ("bad.txt", False, "net"))
        assert h["indicator"] in listed and h["outside"] == h["indicator"], h
    equal("flows that say so", sum(bool(r.get("indicator")) for r in rows(t, col)), truth["malicious"]["flows"])


def a_hit_is_told_while_its_flow_goes_on(t):
    feed = t.path("bad.txt")
    pcap, truth = t.capture(packets=50_000, flows=500, feed=feed)
    col = t.collector()
    api = analyst(t, col)
    empty = t.path("none.txt")
    empty.write_text("192.0.2.1\n")
    sensor = live_sensor(t, pcap, col.udp(), "--intel", empty, "--idle-timeout", "600s")
    wait_for("the sensor", lambda: "loaded" in sensor.text() or "compiled" in sensor.text())
    time.sleep(1)
    equal("hits before", v1(api, "GET", "hits")["hits"], [])
    # what cannot be read changes nothing
    empty.write_text("\x00\x01\n")
    sensor.popen.send_signal(signal.SIGHUP)
    wait_for("the refusal", lambda: "stays in use" in sensor.text())
    empty.write_text(feed.read_text())
    sensor.popen.send_signal(signal.SIGHUP)
    # ICMP and other short flows end and begin anew; the flow whose hit this is has not ended
    hits = wait_for("a hit", lambda: v1(api, "GET", "hits", limit=1000)["hits"], timeout=30)
    told = col.ledger()["intel_told"]
    assert told > 0, "nothing was told at once"
    print(f"      {told} hits told at 1 M packets/s, the latest {max(age(h) for h in hits):.3f} s after its packet")
    equal("sensor", sensor.stop(), 0)


def a_stranger_accuses_nobody(t):
    feed = t.path("bad.txt")
    pcap, truth = t.capture(packets=20_000, flows=1_000, feed=feed)
    config = t.path("weir.yaml")
    config.write_text("collector:\n  trust_intel: [192.0.2.0/24]\n")
    col = t.collector(args=["-c", config])
    t.sensor(pcap, col.tcp(), "--intel", feed)
    col.wait_stored(truth["conversations"])
    equal("hits", v1(analyst(t, col), "GET", "hits")["hits"], [])
    ledger = col.ledger()
    assert ledger["intel_untrusted"] > truth["malicious"]["flows"], ledger["intel_untrusted"]
    equal("told", ledger["intel_told"], 0)
    assert not any(r.get("indicator") for r in rows(t, col)), "a stranger's indicator was stored"



def reloads_cost_no_packet(t):
    n = int(os.environ.get("WEIR_TEST_RELOADS", "50"))
    feed = t.path("bad.txt")
    pcap, _ = t.capture(packets=50_000, flows=500, feed=feed)
    lists = [feed.read_text(), feed.read_text() + "198.51.100.201\n"]
    sensor = live_sensor(t, pcap, f"udp:127.0.0.1:{9}", "--intel", feed, rate=300_000)
    loaded = lambda: sensor.text().count("indicators of 1 files")
    memory = lambda: int(next(line for line in open(f"/proc/{sensor.pid}/status") if line.startswith("VmRSS")).split()[1])
    wait_for("the sensor", lambda: loaded() == 1)
    for i in range(n):
        if i == n // 4:
            before = memory()
        feed.write_text(lists[i % 2])
        sensor.popen.send_signal(signal.SIGHUP)
        wait_for(f"reload {i + 1}", lambda: loaded() >= i + 2)
    grown = memory() - before
    equal("sensor", sensor.stop(), 0)
    summary = json.loads(sensor.text()[sensor.text().rindex('{"packets"'):].splitlines()[0])
    lost = {k: v for k, v in summary["dropped"].items() if k.startswith("port_") or k == "flow_ring_full"}
    equal("lost for it", lost, {})
    assert summary["hits"] > 0, summary
    print(f"      {n} reloads while {summary['packets']:,} packets passed; memory grew by {grown} KiB")
    assert grown < 16384, f"memory grew by {grown} KiB"
