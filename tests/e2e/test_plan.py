"""`hausmeister plan`: reads are real, effects are shown exactly as they would be sent, and none ever leaves: whatever recipe, whatever
parameters. The seed is fixed (HM_SEED another); a failure prints the command."""
import glob
import json
import os
import random
import re
import subprocess
import unittest

from shipped import make_checkout
from harness import (BEN, COMMITTED_2, DATASET, TOP, TRANSACTION, UNCOMMITTED, UNCOMMITTED_NAME, UNKNOWN, Case, bot_program, main)

SEED = int(os.environ.get("HM_SEED", "7"))
PER_RECIPE = 60 if os.environ.get("HM_LONG") else 6
SHIPPED = sorted(os.path.basename(p)[:-4] for p in glob.glob(os.path.join(TOP, "config", "recipes", "*.cfg")))
# Requests that change nothing; a system that reads with POST has a line here.
READS = re.compile("|".join((
    r"^GET ",
    r"^HEAD ",
    r"^POST /metapod/api/graphql$",
    r"^POST /splunk/services/search/",
    r"^POST /bigquery/projects/[^/]+/queries$",
    r"^POST /prometheus/api/v1/query$",
    r"^POST /(ec2|cloudwatch|dynamodb)/$",  # what DynamoDB changed is among the effects
    r"^POST /oauth/",
    r"^POST /aurora/apibeta/get",
    r"^POST /programs/",  # what a program changed is among the effects, too
)))
# Waits for the end of a run, in a plan too, and has no gate to get to.
PATIENT = {"deploy-after-run"}
# What random words would never hit: good values for params of these names.
HINTS = {
    "series": ["series/direct-mail"],
    "country": ["br"],
    "topic": ["PARTITION-TO-SERVE"],
    "model": ["sorting-hat"],
    "stack": ["blue-41", "green-40", "blue-14"],
    "task": ["fx-model", "lusa", "mx-fx-model"],
    "downscale": ["downscale-ec2-lusa"],
    "job": ["itaipu-contracts", "fx-model"],
    "environment": ["cantareira", "foz"],
    "service": ["tapir", "metapod", "analytics"],
    "prototype": ["s3", "global"],
    "env": ["prod"],
}

# And words that lead to the gate: every recipe that has one needs its own, for chance is not enough.
TO_THE_GATE = {
    "commit-empty": ["dataset/savings-balances", TRANSACTION],
    "dag-errors": ["cantareira", TRANSACTION],
    "delete-resource": ["0c8f7f0a-5b5e-4b7e-9d0c-1f2e3d4c5b6a", "br"],
    "delete-series": ["series/direct-mail", "br", "why=gone"],
    "delete-series-archives": [TRANSACTION, "series/direct-mail", "br"],
    "delete-transaction-archives": [TRANSACTION, "br", "why=wrong"],
    "discard-deadletters": ["tapir", "topic=PARTITION-TO-SERVE", "prototype=global"],
    "hotfix": ["1603"],
    "itaipu-longer-healthcheck": [UNCOMMITTED_NAME, "phillip", "40", "cantareira", "itaipu=c8574a9",
                                  f"transaction={TRANSACTION}"],
    "itaipu-more-memory": [UNCOMMITTED_NAME, "phillip", "40", "m4.2xlarge", "r4.2xlarge", "cantareira",
                           "itaipu=c8574a9", f"transaction={TRANSACTION}"],
    "job-create": ["scale", "cantareira"],
    "job-kill": ["itaipu-contracts", "cantareira"],
    "job-restart": ["fx-model", "cantareira"],
    "replay-deadletters": ["tapir", "topic=PARTITION-TO-SERVE", "prototype=global"],
    "restart-airflow": ["cantareira", "x"],
    "restart-aurora": ["cantareira"],
    "retract": [DATASET],
    "retract-all": ["f7832a01-001b-56f7-a4fe-b3a417f8f654"],
    "retract-attribute": [DATASET],
    "retract-indexed-attribute": [DATASET],
    "retract-manual-append": ["5d94b837-c31e-4109-ac73-b904bbc7bf17", "series/direct-mail", "ann",
                              "transaction=713a86b9-4459-5167-8573-ca1ad17746c0"],
    "retract-series-dataset": [DATASET],
    "rollback-service": ["metapod"],
    "serve-again": ["lusa-scores", "asked-by=credit", "cantareira", "transaction=f7832a01-001b-56f7-a4fe-b3a417f8f654", "itaipu=c8574a9",
                    "target-date=2026-11-21", "reference-date=2026-11-21"],
    "dag-redeploy": ["itaipu-contracts", "902", "cantareira", "deployed=901"],
    "fresh-run": ["cantareira", TRANSACTION, "why=dates"],
    "keep-machines": ["lusa", "downscale-ec2-lusa", "cantareira"],
    "restart-task": ["lusa", "cantareira"],
    "skip-upstream": ["fx-model", "cantareira"],
    "datomic-capacity": ["analytics", "s3"],
    "renew-certificate": ["2020-05-01 18:52:43+00:00"],
    "rollback-service-gocd": ["metapod-deploy", "812"],
}

