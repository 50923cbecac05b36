# SPDX-License-Identifier: Apache-2.0
"""Backup, restore, and what weir doctor --store finds."""
import json
import time

from weir import equal, window


def doctor(t, store, *args):
    r = t.run([t.program("cli/weir"), "doctor", "--store", store, "-o", "json", *args], check=False)
    rows = {row["what"]: row for row in json.loads(r.stdout)} if r.stdout else {}
    return r.returncode, rows.get("blocks of records", {}), r.stderr


def span(seconds):
    return {"first_us": int((time.time() - seconds) * 10**6), "last_us": int((time.time() + 60) * 10**6)}


def a_backup_of_the_running_store_answers_the_same(t):
    col = t.collector()
    t.export("ipfix", col.udp(), 20_000, rate=200_000, start=int(time.time()) - 7200)
    col.wait_stored(20_000)
    col.seal()
    t.export("v9", col.udp(), 5_000, rate=200_000, domain=3, name="late")
    col.wait_stored(25_000)
    api = t.api(col)
    whole = api.kpi(span(9000))["kpi"]
    backup, store = t.path("backup"), t.path("restored")
    equal("rows in the backup", col.ask("backup", str(backup))["rows"], 25_000)
    t.export("ipfix", col.udp(), 1_000, domain=4, name="more")  # is not in it
    assert t.run(col.command("backup", str(backup)), check=False).returncode == 1, "replaced a backup"
    equal("the store, while it is in use", doctor(t, col.store)[0], 0)
    code, _, words = doctor(t, col.store, "--repair")
    assert code == 1 and "has it open" in words, words
    api.process.stop()
    col.stop()

    weir = t.program("cli/weir")
    r = t.run([weir, "restore", backup, "--store", store])
    assert "25000 of 25000 records restored" in r.stderr, r.stderr
    assert t.run([weir, "restore", backup, "--store", store], check=False).returncode == 1, "replaced a store"
    col = t.collector(store=store)
    api = t.api(col, user=col.user("another"))
    equal("what the restored store answers", api.kpi(span(9000))["kpi"], whole)


def flipped_bytes_are_found_and_the_rest_is_served(t):
    col = t.collector()
    truths = []
    for domain in range(3):
        truths.append(t.export("ipfix", col.udp(), 20_000, rate=200_000, start=int(time.time()) - 7200 * (domain + 1), domain=domain))
        col.wait_stored(20_000 * (domain + 1))
    col.seal()
    col.stop()
    col.start()  # all is in files now
    col.stop()
    equal("before", doctor(t, col.store)[0], 0)
    largest = max((col.store / "db").glob("*.sst"), key=lambda f: f.stat().st_size)
    data = bytearray(largest.read_bytes())
    data[len(data) // 2] ^= 0x10
    largest.write_bytes(data)
    code, blocks, words = doctor(t, col.store)
    equal("exit status", code, 1)
    lost = blocks["records_lost"]
    assert 0 < lost < 60_000, blocks
    assert f"{60_000 - lost} of 60000 records can be read" in words, words
    code, blocks, words = doctor(t, col.store, "--repair")
    assert blocks["records_lost"] == lost, f"{lost} lost, then {blocks}: {words}"
    assert list((col.store / "lost+found").glob("*.db")), "what was damaged is not kept"
    col.start()
    t.export("v9", col.udp(), 1_000, domain=9, name="after")
    col.wait_stored(1_000)
    api, served = t.api(col), 0
    for truth in truths:
        a = api.request("GET", api.path("flows", **window(truth), limit=200))
        served += a.status == 200 and len(a.json()["result"]["flows"]) == 200
    assert served >= 2, f"{served} of 3 hours are served"


def a_damaged_list_of_files_is_made_anew(t):
    col = t.collector()
    t.export("ipfix", col.udp(), 10_000, rate=200_000)
    col.wait_stored(10_000)
    col.seal()
    col.stop()
    manifest = max((col.store / "db").glob("MANIFEST-*"))
    data = bytearray(manifest.read_bytes())
    data[len(data) // 3] ^= 0x10
    manifest.write_bytes(data)
    code, _, words = doctor(t, col.store)
    assert code == 1 and "--repair" in words, words
    code, blocks, words = doctor(t, col.store, "--repair")
    equal("after the repair", (code, blocks["records_lost"]), (0, 0))
    col.start()
    equal("records", col.ledger()["store_rows"], 10_000)
    assert list((col.store / "lost+found").glob("*.list/MANIFEST-*")), "the damaged list is not kept"
