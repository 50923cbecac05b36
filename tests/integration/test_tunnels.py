# SPDX-License-Identifier: Apache-2.0
"""Packets in tunnels, below labels and in sessions, and what TCP tells of itself: as tshark has it."""
import struct
from collections import Counter
from ipaddress import ip_address

from test_sensor_intel import rows
from weir import equal

START = 1774429200
MACS = bytes.fromhex("020000000001020000000002")
INNER_MACS = bytes.fromhex("060000000001060000000002")


def be(form, *values):
    return struct.pack("!" + form, *values)


def frame(kind, payload, *tags, macs=MACS):
    return macs + b"".join(be("HH", t, n) for t, n in tags) + be("H", kind) + payload


def ip(v6, proto, payload, src, dst):
    """An IPv4 packet, or an IPv6 one with a destination options header."""
    if v6:
        data = bytes([proto, 0, 1, 4, 0, 0, 0, 0]) + payload
        return be("IHBB", 6 << 28, len(data), 60, 61) + addr(True, src) + addr(True, dst) + data
    return be("BBHHHBBH", 0x46, 0, 24 + len(payload), 1, 0, 61, proto, 0) + addr(False, src) + addr(False, dst) + be("I", 0x94040000) + payload


def addr(v6, n):
    return be("QQ", 0x20010DB8 << 32, n) if v6 else be("I", 0x0A000000 + n)


def udp(sport, dport, payload):
    return be("HHHH", sport, dport, 8 + len(payload), 0) + payload


def tcp(sport, dport, flags=0x18, seq=1, ack=1, window=1000, payload=b""):
    return be("HHIIHHHH", sport, dport, seq, ack, 0x5000 | flags, window, 0, 0) + payload


# What is put around a packet: number of the tunnel's kind, id, and a function of (inner IP, is it IPv6).
def over_udp(port, head):
    return lambda v6, out, data: (out, ip(out, 17, udp(50000, port, head(v6, data)), 1, 2))


def over_ip(proto, head):
    return lambda v6, out, data: (out, ip(out, proto, head(v6, data), 1, 2))


def ether(v6, data):
    return frame(0x86DD if v6 else 0x0800, data, (0x8100, 33), macs=INNER_MACS)


def kind_of(v6):
    return 0x86DD if v6 else 0x0800


TUNNELS = {
    "gre": (5, 0, over_ip(47, lambda v6, d: be("HH", 0, kind_of(v6)) + d)),
    "gre key": (5, 7, over_ip(47, lambda v6, d: be("HHIII", 0xB000, kind_of(v6), 0, 7, 1) + d)),
    "nvgre": (6, 0x123456, over_ip(47, lambda v6, d: be("HHI", 0x2000, 0x6558, 0x12345678) + ether(v6, d))),
    "erspan2": (9, 77, over_ip(47, lambda v6, d: be("HHIII", 0x1000, 0x88BE, 1, 0x10050000 + 77, 0) + ether(v6, d))),
    "erspan3": (10, 78, over_ip(47, lambda v6, d: be("HHIIII", 0x1000, 0x22EB, 1, 0x20050000 + 78, 0, 0) + ether(v6, d))),
    "vxlan": (11, 0xABCD, over_udp(4789, lambda v6, d: be("II", 8 << 24, 0xABCD00) + ether(v6, d))),
    "vxlan 8472": (11, 5, over_udp(8472, lambda v6, d: be("II", 8 << 24, 0x500) + ether(v6, d))),
    "geneve": (13, 9, over_udp(6081, lambda v6, d: be("HHIII", 0x0200, 0x6558, 0x900, 0x01020001, 0) + ether(v6, d))),
    "gtp": (14, 0x1234, over_udp(2152, lambda v6, d: be("BBHI", 0x30, 255, len(d), 0x1234) + d)),
    "gtp extended": (14, 8, over_udp(2152, lambda v6, d: be("BBHIII", 0x36, 255, len(d) + 8, 8, 0x10085, 0x01000900) + d)),
}


