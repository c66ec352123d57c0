"""A headless Chromium, for tests of slacksim's page and for the pictures of the docs (standard library only). Over its debugging socket:
the page keeps a stream open, so that Chromium's own --screenshot would wait for ever."""
import base64
import http.client
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading

CHROMIUM = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--remote-debugging-port=0"]
KEYS = {"ArrowDown": 40, "ArrowUp": 38, "Enter": 13, "Escape": 27, "Tab": 9, "Backspace": 8, "Delete": 46}


def available():
    return shutil.which(CHROMIUM[0]) is not None


class Browser:
    """One page. Use as a context manager."""

    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="hm-browser-")
        self.process = subprocess.Popen([*CHROMIUM, f"--user-data-dir={self.profile}", "about:blank"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        line = next(l for l in self.process.stderr if "DevTools listening" in l)
        port = int(line.split("127.0.0.1:")[1].split("/")[0])
        self.reader = threading.Thread(target=self.process.stderr.read, daemon=True)
        self.reader.start()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/json/list")
        page = next(t for t in json.loads(connection.getresponse().read()) if t["type"] == "page")
        connection.close()
        path = page["webSocketDebuggerUrl"].split(str(port), 1)[1]
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        self.file = self.socket.makefile("rb")
        while self.file.readline().strip():
            pass
        self.calls = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()
        self.process.terminate()
        self.process.wait()
        self.reader.join()
        self.process.stderr.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def call(self, method, **params):
        """A command of the debugging protocol; its result."""
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

    def show(self, url, width=1000, height=760):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Page.navigate", url=url)

    def run(self, expression):
        """The value of a JavaScript expression, awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {json.dumps(answer['exceptionDetails'])[:2000]}")
        return answer["result"].get("value")

    def wait(self, condition, seconds=6):
        """Until the expression is true; its value. A page that is being loaded takes the expression with it: then once more."""
        for _ in range(seconds):
            found = self.call("Runtime.evaluate", awaitPromise=True, returnByValue=True, expression=f"""new Promise((done) => {{
                let left = 50;
                const look = () => {{
                  let value = false;
                  try {{ value = {condition}; }} catch (e) {{ value = false; }}
                  if (value || (left -= 1) === 0) done(value instanceof Node || value); else setTimeout(look, 20);
                }};
                look();
            }})""")
            if found.get("result", {}).get("value"):
                return found["result"]["value"]
        raise AssertionError(f"never true: {condition}; on the page: {self.run('document.body.innerText')}")

    def click(self, selector):
        """With the mouse, in the middle of what the selector finds."""
        x, y = self.wait(f"""(() => {{ const r = document.querySelector({json.dumps(selector)}).getBoundingClientRect();
                                       return r.width ? [r.x + r.width / 2, r.y + r.height / 2] : null; }})()""")
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def key(self, *names):
        for name in names:
            for kind in ("keyDown", "keyUp"):
                self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=KEYS[name])

    def type(self, text):
        self.call("Input.insertText", text=text)

    def shot(self, path):
        """A picture of what is shown, as PNG."""
        self.run("document.fonts.ready.then(() => true)")
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
