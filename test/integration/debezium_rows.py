#!/usr/bin/env python3
"""Debezium messages to the changes that rebuild_state.py compares with the server:

    rowtrail capture --format debezium … | debezium_rows.py 'CLIENT COMMAND' DATABASE > changes.ndjson

Undoes the mapping that Debezium's manual documents, by the columns' types as the server tells them."""

import base64
import datetime
import json
import shlex
import struct
import subprocess
import sys

EPOCH = datetime.datetime(1970, 1, 1)


def query(sql):
    run = subprocess.run(shlex.split(sys.argv[1]) + ["--batch", "--skip-column-names"], input=sql, stdout=subprocess.PIPE, text=True, check=True)
    return [line.split("\t") for line in run.stdout.splitlines()]


def exact(us, digits, pattern):
    moment = EPOCH + datetime.timedelta(microseconds=us)
    text = moment.strftime(pattern).rjust(len("0000-00-00T00:00:00") if "T" in pattern else 10, "0")
    return text + (".%06d" % moment.microsecond)[:digits + 1] if digits else text


def decimal(value, scale):
    number = int.from_bytes(base64.b64decode(value), "big", signed=True)
    digits = str(abs(number)).rjust(scale + 1, "0")
    return ("-" if number < 0 else "") + (digits[:-scale] + "." + digits[-scale:] if scale else digits)


def time(us, digits):
    seconds, fraction = divmod(abs(us), 1000000)
    text = "%s%02d:%02d:%02d" % ("-" if us < 0 else "", seconds // 3600, seconds // 60 % 60, seconds % 60)
    return text + (".%06d" % fraction)[:digits + 1] if digits else text


def number(value):
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


class Shape:
    NAMES = ["POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION"]

    def __init__(self, data):
        self.data, self.at = data, 0

    def read(self, form):
        values = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return values[0] if len(values) == 1 else values

    def point(self):
        return " ".join(number(v) for v in self.read("dd"))

    def list(self, item):
        return "(" + ",".join(item() for _ in range(self.read("I"))) + ")"

    def body(self, kind):
        if kind == 1:
            return "(" + self.point() + ")"
        if kind == 2:
            return self.list(self.point)
        if kind == 3:
            return self.list(lambda: self.list(self.point))
        if kind == 7:
            return self.list(self.geometry)
        return self.list(lambda: self.body(self.read("BI")[1]))

    def geometry(self):
        order, kind = self.read("BI")
        assert order == 1
        return self.NAMES[kind - 1] + self.body(kind)


def undo(value, kind, column_type, digits, scale):
    if value is None:
        return None
    if kind == "decimal":
        return decimal(value, scale)
    if kind == "bit":
        return int(value) if isinstance(value, bool) else int.from_bytes(base64.b64decode(value), "little")
    if kind == "date":
        return exact(value * 86400000000, 0, "%Y-%m-%d")
    if kind == "datetime":
        return exact(value * (1000 if digits <= 3 else 1), digits, "%Y-%m-%dT%H:%M:%S")
    if kind == "time":
        return time(value, digits)
    if kind == "set":
        return value.split(",") if value else []
    if kind == "json" and isinstance(value, str):
        return RawJson(value)
    if isinstance(value, dict) and "wkb" in value:
        srid = "SRID=%d;" % value["srid"] if value["srid"] else ""
        return srid + Shape(base64.b64decode(value["wkb"])).geometry()
    return value


class RawJson(str):
    """JSON text that stands in a change as it is."""


def text(value):
    if isinstance(value, RawJson):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(json.dumps(name) + ":" + text(member) for name, member in value.items()) + "}"
    return json.dumps(value)


def main():
    database = sys.argv[2]
    columns, keys = {}, {}
    for table, name, kind, column_type, digits, scale in query(
            "SELECT table_name, column_name, data_type, column_type, IFNULL(datetime_precision, 0), IFNULL(numeric_scale, 0) "
            f"FROM information_schema.columns WHERE table_schema = '{database}'"):
        columns[table, name] = (kind.lower(), column_type, int(digits), int(scale))
    for table, name in query("SELECT table_name, column_name FROM information_schema.statistics "
                             f"WHERE table_schema = '{database}' AND index_name = 'PRIMARY' ORDER BY table_name, seq_in_index"):
        keys.setdefault(table, []).append(name)
    ops = {"c": "insert", "u": "update", "d": "delete", "r": "snapshot", "t": "truncate"}
    for seq, line in enumerate(sys.stdin):
        message = json.loads(line)
        source = message["source"]
        if "op" not in message or source["db"] != database:
            continue
        table = source["table"]
        cells = {}

        def row(image, side):
            if image is None:
                return None
            out = {}
            for name, value in image.items():
                out[name] = undo(value, *columns[table, name]) if (table, name) in columns else value
                if isinstance(out[name], RawJson) and out[name] == "null":
                    cells[f"{side}.{name}"] = {"json": "null"}
            return out
        before, after = row(message["before"], "old"), row(message["after"], "new")
        now = after or before or {}
        change = {"seq": seq, "transaction": source["gtid"], "ordinal": source["row"], "database": database, "table": table, "op": ops[message["op"]],
                  "pk": {key: now[key] for key in keys[table]} if table in keys and now else None, "old": before, "new": after}
        if change["op"] == "update":
            change["changed"] = [name for name in after if message["before"].get(name) != message["after"][name]]
        if cells:
            change["cells"] = cells
        print(text(change))


if __name__ == "__main__":
    main()
