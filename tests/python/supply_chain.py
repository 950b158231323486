"""What the build is made of: checks it against deny.toml without a network, and writes it down.

    supply_chain.py check             licences, sources and crates that are banned, of everything in Cargo.lock
    supply_chain.py sbom [PACKAGE]    CycloneDX 1.5 on standard output: what a function (or all of them) is built from

`cargo deny check` reads the same deny.toml and looks for advisories too, which takes a network.
"""

import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tomllib
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGETS = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"]


def metadata():
    filters = [part for target in TARGETS for part in ("--filter-platform", target)]
    command = ["cargo", "metadata", "--format-version", "1", "--locked", *filters]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)


def allowed(expression, licences):
    """SPDX, as far as crates write it: OR binds less than AND; a slash is an OR."""
    text = expression.replace("/", " OR ")
    while "(" in text:
        text = re.sub(r"\(([^()]*)\)", lambda part: "yes" if allowed(part[1], licences | {"yes"}) else "no", text)
    choices = [choice.split(" AND ") for choice in text.split(" OR ")]
    return any(all(part.strip() in licences | {"yes"} for part in choice) for choice in choices)


def is_banned(package, ban):
    name, _, bound = ban["crate"].partition(":<")
    if package["name"] != name:
        return False
    version = [int(part) for part in package["version"].split("+")[0].split("-")[0].split(".")]
    return not bound or version < [int(part) for part in bound.split(".")]


def check(data):
    deny = tomllib.loads((ROOT / "deny.toml").read_text(encoding="utf-8"))
    licences, registries = set(deny["licenses"]["allow"]), deny["sources"]["allow-registry"]
    wrong, used = [], set()
    for package in data["packages"]:
        what = f"{package['name']} {package['version']}"
        if not allowed(package["license"] or "none", licences):
            wrong.append(f"{what}: licence {package['license']}")
        used |= {licence for licence in licences if licence in (package["license"] or "")}
        source = package["source"]
        if source and source.removeprefix("registry+") not in registries:
            wrong.append(f"{what}: from {source}")
        wrong += [f"{what}: {ban['reason']}" for ban in deny["bans"]["deny"] if is_banned(package, ban)]
    wrong += [f"deny.toml: nothing has the licence {licence}" for licence in licences - used]
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{len(data['packages'])} packages, all allowed")


def built_from(data, roots):
    nodes = {node["id"]: node for node in data["resolve"]["nodes"]}
    found, open_ = {}, list(roots)
    while open_:
        package = open_.pop()
        if package in found:
            continue
        normal = [d["pkg"] for d in nodes[package]["deps"] if any(k["kind"] != "dev" for k in d["dep_kinds"])]
        found[package] = sorted(normal)
        open_ += normal
    return found


def sbom(data, wanted):
    packages = {package["id"]: package for package in data["packages"]}
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text(encoding="utf-8"))
    sums = {(p["name"], p["version"]): p["checksum"] for p in lock["package"] if "checksum" in p}
    functions = [p["id"] for p in data["packages"] if f"{ROOT}/functions/" in p["manifest_path"]]
    roots = [p for p in functions if wanted is None or packages[p]["name"] == wanted]
    if not roots:
        sys.exit(f"no function {wanted}")
    found = built_from(data, roots)

    def reference(package):
        return f"pkg:cargo/{packages[package]['name']}@{packages[package]['version']}"

    def component(package):
        it = packages[package]
        made = {"type": "library", "name": it["name"], "version": it["version"], "bom-ref": reference(package)}
        made["purl"] = reference(package)
        made["licenses"] = [{"expression": (it["license"] or "NOASSERTION").replace("/", " OR ").replace("  ", " ")}]
        if (it["name"], it["version"]) in sums:
            made["hashes"] = [{"alg": "SHA-256", "content": sums[it["name"], it["version"]]}]
        return made

    components = [component(package) for package in sorted(found, key=reference)]
    of_all = hashlib.sha256(json.dumps(components, sort_keys=True).encode()).hexdigest()
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        # The same build has the same number.
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, of_all)}",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "name": wanted or "mfa", "version": packages[roots[0]]["version"]}
        },
        "components": components,
        "dependencies": [
            {"ref": reference(package), "dependsOn": sorted({reference(d) for d in on})}
            for package, on in sorted(found.items(), key=lambda item: reference(item[0]))
        ],
    }


def main():
    match sys.argv[1:]:
        case ["check"]:
            check(metadata())
        case ["sbom", *name] if len(name) <= 1:
            json.dump(sbom(metadata(), name[0] if name else None), sys.stdout, indent=1)
            print()
        case _:
            sys.exit(__doc__)


main()
