# SPDX-License-Identifier: Apache-2.0
"""A running sensor accounts for every packet and flow, whoever asks."""
import json
import re
import socket
import time

from test_peers import Tee, numbers
from test_sensor_intel import live_sensor, rows
from weir import equal, wait_for


def control(path, cmd):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(5)
        s.connect(str(path))
        s.sendall(json.dumps({"cmd": cmd}).encode() + b"\n")
        answer = json.loads(s.makefile().readline())
    assert answer["ok"], answer
    return answer["result"]


def telemetry(path, cmd):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(5)
        s.connect(str(path))
        s.recv(4096)
        s.send(cmd.encode())
        return json.loads(s.recv(65536))[cmd.split(",")[0]]


def metrics_of(text):
    return {name: float(value) for name, value in re.findall(r"^(weir_\S+) (\S+)$", text, re.M)}


def watched(t, col):
    pcap, _ = t.capture(packets=20_000, flows=1_000)
    config, path = t.path("watched.yaml"), t.path("sensor.sock")
    config.write_text("sensor:\n  telemetry: yes\n  idle_timeout: 1s\n")
    argv = ["-c", config, "--control", path, "--metrics", "127.0.0.1:0"]
    sensor = live_sensor(t, pcap, col.tcp(), *argv, rate=200_000)
    wait_for("the control socket", path.exists, 20)
    return sensor, path


def the_ledger_holds_at_every_moment(t):
    col = t.collector()
    sensor, path = watched(t, col)
    before = 0
    for _ in range(15):
        ledger = control(path, "ledger")
        c, drops = ledger["counters"], ledger["drops"]
        equal("residue", ledger["residue"], 0)
        lost = sum(n for name, n in drops.items() if not name.startswith("flow_"))
        equal("packets", c["packets"], c["flow_packets"] + lost)
        ended = c["exported_flows"] + c["in_flight_flows"] + drops["flow_ring_full"] + drops["flow_unsent"]
        equal("flows", c["flows"], ended)
        equal("queues", sum(w["packets"] for w in ledger["workers"]), c["packets"] - drops["port_missed"])
        assert c["packets"] > before, "the worker stands still"
        before = c["packets"]
        time.sleep(0.1)
    shown = t.run([t.program("cli/weir"), "ledger", "--control", path, "-o", "csv"]).stdout
    assert "sum,residue,0" in shown and "counter,packets," in shown, shown
    equal("exit status", sensor.stop(), 0)
    summary = json.loads(sensor.text().splitlines()[-1].split("info weir-sensor: ")[1])
    equal("in flows at the end", summary["flows"], summary["exported"])
    col.wait_stored(summary["exported"])


def prometheus_and_telemetry_tell_the_same(t):
    col = t.collector()
    sensor, path = watched(t, col)
    url = re.search(r"metrics at http://127.0.0.1:0/metrics, port (\d+)", sensor.text())[1]
    url = f"http://127.0.0.1:{url}/metrics"
    before = control(path, "ledger")["counters"]
    text = t.run([t.peer("curl"), "-sS", "-H", "Accept: application/openmetrics-text", url]).stdout
    assert text.endswith("# EOF\n"), text[-200:]
    plain = metrics_of(t.run([t.peer("curl"), "-sS", url]).stdout)
    runtime = f"/var/run/dpdk/weir-sensor-{sensor.popen.pid}/dpdk_telemetry.v2"
    told = telemetry(runtime, "/weir/ledger")
    worker = telemetry(runtime, "/weir/workers,0")
    after = control(path, "ledger")["counters"]
    equal("names", sorted(metrics_of(text)), sorted(plain))
    for packets in (plain["weir_sensor_packets_total"], told["packets"], worker["packets"]):
        assert before["packets"] <= packets <= after["packets"], (before, packets, after)
    equal("residues", (plain["weir_sensor_residue"], told["residue"]), (0, 0))
    equal("a second one at this socket", _second_status(t, path), 69)
    equal("exit status", sensor.stop(), 0)
    assert not path.exists(), "the socket is left behind"


def _second_status(t, path):
    pcap = t.path("capture.pcap")
    return t.run([t.program("sensor/weir-sensor"), "--pcap", pcap, "--once", "--control", path], check=False).returncode


def sampling_is_announced(t):
    """One of ten packets is looked at, and whoever asks is told so: our collector, tshark."""
    pcap, truth = t.capture(packets=60_000, flows=2_000)
    col = t.collector()
    tee = Tee(t)
    for target in (col.tcp(), f"udp:127.0.0.1:{tee.port}"):
        s = t.sensor(pcap, target, "--sampling", 10)
        seen = s["packets"] // 10
        equal("passed over", s["dropped"]["not_sampled"], s["packets"] - seen)
        assert 0 < s["bytes"] < truth["ip_bytes"] // 8, s
    col.wait_stored(col.ledger()["records"])
    got = rows(t, col)
    equal("rates", {r.get("sampling") for r in got}, {10})
    not_ip = s["dropped"].get("not_ip", 0)
    assert abs(sum(r["packets"] + r.get("rev_packets", 0) for r in got) + not_ip - seen) <= 40, "raw counters"
    tee.wait_quiet()
    tee.save(t.path("export.pcap"))
    read = [t.peer("tshark"), "-r", t.path("export.pcap"), "-d", f"udp.port=={tee.port},cflow"]
    for field, value in (("cflow.sampling_population", 10), ("cflow.sampling_interval", 10)):
        equal(field, set(numbers(t, read, field)), {value})
    names = t.run(read + ["-T", "fields", "-E", "aggregator=,", "-e", "cflow.if_name"]).stdout
    assert "net_pcap0" in names, names
