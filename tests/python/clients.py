"""Makes clients of docs/openapi.yaml with generators that nobody here wrote, and takes a login with each against `local`.

    clients.py PROGRAM [NODE_MODULES]

Python by openapi-python-client; with NODE_MODULES (tests/clients/package.json) also TypeScript by openapi-typescript.
"""

import importlib
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import typing
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
SPEC = ROOT / "docs/openapi.yaml"


def last_code(url):
    request = urllib.request.Request(url + "/_local/outbox", headers={"accept": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return re.search(r"\d{6}", json.load(answer)[-1]["body"])[0]


def python(folder, url, application, user):
    generator = pathlib.Path(sys.executable).with_name("openapi-python-client")
    made = [generator, "generate", "--path", SPEC, "--meta", "none", "--output-path", folder / "mfa_client"]
    subprocess.run(made, check=True, capture_output=True)
    sys.path.insert(0, str(folder))
    client = importlib.import_module("mfa_client")
    logins = {
        name: importlib.import_module(f"mfa_client.api.logins.{name}")
        for name in ("start_login", "send_code", "verify_code", "get_login")
    }

    def body(module, fields):
        """The model of a body, or the plain fields where the generator has none for it."""
        wanted = module.sync_detailed.__annotations__.get("body")
        models = [it for it in (wanted, *typing.get_args(wanted)) if hasattr(it, "from_dict")]
        return models[0].from_dict(fields) if models else fields

    first = {"application": application, "password": {"account": user["username"], "password": user["password"]}}
    start = logins["start_login"]
    begun = start.sync(client=client.Client(base_url=url), body=body(start, first))
    step = client.AuthenticatedClient(base_url=url, token=begun.login_token)
    login = begun.login.id
    send, verify = logins["send_code"], logins["verify_code"]
    sent = send.sync(login, client=step, body=body(send, {}))
    assert str(sent.login.challenge.delivery.value) == "accepted", sent
    code = last_code(url)
    wrong = verify.sync(login, client=step, body=body(verify, {"code": "000001" if code == "000000" else "000000"}))
    assert wrong.code == "wrong_code", wrong
    done = verify.sync(login, client=step, body=body(verify, {"code": code}))
    assert done.login.status.value == "complete" and done.tokens.access_token, done
    seen = logins["get_login"].sync(login, client=step)
    assert seen.login.status.value == "complete", seen
    print("python: a login is complete")


def typescript(folder, url, application, user, modules):
    binary = modules / ".bin"
    (folder / "node_modules").symlink_to(modules)
    shutil.copy(ROOT / "tests/clients/login.ts", folder)
    (folder / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    subprocess.run([binary / "openapi-typescript", SPEC, "-o", folder / "api.d.ts"], check=True, capture_output=True)
    options = ["--strict", "--target", "es2022", "--module", "nodenext", "--lib", "es2022,dom", "--skipLibCheck"]
    shutil.copy(ROOT / "tests/clients/globals.d.ts", folder)
    done = subprocess.run([binary / "tsc", *options, "login.ts", "globals.d.ts"], cwd=folder, check=False)
    if done.returncode:
        sys.exit("the client does not compile")
    arguments = [url, application, user["username"], user["password"]]
    subprocess.run(["node", "login.js", *arguments], cwd=folder, check=True)
    print("typescript: a login is complete")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        program = [sys.argv[1], "--port", "0", "--data", folder / "data", "--json"]
        with subprocess.Popen(program, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as local:
            try:
                said = json.loads(local.stdout.readline())
                url, demo = said["url"], said["demo"]
                user = next(user for user in demo["users"] if user["phone"])
                python(folder, url, demo["application"], user)
                if len(sys.argv) > 2:
                    clock = json.dumps({"advance_seconds": 3600}).encode()
                    headers = {"content-type": "application/json"}
                    urllib.request.urlopen(urllib.request.Request(url + "/_local/clock", clock, headers)).close()
                    typescript(folder, url, demo["application"], user, pathlib.Path(sys.argv[2]).resolve())
            finally:
                local.terminate()


main()
