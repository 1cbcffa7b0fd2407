#include "infer/conversions.h"

#include "infer/decimal.h"
#include "infer/lexer.h"
#include "infer/temporal.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <string>

namespace rowtrail::infer {
namespace {

Value no_overload(const Value& a) {
  return make_error(ErrorCode::NoOverload, a.kind);
}
Value bad_value(const Value& a) {
  return make_error(ErrorCode::BadValue, a.kind);
}
Value out_of_range(const Value& a) {
  return make_error(ErrorCode::Overflow, a.kind);
}

template <class T>
bool parse_number(std::string_view text, T& number) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// Beyond these a double is no integer of 64 bits; the smallest int is left out as CEL does.
constexpr double kIntLimit = 9223372036854775808.0;
constexpr double kUintLimit = 18446744073709551616.0;

}  // namespace

Value convert_int(Arguments arguments, binlog::Arena&) {
  const Value& a = arguments[0];
  switch (a.kind) {
    case Kind::Int:
      return a;
    case Kind::UInt:
      if (a.u > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) return out_of_range(a);
      return make_int(static_cast<std::int64_t>(a.u));
    case Kind::Double:
      if (!(a.d > -kIntLimit && a.d < kIntLimit)) return out_of_range(a);
      return make_int(static_cast<std::int64_t>(a.d));
    case Kind::Decimal: {
      const auto whole = decimal_to_int(a);
      return whole ? make_int(*whole) : out_of_range(a);
    }
    case Kind::String: {
      std::int64_t number = 0;
      return parse_number(a.text(), number) ? make_int(number) : bad_value(a);
    }
    case Kind::Timestamp:
      return make_int(a.i);
    default:
      return no_overload(a);
  }
}

Value convert_uint(Arguments arguments, binlog::Arena&) {
  const Value& a = arguments[0];
  switch (a.kind) {
    case Kind::UInt:
      return a;
    case Kind::Int:
      return a.i < 0 ? out_of_range(a) : make_uint(static_cast<std::uint64_t>(a.i));
    case Kind::Double:
      if (!(a.d > -1.0 && a.d < kUintLimit)) return out_of_range(a);
      return make_uint(static_cast<std::uint64_t>(a.d));
    case Kind::Decimal: {
      std::string text;
      append_decimal(text, a);
      std::uint64_t number = 0;
      return parse_number(std::string_view(text).substr(0, text.find('.')), number)
                 ? make_uint(number)
                 : out_of_range(a);
    }
    case Kind::String: {
      std::uint64_t number = 0;
      return parse_number(a.text(), number) ? make_uint(number) : bad_value(a);
    }
    default:
      return no_overload(a);
  }
}

Value convert_double(Arguments arguments, binlog::Arena&) {
  const Value& a = arguments[0];
  switch (a.kind) {
    case Kind::Double:
      return a;
    case Kind::Int:
      return make_double(static_cast<double>(a.i));
    case Kind::UInt:
      return make_double(static_cast<double>(a.u));
    case Kind::Decimal:
      return make_double(decimal_to_double(a));
    case Kind::String: {
      double number = 0;
      return parse_number(a.text(), number) ? make_double(number) : bad_value(a);
    }
    default:
      return no_overload(a);
  }
}

Value convert_decimal(Arguments arguments, binlog::Arena& arena) {
  const Value& a = arguments[0];
  if (a.kind == Kind::String) return parse_decimal(a.text(), arena);
  return a.is_number() ? to_decimal(a, arena) : no_overload(a);
}

Value convert_string(Arguments arguments, binlog::Arena& arena) {
  const Value& a = arguments[0];
  if (a.kind == Kind::String) return a;
  if (a.kind == Kind::Bytes) return is_utf8(a.text()) ? make_string(a.text()) : bad_value(a);
  if (a.kind == Kind::Type) return no_overload(a);
  std::string text;
  if (!append_text(text, a)) return no_overload(a);
  return make_string(arena.copy(std::string_view(text)));
}

Value convert_bytes(Arguments arguments, binlog::Arena&) {
  const Value& a = arguments[0];
  if (a.kind != Kind::String && a.kind != Kind::Bytes) return no_overload(a);
  return make_text(Kind::Bytes, a.text());
}

Value convert_bool(Arguments arguments, binlog::Arena&) {
  const Value& a = arguments[0];
  if (a.kind == Kind::Bool) return a;
  if (a.kind != Kind::String) return no_overload(a);
  for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (a.text() == yes) return make_bool(true);
  }
  for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (a.text() == no) return make_bool(false);
  }
  return bad_value(a);
}

Value convert_timestamp(Arguments arguments, binlog::Arena&) {
  const Value& a = arguments[0];
  if (a.kind == Kind::Timestamp) return a;
  if (a.kind == Kind::Int) {
    return a.i < kTimestampMin || a.i > kTimestampMax ? out_of_range(a) : make_timestamp(a.i, 0);
  }
  if (a.kind != Kind::String) return no_overload(a);
  auto parsed = parse_timestamp(a.text());
  if (!parsed) return bad_value(a);
  return make_timestamp(parsed->i, parsed->size);
}

Value convert_duration(Arguments arguments, binlog::Arena&) {
  const Value& a = arguments[0];
  if (a.kind == Kind::Duration) return make_duration(a.i);
  if (a.kind != Kind::String) return no_overload(a);
  const auto parsed = parse_duration(a.text());
  return parsed ? *parsed : bad_value(a);
}

Value type_of(Arguments arguments, binlog::Arena&) {
  Value value;
  value.kind = Kind::Type;
  value.u = static_cast<std::uint64_t>(arguments[0].kind);
  return value;
}

}  // namespace rowtrail::infer
