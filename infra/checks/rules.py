"""The rules. Each takes a deployment and gives the places that break it, with what is wrong.

Invariant: a rule that finds nothing to look at has failed: an empty template does not pass.
"""

import json
import re

from .repository import Repository, secret_users
from .template import references

FUNCTION = "AWS::Lambda::Function"
MAPPING = "AWS::Lambda::EventSourceMapping"
QUEUE = "AWS::SQS::Queue"
ALARM = "AWS::CloudWatch::Alarm"
RETENTION_SECS = 14 * 86_400

# Actions for which AWS offers no resource to name.
WITHOUT_RESOURCE = {"xray:PutTraceSegments", "xray:PutTelemetryRecords", "cloudwatch:GetMetricData"}

# Stands for a secret in a function that does not use it; the second where its name says that it is an address.
NOT_FOR_THIS_FUNCTION = "bm90IGZvciB0aGlzIGZ1bmN0aW9uIC4u"
NOT_AN_ADDRESS = "https://not-for-this-function.invalid/"


class Deployment:
    """The resources of one set of parameters, and what they must serve."""

    def __init__(self, resources: dict, repository: Repository, config: dict, binaries: dict):
        self.resources = resources
        self.repository = repository
        self.config = config
        # Which binary a function runs, by its id.
        self.binaries = binaries

    def of(self, kind: str) -> dict:
        found = {id: one["Properties"] for id, one in self.resources.items() if one["Type"] == kind}
        if not found:
            raise ValueError(f"there is no {kind}: nothing was looked at")
        return found

    def functions(self) -> dict:
        return self.of(FUNCTION)

    def name(self, id: str) -> str:
        """`deliver-slack` of the function named `tocsin-deliver-slack`."""
        return self.functions()[id]["FunctionName"].split("-", 1)[1]

    def kind(self, id: str) -> str | None:
        name = self.name(id)
        return name.removeprefix("deliver-") if name.startswith("deliver-") else None

    def variables(self, id: str) -> dict:
        return self.functions()[id]["Environment"]["Variables"]

    def grants(self, role: str) -> list:
        """Each allowed action with one resource."""
        documents = [policy["PolicyDocument"] for policy in self.resources[role]["Properties"].get("Policies", [])]
        return [
            (action, resource)
            for document in documents
            for statement in document["Statement"]
            for action in many(statement["Action"])
            for resource in many(statement["Resource"])
        ]


def many(value) -> list:
    return value if isinstance(value, list) else [value]


def target(value) -> str:
    """The one resource that a value refers to."""
    (id,) = references(value)
    return id


def visibility_outlasts_the_reader(on: Deployment):
    for mapping in on.of(MAPPING).values():
        queue, reader = target(mapping["EventSourceArn"]), target(mapping["FunctionName"])
        hidden, timeout = on.of(QUEUE)[queue]["VisibilityTimeout"], on.functions()[reader]["Timeout"]
        if hidden < 6 * timeout:
            yield f"{queue}: hides a message for {hidden} s, less than six times the {timeout} s of {reader}"


def a_mapping_reports_what_failed(on: Deployment):
    for id, mapping in on.of(MAPPING).items():
        if mapping.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
            yield f"{id}: does not report what of a batch failed"
        if mapping.get("BatchSize") != 10:
            yield f"{id}: its batches are not of ten"
        if not mapping.get("ScalingConfig", {}).get("MaximumConcurrency"):
            yield f"{id}: has no bound on its concurrency"


def a_queue_has_its_dead_letters(on: Deployment):
    queues = on.of(QUEUE)
    wanted = {"inbox", *on.repository.kinds()}
    with_letters = {one["QueueName"].split("-", 1)[1]: one for one in queues.values() if "RedrivePolicy" in one}
    for name in sorted(wanted ^ set(with_letters)):
        mend = "`python3 -m checks.kinds` in infra writes what a new receiver kind needs"
        yield f"{name}: there is not one queue with dead letters for it; {mend}"
    for name, queue in with_letters.items():
        letters = queues[target(queue["RedrivePolicy"]["deadLetterTargetArn"])]
        kept, buried = queue["MessageRetentionPeriod"], letters["MessageRetentionPeriod"]
        if buried < max(kept, RETENTION_SECS):
            yield f"{name}: its dead letters are kept for {buried} s, less than 14 days or than the queue's {kept} s"
        constant = "INBOX_RECEIVES_MAX" if name == "inbox" else "DELIVERY_RECEIVES_MAX"
        receives = on.repository.receives_max(constant)
        if queue["RedrivePolicy"]["maxReceiveCount"] != receives:
            yield f"{name}: maxReceiveCount is not {receives}, as in shared/aws/src/provision.rs"
    for id, queue in queues.items():
        if not (queue.get("SqsManagedSseEnabled") or queue.get("KmsMasterKeyId")):
            yield f"{id}: is not encrypted"


