#!/usr/bin/env bash
# Rules over time: the same events from a run nobody disturbed, from runs that were killed, on both stores, and
# from binlog files; each rests on the events it names. Then: explain, backtest and learn on what is stored, and
# rules that are loaded anew while transactions come.
. "$(dirname "$0")/lib.sh"
use_mysql
use_postgres over_time
reset_mysql
rules="$work/rules"
mkdir "$rules"
cp deploy/demo/rules/*.yaml "$rules/"
cat > "$rules/time.yaml" << 'END'
id: sale-then-refund
title: Sale refunded
event: t.refund
correlate: {sequence: [sale.completed, sale.refunded], by: sale, within: 1h}
---
id: not-filled
title: Prescription not filled at once
event: t.waiting
correlate: {sequence: [{event: prescription.created}, {absent: prescription.filled}], by: prescription, within: 300ms, overlapping: true}
---
id: other-hands
title: Filled by another
event: t.other_hands
correlate: {sequence: [prescription.created, prescription.filled], by: prescription, actor: different, within: 1h}
---
id: busy
title: Five sales by one person
event: t.busy
correlate: {count: sale.completed, at_least: 5, by: actor, within: 10s}
emit: {attributes: {sales: count}}
---
id: many-products
title: Many products at one location
event: t.products
correlate: {distinct: {event: sale.completed, of: event.objects.product}, at_least: 8, by: location, within: 1m}
---
id: turnover
title: Turnover of a person
event: t.turnover
correlate: {sum: {event: sale.completed, of: event.attributes.total}, at_least: 250.5, by: actor, within: 1m}
emit: {attributes: {total: value}}
---
id: ratio
title: Refunds for sales
event: t.ratio
correlate: {ratio: {of: sale.refunded, to: sale.completed}, at_least: 0.05, minimum: 10, within: 1m}
---
id: new-place
title: New place
event: t.new_place
correlate: {first_seen: "sale.*", by: [actor, location]}
---
id: chain
title: Busy and busy again
event: t.chain
correlate: {count: "t.busy", at_least: 3, within: 1m}
END
lines() { "$rowtrail" "$1" --store "$2" --format ndjson --limit 0; }
run_staff --init --transactions "${TRANSACTIONS:-3000}" --rate 0 --seed 7 > "$work/staff.out" 2>&1
mysql -e "FLUSH BINARY LOGS"
mapfile -t files < <(mysql -N -e "SHOW BINARY LOGS" | cut -f1 | sed "s|^|$ROWTRAIL_MYSQL_DATADIR/|")

reference="sqlite://$work/reference.db"
start_run reference "$reference" --until end --no-serve
check "an undisturbed run ends with 0" wait "$run_pid"
lines events "$reference" > "$work/reference.events"
for type in refund waiting other_hands busy products turnover ratio new_place chain; do
  count="$(jq -c "select(.type == \"t.$type\")" "$work/reference.events" | wc -l)"
  check "t.$type: $count events" test "$count" -gt 0
done
rests() {  # every event over time names events that are in the record, earlier, with the keys it is about
  python3 - "$work/reference.events" << 'P'
import json, sys
events = {e["seq"]: e for e in map(json.loads, open(sys.argv[1]))}
found = 0
for event in events.values():
    if not event["type"].startswith("t."):
        assert "because" not in event
        continue
    found += 1
    assert event["evidence"] and len(event["evidence"]) == len(event["because"]), event
    for seq, ref in zip(event["evidence"], event["because"]):
        assert events[seq]["transaction"] == ref["transaction"] and seq < event["seq"], event
        ours = {(o["type"], o["id"]) for o in event["objects"]}
        assert ours <= {(o["type"], o["id"]) for o in events[seq]["objects"]}, event
assert found > 0
P
}
check "each rests on earlier events of the record that share its key" rests
counted() {  # the counts of two rules, computed again without rowtrail
  python3 - "$work/reference.events" << 'P'
import datetime, json, sys
from collections import defaultdict
from decimal import Decimal
events = [json.loads(line) for line in open(sys.argv[1])]
when = lambda e: datetime.datetime.fromisoformat(e["time"].replace("Z", "+00:00"))
busy, turnover = 0, 0
sales, money = defaultdict(list), defaultdict(list)
for e in events:
    if e["type"] != "sale.completed" or not e["actor"]["id"]: continue
    who, now = e["actor"]["id"], when(e)
    sales[who] = [t for t in sales[who] if t > now - datetime.timedelta(seconds=10)] + [now]
    if len(sales[who]) >= 5: busy += 1; sales[who] = []
    money[who] = [m for m in money[who] if m[0] > now - datetime.timedelta(minutes=1)] + [(now, Decimal(e["attributes"]["total"]))]
    if sum(m[1] for m in money[who]) >= Decimal("250.5"): turnover += 1; money[who] = []
got = lambda t: sum(e["type"] == t for e in events)
assert (busy, turnover) == (got("t.busy"), got("t.turnover")), (busy, got("t.busy"), turnover, got("t.turnover"))
places = {(e["actor"]["id"], o["id"]) for e in events if e["type"].startswith("sale.") and e["actor"]["id"]
          for o in e["objects"] if o["type"] == "location"}
assert len(places) == got("t.new_place"), (len(places), got("t.new_place"))
P
}
check "counts, sums and first times are those a second program finds" counted

RANDOM="${SEED:-42}"
for store in "sqlite://$work/killed.db" "$postgres_url"; do
  kind="${store%%:*}"
  kills=0
  for attempt in $(seq 100); do
    start_run "$kind" "$store" --until end --no-serve
    pid=$run_pid
    sleep "0.$(printf '%03d' $((RANDOM % 400)))"
    if kill -9 "$pid" 2> /dev/null; then kills=$((kills + 1)); fi
    wait "$pid" 2> /dev/null || true
    [ "$kills" -lt "${KILLS:-8}" ] || break
  done
  start_run "$kind" "$store" --until end --no-serve
  check "$kind: killed $kills times, the last run ends with 0" wait "$run_pid"
  lines events "$store" > "$work/$kind.events"
  check "$kind: the same events, byte for byte" cmp "$work/reference.events" "$work/$kind.events"
done
check "replay ends with 0" "$rowtrail" replay --source-name pharmacy --rules "$rules" --store "sqlite://$work/files.db" "${files[@]}"
lines events "sqlite://$work/files.db" > "$work/files.events"
check "replay of the files: the same events" cmp "$work/reference.events" "$work/files.events"

transfer="$(jq -rn 'first(inputs | select(.type == "inventory.transfer") | .seq)' "$work/reference.events")"
explained() { "$rowtrail" rules explain "$1" --rules "$rules" --store "$reference" --format json; }
matched() { explained "$1" | jq -e '[.rules[] | select(.outcome == "matched")] | length >= 1'; }
failed() { explained "$1" | jq -e '[.rules[] | select(.outcome == "no match" or .outcome == "not touched") | .lines | length] | min >= 1'; }
check "explain says which rule matched" matched "$transfer"
check "explain says of the others what failed" failed "$transfer"
same() {  # every rule of rows, judged again from the store, makes what is recorded
  "$rowtrail" rules backtest --rules deploy/demo/rules --store "$reference" --format json > "$work/backtest.json"
  jq -e '([.types[] | select(.type | startswith("t.") | not) | .now == .stored and .stored == .same] | all)
    and .transactions > 1000 and .notes == []' "$work/backtest.json"
}
check "backtest of the same rules finds what is stored, event by event" same
"$rowtrail" replay --source-name pharmacy --store "sqlite://$work/discovered.db" "${files[@]}" > /dev/null 2>&1
"$rowtrail" rules learn --store "sqlite://$work/discovered.db" --limit 30 > "$work/learned.yaml" 2> "$work/learned.err"
check "learn writes rules that load" "$rowtrail" rules check "$work/learned.yaml"
check "and pass their tests, also together" "$rowtrail" rules test --junit "$work/learned.xml" "$work/learned.yaml"
check "with JUnit results" python3 -c "import sys, xml.etree.ElementTree as e; r = e.parse('$work/learned.xml').getroot(); sys.exit(not r.findall('.//testcase') or len(r.findall('.//failure')))"
covers() {  # what was learned from a signature matches (nearly) all of its transactions
  "$rowtrail" rules backtest --rules "$work/learned.yaml" --store "sqlite://$work/discovered.db" --format json > "$work/learned.json"
  jq -e '([.types[] | select(.type | startswith("auto.")) | .now] | add // 0) as $left | $left < .transactions / 10' "$work/learned.json"
}
check "and match nearly all of what they were learned from" covers

live="sqlite://$work/live.db"
start_run live "$live" --no-serve
check "catches up" wait_caught_up "$live"
printf -- '---\nid: reloaded\ntitle: Reloaded\nevent: t.reloaded\ncorrelate: {count: sale.completed, at_least: 1, within: 1s}\n' >> "$rules/time.yaml"
kill -HUP "$run_pid"
for i in $(seq 100); do grep -q "rules loaded anew" "$work/live.log" && break; sleep 0.1; done
run_staff --transactions 400 --rate 0 --seed 8 > /dev/null 2>&1
echo "nonsense: true" > "$rules/bad.yaml"
kill -HUP "$run_pid"
for i in $(seq 100); do grep -q "were not loaded anew" "$work/live.log" && break; sleep 0.1; done
check "rules with errors are refused" grep -q "those from before stay in force" "$work/live.log"
check "catches up after two reloads" wait_caught_up "$live"
check "run stops" stop_run "$run_pid"
lines changes "$live" > "$work/live.changes"
mysql -e "FLUSH BINARY LOGS"
mapfile -t files < <(mysql -N -e "SHOW BINARY LOGS" | cut -f1 | sed "s|^|$ROWTRAIL_MYSQL_DATADIR/|")
"$rowtrail" replay --source-name pharmacy --store "sqlite://$work/all.db" "${files[@]}" > /dev/null 2>&1
lines changes "sqlite://$work/all.db" > "$work/all.changes"
strip() { jq -c 'del(.seq, .actor)' "$1"; }
nothing_lost() { cmp <(strip "$work/live.changes") <(strip "$work/all.changes"); }
check "no change was lost or came twice" nothing_lost
new_rule() { lines events "$live" | jq -e -s 'map(select(.type == "t.reloaded")) | length > 0'; }
check "the new rule acts" new_rule
finish
