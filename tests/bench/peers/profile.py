"""What share of a login's CPU is whose: reads `perf script --fields comm,ip,sym` and writes a table between the markers `profile` of
docs/PERFORMANCE.md.

A sample belongs to the innermost frame that says whose it is: what a handler calls of serde or of the allocator is the handler's, and what the SDK
calls of them is the SDK's. The embedded engine has a thread of its own.

    python3 tests/bench/peers/profile.py SAMPLES CPU_MS [--write]
"""

import collections
import re
import sys
from pathlib import Path

ENGINE = "dynamodb"
ENGINE_PARTS = [
    ("engine: waiting for the disk (fsync)", "fsync|fdatasync"),
    ("engine: SQLite", "sqlite3|^wal|unixLock|pcache1|pager|btree|yy_reduce|findElement"),
    ("engine: requests, expressions, items", "dynoxide|serde|local::engine"),
]
PARTS = [
    ("handing the message on", "hyper_util::client|hyper::client|local::relay"),
    ("the SDK", "aws_|smithy"),
    ("our handlers", r"\bshared::|\blocal::|\bring\b|ring_core|chacha20|poly1305"),
    ("the HTTP server", "hyper|axum|httparse|tower"),
]


def owner(thread, frames):
    """Whose a sample is; the innermost frame comes first."""
    if thread == ENGINE and any(re.search(ENGINE_PARTS[0][1], frame) for frame in frames):
        return ENGINE_PARTS[0][0]
    parts = ENGINE_PARTS[1:] if thread == ENGINE else PARTS
    for frame in frames:
        for name, pattern in parts:
            if re.search(pattern, frame):
                return name
    return "engine: its channel" if thread == ENGINE else "the runtime, sockets, timers"


def samples(lines):
    thread, frames = None, []
    for line in lines:
        if not line.strip():
            if thread:
                yield thread, frames
            thread, frames = None, []
        elif not line[0].isspace():
            thread = line.split()[0]
        else:
            frames.append(line.strip().partition(" ")[2])
    if thread:
        yield thread, frames


def table(counts, cpu_ms):
    total = sum(counts.values())
    rows = ["| whose | share | ms a login |", "|---|---|---|"]
    for name, count in counts.most_common():
        rows.append(f"| {name} | {100 * count / total:.1f}% | {cpu_ms * count / total:.2f} |")
    ours = cpu_ms * counts["our handlers"] / total
    verdict = "reached" if ours <= 0.3 else "**missed**"
    rows.append("")
    rows.append(f"{total} samples. Goal: at most 0.3 ms of our handlers' own a login: {ours:.2f} ms, {verdict}.")
    return "\n".join(rows) + "\n"


def main():
    path, cpu_ms, *write = sys.argv[1:]
    with open(path, encoding="utf-8") as lines:
        counts = collections.Counter(owner(*sample) for sample in samples(lines))
    text = table(counts, float(cpu_ms))
    print(text)
    if write == ["--write"]:
        file = Path("docs/PERFORMANCE.md")
        before, begin, rest = file.read_text(encoding="utf-8").partition("<!-- profile -->\n")
        _, end, after = rest.partition("<!-- /profile -->")
        if not begin or not end:
            sys.exit("docs/PERFORMANCE.md has no place for it")
        file.write_text(before + begin + text + end + after, encoding="utf-8")


main()
