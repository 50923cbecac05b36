# SPDX-License-Identifier: Apache-2.0
"""The filter language and the native query routes: against nfdump on the very same datagrams."""
import csv
import http.client
import io
import ipaddress
import json
import random
import socket
import ssl
import struct
import threading
import time
import urllib.parse
from collections import Counter

from peers import Nfcapd, Tee
from weir import Answer, equal

RECORDS = 2_000
PER_MESSAGE = 12
# element, bytes: what both templates have behind the addresses
ELEMENTS = [(7, 2), (11, 2), (4, 1), (6, 1), (2, 8), (1, 8), (152, 8), (153, 8), (10, 4), (14, 4), (16, 4), (17, 4),
            (5, 1), (9, 1), (13, 1), (56, 6), (80, 6)]
LAYOUT = "!HHBBQQQQIIIIBBB6s6s"


def address(r, v6):
    if v6:
        return ipaddress.IPv6Address(f"2001:db8:{r.randrange(3):x}::{r.randrange(1, 40):x}").packed
    return bytes([10, r.randrange(3), r.randrange(2), r.randrange(1, 60)])


def record(r, v6, start_ms):
    proto = r.choice([6, 6, 6, 17, 17, 47, 58 if v6 else 1])
    ports = (r.choice([22, 80, 443, 1024, r.randrange(65536)]), r.choice([53, 80, 443, r.randrange(65536)]))
    if proto in (1, 58):
        ports = (0, r.choice([2048, 0, 771, 769]))
    elif proto == 47:
        ports = (0, 0)
    packets = r.choice([1, 2, 10, r.randrange(1, 5000)])
    size = packets * r.randrange(40, 1500)
    begin = start_ms + r.randrange(600_000)
    end = begin + r.choice([0, 1, 1000, r.randrange(60_000)])
    flags = r.choice([2, 18, 27, 4, 20, r.randrange(64)]) if proto == 6 else 0
    mac = lambda: bytes([0, 0x11, 0x22, 0x33, 0x44, r.randrange(4)])
    return address(r, v6) + address(r, v6) + struct.pack(
        LAYOUT, *ports, proto, flags, packets, r.choice([size, 1000, 1024, 1_000_000, 2_000_000]), begin, end, r.randrange(5),
        r.randrange(5), r.choice([0, 64500, 64501]), r.choice([0, 64500, 65536]), r.choice([0, 8, 184]), r.choice([8, 16, 24]),
        r.choice([8, 16, 24]), mac(), mac())


def messages(seed, start, n=RECORDS):
    """IPFIX datagrams of n random records, both versions of IP mixed."""
    r, sequence = random.Random(seed), 0
    heads = {256: [(8, 4), (12, 4)], 257: [(27, 16), (28, 16)]}
    templates = b"".join(struct.pack("!HH", t, len(a + ELEMENTS)) + b"".join(struct.pack("!HH", *e) for e in a + ELEMENTS)
                         for t, a in heads.items())
    sets = struct.pack("!HH", 2, 4 + len(templates)) + templates
    for first in range(0, n, PER_MESSAGE):
        v6 = r.random() < 0.3
        rows = [record(r, v6, start * 1000) for _ in range(min(PER_MESSAGE, n - first))]
        data = b"".join(rows)
        sets += struct.pack("!HH", 257 if v6 else 256, 4 + len(data)) + data
        yield struct.pack("!HHIII", 10, 16 + len(sets), int(time.time()), sequence, 7) + sets
        sequence += len(rows)
        sets = b""


def send(port, datagrams, pause=0.001):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for d in datagrams:
            s.sendto(d, ("127.0.0.1", port))
            time.sleep(pause)


class Line:
    """One connection for many questions."""

    def __init__(self, api):
        self.connection = http.client.HTTPSConnection("127.0.0.1", api.port, timeout=30, context=ssl._create_unverified_context())
        self.token = api.token

    def request(self, method, path, headers=()):
        self.connection.request(method, path, headers={"Authorization": f"Bearer {self.token}", **dict(headers)})
        r = self.connection.getresponse()
        return Answer(r.status, r.headers, r.read())


