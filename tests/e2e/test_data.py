"""The recipes around data, logs and archives, with the real binary: what people see, and what has changed in the world."""
import json
import os
import re
import subprocess

from harness import ANA, BEN, CAMILA, DATASET, TRANSACTION, Case, Deadline, bot_program, main, program

APPENDED_TO = "713a86b9-4459-5167-8573-ca1ad17746c0"  # a transaction with a manual append
APPEND = "5d94b837-c31e-4109-ac73-b904bbc7bf17"
RESOURCE = "0c8f7f0a-5b5e-4b7e-9d0c-1f2e3d4c5b6a"
MIGRATIONS = "/ouroboros/api/admin/migrations/"


class Tools(Case):
    def recipes(self, *names):
        self.bot.use_shipped(*names)
        self.bot.start()

    def run_recipe(self, words, contains, **how):
        self.slack.slash(words, **how)
        return self.card(contains)

    def type(self, card, label, user, text):
        card.click(label, user)
        self.slack.wait(view=1, user=user, contains="Type")
        self.slack.post("submit_view", user=user, values={"typed": text})

    def archives(self):
        return sorted((a["series"], a["transaction"][:4]) for a in self.world.http.request("GET", "/_world/state/ouroboros/archives"))

    def posts(self):
        return self.world.posts("/ouroboros/")

    def evidence(self, card, user, text):
        card.click("Done", user)
        self.slack.wait(view=1, user=user, contains="What shows")
        self.slack.post("submit_view", user=user, values={"evidence": text})

    def choose(self, card, user, label):
        card.click("Choose", user)
        view = self.slack.wait(view=1, user=user, contains="Choose one")["view"]
        element = next(b["element"] for b in view["blocks"] if b["type"] == "input")
        options = element.get("options") or self.slack.post("suggest", user=user, view_id=view["id"], action_id="value", value="")["options"]
        chosen = next(o for o in options if o["text"]["text"][:60] == label[:60])
        self.slack.post("submit_view", user=user, force=True,
                        values={"choice": {"value": {"type": element["type"], "selected_option": chosen}}})


