"""What a million completed logins cost: the arithmetic of docs/COST.md, and the bill of docs/SCALE.md.

    cost.py            writes the tables
    cost.py --check    fails where docs/COST.md has other ones

Units are those of the table in docs/PERFORMANCE.md that tests/capacity keeps true; bytes that are logged and answered those that
tests/bench/counts counts; milliseconds come from cost_inputs.json. Prices are us-east-1's in November 2026, on demand, without a free tier.
"""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs/COST.md"
INPUTS = json.loads((ROOT / "tests/python/cost_inputs.json").read_text())
BASELINE = json.loads((ROOT / "tests/bench/counts/baseline.json").read_text())

MILLION = 1_000_000

# In dollars. A gigabyte is 10^9 bytes to the network and 2^30 to logs and tables; the smaller one is used for all.
API_REQUEST = 1.00 / MILLION
LAMBDA_REQUEST = 0.20 / MILLION
GB_SECOND = 0.0000133334
READ_UNIT = 0.125 / MILLION
WRITE_UNIT = 0.625 / MILLION
# Provisioned: an hour of one unit.
READ_CAPACITY_HOUR = 0.00013
WRITE_CAPACITY_HOUR = 0.00065
TABLE_GB_MONTH = 0.25
PITR_GB_MONTH = 0.20
LOG_GB = 0.50
LOG_GB_MONTH = 0.03
OUT_GB = 0.09
METRIC_MONTH = 0.30
ALARM_MONTH = 0.10
DASHBOARD_MONTH = 3.00
SECRET_MONTH = 0.40
KMS_REQUEST = 0.03 / 10_000
US_MESSAGE, US_CARRIER = 0.0058, 0.003

SIZES = (128, 256, 512)
# As template.yaml has them, in MB.
DEPLOYED = {"sign-in": 512, "code-issuance": 256, "code-verification": 256, "audit-trail": 256}
# A whole vCPU comes with this much, and less of it with less.
WHOLE_CPU = 1769
# One start among so many requests.
STARTS = 0.01

# One request of each function in a login: (reads, writes, transactions, messages) that it waits for one after another. Those that go side by
# side are one.
WAITS = {
    "sign-in": (2, 0, 0, 0),
    "code-issuance": (1, 1, 1, 1),
    "code-verification": (0, 1, 0, 0),
    "audit-trail": (0, 1, 0, 0),
}
# The calls of a login by password with a code, and where the units of each stand: (function, row of docs/PERFORMANCE.md, call of tests/bench/counts).
CALLS = {
    "`POST /v1/logins`": ("sign-in", ("sign-in by password", "code asked"), "sign-in by assertion"),
    "`POST …/code`": ("code-issuance", ("send", "first"), "issue"),
    "`POST …/verification`": ("code-verification", ("verify", "right"), "verify, right"),
}
# The event of the accepted code, by month and by user; reading a stream costs a Lambda function nothing.
AUDIT_WRITES = 2

# Bytes with what DynamoDB adds to an item, and for how many days.
KEPT = {
    "audit, an event twice": (2 * (620 + 100), 30),
    "challenge": (1100 + 100, 3),
    "limits of number, range and address": (3 * (200 + 100), 2),
}

# What Lambda writes of each request by itself, and API Gateway, as template.yaml's AccessLogSettings have it.
REQUEST_ID = "8f5a2c0e-6c1b-4c7e-9c55-0c1f9f0d2a11"
PLATFORM_LINES = (
    f"START RequestId: {REQUEST_ID} Version: 12\n"
    f"END RequestId: {REQUEST_ID}\n"
    f"REPORT RequestId: {REQUEST_ID}\tDuration: 41.23 ms\tBilled Duration: 42 ms\tMemory Size: 256 MB\tMax Memory Used: 21 MB\t\n"
)
ACCESS_LINE = (
    '{"time":"24/Nov/2026:15:04:05 +0000","request_id":"U4nXhjR3oAMEV0Q=","route":"POST /v1/logins/{login}/verification","status":"200",'
    '"latency_ms":"43","function_ms":"41","error":"-"}\n'
)


