"""Every shipped alarm, as text, as an attachment and as blocks, from its first message to its mark: card, click, approval, fixed in the
world. alarm_plays.py has what is played; here is how."""
import contextlib
import glob
import json
import os
import re
import sqlite3
import unittest

import alarm_plays
from alarm_plays import AIRFLOW, DATA, MACHINES, NEWS, SILENT, TOLD
from harness import ANA, BOOKS, TOP, Case, Deadline, check, main, sample_world
from shipped import make_checkout

SHAPES = ("text", "attachment", "blocks")
RULES = os.path.join(TOP, "config", "alarms")
RECIPES = os.path.join(TOP, "config", "recipes")
# What takes minutes in a recipe takes moments here; the ten minutes in which no letter may come, too.
FASTER = ((r'\b(every|wait)( *= *)"\d+[sm]"', r'\1\2"100ms"'), (r'(again\.total > 0"; every = "100ms"; within = )"10m"', r'\1"300ms"'))


def corpus():
    """{rule: [[text, attachment, blocks], …]} of the samples that are alarms."""
    found = {}
    with open(os.path.join(TOP, "tests", "golden", "alarm", "corpus.jsonl")) as file:
        for sample in map(json.loads, file):
            if sample["verdict"] == "match" and sample["name"].rsplit("-", 1)[-1] in SHAPES:
                found.setdefault(sample["alarm"], []).append(sample)
    grouped = {}
    for rule, samples in found.items():
        for sample in samples:
            if sample["name"].endswith("-text"):
                grouped.setdefault(rule, []).append([])
            grouped[rule][-1].append(sample)
    return grouped


def other_values(sample, swap):
    text = json.dumps(sample, ensure_ascii=False)
    for old, new in swap.items():
        check(old in text, f"{sample['name']} has no {old}")
        text = text.replace(old, new)
    return json.loads(text)


