# Sourced by the integration tests: a clean MySQL 9.7 instance, the built binaries, a folder for what a
# test makes, and `check`. Each test is a program that prints a line per check and exits 0 or 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build="${BUILD:-build/release}"
rowtrail="$build/rowtrail"
staff="$build/deploy/demo/pharmacy_staff"
rules=deploy/demo/rules
work="$(mktemp -d "${TMPDIR:-/tmp}/rowtrail-test.XXXXXX")"
export XDG_STATE_HOME="$work/state"  # signing keys of the Postgres logs
failures=0
children=()

clean_up() {
  local pid
  for pid in "${children[@]}"; do kill -9 "$pid" 2> /dev/null || true; done
  if [ "$failures" = 0 ] && [ -z "${KEEP:-}" ]; then rm -rf "$work"; else echo "kept: $work"; fi
}
trap clean_up EXIT
trap 'echo "FAILED in line $LINENO: $BASH_COMMAND"; failures=1' ERR

[ -x "$rowtrail" ] && [ -x "$staff" ] || { echo "build first: make build"; exit 1; }

ok() { printf '  ok    %s\n' "$*"; }
bad() { printf '  FAIL  %s\n' "$*"; failures=$((failures + 1)); }
# check WHAT COMMAND…: runs it; its output is shown only when it fails.
check() {
  local what="$1"
  shift
  if "$@" > "$work/check.out" 2>&1; then ok "$what"; else bad "$what"; sed 's/^/        /' "$work/check.out" | head -n 40; fi
}
finish() { [ "$failures" = 0 ] || exit 1; exit 0; }

# A server of this test's own name, or the shared one; its binlogs start anew.
use_mysql() {
  test/servers/mysql.sh start "${1:-test}" > /dev/null
  eval "$(test/servers/mysql.sh env "${1:-test}")"
  mysql_instance="${1:-test}" family=mysql
  source_url="mysql://rowtrail@localhost/?socket=$ROWTRAIL_MYSQL_SOCKET"
  tcp_url="mysql://rowtrail@127.0.0.1:$ROWTRAIL_MYSQL_PORT/?tls=verify-ca&tls_ca=$ROWTRAIL_MYSQL_CA"
  export ROWTRAIL_SOURCE_PASSWORD="$ROWTRAIL_MYSQL_PASSWORD"
}
# The same of MariaDB; what follows works with the one used last.
use_mariadb() {
  test/servers/mariadb.sh start "${1:-test}" > /dev/null
  eval "$(test/servers/mariadb.sh env "${1:-test}")"
  mysql_instance="${1:-test}" family=mariadb
  source_url="mariadb://rowtrail@localhost/?socket=$ROWTRAIL_MARIADB_SOCKET"
  export ROWTRAIL_SOURCE_PASSWORD="$ROWTRAIL_MARIADB_PASSWORD"
}
use_server() { "use_$1"; }
mysql() { "test/servers/$family.sh" client "$mysql_instance" "$@"; }
# XA transactions that a test left prepared hold their locks.
prepared_xids() {
  if [ "$family" = mysql ]; then
    mysql -N -e "XA RECOVER CONVERT XID" | awk '{d = substr($4, 3); printf "X'\''%s'\'',X'\''%s'\'',%s\n", substr(d, 1, 2 * $2), substr(d, 2 * $2 + 1), $1}'
  else
    mysql -N -e "XA RECOVER FORMAT='SQL'" | cut -f4
  fi
}
reset_mysql() {
  local xid
  for xid in $(prepared_xids); do mysql -e "XA ROLLBACK $xid"; done
  if [ "$family" = mysql ]; then
    mysql -e "DROP DATABASE IF EXISTS pharmacy; RESET BINARY LOGS AND GTIDS;"
  else
    mysql -e "DROP DATABASE IF EXISTS pharmacy; RESET MASTER;"
  fi
}
# What the server has executed, as `status` shows it of a store that has caught up.
executed_gtids() {
  if [ "$family" = mysql ]; then
    mysql -N -e 'SELECT LOWER(REPLACE(@@gtid_executed, "\n", ""))'
  else
    mysql -N -e 'SELECT @@gtid_binlog_pos'
  fi
}
binlog_files() {  # paths, oldest first
  local datadir
  if [ "$family" = mysql ]; then datadir="$ROWTRAIL_MYSQL_DATADIR"; else datadir="$ROWTRAIL_MARIADB_DATADIR"; fi
  mysql -N -e "SHOW BINARY LOGS" | cut -f1 | sed "s|^|$datadir/|"
}
run_staff() { "$staff" --socket "$ROWTRAIL_MYSQL_SOCKET" "$@"; }

use_postgres() {
  test/servers/postgres.sh start test > /dev/null
  eval "$(test/servers/postgres.sh env test)"
  export PGPASSWORD="$ROWTRAIL_POSTGRES_PASSWORD"
  # A database of this test's own, gone again with the next test.
  test/servers/postgres.sh client test -q -c "DROP DATABASE IF EXISTS $1" -c "CREATE DATABASE $1 OWNER rowtrail" 2> /dev/null
  postgres_url="postgresql://rowtrail@127.0.0.1:$ROWTRAIL_POSTGRES_PORT/$1"
}

# start_run NAME STORE OPTIONS…: rowtrail run in the background; its pid in $run_pid, its log in NAME.log.
start_run() {
  local name="$1" store="$2"
  shift 2
  "$rowtrail" run --source "${url:-$source_url}" --source-name pharmacy --store "$store" --rules "$rules" \
    --start "${start:-earliest}" --token-file "$work/token" "$@" > "$work/$name.out" 2> "$work/$name.log" &
  run_pid=$!
  children+=("$run_pid")
}
# Waits until everything the server has executed is durable in STORE.
wait_caught_up() {
  local store="$1" executed stored i
  executed="$(executed_gtids)"
  for i in $(seq 300); do
    stored="$("$rowtrail" status --store "$store" --format json 2> /dev/null | jq -r '.sources[0].position.gtid_set' 2> /dev/null || true)"
    [ "$stored" != "$executed" ] || return 0
    sleep 0.2
  done
  echo "not caught up after 60 s: stored '$stored', executed '$executed'"
  return 1
}
stop_run() {  # PID: SIGTERM, exit code as status
  kill -TERM "$1"
  wait "$1"
}
