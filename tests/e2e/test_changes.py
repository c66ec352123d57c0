"""Approval is of what was shown: when the recipe or the backend changes in between, it is void, and the team is asked anew."""
import contextlib
import json
import os
import signal
import sqlite3
import unittest

from harness import ANA, BEN, CAMILA, DATASET, OPS, BotDied, Case, Deadline, World, main


class WhileWaiting(Case):
    """A reload while the gate is open."""

    def gate(self):
        self.bot.start()
        card = self.retract(DATASET)
        return card, card.wait_button("Approve")

    def plan(self):
        """The URL that the newest gate shows."""
        opened = [e for e in self.run_events() if e["type"] == "gate.opened"]
        return opened[-1]["data"]["plan"][0]["request"]["url"], len(opened)

    def assert_asked_anew(self, card, old):
        """The card says so, the old button is void, and only a new approval lets the request out."""
        card.wait("Planned anew")
        fresh = card.wait_button("Approve")
        self.assertNotEqual(fresh["value"], old["value"])
        self.assertTrue(card.raw_click(old, BEN)["acked"])
        self.whisper(BEN, "changed")
        self.assertEqual(self.world.posts(), 0)
        card.click("Approve", CAMILA)
        self.assertIn("Camila", card.wait("Done"))

    def test_the_recipe(self):
        card, old = self.gate()
        self.bot.edit_recipe("retract", (r'\Z', "# changed\n"))
        self.bot.reload(lambda: "reloaded" in self.bot.child.stderr())
        self.assert_asked_anew(card, old)
        self.assertEqual(self.world.posts(), 1)
        self.assertEqual(self.plan()[1], 2)

    def test_the_backend(self):
        card, old = self.gate()
        other = World(self.folder, self.world_state(), None, "other")
        self.addCleanup(other.child.kill)
        self.bot.write_config(backend_url=other.url + "/metapod")
        self.bot.reload(lambda: "reloaded" in self.bot.child.stderr())
        self.assert_asked_anew(card, old)
        self.assertEqual(self.world.posts(), 0, "nothing goes where it went no longer")
        self.assertEqual(other.posts(), 1)
        self.assertIn(other.url, self.plan()[0])

    def test_something_that_changes_nothing(self):
        card, old = self.gate()
        self.bot.write_config(timeout="7s")
        self.bot.reload(lambda: "reloaded" in self.bot.child.stderr())
        self.slack.wait(alive=self.alive(), idle_ms=300)
        self.assertEqual(card.wait_button("Approve")["value"], old["value"], "what would be sent is still the same")
        card.click("Approve", BEN)
        card.wait("Done")

    def test_the_recipe_is_gone(self):
        card, _ = self.gate()
        os.unlink(os.path.join(self.bot.recipes, "retract.cfg"))
        self.bot.add_recipe("other", 'name = "other"; title = "Another"; steps = ( { id = "hello"; say = "hello"; } );\n')
        self.bot.reload(lambda: "reloaded" in self.bot.child.stderr())
        card.wait("removed from the configuration")
        self.assertEqual(card.buttons(), {})
        self.assertEqual(self.world.posts(), 0)

    def generations(self, want):
        """Until so many configurations are in memory; a request has to end first."""
        deadline = Deadline()
        while self.bot.metrics()["config_generations"] != want:
            self.assertFalse(deadline.over(), f"there are {self.bot.metrics()['config_generations']} configurations, not {want}")
            self.bot.child._pause()

    def reload_again(self, count):
        before = self.bot.child.stderr().count("reloaded:")
        for i in range(count):
            self.bot.reload(lambda: self.bot.child.stderr().count("reloaded:") > before + i)

    def test_earlier_configurations_are_let_go(self):
        """Each reload used to keep the one before for ever."""
        self.bot.write_config(timeout="10m")  # the request is under way until it is let go
        card, _ = self.gate()
        self.generations(1)
        self.reload_again(5)
        self.generations(2)  # the first, and the present one
        self.world.fault("hold", times=1)
        card.click("Approve", BEN)
        deadline = Deadline()
        while self.world.counts()["waiting"] == 0:
            self.assertFalse(deadline.over(), "nothing was sent")
            self.bot.child._pause()
        self.reload_again(3)
        self.generations(3)  # a request of an earlier one is under way
        self.world.release()
        card.wait("Done")
        self.generations(2)
        self.bot.edit_recipe("retract", (r'\Z', "# changed\n"))
        self.reload_again(2)
        self.assertEqual(self.bot.stop(), 0)

    def test_a_configuration_with_a_mistake_changes_nothing(self):
        card, old = self.gate()
        with open(self.bot.config) as file:
            good = file.read()
        with open(self.bot.config, "w") as file:
            file.write(good.replace("journal =", "jurnal ="))
        self.bot.reload(lambda: "not reloaded" in self.bot.child.stderr())
        status, text = self.bot.readyz()
        self.assertEqual(status, 200)
        self.assertRegex(text, r"hausmeister\.cfg:\d+: .*journal")
        self.assertEqual(card.wait_button("Approve")["value"], old["value"])
        with open(self.bot.config, "w") as file:
            file.write(good)
        self.bot.reload(lambda: "config: reloaded" in self.bot.child.stderr() or "reloaded:" in self.bot.child.stderr())
        self.assertEqual(self.bot.readyz(), (200, "ready\n"))
        card.click("Approve", BEN)
        card.wait("Done")