def units():
    """Read and write units by use case and outcome, from the table that tests/capacity writes."""
    text = (ROOT / "docs/PERFORMANCE.md").read_text()
    rows = text.split("<!-- capacity -->\n")[1].split("<!-- /capacity -->")[0].splitlines()[2:]
    found, use_case = {}, ""
    for row in rows:
        named, outcome, _, _, reads, writes = (cell.strip() for cell in row.strip("|").split("|"))
        use_case = named or use_case
        found[use_case, outcome] = (float(reads), float(writes))
    return found


UNITS = units()
# (what, requests to the API, read units, write units)
STEPS = [(what, 1, *(int(unit) for unit in UNITS[row])) for what, (_, row, _) in CALLS.items()]
STEPS.append(("`audit-trail`, behind it", 0, 0, AUDIT_WRITES))
REQUESTS, READS, WRITES = (sum(step[i] for step in STEPS) for i in (1, 2, 3))


def milliseconds(function, size):
    """How long a request lasts: its work on the share of a processor that comes with the size, and what it waits for."""
    work = INPUTS["cpu"]["milliseconds"][function] * max(1, WHOLE_CPU / size)
    waits = zip(WAITS[function], ("read", "write", "transaction", "message"))
    return work + sum(count * INPUTS["waiting"][what] for count, what in waits)


def seconds(function, size):
    """Gigabyte-seconds that a request is billed, starts among them. A start has a whole processor."""
    billed = milliseconds(function, size) + STARTS * (INPUTS["cpu"]["init"][function] + 40)
    return billed / 1000 * size / 1024


def lambda_time(sizes, audits=1):
    return sum(seconds(name, sizes[name]) * (audits if name == "audit-trail" else 1) for name in WAITS) * GB_SECOND


def logged():
    """Bytes of a login in the logs: ours, Lambda's own, and the gateway's."""
    ours = sum(BASELINE["bytes"][call]["logged"] for _, _, call in CALLS.values())
    return {"ours": ours, "Lambda's own": len(PLATFORM_LINES) * (REQUESTS + 1), "the gateway's": len(ACCESS_LINE) * REQUESTS}


def answered():
    return sum(BASELINE["bytes"][call]["answered"] for _, _, call in CALLS.values())


def lines(sizes=None, audits=1):
    """What one login costs, line by line, in dollars. `audits`: requests of `audit-trail` a login; many share one where logins are many."""
    gigabyte_days = sum(size * days for size, days in KEPT.values()) / 1e9
    return {
        "HTTP API": REQUESTS * API_REQUEST,
        "DynamoDB, write units": WRITES * WRITE_UNIT,
        "DynamoDB, read units": READS * READ_UNIT,
        "DynamoDB, storage and PITR": gigabyte_days / 30 * (TABLE_GB_MONTH + PITR_GB_MONTH),
        "Lambda, requests": (REQUESTS + audits) * LAMBDA_REQUEST,
        "Lambda, time": lambda_time(sizes or DEPLOYED, audits),
        "CloudWatch Logs": sum(logged().values()) / 1e9 * (LOG_GB + LOG_GB_MONTH),
        "answers, out to the internet": answered() / 1e9 * OUT_GB,
    }


def dollars(value):
    return f"${value:,.2f}"


