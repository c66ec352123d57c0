"""The Home tab: published when it is opened, current while somebody looks, quiet otherwise; gates are looked at and decided from it."""
import json

from harness import ANA, BEN, CAMILA, DAN, DATASET, DATASET_NAME, COMMITTED_2, OPS, Case, main

BAD = '''name = "bad-dataset"; title = "A dataset is bad"; channels = [ "squad-di-alarms" ]; from = [ "splunk" ];
match = "(?i:bad dataset) (?<id>{{uuid}}){{end}}"; fields = ( { name = "id"; type = "uuid"; } );
dedupe = { key = "${id}"; for = "2h"; }; say = "Dataset `${id}` is bad.";
'''
OVER = '''name = "over"; title = "It is over"; channels = [ "squad-di-alarms" ]; from = [ "splunk" ];
match = "^\\\\[RESOLVED\\\\]"; resolves = [ "*" ];
'''


class Home(Case):
    def open(self, user):
        self.slack.post("home_open", user=user)
        return self.slack.wait(home=1, user=user, alive=self.alive())

    def home(self, user):
        return self.slack.get("views", user=user)["homes"][0]

    def text(self, user):
        return json.dumps(self.home(user)["blocks"], ensure_ascii=False)

    def until(self, user, contains, **more):
        """Until the tab says this."""
        self.slack.wait(home=1, user=user, contains=contains, alive=self.alive(), **more)

    def click(self, user, action):
        element = next(b["accessory"] for b in self.home(user)["blocks"] if b.get("accessory", {}).get("action_id") == action)
        return self.slack.post("click", user=user, home=True, action_id=action, value=element.get("value"))

    def published(self):
        return self.slack.stats()["api_calls"].get("views.publish", 0)

    def test_a_gate_is_decided_from_home(self):
        self.bot.start()
        self.open(BEN)
        self.assertIn("Nothing waits for your decision", self.text(BEN))
        card = self.retract(DATASET)
        card.wait_button("Approve")
        self.until(BEN, "Decide …")
        self.assertIn(f"/archives/{OPS}/p", self.text(BEN), "a link to the card")

        # Who asked has nothing to decide, and Dan may not.
        self.open(ANA)
        self.open(DAN)
        for user in (ANA, DAN):
            self.assertNotIn("Decide …", self.text(user))
        self.assertIn("no recipe that you may start", self.text(DAN))

        self.click(BEN, "hm.look")
        view = self.slack.wait(view=1, user=BEN, contains="Exactly this will be sent")["view"]
        self.assertIn(f"committed-dataset/{DATASET}", json.dumps(view))
        self.slack.post("submit_view", user=BEN, values={})
        self.slack.wait(view=1, user=BEN, absent=1)
        card.wait("Done")
        self.assertEqual(self.world.posts(), 1)
        self.until(BEN, "Decide …", absent=1)
        self.until(BEN, "*done*")

    def test_the_card_comes_late(self):
        self.bot.start()
        self.open(BEN)
        self.slack.post("nasty", api={"chat.postMessage": {"error": "internal_error"}})
        self.slack.slash(f"retract {DATASET}")
        self.until(BEN, "Decide …")
        self.assertNotIn("/archives/", self.text(BEN))
        self.slack.post("nasty", api={"chat.postMessage": None})
        self.until(BEN, f"/archives/{OPS}/p")

    def test_a_link_after_everything_was_stopped(self):
        """What is told to all cards leaves the address of the workspace where it is."""
        self.bot.start()
        self.slack.slash("stop all", user=CAMILA)
        self.whisper(CAMILA, "Everything is stopped")
        self.slack.slash("resume", user=CAMILA)
        self.whisper(CAMILA, "Everything goes on.")
        card = self.retract(DATASET)
        card.wait_button("Approve")
        self.open(BEN)
        self.assertIn(f"<http://127.0.0.1:{self.slack.port}/archives/{OPS}/p", self.text(BEN))

    def test_rejecting_from_home(self):
        self.bot.start()
        card = self.retract(DATASET)
        card.wait_button("Approve")
        self.open(CAMILA)
        self.click(CAMILA, "hm.look")
        view = self.slack.wait(view=1, user=CAMILA, contains="Exactly this will be sent")["view"]
        self.slack.post("click", user=CAMILA, view_id=view["id"], action_id="hm.reject-why")
        self.slack.wait(view=1, user=CAMILA, contains="Nothing is sent")
        self.slack.post("submit_view", user=CAMILA, values={"reason": "Not today"})
        self.slack.wait(view=1, user=CAMILA, absent=1)  # the one below it too
        self.assertIn("Not today", card.wait("Rejected"))

    def test_a_dialog_that_is_open_when_somebody_else_decides(self):
        self.bot.start()
        card = self.retract(DATASET)
        card.wait_button("Approve")
        self.open(CAMILA)
        self.click(CAMILA, "hm.look")
        self.slack.wait(view=1, user=CAMILA, contains="Exactly this will be sent")
        card.click("Approve", BEN)
        card.wait("Done")
        self.slack.post("submit_view", user=CAMILA, values={})
        self.slack.wait(view=1, user=CAMILA, contains="already approved by @Ben")
        self.assertEqual(self.world.posts(), 1)

    def test_it_costs_nothing_when_nobody_looks(self):
        self.bot.start()
        card = self.retract(DATASET)
        card.wait_button("Approve")
        card.click("Approve", BEN)
        card.wait("Done")
        self.slack.wait(idle_ms=500)
        self.assertEqual(self.published(), 0)
        self.slack.post("home_open", user=ANA, tab="messages")
        self.slack.wait(idle_ms=300)
        self.assertEqual(self.published(), 0)

        # Opened twice with nothing new: published once.
        self.open(ANA)
        self.slack.post("home_open", user=ANA)
        self.slack.wait(idle_ms=300)
        self.assertEqual(self.published(), 1)

    def test_an_alarm_shows_while_somebody_looks(self):
        """Published once for each state of a case, and for nobody who does not look."""
        self.bot.use_alarms(bad=BAD, over=OVER)
        self.bot.start()
        self.open(BEN)
        before = self.published()
        alarm = self.slack.post("message", channel="C0DI", bot="B0SPLUNK", text=f"bad dataset {DATASET}")
        self.until(BEN, ":rotating_light: A dataset is bad")
        self.assertIn(f"/archives/C0DI/p{alarm['ts'].replace('.', '')}", self.text(BEN), "a link to the alarm")
        self.slack.post("message", channel="C0DI", bot="B0SPLUNK", text=f"[RESOLVED] bad dataset {DATASET}")
        self.until(BEN, ":white_check_mark: A dataset is bad")
        self.slack.wait(idle_ms=300)
        self.assertEqual(self.published() - before, 2)
        self.assertEqual(len(self.slack.get("views")["homes"]), 1)

    def test_starting_from_home(self):
        self.bot.start()
        self.open(ANA)
        home = self.home(ANA)
        shown = self.slack.post("suggest", user=ANA, view_id=home["id"], action_id="hm.pick", value="retract")["options"]
        self.slack.post("select", user=ANA, view_id=home["id"], action_id="hm.pick", value=shown[0])
        self.slack.wait(view=1, user=ANA, contains="Retract a committed dataset")
        self.slack.post("submit_view", user=ANA, values={"id": COMMITTED_2})
        self.card(COMMITTED_2)

    def test_slack_is_away(self):
        self.bot.start()
        self.slack.post("nasty", api={"views.publish": {"n": 1, "error": "internal_error"}})
        self.slack.post("home_open", user=ANA)
        self.slack.wait(home=1, user=ANA, alive=self.alive())  # repeated: it changes nothing to do it twice


if __name__ == "__main__":
    main()
