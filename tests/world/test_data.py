#!/usr/bin/env python3
"""Smoke test of the systems around the data: Splunk … Each must understand what its handler sends, and refuse what the real one
refuses.

usage: test_data.py PROGRAM        (Python's standard library only)
"""
import json
import os
import signal
import sys
import urllib.parse

import test_world
from test_world import HERE, World, check

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def golden(w, handler, action, statuses=None, skip=()):
    """The requests of the action's golden file, each answered with 200, or as `statuses` says by the case's name."""
    with open(os.path.join(HERE, "..", "golden", handler, action + ".json"), encoding="utf-8") as file:
        cases = json.load(file)
    sent = 0
    for case in cases:
        request = case["expect"].get("request")
        if request is None or request["kind"] != "http" or case["case"] in skip:
            continue
        path = f"/{handler}" + request["url"].removeprefix(f"https://{handler}.example.com")
        body = request["body"].encode() if request["body"] is not None else None
        status, _, text = w.ask(request["method"], path, body, request["headers"])
        check(f"{handler} {action}: {case['case']}: {text[:300]}", status, (statuses or {}).get(case["case"], 200))
        sent += 1
    check(f"{handler} {action}: requests sent", sent > 0, True)


def splunk_search(w, query, path="/splunk/services/search/v2/jobs", **more):
    form = {"search": query, "exec_mode": "oneshot", "output_mode": "json", "earliest_time": "-24h@h", **more}
    status, _, text = w.ask("POST", path, urllib.parse.urlencode(form).encode(), FORM)
    return status, json.loads(text)


def test_splunk(w):
    job = "search index=cantareira job=aurora/prod/jobs/sorting-hat "
    status, found = splunk_search(w, job + "error")
    check("newest first", (status, [r["_raw"][:20] for r in found["results"]]), (200, ["ERROR Traceback (mos", "ERROR sorting_hat.tr"]))
    check("a window", len(splunk_search(w, job + "error", earliest_time="-30d")[1]["results"]), 3)
    check("until", len(splunk_search(w, job, latest_time="-2h")[1]["results"]), 0)
    check("or", len(splunk_search(w, job + "traceback OR cleaning")[1]["results"]), 2)
    check("a limit", len(splunk_search(w, job, count="1")[1]["results"]), 1)
    table = splunk_search(w, job + '| rex "line (?<line>\\d+)" | stats max(line) as most, count as n, max(nothing) as x')[1]["results"]
    check("a table", table, [{"most": "88", "n": "3"}])
    for bad in ("index=cantareira", "search x | delete", 'search "x', "search NOT x", "search x | stats avg(a)", "search x | rex \"(\""):
        check(f"refused: {bad}", splunk_search(w, bad)[0], 400)
    check("no JSON asked for", w.ask("POST", "/splunk/services/search/jobs", b"search=search+x&exec_mode=oneshot", FORM)[2][:5], "<?xml")
    check("no form", w.ask("POST", "/splunk/services/search/jobs", b"search=search+x")[0], 400)
    check("no such time", splunk_search(w, job, earliest_time="yesterday")[0], 400)
    golden(w, "splunk", "search", skip=("a window, a limit, a leading bar",))  # tstats is more than the stand-in knows
    golden(w, "splunk", "search-long", {"the job is made": 201, "from one moment to another": 201, "from a moment until now": 201,
                                       "its state": 404, "its rows": 404, "its rows, second page": 404})

    form = urllib.parse.urlencode({"search": job + "error", "exec_mode": "normal", "output_mode": "json"}).encode()
    status, _, text = w.ask("POST", "/splunk/services/search/v2/jobs", form, FORM)
    path = "/splunk/services/search/v2/jobs/" + json.loads(text)["sid"]
    check("made", status, 201)
    states = []
    for expected in (204, 200):
        states.append(w.json("GET", path + "?output_mode=json")["entry"][0]["content"]["dispatchState"])
        check("rows when it is done", w.ask("GET", path + "/results?output_mode=json")[0], expected)
    check("states", states, ["RUNNING", "DONE"])
    check("second page", len(w.json("GET", path + "/results?output_mode=json&offset=1")["results"]), 1)

    state = w.json("GET", "/_world/state")
    state["splunk"]["config"] = {"bearer": "x", "busy": 1}
    check("load", w.json("POST", "/_world/load", state), {"ok": True})
    check("who", w.ask("POST", "/splunk/services/search/v2/jobs", b"", FORM)[0], 401)
    headers = {**FORM, "Authorization": "Bearer x"}
    form = urllib.parse.urlencode({"search": job, "exec_mode": "oneshot", "output_mode": "json"}).encode()
    busy, fine = (json.loads(w.ask("POST", "/splunk/services/search/v2/jobs", form, headers)[2]) for _ in range(2))
    check("busy", (busy["messages"][0]["type"], len(busy["results"]), len(fine["results"])), ("WARN", 0, 3))
    w.reset()


