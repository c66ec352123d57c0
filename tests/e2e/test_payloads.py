"""The same conversations in the shapes that payloads have in the wild: with every field that the official SDKs know of and fields that
nobody has heard of, and with nothing but what can not be left out; and every kind of payload that is none of ours."""
import json

from harness import ANA, BEN, CAMILA, COMMITTED_2, COMMITTED_2_NAME, DATASET, DATASET_NAME, OPS, Case, main

BAD = '''name = "bad-dataset"; title = "A dataset is bad"; channels = [ "squad-di-alarms" ]; from = [ "splunk" ];
match = "(?i:bad dataset) (?<id>{{uuid}}){{end}}"; fields = ( { name = "id"; type = "uuid"; } );
dedupe = { key = "${id}"; for = "2h"; }; say = "Dataset `${id}` is bad.";
offers = ( { recipe = "retract"; label = "Retract it"; with = { id = "${id}"; }; } );
'''
CHOOSE = '''
name = "choose"; title = "Choose a dataset";
params = ( { name = "dataset"; type = "dataset"; help = "which one";
             list = { do = "metapod.datasets"; with = { transaction = "${known.etl.transaction}"; committed = "yes"; }; value = "${item.name}"; }; },
           { name = "env"; type = "choice"; choices = [ "staging", "prod" ]; help = "where"; },
           { name = "day"; type = "date"; help = "when"; }, { name = "whom"; type = "user"; help = "to tell"; } );
steps = ( { id = "end"; say = "`${dataset}` `${env}` `${day}` `${whom}`"; } );
'''


class Conversations:
    """What people do, in one shape of payloads."""

    def begin(self):
        self.slack.post("nasty", **self.shape)
        self.bot.add_recipe("choose", CHOOSE)
        self.bot.use_alarms(bad=BAD)
        self.bot.start()

    def form(self, user=ANA, **more):
        return self.slack.wait(view=1, user=user, alive=self.alive(), **more)["view"]

    def submit(self, values, user=ANA):
        return self.slack.http.request("POST", "/_sim/submit_view?wait=ack", {"user": user, "values": values})

    def suggest(self, view, block, typed, action="value", user=ANA):
        return self.slack.post("suggest", user=user, view_id=view["id"], block_id=block, action_id=action, value=typed)["options"]

    def test_a_command_its_form_and_a_decision(self):
        self.begin()
        self.slack.slash("retract")
        self.form(contains="Retract a committed dataset")
        self.assertIn("uuid", self.submit({"id": "5a5d"})["ack_payload"]["errors"]["id"])
        self.submit({"id": DATASET})
        card = self.card(DATASET_NAME)
        card.wait_button("Approve")
        card.click("Approve", ANA)
        self.whisper(ANA, "You asked for this run")
        card.click("Approve", BEN)
        card.wait("Done")
        self.assertEqual(self.world.applied(DATASET), 1)

    def test_every_element_of_a_form(self):
        self.begin()
        self.slack.slash("choose")
        view = self.form()
        option = self.suggest(view, "dataset", "proactive-limit-v3")[0]
        self.slack.post("select", user=ANA, view_id=view["id"], block_id="dataset", action_id="value", value=option)
        self.submit({"env": "prod", "day": "2026-02-28", "whom": BEN})
        self.card(f"`{DATASET_NAME}` `prod` `2026-02-28` `{BEN}`")

    def test_a_dialog_with_a_reason(self):
        self.begin()
        card = self.retract(DATASET)
        card.wait_button("Approve")
        card.reject(CAMILA, "Not today")
        self.assertIn("Not today", card.wait("Rejected"))

    def test_both_shortcuts(self):
        self.begin()
        self.slack.post("shortcut", user=ANA, callback_id="hm_recipe_start")
        view = self.form(contains="Which recipe")
        shown = self.slack.post("suggest", user=ANA, view_id=view["id"], action_id="hm.pick", value="retract")["options"]
        self.slack.post("select", user=ANA, view_id=view["id"], action_id="hm.pick", value=shown[0])
        self.form(contains="Retract a committed dataset")
        self.slack.post("close_view", user=ANA, all=True)
        alarm = self.slack.post("message", bot="B0AIRFLOW", channel="C0ETL", text="", attachments=[{"text": f"{COMMITTED_2} is doubled."}])
        self.slack.post("message_action", user=ANA, channel="C0ETL", ts=alarm["ts"], callback_id="hm_recipe_on_message")
        view = self.form(contains="Which recipe")
        shown = self.slack.post("suggest", user=ANA, view_id=view["id"], action_id="hm.pick", value="retract")["options"]
        self.slack.post("select", user=ANA, view_id=view["id"], action_id="hm.pick", value=shown[0])
        self.assertIn(COMMITTED_2, json.dumps(self.form(contains="Retract a committed dataset")))
        self.submit({})
        self.assertEqual(self.card(COMMITTED_2_NAME, channel="C0ETL").fresh()["thread_ts"], alarm["ts"])

    def test_a_mention_and_an_edit_of_it(self):
        self.begin()
        parent = self.slack.post("message", user=BEN, channel=OPS, text="what about this?")
        said = self.slack.post("mention", user=ANA, channel=OPS, text=f"retract {DATASET}", thread_ts=parent["ts"])
        card = self.card(DATASET_NAME)
        self.assertEqual(card.fresh()["thread_ts"], parent["ts"])
        self.slack.post("edit_message", user=ANA, channel=OPS, ts=said["ts"], text=f"<@U0BOT> retract {COMMITTED_2}")
        self.slack.wait(idle_ms=300)
        self.assertEqual(len(self.bot.runs()), 1)

    def test_home(self):
        self.begin()
        self.slack.post("home_open", user=BEN)
        self.slack.wait(home=1, user=BEN, alive=self.alive())
        card = self.retract(DATASET)
        card.wait_button("Approve")
        self.slack.wait(home=1, user=BEN, contains="Decide …", alive=self.alive())
        self.slack.post("click", user=BEN, home=True, action_id="hm.look")
        self.form(BEN, contains="Exactly this will be sent")
        self.submit({}, BEN)
        card.wait("Done")

    def test_an_alarm_and_its_button(self):
        self.begin()
        alarm = self.slack.post("message", channel="C0DI", bot="B0SPLUNK", text=f"bad dataset {DATASET}")
        seen = self.slack.wait(channel="C0DI", thread_ts=alarm["ts"], contains="A dataset is bad", alive=self.alive())["message"]
        card = self.stage.card_of({"channel": "C0DI", **seen}, "C0DI")
        card.click("Retract it", ANA)
        self.card(DATASET_NAME, channel="C0DI").wait_button("Approve")


