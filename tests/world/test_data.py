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
        if request is None or case["case"] in skip:
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
    golden(w, "splunk", "search-long", {"the job is made": 201, "its state": 404, "its rows": 404, "its rows, second page": 404})

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


def main():
    w = World(sys.argv[1])
    try:
        for test in (test_splunk,):
            test(w)
    finally:
        w.process.send_signal(signal.SIGTERM)
        check("exit", w.process.wait(10), 0)
    print("failed" if test_world.failures else "ok")
    return 1 if test_world.failures else 0


if __name__ == "__main__":
    sys.exit(main())
