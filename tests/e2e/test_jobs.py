"""The recipes around Aurora, Mesos and sabesp, with the real binary, real programs and a real checkout: what people see, and what has
changed in the world."""
import json
import os
import re
import unittest

from harness import ANA, BEN, COMMITTED_2_NAME, Case, Deadline, TRANSACTION, UNCOMMITTED, UNCOMMITTED_NAME, main, sample_world
from shipped import git, make_checkout

YESTERDAY, LUSA = "f7832a01-001b-56f7-a4fe-b3a417f8f654", "f3bd7e6f-245e-5bda-82ba-3bc3faca5fdd"
OLD = "67386329-1fe2-48f4-9457-0d45d924db5d-0001"
EMPTY = "s3://nu-spark-static/empty/materialized/empty.gz.parquet"


def world():
    state = sample_world()
    for transaction in state["metapod"]["transactions"]:
        for dataset in transaction.get("datasets", []):
            if dataset["id"] == LUSA:
                dataset["committed"] = True
    return state


class Jobs(Case):
    world_state = staticmethod(world)

    def recipes(self, *names, **changed):
        self.bot.use_shipped(*names)
        for name in names:  # what takes minutes there takes moments here
            with open(os.path.join(self.bot.recipes, name + ".cfg")) as file:
                text = file.read()
            self.bot.add_recipe(name, re.sub(r'\b(every|wait)( *= *)"\d+[sm]"', r'\1\2"250ms"', text))
        for old, new in changed.get("config", ()):
            with open(self.bot.config) as file:
                text = file.read()
            self.assertIn(old, text)
            with open(self.bot.config, "w") as file:
                file.write(text.replace(old, new))
        self.bot.start()

    def run_recipe(self, words, contains):
        self.slack.slash(words)
        return self.card(contains)

    def approve(self, card, label="Approve"):
        card.wait("Exactly this will be sent")
        card.click(label, BEN)

    def part(self, path):
        return self.world.http.request("GET", "/_world/state/" + path)

    def tasks(self, job):
        return [t["status"] for t in self.part("aurora/tasks") if t["job"] == job]

    def effects(self):
        return {(e["endpoint"], e["id"]): e["applied"] for e in self.world.counts()["effects"]}

    def change(self, edit):
        """The world turns by itself. What was counted is forgotten."""
        state = self.world.http.request("GET", "/_world/state")
        edit(state)
        self.assertEqual(self.world.http.request("POST", "/_world/load", state), {"ok": True})

    def git(self, *words):
        return git(self.folder, *words)

    def checkout(self):
        path = make_checkout(self.folder)
        if path is None:
            raise unittest.SkipTest("git is not installed")
        return path

    # --- kill -------------------------------------------------------------------------------------------------------------------
    def test_kill(self):
        self.recipes("job-kill", "jobs-status")
        text = self.run_recipe("jobs-status", "What runs on Aurora").wait("Done")
        self.assertIn("2 RUNNING", text)
        card = self.run_recipe("job-kill itaipu-contracts cantareira", "Kill a job")
        self.assertIn("jobs kill jobs prod itaipu-contracts", card.wait("Exactly this will be sent"))
        card.click("Approve", ANA)
        self.whisper(ANA, "somebody else has to approve")
        self.assertEqual(self.effects(), {})
        card.click("Approve", BEN)
        self.assertIn("Killed and gone", card.wait("Done"))
        self.assertEqual(self.tasks("itaipu-contracts"), ["KILLED", "FAILED"])
        self.assertEqual(self.tasks("fx-model"), ["RUNNING"], "nothing else")
        self.assertEqual(self.effects(), {("sabesp kill", "itaipu-contracts"): 1})
        card = self.run_recipe("job-kill itaipu-contracts cantareira", "there is nothing to kill")
        card.wait("Stopped")
        self.assert_audited()

    def test_kill_whose_answer_is_lost(self):
        self.world.fault("apply-drop", prefix="/programs/sabesp")
        self.recipes("job-kill")
        card = self.run_recipe("job-kill itaipu-contracts cantareira", "Kill a job")
        self.approve(card)
        card.wait("Killed and gone")
        card.wait("Done")
        self.assertEqual(self.effects(), {("sabesp kill", "itaipu-contracts"): 1})

    def test_the_bot_dies_while_sabesp_kills(self):
        self.world.fault("hold", prefix="/programs/sabesp")
        self.recipes("job-kill")
        card = self.run_recipe("job-kill itaipu-contracts cantareira", "Kill a job")
        self.approve(card)
        self.slack.wait(channel=card.channel, ts=card.ts, contains="Kill it", alive=self.alive())
        deadline = Deadline()
        while self.world.counts()["waiting"] == 0:
            self.assertFalse(deadline.over(), "sabesp has asked the world for nothing")
            self.bot.child._pause()
        self.bot.kill()
        self.world.release()  # sabesp has outlived the bot and does it
        self.bot.start()
        card.wait("Killed and gone")
        card.wait("Done")
        self.assertEqual(self.effects(), {("sabesp kill", "itaipu-contracts"): 1})

    def test_plan_kills_nothing(self):
        self.bot.use_shipped("job-kill")
        out, _ = self.bot.cli("plan", "job-kill", "itaipu-contracts", "cantareira")
        self.assertIn("jobs kill jobs prod itaipu-contracts", out)
        self.assertEqual(self.effects(), {})

    def test_restart(self):
        self.recipes("job-restart")
        card = self.run_recipe("job-restart fx-model cantareira", "Restart a job")
        self.approve(card)
        self.assertIn("the old tasks of `prod/fx-model` are gone", card.wait("Done"))
        self.assertEqual(self.tasks("fx-model"), ["KILLED", "RUNNING"])

    # --- Aurora -----------------------------------------------------------------------------------------------------------------
    def test_restart_aurora(self):
        # Under its name the world is no leading master: a teardown that went to the backend's url would be redirected.
        url = self.world.url
        self.recipes("restart-aurora", config=[(url + "/mesos", url.replace("127.0.0.1", "localhost") + "/mesos")])
        card = self.run_recipe("restart-aurora cantareira", "Restart Aurora")
        for question in ("Replace the machines of", "sabesp and Airflow can start nothing", "Tear down the orphaned framework"):
            text = card.wait(question)
            self.assertIn("Exactly this will be sent", text)
            card.click("Approve", BEN)
        self.assertIn(f"{url}/mesos/master/teardown", text)
        self.assertIn(f"orphaned framework `{OLD}`", text)
        text = card.wait("Done")
        self.assertIn("sabesp answers", text)
        self.assertIn("orphans left: 0", text)
        self.assertEqual(self.effects(), {("nu ser cycle", "mesos-master"): 1, ("nu ser ssh restart", "aurora-scheduler"): 1,
                                          ("mesos teardown", OLD): 1})
        alive, = self.part("mesos/frameworks")
        self.assertEqual((alive["active"], alive["id"] != OLD), (True, True))
        self.assertEqual(self.tasks("fx-model"), ["RUNNING"], "what ran goes on")

    def orphaned(self):
        self.change(lambda state: state["mesos"].update(serial=2, frameworks=[
            {"id": OLD, "name": "Aurora", "active": False, "connected": False, "tasks": 2},
            {"id": OLD[:-1] + "2", "name": "Aurora", "active": True, "connected": True},
            {"id": "m-0001", "name": "marathon", "active": False, "connected": False}]))

    def test_the_orphan_comes_back(self):
        self.orphaned()
        self.recipes("restart-aurora")
        card = self.run_recipe("restart-aurora cantareira masters=no scheduler=no", "Restart Aurora")
        text = card.wait("Exactly this will be sent")
        self.assertNotIn("m-0001", text)
        self.change(lambda state: state["mesos"]["frameworks"][0].update(active=True, connected=True))
        card.click("Approve", BEN)
        self.assertIn("was not torn down", card.wait("Stopped"))
        self.assertEqual(self.effects(), {})

    def test_the_teardown_is_lost(self):
        self.orphaned()
        self.world.fault("apply-drop", prefix="/mesos/master/teardown")
        self.recipes("restart-aurora")
        card = self.run_recipe("restart-aurora cantareira masters=no scheduler=no", "Restart Aurora")
        self.approve(card)
        card.wait("orphans left: 0")
        card.wait("Done")
        self.assertEqual(self.effects(), {("mesos teardown", OLD): 1})

    # --- from the checkout ------------------------------------------------------------------------------------------------------
    def test_create(self):
        self.checkout()
        self.recipes("job-create")
        card = self.run_recipe('job-create scale cantareira versions=scale_cluster=4945885 binds="MODE=on-demand N_NODES=10 SCALE_TIMEOUT=0"',
                               "Start a job")
        self.approve(card)
        self.assertIn("It runs: scale/0 RUNNING", card.wait("Done"))
        self.assertEqual(self.effects(), {("sabesp create", "scale"): 1})

    def test_create_from_a_checkout_that_is_changed_or_old(self):
        path = self.checkout()
        self.recipes("job-create")
        with open(path, "a") as file:
            file.write("# edited\n")
        self.assertIn("jobs/templates/spark.aurora", self.run_recipe("job-create scale cantareira", "Start a job").wait("Stopped"))
        clone = os.path.join(self.folder, "aurora-jobs")
        self.git("-C", clone, "commit", "-q", "-a", "-m", "Edited, not pushed")
        self.assertIn("bring it up to date first", self.run_recipe("job-create other cantareira", "job `other`").wait("Stopped"))
        self.assertEqual(self.effects(), {})

    def test_longer_healthcheck(self):
        path = self.checkout()
        self.recipes("itaipu-longer-healthcheck")
        card = self.run_recipe(f"itaipu-longer-healthcheck {UNCOMMITTED_NAME} phillip 40 cantareira itaipu=c8574a9", "longer health check")
        card.wait("initial_interval_secs")
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(text.replace("20*60", "50*60"))
        self.done(card)
        text = card.wait("Exactly this will be sent")
        self.assertIn("50*60", text)
        card.click("Approve", BEN)
        card.wait("is committed.")
        self.git("-C", os.path.join(self.folder, "aurora-jobs"), "checkout", "-q", "--", ".")
        self.done(card)
        card.wait("The checkout is clean again")
        card.wait("Done")
        self.assertEqual(self.effects(), {("sabesp create", "itaipu-phillip"): 1})
        self.assertTrue(self.world.dataset(UNCOMMITTED)["committed"])

    def done(self, card, evidence=None):
        card.wait_button("Done")
        card.click("Done", ANA)
        if evidence is not None:
            self.slack.wait(view=1, user=ANA)
            self.slack.post("submit_view", user=ANA, values={"evidence": evidence})

    def test_serve_again(self):
        self.checkout()
        self.recipes("serve-again")
        before = self.world.dataset(LUSA)["path"]
        card = self.run_recipe(f'serve-again lusa-scores asked-by="credit squad" environment=cantareira transaction={YESTERDAY} itaipu=18ce1d9 '
                               "target-date=2026-11-22 reference-date=2026-11-21", "Serve a dataset again")
        text = card.wait("Exactly these 2 requests will be sent")
        self.assertIn(f"/api/migrations/retract/committed-dataset/{LUSA}", text)
        self.assertIn("--target-date 2026-11-22 --reference-date 2026-11-21", text)
        self.type_and_approve(card, "dataset/lusa-scores")
        card.wait("is committed again")
        self.done(card, "the squad sees the old scores")
        card.wait("*Done*")
        self.assertEqual(self.world.applied(LUSA), 1)
        self.assertEqual(self.effects()[("sabesp create", "itaipu-lusa-scores-reserve")], 1)
        self.assertTrue(self.world.dataset(LUSA)["committed"])
        self.assertIsNotNone(before)

    # --- Metapod ----------------------------------------------------------------------------------------------------------------
    def type_and_approve(self, card, typed):
        card.click("Approve", BEN)
        self.slack.wait(view=1, user=BEN, contains="Type")
        self.slack.post("submit_view", user=BEN, values={"typed": typed})

    def test_retract_all_while_jobs_write(self):
        self.recipes("retract-all", "job-kill")
        card = self.run_recipe(f"retract-all {TRANSACTION}", "Retract every")
        text = card.wait("Stopped")
        self.assertIn("are active: 1000-jobs-prod-itaipu-contracts-0", text)
        self.assertIn("Kill them first", text)
        card.click("Kill itaipu-contracts", ANA)
        kill = self.card("Kill the *whole* job `prod/itaipu-contracts`")
        self.approve(kill)
        kill.wait("Killed and gone")
        self.assertEqual(self.effects(), {("sabesp kill", "itaipu-contracts"): 1}, "nothing is retracted")

    def test_commit_empty(self):
        def forget(state):  # BigQuery's table is of another day, as the world stands
            rows = state["bigquery"]["tables"]["dataset.spark_ops"]["rows"]
            next(row for row in rows if row["name"] == UNCOMMITTED_NAME)["successors"] = []
        self.change(forget)
        self.recipes("commit-empty")
        card = self.run_recipe(f"commit-empty {UNCOMMITTED_NAME}", "Commit a dataset empty")
        self.assertIn(EMPTY, card.wait("Exactly this will be sent"))
        self.type_and_approve(card, UNCOMMITTED_NAME)
        card.wait("is committed with an empty file")
        card.wait("Done")
        self.assertEqual(self.world.dataset(UNCOMMITTED)["path"], EMPTY)

    def test_commit_empty_where_nu_and_bigquery_disagree(self):
        self.recipes("commit-empty")
        text = self.run_recipe(f"commit-empty {UNCOMMITTED_NAME}", "Commit a dataset empty").wait("Stopped")
        self.assertIn("nu lists nothing", text)
        self.assertIn("policy/proactive-limit-v3", text)
        self.assertEqual(self.effects(), {})

    def test_commit_empty_where_something_depends_on_it(self):
        def uncommit(state):
            for transaction in state["metapod"]["transactions"]:
                for dataset in transaction["datasets"]:
                    if dataset["name"] == COMMITTED_2_NAME and transaction["id"] == TRANSACTION:
                        dataset["committed"] = False
        self.change(uncommit)
        self.recipes("commit-empty")
        text = self.run_recipe(f"commit-empty {COMMITTED_2_NAME}", "Commit a dataset empty").wait("Stopped")
        self.assertIn("policy/brando-risk-curve-v5", text)
        self.assertEqual(self.effects(), {})


if __name__ == "__main__":
    main()
