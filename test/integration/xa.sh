#!/usr/bin/env bash
# XA on both server families and both stores: rows appear at the XA COMMIT though rowtrail was killed
# between XA PREPARE and XA COMMIT, never after an XA ROLLBACK, and the same from files as live.
. "$(dirname "$0")/lib.sh"
use_postgres xa

lines() { "$rowtrail" "$1" --store "$2" --format ndjson --limit 0; }
all() { lines changes "$1"; lines events "$1"; lines gaps "$1"; }
of_source() { "$rowtrail" status --store "$1" --format json | jq -r ".sources[0].$2"; }
catch_up() { start_run "$1" "$2" --until end --no-serve "${@:3}"; }
xa() { mysql pharmacy -e "XA START '$1'; $2; XA END '$1'; XA PREPARE '$1'"; }

sealed() {
  if [ "${1%%:*}" = sqlite ]; then
    test -s "${1#sqlite://}" && ! grep -qa planted-secret "${1#sqlite://}"*
  else
    test "$(psql "$1" -Atc "SELECT count(*) > 0 AND count(*) FILTER (WHERE position('planted-secret'::bytea IN sealed) > 0) = 0 FROM rowtrail.xa_pending")" = t
  fi
}

# killed_between STORE: prepares, kills, and decides; the same for every store.
killed_between() {
  local store="$1" kind="$family.${1%%:*}"
  reset_mysql
  mysql -e "CREATE DATABASE pharmacy; CREATE TABLE pharmacy.t (id INT PRIMARY KEY, v VARCHAR(50)) ENGINE=InnoDB"
  start_run "$kind" "$store" --no-serve
  xa kept "INSERT INTO t VALUES (1, 'planted-secret'), (2, 'b')"
  xa dropped "INSERT INTO t VALUES (3, 'never')"
  check "$kind: two are prepared" wait_caught_up "$store"
  kill -9 "$run_pid"
  wait "$run_pid" 2> /dev/null || true
  check "$kind: the store knows them" test "$(of_source "$store" xa_prepared)" = 2
  check "$kind: sealed" sealed "$store"
  check "$kind: and shows no row" test "$(lines changes "$store" | jq -s 'map(select(.op == "insert")) | length')" = 0
  mysql pharmacy -e "INSERT INTO t VALUES (10, 'between')"
  mysql pharmacy -e "XA COMMIT 'kept'; XA ROLLBACK 'dropped'; XA START 'once'; INSERT INTO t VALUES (20, 'once'); XA END 'once'; XA COMMIT 'once' ONE PHASE"
  catch_up "$kind" "$store"
  check "$kind: goes on after the kill" wait "$run_pid"
  lines changes "$store" | jq -c 'select(.op == "insert") | .new.id' | tr '\n' ' ' > "$work/$kind.ids"
  check "$kind: rows in the order of the commits" grep -qx "10 1 2 20 " "$work/$kind.ids"
  check "$kind: nothing is left, the rollback is counted" test "$(of_source "$store" xa_prepared) $(of_source "$store" xa_rolled_back)" = "0 1"
  check "$kind: no gap" test "$(lines gaps "$store" | wc -l)" = 0
}

# random_kills STORE: many XA transactions, open for long and short, and kill -9 at random moments.
random_kills() {
  local store="$1" kind="$family.${1%%:*}" kills=0 i
  for i in $(seq 100); do
    catch_up "$kind" "$store"
    sleep "0.$(printf '%03d' $((RANDOM % 300)))"
    if kill -9 "$run_pid" 2> /dev/null; then kills=$((kills + 1)); fi
    wait "$run_pid" 2> /dev/null || true
    [ "$kills" -lt "${KILLS:-5}" ] || break
  done
  catch_up "$kind" "$store"
  check "$kind: killed $kills times, ends with 0" wait "$run_pid"
  all "$store" > "$work/$kind.all"
  check "$kind: the same $(wc -l < "$work/$family.reference") records" cmp "$work/$family.reference" "$work/$kind.all"
}

