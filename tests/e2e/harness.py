"""The stage for end-to-end tests: the real binary between the Slack simulator and the simulated world.

A test is a `Case`: it starts `self.world`, `self.slack` and, when it wants, `self.bot`, plays people through the simulator's control
API and looks at what they see. Nothing here sleeps: it waits for conditions (long polls, exits of processes) with a deadline that
only a broken program reaches. After each test the harness ends everything politely and then judges what no test should have to
ask for: exit codes, sanitizer reports, rules of Slack that were broken, processes left over.

Programs: HM_BOT, HM_SLACKSIM, HM_WORLD (ctest sets them), else those of HM_BUILD (a build folder). HM_E2E_WRAPPER: words to put
before the bot's own command, such as valgrind. HM_E2E_KEEP=1 keeps the folders of all tests, not only of failed ones.
"""
import contextlib
import ctypes
import http.client
import json
import os
import re
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

from shipped import shipped_backends, shipped_environments

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
DATASET = "5a5d411b-e41a-4a30-ab34-bac476b95761"
DATASET_NAME = "archive/policy-proactive-limit-v3"
TRANSACTION = "319703ce-b90d-5a07-8195-33df0de911c8"
COMMITTED_2, COMMITTED_2_NAME = "d052ee35-3a7d-550d-9887-ed813c075997", "dataset/bill-payments"
UNCOMMITTED, UNCOMMITTED_NAME = "5a7ecbf0-5c57-5f2a-8c7e-719435184cdc", "dataset/fx-rates"
UNKNOWN = "deadbeef-0000-4000-8000-00000000beef"
METAPOD_TOKEN = "metapod-secret-of-the-tests"
ANA, BEN, CAMILA, DAN, EVE = "U0ANA", "U0BEN", "U0CAM", "U0DAN", "U0EVE"
OPS = "C0OPS"

WRAPPER = shlex.split(os.environ.get("HM_E2E_WRAPPER", ""))
SLOW = 10 if WRAPPER else 1
PATIENCE_S = 30 * SLOW  # only a broken program makes a test wait that long
EXIT_S = 20 * SLOW
REPORT = re.compile(r"ERROR: (?:Address|Leak|Thread|Memory)Sanitizer|runtime error:|^==\d+== |Assertion .* failed", re.M)
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def program(variable, *relative):
    """Path of a program under test; skips the test when it was not built."""
    path = os.environ.get(variable)
    if not path:
        folder = os.environ.get("HM_BUILD", os.path.join(TOP, "build", "dev"))
        path = next((p for p in (os.path.join(folder, r) for r in relative) if os.path.exists(p)),
                    os.path.join(folder, relative[0]))
    if not os.path.exists(path):
        raise FileNotFoundError(f"{path} is not there: build it, or set {variable}")
    return os.path.abspath(path)


def bot_program():
    return program("HM_BOT", "hausmeister", "bot/hausmeister")


def slacksim_program():
    return program("HM_SLACKSIM", "slacksim", "tests/slacksim/slacksim")


def world_program():
    return program("HM_WORLD", "world", "tests/world/world")


# Where alarms' `doc` and `runbook` are to be read; an address with a # is linked as it is.
BOOKS = {"cookbook": "https://wiki.example.com/cookbook#all", "runbook": "https://wiki.example.com/on-call#all"}


class Deadline:
    """Counts down; only for conditions that nobody can be asked to report."""

    def __init__(self, seconds=None):
        self.end = time.monotonic() + (PATIENCE_S if seconds is None else seconds)

    def left(self):
        return max(0.0, self.end - time.monotonic())

    def over(self):
        return self.left() <= 0


class Refused(Exception):
    """The control API said no."""

    def __init__(self, path, answer):
        super().__init__(f"{path}: {answer}")
        self.answer = answer