def table(head, rows):
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(out + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def bill():
    bases = {
        "HTTP API": f"{REQUESTS} requests",
        "DynamoDB, write units": f"{WRITES} units",
        "DynamoDB, read units": f"{READS} units",
        "DynamoDB, storage and PITR": "what is left of a login, for as long as it is kept, the audit for a month",
        "Lambda, requests": f"{REQUESTS} requests, and one of `audit-trail`",
        "Lambda, time": "; ".join(f"`{name}` {milliseconds(name, size):.0f} ms at {size} MB" for name, size in DEPLOYED.items()),
        "CloudWatch Logs": f"{sum(logged().values()):,} bytes: " + ", ".join(f"{what} {count:,}" for what, count in logged().items()),
        "answers, out to the internet": f"{answered():,} bytes",
    }
    all_lines = lines()
    rows = [(what, bases[what], dollars(each * MILLION)) for what, each in all_lines.items()]
    rows.append(("**in all**", "", f"**{dollars(sum(all_lines.values()) * MILLION)}**"))
    return table(("line", "of one login", "a million logins"), rows)


def sizes():
    rows = []
    for name in WAITS:
        cells = [f"{milliseconds(name, size):.0f} ms, {dollars(seconds(name, size) * GB_SECOND * MILLION)}" for size in SIZES]
        rows.append((f"`{name}`", *cells, f"{DEPLOYED[name]} MB"))
    totals = [dollars(lambda_time(dict.fromkeys(WAITS, size)) * MILLION) for size in SIZES]
    rows.append(("in all", *totals, dollars(lambda_time(DEPLOYED) * MILLION)))
    return table(("function", *(f"{size} MB" for size in SIZES), "deployed"), rows)


# Fixed: (what, how many, dollars each a month).
def fixed():
    principals, tables = 9, 2
    # DynamoDB keeps a table's key for five minutes for each caller.
    key_requests = tables * principals * 12 * 24 * 30
    rows = [
        ("secrets, with the operator's first key", 8, SECRET_MONTH),
        ("alarms", 30, ALARM_MONTH),
        ("a dashboard", 1, DASHBOARD_MONTH),
        ("the service's metrics: five in all and by country (ten countries), refusals in all and by rule (ten rules)", 5 * 11 + 11, METRIC_MONTH),
        ("requests for the tables' keys", key_requests, KMS_REQUEST),
    ]
    made = [(what, f"{count:,}", dollars(count * each)) for what, count, each in rows]
    made.append(("in all", "", dollars(sum(count * each for _, count, each in rows))))
    return table(("what", "how many", "a month"), made)


def savings():
    now = sum(lines().values()) * MILLION
    on_demand = WRITES * WRITE_UNIT + READS * READ_UNIT

    def provisioned(use):
        return on_demand - (WRITES * WRITE_CAPACITY_HOUR + READS * READ_CAPACITY_HOUR) / 3600 / use

    logs = len(PLATFORM_LINES) * (REQUESTS + 1) / 1e9 * (LOG_GB + LOG_GB_MONTH)
    busy = sum(lines().values()) - sum(lines(audits=0.02).values())
    one_place = WRITE_UNIT + KEPT["audit, an event twice"][0] / 2 / 1e9 * (TABLE_GB_MONTH + PITR_GB_MONTH)
    lease = 0.9 * WRITE_UNIT
    one_call = API_REQUEST + LAMBDA_REQUEST + (len(PLATFORM_LINES) + len(ACCESS_LINE)) / 1e9 * (LOG_GB + LOG_GB_MONTH)
    rows = [
        ("both tables provisioned, 70 % of it used on average (auto scaling's usual target)", provisioned(0.7), "a peak above what is provisioned is throttled until it has grown: for a service whose load is steady, or whose peaks are known"),
        ("the same, half of it used", provisioned(0.5), "the same"),
        ("function URLs in the place of the HTTP API", REQUESTS * (API_REQUEST + len(ACCESS_LINE) / 1e9 * (LOG_GB + LOG_GB_MONTH)), "an address for each function, no throttle by route, no domain of one's own without a CDN, which bills requests too"),
        ("the first message is sent with the sign-in, in one call", one_call, "another contract, and a `sign-in` that may send"),
        ("an audit event in one place", one_place, "the events of a user are then found by reading the tenant's months"),
        ("the tenant's day is counted in tens that an environment takes ahead", lease, "a day's limit is refused earlier, by what environments took and never used; never overrun"),
        ("Lambda's own lines left out (`SystemLogLevel: WARN`, in JSON)", logs, "how long a request took is then in metrics and in the gateway's log only"),
        ("many logins share a request of `audit-trail`", busy, "comes by itself from some ten logins a second on"),
    ]
    return table(("what", "less", "then in all", "at the price of"), [(what, dollars(less * MILLION), dollars(now - less * MILLION), price) for what, less, price in rows])


def tiers(count, steps):
    """`steps`: (up to so many users, dollars each)."""
    total, before = 0, 0
    for limit, each in steps:
        total += (min(count, limit) - before) * each if count > before else 0
        before = limit
    return total


EVER = 10**12
# (service, a million users once, a hundred thousand ten times, who bills messages, source).
PEERS = [
    ("Twilio Verify", 0.05 * MILLION, 0.05 * MILLION, "$8,300 and carriers' fees", "$0.05 a successful verification: modxcms wiki, 2022; messages: budgetforge, 2026-07"),
    ("Vonage Verify", 0.05 * MILLION, 0.05 * MILLION, "about €14,000", "€0.05 a conversion (the figures are euros): api.support.vonage.com, articles 360038161032 and 14842100202268"),
    ("Amazon Cognito, Essentials", tiers(MILLION, [(10_000, 0), (EVER, 0.015)]), tiers(100_000, [(10_000, 0), (EVER, 0.015)]), "AWS's", "$0.015 a monthly user above 10,000: Amazon Cognito's price list, 2026-09"),
    ("Amazon Cognito, Plus", 0.02 * MILLION, 0.02 * 100_000, "AWS's", "$0.02 a monthly user: the same"),
    ("Amazon Cognito, Lite", tiers(MILLION, [(10_000, 0), (100_000, 0.0055), (EVER, 0.0046)]), tiers(100_000, [(10_000, 0), (100_000, 0.0055)]), "AWS's", "$0.0055 a monthly user above 10,000, $0.0046 above 100,000: the same"),
    ("Google Identity Platform", tiers(MILLION, [(50_000, 0), (100_000, 0.0055), (EVER, 0.0046)]), tiers(100_000, [(50_000, 0), (100_000, 0.0055)]), "$10,000 at $0.01", "cloud.google.com/identity-platform/pricing; the price of a message is 2021's"),
    ("Auth0", None, None, "the customer's own provider", "Essentials from $35, Professional from $240 a month for 500 users; for more than its list has, its sales department: Auth0's price list, 2026-09"),
]


def peers():
    own = sum(lines().values()) * MILLION
    rows = [("this service", dollars(own), dollars(own), f"AWS's: {US_MESSAGE * MILLION:,.0f} and carriers' {US_CARRIER * MILLION:,.0f} dollars", "above")]
    for name, once, often, messages, source in PEERS:
        cell = lambda value: "not published" if value is None else f"${value:,.0f}, {value / own:,.0f} ×"
        rows.append((name, cell(once), cell(often), messages, source))
    return table(("service", "1,000,000 users, once", "100,000 users, ten times", "messages to US numbers, beside it", "source"), rows)


def with_messages():
    own = sum(lines().values()) * MILLION
    message = (US_MESSAGE + US_CARRIER) * MILLION
    twilio = 0.05 * MILLION + 8_300 + US_CARRIER * MILLION
    return table(
        ("", "a million logins with a message to a US number"),
        [("this service", f"${own + message:,.0f}, of which the service is {own / (own + message):.2%}"), ("Twilio Verify", f"${twilio:,.0f}")],
    )


def inputs():
    return "- Work: " + INPUTS["cpu"]["from"] + ".\n- Waiting: " + INPUTS["waiting"]["from"] + "."


BLOCKS = {"bill": bill, "sizes": sizes, "inputs": inputs, "fixed": fixed, "savings": savings, "peers": peers, "messages": with_messages}


def filled(text, blocks):
    for name, make in blocks.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, rest = text.split(begin)
        _, after = rest.split(end)
        text = before + begin + make() + "\n" + end + after
    return text


if __name__ == "__main__":
    text = DOCUMENT.read_text()
    new = filled(text, BLOCKS)
    if sys.argv[1:] == ["--check"]:
        if new != text:
            sys.exit("docs/COST.md has other tables than tests/python/cost.py: run it, and read what changed")
    else:
        DOCUMENT.write_text(new)
