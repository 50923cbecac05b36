# SPDX-License-Identifier: Apache-2.0
"""Users by the API, the trail of changes, and who may do what: every route, role and entity."""
import getpass
import http.client
import json
import ssl

from weir import equal

JSON = {"Content-Type": "application/json"}
V1 = "/api/v1/"
ROLES = ("viewer", "analyst", "admin", "exporter")


def call(api, method, path, body=None, token=""):
    return api.request(method, V1 + path, None if body is None else json.dumps(body), JSON, token)


def must(api, method, path, status, body=None, token=""):
    a = call(api, method, path, body, token)
    equal(f"{method} {path} {body}", (a.status, a.body[:200] if a.status != status else None), (status, None))
    return a.json()


def admin(t, col, entity="netflow"):
    return col.ask("user", "add", "boss-" + entity, "--role", "admin", "--entity", entity)


def names(api, token=""):
    return sorted(u["name"] for u in must(api, "GET", "users", 200, token=token)["users"])


def users_are_managed_by_the_api(t):
    col = t.collector()
    api = t.api(col, user=admin(t, col))
    ann = must(api, "POST", "users", 201, {"name": "ann", "role": "analyst"})
    equal("entity", (ann["entity"], ann["role"]), ("netflow", "analyst"))
    token = api.login(ann["api_id"], ann["secret"])
    must(api, "GET", "flows", 200, token=token)
    must(api, "GET", "users", 403, token=token)
    listed = [u for u in must(api, "GET", "users", 200)["users"] if u["name"] == "ann"]
    assert listed and "secret" not in listed[0], listed
    again = must(api, "POST", "users/rotate", 201, {"user": "ann"})
    must(api, "GET", "flows", 401, token=token)
    token = api.login(again["api_id"], again["secret"])
    must(api, "DELETE", "users?user=ann", 202)
    must(api, "GET", "flows", 401, token=token)
    equal("left", names(api), ["boss-netflow"])
    for bad in ({"name": ""}, {"name": "x", "role": "king"}, {"name": "x", "entity": "none"}, {}, {"name": "boss-netflow"}):
        must(api, "POST", "users", 400, bad)
    must(api, "DELETE", "users", 400)
    must(api, "DELETE", "users?user=nobody", 400)

    trail = must(api, "GET", "audit", 200)["audit"]
    equal("trail", [(e["what"], e["who"], e["from"]) for e in trail],
          [(w, "boss-netflow", "127.0.0.1") for w in ("user.del", "user.rotate", "user.add")]
          + [("user.add", getpass.getuser(), "control socket")])
    equal("arguments", trail[2]["args"], {"name": "ann", "role": "analyst", "entity": "netflow"})
    text = json.dumps(trail)
    assert again["secret"] not in text and ann["secret"] not in text
    equal("by the command", [e["id"] for e in col.ask("audit")], [e["id"] for e in trail])
    equal("newest", must(api, "GET", "audit?limit=1", 200)["audit"], trail[:1])
    must(api, "POST", "feeds", 201, {"name": "f", "location": "https://me:hush@127.0.0.1:1/list"})
    newest = must(api, "GET", "audit?limit=1", 200)["audit"][0]
    assert newest["what"] == "feeds.add" and "hush" not in json.dumps(newest), newest
    col.stop()
    equal("without the collector", must(api, "GET", "audit?limit=2", 200)["audit"][1], trail[0])


def admins_of_an_entity_see_and_change_its_users_alone(t):
    col = t.collector()
    api = t.api(col, user=admin(t, col))
    user = admin(t, col, "lentor")
    token = api.login(user["api_id"], user["secret"])
    equal("users", names(api, token), ["boss-lentor"])
    equal("all users", names(api), ["boss-lentor", "boss-netflow"])
    equal("entities", [e["name"] for e in must(api, "GET", "entities", 200, token=token)["entities"]], ["lentor"])
    equal("all entities", [e["name"] for e in must(api, "GET", "entities", 200)["entities"]], ["netflow", "lentor"])
    equal("its own", must(api, "POST", "users", 201, {"name": "lea"}, token)["entity"], "lentor")
    for body in ({"name": "x", "entity": "netflow"}, {"name": "x", "entity": "netflow", "within": "netflow"}):
        must(api, "POST", "users", 400, body, token)
    must(api, "POST", "users/rotate", 400, {"user": "boss-netflow", "within": "netflow"}, token)
    must(api, "DELETE", "users?user=boss-netflow", 400, token=token)
    must(api, "DELETE", "users?user=lea", 202, token=token)
    must(api, "GET", "audit", 403, token=token)
    must(api, "GET", "flows?entity=netflow", 403, token=token)


# Who may: of each role the API describes. A route of another role, or none, fails the test.
MAY = {
    "anybody": set(ROLES) | {None},
    "any token, or api.open": set(ROLES) | {None},
    "any user, or api.open": {"viewer", "analyst", "admin", None},
    "viewer": {"viewer", "analyst", "admin"},
    "exporter": {"exporter", "analyst", "admin"},
    "analyst": {"analyst", "admin"},
    "admin": {"admin"},
}

