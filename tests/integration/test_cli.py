# SPDX-License-Identifier: Apache-2.0
"""Command lines: what every program answers, and how it refuses."""
import json
import re

from weir import equal

DAEMONS = ["sensor/weir-sensor", "collector/weir-collector", "api/weir-api"]


def help_and_version_on_stdout(t):
    for path in DAEMONS + ["cli/weir"]:
        help_ = t.run([t.program(path), "--help"])
        assert help_.stdout.startswith("Usage: weir"), path
        version = t.run([t.program(path), "--version"])
        assert re.fullmatch(r"weir\S* \d+\.\d+\.\d+\n", version.stdout), version.stdout
        equal(f"{path}: words on stderr", help_.stderr + version.stderr, "")


def unknown_options_are_refused(t):
    for path in DAEMONS + ["cli/weir"]:
        equal(f"{path} --no-such-option", t.run([t.program(path), "--no-such-option"], check=False).returncode, 2)
    equal("weir without a command", t.run([t.program("cli/weir")], check=False).returncode, 2)
    equal("weir nonsense", t.run([t.program("cli/weir"), "nonsense"], check=False).returncode, 2)


def good_settings_pass_the_check(t):
    config = t.path("weir.yaml")
    config.write_text("store: {dir: /tmp/none}\nsensor: {biflow: yes, vdevs: [net_null0]}\ncollector:\n  listen: [udp:127.0.0.1:2055]\napi:\n  dns: off\n")
    for path in DAEMONS:
        t.run([t.program(path), "-c", config, "--check-config"])


def bad_settings_are_told_by_line_and_column(t):
    config = t.path("weir.yaml")
    for section, path in zip(("sensor", "collector", "api"), DAEMONS):
        for text, line in [
            (f"{section}:\n  no_such_key: 1\n", 2),
            (f"# one\n# two\n{section}: {{no_such_key: 1}}\n", 3),
            (f"{section}:\n  - [unclosed\n", None),
            ("no_such_section: 1\n", 1),
        ]:
            config.write_text(text)
            r = t.run([t.program(path), "-c", config, "--check-config"], check=False)
            equal(f"{path}: {text!r}", r.returncode, 78)
            place = re.search(re.escape(str(config)) + r":(\d+):(\d+): \S", r.stderr)
            assert place, f"{path}: no file:line:col in {r.stderr!r}"
            assert line is None or int(place[1]) == line, f"{path}: {r.stderr!r}, expected line {line}"


def missing_settings_file_is_bad_settings(t):
    for path in DAEMONS:
        equal(path, t.run([t.program(path), "-c", t.path("none.yaml")], check=False).returncode, 78)


def command_without_a_collector_is_unavailable(t):
    r = t.run([t.program("cli/weir"), "ledger", "--control", t.path("none.sock")], check=False)
    equal("exit status", r.returncode, 69)
    assert r.stderr and not r.stdout


def tables_csv_and_json_tell_the_same(t):
    col = t.collector()
    user = col.user("someone", "lentor")
    equal("entity", user["entity"], "lentor")
    listed = col.ask("user", "list")
    equal("users", [u["name"] for u in listed], ["someone"])
    assert "secret" not in listed[0], "the secret is shown again"
    weir = [t.program("cli/weir"), "user", "list", "--control", col.control, "-o"]
    csv = t.run(weir + ["csv"]).stdout.splitlines()
    equal("header", csv[0].split(",")[:2], ["name", "entity"])
    assert user["api_id"] in csv[1] and user["api_id"] in t.run(weir + ["table"]).stdout
    r = t.run(col.command("user", "add", "someone"), check=False)
    equal("a name twice", r.returncode, 1)
    col.ask("user", "del", "someone")
    equal("users after del", col.ask("user", "list"), [])


def a_feed_is_tried_without_a_collector(t):
    feed = t.path("feed.csv")
    feed.write_bytes(b"indicator,new,type,score\r\n198.51.100.7,x,ip,300\n\xff\x00binary\n198.51.100.8,ip,1\n"
                     + b"x" * 2**20 + b"\n10.0.0.1,,ip,1\nbad.example,,domain,900\n2001:db8::/32,,cidr,\n")
    weir = [t.program("cli/weir"), "feeds", "test"]
    told = json.loads(t.run(weir + [feed, "-o", "json"]).stdout)
    equal("format", told["format"], "csv")
    counts = {k: v for k, v in told["counts"].items() if v}
    equal("counts", counts, {"lines": 7, "indicators": 3, "rejected": 3, "reserved": 1})
    equal("types", {k: v for k, v in told["types"].items() if v}, {"net": 2, "name": 1})
    equal("lines rejected", [r["line"] for r in told["rejects"]], [3, 4, 5])
    assert all(r["why"] for r in told["rejects"]), told["rejects"]
    equal("values", [i["value"] for i in told["first"]], ["198.51.100.7", "bad.example", "2001:db8::/32"])
    equal("scores", [i["score"] for i in told["first"]], [300, 900, 700])
    csv = t.run(weir + [feed, "score=5", "allow=yes", "--limit", "1", "-o", "csv"]).stdout
    assert "\nallow,198.51.100.7,\"score 300" in csv and "bad.example" not in csv, csv
    assert re.search(r"^rejected +line 4 +a number of columns", t.run(weir + [feed]).stdout, re.M)
    for words in ([t.path("none")], [t.program("cli/weir")], [feed, "format=zeek"]):
        r = t.run(weir + words, check=False)
        assert r.returncode == 1 and r.stderr, (words, r)
    equal("no such setting", t.run(weir + [feed, "colour=red"], check=False).returncode, 2)
