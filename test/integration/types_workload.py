#!/usr/bin/env python3
"""Prints SQL that fills every column type of a server family with extremes, NULLs and random values, changes
and deletes rows, and alters the tables in between: types_workload.py mysql|mariadb SEED"""

import random
import sys

family, seed = sys.argv[1], int(sys.argv[2])
mysql = family == "mysql"
rng = random.Random(seed)


def quoted(text):
    return "CONVERT(X'%s' USING utf8mb4)" % text.encode().hex()


def bytes_of(size):
    return "X'%s'" % rng.randbytes(size).hex()


def integers(bits, signed):
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return [low, high, 0, high - 1, low + 1], lambda: rng.randint(low, high) >> rng.randint(0, bits - 1)


def decimals(digits, scale, signed=True):
    nines = "9" * (digits - scale) + ("." + "9" * scale if scale else "")
    fixed = [nines, "0", "0." + "0" * (scale - 1) + "1" if scale else "1"]
    if signed:
        fixed += ["-" + nines]

    def make():
        number = str(rng.randrange(10 ** rng.randint(1, digits))).rjust(scale + 1, "0")
        whole, part = (number[:-scale], number[-scale:]) if scale else (number, "")
        return rng.choice(["", "-"] if signed else [""]) + whole[:digits - scale or 1] + ("." + part if part else "")
    if digits == scale:
        return fixed, lambda: "0." + "".join(rng.choice("0123456789") for _ in range(scale))
    return fixed, make


def moment(fraction):
    text = "%02d:%02d:%02d" % (rng.randrange(24), rng.randrange(60), rng.randrange(60))
    return text + (".%0*d" % (fraction, rng.randrange(10 ** fraction)) if fraction else "")


def day(first=1000, last=9999):
    return "%04d-%02d-%02d" % (rng.randint(first, last), rng.randint(1, 12), rng.randint(1, 28))


def dates():
    return ["'0000-00-00'", "'1000-01-01'", "'9999-12-31'", "'2026-00-00'"], lambda: "'%s'" % day()


def times(f):
    tail = "." + "0" * f if f else ""
    fixed = ["'-838:59:59%s'" % tail, "'838:59:59%s'" % tail, "'00:00:00'", "'-00:00:01'"]
    if f:
        fixed += ["'-00:00:00.%s1'" % ("0" * (f - 1)), "'-00:00:01.%s'" % ("9" * f)]
    return fixed, lambda: "'%s%d:%s'" % (rng.choice(["", "-"]), rng.randrange(839), moment(f)[3:])


def datetimes(f):
    nines = "." + "9" * f if f else ""
    return (["'0000-00-00 00:00:00'", "'1000-01-01 00:00:00'", "'9999-12-31 23:59:59%s'" % nines],
            lambda: "'%s %s'" % (day(), moment(f)))


def timestamps(f):
    nines = "." + "9" * f if f else ""
    return (["'0000-00-00 00:00:00'", "'1970-01-01 00:00:01'", "'2038-01-19 03:14:07%s'" % ("" if not mysql else nines)],
            lambda: "'%s %s'" % (day(1971, 2037), moment(f)))


EVERYWHERE = ["", " leading", "it's", 'a "quote" \\ back', "line\nbreak\ttab", "nul\0nul", "x" * 20]
SAMPLES = {"latin1": "éüß€Ž", "latin2": "łžőš", "cp1251": "Привет", "cp1250": "ěšč", "koi8r": "Привет", "koi8u": "Привіт", "greek": "Ελληνικά", "hebrew": "שלום", "cp1256": "مرحبا",
           "cp932": "日本語ｱ", "sjis": "日本語ｱ", "eucjpms": "日本語", "ujis": "日本語", "gbk": "中文字", "gb2312": "中文字", "gb18030": "中文字😀", "big5": "中文字",
           "euckr": "한국어", "ucs2": "Ελ中é", "utf16": "Ελ😀中", "utf16le": "Ελ😀中", "utf32": "Ελ😀中", "utf8mb3": "Ελ中é", "utf8mb4": "Ελ😀中é👩‍👩‍👧", "tis620": "ภาษา",
           "armscii8": "Հայ", "geostd8": "ქართ", "cp850": "éüß", "cp852": "łž", "cp866": "Привет", "latin5": "ğış", "latin7": "ėšž", "macroman": "éü∞", "macce": "łž",
           "cp1257": "ėšž", "dec8": "éü", "hp8": "éü", "keybcs2": "ěš", "swe7": "abc", "ascii": "abc"}
if not mysql:
    del SAMPLES["gb18030"]


