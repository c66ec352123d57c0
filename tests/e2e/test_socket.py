"""Socket Mode with the real binary: over TLS, one message at a time, through bad connections."""
import os
import unittest

from harness import BEN, DATASET, OPS, Case, Deadline, main

PINGPONG = 100000 if os.environ.get("HM_LONG") else 2000


class OverTls(Case):
    tls = True

    def closed_loop(self, n, ping_ms):
        """n commands, each sent when the one before was acknowledged; all must be."""
        self.slack.post("config", server_ping_ms=ping_ms)
        self.bot.start()
        answer = self.slack.http.request("POST", "/_sim/pingpong", {"n": n, "ping_ms": ping_ms, "text": "help"}, timeout=3500)
        self.assertTrue(answer.get("ok"), answer)
        self.assertEqual((answer["sent"], answer["acked"]), (n, n), answer)

    def test_none_waits_for_the_next_with_pings(self):
        """Pings come all the while, between any two steps of reading, storing and answering."""
        self.closed_loop(PINGPONG, 20)

    def test_none_waits_for_the_next_without_pings(self):
        """Nothing else comes: what is not sent by itself stays until Slack's three seconds are over."""
        self.closed_loop(PINGPONG, 0)

    def test_a_certificate_that_nobody_signed(self):
        self.bot.settings["ca"] = None
        child = self.bot.spawn()
        self.slack.wait(alive=child, idle_ms=0)
        deadline = Deadline()
        while "ertificate" not in child.stderr():
            self.assertTrue(child.alive() and not deadline.over(), child.tail())
            child._pause()
        self.assertEqual(self.bot.readyz()[0], 503)
        self.assertEqual(self.slack.stats()["connections_opened"], 0)


class BadConnections(Case):
    def prove(self, **retract):
        """The story still works."""
        card = self.retract(DATASET, **retract)
        card.click("Approve", BEN)
        card.wait("Done")
        self.assertEqual(self.world.posts(), 1)

    def test_fragments_with_pings_in_between(self):
        self.slack.post("nasty", fragment=7, fragment_pings=True)
        self.bot.start()
        self.prove()

    def test_bytes_one_by_one(self):
        self.slack.post("nasty", split_tcp=13)
        self.bot.start()
        self.prove()

    def test_keys_in_another_order(self):
        self.slack.post("nasty", reorder=True)
        self.bot.start()
        self.prove()

    def test_slack_asks_for_a_new_connection(self):
        self.bot.start()
        for reason in ("warning", "refresh_requested"):
            opened = self.slack.stats()["connections_opened"]
            self.slack.post("disconnect", reason=reason)
            deadline = Deadline()
            while self.slack.stats()["connections_opened"] == opened:  # the old one may be there until then
                self.assertFalse(deadline.over(), f"no new connection: {reason}")
                self.bot.child._pause()
            self.slack.wait(alive=self.alive(), connections=1)
        self.prove()
        self.assertEqual(self.slack.stats()["closed_dirty"], 0)

    def test_the_connection_is_reset(self):
        self.bot.start()
        self.slack.post("connection", op="rst")
        self.slack.wait(alive=self.alive(), connections=1)
        self.prove()

    def test_a_frame_that_is_no_json(self):
        self.bot.start()
        self.slack.post("connection", op="text", data="UNAUTHENTICATED: cache_error")
        self.slack.post("connection", op="text", data="{\"type\":\"novelty\",\"envelope_id\":\"e-1\",\"payload\":{}}")
        self.slack.post("connection", op="text", data="{}")
        self.prove()

    def test_upgrades_are_refused_for_a_while(self):
        self.slack.post("nasty", refuse_upgrade={"status": 503, "n": 2})
        self.bot.start()
        self.prove()

    def test_slack_is_away_at_the_start(self):
        self.slack.post("nasty", api={"apps.connections.open": {"status": 500, "n": 2}})
        self.bot.start()
        self.prove()

    def test_a_wrong_token_says_so(self):
        self.bot.env["SLACK_APP_TOKEN"] = "xapp-wrong"
        child = self.bot.spawn()
        deadline = Deadline()
        while "token" not in self.bot.readyz()[1]:
            self.assertTrue(child.alive() and not deadline.over(), child.tail())
            child._pause()
        self.assertEqual(self.bot.readyz()[0], 503)
        self.assertNotIn("xapp-wrong", child.tail(10000), "a token was shown")


if __name__ == "__main__":
    main()
