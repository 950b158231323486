"""Writes an event for each operation of docs/openapi.yaml that has none in tests/events yet: `make_events.py`.

What is there stays: an event may be edited. tests/bootstraps hands every one to the function of its route.
"""

import json
import pathlib
import re
import urllib.parse

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
FORM = "application/x-www-form-urlencoded"
CREDENTIALS = {
    "operatorKey": "operator_key",
    "administratorKey": "admin_key",
    "applicationSecret": "application_secret",
    "loginToken": "login_token",
    "qrSecret": "qr_secret",
    "accessToken": "access_token",
}


def example(operation):
    body = operation.get("requestBody")
    if not body:
        return None
    content = next(iter(body["content"].values()))
    if "example" in content:
        return content["example"]
    return next(iter(content["examples"].values()))["value"] if "examples" in content else {}


def event(method, path, operation):
    filled = re.sub(r"\{(\w+)\}", r"{{\1}}", path)
    parameters = {name: "{{%s}}" % name for name in re.findall(r"\{(\w+)\}", path)}
    headers = {
        "accept": "application/json",
        "accept-encoding": "gzip, deflate, br",
        "host": "api.example.com",
        "user-agent": "shop/1.0",
        "x-amzn-trace-id": "Root=1-6921c0de-0123456789abcdef01234567",
        "x-forwarded-for": "203.0.113.7",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }
    schemes = [scheme for way in operation.get("security", []) for scheme in way]
    if schemes and schemes[0] in CREDENTIALS:
        headers["authorization"] = "Bearer {{%s}}" % CREDENTIALS[schemes[0]]
    if path.startswith("/v1/console/"):
        headers |= {"x-console": "1", "sec-fetch-site": "same-origin"}
    body = example(operation)
    if body is not None:
        headers["content-type"] = next(iter(operation["requestBody"]["content"]))
    route = f"{method.upper()} {path}"
    made = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": filled,
        "rawQueryString": "",
        "headers": dict(sorted(headers.items())),
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": "api.example.com",
            "domainPrefix": "api",
            "http": {
                "method": method.upper(),
                "path": filled,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "shop/1.0",
            },
            "requestId": "U4nXhjR3oAMEV0Q=",
            "routeKey": route,
            "stage": "$default",
            "time": "24/Nov/2026:15:04:05 +0000",
            "timeEpoch": 1795532645000,
        },
        "isBase64Encoded": False,
    }
    if schemes[:1] == ["consoleSession"]:
        made["cookies"] = ["__Host-mfa-console={{console_session}}"]
    if parameters:
        made["pathParameters"] = parameters
    if body is not None:
        if headers["content-type"] == FORM:
            made["body"] = urllib.parse.urlencode(body)
        else:
            made["body"] = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return made


def main():
    spec = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text(encoding="utf-8"))
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            if method not in ("get", "post", "put", "patch", "delete"):
                continue
            file = ROOT / "tests/events" / f"{operation['operationId']}.json"
            if not file.exists():
                text = json.dumps(event(method, path, operation), indent=2, ensure_ascii=False)
                file.write_text(text + "\n", encoding="utf-8")
                print(file.name)


main()
