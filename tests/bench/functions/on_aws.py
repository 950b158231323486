"""Measures a deployment's functions where only AWS can tell: starts under Lambda's CPU throttling, real TLS, real DynamoDB.

    on_aws.py --stack NAME [--region REGION] [--starts 10] [--warm 20] [--memory 128,256,512] [--login FILE] [--dry-run]

Each start is forced by changing a variable of the function's $LATEST version, which no client reaches: routes lead to the alias `live`.
Variables and memory are put back at the end, however that comes. What is measured is the REPORT line that Lambda writes after each event.

Without --login, functions get an event of no route, and answer 404: what a start costs, and the least that a request does. With it, the
functions of a login are measured by logins. FILE is JSON: {"application": "app_…", "username": "…", "password": "…", "code": "000000"}, of a user
whose bound number is a test number, so that nothing is sent (docs/RUNBOOK.md).

Takes the rights cloudformation:ListStackResources, lambda:GetFunctionConfiguration, lambda:UpdateFunctionConfiguration, lambda:InvokeFunction.
"""

import argparse
import base64
import json
import pathlib
import re
import statistics
import sys
import time

import boto3

EVENTS = pathlib.Path(__file__).resolve().parents[2] / "events"
# The functions of one login, in the order of its calls, with the event of each.
LOGIN = [("SignIn", "start_login"), ("CodeIssuance", "send_code"), ("CodeVerification", "verify_code")]
# Nothing calls it but CloudFormation; streams hand no event of the API on.
LEFT_OUT = {"SecretsSetup", "AuditTrail", "Notifications"}
VARIABLE = "MEASURED_START"
REPORT = re.compile(
    r"REPORT RequestId: \S+\s+Duration: (?P<duration>[\d.]+) ms\s+Billed Duration: (?P<billed>\d+) ms\s+"
    r"Memory Size: (?P<memory>\d+) MB\s+Max Memory Used: (?P<used>\d+) MB(?:\s+Init Duration: (?P<init>[\d.]+) ms)?"
)


def event(name, **values):
    """One of tests/events, with its placeholders filled in."""
    text = (EVENTS / f"{name}.json").read_text()
    for placeholder, value in values.items():
        # Within a JSON text, and within one that is a text of it.
        text = text.replace("{{%s}}" % placeholder, value)
    return json.loads(text)


def report(log_tail):
    """The figures of a REPORT line; `init` only where an environment started."""
    found = REPORT.search(base64.b64decode(log_tail).decode())
    if not found:
        raise SystemExit("an invocation's log has no REPORT line")
    return {name: float(value) for name, value in found.groupdict().items() if value is not None}


class Function:
    """A function's $LATEST version."""

    def __init__(self, client, logical, physical):
        self.client, self.logical, self.name = client, logical, physical
        before = client.get_function_configuration(FunctionName=physical)
        self.variables = before.get("Environment", {}).get("Variables", {})
        self.memory = before["MemorySize"]

    def configure(self, variables, memory):
        self.client.update_function_configuration(
            FunctionName=self.name, Environment={"Variables": variables}, MemorySize=memory
        )
        self.client.get_waiter("function_updated_v2").wait(
            FunctionName=self.name, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
        )

    def force_start(self, memory):
        """The next event meets no environment."""
        self.configure({**self.variables, VARIABLE: str(time.time_ns())}, memory)

    def put_back(self):
        self.configure(self.variables, self.memory)

    def invoke(self, payload):
        """Answers the figures and what the function said."""
        answer = self.client.invoke(FunctionName=self.name, LogType="Tail", Payload=json.dumps(payload).encode())
        said = json.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            raise SystemExit(f"{self.logical}: {said}")
        return report(answer["LogResult"]), said


