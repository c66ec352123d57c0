"""An alarm's offer starts one run, whatever happens: two people with its form open, values corrected in it, dry runs, a crash between
any two commits, a configuration that changed meanwhile."""
import contextlib
import json
import sqlite3
import time

from alarm_case import BAD, DI, AlarmCase
from harness import ANA, BEN, DATASET, DATASET_NAME, OPS, TRANSACTION, Deadline, check, main

OTHER = "0f0e0d0c-0b0a-4908-8706-050403020100"
WITH = 'with = { id = "${id}"; }'
NEEDS_MORE = BAD.replace(WITH, f'with = {{ transaction = "{OTHER}"; }}')
NOTE = '''name = "note-it"; title = "Write it down"; who = [ "hausmeister" ];
params = ( { name = "id"; type = "uuid"; help = "id"; } );
steps = ( { id = "end"; say = "Noted: `${id}`."; } );
'''
LOOK_AROUND = f'''name = "look-around"; title = "Look around"; who = [ "hausmeister" ];
steps = ( {{ id = "next"; offer = ( {{ recipe = "retract"; label = "Retract it"; with = {{ transaction = "{OTHER}"; }}; }} ); }} );
'''
CHOOSE = '''name = "choose"; title = "Choose one"; who = [ "hausmeister" ];
params = ( { name = "transaction"; type = "uuid"; help = "where"; },
           { name = "name"; type = "string"; help = "which one";
             list = { do = "metapod.datasets"; with = { transaction = "${transaction}"; committed = "yes"; }; value = "${item.name}"; }; } );
steps = ( { id = "end"; say = "chosen `${name}`"; } );
'''
NOTING = BAD.replace('recipe = "retract"; label = "Retract it"', 'recipe = "note-it"; label = "Note it"')
NOTING_BY_ITSELF = BAD.replace("offers = (", 'auto = ( { recipe = "note-it"; with = { id = "${id}"; }; } );\noffers = (')


