#!/usr/bin/env bash
# Anomalies on a real server: sixty days of the pharmacy on a clock of their own, then cases of what should not
# be done; they are records of the log, the same live, from files and after kills, in CLI, API and summary.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
use_mysql
reset_mysql
ROWTRAIL_MYSQL_APP_PASSWORD="$ROWTRAIL_MYSQL_ROOT_PASSWORD" run_staff --user root --init --simulated-days 75 --per-day 60 \
  --learned-days 45 --inject 1 --seed 5 --answer-key "$work/key" 2> /dev/null
live="sqlite://$work/live.db"
"$rowtrail" run --source "$source_url" --source-name pharmacy --store "$live" --rules "$rules" --start earliest \
  --until end --no-serve > "$work/live.out" 2> "$work/live.log"
list() { "$rowtrail" anomalies --store "$live" "$@"; }
list --format ndjson --limit 0 > "$work/live.ndjson"
check "there are anomalies" test -s "$work/live.ndjson"
check "each has its sentence, numbers and evidence" jq -e -s 'all(.[]; (.summary | length > 0) and (.detector | length > 0)
  and (.numbers | type == "object") and (.evidence | type == "array") and .probability <= 1)' "$work/live.ndjson"
check "json is the same list" bash -c 'diff <("$0" anomalies --store "$1" --limit 0 --format json | jq -c ".[]") <(jq -c . "$2")' "$rowtrail" "$live" "$work/live.ndjson"
check "most of the answer key's classes are among them" bash -c 'n=$(jq -r -s --slurpfile key "$1" "
  [.[].transaction] as \$seen | [\$key[] | select(.transactions | any(. as \$t | \$seen | index(\$t)))] | length" "$0");
  [ "$n" -ge 15 ] || { echo "$n of $(wc -l < "$1") cases"; exit 1; }' "$work/live.ndjson" "$work/key"

binlogs=()
for file in $(mysql -N -e 'SHOW BINARY LOGS' | cut -f1); do binlogs+=("$ROWTRAIL_MYSQL_DATADIR/$file"); done
replayed="sqlite://$work/replay.db"
"$rowtrail" replay --source-name pharmacy --store "$replayed" --rules "$rules" "${binlogs[@]}" > /dev/null 2>&1
"$rowtrail" anomalies --store "$replayed" --format ndjson --limit 0 > "$work/replay.ndjson"
check "files give the same anomalies" cmp "$work/live.ndjson" "$work/replay.ndjson"

killed="sqlite://$work/killed.db"
kills=0
for pause in 0.15 0.2 0.25 0.3 0.35 0.4; do
  start_run killed "$killed" --until end --no-serve
  sleep "$pause"
  if kill -9 "$run_pid" 2> /dev/null; then kills=$((kills + 1)); fi
  wait "$run_pid" 2> /dev/null || true
done
start_run killed "$killed" --until end --no-serve
check "it ends after kills" wait "$run_pid"
"$rowtrail" anomalies --store "$killed" --format ndjson --limit 0 > "$work/killed.ndjson"
check "and $kills kills change nothing" cmp "$work/live.ndjson" "$work/killed.ndjson"

seq="$(jq -s '.[-1].seq' "$work/live.ndjson")"
day="$(jq -r -s '.[-1].time[:10]' "$work/live.ndjson")"
list --limit 0 > "$work/text"
check "text shows days and what is folded" grep -q "^$day" "$work/text"
"$rowtrail" explain --store "$live" "$seq" > "$work/explained"
check "explain names detector and events" grep -q "^Detector " "$work/explained"
check "ack is recorded" "$rowtrail" anomalies ack --store "$live" "$seq" --note 'announced stocktaking'
"$rowtrail" explain --store "$live" "$seq" > "$work/explained"
check "and shown" grep -q 'announced stocktaking' "$work/explained"
check "ack of what is no anomaly is refused" bash -c '! "$0" anomalies ack --store "$1" 0 --note x' "$rowtrail" "$live"
"$rowtrail" summary --store "$live" --date "$day" --format json > "$work/summary.json"
check "the summary has them" jq -e --argjson seq "$seq" '[.facts[] | select(.group == "anomaly")] | length > 0' "$work/summary.json"
port=$((20000 + RANDOM % 20000))
start_run again "$live" --listen "127.0.0.1:$port"
for _ in $(seq 100); do curl -fsS -H "Authorization: Bearer $(cat "$work/token")" "http://127.0.0.1:$port/v1/anomalies?limit=0&format=ndjson" > "$work/api.ndjson" 2> /dev/null && break; sleep 0.1; done
check "the API gives the same lines" cmp "$work/api.ndjson" "$work/live.ndjson"
check "and one of them" bash -c 'curl -fsS -H "Authorization: Bearer $(cat "$0")" "$1" | jq -e ".seq == $2"' "$work/token" "http://127.0.0.1:$port/v1/anomalies/$seq" "$seq"
check "run stops" stop_run "$run_pid"
printf 'timestamp,value\n' > "$work/series.csv"
for n in $(seq 400); do printf '%s,%s\n' "$((n * 3600))" "$(( n == 390 ? 900 : 100 + n * 7919 % 11 ))"; done >> "$work/series.csv"
"$rowtrail" detect --csv "$work/series.csv" > "$work/scored.csv"
check "detect finds the spike in a series" bash -c '[ "$(awk -F, "\$6 == 1 {print \$2}" "$0")" = 900 ]' "$work/scored.csv"
finish
