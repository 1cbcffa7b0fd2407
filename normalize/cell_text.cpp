#include "normalize/cell_text.h"

#include "normalize/mask.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace rowtrail::normalize {
namespace {

using binlog::Cell;
using binlog::CellKind;
using binlog::Column;

constexpr std::uint64_t kMicroPerSecond = 1'000'000;
constexpr std::int64_t kSecondsPerDay = 86'400;

// Column types as TABLE_MAP numbers them, for values that travel as raw bytes.
constexpr std::uint8_t kTypeFloat = 4;
constexpr std::uint8_t kTypeDouble = 5;
constexpr std::uint8_t kTypeEnum = 247;
constexpr std::uint8_t kTypeSet = 248;

void write_fraction(JsonWriter& to, std::uint32_t microsecond, unsigned fsp) {
  if (fsp == 0) return;
  const unsigned digits = std::min(fsp, 6U);
  std::array<char, 6> text;
  for (std::size_t pair = 0; pair < 3; ++pair) {
    const std::uint32_t scale = pair == 0 ? 10'000 : pair == 1 ? 100 : 1;
    std::memcpy(&text[2 * pair], &kDigitPairs[2 * (microsecond / scale % 100)], 2);
  }
  to.put('.');
  for (unsigned i = 0; i < digits; ++i) to.put(text[i]);
}

void write_ymd(JsonWriter& to, std::uint32_t year, std::uint32_t month, std::uint32_t day) {
  to.pair(year / 100);
  to.pair(year);
  to.put('-');
  to.pair(month);
  to.put('-');
  to.pair(day);
}

void write_hms(JsonWriter& to, std::uint32_t hour, std::uint32_t minute, std::uint32_t second) {
  to.pair(hour);
  to.put(':');
  to.pair(minute);
  to.put(':');
  to.pair(second);
}

void write_datetime(JsonWriter& to, const Cell& cell) {
  const binlog::DateTimeParts parts = binlog::unpack_datetime(cell.u);
  write_ymd(to, parts.year, parts.month, parts.day);
  to.put('T');
  write_hms(to, parts.hour, parts.minute, parts.second);
  write_fraction(to, parts.microsecond, cell.fsp);
}

void write_timestamp(JsonWriter& to, const Cell& cell) {
  if (cell.i != 0) return write_utc(to, cell.i, cell.fsp);
  to.put("0000-00-00T00:00:00");
  write_fraction(to, 0, cell.fsp);
  to.put('Z');
}

/// As the server prints it: two digits of hours, or three.
void write_time(JsonWriter& to, const Cell& cell) {
  auto magnitude = static_cast<std::uint64_t>(cell.i);
  if (cell.i < 0) {
    to.put('-');
    magnitude = 0 - magnitude;
  }
  const std::uint64_t seconds = magnitude / kMicroPerSecond;
  const std::uint64_t hours = seconds / 3600;
  if (hours < 100) {
    to.pair(static_cast<std::uint32_t>(hours));
  } else {
    to.uint(hours);
  }
  to.put(':');
  to.pair(static_cast<std::uint32_t>(seconds / 60 % 60));
  to.put(':');
  to.pair(static_cast<std::uint32_t>(seconds % 60));
  write_fraction(to, static_cast<std::uint32_t>(magnitude % kMicroPerSecond), cell.fsp);
}

bool set_is_labelled(std::uint64_t bits, const Column& column) {
  return static_cast<std::size_t>(std::bit_width(bits)) <= column.labels.size();
}

void write_set(JsonWriter& to, const Cell& cell, const Column& column) {
  const std::size_t start = to.size();
  for (std::uint64_t bits = cell.u; bits != 0; bits &= bits - 1) {
    to.raw(',');
    to.string(column.labels[static_cast<std::size_t>(std::countr_zero(bits))]);
  }
  to.enclose(start, '[', ']');
}

/// Text that is known to need no escape.
void write_plain(JsonWriter& to, std::string_view text) {
  to.need(text.size() + 2);
  to.put('"');
  to.raw(text);
  to.raw('"');
}

void write_base64(JsonWriter& to, std::string_view bytes) {
  to.raw('"');
  to.base64(bytes);
  to.raw('"');
}

/// {"wire":"<base64>","type":n}
void write_wire(JsonWriter& to, std::string_view bytes, std::uint8_t type) {
  to.raw("{\"wire\":\"");
  to.base64(bytes);
  to.raw("\",\"type\":");
  to.need(JsonWriter::kScalarMax);
  to.uint(type);
  to.put('}');
}

/// The same for a number, whose bytes the wire has little-endian.
void write_wire_number(JsonWriter& to, std::uint64_t value, std::size_t size, std::uint8_t type) {
  std::array<char, 8> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
  }
  write_wire(to, {bytes.data(), size}, type);
}

void write_digest(JsonWriter& to, std::string_view text) {
  constexpr std::size_t kSha256Bytes = 32;
  std::uint64_t size = 0;
  if (text.size() >= kSha256Bytes + sizeof(size)) {
    std::memcpy(&size, text.data() + kSha256Bytes, sizeof(size));
  }
  to.raw("{\"bytes\":");
  to.need(JsonWriter::kScalarMax);
  to.uint(size);
  to.raw(",\"sha256\":\"");
  to.hex(text.substr(0, kSha256Bytes));
  to.raw("\"}");
}

