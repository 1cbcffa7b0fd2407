#include "infer/value.h"

#include "infer/decimal.h"
#include "infer/temporal.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include <openssl/evp.h>

namespace rowtrail::infer {
namespace {

constexpr std::array<std::string_view, kKinds> kKindNames = {
    "error", "null_type", "bool", "int",       "uint",     "double", "decimal", "string",
    "bytes", "list",      "map",  "timestamp", "duration", "type",   "row",     "row image"};

std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ULL;
  return x ^ (x >> 33);
}

Order order_of(int sign) {
  return sign < 0 ? Order::Less : (sign > 0 ? Order::Greater : Order::Equal);
}

template <class T>
Order order_values(T a, T b) {
  if (a < b) return Order::Less;
  if (a > b) return Order::Greater;
  return a == b ? Order::Equal : Order::Unordered;
}

Order flip(Order order) {
  if (order == Order::Less) return Order::Greater;
  return order == Order::Greater ? Order::Less : order;
}

/// An integer against a double, exactly: a double beyond the integer's range is decided by its
/// sign.
Order int_with_double(std::int64_t i, double d) {
  if (std::isnan(d)) return Order::Unordered;
  if (d >= 9223372036854775808.0) return Order::Less;
  if (d < -9223372036854775808.0) return Order::Greater;
  const auto whole = static_cast<std::int64_t>(d);
  if (i != whole) return i < whole ? Order::Less : Order::Greater;
  return order_values(0.0, d - static_cast<double>(whole));
}
Order uint_with_double(std::uint64_t u, double d) {
  if (std::isnan(d)) return Order::Unordered;
  if (d >= 18446744073709551616.0) return Order::Less;
  if (d < 0) return Order::Greater;
  const auto whole = static_cast<std::uint64_t>(d);
  if (u != whole) return u < whole ? Order::Less : Order::Greater;
  return order_values(0.0, d - static_cast<double>(whole));
}

Order compare_numbers(const Value& a, const Value& b) {
  if (a.kind == Kind::Decimal || b.kind == Kind::Decimal) {
    const auto sign = number_compare_decimal(a, b);
    return sign ? order_of(*sign) : Order::Unordered;
  }
  if (a.kind == b.kind) {
    if (a.kind == Kind::Int) return order_values(a.i, b.i);
    if (a.kind == Kind::UInt) return order_values(a.u, b.u);
    return order_values(a.d, b.d);
  }
  if (a.kind == Kind::Double) return flip(compare_numbers(b, a));
  if (b.kind == Kind::Double) {
    return a.kind == Kind::Int ? int_with_double(a.i, b.d) : uint_with_double(a.u, b.d);
  }
  if (a.kind == Kind::UInt) return flip(compare_numbers(b, a));
  if (a.i < 0) return Order::Less;
  return order_values(static_cast<std::uint64_t>(a.i), b.u);
}

bool equal_maps(const Value& a, const Value& b, std::uint64_t& budget) {
  if (a.size != b.size) return false;
  for (std::uint32_t n = 0; n < a.size; ++n) {
    bool found = false;
    for (std::uint32_t m = 0; m < b.size && !found; ++m) {
      found = equal(a.items[2 * n], b.items[2 * m], budget) &&
              equal(a.items[2 * n + 1], b.items[2 * m + 1], budget);
    }
    if (!found) return false;
  }
  return true;
}

void append_number(std::string& out, const Value& value) {
  char buffer[40];
  std::to_chars_result end{};
  if (value.kind == Kind::Int) {
    end = std::to_chars(buffer, buffer + sizeof buffer, value.i);
  } else if (value.kind == Kind::UInt) {
    end = std::to_chars(buffer, buffer + sizeof buffer, value.u);
  } else {
    end = std::to_chars(buffer, buffer + sizeof buffer, value.d);
  }
  out.append(buffer, end.ptr);
}

void append_base64(std::string& out, std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  out.append(text, 0, static_cast<std::size_t>(length));
}

bool append_json_list(std::string& out, const Value& list) {
  out += '[';
  for (std::uint32_t n = 0; n < list.size; ++n) {
    if (n > 0) out += ',';
    if (out.size() > kJsonBytesMax || !append_json(out, list.items[n])) return false;
  }
  out += ']';
  return true;
}

bool append_json_map(std::string& out, const Value& map) {
  out += '{';
  for (std::uint32_t n = 0; n < map.size; ++n) {
    if (n > 0) out += ',';
    std::string key;
    if (!append_text(key, map.items[std::size_t{2} * n])) return false;
    normalize::append_json_string(out, key);
    out += ':';
    if (out.size() > kJsonBytesMax || !append_json(out, map.items[std::size_t{2} * n + 1])) {
      return false;
    }
  }
  out += '}';
  return true;
}

}  // namespace

std::string_view kind_name(Kind kind) {
  return kKindNames[static_cast<std::size_t>(kind)];
}

bool equal(const Value& a, const Value& b) {
  std::uint64_t budget = 100'000;
  return equal(a, b, budget);
}

