#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of the fuzz targets into corpus/, from the RFCs and docs/STORE.md and without
the project's own encoders. What a fault was found by is added to a corpus by hand and stays; this
script touches only files of its own names."""

import base64
import hashlib
import hmac
import json
import pathlib
import re
import struct

HERE = pathlib.Path(__file__).resolve().parent
NOW = 1700000000
FIELDS_DEF = (HERE / "../../lib/record/fields.def").read_text()
FIELDS = re.findall(r"^FIELD\((\w+),\s*(\w+),\s*(\d+),", FIELDS_DEF, re.M)
FIELD = {name: i for i, (name, _, _) in enumerate(FIELDS)}
WEIR, REVERSE, STRANGER, VAR = 32473, 29305, 9999, 65535


def seed(target, name, data):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())


def be(fmt, *values):
    return struct.pack(">" + fmt, *values)


def le(fmt, *values):
    return struct.pack("<" + fmt, *values)


def v4(last):
    return bytes([10, 0, 0, last])


def v6(last):
    return bytes.fromhex("20010db8") + bytes(11) + bytes([last])


# --- what exporters send ------------------------------------------------------------------------

SECOND, MENDED, LATER = 0x8000, 0x4000, 0x2000


def pieces(*list_of):
    """Each a datagram, or a pair of flags and a datagram; see intake.h."""
    pairs = [p if isinstance(p, tuple) else (0, p) for p in list_of]
    return b"".join(be("H", flags | len(data)) + data for flags, data in pairs)


def a_set(number, data, length=None):
    return be("HH", number, len(data) + 4 if length is None else length) + data


def field(ie, length, pen=0):
    return be("HHI", ie | 0x8000, length, pen) if pen else be("HH", ie, length)


def template(number, *fields):
    return be("HH", number, len(fields)) + b"".join(field(*f) for f in fields)


def options(number, scopes, *fields):
    every = list(scopes) + list(fields)
    return be("HHH", number, len(every), len(scopes)) + b"".join(field(*f) for f in every)


def options9(number, scopes, *fields):
    every = b"".join(field(*f) for f in list(scopes) + list(fields))
    return be("HHH", number, 4 * len(scopes), 4 * len(fields)) + every


def ipfix(*sets, sequence=0, domain=7, sec=NOW, length=None):
    body = b"".join(sets)
    length = 16 + len(body) if length is None else length
    return be("HHIII", 10, length, sec, sequence, domain) + body


def netflow9(*sets, uptime=1000000, sequence=0, source=7, count=1):
    return be("HHIIII", 9, count, uptime, NOW, sequence, source) + b"".join(sets)


def netflow5(rows, count=None, sequence=0, engine=0, sampling=0, uptime=1000000):
    count = len(rows) if count is None else count
    return be("HHIIIIHH", 5, count, uptime, NOW, 5, sequence, engine, sampling) + b"".join(rows)


FLOW = [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (6, 1), (2, 8), (1, 8), (152, 8), (153, 8)]
MS = NOW * 1000


def flow(last, proto=6, flags=0x1B):
    return v4(last) + v4(1) + be("HHBBQQQQ", 40000, 443, proto, flags, 3, 180, MS - 900, MS)


FLOW_SETS = (a_set(2, template(256, *FLOW)), a_set(256, flow(2) + flow(3)))
FLOW9 = [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (6, 1), (2, 4), (1, 4), (22, 4), (21, 4)]


def flow9(last, proto=6):
    return v4(last) + v4(1) + be("HHBBIIII", 40000, 443, proto, 0x1B, 3, 180, 999000, 999900)


def ntp(sec, fraction=0x80000000):
    return be("II", sec + 2208988800, fraction)


def ipfix_seeds():
    both = (1, 4), (9, 4)
    text = [(8, 4), (460, VAR), (2, VAR, WEIR), (3, VAR, WEIR), (2, 8)]
    texts = (
        v4(2) + b"\x0fwww.example.net" + b"\x00" + b"\xff\x00\x04t13d" + be("Q", 9)
        + v4(3) + b"\x00" + b"\xff\x01\x2c" + 300 * b"a" + b"\x01\x00" + be("Q", 9)
    )
    times = [(150, 4), (151, 4), (152, 8), (153, 8), (154, 8), (155, 8), (156, 8), (157, 8)]
    time_row = be("IIQQ", NOW - 9, NOW, MS - 9, MS) + ntp(NOW - 8) + ntp(NOW) * 2 + ntp(0)
    shorts = [(8, 4), (2, 1), (1, 3), (10, 1), (14, 3), (16, 2), (11, 1), (6, 2), (136, 1), (89, 4)]
    return {
        "plain": pieces(ipfix(*FLOW_SETS)),
        "two_exporters": pieces(ipfix(*FLOW_SETS), (SECOND, ipfix(*FLOW_SETS)),
                                ipfix(a_set(256, flow(4)), sequence=2)),
        "data_first": pieces(ipfix(a_set(256, flow(2))), ipfix(a_set(256, flow(3))),
                             ipfix(FLOW_SETS[0])),
        "data_never": pieces(ipfix(a_set(300, bytes(900))), ipfix(a_set(301, bytes(900))),
                             (LATER, ipfix(*FLOW_SETS))),
        "data_many": pieces(ipfix(300 * a_set(300, b"")),
                            ipfix(a_set(2, b"".join(template(256, (8, 4), (7, 1 + i % 2))
                                                    for i in range(40))))),
        "sampling": pieces(
            ipfix(a_set(3, options(258, [(149, 4)], (302, 8), (304, 2), (305, 4), (306, 4))),
                  a_set(258, be("IQHII", 7, 5, 1, 1, 99) + be("IQHII", 7, 6, 1, 10, 990))),
            ipfix(a_set(2, template(256, *FLOW, (302, 8))),
                  a_set(256, flow(2) + be("Q", 5) + flow(3) + be("Q", 77)), sequence=2)),
        "sampling_size": pieces(
            ipfix(a_set(3, options(258, [(149, 4)], (309, 4), (310, 4), (34, 4), (50, 4))),
                  a_set(258, be("IIIII", 7, 1, 512, 0, 0)), *FLOW_SETS)),
        "system_init": pieces(
            ipfix(a_set(3, options(258, [(144, 4)], (160, 8))),
                  a_set(258, be("IQ", 1, MS - 1000000)),
                  a_set(2, template(256, (8, 4), (12, 4), (22, 4), (21, 4))),
                  a_set(256, v4(2) + v4(1) + be("II", 999000, 999900)))),
        "variable": pieces(ipfix(a_set(2, template(257, *text)), a_set(257, texts))),
        "variable_overrun": pieces(
            ipfix(a_set(2, template(257, *text))),
            ipfix(*FLOW_SETS, a_set(257, v4(2) + b"\xff\xff\xff" + bytes(30)))),
        "variable_numbers": pieces(
            ipfix(a_set(2, template(257, (8, 4), (2, VAR), (1, VAR), (6, VAR), (152, VAR))),
                  a_set(257, v4(2) + b"\x01\x07" + b"\x03\x01\x02\x03" + b"\x00" + b"\x09"
                        + bytes(9)))),
        "withdrawal": pieces(
            ipfix(*FLOW_SETS, a_set(3, options(258, [(149, 4)], (34, 4)))),
            ipfix(a_set(2, be("HH", 256, 0)), a_set(3, be("HH", 258, 0))),
            ipfix(a_set(2, be("HH", 2, 0)), a_set(3, be("HH", 3, 0))),
            ipfix(a_set(256, flow(4)), sequence=2)),
        "biflow": pieces(
            ipfix(a_set(2, template(256, *FLOW, (1, 8, REVERSE), (2, 8, REVERSE), (6, 2, REVERSE),
                                    (85, 8, REVERSE), (8, 4, REVERSE))),
                  a_set(256, flow(2) + be("QQHQ", 900, 4, 0x14, 901) + v4(9)))),
        "biflow_initiator": pieces(
            ipfix(a_set(2, template(256, (8, 4), (12, 4), (231, 8), (232, 8), (298, 8), (299, 8))),
                  a_set(256, v4(2) + v4(1) + be("QQQQ", 100, 200, 1, 2)))),
        "post_counters": pieces(
            ipfix(a_set(2, template(256, (8, 4), (12, 4), (23, 8), (24, 8))),
                  a_set(256, v4(2) + v4(1) + be("QQ", 100, 1)))),
        "enterprise": pieces(
            ipfix(a_set(2, template(256, (8, 4), (1, 1, WEIR), (4, 4, WEIR), (5, 2, WEIR),
                                    (351, 8), (95, 4), (77, 6, STRANGER), (2, 9, WEIR),
                                    (40005, 1))),
                  a_set(256, v4(2) + be("BIHQI", 2, 99, 500, 4096, 0x0D000001) + bytes(6)
                        + b"dns.test\0" + b"\x03"))),
        "times": pieces(ipfix(a_set(2, template(256, (8, 4), *times)),
                              a_set(256, v4(2) + time_row)),
                        ipfix(a_set(2, template(257, (8, 4), (156, 8), (157, 8))),
                              a_set(257, v4(2) + be("QQ", NOW * 10**9, NOW * 10**9 + 1)))),
        "times_relative": pieces(
            ipfix(a_set(2, template(256, (8, 4), (158, 4), (159, 4))
                        + template(257, (8, 4), (152, 8), (161, 4))
                        + template(258, (8, 4), (153, 8), (162, 4))
                        + template(259, (8, 4), (323, 8)) + template(260, (8, 4), (322, 4))
                        + template(261, (8, 4), (324, 8)) + template(262, (8, 4), (325, 8))),
                  a_set(256, v4(2) + be("II", 2000000, 1000000)),
                  a_set(257, v4(2) + be("QI", MS - 500, 400)),
                  a_set(258, v4(2) + be("QI", MS, 400)),
                  a_set(259, v4(2) + be("Q", MS)), a_set(260, v4(2) + be("I", NOW)),
                  a_set(261, v4(2) + ntp(NOW)), a_set(262, v4(2) + ntp(NOW)))),
        "times_far_off": pieces(ipfix(a_set(2, template(256, (8, 4), (152, 8), (153, 8))),
                                      a_set(256, v4(2) + be("QQ", 2**64 - 1, 1)),
                                      sec=2**32 - 1)),
        "redefined": pieces(
            ipfix(*FLOW_SETS, a_set(2, template(256, (7, 2), (27, 16))),
                  a_set(256, be("H", 53) + v6(2)), a_set(2, template(256, (7, 2), (27, 3))),
                  a_set(256, flow(2)))),
        "refreshed_late": pieces(ipfix(*FLOW_SETS), (LATER, ipfix(a_set(256, flow(3)))),
                                 (LATER, ipfix()), (LATER, ipfix(a_set(256, flow(4)))),
                                 ipfix(FLOW_SETS[0])),
        "padding": pieces(
            ipfix(a_set(2, template(256, *FLOW) + bytes(3)), a_set(256, flow(2) + bytes(5)),
                  bytes(4)),
            ipfix(a_set(256, flow(2) + bytes(1)), bytes(2))),
        "several_messages": pieces(ipfix(*FLOW_SETS) + ipfix(a_set(256, flow(4)), sequence=2)
                                   + ipfix(domain=8) + bytes(3)),
        "empty_messages": pieces(200 * ipfix()),
        "reserved_sets": pieces(*(ipfix(FLOW_SETS[0], a_set(n, bytes(9))) for n in (0, 1, 4, 255))),
        "no_bytes": pieces(ipfix(a_set(2, template(256, *([(210, 0)] * 99), (4, VAR), (8, 4))),
                                 a_set(256, 9 * (b"\x01\x06" + v4(2))))),
        "imported": pieces(*(
            (SECOND, ipfix(a_set(2, template(256, *FLOW, *more)), a_set(256, flow(2) + data)))
            for more, data in (([(130, 4), (149, 4)], v4(9) + be("I", 5)),
                               ([(131, 16), (34, 4)], v6(9) + be("I", 100)),
                               ([(130, 4), (100, 2, WEIR)], v4(9) + be("H", 7))))),
        "expired": pieces(
            ipfix(a_set(2, b"".join(template(256 + i, (8, 4)) for i in range(8)))),
            *((LATER, ipfix()) for _ in range(3)),
            ipfix(a_set(2, template(999, (8, 4))), a_set(999, v4(2)))),
        "over_the_memory": pieces(*(
            ipfix(a_set(2, b"".join(template(256 * (i + 1), *FLOW) for i in range(8))),
                  a_set(256, flow(2)), domain=d) for d in range(4))),
        "many_samplers": pieces(
            ipfix(a_set(3, options(258, [(149, 4)], (302, 2), (34, 2))),
                  a_set(258, b"".join(be("IHH", 7, i, 9) for i in range(70))))),
        "domains": pieces(*(ipfix(*FLOW_SETS, domain=d) for d in range(6))),
        "over_the_caps": pieces(
            ipfix(*(a_set(2, template(256 + 300 * i, (8, 4), (7, 2 + i))) for i in range(10)))),
        "many_fields": pieces(ipfix(a_set(2, template(256, *([(210, 1)] * 200 + FLOW))),
                                    a_set(256, bytes(200) + flow(2)))),
        "short_numbers": pieces(
            ipfix(a_set(2, template(256, *shorts)),
                  a_set(256, v4(2) + b"\x05" + bytes(2) + b"\x64" + b"\x01" + bytes(3) + b"\xfd\xe8"
                        + b"\x35" + b"\x51\x1b" + b"\x03" + bytes(3) + b"\x80"))),
        "layers": pieces(
            ipfix(a_set(2, template(256, (8, 4), (12, 4), (27, 16), (28, 16), (15, 4), (62, 16),
                                    (56, 6), (80, 6), (58, 2), (243, 2), (245, 2), (70, 3), (4, 1),
                                    (32, 2), (139, 2), (176, 1), (177, 1), (233, 1), (5, 1))),
                  a_set(256, v4(2) + bytes(36) + v4(9) + bytes(16) + bytes(range(12))
                        + be("HHH", 5, 0, 6) + b"\x00\x01\x21" + b"\x01" + be("HHBBBB", 2048, 0, 8,
                                                                             0, 3, 0)))),
        "no_address": pieces(ipfix(a_set(2, template(256, (41, 8), (42, 8))),
                                   a_set(256, be("QQ", 1, 2)))),
        "sequence": pieces(*(ipfix(*FLOW_SETS, sequence=s) for s in (0, 2, 100, 4, 2**32 - 2, 0))),
        "mended": pieces((MENDED, be("HHIII", 0, 0, NOW, 0, 1) + FLOW_SETS[0] + FLOW_SETS[1])),
        "bad_lengths": pieces(
            ipfix(*FLOW_SETS, length=15), ipfix(*FLOW_SETS, length=17), ipfix(length=65535),
            *(ipfix(a_set(256, flow(2), length=n)) for n in (0, 1, 3, 4, 5, 400, 65535)),
            b"\x00\x0a", b"\x00\x0a\x00", bytes(15), be("HH", 11, 16) + bytes(12)),
        "bad_templates": pieces(
            ipfix(a_set(2, template(255, (8, 4)))), ipfix(a_set(2, be("HHHH", 256, 9, 8, 4))),
            ipfix(a_set(3, options(258, [], (34, 4)))),
            ipfix(a_set(3, be("HHHHH", 258, 1, 2, 34, 4))),
            ipfix(a_set(2, template(256, (8, 3))), a_set(256, v4(2)[:3])),
            ipfix(a_set(2, template(256, (27, 15))), a_set(256, v6(2)[:15])),
            ipfix(a_set(2, template(256, (56, 5))), a_set(256, bytes(5))),
            ipfix(a_set(2, template(256, (8, 4), (1, 9))), a_set(256, v4(2) + bytes(9))),
            ipfix(a_set(2, template(256, (210, 0)))),
            ipfix(a_set(2, be("HHHHH", 256, 1, 0x8001, 4, 0))),
            ipfix(a_set(2, template(256, (210, 65534), (210, 65534)))),
            ipfix(a_set(2, be("HH", 9, 0))), ipfix(a_set(4, bytes(8)))),
    }


def netflow9_seeds():
    sets = a_set(0, template(256, *FLOW9)), a_set(256, flow9(2) + flow9(3))
    out = [(8, 4), (12, 4), (2, 4), (1, 4), (24, 4), (23, 4), (4, 1), (32, 2)]
    return {
        "plain": pieces(netflow9(*sets, count=3)),
        "two_exporters": pieces(netflow9(*sets), (SECOND, netflow9(a_set(256, flow9(4))))),
        "data_first": pieces(netflow9(a_set(256, flow9(2))), netflow9(sets[0], sequence=1)),
        "sampling": pieces(
            netflow9(a_set(1, options9(258, [(1, 4)], (34, 4), (35, 1)) + bytes(2)),
                     a_set(258, be("IIB", 0, 100, 1) + bytes(3)), *sets)),
        "samplers": pieces(
            netflow9(a_set(1, options9(258, [(1, 4)], (48, 1), (49, 1), (50, 4))),
                     a_set(258, be("IBBI", 0, 1, 2, 10) + be("IBBI", 0, 2, 2, 1000)),
                     a_set(0, template(256, *FLOW9, (48, 1))),
                     a_set(256, flow9(2) + b"\x01" + flow9(3) + b"\x02"))),
        "out_counters": pieces(
            netflow9(a_set(0, template(256, *out)),
                     a_set(256, v4(2) + v4(1) + be("IIIIBH", 3, 180, 4, 900, 1, 0x0800)))),
        "families": pieces(
            netflow9(a_set(0, template(256, (8, 4), (12, 4), (27, 16), (28, 16), (29, 1), (9, 1),
                                       (63, 16), (18, 4))),
                     a_set(256, bytes(8) + v6(2) + v6(1) + b"\x40\x00" + v6(9) + bytes(4)
                           + v4(2) + bytes(36) + b"\x00\x18" + bytes(16) + v4(9)))),
        "firewall": pieces(
            netflow9(a_set(0, template(256, (8, 4), (12, 4), (233, 1), (323, 8), (40005, 1),
                                       (33002, 2), (231, 4), (232, 4))),
                     a_set(256, v4(2) + v4(1) + be("BQBHII", 3, MS, 3, 1001, 100, 200)))),
        "mpls": pieces(
            netflow9(a_set(0, template(256, (8, 4), (70, 3), (71, 3), (60, 1), (89, 1), (61, 1))),
                     a_set(256, v4(2) + b"\x00\x01\x21\x00\x02\x31\x04\x80\x01"))),
        "restart": pieces(*(netflow9(*sets, uptime=u, sequence=s)
                            for u, s in ((1000000, 1000), (1001000, 1001), (5, 0), (6, 5)))),
        "uptime_wraps": pieces(netflow9(*sets, uptime=5)),
        "sequence": pieces(*(netflow9(*sets, sequence=s) for s in (0, 9, 1, 2, 3, 4, 10))),
        "count_lies": pieces(netflow9(*sets, count=0), netflow9(*sets, count=65535)),
        "late": pieces(netflow9(*sets), (LATER, netflow9(a_set(256, flow9(2)))),
                       (LATER, netflow9(a_set(256, flow9(2)))), (LATER, netflow9(sets[0]))),
        "no_bytes": pieces(netflow9(a_set(0, template(256, (7, 0), *FLOW9, (4, 0), (210, 0))),
                                    a_set(256, flow9(2)))),
        "mended": pieces((MENDED, bytes(20) + sets[0] + sets[1])),
        "bad_lengths": pieces(netflow9()[:19], netflow9(a_set(256, flow9(2), length=3)),
                              netflow9(a_set(256, flow9(2), length=900)), b"\x00\x09",
                              netflow9(*sets) + b"\x01\x02\x03"),
        "bad_templates": pieces(
            netflow9(a_set(0, template(256))), netflow9(a_set(0, template(255, (8, 4)))),
            netflow9(a_set(1, be("HHH", 258, 3, 4) + bytes(8))),
            netflow9(a_set(1, be("HHH", 258, 65532, 65532) + bytes(8))),
            netflow9(a_set(0, be("HH", 256, 5) + bytes(8))),
            netflow9(a_set(0, template(256, (8, 5))))),
    }


def netflow5_seeds():
    def row(last, proto=6, dport=443, first=999000, end=999900):
        return (v4(last) + v4(1) + v4(254)
                + be("HHIIIIHHBBBBHHBBH", 1, 2, 3, 180, first, end, 40000, dport, 0, 0x1B, proto, 0,
                     65000, 65001, 24, 16, 0))

    return {
        "plain": pieces(netflow5([row(2), row(3, proto=1, dport=0x0803)], sampling=0x4064)),
        "full": pieces(netflow5([row(i) for i in range(30)])),
        "two_exporters": pieces(netflow5([row(2)]), (SECOND, netflow5([row(2)], engine=0x0102))),
        "sequence": pieces(*(netflow5([row(2)], sequence=s) for s in (0, 1, 9, 2, 3, 4, 5, 0))),
        "times": pieces(netflow5([row(2, first=2**32 - 5, end=7)], uptime=9),
                        netflow5([row(2, first=5000, end=1)], uptime=2**31)),
        "bad_lengths": pieces(netflow5([]), netflow5([row(2)] * 31), netflow5([row(2)], count=2),
                              netflow5([])[:23], b"\x00\x05", b"\x05", b"",
                              netflow5([row(2)]) + b"padding"),
        "mended": pieces((MENDED, bytes(2) + netflow5([row(2)])[2:])),
    }


def sflow_seeds():
    def sflow(*samples, agent=1, sub=0, sequence=0, count=None):
        return be("IIIIIII", 5, 1, agent, sub, sequence, 1000, len(samples) if count is None else count) + b"".join(samples)

    def sample(kind, front, *records):
        data = be(f"{len(front)}I", *front) + be("I", len(records)) + b"".join(records)
        return be("II", kind, len(data)) + data

    def record(kind, data):
        data += bytes(-len(data) % 4)
        return be("II", kind, len(data)) + data

    def raw(protocol, packet):
        return record(1, be("IIII", protocol, len(packet) + 4, 4, len(packet)) + packet)

    def compact(*records, to=4):
        return sample(1, (1, 3, 512, 4096, 0, 3, to), *records)

    def wide(*records):
        return sample(3, (1, 0, 3, 512, 4096, 0, 0, 3, 0, 4), *records)

    tcp = be("HHIIHHI", 40000, 443, 1, 2, 0x5012, 0, 0)
    mac = bytes.fromhex("020000000001020000000002")
    p4, p6 = ip4(6, tcp), ip6(6, tcp)
    parsed = record(3, be("II", 100, 6) + v4(2) + v4(1) + be("IIII", 40000, 443, 18, 8))
    extended = (record(1001, be("IIII", 42, 0, 43, 0)) + record(1002, be("I", 1) + v4(9) + be("II", 24, 16))
                + record(1003, be("I", 1) + v4(9) + be("IIIIIIIII", 1, 2, 3, 1, 2, 2, 4, 5, 0)))
    v1 = be("HHIII", 1, 1, 1000000, NOW, 5) + v4(2) + v4(1) + v4(9) + be("HHIIIIHHHBBB", 1, 2, 3, 180, 1, 2, 3, 4, 0, 6, 0, 27) + bytes(7)
    v7 = be("HHIIIII", 7, 1, 1000000, NOW, 5, 9, 0) + v4(2) + v4(1) + v4(9) + be("HHIIIIHHBBBBHHBBHI", 1, 2, 3, 180, 1, 2, 3, 4, 0, 27, 6, 0, 1, 2, 24, 16, 0, 9)
    return {
        "ethernet": pieces(sflow(compact(raw(1, mac + be("HHH", 0x8100, 42, 0x0800) + p4)))),
        "ip": pieces(sflow(compact(raw(11, p4)), compact(raw(12, p6)))),
        "labels": pieces(sflow(compact(raw(1, mac + be("HII", 0x8847, 0x10040, 0x20140) + p4)))),
        "parsed": pieces(sflow(wide(parsed), compact(record(4, be("II", 100, 6) + v6(2) + v6(1) + be("IIII", 1, 2, 3, 4))))),
        "extended": pieces(sflow(compact(extended, raw(11, p4)))),
        "discarded": pieces(sflow(compact(raw(11, p4), to=0x40000001), sample(5, (1, 0, 3, 0, 3, 0, 262), raw(11, p4)))),
        "counters": pieces(sflow(sample(2, (1, 3), record(1, bytes(88))), sample(4, (1, 0, 3)), sample(0x1234567, ()))),
        "sequence": pieces(*(sflow(compact(parsed), sequence=s) for s in (0, 1, 9, 2, 1))),
        "agents": pieces(sflow(compact(parsed)), (SECOND, sflow(compact(parsed), agent=2, sub=1)),
                         be("II", 5, 2) + v6(7) + be("IIII", 0, 0, 0, 0)),
        "bad_lengths": pieces(sflow(count=9), sflow(compact(raw(11, p4)))[:-3], be("II", 5, 3), b"\0\0\0\5"),
        "mended": pieces((MENDED, bytes(4) + sflow(compact(parsed))[4:])),
        "v1": pieces(v1, v1 + bytes(4), v1[:-1], (SECOND, v1)),
        "v7": pieces(v7, v7[:-1]),
    }


def stream_seeds():
    messages = ipfix(*FLOW_SETS) + ipfix(a_set(256, flow(4)), sequence=2)
    return {
        "plain": pieces(messages),
        "cut": pieces(*(messages[i:i + 7] for i in range(0, len(messages), 7))),
        "two": pieces(messages[:50], (SECOND, messages[:30]), (LATER, messages[50:]),
                      (SECOND, messages[30:])),
        "withdrawal": pieces(
            ipfix(*FLOW_SETS, a_set(3, options(258, [(149, 4)], (34, 4)))),
            ipfix(a_set(2, be("HH", 256, 0))) + ipfix(a_set(256, flow(4)), sequence=2),
            ipfix(a_set(2, template(257, *FLOW)), a_set(2, be("HH", 2, 0)),
                  a_set(3, be("HH", 3, 0)), a_set(257, flow(5)), sequence=2)),
        "withdrawal_of_nothing": pieces(
            *(ipfix(*FLOW_SETS, a_set(s, be("HH", n, 0))) for s, n in ((2, 9), (2, 3), (3, 2))),
            ipfix(a_set(256, flow(4)), sequence=2)),
        "malformed_message": pieces(ipfix(*FLOW_SETS), ipfix(a_set(256, flow(2), length=3)),
                                    ipfix(a_set(256, flow(5)), sequence=2)),
        "malformed_messages": pieces(ipfix(*FLOW_SETS), *9 * [ipfix(a_set(256, b"", length=3))],
                                     ipfix(a_set(256, flow(5)), sequence=2)),
        "bad_version": pieces(messages, netflow9()),
        "bad_length": pieces(messages, be("HH", 10, 15), messages),
        "half": pieces(messages[:-1], (SECOND, b"\x00")),
        "mended": pieces((MENDED, bytes(16) + b"".join(FLOW_SETS)),
                         (MENDED | SECOND, bytes(16) + FLOW_SETS[1])),
    }


def encode_seeds():
    sizes = {"U8": 1, "U16": 2, "U32": 4, "U64": 8, "TIME": 8, "ADDR": 16, "MAC": 6}

    def record(**values):
        given = 0
        data = b""
        for name, kind, _ in FIELDS:
            if name not in values:
                continue
            v = values[name]
            given |= 1 << FIELD[name]
            if isinstance(v, int):
                v = v.to_bytes(sizes[kind], "little")
            data += bytes([len(v)]) + v if kind == "STR" else v
        return be("Q", given) + data

    large, exact, origin, version9, templates = (bytes([n]) for n in (1, 3, 4, 8, 16))
    mapped = bytes(10) + b"\xff\xff"
    base = dict(start_ns=NOW * 10**9, end_ns=NOW * 10**9 + 5 * 10**6, src=mapped + v4(2),
                dst=mapped + v4(1), sport=40000, dport=443, proto=6, packets=3, bytes=180)
    base6 = {**base, "src": v6(2), "dst": v6(1)}
    every = {n: (b"name.test" if k == "STR" else 1) for n, k, ie in FIELDS if int(ie)}
    texts = [n for n, k, _ in FIELDS if k == "STR"]
    whom = dict(exporter=mapped + v4(9), domain=7, sampling=100)
    both = record(**base) + record(**base6)
    back = dict(rev_packets=2, rev_bytes=99, rev_tcp_flags=0x12)
    return {
        "plain": large + both, "exact": exact + both, "version9": version9 + both,
        "templates": templates + both, "templates9": b"\x18" + both,
        "biflow": b"\0" + record(**base, **back), "biflow9": version9 + record(**base, **back),
        "uniflows": b"\x20" + 15 * (record(**base, **back) + record(**base)),
        "several_messages": b"\0" + 40 * record(**base),
        "icmp": large + record(**{**base, "proto": 1, "icmp_type": 8, "icmp_code": 0})
        + record(**{**base6, "proto": 58}),
        "names": large + record(**base, server_name=b"x" * 255, ja4=b"t13d1516h2"),
        "names_cut": b"\0" + record(**base, **dict.fromkeys(texts, "\u20ac".encode() * 85))
        + record(**base, **dict.fromkeys(texts, b"192.0.2.1," * 25)),
        "route": large + record(**base, next_hop=mapped + v4(9), in_if=1, mpls_label=99,
                                src_mac=bytes(6), vlan=5),
        "origin": origin + record(**base, **whom) + record(**base6, **{**whom, "exporter": v6(9)})
        + record(**base),
        "every_member": large + record(**every) + 3 * record(**base),
    }


# --- packets and captures -----------------------------------------------------------------------

def frame(ethertype, payload, *tags):
    macs = bytes.fromhex("020000000001020000000002")
    return macs + b"".join(be("HH", t, n) for t, n in tags) + be("H", ethertype) + payload


def ip4(proto, payload, option=b"", fragment=0, total=None):
    length = 20 + len(option) + len(payload) if total is None else total
    head = be("BBHHHBBH", 0x45 + len(option) // 4, 0, length, 1, fragment, 64, proto, 0)
    return head + v4(2) + v4(1) + option + payload


def ip6(following, payload, length=None):
    length = len(payload) if length is None else length
    return be("IHBB", 6 << 28, length, following, 64) + v6(2) + v6(1) + payload


TCP = be("HHIIHHHH", 40000, 443, 1, 0, 0x5002, 1024, 0, 0)
UDP = be("HHHH", 40000, 53, 12, 0) + b"data"


def ext(following, *more):
    data = b"".join(more) or bytes(6)
    return bytes([following, (len(data) + 2) // 8 - 1]) + data


def udp(port, payload):
    return ip4(17, be("HHHH", 50000, port, 8 + len(payload), 0) + payload)


def tunnels():
    """EtherType and payload of frames with something between them and the innermost packet."""
    four, six = ip4(6, TCP), ip6(17, UDP)
    ether, tagged = frame(0x0800, four), frame(0x86DD, six, (0x8100, 9))
    vxlan = udp(4789, b"\x08" + bytes(3) + be("I", 0xABCD00) + tagged)
    return {
        "4in4": (0x0800, ip4(4, four)), "6in4": (0x0800, ip4(41, six)),
        "4in6": (0x86DD, ip6(4, four)), "6in6": (0x86DD, ip6(60, ext(41) + six)),
        "depth_tunnels": (0x0800, ip4(4, ip4(4, ip4(4, ip4(4, ip4(4, four)))))),
        "gre": (0x0800, ip4(47, be("HH", 0, 0x0800) + four)),
        "gre_options": (0x86DD, ip6(47, be("HHIII", 0xB000, 0x86DD, 0, 7, 1) + six)),
        "nvgre": (0x0800, ip4(47, be("HHI", 0x2000, 0x6558, 0x12345678) + ether)),
        "pptp": (0x0800, ip4(47, be("HHHHI", 0x3001, 0x880B, 44, 5, 1) + b"\xff\x03\0\x21" + four)),
        "gre_mpls": (0x0800, ip4(47, be("HHI", 0, 0x8847, 0x1FF) + six)),
        "erspan1": (0x0800, ip4(47, be("HH", 0, 0x88BE) + ether)),
        "erspan2": (0x0800, ip4(47, be("HHIII", 0x1000, 0x88BE, 1, 0x10050001, 0) + ether)),
        "erspan3": (0x0800, ip4(47, be("HHIIIIQ", 0x1000, 0x22EB, 1, 0x20050001, 0, 1, 0) + tagged)),
        "vxlan": (0x0800, vxlan),
        "vxlan_gpe": (0x0800, udp(4789, b"\x0c\0\0\x01" + be("I", 256) + four)),
        "geneve": (0x0800, udp(6081, be("HHIQ", 0x0200, 0x6558, 0x100, 1) + tagged)),
        "gtp": (0x0800, udp(2152, be("BBHI", 0x30, 255, len(four), 5) + four)),
        "gtp_extended": (0x0800, udp(2152, be("BBHIII", 0x36, 255, 8 + len(six), 5, 0x85, 0x01000900) + six)),
        "gtp_echo": (0x0800, udp(2152, be("BBHII", 0x32, 1, 4, 0, 0))),
        "l2tp": (0x0800, ip4(115, be("II", 77, 0) + ether)),
        "l2tp_cookie": (0x86DD, ip6(115, be("IQI", 77, 5, 0) + tagged)),
        "mpls": (0x8847, be("II", 0x100 << 12 | 0x0FF, 0x1FF) + four),
        "mpls_ethernet": (0x8847, be("II", 0x1FF, 0) + tagged),
        "mpls_depth": (0x8848, be("I", 0xFF) * 9 + four),
        "pppoe": (0x8864, be("BBHHH", 0x11, 0, 7, 2 + len(six), 0x57) + six),
        "pppoe_mpls": (0x8864, be("BBHHHI", 0x11, 0, 7, 6 + len(four), 0x281, 0x1FF) + four),
        "pppoe_lcp": (0x8864, be("BBHHH", 0x11, 0, 7, 10, 0xC021) + bytes(8)),
        "pppoe_discovery": (0x8863, be("BBHH", 0x11, 9, 0, 0)),
    }


def packet_seeds():
    fragment = bytes([6, 0]) + be("HI", 1, 5)
    later = bytes([6, 0]) + be("HI", 1480 << 3 & 0xFFFF, 5)
    jumbo = ext(17, b"\xc2\x04" + be("I", 70000))
    frames = {
        "tcp4": frame(0x0800, ip4(6, TCP)),
        "udp4_options": frame(0x0800, ip4(17, UDP, option=b"\x94\x04\0\0")),
        "icmp4": frame(0x0800, ip4(1, b"\0\0" + bytes(6))),
        "fragment4": frame(0x0800, ip4(17, UDP, fragment=0x2000)),
        "later_fragment4": frame(0x0800, ip4(17, UDP, fragment=185)),
        "offloaded4": frame(0x0800, ip4(6, TCP, total=0)),
        "short4": frame(0x0800, ip4(6, TCP, total=22)),
        "esp4": frame(0x0800, ip4(50, bytes(16))),
        "sctp4": frame(0x0800, ip4(132, be("HHI", 1, 2, 3))),
        "vlan": frame(0x0800, ip4(6, TCP), (0x8100, 5)),
        "qinq": frame(0x86DD, ip6(17, UDP), (0x88A8, 5), (0x8100, 6)),
        "vlan_depth": frame(0x0800, ip4(6, TCP), *[(0x8100, 5)] * 3),
        "tcp6": frame(0x86DD, ip6(6, TCP)),
        "icmp6": frame(0x86DD, ip6(58, b"\x81\0" + bytes(6))),
        "chain6": frame(0x86DD, ip6(0, ext(43) + ext(60) + ext(44) + fragment + TCP)),
        "later_fragment6": frame(0x86DD, ip6(44, later + TCP)),
        "auth6": frame(0x86DD, ip6(51, bytes([17, 4]) + bytes(22) + UDP)),
        "jumbo6": frame(0x86DD, ip6(0, jumbo + UDP, length=0)),
        "ext_depth6": frame(0x86DD, ip6(60, 9 * ext(60) + ext(6) + TCP)),
        "none6": frame(0x86DD, ip6(59, b"")),
        "version": frame(0x0800, ip6(6, TCP)),
        "arp": frame(0x0806, bytes(28)),
        "llc": frame(38, bytes(38)),
    }
    frames |= {n: frame(t, p) for n, (t, p) in tunnels().items()}
    return {n: be("HH", len(f) * 2 // 3, 4) + f for n, f in frames.items()}


def capture_seeds():
    one = frame(0x0800, ip4(6, TCP))

    def pcap(order, magic=0xA1B2C3D4, link=1, packets=2):
        head = struct.pack(order + "IHHIIII", magic, 2, 4, 0, 0, 65535, link)
        return head + packets * (struct.pack(order + "IIII", NOW, 5, len(one), len(one)) + one)

    def block(order, kind, data):
        data += bytes(-len(data) % 4)
        length = struct.pack(order + "I", len(data) + 12)
        return struct.pack(order + "I", kind) + length + data + length

    def pcapng(order, link=1):
        section = block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))
        interface = block(order, 1, struct.pack(order + "HHI", link, 0, 65535))
        enhanced = struct.pack(order + "IIIII", 0, 0, 5, len(one), len(one)) + one
        return (section + interface + block(order, 6, enhanced)
                + block(order, 3, struct.pack(order + "I", len(one)) + one)
                + block(order, 2, bytes(20) + one) + block(order, 5, bytes(12)))

    return {
        "pcap": pcap("<"), "pcap_big": pcap(">"), "pcap_ns": pcap("<", magic=0xA1B23C4D),
        "pcap_cut": pcap("<")[:-3], "pcap_raw_ip": pcap("<", link=101), "pcap_head": pcap("<")[:9],
        "pcap_huge": pcap("<", packets=0) + le("IIII", 0, 0, 2**32 - 1, 60),
        "pcapng": pcapng("<"), "pcapng_big": pcapng(">"), "pcapng_twice": pcapng("<") + pcapng(">"),
        "pcapng_cut": pcapng("<")[:-20], "pcapng_wifi": pcapng("<", link=105),
        "pcapng_lengths": pcapng("<")[:28] + le("II", 6, 11), "text": b"not a capture\n",
    }


# --- the API ------------------------------------------------------------------------------------

def query_seeds():
    window = "start=2026/03/25%2009:00&end=2026/03/25+09:59"
    return {
        "window": window, "limit": window + "&limit=20", "limit_huge": "limit=" + 40 * "9",
        "limit_zero": "limit=0", "limit_text": "limit=1x", "limit_empty": "limit=",
        "utf8": "q=%C3%A9%E2%82%AC%F0%9F%98%80&%C3%A9=1", "overlong": "q=%C0%AF",
        "surrogate": "q=%ED%A0%80", "nul": "q=a%00b", "twice": "a=1&b=2&%61=3",
        "escape": "a=%4", "escape_bad": "a=%zz", "empty_pairs": "&&a&=b&=&c=&",
        "longest": "a=" + 8190 * "b", "too_long": "a=" + 8191 * "b",
        "many": "&".join(f"p{i}={i}" for i in range(33)),
        "start_after_end": "start=2026/03/25 09:01&end=2026/03/25 09:00",
        "no_such_day": "start=2026/02/30 09:00&end=2026/03/25 09:00",
        "leap_day": "start=2024/02/29 23:59&end=2024/02/29 23:59",
        "early": "start=1969/12/31 23:59&end=2499/12/31 23:59",
        "late": "start=2500/01/01 00:00&end=9999/12/31 23:59",
        "blank": "start=2026/ 3/25 09:00&end=2026/03/25 9:00 ",
    }


def head_seeds():
    post = "POST /api/login HTTP/1.1\r\nHost: a\r\n"
    return {
        "get": "GET / HTTP/1.1\r\nHost: a\r\nCookie: weir_token=x\r\n\r\n",
        "length": post + "Content-Length: 2\r\n\r\n{}",
        "chunked": post + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "both": post + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        "twice": post + "content-length: 2\r\nCONTENT-LENGTH: 3\r\n\r\n{}",
        "folded": post + "Content-Length: 2\r\n folded\r\n\r\n{}",
        "bare_lf": "\nPOST / HTTP/1.0\nContent-Length:2\nTransfer-Encoding:chunked\n\n{}",
        "leading_lines": "\r\n" + post + "Content-Length:2\r\n\r\n",
        "in_body": post + "Content-Length: 20\r\n\r\nContent-Length: 3\r\nx",
        "pipelined": 2 * (post + "Content-Length: 2\r\n\r\n{}"),
        "blank_before_colon": post + "Content-Length : 2\r\nContent-Length: 3\r\n\r\n",
        "unfinished": post + "Content-Le",
    }


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwt_seeds():
    key = b"the fuzz corpus's own key, 32 B."
    good = {"iss": "weir-api", "aud": "weir", "sub": "00112233445566778899aabbccddeeff",
            "entity": "netflow", "role": "viewer", "gen": 7, "iat": NOW, "nbf": NOW,
            "exp": NOW + 3600, "jti": 32 * "0", "typ": "access"}
    other = {**good, "sub": 32 * "f"}
    head = {"typ": "JWT", "alg": "HS256"}
    compact = (",", ":")

    def token(header, claims, secret=key, algorithm=hashlib.sha256):
        text = ".".join(base64url(json.dumps(x, separators=compact).encode())
                        for x in (header, claims))
        mac = hmac.new(secret, text.encode(), algorithm).digest()
        return text + "." + base64url(mac)

    def inner(header, claims):
        claims = claims if isinstance(claims, str) else json.dumps(claims, separators=compact)
        return "s" + json.dumps(header, separators=compact) + "\n" + claims

    none = token({"typ": "JWT", "alg": "none"}, other)
    return {
        "good": "h" + token(head, good), "bearer": "hBearer  " + token(head, good) + " ",
        "cookie": "ha=b; weir_token=" + token(head, good) + "; c=d",
        "another_key": "h" + token(head, other, secret=bytes(32)),
        "no_key": "h" + token(head, other, secret=b""), "none": "h" + none,
        "none_unsigned": "h" + none[:none.rindex(".") + 1],
        "hs512": "h" + token({"typ": "JWT", "alg": "HS512"}, other, algorithm=hashlib.sha512),
        "rs256": "h" + token({"typ": "JWT", "alg": "RS256"}, other),
        "empty_parts": "h..", "four_parts": "ha.b.c.d", "short_parts": "hA.A.A",
        "expired": "h" + token(head, {**other, "iat": NOW - 60, "exp": NOW}),
        "signed": inner(head, good), "signed_kid": inner({**head, "kid": "1"}, other),
        "signed_reals": inner(head, {**other, "exp": float(NOW + 60)}),
        "signed_texts": inner(head, {**other, "exp": str(NOW + 60)}),
        "signed_no_times": inner(head, {k: v for k, v in other.items() if k not in ("exp", "nbf")}),
        "signed_early": inner(head, {**other, "nbf": NOW + 31}),
        "signed_for_ever": inner(head, {**other, "exp": NOW + 10**9}),
        "signed_negative": inner(head, {**other, "iat": -1, "gen": -5}),
        "signed_audience": inner(head, {**other, "aud": ["weir", "x"]}),
        "signed_long_sub": inner(head, {**other, "sub": 33 * "f"}),
        "signed_long_entity": inner(head, {**other, "entity": 64 * "e"}),
        "signed_long_role": inner(head, {**other, "role": 16 * "r"}),
        "signed_nul": inner(head, {**other, "entity": "net\0flow"}),
        "signed_array": inner(head, "[1,2]"), "signed_twice": inner(head, '{"exp":1,"exp":2}'),
    }


def config_seeds():
    full = """store:
  dir: /srv/weir  # a comment
