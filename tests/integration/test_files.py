# SPDX-License-Identifier: Apache-2.0
"""nfdump files and captures in, nfdump files, CSV and JSON out, and stored flows to other collectors."""
import csv
import io
import json
import os
import pty
import random
import struct
import subprocess
import time
from collections import Counter

from peers import Nfcapd, Tee, compare_with_nfdump
from test_capture import compare_kpi
from weir import ENV, equal, minute, wait_for

FLOWS = 20_000
OLD = 1_600_000_000  # history: 2020-09-13


def import_(t, col, *paths, check=True, to=None):
    """Imports and returns the report, its exit status and its words."""
    argv = [t.program("cli/weir"), "import", *paths, "--to", to or col.tcp(), "--control", col.control, "-o", "json"]
    r = t.run(argv, check=check)
    assert r.returncode in (0, 1), f"weir import ended with {r.returncode}: {r.stderr[-1000:]}"
    return json.loads(r.stdout) | {"status": r.returncode, "words": r.stderr}


def export(t, col, *args, check=True):
    return t.run([t.program("cli/weir"), "export", "--store", col.store, *args], check=check)


def replay(t, col, to, *args):
    r = t.run([t.program("cli/weir"), "replay", "--store", col.store, "--to", to, *args])
    assert "flows in" in r.stderr, r.stderr
    return r


def nfcapd_with(t, *args, proto="v9", flows=FLOWS, **options):
    """An nfcapd that has taken known flows and has ended."""
    nfcapd = Nfcapd(t, *args)
    truth = t.export(proto, f"udp:127.0.0.1:{nfcapd.port}", flows, rate=40_000, **options)
    time.sleep(1)
    nfcapd.stop()
    equal("flows that nfcapd took", nfcapd.totals()["flows"], flows)
    return nfcapd, truth


def whole(report, n):
    equal("read, sent, stored", [report[k] for k in ("read", "sent", "stored")], [n, n, n])
    equal("exit status", report["status"], 0)


def every_compression_of_nfcapd_is_imported_exactly(t):
    for number, flag in enumerate(((), ("-z",), ("-y",), ("-j",))):
        nfcapd, truth = nfcapd_with(t, *flag)
        col = t.collector(store=t.path(f"store.{number}"))
        whole(import_(t, col, nfcapd.dir), FLOWS)
        api = t.api(col)
        compare_kpi(api.kpi(truth), truth)
        compare_with_nfdump(api, nfcapd, truth)
        col.stop()


def csv_rows(t, *where):
    """nfdump's csv lines without when and from whom the record was received."""
    text = t.run([t.peer("nfdump"), *where, "-o", "csv", "-N"]).stdout
    wanted = [l for l in text.splitlines() if l[:3] == "ts," or l[4:5] == "-"]
    rows = list(csv.DictReader(io.StringIO("\n".join(wanted))))
    for row in rows:
        for key in ("tr", "exid"):
            row.pop(key)
    return Counter(tuple(sorted(r.items())) for r in rows)


def nfcapd_files_go_through_the_store_unchanged(t):
    nfcapd, truth = nfcapd_with(t, "-y", proto="ipfix")
    col = t.collector()
    whole(import_(t, col, nfcapd.dir), FLOWS)
    want = csv_rows(t, "-R", nfcapd.dir)
    equal("rows of nfcapd", sum(want.values()), FLOWS)
    for how in ("none", "lzo", "lz4", "bz2"):
        out = t.path(f"out.{how}")
        words = export(t, col, "--format", "nfcapd", "--out", out, "--compress", how, "--every", "5m").stderr
        assert f"{FLOWS} flows" in words, words
        got = csv_rows(t, "-R", out)
        equal(f"rows that nfcapd does not know ({how})", list((got - want).items())[:2], [])
        equal(f"rows that are missing ({how})", list((want - got).items())[:2], [])
        for file in out.iterdir():
            check = t.run([nfcapd.nfdump, "-v", file])
            equal("nfdump's complaints", [l for l in (check.stdout + check.stderr).splitlines() if "rror" in l], [])
        equal("sums", Counter(sums(t, out)), Counter(sums(t, nfcapd.dir)))


