#!/usr/bin/env python3
"""Smoke test of AWS' stand-ins and of the token endpoints. The signatures here are made by a signer of their own, so that the bot's and
the world's, which share theirs, can not be wrong together.

usage: test_aws.py PROGRAM        (Python's standard library only)
"""
import datetime
import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import base64
import urllib.parse

import test_world
from test_data import golden
from test_world import HERE, World, check

KEYS = ("AKIDWORLD", "w0rld/secret+key")
FORM = "application/x-www-form-urlencoded"
TABLE = "prod-s3-analytics-datomic"
OLD, NEW = "/s3/nu-keysets-prod/certificates/pri/infrastructure/aurora.p12", "/s3/nu-keysets-br-prod/certificates/pri/services/aurora.p12"


def sign(w, method, path, body, headers, service, region, keys=KEYS, late=0, leave_out=(), token=None):
    """The headers of a signed request, by the published algorithm."""
    at = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=late)).strftime("%Y%m%dT%H%M%SZ")
    payload = hashlib.sha256(body).hexdigest()
    own = {**headers, "host": f"127.0.0.1:{w.port}", "x-amz-date": at, "x-amz-content-sha256": payload}
    if token:
        own["x-amz-security-token"] = token
    signed = {k.lower(): v for k, v in own.items() if k.lower() not in leave_out}
    names = ";".join(sorted(signed))
    canonical = "\n".join([method, urllib.parse.quote(path), "", *(f"{k}:{signed[k]}" for k in sorted(signed)), "", names, payload])
    scope = f"{at[:8]}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", at, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + keys[1]).encode()
    for part in (at[:8], region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    own["Authorization"] = f"AWS4-HMAC-SHA256 Credential={keys[0]}/{scope}, SignedHeaders={names}, Signature={signature}"
    return own


def ec2(w, sign_with=None, **form):
    body = urllib.parse.urlencode({"Action": "DescribeInstances", "Version": "2016-11-15", "MaxResults": "100", **form}).encode()
    return w.ask("POST", "/ec2/", body, sign(w, "POST", "/ec2/", body, {"Content-Type": FORM}, "ec2", "us-east-1", **(sign_with or {})))


def dynamo(w, operation, **body):
    body = json.dumps(body).encode()
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810." + operation}
    status, more, text = w.ask("POST", "/dynamodb/", body, sign(w, "POST", "/dynamodb/", body, headers, "dynamodb", "sa-east-1"))
    return status, json.loads(text), more


def s3(w, method, path, headers=None):
    return w.ask(method, path, b"" if method == "PUT" else None, sign(w, method, path, b"", headers or {}, "s3", "us-east-1"))


def without_keys(w):
    state = w.json("GET", "/_world/state")
    for system in ("ec2", "cloudwatch", "dynamodb", "s3"):
        state[system]["config"]["access_key"] = None
    check("load", w.json("POST", "/_world/load", state), {"ok": True})


def test_signatures(w):
    check("signed", ec2(w)[0], 200)
    for what, how, code in (("another secret", {"keys": ("AKIDWORLD", "x")}, 401), ("another key", {"keys": ("AKIDX", KEYS[1])}, 401),
                            ("late", {"late": 1000}, 401), ("the host is not signed", {"leave_out": ("host",)}, 401),
                            ("the date is not signed", {"leave_out": ("x-amz-date",)}, 401), ("a token too many", {"token": "t"}, 401)):
        check(what, ec2(w, how)[0], code)
    headers = sign(w, "POST", "/ec2/", b"Action=DescribeInstances", {"Content-Type": FORM}, "ec2", "us-east-1")
    check("another body", w.ask("POST", "/ec2/", b"Action=TerminateInstances", headers)[0], 401)
    check("not signed", w.ask("POST", "/ec2/", b"Action=DescribeInstances", {"Content-Type": FORM})[0], 401)
    headers = sign(w, "GET", OLD, b"", {}, "s3", "us-east-1")
    check("another path", w.ask("GET", NEW, None, headers)[0], 403)


def test_ec2(w):
    page = ec2(w, MaxResults="5", **{"Filter.1.Name": "tag:Name", "Filter.1.Value.1": "*itaipu*"})[2]
    check("a page", (page.count("<instanceId>"), "<nextToken>5</nextToken>" in page), (5, True))
    page = ec2(w, MaxResults="5", NextToken="5", **{"Filter.1.Name": "tag:Name", "Filter.1.Value.1": "*itaipu*"})[2]
    check("the last page", (page.count("<instanceId>"), page.count("<instanceLifecycle>"), "nextToken" in page), (3, 2, False))
    gone = ec2(w, **{"Filter.1.Name": "instance-state-name", "Filter.1.Value.1": "terminated"})[2]
    check("by state", gone.count("<instanceId>"), 1)
    for what, form in (("too few a page", {"MaxResults": "4"}), ("another filter", {"Filter.1.Name": "x", "Filter.1.Value.1": "y"}),
                       ("another key", {"Owner": "x"}), ("another action", {"Action": "TerminateInstances"}), ("a version", {"Version": "1"})):
        check(what, ec2(w, **form)[0], 400)


def test_dynamodb(w):
    status, body, headers = dynamo(w, "DescribeTable", TableName=TABLE)
    check("a table", (status, body["Table"]["TableStatus"], body["Table"]["ProvisionedThroughput"]["ReadCapacityUnits"]), (200, "ACTIVE", 14))
    check("the server's time", headers["Date"][-4:], " GMT")
    check("no such table", dynamo(w, "DescribeTable", TableName="x-y")[1]["__type"][-25:], "ResourceNotFoundException")
    units = {"ReadCapacityUnits": 28, "WriteCapacityUnits": 20}
    check("the same values", "will not change" in dynamo(w, "UpdateTable", TableName=TABLE, ProvisionedThroughput={**units, "ReadCapacityUnits": 14})[1]["message"], True)
    status, body, _ = dynamo(w, "UpdateTable", TableName=TABLE, ProvisionedThroughput=units)
    check("raised", (status, body["TableDescription"]["TableStatus"], body["TableDescription"]["ProvisionedThroughput"]["ReadCapacityUnits"]), (200, "UPDATING", 14))
    check("and again", dynamo(w, "UpdateTable", TableName=TABLE, ProvisionedThroughput=units)[1]["__type"][-22:], "ResourceInUseException")
    seen = [dynamo(w, "DescribeTable", TableName=TABLE)[1]["Table"] for _ in range(3)]
    check("it takes a while", [(t["TableStatus"], t["ProvisionedThroughput"]["ReadCapacityUnits"]) for t in seen], [("UPDATING", 14), ("UPDATING", 14), ("ACTIVE", 28)])
    check("counted", w.effects()[("dynamodb UpdateTable", TABLE + " to 28/20")], (1, 1))
    check("on demand", dynamo(w, "UpdateTable", TableName="prod-global-ouroboros-datomic", ProvisionedThroughput=units)[0], 400)
    for what, more in (("nothing to change", {}), ("a zero", {"ProvisionedThroughput": {**units, "ReadCapacityUnits": 0}}),
                       ("more than that", {"ProvisionedThroughput": units, "DeletionProtectionEnabled": False}),
                       ("an index that is not there", {"GlobalSecondaryIndexUpdates": [{"Update": {"IndexName": "x-y", "ProvisionedThroughput": units}}]})):
        check(what, dynamo(w, "UpdateTable", TableName="prod-s0-notes-datomic", **more)[0], 400)
    check("another operation", dynamo(w, "DeleteTable", TableName=TABLE)[0], 400)
    w.reset()


def metric(w, name, minutes=60, **more):
    end = int(time.time()) // 300 * 300
    stamp = lambda s: datetime.datetime.fromtimestamp(s, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    query = "MetricDataQueries.member.1."
    form = {"Action": "GetMetricData", "Version": "2010-08-01", "StartTime": stamp(end - 60 * minutes), "EndTime": stamp(end), query + "Id": "a",
            query + "MetricStat.Metric.Namespace": "AWS/DynamoDB", query + "MetricStat.Metric.MetricName": name,
            query + "MetricStat.Metric.Dimensions.member.1.Name": "TableName", query + "MetricStat.Metric.Dimensions.member.1.Value": TABLE,
            query + "MetricStat.Period": "300", query + "MetricStat.Stat": "Sum", **more}
    body = urllib.parse.urlencode(form).encode()
    return w.ask("POST", "/cloudwatch/", body, sign(w, "POST", "/cloudwatch/", body, {"Content-Type": FORM}, "monitoring", "sa-east-1"))


def test_cloudwatch(w):
    text = metric(w, "ReadThrottleEvents")[2]
    check("6 a second too many", (text.count("<member>1800.0</member>"), "Complete" in text), (12, True))
    check("writes are not throttled", metric(w, "WriteThrottleEvents")[2].count("Z</member>"), 0)
    check("what was used", metric(w, "ConsumedReadCapacityUnits")[2].count("<member>4200.0</member>"), 12)
    check("a window that is none", metric(w, "ReadThrottleEvents", minutes=0)[0], 400)
    check("a statistic", metric(w, "ReadThrottleEvents", **{"MetricDataQueries.member.1.MetricStat.Stat": "Average"})[0], 400)
    check("another action", metric(w, "ReadThrottleEvents", Action="PutMetricData")[0], 400)


def test_s3(w):
    status, headers, text = s3(w, "HEAD", NEW)
    check("an object", (status, headers["Content-Length"], text), (200, "29", ""))
    etag = headers["ETag"]
    check("nothing there", s3(w, "HEAD", "/s3/nu-keysets-prod/x")[0], 404)
    copy = {"X-Amz-Copy-Source": NEW.removeprefix("/s3"), "X-Amz-Copy-Source-If-Match": etag, "X-Amz-Metadata-Directive": "COPY"}
    check("another version", s3(w, "PUT", OLD, {**copy, "X-Amz-Copy-Source-If-Match": '"00"'})[0], 412)
    check("no source", s3(w, "PUT", OLD, {**copy, "X-Amz-Copy-Source": "/x/y"})[0], 404)
    check("an upload", s3(w, "PUT", OLD)[0], 501)
    check("not yet", s3(w, "HEAD", OLD)[1]["ETag"] == etag, False)
    check("copied", s3(w, "PUT", OLD, copy)[0], 200)
    check("the same now", s3(w, "HEAD", OLD)[1]["ETag"], etag)
    check("again", s3(w, "PUT", OLD, copy)[0], 200)
    check("counted", w.effects()[("s3 copy", OLD.removeprefix("/s3"))], (2, 1))
    state = w.json("GET", "/_world/state")
    state["s3"]["config"]["copy_error"] = "InternalError"
    w.json("POST", "/_world/load", state)
    status, _, text = s3(w, "PUT", OLD, copy)
    check("an error inside a 200", (status, "<Code>InternalError</Code>" in text), (200, True))
    w.reset()


def test_goldens(w):
    """What the handlers send is understood; unsigned here."""
    without_keys(w)
    golden(w, "ec2", "instances", {"the next page": 400})  # a token that was never given
    golden(w, "cloudwatch", "table-load", {"the next page": 400})
    golden(w, "dynamodb", "table", {"the second try is without the prototype": 400, "without a prototype": 400, "by its name": 400})
    golden(w, "dynamodb", "capacity")
    golden(w, "dynamodb", "set-capacity", {"an index": 400})
    golden(w, "s3", "object", {"a key with signs in it": 404})
    golden(w, "s3", "copy", {"the request": 412, "a target that does not exist yet": 412})  # recorded against another version
    w.reset()


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def assertion(w, key_file, **changed):
    now = int(time.time())
    claims = {"iss": "hausmeister@world.iam.gserviceaccount.com", "scope": "https://www.googleapis.com/auth/bigquery",
              "aud": f"http://127.0.0.1:{w.port}/oauth/token", "iat": now, "exp": now + 3600, **changed}
    text = b64(json.dumps({"alg": "RS256", "typ": "JWT"}).encode()) + "." + b64(json.dumps(claims).encode())
    made = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key_file], input=text.encode(), stdout=subprocess.PIPE, check=True)
    return text + "." + b64(made.stdout)


