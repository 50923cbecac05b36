# SPDX-License-Identifier: Apache-2.0
"""What nobody should send: nothing dies, good traffic beside it is exact."""
import json
import random
import socket
import struct
import time

from test_capture import compare_kpi
from weir import equal, wait_for

AUTH = "/mbox/api/netflow/auth"
JSON = {"Content-Type": "application/json"}


def bad_datagrams():
    """Unknown templates, lengths that lie, impossible templates, noise."""
    r = random.Random(1)
    now = int(time.time())

    def ipfix(body, length=None):
        return struct.pack("!HHIII", 10, 16 + len(body) if length is None else length, now, 0, 9) + body

    yield ipfix(struct.pack("!HH", 999, 104) + bytes(100))  # nobody told this template
    yield ipfix(struct.pack("!HH", 999, 60000) + bytes(100))  # set longer than the message
    yield ipfix(struct.pack("!HH", 999, 0) + bytes(100))  # set of no length: must not loop
    yield ipfix(bytes(40), 60000)  # message longer than the datagram
    yield ipfix(struct.pack("!HHHHHH", 2, 12, 300, 0xFFFF, 8, 4))  # template of 65535 fields
    yield ipfix(struct.pack("!HHHHHH", 2, 12, 12, 1, 8, 4))  # template id below 256
    yield ipfix(struct.pack("!HHHHHH", 2, 12, 301, 1, 8, 0) + struct.pack("!HH", 301, 50) + bytes(46))  # 0-byte records
    yield ipfix(struct.pack("!HHHHHHHI", 2, 16, 302, 1, 0x8008, 65535, 0, 1) + struct.pack("!HHBH", 302, 7, 255, 65535))
    yield struct.pack("!HH", 5, 30) + bytes(20)  # v5 without its records
    yield struct.pack("!HH", 5, 65535) + bytes(1300)
    yield struct.pack("!HHIIII", 9, 65535, 1, now, 1, 2) + struct.pack("!HH", 0, 3)
    yield b""
    yield b"\x00"
    for n in range(2000):
        version = r.choice([5, 9, 10, r.randrange(65536)])
        yield struct.pack("!H", version) + r.randbytes(r.randrange(1400))


def send_bad(port, kind):
    for data in bad_datagrams():
        with socket.socket(socket.AF_INET, kind) as s:
            s.connect(("127.0.0.1", port))
            try:
                s.send(data)
            except OSError:
                pass  # refused in the middle: well done
        if kind == socket.SOCK_STREAM and len(data) > 1000:
            time.sleep(0.0005)


def bad_datagrams_disturb_nobody(t):
    col = t.collector()
    exporter = t.start("weir-gen", t.export_argv("v9", col.udp(), 100_000, rate=50_000, domain=3))
    send_bad(col.port["udp"], socket.SOCK_DGRAM)
    send_bad(col.port["tcp"], socket.SOCK_STREAM)
    equal("the exporter's exit status", exporter.wait(), 0)
    truth = json.loads(t.path("export.json").read_text())
    wait_for("good records", lambda: col.ledger()["stored"] >= 100_000)
    wait_for("none in flight", lambda: col.ledger()["in_flight"] == 0)
    ledger = col.ledger()
    assert ledger["bad_version"] and ledger["bad_length"], "bad messages were not counted"
    flows = t.api(col).flows(truth)
    good = {f["src_ip"] for f in flows}
    assert any(ip.startswith(("10.", "2001:db8:")) for ip in good), "good flows are missing"
    col.stop()


def unknown_template_is_counted_and_good_ones_are_exact(t):
    col = t.collector()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for data in list(bad_datagrams())[:13]:
            s.sendto(data, ("127.0.0.1", col.port["udp"]))
    truth = t.export("ipfix", col.udp(), 20_000, rate=100_000, domain=4)
    wait_for("good records", lambda: col.ledger()["stored"] >= 20_000)
    compare_kpi(t.api(col).kpi(truth), truth)


def api_with_data(t):
    col = t.collector()
    truth = t.export("v9", col.udp(), 5_000, rate=100_000)
    col.wait_stored(5_000)
    return t.api(col), truth