class Child:
    """A process that dies with us, in a process group of its own, its output in files."""

    def __init__(self, name, argv, folder, env=None, limits=None):
        self.name, self.argv = name, argv
        self.out_path = os.path.join(folder, f"{name}.out")
        self.err_path = os.path.join(folder, f"{name}.err")

        def before_exec():
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if limits:
                limits()

        # Appending: a restarted bot goes on in the same files.
        with open(self.out_path, "ab") as out, open(self.err_path, "ab") as err:
            self.err_start = err.tell()
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env, cwd=folder,
                                            start_new_session=True, preexec_fn=before_exec)

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process.poll() is None

    def signal(self, number):
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    def wait(self, seconds=None):
        """The exit code; negative for a signal."""
        try:
            return self.process.wait(EXIT_S if seconds is None else seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} is still running: {self.tail()}") from None

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()

    def left_over(self):
        """True when something of its process group is still there after its end."""
        try:
            os.killpg(self.pid, 0)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def stdout(self):
        with open(self.out_path, errors="replace") as file:
            return file.read()

    def stderr(self):
        """What this very process wrote, without its predecessors of the same name."""
        with open(self.err_path, "rb") as file:
            file.seek(self.err_start)
            return file.read().decode(errors="replace")

    def first_json(self):
        """The line of JSON that the simulators print when they listen."""
        deadline = Deadline()
        while not deadline.over():
            line, newline, _ = self.stdout().partition("\n")
            if newline:
                return json.loads(line)
            if not self.alive():
                break
            self._pause()
        raise AssertionError(f"{self.name} did not start: {self.tail()}")

    def _pause(self):
        """Until it ends or a little while has passed."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(0.01)

    def tail(self, lines=60):
        shown = []
        for label, path in (("stdout", self.out_path), ("stderr", self.err_path)):
            with contextlib.suppress(OSError), open(path, errors="replace") as file:
                text = file.read().splitlines()
                if text:
                    shown.append(f"--- {self.name} {label}, last {min(lines, len(text))} of {len(text)} lines")
                    shown += text[-lines:]
        return "\n".join(shown)


class Http:
    """A JSON API on loopback; one connection per call, so that threads need not share any."""

    def __init__(self, port, tls=None):
        self.port, self.tls = port, tls

    def request(self, method, path, body=None, query=None, timeout=None, raw=False):
        if query:
            path += ("&" if "?" in path else "?") + urllib.parse.urlencode(query)
        timeout = PATIENCE_S + 30 if timeout is None else timeout
        if self.tls:
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=self.tls)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            data = None if body is None else json.dumps(body).encode()
            connection.request(method, path, data, {"Content-Type": "application/json"} if data is not None else {})
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
        finally:
            connection.close()
        if raw:
            return response.status, text
        try:
            return json.loads(text)
        except ValueError:
            return text


class World:
    """The simulated backends."""

    def __init__(self, folder, state, tls=None, name="world"):
        path = os.path.join(folder, name + ".json")
        with open(path, "w") as file:
            json.dump(state, file)
        argv = [world_program(), "--listen", "127.0.0.1:0", "--data", path]
        if tls:
            argv += ["--tls-cert", tls.cert, "--tls-key", tls.key]
        self.child = Child(name, argv, folder)
        self.port = self.child.first_json()["port"]
        self.http = Http(self.port, tls.client() if tls else None)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def counts(self):
        return self.http.request("GET", "/_world/counts")

    def posts(self, part="/retract/"):
        """How many POSTs of this kind arrived, whatever became of them."""
        return sum(n for key, n in self.counts()["requests"].items() if key.startswith("POST ") and part in key)

    def applied(self, thing=None):
        """How often something was changed (or would have been): of one id, or of all."""
        return sum(e["applied"] for e in self.counts()["effects"] if thing in (None, e["id"]))

    def fault(self, what, prefix="/metapod/api/migrations/", method="POST", **more):
        answer = self.http.request("POST", "/_world/faults", {"what": what, "prefix": prefix, "method": method, **more})
        if not answer.get("ok"):
            raise Refused("/_world/faults", answer)
        return answer["id"]

    def mend(self):
        self.http.request("DELETE", "/_world/faults")

    def release(self):
        return self.http.request("POST", "/_world/release", {})["released"]

    def dataset(self, wanted):
        for transaction in self.http.request("GET", "/_world/state/metapod/transactions"):
            for dataset in transaction["datasets"]:
                if dataset["id"] == wanted:
                    return dataset
        return None

    def log(self):
        return self.http.request("GET", "/_world/log")["requests"]


class Slack:
    """The simulator, and the people in it."""

    def __init__(self, folder, tls=None, time_scale=0.01, config=None):
        argv = [slacksim_program(), "--listen", "127.0.0.1:0", "--time-scale", str(time_scale)]
        if config:
            argv += ["--config", config]
        if tls:
            argv += ["--tls-cert", tls.cert, "--tls-key", tls.key]
        self.child = Child("slacksim", argv, folder)
        said = self.child.first_json()
        self.port, self.api_url = said["port"], said["api_url"]
        self.http = Http(self.port, tls.client() if tls else None)

    def get(self, path, **query):
        answer = self.http.request("GET", "/_sim/" + path, query=query)
        if isinstance(answer, dict) and not answer.get("ok", True):
            raise Refused(path, answer)
        return answer

    def post(self, path, **body):
        answer = self.http.request("POST", "/_sim/" + path, body)
        if not answer.get("ok"):
            raise Refused(path, answer)
        return answer

    # --- what people do -------------------------------------------------------------------------------------------------------
    def slash(self, text, user=ANA, channel=OPS, acked=True):
        answer = self.http.request("POST", "/_sim/slash?wait=ack", {"user": user, "channel": channel, "text": text})
        if acked and not (answer.get("ok") and answer.get("acked")):
            raise AssertionError(f"/hausmeister {text} was not acknowledged: {answer}")
        return answer

    def click_raw(self, action, message, user, **more):
        """The answer of the control API, whatever it is."""
        return self.http.request("POST", "/_sim/click?wait=ack", {"user": user, "channel": message["channel"],
                                                                  "ts": message["ts"], "action_id": action, **more})

    # --- what people see ------------------------------------------------------------------------------------------------------
    def wait(self, alive=None, seconds=None, **conditions):
        """Until all conditions hold; `alive`: a child whose end is the end of the waiting."""
        deadline = Deadline(seconds)
        while True:
            slice_ms = max(1, min(300 if alive else 5000, int(deadline.left() * 1000)))
            answer = self.http.request("GET", "/_sim/wait", query={**conditions, "timeout_ms": slice_ms})
            if answer.get("ok"):
                return answer
            if answer.get("error") != "timeout":
                raise Refused("wait", answer)
            if alive is not None and not alive.alive():
                raise BotDied(f"{alive.name} ended ({alive.process.returncode}) while waiting for {conditions}")
            if deadline.over():
                raise AssertionError(f"waited in vain for {conditions}\n{self.everything()}")

    def messages(self, channel=OPS, user=None):
        return self.get("messages", channel=channel, **({"user": user} if user else {}))["messages"]

    def thread_text(self, message, user=None):
        """The thread as a person reads it; with user, also what only that person sees."""
        query = {"channel": message["channel"], "ts": message.get("thread_ts") or message["ts"], "format": "text"}
        answer = self.http.request("GET", "/_sim/thread", query={**query, **({"user": user} if user else {})})
        return answer["text"] if isinstance(answer, dict) else answer

    def channel_text(self, channel=OPS, user="*"):
        answer = self.http.request("GET", "/_sim/messages", query={"channel": channel, "user": user, "format": "text"})
        return answer["text"] if isinstance(answer, dict) else answer

    def everything(self, most=300):
        """All channels as text, at most so many lines of each."""
        with contextlib.suppress(Exception):
            texts = [self.channel_text(c["id"]).splitlines() for c in self.get("state")["channels"] if c["messages"]]
            return "\n".join("\n".join(lines if len(lines) <= most else [lines[0], "    …", *lines[-most:]]) for lines in texts)
        return "(slacksim does not answer)"

    def stats(self):
        return self.get("stats")

    def log(self, **query):
        return self.get("log", **query)["log"]


class BotDied(Exception):
    """The bot's process ended while a test waited for something."""


