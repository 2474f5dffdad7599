"""The address of the Function URL, and the ticks of the schedules: what calls functions from outside.

Invariant: nobody comes in whom the template's permissions do not let in.
"""

import base64
import json
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .functions import Function, Throttled
from .recorder import Recorder
from .sandbox import FunctionError

BODY_BYTES_MAX = 6 * 1024 * 1024


class FunctionUrl:
    """HTTP requests to one function, as events of version 2.0."""

    def __init__(self, function: Function, is_public: bool):
        self.function = function
        self.is_public = is_public
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("OfUrl", (Request,), {"front": self}))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, event: dict) -> tuple:
        """Status, headers and body."""
        if not self.is_public:
            return 403, {}, b'{"Message":"Forbidden"}'
        try:
            given = self.function.invoke(event)
        except Throttled:
            return 429, {}, b'{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded"}'
        except FunctionError:
            return 502, {}, b"Internal Server Error"
        body = given.get("body") or ""
        text = base64.b64decode(body) if given.get("isBase64Encoded") else body.encode()
        return given["statusCode"], given.get("headers") or {}, text

    def end(self):
        self.server.shutdown()
        self.server.server_close()


class Request(BaseHTTPRequestHandler):
    """One request."""

    front: FunctionUrl

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        if length > BODY_BYTES_MAX:
            self.send_error(413)
            return
        path, _, query = self.path.partition("?")
        context = {
            "accountId": "anonymous",
            "apiId": "proof",
            "domainName": "proof.lambda-url.us-east-1.on.aws",
            "domainPrefix": "proof",
            "http": {
                "method": self.command,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": self.client_address[0],
                "userAgent": self.headers.get("User-Agent", ""),
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": "$default",
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
            "timeEpoch": int(time.time() * 1000),
        }
        event = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": query,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "requestContext": context,
            "isBase64Encoded": False,
        }
        if length:
            event["body"] = self.rfile.read(length).decode()
        status, headers, body = self.front.answer(event)
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST

    def log_message(self, *_):
        """Says nothing."""


class Schedule:
    """EventBridge Scheduler, for one function. A tick comes when it is asked for, so that nobody waits a minute."""

    def __init__(self, properties: dict, function: Function, retries: int, recorder: Recorder):
        self.properties = properties
        self.function = function
        self.retries = retries
        self.recorder = recorder
        self.role = properties["Target"]["RoleArn"]

    def tick(self):
        """What the function returned: at once, or after the retries that its own config gives an asynchronous call."""
        if "scheduler.amazonaws.com" not in self.recorder.roles[self.role].trusts:
            raise FunctionError(f"the scheduler may not take the role {self.role}")
        if not self.recorder.note(self.role, "lambda:InvokeFunction", self.function.arn):
            raise FunctionError(f"the schedule may not call {self.function.name}")
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": "000000000000",
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "region": "us-east-1",
            "resources": [self.properties["Name"]],
            "detail": "{}",
        }
        event = {**event, **json.loads(self.properties["Target"].get("Input", "{}"))}
        for left in reversed(range(self.retries + 1)):
            try:
                return self.function.invoke(event)
            except FunctionError:
                if left == 0:
                    raise
        return None
