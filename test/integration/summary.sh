#!/usr/bin/env bash
# The summary of a day of the real pharmacy, on both stores: each fact is what its own SQL gives and
# what a second program counts from events and changes.
. "$(dirname "$0")/lib.sh"
use_mysql
reset_mysql
run_staff --init --transactions 400 --rate 0 --seed 11 > /dev/null 2>&1
use_postgres summary_test
start_run sqlite "sqlite://$work/log.db" --until end --no-serve
check "recorded in SQLite" wait "$run_pid"
start_run postgres "$postgres_url" --until end --no-serve
check "recorded in Postgres" wait "$run_pid"

sqlite_sql() { python3 -c 'import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])' "$work/log.db" "$1"; }
postgres_sql() { psql "$postgres_url" -qtA -c "SET search_path = rowtrail" -c "$1"; }
by_sql() {  # ENGINE SHEET: every fact's query gives its value
  local value query got count=0
  while IFS=$'\t' read -r value query; do
    got="$("$1_sql" "$query")"
    [ "$got" = "$value" ] || { echo "$query: the sheet says $value, SQL $got"; return 1; }
    count=$((count + 1))
  done < <(jq -r '.facts[] | select(.query) | [.value, .query] | @tsv' "$2")
  echo "$count queries"
  [ "$count" -ge 20 ]
}

for engine in sqlite postgres; do
  store="sqlite://$work/log.db"
  [ "$engine" = sqlite ] || store="$postgres_url"
  sheet="$work/$engine.json"
  "$rowtrail" summary --store "$store" --date today --format json --out "$sheet"
  "$rowtrail" events --store "$store" --format ndjson --limit 0 > "$work/$engine.events"
  "$rowtrail" changes --store "$store" --format ndjson --limit 0 > "$work/$engine.changes"
  check "$engine: every fact agrees with its SQL" by_sql "$engine" "$sheet"
  check "$engine: every fact agrees with a second count" python3 test/integration/summary_check.py "$sheet" "$work/$engine.events" "$work/$engine.changes"
  for format in text md html; do
    "$rowtrail" summary --store "$store" --date today --format "$format" --out "$work/$engine.$format"
  done
  check "$engine: the HTML loads nothing" bash -c "! grep -qE 'https?://|src=|@import' '$work/$engine.html'"
done
for format in text md html; do
  check "both stores say the same as $format" cmp "$work/sqlite.$format" "$work/postgres.$format"
done
check "a date that is none is refused" bash -c "'$rowtrail' summary --store 'sqlite://$work/log.db' --date 2026-02-30; [ \$? = 2 ]"
finish
