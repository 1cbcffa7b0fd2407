#!/usr/bin/env bash
# `rowtrail capture`: the canonical changes are those a store gives, live and from files; Debezium's messages
# rebuild the tables; a reader that goes, waits or a signal end it as they should.
. "$(dirname "$0")/lib.sh"

for server in ${FAMILIES:-mysql mariadb}; do
  use_server "$server"
  reset_mysql
  seed="${SEED:-$RANDOM}"
  # Debezium's mapping has no zero dates: the unit tests have them.
  python3 test/integration/types_workload.py "$server" "$seed" |
    sed "s/'0000-00-00 00:00:00'/'2001-02-03 04:05:06'/g; s/'0000-00-00'/'2001-02-03'/g; s/'2026-00-00'/'2026-01-01'/g" > "$work/$server.sql"
  check "$server: the workload of seed $seed runs" mysql < "$work/$server.sql"
  [ "$server" = mysql ] || mysql -e "SET GLOBAL log_bin_compress = OFF"
  start_run "$server" "sqlite://$work/$server.db" --until end --no-serve
  check "$server: a store takes it all" wait "$run_pid"
  "$rowtrail" changes --store "sqlite://$work/$server.db" --format ndjson --limit 0 |
    sed -E 's/^\{"seq":[0-9]+,/{/; s/,"actor":\{[^{}]*\}\}$/}/' > "$work/$server.store"
  capture() { "$rowtrail" capture --source "$source_url" --source-name pharmacy "$@"; }
  check "$server: capture ends with 0" bash -c '"$@" > "$0"' "$work/$server.capture" "$rowtrail" capture --source "$source_url" --source-name pharmacy --start earliest --until end
  check "$server: its $(wc -l < "$work/$server.store") lines are the store's, byte for byte" cmp "$work/$server.store" "$work/$server.capture"
  mapfile -t files < <(binlog_files)
  "$rowtrail" capture --source-name pharmacy "${files[@]}" > "$work/$server.files" 2> "$work/$server.files.log"
  check "$server: the same from files" cmp "$work/$server.store" "$work/$server.files"
  capture --start earliest --until end --format debezium > "$work/$server.debezium" 2> /dev/null
  check "$server: every Debezium message is JSON" jq -e -s 'length > 1000' "$work/$server.debezium"
  client="test/servers/$server.sh client $mysql_instance"
  python3 test/integration/debezium_rows.py "$client" types < "$work/$server.debezium" > "$work/$server.rows"
  check "$server: rows rebuilt from $(wc -l < "$work/$server.rows") Debezium messages equal SELECT" \
    python3 test/integration/rebuild_state.py --changes "$work/$server.rows" --client "$client" --database types
  check "$server: no cell was left out" bash -c '! grep -q "masked or digests" "$1"' - "$work/check.out"
  check "$server: messages name connector, file and statement's place" jq -e -s \
    "all(.[]; .source.connector == \"$server\" and .source.file != null and (.source.row >= 0) and .source.name == \"pharmacy\")" "$work/$server.debezium"
done

use_mysql
reset_mysql
mysql -e "CREATE DATABASE pharmacy; CREATE TABLE pharmacy.t (id INT PRIMARY KEY, v VARCHAR(200)) CHARACTER SET utf8mb4"
status=0
"$rowtrail" capture --source "$source_url" --format csv 2> "$work/usage.err" || status=$?
check "an unknown format is refused with 2" test "$status" = 2
status=0
"$rowtrail" capture 2> "$work/usage.err" || status=$?
check "so is no source at all" test "$status" = 2

fill() { mysql -e "SET SESSION cte_max_recursion_depth = 1000000; REPLACE INTO pharmacy.t SELECT n, REPEAT('x', 190) FROM (WITH RECURSIVE q(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM q WHERE n < $1) SELECT n FROM q) q"; }
fill 200000
status=0
("$rowtrail" capture --source "$source_url" --start earliest 2> "$work/pipe.log"; echo $? > "$work/pipe.status") | head -n 5 > "$work/five"
check "a reader that goes after five lines ends it" test "$(wc -l < "$work/five")" = 5
check "quietly, with 0" test "$(cat "$work/pipe.status")" = 0
check "without an error in the log" bash -c '! grep -qE "error|rowtrail:" "$1"' - "$work/pipe.log"

# Live: what is committed comes at once, a signal ends it with 0 and says where to go on.
"$rowtrail" capture --source "$source_url" --start now > "$work/live" 2> "$work/live.log" &
pid=$!
children+=("$pid")
await() { for _ in $(seq 100); do ! "$@" 2> /dev/null || return 0; sleep 0.1; done; return 1; }
sleep 1
mysql -e "INSERT INTO pharmacy.t VALUES (1000001, 'live')"
check "a commit comes while the stream runs" await grep -q '"new":{"id":1000001,"v":"live"}' "$work/live"
kill -INT "$pid"
status=0
wait "$pid" || status=$?
check "Ctrl-C ends it with 0" test "$status" = 0
next="$(sed -n "s/.*--start '\(.*\)'.*/\1/p" "$work/live.log")"
check "and it says where to go on: $next" test "$next" = "$(executed_gtids)"
mysql -e "INSERT INTO pharmacy.t VALUES (1000002, 'next')"
"$rowtrail" capture --source "$source_url" --start "$next" --until end > "$work/next" 2> /dev/null
check "which gives the next change and no other" test "$(jq -r '.new.id' "$work/next")" = 1000002

# A reader that stands still: memory stays bounded, and Ctrl-C is heard.
mkfifo "$work/fifo"
"$rowtrail" capture --source "$source_url" --start earliest > "$work/fifo" 2> "$work/slow.log" &
pid=$!
children+=("$pid")
exec 7< "$work/fifo"
sleep 3
resident="$(awk '/VmRSS/ {print int($2 / 1024)}' "/proc/$pid/status")"
check "a reader that stands still keeps it waiting in $resident MB" test "$resident" -lt 64
kill -INT "$pid"
status=0
wait "$pid" || status=$?
exec 7<&-
check "Ctrl-C is heard then too" test "$status" = 0

# XA without a store: rows come with their XA COMMIT, those rolled back never.
mysql -e "XA START 'a'; INSERT INTO pharmacy.t VALUES (2000001, 'xa'); XA END 'a'; XA PREPARE 'a';"
mysql -e "XA START 'b'; INSERT INTO pharmacy.t VALUES (2000002, 'xa'); XA END 'b'; XA PREPARE 'b';"
mysql -e "XA COMMIT 'a'"
mysql -e "XA ROLLBACK 'b'"
"$rowtrail" capture --source "$source_url" --start earliest --until end 2> /dev/null | tail -n 1 > "$work/xa"
check "XA rows come with their commit" test "$(jq -r '.new.id' "$work/xa")" = 2000001

# What could not be captured is told.
mysql -e "SET SESSION binlog_format = STATEMENT; INSERT INTO pharmacy.t VALUES (3000001, 'text')" 2> /dev/null
"$rowtrail" capture --source "$source_url" --start earliest --until end > /dev/null 2> "$work/gaps.log"
check "a gap stands in the log" grep -q "gap statement_dml at" "$work/gaps.log"
finish
