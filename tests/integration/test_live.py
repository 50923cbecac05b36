# SPDX-License-Identifier: Apache-2.0
"""GET /api/v1/live, read by curl as a client would."""
import json
import socket
import ssl
import time
import urllib.parse

from weir import equal, wait_for


class Stream:
    """A curl that reads; its events so far."""

    def __init__(self, t, api, *args, **params):
        argv = [t.peer("curl"), "-skN", "-H", f"Authorization: Bearer {api.token}", *args]
        self.process = t.start("curl", argv + [f"{api.url}/api/v1/live?{urllib.parse.urlencode(params)}"])

    def events(self, kind=None):
        found = []
        for block in self.process.text().split("\n\n")[:-1]:
            fields = dict(l.split(": ", 1) for l in block.splitlines() if ": " in l)
            if "event" in fields and kind in (None, fields["event"]):
                found.append((fields["event"], fields.get("id"), json.loads(fields["data"])))
        return found

    def wait(self, what, condition, timeout=8):
        return wait_for(what, lambda: condition(self), timeout)

    def stop(self):
        self.process.kill()
        return self.events()


def ports(stream):
    return [d["dst_port"] for _, _, d in stream.events("flow")]


def post(api, port):
    body = {"firewall": "f", "direction": "inbound", "src_ip": "198.51.100.7", "src_port": 1234, "dst_ip": "192.0.2.1",
            "dst_port": port, "service": "s", "action": "Deny"}
    a = api.request("POST", "/api/v1/poc_traffic/direct", json.dumps(body), {"Content-Type": "application/json"})
    equal("posted", a.status, 201)


def analyst(t, col):
    return t.api(col, user=col.ask("user", "add", "ann", "--role", "analyst"))


def what_arrives_is_told_at_once_and_from_where_it_was_left(t):
    col = t.collector()
    api = analyst(t, col)
    post(api, 1)
    versions = ("--http2", "--http1.1")
    streams = [Stream(t, api, v, filter="dst port > 1000", fields="dst_port,src_ip") for v in versions]
    for s in streams:
        s.wait("first pulse", lambda s: s.events("kpi"))
    post(api, 2)
    post(api, 2001)
    places = []
    for s in streams:
        s.wait("a flow", lambda s: len(ports(s)) == 1)
        equal("flow", s.events("flow")[0][2], {"dst_port": 2001, "src_ip": "198.51.100.7"})
        s.wait("pulses", lambda s: sum(d["flows"] for _, _, d in s.events("kpi")) >= 1)
        places.append(s.stop()[-1][1])
    post(api, 2002)
    again = [Stream(t, api, v, "-H", f"Last-Event-ID: {p}", filter="dst port > 1000", fields="dst_port")
             for v, p in zip(versions, places)]
    for s in again:
        s.wait("what was missed", lambda s: ports(s))
        equal("what was missed", ports(s), [2002])


def hits_are_told_to_their_entity_alone(t):
    col = t.collector()
    api = analyst(t, col)
    col.ask("indicators", "add", "198.51.100.7", "score=900")
    wait_for("the indicator is in use", lambda: col.ask("intel")["indicators"] == 1)
    user = col.user("len", "lentor")
    other = api.login(user["api_id"], user["secret"])
    mine = Stream(t, api, events="hits", min_score="800")
    api.token, token = other, api.token
    theirs = Stream(t, api, events="hits,kpi")
    equal("another's", api.request("GET", "/api/v1/live?entity=netflow").status, 403)
    api.token = token
    for stream in (mine, theirs):
        stream.wait("hello", lambda s: "retry" in s.process.text())
    post(api, 80)
    mine.wait("the hit", lambda s: s.events("hit"))
    equal("the hit", [d["indicator"] for _, _, d in mine.stop()], ["198.51.100.7"])
    time.sleep(1.2)
    equal("not theirs", [e for e in theirs.stop() if e[0] == "hit" or e[2]["flows"]], [])


def a_stream_ends_with_its_user_and_with_the_server(t):
    col = t.collector()
    api = t.api(col)
    a, b = Stream(t, api), Stream(t, api, "--http1.1")
    a.wait("a pulse", lambda s: s.events("kpi"))
    b.wait("a pulse", lambda s: s.events("kpi"))
    metrics = api.request("GET", "/metrics", token=None).body.decode()
    assert "weir_api_streams 2\n" in metrics, metrics
    col.ask("user", "rotate", "tester")
    a.wait("the end", lambda s: not s.process.is_alive())
    equal("said why", a.events("end")[0][2], {"reason": "credentials changed"})
    equal("curl ended well", (a.process.stop(), b.process.wait(5)), (0, 0))


def the_server_ends_its_streams_when_it_stops(t):
    col = t.collector()
    api = t.api(col)
    streams = [Stream(t, api), Stream(t, api, "--http1.1")]
    for s in streams:
        s.wait("a pulse", lambda s: s.events("kpi"))
    began = time.monotonic()
    equal("exit status", api.process.stop(), 0)
    assert time.monotonic() - began < 3
    equal("curl ended well", [s.process.wait(5) for s in streams], [0, 0])


def bad_requests_and_too_many_streams_are_refused(t):
    col = t.collector()
    config = t.path("weir.yaml")
    config.write_text("api:\n  limits:\n    streams: 4\n")
    api = t.api(col, args=("-c", config))
    for query in ("events=all", "events=", "filter=(", "fields=nothing", "min_score=1001"):
        equal(query, api.request("GET", f"/api/v1/live?{query}").status, 400)
    for place in ("x", "1", "1-2-3", "-", "1-g"):
        equal(place, api.request("GET", "/api/v1/live", headers={"Last-Event-ID": place}).status, 400)
    equal("HEAD", api.request("HEAD", "/api/v1/live").status, 200)
    wait_for("none is left", lambda: b"weir_api_streams 0\n" in api.request("GET", "/metrics").body)
    streams = [Stream(t, api) for _ in range(2)]
    for s in streams:
        s.wait("hello", lambda s: "retry" in s.process.text())
    a = api.request("GET", "/api/v1/live")
    equal("the third of a user", (a.status, a.headers["Retry-After"]), (429, "10"))


def who_does_not_read_is_cut(t):
    col = t.collector()
    api = t.api(col)
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.connect(("127.0.0.1", api.port))
    s = ssl._create_unverified_context().wrap_socket(plain)
    s.sendall(f"GET /api/v1/live?filter= HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.token}\r\n\r\n".encode())
    assert b"200 OK" in s.recv(100)
    other = Stream(t, api)
    other.wait("hello", lambda s: "retry" in s.process.text())
    # a thousand flows a second are half a MiB: after a few more than what the stream and the kernel hold
    t.export("ipfix", col.udp(), 40_000, rate=100_000)
    cut = b"weir_api_streams_cut_total 1\n"
    wait_for("cut", lambda: cut in api.request("GET", "/metrics", token=None).body, 25)
    n = len(other.events("kpi"))
    other.wait("the other goes on", lambda s: len(s.events("kpi")) > n)
    s.close()
