#include "binlog/column_types.h"

#include "binlog/charset.h"
#include "binlog/decimal.h"

#include <array>
#include <bit>

#include <fmt/format.h>

namespace rowtrail::binlog {
namespace {

// ---- metadata ---------------------------------------------------------------------------------

bool no_metadata(Cursor& /*in*/, Column& /*column*/) {
  return true;
}

bool pack_length(Cursor& in, Column& column, unsigned min, unsigned max) {
  column.metadata = in.u8();
  return column.metadata >= min && column.metadata <= max;
}
bool float_metadata(Cursor& in, Column& column) {
  return pack_length(in, column, 4, 4);
}
bool double_metadata(Cursor& in, Column& column) {
  return pack_length(in, column, 8, 8);
}
bool blob_metadata(Cursor& in, Column& column) {
  return pack_length(in, column, 1, 4);
}
bool fraction_metadata(Cursor& in, Column& column) {
  return pack_length(in, column, 0, 6);
}

bool varchar_metadata(Cursor& in, Column& column) {
  column.metadata = in.u16();
  return true;
}

bool bit_metadata(Cursor& in, Column& column) {
  const unsigned odd_bits = in.u8();
  const unsigned whole_bytes = in.u8();
  column.metadata = static_cast<std::uint16_t>(whole_bytes * 8 + odd_bits);
  return odd_bits < 8 && column.metadata >= 1 && column.metadata <= 64;
}

bool decimal_metadata(Cursor& in, Column& column) {
  const unsigned precision = in.u8();
  const unsigned scale = in.u8();
  column.metadata = static_cast<std::uint16_t>(precision << 8 | scale);
  return is_decimal_shape(precision, scale);
}

bool string_metadata(Cursor& in, Column& column) {
  // The real type hides in the first byte: ENUM and SET travel as STRING. A CHAR of more than 255
  // bytes keeps bits 8 and 9 of its length there, inverted (Field_string::do_save_field_metadata).
  const unsigned first = in.u8();
  const unsigned second = in.u8();
  if ((first & 0x30U) != 0x30U) {
    column.metadata = static_cast<std::uint16_t>(second | (((first & 0x30U) ^ 0x30U) << 4));
    column.wire_type = static_cast<std::uint8_t>(first | 0x30U);
  } else {
    column.metadata = static_cast<std::uint16_t>(second);
    column.wire_type = static_cast<std::uint8_t>(first);
  }
  switch (static_cast<ColumnType>(column.wire_type)) {
    case ColumnType::Enum:
      return column.metadata == 1 || column.metadata == 2;
    case ColumnType::Set:
      return column.metadata >= 1 && column.metadata <= 8;
    case ColumnType::String:
      return true;
    default:
      return false;
  }
}

// ---- values -----------------------------------------------------------------------------------

template <std::size_t N>
void decode_integer(Cursor& in, const Column& column, CellContext& context, Cell& out) {
  if (!column.sign_known) [[unlikely]]
    return set_wire(out, column, in.take(N), context);
  const auto raw = in.le<N>();
  constexpr unsigned kShift = 64 - 8 * N;
  out.kind = column.is_unsigned ? CellKind::UInt : CellKind::Int;
  out.u = raw;
  if (!column.is_unsigned) out.i = static_cast<std::int64_t>(raw << kShift) >> kShift;
}

void decode_float(Cursor& in, const Column& /*column*/, CellContext& /*context*/, Cell& out) {
  out.kind = CellKind::Float;
  out.d = std::bit_cast<float>(in.u32());
}

void decode_double(Cursor& in, const Column& /*column*/, CellContext& /*context*/, Cell& out) {
  out.kind = CellKind::Double;
  out.d = std::bit_cast<double>(in.u64());
}

void decode_bit(Cursor& in, const Column& column, CellContext& /*context*/, Cell& out) {
  out.kind = CellKind::UInt;
  out.u = in.be((column.metadata + 7U) / 8U);
}

void decode_enum(Cursor& in, const Column& column, CellContext& context, Cell& out) {
  const auto raw = in.take(column.metadata);
  std::uint64_t ordinal = 0;
  if (raw.empty()) return;  // a short read: the cursor has failed, the row is an error
  std::memcpy(&ordinal, raw.data(), raw.size());
  if (ordinal > column.labels.size()) return set_wire(out, column, raw, context);
  out.kind = CellKind::Enum;
  out.u = ordinal;
}

void decode_set(Cursor& in, const Column& column, CellContext& context, Cell& out) {
  const auto raw = in.take(column.metadata);
  std::uint64_t members = 0;
  if (raw.empty()) return;  // a short read: the cursor has failed, the row is an error
  std::memcpy(&members, raw.data(), raw.size());
  const auto known = column.labels.size();
  if (known < 64 && (members >> known) != 0) return set_wire(out, column, raw, context);
  out.kind = CellKind::Set;
  out.u = members;
}

// ---- SQL names --------------------------------------------------------------------------------

std::string with_sign(const Column& column, std::string_view name) {
  return fmt::format("{}{}", name, column.is_unsigned ? " unsigned" : "");
}
template <const char* kName>
std::string signed_name(const Column& column) {
  return with_sign(column, kName);
}
template <const char* kName>
std::string plain_name(const Column& /*column*/) {
  return kName;
}
template <const char* kName>
std::string fraction_name(const Column& column) {
  return column.metadata == 0 ? std::string(kName) : fmt::format("{}({})", kName, column.metadata);
}
constexpr char kTinyint[] = "tinyint", kSmallint[] = "smallint", kMediumint[] = "mediumint",
               kInt[] = "int", kBigint[] = "bigint", kFloat[] = "float", kDouble[] = "double",
               kYear[] = "year", kDate[] = "date", kDatetime[] = "datetime",
               kTimestamp[] = "timestamp", kTime[] = "time", kJson[] = "json",
               kGeometry[] = "geometry";

std::string decimal_name(const Column& column) {
  return with_sign(column,
                   fmt::format("decimal({},{})", column.metadata >> 8U, column.metadata & 0xFFU));
}
std::string bit_name(const Column& column) {
  return fmt::format("bit({})", column.metadata);
}
std::string vector_name(const Column& column) {
  return column.dimensions == 0 ? "vector" : fmt::format("vector({})", column.dimensions);
}

bool is_binary(const Column& column) {
  return column.collation == kBinaryCollation;
}
/// Length in characters from the length in bytes.
unsigned characters(const Column& column) {
  return column.charset == nullptr ? column.metadata : column.metadata / column.charset->bytes_max;
}
std::string char_name(const Column& column) {
  return fmt::format("{}({})", is_binary(column) ? "binary" : "char", characters(column));
}
std::string varchar_name(const Column& column) {
  return fmt::format("{}({})", is_binary(column) ? "varbinary" : "varchar", characters(column));
}
std::string varchar_compressed_name(const Column& column) {
  Column plain = column;  // one byte of the length is the compression's header
  if (plain.metadata > 0) --plain.metadata;
  return varchar_name(plain);
}
std::string blob_name(const Column& column) {
  static constexpr std::array<std::string_view, 5> kSize = {"", "tiny", "", "medium", "long"};
  return fmt::format("{}{}", kSize[column.metadata], is_binary(column) ? "blob" : "text");
}

std::string labels_name(const Column& column, std::string_view name) {
  std::string out(name);
  out += '(';
  for (const auto& label : column.labels) {
    if (out.back() != '(') out += ',';
    out += '\'';
    for (const char c : label) {
      if (c == '\'') out += '\'';
      out += c;
    }
    out += '\'';
  }
  return out += ')';
}
std::string enum_name(const Column& column) {
  return labels_name(column, "enum");
}
std::string set_name(const Column& column) {
  return labels_name(column, "set");
}

// ---- the table --------------------------------------------------------------------------------

using enum ColumnType;
using List = CharsetList;

// clang-format off
constexpr ColumnCodec kCodecs[] = {
  // type        name           meta sign  charset list         metadata           decode             SQL name
  {Tiny,        "TINY",         0, true,  List::None,          no_metadata,       decode_integer<1>, signed_name<kTinyint>},
  {Short,       "SHORT",        0, true,  List::None,          no_metadata,       decode_integer<2>, signed_name<kSmallint>},
  {Int24,       "INT24",        0, true,  List::None,          no_metadata,       decode_integer<3>, signed_name<kMediumint>},
  {Long,        "LONG",         0, true,  List::None,          no_metadata,       decode_integer<4>, signed_name<kInt>},
  {LongLong,    "LONGLONG",     0, true,  List::None,          no_metadata,       decode_integer<8>, signed_name<kBigint>},
  {Float,       "FLOAT",        1, true,  List::None,          float_metadata,    decode_float,      signed_name<kFloat>},
  {Double,      "DOUBLE",       1, true,  List::None,          double_metadata,   decode_double,     signed_name<kDouble>},
  {NewDecimal,  "NEWDECIMAL",   2, true,  List::None,          decimal_metadata,  decode_decimal,    decimal_name},
  {Bit,         "BIT",          2, false, List::None,          bit_metadata,      decode_bit,        bit_name},
  {Year,        "YEAR",         0, true,  List::None,          no_metadata,       decode_year,       plain_name<kYear>},
  {Date,        "DATE",         0, false, List::None,          no_metadata,       decode_date,       plain_name<kDate>},
  {NewDate,     "NEWDATE",      0, false, List::None,          no_metadata,       decode_date,       plain_name<kDate>},
  {DateTime,    "DATETIME",     0, false, List::None,          no_metadata,       decode_datetime,   plain_name<kDatetime>},
  {DateTime2,   "DATETIME2",    1, false, List::None,          fraction_metadata, decode_datetime2,  fraction_name<kDatetime>},
  {Timestamp,   "TIMESTAMP",    0, false, List::None,          no_metadata,       decode_timestamp,  plain_name<kTimestamp>},
  {Timestamp2,  "TIMESTAMP2",   1, false, List::None,          fraction_metadata, decode_timestamp2, fraction_name<kTimestamp>},
  {Time,        "TIME",         0, false, List::None,          no_metadata,       decode_time,       plain_name<kTime>},
  {Time2,       "TIME2",        1, false, List::None,          fraction_metadata, decode_time2,      fraction_name<kTime>},
  {Varchar,     "VARCHAR",      2, false, List::Text,          varchar_metadata,  decode_varchar,    varchar_name},
  {VarString,   "VAR_STRING",   2, false, List::Text,          varchar_metadata,  decode_varchar,    varchar_name},
  {String,      "STRING",       2, false, List::Text,          string_metadata,   decode_string,     char_name},
  {Blob,        "BLOB",         1, false, List::Text,          blob_metadata,     decode_blob,       blob_name},
  {VarcharCompressed, "VARCHAR_COMPRESSED", 2, false, List::Text, varchar_metadata, decode_varchar_compressed, varchar_compressed_name},
  {BlobCompressed, "BLOB_COMPRESSED", 1, false, List::Text,    blob_metadata,     decode_blob_compressed, blob_name},
  {Enum,        "ENUM",         2, false, List::Label,         string_metadata,   decode_enum,       enum_name},
  {Set,         "SET",          2, false, List::Label,         string_metadata,   decode_set,        set_name},
  {Json,        "JSON",         1, false, List::None,          blob_metadata,     decode_json,       plain_name<kJson>},
  {Geometry,    "GEOMETRY",     1, false, List::TextOnMariaDb, blob_metadata,     decode_geometry,   plain_name<kGeometry>},
  {Vector,      "VECTOR",       1, false, List::TextOnMySql,   blob_metadata,     decode_vector,     vector_name},
};
// clang-format on

consteval std::array<const ColumnCodec*, 256> index_codecs() {
  std::array<const ColumnCodec*, 256> out{};
  for (const auto& codec : kCodecs) {
    auto& slot = out[static_cast<std::uint8_t>(codec.type)];
    if (slot != nullptr) throw "duplicate column type in kCodecs";
    slot = &codec;
  }
  return out;
}
constexpr auto kCodecByType = index_codecs();

}  // namespace

const ColumnCodec* find_codec(ColumnType type) noexcept {
  return kCodecByType[static_cast<std::uint8_t>(type)];
}

std::string Column::sql_type() const {
  return codec == nullptr ? fmt::format("unknown type {}", wire_type) : codec->sql_type(*this);
}

}  // namespace rowtrail::binlog
