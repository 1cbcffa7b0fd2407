#include "infer/row.h"

#include "infer/decimal.h"
#include "infer/operators.h"
#include "infer/temporal.h"

#include <charconv>
#include <vector>

#include <rapidjson/reader.h>

namespace rowtrail::infer {
namespace {

Value unsigned_value(std::uint64_t u, binlog::Arena& arena) {
  if (u <= 0x7fffffffffffffffULL) return make_int(static_cast<std::int64_t>(u));
  return to_decimal(make_uint(u), arena);
}

Value float_value(double d) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, static_cast<float>(d)).ptr;
  double shortest = d;
  std::from_chars(buffer, end, shortest);
  return make_double(shortest);
}

Value civil_value(const binlog::DateTimeParts& parts, Style style, unsigned digits,
                  binlog::Arena& arena) {
  if (parts.year == 0 || parts.month == 0 || parts.day == 0) {
    // A zero or partly zero date names no point in time: its text, as the server prints it.
    char buffer[40];
    const int length =
        style == Style::Date
            ? std::snprintf(buffer, sizeof buffer, "%04u-%02u-%02u", parts.year, parts.month,
                            parts.day)
            : std::snprintf(buffer, sizeof buffer, "%04u-%02u-%02uT%02u:%02u:%02u", parts.year,
                            parts.month, parts.day, parts.hour, parts.minute, parts.second);
    return make_string(arena.copy(std::string_view(buffer, static_cast<std::size_t>(length))));
  }
  const CivilTime civil{parts.year,   parts.month,  parts.day, parts.hour,
                        parts.minute, parts.second, 0,         0};
  return make_timestamp(seconds_of(civil), parts.microsecond * 1000, style, digits);
}

Value timestamp_value(std::int64_t microseconds, unsigned digits) {
  if (microseconds == 0) return make_string("0000-00-00T00:00:00Z");
  std::int64_t seconds = microseconds / 1'000'000;
  std::int64_t rest = microseconds % 1'000'000;
  if (rest < 0) {
    rest += 1'000'000;
    --seconds;
  }
  return make_timestamp(seconds, static_cast<std::uint32_t>(rest) * 1000, Style::Plain, digits);
}

Value set_value(std::uint64_t bits, const binlog::Column& column, binlog::Arena& arena) {
  std::uint32_t count = 0;
  for (std::size_t n = 0; n < column.labels.size() && n < 64; ++n)
    count += static_cast<std::uint32_t>((bits >> n) & 1U);
  const auto items = arena.make_span<Value>(count);
  std::uint32_t at = 0;
  for (std::size_t n = 0; n < column.labels.size() && n < 64; ++n) {
    if ((bits >> n) & 1) items[at++] = make_string(column.labels[n]);
  }
  return make_list(items);
}

/// Builds Values from RapidJSON's events; numbers come as text, so they stay exact.
class JsonBuilder {
 public:
  explicit JsonBuilder(binlog::Arena& arena) : arena_(arena) {}

  // NOLINTBEGIN(readability-identifier-naming): RapidJSON's names
  bool Null() { return push(Value{}); }
  bool Bool(bool b) { return push(make_bool(b)); }
  bool Int(int i) { return push(make_int(i)); }
  bool Uint(unsigned u) { return push(make_int(u)); }
  bool Int64(std::int64_t i) { return push(make_int(i)); }
  bool Uint64(std::uint64_t u) { return push(unsigned_value(u, arena_)); }
  bool Double(double d) { return push(make_double(d)); }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    const std::string_view number(text, size);
    std::int64_t whole = 0;
    const auto [end, error] = std::from_chars(text, text + size, whole);
    if (error == std::errc() && end == text + size) return push(make_int(whole));
    Value value = make_error(ErrorCode::Overflow);
    if (number.find_first_of("eE") == std::string_view::npos) value = parse_decimal(number, arena_);
    if (value.is_error()) {
      double d = 0;
      std::from_chars(text, text + size, d);
      value = make_double(d);
    }
    return push(value);
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    return push(make_string(arena_.copy(std::string_view(text, size))));
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) { return String(text, size, true); }
  bool StartObject() { return true; }
  bool StartArray() { return true; }
  bool EndObject(rapidjson::SizeType members) {
    Value map = make_list(pop(std::size_t{members} * 2));
    map.kind = Kind::Map;
    map.size = members;
    return push(map);
  }
  bool EndArray(rapidjson::SizeType elements) { return push(make_list(pop(elements))); }
  // NOLINTEND(readability-identifier-naming)

  [[nodiscard]] Value result() const { return stack_.empty() ? Value{} : stack_.back(); }

 private:
  bool push(const Value& value) {
    stack_.push_back(value);
    return true;
  }
  std::span<Value> pop(std::size_t count) {
    const auto items = arena_.make_span<Value>(count);
    std::copy(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end(), items.begin());
    stack_.resize(stack_.size() - count);
    return items;
  }

  binlog::Arena& arena_;
  std::vector<Value> stack_;
};

}  // namespace

