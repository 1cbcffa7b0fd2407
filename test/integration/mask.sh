#!/usr/bin/env bash
# Masked columns: secrets are planted in every kind of place, and no file, log, line or answer has them; rules
# still see them in their conditions.
. "$(dirname "$0")/lib.sh"

(umask 077 && echo "a-key-of-more-than-16-characters" > "$work/mask.key")
cat > "$work/mask.yaml" << Y
mask:
  - clinic.patient.ssn_ redact
  - clinic.patient.nr hash
  - clinic.*.iban last4
  - clinic.patient.diagnosis drop
  - clinic.patient.hint redact
  - clinic.patient.document\$.card.number redact
  - clinic.patient.document\$.notes hash
  - clinic.other.token_count keep
mask_key_file: $work/mask.key
Y
mkdir "$work/rules"
cat > "$work/rules/vip.yaml" << 'Y'
id: vip
title: VIP
event: patient.vip
match:
  row: {table: clinic.patient, op: insert, when: "after.ssn_.startsWith('zq7') && after.diagnosis.endsWith('a5')"}
emit:
  objects: {patient: row.after.nr}
  attributes: {ssn: row.after.ssn_, account: row.after.iban}
  summary: "Patient {patient}, {ssn}, {account}"
Y
workload() {
  cat << 'S'
DROP DATABASE IF EXISTS clinic;
CREATE DATABASE clinic;
USE clinic;
CREATE TABLE patient (id INT PRIMARY KEY, nr INT, ssn_ VARCHAR(40), iban VARCHAR(40), diagnosis VARCHAR(40), document JSON, password VARCHAR(40)) CHARACTER SET utf8mb4;
CREATE TABLE other (id INT PRIMARY KEY, note VARCHAR(100), token_count INT) CHARACTER SET utf8mb4;
CREATE TABLE account (nr INT PRIMARY KEY, iban VARCHAR(40)) CHARACTER SET utf8mb4;
INSERT INTO patient VALUES (1, 777123401, 'zq7secret-a2', 'zq7secret-a3-tail', 'zq7secret-a5', '{"card":{"number":"zq7secret-a6","kind":"visa"},"notes":["zq7secret-a7"],"open":"plain-text"}', 'zq7secret-a8') /*actor='anna'*/;
UPDATE patient SET ssn_ = 'zq7secret-b2', diagnosis = 'zq7secret-b5' WHERE ssn_ = 'zq7secret-a2';
UPDATE patient SET nr = 777123402, document = '[{"card":{"number":777123403}}]' WHERE id = 1;
INSERT INTO patient VALUES (2, NULL, NULL, 'short', NULL, NULL, NULL), (3, 777123401, 'zq7secret-c2', '777123404', 'x', '"zq7-open"', 'zq7secret-c8');
INSERT INTO other SELECT 1, 'from patient', 17 FROM patient WHERE ssn_ = 'zq7secret-c2';
INSERT INTO other VALUES (2, 'untouched literal', 18);
INSERT INTO account VALUES (777123405, 'zq7secret-d3-tail');
ALTER TABLE patient ADD COLUMN hint VARCHAR(40) DEFAULT 'zq7secret-e1';
XA START 'x'; INSERT INTO patient VALUES (4, 777123406, 'zq7secret-f2', NULL, NULL, NULL, 'zq7secret-f8', 'h'); XA END 'x'; XA PREPARE 'x'; XA COMMIT 'x';
DELETE FROM patient WHERE id = 1;
SET SESSION binlog_format = 'STATEMENT';
INSERT INTO patient VALUES (9, 777123407, 'zq7secret-g2', NULL, NULL, NULL, 'zq7secret-g8', 'h');
S
}
# 7771234 is in no file's checksum or time: nine digits in a row that nothing else makes.
secrets="zq7secret|77712340[1-467]"
clean() {  # WHAT FILE…: none holds a secret, as text, hexadecimal or base64
  local what="$1" hex base64
  shift
  hex="$(printf 'zq7secret' | xxd -p)"
  base64="$(for pad in '' a aa; do printf '%szq7secret' "$pad" | base64 | cut -c$((${#pad} == 0 ? 1 : 5))-12; done | paste -sd '|')"
  check "$what: $# files are there to look into" ls "$@"
  grep -raEl "$secrets|$hex|$base64" "$@" > "$work/found" || true
  check "$what holds no secret" bash -c 'cat "$0"; test ! -s "$0"' "$work/found"
}

