"""Is slacksim as strict and as nasty as its README says? usage: test_slacksim.py SLACKSIM-PROGRAM [unittest arguments]"""
import concurrent.futures
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse

from simclient import Closed, Sim, Socket, actions, button, is_ts, section

PROGRAM = ""
pool = concurrent.futures.ThreadPoolExecutor(32)


def later(fn, *args, **kwargs):
    return pool.submit(fn, *args, **kwargs)


class Case(unittest.TestCase):
    """One simulator for a class, reset before each test."""
    tls = False

    @classmethod
    def setUpClass(cls):
        args, ca = [], None
        if cls.tls:
            ca, key = cls.certificate()
            args = ["--tls-cert", ca, "--tls-key", key]
        cls.sim = Sim(PROGRAM, "--seed", "11", *args, cafile=ca)
        cls.addClassCleanup(cls.end)

    @classmethod
    def certificate(cls):
        if shutil.which("openssl") is None:
            raise unittest.SkipTest("openssl (the Debian package) is not installed")
        folder = tempfile.mkdtemp(prefix="slacksim-")
        cls.addClassCleanup(shutil.rmtree, folder)
        cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", cert], check=True, capture_output=True)
        return cert, key

    @classmethod
    def end(cls):
        status = cls.sim.stop()
        assert status == 0, f"slacksim ended with {status}"

    def setUp(self):
        self.sim.post("reset", connections=True)
        self.sim.wait(connections=0)
        self.sockets = []
        self.addCleanup(lambda: [s.raw.close() for s in self.sockets])

    def connect(self, **how):
        found = self.sim.socket(**how)
        self.sockets.append(found)
        return found

    def dial(self, url):
        """The HTTP status of the upgrade."""
        self.sockets.append(Socket(self.sim, url))
        return self.sockets[-1].status

    def post_message(self, **args):
        answer = self.sim.api("chat.postMessage", **{"channel": "C0OPS", "text": "hello", **args})
        self.assertTrue(answer["ok"], answer)
        return answer

    def refused(self, error, method, pointer=None, token="xoxb-sim", **args):
        answer = self.sim.api(method, token, **args)
        self.assertEqual((answer["ok"], answer.get("error")), (False, error), answer)
        if pointer:
            self.assertIn(f"[json-pointer:{pointer}]", " ".join(answer["response_metadata"]["messages"]))
        return answer


