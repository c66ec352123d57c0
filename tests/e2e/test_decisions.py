"""Decisions: a reason with a rejection, somebody of each role, a run that is handed over, going on alone; every button closes when it was
decided elsewhere."""
from harness import ANA, BEN, CAMILA, DAN, DATASET, DATASET_NAME, OPS, Case, main


class Decisions(Case):
    def begin(self, *changes):
        self.bot.edit_recipe("retract", *changes)
        self.bot.write_config()
        with open(self.bot.config) as file:
            text = file.read()
        with open(self.bot.config, "w") as file:
            file.write(text.replace("roles = {", f'roles = {{ data = {{ users = [ "{DAN}" ]; }};'))
        self.bot.start()
        card = self.retract(DATASET)
        card.wait_button("Approve")
        return card

    def test_one_of_each_role(self):
        card = self.begin((r'by = \[ "hausmeister" \]; need = 1;', 'by = [ "hausmeister", "data" ]; each = true;'))
        self.assertIn("1 approval from each of role `hausmeister` and `data`", card.text())
        self.assertIn("0 of 2 so far", card.text())
        card.click("Approve", BEN)
        card.wait("1 of 2 so far (`hausmeister` 1 of 1, `data` 0 of 1)")
        card.click("Approve", CAMILA)
        self.whisper(CAMILA, "what is missing is role `data`")
        self.assertEqual(self.world.posts(), 0)
        card.click("Approve", DAN)
        card.wait("Done")
        self.assertEqual(self.world.posts(), 1)

    def test_rejected_with_a_reason(self):
        card = self.begin()
        answer = card.reject(CAMILA, "It is used by *billing* & co.")
        self.assertTrue(answer["acked"])
        end = card.wait("Rejected")
        self.assertIn("It is used by ", end)
        self.assertEqual(card.buttons(), {})

        # The dialog was open when somebody else decided.
        card = self.retract(DATASET, user=BEN, contains="asked by @Ben")
        card.click("Reject", CAMILA)
        self.slack.wait(view=1, user=CAMILA)
        card.reject(ANA)
        card.wait("Rejected")
        self.slack.post("submit_view", user=CAMILA, values={})
        self.slack.wait(view=1, user=CAMILA, contains="already rejected by @Ana")

    def test_handed_over(self):
        card = self.begin()
        run = self.bot.runs()[0]["run"]
        self.slack.slash(f"take {run}", BEN)
        self.whisper(BEN, "is yours now")
        card.wait("led by @Ben")
        card.click("Approve", BEN)
        self.whisper(BEN, "You lead this run, so somebody else has to approve")
        self.slack.slash(f"take {run}", DAN)
        self.whisper(DAN, "role")
        self.slack.slash("take", BEN)
        self.whisper(BEN, "Of which run?")
        self.assertEqual(self.bot.stop(), 0)
        self.bot.start()
        card.click("Approve", BEN)
        self.assertEqual(self.world.posts(), 0, "who leads it is not forgotten")
        card.click("Approve", CAMILA)
        card.wait("Done")

    def test_going_on_alone(self):
        card = self.begin((r'expires = "15m";', 'expires = "15m"; break_glass = true;'))
        card.click("Go on alone", ANA)
        self.slack.wait(view=1, user=ANA, contains="Why can nobody else approve")
        self.slack.post("submit_view", user=ANA, values={"reason": "Everybody sleeps"})
        self.assertIn("Everybody sleeps", card.wait("Done"))
        told = self.slack.wait(channel="C0AUDIT", contains="Break-glass")["text"]
        self.assertIn("Everybody sleeps", told)
        self.assertIn("@Ana", told)
        self.assertEqual(self.world.posts(), 1)


if __name__ == "__main__":
    main()
