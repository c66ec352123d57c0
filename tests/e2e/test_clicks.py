"""Everything that can come of a click, wanted or not: each gets an answer, and only the right one approves."""
import contextlib
import json
import sqlite3
import unittest

from harness import ANA, BEN, CAMILA, DAN, DATASET, EVE, OPS, Case, main, until


class Clicks(Case):
    def gate(self):
        """A run waiting for approval: its card and the Approve button."""
        if self.bot.child is None:
            self.bot.start()
        card = self.retract(DATASET)
        return card, card.wait_button("Approve")

    def assert_closed(self, card, **gone):
        """The gate did not open."""
        self.assertEqual(self.world.posts(), 0)
        self.assertNotIn("gate.approved", [e["type"] for e in self.run_events()])

    def test_the_same_envelope_three_times(self):
        self.bot.start()
        self.slack.post("nasty", duplicate=2, duplicate_on="same", duplicate_after_ms=0)
        card = self.retract(DATASET)
        card.click("Approve", BEN)
        card.wait("Done")
        self.slack.post("nasty", duplicate=0)
        self.assertEqual(len(self.bot.runs()), 1)
        self.assertEqual(self.world.posts(), 1)
        self.assertEqual(len([m for m in self.slack.messages() if DATASET in json.dumps(m)]), 1, "one card")
        votes = [e for e in self.run_events() if e["type"] == "gate.vote"]
        self.assertEqual(len(votes), 1)

    def test_the_same_envelope_again_after_a_restart(self):
        """Slack never heard the ack of the first process and delivers once more, to the second."""
        self.bot.start()
        card = self.retract(DATASET)
        card.wait_button("Approve")
        with contextlib.closing(sqlite3.connect(self.bot.journal)) as journal:
            sent = json.loads(journal.execute("SELECT text FROM inbox WHERE type = 'slash_commands'").fetchone()[0])
        self.bot.kill()
        self.bot.start()
        for envelope_id in (sent["envelope_id"], None):  # under its old name, and under a new one
            again = {"type": sent["type"], "payload": sent["payload"], "accepts_response_payload": True}
            if envelope_id:
                again["envelope_id"] = envelope_id
            answer = self.slack.http.request("POST", "/_sim/envelope?wait=ack", again)
            self.assertTrue(answer.get("acked"), answer)
        card.click("Approve", BEN)
        card.wait("*Done*")
        self.assertEqual(len(self.bot.runs()), 1)
        self.assertEqual(self.world.posts(), 1)

    def test_two_people_in_the_same_millisecond(self):
        card, button = self.gate()  # which both have before them: the slower hand finds it gone
        self.at_once(lambda: card.raw_click(button, BEN), lambda: card.raw_click(button, CAMILA))
        end = card.wait("Done")
        self.assertEqual(self.world.posts(), 1)
        events = self.run_events()
        votes = [e["data"]["user"] for e in events if e["type"] == "gate.vote"]
        self.assertEqual(len(votes), 1, "one of them was first")
        self.assertEqual(len([e for e in events if e["type"] == "gate.approved"]), 1)
        first, second = (BEN, CAMILA) if votes == [BEN] else (CAMILA, BEN)
        names = {BEN: "Ben", CAMILA: "Camila"}
        self.assertIn(names[first], self.whisper(second, "lready"), "the other one is told who was first")
        self.assertIn(names[first], end)

    def test_approve_and_reject_in_the_same_millisecond(self):
        card, button = self.gate()
        card.click("Reject", CAMILA)
        self.slack.wait(view=1, user=CAMILA)
        self.at_once(lambda: card.raw_click(button, BEN), lambda: self.slack.post("submit_view", user=CAMILA, values={}))
        # Acknowledged is not decided: the bot may still be asking Slack who is in the group.
        card.wait_without("Waiting for approval")
        events = [e["type"] for e in self.run_events()]
        decided = [t for t in events if t in ("gate.approved", "gate.rejected")]
        self.assertEqual(len(decided), 1)
        card.wait("*Done*" if decided == ["gate.approved"] else "Nothing was changed")
        self.assertEqual(self.world.posts(), 1 if decided == ["gate.approved"] else 0)

    def test_a_click_after_the_restart(self):
        card, button = self.gate()
        self.bot.kill()
        self.bot.start()
        card.click("Approve", BEN)
        card.wait("Done")
        self.assertEqual(self.world.posts(), 1)
        self.assertEqual(len([m for m in self.slack.messages() if DATASET in json.dumps(m)]), 1, "still the same card")
        self.assertEqual(card.raw_click(button, CAMILA)["acked"], True)
        self.assertIn("Ben", self.whisper(CAMILA, "lready"))
        self.assertEqual(self.world.posts(), 1)

    def test_a_click_while_nobody_is_there(self):
        card, _ = self.gate()
        self.assertEqual(self.bot.stop(), 0)
        answer = card.click("Approve", BEN, acked=False)
        self.assertFalse(answer.get("acked"))
        self.bot.start()
        self.assertIsNotNone(card.button("Approve"))
        card.click("Approve", BEN)
        card.wait("Done")
        self.assertEqual(self.world.posts(), 1)

    def test_old_buttons_after_the_end(self):
        card, approve = self.gate()
        reject = card.button("Reject")
        card.reject(BEN)
        card.wait("Nothing was changed")
        for old in (approve, reject):
            self.assertTrue(card.raw_click(old, CAMILA)["acked"])
        self.assertIn("Ben", self.whisper(CAMILA, "lready"))
        self.assert_closed(card)

    def test_forged_values(self):
        card, approve = self.gate()
        value = approve.get("value", "")
        swapped = value[:-4] + ("0000" if not value.endswith("0000") else "1111")
        for forged in (swapped, "", "x" * 1900, "r-zzzz:0123456789abcdef", "{}", value + "0", "\u202e\U0001f4a9"):
            self.assertTrue(card.raw_click(approve, BEN, value=forged)["acked"], forged)
        self.wait_whispers(BEN, 7)  # an answer to each
        self.assert_closed(card)
        card.click("Approve", BEN)
        card.wait("Done")
        self.assertEqual(self.world.posts(), 1)

    def test_somebody_without_the_role(self):
        card, _ = self.gate()
        card.click("Approve", DAN)
        self.whisper(DAN, "hausmeister")
        card.click("Reject", DAN)
        self.wait_whispers(DAN, 2)  # told before he writes a reason
        self.assertIsNotNone(card.button("Approve"), "still open")
        self.assert_closed(card)

    def test_somebody_from_another_workspace(self):
        card, _ = self.gate()
        card.click("Approve", EVE)
        self.whisper(EVE, "workspace")
        self.assertIsNotNone(card.button("Approve"), "still open")
        self.assert_closed(card)

    def test_an_outsider_in_the_list_of_users_is_an_outsider_still(self):
        self.bot.write_config(users=[EVE, BEN])
        card, _ = self.gate()
        card.click("Approve", EVE)
        self.whisper(EVE, "workspace")
        self.assert_closed(card)

    def test_a_command_of_somebody_without_the_role(self):
        self.bot.start()
        self.slack.slash(f"retract {DATASET}", user=DAN)
        self.whisper(DAN, "hausmeister")
        self.assertEqual(self.bot.runs(), [])
        self.assertEqual(self.world.counts()["requests"], {}, "not even a read on behalf of somebody who may not")

    def test_the_role_by_user_ids(self):
        self.bot.write_config(users=[ANA, DAN], usergroup=None)
        card, _ = self.gate()
        card.click("Approve", BEN)
        self.whisper(BEN, "hausmeister")
        self.assert_closed(card)
        card.click("Approve", DAN)
        card.wait("Done")
        self.assertEqual(self.world.posts(), 1)

    def test_who_left_the_group_may_no_longer(self):
        card, _ = self.gate()
        asked = self.slack.stats()["api_calls"].get("usergroups.users.list", 0)
        self.slack.post("usergroup", id="S0RED", users=[ANA, CAMILA])
        self.slack.wait(alive=self.alive(), calls=f"usergroups.users.list:{asked + 1}")
        card.click("Approve", BEN)
        self.whisper(BEN, "hausmeister")
        self.assert_closed(card)
        card.click("Approve", CAMILA)
        card.wait("Done")

    def test_a_group_that_can_not_be_read_lets_nobody_in(self):
        self.slack.post("nasty", api={"usergroups.users.list": {"error": "internal_error"}})
        self.bot.write_config(users=[ANA])
        card, _ = self.gate()
        card.click("Approve", BEN)
        self.whisper(BEN, "user group")
        self.assert_closed(card)
        self.assertIsNotNone(card.button("Approve"))

    def test_an_expired_gate_is_closed(self):
        self.bot.edit_recipe("retract", (r'expires = "\w+"', 'expires = "5s"'))  # in which its button must be seen
        card, approve = self.gate()
        end = card.wait("in time")
        self.assertIn("Nothing was changed", end)
        self.assertEqual(card.buttons(), {})
        self.assertTrue(card.raw_click(approve, BEN)["acked"])
        self.whisper(BEN, "without enough approvals")
        self.assert_closed(card)
        self.assertEqual(self.run_events()[-1]["data"]["status"], "expired")

    def test_a_gate_that_expired_while_nobody_was_there(self):
        self.bot.edit_recipe("retract", (r'expires = "\w+"', 'expires = "5s"'))
        card, approve = self.gate()
        expires = next(e for e in self.run_events() if e["type"] == "gate.opened")["data"]["expires"]
        self.bot.kill()
        until(expires)
        self.bot.start()
        card.raw_click(approve, BEN)
        card.wait("in time")
        self.assert_closed(card)

    def test_ten_people_at_once(self):
        """Everybody who may and may not, several times each: one approval, one request, an answer to each click."""
        card, approve = self.gate()
        people = [ANA, BEN, CAMILA, DAN, EVE] * 2
        answers = self.at_once(*[lambda u=user: card.raw_click(approve, u) for user in people])
        self.assertEqual([a["acked"] for a in answers], [True] * len(people))
        card.wait("Done")
        self.assertEqual(self.world.posts(), 1)
        self.assertEqual(len([e for e in self.run_events() if e["type"] == "gate.approved"]), 1)
        for user in (ANA, DAN, EVE):
            self.wait_whispers(user, 2)  # an answer to each click


if __name__ == "__main__":
    main()
