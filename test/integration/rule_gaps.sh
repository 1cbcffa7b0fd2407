#!/usr/bin/env bash
# A rule that cannot be judged on some row leaves a Gap in the record, once for a version of the rule, a
# line in the log and a count in the metrics; the events of the other rules come as ever.
. "$(dirname "$0")/lib.sh"
use_mysql
reset_mysql
store="sqlite://$work/rowtrail.db"
listen=127.0.0.1:18767
rules="$work/rules"
mkdir "$rules"
cp deploy/demo/rules/*.yaml "$rules/"
cat > "$rules/broken.yaml" << 'END'
id: misspelt
title: A column that is not there
event: stock.misspelt
match: {row: {table: pharmacy.stock, op: update, when: "after.quantiy > 0"}}
END
catch_up() { start_run "$1" "$store" --until end --no-serve && wait "$run_pid"; }
one_gap() {
  "$rowtrail" gaps --store "$store" --format ndjson --limit 0 | jq -e -s 'length == 1 and .[0].kind == "rule_failed"
    and (.[0].rules | map(split("@")[0])) == ["misspelt"] and (.[0].reason | contains("quantiy"))'
}
metrics() { curl -sf -H "Authorization: Bearer $(cat "$work/token")" "http://$listen/metrics"; }
counted() { metrics | grep '^rowtrail_gaps{kind="rule_failed"} 1$'; }

run_staff --init --transactions 200 --ledger "$work/ledger.ndjson" > /dev/null
start_run first "$store" --listen "$listen"
check "catches up in spite of a rule that fails" wait_caught_up "$store"
check "the metrics count the gap as soon as it is recorded" counted
check "run stops" stop_run "$run_pid"
check "the record has one gap, which names rule and column" one_gap
check "the log says so" grep -q "gap rule_failed .*quantiy" "$work/first.log"
check "the other rules' events equal the ledger" python3 deploy/demo/check_ledger.py --ledger "$work/ledger.ndjson" \
  -- "$rowtrail" --store "$store"
run_staff --transactions 200 --seed 2 > /dev/null
check "catches up again" catch_up second
check "the same gap is not recorded twice" one_gap
finish
