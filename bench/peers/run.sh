#!/usr/bin/env bash
# rowtrail beside what one would take instead, on one MySQL 9.7, one binlog, one run: how fast each gets through the
# row changes of the demo's pharmacy, and what each makes of every column type. The peers decode and count, nothing
# more; rowtrail infers, proves and stores durably as well. What cannot be fetched is said.
#
#   bench/peers/run.sh [all|types|speed] [CHANGES]     default: all, 200000
. "$(dirname "${BASH_SOURCE[0]}")/../../test/integration/lib.sh"
. bench/measured.sh
part="${1:-all}" changes="${2:-200000}"
bench/peers/fetch.sh
peers=build/peers
use_mysql peers
export PEER_PASSWORD="$ROWTRAIL_MYSQL_ROOT_PASSWORD"
port="$ROWTRAIL_MYSQL_PORT"
first_gtid() { mysql -N -e "SELECT CONCAT(@@server_uuid, ':1')"; }
have() { ! grep -q "^$1 " "$peers/missing"; }

if [ "$part" != speed ]; then
echo "== what each makes of a row"
reset_mysql
mysql -e 'DROP DATABASE IF EXISTS cases; RESET BINARY LOGS AND GTIDS'
python3 bench/peers/cases.py sql | mysql --default-character-set=utf8mb4
mapfile -t files < <(mysql -N -e 'SHOW BINARY LOGS' | cut -f1)
mapfile -t names < <(python3 bench/peers/cases.py sql | grep -o 'CREATE TABLE z_[a-z0-9]*' | cut -d' ' -f3)
"$rowtrail" run --source "$source_url" --source-name cases --store "sqlite://$work/cases.db" --start earliest --until end --no-serve > "$work/rowtrail.log" 2>&1
"$rowtrail" changes --store "sqlite://$work/cases.db" --limit 0 --format ndjson > "$work/rowtrail.rows"
judged=("rowtrail=$work/rowtrail.rows")
# From the first file on; where a case ends a peer, each case again from a file of its own, so that it hides no other.
each_file() {  # each_file NAME COMMAND…
  local name="$1" i
  shift
  judged+=("$name=$work/$name.rows")
  if timeout 120 "$@" print "$port" "${files[0]}" done > "$work/$name.rows" 2> "$work/$name.errors"; then return; fi
  for i in "${!names[@]}"; do
    timeout 20 "$@" print "$port" "${files[i + 1]}" "${names[i]}" >> "$work/$name.rows" 2>> "$work/$name.errors" || true
  done
}
if have java; then
  timeout 120 java -cp "$peers/classes:$peers/java/*" Embedded print "$port" "$(first_gtid)" done > "$work/debezium.rows" 2> "$work/debezium.errors" || true
  judged+=("debezium=$work/debezium.rows")
  each_file binlog-connector-java java -cp "$peers/classes:$peers/java/*" Connector
fi
! have python-mysql-replication || each_file python-mysql-replication "$peers/venv/bin/python" bench/peers/peer.py
! have zongji || NODE_PATH="$peers/node/node_modules" each_file zongji node bench/peers/peer.js
! have go-mysql-canal || each_file go-mysql-canal "$peers/go/canal"
check_cases() { python3 bench/peers/cases.py judge "${judged[@]}" > "$work/cases.md"; }
check "rowtrail gets every case right" check_cases
cat "$work/cases.md"
fi
if [ "$part" = types ]; then test/servers/mysql.sh stop peers > /dev/null; finish; fi

echo "== speed"
mysql -e 'DROP DATABASE IF EXISTS cases'
reset_mysql
run_staff --init --transactions 0 > /dev/null
run_staff --rate 0 --staff 8 --row-changes "$changes" > "$work/staff.out" 2>&1
mysql -e 'CREATE TABLE pharmacy.done (id INT PRIMARY KEY); INSERT INTO pharmacy.done VALUES (1)'
mapfile -t files < <(mysql -N -e 'SHOW BINARY LOGS' | cut -f1)
printf '| | wall | CPU | peak memory | rows | rows/s | beside rowtrail |\n|---|---:|---:|---:|---:|---:|---:|\n'
line() {  # line WHAT ROWS
  awk -v w="$1" -v n="$2" -v s="$wall" -v c="$cpu" -v k="$peak" -v r="$rowtrail_wall" \
    'BEGIN {printf "| %s | %.1f s | %.1f s | %.0f MiB | %d | %.0f | %.2f |\n", w, s, c, k/1024, n, n/s, r/s}'
}
measured rowtrail "$rowtrail" run --source "$source_url" --source-name pharmacy --store "sqlite://$work/speed.db" \
  --rules "$rules" --start earliest --until end --no-serve
rowtrail_wall="$wall"
total="$("$rowtrail" status --store "sqlite://$work/speed.db" --format json | jq .changes)"
line "rowtrail: inferred, proved, stored" "$total"
measured mysqlbinlog test/servers/mysql.sh tool peers mysqlbinlog --read-from-remote-server --host=127.0.0.1 --port="$port" \
  --user=root --password="$PEER_PASSWORD" -vv --base64-output=decode-rows "${files[@]}"
line "mysqlbinlog -vv: prints" "$(grep -cE '^### (INSERT INTO|UPDATE|DELETE FROM)' "$work/mysqlbinlog.out")"
peer() {  # peer NAME WHAT COMMAND…
  local name="$1" what="$2"
  shift 2
  if measured "$name" timeout 900 "$@"; then
    line "$what: counts" "$(sed -n 's/^rows //p' "$work/$name.out")"
  else
    printf '| %s | failed: %s | | | | | |\n' "$what" "$(tail -n 1 "$work/$name.log" | cut -c1-120)"
  fi
}
if have java; then
  peer connector "mysql-binlog-connector-java 0.30.1" java -cp "$peers/classes:$peers/java/*" Connector count "$port" "${files[0]}" done
  peer debezium "Debezium embedded 3.6.1" java -cp "$peers/classes:$peers/java/*" Embedded count "$port" "$(first_gtid)" done
fi
! have python-mysql-replication || peer python "python-mysql-replication 1.0.17" "$peers/venv/bin/python" bench/peers/peer.py count "$port" "${files[0]}" done
! have zongji || NODE_PATH="$peers/node/node_modules" peer zongji "zongji 0.9.0 (@vlasky)" node bench/peers/peer.js count "$port" "${files[0]}" done
! have go-mysql-canal || peer canal "go-mysql canal 1.13.0" "$peers/go/canal" count "$port" "${files[0]}" done
while read -r name version; do printf '| %s %s | could not be fetched or built | | | | | |\n' "$name" "$version"; done < "$peers/missing"
printf '\n%s changes, %s cores, MySQL %s, %s, node %s, %s\n' "$total" "$(nproc)" "$(mysql -N -e 'SELECT @@version')" \
  "$(java -version 2>&1 | head -n 1)" "$(node --version)" "$("$peers/venv/bin/python" --version)"
test/servers/mysql.sh stop peers > /dev/null
finish
