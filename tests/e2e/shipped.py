"""The backends of config/hausmeister.cfg, bent to the simulated world, so that a backend which is added there is in the tests and in
the demo without a line of theirs."""
import json
import os
import re
import shutil
import subprocess

# As in tests/world/sample: what goes to the world's AWS is signed.
AWS_KEYS = {"AWS_ACCESS_KEY_ID": "AKIDWORLD", "AWS_SECRET_ACCESS_KEY": "w0rld/secret+key"}
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def _entries(group="backends"):
    with open(os.path.join(TOP, "config", "hausmeister.cfg")) as file:
        text = re.sub(r"(?m)(^|\s)#.*$", "", file.read())
    body = text[text.index(group + " = {") + len(group + " = {"):]
    depth = start = 0
    for i, c in enumerate(body):
        depth += {"{": 1, "}": -1}.get(c, 0)
        if depth < 0:
            return
        if c == ";" and depth == 0:
            yield body[start:i + 1].strip()
            start = i + 1


def _aws_key(folder, reference):
    """A file with the key that the world's AWS takes."""
    path = os.path.join(folder, reference.removeprefix("env:").lower())
    with open(path, "w") as file:
        file.write(AWS_KEYS[reference.removeprefix("env:")])
    return os.path.abspath(path)


def _service_account(folder, world_url):
    """The file of a service account that the world's token endpoint knows."""
    with open(os.path.join(TOP, "tests", "world", "service-account.json")) as file:
        account = json.load(file)
    account["token_uri"] = world_url + "/oauth/token"
    path = os.path.join(folder, "service-account.json")
    with open(path, "w") as file:
        json.dump(account, file)
    return os.path.abspath(path)


def git(folder, *words):
    """git with nobody's configuration; its output."""
    env = {"PATH": os.environ["PATH"], "HOME": folder, "GIT_CONFIG_NOSYSTEM": "1"}
    who = ["-c", "user.name=Ana", "-c", "user.email=ana@example.com", "-c", "init.defaultBranch=master"]
    return subprocess.run(["git", *who, *words], env=env, capture_output=True, text=True, check=True, timeout=30).stdout


def make_checkout(folder):
    """A checkout of aurora-jobs in the folder, and the remote that it is a clone of; the path of spark.aurora in it. None without git."""
    if shutil.which("git") is None:
        return None
    remote, clone = os.path.join(folder, "remote.git"), os.path.join(folder, "aurora-jobs")
    git(folder, "init", "-q", "--bare", remote)
    git(folder, "clone", "-q", remote, clone)
    path = os.path.join(clone, "jobs", "templates", "spark.aurora")
    os.makedirs(os.path.dirname(path))
    with open(path, "w") as file:
        file.write("health_check_config = HealthCheckConfig(\n  initial_interval_secs = 20*60,\n)\n")
    git(folder, "-C", clone, "add", "--all")
    git(folder, "-C", clone, "commit", "-q", "-m", "Jobs")
    git(folder, "-C", clone, "branch", "-q", "-M", "master")
    git(folder, "-C", clone, "push", "-q", "origin", "master")
    return path


def shipped_environments():
    """The group `environments`, as it is."""
    return "environments = {\n" + "\n".join(_entries("environments")) + "\n};"


def shipped_backends(world_url, folder, program, without=()):
    """The text of the entries. HTTP: each acts on world_url/<handler>, without credentials but for
    AWS and Google, whose keys are files in `folder`. A program: program(handler) is its path, and
    <HANDLER>_WORLD in its environment names `folder`, where the stand-ins write down their calls, WORLD_URL the world that they change.
    git is the real one, on folder/aurora-jobs."""
    entries = []
    for text in _entries():
        handler = re.search(r'handler\s*=\s*"([^"]+)"', text)[1]
        if text.split()[0] in without:
            continue
        if handler == "git":  # the real one, on a checkout in the folder
            entries.append(f'git = {{ handler = "git"; program = "{shutil.which("git") or "/usr/bin/git"}"; '
                           f'dir = "{os.path.join(folder, "aurora-jobs")}"; }};')
            continue
        text = re.sub(r'\burl\s*=\s*"[^"]*"', f'url = "{world_url}/{handler}"', text)
        text = re.sub(r'\bprogram\s*=\s*"[^"]*"', lambda _: f'program = "{program(handler)}"', text)
        text = re.sub(r'\b(dir|ca|client_cert|client_key|proxy|rate)\s*=\s*"[^"]*";', "", text)
        text = re.sub(r"\benv\s*=\s*\{[^}]*\};", "", text)
        text = re.sub(r"\bauth\s*=\s*\{[^{}]*(\{[^{}]*\};)?[^{}]*\};",
                      lambda m: m[0] if re.search(r"\b(aws|google)\b", m[0]) else "", text)
        text = re.sub(r'"env:AWS_\w+"', lambda m: f'"file:{_aws_key(folder, m[0].strip(chr(34)))}"', text)
        text = re.sub(r'(google\s*=\s*\{\s*key\s*=\s*)"[^"]*"', lambda m: f'{m[1]}"file:{_service_account(folder, world_url)}"', text)
        if handler == "ec2":  # the world has one region's machines
            text = re.sub(r'\bregion\s*=\s*"[^"]*"', 'region = "us-east-1"', text)
        # Of Mesos the leader's own address is spoken to, which is the world's here too.
        text = re.sub(r'\bmasters\s*=\s*"[^"]*";', f'masters = "127.0.0.1"; leader_port = {world_url.rsplit(":", 1)[1]}; '
                      f'leader_path = "/mesos";', text)
        if "program =" in text:
            env = f'env = {{ {handler.upper()}_WORLD = "{folder}"; WORLD_URL = "{world_url}"; }};'
            text = text.rstrip("; \n").rstrip("}") + env + " };"
        # What was lost is looked for that long before a person is asked; a minute and more would be too long to sit through.
        entries.append(text.rstrip("; \n").rstrip("}") + ' settle = "6s"; };')
    return "\n".join(entries)
