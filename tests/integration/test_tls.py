# SPDX-License-Identifier: Apache-2.0
"""The certificate: made at first, mended after a start that was cut short, taken over on SIGHUP."""
import hashlib
import http.client
import os
import signal
import ssl

from weir import equal, wait_for


def fingerprint(api):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", api.port)))).hexdigest()


def public_key(t, api):
    return t.run([t.peer("openssl"), "x509", "-in", t.path("api/cert.pem"), "-noout", "-pubkey"]).stdout


def a_start_that_was_cut_short_is_mended(t):
    api = t.api(t.collector())
    before, key = fingerprint(api), public_key(t, api)
    api.process.kill()
    t.path("api/cert.pem").unlink()
    api.start()
    assert fingerprint(api) != before
    equal("key", public_key(t, api), key)
    api.process.kill()
    t.path("api/key.pem").write_text("nothing")
    t.path("api/cert.pem").unlink()
    p = t.start("weir-api", [api.process.popen.args[0], *api.process.popen.args[1:]])
    assert p.wait() != 0 and "key.pem" in p.text(), p.text()


def another_certificate_is_taken_over_by_sighup(t):
    api = t.api(t.collector())
    before = fingerprint(api)
    kept = http.client.HTTPSConnection("127.0.0.1", api.port, context=ssl._create_unverified_context())
    kept.request("GET", "/healthz")
    kept.getresponse().read()
    new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x", "-days", "9"]
    t.run([t.peer("openssl"), *new, "-keyout", t.path("api/key.pem"), "-out", t.path("api/cert.pem")])
    os.chmod(t.path("api/key.pem"), 0o600)
    api.process.popen.send_signal(signal.SIGHUP)
    wait_for("the other certificate", lambda: fingerprint(api) != before)
    after = fingerprint(api)
    kept.request("GET", "/healthz")
    equal("the connection from before", kept.getresponse().status, 200)
    t.path("api/cert.pem").write_text("-----BEGIN CERTIFICATE-----\nbroken\n")
    api.process.popen.send_signal(signal.SIGHUP)
    wait_for("it is said", lambda: "api/cert.pem: " in api.process.text())
    equal("the good one stays", fingerprint(api), after)
    kept.close()
