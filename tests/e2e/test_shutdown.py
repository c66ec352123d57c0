"""SIGTERM: close frames, exit 0, soon; and nothing that was accepted is lost."""
import json
import threading
import time
import unittest

from harness import ANA, BEN, CAMILA, DATASET, OPS, SLOW, Case, Deadline, main

BULK = "f7832a01-001b-56f7-a4fe-b3a417f8f654"
PROMISED_S = 5


class Shutdown(Case):
    def stop(self):
        """SIGTERM; how long it took."""
        begin = time.monotonic()
        self.assertEqual(self.bot.stop(), 0)
        return time.monotonic() - begin

    def assert_polite(self, before=0):
        stats = self.slack.stats()
        self.assertEqual(stats["closed_dirty"], before, "a connection ended without a close frame")
        self.assertGreater(stats["closed_clean"], 0)

    def test_idle(self):
        self.bot.start()
        self.assertLess(self.stop(), PROMISED_S * SLOW)
        self.slack.wait(connections=0)
        self.assert_polite()

    def test_sigint_is_the_same(self):
        import signal
        self.bot.start()
        self.bot.child.signal(signal.SIGINT)
        self.assertEqual(self.bot.child.wait(), 0)
        self.slack.wait(connections=0)
        self.assert_polite()

    def test_before_slack_ever_answered(self):
        self.slack.post("nasty", api={"apps.connections.open": {"hang": True}, "auth.test": {"hang": True}})
        child = self.bot.spawn()
        deadline = Deadline()
        while not self.bot.http_port():
            self.assertTrue(child.alive() and not deadline.over(), child.tail())
            child._pause()
        self.assertLess(self.stop(), PROMISED_S * SLOW)

    def test_slack_does_not_answer_the_close(self):
        self.slack.post("nasty", no_close_reply=True)
        self.bot.start()
        self.assertLess(self.stop(), PROMISED_S * SLOW)

    def test_with_a_request_under_way(self):
        self.bot.start()
        card = self.retract(DATASET)
        self.world.fault("hold")
        card.click("Approve", BEN)
        deadline = Deadline()
        while self.world.counts()["waiting"] == 0:
            self.assertFalse(deadline.over())
            self.bot.child._pause()
        self.assertLess(self.stop(), PROMISED_S * SLOW)
        self.world.release()
        self.bot.start()
        card.wait("Done")
        self.assertEqual(self.world.posts(), 1)
        self.assertEqual(self.world.applied(DATASET), 1)

    def test_under_load_nothing_is_lost(self):
        """Commands keep coming while it ends: what was acknowledged becomes a run, what was not is an error to the person."""
        self.bot.write_config(known=BULK)
        self.bot.start()
        transactions = self.world.http.request("GET", "/_world/state/metapod/transactions")
        wanted = [d["id"] for t in transactions if t["id"] == BULK for d in t["datasets"] if d["committed"]][:120]
        channels = ["C0OPS", "C0ETL", "C0DI", "C0MDS", "C0CHAP", "C0AUDIT"]
        answers, lock, stopping = {}, threading.Lock(), threading.Event()

        def person(offset):
            for i in range(offset, len(wanted), 4):
                answer = self.slack.slash(f"retract {wanted[i]}", (ANA, BEN, CAMILA)[i % 3], channels[i % 6], acked=False)
                with lock:
                    answers[wanted[i]] = bool(answer.get("acked"))
                    if len(answers) >= 40:
                        stopping.set()

        people = [threading.Thread(target=person, args=(n,), daemon=True) for n in range(4)]
        for thread in people:
            thread.start()
        self.assertTrue(stopping.wait(60 * SLOW))
        self.assertLess(self.stop(), PROMISED_S * SLOW)
        for thread in people:
            thread.join()
        self.slack.wait(connections=0)
        self.assert_polite()
        accepted = {d for d, acked in answers.items() if acked}
        self.assertGreaterEqual(len(accepted), 30)

        self.bot.start()
        for i, dataset in enumerate(wanted):
            if dataset in accepted:
                self.slack.wait(alive=self.alive(), seconds=180 * SLOW, channel=channels[i % 6], action="hm.approve",
                                contains=f"committed-dataset/{dataset}")
        texts = [json.dumps(m) for c in channels for m in self.slack.messages(c) if m.get("bot_id") == "B0BOT"]
        for dataset in accepted:
            self.assertEqual(sum(f"committed-dataset/{dataset}" in t for t in texts), 1, "one card each")
        self.assertEqual(self.world.posts(), 0)


if __name__ == "__main__":
    main()
