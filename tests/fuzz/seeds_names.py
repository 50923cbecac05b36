#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of the targets of sensor/names into corpus/; see seeds.py."""

import pathlib
import re
import struct

HERE = pathlib.Path(__file__).resolve().parent
RFC_H = (HERE / "../unit/sensor/names/rfc.h").read_text()


def seed(target, name, data):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def be(fmt, *values):
    return struct.pack(">" + fmt, *values)


def piece(data):
    return be("H", len(data)) + data


def vector(fmt, data):
    return be(fmt, len(data)) + data


# --- TLS ----------------------------------------------------------------------------------------


def extension(kind, data):
    return be("H", kind) + vector("H", data)


def server_name(name):
    return extension(0, vector("H", b"\0" + vector("H", name)))


def hello_body(extensions, version=0x0303, ciphers=(0x0A0A, 0x1301, 0x1302, 0xC02B), cookie=None):
    body = be("H", version) + bytes(range(32)) + vector("B", b"session")
    if cookie is not None:
        body += vector("B", cookie)
    body += vector("H", b"".join(be("H", c) for c in ciphers)) + b"\1\0"
    return body + (vector("H", b"".join(extensions)) if extensions is not None else b"")


def message(body):
    return b"\1" + len(body).to_bytes(3, "big") + body


def record(data):
    return b"\x16\3\1" + vector("H", data)


EXTENSIONS = [
    extension(0x1A1A, b""),
    server_name(b"www.Example.com"),
    extension(10, vector("H", b"\0\x1d\0\x17")),
    extension(13, vector("H", b"\4\3\x08\4\4\1")),
    extension(16, vector("H", vector("B", b"h2") + vector("B", b"http/1.1"))),
    extension(43, vector("B", b"\x2a\x2a\3\4\3\3")),
    extension(51, vector("H", b"\0\x1d" + vector("H", bytes(32)))),
    extension(0xFE0D, b"\0\0\1\0\1" + vector("H", b"") + vector("H", bytes(16))),
]
HELLO = message(hello_body(EXTENSIONS))


def records(data, size):
    return b"".join(record(data[i : i + size]) for i in range(0, len(data), size))


def stream(cut, data):
    return b"\0" + be("H", cut) + data


def dtls(body, begin, end, number=0):
    head = b"\1" + len(body).to_bytes(3, "big") + be("H", number)
    part = head + begin.to_bytes(3, "big") + (end - begin).to_bytes(3, "big") + body[begin:end]
    return b"\x16\xfe\xfd" + be("Q", number) + vector("H", part)


def tls_seeds():
    seed("tls", "hello", stream(90, record(HELLO)))
    seed("tls", "records", stream(40, records(HELLO, 17)))
    seed("tls", "bare", stream(20, record(message(hello_body(None, 0x0301)))))
    seed("tls", "empty", stream(0, record(message(hello_body([])))))
    seed("tls", "alert", stream(3, b"\x15\3\1\0\2\2\x28"))
    body = hello_body([server_name(b"turn.example")], 0xFEFD, cookie=b"")
    again = hello_body([server_name(b"turn.example")], 0xFEFD, cookie=b"cookie")
    seed("tls", "dtls", b"\1" + piece(dtls(body, 0, len(body))))
    parts = [dtls(again, 30, len(again), 1), dtls(again, 0, 30, 1)]
    seed("tls", "dtls_fragments", b"\1" + piece(dtls(body, 0, 40)) + b"".join(map(piece, parts)))
    return body


# --- QUIC ---------------------------------------------------------------------------------------


def varint(value):
    return be("B", value) if value < 64 else be("H", 0x4000 | value)


def crypto(begin, end):
    return b"\6" + varint(begin) + varint(end - begin) + HELLO[begin:end]


def rfc_packets():
    for text in re.findall(r"\[\] =\n(.*?);", RFC_H, re.S):
        yield bytes.fromhex("".join(re.findall(r'"([0-9a-f]+)"', text)))