def sums(t, directory):
    lines = dict(l.split(": ", 1) for l in t.run([t.peer("nfdump"), "-R", directory, "-I"]).stdout.splitlines() if ": " in l)
    return {k: int(v) for k, v in lines.items() if k.startswith(("Flows", "Packets", "Bytes"))}


def imported_history_keeps_exporter_and_times(t):
    nfcapd, truth = nfcapd_with(t, start=OLD, domain=77)
    col = t.collector(args=["--clock-skew", "1d"])
    whole(import_(t, col, nfcapd.dir), FLOWS)
    ledger = col.ledger()
    equal("imported, clamped", (ledger["imported"], ledger["time_clamped"]), (FLOWS, 0))
    compare_kpi(t.api(col).kpi(truth), truth)
    rows = csv.DictReader(io.StringIO(export(t, col, "--format", "csv").stdout, newline=""))
    equal("exporter and domain", {(r["exporter"], r["domain"]) for r in rows}, {("127.0.0.1", "77")})


def import_into_an_entity(t):
    nfcapd, truth = nfcapd_with(t, flows=2_000)
    col = t.collector()
    argv = [t.program("cli/weir"), "import", nfcapd.dir, "--to", col.tcp(), "--control", col.control, "--entity"]
    equal("an unknown entity", t.run(argv + ["nobody"], check=False).returncode, 1)
    t.run(argv + ["lentor"])
    equal("rows of lentor", len(export(t, col, "--entity", "lentor", "--format", "jsonl").stdout.splitlines()), 2_000)
    equal("rows of netflow", export(t, col, "--format", "jsonl").stdout, "")


def importers_that_are_not_trusted_are_told(t):
    nfcapd, truth = nfcapd_with(t, flows=2_000, start=OLD)
    config = t.path("weir.yaml")
    config.write_text("collector:\n  trust_exporter_field: []\n")
    col = t.collector(args=["-c", config, "--clock-skew", "1d"])
    report = import_(t, col, nfcapd.dir)
    whole(report, 2_000)
    assert "does not trust this host" in report["words"], report["words"]
    equal("clamped", col.ledger()["time_clamped"], 2_000)


def import_without_the_ledger(t):
    nfcapd, truth = nfcapd_with(t, flows=2_000)
    col = t.collector()
    argv = [t.program("cli/weir"), "import", nfcapd.dir, "--to", col.tcp(), "--control", t.path("none.sock")]
    equal("no control socket", t.run(argv, check=False).returncode, 69)
    t.run(argv + ["--unverified"])
    col.wait_stored(2_000)
    argv[argv.index(col.tcp())] = "tcp:127.0.0.1:1"
    equal("no collector", t.run(argv + ["--unverified"], check=False).returncode, 69)


# -- captures --------------------------------------------------------------------------------------


def datagrams(t, proto, flows=5_000, **options):
    """What an exporter sends, and its true sums."""
    tee = Tee(t)
    truth = t.export(proto, f"udp:127.0.0.1:{tee.port}", flows, name=f"export.{proto}", rate=40_000, **options)
    tee.wait_quiet()
    return tee, truth


def ip_packet(data, port, source):
    udp = struct.pack("!HHHH", port, 2055, 8 + len(data), 0) + data
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0)
    return head + bytes(map(int, source.split("."))) + b"\x7f\0\0\1" + udp


LINKS = {
    "ethernet with two VLANs": (1, b"\2" * 12 + b"\x88\xa8\0\5\x81\0\0\7\x08\0"),
    "raw": (101, b""),
    "Linux cooked": (113, b"\0" * 14 + b"\x08\0"),
    "Linux cooked, v2": (276, b"\x08\0" + b"\0" * 18),
}


def write_pcap(path, packets, link, ns=False):
    number, head = LINKS[link]
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B23C4D if ns else 0xA1B2C3D4, 2, 4, 0, 0, 65535, number))
        for when, packet in packets:
            frame = head + packet
            fraction = int(when % 1 * (1e9 if ns else 1e6))
            f.write(struct.pack("<IIII", int(when), fraction, len(frame), len(frame)) + frame)


