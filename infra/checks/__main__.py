"""`python -m checks [--cdk plain.json full.json]`: the rules on template.yaml, and that the construct makes the same.

`plain` is the construct as it is without options, `full` with every one; `FULL` says which.
"""

import argparse
import json
import sys
from pathlib import Path

import yaml

from .graph import Graph, differences, names_of_cdk, names_of_sam
from .repository import Repository
from .rules import Deployment, broken
from .template import Resolver, expand_sam, read_sam

INFRA = Path(__file__).resolve().parent.parent

PLAIN = {"AlarmEmail": "on-call@example.com"}
FULL = {
    **PLAIN,
    "SecretName": "team/tocsin",
    "SecretVersion": "0b7e52a5-1d0d-4a3c-9a32-6f2f3f2a9c11",
    "LogLevel": "debug",
    "LogRetentionDays": 90,
    "ReceiveConcurrency": 0,
    "CloudWatchMetrics": "true",
    "KeyArn": "arn:aws:kms:eu-central-1:111122223333:key/6b1d0f1c-0000-4000-8000-000000000000",
}


def resolved(template: dict, parameters: dict) -> dict:
    """The resources of a template, and its outputs as if they were resources."""
    resolver = Resolver(template, parameters)
    outputs = {
        f"Output{name}": {"Type": "output", "Properties": {"Value": resolver.value(one["Value"])}}
        for name, one in template.get("Outputs", {}).items()
    }
    return {**resolver.all(), **outputs}


def sam_deployment(template: dict, parameters: dict, repository: Repository) -> Deployment:
    """What SAM would make of a template."""
    resources = resolved(expand_sam(template, parameters), parameters)
    config = yaml.safe_load((repository.top / "infra/config/tocsin.yaml").read_text())
    if parameters.get("CloudWatchMetrics") == "true":
        config["cloudwatch"] = {}
    functions = {id: one for id, one in template["Resources"].items() if one["Type"] == "AWS::Serverless::Function"}
    binaries = {id: one["Metadata"]["BuildProperties"]["Binary"] for id, one in functions.items()}
    return Deployment(resources, repository, config, binaries)


def main() -> int:
    parser = argparse.ArgumentParser(prog="checks")
    parser.add_argument("--cdk", nargs=2, type=Path, metavar=("PLAIN", "FULL"))
    parser.add_argument("--repository", type=Path, default=INFRA.parent)
    options = parser.parse_args()
    template, repository = read_sam(INFRA / "template.yaml"), Repository(options.repository)
    found = []
    for place, (word, parameters) in enumerate({"plain": PLAIN, "full": FULL}.items()):
        deployment = sam_deployment(template, parameters, repository)
        found += [f"{word}: {line}" for line in broken(deployment)]
        if options.cdk:
            ours = Graph(deployment.resources, names_of_sam(deployment.resources))
            plain = json.loads(options.cdk[place].read_text())
            plain.pop("Parameters", None)  # the bootstrap version's alone
            theirs = resolved(plain, {})
            theirs = Graph(theirs, names_of_cdk(theirs))
            found += [f"{word}: {line}" for line in differences(ours, theirs)]
            print(f"{word}: {len(ours.nodes)} resources and outputs with {len(ours.edges())} references compared")
    print("\n".join(found) or "nothing found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
