#!/usr/bin/env bash
# A rule that cannot be judged on some row leaves a Gap in the record, once for a version of the rule,
# and a line in the log; the events of the other rules come as ever.
. "$(dirname "$0")/lib.sh"
use_mysql
reset_mysql
store="sqlite://$work/rowtrail.db"
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
gaps() { python3 -c "import sqlite3, sys; print([r[0] for r in sqlite3.connect(sys.argv[1]).execute('SELECT payload FROM gap')])" "$work/rowtrail.db"; }
one_gap() { gaps | python3 -c '
import ast, json, sys
found = [json.loads(text) for text in ast.literal_eval(sys.stdin.read())]
names = [(gap["kind"], gap["rules"][0].split("@")[0]) for gap in found]
sys.exit(0 if names == [("rule_failed", "misspelt")] and "quantiy" in found[0]["reason"] else f"{found}")'; }

run_staff --init --transactions 200 --ledger "$work/ledger.ndjson" > /dev/null
check "catches up in spite of a rule that fails" catch_up first
check "the record has one gap, which names rule and column" one_gap
check "the log says so" grep -q "gap rule_failed .*quantiy" "$work/first.log"
check "the other rules' events equal the ledger" python3 deploy/demo/check_ledger.py --ledger "$work/ledger.ndjson" \
  -- "$rowtrail" --store "$store"
run_staff --transactions 200 --seed 2 > /dev/null
check "catches up again" catch_up second
check "the same gap is not recorded twice" one_gap
finish
