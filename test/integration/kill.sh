#!/usr/bin/env bash
# kill -9 at random moments, again and again: the store must equal that of a run nobody disturbed.
. "$(dirname "$0")/lib.sh"
use_mysql
use_postgres kills
reset_mysql
run_staff --init --row-changes "${KILL_CHANGES:-60000}" --rate 0 --seed 3 --ledger "$work/ledger" > "$work/staff.out" 2>&1

lines() { "$rowtrail" "$1" --store "$2" --format ndjson --limit 0; }
catch_up() { start_run "$1" "$2" --until end --no-serve; }

catch_up reference "sqlite://$work/reference.db"
check "an undisturbed run ends with 0" wait "$run_pid"
lines changes "sqlite://$work/reference.db" > "$work/reference.changes"
lines events "sqlite://$work/reference.db" > "$work/reference.events"

RANDOM="${SEED:-42}"
for store in "sqlite://$work/killed.db" "$postgres_url"; do
  kind="${store%%:*}"
  kills=0
  for attempt in $(seq 200); do
    catch_up "$kind" "$store"
    pid=$run_pid
    sleep "0.$(printf '%03d' $((RANDOM % 400)))"
    if kill -9 "$pid" 2> /dev/null; then kills=$((kills + 1)); fi
    wait "$pid" 2> /dev/null || true
    [ "$kills" -lt "${KILLS:-10}" ] || break
  done
  check "$kind: killed $kills times in $attempt runs" test "$kills" -ge "${KILLS:-10}"
  catch_up "$kind" "$store"
  check "$kind: the last run ends with 0" wait "$run_pid"
  lines changes "$store" > "$work/$kind.changes"
  lines events "$store" > "$work/$kind.events"
  check "$kind: the same $(wc -l < "$work/reference.changes") changes" cmp "$work/reference.changes" "$work/$kind.changes"
  check "$kind: the same $(wc -l < "$work/reference.events") events" cmp "$work/reference.events" "$work/$kind.events"
done
finish