def bigquery(w, sql, params=None, **more):
    body = {"query": sql, "useLegacySql": False, **more}
    if params is not None:
        body["parameterMode"] = "NAMED"
        body["queryParameters"] = [{"name": k, "parameterType": {"type": "STRING"}, "parameterValue": {"value": v}} for k, v in params.items()]
    return w.json("POST", "/bigquery/projects/nu-br-data/queries", body)


def test_bigquery(w):
    sql = "select name, successors from dataset.spark_ops where name = @n"
    first = bigquery(w, sql, {"n": "dataset/fx-rates"})
    check("it takes a while", (first["jobComplete"], "rows" in first), (False, False))
    job = first["jobReference"]["jobId"]
    done = w.json("GET", f"/bigquery/projects/nu-br-data/queries/{job}?location=US")
    check("rows", (done["totalRows"], done["rows"][0]["f"][0], len(done["rows"][0]["f"][1]["v"])), ("1", {"v": "dataset/fx-rates"}, 3))
    state = w.json("GET", "/_world/state")
    state["bigquery"]["config"].update(slow=0, location="EU")
    check("load", w.json("POST", "/_world/load", state), {"ok": True})
    check("another place", bigquery(w, sql, {"n": "x"})["error"]["errors"][0]["reason"], "notFound")
    check("no rows", bigquery(w, sql, {"n": "x"}, location="EU")["totalRows"], "0")
    page = bigquery(w, "select name from dataset.spark_ops", location="EU", maxResults=4)
    job, token = page["jobReference"]["jobId"], page["pageToken"]
    rest = w.json("GET", f"/bigquery/projects/nu-br-data/queries/{job}?location=EU&maxResults=4&pageToken={token}")
    check("pages", (len(page["rows"]), len(rest["rows"]), "pageToken" in rest), (4, 3, False))
    loads = bigquery(w, "SELECT * FROM `meta.itaipu_loads` WHERE dataset_name = @d AND date(loaded_at) = @day",
                     {"d": "dataset/lusa-scores", "day": "2026-11-22"}, location="EU")
    check("a time", round(float(loads["rows"][0]["f"][1]["v"])), 1795324330)
    for bad, more in (("select nothing from dataset.spark_ops", {}), ("select name from dataset.spark_ops where name = @x", {}),
                      ("delete from dataset.spark_ops", {}), (sql, {"useLegacySql": True})):
        check(f"refused: {bad} {more}", bigquery(w, bad, {"n": "x"}, location="EU", **more)["error"]["code"], 400)
    check("another project", w.ask("POST", "/bigquery/projects/x/queries", {"query": "x"})[0], 403)
    w.reset()
    elsewhere = {"a table elsewhere, a location, a limit": 404, "a further page": 404}
    golden(w, "bigquery", "successors", elsewhere)
    w.reset()


def test_spark_ops(w):
    golden(w, "spark_ops", "successors", {"another path": 404, "a path that was given": 404})
    check("only GET", w.ask("POST", "/spark_ops/spark_ops.json")[0], 405)


def test_prometheus(w):
    def ask(query):
        form = urllib.parse.urlencode({"query": query}).encode()
        status, _, text = w.ask("POST", "/prometheus/api/v1/query", form, FORM)
        return status, json.loads(text)
    lag = "kafka_burrow_partition_lag"
    status, found = ask(f'sort_desc(sum({lag}{{stack_id="green-40",group!~".*RANDOM.*",squad="data-infra"}}) by (group, topic) > 0)')
    check("a vector", (status, [r["value"][1] for r in found["data"]["result"]]), (200, ["15230", "40"]))
    check("labels", found["data"]["result"][0]["metric"], {"group": "tapir-consumer", "topic": "PARTITION-TO-SERVE"})
    check("a count", ask(f'count({lag}{{stack_id="blue-41"}})')[1]["data"]["result"][0]["value"][1], "4")
    check("by before", len(ask(f'max by (topic) ({lag})')[1]["data"]["result"]), 4)
    for unknown in ('count(no_such_metric)', f'{lag}{{stack_id="nowhere"}}'):
        check(f"an empty success: {unknown}", ask(unknown)[1]["data"], {"resultType": "vector", "result": []})
    for bad in ("", "sum(", f"{lag}{{", f'{lag}{{a~"b"}}', f"{lag} > x", f"rate({lag}[5m])", f"{lag} and {lag}"):
        status, answer = ask(bad)
        check(f"refused: {bad}", (status, answer["errorType"]), (400, "bad_data"))
    golden(w, "prometheus", "query", {"another path": 404, "a value that needs escaping": 200})
    state = w.json("GET", "/_world/state")
    state["prometheus"]["config"]["warning"] = "store-3 did not answer"
    check("load", w.json("POST", "/_world/load", state), {"ok": True})
    check("a warning", ask(lag)[1]["warnings"], ["store-3 did not answer"])
    w.reset()


