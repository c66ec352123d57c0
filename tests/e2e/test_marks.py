"""The mark on an alarm: what came of the runs that were started about it. A look is no cure, a later run moves the mark, and of two
marks never both stay."""
import re

from alarm_case import BAD, LOOK, AlarmCase
from harness import ANA, BEN, COMMITTED_2, DATASET, OPS, TRANSACTION, check, main

LOOKING = BAD.replace('style = "danger"; } );', 'style = "danger"; },\n  { recipe = "look-at-it"; label = "Look at it"; with = { id = "${id}"; }; } );')
SEVERAL = f'''name = "several"; title = "Retract several"; who = [ "hausmeister" ];
params = ( {{ name = "id"; type = "uuid"; help = "id"; }} );
steps = (
  {{ id = "list"; do = "metapod.datasets"; with = {{ transaction = "{TRANSACTION}"; committed = "yes"; }}; }},
  {{ id = "gate"; approve = "Retract them?"; by = [ "hausmeister" ]; }},
  {{ id = "retract"; foreach = "list.list"; as = "one"; on_error = "continue"; do = "metapod.retract-dataset"; with = {{ id = "${{one.id}}"; }};
    probe = {{ transaction = "{TRANSACTION}"; }}; }}
);
'''
GOES_ON = f'''name = "look-around"; title = "Look around"; who = [ "hausmeister" ];
steps = ( {{ id = "next"; offer = ( {{ recipe = "retract"; label = "Retract this";
  with = {{ id = "{DATASET}"; transaction = "{TRANSACTION}"; }}; }} ); }} );
'''
AROUND = BAD.replace('recipe = "retract"; label = "Retract it"; with = { id = "${id}"; }', 'recipe = "look-around"; label = "Look around"')


