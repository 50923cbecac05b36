#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Packets per CPU-second of one sensor worker, beside dpdk-testpmd on the same virtual device.

64-byte packets of 20,000 flows come from net_pcap's infinite_rx as fast as they are taken. Worker
threads poll, so that a worker's CPU time is the time it was given: the figures do not depend on what
else the machine does, as far as caches allow. Rounds alternate; medians count.

    bench/sensor_rate.py [--build build] [--rounds 5] [--seconds 4] [--indicators 100000]
"""
import argparse
import json
import os
import random
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FLOWS = 20_000
PAYLOAD = b"x" * 18  # to 60 bytes, 64 with the FCS


def frame(i, v6=False):
    eth = b"\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\0"
    udp = struct.pack("!HHHH", 1024 + i % 60000, 5000, 8 + len(PAYLOAD), 0) + PAYLOAD
    src, dst = struct.pack("!I", 0x0A000000 + i), struct.pack("!I", 0xC0000200 + i * 7 % 65536 + (i % 13 << 24))
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), i & 0xFFFF, 0, 64, 17, 0) + src + dst
    return eth + ip + udp


def write_capture(path, flows=FLOWS):
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for i in range(flows):
            data = frame(i)
            f.write(struct.pack("<IIII", 1_700_000_000, i, len(data), len(data)) + data)


def write_indicators(path, n):
    """Addresses, networks of ten lengths and names; about one flow in a hundred is listed."""
    r = random.Random(1)
    with open(path, "w") as f:
        for i in range(FLOWS // 100):
            f.write(f"192.{i // 256 % 256}.{i % 256}.9\n")
        for i in range(n - FLOWS // 100):
            kind, a = r.random(), r.getrandbits(32)
            if kind < 0.6:
                f.write(".".join(str(b) for b in struct.pack("!I", 0x17000000 | a & 0xFFFFFF)) + "\n")
            elif kind < 0.8:
                length = r.choice((16, 18, 20, 22, 23, 24, 26, 28, 29))
                net = (0x2D000000 | a & 0xFFFFFF) >> (32 - length) << (32 - length)
                f.write(".".join(str(b) for b in struct.pack("!I", net)) + f"/{length}\n")
            elif kind < 0.9:
                f.write(f"2a00:{a >> 16:x}:{a & 0xFFFF:x}::/48\n")
            else:
                f.write(f"host{i}.bad{i % 977}.example\n")


def worker_cpu(pid):
    """CPU seconds of the process's busiest thread that is a DPDK worker."""
    best = 0.0
    for task in Path(f"/proc/{pid}/task").iterdir():
        name, rest = (task / "stat").read_text().split(") ", 1)
        fields = rest.split()
        if "worker" in name:
            best = max(best, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))
    return best


def measure(argv, seconds, end, count):
    """Packets per CPU-second of the worker from its first turn to its last."""
    log = tempfile.TemporaryFile("w+")
    p = subprocess.Popen([str(a) for a in argv], stdin=subprocess.PIPE, stdout=log, stderr=log, text=True)

    def text():
        log.seek(0)
        return log.read()

    deadline = time.monotonic() + 120
    while worker_cpu(p.pid) == 0:
        if p.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"{argv[0]} did not start:\n{text()[-2000:]}")
        time.sleep(0.05)
    time.sleep(seconds)
    cpu = worker_cpu(p.pid)
    end(p)
    p.wait(60)
    return count(text()) / cpu


def testpmd(capture, seconds):
    argv = ["dpdk-testpmd", "-l", "0,1", "--no-huge", "-m", "512", "--no-pci", "--file-prefix", f"rate{os.getpid()}"]
    argv += ["--no-telemetry", "--vdev", f"net_pcap0,rx_pcap={capture},infinite_rx=1"]
    argv += ["--", "--forward-mode=rxonly", "--total-num-mbufs=65536", "--no-mlockall"]
    return measure(
        argv,
        seconds,
        lambda p: p.communicate("\n"),
        lambda text: int(re.findall(r"RX-packets: (\d+)", text)[-1]),
    )


def sensor(build, capture, seconds, *args):
    argv = [build / "sensor/weir-sensor", "-c", capture.with_suffix(".yaml"), *args]
    return measure(
        argv,
        seconds,
        lambda p: p.terminate(),
        lambda text: json.loads(re.findall(r"(\{.*\})", text)[-1])["packets"],
    )


def main():
    a = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    a.add_argument("--build", default="build", type=Path)
    a.add_argument("--rounds", default=5, type=int)
    a.add_argument("--seconds", default=4, type=float)
    a.add_argument("--indicators", default=100_000, type=int)
    o = a.parse_args()
    with tempfile.TemporaryDirectory() as d:
        capture, feed = Path(d) / "flows.pcap", Path(d) / "feed.txt"
        write_capture(capture)
        write_indicators(feed, o.indicators)
        capture.with_suffix(".yaml").write_text(
            f"sensor:\n  vdevs: ['net_pcap0,rx_pcap={capture},infinite_rx=1']\n  mbufs: 65535\n"
            f"  intel_cache: {d}\n"
        )
        kinds = {
            "dpdk-testpmd rxonly": lambda: testpmd(capture, o.seconds),
            "sensor, no names": lambda: sensor(o.build, capture, o.seconds, "--names", "no"),
            "sensor": lambda: sensor(o.build, capture, o.seconds),
            f"sensor, {o.indicators} indicators": lambda: sensor(o.build, capture, o.seconds, "--intel", feed),
        }
        rates = {k: [] for k in kinds}
        for _ in range(o.rounds):
            for k, run in kinds.items():
                rates[k].append(run())
    medians = {k: statistics.median(v) for k, v in rates.items()}
    peer = medians["dpdk-testpmd rxonly"]
    for k, m in medians.items():
        print(json.dumps({"bench": "sensor_rate", "what": k, "mpps": round(m / 1e6, 2), "of_testpmd": round(m / peer, 3)}))
    print(f"\n{'':32}{'Mpps':>8}{'of testpmd':>12}")
    for k, m in medians.items():
        print(f"{k:32}{m / 1e6:8.2f}{m / peer:12.2f}")


if __name__ == "__main__":
    main()
