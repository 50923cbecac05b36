# SPDX-License-Identifier: Apache-2.0
"""Threat intelligence end to end: feeds, hits as they come, and the hunt through what was stored."""
import http.server
import json
import ssl
import threading
import time

from weir import equal, wait_for

JSON = {"Content-Type": "application/json"}


def v1(api, method, resource, body=None, want=200, **params):
    path = api.path(resource, **params).replace("/mbox/api/netflow/", "/api/v1/")
    a = api.request(method, path, json.dumps(body) if body is not None else None, JSON)
    equal(f"{method} {path}: status", a.status, want)
    return a.json()


def analyst(t, col):
    return t.api(col, user=col.ask("user", "add", "analyst", "--role", "admin"))


def hunts_done(col, n):
    wait_for(f"{n} hunts are done", lambda: sum(h["state"] == "done" for h in col.ask("hunts", "list")) >= n)


def bytes_of(truth, ip):
    for host in truth["top_senders"]:
        if host["ip"] == ip:
            return host["bytes"]
    raise AssertionError(f"{ip} is not in the truth")


def what_was_allowed_then_and_is_known_now(t):
    col = t.collector()
    yesterday = int(time.time()) - 86400
    truth = t.export("ipfix", col.udp(), 20_000, rate=100_000, start=yesterday)
    col.wait_stored(20_000)
    col.seal()
    api = analyst(t, col)
    equal("hits before", v1(api, "GET", "hits")["hits"], [])
    bad = truth["top_senders"][0]["ip"]
    begin = time.monotonic()
    v1(api, "POST", "indicators", {"value": bad, "category": "c2", "description": "learnt today"}, want=201)
    hits = wait_for("the hit", lambda: v1(api, "GET", "hits", limit=1000)["hits"], timeout=20)
    took = time.monotonic() - begin
    print(f"      retro hit {took:.2f} s after the indicator was added")
    hunts_done(col, 1)  # the first hits show before the last hour is searched
    hits = v1(api, "GET", "hits", limit=1000)["hits"]
    for h in hits:
        equal("retro", (h["retro"], h["feed"], h["category"], h["indicator"]), (True, "local", "c2", bad))
        assert bad in (h["inside"], h["outside"]), h
    flows, sent = sum(h["flows"] for h in hits), sum(h["bytes"] for h in hits)
    assert flows >= 1 and sent >= bytes_of(truth, bad), (flows, sent)
    hunt = v1(api, "GET", "hunts")["hunts"][0]
    equal("hunt", (hunt["state"], hunt["indicators"], hunt["hits"]), ("done", 1, len(hits)))
    # hunting again changes nothing, and neither does a restart
    v1(api, "DELETE", "indicators", value=bad, want=202)
    v1(api, "POST", "indicators", {"value": bad, "category": "c2"}, want=201)
    hunts_done(col, 2)
    again = v1(api, "GET", "hits", limit=1000)["hits"]
    equal("flows after the second hunt", sum(h["flows"] for h in again), flows)
    col.stop()
    col.start()
    equal("flows after a restart", sum(h["flows"] for h in v1(api, "GET", "hits", limit=1000)["hits"]), flows)


def hits_show_as_they_come(t):
    feed = t.path("feed.txt")
    feed.write_text("# a comment\n198.19.0.0/29\nnot a value at all !\n\n2001:db8:5::/48\n")
    col = t.collector(args=["--intel", feed])
    api = analyst(t, col)
    t.export("ipfix", col.udp(), 5_000, rate=50_000)
    col.wait_stored(5_000)
    ledger = col.ledger()
    hits = wait_for("hits", lambda: v1(api, "GET", "hits", limit=1000)["hits"])
    equal("flows of all hits", sum(h["flows"] for h in hits), ledger["intel_hits"])
    assert all(not h["retro"] and h["feed"] == "feed.txt" for h in hits), hits[0]
    status = v1(api, "GET", "feeds")["feeds"][0]
    equal("feed", (status["status"], status["indicators"], status["rejected"]), ("ok", 2, 1))
    equal("the rejected line", status["rejects"][0]["line"], 3)
    # an allowed network is no hit, and is counted
    v1(api, "POST", "allow", {"value": "198.18.0.0/15", "reason": "a test network"}, want=201)
    before = col.ledger()
    t.export("v9", col.udp(), 2_000, name="more", rate=50_000, domain=5)
    col.wait_stored(7_000)
    after = col.ledger()
    assert after["intel_allowed"] > before["intel_allowed"], "allowed matches are not counted"


