// Column types of both server families: one row per type in column_types.cpp, from which parsing of
// TABLE_MAP metadata, decoding of cells and the SQL name follow. To add a type, add its row there
// and a golden in test/binlog/golden.
#pragma once

#include "binlog/arena.h"
#include "binlog/cell.h"
#include "binlog/cursor.h"
#include "binlog/schema.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace rowtrail::binlog {

/// Wire numbers, enum_field_types of the servers (include/field_types.h).
enum class ColumnType : std::uint8_t {
  OldDecimal = 0,
  Tiny = 1,
  Short = 2,
  Long = 3,
  Float = 4,
  Double = 5,
  Null = 6,
  Timestamp = 7,
  LongLong = 8,
  Int24 = 9,
  Date = 10,
  Time = 11,
  DateTime = 12,
  Year = 13,
  NewDate = 14,
  Varchar = 15,
  Bit = 16,
  Timestamp2 = 17,
  DateTime2 = 18,
  Time2 = 19,
  TypedArray = 20,
  BlobCompressed = 140,
  VarcharCompressed = 141,  // MariaDB
  Vector = 242,
  Json = 245,
  NewDecimal = 246,
  Enum = 247,
  Set = 248,
  TinyBlob = 249,
  MediumBlob = 250,
  LongBlob = 251,
  Blob = 252,
  VarString = 253,
  String = 254,
  Geometry = 255,
};

/// Values larger than this become a Digest cell.
inline constexpr std::size_t kCellBytesMax = 16 * 1024 * 1024;

struct CellContext {
  Arena& arena;
  bool copy = false;  // cells must not point into the input
};

/// Where a column stands in the lists of a TABLE_MAP's optional metadata.
enum class CharsetList : std::uint8_t { None, Text, Label, TextOnMySql, TextOnMariaDb };

struct ColumnCodec {
  ColumnType type;
  std::string_view name;        // as the servers' sources call it
  std::uint8_t metadata_bytes;  // in a TABLE_MAP
  bool has_sign;                // has a bit in SIGNEDNESS
  CharsetList charset_list;
  /// Column::metadata from the bytes on the wire; false when the type does not allow them.
  bool (*parse_metadata)(Cursor& in, Column& column);
  /// Reads one non-null value. Fails the cursor on bytes the type does not allow.
  void (*decode)(Cursor& in, const Column& column, CellContext& context, Cell& out);
  std::string (*sql_type)(const Column& column);
};

/// The row of a type, or null when rows of it cannot be decoded.
[[nodiscard]] const ColumnCodec* find_codec(ColumnType type) noexcept;

// Decoders by family, each in the file of its name.
using DecodeCell = void(Cursor& in, const Column& column, CellContext& context, Cell& out);
DecodeCell decode_decimal;                                               // decimal.cpp
DecodeCell decode_year, decode_date, decode_datetime, decode_datetime2;  // temporal.cpp
DecodeCell decode_timestamp, decode_timestamp2, decode_time, decode_time2;
DecodeCell decode_varchar, decode_varchar_compressed, decode_string;
DecodeCell decode_blob, decode_blob_compressed;          // text.cpp
DecodeCell decode_json, decode_geometry, decode_vector;  // json_cell.cpp, geometry.cpp, vector.cpp

/// Puts `raw` into a Wire cell: a value whose meaning is not known, kept byte for byte.
void set_wire(Cell& out, const Column& column, ByteView raw, CellContext& context);
/// Puts `raw` into a text-like cell of `kind` without looking at it; a Digest when it is too large.
void set_bytes(Cell& out, CellKind kind, ByteView raw, CellContext& context);
/// Points a text-like cell at text that already stands where it will stay.
void set_text(Cell& out, CellKind kind, std::string_view text);
/// A Digest cell when `raw` is larger than kCellBytesMax.
[[nodiscard]] bool set_digest_if_large(Cell& out, ByteView raw, CellContext& context);

}  // namespace rowtrail::binlog
