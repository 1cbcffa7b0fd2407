#!/usr/bin/env python3
"""Writes charset_tables.cpp: every character set of MySQL and MariaDB, asked of the servers themselves.

    test/servers/mysql.sh start NAME && test/servers/mariadb.sh start NAME
    binlog/charset_tables.py NAME [--measure] > binlog/charset_tables.cpp

The servers convert every byte sequence a character can have to utf32; what a server cannot convert it
answers with NULL or '?'. Where both have a sequence they agree, or this script stops. --measure prints
what differs instead.
"""
import base64
import itertools
import os
import subprocess
import sys
import zlib

SERVERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'test', 'servers')
ALGORITHMIC = {'binary': 'Binary', 'ascii': 'Ascii', 'utf8mb3': 'Utf8', 'utf8mb4': 'Utf8', 'ucs2': 'Ucs2',
               'utf16': 'Utf16', 'utf16le': 'Utf16Le', 'utf32': 'Utf32'}
UNDEFINED = ord('?')
REPLACEMENT = 0xFFFD  # tis620 gives it to bytes that mean nothing
QUADS = 39420  # four-byte codes of gb18030 below U+10000


def ask(server, instance, sql):
    done = subprocess.run([os.path.join(SERVERS, server + '.sh'), 'client', instance, '-N', '-e', sql],
                          check=True, capture_output=True, text=True)
    return [line.split('\t') for line in done.stdout.splitlines()]


def decode(server, instance, charset, ranges):
    """{bytes: code point} of the sequences whose bytes lie in `ranges`, one (first, last) a byte."""
    source = ' JOIN '.join(f'(SELECT i AS b{i} FROM n WHERE i BETWEEN {low} AND {high}) t{i}'
                           for i, (low, high) in enumerate(ranges))
    code = 'CONCAT(' + ', '.join(f"LPAD(HEX(b{i}), 2, '0')" for i in range(len(ranges))) + ')'
    sql = (f'WITH RECURSIVE n AS (SELECT 0 i UNION ALL SELECT i + 1 FROM n WHERE i < 255) '
           f'SELECT c, HEX(CONVERT(CAST(UNHEX(c) AS CHAR CHARACTER SET {charset}) USING utf32)) '
           f'FROM (SELECT {code} c FROM {source}) codes')
    out = {}
    for code, point in ask(server, instance, sql):
        if point == 'NULL' or len(point) != 8:
            continue
        point, code = int(point, 16), bytes.fromhex(code)
        if point != UNDEFINED or code == b'?':
            out[code] = point
    return out


def merged(instance, charset, servers, ranges):
    out = {}
    for server in servers:
        seen = decode(server, instance, charset, ranges)
        for code, point in seen.items():
            if out.setdefault(code, point) != point:
                sys.exit(f'{charset} {code.hex()}: U+{out[code]:04X}, but U+{point:04X} on {server}')
        if '--measure' in sys.argv:
            print(charset, server, ranges, len(seen), file=sys.stderr)
    return out


class Blob:
    """All tables, one after the other, in units of 16 bits."""

    def __init__(self):
        self.units = []

    def add(self, codes, ranges):
        offset = len(self.units)
        for code in itertools.product(*[range(low, high + 1) for low, high in ranges]):
            point = codes.get(bytes(code), 0)
            assert point < 0x10000, f'{bytes(code).hex()} is U+{point:X}'
            self.units.append(point)
        return offset

    def text(self):
        # The difference to the unit before, its two bytes apart: a third of the size.
        deltas = [(a - b) & 0xFFFF for a, b in zip(self.units, [0] + self.units)]
        raw = bytes(d & 0xFF for d in deltas) + bytes(d >> 8 for d in deltas)
        packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9)
        return base64.b64encode(packer.compress(raw) + packer.flush()).decode()


def bounds(codes):
    return [(min(code[i] for code in codes), max(code[i] for code in codes))
            for i in range(len(next(iter(codes))))]


def block(blob, codes, prefix):
    if not codes:
        return '{}'
    leads, trails = bounds(codes)[prefix:]
    offset = blob.add({code[prefix:]: point for code, point in codes.items()}, [leads, trails])
    return f'{{{leads[0]}, {leads[1]}, {trails[0]}, {trails[1]}, {offset}}}'


