"""Alarms: a message in a watched channel becomes a card in its own thread, with buttons that start recipes; and only a message that
may: gates, repeats, the news that it is over, restarts, gaps, storms."""
import contextlib
import json
import os
import sqlite3
import time

from alarm_case import AUTO, BAD, DI, ETL, LOOK, OVER, AlarmCase
from harness import ANA, BEN, COMMITTED_2, DAN, DATASET, DATASET_NAME, EVE, OPS, TOP, TRANSACTION, Deadline, check, main


class Alarms(AlarmCase):
    # --- the story --------------------------------------------------------------------------------------------------------------
    def test_card_click_approval_mark(self):
        self.bot.start()
        alarm = self.say(f"bad dataset {DATASET}\nwhy: its attributes are doubled")
        card = self.alarm_card(alarm)
        text = card.text()
        for part in (DATASET, "its attributes are doubled", "Retract it", "`retract` with", "cantareira", "assumed"):
            self.assertIn(part, text)
        card.click("Retract it", ANA)
        card.wait("chose *Retract it*")
        self.assertNotIn("Retract it", card.buttons())
        run = self.slack.wait(channel=DI, thread_ts=alarm["ts"], contains="Retract the committed dataset", alive=self.alive())["message"]
        run = self.stage.card_of(run, DI)
        run.click("Approve", BEN)
        run.wait("Retracted and verified")
        card.wait(": *done*")
        self.wait_reaction(alarm, "white_check_mark")
        self.assertEqual(self.world.posts(), 1)
        self.assertFalse(self.world.dataset(DATASET)["committed"])
        self.assertEqual(len(self.replies(alarm)), 2)
        self.bot.stop()
        self.bot.audit()

    def test_rejected_run_is_marked_too(self):
        self.bot.start()
        alarm = self.say(f"bad dataset {DATASET}")
        card = self.alarm_card(alarm)
        card.click("Retract it", ANA)
        run = self.stage.card_of(self.slack.wait(channel=DI, thread_ts=alarm["ts"], contains="Retract the committed dataset")["message"], DI)
        run.reject(BEN, reason="the *other* one is bad")
        card.wait(": *rejected*")
        self.assertRegex(card.text(), "\nRejected by @Ben at .*: “the .other. one is bad”")
        self.wait_reaction(alarm, "warning")
        self.assertEqual(self.world.posts(), 0)
        # The same again is news: it gets a card of its own.
        again = self.say(f"bad dataset {DATASET}")
        self.alarm_card(again)

    # --- who may ----------------------------------------------------------------------------------------------------------------
    def test_gates(self):
        self.bot.start()
        text = f"bad dataset {DATASET}"
        said = [self.say(text, bot=None, user=ANA),
                self.say(text, bot="B0AIRFLOW"),
                self.say(text, bot="B0HOOK", channel=ETL),
                self.say(f"see above", attachments=[{"text": text, "is_share": True, "from_url": "https://x.example.org"}])]
        parent = self.say("chatter")
        said.append(self.say(text, thread_ts=parent["ts"]))
        self.quiet()
        for message in said[:-1]:
            self.assertEqual(self.replies(message), [], message)
        self.assertEqual(self.replies(parent), [])
        # An edit raises nothing either.
        self.slack.post("edit_message", channel=DI, ts=parent["ts"], text=text)
        self.quiet()
        self.assertEqual(self.replies(parent), [])

    def test_slack_does_not_say_who_we_are(self):
        """For longer than people are made to wait: whose alarms count is not known, so they wait; and nobody is taken for a colleague."""
        self.bot.add_recipe("look-at-it", LOOK)  # anybody of the workspace may
        self.slack.post("nasty", api={"auth.test": {"error": "invalid_auth"}})
        self.bot.start()
        foreign = {"type": "message", "subtype": "bot_message", "channel": DI, "channel_type": "channel", "bot_id": "B0SPLUNK",
                   "team": "T0OTHER", "text": f"bad dataset {COMMITTED_2}"}
        ours = self.say(f"bad dataset {DATASET}")
        ts = f"{ours['ts'].split('.')[0]}.000001"
        self.slack.post("event", event={**foreign, "ts": ts, "event_ts": ts})
        self.slack.post("mention", user=EVE, channel=OPS, text=f"look-at-it {DATASET}")
        self.slack.wait(channel=OPS, user=EVE, ephemeral=1, contains="which workspace", alive=self.alive())
        self.assertEqual(self.replies(ours), [])
        self.retract(DATASET)  # a slash command is for members only, Slack sees to that
        self.slack.post("nasty", api={"auth.test": None})
        self.alarm_card(ours)
        self.quiet()
        self.assertEqual(len(self.bot.runs()), 1, self.bot.runs())
        deadline = Deadline()
        with contextlib.closing(sqlite3.connect(self.bot.journal)) as journal:
            while journal.execute("SELECT count(*) FROM inbox_open").fetchone()[0]:  # the bot hears its own messages, too
                self.assertFalse(deadline.over(), "something still waits")
                self.bot.child._pause()
            raised = [json.loads(d)["key"] for d, in journal.execute("SELECT data FROM events WHERE type = 'alarm.raised'")]
        self.assertNotIn(COMMITTED_2, raised)
        self.assertIn(DATASET, raised)

    def test_shapes(self):
        self.bot.start()
        alarms = [self.say("", bot="B0HOOK", attachments=[{"title": f"Bad dataset {DATASET}", "fields": [{"title": "Why", "value": "a"}]}]),
                  self.say("", bot="B0HOOK", blocks=[{"type": "section", "text": {"type": "mrkdwn", "text": f"*Bad dataset* {COMMITTED_2}"}}])]
        for alarm in alarms:
            self.alarm_card(alarm)

    def test_hostile_values_are_text(self):
        self.bot.start()
        nasty = "<!channel> *b* `c` <https://evil.example.org|ok> $(reboot) '; DROP \" & ${known.etl.transaction} \u202ex"
        wire = nasty.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        alarm = self.say(f"bad dataset {DATASET}\nwhy: {wire}")
        card = self.alarm_card(alarm)
        raw = json.dumps(card.fresh())
        self.assertNotIn("<!channel>", raw)
        self.assertNotIn("<https://evil", raw)
        self.assertIn("&lt;!channel&gt;", raw)
        self.assertIn("$(reboot)", raw)
        self.assertIn("${known.etl.transaction}", raw)
        self.assertNotIn("\\u202e", raw)

    def test_who_may_click(self):
        self.bot.start()
        alarm = self.say(f"bad dataset {DATASET}")
        card = self.alarm_card(alarm)
        element = card.wait_button("Retract it")
        card.raw_click(element, DAN)
        self.slack.wait(channel=DI, user=DAN, ephemeral=1, contains="role", alive=self.alive())
        self.assertIn("Retract it", card.buttons())
        card.click("Retract it", ANA)
        card.wait("chose *Retract it*")
        card.raw_click(element, BEN)
        self.slack.wait(channel=DI, user=BEN, ephemeral=1, contains="already", alive=self.alive())
        card.raw_click(element, BEN, value="a-222222.0123456789abcdef")
        self.slack.wait(channel=DI, user=BEN, ephemeral=1, contains="not known any more", alive=self.alive())
        self.assertEqual(len(self.bot.runs()), 1, self.bot.runs())

    def test_a_channel_that_takes_no_posts(self):
        self.slack.post("nasty", api={"chat.postMessage": {"error": "restricted_action", "n": 1}})
        self.bot.start()
        self.say(f"bad dataset {DATASET}")
        card = self.card("A dataset is bad")  # in the home channel
        card.wait("could not be posted")
        card.click("Retract it", ANA)
        card.wait("chose *Retract it*")

    # --- again, and over --------------------------------------------------------------------------------------------------------
    def test_repeats_join_and_are_counted(self):
        self.bot.start()
        first = self.say(f"bad dataset {DATASET}")
        card = self.alarm_card(first)
        others = [self.say(f"bad dataset {DATASET}") for _ in range(4)]
        card.wait("5 times")
        other = self.say(f"bad dataset {COMMITTED_2}")
        self.alarm_card(other)
        self.assertEqual([self.replies(m) for m in others], [[]] * 4)
        self.assertEqual(len(self.replies(first)), 1)

    def test_over(self):
        self.bot.start()
        first = self.say(f"bad dataset {DATASET}")
        card = self.alarm_card(first)
        element = card.wait_button("Retract it")
        self.say(f"[ACK] bad dataset {DATASET} by Ben")
        card.wait("[ACK]")
        self.assertIn("Retract it", card.buttons())
        over = self.say(f"[RESOLVED] bad dataset {DATASET}")
        card.wait("*Over*")
        self.assertEqual(card.buttons(), {})
        self.wait_reaction(first, "white_check_mark")
        self.assertEqual(self.replies(over), [])
        card.raw_click(element, ANA)
        self.slack.wait(channel=DI, user=ANA, ephemeral=1, contains="closed", alive=self.alive())
        # Firing again is a new alarm.
        again = self.say(f"bad dataset {DATASET}")
        self.assertIn("Retract it", self.alarm_card(again).buttons())

    def test_over_as_the_tools_say_it(self):
        """The shipped rules: the news in other words than the alarm, and with less than it said, ends the alarm it is about."""
        self.bot.use_alarms()
        self.bot.write_config(speed=50)
        self.slack.post("config", rate_scale=0)
        self.bot.use_shipped(*[n[:-4] for n in os.listdir(os.path.join(TOP, "config", "recipes")) if n.endswith(".cfg")])
        self.bot.start()
        for number, (bot, before, after) in enumerate((("B0SPLUNK", "[RESOLVED] ", ""), ("B0SPLUNK", "RESOLVED: ", ""),
                                                       ("B0OPSGENIE", "Alert #12 closed: ", ""), ("B0OPSGENIE", "[Resolved] ", ""),
                                                       ("B0PROM", "Resolved: ", ""), ("B0PROM", "", " - resolved"))):
            words = f"Airflow failure: cantareira-stable itaipu-ledger-{number} owner: data-infra"
            card = self.alarm_card(self.say(f"{words}\nrun: scheduled__2026-11-27T00:00:00+00:00", bot=bot), "A node of the DAG failed")
            other = self.alarm_card(self.say(words.replace("ledger", "other"), bot=bot), "A node of the DAG failed")
            over = self.say(before + words + after, bot=bot)
            card.wait("*Over*")
            self.assertEqual((self.replies(over), card.buttons()), ([], {}))
            self.assertIn("Restart the task", other.buttons())

    def test_over_by_edit(self):
        self.bot.start()
        first = self.say(f"bad dataset {DATASET}")
        card = self.alarm_card(first)
        self.slack.post("edit_message", channel=DI, ts=first["ts"], text=f"[RESOLVED] bad dataset {DATASET}")
        card.wait("*Over*")
        self.assertEqual(card.buttons(), {})

    def dealt_with(self, text):
        """An alarm whose offer was taken and came to an end: the same again begins a second case."""
        alarm = self.say(text)
        card = self.alarm_card(alarm)
        card.click("Retract it", ANA)
        run = self.slack.wait(channel=DI, thread_ts=alarm["ts"], contains="Retract the committed dataset", alive=self.alive())["message"]
        self.stage.card_of(run, DI).reject(BEN)
        card.wait(": *rejected*")
        return alarm, card

    def test_over_for_all_cases_of_the_alarm_and_no_other(self):
        self.bot.start()
        _, first = self.dealt_with(f"bad dataset {DATASET}")
        second = self.alarm_card(self.say(f"bad dataset {DATASET}"))
        other = self.alarm_card(self.say(f"bad dataset {COMMITTED_2}"))
        over = self.say(f"[RESOLVED] bad dataset {DATASET}")
        first.wait("*Over*")
        second.wait("*Over*")
        self.assert_open(other)
        self.assertEqual(self.replies(over), [])

    def test_over_for_an_alarm_that_says_something_else(self):
        """Without dedupe nothing but the values tells alarms apart, also when only one is open."""
        self.bot.use_alarms(bad=BAD.replace('dedupe = { key = "${id}"; for = "2h"; };', ""), over=OVER)
        self.bot.start()
        card = self.alarm_card(self.say(f"bad dataset {DATASET}"))
        self.say(f"[RESOLVED] bad dataset {COMMITTED_2}")
        self.say(f"bad dataset {DATASET}")
        card.wait("2 times")  # it was open still
        self.say(f"[RESOLVED] bad dataset {DATASET}")
        card.wait("*Over*")

    def test_over_by_edit_is_about_its_own_case(self):
        self.bot.start()
        first_message, first = self.dealt_with(f"bad dataset {DATASET}")
        second = self.alarm_card(self.say(f"bad dataset {DATASET}"))
        self.slack.post("edit_message", channel=DI, ts=first_message["ts"], text=f"[RESOLVED] bad dataset {COMMITTED_2}")
        self.assert_open(first, second)  # its words are those of another alarm
        self.slack.post("edit_message", channel=DI, ts=first_message["ts"], text=f"[RESOLVED] bad dataset {DATASET}")
        first.wait("*Over*")
        self.assert_open(second)

    def test_an_edit_that_is_news_of_other_rules(self):
        other = BAD.replace('"bad-dataset"', '"odd-dataset"').replace("bad dataset", "odd dataset")
        over = OVER.replace('[ "*" ]', '[ "odd-dataset" ]')
        self.bot.use_alarms(bad=BAD, odd=other, over=over)
        self.bot.start()
        bad, odd = self.say(f"bad dataset {DATASET}"), self.say(f"odd dataset {DATASET}")
        cards = self.alarm_card(bad), self.alarm_card(odd)
        for message in (bad, odd):
            self.slack.post("edit_message", channel=DI, ts=message["ts"], text="[RESOLVED] it is over")
        cards[1].wait("*Over*")
        self.assert_open(cards[0])

    def test_an_edit_in_a_storm_says_nothing_of_the_others(self):
        self.bot.write_config(speed=50)
        self.slack.post("config", rate_scale=0)
        self.bot.start()
        said = [self.say(f"bad dataset 00000000-0000-4000-8000-{i:012x}") for i in range(62)]
        storm = self.stage.card_of(self.slack.wait(channel=DI, contains="Many alarms at once", alive=self.alive())["message"], DI)
        storm.wait("2 without a card")
        for i, message in enumerate(said[60:], 60):  # the first of them is the message that the storm's card stands under
            self.slack.post("edit_message", channel=DI, ts=message["ts"], text=f"[RESOLVED] bad dataset 00000000-0000-4000-8000-{i:012x}")
        self.say(f"bad dataset {DATASET}")
        storm.wait("3 without a card")
        self.assertNotIn("*Over*", storm.text())
        self.slack.post("edit_message", channel=DI, ts=said[0]["ts"], text="[RESOLVED] bad dataset 00000000-0000-4000-8000-000000000000")
        self.alarm_card(said[0]).wait("*Over*")  # it has a card of its own

    def test_news_from_before_the_alarm_was_said_again(self):
        self.bot.start()
        first = self.say(f"bad dataset {DATASET}")
        card = self.alarm_card(first)
        second = self.say(f"bad dataset {DATASET}")
        card.wait("2 times")
        micros = [int(message["ts"].replace(".", "")) for message in (first, second)]
        between = f"{sum(micros) // 2 // 1000000}.{sum(micros) // 2 % 1000000:06d}"
        self.slack.post("event", event={"type": "message", "subtype": "bot_message", "channel": DI, "channel_type": "channel", "ts": between,
                                        "event_ts": between, "bot_id": "B0SPLUNK", "text": f"[RESOLVED] bad dataset {DATASET}"})
        self.assert_open(card)

    def test_news_is_judged_once(self):
        """It was about two alarms, so about none; read again after a restart it must not be about the one that is left."""
        self.bot.use_alarms(bad=BAD.replace('key = "${id}"', 'key = "${id}/${why}"'), over=OVER)
        self.bot.start()
        self.quiet()
        self.bot.stop()
        self.bot.start()
        self.slack.wait(calls="conversations.history:1", alive=self.alive())
        self.quiet()  # nothing is left to be read back: news counts as seen
        cards = [self.alarm_card(self.say(f"bad dataset {DATASET}\nwhy: {why}")) for why in ("doubled", "empty")]
        self.say(f"[RESOLVED] bad dataset {DATASET}")
        self.say(f"[RESOLVED] bad dataset {DATASET}\nwhy: empty")
        cards[1].wait("*Over*")
        self.assert_open(cards[0])
        self.bot.stop()
        before = self.slack.stats()["api_calls"]["conversations.history"]
        self.bot.start()
        self.slack.wait(calls=f"conversations.history:{before + 1}", alive=self.alive())
        self.assert_open(cards[0])
        self.say(f"[RESOLVED] bad dataset {DATASET}")  # now it is clear
        cards[0].wait("*Over*")

    # --- what Slack did not take ------------------------------------------------------------------------------------------------
    def test_the_mark_is_asked_for_again(self):
        """More often in vain than the Web API tries by itself."""
        self.slack.post("nasty", api={"reactions.add": {"status": 503, "n": 6}})
        self.bot.start()
        first = self.say(f"bad dataset {DATASET}")
        card = self.alarm_card(first)
        self.say(f"[RESOLVED] bad dataset {DATASET}")
        card.wait("*Over*")
        self.wait_reaction(first, "white_check_mark", 180)

    def test_the_mark_is_not_forgotten_by_a_restart(self):
        self.slack.post("nasty", api={"reactions.add": {"error": "missing_scope"}})
        self.bot.start()
        first = self.say(f"bad dataset {DATASET}")
        card = self.alarm_card(first)
        self.say(f"[RESOLVED] bad dataset {DATASET}")
        card.wait("*Over*")
        self.slack.wait(calls="reactions.add:1", alive=self.alive())
        self.quiet()
        self.bot.stop()
        self.assertEqual(self.reactions(first), [])
        self.slack.post("nasty", api={"reactions.add": None})
        self.bot.start()
        self.wait_reaction(first, "white_check_mark")

    def test_an_end_that_was_not_shown_is_shown_after_a_restart(self):
        self.bot.start()
        card = self.alarm_card(self.say(f"bad dataset {DATASET}"))
        self.quiet()
        self.bot.stop()
        # The commit of its end was the last thing that the process did.
        with contextlib.closing(sqlite3.connect(self.bot.journal)) as journal:
            for key, value in journal.execute("SELECT key, value FROM facts WHERE space = 'alarm'").fetchall():
                case = json.loads(value)
                if case.get("card_ts") == card.ts:
                    case |= {"end": 2, "ended_ms": int(time.time() * 1000), "ended_why": "nobody did anything", "version": case["version"] + 1}
                    journal.execute("UPDATE facts SET value = ? WHERE space = 'alarm' AND key = ?", (json.dumps(case), key))
            journal.commit()
        self.bot.start()
        card.wait("nobody did anything")
        self.assertEqual(card.buttons(), {})

    # --- unasked ----------------------------------------------------------------------------------------------------------------
    def test_looks_by_itself(self):
        self.bot.add_recipe("look-at-it", LOOK)
        self.bot.use_alarms(bad=AUTO)
        self.bot.start()
        alarm = self.say(f"bad dataset {DATASET}")
        card = self.alarm_card(alarm)
        text = card.wait("Looked by itself")
        text = card.wait(DATASET_NAME)
        self.assertIn("*done*", text)
        self.assertEqual(self.reactions(alarm), [])  # looking is no cure

    # --- the shipped rules ------------------------------------------------------------------------------------------------------
    def test_the_corpus_through_slack(self):
        """Each shipped alarm, as text, as an attachment and as blocks: a card, and the same again counted; near misses: nothing."""
        self.bot.use_alarms()
        self.bot.write_config(speed=50)
        self.bot.use_shipped(*[n[:-4] for n in os.listdir(os.path.join(TOP, "config", "recipes")) if n.endswith(".cfg")])
        self.slack.post("config", rate_scale=0)
        self.bot.start()
        with open(os.path.join(TOP, "tests", "golden", "alarm", "corpus.jsonl")) as file:
            corpus = [json.loads(line) for line in file]
        posted, told = {}, {}
        for sample in corpus:
            m = sample["message"]
            keys = ("text", "blocks", "attachments", "thread_ts")
            if m["type"] != "message" or sample["verdict"] == "resolved" or {"edited", "hidden"} & m.keys() or "thread_ts" in m \
                    or sample["reason"] in ("gate:team", "gate:self", "gate:subtype") or m.get("bot_id", "B0").startswith("B0EVIL"):
                continue
            if m.get("subtype") == "bot_message" and "bot_id" not in m:
                continue
            if sample["verdict"] == "match" and not sample["name"].endswith(("-text", "-attachment", "-blocks")):
                continue  # other words with other keys: for the unit test
            bot = m.get("bot_id")
            said = self.say(bot=bot, channel=m["channel"], **{k: m[k] for k in keys if k in m},
                            **({} if bot else {"user": ANA}))
            if sample["verdict"] == "none":
                told[sample["name"]] = said
                continue
            what = (sample["alarm"], json.dumps(sample["fields"].get("check") or sample["fields"].get("problem")))
            posted.setdefault(what, []).append(said)
        quiet_rules = {"dag-config-loaded"}
        for (alarm, _), messages in posted.items():
            if alarm in quiet_rules:
                continue
            found = self.slack.wait(channel=messages[0]["channel"], thread_ts=messages[0]["ts"], contains=f"rule `{alarm}`",
                                    alive=self.alive(), **{"from": "B0BOT"})["message"]
            card = self.stage.card_of(found, messages[0]["channel"])
            if len(messages) > 1:
                card.wait(f"{len(messages)} times")
        for name, message in told.items():
            self.assertEqual(self.replies(message), [], name)
        self.slack.wait(idle_ms=500)

    def test_a_failed_node_is_started_again(self):
        """A shipped alarm to its end in the world."""
        self.bot.use_alarms()
        self.bot.use_shipped(*[n[:-4] for n in os.listdir(os.path.join(TOP, "config", "recipes")) if n.endswith(".cfg")])
        self.bot.edit_recipe("restart-task", ('every *= "10s"', 'every = "100ms"'), ('every *= "5s"', 'every = "100ms"'))
        self.bot.start()
        alarm = self.say("", bot="B0PROM", attachments=[
            {"title": "[FIRING:1] Airflow failure: cantareira-stable itaipu-other-flaky-datasets owner: data-infra"}])
        card = self.alarm_card(alarm, "A node of the DAG failed")
        card.wait("*3 failed*")  # what it found out by itself
        card.click("Restart the task", ANA)
        run = self.stage.card_of(self.slack.wait(channel=DI, thread_ts=alarm["ts"], contains="Exactly this will be sent",
                                                 alive=self.alive())["message"], DI)
        run.click("Approve", BEN)
        self.assertIn("began anew", run.wait("*Done*"))
        card.wait("began anew")
        self.wait_reaction(alarm, "white_check_mark")
        self.assertEqual(sum(e["applied"] for e in self.world.counts()["effects"]), 1)

    def test_a_recipe_that_needs_more_opens_its_form(self):
        self.bot.use_alarms(bad=BAD.replace('with = { id = "${id}"; }', 'with = { transaction = "${known.etl.transaction}"; }'))
        self.bot.start()
        alarm = self.say(f"bad dataset {DATASET}")
        card = self.alarm_card(alarm)
        card.click("Retract it", ANA)
        self.slack.wait(view=1, user=ANA, contains="Retract", alive=self.alive())
        self.assertIn("Retract it", card.buttons())  # nobody has started anything yet
        self.slack.http.request("POST", "/_sim/submit_view?wait=ack", {"user": ANA, "values": {"id": DATASET}})
        self.slack.wait(channel=DI, thread_ts=alarm["ts"], contains="Retract the committed dataset", alive=self.alive())
        card.wait("chose *Retract it*")
        self.assertNotIn("Retract it", card.buttons())

    # --- remembering ------------------------------------------------------------------------------------------------------------
    def test_remembers(self):
        self.bot.use_alarms()
        self.bot.use_shipped(*[n[:-4] for n in os.listdir(os.path.join(TOP, "config", "recipes")) if n.endswith(".cfg")])
        self.bot.start()
        lost = "0f0e0d0c-0b0a-4908-8706-050403020100"
        note = self.say(f"Airflow started running a dagao\nMetapod transaction: {lost}\nTarget date: 2026-11-26\nitaipu: abcdef1", bot="B0AURORA",
                        channel=ETL)
        card = self.alarm_card(note, "A run of the DAG started")
        self.assertIn(lost, card.text())
        self.bot.kill()
        self.bot.start()
        run = self.retract()
        run.wait(f"The latest transaction known, `{lost}`")
        note = self.say(f"Airflow started running a dagao\nMetapod transaction: {TRANSACTION}\nTarget date: 2026-11-27", bot="B0AURORA", channel=ETL)
        self.alarm_card(note, TRANSACTION)
        other = lost.replace("0f", "1f")
        again = self.say(f"Airflow started running a dagao\nMetapod transaction: {other}\nTarget date: 2026-11-27", bot="B0AURORA", channel=ETL)
        self.assertIn("*second*", self.alarm_card(again, other).text())

    # --- restarts and gaps --------------------------------------------------------------------------------------------------------
    def test_one_alarm_however_often_it_is_told(self):
        self.bot.start()
        self.slack.post("nasty", duplicate=1)
        alarm = self.say(f"bad dataset {DATASET}")
        self.alarm_card(alarm)
        event = next(m for m in self.slack.messages(DI) if m["ts"] == alarm["ts"])
        self.slack.post("event", event={**event, "type": "message", "channel": DI, "event_ts": alarm["ts"], "channel_type": "channel"})
        self.slack.post("event", event={**event, "type": "app_mention", "channel": DI, "event_ts": alarm["ts"]})
        self.slack.post("nasty", duplicate=0)
        self.quiet()
        self.bot.kill()
        self.bot.start()
        self.slack.wait(calls="conversations.history:1", alive=self.alive())
        self.quiet()
        self.assertEqual(len(self.replies(alarm)), 1)
        self.assertNotIn("times", self.alarm_card(alarm).text())

    def watermark(self):
        with contextlib.closing(sqlite3.connect(self.bot.journal)) as journal:
            return json.loads(journal.execute("SELECT value FROM facts WHERE space = 'alarm-watermark' AND key = ?", (DI,)).fetchone()[0])["ts"]

    def test_a_channel_that_can_not_be_read_back_keeps_its_place(self):
        self.bot.start()
        self.quiet()
        self.bot.stop()
        before = self.watermark()
        scopes = self.slack.post("config")["scopes"]
        self.slack.post("config", scopes=[s for s in scopes if not s.endswith(":history")])
        missed = self.say(f"bad dataset {DATASET}")
        self.bot.start()
        self.slack.wait(calls="conversations.history:1", alive=self.alive())
        self.quiet()
        for _ in range(65):  # the bot writes it down every 5 s: one that moves is seen here, one that stays never fails
            self.assertEqual(self.watermark(), before)
            time.sleep(0.1)
        self.bot.stop()
        self.slack.post("config", scopes=scopes)
        self.bot.start()
        self.alarm_card(missed)
        self.quiet()
        self.assertEqual(len(self.replies(missed)), 1)
        deadline = Deadline()
        while self.watermark() <= missed["ts"]:
            check(not deadline.over(), "the channel was read, its watermark stays")
            time.sleep(0.1)

    def test_news_of_an_alarm_that_is_still_to_be_read(self):
        """The news comes live, its alarm out of history: when that is read, the news is judged once more."""
        self.bot.start()
        self.quiet()
        self.bot.stop()
        missed = self.say(f"bad dataset {DATASET}")
        scopes = self.slack.post("config")["scopes"]
        self.slack.post("config", scopes=[s for s in scopes if not s.endswith(":history")])
        self.bot.start()
        self.slack.wait(calls="conversations.history:1", alive=self.alive())
        self.say(f"[RESOLVED] bad dataset {DATASET}")
        self.quiet()
        self.bot.stop()
        self.slack.post("config", scopes=scopes)
        self.bot.start()
        self.alarm_card(missed).wait("*Over*")

    def test_news_while_its_channel_is_paged(self):
        """The newest page was read already when the news came, the alarm is on the next one: the news is not lost."""
        self.bot.start()
        self.quiet()
        self.bot.stop()
        missed = self.say(f"bad dataset {DATASET}")
        for _ in range(200):  # a page
            self.say("nothing of interest")
        self.slack.post("nasty", api={"conversations.history": {"n": 1, "after_calls": 1, "slow_ms": 3000}})
        self.bot.start()
        self.slack.wait(calls="conversations.history:2", alive=self.alive())
        self.say(f"[RESOLVED] bad dataset {DATASET}")
        self.alarm_card(missed).wait("*Over*")

    def test_news_that_tells_less_while_a_gap_is_read(self):
        """One alarm is known, another is in the gap: which one the news is about is as unclear as if both were known."""
        self.bot.use_alarms(bad=BAD, over=OVER, lag='name = "lag"; title = "It lags"; channels = [ "squad-di-alarms" ]; '
                            'from = [ "splunk" ]; match = "it lags"; dedupe = { key = "${part}"; for = "2h"; }; fields = ( '
                            '{ name = "part"; type = "string"; find = "part (?<part>[a-z]+){{end}}"; optional = true; } );\n'
                            'offers = ( { recipe = "retract"; label = "Retract it"; with = { id = "' + DATASET + '"; }; } );')
        self.bot.start()
        cards = [self.alarm_card(self.say("it lags, part one"), "It lags")]
        self.quiet()
        self.bot.stop()
        missed = self.say("it lags, part two")
        self.slack.post("nasty", api={"conversations.history": {"n": 1, "slow_ms": 2000}})
        self.bot.start()
        self.slack.wait(calls="conversations.history:1", alive=self.alive())
        self.say("[RESOLVED] it lags")
        cards.append(self.alarm_card(missed, "It lags"))
        self.quiet()
        for card in cards:
            self.assertNotIn("*Over*", card.text())
            self.assertIsNotNone(card.button("Retract it"))
        self.say("[RESOLVED] it lags, part one")
        cards[0].wait("*Over*")
        self.say("[RESOLVED] it lags")  # there is but one left
        cards[1].wait("*Over*")

    def test_while_we_were_away(self):
        self.bot.add_recipe("look-at-it", LOOK)
        self.bot.use_alarms(bad=AUTO)
        self.bot.write_config(speed=20)
        self.slack.post("config", rate_scale=0)
        self.bot.start()
        self.quiet()
        self.bot.stop()
        alarms = [self.say(f"bad dataset 00000000-0000-4000-8000-{i:012x}") for i in range(50)]
        self.say(f"bad dataset {DATASET}", bot=None, user=ANA)
        self.bot.start()
        self.alarm_card(alarms[-1])
        deadline = Deadline()
        while not all(self.replies(a) for a in alarms):
            check(not deadline.over(), "not all alarms were caught up")
            self.slack.wait(idle_ms=100)
        self.slack.wait(idle_ms=300)
        cards = [self.replies(a) for a in alarms]
        self.assertEqual([len(c) for c in cards], [1] * 50)
        self.assertEqual(sorted(c[0]["ts"] for c in cards), [c[0]["ts"] for c in cards])  # in order
        for c in cards:
            self.assertIn("nothing was started by itself", json.dumps(c))
        self.assertEqual(len(self.bot.runs()), 1, self.bot.runs())  # the probe's
        # Once is enough.
        self.bot.kill()
        self.bot.start()
        self.quiet()
        self.assertEqual([len(self.replies(a)) for a in alarms], [1] * 50)

    def test_a_gap_in_the_connection(self):
        self.bot.start()
        self.quiet()
        self.slack.post("nasty", refuse_upgrade={"status": 503, "n": 3})
        self.slack.post("connection", op="rst")
        alarm = self.say(f"bad dataset {DATASET}")
        self.alarm_card(alarm)
        self.assertEqual(len(self.replies(alarm)), 1)

    def test_storm(self):
        self.bot.write_config(speed=50)
        self.slack.post("config", rate_scale=0)
        self.bot.start()
        same, other = 250, 250
        first = self.say(f"bad dataset {DATASET}")
        self.alarm_card(first)
        for i in range(other):
            self.say(f"bad dataset {DATASET}")
            self.say(f"bad dataset 00000000-0000-4000-8000-{i:012x}")
        self.alarm_card(first).wait(f"{same + 1} times")
        storm = self.slack.wait(channel=DI, contains="Many alarms at once", alive=self.alive())["message"]
        self.stage.card_of(storm, DI).wait("191 without a card")
        deadline = Deadline()
        while len(cards := [m for replies in self.all_replies().values() for m in replies]) < 61:
            self.assertFalse(deadline.over(), f"{len(cards)} cards")
        self.assertEqual(len(cards), 61)  # 60 alone, one for the rest

    def test_storm_of_the_same_at_slacks_pace(self):
        self.bot.start()
        first = self.say(f"bad dataset {DATASET}")
        card = self.alarm_card(first)
        for _ in range(499):
            self.say(f"bad dataset {DATASET}")
        card.wait("500 times")
        self.assertEqual(len(self.replies(first)), 1)
        self.assertLess(self.slack.stats()["api_calls"]["chat.update"], 60)

    # --- crashes ------------------------------------------------------------------------------------------------------------------
    def test_crash_sweep(self):
        """An alarm, its offer taken, approved, done."""
        def play(life):
            life.stage.bot.add_recipe("look-at-it", LOOK)
            life.stage.bot.use_alarms(bad=AUTO)
            life.start()
            alarm = life.raise_alarm(f"bad dataset {DATASET}")

            def step():
                replies = life.replies(alarm)
                cards = [m for m in replies if "A dataset is bad" in life.text(m)]
                runs = [m for m in replies if "Retract a committed dataset" in life.text(m)]
                if runs:
                    life.click(runs[0], "Approve", BEN)
                elif cards:
                    life.click(cards[0], "Retract it", ANA)
                if not (cards and runs):
                    return False
                said = life.text(cards[0])
                # What was said before a restart is not looked into by itself: then there is a button for it.
                looked = "Looked by itself" not in said or DATASET_NAME in said
                return life.marks(alarm) == ["white_check_mark"] and "chose *Retract it*" in said and looked and \
                    "is under way" not in said and len(replies) >= 2 + ("Looked by itself" in said)

            life.until(step)
            check(life.stage.world.posts() == 1, f"{life.stage.world.posts()} POSTs")
            texts = [life.text(m) for m in life.replies(alarm)]
            looks = sum("Looked by itself" in t for t in texts)
            check(len(texts) == 2 + looks, "\n\n".join(texts))  # the alarm, the look, the retraction

        self.sweep(play, 9)


if __name__ == "__main__":
    main()
