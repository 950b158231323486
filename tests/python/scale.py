"""The arithmetic of docs/SCALE.md, and a simulation where arithmetic is not enough.

    scale.py            prints the tables
    scale.py --check    fails where docs/SCALE.md has other ones

Units, milliseconds and prices are those of cost.py. The simulation draws from a generator with a fixed seed, so that it says the same each time.
"""

import math
import pathlib
import random
import re
import sys

import cost
from cost import PITR_GB_MONTH, STEPS, TABLE_GB_MONTH, filled, table

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs/SCALE.md"
LIMITS = ROOT / "shared/src/dynamodb/limit_store.rs"

USERS = 100_000_000
TENANTS = 10_000
LOGINS_A_SECOND = 10_000
LOGINS_A_DAY = 100_000_000

# The functions that somebody waits for.
FUNCTIONS = [name for name in cost.WAITS if name != "audit-trail"]
# At this rate a request of `audit-trail` gets as many records as it may.
AUDITS = 0.02

# What DynamoDB gives one partition: units a second, and gigabytes.
PARTITION_READS = 3000
PARTITION_WRITES = 1000
PARTITION_GB = 10

# Of a login by password, what the directory reads: tenant, application, owner and user. The rest is in the logins table.
DIRECTORY_READS = 4

# As KEPT_SECONDS of dynamodb/limit_store.rs has it.
LIMIT_DAYS = int(re.search(r"const KEPT_SECONDS: u32 = (\d+) \* 86_400;", LIMITS.read_text())[1])

