#!/usr/bin/env bash
# How fast rowtrail catches up: a pharmacy's binlog of about CHANGES row changes, its rules on, into a
# new SQLite store, live from the server and from the files; beside it, in the same run, the server's own
# `mysqlbinlog -vv`, which only prints the rows. Rates are wall clock; memory is the peak resident set.
#
#   bench/catch_up.sh [CHANGES]     default 500000
. "$(dirname "${BASH_SOURCE[0]}")/../test/integration/lib.sh"
. bench/measured.sh
changes="${1:-500000}"
use_mysql bench
reset_mysql
run_staff --init --transactions 0 > /dev/null
echo "making about $changes changes"
run_staff --rate 0 --staff 8 --row-changes "$changes" > "$work/staff.out" 2>&1
binlogs=()
for file in $(mysql -N -e 'SHOW BINARY LOGS' | cut -f1); do binlogs+=("$ROWTRAIL_MYSQL_DATADIR/$file"); done
bytes="$(cat "${binlogs[@]}" | wc -c)"

row() {  # WHAT: one line of the table
  awk -v w="$1" -v n="$recorded" -v b="$bytes" -v s="$wall" -v c="$cpu" -v k="$peak" -v o="$oracle" \
    'BEGIN {printf "%-34s %8.1f s %8.1f s CPU %10.0f changes/s %7.1f MB/s %6.1f x mysqlbinlog %5.0f MiB\n", w, s, c, n/s, b/s/1e6, o/s, k/1024}'
}

measured mysqlbinlog test/servers/mysql.sh tool "$mysql_instance" mysqlbinlog -vv --base64-output=decode-rows \
  "${binlogs[@]/#"$(dirname "$ROWTRAIL_MYSQL_DATADIR")"//instances/$mysql_instance}"
oracle="$wall" oracle_cpu="$cpu" oracle_peak="$peak"
measured live "$rowtrail" run --source "$source_url" --source-name pharmacy --store "sqlite://$work/live.db" \
  --rules "$rules" --start earliest --until end --no-serve
recorded="$("$rowtrail" status --store "sqlite://$work/live.db" --format json | jq .changes)"
printf '\n%s changes, %s bytes of binlog, %s cores\n' "$recorded" "$bytes" "$(nproc)"
row "rowtrail run --until end (live)"
measured replay "$rowtrail" replay --source-name pharmacy --store "sqlite://$work/replay.db" --rules "$rules" "${binlogs[@]}"
row "rowtrail replay (files)"
wall="$oracle" cpu="$oracle_cpu" peak="$oracle_peak"
row "mysqlbinlog -vv (prints, no store)"
test/servers/mysql.sh stop "$mysql_instance" > /dev/null
finish