class Full(Conversations, Case):
    shape = {"full": True}


class Bare(Conversations, Case):
    shape = {"bare": True}


USER = {"id": ANA, "username": "ana", "name": "ana", "team_id": "T0SIM"}
TEAM = {"id": "T0SIM", "domain": "sim"}
AROUND = {"token": "x", "api_app_id": "A0SIM", "team": TEAM, "user": USER, "enterprise": None, "is_enterprise_install": False}
MESSAGE = {"type": "message", "bot_id": "B0BOT", "user": "U0BOT", "app_id": "A0SIM", "team": "T0SIM", "ts": "1693635296.000500", "text": "x",
           "edited": {"user": "B0BOT", "ts": "1693635297.000000"}, "blocks": []}
TEXT = {"type": "plain_text", "text": "x", "emoji": True}
OPTION = {"text": TEXT, "value": "v"}


def event(inner, **outer):
    return "events_api", {"token": "x", "team_id": "T0SIM", "api_app_id": "A0SIM", "event": inner, "type": "event_callback",
                          "event_id": "Ev" + inner["type"], "event_time": 1693635301, "authed_users": ["U0BOT"], **outer}


def interaction(kind, **more):
    return "interactive", {**AROUND, "type": kind, **more}


# Nobody is answered: it is none of ours, or nothing has to be said to it.
SILENT = [
    ("events_api", {"token": "x", "type": "app_rate_limited", "team_id": "T0SIM", "minute_rate_limited": 1518467820, "api_app_id": "A0SIM"}),
    event({"type": "goodbye"}),
    event({"type": "pin_added", "user": ANA, "channel_id": OPS, "item": {"type": "message", "message": MESSAGE}, "has_pins": True}),
    event({"type": "reaction_added", "user": ANA, "reaction": "x", "item": {"type": "message", "channel": OPS, "ts": "1.2"}, "item_user": BEN}),
    event({"type": "channel_created", "channel": {"id": "C9", "name": "x", "created": 1, "creator": ANA, "is_private": False}}),
    event({"type": "channel_rename", "channel": {"id": OPS, "name": "ops-2", "created": 1}, "event_ts": "1.2"}),
    event({"type": "channel_id_changed", "old_channel_id": "G9", "new_channel_id": "C9", "event_ts": "1.2"}),
    event({"type": "dnd_updated_user", "user": ANA, "dnd_status": {"dnd_enabled": True, "next_dnd_start_ts": 1}}),
    event({"type": "presence_change", "user": ANA, "presence": "away"}),
    event({"type": "link_shared", "channel": OPS, "user": ANA, "message_ts": "1.2", "links": [{"domain": "x.y", "url": "https://x.y"}]}),
    event({"type": "bot_changed", "bot": {"id": "B9", "app_id": "A9", "name": "x", "icons": {"image_48": "https://x.y"}}}),
    event({"type": "workflow_published", "workflow_id": "W", "workflow_published_configuration": {"version_id": "1", "app_steps": []}}),
    event({"type": "function_executed", "function": {"id": "Fn", "callback_id": "x"}, "inputs": {}, "function_execution_id": "Fx",
           "bot_access_token": "xwfp-x", "event_ts": "1.2"}),
    event({"type": "shared_channel_invite_accepted", "approval_required": False, "invite": {"id": "I"}, "channel": {"id": OPS}}),
    event({"type": "app_home_opened", "user": ANA, "channel": "D0ANA", "event_ts": "1.2"}),
    event({"type": "app_home_opened", "user": ANA, "channel": "D0ANA", "tab": "messages", "event_ts": "1.2"}),
    event({"type": "subteam_updated", "subteam": {"id": "S0RED", "team_id": "T0SIM", "is_usergroup": True, "users": None}}),
    event({"type": "message", "subtype": "channel_join", "user": ANA, "text": "x", "ts": "1.2", "channel": OPS, "channel_type": "channel"}),
    event({"type": "message", "subtype": "channel_convert_to_public", "user": ANA, "text": "", "ts": "1.2", "channel": OPS}),
    event({"type": "message", "subtype": "message_changed", "hidden": True, "channel": OPS, "ts": "1.3", "event_ts": "1.3",
           "channel_type": "channel", "message": {"type": "message", "subtype": "tombstone", "text": "x", "ts": "1.2", "hidden": True},
           "previous_message": []}),
    event({"type": "message", "subtype": "message_changed", "channel": OPS, "ts": "1.3", "message": None}),
    event({"type": "message", "subtype": "message_deleted", "channel": OPS, "ts": "1.3", "deleted_ts": "1.2", "hidden": True,
           "previous_message": MESSAGE}),
    event({"type": "message", "subtype": "file_share", "text": "", "files": [{"id": "F1", "name": "x", "url_private": "https://x.y"}],
           "upload": False, "display_as_bot": False, "user": ANA, "ts": "1.2", "channel": OPS, "event_ts": "1.2", "channel_type": "channel"}),
    event({"type": "message", "subtype": "bot_message", "text": "", "username": "Splunk", "bot_id": "B9", "icons": {"emoji": ":x:"},
           "ts": "1515449522000016", "event_ts": "1515449522000016", "channel": "C0DI", "channel_type": "channel", "attachments": [
               {"id": 1, "color": "f00", "fallback": "x", "pretext": "", "title": "x", "text": "x", "ts": 1492927035, "mrkdwn_in": ["text"],
                "fields": [{"title": "service", "value": "metapod", "short": True}], "actions": [{"id": "1", "type": "button"}]}]}),
    event({"type": "message", "user": ANA, "text": "x", "ts": "1.2", "channel": "D0ANA", "event_ts": "1.2", "channel_type": "im",
           "metadata": {"event_type": "x", "event_payload": {"id": "1"}}}),
    interaction("view_closed", view={"id": "V1", "type": "modal", "callback_id": "hm.start", "private_metadata": "{}", "state": {},
                                     "hash": "1.a", "root_view_id": "V1", "previous_view_id": None}, is_cleared=True),
    interaction("view_submission", trigger_id="1.2.x", response_urls=[], view={
        "id": "V1", "team_id": "T0SIM", "type": "modal", "callback_id": "someone-elses", "private_metadata": "", "hash": "1.a",
        "blocks": [], "clear_on_close": False, "notify_on_close": True, "close": None, "submit": None, "state": {"values": {}}}),
    interaction("dialog_submission", submission={"a": "b"}, callback_id="x", state="x", channel={"id": OPS, "name": "ops"}, action_ts="1.2"),
    interaction("dialog_cancellation", callback_id="x", state="x", channel={"id": OPS, "name": "ops"}, action_ts="1.2"),
    interaction("dialog_suggestion", name="x", value="", callback_id="x", channel={"id": OPS, "name": "ops"}, action_ts="1.2"),
    interaction("interactive_message", actions=[{"name": "x", "type": "button", "value": "y"}], callback_id="x", original_message=MESSAGE,
                channel={"id": OPS, "name": "ops"}, attachment_id="1", message_ts="1.2", trigger_id="1.3.x"),
    interaction("workflow_step_edit", callback_id="x", trigger_id="1.4.x", workflow_step={"step_id": "s", "workflow_id": "W"}),
    interaction("block_actions", actions=[], container={"type": "message"}, trigger_id="1.5.x"),
    interaction("block_actions", actions=None, trigger_id="1.6.x"),
    ("interactive", {"type": "block_actions"}),
    ("slash_commands", {}),
    ("something_new", {"type": "x"}),
]
# Each kind of element, chosen in a message: whoever clicked is told that there is no run behind it.
ELEMENTS = [
    {"type": "button", "text": TEXT, "value": "v", "style": "danger"},
    {"type": "static_select", "selected_option": OPTION, "initial_option": OPTION, "placeholder": TEXT},
    {"type": "external_select", "selected_option": OPTION},
    {"type": "multi_static_select", "selected_options": [OPTION, OPTION]},
    {"type": "users_select", "selected_user": BEN}, {"type": "multi_users_select", "selected_users": [BEN, ANA]},
    {"type": "conversations_select", "selected_conversation": OPS}, {"type": "channels_select", "selected_channel": OPS},
    {"type": "multi_conversations_select", "selected_conversations": [OPS]}, {"type": "multi_channels_select", "selected_channels": []},
    {"type": "overflow", "selected_option": OPTION}, {"type": "checkboxes", "selected_options": [OPTION]},
    {"type": "radio_buttons", "selected_option": OPTION}, {"type": "datepicker", "selected_date": "2026-11-23", "initial_date": None},
    {"type": "timepicker", "selected_time": "13:37", "timezone": "Europe/Berlin"}, {"type": "datetimepicker", "selected_date_time": 1628633820},
    {"type": "plain_text_input", "value": "v"}, {"type": "number_input", "value": "7"}, {"type": "email_text_input", "value": "a@b.c"},
    {"type": "rich_text_input", "rich_text_value": {"type": "rich_text", "elements": []}}, {"type": "file_input", "files": []},
    {"type": "workflow_button", "text": TEXT, "workflow": {"trigger": {"url": "https://x.y"}}},
    {"type": "feedback_buttons", "value": "v", "text": TEXT}, {"type": "icon_button", "value": "v"},
]


