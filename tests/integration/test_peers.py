# SPDX-License-Identifier: Apache-2.0
"""Other people's exporters into our collector, our sensor into other people's collectors."""
import json
import time

from peers import Nfcapd, Tee, compare_with_nfdump
from test_capture import compare_kpi
from weir import equal, wait_for

WRAP_US = 2**32 * 1000


def settle(col, tee):
    """Waits until all that passed the tee is stored."""
    tee.wait_quiet()
    wait_for("all records are stored", lambda: col.ledger()["in_flight"] == 0)


def check_softflowd(t, version):
    softflowd, nfcapd, col = t.peer("softflowd"), Nfcapd(t), t.collector()
    tee = Tee(t, nfcapd.port, col.port["udp"])
    pcap, truth = t.capture(packets=60_000, flows=2_000)
    t.run([softflowd, "-r", pcap, "-n", f"127.0.0.1:{tee.port}", "-v", version, "-m", "1000000", "-d"])
    settle(col, tee)
    nfcapd.stop()
    # In v9 and IPFIX softflowd counts a capture's times from its own start, in 32 bits: they wrap,
    # and nfcapd does not unwrap them.
    span = {"first_us": truth["first_us"] - WRAP_US, "last_us": truth["last_us"] + WRAP_US}
    compare_with_nfdump(t.api(col), nfcapd, span, times=version == 5)


def softflowd_v5_as_nfdump(t):
    check_softflowd(t, 5)


def softflowd_v9_as_nfdump(t):
    check_softflowd(t, 9)


def softflowd_ipfix_as_nfdump(t):
    check_softflowd(t, 10)


def check_nfreplay(t, version):
    nfreplay, source, target, col = t.peer("nfreplay"), Nfcapd(t), Nfcapd(t), t.collector()
    truth = t.export("v9", f"udp:127.0.0.1:{source.port}", 20_000, rate=50_000)
    time.sleep(1)
    source.stop()
    tee = Tee(t, target.port, col.port["udp"])
    for file in source.files():
        t.run([nfreplay, "-r", file, "-H", "127.0.0.1", "-p", tee.port, "-v", version, "-d", "100"])
    settle(col, tee)
    target.stop()
    compare_with_nfdump(t.api(col), target, truth)


def nfreplay_v5_as_nfdump(t):
    check_nfreplay(t, 5)


def nfreplay_v9_as_nfdump(t):
    check_nfreplay(t, 9)


PMACCTD = """
pcap_savefile: {pcap}
daemonize: false
plugins: nfprobe[a]
aggregate[a]: src_host,dst_host,src_port,dst_port,proto,tos,tcpflags
nfprobe_receiver[a]: 127.0.0.1:{port}
nfprobe_version[a]: 10
nfprobe_maxflows[a]: 1000000
nfprobe_timeouts[a]: expint=1
plugin_buffer_size: 1024000
plugin_pipe_size: 102400000
"""


def pmacct_nfprobe_as_nfdump(t):
    pmacctd, nfcapd, col = t.peer("pmacctd"), Nfcapd(t), t.collector()
    tee = Tee(t, nfcapd.port, col.port["udp"])
    pcap, truth = t.capture(packets=20_000, flows=1_000)
    t.path("pmacctd.conf").write_text(PMACCTD.format(pcap=pcap, port=tee.port))
    t.start("pmacctd", [pmacctd, "-f", t.path("pmacctd.conf")]).ended = True
    settle(col, tee)
    nfcapd.stop()
    compare_with_nfdump(t.api(col), nfcapd, truth)


def sensor_config(t, biflow):
    path = t.path("weir.yaml")
    path.write_text(f"sensor: {{biflow: {'yes' if biflow else 'no'}}}\n")
    return ["-c", path]


def sensor_into_nfcapd(t):
    nfcapd = Nfcapd(t)
    pcap, truth = t.capture(packets=60_000, flows=2_000)
    tee = Tee(t, nfcapd.port)
    t.sensor(pcap, f"udp:127.0.0.1:{tee.port}", *sensor_config(t, biflow=False))
    tee.wait_quiet()
    nfcapd.stop()
    totals = nfcapd.totals()
    equal("packets", totals["packets"], truth["packets"])
    equal("bytes", totals["bytes"], truth["ip_bytes"])
    equal("denied", nfcapd.denied(), truth["denied"])
    pairs = {tuple(sorted([(r["sa"], r["sp"]), (r["da"], r["dp"])])) + (r["pr"],) for r in nfcapd.rows("not proto icmp and not proto icmp6")}
    icmp = sum(truth["protocols"].get(p, {"flows": 0})["flows"] for p in ("1", "58"))
    equal("conversations but ICMP", len(pairs), truth["conversations"] - icmp)
    complaints = [l for l in nfcapd.process.text().splitlines() if "rror" in l or "unknown" in l.lower()]
    equal("nfcapd's complaints", [l for l in complaints if "errors: 0" not in l.lower()], [])


def sensor_into_tshark(t):
    tshark = t.peer("tshark")
    pcap, truth = t.capture(packets=60_000, flows=2_000)
    tee = Tee(t)
    t.sensor(pcap, f"udp:127.0.0.1:{tee.port}")
    tee.wait_quiet()
    tee.save(t.path("export.pcap"))
    read = [tshark, "-r", t.path("export.pcap"), "-d", f"udp.port=={tee.port},cflow"]
    bad = t.run(read + ["-Y", "_ws.malformed or _ws.expert.severity >= 6291456", "-T", "fields", "-e", "_ws.expert.message"])
    equal("tshark's complaints", bad.stdout.splitlines()[:5], [])
    packets = json.loads(t.run(read + ["-T", "ek", "-Y", "cflow"]).stdout.splitlines()[1])
    assert packets["layers"]["cflow"], "tshark saw no flows"
    totals = [numbers(t, read, f) for f in ("cflow.packets", "cflow.octets")]
    equal("packets and bytes", tuple(sum(n) for n in totals), (truth["packets"], truth["ip_bytes"]))


def numbers(t, read, field):
    """Every value of a field in every record."""
    text = t.run(read + ["-T", "fields", "-E", "aggregator=,", "-e", field]).stdout
    return [int(n) for line in text.splitlines() for n in line.split(",") if n]


def sensor_over_udp_to_the_collector_exact(t):
    col = t.collector()
    pcap, truth = t.capture(packets=60_000, flows=2_000)
    t.sensor(pcap, col.udp())
    col.wait_stored(truth["conversations"])
    compare_kpi(t.api(col).kpi(truth), truth)
