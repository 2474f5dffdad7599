"""The stand-ins of the vendors (`tests/stand_ins`), a process of their own that is asked line by line."""

import atexit
import json
import subprocess
import threading
from pathlib import Path

# Which variable puts a vendor's address in place of the config's.
VARIABLES = {
    "pagerduty": "TOCSIN_PAGERDUTY_API_URL",
    "slack": "TOCSIN_SLACK_API_URL",
    "jira": "TOCSIN_JIRA_API_URL",
    "linear": "TOCSIN_LINEAR_API_URL",
    "github": "TOCSIN_GITHUB_API_URL",
    "prometheus": "TOCSIN_PROMETHEUS_URL",
    "arize": "TOCSIN_ARIZE_API_URL",
}


class Vendors:
    """One of each."""

    def __init__(self, binary: Path):
        self.process = subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        atexit.register(self.end)
        self.lock = threading.Lock()
        self.addresses = json.loads(self.process.stdout.readline())

    def environment(self) -> dict:
        return {variable: self.addresses[vendor] for vendor, variable in VARIABLES.items()}

    def ask(self, **asked) -> dict:
        with self.lock:
            self.process.stdin.write(json.dumps(asked) + "\n")
            self.process.stdin.flush()
            answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise ValueError(f"{asked}: {answer['error']}")
        return answer

    def show(self) -> dict:
        """What people would see at each."""
        return self.ask(show=True)

    def fail(self, vendor: str, times: int, path: str = "", **how):
        self.ask(fail=vendor, times=times, path=path, **how)

    def end(self):
        self.process.kill()
        self.process.wait()
