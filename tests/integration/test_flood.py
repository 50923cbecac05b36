# SPDX-License-Identifier: Apache-2.0
"""Floods beside an exporter that behaves: memory and log stay small, its records are exact.

Small by default; in full: WEIR_TEST_TEMPLATES=1200000 WEIR_TEST_SOURCES=1000000
WEIR_TEST_MUTATED=10000000.
"""
import json
import os
import random
import re
import socket
import struct
import time

from weir import equal, wait_for

MIB = 1 << 20
GROWTH_MAX = 64 * MIB
LINES_PER_SEC = 10
FLOWS = 60_000
DOMAIN = 77_000_777  # no mutation comes to that


def rss(col):
    with open(f"/proc/{col.process.pid}/status") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1]) * 1024


def ipfix(sequence, *sets):
    body = b"".join(struct.pack("!HH", i, len(b) + 4) + b for i, b in sets)
    return struct.pack("!HHIII", 10, 16 + len(body), int(time.time()), sequence, 9) + body


def template(number):
    return struct.pack("!HHHHHHHH", 256 + number % 65000, 3, 8, 4, 12, 4, 400 + number % 7, 4)


def templates(n):
    """n templates of one source, twenty in a datagram."""
    for i in range(0, n, 20):
        yield None, ipfix(0, (2, b"".join(template(k) for k in range(i, i + 20))))


def sources(n):
    """A template each of n sources that are never heard again."""
    for i in range(n):
        yield f"127.{1 + (i >> 16) % 200}.{i >> 8 & 255}.{i & 255}", ipfix(0, (2, template(i)))


def mutated(n):
    """Datagrams of all kinds, some bytes of each changed."""
    r = random.Random(3)
    row = bytes([10, 0, 0, 1, 10, 0, 0, 2, 0, 0, 0, 7])
    v9 = struct.pack("!HHIIII", 9, 2, 1000, int(time.time()), 1, 9)
    sample = struct.pack("!7I", 1, 3, 512, 9, 0, 3, 4) + struct.pack("!I", 1)
    sample += struct.pack("!2I", 3, 32) + struct.pack("!2I", 100, 6) + row[:8] + struct.pack("!4I", 1, 2, 3, 4)
    good = [
        ipfix(1, (2, template(0)), (256, row)),
        ipfix(1, (3, struct.pack("!9H", 257, 2, 1, 48, 1, 50, 4, 0, 0)), (257, bytes(10))),
        v9 + struct.pack("!HH", 0, 20) + template(0) + struct.pack("!HH", 256, 16) + row,
        struct.pack("!HHIIIIHH", 5, 1, 1000, int(time.time()), 0, 1, 0, 0) + bytes(48),
        struct.pack("!7I", 5, 1, 1, 0, 1, 1000, 1) + struct.pack("!2I", 1, len(sample)) + sample,
    ]
    for _ in range(n):
        data = bytearray(r.choice(good))
        for _ in range(r.randrange(1, 6)):
            data[r.randrange(len(data))] = r.choice((0, 1, 255, r.randrange(256)))
        yield None, bytes(data[: r.randrange(len(data))] if r.randrange(8) == 0 else data)


def send(port, datagrams):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for i, (source, data) in enumerate(datagrams):
        if source is None:
            one.sendto(data, ("127.0.0.1", port))
        else:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.bind((source, 0))
                s.sendto(data, ("127.0.0.1", port))
        if i % 64 == 63:
            time.sleep(0.0005)  # what the kernel drops floods nobody
    one.close()


def check_flood(t, datagrams, growth_max=GROWTH_MAX):
    col = t.collector()
    t.export("ipfix", col.tcp(), FLOWS, domain=1, rate=200_000)  # memory that any work takes
    col.wait_stored(FLOWS)
    before, lines, begin = rss(col), len(col.process.text().splitlines()), time.monotonic()
    exporter = t.start("weir-gen", t.export_argv("ipfix", col.tcp(), FLOWS, domain=DOMAIN, rate=60_000))
    send(col.port["udp"], datagrams)
    equal("the exporter's exit status", exporter.wait(), 0)
    wait_for("the exporter's records", lambda: col.ledger()["stored"] >= 2 * FLOWS)
    wait_for("none in flight", lambda: col.ledger()["in_flight"] == 0)
    assert col.process.is_alive()
    growth = rss(col) - before
    said = len(col.process.text().splitlines()) - lines
    took = time.monotonic() - begin
    assert growth <= growth_max, f"grown by {growth / MIB:.1f} MiB"
    assert said <= LINES_PER_SEC * (took + 1), f"{said} lines in {took:.1f} s"
    ledger = col.ledger()
    drops = sum(ledger[k] for k in ("no_address", "no_memory", "store_failed"))
    equal("records, and where they are", ledger["records"], ledger["stored"] + drops)
    top = [t.program("cli/weir"), "top", f"domain = {DOMAIN}", "--store", col.store, "--by", "domain", "-o", "json"]
    rows = json.loads(t.run(top).stdout)
    truth = json.loads(t.path("export.json").read_text())
    equal("the exporter's flows and bytes", [(r["flows"], r["bytes"]) for r in rows], [(FLOWS, truth["ip_bytes"])])
    print(f"grown by {growth / MIB:.1f} MiB, {said} lines in {took:.1f} s, {ledger['datagrams']} datagrams")
    return ledger


def a_flood_of_templates_takes_no_memory(t):
    ledger = check_flood(t, templates(int(os.environ.get("WEIR_TEST_TEMPLATES", 60_000))))
    assert ledger["template_limit"], "no template was refused"
    equal("stored", ledger["stored"], 2 * FLOWS)


def a_flood_of_sources_takes_no_memory(t):
    ledger = check_flood(t, sources(int(os.environ.get("WEIR_TEST_SOURCES", 5_000))))
    equal("stored", ledger["stored"], 2 * FLOWS)


def mutated_datagrams_disturb_nobody(t):
    ledger = check_flood(t, mutated(int(os.environ.get("WEIR_TEST_MUTATED", 20_000))), 4 * GROWTH_MAX)  # many are records, and stored
    assert ledger["bad_length"] and ledger["bad_version"], "bad messages were not counted"
