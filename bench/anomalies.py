#!/usr/bin/env python3
"""Holds rowtrail's anomalies against an answer key of the pharmacy simulator.

  anomalies.py KEY ANOMALIES EVENTS TITLE      (all ndjson)

A case counts as found when one of the day's first five alerts (or, for what needs the day's end, of the day
after) rests on one of its transactions or, for a case of several transactions, names its person and type.
Alerts are folded and ranked as `rowtrail anomalies` does. Beside it, the z-score and an EWMA of daily counts per
type and person, ranked by deviation, under the same budget.
"""
import collections, datetime, json, math, sys

key_file, anomaly_file, event_file, title = sys.argv[1:5]
read = lambda path: [json.loads(line) for line in open(path)]
cases = read(key_file)
events = read(event_file)
by_seq = {e["seq"]: e for e in events}
day_of = lambda text: (datetime.date.fromisoformat(text[:10]) - datetime.date(1970, 1, 1)).days
second_of = lambda e: sum(int(x) * f for x, f in zip(e["time"][11:19].split(":"), (3600, 60, 1)))
owner = {}
for n, case in enumerate(cases):
    for t in case["transactions"]:
        owner[t] = n
first_day = min(c["day"] for c in cases)
last_day = max(c["day"] for c in cases)
SEVERITY = {"info": 0, "low": 1, "medium": 2, "high": 3, "critical": 4}

# Alerts: folded by person or detector, as insight/ranking.cpp does.
folds = collections.defaultdict(lambda: {"rank": -1, "detectors": set(), "cases": set(), "at": {}, "lines": []})
for a in read(anomaly_file):
    fold = folds[(day_of(a["time"]), a["actor"] or "\n" + a["detector"])]
    fold["rank"] = max(fold["rank"], a["surprise"] + SEVERITY[a["severity"]])
    fold["detectors"].add(a["detector"])
    fold["lines"].append(a["detector"] + ": " + a["summary"])
    for transaction in {by_seq[s]["transaction"] for s in a["evidence"]} | {a["transaction"]}:
        if transaction in owner:
            n = owner[transaction]
            fold["cases"].add(n)
            fold["at"][n] = min(fold["at"].get(n, 9e9), second_of(a) - cases[n]["second"])

def measure(alerts_by_day, name, delays=None):
    """alerts: (rank, cases)"""
    found, right, shown, scored = set(), 0, 0, []
    for day in range(first_day, last_day + 1):
        alerts = sorted(alerts_by_day.get(day, []), key=lambda a: -a[0])
        for alert in alerts[:5]:
            found |= alert[1]
        for alert in alerts[:10]:
            shown += 1
            right += bool(alert[1])
        scored += [(a[0], bool(a[1]), a[1]) for a in alerts]
    scored.sort(key=lambda s: -s[0])
    area, seen, hits = 0.0, set(), 0
    for n, (_, is_right, which) in enumerate(scored, 1):
        hits += is_right
        new = which - seen
        seen |= which
        area += len(new) / len(cases) * hits / n
    print(f"{title}  {name:10}  recall@5 {len(found) / len(cases):.3f}  precision@10 {right / max(shown, 1):.3f}  "
          f"PR-AUC {area:.3f}  alerts a day {shown / (last_day - first_day + 1):.2f}")
    return found

alerts = collections.defaultdict(list)
for (day, _), fold in folds.items():
    alerts[day].append((fold["rank"] + math.log2(len(fold["detectors"])), fold["cases"]))
found = measure(alerts, "rowtrail")

# The same task for counts of a type and person a day, by z-score and by EWMA.
counts = collections.defaultdict(lambda: collections.Counter())
touched = collections.defaultdict(set)
days = sorted({day_of(e["time"]) for e in events})
for e in events:
    pair = (e["type"], (e["actor"] or {}).get("id") or "")
    day = day_of(e["time"])
    counts[pair][day] += 1
    if e["transaction"] in owner:
        touched[(pair, day)].add(owner[e["transaction"]])
z_alerts, ewma_alerts = collections.defaultdict(list), collections.defaultdict(list)
for pair, count in counts.items():
    history, mean, variance = [], 0.0, 1.0
    for n, day in enumerate(days):
        x = count.get(day, 0)
        if n >= 30:
            m = sum(history) / n
            sd = math.sqrt(max(sum(h * h for h in history) / n - m * m, 0.05))
            if (x - m) / sd > 3 and x > 0:
                z_alerts[day].append(((x - m) / sd, touched[(pair, day)]))
            if (x - mean) / math.sqrt(max(variance, 0.05)) > 3 and x > 0:
                ewma_alerts[day].append(((x - mean) / math.sqrt(max(variance, 0.05)), touched[(pair, day)]))
        history.append(x)
        variance = 0.94 * variance + 0.06 * (x - mean) ** 2
        mean = 0.94 * mean + 0.06 * x
measure(z_alerts, "z-score")
measure(ewma_alerts, "EWMA")

print(f"\n{title}: by class{'':24}found   in alerts   delay (median)")
by_class = collections.defaultdict(list)
for n, case in enumerate(cases):
    by_class[case["class"]].append(n)
at = {}
for fold in folds.values():
    for n, seconds in fold["at"].items():
        at[n] = min(at.get(n, 9e9), max(seconds, 0))
anywhere = set().union(*[fold["cases"] for fold in folds.values()]) if folds else set()
for name, numbers in sorted(by_class.items()):
    delays = sorted(at[n] for n in numbers if n in at)
    delay = f"{delays[len(delays) // 2]} s" if delays else "-"
    print(f"  {name:36} {sum(n in found for n in numbers):3}/{len(numbers):<3} {sum(n in anywhere for n in numbers):6}      {delay}")
wrong = collections.Counter()
for (day, _), fold in folds.items():
    if not fold["cases"] and first_day <= day <= last_day:
        wrong.update(fold["detectors"])
print(f"  alerts of no case, by detector: {dict(wrong.most_common())}\n")
if len(sys.argv) > 5:
    for (day, who), fold in sorted(folds.items()):
        if not fold["cases"] and day >= first_day:
            print(day, repr(who), fold["lines"][:3])