def texts(charset, most):
    sample = SAMPLES[charset]
    fixed = [quoted(t[:most]) for t in EVERYWHERE if charset != "swe7" or t.isalnum()] + [quoted((sample * most)[:most])]
    return fixed, lambda: quoted("".join(rng.choice(sample + "abc 123") for _ in range(rng.randint(0, most))))


def blobs(most, least=0):
    sizes = [0, 1, most]
    return ["X'%s'" % rng.randbytes(n).hex() for n in sizes] + ["X'%s'" % ("00" * min(most, 5))], lambda: bytes_of(rng.randint(least, most))


def labels(name, count):
    members = ["%s %d %s" % (name, i, rng.choice(["é", "", "😀", "''", "\\\\"])) for i in range(count)]
    declared = ",".join("'%s'" % m for m in members)
    if name == "set":
        return declared, (["0", str((1 << count) - 1), "1"], lambda: str(rng.getrandbits(count)))
    return declared, (["1", str(count)], lambda: str(rng.randint(1, count)))


def json_value(depth=0):
    kind = rng.randrange(8 if depth < 3 else 5)
    if kind == 0:
        return rng.choice(["null", "true", "false"])
    if kind == 1:
        return str(rng.choice([0, -1, 127, 128, 32768, -32769, 2147483648, 9223372036854775807, -9223372036854775808, 18446744073709551615]))
    if kind == 2:
        return rng.choice(["1.5", "-0.1", "1e300", "1.0", "5e-324", "0.1"])
    if kind <= 4:
        return '"%s"' % rng.choice(["", "plain", "é 😀", 'q\\\\"q', "x" * 200, "nl\\\\n"])
    if kind <= 6:
        return "{%s}" % ",".join('"%s":%s' % (k, json_value(depth + 1)) for k in rng.sample(["", "a", "bb", "ключ", "long key " * 5, "z"], rng.randint(0, 4)))
    return "[%s]" % ",".join(json_value(depth + 1) for _ in range(rng.randint(0, 5)))


def jsons():
    fixed = ["'null'", "'{}'", "'[]'", "'\"text\"'", "'18446744073709551615'", "'-9223372036854775808'", "'[1.0, 1, -0.0]'", "'%s'" % json_value()]
    if mysql:
        fixed += ["JSON_OBJECT('d', CAST(12.50 AS DECIMAL(10,2)), 't', CAST('-12:00:00.5' AS TIME(6)), 'dt', CAST('2026-11-24 10:00:00.25' AS DATETIME(6)), 'b', CAST(X'00FF' AS BINARY), 'y', CAST('2026-11-24' AS DATE))",
                  "(SELECT JSON_ARRAYAGG(REPEAT('long', 500)) FROM (SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) x)",
                  "CAST(CONCAT('[', REPEAT('{\"k\":[1,2,3]},', 9000), '0]') AS JSON)"]
    return fixed, lambda: "'%s'" % json_value()


def point():
    return "%d %d" % (rng.randint(-180, 180), rng.randint(-90, 90))


def line(n):
    return ",".join(point() for _ in range(n))


def ring():
    x, y = rng.randint(-100, 50), rng.randint(-80, 50)
    return "(%d %d,%d %d,%d %d,%d %d)" % (x, y, x + 9, y, x + 9, y + 9, x, y)


def geometries(kind):
    make = {"POINT": lambda: "POINT(%s)" % point(), "LINESTRING": lambda: "LINESTRING(%s)" % line(rng.randint(2, 6)), "POLYGON": lambda: "POLYGON(%s)" % ring(),
            "MULTIPOINT": lambda: "MULTIPOINT(%s)" % line(3), "MULTILINESTRING": lambda: "MULTILINESTRING((%s),(%s))" % (line(2), line(3)),
            "MULTIPOLYGON": lambda: "MULTIPOLYGON((%s),(%s))" % (ring(), ring()),
            "GEOMETRYCOLLECTION": lambda: "GEOMETRYCOLLECTION(POINT(%s),LINESTRING(%s))" % (point(), line(2))}
    if kind == "GEOMETRY":
        pick = lambda: make[rng.choice(list(make))]()
    else:
        pick = make[kind]
    return [], lambda: "ST_GeomFromText('%s', %d)" % (pick(), rng.choice([0, 3857]))