def frames():
    """(name, tunnel, id, frame) of two conversations each: of IPv4 and of IPv6, three packets there, two back."""
    n = 100
    for name, (kind, number, wrap) in TUNNELS.items():
        for out in (False, True):
            for v6 in (False, True):
                n += 2
                for data in conversation(v6, n):
                    out6, packet = wrap(v6, out, data)
                    yield name, kind, number, frame(kind_of(out6), packet, (0x88A8, 5), (0x8100, 6))
    for out in (False, True):
        for v6 in (False, True):
            n += 2
            for data in conversation(v6, n):
                yield "ip in ip", 1 + v6 + 2 * out, 0, frame(kind_of(out), ip(out, 41 if v6 else 4, data, 1, 2))
    for v6 in (False, True):
        n += 8
        for data in conversation(v6, n):
            yield "mpls", 0, 0, frame(0x8847, be("II", 100 << 12 | 0xFF, 200 << 12 | 0x1FF) + data)
        for data in conversation(v6, n + 2):
            yield "pppoe", 16, 99, frame(0x8864, be("BBHHH", 0x11, 0, 99, len(data) + 2, 0x57 if v6 else 0x21) + data)
        for data in conversation(v6, n + 4):
            yield "plain", 0, 0, frame(kind_of(v6), data, (0x88A8, 5), (0x8100, 6))


def conversation(v6, n):
    for i in range(5):
        back = i in (1, 4)
        ports = (443, 40000 + n) if back else (40000 + n, 443)
        payload = udp(*ports, bytes(10 + i)) if n % 4 else tcp(*ports, payload=bytes(i))
        yield ip(v6, 17 if n % 4 else 6, payload, *((n + 1, n) if back else (n, n + 1)))


