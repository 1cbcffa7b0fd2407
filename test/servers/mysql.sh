#!/usr/bin/env bash
# Private MySQL 9.7 servers for tests and the demo. MySQL is not in Debian 12, so it comes from
# Debian's sid suite in a folder of its own (.servers/sid-mysql); nothing is installed on the machine.
#
#   mysql.sh start NAME [-- mysqld options]   starts it if it is not up; prints what `env` prints
#   mysql.sh env NAME                         shell variables: eval "$(test/servers/mysql.sh env NAME)"
#   mysql.sh client NAME [mysql options]      the mysql client as root (SQL on stdin or with -e)
#   mysql.sh tool NAME COMMAND [arguments]    any command in the server's folder (mysqlbinlog, mysqldump)
#   mysql.sh status NAME | stop NAME | clean NAME | list | install
#
# Options after -- override the defaults below and are kept with the instance; a running instance
# with other options is not restarted behind its users' backs, it is an error.
# Users: root (socket and 127.0.0.1), rowtrail (REPLICATION SLAVE, REPLICATION CLIENT, SELECT), app
# (everything in the database pharmacy); all with caching_sha2_password.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly suite_dir="sid-mysql"
top="$servers/$suite_dir"
root_password="${ROWTRAIL_MYSQL_ROOT_PASSWORD:-root-test}"
rowtrail_password="${ROWTRAIL_MYSQL_PASSWORD:-rowtrail-test}"
app_password="${ROWTRAIL_MYSQL_APP_PASSWORD:-app-test}"

use_instance() {
  need_name "${1:-}"
  name="$1"
  dir="$top/instances/$name"   # as this machine sees it
  inside="/instances/$name"    # as the server sees it
  log="$dir/error.log"
}

server_pid() { pid_of "$dir/mysqld.pid" "--datadir=$inside/data "; }

# Passwords go through the environment of the client, never its arguments.
as_root() { MYSQL_PWD="$root_password" chroot "$top" mysql --no-defaults --user=root --socket="$inside/mysqld.sock" "$@"; }

print_env() {
  server_pid > /dev/null || fail "instance '$name' is not up; start it with: test/servers/mysql.sh start $name"
  cat << END
export ROWTRAIL_MYSQL_HOST=127.0.0.1
export ROWTRAIL_MYSQL_PORT=$(cat "$dir/port")
export ROWTRAIL_MYSQL_SOCKET='$dir/mysqld.sock'
export ROWTRAIL_MYSQL_ROOT_PASSWORD='$root_password'
export ROWTRAIL_MYSQL_USER=rowtrail
export ROWTRAIL_MYSQL_PASSWORD='$rowtrail_password'
export ROWTRAIL_MYSQL_APP_USER=app
export ROWTRAIL_MYSQL_APP_PASSWORD='$app_password'
export ROWTRAIL_MYSQL_CA='$dir/data/ca.pem'
export ROWTRAIL_MYSQL_DATADIR='$dir/data'
export ROWTRAIL_MYSQL_PID=$(server_pid)
export ROWTRAIL_MYSQL_LOG='$log'
END
}

initialise() {
  [ ! -e "$dir/ready" ] || return 0
  say "initialising $name"
  rm -rf "$dir/data"
  chroot "$top" chown server: "$inside"
  chroot "$top" mysqld --no-defaults --user=server --initialize-insecure --secure-file-priv= --datadir="$inside/data" \
    --innodb-redo-log-capacity=64M > "$dir/initialise.log" 2>&1 9>&- \
    || { grep ERROR "$dir/initialise.log" | tail -3 >&2; fail "mysqld --initialize-insecure failed; see $dir/initialise.log"; }
}

launch() {
  local port="$1"
  shift
  : > "$log"
  chroot "$top" chown server: "$inside/error.log"
  # Durability against power loss is given up (the last two innodb lines): these servers hold
  # nothing that matters, and a shared disk would set the pace otherwise.
  setsid nohup chroot "$top" mysqld --no-defaults --user=server --datadir="$inside/data" --socket="$inside/mysqld.sock" \
    --pid-file="$inside/mysqld.pid" --log-error="$inside/error.log" --port="$port" --bind-address=127.0.0.1 \
    --secure-file-priv= --skip-name-resolve=ON --mysqlx=OFF --performance-schema=OFF --server-id=1 \
    --log-bin="$inside/data/binlog" --gtid-mode=ON --enforce-gtid-consistency=ON \
    --binlog-row-metadata=FULL --binlog-row-image=FULL --binlog-rows-query-log-events=ON --binlog-checksum=CRC32 \
    --innodb-buffer-pool-size=128M --innodb-redo-log-capacity=64M --table-open-cache=400 \
    --innodb-flush-log-at-trx-commit=2 --sync-binlog=0 \
    "$@" > "$dir/stdout.log" 2>&1 < /dev/null 9>&- &
  launched=$!
}