class WebApi(Case):
    def test_tokens(self):
        self.refused("not_authed", "auth.test", token="")
        self.refused("invalid_auth", "auth.test", token="xoxb-other")
        self.refused("not_allowed_token_type", "apps.connections.open", token="xoxb-sim")
        self.refused("not_allowed_token_type", "chat.postMessage", token="xapp-sim", channel="C0OPS", text="x")
        self.assertEqual(self.sim.api("auth.test")["user_id"], "U0BOT")
        self.refused("unknown_method", "chat.nothing")

    def test_form_token_and_json_fields(self):
        body = urllib.parse.urlencode({"token": "xoxb-sim", "channel": "C0OPS", "text": "form", "blocks": json.dumps([section("in a form")])})
        with self.sim.open("POST", "/api/chat.postMessage", body.encode(), {"Content-Type": "application/x-www-form-urlencoded"}) as answer:
            self.assertTrue(json.load(answer)["ok"])
        self.assertIn("in a form", self.sim.get("messages", channel="C0OPS", format="text"))

    def test_missing_scope_names_it(self):
        self.sim.post("config", scopes=["chat:write"])
        answer = self.refused("missing_scope", "users.info", user="U0ANA")
        self.assertEqual((answer["needed"], answer["provided"]), ("users:read", "chat:write"))

    def test_channels(self):
        self.refused("channel_not_found", "chat.postMessage", channel="C0NONE", text="x")
        self.refused("channel_not_found", "chat.postMessage", channel="C0SECRET", text="x")
        self.refused("not_in_channel", "chat.postMessage", channel="C0RANDOM", text="x")
        self.refused("not_in_channel", "conversations.history", channel="C0RANDOM")
        self.assertTrue(self.sim.api("conversations.join", channel="C0RANDOM")["ok"])
        self.post_message(channel="C0RANDOM")
        self.sim.post("channel", id="C0RANDOM", is_archived=True)
        self.refused("is_archived", "chat.postMessage", channel="C0RANDOM", text="x")

    def test_message_life(self):
        posted = self.post_message(text="one", metadata={"event_type": "run", "event_payload": {"key": "k1"}})
        ts = posted["ts"]
        self.assertTrue(is_ts(ts))
        self.assertTrue(self.sim.api("chat.update", channel="C0OPS", ts=ts, text="two")["ok"])
        plain = self.sim.api("conversations.history", channel="C0OPS")["messages"][0]
        whole = self.sim.api("conversations.history", channel="C0OPS", include_all_metadata=True)["messages"][0]
        self.assertEqual((plain["text"], "metadata" in plain), ("two", False))
        self.assertEqual(whole["metadata"]["event_payload"], {"key": "k1"})
        self.assertIn("edited", whole)
        self.refused("message_not_found", "chat.update", channel="C0OPS", ts="1700000000.000001", text="x")
        other = self.sim.post("message", user="U0ANA", channel="C0OPS", text="mine")["ts"]
        self.refused("cant_update_message", "chat.update", channel="C0OPS", ts=other, text="x")
        self.refused("cant_delete_message", "chat.delete", channel="C0OPS", ts=other)
        self.assertIn(ts.replace(".", ""), self.sim.api("chat.getPermalink", channel="C0OPS", message_ts=ts)["permalink"])
        self.assertTrue(self.sim.api("chat.delete", channel="C0OPS", ts=ts)["ok"])
        self.refused("message_not_found", "chat.delete", channel="C0OPS", ts=ts)

    def test_update_without_blocks_removes_them(self):
        ts = self.post_message(blocks=[section("card")])["ts"]
        self.sim.api("chat.update", channel="C0OPS", ts=ts, text="no blocks")
        self.assertNotIn("blocks", self.sim.get("messages", channel="C0OPS")["messages"][0])

    def test_update_text_is_limited(self):
        ts = self.post_message()["ts"]
        self.refused("msg_too_long", "chat.update", channel="C0OPS", ts=ts, text="x" * 4001)
        self.refused("no_text", "chat.update", channel="C0OPS", ts=ts)

    def test_threads(self):
        root = self.post_message(text="root")["ts"]
        reply = self.post_message(text="reply", thread_ts=root)["ts"]
        self.refused("cannot_reply_to_message", "chat.postMessage", channel="C0OPS", text="x", thread_ts=reply)
        self.refused("thread_not_found", "chat.postMessage", channel="C0OPS", text="x", thread_ts="1700000000.000001")
        replies = self.sim.api("conversations.replies", channel="C0OPS", ts=root)["messages"]
        self.assertEqual([m["text"] for m in replies], ["root", "reply"])
        self.assertEqual((replies[0]["reply_count"], replies[0]["latest_reply"]), (1, reply))
        history = self.sim.api("conversations.history", channel="C0OPS")["messages"]
        self.assertEqual([m["text"] for m in history], ["root"])
        self.assertIn("    (1 reply)\n", self.sim.get("messages", channel="C0OPS", format="text"))
        self.post_message(text="another", thread_ts=root)
        self.assertIn("    (2 replies)\n", self.sim.get("messages", channel="C0OPS", format="text"))
        self.refused("thread_not_found", "conversations.replies", channel="C0OPS", ts="1700000000.000001")

    def test_history_pages(self):
        self.sim.post("config", rate_scale=0)
        stamps = [self.post_message(text=str(i))["ts"] for i in range(25)]
        self.assertEqual(stamps, sorted(set(stamps)))
        seen, cursor = [], ""
        while True:
            page = self.sim.api("conversations.history", channel="C0OPS", limit=10, cursor=cursor)
            seen += [m["text"] for m in page["messages"]]
            cursor = page.get("response_metadata", {}).get("next_cursor", "")
            self.assertEqual(page["has_more"], bool(cursor))
            if not cursor:
                break
        self.assertEqual(seen, [str(i) for i in reversed(range(25))])
        since = self.sim.api("conversations.history", channel="C0OPS", oldest=stamps[22])["messages"]
        self.assertEqual([m["text"] for m in since], ["24", "23"])
        inclusive = self.sim.api("conversations.history", channel="C0OPS", oldest=stamps[22], inclusive=True)["messages"]
        self.assertEqual(len(inclusive), 3)
        self.refused("invalid_cursor", "conversations.history", channel="C0OPS", cursor="nonsense")
        self.refused("invalid_ts_oldest", "conversations.history", channel="C0OPS", oldest="x.y")

    def test_people(self):
        self.assertEqual(self.sim.api("usergroups.users.list", usergroup="S0RED")["users"], ["U0ANA", "U0BEN", "U0CAM"])
        self.refused("no_such_subteam", "usergroups.users.list", usergroup="S0NONE")
        self.assertEqual(self.sim.api("users.info", user="U0EVE")["user"]["team_id"], "T0OTHER")
        self.assertTrue(self.sim.api("users.info", user="U0OLD")["user"]["deleted"])
        self.refused("user_not_found", "users.info", user="U0NONE")
        self.assertEqual(self.sim.api("users.lookupByEmail", email="ben@example.com")["user"]["id"], "U0BEN")
        self.refused("user_disabled", "conversations.open", users="U0OLD")
        dm = self.sim.api("conversations.open", users="U0BEN")["channel"]["id"]
        self.post_message(channel=dm, text="psst")
        self.assertIn("psst", self.sim.get("messages", channel=dm, format="text"))

    def test_ephemeral(self):
        self.assertTrue(self.sim.api("chat.postEphemeral", channel="C0OPS", user="U0ANA", text="only you")["ok"])
        self.refused("user_not_in_channel", "chat.postEphemeral", channel="C0AUDIT", user="U0DAN", text="x")
        self.assertIn("only visible to Ana", self.sim.get("messages", channel="C0OPS", user="U0ANA", format="text"))
        self.assertNotIn("only you", self.sim.get("messages", channel="C0OPS", user="U0BEN", format="text"))
        self.assertEqual(self.sim.api("conversations.history", channel="C0OPS")["messages"], [])

    def test_reactions(self):
        ts = self.post_message()["ts"]
        self.assertTrue(self.sim.api("reactions.add", channel="C0OPS", timestamp=ts, name="eyes")["ok"])
        self.refused("already_reacted", "reactions.add", channel="C0OPS", timestamp=ts, name="eyes")
        self.assertTrue(self.sim.api("reactions.remove", channel="C0OPS", timestamp=ts, name="eyes")["ok"])
        self.refused("no_reaction", "reactions.remove", channel="C0OPS", timestamp=ts, name="eyes")

    def test_lines_of_a_context(self):
        note = {"type": "context", "elements": [{"type": "mrkdwn", "text": "one\ntwo"}, {"type": "plain_text", "text": "three\nfour"}]}
        self.post_message(blocks=[note])
        self.assertIn(":\n    one\n    two  three\n    four\n", self.sim.get("messages", channel="C0OPS", format="text"))

    def test_files(self):
        self.refused("missing_argument", "files.getUploadURLExternal", filename="x", length=0)
        ticket = self.sim.api("files.getUploadURLExternal", filename="log.txt", length=5)
        path = urllib.parse.urlsplit(ticket["upload_url"]).path
        self.refused("file_not_found", "files.completeUploadExternal", files=[{"id": ticket["file_id"]}], channel_id="C0OPS")
        with self.sim.open("POST", path, b"12345") as answer:
            self.assertEqual(answer.status, 200)
        self.assertTrue(self.sim.api("files.completeUploadExternal", files=[{"id": ticket["file_id"]}], channel_id="C0OPS")["ok"])
        self.assertIn("12345", self.sim.get("messages", channel="C0OPS", format="text"))
        self.refused("file_not_found", "files.completeUploadExternal", files=[{"id": ticket["file_id"]}], channel_id="C0OPS")


