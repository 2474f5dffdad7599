"""Resources in one form, whichever tool wrote them, and what differs between two.

Invariant: only what is listed here, with its reason, is left out of a comparison.
"""

import json
import re

from .template import references

# Left out of every resource, since it says how it was written or uploaded and not what it is.
WRITTEN = {
    "Code": "where the archive was uploaded",
    "Content": "where the archive was uploaded",
    "Tags": "SAM marks what it made",
    "PolicyName": "a role's grants are compared, however they are split into policies",
    "Sid": "a statement's name",
}

# A value that is the default says the same as none.
DEFAULTS = {
    ("AWS::DynamoDB::Table", "SSEType"): "KMS",
    ("AWS::Lambda::Url", "InvokeMode"): "BUFFERED",
    ("AWS::Lambda::EventSourceMapping", "Enabled"): True,
    ("AWS::Lambda::EventInvokeConfig", "DestinationConfig"): {},
}

# Lambda takes a function's name and its ARN alike here.
NAME_OR_ARN = {"FunctionName", "TargetFunctionArn"}

# What the two tools call the parts of a Function URL.
SAME = {
    "ReceiveFunctionUrl": "ReceiveUrl",
    "Receiveinvoke-function-url": "ReceiveUrlPublicPermissions",
    "Receiveinvoke-function": "ReceiveURLInvokeAllowPublicAccess",
}

POLICY_DOCUMENTS = {"PolicyDocument", "AssumeRolePolicyDocument"}


def names_of_sam(resources: dict) -> dict:
    """A layer's id ends in a hash of its content."""
    return {id: re.sub(r"[0-9a-f]{10}$", "", id) if is_layer(one) else id for id, one in resources.items()}


def names_of_cdk(resources: dict) -> dict:
    """The construct's own ids, which are the template's: `tocsin/Tocsin/InboxQueue/Policy/Resource` is `InboxQueuePolicy`."""
    names = {}
    for id, one in resources.items():
        if one["Type"] == "output":
            names[id] = id
            continue
        path = one["Metadata"]["aws:cdk:path"].split("/")[2:]
        name = "".join(part for part in path if part != "Resource")
        names[id] = SAME.get(name, name)
    return names


def is_layer(resource: dict) -> bool:
    return resource["Type"] == "AWS::Lambda::LayerVersion"