bool equal(const Value& a, const Value& b, std::uint64_t& budget) {
  if (budget == 0) return false;
  --budget;
  if (a.is_number() && b.is_number()) return compare_numbers(a, b) == Order::Equal;
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case Kind::Null:
      return true;
    case Kind::Bool:
      return a.b == b.b;
    case Kind::String:
    case Kind::Bytes:
      return a.text() == b.text();
    case Kind::List:
      if (a.size != b.size) return false;
      for (std::uint32_t n = 0; n < a.size; ++n) {
        if (!equal(a.items[n], b.items[n], budget)) return false;
      }
      return true;
    case Kind::Map:
      return equal_maps(a, b, budget);
    case Kind::Timestamp:
      return a.i == b.i && a.size == b.size;
    case Kind::Image:
      return a.change == b.change && a.scale == b.scale;
    case Kind::Row:
      return a.change == b.change;
    case Kind::Type:
    case Kind::Duration:
    case Kind::Int:
    case Kind::UInt:
    case Kind::Double:
    case Kind::Decimal:
      return a.u == b.u;
    case Kind::Error:
      return false;
  }
  return false;
}

std::uint64_t hash(const Value& value) {
  const auto tag = static_cast<std::uint64_t>(value.kind) << 56;
  switch (value.kind) {
    case Kind::Int:
      return mix(value.u);
    case Kind::UInt:
      if (value.u <= std::uint64_t{std::numeric_limits<std::int64_t>::max()}) return mix(value.u);
      return hash(make_double(static_cast<double>(value.u)));
    case Kind::Double: {
      if (value.d >= -9223372036854775808.0 && value.d < 9223372036854775808.0 &&
          std::trunc(value.d) == value.d) {
        return hash(make_int(static_cast<std::int64_t>(value.d)));
      }
      std::uint64_t bits = 0;
      std::memcpy(&bits, &value.d, sizeof bits);
      return mix(bits ^ 0x9e3779b97f4a7c15ULL);
    }
    case Kind::Decimal:
      return decimal_hash(value);
    case Kind::String:
    case Kind::Bytes:
      return mix(std::hash<std::string_view>{}(value.text()) ^ tag);
    case Kind::List: {
      std::uint64_t all = tag;
      for (const Value& item : items_of(value)) {  // not deeper: nested lists can share items
        const bool nested = item.kind == Kind::List || item.kind == Kind::Map;
        all = mix(all ^ (nested ? item.size : hash(item)));
      }
      return all;
    }
    case Kind::Map:  // entries in any order
      return mix(tag ^ value.size);
    case Kind::Timestamp:
      return mix(value.u ^ tag ^ (std::uint64_t{value.size} << 20));
    case Kind::Null:
    case Kind::Error:
      return mix(tag);
    case Kind::Bool:
      return mix(tag ^ (value.b ? 1U : 0U));
    case Kind::Duration:
    case Kind::Type:
    case Kind::Row:
    case Kind::Image:
      return mix(value.u ^ tag);
  }
  return 0;
}

Order compare(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) return compare_numbers(a, b);
  if (a.kind != b.kind) return Order::NoOverload;
  switch (a.kind) {
    case Kind::Bool:
      return order_values(a.b, b.b);
    case Kind::String:
    case Kind::Bytes:
      return order_of(a.text().compare(b.text()));
    case Kind::Timestamp:
      return a.i != b.i ? order_values(a.i, b.i) : order_values(a.size, b.size);
    case Kind::Duration:
      return order_values(a.i, b.i);
    default:
      return Order::NoOverload;
  }
}

bool append_text(std::string& out, const Value& value) {
  switch (value.kind) {
    case Kind::Bool:
      out += value.b ? "true" : "false";
      return true;
    case Kind::Int:
    case Kind::UInt:
    case Kind::Double:
      append_number(out, value);
      return true;
    case Kind::Decimal:
      append_decimal(out, value);
      return true;
    case Kind::String:
      out += value.text();
      return true;
    case Kind::Bytes:
      append_base64(out, value.text());
      return true;
    case Kind::Timestamp:
      append_timestamp(out, value);
      return true;
    case Kind::Duration:
      append_duration(out, value);
      return true;
    case Kind::Type:
      out += kind_name(static_cast<Kind>(value.u));
      return true;
    default:
      return false;
  }
}

bool append_json(std::string& out, const Value& value) {
  switch (value.kind) {
    case Kind::Null:
      out += "null";
      return true;
    case Kind::Double:
      if (!std::isfinite(value.d)) {
        out += std::isnan(value.d) ? "\"NaN\"" : (value.d > 0 ? "\"Infinity\"" : "\"-Infinity\"");
        return true;
      }
      [[fallthrough]];
    case Kind::Bool:
    case Kind::Int:
    case Kind::UInt:
      return append_text(out, value);
    case Kind::List:
      return append_json_list(out, value);
    case Kind::Map:
      return append_json_map(out, value);
    case Kind::Error:
    case Kind::Row:
    case Kind::Image:
      return false;
    default: {
      std::string text;
      if (!append_text(text, value)) return false;
      normalize::append_json_string(out, text);
      return true;
    }
  }
}

std::string show(const Value& value) {
  constexpr std::size_t kShownBytes = 200;
  std::string text;
  const bool plain =
      value.kind == Kind::Decimal || value.kind == Kind::Timestamp || value.kind == Kind::Duration;
  if (value.kind == Kind::Row || value.kind == Kind::Image) {
    text = std::string(value.change->table) + " row " + std::to_string(value.change->ordinal);
  } else if (!(plain ? append_text(text, value) : append_json(text, value))) {
    text = kind_name(value.kind);
  }
  if (text.size() > kShownBytes) text = text.substr(0, kShownBytes) + "…";
  return text;
}

}  // namespace rowtrail::infer
