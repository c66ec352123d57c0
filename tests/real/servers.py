"""Real servers for the handlers to talk to, each started on a free port of this machine and ended again.

Nothing is installed here: tests/real/install does that. A server that is not there is a reason to skip, in words.
"""
import base64
import hashlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
NPM = os.environ.get("HM_REAL_NPM", os.path.join(TOP, "build", "real", "node_modules"))
PATIENCE_S = 60  # only a broken server makes a test wait that long


class Missing(Exception):
    """The server is not installed."""


def need(program):
    path = shutil.which(program)
    if path is None:
        raise Missing(f"{program} is not installed (tests/real/install)")
    return path


def free_port():
    import socket
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A process in a folder of its own; up once it answers."""

    def __init__(self, folder, argv, port, path="/", env=None):
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log = open(os.path.join(folder, os.path.basename(argv[0]) + ".log"), "wb")
        self.process = subprocess.Popen(argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        env={**os.environ, **(env or {})}, start_new_session=True)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.ask("GET", path)
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    with open(self.log.name, errors="replace") as file:
                        raise AssertionError(f"{argv[0]} does not answer:\n{file.read()[-3000:]}") from None
                time.sleep(0.05)

    def ask(self, method, path, body=None, headers=None):
        """(status, headers, body)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.log.close()


class Registry(Server):
    """docker-registry with a password."""

    USER, PASSWORD = "hausmeister", "secret-of-the-registry"

    def __init__(self, folder):
        program, htpasswd = need("docker-registry"), need("htpasswd")
        port = free_port()
        with open(os.path.join(folder, "passwords"), "w") as file:
            subprocess.run([htpasswd, "-nbB", self.USER, self.PASSWORD], stdout=file, check=True)
        with open(os.path.join(folder, "registry.yml"), "w") as file:
            file.write(f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {folder}/store}}}}\n"
                       f"http: {{addr: '127.0.0.1:{port}'}}\n"
                       f"auth: {{htpasswd: {{realm: test, path: {folder}/passwords}}}}\n")
        super().__init__(folder, [program, "serve", os.path.join(folder, "registry.yml")], port, "/v2/")

    def push(self, name, tag):
        """An image of one empty layer's worth of nothing; its manifest's digest."""
        auth = {"Authorization": "Basic " + base64.b64encode(f"{self.USER}:{self.PASSWORD}".encode()).decode()}
        config = b"{}"
        digest = "sha256:" + hashlib.sha256(config).hexdigest()
        status, headers, _ = self.ask("POST", f"/v2/{name}/blobs/uploads/", b"", auth)
        assert status == 202, status
        place = headers["Location"].split(f":{self.port}", 1)[-1]
        status, _, body = self.ask("PUT", f"{place}&digest={digest}", config, {**auth, "Content-Type": "application/octet-stream"})
        assert status == 201, body
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "layers": [],
                               "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": len(config),
                                          "digest": digest}}).encode()
        status, headers, body = self.ask("PUT", f"/v2/{name}/manifests/{tag}", manifest, {**auth, "Content-Type": kind})
        assert status == 201, body
        return headers["Docker-Content-Digest"]


class Prometheus(Server):
    """Prometheus whose recording rules make the series that are asked for: {series: value}."""

    def __init__(self, folder, series):
        program = need("prometheus")
        port = free_port()
        rules = "".join(f"      - record: {name}\n        labels: {json.dumps(labels)}\n        expr: vector({value})\n"
                        for name, labels, value in series)
        with open(os.path.join(folder, "rules.yml"), "w") as file:
            file.write(f"groups:\n  - name: made\n    interval: 1s\n    rules:\n{rules}")
        with open(os.path.join(folder, "prometheus.yml"), "w") as file:
            file.write(f"global: {{evaluation_interval: 1s}}\nrule_files: ['{folder}/rules.yml']\n")
        super().__init__(folder, [program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                                  f"--web.listen-address=127.0.0.1:{port}"], port, "/-/ready")
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            status, _, body = self.ask("GET", f"/api/v1/query?query={series[0][0]}")
            if status == 200 and len(json.loads(body)["data"]["result"]) == sum(s[0] == series[0][0] for s in series):
                return
            time.sleep(0.2)
        raise AssertionError("Prometheus made no series")


class Dynalite(Server):
    """dynalite, which keeps DynamoDB's rules for tables and capacity; it looks at the form of signatures, not at their value."""

    def __init__(self, folder):
        node = need("node")
        script = os.path.join(NPM, "dynalite", "cli.js")
        if not os.path.exists(script):
            raise Missing("dynalite is not installed (tests/real/install)")
        port = free_port()
        super().__init__(folder, [node, script, "--host", "127.0.0.1", "--port", str(port), "--createTableMs", "0",
                                  "--updateTableMs", "500"], port, "/")

    def call(self, operation, **body):
        headers = {"X-Amz-Target": f"DynamoDB_20120810.{operation}", "Content-Type": "application/x-amz-json-1.0",
                   "X-Amz-Date": "20261128T000000Z",
                   "Authorization": "AWS4-HMAC-SHA256 Credential=a/20261128/us-east-1/dynamodb/aws4_request, "
                                    "SignedHeaders=host, Signature=b"}
        status, _, text = self.ask("POST", "/", json.dumps(body), headers)
        assert status == 200, text
        return json.loads(text)


class Botocore(Server):
    """A server that believes only what botocore would have signed (sigv4_server.py)."""

    KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

    def __init__(self, folder):
        python = "/usr/bin/python3"  # the one that Debian's packages are for
        found = subprocess.run([python, "-c", "import botocore"], capture_output=True, check=False)
        if found.returncode != 0:
            raise Missing("python3-botocore is not installed (tests/real/install)")
        port = free_port()
        super().__init__(folder, [python, os.path.join(HERE, "sigv4_server.py"), str(port), self.KEY, self.SECRET], port, "/ready")


class GitHubAsPublished(Server):
    """GitHub's published OpenAPI document, cut to the paths that are used, behind a mock that refuses what does not fit it."""

    PATHS = ("/repos/{owner}/{repo}/pulls/{pull_number}", "/repos/{owner}/{repo}/compare/{basehead}",
             "/repos/{owner}/{repo}/commits/{ref}/check-runs", "/rate_limit")

    def __init__(self, folder):
        node = need("node")
        prism = os.path.join(NPM, "@stoplight", "prism-cli", "dist", "index.js")
        document = os.path.join(NPM, "@octokit", "openapi", "generated", "api.github.com.json")
        if not os.path.exists(prism) or not os.path.exists(document):
            raise Missing("Prism and @octokit/openapi are not installed (tests/real/install)")
        with open(document) as file:
            whole = json.load(file)
        small = {"openapi": whole["openapi"], "info": whole["info"], "paths": {p: whole["paths"][p] for p in self.PATHS}}
        path = os.path.join(folder, "github.json")
        with open(path, "w") as file:
            json.dump({**small, "components": parts_of(whole, small)}, file)
        port = free_port()
        super().__init__(folder, [node, prism, "mock", "-h", "127.0.0.1", "-p", str(port), path], port, "/rate_limit")


def parts_of(whole, small):
    """The components that are named from small, and those that are named from these."""
    components, waiting = {}, [small]
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, list):
            waiting.extend(thing)
        elif isinstance(thing, dict):
            waiting.extend(thing.values())
            ref = thing.get("$ref")
            if isinstance(ref, str) and ref.startswith("#/components/"):
                _, _, kind, name = ref.split("/")
                if name not in components.setdefault(kind, {}):
                    components[kind][name] = whole["components"][kind][name]
                    waiting.append(components[kind][name])
    return components
