#!/usr/bin/env bash
# The staff works at 200 transactions a second while two rowtrails record, one into SQLite, one into
# Postgres. Events must be exactly the ledger, and rows rebuilt from the changes exactly the tables.
. "$(dirname "$0")/lib.sh"
use_mysql
use_postgres ground_truth
reset_mysql
sqlite_url="sqlite://$work/rowtrail.db"

run_staff --init --transactions 0 > /dev/null
start_run sqlite "$sqlite_url" --listen 127.0.0.1:0
sqlite_pid=$run_pid
url="$tcp_url" start_run postgres "$postgres_url" --no-serve
postgres_pid=$run_pid
run_staff --rate 200 --seconds "${GROUND_TRUTH_SECONDS:-30}" --ledger "$work/ledger.ndjson" --seed "${SEED:-7}" > "$work/staff.out" 2>&1

check "SQLite has caught up" wait_caught_up "$sqlite_url"
check "Postgres has caught up" wait_caught_up "$postgres_url"
rss_kb="$(awk '/VmHWM/ {print $2}' "/proc/$sqlite_pid/status")"
check "resident memory stayed under 64 MB ($((rss_kb / 1024)) MB)" test "$rss_kb" -lt 65536
check "SIGTERM ends the SQLite run with 0" stop_run "$sqlite_pid"
check "SIGTERM ends the Postgres run with 0" stop_run "$postgres_pid"
check "the ledger has lines ($(wc -l < "$work/ledger.ndjson"))" test -s "$work/ledger.ndjson"
for store in "$sqlite_url" "$postgres_url"; do
  kind="${store%%:*}"
  check "$kind: events equal the ledger" python3 deploy/demo/check_ledger.py --ledger "$work/ledger.ndjson" \
    -- "$rowtrail" --store "$store"
  "$rowtrail" changes --store "$store" --format ndjson --limit 0 > "$work/$kind.changes"
  check "$kind: tables rebuilt from the changes equal SELECT" python3 test/integration/rebuild_state.py \
    --changes "$work/$kind.changes" --instance "$mysql_instance" --database pharmacy
  "$rowtrail" events --store "$store" --format ndjson --limit 0 > "$work/$kind.events"
  check "$kind: every transaction has an event" python3 - "$work/$kind.changes" "$work/$kind.events" << 'P'
import json, sys
changes = {json.loads(line)["transaction"] for line in open(sys.argv[1])}
events = {json.loads(line)["transaction"] for line in open(sys.argv[2])}
sys.exit(f"no event for {sorted(changes - events)[:5]}" if changes - events else 0)
P
done
check "both stores hold the same changes" cmp "$work/sqlite.changes" "$work/postgresql.changes"
check "both stores hold the same events" cmp "$work/sqlite.events" "$work/postgresql.events"
finish
