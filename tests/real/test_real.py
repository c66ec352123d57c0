"""The handlers against real servers, through `hausmeister plan` for what is read and through the whole bot for what is changed.

A server that is not installed skips its tests and says so.
"""
import os
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
sys.path.insert(0, HERE)

import servers  # noqa: E402
from harness import BEN, Case, main  # noqa: E402


class Real(Case):
    def serve(self, kind, *args):
        folder = tempfile.mkdtemp(dir=self.bot.folder)
        try:
            server = kind(folder, *args)
        except servers.Missing as missing:
            self.skipTest(str(missing))
        self.addCleanup(server.stop)
        return server

    def backends(self, text, **env):
        self.bot.write_config()
        with open(self.bot.config) as file:
            config = file.read()
        with open(self.bot.config, "w") as file:
            file.write(config.replace("backends = {", "backends = {\n" + text, 1))
        self.bot.env.update(env)

    def recipe(self, name, steps, params=""):
        self.bot.add_recipe(name, f'name = "{name}"; title = "{name}"; doc = "none"; who = [ "hausmeister" ]; timeout = "30m";\n'
                                  f'params = ( {params} );\nsteps = (\n{steps}\n);\n')

    def plan(self, *words, code=0):
        out, err = self.bot.cli("plan", *words, code=code)
        return out + err


class Registry(Real):
    def setUp(self):
        super().setUp()
        self.server = self.serve(servers.Registry)
        self.digest = self.server.push("nu-itaipu", "c8574a9")
        self.server.push("nu-itaipu", "18ce1d9")
        self.backends(f'registry = {{ handler = "registry"; url = "{self.server.url}"; auth = {{ basic = "env:REGISTRY"; }}; }};',
                      REGISTRY=f"{servers.Registry.USER}:{servers.Registry.PASSWORD}")
        self.recipe("tags", '{ id = "tags"; do = "registry.tags"; with = { name = "${image}"; }; say = "Tags: ${tags.tags}"; }',
                    '{ name = "image"; type = "string"; help = "which"; }')
        self.recipe("tag", '{ id = "tag"; do = "registry.tag"; with = { name = "nu-itaipu"; tag = "${label}"; }; say = "It is ${tag.digest}"; }',
                    '{ name = "label"; type = "string"; help = "which"; }')

    def test_tags(self):
        text = self.plan("tags", "nu-itaipu")
        self.assertIn("c8574a9", text)
        self.assertIn("18ce1d9", text)

    def test_an_unknown_image(self):
        self.assertIn("the registry knows no image nope", self.plan("tags", "nope", code=None))

    def test_a_manifest(self):
        self.assertIn(self.digest, self.plan("tag", "c8574a9"))
        self.assertIn("knows no tag 0000000", self.plan("tag", "0000000", code=None))

    def test_a_wrong_password(self):
        self.bot.env["REGISTRY"] = "hausmeister:wrong"
        self.assertIn("refused the bot's credentials", self.plan("tags", "nu-itaipu", code=None))


if __name__ == "__main__":
    main()
