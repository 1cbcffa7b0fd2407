#!/usr/bin/env bash
# The log is proved to others: a verifier that shares no code with rowtrail rebuilds the tree from
# the tiles that it serves, proofs verify offline, heads reach their sinks, and a change made behind
# rowtrail's back is named. On SQLite and on Postgres, with what a real server logged.
. "$(dirname "$0")/lib.sh"
use_mysql
reset_mysql
use_postgres proof
mysql -e "CREATE DATABASE pharmacy; CREATE TABLE pharmacy.item (id INT PRIMARY KEY, name VARCHAR(40));"
for i in $(seq 40); do
  mysql -e "INSERT INTO pharmacy.item VALUES ($((i * 10)), 'one'), ($((i * 10 + 1)), 'two'), ($((i * 10 + 2)), 'three'), ($((i * 10 + 3)), 'four'); UPDATE pharmacy.item SET name = 'x' WHERE id = $((i * 10)); DELETE FROM pharmacy.item WHERE id = $((i * 10 + 1));"
done
python3 test/integration/witness.py "$work/witness" > "$work/witness.url" 2> "$work/witness.log" &
children+=("$!")
for _ in $(seq 100); do [ -s "$work/witness.url" ] && break; sleep 0.1; done
witness="$(cat "$work/witness.url")"

both() {  # NAME STORE PORT
  local name="$1" store="$2" port="$3"
  local address="127.0.0.1:$port"
  cat > "$work/$name.yaml" << Y
keys: $work/$name.keys
heads:
  - file: $work/$name.heads
    every_s: 0
  - webhook: $witness/hook
    every_s: 0
  - witness: $witness/$name
    cosigned: $work/$name.cosigned
    every_s: 0
  - file: $work/missing/heads
    every_s: 0
Y
  start_run "$name" "$store" --config "$work/$name.yaml" --listen "$address"
  local pid="$run_pid"
  check "$name: caught up" wait_caught_up "$store"
  local token
  token="$(cat "$work/token")"
  get() { curl -sSf --max-time 20 -H "Authorization: Bearer $token" "http://$address$1"; }
  size_of() { get /log/checkpoint 2> /dev/null | sed -n 2p; }
  records() { "$rowtrail" status --store "$store" --format json | jq .records; }
  for _ in $(seq 100); do [ "$(size_of)" != "$(records)" ] || break; sleep 0.1; done
  check "$name: the tree head covers the log" [ "$(size_of)" = "$(records)" ]
  local key
  key="$(cat "$work/$name.keys"/*.pub)"
  check "$name: an independent verifier rebuilds the tree" python3 test/integration/tlog_verify.py "http://$address/log" "$token" "$key"
  get /log/checkpoint > "$work/$name.kept"
  local seq
  seq="$(get '/v1/events?limit=1' | jq '.events[0].seq')"
  get "/v1/events/$seq/proof" > "$work/$name.json"
  check "$name: a browser gets the event's own payload" python3 -c "
import base64, json, sys
proof = json.load(open('$work/$name.json'))
payload = json.loads(base64.b64decode(proof['extra'])[122:])
sys.exit(0 if payload['transaction'] and proof['seq'] == $seq and proof['hashes'] else 1)"
  check "$name: prove" "$rowtrail" prove "$seq" --store "$store" --out "$work/$name.tlog-proof"
  check "$name: verify --proof, offline" "$rowtrail" verify --proof "$work/$name.tlog-proof" --key "$key"
  sed -i 's/^index .*/index 3/' "$work/$name.tlog-proof"
  check "$name: another index is refused" code 1 "$rowtrail" verify --proof "$work/$name.tlog-proof" --key "$key"
  check "$name: verify while it runs" "$rowtrail" verify --store "$store" --config "$work/$name.yaml" --since "$work/$name.kept"
  check "$name: the sink that fails is seen in the metrics" bash -c "$(declare -f get); address=$address token=$token; get /metrics | grep -q 'rowtrail_head_sink_up{sink=\"file $work/missing/heads\"} 0'"
  check "$name: … and in the status" bash -c "$(declare -f get); address=$address token=$token; get /v1/status | grep -q 'tree heads do not reach file'"
  mysql -e "INSERT INTO pharmacy.item VALUES ($((port * 100)), 'after')"
  check "$name: caught up again" wait_caught_up "$store"
  check "$name: stops with 0" stop_run "$pid"
  check "$name: every head in the file extends the one before" "$rowtrail" verify --store "$store" --config "$work/$name.yaml" --since "$work/$name.heads"
  check "$name: the webhook has the last head" diff <(cat "$work/witness/hook.last") "$work/$name.keys"/*.head
  check "$name: the witness checked each extension and cosigned" [ "$(grep -c '^— witness' "$work/$name.cosigned")" -ge 2 ]
}
code() {  # EXPECTED COMMAND…
  local expected="$1" got=0
  shift
  "$@" || got=$?
  [ "$got" = "$expected" ] || { echo "exit code $got, expected $expected"; return 1; }
}
both sqlite "sqlite://$work/proof.db" 18771
both postgres "$postgres_url" 18772

sqlite3() { python3 -c "
import sqlite3, sys
db = sqlite3.connect('$work/proof.db')
db.executescript(sys.argv[1])
db.commit()" "$1"; }
sqlite3 "DROP TRIGGER event_update; UPDATE event SET actor = 'anna' WHERE seq = (SELECT max(seq) FROM event)"
check "a falsified actor: exit code 1" code 1 "$rowtrail" verify --store "sqlite://$work/proof.db" --config "$work/sqlite.yaml"
check "… and named" bash -c "'$rowtrail' verify --store sqlite://$work/proof.db --config $work/sqlite.yaml 2> /dev/null | grep -q 'the column actor says \"anna\"'"
check "… as JSON" bash -c "'$rowtrail' verify --store sqlite://$work/proof.db --config $work/sqlite.yaml --format json 2> /dev/null | jq -e '.verified == false and (.findings | length) == 2'"
finish