def block(kind, body, order):
    body += b"\0" * (-len(body) % 4)
    return struct.pack(order + "II", kind, 12 + len(body)) + body + struct.pack(order + "I", 12 + len(body))


def write_pcapng(path, packets, link, order=">"):
    number, head = LINKS[link]
    with open(path, "wb") as f:
        f.write(block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order))
        f.write(block(1, struct.pack(order + "HHIHHBxxxHH", number, 0, 0, 9, 1, 9, 0, 0), order))
        for when, packet in packets:
            frame = head + packet
            ns = int(when * 1e9)
            f.write(block(6, struct.pack(order + "IIIII", 0, ns >> 32, ns & 0xFFFFFFFF, len(frame), len(frame)) + frame, order))


def captures_of_every_protocol_and_link_are_imported_exactly(t):
    col = t.collector(args=["--clock-skew", "1d"])
    api, start = t.api(col), OLD
    stored = 0
    for proto in ("v5", "v9", "ipfix"):
        start += 7 * 86400
        tee, truth = datagrams(t, proto, start=start)
        link = {"v5": "ethernet with two VLANs", "v9": "Linux cooked", "ipfix": "raw"}[proto]
        # as they were captured then: one half in pcap, the other in pcapng
        packets = [(start + i / 1000, ip_packet(d, 40000, "192.0.2.9")) for i, (_, d) in enumerate(tee.datagrams)]
        half = len(packets) // 2
        write_pcap(t.path(f"{proto}.1.pcap"), packets[:half], link, ns=proto == "v5")
        write_pcapng(t.path(f"{proto}.2.pcapng"), packets[half:], link, order="<>"[proto == "v9"])
        report = import_(t, col, t.path(f"{proto}.1.pcap"), t.path(f"{proto}.2.pcapng"))
        whole(report, 5_000)
        equal("datagrams", report["datagrams"], len(packets))
        compare_kpi(api.kpi(truth), truth)
        stored += 5_000
    equal("ledger", [col.ledger()[k] for k in ("stored", "imported", "time_clamped")], [stored, stored, 0])
    rows = csv.DictReader(io.StringIO(export(t, col).stdout, newline=""))
    equal("exporter", {r["exporter"] for r in rows}, {"192.0.2.9"})


def captured_softflowd_as_nfdump(t):
    softflowd, nfcapd, col = t.peer("softflowd"), Nfcapd(t), t.collector()
    tee = Tee(t, nfcapd.port)
    pcap, truth = t.capture(packets=60_000, flows=2_000)
    t.run([softflowd, "-r", pcap, "-n", f"127.0.0.1:{tee.port}", "-v", "5", "-m", "1000000", "-d"])
    tee.wait_quiet()
    nfcapd.stop()
    tee.save(t.path("export.pcap"))
    equal("exit status", import_(t, col, t.path("export.pcap"))["status"], 0)
    compare_with_nfdump(t.api(col), nfcapd, truth)


def captured_datagrams_are_sent_as_they_are(t):
    col = t.collector()
    tee, truth = datagrams(t, "v9", domain=5)
    packets = [(w, ip_packet(d, 40000 + i % 2, "127.0.0.2")) for i, (w, d) in enumerate(tee.datagrams)]
    # each of the two exporters needs the templates, which the first datagram has
    packets.insert(1, (packets[0][0], ip_packet(tee.datagrams[0][1], 40001, "127.0.0.2")))
    write_pcap(t.path("raw.pcap"), packets, "raw")
    report = import_(t, col, t.path("raw.pcap"), "--decode=no", to=col.udp())
    equal("datagrams sent", report["sent"], len(packets))
    equal("exporters, and those that could be kept", (report["exporters"], report["exporters_kept"]), (2, 2))
    wait_for("none in flight", lambda: col.ledger()["in_flight"] == 0)
    rows = list(csv.DictReader(io.StringIO(export(t, col).stdout, newline="")))
    equal("exporter", {r["exporter"] for r in rows}, {"127.0.0.2"})
    assert len(rows) > 5_000, len(rows)


