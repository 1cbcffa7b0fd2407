#!/usr/bin/env bash
# What goes wrong in the first ten minutes: each gives one clear message and the right exit code.
. "$(dirname "$0")/lib.sh"
use_mysql
reset_mysql
run_staff --init --transactions 20 --rate 0 > /dev/null 2>&1
store="sqlite://$work/rowtrail.db"

# expect WHAT CODE TEXT COMMAND…: exit code, and a message with TEXT in it.
expect() {
  local what="$1" code="$2" text="$3" status=0
  shift 3
  timeout 60 "$@" > "$work/out" 2> "$work/err" || status=$?
  check "$what: exit code $code" test "$status" = "$code"
  check "$what: says '$text'" grep -qiE -- "$text" "$work/err"
  if [ "$status" != "$code" ] || ! grep -qiE -- "$text" "$work/err"; then sed 's/^/        /' "$work/err" | tail -n 5; fi
}
run() { "$rowtrail" run --store "$store" --no-serve --until end --token-file "$work/token" "$@"; }
export -f run
export rowtrail store work

ROWTRAIL_SOURCE_PASSWORD=wrong expect "wrong password" 3 "access denied|password" bash -c 'run --source "$0"' "$source_url"
expect "unknown host" 3 "no-such-host.invalid" bash -c 'run --source mysql://rowtrail@no-such-host.invalid:3306'
expect "nobody listens" 3 "refused" bash -c 'run --source "mysql://rowtrail@127.0.0.1:1/?tls=disabled"'
expect "unverified TLS" 3 "certificate|verif" bash -c 'run --source mysql://rowtrail@127.0.0.1:$0/' "$ROWTRAIL_MYSQL_PORT"
mysql -e "CREATE USER IF NOT EXISTS bare IDENTIFIED BY 'bare'"
ROWTRAIL_SOURCE_PASSWORD=bare expect "missing grant" 3 "GRANT .*REPLICATION SLAVE" \
  bash -c 'run --source "$0"' "mysql://bare@localhost/?socket=$ROWTRAIL_MYSQL_SOCKET"
mysql -e "SET GLOBAL binlog_format = STATEMENT" 2> /dev/null
expect "binlog_format=STATEMENT" 3 "binlog_format *= *.?ROW" bash -c 'run --source "$0"' "$source_url"
mysql -e "SET GLOBAL binlog_format = ROW" 2> /dev/null
first="$(mysql -N -e 'SHOW BINARY LOGS' | head -n 1 | cut -f1)"
mysql -e "FLUSH BINARY LOGS"
mysql -e "FLUSH BINARY LOGS"
last="$(mysql -N -e 'SHOW BINARY LOGS' | tail -n 1 | cut -f1)"
mysql -e "PURGE BINARY LOGS TO '$last'"
expect "purged file" 3 "purged|no longer" bash -c 'run --source "$0" --start "$1"' "$source_url" "$first:4"
expect "purged GTIDs" 3 "purged" bash -c 'run --source "$0" --start "$1"' "$source_url" "11111111-1111-1111-1111-111111111111:1"
expect "broken rules" 2 "broken.yaml:[0-9]+:[0-9]+" bash -c \
  'printf "id: a\ntitle: b\nevent: c.d\nmatch:\n  x: {table: t, op: insert, when: \"after.a >\"}\nemit: {}\n" > "$1/broken.yaml"; run --source "$0" --rules "$1/broken.yaml"' "$source_url" "$work"
expect "unknown option" 2 "no-such-option" "$rowtrail" run --no-such-option
expect "no source" 2 "--source" "$rowtrail" run --store "$store"
expect "a password in the URL" 2 "password" bash -c 'run --source mysql://rowtrail:secret@127.0.0.1/'
expect "store in a missing folder" 4 "no/such/folder|cannot" "$rowtrail" status --store sqlite:///no/such/folder/x.db
expect "Postgres away" 4 "refused|connect" "$rowtrail" status --store "postgresql://rowtrail@127.0.0.1:1/rowtrail"

# A port in use: a second rowtrail on the same address.
start_run first "$store" --listen 127.0.0.1:18765
sleep 1.5
expect "port in use" 2 "127.0.0.1:18765.*--listen|in use" "$rowtrail" run --source "$source_url" --store "sqlite://$work/other.db" \
  --listen 127.0.0.1:18765 --token-file "$work/token"
expect "two writers on one store" 4 "already has a writer .process [0-9]+.; .*another store" "$rowtrail" run --source "$source_url" --store "$store" --no-serve
check "the first one is not disturbed" stop_run "$run_pid"
finish