class Data(Tools):
    # --- logs -------------------------------------------------------------------------------------------------------------------
    def test_model_failed(self):
        self.recipes("model-failed")
        card = self.run_recipe("model-failed sorting-hat file=yes", "made a model fail")
        text = card.wait("Done")
        self.assertIn("could not read the features of customer [e-mail] ([number])", text)
        self.assertLess(text.index("could not read the features"), text.index("Traceback"), "oldest first")
        self.assertNotIn("ana.souza", self.slack.everything() + str(self.run_events()), "what belongs to a customer")
        self.assertNotIn("of another day", text)
        self.assertIn("on GitHub: hermione (212), ron (3)", text)
        self.assertEqual(self.world.counts()["effects"], [])
        self.slack.wait(channel=card.channel, thread_ts=card.ts, contains="All of what", alive=self.alive())
        files = [f for m in self.slack.get("thread", channel=card.channel, ts=card.ts)["messages"] for f in m.get("files", [])]
        self.assertEqual([f["name"].split("-", 2)[-1] for f in files], ["all.txt"])
        whole = self.slack.http.request("GET", "/_sim/file", query={"id": files[0]["id"]}, raw=True)[1]
        self.assertIn("ERROR sorting_hat.train: could not read the features of customer [e-mail] ([number])\nERROR Traceback", whole)
        self.assertNotIn("INFO", whole)

    def test_model_failed_while_splunk_is_busy(self):
        self.world.fault("status", prefix="/splunk/", method="POST", status=503, body='{"messages":[{"type":"ERROR","text":"concurrency"}]}',
                         times=2)
        self.recipes("model-failed")
        card = self.run_recipe("model-failed fx-model earliest=-10m", "made a model fail")
        text = card.wait("Done")
        self.assertIn("No line with", text)
        self.assertIn("before you believe", text)

    # --- what depends on what -----------------------------------------------------------------------------------------------------
    def test_critical(self):
        self.recipes("critical")
        text = self.run_recipe("critical fx-rates", "business critical?").wait("Done")
        self.assertIn("`dataset/fx-rates` has 3 successors; policies among them: policy/proactive-limit-v3", text)
        self.assertIn("Successors of `model/fx-rates` are not known", text)
        self.assertIn("You decide", text)

    def test_successors(self):
        self.recipes("successors")
        text = self.run_recipe("successors policy/brando-risk-curve-v5", "What depends").wait("Done")
        self.assertIn("policy/proactive-limit-v3", text)
        text = self.run_recipe("successors series-contract/scr-operacao source=file", "scr-operacao").wait("Done")
        self.assertIn("dataset/scr-exposure", text)
        self.assertIn("series-raw/scr-operacao-contract-parquet", text)
        text = self.run_recipe("successors dataset/prospect-key-integrity", "prospect-key-integrity").wait("Done")
        self.assertIn("nothing depends on it there", text)
        text = self.run_recipe("successors dataset/misspelt", "misspelt").wait("Stopped")
        self.assertIn("not the same as having no successors", text)

    def test_warehouse_loaded(self):
        self.recipes("warehouse-loaded")
        text = self.run_recipe("warehouse-loaded dataset/lusa-scores 2026-11-22", "loaded into").wait("Done")
        self.assertIn("loaded_at 2026-11-22T05:12:09.500Z, row_count 48211093", text)
        text = self.run_recipe("warehouse-loaded dataset/lusa-scores 2026-11-23", "2026-11-23").wait("Done")
        self.assertIn("That is *not yet*, or another name", text)

    # --- before a stack is torn down ------------------------------------------------------------------------------------------------
    def test_teardown_checks(self):
        self.recipes("teardown-checks")
        text = self.run_recipe("teardown-checks blue-41", "`blue-41`").wait("Done")
        self.assertEqual((text.count(":white_check_mark: No"), "NOT" in text), (2, False), text)
        self.assertIn("`wendy` instances in sa-east-1: 1.", text)
        text = self.run_recipe("teardown-checks green-40", "`green-40`").wait("Done")
        self.assertIn("tapir-consumer global PARTITION-TO-SERVE: 15230", text)
        self.assertEqual(text.count("NOT CLEAR"), 3, text)
        text = self.run_recipe("teardown-checks blue-14", "`blue-14`").wait("Done")  # misspelt: nothing may look clear
        self.assertEqual((text.count("NOT VERIFIED"), "white_check_mark: No" in text, "Internal lag of riverbend: 0" in text),
                         (4, False, False), text)

    def test_teardown_checks_with_a_silent_store(self):
        state = self.world.http.request("GET", "/_world/state")
        state["prometheus"]["config"]["warning"] = "store-3 did not answer"
        self.world.http.request("POST", "/_world/load", body=state)
        self.recipes("teardown-checks")
        text = self.run_recipe("teardown-checks blue-41", "`blue-41`").wait("Done")
        self.assertIn("NOT VERIFIED: lags. store-3 did not answer", text)
        self.assertNotIn("No lag of 1,000", text)

    # --- datasets -------------------------------------------------------------------------------------------------------------------
    def test_what_failed(self):
        self.recipes("why", "critical", "model-failed", "successors", "commit-empty", "dag-state", "restart-task", "dataset-failed",
                     "skip-upstream", "deploy-after-run")  # those that it offers, and what they offer
        text = self.run_recipe("why " + TRANSACTION, "Why is it not done").wait("Done")
        self.assertIn("*The model failed*, its dataset is there or it has none: lusa", text)
        self.assertIn("is still *running*, so only what belongs to its failed tasks is named", text)
        self.assertNotIn("fx-rates", text, "not committed either, and no task of it has failed")
        self.assertIn("itaipu-other-flaky-datasets. A node that computes many datasets says in its log which one it was.", text)
        card = self.card("Why is it not done")
        card.click("Run the others without lusa", ANA)
        self.slack.wait(channel=card.channel, thread_ts=card.ts, contains="`lusa` (*failed*) holds up nothing", alive=self.alive())

    def test_databricks_path(self):
        self.recipes("databricks-path")
        text = self.run_recipe("databricks-path dataset/lusa-scores " + TRANSACTION, "Databricks").wait("Done")
        self.assertIn('val x = spark.read.parquet("dbfs:/mnt/nu-spark-metapod/1415b1e1-6fc2-535e-afef-49e760d57e42")', text)

    def test_retract_manual_append(self):
        self.recipes("retract-manual-append")
        card = self.run_recipe(f"retract-manual-append {APPEND} series/direct-mail ann transaction={APPENDED_TO}", APPEND)
        card.wait("4 committed raw datasets")
        self.type(card, "Approve", BEN, APPEND)
        text = card.wait("*Done*", seconds=60)
        self.assertIn("Raw datasets: 4 retracted, 0 failed; still committed: –", text)
        self.assertIn("Retracted and verified", text)
        applied = {e["id"]: (e["applied"], e["endpoint"]) for e in self.world.counts()["effects"]}
        self.assertEqual(len(applied), 5)
        self.assertEqual({n for n, _ in applied.values()}, {1})
        self.assertEqual(applied[APPEND][1], "metapod retract/dataset-series/dataset")
        self.assert_audited()

    # --- archives: nothing can be read back, and two must agree where much goes ------------------------------------------------------

    def test_delete_resource(self):
        self.recipes("delete-resource")
        card = self.run_recipe(f"delete-resource {RESOURCE} br", RESOURCE)
        card.wait("Exactly this will be sent")
        self.type(card, "Approve", BEN, RESOURCE)
        text = card.wait("*Done*")
        self.assertIn("Not verified: look in the GUI", text)
        self.assertEqual(self.archives(), [("series/direct-mail", "713a"), ("series/direct-mail-2", "3197"), ("series/fx-quotes", "3197")])
        self.assert_audited()

    def test_delete_resource_when_nobody_knows(self):
        self.world.fault("apply-drop", prefix=MIGRATIONS, times=1)
        self.recipes("delete-resource")
        card = self.run_recipe(f"delete-resource {RESOURCE} br", RESOURCE)
        card.wait("Exactly this will be sent")
        self.type(card, "Approve", BEN, RESOURCE)
        card.wait("Did it happen?")
        self.assertEqual(self.posts(), 1)
        card.click("It happened", BEN)
        card.wait("*Done*")
        self.assertEqual(self.posts(), 1, "never a second time by itself")

    def test_delete_series_archives(self):
        self.recipes("delete-series-archives")
        # Acceptance: an empty series is refused before any request is made. What is missing is asked for in a form, which does not
        # take it either.
        self.slack.slash(f"delete-series-archives {TRANSACTION} series/ br")
        self.whisper(ANA, 'series can not be "series/" (the series, like series/direct-mail)')
        for words in (f"{TRANSACTION} series='' country=br", f"{TRANSACTION} country=br"):
            self.slack.slash("delete-series-archives " + words)
            self.slack.wait(view=1, user=ANA, contains="series")
            for value in ("series/", "dataset/x"):
                self.slack.post("submit_view", user=ANA, values={"series": value}, force=True)
                self.assertIn("series", self.slack.wait(view=1, user=ANA, contains="series")["view_errors"])
            self.slack.post("close_view", user=ANA)
        self.assertEqual(self.posts(), 0, "refused before any request is made")
        card = self.run_recipe(f"delete-series-archives {TRANSACTION} series/direct-mail br", "series/direct-mail")
        card.wait("Exactly this will be sent")
        self.type(card, "Approve", BEN, "series/direct-mail")
        card.wait("*Done*")
        self.assertEqual(self.archives(), [("series/direct-mail", "713a"), ("series/direct-mail-2", "3197"), ("series/fx-quotes", "3197")])

    def test_delete_transaction_archives(self):
        self.recipes("delete-transaction-archives")
        card = self.run_recipe(f"delete-transaction-archives {TRANSACTION} br why=broken", "ALL archives")
        card.wait("Pause cutia first")
        self.evidence(card, ANA, "paused by Camila")
        card.wait("Exactly this will be sent")
        self.type(card, "Approve", BEN, TRANSACTION)
        card.wait("1 of 2")
        self.assertEqual(self.posts(), 0, "one approver can not pass it")
        self.type(card, "Approve", CAMILA, TRANSACTION)
        text = card.wait("*Done*")
        self.assertIn("put the good ones back", text)
        self.assertEqual((self.archives(), self.posts()), ([("series/direct-mail", "713a")], 1))
        self.assert_audited()

    def test_delete_series(self):
        self.recipes("delete-series")
        self.bot.edit_recipe("delete-series", ('every = "1m"; within = "2h"', 'every = "250ms"; within = "1m"'))
        self.bot.stop()
        self.bot.start()
        card = self.run_recipe("delete-series series/direct-mail br why=ticket", "series/direct-mail")
        card.wait("Mordor shows 2 resources")
        self.type(card, "Approve", BEN, "series/direct-mail")
        card.wait("1 of 2")
        self.assertEqual(self.posts(), 0, "one approver can not pass it")
        self.type(card, "Approve", CAMILA, "series/direct-mail")
        text = card.wait("*Done*")
        self.assertIn("Deleted and verified", text)
        self.assertEqual((self.archives(), self.posts()), ([("series/direct-mail-2", "3197"), ("series/fx-quotes", "3197")], 1))
        text = self.run_recipe("delete-series series/direct-mail br why=again", "why `again`").wait("Stopped")
        self.assertIn("check the name", text)

    # --- dead letters -----------------------------------------------------------------------------------------------------------------
    LETTERS = "tapir topic=PARTITION-TO-SERVE prototype=global"

    def test_replay_and_discard(self):
        self.recipes("deadletters", "replay-deadletters", "discard-deadletters")
        for recipe in ("replay-deadletters", "discard-deadletters"):
            self.bot.edit_recipe(recipe, (r'every = "[0-9]+[sm]"; within = "10?m"' if "replay" in recipe else r'every = "5s"; within = "2m"',
                                          'every = "250ms"; within = "1s"'))
        self.bot.stop()
        self.bot.start()
        text = self.run_recipe("deadletters " + self.LETTERS, "Dead letters of").wait("Done")
        self.assertIn("12 × ProvisionedThroughputExceededException while serving customer [e-mail]", text)
        self.assertNotIn("ana.souza", self.slack.everything() + str(self.run_events()))

        card = self.run_recipe("replay-deadletters " + self.LETTERS, "Replay a group of dead letters")
        card.wait("Which group")
        self.choose(card, ANA, "12 × ProvisionedThroughputExceededException while serving customer [e-mail]")
        card.wait("Replay *12 dead letters*")
        self.type(card, "Approve", BEN, "12")
        text = card.wait("*Done*")
        self.assertIn("Replayed and verified", text)
        groups = {g["id"]: g["count"] for g in self.world.http.request("GET", "/_world/state/mortician/groups")}
        self.assertEqual(groups, {"9b1d": 0, "c07e": 3, "44aa": 1})

        card = self.run_recipe("discard-deadletters " + self.LETTERS, "Discard a group of dead letters")
        card.wait("Which group")
        self.choose(card, ANA, "3 × NullPointerException at tapir.serve")
        card.wait("Discard *3 dead letters*")
        self.type(card, "Approve", BEN, "3")
        self.assertIn("Discarded and verified", card.wait("*Done*"))
        self.assertEqual(sorted((e["endpoint"], e["id"], e["applied"]) for e in self.world.counts()["effects"]),
                         [("mortician discard", "c07e", 1), ("mortician replay", "9b1d", 1)])
        self.assert_audited()

    def test_deadletters_without_an_endpoint(self):
        self.bot.use_shipped("deadletters", "replay-deadletters", "discard-deadletters")
        with open(self.bot.config) as file:
            text = file.read()
        with open(self.bot.config, "w") as file:
            file.write(re.sub(r'list_path\s*=\s*"[^"]*";', "", text))
        self.bot.start()
        for recipe in ("deadletters", "replay-deadletters", "discard-deadletters"):
            text = self.run_recipe(f"{recipe} {self.LETTERS}", f"recipe `{recipe}`").wait("Stopped")
            self.assertIn("its page (https://backoffice.nubank.com.br/mortician-gui/)", text)
            self.assertIn("no list_path among its settings", text)
        self.assertEqual(self.world.counts()["effects"], [])


