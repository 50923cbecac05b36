# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 and HTTP/1.1 under load, and with parts of the system gone."""
import re
import time

from weir import equal, wait_for


def served(t):
    col = t.collector()
    truth = t.export("ipfix", col.udp(), 5_000, rate=100_000)
    col.wait_stored(5_000)
    return col, t.api(col), truth


def curl(t, api, *args):
    argv = [t.peer("curl"), "-sk", "-o", "/dev/null", "-w", "%{http_version} %{http_code}"]
    argv += ["-H", f"Authorization: Bearer {api.token}", *args, api.url + api.path("latest")]
    return t.run(argv).stdout


def h2load_argv(t, api, n, clients):
    argv = [t.peer("h2load"), "-n", n, "-c", clients, "-m", "10"]
    return argv + ["-H", f"authorization: Bearer {api.token}", api.url + api.path("latest")]


def http2_and_http1_by_curl(t):
    _, api, _ = served(t)
    equal("--http2", curl(t, api, "--http2"), "2 200")
    equal("--http1.1", curl(t, api, "--http1.1"), "1.1 200")
    equal("TLS 1.2", curl(t, api, "--tls-max", "1.2"), "2 200")


def h2load_without_a_failed_request(t):
    _, api, _ = served(t)
    text = t.run(h2load_argv(t, api, 10_000, 10)).stdout
    done = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored", text)
    equal("requests", done and done.groups(), ("10000", "0", "0"))
    equal("answers other than 2xx", re.search(r"status codes: (\d+) 2xx", text).group(1), "10000")


def api_killed_under_load_serves_again(t):
    _, api, truth = served(t)
    load = t.start("h2load", h2load_argv(t, api, 1_000_000, 10))
    time.sleep(1)
    api.process.kill()
    load.stop()
    api.start()
    equal("flows with the token from before", api.kpi(truth)["kpi"]["active_flows"], 5_000)
    equal("curl", curl(t, api, "--http2"), "2 200")


def api_answers_while_the_collector_is_gone(t):
    col, api, truth = served(t)
    before = api.kpi(truth)
    col.stop()
    equal("answer without the collector", api.kpi(truth), before)
    col.start()
    more = t.export("v9", col.udp(), 1_000, name="more", start=truth["first_us"] // 10**6)
    col.wait_stored(1_000)
    both = {"first_us": truth["first_us"], "last_us": max(truth["last_us"], more["last_us"])}
    wait_for("the new flows", lambda: api.kpi(both)["kpi"]["active_flows"] == 6_000)


def latest_tells_the_span_of_the_data(t):
    _, api, truth = served(t)
    latest = api.get("latest")
    first = time.strftime("%Y/%m/%d %H:00", time.gmtime(truth["first_us"] // 10**6))
    assert latest["data_start"] <= latest["start"] <= latest["end"] <= latest["data_end"], latest
    equal("interval", (latest["interval_sec"], latest["interval_label"]), (3600, "1h"))
    equal("first hour", latest["data_start"], first)
    equal("file", latest["latest_file"], "nfcapd." + re.sub(r"\D", "", latest["start"]))
