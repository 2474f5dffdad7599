"""A rule that finds nothing wrong with a planted fault is no rule: each fault here must be found, and nothing else."""

import copy
import tempfile
import unittest
from pathlib import Path

from .__main__ import INFRA, PLAIN, sam_deployment
from .graph import Graph, differences, names_of_sam
from .kinds import complete
from .repository import Repository, secret_users
from .rules import broken
from .template import read_sam

TEMPLATE = read_sam(INFRA / "template.yaml")
REPOSITORY = Repository(INFRA.parent)


def planted(*path, value=None, remove=False) -> list:
    """What is found after one value of the template was put in place, or taken out."""
    template = copy.deepcopy(TEMPLATE)
    place = template["Resources"]
    for key in path[:-1]:
        place = place[key]
    if remove:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return broken(sam_deployment(template, PLAIN, REPOSITORY))


def statement(role: str, index: int) -> tuple:
    return (role, "Properties", "Policies", 0, "PolicyDocument", "Statement", index)


def variables(function: str, name: str) -> tuple:
    return (function, "Properties", "Environment", "Variables", name)


class Rules(unittest.TestCase):
    def check(self, found: list, *expected: str):
        self.assertEqual(len(found), len(expected), found)
        for line, start in zip(found, expected):
            self.assertTrue(line.startswith(start), f"{line!r} does not start with {start!r}")

    def test_the_template_as_it_is(self):
        self.check(broken(sam_deployment(TEMPLATE, PLAIN, REPOSITORY)))

    def test_visibility(self):
        found = planted("SlackQueue", "Properties", "VisibilityTimeout", value=179)
        self.check(found, "visibility_outlasts_the_reader: SlackQueue: hides a message for 179 s")
        found = planted("Triage", "Properties", "Timeout", value=31)
        self.check(found, "visibility_outlasts_the_reader: InboxQueue: hides a message for 180 s")

    def test_mappings(self):
        inbox = ("Triage", "Properties", "Events", "Inbox", "Properties")
        rule = "a_mapping_reports_what_failed: TriageInbox: "
        self.check(planted(*inbox, "FunctionResponseTypes", remove=True), f"{rule}does not report")
        self.check(planted(*inbox, "BatchSize", value=100), f"{rule}its batches")
        self.check(planted(*inbox, "ScalingConfig", remove=True), f"{rule}has no bound")

    def test_dead_letters(self):
        rule = "a_queue_has_its_dead_letters: "
        found = planted("JiraDeadLetters", "Properties", "MessageRetentionPeriod", value=345_600)
        self.check(found, f"{rule}jira: its dead letters are kept for 345600 s")
        found = planted("InboxQueue", "Properties", "RedrivePolicy", "maxReceiveCount", value=3)
        self.check(found, f"{rule}inbox: maxReceiveCount is not 100")
        found = planted("InboxDeadLetters", "Properties", "SqsManagedSseEnabled", value=False)
        self.check(found, f"{rule}InboxDeadLetters: is not encrypted")

    def test_grants(self):
        rule = "no_grant_is_wide: ReceiveRole: allows "
        self.assertIn(f"{rule}sqs:*", planted(*statement("ReceiveRole", 0), "Action", value="sqs:*"))
        everything = planted(*statement("ReceiveRole", 0), "Resource", value=["*", {"Fn::GetAtt": "InboxQueue.Arn"}])
        self.assertIn(f"{rule}sqs:SendMessage on everything", everything)
        pattern = {"Fn::Sub": "${InboxQueue.Arn}*"}
        self.check(
            planted(*statement("ReceiveRole", 0), "Resource", value=pattern), f"{rule}sqs:SendMessage on a pattern"
        )
        managed = planted(
            "ReceiveRole", "Properties", "ManagedPolicyArns", value=["arn:aws:iam::aws:policy/AdministratorAccess"]
        )
        self.check(managed, "no_grant_is_wide: ReceiveRole: has a managed policy")

    def test_what_is_a_functions_own(self):
        rule = "a_function_has_what_is_its_own: "
        shared = planted("Pull", "Properties", "LoggingConfig", "LogGroup", value={"Ref": "SweepLogs"})
        self.check(shared, f"{rule}SweepLogs: is shared by 2 functions")
        self.check(
            planted("PullLogs", "Properties", "RetentionInDays", remove=True), f"{rule}Pull: its log is kept for ever"
        )
        self.check(planted("Pull", "Properties", "Tracing", value="PassThrough"), f"{rule}Pull: is not traced")
        self.check(planted("Pull", "Properties", "Architectures", value=["x86_64"]), f"{rule}Pull: is not for arm64")

    def test_variables(self):
        rule = "variables_are_those_that_are_read: "
        self.check(
            planted(*variables("Pull", "TOCSIN_TEMPLATES"), value="/opt"), f"{rule}Pull: TOCSIN_TEMPLATES is set, and"
        )
        found = planted(*variables("DeliverJira", "TOCSIN_TEMPLATES"), remove=True)
        self.check(found, f"{rule}DeliverJira: TOCSIN_TEMPLATES is not set")

    def test_secrets(self):
        rule = "a_function_holds_only_its_secrets: "
        jira = "{{resolve:secretsmanager:tocsin:SecretString:JIRA_API_TOKEN::}}"
        found = planted(*variables("Receive", "JIRA_API_TOKEN"), value=jira)
        self.check(found, f"{rule}Receive: is given JIRA_API_TOKEN and does not use it")
        # The text that everybody knows must never authenticate a webhook.
        found = planted(*variables("Receive", "TOCSIN_ARIZE_SECRET"), remove=True)
        self.check(found, f"{rule}Receive: uses TOCSIN_ARIZE_SECRET and is not given it")

    def test_addresses_and_grants(self):
        rule = "an_address_goes_with_a_grant: "
        found = planted(*statement("PullRole", 0), "Resource", value={"Fn::GetAtt": "JiraQueue.Arn"})
        self.check(
            found, f"{rule}Pull: knows InboxQueue and may not", f"{rule}Pull: may use JiraQueue and does not know it"
        )
        found = planted(*statement("ReceiveRole", 1), "Resource", value={"Fn::GetAtt": "InboxQueue.Arn"})
        self.check(found, f"{rule}Receive: what it does not take is sent to InboxDeadLetters, and may not be")

    def test_calls(self):
        # Only deliver hides messages, in each of its functions.
        template = copy.deepcopy(TEMPLATE)
        for id, role in template["Resources"].items():
            if id.startswith("Deliver") and id.endswith("Role"):
                policy = role["Properties"]["Policies"][0]["PolicyDocument"]
                policy["Statement"][0]["Action"].remove("sqs:ChangeMessageVisibility")
        found = broken(sam_deployment(template, PLAIN, REPOSITORY))
        self.check(found, "a_call_has_a_grant: sqs:ChangeMessageVisibility: shared/aws calls it, and no role may")
        found = planted(*statement("SweepRole", 3), "Action", value=["dynamodb:Query", "dynamodb:DeleteItem"])
        self.check(found, "a_call_has_a_grant: dynamodb:DeleteItem: some role may, and nothing in shared/aws calls it")

    def test_alarms(self):
        rule = "trouble_reaches_a_person: "
        self.check(planted("SweepThrottlesAlarm", remove=True), f"{rule}Sweep: no alarm on its Throttles")
        self.check(planted("InboxOldestAlarm", remove=True), f"{rule}InboxQueue: no alarm on its ApproximateAgeOf")
        held = planted("InboxDeadLettersAlarm", remove=True)
        self.check(held, *[f"{rule}InboxDeadLetters: no alarm on its ApproximateNumberOfMessages"] * 2)
        self.check(planted("AlarmEmailSubscription", "Properties", "Protocol", value="sqs"), f"{rule}nobody is mailed")

    def test_the_table(self):
        rule = "the_table_survives: Table: "
        self.check(planted("Table", "DeletionPolicy", value="Delete"), f"{rule}goes with the stack")
        self.check(planted("Table", "Properties", "DeletionProtectionEnabled", value=False), f"{rule}can be deleted")

    def test_a_section_nobody_reads_is_named(self):
        config = {"receivers": {"page": {"kind": "jira", "token": "${J}"}, "new": {"kind": "pigeon", "token": "${P}"}}}
        self.assertEqual(secret_users(config, ["jira"]), {"J": {"deliver-jira"}, "P": set()})


