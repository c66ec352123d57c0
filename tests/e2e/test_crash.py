"""kill -9, at every moment that matters: what was promised before is kept afterwards, and nothing is sent twice.

The sweep plays the whole story once to count the journal's commits, then once per commit and side ("just before it", "just
after"), dying there. After each death the bot is started again, and the people do what people do: type the command again when
Slack showed an error, click again when the button is still there. The end has to be the same each time.
"""
import concurrent.futures
import json
import os
import signal
import unittest

from harness import ANA, BEN, DATASET, DATASET_NAME, OPS, PATIENCE_S, BotDied, Case, Deadline, check, commits_of, crashing, main


class Persistent:
    """People who want their dataset retracted, whatever happens to the bot."""

    def __init__(self, stage, crashes):
        self.stage, self.crashes = stage, list(crashes)  # environment of each start; afterwards none
        self.deaths = 0
        self.seen = []
        self.typed = 0

    def start(self):
        while True:
            extra = {"HM_CRASH_AT": self.crashes.pop(0)} if self.crashes else {}
            try:
                child = self.stage.bot.spawn(extra_env=extra)
                if extra:
                    child.expected = (0, -signal.SIGKILL)
                self.stage.slack.wait(alive=child, min_connections=1)
                return
            except BotDied:
                self.deaths += 1
                check(extra, f"the bot died by itself\n{child.tail()}")

    def again(self, problem):
        """The bot is dead (or as good as): start it again."""
        child = self.stage.bot.child
        code = child.wait()
        check(code == -signal.SIGKILL and code in child.expected, f"the bot ended with {code} ({problem})\n{child.tail()}")
        self.deaths += 1
        self.start()

    def cards(self):
        """Oldest first."""
        return [self.stage.card_of(m) for m in self.stage.slack.messages() if m.get("bot_id") == "B0BOT" and DATASET in json.dumps(m)]

    def card(self):
        """The one that does it, or None. A command typed again because its ack was lost has a run that waits for the first one
        and then finds nothing to do; its card may be there before the other."""
        return next((c for c in self.cards() if not self.is_second(c)), None)

    @staticmethod
    def is_second(card):
        text = card.text()
        return "*Waiting for* `r-" in text or "nothing to retract" in text

    def try_all(self):
        """Whatever a person would do next, until the end is as it must be: the last crash may come when the card has said so."""
        deadline = Deadline(3 * PATIENCE_S)  # it is many waits, and a start after each death
        while not deadline.over():
            try:
                if self.next():
                    self.verify()
                    return
            except BotDied as died:
                self.again(died)
        raise AssertionError("the story does not come to an end")

    def acked(self, answer, what):
        """False: Slack waited no longer (the second that it waits here is soon over on a busy machine), and the person saw an error:
        then the next look tells more."""
        if not answer.get("acked") and (not self.stage.bot.child.alive() or self.dies()):
            raise BotDied(what)
        return bool(answer.get("acked"))

    def dies(self):
        """Slack sees the dead connection before we see the dead process."""
        try:
            self.stage.bot.child.wait(1)
            return True
        except AssertionError:
            return False

    def click(self, card, button, user, what):
        """Clicks the button that was seen. It may have gone while the hand was on its way: then the next look tells more."""
        answer = self.stage.slack.click_raw(button["action_id"], card.message, user, block_id=button["block_id"])
        if answer.get("error") not in ("no_such_action", "ambiguous_action"):
            self.acked(answer, what)

    def next(self):
        slack, bot = self.stage.slack, self.stage.bot
        if not bot.child.alive():
            raise BotDied("meanwhile")
        card = self.card()
        if card is None:
            # An accepted command shows a card; if none appears because it never was accepted, it is typed again.
            if "slash" not in self.seen:
                self.typed += 1
                if not self.acked(slack.slash(f"retract {DATASET}", acked=False), "the command"):
                    return False
                self.seen.append("slash")
            slack.wait(alive=bot.child, channel=OPS, contains=DATASET, **{"from": "B0BOT"})
            return False
        if "*Done*" in card.text():
            return True
        open_gate = card.button("Approve")
        if open_gate and "own" not in self.seen:
            self.seen.append("own")
            self.click(card, open_gate, ANA, "the click of the requester")
        elif open_gate:
            # Clicked again whenever the button is still there: the first click may have been lost with the process.
            self.click(card, open_gate, BEN, "the approval")
        slack.wait(alive=bot.child, channel=OPS, ts=card.ts, idle_ms=200)
        return False

    def verify(self):
        """The end as it must always be."""
        stage = self.stage
        check(stage.world.posts() <= 1, f"{stage.world.posts()} POSTs")
        check(stage.world.applied(DATASET) == 1, f"applied {stage.world.applied(DATASET)} times")
        card = self.card()
        card.wait("Done")
        check(DATASET_NAME in card.text(), "the dataset's name is gone from the card")
        check("Ben" in card.text(), "who approved is gone from the card")
        stage.slack.wait(alive=stage.bot.child, idle_ms=100)
        check(card.buttons() == {}, f"buttons are left: {list(card.buttons())}")
        ends = self.ends()
        for other in self.cards():
            if other.ts != card.ts:
                other.wait("nothing to retract")
        statuses = sorted(e["data"].get("status", "going") for e in ends)
        check(statuses == ["done"] + ["stopped"] * (len(ends) - 1), f"the runs ended {statuses}")
        check(len(ends) <= self.typed, f"{len(ends)} runs of {self.typed} commands")
        check(stage.bot.audit().startswith("ok:"), "the chain is broken")
        if stage.bot.child.alive() and stage.bot.stop() != 0:  # the last commits are those of its end
            raise BotDied("at its end")
        stage.judge()

    def ends(self):
        """The last event of each run, when all are over and each has its card: a command that was typed again is not over with the
        first one."""
        stage, deadline = self.stage, Deadline()
        while True:
            ends = [stage.bot.events(r["run"])[-1] for r in stage.bot.runs()]
            if len(self.cards()) == len(ends) and all(e["type"] == "run.finished" for e in ends):
                return ends
            if not stage.bot.child.alive():
                raise BotDied("before all was over")
            check(not deadline.over(), f"{len(self.cards())} cards of {len(ends)} runs, which are at {[e['type'] for e in ends]}")
            stage.slack.wait(alive=stage.bot.child, idle_ms=50)


