# SPDX-License-Identifier: Apache-2.0
"""Reverse names, from a name server that answers, denies or keeps silent."""
import ipaddress
import socket
import struct
import threading
import time

from weir import equal, wait_for

NAMES = {"192.0.2.1": "one.example.net", "192.0.2.2": "two.example.net", "2001:db8::1": "six.example.net"}
SILENT = "203.0.113.9"


class NameServer:
    """Answers PTR questions from NAMES; NXDOMAIN for others; nothing at all for SILENT."""

    def __init__(self, bench):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.1)
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.asked, self.open = [], True
        self.names = {ipaddress.ip_address(a).reverse_pointer: n for a, n in NAMES.items()}
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        bench.closers.append(self.close)

    def close(self):
        self.open = False
        self.thread.join()
        self.socket.close()

    def run(self):
        while self.open:
            try:
                query, client = self.socket.recvfrom(4096)
            except TimeoutError:
                continue
            answer = self.answer(query)
            if answer:
                self.socket.sendto(answer, client)

    def answer(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode().lower())
            at += 1 + query[at]
        name, question = ".".join(labels), query[12 : at + 5]
        self.asked.append(name)
        if name == ipaddress.ip_address(SILENT).reverse_pointer:
            return None
        if name not in self.names:
            return query[:2] + struct.pack("!HHHHH", 0x8183, 1, 0, 0, 0) + question
        target = b"".join(bytes([len(l)]) + l.encode() for l in self.names[name].split(".")) + b"\0"
        record = b"\xc0\x0c" + struct.pack("!HHIH", 12, 1, 300, len(target)) + target
        return query[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + question + record


def api_with_names(t):
    server = NameServer(t)
    return server, t.api(t.collector(), args=["--dns", server.address])


def names_are_resolved(t):
    server, api = api_with_names(t)
    want = {"192.0.2.1": "one.example.net", "2001:db8::1": "six.example.net", "192.0.2.77": ""}
    equal("names", api.get("resolve", ips="192.0.2.1,2001:db8::1,192.0.2.77"), want)
    equal("no addresses", api.get("resolve"), {})
    equal("only valid ones", api.get("resolve", ips="nonsense,192.0.2.2,999.1.1.1,"), {"192.0.2.2": "two.example.net"})
    equal("at most 20", len(api.get("resolve", ips=",".join(f"198.51.100.{i}" for i in range(30)))), 20)
    asked = len(server.asked)
    equal("again", api.get("resolve", ips="192.0.2.1"), {"192.0.2.1": "one.example.net"})
    equal("questions for what is in the cache", len(server.asked), asked)


def silent_name_server_delays_little(t):
    _, api = api_with_names(t)
    begin = time.monotonic()
    names = api.get("resolve", ips=f"192.0.2.1,{SILENT}")
    equal("names", names, {"192.0.2.1": "one.example.net", SILENT: ""})
    assert time.monotonic() - begin < 6, f"it took {time.monotonic() - begin:.1f} s"
    equal("alive", api.request("GET", "/healthz", token=None).status, 200)


def flows_show_names_and_do_not_wait_for_them(t):
    _, api = api_with_names(t)
    truth = t.export("v9", api.collector.udp(), 1_000, rate=100_000)
    api.collector.wait_stored(1_000)
    begin = time.monotonic()
    flows = api.flows(truth)
    assert time.monotonic() - begin < 2, f"it took {time.monotonic() - begin:.1f} s"
    equal("rows", len(flows), 200)
    assert all(isinstance(f["dst_fqdn"], str) for f in flows)
