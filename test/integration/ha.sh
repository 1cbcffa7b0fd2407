#!/usr/bin/env bash
# Two rowtrails on one log: the standby takes over from one that is killed and from one that stands still,
# who comes back cannot write, and the record is that of a run nobody disturbed.
. "$(dirname "$0")/lib.sh"
use_mysql
use_postgres standby
reset_mysql
run_staff --init --transactions 20 --rate 0 --ledger "$work/ledger0" > /dev/null 2>&1
store="$postgres_url"
printf 'keys: %s\n' "$work/keys" > "$work/keys.yaml"
member() { start_run "$1" "$store" --config "$work/keys.yaml" --listen "127.0.0.1:$2"; }
phase() { curl -sS --max-time 5 "http://127.0.0.1:$1/readyz" 2> /dev/null | jq -r '.detail // .status' 2> /dev/null || true; }
leads() { [ "$(curl -s --max-time 2 -o /dev/null -w '%{http_code}' "http://127.0.0.1:$1/readyz")" = 200 ]; }
stands_by() { phase "$1" | grep -q standby; }
until_true() { local i; for i in $(seq 300); do if "$@"; then return 0; fi; sleep 0.1; done; echo "not within 30 s: $*; $(phase "$2")"; return 1; }
dumps() { mysql -N -e "SELECT COUNT(*) FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'"; }
seconds_since() { echo $(($(date +%s%3N) - $1)) | awk '{printf "%.1f s", $1 / 1000}'; }

member a 18781; a=$run_pid
check "the first leads" until_true leads 18781
member b 18782; b=$run_pid
check "the second stands by" until_true stands_by 18782
check "… and does not read the source" test "$(dumps)" = 1
run_staff --transactions 6000 --rate 100 --seed 5 --ledger "$work/ledger" > "$work/staff.out" 2>&1 &
staff_pid=$!
children+=("$staff_pid")
sleep 3
kill -9 "$a"; killed="$(date +%s%3N)"
check "the second leads after a kill -9 of the first" until_true leads 18782
echo "        takeover after $(seconds_since "$killed")"
member c 18783; c=$run_pid
check "a third stands by" until_true stands_by 18783
sleep 2
kill -STOP "$b"; stopped="$(date +%s%3N)"
check "the third leads after the second stood still" until_true leads 18783
echo "        takeover after $(seconds_since "$stopped") (a silent writer has 8 s)"
sleep 3
kill -CONT "$b"
check "the one that comes back stands by" until_true stands_by 18782
check "… and says what happened" grep -qE "terminat|taken over|already has a writer|connection" "$work/b.log"
check "one reads the source" test "$(dumps)" = 1
check "the third says whom it followed" grep -q "has said nothing for" "$work/c.log"
wait "$staff_pid"
check "caught up" wait_caught_up "$store"
check "the third stops with 0" stop_run "$c"
check "the second leads again" until_true leads 18782
check "the second stops with 0" stop_run "$b"
start_run reference "sqlite://$work/reference.db" --until end --no-serve
check "an undisturbed run ends with 0" wait "$run_pid"
for kind in changes events; do
  for of in "reference sqlite://$work/reference.db" "log $store"; do
    "$rowtrail" "$kind" --store "${of#* }" --format ndjson --limit 0 | jq -c 'del(.seq, .evidence, .because)' > "$work/${of%% *}.$kind"
  done
  check "the same $(wc -l < "$work/reference.$kind") $kind" cmp "$work/reference.$kind" "$work/log.$kind"
done
check "verified" "$rowtrail" verify --store "$store" --config "$work/keys.yaml"

start_run one "sqlite://$work/one.db" --listen 127.0.0.1:18781
check "on SQLite the first leads" until_true leads 18781
one=$run_pid
start_run two "sqlite://$work/one.db" --listen 127.0.0.1:18782
code=0
wait "$run_pid" || code=$?
check "… a second one ends with exit code 4" test "$code" = 4
check "… and is told by whom the file is held" grep -q "already has a writer (process $one)" "$work/two.log"
check "the first stops with 0" stop_run "$one"
finish
