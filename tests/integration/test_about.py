# SPDX-License-Identifier: Apache-2.0
"""What the API tells of hosts, exporters and the collector's own account."""
import json
import time
from collections import Counter

from weir import equal, wait_for


def query(api, path, status=200):
    a = api.request("GET", "/api/v1/" + path)
    equal(path, a.status, status)
    return a.json()


def analyst(t, col):
    return t.api(col, user=col.ask("user", "add", "ann", "--role", "analyst"))


def a_host_is_told_of_in_full(t):
    col = t.collector()
    api = analyst(t, col)
    t.export("ipfix", col.udp(), 3_000, rate=100_000)
    col.wait_stored(3_000)
    span = f"start={int(time.time()) - 86400 * 7}&end={int(time.time()) + 86400}"
    rows = query(api, f"flows?{span}&limit=10000&fields=src_ip,dst_ip,packets,bytes,rev_packets,rev_bytes,dst_port,proto_name")["flows"]
    equal("rows", len(rows), 3_000)
    host = Counter(r["src_ip"] for r in rows).most_common(1)[0][0]
    mine = [r for r in rows if host in (r["src_ip"], r["dst_ip"])]
    sent = sum(r["bytes"] if r["src_ip"] == host else r["rev_bytes"] for r in mine)
    received = sum(r["rev_bytes"] if r["src_ip"] == host else r["bytes"] for r in mine)
    for sealed in (False, True):
        if sealed:
            col.seal()
        told = query(api, f"hosts/{host}?{span}&top=100")
        equal("sent", told["total"]["sent"]["bytes"], sent)
        equal("received", told["total"]["received"]["bytes"], received)
        equal("series", sum(s["sent"]["bytes"] for s in told["series"]), sent)
        peers = Counter()
        for r in mine:
            peers[r["dst_ip"] if r["src_ip"] == host else r["src_ip"]] += r["bytes"] + r["rev_bytes"]
        equal("peers", {p["ip"]: p["bytes"] for p in told["peers"]}, dict(peers.most_common(100)))
        equal("protocols", sum(p["flows"] for p in told["protocols"]), len(mine))
    equal("no scan", "peers" in query(api, f"hosts/{host}?{span}&top=0"), False)
    equal("by days", len(query(api, f"hosts/{host}?{span}&step=day")["series"]), 1)
    equal("encoded", query(api, "hosts/2001%3Adb8%3A%3A1")["ip"], "2001:db8::1")
    equal("v6", query(api, "hosts/2001:db8::1")["series"], [])
    for bad in ("hosts/nobody", "hosts/%00", "hosts/1.2.3.4?step=week", "hosts/1.2.3.4?start=1&step=hour"):
        query(api, bad, 400)
    for absent in ("hosts/", "hosts", "hosts/1.2.3.4/x"):
        query(api, absent, 404)
    png = api.request("GET", f"/api/v1/graph.png?ip={host}&{span}")
    equal("graph", (png.status, png.headers["content-type"], png.body[:4]), (200, "image/png", b"\x89PNG"))
    lines = api.request("GET", f"/api/v1/graph.png?ip={host}&{span}&format=csv&dir=sent").body.decode().split("\r\n")
    at = lines[0].split(",").index("total")
    equal("graph's numbers", sum(int(l.split(",")[at]) for l in lines[1:] if l), sent)


def hits_of_a_host_are_told_with_it(t):
    col = t.collector()
    api = analyst(t, col)
    col.ask("indicators", "add", "198.51.100.7", "score=900")
    wait_for("the indicator is in use", lambda: col.ask("intel")["indicators"] == 1)
    body = {"firewall": "f", "direction": "inbound", "src_ip": "198.51.100.7", "src_port": 1234, "dst_ip": "192.0.2.1",
            "dst_port": 443, "service": "s", "action": "Deny"}
    api.request("POST", "/api/v1/poc_traffic/direct", json.dumps(body), {"Content-Type": "application/json"})
    for ip in ("192.0.2.1", "198.51.100.7"):
        hits = wait_for("a hit", lambda: query(api, f"hosts/{ip}")["hits"])
        equal("hit", [(h["indicator"], h["score"]) for h in hits], [("198.51.100.7", 900)])
    equal("of another", query(api, "hosts/192.0.2.2")["hits"], [])
    equal("names", query(api, "resolve?ips=192.0.2.1,nonsense"), {"names": {"192.0.2.1": ""}})


def exporters_and_the_ledger_are_told(t):
    col = t.collector()
    api = analyst(t, col)
    t.export("v9", col.udp(), 2_000, rate=100_000)
    t.export("ipfix", col.udp(), 1_000, rate=100_000, name="other")
    col.wait_stored(3_000)
    told = wait_for("both", lambda: len(l := query(api, "exporters")["exporters"]) == 2 and l)
    equal("versions", sorted((e["version"], e["transport"], e["entity"]) for e in told),
          [(9, "udp", "netflow"), (10, "udp", "netflow")])
    equal("records", sum(e["records"] for e in told), 3_000)
    equal("lost", sum(e["lost"] for e in told), 0)
    equal("of one", len(query(api, "exporters?address=127.0.0.1")["exporters"]), 2)
    equal("of none", query(api, "exporters?address=127.0.0.2")["exporters"], [])
    query(api, "exporters?address=x", 400)
    equal("by the command", len(col.ask("exporters")), 2)
    table = t.run([t.program("cli/weir"), "exporters", "--control", col.control]).stdout
    assert "127.0.0.1" in table and "clock_skew_ms" in table, table
    settled = lambda: (s := query(api, "ledger")["sums"])["in_flight"] == 0 and s
    sums = wait_for("nothing is on its way", settled)
    equal("sums", sums, {"records": 3_000, "stored": 3_000, "dropped": 0, "in_flight": 0, "residue": 0})
    rows = t.run([t.program("cli/weir"), "ledger", "--control", col.control, "-o", "csv"]).stdout
    assert "sum,residue,0" in rows, rows
    user = col.user("len", "lentor")
    api.token = api.login(user["api_id"], user["secret"])
    equal("another entity's", query(api, "exporters")["exporters"], [])
    query(api, "ledger", 403)
    col.stop()
    query(api, "exporters", 503)
