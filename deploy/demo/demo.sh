#!/usr/bin/env bash
# make demo: from a bare Debian 12 to business events scrolling by. Installs and builds what it needs,
# starts a private MySQL 9.7 with a pharmacy whose simulated staff is at work, and runs rowtrail beside
# it. Ctrl-C ends it and removes what it made; the build and the MySQL download stay.
#
#   DEMO_SECONDS=30   stop by itself, check the events against the staff's ledger, exit 0 when they agree
#   DEMO_RATE=5       transactions a second
#   DEMO_SOURCE=mariadb  on MariaDB 10.11 instead of MySQL 9.7
#   DEMO_PORT=8765    port of the HTTP API on 127.0.0.1
#   DEMO_KEEP=1       leave rowtrail-demo/ (store, ledger, logs) behind
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# UTF-8 for the signs below, and a decimal point whatever the user's language.
export LC_ALL=C.UTF-8

seconds="${DEMO_SECONDS:-}"
rate="${DEMO_RATE:-5}"
listen="127.0.0.1:${DEMO_PORT:-8765}"
build="${BUILD:-build/release}"
work="rowtrail-demo"
rowtrail="$build/rowtrail"
staff="$build/deploy/demo/pharmacy_staff"
family="${DEMO_SOURCE:-mysql}"
case "$family" in
  mysql) server_title="MySQL 9.7, private, from Debian sid" ;;
  mariadb) server_title="MariaDB 10.11, private" ;;
  *) echo "DEMO_SOURCE is mysql or mariadb, not '$family'" >&2; exit 2 ;;
esac
server="test/servers/$family.sh"
config="$work/rowtrail.yaml"
staff_pid=""
rowtrail_pid=""
interrupted=""