# -- text ------------------------------------------------------------------------------------------


def csv_and_json_tell_the_true_sums(t):
    col = t.collector()
    truth = t.export("ipfix", col.tcp(), FLOWS, rate=100_000)
    col.wait_stored(FLOWS)
    for sealed in (False, True):
        if sealed:
            col.seal()
        out = t.path(f"out.{sealed}.csv")
        export(t, col, "--out", out)
        rows = list(csv.DictReader(io.StringIO(out.read_text())))
        lines = [json.loads(l) for l in export(t, col, "--format", "jsonl").stdout.splitlines()]
        for name, some in (("csv", rows), ("jsonl", lines)):
            equal(f"{name}: rows", len(some), FLOWS)
            equal(f"{name}: packets", sum(int(r["packets"]) for r in some), truth["packets"])
            equal(f"{name}: bytes", sum(int(r["bytes"]) for r in some), truth["ip_bytes"])
            protocols = Counter(str(r["proto"]) for r in some)
            equal(f"{name}: protocols", protocols, Counter({p: v["flows"] for p, v in truth["protocols"].items()}))
        key = ("start", "end", "src_ip", "dst_ip", "src_port", "dst_port", "proto", "packets", "bytes")
        equal("both", Counter(tuple(str(r[k]) for k in key) for r in rows), Counter(tuple(str(r[k]) for k in key) for r in lines))
    equal("a file that is there", export(t, col, "--out", out, check=False).returncode, 1)


def a_window_is_exported_to_the_minute(t):
    col = t.collector()
    t.export("ipfix", col.tcp(), 9_000, rate=0, start=OLD)
    t.export("ipfix", col.tcp(), 4_000, rate=0, start=OLD + 3600, domain=2)
    col.wait_stored(13_000)
    rows = export(t, col, "--format", "jsonl", "--from", minute(OLD + 3600), "--to", minute(OLD + 3600 + 59)).stdout
    equal("rows of the second hour", len(rows.splitlines()), 4_000)
    rows = export(t, col, "--format", "jsonl", "--until", minute(OLD + 1800).replace("/", "-").replace(" ", "T")).stdout
    equal("rows of the first", len(rows.splitlines()), 9_000)
    equal("no such entity", export(t, col, "--entity", "nobody", check=False).returncode, 1)


def a_split_biflow_is_two_flows(t):
    col = t.collector()
    pcap, truth = t.capture(packets=30_000, flows=1_000)
    t.sensor(pcap, col.tcp())
    col.wait_stored(truth["conversations"])
    out = t.path("out")
    export(t, col, "--format", "nfcapd", "--split", "--out", out)
    equal("packets and bytes", [sums(t, out)[k] for k in ("Packets", "Bytes")], [truth["packets"], truth["ip_bytes"]])
    whole_out = t.path("whole")
    export(t, col, "--format", "nfcapd", "--out", whole_out)
    equal("flows", sums(t, whole_out)["Flows"], truth["conversations"])
    rows = [dict(r) for r in csv_rows(t, "-R", whole_out).elements()]
    equal("packets both ways", sum(int(r["ipkt"]) + int(r["opkt"]) for r in rows), truth["packets"])
    equal("bytes both ways", sum(int(r["ibyt"]) + int(r["obyt"]) for r in rows), truth["ip_bytes"])


# -- replay ----------------------------------------------------------------------------------------


def stored(t, flows=10_000, **options):
    col = t.collector()
    truth = t.export("ipfix", col.tcp(), flows, rate=100_000, **options)
    col.wait_stored(flows)
    return col, truth


def check_replay_into_nfcapd(t, protocol):
    col, truth = stored(t)
    nfcapd = Nfcapd(t)
    replay(t, col, f"udp:127.0.0.1:{nfcapd.port}", "--protocol", protocol, "--rate", "20000")
    time.sleep(1)
    nfcapd.stop()
    equal("nfcapd's complaints", [l for l in nfcapd.process.text().splitlines() if "rror" in l and "errors: 0" not in l.lower() and "Errors: 0" not in l], [])
    compare_with_nfdump(t.api(col), nfcapd, truth)


