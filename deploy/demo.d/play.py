"""play.py --build FOLDER [--script] [--port N]: the demo's processes, and its stories. Called by deploy/demo.

Starts the simulated world and Slack and the bot in a folder of their own under build/demo, and ends them again whatever happens.
Exit: 0 ended as it should, 1 it did not, 3 something could not be started.
"""
import argparse
import ctypes
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "e2e"))
from shipped import make_checkout, shipped_backends, shipped_environments  # noqa: E402

USUAL_PORT = 8765
DATASET = "5a5d411b-e41a-4a30-ab34-bac476b95761"
DATASET_NAME = "archive/policy-proactive-limit-v3"
TRANSACTION = "319703ce-b90d-5a07-8195-33df0de911c8"
ANA, BEN, OPS, ALARMS = "U0ANA", "U0BEN", "C0OPS", "C0DI"
NODE = "itaipu-other-flaky-datasets"  # has failed in the sample's run
PATIENCE_S = 60
WATCHED = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD}

CONFIG = """# The demo's configuration; config/hausmeister.cfg is the one to copy for real.
slack = {{
  app_token = "env:SLACK_APP_TOKEN";
  bot_token = "env:SLACK_BOT_TOKEN";
  command   = "/hausmeister";
  channel   = "C0OPS";
  audit_channel = "C0AUDIT";
}};
journal  = {{ engine = "sqlite"; path = "hausmeister.db"; }};
http     = {{ listen = "127.0.0.1:0"; }};
roles    = {{ hausmeister = {{ usergroup = "S0RED"; }}; }};
backends = {{
{backends}
}};
{environments}
known    = {{ etl = {{ transaction = "{transaction}"; }}; }};
recipes  = [ "{recipes}" ];
{names}
alarms   = [ "{alarms}" ];
"""


def shipped_names():
    """What config/hausmeister.cfg calls channels and senders: they are those of the simulated Slack."""
    with open(os.path.join(TOP, "config", "hausmeister.cfg")) as file:
        text = file.read()
    return "\n".join(re.search(rf"^{key} = {{.*?^}};", text, re.S | re.M)[0] for key in ("channels", "senders"))


class Trouble(Exception):
    """Something did not go as it should; the text says what."""


