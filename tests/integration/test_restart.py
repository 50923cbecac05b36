# SPDX-License-Identifier: Apache-2.0
"""A collector that starts again knows what exporters announced before."""
import socket
import struct
import time

from weir import equal, wait_for


def message(version, sequence, *sets):
    body = b"".join(struct.pack(">HH", i, len(b) + 4) + b for i, b in sets)
    now = int(time.time())
    if version == 9:
        return struct.pack(">HHIIII", 9, len(sets), 100_000 + sequence, now, sequence, 5) + body
    return struct.pack(">HHIII", 10, len(body) + 16, now, sequence, 6) + body


TEMPLATE = struct.pack(">HHHHHHHH", 300, 3, 8, 4, 12, 4, 2, 4)
FLOW = bytes([10, 0, 0, 1, 10, 0, 0, 2]) + struct.pack(">I", 7)


def first_data_after_a_restart_are_decoded_without_a_template(t):
    col = t.collector()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.connect(("127.0.0.1", col.port["udp"]))
        s.send(message(9, 1, (0, TEMPLATE), (300, FLOW)))
        s.send(message(10, 0, (2, TEMPLATE), (300, FLOW)))
        col.wait_stored(2)
        col.stop()
        col.start()
        s.send(message(9, 2, (300, FLOW)))
        s.send(message(10, 1, (300, FLOW)))
        wait_for("both are stored", lambda: col.ledger()["store_rows"] == 4)
    ledger = col.ledger()
    equal("templates restored", ledger["templates_restored"], 2)
    equal("data that waited", ledger["buffered"], 0)

    # a file that is damaged is no reason not to start
    col.stop()
    kept = col.store / "templates"
    data = bytearray(kept.read_bytes())
    data[40] ^= 1
    kept.write_bytes(data)
    col.start()
    assert "damaged" in col.process.text(), col.process.text()
    equal("entries left out", col.ledger()["kept_damaged"], 1)
    col.stop()
    kept.write_bytes(b"nonsense" * 100)
    col.start()
    assert "cannot be read" in col.process.text(), col.process.text()
