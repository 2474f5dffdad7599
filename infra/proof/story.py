"""What is shown, in order. Each step is one sentence about what people see, and what it takes."""

import json

from .config import FALLBACK_CHANNEL, FALLBACK_PROJECT, KINDS
from .metrics import counted
from .scene import PATIENCE_SECS, Scene, Told, monitor

EVERY_KIND = "proof_of_every_kind"
ONE_PAGE = "proof_of_a_page"
DELIVERIES = {kind: f"Deliver{kind.capitalize()}Deliveries" for kind in KINDS}
DEAD_LETTERS = {kind: f"{kind.capitalize()}DeadLetters" for kind in KINDS}

# A vendor's "not now" and its "never", by what its receiver asks first.
NOT_NOW = {"status": 503, "retry_after_secs": 1}
INVALID = {"errors": [{"message": "no such team", "extensions": {"type": "invalid input"}}]}
NEVER = {kind: {"status": 400} for kind in KINDS}
NEVER |= {"slack": {"error": "channel_not_found"}, "linear": {"status": 400, "body": json.dumps(INVALID)}}

# Of the rule for every kind; and what sweep takes for lost.
REMIND_SECS = 7200
OVERDUE_SECS = 360
REDELIVERY_SECS_MAX = 10


def who_is_not_known_costs_no_call(scene: Scene):
    """The Function URL answers: 200 for its health, 401 without the secret, and no AWS call was made for either."""
    status, answer = scene.request("healthz")
    scene.require(f"/healthz answers {status}: {answer}", status == 200)
    status, _ = scene.request("alerts/arize", {"monitor": monitor("x", ONE_PAGE, "TRIGGERED", 1.0)}, "wrong")
    scene.require(f"a wrong secret is answered with {status}", status == 401)
    made = [action for role, action, _ in scene.stack.recorder.calls if role == "ReceiveRole"]
    scene.require(f"calls were made for it: {made}", not any(action.startswith("sqs:") for action in made))


def one_alert_is_one_of_each(scene: Scene):
    """An alert is confirmed against its metric and becomes one incident at PagerDuty, one message, one ticket."""
    scene.vendors.ask(metric="first", level=1.0, to=4.0)
    first = scene.post("first", "latency_p95")
    expected = {"pagerduty": 1, "slack": 1, "jira": 1, "linear": 0, "webhook": 0}
    scene.until("one of each", lambda: scene.told_of(first) == expected)
    scene.quiet()
    scene.require(f"it stays at one of each: {scene.told_of(first)}", scene.told_of(first) == expected)


def duplicates_fold(scene: Scene):
    """Five more of the same are counted into the incident, and nobody hears of them."""
    for _ in range(5):
        first = scene.post("first", "latency_p95")
    scene.until("six are counted", lambda: scene.count(first) == 6)
    scene.quiet()
    (page,) = scene.pages_of(first)
    scene.require(f"triggers: {page['triggers']}", page["triggers"] == 1)


def a_clear_resolves(scene: Scene):
    """A clear resolves the incident, the page, the message and the ticket."""
    first = scene.post("first", "latency_p95", "CLEARED")
    scene.until("the page is resolved", lambda: scene.pages_of(first)[0]["state"] == "resolved")
    scene.until("the message says so", lambda: scene.messages_of(first.incident, "C0AIOPS001")[0]["edits"] > 0)
    scene.until("the ticket says so", lambda: scene.tickets_of(first, "OPS")[0]["comments"])
    scene.require(f"its state is {scene.state(first)}", scene.state(first) == "resolved")


def a_cooldown_holds_back(scene: Scene):
    """Within the rule's cooldown the same problem wakes nobody again."""
    first = scene.post("first", "latency_p95")
    scene.quiet()
    scene.require("somebody was told", len(scene.pages_of(first)) == 1 and scene.state(first) == "resolved")


def a_rejected_anomaly_is_looked_at_again(scene: Scene):
    """What the detectors reject wakes nobody, and pages when a later look confirms it."""
    scene.vendors.ask(metric="later", level=1.0, to=1.0)
    later = scene.post("later", "latency_p95")
    scene.until("it is pending", lambda: scene.state(later) == "pending")
    scene.require("somebody was told", not scene.pages_of(later))
    scene.vendors.ask(metric="later", level=1.0, to=4.0)
    scene.until("a look confirms it", lambda: len(scene.pages_of(later)) == 1)


