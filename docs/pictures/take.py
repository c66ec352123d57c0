#!/usr/bin/env python3
"""Takes the pictures of docs/slack.md and of the README anew: the real binary, slacksim's page, headless Chromium.

    HM_BUILD=build/dev python3 docs/pictures/take.py [NAME…]

Needs chromium, fonts-noto-color-emoji and (to make them small) pngquant. Each is taken wide and narrow: NAME.png, NAME-narrow.png.
"""
import json
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "tests", "e2e"))
sys.path.insert(0, os.path.join(TOP, "tests", "slacksim"))
from browser import Browser  # noqa: E402
from harness import ANA, BEN, CAMILA, COMMITTED_2, DATASET, OPS, Stage, quiet_world  # noqa: E402
from test_every_alarm import FASTER, RECIPES, Played, names, shipped  # noqa: E402

BULK = "f7832a01-001b-56f7-a4fe-b3a417f8f654"
WIDE, NARROW = 1000, 400
WATCHED = "C0DI"
RAISE = "datomic-capacity"
EACH = '''name = "drop-partition"; title = "Drop a partition of a dataset"; doc = "Removing bad data from Metapod"; who = [ "hausmeister" ];
params = ( { name = "id"; type = "uuid"; help = "the dataset's id in Metapod"; },
           { name = "environment"; type = "choice"; choices = [ "staging", "prod" ]; help = "where it is"; default = "prod"; },
           { name = "day"; type = "date"; help = "the partition"; },
           { name = "owner"; type = "user"; help = "who is told about it"; optional = true; },
           { name = "why"; type = "string"; help = "for whoever reads it tomorrow"; optional = true; } );
steps = ( { id = "gate"; approve = "Drop the partition of *${day}* of `${id}` in ${environment}?"; by = [ "hausmeister", "data" ];
            each = true; break_glass = true; },
          { id = "drop"; title = "Drop it"; do = "metapod.retract-dataset"; with = { id = "${id}"; }; } );
'''


def wanted(*names):
    return not sys.argv[1:] or any(name in sys.argv[1:] for name in names)


def open_list(selector, typed=""):
    """Of a select that the app is asked for, with the second option marked."""
    def act(browser):
        browser.click(f"{selector} [role=combobox]")
        browser.wait("document.querySelector('[role=option]')")
        if typed:
            browser.type(typed)
            browser.wait("document.querySelector('[role=option]') && "
                         f"[...document.querySelectorAll('[role=option]')].every((o) => o.innerText.includes('{typed}'))")
        browser.key("ArrowDown")
    return act
REMINDED = '''name = "close-partition"; title = "Close a partition"; who = [ "hausmeister" ];
params = ( { name = "id"; type = "uuid"; help = "the dataset's id in Metapod"; } );
steps = ( { id = "gate"; approve = "Close the partition of `${id}`?"; by = [ "hausmeister" ]; expires = "6m"; },
          { id = "close"; title = "Close it"; do = "metapod.retract-dataset"; with = { id = "${id}"; }; } );
'''
REMINDED_AFTER_S = 240  # two thirds of its gate


