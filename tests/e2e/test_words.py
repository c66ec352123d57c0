"""Slash text as people type it: what phones, Slack and copying make of it; --dry-run; one sentence when something is wrong."""
from harness import ANA, BEN, COMMITTED_2, DATASET, DATASET_NAME, OPS, TRANSACTION, Case, Deadline, main


RANDOM = "C0RANDOM"  # the bot is not in it


class Words(Case):
    def test_what_phones_and_pages_make_of_a_command(self):
        self.bot.start()
        dashed = DATASET.replace("-", "–")
        for text in (f"Retract\u00a0{DATASET}", f"`retract` `{DATASET}`", f"retract “{DATASET.upper()}”", f"retract {dashed}",
                     f"retract Id = {DATASET}", f"retract <https://metapod.example.com/dataset/{DATASET}?tab=schema>",
                     f"run retract {DATASET}"):
            before = len(self.slack.messages())
            self.slack.slash(text)
            card = self.card(DATASET_NAME)
            card.wait_button("Approve")
            card.reject(BEN)
            card.wait("Rejected")
            self.slack.post("delete_message", channel=OPS, ts=card.ts)
            self.assertLessEqual(len(self.slack.messages()), before + 1, text)

    def test_one_sentence_when_something_is_wrong(self):
        self.bot.start()
        for text, sentence in ((f"retrcat {DATASET}", "retract"), ("retract 5a5d", "uuid"), (f"retract {DATASET} trans={TRANSACTION}", "transaction"),
                               (f"retract {DATASET} --force", "--dry-run"), (f"retract '{DATASET}", "never closed")):
            self.slack.slash(text)
            self.whisper(ANA, sentence)
        self.assertEqual(self.slack.messages(), [], "what one person typed is nobody else's business")
        self.assertEqual(self.bot.runs(), [])

    def test_a_dry_run_reads_and_shows_and_sends_nothing(self):
        self.bot.start()
        self.slack.slash(f"retract {DATASET} —dry-run")
        shown = self.whisper(ANA, "Dry run")
        for part in (DATASET_NAME, TRANSACTION, f"POST {self.world.url}/metapod/api/migrations/retract/committed-dataset/{DATASET}",
                     "would be sent", f"/hausmeister retract {DATASET}"):
            self.assertIn(part, shown)
        self.assertEqual(self.world.posts(), 0)
        self.assertEqual(self.slack.messages(), [])
        self.assertEqual(self.bot.runs(), [])
        self.slack.wait(idle_ms=200)

    def test_a_dry_run_that_was_under_way_at_a_restart(self):
        self.bot.start()
        self.world.fault("hang", prefix="/metapod/api/graphql")
        self.slack.slash(f"retract {COMMITTED_2} --dry-run")
        self.slack.wait(idle_ms=300)
        self.assertEqual(self.bot.stop(), 0)
        self.world.mend()
        self.bot.start()
        self.whisper(ANA, "Dry run")
        self.assertEqual(self.world.posts(), 0)

    def test_a_card_that_comes_up_elsewhere(self):
        """Who asks in a channel where the bot is not, or alone with it, is told where the card is."""
        self.bot.start()
        self.slack.slash(f"retract {DATASET}", channel=RANDOM)
        card = self.card(DATASET_NAME)
        self.assertEqual(card.message["channel"], OPS)
        self.slack.wait(channel=RANDOM, user=ANA, ephemeral=1, contains="is shown in #ops", alive=self.alive())
        self.assertEqual(self.slack.messages(RANDOM), [], "only she is told")
        card.reject(BEN)
        card.wait("Rejected")
        self.slack.post("home_open", user=ANA, tab="messages")
        self.slack.slash(f"retract {COMMITTED_2}", channel="D0ANA")
        self.slack.wait(channel="D0ANA", user=ANA, contains="its card is in #ops", alive=self.alive())
        self.slack.slash(f"retract {DATASET}")
        self.slack.wait(idle_ms=300)
        self.assertEqual(self.whispers(ANA), 0, "who sees the card need not be told where it is")

    def test_the_id_of_a_run_as_it_is_pasted(self):
        self.bot.start()
        self.slack.slash(f"retract {DATASET}")
        card = self.card(DATASET_NAME)
        card.wait_button("Approve")
        run_id = self.bot.runs()[0]["run"]
        for n, words in enumerate((f"run {run_id.upper()}", f"run `{run_id}`"), 1):
            self.slack.slash(words)
            self.slack.wait(channel=OPS, user=ANA, ephemeral=n, contains=DATASET_NAME, alive=self.alive())

        # What is not understood is not passed over.
        for words in (f"cancel {run_id} please", f"take {run_id} x", f"retry {run_id} {DATASET}", f"run {run_id} x", f"resume {run_id}"):
            self.slack.slash(words)
            self.slack.wait(channel=OPS, user=ANA, ephemeral=1, contains=f"is too much behind `/hausmeister {words.split()[0]}", alive=self.alive())
        self.assertEqual(len(self.bot.runs()), 1)
        self.assertNotIn("cancel.asked", [e["type"] for e in self.run_events()])
        self.slack.slash(f"cancel {run_id.upper()}")
        card.wait("Cancelled")

    def test_a_card_that_comes_up_nowhere(self):
        self.bot.write_config(channel=RANDOM)
        self.bot.start()
        self.slack.slash(f"retract {DATASET}", channel=RANDOM)
        self.slack.wait(channel=RANDOM, user=ANA, ephemeral=1, contains="its card is nowhere", alive=self.alive())
        run, = self.bot.runs()
        deadline = Deadline()
        while "gate.opened" not in [e["type"] for e in self.run_events()]:  # before that the dataset's name may be unknown
            self.assertFalse(deadline.over(), "the run does not get to its gate")
            self.bot.child._pause()
        self.slack.slash(f"run {run['run']}", channel=RANDOM)
        self.slack.wait(channel=RANDOM, user=ANA, ephemeral=1, contains=DATASET_NAME, alive=self.alive())


if __name__ == "__main__":
    main()