def no_grant_is_wide(on: Deployment):
    for role in on.of("AWS::IAM::Role"):
        if on.resources[role]["Properties"].get("ManagedPolicyArns"):
            yield f"{role}: has a managed policy, whose grants are not written here"
        for action, resource in on.grants(role):
            if "*" in action:
                yield f"{role}: allows {action}"
            if resource == "*" and action not in WITHOUT_RESOURCE:
                yield f"{role}: allows {action} on everything"
            if resource != "*" and any("*" in text for text in texts(resource)):
                yield f"{role}: allows {action} on a pattern, {json.dumps(resource)}"


def texts(value) -> list:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for part in value for text in texts(part)]
    return [str(value)]


def a_function_has_what_is_its_own(on: Deployment):
    functions = on.functions()
    for shared in ("Role", "LoggingConfig"):
        owned = [target(one[shared]) for one in functions.values()]
        for id in sorted({one for one in owned if owned.count(one) > 1}):
            yield f"{id}: is shared by {owned.count(id)} functions"
    for id, function in functions.items():
        if not on.resources[target(function["LoggingConfig"])]["Properties"].get("RetentionInDays"):
            yield f"{id}: its log is kept for ever"
        if function.get("TracingConfig", {}).get("Mode") != "Active":
            yield f"{id}: is not traced"
        if function["Architectures"] != ["arm64"] or function["Runtime"] != "provided.al2023":
            yield f"{id}: is not for arm64 on provided.al2023"
    repository = on.repository
    deployed = {on.name(id) for id in functions}
    wanted = (repository.binaries() - {"deliver"}) | {f"deliver-{kind}" for kind in repository.kinds()}
    for name in sorted(deployed ^ wanted):
        yield f"{name}: is " + ("not deployed" if name in wanted else "deployed, and there is no such function")


def variables_are_those_that_are_read(on: Deployment):
    secrets = set(secret_users(on.config, on.repository.kinds()))
    for id in on.functions():
        if on.binaries[id] not in on.repository.binaries():
            continue  # a_function_has_what_is_its_own says so
        read = on.repository.variables(on.binaries[id], on.kind(id)) | secrets
        given = set(on.variables(id))
        yield from (f"{id}: {name} is not set" for name in sorted(read - given))
        yield from (f"{id}: {name} is set, and it does not read it" for name in sorted(given - read))
        unknown = {name for name in given if name.endswith("_QUEUE_URL")} - on.repository.queue_variables()
        yield from (f"{id}: {name} is no variable that shared/aws/src/queues.rs reads" for name in sorted(unknown))


def a_function_holds_only_its_secrets(on: Deployment):
    for secret, users in secret_users(on.config, on.repository.kinds()).items():
        if not users:
            yield f"{secret}: checks/repository.py does not say who reads it"
        for id in on.functions():
            value = on.variables(id).get(secret, "")
            own = re.fullmatch(rf"\{{\{{resolve:secretsmanager:[^:]+:SecretString:{secret}::[^:]*\}}\}}", value)
            if on.name(id) in users and not own:
                yield f"{id}: uses {secret} and is not given it"
            stand_in = NOT_AN_ADDRESS if secret.endswith("_URL") else NOT_FOR_THIS_FUNCTION
            if on.name(id) not in users and value != stand_in:
                yield f"{id}: is given {secret} and does not use it"