class Graph:
    """Resources by name, each as type, properties and, for a role, its grants."""

    def __init__(self, resources: dict, names: dict):
        twice = {name for name in names.values() if list(names.values()).count(name) > 1}
        if twice:
            raise ValueError(f"two resources are called {', '.join(sorted(twice))}")
        self.names = names
        self.nodes = {}
        policies = [one for one in resources.values() if one["Type"] == "AWS::IAM::Policy"]
        for id, one in resources.items():
            if one["Type"] != "AWS::IAM::Policy":
                self.nodes[names[id]] = self.node(id, one, policies)

    def node(self, id: str, resource: dict, policies: list) -> dict:
        kind, properties = resource["Type"], dict(resource.get("Properties", {}))
        node = {"type": kind}
        if resource.get("DeletionPolicy", "Delete") != "Delete":
            node["kept"] = [resource["DeletionPolicy"], resource.get("UpdateReplacePolicy")]
        if kind == "AWS::IAM::Role":
            documents = [policy["PolicyDocument"] for policy in properties.pop("Policies", [])]
            documents += [
                one["Properties"]["PolicyDocument"] for one in policies if {"Ref": id} in one["Properties"]["Roles"]
            ]
            node["grants"] = sorted({grant for document in documents for grant in self.statements(document)})
        node["properties"] = self.form(properties, kind)
        return node

    def form(self, node, kind: str):
        if isinstance(node, list):
            return sorted((self.form(one, kind) for one in node), key=lambda one: json.dumps(one, sort_keys=True))
        if isinstance(node, dict):
            if set(node) == {"Ref"}:
                return {"Ref": self.names.get(node["Ref"], node["Ref"])}
            if set(node) == {"GetAtt"}:
                return {"GetAtt": [self.names[node["GetAtt"][0]], node["GetAtt"][1]]}
            if set(node) == {"Joined"}:
                return {"Joined": [self.form(one, kind) for one in node["Joined"]]}
            return {key: self.field(key, one, kind) for key, one in node.items() if not left_out(kind, key, node)}
        # CloudFormation takes 200 and "200", true and "true".
        return str(node).lower() if isinstance(node, bool) else str(node)

    def field(self, key: str, value, kind: str):
        if key in POLICY_DOCUMENTS:
            return self.statements(value)
        if key in NAME_OR_ARN and isinstance(value, dict) and "GetAtt" in value:
            return self.form({"Ref": value["GetAtt"][0]}, kind)
        return self.form(value, kind)

    def statements(self, document: dict) -> list:
        """One line for each action on each resource, so that it does not matter how they are grouped."""
        lines = set()
        for statement in many(document["Statement"]):
            rest = {key: one for key, one in statement.items() if key not in ("Action", "Resource", "Sid")}
            for action in many(statement["Action"]):
                for resource in many(statement.get("Resource", "")):
                    line = {**rest, "Action": action, "Resource": resource}
                    lines.add(json.dumps(self.form(public(line), ""), sort_keys=True))
        return sorted(lines)

    def edges(self) -> set:
        """Who refers to whom."""
        return {(name, other) for name, node in self.nodes.items() for other in self.targets(node)}

    def targets(self, node: dict) -> set:
        grants = [json.loads(grant) for grant in node.get("grants", [])]
        documents = [json.loads(line) for line in policy_lines(node["properties"])]
        return references([node["properties"], grants, documents])


def left_out(kind: str, key: str, within: dict) -> bool:
    """Nothing refers to the id of an alarm's own expression; one of its metrics has an id that the expression names."""
    is_default = (kind, key) in DEFAULTS and DEFAULTS[kind, key] == within[key]
    return key in WRITTEN or is_default or (key == "Id" and "Expression" in within)


def policy_lines(node) -> list:
    if isinstance(node, list):
        return [line for one in node for line in policy_lines(one)]
    if not isinstance(node, dict):
        return []
    own = [line for key in POLICY_DOCUMENTS & set(node) for line in node[key]]
    return own + [line for key, one in node.items() if key not in POLICY_DOCUMENTS for line in policy_lines(one)]


def public(statement: dict) -> dict:
    """`"*"` and `{"AWS": "*"}` are the same principal."""
    same = statement.get("Principal") in ("*", {"AWS": "*"})
    return {**statement, "Principal": "*"} if same else statement


def many(value) -> list:
    return value if isinstance(value, list) else [value]


def differences(first: Graph, second: Graph, called: tuple = ("template.yaml", "the construct")) -> list:
    """What one has and the other has not, one line each."""
    found = []
    for name in sorted(set(first.nodes) | set(second.nodes)):
        if name not in second.nodes or name not in first.nodes:
            only = called[0] if name in first.nodes else called[1]
            kind = (first.nodes.get(name) or second.nodes[name])["type"]
            found.append(f"{name}: {kind} is in {only} alone")
            continue
        found += [f"{name}{line}" for line in unlike(first.nodes[name], second.nodes[name], "", called)]
    return found


def unlike(first, second, path: str, called: tuple) -> list:
    if first == second:
        return []
    if isinstance(first, dict) and isinstance(second, dict):
        keys = sorted(set(first) | set(second))
        return [line for key in keys for line in unlike(first.get(key), second.get(key), f"{path}.{key}", called)]
    if isinstance(first, list) and isinstance(second, list):
        lines = [f"{path}: in {called[0]} alone: {one}" for one in first if one not in second]
        lines += [f"{path}: in {called[1]} alone: {one}" for one in second if one not in first]
        return lines or [f"{path}: not equally often in {called[0]} and in {called[1]}"]
    return [f"{path}: {first} in {called[0]}, {second} in {called[1]}"]
