"""The page's own select, as a person uses it: mouse and keyboard, groups, nothing found, an app that does not answer. Needs Chromium.
usage: test_page.py SLACKSIM-PROGRAM [unittest arguments]; exit status 77: there is none here"""
import json
import sys
import threading
import unittest

import browser
from simclient import Closed, Sim, section

PROGRAM = ""
FIELD = ".b-input[data-block=%s] [role=combobox]"


def option(text, value=None):
    return {"text": {"type": "plain_text", "text": text}, "value": value or text.lower()}


FRUIT = [option("Apple"), option("Apricot"), option("Banana")]


class App:
    """An app that answers what is typed into a select as the test wants it to."""

    def __init__(self, sim):
        self.socket = sim.socket()
        self.asked, self.actions = [], []
        self.answer = lambda typed: {"options": [o for o in FRUIT if typed.lower() in o["text"]["text"].lower()]}
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        try:
            while True:
                envelope = self.socket.json()
                payload = envelope.get("payload", {})
                if payload.get("type") == "block_suggestion":
                    self.asked.append(payload["value"])
                    answer = self.answer(payload["value"])
                    if answer is not None:
                        self.socket.ack(envelope, answer)
                    continue
                if payload.get("type") == "block_actions":
                    self.actions.append(payload)
                self.socket.ack(envelope)
        except (Closed, OSError):
            pass

    def close(self):
        self.socket.raw.shutdown(2)
        self.thread.join()
        self.socket.raw.close()


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = Sim(PROGRAM, "--seed", "7")
        cls.addClassCleanup(lambda: cls.sim.stop())
        cls.browser = browser.Browser()
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        self.sim.post("reset", connections=True)
        self.sim.wait(connections=0)
        self.app = App(self.sim)
        self.addCleanup(self.app.close)

    def inputs(self, *elements):
        return [{"type": "input", "block_id": f"f{i}", "optional": bool(e.pop("optional", False)),
                 "label": {"type": "plain_text", "text": f"Fruit {i}"}, "element": {"action_id": "a", **({"min_query_length": 0} if "external" in e["type"] else {}), **e}}
                for i, e in enumerate(elements)]

    def modal(self, *elements):
        trigger = self.sim.post("slash", channel="C0OPS", text="x")["trigger_id"]
        view = {"type": "modal", "title": {"type": "plain_text", "text": "Form"}, "submit": {"type": "plain_text", "text": "Go"},
                "blocks": self.inputs(*elements)}
        answer = self.sim.api("views.open", trigger_id=trigger, view=view)
        self.assertTrue(answer["ok"], answer)
        self.browser.show(f"{self.sim.url}/?user=U0ANA&channel=C0OPS")
        self.browser.wait("document.querySelector('.dialog [role=combobox]')")
        return answer["view"]

    def js(self, expression):
        return self.browser.run(expression)

    def options(self, *texts):
        """Waits until exactly these can be chosen."""
        self.browser.wait("JSON.stringify([...document.querySelectorAll('[role=option]')].map((o) => o.innerText)) === "
                          f"{json.dumps(json.dumps(list(texts), separators=(',', ':')))}")

    def note(self, words):
        self.browser.wait(f"document.querySelector('.listbox-note') && document.querySelector('.listbox-note').innerText === {json.dumps(words, ensure_ascii=False)}")

    def is_open(self, yes=True):
        self.browser.wait(f"Boolean(document.querySelector('.listbox')) === {str(yes).lower()}")

    def value(self, field="f0"):
        return self.js(f"document.querySelector('{FIELD % field}').value")

    def submitted(self):
        """What stood in the form that is sent now."""
        self.browser.click("footer .primary")
        self.sim.wait(view=1, user="U0ANA", absent=1)
        sent = [json.loads(e["text"]) for e in self.sim.get("log", kind="out")["log"] if "view_submission" in e["text"]]
        return {block: action["a"] for block, action in sent[-1]["payload"]["view"]["state"]["values"].items()}

    def test_mouse(self):
        self.modal({"type": "external_select"})
        self.browser.click(FIELD % "f0")
        self.options("Apple", "Apricot", "Banana")
        self.assertEqual(self.js(f"document.querySelector('{FIELD % 'f0'}').getAttribute('aria-expanded')"), "true")
        self.browser.click("[role=option]:nth-child(2)")
        self.is_open(False)
        self.assertEqual(self.value(), "Apricot")
        self.browser.click(FIELD % "f0")  # what was chosen is marked, and all is offered again
        self.options("Apple", "Apricot", "Banana")
        self.assertEqual(self.js("document.querySelector('[aria-selected=true]').innerText"), "Apricot")
        self.browser.click("h2")
        self.is_open(False)
        self.assertEqual(self.value(), "Apricot")
        self.assertEqual(self.submitted()["f0"]["selected_option"]["value"], "apricot")

    def test_keyboard(self):
        self.modal({"type": "external_select"}, {"type": "plain_text_input"})
        self.browser.run(f"document.querySelector('{FIELD % 'f0'}').focus()")
        self.browser.key("ArrowDown")
        self.options("Apple", "Apricot", "Banana")
        self.browser.key("ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp")  # round the end, and back
        self.assertEqual(self.js("""document.getElementById(document.activeElement.getAttribute('aria-activedescendant')).innerText"""), "Banana")
        self.browser.key("Enter")
        self.is_open(False)
        self.assertEqual(self.value(), "Banana")
        self.browser.key("ArrowDown")
        self.options("Apple", "Apricot", "Banana")
        self.browser.key("ArrowUp", "Escape")
        self.is_open(False)
        self.assertEqual(self.value(), "Banana", "Escape chooses nothing")
        self.assertTrue(self.js("Boolean(document.querySelector('.dialog'))"), "nor does it close the form")

    def test_typing_asks_again(self):
        self.modal({"type": "external_select"})
        self.browser.click(FIELD % "f0")
        self.options("Apple", "Apricot", "Banana")
        self.browser.type("ap")
        self.options("Apple", "Apricot")
        self.browser.type("r")
        self.options("Apricot")
        self.assertEqual(self.app.asked[0], "")
        self.assertEqual(self.app.asked[-1], "apr")
        self.browser.type("x")
        self.note("No results")
        self.browser.key("Enter")  # there is nothing to take
        self.is_open()
        self.browser.key("Escape")
        self.assertEqual(self.value(), "")

    def test_an_answer_that_is_overtaken(self):
        """What was asked for first comes last: it is not shown."""
        first = threading.Event()
        held = []

        def answer(typed):
            if typed == "":
                held.append(True)
                return None
            first.set()
            return {"options": [option("Newer")]}

        self.sim.post("config", ack_ms=400)
        self.app.answer = answer
        self.modal({"type": "external_select"})
        self.browser.click(FIELD % "f0")
        self.note("Loading…")
        self.browser.type("n")
        self.options("Newer")
        self.sim.wait(log="in:1", idle_ms=600)  # the older one has failed by now
        self.options("Newer")
        self.assertTrue(first.is_set() and held)

    def test_groups(self):
        self.app.answer = lambda typed: {"option_groups": [
            {"label": {"type": "plain_text", "text": "Red"}, "options": [option("Cherry")]},
            {"label": {"type": "plain_text", "text": "Yellow"}, "options": [option("Banana"), option("Lemon")]}]}
        self.modal({"type": "external_select"})
        self.browser.click(FIELD % "f0")
        self.options("Cherry", "Banana", "Lemon")
        self.assertEqual(self.js("[...document.querySelectorAll('[role=group]')].map((g) => document.getElementById(g.getAttribute('aria-labelledby')).innerText)"),
                         ["Red", "Yellow"])
        self.browser.key("ArrowDown", "ArrowDown", "Enter")
        self.is_open(False)
        self.assertEqual(self.value(), "Lemon")

    def test_an_app_that_does_not_answer(self):
        self.sim.post("config", ack_ms=200)
        self.app.answer = lambda typed: None
        self.modal({"type": "external_select"})
        self.browser.click(FIELD % "f0")
        self.note("The options could not be loaded. Try again.")
        self.app.answer = lambda typed: {"options": FRUIT}
        self.browser.type("a")
        self.options("Apple", "Apricot", "Banana")

    def test_an_answer_that_is_none(self):
        """Acknowledged without options, and with options that Slack would refuse."""
        self.app.answer = lambda typed: {} if typed == "" else {"options": [option("x" * 76)]}
        self.modal({"type": "external_select"})
        self.browser.click(FIELD % "f0")
        self.note("The options could not be loaded. Try again.")
        self.browser.type("a")
        self.sim.wait(acks=3)  # the command, and both questions
        self.note("The options could not be loaded. Try again.")
        self.assertEqual(len([v for v in self.sim.get("stats")["violations"] if "options" in str(v)]), 2)

    def test_some_letters_first(self):
        self.modal({"type": "external_select", "min_query_length": 2})
        self.browser.click(FIELD % "f0")
        self.note("Type 2 letters to search")
        self.browser.type("a")
        self.note("Type a letter to search")
        self.browser.type("p")
        self.options("Apple", "Apricot")
        self.assertEqual(self.app.asked, ["ap"])

    def test_several(self):
        self.modal({"type": "multi_external_select"})
        self.browser.click(FIELD % "f0")
        self.options("Apple", "Apricot", "Banana")
        self.browser.key("Enter", "ArrowDown", "ArrowDown", "Enter")
        self.browser.wait("document.querySelectorAll('.chip').length === 2")
        self.is_open()
        self.browser.key("Escape")
        self.browser.click(".chip button")
        self.browser.wait("document.querySelectorAll('.chip').length === 1")
        self.assertEqual([o["value"] for o in self.submitted()["f0"]["selected_options"]], ["banana"])

    def test_a_field_that_may_be_empty(self):
        initial = {"type": "external_select", "initial_option": FRUIT[0]}
        self.modal({**initial, "optional": True}, initial)
        self.assertEqual((self.value("f0"), self.value("f1")), ("Apple", "Apple"))
        for field in ("f0", "f1"):
            self.browser.click(FIELD % field)
            self.browser.key("Backspace", "Tab")
        self.assertEqual((self.value("f0"), self.value("f1")), ("", "Apple"))
        sent = self.submitted()
        self.assertEqual((sent["f0"]["selected_option"], sent["f1"]["selected_option"]["value"]), (None, "apple"))

    def test_a_form_that_is_drawn_anew(self):
        """What was chosen stays, the caret is where it was, and a list whose field is gone closes."""
        view = self.modal({"type": "external_select"}, {"type": "external_select"})
        self.browser.click(FIELD % "f0")
        self.options("Apple", "Apricot", "Banana")
        self.browser.key("Enter")
        self.browser.click(FIELD % "f1")
        self.options("Apple", "Apricot", "Banana")
        blocks = [section("*news*"), *self.inputs({"type": "external_select"}, {"type": "external_select"})]
        fresh = {k: view[k] for k in ("type", "title", "submit")}
        self.assertTrue(self.sim.api("views.update", view_id=view["id"], view={**fresh, "blocks": blocks})["ok"])
        self.browser.wait("document.querySelector('.dialog').innerText.includes('news')")
        self.is_open(False)
        self.assertEqual(self.value("f0"), "Apple")
        self.assertEqual(self.js("document.activeElement.closest('.b-input').dataset.block"), "f1")

    def test_in_a_message(self):
        ts = self.sim.api("chat.postMessage", channel="C0OPS", text="pick", blocks=[
            {**section("Pick one"), "block_id": "b",
             "accessory": {"type": "external_select", "action_id": "a", "min_query_length": 0, "placeholder": {"type": "plain_text", "text": "Pick"}}}])["ts"]
        self.browser.show(f"{self.sim.url}/?user=U0ANA&channel=C0OPS", 400, 700)
        self.browser.click(".accessory [role=combobox]")
        self.options("Apple", "Apricot", "Banana")
        box = self.js("(() => { const r = document.querySelector('.listbox').getBoundingClientRect(); return [r.left, r.right, r.top, r.bottom]; })()")
        self.assertTrue(box[0] >= 0 and box[1] <= 400 and box[2] >= 0 and box[3] <= 700, box)
        self.browser.key("ArrowDown", "Enter")
        self.is_open(False)
        self.sim.wait(idle_ms=100)
        self.assertEqual([(a["container"]["message_ts"], a["actions"][0]["selected_option"]["value"]) for a in self.app.actions], [(ts, "apricot")])


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    if not browser.available():
        print("chromium is not installed")
        sys.exit(77)
    unittest.main(verbosity=2)
