// One value of an expression: 16 bytes, trivially copyable. Text, list items and wide decimals
// point into the row that was read or into the Arena of the evaluation; a Value never owns them.
#pragma once

#include "normalize/normalize.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace rowtrail::infer {

enum class Kind : std::uint8_t {
  Error,  // code, node and operand kinds; see ErrorCode
  Null,
  Bool,
  Int,
  UInt,
  Double,
  Decimal,  // i × 10^-scale, or *wide × 10^-scale
  String,   // UTF-8
  Bytes,
  List,       // size items
  Map,        // size entries: items[2n] is a key, items[2n+1] its value
  Timestamp,  // i seconds since the epoch and size nanoseconds
  Duration,   // i nanoseconds
  Type,       // u is the Kind
  Row,        // a Change with both images
  Image,      // one image of a Change; scale is the Side
};
inline constexpr std::size_t kKinds = 16;
[[nodiscard]] std::string_view kind_name(Kind kind);

enum class ErrorCode : std::uint8_t {
  NoOverload,    // no such operator or function for these kinds
  NoSuchKey,     // map, list or image lacks it
  NoSuchColumn,  // the table has no such column
  NotLogged,     // the row image lacks the column
  Unavailable,   // the cell's value is not known (sign, charset or label not logged, or too large)
  NoImage,       // before of an insert, after of a delete
  NullRow,       // an optional clause that bound no row
  DivideByZero,
  Overflow,
  IndexRange,
  BadValue,  // a conversion of a text that does not fit
  BadRegex,
  RepeatedKey,
  Limit,  // list, text or cost beyond its maximum
};

enum class Side : std::uint8_t { Before, After };

/// How a temporal value came, so that it is rendered as its column prints it.
enum class Style : std::uint8_t { Plain, Date, DateTime, Time };

struct WideDecimal;  // infer/decimal.h

struct Value {
  Kind kind = Kind::Null;
  std::uint8_t scale = 0;  // Decimal: digits after the point; temporal: digits of fraction;
                           // Error: ErrorCode; Image: Side
  std::uint8_t style = 0;  // temporal: Style; Decimal: 1 when wide; Error: left Kind
  std::uint8_t extra = 0;  // Error: right Kind
  std::uint32_t size = 0;  // bytes, items or entries; Timestamp: nanoseconds; Error: node + 1
  union {
    std::int64_t i = 0;
    std::uint64_t u;
    double d;
    bool b;
    const char* data;
    const Value* items;
    const WideDecimal* wide;
    const normalize::Change* change;
  };

  [[nodiscard]] std::string_view text() const noexcept { return {data, size}; }
  [[nodiscard]] bool is_error() const noexcept { return kind == Kind::Error; }
  [[nodiscard]] bool is_null() const noexcept { return kind == Kind::Null; }
  [[nodiscard]] bool is_true() const noexcept { return kind == Kind::Bool && b; }
  [[nodiscard]] bool is_false() const noexcept { return kind == Kind::Bool && !b; }
  [[nodiscard]] bool is_number() const noexcept {
    return kind >= Kind::Int && kind <= Kind::Decimal;
  }
};
static_assert(sizeof(Value) == 16);

[[nodiscard]] inline Value make_bool(bool b) {
  Value value;
  value.kind = Kind::Bool;
  value.b = b;
  return value;
}
[[nodiscard]] inline Value make_int(std::int64_t i) {
  Value value;
  value.kind = Kind::Int;
  value.i = i;
  return value;
}
[[nodiscard]] inline Value make_uint(std::uint64_t u) {
  Value value;
  value.kind = Kind::UInt;
  value.u = u;
  return value;
}
[[nodiscard]] inline Value make_double(double d) {
  Value value;
  value.kind = Kind::Double;
  value.d = d;
  return value;
}
[[nodiscard]] inline Value make_text(Kind kind, std::string_view text) {
  Value value;
  value.kind = kind;
  value.size = static_cast<std::uint32_t>(text.size());
  value.data = text.data();
  return value;
}
[[nodiscard]] inline Value make_string(std::string_view text) {
  return make_text(Kind::String, text);
}
[[nodiscard]] inline Value make_list(std::span<const Value> items) {
  Value value;
  value.kind = Kind::List;
  value.size = static_cast<std::uint32_t>(items.size());
  value.items = items.data();
  return value;
}
[[nodiscard]] inline Value make_row(const normalize::Change& change) {
  Value value;
  value.kind = Kind::Row;
  value.change = &change;
  return value;
}
[[nodiscard]] inline Value make_error(ErrorCode code, Kind left = Kind::Null,
                                      Kind right = Kind::Null) {
  Value value;
  value.kind = Kind::Error;
  value.scale = static_cast<std::uint8_t>(code);
  value.style = static_cast<std::uint8_t>(left);
  value.extra = static_cast<std::uint8_t>(right);
  return value;
}
[[nodiscard]] inline std::span<const Value> items_of(const Value& list) {
  return {list.items, list.kind == Kind::Map ? std::size_t{list.size} * 2 : list.size};
}

/// CEL's equality: numbers on one line across their types, different types never equal. Nested
/// lists can share items, so comparing takes a step from `budget` for each; false without any left.
[[nodiscard]] bool equal(const Value& a, const Value& b, std::uint64_t& budget);
[[nodiscard]] bool equal(const Value& a, const Value& b);
/// Equal values have equal hashes.
[[nodiscard]] std::uint64_t hash(const Value& value);

enum class Order : std::uint8_t { Less, Equal, Greater, Unordered, NoOverload };
[[nodiscard]] Order compare(const Value& a, const Value& b);

/// The text of a scalar as people read it: 12.50, anna, 2026-11-24. False for lists, maps and rows.
bool append_text(std::string& out, const Value& value);
/// The value as JSON by DESIGN section 5: decimals and times are strings. False for rows, and when
/// `out` grows beyond kJsonBytesMax.
inline constexpr std::size_t kJsonBytesMax = 1024 * 1024;
bool append_json(std::string& out, const Value& value);
/// How an explanation shows it: strings quoted, everything else as text or JSON, cut at 200 bytes.
[[nodiscard]] std::string show(const Value& value);

}  // namespace rowtrail::infer
