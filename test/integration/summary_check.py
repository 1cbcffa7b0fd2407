#!/usr/bin/env python3
"""Computes a fact sheet again from `rowtrail events` and `changes`, which know nothing of summaries.

    summary_check.py SHEET.json EVENTS.ndjson CHANGES.ndjson"""
import collections
import decimal
import json
import sys

sheet = json.load(open(sys.argv[1]), parse_float=str)
since, until = sheet["span"]["since"][:19], sheet["span"]["until"][:19]
inside = lambda time: since <= time[:19] < until
events = [e for e in map(json.loads, open(sys.argv[2])) if inside(e["time"])]
changes = [c for c in map(json.loads, open(sys.argv[3])) if inside(c["committed_at"])]

expected = collections.Counter()
sums = collections.defaultdict(decimal.Decimal)
for event in events:
    expected["total/events"] += 1
    expected["type/" + event["type"]] += 1
    expected["actor/" + ((event["actor"] or {}).get("id") or "")] += 1
    for kind, name in {(o["type"], o["id"]) for o in event["objects"]}:
        expected[f"object/{kind}/{name}"] += 1
    for name, value in event["attributes"].items():
        try:
            sums[f"sum/{event['type']}/{name}"] += decimal.Decimal(str(value))
        except decimal.InvalidOperation:
            pass
for change in changes:
    expected["total/row changes"] += 1
    # A statement about a database has no table.
    expected[f"table/{change['database']}/{change['table']}".rstrip('/')] += 1

wrong, checked = [], 0
for fact in sheet["facts"]:
    if fact["group"] == "sum":
        want, got = sums[fact["id"]], decimal.Decimal(fact["value"])
    elif fact["group"] in ("type", "actor", "object", "table") or fact["id"] in expected:
        want, got = expected[fact["id"]], int(fact["value"])
    else:
        continue
    checked += 1
    if want != got:
        wrong.append(f"{fact['id']}: the sheet says {got}, the record {want}")
listed = {f["id"] for f in sheet["facts"]}
wrong += [f"{id} is missing" for id in expected if id.startswith(("type/", "table/")) and id not in listed]
print(f"{checked} facts checked")
sys.exit("\n".join(wrong) if wrong or checked < 20 else 0)
