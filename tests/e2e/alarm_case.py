"""What the tests of alarms have in common: rules, and the words to raise an alarm and to find what came of it."""
import contextlib
import json
import sqlite3

from harness import TRANSACTION, Case, Deadline, check

DI, ETL, MDS = "C0DI", "C0ETL", "C0MDS"
BAD = '''name = "bad-dataset"; title = "A dataset is bad"; doc = "Removing bad data from Metapod";
channels = [ "squad-di-alarms" ]; from = [ "splunk", "B0HOOK" ];
match = "(?i:bad dataset) (?<id>{{uuid}}){{end}}";
fields = ( { name = "id"; type = "uuid"; }, { name = "why"; type = "string"; find = "(?i:why){{sep}}(?<why>[^\\\\n]+)"; optional = true; },
  { name = "environment"; type = "choice"; choices = [ "cantareira", "foz" ]; of = [ "where" ]; assume = "cantareira"; optional = true;
    map = ( { like = "foz"; is = "foz"; } ); },
  { name = "where"; type = "string"; find = "(?i:where){{sep}}(?<where>[a-z]+)"; optional = true; aside = true; } );
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


class AlarmCase(Case):
    def setUp(self):
        super().setUp()
        self.bot.use_alarms(bad=BAD, over=OVER, taken=TAKEN)

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
