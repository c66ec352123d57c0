"""The command line: what each subcommand says, and with which exit code it ends (0 yes, 1 no, 2 usage, 3 environment)."""
import json
import os
import re
import shutil
import subprocess
import unittest

from harness import ANA, BEN, COMMITTED_2, DATASET, DATASET_NAME, OPS, TRANSACTION, UNCOMMITTED, UNKNOWN, Case, bot_program, main, run_cli


class Usage(unittest.TestCase):
    def run_bot(self, *words, code):
        return run_cli([bot_program(), *words], code, env={"PATH": os.environ["PATH"]})

    def test_no_words(self):
        out, err = self.run_bot(code=2)
        self.assertIn("usage", err)
        self.assertEqual(out, "")

    def test_help(self):
        for words in (("--help",), ("help",), ("-h",)):
            out, err = self.run_bot(*words, code=0)
            for command in ("run", "check", "plan", "runs", "audit", "actions", "manifest", "version"):
                self.assertRegex(out, rf"(?m)^\s+{command}\b")
            self.assertEqual(err, "")

    def test_help_about_one(self):
        for command in ("run", "check", "plan", "match", "test", "runs", "audit", "manifest", "version"):
            out, err = self.run_bot("help", command, code=0)
            self.assertTrue(out.startswith(f"usage: hausmeister {command} "), out)
            self.assertEqual((out, err), self.run_bot(command, "--help", code=0))

    def test_mistakes(self):
        for words, said in ((("frobnicate",), "frobnicate"), (("check",), "--config"), (("check", "--config"), "config"),
                            (("chek",), 'did you mean "check"?'), (("--config", "x", "check"), "the command comes first"), (("help", "mtch"), 'did you mean "match"?'),
                            (("help", "plan", "retract"), '"retract" is too much'),
                            (("check", "--json"), "check has no option --json; see hausmeister help check"),
                            (("check", "--confg=x"), 'did you mean "--config"?'), (("runs", "--channel", "x"), "runs has no option --channel"),
                            (("match", "--channel"), "--channel needs a value"), (("match", "--json=yes"), "--json takes no value"),
                            (("version", "foo"), 'version takes no arguments, and "foo" is one'),
                            (("manifest", "--config", "x", "foo"), 'manifest takes no arguments, and "foo" is one'),
                            (("check", "--config", "x", "foo"), 'check takes no arguments, and "foo" is one'),
                            (("plan", "--config", "x", "retract", "-x"), "params are written name=value"),
                            (("plan", "--config", "x", "retract", "--only"), "params are written name=value"),
                            (("plan", "--config", "x", "--id=1", "retract"), "params are written name=value"),
                            (("check", "--nonsense"), "nonsense"), (("version", "--log", "loud"), "loud")):
            out, err = self.run_bot(*words, code=2)
            self.assertIn(said, err, words)
            self.assertEqual(out, "", words)

    def test_actions(self):
        out, err = self.run_bot("actions", "metapod.committed-count", code=0)
        self.assertRegex(out, r"\A### metapod.committed-count\n")
        self.assertIn("\n- `count` (number): ", out)
        out, err = self.run_bot("actions", code=0)
        self.assertRegex(out, r"\A# Actions\n")
        out, err = self.run_bot("actions", "metapod.commited-count", code=1)
        self.assertIn('did you mean "metapod.committed-count"?', err)
        self.run_bot("actions", "metapod", "airflow", code=2)

    def test_version(self):
        out, err = self.run_bot("version", code=0)
        self.assertRegex(out, r"^hausmeister \d+\.\d+\.\d+\n$")

    def test_a_config_that_is_not_there(self):
        for command in ("check", "run", "runs", "manifest"):
            out, err = self.run_bot(command, "--config", "/nonexistent/hausmeister.cfg", code=None)
            self.assertRegex(err, r"(?m)^/nonexistent/hausmeister\.cfg: can not be opened: ")