/// Date, DateTime, Timestamp and Time, quotes included. Room is there.
void write_temporal(JsonWriter& to, const Cell& cell) {
  to.put('"');
  if (cell.kind == CellKind::Date) {
    write_ymd(to, static_cast<std::uint32_t>(cell.u >> 9),
              static_cast<std::uint32_t>(cell.u >> 5 & 15),
              static_cast<std::uint32_t>(cell.u & 31));
  } else if (cell.kind == CellKind::DateTime) {
    write_datetime(to, cell);
  } else if (cell.kind == CellKind::Timestamp) {
    write_timestamp(to, cell);
  } else {
    write_time(to, cell);
  }
  to.put('"');
}

}  // namespace

/// Days to civil date: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
void write_utc(JsonWriter& to, std::int64_t microseconds, unsigned fsp) {
  to.need(JsonWriter::kScalarMax);
  constexpr auto kMicro = static_cast<std::int64_t>(kMicroPerSecond);
  const std::int64_t second = microseconds / kMicro - (microseconds % kMicro < 0 ? 1 : 0);
  const std::int64_t day = second / kSecondsPerDay - (second % kSecondsPerDay < 0 ? 1 : 0);
  const std::int64_t shifted = day + 719'468;  // days since 0000-03-01
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const auto day_of_era = static_cast<std::uint32_t>(shifted - era * 146'097);
  const std::uint32_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::uint32_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::uint32_t shifted_month = (5 * day_of_year + 2) / 153;
  const std::uint32_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  const auto year = static_cast<std::uint32_t>(era * 400) + year_of_era + (month <= 2 ? 1U : 0U);
  write_ymd(to, year, month, day_of_year - (153 * shifted_month + 2) / 5 + 1);
  to.put('T');
  const auto clock = static_cast<std::uint32_t>(second - day * kSecondsPerDay);
  write_hms(to, clock / 3600, clock / 60 % 60, clock % 60);
  write_fraction(to, static_cast<std::uint32_t>(microseconds - second * kMicro), fsp);
  to.put('Z');
}

bool cell_needs_note(const Cell& cell, const Column& column) {
  switch (cell.kind) {
    case CellKind::Wire:
    case CellKind::Masked:
    case CellKind::Digest:
      return true;
    case CellKind::Json:
      return cell.text() == "null";
    case CellKind::Float:
    case CellKind::Double:
      return !std::isfinite(cell.d);
    case CellKind::Enum:
      return cell.u > column.labels.size();
    case CellKind::Set:
      return !set_is_labelled(cell.u, column);
    default:
      return false;
  }
}

bool write_cell(JsonWriter& to, const Cell& cell, const Column& column) {
  to.need(JsonWriter::kScalarMax);
  if (cell_needs_note(cell, column)) {
    if (cell.kind == CellKind::Masked && cell.size > 0) {
      to.string(cell.text());
    } else {
      to.put("null");
    }
    return true;
  }
  switch (cell.kind) {
    case CellKind::Absent:
    case CellKind::Null:
    case CellKind::Wire:
    case CellKind::Masked:
    case CellKind::Digest:
      to.put("null");
      break;
    case CellKind::Int:
      to.integer(cell.i);
      break;
    case CellKind::UInt:
      to.uint(cell.u);
      break;
    case CellKind::Float:
      to.number(static_cast<float>(cell.d));
      break;
    case CellKind::Double:
      to.number(cell.d);
      break;
    case CellKind::Decimal:
    case CellKind::Uuid:
      write_plain(to, cell.text());
      break;
    case CellKind::Text:
    case CellKind::Geometry:
      to.string(cell.text());
      break;
    case CellKind::Bytes:
      write_base64(to, cell.text());
      break;
    case CellKind::Date:
    case CellKind::DateTime:
    case CellKind::Timestamp:
    case CellKind::Time:
      write_temporal(to, cell);
      break;
    case CellKind::Enum:
      to.string(cell.u == 0 ? std::string_view() : column.labels[cell.u - 1]);
      break;
    case CellKind::Set:
      write_set(to, cell, column);
      break;
    case CellKind::Json:
    case CellKind::Vector:
      to.raw(cell.text());
      break;
  }
  return false;
}

void write_cell_note(JsonWriter& to, const Cell& cell) {
  switch (cell.kind) {
    case CellKind::Json:
      return to.raw("{\"json\":\"null\"}");
    case CellKind::Wire:
      return write_wire(to, cell.text(), cell.wire_type);
    case CellKind::Digest:
      return write_digest(to, cell.text());
    case CellKind::Masked:
      to.raw("{\"masked\":\"");
      to.raw(mask_action_name(static_cast<MaskAction>(cell.wire_type)));
      return to.raw("\"}");
    case CellKind::Float:
      return write_wire_number(to, std::bit_cast<std::uint32_t>(static_cast<float>(cell.d)), 4,
                               kTypeFloat);
    case CellKind::Double:
      return write_wire_number(to, cell.u, 8, kTypeDouble);
    case CellKind::Enum:
      return write_wire_number(to, cell.u, 2, kTypeEnum);
    case CellKind::Set:
      return write_wire_number(to, cell.u, 8, kTypeSet);
    default:
      return to.raw("{}");
  }
}

}  // namespace rowtrail::normalize