class BlockKit(Case):
    def bad(self, pointer, *blocks):
        self.refused("invalid_blocks", "chat.postMessage", pointer, channel="C0OPS", text="x", blocks=list(blocks))

    def test_pointers(self):
        self.bad("/blocks/0/text/text", section("x" * 3001))
        self.bad("/blocks/0/text/text", section(""))
        self.bad("/blocks/1/type", section("ok"), {"type": "nonsense"})
        self.bad("/blocks", *[section(str(i)) for i in range(51)])
        self.bad("/blocks/0/elements/0/value", actions(button("a", value="x" * 2001)))
        self.bad("/blocks/0/elements/1/action_id", actions(button("a"), button("a")))
        self.bad("/blocks/1/block_id", {**section("a"), "block_id": "b"}, {**section("b"), "block_id": "b"})
        self.assertEqual(self.sim.get("stats")["validation_errors"], 7)

    def test_all_blocks_together(self):
        long = [section("x" * 2900) for _ in range(5)]
        self.refused("msg_blocks_too_long", "chat.postMessage", channel="C0OPS", text="x", blocks=long)
        self.post_message(blocks=long[:4])

    def test_metadata_and_text(self):
        self.refused("invalid_metadata_schema", "chat.postMessage", channel="C0OPS", text="x", metadata={"event_type": "x"})
        self.refused("no_text", "chat.postMessage", channel="C0OPS")
        self.refused("invalid_blocks_format", "chat.postMessage", channel="C0OPS", text="x", blocks="[{")


class Rates(Case):
    def test_posting_is_paced(self):
        answers = []
        while not answers or answers[-1][0] != 429 and len(answers) < 60:  # on a slow machine more than a second goes by meanwhile
            answers.append(self.sim.call("chat.postMessage", channel="C0OPS", text=str(len(answers))))
        self.assertEqual([a[0] for a in answers], [200] * (len(answers) - 1) + [429])
        self.assertGreater(len(answers), 5)
        self.assertEqual(answers[-1][1]["Retry-After"], "1")
        self.assertEqual(self.sim.call("chat.postMessage", channel="C0ETL", text="other channel")[0], 200)
        self.assertGreaterEqual(self.sim.get("stats")["rate_limited"]["chat.postMessage"], 1)

    def test_tier(self):
        got = [self.sim.call("usergroups.list")[0] for _ in range(21)]
        self.assertEqual((got[:20], got[20]), ([200] * 20, 429))
        self.assertGreater(int(self.sim.call("usergroups.list")[1]["Retry-After"]), 30)


