#!/usr/bin/env python3
"""What each peer makes of one row a case.   cases.py sql | cases.py judge NAME=FILE…

sql prints the statements: a table for each case, named after it, in a binlog file of its own. judge reads what the
peers printed, a JSON line {"t": table, "op": …, "new": {…}} a row, and prints the table of docs/comparison.md.
A value is right in any form that means the same and needs no look at the table's definition: a number or its
text, a moment as text or as a count of days, milliseconds or microseconds, bytes as base64 or hexadecimal.
"""
import base64
import datetime
import decimal
import json
import sys

UTC = datetime.timezone.utc


def moment(text):
    at = datetime.datetime.fromisoformat(text).replace(tzinfo=UTC)
    micros = int((at - datetime.datetime(1970, 1, 1, tzinfo=UTC)) / datetime.timedelta(microseconds=1))
    forms = {text, text.replace(" ", "T"), str(micros)}
    if micros % 1000 == 0:
        forms |= {str(micros // 1000), at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"}
    return forms | {form + end for form in (text, text.replace(" ", "T")) for end in ("Z", "+00:00")}


def octets(raw):
    return {base64.b64encode(raw).decode(), raw.hex(), raw.hex().upper(), "0x" + raw.hex()}


# name, what it is, column type, SQL value, the forms that are right; "json": compared as JSON, exactly.
CASES = [
    ("u64", "BIGINT UNSIGNED, the largest", "BIGINT UNSIGNED", "18446744073709551615", {"18446744073709551615"}),
    ("i64", "BIGINT, the smallest", "BIGINT", "-9223372036854775808", {"-9223372036854775808"}),
    ("u8", "TINYINT UNSIGNED 200", "TINYINT UNSIGNED", "200", {"200"}),
    ("dec", "DECIMAL(38,10)", "DECIMAL(38,10)", "1234567890123456789012345678.0000000001", {"1234567890123456789012345678.0000000001"}),
    ("f32", "FLOAT 0.1", "FLOAT", "0.1", {"0.1"}),
    ("f64", "DOUBLE 0.1", "DOUBLE", "0.1", {"0.1"}),
    ("bit", "BIT(64)", "BIT(64)", "b'1000000000000000000000000000000000000000000000000000000000000001'",
     {"9223372036854775809"} | octets(bytes([128, 0, 0, 0, 0, 0, 0, 1])) | octets(bytes([1, 0, 0, 0, 0, 0, 0, 128]))),
    ("yr", "YEAR", "YEAR", "2026", {"2026"}),
    ("latin", "VARCHAR latin1 é€", "VARCHAR(20) CHARACTER SET latin1", "'é€'", {"é€"}),
    ("gbk", "VARCHAR gbk 東京", "VARCHAR(20) CHARACTER SET gbk", "'東京'", {"東京"}),
    ("emoji", "TEXT utf8mb4 𝄞", "TEXT CHARACTER SET utf8mb4", "'𝄞'", {"𝄞"}),
    ("bin", "BINARY(4), zeros at the end", "BINARY(4)", "x'61000000'", octets(b"a\0\0\0")),
    ("blb", "BLOB, not text", "BLOB", "x'ff00fe'", octets(b"\xff\0\xfe")),
    ("d", "DATE 0001-01-01", "DATE", "'0001-01-01'", {"0001-01-01", "-719162"} | moment("0001-01-01 00:00:00")),
    ("dt", "DATETIME(6)", "DATETIME(6)", "'2026-11-24 10:00:00.123456'", moment("2026-11-24 10:00:00.123456")),
    ("zero", "DATETIME, a zero date", "DATETIME", "'0000-00-00 00:00:00'", {"0000-00-00T00:00:00", "0000-00-00 00:00:00"}),
    ("ts", "TIMESTAMP(6)", "TIMESTAMP(6)", "'2026-11-24 10:00:00.123456'", moment("2026-11-24 10:00:00.123456")),
    ("tm", "TIME(6), negative", "TIME(6)", "'-12:34:56.000001'", {"-12:34:56.000001", "-45296000001"}),
    ("en", "ENUM", "ENUM('new','paid')", "'paid'", {"paid"}),
    ("st", "SET", "SET('a','b','c')", "'a,c'", {"a,c", '["a","c"]', "['a', 'c']"}),
    ("js", "JSON, a large integer and a decimal", "JSON",
     "JSON_OBJECT('n', 18446744073709551615, 'd', CAST(12.50 AS DECIMAL(10,2)), 'e', TRUE)",
     ("json", '{"n":18446744073709551615,"d":12.50,"e":true}')),
    ("geo", "GEOMETRY with SRID", "GEOMETRY", "ST_GeomFromText('POINT(1 2)', 3857)",
     {"SRID=3857;POINT(1 2)"} | octets(bytes.fromhex("110f00000101000000000000000000f03f0000000000000040"))),
    ("vec", "VECTOR(2)", "VECTOR(2)", "STRING_TO_VECTOR('[1.5,2]')", {"[1.5,2]", "[1.5,2.0]", "[1.5, 2.0]", "[1.5, 2]"} | octets(bytes.fromhex("0000c03f00000040"))),
]
# name, what it is, statements before and after the row of `v`, and the forms that are right.
EVENTS = [
    ("zip", "compressed transaction", "SET binlog_transaction_compression = ON", "INT", "INSERT INTO {t} VALUES (1, 7)", {"7"}),
    ("part", "partial JSON update", "SET binlog_row_value_options = PARTIAL_JSON", "JSON",
     "INSERT INTO {t} VALUES (1, '{{\"a\": 1, \"b\": 2}}'); UPDATE {t} SET v = JSON_SET(v, '$.a', 3)", ("json", '{"a":3,"b":2}')),
    ("tag", "tagged GTID", "SET gtid_next = 'AUTOMATIC:shop'", "INT", "INSERT INTO {t} VALUES (1, 7)", {"7"}),
    ("min", "row image MINIMAL: a column not logged is not NULL", "SET binlog_row_image = MINIMAL", "INT",
     "INSERT INTO {t} VALUES (1, 7); UPDATE {t} SET id = 2", "absent"),
]


def sql():
    print("CREATE DATABASE cases; USE cases; SET sql_mode = '', time_zone = '+00:00';")
    for name, _, kind, value, _ in CASES:
        print(f"FLUSH BINARY LOGS; CREATE TABLE c_{name} (id INT PRIMARY KEY, v {kind}); INSERT INTO c_{name} VALUES (1, {value});"
              f" CREATE TABLE z_{name} (id INT PRIMARY KEY); INSERT INTO z_{name} VALUES (1);")
    for name, _, before, kind, rows, _ in EVENTS:
        table = f"c_{name}"
        print(f"FLUSH BINARY LOGS; CREATE TABLE {table} (id INT PRIMARY KEY, v {kind}); {before}; {rows.format(t=table)};"
              "SET binlog_transaction_compression = OFF, binlog_row_value_options = '', binlog_row_image = FULL, gtid_next = AUTOMATIC;"
              f" CREATE TABLE z_{name} (id INT PRIMARY KEY); INSERT INTO z_{name} VALUES (1);")
    print("CREATE TABLE done (id INT PRIMARY KEY); INSERT INTO done VALUES (1);")


def same_json(a, b):
    if isinstance(a, str):
        try:
            a = json.loads(a, parse_float=decimal.Decimal)
        except ValueError:
            return False
    return json.dumps(a, default=str, sort_keys=True) == json.dumps(json.loads(b, parse_float=decimal.Decimal), default=str, sort_keys=True)


def verdict(rows, name, right):
    rows = [row for row in rows if row["t"] == f"c_{name}"]
    if not rows:
        return "lost"
    new = rows[-1]["new"] or {}
    if right == "absent":
        return "right" if "v" not in new else f"`{new['v']}`"
    if "v" not in new:
        return "no value"
    value = new["v"]
    if isinstance(right, tuple):
        return "right" if same_json(value, right[1]) else f"`{json.dumps(value, default=str)}`"
    texts = {value} if isinstance(value, str) else {json.dumps(value, default=float), str(value)}
    if isinstance(value, str) and value not in right:
        texts.add(value.strip('"'))
    if texts & right:
        return "right"
    shown = value if isinstance(value, str) else json.dumps(value, default=float)
    return f"`{shown[:44]}`"


def judge(peers):
    seen = {}
    for peer in peers:
        name, _, path = peer.partition("=")
        seen[name] = []
        for line in open(path, encoding="utf-8", errors="replace"):
            if not line.startswith("{"):
                continue
            row = json.loads(line, parse_float=decimal.Decimal)
            row.setdefault("t", row.get("table"))  # rowtrail's own form
            if row.get("new") is not None:
                seen[name].append(row)
    print("| | " + " | ".join(seen) + " |\n|---|" + "---|" * len(seen))
    wrong = 0
    for name, what, right in [(c[0], c[1], c[4]) for c in CASES] + [(e[0], e[1], e[5]) for e in EVENTS]:
        verdicts = [verdict(rows, name, right) for rows in seen.values()]
        wrong += verdicts[0] != "right"
        print(f"| {what} | " + " | ".join(verdicts) + " |")
    sys.exit(wrong > 0)  # the first peer is rowtrail


if __name__ == "__main__":
    judge(sys.argv[2:]) if sys.argv[1] == "judge" else sql()
