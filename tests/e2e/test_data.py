"""The recipes around data, logs and archives, with the real binary: what people see, and what has changed in the world."""
from harness import Case, main


class Data(Case):
    def recipes(self, *names):
        self.bot.use_shipped(*names)
        self.bot.start()

    def run_recipe(self, words, contains, **how):
        self.slack.slash(words, **how)
        return self.card(contains)

    # --- logs -------------------------------------------------------------------------------------------------------------------
    def test_model_failed(self):
        self.recipes("model-failed")
        card = self.run_recipe("model-failed sorting-hat", "made a model fail")
        text = card.wait("Done")
        self.assertIn("could not read the features of customer [e-mail] ([number])", text)
        self.assertLess(text.index("could not read the features"), text.index("Traceback"), "oldest first")
        self.assertNotIn("ana.souza", self.slack.everything() + str(self.run_events()), "what belongs to a customer")
        self.assertNotIn("of another day", text)
        self.assertEqual(self.world.counts()["effects"], [])

    def test_model_failed_while_splunk_is_busy(self):
        self.world.fault("status", prefix="/splunk/", method="POST", status=503, body='{"messages":[{"type":"ERROR","text":"concurrency"}]}',
                         times=2)
        self.recipes("model-failed")
        card = self.run_recipe("model-failed fx-model earliest=-10m", "made a model fail")
        text = card.wait("Done")
        self.assertIn("No line with", text)
        self.assertIn("before you believe", text)


if __name__ == "__main__":
    main()