class Strangers(Case):
    def send(self, kind, payload, n):
        return self.slack.http.request("POST", "/_sim/envelope?wait=ack", {
            "type": kind, "payload": payload, "accepts_response_payload": kind != "events_api", "envelope_id": f"stranger-{n}"})

    def test_what_is_none_of_ours(self):
        self.bot.start()
        for n, (kind, payload) in enumerate(SILENT):
            answer = self.send(kind, payload, n)
            self.assertTrue(answer.get("acked"), (payload, answer))
            self.assertIsNone(answer.get("ack_payload"), payload)
        self.slack.wait(idle_ms=300)
        self.assertEqual(self.bot.runs(), [])
        posted = [m for m in self.slack.messages(OPS, user="*") + self.slack.messages("C0DI", user="*") if m.get("bot_id") == "B0BOT"]
        self.assertEqual(posted, [])

    def test_a_search_that_is_none_of_ours(self):
        self.bot.start()
        where = {"container": {"type": "message", "message_ts": "1.2", "channel_id": OPS, "is_ephemeral": True}}
        answer = self.send(*interaction("block_suggestion", action_id="x", block_id="y", value="a", channel={"id": OPS}, **where), 0)
        self.assertEqual(answer["ack_payload"], {"options": []})

    def test_every_element_is_answered(self):
        self.bot.start()
        for n, element in enumerate(ELEMENTS):
            action = {"action_id": f"stranger.{n}", "block_id": "b", "action_ts": "1693635301.123456", **element}
            answer = self.send(*interaction(
                "block_actions", trigger_id=f"9.{n}.x", channel={"id": OPS, "name": "ops"}, message=MESSAGE, actions=[action],
                container={"type": "message", "message_ts": MESSAGE["ts"], "channel_id": OPS, "is_ephemeral": False},
                state={"values": {"b": {action["action_id"]: element}}}), n)
            self.assertTrue(answer.get("acked"), element)
            self.assertIsNone(answer.get("ack_payload"), element)
        self.slack.wait(calls=f"chat.postEphemeral:{len(ELEMENTS)}", alive=self.alive())
        self.assertEqual(self.bot.runs(), [])


if __name__ == "__main__":
    main()
