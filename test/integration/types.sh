#!/usr/bin/env bash
# Every column type of both server families with extremes, NULLs, random values and DDL in between: the rows
# rebuilt from the changes equal SELECT, cell by cell, and files give the live changes byte for byte.
. "$(dirname "$0")/lib.sh"

for server in ${FAMILIES:-mysql mariadb}; do
  use_server "$server"
  reset_mysql
  seed="${SEED:-$RANDOM}"
  python3 test/integration/types_workload.py "$server" "$seed" > "$work/$server.sql"
  check "$server: the workload of seed $seed runs" mysql < "$work/$server.sql"
  [ "$server" = mysql ] || mysql -e "SET GLOBAL log_bin_compress = OFF"
  start_run "$server" "sqlite://$work/$server.db" --until end --no-serve
  check "$server: live ends with 0" wait "$run_pid"
  changes() { "$rowtrail" changes --store "sqlite://$work/$1.db" --format ndjson --limit 0; }
  changes "$server" > "$work/$server.live"
  check "$server: rows rebuilt from $(wc -l < "$work/$server.live") changes equal SELECT" python3 test/integration/rebuild_state.py \
    --changes "$work/$server.live" --client "test/servers/$server.sh client $mysql_instance" --database types
  check "$server: no cell was left out" bash -c '! grep -q "masked or digests" "$1"' - "$work/check.out"
  check "$server: no gap" test "$("$rowtrail" gaps --store "sqlite://$work/$server.db" --format ndjson --limit 0 | wc -l)" = 0
  mapfile -t files < <(binlog_files)
  check "$server: files are read" "$rowtrail" replay --source-name pharmacy --rules "$rules" --store "sqlite://$work/$server.files.db" "${files[@]}"
  changes "$server.files" > "$work/$server.files"
  check "$server: the same from files, byte for byte" cmp "$work/$server.live" "$work/$server.files"
done
finish