class Marks(AlarmCase):
    def run_of(self, card, said):
        card.wait(said)
        return re.search(rf"{re.escape(said)}.*?run `(r-\w+)`", card.wait("is under way"))[1]

    def test_a_look_then_a_run_then_the_same_again(self):
        self.bot.add_recipe("look-at-it", LOOK)
        self.bot.use_alarms(bad=LOOKING)
        self.bot.start()
        alarm = self.say(f"bad dataset {DATASET}")
        card = self.alarm_card(alarm)
        card.click("Look at it", BEN)
        self.assertIn(":eyes: ", card.wait("*done*, it only looked"))
        self.wait_marks(alarm, "eyes")
        self.assertIn("Retract it", card.buttons())
        self.say(f"bad dataset {DATASET}")  # nothing is settled: no news
        card.wait("2 times")
        card.click("Retract it", ANA)
        run = self.run_of(card, "chose *Retract it*")
        self.run_card(alarm).reject(BEN)
        card.wait(": *rejected*")
        self.wait_marks(alarm, "warning")
        self.bot.stop()
        self.bot.start()
        self.slack.slash(f"retry {run}", user=ANA)
        again = self.card("Retract a committed dataset")
        self.assertNotEqual(self.run_of(card, "started again *Retract it*"), run)
        self.assertEqual(self.reactions(alarm), ["warning"])
        again.click("Approve", BEN)
        card.wait("*done*")
        self.wait_marks(alarm, "white_check_mark")
        self.assertEqual(self.world.posts(), 1)
        self.assertIn("*rejected*", card.text())
        self.bot.stop()
        self.bot.audit()

    def test_what_failed_is_retried_in_the_same_run(self):
        self.bot.add_recipe("several", SEVERAL)
        self.bot.use_alarms(bad=BAD.replace('recipe = "retract"', 'recipe = "several"'))
        self.world.fault("status", prefix="/metapod/api/migrations/retract/committed-dataset/" + COMMITTED_2, status=400, times="always")
        self.bot.start()
        alarm = self.say(f"bad dataset {DATASET}")
        card = self.alarm_card(alarm)
        card.click("Retract it", ANA)
        run = self.run_card(alarm, "Retract several")
        run.click("Approve", BEN)
        card.wait(": *partial*")
        self.wait_marks(alarm, "warning")
        self.world.mend()
        run.click("Retry failed only", ANA)
        card.wait("is under way")
        self.bot.kill()
        self.bot.start()
        run.click("Approve", BEN)
        card.wait(": *done*")
        self.wait_marks(alarm, "white_check_mark")

    def test_what_a_look_offered_counts(self):
        self.bot.add_recipe("look-around", GOES_ON)
        self.bot.use_alarms(bad=AROUND)
        self.bot.start()
        alarm = self.say(f"bad dataset {DATASET}")
        card = self.alarm_card(alarm)
        card.click("Look around", ANA)
        self.wait_marks(alarm, "eyes")
        self.run_card(alarm, "Retract this").click("Retract this", ANA)
        card.wait("went on with *Retract a committed dataset*")
        self.run_card(alarm).click("Approve", BEN)
        card.wait("*done*")
        self.wait_marks(alarm, "white_check_mark")
        self.assertEqual(len(self.bot.runs()), 2)

    def test_what_slack_refuses(self):
        """Too many calls; and an answer that is lost, so that the second call is told that it was done already."""
        self.bot.start()
        alarm = self.say(f"bad dataset {DATASET}")
        card = self.alarm_card(alarm)
        self.slack.post("nasty", api={"reactions.add": {"status": 429, "retry_after": 1, "n": 1}})
        card.click("Retract it", ANA)
        run = self.run_of(card, "chose *Retract it*")
        self.run_card(alarm).reject(BEN)
        self.wait_marks(alarm, "warning")
        self.slack.post("nasty", api={"reactions.add": {"status_after": 503, "n": 1}, "reactions.remove": {"status_after": 503, "n": 1}})
        self.slack.slash(f"retry {run}", user=ANA)
        self.card("Retract a committed dataset").click("Approve", BEN)
        card.wait("*done*")
        self.wait_marks(alarm, "white_check_mark")
        refused = [e.get("answer", {}).get("error") for e in self.slack.log(kind="api") if e.get("method", "").startswith("reactions.")]
        self.assertIn("no_reaction", refused)
        self.slack.wait(calls="reactions.add:4", alive=self.alive())
        self.quiet()
        self.assertEqual(self.reactions(alarm), ["white_check_mark"])

    def test_crash_sweep(self):
        """Looked at, rejected, started again, done: whenever the bot dies, the marks follow and only one is left."""
        def play(life):
            life.stage.bot.add_recipe("look-at-it", LOOK)
            life.stage.bot.use_alarms(bad=LOOKING)
            life.start()
            alarm = life.raise_alarm(f"bad dataset {DATASET}")
            typed_at = []  # how often the bot had died by then

            def step():
                replies = life.replies(alarm)
                cards = [m for m in replies if "A dataset is bad" in life.text(m)]
                runs = [m for m in replies if "Retract a committed dataset" in life.text(m)]
                again = [m for m in life.stage.slack.messages(OPS) if "Retract a committed dataset" in life.text(m)]
                said = life.text(cards[0]) if cards else ""
                marks = life.marks(alarm)
                if "it only looked" not in said:
                    for card in cards:
                        life.click(card, "Look at it", BEN)
                elif not runs and marks == ["eyes"]:
                    life.click(cards[0], "Retract it", ANA)
                elif ": *rejected*" not in said:
                    for run in runs:
                        life.click(run, "Reject", BEN)
                        life.stage.slack.http.request("POST", "/_sim/submit_view?wait=ack", {"user": BEN, "values": {}})
                elif not again and marks == ["warning"] and typed_at[-1:] != [life.deaths]:
                    typed_at.append(life.deaths)
                    run = re.search(r"chose \*Retract it\*.*?run `(r-\w+)`", said)[1]
                    life.stage.slack.http.request("POST", "/_sim/slash?wait=ack", {"user": ANA, "channel": OPS, "text": f"retry {run}"})
                for run in again:
                    life.click(run, "Approve", BEN, OPS)
                return marks == ["white_check_mark"] and "started again *Retract it*" in said and "is under way" not in said

            life.until(step)
            check(life.stage.world.posts() == 1, f"{life.stage.world.posts()} POSTs")

        self.sweep(play, 12, step=3)


if __name__ == "__main__":
    main()
