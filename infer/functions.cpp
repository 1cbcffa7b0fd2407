#include "infer/functions.h"

#include "infer/conversions.h"
#include "infer/operators.h"
#include "infer/regex.h"
#include "infer/temporal.h"

#include <algorithm>
#include <array>
#include <string>

namespace rowtrail::infer {
namespace {

Value no_overload(Arguments arguments) {
  return make_error(ErrorCode::NoOverload, arguments[0].kind,
                    arguments.size() > 1 ? arguments[1].kind : Kind::Null);
}

bool all_strings(Arguments arguments) {
  return std::all_of(arguments.begin(), arguments.end(),
                     [](const Value& value) { return value.kind == Kind::String; });
}

std::int64_t code_points(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
}

/// Byte offset of the code point number `index`, or npos beyond the end.
std::size_t byte_offset(std::string_view text, std::int64_t index) {
  std::size_t at = 0;
  for (; index > 0 && at < text.size(); --index) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) ++at;
  }
  return index == 0 ? at : std::string_view::npos;
}

Value size(Arguments a, binlog::Arena&) {
  switch (a[0].kind) {
    case Kind::String:
      return make_int(code_points(a[0].text()));
    case Kind::Bytes:
    case Kind::List:
    case Kind::Map:
      return make_int(a[0].size);
    default:
      return no_overload(a);
  }
}

Value contains(Arguments a, binlog::Arena&) {
  if (!all_strings(a)) return no_overload(a);
  return make_bool(a[0].text().find(a[1].text()) != std::string_view::npos);
}
Value starts_with(Arguments a, binlog::Arena&) {
  return all_strings(a) ? make_bool(a[0].text().starts_with(a[1].text())) : no_overload(a);
}
Value ends_with(Arguments a, binlog::Arena&) {
  return all_strings(a) ? make_bool(a[0].text().ends_with(a[1].text())) : no_overload(a);
}

/// Only patterns that are not constant come here; the binder compiles the others once.
Value matches(Arguments a, binlog::Arena&) {
  if (!all_strings(a)) return no_overload(a);
  std::string error;
  const auto regex = Regex::compile(a[1].text(), error);
  return regex ? make_bool(regex->matches(a[0].text())) : make_error(ErrorCode::BadRegex);
}

