"""A server that computes each request's AWS signature anew with botocore, Amazon's own library, and answers only those that agree.

usage: sigv4_server.py PORT ACCESS_KEY SECRET_KEY      (run by the Python that has botocore: Debian's python3-botocore)

What it answers is canned: an object, no machines, a table. Its 403 says what botocore would have signed.
"""
import hashlib
import http.server
import re
import sys

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

AUTH = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$")
ANSWERS = {
    "s3": ("application/xml", b"", {"ETag": '"e1"', "Last-Modified": "Sat, 02 May 2020 09:00:00 GMT"}),
    "ec2": ("text/xml", b'<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId>'
                        b"<reservationSet/></DescribeInstancesResponse>", {}),
    "dynamodb": ("application/x-amz-json-1.0", b'{"Table":{"TableName":"prod-s3-analytics-datomic","TableStatus":"ACTIVE",'
                                               b'"ProvisionedThroughput":{"ReadCapacityUnits":10,"WriteCapacityUnits":20}}}', {}),
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/ready":
            self.reply(200, "text/plain", b"", {})
            return
        problem, service = self.problem(body)
        if problem:
            self.reply(403, "application/xml", f"<Error><Code>SignatureDoesNotMatch</Code><Message>{problem}</Message></Error>".encode(), {})
        else:
            self.reply(200, *ANSWERS[service])

    def problem(self, body):
        match = AUTH.match(self.headers.get("Authorization", ""))
        if not match:
            return "no Authorization of AWS4-HMAC-SHA256", None
        key, day, region, service, signed, signature = match.groups()
        wanted = [name for name in signed.split(";")]
        given = {name.lower(): value for name, value in self.headers.items()}
        if wanted != sorted(wanted) or "host" not in wanted or any(name not in given for name in wanted):
            return f"SignedHeaders: {signed}", service
        if key != sys.argv[2] or not given.get("x-amz-date", "").startswith(day):
            return "key or day", service
        if "x-amz-content-sha256" in given and given["x-amz-content-sha256"] != hashlib.sha256(body).hexdigest():
            return "x-amz-content-sha256 is not that of the body", service
        request = AWSRequest(self.command, f"http://{given['host']}{self.path}", {name: given[name] for name in wanted}, body)
        request.context["timestamp"] = given["x-amz-date"]
        auth = (S3SigV4Auth if service == "s3" else SigV4Auth)(Credentials(sys.argv[2], sys.argv[3]), service, region)
        if service == "s3":
            request.context["client_config"] = None
        text = auth.string_to_sign(request, auth.canonical_request(request))
        if auth.signature(text, request) != signature:
            return "botocore signs this:\n" + auth.canonical_request(request), service
        return None, service

    def reply(self, status, kind, body, headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_HEAD = answer


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
