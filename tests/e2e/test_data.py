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

    # --- what depends on what -----------------------------------------------------------------------------------------------------
    def test_critical(self):
        self.recipes("critical")
        text = self.run_recipe("critical fx-rates", "business critical?").wait("Done")
        self.assertIn("`dataset/fx-rates` has 3 successors; policies among them: policy/proactive-limit-v3", text)
        self.assertIn("Successors of `model/fx-rates` are not known", text)
        self.assertIn("You decide", text)

    def test_successors(self):
        self.recipes("successors")
        text = self.run_recipe("successors policy/brando-risk-curve-v5", "What depends").wait("Done")
        self.assertIn("policy/proactive-limit-v3", text)
        text = self.run_recipe("successors series-contract/scr-operacao source=file", "scr-operacao").wait("Done")
        self.assertIn("dataset/scr-exposure", text)
        self.assertIn("series-raw/scr-operacao-contract-parquet", text)
        text = self.run_recipe("successors dataset/prospect-key-integrity", "prospect-key-integrity").wait("Done")
        self.assertIn("nothing depends on it there", text)
        text = self.run_recipe("successors dataset/misspelt", "misspelt").wait("Stopped")
        self.assertIn("not the same as having no successors", text)

    def test_warehouse_loaded(self):
        self.recipes("warehouse-loaded")
        text = self.run_recipe("warehouse-loaded dataset/lusa-scores 2026-11-22", "loaded into").wait("Done")
        self.assertIn("loaded_at 2026-11-22T05:12:09.500Z, row_count 48211093", text)
        text = self.run_recipe("warehouse-loaded dataset/lusa-scores 2026-11-23", "2026-11-23").wait("Done")
        self.assertIn("That is *not yet*, or another name", text)

    # --- before a stack is torn down ------------------------------------------------------------------------------------------------
    def test_teardown_checks(self):
        self.recipes("teardown-checks")
        text = self.run_recipe("teardown-checks blue-41", "`blue-41`").wait("Done")
        self.assertEqual((text.count(":white_check_mark: No"), "NOT" in text), (2, False), text)
        text = self.run_recipe("teardown-checks green-40", "`green-40`").wait("Done")
        self.assertIn("tapir-consumer global PARTITION-TO-SERVE: 15230", text)
        self.assertEqual(text.count("NOT CLEAR"), 3, text)
        text = self.run_recipe("teardown-checks blue-14", "`blue-14`").wait("Done")  # misspelt: nothing may look clear
        self.assertEqual((text.count("NOT VERIFIED"), "white_check_mark: No" in text, "Internal lag of riverbend: 0" in text),
                         (4, False, False), text)

    def test_teardown_checks_with_a_silent_store(self):
        state = self.world.http.request("GET", "/_world/state")
        state["prometheus"]["config"]["warning"] = "store-3 did not answer"
        self.world.http.request("POST", "/_world/load", body=state)
        self.recipes("teardown-checks")
        text = self.run_recipe("teardown-checks blue-41", "`blue-41`").wait("Done")
        self.assertIn("NOT VERIFIED: lags. store-3 did not answer", text)
        self.assertNotIn("No lag of 1,000", text)


if __name__ == "__main__":
    main()
