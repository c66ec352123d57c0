#!/usr/bin/env python3
"""Smoke test of the simulated Airflow: the traps of both generations, the scheduler, and the golden requests of the handler.

usage: test_airflow.py PROGRAM        (Python's standard library only)
"""
import base64
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
RUN = "scheduled__2026-11-27T00:00:00+00:00"
OLD = "scheduled__2026-11-26T00:00:00+00:00"
V1, V2 = "/airflow/api/v1/dags/prod-dagao", "/airflow/api/v2/dags/prod-dagao"
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
        self.base = f"http://127.0.0.1:{json.loads(self.process.stdout.readline())['port']}"
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ask(self, method, path, body=None, headers=None):
        """(status, content type, JSON or text)"""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if headers is None:
            headers = {"Content-Type": "application/json"} if body is not None else {}
        req = urllib.request.Request(self.base + path, data=data, method=method, headers=headers)
        try:
            with self.opener.open(req, timeout=20) as answer:
                status, kind, text = answer.status, answer.headers["Content-Type"], answer.read().decode()
        except urllib.error.HTTPError as error:
            status, kind, text = error.code, error.headers["Content-Type"], error.read().decode()
        try:
            return status, kind, json.loads(text)
        except ValueError:
            return status, kind, text

    def status(self, *words, **more):
        return self.ask(*words, **more)[0]

    def state(self, task, dag=0, run=1):
        """Without a look that lets time pass."""
        return self.ask("GET", f"/_world/state/airflow/dags/{dag}/runs/{run}/tasks/{task}/state")[2]

    def look(self, times=1):
        for _ in range(times):
            got = self.ask("GET", f"{V1}/dagRuns/{quote(RUN)}/taskInstances")[2]
        return {t["task_id"]: (t["state"], t["try_number"]) for t in got["task_instances"]}

    def effects(self):
        return {(e["endpoint"].removeprefix("airflow "), e["id"].split(" ", 1)[1].replace(RUN, "R")): e["applied"]
                for e in self.ask("GET", "/_world/counts")[2]["effects"]}

    def reset(self):
        check("reset", self.ask("POST", "/_world/reset", b"")[2], {"ok": True})


def quote(text):
    return urllib.parse.quote(text, safe="")


def test_reads(w):
    check("dag", w.ask("GET", V1)[2], {"dag_id": "prod-dagao", "is_paused": False})
    runs = w.ask("GET", V1 + "/dagRuns?order_by=-start_date&limit=25")[2]
    check("newest first", ([r["dag_run_id"] for r in runs["dag_runs"]], runs["total_entries"]), ([RUN, OLD], 2))
    runs = w.ask("GET", V2 + "/dagRuns?state=success&state=failed")[2]
    check("by state", [r["dag_run_id"] for r in runs["dag_runs"]], [OLD])
    check("order", w.status("GET", V1 + "/dagRuns?order_by=colour"), 400)
    tasks = {t["task_id"]: t["downstream_task_ids"] for t in w.ask("GET", V2 + "/tasks")[2]["tasks"]}
    check("graph", tasks["fx-model"], ["downscale-ec2-fx-model", "databricks_load-models", "scale-ec2-rest", "itaipu-rest"])
    page = w.ask("GET", f"{V1}/dagRuns/{quote(RUN)}/taskInstances?limit=3&offset=2")[2]
    check("page", ([t["task_id"] for t in page["task_instances"]], page["total_entries"]),
          (["itaipu-fx-model", "scale-ec2-fx-model", "fx-model"], 16))
    failed = w.ask("GET", f"{V2}/dagRuns/{quote(RUN)}/taskInstances?state=failed")[2]
    check("failed", [t["task_id"] for t in failed["task_instances"]], ["itaipu-fx-model", "lusa", "itaipu-other-flaky-datasets"])
    one = w.ask("GET", f"{V1}/dagRuns/{quote(RUN)}/taskInstances/lusa")[2]
    check("one", (one["state"], one["try_number"], one["dag_run_id"]), ("failed", 3, RUN))
    check("log", w.ask("GET", f"{V1}/dagRuns/{quote(RUN)}/taskInstances/lusa/logs/3")[2].splitlines()[-1], "ERROR - KeyError: 'score'")
    check("log, v2", "KeyError" in w.ask("GET", f"{V2}/dagRuns/{quote(RUN)}/taskInstances/lusa/logs/3")[2]["content"][0]["event"], True)
    check("log of no try", w.status("GET", f"{V1}/dagRuns/{quote(RUN)}/taskInstances/lusa/logs/4"), 404)
    check("unknown run, v1", w.ask("GET", V1 + "/dagRuns/x/taskInstances")[2], {"task_instances": [], "total_entries": 0})
    check("unknown run, v2", w.status("GET", V2 + "/dagRuns/x/taskInstances"), 404)
    for base in (V1, V2):
        for path in ("/dagRuns/x", f"/dagRuns/{quote(RUN)}/taskInstances/x", "/nothing"):
            check("404 " + path, w.status("GET", base + path), 404)
    check("no DAG", w.ask("GET", "/airflow/api/v1/dags/x/tasks")[:2], (404, "application/problem+json"))
    check("no DAG, v2", w.ask("GET", "/airflow/api/v2/dags/x/tasks")[:2], (404, "application/json"))
    check("nothing was changed", w.effects(), {})
    w.reset()


