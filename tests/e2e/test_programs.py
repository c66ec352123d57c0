"""CLI actions: a real program, run by a real bot. It gets exact words and a clean environment, is approved like any other effect, is run
once, and whatever becomes of it is told as it is."""
import json
import os
import unittest

from harness import ANA, BEN, Case, Deadline, main, program

RECIPE = '''
name = "cycle"; title = "Replace the machines of a service"; doc = "Restart Aurora"; who = [ "hausmeister" ]; timeout = "30m";
params = ( { name = "service"; type = "string"; help = "which machines"; } );
steps = (
  { id = "gate"; approve = "Cycle `${service}`?"; by = [ "hausmeister" ]; need = 1; expires = "15m"; },
  { id = "cycle"; do = "nu.ser-cycle";
    with = { service = "${service}"; env = "cantareira"; suffix = "stable"; region = "us-east-1"; }; },
  { id = "said"; say = "It said: ${cycle.output}"; }
);
'''
BUST = '''
name = "bust"; title = "Forget nu's cache"; doc = "Removing bad data"; who = [ "hausmeister" ]; timeout = "30m";
ungated = "a cache that fills itself again";
steps = ( { id = "bust"; do = "nu.cache-bust-stack"; }, { id = "said"; say = "Busted."; } );
'''
CERTIFICATE = '''
name = "certificate"; title = "Generate a certificate"; doc = "Regenerating Expired Certificates"; who = [ "hausmeister" ]; timeout = "30m";
ungated = "a test"; steps = ( { id = "make"; do = "nu.generate-certificate"; with = { service = "aurora"; }; },
  { id = "said"; say = "Generated."; } );
'''
TOKEN = "nu-secret-of-the-tests"
WORDS = ["ser", "cycle", "mesos-master", "--env", "cantareira", "--suffix", "stable", "--region", "us-east-1"]


def nu_program():
    return program("HM_NU", "tests/world/bin/nu")