template <class Change>
Value map_ascii(Arguments a, binlog::Arena& arena, Change change) {
  if (!all_strings(a)) return no_overload(a);
  const auto out = arena.make_span<char>(a[0].size);
  std::transform(a[0].data, a[0].data + a[0].size, out.begin(), change);
  return make_string({out.data(), out.size()});
}
Value lower_ascii(Arguments a, binlog::Arena& arena) {
  return map_ascii(a, arena,
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
}
Value upper_ascii(Arguments a, binlog::Arena& arena) {
  return map_ascii(a, arena,
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
}

Value trim(Arguments a, binlog::Arena&) {
  if (!all_strings(a)) return no_overload(a);
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  const std::string_view text = a[0].text();
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return make_string("");
  return make_string(text.substr(first, text.find_last_not_of(kSpace) - first + 1));
}

Value index_of(Arguments a, binlog::Arena&) {
  if (!all_strings(a)) return no_overload(a);
  const auto at = a[0].text().find(a[1].text());
  return make_int(at == std::string_view::npos ? -1 : code_points(a[0].text().substr(0, at)));
}

Value substring(Arguments a, binlog::Arena&) {
  const bool has_end = a.size() == 3;
  if (a[0].kind != Kind::String || a[1].kind != Kind::Int || (has_end && a[2].kind != Kind::Int)) {
    return no_overload(a);
  }
  const std::string_view text = a[0].text();
  if (a[1].i < 0 || (has_end && a[2].i < a[1].i)) return make_error(ErrorCode::IndexRange);
  const std::size_t from = byte_offset(text, a[1].i);
  const std::size_t to = has_end ? byte_offset(text, a[2].i) : text.size();
  if (from == std::string_view::npos || to == std::string_view::npos) {
    return make_error(ErrorCode::IndexRange);
  }
  return make_string(text.substr(from, to - from));
}

Value replace(Arguments a, binlog::Arena& arena) {
  if (!all_strings(a)) return no_overload(a);
  const std::string_view text = a[0].text();
  const std::string_view old = a[1].text();
  if (old.empty()) return a[0];
  std::string out;
  std::size_t at = 0;
  for (auto found = text.find(old); found != std::string_view::npos; found = text.find(old, at)) {
    out.append(text, at, found - at).append(a[2].text());
    at = found + old.size();
    if (out.size() > kTextBytesMax) return make_error(ErrorCode::Limit, Kind::String);
  }
  out.append(text, at);
  return make_string(arena.copy(std::string_view(out)));
}

Value split(Arguments a, binlog::Arena& arena) {
  if (!all_strings(a)) return no_overload(a);
  std::string_view text = a[0].text();
  const std::string_view separator = a[1].text();
  if (separator.empty()) return make_error(ErrorCode::BadValue, Kind::String);
  std::vector<Value> parts;
  for (auto at = text.find(separator); at != std::string_view::npos; at = text.find(separator)) {
    parts.push_back(make_string(text.substr(0, at)));
    text.remove_prefix(at + separator.size());
  }
  parts.push_back(make_string(text));
  const auto items = arena.make_span<Value>(parts.size());
  std::copy(parts.begin(), parts.end(), items.begin());
  return make_list(items);
}

Value join(Arguments a, binlog::Arena& arena) {
  if (a[0].kind != Kind::List || (a.size() == 2 && a[1].kind != Kind::String))
    return no_overload(a);
  std::string out;
  for (const Value& item : items_of(a[0])) {
    if (item.kind != Kind::String) return no_overload(a);
    if (a.size() == 2 && &item != a[0].items) out += a[1].text();
    out += item.text();
    if (out.size() > kTextBytesMax) return make_error(ErrorCode::Limit, Kind::String);
  }
  return make_string(arena.copy(std::string_view(out)));
}

/// The arguments themselves, or the items of a single list.
Arguments operands(Arguments a) {
  return a.size() == 1 && a[0].kind == Kind::List ? items_of(a[0]) : a;
}

Value extreme(Arguments a, Order wanted) {
  const Arguments items = operands(a);
  if (items.empty()) return make_error(ErrorCode::BadValue, Kind::List);
  Value best = items[0];
  if (!best.is_number() && compare(best, best) == Order::NoOverload) return no_overload(a);
  for (const Value& item : items.subspan(1)) {
    const Order order = compare(item, best);
    if (order == Order::NoOverload) return make_error(ErrorCode::NoOverload, item.kind, best.kind);
    if (order == wanted) best = item;
  }
  return best;
}
Value minimum(Arguments a, binlog::Arena&) {
  return extreme(a, Order::Less);
}
Value maximum(Arguments a, binlog::Arena&) {
  return extreme(a, Order::Greater);
}

Value sum(Arguments a, binlog::Arena& arena) {
  if (a[0].kind != Kind::List) return no_overload(a);
  Value total = make_int(0);
  bool first = true;
  for (const Value& item : items_of(a[0])) {
    total = first ? item : arithmetic(Operator::Add, total, item, arena);
    first = false;
    if (total.is_error()) return total;
    if (!total.is_number() && total.kind != Kind::Duration) return no_overload(std::array{item});
  }
  return total;
}

Value absolute(Arguments a, binlog::Arena& arena) {
  if (!a[0].is_number() && a[0].kind != Kind::Duration) return no_overload(a);
  const Value zero = a[0].kind == Kind::Duration ? make_duration(0) : make_int(0);
  return compare(a[0], zero) == Order::Less ? negate(a[0], arena) : a[0];
}

enum class Part : std::uint8_t {
  FullYear,
  Month,
  Date,
  DayOfMonth,
  DayOfWeek,
  DayOfYear,
  Hours,
  Minutes,
  Seconds,
  Milliseconds,
};

Value duration_part(Part part, const Value& duration) {
  switch (part) {
    case Part::Hours:
      return make_int(duration.i / (3600 * kSecond));
    case Part::Minutes:
      return make_int(duration.i / (60 * kSecond));
    case Part::Seconds:
      return make_int(duration.i / kSecond);
    case Part::Milliseconds:
      return make_int(duration.i / 1'000'000 % 1000);
    default:
      return make_error(ErrorCode::NoOverload, duration.kind);
  }
}

template <Part part>
Value time_part(Arguments a, binlog::Arena&) {
  if (a[0].kind == Kind::Duration && a.size() == 1) return duration_part(part, a[0]);
  if (a[0].kind != Kind::Timestamp || (a.size() == 2 && a[1].kind != Kind::String)) {
    return no_overload(a);
  }
  const auto zone = a.size() == 2 ? parse_zone(a[1].text()) : std::optional<std::int64_t>(0);
  if (!zone) return make_error(ErrorCode::BadValue, Kind::String);
  const CivilTime civil = civil_time(a[0].i + *zone);
  switch (part) {
    case Part::FullYear:
      return make_int(civil.year);
    case Part::Month:
      return make_int(std::int64_t{civil.month} - 1);
    case Part::Date:
      return make_int(civil.day);
    case Part::DayOfMonth:
      return make_int(std::int64_t{civil.day} - 1);
    case Part::DayOfWeek:
      return make_int(civil.week_day);
    case Part::DayOfYear:
      return make_int(civil.year_day);
    case Part::Hours:
      return make_int(civil.hour);
    case Part::Minutes:
      return make_int(civil.minute);
    case Part::Seconds:
      return make_int(civil.second);
    case Part::Milliseconds:
      return make_int(a[0].size / 1'000'000);
  }
  return no_overload(a);
}

Value same(Arguments a, binlog::Arena&) {
  return a[0];
}

constexpr std::uint8_t kMany = 32;

constexpr std::array kFunctions = std::to_array<Function>({
    {"size", false, 1, 1, size, "size(string | bytes | list | map) → int"},
    {"size", true, 1, 1, size, "x.size() → int"},
    {"contains", true, 2, 2, contains, "string.contains(string) → bool"},
    {"startsWith", true, 2, 2, starts_with, "string.startsWith(string) → bool"},
    {"endsWith", true, 2, 2, ends_with, "string.endsWith(string) → bool"},
    {"matches", true, 2, 2, matches, "string.matches(regex) → bool"},
    {"matches", false, 2, 2, matches, "matches(string, regex) → bool"},
    {"lowerAscii", true, 1, 1, lower_ascii, "string.lowerAscii() → string"},
    {"upperAscii", true, 1, 1, upper_ascii, "string.upperAscii() → string"},
    {"trim", true, 1, 1, trim, "string.trim() → string"},
    {"indexOf", true, 2, 2, index_of, "string.indexOf(string) → int, -1 when absent"},
    {"substring", true, 2, 3, substring, "string.substring(from [, to]) → string"},
    {"replace", true, 3, 3, replace, "string.replace(old, new) → string"},
    {"split", true, 2, 2, split, "string.split(separator) → list"},
    {"join", true, 1, 2, join, "list.join([separator]) → string"},
    {"int", false, 1, 1, convert_int, "int(uint | double | decimal | string | timestamp) → int"},
    {"uint", false, 1, 1, convert_uint, "uint(int | double | decimal | string) → uint"},
    {"double", false, 1, 1, convert_double, "double(int | uint | decimal | string) → double"},
    {"decimal", false, 1, 1, convert_decimal, "decimal(int | uint | double | string) → decimal"},
    {"string", false, 1, 1, convert_string, "string(any scalar) → string"},
    {"bytes", false, 1, 1, convert_bytes, "bytes(string) → bytes"},
    {"bool", false, 1, 1, convert_bool, "bool(string) → bool"},
    {"timestamp", false, 1, 1, convert_timestamp, "timestamp(string | seconds) → timestamp"},
    {"duration", false, 1, 1, convert_duration, "duration(string) → duration"},
    {"type", false, 1, 1, type_of, "type(x) → type"},
    {"dyn", false, 1, 1, same, "dyn(x) → x"},
    {"min", false, 1, kMany, minimum, "min(a, b, …), min(list)"},
    {"max", false, 1, kMany, maximum, "max(a, b, …), max(list)"},
    {"min", true, 1, 1, minimum, "list.min()"},
    {"max", true, 1, 1, maximum, "list.max()"},
    {"sum", false, 1, 1, sum, "sum(list of numbers or durations), 0 when empty"},
    {"sum", true, 1, 1, sum, "list.sum()"},
    {"abs", false, 1, 1, absolute, "abs(number | duration)"},
    {"getFullYear", true, 1, 2, time_part<Part::FullYear>, "timestamp.getFullYear([offset]) → int"},
    {"getMonth", true, 1, 2, time_part<Part::Month>, "timestamp.getMonth([offset]) → int, from 0"},
    {"getDate", true, 1, 2, time_part<Part::Date>, "timestamp.getDate([offset]) → int, from 1"},
    {"getDayOfMonth", true, 1, 2, time_part<Part::DayOfMonth>,
     "timestamp.getDayOfMonth([offset]) → int, from 0"},
    {"getDayOfWeek", true, 1, 2, time_part<Part::DayOfWeek>,
     "timestamp.getDayOfWeek([offset]) → int, 0 is Sunday"},
    {"getDayOfYear", true, 1, 2, time_part<Part::DayOfYear>,
     "timestamp.getDayOfYear([offset]) → int, from 0"},
    {"getHours", true, 1, 2, time_part<Part::Hours>,
     "timestamp.getHours([offset]), duration.getHours() → int"},
    {"getMinutes", true, 1, 2, time_part<Part::Minutes>,
     "timestamp.getMinutes([offset]), duration.getMinutes() → int"},
    {"getSeconds", true, 1, 2, time_part<Part::Seconds>,
     "timestamp.getSeconds([offset]), duration.getSeconds() → int"},
    {"getMilliseconds", true, 1, 2, time_part<Part::Milliseconds>,
     "timestamp.getMilliseconds([offset]) → int"},
});

}  // namespace

std::span<const Function> functions() {
  return kFunctions;
}

int find_function(std::string_view name, bool member, std::size_t arguments) {
  for (std::size_t n = 0; n < kFunctions.size(); ++n) {
    const Function& function = kFunctions[n];
    if (function.name == name && function.member == member && arguments >= function.arguments_min &&
        arguments <= function.arguments_max) {
      return static_cast<int>(n);
    }
  }
  return -1;
}

std::optional<Kind> type_named(std::string_view name) {
  static constexpr struct {
    std::string_view name;
    Kind kind;
  } kTypes[] = {{"bool", Kind::Bool},      {"int", Kind::Int},         {"uint", Kind::UInt},
                {"double", Kind::Double},  {"decimal", Kind::Decimal}, {"string", Kind::String},
                {"bytes", Kind::Bytes},    {"list", Kind::List},       {"map", Kind::Map},
                {"null_type", Kind::Null}, {"type", Kind::Type}};
  for (const auto& type : kTypes) {
    if (type.name == name) return type.kind;
  }
  return std::nullopt;
}

}  // namespace rowtrail::infer