class Check(Case):
    def test_a_good_one(self):
        out, err = self.bot.cli("check")
        self.assertIn("ok", out)
        self.assertNotIn("note", out)
        self.assertEqual(err, "")

    def test_the_one_in_the_repository(self):
        from harness import TOP
        out, err = run_cli([bot_program(), "check", "--config", os.path.join(TOP, "config", "hausmeister.cfg")], 0,
                           env={"PATH": os.environ["PATH"]})
        self.assertIn("ok", out)
        self.assertRegex(out, r"note: the address of these backends is still an example's \(example\.com\): metapod .*\bspark_ops\b")

    def test_a_handler_and_an_action_that_are_near(self):
        self.assertIn('there is no handler "metpod"; did you mean "metapod"?', self.broken(('handler = "metapod"', 'handler = "metpod"'))[0][2])
        self.assertIn("there are airflow aurora ", self.broken(('handler = "metapod"', 'handler = "cloudy"'))[0][2])
        self.assertIn('did you mean "metapod.dataset"?', self.broken(('"metapod.dataset"', '"metapod.datset"'), recipe="retract")[0][2])
        self.assertIn("metapod has: dataset datasets ", self.broken(('"metapod.datset"', '"metapod.nonsense"'), recipe="retract")[0][2])

    def test_a_key_that_is_missing_is_missing_on_a_line(self):
        findings = self.broken(("journal = {", "jurnal = {"))
        self.assertEqual([f[1] for f in findings if '"journal" is missing' in f[2]], [1], findings)
        self.assertIn(("retract.cfg", 1, '"title" is missing in the top level'), self.broken(("title   =", "titel   ="), recipe="retract"))

    def test_what_the_readme_tells_to_copy(self):
        from harness import TOP
        with open(os.path.join(TOP, "README.md"), encoding="utf-8") as file:
            line = re.search(r"^1\. Copy .*$", file.read(), re.M)[0]
        names = re.findall(r"`(config/[^`]+)`", line)
        self.assertIn("config/hausmeister.cfg", names)
        for name in names:
            source, target = os.path.join(TOP, name), os.path.join(self.folder, "copied", os.path.basename(name.rstrip("/")))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            (shutil.copytree if os.path.isdir(source) else shutil.copy)(source, target)
        out, err = run_cli([bot_program(), "check", "--config", os.path.join(self.folder, "copied", "hausmeister.cfg")], 0,
                           env={"PATH": os.environ["PATH"]})
        self.assertIn("ok", out)

    def broken(self, *changes, recipe=None):
        """Findings after a change: [(file, line, text)]."""
        self.bot.write_config()
        path = os.path.join(self.bot.recipes, recipe + ".cfg") if recipe else self.bot.config
        with open(path) as file:
            text = file.read()
        for old, new in changes:
            self.assertIn(old, text)
            text = text.replace(old, new)
        with open(path, "w") as file:
            file.write(text)
        out, err = self.bot.cli("check", code=1)
        findings = []
        for line in err.strip().splitlines()[:-1]:
            self.assertRegex(line, r"^[^:]+:\d+: \S", "each finding with file and line")
            name, number, said = line.split(":", 2)
            findings.append((os.path.basename(name), int(number), said.strip()))
        self.assertRegex(err.strip().splitlines()[-1], r"\d findings?; the bot does not start with (it|them)$")
        return findings

    def test_an_unknown_key(self):
        findings = self.broken(("journal =", "jurnal ="))
        self.assertTrue(any(f[0] == "hausmeister.cfg" and "jurnal" in f[2] for f in findings), findings)

    def test_a_secret_in_clear(self):
        findings = self.broken(('"env:METAPOD_TOKEN"', '"s3cr3t"'))
        self.assertEqual(len(findings), 1)
        self.assertNotIn("s3cr3t", findings[0][2], "a secret is not repeated")

    def test_plain_http_to_elsewhere(self):
        findings = self.broken((self.world.url, "http://metapod.example.com"))
        self.assertIn('backends.metapod.url "http://metapod.example.com/metapod" is neither', findings[0][2])

    def test_where_to_listen(self):
        for listen in ("8787", "127.0.0.1", "127.0.0.1:99999", "localhost:8787", ":8787", "127.0.0.1:x", "::1:8787"):
            findings = self.broken(('listen = "127.0.0.1:0"', f'listen = "{listen}"'))
            self.assertEqual(len(findings), 1, findings)
            self.assertIn(f'listen = "{listen}"', findings[0][2])

    def test_names_are_no_ids(self):
        for key, old, new in (("channel", f'"{OPS}"', '"#ops"'), ("audit_channel", '"C0AUDIT"', '"D0AUDIT"'),
                              ("usergroup", '"S0RED"', '"red-team"')):
            findings = self.broken((f"{key} = {old}", f"{key} = {new}"))
            self.assertEqual(len(findings), 1, findings)
            self.assertIn(f"{new} is no id of Slack", findings[0][2])
        findings = self.broken(("users = [ ", 'users = [ "ben" '))
        self.assertEqual(len(findings), 1, findings)
        self.assertIn('"ben" is no id of Slack; such an id begins with U or W, like UABC123', findings[0][2])

    def test_what_a_setting_may_say(self):
        for api, said in (('"v3"', '"v3"'), ("1", "1")):
            findings = self.broken(('backends = {', f'backends = {{ dags = {{ handler = "airflow"; url = "https://dags.example.com"; '
                                                    f'settings = {{ api = {api}; }}; }};'))
            self.assertEqual(len(findings), 1, findings)
            self.assertIn(f'backends.dags.settings.api must be "v1" or "v2", not {said}', findings[0][2])

    def test_a_folder_that_is_not_there(self):
        findings = self.broken(('recipes = [ "recipes" ]', 'recipes = [ "/nowhere/recipes" ]'))
        self.assertEqual(len(findings), 1, findings)
        self.assertEqual(findings[0][0], os.path.basename(self.bot.config))
        self.assertIn("recipes: the folder /nowhere/recipes can not be read: No such file or directory", findings[0][2])

    def test_a_variable_that_is_not_set(self):
        self.bot.write_config()
        with open(self.bot.config) as file:
            text = file.read()
        with open(self.bot.config, "w") as file:
            file.write(text.replace("backends = {", 'backends = { dags = { handler = "airflow"; url = "https://dags.example.com"; '
                                                    'auth = { basic = "env:NOBODY_SETS_THIS"; }; };'))
        out, err = self.bot.cli("check")
        self.assertRegex(out, r"note: these variables are not set here.*: .*\bNOBODY_SETS_THIS\b")

    def test_a_recipe_named_like_a_command(self):
        for name in ("help", "runs", "run", "cancel", "retry", "take", "stop", "resume"):
            self.bot.write_config()
            self.bot.add_recipe("other", f'name = "{name}";\n' 'title = "Say it"; steps = ( { id = "told"; say = "Said."; } );')
            out, err = self.bot.cli("check", code=1)
            self.assertIn(f'other.cfg:1: name may not be "{name}"', err)

    def test_where_the_journal_is_to_be(self):
        self.bot.write_config(journal="nowhere/hausmeister.db")
        out, err = self.bot.cli("check", code=1)
        self.assertRegex(err, r"journal\.path: there is no folder .*/nowhere ")
        os.mkdir(os.path.join(self.folder, "nowhere"))
        self.bot.cli("check")
        if os.getuid() != 0:  # nothing is closed to root
            os.chmod(os.path.join(self.folder, "nowhere"), 0o500)
            out, err = self.bot.cli("check", code=1)
            self.assertRegex(err, r"journal\.path: .*/nowhere can not be written")

    def test_an_effect_that_nobody_approves(self):
        self.bot.write_config()
        self.bot.add_recipe("sudden", '''name = "sudden";
title = "Retract without asking";
params = ( { name = "id"; type = "uuid"; help = "id"; } );
steps = ( { id = "retract"; do = "metapod.retract-dataset"; with = { id = "${id}"; }; } );
''')
        out, err = self.bot.cli("check", code=1)
        self.assertRegex(err, r"sudden\.cfg:4: .*approv")

    def test_a_name_that_does_not_exist(self):
        findings = self.broken(("${find.name}", "${fond.name}"), recipe="retract")
        self.assertTrue(all(f[0] == "retract.cfg" for f in findings), findings)
        self.assertTrue(any("fond" in f[2] for f in findings), findings)

    def test_a_syntax_error(self):
        findings = self.broken(("steps = (", "steps = (("), recipe="retract")
        self.assertEqual(findings[0][0], "retract.cfg")

    def test_the_bot_does_not_start_with_it(self):
        self.bot.write_config()
        with open(self.bot.config, "a") as file:
            file.write("nonsense = 1;\n")
        out, err = self.bot.cli("run", code=1)
        self.assertRegex(err, r"hausmeister\.cfg:\d+: .*nonsense")


