"""AWS: throttled tables and their capacity, machines and their jobs; every request is signed, and the world looks at the signatures."""
import os
import unittest

from harness import ANA, BEN, Case, main

UPDATE = "dynamodb UpdateTable"
TABLE = "prod-s3-analytics-datomic"


class Aws(Case):
    recipes = ("datomic-check", "datomic-capacity", "scale-status")

    def setUp(self):
        super().setUp()
        self.bot.use_shipped(*self.recipes)
        if "datomic-capacity" in self.recipes:
            self.bot.edit_recipe("datomic-capacity", (r'every = "(15s|1m)"', 'every = "250ms"'), (r'wait = "10s"', 'wait = "250ms"'))

    def tearDown(self):
        super().tearDown()
        for name in os.listdir(self.folder):
            if name.startswith("hausmeister.db"):
                with open(os.path.join(self.folder, name), "rb") as file:
                    self.assertNotIn(b"w0rld/secret", file.read())
        for child in self.bot.started:
            self.assertNotIn("w0rld/secret", child.tail(10000))

    def change(self, edit):
        """Changes the world's state in place."""
        state = self.world.http.request("GET", "/_world/state")
        edit(state)
        self.world.http.request("POST", "/_world/load", state)

    def table(self, name=TABLE):
        return next(t for t in self.world.http.request("GET", "/_world/state/dynamodb/tables") if t["name"] == name)

    def start(self, words, contains):
        if self.bot.child is None:
            self.bot.start()
        self.slack.slash(words)
        return self.card(contains)

    def updates(self):
        return [e["id"] for e in self.world.counts()["effects"] if e["endpoint"] == UPDATE]

    def sent_updates(self):
        return sum("UpdateTable" in r["headers"] for r in self.world.log())


class Datomic(Aws):
    def test_a_throttled_table_is_seen_and_raised(self):
        self.change(lambda s: s["cloudwatch"]["config"].update(ahead_minutes=60))
        card = self.start("datomic-check analytics s3", "Throttled in the last hour")
        card.wait("used at most 14 read")
        card.click("Raise the table", ANA)
        gate = self.card("Exactly this will be sent")
        self.assertIn("14 → *28*", gate.wait("Approve"))
        self.assertEqual(self.sent_updates(), 0)
        gate.click("Approve", BEN)
        end = gate.wait("*Done*")
        self.assertIn("has 28 read and 20 write units now", end)
        self.assertIn("nothing is throttled any more", end)
        self.assertEqual(self.updates(), [TABLE + " to 28/20"])
        self.assertEqual((self.table()["read"], self.table()["write"]), (28, 20))

    def test_without_the_prototype(self):
        card = self.start("datomic-check metapod global", "Nothing was throttled")
        card.wait("prod-metapod-datomic")
        card = self.start("datomic-check nowhere s4", "has neither table")
        card.wait("prod-nowhere-datomic")

    def test_no_datapoint_is_no_proof(self):
        self.start("datomic-check silent s4", "Not verified").wait("no datapoint")

    def test_on_demand_is_refused(self):
        self.start("datomic-capacity ouroboros global read=10", "on demand").wait("Nothing was sent")
        self.assertEqual(self.sent_updates(), 0)

    def test_unchanged_values_are_not_sent(self):
        self.start("datomic-capacity analytics s3 read=14 write=20", "has these units already").wait("Nothing was sent")
        self.start("datomic-capacity analytics s3 read=13", "would lower the read units").wait("Nothing was sent")
        self.start("datomic-capacity analytics s3 write=41", "would more than double").wait("Nothing was sent")
        self.assertEqual(self.sent_updates(), 0)

    def test_an_index_alone(self):
        self.change(lambda s: s["cloudwatch"]["config"].update(ahead_minutes=60))
        card = self.start("datomic-capacity notes s0 index=by-account", "Exactly this will be sent")
        self.assertIn("GlobalSecondaryIndexUpdates", card.text())
        card.click("Approve", BEN)
        card.wait("*Done*")
        self.assertEqual(self.updates(), ["prod-s0-notes-datomic/by-account to 5/10"])

    def test_a_change_under_way_is_waited_for(self):
        def updating(state):
            table = next(t for t in state["dynamodb"]["tables"] if t["name"] == TABLE)
            table["updating"] = {"looks": 4, "index": "", "read": 20, "write": 20}
        self.change(updating)
        card = self.start("datomic-capacity analytics s3 read=40", "Exactly this will be sent")
        self.assertIn("20 → *40*", card.text())

    def test_the_reply_is_lost(self):
        self.change(lambda s: (s["cloudwatch"]["config"].update(ahead_minutes=60), s["dynamodb"]["config"].update(looks=6)))
        card = self.start("datomic-capacity analytics s3", "Exactly this will be sent")
        reads = sum("DescribeTable" in r["headers"] for r in self.world.log())
        self.world.fault("apply-drop", prefix="/dynamodb/", skip=1)  # the look behind the gate passes
        card.click("Approve", BEN)
        card.wait("*Done*")
        self.assertEqual(self.updates(), [TABLE + " to 28/20"])
        self.assertEqual(self.sent_updates(), 1)
        self.assertGreater(sum("DescribeTable" in r["headers"] for r in self.world.log()), reads + 2)

    def test_somebody_else_was_faster(self):
        card = self.start("datomic-capacity analytics s3", "Exactly this will be sent")
        self.change(lambda s: next(t for t in s["dynamodb"]["tables"] if t["name"] == TABLE).update(read=50))
        card.click("Approve", BEN)
        card.wait("Somebody else changed")
        self.assertEqual(self.sent_updates(), 0)

    def test_a_wrong_key_is_told(self):
        with open(os.path.join(self.folder, "aws_secret_access_key"), "w") as file:
            file.write("another")
        self.start("datomic-check analytics s3", "refuses the keys of backend dynamodb").wait("InvalidSignatureException")