class Pictures:
    def __init__(self, browser):
        self.stage = Stage("pictures", world_state=quiet_world())
        self.browser = browser
        self.slack, self.bot = self.stage.slack, self.stage.bot
        self.bot.settings.update(notify="thread", rate="15/s")
        self.bot.use_shipped("retract-all", "job-kill", "restart-task")
        self.bot.add_recipe("close-partition", REMINDED)
        self.bot.add_recipe("drop-partition", EACH)
        with open(self.bot.config) as file:
            text = file.read()
        with open(self.bot.config, "w") as file:
            file.write(text.replace("roles = {", f'roles = {{ data = {{ users = [ "{CAMILA}" ]; }};'))
        self.bot.start()

    def shot(self, name, user, height=760, narrow_height=None, act=None, **where):
        """act: what is done on the page before the picture is taken."""
        if not wanted(name):
            return
        place = {"channel": "D0" + user[2:] if where.get("view") else OPS}
        query = "&".join(f"{k}={v}" for k, v in {"user": user, **place, **where}.items())
        for suffix, width, h in (("", WIDE, height), ("-narrow", NARROW, narrow_height or height + 140)):
            path = os.path.join(HERE, f"{name}{suffix}.png")
            self.browser.show(f"http://127.0.0.1:{self.slack.port}/?{query}", width, h)
            self.browser.wait("document.querySelector('#nav .nav-item')")
            if act:
                act(self.browser)
            self.browser.run("new Promise((done) => setTimeout(done, 1000))")  # the page is drawn, and what moves has come to rest
            self.browser.shot(path)
            if shutil.which("pngquant"):
                subprocess.run(["pngquant", "--force", "--skip-if-larger", "--strip", "--output", path, "64", path], check=False)
            print(path, os.path.getsize(path) // 1024, "kB")

    def settle(self, ms=300):
        self.slack.wait(idle_ms=ms)

    def story(self):
        """The README's two pictures: one run, before and after its approval."""
        self.slack.slash(f"retract {DATASET}", ANA)
        card = self.stage.card("Retract a committed dataset")
        card.wait_button("Approve")
        self.settle()
        self.shot("gate", BEN, 820, 1020)
        card.click("Approve", ANA)
        self.slack.wait(channel=OPS, user=ANA, ephemeral=1, contains="somebody else has to approve it")
        card.click("Approve", BEN)
        card.wait("Done")
        self.settle()
        self.shot("done", ANA, 720, 960)

    def take(self):
        slack, stage = self.slack, self.stage
        slack.slash("help", ANA)
        self.settle()
        self.shot("help", ANA, 620)
        slack.slash("help retract", ANA)
        self.settle()
        self.shot("help-recipe", ANA, 900)
        slack.slash(f"retract {DATASET} --dry-run", BEN)
        slack.wait(channel=OPS, user=BEN, ephemeral=1, contains="Dry run")
        self.settle()
        self.shot("dry-run", BEN, 760)
        slack.slash("retract 5a5d transacton=3197", CAMILA)
        self.settle()
        self.shot("wrong", CAMILA, 420)
        slack.post("shortcut", user=BEN, callback_id="hm_recipe_start")
        slack.wait(view=1, user=BEN)
        self.shot("pick", BEN, 520, act=open_list(".dialog", "retract"))
        slack.post("close_view", user=BEN, all=True)
        slack.slash("drop-partition", ANA)
        slack.wait(view=1, user=ANA)
        slack.post("submit_view", user=ANA, values={"id": "5a5d", "day": "2026-11-23"})
        self.shot("form", ANA, 1060)
        slack.post("submit_view", user=ANA, values={"id": COMMITTED_2, "day": "2026-11-23", "owner": CAMILA})
        slack.wait(view=1, user=ANA, absent=1)
        two = stage.card("Drop the partition")
        two.wait_button("Approve")
        two.click("Approve", BEN)
        two.wait("1 of 2 so far")
        self.settle()
        two.click("Reject", CAMILA)
        slack.wait(view=1, user=CAMILA)
        self.shot("reject", CAMILA, 640)
        slack.post("close_view", user=CAMILA, all=True)
        slack.slash("restart-task environment=cantareira", BEN)
        slack.wait(view=1, user=BEN)
        self.shot("list", BEN, 900, act=open_list("[data-block=task]"))
        slack.post("close_view", user=BEN, all=True)
        slack.slash(f"retract-all {BULK}", ANA)
        bulk = stage.card("Retract every")
        bulk.wait_button("Done")
        bulk.click("Done", ANA)
        slack.wait(view=1, user=ANA, contains="What shows")
        slack.post("submit_view", user=ANA, values={"evidence": "Ben paused both on red and green"})
        bulk.wait_button("Approve")
        slack.wait(channel=OPS, thread_ts=bulk.ts, contains="Every request of the plan")
        self.settle()
        self.shot("files", BEN, 760, thread=bulk.ts)
        slack.post("home_open", user=CAMILA)
        slack.wait(home=1, user=CAMILA)
        self.settle()
        self.shot("home", CAMILA, 1000, view="home")
        home = slack.get("views", user=CAMILA)["homes"][0]
        look = next(b["accessory"] for b in home["blocks"] if b.get("accessory", {}).get("action_id") == "hm.look")
        slack.http.request("POST", "/_sim/click", {"user": CAMILA, "view_id": home["id"], "action_id": "hm.look", "block_id": next(
            b["block_id"] for b in home["blocks"] if b.get("accessory") is look)})
        slack.wait(view=1, user=CAMILA)
        self.shot("decide", CAMILA, 1120, view="home")
        slack.post("close_view", user=CAMILA, all=True)
        bulk.click("Approve", BEN)
        slack.wait(view=1, user=BEN)
        slack.post("submit_view", user=BEN, values={"typed": "318"})
        bulk.wait("about")
        self.shot("progress", ANA, 760)
        bulk.wait("*Done*", seconds=60)
        two.reject(CAMILA, "The owners still read it")
        two.wait("Rejected")
        self.settle()
        self.shot("over", ANA, 820)


    def remind(self):
        """A gate that nobody has opened yet, when two thirds of its time are over. Begins now; what is returned takes the picture."""
        self.slack.slash(f"close-partition {COMMITTED_2}", ANA)
        card = self.stage.card("Close a partition")
        card.wait_button("Approve")

        def take():
            self.slack.wait(channel=OPS, thread_ts=card.ts, contains="still waits for approval", seconds=REMINDED_AFTER_S + 60)
            self.settle()
            self.shot("reminder", BEN, 620, thread=card.ts)
        return take


class AlarmPictures(Pictures):
    """An alarm in its channel: the card under it, and what became of it."""

    TEXT = "Datomic self-destructs\nservice: analytics\nprototype: s3"

    def __init__(self, browser):
        self.stage = Stage("alarm-pictures", world_state=Played.world_state())
        self.browser = browser
        self.slack, self.bot = self.stage.slack, self.stage.bot
        self.bot.use_alarms()
        self.bot.use_shipped(*names(RECIPES))
        self.bot.add_recipe(RAISE, re.sub(*FASTER[0], shipped("recipes", RAISE)))
        self.bot.start()

    def alarm(self):
        said = self.slack.post("message", channel=WATCHED, bot="B0CLOUDWATCH", text=self.TEXT)
        found = self.slack.wait(channel=WATCHED, thread_ts=said["ts"], contains="rule `datomic-self-destruct`", **{"from": "B0BOT"})["message"]
        card = self.stage.card_of(found, WATCHED)
        card.wait("Throttled in the last hour")
        self.settle()
        self.shot("alarm", ANA, 1500, 1420, channel=WATCHED, thread=said["ts"])
        card.click("Raise the capacity", ANA)
        found = self.slack.wait(channel=WATCHED, thread_ts=said["ts"], action="hm.approve")["message"]
        run = self.stage.card_of(found, WATCHED)
        run.click("Approve", BEN)
        run.wait("*Done*")
        self.settle(1500)
        self.shot("alarm-over", ANA, 2200, 2260, channel=WATCHED, thread=said["ts"])


def main():
    browser = Browser()
    stages = [Pictures(browser)]
    try:
        remind = stages[0].remind() if wanted("reminder") else None  # takes minutes, in which the others are taken
        for part in (Pictures.story, Pictures.take):
            stages.append(Pictures(browser))
            part(stages[-1])
        if wanted("alarm", "alarm-over"):
            stages.append(AlarmPictures(browser))
            stages[-1].alarm()
        if remind:
            remind()
    finally:
        browser.close()
        for pictures in stages:
            pictures.stage.close()


if __name__ == "__main__":
    main()
