# SPDX-License-Identifier: Apache-2.0
"""What the tests are written in: Weir's programs, their peers, and a place to run them.

A test gets a Bench: `t.collector()`, `t.api(col)`, `t.capture(...)`, `t.nfcapd()`. Everything it
starts is ended with it, by process id, and must not have died before.
"""
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT = 20
STOP_TIMEOUT = 60
ENV = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8")


class Skip(Exception):
    """The test cannot run here: a peer is missing."""


def free_port(kind=socket.SOCK_DGRAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, condition, timeout=START_TIMEOUT):
    """Asks until the answer is true; returns it."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {timeout} s")


def equal(what, got, want):
    assert got == want, f"{what}: {got!r}, expected {want!r}"


def minute(epoch):
    return time.strftime("%Y/%m/%d %H:%M", time.gmtime(epoch))


class Process:
    """A program that runs until it is told to end."""

    def __init__(self, name, argv, log):
        self.name, self.log, self.ended = name, log, False
        with open(log, "ab") as f:
            self.popen = subprocess.Popen(
                [str(a) for a in argv], stdout=f, stderr=f, stdin=subprocess.DEVNULL, env=ENV
            )
        self.pid = self.popen.pid

    def text(self):
        return self.log.read_text(errors="replace")

    def is_alive(self):
        return self.popen.poll() is None

    def stop(self, sig=signal.SIGTERM):
        """Ends it and returns its exit status."""
        self.ended = True
        if self.is_alive():
            self.popen.send_signal(sig)
        try:
            return self.popen.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            raise AssertionError(f"{self.name} did not end within {STOP_TIMEOUT} s") from None

    def kill(self):
        return self.stop(signal.SIGKILL)

    def wait(self, timeout=STOP_TIMEOUT):
        self.ended = True
        return self.popen.wait(timeout)


class Collector:
    def __init__(self, bench, store=None, listen=("udp", "tcp"), args=()):
        self.bench = bench
        self.store = store or bench.dir / "store"
        self.control = bench.dir / "control.sock"
        self.port = {k: free_port(socket.SOCK_DGRAM if k == "udp" else socket.SOCK_STREAM) for k in listen}
        self.args = args
        self.start()

    def start(self):
        argv = [self.bench.program("collector/weir-collector"), "--store", self.store]
        argv += ["--control", self.control, "--clock-skew", "0"]
        for kind, port in self.port.items():
            argv += ["--listen", f"{kind}:127.0.0.1:{port}"]
        self.process = self.bench.start("weir-collector", argv + list(self.args))
        wait_for("weir-collector is ready", self.is_ready)

    def is_ready(self):
        assert self.process.is_alive(), self.process.text()[-2000:]
        log = self.process.text()
        return all(f"{k} 127.0.0.1:{p}" in log for k, p in self.port.items()) and self.ping()

    def ping(self):
        return self.bench.run(self.command("ping"), check=False).returncode == 0

    def command(self, *words):
        return [self.bench.program("cli/weir"), *words, "--control", self.control, "-o", "json"]

    def ask(self, *words):
        return json.loads(self.bench.run(self.command(*words)).stdout)

    def udp(self):
        return f"udp:127.0.0.1:{self.port['udp']}"

    def tcp(self):
        return f"tcp:127.0.0.1:{self.port['tcp']}"

    def ledger(self):
        answer = self.ask("ledger")
        return answer["counters"] | answer["drops"] | {"store_" + k: v for k, v in answer["store"].items()}

    def seal(self):
        return self.ask("seal")

    def wait_stored(self, n, timeout=60):
        wait_for(f"{n} records stored", lambda: self.ledger()["stored"] >= n, timeout)
        equal("records stored", self.ledger()["stored"], n)

    def user(self, name, entity="netflow"):
        return self.ask("user", "add", name, "--entity", entity)

    def stop(self):
        equal("weir-collector's exit status", self.process.stop(), 0)

    def kill(self):
        self.process.kill()


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Api:
    def __init__(self, bench, collector, user=None, args=()):
        self.bench, self.collector, self.args = bench, collector, args
        self.port = free_port(socket.SOCK_STREAM)
        self.url = f"https://127.0.0.1:{self.port}"
        self.token = None
        self.start()
        user = user or collector.user("tester")
        self.token = self.login(user["api_id"], user["secret"])

    def start(self):
        argv = [self.bench.program("api/weir-api"), "--store", self.collector.store]
        argv += ["--control", self.collector.control, "--listen", f"https:127.0.0.1:{self.port}"]
        self.process = self.bench.start("weir-api", argv + list(self.args))
        wait_for("weir-api is ready", self.is_ready)

    def is_ready(self):
        assert self.process.is_alive(), self.process.text()[-2000:]
        try:
            return self.request("GET", "/readyz", token=None).status == 200
        except OSError:
            return False

    def request(self, method, path, body=None, headers=(), token=""):
        """One request over HTTP/1.1. `token`: "" is the user's own, None sends none."""
        context = ssl._create_unverified_context()
        c = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=context)
        headers = dict(headers)
        token = self.token if token == "" else token
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            c.request(method, path, body, headers)
            r = c.getresponse()
            return Answer(r.status, r.headers, r.read())
        finally:
            c.close()

    def login(self, api_id, secret):
        body = json.dumps({"api_id": api_id, "secret": secret})
        a = self.request("POST", "/mbox/api/netflow/auth", body, {"Content-Type": "application/json"}, None)
        equal("status of the login", (a.status, a.json()["status"]), (200, True))
        return a.json()["result"]["token"]

    def path(self, resource, **params):
        query = urllib.parse.urlencode(params, quote_via=urllib.parse.quote)
        return f"/mbox/api/netflow/{resource}" + (f"?{query}" if query else "")

    def get(self, resource, **params):
        a = self.request("GET", self.path(resource, **params))
        assert a.status == 200, f"{resource} {params}: {a.status} {a.body[:300]!r}"
        return a.json()["result"]

    def kpi(self, truth):
        return self.get("kpi", **window(truth))

    def flows(self, truth, **params):
        return self.get("flows", **window(truth), **params)["flows"]


