#!/usr/bin/env bash
# What the normalizer makes of a binlog file, against what the server's own mysqlbinlog -vv prints of it:
# every kind of transaction and column value in canonical.sql.
. "$(dirname "$0")/lib.sh"
use_mysql
mysql -e "RESET BINARY LOGS AND GTIDS"
mysql --default-character-set=utf8mb4 < test/integration/canonical.sql
file="$(mysql -N -e "SHOW BINARY LOGS" | tail -n 1 | cut -f1)"
mysql -e "DROP DATABASE canonical; FLUSH BINARY LOGS"
test/servers/mysql.sh tool "$mysql_instance" mysqlbinlog --base64-output=DECODE-ROWS -vv \
  "/instances/$mysql_instance/data/$file" > "$work/mysqlbinlog.txt"
"$build/bench/bench_normalize" --print "$ROWTRAIL_MYSQL_DATADIR/$file" > "$work/changes.ndjson"
check "every row is the one mysqlbinlog prints" python3 test/integration/canonical.py "$work/changes.ndjson" "$work/mysqlbinlog.txt"
has() { jq -e -s "map(select($1)) | length == $2" "$work/changes.ndjson"; }
check "DDL and TRUNCATE are changes" has '.op == "ddl" and .table == "everything"' 1
check "TRUNCATE is told from DDL" has '.op == "truncate" and .table == "no_key"' 1
check "CREATE TABLE … SELECT is a ddl and its rows" has '.table == "copied" and (.op == "insert" or (.sql | test("^CREATE")))' 5
check "a key that changed shows both" has '.old_pk.id == 3 and .pk.id == 30' 1
check "a key of two columns stands in key order" has '.table == "two_keys" and .pk != null and (.pk | keys_unsorted) != ["b","a"]' 0
check "rolled back to a savepoint: gone" has '.table == "no_key" and .op == "insert" and .new.a == 1 and .new.b == null' 0
check "a minimal row image is told" has '.kind == "partial_image"' 1
check "a statement logged as text is a gap" has '.kind == "statement_dml" and .table == "two_keys"' 1
check "every statement's text stands on its first change" has '.op == "insert" and .query == null and .statement == null' 0
check "no password passes" bash -c '! grep -q never-to-be-seen "$1" && ! grep -qF "\$A\$005" "$1"' - "$work/changes.ndjson"
finish