def requests_out_of_bounds(t):
    api, truth = api_with_data(t)
    span = {"start": "2026/03/25 09:00", "end": "2026/03/25 08:00"}
    now = time.strftime("%Y/%m/%d", time.gmtime())
    whole = {"start": f"{now} 00:00", "end": f"{now} 23:59"}
    equal("rows of limit=9999", len(api.get("flows", **whole, limit=9999)["flows"]), 200)
    equal("rows of limit=7", len(api.get("flows", **whole, limit=7)["flows"]), 7)
    for resource, params in [
        ("kpi", span),
        ("flows", span),
        ("kpi", {}),
        ("kpi", {"start": "yesterday", "end": "today"}),
        ("kpi", {"start": "2026/13/45 99:99", "end": "2026/03/25 09:59"}),
        ("kpi", {"start": "2026/02/30 00:00", "end": "2026/03/25 09:59"}),
        ("flows", whole | {"limit": "0"}),
        ("flows", whole | {"limit": "-1"}),
        ("flows", whole | {"limit": "many"}),
        ("kpi", whole | {"entity": "nobody"}),
        ("kpi", whole | {"entity": "../../etc/passwd"}),
        ("kpi", whole | {"start": "A" * 4000}),
    ]:
        a = api.request("GET", api.path(resource, **params))
        assert a.status in (200, 400, 403, 404), f"{resource} {params}: {a.status}"
        if a.status != 200:
            equal(f"{resource} {params}: status", a.json()["status"], False)
            assert a.json()["errorMessage"], "no errorMessage"
    assert api.request("GET", api.path("kpi")).status == 400, "a missing start is not refused"
    equal("alive", api.request("GET", "/healthz", token=None).status, 200)


def strangers_get_nothing(t):
    api, truth = api_with_data(t)
    other = api.collector.user("other", "lentor")
    foreign = api.login(other["api_id"], other["secret"])
    head, body, sig = api.token.split(".")
    for token in (None, "x", "a.b.c", f"{head}.{body}.", f"{head}.{body}.{sig[:-2]}AA", "eyJhbGciOiJub25lIn0." + body + ".", "A" * 9000):
        a = api.request("GET", api.path("latest"), token=token)
        assert a.status in (401, 400, 431), f"token {str(token)[:20]}: {a.status}"
    now = time.strftime("%Y/%m/%d", time.gmtime())
    whole = {"start": f"{now} 00:00", "end": f"{now} 23:59"}
    a = api.request("GET", api.path("kpi", **whole, entity="netflow"), token=foreign)
    assert a.status == 403, f"the other entity's token: {a.status} {a.body[:200]}"
    rotated = api.collector.ask("user", "rotate", "tester")
    wait_for("the old token ends", lambda: api.request("GET", api.path("latest")).status == 401, 10)
    api.token = api.login(rotated["api_id"], rotated["secret"])
    api.get("latest")


def expired_tokens_are_refused(t):
    col = t.collector()
    api = t.api(col, args=["--token-lifetime", "1s"])
    time.sleep(2.5)
    equal("status", api.request("GET", api.path("latest")).status, 401)


def bodies_that_are_wrong(t):
    api, truth = api_with_data(t)
    wrong = json.dumps({"api_id": "x", "secret": "y"})
    for body, headers, want in [
        (b"x" * (1 << 20), JSON, {413}),
        (wrong, {"Content-Type": "text/plain"}, {415, 400}),
        (wrong, JSON, {401}),
        ("{", JSON, {400}),
        ("[]", JSON, {400}),
        ('{"api_id": 1, "secret": []}', JSON, {400, 401}),
        ("", JSON, {400}),
        ("[" * 5000, JSON, {400, 413}),
    ]:
        a = api.request("POST", AUTH, body, headers, token=None)
        assert a.status in want, f"body {body[:20]!r} {headers}: {a.status}, expected {want}"
    assert api.request("GET", AUTH, token=None).status in (404, 405)
    equal("unknown path", api.request("GET", "/mbox/api/netflow/none").status, 404)
    api.get("latest")