def a_tick_of_pull_finds_what_no_webhook_told(scene: Scene):
    """The schedule's tick reaches pull: what its detectors confirm pages, and a monitor whose webhook never came."""
    scene.vendors.ask(metric="pulled", level=1.0, to=4.0)
    scene.vendors.ask(metric="usual", level=1.0, to=1.0)
    webhook = {"type": "WEBHOOK", "id": "1", "url": "https://alerts.example.com/alerts/arize"}
    missed = {
        **monitor("missed", ONE_PAGE, "TRIGGERED", 5.5),
        "notifications_enabled": True,
        "notification_configs": [webhook],
    }
    scene.vendors.ask(monitor={**missed, "service": "support-chatbot", "labels": {"model": "missed"}})
    before = len(scene.pages())
    pulled = scene.tick("PullSchedule")
    scene.require(f"pull returns {pulled}", (pulled["targets"], pulled["firing"], pulled["unread"]) == (2, 1, 0))
    scene.until("it pages", lambda: len(scene.pages()) == before + 1)
    scene.until("the missed one is found", lambda: scene.tick("PullSchedule")["missed"] == 1)
    scene.until("it pages, too", lambda: len(scene.pages()) == before + 2)
    scene.quiet()


def a_tick_of_sweep_finds_nothing(scene: Scene):
    """The schedule's tick reaches sweep, and nothing was left behind."""
    swept = scene.tick("SweepSchedule")
    scene.require(f"sweep returns {swept}", swept == {"deliveries": 0, "looks": 0, "dead": 0, "failed": 0})


def a_vendor_that_is_away_is_tried_again(scene: Scene):
    """Every vendor says "not now" once: the message comes again when it is due, and tells once; a clear ends it."""
    for kind in KINDS:
        scene.vendors.fail(kind, 1, **NOT_NOW)
    away = scene.post("away", EVERY_KIND)
    scene.until("every kind is told", lambda: min(scene.told_of(away).values()) > 0)
    scene.quiet()
    scene.require(f"told once: {scene.told_of(away)}", set(scene.told_of(away).values()) == {1})
    scene.post("away", EVERY_KIND, "CLEARED")
    scene.until("the webhook hears of the end", lambda: scene.told_of(away)["webhook"] == 2)
    scene.until("the page is resolved", lambda: scene.pages_of(away)[0]["state"] == "resolved")
    scene.quiet()


def what_was_lost_is_sent_again(scene: Scene):
    """Messages that get lost in the queues, and a look, are sent again by sweep when they are overdue."""
    scene.pause(*DELIVERIES.values())
    lost = scene.post("lost", EVERY_KIND)
    for kind in KINDS:
        queue = f"{kind.capitalize()}Queue"
        scene.until(f"{queue} has it", lambda queue=queue: scene.held(queue) == 1)
        scene.stack.aws.sqs("PurgeQueue", QueueUrl=scene.stack.urls[queue])
        scene.age(kind, OVERDUE_SECS)
    scene.age_look(lost, REMIND_SECS + OVERDUE_SECS)
    swept = scene.tick("SweepSchedule")
    expected = {"deliveries": 5, "looks": 1, "dead": 0, "failed": 0}
    scene.require(f"sweep returns {swept}", swept == expected)
    scene.resume(*DELIVERIES.values())
    scene.until("every kind is told", lambda: min(scene.told_of(lost).values()) > 0)
    scene.quiet()
    scene.require(f"told once: {scene.told_of(lost)}", set(scene.told_of(lost).values()) == {1})


def what_a_vendor_never_takes_is_told_by_others(scene: Scene):
    """Each vendor in turn refuses for good: the delivery is a dead letter of its kind, every fallback tells of it."""
    for kind in KINDS:
        scene.vendors.fail(kind, 1, **NEVER[kind])
        refused = scene.post(f"refused-by-{kind}", EVERY_KIND)
        is_told = lambda kind=kind, refused=refused: spares_of(scene, refused, kind) == dict.fromkeys(KINDS, 1)
        scene.until(f"every fallback tells what {kind} refused", is_told)
        scene.quiet()
        scene.require(f"the fallbacks tell of it: {spares_of(scene, refused, kind)}", is_told())
        scene.require(f"its dead letters hold {scene.held(DEAD_LETTERS[kind])}", scene.held(DEAD_LETTERS[kind]) == 1)


def spares_of(scene: Scene, told: Told, refused_by: str) -> dict:
    """What the fallbacks tell of something. Linear and the webhook show theirs beside the receivers' own."""
    beside = scene.told_of(told)
    own = scene.stack.secrets["PAGERDUTY_ROUTING_KEY"]
    pages = [one for one in scene.vendors.show()["pagerduty"] if told.incident in one["dedup_key"]]
    return {
        "pagerduty": len([page for page in pages if page["routing_key"] != own]),
        "slack": len(scene.messages_of(told.incident, FALLBACK_CHANNEL)),
        "jira": len(scene.tickets_of(told, FALLBACK_PROJECT)),
        "linear": beside["linear"] - (0 if refused_by == "linear" else 1),
        "webhook": beside["webhook"] - (0 if refused_by == "webhook" else 1),
    }