for server in ${FAMILIES:-mysql mariadb}; do
  use_server "$server"
  reset_mysql
  [ "$server" = mysql ] || mysql -e "SET GLOBAL log_bin_compress = OFF"
  annotate="SET SESSION binlog_rows_query_log_events = ON;"
  [ "$server" = mysql ] || annotate="SET SESSION binlog_annotate_row_events = ON;"
  sql() { (echo "$annotate"; workload) | if [ "$server" = mysql ]; then cat; else sed "s/XA START.*/INSERT INTO patient VALUES (4, 777123406, 'zq7secret-f2', NULL, NULL, NULL, 'zq7secret-f8', 'h');/"; fi; }
  check "$server: the workload runs" mysql --comments < <(sql)
  check "$server: the binlog is full of secrets" bash -c 'cat "$@" | grep -qa zq7secret-a8' - $(binlog_files)
  grep -raEl "$secrets" $(binlog_files) > "$work/found" || true
  check "$server: and looking for them finds them" test -s "$work/found"
  use_postgres "mask_$server"
  for store in "sqlite://$work/$server.db" "$postgres_url"; do
    name="$server.${store%%:*}"
    rules="$work/rules"
    start_run "$name" "$store" --until end --no-serve --config "$work/mask.yaml" --print-events
    check "$name: a run ends with 0" wait "$run_pid"
    for what in changes events gaps; do "$rowtrail" "$what" --store "$store" --format ndjson --limit 0 > "$work/$name.$what"; done
    "$rowtrail" summary --store "$store" --date today > "$work/$name.summary" 2>&1 || true
    first="$(head -n 1 "$work/$name.events" | jq .seq)"
    "$rowtrail" diff --store "$store" "$first" > "$work/$name.diff" 2>&1 || true
    "$rowtrail" rules explain --store "$store" --rules "$work/rules" "$(grep patient.vip "$work/$name.events" | jq .seq | head -n 1)" > "$work/$name.explain" 2>&1 || true
    "$rowtrail" rules backtest --store "$store" --rules "$work/rules" > "$work/$name.backtest" 2>&1 || true
    check "$name: verify is content" "$rowtrail" verify --store "$store"
    has() { jq -e -s "map(select($1)) | length == $2" "$work/$name.changes"; }
    check "$name: redacted is null, and says so" has '.table == "patient" and .op == "insert" and .new.id == 1 and .new.ssn_ == null and .cells["new.ssn_"].masked == "redact"' 1
    check "$name: so is a password, by its name" has '.table == "patient" and .new.id == 1 and .op == "insert" and .cells["new.password"].masked == "redact"' 1
    check "$name: NULL does not show either" has '.table == "patient" and .new.id == 2 and .cells["new.ssn_"].masked == "redact"' 1
    check "$name: hashed values stay equal" bash -c 'test "$(jq -r "select(.table == \"patient\" and .op == \"insert\" and (.new.id == 1 or .new.id == 3)) | .new.nr" "$0" | grep -E "^[0-9a-f]{32}$" | sort -u | wc -l)" = 1' "$work/$name.changes"
    check "$name: and NULL null" has '.table == "patient" and .new.id == 2 and .new.nr == null and .cells["new.nr"] == null' 1
    check "$name: the last four show" has '.table == "account" and .new.iban == "…tail" and .cells["new.iban"].masked == "last4"' 1
    check "$name: of short values nothing" has '.table == "patient" and .new.id == 2 and .new.iban == "…"' 1
    check "$name: dropped is absent" has '.table == "patient" and ((.new // {}) + (.old // {}) | has("diagnosis"))' 0
    check "$name: what changed in secret is not told" has '.op == "update" and .table == "patient" and (.changed | index("ssn_"))' 0
    check "$name: kept is kept" has '.table == "other" and (.new.token_count | numbers)' 2
    check "$name: statements keep their shape and comments" has '.query != null and (.query | contains("INSERT INTO patient VALUES (?, ?, ?")) and (.query | contains("/*actor="))' 1
    check "$name: a statement that only reads the table too" has '.table == "other" and .new.id == 1 and (.query | contains("ssn_ = ?"))' 1
    check "$name: others keep all" has '.table == "other" and .new.id == 2 and (.query | contains("untouched literal"))' 1
    check "$name: DDL of masked tables lost its literals" has '.op == "ddl" and (.sql | contains("ADD COLUMN hint VARCHAR(?) DEFAULT ?"))' 1
    [ "$server" = mariadb ] || check "$name: paths of documents" has '.table == "patient" and .op == "insert" and .new.id == 1 and .new.document.card.number == "<redacted>" and .new.document.open == "plain-text" and (.new.document.notes | test("^[0-9a-f]{32}$"))' 1
    [ "$server" = mysql ] || check "$name: paths of documents" has '.table == "patient" and .op == "insert" and .new.id == 1 and (.new.document | fromjson | .card.number == "<redacted>" and .open == "plain-text")' 1
    check "$name: a statement logged as text is a gap without literals" jq -e -s 'map(select(.kind == "statement_dml" and (.sql | contains("VALUES (?")))) | length == 1' "$work/$name.gaps"
    check "$name: a rule sees raw values, its event does not" jq -e -s 'map(select(.type == "patient.vip" and .attributes.ssn == null and .attributes.account == "…tail" and (.objects[0].id | test("^[0-9a-f]{32}$")))) | length == 1' "$work/$name.events"
  done
  check "$server: both stores have the same" cmp <(jq -c 'del(.seq)' "$work/$server.sqlite.changes") <(jq -c 'del(.seq)' "$work/$server.postgresql.changes")
  "$rowtrail" capture --config "$work/mask.yaml" --source "$source_url" --source-name pharmacy --start earliest --until end > "$work/$server.capture" 2> "$work/$server.capture.log"
  "$rowtrail" capture --config "$work/mask.yaml" --source "$source_url" --source-name pharmacy --start earliest --until end --format debezium > "$work/$server.debezium" 2> "$work/$server.debezium.log"
  check "$server: capture gives the record's changes" cmp <(jq -c 'del(.seq, .actor)' "$work/$server.sqlite.changes") <(jq -c . "$work/$server.capture")
  # The same through HTTP, live.
  port="$((20000 + RANDOM % 12000))"
  start_run "$server.live" "sqlite://$work/$server.db" --listen "127.0.0.1:$port" --no-auth --config "$work/mask.yaml"
  for _ in $(seq 100); do ! curl -sf "http://127.0.0.1:$port/readyz" > /dev/null || break; sleep 0.1; done
  for path in "v1/changes?limit=500" "v1/events?limit=500" v1/gaps "v1/search?q=zq7secret" v1/stats v1/types v1/process "v1/rows/clinic/patient/1" metrics "v1/events?q=777123401"; do
    curl -s "http://127.0.0.1:$port/$path"
  done > "$work/$server.api"
  check "$server: the API answered" grep -q '"table":"patient"' "$work/$server.api"
  stop_run "$run_pid" || true
  PGPASSWORD="$ROWTRAIL_POSTGRES_PASSWORD" pg_dump "$postgres_url" > "$work/$server.dump"
  check "$server: the dump has the changes" grep -q '"table":"patient"' "$work/$server.dump"
  clean "$server: store" "$work/$server".db*
  clean "$server: dump of the Postgres store" "$work/$server.dump"
  clean "$server: what was printed and logged" "$work/$server".*.{changes,events,gaps,summary,diff,explain,backtest,out,log} "$work/$server".{capture,debezium,api}
done

bad_config() {  # LINE: is refused, and says so
  echo "mask: ['$1']" > "$work/bad.yaml"
  ! "$rowtrail" config check --config "$work/bad.yaml" > "$work/bad.out" 2>&1 && grep -q "$2" "$work/bad.out"
}
check "a rule without an action is refused with its place" bad_config 'a.b.c' 'bad.yaml:1:.*no action'
check "so is an unknown action" bad_config 'a.b.c shred' 'unknown action'
check "and two names" bad_config 'b.c redact' 'three names'
echo "mask: ['a.b.c hash']" > "$work/bad.yaml"
status=0
"$rowtrail" capture --config "$work/bad.yaml" --source "$source_url" --until end 2> "$work/bad.out" || status=$?
check "hash without a key is refused with 2" test "$status" = 2
check "and says how to make one" grep -q mask_key_file "$work/bad.out"
finish
