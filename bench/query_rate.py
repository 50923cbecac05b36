#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Filters and top-N over stored flows, beside nfdump on the same flows.

The same flows go to nfcapd -y and to weir-collector; then both are asked the same questions, in
turns, and the answers are compared. Times are of whole questions: nfdump from its start to its end,
the API from the request to the answer's last byte over one connection. Medians count.

    bench/query_rate.py [--build build] [--flows 1000000]... [--rounds 5] [--begin N]
"""
import argparse
import csv
import http.client
import io
import json
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/integration"))
from peers import Nfcapd  # noqa: E402
from weir import ENV, Bench  # noqa: E402

RATE = 300_000  # what nfcapd takes without a loss beside everything else

# name: (nfdump's words, path of the API, its parameters)
TOP = {"by": "src_ip", "limit": 10}
ROWS = {"by": "proto", "limit": 100}
QUESTIONS = {
    "top sources": (["-s", "srcip/bytes", "-n", "10"], TOP, ""),
    "top pairs": (["-A", "srcip,dstip", "-O", "bytes", "-n", "10"], {"by": "src_ip,dst_ip", "limit": 10}, ""),
    "top ports": (["-s", "dstport/bytes", "-n", "10"], {"by": "dst_port", "limit": 10}, ""),
    "top sources of a filter": (["-s", "srcip/bytes", "-n", "10"], TOP, "proto tcp and dst port 443 and bytes > 1k"),
    "sum of a port": (["-s", "proto/bytes"], ROWS, "dst port 53"),
    "sum of a network": (["-s", "proto/bytes"], ROWS, "src net 10.1.16.0/20"),
    "sum of many bytes": (["-s", "proto/bytes"], ROWS, "bytes > 1M"),
    "one host": (["-s", "proto/bytes"], ROWS, "ip 10.1.70.90"),
    "a host that is not there": (["-s", "proto/bytes"], ROWS, "ip 192.0.2.77"),
}


class Client:
    """One connection that stays open."""

    def __init__(self, api):
        context = ssl._create_unverified_context()
        self.headers = {"Authorization": f"Bearer {api.token}"}
        self.c = http.client.HTTPSConnection("127.0.0.1", api.port, timeout=120, context=context)

    def get(self, path, **params):
        self.c.request("GET", f"/api/v1/{path}?" + urllib.parse.urlencode(params), headers=self.headers)
        r = self.c.getresponse()
        body = r.read()
        assert r.status == 200, (r.status, body[:300])
        return json.loads(body)


def load(t, flows, begin):
    """The collector and nfcapd with the same flows, and the flows' span."""
    start = (int(time.time()) // 3600 - 6 - flows // begin // 3600) * 3600
    nfcapd = Nfcapd(t, "-y")
    col = t.collector(args=("--seal-grace", "24h"))
    options = {"start": start, "begin": begin}
    truth = t.export("ipfix", f"udp:127.0.0.1:{nfcapd.port}", flows, "peer", rate=RATE, **options)
    time.sleep(1)
    nfcapd.stop()
    t.export("ipfix", col.tcp(), flows, "ours", rate=0, **options)
    col.wait_stored(flows, 600)
    assert nfcapd.totals()["flows"] == flows, "nfcapd lost flows; try a lower rate"
    return nfcapd, col, {"start": start, "end": int(truth["last_us"] // 10**6) + 60}


def cpu_of(pid):
    text = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(text[11]) + int(text[12])) / 100


def of_nfdump(nfcapd, words, text):
    argv = [nfcapd.nfdump, "-R", str(nfcapd.dir), *words, "-N", "-o", "csv", *([text] if text else [])]
    begin = time.perf_counter()
    out = subprocess.run(argv, capture_output=True, text=True, env=ENV, check=True).stdout
    took = time.perf_counter() - begin
    if "ts," not in out:
        return took, []
    rows = csv.DictReader(io.StringIO(out[out.index("ts,"):]))
    column = "byt" if "-s" in words else "ibyt"
    return took, [int(r[column]) for r in rows if (r.get(column) or "").isdigit()]


def of_weir(client, by, text, span):
    begin = time.perf_counter()
    answer = client.get("top", **by, **span, **({"filter": text} if text else {}))
    return time.perf_counter() - begin, [r["bytes"] for r in answer["top"]]


def measure(o, t, flows):
    nfcapd, col, span = load(t, flows, o.begin)
    col.seal()
    time.sleep(1)
    api = t.api(col)
    client = Client(api)
    for name, (words, by, text) in QUESTIONS.items():
        if o.only and o.only not in name:
            continue
        times = {"nfdump": [], "weir": []}
        cpu = cpu_of(api.process.pid)
        for _ in range(o.rounds):
            took, theirs = of_nfdump(nfcapd, words, text)
            times["nfdump"].append(took)
            took, ours = of_weir(client, by, text, span)
            times["weir"].append(took)
            n = min(10, len(ours))
            assert ours[:n] == theirs[:n] and bool(ours) == bool(theirs), (name, ours, theirs)
        cpu = (cpu_of(api.process.pid) - cpu) / o.rounds
        theirs, ours = (statistics.median(times[k]) for k in ("nfdump", "weir"))
        yield {
            "bench": "query_rate",
            "what": name,
            "flows": flows,
            "nfdump_ms": round(theirs * 1e3, 2),
            "weir_ms": round(ours * 1e3, 2),
            "weir_cpu_ms": round(cpu * 1e3, 1),
            "times_nfdump": round(theirs / ours, 2),
        }


def main():
    a = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    a.add_argument("--build", default="build", type=Path)
    a.add_argument("--flows", type=int, action="append")
    a.add_argument("--rounds", default=5, type=int)
    a.add_argument("--begin", default=2000, type=int, help="flows that begin in a second of theirs")
    a.add_argument("--only", help="questions whose name has this in it")
    o = a.parse_args()
    print(f"{'':28}{'flows':>10}{'nfdump ms':>11}{'weir ms':>9}{'cpu ms':>8}{'times':>7}", file=sys.stderr)
    for flows in o.flows or [1_000_000]:
        with tempfile.TemporaryDirectory() as d:
            t = Bench(o.build.resolve(), d)
            try:
                for r in measure(o, t, flows):
                    print(json.dumps(r), flush=True)
                    print(
                        f"{r['what']:28}{r['flows']:10}{r['nfdump_ms']:11.1f}{r['weir_ms']:9.1f}"
                        f"{r['weir_cpu_ms']:8.1f}{r['times_nfdump']:7.1f}",
                        file=sys.stderr,
                    )
            finally:
                t.end()


main()