def of_a_batch_of_ten_one_is_retried_alone(scene: Scene):
    """Nine alerts and a message that nobody can read are one batch: the nine page once, the tenth comes again alone."""
    mapping = scene.stack.mappings["TriageInbox"]
    scene.pause("TriageInbox")
    begun = len(mapping.batches)
    nine = [scene.post(f"batch-{number}", ONE_PAGE) for number in range(9)]
    scene.stack.aws.sqs("SendMessage", QueueUrl=scene.stack.urls["InboxQueue"], MessageBody=POISON)
    scene.until("ten wait", lambda: scene.held("InboxQueue") == 10)
    scene.resume("TriageInbox")
    again = lambda: [one for one in mapping.batches[begun:] if POISON in one[0]]
    scene.until("the tenth comes again", lambda: len(again()) > 1, REDELIVERY_SECS_MAX)
    first, *later = again()
    scene.require(f"the batch has {len(first[0])} messages, {first[1]} failed", (len(first[0]), first[1]) == (10, 1))
    scene.require("it is not alone when it comes again", all(one == ([POISON], 1) for one in later))
    scene.until("the nine page", lambda: all(scene.pages_of(one) for one in nine))
    pages = [page for one in nine for page in scene.pages_of(one)]
    scene.require("each is told once", [page["triggers"] for page in pages] == [1] * 9)


POISON = "nobody can read this"


def a_poison_message_is_told_by_the_fallback(scene: Scene):
    """It is handed out as often as the template says, ends among the dead letters, and sweep has the fallbacks page."""
    mapping = scene.stack.mappings["TriageInbox"]
    times = scene.stack.of("AWS::SQS::Queue")["InboxQueue"]["RedrivePolicy"]["maxReceiveCount"]
    scene.until("it is among the dead letters", lambda: scene.held("InboxDeadLetters") == 1)
    handed = len([one for one in mapping.batches if POISON in one[0]])
    scene.require(f"it was handed out {handed} times, not {times}", handed == times)
    swept = scene.tick("SweepSchedule")
    # One in the inbox's, and one in each kind's, of which people heard when they were refused.
    scene.require(f"sweep returns {swept}", (swept["dead"], swept["failed"]) == (1 + len(KINDS), 0))
    scene.until("a page tells of it", lambda: spare_pages_of_poison(scene) == 1)
    scene.until("and a message", lambda: len(scene.messages_of("unreadable message", FALLBACK_CHANNEL)) == 1)
    scene.quiet()
    scene.tick("SweepSchedule")
    scene.quiet()
    scene.require("it is told once", spare_pages_of_poison(scene) == 1)


def spare_pages_of_poison(scene: Scene) -> int:
    return len([one for one in scene.vendors.show()["pagerduty"] if "tocsin dead_letters" in one["summary"]])


def what_happened_is_counted(scene: Scene):
    """The functions' metrics say what people saw, in lines that CloudWatch can read."""
    found = counted(scene.stack.scratch / "logs")
    sums = {key: sum(values) for key, values in found.items()}
    pages = len(scene.vendors.show()["pagerduty"])
    exact = {("Accepted",): scene.accepted, ("Dead", "inbox"): 1, **{("Dead", kind): 1 for kind in KINDS}}
    for key, expected in exact.items():
        scene.require(f"{key} is {sums.get(key)}, not {expected}", sums.get(key) == expected)
    for key in [
        ("Confirmed",),
        ("Rejected",),
        ("Suppressed", "cooling_down"),
        *[("Delivered", kind) for kind in KINDS],
    ]:
        scene.require(f"{key} is not counted", sums.get(key, 0) > 0)
    times = found.get(("SecondsToPage",), [])
    in_time = all(0 < secs < PATIENCE_SECS for secs in times)
    scene.require(f"of {pages} pages these have a time: {times}", len(times) == pages and in_time)


STEPS = [
    who_is_not_known_costs_no_call,
    one_alert_is_one_of_each,
    duplicates_fold,
    a_clear_resolves,
    a_cooldown_holds_back,
    a_rejected_anomaly_is_looked_at_again,
    a_tick_of_pull_finds_what_no_webhook_told,
    a_tick_of_sweep_finds_nothing,
    a_vendor_that_is_away_is_tried_again,
    what_was_lost_is_sent_again,
    of_a_batch_of_ten_one_is_retried_alone,
    what_a_vendor_never_takes_is_told_by_others,
    a_poison_message_is_told_by_the_fallback,
    what_happened_is_counted,
]
