#!/usr/bin/env bash
# Private PostgreSQL 15 servers for tests, from Debian's postgresql-15 package. Each instance is a
# cluster of its own with its own port on 127.0.0.1, socket folder and data; the machine's own
# clusters are never touched.
#
#   postgres.sh start NAME [-- postgres options]   e.g. -- -c shared_buffers=256MB; prints what `env` prints
#   postgres.sh env NAME                           shell variables: eval "$(test/servers/postgres.sh env NAME)"
#   postgres.sh client NAME [psql options]         psql as superuser on the database rowtrail
#   postgres.sh status NAME | stop NAME | clean NAME | list
#
# Users: postgres (superuser) and rowtrail (owns the database rowtrail); both with scram-sha-256.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

superuser_password="${ROWTRAIL_POSTGRES_ROOT_PASSWORD:-root-test}"
rowtrail_password="${ROWTRAIL_POSTGRES_PASSWORD:-rowtrail-test}"
bin=/usr/lib/postgresql/15/bin

# postgres refuses to run as root, so root runs it as the package's own system user. That user
# cannot enter a clone under /root: the data then lies below /var/tmp.
if [ "$(id -u)" = 0 ]; then
  run_as=(runuser -u postgres --)
else
  run_as=()
fi

find_top() {
  [ -x "$bin/postgres" ] || fail "PostgreSQL 15 is missing; get it with: apt-get install postgresql-15 (or deploy/install-build-deps.sh)"
  mkdir -p "$servers"
  top="$servers/postgres"
  if [ "$(id -u)" = 0 ] && ! "${run_as[@]}" test -x "$servers"; then
    top="/var/tmp/rowtrail-postgres-$(printf '%s' "$servers" | cksum | cut -d' ' -f1)"
  fi
  mkdir -p "$top"
  [ "$(id -u)" != 0 ] || chown postgres: "$top"
}

use_instance() {
  need_name "${1:-}"
  find_top
  name="$1"
  dir="$top/$name"
  log="$dir/server.log"
  [ "${#dir}" -le 85 ] || fail "the path $dir is too long for a unix socket (107 bytes); set ROWTRAIL_SERVERS to a shorter one"
}

server_pid() { pid_of "$dir/data/postmaster.pid" "-D $dir/data "; }

as_superuser() {
  PGPASSWORD="$superuser_password" psql -X -h "$dir" -p "$(cat "$dir/port")" -U postgres -v ON_ERROR_STOP=1 "$@"
}

print_env() {
  server_pid > /dev/null || fail "instance '$name' is not up; start it with: test/servers/postgres.sh start $name"
  local port
  port="$(cat "$dir/port")"
  cat << END
export ROWTRAIL_POSTGRES_HOST=127.0.0.1
export ROWTRAIL_POSTGRES_PORT=$port
export ROWTRAIL_POSTGRES_SOCKET_DIR='$dir'
export ROWTRAIL_POSTGRES_DATABASE=rowtrail
export ROWTRAIL_POSTGRES_USER=rowtrail
export ROWTRAIL_POSTGRES_PASSWORD='$rowtrail_password'
export ROWTRAIL_POSTGRES_ROOT_USER=postgres
export ROWTRAIL_POSTGRES_ROOT_PASSWORD='$superuser_password'
export ROWTRAIL_POSTGRES_URL='postgresql://rowtrail:$rowtrail_password@127.0.0.1:$port/rowtrail'
export ROWTRAIL_POSTGRES_PID=$(server_pid)
export ROWTRAIL_POSTGRES_LOG='$log'
END
}

initialise() {
  [ ! -e "$dir/ready" ] || return 0
  say "initialising $name"
  rm -rf "$dir/data"
  printf '%s' "$superuser_password" > "$dir/password"
  chmod 600 "$dir/password"
  [ "$(id -u)" != 0 ] || chown postgres: "$dir/password"
  "${run_as[@]}" "$bin/initdb" -D "$dir/data" -U postgres --auth=scram-sha-256 --pwfile="$dir/password" \
    --encoding=UTF8 --locale=C.UTF-8 --no-sync > "$dir/initialise.log" 2>&1 9>&- \
    || { tail -3 "$dir/initialise.log" >&2; fail "initdb failed; see $dir/initialise.log"; }
}

create_users() {
  as_superuser -d postgres -q << END
CREATE ROLE rowtrail LOGIN PASSWORD '$rowtrail_password';
CREATE DATABASE rowtrail OWNER rowtrail;
END
  touch "$dir/ready"
}

start() {
  need_command psql postgresql-client-15
  lock "postgres-$name"
  mkdir -p "$dir"
  [ "$(id -u)" != 0 ] || chown postgres: "$dir"
  local wanted port began=$SECONDS launched
  wanted="$(printf '%s\n' "$@")"
  if server_pid > /dev/null; then
    if [ $# -gt 0 ] && [ "$wanted" != "$(cat "$dir/options")" ]; then
      fail "'$name' is up with other options ($(tr '\n' ' ' < "$dir/options")); use another name, or: postgres.sh stop $name"
    fi
    print_env
    return
  fi
  initialise
  printf '%s' "$wanted" > "$dir/options"
  port="$(cat "$dir/port" 2> /dev/null || true)"
  if [ -z "$port" ] || ! port_is_free "$port"; then port="$(free_port)"; fi
  echo "$port" > "$dir/port"
  rm -f "$dir/data/postmaster.pid"
  # fsync stays on, because commit cost is part of what is tested against it.
  cd /
  setsid nohup "${run_as[@]}" "$bin/postgres" -D "$dir/data" -p "$port" -k "$dir" -c listen_addresses=127.0.0.1 \
    -c max_connections=60 -c shared_buffers=64MB -c autovacuum_max_workers=1 -c timezone=UTC "$@" \
    > "$log" 2>&1 < /dev/null 9>&- &
  launched=$!
  wait_for 60 "$launched" "$log" as_superuser -d postgres -c 'SELECT 1'
  if [ ! -e "$dir/ready" ]; then create_users; fi
  say "PostgreSQL $(as_superuser -d postgres -Atc 'SHOW server_version') '$name' is up on 127.0.0.1:$port (started in $((SECONDS - began)) s)"
  print_env
}

stop() {
  local pid
  if ! pid="$(server_pid)"; then say "'$name' is not up"; return; fi
  stop_pid "$pid" INT   # fast shutdown: open sessions are cut
  say "'$name' is stopped"
}

command="${1:-}"
[ $# -eq 0 ] || shift
case "$command" in
  list)
    find_top
    for dir in "$top"/*/; do
      [ -d "$dir" ] || continue
      use_instance "$(basename "$dir")"
      if server_pid > /dev/null; then echo "$name up 127.0.0.1:$(cat "$dir/port")"; else echo "$name down"; fi
    done
    ;;
  start)
    use_instance "${1:-}"; shift
    if [ "${1:-}" = -- ]; then shift; elif [ $# -gt 0 ]; then fail "postgres options come after --"; fi
    start "$@"
    ;;
  env) use_instance "${1:-}"; print_env ;;
  client)
    use_instance "${1:-}"; shift
    server_pid > /dev/null || fail "'$name' is not up; start it with: test/servers/postgres.sh start $name"
    as_superuser -d rowtrail "$@"
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