def a_feed_that_shrinks_is_refused(t):
    feed = t.path("list.csv")
    rows = [f"198.51.100.{i},c2,900" for i in range(1, 101)]
    feed.write_text("indicator,category,score\n" + "\n".join(rows) + "\n")
    col = t.collector()
    col.ask("feeds", "add", "list", str(feed), "min_share=60")
    one = lambda: col.ask("feeds", "list")[0]
    wait_for("the feed", lambda: one()["indicators"] == 100)
    feed.write_text("indicator,category,score\n198.51.100.1,c2,900\n")
    wait_for("the refusal", lambda: "shrank" in one()["error"])
    equal("indicators kept", one()["indicators"], 100)
    col.ask("feeds", "refresh", "list", "--force")
    wait_for("the forced copy", lambda: one()["indicators"] == 1)
    feed.write_text("indicator,new,category,score\n198.51.100.1,x,c2,900\n198.51.100.2,y,c2,900\n")
    wait_for("the copy with a new column", lambda: one()["indicators"] == 2)
    feed.unlink()
    wait_for("the error", lambda: one()["status"] == "error")
    equal("indicators kept", one()["indicators"], 2)
    col.stop()
    col.start()
    wait_for("the last good copy", lambda: one()["indicators"] == 2)
    col.ask("feeds", "remove", "list")
    equal("feeds", col.ask("feeds", "list"), [])