class Plan(Case):
    def test_prints_the_exact_request_and_sends_none(self):
        out, err = self.bot.cli("plan", "retract", DATASET)
        self.assertIn(f"POST {self.world.url}/metapod/api/migrations/retract/committed-dataset/{DATASET}", out)
        self.assertIn(DATASET_NAME, out)
        self.assertEqual(self.world.posts(), 0)
        self.assertEqual(self.world.counts()["effects"], [])
        self.assertTrue(self.world.posts("/graphql") > 0, "reads are done for real")
        self.assertFalse(os.path.exists(self.bot.journal), "a rehearsal is not journaled")
        self.assertNotIn("metapod-secret", out)

    def test_json(self):
        plan = json.loads(self.bot.cli("plan", "--json", "retract", DATASET)[0])
        self.assertEqual(plan["status"], "at-gate")
        requests = plan["gate"]["requests"]
        self.assertEqual(len(requests), 1)
        self.assertEqual(requests[0]["request"]["method"], "POST")
        self.assertEqual(requests[0]["request"]["body"], "")
        self.assertRegex(plan["gate"]["digest"], r"^[0-9a-f]{64}$")
        again = json.loads(self.bot.cli("plan", "--json", "retract", DATASET)[0])
        self.assertEqual(again["gate"]["digest"], plan["gate"]["digest"], "the same plan has the same digest")

    def test_as_people_type_it_in_slack(self):
        plain = self.bot.cli("plan", "retract", DATASET, f"transaction={TRANSACTION}")[0]
        self.assertEqual(self.bot.cli("plan", "retract", DATASET, f"--transaction={TRANSACTION}", "--dry-run")[0], plain)
        self.assertEqual(self.bot.cli("plan", "retract", "--", f"id={DATASET}", f"transaction={TRANSACTION}")[0], plain)

    def test_nothing_to_do(self):
        out, err = self.bot.cli("plan", "retract", UNCOMMITTED)
        self.assertIn("not committed", out)

    def test_what_is_wrong(self):
        for words, said in ((("nosuch",), 'there is no recipe "nosuch"; there are: retract'), (("retrct",), 'did you mean "retract"?'), (("retract", "42"), "id"), (("retract",), "id"),
                            (("retract", DATASET, "colour=red"), "colour")):
            out, err = self.bot.cli("plan", *words, code=1)
            self.assertIn(said, err)
            self.assertEqual(len(err.strip().splitlines()), 1, err)
        self.bot.cli("plan", code=2)

    def test_no_backend(self):
        self.bot.write_config(backend_url="http://127.0.0.1:1/metapod")
        out, err = self.bot.cli("plan", "retract", DATASET, code=1)
        self.assertIn("127.0.0.1", out + err)