def functions(session, stack):
    """The stack's functions by their logical names."""
    pages = session.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    found = [
        resource
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::Lambda::Function" and resource["LogicalResourceId"] not in LEFT_OUT
    ]
    client = session.client("lambda")
    return {
        resource["LogicalResourceId"]: Function(client, resource["LogicalResourceId"], resource["PhysicalResourceId"])
        for resource in found
    }


def one_login(by_name, login):
    """A whole login; answers each function's figures."""
    values = {name: login[name] for name in ("application", "username", "password")}
    figures = {}
    for logical, name in LOGIN:
        figures[logical], said = by_name[logical].invoke(event(name, **values))
        if said.get("statusCode") != 200:
            raise SystemExit(f"{logical} answers {said.get('statusCode')}: {said.get('body')}")
        body = json.loads(said["body"])
        if name == "start_login":
            token = body["login_token"]
            values = {"login": body["login"]["id"], "login_token": token, "idempotency_key": str(time.time_ns())}
            values["code"] = login["code"]
    return figures


def measure(by_name, memory, starts, warm, login):
    """(first, warm) figures of each function: first ones met no environment."""
    first, later = {name: [] for name in by_name}, {name: [] for name in by_name}
    for round_ in range(starts):
        for function in by_name.values():
            function.force_start(memory)
        last = round_ + 1 == starts
        if login:
            rounds = [one_login(by_name, login) for _ in range(1 + (warm if last else 0))]
        else:
            nothing = event("unknown_route", application="app_none")
            rounds = [
                {name: function.invoke(nothing)[0] for name, function in by_name.items()}
                for _ in range(1 + (warm if last else 0))
            ]
        for name in by_name:
            first[name].append(rounds[0][name])
            # Lambda may start another environment at any time.
            later[name] += [figures[name] for figures in rounds[1:] if "init" not in figures[name]]
    return first, later


def table(memory, first, later):
    def middle(figures, name):
        found = [each[name] for each in figures if name in each]
        return f"{statistics.median(found):.1f}" if found else "–"

    def high(figures, name):
        found = sorted(each[name] for each in figures)
        return f"{found[min(len(found) - 1, len(found) * 99 // 100)]:.1f}" if found else "–"

    lines = [
        f"{memory} MB, {len(next(iter(first.values())))} starts:",
        "",
        "| function | init ms | first ms | warm p50 ms | p99 ms | memory MB |",
        "|---|---|---|---|---|---|",
    ]
    for name in sorted(first):
        cells = [
            middle(first[name], "init"),
            middle(first[name], "duration"),
            middle(later[name], "duration"),
            high(later[name], "duration"),
            f"{max(each['used'] for each in first[name] + later[name]):.0f}",
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def arguments(given):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack", required=True, help="the CloudFormation stack's name")
    parser.add_argument("--region")
    parser.add_argument("--starts", type=int, default=10)
    parser.add_argument("--warm", type=int, default=20)
    parser.add_argument("--memory", default="256", help="MB, several apart by commas")
    parser.add_argument("--login", type=pathlib.Path, help="whose logins are measured")
    parser.add_argument("--dry-run", action="store_true", help="says what would be measured, and changes nothing")
    return parser.parse_args(given)


def main(given, session=None):
    options = arguments(given)
    session = session or boto3.Session(region_name=options.region)
    by_name = functions(session, options.stack)
    login = json.loads(options.login.read_text()) if options.login else None
    if login:
        by_name = {name: by_name[name] for name, _ in LOGIN}
    if not by_name:
        raise SystemExit(f"stack {options.stack} has no functions")
    memories = [int(memory) for memory in options.memory.split(",")]
    if options.dry_run:
        print(f"{', '.join(sorted(by_name))}: {options.starts} starts at {memories} MB, {options.warm} warm requests")
        return
    try:
        for memory in memories:
            print(table(memory, *measure(by_name, memory, options.starts, options.warm, login)))
    finally:
        for function in by_name.values():
            function.put_back()


if __name__ == "__main__":
    main(sys.argv[1:])
