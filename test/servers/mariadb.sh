#!/usr/bin/env bash
# Private MariaDB 10.11 servers for tests, from Debian's mariadb-server-core package (which starts
# no service of its own).
#
#   mariadb.sh start NAME [-- mariadbd options]   starts it if it is not up; prints what `env` prints
#   mariadb.sh env NAME                           shell variables: eval "$(test/servers/mariadb.sh env NAME)"
#   mariadb.sh client NAME [mariadb options]      the client as root (SQL on stdin or with -e)
#   mariadb.sh status NAME | stop NAME | clean NAME | list
#
# Users as for mysql.sh, here with mysql_native_password: root, rowtrail, app.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

top="$servers/mariadb"
root_password="${ROWTRAIL_MARIADB_ROOT_PASSWORD:-root-test}"
rowtrail_password="${ROWTRAIL_MARIADB_PASSWORD:-rowtrail-test}"
app_password="${ROWTRAIL_MARIADB_APP_PASSWORD:-app-test}"

use_instance() {
  need_name "${1:-}"
  name="$1"
  dir="$top/$name"
  log="$dir/error.log"
}

server_pid() { pid_of "$dir/mariadbd.pid" "--datadir=$dir/data "; }

as_root() { MYSQL_PWD="$root_password" mariadb --no-defaults --user=root --socket="$dir/mariadbd.sock" "$@"; }

print_env() {
  server_pid > /dev/null || fail "instance '$name' is not up; start it with: test/servers/mariadb.sh start $name"
  cat << END
export ROWTRAIL_MARIADB_HOST=127.0.0.1
export ROWTRAIL_MARIADB_PORT=$(cat "$dir/port")
export ROWTRAIL_MARIADB_SOCKET='$dir/mariadbd.sock'
export ROWTRAIL_MARIADB_ROOT_PASSWORD='$root_password'
export ROWTRAIL_MARIADB_USER=rowtrail
export ROWTRAIL_MARIADB_PASSWORD='$rowtrail_password'
export ROWTRAIL_MARIADB_APP_USER=app
export ROWTRAIL_MARIADB_APP_PASSWORD='$app_password'
export ROWTRAIL_MARIADB_DATADIR='$dir/data'
export ROWTRAIL_MARIADB_PID=$(server_pid)
export ROWTRAIL_MARIADB_LOG='$log'
END
}

initialise() {
  [ ! -e "$dir/ready" ] || return 0
  say "initialising $name"
  rm -rf "$dir/data"
  mariadb-install-db --no-defaults --datadir="$dir/data" --auth-root-authentication-method=normal --skip-test-db \
    ${as_user:+"$as_user"} > "$dir/initialise.log" 2>&1 9>&- \
    || { tail -3 "$dir/initialise.log" >&2; fail "mariadb-install-db failed; see $dir/initialise.log"; }
}

launch() {
  local port="$1"
  shift
  # Durability against power loss is given up, as in mysql.sh.
  setsid nohup mariadbd --no-defaults ${as_user:+"$as_user"} --datadir="$dir/data" --socket="$dir/mariadbd.sock" \
    --pid-file="$dir/mariadbd.pid" --log-error="$log" --port="$port" --bind-address=127.0.0.1 \
    --skip-name-resolve=ON --performance-schema=OFF --server-id=1 --gtid-domain-id=0 --gtid-strict-mode=ON \
    --log-bin="$dir/data/binlog" --binlog-format=ROW --binlog-row-metadata=FULL --binlog-row-image=FULL \
    --binlog-annotate-row-events=ON --binlog-checksum=CRC32 --innodb-buffer-pool-size=128M --innodb-log-file-size=48M \
    --character-set-server=utf8mb4 --innodb-flush-log-at-trx-commit=2 --sync-binlog=0 \
    "$@" > "$dir/stdout.log" 2>&1 < /dev/null 9>&- &
  launched=$!
}

