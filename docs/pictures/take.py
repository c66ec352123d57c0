#!/usr/bin/env python3
"""Takes the pictures of docs/slack.md and of the README anew: the real binary, slacksim's page, headless Chromium.

    HM_BUILD=build/dev python3 docs/pictures/take.py [NAME…]

Needs chromium, fonts-noto-color-emoji and (to make them small) pngquant. Each is taken wide and narrow: NAME.png, NAME-narrow.png.
"""
import base64
import http.client
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "tests", "e2e"))
from harness import ANA, BEN, CAMILA, COMMITTED_2, DATASET, OPS, Stage, quiet_world  # noqa: E402

BULK = "f7832a01-001b-56f7-a4fe-b3a417f8f654"
CHROMIUM = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--remote-debugging-port=0"]
WIDE, NARROW = 1000, 400
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


class Browser:
    """Chromium over its debugging socket: the page keeps a stream open, so that a plain --screenshot would wait for ever."""

    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="hm-pictures-")
        self.process = subprocess.Popen([*CHROMIUM, f"--user-data-dir={self.profile}", "about:blank"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        line = next(l for l in self.process.stderr if "DevTools listening" in l)
        port = int(line.split("127.0.0.1:")[1].split("/")[0])
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/json/list")
        page = next(t for t in json.loads(connection.getresponse().read()) if t["type"] == "page")
        path = page["webSocketDebuggerUrl"].split(str(port), 1)[1]
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        self.file = self.socket.makefile("rb")
        while self.file.readline().strip():
            pass
        self.calls = 0

    def call(self, method, **params):
        self.calls += 1
        data = json.dumps({"id": self.calls, "method": method, "params": params}).encode()
        mask = os.urandom(4)
        head = struct.pack(">BBH", 0x81, 0xFE, len(data)) if len(data) > 125 else struct.pack(">BB", 0x81, 0x80 | len(data))
        self.socket.sendall(head + mask + bytes(b ^ mask[i & 3] for i, b in enumerate(data)))
        whole = b""
        while True:
            first, size = self.file.read(2)
            size &= 0x7F
            if size == 126:
                size, = struct.unpack(">H", self.file.read(2))
            elif size == 127:
                size, = struct.unpack(">Q", self.file.read(8))
            whole += self.file.read(size)
            if first & 0x80:
                answer, whole = json.loads(whole), b""
                if answer.get("id") == self.calls:
                    return answer["result"]

    def shot(self, url, width, height, path):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Page.navigate", url=url)
        self.call("Runtime.evaluate", awaitPromise=True, expression="new Promise((done) => setTimeout(done, 1500))")
        picture = self.call("Page.captureScreenshot", format="png")
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture["data"]))

    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)


class Pictures:
    def __init__(self):
        self.stage = Stage("pictures", world_state=quiet_world())
        self.browser = Browser()
        self.slack, self.bot = self.stage.slack, self.stage.bot
        self.bot.settings.update(notify="thread", rate="15/s")
        self.bot.use_shipped("retract-all", "job-kill")
        self.bot.add_recipe("drop-partition", EACH)
        with open(self.bot.config) as file:
            text = file.read()
        with open(self.bot.config, "w") as file:
            file.write(text.replace("roles = {", f'roles = {{ data = {{ users = [ "{CAMILA}" ]; }};'))
        self.bot.start()

    def shot(self, name, user, height=760, narrow_height=None, **where):
        wanted = sys.argv[1:]
        if wanted and name not in wanted:
            return
        place = {"channel": "D0" + user[2:] if where.get("view") else OPS}
        query = "&".join(f"{k}={v}" for k, v in {"user": user, **place, **where}.items())
        for suffix, width, h in (("", WIDE, height), ("-narrow", NARROW, narrow_height or height + 140)):
            path = os.path.join(HERE, f"{name}{suffix}.png")
            self.browser.shot(f"http://127.0.0.1:{self.slack.port}/?{query}", width, h, path)
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
        self.shot("pick", BEN, 520)
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
        self.shot("decide", CAMILA, 820, view="home")
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


if __name__ == "__main__":
    for part in (Pictures.story, Pictures.take):
        pictures = Pictures()
        try:
            part(pictures)
        finally:
            pictures.browser.close()
            pictures.stage.close()
