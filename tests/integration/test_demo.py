# SPDX-License-Identifier: Apache-2.0
"""The demo: it ends well, says the truth, and leaves nothing behind."""
import os
from pathlib import Path

from weir import ENV, ROOT, equal


def processes_of(mark):
    """Who has `mark` in the environment it was started with."""
    for p in Path("/proc").glob("[0-9]*"):
        try:
            if int(p.name) != os.getpid() and mark.encode() in (p / "environ").read_bytes():
                yield (p / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue


def demo_once(t):
    env = dict(ENV, WEIR_BUILD=str(t.build), TMPDIR=str(t.dir), WEIR_DEMO_MARK=f"mark-of-{t.dir.name}")
    r = t.run([ROOT / "demo.sh", "--once"], check=False, timeout=900, env=env, cwd="/")
    equal("exit status", (r.returncode, r.stdout[-1500:] + r.stderr[-1500:] if r.returncode else ""), (0, ""))
    for what in ("packets", "bytes", "conversations", "denied"):
        assert any(what in l.lower() and "equal" in l for l in r.stdout.splitlines()), f"{what} not compared:\n{r.stdout}"
    equal("processes left", list(processes_of(env["WEIR_DEMO_MARK"])), [])
    equal("files left", [p.name for p in t.dir.iterdir()], [])
