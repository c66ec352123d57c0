"""Those who may approve learn of a gate: a mention under the card, or a direct message each; once, also over a crash; and a reminder."""
from harness import ANA, BEN, CAMILA, DAN, DATASET, OPS, Case, main


class Notify(Case):
    def notices(self, card):
        """What was said under the card."""
        return [m for m in self.slack.get("thread", channel=OPS, ts=card.ts)["messages"] if "waits for approval" in m["text"]]

    def test_a_mention_under_the_card(self):
        self.bot.write_config(notify="thread")
        self.bot.start()
        card = self.retract(DATASET)
        card.wait_button("Approve")
        self.slack.wait(channel=OPS, thread_ts=card.ts, contains="waits for approval", alive=self.alive())
        told, = self.notices(card)
        # The card has a reply now: what a click on it is told is still told in the channel, where he looks.
        card.click("Approve", ANA)
        self.whisper(ANA, "somebody else has to approve it")
        said, = [m for m in self.slack.messages(OPS, user=ANA) if "somebody else has to approve it" in m.get("text", "")]
        self.assertNotIn("thread_ts", said)
        self.assertIn("<!subteam^S0RED>", told["text"])
        self.assertIn("0 of 1 so far", told["text"])

        # Killed after it was said: not said again.
        self.bot.kill()
        self.bot.start()
        self.slack.wait(idle_ms=500)
        self.assertEqual(len(self.notices(card)), 1)
        card.click("Approve", BEN)
        card.wait("Done")

    def test_a_card_in_a_thread(self):
        self.bot.write_config(notify="thread")
        self.bot.start()
        parent = self.slack.post("message", user=BEN, channel=OPS, text="what about this?")
        self.slack.post("mention", user=ANA, channel=OPS, text=f"retract {DATASET}", thread_ts=parent["ts"])
        self.slack.wait(channel=OPS, thread_ts=parent["ts"], contains="waits for approval, 0 of 1", alive=self.alive())

    def test_people_are_told_directly(self):
        self.bot.write_config(notify="direct")
        self.bot.start()
        card = self.retract(DATASET)
        card.wait_button("Approve")
        for channel in ("D0BEN", "D0CAM"):
            self.slack.wait(channel=channel, contains="waits for approval", alive=self.alive())
        told, = [m["text"] for m in self.slack.messages("D0BEN")]
        self.assertIn(f"archives/{OPS}/p{card.ts.replace('.', '')}|Open its card>", told)
        written = {c["id"] for c in self.slack.get("state")["channels"] if c["messages"]}
        self.assertEqual(written & {"D0ANA", "D0DAN"}, set(), "who can not approve is left in peace")
        self.bot.kill()
        self.bot.start()
        self.slack.wait(idle_ms=500)
        self.assertEqual(len(self.slack.messages("D0BEN")), 1)

    def test_slack_is_away_when_the_gate_opens(self):
        self.bot.write_config(notify="thread")
        self.bot.start()
        self.slack.post("nasty", api={"chat.postMessage": {"n": 1, "error": "service_unavailable", "after_calls": 1}})
        card = self.retract(DATASET)
        card.wait_button("Approve")
        self.slack.wait(channel=OPS, thread_ts=card.ts, contains="waits for approval", alive=self.alive())
        self.slack.wait(idle_ms=300)
        self.assertEqual(len(self.notices(card)), 1)

    def test_nothing_is_said_of_a_gate_that_nobody_has_to_open(self):
        self.bot.write_config(notify="none")
        self.bot.start()
        card = self.retract(DATASET)
        card.wait_button("Approve")
        self.slack.wait(idle_ms=500)
        self.assertEqual(self.notices(card), [])


if __name__ == "__main__":
    main()
