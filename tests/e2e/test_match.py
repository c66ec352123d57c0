"""`hausmeister match` on the command line, and what docs/alarms.md tells: its first rule loads and matches, its macros take what it
says. No network."""
import json
import os
import re
import shutil
import tempfile
import unittest

from harness import TOP, bot_program, main, run_cli

DOCS = os.path.join(TOP, "docs", "alarms.md")
ROW = re.compile(r"^\| `\{\{(\w+)\}\}`([^|]*)\|(.*)\|(.*)\|$", re.M)
EXAMPLE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
HEAD = 'title = "Of the tests"; channels = [ "C0123" ]; from = [ "B0123" ]; match = "^probe\\\\b";'


def docs():
    with open(DOCS, encoding="utf-8") as file:
        return file.read()


def first_rule():
    """The first block of code that has the name of a rule, without its indentation."""
    for block in re.findall(r"^( *)```\n(.*?)^\1```$", docs(), re.M | re.S):
        if "name     =" in block[1]:
            return "".join(line[len(block[0]):] + "\n" for line in block[1].splitlines())
    raise AssertionError("docs/alarms.md has no rule")


class Match(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="hm-match-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.alarms = os.path.join(self.folder, "alarms")
        self.config = os.path.join(self.folder, "hausmeister.cfg")
        os.mkdir(self.alarms)
        shutil.copytree(os.path.join(TOP, "config", "recipes"), os.path.join(self.folder, "recipes"),
                        ignore=shutil.ignore_patterns("tests"))
        with open(os.path.join(TOP, "config", "hausmeister.cfg"), encoding="utf-8") as file:
            text = file.read()
        for old, new in (('channels = {\n', 'channels = {\n  ops = "C0123";\n'), ('"B0SPLUNK"', '"B0123"')):
            self.assertEqual(text.count(old), 1, old)
            text = text.replace(old, new)
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text)

    def rule(self, name, text):
        with open(os.path.join(self.alarms, name + ".cfg"), "w", encoding="utf-8") as file:
            file.write(text)

    def cli(self, command, *words, stdin=None, code=0):
        return run_cli([bot_program(), command, "--config", self.config, *words], code, env={"PATH": os.environ["PATH"]}, stdin=stdin)

    def match(self, stdin, code=0):
        return json.loads(self.cli("match", "--json", stdin=stdin, code=code)[0])


class Input(Match):
    def setUp(self):
        super().setUp()
        self.rule("probe", f'name = "probe"; {HEAD}')

    def test_text_message_event_envelope(self):
        message = {"type": "message", "channel": "C0123", "bot_id": "B0123", "ts": "1796000007.000000", "text": "probe"}
        for stdin in ("probe", json.dumps(message), json.dumps({"event": message}), json.dumps({"payload": {"event": message}})):
            self.assertEqual(self.match(stdin)["alarm"], "probe", stdin)
            path = os.path.join(self.folder, "said")
            with open(path, "w") as file:
                file.write(stdin)
            self.assertEqual(json.loads(self.cli("match", "--json", path)[0])["alarm"], "probe", stdin)
        self.assertIn("nowhere: No such file or directory; a text itself comes on standard input",
                      self.cli("match", "nowhere", code=2)[1])
        self.assertIn(f"{self.folder}: Is a directory", self.cli("match", self.folder, code=2)[1])
        self.assertIn("match reads one FILE or standard input", self.cli("match", "bad", "dataset", code=2)[1])
        self.assertEqual(self.match(json.dumps({**message, "bot_id": "B0456"}), code=1)["reason"], "gate:poster")

    def test_event_that_is_no_message(self):
        """A deletion or a reaction has neither text nor blocks: the gates say what it is."""
        said = {"type": "message", "channel": "C0123", "bot_id": "B0123", "ts": "1796000007.000000", "text": "probe"}
        deleted = {"type": "message", "subtype": "message_deleted", "channel": "C0123", "ts": "1796000009.000000", "hidden": True,
                   "deleted_ts": said["ts"], "previous_message": said}
        reaction = {"type": "reaction_added", "user": "U0123", "reaction": "eyes", "event_ts": "1796000009.000000",
                    "item": {"type": "message", "channel": "C0123", "ts": said["ts"]}}
        for event, reason in ((deleted, "gate:subtype"), (reaction, "gate:type")):
            for stdin in (event, {"type": "event_callback", "event": event}, {"type": "events_api", "payload": {"event": event}}):
                self.assertEqual(self.match(json.dumps(stdin), code=1)["reason"], reason, stdin)

    def test_message_of_the_history(self):
        """Slack's history does not say where a message is: whoever asks does."""
        message = json.dumps({"type": "message", "bot_id": "B0123", "ts": "1796000007.000000", "text": "probe"})
        said = self.match(message, code=1)
        self.assertEqual((said["reason"], said["nearest"], said["why"]), (
            "gate:channel", "probe", "the message does not say where it is; give --channel NAME (the words are those of probe)"))
        self.assertIn("alarm: probe\n", self.cli("match", "--channel", "ops", stdin=message)[0])
        self.assertIn('--channel opss: the settings know no such channel; write its id, or a name of channels; did you mean "ops"?',
                      self.cli("match", "--channel", "opss", stdin=message, code=2)[1])

    def test_broken_json_is_said(self):
        for stdin, said in (('{"text": "probe"', "line 1, column 16"), ('{"text": "probe",\n "ts" 1}', "line 2, column 7"),
                            ('{"text": "probe", "text": "probe"}', "duplicate"), ('{', "line 1, column 1"), ('["probe"', "line 1, column 8"),
                            ('[{"text": "probe"}]', "a list"),
                            ('{"ok": true, "messages": [{"text": "probe"}]}', "give one of its messages"), ('{"a": "probe"}', "no message")):
            out, err = self.cli("match", stdin=stdin, code=2)
            self.assertEqual(out, "", stdin)
            self.assertRegex(err, r"\Ahausmeister: stdin: [^\n]+\n\Z")
            self.assertIn(said, err)

    def test_text_that_begins_like_json(self):
        self.rule("probe", 'name = "probe"; ' + HEAD.replace("^probe", "probe"))
        out, err = self.cli("match", stdin="{'log': 'probe'}")
        self.assertIn("alarm: probe\n", out)
        self.assertRegex(err, r"\Ahausmeister: stdin: not JSON: [^\n]*line 1, column 2; taken for a text\n\Z")
        out, err = self.cli("match", stdin="[FIRING:1] probe")
        self.assertIn("alarm: probe\n", out)
        self.assertEqual(err, "")

    def test_what_people_say_as_text(self):
        """Text on stdin is a person's for the rules of what people say: what it quotes or strikes out is not said."""
        self.rule("people", 'name = "people"; title = "Of the tests"; channels = [ "C0123" ]; from = [ "people" ]; match = "mend it";')
        self.assertEqual(self.match("please mend it")["alarm"], "people")
        for said in ("> mend it", " >mend it\nno", ">>> no\nmend it", "~mend it~ no"):
            self.assertEqual(self.match(said, code=1)["reason"], "no-anchor", said)
        self.assertEqual(self.match("> probe\nprobe")["alarm"], "probe")

    def test_text_from_windows(self):
        self.rule("probe", 'name = "probe"; ' + HEAD + ' fields = ( { name = "v"; type = "string"; find = "^v: (?<v>[a-z]+){{end}}"; } );')
        self.assertEqual(self.match("probe\r\nv: x\r\n")["fields"], {"v": "x"})

    def test_too_long(self):
        self.assertIn("1048576 bytes", self.cli("match", stdin="x" * (1 << 20) + "y", code=2)[1])