create_users() {
  mariadb --no-defaults --user=root --socket="$dir/mariadbd.sock" << END
SET SESSION sql_log_bin = 0;
CREATE USER IF NOT EXISTS rowtrail@'%' IDENTIFIED BY '$rowtrail_password';
GRANT REPLICATION SLAVE, BINLOG MONITOR, SELECT ON *.* TO rowtrail@'%';
CREATE USER IF NOT EXISTS app@'%' IDENTIFIED BY '$app_password';
GRANT ALL ON pharmacy.* TO app@'%';
CREATE USER IF NOT EXISTS root@'127.0.0.1' IDENTIFIED BY '$root_password';
GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;
ALTER USER root@localhost IDENTIFIED BY '$root_password';
END
  touch "$dir/ready"
}

start() {
  need_command mariadbd mariadb-server-core
  need_command mariadb mariadb-client-core
  lock "mariadb-$name"
  mkdir -p "$dir"
  [ "${#dir}" -le 92 ] || fail "the path $dir is too long for a unix socket (107 bytes); set ROWTRAIL_SERVERS to a shorter one"
  local wanted port began=$SECONDS
  as_user=""
  [ "$(id -u)" != 0 ] || as_user="--user=root"
  wanted="$(printf '%s\n' "$@")"
  if server_pid > /dev/null; then
    if [ $# -gt 0 ] && [ "$wanted" != "$(cat "$dir/options")" ]; then
      fail "'$name' is up with other options ($(tr '\n' ' ' < "$dir/options")); use another name, or: mariadb.sh stop $name"
    fi
    print_env
    return
  fi
  initialise
  printf '%s' "$wanted" > "$dir/options"
  port="$(cat "$dir/port" 2> /dev/null || true)"
  if [ -z "$port" ] || ! port_is_free "$port"; then port="$(free_port)"; fi
  echo "$port" > "$dir/port"
  rm -f "$dir/mariadbd.pid" "$dir/mariadbd.sock"
  : > "$log"
  launch "$port" "$@"
  wait_for 60 "$launched" "$log" test -S "$dir/mariadbd.sock" -a -s "$dir/mariadbd.pid"
  if [ ! -e "$dir/ready" ]; then create_users; fi
  wait_for 30 "$launched" "$log" as_root -e 'DO 1'
  say "MariaDB $(as_root -Ne 'SELECT @@version') '$name' is up on 127.0.0.1:$port (started in $((SECONDS - began)) s)"
  print_env
}

stop() {
  local pid
  if ! pid="$(server_pid)"; then say "'$name' is not up"; return; fi
  stop_pid "$pid"
  say "'$name' is stopped"
}

command="${1:-}"
[ $# -eq 0 ] || shift
case "$command" in
  list)
    for dir in "$top"/*/; do
      [ -d "$dir" ] || continue
      use_instance "$(basename "$dir")"
      if server_pid > /dev/null; then echo "$name up 127.0.0.1:$(cat "$dir/port")"; else echo "$name down"; fi
    done
    ;;
  start)
    use_instance "${1:-}"; shift
    if [ "${1:-}" = -- ]; then shift; elif [ $# -gt 0 ]; then fail "mariadbd options come after --"; fi
    start "$@"
    ;;
  env) use_instance "${1:-}"; print_env ;;
  client)
    use_instance "${1:-}"; shift
    server_pid > /dev/null || fail "'$name' is not up; start it with: test/servers/mariadb.sh start $name"
    as_root "$@"
    ;;
  status)
    use_instance "${1:-}"
    server_pid > /dev/null || { echo "'$name' is down"; exit 1; }
    echo "'$name' is up on 127.0.0.1:$(cat "$dir/port"), pid $(server_pid)"
    ;;
  stop) use_instance "${1:-}"; stop ;;
  clean) use_instance "${1:-}"; stop; rm -rf --one-file-system "$dir" ;;
  *) sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac
