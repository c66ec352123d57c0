#!/usr/bin/env python3
"""Smoke test of the simulated world: starts the program, speaks HTTP at it, exits 1 on the first surprise.

usage: test_world.py PROGRAM        (Python's standard library only)
"""
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
TX = "319703ce-b90d-5a07-8195-33df0de911c8"
BULK = "f7832a01-001b-56f7-a4fe-b3a417f8f654"
DS = "5a5d411b-e41a-4a30-ab34-bac476b95761"
RETRACT = "/metapod/api/migrations/retract/"
failures = 0


def check(what, got, expected):
    global failures
    if got != expected:
        failures += 1
        print(f"FAILED {what}\n  expected {expected!r}\n  got      {got!r}")


class World:
    def __init__(self, program):
        self.process = subprocess.Popen([program, "--listen", "127.0.0.1:0", "--data", os.path.join(HERE, "sample")],
                                        stdout=subprocess.PIPE, text=True)
        self.port = json.loads(self.process.stdout.readline())["port"]
        self.base = f"http://127.0.0.1:{self.port}"
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect())

    def ask(self, method, path, body=None, headers=None, timeout=20):
        """(status, headers, text); status 0 when the connection ended without an answer, -1 on a time-out."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if data is None and method == "POST":
            data = b""
        req = urllib.request.Request(self.base + path, data=data, method=method, headers=headers or {"Content-Type": "application/json"})
        try:
            with self.opener.open(req, timeout=timeout) as answer:
                return answer.status, answer.headers, answer.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode("utf-8", "replace")
        except (TimeoutError, socket.timeout):
            return -1, {}, ""
        except (http.client.HTTPException, urllib.error.URLError, ConnectionError) as error:
            return (-1 if "timed out" in str(error) else 0), {}, ""

    def json(self, method, path, body=None):
        return json.loads(self.ask(method, path, body)[2])

    def gql(self, query, variables=None, **more):
        return self.json("POST", "/metapod/api/graphql", {"query": query, "variables": variables, **more})

    def gql_errors(self, query, variables=None, **more):
        return [e["message"] for e in self.gql(query, variables, **more).get("errors", [])]

    def fault(self, **spec):
        answer = self.json("POST", "/_world/faults", spec)
        check(f"fault {spec}", answer.get("ok"), True)

    def effects(self):
        return {(e["endpoint"], e["id"]): (e["applied"], e["changed"]) for e in self.json("GET", "/_world/counts")["effects"]}

    def reset(self):
        check("reset", self.json("POST", "/_world/reset"), {"ok": True})


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


def test_cookbook_queries(w):
    data = w.gql('{ transaction(transactionId: "%s") { datasets(datasetNames: ["archive/policy-proactive-limit-v3"]) '
                 '{ id name committed schema { attributes { name } } } } }' % TX)["data"]
    dataset = data["transaction"]["datasets"][0]
    names = [a["name"] for a in dataset["schema"]["attributes"]]
    check("the dataset", (dataset["id"], dataset["committed"], len(names), len(set(names))), (DS, True, 6, 4))
    query = "query Q($t: String!) { transaction(transactionId: $t) { datasets(committed: ONLY_COMMITTED) { id name } } }"
    check("bulk", len(w.gql(query, {"t": BULK})["data"]["transaction"]["datasets"]), 318)
    query = "query Q($t: String!) { transaction(transactionId: $t) { datasetConnection { numCommittedDatasets } startedAt } }"
    check("count", w.gql(query, {"t": BULK})["data"]["transaction"]["datasetConnection"], {"numCommittedDatasets": 318})
    check("no such transaction", w.gql(query, {"t": DS}), {"data": {"transaction": None}})


def test_graphql(w):
    full = """
      # a comment, commas and a byte order mark mean nothing
      query One($t: String!, $names: [String!], $deep: Boolean = false, $filter: CommittedFilter) {
        tx: transaction(transactionId: $t) { ...Head, ... on Transaction { datasets(datasetNames: $names, committed: $filter) {
          key: id, __typename schema @include(if: $deep) { attributes { name } } } } }
      }
      query Two { transaction(transactionId: "x") { id } }
      fragment Head on Transaction { id ...More }
      fragment More on Transaction { datasetConnection { numDatasets } }
    """
    answer = w.gql(full, {"t": TX, "names": "model/lusa"}, operationName="One")
    tx = answer["data"]["tx"]
    check("aliases and fragments", (tx["id"], tx["datasetConnection"], [d["__typename"] for d in tx["datasets"]], list(tx["datasets"][0])),
          (TX, {"numDatasets": 21}, ["Dataset"], ["key", "__typename"]))
    query = '{ transaction(transactionId: "%s") { datasets(datasetNames: ["\\u006Dodel\\/lusa", "\\uD83D\\uDE00"]) { name } } }' % TX
    check("escapes", w.gql(query)["data"]["transaction"]["datasets"], [{"name": "model/lusa"}])
    check("half a surrogate", w.gql_errors(query.replace("\\uDE00", "")), ["Syntax Error: Unterminated string or bad escape."])
    answer = w.gql(full, {"t": TX, "deep": True, "filter": "ONLY_UNCOMMITTED"}, operationName="One")
    check("include and enum variable", [d["schema"] for d in answer["data"]["tx"]["datasets"]], [None] * 5)

    tx = '{ transaction(transactionId: "%s") { %%s } }' % TX
    for what, query, variables, error in (
        ("syntax", "{ transaction(transactionId: ", None, "Syntax Error: Expected a value, found <EOF>."),
        ("string", '{ transaction(transactionId: "x', None, "Syntax Error: Unterminated string or bad escape."),
        ("field", tx % "name", None, 'Cannot query field "name" on type "Transaction".'),
        ("argument", tx % "datasets(ids: []) { id }", None, 'Unknown argument "ids" on field "Transaction.datasets".'),
        ("enum", tx % "datasets(committed: YES) { id }", None, 'Expected value of type "CommittedFilter", found an enum YES.'),
        ("quoted enum", tx % 'datasets(committed: "ONLY_COMMITTED") { id }', None,
         'Expected value of type "CommittedFilter", found a String ONLY_COMMITTED.'),
        ("leaf", tx % "datasets", None, 'Field "datasets" of type "[Dataset!]!" must have a selection of subfields.'),
        ("no leaf", tx % "id { x }", None, 'Field "id" must not have a selection since type "ID!" has no subfields.'),
        ("required", "{ transaction { id } }", None,
         'Argument "transactionId" of type "String!" is required on field "Query.transaction", but it was not provided.'),
        ("literal", "{ transaction(transactionId: 5) { id } }", None, 'Expected value of type "String", found an Int 5.'),
        ("variable", "{ transaction(transactionId: $x) { id } }", None, 'Variable "$x" is not defined.'),
        ("variable type", "query Q($t: ID!) { transaction(transactionId: $t) { id } }", {"t": TX},
         'Variable "$t" of type "ID!" used in position expecting type "String!".'),
        ("unused", "query Q($t: String) { transaction(transactionId: \"x\") { id } }", {}, 'Variable "$t" is never used.'),
        ("missing", "query Q($t: String!) { transaction(transactionId: $t) { id } }", {},
         'Variable "$t" of required type "String!" was not provided.'),
        ("value", "query Q($t: String!) { transaction(transactionId: $t) { id } }", {"t": 5},
         'Variable "$t" got invalid value. Expected value of type "String", found an integer.'),
        ("fragment", tx % "...Nope", None, 'Unknown fragment "Nope".'),
        ("cycle", (tx % "...A") + " fragment A on Transaction { ...B } fragment B on Transaction { ...A }", None,
         'Cannot spread fragment "A" within itself.'),
        ("fragment type", tx % "... on Dataset { id }", None,
         'Fragment cannot be spread here as objects of type "Transaction" can never be of type "Dataset".'),
        ("unused fragment", (tx % "id") + " fragment A on Transaction { id }", None, 'Fragment "A" is never used.'),
        ("conflict", tx % "a: id a: startedAt", None,
         'Fields "a" conflict because they are different fields or have different arguments.'),
        ("mutation", "mutation { retract }", None, "Schema is not configured to execute a mutation."),
        ("directive", tx % "id @defer", None, 'Unknown directive "@defer".'),
        ("direct query is off", '{ dataset(id: "x") { id } }', None, 'Cannot query field "dataset" on type "Query".'),
        ("two operations", "query A { __typename } query B { __typename }", None,
         "Must provide operation name if query contains multiple operations."),
        ("depth", "{" * 200, None, "Syntax Error: Expected Name, found \"{\"."),
    ):
        check(what, w.gql_errors(query, variables), [error])
    check("positions", w.gql("{\n  nope }")["errors"][0]["locations"], [{"line": 2, "column": 3}])


def test_graphql_over_http(w):
    bad = {"query": "{ nope }"}
    new = "application/graphql-response+json, application/json;q=0.9"
    status, headers, _ = w.ask("POST", "/metapod/api/graphql", bad)
    check("plain JSON", (status, headers["Content-Type"]), (200, "application/json; charset=utf-8"))
    status, headers, _ = w.ask("POST", "/metapod/api/graphql", bad, {"Content-Type": "application/json", "Accept": new})
    check("graphql-response", (status, headers["Content-Type"]), (400, "application/graphql-response+json; charset=utf-8"))
    check("no JSON", w.ask("POST", "/metapod/api/graphql", b"{")[0], 400)
    check("content type", w.ask("POST", "/metapod/api/graphql", bad, {"Content-Type": "text/plain"})[0], 415)
    check("method", w.ask("GET", "/metapod/api/graphql")[0], 405)


def test_retract(w):
    check("first", w.ask("POST", RETRACT + "committed-dataset/" + DS)[0], 200)
    check("again", w.ask("POST", RETRACT + "committed-dataset/" + DS.upper())[0], 200)
    check("counted", w.effects(), {("metapod retract/committed-dataset", DS): (2, 1)})
    tx = w.json("GET", "/_world/state/metapod/transactions/0/datasets/0")
    check("still in its transaction", (tx["id"], tx["committed"], tx.get("path"), tx.get("attributes")), (DS, False, None, None))
    query = '{ transaction(transactionId: "%s") { datasets(datasetNames: "archive/policy-proactive-limit-v3") ' \
            '{ id committed path schema { attributes { name } } } } }' % TX
    check("schema is null now", w.gql(query)["data"]["transaction"]["datasets"], [{"id": DS, "committed": False, "path": None, "schema": None}])

    for what, method, path, body, expected in (
        ("unknown", "POST", "committed-dataset/00000000-0000-4000-8000-000000000000", None, 404),
        ("no uuid", "POST", "committed-dataset/5a5d411b", None, 400),
        ("body", "POST", "committed-dataset/" + DS, {"a": 1}, 400),
        ("get", "GET", "committed-dataset/" + DS, None, 405),
        ("kind", "POST", "everything/" + DS, None, 404),
        ("series", "POST", "dataset-series/dataset/5d94b837-c31e-4109-ac73-b904bbc7bf17", None, 200),
        ("no series", "POST", "dataset-series/dataset/" + DS, None, 404),
        ("attribute", "POST", "attribute/0c1f6f6e-6a0a-4c7a-9a51-2b1d8c5f7a03", None, 200),
        ("indexed", "POST", "indexed-attribute/7d3a5f10-92c4-4c3f-8a0e-5b6c7d8e9f01", None, 200),
        ("indexed again", "POST", "indexed-attribute/7d3a5f10-92c4-4c3f-8a0e-5b6c7d8e9f01", None, 200),
    ):
        check("retract " + what, w.ask(method, RETRACT + path, body)[0], expected)
    effects = w.effects()
    check("indexed counted", effects[("metapod retract/indexed-attribute", "7d3a5f10-92c4-4c3f-8a0e-5b6c7d8e9f01")], (2, 1))
    check("attribute of a dataset without schema", effects[("metapod retract/attribute", "0c1f6f6e-6a0a-4c7a-9a51-2b1d8c5f7a03")], (1, 0))
    requests = w.json("GET", "/_world/counts")["requests"]
    check("requests counted", requests["POST " + RETRACT + "committed-dataset/" + DS], 2)
    w.reset()
    check("reset forgets", (w.effects(), w.json("GET", "/_world/counts")["requests"]), ({}, {}))
    check("reset restores", w.json("GET", "/_world/state/metapod/transactions/0/datasets/0/committed"), True)


def test_faults(w):
    path = RETRACT + "committed-dataset/" + DS
    key = ("metapod retract/committed-dataset", DS)

    def applied():
        return w.effects().get(key, (0, 0))[0]

    w.fault(what="status", status=503, retry_after=7, method="POST", prefix=RETRACT, times=2, skip=1)
    check("skip", w.ask("POST", path)[0], 200)
    status, headers, _ = w.ask("POST", path)
    check("503", (status, headers["Retry-After"]), (503, "7"))
    check("503 again", w.ask("POST", path)[0], 503)
    check("used up", (w.ask("POST", path)[0], applied()), (200, 2))
    w.fault(what="status", status=307, location="http://127.0.0.1:1/")
    status, headers, _ = w.ask("POST", path)
    check("redirect", (status, headers["Location"]), (307, "http://127.0.0.1:1/"))
    w.reset()
    for what, status, count in (("drop", 0, 0), ("apply-drop", 0, 1), ("apply-status", 500, 1), ("garbage", 200, 1), ("html", 200, 0),
                                ("content-type", 200, 1), ("oversized", 200, 1), ("slow", 200, 1), ("apply-slow", 200, 1)):
        w.fault(what=what, ms=20, bytes=3000000)
        got, _, text = w.ask("POST", path)
        check("fault " + what, (got, applied()), (status, count))
        if what == "oversized":
            check("oversized", len(text) > 3000000, True)
        w.reset()
    for what, count in (("hang", 0), ("apply-hang", 1)):
        w.fault(what=what)
        check("no answer, fault " + what, w.ask("POST", path, timeout=0.3)[0], -1)
        while not w.json("GET", "/_world/log")["requests"]:
            pass  # it may be on its way still
        check("fault " + what, applied(), count)
        w.reset()

    w.fault(what="hold", times="always")
    answers = []
    thread = threading.Thread(target=lambda: answers.append(w.ask("POST", path)[0]))
    thread.start()
    while w.json("GET", "/_world/counts")["waiting"] == 0:
        pass
    check("held", applied(), 0)
    check("release", w.json("POST", "/_world/release"), {"ok": True, "released": 1})
    thread.join()
    check("after release", (answers, applied()), ([200], 1))
    check("listed", [(f["what"], f["hits"], f["left"]) for f in w.json("GET", "/_world/faults")["faults"]], [("hold", 1, -1)])
    check("removed", w.json("DELETE", "/_world/faults/%d" % w.json("GET", "/_world/faults")["faults"][0]["id"]), {"ok": True})
    check("answers again", w.ask("POST", path)[0], 200)
    check("bad fault", w.ask("POST", "/_world/faults", {"what": "explode"})[0], 400)
    check("bad key", w.ask("POST", "/_world/faults", {"what": "drop", "tmies": 2})[0], 400)
    check("log", [(r["method"], r["path"], r["fault"]) for r in w.json("GET", "/_world/log")["requests"]],
          [("POST", path, "hold"), ("POST", path, None)])
    w.reset()


def test_load(w):
    state = {"metapod": {"config": {"bearer": "t0p", "direct_query": True, "id_type": "ID!", "strict_status": True},
                         "transactions": [{"id": TX, "generate": {"count": 3, "prefix": "model/", "committed": False}}]}}
    check("load", w.json("POST", "/_world/load", state), {"ok": True})
    check("401", w.ask("POST", "/metapod/api/graphql", {"query": "{__typename}"})[0], 401)
    head = {"Content-Type": "application/json", "Authorization": "Bearer t0p"}
    dataset = w.json("GET", "/_world/state/metapod/transactions/0/datasets/2")
    query = {"query": "query($id: ID!) { dataset(id: $id) { name committed schema { attributes { name } } } }", "variables": {"id": dataset["id"]}}
    check("direct query", json.loads(w.ask("POST", "/metapod/api/graphql", query, head)[2])["data"]["dataset"],
          {"name": dataset["name"], "committed": False, "schema": None})
    check("strict status", w.ask("POST", "/metapod/api/graphql", {"query": "{ nope }"}, head)[0], 400)
    for bad in ({"no-such-system": {}}, {"metapod": {"transactions": [{"id": "x"}]}}, [1]):
        check(f"bad state {bad}", w.ask("POST", "/_world/load", bad)[0], 400)
    check("kept after a bad one", w.json("GET", "/_world/state/metapod/config/bearer"), "t0p")
    check("what is saved can be loaded", w.json("POST", "/_world/load", w.json("GET", "/_world/state")), {"ok": True})
    w.reset()


def test_what_the_handler_sends(w):
    """The golden requests of the Metapod handler are understood here: neither side may drift."""
    folder = os.path.join(HERE, "..", "golden", "metapod")
    sent = 0
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            cases = json.load(file)
        for case in cases:
            request = case["expect"].get("request")
            if request is None or request["kind"] != "http" or "settings" in case:
                continue
            path = "/metapod" + request["url"].removeprefix("https://metapod.example.com")
            status, _, text = w.ask(request["method"], path, request["body"].encode(), request["headers"])
            kind = path.rsplit("/", 2)[1]
            expected = 404 if kind in ("attribute", "indexed-attribute") or "series" in path else 200
            check(f"{name}: {case['case']}", (status, "errors" in text), (expected, False))
            sent += 1
    check("requests sent", sent >= 15, True)
    w.reset()


def main():
    w = World(sys.argv[1])
    try:
        for test in (test_cookbook_queries, test_graphql, test_graphql_over_http, test_retract, test_faults, test_load,
                     test_what_the_handler_sends):
            test(w)
        check("no such system", w.ask("GET", "/nowhere/")[0], 404)
        check("no such control", w.ask("GET", "/_world/")[0], 404)
        w.fault(what="hang")
        w.fault(what="slow", ms=100000)
        w.ask("POST", RETRACT + "committed-dataset/" + DS, timeout=0.1)
        w.ask("POST", RETRACT + "committed-dataset/" + DS, timeout=0.1)
    finally:
        w.process.send_signal(signal.SIGTERM)
        check("exit", w.process.wait(10), 0)
    print("failed" if failures else "ok")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
