#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU seconds to turn a capture into flow records, beside softflowd and nfpcapd.

Whole processes, from their start to their end, user and system time, on the same capture; sensor and
softflowd send what they make over UDP to a socket that is not read, nfpcapd writes files. Rounds
alternate; medians count. A peer that is not installed is left out.

    bench/sensor_peers.py [--build build] [--packets 2000000] [--flows 100000] [--rounds 3]

The sensor is told twice: as it comes, with names, and as the peers are, without.
"""
import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def cpu_seconds(argv):
    before = time.monotonic()
    p = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    if p.returncode:
        sys.exit(f"{argv[0]} ended with {p.returncode}")
    return used.ru_utime + used.ru_stime, time.monotonic() - before, used.ru_maxrss


def sink():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))
    return s, s.getsockname()[1]


def programs(o, pcap, port, work):
    sensor = [o.build / "sensor/weir-sensor", "--pcap", pcap, "--once", "--export", f"udp:127.0.0.1:{port}", "--flows", o.flows * 2]
    peers = {
        "weir-sensor": sensor,
        "weir-sensor, without names": sensor + ["--names", "no"],
        "softflowd": ["softflowd", "-r", pcap, "-n", f"127.0.0.1:{port}", "-v", "10", "-m", o.flows * 4, "-d"],
        "nfpcapd": ["nfpcapd", "-r", pcap, "-w", work / "nf", "-B", max(o.flows * 4, 512000)],
    }
    find = lambda argv: shutil.which(str(argv[0]), path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    return {name: [find(argv)] + argv[1:] for name, argv in peers.items() if find(argv)}


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--build", type=Path, default=Path("build"))
    a.add_argument("--packets", type=int, default=2_000_000)
    a.add_argument("--flows", type=int, default=100_000)
    a.add_argument("--rounds", type=int, default=3)
    o = a.parse_args()
    o.build = o.build.resolve()
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as work:
        work = Path(work)
        pcap = work / "capture.pcap"
        (work / "nf").mkdir()
        subprocess.run([o.build / "bench/weir-gen", "capture", "--out", pcap, "--packets", str(o.packets), "--flows", str(o.flows)],
                       check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["cat", pcap], check=True, stdout=subprocess.DEVNULL)  # into the page cache
        drain, port = sink()
        runs = {}
        argvs = programs(o, pcap, port, work)
        for _ in range(o.rounds):
            for name, argv in argvs.items():
                runs.setdefault(name, []).append(cpu_seconds(argv))
        drain.close()
    ours = statistics.median(cpu for cpu, _, _ in runs["weir-sensor"])
    print(f"{'program':30} {'CPU s':>8} {'Mpps/CPU':>9} {'wall s':>8} {'MiB':>6} {'of weir-sensor':>15}")
    for name, results in runs.items():
        cpu, wall = (statistics.median(r[i] for r in results) for i in (0, 1))
        rss = max(r[2] for r in results) / 1024
        print(f"{name:30} {cpu:8.2f} {o.packets / cpu / 1e6:9.2f} {wall:8.2f} {rss:6.0f} {cpu / ours:15.2f}")
        print(json.dumps({"bench": "sensor_peers", "program": name, "packets": o.packets, "flows": o.flows, "cpu_s": round(cpu, 3),
                          "wall_s": round(wall, 3), "rss_mib": round(rss), "ratio": round(cpu / ours, 3)}), file=sys.stderr)


if __name__ == "__main__":
    main()