class ThroughNu(Tools):
    """Writes go through `nu ser curl`, as the cookbook does it; reads as before."""

    def setUp(self):
        super().setUp()
        self.nu = program("HM_NU", "tests/world/bin/nu")

    def use_nu(self, *recipes, names=None):
        state = self.world.http.request("GET", "/_world/state")
        state["metapod"]["config"]["bearer"] = None  # nu has a certificate, the bot a token
        state["programs"]["names"] = names or {}
        self.world.http.request("POST", "/_world/load", body=state)
        self.bot.use_shipped(*recipes)
        with open(self.bot.config) as file:
            text = file.read()
        how = (f'program = "{self.nu}"; env = {{ NU_WORLD = "{self.bot.folder}"; WORLD_URL = "{self.world.url}"; }};')
        text = re.sub(r'(metapod = \{ handler = "metapod";)', rf"\1 {how}", text)
        text = re.sub(r'ouroboros-br = \{ handler = "ouroboros"; url = "[^"]*";',
                      f'ouroboros-br = {{ handler = "ouroboros"; settings = {{ nu_env = "prod"; nu_country = "br"; }}; {how}', text)
        with open(self.bot.config, "w") as file:
            file.write(text)
        self.bot.start()

    def calls(self):
        path = os.path.join(self.bot.folder, "calls")
        if not os.path.exists(path):
            return []
        with open(path) as file:
            return [json.loads(line)["argv"][1:] for line in file]

    def retract_through_nu(self):
        card = self.retract(DATASET)
        card.wait("Exactly this will be sent")
        card.click("Approve", BEN)
        return card

    CURL = ["ser", "curl", "POST", "global", "metapod", "/api/migrations/retract/committed-dataset/" + DATASET, "--", "-w", "\\n%{http_code}\\n"]
    BUST = ["cache", "bust", "stack"]

    def test_retract(self):
        self.use_nu()
        card = self.retract(DATASET)
        text = card.wait("Exactly this will be sent")
        self.assertIn(f"{self.nu} ser curl POST global metapod", text)
        self.assertIn(f"Only if it can not resolve a host's name: {self.nu} cache bust stack", text)
        card.click("Approve", BEN)
        self.assertIn("Retracted and verified", card.wait("*Done*"))
        self.assertEqual(self.calls(), [self.CURL])

    def test_which_backends_may_have_a_program(self):
        for backend, found in (('ouroboros = { handler = "ouroboros"; program = "/usr/bin/nu"; };', None),
                               ('m = { handler = "metapod"; program = "/usr/bin/nu"; };', '"url" is missing in backends.m'),
                               ('s = { handler = "splunk"; url = "https://s.example.com"; program = "/usr/bin/nu"; };', 'unknown key "program"'),
                               ('o = { handler = "ouroboros"; url = "https://o.example.com"; env = { A = "b"; }; };', 'unknown key "env"')):
            self.bot.write_config()
            with open(self.bot.config) as file:
                text = file.read()
            with open(self.bot.config, "w") as file:
                file.write(text.replace("backends = {", "backends = { " + backend, 1))
            done = subprocess.run([bot_program(), "check", "--config", self.bot.config], capture_output=True, text=True,
                                  env=self.bot.environment(), timeout=60)
            self.assertEqual((done.returncode, (found or "") in done.stderr), (1 if found else 0, True), done.stderr)

    def test_a_name_that_is_resolved_after_the_cache_is_busted(self):
        self.use_nu(names={"stale": True})
        card = self.retract_through_nu()
        self.assertIn("Retracted and verified", card.wait("*Done*"))
        self.assertEqual(self.calls(), [self.CURL, self.BUST, self.CURL])
        self.assertEqual([(e["endpoint"], e["applied"]) for e in self.world.counts()["effects"]],
                         [("nu cache bust", 1), ("metapod retract/committed-dataset", 1)])
        self.assert_audited()

    def test_a_name_that_is_never_resolved(self):
        self.use_nu(names={"stale": True, "for_good": True})
        text = self.retract_through_nu().wait("*Failed*")
        self.assertIn("nu could not resolve the host of Metapod, nor after one", text)
        self.assertIn("nothing was sent", text)
        self.assertEqual(self.calls(), [self.CURL, self.BUST, self.CURL], "exactly one bust, one retry")

    def test_it_is_killed_meanwhile(self):
        gate = os.path.join(self.bot.folder, "gate")
        os.mkfifo(gate)
        with open(os.path.join(self.bot.folder, "do"), "w") as file:
            file.write("wait\nhang\n")
        self.use_nu()
        card = self.retract_through_nu()
        deadline = Deadline()
        while True:  # at the gate it knows what to do, and asks the world for nothing
            try:
                os.close(os.open(gate, os.O_WRONLY | os.O_NONBLOCK))
                break
            except OSError:
                self.assertFalse(deadline.over(), "nu was not run")
                self.bot.child._pause()
        self.bot.kill()
        os.unlink(os.path.join(self.bot.folder, "do"))
        self.bot.start()
        self.assertIn("Retracted and verified", card.wait("*Done*", seconds=60))  # looked first, then run once more
        self.assertEqual(self.calls(), [self.CURL, self.CURL])

    def test_archives(self):
        self.use_nu("delete-series-archives", names={"stale": True})
        card = self.run_recipe(f"delete-series-archives {TRANSACTION} series/direct-mail br", "series/direct-mail")
        card.wait("Exactly this will be sent")
        self.type(card, "Approve", BEN, "series/direct-mail")
        card.wait("*Done*")
        body = '-d{"series-name":"series/direct-mail","transaction-id":"%s"}' % TRANSACTION
        curl = ["ser", "curl", "POST", "--env", "prod", "--country", "br", "global", "ouroboros",
                "/api/admin/migrations/delete-transaction-archives", body, "--", "-w", "\\n%{http_code}\\n"]
        self.assertEqual(self.calls(), [curl, self.BUST, curl])
        self.assertEqual(self.archives(), [("series/direct-mail", "713a"), ("series/direct-mail-2", "3197"), ("series/fx-quotes", "3197")])


if __name__ == "__main__":
    main()
