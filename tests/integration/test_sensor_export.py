# SPDX-License-Identifier: Apache-2.0
"""The sensor's ways to its collectors: formats, transports, and several at the same time."""
import json
import re
import socket
import ssl
import threading

from peers import Nfcapd, Tee
from test_sensor_intel import live_sensor, rows
from test_sensor_ledger import control
from weir import equal, free_port, wait_for


class Relay:
    """Accepts one connection after another and passes what it reads on to a TCP port."""

    def __init__(self, t, listener, port, context=None):
        self.listener, self.port, self.context = listener, port, context
        self.errors = []
        self.stopping = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        t.closers.append(self.close)

    def run(self):
        while not self.stopping:
            try:
                self.pass_on(self.listener.accept()[0])
            except OSError as e:  # ssl.SSLError is one
                self.errors.append(str(e))

    def pass_on(self, peer):
        with peer, socket.create_connection(("127.0.0.1", self.port)) as out:
            peer.settimeout(20)
            if self.context:
                peer = self.context.wrap_socket(peer, server_side=True)
            while part := peer.recv(65536):
                out.sendall(part)
            peer.close()

    def close(self):
        self.stopping = True
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(30)


def tcp_listener():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(4)
    return s


def config(t, **keys):
    path = t.path("export.yaml")
    path.write_text("sensor:\n" + "".join(f"  {k}: {v}\n" for k, v in keys.items()))
    return ["-c", path]


def make_certificates(t):
    """An authority, and what it says of a server at 127.0.0.1 and of a client."""
    openssl = t.peer("openssl")
    t.run([openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=ca",
           "-keyout", t.path("ca.key"), "-out", t.path("ca.pem"), "-days", "2"])
    for name, alt in (("server", "IP:127.0.0.1"), ("client", "DNS:sensor"), ("other", "IP:127.0.0.9")):
        t.path(name + ".ext").write_text(f"subjectAltName={alt}\n")
        t.run([openssl, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
               "-keyout", t.path(name + ".key"), "-out", t.path(name + ".csr")])
        t.run([openssl, "x509", "-req", "-in", t.path(name + ".csr"), "-CA", t.path("ca.pem"), "-CAkey", t.path("ca.key"),
               "-CAcreateserial", "-days", "2", "-extfile", t.path(name + ".ext"), "-out", t.path(name + ".pem")])