class Docs(Match):
    def test_the_rule_in_ten_minutes(self):
        self.rule("disk-full", first_rule())
        self.assertIn("1 alarm,", self.cli("check")[0])
        text = "Warning: Disk is full\nhost: ip-10-130-0-80.ec2.internal\nused: 97%"
        message = {"type": "message", "channel": "C0123", "bot_id": "B0123", "ts": "1796000007.000000", "text": text}
        attached = {**message, "text": "", "attachments": [{"title": "Disk is full", "fields": [
            {"title": "Host", "value": "i-0abc12345def67890"}]}]}
        for stdin, host, used in ((text, "ip-10-130-0-80.ec2.internal", "97"), (json.dumps(message), "ip-10-130-0-80.ec2.internal", "97"),
                                  (json.dumps(attached), "i-0abc12345def67890", None)):
            said = self.match(stdin)
            self.assertEqual((said["verdict"], said["alarm"], said["key"]), ("match", "disk-full", host))
            self.assertEqual(said["fields"], {"host": host, **({"used": used} if used else {})})
            self.assertEqual([offer["recipe"] for offer in said["offers"]], ["scale-status"])
            self.assertEqual(said["problems"], [])
        for changed, reason in (({"text": "Disk is full\nhost: web 1"}, "missing:host"), ({"bot_id": "B0456"}, "gate:poster"),
                                ({"text": "the disk is fine"}, "no-anchor")):
            self.assertEqual(self.match(json.dumps({**message, **changed}), code=1)["reason"], reason)

    def test_the_macros(self):
        """Each example in the tables, in both columns."""
        around = {"sep": "^job{{sep}}(?<v>tapir){{end}}", "begin": "{{begin}}(?<v>tapir){{end}}", "end": "^.?(?<v>tapir){{end}}",
                  "title": "{{title}}(?<v>tapir){{end}}", "real": "{{begin}}{{real}}(?<v>tapir){{end}}", "here": "^(?<v>tapir){{here}}",
                  "elsewhere": r"\\A(?=[\\s\\S]*{{elsewhere}})[\\s\\S]*{{begin}}(?<v>tapir){{end}}",
                  "planned": r"\\A(?=[\\s\\S]*{{planned}})[\\s\\S]*{{begin}}(?<v>tapir){{end}}",
                  "talk": r"\\A(?=[\\s\\S]*{{talk}})[\\s\\S]*{{begin}}(?<v>tapir){{end}}"}
        seen = {}
        for name, _, takes, refuses in ROW.findall(docs()):
            find = around.get(name, f"^v=(?<v>{{{{{name}}}}}){{{{end}}}}")
            self.rule("probe", f'name = "probe"; {HEAD} fields = ( {{ name = "v"; type = "string"; optional = true; find = "{find}"; }} );')
            for column, taken in ((takes, True), (refuses, False)):
                examples = [found[1].strip() if len(found[0]) > 1 else found[1] for found in EXAMPLE.findall(column)]
                self.assertTrue(examples, name)
                for example in examples:
                    text = example.replace("↵", "\n") if name in around else "v=" + example
                    whole = text + "\nprobe" if name in ("title", "elsewhere", "planned", "talk") else "probe\n" + text
                    value = self.match(whole)["fields"].get("v")
                    self.assertEqual(value, ("tapir" if name in around else example) if taken else None, (name, example))
                    seen[name] = seen.get(name, 0) + 1
        self.assertEqual(set(seen), {"begin", "sep", "end", "uuid", "dataset", "job", "service", "prototype", "topic", "day", "moment", "sha",
                                     "host", "stack", "number", "environment", "title", "real", "here", "elsewhere", "planned", "talk"})


if __name__ == "__main__":
    main()
