"""What a bad moment leaves over of an alarm: one that could not be stored, news that comes before it, an offer that nobody's run has."""
import contextlib
import json
import sqlite3
import time

from alarm_case import AUTO, BAD, DI, LOOK, OVER, AlarmCase
from harness import ANA, BEN, DATASET, Deadline, main

OVER_IT = OVER.replace('match = "^\\\\[(?:RESOLVED|OK)\\\\]"', 'match = "^\\\\[OK\\\\] bad dataset (?<id>{{uuid}}){{end}}"') \
              .replace('resolves = [ "*" ]', 'fields = ( { name = "id"; type = "uuid"; } ); dedupe = { key = "${id}"; for = "2h"; };\n'
                       'resolves = [ "bad-dataset" ]')


class LeftOver(AlarmCase):
    def setUp(self):
        super().setUp()
        self.assertNotEqual(OVER_IT, OVER)
        self.bot.use_alarms(bad=BAD, over=OVER_IT)

    @contextlib.contextmanager
    def full_disk(self):
        """Nothing can be stored meanwhile."""
        with contextlib.closing(sqlite3.connect(self.bot.journal, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")

    def in_vain(self, say):
        """What is said meanwhile has an envelope that Slack gives up: the disk is full until nothing waits for an ack any more. The bot
        may have been about to store something else (its own card is an event, too), so that one refusal would prove nothing."""
        with self.full_disk():
            said = say()
            deadline = Deadline()
            while "an envelope was not stored" not in self.bot.child.stderr():
                self.assertFalse(deadline.over(), "it was stored")
                self.bot.child._pause()
            self.slack.wait(alive=self.alive(), idle_ms=100)
        return said

    def say_in_vain(self, text):
        return self.in_vain(lambda: self.say(text))

    def test_an_alarm_that_could_not_be_stored(self):
        self.slack.post("config", ack_ms=2000, retry_s=[])  # Slack does not send it again
        self.bot.start()
        self.quiet()  # the channel is watched
        alarm = self.say_in_vain(f"bad dataset {DATASET}")
        self.assertIn("later", self.alarm_card(alarm).text())
        self.assertEqual(len(self.replies(alarm)), 1)

    def test_news_that_comes_before_its_alarm(self):
        self.slack.post("config", ack_ms=2000, retry_s=[2])
        self.bot.start()
        self.quiet()
        alarm = self.say_in_vain(f"bad dataset {DATASET}")
        self.say(f"[OK] bad dataset {DATASET}")
        card = self.alarm_card(alarm)
        card.wait("Over")
        self.assertIsNone(card.button("Retract it"))
        self.assertEqual(len(self.replies(alarm)), 1)

    def test_news_that_is_heard_after_a_run(self):
        """By an edit, which is not read back. What was tried after it was said, and before it was heard, did not mend the alarm."""
        self.slack.post("config", ack_ms=2000, retry_s=[])  # it is sent again when the test says so
        self.bot.start()
        alarm = self.say(f"bad dataset {DATASET}")
        card = self.alarm_card(alarm)
        self.quiet()
        self.in_vain(lambda: self.slack.post("edit_message", channel=DI, ts=alarm["ts"], text=f"[OK] bad dataset {DATASET}"))
        card.click("Retract it", ANA)
        self.run_card(alarm).reject(BEN)
        card.wait(": *rejected*")
        self.assertNotIn("*Over*", card.text())
        sent = [json.loads(frame["text"])["payload"] for frame in self.slack.log(kind="out") if "[OK] bad dataset" in frame["text"]]
        self.slack.post("envelope", type="events_api", payload=sent[0])
        card.wait("*Over*")
        self.quiet()
        self.assertEqual(self.reactions(alarm), ["warning"])

    def test_an_offer_that_nobody_has(self):
        """Its click came to nothing, and that it is free again was not stored when the process died."""
        self.bot.start()
        card = self.alarm_card(self.say(f"bad dataset {DATASET}"))
        card.wait_button("Retract it")
        self.quiet()
        self.bot.kill()
        with contextlib.closing(sqlite3.connect(self.bot.journal)) as journal:
            for key, value in journal.execute("SELECT key, value FROM facts WHERE space = 'alarm'").fetchall():
                case = json.loads(value)
                case["offers"][0].update(taken_by=ANA, key="1", taken_ms=int(time.time() * 1000))
                journal.execute("UPDATE facts SET value = ? WHERE space = 'alarm' AND key = ?", (json.dumps(case), key))
            journal.commit()
        self.bot.start()
        card.wait_without("chose")
        card.wait_button("Retract it")
        card.click("Retract it", ANA)
        card.wait("chose *Retract it*")
        self.assertEqual(len(self.bot.runs()), 1)

    def lose_the_run(self):
        """The recipe that it began with is not in the journal any more, and its case knows nothing of it yet."""
        with contextlib.closing(sqlite3.connect(self.bot.journal)) as journal:
            for name, in journal.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'recipes'").fetchall():
                journal.execute(f"DROP TRIGGER {name}")
            journal.execute("DELETE FROM recipes")
            for key, value in journal.execute("SELECT key, value FROM facts WHERE space = 'alarm'").fetchall():
                case = json.loads(value)
                for name in ("run", "run_seq", "status", "said", "ended_ms"):
                    case["offers"][0].pop(name, None)
                journal.execute("UPDATE facts SET value = ? WHERE space = 'alarm' AND key = ?", (json.dumps(case), key))
            journal.commit()

    def test_an_offer_whose_run_can_not_be_read(self):
        """It is taken all the same, though the process died before the case knew of its run: nobody is to start a second one."""
        self.bot.start()
        card = self.alarm_card(self.say(f"bad dataset {DATASET}"))
        card.click("Retract it", ANA)
        card.wait("is under way")
        self.quiet()
        self.bot.kill()
        self.bot.edit_recipe("retract", ("Retract the committed dataset", "Retract this dataset"))
        self.lose_the_run()
        self.bot.spawn()
        self.slack.wait(alive=self.alive(), min_connections=1)
        self.quiet()
        with contextlib.closing(sqlite3.connect(self.bot.journal)) as journal:
            self.assertEqual(journal.execute("SELECT count(*) FROM events WHERE type = 'alarm.offer.released'").fetchone(), (0,))
        self.assertIn("chose *Retract it*", card.text())

    def test_a_look_that_can_not_be_read(self):
        """It was started by itself, and is not started again and again."""
        self.bot.add_recipe("look-at-it", LOOK)
        self.bot.use_alarms(bad=AUTO)
        self.bot.start()
        alarm = self.say(f"bad dataset {DATASET}")
        card = self.alarm_card(alarm)
        card.wait("It is `")
        self.run_card(alarm, "Look at a dataset").wait("*Done*")
        self.slack.wait(alive=self.alive(), idle_ms=100)
        self.bot.kill()
        self.bot.add_recipe("look-at-it", LOOK.replace("Look at a dataset", "Look at one"))
        self.lose_the_run()
        for _ in range(2):
            self.bot.spawn()
            self.slack.wait(alive=self.alive(), min_connections=1)
            card.wait("can not be read")
            self.slack.wait(alive=self.alive(), idle_ms=100)
            self.bot.kill()
        with contextlib.closing(sqlite3.connect(self.bot.journal)) as journal:
            self.assertEqual(journal.execute("SELECT count(*) FROM runs").fetchone(), (1,))


if __name__ == "__main__":
    main()
