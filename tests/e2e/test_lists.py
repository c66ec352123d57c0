"""Params that are chosen from what a backend lists: offered in the form, looked up when they are typed, and what becomes of both when
the list is slow, can not be read or changes with another field."""
import json

from harness import ANA, COMMITTED_2_NAME, DAN, DATASET_NAME, EVE, OPS, TRANSACTION, UNKNOWN, Case, main

GRAPHQL = "/metapod/api/graphql"
CHOOSE = '''
name = "choose"; title = "Choose a dataset"; who = [ "hausmeister" ];
params = ( { name = "dataset"; type = "dataset"; help = "which one";
             list = { do = "metapod.datasets"; with = { transaction = "${transaction}"; committed = "yes"; };
                      value = "${item.name}"; label = "${item.name} (${item.id})"; }; },
           { name = "transaction"; type = "uuid"; help = "where"; default = "${known.etl.transaction}"; },
           { name = "other"; type = "string"; optional = true; help = "another one";
             list = { do = "metapod.datasets"; with = { transaction = "${transaction}"; committed = "no"; };
                      value = "${item.name}"; others = true; }; } );
steps = ( { id = "end"; say = "chosen `${dataset}` and `${other}`"; } );
'''
PREFIXED = '''
name = "prefixed"; title = "Choose a name"; who = [ "hausmeister" ];
params = ( { name = "prefix"; type = "string"; help = "before it"; },
           { name = "name"; type = "string"; help = "which one";
             list = { do = "metapod.datasets"; with = { transaction = "${known.etl.transaction}"; committed = "yes"; };
                      value = "${prefix} ${item.name}"; }; } );
steps = ( { id = "end"; say = "chosen `${name}`, ${prefix}"; } );
'''
TWO = '''
name = "two"; title = "Choose two"; who = [ "hausmeister" ];
params = ( { name = "transaction"; type = "string"; help = "where"; },
           { name = "one"; type = "string"; help = "which one";
             list = { do = "metapod.datasets"; with = { transaction = "${transaction}"; committed = "yes"; }; value = "${item.name}"; }; },
           { name = "other"; type = "string"; optional = true; help = "another one";
             list = { do = "metapod.datasets"; with = { transaction = "${transaction}"; committed = "no"; }; value = "${item.name}"; }; } );
steps = ( { id = "end"; say = "chosen `${one}` and `${other}`"; } );
'''
LINE = "hm.none"  # the value of a line that is no choice