def tables():
    numbers = []
    for name, bits in (("TINYINT", 8), ("SMALLINT", 16), ("MEDIUMINT", 24), ("INT", 32), ("BIGINT", 64)):
        numbers += [(name, integers(bits, True)), (name + " UNSIGNED", integers(bits, False))]
    numbers += [("BIT(%d)" % n, integers(n, False)) for n in (1, 7, 8, 33, 64)]
    numbers += [("DECIMAL(%d,%d)" % (d, s), decimals(d, s)) for d, s in ((65, 30), (10, 2), (5, 0), (30, 30), (65, 0), (9, 1))]
    numbers += [("DECIMAL(18,9) UNSIGNED", decimals(18, 9, False)),
                ("FLOAT", (["0", "3.4e38", "-1e-38", "-0.0"], lambda: repr(round(rng.uniform(-1000, 1000), 2)))),
                ("DOUBLE", (["0", "1.7976931348623157e308", "5e-324", "-0.0", "0.1"], lambda: repr(rng.uniform(-1e9, 1e9)))),
                ("YEAR", (["0", "1901", "2155"], lambda: str(rng.randint(1901, 2155))))]
    yield "numbers", numbers
    temporal = [("DATE", dates())]
    for f in range(7):
        temporal += [("TIME(%d)" % f, times(f)), ("DATETIME(%d)" % f, datetimes(f)), ("TIMESTAMP(%d) NULL DEFAULT NULL" % f, timestamps(f))]
    yield "temporal", temporal
    yield "charsets", [("VARCHAR(40) CHARACTER SET " + name, texts(name, 40)) for name in SAMPLES]
    yield "texts", [("CHAR(255) CHARACTER SET utf8mb4", texts("utf8mb4", 255)), ("CHAR(20) CHARACTER SET latin1", texts("latin1", 20)),
                    ("CHAR(1) CHARACTER SET utf32", texts("utf32", 1)), ("VARCHAR(300) CHARACTER SET utf8mb4", texts("utf8mb4", 300)), ("VARCHAR(255) CHARACTER SET ascii", texts("ascii", 255)),
                    ("TINYTEXT CHARACTER SET latin1", texts("latin1", 255)), ("TEXT", texts("utf8mb4", 2000)), ("MEDIUMTEXT", texts("utf8mb4", 5000)), ("LONGTEXT CHARACTER SET utf16", texts("utf16", 3000))]
    yield "bytes", [("BINARY(1)", blobs(1)), ("BINARY(16)", blobs(16)), ("BINARY(255)", blobs(255)), ("VARBINARY(10)", blobs(10)), ("VARBINARY(3000)", blobs(3000)),
                    ("TINYBLOB", blobs(255)), ("BLOB", blobs(5000)), ("MEDIUMBLOB", blobs(70000)), ("LONGBLOB", blobs(70000))]
    labelled = []
    for name, count in (("enum", 2), ("enum", 300), ("set", 1), ("set", 9), ("set", 64)):
        declared, values = labels(name, count)
        labelled.append(("%s(%s) CHARACTER SET utf8mb4" % (name.upper(), declared), values))
    yield "labels", labelled + [("ENUM('é','ü') CHARACTER SET latin1", (["1", "2"], lambda: rng.choice("12")))]
    yield "documents", [("JSON", jsons()), ("JSON", jsons())]
    yield "shapes", [(kind, geometries(kind)) for kind in ("GEOMETRY", "POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION")]
    if mysql:
        vector = lambda n: (lambda: "STRING_TO_VECTOR('[%s]')" % ",".join("%.3g" % rng.uniform(-9, 9) for _ in range(n)))
        yield "special", [("VECTOR(3)", (["STRING_TO_VECTOR('[0,-1.5,3e38]')"], vector(3))), ("VECTOR(300)", ([], vector(300)))]
    else:
        yield "special", [("UUID", (["'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"], lambda: "UUID()")),
                          ("INET6", (["'::'", "'::1'", "'::ffff:1.2.3.4'", "'2001:db8::ff00:42:8329'"], lambda: "'2001:db8::%x:%x'" % (rng.randrange(1, 65536), rng.randrange(1, 65536)))),
                          ("INET4", (["'0.0.0.0'", "'255.255.255.255'"], lambda: "'10.%d.%d.1'" % (rng.randrange(256), rng.randrange(256)))),
                          ("TEXT COMPRESSED", texts("utf8mb4", 3000)), ("VARCHAR(3000) COMPRESSED", texts("utf8mb4", 900)), ("BLOB COMPRESSED", blobs(5000)), ("VARBINARY(500) COMPRESSED", blobs(400))]


