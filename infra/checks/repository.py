"""What the deployment must serve: variables that the functions read, receiver kinds, secrets that the config names.

Invariant: read from the sources themselves, so that a function that learns to read something more makes a check fail.
"""

import json
import re
from pathlib import Path

# A call that reads variables, and which ones. `AWS_…` are Lambda's own, and addresses that stand in for a vendor's
# (`TOCSIN_…_API_URL`) are for tests.
READS = {
    "EnvFilter::try_from_default_env": ["RUST_LOG"],
    "config::load_from_env": ["TOCSIN_CONFIG"],
    "config::load_intake_from_env": ["TOCSIN_CONFIG"],
    "Clients::from_env": [],
    "CloudWatch::from_env": [],
    "QueueUrls::from_env": [],
    # Set by hand for as long as someone records; see DEPLOY.md.
    "RecordDirectory::from_env": [],
}

# Which queues a function sends to or looks at, by the ports that its pipeline step calls: `{KIND}` is each kind,
# `{OWN}` the kind that this one serves. `QueueUrls::from_env` takes whichever are set.
QUEUES = {
    "receive": ["TOCSIN_INBOX_QUEUE_URL"],
    "triage": ["TOCSIN_INBOX_QUEUE_URL", "TOCSIN_{KIND}_QUEUE_URL"],
    # It hides what is not due in its own queue, and a fallback's delivery may go to any.
    "deliver": ["TOCSIN_{KIND}_QUEUE_URL", "TOCSIN_{OWN}_DEAD_LETTER_QUEUE_URL"],
    "pull": ["TOCSIN_INBOX_QUEUE_URL"],
    "sweep": [
        "TOCSIN_INBOX_QUEUE_URL",
        "TOCSIN_INBOX_DEAD_LETTER_QUEUE_URL",
        "TOCSIN_{KIND}_QUEUE_URL",
        "TOCSIN_{KIND}_DEAD_LETTER_QUEUE_URL",
    ],
}

# Who uses the secrets of a section of the config; `sources` and `receivers` are read one by one.
READERS = {
    "prometheus": ["triage", "pull"],
    "datadog": ["triage", "pull"],
    "arize_api": ["triage", "pull"],
    "github": ["triage"],
}


# How the adapters in shared/aws call, and what IAM wants for it; a transaction needs what is in it.
CALLS = {
    r"\.get_item\(": "dynamodb:GetItem",
    r"\.put_item\(|\bPut::builder": "dynamodb:PutItem",
    r"\.query\(": "dynamodb:Query",
    r"\.update_item\(|\bUpdate::builder": "dynamodb:UpdateItem",
    r"\.delete_item\(|\bDelete::builder": "dynamodb:DeleteItem",
    r"\bConditionCheck::builder": "dynamodb:ConditionCheckItem",
    r"\.batch_get_item\(": "dynamodb:BatchGetItem",
    r"\.batch_write_item\(": "dynamodb:BatchWriteItem",
    r"\.scan\(": "dynamodb:Scan",
    r"\.send_message(_batch)?\(": "sqs:SendMessage",
    r"\.receive_message\(": "sqs:ReceiveMessage",
    r"\.delete_message(_batch)?\(": "sqs:DeleteMessage",
    r"\.change_message_visibility(_batch)?\(": "sqs:ChangeMessageVisibility",
    r"\.get_queue_attributes\(": "sqs:GetQueueAttributes",
    r"\.get_metric_data\(": "cloudwatch:GetMetricData",
}

# Files whose calls only the command `tocsin` makes.
COMMAND_ALONE = {"provision.rs", "view.rs"}


class Repository:
    """The parts of the repository that a deployment depends on."""

    def __init__(self, top: Path):
        self.top = top

    def text(self, path: str) -> str:
        return (self.top / path).read_text()

    def kinds(self) -> list:
        """The receiver kinds, by their words in the config: its schema has a form of each, which a test keeps true."""
        schema = json.loads(self.text("infra/config/tocsin.schema.json"))
        forms = schema["properties"]["receivers"]["additionalProperties"]["anyOf"]
        return list(dict.fromkeys(form["properties"]["kind"]["const"] for form in forms))

    def binaries(self) -> set:
        """The functions that are deployed: all but the command."""
        roofs = (self.top / "functions").iterdir()
        return {roof.name for roof in roofs if (roof / "src/main.rs").exists()} - {"tocsin"}

    def variables(self, binary: str, kind: str | None) -> set:
        """Every variable that a function reads."""
        main = self.text(f"functions/{binary}/src/main.rs")
        names = set(re.findall(r'"(TOCSIN_\w+)"', main)) | set(re.findall(r'\benv::var\("(\w+)"\)', main))
        calls = re.findall(
            r"(?:\w+::)?\w+::(?:from_env|load_from_env|load_intake_from_env|try_from_default_env)\b", main
        )
        for call in calls:
            if call not in READS:
                raise ValueError(
                    f"functions/{binary}/src/main.rs: checks/repository.py does not know what {call} reads"
                )
            names.update(READS[call])
        if "QueueUrls::from_env" in calls:
            for name in QUEUES[binary]:
                own = [kind.upper()] if kind else []
                kinds = own if "{OWN}" in name else [one.upper() for one in self.kinds()]
                names.update(name.format(KIND=one, OWN=one) for one in kinds)
        return names

    def queue_variables(self) -> set:
        """What `QueueUrls::from_env` can take, so that no name here is misspelt."""
        body = self.text("shared/aws/src/queues.rs").split("pub fn from_env", 1)[1].split("\n    }\n", 1)[0]
        names = set(re.findall(r'"(TOCSIN_\w+_URL)"', body))
        for suffix in re.findall(r'by_kind\("(\w+)"\)', body):
            names.update(f"TOCSIN_{kind.upper()}_{suffix}" for kind in self.kinds())
        return names

    def calls(self) -> set:
        """Every action that some function may need."""
        adapters = (self.top / "shared/aws/src").glob("*.rs")
        texts = [path.read_text() for path in adapters if path.name not in COMMAND_ALONE]
        return {action for pattern, action in CALLS.items() if any(re.search(pattern, text) for text in texts)}

    def receives_max(self, constant: str) -> int:
        """A `maxReceiveCount` as the local queues have it."""
        return int(re.search(rf"const {constant}: u32 = (\d+);", self.text("shared/aws/src/provision.rs"))[1])


def secret_users(config: dict, kinds: list) -> dict:
    """For each `${NAME}` of a config, the functions that use it."""
    users = {}
    for section, value in config.items():
        parts = [(READERS.get(section, []), value)]
        if section == "sources":
            parts = [(["receive"], value)]
        if section == "receivers":
            parts = [([f"deliver-{one['kind']}"] if one.get("kind") in kinds else [], one) for one in value.values()]
        for readers, part in parts:
            for name in secrets_in(part):
                users.setdefault(name, set()).update(readers)
    return users


def secrets_in(value) -> list:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [name for part in value for name in secrets_in(part)]
    found = re.fullmatch(r"\$\{([A-Z_][A-Z0-9_]*)\}", value) if isinstance(value, str) else None
    return [found[1]] if found else []