def play(name, crashes, count=False):
    """One story on a stage of its own; (deaths, commits: 0 when this build does not count them)."""
    with crashing(name, crashes, count) as stage:
        stage.slack.post("config", ack_ms=1000)
        people = Persistent(stage, crashes)
        people.start()
        people.try_all()
        return people.deaths, commits_of(stage)


class Sweep(unittest.TestCase):
    def sweep(self, points):
        """Plays all of them, two at a time; deaths of each."""
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            futures = {pool.submit(play, "-".join(p).replace(":", ""), p): p for p in points}
            try:
                return {futures[f]: f.result()[0] for f in concurrent.futures.as_completed(futures)}
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def commits(self):
        deaths, commits = play("count", [], count=True)
        self.assertEqual(deaths, 0)
        if commits == 0:
            self.skipTest("this build has no crash points (release); the sanitizer build has")
        return commits

    def test_before_and_after_every_commit(self):
        commits = self.commits()
        self.assertGreater(commits, 8)
        points = [(f"{side}:{n}",) for n in range(1, commits + 1) for side in ("before", "after")]
        # Commits are grouped as they come, so that a story may have fewer than another: what did not crash is tried once more.
        survived = points
        for _ in range(2):
            survived = [p for p, n in self.sweep(survived).items() if n == 0]
        self.assertFalse({("before:1",), ("after:1",)} & set(survived), "there is no story without a commit")
        self.assertLess(len(survived), len(points) // 2, survived)

    def test_again_while_recovering(self):
        commits = self.commits()
        step = 1 if os.environ.get("HM_LONG") else max(1, commits // 5)
        points = [(f"after:{n}", second) for n in range(2, commits + 1, step) for second in ("before:1", "after:2")]
        self.sweep(points)


class Kill(Case):
    """The same from outside, at moments that the world and Slack can show: works with every build."""

    def gate(self):
        self.bot.start()
        card = self.retract(DATASET)
        card.wait_button("Approve")
        return card

    def waiting(self, n=1):
        deadline = Deadline()
        while self.world.counts()["waiting"] < n:
            self.assertFalse(deadline.over(), "no request is held")
            self.bot.child._pause()

    def assert_one_card(self):
        self.assertEqual(len([m for m in self.slack.messages() if DATASET in json.dumps(m)]), 1)

    def test_while_it_reads(self):
        self.world.fault("hold", prefix="/metapod/api/graphql", times=1)
        self.bot.start()
        self.slack.slash(f"retract {DATASET}")
        self.waiting()
        self.bot.kill()
        self.world.release()
        self.bot.start()
        card = self.card(DATASET)
        card.click("Approve", BEN)
        card.wait("Done")
        self.assert_one_card()
        self.assertEqual(self.world.posts(), 1)

    def test_at_the_gate(self):
        card = self.gate()
        self.bot.kill()
        self.bot.start()
        card.click("Approve", BEN)
        card.wait("Done")
        self.assert_one_card()
        self.assertEqual(self.world.posts(), 1)

    def test_while_the_request_is_under_way_and_it_happens(self):
        card = self.gate()
        self.world.fault("hold")
        card.click("Approve", BEN)
        self.waiting()
        self.bot.kill()
        self.world.release()
        self.bot.start()
        end = card.wait("Done")
        self.assertIn("happened", end, "the card says that it had to look")
        self.assertEqual(self.world.posts(), 1)
        self.assertEqual(self.world.applied(DATASET), 1)
        self.assert_one_card()

    def test_while_the_request_is_under_way_and_it_does_not_happen(self):
        card = self.gate()
        self.world.fault("hang")
        card.click("Approve", BEN)
        self.waiting()
        self.bot.kill()
        self.bot.start()
        card.wait("Done")
        self.assertEqual(self.world.posts(), 2, "it looked, saw that it had not happened, and sent it again")
        self.assertEqual(self.world.applied(DATASET), 1)

    def test_while_a_request_that_is_sent_once_is_under_way(self):
        self.bot.edit_recipe("retract", (r'(do = "metapod.retract-dataset";)', r'\1 effect = "once";'))
        card = self.gate()
        self.world.fault("hang")
        card.click("Approve", BEN)
        self.waiting()
        self.bot.kill()
        self.bot.start()
        card.wait_button("It did not")
        self.assertIn("hausmeister was restarted while the request was under way", card.text())
        self.assertEqual(self.world.posts(), 1, "never repeated by itself")
        card.click("Stop here", BEN)
        end = card.wait("Failed")
        self.assertNotIn("*Done*", end)
        self.assertEqual((self.world.posts(), self.world.applied(DATASET)), (1, 0))

    def test_while_the_end_is_verified(self):
        card = self.gate()
        self.world.fault("hold", prefix="/metapod/api/graphql", times=1, skip=2)  # not the look right before the request
        card.click("Approve", BEN)
        self.waiting()
        self.assertEqual(self.world.posts(), 1)
        self.bot.kill()
        self.world.release()
        self.bot.start()
        card.wait("Done")
        self.assertEqual(self.world.posts(), 1)
        self.assert_one_card()

    def test_while_the_card_is_being_posted(self):
        """Slack has the message, the bot never heard of it: it finds its own message instead of posting a second."""
        self.bot.start()
        self.slack.post("nasty", api={"chat.postMessage": {"hang_after": True, "n": 1}})
        self.slack.slash(f"retract {DATASET}")
        self.slack.wait(alive=self.alive(), channel=OPS, contains=DATASET)
        self.bot.kill()
        self.slack.post("nasty", api={"chat.postMessage": None})
        self.bot.start()
        card = self.card(DATASET)
        card.click("Approve", BEN)
        card.wait("Done")
        self.assert_one_card()

    def test_ten_times_in_a_row(self):
        card = self.gate()
        for _ in range(10):
            self.bot.kill()
            self.bot.start()
        card.click("Approve", BEN)
        card.wait("Done")
        self.assert_one_card()
        self.assertEqual(self.world.posts(), 1)
        self.assert_audited()


if __name__ == "__main__":
    main()