class Table:
    def __init__(self, name, columns):
        self.name = name
        self.columns = [("c%d" % i, declared, values) for i, (declared, values) in enumerate(columns)]
        self.ids = []
        self.next_id = 1
        self.added = 0

    def create(self):
        columns = ", ".join("%s %s" % (name, declared) for name, declared, _ in self.columns)
        return "CREATE TABLE %s (id BIGINT PRIMARY KEY, touch INT NOT NULL DEFAULT 0, %s) CHARACTER SET utf8mb4;" % (self.name, columns)

    def value(self, values):
        fixed, make = values
        pick = rng.random()
        if pick < 0.15:
            return "NULL"
        return str(rng.choice(fixed)) if fixed and pick < 0.4 else str(make())

    def insert(self, cells):
        self.ids.append(self.next_id)
        self.next_id += 1
        names = ", ".join(name for name, _, _ in self.columns)
        return "INSERT INTO %s (id, %s) VALUES (%d, %s);" % (self.name, names, self.ids[-1], ", ".join(cells))

    def extremes(self):
        """A row for each fixed value of the column that has the most, and one of NULLs."""
        yield self.insert(["NULL"] * len(self.columns))
        for i in range(max(len(values[0]) for _, _, values in self.columns)):
            yield self.insert([str(values[0][i % len(values[0])]) if values[0] else str(values[1]()) for _, _, values in self.columns])

    def step(self):
        pick = rng.random()
        if pick < 0.4 or not self.ids:
            return self.insert([self.value(values) for _, _, values in self.columns])
        row = rng.choice(self.ids)
        if pick < 0.85:
            chosen = rng.sample(self.columns, min(len(self.columns), rng.randint(1, 4)))
            return "UPDATE %s SET %s WHERE id = %d;" % (self.name, ", ".join("%s = %s" % (n, self.value(v)) for n, _, v in chosen), row)
        self.ids.remove(row)
        if pick < 0.93:
            return "DELETE FROM %s WHERE id = %d;" % (self.name, row)
        self.ids.append(self.next_id)
        self.next_id += 1
        return "UPDATE %s SET id = %d WHERE id = %d;" % (self.name, self.ids[-1], row)

    def alter(self):
        pick = rng.randrange(4)
        self.added += 1
        if pick == 0 or len(self.columns) < 3:
            name = "added%d" % self.added
            self.columns.append((name, "BIGINT UNSIGNED", integers(64, False)))
            return "ALTER TABLE %s ADD COLUMN %s BIGINT UNSIGNED %s;" % (self.name, name, rng.choice(["FIRST", "AFTER id", ""]))
        index = rng.randrange(len(self.columns))
        name, declared, values = self.columns[index]
        if pick == 1:
            del self.columns[index]
            return "ALTER TABLE %s DROP COLUMN %s;" % (self.name, name)
        if pick == 2:
            self.columns[index] = ("renamed%d" % self.added, declared, values)
            return "ALTER TABLE %s RENAME COLUMN %s TO renamed%d;" % (self.name, name, self.added)
        return "ALTER TABLE %s MODIFY COLUMN %s %s COMMENT 'moved' FIRST;" % (self.name, name, declared)


def modes():
    """Ways to log the same: none may show in the result."""
    if not mysql:
        return rng.choice(["SET GLOBAL log_bin_compress = ON;", "SET GLOBAL log_bin_compress = OFF;"])
    return rng.choice(["SET SESSION binlog_transaction_compression = ON;", "SET SESSION binlog_transaction_compression = OFF;",
                       "SET SESSION binlog_row_value_options = 'PARTIAL_JSON';", "SET SESSION binlog_row_value_options = '';"])


def main():
    print("DROP DATABASE IF EXISTS types; CREATE DATABASE types CHARACTER SET utf8mb4; USE types;")
    print("SET NAMES utf8mb4; SET time_zone = '+00:00', sql_mode = 'NO_ENGINE_SUBSTITUTION,ALLOW_INVALID_DATES';")
    if not mysql:
        print("SET GLOBAL log_bin_compress_min_len = 10;")
    all_tables = [Table(name, columns) for name, columns in tables()]
    for table in all_tables:
        print(table.create())
        for statement in table.extremes():
            print(statement)
    for number in range(900):
        if number % 40 == 0:
            print(modes())
        table = rng.choice(all_tables)
        if number % 25 == 24:
            print(table.alter())
        elif rng.random() < 0.2:
            print("START TRANSACTION; %s %s %s" % (table.step(), rng.choice(all_tables).step(), rng.choice(["COMMIT;", "COMMIT;", "ROLLBACK;"])))
        else:
            print(table.step())
        if mysql and number % 15 == 0:
            documents = next(t for t in all_tables if t.name == "documents")
            for column, declared, _ in documents.columns:
                if declared == "JSON":
                    print("UPDATE documents SET %s = JSON_SET(%s, '$.a', %d, '$[1]', 'new') WHERE id %% 3 = %d;" % (column, column, number, number % 3))
    # Every row once more as a whole, in its table's last layout: nothing is left uncompared.
    for table in all_tables:
        print("UPDATE %s SET touch = touch + 1;" % table.name)


main()
