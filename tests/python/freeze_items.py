"""Writes tests/fixtures/VERSION: everything that a version of `local` keeps after a journey through it, in DynamoDB's JSON.

    freeze_items.py VERSION PROGRAM DYNAMODB_URL

Run once for each released version, with its own program, before the next one changes what is stored. The keys beside the items are of this
journey alone and open nothing else.
"""

import base64
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

import boto3

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    version, program, engine = sys.argv[1:]
    kept = ROOT / "tests/fixtures" / version
    kept.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "--port", "0", "--data", folder, "--json", "--dynamodb", engine]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as local:
            try:
                told = journey(json.loads(local.stdout.readline()))
            finally:
                local.terminate()
        keys = json.loads((pathlib.Path(folder) / "keys.json").read_text(encoding="utf-8"))
        demo = {
            file.name: json.loads(file.read_text(encoding="utf-8"))
            for file in pathlib.Path(folder).glob("*.json")
            if file.name != "keys.json"
        }
    account = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": "us-east-1"}
    client = boto3.client("dynamodb", endpoint_url=engine, **account)
    tables = {name: items(client, name) for name in ("directory", "logins")}
    write(kept / "keys.json", keys)
    write(kept / "files.json", demo)
    write(kept / "told.json", told)
    for name, found in tables.items():
        write(kept / f"{name}.json", found)
        print(name, len(found), "items")


def items(client, table):
    found = []
    for page in client.get_paginator("scan").paginate(TableName=table):
        found += page["Items"]
    return sorted(found, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


def write(path, value):
    def binary(it):
        return base64.b64encode(it).decode()

    path.write_text(json.dumps(value, indent=1, sort_keys=True, default=binary) + "\n", encoding="utf-8")


def journey(said):
    base = said["url"]

    def call(method, path, body=None, credential=None):
        headers = {"content-type": "application/json", "accept": "application/json"}
        if credential:
            headers["authorization"] = f"Bearer {credential}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(base + path, data, headers, method=method)
        with urllib.request.urlopen(request) as answer:
            text = answer.read()
            return json.loads(text) if text else None

    made = call("POST", "/v1/tenants", {"name": "Acme", "home_country": "US"}, said["operator_key"])
    key, tenant = made["admin_key"]["secret"], f"/v1/tenants/{made['id']}"
    security = {"mfa": {"sms": {"enabled": True}}, "countries": {"allow": ["US", "CA"]}}
    call("PATCH", tenant + "/security", security, key)
    origins = {"name": "Shop", "origins": ["https://shop.example.com"], "customize_security": True}
    application = call("POST", tenant + "/applications", origins, key)
    source = {"kind": "oidc", "name": "Staff", "issuer": "https://login.example.com", "audience": "shop"}
    call("POST", tenant + "/identity-sources", source, key)
    call("POST", tenant + "/admin-keys", {"role": "support", "name": "Help desk"}, key)
    user = {"username": "ann", "email": "ann@example.com", "password": "correct horse battery"}
    user = call("POST", tenant + "/users", user, key)
    number = "+12025550147"
    start = {"application": application["id"], "password": {"account": "ann", "password": "correct horse battery"}}
    wrong = {"application": application["id"], "password": {"account": "ann", "password": "wrong horse"}}
    try:
        call("POST", "/v1/logins", wrong)
    except urllib.error.HTTPError as refused:
        assert refused.code == 401
    begun = call("POST", "/v1/logins", start)
    login, token = f"/v1/logins/{begun['login']['id']}", begun["login_token"]
    call("POST", login + "/phone", {"phone": number}, token)
    call("POST", login + "/code", {}, token)
    body = call("GET", "/_local/outbox")[-1]["body"]
    call("POST", login + "/verification", {"code": re.search(r"\d{6}", body)[0]}, token)
    return {
        "tenant": made["id"],
        "admin_key": key,
        "application": application["id"],
        "application_secret": application["secret"]["secret"],
        "user": user["id"],
    }


main()