def quic_seeds():
    v1, v2 = rfc_packets()
    seed("quic", "rfc9001", b"\0" + piece(v1))
    seed("quic", "rfc9369", b"\0" + piece(v2))
    seed("quic", "two", b"\0" + piece(v1) + piece(v1[:1100]) + piece(v2))
    half = len(HELLO) // 2
    seed("quic", "whole", b"\1\0\0\x08\0" + piece(crypto(0, len(HELLO))))
    first = b"\1" + crypto(half, len(HELLO)) + b"\0\0" + crypto(10, 20)
    second = crypto(0, 10) + b"\2\0\0\0\0" + crypto(20, half)
    seed("quic", "shuffled", b"\1\1\3\x14\x20" + piece(first) + piece(second))
    seed("quic", "ack_close", b"\1\0\1\0\0" + piece(b"\3\5\0\1\1\1\1\0\0\0\x1c\x0a\0\3bye"))
    seed("quic", "stream", b"\1\0\0\x08\0" + piece(b"\x08\0data"))
    return v1


# --- DNS ----------------------------------------------------------------------------------------


def name(text):
    return b"".join(vector("B", label) for label in text.split(b".")) + b"\0"


def dns(flags, question, *answers):
    head = be("HHHHHH", 7, flags, question is not None, len(answers), 0, 0)
    return head + (question or b"") + b"".join(answers)


def answer(kind, data, owner=b"\xc0\x0c"):
    return owner + be("HHI", kind, 1, 60) + vector("H", data)


QUESTION = name(b"www.Example.com") + be("HH", 1, 1)
QUERY = dns(0x0100, QUESTION)
RESPONSE = dns(
    0x8180,
    QUESTION,
    answer(5, b"\3cdn\xc0\x10"),
    answer(1, b"\xc0\0\2\1", b"\xc0\x2d"),
    answer(28, b"\x20\1\x0d\xb8" + bytes(11) + b"\1"),
)


def dns_seeds():
    mdns = dns(0x8400, None, answer(12, b"\xc0\x0c", name(b"_http._tcp.local")))
    for label, data in (("query", QUERY), ("response", RESPONSE), ("mdns", mdns)):
        seed("dns", label, be("H", 20) + data)
    seed("dns", "tcp", be("H", 20) + vector("H", RESPONSE))
    seed("dns", "escaped", be("H", 5) + dns(0x0100, b"\5a.b\0\xff\0" + be("HH", 28, 1)))
    seed("dns", "loop", be("H", 5) + dns(0x0100, b"\3www\xc0\x0c" + be("HH", 1, 1)))
    seed("dns", "nxdomain", be("H", 5) + dns(0x8183, QUESTION))


# --- HTTP ---------------------------------------------------------------------------------------

GET = b"GET /x?y HTTP/1.1\r\nAccept: */*\r\nhost: www.Example.com:8080\r\n\r\n"


def http_seeds():
    for label, data in (
        ("get", GET),
        ("absolute", b"GET http://me@a.example/x HTTP/1.0\r\n\r\n"),
        ("connect", b"CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: proxy\r\n\r\n"),
        ("none", b"OPTIONS * HTTP/1.1\nHost:\n\n"),
        ("rtsp", b"OPTIONS rtsp://a RTSP/1.0\r\n"),
        ("hostile", b"POST / HTTP/1.1\r\nHost: a\0b\x1b[2J\\\xff..\r\n"),
    ):
        seed("http", label, be("H", 25) + data)


# --- the front ----------------------------------------------------------------------------------


def packet(what, at, data):
    return be("BH", what, at) + piece(data)


def names_seeds(dtls_body, initial):
    whole = record(HELLO)
    seed("names", "tls", packet(0x10, 0, b"") + packet(0, 1, whole))
    split = [packet(0, 101, whole[100:]), packet(8, 7, b"reply"), packet(0, 1, whole[:100])]
    seed("names", "split", packet(0x10, 0, b"") + b"".join(split))
    many = b"".join(packet(i, 1, whole[:50]) for i in (0, 1, 3, 0xE0, 0))
    seed("names", "full", many + packet(3, 1, GET[:30]) + packet(3, 31, GET[30:]))
    tcp = packet(2, 1, vector("H", QUERY)) + packet(10, 9, vector("H", RESPONSE)[:30])
    seed("names", "dns", packet(5, 0, QUERY) + packet(13, 0, RESPONSE) + tcp)
    seed("names", "quic", packet(4, 0, initial) + packet(4, 0, initial[:1199] + b"?"))
    halves = [dtls(dtls_body, 20, len(dtls_body)), dtls(dtls_body, 0, 20)]
    seed("names", "dtls", b"".join(packet(6, 0, half) for half in halves))
    seed("names", "http", packet(3, 1, GET))


if __name__ == "__main__":
    BODY = tls_seeds()
    INITIAL = quic_seeds()
    dns_seeds()
    http_seeds()
    names_seeds(BODY, INITIAL)
