"""on_aws.py against a stubbed AWS: botocore checks every call's parameters, and every answer's, against the services' own models."""

import base64
import contextlib
import io
import json
import pathlib
import tempfile
import unittest

import boto3
import on_aws
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber

TAIL = (
    "START RequestId: 1 Version: $LATEST\n{}\nEND RequestId: 1\n"
    "REPORT RequestId: 1\tDuration: {} ms\tBilled Duration: 40 ms\tMemory Size: 256 MB\tMax Memory Used: 21 MB\t{}\n"
)
VARIABLES = {"BASE_URL": "https://api.example.com"}


class OnAws(unittest.TestCase):
    def setUp(self):
        self.session = boto3.Session("key", "secret", region_name="us-east-1")
        self.stubs = {}
        made = {name: self.session.client(name) for name in ("cloudformation", "lambda")}
        for name, client in made.items():
            self.stubs[name] = Stubber(client)
            self.stubs[name].activate()
        self.session.client = made.__getitem__

    def stack(self, *names):
        resources = [
            {
                "LogicalResourceId": name,
                "PhysicalResourceId": f"stack-{name}",
                "ResourceType": "AWS::Lambda::Function",
                "LastUpdatedTimestamp": "2026-01-01T00:00:00Z",
                "ResourceStatus": "CREATE_COMPLETE",
            }
            for name in names
        ]
        self.stubs["cloudformation"].add_response("list_stack_resources", {"StackResourceSummaries": resources})
        for name in names:
            if name not in on_aws.LEFT_OUT:
                before = {"MemorySize": 256, "Environment": {"Variables": VARIABLES}}
                named = {"FunctionName": f"stack-{name}"}
                self.stubs["lambda"].add_response("get_function_configuration", before, named)

    def configured(self, name, memory, variables):
        expected = {"FunctionName": f"stack-{name}", "MemorySize": memory, "Environment": {"Variables": variables}}
        self.stubs["lambda"].add_response("update_function_configuration", {}, expected)
        done = {"Configuration": {"LastUpdateStatus": "Successful"}}
        self.stubs["lambda"].add_response("get_function", done, {"FunctionName": f"stack-{name}"})

    def answers(self, name, duration, init=None, status=404, body=None):
        payload = json.dumps({"statusCode": status, "body": json.dumps(body or {})}).encode()
        tail = TAIL.format("a line of its own", duration, f"Init Duration: {init} ms" if init else "")
        answer = {
            "StatusCode": 200,
            "LogResult": base64.b64encode(tail.encode()).decode(),
            "Payload": StreamingBody(io.BytesIO(payload), len(payload)),
        }
        expected = {"FunctionName": f"stack-{name}", "LogType": "Tail", "Payload": ANY}
        self.stubs["lambda"].add_response("invoke", answer, expected)

    def run_it(self, *arguments):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            on_aws.main(["--stack", "stack", *arguments], self.session)
        for stub in self.stubs.values():
            stub.assert_no_pending_responses()
        return printed.getvalue()

    def test_starts_are_forced_measured_and_put_back(self):
        self.stack("CodeVerification", "SecretsSetup")
        forced = {**VARIABLES, on_aws.VARIABLE: ANY}
        for memory in (128, 512):
            for init in ("30.5", "31.5"):
                self.configured("CodeVerification", memory, forced)
                self.answers("CodeVerification", "4.1", init)
            self.answers("CodeVerification", "1.5")
            # Not a warm one.
            self.answers("CodeVerification", "9.9", "33.0")
        self.configured("CodeVerification", 256, VARIABLES)
        text = self.run_it("--starts", "2", "--warm", "2", "--memory", "128,512")
        row = "| CodeVerification | 31.0 | 4.1 | 1.5 | 1.5 | 21 |"
        self.assertEqual(text.count(row), 2, text)

    def test_what_goes_wrong_is_put_back_too(self):
        self.stack("CodeVerification")
        self.configured("CodeVerification", 256, {**VARIABLES, on_aws.VARIABLE: ANY})
        self.stubs["lambda"].add_client_error("invoke", "TooManyRequestsException")
        self.configured("CodeVerification", 256, VARIABLES)
        with self.assertRaises(Exception):
            self.run_it("--starts", "1")
        self.stubs["lambda"].assert_no_pending_responses()

    def test_a_login_goes_from_function_to_function(self):
        names = [name for name, _ in on_aws.LOGIN]
        self.stack(*names, "PolicyAdmin")
        for name in names:
            self.configured(name, 256, {**VARIABLES, on_aws.VARIABLE: ANY})
        begun = {"login": {"id": "log_1"}, "login_token": "token"}
        for init in ("30.0", None):
            self.answers("SignIn", "60.0", init, 200, begun)
            self.answers("CodeIssuance", "20.0", init, 200, begun)
            self.answers("CodeVerification", "5.0", init, 200, begun)
        for name in names:
            self.configured(name, 256, VARIABLES)
        with tempfile.TemporaryDirectory() as folder:
            login = pathlib.Path(folder) / "login.json"
            login.write_text(json.dumps({"application": "app_1", "username": "ann", "password": "p", "code": "000000"}))
            text = self.run_it("--starts", "1", "--warm", "1", "--login", str(login))
        self.assertIn("| SignIn | 30.0 | 60.0 | 60.0 | 60.0 | 21 |", text)

    def test_a_dry_run_changes_nothing(self):
        self.stack("PolicyAdmin", "SignIn")
        self.assertIn("PolicyAdmin, SignIn: 10 starts at [256] MB", self.run_it("--dry-run"))

    def test_no_placeholder_is_left_in_an_event(self):
        login = {"login": "log_1", "login_token": "t", "idempotency_key": "1", "code": "1"}
        person = {"application": "app_1", "username": "ann", "password": "p"}
        for _, name in on_aws.LOGIN:
            self.assertNotIn("{{", json.dumps(on_aws.event(name, **login, **person)))
        self.assertNotIn("{{", json.dumps(on_aws.event("unknown_route", **person)))


if __name__ == "__main__":
    unittest.main()