class Tls:
    """A certificate authority and a certificate for 127.0.0.1; made once per process."""

    made = None

    def __init__(self, folder):
        self.ca = os.path.join(folder, "ca.pem")
        self.cert = os.path.join(folder, "server.pem")
        self.key = os.path.join(folder, "server.key")
        ca_key, request, names = (os.path.join(folder, n) for n in ("ca.key", "server.csr", "names.cnf"))
        with open(names, "w") as file:
            file.write("subjectAltName = IP:127.0.0.1, DNS:localhost\nbasicConstraints = CA:FALSE\n")
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        self._openssl("req", "-x509", *curve, "-keyout", ca_key, "-out", self.ca, "-days", "2", "-subj", "/CN=e2e test CA",
                      "-addext", "keyUsage=critical,keyCertSign")
        self._openssl("req", "-new", *curve, "-keyout", self.key, "-out", request, "-subj", "/CN=127.0.0.1")
        self._openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", ca_key, "-CAcreateserial", "-out", self.cert,
                      "-days", "2", "-extfile", names)

    @staticmethod
    def _openssl(*words):
        done = subprocess.run(["openssl", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise AssertionError(f"openssl {' '.join(words)}: {done.stderr}")

    def client(self):
        return ssl.create_default_context(cafile=self.ca)

    @classmethod
    def get(cls):
        if cls.made is None:
            cls.folder = tempfile.TemporaryDirectory(prefix="hm-e2e-tls-")
            cls.made = cls(cls.folder.name)
        return cls.made


@contextlib.contextmanager
def deaf_port():
    """A port at which nobody listens, and nobody else begins to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def sample_world():
    """The cookbook's transactions and datasets, behind a password."""
    state = {}
    folder = os.path.join(TOP, "tests", "world", "sample")
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name)) as file:
            state[name.removesuffix(".json")] = json.load(file)
    state["metapod"]["config"]["bearer"] = METAPOD_TOKEN
    state["bigquery"]["config"]["bearer"] = state["oauth"]["config"]["token"]  # which only a signed assertion brings
    return state


