"""What test_every_alarm plays: for each shipped alarm rule which sample raises it, and for each offer of the rule what people do until
its run is over and what has changed in the world then. A rule or an offer without a line here fails that test.

The samples are those of tests/golden/alarm/corpus.jsonl, with other values where the world must know them (`swap`)."""
import os

from harness import ANA, BEN, COMMITTED_2_NAME, TRANSACTION, UNCOMMITTED, UNCOMMITTED_NAME, check
from shipped import git

EMPTY = "s3://nu-spark-static/empty/materialized/empty.gz.parquet"
FLAKY, BEFORE_FX = "itaipu-other-flaky-datasets", "itaipu-fx-model"
STABLE = "cantareira-stable"
ORPHAN = "67386329-1fe2-48f4-9457-0d45d924db5d-0001"
APPEND, APPEND_2 = "5d94b837-c31e-4109-ac73-b904bbc7bf17", "41c7d2aa-90e3-5b18-8d77-e05b9a61c2d4"
TEMPLATE = os.path.join("aurora-jobs", "jobs", "templates", "spark.aurora")


class Play:
    """One offer taken. world: what is changed in the state before the alarm (a list of functions of it). form: what is filled in, when the
    offer opens a form. acts: what people do with the run, in order. shows: what the alarm's card says of the run in the end. fixed(test):
    looks at the world. swap: other values than the rule's. elsewhere: a person mends it there, so that the world shows nothing."""

    def __init__(self, label, *acts, form=None, world=(), shows=(), fixed=None, swap=None, elsewhere=False):
        self.elsewhere = elsewhere
        self.label, self.acts, self.form, self.world, self.shows, self.fixed, self.swap = label, acts, form, world, shows, fixed, swap or {}
        check(shows or fixed, f"the play of {label} proves nothing")


class Rule:
    """One alarm. sample: which one of the rule's in the corpus, counted from 0. says: parts of the card besides title, fields and runbook.
    looked: what the runs that start unasked find out. remembers: the key of known that it fills. apart: nobody says that it is over, so
    this value is another one in each shape, to make it another alarm."""

    def __init__(self, name, *plays, sample=0, swap=None, says=(), looked=(), world=(), remembers=None, apart=None):
        self.name, self.plays, self.sample, self.swap, self.says, self.looked = name, plays, sample, swap or {}, says, looked
        self.world, self.remembers, self.apart = world, remembers, apart


# ---- what people do with a run: functions of (test, card) -----------------------------------------------------------------------------
def approve(*contains):
    """Ana, who asked, may not; Ben may, and sees this before."""
    def act(test, card):
        for part in contains:
            card.wait(part)
        card.wait("will be sent")
        card.click("Approve", BEN)
    return act


def typed(text, *contains):
    def act(test, card):
        for part in contains:
            card.wait(part)
        card.wait("will be sent")
        card.click("Approve", BEN)
        test.slack.wait(view=1, user=BEN, contains="Type", alive=test.alive())
        test.slack.post("submit_view", user=BEN, values={"typed": text})
    return act


def choose(label):
    def act(test, card):
        card.click("Choose", ANA)
        view = test.slack.wait(view=1, user=ANA, contains="Choose one", alive=test.alive())["view"]
        element = next(b["element"] for b in view["blocks"] if b["type"] == "input")
        options = element.get("options") or test.slack.post("suggest", user=ANA, view_id=view["id"], action_id="value", value="")["options"]
        chosen = next(o for o in options if o["text"]["text"].startswith(label))
        test.slack.post("submit_view", user=ANA, force=True,
                        values={"choice": {"value": {"type": element["type"], "selected_option": chosen}}})
    return act


def fill(**values):
    def act(test, card):
        card.click("Fill in", ANA)
        test.slack.wait(view=1, user=ANA, alive=test.alive())
        test.slack.post("submit_view", user=ANA, values={key.replace("_", "-"): value for key, value in values.items()})
    return act