class FeedServer:
    """An https server of one feed, that knows ETags."""

    def __init__(self, t):
        cert, key = t.path("cert.pem"), t.path("key.pem")
        t.run([t.peer("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
               "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert])
        self.body, self.asked, self.unchanged, outer = b"198.51.100.7\n", 0, 0, self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked += 1
                tag = f'"{hash(outer.body)}"'
                if self.path == "/elsewhere":
                    self.send_response(302)
                    self.send_header("Location", "/feed")
                    self.end_headers()
                    return
                same = self.headers.get("If-None-Match") == tag
                outer.unchanged += same
                self.send_response(304 if same else 200)
                self.send_header("ETag", tag)
                self.end_headers()
                if not same:
                    self.wfile.write(outer.body)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}/feed"
        self.ca = cert
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        t.closers.append(self.server.shutdown)


def a_feed_over_https(t):
    server, col = FeedServer(t), t.collector()
    status = lambda name: next(f for f in col.ask("feeds", "list") if f["name"] == name)
    col.ask("feeds", "add", "private", server.url, f"ca_file={server.ca}")
    wait_for("the refusal of a private address", lambda: "allow_private" in status("private")["error"])
    col.ask("feeds", "add", "stranger", server.url, "allow_private=yes")
    wait_for("the refusal of its certificate", lambda: status("stranger")["error"])
    equal("asked by those", server.asked, 0)
    col.ask("feeds", "add", "moved", server.url.replace("/feed", "/elsewhere"), "allow_private=yes", f"ca_file={server.ca}")
    wait_for("the refusal of a redirect", lambda: "redirect" in status("moved")["error"])
    col.ask("feeds", "add", "big", server.url, "allow_private=yes", f"ca_file={server.ca}", "max_size=4")
    wait_for("the refusal of its size", lambda: "larger" in status("big")["error"])
    col.ask("feeds", "add", "good", server.url, "allow_private=yes", f"ca_file={server.ca}", "every=1s")
    wait_for("the good one", lambda: status("good")["indicators"] == 1)
    wait_for("answers that it is unchanged", lambda: server.unchanged >= 2)
    server.body = b"198.51.100.7\n198.51.100.8\n"
    wait_for("the change", lambda: status("good")["indicators"] == 2)


def a_hunt_by_hand(t):
    col = t.collector()
    truth = t.export("v9", col.udp(), 5_000, rate=50_000, start=int(time.time()) - 7200)
    col.wait_stored(5_000)
    api = analyst(t, col)
    bad = truth["top_senders"][0]["ip"]
    col.ask("hunt", bad)
    wait_for("the hunt", lambda: v1(api, "GET", "hunts")["hunts"][0]["state"] == "done")
    hits = col.ask("hits")
    assert hits and all(h["retro"] and h["feed"] == "hunt" for h in hits), hits[:1]
    assert bad in (hits[0]["inside"], hits[0]["outside"])
    report = t.path("report.txt")  # larger than a packet of the socket
    report.write_text("\n".join([f"203.0.{i // 256}.{i % 256}" for i in range(10_000)] + [bad]) + "\n")
    equal("indicators of a file", col.ask("hunt", report)["indicators"], 10_001)
    wait_for("the hunt for a file", lambda: v1(api, "GET", "hunts")["hunts"][0]["state"] == "done")
    equal("hits of a file", v1(api, "GET", "hunts")["hunts"][0]["hits"], len(hits))
    t.run(col.command("hunt", bad, "--since", "1h"))
    wait_for("the hunt of the last hour", lambda: v1(api, "GET", "hunts")["hunts"][0]["state"] == "done")
    equal("hits of the last hour", v1(api, "GET", "hunts")["hunts"][0]["hits"], 0)
    equal("nothing to hunt for", t.run(col.command("hunt", "no such thing"), check=False).returncode, 1)


def hunt(col, number):
    return next(h for h in col.ask("hunts", "list") if h["id"] == number)


def cancelled_amid(col, what):
    """A hunt that was cancelled under way; it may be quicker than the cancelling."""
    for _ in range(8):
        number = col.ask("hunt", what)["id"]
        wait_for("its start", lambda: hunt(col, number)["state"] != "waiting")
        col.bench.run(col.command("hunts", "cancel", str(number)), check=False)
        wait_for("its end", lambda: hunt(col, number)["state"] in ("cancelled", "done"))
        if hunt(col, number)["state"] == "cancelled":
            return hunt(col, number)
    raise AssertionError("no hunt was cancelled")


def flows_of_hits(api):
    flows, after = 0, 0
    while True:
        page = v1(api, "GET", "hits", after=after, limit=1000)
        flows += sum(h["flows"] for h in page["hits"])
        if len(page["hits"]) < 1000:
            return flows
        after = page["hits"][-1]["number"]


def hunts_are_cancelled_and_outlive_kill9(t):
    feed = t.path("feed.txt")
    feed.write_text("192.0.2.1\n")
    col = t.collector(args=["--intel", feed])
    now, hours = int(time.time()), 8
    for h in range(hours):
        t.export("ipfix", col.tcp(), 1_500, name=f"hour{h}", rate=0, start=now - 3600 * (h + 2), domain=h)
    col.wait_stored(hours * 1_500)
    col.seal()
    hunts_done(col, 1)  # for what the feed had from the start

    cancelled = cancelled_amid(col, "198.18.0.0/15")
    assert cancelled["hours_done"] < hours, cancelled

    number = cancelled["id"] + 1
    feed.write_text("198.18.0.0/15\n")
    wait_for("the hunt", lambda: any(h["id"] == number for h in col.ask("hunts", "list")))
    by_hand = col.ask("hunt", "10.0.0.0/29")["id"]
    wait_for("some hours", lambda: hunt(col, number)["hours_done"])
    col.kill()
    col.start()
    for n in (number, by_hand):
        wait_for(f"hunt {n}", lambda: hunt(col, n)["state"] == "done")
        equal(f"hours of hunt {n}", hunt(col, n)["hours_done"], hours)
    equal("hunts", len(col.ask("hunts", "list")), by_hand)
    # a hunt sets what it finds: had one been missed or counted twice, hunting again would tell
    api = analyst(t, col)
    found = flows_of_hits(api)
    assert found > 0, "no hits"
    for what in ("198.18.0.0/15", "10.0.0.0/29"):
        again = col.ask("hunt", what)["id"]
        wait_for("the hunt by hand", lambda: hunt(col, again)["state"] == "done")
    equal("flows after hunting again", flows_of_hits(api), found)


def roles_are_kept_apart(t):
    col = t.collector()
    viewer = t.api(col)
    v1(viewer, "GET", "hits")
    v1(viewer, "POST", "indicators", {"value": "198.51.100.7"}, want=403)
    v1(viewer, "POST", "feeds", {"name": "x", "location": "/tmp/x"}, want=403)
    user = col.ask("user", "add", "one", "--role", "analyst")
    viewer.token = viewer.login(user["api_id"], user["secret"])
    v1(viewer, "POST", "indicators", {"value": "198.51.100.7"}, want=201)
    v1(viewer, "POST", "indicators", {"value": "nothing"}, want=400)
    v1(viewer, "POST", "indicators", {"value": "198.51.100.7", "unknown": 1}, want=400)
    v1(viewer, "POST", "feeds", {"name": "x", "location": "/tmp/x"}, want=403)
    a = viewer.request("GET", "/api/v1/hits", token=None)
    equal("a problem", (a.status, a.headers["content-type"], a.json()["status"]), (401, "application/problem+json", 401))
    v1(viewer, "GET", "hits", limit="many", want=400)
    v1(viewer, "GET", "hits", start="yesterday", want=400)
    v1(viewer, "GET", "hits", entity="lentor", want=403)