def replay_v9_into_nfcapd_equals(t):
    check_replay_into_nfcapd(t, "v9")


def replay_ipfix_into_nfcapd_equals(t):
    check_replay_into_nfcapd(t, "ipfix")


def second_collector(t, first):
    """Another collector, on a control socket of its own."""
    class Second(type(first)):
        def __init__(self, bench):
            self.second = bench.path("second.sock")
            super().__init__(bench, store=bench.path("second"))

        @property
        def control(self):
            return self.second

        @control.setter
        def control(self, value):
            pass

    return Second(t)


def check_replay_into_weir(t, to, *args):
    col, truth = stored(t)
    second = second_collector(t, col)
    replay(t, col, getattr(second, to)(), *args)
    second.wait_stored(10_000)
    compare_kpi(t.api(second).kpi(truth), truth)
    return col, second


def replay_ipfix_over_tcp_equals(t):
    check_replay_into_weir(t, "tcp", "--max")


def replay_v9_over_udp_equals(t):
    check_replay_into_weir(t, "udp", "--protocol", "v9", "--rate", "20000")


def replay_keeps_the_exporter_when_asked(t):
    col, second = check_replay_into_weir(t, "tcp", "--max", "--keep-exporter")
    equal("imported", second.ledger()["imported"], 10_000)
    names = lambda c: Counter(l.split(",", 3)[3].rsplit(",", 0)[0] for l in export(t, c).stdout.splitlines())
    equal("rows but for the time of receipt", names(col), names(second))


def replay_of_biflows_splits_them_when_asked(t):
    col, nfcapd = t.collector(), Nfcapd(t)
    pcap, truth = t.capture(packets=30_000, flows=1_000)
    t.sensor(pcap, col.tcp())
    col.wait_stored(truth["conversations"])
    replay(t, col, f"udp:127.0.0.1:{nfcapd.port}", "--protocol", "v9", "--rate", "5000", "--split")
    time.sleep(1)
    nfcapd.stop()
    totals = nfcapd.totals()
    equal("packets and bytes", (totals["packets"], totals["bytes"]), (truth["packets"], truth["ip_bytes"]))


def replay_keeps_time(t):
    col = t.collector()
    truth = t.export("ipfix", col.tcp(), 4_000, rate=1_000, start=OLD)  # four seconds long
    col.wait_stored(4_000)
    tee = Tee(t)
    begin = time.monotonic()
    replay(t, col, f"udp:127.0.0.1:{tee.port}", "--speed", "2")
    took = time.monotonic() - begin
    assert 1.9 < took < 6, f"two seconds took {took:.1f}"
    times = [when for when, _ in tee.datagrams]
    assert max(times) - min(times) > 1.5, "they were not spread"


# -- what is wrong ---------------------------------------------------------------------------------