def done(evidence=None, by_hand=None):
    """A person does what the card asks for, and says so."""
    def act(test, card):
        card.wait_button("Done")
        if by_hand is not None:
            by_hand(test)
        card.click("Done", ANA)
        if evidence is not None:
            test.slack.wait(view=1, user=ANA, alive=test.alive())
            test.slack.post("submit_view", user=ANA, values={"evidence": evidence})
    return act


def edit_interval(test):
    path = os.path.join(test.folder, TEMPLATE)
    with open(path) as file:
        text = file.read()
    with open(path, "w") as file:
        file.write(text.replace("20*60", "50*60"))


def undo_edit(test):
    git(test.folder, "-C", os.path.join(test.folder, "aurora-jobs"), "checkout", "-q", "--", ".")


# ---- how the world is before: functions of its state ----------------------------------------------------------------------------------
def dag(state, name):
    return next(d for d in state["airflow"]["dags"] if d["dag_id"] == name)


def will_succeed(name, task):
    """The cause is gone: the next try of the task is its last."""
    def change(state):
        next(t for t in dag(state, name)["tasks"] if t["task_id"] == task)["outcome"] = "success"
    return change


def two_runs(name):
    def change(state):
        runs = dag(state, name)["runs"]
        runs.append({**runs[-1], "dag_run_id": "manual__2026-11-28T05:00:00+00:00", "run_type": "manual",
                     "logical_date": "2026-11-28T05:00:00+00:00", "start_date": "2026-11-28T05:00:03+00:00"})
    return change


def task_failed(name, task):
    """A node of this name, which has failed and will not again."""
    def change(state):
        dag(state, name)["tasks"].append({"task_id": task, "downstream_task_ids": []})
        dag(state, name)["runs"][-1]["tasks"][task] = "failed 3"
    return change


def log_line(job, raw):
    def change(state):
        state["splunk"]["events"].append({"ago_s": 60, "index": "cantareira", "job": f"aurora/prod/jobs/{job}", "raw": raw})
    return change


def machines(job, n):
    def change(state):
        state["ec2"]["instances"] += [{"id": f"i-00000000000000a{i:02x}", "name": f"cantareira-stable-mesos-on-demand-{job}",
                                       "state": "running", "hours_ago": 1, "type": "m5.large", "spot": False} for i in range(n)]
    return change


def running(job):
    def change(state):
        state["aurora"]["tasks"].append({"id": f"1001-jobs-prod-{job}-0", "env": "prod", "job": job, "instance": 0, "status": "RUNNING",
                                         "host": "ip-10-130-2-7.ec2.internal", "at": 1795874400000})
    return change


def aurora_is_down(state):
    state["aurora"]["health"] = "no leader"
    state["programs"]["units"]["aurora-scheduler"]["state"] = "failed"


def mesos_has_no_leader(state):
    state["mesos"].update(elected=False)


def letters(service, topic, count, group="7d1e"):
    def change(state):
        state["mortician"]["groups"].append({"id": group, "service": service, "topic": topic, "prototype": "global", "count": count,
                                             "message": "Provisioned throughput exceeded", "oldest": "2026-11-28T02:14:09Z"})
    return change


def second_append(state):
    transaction = next(t for t in state["metapod"]["transactions"] if t["id"].startswith("713a86b9"))
    transaction["datasets"].append({"id": APPEND_2, "name": "series/direct-mail", "committed": True, "format": "AVRO", "attributes": ["id"]})


def nothing_depends_on_it(state):
    rows = state["bigquery"]["tables"]["dataset.spark_ops"]["rows"]
    next(row for row in rows if row["name"] == UNCOMMITTED_NAME)["successors"] = []


# ---- how the world is afterwards: functions of the test -------------------------------------------------------------------------------
def effects(test):
    """{(what, last word of the id): how often}"""
    found = {}
    for e in test.world.counts()["effects"]:
        key = (e["endpoint"], e["id"].split(" ")[-1])
        found[key] = found.get(key, 0) + e["applied"]
    return found