def server_context(t, name="server"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(t.path(name + ".pem"), t.path(name + ".key"))
    context.load_verify_locations(t.path("ca.pem"))
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def netflow_v9_into_nfcapd(t):
    nfcapd = Nfcapd(t)
    pcap, truth = t.capture(packets=60_000, flows=2_000)
    tee = Tee(t, nfcapd.port)
    s = t.sensor(pcap, f"v9+udp:127.0.0.1:{tee.port}", *config(t, biflow="no"))
    equal("exported", (s["exported"], s["flows"]), (truth["conversations"],) * 2)
    tee.wait_quiet()
    nfcapd.stop()
    totals = nfcapd.totals()
    equal("packets and bytes", (totals["packets"], totals["bytes"]), (truth["packets"], truth["ip_bytes"]))
    complaints = [line for line in nfcapd.process.text().splitlines() if "rror" in line or "unknown" in line.lower()]
    equal("nfcapd's complaints", [line for line in complaints if "errors: 0" not in line.lower()], [])


def netflow_v5_tells_of_ipv4_and_counts_the_rest(t):
    nfcapd, col = Nfcapd(t), t.collector()
    pcap, truth = t.capture(packets=60_000, flows=2_000)
    tee = Tee(t, nfcapd.port, col.port["udp"])
    s = t.sensor(pcap, f"v5+udp:127.0.0.1:{tee.port}")
    unfit = s["dropped"]["flow_unfit"]
    assert 0 < unfit < s["flows"], s
    equal("exported", s["exported"] + unfit, s["flows"])
    tee.wait_quiet()
    nfcapd.stop()
    wait_for("all are stored", lambda: col.ledger()["in_flight"] == 0)
    got = rows(t, col)
    totals = nfcapd.totals()
    equal("packets and bytes", (sum(r["packets"] for r in got), sum(r["bytes"] for r in got)), (totals["packets"], totals["bytes"]))
    equal("lost by sequence", col.ledger()["sequence_lost"], 0)
    v6 = t.sensor(pcap, col.tcp())  # the truth of what was left out
    equal("conversations", v6["exported"], truth["conversations"])
    col.wait_stored(len(got) + v6["exported"])
    equal("of IPv6", sum(":" in r["src_ip"] for r in rows(t, col)), unfit)


def a_unix_stream_carries_all(t):
    col = t.collector()
    pcap, truth = t.capture(packets=60_000, flows=2_000)
    path = t.path("ipfix.sock")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(1)
    Relay(t, listener, col.port["tcp"])
    equal("exported", t.sensor(pcap, f"unix:{path}")["exported"], truth["conversations"])
    col.wait_stored(truth["conversations"])


def tls_carries_all_and_checks_both_ends(t):
    col = t.collector()
    pcap, truth = t.capture(packets=60_000, flows=2_000)
    make_certificates(t)
    ours = {"export_ca": t.path("ca.pem"), "export_cert": t.path("client.pem"), "export_key": t.path("client.key")}
    good, bad = tcp_listener(), tcp_listener()
    Relay(t, good, col.port["tcp"], server_context(t))
    liar = Relay(t, bad, col.port["tcp"], server_context(t, "other"))
    to = lambda s: f"tls:127.0.0.1:{s.getsockname()[1]}"
    equal("exported", t.sensor(pcap, to(good), *config(t, **ours))["exported"], truth["conversations"])
    col.wait_stored(truth["conversations"])
    argv = [t.program("sensor/weir-sensor"), *config(t, **ours), "--pcap", pcap, "--export", to(bad), "--once"]
    r = t.run(argv, check=False)
    assert r.returncode == 77 and "the certificate of 127.0.0.1 is refused" in r.stderr, (r.returncode, r.stderr)
    r = t.run(argv[:1] + config(t, export_ca=t.path("nothing.pem")) + argv[3:], check=False)
    assert r.returncode == 78 and "authorities" in r.stderr, (r.returncode, r.stderr)
    assert liar.errors, "the relay with a false name was believed"
    equal("records beside", col.ledger()["records"], truth["conversations"])


def several_collectors_get_all_or_a_part_each(t):
    a, b = t.collector(store=t.path("a"), ), Nfcapd(t)
    tee = Tee(t, b.port)
    pcap, truth = t.capture(packets=60_000, flows=2_000)
    n = truth["conversations"]
    both = ["--export", f"v9+udp:127.0.0.1:{tee.port}"]
    s = t.sensor(pcap, a.tcp(), *both, *config(t, biflow="no"))
    equal("flows, records", (s["flows"], s["exported"], s["dropped"].get("flow_unsent", 0)), (n, 2 * n, 0))
    tee.wait_quiet()
    wait_for("all are stored", lambda: a.ledger()["in_flight"] == 0)
    got = rows(t, a)
    equal("packets at the first", sum(r["packets"] for r in got), truth["packets"])
    before = len(got)
    s = t.sensor(pcap, a.tcp(), *both, *config(t, biflow="yes", export_spread="yes"))
    equal("flows, records", (s["flows"], s["exported"]), (n, n))
    tee.wait_quiet()
    wait_for("all are stored", lambda: a.ledger()["in_flight"] == 0)
    part = len(rows(t, a)) - before
    assert n // 3 < part < n - n // 3, f"{part} of {n} flows at the first of two"
    b.stop()
    packets = sum(r["packets"] + r.get("rev_packets", 0) for r in rows(t, a)) + b.totals()["packets"]
    equal("packets at both", packets, 3 * truth["packets"])


def a_collector_that_is_away_costs_the_other_nothing(t):
    col, path = t.collector(), t.path("sensor.sock")
    pcap, _ = t.capture(packets=20_000, flows=1_000)
    away = f"tcp:127.0.0.1:{free_port(socket.SOCK_STREAM)}"
    argv = ["--export", away, "--control", path, *config(t, idle_timeout="1s", export_ring=64)]
    sensor = live_sensor(t, pcap, col.tcp(), *argv, rate=100_000)
    wait_for("the control socket", path.exists, 20)

    def told():
        return {x["target"]: x for x in control(path, "ledger")["targets"]}

    wait_for("the ring of the one that is away is full", lambda: told()[away]["ring_full_flows"] > 500)
    one = told()[col.tcp()]
    equal("lost for the other", (one["ring_full_flows"], one["unsent_flows"]), (0, 0))
    ledger = control(path, "ledger")
    equal("residue", ledger["residue"], 0)
    equal("drops", ledger["drops"]["flow_target_full"] > 500, True)
    equal("exit status", sensor.stop(), 0)
    summary = json.loads(re.search(r"info weir-sensor: (\{.*\})", sensor.text())[1])
    equal("records", summary["exported"], summary["flows"])
    col.wait_stored(summary["flows"])
