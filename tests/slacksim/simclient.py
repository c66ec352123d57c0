"""slacksim for Python tests: starts it, speaks its control API and the Web API, and has a small raw Socket Mode client (standard
library only). `Sim` is enough to test a bot; `Socket` is for testing the simulator itself, so it can also misbehave."""
import base64
import json
import os
import re
import socket
import ssl
import struct
import subprocess
import urllib.error
import urllib.parse
import urllib.request


class Sim:
    """One slacksim process. Use as a context manager."""

    def __init__(self, program, *args, cafile=None):
        self.process = subprocess.Popen([program, *args], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("slacksim did not start")
        ready = json.loads(line)
        self.port, self.url, self.api_url = ready["port"], ready["url"], ready["api_url"]
        self.ssl = ssl.create_default_context(cafile=cafile) if cafile else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Returns the exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        self.process.stdout.close()
        return self.process.wait(timeout=20)

    def open(self, method, path, body=None, headers=None, timeout=30):
        request = urllib.request.Request(self.url + path, data=body, method=method, headers=headers or {})
        return urllib.request.urlopen(request, timeout=timeout, context=self.ssl)

    def get(self, what, **query):
        """GET /_sim/<what>"""
        with self.open("GET", f"/_sim/{what}?" + urllib.parse.urlencode(query), timeout=120) as answer:
            text = answer.read().decode()
        return text if query.get("format") == "text" else json.loads(text)

    def post(self, what, **body):
        """POST /_sim/<what>; a query may stand behind the name ("slash?wait=ack")."""
        with self.open("POST", f"/_sim/{what}", json.dumps(body).encode(), timeout=600) as answer:
            return json.loads(answer.read())

    def wait(self, timeout_ms=10000, **conditions):
        """GET /_sim/wait, failing when it timed out."""
        answer = self.get("wait", timeout_ms=timeout_ms, **conditions)
        if not answer["ok"]:
            raise AssertionError(f"nothing came for {conditions}")
        return answer

    def call(self, method, token="xoxb-sim", **args):
        """A Web API call with a JSON body; returns (HTTP status, headers, answer or text)."""
        headers = {"Content-Type": "application/json; charset=utf-8"}
        if token:
            headers["Authorization"] = "Bearer " + token
        try:
            with self.open("POST", "/api/" + method, json.dumps(args).encode(), headers) as answer:
                status, got, text = answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                status, got, text = error.code, error.headers, error.read().decode()
        try:
            return status, got, json.loads(text)
        except ValueError:
            return status, got, text

    def api(self, method, token="xoxb-sim", **args):
        """The same, the answer only."""
        return self.call(method, token, **args)[2]

    def socket(self, **how):
        """A fresh Socket Mode connection, after its hello (socket.hello)."""
        connection = Socket(self, self.api("apps.connections.open", "xapp-sim")["url"], **how)
        try:
            connection.hello = connection.json()
        except (Closed, OSError):
            connection.raw.close()
            raise
        return connection


class Closed(Exception):
    """The other side closed; code is None when there was no close frame."""

    def __init__(self, code, reason=""):
        super().__init__(f"closed: {code} {reason}")
        self.code, self.reason = code, reason


class Socket:
    """A WebSocket client that shows every frame."""

    def __init__(self, sim, url, timeout=15):
        parts = urllib.parse.urlsplit(url)
        self.raw = socket.create_connection((parts.hostname, parts.port), timeout=timeout)
        self.raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if parts.scheme == "wss":
            self.raw = sim.ssl.wrap_socket(self.raw, server_hostname=parts.hostname)
        self.buffer = b""
        self.pings, self.fragments, self.close_code = [], 0, None
        self.auto_pong = True
        key = base64.b64encode(os.urandom(16)).decode()
        self.raw.sendall((f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        try:
            while b"\r\n\r\n" not in self.buffer:
                self._more()
        except (Closed, OSError):
            self.raw.close()
            raise
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        self.status = int(head.split()[1])
        self.head = head.decode()

    def _more(self):
        data = self.raw.recv(65536)
        if not data:
            raise Closed(self.close_code)
        self.buffer += data

    def _take(self, n):
        while len(self.buffer) < n:
            self._more()
        taken, self.buffer = self.buffer[:n], self.buffer[n:]
        return taken

    def frame(self):
        """(fin, opcode, payload) of the next frame, whatever it is."""
        first, second = self._take(2)
        size = second & 0x7F
        if size == 126:
            size, = struct.unpack(">H", self._take(2))
        elif size == 127:
            size, = struct.unpack(">Q", self._take(8))
        return bool(first & 0x80), first & 0x0F, self._take(size)

    def message(self):
        """The next whole text or binary message; answers pings, raises Closed on a close frame."""
        whole = b""
        while True:
            fin, opcode, data = self.frame()
            if opcode == 9:
                self.pings.append(data)
                if self.auto_pong:
                    self.send_frame(10, data)
            elif opcode == 8:
                self.close_code = struct.unpack(">H", data[:2])[0] if data else 1005
                raise Closed(self.close_code, data[2:].decode())
            elif opcode != 10:
                self.fragments += 1
                whole += data
                if fin:
                    return whole

    def json(self, skip_disconnects=False):
        while True:
            found = json.loads(self.message())
            if not (skip_disconnects and found.get("type") == "disconnect"):
                return found

    def send_frame(self, opcode, data, fin=True, masked=True):
        first = (0x80 if fin else 0) | opcode
        if len(data) < 126:
            head = struct.pack(">BB", first, (0x80 if masked else 0) | len(data))
        elif len(data) < 65536:
            head = struct.pack(">BBH", first, (0x80 if masked else 0) | 126, len(data))
        else:
            head = struct.pack(">BBQ", first, (0x80 if masked else 0) | 127, len(data))
        if masked:
            mask = os.urandom(4)
            data = mask + bytes(byte ^ mask[i & 3] for i, byte in enumerate(data))
        self.raw.sendall(head + data)

    def send(self, obj):
        self.send_frame(1, json.dumps(obj).encode())

    def ack(self, envelope, payload=None):
        self.send({"envelope_id": envelope["envelope_id"], **({} if payload is None else {"payload": payload})})

    def take(self, payload=None):
        """Receives an envelope and acknowledges it."""
        envelope = self.json()
        self.ack(envelope, payload)
        return envelope

    def close(self, code=1000):
        """Politely: close frame, wait for the answer, close TCP."""
        self.send_frame(8, struct.pack(">H", code))
        try:
            while True:
                self.message()
        except (Closed, OSError):
            pass
        self.raw.close()

    def drop(self):
        """Rudely: TCP without a close frame."""
        self.raw.close()


def section(text):
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def button(action_id, text="Go", **more):
    return {"type": "button", "action_id": action_id, "text": {"type": "plain_text", "text": text}, **more}


def actions(*elements, **more):
    return {"type": "actions", "elements": list(elements), **more}


def is_ts(text):
    return re.fullmatch(r"\d{10}\.\d{6}", text) is not None