def as_people_write(message):
    """A person has no attachments and blocks of his own: what the client makes of the same words."""
    text = message["text"]
    rich = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": text.replace("`", "")}]}]}
    link = {"title": "Operations", "text": "What the link shows", "from_url": "https://wiki.example.org/", "is_msg_unfurl": False}
    return [message, {**message, "attachments": [link]}, {**message, "blocks": [rich]}]


def shapes_of(text):
    head, _, rest = text.partition("\n")
    more = [{"type": "section", "text": {"type": "mrkdwn", "text": rest}}] if rest else []
    return [{"text": text}, {"text": "", "attachments": [{"title": head, "text": rest}]},
            {"text": "", "blocks": [{"type": "header", "text": {"type": "plain_text", "text": head}}, *more]}]


def shipped(kind, name):
    with open(os.path.join(TOP, "config", kind, name + ".cfg")) as file:
        return re.sub(r"(?m)^\s*#.*$", "", file.read())


def names(folder):
    return sorted(os.path.basename(p)[:-4] for p in glob.glob(os.path.join(folder, "*.cfg")))


class Table(unittest.TestCase):
    """The table is whole: whatever is shipped is played."""

    def test_every_rule_and_every_offer_has_its_play(self):
        rows = [*AIRFLOW, *MACHINES, *DATA, *TOLD]
        self.assertEqual(sorted({r.name for r in rows} | set(SILENT) | set(NEWS)), names(RULES))
        for rule in names(RULES):
            offered = re.search(r"(?s)\boffers\s*=\s*\((.*?)\n\);", shipped("alarms", rule))
            labels = set(re.findall(r'\blabel = "([^"]*)"', offered[1])) if offered else set()
            played = {re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "${item}", p.label) for r in rows if r.name == rule for p in r.plays}
            self.assertEqual(played, labels, rule)
            self.assertEqual(bool(re.search(r"\bauto\s*=", shipped("alarms", rule))), any(r.looked for r in rows if r.name == rule), rule)

    def test_every_sample_of_a_rule_is_played(self):
        samples = corpus()
        rows = [*AIRFLOW, *MACHINES, *DATA, *TOLD]
        for rule in {r.name for r in rows}:
            self.assertEqual(sorted(r.sample for r in rows if r.name == rule), list(range(len(samples[rule]))), rule)


class Played(Case):
    """One bot for many alarms; the world begins anew for each."""

    rules = ()

    @staticmethod
    def world_state():
        state = sample_world()
        state["cloudwatch"]["config"]["ahead_minutes"] = 60  # the minutes after a change are there at once
        return state

    def setUp(self):
        super().setUp()
        self.bot.use_alarms()
        self.bot.write_config(speed=50)
        self.bot.use_shipped(*names(RECIPES))
        for name in names(RECIPES):
            text = shipped("recipes", name)
            for pattern, new in FASTER:
                text = re.sub(pattern, new, text)
            self.bot.add_recipe(name, text)
        if make_checkout(self.folder) is None:
            self.skipTest("git is not installed")
        self.slack.post("config", rate_scale=0)
        self.samples = corpus()

    # --- words ------------------------------------------------------------------------------------------------------------------
    def say(self, message, like):
        who = {"bot": like["bot_id"]} if "bot_id" in like else {"user": ANA}
        return self.slack.post("message", channel=like["channel"], **who,
                               **{k: message[k] for k in ("text", "attachments", "blocks") if k in message})

    def until(self, what, look):
        """Until look() is something; it. Nobody can be asked to report these."""
        deadline = Deadline()
        while True:
            found = look()
            if found:
                return found
            check(self.bot.child.alive(), f"the bot has ended: {what}\n{self.bot.child.tail()}")
            check(not deadline.over(), f"waited in vain: {what}")
            self.slack.wait(idle_ms=20)

    def replies(self, message):
        thread = self.slack.get("thread", channel=message["channel"], ts=message["ts"])["messages"]
        return [m for m in thread if m.get("bot_id") == "B0BOT" and "_only_user" not in m]

    def alarm_card(self, message, rule):
        found = self.slack.wait(channel=message["channel"], thread_ts=message["ts"], contains=f"rule `{rule}`", alive=self.alive(),
                                **{"from": "B0BOT"})["message"]
        return self.stage.card_of(found, message["channel"])

    def marks(self, message):
        found = next(m for m in self.slack.messages(message["channel"]) if m["ts"] == message["ts"])
        return [r["name"] for r in found.get("reactions", [])]

    def new_world(self, *changes):
        state = self.world_state()
        for change in changes:
            change(state)
        self.assertEqual(self.world.http.request("POST", "/_world/load", state), {"ok": True})

    # --- the alarm ----------------------------------------------------------------------------------------------------------------
    def raise_alarm(self, rule, first, swap):
        """In all three shapes, the first one being `first`; the message that has the card, and the card."""
        samples = [other_values(s, swap) for s in self.samples[rule.name][rule.sample]]
        like = samples[0]["message"]
        shapes = [s["message"] for s in samples] if "bot_id" in like else as_people_write(like)
        self.assertEqual(len(shapes), len(SHAPES), rule.name)
        said = self.say(shapes[first], like)
        card = self.alarm_card(said, rule.name)
        text = card.text()
        title, kind, doc = re.search(r'(?ms)^title\s*= "([^\n]*)";.*^(doc|runbook)\s*= "([^\n]*)";', shipped("alarms", rule.name)).groups()
        words, where = (doc, BOOKS["cookbook"]) if kind == "doc" else (f"On-call runbook, {doc}", BOOKS["runbook"])
        for wanted in (f"*{title}*", words, where, *rule.says):
            self.assertIn(wanted, text)
        for name, value in samples[first if "bot_id" in like else 0]["fields"].items():
            for one in value if isinstance(value, list) else [value]:
                self.assertRegex(text, rf"(?i)\b{name} (`[^`]*`, )*`{re.escape(str(one))}`")
        others = [self.say(m, like) for i, m in enumerate(shapes) if i != first]
        card.wait("3 times")  # they are the same alarm, whatever its shape
        for other in others:
            self.assertEqual(self.replies(other), [])
        for wanted in rule.looked:
            card.wait("Looked by itself")
            card.wait(wanted)
        if rule.looked:
            self.until(f"{rule.name}: what it looked for is found", lambda: re.search(r"Looked by itself.*: \*done\*", card.text()))
        self.assertEqual(self.marks(said), [])
        return said, card

    # --- and what is done about it --------------------------------------------------------------------------------------------------
    def fill_form(self, values):
        """The form that an offer has opened: what is offered in a list is chosen there, the rest is typed."""
        view = self.slack.wait(view=1, user=ANA, alive=self.alive())["view"]
        fields = {b["block_id"]: b["element"]["type"] for b in view["blocks"] if b["type"] == "input"}
        for name, value in values.items():
            if fields[name] == "external_select":
                offered = self.slack.post("suggest", user=ANA, view_id=view["id"], block_id=name, action_id="value", value=value)["options"]
                self.assertIn(value, [o["value"] for o in offered])
                self.slack.post("select", user=ANA, view_id=view["id"], block_id=name, action_id="value",
                                value=next(o for o in offered if o["value"] == value))
        self.slack.post("submit_view", user=ANA, values={n: v for n, v in values.items() if fields[n] != "external_select"})

    def play(self, rule, play, first):
        self.new_world(*rule.world, *play.world)
        alarm, card = self.raise_alarm(rule, first, {**rule.swap, **play.swap})
        buttons = set(card.buttons())
        card.click(play.label, ANA)
        if play.form is not None:
            self.fill_form(play.form)
        chosen = rf"@Ana chose \*{re.escape(play.label)}\* at [^\n]* · run `(r-\w+)`"
        run_id = self.until(f"{play.label} has its run", lambda: re.search(chosen, card.text()))[1]
        found = self.until(f"{run_id} has its card", lambda: [m for m in self.replies(alarm) if m["ts"] != card.ts and run_id in json.dumps(m)])
        run = self.stage.card_of(found[0], alarm["channel"])
        for act in play.acts:
            act(self, run)
        end = self.until(f"{run_id} is over", lambda: re.search(rf"`{run_id}`: \*([^*]+)\*", card.text()))[1]
        self.assertEqual(end, "done", run.text())
        text = card.text().split(f"chose *{play.label}*", 1)[1]
        for wanted in play.shows:
            self.assertIn(wanted, text, run.text())
        if play.fixed:
            play.fixed(self)
        else:
            self.assertEqual(self.world.counts()["effects"], [], "it only looks")
        self.assertNotIn(play.label, card.buttons())
        self.assertEqual(buttons - set(card.buttons()), {play.label})
        looked = not play.fixed and not play.elsewhere
        self.until(f"the mark of {rule.name}", lambda: self.marks(alarm) == ["eyes" if looked else "white_check_mark"])
        if looked:
            self.forget_alarms()  # looking is no cure: the next one would be the same alarm again

    def forget_alarms(self):
        self.bot.stop()
        with contextlib.closing(sqlite3.connect(self.bot.journal)) as journal:
            journal.execute("DELETE FROM facts WHERE space = 'alarm'")
            journal.commit()
        self.bot.start()

    def play_all(self, rules):
        self.bot.start()
        only = os.environ.get("HM_ALARM")
        for rule in rules:
            # Each offer, and each shape as the one that brings the card.
            for i in range(max(len(SHAPES), len(rule.plays))):
                play = rule.plays[i % len(rule.plays)]
                if only and only not in rule.name:
                    continue
                well = False
                with self.subTest(rule=rule.name, offer=play.label, shape=SHAPES[i % len(SHAPES)]):
                    self.play(rule, play, i % len(SHAPES))
                    well = True
                if not well:
                    break  # its alarm is still open: the next one would join it
        self.assert_audited()


