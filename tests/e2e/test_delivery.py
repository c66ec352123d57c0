"""Deploys: rolling services back in Kubernetes and in GoCD, and hot-fixes; from the command to the end, with what the world was told."""
import unittest

from harness import ANA, BEN, Case, main

PATCH = "/kubernetes/apis/apps/v1/namespaces/prod/deployments/prod-global-red-metapod-deployment"
RUN = "/gocd/api/stages/metapod-deploy/812/rollback/run"
PUBLISH = "/gocd/api/stages/dagao/902/publish/run"


class Delivery(Case):
    def setUp(self):
        super().setUp()
        self.bot.use_shipped("rollback-service", "rollback-service-gocd", "hotfix")

    def state(self, system, **config):
        """Changes a system's configuration in the world, before the bot starts."""
        state = self.world.http.request("GET", "/_world/state")
        state[system]["config"].update(config)
        self.world.http.request("POST", "/_world/load", state)

    def sent(self, method, path):
        return sum(n for key, n in self.world.counts()["requests"].items() if key == f"{method} {path}")

    def deployment(self):
        return next(d for d in self.world.http.request("GET", "/_world/state/kubernetes/deployments") if "metapod" in d["name"])

    def start(self, words, contains):
        self.bot.start()
        self.slack.slash(words)
        return self.card(contains)

    def choose(self, card, label):
        card.click("Choose", ANA)
        view = self.slack.wait(view=1, user=ANA, contains="Which deployment")["view"]
        option = next(o for o in options(view) if label in o["text"]["text"])
        self.slack.post("submit_view", user=ANA, values={"choice": option["value"]})

    def test_a_service_goes_back(self):
        self.state("kubernetes", reads_until_done=0)
        card = self.start("rollback-service metapod", "Which deployment of")
        self.choose(card, "prod-global-red-metapod-deployment")
        text = card.wait("Exactly this will be sent")
        self.assertIn("PATCH", text)
        self.assertIn("metapod:0a1b2c3", text)
        self.assertIn("metapod:9f1c2d3", text)
        card.click("Approve", BEN)
        end = card.wait("*Done*")
        self.assertIn("runs `registry.example.com/metapod:0a1b2c3` on all its pods", end)
        self.assertEqual(self.sent("PATCH", PATCH), 1)
        self.assertEqual((self.deployment()["revision"], self.deployment()["generation"]), (8, 13))

    def test_the_reply_of_the_patch_is_lost(self):
        self.state("kubernetes", reads_until_done=0)
        self.world.fault("apply-drop", prefix=PATCH, method="PATCH")
        card = self.start("rollback-service metapod", "Which deployment of")
        self.choose(card, "prod-global-red-metapod-deployment")
        card.click("Approve", BEN)
        card.wait("*Done*")
        self.assertEqual(self.sent("PATCH", PATCH), 1)

    def test_somebody_deployed_meanwhile(self):
        card = self.start("rollback-service metapod", "Which deployment of")
        self.choose(card, "prod-global-red-metapod-deployment")
        card.wait_button("Approve")
        state = self.world.http.request("GET", "/_world/state")
        deployment = next(d for d in state["kubernetes"]["deployments"] if "metapod" in d["name"])
        deployment["generation"] += 1
        self.world.http.request("POST", "/_world/load", state)
        card.click("Approve", BEN)
        self.assertIn("not as it was when it was read", card.wait("Nothing was changed"))
        self.assertEqual(self.deployment()["revision"], 7)

    def test_a_paused_deployment(self):
        card = self.start("rollback-service correnteza", "Which deployment of")
        self.choose(card, "correnteza")
        self.assertIn("is paused", card.wait("Nothing was sent"))
        self.assertEqual(self.world.counts()["effects"], [])

    def test_an_unknown_service(self):
        self.bot.start()
        self.slack.slash("rollback-service metapot")
        self.whisper(ANA, 'service must be one of metapod, correnteza, as kubernetes.deployments lists them; "metapot" is not; '
                          'did you mean "metapod"?')
        self.assertEqual(self.bot.runs(), [])

        # The list can not be read: the recipe itself finds out.
        self.world.fault("status", prefix="/kubernetes", method="GET", status=403, times=1)
        self.slack.slash("rollback-service metapot")
        self.assertIn("Check the name", self.card("No deployment in namespace").text())

    def test_a_pipeline_goes_back(self):
        self.state("gocd", reads_until_done=0)
        card = self.start("rollback-service-gocd metapod-deploy 812", "Exactly this will be sent")
        self.assertIn("Speed up retractions", card.text())
        card.click("Approve", ANA)
        self.whisper(ANA, "somebody else")
        card.click("Approve", BEN)
        card.wait("passed")
        card.wait("*Done*")
        self.assertEqual(self.sent("POST", RUN), 1)
        request = next(r for r in self.world.log() if r["path"] == RUN)
        self.assertIn("x-gocd-confirm: true", request["headers"])
        self.assertEqual(request["body"], "")

    def test_the_stage_could_not_be_started(self):
        self.world.fault("status", prefix=RUN, status=403, body='{"message": "not yours"}', content_type="application/json")
        card = self.start("rollback-service-gocd metapod-deploy 812", "Exactly this will be sent")
        card.click("Approve", BEN)
        self.assertIn("does not allow this", card.wait("what now"))

    def test_a_hot_fix(self):
        self.state("gocd", reads_until_done=0)
        card = self.start("hotfix 1603", "Exactly this will be sent")
        self.assertIn("Fix the FX model", card.text())
        self.assertIn("It is 18:05 UTC", card.text())
        card.click("Approve", BEN)
        card.wait_button("Done")
        self.assertEqual(self.sent("POST", PUBLISH), 1)
        card.click("Done", ANA)
        self.slack.wait(view=1, user=ANA, contains="Done")
        self.slack.post("submit_view", user=ANA, values={"evidence": "1610"})
        card.wait("*Done*")

    def test_a_hot_fix_at_five_past_eleven(self):
        self.state("github", date="Sat, 28 Nov 2026 23:05:10 GMT")
        card = self.start("hotfix 1604", "In 15 minutes, at 23:20 UTC")
        self.assertIn("is wiped and replaced by master", card.text())
        self.assertEqual(self.world.counts()["effects"], [])

    def test_a_hot_fix_after_the_refresh(self):
        state = self.world.http.request("GET", "/_world/state")
        state["github"]["config"]["date"] = "Sat, 28 Nov 2026 23:25:10 GMT"
        repo = state["github"]["repos"][0]
        repo["branches"] = {"release": repo["branches"]["master"], "master": repo["branches"]["master"],
                            "old": repo["branches"]["release"]}
        self.world.http.request("POST", "/_world/load", state)
        card = self.start("hotfix 1603", "wiped it at 23:20 UTC")
        self.assertEqual(self.sent("POST", PUBLISH), 0)
        self.assertIn("Nothing was sent", card.text())


def elements(view):
    for block in view["blocks"]:
        for element in [block.get("element"), block.get("accessory"), *block.get("elements", [])]:
            if isinstance(element, dict):
                yield element


def options(view):
    for element in elements(view):
        for option in element.get("options", []):
            yield option
        for group in element.get("option_groups", []):
            yield from group["options"]


if __name__ == "__main__":
    main()