def test_set_state(w):
    one = f"/dagRuns/{quote(RUN)}/taskInstances/fx-model"
    check("v1 does nothing by itself", (w.status("PATCH", V1 + one, {"new_state": "success"}), w.effects()), (200, {}))
    check("v2 refuses dry_run", w.ask("PATCH", V2 + one, {"new_state": "success", "dry_run": False})[2]["detail"][0]["loc"], ["body", "dry_run"])
    check("v1 knows no more keys", w.status("PATCH", V1 + one, {"new_state": "success", "include_downstream": True}), 400)
    check("not a state", [w.status("PATCH", b + one, {"new_state": "running"}) for b in (V1, V2)], [400, 422])
    check("content type", [w.status("PATCH", b + one, {"new_state": "success"}, headers={"Content-Type": "text/plain"}) for b in (V1, V2)], [415, 422])
    check("still", (w.state("fx-model"), w.effects()), ("upstream_failed", {}))
    check("v1", w.status("PATCH", V1 + one, {"new_state": "success", "dry_run": False}), 200)
    check("marked, and what had failed after it is cleared", [w.state(t) for t in ("fx-model", "itaipu-rest", "downscale-ec2-rest", "itaipu-serving")],
          ["success", None, "success", None])
    check("counted", w.effects(), {("set-state", "R fx-model"): 1})
    check("again, v1", w.status("PATCH", V1 + one, {"new_state": "success", "dry_run": False}), 200)
    check("again, v2", w.ask("PATCH", V2 + one, {"new_state": "success"})[::2], (409, {"detail": "Task id fx-model is already in success state"}))
    w.reset()
    every = {"dry_run": False, "task_id": "itaipu-the-first", "dag_run_id": RUN, "new_state": "failed", "include_upstream": False,
             "include_downstream": True, "include_future": False, "include_past": False}
    check("v1 wants every flag", w.status("POST", V1 + "/updateTaskInstancesState", {k: v for k, v in every.items() if k != "include_past"}), 400)
    check("v2 does not have it", w.status("POST", V2 + "/updateTaskInstancesState", every), 404)
    check("all after it", len(w.ask("POST", V1 + "/updateTaskInstancesState", every)[2]["task_instances"]), 11)
    states = w.look(2)
    check("the first failed, so nothing can run", (states["itaipu-the-first"][0], states["sorting-hat"][0]), ("failed", "upstream_failed"))
    w.reset()


def test_clear(w):
    body = {"dag_run_id": RUN, "task_ids": ["lusa", "sorting-hat", "scale-ec2-lusa"]}
    listed = w.ask("POST", V1 + "/clearTaskInstances", body)[2]["task_instances"]
    check("only failed ones, and only a list", ([t["task_id"] for t in listed], w.effects()), (["lusa"], {}))
    body.update(dry_run=False, only_failed=False)
    check("v1", len(w.ask("POST", V1 + "/clearTaskInstances", body)[2]["task_instances"]), 3)
    check("cleared", [w.state(t) for t in ("lusa", "sorting-hat", "scale-ec2-lusa", "downscale-ec2-lusa")], [None, "restarting", None, "success"])
    check("counted", w.effects(), {("clear", "R " + t): 1 for t in ("lusa", "sorting-hat", "scale-ec2-lusa")})
    states = w.look(3)
    check("begins anew", states["scale-ec2-lusa"], ("running", 2))
    states = w.look(5)
    check("and ends as it must", (states["scale-ec2-lusa"], states["lusa"]), (("success", 2), ("running", 4)))
    check("in time", w.look(1)["lusa"], ("failed", 4))
    check("no SubDAGs in v2", w.status("POST", V2 + "/clearTaskInstances", {**body, "include_subdags": False}), 422)
    check("v1 has them", w.status("POST", V1 + "/clearTaskInstances", {**body, "include_subdags": False, "dry_run": True}), 200)
    check("unknown task", [w.status("POST", b + "/clearTaskInstances", {**body, "task_ids": ["x"]}) for b in (V1, V2)], [200, 404])
    check("unknown run", [w.status("POST", b + "/clearTaskInstances", {**body, "dag_run_id": "x"}) for b in (V1, V2)], [404, 404])
    check("wrong type", [w.status("POST", b + "/clearTaskInstances", {**body, "dry_run": "no"}) for b in (V1, V2)], [400, 422])
    w.reset()
    w.status("POST", V2 + "/clearTaskInstances", {"dag_run_id": OLD, "task_ids": ["itaipu-rest"], "dry_run": False, "only_failed": False,
                                                  "include_downstream": True})
    check("downstream, and the run goes on", ([w.state(t, run=0) for t in ("itaipu-rest", "itaipu-serving", "scale-ec2-rest")],
                                              w.ask("GET", f"{V2}/dagRuns/{quote(OLD)}")[2]["state"]), ([None, None, "success"], "queued"))
    check("another run is another run", w.state("itaipu-rest"), "upstream_failed")
    w.reset()


