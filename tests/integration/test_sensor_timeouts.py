# SPDX-License-Identifier: Apache-2.0
"""A flow without packets for the idle timeout is told within a second of it, whatever the load."""
import struct
import time

from test_sensor_intel import live_sensor, rows
from weir import equal, wait_for

IDLE = 2


def frame(i):
    udp = struct.pack("!HHHH", 1024 + i % 60000, 53, 26, 0) + b"x" * 18
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 46, 0, 0, 64, 17, 0) + struct.pack("!II", 0x0A000000 + i, 0xC0000201)
    return b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0" + ip + udp


def write_capture(path, n, every):
    """n packets: each `every`-th is alone in its flow, the others are one flow that never ends."""
    filler = frame(0)
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for i in range(n):
            data = frame(1 + i // every) if i % every == 0 else filler
            f.write(struct.pack("<IIII", 1_700_000_000, 0, len(data), len(data)) + data)


def seconds(stamp):
    return time.mktime(time.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S")) + float("0" + stamp[19:].rstrip("Z") or 0)


def check(t, rate, n, every):
    """A round of the capture takes four seconds or more, so that a flow is idle until the next."""
    pcap, col = t.path("idle.pcap"), t.collector()
    write_capture(pcap, n, every)
    config = t.path("idle.yaml")
    config.write_text(f"sensor: {{idle_timeout: {IDLE}s, active_timeout: 1h}}\n")
    sensor = live_sensor(t, pcap, col.udp(), "-c", config, rate=rate)
    wait_for("flows are told", lambda: col.ledger()["stored"] >= n // every // 2, 20)
    got = [r for r in rows(t, col) if r["end_reason"] == 1]
    equal("exit status", sensor.stop(), 0)
    assert got, "no flow ended by its idle timeout"
    late = [seconds(r["received"]) - seconds(r["end"]) for r in got]
    print(f"      {len(late)} flows at {rate:,} packets/s: told {min(late):.2f} to {max(late):.2f} s after their last packet")
    assert IDLE <= min(late) and max(late) <= IDLE + 1, (min(late), max(late))


def idle_flows_are_told_in_time_at_rest(t):
    check(t, 1, 4, 1)


def idle_flows_are_told_in_time_at_a_thousand_packets(t):
    check(t, 1_000, 4_000, 1)


def idle_flows_are_told_in_time_at_a_million_packets(t):
    check(t, 1_000_000, 4_000_000, 1_000)
