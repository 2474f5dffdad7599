"""From a template to the resources that one set of parameters gives.

Invariant: nothing is dropped but what a condition turns off; a function of CloudFormation that is not known here is an
error, never a guess.
"""

import json
import logging
import os
import re
from pathlib import Path

import yaml

STACK = "tocsin"
NO_VALUE = object()


class Tags(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!Ref X`, `!GetAtt X.Y`, `!If […]`."""


def short_form(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict:
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if tag == "GetAtt":
        value = value.split(".", 1)
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}


Tags.add_multi_constructor("!", short_form)


def read_sam(path: Path) -> dict:
    """The template as it is written."""
    return yaml.load(path.read_text(), Tags)


def expand_sam(template: dict, parameters: dict) -> dict:
    """The plain CloudFormation that SAM makes of it. Code and layer stand as if they were uploaded."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    from samtranslator.translator.transform import transform

    class NoManagedPolicies:
        """Every role here is written out; SAM asks for none of its own."""

        def load(self):
            return {}

    template = json.loads(json.dumps(template))
    for resource in template["Resources"].values():
        for place in ("CodeUri", "ContentUri"):
            if place in resource.get("Properties", {}):
                resource["Properties"][place] = "s3://uploaded/archive"
    return json.loads(json.dumps(transform(template, parameters, NoManagedPolicies())))


class Resolver:
    """Puts parameters and conditions in place. References between resources stay: `{"Ref": id}`, `{"GetAtt": [id, name]}`."""

    def __init__(self, template: dict, parameters: dict):
        declared = template.get("Parameters", {})
        missing = [name for name, one in declared.items() if "Default" not in one and name not in parameters]
        if missing:
            raise ValueError(f"no value for {', '.join(missing)}")
        self.parameters = {name: parameters.get(name, one.get("Default")) for name, one in declared.items()}
        self.conditions = template.get("Conditions", {})
        self.resources = template["Resources"]

    def all(self) -> dict:
        """Every resource that is made, resolved."""
        made = {}
        for name, resource in self.resources.items():
            if "Condition" not in resource or self.holds(resource["Condition"]):
                made[name] = self.value(resource)
        return made

    def holds(self, name: str) -> bool:
        return self.truth(self.conditions[name])

    def truth(self, node) -> bool:
        ((function, argument),) = node.items()
        if function == "Fn::Equals":
            first, second = (self.value(one) for one in argument)
            return str(first) == str(second)
        if function == "Fn::Not":
            return not self.truth(argument[0])
        if function == "Condition":
            return self.holds(argument)
        raise ValueError(f"unknown in a condition: {function}")

    def value(self, node):
        if isinstance(node, list):
            return [one for one in (self.value(part) for part in node) if one is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((key, argument),) = node.items()
            if key == "Ref":
                return self.reference(argument)
            if key.startswith("Fn::"):
                return self.function(key, argument)
        resolved = {key: self.value(part) for key, part in node.items()}
        return {key: part for key, part in resolved.items() if part is not NO_VALUE}

    def reference(self, name: str):
        if name == "AWS::NoValue":
            return NO_VALUE
        if name == "AWS::StackName":
            return STACK
        return self.parameters.get(name, {"Ref": name})

    def function(self, key: str, argument):
        if key == "Fn::If":
            name, then, otherwise = argument
            return self.value(then if self.holds(name) else otherwise)
        if key == "Fn::GetAtt":
            return {"GetAtt": argument.split(".", 1) if isinstance(argument, str) else argument}
        if key == "Fn::Sub":
            return joined([self.placed(part) for part in re.split(r"(\$\{[^}]+\})", argument)])
        if key == "Fn::Join":
            separator, parts = argument
            spread = [piece for part in parts for piece in (separator, self.value(part))][1:]
            return joined(spread)
        raise ValueError(f"unknown function: {key}")

    def placed(self, part: str):
        if not part.startswith("${"):
            return part
        name = part[2:-1]
        if "." in name:
            return {"GetAtt": name.split(".", 1)}
        return self.reference(name)


def joined(parts: list):
    """One text where there are only texts, else a list of texts and references in a row."""
    flat = []
    for part in parts:
        for piece in part["Joined"] if isinstance(part, dict) and "Joined" in part else [part]:
            if isinstance(piece, (str, int)) and flat and isinstance(flat[-1], str):
                flat[-1] += str(piece)
            elif piece != "":
                flat.append(str(piece) if isinstance(piece, int) else piece)
    if all(isinstance(piece, str) for piece in flat):
        return "".join(flat)
    return flat[0] if len(flat) == 1 else {"Joined": flat}


def references(node) -> set:
    """Ids that a value refers to, pseudo parameters left out."""
    if isinstance(node, list):
        return set().union(*map(references, node)) if node else set()
    if not isinstance(node, dict):
        return set()
    if set(node) == {"Ref"}:
        return {node["Ref"]} if not node["Ref"].startswith("AWS::") else set()
    if set(node) == {"GetAtt"}:
        return {node["GetAtt"][0]}
    return references(list(node.values()))
