"""Many runs that wait at their gates, more than are kept in memory: a kill and a restart find every card right and once, and a click,
a new recipe and the end of a gate reach each of them. 300 runs; with HM_LONG=1 10,000."""
import json
import os
import unittest

from harness import ANA, BEN, SLOW, Case, Deadline, main, sample_world

FEW = "0b0b0b0b-0000-4000-8000-000000000002"
COUNT = 10000 if os.environ.get("HM_LONG") else 300
REAL = 10  # of them are datasets that are there
CHANNELS = [f"C0W{i:03}" for i in range(25)]
PATIENCE_S = 1200 * SLOW


def world_with_a_few():
    state = sample_world()
    state["metapod"]["transactions"].append({"id": FEW, "startedAt": "2026-11-22T01:00:03Z", "datasets": [],
                                             "generate": {"count": REAL, "prefix": "few/", "committed": True}})
    return state


class Waiting(Case):
    world_state = staticmethod(world_with_a_few)

    def setUp(self):
        super().setUp()
        self.slack.post("config", rate_scale=0, ack_ms=60000, trigger_ms=60000)  # busy machines are no failures
        self.bot.write_config(known=FEW, speed=1000)
        self.bot.edit_recipe("retract", ('timeout = "30m"', 'timeout = "24h"'), ('expires = "15m"', 'expires = "23h"'))
        for channel in CHANNELS:
            self.slack.post("channel", id=channel, name=channel.lower(), members=["U0ANA", "U0BEN", "U0CAM", "U0BOT"])
        transactions = self.world.http.request("GET", "/_world/state/metapod/transactions")
        real = [d["id"] for t in transactions if t["id"] == FEW for d in t["datasets"]]
        every = COUNT // REAL
        self.ids = [real[i // every] if i % every == 7 else f"00000000-0000-4000-8000-{i:012x}" for i in range(COUNT)]
        self.real = [7 + i * every for i in range(REAL)]

    def channel_of(self, at):
        return CHANNELS[at % len(CHANNELS)]

    def start_all(self):
        def part(first):
            for at in range(first, COUNT, 8):
                self.slack.slash(f"retract {self.ids[at]}", ANA, self.channel_of(at))
        self.bot.start()
        self.at_once(*[lambda first=first: part(first) for first in range(8)])
        self.wait_for_cards()

    def cards(self):
        """{dataset: (channel, ts, content)} of the cards that ask for approval; none may be there twice."""
        found = {}
        for channel in CHANNELS:
            for message in self.slack.messages(channel):
                text = json.dumps(message, sort_keys=True)
                if "hm.approve" not in text:
                    continue
                dataset = next(word for word in text.split("`") if len(word) == 36 and word[8] == "-")
                self.assertNotIn(dataset, found, "two cards for one run")
                found[dataset] = (channel, message["ts"], text)
        return found

    def wait_for_cards(self):
        deadline = Deadline(PATIENCE_S)
        while len(self.cards()) < COUNT:
            self.assertFalse(deadline.over(), f"{len(self.cards())} of {COUNT} cards ask")
            self.slack.wait(alive=self.alive(), idle_ms=500, seconds=PATIENCE_S)

    def approve(self, at):
        card = self.cards()[self.ids[at]]
        card = self.stage.card_of({"channel": card[0], "ts": card[1]})
        card.click("Approve", BEN)
        card.wait("Retracted and verified")
        self.assertEqual(self.world.applied(self.ids[at]), 1)

    def test_a_kill_and_a_restart(self):
        self.start_all()
        self.approve(self.real[0])
        before = self.cards()
        self.assertEqual(len(before), COUNT - 1)
        edits = self.slack.stats()["api_calls"]["chat.update"]
        self.bot.kill()

        # What comes while the runs are still being read is acknowledged at once, and answered when they are there.
        child = self.bot.spawn()
        self.slack.wait(alive=child, min_connections=1, seconds=PATIENCE_S)
        self.slack.slash("help", ANA, CHANNELS[0])
        self.whisper(ANA, "hausmeister", CHANNELS[0])
        self.bot.kill()

        child = self.bot.spawn()
        self.slack.wait(alive=child, min_connections=1, seconds=PATIENCE_S)
        card = before[self.ids[self.real[1]]]
        card = self.stage.card_of({"channel": card[0], "ts": card[1]})
        card.click("Approve", BEN)
        self.bot.wait_ready(child)
        card.wait("Retracted and verified")
        self.slack.wait(alive=child, idle_ms=500, seconds=PATIENCE_S)

        after = self.cards()
        del before[self.ids[self.real[1]]]
        self.assertEqual({k for k in before if after.get(k) != before[k]}, set(), "cards changed by a restart")
        self.assertEqual(len(after), COUNT - 2)
        self.assertLessEqual(self.slack.stats()["api_calls"]["chat.update"] - edits, 8, "edits, for the one that was approved: one a step at most")
        self.assertEqual(self.bot.metrics()["runs_going"], COUNT - 2)
        for at in self.real[2:5]:
            self.approve(at)
        self.assertEqual(self.world.posts(), 5)
        self.assert_audited()

    @unittest.skipIf(COUNT > 1000, "each card is edited, which takes long")
    def test_a_new_recipe_reaches_all(self):
        self.start_all()
        before = self.cards()
        self.bot.edit_recipe("retract", ("Retract the committed dataset", "Really retract the committed dataset"))
        self.bot.child.signal(1)
        deadline = Deadline(PATIENCE_S)
        while True:
            after = self.cards()
            if len(after) == COUNT and all("Really retract" in content for _, _, content in after.values()):
                break
            self.assertFalse(deadline.over(), "not all cards show the new recipe")
            self.slack.wait(alive=self.alive(), idle_ms=300, seconds=PATIENCE_S)
        self.assertEqual({k: v[:2] for k, v in before.items()}, {k: v[:2] for k, v in after.items()}, "the same messages")
        self.approve(self.real[3])
        self.assertEqual(self.world.posts(), 1)
        self.assert_audited()


if __name__ == "__main__":
    main()
