"""A template, deployed on this machine: its table, queues, roles, functions, mappings, schedules and Function URL.

Invariant: every value comes from the expanded template. A kind of resource that is neither made nor listed as of no
effect here is an error.
"""

import base64
import json
import re
import secrets
import shutil
from pathlib import Path

from checks.__main__ import PLAIN, resolved
from checks.template import expand_sam

from . import config
from .engines import ONLOOKER, Aws, Engines
from .front import FunctionUrl, Schedule
from .functions import Function
from .grants import Role
from .mapping import Mapping
from .recorder import Recorder
from .vendors import Vendors

REGION, ACCOUNT = "us-east-1", "000000000000"

# What says nothing of how an alert goes: watched by infra/checks.
OF_NO_EFFECT = {
    "AWS::SQS::QueuePolicy": "denies what is not TLS; the engines have none",
    "AWS::CloudWatch::Alarm": "",
    "AWS::SNS::Topic": "",
    "AWS::SNS::TopicPolicy": "",
    "AWS::SNS::Subscription": "",
    "output": "",
}
MADE = {
    "AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::IAM::Role", "AWS::Lambda::Function", "AWS::Lambda::LayerVersion",
    "AWS::Lambda::EventSourceMapping", "AWS::Lambda::EventInvokeConfig", "AWS::Lambda::Url", "AWS::Lambda::Permission",
    "AWS::Scheduler::Schedule", "AWS::Logs::LogGroup",
}  # fmt: skip

REDRIVE = ("deadLetterTargetArn", "maxReceiveCount")

# What a call of a Function URL by anybody needs, both of them.
PUBLIC = {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}


