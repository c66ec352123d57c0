"""Two hundred commands at once: every one acknowledged in time, every run right, and Slack's pace kept."""
import json
import os
import unittest

from harness import ANA, BEN, CAMILA, OPS, SLOW, Case, Deadline, main

BULK = "f7832a01-001b-56f7-a4fe-b3a417f8f654"  # has 318 generated datasets
CHANNELS = ["C0OPS", "C0ETL", "C0DI", "C0MDS", "C0CHAP", "C0AUDIT"]  # Slack lets a bot post once a second to each


class Load(Case):
    def datasets(self):
        transactions = self.world.http.request("GET", "/_world/state/metapod/transactions")
        bulk = next(t for t in transactions if t["id"] == BULK)
        return [d["id"] for d in bulk["datasets"] if d["committed"]]

    def prepare_bot(self):
        self.bot.write_config(known=BULK)
        self.bot.start()

    def shoot(self, texts, users=(ANA, BEN, CAMILA)):
        """All at once, spread over channels and people; waits for all acks."""
        def one(i, text):
            answer = self.slack.slash(text, users[i % len(users)], CHANNELS[i % len(CHANNELS)])
            return answer["latency_ms"]
        return self.at_once(*[lambda i=i, t=t: one(i, t) for i, t in enumerate(texts)])

    def wait_runs(self, done, patience=1):
        """Until the journal says so; its runs."""
        deadline = Deadline(120 * patience)
        while not deadline.over():
            runs = self.bot.runs()
            if done(runs):
                return runs
            self.assertTrue(self.bot.child.alive(), self.bot.child.tail())
            self.slack.wait(alive=self.alive(), idle_ms=200, seconds=120 * patience)
        raise AssertionError(f"the runs do not come to rest: {len(runs)}")

    def test_two_hundred_at_once_all_wait_at_their_gates(self):
        self.prepare_bot()
        wanted = self.datasets()[:200]
        latencies = self.shoot([f"retract {d}" for d in wanted])
        self.assertEqual(len(latencies), 200)
        self.assertLess(max(latencies), 3000)
        # Every card is there, shows its own request, and has its buttons.
        for i, dataset in enumerate(wanted):
            self.slack.wait(alive=self.alive(), seconds=180 * SLOW, channel=CHANNELS[i % len(CHANNELS)], action="hm.approve",
                            contains=f"committed-dataset/{dataset}")
        runs = self.bot.cli("runs", "--json")[0]
        self.assertEqual(len([r for r in json.loads(runs) if r["going"]]), 200)
        stats = self.slack.stats()
        self.assertEqual(stats["unacked"], 0)
        self.assertEqual(self.world.posts(), 0)
        # One card per run, nothing twice.
        posted = sum(1 for c in CHANNELS for m in self.slack.messages(c) if m.get("bot_id") == "B0BOT")
        self.assertEqual(posted, 200)
        self.assertEqual({m: n for m, n in stats["rate_limited"].items() if n}, {}, "Slack's pace was broken")
        self.stage.pace_forgotten = True
        # A restart with all of them open: they are still there, and one can be approved.
        self.assertEqual(self.bot.stop(), 0)
        self.bot.start()
        card = self.card(wanted[7], CHANNELS[7 % len(CHANNELS)])
        card.click("Approve", CAMILA if 7 % 3 != 2 else ANA)
        card.wait("Done")
        self.assertEqual(self.world.posts(), 1)
        self.assert_audited()

    def test_two_hundred_reads_run_to_their_end(self):
        self.bot.add_recipe("how-many", '''name = "how-many";
title = "Count the committed datasets";
params = ( { name = "transaction"; type = "uuid"; help = "Metapod transaction id"; },
           { name = "nth"; type = "int"; help = "which one of many"; min = 0; max = 1000; } );
steps = ( { id = "left"; do = "metapod.committed-count"; with = { transaction = "${transaction}"; };
            say = "${left.count} are committed, says number ${nth}."; } );
''')
        self.prepare_bot()
        latencies = self.shoot([f"how-many {BULK} {i}" for i in range(200)])
        self.assertLess(max(latencies), 3000)
        self.wait_runs(lambda runs: len(runs) == 200 and not any(r["going"] for r in runs))
        for i in range(200):
            self.slack.wait(alive=self.alive(), seconds=180 * SLOW, channel=CHANNELS[i % len(CHANNELS)],
                            contains=f"318 are committed, says number {i}.")

    def test_a_burst_from_one_place(self):
        """The simulator's own burst: 200 commands as fast as the connection takes them, half of them nonsense."""
        self.prepare_bot()
        answer = self.slack.post("burst", n=200, text="help ${i}", channel=OPS, users=[ANA, BEN, CAMILA], rate=0)
        self.assertEqual((answer["sent"], answer["acked"], answer["unacked"]), (200, 200, 0))
        self.assertLess(answer["latency"]["max"], 3000)

    def test_no_file_descriptors_pile_up(self):
        self.prepare_bot()

        def descriptors():
            self.slack.wait(alive=self.alive(), idle_ms=500)
            return len(os.listdir(f"/proc/{self.bot.child.pid}/fd"))

        def round_trip():
            for text in ("help", "retract nonsense", "nosuchrecipe"):
                self.slack.slash(text)
            descriptors()

        # How many connections to Slack are kept differs with how much was said at once: a few, and not one more each time.
        rounds = 12
        round_trip()
        before = descriptors()
        for _ in range(rounds):
            round_trip()
        self.assertLess(descriptors(), before + rounds)


if __name__ == "__main__":
    main()
