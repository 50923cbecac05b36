# SPDX-License-Identifier: Apache-2.0
"""The systemd units: their rights, their settings, and what the programs tell the manager."""
import os
import re
import signal
import socket
import time

from weir import ROOT, equal, free_port, wait_for

EXPOSURE = {"weir-collector": 1.5, "weir-api": 1.5, "weir-sensor": 3.0}
PROGRAMS = {"weir-collector": "collector/weir-collector", "weir-api": "api/weir-api", "weir-sensor": "sensor/weir-sensor"}


def unit(t, name):
    """The unit as it is installed, but with the programs of this build, which are there."""
    text = (t.build / "packaging" / f"{name}.service").read_text()
    path = t.path(f"{name}.service")
    path.write_text(re.sub(rf"=\S*/{name} ", f"={t.program(PROGRAMS[name])} ", text))
    return path


def values(text, key):
    return re.findall(rf"^{key}=(.*)$", text, re.M)


def units_have_little_exposure(t):
    analyze = t.peer("systemd-analyze")
    for name, most in EXPOSURE.items():
        out = t.run([analyze, "security", "--offline=true", "--no-pager", unit(t, name)]).stdout
        level = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", out)[1])
        assert level <= most, f"{name}: {level}, at most {most} is allowed"


def units_are_valid(t):
    analyze = t.peer("systemd-analyze")
    paths = [unit(t, name) for name in EXPOSURE]
    r = t.run([analyze, "verify", "--man=no", "--recursive-errors=no", *paths], check=False)
    words = [line for line in r.stderr.splitlines() if any(name in line for name in EXPOSURE)]
    equal("complaints", words, [])


def units_check_settings_before_start_and_reload(t):
    for name in EXPOSURE:
        text = unit(t, name).read_text()
        (pre,), (start,), reload = values(text, "ExecStartPre"), values(text, "ExecStart"), values(text, "ExecReload")
        assert "--check-config" in pre and "-c /etc/weir/weir.yaml" in start, text
        equal(f"{name}: checked first, then told", reload, [pre, "/bin/kill -HUP $MAINPID"])
        equal(f"{name}: type", values(text, "Type"), ["notify"])
        assert values(text, "WatchdogSec") and values(text, "Restart") == ["on-failure"], text


def users_of_the_units_are_made(t):
    users = re.findall(r"^u (\S+)", (ROOT / "packaging/systemd/weir.sysusers").read_text(), re.M)
    for name in EXPOSURE:
        text = unit(t, name).read_text()
        for user in values(text, "User") + values(text, "Group") + values(text, "SupplementaryGroups"):
            assert user in users, f"{name}: {user}"
    rule = (ROOT / "packaging/systemd/60-weir-vfio.rules").read_text()
    assert re.search(r'GROUP="(\S+)"', rule)[1] in users, rule


def the_settings_installed_are_valid(t):
    config = ROOT / "packaging/weir.yaml"
    for name in ("weir-collector", "weir-api"):
        t.run([t.program(PROGRAMS[name]), "-c", config, "--check-config"])
    r = t.run([t.program(PROGRAMS["weir-sensor"]), "-c", config, "--check-config"], check=False)
    equal("a sensor without settings of its own", (r.returncode, "nothing to listen on" in r.stderr), (78, True))
    enabled = t.path("weir.yaml")
    enabled.write_text(re.sub(r"^# (\w+:|  \w+:)", r"\1", config.read_text(), flags=re.M))
    for program in PROGRAMS.values():
        t.run([t.program(program), "-c", enabled, "--check-config"])


class Manager:
    """The end of the notification socket that systemd has."""

    def __init__(self, t, name):
        self.path = t.path(f"{name}.notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.socket.setblocking(False)
        self.heard = []
        t.closers.append(self.socket.close)

    def listen(self):
        try:
            while True:
                self.heard.append(self.socket.recv(4096).decode())
        except BlockingIOError:
            return self.heard

    def count(self, word):
        return sum(word in h.split("\n") for h in self.listen())


def argv_of(t, name):
    store = ["--store", t.path("store"), "--control", t.path("control.sock")]
    return [t.program(PROGRAMS[name])] + {
        "weir-collector": store + ["--listen", f"udp:127.0.0.1:{free_port()}"],
        "weir-api": store + ["--listen", "https:127.0.0.1:0"],
        "weir-sensor": ["--vdev", "net_null0", "--export", f"udp:127.0.0.1:{free_port()}"],
    }[name]


def start(t, name, watchdog_sec):
    m = Manager(t, name)
    told = {"NOTIFY_SOCKET": m.path, "WATCHDOG_USEC": int(watchdog_sec * 10**6)}
    p = t.start(name, ["env", *(f"{k}={v}" for k, v in told.items()), *argv_of(t, name)])
    wait_for(f"{name} is ready", lambda: p.is_alive() and m.count("READY=1"), 60)
    return p, m


def programs_tell_when_they_are_ready_alive_reloading_and_ending(t):
    for name in EXPOSURE:
        p, m = start(t, name, 1)
        wait_for(f"{name} is alive", lambda: m.count("WATCHDOG=1") >= 3)
        os.kill(p.pid, signal.SIGHUP)
        wait_for(f"{name} reloads", lambda: m.count("RELOADING=1") == 1 and m.count("READY=1") == 2)
        order = [h.split("\n")[0] for h in m.listen() if "WATCHDOG" not in h]
        equal(f"{name}: order", order, ["READY=1", "RELOADING=1", "READY=1"])
        equal(f"{name}: exit status", p.stop(), 0)
        equal(f"{name}: end", m.count("STOPPING=1"), 1)


def a_program_that_stands_still_gives_no_sign_of_life(t):
    for name in EXPOSURE:
        p, m = start(t, name, 1)
        wait_for(f"{name} is alive", lambda: m.count("WATCHDOG=1"))
        os.kill(p.pid, signal.SIGSTOP)
        before = m.count("WATCHDOG=1")
        time.sleep(2)
        equal(f"{name}: signs of life while it stands", m.count("WATCHDOG=1"), before)
        os.kill(p.pid, signal.SIGCONT)
        wait_for(f"{name} goes on", lambda: m.count("WATCHDOG=1") > before)
        equal(f"{name}: exit status", p.stop(), 0)
