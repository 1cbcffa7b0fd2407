#!/usr/bin/env bash
# The OpenAPI document held against the running server by schemathesis, and the official Python client
# of MCP over both transports.
. "$(dirname "$0")/../integration/lib.sh"
use_mysql
reset_mysql
run_staff --init --transactions 300 --rate 0 --ledger "$work/ledger" > /dev/null 2>&1
mysql -e "CREATE TABLE pharmacy.big (id BIGINT UNSIGNED PRIMARY KEY, note TEXT NOT NULL);
  INSERT INTO pharmacy.big VALUES (18446744073709551615, 'quiet')"
store="sqlite://$work/rowtrail.db"
start_run run "$store" --listen 127.0.0.1:18770
check "caught up" wait_caught_up "$store"
base=http://127.0.0.1:18770
check "the Python client over both transports" python test/extra/mcp_client.py "$base" "$work/token" "$rowtrail" "$store"
# Not checked: that whatever fits a schema is taken (a cursor is opaque, a date may not exist).
fuzz() {
  schemathesis run "$base/openapi.json" --header "Authorization: Bearer $(cat "$work/token")" \
    --phases=examples,coverage,fuzzing --exclude-path /v1/stream --exclude-checks positive_data_acceptance \
    --max-examples "${EXAMPLES:-15}" --seed 1
}
check "schemathesis finds nothing" fuzz
check "stops with 0" stop_run "$run_pid"
finish