# Ungated effects: only the choke point stands between these and the world.
LOOSE = '''
name = "loose"; title = "Effects without a gate"; doc = "none"; who = [ "hausmeister" ]; timeout = "30m";
ungated = "to be refused";
params = ( {{ name = "id"; type = "uuid"; help = "a dataset"; }}, {{ name = "only"; type = "string"; help = "where"; default = "x"; }} );
steps = (
  {{ id = "find"; do = "metapod.dataset"; with = {{ id = "${{id}}"; transaction = "{transaction}"; }}; on_not_found = "continue"; }},
  {steps}
);
'''
EFFECTS = {
    "idempotent": '{ id = "go"; do = "metapod.retract-dataset"; with = { id = "${id}"; }; },',
    "once": '{ id = "go"; do = "metapod.retract-attribute"; with = { id = "${id}"; }; },',
    "stricter": '{ id = "go"; do = "metapod.retract-dataset"; effect = "once"; with = { id = "${id}"; }; },',
    "each": '{ id = "all"; do = "metapod.datasets"; with = { transaction = "%s"; committed = "yes"; }; }, '
            '{ id = "go"; foreach = "all.list"; as = "d"; parallel = 4; do = "metapod.retract-dataset"; '
            'with = { id = "${d.id}"; }; },' % TRANSACTION,
    "program": '{ id = "go"; do = "nu.cache-bust-stack"; },',
    "program-once": '{ id = "go"; do = "nu.ser-cycle"; with = { service = "${only}"; env = "e"; suffix = "s"; region = "r"; }; },',
    "read-called-effect": '{ id = "go"; do = "metapod.committed-count"; effect = "once"; with = { transaction = "%s"; }; },'
                          % TRANSACTION,
}


