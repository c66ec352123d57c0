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
from harness import BEN, Case, Deadline, main  # noqa: E402


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



class Prometheus(Real):
    def setUp(self):
        super().setUp()
        self.server = self.serve(servers.Prometheus, [("lag", {"stack_id": "green", "topic": "EVENTS"}, 1500),
                                                      ("lag", {"stack_id": "green", "topic": "OTHERS"}, 3)])
        self.backends(f'prometheus = {{ handler = "prometheus"; url = "{self.server.url}"; }};')
        self.recipe("lag", """{ id = "lag"; do = "prometheus.query"; with = { query = "${query}"; labels = { stack = "${stack}"; }; };
  say = "${lag.count} series, at most ${lag.max}, verified: ${lag.verified}"; }""",
                    '{ name = "stack"; type = "string"; help = "which"; }, { name = "query"; type = "string"; help = "q"; '
                    'default = "sort_desc(lag{stack_id=$stack} > 0)"; }')

    def test_values(self):
        self.assertIn("2 series, at most 1500, verified: true", self.plan("lag", "green"))

    def test_a_name_that_ends_the_quotes_stays_a_name(self):
        self.assertIn("0 series", self.plan("lag", 'green"} or vector(1) or lag{stack_id="'))

    def test_a_broken_query(self):
        text = self.plan("lag", "green", "query=lag{", code=None)
        self.assertIn("Prometheus", text)
        self.assertIn("parse error", text)


class DynamoDb(Real):
    AUTH = ('auth = { aws = { access_key = "env:AWS_KEY"; secret_key = "env:AWS_SECRET"; region = "us-east-1"; '
            'service = "dynamodb"; }; };')

    def setUp(self):
        super().setUp()
        self.server = self.serve(servers.Dynalite)
        for name, more in (("prod-s3-analytics-datomic", {"ProvisionedThroughput": {"ReadCapacityUnits": 10, "WriteCapacityUnits": 20}}),
                           ("prod-s3-ondemand-datomic", {"BillingMode": "PAY_PER_REQUEST"})):
            self.server.call("CreateTable", TableName=name, AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                             KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], **more)
        self.wait_active("prod-s3-analytics-datomic")
        self.backends(f'dynamodb = {{ handler = "dynamodb"; url = "{self.server.url}"; {self.AUTH} }};',
                      AWS_KEY="AKIDEXAMPLE", AWS_SECRET="secret-of-the-tests")
        self.recipe("table", '{ id = "table"; do = "dynamodb.table"; with = { name = "${table-name}"; }; '
                             'say = "${table.name} is ${table.status}, ${table.mode}: ${table.read} ${table.write}"; }',
                    '{ name = "table-name"; type = "string"; help = "which"; }')
        self.recipe("raise", """
  { id = "now"; do = "dynamodb.capacity"; with = { table = "${table-name}"; read = "${read}"; }; },
  { id = "gate"; approve = "Raise ${table-name} from ${now.read} to ${now.to_read}?"; by = [ "hausmeister" ]; },
  { id = "set"; do = "dynamodb.set-capacity"; with = { table = "${table-name}"; from_read = "${now.read}"; from_write = "${now.write}";
    read = "${now.to_read}"; write = "${now.to_write}"; }; },
  { id = "end"; do = "dynamodb.capacity"; with = { table = "${table-name}"; };
    until = { when = "end.status == 'ACTIVE'"; every = "1s"; within = "1m"; }; say = "Now ${end.read} and ${end.write}, ${end.status}"; }""",
                    '{ name = "table-name"; type = "string"; help = "which"; }, { name = "read"; type = "int"; help = "r"; }')

    def wait_active(self, name):
        deadline = Deadline()
        while self.server.call("DescribeTable", TableName=name)["Table"]["TableStatus"] != "ACTIVE":
            self.assertFalse(deadline.over())

    def test_a_table(self):
        self.assertIn("prod-s3-analytics-datomic is ACTIVE, PROVISIONED: 10 20", self.plan("table", "prod-s3-analytics-datomic"))

    def test_no_such_table(self):
        self.assertIn("nope-datomic", self.plan("table", "nope-datomic", code=None))

    def test_raising(self):
        self.bot.start()
        self.slack.slash("raise prod-s3-analytics-datomic 20")
        card = self.card("Raise prod-s3-analytics-datomic from 10 to 20")
        card.click("Approve", BEN)
        card.wait("Now 20 and 20, ACTIVE")
        table = self.server.call("DescribeTable", TableName="prod-s3-analytics-datomic")["Table"]
        self.assertEqual(table["ProvisionedThroughput"]["ReadCapacityUnits"], 20)
        self.assertEqual(table["ProvisionedThroughput"]["NumberOfDecreasesToday"], 0)


