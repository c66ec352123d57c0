#!/usr/bin/env python3
"""alarm.py [--port N] [NAME…]: says in the demo's Slack what the house's alarm bots would say.

Each NAME is a sample of tests/golden/alarm/corpus.jsonl, like deadletters-text, deadletters-attachment or deadletters-blocks; without
any, the names are listed. Exit: 0 said, 1 there is no such sample or the demo does not take it, 3 there is no demo.
"""
import argparse
import http.client
import json
import os
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHOWN = ("text", "blocks", "attachments")
# The samples' transaction is nobody's; the demo's Metapod has one, and what an alarm says becomes the default of later commands.
OF_SAMPLES, OF_DEMO = "8a6f3c1e-52b7-4d09-9e1a-0c4d7be21f63", "319703ce-b90d-5a07-8195-33df0de911c8"


def samples():
    with open(os.path.join(TOP, "tests", "golden", "alarm", "corpus.jsonl")) as file:
        return {sample["name"]: sample for sample in map(json.loads, file)}


def body_of(message):
    """What the demo's Slack is told."""
    who = {"bot": message["bot_id"]} if "bot_id" in message else {"user": "U0ANA"}
    body = {"channel": message["channel"], **who, **{key: message[key] for key in SHOWN if key in message}}
    return json.dumps(body).replace(OF_SAMPLES, OF_DEMO)


def say(port, message):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/_sim/message", body_of(message))
    return json.loads(connection.getresponse().read())


def main():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    known = samples()
    if not args.names:
        print("\n".join(known))
        return 0
    for name in args.names:
        if name not in known:
            print(f"alarm: there is no sample {name}; without a name all are listed", file=sys.stderr)
            return 1
        try:
            answer = say(args.port, known[name]["message"])
        except OSError as problem:
            print(f"alarm: no demo on port {args.port} ({problem}); start deploy/demo first", file=sys.stderr)
            return 3
        if not answer.get("ok"):
            print(f"alarm: {name}: {answer.get('error')}: {answer.get('detail', '')}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