def token(w, text):
    form = urllib.parse.urlencode({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": text}).encode()
    status, _, body = w.ask("POST", "/oauth/token", form, {"Content-Type": FORM})
    return status, json.loads(body)


def test_tokens(w):
    with open(os.path.join(HERE, "service-account.json"), encoding="utf-8") as file:
        key = json.load(file)["private_key"]
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(key)
        file.flush()
        good = assertion(w, file.name)
        check("a token", token(w, good), (200, {"access_token": "ya29.world", "token_type": "Bearer", "expires_in": 3599}))
        check("changed behind the signature", token(w, good[:60] + ("A" if good[60] != "A" else "B") + good[61:])[0], 400)
        for what in ({"iss": "x"}, {"aud": "https://x"}, {"scope": "x"}, {"exp": 1}, {"exp": int(time.time()) + 7200}, {"iat": int(time.time()) + 4000}):
            check(f"{what}", token(w, assertion(w, file.name, **what))[0], 400)
    check("no assertion", token(w, "x")[0], 400)
    login = lambda **body: w.ask("POST", "/oauth/login", body)[0]
    check("login", login(username="airflow", password="w0rld"), 201)
    check("a wrong password", login(username="airflow", password="x"), 401)
    check("no password", login(username="airflow"), 422)
    basic = {"Authorization": "Basic " + base64.b64encode(b"airflow:w0rld").decode()}
    check("registry", w.ask("GET", "/oauth/registry?service=registry.world&scope=repository%3Ax%3Apull", None, basic)[0], 200)
    check("registry, no name", w.ask("GET", "/oauth/registry?service=registry.world", None, {})[0], 401)
    check("registry, another service", w.ask("GET", "/oauth/registry?service=x", None, basic)[0], 400)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    w = World(sys.argv[1])
    try:
        for test in (test_signatures, test_ec2, test_dynamodb, test_cloudwatch, test_s3, test_goldens, test_tokens):
            test(w)
    finally:
        w.process.send_signal(signal.SIGTERM)
        check("exit status", w.process.wait(timeout=10), 0)
    print("aws: " + ("ok" if test_world.failures == 0 else f"{test_world.failures} failures"))
    sys.exit(1 if test_world.failures else 0)


if __name__ == "__main__":
    main()
