"""What a story is told with: requests from outside, waiting for what people see, and what stands in the engines.

Invariant: a wait ends at once when a function was refused a call or failed; it never ends well because time passed.
"""

import itertools
import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

from .stack import Stack

PATIENCE_SECS = 30


@dataclass(frozen=True)
class Told:
    """By what people recognise an alert: its incident's id in most messages, its value in a title."""

    fingerprint: str
    value: float

    @property
    def incident(self) -> str:
        return self.fingerprint[:10]

    @property
    def title(self) -> str:
        return f" is {self.value} "


class Unproven(Exception):
    """Something that must be so is not."""


class Scene:
    """A stack and what it was told so far."""

    def __init__(self, stack: Stack):
        self.stack = stack
        self.vendors = stack.vendors
        self.values: dict[str, float] = {}
        self.numbers = itertools.count(100)
        self.accepted = 0

    def until(self, what: str, holds, patience_secs: float = PATIENCE_SECS):
        """Waits until something holds, and gives what it is."""
        until = time.monotonic() + patience_secs
        while True:
            found = holds()
            if found:
                return found
            wrong = self.stack.wrong()
            if wrong:
                raise Unproven(f"{what}: " + "; ".join(wrong))
            if time.monotonic() > until:
                raise Unproven(f"{what}: not within {patience_secs} s")
            time.sleep(0.1)

    def require(self, what: str, holds):
        if not holds:
            raise Unproven(what)

    # ---- From outside

    def request(self, path: str, body: dict | None = None, secret: str = "") -> tuple:
        """Status and body of what the Function URL answers."""
        headers = {"Content-Type": "application/json", "Authorization": secret}
        text = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.stack.front.url + path, text, headers)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECS) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as refused:
            said = refused.read()
            return refused.code, json.loads(said) if said.startswith(b"{") else {"detail": said.decode()}

    def post(self, model: str, metric: str, status: str = "TRIGGERED") -> Told:
        """Posts an alert as Arize does; it must be accepted. Those of one model have one value."""
        value = self.values.setdefault(model, next(self.numbers) + 0.5)
        body = {
            "monitor": monitor(model, metric, status, value),
            "service": "support-chatbot",
            "labels": {"model": model},
        }
        code, answer = self.request("alerts/arize", body, self.stack.secrets["TOCSIN_ARIZE_SECRET"])
        self.require(f"the alert is answered with {code}: {answer}", code == 202)
        self.accepted += 1
        return Told(answer["accepted"][0]["fingerprint"], value)

    def tick(self, schedule: str) -> dict:
        """What a function that a schedule calls returns."""
        return self.stack.schedules[schedule].tick()

    # ---- What people see

    def pages(self) -> list:
        """Alerts at the PagerDuty integration that on-call has."""
        key = self.stack.secrets["PAGERDUTY_ROUTING_KEY"]
        return [alert for alert in self.vendors.show()["pagerduty"] if alert["routing_key"] == key]

    def pages_of(self, told: Told) -> list:
        return [page for page in self.pages() if told.incident in page["dedup_key"]]

    def messages_of(self, text: str, channel: str) -> list:
        """Slack's messages, without replies."""
        said = [one for one in self.vendors.show()["slack"] if one["channel"] == channel and not one["thread_ts"]]
        return [one for one in said if text in json.dumps(one)]

    def tickets_of(self, told: Told, project: str) -> list:
        made = [one for one in self.vendors.show()["jira"] if one["key"].startswith(f"{project}-")]
        return [one for one in made if told.incident in json.dumps(one)]

    def told_of(self, told: Told) -> dict:
        """How many of each kind tell people of something, the stand-ins for other receivers left out."""
        shown = self.vendors.show()
        return {
            "pagerduty": len(self.pages_of(told)),
            "slack": len(self.messages_of(told.incident, "C0AIOPS001")),
            "jira": len(self.tickets_of(told, "OPS")),
            "linear": len([one for one in shown["linear"] if told.title in one["title"]]),
            "webhook": len([one for one in shown["webhook"] if told.fingerprint == one["fingerprint"]]),
        }

    # ---- What stands in the engines

    def key(self, told: Told) -> dict:
        return {"PK": {"S": f"FP#{told.fingerprint}"}, "SK": {"S": "INCIDENT"}}

    def incident(self, told: Told) -> dict:
        return self.stack.aws.dynamodb("GetItem", TableName=self.stack.table, Key=self.key(told)).get("Item", {})

    def count(self, told: Told) -> int:
        return int(self.incident(told).get("occurrences", {"N": "0"})["N"])

    def state(self, told: Told) -> str:
        return self.incident(told).get("state", {"S": ""})["S"]

    def held(self, queue: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url = self.stack.urls[queue]
        answer = self.stack.aws.sqs("GetQueueAttributes", QueueUrl=url, AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)

    def age(self, kind: str, secs: int):
        """Makes a kind's unfinished deliveries due so much earlier, as if that time had passed."""
        found = self.stack.aws.dynamodb(
            "Scan",
            TableName=self.stack.table,
            FilterExpression="unfinished = :kind",
            ExpressionAttributeValues={":kind": {"S": kind}},
        )
        for item in found["Items"]:
            self.make_due_earlier({"PK": item["PK"], "SK": item["SK"]}, secs)

    def age_look(self, told: Told, secs: int):
        """The same for the later look at an incident."""
        self.make_due_earlier(self.key(told), secs)

    def make_due_earlier(self, key: dict, secs: int):
        self.stack.aws.dynamodb(
            "UpdateItem",
            TableName=self.stack.table,
            Key=key,
            UpdateExpression="SET due = due - :by",
            ExpressionAttributeValues={":by": {"N": str(secs * 1000)}},
        )

    # ---- Mappings

    def pause(self, *ids: str):
        for id in ids:
            self.stack.mappings[id].paused.set()
        self.until("the pollers rest", lambda: all(not self.stack.mappings[id].working for id in ids))
        time.sleep(0.3)  # A receive that was on its way.

    def resume(self, *ids: str):
        for id in ids:
            self.stack.mappings[id].paused.clear()

    def quiet(self):
        """Waits until nothing that is due is left in any queue that a function reads."""
        queues = [queue for queue, one in self.stack.of("AWS::SQS::Queue").items() if "RedrivePolicy" in one]
        idle = lambda: not any(mapping.working for mapping in self.stack.mappings.values())
        self.until("the queues become empty", lambda: idle() and not any(map(self.held, queues)) and idle())


def monitor(model: str, metric: str, status: str, value: float) -> dict:
    """A monitor of Arize's, as its REST API shows it."""
    return {
        "id": f"mon-{model}",
        "name": f"Monitor of {model}",
        "type": "TRACING",
        "status": status,
        "metric": metric,
        "latest_computed_value": value,
        "threshold": {"value": 2.5},
        "evaluated_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "uri": f"https://app.arize.com/monitors/mon-{model}",
    }