class SocketMode(Case):
    def test_hello(self):
        hello = self.connect().hello
        self.assertEqual((hello["type"], hello["num_connections"]), ("hello", 1))
        self.assertEqual(hello["debug_info"]["approximate_connection_time"], 18060)
        self.assertEqual(hello["connection_info"], {"app_id": "A0SIM"})
        self.assertEqual(self.connect().hello["num_connections"], 2)

    def test_ticket_is_for_one_use(self):
        url = self.sim.api("apps.connections.open", "xapp-sim")["url"]
        self.assertEqual([self.dial(url), self.dial(url)], [101, 401])

    def test_slash_and_its_answer(self):
        ws = self.connect()
        slash = later(self.sim.post, "slash?wait=ack", user="U0DAN", channel="C0OPS", text="hi <@U0BEN|ben>")
        envelope = ws.take({"text": "usage: …"})
        self.assertEqual((envelope["type"], envelope["accepts_response_payload"]), ("slash_commands", True))
        self.assertEqual(envelope["payload"]["user_id"], "U0DAN")
        self.assertEqual(envelope["payload"]["is_enterprise_install"], "false")
        self.assertTrue(slash.result()["acked"])
        self.assertEqual(self.sim.wait(channel="C0OPS", contains="usage: …", user="U0DAN", ephemeral=1)["only_user"], "U0DAN")

    def test_in_channel_answer_shows_the_command(self):
        ws = self.connect()
        later(self.sim.post, "slash", channel="C0OPS", text="loud")
        ws.take({"text": "for all", "response_type": "in_channel"})
        self.sim.wait(channel="C0OPS", contains="for all")
        self.assertIn("/hausmeister loud", self.sim.get("messages", channel="C0OPS", format="text"))

    def test_each_envelope_to_one_connection_in_turn(self):
        sockets = [self.connect() for _ in range(3)]
        for i in range(6):
            self.sim.post("slash", channel="C0OPS", text=str(i))
        got = [[s.take()["payload"]["text"] for _ in range(2)] for s in sockets]
        self.assertEqual(sorted(sum(got, [])), list("012345"))
        self.sim.wait(acks=6)
        self.assertEqual(self.sim.get("stats")["acks_on_other_connection"], 0)

    def test_three_seconds(self):
        self.sim.post("config", ack_ms=150)
        ws = self.connect()
        slash = later(self.sim.post, "slash?wait=ack", channel="C0OPS", text="slow")
        envelope = ws.json()
        answer = slash.result()
        self.assertEqual((answer["acked"], answer["error"]), (False, "operation_timeout"))
        ws.ack(envelope)
        self.sim.wait(log="in:1")
        stats = self.sim.get("stats")
        self.assertEqual((stats["unacked"], stats["late_acks"], stats["acks"], stats["retries"]), (1, 1, 0, 0))
        self.assertIn("operation_timeout", self.sim.get("messages", channel="C0OPS", user="U0ANA", format="text"))

    def test_no_connection(self):
        self.assertEqual(self.sim.post("slash", channel="C0OPS", text="x")["error"], "dispatch_failed")

    def test_events_come_again(self):
        self.sim.post("config", ack_ms=50, retry_s=[0, 0.05, 0.1])
        ws = self.connect()
        self.sim.post("message", user="U0ANA", channel="C0OPS", text="hear me")
        seen = [ws.json() for _ in range(4)]
        self.assertEqual([e["retry_attempt"] for e in seen], [0, 1, 2, 3])
        self.assertEqual([e["retry_reason"] for e in seen], ["", "timeout", "timeout", "timeout"])
        self.assertEqual(len({e["payload"]["event_id"] for e in seen}), 1)
        self.assertEqual(len({e["envelope_id"] for e in seen}), 4)
        self.sim.wait(idle_ms=150)
        self.assertEqual(self.sim.get("stats")["given_up"], 1)

    def test_events_wait_for_a_connection(self):
        self.sim.post("config", retry_s=[0, 0.3, 0.6, 1.2, 2.4, 4.8, 9.6])  # however long the connecting takes
        self.sim.post("message", user="U0ANA", channel="C0OPS", text="anybody?")
        envelope = self.connect().take()
        self.assertGreater(envelope["retry_attempt"], 0)
        self.assertEqual(envelope["payload"]["event"]["text"], "anybody?")

    def test_oversized_ack(self):
        for size, code in ((20479, None), (20480, 1009), (30000, 1009)):
            ws = self.connect()
            self.sim.post("slash", channel="C0OPS", text="x")
            ack = json.dumps({"envelope_id": ws.json()["envelope_id"], "payload": {"text": ""}})
            ws.send_frame(1, (ack[:-3] + "y" * (size - len(ack)) + ack[-3:]).encode())
            if code:
                with self.assertRaises(Closed) as closed:
                    ws.message()
                self.assertEqual((closed.exception.code, closed.exception.reason), (1009, "Max frame length of 20480 has been exceeded."))
            else:
                self.sim.wait(acks=1)
                ws.close()
        self.assertEqual(self.sim.get("stats")["oversized_acks"], 2)

    def test_what_no_client_does(self):
        ws = self.connect()
        ws.send_frame(1, b"not json")
        ws.send_frame(1, b'{"envelope_id":', fin=False)
        ws.send_frame(0, b'"x"}')
        ws.send_frame(2, b"binary")
        self.sim.post("message", user="U0ANA", channel="C0OPS", text="event")
        ws.ack(ws.json(), {"text": "not accepted"})
        self.sim.wait(log="violation:4")
        ws.send_frame(1, b"{}", masked=False)
        with self.assertRaises(Closed) as closed:
            ws.message()
        self.assertEqual(closed.exception.code, 1002)
        self.assertEqual(len(self.sim.get("stats")["violations"]), 5)

    def test_ack_on_another_connection(self):
        one, two = self.connect(), self.connect()
        self.sim.post("slash", channel="C0OPS", text="x")
        self.sim.post("slash", channel="C0OPS", text="y")
        two.ack(one.json())
        self.sim.wait(acks=1)
        self.sim.post("nasty", refuse_foreign_ack=True)
        one.ack(two.json())
        self.sim.wait(log="in:2")
        stats = self.sim.get("stats")
        self.assertEqual((stats["acks"], stats["acks_on_other_connection"]), (1, 2))

    def test_tcp_stays_open_after_the_close_handshake(self):
        self.sim.post("config", close_linger_ms=1500)  # much longer than the look at it
        ws = self.connect()
        ws.send_frame(8, b"\x03\xe8")
        with self.assertRaises(Closed) as closed:
            ws.message()
        self.assertEqual(closed.exception.code, 1000)
        ws.raw.settimeout(0.1)
        with self.assertRaises(TimeoutError):
            ws.raw.recv(1)
        ws.raw.settimeout(10)
        self.assertEqual(ws.raw.recv(1), b"")
        self.assertEqual(self.sim.get("stats")["closed_clean"], 1)

    def test_too_many(self):
        kept = [self.connect() for _ in range(10)]
        extra = self.connect()
        self.assertEqual((extra.hello["type"], extra.hello["reason"], extra.hello["num_connections"]), ("disconnect", "too_many_websockets", 10))
        kept[0].close()
        self.sim.wait(connections=9)
        self.assertEqual(self.connect().hello["type"], "hello")

    def test_rotation(self):
        self.sim.post("config", time_scale=0.01)
        ws = self.connect()
        self.sim.post("disconnect", reason="warning")
        self.assertEqual([ws.json()["reason"], ws.json()["reason"]], ["warning", "refresh_requested"])
        with self.assertRaises(Closed) as closed:
            ws.message()
        self.assertEqual(closed.exception.code, 1000)

    def test_own_rotation_when_the_time_is_over(self):
        self.sim.post("config", time_scale=0.001, connection_s=100)
        ws = self.connect()
        self.assertEqual([ws.json()["reason"] for _ in range(2)], ["warning", "refresh_requested"])

    def test_pings_carry_text(self):
        self.sim.post("config", server_ping_ms=20)
        ws = self.connect()
        for _ in range(3):
            fin, opcode, data = ws.frame()
            self.assertEqual((fin, opcode, data[:17]), (True, 9, b"Ping from applink"))
        ws.send_frame(9, b"hello?")
        fin, opcode, data = ws.frame()
        while opcode != 10:
            fin, opcode, data = ws.frame()
        self.assertEqual((fin, data), (True, b"hello?"))

    def test_mentions_come_twice(self):
        ws = self.connect()
        ts = self.sim.post("mention", user="U0EVE", channel="C0OPS", text="status")["ts"]
        events = [ws.take()["payload"] for _ in range(2)]
        self.assertEqual(sorted(e["event"]["type"] for e in events), ["app_mention", "message"])
        self.assertEqual({e["event"]["ts"] for e in events}, {ts})
        self.assertEqual(len({e["event_id"] for e in events}), 2)
        self.assertEqual({e["event"]["team"] for e in events}, {"T0OTHER"})
        self.assertTrue(events[0]["is_ext_shared_channel"])

    def test_edits_and_deletes(self):
        ws = self.connect()
        ts = self.sim.post("message", user="U0ANA", channel="C0OPS", text="first")["ts"]
        ws.take()
        self.sim.post("edit_message", user="U0ANA", channel="C0OPS", ts=ts, text="second")
        changed = ws.take()["payload"]["event"]
        self.assertEqual((changed["subtype"], changed["message"]["text"], changed["previous_message"]["text"]), ("message_changed", "second", "first"))
        self.sim.post("delete_message", user="U0ANA", channel="C0OPS", ts=ts)
        self.assertEqual(ws.take()["payload"]["event"]["subtype"], "message_deleted")

    def test_no_events_from_channels_without_the_bot(self):
        ws = self.connect()
        self.sim.post("message", user="U0ANA", channel="C0RANDOM", text="secret")
        self.sim.post("slash", channel="C0OPS", text="x")
        self.assertEqual(ws.take()["type"], "slash_commands")


