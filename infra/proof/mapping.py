"""Event source mappings from SQS, as Lambda's pollers do them.

Invariant: what is deleted follows from the mapping's own properties. Without ReportBatchItemFailures an answer that
names failures means nothing, and the whole batch is deleted; with it a name that is not in the batch fails all of it.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from .engines import Aws, AwsError
from .functions import Function
from .sandbox import FunctionError

# A poller is not bounded by a mapping that sets no bound, but by what Lambda scales to at most.
CONCURRENCY = 1000

# SQS hands out ten at a time.
RECEIVED_MAX = 10


class Mapping:
    """One queue's messages to one function."""

    def __init__(self, id: str, properties: dict, function: Function, queue: dict, proxy: str, onlooker: Aws):
        self.id = id
        self.function = function
        self.url, self.arn = queue["url"], queue["arn"]
        self.batch_size = properties.get("BatchSize", 10)
        self.window_secs = properties.get("MaximumBatchingWindowInSeconds", 0)
        self.concurrency = properties.get("ScalingConfig", {}).get("MaximumConcurrency", CONCURRENCY)
        self.reports = "ReportBatchItemFailures" in properties.get("FunctionResponseTypes", [])
        self.enabled = properties.get("Enabled", True)
        if queue["visibility_secs"] < function.timeout_secs:
            raise ValueError(
                f"{id}: AWS refuses it: the queue hides for {queue['visibility_secs']} s, less than the function's "
                f"timeout of {function.timeout_secs} s"
            )
        if "lambda.amazonaws.com" not in function.recorder.roles[function.role].trusts:
            raise ValueError(f"{function.id}: Lambda may not take its role")
        self.poller = Aws(proxy, function.role)
        self.onlooker = onlooker
        self.paused = threading.Event()
        self.ended = threading.Event()
        self.batches: list[tuple] = []
        self.workers = ThreadPoolExecutor(self.concurrency if self.concurrency < 50 else 50)
        self.free = threading.Semaphore(self.concurrency)
        self.working = 0
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.poll, daemon=True)

    def start(self):
        if self.enabled:
            self.thread.start()

    def poll(self):
        try:
            self.poller.sqs("GetQueueAttributes", QueueUrl=self.url, AttributeNames=["All"])
        except AwsError:
            return  # Lambda does not make the mapping; the recorder has noted why.
        while not self.ended.is_set():
            if self.paused.is_set():
                time.sleep(0.02)
                continue
            self.free.acquire()
            batch = self.receive()
            if not batch:
                self.free.release()
                continue
            with self.lock:
                self.working += 1
            self.workers.submit(self.work, batch)

    def receive(self) -> list:
        """A batch: full, or what came within the window."""
        until = time.monotonic() + self.window_secs
        batch: list[dict] = []
        while len(batch) < self.batch_size:
            wait_secs = 0 if self.window_secs == 0 else 1
            most = min(self.batch_size - len(batch), RECEIVED_MAX)
            try:
                answer = self.poller.sqs(
                    "ReceiveMessage",
                    QueueUrl=self.url,
                    MaxNumberOfMessages=most,
                    WaitTimeSeconds=wait_secs,
                    AttributeNames=["All"],
                )
            except (AwsError, OSError):
                time.sleep(0.2)
                break
            found = answer.get("Messages", [])
            batch += found
            if time.monotonic() >= until:
                break
        if not batch:
            time.sleep(0.05)
        return batch

    def work(self, batch: list):
        try:
            failed = self.hand_over(batch)
            done = [message for message in batch if message["MessageId"] not in failed]
            self.delete(done)
            self.batches.append(([message["Body"] for message in batch], len(failed)))
            self.cut_short([message for message in batch if message["MessageId"] in failed])
        finally:
            with self.lock:
                self.working -= 1
            self.free.release()

    def hand_over(self, batch: list) -> set:
        """The ids of what must come again."""
        every = {message["MessageId"] for message in batch}
        try:
            answer = self.function.invoke({"Records": [self.record(message) for message in batch]})
        except FunctionError:
            return every
        if not self.reports:
            return set()
        failures = (answer or {}).get("batchItemFailures") or []
        named = {one.get("itemIdentifier") for one in failures}
        return named if named <= every else every

    def record(self, message: dict) -> dict:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": {},
            "md5OfBody": message.get("MD5OfBody", ""),
            "eventSource": "aws:sqs",
            "eventSourceARN": self.arn,
            "awsRegion": "us-east-1",
        }

    def delete(self, done: list):
        for start in range(0, len(done), RECEIVED_MAX):
            entries = [
                {"Id": str(place), "ReceiptHandle": message["ReceiptHandle"]}
                for place, message in enumerate(done[start : start + RECEIVED_MAX])
            ]
            try:
                self.poller.sqs("DeleteMessageBatch", QueueUrl=self.url, Entries=entries)
            except AwsError:
                return  # It comes again; the recorder has noted why.

    def cut_short(self, failed: list):
        """The time that the queue hides a message goes by at once, unless the function chose one for it."""
        for message in failed:
            if message["ReceiptHandle"] not in self.function.recorder.hidden:
                parameters = {"ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
                self.onlooker.sqs("ChangeMessageVisibility", QueueUrl=self.url, **parameters)

    def held(self) -> int:
        """Messages that wait, are hidden or are worked on."""
        names = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ]
        answer = self.onlooker.sqs("GetQueueAttributes", QueueUrl=self.url, AttributeNames=names)
        with self.lock:
            return self.working + sum(int(answer["Attributes"].get(name, 0)) for name in names)

    def end(self):
        self.ended.set()
        self.workers.shutdown(wait=False, cancel_futures=True)
