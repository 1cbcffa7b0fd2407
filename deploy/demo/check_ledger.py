#!/usr/bin/env python3
"""Compares the business events that rowtrail found with the ledger of the simulated staff.

    check_ledger.py --ledger LEDGER [--ledger MORE] --events FILE
    check_ledger.py --ledger LEDGER -- build/release/rowtrail --store sqlite:///x/rowtrail.db

The first form reads `rowtrail events --format ndjson --limit 0` from a file ("-": stdin), the second
runs the command with exactly that appended. Type, objects (type, id, role) and actor must be equal as
multisets, within each transaction where both sides name it by GTID, else over the whole run. Events
that no rule named (auto.…) are not business of the ledger; a transaction that should have been named
and was not shows as missing. Exit code 0: equal; 1: not; 2: cannot tell.
"""

import argparse
import collections
import json
import subprocess
import sys

SHOWN_MAX = 12


def read_lines(lines, what):
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield json.loads(line)
        except ValueError as error:
            sys.exit(f"check_ledger: {what}, line {number}: not JSON ({error}): {line[:120]!r}")


def actor_of(record):
    actor = record.get("actor")
    return actor.get("id", "") if isinstance(actor, dict) else (actor or "")


def key_of(record):
    objects = sorted((o["type"], str(o["id"]), o.get("role", "")) for o in record.get("objects", []))
    return record["type"], tuple(objects), actor_of(record)


def transaction_of(record):
    return (record.get("transaction") or "").lower()


def describe(key):
    kind, objects, actor = key
    names = ", ".join(f"{t} {i}" + (f" as {r}" if r else "") for t, i, r in objects)
    return f"{kind} by {actor or '(nobody)'}: {names or '(no objects)'}"


def compare(ledger, events):
    """Yields (transaction, missing keys, extra keys) for each transaction that differs."""
    expected, found = collections.defaultdict(collections.Counter), collections.defaultdict(collections.Counter)
    joined = all(transaction_of(record) for record in ledger)
    for side, records in ((expected, ledger), (found, events)):
        for record in records:
            side[transaction_of(record) if joined else ""][key_of(record)] += 1
    for transaction in list(expected) + [t for t in found if t not in expected]:
        missing = expected[transaction] - found[transaction]
        extra = found[transaction] - expected[transaction]
        if missing or extra:
            yield transaction, list(missing.elements()), list(extra.elements())


def load_events(arguments):
    if arguments.command:
        command = arguments.command + ["events", "--format", "ndjson", "--limit", "0"]
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True, encoding="utf-8", check=False)
        if run.returncode != 0:
            print(f"check_ledger: {' '.join(command)} ended with exit code {run.returncode}", file=sys.stderr)
            sys.exit(2)
        return list(read_lines(run.stdout.splitlines(), "rowtrail events"))
    if arguments.events == "-":
        return list(read_lines(sys.stdin, "stdin"))
    with open(arguments.events, encoding="utf-8") as file:
        return list(read_lines(file, arguments.events))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ledger", action="append", required=True, help="the simulator's ledger; may be repeated")
    parser.add_argument("--events", help="output of rowtrail events, or -")
    parser.add_argument("--quiet", action="store_true", help="only one line when all is equal")
    parser.add_argument("command", nargs="*", help="rowtrail with its options, after --")
    arguments = parser.parse_args()
    if bool(arguments.command) == bool(arguments.events):
        parser.error("give either --events FILE or, after --, the rowtrail command")

    ledger = []
    for path in arguments.ledger:
        with open(path, encoding="utf-8") as file:
            ledger += read_lines(file, path)
    everything = load_events(arguments)
    events = [event for event in everything if not event["type"].startswith("auto.")]
    differences = list(compare(ledger, events))
    missing = sum(len(m) for _, m, _ in differences)
    extra = sum(len(e) for _, _, e in differences)

    if not arguments.quiet or differences:
        counts = collections.defaultdict(lambda: [0, 0])
        for record in ledger:
            counts[record["type"]][0] += 1
        for record in events:
            counts[record["type"]][1] += 1
        width = max((len(kind) for kind in counts), default=4)
        print(f"  {'type':<{width}}  {'ledger':>8}  {'rowtrail':>8}")
        for kind in sorted(counts):
            mark = "" if counts[kind][0] == counts[kind][1] else "  <-"
            print(f"  {kind:<{width}}  {counts[kind][0]:>8}  {counts[kind][1]:>8}{mark}")
    for transaction, missed, surplus in differences[:SHOWN_MAX]:
        print(f"  {transaction or '(whole run)'}")
        for key in missed[:SHOWN_MAX]:
            print(f"    missing  {describe(key)}")
        for key in surplus[:SHOWN_MAX]:
            print(f"    extra    {describe(key)}")
        if missed and transaction:
            others = [e for e in everything if transaction_of(e) == transaction and e["type"].startswith("auto.")]
            for event in others[:3]:
                print(f"    instead  {event['type']}")
    if len(differences) > SHOWN_MAX:
        print(f"  … and {len(differences) - SHOWN_MAX} more transactions that differ")

    print(f"ledger: {len(ledger)} events; rowtrail: {len(events)} events (and {len(everything) - len(events)} auto); "
          f"missing {missing}, extra {extra}")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