def test_runs(w):
    check("v2 wants the date named", w.ask("POST", V2 + "/dagRuns", {"dag_run_id": "h", "conf": {}})[2]["detail"][0]["loc"], ["body", "logical_date"])
    check("v2", w.ask("POST", V2 + "/dagRuns", {"dag_run_id": "h", "conf": {"a": 1}, "logical_date": None})[2]["conf"], {"a": 1})
    check("the same id", [w.status("POST", b + "/dagRuns", {"dag_run_id": "h", "logical_date": None}) for b in (V1, V2)], [409, 409])
    check("v1", w.ask("POST", V1 + "/dagRuns", {"dag_run_id": "i"})[2]["state"], "queued")
    check("queued, then running", [w.ask("GET", f"{V1}/dagRuns/i/taskInstances/itaipu-the-first")[2]["state"] for _ in range(3)],
          ["scheduled", "queued", "running"])
    check("end it", w.ask("PATCH", V1 + "/dagRuns/i", {"state": "failed"})[2]["state"], "failed")
    check("what ran is failed, the rest skipped", [w.state(t, run=3) for t in ("itaipu-the-first", "itaipu-contracts")], ["failed", "skipped"])
    check("and stays so", w.ask("GET", V1 + "/dagRuns/i/taskInstances/itaipu-contracts")[2]["state"], "skipped")
    check("no state", [w.status("PATCH", b + "/dagRuns/i", {"state": "paused"}) for b in (V1, V2)], [400, 422])
    check("counted", w.effects(), {("trigger", "h"): 1, ("trigger", "i"): 1, ("set-run-state", "i"): 1})
    w.reset()


def test_who(w):
    state = w.ask("GET", "/_world/state")[2]
    state["airflow"]["config"] = {"basic": "ana:s3cret", "token": "t0ken", "apis": ["v2"]}
    check("load", w.ask("POST", "/_world/load", state)[2], {"ok": True})
    check("v1 is gone", "has been removed" in w.ask("GET", V1)[2]["error"], True)
    basic = {"Authorization": "Basic " + base64.b64encode(b"ana:s3cret").decode()}
    check("v2 takes no password", [w.status("GET", V2), w.status("GET", V2, headers=basic)], [401, 401])
    check("a token for it", w.ask("POST", "/airflow/auth/token", {"username": "ana", "password": "s3cret"})[::2], (201, {"access_token": "t0ken"}))
    check("a wrong one", w.status("POST", "/airflow/auth/token", {"username": "ana", "password": "x"}), 401)
    check("with the token", w.status("GET", V2, headers={"Authorization": "Bearer t0ken"}), 200)
    state["airflow"]["config"]["apis"] = ["v1"]
    w.ask("POST", "/_world/load", state)
    check("v1 takes both", [w.status("GET", V1, headers=h) for h in (basic, {"Authorization": "Bearer t0ken"}, {})], [200, 200, 401])
    check("no v2", w.status("GET", V2), 404)
    for bad in ({"dags": [{}]}, {"dags": [{"dag_id": "a", "tasks": [{"task_id": "b", "downstream_task_ids": ["c"]}]}]}):
        check(f"bad state {bad}", w.status("POST", "/_world/load", {"airflow": bad}), 400)
    w.reset()


def test_what_the_handler_sends(w):
    """The golden requests of the handler are understood here: neither side may drift."""
    folder = os.path.join(HERE, "..", "golden", "airflow")
    sent = 0
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            cases = json.load(file)
        for case in cases:
            request = case["expect"].get("request")
            if request is None:
                continue
            path = "/airflow" + request["url"].removeprefix("https://airflow.example.com")
            body = request["body"].encode() if "body" in request and request["body"] is not None else None
            status, _, answer = w.ask(request["method"], path, body, request["headers"])
            refused = status in (400, 415, 422) or (status == 404 and answer == {"detail": "Not Found"})
            check(f"{name}: {case['case']}: {answer if refused else ''}", refused, False)
            sent += 1
            w.reset()
    check("requests sent", sent >= 30, True)


def main():
    w = World(sys.argv[1])
    try:
        for test in (test_reads, test_set_state, test_clear, test_runs, test_who, test_what_the_handler_sends):
            test(w)
    finally:
        w.process.send_signal(signal.SIGTERM)
        check("exit", w.process.wait(10), 0)
    print("failed" if failures else "ok")
    return 1 if failures else 0


sys.exit(main())
