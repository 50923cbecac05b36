#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Packets per CPU-second of a sensor worker under other loads than steady flows.

Two workers on two devices beside one, and a flood: every packet begins a flow, and there are five
times as many as the table has room for. As in sensor_rate.py, which has the method.

    bench/sensor_loads.py [--build build] [--rounds 5] [--seconds 4]
"""
import argparse
import json
import re
import statistics
import tempfile
from pathlib import Path

from sensor_rate import FLOWS, measure, write_capture

FLOOD = 50_000


def run(o, d, pcap, n_workers, table):
    config = Path(d) / "loads.yaml"
    vdevs = ", ".join(f"'net_pcap{i},rx_pcap={pcap},infinite_rx=1'" for i in range(n_workers))
    config.write_text(f"sensor:\n  vdevs: [{vdevs}]\n  mbufs: 65535\n  memory: 1024\n  flows: {table}\n")
    sums = {}

    def count(text):
        sums.update(json.loads(re.findall(r"(\{.*\})", text)[-1]))
        return sums["packets"]

    rate = measure([o.build / "sensor/weir-sensor", "-c", config, "--names", "no"], o.seconds, lambda p: p.terminate(), count)
    lost = sums["packets"] - sum(n for name, n in sums["dropped"].items() if not name.startswith("flow_"))
    return rate, sums["flows"] / max(lost, 1)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--build", default="build", type=Path)
    a.add_argument("--rounds", default=5, type=int)
    a.add_argument("--seconds", default=4, type=float)
    o = a.parse_args()
    with tempfile.TemporaryDirectory() as d:
        steady, flood = Path(d) / "steady.pcap", Path(d) / "flood.pcap"
        write_capture(steady)
        write_capture(flood, FLOOD)
        kinds = {
            "one worker": (steady, 1, 2 * FLOWS),
            "two workers, together": (steady, 2, 2 * FLOWS),
            "one worker, flood of new flows": (flood, 1, FLOOD // 5),
        }
        results = {k: [] for k in kinds}
        for _ in range(o.rounds):
            for k, load in kinds.items():
                results[k].append(run(o, d, *load))
    one = statistics.median(rate for rate, _ in results["one worker"])
    print(f"{'':32}{'Mpps':>8}{'of one':>8}{'flows/packet':>14}")
    for k, values in results.items():
        rate, flows = (statistics.median(v[i] for v in values) for i in (0, 1))
        print(f"{k:32}{rate / 1e6:8.2f}{rate / one:8.2f}{flows:14.3f}")
        print(json.dumps({"bench": "sensor_loads", "what": k, "mpps": round(rate / 1e6, 2), "of_one": round(rate / one, 3),
                          "flows_per_packet": round(flows, 3)}))


if __name__ == "__main__":
    main()
