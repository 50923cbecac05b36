# SPDX-License-Identifier: Apache-2.0
"""Datagrams of real exporters, if they are there: WEIR_CORPORA, or ../shared/corpora beside the checkout.

docs/EXPORTERS.md says why some counts are not tshark's.
"""
import os
import re
import socket
import struct
import time
from pathlib import Path

from weir import ROOT, Skip, equal, wait_for

FOLDER = Path(os.environ.get("WEIR_CORPORA", ROOT.parent / "shared/corpora"))
KINDS = re.compile(r"^ *(?:Flow|pdu) \d+|^    (?:Flow|Expanded flow) sample, seq", re.M)

# Case: (records and options here, tshark's count).
DIFFERENT = {
    "calmh-ipfix/inline/010_ipfix_TestParsingBufferAll.bin": (8, 2),
    "logstash-codec-netflow/ipfix": (13, 7),
    "logstash-codec-netflow/netflow5_test_invalid01": (0, 30),
    "logstash-codec-netflow/netflow5_test_invalid02": (0, 30),
    "logstash-codec-netflow/netflow9_test_h3c": (16, 1),
    "logstash-codec-netflow/netflow9_test_invalid01": (3, 0),
    "netflow_parser/inline/049_ipfix_it_parses_ipfix_with_v9_options_template.bin": (1, 2),
    "python-netflow/inline/003_nf9_PACKET_V9_TEMPLATE_MIXED.bin": (8, 0),
    "telegraf/issue_14370/message": (0, 2),
}


def order(path):
    """Templates before data, as the exporter sent them."""
    name = path.name
    return (not re.search("tpl|templ", name), "opt" in name, name)


def cases():
    """Files by exporter: those of a name up to its first "tpl", "data" and the like."""
    found = {}
    for path in sorted(FOLDER.rglob("*")):
        if path.suffix not in (".dat", ".bin") or not path.is_file():
            continue
        folder = path.parent.relative_to(FOLDER)
        stem = re.sub(r"_?(opt)?(tpls?|data|templates?).*$", "", path.stem)
        if re.search("asr9k|nbar", stem):  # several routers under one name: by template
            stem += re.search(r"(\d*)$", path.stem)[1]
        alone = folder.parts[0] not in ("logstash-codec-netflow", "telegraf")
        found.setdefault(f"{folder}/{path.name if alone else stem}", []).append(path)
    return {name: sorted(paths, key=order) for name, paths in found.items()}


def capture(path, sent):
    """A capture of (source number, datagram) pairs, each source with an address of its own."""
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101))
        for source, data in sent:
            udp = struct.pack("!HHHH", 40000, 6343 if data[:2] == b"\0\0" else 2055, 8 + len(data), 0) + data
            address = bytes([10, 0, source >> 8, source & 255])
            ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, address, b"\x7f\0\0\1")
            f.write(struct.pack("<IIII", int(time.time()), 0, len(ip + udp), len(ip + udp)) + ip + udp)


def tshark_counts(t, path, sent):
    tshark = t.peer("tshark")
    text = t.run([tshark, "-r", path, "-d", "udp.port==2055,cflow", "-V"]).stdout
    counts = {}
    for frame in re.split(r"^Frame (?=\d+:)", text, flags=re.M)[1:]:
        number = int(frame.split(":", 1)[0])
        source = sent[number - 1][0]
        counts[source] = counts.get(source, 0) + len(KINDS.findall(frame))
    return counts


def real_exporters_are_read_as_tshark_reads_them(t):
    if not FOLDER.is_dir():
        raise Skip(f"{FOLDER} is not there")
    col, sent, ours = t.collector(), [], {}
    names = list(cases().items())
    for i, (name, paths) in enumerate(names):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # stays open: no other case gets its port
        t.closers.append(s.close)
        s.connect(("127.0.0.1", col.port["udp"]))
        ours[s.getsockname()[1]] = (i, name)
        for path in paths:
            s.send(path.read_bytes())
            sent.append((i, path.read_bytes()))
    wait_for("all is read", lambda: col.ledger()["datagrams"] == len(sent))
    time.sleep(1.2)  # exporters are listed each second
    counts = dict.fromkeys(range(len(names)), 0)
    for e in col.ask("exporters"):
        counts[ours[e["port"]][0]] += e["records"] + e["options"]
    assert col.process.is_alive()
    capture(t.path("all.pcap"), sent)
    theirs = tshark_counts(t, t.path("all.pcap"), sent)
    pairs = {name: (counts[i], theirs.get(i, 0)) for i, (name, _) in enumerate(names)}
    different = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    equal("counts that differ from tshark's", different, DIFFERENT)
    total = col.ledger()
    col.wait_stored(total["records"] - total["no_address"])
