"""Everything that can be wrong with what was asked for, and everything that a backend can do to a request: each has its own
sentence in Slack, and its own right end."""
import json
import unittest

from harness import (ANA, BEN, DATASET, DATASET_NAME, METAPOD_TOKEN, OPS, TRANSACTION, UNCOMMITTED, UNCOMMITTED_NAME, UNKNOWN, Case,
                     Deadline, deaf_port, main)


class WrongWords(Case):
    """What never becomes a run: the person alone is told what was wrong and what to write."""

    def refused(self, text, *parts, user=ANA):
        earlier = self.slack.messages(user=user)
        since = {"since": earlier[-1]["ts"]} if earlier else {}
        self.slack.slash(text, user=user)
        said = self.slack.wait(channel=OPS, user=user, ephemeral=1, contains=parts[-1], alive=self.alive(), **since)["text"]
        for part in parts:
            self.assertIn(part, said)
        return said

    def test_each_has_its_own_answer(self):
        self.bot.start()
        self.refused("retract 42", "`retract` was not started", "id", "42")
        self.refused(f"retract {DATASET[:-1]}", "`retract` was not started", DATASET[:-1])
        self.refused(f"retract {DATASET} transaction=yesterday", "`retract` was not started", "transaction", "yesterday")
        self.refused(f"retract {DATASET} colour=red", "`retract` was not started", "colour")
        self.refused(f"retrakt {DATASET}", f"There is no recipe or command `retrakt`; did you mean `/hausmeister retract {DATASET}`?")
        self.refused("help retrakt", "There is no recipe or command `retrakt`; did you mean `/hausmeister help retract`?")
        self.refused("nosuchthing", "There is no recipe or command `nosuchthing`. `/hausmeister help` lists them all.")
        self.refused("help", "retract")
        self.refused("", "retract")
        self.assertEqual(self.bot.runs(), [])
        self.assertEqual(self.world.counts()["requests"], {})
        self.assertEqual([m for m in self.slack.messages() if m.get("bot_id") == "B0BOT"], [], "nobody else is bothered")

    def test_commands_are_seen_through_too(self):
        """Misspelt, they are suggested and not done; their help is found, misspelt or not."""
        self.bot.start()
        self.refused("Hlep", "no recipe or command `hlep`; did you mean `/hausmeister help`?")
        self.refused("stpo all", "did you mean `/hausmeister stop all`?")
        self.refused("cancle r-7k2m", "did you mean `/hausmeister cancel r-7k2m`?")
        self.refused("aprove r-7k2m", "decided with the buttons on the run's card")
        self.refused("help runs", "/hausmeister runs", "What is going and what was")
        self.refused("help Cancle", "/hausmeister cancel ID", "comes to its end")
        self.refused("resume", "Nothing is stopped")
        self.assertEqual(self.bot.runs(), [])