def v1(api, resource, want=200, headers=(), **params):
    a = api.request("GET", f"/api/v1/{resource}?" + urllib.parse.urlencode(params), headers=headers)
    assert a.status == want, f"{resource} {params}: {a.status} {a.body[:300]!r}"
    return a


def rfc3339(epoch):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch))


def span(start):
    return {"start": rfc3339(start - 60), "end": rfc3339(start + 3600)}


FILTERS = """any
not any
ipv4
ipv6
inet6 and proto tcp
proto tcp
proto udp or proto icmp
proto 47
not proto 6
ip 10.1.1.7
src ip 10.1.1.7
dst host 2001:db8:1::7
src or dst ip 10.0.0.5
src and dst net 10.1.0.0/16
net 10.1.0.0/16
src net 10.0.0.0 255.255.0.0
dst net 2001:db8:2::/48
net 10.2.1.0/26 and not dst net 10.0.0.0/15
ip in [10.1.1.7 10.0.0.5 10.2.1.9]
src ip in [2001:db8:1::7, 2001:db8::1]
port 80
src port 22
dst port in [53 80 443]
port in [22, 1024]
port > 60000
dst port < 100 and proto tcp
src port > 1023 and dst port < 1024
dst port = 2048 and proto icmp
icmp-type 3
icmp-type 3 and icmp-code 1
flags S
flags SA
flags AFSP
flags R and not flags SA
not flags S
flags = 2
flags > 16
packets = 10
packets > 1k
packets < 3
bytes > 1k
bytes = 1k
bytes = 1000
bytes > 1M
bytes >= 2m
bytes <= 1024
in bytes > 100k
bps > 1m
bps = 0
pps > 100
pps < 1
bpp > 1000
bpp < 100
duration = 1000
duration > 30000
duration < 2
if 3
in if 2
out if 4
tos 8
src tos 184
src mask 24
mask 16
mac 00:11:22:33:44:02
in src mac 00:11:22:33:44:01
proto tcp and (src ip 10.1.1.7 or dst port 443) and not flags R
(ipv4 and bytes > 1M) or (ipv6 and packets < 3)
not (proto tcp or proto udp) and bytes > 10k
not not proto tcp && ! port 80 || proto 47
""".splitlines()

# nfdump wants a geo database before it looks at an AS: its rows, looked at here
LOOKED_AT = {
    "as 64500": lambda r: "64500" in (r["sas"], r["das"]),
    "src as 64500": lambda r: r["sas"] == "64500",
    "dst as = 65536": lambda r: r["das"] == "65536",
    "src as in [64501 65536] and not ipv6": lambda r: r["sas"] in ("64501", "65536") and ":" not in r["sa"],
}


def of_nfdump(rows):
    return Counter((r["sa"], r["da"], r["sp"], r["ipkt"], r["ibyt"], r["flg"], r["sas"], r["in"]) for r in rows)


def of_api(text):
    rows = csv.DictReader(io.StringIO(text, newline=""))
    flags = lambda r: "." * 2 + r["flags"]
    return Counter((r["src_ip"], r["dst_ip"], r["src_port"], r["packets"], r["bytes"], flags(r), r["src_as"], r["in_if"]) for r in rows)


def both(t, n=RECORDS):
    """The same datagrams in nfcapd and in the store."""
    start = int(time.time()) - 7200
    nfcapd, col = Nfcapd(t), t.collector()
    tee = Tee(t, nfcapd.port, col.port["udp"])
    send(tee.port, messages(1, start, n))
    col.wait_stored(n)
    time.sleep(0.5)
    nfcapd.stop()
    equal("flows that nfcapd took", nfcapd.totals()["flows"], n)
    return nfcapd, col, start