class Bot:
    """The program under test and its folder: configuration, recipes, journal."""

    def __init__(self, stage, folder):
        self.stage, self.folder = stage, folder
        self.config = os.path.join(folder, "hausmeister.cfg")
        self.recipes = os.path.join(folder, "recipes")
        self.journal = os.path.join(folder, "hausmeister.db")
        self.child = None
        self.started = []
        self.env = {"SLACK_APP_TOKEN": "xapp-sim", "SLACK_BOT_TOKEN": "xoxb-sim", "METAPOD_TOKEN": METAPOD_TOKEN}
        self.settings = {"backend_url": None, "timeout": "5s", "users": [], "usergroup": "S0RED", "ca": None, "known": TRANSACTION,
                         "rate": None, "notify": "none", "settings": "", "journal": "hausmeister.db", "channel": OPS, "http_port": 0, "max_connections": None, "speed": None,
                         "alarms": ""}
        # Only what the story needs: the others have backends and tests of their own.
        os.mkdir(self.recipes)
        shutil.copy(os.path.join(TOP, "config", "recipes", "retract.cfg"), self.recipes)

    # --- files ----------------------------------------------------------------------------------------------------------------
    def write_config(self, **changed):
        self.settings.update(changed)
        s = self.settings
        url = s["backend_url"] or self.stage.world.url + "/metapod"
        ca = f' ca = "{s["ca"]}";' if s["ca"] else ""
        rate = f' rate = "{s["rate"]}";' if s["rate"] else ""
        rate += f' max_connections = {s["max_connections"]};' if s["max_connections"] else ""
        known = f'known = {{ etl = {{ transaction = "{s["known"]}"; }}; }};' if s["known"] else ""
        users = ", ".join(f'"{u}"' for u in s["users"])
        group = f' usergroup = "{s["usergroup"]}";' if s["usergroup"] else ""
        speed = f' speed = {s["speed"]};' if s["speed"] else ""
        with open(self.config, "w") as file:
            file.write(f'''slack = {{
  app_token = "env:SLACK_APP_TOKEN";
  bot_token = "env:SLACK_BOT_TOKEN";
  command = "/hausmeister";
  channel = "{s["channel"]}";
  audit_channel = "C0AUDIT"; notify = "{s["notify"]}";{speed}{ca}
}};
journal = {{ engine = "sqlite"; path = "{s["journal"]}"; }};
http = {{ listen = "127.0.0.1:{s["http_port"]}"; }};
roles = {{ hausmeister = {{ users = [ {users} ];{group} }}; }};
backends = {{ metapod = {{ handler = "metapod"; url = "{url}"; auth = {{ bearer = "env:METAPOD_TOKEN"; }};
  timeout = "{s["timeout"]}"; settle = "6s";{rate}{ca}{s["settings"]} }}; }};
{known}
recipes = [ "recipes" ];
{s["alarms"]}
''')

    def use_alarms(self, **rules):
        """These alarm rules (name=text), with the shipped names of channels and senders; without any, the shipped rules."""
        folder = os.path.join(self.folder, "alarms")
        with open(os.path.join(TOP, "config", "hausmeister.cfg")) as file:
            shipped = file.read()
        names = [re.search(rf"^{key} = {{.*?^}};", shipped, re.S | re.M)[0] for key in ("channels", "senders")]
        shutil.rmtree(folder, ignore_errors=True)
        if rules:
            os.makedirs(folder)
            for name, text in rules.items():
                with open(os.path.join(folder, name + ".cfg"), "w") as file:
                    file.write(text)
        else:
            shutil.copytree(os.path.join(TOP, "config", "alarms"), folder)
        books = [f'{key} = "{url}";' for key, url in BOOKS.items()]
        self.write_config(alarms="\n".join([*names, *books, 'alarms = [ "alarms" ];']))

    def use_shipped(self, *recipes):
        """The shipped backends, on the world, and these shipped recipes besides."""
        self.write_config()
        with open(self.config) as file:
            text = file.read()
        with open(self.config, "w") as file:
            # Metapod's is the stage's own, with what the test has set.
            more = shipped_backends(self.stage.world.url, self.folder,
                                    lambda name: program("HM_" + name.upper(), "tests/world/bin/" + name), ("metapod",))
            file.write(text.replace("backends = {", shipped_environments() + "\nbackends = {\n" + more, 1))
        for recipe in recipes:
            shutil.copy(os.path.join(TOP, "config", "recipes", recipe + ".cfg"), self.recipes)

    def edit_recipe(self, name, *changes):
        """Replaces patterns in a recipe's file; each must be there."""
        path = os.path.join(self.recipes, name + ".cfg")
        with open(path) as file:
            text = file.read()
        for pattern, new in changes:
            text, n = re.subn(pattern, new, text)
            if n == 0:
                raise AssertionError(f"{path} has no {pattern}")
        with open(path, "w") as file:
            file.write(text)

    def add_recipe(self, name, text):
        with open(os.path.join(self.recipes, name + ".cfg"), "w") as file:
            file.write(text)

    # --- the process ----------------------------------------------------------------------------------------------------------
    def environment(self, extra=None):
        keep = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "LD_LIBRARY_PATH",
                "GCOV_PREFIX", "GCOV_PREFIX_STRIP")
        env = {key: os.environ[key] for key in keep if key in os.environ}
        if self.stage.slack is not None:
            env["SLACK_API_URL"] = self.stage.slack.api_url
        env.update(self.env)
        env.update(extra or {})
        return env

    def spawn(self, extra_env=None, limits=None):
        """Starts it and waits for nothing."""
        if not os.path.exists(self.config):
            self.write_config()
        argv = [*WRAPPER, bot_program(), "run", "--config", self.config]
        self.child = Child("bot", argv, self.folder, self.environment(extra_env), limits)
        self.started.append(self.child)
        self.child.expected = (0,)
        return self.child

    def start(self, **how):
        """Starts it and waits until Slack has given it a connection and it says that it is ready."""
        child = self.spawn(**how)
        self.stage.slack.wait(alive=child, min_connections=1)
        self.wait_ready(child)
        return child

    def wait_ready(self, child=None):
        child = child or self.child
        deadline = Deadline()
        while not deadline.over():
            status, text = self.readyz()
            if status == 200:
                return
            if not child.alive():
                raise BotDied(f"the bot ended ({child.process.returncode}) before it was ready\n{child.tail()}")
            child._pause()
        raise AssertionError(f"the bot does not get ready: {status} {text}\n{child.tail()}")

    def readyz(self):
        """(status, text); status 0 when nobody listens."""
        return self._ask("/readyz")

    def http_port(self):
        """Where /readyz is; the log tells. 0 before that."""
        found = re.search(r"health on port (\d+)", self.child.stderr())
        return int(found[1]) if found else 0

    def _ask(self, path):
        port = self.http_port()
        try:
            return Http(port).request("GET", path, raw=True, timeout=10 * SLOW) if port else (0, "no port yet")
        except OSError as problem:
            return 0, str(problem)

    def metrics(self):
        status, text = self._ask("/metrics")
        if status != 200:
            raise AssertionError(f"/metrics: {status} {text}")
        return {m[1]: float(m[2]) for m in re.finditer(r"^hausmeister_(\w+) (\S+)$", text, re.M)}

    def reload(self, done):
        """SIGHUP; done(): True when the reload shows."""
        self.child.signal(signal.SIGHUP)
        deadline = Deadline()
        while not done():
            if deadline.over() or not self.child.alive():
                raise AssertionError(f"the reload does not show\n{self.child.tail()}")
            self.child._pause()

    def stop(self, seconds=None):
        """SIGTERM; the exit code."""
        self.child.signal(signal.SIGTERM)
        return self.child.wait(seconds)

    def kill(self):
        """kill -9."""
        self.child.expected = (-signal.SIGKILL,)
        self.child.signal(signal.SIGKILL)
        self.child.process.wait()

    # --- the command line -----------------------------------------------------------------------------------------------------
    def cli(self, *words, code=0, env=None, stdin=None):
        """Runs a subcommand; (stdout, stderr). Asserts the exit code and that no sanitizer spoke."""
        if not os.path.exists(self.config):
            self.write_config()
        argv = [bot_program(), words[0], "--config", self.config, *words[1:]]
        return run_cli(argv, code, self.environment(env), self.folder, stdin)

    def runs(self):
        return json.loads(self.cli("runs", "--json")[0])

    def events(self, run):
        return json.loads(self.cli("runs", "--json", run)[0])

    def audit(self):
        return self.cli("audit", "verify")[0]


