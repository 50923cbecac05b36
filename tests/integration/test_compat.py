# SPDX-License-Identifier: Apache-2.0
"""Clients of other products' APIs, as their documentation has them."""
import json
import http.client
import ssl
import struct
import subprocess
import sys
import time

from weir import ENV, Skip, equal

JSON = {"Content-Type": "application/json"}
DIRECT = "/api/v1/poc_traffic/direct"

# To the letter but for the address and the token.
PYTHON_SAMPLE = '''
import requests
import json

url = "%s"

payload = json.dumps({
  "firewall": "fortinet",
  "direction": "inbound",
  "dst_ip": "192.168.0.1",
  "service": "org1",
  "src_port": 3435,
  "dst_port": 443,
  "src_ip": "94.22.73.32",
  "action": "Allow"
})
headers = {
  'Authorization': '%s',
  'Content-Type': 'application/json'
}

response = requests.request("POST", url, headers=headers, data=payload)

print(response.text)
'''

RECORD = {"firewall": "fortinet", "direction": "inbound", "dst_ip": "192.168.0.1", "service": "org1", "src_port": 3435,
          "dst_port": 443, "src_ip": "94.22.73.32", "action": "Allow"}


def poster(t, col):
    """An API whose token is a firewall's."""
    return t.api(col, user=col.ask("user", "add", "fortinet", "--role", "exporter"))


def post(api, **changes):
    return api.request("POST", DIRECT, json.dumps(RECORD | changes), JSON)


def reader(api, col):
    user = col.ask("user", "add", "reader")
    return api.login(user["api_id"], user["secret"])


def the_python_sample_of_poc_traffic_runs(t):
    feed = t.path("feed.txt")
    feed.write_text("94.22.73.0/24\n")
    col = t.collector(args=["--intel", feed])
    api = poster(t, col)
    script = t.path("sample.py")
    script.write_text(PYTHON_SAMPLE % (api.url + DIRECT, api.token))
    if subprocess.run([sys.executable, "-c", "import requests"], env=ENV, capture_output=True).returncode:
        raise Skip("python3-requests is not installed")
    env = dict(ENV, REQUESTS_CA_BUNDLE=str(t.path("api") / "cert.pem"))
    answer = json.loads(t.run([sys.executable, script], env=env).stdout)
    equal("assessment", {k: answer[k] for k in ("hit", "feed", "indicator", "matched", "verdict")},
          {"hit": True, "feed": "feed.txt", "indicator": "94.22.73.0/24", "matched": "source", "verdict": "Allow"})
    assert answer["score"] > 0, answer
    # the same by curl, and what became of both
    curl = [t.peer("curl"), "-sk", "-w", "%{http_code}", "-o", t.path("out"), "-H", f"Authorization: {api.token}",
            "-H", "Content-Type: application/json", "-d", json.dumps(RECORD | {"src_ip": "198.51.100.7", "action": "Deny"})]
    equal("status", t.run(curl + [api.url + DIRECT]).stdout, "201")
    answer = json.loads(t.path("out").read_text())
    equal("no hit", (answer["hit"], answer["score"], answer["feed"], answer["verdict"]), (False, 0, None, "Deny"))
    token = reader(api, col)
    query = "?fields=src_ip,src_port,dst_ip,dst_port,firewall,service,direction,verdict,score,exporter"
    rows = api.request("GET", "/api/v1/flows" + query, token=token).json()["flows"]
    equal("rows", len(rows), 2)
    common = {"src_port": 3435, "dst_ip": "192.168.0.1", "dst_port": 443, "firewall": "fortinet", "service": "org1",
              "direction": 1, "exporter": "127.0.0.1"}
    equal("the denied one", rows[0], common | {"src_ip": "198.51.100.7", "verdict": "Deny", "score": 0})
    equal("the hit", rows[1] | {"score": 0}, common | {"src_ip": "94.22.73.32", "verdict": "Allow", "score": 0})
    hits = api.request("GET", "/api/v1/hits", token=token).json()["hits"]
    equal("hits", [(h["outside"], h["inside"], h["verdict"]) for h in hits], [("94.22.73.32", "192.168.0.1", "Allow")])
    found = api.request("GET", "/api/v1/top?by=firewall,service&filter=verdict%20deny", token=token).json()["top"]
    equal("top firewalls", [(f["firewall"], f["service"], f["flows"]) for f in found], [("fortinet", "org1", 1)])
    ledger = col.ledger()
    equal("ledger", (ledger["posted"], ledger["records"], ledger["stored"], ledger["in_flight"]), (2, 2, 2, 0))


