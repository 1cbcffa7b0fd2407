#!/usr/bin/env bash
# One row at a time and its history: the log's answer is the server's own SELECT of that moment,
# through keys that move, tables that are emptied, and keys of several columns.
. "$(dirname "$0")/lib.sh"
use_mysql
reset_mysql
mysql -e "
CREATE DATABASE pharmacy;
CREATE TABLE pharmacy.item (id BIGINT UNSIGNED PRIMARY KEY, name VARCHAR(40), price DECIMAL(8,2));
CREATE TABLE pharmacy.pair (a VARCHAR(10), b INT, note VARCHAR(20), PRIMARY KEY (a, b));
CREATE TABLE pharmacy.bare (x INT);
INSERT INTO pharmacy.item VALUES (7, 'Aspirin', 1.50), (18446744073709551615, 'Last', 2.00);
INSERT INTO pharmacy.pair VALUES ('k/1', 2, 'first');
INSERT INTO pharmacy.bare VALUES (1);"
sleep 1.1
early="$(date -u +%Y-%m-%dT%H:%M:%S.%6NZ)"
expected="$(mysql -N -e "SELECT JSON_OBJECT('id', id, 'name', name, 'price', CAST(price AS CHAR)) FROM pharmacy.item WHERE id = 7")"
mysql -e "UPDATE pharmacy.item SET price = 1.75 WHERE id = 7; UPDATE pharmacy.item SET id = 8 WHERE id = 7;
UPDATE pharmacy.pair SET note = 'second';"
sleep 1.1
before_truncate="$(date -u +%Y-%m-%dT%H:%M:%S.%6NZ)"
mysql -e "TRUNCATE pharmacy.pair"
use_postgres rows
sqlite_url="sqlite://$work/rowtrail.db"
start_run run "$sqlite_url" --listen 127.0.0.1:18767
sqlite_pid=$run_pid
start_run postgres "$postgres_url" --no-serve
check "Postgres has caught up" wait_caught_up "$postgres_url"
check "SIGTERM ends the Postgres run with 0" stop_run "$run_pid"
check "caught up" wait_caught_up "$sqlite_url"
row() { "$rowtrail" row --store "$store" --format json "$@"; }
is() { [ "$1" = "$2" ] || { echo "got '$1', expected '$2'"; return 1; }; }
code() { "$rowtrail" row --store "$store" "$@" > "$work/out" 2>&1 && echo 0 || echo $?; }
for store in "$postgres_url" "$sqlite_url"; do
  echo "  ${store%%:*}:"
  check "row 7 early is what SELECT gave" is "$(row pharmacy.item 7 --at "$early" | jq -S -c .state.row)" "$(jq -S -c . <<< "$expected")"
  check "row 7 is gone after its key moved" is "$(row pharmacy.item 7 | jq -c '[.state.exists, .state.basis]')" '[false,"gone"]'
  check "its history begins with the move" is "$(row pharmacy.item 7 | jq -c '[.changes[].op]')" '["update","update","insert"]'
  check "row 8 is there, and was not before" is "$(row pharmacy.item 8 | jq -r .state.row.price) $(row pharmacy.item 8 --at "$early" | jq -r .state.basis)" "1.75 not_yet"
  check "the largest BIGINT is exact" bash -c "'$rowtrail' row --store '$store' pharmacy.item 18446744073709551615 --format json | grep -q '\"row\":{\"id\":18446744073709551615,'"
  check "a key of two columns" is "$(row pharmacy.pair '~WyJrLzEiLDJd' --at "$before_truncate" | jq -r .state.row.note)" second
  check "after TRUNCATE it is gone" is "$(row pharmacy.pair '~WyJrLzEiLDJd' | jq -r .state.basis)" gone
  check "an unknown row: 1" is "$(code pharmacy.item 99)" 1
  check "a table without a key: 2 and why" bash -c "[ $(code pharmacy.bare 1) = 2 ] && grep -q 'no primary key' '$work/out'"
  check "a part of a key: 2 and the columns" bash -c "[ $(code pharmacy.pair k) = 2 ] && grep -q '(a, b)' '$work/out'"
done
token="$(cat "$work/token")"
get() { curl -sS --max-time 20 -H "Authorization: Bearer $token" "http://127.0.0.1:18767$1"; }
check "the API gives the same state" is "$(get "/v1/rows/pharmacy/item/7?at=$early" | jq -c .state)" "$(row pharmacy.item 7 --at "$early" | jq -c .state)"
check "the API's history in pages" is "$(get '/v1/rows/pharmacy/item/7?limit=2' | jq -c '[(.changes|length), (.next|type)]')" '[2,"string"]'
check "integers as strings" is "$(get '/v1/rows/pharmacy/item/18446744073709551615?integers=string' | jq -c .state.row.id)" '"18446744073709551615"'
check "text for people" bash -c "'$rowtrail' row --store '$store' pharmacy.item 8 | grep -q 'as left by record'"
seq="$("$rowtrail" events --store "$store" --format ndjson --limit 0 | jq -r 'select(.type | endswith("_changed")) | .seq' | tail -n 1)"
check "diff shows what event $seq changed" is "$("$rowtrail" diff --store "$store" "$seq" | grep -E '^  [-+] ' | tr -d '\n')" "  - note: first  + note: second"
("$rowtrail" tail --store "$store" --format ndjson --limit 1 > "$work/tail" 2> "$work/tail.err") &
tail_pid=$!
children+=("$tail_pid")
mysql -e "INSERT INTO pharmacy.bare VALUES (4711)"
check "caught up again" wait_caught_up "$store"
for _ in $(seq 100); do [ "$(wc -l < "$work/tail")" -lt 2 ] || break; sleep 0.1; done
check "tail has shown the newest and the new one" is "$(wc -l < "$work/tail")" 2
check "stops with 0" stop_run "$sqlite_pid"
finish
