"""What the tests of alarms have in common: rules, and the words to raise an alarm and to find what came of it."""
import concurrent.futures
import contextlib
import json
import os
import signal
import sqlite3

from harness import PATIENCE_S, TRANSACTION, BotDied, Case, Deadline, check, commits_of, crashing

DI, ETL, MDS = "C0DI", "C0ETL", "C0MDS"
BAD = '''name = "bad-dataset"; title = "A dataset is bad"; doc = "Removing bad data from Metapod";
channels = [ "squad-di-alarms" ]; from = [ "splunk", "B0HOOK" ];
match = "(?i:bad dataset) (?<id>{{uuid}}){{end}}";
fields = ( { name = "id"; type = "uuid"; }, { name = "why"; type = "string"; find = "(?i:why){{sep}}(?<why>[^\\\\n]+)"; optional = true; },
  { name = "environment"; type = "choice"; choices = [ "cantareira", "foz" ]; of = [ "where" ]; assume = "cantareira"; optional = true;
    map = ( { like = "foz"; is = "foz"; } ); },
  { name = "where"; type = "string"; find = "(?i:where){{sep}}(?<where>[a-z]+){{end}}"; optional = true; aside = true; } );
dedupe = { key = "${id}"; for = "2h"; };
say = "Dataset `${id}` is bad: ${why}";
offers = ( { recipe = "retract"; label = "Retract it"; with = { id = "${id}"; }; style = "danger"; } );
'''
OVER = '''name = "over"; title = "It is over"; channels = [ "squad-di-alarms" ]; from = [ "splunk" ];
match = "^\\\\[(?:RESOLVED|OK)\\\\]"; resolves = [ "*" ];
'''
TAKEN = '''name = "taken"; title = "Somebody has it"; channels = [ "squad-di-alarms" ]; from = [ "splunk" ];
match = "^\\\\[ACK\\\\]"; resolves = [ "bad-dataset" ]; keeps_open = true;
'''
LOOK = '''name = "look-at-it"; title = "Look at a dataset";
params = ( { name = "id"; type = "uuid"; help = "id"; }, { name = "transaction"; type = "uuid"; help = "t"; default = "${known.etl.transaction}"; } );
steps = ( { id = "find"; do = "metapod.dataset"; with = { id = "${id}"; transaction = "${transaction}"; }; say = "It is `${find.name}`."; } );
'''
AUTO = BAD.replace("offers = (", 'auto = ( { recipe = "look-at-it"; with = { id = "${id}"; }; } );\noffers = (')


class Life:
    """A stage of its own for a story that must end well, whenever the bot dies: it does at each of `crashes` (one for each start),
    and is started again. People do what people do: they look, and click on what is still there."""

    def __init__(self, stage, crashes=()):
        self.stage, self.crashes = stage, list(crashes)
        self.deaths = 0
        # Nothing here is about Slack's pace; and nobody waits for 3 s for the ack of a bot that is dead.
        stage.bot.settings["speed"] = 50
        stage.slack.post("config", rate_scale=0, ack_ms=500)

    def start(self):
        while True:
            extra = {"HM_CRASH_AT": self.crashes.pop(0)} if self.crashes else {}
            child = self.stage.bot.spawn(extra_env=extra)
            if extra:
                child.expected = (0, -signal.SIGKILL)
            try:
                self.stage.slack.wait(alive=child, min_connections=1)
                return
            except BotDied:
                check(extra and child.process.returncode == -signal.SIGKILL, child.tail())
                self.deaths += 1

    def until(self, step, after_a_death=None):
        """step() again and again, until it is true; the bot is started again when it has died."""
        deadline = Deadline(3 * PATIENCE_S)  # it is many waits, and a start after each death
        while True:
            check(not deadline.over(), f"the story does not end\n{self.stage.slack.everything()}")
            if not self.stage.bot.child.alive():
                check(self.stage.bot.child.wait() == -signal.SIGKILL, self.stage.bot.child.tail())
                self.deaths += 1
                if after_a_death:
                    after_a_death()
                self.start()
            if step():
                return
            self.stage.bot.child._pause()
            self.stage.slack.http.request("GET", "/_sim/wait", query={"timeout_ms": 200, "idle_ms": 30})

    def end(self):
        if self.stage.bot.child.alive():  # the last commits are those of the end
            code = self.stage.bot.stop()
            check(code in self.stage.bot.child.expected, self.stage.bot.child.tail())
            self.deaths += 1 if code else 0
        self.stage.judge()

    # --- what people see and do ---------------------------------------------------------------------------------------------------
    def raise_alarm(self, text):
        return self.stage.slack.post("message", channel=DI, bot="B0SPLUNK", text=text)

    def replies(self, alarm):
        return [m for m in self.stage.slack.get("thread", channel=DI, ts=alarm["ts"])["messages"]
                if m.get("bot_id") == "B0BOT" and "_only_user" not in m]

    def marks(self, alarm):
        found = next(m for m in self.stage.slack.messages(DI) if m["ts"] == alarm["ts"])
        return [r["name"] for r in found.get("reactions", [])]

    @staticmethod
    def text(message):
        return json.dumps(message, ensure_ascii=False)

    def click(self, message, label, user, channel=DI):
        """Where it has such a button."""
        for block in message.get("blocks", []):
            for element in block.get("elements", []):
                if element.get("type") == "button" and label in element["text"]["text"]:
                    self.stage.slack.http.request("POST", "/_sim/click?wait=ack", {
                        "user": user, "channel": channel, "ts": message["ts"], "action_id": element["action_id"],
                        "block_id": block["block_id"]})


