# SPDX-License-Identifier: Apache-2.0
"""A capture through sensor, collector and API gives the sums it was made with."""
import os
import struct

from weir import equal

PACKETS = int(os.environ.get("WEIR_TEST_PACKETS", 4_000_000))
ETHER_VLANS = (0x8100, 0x88A8)


def ip_sums(path):
    """IP packets and bytes of a capture, counted by nothing but this function."""
    packets = length = 0
    with open(path, "rb") as f:
        f.read(24)
        while header := f.read(16):
            frame = f.read(struct.unpack_from("<I", header, 8)[0])
            at = 12
            while (kind := struct.unpack_from("!H", frame, at)[0]) in ETHER_VLANS:
                at += 4
            if kind == 0x0800:
                length += struct.unpack_from("!H", frame, at + 4)[0]
            elif kind == 0x86DD:
                length += 40 + struct.unpack_from("!H", frame, at + 6)[0]
            packets += kind in (0x0800, 0x86DD)
    return packets, length


def compare_summary(got, truth):
    equal("sensor: flows", got["flows"], truth["conversations"])
    equal("sensor: exported", got["exported"], truth["conversations"])
    equal("sensor: bytes", got["bytes"], truth["ip_bytes"])
    dropped = sum(got["dropped"].values())
    equal("sensor: packets and drops", (got["packets"], dropped), (truth["packets"] + truth["non_ip"], truth["non_ip"]))


def compare_kpi(kpi, truth):
    k = kpi["kpi"]
    equal("flows", k["active_flows"], truth["conversations"])
    equal("bytes", k["total_bytes"], truth["ip_bytes"])
    equal("denied", k["denied_flows"], truth["denied"])
    equal("top sources", [(s["ip"], s["bytes"], s["packets"]) for s in kpi["top_src"]],
          [(s["ip"], s["bytes"], s["packets"]) for s in truth["top_senders"]])
    equal("top destinations", [(s["ip"], s["bytes"], s["packets"]) for s in kpi["top_dst_ip"]],
          [(s["ip"], s["bytes"], s["packets"]) for s in truth["top_receivers"]])
    equal("protocols", {str(p["proto_num"]): (p["flows"], p["bytes"]) for p in kpi["protocols"]},
          {n: (p["flows"], p["bytes"]) for n, p in truth["protocols"].items()})
    equal("hours", [(h["flows"], h["bytes"]) for h in kpi["timeseries"]],
          [(h["flows"], h["bytes"]) for h in truth["hours"]])


def without_source(kpi):
    return {k: v for k, v in kpi.items() if k != "meta"}


def capture_exact(t):
    pcap, truth = t.capture(packets=60_000, flows=2_000)
    equal("the capture itself", ip_sums(pcap), (truth["packets"], truth["ip_bytes"]))
    col = t.collector()
    compare_summary(t.sensor(pcap, col.tcp()), truth)
    col.wait_stored(truth["conversations"])
    compare_kpi(t.api(col).kpi(truth), truth)


def capture_of_millions_exact(t):
    pcap, truth = t.capture(packets=PACKETS, flows=PACKETS // 40)
    col = t.collector()
    compare_summary(t.sensor(pcap, col.tcp()), truth)
    pcap.unlink()
    col.wait_stored(truth["conversations"])
    api = t.api(col)
    live = api.kpi(truth)
    equal("source before sealing", live["meta"]["source"], "fallback")
    compare_kpi(live, truth)
    equal("rows sealed", col.seal()["sealed"], truth["conversations"])
    sealed = api.kpi(truth)
    equal("answer after sealing", without_source(sealed), without_source(live))


def whole_hours_come_from_the_cache(t):
    start = 1774429200  # an hour's begin
    pcap, truth = t.capture(packets=60_000, flows=2_000, start=start + 3300, duration=900)
    col = t.collector()
    t.sensor(pcap, col.tcp())
    col.wait_stored(truth["conversations"])
    api = t.api(col)
    hours = {"start": "2026/03/25 09:00", "end": "2026/03/25 10:59"}
    live = api.get("kpi", **hours)
    equal("source before sealing", live["meta"]["source"], "fallback")
    col.seal()
    sealed = api.get("kpi", **hours)
    equal("source after sealing", sealed["meta"]["source"], "hourly_cache")
    equal("answer after sealing", without_source(sealed), without_source(live))
    equal("hours", [(h["flows"], h["bytes"]) for h in sealed["timeseries"]],
          [(h["flows"], h["bytes"]) for h in truth["hours"]])