class Ends(Case):
    def start_run(self, what, contains, **settings):
        if settings:
            self.bot.write_config(**settings)
        self.bot.start()
        self.slack.slash(f"retract {what}")
        return self.card(contains)

    def assert_end(self, status, posts=0, applied=0):
        events = self.run_events()
        self.assertEqual((events[-1]["type"], events[-1]["data"].get("status")), ("run.finished", status))
        self.assertEqual(self.world.posts(), posts)
        self.assertEqual(self.world.applied(), applied)

    # --- nothing to do ----------------------------------------------------------------------------------------------------------
    def test_an_unknown_id_in_a_transaction(self):
        card = self.start_run(f"{UNKNOWN} transaction={TRANSACTION}", UNKNOWN)
        card.wait("Nothing was sent")
        text = card.text()
        self.assertIn(TRANSACTION, text)
        self.assertIn("no dataset", text)
        self.assertEqual(card.buttons(), {})
        self.assert_end("stopped")

    def test_an_unknown_transaction(self):
        card = self.start_run(f"{DATASET} transaction={UNKNOWN}", UNKNOWN)
        card.wait("Nothing was sent")
        self.assertEqual(card.buttons(), {})
        self.assert_end("stopped")

    def test_a_dataset_that_is_not_committed(self):
        card = self.start_run(UNCOMMITTED, UNCOMMITTED)
        text = card.wait("there is nothing to retract")
        self.assertIn(UNCOMMITTED_NAME, text)
        self.assertEqual(card.buttons(), {})
        self.assert_end("stopped")

    # --- ids that nobody can look up -----------------------------------------------------------------------------------------------
    def type_at_the_gate(self, card, typed, user=BEN):
        card.click("Approve", user)
        view = self.slack.wait(alive=self.alive(), view=1, user=user)["view"]
        block = next(b for b in view["blocks"] if b["type"] == "input")
        return self.slack.http.request("POST", "/_sim/submit_view?wait=ack", {
            "user": user, "values": {block["block_id"]: {block["element"]["action_id"]: typed}}})

    def test_without_any_transaction_the_id_is_typed(self):
        card = self.start_run(DATASET, DATASET, known=None)
        self.assertIn("can not be shown", card.text())
        answer = self.type_at_the_gate(card, DATASET[:-1] + "0")
        self.assertTrue(answer["acked"], answer)
        self.slack.wait(alive=self.alive(), view=1, user=BEN)  # the form is still there, with what was wrong
        self.assertEqual(self.world.posts(), 0)
        self.slack.post("close_view", user=BEN, all=True)
        self.assertTrue(self.type_at_the_gate(card, DATASET)["acked"])
        self.assertIn("Not verified", card.wait("Done"))
        self.assert_end("done", posts=1, applied=1)

    def test_an_id_that_is_not_in_the_latest_transaction(self):
        card = self.start_run(UNKNOWN, UNKNOWN)
        card.wait_button("Approve")
        self.assertIn(TRANSACTION, card.text())
        self.assertTrue(self.type_at_the_gate(card, UNKNOWN)["acked"])
        text = card.wait("Failed")
        self.assertIn("knows no dataset", text)
        self.assertIn("othing was", text)
        self.assert_end("failed", posts=1, applied=0)

    # --- the first read -------------------------------------------------------------------------------------------------------------
    def test_the_backend_is_down(self):
        with deaf_port() as port:
            card = self.start_run(DATASET, "Retract", backend_url=f"http://127.0.0.1:{port}/metapod")
            text = card.wait("Failed")
        self.assertIn(f"127.0.0.1:{port}", text)
        self.assertIn("Nothing was changed", text)
        self.assertEqual(card.buttons(), {})
        self.assert_end("failed")

    def test_the_first_read_is_refused_and_then_works(self):
        self.world.fault("status", prefix="/metapod/api/graphql", status=503, times=1)
        card = self.start_run(DATASET, DATASET)
        card.click("Approve", BEN)
        card.wait("Done")
        self.assert_end("done", posts=1, applied=1)

    def test_the_credentials_are_refused(self):
        self.bot.env["METAPOD_TOKEN"] = "an-old-token"
        card = self.start_run(DATASET, "Retract")
        text = card.wait("Failed")
        self.assertIn("401", text)
        self.assertIn("Nothing was changed", text)
        self.assertNotIn("an-old-token", self.slack.everything() + self.bot.child.tail(10000))
        self.assert_end("failed")

    def test_the_first_read_answers_nonsense(self):
        self.world.fault("garbage", prefix="/metapod/api/graphql", times="always")
        card = self.start_run(DATASET, "Retract")
        self.assertIn("Nothing was changed", card.wait("Failed"))
        self.assert_end("failed")

    def test_a_sign_in_page_answers(self):
        self.world.fault("html", prefix="/metapod/api/graphql", times="always")
        card = self.start_run(DATASET, "Retract")
        text = card.wait("Failed")
        self.assertIn("web page", text)
        self.assert_end("failed")

    # --- the request itself -----------------------------------------------------------------------------------------------------------
    def approved(self, what=None, **fault):
        """The run up to the approval, with the fault in place for what comes then."""
        card = self.start_run(DATASET, DATASET, timeout="2s")
        card.wait_button("Approve")
        if what:
            self.world.fault(what, **fault)
        card.click("Approve", BEN)
        return card

    def test_down_after_the_approval(self):
        """Proven that nothing left: may be tried again, and is not called unknown."""
        card = self.start_run(DATASET, DATASET)
        card.wait_button("Approve")
        self.world.child.kill()
        card.click("Approve", BEN)
        text = card.wait("Failed")
        self.assertIn("127.0.0.1", text)
        self.assertIn("Nothing was changed", text)
        self.assertEqual(card.buttons(), {})
        # For the verdicts of the harness the world has to be there again.
        from harness import World
        self.stage.world = self.world = World(self.folder, self.world_state(), None, "world-again")

    def test_refused_with_429_and_then_taken(self):
        card = self.approved("status", status=429, retry_after=1, times=1)
        card.wait("Done")
        self.assert_end("done", posts=2, applied=1)

    def test_401_for_the_request(self):
        card = self.approved("status", status=401, times="always")
        text = card.wait("Failed")
        self.assertIn("401", text)
        self.assertIn("Nothing was changed", text)
        self.assert_end("failed", posts=1)

    def test_404_for_the_request(self):
        card = self.approved("status", status=404, times="always")
        self.assertIn("404", card.wait("Failed"))
        self.assert_end("failed", posts=1)

    def test_500_and_it_had_not_happened(self):
        card = self.approved("status", status=500, times=1)
        card.wait("Done")
        self.assert_end("done", posts=2, applied=1)

    def test_500_for_ever(self):
        """Sent as often as it may be, and not seen: the last one may still come, so a person says what is so."""
        card = self.approved("status", status=500, times="always")
        card.wait_button("It happened")
        self.assertIn("500", card.text())
        self.assertIn("nothing of it is to be seen", card.text())
        card.click("Stop here", BEN)
        self.assertNotIn("Nothing was changed", card.wait("Failed"))
        self.assertEqual(self.world.applied(), 0)
        self.assertGreater(self.world.posts(), 1)
        self.assertEqual(card.buttons(), {})

    def test_500_and_it_had_happened(self):
        card = self.approved("apply-status", status=500, times=1)
        text = card.wait("Done")
        self.assertIn("happened", text)
        self.assertIn("verified", text)
        self.assert_end("done", posts=1, applied=1)

    def test_the_reply_was_lost_after_it_was_applied(self):
        card = self.approved("apply-drop", times=1)
        self.assertIn("shows that it happened", card.wait("Done"))
        self.assert_end("done", posts=1, applied=1)

    def test_the_connection_was_lost_before_it_was_applied(self):
        card = self.approved("drop", times=1)
        card.wait("Done")
        self.assert_end("done", posts=2, applied=1)

    def test_a_time_out_and_it_had_happened(self):
        card = self.approved("apply-hang", times=1)
        self.assertIn("shows that it happened", card.wait("Done"))
        self.assert_end("done", posts=1, applied=1)

    def test_a_time_out_and_it_had_not_happened(self):
        card = self.approved("hang", times=1)
        card.wait("Done")
        self.assert_end("done", posts=2, applied=1)

    def test_garbage_for_an_answer(self):
        card = self.approved("garbage", times=1)
        card.wait("Done")
        self.assert_end("done", posts=1, applied=1)

    def test_a_page_for_an_answer(self):
        card = self.approved("html", times=1)
        card.wait("Done")
        self.assert_end("done", posts=2, applied=1)

    def test_it_was_taken_but_did_not_take_effect(self):
        self.bot.edit_recipe("retract", (r'within = "30s"', 'within = "3s"'))
        card = self.approved("status", status=200, body="{}", content_type="application/json", times=1)
        text = card.wait("Look at it in Metapod")
        self.assertNotIn("Retracted and verified", text)
        self.assert_end("failed", posts=1, applied=0)

    # --- the same with a recipe that says: at most once, whatever the action promises ---------------------------------------------
    def once(self, what, **fault):
        self.bot.edit_recipe("retract", (r'(do = "metapod.retract-dataset";)', r'\1 effect = "once";'))
        return self.approved(what, **fault)

    def test_once_and_a_time_out_and_it_had_not_happened(self):
        card = self.once("hang", times=1)
        card.wait_button("It did not")
        self.assertIn("nothing of it is to be seen", card.text())
        card.click("Stop here", BEN)
        card.wait("Failed")
        self.assert_end("failed", posts=1, applied=0)

    def test_once_and_the_reply_was_lost_after_it_was_applied(self):
        card = self.once("apply-drop", times=1)
        self.assertIn("shows that it happened", card.wait("Done"))
        self.assert_end("done", posts=1, applied=1)

    def test_once_and_500_and_it_had_not_happened(self):
        card = self.once("status", status=500, times=1)
        card.wait_button("It did not")
        self.assertIn("500", card.text())
        card.click("It did not", BEN)
        card.wait("Done")
        self.assert_end("done", posts=2, applied=1)

    # --- when nobody can know, people decide ----------------------------------------------------------------------------------------------
    def unknown(self, what):
        """A request of unknown outcome with nothing to look at: the card asks."""
        card = self.start_run(DATASET, DATASET, known=None, timeout="2s")
        card.wait_button("Approve")
        self.world.fault(what, times=1)
        self.assertTrue(self.type_at_the_gate(card, DATASET)["acked"])
        card.wait_button("It happened")
        self.assertIn("Did it happen?", card.text())
        return card

    def test_a_person_says_that_it_happened(self):
        card = self.unknown("apply-drop")
        card.click("It happened", BEN)
        self.assertIn("Ben", card.wait("Done"))
        self.assert_end("done", posts=1, applied=1)

    def test_a_person_says_that_it_did_not(self):
        card = self.unknown("drop")
        card.click("It did not", BEN)
        card.wait("Done")
        self.assert_end("done", posts=2, applied=1)

    def test_a_person_says_stop(self):
        card = self.unknown("drop")
        card.click("Stop here", BEN)
        self.assertIn("Ben", card.wait("Failed"))
        self.assert_end("failed", posts=1, applied=0)

    def test_the_question_survives_a_restart(self):
        card = self.unknown("apply-drop")
        self.bot.kill()
        self.bot.start()
        card.click("It happened", BEN)
        card.wait("Done")
        self.assert_end("done", posts=1, applied=1)


if __name__ == "__main__":
    main()