def filters_as_nfdump(t):
    nfcapd, col, start = both(t)
    api, fields = Line(t.api(col)), "src_ip,dst_ip,src_port,packets,bytes,flags,src_as,in_if"
    wanted = {text: of_nfdump(nfcapd.rows(text)) for text in FILTERS}
    rows = nfcapd.rows()
    wanted |= {text: of_nfdump(filter(test, rows)) for text, test in LOOKED_AT.items()}
    for how in ("journal", "sealed"):
        for text, want in wanted.items():
            got = of_api(v1(api, "flows", filter=text, fields=fields, limit=10000, format="csv", **span(start)).body.decode())
            equal(f"{text}, {how}: not nfdump's", list((got - want).items())[:3], [])
            equal(f"{text}, {how}: missing", list((want - got).items())[:3], [])
        col.seal()
    empty = [text for text, want in wanted.items() if not want]
    assert len(empty) <= 4, f"these filters take nothing and prove nothing: {empty}"
    print(f"      {len(wanted)} filters, {len(wanted) - len(empty)} of them take something")


AGGREGATIONS = {
    "src_ip": ("srcip", "%sa"),
    "dst_ip": ("dstip", "%da"),
    "src_port": ("srcport", "%sp"),
    "proto": ("proto", "%pr"),
    "src_ip,dst_ip": ("srcip,dstip", "%sa|%da"),
    "src_ip,proto,src_port": ("srcip,proto,srcport", "%sa|%pr|%sp"),
    "in_if": ("inif", "%in"),
    "in_if,out_if": ("inif,outif", "%in|%out"),
    "src_as": ("srcas", "%sas"),
    "src_as,dst_as": ("srcas,dstas", "%sas|%das"),
    "tos": ("tos", "%tos"),
    "src_mac": ("insrcmac", "%ismc"),
}
STATISTICS = {"ip": "ip", "src_ip": "srcip", "dst_ip": "dstip", "src_port": "srcport", "proto": "proto", "src_as": "srcas",
              "dst_as": "dstas", "in_if": "inif", "out_if": "outif", "tos": "tos"}


def aggregated(nfcapd, how, columns, words=""):
    """nfdump -A: packets, bytes, flows of each group."""
    text = nfcapd.ask("-A", how, "-N", "-q", "-6", "-o", f"fmt:{columns}|%pkt|%byt|%fl", *([words] if words else []))
    rows = [[c.strip() for c in line.split("|")] for line in text.splitlines() if line.count("|") == columns.count("|") + 3]
    return {tuple(r[:-3]): tuple(map(int, r[-3:])) for r in rows}


def aggregations_as_nfdump(t):
    nfcapd, col, start = both(t)
    api = t.api(col)
    col.seal()
    for by, (how, columns) in AGGREGATIONS.items():
        for words in ("", "proto tcp and bytes > 1k"):
            rows = csv.DictReader(io.StringIO(
                v1(api, "top", by=by, filter=words, limit=10000, format="csv", **span(start)).body.decode(), newline=""))
            got = {tuple(r[c] for c in by.split(",")): tuple(int(r[m]) for m in ("packets", "bytes", "flows")) for r in rows}
            want = aggregated(nfcapd, how, columns, words)
            assert want, by
            if by == "src_mac":
                want = {tuple(c.lower() for c in k): v for k, v in want.items()}
            equal(f"groups by {by} of '{words}'", dict(list(got.items() - want.items())[:3]), dict(list(want.items() - got.items())[:3]))
    for by, name in STATISTICS.items():
        text = nfcapd.ask("-s", f"{name}/bytes", "-n", "10", "-N", "-o", "csv")
        want = [int(r["byt"]) for r in csv.DictReader(io.StringIO(text[text.index("ts,"):])) if (r.get("byt") or "").isdigit()][:10]
        answer = v1(api, "top", by=by, limit=10, **span(start)).json()
        equal(f"top by {by}", [r["bytes"] for r in answer["top"]], want)
        equal("flows in all", answer["total"]["flows"], RECORDS)


