# SPDX-License-Identifier: Apache-2.0
"""What happens when there is no more room: the oldest hours go, or intake waits; nothing is lost."""
import os
import subprocess
import time

from weir import Skip, equal, wait_for

HOUR = 3600


def span(hours):
    now = time.time()
    return {"first_us": int((now - hours * HOUR) * 10**6), "last_us": int((now + HOUR) * 10**6)}


def hours_that_are_too_old_are_removed_whole(t):
    col = t.collector()
    now = int(time.time()) // HOUR * HOUR
    old = t.export("ipfix", col.udp(), 20_000, name="old", rate=200_000, start=now - 9 * HOUR, domain=1)
    col.wait_stored(20_000)
    col.seal()
    t.export("v9", col.udp(), 5_000, name="older", rate=200_000, start=now - 30 * HOUR, domain=2)
    kept = t.export("ipfix", col.tcp(), 7_000, name="kept", start=now - 2 * HOUR, domain=3)
    col.wait_stored(32_000)
    api = t.api(col)
    equal("flows before", api.kpi(span(40))["kpi"]["active_flows"], 32_000)
    size = col.ledger()["store_size"]

    col.stop()
    col.args = ["--keep", "6h"]
    col.start()
    ledger = wait_for("old hours are gone", lambda: (n := col.ledger())["expired"] and n)
    equal("records removed", ledger["expired"], 25_000)
    equal("records kept", ledger["store_rows"], 7_000)
    assert ledger["store_size"] < size, f"{size} bytes before, {ledger['store_size']} after"
    seen = lambda: api.kpi(span(40))["kpi"]["active_flows"]
    wait_for("the API sees what is kept", lambda: seen() == 7_000)
    equal("bytes kept", api.kpi(span(40))["kpi"]["total_bytes"], kept["ip_bytes"])
    equal("bytes of the old hours", api.kpi({"first_us": old["first_us"], "last_us": old["last_us"]})["kpi"]["active_flows"], 0)

    col.kill()
    col.start()
    assert "missing" not in col.process.text() and "lost" not in col.process.text(), col.process.text()
    equal("records after another start", col.ledger()["store_rows"], 7_000)


class Disk:
    """A file system in memory of a given size."""

    def __init__(self, t, size):
        self.path = t.path("disk")
        self.path.mkdir()
        if os.geteuid() != 0 or self.mount(f"size={size}m").returncode != 0:
            raise Skip("no right to mount a file system")
        t.closers.append(lambda: subprocess.run(["umount", "-l", self.path], check=True))

    def mount(self, options):
        return subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", self.path], capture_output=True)

    def enlarge(self, size):
        subprocess.run(["mount", "-o", f"remount,size={size}m", self.path], check=True)


def state(col):
    return col.ask("ping")["intake"]


def checks(api):
    answer = api.request("GET", "/readyz", token=None).json()
    return answer["status"], {c["name"]: c["status"] for c in answer["checks"]}


def intake_waits_while_the_disk_is_full_and_goes_on_by_itself(t):
    flows = 500_000
    disk = Disk(t, 48)
    settings = t.path("weir.yaml")
    settings.write_text("collector:\n  reserve: 32 MiB\n")
    col = t.collector(store=disk.path / "store", args=["-c", settings])
    api = t.api(col)
    equal("state before", (state(col), checks(api)[0]), ("ok", "ok"))
    exporter = t.start("weir-gen", t.export_argv("ipfix", col.tcp(), flows, start=int(time.time()) - 60))
    wait_for("intake waits", lambda: state(col) == "no_space", 60)
    stored = col.ledger()["stored"]
    time.sleep(1.2)
    assert exporter.is_alive(), "the exporter is not held back"
    equal("records stored meanwhile", col.ledger()["stored"], stored)
    equal("state by the API", checks(api), ("warning", {"store": "ok", "collector": "ok", "intake": "error"}))
    assert "no space: intake waits" in col.process.text(), col.process.text()[-500:]

    disk.enlarge(400)
    wait_for("intake goes on", lambda: state(col) == "ok", 20)
    equal("exporter's exit status", exporter.wait(60), 0)
    col.wait_stored(flows)
    ledger = col.ledger()
    equal("times that intake waited", ledger["intake_stops"], 1)
    equal("records refused", ledger["store_failed"], 0)
    col.kill()
    col.start()
    equal("records after kill -9", col.ledger()["store_rows"], flows)