def part(test, path):
    return test.world.http.request("GET", "/_world/state/" + path)


def states(test, number):
    """{task: state} of the newest run of that DAG, without a look that lets time pass."""
    runs = part(test, f"airflow/dags/{number}/runs")
    return {name: task["state"] for name, task in runs[-1]["tasks"].items()}


def restarted(task, number=0):
    def look(test):
        test.assertEqual(effects(test).get(("airflow clear", task)), 1)
        test.assertIn(states(test, number)[task], ("scheduled", "queued", "running", "success"))
    return look


def skipped(test):
    now = states(test, 0)
    test.assertEqual(now[BEFORE_FX], "success")
    test.assertNotIn(now["fx-model"], ("failed", "upstream_failed"))
    test.assertEqual(effects(test)[("airflow set-state", BEFORE_FX)], 1)


def committed_empty(test):
    test.assertEqual(test.world.dataset(UNCOMMITTED)["path"], EMPTY)
    test.assertEqual(test.world.applied(UNCOMMITTED), 1)


def computed(test):
    test.assertTrue(test.world.dataset(UNCOMMITTED)["committed"])
    test.assertEqual(effects(test), {("sabesp create", "itaipu-phillip"): 1})


def aurora_restarted(test):
    test.assertEqual(effects(test), {("nu ser cycle", "mesos-master"): 1, ("nu ser ssh restart", "aurora-scheduler"): 1,
                                     ("mesos teardown", ORPHAN): 1})
    alive, = part(test, "mesos/frameworks")
    test.assertEqual((alive["active"], alive["id"] != ORPHAN, part(test, "aurora/health")), (True, True, "leading"))
    test.assertTrue(part(test, "mesos/elected"))
    test.assertEqual(part(test, "programs/units/aurora-scheduler/state"), "active")


def dagao_runs(test):
    test.assertEqual(effects(test), {("nu ser cycle", "mesos-on-demand"): 1, ("sabesp create", "dagao"): 1})
    test.assertEqual([t["status"] for t in part(test, "aurora/tasks") if t["job"] == "dagao"][-1:], ["RUNNING"])


def redeployed(test):
    test.assertEqual(effects(test)[("airflow clear", "itaipu-contracts")], 1)
    test.assertEqual([t["status"] for t in part(test, "aurora/tasks") if t["id"].startswith("1000")], ["KILLED"])
    stages = part(test, "gocd/pipelines/2/instances/0/stages")
    test.assertEqual([(s["name"], s.get("result")) for s in stages], [("build", "Passed"), ("publish", "Passed")])


def empty_group(verb, group):
    def look(test):
        test.assertEqual([g["count"] for g in part(test, "mortician/groups") if g["id"] == group and g["count"]], [])
        test.assertEqual(effects(test), {("mortician " + verb, group): 1})
    return look


def raised(test):
    table = next(t for t in part(test, "dynamodb/tables") if t["name"] == "prod-s3-analytics-datomic")
    test.assertEqual((table["read"], table["write"]), (28, 20))


def renewed(called):
    def look(test):
        objects = {o["bucket"]: o for o in part(test, "s3/objects")}
        new, old = objects["nu-keysets-br-prod"], objects["nu-keysets-prod"]
        test.assertGreater(new["modified"], "2026-11-27")
        test.assertEqual(old["content"], new["content"])
        test.assertEqual(len(part(test, "jira/issues")), 1)
        test.assertEqual(len(part(test, "opsgenie/alerts")), 1 if called else 0)
        test.assertEqual(effects(test)[("nu sec generate certificate", "aurora")], 1)
    return look


def append_retracted(wanted):
    def look(test):
        test.assertFalse(test.world.dataset(wanted)["committed"])
        test.assertEqual(effects(test), {("metapod retract/dataset-series/dataset", wanted): 1})
    return look


