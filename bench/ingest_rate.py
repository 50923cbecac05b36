#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a flow costs on its way in: CPU, loss and bytes, beside nfcapd -y and nfacctd.

The same datagrams go to each collector at the same pace, one after the other. CPU is that of the
whole process from the first datagram until everything is stored (Weir's: committed with sync);
sealing, which nfcapd has nothing like, is a figure of its own. Bytes are those of the files; of
Weir's after sealing and another start, with all tables and indexes. Write amplification is what the process had written over what was left.

    bench/ingest_rate.py [--build build] [--flows 1000000] [--rate 300000] [--rounds 3]
"""
import argparse
import json
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/integration"))
from peers import Nfcapd  # noqa: E402
from weir import Bench, Skip, free_port, wait_for  # noqa: E402

NFACCTD = """daemonize: false
nfacctd_ip: 127.0.0.1
nfacctd_port: {port}
nfacctd_pipe_size: 33554432
plugins: memory[a]
imt_path[a]: {dir}/pipe
aggregate[a]: proto
plugin_pipe_size[a]: 104857600
plugin_buffer_size[a]: 102400
"""


def cpu(pid):
    """CPU seconds of a process and of the children it has ended."""
    text = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return sum(int(v) for v in text[11:15]) / 100


def children(pid):
    return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def written(pid):
    lines = dict(l.split(": ") for l in Path(f"/proc/{pid}/io").read_text().splitlines())
    return int(lines["write_bytes"])


def quiet(pids):
    """Waits until the processes use no CPU."""
    last = -1
    for _ in range(120):
        now = sum(cpu(p) for p in pids)
        if now - last < 0.011:
            return now
        last = now
        time.sleep(0.5)
    raise AssertionError("never quiet")


def send(t, o, proto, port):
    t.export(proto, f"udp:127.0.0.1:{port}", o.flows, rate=o.rate, begin=o.begin, start=o.start)


def of_nfcapd(t, o, proto):
    n = Nfcapd(t, "-y")
    send(t, o, proto, n.port)
    time.sleep(1)
    used = cpu(n.process.pid)
    n.stop()
    kept = n.totals()["flows"]
    return {"cpu": used, "kept": kept, "bytes": sum(f.stat().st_size for f in n.files())}


def of_nfacctd(t, o, proto):
    port, config = free_port(), t.path("nfacctd.conf")
    config.write_text(NFACCTD.format(port=port, dir=t.dir))
    p = t.start("nfacctd", [t.peer("nfacctd"), "-f", config])
    wait_for("nfacctd", lambda: f":{port:04X} " in Path("/proc/net/udp").read_text())
    send(t, o, proto, port)
    time.sleep(1)
    used = sum(cpu(pid) for pid in [p.pid, *children(p.pid)])
    out = t.run([t.peer("pmacct"), "-p", t.path("pipe"), "-s", "-O", "json"], check=False).stdout
    p.stop(signal.SIGINT)
    kept = sum(json.loads(l).get("flows", 0) for l in out.splitlines() if l.startswith("{"))
    return {"cpu": used, "kept": kept or None, "bytes": None}


def of_weir(t, o, proto):
    col = t.collector(listen=("udp",), args=("--seal-grace", "24h"))
    pid = col.process.pid
    before = cpu(pid)
    send(t, o, proto, col.port["udp"])
    used = quiet([pid]) - before
    kept = col.ledger()["stored"]
    journal = written(pid)
    col.seal()
    sealing = quiet([pid]) - before - used
    wrote = written(pid)
    col.stop()
    col.start()  # moves what is in memory and in the WAL to files
    quiet([col.process.pid])
    left = sum(f.stat().st_size for f in (col.store / "db").rglob("*.sst"))
    col.stop()
    return {"cpu": used, "kept": kept, "bytes": left, "sealing": sealing, "journal": journal, "wrote": wrote}


def median(rounds, key):
    values = [r[key] for r in rounds if r.get(key) is not None]
    return statistics.median(values) if values else None


def line(o, proto, name, rounds, peer):
    per_m = 1e6 / o.flows
    kept, used = median(rounds, "kept"), median(rounds, "cpu") * per_m
    r = {"bench": "ingest_rate", "what": name, "proto": proto, "flows": o.flows, "cpu_s_per_m": round(used, 3)}
    r["of_nfcapd"] = round(used / peer, 2) if peer else 1.0
    r["lost"] = None if kept is None else o.flows - int(kept)
    r["bytes_per_flow"] = None if median(rounds, "bytes") is None else round(median(rounds, "bytes") / o.flows, 2)
    for key in ("sealing", "wrote"):
        if median(rounds, key) is not None:
            r[key] = round(median(rounds, key) * (per_m if key == "sealing" else 1), 3)
    if "wrote" in r:
        r["write_amplification"] = round(r.pop("wrote") / median(rounds, "bytes"), 2)
    return r


def main():
    a = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    a.add_argument("--build", default="build", type=Path)
    a.add_argument("--flows", default=1_000_000, type=int)
    a.add_argument("--rate", default=300_000, type=int, help="flows sent in a second")
    a.add_argument("--begin", default=2000, type=int, help="flows that begin in a second of theirs")
    a.add_argument("--rounds", default=3, type=int)
    a.add_argument("--proto", action="append", choices=("v5", "v9", "ipfix"))
    o = a.parse_args()
    o.start = (int(time.time()) // 3600 - 6 - o.flows // o.begin // 3600) * 3600
    kinds = {"nfcapd -y": of_nfcapd, "weir-collector": of_weir, "nfacctd": of_nfacctd}
    print(f"{'':24}{'CPU s/M':>9}{'of nfcapd':>11}{'lost':>9}{'B/flow':>8}{'sealing':>9}{'write amp':>11}", file=sys.stderr)
    for proto in o.proto or ("v5", "v9", "ipfix"):
        rounds = {k: [] for k in kinds}
        for _ in range(o.rounds):
            for k, run in kinds.items():
                with tempfile.TemporaryDirectory() as d:
                    t = Bench(o.build.resolve(), d)
                    try:
                        rounds[k].append(run(t, o, proto))
                    except Skip as s:
                        print(s, file=sys.stderr)
                    finally:
                        t.end()
        peer = None
        for k in kinds:
            if not rounds[k]:
                continue
            r = line(o, proto, k, rounds[k], peer)
            peer = peer or r["cpu_s_per_m"]
            print(json.dumps(r), flush=True)
            cells = [r.get(c) for c in ("cpu_s_per_m", "of_nfcapd", "lost", "bytes_per_flow", "sealing", "write_amplification")]
            text = ["" if c is None else f"{c}" for c in cells]
            print(f"{proto + ' ' + k:24}{text[0]:>9}{text[1]:>11}{text[2]:>9}{text[3]:>8}{text[4]:>9}{text[5]:>11}", file=sys.stderr)


main()
