"""Long lists and what people are asked, with the real binary: retract-all with its failures and a kill in the middle, choosing from
a list of 318, a step done by hand, an offer, and stopping everything."""
from harness import ANA, BEN, CAMILA, DAN, OPS, Case, Refused, main, quiet_world

BULK = "f7832a01-001b-56f7-a4fe-b3a417f8f654"
ITEMS = 318

ASKING = '''
name = "asking"; title = "Choose one to retract"; doc = "none"; who = [ "hausmeister" ]; timeout = "30m";
params = ( { name = "transaction"; type = "uuid"; help = "which"; } );
steps = (
  { id = "list"; do = "metapod.datasets"; with = { transaction = "${transaction}"; committed = "yes"; }; },
  { id = "which"; ask = { question = "Which of *${list.count}*?"; from = "list.list"; label = "${item.name}"; }; },
  { id = "form"; ask = { question = "Why?"; fields = ( { name = "ticket"; type = "int"; help = "number"; min = 1; max = 99; },
                                                        { name = "reason"; type = "string"; help = "in words"; } ); }; },
  { id = "hand"; manual = "Tell the owners of `${which.name}`."; evidence = true; },
  { id = "gate"; approve = "Retract `${which.name}` (${form.ticket}, ${form.reason}; told: ${hand.evidence})?"; by = [ "hausmeister" ]; },
  { id = "retract"; do = "metapod.retract-dataset"; with = { id = "${which.id}"; }; },
  { id = "next"; title = "What next"; offer = ( { recipe = "retract"; label = "Retract it again"; with = { id = "${which.id}"; transaction = "${transaction}"; }; } ); }
);
'''


