#!/usr/bin/env python3
"""canonical.py CHANGES.ndjson MYSQLBINLOG.txt: every row change the server's own mysqlbinlog -vv prints, and no
other, stands in the changes, in the same order, with the same values."""
import base64
import datetime
import json
import re
import sys

OPS = {"INSERT INTO": "insert", "UPDATE": "update", "DELETE FROM": "delete"}
CELL = re.compile(rb"^###   @(\d+)=(.*) /\* (\S+)(.*?) meta=\d+ nullable=\d is_null=(\d) \*/$")


def oracle(path):
    """(gtid, op, database, table, old, new) per row; images map column number to (type, raw value)."""
    gtid, row, image = None, None, None
    for line in open(path, "rb"):
        line = line.rstrip(b"\n")
        if line.startswith(b"SET @@SESSION.GTID_NEXT= '"):
            gtid = line.split(b"'")[1].decode()
        elif match := re.match(rb"^### (INSERT INTO|UPDATE|DELETE FROM) `(.*)`\.`(.*)`$", line):
            if row:
                yield row
            row = [gtid, OPS[match[1].decode()], match[2].decode(), match[3].decode(), None, None]
        elif line == b"### WHERE":
            image = row[4] = {}
        elif line == b"### SET":
            image = row[5] = {}
        elif match := CELL.match(line):
            kind, value = match[3].decode(), match[2]
            image[int(match[1])] = None if match[5] == b"1" else (kind.split("(")[0], match[3] + match[4], value)
        elif row and not line.startswith(b"###"):
            yield row
            row = None
    if row:
        yield row


def unquote(raw):
    assert raw[:1] == b"'" and raw[-1:] == b"'", raw
    plain = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"0": b"\0", b"b": b"\b", b"Z": b"\x1a"}
    return re.sub(rb"\\(?:x([0-9a-f]{2})|(.))",
                  lambda m: bytes([int(m[1], 16)]) if m[1] else plain.get(m[2], m[2]), raw[1:-1])


def same_text(ours, raw):
    theirs = unquote(raw)
    if theirs in (ours.encode(), ours.encode("latin-1", "replace")):
        return True
    try:
        return base64.b64decode(ours, validate=True).rstrip(b"\0") == theirs.rstrip(b"\0")
    except ValueError:
        return False


def same(ours, cell):
    kind, described, raw = cell
    if kind in ("INT", "LONGINT", "TINYINT", "SHORTINT", "MEDIUMINT"):
        return str(ours) in raw.decode().replace("(", "").replace(")", "").split()
    if kind == "YEAR":
        return ours == int(raw) or (ours, raw) == (0, b"1900")  # mysqlbinlog knows no year 0000
    if kind == "DECIMAL":
        return ours == raw.decode()
    if kind in ("FLOAT", "DOUBLE"):
        return abs(ours - float(raw)) <= 1e-5 * abs(float(raw))
    if kind == "DATE":
        return ours == unquote(raw).decode().replace(":", "-")
    if kind == "DATETIME":
        return ours.replace("T", " ") == unquote(raw).decode() if raw[:1] == b"'" else ours.replace("T", " ") == raw.decode()
    if kind == "TIMESTAMP":
        seconds, _, fraction = (unquote(raw) if raw[:1] == b"'" else raw).decode().partition(".")
        if int(seconds) == 0:
            return ours.startswith("0000-00-00T00:00:00")
        moment = datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc)
        return ours == moment.strftime("%Y-%m-%dT%H:%M:%S") + ("." + fraction if fraction else "") + "Z"
    if kind == "TIME":
        return ours == unquote(raw).decode()
    if kind == "ENUM":
        return ours == ("L" + raw.decode() if raw != b"0" else "")
    if kind == "SET":
        bits = raw.decode()[2:-1]  # eight at a time, the lowest eight first
        bits = "".join(reversed([bits[i:i + 8] for i in range(0, len(bits), 8)]))
        return sorted(ours) == sorted("L%d" % (i + 1) for i, bit in enumerate(reversed(bits)) if bit == "1")
    if kind == "BIT":
        return ours == int(raw[2:-1], 2)
    if kind == "JSON":
        theirs = unquote(raw).decode()
        return theirs == ours or (not isinstance(ours, str) and json.loads(theirs) == ours)
    return same_text(ours, raw)


def compare_image(change, side, theirs, names):
    ours = change[side]
    if (ours is None) != (theirs is None):
        return "%s: one side has no image" % side
    if ours is None:
        return None
    mine = {names.index(name) + 1: value for name, value in ours.items()}
    if set(mine) != set(theirs):
        return "%s: columns %s against %s" % (side, sorted(mine), sorted(theirs))
    for number, cell in theirs.items():
        value = mine[number]
        noted = "%s.%s" % (side, names[number - 1]) in change.get("cells", {})
        if cell is None:
            if value is not None or noted:
                return "%s.@%d: %r against NULL" % (side, number, value)
        elif value is None and not noted:
            return "%s.@%d: null against %r" % (side, number, cell)
        elif value is not None and not same(value, cell):
            return "%s.@%d: %r against %r" % (side, number, value, cell)
    return None


def main():
    lines = [json.loads(line) for line in open(sys.argv[1])]
    changes = [line for line in lines if line.get("op") in OPS.values()]
    names = {}  # the widest image of a table shows its columns in order
    for change in changes:
        key = (change["table"], change["schema_version"])
        for image in (change["old"], change["new"]):
            if image and len(image) > len(names.get(key, [])):
                names[key] = list(image)
    wrong = count = 0
    for count, row in enumerate(oracle(sys.argv[2]), 1):
        gtid, op, database, table, old, new = row
        if count > len(changes):
            print("mysqlbinlog has more rows than the %d changes: %s" % (len(changes), row))
            return 1
        change = changes[count - 1]
        known = names[(change["table"], change["schema_version"])]
        problem = None
        if (change["transaction"], change["op"], change["database"], change["table"]) != (gtid, op, database, table):
            problem = "another row: %s" % row
        problem = problem or compare_image(change, "old", old, known) or compare_image(change, "new", new, known)
        if problem:
            wrong += 1
            print("change %d of %s: %s" % (change["ordinal"], change["transaction"], problem))
    if count != len(changes):
        wrong += 1
        print("%d changes, but mysqlbinlog shows %d rows" % (len(changes), count))
    print("%d rows compared, %d wrong" % (count, wrong))
    return 1 if wrong or not count else 0


sys.exit(main())
