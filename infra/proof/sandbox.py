"""A function's process and its Runtime API (version 2018-06-01): one event at a time, as Lambda hands them out.

Invariant: the process has nothing in its environment but what it is given; it is ended by its own handle.
"""

import json
import queue
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class FunctionError(Exception):
    """An invocation that gave no result: the function said so, ended, or took too long."""


class Sandbox:
    """One execution environment."""

    def __init__(self, bootstrap: Path, environment: dict, arn: str, log: Path):
        self.arn = arn
        self.log = log
        self.events: queue.Queue = queue.Queue()
        self.answers: queue.Queue = queue.Queue()
        self.served = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("OfSandbox", (RuntimeApi,), {"sandbox": self}))
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        own = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.server.server_port}"}
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [bootstrap], env={**environment, **own}, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )

    def run(self, event: dict, timeout_secs: float):
        """What the function returns for an event."""
        self.served += 1
        until = time.monotonic() + timeout_secs
        deadline_ms = int((time.time() + timeout_secs) * 1000)
        self.events.put((f"{self.served:08}-0000-4000-8000-000000000000", deadline_ms, event))
        while True:
            try:
                succeeded, answer = self.answers.get(timeout=0.05)
                break
            except queue.Empty:
                if self.process.poll() is not None:
                    tail = "\n".join(self.log.read_text().splitlines()[-3:])
                    raise FunctionError(f"the process ended with {self.process.returncode}: {tail}") from None
                if time.monotonic() > until:
                    raise FunctionError(f"Task timed out after {timeout_secs} seconds") from None
        if not succeeded:
            raise FunctionError(json.dumps(answer))
        return answer

    def end(self):
        self.process.kill()
        self.process.wait()
        self.events.put(None)
        self.server.shutdown()
        self.server.server_close()


class RuntimeApi(BaseHTTPRequestHandler):
    """What the process asks for its next event and gives its answers to."""

    protocol_version = "HTTP/1.1"
    sandbox: Sandbox

    def do_GET(self):
        handed = self.sandbox.events.get()
        if handed is None:
            self.close_connection = True
            return
        id, deadline_ms, event = handed
        headers = {
            "Lambda-Runtime-Aws-Request-Id": id,
            "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": self.sandbox.arn,
        }
        self.answer(200, event, headers)

    def do_POST(self):
        said = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"null")
        self.sandbox.answers.put((self.path.endswith("/response"), said))
        self.answer(202, {"status": "OK"}, {})

    def answer(self, status: int, body, headers: dict):
        text = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        """Says nothing: the process has a log of its own."""