def an_address_goes_with_a_grant(on: Deployment):
    """Whoever knows a queue's address may use it, and whoever may use a queue knows its address, is fed by it, or has what it
    did not take sent there."""
    fed = {(target(one["FunctionName"]), target(one["EventSourceArn"])) for one in on.of(MAPPING).values()}
    untaken = {
        (target(one["FunctionName"]), target(one["DestinationConfig"]["OnFailure"]["Destination"]))
        for one in on.of("AWS::Lambda::EventInvokeConfig").values()
        if one.get("DestinationConfig")
    }
    for id, function in on.functions().items():
        known = {target(value) for name, value in on.variables(id).items() if name.endswith("_QUEUE_URL")}
        grants = on.grants(target(function["Role"]))
        usable = references([resource for action, resource in grants if action.startswith("sqs:")])
        usable_unknown = {queue for queue in usable - known if (id, queue) in fed | untaken}
        for queue in sorted(queue for function, queue in untaken if function == id and queue not in usable):
            yield f"{id}: what it does not take is sent to {queue}, and may not be"
        for queue in sorted((known ^ usable) - usable_unknown):
            yield f"{id}: " + (
                f"knows {queue} and may not use it" if queue in known else f"may use {queue} and does not know it"
            )
        table = any(action.startswith("dynamodb:") for action, _ in grants)
        if table != ("TOCSIN_TABLE" in on.variables(id)):
            yield f"{id}: knows the table and may not use it, or the other way"


def a_call_has_a_grant(on: Deployment):
    """Which function makes a call is for review; that nobody may make it, or that nobody makes it, is found here."""
    granted = {action for role in on.of("AWS::IAM::Role") for action, _ in on.grants(role)}
    used = {action for action in granted if action.split(":")[0] in ("dynamodb", "sqs", "cloudwatch")}
    # Lambda's own poller needs them, whether or not the adapters do.
    polled = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
    made = on.repository.calls() - ({"cloudwatch:GetMetricData"} if "cloudwatch" not in on.config else set())
    yield from (f"{action}: shared/aws calls it, and no role may" for action in sorted(made - used))
    yield from (
        f"{action}: some role may, and nothing in shared/aws calls it" for action in sorted(used - made - polled)
    )


def trouble_reaches_a_person(on: Deployment):
    watched = set()
    for id, alarm in on.of(ALARM).items():
        (topic,) = references(alarm["AlarmActions"])
        if on.resources[topic]["Type"] != "AWS::SNS::Topic":
            yield f"{id}: goes to no topic"
        metrics = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", []) if "MetricStat" in one] or [alarm]
        watched |= {(target(metric["Dimensions"]), metric["MetricName"]) for metric in metrics}
    wanted = {(id, metric) for id in on.functions() for metric in ("Errors", "Throttles")}
    for id, queue in on.of(QUEUE).items():
        both = ["ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible"]
        wanted |= {(id, metric) for metric in (["ApproximateAgeOfOldestMessage"] if "RedrivePolicy" in queue else both)}
    yield from (f"{id}: no alarm on its {metric}" for id, metric in sorted(wanted - watched))
    protocols = {one["Protocol"] for one in on.of("AWS::SNS::Subscription").values()}
    if "email" not in protocols:
        yield "nobody is mailed"


def the_table_survives(on: Deployment):
    for id, table in on.of("AWS::DynamoDB::Table").items():
        checks = {
            "has no point in time to go back to": table["PointInTimeRecoverySpecification"][
                "PointInTimeRecoveryEnabled"
            ],
            "can be deleted": table["DeletionProtectionEnabled"],
            "goes with the stack": on.resources[id].get("DeletionPolicy") == "Retain",
            "goes when it is replaced": on.resources[id].get("UpdateReplacePolicy") == "Retain",
            "is not encrypted with a key that can be audited": table["SSESpecification"]["SSEEnabled"],
            "clears nothing away": table["TimeToLiveSpecification"]["Enabled"],
            "has no index `unfinished`": [one["IndexName"] for one in table["GlobalSecondaryIndexes"]]
            == ["unfinished"],
        }
        yield from (f"{id}: {what}" for what, holds in checks.items() if not holds)


RULES = [
    visibility_outlasts_the_reader,
    a_mapping_reports_what_failed,
    a_queue_has_its_dead_letters,
    no_grant_is_wide,
    a_function_has_what_is_its_own,
    variables_are_those_that_are_read,
    a_function_holds_only_its_secrets,
    an_address_goes_with_a_grant,
    a_call_has_a_grant,
    trouble_reaches_a_person,
    the_table_survives,
]


def broken(on: Deployment) -> list:
    return [f"{rule.__name__}: {line}" for rule in RULES for line in rule(on)]
