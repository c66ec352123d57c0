"""The journal on bad days, seen from outside: what can not be stored is not acknowledged, and nothing else breaks."""
import json
import os
import resource
import shutil
import sqlite3
import unittest

from harness import ANA, BEN, DATASET, OPS, Case, Deadline, main


class BadDays(Case):
    def assert_refuses(self, sentence):
        """Nothing is acknowledged, the operator is told why, the program lives."""
        self.slack.post("config", ack_ms=2000)
        answer = self.slack.slash(f"retract {DATASET}", acked=False)
        self.assertFalse(answer.get("acked"), "acknowledged without being stored")
        self.assertEqual(answer["error"], "operation_timeout", "the person sees an error and may try again")
        status, text = self.bot.readyz()
        self.assertEqual(status, 503)
        self.assertRegex(text, sentence)
        self.assertEqual(self.bot.metrics()["journal_ok"], 0)
        self.assertTrue(self.bot.child.alive())
        self.assertEqual(self.world.counts()["requests"], {})

    def assert_recovers(self):
        card = self.retract(DATASET)
        card.click("Approve", BEN)
        card.wait("Done")
        self.assertEqual(self.bot.readyz(), (200, "ready\n"))
        self.assertEqual(self.bot.metrics()["journal_ok"], 1)
        self.assertEqual(len(self.bot.runs()), 1)
        self.assert_audited()

    def test_a_full_disk(self):
        self.bot.start()
        # A file may not grow beyond what it is: to a program the same as a disk that is full.
        pid = self.bot.child.pid
        soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        size = max(os.path.getsize(os.path.join(self.folder, n)) for n in os.listdir(self.folder) if n.startswith("hausmeister.db"))
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (max(size, 65536), hard))
        fill = "x" * 3000
        deadline = Deadline()
        self.slack.post("config", ack_ms=2000)
        while self.slack.slash(f"help {fill}", acked=False).get("acked"):
            self.assertFalse(deadline.over(), "the file never got full")
        self.assert_refuses(r"journal: .*(full|space|large)")
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
        self.assert_recovers()

    def test_a_locked_database(self):
        self.bot.start()
        other = sqlite3.connect(self.bot.journal, isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        self.assert_refuses(r"journal: .*(lock|used|busy)")
        other.execute("ROLLBACK")
        self.assert_recovers()

    def test_a_click_that_can_not_be_stored(self):
        self.bot.start()
        card = self.retract(DATASET)
        card.wait_button("Approve")
        other = sqlite3.connect(self.bot.journal, isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        self.slack.post("config", ack_ms=2000)
        self.assertFalse(card.click("Approve", BEN, acked=False).get("acked"))
        self.assertEqual(self.world.posts(), 0)
        other.execute("ROLLBACK")
        card.click("Approve", BEN)
        card.wait("Done")
        self.assertEqual(self.world.posts(), 1)

    def test_it_ends_politely_with_a_locked_database(self):
        self.bot.start()
        other = sqlite3.connect(self.bot.journal, isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        self.slack.post("config", ack_ms=2000)
        self.slack.slash("help", acked=False)
        self.assertEqual(self.bot.stop(), 0)

    def test_two_on_one_journal(self):
        self.bot.start()
        out, err = self.bot.cli("run", code=3)
        self.assertIn(f"pid {self.bot.child.pid}", err)
        self.assertEqual(len(err.strip().splitlines()), 1, err)
        self.assert_recovers()

    def test_a_folder_that_is_not_there(self):
        self.bot.write_config(journal="nowhere/hausmeister.db")
        _, err = self.bot.cli("run", code=3)
        self.assertIn("nowhere", err)

    def test_a_file_that_is_no_journal(self):
        with open(self.bot.journal, "w") as file:
            file.write("these are not the rows you are looking for" * 100)
        _, err = self.bot.cli("run", code=3)
        self.assertIn("hausmeister.db", err)

    def test_an_older_copy_is_still_a_whole_story(self):
        """A backup taken while it runs opens, verifies, and shows the run as it was."""
        self.bot.start()
        card = self.retract(DATASET)
        card.wait_button("Approve")
        copy = os.path.join(self.folder, "copy.db")
        with sqlite3.connect(self.bot.journal) as source, sqlite3.connect(copy) as target:
            source.backup(target)
        card.click("Approve", BEN)
        card.wait("Done")
        self.bot.write_config(journal="copy.db")
        self.assert_audited()
        self.assertTrue(self.bot.runs()[0]["going"])


class Tampering(Case):
    def story(self):
        self.bot.start()
        card = self.retract(DATASET)
        card.click("Approve", BEN)
        card.wait("Done")
        self.assertEqual(self.bot.stop(), 0)
        self.assert_audited()

    def tamper(self, *statements):
        """As somebody would who has the file: without the triggers that guard it."""
        with sqlite3.connect(self.bot.journal) as db:
            for name, in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                db.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                self.assertGreater(db.execute(statement).rowcount, 0, statement)

    def assert_found(self):
        out, err = self.bot.cli("audit", "verify", code=1)
        self.assertRegex(err, r"the chain is broken at event \d+")

    def test_a_run_whose_events_do_not_fit_is_left_alone(self):
        """It says so on its card, to whoever clicks, and to the operator; all others go on."""
        self.bot.start()
        card = self.retract(DATASET)
        approve = card.wait_button("Approve")
        self.assertEqual(self.bot.stop(), 0)
        self.tamper("UPDATE events SET type = 'gate.approved' WHERE type = 'gate.opened'")
        self.bot.start()
        card.wait("Stopped for safety")
        self.assertIn("is not open", card.text())
        self.assertEqual(card.buttons(), {})
        run = self.bot.runs()[0]["run"]
        self.assertEqual(self.bot.metrics()["runs_stopped_for_safety"], 1)
        status, text = self.bot.readyz()
        self.assertEqual(status, 200)
        self.assertRegex(text, f"runs: {run} was stopped for safety: .*gate.approved.*is not open")
        card.raw_click(approve, BEN)
        self.assertIn("Your click changed nothing", self.whisper(BEN, "stopped for safety"))
        self.slack.slash(f"cancel {run}", user=ANA)
        self.whisper(ANA, "Your click changed nothing")
        self.slack.slash("runs", user=ANA)
        self.whisper(ANA, "its journal does not fit together")
        self.slack.slash(f"retract {DATASET}", user=ANA)  # nobody knows what the first has begun: its lock stays
        self.slack.wait(channel=OPS, contains=f"Waiting for* `{run}`", alive=self.bot.child)
        self.assertEqual(self.world.counts()["effects"], [])

    def test_the_triggers_keep_honest_people_honest(self):
        self.story()
        with sqlite3.connect(self.bot.journal) as db:
            for statement in ("UPDATE events SET data = '{}' WHERE id = 2", "DELETE FROM events WHERE id = 2"):
                with self.assertRaises(sqlite3.Error):
                    db.execute(statement)
        self.assert_audited()

    def test_an_approval_that_never_was(self):
        self.story()
        self.tamper("UPDATE events SET data = replace(data, 'U0BEN', 'U0CAM') WHERE type = 'gate.vote'")
        self.assert_found()

    def test_an_event_is_missing(self):
        self.story()
        self.tamper("DELETE FROM events WHERE type = 'gate.vote'")
        self.assert_found()

    def test_another_time(self):
        self.story()
        self.tamper("UPDATE events SET wall_ms = wall_ms - 1 WHERE id = 3")
        self.assert_found()

    def test_the_bot_does_not_go_on_with_a_run_that_was_tampered_with(self):
        self.bot.start()
        card = self.retract(DATASET)
        button = card.wait_button("Approve")
        self.bot.kill()
        self.tamper("UPDATE events SET data = '{}' WHERE type = 'gate.opened'")
        child = self.bot.spawn()
        deadline = Deadline()
        while child.alive() and self.bot.readyz()[0] != 200 and not deadline.over():
            child._pause()
        if child.alive():
            card.raw_click(button, BEN)
            self.slack.wait(alive=child, idle_ms=500)
        self.assertEqual(self.world.posts(), 0)
        child.expected = (0, 3)
        self.assertRegex(child.stderr(), r"error|warn")


if __name__ == "__main__":
    main()