def the_parts_of_a_window_are_the_whole(t):
    """series, top and kpi agree with one another."""
    nfcapd, col, start = both(t)
    api = t.api(col)
    totals = nfcapd.totals()
    for text in ("", "proto udp and ipv4"):
        want = v1(api, "kpi", filter=text, **span(start)).json()["kpi"]
        if not text:
            equal("kpi", {k: want[k] for k in totals}, totals)
        for metric in ("bytes", "packets", "flows", "denied"):
            for by in ("", "proto_name", "src_ip/24"):
                s = v1(api, "series", filter=text, metric=metric, step="1m", by=by, limit=2, **span(start)).json()
                equal("points", {len(line["values"]) for line in s["series"]}, {len(s["times"])})
                equal(f"{metric} by '{by}'", sum(sum(line["values"]) for line in s["series"]), want[metric])
                equal("totals", [line["total"] for line in s["series"]], [sum(line["values"]) for line in s["series"]])
                assert len(s["series"]) <= 3, s["series"]
    rows = v1(api, "series", step="5m", by="proto", format="csv", **span(start)).body.decode()
    equal("bytes of the rows", sum(int(r["bytes"]) for r in csv.DictReader(io.StringIO(rows))), totals["bytes"])
    lines = v1(api, "series", step="5m", headers={"Accept": "application/x-ndjson"}, **span(start)).body.splitlines()
    equal("flows of the lines", sum(json.loads(l)["flows"] for l in lines), totals["flows"])


def all_pages(api, **params):
    """Every row of all pages, and how many pages there were."""
    rows, pages, cursor = [], 0, {}
    while True:
        answer = v1(api, "flows", **params, **cursor).json()
        rows += answer["flows"]
        pages += 1
        if not answer["next"]:
            return rows, pages
        cursor = {"cursor": answer["next"]}
        assert pages < 200


def pages_have_no_gaps_and_no_repeats(t):
    col, start = t.collector(), int(time.time()) - 7200
    api = t.api(col)
    first = list(messages(5, start, 1200))
    send(col.port["udp"], first + first)  # every record twice: equal rows, across pages too
    col.wait_stored(2400)
    fields = "start,src_ip,dst_ip,src_port,dst_port,bytes,packets,domain"
    before = Counter(json.dumps(r) for r in v1(api, "flows", limit=10000, fields=fields, **span(start)).json()["flows"])
    equal("rows before", sum(before.values()), 2400)
    more = threading.Thread(target=send, args=(col.port["udp"], list(messages(6, start, 2400)), 0.02))
    more.start()
    try:
        rows, pages = all_pages(api, limit=37, fields=fields, **span(start))
        col.seal()
        again, _ = all_pages(api, limit=53, filter="domain 7", fields=fields, **span(start))
    finally:
        more.join()
    assert pages > 60, pages
    for what, list_of in (("rows", rows), ("rows of the second walk", again)):
        times = [r["start"] for r in list_of]
        assert times == sorted(times, reverse=True), what + " are not newest first"
        got = Counter(json.dumps(r) for r in list_of)
        equal(what + " left out", list((before - got).items())[:3], [])
        equal(what + " twice", [k for k, n in got.items() if n > 2][:3], [])
    col.wait_stored(4800)
    rows, _ = all_pages(api, limit=1000, fields=fields, **span(start))
    equal("rows in the end", len(rows), 4800)
    next_one = v1(api, "flows", limit=10, **span(start)).json()["next"]
    equal("header", v1(api, "flows", limit=10, format="jsonl", **span(start)).headers["next-cursor"], next_one)