class Stack:
    """What runs."""

    def __init__(self, template: dict, tools: dict, scratch: Path):
        shutil.rmtree(scratch, ignore_errors=True)
        (scratch / "logs").mkdir(parents=True)
        (scratch / "empty").mkdir()
        self.scratch = scratch
        self.tools = tools
        functions = {id: one for id, one in template["Resources"].items() if one["Type"] == "AWS::Serverless::Function"}
        self.binaries = {id: one["Metadata"]["BuildProperties"]["Binary"] for id, one in functions.items()}
        self.resources = resolved(expand_sam(template, PLAIN), PLAIN)
        unknown = {one["Type"] for one in self.resources.values()} - MADE - set(OF_NO_EFFECT)
        if unknown:
            raise ValueError(f"proof/stack.py does not know what becomes of {', '.join(sorted(unknown))}")
        self.vendors = Vendors(tools["stand-ins"])
        self.engines = Engines(tools["tocsin"], scratch / "logs/engines.log")
        self.recorder = Recorder(self.engines.url)
        self.aws = Aws(self.engines.url, ONLOOKER)
        self.secrets = {}
        self.urls = {id: self.make_queue(id) for id in self.in_order_of_letters()}
        self.table = self.make_table()
        config.write(tools["layer"], scratch / "opt", self.vendors.addresses["webhook"])
        self.recorder.roles = {id: Role(id, self.placed(one)) for id, one in self.of("AWS::IAM::Role").items()}
        self.functions = {id: self.function(id, one) for id, one in self.of("AWS::Lambda::Function").items()}
        self.mappings = {id: self.mapping(id, one) for id, one in self.of("AWS::Lambda::EventSourceMapping").items()}
        self.schedules = {id: self.schedule(one) for id, one in self.of("AWS::Scheduler::Schedule").items()}
        self.front = self.function_url()
        for mapping in self.mappings.values():
            mapping.start()

    def of(self, kind: str) -> dict:
        found = {id: one["Properties"] for id, one in self.resources.items() if one["Type"] == kind}
        if not found:
            raise ValueError(f"there is no {kind} in the template")
        return found

    # ---- References

    def placed(self, node):
        """A value with what its references are here."""
        if isinstance(node, list):
            return [self.placed(one) for one in node]
        if not isinstance(node, dict):
            return self.secret(node) if isinstance(node, str) else node
        if set(node) == {"Ref"}:
            return self.reference(node["Ref"])
        if set(node) == {"GetAtt"}:
            return self.attribute(*node["GetAtt"])
        if set(node) == {"Joined"}:
            return self.secret("".join(str(self.placed(one)) for one in node["Joined"]))
        return {key: self.placed(one) for key, one in node.items()}

    def reference(self, id: str) -> str:
        pseudo = {"AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "AWS::Partition": "aws"}
        if id in pseudo:
            return pseudo[id]
        kind = self.resources[id]["Type"]
        if kind == "AWS::SQS::Queue":
            return self.urls[id]
        if kind == "AWS::IAM::Role":
            return id
        return self.physical(id)

    def physical(self, id: str) -> str:
        properties = self.resources[id]["Properties"]
        names = [key for key in ("QueueName", "FunctionName", "LogGroupName", "TopicName", "Name") if key in properties]
        return properties[names[0]] if names else f"tocsin-{id}-PROOF"

    def attribute(self, id: str, name: str) -> str:
        kind, physical = self.resources[id]["Type"], self.physical(id)
        if kind == "AWS::IAM::Role" and name == "Arn":
            return id  # Whoever takes a role here is known by its id.
        forms = {
            ("AWS::SQS::Queue", "Arn"): f"arn:aws:sqs:{REGION}:{ACCOUNT}:{physical}",
            ("AWS::SQS::Queue", "QueueName"): physical,
            ("AWS::DynamoDB::Table", "Arn"): f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{physical}",
            ("AWS::Lambda::Function", "Arn"): f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{physical}",
            ("AWS::Logs::LogGroup", "Arn"): f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{physical}:*",
        }
        return forms[kind, name]

    def secret(self, text: str) -> str:
        """What CloudFormation puts in place of a reference into Secrets Manager: for each name 32 random characters,
        which serve as a signing key and as a routing key."""
        found = re.fullmatch(r"\{\{resolve:secretsmanager:[^:]+:SecretString:(\w+)::[^:]*\}\}", text)
        if not found:
            return text
        return self.secrets.setdefault(found[1], base64.b64encode(secrets.token_bytes(24)).decode())

    # ---- State

    def in_order_of_letters(self) -> list:
        """Dead letters first: a redrive policy names a queue that is there."""
        return sorted(self.of("AWS::SQS::Queue"), key=lambda id: "RedrivePolicy" in self.of("AWS::SQS::Queue")[id])

    def make_queue(self, id: str) -> str:
        properties = self.of("AWS::SQS::Queue")[id]
        attributes = {
            key: str(value)
            for key, value in properties.items()
            if isinstance(value, int) and key != "SqsManagedSseEnabled"
        }
        if "RedrivePolicy" in properties:
            policy = self.placed(properties["RedrivePolicy"])
            attributes["RedrivePolicy"] = json.dumps({key: policy[key] for key in REDRIVE})
        url = self.aws.sqs("CreateQueue", QueueName=self.physical(id), Attributes=attributes)["QueueUrl"]
        self.recorder.arns[url] = self.attribute(id, "Arn")
        return url

    def make_table(self) -> str:
        ((id, properties),) = self.of("AWS::DynamoDB::Table").items()
        keys = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
        name = self.physical(id)
        self.aws.dynamodb("CreateTable", TableName=name, **{key: properties[key] for key in keys})
        self.recorder.arns[name] = self.attribute(id, "Arn")
        return name

    # ---- Functions and what calls them

    def function(self, id: str, properties: dict) -> Function:
        given = self.placed(properties["Environment"]["Variables"])
        opt = self.scratch / ("opt" if properties.get("Layers") else "empty")
        variables = {name: re.sub(r"^/opt(?=/)", str(opt), str(value)) for name, value in given.items()}
        environment = {**variables, **self.vendors.environment(), "AWS_ENDPOINT_URL": self.recorder.url}
        parts = {
            "arn": self.attribute(id, "Arn"),
            "role": self.placed(properties["Role"]),
            "log_group": self.attribute(properties["LoggingConfig"]["LogGroup"]["Ref"], "Arn"),
            "bootstrap": self.tools["binaries"] / self.binaries[id] / "bootstrap",
            "recorder": self.recorder,
            "folder": self.scratch / "logs",
            "environment": environment,
        }
        return Function(id, properties, parts)

    def mapping(self, id: str, properties: dict) -> Mapping:
        queue = properties["EventSourceArn"]["GetAtt"][0]
        visibility = self.of("AWS::SQS::Queue")[queue].get("VisibilityTimeout", 30)
        source = {"url": self.urls[queue], "arn": self.attribute(queue, "Arn"), "visibility_secs": visibility}
        function = self.functions[properties["FunctionName"]["Ref"]]
        return Mapping(id, properties, function, source, self.recorder.url, self.aws)

    def schedule(self, properties: dict) -> Schedule:
        id = properties["Target"]["Arn"]["GetAtt"][0]
        asynchronous = [
            one for one in self.of("AWS::Lambda::EventInvokeConfig").values() if one["FunctionName"] == {"Ref": id}
        ]
        retries = asynchronous[0].get("MaximumRetryAttempts", 2) if asynchronous else 2
        return Schedule(self.placed(properties), self.functions[id], retries, self.recorder)

    def function_url(self) -> FunctionUrl:
        ((_, url),) = self.of("AWS::Lambda::Url").items()
        id = url["TargetFunctionArn"]["Ref"]
        permissions = [one for one in self.of("AWS::Lambda::Permission").values() if one["FunctionName"] == {"Ref": id}]
        given = {one["Action"] for one in permissions if one["Principal"] == "*"}
        return FunctionUrl(self.functions[id], url["AuthType"] == "NONE" and PUBLIC <= given)

    def wrong(self) -> list:
        """Calls that were denied, and invocations that failed: there must be none."""
        denied = [f"denied: {line}" for line in self.recorder.denied]
        failed = [f"{id}: an invocation failed: {one.errors[0]}" for id, one in self.functions.items() if one.errors]
        return denied + failed

    def end(self):
        """Ends every process that was started, each by its own handle."""
        for mapping in self.mappings.values():
            mapping.end()
        for mapping in self.mappings.values():
            mapping.workers.shutdown(wait=True)
        for function in self.functions.values():
            function.end()
        self.front.end()
        self.recorder.end()
        self.engines.end()
        self.vendors.end()
