#include "normalize/debezium.h"

#include "normalize/canonical.h"
#include "normalize/cell_text.h"
#include "normalize/json_writer.h"
#include "normalize/wkb.h"

#include <algorithm>
#include <array>
#include <bit>

namespace rowtrail::normalize {
namespace {

using binlog::Cell;
using binlog::CellKind;
using binlog::Column;
using Image = std::span<const Cell>;

constexpr std::int64_t kMicroPerSecond = 1'000'000;
constexpr std::uint8_t kTypeBit = 16;  // as TABLE_MAP numbers it

/// Debezium's own word for a value that the source did not give (`unavailable.value.placeholder`).
constexpr std::string_view kUnavailable = "\"__debezium_unavailable_value\"";

void write_number(JsonWriter& to, std::int64_t value) {
  to.need(JsonWriter::kScalarMax);
  to.integer(value);
}

void write_base64(JsonWriter& to, std::string_view bytes) {
  to.raw('"');
  to.base64(bytes);
  to.raw('"');
}

/// Days since 1970-01-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"); nothing
/// for what is no day of the calendar: zero dates, zero months and days, February 30.
std::optional<std::int64_t> epoch_day(std::int64_t year, std::uint32_t month, std::uint32_t day) {
  static constexpr std::array<std::uint32_t, 12> kDays = {31, 28, 31, 30, 31, 30,
                                                          31, 31, 30, 31, 30, 31};
  if (year == 0 || month == 0 || day == 0 || month > 12) return std::nullopt;
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (day > kDays.at(month - 1) + (leap && month == 2 ? 1U : 0U)) return std::nullopt;
  const std::int64_t shifted = year - (month <= 2 ? 1 : 0);
  const std::int64_t era = shifted / 400;
  const auto year_of_era = static_cast<std::uint32_t>(shifted - era * 400);
  const std::uint32_t day_of_year = (153 * (month + (month > 2 ? -3U : 9U)) + 2) / 5 + day - 1;
  const std::uint32_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + std::int64_t{day_of_era} - 719'468;
}

/// A temporal value that is no moment: null, or the epoch where the column takes no null.
void write_zero(JsonWriter& to, const Column& column, std::string_view epoch) {
  to.raw(column.nullable ? "null" : epoch);
}

void write_date(JsonWriter& to, const Cell& cell, const Column& column) {
  const auto day = epoch_day(static_cast<std::int64_t>(cell.u >> 9),
                             static_cast<std::uint32_t>(cell.u >> 5 & 15),
                             static_cast<std::uint32_t>(cell.u & 31));
  if (!day) return write_zero(to, column, "0");
  write_number(to, *day);
}

/// Milliseconds up to DATETIME(3), microseconds beyond.
void write_datetime(JsonWriter& to, const Cell& cell, const Column& column) {
  const auto parts = binlog::unpack_datetime(cell.u);
  const auto day = epoch_day(parts.year, parts.month, parts.day);
  if (!day) return write_zero(to, column, "0");
  const std::int64_t seconds =
      *day * 86'400 + parts.hour * 3'600 + parts.minute * 60 + parts.second;
  if (cell.fsp <= 3) return write_number(to, seconds * 1'000 + parts.microsecond / 1'000);
  write_number(to, seconds * kMicroPerSecond + parts.microsecond);
}

void write_timestamp(JsonWriter& to, const Cell& cell, const Column& column) {
  if (cell.i == 0 && column.nullable) return to.raw("null");
  to.raw('"');
  write_utc(to, cell.i, cell.fsp);
  to.raw('"');
}

/// The unscaled value as a big-endian number in two's complement, as short as it can be.
void write_decimal(JsonWriter& to, std::string_view text) {
  std::array<unsigned char, 32> bytes{};  // 65 digits are 27 bytes
  for (const char c : text) {
    if (c < '0' || c > '9') continue;
    unsigned carry = static_cast<unsigned>(c - '0');
    for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
      carry += *byte * 10U;
      *byte = static_cast<unsigned char>(carry);
      carry >>= 8;
    }
  }
  if (text.starts_with('-')) {
    unsigned carry = 1;
    for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
      carry += static_cast<unsigned char>(~*byte);
      *byte = static_cast<unsigned char>(carry);
      carry >>= 8;
    }
  }
  std::size_t first = 0;
  const auto repeats_sign = [&](std::size_t at) {
    const unsigned char sign = (bytes.at(at + 1) & 0x80U) != 0 ? 0xFF : 0;
    return bytes.at(at) == sign;
  };
  while (first + 1 < bytes.size() && repeats_sign(first)) ++first;
  write_base64(to, {reinterpret_cast<const char*>(bytes.data()) + first, bytes.size() - first});
}