class Offers(AlarmCase):
    def form(self, user, contains="Retract"):
        return self.slack.wait(view=1, user=user, contains=contains, alive=self.alive())["view"]

    def submit(self, user, **values):
        return self.slack.http.request("POST", "/_sim/submit_view?wait=ack", {"user": user, "values": values})

    def no_form(self, user):
        self.slack.wait(view=1, user=user, absent=1, alive=self.alive())

    def two_open_forms(self):
        """Ana and Ben have the form of the same offer before them; the alarm and its card."""
        self.bot.use_alarms(bad=NEEDS_MORE)
        self.bot.start()
        alarm = self.say(f"bad dataset {DATASET}")
        card = self.alarm_card(alarm)
        for user in (ANA, BEN):
            card.click("Retract it", user)
            self.form(user)
        return alarm, card

    def test_the_second_form_starts_nothing(self):
        alarm, card = self.two_open_forms()
        self.submit(ANA, id=DATASET, transaction=TRANSACTION)
        self.no_form(ANA)
        card.wait("chose *Retract it*")
        answer = self.submit(BEN, id=DATASET, transaction=TRANSACTION)
        self.assertEqual(answer["ack_payload"]["response_action"], "update", answer)
        said = json.dumps(answer["ack_payload"]["view"])
        self.assertIn(f"<@{ANA}> chose *Retract it* already, at ", said)
        self.run_card(alarm).wait_button("Approve")
        self.assertEqual(len(self.bot.runs()), 1, self.bot.runs())

    def test_two_forms_at_the_same_moment(self):
        alarm, _ = self.two_open_forms()
        answers = self.at_once(*(lambda u=u: self.submit(u, id=DATASET, transaction=TRANSACTION) for u in (ANA, BEN)))
        self.assertEqual(sum("already" in json.dumps(a.get("ack_payload")) for a in answers), 1, answers)
        self.run_card(alarm).wait_button("Approve")
        self.assertEqual(len(self.bot.runs()), 1, self.bot.runs())

    def test_a_corrected_form_belongs_to_its_offer(self):
        self.bot.use_alarms(bad=NEEDS_MORE)
        self.bot.start()
        alarm = self.say(f"bad dataset {DATASET}")
        card = self.alarm_card(alarm)
        card.click("Retract it", ANA)
        self.assertIn(OTHER, json.dumps(self.form(ANA)))
        self.submit(ANA, id=DATASET, transaction=TRANSACTION)  # not the one that the alarm says
        card.wait("chose *Retract it*")
        self.run_card(alarm).click("Approve", BEN)
        card.wait(": *done*")
        self.wait_reaction(alarm, "white_check_mark")
        self.assertEqual(self.world.posts(), 1)

    def test_a_dry_run_uses_nothing_up(self):
        self.bot.use_alarms(bad=NEEDS_MORE)
        self.bot.start()
        alarm = self.say(f"bad dataset {DATASET}")
        card = self.alarm_card(alarm)
        card.click("Retract it", ANA)
        self.form(ANA)
        self.submit(ANA, id=DATASET, transaction=TRANSACTION, **{"hm.dry": ["dry"]})
        self.whisper(ANA, "Dry run", DI)
        self.assertIn("Retract it", card.buttons())
        self.assertEqual(self.bot.runs(), [])

    def test_a_form_of_an_alarm_that_is_over(self):
        self.bot.use_alarms(bad=NEEDS_MORE, over='name = "over"; title = "It is over"; channels = [ "squad-di-alarms" ]; '
                                                 'from = [ "splunk" ]; match = "^\\\\[OK\\\\]"; resolves = [ "*" ];')
        self.bot.start()
        alarm = self.say(f"bad dataset {DATASET}")
        card = self.alarm_card(alarm)
        card.click("Retract it", ANA)
        self.form(ANA)
        self.say(f"[OK] bad dataset {DATASET}")
        card.wait("*Over*")
        answer = self.submit(ANA, id=DATASET, transaction=TRANSACTION)
        self.assertIn("Nothing was started", json.dumps(answer["ack_payload"]))
        self.assertEqual(self.bot.runs(), [])

    def test_a_form_that_is_refused_after_a_restart_gives_its_offer_back(self):
        """The process died between taking the offer and starting the run, and then Slack does not say whose bot it is."""
        _, card = self.two_open_forms()
        self.submit(BEN, id=DATASET, transaction="none")
        self.quiet()
        self.bot.kill()
        with contextlib.closing(sqlite3.connect(self.bot.journal)) as journal:
            row, = journal.execute("SELECT max(id) FROM inbox WHERE text LIKE '%view_submission%'").fetchone()
            journal.execute("INSERT INTO inbox_open (id) VALUES (?)", (row,))
            for key, value in journal.execute("SELECT key, value FROM facts WHERE space = 'alarm'").fetchall():
                case = json.loads(value)
                if DATASET in value:
                    case["offers"][0].update(taken_by=BEN, key=str(row), taken_ms=int(time.time() * 1000))
                journal.execute("UPDATE facts SET value = ? WHERE space = 'alarm' AND key = ?", (json.dumps(case), key))
            journal.commit()
        self.slack.post("nasty", api={"auth.test": {"error": "internal_error"}})
        self.bot.spawn()
        self.whisper(BEN, "Slack did not say which workspace", DI)
        self.slack.post("nasty", api={"auth.test": None})
        card.wait_button("Retract it")
        self.assertEqual(self.bot.runs(), [])

    def test_the_form_of_a_runs_offer_starts_one_run(self):
        """The same for what a recipe offers at its end."""
        self.bot.add_recipe("look-around", LOOK_AROUND)
        self.bot.start()
        self.slack.slash("look-around")
        card = self.card("Look around")
        for user in (ANA, BEN):
            card.click("Retract it", user)
            seen = self.slack.wait(channel=OPS, user=user, ephemeral=1, action="hm.form", alive=self.alive())
            self.assertTrue(self.slack.click_raw("hm.form", {"channel": OPS, **seen["message"]}, user)["ok"])
            self.form(user)
        self.submit(ANA, id=DATASET, transaction=TRANSACTION)
        self.no_form(ANA)
        card.wait("chose")
        answer = self.submit(BEN, id=DATASET, transaction=TRANSACTION)
        self.assertIn(f"already chosen by <@{ANA}>", json.dumps(answer["ack_payload"]))
        found = self.slack.wait(channel=OPS, thread_ts=card.ts, contains="Retract the committed dataset", alive=self.alive())["message"]
        self.stage.card_of(found).wait_button("Approve")
        self.assertNotIn("Retract it", card.buttons())
        self.assertEqual(len(self.bot.runs()), 2, self.bot.runs())

    def test_a_run_that_can_not_be_read_any_more(self):
        """Its recipe's text is lost: the alarm stays as it is, and the others are looked after."""
        self.bot.start()
        alarm = self.say(f"bad dataset {DATASET}")
        card = self.alarm_card(alarm)
        card.click("Retract it", ANA)
        card.wait("is under way")
        self.run_card(alarm).wait_button("Approve")
        self.bot.stop()
        self.bot.edit_recipe("retract", ("Retract the committed dataset", "Retract this dataset"))
        with contextlib.closing(sqlite3.connect(self.bot.journal)) as journal:
            for name, in journal.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'recipes'").fetchall():
                journal.execute(f"DROP TRIGGER {name}")
            journal.execute("DELETE FROM recipes")
            journal.commit()
        self.bot.spawn()
        self.slack.wait(alive=self.alive(), min_connections=1)
        self.quiet()
        self.assertIn("is under way", card.text())

    def test_a_line_that_is_no_choice_and_a_crash(self):
        """The form of the offer is gone when the next start finds that nothing was chosen: the new one is of the same offer."""
        self.bot.add_recipe("choose", CHOOSE)
        self.bot.use_alarms(bad=BAD.replace('recipe = "retract"; label = "Retract it"', 'recipe = "choose"; label = "Choose"')
                            .replace(WITH, f'with = {{ transaction = "{TRANSACTION}"; }}'))
        self.bot.start()
        alarm = self.say(f"bad dataset {DATASET}")
        card = self.alarm_card(alarm)
        card.click("Choose", ANA)
        view = self.form(ANA, "Choose one")
        self.slack.post("select", user=ANA, view_id=view["id"], block_id="name", action_id="value",
                        value={"text": {"type": "plain_text", "text": "First fill in"}, "value": "hm.none"})
        answer = self.submit(ANA)
        self.assertIn("This line is no choice", json.dumps(answer["ack_payload"]))
        self.quiet()
        self.bot.kill()
        with contextlib.closing(sqlite3.connect(self.bot.journal)) as journal:  # as if it had died with the form in its hands
            journal.execute("INSERT INTO inbox_open (id) SELECT id FROM inbox WHERE text LIKE '%view_submission%'")
            journal.commit()
        self.bot.start()
        seen = self.slack.wait(channel=DI, user=ANA, ephemeral=1, contains="nothing was chosen", action="hm.form", alive=self.alive())
        self.slack.click_raw("hm.form", {"channel": DI, **seen["message"]}, ANA)
        self.slack.wait(calls="views.open:2", alive=self.alive())
        view = self.slack.get("views", user=ANA)["views"][-1]
        self.slack.post("select", user=ANA, view_id=view["id"], block_id="name", action_id="value",
                        value={"text": {"type": "plain_text", "text": DATASET_NAME}, "value": DATASET_NAME})
        self.submit(ANA)
        card.wait("chose *Choose*")
        card.wait(": *done*")

    # --- crashes ------------------------------------------------------------------------------------------------------------------
    def events_of(self, stage, kind):
        with contextlib.closing(sqlite3.connect(stage.bot.journal)) as journal:
            return journal.execute("SELECT count(*) FROM events WHERE type = ?", (kind,)).fetchone()[0]

    def story(self, life, rule, users=(), after=None, ends=None):
        """An alarm whose offer starts a run that is over with its first commit; after(): what changes once the bot has died. Ends
        when ends(the alarm's card) says so, or with one run, done. The card's text."""
        life.stage.bot.add_recipe("note-it", NOTE)
        life.stage.bot.use_alarms(bad=rule)
        ends = ends or (lambda card: ": *done*" in card and "is being started" not in card)
        life.start()
        alarm = life.raise_alarm(f"bad dataset {DATASET}")
        seen = []

        def step():
            cards = [m for m in life.replies(alarm) if "A dataset is bad" in life.text(m)]
            for user in users if cards else ():
                life.click(cards[0], "Note it", user)
            seen[:] = [life.text(m) for m in cards]
            return cards and ends(seen[0])

        life.until(step, after)
        return seen[0]

    def test_a_run_that_is_over_at_once(self):
        """Its first commit is its last: when the process dies right after it, the alarm hears of it from the journal."""
        def play(life):
            self.story(life, NOTING, users=(ANA,))
            check(len(life.stage.bot.runs()) == 1, life.stage.bot.runs())

        self.sweep(play, 5)

    def test_a_run_by_itself_that_is_over_at_once(self):
        def play(life):
            # What was said before a restart is not looked into by itself: then it is a button.
            self.story(life, NOTING_BY_ITSELF,
                       ends=lambda card: "Looked by itself" in card and ": *done*" in card or "Look into it" in card)
            check(len(life.stage.bot.runs()) <= 1, life.stage.bot.runs())

        self.sweep(play, 3)

    def test_who_may_no_more_does_not_keep_the_offer(self):
        """Whenever it dies: the next start finds Ana in no role any more. Either her run is there, or the offer is, for others."""
        def play(life):
            def ends(card):
                if ": *done*" in card:
                    return True
                told = life.stage.slack.http.request("GET", "/_sim/wait", query={
                    "channel": DI, "user": ANA, "ephemeral": 1, "contains": "role", "timeout_ms": 1})["ok"]
                # The card may be behind: who was told this starts nothing any more, and what is in the journal is how it stays.
                stage = life.stage
                free = told and not stage.bot.runs() and \
                    self.events_of(stage, "alarm.offer.taken") == self.events_of(stage, "alarm.offer.released")
                return free and "Note it" in card and "is being started" not in card

            text = self.story(life, NOTING, users=(ANA,), ends=ends,
                              after=lambda: life.stage.bot.write_config(users=[BEN], usergroup=None))
            check(len(life.stage.bot.runs()) == (1 if ": *done*" in text else 0), life.stage.bot.runs())

        self.sweep(play, 5)

    def test_who_may_no_more_gives_the_offer_back(self):
        """It died when Ana's click had taken the offer and her run was not there yet, a gap that the sweep does not hit each time."""
        self.bot.add_recipe("note-it", NOTE)
        self.bot.use_alarms(bad=NOTING)
        self.bot.write_config(users=[BEN], usergroup=None)
        self.bot.start()
        card = self.alarm_card(self.say(f"bad dataset {DATASET}"))
        card.click("Note it", ANA)
        self.whisper(ANA, "role", DI)
        self.quiet()
        self.bot.kill()
        with contextlib.closing(sqlite3.connect(self.bot.journal)) as journal:  # as if she had been in the role when she clicked
            click, = journal.execute("SELECT id FROM inbox WHERE type = 'interactive'").fetchone()
            journal.execute("INSERT INTO inbox_open (id) VALUES (?)", (click,))
            for key, value in journal.execute("SELECT key, value FROM facts WHERE space = 'alarm'").fetchall():
                case = json.loads(value)
                if case.get("card_ts") == card.ts:  # another may not have its own yet
                    case["offers"][0].update(taken_by=ANA, key=str(click), taken_ms=int(time.time() * 1000))
                    journal.execute("UPDATE facts SET value = ? WHERE space = 'alarm' AND key = ?", (json.dumps(case), key))
            journal.commit()
        self.bot.start()
        self.slack.wait(calls="chat.postEphemeral:2", alive=self.alive())  # told once more
        deadline = Deadline()
        while not self.events_of(self.stage, "alarm.offer.released"):
            self.assertFalse(deadline.over(), "she keeps it")
            self.bot.child._pause()
        self.assertEqual(self.bot.runs(), [])
        card.wait_without("is being started")
        card.click("Note it", BEN)
        card.wait(": *done*")
        self.assertEqual([self.events_of(self.stage, "alarm.offer." + what) for what in ("taken", "released")], [1, 1])
        self.assertEqual(len(self.bot.runs()), 1, self.bot.runs())


if __name__ == "__main__":
    main()
