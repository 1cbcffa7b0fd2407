#!/usr/bin/env python3
"""Rebuilds tables from rowtrail's changes and compares them, cell by cell, with the server's.

    rebuild_state.py --instance demo --changes FILE
    rebuild_state.py --client 'mysql -u root -h db1' -- build/release/rowtrail --store sqlite:///x/rowtrail.db

--instance is one of test/servers/mysql.sh, --client any command of the mysql client. FILE ("-": stdin) is the output of `rowtrail changes --format ndjson --limit 0`, which the second form
runs itself. The changes must reach back to the tables' creation or to a snapshot, and nothing may write
to the server meanwhile. On the way every `old` image is compared with what the changes before it left,
so a change that is lost, doubled or out of order is found at the place where it happened. Cells that the record
masks or keeps as a digest only are counted, not compared. Exit code 0: equal; 1: not; 2: cannot tell.

The server's side comes through its own client as HEX(…) of each column's text, so that nothing on the way
(escapes, locales, doubles) can bend a value. Needs only Python's standard library.
"""

import argparse
import base64
import collections
import decimal
import ipaddress
import json
import pathlib
import re
import shlex
import struct
import subprocess
import sys
import uuid

SHOWN_MAX = 20
POINTS = re.compile(r"MULTIPOINT\(\(?[^()]*\)?(,\([^()]*\))*\)")  # MySQL encloses each of its points, MariaDB none
BYTES = {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"}
SHAPES = {"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection"}
ADDRESSES = {"uuid": lambda text: uuid.UUID(text).bytes, "inet4": lambda text: ipaddress.IPv4Address(text).packed,
             "inet6": lambda text: ipaddress.IPv6Address(text).packed}
INTEGERS = {"tinyint", "smallint", "mediumint", "int", "bigint", "year"}
DIGEST = object()  # a cell that cannot be compared


def plain_points(shape):
    return POINTS.sub(lambda points: "MULTIPOINT(" + re.sub("[()]", "", points[0][10:]) + ")", shape)


def fail(message):
    print(f"rebuild_state: {message}", file=sys.stderr)
    sys.exit(2)


# JSON values are compared as nested tuples: integers and other numbers apart, no number through double,
# members in order.
def frozen(value):
    if isinstance(value, bool) or value is None:
        return ("literal", value)
    if isinstance(value, int):
        return ("integer", value)
    if isinstance(value, decimal.Decimal):
        return ("number", value)
    if isinstance(value, str):
        return ("string", value)
    if isinstance(value, Members):
        return ("object", tuple((name, frozen(member)) for name, member in value))
    return ("array", tuple(frozen(element) for element in value))


class Members(list):
    """A JSON object as its list of (name, value) in order."""


def exact_json(text):
    return json.loads(text, parse_float=decimal.Decimal, object_pairs_hook=Members)


class Column:
    def __init__(self, name, data_type):
        self.name, self.type = name, data_type

    def expression(self):
        quoted = "`" + self.name.replace("`", "``") + "`"
        if self.type in BYTES:
            return f"HEX({quoted})"
        if self.type == "bit":
            return f"HEX(CAST({quoted}+0 AS CHAR))"
        if self.type in SHAPES:
            return f"HEX(CONCAT(IF(ST_SRID({quoted}) = 0, '', CONCAT('SRID=', ST_SRID({quoted}), ';')), ST_AsText({quoted})))"
        if self.type == "vector":
            return f"HEX({quoted})"
        return f"HEX(CONVERT(CAST({quoted} AS CHAR) USING utf8mb4))"

    def from_server(self, cell):
        """The server's cell, as rowtrail should give it."""
        if cell == "NULL":
            return None
        raw = bytes.fromhex(cell)
        if self.type in BYTES:
            return ("string", base64.b64encode(raw).decode())
        if self.type == "vector":
            return ("vector", raw)
        text = raw.decode("utf-8")
        if self.type in ADDRESSES:  # the binlog gives their bytes, and does not say what they are
            return ("string", base64.b64encode(ADDRESSES[self.type](text)).decode())
        if self.type in INTEGERS or self.type == "bit":
            return ("integer", int(text))
        if self.type in ("float", "double"):
            return ("float", float(text))
        if self.type == "json":
            return ("json", frozen(exact_json(text)))
        if self.type == "set":
            return ("array", tuple(("string", label) for label in text.split(",") if text))
        if self.type == "datetime":
            return ("string", text.replace(" ", "T"))
        if self.type in SHAPES:
            return ("string", plain_points(text))
        if self.type == "timestamp":
            return ("string", text.replace(" ", "T") + "Z")
        return ("string", text)  # decimal, text, date, time, enum and whatever prints as text

    def from_record(self, value, note):
        """rowtrail's cell; note is what stands in `cells` for it."""
        if note is not None:
            if note == {"json": "null"} or dict(note) == {"json": "null"}:
                return ("json", ("literal", None))
            return DIGEST
        if value is None:
            return None
        if self.type == "json":
            return ("json", frozen(value))
        if self.type == "vector":
            return ("vector", struct.pack(f"<{len(value)}f", *value))
        if self.type in SHAPES:
            return ("string", plain_points(value))
        if self.type in ("float", "double"):
            return ("float", float(value))
        return frozen(value)


class Server:
    def __init__(self, client, database):
        self.client, self.database = shlex.split(client), database

    def query(self, sql):
        run = subprocess.run(self.client + ["--batch", "--skip-column-names", "--default-character-set=utf8mb4"],
                             input=sql, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if run.returncode != 0:
            fail(f"the server said: {run.stderr.strip()[:400]}")
        return [line.split("\t") for line in run.stdout.split("\n") if line]

    def tables(self):
        tables = collections.OrderedDict()
        for table, name, data_type in self.query(
                "SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c "
                "JOIN information_schema.tables t USING (table_schema, table_name) "
                f"WHERE c.table_schema = '{self.database}' AND t.table_type = 'BASE TABLE' "
                "ORDER BY c.table_name, c.ordinal_position"):
            tables.setdefault(table, []).append(Column(name, data_type.lower()))
        return tables

    def rows(self, table, columns):
        expressions = ", ".join(column.expression() for column in columns)
        quoted = f"`{self.database}`.`{table.replace('`', '``')}`"
        for cells in self.query(f"SET time_zone = '+00:00'; SELECT {expressions} FROM {quoted};"):
            yield tuple(column.from_server(cell) for column, cell in zip(columns, cells))


class Table:
    """Rows rebuilt from changes: by key where the table has one, else as a multiset."""

    def __init__(self, columns):
        self.columns = columns
        self.by_key = {}
        self.keyless = collections.Counter()
        self.changes = 0

    def image(self, change, side):
        values = dict(change[side])
        notes = dict(change.get("cells") or [])
        row = []
        for column in self.columns:
            if column.name not in values:
                row.append(DIGEST)  # not logged, or a column added later
                continue
            row.append(column.from_record(values[column.name], notes.get(f"{side}.{column.name}")))
        return tuple(row)


def same_row(first, second):
    return len(first) == len(second) and all(a is DIGEST or b is DIGEST or a == b for a, b in zip(first, second))


class Rebuild:
    def __init__(self, tables):
        self.tables = {name: Table(columns) for name, columns in tables.items()}
        self.problems = []

    def problem(self, change, text):
        place = f"{change.get('transaction')} ordinal {change.get('ordinal')} (seq {change.get('seq')})"
        self.problems.append(f"{change.get('table')}: {place}: {text}")

    def apply(self, change):
        table = self.tables.get(change.get("table"))
        op = change["op"]
        if table is None or op == "ddl":
            return
        table.changes += 1
        if op == "truncate":
            table.by_key.clear()
            table.keyless.clear()
            return
        old = table.image(change, "old") if change.get("old") is not None else None
        new = table.image(change, "new") if change.get("new") is not None else None
        expected = {"insert": (False, True), "snapshot": (False, True), "update": (True, True), "delete": (True, False)}
        if op not in expected or expected[op] != (old is not None, new is not None):
            self.problem(change, f"op {op!r} with old {'present' if old else 'absent'}, new {'present' if new else 'absent'}")
            return
        if change.get("pk") is None:
            self.apply_keyless(table, change, old, new)
        else:
            self.apply_keyed(table, change, old, new)
        if op == "update":
            named = {column.name for column, a, b in zip(table.columns, old, new) if a is not DIGEST and b is not DIGEST and a != b}
            # Columns that were dropped or renamed since cannot be looked at.
            listed = set(change.get("changed") or []) & {column.name for column in table.columns}
            if named - listed or {c for c in listed - named if not self.may_hide(table, c, old, new)}:
                self.problem(change, f"changed is {sorted(listed)}, but the images differ in {sorted(named)}")

    @staticmethod
    def may_hide(table, name, old, new):
        return any(c.name == name and (a is DIGEST or b is DIGEST) for c, a, b in zip(table.columns, old, new))

    def apply_keyless(self, table, change, old, new):
        if old is not None:
            if table.keyless[old] == 0:
                self.problem(change, "changes a row that was not there")
            else:
                table.keyless[old] -= 1
        if new is not None:
            table.keyless[new] += 1

    def apply_keyed(self, table, change, old, new):
        key = frozen(change["pk"])
        old_key = frozen(change["old_pk"]) if change.get("old_pk") is not None else key
        if old is None and key in table.by_key and change["op"] != "snapshot":
            self.problem(change, f"inserts key {key[1]} that is there already")
        if old is not None:
            before = table.by_key.pop(old_key, None)
            if before is None:
                self.problem(change, f"changes key {old_key[1]} that was not there")
            elif not same_row(before, old):
                self.problem(change, "its old image is not what the changes before left: " + differing(table, before, old))
        if new is not None:
            table.by_key[key] = new


def differing(table, first, second):
    return "; ".join(f"{column.name}: {a} against {b}" for column, a, b in zip(table.columns, first, second)
                     if a is not DIGEST and b is not DIGEST and a != b)[:300]


def hidden(row):
    return sum(1 for cell in row if cell is DIGEST)


def compare(name, table, server_rows):
    """(rows, cells not compared, problems) of one table."""
    rebuilt = list(table.by_key.values()) + list(table.keyless.elements())
    left = collections.Counter(rebuilt)
    unmatched = []
    for row in server_rows:
        if left[row] > 0:
            left[row] -= 1
        else:
            unmatched.append(row)
    surplus = list(left.elements())
    problems = []
    # What is left on both sides differs, holds cells that cannot be compared, or is missing.
    for row in unmatched:
        twin = next((r for r in surplus if same_row(r, row)), None)
        if twin is not None:
            surplus.remove(twin)
            continue
        near = min(surplus, default=None, key=lambda r: sum(a != b for a, b in zip(r, row)))
        if near is not None and sum(a != b for a, b in zip(near, row)) <= len(row) // 2:
            surplus.remove(near)
            problems.append(f"{name}: a row differs (server against rowtrail): {differing(table, row, near)}")
        else:
            problems.append(f"{name}: the server has a row that the changes do not give: {row}"[:400])
    problems += [f"{name}: the changes give a row that the server does not have: {row}"[:400] for row in surplus]
    return len(rebuilt), sum(hidden(row) for row in rebuilt), problems


def changes_of(arguments):
    if arguments.command:
        command = arguments.command + ["changes", "--format", "ndjson", "--limit", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as run:
            yield from run.stdout
        if run.returncode != 0:
            fail(f"{' '.join(command)} ended with exit code {run.returncode}")
    elif arguments.changes == "-":
        yield from sys.stdin
    else:
        with open(arguments.changes, encoding="utf-8") as file:
            yield from file


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--instance", help="name of an instance of test/servers/mysql.sh")
    parser.add_argument("--client", help="command of the mysql client, SQL on stdin")
    parser.add_argument("--database", default="pharmacy")
    parser.add_argument("--changes", help="output of rowtrail changes, or -")
    parser.add_argument("command", nargs="*", help="rowtrail with its options, after --")
    arguments = parser.parse_args()
    if bool(arguments.command) == bool(arguments.changes):
        parser.error("give either --changes FILE or, after --, the rowtrail command")
    if bool(arguments.instance) == bool(arguments.client):
        parser.error("give either --instance or --client")
    if arguments.instance:
        script = pathlib.Path(__file__).resolve().parent.parent / "servers" / "mysql.sh"
        arguments.client = f"{shlex.quote(str(script))} client {shlex.quote(arguments.instance)}"

    server = Server(arguments.client, arguments.database)
    tables = server.tables()
    if not tables:
        fail(f"the server has no table in the database {arguments.database}")
    rebuild = Rebuild(tables)
    last_seq = -1
    for number, line in enumerate(changes_of(arguments), 1):
        try:
            change = dict(exact_json(line))
        except ValueError as error:
            fail(f"line {number} of the changes is not JSON ({error}): {line[:120]!r}")
        if change["seq"] <= last_seq:
            rebuild.problem(change, f"seq does not rise (after {last_seq})")
        last_seq = change["seq"]
        if change.get("database") == arguments.database:
            rebuild.apply(change)

    problems = rebuild.problems
    rows_in_all = changes_in_all = 0
    for name, table in rebuild.tables.items():
        rows, uncompared, found = compare(name, table, server.rows(name, table.columns))
        note = f", {uncompared} cells masked or digests" if uncompared else ""
        print(f"  {name:<18} {table.changes:>8} changes  {rows:>8} rows  {'DIFFERS' if found else 'equal'}{note}")
        problems += found
        rows_in_all += rows
        changes_in_all += table.changes
    for problem in problems[:SHOWN_MAX]:
        print(f"  {problem}")
    if len(problems) > SHOWN_MAX:
        print(f"  … and {len(problems) - SHOWN_MAX} more")
    print(f"{len(tables)} tables, {rows_in_all} rows rebuilt from {changes_in_all} changes: "
          + ("equal to the server" if not problems else f"{len(problems)} differences"))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