class Plan(Case):
    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)
        self.called = os.path.join(self.bot.folder, "calls")
        self.bot.use_shipped(*SHIPPED)
        make_checkout(self.bot.folder)

    def assert_nothing_happened(self, words):
        counts = self.world.counts()
        writes = [key for key in counts["requests"] if not READS.match(key)]
        self.assertEqual((writes, counts["effects"]), ([], []), f"seed {SEED}: plan {words}")
        self.assertFalse(os.path.exists(self.bot.journal))

    def plan(self, *words):
        """The plan, or None when it refuses to make one. Whatever it says, it must not crash and nothing may have happened."""
        done = subprocess.run([bot_program(), "plan", "--config", self.bot.config, "--json", "--", *words], capture_output=True,
                              text=True, env=self.bot.environment(), timeout=120)
        self.assertIn(done.returncode, (0, 1), f"seed {SEED}: plan {words}: {done.stderr}")
        self.said = done.stderr
        self.assert_nothing_happened(words)
        return json.loads(done.stdout) if done.stdout.strip() else None

    # --- random words --------------------------------------------------------------------------------------------------------------
    def value(self, kind):
        r = self.random
        ids = [DATASET, COMMITTED_2, UNCOMMITTED, UNKNOWN, TRANSACTION]
        right = {"uuid": lambda: r.choice(ids), "int": lambda: str(r.randint(-5, 5000)), "bool": lambda: r.choice(["true", "false"]),
                 "date": lambda: f"2026-{r.randint(1, 12):02}-{r.randint(1, 28):02}",
                 "dataset": lambda: r.choice(["series/direct-mail", "dataset/x", "archive/y-z"]),
                 "regex": lambda: r.choice([".*", "dataset/.*", "^$"])}
        wrong = ["", "x", "\u202e", "'; DROP", "../..", "${id}", "-1", "0" * 300, "a b", "&amp;", "é\n", "null", "[]", "--json"]
        if kind in right and r.random() < 0.8:
            return right[kind]()
        return r.choice(wrong + ids)

    def words_for(self, params):
        words = []
        for name, kind, required in params:
            if required or self.random.random() < 0.5:
                hints = HINTS.get(name, [])
                value = self.random.choice(hints) if hints and self.random.random() < 0.8 else self.value(kind)
                words.append(f"{name}={value}" if self.random.random() < 0.5 else value)
        if self.random.random() < 0.1:
            words.append(self.value("string"))
        return words

    def test_every_shipped_recipe(self):
        self.assertGreaterEqual(len(SHIPPED), 4)
        gated = []
        for recipe in sorted(set(SHIPPED) - PATIENT):
            with open(os.path.join(TOP, "config", "recipes", recipe + ".cfg")) as file:
                text = file.read()
            gated += [recipe] if "approve =" in text else []
            params = [(m[1], m[2], "optional" not in m[3] and "default" not in m[3]) for m in
                      re.finditer(r'\{\s*name = "([a-z-_]+)"; type = "([a-z]+)";([^}]*)\}', text)]
            self.assertTrue(params or "params =" not in text, recipe)
            wanted = TO_THE_GATE.get(recipe, [])
            for words in [wanted] + [self.words_for(params) for _ in range(PER_RECIPE)]:
                plan = self.plan(recipe, *words)
                if plan and plan["status"] == "at-gate":
                    self.assertTrue(plan["gate"]["requests"])
                # A plan ends where a person is asked first.
                if words is wanted and recipe in gated:
                    self.assertIn(plan and plan["status"], ("at-gate", "at-question"), f"{recipe} {words}: {self.said}")

    # --- the choke point alone ------------------------------------------------------------------------------------------------------
    def test_effects_without_a_gate_are_refused(self):
        for name, steps in EFFECTS.items():
            with self.subTest(name):
                self.bot.add_recipe("loose", LOOSE.format(steps=steps.rstrip(','), transaction=TRANSACTION))
                plan = self.plan("loose", DATASET)
                self.assertIsNotNone(plan, self.said)
                self.assertEqual(plan["status"], "at-effect", plan)
                self.assertEqual(len(plan["effects"]), 4 if name == "each" else 1)
                kind = "argv" if name.startswith("program") else "http"
                self.assertEqual({e["kind"] for e in plan["effects"]}, {kind})
                self.assertFalse(os.path.exists(self.called), "a program was run")
        self.assertGreater(self.world.posts("/graphql"), 0, "reads are real")

    def test_effects_while_the_world_misbehaves(self):
        for what in ("status", "drop", "garbage", "html"):
            for name in ("idempotent", "once", "each"):
                with self.subTest(f"{what} {name}"):
                    self.bot.add_recipe("loose", LOOSE.format(steps=EFFECTS[name].rstrip(','), transaction=TRANSACTION))
                    self.world.fault(what, prefix="/metapod/api/graphql", times=1)
                    self.plan("loose", DATASET)
                    self.world.mend()

    # --- exactly as it would be sent --------------------------------------------------------------------------------------------------
    def test_what_is_shown_is_what_is_sent(self):
        plan = self.plan("retract", DATASET)
        text, _ = self.bot.cli("plan", "retract", DATASET)
        shown, = plan["gate"]["requests"]
        self.assertIn(f"{shown['request']['method']} {shown['request']['url']}", text)
        self.bot.start()
        card = self.retract(DATASET)
        self.world.http.request("DELETE", "/_world/log")
        card.click("Approve", BEN)
        card.wait("Done")
        started = next(e for e in self.run_events() if e["type"] == "call.started" and e["data"]["step"] == "retract")
        self.assertEqual(started["data"]["request"], shown["request"])
        self.assertEqual(started["data"]["digest"], shown["digest"])
        opened = next(e for e in self.run_events() if e["type"] == "gate.opened")
        self.assertEqual(opened["data"]["digest"], plan["gate"]["digest"])
        arrived = next(r for r in self.world.http.request("GET", "/_world/log")["requests"] if "/retract/" in r["path"])
        self.assertEqual((arrived["method"], self.world.url + arrived["path"], arrived["body"]),
                         (shown["request"]["method"], shown["request"]["url"], shown["request"]["body"]))

    def test_a_long_plan_is_printed_whole(self):
        self.bot.add_recipe("many", '''
name = "many"; title = "Many"; doc = "none"; who = [ "hausmeister" ]; timeout = "30m";
params = ( { name = "transaction"; type = "uuid"; help = "where"; } );
steps = (
  { id = "list"; do = "metapod.datasets"; with = { transaction = "${transaction}"; committed = "yes"; }; },
  { id = "gate"; approve = "Retract ${count(list.list)}?"; by = [ "hausmeister" ]; need = 1; expires = "15m"; },
  { id = "go"; foreach = "list.list"; as = "d"; do = "metapod.retract-dataset"; with = { id = "${d.id}"; }; }
);''')
        state = self.world.http.request("GET", "/_world/state")
        state["metapod"]["transactions"].append({"id": UNKNOWN, "startedAt": "2026-11-22T01:00:03Z", "datasets": [],
                                                 "generate": {"count": 318, "prefix": "dataset/", "committed": True}})
        self.world.http.request("POST", "/_world/load", state)
        plan = self.plan("many", UNKNOWN)
        self.assertEqual(plan["gate"]["count"], 318)
        self.assertEqual(len({r["request"]["url"] for r in plan["gate"]["requests"]}), 318)
        text, _ = self.bot.cli("plan", "many", UNKNOWN)
        self.assertEqual(text.count("POST http"), 318)
        self.assertIn("318 requests in all; none was sent", text)


if __name__ == "__main__":
    main()