# ---- offers that several rules have ----------------------------------------------------------------------------------------------------
def state_of_the_run(label="State of the run", says="*3 failed*", **more):
    return Play(label, shows=("of `prod-dag", says), **more)


def why(label, **more):
    return Play(label, shows=("*The model failed*, its dataset is there or it has none: lusa",), **more)


def longer(**more):
    return Play("Run it with a longer health check", done(by_hand=edit_interval), approve("50*60", "Compute `dataset/fx-rates`"),
                done(by_hand=undo_edit),
                form={"dataset": UNCOMMITTED_NAME, "cluster": "phillip", "nodes": "40", "itaipu": "c8574a9"},
                shows=("is committed.", "The checkout is clean again"), fixed=computed, **more)


def more_memory(**more):
    return Play("Run it with more memory", approve("Compute `dataset/fx-rates`", "r4.2xlarge"),
                form={"dataset": UNCOMMITTED_NAME, "cluster": "phillip", "nodes": "40", "present": "m4.2xlarge", "instance": "r4.2xlarge",
                      "itaipu": "c8574a9"},
                shows=("is committed.",), fixed=computed, **more)


def commit_empty(label, **more):
    return Play(label, typed(UNCOMMITTED_NAME, EMPTY), shows=("is committed with an empty file",), fixed=committed_empty,
                world=[nothing_depends_on_it], **more)


def restart_aurora(label, **more):
    return Play(label, approve("Replace the machines of *mesos-master*"), approve("Restart *aurora-scheduler*"),
                approve(f"Tear down the orphaned framework `{ORPHAN}`"),
                shows=("sabesp answers", "orphans left: 0"), fixed=aurora_restarted, **more)


def status_of(job, label="Status of the job", **more):
    return Play(label, shows=("active task", f"{job}/0 RUNNING"), **more)


def machines_of(n, label="Machines of the job", **more):
    return Play(label, shows=(f"*{n} {'machine' if n == 1 else 'machines'}* with",), **more)


def dead_letters(count):
    return f"{count} dead letter" + ("s" if count != 1 else "")


def replay(group, count, label="Replay", **more):
    return Play(label, choose(f"{count} × "), typed(str(count), f"Replay *{dead_letters(count)}*"),
                shows=("Replayed and verified: the group is empty",), fixed=empty_group("replay", group), **more)


def discard(group, count, label="Discard", **more):
    return Play(label, choose(f"{count} × "), typed(str(count), f"Discard *{dead_letters(count)}*"),
                shows=("Discarded and verified: the group is empty",), fixed=empty_group("discard", group), **more)


def groups_of(service, count, label="Show the groups", **more):
    return Play(label, shows=(f"{dead_letters(count)} of `{service}`",), **more)


