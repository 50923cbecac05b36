#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Packets per second that dpdk-testpmd gets rid of over net_memif: to the sensor, and to another testpmd.

One testpmd makes 64-byte packets of 256 flows (txonly, --txonly-multi-flow) on one core. At the other
end, on another core, is the sensor, or a testpmd that only receives (rxonly), or one that sends each
packet back (macswap). The sensor must have seen exactly what was sent: else the run fails. Each end
wants a core of its own. Rounds alternate; medians count.

    bench/sensor_memif.py [--build build] [--rounds 5] [--seconds 4]
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MEMIF = "net_memif0,role={role},socket={socket},socket-abstract=no"


def testpmd(core, role, path, mode, *args):
    argv = ["dpdk-testpmd", "--lcores", f"0@{core},1@{core}", "--no-huge", "-m", "512", "--no-pci", "--no-telemetry"]
    argv += ["--file-prefix", f"memif{role}{os.getpid()}", "--vdev", MEMIF.format(role=role, socket=path), "--"]
    argv += [f"--forward-mode={mode}", "--total-num-mbufs=65536", "--no-mlockall", "-i", *args]
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def tell(p, *lines):
    p.stdin.write("".join(line + "\n" for line in lines))
    p.stdin.flush()


def wait_for(path, what):
    deadline = time.monotonic() + 60
    while not Path(path).exists():
        if time.monotonic() > deadline:
            sys.exit(f"{what} does not listen")
        time.sleep(0.05)
    time.sleep(0.5)


def send(path, seconds):
    """Packets sent, and how many a second."""
    p = testpmd(0, "client", path, "txonly", "--txonly-multi-flow")
    time.sleep(3)  # its start, and the handshake of memif
    tell(p, "start")
    begin = time.monotonic()
    time.sleep(seconds)
    tell(p, "stop")
    took = time.monotonic() - begin
    out, _ = p.communicate("show port stats all\nquit\n", timeout=60)
    sent = [int(n) for n in re.findall(r"TX-packets: (\d+) +TX-errors", out)]
    if not sent or sent[-1] == 0:
        sys.exit(f"testpmd sent nothing:\n{out[-1500:]}")
    return sent[-1], sent[-1] / took


def to_testpmd(mode, path, seconds):
    p = testpmd(1, "server", path, mode)
    wait_for(path, "testpmd")
    tell(p, "start")
    _, rate = send(path, seconds)
    p.communicate("stop\nquit\n", timeout=60)
    return rate


def to_sensor(build, path, seconds):
    argv = ["taskset", "-c", "1", build / "sensor/weir-sensor", "--vdev", MEMIF.format(role="server", socket=path)]
    p = subprocess.Popen([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wait_for(path, "the sensor")
    sent, rate = send(path, seconds)
    p.terminate()
    out, _ = p.communicate(timeout=60)
    seen = json.loads(re.findall(r"(\{.*\})", out)[-1])["packets"]
    if seen != sent:
        sys.exit(f"{sent} packets were sent, the sensor saw {seen}")
    return rate


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--build", default="build", type=Path)
    a.add_argument("--rounds", default=5, type=int)
    a.add_argument("--seconds", default=4, type=float)
    o = a.parse_args()
    kinds = {
        "testpmd macswap": lambda path: to_testpmd("macswap", path, o.seconds),
        "testpmd rxonly": lambda path: to_testpmd("rxonly", path, o.seconds),
        "weir-sensor": lambda path: to_sensor(o.build, path, o.seconds),
    }
    rates = {k: [] for k in kinds}
    for _ in range(o.rounds):
        for k, run in kinds.items():
            with tempfile.TemporaryDirectory() as d:
                rates[k].append(run(Path(d) / "memif.sock"))
    peer = statistics.median(rates["testpmd macswap"])
    print(f"{'at the other end':20}{'Mpps':>8}{'of macswap':>12}")
    for k, values in rates.items():
        m = statistics.median(values)
        print(f"{k:20}{m / 1e6:8.2f}{m / peer:12.2f}")
        print(json.dumps({"bench": "sensor_memif", "what": k, "mpps": round(m / 1e6, 2), "of_macswap": round(m / peer, 3)}))


if __name__ == "__main__":
    main()