class Journal(Case):
    def test_before_the_first_start(self):
        for words in (("runs",), ("audit", "verify")):
            out, err = self.bot.cli(*words, code=3)
            self.assertIn("hausmeister.db", err)

    def test_runs_and_audit(self):
        self.bot.start()
        self.assertIn("no runs yet", self.bot.cli("runs")[0])
        self.assertEqual(json.loads(self.bot.cli("runs", "--json")[0]), [])
        card = self.retract(DATASET)
        card.click("Approve", BEN)
        card.wait("Done")
        listed = self.bot.cli("runs")[0]
        run = self.bot.runs()[0]["run"]
        for part in (run, "retract", ANA, " done "):
            self.assertIn(part, listed)
        self.assertEqual([(r["going"], r["status"]) for r in self.bot.runs()], [(False, "done")])
        card = self.retract(COMMITTED_2)
        card.wait_button("Approve")
        self.assertIn(" going ", self.bot.cli("runs")[0])
        card.reject(BEN)
        card.wait("Rejected")
        self.assertEqual([r["status"] for r in self.bot.runs()], ["rejected", "done"])
        self.assertIn(" rejected ", self.bot.cli("runs")[0])
        events = self.bot.cli("runs", run)[0]
        for part in ("run.started", "gate.opened", "gate.vote", "call.started", "run.finished"):
            self.assertIn(part, events)
        out, err = self.bot.cli("runs", "r-none", code=1)
        self.assertIn("r-none", err)
        self.bot.cli("runs", run, "more", code=2)

        exported = [json.loads(line) for line in self.bot.cli("audit", "export")[0].splitlines()]
        self.assertEqual([e["id"] for e in exported], list(range(1, len(exported) + 1)))
        self.assertIn(exported[-1]["hash"], self.bot.cli("audit", "verify")[0])
        self.bot.cli("audit", code=2)
        self.bot.cli("audit", "polish", code=2)


    def test_a_faulty_configuration_does_not_hide_the_journal(self):
        """Recipes, alarms and backends that do not load are when somebody asks what was running."""
        self.bot.start()
        card = self.retract(DATASET)
        card.wait_button("Approve")
        run = self.bot.runs()[0]["run"]
        self.bot.stop()
        with open(os.path.join(self.bot.recipes, "retract.cfg"), "a") as file:
            file.write("nonsense = 1;\n")
        with open(self.bot.config) as file:
            text = file.read()
        with open(self.bot.config, "w") as file:
            file.write(text.replace('handler = "metapod";', 'handler = "nobody"; nonsense = 1;') + "more_nonsense = 1;\n")
        self.bot.cli("check", code=1)
        self.assertIn(run, self.bot.cli("runs")[0])
        self.assertIn("gate.opened", self.bot.cli("runs", run)[0])
        self.assertIn("ok: ", self.bot.cli("audit", "verify")[0])
        self.assertIn(run, self.bot.cli("audit", "export")[0])
        with open(self.bot.config, "w") as file:
            file.write(text.replace("journal = ", "diary = "))
        self.assertIn("journal", self.bot.cli("runs", code=1)[1])

    def test_run_is_not_runs(self):
        out, err = self.bot.cli("run", "r-nope", code=2)
        self.assertIn("`hausmeister runs --config FILE r-nope` shows a run", err)