class Programs(Case):
    def setUp(self):
        super().setUp()
        self.folder = os.path.join(self.bot.folder, "nu-world")
        os.mkdir(self.folder)
        os.mkfifo(os.path.join(self.folder, "gate"))
        self.bot.env["NU_TOKEN_OF_THE_BOT"] = TOKEN
        self.configure()
        self.bot.add_recipe("cycle", RECIPE)
        self.bot.add_recipe("bust", BUST)
        self.bot.add_recipe("certificate", CERTIFICATE)

    def configure(self, path=None, timeout="60s", more=""):
        self.bot.write_config()
        with open(self.bot.config) as file:
            text = file.read()
        nu = (f'nu = {{ handler = "nu"; program = "{path or nu_program()}"; dir = "{self.folder}"; timeout = "{timeout}"; '
              f'env = {{ NU_WORLD = "{self.folder}"; NU_TOKEN = "env:NU_TOKEN_OF_THE_BOT"; }};{more} }};')
        with open(self.bot.config, "w") as file:
            file.write(text.replace("backends = {", "backends = { " + nu, 1))

    def will(self, *lines):
        with open(os.path.join(self.folder, "do"), "w") as file:
            file.write("\n".join(lines) + "\n")

    def open_gate(self):
        """For the one that waits there, or will."""
        with open(os.path.join(self.folder, "gate"), "w"):
            pass

    def keep_gate_open(self):
        """For all that wait there, and all that will."""
        self.addCleanup(os.close, os.open(os.path.join(self.folder, "gate"), os.O_RDWR))

    def calls(self):
        path = os.path.join(self.folder, "calls")
        if not os.path.exists(path):
            return []
        with open(path) as file:
            return [json.loads(line) for line in file]

    def cycle(self, approve=True):
        self.slack.slash("cycle mesos-master")
        card = self.card("mesos-master")
        card.wait("Exactly this will be sent")
        if approve:
            card.click("Approve", BEN)
        return card

    def gone(self, pid):
        """Ends when the process does; it is nobody's child that could be waited for."""
        deadline = Deadline()
        while not deadline.over():
            try:
                with open(f"/proc/{pid}/cmdline") as file:
                    if "ser" not in file.read():
                        return True
            except OSError:
                return True
            self.bot.child._pause()
        return False

    def test_the_story(self):
        self.will("say cycling mesos-master", "token", "wait", "say terminated i-1")
        self.bot.start()
        card = self.cycle(approve=False)
        self.assertIn(f"{nu_program()} ser cycle mesos-master --env cantareira", card.text())
        self.assertEqual(self.calls(), [])
        card.click("Approve", ANA)
        self.whisper(ANA, "somebody else has to approve")
        self.assertEqual(self.calls(), [])
        card.click("Approve", BEN)
        card.wait("cycling mesos-master")  # while it runs
        card.wait("the token is [secret].")
        self.open_gate()
        text = card.wait("It said")
        card.wait("Done")
        self.assertIn("terminated i-1", text)
        call, = self.calls()
        self.assertEqual(call["argv"], [nu_program()] + WORDS)
        self.assertEqual(sorted(call["env"]), ["HOME", "LANG", "NU_TOKEN", "NU_WORLD", "PATH"])
        self.assertEqual(call["dir"], self.folder)
        self.assertNotIn(TOKEN, json.dumps(self.run_events()))
        self.assertNotIn(TOKEN, self.slack.everything() if isinstance(self.slack.everything(), str) else
                         json.dumps(self.slack.everything()))
        self.assert_audited()

    def test_what_it_prints_may_be_a_key(self):
        self.will("say BEGIN PRIVATE KEY", "complain BEGIN PRIVATE KEY", "wait", "say END PRIVATE KEY")
        self.bot.start()
        self.slack.slash("certificate")
        card = self.card("Generate a certificate")
        cycle = self.cycle()
        cycle.wait("BEGIN PRIVATE KEY")  # what another one prints is shown while it runs; the first has printed before
        self.assertNotIn("PRIVATE KEY", card.text())
        self.keep_gate_open()
        cycle.wait("Done")
        self.assertNotIn("PRIVATE KEY", card.wait("Generated."))
        run = next(r["run"] for r in self.bot.runs() if "certificate" in str(r))
        self.assertNotIn("PRIVATE KEY", json.dumps(self.bot.events(run)))

    def test_it_fails(self):
        self.will("complain no such service", "exit 3")
        self.bot.start()
        card = self.cycle()
        text = card.wait("exit status 3")
        self.assertIn("no such service", text)
        card.wait_button("It did not")
        self.assertEqual(len(self.calls()), 1)
        os.unlink(os.path.join(self.folder, "do"))
        card.click("It did not", BEN)  # a person's word, on record: only now it is run again
        card.wait("Done")
        self.assertEqual(len(self.calls()), 2)

    def test_it_hangs(self):
        self.configure(timeout="1s")
        self.will("say still at it", "hang")
        self.bot.start()
        card = self.cycle()
        card.wait("did not end within 1.0 s and was stopped")
        card.wait_button("It happened")
        card.click("It happened", BEN)
        card.wait("Done")
        call, = self.calls()
        self.assertTrue(self.gone(call["pid"]))

    def test_there_is_no_such_program(self):
        self.configure(path="/nonexistent/nu")
        self.bot.start()
        card = self.cycle()
        text = card.wait("could not be started")
        self.assertIn("/nonexistent/nu", text)
        card.wait("Failed")

    def test_words_that_are_none(self):
        self.bot.start()
        self.slack.slash("cycle service=--all")
        card = self.card("--all")
        card.wait("is not a name of letters")
        self.assertEqual(self.calls(), [])

    def test_the_bot_dies_while_it_runs(self):
        self.will("say begun", "wait", "say ended")
        self.bot.start()
        card = self.cycle()
        card.wait("begun")
        self.bot.kill()
        self.open_gate()
        self.bot.start()
        card.wait_button("It happened")
        self.assertIn("restarted while the request was under way", card.text())
        self.assertEqual(len(self.calls()), 1)
        card.click("It happened", BEN)
        card.wait("Done")
        self.assertEqual(len(self.calls()), 1)

    def test_the_bot_is_stopped_while_it_runs(self):
        self.will("stubborn", "say begun", "hang")
        self.bot.start()
        card = self.cycle()
        card.wait("begun")
        self.bot.stop()
        call, = self.calls()
        self.assertTrue(self.gone(call["pid"]))
        self.bot.start()
        card.wait_button("It happened")
        self.assertEqual(len(self.calls()), 1)

    def test_an_idempotent_one_is_run_again(self):
        self.will("exit 1")
        self.bot.start()
        self.slack.slash("bust")
        card = self.card("Forget nu's cache")
        card.wait("exit status 1")
        os.unlink(os.path.join(self.folder, "do"))
        card.wait("Busted")
        self.assertGreaterEqual(len(self.calls()), 2)

    def test_the_program_changed_after_the_approval_was_asked_for(self):
        self.bot.start()
        card = self.cycle(approve=False)
        other = os.path.join(self.folder, "nu-new")
        os.symlink(nu_program(), other)
        self.configure(path=other)
        self.bot.reload(lambda: "reloaded" in self.bot.child.stderr())
        text = card.wait("nu-new ser cycle")
        self.assertEqual(self.calls(), [])
        card.click("Approve", BEN)
        card.wait("Done")
        self.assertEqual([c["argv"][0] for c in self.calls()], [other])

    def test_plan_runs_nothing(self):
        out, err = self.bot.cli("plan", "cycle", "mesos-master")
        self.assertIn(f"{nu_program()} {' '.join(WORDS)}", out)
        out, err = self.bot.cli("plan", "bust")
        self.assertIn(f"{nu_program()} cache bust stack", out)
        self.assertIn("not sent", out)
        self.assertEqual(self.calls(), [])

    def test_the_configuration_is_checked(self):
        for more, said in ((' url = "https://x";', "url"), (' env2 = 1;', "env2"), (' auth = { bearer = "env:X"; };', "auth")):
            self.configure(more=more)
            out, err = self.bot.cli("check", code=1)
            self.assertRegex(err, rf"hausmeister\.cfg:\d+: .*{said}")


if __name__ == "__main__":
    main()
