"""The metrics that the functions' logs hold, in CloudWatch's Embedded Metric Format.

Invariant: a line that is not as the specification wants it is an error: CloudWatch would drop it without a word.
"""

import json
from pathlib import Path

UNITS = {"Count", "Seconds"}


def counted(folder: Path) -> dict:
    """Every value of each metric, by its name and what it is counted by beside the function."""
    found: dict[tuple, list] = {}
    for log in folder.glob("*.log"):
        for line in log.read_text().splitlines():
            if '"_aws"' in line:
                for key, value in read(json.loads(line)):
                    found.setdefault(key, []).append(value)
    return found


def read(line: dict) -> list:
    values = []
    if not isinstance(line["_aws"]["Timestamp"], int):
        raise ValueError(f"a time is milliseconds: {line}")
    for directive in line["_aws"]["CloudWatchMetrics"]:
        if not 1 <= len(directive["Namespace"]) <= 1024:
            raise ValueError(f"a namespace has a name: {line}")
        (dimensions,) = directive["Dimensions"]
        if dimensions[0] != "FunctionName" or not all(
            isinstance(line[name], str) and line[name] for name in dimensions
        ):
            raise ValueError(f"a dimension is text at the top: {line}")
        for metric in directive["Metrics"]:
            if metric["Unit"] not in UNITS or not isinstance(line[metric["Name"]], (int, float)):
                raise ValueError(f"a metric is a number at the top: {line}")
            by = tuple(line[name] for name in dimensions[1:])
            values.append(((metric["Name"], *by), line[metric["Name"]]))
    return values
