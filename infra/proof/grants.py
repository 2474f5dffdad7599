"""What a role of the template allows, what IAM wants for a call, and how the two compare.

Invariant: a call that is not known here wants a permission that no role has. Statements that deny, and conditions, are
of resource policies alone; a role that had one would be an error and not read past.
"""

from fnmatch import fnmatchcase

from checks.kinds import names

# Operations whose permission has another name, and what it is.
ACTIONS = {
    "SendMessageBatch": "SendMessage",
    "DeleteMessageBatch": "DeleteMessage",
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
    "TransactGetItems": "GetItem",
}

# A transaction needs what is in it.
WRITES = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}


def many(value) -> list:
    return value if isinstance(value, list) else [value]


def wanted(service: str, operation: str, body: dict, arn_of) -> set:
    """The permissions of a call, as (action, resource). `arn_of` gives the ARN of a queue's address or a table."""
    if service == "sqs":
        return {(f"sqs:{ACTIONS.get(operation, operation)}", arn_of(body.get("QueueUrl") or body.get("QueueName", "")))}
    if operation == "TransactWriteItems":
        writes = [write for item in body["TransactItems"] for write in item.items()]
        return {(f"dynamodb:{WRITES[kind]}", arn_of(write["TableName"])) for kind, write in writes}
    tables = list(body.get("RequestItems", {})) or [body.get("TableName", "")]
    index = f"/index/{body['IndexName']}" if "IndexName" in body else ""
    return {(f"dynamodb:{ACTIONS.get(operation, operation)}", f"{arn_of(table)}{index}") for table in tables}


class Role:
    """One role of the template, with its references resolved to ARNs."""

    def __init__(self, id: str, properties: dict):
        self.id = id
        self.allowed = set()
        self.used = set()
        trusted = many(properties["AssumeRolePolicyDocument"]["Statement"])
        self.trusts = {one["Principal"]["Service"] for one in trusted if one["Effect"] == "Allow"}
        for policy in properties.get("Policies", []):
            for statement in many(policy["PolicyDocument"]["Statement"]):
                if statement["Effect"] != "Allow" or set(statement) - {"Effect", "Action", "Resource", "Sid"}:
                    raise ValueError(f"{id}: a statement that is read nowhere: {statement}")
                pairs = [(action, one) for action in many(statement["Action"]) for one in many(statement["Resource"])]
                self.allowed.update(pairs)

    def use(self, action: str, resource: str) -> bool:
        """Notes a call, and says whether it is allowed."""
        grants = {grant for grant in self.allowed if covers(grant, action, resource)}
        self.used |= grants
        return bool(grants)

    def unused(self) -> list:
        return sorted(self.allowed - self.used)


def covers(grant: tuple, action: str, resource: str) -> bool:
    return fnmatchcase(action.lower(), grant[0].lower()) and fnmatchcase(resource, grant[1])


def unneeded(roles: dict, exceptions: dict, untold: list | None = None) -> list:
    """Grants that nobody used, one line each; and exceptions that excuse nothing. `untold` are kinds that get nothing."""
    found, excused = [], set()
    own = [f"Deliver{names(kind)[0]}Role" for kind in untold or []]
    queues = tuple(f"-{kind}{end}" for kind in untold or [] for end in ("", "-dead"))
    for role in roles.values():
        for action, resource in role.unused():
            if role.id in own or resource.endswith(queues):
                continue
            grant = f"{role.id} {action} {resource.rsplit(':', 1)[-1]}"
            if exceptions.get(grant):
                excused.add(grant)
            else:
                found.append(f"{grant}: allowed, and never called")
    return found + [f"{grant}: excepted, and called or not allowed" for grant in sorted(set(exceptions) - excused)]