/// BIT(1) is a boolean; of longer ones the bytes, the lowest first.
void write_bits(JsonWriter& to, std::uint64_t bits, const Column& column) {
  if (column.metadata == 1) return to.raw(bits != 0 ? "true" : "false");
  std::array<char, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes.at(i) = static_cast<char>(bits >> (8 * i));
  write_base64(to, {bytes.data(), std::min<std::size_t>((column.metadata + 7U) / 8, bytes.size())});
}

void write_set(JsonWriter& to, std::uint64_t members, const Column& column) {
  std::string labels;
  for (; members != 0; members &= members - 1) {
    if (!labels.empty()) labels += ',';
    labels += column.labels[static_cast<std::size_t>(std::countr_zero(members))];
  }
  to.string(labels);
}

void write_geometry(JsonWriter& to, std::string_view ewkt) {
  const auto wkb = wkb_from_ewkt(ewkt);
  if (!wkb) return to.raw(kUnavailable);
  to.raw("{\"wkb\":");
  write_base64(to, wkb->bytes);
  to.raw(",\"srid\":");
  if (wkb->srid == 0) {
    to.raw("null");
  } else {
    write_number(to, wkb->srid);
  }
  to.raw('}');
}

void write_value(JsonWriter& to, const Cell& cell, const Column& column) {
  if (cell.kind == CellKind::Json) return to.string(cell.text());
  if (cell.kind == CellKind::Masked && cell.size > 0) return to.string(cell.text());
  if (cell_needs_note(cell, column)) return to.raw(kUnavailable);
  switch (cell.kind) {
    case CellKind::UInt:
      if (column.wire_type == kTypeBit) return write_bits(to, cell.u, column);
      break;
    case CellKind::Decimal:
      return write_decimal(to, cell.text());
    case CellKind::Date:
      return write_date(to, cell, column);
    case CellKind::DateTime:
      return write_datetime(to, cell, column);
    case CellKind::Timestamp:
      return write_timestamp(to, cell, column);
    case CellKind::Time:
      return write_number(to, cell.i);
    case CellKind::Set:
      return write_set(to, cell.u, column);
    case CellKind::Geometry:
      return write_geometry(to, cell.text());
    case CellKind::Absent:
    case CellKind::Null:
    case CellKind::Int:
    case CellKind::Float:
    case CellKind::Double:
    case CellKind::Text:
    case CellKind::Bytes:
    case CellKind::Enum:
    case CellKind::Json:
    case CellKind::Vector:
    case CellKind::Uuid:
    case CellKind::Wire:
    case CellKind::Masked:
    case CellKind::Digest:
      break;
  }
  write_cell(to, cell, column);
}

void write_row(JsonWriter& to, const binlog::TableSchema& schema, Image image) {
  const std::size_t start = to.size();
  for (std::size_t i = 0; i < image.size(); ++i) {
    if (image[i].kind == CellKind::Absent) continue;
    to.raw(',');
    to.string(schema.columns[i].name);
    to.raw(':');
    write_value(to, image[i], schema.columns[i]);
  }
  to.enclose(start, '{', '}');
}

