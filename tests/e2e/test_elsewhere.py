"""What runs in another house is configuration: a second Airflow beside the first, certificates in other buckets, pipelines of other names.
The shipped recipes act there as they are; no line of C and none of a recipe is changed."""
import json

from harness import ANA, BEN, Case, World, main

RUN = "scheduled__2026-11-27T00:00:00+00:00"


class Elsewhere(Case):
    def configure(self, *changes):
        """The shipped configuration with more in it: (what stands before it, the text)."""
        with open(self.bot.config) as file:
            text = file.read()
        for before, more in changes:
            self.assertEqual(text.count(before), 1, before)
            text = text.replace(before, before + more)
        with open(self.bot.config, "w") as file:
            file.write(text)

    def change(self, *renamed):
        """The world with other names in it."""
        text = json.dumps(self.world.http.request("GET", "/_world/state"))
        for old, new in renamed:
            self.assertIn(old, text)
            text = text.replace(old, new)
        self.assertEqual(self.world.http.request("POST", "/_world/load", json.loads(text)), {"ok": True})

    def test_a_second_airflow(self):
        state = self.world.http.request("GET", "/_world/state")
        dag = next(d for d in state["airflow"]["dags"] if d["dag_id"] == "prod-dagao")
        dag["dag_id"] = "terra-dagao"
        next(t for t in dag["tasks"] if t["task_id"] == "lusa")["outcome"] = "success"
        other = World(self.bot.folder, state, name="terra")
        try:
            self.bot.use_shipped("restart-task", "dag-state")
            self.configure(
                ("environments = {\n", '  terra = { dag = "terra-dagao"; };\n'),
                ("backends = {\n", f'  airflow-terra = {{ handler = "airflow"; url = "{other.url}/airflow"; '
                                   'settings = { api = "v1"; dag = "terra-dagao"; }; };\n'))
            self.bot.start()
            self.slack.slash("dag-state terra")
            self.card("Show how a run").wait(f"Run `{RUN}` of `terra-dagao` is *running*")
            self.slack.slash("restart-task lusa terra")
            card = self.card(f"Restart `lusa` in run `{RUN}` on *terra*")
            self.assertIn(f"{other.url}/airflow/api/v1/dags/terra-dagao/clearTaskInstances", card.wait("Exactly this will be sent"))
            card.click("Approve", BEN)
            card.wait("`lusa` began anew")
            self.assertEqual([e["applied"] for e in other.counts()["effects"]], [1])
            self.assertEqual(self.world.counts()["requests"], {}, "the first Airflow is not asked for anything")
            self.assert_audited()
        finally:
            other.child.kill()

    def test_other_buckets(self):
        self.change(("nu-keysets-br-prod", "terra-keysets"), ("nu-keysets-prod", "terra-keysets-old"))
        self.bot.use_shipped("renew-certificate")
        self.bot.start()
        self.slack.slash('renew-certificate "2020-05-01 18:52:43+00:00" bucket=terra-keysets old-bucket=terra-keysets-old')
        card = self.card("Copy the certificate of")
        self.assertIn("s3://terra-keysets-old/certificates/pri/infrastructure/aurora.p12", card.wait("Exactly this will be sent"))
        card.click("Approve", BEN)
        card.wait("is renewed")
        effects = self.world.counts()["effects"]
        self.assertEqual([(e["id"], e["applied"]) for e in effects], [("/terra-keysets-old/certificates/pri/infrastructure/aurora.p12", 1)])

    def test_pipelines_of_other_names(self):
        self.change(('"itaipu-stable', '"terra-stable'), ('"dagao"', '"terra-dag"'))
        self.bot.use_shipped("hotfix")
        self.bot.start()
        self.slack.slash("hotfix 1603 build=terra-stable dag=terra-dag")
        card = self.card("Publish `terra-dag` instance")
        self.assertIn("/gocd/api/stages/terra-dag/", card.wait("Exactly this will be sent"))
        card.click("Approve", BEN)
        card.wait("Open the same fix against master", seconds=60)  # GoCD is asked every 15 s
        card.click("Done", ANA)
        self.slack.wait(view=1, user=ANA, contains="What shows")
        self.slack.post("submit_view", user=ANA, values={"evidence": "1605"})
        self.assertIn("is published", card.wait("*Done*"))
        effects = self.world.counts()["effects"]
        self.assertEqual([e["applied"] for e in effects], [1])
        self.assertIn("terra-dag", effects[0]["id"])
        self.assert_audited()


if __name__ == "__main__":
    main()
