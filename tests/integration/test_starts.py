# SPDX-License-Identifier: Apache-2.0
"""What a sensor says, and with which status it ends, when its input is not what was meant."""
import json
import struct

from test_tunnels import START, frames, write
from weir import equal


def ends(t, *args):
    r = t.run([t.program("sensor/weir-sensor"), *args], check=False)
    return r.returncode, r.stderr


def inputs_that_are_not_there_are_told_in_a_sentence(t):
    empty, text = t.path("empty.pcap"), t.path("text.pcap")
    empty.write_bytes(b"")
    text.write_text("no capture at all, but long enough to be one\n")
    for args, status, sentence in (
        (("--pcap", t.path("none.pcap"), "--once"), 69, "No such file or directory"),
        (("--pcap", empty, "--once"), 1, "the file is empty"),
        (("--pcap", text, "--once"), 1, "neither a pcap nor a pcapng file"),
        (("--pcap", t.dir, "--once"), 1, "not a regular file"),
        (("--vdev", "net_nosuch0"), 78, "driver not known or not installed"),
        (("--vdev", "net_af_packet0,iface=nosuch0"), 78, "cannot be made"),
        (("--port", "0000:ff:1f.0"), 69, "no DPDK port at 0000:ff:1f.0"),
    ):
        got, said = ends(t, *args)
        equal(args, got, status)
        assert sentence in said, f"{args}: {said}"


def a_capture_cut_anywhere_gives_its_whole_packets(t):
    """The walk that finds the end has a unit test for every length; here some, in tunnels, for the whole program."""
    whole, cut, data = t.path("whole.pcap"), t.path("cut.pcap"), [f for *_, f in frames()][:6]
    write(whole, enumerate(data))
    raw, ends_at = whole.read_bytes(), [24]
    for f in data:
        ends_at.append(ends_at[-1] + 16 + len(f))
    for length in (23, 24, 25, ends_at[1] - 1, ends_at[1], ends_at[2] + 15, ends_at[3] + 17, ends_at[6] - 1):
        cut.write_bytes(raw[:length])
        n = sum(at <= length for at in ends_at[1:])
        r = t.run([t.program("sensor/weir-sensor"), "--pcap", cut, "--once"], check=False)
        equal(f"status of {length} bytes", r.returncode, 0 if n else 1)
        if n:  # libpcap may tell of the cut one as an error, which is counted
            got = json.loads(r.stdout)
            equal(f"whole packets in {length} bytes", got["packets"] - got["dropped"].get("port_errors", 0), n)
        at_end = length in ends_at
        assert n == 0 or at_end == ("ends within a packet" not in r.stderr), (length, r.stderr)


def frames_cut_by_the_capture_count_their_whole_length(t):
    """A snapshot length that holds the headers changes nothing; one that does not drops by name."""
    data = [f for name, _, _, f in frames() if name == "plain"]
    sums = {}
    for snap in (0xFFFF, 78, 30):
        pcap = t.path(f"{snap}.pcap")
        with open(pcap, "wb") as f:
            f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, snap, 1))
            for i, whole in enumerate(data):
                f.write(struct.pack("<IIII", START, i, len(whole[:snap]), len(whole)) + whole[:snap])
        got = json.loads(t.run([t.program("sensor/weir-sensor"), "--pcap", pcap, "--once"]).stdout)
        got["dropped"].pop("flow_no_target", None)
        sums[snap] = (got["packets"], got["bytes"], got["flows"], got["dropped"])
    equal("with the headers", sums[78], sums[0xFFFF])
    equal("without them", sums[30], (len(data), 0, 0, {"truncated": len(data)}))
