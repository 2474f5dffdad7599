"""Functions as Lambda runs them: environments that are kept and started when needed, within the template's limits.

Invariant: what the template does not set, a function does not have, but for what Lambda itself sets and the addresses
that stand in for AWS and for vendors.
"""

import json
import threading
from pathlib import Path

from .recorder import Recorder
from .sandbox import FunctionError, Sandbox

# What an account has by default.
CONCURRENCY = 1000

# Log lines and traces go out under the function's role, by the platform.
TRACING = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")


class Throttled(FunctionError):
    """As many environments run as may."""


class Function:
    """One function of the template."""

    def __init__(self, id: str, properties: dict, parts: dict):
        self.id = id
        self.name = properties["FunctionName"]
        self.arn = parts["arn"]
        self.role = parts["role"]
        self.log_group = parts["log_group"]
        self.bootstrap: Path = parts["bootstrap"]
        self.recorder: Recorder = parts["recorder"]
        self.folder: Path = parts["folder"]
        self.timeout_secs = properties["Timeout"]
        self.environments_max = int(properties.get("ReservedConcurrentExecutions", CONCURRENCY))
        self.traced = properties.get("TracingConfig", {}).get("Mode") == "Active"
        self.environment = {**parts["environment"], **self.own_environment(properties)}
        self.idle: list[Sandbox] = []
        self.busy = 0
        self.started = 0
        self.errors: list[str] = []
        self.lock = threading.Lock()

    def own_environment(self, properties: dict) -> dict:
        """What Lambda sets by itself."""
        return {
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(properties["MemorySize"]),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_LOG_GROUP_NAME": self.log_group.split(":log-group:")[1].removesuffix(":*"),
            "AWS_LAMBDA_LOG_STREAM_NAME": "proof",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": self.role,
            "AWS_SECRET_ACCESS_KEY": "proof",
            "AWS_SESSION_TOKEN": "proof",
        }

    def invoke(self, event: dict):
        """What the function returns."""
        sandbox = self.take()
        try:
            answer = sandbox.run(event, self.timeout_secs)
        except FunctionError as error:
            self.errors.append(str(error))
            sandbox.end()
            with self.lock:
                self.busy -= 1
            raise
        with self.lock:
            self.busy -= 1
            self.idle.append(sandbox)
        return answer

    def take(self) -> Sandbox:
        with self.lock:
            if self.busy >= self.environments_max:
                raise Throttled(f"{self.name}: {self.environments_max} environments are busy")
            self.busy += 1
            kept = self.idle.pop() if self.idle else None
            self.started += 0 if kept else 1
            log = self.folder / f"{self.name}-{self.started}.log"
        for action in TRACING if self.traced else ():
            self.recorder.note(self.role, action, "*")
        if kept:
            return kept
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            self.recorder.note(self.role, action, self.log_group)
        return Sandbox(self.bootstrap, self.environment, self.arn, log)

    def end(self):
        with self.lock:
            for sandbox in self.idle:
                sandbox.end()
            self.idle.clear()

    def complaints(self) -> list:
        """What it ended with, and the last errors in its logs, for whoever looks for what went wrong."""
        logs = sorted(self.folder.glob(f"{self.name}-*.log"), key=lambda log: log.stat().st_mtime)
        lines = [line for log in logs for line in log.read_text().splitlines()]
        errors = [json.loads(line)["fields"] for line in lines if '"level":"ERROR"' in line]
        return [f"-- {self.id}: {error}" for error in [*self.errors[-1:], *map(json.dumps, errors[-2:])]]
