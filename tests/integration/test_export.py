# SPDX-License-Identifier: Apache-2.0
"""Everything at once: /api/v1/flows?limit=all, read by curl."""
import csv
import io
import json
import time

from weir import equal, wait_for

ROWS = 40_000  # more than the 8 MiB of an answer in one piece


def get(t, api, *args, query=""):
    argv = [t.peer("curl"), "-sk", "-H", f"Authorization: Bearer {api.token}", *args]
    return t.run(argv + [f"{api.url}/api/v1/flows?start=2020-01-01&end=2099-01-01&limit=all&{query}"], check=False)


def peak(api):
    text = open(f"/proc/{api.process.pid}/status").read()
    return int(next(l for l in text.splitlines() if l.startswith("VmHWM")).split()[1])


def exports(api, n):
    return f"weir_api_exports {n}\n".encode() in api.request("GET", "/metrics", token=None).body


def everything_is_streamed_in_little_memory(t):
    col = t.collector()
    t.export("ipfix", col.udp(), ROWS, rate=100_000)
    col.wait_stored(ROWS)
    api = t.api(col)
    before = peak(api)
    rows = list(csv.DictReader(io.StringIO(get(t, api, "--http2", query="format=csv").stdout)))
    equal("rows of CSV", len(rows), ROWS)
    bytes_ = sum(int(r["bytes"]) + int(r["rev_bytes"]) for r in rows)
    col.seal()
    wide = get(t, api, "--http1.1", query="format=jsonl&fields=bytes,rev_bytes,src_ip,dst_ip,start,end,exporter").stdout
    lines = [json.loads(l) for l in wide.splitlines()]
    equal("sealed, as JSON lines", sum(r["bytes"] + r["rev_bytes"] for r in lines), bytes_)
    equal("by filter", get(t, api, query="format=csv&fields=dst_port&filter=dst+port+1+and+dst+port+2").stdout, "dst_port\n")
    assert peak(api) - before < 64 << 10, (before, peak(api))
    equal("as JSON", api.request("GET", "/api/v1/flows?limit=all").status, 400)
    kept = [t.start("curl", [t.peer("curl"), "-sk", "--limit-rate", "20K", "-o", "/dev/null", "-H",
                             f"Authorization: Bearer {api.token}", f"{api.url}/api/v1/flows?start=2020-01-01&end=2099-01-01"
                             "&limit=all&format=csv"]) for _ in range(2)]
    wait_for("two exports", lambda: exports(api, 2))
    equal("others are served", api.request("GET", "/api/v1/flows?limit=1").status, 200)
    kept[0].kill()
    wait_for("one is left", lambda: exports(api, 1))
    began = time.monotonic()
    api.process.stop()
    assert time.monotonic() - began < 8
    kept[1].kill()
