"""A proof that holds of a broken template proves nothing: each fault here must be found, where it matters."""

import copy

STATEMENTS = ("Properties", "Policies", 0, "PolicyDocument", "Statement")
BATCH_OF_TEN = "of a batch of ten one is retried alone"

# What is taken out of the template, or put in its place, and what must be said of it.
FAULTS = {
    "without a variable": (
        ("Triage", "Properties", "Environment", "Variables", "TOCSIN_SLACK_QUEUE_URL"),
        None,
        ["one alert is one of each: Unproven", "its address is not configured"],
    ),
    "without a permission": (
        ("DeliverSlackRole", *STATEMENTS, 0, "Action", 3),
        None,
        ["DeliverSlackRole may not sqs:ChangeMessageVisibility on"],
    ),
    "without ReportBatchItemFailures": (
        ("Triage", "Properties", "Events", "Inbox", "Properties", "FunctionResponseTypes"),
        None,
        [f"{BATCH_OF_TEN}: Unproven: the tenth comes again: not within"],
    ),
    "with a permission too many": (
        ("PullRole", *STATEMENTS, 0, "Action"),
        ["sqs:SendMessage", "sqs:DeleteMessage"],
        ["PullRole sqs:DeleteMessage tocsin-inbox: allowed, and never called"],
    ),
}


def planted(template: dict, path: tuple, value) -> dict:
    faulty = copy.deepcopy(template)
    place = faulty["Resources"]
    for key in path[:-1]:
        place = place[key]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return faulty


def check(template: dict, prove) -> int:
    missed = 0
    for what, (path, value, expected) in FAULTS.items():
        print(f"-- {what}: {'.'.join(map(str, path))}", flush=True)
        found = prove(planted(template, path, value))
        print("\n".join(found) or "nothing was found", flush=True)
        left = [text for text in expected if not any(text in line for line in found)]
        if left:
            print(f"-- this was not said: {left}")
            missed += 1
    print(f"{len(FAULTS) - missed} of {len(FAULTS)} faults were found where they matter")
    return 1 if missed else 0
