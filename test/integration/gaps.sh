#!/usr/bin/env bash
# What could not be captured, on a real server: a statement logged as text and partial row images become
# gaps that the CLI in every format, the API, status and the metrics show alike.
. "$(dirname "$0")/lib.sh"
use_mysql
reset_mysql
mysql -e "CREATE DATABASE pharmacy; CREATE TABLE pharmacy.t (id INT PRIMARY KEY, a INT, b INT);
  INSERT INTO pharmacy.t VALUES (1,1,1);
  SET SESSION binlog_format = STATEMENT; UPDATE pharmacy.t SET a = 2;
  SET SESSION binlog_format = ROW; SET SESSION binlog_row_image = MINIMAL; UPDATE pharmacy.t SET b = 3 WHERE id = 1;"
store="sqlite://$work/gaps.db"
port=18768
start_run gaps "$store" --listen "127.0.0.1:$port"
check "everything is captured" wait_caught_up "$store"
list() { "$rowtrail" gaps --store "$store" "$@"; }
list --limit 0 --format ndjson > "$work/gaps.ndjson"
has() { jq -e -s "map(select($1)) | length == $2" "$work/gaps.ndjson"; }
check "two gaps" has 'true' 2
check "each has position, reason and advice" has '.position.pos > 4 and .reason != "" and .advice != "" and .table == "t"' 2
check "the statement is kept" has '.kind == "statement_dml" and .sql == "UPDATE pharmacy.t SET a = 2"' 1
check "json is the same list" bash -c 'jq -e -s "length == 2" <("$0" gaps --store "$1" --format json | jq -c ".[]")' "$rowtrail" "$store"
check "text shows what to do" bash -c '"$0" gaps --store "$1" | grep -q "advice: SET GLOBAL binlog_format = ROW"' "$rowtrail" "$store"
check "csv has a header and a line each" bash -c '[ "$("$0" gaps --store "$1" --format csv | wc -l)" = 3 ]' "$rowtrail" "$store"
check "filters narrow" bash -c '[ -z "$("$0" gaps --store "$1" --table other --format ndjson)" ] && [ -z "$("$0" gaps --store "$1" --source other --format ndjson)" ] && [ -z "$("$0" gaps --store "$1" --until 2020-01-01 --format ndjson)" ]' "$rowtrail" "$store"
check "limit takes the newest" bash -c '"$0" gaps --store "$1" --limit 1 --format ndjson | jq -e ".kind == \"partial_image\""' "$rowtrail" "$store"
check "status counts them" bash -c '"$0" status --store "$1" --format json | jq -e ".gaps == 2 and .gaps_by_kind == {statement_dml: 1, partial_image: 1}"' "$rowtrail" "$store"
check "status in text leads to them" bash -c '"$0" status --store "$1" | grep -q "1 statement_dml: see .rowtrail gaps"' "$rowtrail" "$store"
get() { curl -sf -H "Authorization: Bearer $(cat "$work/token")" "http://127.0.0.1:$port$1"; }
get "/v1/gaps?limit=0&format=ndjson" > "$work/api.ndjson"
check "the API gives the same lines" cmp "$work/api.ndjson" "$work/gaps.ndjson"
get /v1/status > "$work/status.json"
check "/v1/status counts them" jq -e '.gaps_by_kind == {statement_dml: 1, partial_image: 1}' "$work/status.json"
get /metrics > "$work/metrics"
check "the metrics count them" grep -q '^rowtrail_gaps{kind="statement_dml"} 1$' "$work/metrics"
check "run stops" stop_run "$run_pid"
start_run again "$store" --listen "127.0.0.1:$port"
for _ in $(seq 100); do get /metrics > "$work/metrics" 2> /dev/null && grep -q rowtrail_gaps "$work/metrics" && break; sleep 0.1; done
check "and still do after a restart" grep -q '^rowtrail_gaps{kind="partial_image"} 1$' "$work/metrics"
check "run stops again" stop_run "$run_pid"
finish