collector:
  verbose: on
  threads: 4
  seal: {grace: 250ms}
  cache: 64 MiB
  listen: ["udp:0.0.0.0:2055", 'tcp:[::]:4739']
entities:
  lab: [192.0.2.0/24, 2001:db8::/32]
  office: 10.0.0.0/8
api:
  anything: {goes: [here]}
"""
    return {
        "full": full, "flow_style": '{"collector": {"threads": 1, "listen": [a, b]}}',
        "dotted": "collector.threads: 2\n", "empty_section": "collector:\nstore:\n",
        "empty": "", "documents": "---\nstore: {dir: a}\n---\nstore: {dir: b}\n",
        "unknown": "collector:\n  thread: 4\n", "twice": "store: {dir: a, dir: b}\n",
        "range_low": "collector: {threads: 0}\n", "range": "collector: {threads: 65, cache: 9999999999T}\n",
        "number": "collector: {threads: 0x10, seal: {grace: 9223372036854775807d}}\n",
        "alias": "store: &a {dir: x}\ncollector: *a\nentities: {n: &l [10.0.0.0/8], m: *l}\n",
        "self": "collector: &a {seal: *a}\n", "deep": "collector: {a: {b: {c: {d: {e: 1}}}}}\n",
        "key_not_text": "? [a, b]\n: c\n", "list_of_lists": "collector: {listen: [[a], {b: c}]}\n",
        "nul": 'store: {dir: "a\\0b"}\n', "not_yaml": "store: {dir: [\n", "tab": "store:\n\tdir: a\n",
        "scalar": "store\n", "utf16": "store: {dir: é}\n".encode("utf-16"),
        "folded": "store:\n  dir: >-\n    a\n    b\n", "tagged": "!!map {store: !!str {dir: a}}\n",
    }


# --- the store ----------------------------------------------------------------------------------

def varint(v):
    out = b""
    while v >= 0x80:
        out += bytes([v & 0x7F | 0x80])
        v >>= 7
    return out + bytes([v])


def pack(values, bits, base=0, scale=1, exceptions=()):
    held = 0
    for i, v in enumerate(values):
        held |= ((v - base) // scale & (1 << bits) - 1) << (i * bits)
    out = bytes([bits]) + varint(base) + varint(scale) + varint(len(exceptions))
    last = 0
    for i in exceptions:
        out += varint(i - last) + varint((values[i] - base) // scale)
        last = i
    return out + held.to_bytes((len(values) * bits + 7) // 8, "little")


def packed(values, bits, **options_):
    return b"\x00" + pack(values, bits, **options_)


def delta(values, bits):
    steps = [b - a for a, b in zip(values, values[1:])]
    return b"\x01" + varint(values[0]) + pack(steps, bits)


def dictionary(values, bits):
    distinct = sorted(set(values))
    numbers = [distinct.index(v) for v in values]
    return b"\x02" + varint(len(distinct)) + packed(distinct, 64) + pack(numbers, bits)


def columns(n):
    start = [NOW * 10**9 + i * 10**6 for i in range(n)]
    texts = [b"www.example.net", b"a"]
    return {
        "start_ns": b"\x01" + delta(start, 20),
        "end_ns": b"\x02" + packed([i % 7 * 10**9 for i in range(n)], 3, scale=10**9),
        "src": b"\x03" + packed([0] * n, 0) + packed([0xFFFF0A000000 + i for i in range(n)], 8,
                                                     base=0xFFFF0A000000),
        "dst": b"\x04" + varint(2) + packed([0x20010DB8 << 32] * 2, 0, base=0x20010DB8 << 32)
        + packed([1, 9], 4) + packed([i % 2 for i in range(n)], 1),
        "dport": b"\x01" + dictionary([443 if i % 3 else 53 for i in range(n)], 1),
        "proto": b"\x01" + packed([6] * n, 0, base=6),
        "bytes": b"\x01" + packed([60] * (n - 1) + [10**12], 6, exceptions=[n - 1]),
        "src_mac": b"\x01" + packed([0x020000000001] * n, 48),
        "server_name": b"\x05" + varint(2) + packed([len(t) for t in texts], 4) + b"".join(texts)
        + packed([i % 2 for i in range(n)], 1),
    }


def journal(n, names):
    made = {FIELD[k]: v for k, v in columns(n).items() if k in names}
    head = b"WBLK" + le("BBHIIQQ", 1, 0, len(made), n, 0, NOW * 10**9, NOW * 10**9 + n * 10**6)
    directory = b"".join(le("BI", f, len(c)) for f, c in sorted(made.items()))
    return head + directory + b"".join(c for _, c in sorted(made.items()))


def block_seeds():
    n = 20
    made = columns(n)
    seeds = {
        "journal": b"\x00" + journal(n, made), "journal_of_one": b"\x00" + journal(1, ["start_ns"]),
        "journal_no_start": b"\x00" + journal(n, ["src", "server_name"]),
        "summary": b"\x02" + le("QIIQQQQ", 1, n, 1, 5, 9, 0x7F, 400),
    }
    one = {  # positions and numbers just beyond
        "dport": b"\x01" + packed([0], 1)[:-2] + b"\x01\x01\x05\x00",
        "sport": b"\x01" + b"\x02" + varint(1) + packed([7], 64) + pack([1], 1),
        "dst": b"\x04" + varint(1) + 2 * packed([7], 64) + packed([1], 1),
        "ja4": b"\x05" + varint(1) + packed([1], 1) + b"a" + packed([1], 1),
    }
    for name, data in one.items():
        seeds["beyond_" + name] = b"\x01" + bytes([FIELD[name]]) + be("H", 0) + b"\x01" + data
    made["ja4"] = b"\x05" + varint(1) + packed([0], 0) + packed([0] * n, 0)  # empty texts only
    for name, data in made.items():
        seeds["column_" + name] = b"\x01" + bytes([FIELD[name]]) + be("H", n - 1) + b"\x01" + data
    return seeds


def table_seeds():
    sums = b"\x01" + b"".join(map(varint, (9, 90, 10**10, 2, 3, 2)))
    hosts, ports = 5, 7
    numbers = list(range(hosts))
    host = [packed([0] * hosts, 0), delta([0xFFFF0A000000 + i for i in numbers], 1)]
    host += [packed([i * 1000 for i in numbers], 12) for _ in range(7)]
    port = [packed([6] * 4 + [17] * 3, 5), delta([22, 80, 443, 8080, 8081, 9000, 9001], 14)]
    port += [dictionary([5, 5, 5, 9, 9, 9, 9], 1) for _ in range(3)]
    return {
        "hour": b"\x00" + sums + b"".join(bytes([p]) + varint(4) + varint(40) + varint(4000)
                                          for p in (6, 17)),
        "hour_empty": b"\x00\x01" + bytes(6),
        "hosts": b"\x01\x01" + varint(hosts) + b"".join(host),
        "ports": b"\x02\x01" + varint(ports) + b"".join(port),
        "hosts_beyond": b"\x01\x01" + varint(1025) + 9 * b"\0\0\0\x01\0",
        "ports_beyond": b"\x02\x01" + varint(4097) + 5 * b"\0\0\0\x01\0",
        "number_beyond": b"\x01\x01" + varint(1)
        + 9 * (b"\x02" + varint(1) + packed([7], 64) + pack([1], 1)),
    }


def user_seeds():
    def text(t):
        return bytes([len(t)]) + t

    def user(key, name, role=b"viewer", version=1):
        value = bytes([version]) + text(name) + text(b"netflow") + text(role) + bytes(range(32))
        return text(b"U\x01" + key) + value + le("QQ", 7, NOW * 10**9)

    return {
        "plain": user(32 * b"a", b"somebody"), "longest": user(32 * b"a", 63 * b"n", 15 * b"r"),
        "long_id": user(33 * b"a", b"n"), "long_name": user(b"a", 64 * b"n"),
        "long_role": user(b"a", b"n", 16 * b"r"), "empty": user(b"", b""),
        "version": user(b"a", b"b", version=2), "nul": user(b"a", b"b\0c"),
    }


def filter_seeds():
    texts = [
        "src ip 10.0.0.0/8 and dst port in [80 443] and bytes > 1M", "", "any # all", "not(not any)",
        "proto tcp and (flags SA and not flags R or port 1-1023)", "ipv6 or inet", "ident netflow",
        "src or dst ip in [2001:db8::/32, 10.0.0.7 10.0.0.0/29]", "src and dst net 10.0.0.0 255.0.0.0",
        "start >= 2026-03-25T09:00:00.5Z && end < 1774429200", "next ip 10.0.0.1 || router ip ::1",
        "server_name ~ 'example' or ja4 = \"\" or server_name in [a b]", "dst port != 53",
        "in src mac 00:11:22:33:44:55", "in if 3 or out packets <= 18446744073709551615",
        "bps > 10k and pps < 5 and bpp 100 and duration >= 1g", "verdict deny or action allow",
        "icmp-type 8 and icmp-code lt 1", "proto in [tcp, 17 icmp6]", "tcp_flags = 0x12", "port in [",
    ]
    return {f"filter_{i:02}": text for i, text in enumerate(texts)}


def main():
    makers = {name[:-6]: f for name, f in globals().items() if name.endswith("_seeds")}
    for target, make in makers.items():
        for name, data in make().items():
            seed(target, name, data)


if __name__ == "__main__":
    main()
