"""Runs all checks of schemathesis against `local`, with the credentials that docs/openapi.yaml asks for.

    fuzz_api.py PROGRAM [argument of schemathesis...]

What it sends is made from the contract, right and wrong: no answer may be a 5xx, differ from the contract, take what it forbids or
refuse what it allows, or be had without its credential.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]

# A schema can't say all that is refused: which country has telephone numbers, which time is past, which cursor a list has given, what goes
# together. Those are 400 and 422, which the contract names for each operation; that no other status stands for them is checked.
CONFIG = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "401", "403", "404", "409", "422", "429"]

# Forms and links of the pages: whatever is wrong with one, its browser goes to the page that says so.
[[operations]]
include-path-regex = "^/t/.*/(login|experience|scan)/"
checks.positive_data_acceptance.expected-statuses = ["2xx", "303", "400", "401", "403", "404", "409", "410", "415", "422", "429"]
checks.negative_data_rejection.expected-statuses = ["303", "400", "401", "403", "404", "405", "409", "410", "415", "422", "429"]

[auth.openapi.operatorKey]
bearer = "{operator}"
[auth.openapi.administratorKey]
bearer = "{administrator}"
[auth.openapi.applicationSecret]
bearer = "{application_secret}"
[auth.openapi.loginToken]
bearer = "{login_token}"

[parameters]
"path.tenant" = "{tenant}"
"path.login" = "{login}"
"""


def call(base, path, body, credential=None):
    headers = {"content-type": "application/json"}
    if credential:
        headers["authorization"] = f"Bearer {credential}"
    request = urllib.request.Request(base + path, json.dumps(body).encode(), headers, method="POST")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def patch(base, path, body, credential):
    headers = {"content-type": "application/json", "authorization": f"Bearer {credential}"}
    request = urllib.request.Request(base + path, json.dumps(body).encode(), headers, method="PATCH")
    urllib.request.urlopen(request).close()


def main():
    with tempfile.TemporaryDirectory() as folder:
        program = [sys.argv[1], "--port", "0", "--data", folder, "--json"]
        with subprocess.Popen(program, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as local:
            try:
                said = json.loads(local.stdout.readline())
                base, operator = said["url"], said["operator_key"]
                tenant = call(base, "/v1/tenants", {"name": "Fuzz", "home_country": "US"}, operator)
                key, path = tenant["admin_key"]["secret"], f"/v1/tenants/{tenant['id']}"
                application = call(base, path + "/applications", {"name": "Shop"}, key)
                patch(base, path + "/security", {"mfa": {"sms": {"enabled": True}}}, key)
                person = {"username": "ann", "password": "correct horse battery"}
                call(base, path + "/users", person, key)
                password = {"account": "ann", "password": person["password"]}
                begun = call(base, "/v1/logins", {"application": application["id"], "password": password})
                config = pathlib.Path(folder) / "schemathesis.toml"
                config.write_text(
                    CONFIG.format(
                        operator=operator,
                        administrator=key,
                        application_secret=application["secret"]["secret"],
                        login_token=begun["login_token"],
                        login=begun["login"]["id"],
                        tenant=tenant["id"],
                    ),
                    encoding="utf-8",
                )
                schemathesis = pathlib.Path(sys.executable).with_name("schemathesis")
                arguments = [schemathesis, "--config-file", config, "run", ROOT / "docs/openapi.yaml", "--url", base]
                done = subprocess.run([*arguments, "--checks", "all", *sys.argv[2:]], cwd=folder, check=False)
            finally:
                local.terminate()
    sys.exit(done.returncode)


main()