# What is kept, and for how long: (table, what, bytes, how many).
KEPT = [
    ("directory", "users", 450, USERS),
    ("directory", "their owner items, three each", 180, USERS * 3),
    ("directory", "audit, a year, an event twice", 620, LOGINS_A_DAY * 365 * 2),
    ("logins", "factors", 420, USERS),
    ("logins", "recovery codes' hashes, ten for each user", 460, USERS),
    ("logins", "trusted devices, one for each user", 360, USERS),
    ("logins", "challenges, 72 h", 1100, LOGINS_A_DAY * 3),
    ("logins", f"limits of number, range and address, {LIMIT_DAYS} days", 200, LOGINS_A_DAY * 3 * LIMIT_DAYS),
    ("logins", "grants, a day, of every second login", 200, LOGINS_A_DAY // 2),
    ("logins", "QR logins, a day, of every twentieth login", 500, LOGINS_A_DAY // 20),
    # A notice is deleted once it has been sent; two of each user in a year, and one in a hundred is never taken.
    ("logins", "notices, a week, of those that can't be sent", 400, USERS * 2 * 7 // 365 // 100),
]

def number(value):
    return f"{value:,.0f}"


def requests():
    rows = [(what, calls, reads, writes) for what, calls, reads, writes in STEPS]
    sums = [sum(step[i] for step in STEPS) for i in (1, 2, 3)]
    rows.append(("a login", *sums))
    rows.append((f"{number(LOGINS_A_SECOND)} logins a second", *(number(s * LOGINS_A_SECOND) for s in sums)))
    return table(("", "API requests", "read units", "write units"), rows)


def concurrency():
    rows = []
    for name in FUNCTIONS:
        milliseconds = cost.milliseconds(name, cost.DEPLOYED[name])
        mean = LOGINS_A_SECOND * milliseconds / 1000
        # Arrivals of many users are Poisson, and so is how many are being served.
        peak = mean + 4 * math.sqrt(mean)
        rows.append((f"`{name}`", number(milliseconds), number(mean), number(peak)))
    return table(("function", "ms a request", "environments, on average", "four deviations above"), rows)


def bill():
    lines = cost.lines(audits=AUDITS)
    rows = [(what, f"${each * 1e6:.2f}", f"${each * LOGINS_A_DAY:,.0f}") for what, each in lines.items()]
    total = sum(lines.values())
    rows.append(("in all", f"${total * 1e6:.2f}", f"${total * LOGINS_A_DAY:,.0f}"))
    message = cost.US_MESSAGE + cost.US_CARRIER
    rows.append(("messages to US numbers, for comparison", f"${message * 1e6:,.0f}", f"${message * LOGINS_A_DAY:,.0f}"))
    return table(("", "a million logins", f"a day of {number(LOGINS_A_DAY)}"), rows)


def gigabytes(size, count):
    # DynamoDB bills 100 bytes an item beside its own.
    return (size + 100) * count / 1e9


def kept():
    rows, total = [], 0
    for where, what, size, count in KEPT:
        total += gigabytes(size, count)
        month = gigabytes(size, count) * (TABLE_GB_MONTH + PITR_GB_MONTH)
        rows.append((f"`{where}`", what, number(count), f"{gigabytes(size, count):,.0f} GB", f"${month:,.0f}"))
    rows.append(("", "in all", "", f"{number(total)} GB", f"${total * (TABLE_GB_MONTH + PITR_GB_MONTH):,.0f}"))
    return table(("table", "what", "items", "size", "a month, with PITR"), rows)


def needs():
    """Of each table: gigabytes, read units and write units a second, and the partitions for each of the three."""
    reads, writes = {"directory": DIRECTORY_READS}, {"directory": cost.AUDIT_WRITES}
    reads["logins"], writes["logins"] = cost.READS - reads["directory"], cost.WRITES - writes["directory"]
    found = {}
    for name in ("directory", "logins"):
        size = sum(gigabytes(size, count) for where, _, size, count in KEPT if where == name)
        asked = (size, reads[name] * LOGINS_A_SECOND, writes[name] * LOGINS_A_SECOND)
        each = (PARTITION_GB, PARTITION_READS, PARTITION_WRITES)
        found[name] = (asked, [math.ceil(want / one) for want, one in zip(asked, each)])
    return found


def partitions():
    rows = []
    for name, ((size, reads, writes), (by_size, by_reads, by_writes)) in needs().items():
        rows.append((f"`{name}`", f"{number(size)} GB: {number(by_size)}", f"{number(reads)}: {number(by_reads)}", f"{number(writes)}: {number(by_writes)}", number(max(by_size, by_reads, by_writes))))
    return table(("table", "by size", "by read units a second", "by write units a second", "partitions, at least"), rows)


def trail():
    """`audit-trail` gets one batch of a shard at a time, and works on its records one after the other; a shard is a partition."""
    work = cost.INPUTS["cpu"]["milliseconds"]["audit-trail"] * max(1, cost.WHOLE_CPU / cost.DEPLOYED["audit-trail"])
    each = work + cost.AUDIT_WRITES * cost.INPUTS["waiting"]["write"]
    shards = max(needs()["logins"][1])
    in_time = shards * 1000 / each
    factor = math.ceil(LOGINS_A_SECOND / in_time)
    rows = [
        ("an event, two writes one after the other", f"{each:.0f} ms"),
        ("environments that the peak keeps busy", number(LOGINS_A_SECOND * each / 1000)),
        ("shards of the stream, and so environments at once", number(shards)),
        ("events a second in time", number(in_time)),
        ("`ParallelizationFactor` for the peak", f"{factor}: {number(shards * factor)} at once, {number(in_time * factor)} events a second"),
        ("an hour of the peak, without it, is told", f"{(LOGINS_A_SECOND / in_time - 1) * 60:.0f} minutes late at its end"),
    ]
    return table(("`audit-trail`", ""), rows)


def hottest():
    """Tenants are as cities are: the second has half of the first one's people (Zipf)."""
    harmonic = sum(1 / rank for rank in range(1, TENANTS + 1))
    rows = []
    for rank in (1, 2, 10, 100, TENANTS):
        rate = LOGINS_A_SECOND / rank / harmonic
        rows.append((f"{rank}.", number(rate) if rate >= 10 else f"{rate:.2f}", number(2 * rate), number(rate / 4), number(rate)))
    head = ("tenant", "logins a second", "reads of its policy's partition", "writes of a shard of its day", "writes of its audit's month")
    return table(head, rows)


def ceilings():
    """How many logins a second one key allows, for the keys that many users share."""
    rows = [
        ("`policy#TENANT`: tenant and application, read at each sign-in", "reads", f"{PARTITION_READS // 2:,} in one tenant; {PARTITION_READS:,} once the table has split the two apart"),
        ("`audit#TENANT#YYYY-MM`: an event a login", "writes", f"{PARTITION_WRITES:,} in one tenant. Sort keys grow with time, so a split does not help"),
        ("`limit#tenant#TENANT#DAY#SHARD`: four shards", "writes", f"{4 * PARTITION_WRITES:,} messages in one tenant"),
        ("`limit#range#…`: ten thousand neighbouring numbers", "writes", f"{PARTITION_WRITES:,} messages to one range, which its own limit stops long before"),
        ("`login#TENANT#USER`", "writes", "one user's own"),
    ]
    return table(("key", "ceiling by", "logins a second"), rows)


def simulate_shards():
    """A tenant's day in four shards, each with a quarter of the limit; a message whose shard is full tries the next one once. How much of the
    limit is used when the first message is refused?"""
    draw = random.Random(1)
    rows = []
    for limit in (5_000, 50_000, 500_000):
        used = []
        for _ in range(2_000_000 // limit // 4):
            left = [limit // 4] * 4
            sent = 0
            while True:
                first = draw.randrange(4)
                shard = next((s for s in (first, (first + 1) % 4) if left[s]), None)
                if shard is None:
                    break
                left[shard] -= 1
                sent += 1
            used.append(sent / limit)
        used.sort()
        rows.append((number(limit), f"{used[0]:.1%}", f"{used[len(used) // 2]:.1%}"))
    return table(("messages a day", "used at the first refusal, worst", "median"), rows)


BLOCKS = {
    "requests": requests,
    "concurrency": concurrency,
    "cost": bill,
    "kept": kept,
    "partitions": partitions,
    "trail": trail,
    "hottest": hottest,
    "ceilings": ceilings,
    "shards": simulate_shards,
}


if __name__ == "__main__":
    text = DOCUMENT.read_text()
    new = filled(text, BLOCKS)
    if sys.argv[1:] == ["--check"]:
        if new != text:
            sys.exit("docs/SCALE.md has other tables than tests/python/scale.py: run it, and read what changed")
    else:
        DOCUMENT.write_text(new)
