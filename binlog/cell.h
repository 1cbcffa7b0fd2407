// One value of one row image, 16 bytes, exact, in the one representation the rest of rowtrail sees.
// Text and bytes point into the Arena the row was decoded with; enum and set labels stand in the
// Column. Rendering to JSON happens in normalize/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rowtrail::binlog {

enum class CellKind : std::uint8_t {
  Absent,     // the row image did not log this column
  Null,       // SQL NULL
  Int,        // i
  UInt,       // u; also YEAR and BIT
  Float,      // d holds a float's value; the shortest text that round-trips as float
  Double,     // d
  Decimal,    // text: digits as the server prints them, "-12.50"
  Text,       // text: UTF-8, converted from the column's charset
  Bytes,      // text: raw bytes of BINARY, VARBINARY, BLOB
  Date,       // u: year << 9 | month << 5 | day; 0 is 0000-00-00
  DateTime,   // u: packed as pack_datetime(); fsp digits of fraction are significant
  Timestamp,  // i: microseconds since 1970-01-01T00:00:00Z; 0 is the zero timestamp
  Time,       // i: signed microseconds; fsp digits of fraction are significant
  Enum,       // u: ordinal from 1 into Column::labels; 0 is the empty (invalid) value
  Set,        // u: bit n is Column::labels[n]
  Json,       // text: the JSON value as canonical text, keys in stored order
  Geometry,   // text: EWKT
  Vector,     // text: JSON array of numbers
  Uuid,       // text: canonical text of MariaDB's UUID, INET4 and INET6 too
  Wire,       // text: raw bytes whose sign, charset or label is unknown; wire_type says the type
  Masked,     // text: what stands in its place, or nothing; wire_type: normalize::MaskAction
  Digest,  // text: 32 bytes of SHA-256 over a value larger than cell_bytes_max, then its u64 size
};

/// wire_type of a JSON diff (PARTIAL_UPDATE_ROWS) whose document the row image does not hold: the
/// event's own number, which no column type has.
inline constexpr std::uint8_t kWireJsonDiff = 39;

struct Cell {
  CellKind kind = CellKind::Absent;
  std::uint8_t fsp = 0;        // digits of fraction, 0..6, for DateTime, Timestamp, Time
  std::uint8_t wire_type = 0;  // for Wire
  std::uint8_t reserved = 0;
  std::uint32_t size = 0;  // bytes at `data`, for the kinds marked "text"
  union {
    std::int64_t i;
    std::uint64_t u = 0;
    double d;
    const char* data;
  };

  [[nodiscard]] std::string_view text() const noexcept { return {data, size}; }
  [[nodiscard]] bool has_text() const noexcept {
    switch (kind) {
      case CellKind::Decimal:
      case CellKind::Text:
      case CellKind::Bytes:
      case CellKind::Json:
      case CellKind::Geometry:
      case CellKind::Vector:
      case CellKind::Uuid:
      case CellKind::Wire:
      case CellKind::Masked:
      case CellKind::Digest:
        return true;
      default:
        return false;
    }
  }
  /// Same kind and same value, byte for byte.
  [[nodiscard]] bool operator==(const Cell& other) const noexcept {
    if (kind != other.kind) return false;
    if (has_text()) return text() == other.text();
    return u == other.u;
  }
};
static_assert(sizeof(Cell) == 16);

struct DateTimeParts {
  std::uint32_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, microsecond = 0;
};
[[nodiscard]] constexpr std::uint64_t pack_datetime(const DateTimeParts& p) noexcept {
  return (std::uint64_t{p.year} << 46) | (std::uint64_t{p.month} << 42) |
         (std::uint64_t{p.day} << 37) | (std::uint64_t{p.hour} << 32) |
         (std::uint64_t{p.minute} << 26) | (std::uint64_t{p.second} << 20) | p.microsecond;
}
[[nodiscard]] constexpr DateTimeParts unpack_datetime(std::uint64_t packed) noexcept {
  const auto field = [packed](unsigned shift, unsigned bits) {
    return static_cast<std::uint32_t>((packed >> shift) & ((1U << bits) - 1));
  };
  return {field(46, 14), field(42, 4), field(37, 5), field(32, 5),
          field(26, 6),  field(20, 6), field(0, 20)};
}

/// Microseconds since the epoch as RFC 3339 in UTC with `fsp` digits: "2026-11-24T10:00:00.123Z".
[[nodiscard]] std::string format_utc(std::int64_t microseconds, unsigned fsp = 6);

}  // namespace rowtrail::binlog