def tabled(blob, instance, charset, length, servers):
    singles = {code: point for code, point in merged(instance, charset, servers, [(0, 255)]).items()
               if point != REPLACEMENT}
    # A charset of tables whose first 128 codes are ASCII's needs no table for ASCII text.
    ascii_alike = all(singles.get(bytes([i])) == i for i in range(128))
    offset = blob.add(singles, [(0, 255)])
    if length == 1:
        return f'CharsetKind::SingleByte, 1, {str(ascii_alike).lower()}, {offset}'
    pairs = merged(instance, charset, servers, [(128, 255), (0, 255)])
    out = f'CharsetKind::MultiByte, {length}, {str(ascii_alike).lower()}, {offset}, {block(blob, pairs, 0)}'
    if length == 3:
        triples = merged(instance, charset, servers, [(0x8F, 0x8F), (0xA1, 0xFE), (0xA1, 0xFE)])
        out += f', {block(blob, triples, 1)}'
    if length == 4:
        shape = [(0x81, 0x84), (0x30, 0x39), (0x81, 0xFE), (0x30, 0x39)]
        quads = merged(instance, charset, servers, shape)
        linear = {n: quads[bytes(code)] for n, code in
                  enumerate(itertools.product(*[range(a, b + 1) for a, b in shape])) if bytes(code) in quads}
        assert max(linear) < QUADS, max(linear)
        out += f', {{}}, {len(blob.units)}, {QUADS}'
        blob.units += [linear.get(n, 0) for n in range(QUADS)]
    return out


def main():
    instance = sys.argv[1]
    lengths, servers_of, ids = {}, {}, {}
    for server in ('mysql', 'mariadb'):
        for name, length in ask(server, instance, 'SELECT CHARACTER_SET_NAME, MAXLEN FROM '
                                                  'information_schema.CHARACTER_SETS'):
            lengths[name] = int(length)
            servers_of.setdefault(name, []).append(server)
        rows = ('SELECT ID, CHARACTER_SET_NAME FROM information_schema.COLLATIONS' if server == 'mysql' else
                'SELECT ID, CHARACTER_SET_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY')
        for number, name in ask(server, instance, rows):
            if ids.setdefault(int(number), name) != name:
                sys.exit(f'collation {number} is of {ids[int(number)]} and of {name}')
    blob, lines, index = Blob(), [], {}
    for name in sorted(lengths):
        index[name] = len(lines)
        kind = ALGORITHMIC.get(name)
        entry = (f'CharsetKind::{kind}, {lengths[name]}, {str(kind in ("Ascii", "Utf8")).lower()}' if kind
                 else tabled(blob, instance, name, lengths[name], servers_of[name]))
        lines.append(f'    {{"{name}", {entry}}},')
    runs = []  # of collations: first, last, charset
    for number in sorted(ids):
        if runs and runs[-1][1] == number - 1 and runs[-1][2] == ids[number]:
            runs[-1][1] = number
        else:
            runs.append([number, number, ids[number]])
    text = blob.text()
    print('// Generated by charset_tables.py from MySQL '
          + ask('mysql', instance, 'SELECT VERSION()')[0][0].split('-')[0] + ' and MariaDB '
          + ask('mariadb', instance, 'SELECT VERSION()')[0][0].split('-')[0] + '. Do not edit.\n'
          '#include "binlog/charset_tables.h"\n\nnamespace rowtrail::binlog {\n\n// clang-format off\n'
          'constexpr Charset kCharsets[] = {\n' + '\n'.join(lines) + '\n};\n\n'
          '// First and last collation, charset.\nconstexpr CollationRun kCollationRuns[] = {')
    row = '   '
    for first, last, name in runs:
        item = f' {{{first}, {last}, {index[name]}}},'
        if len(row + item) > 100:
            print(row)
            row = '   '
        row += item
    print(row + '\n};\n')
    print(f'const std::size_t kCharsetUnits = {len(blob.units)};\n'
          '// Base64 of a deflate stream: for each unit of 16 bits its difference to the one before,\n'
          '// first all low bytes, then all high ones.\nconst std::string_view kCharsetTables =')
    for at in range(0, len(text), 94):
        print(f'    "{text[at:at + 94]}"' + (';' if at + 94 >= len(text) else ''))
    print('// clang-format on\n\n'
          'std::span<const Charset> charsets() noexcept {\n  return kCharsets;\n}\n'
          'std::span<const CollationRun> collation_runs() noexcept {\n  return kCollationRuns;\n}\n\n'
          '}  // namespace rowtrail::binlog')


main()
