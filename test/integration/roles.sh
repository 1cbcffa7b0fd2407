#!/usr/bin/env bash
# The rights that `store init --print-sql` gives, on a real Postgres: rowtrail captures as a user that may
# add records and not change them, a reader reads, and hostile SQL of each role is refused; `doctor` names
# who can do too much. The same of the triggers of a SQLite file.
. "$(dirname "$0")/lib.sh"
use_mysql
use_postgres roles
reset_mysql
admin() { test/servers/postgres.sh client test -d roles -q -v ON_ERROR_STOP=1 "$@"; }
test/servers/postgres.sh client test -q -c "ALTER DATABASE roles OWNER TO postgres" > /dev/null
for user in roles_writer roles_reader roles_retention roles_stranger; do
  admin -c "DO \$\$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '$user') THEN CREATE ROLE $user LOGIN PASSWORD 'roles'; END IF; END \$\$" > /dev/null
done
export PGPASSWORD=roles
at() { echo "postgresql://$1@127.0.0.1:$ROWTRAIL_POSTGRES_PORT/roles"; }
store="$(at roles_writer)"
"$rowtrail" store init --print-sql --store "$store" > "$work/init.sql"
check "the printed SQL runs" admin -f "$work/init.sql"
admin -c "GRANT rowtrail_reader TO roles_reader" -c "GRANT rowtrail_retention TO roles_retention" > /dev/null
# Rows of an XA transaction wait in xa_pending, rules over time remember in rule_state.
cat > "$work/rule.yaml" << 'Y'
id: often
title: The same item often
event: item.often
correlate:
  count: {event: auto.item_inserted, at_least: 2}
  by: item
  within: 1h
Y
mysql -e "CREATE DATABASE pharmacy; CREATE TABLE pharmacy.item (id INT PRIMARY KEY, name VARCHAR(40)); INSERT INTO pharmacy.item VALUES (1, 'one'), (2, 'two')"
mysql -e "USE pharmacy; XA START 'x'; INSERT INTO item VALUES (3, 'three'); XA END 'x'; XA PREPARE 'x'"
start_run run "$store" --listen 127.0.0.1:18785
pid=$run_pid
check "the writer captures, with a prepared XA transaction" wait_caught_up "$store"
mysql -e "XA COMMIT 'x'; DELETE FROM pharmacy.item WHERE id = 1"
run_staff --init --transactions 60 --rate 0 --ledger "$work/ledger" > /dev/null 2>&1 || true
check "… and its commit" wait_caught_up "$store"
check "the reader reads" bash -c "'$rowtrail' events --store '$(at roles_reader)' --format ndjson --limit 0 | grep -q '\"seq\"'"
check "no right was missing" bash -c "! grep -i 'permission denied' '$work/run.log'"

as() { psql -X -q -v ON_ERROR_STOP=1 "$(at "$1")" -c "SET search_path = rowtrail" -c "$2"; }
# refused USER SQL…: every statement must fail for want of a right, and for nothing else.
refused() {
  local user="$1" unseen="permission denied"
  shift
  [ "$user" != roles_stranger ] || unseen="does not exist|no schema has been selected"  # the schema is closed to it
  { echo "SET search_path = rowtrail;"; for sql in "$@"; do printf '\\echo -- %s\nBEGIN;\n%s;\nROLLBACK;\n' "$sql" "$sql"; done; } > "$work/hostile.sql"
  psql -X -q "$(at "$user")" -f "$work/hostile.sql" > "$work/sql.out" 2>&1
  awk -v why="permission denied|must be owner|must be superuser|must be able to SET ROLE|must be member of role|must have|$unseen" '
    function judge() { if (statement != "" && reasons != 1) { print "not refused for want of a right: " statement "\n" said; wrong = 1 } }
    /^-- / { judge(); statement = $0; reasons = 0; said = ""; count++; next }
    /ERROR:/ { said = said $0 "\n"; reasons += ($0 ~ why) ? 1 : 100 }
    END { judge(); exit wrong || count < 100 }' "$work/sql.out"
}
records='"transaction" change event event_object event_evidence gap anomaly table_schema rule_version input admin_action entry tree_tile tree_head'
for user in roles_writer roles_reader roles_retention roles_stranger; do
  statements=("CREATE TABLE rowtrail.mine (x int)" "CREATE FUNCTION rowtrail.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'" "DROP SCHEMA rowtrail CASCADE" "SET ROLE rowtrail_owner"
    "ALTER TABLE event DISABLE TRIGGER ALL" "CREATE OR REPLACE VIEW events AS SELECT 1 AS one" "UPDATE log SET origin = 'x'" "UPDATE log SET log_id = 7" "DELETE FROM lease" "DELETE FROM position" "TRUNCATE position" "DELETE FROM token"
    "UPDATE event SET actor = 'anna' WHERE false" "UPDATE event SET payload = NULL WHERE false" "COPY event TO PROGRAM 'cat'" "ALTER ROLE rowtrail_writer SUPERUSER" "GRANT rowtrail_owner TO $user"
    "INSERT INTO event SELECT * FROM event ON CONFLICT (log_id, seq) DO UPDATE SET actor = 'x'")
  for table in $records; do
    statements+=("DELETE FROM $table" "TRUNCATE $table" "DROP TABLE $table" "ALTER TABLE $table ADD COLUMN x int" "ALTER TABLE $table OWNER TO $user" "CREATE RULE r AS ON INSERT TO $table DO INSTEAD NOTHING" "LOCK TABLE $table IN ACCESS EXCLUSIVE MODE")
  done
  [ "$user" = roles_writer ] || for table in $records lease position tree_edge tree_edge_tile rule_state xa_pending token log source_table; do statements+=("INSERT INTO $table SELECT * FROM $table WHERE false"); done
  [ "$user" != roles_stranger ] || statements+=("SELECT * FROM event" "SELECT * FROM events")
  [ "$user" = roles_writer ] || statements+=("SELECT * FROM token" "SELECT * FROM xa_pending")
  check "$user: ${#statements[@]} hostile statements are refused" refused "$user" "${statements[@]}"