class Airflow(Played):
    def test_alarms_of_the_run(self):
        self.play_all(AIRFLOW)


class Machines(Played):
    def test_alarms_of_jobs_and_machines(self):
        self.play_all(MACHINES)


class Data(Played):
    def test_alarms_of_data_and_services(self):
        self.play_all(DATA)


class Told(Played):
    def test_alarms_without_an_offer(self):
        self.bot.start()
        for rule in TOLD:
            like = self.samples[rule.name][rule.sample][0]["message"]
            for i in range(len(SHAPES)):
                with self.subTest(rule=rule.name, sample=rule.sample, shape=SHAPES[i]):
                    apart = {rule.apart: rule.apart[:-1] + str(i + 1)} if rule.apart else {}
                    alarm, card = self.raise_alarm(rule, i, {**rule.swap, **apart})
                    self.assertEqual((card.buttons(), self.marks(alarm)), ({}, []))
                    if rule.remembers:
                        self.assertIn(f"Remembered as `known.{rule.remembers}`", card.text())
                    if not rule.apart:  # over, so that the next one is a new alarm
                        self.say({"text": "Resolved: " + like["text"]}, like)
                        card.wait("*Over*")
                        self.until(f"the mark of {rule.name}", lambda: self.marks(alarm) == ["white_check_mark"])

    def remember_recipe(self):
        self.bot.add_recipe("what-is-known", 'name = "what-is-known"; title = "Known"; steps = ( { id = "a"; say = "' +
                            ", ".join(f"{key} ${{known.{key}.{field}}}" for key, field in SILENT.values()) + '"; } );')

    def test_what_is_only_remembered(self):
        self.remember_recipe()
        self.bot.start()
        for rule, (key, field) in SILENT.items():
            for i, sample in enumerate(self.samples[rule][0]):
                with self.subTest(rule=rule, shape=SHAPES[i]):
                    value = str(4000 + i)
                    sample = other_values(sample, {sample["fields"][field]: value})
                    said = self.say(sample["message"], sample["message"])
                    # What comes after it has its card: so it was dealt with.
                    later = other_values(self.samples["gocd-stage"][0][0], {"3120": value})["message"]
                    self.alarm_card(self.say(later, {**later, "channel": said["channel"]}), "gocd-stage")
                    self.slack.slash("what-is-known")
                    self.stage.card(f"{key} {value}")
                    self.assertEqual((self.replies(said), self.marks(said)), ([], []))

    def test_what_foz_loads_is_not_what_cantareira_has(self):
        self.remember_recipe()
        self.bot.start()
        sample = self.samples["dag-config-loaded"][0][0]
        self.say(sample["message"], sample["message"])
        other = other_values(sample, {"dagao/3120": "daguito/77"})["message"]
        self.say(other, other)
        later = self.samples["gocd-stage"][0][0]["message"]
        self.alarm_card(self.say(later, {**later, "channel": other["channel"]}), "gocd-stage")
        self.slack.slash("what-is-known")
        self.stage.card("dag-config 3120")

    def test_an_offer_is_for_the_place_of_its_alarm(self):
        """What a recipe takes for granted is cantareira's; under an alarm of foz no button may start it like that."""
        here = set()
        for rule, samples in self.samples.items():
            for sample in samples:
                text = re.sub(r"\b(prod-)?dagao", lambda m: (m[1] or "") + "daguito", sample[0]["message"]["text"]).replace("cantareira", "foz")
                message = {**sample[0]["message"], "text": text + "\nstack: foz-stable"}
                judged = json.loads(self.bot.cli("match", "--json", stdin=json.dumps(message), code=None)[0])
                if judged["alarm"] != rule or judged["environment"] != "foz":
                    here.add(rule)
                    continue
                for start in [*judged["offers"], *judged.get("auto", [])]:
                    params = re.search(r"(?s)\bparams\s*=\s*\((.*?)\n\);", shipped("recipes", start["recipe"]))[1]
                    for name, kind, more in re.findall(r'name = "([^"]*)"; type = "([^"]*)";([^}]*\$\{known\.etl\.[^}]*\}|[^}]*)', params):
                        if kind == "environment":
                            self.assertEqual(start["with"].get(name), "foz", (rule, start))
                        elif "${known.etl." in more:
                            self.assertIn(name, start["with"], (rule, start))
        self.assertEqual({r for r in here if '"environment"' in shipped("alarms", r)}, set(), "these could not be told to be foz's")

    def raise_once(self, name, shape):
        sample = self.samples[name][0][shape]["message"]
        said = self.say(sample, sample)
        return said, self.alarm_card(said, name)

    def test_the_news_that_it_is_over(self):
        self.bot.start()
        for rule, (name, news) in NEWS.items():
            like = self.samples[name][0][0]["message"]
            alarm, card = None, None
            for i in range(len(SHAPES)):
                with self.subTest(rule=rule, shape=SHAPES[i]):
                    over = rule.startswith("over")
                    if over or alarm is None:
                        alarm, card = self.raise_once(name, i)
                        buttons = set(card.buttons())
                    said = self.say(shapes_of(news(like["text"], 40 + i))[i], like)
                    if over:
                        card.wait("*Over*")
                        self.assertEqual(card.buttons(), {})
                        self.until(f"the mark of {name}", lambda: self.marks(alarm) == ["white_check_mark"])
                    else:
                        self.assertIn(":eyes:", card.wait(str(40 + i)))
                        self.assertEqual((set(card.buttons()), self.marks(alarm)), (buttons, []))
                    self.assertEqual(self.replies(said), [])


if __name__ == "__main__":
    main()
