"""The parts on which the proof stands: what IAM wants for a call, and what a mapping deletes."""

import unittest

from .grants import Role, unneeded, wanted
from .mapping import Mapping
from .sandbox import FunctionError

ARNS = {"http://q": "arn:queue", "t": "arn:table"}


def role(action, resource) -> Role:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    policy = {"PolicyName": "calls", "PolicyDocument": {"Statement": [statement]}}
    return Role("Role", {"AssumeRolePolicyDocument": {"Statement": [trust]}, "Policies": [policy]})


class Grants(unittest.TestCase):
    def check(self, service: str, operation: str, body: dict, *expected: tuple):
        self.assertEqual(wanted(service, operation, body, lambda name: ARNS.get(name, "unknown")), set(expected))

    def test_a_batch_wants_what_one_wants(self):
        self.check("sqs", "SendMessageBatch", {"QueueUrl": "http://q"}, ("sqs:SendMessage", "arn:queue"))
        self.check("sqs", "ReceiveMessage", {"QueueUrl": "http://other"}, ("sqs:ReceiveMessage", "unknown"))

    def test_an_index_is_a_resource_of_its_own(self):
        body = {"TableName": "t", "IndexName": "unfinished"}
        self.check("dynamodb", "Query", body, ("dynamodb:Query", "arn:table/index/unfinished"))

    def test_a_transaction_wants_what_is_in_it(self):
        items = [{"Put": {"TableName": "t"}}, {"ConditionCheck": {"TableName": "t"}}]
        expected = [("dynamodb:PutItem", "arn:table"), ("dynamodb:ConditionCheckItem", "arn:table")]
        self.check("dynamodb", "TransactWriteItems", {"TransactItems": items}, *expected)

    def test_only_what_is_allowed_is_allowed(self):
        one = role(["sqs:SendMessage", "sqs:ReceiveMessage"], "arn:queue")
        self.assertTrue(one.use("sqs:SendMessage", "arn:queue"))
        self.assertFalse(one.use("sqs:SendMessage", "arn:queue-dead"))
        self.assertFalse(one.use("sqs:DeleteMessage", "arn:queue"))
        self.assertEqual(unneeded({"Role": one}, {}), ["Role sqs:ReceiveMessage queue: allowed, and never called"])
        self.assertEqual(unneeded({"Role": one}, {"Role sqs:ReceiveMessage queue": "why"}), [])
        self.assertEqual(len(unneeded({"Role": one}, {}, ["pigeon"])), 1)

    def test_an_exception_for_what_is_called_is_none(self):
        one = role("sqs:SendMessage", "arn:queue")
        one.use("sqs:SendMessage", "arn:queue")
        (found,) = unneeded({"Role": one}, {"Role sqs:SendMessage queue": "why"})
        self.assertTrue(found.endswith("excepted, and called or not allowed"))

    def test_a_statement_that_is_not_read_is_an_error(self):
        properties = {
            "AssumeRolePolicyDocument": {"Statement": []},
            "Policies": [{"PolicyDocument": {"Statement": [{"Effect": "Deny", "Action": "sqs:*", "Resource": "*"}]}}],
        }
        self.assertRaises(ValueError, Role, "Role", properties)


class Answering:
    """A function that gives one answer."""

    def __init__(self, answer):
        self.answer = answer

    def invoke(self, event: dict):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Deletion(unittest.TestCase):
    """What of the messages a and b comes again."""

    def check(self, reports: bool, answer, *expected: str):
        mapping = Mapping.__new__(Mapping)
        mapping.reports, mapping.arn, mapping.function = reports, "arn:queue", Answering(answer)
        batch = [{"MessageId": id, "ReceiptHandle": id, "Body": ""} for id in ("a", "b")]
        self.assertEqual(mapping.hand_over(batch), set(expected))

    def test_what_is_named_comes_again(self):
        self.check(True, {"batchItemFailures": [{"itemIdentifier": "b"}]}, "b")

    def test_nothing_named_is_all_done(self):
        for answer in (None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}):
            self.check(True, answer)

    def test_a_name_that_is_not_in_the_batch_fails_all(self):
        for name in ("c", "", None):
            self.check(True, {"batchItemFailures": [{"itemIdentifier": name}]}, "a", "b")

    def test_a_mapping_that_does_not_report_deletes_all(self):
        self.check(False, {"batchItemFailures": [{"itemIdentifier": "b"}]})

    def test_a_function_that_fails_has_done_nothing(self):
        self.check(False, FunctionError("it ended"), "a", "b")
        self.check(True, FunctionError("it ended"), "a", "b")


if __name__ == "__main__":
    unittest.main()
