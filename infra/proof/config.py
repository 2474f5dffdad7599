"""The config that is deployed for the proof: the layer's own, with what makes every grant needed once.

Invariant: a secret has a name that the template gives, so that no variable is added for the proof.
"""

import shutil
from pathlib import Path

import yaml

KINDS = ["pagerduty", "slack", "jira", "linear", "webhook"]

# Of the two kinds that the layer's config has no receiver of, and the receivers that stand in for others.
ISSUES = {"kind": "linear", "api_key": "${JIRA_API_TOKEN}", "team": "9cfb482a-81e3-4154-b5b9-2c805e70a02d"}
FALLBACK_CHANNEL = "C0SPARE0001"
FALLBACK_PROJECT = "SPARE"


class WrittenOut(yaml.SafeDumper):
    """YAML without anchors, which the config does not have."""

    def ignore_aliases(self, data) -> bool:
        return True


def write(layer: Path, folder: Path, webhook_url: str):
    """Copies a layer's content to where `/opt` is, and adds to its config."""
    shutil.copytree(layer, folder, symlinks=False)
    path = folder / "tocsin/tocsin.yaml"
    config = yaml.safe_load(path.read_text())
    path.write_text(yaml.dump(added(config, webhook_url), Dumper=WrittenOut, sort_keys=False))


def added(config: dict, webhook_url: str) -> dict:
    receivers = config["receivers"]
    hook = {"kind": "webhook", "url": f"{webhook_url}/crm", "secret": "${TOCSIN_GENERIC_SECRET}"}
    receivers |= {
        "issues": ISSUES,
        "crm": hook,
        "spare-pagerduty": {**receivers["on-call"], "routing_key": "${JIRA_API_TOKEN}"},
        "spare-slack": {**receivers["ai-ops"], "channel": FALLBACK_CHANNEL},
        "spare-jira": {**receivers["tickets"], "project": FALLBACK_PROJECT},
        "spare-linear": ISSUES,
        "spare-webhook": {**hook, "url": f"{webhook_url}/spare"},
    }
    every = {
        "name": "every-kind",
        "match": {"metric": "proof_of_every_kind"},
        "group_by": ["service", "metric", "model"],
        "remind": "2h",
        "receivers": ["on-call", "ai-ops", "tickets", "issues", "crm"],
    }
    plain = {
        "name": "page",
        "match": {"metric": "proof_of_a_page"},
        "group_by": ["metric", "model"],
        "receivers": ["on-call"],
    }
    (latency,) = [rule for rule in config["rules"] if rule["name"] == "latency"]
    latency["recheck"] = {"every": "1s", "for": "15m"}
    latency["pull"] = {"clear_for": "10m", "targets": [{"model": "pulled"}, {"model": "usual"}]}
    config["rules"] = [every, plain, *config["rules"]]
    config["fallback"] = [f"spare-{kind}" for kind in KINDS]
    reconcile = {"webhook": "https://alerts.example.com/alerts/arize", "grace": "1s"}
    config["arize_api"] = {"key": "${PROMETHEUS_TOKEN}", "reconcile": reconcile}
    return config
