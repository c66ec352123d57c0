"""Files under the card: the whole plan when it is too long for the card, and what failed when it is much."""
import re

from harness import ANA, BEN, OPS, Case, main, quiet_world

BULK = "f7832a01-001b-56f7-a4fe-b3a417f8f654"
ITEMS = 318


class Files(Case):
    world_state = staticmethod(quiet_world)

    def setUp(self):
        super().setUp()
        self.bot.use_shipped("retract-all", "job-kill")

    def begin(self):
        self.bot.start()
        self.slack.slash(f"retract-all {BULK}")
        card = self.card("Retract every")
        card.wait_button("Done")
        card.click("Done", ANA)
        self.slack.wait(view=1, user=ANA, contains="What shows")
        self.slack.post("submit_view", user=ANA, values={"evidence": "nothing of it is served"})
        card.wait_button("Approve")
        return card

    def file(self, card, name):
        """Waits for the file under the card; its text."""
        comment = "Every request of the plan" if "plan" in name else "Every item of"
        self.slack.wait(channel=OPS, thread_ts=card.ts, contains=comment, alive=self.alive())
        for message in self.slack.get("thread", channel=OPS, ts=card.ts)["messages"]:
            for file in message.get("files", []):
                if name in file["name"]:
                    return self.slack.http.request("GET", "/_sim/file", query={"id": file["id"]}, raw=True)[1]
        raise AssertionError(f"no file {name}: {self.slack.everything()}")

    def files(self, card):
        return [f["name"] for m in self.slack.get("thread", channel=OPS, ts=card.ts)["messages"] for f in m.get("files", [])]

    def test_the_plan_of_318_requests(self):
        card = self.begin()
        self.assertIn("the file under this card has every one", card.text())
        text = self.file(card, "-plan.txt")
        posts = re.findall(r"^POST \S+/committed-dataset/(\S+)$", text, re.M)
        self.assertEqual((len(posts), len(set(posts))), (ITEMS, ITEMS))
        self.assertIn(f"{ITEMS} requests: exactly these are sent", text)
        self.assertIn(re.search(r"plan `(\w+)`", card.text())[1], text)
        self.assertNotIn("metapod-secret", text)

        # There once, whatever dies afterwards.
        self.slack.wait(idle_ms=300)
        self.bot.kill()
        self.bot.start()
        self.slack.wait(idle_ms=500)
        self.assertEqual(len(self.files(card)), 1)

    def test_slack_is_away_for_a_while(self):
        self.slack.post("nasty", api={"files.getUploadURLExternal": {"n": 1, "error": "service_unavailable"},
                                      "upload": {"n": 1, "status": 503}})
        card = self.begin()
        self.assertIn("requests: exactly these", self.file(card, "-plan.txt"))
        self.slack.wait(idle_ms=300)
        self.assertEqual(len(self.files(card)), 1)

    def test_what_failed(self):
        card = self.begin()
        self.world.fault("status", prefix="/metapod/api/migrations", status=400, times="always")
        card.click("Approve", BEN)
        self.slack.wait(view=1, user=BEN)
        self.slack.post("submit_view", user=BEN, values={"typed": str(ITEMS)})
        card.wait("failures", seconds=120)
        text = self.file(card, "-failed.txt")
        self.assertEqual(len(re.findall(r" failed", text)), ITEMS)

    def test_what_failed_comes_after_the_card(self):
        """Slack shows the end, and the bot has done with the card, before Slack takes the file; and at first it does not."""
        card = self.begin()
        self.file(card, "-plan.txt")
        self.world.fault("status", prefix="/metapod/api/migrations", status=400, times="always")
        self.slack.post("nasty", api={"upload": {"n": 1, "slow_ms": 2000, "status": 503}})
        card.click("Approve", BEN)
        self.slack.wait(view=1, user=BEN)
        self.slack.post("submit_view", user=BEN, values={"typed": str(ITEMS)})
        card.wait("failures", seconds=120)
        self.assertEqual(len(re.findall(r" failed", self.file(card, "-failed.txt"))), ITEMS)

    def test_what_failed_comes_after_a_restart(self):
        card = self.begin()
        self.file(card, "-plan.txt")
        self.world.fault("status", prefix="/metapod/api/migrations", status=400, times="always")
        self.slack.post("nasty", api={"files.getUploadURLExternal": {"hang": True}})
        card.click("Approve", BEN)
        self.slack.wait(view=1, user=BEN)
        self.slack.post("submit_view", user=BEN, values={"typed": str(ITEMS)})
        card.wait("failures", seconds=120)
        self.slack.wait(channel=OPS, ts=card.ts, contains="Retry failed only")
        self.slack.wait(idle_ms=500)
        self.bot.kill()
        self.slack.post("nasty", api={"files.getUploadURLExternal": None})
        self.bot.start()
        self.assertEqual(len(re.findall(r" failed", self.file(card, "-failed.txt"))), ITEMS)


if __name__ == "__main__":
    main()