# ---- the rules -------------------------------------------------------------------------------------------------------------------------
AIRFLOW = [
    Rule("airflow-alert-dag", state_of_the_run(), sample=0, swap={"8a6f3c1e-52b7-4d09-9e1a-0c4d7be21f63": TRANSACTION},
         says=("The first job of the DAG failed",)),
    Rule("airflow-alert-dag", groups_of("tapir", 15, "Dead letters of tapir"), state_of_the_run(), sample=1,
         says=("were not processed by tapir",)),
    Rule("airflow-alert-dag", groups_of("cutia", 1, "Dead letters of cutia"), state_of_the_run(), sample=2,
         says=("are committed and not archived",)),
    Rule("airflow-alert-dag", state_of_the_run(), sample=3, says=("should succeed once a day",)),
    Rule("airflow-down", state_of_the_run(), says=("The machine is replaced within 5 minutes",)),
    Rule("airflow-node-failed",
         Play("Restart the task", approve(f"Restart `{FLAKY}`"), shows=("began anew",), fixed=restarted(FLAKY)),
         state_of_the_run(),
         why("Dataset or model?"),
         Play("Its errors in Splunk", world=[log_line(FLAKY, "ERROR Traceback: no rows in dataset/house-features")],
              shows=("no rows in dataset/house-features",)),
         Play("Go on without it", approve(f"mark `{BEFORE_FX}` as successful"), swap={"itaipu-co-contracts-2": BEFORE_FX},
              shows=("Cleared and begun anew",), fixed=skipped),
         Play("A dataset of it fails", fill(critical="false", who_said_so="Dan"), done("4711"), form={"dataset": UNCOMMITTED_NAME},
              swap={"itaipu-co-contracts-2": BEFORE_FX}, shows=("Not critical, says Dan",), elsewhere=True),
         commit_empty("Commit its dataset empty", form={"dataset": UNCOMMITTED_NAME}),
         longer(),
         swap={"foz-stable": STABLE, "itaipu-co-contracts-2": FLAKY}, looked=("*3 failed*",),
         says=("has used all its tries",)),
    Rule("airflow-task-failed",
         Play("Restart the task", approve("Restart `mx-fx-model`"), world=[will_succeed("prod-daguito", "mx-fx-model")],
              shows=("began anew",), fixed=restarted("mx-fx-model", 1)),
         state_of_the_run(says="*1 failed*"),
         swap={"itaipu-core": "mx-fx-model"}, says=("`mx-fx-model` of `prod-daguito.mx-fx-model` failed",)),
    Rule("dagao-run-failed",
         Play("Run the DAG by hand", approve("Replace the on-demand machines first: *true*"), fill(do="it-goes-on"),
              shows=("It goes on",), fixed=dagao_runs),
         state_of_the_run("Failed nodes"), why("Dataset or model?"), says=("The run failed as a whole",)),
    Rule("more-than-one-dagao", Play("Which runs?", shows=("scheduled__2026-11-27T02:00:00+00:00", "manual__2026-11-28T05:00:00+00:00")),
         world=[two_runs("prod-daguito")], says=("Two runs of `prod-daguito` are active",)),
    Rule("serving-not-started", state_of_the_run("Blocked nodes", "itaipu-serving"),
         Play("Go on without a node", approve(f"mark `{BEFORE_FX}` as successful"), form={"task": BEFORE_FX},
              shows=("Cleared and begun anew",), fixed=skipped), says=("no `itaipu-serving` node has started",)),
    Rule("release-out-of-date",
         Play("Redeploy the DAG", typed("902", "nothing but the fix"), done(), approve("The job is killed"),
              form={"job": "itaipu-contracts", "counter": "902", "deployed": "901"}, shows=("See in its log",), fixed=redeployed),
         says=("is not the top of `release`",)),
    Rule("run-finished", why("What failed?", swap={"41c7d2aa-90e3-5b18-8d77-e05b9a61c2d4": TRANSACTION, "daguito": "dagao"}),
         state_of_the_run("Failed nodes", "*1 failed*"), says=("Look for the first failed node",), remembers="etl-foz-finished"),
]

