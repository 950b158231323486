"""Writes what a function needs to run on a laptop by itself, from the keys that `cargo run -p local` has made in .local:

    one_by_one.py [--dynamodb URL] [--data FOLDER]

.local/functions.env    variables for `cargo lambda watch --env-file` (docs/FUNCTIONS.md)
.local/template.yaml    template.yaml with the same variables, for `sam build` and `sam local`

sam local sets no variable that the template does not name, so it needs a template that names them. Both files hold secrets: they are
in the folder that git ignores, and for tests only.
"""

import argparse
import json
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
GLOBALS = "        LOG_LEVEL: !Ref LogLevel\n"


def variables(data, dynamodb):
    keys = json.loads((data / "keys.json").read_text(encoding="utf-8"))
    secrets = {name: value for name, value in keys.items() if name != "operator_key" and name != "operator-key"}
    of_secrets = {
        "SECRET_" + name.replace("-", "_").upper(): json.dumps(value, separators=(",", ":"))
        for name, value in secrets.items()
    }
    return {
        "ALLOW_PRIVATE_ISSUERS": "true",
        "AWS_ENDPOINT_URL_DYNAMODB": dynamodb,
        # Nobody listens there: a message is not sent, and the call says delivery_failed.
        "AWS_ENDPOINT_URL_SNS": "http://127.0.0.1:9",
        "BASE_URL": "http://127.0.0.1:3000",
        "DIRECTORY_TABLE": "directory",
        "LOGINS_TABLE": "logins",
        **of_secrets,
    }


def write(path, text):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    print(path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dynamodb", default="http://dynamodb:8000", help="as the function sees it")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / ".local", help="the folder of `local`")
    options = parser.parse_args()
    found = variables(options.data, options.dynamodb)
    account = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": "us-east-1"}
    lines = [f"{name}='{value}'" for name, value in {**account, **found}.items()]
    write(options.data / "functions.env", "\n".join(lines) + "\n")

    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    own = ("ALLOW_PRIVATE_ISSUERS", "BASE_URL", "DIRECTORY_TABLE", "LOGINS_TABLE")
    kept = [line for line in template.splitlines(True) if not line.strip().startswith(tuple(f"{n}:" for n in own))]
    added = "".join(f"        {name}: {json.dumps(value)}\n" for name, value in found.items())
    assert GLOBALS in kept, "template.yaml is no longer as this expects it"
    text = "".join(kept).replace(GLOBALS, GLOBALS + added, 1)
    text = text.replace("CodeUri: functions/", "CodeUri: ../functions/")
    write(options.data / "template.yaml", text.replace("TemplateURL: infra/", "TemplateURL: ../infra/"))


main()