class Manifest(Case):
    def test_is_what_slack_wants(self):
        manifest = json.loads(self.bot.cli("manifest")[0])
        self.assertTrue(manifest["settings"]["socket_mode_enabled"])
        self.assertEqual([c["command"] for c in manifest["features"]["slash_commands"]], ["/hausmeister"])
        scopes = manifest["oauth_config"]["scopes"]["bot"]
        for scope in ("commands", "chat:write", "usergroups:read"):
            self.assertIn(scope, scopes)

    def test_follows_the_configuration(self):
        self.bot.write_config()
        with open(self.bot.config) as file:
            text = file.read()
        with open(self.bot.config, "w") as file:
            file.write(text.replace('"/hausmeister"', '"/janitor"'))
        manifest = json.loads(self.bot.cli("manifest")[0])
        self.assertEqual(manifest["features"]["slash_commands"][0]["command"], "/janitor")


class Start(Case):
    def test_tokens_that_are_swapped(self):
        """Said by check and at the start, before Slack is asked; an environment without tokens is nothing to check."""
        env = dict(self.bot.env)
        wrong = {"SLACK_APP_TOKEN": ("xoxb-secret", 'slack.app_token (env:SLACK_APP_TOKEN) holds a bot token (xoxb-…)'),
                 "SLACK_BOT_TOKEN": ("xapp-secret", 'slack.bot_token (env:SLACK_BOT_TOKEN) holds an app-level token (xapp-…)')}
        for name, (value, said) in wrong.items():
            self.bot.env = {**env, name: value}
            for command, code in (("check", 1), ("run", 3)):
                out, err = self.bot.cli(command, code=code)
                self.assertIn(said, err)
                self.assertIn("swapped", err)
                self.assertNotIn("secret", err)
        self.bot.env = {key: value for key, value in env.items() if key not in wrong}
        self.assertIn("ok", self.bot.cli("check")[0])
        # Slack may give its tokens another beginning one day.
        self.bot.env = {**env, "SLACK_BOT_TOKEN": "xnew-secret"}
        out, err = self.bot.cli("check")
        self.assertIn("ok", out)
        self.assertIn("slack.bot_token (env:SLACK_BOT_TOKEN) does not look like a token of Slack", err)
        self.assertNotIn("secret", err)

    def test_a_secret_that_is_not_there(self):
        self.bot.env.pop("SLACK_BOT_TOKEN")
        out, err = self.bot.cli("run", code=3)
        self.assertIn("SLACK_BOT_TOKEN", err)

    def test_a_port_that_is_taken(self):
        self.bot.write_config(http_port=self.slack.port)
        out, err = self.bot.cli("run", code=3)
        self.assertIn(str(self.slack.port), err)


if __name__ == "__main__":
    main()