decide() {  # NUMBER ODD: every seventh is rolled back; the even ones commit soon, the odd ones late
  if [ $(($1 % 2)) != "$2" ]; then return; fi
  if [ $(($1 % 7)) = 0 ]; then echo "XA ROLLBACK 'x$1','b',$(($1 % 3));"; else echo "XA COMMIT 'x$1','b',$(($1 % 3));"; fi
}
busy() {  # statements of a busy day: prepared ones stay open across others
  local i leave=:
  [ "$family" = mysql ] || leave='echo \r pharmacy'  # there a session can do nothing else until it ends
  echo "CREATE DATABASE pharmacy; USE pharmacy; CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(500)) ENGINE=InnoDB;"
  for i in $(seq 400); do
    echo "XA START 'x$i','b',$((i % 3)); INSERT INTO t VALUES ($((i * 10)), REPEAT('a', 300)), ($((i * 10 + 1)), 'b'); XA END 'x$i','b',$((i % 3)); XA PREPARE 'x$i','b',$((i % 3));"
    $leave
    echo "INSERT INTO t VALUES ($((i * 10 + 5)), 'plain');"
    if [ "$i" -gt 10 ]; then decide $((i - 10)) 0; fi  # a session needs a moment to let go of its own
  done
  for i in $(seq 391 400); do decide "$i" 0; done
  for i in $(seq 400); do decide "$i" 1; done
  echo "CREATE TABLE d (n INT) ENGINE=InnoDB; INSERT INTO d VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9);"
  echo "XA START 'big'; INSERT INTO t SELECT 100000 + a.n + 10 * b.n + 100 * c.n + 1000 * e.n + 10000 * f.n, REPEAT('z', 400) FROM d a, d b, d c, d e, d f; XA END 'big'; XA PREPARE 'big';"
  $leave
  echo "DO SLEEP(2); XA COMMIT 'big';"
}

for server in ${FAMILIES:-mysql mariadb}; do
  use_server "$server"
  killed_between "sqlite://$work/$server.db"
  use_postgres "xa_$server"
  killed_between "$postgres_url"

  mapfile -t files < <(binlog_files)
  check "$server: files give" "$rowtrail" replay --source-name pharmacy --rules "$rules" --store "sqlite://$work/$server.files.db" "${files[@]}"
  all "sqlite://$work/$server.db" > "$work/live.all"
  all "$postgres_url" > "$work/postgres.all"
  all "sqlite://$work/$server.files.db" > "$work/files.all"
  check "$server: the same, byte for byte" cmp "$work/postgres.all" "$work/files.all"

  # A commit of what was prepared before the start.
  xa before "INSERT INTO t VALUES (40, 'before')"
  start="$(executed_gtids)"
  mysql pharmacy -e "XA COMMIT 'before'"
  catch_up "$server.before" "sqlite://$work/$server.before.db"
  start=""
  check "$server: an XA COMMIT of rows prepared before the start is no error" wait "$run_pid"
  lines gaps "sqlite://$work/$server.before.db" > "$work/before.gaps"
  check "$server: but a gap" jq -e -s 'length == 1 and .[0].kind == "xa_unknown" and .[0].advice != ""' "$work/before.gaps"

  reset_mysql
  busy | mysql
  catch_up "$server.reference" "sqlite://$work/$server.reference.db"
  check "$server: a busy day ends with 0" wait "$run_pid"
  all "sqlite://$work/$server.reference.db" > "$work/$server.reference"
  check "$server: every committed row is there" test "$(lines changes "sqlite://$work/$server.reference.db" | grep -c '"table":"t","op":"insert"')" = "$(mysql -N -e 'SELECT COUNT(*) FROM pharmacy.t')"
  RANDOM="${SEED:-7}"
  random_kills "sqlite://$work/$server.killed.db"
  use_postgres "xa_kills_$server"
  random_kills "$postgres_url"
done
finish
