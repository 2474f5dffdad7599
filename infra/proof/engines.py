"""The embedded DynamoDB and SQS as a process of their own (`tocsin engines`), and the calls that are made on them.

Invariant: a call says who makes it by the access key id of its signature; the engines check none.
"""

import atexit
import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

START_SECS_MAX = 30
TARGETS = {"dynamodb": "DynamoDB_20120810", "sqs": "AmazonSQS"}

# Whoever sets up and looks at what stands there. No function has it, and its calls are not held against any role.
ONLOOKER = "onlooker"


class AwsError(Exception):
    """What a service answered in place of a result."""


class Aws:
    """A client that acts under one access key id."""

    def __init__(self, url: str, key: str):
        self.url = url
        self.key = key

    def sqs(self, operation: str, **parameters) -> dict:
        return self.call("sqs", operation, parameters)

    def dynamodb(self, operation: str, **parameters) -> dict:
        return self.call("dynamodb", operation, parameters)

    def call(self, service: str, operation: str, parameters: dict) -> dict:
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"{TARGETS[service]}.{operation}",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={self.key}/20260101/us-east-1/{service}/aws4_request",
        }
        request = urllib.request.Request(self.url, json.dumps(parameters).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as refused:
            raise AwsError(f"{operation}: {refused.read().decode()}") from None


class Engines:
    """Both engines on one free port of this machine, with nothing in them."""

    def __init__(self, tocsin: Path, log: Path):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = free.getsockname()
        self.url = f"http://127.0.0.1:{address[1]}"
        with log.open("wb") as out:
            command = [tocsin, "engines", "--listen", f"127.0.0.1:{address[1]}"]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        atexit.register(self.end)
        until = time.monotonic() + START_SECS_MAX
        while True:
            try:
                socket.create_connection(address, timeout=1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"the engines do not start: {log.read_text()}") from None
                time.sleep(0.02)

    def end(self):
        self.process.kill()
        self.process.wait()