def faults_are_problems(t):
    col = t.collector()
    api = t.api(col)
    bad = v1(api, "flows", filter="port 80 or\ncolour blue", want=400)
    equal("type", bad.headers["content-type"], "application/problem+json")
    equal("place", {k: bad.json()[k] for k in ("parameter", "column", "status", "title")},
          {"parameter": "filter", "column": 12, "status": 400, "title": "Bad Request"})
    for resource, params in (
        ("flows", {"fields": "src_ip,colour"}), ("flows", {"limit": "0"}), ("flows", {"limit": "10001"}), ("flows", {"cursor": "x"}),
        ("flows", {"format": "xml"}), ("flows", {"start": "yesterday"}), ("top", {"by": "src_ip,src_ip"}), ("top", {"metric": "love"}),
        ("top", {"by": "src_ip/33"}), ("top", {"by": "proto/8"}), ("series", {"step": "0"}), ("kpi", {"filter": "("}),
        ("series", {"step": "1", "start": "2026-01-01", "end": "2026-01-02"}), ("flows", {"start": "2026-01-02", "end": "2026-01-01"}),
    ):
        a = v1(api, resource, want=400, **params)
        equal(f"{resource} {params}", (a.headers["content-type"], a.json()["status"]), ("application/problem+json", 400))
    v1(api, "flows", entity="lentor", want=403)
    equal("nothing yet", v1(api, "flows").json()["flows"], [])
    equal("no token", api.request("GET", "/api/v1/top", token=None).status, 401)


def ask(t, col, command, *words, check=True):
    argv = [t.program("cli/weir"), command, "--store", col.store, *words]
    return t.run(argv, check=check)


def the_command_answers_as_the_api_does(t):
    col, start = t.collector(), int(time.time()) - 7200
    send(col.port["udp"], messages(7, start, 1_200))
    col.wait_stored(1_200)
    api, text = t.api(col), "proto tcp and not dst port 443 and bytes > 1k"
    window = ["--start", span(start)["start"], "--end", span(start)["end"]]
    fields = "start,src_ip,dst_ip,bytes,flags,verdict"
    for sealed in (False, True):
        rows = json.loads(ask(t, col, "flows", *window, "--fields", fields, "--limit", "50", "-o", "json", text).stdout)
        equal("flows", rows, v1(api, "flows", filter=text, fields=fields, limit=50, **span(start)).json()["flows"])
        rows = json.loads(ask(t, col, "top", *window, "--by", "src_ip,proto_name", "--metric", "flows", "-o", "json", *text.split()).stdout)
        equal("top", rows, v1(api, "top", filter=text, by="src_ip,proto_name", metric="flows", **span(start)).json()["top"])
        rows = list(csv.DictReader(io.StringIO(ask(t, col, "series", *window, "--step", "1m", "--by", "proto", "-o", "csv").stdout)))
        want = v1(api, "kpi", **span(start)).json()["kpi"]
        equal("series", {k: sum(int(r[k]) for r in rows) for k in ("bytes", "packets", "flows")},
              {k: want[k] for k in ("bytes", "packets", "flows")})
        assert [r["time"] for r in rows] == sorted(r["time"] for r in rows), "series are not in the order of time"
        for words, params in ((), {}), ((text,), {"filter": text}):
            rows = json.loads(ask(t, col, "kpi", *window, "-o", "json", *words).stdout)
            want = v1(api, "kpi", **params, **span(start)).json()
            total = next(r for r in rows if r["name"] == "all")
            equal("kpi", {k: total[k] for k in ("bytes", "packets", "flows")}, {k: want["kpi"][k] for k in ("bytes", "packets", "flows")})
            senders = [{"ip": r["name"], "bytes": r["bytes"], "packets": r["packets"], "flows": r["flows"]} for r in rows if r["kind"] == "sender"]
            equal("senders", senders, want["top_senders"])
        col.seal()
    bad = ask(t, col, "flows", "port 80 or colour", check=False)
    equal("status of a bad filter", bad.returncode, 2)
    equal("its place", bad.stderr.splitlines()[1].index("^") - len("weir: "), len("port 80 or "))
    for words in (["--fields", "colour"], ["--output", "xml"], ["--last", "long"], ["--start", "monday"], ["--limit", "0"]):
        equal(f"status of {words}", ask(t, col, "flows", *words, check=False).returncode, 2)
    old = ask(t, col, "top", "--last", "5m")
    assert "the newest are from before" in old.stderr, old.stderr
    equal("another entity", ask(t, col, "kpi", "--entity", "nobody", check=False).returncode, 1)