class People(Case):
    def card(self, **button_args):
        return self.post_message(blocks=[section("Retract?"), actions(button("ok", "Approve", value="n1", **button_args), block_id="gate")])["ts"]

    def test_click(self):
        ws = self.connect()
        root = self.post_message(text="root")["ts"]
        ts = self.post_message(thread_ts=root, blocks=[section("?"), actions(button("ok", value="n1"), block_id="gate")])["ts"]
        ws.take(), ws.take()
        click = later(self.sim.post, "click?wait=ack", user="U0BEN", channel="C0OPS", ts=ts, action_id="ok", value="n1")
        payload = ws.take()["payload"]
        self.assertTrue(click.result()["acked"])
        self.assertEqual(payload["type"], "block_actions")
        self.assertEqual(payload["user"]["team_id"], "T0SIM")
        self.assertEqual(payload["container"], {"type": "message", "message_ts": ts, "channel_id": "C0OPS", "is_ephemeral": False, "thread_ts": root})
        action = payload["actions"][0]
        self.assertEqual((action["action_id"], action["block_id"], action["value"], action["type"]), ("ok", "gate", "n1", "button"))
        self.assertEqual(payload["message"]["ts"], ts)
        self.assertTrue(payload["response_url"].startswith(self.sim.url))

    def test_clicks_that_can_not_be(self):
        ts = self.card()
        where = {"user": "U0BEN", "channel": "C0OPS", "ts": ts}
        self.assertEqual(self.sim.post("click", **where, action_id="no")["error"], "no_such_action")
        self.assertEqual(self.sim.post("click", **where, action_id="ok", value="n2")["error"], "other_value")
        self.assertEqual(self.sim.post("click", **{**where, "ts": "1700000000.000001"}, action_id="ok")["error"], "no_such_message")
        self.assertEqual(self.sim.post("click", **{**where, "channel": "C0AUDIT", "user": "U0DAN"}, action_id="ok")["error"], "user_not_in_channel")
        self.sim.api("chat.postEphemeral", channel="C0OPS", user="U0ANA", text="x", blocks=[actions(button("mine"))])
        mine = self.sim.get("messages", channel="C0OPS", user="U0ANA")["messages"][-1]["ts"]
        self.assertEqual(self.sim.post("click", **{**where, "ts": mine}, action_id="mine")["error"], "not_visible")

    def test_raw_click(self):
        ws = self.connect()
        self.sim.post("raw_click", user="U0DAN", channel="C0OPS", ts="1700000000.000001", action_id="ok", block_id="gate", value="stale")
        action = ws.take()["payload"]["actions"][0]
        self.assertEqual((action["value"], action["action_id"]), ("stale", "ok"))

    def test_ephemeral_click_and_response_url(self):
        ws = self.connect()
        self.sim.api("chat.postEphemeral", channel="C0OPS", user="U0ANA", text="x", blocks=[section("old"), actions(button("mine"))])
        ts = self.sim.get("messages", channel="C0OPS", user="U0ANA")["messages"][-1]["ts"]
        self.sim.post("click", user="U0ANA", channel="C0OPS", ts=ts, action_id="mine")
        payload = ws.take()["payload"]
        self.assertNotIn("message", payload)
        self.assertTrue(payload["container"]["is_ephemeral"])
        self.hook(payload["response_url"], replace_original="true", text="new")
        shown = self.sim.get("messages", channel="C0OPS", user="U0ANA", format="text")
        self.assertIn("new", shown)
        self.assertNotIn("old", shown)
        self.hook(payload["response_url"], delete_original=True)
        self.assertNotIn("new", self.sim.get("messages", channel="C0OPS", user="U0ANA", format="text"))

    def hook(self, url, **body):
        path = urllib.parse.urlsplit(url).path
        try:
            with self.sim.open("POST", path, json.dumps(body).encode(), {"Content-Type": "application/json"}) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def test_response_url_five_times(self):
        ws = self.connect()
        slash = self.sim.post("slash", user="U0CAM", channel="C0OPS", text="x")
        ws.take()
        self.assertEqual(self.hook(slash["response_url"], text="x", blocks=[section("")])[1]["error"], "invalid_blocks")
        for i in range(4):
            self.assertEqual(self.hook(slash["response_url"], text=f"answer {i}")[0], 200)
        self.assertEqual(self.hook(slash["response_url"], text="sixth"), (404, {"ok": False, "error": "used_url"}))
        self.assertEqual(self.hook(slash["response_url"] + "x", text="?")[1]["error"], "expired_url")

    def modal(self, trigger, **more):
        view = {"type": "modal", "callback_id": "f", "title": {"type": "plain_text", "text": "Form"}, "submit": {"type": "plain_text", "text": "Go"},
                "notify_on_close": True, "private_metadata": "pm",
                "blocks": [{"type": "input", "block_id": "why", "label": {"type": "plain_text", "text": "Why"},
                            "element": {"type": "plain_text_input", "action_id": "text", "min_length": 3}}], **more}
        return self.sim.api("views.open", trigger_id=trigger, view=view)

    def open_modal(self, ws):
        trigger = self.sim.post("slash", channel="C0OPS", text="form")["trigger_id"]
        ws.take()
        answer = self.modal(trigger)
        self.assertTrue(answer["ok"], answer)
        return answer["view"], trigger

    def test_triggers(self):
        ws = self.connect()
        _, trigger = self.open_modal(ws)
        self.assertEqual(self.modal(trigger)["error"], "exchanged_trigger_id")
        self.assertEqual(self.modal("123.456.x")["error"], "invalid_trigger_id")
        self.sim.post("config", trigger_ms=1)
        late = self.sim.post("slash", channel="C0OPS", text="form")["trigger_id"]
        ws.take()
        time.sleep(0.02)
        self.assertEqual(self.modal(late)["error"], "expired_trigger_id")

    def test_modal(self):
        ws = self.connect()
        view, _ = self.open_modal(ws)
        self.assertEqual(self.sim.post("submit_view", values={})["error"], "input_refused")
        self.assertEqual(self.sim.post("submit_view", values={"why": "no"})["errors"], {"why": "Please enter more text."})
        first = later(self.sim.post, "submit_view?wait=ack", values={"why": {"text": "because"}})
        payload = ws.take({"response_action": "errors", "errors": {"why": "Not good enough"}})["payload"]
        self.assertEqual(payload["view"]["state"]["values"], {"why": {"text": {"type": "plain_text_input", "value": "because"}}})
        self.assertEqual((payload["view"]["private_metadata"], payload["view"]["id"]), ("pm", view["id"]))
        first.result()
        self.assertEqual(self.sim.get("views", user="U0ANA")["views"][0]["_errors"], {"why": "Not good enough"})
        second = later(self.sim.post, "submit_view?wait=ack", values={"why": {"text": "because it is so"}})
        ws.take()
        second.result()
        self.assertEqual(self.sim.get("views", user="U0ANA")["views"], [])

    def test_modal_push_update_clear_close(self):
        ws = self.connect()
        view, _ = self.open_modal(ws)
        inner = {"type": "modal", "title": {"type": "plain_text", "text": "Inner"}, "blocks": [section("inner")]}
        later(self.sim.post, "submit_view", values={"why": "because"})
        ws.take({"response_action": "push", "view": inner})
        pushed = self.sim.wait(view=1, user="U0ANA", contains="inner")["view"]
        self.assertEqual((pushed["root_view_id"], pushed["previous_view_id"]), (view["id"], view["id"]))
        self.assertEqual(self.sim.api("views.update", view_id=pushed["id"], hash="old", view=inner)["error"], "hash_conflict")
        self.assertTrue(self.sim.api("views.update", view_id=pushed["id"], hash=pushed["hash"], view={**inner, "blocks": [section("fresh")]})["ok"])
        self.sim.wait(view=1, user="U0ANA", contains="fresh")
        self.sim.post("close_view")
        self.assertEqual([v["id"] for v in self.sim.get("views", user="U0ANA")["views"]], [view["id"]])
        later(self.sim.post, "close_view", all=True)
        closed = ws.take()["payload"]
        self.assertEqual((closed["type"], closed["is_cleared"]), ("view_closed", True))

    def test_menus(self):
        ws = self.connect()
        select = {"type": "static_select", "action_id": "env", "options": [{"text": {"type": "plain_text", "text": t}, "value": t} for t in ("prod", "stage")]}
        ts = self.post_message(blocks=[actions(select, button("go"), block_id="b")])["ts"]
        ws.take()
        where = {"user": "U0ANA", "channel": "C0OPS", "ts": ts}
        self.assertEqual(self.sim.post("select", **where, action_id="env", value="moon")["error"], "bad_choice")
        self.sim.post("select", **where, action_id="env", value="stage")
        self.assertEqual(ws.take()["payload"]["actions"][0]["selected_option"]["value"], "stage")
        self.sim.post("click", **where, action_id="go")
        self.assertEqual(ws.take()["payload"]["state"]["values"]["b"]["env"]["selected_option"]["value"], "stage")

    def test_typing_into_a_select_of_a_view(self):
        """What stands in the other fields does not come with it, unless that is asked for; a field tells of itself if it is to."""
        ws = self.connect()
        inputs = [{"type": "input", "block_id": name, "dispatch_action": name == "where", "label": {"type": "plain_text", "text": name},
                   "element": {"type": kind, "action_id": "a"}} for name, kind in (("where", "plain_text_input"), ("what", "external_select"))]
        trigger = self.sim.post("slash", channel="C0OPS", text="form")["trigger_id"]
        ws.take()
        where = {"user": "U0ANA", "view_id": self.modal(trigger, blocks=inputs)["view"]["id"], "action_id": "a"}
        told = later(self.sim.post, "select?wait=ack", **where, block_id="where", value="here")
        payload = ws.take()["payload"]
        self.assertEqual(payload["view"]["state"]["values"]["where"]["a"]["value"], "here")
        told.result()
        self.sim.post("select", **where, block_id="where", value="there", lost=True)
        for state in ({}, {"where": {"a": {"type": "plain_text_input", "value": "there"}}}):
            asked = later(self.sim.post, "suggest", **where, block_id="what", value="x")
            payload = ws.take({"options": []})["payload"]
            self.assertEqual((payload["type"], payload["value"]), ("block_suggestion", "x"))
            self.assertEqual({k: v for k, v in payload["view"]["state"]["values"].items() if k == "where"}, state)
            asked.result()
            self.sim.post("nasty", suggestion_state=True)

    def test_shortcuts_home_and_group(self):
        ws = self.connect()
        ts = self.sim.post("message", bot="B0SPLUNK", channel="C0OPS", text="", attachments=[{"text": "alarm", "color": "FF0000"}])["ts"]
        event = ws.take()["payload"]["event"]
        self.assertEqual((event["bot_id"], event["attachments"][0]["text"]), ("B0SPLUNK", "alarm"))
        self.sim.post("message_action", user="U0BEN", channel="C0OPS", ts=ts, callback_id="hm_recipe_on_message")
        payload = ws.take()["payload"]
        self.assertEqual((payload["type"], payload["message_ts"], payload["message"]["attachments"][0]["text"]), ("message_action", ts, "alarm"))
        self.sim.post("shortcut", user="U0BEN", callback_id="hm_recipe_start")
        self.assertEqual(ws.take()["payload"]["type"], "shortcut")
        self.sim.post("home_open", user="U0BEN")
        self.assertEqual(ws.take()["payload"]["event"]["type"], "app_home_opened")
        self.assertTrue(self.sim.api("views.publish", user_id="U0BEN", view={"type": "home", "blocks": [section("home")]})["ok"])
        self.sim.wait(home=1, user="U0BEN", contains="home")
        self.sim.post("usergroup", id="S0RED", users=["U0DAN"])
        self.assertEqual(ws.take()["payload"]["event"]["type"], "subteam_members_changed")
        self.assertEqual(self.sim.api("usergroups.users.list", usergroup="S0RED")["users"], ["U0DAN"])

    def test_typed_text(self):
        ws = self.connect()
        self.sim.post("message", user="U0ANA", channel="C0OPS", text="@hausmeister look at #etl-updates <now> & https://x.org/a", typed=True)
        events = {e["type"]: e for e in (ws.take()["payload"]["event"] for _ in range(2))}
        self.assertEqual(events["app_mention"]["text"], "<@U0BOT> look at <#C0ETL|etl-updates> &lt;now&gt; &amp; <https://x.org/a>")
        self.sim.post("slash", user="U0ANA", channel="C0OPS", text="for @ben in #ops", typed=True)
        self.assertEqual(ws.take()["payload"]["text"], "for <@U0BEN|ben> in <#C0OPS|ops>")

    def test_wait_sees_updates(self):
        ts = self.card()
        found = self.sim.wait(channel="C0OPS", contains="Retract?", action="ok")
        self.assertEqual((found["ts"], found["element"]["value"]), (ts, "n1"))
        waiting = later(self.sim.wait, channel="C0OPS", ts=ts, contains="approved")
        self.sim.api("chat.update", channel="C0OPS", ts=ts, text="approved by <@U0BEN>")
        self.assertIn("approved by @Ben", waiting.result()["text"])
        self.assertFalse(self.sim.get("wait", channel="C0OPS", contains="never", timeout_ms=30)["ok"])
        self.sim.wait(channel="C0OPS", contains="Retract?", absent=1)