class Bulk(Case):
    world_state = staticmethod(quiet_world)

    def setUp(self):
        super().setUp()
        self.bot.use_shipped("retract-all", "job-kill")
        self.bot.add_recipe("asking", ASKING)

    def ids(self):
        transactions = self.world.http.request("GET", "/_world/state/metapod/transactions")
        found = [d["id"] for t in transactions if t["id"] == BULK for d in t["datasets"] if d["committed"]]
        self.assertEqual(len(found), ITEMS)
        return found

    def approve(self, card, count, user):
        card.click("Approve", user)
        self.slack.wait(view=1, user=user, contains="Type")
        self.slack.post("submit_view", user=user, values={"typed": str(count)})

    def test_retract_all(self):
        ids = self.ids()
        path = "/metapod/api/migrations/retract/committed-dataset/"
        for unlucky in (ids[5], ids[200]):
            self.world.fault("status", prefix=path + unlucky, status=503, times=2)
        self.world.fault("status", prefix=path + ids[100], status=400, times="always")
        self.bot.start()
        self.slack.slash(f"retract-all {BULK}")
        card = self.card("Are tapir and cutia out of the way?")
        card.wait_button("Done")
        card.click("Done", ANA)
        self.slack.wait(view=1, user=ANA, contains="What shows")
        self.slack.post("submit_view", user=ANA, values={"evidence": "paused by <Ben>"})
        text = card.wait("Retract *318 committed datasets*")
        self.assertIn("Tapir and cutia: paused by", text)
        card.click("Approve", ANA)  # her own, and Dan has no role: refused at the click, and no form opens
        self.whisper(ANA, "somebody else")
        card.click("Approve", DAN)
        self.whisper(DAN, "which you do not have; nothing was counted")
        for user in (ANA, DAN):
            with self.assertRaises(Refused):
                self.slack.post("close_view", user=user)
        self.approve(card, 317, BEN)
        self.slack.wait(view=1, user=BEN, contains="Type")  # still open: it was the wrong number
        self.slack.post("submit_view", user=BEN, values={"typed": "\u00a0318 "})
        card.wait(" of 318", seconds=120)
        self.bot.kill()
        self.bot.start()
        text = card.wait("Done, with failures", seconds=120)
        self.assertIn("317 of 318, 1 failed", text)
        self.assertIn("1 item failed; each is named above.", text)
        name = next(d["name"] for t in self.world.http.request("GET", "/_world/state/metapod/transactions") if t["id"] == BULK
                    for d in t["datasets"] if d["id"] == ids[100])
        self.assertIn(name, text)
        applied = {e["id"]: e["applied"] for e in self.world.counts()["effects"]}
        self.assertEqual(len(applied), 317)
        self.assertEqual(set(applied.values()), {1})

        self.world.mend()
        card.click("Retry failed only", CAMILA)
        card.wait("Once more, only for what failed before: *1* request")
        self.approve(card, 1, BEN)
        text = card.wait("*Done*")
        self.assertIn("318 of 318", text)
        self.assertIn("318 retracted and verified: none of them is committed any more. 0 failed. Of the whole transaction 318 were committed before, *0* are now.", text)
        applied = {e["id"]: e["applied"] for e in self.world.counts()["effects"]}
        self.assertEqual((len(applied), set(applied.values())), (ITEMS, {1}))
        self.assertEqual(len([m for m in self.slack.messages(OPS) if "Retract every" in str(m)]), 1, "one card all along")
        self.assert_audited()

    def test_asking_and_offering(self):
        ids = self.ids()
        self.bot.start()
        self.slack.slash(f"asking {BULK}")
        card = self.card("Which of *318*?")
        card.click("Choose", DAN)
        self.whisper(DAN, "a role that you do not have")
        card.click("Choose", BEN)
        self.slack.wait(view=1, user=BEN)
        names = self.slack.post("suggest", user=BEN, view_id=self.view(BEN)["id"], action_id="value", value="")["options"]
        self.assertEqual(len(names), 100)
        self.slack.post("close_view", user=BEN)
        card.click("Choose", ANA)
        view = self.slack.wait(view=1, user=ANA, contains="Choose one")["view"]
        wanted = names[42]["text"]["text"]
        options = self.slack.post("suggest", user=ANA, view_id=view["id"], action_id="value", value=wanted)["options"]
        self.assertIn(wanted, [o["text"]["text"] for o in options])
        chosen = next(o for o in options if o["text"]["text"] == wanted)
        place = chosen["value"]
        self.slack.post("submit_view", user=ANA, force=True,
                        values={"choice": {"value": {"type": "external_select", "selected_option": chosen}}})
        card.wait("Why?")
        card.click("Fill in", BEN)
        self.slack.wait(view=1, user=BEN, contains="ticket")
        self.slack.post("submit_view", user=BEN, values={"ticket": "12", "reason": "wrong <rows>"})
        card.wait("Tell the owners")
        card.click("Done", CAMILA)
        self.slack.wait(view=1, user=CAMILA, contains="What shows")
        self.slack.post("submit_view", user=CAMILA, values={"evidence": "mail of today"})
        text = card.wait(f"Retract `{wanted}` (12, wrong <rows>; told: mail of today)?")
        self.assertIn("answered by", text)
        card.click("Approve", BEN)
        card.wait("*Done*")
        self.assertEqual(self.world.posts(), 1)
        self.assertIn(ids[int(place)], str(self.world.counts()["effects"]))

        self.bot.kill()
        self.bot.start()
        card.click("Retract it again", DAN)
        self.whisper(DAN, "you need role")
        card.click("Retract it again", ANA)
        text = card.wait("chosen by")
        self.assertNotIn("[Retract it again]", text)
        self.stage.card_of(self.slack.wait(channel=OPS, contains="is not committed in transaction")["message"])
        self.assertEqual(self.world.posts(), 1)

    def view(self, user):
        return self.slack.wait(view=1, user=user)["view"]

    def test_stop_all_and_resume(self):
        self.bot.start()
        card = self.retract()
        card.wait_button("Approve")
        run = self.bot.runs()[0]["run"]
        self.slack.slash("stop all", user=DAN)
        self.whisper(DAN, "for people who have a role")
        self.slack.slash("stop all", user=CAMILA)
        self.whisper(CAMILA, "Everything is stopped")
        card.wait("*Everything is stopped* by")
        card.click("Approve", BEN)
        card.wait("approved by")
        self.bot.kill()
        self.bot.start()
        card.wait("*Everything is stopped* by")
        self.slack.slash("runs", user=ANA)
        self.assertIn(run, self.whisper(ANA, "*Going: 1*"))
        self.slack.slash(f"run {run}", user=ANA)
        self.whisper(ANA, "asked by")
        self.assertEqual(self.world.posts(), 0)
        self.slack.slash("resume", user=BEN)
        self.whisper(BEN, "Everything goes on.")
        text = card.wait("*Done*")
        self.assertNotIn("stopped", text)
        self.assertEqual(self.world.posts(), 1)
        self.slack.slash(f"retry {run}", user=BEN)
        self.slack.wait(channel=OPS, contains="there is nothing to retract")
        for words, said in (("run r-2222", "r-2222"), ("retry", "Of which run?"), ("cancel", "Of which run?"), ("stop", "stop all"),
                            ("resume", "Nothing is stopped"), (f"cancel {run}", "is over")):
            self.slack.slash(words, user=CAMILA)
            self.whisper(CAMILA, said)
        self.slack.slash("runs", user=CAMILA)
        self.assertIn("*done*", self.whisper(CAMILA, "*Going: 0*"))


if __name__ == "__main__":
    main()