class Lists(Case):
    def setUp(self):
        super().setUp()
        self.bot.add_recipe("choose", CHOOSE)

    def form(self, **more):
        return self.slack.wait(view=1, user=ANA, alive=self.alive(), **more)["view"]

    def field(self, view, name):
        return next(block for block in view["blocks"] if block.get("block_id") == name)

    def type(self, typed, field="dataset", user=ANA, key="value"):
        """What the select offers for these letters."""
        view = self.slack.get("views", user=user)["views"][-1]
        answer = self.slack.http.request("POST", "/_sim/suggest", {
            "user": user, "view_id": view["id"], "block_id": field, "action_id": "value", "value": typed})
        self.assertTrue(answer["acked"], answer)
        return [o["text"]["text"] if key == "text" else o[key] for o in (answer.get("ack_payload") or {"options": []})["options"]]

    def fill(self, field, value, **more):
        view = self.slack.get("views", user=ANA)["views"][-1]
        answer = self.slack.http.request("POST", "/_sim/select?wait=ack", {
            "user": ANA, "view_id": view["id"], "block_id": field, "action_id": "value", "value": value, **more})
        self.assertTrue(answer["ok"], answer)

    def kinds(self, *names):
        view = self.slack.get("views", user=ANA)["views"][-1]
        return [self.field(view, name)["element"]["type"] for name in names]

    def line(self, field="dataset"):
        """The one line that stands there in place of choices."""
        self.assertEqual(self.type("", field), [LINE])
        return self.type("", field, key="text")[0]

    def choose(self, field, value):
        """Takes an option that the select has shown."""
        view = self.slack.get("views", user=ANA)["views"][-1]
        self.slack.post("select", user=ANA, view_id=view["id"], block_id=field, action_id="value",
                        value={"text": {"type": "plain_text", "text": value}, "value": value})

    def submit(self, values, **more):
        return self.slack.http.request("POST", "/_sim/submit_view?wait=ack", {"user": ANA, "values": values, **more})

    def reads(self):
        return sum(n for key, n in self.world.counts()["requests"].items() if GRAPHQL in key)

    def test_chosen_from_the_list(self):
        self.bot.start()
        self.slack.slash("choose")
        self.assertEqual(self.field(self.form(), "dataset")["element"]["type"], "external_select")
        self.assertIn(DATASET_NAME, self.type(""))
        self.assertEqual(self.type("proactive-limit-v3"), [DATASET_NAME])
        self.assertEqual(self.type("bill pay"), [COMMITTED_2_NAME])
        self.assertEqual(self.type("no such thing"), [])
        self.assertEqual(self.type("no-such-thing", "other"), ["no-such-thing"])
        self.assertEqual(self.reads(), 2, "each list was read once, however much was typed")
        self.choose("dataset", DATASET_NAME)
        self.choose("other", "no-such-thing")
        self.submit({})
        self.card(f"chosen `{DATASET_NAME}` and `no-such-thing`")

    def test_a_list_that_depends_on_another_field(self):
        """Its field is for typing as long as there is no list for what stands in the other one, and for choosing again after that."""
        self.bot.start()
        self.slack.slash("choose")
        self.form()
        self.assertIn(DATASET_NAME, self.type(""))
        self.fill("transaction", UNKNOWN)
        self.form(contains="could not be read")
        self.assertEqual(self.kinds("dataset", "other", "transaction"), ["plain_text_input"] * 3)
        self.fill("transaction", TRANSACTION)
        self.slack.wait(view=1, user=ANA, contains="could not be read", absent=1, alive=self.alive())
        self.assertEqual(self.kinds("dataset", "other"), ["external_select"] * 2)
        self.assertIn(DATASET_NAME, self.type(""))

    def depends(self, fill):
        """The read is the same, what is made of it is not."""
        self.bot.add_recipe("prefixed", PREFIXED)
        self.bot.start()
        self.slack.slash("prefixed prefix=one")
        self.form()
        self.assertIn(f"one {DATASET_NAME}", self.type("", "name"), "what the form was opened with")
        fill("prefix", "two")
        self.assertIn(f"two {DATASET_NAME}", self.type("", "name"), "what was filled in")

    def test_a_list_whose_values_depend_on_another_field(self):
        self.depends(self.fill)
        self.fill("prefix", "")
        self.assertEqual(self.line("name"), "First fill in prefix (once more, if it is there)")
        self.fill("prefix", "x" * 201)
        self.assertEqual(self.line("name"), "First correct prefix: it does not fit")

    def test_what_stands_in_the_form_comes_with_what_is_typed(self):
        self.slack.post("nasty", suggestion_state=True)
        self.depends(self.fill)

    def test_what_stands_in_the_form_is_told_in_no_other_way(self):
        """As if Slack had lost the news of the other field's change, and told of it with what is typed."""
        self.slack.post("nasty", suggestion_state=True)
        self.depends(lambda field, value: self.fill(field, value, lost=True))

    def test_a_restart_while_a_form_is_open(self):
        """What was told of its fields is gone: the select says what to do."""
        self.bot.add_recipe("prefixed", PREFIXED)
        self.bot.start()
        self.slack.slash("prefixed")
        self.form()
        self.fill("prefix", "two")
        self.bot.stop()
        self.bot.start()
        self.assertEqual(self.line("name"), "First fill in prefix (once more, if it is there)")
        self.fill("prefix", "three")
        self.assertIn(f"three {DATASET_NAME}", self.type("", "name"))

    def test_two_lists_that_can_not_be_read(self):
        """Neither field becomes one for choosing again because of the other."""
        self.bot.add_recipe("two", TWO)
        self.bot.start()
        self.slack.slash("two")
        self.form()
        self.assertEqual(self.line("one"), "First fill in transaction (once more, if it is there)")
        self.fill("transaction", UNKNOWN)
        self.assertEqual(self.type("", "one", key="text"), ["The list could not be read: type the value instead"])
        self.form(contains="could not be read")
        self.assertEqual(self.kinds("one", "other"), ["plain_text_input", "external_select"])
        self.type("", "other")
        self.slack.wait(calls="views.update:2", alive=self.alive())
        self.assertEqual(self.kinds("one", "other"), ["plain_text_input", "plain_text_input"])
        self.submit({"one": "dataset/typed", "other": "dataset/typed-too"})
        self.card("chosen `dataset/typed` and `dataset/typed-too`")

    def test_a_line_that_is_no_choice(self):
        self.bot.add_recipe("two", TWO)
        self.bot.start()
        self.slack.slash("two")
        self.form()
        self.choose("one", LINE)
        answer = self.submit({"transaction": TRANSACTION})
        self.assertEqual(answer["ack_payload"]["errors"], {"one": "This line is no choice. Open the list again and choose from it."})
        self.assertEqual(self.bot.runs(), [])

    def test_a_value_that_is_not_in_it(self):
        self.bot.start()
        wrong = DATASET_NAME.replace("proactive", "proactiv")
        self.slack.slash(f"choose {wrong}")
        said = self.whisper(ANA, "must be one of the")
        self.assertIn(f'that metapod.datasets lists; "{wrong}" is not; did you mean "{DATASET_NAME}"?', said)
        self.assertEqual(self.bot.runs(), [])
        seen = self.slack.wait(channel=OPS, user=ANA, ephemeral=1, contains="must be one of the", action="hm.form")
        self.slack.click_raw("hm.form", {"channel": OPS, **seen["message"]}, ANA)
        self.assertIn(wrong, json.dumps(self.form()), "what was typed is still there")
        self.type("")
        answer = self.submit({})
        self.assertIn("did you mean", answer["ack_payload"]["errors"]["dataset"])
        self.choose("dataset", DATASET_NAME)
        self.submit({})
        self.card(f"chosen `{DATASET_NAME}`")
        self.slack.slash(f"choose {COMMITTED_2_NAME} other=whatever")
        self.card(f"chosen `{COMMITTED_2_NAME}` and `whatever`")

    def test_a_list_that_can_not_be_read(self):
        self.world.fault("status", prefix=GRAPHQL, status=400, times="always")
        self.bot.start()
        self.slack.slash("choose other=kept")
        view = self.form(contains="its list could not be read")
        self.assertEqual([self.field(view, name)["element"]["type"] for name in ("dataset", "other")], ["plain_text_input"] * 2)
        self.assertIn("kept", json.dumps(view["state"]), "what was filled in stays")
        self.submit({"dataset": "dataset/typed", "other": "kept"})
        self.card("chosen `dataset/typed` and `kept`")
        self.slack.slash("choose dataset/typed-too")
        self.card("chosen `dataset/typed-too`")

    def test_a_list_that_is_slow(self):
        """The select is empty until the list is there; a command does not wait for it longer than for its card."""
        self.world.fault("hold", prefix=GRAPHQL, times="always")
        self.bot.start()
        self.slack.slash("choose")
        self.form(contains="Choose a dataset")
        self.assertEqual(self.line(), "The list is still being read: open it again in a moment")
        self.assertEqual(self.type("typed", "other"), ["typed"])
        self.slack.slash("choose dataset/not-in-it")
        self.card("chosen `dataset/not-in-it`")
        self.world.mend()
        self.world.release()
        self.assertIn(DATASET_NAME, self.type("proactive"))

    def test_tasks_of_a_run_among_many(self):
        """The run that is going began before the 25 latest ones: its tasks are the list all the same."""
        state = self.world.http.request("GET", "/_world/state")
        runs = state["airflow"]["dags"][0]["runs"]
        self.assertEqual([r["state"] for r in runs], ["success", "running"])
        runs += [{"dag_run_id": f"manual__{n}", "state": "success", "run_type": "manual", "logical_date": f"2026-11-28T01:{n:02}:00+00:00",
                  "start_date": f"2026-11-28T01:{n:02}:01+00:00", "end_date": f"2026-11-28T01:{n:02}:59+00:00",
                  "tasks": {"lusa": "success 1"}} for n in range(30)]
        self.world.http.request("POST", "/_world/load", state)
        self.bot.use_shipped("restart-task")
        self.bot.start()
        self.slack.slash("restart-task environment=cantareira")
        self.form(contains="Restart a failed task")
        self.assertIn("lusa", self.type("", "task"))
        asked = [r["path"].split("/")[-2] for r in self.world.log() if r["path"].endswith("/taskInstances")]
        self.assertEqual(asked, [runs[1]["dag_run_id"]])

    def test_who_may_not_start_it_gets_no_list(self):
        self.bot.start()
        self.slack.slash("choose")
        view = self.form()
        for user in (DAN, EVE):
            payload = {"type": "block_suggestion", "user": {"id": user, "team_id": "T0OTHER" if user == EVE else "T0SIM"},
                       "team": {"id": "T0SIM"}, "api_app_id": "A0SIM", "action_id": "value", "block_id": "dataset", "value": "",
                       "view": view}
            answer = self.slack.http.request("POST", "/_sim/envelope?wait=ack", {
                "type": "interactive", "payload": payload, "accepts_response_payload": True})
            self.assertEqual(answer["ack_payload"], {"options": []})

    def test_the_end_while_a_list_is_read(self):
        """What waits for a list when the program ends is taken up by the next one."""
        self.world.fault("hold", prefix=GRAPHQL, times=1)
        self.bot.start()
        self.slack.slash(f"choose {DATASET_NAME}")
        self.bot.stop()
        self.world.release()
        self.bot.start()
        self.card(f"chosen `{DATASET_NAME}`")
        self.assertEqual(len(self.bot.runs()), 1)


if __name__ == "__main__":
    main()