if [ -t 1 ]; then
  terminal=1 bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' cyan=$'\e[36m' plain=$'\e[0m'
else
  terminal="" bold="" dim="" green="" red="" cyan="" plain=""
fi

done_step() { printf '%s  %s✓%s %-46s %s%6.1f s%s\n' "${terminal:+$'\r\e[K'}" "$green" "$plain" "$1" "$dim" "$2" "$plain"; }
failed_step() { printf '%s  %s✗ %s%s\n' "${terminal:+$'\r\e[K'}" "$red" "$1" "$plain"; }
elapsed_since() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN {printf "%.1f", b - a}'; }

# step TITLE COMMAND…: runs it with its output in a log. A terminal shows the log's last line as it
# changes, a pipe a line every quarter of a minute. On failure the end of the log is shown.
step() {
  local title="$1" log began=$EPOCHREALTIME frames='⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏' turn=0 last pid
  shift
  log="$work/log/$(printf '%s' "$title" | tr -cs 'A-Za-z0-9\n' '-').log"
  mkdir -p "$work/log"
  set -m  # a process group of its own, so that an interrupt reaches all of it
  "$@" > "$log" 2>&1 < /dev/null &
  pid=$!
  set +m
  while kill -0 "$pid" 2> /dev/null; do
    if [ -n "$terminal" ]; then
      last="$(tail -c 300 "$log" 2> /dev/null | tr '\r' '\n' | grep . | tail -n 1 | tr -d '\033' || true)"
      printf '\r\e[K  %s%s%s %s %s%s%s' "$cyan" "${frames:turn % 10:1}" "$plain" "$title" "$dim" "${last:0:$((${COLUMNS:-$(tput cols 2> /dev/null || echo 80)} - ${#title} - 8))}" "$plain"
    elif [ $((turn % 150)) = 149 ]; then
      printf '    %s: %s\n' "$title" "$(tail -n 1 "$log" | tail -c 100)"
    fi
    turn=$((turn + 1))
    sleep 0.1 || true
    [ -z "$interrupted" ] || kill -TERM -- "-$pid" 2> /dev/null || true
  done
  if ! wait "$pid" 2> /dev/null; then
    if [ -n "$interrupted" ]; then failed_step "$title: interrupted"; exit 130; fi
    failed_step "$title"
    { grep -m 5 -E '(error|FAILED|fatal):' "$log" || tail -n 15 "$log"; } | sed 's/^/    /'
    printf '    (the whole log is %s)\n' "$log"
    exit 1
  fi
  done_step "$title" "$(elapsed_since "$began")"
}

stop_process() {  # PID NAME: asks, waits, and says with which exit code it ended
  local code=0
  [ -n "$1" ] || return 0
  kill -TERM "$1" 2> /dev/null || true
  wait "$1" || code=$?
  return $code
}

clean_up() {
  local code=$?
  trap - EXIT
  trap '' INT TERM
  stop_process "$staff_pid" || true
  stop_process "$rowtrail_pid" || true
  if [ -n "${server_started:-}" ]; then "$server" clean demo > /dev/null 2>&1 || true; fi
  if { [ "$code" = 0 ] || [ "$code" = 130 ]; } && [ -z "${DEMO_KEEP:-}" ]; then
    rm -rf "$work"
  elif [ -d "$work" ]; then
    printf '\n  %skept %s/ (log, store, ledger)%s\n' "$dim" "$work" "$plain"
  fi
  exit "$code"
}

port_is_taken() { (exec 3<> "/dev/tcp/${listen%:*}/${listen##*:}") 2> /dev/null; }

make_ready() {
  mkdir -p .servers/lock
  exec 8> .servers/lock/demo
  flock -n 8 || { echo "a demo of this clone is running already; stop it first (Ctrl-C in its terminal)"; exit 1; }
  rm -rf "$work"
  trap clean_up EXIT
  trap 'interrupted=1' INT TERM
  printf '\n%srowtrail demo%s\n\n' "$bold" "$plain"
  if port_is_taken; then
    failed_step "port ${listen##*:} on 127.0.0.1 is in use; choose another: DEMO_PORT=8766 make demo"
    exit 1
  fi
}

start_server() {
  server_started=1
  step "$server_title" start_fresh_server
  eval "$("$server" env demo)"
  if [ "$family" = mysql ]; then
    source_url="mysql://rowtrail@127.0.0.1:$ROWTRAIL_MYSQL_PORT/?tls=verify-ca&tls_ca=$ROWTRAIL_MYSQL_CA"
    source_password="$ROWTRAIL_MYSQL_PASSWORD" server_socket="$ROWTRAIL_MYSQL_SOCKET"
  else
    source_url="mariadb://rowtrail@localhost/?socket=$ROWTRAIL_MARIADB_SOCKET"
    source_password="$ROWTRAIL_MARIADB_PASSWORD" server_socket="$ROWTRAIL_MARIADB_SOCKET"
    export ROWTRAIL_MYSQL_APP_PASSWORD="$ROWTRAIL_MARIADB_APP_PASSWORD"  # what the staff reads
  fi
}
start_fresh_server() { "$server" clean demo && "$server" start demo 8>&-; }

write_config() {
  (umask 077 && printf '%s\n' "$source_password" > "$work/source-password")
  cat > "$config" << END
# Made by deploy/demo/demo.sh.
source:
  name: pharmacy
  url: "$source_url"
  password_file: "$PWD/$work/source-password"
  start: earliest
store: "sqlite://$PWD/$work/rowtrail.db"
rules: "$PWD/deploy/demo/rules"
listen: "$listen"
token_file: "$PWD/$work/token"
END
}

start_staff() {
  "$staff" --socket "$server_socket" --rate "$rate" --seed "${DEMO_SEED:-1}" --ledger "$work/ledger.ndjson" \
    ${seconds:+--seconds "$seconds"} > "$work/log/staff.log" 2>&1 < /dev/null 8>&- &
  staff_pid=$!
}

start_rowtrail() {
  "$rowtrail" run --config "$config" --print-events --log-level warn < /dev/null 8>&- &
  rowtrail_pid=$!
}

say_where() {
  cat << END

  ${bold}http://$listen${plain}   token in $work/token. Try, from another terminal in this folder:

  ${cyan}$rowtrail events --config $config --type inventory.transfer${plain}
  ${cyan}$rowtrail changes --config $config --table price${plain}
  ${cyan}curl -sH "Authorization: Bearer \$(cat $work/token)" 'http://$listen/v1/objects/product/7' | jq${plain}

  ${dim}${seconds:+It stops by itself after $seconds s. }Ctrl-C ends it and cleans up.${plain}

END
}

# Until the staff has done its seconds, somebody presses Ctrl-C, or one of the two ends by itself.
watch() {
  while [ -z "$interrupted" ]; do
    if ! kill -0 "$staff_pid" 2> /dev/null; then return; fi
    if ! kill -0 "$rowtrail_pid" 2> /dev/null; then
      local code=0
      wait "$rowtrail_pid" || code=$?
      rowtrail_pid=""
      failed_step "rowtrail ended by itself with exit code $code"
      exit 1
    fi
    sleep 0.2 || true
  done
}

# rowtrail is stopped and resumes to the end of what the staff did: what counts is what is durable.
check_against_ledger() {
  local code=0 staff_code=0
  trap '' INT TERM
  stop_process "$staff_pid" || staff_code=$?
  staff_pid=""
  if [ "$staff_code" != 0 ]; then
    failed_step "the staff ended with exit code $staff_code"
    tail -n 5 "$work/log/staff.log"
    exit 1
  fi
  stop_process "$rowtrail_pid" || code=$?
  rowtrail_pid=""
  printf '\n'
  if [ "$code" != 0 ]; then failed_step "rowtrail ended with exit code $code"; exit 1; fi
  step "rowtrail stopped, resumed and caught up" "$rowtrail" run --config "$config" --until end --no-serve
  local began=$EPOCHREALTIME
  if deploy/demo/check_ledger.py --ledger "$work/ledger.ndjson" -- "$rowtrail" --config "$config" > "$work/log/check.log" 2>&1; then
    done_step "the events are exactly those of the ledger" "$(elapsed_since "$began")"
    sed 's/^/    /' "$work/log/check.log"
    printf '\n'
  else
    failed_step "the events are not those of the ledger"
    sed 's/^/    /' "$work/log/check.log"
    exit 1
  fi
}

configure() { cmake --preset release -B "$build"; }
# Through a pipe ninja prints a line a step; only the changing part is wanted here.
compile() { NINJA_STATUS='[%f/%t] ' nice ninja -C "$build" rowtrail pharmacy_staff; }

make_ready
step "packages from Debian" deploy/install-build-deps.sh
step "build configured" configure
step "rowtrail and the pharmacy's staff built" compile
start_server
step "the pharmacy created" "$staff" --init --transactions 0 --socket "$server_socket"
write_config
say_where
start_staff
start_rowtrail
watch
check_against_ledger