def live(play, name, crashes, count=False):
    """play(life) on a stage of its own; (deaths, commits: 0 when this build does not count them)."""
    with crashing(name, crashes, count) as stage:
        life = Life(stage, crashes)
        play(life)
        life.end()
        return life.deaths, commits_of(stage)


class AlarmCase(Case):
    def setUp(self):
        super().setUp()
        self.bot.use_alarms(bad=BAD, over=OVER, taken=TAKEN)

    def sweep(self, play, least, step=1):
        """play(life) once without a crash, which must have `least` commits, then with one before and one after each of them (of
        every `step`-th, but for HM_LONG=1)."""
        _, commits = live(play, "count", [], count=True)
        if commits == 0:
            self.skipTest("this build has no crash points (release); the sanitizer build has")
        self.assertGreaterEqual(commits, least)
        points = [f"{side}:{n}" for n in range(1, commits + 1, 1 if os.environ.get("HM_LONG") else step) for side in ("before", "after")]
        # Commits are grouped as they come, so that a story may have fewer than another: what did not crash is tried once more.
        survived = self.play_all(play, self.play_all(play, points))
        self.assertFalse({"before:1", "after:1"} & set(survived), "there is no story without a commit")

    @staticmethod
    def play_all(play, points):
        """Two at a time; the points at which nothing crashed."""
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            futures = {pool.submit(live, play, "crash", [point]): point for point in points}
            try:
                deaths = {futures[f]: f.result()[0] for f in concurrent.futures.as_completed(futures)}
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return [point for point in points if deaths[point] == 0]

    def say(self, text, bot="B0SPLUNK", channel=DI, **more):
        return self.slack.post("message", channel=channel, text=text, **({"bot": bot} if bot else {}), **more)

    def alarm_card(self, message, contains="A dataset is bad"):
        found = self.slack.wait(channel=message["channel"], thread_ts=message["ts"], contains=contains, alive=self.alive(),
                                **{"from": "B0BOT"})["message"]
        found.setdefault("channel", message["channel"])
        return self.stage.card_of(found, message["channel"])

    def replies(self, message):
        """What the bot said in the thread of a message."""
        thread = self.slack.get("thread", channel=message["channel"], ts=message["ts"])["messages"]
        return [m for m in thread if m.get("bot_id") == "B0BOT" and "_only_user" not in m]

    def all_replies(self, channel=DI):
        """{parent ts: the bot's messages in its thread}"""
        return {m["ts"]: self.replies({"channel": channel, "ts": m["ts"]}) for m in self.slack.messages(channel)
                if m.get("bot_id") != "B0BOT"}

    def quiet(self):
        """Until the bot has dealt with all that was said: a later alarm has its card."""
        self.probes = getattr(self, "probes", 0) + 1
        probe = self.say(f"bad dataset {TRANSACTION[:-4]}{self.probes:04x}")
        self.alarm_card(probe)
        return probe

    def assert_open(self, *cards):
        """These alarms are open, in the journal: a card may be behind it."""
        self.quiet()
        with contextlib.closing(sqlite3.connect(self.bot.journal)) as journal:
            cases = [json.loads(value) for value, in journal.execute("SELECT value FROM facts WHERE space = 'alarm'")]
        for card in cards:
            case = next(c for c in cases if c.get("card_ts") == card.ts)
            self.assertEqual(case.get("end", 0), 0, case)

    def reactions(self, message):
        found = next(m for m in self.slack.messages(message["channel"]) if m["ts"] == message["ts"])
        return [r["name"] for r in found.get("reactions", [])]

    def wait_reaction(self, message, name, seconds=None):
        deadline = Deadline(seconds)
        while name not in self.reactions(message):
            check(not deadline.over(), f"no reaction {name}: {self.reactions(message)}\n{self.slack.everything()}")
            self.slack.wait(idle_ms=50)

    def wait_marks(self, message, *names):
        """Until the message has exactly these reactions."""
        deadline = Deadline()
        while self.reactions(message) != [*names]:
            check(not deadline.over(), f"the marks are {self.reactions(message)}, not {names}\n{self.slack.everything()}")
            self.slack.wait(idle_ms=50)

    def run_card(self, alarm, contains="Retract a committed dataset"):
        """The card of a run under an alarm."""
        found = self.slack.wait(channel=DI, thread_ts=alarm["ts"], contains=contains, alive=self.alive())["message"]
        return self.stage.card_of(found, DI)
