"""The story that everything else is a variation of: retract a dataset, asked for by one person, approved by another."""
import json
import unittest

from harness import ANA, BEN, DATASET, DATASET_NAME, OPS, TRANSACTION, Case, main


class Story(Case):
    def test_retract_from_the_command_to_the_verified_end(self):
        self.bot.start()
        card = self.retract(DATASET)

        # What will be sent is there before anybody is asked to agree.
        card.wait_button("Approve")
        shown = card.text()
        url = f"{self.world.url}/metapod/api/migrations/retract/committed-dataset/{DATASET}"
        for part in (DATASET_NAME, TRANSACTION, f"POST {url}", "Ana"):
            self.assertIn(part, shown)
        self.assertEqual(self.world.posts(), 0)

        # The requester does not count, and only he is told.
        before = len(self.slack.messages())
        card.click("Approve", ANA)
        self.whisper(ANA, "somebody else")
        self.assertEqual(len(self.slack.messages()), before, "an answer to a refused click is nobody else's business")
        self.assertIsNotNone(card.button("Approve"), "the gate is still open")
        self.assertEqual(self.world.posts(), 0)

        # Somebody else does.
        card.click("Approve", BEN)
        end = card.wait("Done")
        self.assertIn("Ben", end)
        self.assertRegex(end, r"\d\d:\d\d", "when it was approved")
        self.assertIn("schema", end)
        self.assertEqual(card.buttons(), {}, "buttons of a run that is over")

        # Once, and really.
        self.assertEqual(self.world.posts(), 1)
        self.assertEqual(self.world.applied(DATASET), 1)
        self.assertFalse(self.world.dataset(DATASET)["committed"])
        post = next(r for r in self.world.log() if r["method"] == "POST" and "/retract/" in r["path"])
        self.assertEqual(post["body"], "")
        after = [r for r in self.world.log() if r["time"] >= post["time"] and "/graphql" in r["path"]]
        self.assertTrue(after, "the end was verified by a query")

        self.agrees_with_the_journal(card)

    def agrees_with_the_journal(self, card):
        runs = self.bot.runs()
        self.assertEqual(len(runs), 1)
        run = runs[0]
        self.assertEqual((run["recipe"], run["requester"], run["going"]), ("retract", ANA, False))
        self.assertIn(run["run"], self.slack.thread_text(card.message))
        events = self.bot.events(run["run"])
        self.assertEqual([e["seq"] for e in events], list(range(1, run["events"] + 1)))
        types = [e["type"] for e in events]
        self.assertEqual(types[0], "run.started")
        self.assertEqual(types[-1], "run.finished")
        self.assertEqual(events[-1]["data"]["status"], "done")
        self.assertEqual([e["data"]["user"] for e in events if e["type"] == "gate.vote"], [BEN])
        planned = next(e for e in events if e["type"] == "gate.opened")["data"]["plan"]
        sent = [e for e in events if e["type"] == "call.started" and e["data"]["request"]["method"] == "POST"
                and "/retract/" in e["data"]["request"]["url"]]
        self.assertEqual([p["digest"] for p in planned], [e["data"]["digest"] for e in sent], "what was shown is what was sent")
        self.assertNotIn("metapod-secret", json.dumps(events))
        self.assert_audited()

    def test_the_requester_may_take_it_back(self):
        self.bot.start()
        card = self.retract(DATASET)
        card.reject(ANA)
        end = card.wait("Nothing was changed")
        self.assertIn("Ana", end)
        self.assertEqual(card.buttons(), {})
        self.assertEqual(self.world.posts(), 0)
        self.assertEqual(self.run_events()[-1]["data"]["status"], "rejected")

    def test_somebody_else_may_reject(self):
        self.bot.start()
        card = self.retract(DATASET)
        card.reject(BEN, "The wrong one: <!channel> look")
        end = card.wait("Nothing was changed")
        self.assertIn("Ben", end)
        self.assertIn("The wrong one: <!channel> look", end, "as text, which calls nobody")
        self.assertEqual(card.buttons(), {})
        self.assertEqual(self.world.posts(), 0)

    def test_two_runs_of_the_same_dataset_do_not_overlap(self):
        self.bot.start()
        card = self.retract(DATASET)
        card.wait_button("Approve")
        run = self.bot.runs()[0]["run"]
        self.slack.slash(f"retract {DATASET}", user=BEN)
        second = self.card(f"Waiting for* `{run}`")
        self.assertEqual([r["recipe"] for r in self.bot.runs()], ["retract", "retract"])
        card.click("Approve", BEN)
        card.wait("*Done*")
        self.assertIn("nothing to retract", second.wait("Stopped"), "the second one looks when its turn has come")
        self.assertEqual(self.world.posts(), 1)

    def test_a_second_story_follows_the_first(self):
        """Nothing of the first is left that would keep the second one back."""
        self.bot.start()
        for _ in range(2):
            card = self.retract(DATASET)
            card.click("Approve", BEN)
            card.wait("Done")
            self.world.http.request("POST", "/_world/reset", {})
            self.slack.post("delete_message", channel=OPS, ts=card.ts)
        self.assertEqual([r["going"] for r in self.bot.runs()], [False, False])


class OverTls(Story):
    """The same with certificates everywhere."""
    tls = True


if __name__ == "__main__":
    main()