def poc_traffic_says_what_is_wrong(t):
    col = t.collector()
    api = poster(t, col)
    for changes in ({"action": "Maybe"}, {"direction": ""}, {"src_ip": "1.2.3"}, {"dst_port": 70000}, {"service": None}):
        a = post(api, **changes)
        equal(f"status of {changes}", (a.status, a.headers["content-type"]), (400, "application/problem+json"))
        assert next(iter(changes)) in a.json()["detail"], a.body
    equal("malformed", api.request("POST", DIRECT, "{", JSON).status, 400)
    equal("no token", api.request("POST", DIRECT, json.dumps(RECORD), JSON, token=None).status, 401)
    equal("a wrong token", api.request("POST", DIRECT, json.dumps(RECORD), JSON, token="a.b.c").status, 401)
    equal("another's entity", api.request("POST", DIRECT + "?entity=lentor", json.dumps(RECORD), JSON).status, 403)
    equal("a reader", api.request("POST", DIRECT, json.dumps(RECORD), JSON, token=reader(api, col)).status, 403)
    equal("a firewall that reads", api.request("GET", "/api/v1/flows").status, 403)
    equal("too large", api.request("POST", DIRECT, json.dumps(RECORD | {"service": "x" * 70000}), JSON).status, 413)
    equal("another type", api.request("POST", DIRECT, "firewall=x", {"Content-Type": "text/plain"}).status, 415)
    equal("another method", api.request("GET", DIRECT).status, 405)
    a = post(api, src_ip="2001:db8::1", dst_ip="2001:db8::2", direction="Outbound", proto="udp")
    equal("IPv6", a.status, 201)
    col.kill()
    a = post(api)
    equal("without a collector", (a.status, bool(a.headers["retry-after"])), (503, True))


def post_many(api, n):
    """Statuses of n posts over one connection, and when the first was answered."""
    c = http.client.HTTPSConnection("127.0.0.1", api.port, timeout=30, context=ssl._create_unverified_context())
    answers, first = [], None
    for _ in range(n):
        c.request("POST", DIRECT, json.dumps(RECORD), JSON | {"Authorization": api.token})
        r = c.getresponse()
        r.read()
        first = first or time.monotonic()
        answers.append((r.status, r.headers["retry-after"]))
    c.close()
    return answers, first


def request_151_within_ten_seconds_waits(t):
    col = t.collector()
    api = poster(t, col)
    answers, first = post_many(api, 153)
    took = time.monotonic() - first
    assert took < 9, f"too slow to tell: {took:.1f} s"
    equal("the first 150", {s for s, _ in answers[:150]}, {201})
    equal("those beyond", {s for s, _ in answers[150:]}, {429})
    assert all(1 <= int(wait) <= 10 for _, wait in answers[150:]), answers[150:]
    equal("stored", col.ledger()["stored"], 150)
    user = col.ask("user", "add", "other", "--role", "exporter")
    equal("another token", api.request("POST", DIRECT, json.dumps(RECORD), JSON, token=api.login(user["api_id"], user["secret"])).status, 201)
    print(f"      150 records stored one by one in {took:.1f} s")


def of(t, api, query, *args):
    """One request of OphanimFlow's clients: status, type and body, by curl without a token."""
    words = [t.peer("curl"), "-sk", "-w", "%{http_code} %{content_type}", "-o", t.path("out"), *args]
    said = t.run(words + [f"{api.url}/of/?{query}"]).stdout
    status, kind = said.split(" ", 1)
    return int(status), kind, t.path("out").read_bytes()


def png_size(data):
    equal("signature", data[:8], b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", data[16:24])


def ophanimflow_clients_get_their_answers(t):
    col = t.collector()
    now = int(time.time())
    truth = t.export("ipfix", col.udp(), 10_000, rate=50_000, start=now - 1200)
    col.wait_stored(10_000)
    api = t.api(col)
    for sealed in (False, True):
        status, kind, body = of(t, api, "module=gettraff")
        equal("gettraff", (status, kind), (200, "application/json"))
        hosts = json.loads(body)
        if time.gmtime(now - 1200)[:2] == time.gmtime()[:2]:  # not in the first minutes of a month
            equal("received", sum(int(h["dl"]) for h in hosts.values()), truth["ip_bytes"])
            equal("sent", sum(int(h["ul"]) for h in hosts.values()), truth["ip_bytes"])
        for host in truth["top_senders"][:3]:
            one = json.loads(of(t, api, f"module=gettraff&ip={host['ip']}")[2])
            equal("one host", one, {host["ip"]: hosts[host["ip"]]})
            equal("types", {type(v) for v in one[host["ip"]].values()}, {str})
        col.seal()
    at = time.gmtime(now)
    full = f"module=gettraff&year={at.tm_year}&month={at.tm_mon:02}&ip={truth['top_senders'][0]['ip']}"
    equal("with everything", of(t, api, full)[0], 200)
    equal("another month", of(t, api, "module=gettraff&year=2023&month=12&ip=172.16.1.33")[2], b"[]")
    ip = truth["top_senders"][0]["ip"]
    for query, size in ((f"module=graph&ip={ip}", (1540, 400)), (f"module=graph&ip={ip}&period=week", (1540, 400)),
                        (f"module=graph&dir=R&period=week&ip={ip}&w=1300&h=300", (1300, 300)), ("module=graph&ip=2001:db8::1", (1540, 400))):
        status, kind, body = of(t, api, query)
        equal(query, (status, kind, png_size(body)), (200, "image/png", size))
    span = f"period=explict&from={now - 3600}&to={now + 60}"
    sums = [of(t, api, f"module=graph&ip=0.0.0.0&dir={d}&{span}&dumpdata=1")[2].decode() for d in "RS"]
    totals = [sum(int(l.split(",")[1]) for l in s.splitlines()[1:]) for s in sums]
    equal("all hosts by time", totals, [truth["ip_bytes"]] * 2)
    equal("a graph without an address", of(t, api, "module=graph")[0], 400)
    equal("another module", of(t, api, "module=aggrgdata")[0], 404)
    equal("through a proxy", of(t, api, "module=gettraff", "-H", "X-Forwarded-For: 127.0.0.1")[0], 401)