void write_times(JsonWriter& to, std::int64_t us) {
  to.raw("\"ts_ms\":");
  write_number(to, us / 1'000);
  to.raw(",\"ts_us\":");
  write_number(to, us);
  to.raw(",\"ts_ns\":");
  write_number(to, us * 1'000);
}

std::string_view code(Op op) {
  switch (op) {
    case Op::Insert:
      return "c";
    case Op::Update:
      return "u";
    case Op::Delete:
      return "d";
    case Op::Truncate:
      return "t";
    case Op::Snapshot:
      return "r";
    case Op::Ddl:
      break;
  }
  return "";
}

}  // namespace

/// The pieces of `source` that all changes of a transaction share.
void DebeziumWriter::begin(const Transaction& transaction) {
  transaction_ = transaction.id;
  for (auto* piece : {&shared_, &times_, &place_, &thread_, &query_}) piece->clear();
  JsonWriter shared(shared_), times(times_), place(place_), thread(thread_);
  shared.raw("\"source\":{\"version\":\"rowtrail-" ROWTRAIL_VERSION "\",\"connector\":\"");
  shared.raw(transaction.gtid.flavor == binlog::Flavor::MariaDb ? "mariadb" : "mysql");
  shared.raw("\",\"name\":");
  shared.string(transaction.source);
  shared.raw(",\"snapshot\":");
  times.raw(",\"sequence\":null,");
  write_times(times, transaction.committed_at_us);
  place.raw(",\"server_id\":");
  write_number(place, transaction.server_id);
  place.raw(",\"gtid\":");
  if (transaction.gtid.empty()) {
    place.raw("null");
  } else {
    place.string(transaction.id);
  }
  place.raw(",\"file\":");
  place.string(transaction.file);
  place.raw(",\"pos\":");
  place.need(JsonWriter::kScalarMax);
  place.uint(transaction.start_pos);
  place.raw(",\"row\":");
  thread.raw(",\"thread\":");
  if (transaction.thread_id == 0) {
    thread.raw("null");
  } else {
    write_number(thread, transaction.thread_id);
  }
  thread.raw(",\"query\":");
}

void DebeziumWriter::source(std::string& out, const Change& change) const {
  JsonWriter to(out);
  to.raw(shared_);
  to.raw(change.op == Op::Snapshot ? "\"true\"" : "\"false\"");
  to.raw(",\"db\":");
  to.string(change.database);
  to.raw(times_);
  to.raw(",\"table\":");
  if (change.table.empty()) {
    to.raw("null");
  } else {
    to.string(change.table);
  }
  to.raw(place_);
  write_number(to, change.ordinal);
  to.raw(thread_);
  if (query_.empty()) {
    to.raw("null");
  } else {
    to.string(query_);
  }
  to.raw('}');
}

void DebeziumWriter::envelope(std::string& out, const Change& change, std::string_view op,
                              bool with_before, bool with_after, std::int64_t now_us) const {
  {
    JsonWriter to(out);
    to.raw("{\"before\":");
    if (with_before) {
      write_row(to, *change.schema, change.before);
    } else {
      to.raw("null");
    }
    to.raw(",\"after\":");
    if (with_after) {
      write_row(to, *change.schema, change.after);
    } else {
      to.raw("null");
    }
    to.raw(',');
  }
  source(out, change);
  JsonWriter to(out);
  to.raw(",\"transaction\":null,\"op\":\"");
  to.raw(op);
  to.raw("\",");
  write_times(to, now_us);
  to.raw("}\n");
}

void DebeziumWriter::append(std::string& out, const Transaction& transaction, const Change& change,
                            std::int64_t now_us) {
  if (transaction_ != transaction.id || (transaction.first_part && change.ordinal == 0)) {
    begin(transaction);
  }
  if (change.op == Op::Ddl) {
    query_.clear();
    out += '{';
    source(out, change);
    JsonWriter to(out);
    to.raw(",\"ts_ms\":");
    write_number(to, now_us / 1'000);
    to.raw(",\"databaseName\":");
    to.string(change.database);
    to.raw(",\"schemaName\":null,\"ddl\":");
    to.string(change.sql);
    to.raw(",\"tableChanges\":[]}\n");
    return;
  }
  if (change.statement == change.ordinal) query_ = statement_text(transaction, change);
  if (change.op == Op::Update && key_moved(change)) {
    envelope(out, change, code(Op::Delete), true, false, now_us);
    envelope(out, change, code(Op::Insert), false, true, now_us);
    return;
  }
  envelope(out, change, code(change.op), !change.before.empty(), !change.after.empty(), now_us);
}

}  // namespace rowtrail::normalize
