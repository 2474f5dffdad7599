"""Stands before the engines as IAM does: knows by its key who calls, holds each call against that role, and notes it.

Invariant: a call that its role does not allow does not reach the engines; it is answered as AWS answers it.
"""

import http.client
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .engines import ONLOOKER, TARGETS
from .grants import Role, wanted

SERVICES = {prefix: service for service, prefix in TARGETS.items()}


class Recorder:
    """A proxy before one address."""

    def __init__(self, engines: str):
        self.engines = engines.removeprefix("http://")
        self.roles: dict[str, Role] = {}
        self.arns: dict[str, str] = {}
        self.denied: list[str] = []
        self.calls: dict[tuple, int] = {}
        self.hidden: set[str] = set()
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Proxied", (Proxy,), {"recorder": self}))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def admits(self, key: str, service: str, operation: str, body: dict) -> bool:
        """Notes a call of a service's API."""
        if key == ONLOOKER:
            return True
        needed = wanted(service, operation, body, lambda name: self.arns.get(name, f"unknown:{name}"))
        with self.lock:
            if operation == "ChangeMessageVisibility":
                self.hidden.add(body["ReceiptHandle"])
        return all([self.note(key, action, resource) for action, resource in sorted(needed)])

    def note(self, key: str, action: str, resource: str) -> bool:
        """Notes what was done under a role, by its own code or by the platform in its name."""
        with self.lock:
            self.calls[key, action, resource] = self.calls.get((key, action, resource), 0) + 1
            role = self.roles.get(key)
            if role and role.use(action, resource):
                return True
            line = f"{role.id if role else key} may not {action} on {resource}"
            if line not in self.denied:
                self.denied.append(line)
            return False

    def made_by(self, key: str) -> int:
        """Calls that were made under a role so far."""
        with self.lock:
            return sum(count for (by, _, _), count in self.calls.items() if by == key)

    def end(self):
        self.server.shutdown()
        self.server.server_close()


class Proxy(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    recorder: Recorder

    def do_POST(self):
        text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        prefix, _, operation = self.headers.get("X-Amz-Target", ".").partition(".")
        signed = re.search(r"Credential=([^/]+)/", self.headers.get("Authorization", ""))
        key = signed[1] if signed else "nobody"
        if self.recorder.admits(key, SERVICES.get(prefix, prefix), operation, json.loads(text)):
            status, headers, body = self.forwarded(text)
        else:
            refused = {
                "__type": "com.amazon.coral.service#AccessDeniedException",
                "message": f"{operation}: not allowed",
            }
            status, headers, body = 400, [("Content-Type", "application/x-amz-json-1.0")], json.dumps(refused).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def forwarded(self, text: bytes) -> tuple:
        passed = ("Content-Type", "X-Amz-Target", "Authorization")
        connection = http.client.HTTPConnection(self.recorder.engines, timeout=60)
        connection.request("POST", "/", text, {name: self.headers[name] for name in passed if name in self.headers})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        kept = [
            (name, value) for name, value in answer.getheaders() if name.lower() in ("content-type", "x-amzn-requestid")
        ]
        return answer.status, kept, body

    def log_message(self, *_):
        """Says nothing: what counts is noted."""