def write(path, data):
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for at_us, frame_ in data:
            at = START * 10**6 + at_us
            f.write(struct.pack("<IIII", at // 10**6, at % 10**6, len(frame_), len(frame_)) + frame_)


def innermost(t, pcap, *args):
    """Packets and bytes of each (source, destination, ports, protocol) that tshark finds furthest in."""
    fields = "frame.protocols ip.src ip.dst ip.len ip.proto ipv6.src ipv6.dst ipv6.plen udp.srcport udp.dstport tcp.srcport tcp.dstport"
    argv = [t.peer("tshark"), "-r", pcap, "-T", "fields", "-E", "occurrence=l", "-E", "separator=;", *args]
    lines = t.run(argv + [a for f in fields.split() for a in ("-e", f)]).stdout.splitlines()
    packets, length = Counter(), Counter()
    for line in lines:
        names, src4, dst4, len4, proto, src6, dst6, len6, us, ud, ts, td = line.split(";")
        names = names.split(":")
        v6 = [p for p in names if p in ("ip", "ipv6")][-1] == "ipv6"
        is_tcp = [p for p in names if p in ("tcp", "udp")][-1] == "tcp"
        ports = (ts, td) if is_tcp else (us, ud)
        key = (*((src6, dst6) if v6 else (src4, dst4)), int(ports[0]), int(ports[1]), 6 if is_tcp else 17)
        packets[key] += 1
        length[key] += int(len6) + 40 if v6 else int(len4)
    return {k: (n, length[k]) for k, n in packets.items()}


def both_ways(records):
    got = {}
    for r in records:
        there = (str(ip_address(r["src_ip"])), str(ip_address(r["dst_ip"])), r["src_port"], r["dst_port"], r["proto"])
        got[there] = (r["packets"], r["bytes"])
        if r.get("rev_packets"):
            got[there[1], there[0], there[3], there[2], there[4]] = (r["rev_packets"], r["rev_bytes"])
    return got


def packets_in_every_tunnel_are_as_tshark_has_them(t):
    pcap, conf, data = t.path("t.pcap"), t.path("weir.yaml"), list(frames())
    write(pcap, ((i, f) for i, (_, _, _, f) in enumerate(data)))
    conf.write_text("sensor: {vxlan_ports: [4789, 8472]}\n")
    col = t.collector()
    got = t.sensor(pcap, col.tcp(), "-c", conf)
    equal("packets, flows, drops", (got["packets"], got["flows"], got["dropped"]), (len(data), len(data) // 5, {}))
    col.wait_stored(got["exported"])
    records = rows(t, col)
    want = innermost(t, pcap, "-d", "udp.port==8472,vxlan")
    equal("conversations", both_ways(records), want)
    equal("bytes", got["bytes"], sum(b for _, b in want.values()))
    kinds = Counter((r.get("tunnel", 0), r.get("tunnel_id", 0)) for r in records)
    equal("tunnels", kinds, Counter({k: n // 5 for k, n in Counter((kind, number) for _, kind, number, _ in data).items()}))
    equal("labels", Counter(r.get("mpls_label", 0) for r in records)[100], 2)
    vlans = Counter((r.get("vlan", 0), r.get("customer_vlan", 0)) for r in records)
    equal("VLANs of the outer frame", vlans[5, 6], 2 + 4 * 4)
    equal("VLANs of the inner frame", vlans[33, 0], 6 * 4)


def tunnels_themselves_are_as_tshark_has_them(t):
    """Without a look inside there is one flow for each pair of ends, protocol and ports."""
    pcap, data = t.path("t.pcap"), [d for d in frames() if d[0] in TUNNELS or d[0] == "ip in ip"]
    write(pcap, ((i, f) for i, (_, _, _, f) in enumerate(data)))
    col = t.collector()
    got = t.sensor(pcap, col.tcp(), "--flow-of", "outer")
    equal("packets and drops", (got["packets"], got["dropped"]), (len(data), {}))
    # IPv4 and IPv6 by GRE, four UDP ports, IP in IP of two kinds; tags apart
    equal("flows", got["flows"], 2 * (1 + 4 + 2))


def refusals_have_their_names(t):
    pcap, inner = t.path("t.pcap"), ip(False, 17, udp(1, 2, b""), 3, 4)
    deep = inner
    for _ in range(5):
        deep = ip(False, 4, deep, 5, 6)
    write(pcap, ((i, f) for i, f in enumerate([
        frame(0x8863, be("BBHH", 0x11, 9, 0, 0) + bytes(40)), frame(0x8864, be("BBHHH", 0x11, 0, 9, 10, 0xC021) + bytes(40)),
        frame(0x8847, be("I", 0xFF) * 9 + inner), frame(0x8847, be("II", 0x1FF, 1 << 28) + bytes(40)),
        frame(0x0800, deep), frame(0x0800, ip(False, 47, b"\0\0", 5, 6)), frame(0x0800, inner), frame(0x0806, bytes(46)),
    ])))
    got = t.sensor(pcap, t.collector().tcp())
    names = ("pppoe_discovery", "ppp_control", "mpls_depth", "mpls_payload", "tunnel_depth", "tunnel_header", "not_ip")
    equal("drops", got["dropped"], dict.fromkeys(names, 1))


def tcp_tells_what_tshark_reads(t):
    """Retransmissions, shut windows and the round trips of the handshake, by direction."""
    def segment(at, back, *args, **kwargs):
        ports = (80, 4000) if back else (4000, 80)
        return at, frame(0x0800, ip(False, 6, tcp(*ports, *args, **kwargs), *((8, 7) if back else (7, 8))))

    data = [
        segment(0, False, 0x02, 100, 0), segment(21_000, True, 0x12, 900, 101), segment(26_000, False, 0x10, 101, 901),
        *(segment(30_000 + i * 10, False, 0x18, 101 + 50 * i, 901, payload=bytes(50)) for i in range(4)),
        segment(300_000, False, 0x18, 101, 901, payload=bytes(50)), segment(600_000, False, 0x18, 151, 901, payload=bytes(50)),
        segment(700_000, True, 0x10, 901, 301, window=0), segment(710_000, True, 0x10, 901, 301, window=0),
        segment(800_000, True, 0x18, 901, 301, payload=bytes(700)), segment(1_100_000, True, 0x18, 901, 301, payload=bytes(700)),
        segment(1_200_000, False, 0x10, 301, 1601),
    ]
    pcap = t.path("t.pcap")
    write(pcap, data)
    col = t.collector()
    t.sensor(pcap, col.tcp(), "--tcp-metrics", "yes")
    col.wait_stored(1)
    record, = rows(t, col)

    argv = [t.peer("tshark"), "-r", pcap, "-T", "fields", "-E", "separator=;"]
    argv += [a for f in ("ip.src", "tcp.analysis.retransmission", "tcp.analysis.zero_window") for a in ("-e", f)]
    lines = [line.split(";") for line in t.run(argv).stdout.splitlines()]

    def seen(what, source):
        return sum(line[0] == source and line[("", "retransmission", "zero_window").index(what)] != "" for line in lines)

    want = {"retransmitted": seen("retransmission", "10.0.0.7"), "rev_retransmitted": seen("retransmission", "10.0.0.8"),
            "zero_window": seen("zero_window", "10.0.0.7"), "rev_zero_window": seen("zero_window", "10.0.0.8"),
            "rtt_server": 21_000, "rtt_client": 5_000, "min_len": 44, "max_len": 94, "min_ttl": 61, "max_ttl": 61}
    equal("retransmissions", (want["retransmitted"], want["rev_retransmitted"], want["rev_zero_window"]), (2, 1, 2))
    equal("what TCP tells", {k: record.get(k, 0) for k in want}, want)


def fragments_have_the_ports_of_their_first_one(t):
    def parts(v6, src, sport, size=2000):
        data = udp(sport, 53, bytes(size))
        for at in range(0, len(data), 800):
            part, more = data[at:at + 800], at + 800 < len(data)
            if v6:
                part = bytes([17, 0]) + be("HI", at | more, sport) + part
                yield frame(0x86DD, be("IHBB", 6 << 28, len(part), 44, 61) + addr(True, src) + addr(True, 9) + part)
            else:
                head = be("BBHHHBBH", 0x45, 0, 20 + len(part), sport, more << 13 | at // 8, 61, 17, 0)
                yield frame(0x0800, head + addr(False, src) + addr(False, 9) + part)

    pcap, data = t.path("t.pcap"), []
    for v6 in (False, True):
        for i in range(50):
            data += parts(v6, 100 + i, 5000 + i)
        late = list(parts(v6, 300, 6000))
        data += [late[1], late[0], late[2], late[2]]
    write(pcap, enumerate(data))
    col = t.collector()
    got = t.sensor(pcap, col.tcp())
    equal("packets and drops", (got["packets"], got["dropped"]), (len(data), {}))
    want = {"seen": len(data), "resolved": 2 * (50 * 2 + 2), "without_ports": 2, "overlapping": 2, "datagrams_evicted": 0}
    equal("fragments", got["fragments"], want)
    col.wait_stored(got["exported"])
    flows = Counter((r["src_port"], r["dst_port"], r["packets"]) for r in rows(t, col))
    equal("flows", flows, Counter({**{(5000 + i, 53, 3): 2 for i in range(50)}, (6000, 53, 3): 2, (0, 0, 1): 2}))


def a_flood_of_syns_leaves_other_flows_exact(t):
    """Twice as many spoofed SYNs as the table is for, at 100,000 a second, among flows that go on."""
    flows, talkers, data = 8_000, 40, []
    for n in range(2 * flows):
        syn = be("BBHHHBBH", 0x45, 0, 40, 1, 0, 64, 6, 0) + be("II", 0x2D000000 + n, 0x0A0000FE) + tcp(1024 + n % 60000, 80, 2)
        data.append((n * 10, frame(0x0800, syn)))
        if n % 4 == 0:
            i, back = n // 4 % talkers, n // 4 // talkers % 2
            ports = (443, 40000 + i) if back else (40000 + i, 443)
            data.append((n * 10 + 1, frame(0x0800, ip(False, 6, tcp(*ports, 0x10), *((9, 500 + i) if back else (500 + i, 9))))))
    pcap, conf = t.path("t.pcap"), t.path("weir.yaml")
    write(pcap, data)
    conf.write_text(f"sensor: {{flows: {flows}}}\n")
    col = t.collector()
    got = t.sensor(pcap, col.tcp(), "-c", conf)
    equal("packets, flows, drops", (got["packets"], got["flows"], got["dropped"]), (len(data), 2 * flows + talkers, {}))
    full = got["table_full"]
    assert full["emergencies"] == 1 and full["evicted"] > 0, full
    col.wait_stored(got["exported"])
    stored = rows(t, col)
    others = [(r["packets"], r["rev_packets"]) for r in stored if r["dst_port"] == 443]
    equal("the other flows", Counter(others), Counter({(50, 50): talkers}))
    equal("records that ended for want of room", sum(r["end_reason"] == 5 for r in stored), full["evicted"])
