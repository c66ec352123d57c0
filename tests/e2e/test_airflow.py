"""Airflow, both generations: restarting, skipping, and what is left alone; from the command to the end, with what the world was told."""
import json
import unittest

from harness import ANA, BEN, TRANSACTION, Case, Deadline, main

RUN = "scheduled__2026-11-27T00:00:00+00:00"
FOZ_RUN = "scheduled__2026-11-27T02:00:00+00:00"


class Airflow(Case):
    recipes = ("restart-task", "dag-state", "skip-upstream", "deploy-after-run", "keep-machines", "fresh-run", "dag-redeploy", "commit-empty",
               "dataset-failed")

    def setUp(self):
        super().setUp()
        self.bot.use_shipped(*self.recipes)

    def states(self, dag=0, run=1):
        """{task: state} without a look that lets time pass."""
        tasks = self.world.http.request("GET", f"/_world/state/airflow/dags/{dag}/runs/{run}/tasks")
        return {name: task["state"] for name, task in tasks.items()}

    def effects(self, what):
        """{task: how often}"""
        return {e["id"].split(" ")[-1]: e["applied"] for e in self.world.counts()["effects"] if e["endpoint"] == "airflow " + what}

    def bodies(self, path):
        return [json.loads(r["body"]) for r in self.world.log() if r["method"] in ("POST", "PATCH") and r["path"].endswith(path)]

    def start(self, words, contains):
        self.bot.start()
        self.slack.slash(words)
        return self.card(contains)

    def config(self, **changed):
        state = self.world.http.request("GET", "/_world/state")
        state["airflow"]["config"].update(changed)
        self.world.http.request("POST", "/_world/load", state)

    # --- restart-task ----------------------------------------------------------------------------------------------------------
    def test_restart(self):
        self.config(page_max=5)  # a run in four pages
        before = self.states()
        card = self.start("restart-task itaipu-other-flaky-datasets cantareira", "Restart")
        self.assertIn("POST", card.wait("Exactly this will be sent"))
        self.assertEqual(self.effects("clear"), {})
        card.click("Approve", BEN)
        end = card.wait("*Done*")
        self.assertIn("began anew, try 4", end)
        self.assertEqual(self.effects("clear"), {"itaipu-other-flaky-datasets": 1})
        after = self.states()
        self.assertIn(after["itaipu-other-flaky-datasets"], ("running", "success"))
        self.assertEqual({t: s for t, s in after.items() if t != "itaipu-other-flaky-datasets"},
                         {t: s for t, s in before.items() if t != "itaipu-other-flaky-datasets"})
        self.assertEqual(self.states(run=0), {t: "success" for t in self.states(run=0)}, "yesterday's run")
        body, = self.bodies("/clearTaskInstances")
        self.assertEqual((body["dry_run"], body["include_past"], body["include_future"]), (False, False, False))

    def test_the_reply_of_the_clear_is_lost(self):
        self.world.fault("apply-drop", prefix="/airflow/api/v1/dags/prod-dagao/clearTaskInstances")
        card = self.start("restart-task lusa cantareira", "Restart")
        card.click("Approve", BEN)
        self.assertIn("began anew", card.wait("*Done*"))
        self.assertEqual(self.effects("clear"), {"lusa": 1})

    def test_the_clear_never_arrived(self):
        self.world.fault("drop", prefix="/airflow/api/v1/dags/prod-dagao/clearTaskInstances")
        card = self.start("restart-task lusa cantareira", "Restart")
        card.click("Approve", BEN)
        self.assertIn("nothing of it is to be seen", card.wait("nobody knows whether it happened"))
        self.assertEqual(self.effects("clear"), {})
        card.click("It did not", BEN)
        self.assertIn("began anew", card.wait("*Done*"))
        self.assertEqual(self.effects("clear"), {"lusa": 1})

    def test_the_clear_comes_late(self):
        """Airflow is still at it after several looks, and carries it out then: seen, and not sent a second time."""
        with open(self.bot.config) as file:
            text = file.read()
        with open(self.bot.config, "w") as file:
            file.write(text.replace('settle = "6s"', 'settle = "10m"'))
        self.world.fault("hold", prefix="/airflow/api/v1/dags/prod-dagao/clearTaskInstances")
        card = self.start("restart-task lusa cantareira", "Restart")
        card.click("Approve", BEN)
        deadline = Deadline()
        while self.world.counts()["waiting"] == 0:
            self.assertFalse(deadline.over(), "the clear was never sent")
            self.bot.child._pause()
        self.bot.kill()
        looks = sum(r["path"].endswith("/taskInstances") for r in self.world.log())
        self.bot.start()
        deadline = Deadline()
        while sum(r["path"].endswith("/taskInstances") for r in self.world.log()) < looks + 3:
            self.assertFalse(deadline.over(), "it is not looked for")
            self.bot.child._pause()
        self.assertEqual(self.effects("clear"), {})
        self.world.release()
        self.assertIn("a look at the system shows that it happened", card.wait("*Done*"))
        self.assertEqual((self.effects("clear"), len(self.bodies("/clearTaskInstances"))), ({"lusa": 1}, 1))

    def test_nothing_to_restart(self):
        for task, why in (("sorting-hat", "its state is *running*"), ("itaipu-rest", "has not failed itself"), ("nope", "has no task")):
            with self.subTest(task):
                if not self.bot.started:
                    self.bot.start()
                self.slack.slash(f"restart-task {task} cantareira")
                self.card(why).wait("Stopped")
        self.assertEqual(self.world.counts()["effects"], [])

    # --- dag-state -------------------------------------------------------------------------------------------------------------
    def test_state(self):
        card = self.start("dag-state", "16 tasks")
        text = card.wait("*Done*")
        for part in (RUN, "*3 failed*", "itaipu-fx-model", "Running: sorting-hat", "databricks_load-models"):
            self.assertIn(part, text)
        self.assertEqual(self.world.counts()["effects"], [])

    # --- skip-upstream ---------------------------------------------------------------------------------------------------------
    def skip(self, words, dag, run, task, cleared, api):
        before = self.states(dag, run)
        card = self.start(words, "It holds up")
        card.click("Approve", ANA)
        self.whisper(ANA, "somebody else")
        card.click("Approve", BEN)
        end = card.wait("*Done*")
        self.assertIn("*empty* today", end)
        self.assertEqual(self.effects("set-state"), {task: 1})
        after = self.states(dag, run)
        self.assertEqual(after[task], "success")
        for each in cleared:
            self.assertNotIn(after[each], ("failed", "upstream_failed"), each)
        untouched = {t: s for t, s in before.items() if t != task and t not in cleared}
        self.assertEqual({t: after[t] for t in untouched}, untouched, "the others")
        mark, = self.bodies("/taskInstances/" + task)
        clear = self.bodies("/clearTaskInstances")[0]
        if api == "v1":
            self.assertEqual((mark, clear["dry_run"], clear["include_subdags"]), ({"dry_run": False, "new_state": "success"}, False, False))
        else:
            self.assertNotIn("dry_run", mark)
            self.assertEqual([mark[k] for k in sorted(mark) if k.startswith("include_")], [False] * 4)
            self.assertNotIn("include_subdags", clear)
        return card

    def test_skip_on_airflow_2(self):
        card = self.skip("skip-upstream fx-model cantareira", 0, 1, "fx-model",
                         ("databricks_load-models", "scale-ec2-rest", "itaipu-rest", "itaipu-serving"), "v1")
        self.assertEqual(self.states(run=0), {t: "success" for t in self.states(run=0)}, "yesterday's run")
        card.click("Remind us to deploy", BEN)
        self.card("Wait until it is over")

    def test_skip_on_airflow_3(self):
        self.skip("skip-upstream mx-fx-model foz", 1, 0, "mx-fx-model", ("itaipu-mx-rest",), "v2")

    def test_somebody_else_is_at_it(self):
        card = self.start("skip-upstream fx-model cantareira", "It holds up")
        card.wait_button("Approve")
        self.world.fault("hold", prefix="/airflow/api/v1/dags/prod-dagao/dagRuns/" + RUN + "/taskInstances/fx-model", method="PATCH")
        card.click("Approve", BEN)
        while not self.world.counts()["waiting"]:
            self.slack.wait(channel="C0OPS", contains="It holds up")
        self.world.http.request("POST", "/airflow/api/v1/dags/prod-dagao/clearTaskInstances",
                                {"dry_run": False, "dag_run_id": RUN, "task_ids": ["itaipu-contracts"], "only_failed": False})
        self.world.release()
        self.assertIn("itaipu-contracts (success 2", card.wait("Other tasks have changed"))

    # --- keep-machines ---------------------------------------------------------------------------------------------------------
    def test_machines_are_kept_until_somebody_is_done(self):
        # Looked at more often than people would have it, so that the test does not wait for the clock.
        self.bot.edit_recipe("keep-machines", (r'every = "30s"', 'every = "1s"'), (r'every = "15s"', 'every = "1s"'))
        card = self.start("keep-machines lusa downscale-ec2-lusa cantareira scale=scale-ec2-lusa", "The machines cost money")
        card.click("Approve", BEN)
        card.wait("its machines are kept up")
        self.assertEqual(self.effects("set-state"), {"downscale-ec2-lusa": 1})
        self.assertEqual(self.effects("clear"), {"lusa": 1, "scale-ec2-lusa": 1})
        self.assertEqual((self.states()["lusa"], self.states()["downscale-ec2-lusa"]), ("failed", "success"))
        card.click("Done", ANA)
        self.assertIn("the machines are down", card.wait("*Done*"))
        self.assertEqual(self.effects("clear"), {"lusa": 1, "scale-ec2-lusa": 1, "downscale-ec2-lusa": 1})

    def test_machines_that_are_forgotten_go(self):
        """The time runs out while the bot is not there: it goes on as soon as it is back."""
        self.bot.edit_recipe("keep-machines", (r'every = "30s"', 'every = "1s"'), (r'every = "15s"', 'every = "1s"'),
                             (r'expires = "3h"', 'expires = "4s"'))
        card = self.start("keep-machines lusa downscale-ec2-lusa cantareira", "The machines cost money")
        card.click("Approve", BEN)
        card.wait("its machines are kept up")
        self.bot.kill()
        self.bot.start()
        end = card.wait("*Done*")
        self.assertIn("three hours are over", end)
        self.assertEqual(self.effects("clear"), {"lusa": 1, "downscale-ec2-lusa": 1})

    # --- fresh-run, dag-redeploy: Airflow, Aurora, sabesp and GoCD together -------------------------------------------------------
    def typed(self, card, text):
        card.click("Approve", BEN)
        self.slack.wait(view=1, user=BEN)
        self.slack.post("submit_view", user=BEN, values={"typed": text})

    def order(self, *parts):
        """Where each of these was asked for first; -1 = never."""
        asked = [f"{r['method']} {r['path']}" for r in self.world.log()]
        return [next((i for i, a in enumerate(asked) if part in a), -1) for part in parts]

    def test_a_run_from_scratch(self):
        """The answer of the start is lost after Airflow began the run: there is one new run all the same."""
        self.world.fault("apply-drop", prefix="/airflow/api/v1/dags/prod-dagao/dagRuns", method="POST")
        card = self.start(f"fresh-run cantareira {TRANSACTION} why='dates of yesterday'", "can not be used")
        self.typed(card, TRANSACTION)
        card.wait("what is still active of the stopped run's jobs, *2*")
        self.assertIn("jobs kill jobs prod fx-model", card.text())
        self.assertEqual(self.effects("trigger"), {}, "nothing is started before the old jobs are gone")
        card.click("Approve", BEN)
        card.wait_button("Done")
        runs = self.world.http.request("GET", "/_world/state/airflow/dags/0/runs")
        self.assertEqual([(r["state"], r["run_type"]) for r in runs[1:]], [("failed", "scheduled"), (runs[-1]["state"], "manual")])
        self.assertEqual(len(runs), 3, "one new run")
        self.assertEqual(list(self.effects("trigger").values()), [1])
        aurora = self.world.http.request("GET", "/_world/state/aurora/tasks")
        self.assertEqual([t["job"] for t in aurora if t["status"] in ("RUNNING", "PENDING", "ASSIGNED")], [])
        self.assertEqual({s for s in self.states().values() if s in (None, "running", "queued", "scheduled")}, set())

    def test_a_fix_in_a_run_that_is_going(self):
        self.bot.edit_recipe("dag-redeploy", (r'every = "1[05]s"', 'every = "1s"'))
        card = self.start("dag-redeploy itaipu-contracts 902 cantareira deployed=901", "nothing but the fix")
        self.typed(card, "902")
        card.wait_button("Done")
        card.click("Done", ANA)
        card.wait("The job is killed")
        self.assertEqual(self.effects("clear"), {}, "a clear never comes before the kill")
        card.click("Approve", BEN)
        self.assertIn("See in its log", card.wait("*Done*"))
        publish, clear = self.order("/gocd/api/stages/dagao/902/publish/run", "/clearTaskInstances")
        self.assertTrue(0 <= publish < clear, (publish, clear))
        self.assertEqual(self.effects("clear")["itaipu-contracts"], 1)
        aurora = self.world.http.request("GET", "/_world/state/aurora/tasks")
        self.assertEqual([t["status"] for t in aurora if t["id"].startswith("1000")], ["KILLED"])

    def test_a_critical_dataset_is_not_skipped(self):
        card = self.start("dataset-failed dataset/fx-rates itaipu-fx-model cantareira", "Is it critical?")
        card.click("Fill in", ANA)
        self.slack.wait(view=1, user=ANA)
        self.slack.post("submit_view", user=ANA, values={"critical": "true", "who-said-so": "Dan"})
        self.assertIn("Nothing is skipped", card.wait("Stopped"))
        self.assertEqual(self.world.counts()["effects"], [])


if __name__ == "__main__":
    main()