class BetweenApprovalAndExecution(Case):
    """The bot dies with the commit of the approval; when it comes back, something is different."""

    def approved_then_dead(self):
        """A journal in which the approval is the last thing that happened."""
        self.slack.post("config", echo_own=False)  # no other events than the people's: commits can be told apart
        self.bot.env["HM_CRASH_COUNT_FILE"] = counts = os.path.join(self.folder, "commits")
        self.bot.start()
        card = self.retract(DATASET)
        old = card.wait_button("Approve")
        self.slack.wait(alive=self.alive(), idle_ms=300)
        if not os.path.exists(counts):
            self.skipTest("this build has no crash points (release); the sanitizer build has")
        # Each life ends with its first commit: one stores the click, the next, finding it there, the approval.
        for _ in range(6):
            self.bot.kill()
            child = self.bot.spawn(extra_env={"HM_CRASH_AT": "after:1"})
            child.expected = (-signal.SIGKILL,)
            with contextlib.suppress(BotDied):
                self.slack.wait(alive=child, min_connections=1)
                if not self.clicks_stored():
                    card.click("Approve", BEN, acked=False)
            child.wait()
            types = [e["type"] for e in self.run_events()]
            if "gate.approved" in types:
                break
        self.assertIn("gate.approved", types)
        self.assertEqual(self.world.posts(), 0, "it died before the request left")
        return card, old

    def clicks_stored(self):
        with contextlib.closing(sqlite3.connect(self.bot.journal)) as journal:
            return journal.execute("SELECT count(*) FROM inbox WHERE type = 'interactive'").fetchone()[0]

    def assert_asked_anew(self, card, old):
        """A new gate with new buttons, nothing sent so far."""
        deadline = Deadline()
        while (card.wait_button("Approve"))["value"] == old["value"]:
            self.assertFalse(deadline.over(), "the old gate is still on the card")
            self.slack.wait(alive=self.alive(), idle_ms=50)
        self.assertEqual(self.world.posts(), 0, "the approval was of something else")
        types = [e["type"] for e in self.run_events()]
        self.assertTrue("gate.voided" in types or "run.replanned" in types, types)

    def test_the_recipe(self):
        card, old = self.approved_then_dead()
        self.bot.edit_recipe("retract", (r'\Z', "# changed\n"))
        self.bot.start()
        self.assert_asked_anew(card, old)
        card.click("Approve", CAMILA)
        self.assertIn("Camila", card.wait("Done"))
        self.assertEqual(self.world.posts(), 1)

    def test_the_backend(self):
        card, old = self.approved_then_dead()
        other = World(self.folder, self.world_state(), None, "other")
        self.addCleanup(other.child.kill)
        self.bot.write_config(backend_url=other.url + "/metapod")
        self.bot.start()
        self.assert_asked_anew(card, old)
        self.assertEqual(other.posts(), 0)
        card.click("Approve", CAMILA)
        card.wait("Done")
        self.assertEqual((self.world.posts(), other.posts()), (0, 1))

    def test_nothing(self):
        card, _ = self.approved_then_dead()
        self.bot.start()
        self.assertIn("Ben", card.wait("Done"))
        self.assertEqual(self.world.posts(), 1)


if __name__ == "__main__":
    main()
