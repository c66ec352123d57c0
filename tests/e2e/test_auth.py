"""Access tokens: fetched by a service account's signature or by a login, kept, renewed when they are refused, and never shown."""
import json
import os
import unittest

from harness import ANA, BEN, COMMITTED_2, COMMITTED_2_NAME, DATASET, DATASET_NAME, METAPOD_TOKEN, TOP, Case, main

GOOGLE = 'auth = { google = { key = "file:service-account.json"; scope = "https://www.googleapis.com/auth/bigquery"; }; };'


class Tokens(Case):
    def setUp(self):
        super().setUp()
        self.login = f'auth = {{ login = {{ url = "{self.world.url}/oauth/login"; user = "env:LOGIN_USER"; password = "env:LOGIN_PASSWORD"; }}; }};'
        self.bot.env.update(LOGIN_USER="airflow", LOGIN_PASSWORD="w0rld-password")
        with open(os.path.join(TOP, "tests", "world", "service-account.json")) as file:
            account = json.load(file)
        account["token_uri"] = self.world.url + "/oauth/token"
        with open(os.path.join(self.folder, "service-account.json"), "w") as file:
            json.dump(account, file)
        self.secrets = [METAPOD_TOKEN, "newer-secret", "w0rld-password", account["private_key"].split("\n")[3]]
        self.tokens(METAPOD_TOKEN)

    def tearDown(self):
        super().tearDown()
        seen = b"".join(child.tail(10000).encode() for child in self.bot.started)
        for name in os.listdir(self.folder):
            if name.startswith("hausmeister.db"):
                with open(os.path.join(self.folder, name), "rb") as file:
                    seen += file.read()
        for secret in self.secrets:
            self.assertNotIn(secret.encode(), seen)

    def tokens(self, token, **more):
        """What the token endpoint gives, and Metapod takes."""
        state = self.world.http.request("GET", "/_world/state")
        state["oauth"]["given"] = 0
        state["oauth"]["config"].update(token=token, password="w0rld-password", **more)
        state["metapod"]["config"]["bearer"] = token
        self.world.http.request("POST", "/_world/load", state)

    def use(self, auth):
        self.bot.write_config()
        with open(self.bot.config) as file:
            text = file.read()
        self.assertIn('auth = { bearer = "env:METAPOD_TOKEN"; };', text)
        with open(self.bot.config, "w") as file:
            file.write(text.replace('auth = { bearer = "env:METAPOD_TOKEN"; };', auth))

    def given(self):
        return self.world.http.request("GET", "/_world/state")["oauth"].get("given", 0)

    def story(self, what, name):
        card = self.retract(what)
        card.wait("Exactly this will be sent")
        card.click("Approve", BEN)
        return card.wait(f"Retracted and verified: `{name}`")

    def test_a_service_account(self):
        self.use(GOOGLE)
        self.bot.start()
        self.story(DATASET, DATASET_NAME)
        self.assertEqual(self.given(), 1)
        self.story(COMMITTED_2, COMMITTED_2_NAME)
        self.assertEqual(self.given(), 1)

    def test_a_login(self):
        self.use(self.login)
        self.bot.start()
        self.story(DATASET, DATASET_NAME)
        self.assertEqual(self.given(), 1)

    def test_a_token_that_is_revoked(self):
        self.use(self.login)
        self.bot.start()
        self.retract(DATASET).wait("Exactly this will be sent")
        self.tokens("newer-secret")
        self.slack.slash(f"retract {COMMITTED_2}", ANA)
        self.card(COMMITTED_2_NAME).wait("Exactly this will be sent")
        self.assertEqual(self.given(), 1)  # since the change: the first read was refused, and left again with the new one
        self.assertEqual([r["authorization"] for r in self.world.log() if r["path"].startswith("/metapod/")][:2],
                         ["Bearer " + METAPOD_TOKEN, "Bearer newer-secret"])

    def test_a_plan_fetches_too(self):
        self.use(GOOGLE)
        out, _ = self.bot.cli("plan", "retract", DATASET)
        self.assertIn("would send, once approved", out)
        self.assertEqual(self.given(), 1)
        for secret in self.secrets:
            self.assertNotIn(secret, out)

    def test_a_wrong_password(self):
        self.bot.env["LOGIN_PASSWORD"] = "not-this-one"
        self.use(self.login)
        self.bot.start()
        self.retract(DATASET, contains="no access token for metapod").wait("Invalid credentials")
        self.assertEqual(sum(r["path"].startswith("/metapod/") for r in self.world.log()), 0)

    def test_an_assertion_that_is_refused(self):
        self.tokens(METAPOD_TOKEN, scope="https://www.googleapis.com/auth/another")
        self.use(GOOGLE)
        self.bot.start()
        self.retract(DATASET, contains="no access token for metapod").wait("Invalid OAuth scope")

    def test_the_token_endpoint_is_down_for_a_moment(self):
        self.use(self.login)
        self.world.fault("status", prefix="/oauth/", status=503, times=1)
        self.bot.start()
        self.story(DATASET, DATASET_NAME)


if __name__ == "__main__":
    main()