def run_cli(argv, code=0, env=None, folder=None, stdin=None):
    done = subprocess.run(argv, input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL, capture_output=True,
                          text=True, errors="replace", env=env, cwd=folder, timeout=PATIENCE_S + 30)
    shown = f"{' '.join(argv)}\nexit {done.returncode}\n{done.stdout}\n{done.stderr}"
    if REPORT.search(done.stderr):
        raise AssertionError(f"a sanitizer spoke: {shown}")
    if code is not None and done.returncode != code:
        raise AssertionError(f"expected exit {code}: {shown}")
    return done.stdout, done.stderr


class Card:
    """A run's card in Slack, wherever it is now."""

    def __init__(self, stage, message):
        self.stage, self.message = stage, message
        self.channel, self.ts = message["channel"], message["ts"]

    def fresh(self):
        self.message = self.stage.slack.wait(channel=self.channel, ts=self.ts)["message"]
        self.message.setdefault("channel", self.channel)
        return self.message

    def text(self):
        return self.stage.slack.wait(channel=self.channel, ts=self.ts)["text"]

    def wait(self, contains, **more):
        """Until the card says this; its text."""
        return self.stage.slack.wait(channel=self.channel, ts=self.ts, contains=contains, alive=self.stage.alive(), **more)["text"]

    def wait_without(self, contains):
        self.stage.slack.wait(channel=self.channel, ts=self.ts, contains=contains, absent=1, alive=self.stage.alive())
        return self.text()

    def wait_button(self, label):
        """Until the card has a button with this label; the element."""
        deadline = Deadline()
        while True:
            found = self.button(label)
            if found:
                return found
            child = self.stage.alive()
            if child is not None and not child.alive():
                raise BotDied(f"the bot ended ({child.process.returncode}) before the card had {label}")
            if deadline.over():
                raise AssertionError(f"the card has no button {label}:\n{self.text()}\n{json.dumps(self.message)[:3000]}")
            with contextlib.suppress(AssertionError):
                self.stage.slack.wait(channel=self.channel, ts=self.ts, contains=label, seconds=0.3)

    def buttons(self):
        """{label: element} of the message as it is now; block_id is put in."""
        found = {}
        for block in self.fresh().get("blocks", []):
            elements = list(block.get("elements", []))
            if isinstance(block.get("accessory"), dict):
                elements.append(block["accessory"])
            for element in elements:
                if isinstance(element, dict) and element.get("type") == "button":
                    found[element["text"]["text"]] = {**element, "block_id": block.get("block_id")}
        return found

    def button(self, label):
        return next((e for text, e in self.buttons().items() if label.lower() in text.lower()), None)

    def click(self, label, user, acked=True):
        """Clicks the button with this label; the control API's answer. An edit may have put another in its place while the hand was on
        its way: then he looks again."""
        deadline = Deadline()
        while True:
            button = self.wait_button(label)
            answer = self.stage.slack.click_raw(button["action_id"], self.message, user, block_id=button["block_id"])
            if answer.get("error") != "no_such_action" or deadline.over():
                break
        if acked and not (answer.get("ok") and answer.get("acked")):
            raise AssertionError(f"the click on {label} was not acknowledged: {answer}")
        return answer

    def reject(self, user, reason=None):
        """Opens the dialog of Reject … and sends it."""
        self.click("Reject", user)
        self.stage.slack.wait(view=1, user=user, alive=self.stage.alive())
        return self.stage.slack.http.request("POST", "/_sim/submit_view?wait=ack", {
            "user": user, "values": {"reason": reason} if reason else {}})

    def raw_click(self, element, user, **changed):
        """A click that Slack's client would not offer: an old button, a forged value."""
        body = {"user": user, "channel": self.channel, "ts": self.ts, "action_id": element["action_id"],
                "block_id": element["block_id"], "value": element.get("value", ""), **changed}
        return self.stage.slack.http.request("POST", "/_sim/raw_click?wait=ack", body)


