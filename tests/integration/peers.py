# SPDX-License-Identifier: Apache-2.0
"""The programs Weir is compared with, and a tee so that they read the very same datagrams."""
import csv
import io
import socket
import struct
import threading
import time
from collections import Counter

from weir import equal, free_port, wait_for

SO_RCVBUFFORCE = 33
TEE_BUFFER = 32 << 20


class Tee:
    """Takes datagrams on a port and gives each to every target; keeps them for tshark."""

    def __init__(self, bench, *ports):
        self.targets = [("127.0.0.1", p) for p in ports]
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, TEE_BUFFER)
        except PermissionError:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, TEE_BUFFER)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.1)
        self.port = self.socket.getsockname()[1]
        self.datagrams, self.open = [], True
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        bench.closers.append(self.close)

    def run(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            while self.open:
                try:
                    data = self.socket.recv(65536)
                except TimeoutError:
                    continue
                self.datagrams.append((time.time(), data))
                for target in self.targets:
                    out.sendto(data, target)

    def close(self):
        self.open = False
        self.thread.join()
        self.socket.close()

    def wait_quiet(self, timeout=60):
        """Waits until datagrams came and no more do."""
        wait_for("datagrams", lambda: self.datagrams, timeout)
        seen = 0
        while seen != len(self.datagrams):
            seen = len(self.datagrams)
            time.sleep(1)

    def save(self, path):
        """Writes what came as a capture (raw IPv4 link type)."""
        with open(path, "wb") as f:
            f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
            for when, data in self.datagrams:
                udp = struct.pack("!HHHH", 40000, self.port, 8 + len(data), 0) + data
                ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\1")
                f.write(struct.pack("<IIII", int(when), int(when % 1 * 1e6), len(ip + udp), len(ip + udp)))
                f.write(ip + udp)


class Nfcapd:
    """nfcapd on a free port, and nfdump's view of what it wrote."""

    def __init__(self, bench, *args):
        self.bench, self.port = bench, free_port()
        self.nfdump = bench.peer("nfdump")
        self.dir = bench.path(f"nfcapd.{self.port}")
        self.dir.mkdir()
        argv = [bench.peer("nfcapd"), "-4", "-b", "127.0.0.1", "-p", self.port, "-w", self.dir]
        self.process = bench.start("nfcapd", argv + ["-t", "3600", "-B", str(TEE_BUFFER), *args])
        wait_for("nfcapd is ready", lambda: "Startup" in self.process.text() or self.is_bound())

    def is_bound(self):
        wanted = f"0100007F:{self.port:04X}"
        with open("/proc/net/udp") as f:
            return any(wanted in line for line in f)

    def stop(self):
        self.process.stop()

    def files(self):
        """What it wrote, oldest first."""
        return sorted(f for f in self.dir.iterdir() if "current" not in f.name)

    def ask(self, *args):
        return self.bench.run([self.nfdump, "-R", self.dir, *args]).stdout

    def totals(self):
        """flows, packets, bytes as nfcapd counted them."""
        lines = dict(l.split(": ", 1) for l in self.ask("-I").splitlines() if ": " in l)
        return {k: int(lines[k.capitalize()]) for k in ("flows", "packets", "bytes")}

    def rows(self, *filter_words):
        text = self.ask("-o", "csv", "-N", *filter_words)
        wanted = [l for l in text.splitlines() if l[:3] == "ts," or l[4:5] == "-"]
        return list(csv.DictReader(io.StringIO("\n".join(wanted))))

    def denied(self):
        return len(self.rows("flags R and not flags S"))

    def top_sources(self):
        """Bytes sent by each address, largest first."""
        sums = Counter()
        for row in self.rows():
            sums[row["sa"]] += int(row["ibyt"])
        return sorted(sums.values(), reverse=True)[:10], sums


def compare_with_nfdump(api, nfcapd, span, times=True):
    """KPI, top sources and newest rows of the API against nfdump's on the same datagrams."""
    kpi = api.kpi(span)
    totals = nfcapd.totals()
    equal("flows", kpi["kpi"]["active_flows"], totals["flows"])
    equal("bytes", kpi["kpi"]["total_bytes"], totals["bytes"])
    equal("denied flows", kpi["kpi"]["denied_flows"], nfcapd.denied())
    most, sums = nfcapd.top_sources()
    equal("bytes of the top sources", [s["bytes"] for s in kpi["top_src"]], most)
    equal("top sources", [s["bytes"] for s in kpi["top_src"]], [sums[s["ip"]] for s in kpi["top_src"]])
    flows, rows = api.flows(span), nfcapd.rows()
    if times:
        equal("newest flows", *newest(flows, rows))
    strangers = Counter(without_time(flows, rows)[0]) - Counter(without_time(flows, rows)[1])
    equal("flows that nfdump does not know", strangers, Counter())


def without_time(flows, rows):
    return [f[1:] for f in of_api(flows)], [r[1:] for r in of_nfdump(rows)]


def of_api(flows):
    return [
        (f["ts"], f["src_ip"], f["dst_ip"], *ports(f["proto"], f["src_port"], f["dst_port"]), f["packets"], f["bytes"])
        for f in flows
    ]


def of_nfdump(rows):
    return [(r["ts"], r["sa"], r["da"], *ports(r["pr"], r["sp"], r["dp"]), r["ipkt"], r["ibyt"]) for r in rows]


def newest(flows, rows):
    """Both lists as counts of like rows, later than the oldest second that the API shows."""
    ours = of_api(flows)
    oldest = min(f[0] for f in ours)
    assert ours == sorted(ours, key=lambda f: f[0], reverse=True), "flows are not newest first"
    return Counter(f for f in ours if f[0] > oldest), Counter(r for r in of_nfdump(rows) if r[0] > oldest)


def ports(proto, sport, dport):
    """nfdump shows an ICMP type and code in the place of a port."""
    return ("", "") if proto.upper().startswith("ICMP") else (sport, dport)