def before_exec():
    """In the child: die with the demo, and hear signals again."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)


class Process:
    def __init__(self, name, argv, folder, env=None):
        self.name = name
        self.log = os.path.join(folder, name + ".log")
        with open(self.log, "wb") as log:
            # A session of its own: Ctrl-C is for the demo, which then ends the others in the right order.
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, cwd=folder, env=env,
                                            start_new_session=True, preexec_fn=before_exec)

    def said(self):
        """The one line of JSON that a simulator prints when it listens."""
        line = self.process.stdout.readline()
        try:
            return json.loads(line)
        except ValueError:
            self.process.wait()
            raise Trouble(f"{self.name} did not start") from None

    def running(self):
        return self.process.poll() is None

    def end(self, seconds):
        """SIGTERM, then patience, then SIGKILL; the exit code."""
        if self.running():
            self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def tail(self, lines=30):
        with open(self.log, errors="replace") as log:
            return "".join(log.readlines()[-lines:])


def ask(port, method, path, body=None, **query):
    if query:
        path += "?" + urllib.parse.urlencode(query)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S + 10)
    try:
        connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
        text = connection.getresponse().read().decode()
    finally:
        connection.close()
    try:
        return json.loads(text)
    except ValueError:
        return text


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Demo:
    def __init__(self, build, port):
        self.build = os.path.abspath(build)
        base = os.path.join(TOP, "build", "demo")
        os.makedirs(base, exist_ok=True)
        self.folder = tempfile.mkdtemp(prefix="run-", dir=base)
        self.port = port
        self.started = []
        self.bot = self.slack_port = self.world_port = None

    def program(self, name, *places):
        for place in places:
            path = os.path.join(self.build, place)
            if os.path.exists(path):
                return path
        raise Trouble(f"{name} is not in {self.build}")

    def backends(self):
        make_checkout(self.folder)
        return shipped_backends(f"http://127.0.0.1:{self.world_port}", self.folder,
                                lambda handler: self.program(handler, "tests/world/bin/" + handler, "bin/" + handler))

    def start(self, name, argv, env=None):
        process = Process(name, argv, self.folder, env)
        self.started.append(process)
        return process

    def start_slack(self):
        argv = [self.program("slacksim", "tests/slacksim/slacksim", "slacksim")]
        if self.port is not None:
            if not is_free(self.port):
                raise Trouble(f"port {self.port} is taken; give another one with --port, or none")
            ports = [self.port]
        else:
            ports = [p for p in (USUAL_PORT,) if is_free(p)] + [0]
        for port in ports:
            process = self.start("slacksim", [*argv, "--listen", f"127.0.0.1:{port}"])
            try:
                said = process.said()
            except Trouble:  # somebody was quicker
                if port == ports[-1]:
                    raise
                self.started.remove(process)
                continue
            self.slack_port = said["port"]
            return said["api_url"]
        raise Trouble("slacksim did not start")

    def start_all(self):
        world = self.start("world", [self.program("world", "tests/world/world", "world"), "--listen", "127.0.0.1:0", "--data",
                                     os.path.join(TOP, "tests", "world", "sample")])
        self.world_port = world.said()["port"]
        api_url = self.start_slack()
        config = os.path.join(self.folder, "hausmeister.cfg")
        with open(config, "w") as file:
            file.write(CONFIG.format(backends=self.backends(), environments=shipped_environments(), transaction=TRANSACTION,
                                     recipes=os.path.join(TOP, "config", "recipes"), names=shipped_names(),
                                     alarms=os.path.join(TOP, "config", "alarms")))
        env = {**os.environ, "SLACK_API_URL": api_url, "SLACK_APP_TOKEN": "xapp-sim", "SLACK_BOT_TOKEN": "xoxb-sim"}
        self.bot = self.start("hausmeister", [self.program("hausmeister", "hausmeister"), "run", "--config", config], env)
        self.wait(min_connections=1)

    def wait(self, **conditions):
        """Until it holds in Slack, as long as everything runs."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            answer = ask(self.slack_port, "GET", "/_sim/wait", timeout_ms=500, **conditions)
            if answer.get("ok"):
                return answer
            dead = [p.name for p in self.started if not p.running()]
            if dead:
                raise Trouble(f"{dead[0]} has ended by itself")
        raise Trouble(f"waited {PATIENCE_S} s in vain for {conditions}")

    def cli(self, *words):
        done = subprocess.run([self.program("hausmeister", "hausmeister"), words[0], "--config",
                               os.path.join(self.folder, "hausmeister.cfg"), *words[1:]], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE_S)
        if done.returncode != 0:
            raise Trouble(f"hausmeister {' '.join(words)} ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout.strip()

    def end(self, good):
        """Ends everything, the bot first; true when that went well too."""
        if self.bot is not None and self.bot.running():
            code = self.bot.end(10)
            if code != 0:
                print(f"demo: hausmeister ended with {code}", file=sys.stderr)
                good = False
        for process in reversed(self.started):
            process.end(5)
        if good:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            for process in self.started:
                tail = process.tail()
                if tail:
                    print(f"---- {process.name}\n{tail}", file=sys.stderr)
            print(f"demo: the logs are in {os.path.relpath(self.folder)}", file=sys.stderr)
        return good


def must(holds, what):
    if not holds:
        raise Trouble(what)


def click(demo, card, label, user, channel=OPS):
    """Clicks the card's button of this label as this person."""
    message = demo.wait(channel=channel, ts=card["ts"])["message"]
    for block in message.get("blocks", []):
        for element in block.get("elements", []):
            if element.get("type") == "button" and element["text"]["text"].startswith(label):
                answer = ask(demo.slack_port, "POST", "/_sim/click?wait=ack",
                             {"user": user, "channel": channel, "ts": card["ts"], "action_id": element["action_id"],
                              "block_id": block["block_id"]})
                must(answer.get("acked"), f"the click of {user} on {label} was not acknowledged")
                return
    raise Trouble(f"the card has no button {label}")


def posts(demo):
    requests = ask(demo.world_port, "GET", "/_world/counts")["requests"]
    return sum(n for what, n in requests.items() if what.startswith("POST ") and "/retract/" in what)


def show(title, text):
    print(f"--- {title}\n{text.rstrip()}\n", flush=True)


def thread(demo, card, channel=OPS):
    answer = ask(demo.slack_port, "GET", "/_sim/thread", channel=channel, ts=card["ts"], format="text")
    return answer if isinstance(answer, str) else answer["text"]


def play_story(demo):
    """Ana asks, Ana may not approve, Ben does; it is sent once and verified."""
    answer = ask(demo.slack_port, "POST", "/_sim/slash?wait=ack", {"user": ANA, "channel": OPS, "text": f"retract {DATASET}"})
    must(answer.get("acked"), f"the command was not acknowledged: {answer}")
    card = demo.wait(channel=OPS, contains=DATASET_NAME, action="hm.approve")["message"]
    show(f"Ana types /hausmeister retract {DATASET}; everybody in #ops sees:", thread(demo, card))
    must(posts(demo) == 0, "something was sent before anybody had approved it")

    click(demo, card, "Approve", ANA)
    refusal = demo.wait(channel=OPS, user=ANA, ephemeral=1, contains="somebody else")
    show("Ana clicks Approve; she alone is told:", refusal["text"])
    must(posts(demo) == 0, "the requester's own click was enough")

    click(demo, card, "Approve", BEN)
    demo.wait(channel=OPS, ts=card["ts"], contains="*Done*")
    show("Ben clicks Approve; a moment later:", thread(demo, card))

    must(posts(demo) == 1, f"the request was sent {posts(demo)} times")
    transactions = ask(demo.world_port, "GET", "/_world/state/metapod/transactions")
    dataset = next(d for t in transactions for d in t["datasets"] if d["id"] == DATASET)
    must(not dataset["committed"], "the dataset is still committed")
    message = demo.wait(channel=OPS, ts=card["ts"])["message"]
    must(not any(e.get("type") == "button" for b in message["blocks"] for e in b.get("elements", [])), "buttons are left")


def node(demo):
    """(state, how often it was cleared) of the failed node."""
    tasks = ask(demo.world_port, "GET", "/_world/state/airflow/dags/0/runs/1/tasks")
    effects = ask(demo.world_port, "GET", "/_world/counts")["effects"]
    return tasks[NODE]["state"], sum(e["applied"] for e in effects if e["endpoint"] == "airflow clear" and e["id"].endswith(NODE))


def wait_for_mark(demo, alarm):
    """Until the bot has put its reaction on the alarm."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        messages = ask(demo.slack_port, "GET", "/_sim/messages", channel=ALARMS)["messages"]
        message = next(m for m in messages if m["ts"] == alarm["ts"])
        if [r["name"] for r in message.get("reactions", [])] == ["white_check_mark"]:
            return
        demo.wait(idle_ms=50)
    raise Trouble("the alarm has no mark")


def play_alarm(demo):
    """An alarm is raised; Ana takes its offer, Ben approves, the node runs again, and the alarm is marked."""
    must(node(demo) == ("failed", 0), f"the node has not failed: {node(demo)}")
    alarm = ask(demo.slack_port, "POST", "/_sim/message", {
        "bot": "B0PROM", "channel": ALARMS,
        "attachments": [{"title": f"[FIRING:1] Airflow failure: cantareira-stable {NODE} owner: data-infra"}]})
    must(alarm.get("ok"), f"the alarm was not said: {alarm}")
    card = demo.wait(channel=ALARMS, thread_ts=alarm["ts"], contains="*3 failed*", action="hm.alarm", **{"from": "B0BOT"})["message"]
    show("Alertmanager raises an alarm; in its thread in #squad-di-alarms everybody sees:", thread(demo, alarm, ALARMS))

    click(demo, card, "Restart the task", ANA, ALARMS)
    run = demo.wait(channel=ALARMS, thread_ts=alarm["ts"], contains=f"Restart `{NODE}`", action="hm.approve")["message"]
    must(node(demo) == ("failed", 0), "the node was cleared before anybody had approved it")
    show("Ana clicks Restart the task; the run's own card, below the alarm's:", demo.wait(channel=ALARMS, ts=run["ts"])["text"])

    click(demo, run, "Approve", BEN, ALARMS)
    said = demo.wait(channel=ALARMS, ts=card["ts"], contains="began anew")["text"]
    must(re.search(r"@Ana chose \*Restart the task\*[^\n]*: \*done\*", said), "the alarm's card does not say who chose what, and how it ended")
    must("[Restart the task]" not in said, "the button is still there")
    state, cleared = node(demo)
    must(cleared == 1 and state in ("scheduled", "queued", "running", "success"), f"the node is {state}, cleared {cleared} times")
    wait_for_mark(demo, alarm)
    show("Ben clicks Approve; a moment later the node runs, the alarm is marked :white_check_mark:, and its card says:", said)


def the_end(demo):
    broken = ask(demo.slack_port, "GET", "/_sim/stats")["violations"]
    must(not broken, f"Slack's rules were broken: {broken}")
    show("hausmeister runs; hausmeister audit verify", demo.cli("runs") + "\n" + demo.cli("audit", "verify"))


def welcome(demo):
    page = f"http://127.0.0.1:{demo.slack_port}/?user={ANA}&channel={OPS}"
    if demo.port is None and demo.slack_port != USUAL_PORT:
        print(f"(port {USUAL_PORT} is taken)")
    print(f"""
  A simulated Slack with the bot in it:  {page}

  1. As Ana, type    /hausmeister retract {DATASET}
  2. Switch to Ben (at the bottom left) and approve what the card shows; Ana may not.
  3. Raise an alarm:  deploy/demo.d/alarm.py --port {demo.slack_port} run-started-text deadletters-blocks
     and look at #etl-updates and #squad-di-alarms; alarm.py alone lists what there is.

  Ctrl-C ends it. Logs, journal and configuration: {os.path.relpath(demo.folder)}
""", flush=True)


def stay(demo):
    """Until a signal or the end of a process."""
    while True:
        number = signal.sigwait(WATCHED)
        if number != signal.SIGCHLD:
            return
        dead = [p.name for p in demo.started if not p.running()]
        if dead:
            raise Trouble(f"{dead[0]} has ended by itself")


def main():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--build", required=True)
    parser.add_argument("--script", action="store_true")
    parser.add_argument("--port", type=int)
    args = parser.parse_args()
    demo = Demo(args.build, args.port)
    good = False
    try:
        # From the first process on: Ctrl-C must find all of them.
        if args.script:
            for number in (signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, lambda *_: sys.exit(1))
        demo.start_all()
        if args.script:
            play_story(demo)
            play_alarm(demo)
            the_end(demo)
        else:
            signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
            welcome(demo)
            stay(demo)
        good = True
    except (Trouble, OSError) as trouble:
        print(f"demo: {trouble}", file=sys.stderr)
    except KeyboardInterrupt:
        print("demo: interrupted", file=sys.stderr)
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
        good = demo.end(good)
    if args.script:
        print("the story ended as it should" if good else "the story did NOT end as it should")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