MACHINES = [
    Rule("aurora-down", restart_aurora("Restart Aurora"), swap={"foz": STABLE}, world=[aurora_is_down], says=("Nothing can be scheduled",)),
    Rule("aurora-pending", status_of("itaipu-contracts"), Play("Machines", shows=("in the name, ", "agent")), restart_aurora("Restart Aurora"),
         swap={"itaipu-ledger": "itaipu-contracts"}, says=("PENDING for more than 20 minutes",)),
    Rule("mesos-master-down", restart_aurora("Cycle master, then Aurora"), swap={"foz-blue": STABLE}, world=[mesos_has_no_leader],
         says=("nothing new is accepted",)),
    Rule("mesos-no-leader", restart_aurora("Cycle master, then Aurora"), world=[mesos_has_no_leader], says=("becomes leader",)),
    Rule("no-resources",
         Play("Restart the task", approve("Restart `itaipu-ledger`"), shows=("began anew",), fixed=restarted("itaipu-ledger")),
         machines_of(2, "Machines"),
         world=[task_failed("prod-dagao", "itaipu-ledger"), machines("itaipu-ledger", 2)], looked=("*2 machines* with",),
         says=("AWS has no `m5.8xlarge` in `us-east-1d`",)),
    Rule("docker-daemon", machines_of(3), swap={"foz": STABLE}, world=[machines("itaipu-ledger", 3)], says=("never join Mesos",)),
    Rule("host-disk", machines_of(4), world=[machines("itaipu-ledger", 4)], says=("fill the disk of `i-0123456789abcdef0`",)),
    Rule("itaipu-oom", more_memory(), why("What is not committed?"), says=("`java.lang.OutOfMemoryError` in `itaipu-ledger.v2`",)),
    Rule("direct-memory-oom", more_memory(), why("What is not committed?"), says=("`900` of `1000` bytes",)),
    Rule("oom-kill", status_of("itaipu-ledger"), world=[running("itaipu-ledger")], says=("The kernel killed a driver",)),
    Rule("no-space-left", status_of("pollux-large"), world=[running("pollux-large")], says=("disks of `pollux-large` are full",)),
    Rule("job-health-killed", longer(), status_of("itaipu-ledger", world=[running("itaipu-ledger")]),
         says=("did not answer its health check",)),
]

DATA = [
    Rule("integrity-check", Play("What depends on it?", shows=("has 3 successors", "model/fx-model")), commit_empty("Commit it empty"),
         swap={"dataset/late-fees": UNCOMMITTED_NAME, "8a6f3c1e-52b7-4d09-9e1a-0c4d7be21f63": TRANSACTION},
         says=("columns [id] are not unique",)),
    Rule("schema-validation", Play("What depends on it?", shows=("has 1 successor,", "dataset/scr-exposure")),
         swap={"series-raw/late-fees-avro": "series-contract/scr-operacao"}, says=("Its owner (Lending 2)",)),
    Rule("deadletters", groups_of("cutia", 1), replay("44aa", 1), discard("44aa", 1), looked=("1 dead letter of `cutia`",),
         says=("could not consume messages of `DATASET-COMMITTED`",)),
    Rule("deadletter-new", groups_of("tapir", 15), replay("9b1d", 12), discard("c07e", 3), looked=("15 dead letters of `tapir`",),
         says=("has new dead letters of `PARTITION-TO-SERVE`",)),
    Rule("conrado-propagate", groups_of("conrado", 5, "Dead letters of conrado"), replay("7d1e", 5), world=[letters("conrado", "TO-PROPAGATE", 5)],
         says=("Reading the Dynamo table of `dataset/late-fees`",)),
    Rule("tapir-no-rows", groups_of("tapir", 15, "Dead letters of tapir"), says=("write capacity was probably not raised",)),
    Rule("certificate-expired",
         Play("Renew it", approve("Ask Infosec in Jira"), done(), approve("Generate a new certificate of *aurora*"),
              approve("Copy the certificate of"), shows=("The certificate of `aurora` is renewed",), fixed=renewed(False)),
         Play("Renew it, the run is blocked", approve("Ask Infosec in Jira"), approve("Call the on-call engineer of *infosec*"), done(),
              approve("Generate a new certificate of *aurora*"), approve("Copy the certificate of"),
              shows=("The certificate of `aurora` is renewed",), fixed=renewed(True)),
         says=("expired at `2026-11-27 00:00:00+00:00`",)),
    Rule("datomic-self-destruct",
         Play("Throttled?", shows=("*Throttled in the last hour*",)),
         Play("Raise the capacity", approve("14 → *28*"), shows=("has 28 read and 20 write units now", "nothing is throttled any more"), fixed=raised),
         swap={"ledger": "analytics", "s4": "s3"}, looked=("*Throttled in the last hour*",), says=("has too little capacity",)),
    Rule("manual-series-request",
         Play(f"Retract {APPEND}", typed(APPEND, f"manual append `{APPEND}`"), shows=("Metapod took the retraction",), fixed=append_retracted(APPEND)),
         Play(f"Retract {APPEND_2}", typed(APPEND_2, f"manual append `{APPEND_2}`"), shows=("Metapod took the retraction",),
              fixed=append_retracted(APPEND_2)),
         swap={"8a6f3c1e-52b7-4d09-9e1a-0c4d7be21f63": APPEND, "series/late-fees": "series/direct-mail"}, world=[second_append],
         says=("compare it before you approve",)),
    Rule("stack-teardown", Play("Check the stack", shows=("Stack `blue-41` is known", "`wendy` instances in sa-east-1: 1")), swap={"teal": "blue-41"},
         says=("Before anybody says yes for stack `blue-41`",)),
]

