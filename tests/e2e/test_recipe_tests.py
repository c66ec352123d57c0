"""`hausmeister test`: recipe tests beside the recipes. What passes, what fails and how that looks, and the exit codes; and that every
kind of step, click and answer can be written down."""
import os
import shutil
import unittest

from harness import TOP, Case, main

HEAD = 'doc = "none"; who = [ "hausmeister" ]; timeout = "30m";\n'
GATE = '{ id = "gate"; approve = "Really?"; by = [ "hausmeister" ]; need = 1; expires = "15m"; },'
T = "319703ce-b90d-5a07-8195-33df0de911c8"
LISTED = ("{ to = \"POST /api/graphql\"; json = \"{'data': {'transaction': {'id': '" + T + "', 'datasets': ["
          "{'id': '00000000-0000-4000-8000-00000000000%d', 'name': 'dataset/a', 'committed': true},"
          "{'id': '00000000-0000-4000-8000-00000000000%d', 'name': 'dataset/b', 'committed': true},"
          "{'id': '00000000-0000-4000-8000-00000000000%d', 'name': 'dataset/c', 'committed': true}]}}}\"; }" % (1, 2, 3))


class RecipeTests(Case):
    def setUp(self):
        super().setUp()
        self.bot.write_config()
        with open(self.bot.config) as file:
            text = file.read()
        with open(self.bot.config, "w") as file:
            file.write(text.replace("backends = {", 'backends = { nu = { handler = "nu"; program = "/usr/local/bin/nu"; };', 1))
        self.tests = os.path.join(self.bot.recipes, "tests")
        for name in os.listdir(self.tests) if os.path.isdir(self.tests) else []:
            os.unlink(os.path.join(self.tests, name))
        os.makedirs(self.tests, exist_ok=True)
        shutil.copy(os.path.join(TOP, "config", "recipes", "retract-attribute.cfg"), self.bot.recipes)

    def recipe(self, name, steps, params=""):
        self.bot.add_recipe(name, f'name = "{name}"; title = "Of the tests"; {HEAD}params = ( {params} );\nsteps = (\n{steps}\n);\n')

    def write_test(self, name, text):
        with open(os.path.join(self.tests, name + ".cfg"), "w") as file:
            file.write(text)

    def passes(self, *words):
        out, err = self.bot.cli("test", *words, code=0)
        self.assertRegex(out.splitlines()[-1], r"^\d+ passed, 0 failed$")
        return out

    def fails(self, *words):
        out, err = self.bot.cli("test", *words, code=1)
        self.assertRegex(out.splitlines()[-1], r"^\d+ passed, [1-9]\d* failed$")
        return out, err

    # --- the verdict --------------------------------------------------------------------------------------------------------------
    def attribute(self, expect, play='( { click = "approve"; by = "U0BEN"; typed = "%s"; } )' % T, more=""):
        self.write_test("one", f'''recipe = "retract-attribute"; given = "{T}"; {more}
answers = ( {{ to = "POST /api/migrations/retract/attribute/{T}"; json = "{{}}"; }} );
play = {play};
expect = {{ {expect} }};
''')

    def test_exit_codes_and_choice(self):
        self.bot.cli("test", code=1)  # there are none
        self.attribute(f'requests = ( "POST /api/migrations/retract/attribute/{T}" ); end = "done";')
        self.write_test("two", 'recipe = "retract"; given = "42"; expect = { refused = "id"; };')
        out = self.passes()
        self.assertIn("2 passed", out)
        self.assertRegex(out, r"ok +one \(\d\d+ plays\)")
        self.assertIn("1 passed", self.passes("one"))
        self.assertIn("1 passed", self.passes("retract"))
        self.assertIn("2 passed", self.passes("retract", "retract-attribute"))
        for words, said in ((("nosuch",), 'there is no test and no recipe "nosuch"; tests lie in '), (("one", "tow"), 'no recipe "tow"; did you mean "two"?'),
                            (("retract-atribute",), 'did you mean "retract-attribute"?')):
            out, err = self.bot.cli("test", *words, code=2)
            self.assertIn(said, err)
            self.assertEqual(out, "", "nothing is played")
        self.recipe("untested", '{ id = "a"; say = "b"; }')
        self.assertIn("there are no tests of that", self.bot.cli("test", "untested", code=2)[1])
        self.assertEqual(self.world.counts()["requests"], {}, "a recipe test needs no network")

    def test_differences_are_shown(self):
        for expect, *said in (
                ('requests = ( ); end = "done";', "requests (- expected, + sent):", f"+ POST /api/migrations/retract/attribute/{T}"),
                (f'requests = ( "GET /x", "POST /api/migrations/retract/attribute/{T}" ); end = "done";',
                 "- GET /x", f"  POST /api/migrations/retract/attribute/{T}"),
                (f'requests = ( "POST /api/migrations/retract/attribute/{T}" ); said = ( "Metapod took", "more" ); end = "done";',
                 "lines said", "- more"),
                (f'requests = ( "POST /api/migrations/retract/attribute/{T}" ); end = "failed";', "end: expected failed, got done"),
                (f'requests = ( "POST /api/migrations/retract/attribute/{T}" ); end = "done"; card = ( "Nonsense" );',
                 "the last card does not say: Nonsense", "| "),
                (f'requests = ( "POST /api/migrations/retract/attribute/{T}" ); end = "done"; shown = ( "Nonsense" );',
                 "no card says: Nonsense"),
                ('refused = "id";', "a run was started")):
            with self.subTest(expect):
                self.attribute(expect)
                out, _ = self.fails()
                for part in said:
                    self.assertIn(part, out)

    def test_what_the_test_forgot_is_said(self):
        self.attribute(f'requests = ( ); end = "done";', play='( { click = "approve"; by = "U0BEN"; reply = "approved"; } )')
        self.assertIn('was told "need-typed" instead of "approved"', self.fails()[0])
        self.attribute(f'requests = ( ); end = "waiting";', play="( )")
        self.passes()
        self.attribute(f'requests = ( ); end = "rejected";', play='( { click = "reject"; by = "U0BEN"; }, { wait = "1m"; } )')
        self.passes()
        self.write_test("one", f'recipe = "retract-attribute"; given = "{T}"; play = ( {{ click = "approve"; by = "U0BEN"; typed = "{T}"; }} );'
                         'expect = { requests = ( ); end = "done"; };')
        self.assertIn(f"no recorded answer (left) for POST /api/migrations/retract/attribute/{T}", self.fails()[0])

    def test_a_file_that_is_not_right(self):
        for text, said in (('recipe = "nosuch"; given = ""; expect = { requests = ( ); end = "done"; };', 'there is no recipe "nosuch"'),
                           ('recipe = "retract"; given = "x";', "expect"),
                           ('recipe = "retract"; given = "x"; expect = { requests = ( ); end = "dome"; };', '"dome" is no end'),
                           ('recipe = "retract"; given = "x"; colour = 1; expect = { refused = "x"; };', "colour"),
                           ('recipe = "retract"; given = "x"; play = ( { click = "jump"; } ); expect = { refused = "x"; };',
                            '"jump" is none of: approve, reject'),
                           ('recipe = "retract"; given = "x"; answers = ( { to = "GET /"; json = "{"; } ); expect = { refused = "x"; };',
                            "json"),
                           ("recipe = ", "missing")):
            with self.subTest(said):
                self.write_test("one", text)
                out, err = self.fails()
                self.assertRegex(err, r"one\.cfg:\d+: ")
                self.assertIn(said, err)

    def test_a_recipe_that_does_not_survive_a_crash(self):
        """A result that only the answer itself holds is lost with it, and then the recipe says something else."""
        self.recipe("frail", GATE + f'''
  {{ id = "go"; do = "metapod.retract-dataset"; with = {{ id = "{T}"; }}; probe = {{ transaction = "{T}"; }}; }},
  {{ id = "said"; say = "Status ${{go.status}}."; }}''')
        self.write_test("frail", f'''recipe = "frail"; given = "";
answers = ( {{ to = "POST /api/migrations/retract/committed-dataset/{T}"; json = "{{}}"; }},
  {{ to = "POST /api/graphql"; has = "names"; json = "{{'data': {{'transaction': {{'id': '{T}', 'datasets': [ {{'id': '{T}', 'name': 'a',
      'committed': true, 'schema': null}} ]}}}}}}"; }},
  {{ to = "POST /api/graphql"; json = "{{'data': {{'transaction': {{'id': '{T}', 'datasets': [ {{'id': '{T}', 'name': 'a'}} ]}}}}}}"; }},
  {{ to = "POST /api/graphql"; has = "names"; after = "POST /api/migrations/retract/committed-dataset/{T}";
     json = "{{'data': {{'transaction': {{'id': '{T}', 'datasets': [ {{'id': '{T}', 'name': 'a', 'committed': false,
      'schema': null}} ]}}}}}}"; }} );
play = ( {{ click = "approve"; by = "U0BEN"; }} );
expect = {{ requests = ( "POST /api/migrations/retract/committed-dataset/{T}" ); end = "done"; }};
'''.replace("\n      ", " "))
        out, _ = self.fails()
        self.assertIn("with a crash at write", out)
        self.assertIn("call.started go", out)
        self.assertIn("(- without the crash, + with it)", out)

    # --- everything can be written down ---------------------------------------------------------------------------------------------
    def test_a_list_of_which_one_fails_at_first(self):
        self.recipe("each", '{ id = "list"; do = "metapod.datasets"; with = { transaction = "%s"; committed = "yes"; }; },' % T + GATE + '''
  { id = "go"; foreach = "list.list"; as = "d"; parallel = 2; on_error = "continue"; do = "metapod.retract-dataset";
    with = { id = "${d.id}"; }; probe = { transaction = "%s"; }; },
  { id = "said"; say = "${go.done} done, ${go.failed} failed"; }''' % T)
        posts = [f"POST /api/migrations/retract/committed-dataset/00000000-0000-4000-8000-00000000000{i}" for i in (1, 2, 3)]
        probes = "".join(f''', {{ to = "POST /api/graphql"; has = "dataset/{name}"; json = "{{'data': {{'transaction': {{'id': '{T}',
     'datasets': [{{'id': '00000000-0000-4000-8000-00000000000{i}', 'name': 'dataset/{name}', 'committed': true, 'schema': null}}]}}}}}}"; }},
  {{ to = "POST /api/graphql"; has = "dataset/{name}"; after = "{posts[i - 1]}"; json = "{{'data': {{'transaction': {{'id': '{T}',
     'datasets': [{{'id': '00000000-0000-4000-8000-00000000000{i}', 'name': 'dataset/{name}', 'committed': false, 'schema': null}}]}}}}}}";
     }}'''.replace("\n     ", " ") for i, name in ((1, "a"), (2, "b"), (3, "c")))
        self.write_test("each", f'''recipe = "each"; given = "";
answers = ( {LISTED}{probes},
  {{ to = "{posts[0]}"; json = "{{}}"; }}, {{ to = "{posts[1]}"; status = 403; times = 1; }}, {{ to = "{posts[1]}"; json = "{{}}"; }},
  {{ to = "{posts[2]}"; json = "{{}}"; }} );
play = ( {{ click = "approve"; by = "U0BEN"; }}, {{ click = "retry-failed"; by = "U0BEN"; reply = "reopened"; }},
  {{ click = "approve"; by = "U0BEN"; }} );
expect = {{ requests = ( "POST /api/graphql", "{posts[0]}", "{posts[1]}", "{posts[2]}", "{posts[1]}" );
  said = ( "2 done, 1 failed", "3 done, 0 failed" ); end = "done"; }};
''')
        self.assertRegex(self.passes(), r"each \(\d\d plays\)")

    def test_questions(self):
        self.recipe("asks", '{ id = "list"; do = "metapod.datasets"; with = { transaction = "%s"; committed = "yes"; }; },' % T + '''
  { id = "which"; ask = { question = "Which?"; from = "list.list"; label = "${item.name}"; many = true; expires = "10m"; }; },
  { id = "how"; ask = { question = "How?"; fields = ( { name = "n"; type = "int"; help = "how many"; } ); expires = "10m"; }; },
  { id = "hand"; manual = "Press the button."; evidence = true; },
  { id = "said"; say = "${count(which)} chosen, ${how.n}, ${hand.evidence}"; }''')
        self.write_test("asks", f'''recipe = "asks"; given = "";
answers = ( {LISTED} );
play = ( {{ click = "answer"; by = "U0BEN"; choose = ( "dataset/a", "dataset/c" ); reply = "answered"; }},
  {{ click = "answer"; fill = {{ n = "many"; }}; reply = "bad-answer"; }}, {{ click = "answer"; fill = {{ n = "7"; }}; }},
  {{ click = "done"; reason = "pressed"; }} );
expect = {{ requests = ( "POST /api/graphql" ); said = ( "2 chosen, 7, pressed" ); end = "done"; shown = ( "Press the button." ); }};
''')
        self.passes()

    def test_programs(self):
        self.recipe("busts", GATE + '''
  { id = "bust"; do = "nu.cache-bust-stack"; retry = { tries = 3; wait = "1s"; }; },
  { id = "cycle"; do = "nu.ser-cycle"; with = { service = "mesos-master"; env = "e"; suffix = "s"; region = "r"; }; }''')
        cycle = "nu ser cycle mesos-master --env e --suffix s --region r"
        self.write_test("busts", f'''recipe = "busts"; given = "";
answers = ( {{ to = "nu cache bust stack"; status = 1; errors = "not now"; times = 1; }}, {{ to = "nu cache bust stack"; body = "ok"; }},
  {{ to = "{cycle}"; no_answer = "time-out"; applied = true; }} );
play = ( {{ click = "approve"; by = "U0BEN"; }}, {{ click = "happened"; by = "U0BEN"; }} );
expect = {{ requests = ( "nu cache bust stack", "nu cache bust stack", "{cycle}" ); end = "done"; shown = ( "not now" ); }};
''')
        self.passes()

    def test_crash_never(self):
        self.attribute(f'requests = ( "POST /api/migrations/retract/attribute/{T}" ); end = "done";', more='crash = "never";')
        self.assertIn("one (1 play)", self.passes())


if __name__ == "__main__":
    main()
