"""Forms that start recipes: from a command without what it needs, both shortcuts, a mention in a thread, buttons; field errors, dry
runs, expired triggers, people who may not, a crash between the submission and the first commit."""
import json

from harness import (ANA, BEN, COMMITTED_2, COMMITTED_2_NAME, DAN, DATASET, DATASET_NAME, EVE, OPS, TRANSACTION, Case, main)

TYPES = '''
name = "types"; title = "One of each"; doc = "none"; who = [ "hausmeister" ];
params = ( { name = "env"; type = "choice"; choices = [ "staging", "prod" ]; help = "where"; },
           { name = "day"; type = "date"; help = "which"; },
           { name = "whom"; type = "user"; help = "to tell"; },
           { name = "tries"; type = "int"; min = 1; max = 9; help = "how often"; default = 3; },
           { name = "sure"; type = "bool"; help = "are you"; default = false; } );
steps = ( { id = "end"; say = "env `${env}` day `${day}` whom `${whom}` tries `${tries}` given `${given.tries}` sure `${sure}`"; } );
'''


class Forms(Case):
    def form(self, user=ANA, **more):
        """The modal that the person sees."""
        return self.slack.wait(view=1, user=user, alive=self.alive(), **more)["view"]

    def submit(self, values, user=ANA, **more):
        return self.slack.http.request("POST", "/_sim/submit_view?wait=ack", {"user": user, "values": values, **more})

    def pick(self, view, recipe, user=ANA):
        """Types the recipe's name into the list of recipes and takes it."""
        shown = self.slack.post("suggest", user=user, view_id=view["id"], action_id="hm.pick", value=recipe)["options"]
        self.slack.post("select", user=user, view_id=view["id"], action_id="hm.pick",
                        value=next(o for o in shown if o["value"] == recipe))

    def no_form(self, user=ANA):
        self.slack.wait(view=1, user=user, absent=1)

    def private_button(self, user, contains, channel=OPS):
        """Clicks the button of a message that only this person sees."""
        seen = self.slack.wait(channel=channel, user=user, ephemeral=1, contains=contains, action="hm.form", alive=self.alive())
        answer = self.slack.click_raw("hm.form", {"channel": channel, **seen["message"]}, user)
        self.assertTrue(answer["ok"], answer)

    def test_a_command_without_what_it_needs(self):
        self.bot.start()
        self.slack.slash("retract")
        view = self.form(contains="Retract a committed dataset")
        self.assertIn(TRANSACTION, json.dumps(view), "what is known is proposed, and seen")

        # What does not fit is said at the field; the form stays.
        answer = self.submit({"id": "5a5d"})
        self.assertEqual(answer["ack_payload"]["response_action"], "errors")
        self.assertIn("uuid", answer["ack_payload"]["errors"]["id"])
        self.assertEqual(self.bot.runs(), [])

        self.submit({"id": DATASET})
        self.no_form()
        card = self.card(DATASET_NAME)
        self.assertIn("(default)", card.text(), "an untouched proposal is no choice of his")
        card.click("Approve", BEN)
        card.wait("Done")
        self.assertEqual(self.world.applied(DATASET), 1)

    def test_every_kind_of_field(self):
        self.bot.add_recipe("types", TYPES)
        self.bot.start()
        self.slack.slash("types staging")
        self.assertIn("staging", json.dumps(self.form()["state"]))
        self.submit({"env": "prod", "day": "2026-02-28", "whom": BEN, "tries": "5", "sure": "true"})
        self.card(f"env `prod` day `2026-02-28` whom `{BEN}` tries `5` given `true` sure `true`")

        # Typed, without a form.
        self.slack.slash("types prod 2026-02-28 <@U0CAM|camila>")
        self.card("env `prod` day `2026-02-28` whom `U0CAM` tries `3` given `–` sure `false`")

    def test_a_dry_run_from_the_form(self):
        self.bot.start()
        self.slack.slash("retract")
        self.form()
        self.submit({"id": DATASET, "hm.dry": ["dry"]})
        self.no_form()
        self.assertIn(DATASET_NAME, self.whisper(ANA, "Dry run"))
        self.assertEqual(self.bot.runs(), [])

    def asked_dry(self):
        """The form that is open begins nothing when it is sent as it is, but for the id."""
        self.form(contains="Retract a committed dataset")
        self.submit({"id": DATASET})
        self.no_form()
        self.assertIn(DATASET_NAME, self.whisper(ANA, "Dry run"))
        self.assertEqual(self.bot.runs(), [])

    def test_a_dry_run_without_what_it_needs(self):
        self.bot.start()
        self.slack.slash("retract --dry-run")
        self.asked_dry()

    def test_a_dry_run_of_what_does_not_fit(self):
        self.bot.start()
        self.slack.slash("retract abc --dry-run")
        self.private_button(ANA, "must be a uuid")
        self.asked_dry()

    def test_a_dry_run_with_a_slip(self):
        self.bot.start()
        self.slack.slash("retract --transacton=3 --dry-run")
        self.private_button(ANA, "has no param")
        self.asked_dry()

    def test_a_dry_run_by_a_mention(self):
        self.bot.start()
        self.slack.post("mention", user=ANA, channel=OPS, text="retract --dry-run")
        self.private_button(ANA, "opens its form")
        self.asked_dry()

    def test_a_slip_keeps_what_was_understood(self):
        self.bot.start()
        self.slack.slash(f"retract {DATASET} transacton=3")
        self.private_button(ANA, "did you mean")
        self.assertIn(DATASET, json.dumps(self.form()["state"]))

    def test_the_global_shortcut(self):
        self.bot.start()
        self.slack.post("shortcut", user=ANA, callback_id="hm_recipe_start")
        view = self.form(contains="Which recipe")
        shown = self.slack.post("suggest", user=ANA, view_id=view["id"], action_id="hm.pick", value="committed")
        self.assertEqual([o["value"] for o in shown["options"]], ["retract"])
        self.pick(view, "retract")
        self.form(contains="Retract a committed dataset")
        self.submit({"id": DATASET, "hm.where": "C0ETL"})
        card = self.card(DATASET_NAME, channel="C0ETL")
        card.wait_button("Approve")

        # Dan may start nothing: nothing is offered.
        self.slack.post("shortcut", user=DAN, callback_id="hm_recipe_start")
        view = self.form(DAN)
        self.assertEqual(self.slack.post("suggest", user=DAN, view_id=view["id"], action_id="hm.pick", value="")["options"], [])

    def test_an_org_wide_installation(self):
        """Slack sends team = null there; everything else is as elsewhere."""
        self.bot.start()
        self.slack.post("nasty", null_team=True)
        self.slack.post("shortcut", user=ANA, callback_id="hm_recipe_start")
        self.pick(self.form(), "retract")
        self.form(contains="Retract a committed dataset")
        self.submit({"id": DATASET, "hm.where": OPS})
        card = self.card(DATASET_NAME)
        card.click("Approve", BEN)
        card.wait("Done")

    def test_the_shortcut_on_an_alarm(self):
        self.bot.start()
        alarm = self.slack.post("message", bot="B0SPLUNK", channel="C0ETL", text="",
                                attachments=[{"title": "Dataset stuck", "text": f"{COMMITTED_2_NAME} ({COMMITTED_2}) is doubled."}])
        self.slack.post("message_action", user=ANA, channel="C0ETL", ts=alarm["ts"], callback_id="hm_recipe_on_message")
        view = self.form()
        self.pick(view, "retract")
        view = self.form(contains="Retract a committed dataset")
        self.assertIn(COMMITTED_2, json.dumps(view), "what the alarm speaks of is filled in")
        self.submit({})
        card = self.card(COMMITTED_2_NAME, channel="C0ETL")
        self.assertEqual(card.fresh()["thread_ts"], alarm["ts"], "the card is in the alarm's thread")

    def test_an_alarm_that_speaks_of_several(self):
        """None of them is filled in: they are named, to be copied."""
        self.bot.start()
        alarm = self.slack.post("message", bot="B0SPLUNK", channel="C0ETL", text=f"{COMMITTED_2} and {DATASET} are doubled.")
        self.slack.post("message_action", user=ANA, channel="C0ETL", ts=alarm["ts"], callback_id="hm_recipe_on_message")
        self.pick(self.form(), "retract")
        block = next(b for b in self.form(contains="Retract a committed dataset")["blocks"] if b["block_id"] == "id")
        self.assertNotIn("initial_value", block["element"])
        self.assertIn(f"The message speaks of {COMMITTED_2} and {DATASET}", block["hint"]["text"])

    def test_a_mention_in_a_thread(self):
        self.bot.start()
        parent = self.slack.post("message", user=BEN, channel=OPS, text="what about this?")
        self.slack.post("mention", user=ANA, channel=OPS, text="retract", thread_ts=parent["ts"])
        self.private_button(ANA, "opens its form")
        self.form(contains="Retract a committed dataset")
        self.submit({"id": DATASET})
        self.assertEqual(self.card(DATASET_NAME).fresh()["thread_ts"], parent["ts"])

    def test_a_slip_in_a_thread(self):
        """Slack takes no commands there: what he may have meant is told as a mention."""
        self.bot.start()
        parent = self.slack.post("message", user=BEN, channel=OPS, text="what about this?")
        self.slack.post("mention", user=ANA, channel=OPS, text=f"retrakt {DATASET}", thread_ts=parent["ts"])
        self.assertIn(f"`@hausmeister retract {DATASET}`", self.whisper(ANA, "did you mean"))
        self.slack.post("mention", user=ANA, channel=OPS, text="retract 5a5d", thread_ts=parent["ts"])
        self.assertIn("`@hausmeister help retract`", self.whisper(ANA, "must be a uuid"))
        self.slack.slash(f"retrakt {DATASET}")
        self.slack.wait(channel=OPS, user=ANA, ephemeral=1, contains="`/hausmeister retract", alive=self.alive())

    def test_a_value_that_does_not_fit_offers_the_form(self):
        self.bot.start()
        self.slack.slash(f"retract 5a5d transaction={TRANSACTION}")
        self.private_button(ANA, "must be a uuid")
        self.assertIn("5a5d", json.dumps(self.form()), "what was typed is still there")

    def test_a_trigger_that_is_too_old(self):
        self.bot.start()
        self.slack.post("nasty", api={"views.open": {"n": 1, "error": "expired_trigger_id"}})
        self.slack.slash("retract")
        self.private_button(ANA, "three seconds")
        self.form(contains="Retract a committed dataset")
        self.slack.post("close_view", user=ANA, all=True)

        # Of a shortcut: there is no recipe yet, and what the message speaks of is not forgotten.
        alarm = self.slack.post("message", bot="B0SPLUNK", channel="C0ETL", text=f"{COMMITTED_2} is doubled")
        self.slack.post("nasty", api={"views.open": {"n": 1, "error": "expired_trigger_id"}})
        self.slack.post("message_action", user=ANA, channel="C0ETL", ts=alarm["ts"], callback_id="hm_recipe_on_message")
        self.private_button(ANA, "three seconds", "C0ETL")
        self.pick(self.form(contains="Which recipe"), "retract")
        self.assertIn(COMMITTED_2, json.dumps(self.form(contains="Retract a committed dataset")))

    def test_slack_does_not_open_the_form(self):
        self.bot.start()
        self.slack.post("nasty", api={"views.open": {"n": 1, "error": "view_too_large"}})
        self.slack.slash("retract")
        self.private_button(ANA, "The form could not be opened: the form is too large for Slack. Nothing was started")
        self.form(contains="Retract a committed dataset")

    def test_help_that_can_be_clicked(self):
        self.bot.add_recipe("others", 'name = "others"; title = "For somebody else"; who = [ "nobody" ]; steps = ( { id = "a"; say = "x"; } );')
        self.bot.write_config()
        with open(self.bot.config) as file:
            text = file.read()
        with open(self.bot.config, "w") as file:
            file.write(text.replace("roles = {", 'cookbook = "https://wiki.example.com/book";\nroles = { nobody = { users = [ "U0NONE" ]; };'))
        self.bot.start()
        self.slack.slash("help")
        seen = self.slack.wait(channel=OPS, user=ANA, ephemeral=1, contains="What you can run here", action="hm.pick")
        self.assertNotIn("others", seen["text"], "what he may not start is not offered")
        self.assertIn("1 more needs a role", seen["text"])
        shown = self.slack.post("suggest", user=ANA, channel=OPS, ts=seen["ts"], action_id="hm.pick", value="")["options"]
        self.assertEqual([o["value"] for o in shown], ["retract"])
        self.slack.post("select", user=ANA, channel=OPS, ts=seen["ts"], action_id="hm.pick", value=shown[0])
        self.form(contains="Retract a committed dataset")
        self.slack.post("close_view", user=ANA, all=True)

        self.slack.slash("help retract")
        text = self.whisper(ANA, "What it does")
        for part in ("the dataset's id in Metapod", "wiki.example.com/book#removing-bad-data-from-metapod", "within 15 min"):
            self.assertIn(part, text)
        self.private_button(ANA, "What it does")
        self.form(contains="Retract a committed dataset")
        self.slack.slash("help others", DAN)
        self.assertIn("you are not among them", self.whisper(DAN, "For somebody else"))

    def test_people_who_may_not(self):
        self.bot.start()
        self.slack.slash("retract", DAN)
        self.whisper(DAN, "you need role")

        # The role is taken away while the form is open.
        self.slack.slash("retract", ANA)
        self.form()
        asked = self.slack.stats()["api_calls"]["usergroups.users.list"]
        self.slack.post("usergroup", id="S0RED", users=[BEN])
        self.slack.wait(alive=self.alive(), calls=f"usergroups.users.list:{asked + 1}")
        self.submit({"id": DATASET})
        self.form(contains="you need role")
        self.assertEqual(self.bot.runs(), [])

        # From another workspace, with a reference that is not his.
        answer = self.slack.http.request("POST", "/_sim/raw_click?wait=ack", {
            "user": EVE, "channel": OPS, "ts": "1.1", "action_id": "hm.form", "block_id": "b", "value": '{"r":"retract"}'})
        self.assertTrue(answer["acked"])
        self.whisper(EVE, "another workspace")

    def test_forged_references(self):
        self.bot.start()
        for value in ("", "x", "{}", "[]", '{"r":"none"}', '{"r":7}', '{"r":"retract","c":"nowhere","v":{"id":7}}'):
            answer = self.slack.http.request("POST", "/_sim/raw_click?wait=ack", {
                "user": ANA, "channel": OPS, "ts": "1.1", "action_id": "hm.form", "block_id": "b", "value": value})
            self.assertTrue(answer["acked"], value)
        self.form(contains="Retract a committed dataset")
        self.slack.wait(idle_ms=300)
        self.assertEqual(self.bot.runs(), [])

    def test_a_form_that_was_sent_just_before_a_crash(self):
        """It is acknowledged once it is kept; the next start makes the run of it."""
        self.bot.start()
        self.slack.slash("retract")
        self.form()
        self.submit({"id": DATASET})
        self.bot.kill()
        self.bot.start()
        card = self.card(DATASET_NAME)
        card.wait_button("Approve")
        self.assertEqual(len(self.bot.runs()), 1)


if __name__ == "__main__":
    main()
