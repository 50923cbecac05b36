# SPDX-License-Identifier: Apache-2.0
"""What the API says of itself: its description against live answers, and its metrics."""
import shutil
import subprocess
import time

from weir import ENV, equal

SAMPLES = {
    "/mbox/api/netflow/kpi": "start=2026/03/25%2009:00&end=2026/03/25%2009:59",
    "/mbox/api/netflow/flows": "start=2026/03/25%2009:00&end=2026/03/25%2009:59",
    "/of/": "module=gettraff",
}
JSON = {"Content-Type": "application/json"}


def sample(p):
    schema = p["schema"]
    if "enum" in schema:
        return schema["enum"][0]
    known = {"start": "2026-03-25T09:00:00Z", "end": "2026-03-25T10:00:00Z", "filter": "any", "by": "src_ip", "step": "1h",
             "fields": "src_ip,bytes", "ip": "192.0.2.1", "address": "192.0.2.1", "w": "400", "h": "300", "ips": "", "entity": "netflow", "retro": "true"}
    return known.get(p["name"], {"integer": "7", "boolean": "true"}.get(schema["type"]))


def query_of(path, operation):
    if path in SAMPLES:
        return SAMPLES[path]
    pairs = [(p["name"], sample(p)) for p in operation["parameters"] if p["in"] == "query"]
    return "&".join(f"{name}={value}" for name, value in pairs if value is not None and name != "format")


def check_answer(api, path, operation, method, token=""):
    real = path.replace("{ip}", "192.0.2.1")
    a = api.request(method.upper(), f"{real}?{query_of(path, operation)}", token=token)
    responses = operation["responses"]
    said = responses.get(str(a.status)) or responses["2XX" if a.status < 300 else "default"]
    kind = a.headers["content-type"].split(";")[0]
    assert kind in said["content"], f"{method} {path}: {a.status} {kind}, described {list(said['content'])}"
    return a.status


def the_description_is_what_is_there(t):
    col = t.collector()
    t.export("ipfix", col.udp(), 1_000, rate=50_000)
    col.wait_stored(1_000)
    api = t.api(col, user=col.ask("user", "add", "boss", "--role", "admin"))
    doc = api.request("GET", "/openapi.json", token=None).json()
    assert doc["openapi"].startswith("3.0"), doc["openapi"]
    n = 0
    for path, operations in doc["paths"].items():
        for method, operation in operations.items():
            endless = "text/event-stream" in operation["responses"]["2XX"]["content"]
            if method == "get" and not endless:
                equal(f"GET {path}", check_answer(api, path, operation, method), 200)
            public = operation["security"] == [] or "api.open" in operation["x-role"]
            without = api.request(method.upper(), path, "{}" if method == "post" else None, JSON, token=None).status
            assert public or without == 401, f"{method} {path} without a token: {without}"
            n += 1
    assert n >= 28, n
    for path in ("/api/v1/flows", "/api/v1/top", "/api/v1/series"):  # what is required is: nothing
        equal(path, api.request("GET", path).status, 200)


def metrics_count_what_was_asked(t):
    col = t.collector()
    api = t.api(col)
    for _ in range(5):
        api.request("GET", "/api/v1/flows")
    api.request("GET", "/api/v1/flows?filter=(")
    api.request("GET", "/nowhere")
    text = api.request("GET", "/metrics", headers={"Accept": "application/openmetrics-text"}, token=None).body.decode()
    lines = dict(l.rsplit(" ", 1) for l in text.splitlines() if not l.startswith("#"))
    flows = 'weir_api_requests_total{method="GET",route="/api/v1/flows",code="%d"}'
    equal("good", lines[flows % 200], "5")
    equal("bad", lines[flows % 400], "1")
    equal("nowhere", lines['weir_api_requests_total{method="",route="",code="404"}'], "1")
    assert abs(float(lines["weir_api_start_time_seconds"]) - time.time()) < 60
    equal("end", text.splitlines()[-1], "# EOF")
    equal("through a proxy", api.request("GET", "/metrics", headers={"Via": "1.1 proxy"}, token=None).status, 401)
    if shutil.which("promtool"):
        plain = api.request("GET", "/metrics").body
        r = subprocess.run(["promtool", "check", "metrics"], input=plain, capture_output=True, env=ENV)
        equal("promtool", (r.returncode, r.stdout + r.stderr), (0, b""))