Value json_value(std::string_view json, binlog::Arena& arena) {
  JsonBuilder builder(arena);
  rapidjson::MemoryStream stream(json.data(), json.size());
  rapidjson::Reader reader;
  constexpr unsigned kFlags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
  if (reader.Parse<kFlags>(stream, builder).IsError()) return make_error(ErrorCode::Unavailable);
  return builder.result();
}

Value cell_value(const binlog::Cell& cell, const binlog::Column& column, binlog::Arena& arena) {
  using binlog::CellKind;
  switch (cell.kind) {
    case CellKind::Absent:
      return make_error(ErrorCode::NotLogged);
    case CellKind::Null:
      return {};
    case CellKind::Int:
      return make_int(cell.i);
    case CellKind::UInt:
      return unsigned_value(cell.u, arena);
    case CellKind::Float:
      return float_value(cell.d);
    case CellKind::Double:
      return make_double(cell.d);
    case CellKind::Decimal:
      return parse_decimal(cell.text(), arena);
    case CellKind::Text:
    case CellKind::Geometry:
    case CellKind::Uuid:
      return make_string(cell.text());
    case CellKind::Bytes:
      return make_text(Kind::Bytes, cell.text());
    case CellKind::Date: {
      binlog::DateTimeParts parts;
      parts.year = static_cast<std::uint32_t>(cell.u >> 9);
      parts.month = static_cast<std::uint32_t>(cell.u >> 5) & 15;
      parts.day = static_cast<std::uint32_t>(cell.u) & 31;
      return civil_value(parts, Style::Date, 0, arena);
    }
    case CellKind::DateTime:
      return civil_value(binlog::unpack_datetime(cell.u), Style::DateTime, cell.fsp, arena);
    case CellKind::Timestamp:
      return timestamp_value(cell.i, cell.fsp);
    case CellKind::Time:
      return make_duration(cell.i * 1000, Style::Time, cell.fsp);
    case CellKind::Enum:
      if (cell.u == 0) return make_string("");
      if (cell.u > column.labels.size()) return make_error(ErrorCode::Unavailable);
      return make_string(column.labels[cell.u - 1]);
    case CellKind::Set:
      return set_value(cell.u, column, arena);
    case CellKind::Json:
    case CellKind::Vector:
      return json_value(cell.text(), arena);
    case CellKind::Masked:
      return cell.size == 0 ? Value{} : make_string(cell.text());
    case CellKind::Wire:
    case CellKind::Digest:
      return make_error(ErrorCode::Unavailable);
  }
  return make_error(ErrorCode::Unavailable);
}

Value column_value(const normalize::Change& change, Side side, int column, binlog::Arena& arena,
                   Sight sight) {
  if (column < 0 || change.schema == nullptr) return make_error(ErrorCode::NoSuchColumn);
  const binlog::Cell* cell = cell_of(change, side, column, sight);
  if (cell == nullptr) return make_error(ErrorCode::NoImage);
  // A minimal after image holds only what changed: the rest is as before.
  if (cell->kind == binlog::CellKind::Absent && side == Side::After) {
    const binlog::Cell* before = cell_of(change, Side::Before, column, sight);
    if (before != nullptr) cell = before;
  }
  // A condition cannot be judged by what the record has of a masked column.
  if (cell->kind == binlog::CellKind::Masked && sight == Sight::Raw) {
    return make_error(ErrorCode::Unavailable);
  }
  return cell_value(*cell, change.schema->columns[static_cast<std::size_t>(column)], arena);
}

Value column_delta(const normalize::Change& change, int column, binlog::Arena& arena, Sight sight) {
  const Value after = column_value(change, Side::After, column, arena, sight);
  const Value before = column_value(change, Side::Before, column, arena, sight);
  const auto lacks_image = [](const Value& value) {
    return value.is_error() && static_cast<ErrorCode>(value.scale) == ErrorCode::NoImage;
  };
  if (after.is_null() || before.is_null()) return {};
  if (lacks_image(before)) {
    return after.is_number() || after.is_error() ? after
                                                 : make_error(ErrorCode::NoOverload, after.kind);
  }
  if (lacks_image(after)) return before.is_error() ? before : negate(before, arena);
  if (after.is_error()) return after;
  if (before.is_error()) return before;
  return arithmetic(Operator::Subtract, after, before, arena);
}

Value column_changed(const normalize::Change& change, int column, Sight sight) {
  if (column < 0 || change.schema == nullptr) return make_error(ErrorCode::NoSuchColumn);
  const binlog::Cell* before = cell_of(change, Side::Before, column, sight);
  const binlog::Cell* after = cell_of(change, Side::After, column, sight);
  if (before == nullptr || after == nullptr) {  // everything of a new or deleted row is a change
    const binlog::Cell* only = before != nullptr ? before : after;
    if (only == nullptr) return make_error(ErrorCode::NoImage);
    return make_bool(only->kind != binlog::CellKind::Absent &&
                     only->kind != binlog::CellKind::Null);
  }
  if (after->kind == binlog::CellKind::Absent) return make_bool(false);
  if (before->kind == binlog::CellKind::Absent) return make_error(ErrorCode::NotLogged);
  return make_bool(!(*before == *after));
}

}  // namespace rowtrail::infer