class Stage:
    """A world, a Slack and a bot in a folder of their own, and what must hold when they end."""

    def __init__(self, name, tls=False, world_state=None, time_scale=0.01):
        self.folder = tempfile.mkdtemp(prefix=f"hm-e2e-{name}-")
        self.world = self.slack = self.bot = None
        self.allowed_violations = ()
        self.pace_forgotten = False  # a restart forgets how much of the minute's calls were used
        try:
            self.certificates = Tls.get() if tls else None
            self.world = World(self.folder, world_state or sample_world(), self.certificates)
            self.slack = Slack(self.folder, self.certificates, time_scale)
            self.bot = Bot(self, self.folder)
            if tls:
                self.bot.settings["ca"] = self.certificates.ca
        except BaseException:
            self.show_logs()
            self.close()
            raise

    def close(self, keep=False):
        """Ends whatever still runs; no verdict."""
        for child in [self.bot.child if self.bot else None, self.slack.child if self.slack else None,
                      self.world.child if self.world else None]:
            if child is not None:
                child.kill()
        if not keep and not os.environ.get("HM_E2E_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def judge(self):
        """Ends the bot as an operator does, and looks at everything that no test should have to ask for."""
        if self.bot.child is not None and self.bot.child.alive():
            code = self.bot.stop()
            check(code == 0, f"SIGTERM ended the bot with {code}, not 0")
        for child in self.bot.started:
            code = child.process.returncode
            check(code in child.expected, f"the bot ended with {code}\n{child.tail()}")
            check(not REPORT.search(child.stderr()), f"a sanitizer spoke:\n{child.tail(200)}")
            check(not child.left_over(), "the bot has left processes behind")
        for child in (self.slack.child, self.world.child):
            check(child.alive(), f"{child.name} has ended\n{child.tail()}")
            check(not REPORT.search(child.stderr()), f"a sanitizer spoke:\n{child.tail(200)}")
        if self.bot.started:
            check(METAPOD_TOKEN not in self.slack.everything(1000000) + self.bot.started[-1].tail(10000), "a secret was shown")
        stats = self.slack.stats()
        violations = [v for v in stats["violations"] if not any(word in json.dumps(v) for word in self.allowed_violations)]
        check(not violations, f"Slack's rules were broken: {json.dumps(violations, indent=1)}")
        limited = {method: n for method, n in stats["rate_limited"].items() if n}
        check(self.pace_forgotten or not limited, f"Slack's pace was broken: {limited}")
        check(not stats["validation_errors"], f"Slack refused what we sent: {stats['validation_errors']}")

    def show_logs(self, out=None):
        out = out or sys.stderr
        print(f"==== the folder of this stage: {self.folder}", file=out)
        for child in [c for c in (self.world and self.world.child, self.slack and self.slack.child) if c]:
            print(child.tail(20), file=out)
        if self.bot is not None and self.bot.started:
            print(self.bot.started[-1].tail(), file=out)
        if self.slack is not None:
            print(f"---- what people saw\n{self.slack.everything()}", file=out)
        if self.world is not None:
            with contextlib.suppress(Exception):
                print(f"---- what the world counted\n{json.dumps(self.world.counts(), indent=1)}", file=out)

    # --- words of the tests -----------------------------------------------------------------------------------------------------
    def alive(self):
        """The bot's process: nobody should wait for what a dead one does."""
        return self.bot.child

    def retract(self, what=DATASET, user=ANA, channel=OPS, contains=None):
        """/hausmeister retract …; the card that comes of it."""
        self.slack.slash(f"retract {what}", user, channel)
        return self.card(contains or what.split()[0], channel)

    def card(self, contains, channel=OPS):
        """Waits for the bot's message that holds the text."""
        message = self.slack.wait(channel=channel, contains=contains, alive=self.alive(), **{"from": "B0BOT"})["message"]
        message.setdefault("channel", channel)
        return Card(self, message)

    def card_of(self, message, channel=OPS):
        """The card that a message is."""
        return Card(self, {"channel": channel, **message})

    def whisper(self, user, contains, channel=OPS):
        """Waits for a message that only this person sees; its text."""
        return self.slack.wait(channel=channel, user=user, ephemeral=1, contains=contains, alive=self.alive())["text"]

    def whispers(self, user, channel=OPS):
        """How many messages only this person has seen."""
        both, all_see = (len(self.slack.messages(channel, u)) for u in (user, None))
        return both - all_see

    def wait_whispers(self, user, count, channel=OPS):
        """Until so many are there, and no more follow."""
        deadline = Deadline()
        while self.whispers(user, channel) < count:
            check(not deadline.over(), f"{self.whispers(user, channel)} messages for {user} alone, not {count}")
            self.slack.wait(alive=self.alive(), idle_ms=50)
        self.slack.wait(alive=self.alive(), idle_ms=300)
        check(self.whispers(user, channel) == count, f"{self.whispers(user, channel)} messages for {user} alone, not {count}")


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def quiet_world():
    """The sample, and no job runs on Aurora."""
    state = sample_world()
    state["aurora"]["tasks"] = []
    return state


@contextlib.contextmanager
def crashing(name, crashes, count=False):
    """A stage for a story in which the bot dies at these commits. What goes wrong says at which, and the stage's folder is kept. count: for
    commits_of()."""
    stage = Stage(name)
    good = False
    try:
        if count:
            stage.bot.env["HM_CRASH_COUNT_FILE"] = commits_file(stage)
        yield stage
        good = True
    except Exception as problem:
        raise AssertionError(f"crashing at {crashes}: {problem}") from problem
    finally:
        if not good:
            stage.show_logs()
        stage.close(keep=not good)


def commits_file(stage):
    return os.path.join(stage.folder, "commits")


def commits_of(stage):
    """How many commits the bot has made; 0 when this build does not count them."""
    try:
        with open(commits_file(stage)) as file:
            return int(file.read())
    except FileNotFoundError:
        return 0


class Case(unittest.TestCase):
    """One test on a stage of its own; the stage's words are the test's."""

    maxDiff = None
    tls = False
    time_scale = 0.01
    world_state = staticmethod(sample_world)

    def setUp(self):
        self.stage = Stage(self.id().rsplit(".", 1)[-1], self.tls, self.world_state(), self.time_scale)
        self.addCleanup(self._close)
        self.folder, self.world, self.slack, self.bot = self.stage.folder, self.stage.world, self.stage.slack, self.stage.bot
        self.retract, self.card, self.whisper = self.stage.retract, self.stage.card, self.stage.whisper
        self.alive, self.whispers, self.wait_whispers = self.stage.alive, self.stage.whispers, self.stage.wait_whispers
        self.judged = False

    def tearDown(self):
        failed = self._failed()
        try:
            if not failed:
                self.stage.judge()
                self.judged = True
        finally:
            if not self.judged:
                print(f"\n==== {self.id()} failed", file=sys.stderr)
                self.stage.show_logs()

    def _failed(self):
        """Whether the test itself has failed; unittest keeps that to itself."""
        result = getattr(self._outcome, "result", None)
        errors = getattr(self._outcome, "errors", None) or []  # Python 3.10 and older
        told = (result.failures + result.errors) if result is not None else []
        if result is not None and any(test is self for test, _ in result.skipped):
            return False
        return not getattr(self._outcome, "success", True) or any(test is self for test, _ in told) or any(e for _, e in errors)

    def _close(self):
        self.stage.close(keep=not self.judged)

    def assert_audited(self):
        self.assertRegex(self.bot.audit(), r"^ok: \d+ events, head [0-9a-f]{64}")

    def run_events(self):
        """The events of the newest run."""
        return self.bot.events(self.bot.runs()[0]["run"])

    @staticmethod
    def at_once(*calls):
        return at_once(*calls)


def until(wall_ms):
    """Lets the wall clock come to a time that the program itself has named."""
    left = wall_ms / 1000 - time.time()
    if left > 0:
        threading.Event().wait(left + 0.01)


def at_once(*calls):
    """Runs the calls in threads that start at the same moment; their results in order."""
    results = [None] * len(calls)
    gate = threading.Barrier(len(calls))

    def run(i, call):
        gate.wait()
        try:
            results[i] = call()
        except Exception as problem:  # handed to the caller
            results[i] = problem

    threads = [threading.Thread(target=run, args=(i, call), daemon=True) for i, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results


def main():
    unittest.main(verbosity=2)
