#!/usr/bin/env python3
"""starter.py HAUSMEISTER: the small configuration to begin with, config/starter, as somebody uses it who copies it.

Checked as it is, it says of each place that is to be filled in what belongs there; filled in, it loads and its recipe tests pass.
A folder of its own; no network."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "config", "starter")
PROGRAM = sys.argv.pop(1)

# What stands in a finding → what somebody writes there.
FILLED = (("your channel's id", "C0123ABCD"), ("channel where a break-glass", "C0123ABCD"), ("your own user id", "U0123ABCD"),
          ("a second person", "U0456EFGH"), ("Airflow's address", "https://airflow.example.com"), ("the id of the DAG", "nightly"))


class Starter(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="hm-starter-")
        self.addCleanup(shutil.rmtree, self.folder)
        shutil.copytree(SOURCE, self.folder, dirs_exist_ok=True)
        self.config = os.path.join(self.folder, "hausmeister.cfg")

    def run_bot(self, command, code):
        done = subprocess.run([PROGRAM, command, "--config", self.config], capture_output=True, text=True, env={}, timeout=600)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout, done.stderr

    def test_says_what_is_to_be_filled_in(self):
        with open(self.config, encoding="utf-8") as file:
            marked = [i + 1 for i, line in enumerate(file) if '"FILL IN' in line]
        for command in ("check", "run"):
            out, err = self.run_bot(command, 1)
            found = re.findall(r"^(?:.*/)?hausmeister\.cfg:(\d+): ([\w.\[\]]+): fill it in: (.+)$", err, re.M)
            self.assertEqual([int(line) for line, _, _ in found], marked, err)
            self.assertEqual([path for _, path, _ in found],
                             ["slack.channel", "slack.audit_channel", "roles.hausmeister.users[1]", "roles.hausmeister.users[2]",
                              "backends.airflow.url", "backends.airflow.settings.dag"])
            for (_, _, said), (part, _) in zip(found, FILLED):
                self.assertIn(part, said)

    def test_is_right_when_filled_in(self):
        with open(self.config, encoding="utf-8") as file:
            text = file.read()
        for part, value in FILLED:
            text, n = re.subn(f'"FILL IN: [^"]*{re.escape(part)}[^"]*"', f'"{value}"', text)
            self.assertEqual(n, 1, part)
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text)
        out, err = self.run_bot("check", 0)
        self.assertIn("ok, 2 recipes, 0 alarms, 1 backend, 1 role", out)
        self.assertRegex(self.run_bot("test", 0)[0], r"(?m)^2 passed")


if __name__ == "__main__":
    unittest.main()