def test_ouroboros(w):
    def migrate(name, **body):
        return w.ask("POST", "/ouroboros/api/admin/migrations/" + name, {k.replace("_", "-"): v for k, v in body.items()})[0]
    query = "/mordor/api/queries/5e3c3390-9cdb-4752-b03b-71a626b23b6e/run?argument=series%2Fdirect-mail"
    left = lambda: len(w.json("GET", query)["data"]["rows"])
    check("before", left(), 2)
    check("no such resource", migrate("delete-resource", resource_id="x"), 404)
    check("one resource", (migrate("delete-resource", resource_id="0c8f7f0a-5b5e-4b7e-9d0c-1f2e3d4c5b6a"), left()), (200, 1))
    for name, body in (("delete-resource", {}), ("delete-resource", {"resource_id": 7}), ("delete-transaction-archives", {"series_name": "series/x"}),
                       ("delete-record-series", {"series_name": ""}), ("delete-everything", {"resource_id": "x"})):
        check(f"refused: {name} {body}", migrate(name, **body), 400)
    check("a series is deleted later", (migrate("delete-record-series", series_name="series/direct-mail"), left(), left(), left()), (202, 1, 1, 0))
    check("no such series", migrate("delete-record-series", series_name="series/nothing"), 404)
    check("all of a transaction", migrate("delete-transaction-archives", transaction_id=test_world.TX), 200)
    check("nothing is left", w.json("GET", "/_world/state/ouroboros/archives"), [])
    check("counted", w.effects()[("ouroboros delete-transaction-archives", test_world.TX + " ALL")], (1, 1))
    w.reset()
    check("only GET is refused", w.ask("GET", "/ouroboros/api/admin/migrations/delete-resource")[0], 405)
    golden(w, "ouroboros", "delete-resource", {"the request": 404, "headers of the backend": 404})
    golden(w, "ouroboros", "delete-series-archives")
    golden(w, "ouroboros", "delete-transaction-archives")
    golden(w, "ouroboros", "delete-series", {"the request": 202})
    w.reset()


def test_mortician(w):
    groups = "/mortician/api/deadletters/groups"
    listed = lambda query: {g["id"]: g["count"] for g in w.json("GET", groups + query)["groups"]}
    check("by service", listed("?producer=tapir"), {"9b1d": 12, "c07e": 3})
    check("by topic and shard", listed("?producer=tapir&topic=X&shard=global"), {})
    check("everybody's", w.ask("GET", groups)[0], 400)
    check("replay", (w.ask("POST", groups + "/9b1d/replay")[0], listed("?producer=tapir")), (202, {"9b1d": 0, "c07e": 3}))
    check("replay into what is broken", (w.ask("POST", groups + "/c07e/replay")[0], listed("?producer=tapir")["c07e"]), (202, 3))
    check("discard", (w.ask("DELETE", groups + "/c07e")[0], listed("?producer=tapir")["c07e"]), (200, 0))
    check("no such group", w.ask("DELETE", groups + "/nothing")[0], 404)
    check("counted", w.effects(), {("mortician replay", "9b1d"): (1, 1), ("mortician replay", "c07e"): (1, 1), ("mortician discard", "c07e"): (1, 1)})
    w.reset()
    golden(w, "mortician", "groups")


def main():
    w = World(sys.argv[1])
    try:
        for test in (test_splunk, test_bigquery, test_spark_ops, test_prometheus, test_ouroboros, test_mortician):
            test(w)
    finally:
        w.process.send_signal(signal.SIGTERM)
        check("exit", w.process.wait(10), 0)
    print("failed" if test_world.failures else "ok")
    return 1 if test_world.failures else 0


if __name__ == "__main__":
    sys.exit(main())
