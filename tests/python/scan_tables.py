"""Scans every table that the tests have written, with a client that nobody of this project wrote.

What has to hold (docs/ARCHITECTURE.md, acceptance H14):
- only the logins tables have a TTL, on the attribute `ttl`;
- every item is of a known kind, has `v` = 1 and the attributes of its kind, and no other;
- none of the secrets that the tests have known is readable, in any attribute or key: in clear, base64, base64url or hex, and what is easily
  guessed (numbers, names, codes) not as an unkeyed hash either;
- without the pepper, no code can be told from the item of its challenge.

It fails if it finds nothing to look at.
"""

import argparse
import base64
import hashlib
import hmac
import json
import multiprocessing
import pathlib
import re
import sys
from collections import Counter

import boto3
from botocore.config import Config

# ---- Layout --------------------------------------------------------------------------------------------------------------------------

ID = r"[A-Za-z0-9_]+"
HASH = r"[A-Za-z0-9_-]{43}"
PHONE = {"sealed": "S", "hash": "S", "hint": "S", "country": "S", "since": "N"}

# For each kind of item: table, partition key, sort key; the attributes that it always has, and those that it may have. Kinds of
# attributes are DynamoDB's.
KINDS = {
    "tenant": (
        "directory", rf"policy#ten_{ID}", r"tenant",
        {"id": "S", "name": "S", "home_country": "S", "created_at": "N", "production": "BOOL", "security": "M", "version": "N", "permanent_owners": "N"},
        {"branding": "M", "message_templates": "M"},
    ),
    "application": (
        "directory", rf"policy#ten_{ID}", rf"application#app_{ID}",
        {"id": "S", "name": "S", "kind": "S", "origins": "L", "redirect_uris": "L", "secrets": "L", "created_at": "N", "version": "N"},
        {"message_host": "S", "custom_security": "M"},
    ),
    "identity source": (
        "directory", rf"policy#ten_{ID}", rf"source#src_{ID}",
        {"id": "S", "name": "S", "issuer": "S", "audience": "S", "created_at": "N"},
        {"jwks_uri": "S", "provisioning": "S"},
    ),
    "administrator key": (
        "directory", rf"policy#ten_{ID}", rf"key#key_{ID}",
        {"id": "S", "tenant": "S", "role": "S", "name": "S", "hash": "S", "created_at": "N"},
        {"expires_at": "N"},
    ),
    "console sessions": (
        "directory", rf"policy#ten_{ID}", rf"console#key_{ID}",
        {"revision": "N", "sessions": "L"},
        {},
    ),
    "origin": ("directory", r"policy#origin#[a-z]+://.+", rf"application#app_{ID}", {}, {}),
    "user": (
        "directory", rf"user#ten_{ID}", rf"usr_{ID}",
        {"created_at": "N", "version": "N"},
        {"username": "M", "email": "M", "identities": "M", "locale": "S", "password_hash": "S"},
    ),
    "owner": ("directory", rf"owner#ten_{ID}#(username|phone|email|subject)#{HASH}", r"owner", {"user": "S"}, {}),
    "event of the audit": (
        "directory", rf"audit#ten_{ID}#(\d{{4}}-\d\d|usr_{ID})", rf"\d{{13}}#evt_{ID}",
        {"id": "S", "tenant": "S", "at": "N", "kind": "S", "actor": "M"},
        {"client_ip": "S", "request_id": "S", "user": "S", "application": "S", "before": "M", "after": "M"},
    ),
    "factor": (
        "logins", rf"login#ten_{ID}#usr_{ID}", r"factor",
        {"failures": "N", "revision": "N"},
        {"phone": "M", "recent_sends": "L", "last_failure": "M"},
    ),
    "challenge": (
        "logins", rf"login#ten_{ID}#usr_{ID}", rf"challenge#\d{{13}}#log_{ID}",
        {"login": "S", "started_at": "N", "max_attempts": "N", "attempts": "N", "sends": "N", "ttl": "N"},
        {
            "pending": "M", "phone_changes": "N", "code_mac": "B", "nonce": "B", "pepper": "S", "sent_hash": "S", "sent_hint": "S", "sent_country": "S",
            "first_sent_at": "N", "sent_at": "N", "expires_at": "N", "resend_at": "N", "delivery": "S", "undelivered": "S", "failures_before": "N",
            "guesses": "BS", "judged": "L", "last_attempt": "S", "idempotency": "SS", "completed": "N",
            "replaces": "S", "old_proven": "N", "sent_since": "N", "sent_test": "S",
        },
    ),
    "recovery codes": (
        "logins", rf"login#ten_{ID}#usr_{ID}", r"recovery",
        {"created_at": "N"},
        {"hashes": "BS"},
    ),
    "trusted device": (
        "logins", rf"login#ten_{ID}#usr_{ID}", rf"trusted-device#dev_{ID}",
        {
            "device": "S", "hash": "B", "application": "S", "created_at": "N", "expires_at": "N", "phone_hash": "S", "phone_since": "N",
            "ttl": "N",
        },
        {},
    ),
    "QR login": (
        "logins", rf"qr#ten_{ID}#qr_{ID}", r"qr",
        {"id": "S", "application": "S", "application_name": "S", "secret_hash": "B", "created_at": "N", "expires_at": "N", "stage": "S", "ttl": "N"},
        {
            "asked_from": "S", "browser": "S", "system": "S", "user": "S", "proven_at": "N", "decision": "S", "at": "N", "client_ip": "S",
            "request_id": "S", "spent_by": "S",
        },
    ),
    "grant": (
        "logins", rf"grant#ten_{ID}#grt_{ID}", r"grant",
        {"login": "S", "redeemed_at": "N", "attempt": "S", "ttl": "N"},
        {"void_at": "N"},
    ),
    "notice": (
        "logins", r"notice#\d", rf"\d{{13}}#usr_{ID}#{ID}",
        {"id": "S", "kind": "S", "tenant": "S", "user": "S", "to": "S", "country": "S", "sender_name": "S", "created_at": "N", "ttl": "N"},
        {"locale": "S", "claim": "S", "claimed_at": "N", "tries": "N"},
    ),
    "limit of a number": (
        "logins", rf"limit#number#{HASH}", r"limit",
        {"attempt": "S", "ttl": "N"},
        {"t1": "N", "t20": "N", "hHOUR": "N", "dDAY": "N"},
    ),
    "an hour of a range, of an address, of an address' QR logins": (
        "logins", rf"limit#(range#ten_{ID}|address|qr)#{HASH}#\d+", r"limit",
        {"used": "N", "attempt": "S", "ttl": "N"},
        {},
    ),
    "a tenant's day": (
        "logins", rf"limit#tenant#ten_{ID}#\d+#\d+", r"limit",
        {"ttl": "N"},
        {"attempt": "S", "messages": "N", "country_XX": "N", "application_APP": "N", "micro_usd": "N", "stopped": "N"},
    ),
    "refusals by a rule": (
        "logins", rf"limit#refused#ten_{ID}#usr_{ID}#\w+#\d+", r"limit",
        {"tenant": "S", "user": "S", "application": "S", "rule": "S", "at": "N", "refusals": "N", "ttl": "N"},
        {"client_ip": "S", "request_id": "S"},
    ),
    "failed first factors": (
        "logins", rf"limit#first-factor#{HASH}", r"limit",
        {"failures": "N", "last_failure": "N", "ttl": "N"},
        {"attempt": "S"},
    ),
}