class Machines(Aws):
    recipes = ("scale-status",)

    def test_machines_without_a_job(self):
        text = self.start("scale-status", "in the name, ").wait("*Done*")
        self.assertIn("*12 machines*", text)
        self.assertIn("*4* of them belong to no job", text)
        self.assertIn("4 × cantareira-stable-mesos-on-demand-dimensional-modeling", text)
        self.assertIn("Mesos has *3 agents*", text)

    def test_one_job_over_several_pages(self):
        def many(state):
            state["ec2"]["instances"] = [{"id": f"i-{i:017x}", "name": "cantareira-stable-mesos-on-demand-itaipu-contracts",
                                          "state": "running", "hours_ago": 1, "type": "m5.large"} for i in range(250)]
        self.change(many)
        text = self.start("scale-status itaipu-contracts", "in the name, ").wait("*Done*")
        self.assertIn("*250 machines*", text)
        self.assertIn("Each of them belongs to a job", text)
        self.assertEqual(sum(r["path"] == "/ec2/" for r in self.world.log()), 3)

    def test_aurora_is_down(self):
        self.world.fault("status", prefix="/aurora/", status=503, times="always")
        text = self.start("scale-status", "Not verified").wait("*Done*")
        self.assertNotIn("belong to no job", text)


class Certificates(Aws):
    """Infosec's part is done: what is left is the copy to the old place."""
    recipes = ("renew-certificate",)
    OLD = "/nu-keysets-prod/certificates/pri/infrastructure/aurora.p12"

    def tearDown(self):
        super().tearDown()
        self.assertEqual([r["method"] for r in self.world.log() if r["path"].startswith("/s3/") and r["method"] not in ("HEAD", "PUT")], [])
        seen = "".join(child.tail(10000) for child in self.bot.started) + self.slack.everything(100000)
        self.assertNotIn("never to be seen", seen)

    def gate(self):
        return self.start('renew-certificate "2020-05-01 18:52:43+00:00"', "Exactly this will be sent")

    def old(self):
        return next(o for o in self.world.http.request("GET", "/_world/state/s3/objects") if o["bucket"] == "nu-keysets-prod")

    def copies(self):
        return [(e["id"], e["applied"]) for e in self.world.counts()["effects"] if e["endpoint"] == "s3 copy"]

    def test_copied_inside_s3(self):
        card = self.gate()
        self.assertIn("X-Amz-Copy-Source-If-Match", card.text())
        self.assertEqual(self.copies(), [])
        card.click("Approve", BEN)
        card.wait("*Done*")
        self.assertEqual(self.copies(), [(self.OLD, 1)])
        self.assertEqual(self.old()["content"], "the new key: never to be seen")

    def test_the_reply_is_lost(self):
        self.world.fault("apply-drop", prefix="/s3/", method="PUT")
        card = self.gate()
        card.click("Approve", BEN)
        card.wait("*Done*")
        self.assertEqual(self.copies(), [(self.OLD, 1)])

    def test_an_error_inside_a_200(self):
        self.change(lambda s: s["s3"]["config"].update(copy_error="AccessDenied"))
        card = self.gate()
        card.click("Approve", BEN)
        card.wait("refuses the keys of backend s3")
        self.assertEqual(self.copies(), [])
        self.assertEqual(self.old()["content"], "the old key: never to be seen")

    def test_the_source_changes_behind_the_gate(self):
        card = self.gate()
        self.change(lambda s: s["s3"]["objects"][0].update(content="a third key: never to be seen"))
        card.click("Approve", BEN)
        card.wait("not the version that was looked at")
        self.assertEqual(self.copies(), [])

    def test_an_older_certificate_is_not_copied(self):
        card = self.start('renew-certificate "2020-06-01 00:00:00+00:00"', "Ask Infosec in Jira")
        card.reject(BEN)
        card.wait("*Rejected*")
        self.assertEqual(self.copies(), [])


if __name__ == "__main__":
    main()