# Nothing is offered: the card says what it is, and where the runbook tells more.
TOLD = [
    Rule("airflow-instances", says=("An old stack of Airflow was left behind",)),
    Rule("alph-lag", says=("is behind (lag `70000`)",)),
    Rule("alph-no-upload", says=("has uploaded nothing for an hour",)),
    Rule("backup-missing", says=("has had no backup for `96` hours",)),
    Rule("barragem", sample=0, says=("Segments are slow",)),
    Rule("barragem", sample=1, says=("Segments fail",)),
    Rule("barragem", sample=2, says=("The scheduler (Tempo) sends nothing",)),
    Rule("correnteza-t-ahead", says=("ahead of `ledger` on `s4`",)),
    Rule("deadletter-capivara", says=("send the body to `prod-etl-committed-dataset` *first*",)),
    Rule("escafandro-empty", says=("have no history to compare with",)),
    Rule("gocd-stage", says=("ended as *Failed*",), remembers="gocd-stage", apart="3120"),
    Rule("health-failure", says=("Every database must have had an attempt",)),
    Rule("ouroboros-groups", says=("Some automated series appends a lot",)),
    Rule("ouroboros-lag", says=("misses the next run",)),
    Rule("row-count-decrease", says=("Often false",)),
    Rule("run-started", says=("Recipes offer these values as defaults from now on",), remembers="etl",
         apart="8a6f3c1e-52b7-4d09-9e1a-0c4d7be21f63"),
]

# No card, only a value that is remembered.
SILENT = {"dag-config-loaded": ("dag-config", "counter")}

# The news about an alarm: {rule: (the alarm's rule, its text → what is said)}. over…: it is over; quiet…: it goes on.
NEWS = {
    "over": ("backup-missing", lambda text, n: f"Incident #{n} resolved: " + text),
    "over-alertmanager": ("alph-lag", lambda text, n: "[RESOLVED] " + text),
    "over-cloudwatch": ("tapir-no-rows", lambda text, n: text + f" state is now OK: {n}"),
    "over-grafana": ("ouroboros-lag", lambda text, n: text.replace("[Alerting]", "[OK]")),
    "over-opsgenie": ("airflow-down", lambda text, n: text.replace("#872: Airflow is down", f'ben closed alert #{n} "Airflow is down"')),
    "over-pagerduty": ("mesos-master-down", lambda text, n: f"Resolved #{n} " + text),
    "over-splunk": ("oom-kill", lambda text, n: "[CLEARED] " + text),
    "quiet-cloudwatch": ("tapir-no-rows", lambda text, n: text + f" state is now INSUFFICIENT_DATA: {n}"),
    "quiet-grafana": ("ouroboros-lag", lambda text, n: text.replace("[Alerting]", f"[No Data] look {n}:")),
    "quiet-opsgenie": ("airflow-down", lambda text, n: text.replace("#872: Airflow is down", f'ben acknowledged alert #{n} "Airflow is down"')),
    "quiet-pagerduty": ("mesos-master-down", lambda text, n: f"Acknowledged #{n} " + text),
}