create_users() {
  MYSQL_PWD='' chroot "$top" mysql --no-defaults --user=root --socket="$inside/mysqld.sock" << END
SET SESSION sql_log_bin = 0;
CREATE USER IF NOT EXISTS rowtrail@'%' IDENTIFIED WITH caching_sha2_password BY '$rowtrail_password';
GRANT REPLICATION SLAVE, REPLICATION CLIENT, SELECT ON *.* TO rowtrail@'%';
CREATE USER IF NOT EXISTS app@'%' IDENTIFIED WITH caching_sha2_password BY '$app_password';
GRANT ALL ON pharmacy.* TO app@'%';
CREATE USER IF NOT EXISTS root@'127.0.0.1' IDENTIFIED WITH caching_sha2_password BY '$root_password';
GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;
ALTER USER root@localhost IDENTIFIED WITH caching_sha2_password BY '$root_password';
END
  touch "$dir/ready"
}

start() {
  bootstrap "$suite_dir" sid /usr/sbin/mysqld mysql-server-core,mysql-client-core
  need_root "runs mysqld in a chroot"
  lock "mysql-$name"
  mkdir -p "$dir"
  [ "${#dir}" -le 92 ] || fail "the path $dir is too long for a unix socket (107 bytes); set ROWTRAIL_SERVERS to a shorter one"
  local wanted port began=$SECONDS
  wanted="$(printf '%s\n' "$@")"
  if server_pid > /dev/null; then
    if [ $# -gt 0 ] && [ "$wanted" != "$(cat "$dir/options")" ]; then
      fail "'$name' is up with other options ($(tr '\n' ' ' < "$dir/options")); use another name, or: mysql.sh stop $name"
    fi
    print_env
    return
  fi
  initialise
  printf '%s' "$wanted" > "$dir/options"
  # The old port again where it is still free: clients that wait for a restart find the server.
  port="$(cat "$dir/port" 2> /dev/null || true)"
  if [ -z "$port" ] || ! port_is_free "$port"; then port="$(free_port)"; fi
  echo "$port" > "$dir/port"
  rm -f "$dir/mysqld.pid" "$dir/mysqld.sock" "$dir/mysqld.sock.lock"
  launch "$port" "$@"
  wait_for 60 "$launched" "$log" test -S "$dir/mysqld.sock" -a -s "$dir/mysqld.pid"
  if [ ! -e "$dir/ready" ]; then create_users; fi
  wait_for 30 "$launched" "$log" as_root -e 'DO 1'
  say "MySQL $(as_root -Ne 'SELECT @@version') '$name' is up on 127.0.0.1:$port (started in $((SECONDS - began)) s)"
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
  install) bootstrap "$suite_dir" sid /usr/sbin/mysqld mysql-server-core,mysql-client-core ;;
  list)
    for dir in "$top"/instances/*/; do
      [ -d "$dir" ] || continue
      use_instance "$(basename "$dir")"
      if server_pid > /dev/null; then echo "$name up 127.0.0.1:$(cat "$dir/port")"; else echo "$name down"; fi
    done
    ;;
  start)
    use_instance "${1:-}"; shift
    if [ "${1:-}" = -- ]; then shift; elif [ $# -gt 0 ]; then fail "mysqld options come after --"; fi
    start "$@"
    ;;
  env) use_instance "${1:-}"; print_env ;;
  client)
    use_instance "${1:-}"; shift
    server_pid > /dev/null || fail "'$name' is not up; start it with: test/servers/mysql.sh start $name"
    as_root "$@"
    ;;
  tool) use_instance "${1:-}"; shift; exec chroot "$top" "$@" ;;
  status)
    use_instance "${1:-}"
    server_pid > /dev/null || { echo "'$name' is down"; exit 1; }
    echo "'$name' is up on 127.0.0.1:$(cat "$dir/port"), pid $(server_pid)"
    ;;
  stop) use_instance "${1:-}"; stop ;;
  clean) use_instance "${1:-}"; stop; rm -rf --one-file-system "$dir" ;;
  *) sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac
