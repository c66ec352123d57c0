#!/usr/bin/env python3
"""Smoke test of what jobs run on: Aurora, Mesos, and the programs nu and sabesp. Each must understand what its handler sends, refuse what
the real one refuses, and show in the next look what was done.

usage: test_jobs.py PROGRAM        (Python's standard library only)
"""
import json
import os
import signal
import subprocess
import sys
import tempfile

import test_world
from test_data import golden
from test_world import World, check

BIN = os.path.join(os.path.dirname(os.path.abspath(sys.argv[1])), "bin") if len(sys.argv) > 1 else ""
JSON = {"Content-Type": "application/json"}
TX, UNCOMMITTED = "319703ce-b90d-5a07-8195-33df0de911c8", "5a7ecbf0-5c57-5f2a-8c7e-719435184cdc"
JOBS = ["--aurora-stack", "cantareira-stable", "jobs"]


def tasks(w, job):
    body = json.dumps({"query": {"role": "jobs", "environment": "prod", "jobName": job}}).encode()
    answer = json.loads(w.ask("POST", "/aurora/apibeta/getTasksWithoutConfigs", body, JSON)[2])
    return [t["status"] for t in answer["result"]["scheduleStatusResult"]["tasks"]]


def run(w, folder, name, *words):
    env = {f"{name.upper()}_WORLD": folder, "WORLD_URL": f"http://127.0.0.1:{w.port}", "PATH": "/usr/bin:/bin"}
    for key, value in os.environ.items():
        if key.endswith("SAN_OPTIONS"):
            env[key] = value
    done = subprocess.run([os.path.join(BIN, name), *words], env=env, capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout + done.stderr


def test_aurora(w):
    golden(w, "aurora", "leaderhealth")
    golden(w, "aurora", "tasks")
    golden(w, "aurora", "kill")
    w.reset()
    check("tasks", tasks(w, "itaipu-contracts"), ["RUNNING", "FAILED"])
    kill = json.dumps({"job": {"role": "jobs", "environment": "prod", "name": "itaipu-contracts"}, "instances": []}).encode()
    check("kill", json.loads(w.ask("POST", "/aurora/apibeta/killTasks", kill, JSON)[2])["details"], [])
    check("killed is not gone", tasks(w, "itaipu-contracts"), ["KILLING", "FAILED"])
    check("gone", tasks(w, "itaipu-contracts"), ["KILLED", "FAILED"])
    again = json.loads(w.ask("POST", "/aurora/apibeta/killTasks", kill, JSON)[2])
    check("again", (again["responseCode"], again["details"][0]["message"]), ("OK", "No tasks to kill."))
    for method, body, status in (("nothing", b"{}", 404), ("killTasks", b"[]", 400), ("killTasks", b"{", 400),
                                 ("getTasksWithoutConfigs", b'{"query": {"role": 1}}', 400)):
        check(f"{method} {body}", w.ask("POST", "/aurora/apibeta/" + method, body, JSON)[0], status)
    for body in (b"{}", b'{"job": {"role": "jobs"}}'):
        check("invalid inside a 200", json.loads(w.ask("POST", "/aurora/apibeta/killTasks", body, JSON)[2])["responseCode"], "INVALID_REQUEST")
    check("not a POST", w.ask("GET", "/aurora/apibeta/killTasks")[0], 405)
    w.reset()


def test_mesos(w):
    for path in ("/master/frameworks", "/master/slaves", "/master/state"):
        check(path, w.ask("GET", "/mesos" + path)[0], 200)
    leader = f"127.0.0.1:{w.port}"
    check("leader", w.json("GET", "/mesos/master/state")["leader"], "master@" + leader)
    check("leader, from the API", w.json("POST", "/mesos/api/v1", {"type": "GET_MASTER"})["get_master"]["master_info"]["pid"], "master@" + leader)
    alive, = w.json("GET", "/mesos/master/frameworks")["frameworks"]
    check("alive", (alive["active"], alive["connected"], len(alive["tasks"])), (True, True, 2))
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    down = lambda body, host=leader: w.ask("POST", "/mesos/master/teardown", body, {**form, "Host": host})
    check("not the leader's address", down(b"frameworkId=x", f"localhost:{w.port}")[0], 307)
    check("no id", down(b"")[0], 400)
    check("unknown", down(b"frameworkId=x")[2], "No framework found with specified ID")
    check("GET", w.ask("GET", "/mesos/master/teardown")[0], 405)
    check("torn down", down(b"frameworkId=" + alive["id"].encode())[0], 200)
    check("a second time", down(b"frameworkId=" + alive["id"].encode())[0], 400)
    shown = w.json("GET", "/mesos/master/frameworks?framework_id=" + alive["id"])
    check("completed", (shown["frameworks"], [f["id"] for f in shown["completed_frameworks"]]), ([], [alive["id"]]))
    check("its tasks are lost", tasks(w, "itaipu-contracts")[0], "LOST")
    w.reset()


def test_programs(w):
    with tempfile.TemporaryDirectory() as folder:
        sabesp = lambda *words: run(w, folder, "sabesp", *words)
        nu = lambda *words: run(w, folder, "nu", *words)
        where = ["--env", "cantareira", "--suffix", "stable", "--region", "us-east-1"]
        check("status", sabesp(*JOBS, "status", "jobs", "prod", "itaipu-contracts"), (0, "Active tasks:\nprod/itaipu-contracts/0 RUNNING\n"))
        check("kill", sabesp(*JOBS, "kill", "jobs", "prod", "itaipu-contracts")[0], 0)
        check("killing", tasks(w, "itaipu-contracts")[0], "KILLING")
        check("killed", tasks(w, "itaipu-contracts")[0], "KILLED")
        check("nothing to kill", sabesp(*JOBS, "kill", "jobs", "prod", "itaipu-contracts")[0], 6)
        check("dry run", sabesp(*JOBS, "create", "prod", "dagao", "--filename", "dagao", "a.b=c", "--dryrun")[0], 0)
        check("nothing came of it", tasks(w, "dagao"), ["FAILED"])
        check("create", sabesp(*JOBS, "create", "prod", "dagao", "--filename", "dagao", "a.b=c")[0], 0)
        check("twice", sabesp(*JOBS, "create", "prod", "dagao")[0], 10)
        check("pending", tasks(w, "dagao"), ["FAILED", "PENDING"])
        check("running", tasks(w, "dagao"), ["FAILED", "RUNNING"])
        check("restart", sabesp(*JOBS, "restart", "jobs", "prod", "fx-model")[0], 0)
        check("a new one", tasks(w, "fx-model"), ["KILLED", "PENDING"])
        itaipu = ["itaipu", "prod", "phillip", "s3a://p", "s3a://e", "40", "--filter", "dataset/fx-rates", "--itaipu", "c8574a9"]
        check("itaipu", sabesp(*JOBS, *itaipu, "--transaction", TX, "--instance-type=r4.2xlarge")[0], 0)
        check("it runs", [tasks(w, "itaipu-phillip") for _ in range(3)], [["PENDING"], ["RUNNING"], ["FINISHED"]])
        dataset = next(d for t in w.json("GET", "/_world/state/metapod/transactions") for d in t["datasets"] if d["id"] == UNCOMMITTED)
        check("and commits", dataset["committed"], True)
        check("a cluster with a slash", sabesp(*JOBS, "itaipu", "prod", "a/b", *itaipu[3:])[0], 2)
        check("tx-id", sabesp("utils", "tx-id"), (0, TX + "\n"))
        w.reset()
        path = "s3://nu-spark-static/empty/materialized/empty.gz.parquet"
        commit = ["metapod", "--token", "--env", "prod", "dataset", "commit", TX, UNCOMMITTED, "PARQUET", path]
        check("commit", nu("datainfra", "sabesp", "--", *commit)[0], 0)
        check("twice", sabesp(*commit)[0], 1)
        check("no token", sabesp("metapod", "--env", *commit[3:])[0], 2)
        check("status of a unit", "active (running) since Fri 2026-11-27 01:00:00 UTC" in
              nu("ser", "ssh", "aurora-scheduler", *where, "--", "sudo", "systemctl", "status", "--no-pager", "--lines=0", "aurora-scheduler")[1], True)
        check("restart of a unit", nu("ser", "ssh", "aurora-scheduler", *where, "--", "sudo", "systemctl", "restart", "aurora-scheduler")[0], 0)
        check("Aurora begins anew", [w.ask("GET", "/aurora/leaderhealth")[0] for _ in range(3)], [502, 502, 200])
        frameworks = w.json("GET", "/mesos/master/frameworks")["frameworks"]
        check("an orphan", [(f["active"], f["connected"]) for f in frameworks], [(False, False), (True, True)])
        check("cycle", nu("ser", "cycle", "mesos-master", *where)[0], 0)
        check("no leader", [w.ask("GET", "/mesos/master/state")[0] for _ in range(3)], [503, 503, 200])
        check("log", nu("ser", "ssh", "airflow", *where, "--", "journalctl", "-n", "50", "--no-pager", "-u", "airflow")[0], 0)
        check("any command", nu("ser", "ssh", "airflow", *where, "--", "reboot")[0], 4)
        check("images", nu("registry", "list-images", "nu-itaipu")[1].split()[1], "quay.io/nubank/nu-itaipu:c8574a9")
        check("successors", nu("datainfra", "hausmeister", "dataset-successors", TX, "dataset/bill-payments")[1].split()[0], "model/prospects")
        check("scale down", nu("datainfra", "ec2", "scale_down", "cantareira", "stable", "fx-model")[0], 0)
        check("certificate", nu("sec", "generate", "certificate", "aurora")[0], 0)
        fresh = next(o for o in w.json("GET", "/_world/state/s3/objects") if o["bucket"] == "nu-keysets-br-prod")
        check("it lies in S3", (fresh["key"], fresh["modified"] > "2026"), ("certificates/pri/services/aurora.p12", True))
        check("nonsense", nu("fly")[0], 2)
        check("effects", sum(e["applied"] for e in w.json("GET", "/_world/counts")["effects"]), 5)
        w.json("POST", "/_world/faults", {"what": "apply-drop", "prefix": "/programs/nu", "method": "POST"})
        check("the answer is lost", nu("sec", "generate", "certificate", "aurora")[0], 96)
        with open(os.path.join(folder, "calls")) as file:
            check("calls are written down", json.loads(file.readline())["argv"][1:3], JOBS[:2])
        w.reset()


def main():
    w = World(sys.argv[1])
    try:
        for test in (test_aurora, test_mesos, test_programs):
            test(w)
    finally:
        w.process.send_signal(signal.SIGTERM)
        check("exit", w.process.wait(10), 0)
    print("failed" if test_world.failures else "ok")
    return 1 if test_world.failures else 0


if __name__ == "__main__":
    sys.exit(main())