# What each route is: what it needs at least, and whether it tells of one entity.
RULES = {
    "POST /mbox/api/netflow/auth": ("anybody", False),
    "GET /mbox/api/netflow/latest": ("viewer", True),
    "GET /mbox/api/netflow/kpi": ("viewer", True),
    "GET /mbox/api/netflow/flows": ("viewer", True),
    "GET /mbox/api/netflow/resolve": ("viewer", False),
    "GET /of/": ("any user, or api.open", True),
    "GET /api/v1/kpi": ("viewer", True),
    "GET /api/v1/flows": ("viewer", True),
    "GET /api/v1/top": ("viewer", True),
    "GET /api/v1/series": ("viewer", True),
    "POST /api/v1/poc_traffic/direct": ("exporter", False),
    "GET /api/v1/live": ("viewer", True),
    "GET /api/v1/hosts/{ip}": ("viewer", True),
    "GET /api/v1/graph.png": ("viewer", True),
    "GET /api/v1/resolve": ("viewer", False),
    "GET /api/v1/exporters": ("viewer", True),
    "GET /api/v1/ledger": ("analyst", False),
    "GET /api/v1/hits": ("viewer", True),
    "GET /api/v1/feeds": ("viewer", False),
    "POST /api/v1/feeds": ("admin", False),
    "DELETE /api/v1/feeds": ("admin", False),
    "POST /api/v1/feeds/refresh": ("analyst", False),
    "GET /api/v1/indicators": ("viewer", False),
    "POST /api/v1/indicators": ("analyst", False),
    "DELETE /api/v1/indicators": ("analyst", False),
    "GET /api/v1/allow": ("viewer", False),
    "POST /api/v1/allow": ("analyst", False),
    "DELETE /api/v1/allow": ("analyst", False),
    "GET /api/v1/hunts": ("viewer", False),
    "POST /api/v1/hunts": ("analyst", False),
    "DELETE /api/v1/hunts": ("analyst", False),
    "GET /api/v1/entities": ("viewer", False),
    "GET /api/v1/users": ("admin", False),
    "POST /api/v1/users": ("admin", False),
    "POST /api/v1/users/rotate": ("admin", False),
    "DELETE /api/v1/users": ("admin", False),
    "GET /api/v1/audit": ("admin", False),
    "GET /metrics": ("any token, or api.open", False),
    "GET /openapi.json": ("anybody", False),
    "GET /healthz": ("anybody", False),
    "GET /readyz": ("anybody", False),
    "GET /": ("anybody", False),
}
FORBIDDEN = (401, 403)
NEEDED = {"/of/": "module=gettraff", "/mbox/api/netflow/kpi": "start=2026/03/25%2009:00&end=2026/03/25%2009:59"}
NEEDED["/mbox/api/netflow/flows"] = NEEDED["/mbox/api/netflow/kpi"]


def ask(connection, route, token, query=""):
    """The status alone. Bodies say nothing, so that nothing is changed: 400 is a yes."""
    method, path = route.split()
    query = "&".join(q for q in (NEEDED.get(path), query) if q)
    if path == "/api/v1/live":
        query += "&min_score=1001"  # it would not end
    path = path.replace("{ip}", "192.0.2.1") + ("?" + query if query else "")
    headers = JSON | ({"Authorization": f"Bearer {token}"} if token else {})
    connection.request(method, path, "[]" if method == "POST" else None, headers)
    r = connection.getresponse()
    r.read()
    return r.status


def every_route_asks_for_its_role_and_its_entity(t):
    col = t.collector()
    t.export("ipfix", col.udp(), 100, rate=50_000)
    col.wait_stored(100)
    api = t.api(col, user=admin(t, col))
    tokens = {None: None}
    for role in ROLES:
        for entity in ("netflow", "lentor"):
            user = col.ask("user", "add", f"{role}-{entity}", "--role", role, "--entity", entity)
            tokens[role, entity] = api.login(user["api_id"], user["secret"])
    doc = api.request("GET", "/openapi.json").json()
    routes = {f"{m.upper()} {path}": o for path, ops in doc["paths"].items() for m, o in ops.items()}
    equal("routes without a rule, rules without a route", set(routes) ^ set(RULES), set())
    context = ssl._create_unverified_context()
    connection = http.client.HTTPSConnection("127.0.0.1", api.port, timeout=30, context=context)
    n = 0
    for route, (role, is_scoped) in RULES.items():
        equal(f"{route} needs", routes[route]["x-role"], role)
        described = any(p["name"] == "entity" for p in routes[route]["parameters"])
        assert described == is_scoped or route == "GET /of/", f"{route}: entity {described}"
        equal(f"{route} without a token", ask(connection, route, None) in FORBIDDEN, None not in MAY[role])
        if role == "anybody":
            continue
        equal(f"{route} with a bad token", ask(connection, route, "a.b.c"), 401)
        for r in ROLES:
            for entity in ("netflow", "lentor"):
                status = ask(connection, route, tokens[r, entity], f"entity={entity}" if is_scoped else "")
                may = r in MAY[role] and (route != "GET /api/v1/audit" or entity == "netflow")
                equal(f"{route} by {r} of {entity}: {status}", status in FORBIDDEN, not may)
                n += 1
                if may and is_scoped:
                    other = "lentor" if entity == "netflow" else "netflow"
                    equal(f"{route} of another", ask(connection, route, tokens[r, entity], "entity=" + other), 403)
                    n += 1
    connection.close()
    assert n >= 350, n
    span = "flows?start=2020-01-01&end=2099-01-01"
    equal("its own flows", len(must(api, "GET", span, 200, token=tokens["viewer", "netflow"])["flows"]), 100)
    equal("of another entity none", must(api, "GET", span, 200, token=tokens["viewer", "lentor"])["flows"], [])