done
check "the writer adds" as roles_writer "INSERT INTO gap SELECT * FROM gap WHERE false"
check "doctor finds nothing wrong with the writer" bash -c "'$rowtrail' doctor --store '$store' > '$work/doctor.out' && ! grep -q warn '$work/doctor.out'"
finds() {  # PIECE
  "$rowtrail" doctor --store "$store" > "$work/doctor.out" 2>&1
  grep -q -- "$1" "$work/doctor.out" || { cat "$work/doctor.out"; return 1; }
}
admin -c "GRANT UPDATE (actor) ON rowtrail.event TO roles_stranger" > /dev/null
check "doctor names a role with a right on one column" finds "roles_stranger (UPDATE event)"
admin -c "REVOKE UPDATE (actor) ON rowtrail.event FROM roles_stranger" -c "GRANT DELETE ON rowtrail.change TO rowtrail_writer" > /dev/null
check "doctor names a writer that may delete" finds "DELETE change"
admin -c "REVOKE DELETE ON rowtrail.change FROM rowtrail_writer" -c "GRANT rowtrail_owner TO roles_reader" > /dev/null
check "doctor names who could become the owner" finds "members of the tables' owner.*roles_reader"
admin -c "REVOKE rowtrail_owner FROM roles_reader" -c "GRANT CREATE ON SCHEMA rowtrail TO PUBLIC" > /dev/null
check "doctor names who can make functions there" finds "in the schema rowtrail: .*roles_stranger"
admin -f <(sed -n '/^-- Owners and grants/,$p' "$work/init.sql") > /dev/null
check "the part \"Owners and grants\" mends it" bash -c "'$rowtrail' doctor --store '$store' > '$work/doctor.out' && ! grep warn '$work/doctor.out'"
check "the log verifies" "$rowtrail" verify --store "$store"
check "stops with 0" stop_run "$pid"

file="$work/guarded.db"
start_run sqlite "sqlite://$file" --until end --no-serve
check "a SQLite file" wait "$run_pid"
python3 - "$file" > "$work/sqlite.out" << 'P' && ok "$(cat "$work/sqlite.out")" || { bad "SQLite's triggers"; cat "$work/sqlite.out"; }
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
tables = ['"transaction"', "change", "event", "event_object", "gap", "table_schema", "rule_version", "entry", "tree_tile", "tree_head", "anomaly", "input", "admin_action", "event_evidence"]
refused = 0
for table in tables:
    columns = [row[1] for row in db.execute(f"PRAGMA table_xinfo({table})") if row[6] == 0]
    before = db.execute(f"SELECT * FROM {table}").fetchall()
    if not before:
        continue
    last, names = columns[-1], ", ".join(columns)
    changed = ", ".join(columns[:-1] + [f"zeroblob(7)" if last in ("salt", "hashes", "entries") else "'x'"])
    for sql in [f"DELETE FROM {table}", f"UPDATE {table} SET {last} = {last}", f"UPDATE OR REPLACE {table} SET {columns[0]} = {columns[0]} + 1", f"UPDATE OR IGNORE {table} SET {last} = NULL",
                f"INSERT OR REPLACE INTO {table} ({names}) SELECT {changed} FROM {table}", f"REPLACE INTO {table} ({names}) SELECT {changed} FROM {table} LIMIT 1"]:
        try:
            db.execute(sql)
            assert table == "tree_head" and "REPLACE INTO" in sql, f"allowed: {sql}"
        except sqlite3.DatabaseError as error:
            assert "append-only" in str(error), f"{sql}: {error}"
        refused += 1
        assert db.execute(f"SELECT * FROM {table}").fetchall() == before, f"changed by: {sql}"
        db.rollback()
print(f"{refused} hostile statements change nothing in a SQLite file")
P
check "verified" "$rowtrail" verify --store "sqlite://$file"
finish