# Attributes whose names are made up as they are needed, by what the document calls them.
FAMILIES = {
    "t1": r"t1",
    "t20": r"t([2-9]|1\d|20)",
    "hHOUR": r"h\d+",
    "dDAY": r"d\d+",
    "country_XX": r"country_[A-Z]{2}",
    "application_APP": rf"application_app_{ID}",
}

# Attributes that hold a time, in milliseconds since 1970.
TIMES = re.compile(r".*_at|at|since|completed|last_failure|old_proven|sent_since")

DOCUMENT = pathlib.Path(__file__).parents[2] / "docs" / "ARCHITECTURE.md"


def check_document():
    """What the document's two tables of items say otherwise than this file."""
    documented = {}
    table = None
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = re.fullmatch(r"### Table `(\w+)`", line)
            table = heading and heading[1]
        elif table and line.startswith("|"):
            item, _, _, attributes = (cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|")))
            if item != "item" and not item.startswith("---"):
                # In brackets is what an attribute is made of, after a colon what it means.
                attributes = re.sub(r"\([^)]*\)", "", attributes).split(":")[0]
                documented[item] = (table, set(re.findall(r"`([^`]+)`", attributes)))
    for kind in sorted(documented.keys() | KINDS.keys()):
        here = kind in KINDS and (KINDS[kind][0], KINDS[kind][3].keys() | KINDS[kind][4].keys())
        there = documented.get(kind)
        if here != there:
            yield f"{DOCUMENT.name} has of {kind}: {there}; here it is {here}"


def kind_of(role, item):
    pk, sk = item.get("pk", {}).get("S", ""), item.get("sk", {}).get("S", "")
    for kind, (table, pk_form, sk_form, _, _) in KINDS.items():
        if table == role and re.fullmatch(pk_form, pk) and re.fullmatch(sk_form, sk):
            return kind
    return None


def check_layout(kind, item):
    """What is wrong with an item."""
    _, _, _, required, optional = KINDS[kind]
    known = {"pk": "S", "sk": "S", "v": "N"} | required
    types = {name: next(iter(value)) for name, value in item.items()}
    for name, wanted in known.items():
        if name not in types:
            yield f"no {name}"
    for name, found in types.items():
        family = next((family for family in optional if re.fullmatch(FAMILIES.get(family, family), name)), None)
        wanted = known.get(name) or optional.get(family)
        if wanted is None:
            yield f"an attribute {name}"
        elif wanted != found:
            yield f"{name} is {found}, not {wanted}"
    if item.get("v") != {"N": "1"}:
        yield f"v is {item.get('v')}"
    ttl = item.get("ttl", {}).get("N")
    if ttl is not None and not 1_500_000_000 < int(ttl) < 5_000_000_000:
        yield f"ttl is no time in seconds: {ttl}"
    for name, value in numbers(item):
        if TIMES.fullmatch(name) and not 1_500_000_000_000 < int(value) < 5_000_000_000_000:
            yield f"{name} is no time in milliseconds: {value}"
    for phone in (item.get("phone"), item.get("pending")):
        if phone and {name: next(iter(value)) for name, value in phone["M"].items()} != PHONE:
            yield f"a number with {sorted(phone['M'])}"
        elif phone and not re.fullmatch(r"\+\d{1,3} ••• ••• ••\d\d", phone["M"]["hint"]["S"]):
            yield "a hint that hints too much"
    if "code_mac" in item and (len(item["code_mac"]["B"]), len(item["nonce"]["B"])) != (32, 16):
        yield "a code_mac or nonce of another length"


def numbers(item):
    """Every number of an item and of the maps in it, by name."""
    for name, value in item.items():
        if "N" in value:
            yield name, value["N"]
        elif "M" in value:
            yield from numbers(value["M"])


# ---- Readable secrets ----------------------------------------------------------------------------------------------------------------

# What can be found by trying: its unkeyed hash is as good as the thing itself.
GUESSABLE = re.compile(r"number|phone|username|user name|e-?mail|password|code")
WORD = rb"(?<![0-9A-Za-z])%s(?![0-9A-Za-z])"
PREFIX = 8


def values(value):
    """The bytes of everything in an attribute: texts, numbers, binaries, names."""
    (kind, inner), = value.items()
    if kind in ("S", "N"):
        yield inner.encode()
    elif kind == "B":
        yield bytes(inner)
    elif kind in ("SS", "NS"):
        yield from (text.encode() for text in inner)
    elif kind == "BS":
        yield from map(bytes, inner)
    elif kind == "L":
        for each in inner:
            yield from values(each)
    elif kind == "M":
        for name, each in inner.items():
            yield name.encode()
            yield from values(each)


def forms(kind, secret):
    """A secret in every form in which it could be read, by name."""
    secret = secret.encode()
    yield "clear", secret
    yield "hex", secret.hex().encode()
    yield "HEX", secret.hex().upper().encode()
    for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
        yield name, encode(secret).rstrip(b"=")
        if not secret.isdigit():
            # Within a longer text it may begin at any of three places. What its neighbours have a share in is left out.
            for before in (1, 2):
                encoded = encode(b"\0" * before + secret).rstrip(b"=")
                whole = encoded[before + 1 : len(encoded) - (1 if (before + len(secret)) % 3 else 0)]
                yield f"{name} from byte {before}", whole
    if GUESSABLE.search(kind):
        for name in ("sha256", "sha1", "md5"):
            digest = hashlib.new(name, secret).digest()
            yield name, digest
            yield f"{name} in hex", digest.hex().encode()
            yield f"{name} in base64", base64.b64encode(digest).rstrip(b"=")
            yield f"{name} in base64url", base64.urlsafe_b64encode(digest).rstrip(b"=")


class Needles:
    """Many needles in one haystack: those that begin alike are compared where their beginning stands."""

    def __init__(self, canaries):
        self.by_prefix = {}
        self.short = []
        for kind, secret in canaries:
            digits = secret.isdigit()
            for form, needle in forms(kind, secret):
                what = (needle, digits, f"a {kind} in {form}")
                if len(needle) < PREFIX:
                    # Digits turn up within longer numbers and ids: a code counts where it stands alone.
                    self.short.append((re.compile(WORD % re.escape(needle) if digits else re.escape(needle)), what[2]))
                else:
                    self.by_prefix.setdefault(needle[:PREFIX], []).append(what)

    def find(self, haystack):
        for at in range(len(haystack) - PREFIX + 1):
            for needle, digits, what in self.by_prefix.get(haystack[at : at + PREFIX], ()):
                if haystack.startswith(needle, at) and not (digits and touches(haystack, at, len(needle))):
                    yield at, what
        for pattern, what in self.short:
            for match in pattern.finditer(haystack):
                yield match.start(), what


def touches(haystack, at, length):
    """Whether a letter or digit stands right before or after."""
    around = haystack[max(at - 1, 0) : at] + haystack[at + length : at + length + 1]
    return any(chr(byte).isalnum() and byte < 128 for byte in around)


def check_readable(items, canaries):
    haystack, starts = bytearray(), []
    for where, item in items:
        for name, value in item.items():
            if name == "security" and "M" in value:
                # A tenant's list of numbers that nobody has to be reached at: a setting, kept as it was written (docs/ARCHITECTURE.md).
                value = {"M": {key: each for key, each in value["M"].items() if key != "test_numbers"}}
            for part in values(value):
                starts.append((len(haystack), f"{where}, {name}"))
                haystack += part + b"\x1f"
    found = list(Needles(canaries).find(bytes(haystack)))
    for at, what in found:
        place = next(where for start, where in reversed(starts) if start <= at)
        yield f"{place}: {what}"


# ---- Codes without the pepper --------------------------------------------------------------------------------------------------------


def attack_keys(item):
    """All that a thief of the table has, one by one and the likely ones together."""
    parts = {name: b"".join(values(value)) for name, value in item.items() if name not in ("code_mac", "guesses")}
    keys = {b""} | {part for part in parts.values() if part}
    keys |= {part for name in ("pending", "phone") if name in item for part in values(item[name])}
    keys |= {piece for name in ("pk", "sk") for piece in re.split(rb"#", parts[name])}
    names = [parts["pk"].split(b"#")[1], parts["pk"].split(b"#")[-1], parts["sk"].split(b"#")[-1]]
    nonce = parts.get("nonce", b"")
    for separator in (b"", b"|", b"#"):
        keys.add(separator.join(names))
        keys.add(separator.join(names) + separator + nonce)
        keys.add(nonce + separator + separator.join(names))
    # Small counts are no keys.
    return sorted(key for key in keys if len(key) > 3 or not key)


EVERY_CODE = [b"%06d" % number for number in range(1_000_000)]


def attack(job):
    """The codes that a key turns into a MAC of the item; `None` stands for every code there is."""
    key, targets, codes = job
    codes = EVERY_CODE if codes is None else codes
    found = []
    prefix = hashlib.sha256(key)
    keyed = hmac.digest
    for code in codes:
        before = prefix.copy()
        before.update(code)
        if (
            before.digest() in targets
            or hashlib.sha256(code + key).digest() in targets
            or keyed(key, code, "sha256") in targets
        ):
            found.append(code)
    return found


def attack_item(item, codes, pool=None):
    targets = {bytes(item["code_mac"]["B"])} | {bytes(mac) for mac in item.get("guesses", {}).get("BS", ())}
    jobs = [(key, targets, codes) for key in attack_keys(item)]
    results = pool.imap_unordered(attack, jobs) if pool else map(attack, jobs)
    return sorted({code for found in results for code in found})


def check_attack_works(challenge):
    """The attack is worth something only if it finds the code of an item without a pepper."""
    code = b"493021"
    nonce = bytes(challenge["nonce"]["B"])
    user = challenge["pk"]["S"].split("#")[-1].encode()
    for mac in (
        hashlib.sha256(nonce + code).digest(),
        hmac.digest(nonce, code, "sha256"),
        hashlib.sha256(code).digest(),
        hashlib.sha256(code + user).digest(),
        hmac.digest(challenge["login"]["S"].encode(), code, "sha256"),
    ):
        weak = challenge | {"code_mac": {"B": mac}}
        assert attack_item(weak, [b"000000", code]) == [code], "the attack misses a weak item"


# ---- The run -------------------------------------------------------------------------------------------------------------------------


def tables_of(client, arguments):
    """Each table's name and what it is."""
    if not arguments.every_table:
        return [(arguments.directory, "directory"), (arguments.logins, "logins")]
    found = []
    for page in client.get_paginator("list_tables").paginate():
        for name in page["TableNames"]:
            role = next((role for role in ("directory", "logins") if role in name), None)
            if role is None:
                sys.exit(f"{name}: which table is that?")
            found.append((name, role))
    return found


def check_table(client, name, role):
    description = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    ttl = (description["TimeToLiveStatus"], description.get("AttributeName"))
    wanted = ("ENABLED", "ttl") if role == "logins" else ("DISABLED", None)
    if ttl != wanted:
        yield f"{name}: its TTL is {ttl}, not {wanted}"
    schema = client.describe_table(TableName=name)["Table"]["KeySchema"]
    keys = [(key["AttributeName"], key["KeyType"]) for key in schema]
    if keys != [("pk", "HASH"), ("sk", "RANGE")]:
        yield f"{name}: its keys are {keys}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--canaries", required=True, help="secrets that the tests have known, a JSON object a line")
    parser.add_argument("--directory")
    parser.add_argument("--logins")
    parser.add_argument("--every-table", action="store_true")
    parser.add_argument("--every-code", type=int, default=0, metavar="N", help="try all million codes on this many challenges")
    arguments = parser.parse_args()

    with open(arguments.canaries, encoding="utf-8") as file:
        canaries = sorted({(canary["kind"], canary["value"]) for canary in map(json.loads, file)})
    client = boto3.client(
        "dynamodb",
        endpoint_url=arguments.endpoint,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"max_attempts": 3, "mode": "standard"}),
    )

    wrong, items, kinds, challenges = list(check_document()), [], Counter(), []
    tables = tables_of(client, arguments)
    for table, role in tables:
        wrong += check_table(client, table, role)
        for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            for item in page["Items"]:
                where = f"{table}: {item['pk'].get('S')} {item['sk'].get('S')}"
                items.append((where, item))
                # Contract suites write values that no login has: their items are searched for secrets, and have no layout to keep.
                if table.startswith("made-up-"):
                    kinds["made up by a contract suite"] += 1
                    continue
                kind = kind_of(role, item)
                kinds[kind] += 1
                if kind is None:
                    wrong.append(f"{where}: an item of no kind")
                    continue
                wrong += [f"{where}: {what}" for what in check_layout(kind, item)]
                if kind == "challenge" and "code_mac" in item:
                    challenges.append((where, item))
    print(f"{len(tables)} tables, {len(items)} items: {', '.join(f'{n} {kind}' for kind, n in kinds.most_common())}")
    print(f"{len(canaries)} secrets: {', '.join(f'{n} {kind}' for kind, n in Counter(kind for kind, _ in canaries).most_common())}")
    if not items or not canaries or not challenges:
        sys.exit("nothing to look at: no items, no secrets or no challenge with a code")

    wrong += check_readable(items, canaries)

    check_attack_works(challenges[0][1])
    # The codes that the tests know are those that the items hold, so they are all that an attack has to find.
    codes = [value.encode() for kind, value in canaries if kind == "code"]
    step = max(len(challenges) // 50, 1)
    for where, item in challenges[::step]:
        wrong += [f"{where}: code {code.decode()} can be told from it" for code in attack_item(item, codes)]
    if not codes:
        sys.exit("nothing to attack with: the tests have named no code")
    print(f"{len(challenges[::step])} of {len(challenges)} challenges withstand {len(codes)} known codes")
    if arguments.every_code:
        with multiprocessing.Pool() as pool:
            for where, item in challenges[-arguments.every_code :]:
                wrong += [f"{where}: {code.decode()} can be told from it" for code in attack_item(item, None, pool)]
        print(f"{arguments.every_code} of them withstand all {len(EVERY_CODE)} codes")

    if wrong:
        sys.exit("\n".join(wrong[:50] + [f"and {len(wrong) - 50} more"] * (len(wrong) > 50)))


if __name__ == "__main__":
    main()