def window(truth):
    """From the minute of the truth's first packet through that of its last."""
    return {"start": minute(truth["first_us"] // 10**6), "end": minute(truth["last_us"] // 10**6)}


class Bench:
    """One test's place: a directory of its own, and all it starts."""

    def __init__(self, build, directory):
        self.build, self.dir = Path(build), Path(directory)
        self.processes, self.closers = [], []

    def program(self, path):
        return self.build / path

    def path(self, name):
        return self.dir / name

    def run(self, argv, check=True, timeout=300, **kwargs):
        kwargs.setdefault("env", ENV)
        r = subprocess.run(
            [str(a) for a in argv], capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL, **kwargs
        )
        assert not check or r.returncode == 0, f"{argv[0]} ended with {r.returncode}: {r.stderr[-2000:]}"
        return r

    def start(self, name, argv):
        p = Process(name, argv, self.dir / f"{name}.{len(self.processes)}.log")
        self.processes.append(p)
        return p

    def peer(self, name):
        found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
        if not found:
            raise Skip(f"{name} is not installed")
        return found

    def collector(self, **kwargs):
        return Collector(self, **kwargs)

    def api(self, collector, **kwargs):
        return Api(self, collector, **kwargs)

    def sensor(self, pcap, export, *args):
        """Runs a capture through the sensor and returns its summary."""
        argv = [self.program("sensor/weir-sensor"), "--pcap", pcap, "--export", export, "--once"]
        return json.loads(self.run(argv + list(args), timeout=600).stdout)

    def capture(self, name="capture", **options):
        """A generated capture: its path and its true sums."""
        pcap, truth = self.path(name + ".pcap"), self.path(name + ".json")
        options.setdefault("start", int(time.time()) - 7200)
        argv = [self.program("bench/weir-gen"), "capture", "--out", pcap, "--truth", truth]
        for key, value in options.items():
            argv += [f"--{key}", value]
        self.run(argv)
        return pcap, json.loads(truth.read_text())

    def export_argv(self, proto, to, flows, name="export", **options):
        argv = [self.program("bench/weir-gen"), "export", "--proto", proto, "--to", to, "--flows", flows]
        argv += ["--truth", self.path(name + ".json")]
        for key, value in options.items():
            argv += [f"--{key}", value]
        return argv

    def export(self, proto, to, flows, name="export", **options):
        """Runs an exporter to its end and returns its true sums."""
        self.run(self.export_argv(proto, to, flows, name, **options))
        return json.loads(self.path(name + ".json").read_text())

    def end(self):
        """Ends everything; says what had died before or complained about itself."""
        faults = []
        for p in reversed(self.processes):
            if not p.ended and not p.is_alive():
                faults.append(f"{p.name} died with {p.popen.returncode}: {p.text()[-1500:]}")
            p.kill() if p.is_alive() else p.stop()
            if "Sanitizer" in p.text():
                faults.append(f"{p.name}: {p.text()[:3000]}")
        for close in self.closers:
            close()
        assert not faults, "\n".join(faults)