def damaged(data, r):
    """Versions of a file that nobody should write."""
    for n in (0, 1, 39, 40, 45, 52, 100, len(data) // 2, len(data) - 1):
        yield data[:n]
    yield b"\xa5\x0c" + data[2:]  # the other byte order
    yield data[:2] + b"\1\0" + data[4:]  # layout 1
    yield data[:16] + b"\4" + data[17:]  # zstd
    yield data[:17] + b"\1" + data[18:]  # encrypted
    yield data[:24] + struct.pack("<q", 1 << 62) + data[32:]
    yield data[:36] + struct.pack("<I", 1 << 31) + data[40:]
    yield data[:44] + struct.pack("<I", 1 << 31) + data[48:]
    yield r.randbytes(5000)
    for _ in range(150):
        bad = bytearray(data)
        for _ in range(r.randrange(1, 20)):
            bad[r.randrange(len(bad))] = r.randrange(256)
        yield bytes(bad)


def damaged_nfdump_files_are_told_and_do_no_harm(t):
    r = random.Random(7)
    col = t.collector()
    good, truth = nfcapd_with(t, flows=3_000)
    for number, flag in enumerate(((), ("-z",), ("-y",), ("-j",))):
        nfcapd, _ = nfcapd_with(t, *flag, flows=500)
        data = nfcapd.files()[0].read_bytes()
        place = t.path(f"bad.{number}")
        place.mkdir()
        for i, bad in enumerate(damaged(data, r)):
            (place / f"nfcapd.{i:03}").write_bytes(bad)
        report = import_(t, col, place, check=False)
        equal("exit status", report["status"], 1)
        equal("sent and stored", report["sent"], report["stored"])
        assert report["bad_files"] >= 10 and report["words"].count("weir import: ") >= 10, report
    before = col.ledger()["stored"]
    whole(import_(t, col, good.dir), 3_000)
    equal("rows stored", col.ledger()["stored"], before + 3_000)
    col.stop()


def damaged_captures_are_told_and_do_no_harm(t):
    r = random.Random(8)
    col = t.collector()
    tee, truth = datagrams(t, "ipfix", flows=300)
    packets = [(w, ip_packet(d, 40000, "192.0.2.9")) for w, d in tee.datagrams]
    write_pcap(t.path("good.pcap"), packets, "raw")
    write_pcapng(t.path("good.pcapng"), packets, "Linux cooked")
    place = t.path("bad")
    place.mkdir()
    for name in ("good.pcap", "good.pcapng"):
        for i, bad in enumerate(damaged(t.path(name).read_bytes(), r)):
            (place / f"{name}.{i:03}").write_bytes(bad)
    report = import_(t, col, place, check=False)
    equal("sent and stored", report["sent"], report["stored"])
    whole(import_(t, col, t.path("good.pcap")), 300)
    col.stop()


def what_is_no_flow_file_is_refused(t):
    col = t.collector()
    t.path("words.txt").write_text("no flows in here\n" * 100)
    report = import_(t, col, t.path("words.txt"), check=False)
    equal("status", report["status"], 1)
    assert "neither an nfdump file nor a capture" in report["words"], report["words"]
    argv = [t.program("cli/weir"), "import", "--to", col.tcp(), "--control", col.control]
    equal("a path that is not there", t.run(argv + [t.path("none")], check=False).returncode, 1)
    assert t.run(argv, check=False).returncode != 0, "nothing to import"
    for words in (["export", "--store", t.path("none")], ["replay", "--store", t.path("none"), "--to", col.tcp()]):
        r = t.run([t.program("cli/weir"), *words], check=False)
        equal(f"{words[0]} without a store", r.returncode, 1)
        assert "no store here" in r.stderr, r.stderr


def on_terminal(argv):
    """Runs with standard error on a terminal; what it showed there."""
    master, slave = pty.openpty()
    argv, shown = [str(a) for a in argv], b""
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=slave, stdin=subprocess.DEVNULL, env=ENV) as p:
        os.close(slave)
        try:
            while data := os.read(master, 4096):
                shown += data
        except OSError:
            pass  # the other end is closed
        os.close(master)
        equal("exit status", p.wait(60), 0)
    return shown.decode()


def progress_is_shown_on_terminals_only(t):
    nfcapd, truth = nfcapd_with(t, flows=5_000)
    col = t.collector()
    argv = [t.program("cli/weir"), "import", nfcapd.dir, "--to", col.tcp(), "--control", col.control, "--rate", "2500"]
    shown = on_terminal(argv)
    assert "importing" in shown and "ETA" in shown and " %" in shown and "/s" in shown, shown
    equal("words when it is no terminal", t.run(argv).stderr, "")
    shown = on_terminal(argv[:-2])
    assert "ETA" not in shown, "a short import shows a bar"


def help_of_each_command(t):
    for name in ("import", "export", "replay"):
        r = t.run([t.program("cli/weir"), name, "--help"])
        assert r.stdout.startswith(f"Usage: weir {name} "), r.stdout[:80]
        equal("unknown option", t.run([t.program("cli/weir"), name, "--no-such-option"], check=False).returncode, 2)
