#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the demo shows: demo_report.py DIR URL --ready|--stored|--compare|--login

DIR holds user.json (credentials), truth.json (of weir-gen), sensor.json (of weir-sensor --once)
and ledger.json (of weir ledger).
"""
import json
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

BASE = "/mbox/api/netflow"


def minute(us):
    return time.strftime("%Y/%m/%d %H:%M", time.gmtime(us // 10**6))


class Demo:
    def __init__(self, directory, url):
        self.dir, self.url, self.token = Path(directory), url, None

    def load(self, name):
        return json.loads((self.dir / f"{name}.json").read_text())

    def call(self, path, body=None):
        request = urllib.request.Request(self.url + path, body)
        if body:
            request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        context = ssl._create_unverified_context()  # the certificate was made a moment ago
        with urllib.request.urlopen(request, timeout=10, context=context) as answer:
            return answer.read()

    def login(self):
        user = self.load("user")
        body = json.dumps({k: user[k] for k in ("api_id", "secret")}).encode()
        self.token = json.loads(self.call(f"{BASE}/auth", body))["result"]["token"]

    def get(self, resource, **params):
        return json.loads(self.call(f"{BASE}/{resource}?{urllib.parse.urlencode(params)}"))["result"]

    def is_ready(self):
        try:
            return bool(self.call("/readyz"))
        except (OSError, urllib.error.URLError):
            return False

    def is_stored(self):
        return self.load("ledger")["counters"]["stored"] >= self.load("sensor")["exported"]


def table(rows, head):
    rows = [head] + [[str(c) for c in r] for r in rows]
    widths = [max(len(r[i]) for r in rows) for i in range(len(head))]
    for r in rows:
        print("  " + "  ".join(c.ljust(w) for c, w in zip(r, widths)).rstrip())


def show(kpi, flows):
    k = kpi["kpi"]
    print(f"  traffic {k['total_traffic']}B   flows {k['active_flows']}   denied {k['denied_flows']}   "
          f"average {k['avg_throughput_mbps']} Mbit/s   source {kpi['meta']['source']}")
    print("\n  top talkers")
    table([(s["ip"], s["bytes"], s["packets"], s["flows"]) for s in kpi["top_src"][:5]],
          ["address", "bytes sent", "packets", "flows"])
    print("\n  newest flows")
    table([(f["ts"], f["src_ip"], f["src_port"], f["dst_ip"], f["dst_port"], f["proto"], f["flags"], f["packets"],
            f["bytes"], f["verdict"]) for f in flows],
          ["time", "source", "port", "destination", "port", "proto", "flags", "packets", "bytes", "verdict"])


def compare(demo):
    """Shows the answers; true when they are the generator's truth."""
    demo.login()
    truth, sensor = demo.load("truth"), demo.load("sensor")
    span = {"start": minute(truth["first_us"]), "end": minute(truth["last_us"])}
    kpi = demo.get("kpi", **span)
    show(kpi, demo.get("flows", **span, limit=10)["flows"])
    talkers = [(s["ip"], s["bytes"]) for s in kpi["top_src"]]
    rows = [
        ("packets (sensor)", sensor["packets"] - sum(sensor["dropped"].values()), truth["packets"]),
        ("bytes", kpi["kpi"]["total_bytes"], truth["ip_bytes"]),
        ("conversations", kpi["kpi"]["active_flows"], truth["conversations"]),
        ("denied", kpi["kpi"]["denied_flows"], truth["denied"]),
        ("bytes of the top 10", sum(n for _, n in talkers), sum(s["bytes"] for s in truth["top_senders"])),
    ]
    print("\n  against what the generator made")
    table([(*r, "equal" if r[1] == r[2] else "DIFFERENT") for r in rows], ["", "measured", "true", ""])
    return all(got == want for _, got, want in rows)


def tell_login(demo):
    user, truth = demo.load("user"), demo.load("truth")
    print(f"""
  TOKEN=$(curl -sk {demo.url}{BASE}/auth -H 'Content-Type: application/json' \\
    -d '{{"api_id": "{user['api_id']}", "secret": "{user['secret']}"}}' |
    python3 -c 'import json,sys; print(json.load(sys.stdin)["result"]["token"])')
  curl -sk -H "Authorization: Bearer $TOKEN" {demo.url}{BASE}/latest
  curl -sk -H "Authorization: Bearer $TOKEN" -G {demo.url}{BASE}/kpi \\
    --data-urlencode 'start={minute(truth['first_us'])}' --data-urlencode 'end={minute(truth['last_us'] + 3600 * 10**6)}'""")
    return True


def main():
    directory, url, what = sys.argv[1:]
    demo = Demo(directory, url)
    if what == "--ready":
        ok = demo.is_ready()
    elif what == "--stored":
        ok = demo.is_stored()
    else:
        ok = tell_login(demo) if what == "--login" else compare(demo)
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
