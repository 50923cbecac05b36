#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the integration tests: run.py [--build DIR] [--keep] [NAME]...

A test is a public function of one of MODULES that takes a Bench; its name says what holds.
"""
import argparse
import importlib
import inspect
import os
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

from weir import ROOT, Bench, Skip

MODULES = [
    "test_cli",
    "test_docs",
    "test_doctor",
    "test_units",
    "test_capture",
    "test_exporters",
    "test_kill9",
    "test_room",
    "test_corpora",
    "test_backup",
    "test_restart",
    "test_peers",
    "test_filter",
    "test_compat",
    "test_openapi",
    "test_live",
    "test_about",
    "test_users",
    "test_export",
    "test_tls",
    "test_hostile",
    "test_flood",
    "test_http",
    "test_resolve",
    "test_files",
    "test_intel",
    "test_sensor_intel",
    "test_sensor_ledger",
    "test_sensor_export",
    "test_tunnels",
    "test_starts",
    "test_sensor_timeouts",
    "test_demo",
]


def tests():
    for name in MODULES:
        module = importlib.import_module(name)
        for key, f in list(vars(module).items()):
            if inspect.isfunction(f) and f.__module__ == name and list(inspect.signature(f).parameters) == ["t"]:
                yield key, f


def run(name, test, build, keep):
    """"ok", "FAIL" or "skip", and why."""
    directory = tempfile.mkdtemp(prefix=f"weir-{name}-")
    bench, result, why = Bench(build, directory), "ok", ""
    try:
        try:
            test(bench)
        finally:
            bench.end()
    except Skip as e:
        result, why = "skip", str(e)
    except AssertionError as e:
        steps = [f for f in traceback.extract_tb(e.__traceback__) if Path(f.filename).name.startswith("test_")]
        places = [f"{Path(f.filename).name}:{f.lineno}" for f in steps]
        result, why = "FAIL", f"{' > '.join(places)}: {e}"
    except Exception:
        result, why = "FAIL", traceback.format_exc()
    if result == "FAIL" and keep:
        why += f" (kept: {directory})"
    else:
        shutil.rmtree(directory, ignore_errors=True)
    return result, why


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--build", type=Path, default=Path(os.environ.get("WEIR_BUILD", ROOT / "build")))
    p.add_argument("--keep", action="store_true", help="leave the directories of failed tests")
    p.add_argument("names", nargs="*", help="run only tests whose name contains one of these")
    args = p.parse_args()
    counts = {"ok": 0, "FAIL": 0, "skip": 0}
    for name, test in tests():
        if args.names and not any(n in name for n in args.names):
            continue
        begin = time.monotonic()
        result, why = run(name, test, args.build.resolve(), args.keep)
        counts[result] += 1
        print(f"{result:4}  {name}  {time.monotonic() - begin:.1f} s  {why}", flush=True)
    print(f"{counts['ok']} passed, {counts['FAIL']} failed, {counts['skip']} skipped")
    return 1 if counts["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())