class Signatures(Real):
    """Our signatures against botocore's, for each service that signs a little differently."""

    def setUp(self):
        super().setUp()
        self.server = self.serve(servers.Botocore)
        text = ""
        for name in ("s3", "ec2", "dynamodb"):
            text += (f'{name} = {{ handler = "{name}"; url = "{self.server.url}"; auth = {{ aws = {{ access_key = "env:AWS_KEY"; '
                     f'secret_key = "env:AWS_SECRET"; region = "sa-east-1"; service = "{name}"; }}; }}; }};\n')
        self.backends(text, AWS_KEY=servers.Botocore.KEY, AWS_SECRET=servers.Botocore.SECRET)
        self.recipe("object", '{ id = "object"; do = "s3.object"; with = { bucket = "nu-keysets-prod"; key = "${path}"; }; '
                              'say = "It is of ${object.modified}"; }', '{ name = "path"; type = "string"; help = "p"; }')
        self.recipe("machines", '{ id = "machines"; do = "ec2.instances"; with = { name = "${pattern}"; }; '
                                'say = "${machines.count} machines"; }', '{ name = "pattern"; type = "string"; help = "p"; }')
        self.recipe("table", '{ id = "table"; do = "dynamodb.table"; with = { name = "prod-s3-analytics-datomic"; }; '
                             'say = "It is ${table.status}"; }')

    def test_s3(self):
        for key in ("certificates/pri/services/aurora.p12", "a+b/c=d@e/f~g%h", "a/b:c(d)!*"):
            self.assertIn("It is of 2020-05-02T09:00:00Z", self.plan("object", f"path={key}"), key)

    def test_ec2(self):
        self.assertIn("0 machines", self.plan("machines", "*cantareira-stable*"))

    def test_dynamodb(self):
        self.assertIn("It is ACTIVE", self.plan("table"))

    def test_a_wrong_secret(self):
        self.bot.env["AWS_SECRET"] = "another"
        self.assertIn("does not show", self.plan("object", "x", code=None))


class GitHub(Real):
    """Requests that GitHub's own document allows, and answers of its shape."""

    def setUp(self):
        super().setUp()
        self.server = self.serve(servers.GitHubAsPublished)
        self.backends(f'github = {{ handler = "github"; url = "{self.server.url}"; auth = {{ bearer = "env:GITHUB"; }}; }};', GITHUB="ghp_x")
        for name, action, args, say in (
                ("pull", "pull", 'number = 1347;', "${it.number} ${it.title} goes into ${it.base}"),
                ("compare", "compare", 'base = "release"; head = "fix";', "${it.status}, ${it.ahead} ahead"),
                ("checks", "checks", 'ref = "c8574a9";', "${it.total} checks")):
            self.recipe(name, f'{{ id = "it"; do = "github.{action}"; with = {{ repo = "nubank/itaipu"; {args} }}; say = "{say}"; }}')

    def test_what_is_asked_and_answered(self):
        self.assertIn("1347 Amazing new feature goes into", self.plan("pull"))
        self.assertRegex(self.plan("compare"), r"(ahead|behind|diverged|identical), \d+ ahead")
        self.assertRegex(self.plan("checks"), r"\d+ checks")

if __name__ == "__main__":
    main()