class Nasty(Case):
    def slash(self, ws, text="x" * 3000 + "äöü€😀"):
        self.sim.post("slash", channel="C0OPS", text=text)
        return ws.take()["payload"]["text"] == text

    def test_fragments(self):
        for size in (1, 16, 1024):
            with self.subTest(size=size):
                ws = self.connect()
                self.sim.post("nasty", fragment=size, fragment_pings=True)
                ws.fragments, ws.pings, ws.auto_pong = 0, [], False
                self.assertTrue(self.slash(ws))
                self.assertGreater(ws.fragments, 3000 // size)
                self.assertEqual(len(ws.pings), ws.fragments - 1)
                self.sim.post("nasty", fragment=0)
                ws.close()

    def test_split_tcp_and_order_of_keys(self):
        ws = self.connect()
        self.sim.post("nasty", split_tcp=7, reorder=True)
        self.assertTrue(self.slash(ws))

    def test_duplicates(self):
        one, two = self.connect(), self.connect()
        self.sim.post("nasty", duplicate=1, duplicate_on="other")
        self.sim.post("slash", channel="C0OPS", text="twice")
        a, b = one.take(), two.take()
        self.assertEqual(a, b)
        self.sim.wait(acks=1, log="in:2")
        self.assertEqual(self.sim.get("stats")["duplicate_acks"], 0)

    def test_late(self):
        self.sim.post("nasty", late_ms=100)
        ws = self.connect()
        start = time.monotonic()
        self.slash(ws)
        self.assertGreater(time.monotonic() - start, 0.09)

    def test_ghosts_take_their_share(self):
        ws = self.connect()
        self.sim.post("config", ack_ms=1500)
        self.sim.post("nasty", ghosts=1)
        self.assertEqual(self.sim.get("connections")["registered"], 2)
        results = [later(self.sim.post, "slash?wait=ack", channel="C0OPS", text=str(i)) for i in range(4)]
        ws.take(), ws.take()
        self.assertEqual(sorted(r.result()["acked"] for r in results), [False, False, True, True])
        self.sim.post("nasty", ghosts=0)
        self.assertEqual(self.sim.get("connections")["registered"], 1)

    def test_rude_clients_become_ghosts(self):
        self.sim.post("config", ghost_s=60)
        self.connect().drop()
        self.sim.wait(connections=0)
        self.assertEqual(self.sim.get("connections")["registered"], 1)
        ws = self.connect()
        self.assertEqual(ws.hello["num_connections"], 2)
        ws.close()
        self.assertEqual(self.sim.get("stats")["closed_dirty"], 1)

    def test_refused_upgrades(self):
        for status in (409, 503):
            self.sim.post("nasty", refuse_upgrade={"status": status, "n": 1})
            self.assertEqual(self.dial(self.sim.api("apps.connections.open", "xapp-sim")["url"]), status)
        self.assertEqual(self.connect().hello["type"], "hello")

    def test_first_frames(self):
        self.sim.post("nasty", too_many=1)
        self.assertEqual(self.connect().hello["reason"], "too_many_websockets")
        self.sim.post("nasty", disconnect_first={"reason": "refresh_requested", "n": 1})
        self.assertEqual(self.connect().hello["reason"], "refresh_requested")
        self.sim.post("nasty", hello_delay_ms=150)
        start = time.monotonic()
        self.assertEqual(self.connect().hello["type"], "hello")
        self.assertGreater(time.monotonic() - start, 0.1)
        self.sim.post("nasty", hello_delay_ms=0, no_hello=1)
        with self.assertRaises(TimeoutError):
            self.connect(timeout=0.2)

    def test_tcp_ends(self):
        ws = self.connect()
        self.sim.post("connection", op="rst")
        with self.assertRaises(ConnectionResetError):
            ws.message()
        ws = self.connect()
        self.sim.post("connection", op="fin")
        with self.assertRaises(Closed) as closed:
            ws.message()
        self.assertIsNone(closed.exception.code)
        ws.send_frame(9, b"still there?")  # half-closed: our side still writes
        ws.raw.close()
        self.sim.wait(connections=0)

    def test_frozen_and_thawed(self):
        ws = self.connect()
        self.sim.post("connection", op="freeze")
        ws.send_frame(9, b"1")
        ws.raw.settimeout(0.1)
        with self.assertRaises(TimeoutError):
            ws.frame()
        ws.raw.settimeout(10)
        self.sim.post("connection", op="thaw")
        self.assertEqual(ws.frame(), (True, 10, b"1"))

    def test_stall_in_a_frame(self):
        ws = self.connect()
        self.sim.post("config", ack_ms=100)
        self.sim.post("connection", op="stall")
        self.sim.post("slash", channel="C0OPS", text="x" * 1000)
        self.sim.post("config", server_ping_ms=20)  # not before: a ping would come ahead of what is stalled
        ws.raw.settimeout(0.3)
        with self.assertRaises(TimeoutError):
            ws.frame()
        self.assertGreater(len(ws.buffer), 500)

    def test_odd_frames(self):
        ws = self.connect()
        self.sim.post("connection", op="text", data="UNAUTHENTICATED: cache_error")
        self.assertEqual(ws.message(), b"UNAUTHENTICATED: cache_error")
        self.sim.post("connection", op="binary")
        self.assertEqual(ws.frame()[1], 2)
        self.sim.post("connection", op="close", code=1001, reason="going")
        with self.assertRaises(Closed) as closed:
            ws.message()
        self.assertEqual((closed.exception.code, closed.exception.reason), (1001, "going"))

    def test_no_pong_no_close_reply(self):
        ws = self.connect()
        self.sim.post("nasty", no_pong=True, no_close_reply=True)
        ws.send_frame(9, b"?")
        ws.send_frame(8, b"\x03\xe8")
        ws.raw.settimeout(0.2)
        with self.assertRaises(TimeoutError):
            ws.frame()

    def test_org_install(self):
        ws = self.connect()
        self.sim.post("nasty", null_team=True)
        self.sim.post("shortcut", callback_id="x")
        self.assertIsNone(ws.take()["payload"]["team"])

    def test_api_faults(self):
        def fault(**what):
            self.sim.post("nasty", api={"chat.postMessage": {"n": 1, **what}})
            return self.sim.call("chat.postMessage", channel="C0OPS", text=str(what))
        self.assertEqual(fault(error="fatal_error")[2]["error"], "fatal_error")
        self.assertEqual(fault(status=502)[0], 502)
        limited = fault(status=429, retry_after=7)
        self.assertEqual((limited[0], limited[1]["Retry-After"]), (429, "7"))
        self.assertIsInstance(fault(garbage=True)[2], str)
        self.assertEqual(self.sim.get("messages", channel="C0OPS")["messages"], [])
        with self.assertRaises((ConnectionResetError, http.client.RemoteDisconnected, urllib.error.URLError)):
            fault(drop_after=True)
        self.assertEqual(len(self.sim.get("messages", channel="C0OPS")["messages"]), 1)
        self.assertEqual(fault(status_after=500)[0], 500)
        self.assertEqual(len(self.sim.get("messages", channel="C0OPS")["messages"]), 2)
        start = time.monotonic()
        self.assertTrue(fault(slow_ms=150)[2]["ok"])
        self.assertGreater(time.monotonic() - start, 0.1)
        self.assertEqual(self.sim.get("stats")["rate_limited"], {})

    def test_api_hangs(self):
        self.sim.post("nasty", api={"chat.postMessage": {"n": 1, "hang_after": True}, "chat.update": {"hang": True}})
        body = json.dumps({"channel": "C0OPS", "text": "done but silent"}).encode()
        headers = {"Content-Type": "application/json", "Authorization": "Bearer xoxb-sim"}
        with self.assertRaises(TimeoutError):
            self.sim.open("POST", "/api/chat.postMessage", body, headers, timeout=0.3)
        self.sim.wait(channel="C0OPS", contains="done but silent")
        with self.assertRaises(TimeoutError):
            self.sim.open("POST", "/api/chat.update", body, headers, timeout=0.2)

    def test_unknown_switches_are_refused(self):
        self.assertEqual(self.sim.post("nasty", fragmnt=1)["error"], "bad_switch")
        self.assertEqual(self.sim.post("nasty", api={"x": {"eror": "y"}})["error"], "bad_switch")
        self.assertEqual(self.sim.post("config", ack_ms="3s")["error"], "bad_knob")


class Load(Case):
    def answer(self, ws, n):
        for _ in range(n):
            ws.take()

    def test_burst(self):
        ws = self.connect()
        answering = later(self.answer, ws, 300)
        result = self.sim.post("burst", n=300, text="run ${i}", users=["U0ANA", "U0BEN"])
        answering.result()
        self.assertEqual((result["sent"], result["acked"]), (300, 300))
        self.assertLessEqual(result["latency"]["p50"], result["latency"]["max"])

    def test_pingpong(self):
        ws = self.connect()
        answering = later(self.answer, ws, 200)
        result = self.sim.post("pingpong", n=200, ping_ms=5, slow_ms=2000)
        answering.result()
        self.assertEqual((result["acked"], result["slow"]), (200, []))

    def test_a_silent_client_shows(self):
        self.sim.post("config", ack_ms=50)
        self.connect()
        result = self.sim.post("pingpong", n=2)
        self.assertEqual((result["acked"], len(result["slow"])), (0, 2))


class SocketModeTls(SocketMode):
    tls = True


class NastyTls(Nasty):
    tls = True

    def test_tcp_ends(self):
        """No close frame either way; how Python's ssl tells a reset from an end differs by version."""
        for op in ("rst", "fin"):
            ws = self.connect()
            self.sim.post("connection", op=op)
            with self.assertRaises((OSError, Closed)) as ended:
                ws.message()
            self.assertIsNone(getattr(ended.exception, "code", None))
            ws.raw.close()
        self.sim.wait(connections=0)
        self.assertEqual(self.sim.get("stats")["closed_dirty"], 2)


class LoadTls(Load):
    tls = True


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