class Comparison(unittest.TestCase):
    def graph(self, template: dict) -> Graph:
        resources = sam_deployment(template, PLAIN, REPOSITORY).resources
        return Graph(resources, names_of_sam(resources))

    def differ(self, change) -> list:
        template = copy.deepcopy(TEMPLATE)
        change(template["Resources"])
        return differences(self.graph(TEMPLATE), self.graph(template), ("one", "other"))

    def test_the_same_is_the_same(self):
        self.assertEqual(self.differ(lambda resources: None), [])

    def test_a_property(self):
        found = self.differ(lambda resources: resources["Pull"]["Properties"].update(MemorySize=1024))
        self.assertEqual(found, ["Pull.properties.MemorySize: 512 in one, 1024 in other"])

    def test_a_missing_resource(self):
        found = self.differ(lambda resources: resources.pop("PullStoppedAlarm"))
        self.assertEqual(found, ["PullStoppedAlarm: AWS::CloudWatch::Alarm is in one alone"])

    def test_a_grant_and_who_it_is_given_to(self):
        def widen(resources):
            document = resources["ReceiveRole"]["Properties"]["Policies"][0]["PolicyDocument"]
            document["Statement"][0]["Action"] = ["sqs:SendMessage", "sqs:DeleteMessage"]

        (found,) = self.differ(widen)
        self.assertIn("ReceiveRole.grants: in other alone", found)
        self.assertIn("sqs:DeleteMessage", found)

    def test_an_edge(self):
        def turn(resources):
            resources["SlackQueue"]["Properties"]["RedrivePolicy"]["deadLetterTargetArn"] = {
                "Fn::GetAtt": "JiraDeadLetters.Arn"
            }

        found = self.differ(turn)
        edge = "SlackQueue.properties.RedrivePolicy.deadLetterTargetArn.GetAtt: in"
        self.assertEqual(found, [f"{edge} one alone: SlackDeadLetters", f"{edge} other alone: JiraDeadLetters"])


class Kinds(unittest.TestCase):
    def test_a_new_kind_is_given_all_that_it_needs(self):
        class Grown(Repository):
            def kinds(self) -> list:
                return [*super().kinds(), "pigeon", "pigeon_post"]

        repository, path = Grown(INFRA.parent), INFRA / "template.yaml"
        text = path.read_text()
        found = broken(sam_deployment(TEMPLATE, PLAIN, repository))
        self.assertTrue(any(line.startswith("a_queue_has_its_dead_letters: pigeon: ") for line in found), found)
        self.assertEqual(complete(text, REPOSITORY.kinds()), (text, []))
        one, lacking = complete(text, repository.kinds()[:-1])
        self.assertEqual(lacking, ["pigeon"])
        grown, lacking = complete(one, repository.kinds())
        self.assertEqual(lacking, ["pigeon_post"])
        self.assertEqual(complete(grown, repository.kinds()), (grown, []))
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(grown)
            file.flush()
            self.assertEqual(broken(sam_deployment(read_sam(Path(file.name)), PLAIN, repository)), [])


if __name__ == "__main__":
    unittest.main()
