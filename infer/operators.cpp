#include "infer/operators.h"

#include "infer/decimal.h"
#include "infer/temporal.h"

#include <cmath>
#include <cstring>
#include <limits>

namespace rowtrail::infer {
namespace {

Value overflow(const Value& a, const Value& b) {
  return make_error(ErrorCode::Overflow, a.kind, b.kind);
}
Value no_overload(const Value& a, const Value& b) {
  return make_error(ErrorCode::NoOverload, a.kind, b.kind);
}

Value int_arithmetic(Operator op, const Value& a, const Value& b) {
  std::int64_t result = 0;
  bool over = false;
  switch (op) {
    case Operator::Add:
      over = __builtin_add_overflow(a.i, b.i, &result);
      break;
    case Operator::Subtract:
      over = __builtin_sub_overflow(a.i, b.i, &result);
      break;
    case Operator::Multiply:
      over = __builtin_mul_overflow(a.i, b.i, &result);
      break;
    default:
      if (b.i == 0) return make_error(ErrorCode::DivideByZero);
      if (b.i == -1 && op == Operator::Remainder) return make_int(0);
      over = b.i == -1 && a.i == std::numeric_limits<std::int64_t>::min();
      if (!over) result = op == Operator::Divide ? a.i / b.i : a.i % b.i;
      break;
  }
  return over ? overflow(a, b) : make_int(result);
}

Value uint_arithmetic(Operator op, const Value& a, const Value& b) {
  std::uint64_t result = 0;
  bool over = false;
  switch (op) {
    case Operator::Add:
      over = __builtin_add_overflow(a.u, b.u, &result);
      break;
    case Operator::Subtract:
      over = __builtin_sub_overflow(a.u, b.u, &result);
      break;
    case Operator::Multiply:
      over = __builtin_mul_overflow(a.u, b.u, &result);
      break;
    default:
      if (b.u == 0) return make_error(ErrorCode::DivideByZero);
      result = op == Operator::Divide ? a.u / b.u : a.u % b.u;
      break;
  }
  return over ? overflow(a, b) : make_uint(result);
}

Value double_arithmetic(Operator op, const Value& a, const Value& b) {
  switch (op) {
    case Operator::Add:
      return make_double(a.d + b.d);
    case Operator::Subtract:
      return make_double(a.d - b.d);
    case Operator::Multiply:
      return make_double(a.d * b.d);
    case Operator::Divide:
      return make_double(a.d / b.d);
    default:
      return no_overload(a, b);
  }
}

Value number_arithmetic(Operator op, const Value& a, const Value& b, binlog::Arena& arena) {
  if (a.kind == Kind::Decimal || b.kind == Kind::Decimal) {
    const Value left = to_decimal(a, arena);
    if (left.is_error()) return left;
    const Value right = to_decimal(b, arena);
    if (right.is_error()) return right;
    static constexpr Arithmetic kOps[] = {Arithmetic::Add, Arithmetic::Subtract,
                                          Arithmetic::Multiply, Arithmetic::Divide,
                                          Arithmetic::Remainder};
    return decimal_arithmetic(kOps[static_cast<std::size_t>(op)], left, right, arena);
  }
  if (a.kind != b.kind) return no_overload(a, b);
  if (a.kind == Kind::Int) return int_arithmetic(op, a, b);
  if (a.kind == Kind::UInt) return uint_arithmetic(op, a, b);
  return double_arithmetic(op, a, b);
}

Value time_arithmetic(Operator op, const Value& a, const Value& b) {
  const bool add = op == Operator::Add;
  if (!add && op != Operator::Subtract) return no_overload(a, b);
  std::optional<Value> result;
  if (a.kind == Kind::Timestamp && b.kind == Kind::Duration) {
    if (!add && b.i == std::numeric_limits<std::int64_t>::min()) return overflow(a, b);
    result = shift(a, add ? b.i : -b.i);
  } else if (add && a.kind == Kind::Duration && b.kind == Kind::Timestamp) {
    result = shift(b, a.i);
  } else if (!add && a.kind == Kind::Timestamp && b.kind == Kind::Timestamp) {
    result = difference(a, b);
  } else if (a.kind == Kind::Duration && b.kind == Kind::Duration) {
    std::int64_t sum = 0;
    const bool over =
        add ? __builtin_add_overflow(a.i, b.i, &sum) : __builtin_sub_overflow(a.i, b.i, &sum);
    if (!over) result = make_duration(sum);
  } else {
    return no_overload(a, b);
  }
  return result ? *result : overflow(a, b);
}

Value concatenate(const Value& a, const Value& b, binlog::Arena& arena) {
  const std::size_t size = std::size_t{a.size} + b.size;
  if (a.kind == Kind::List) {
    if (size * sizeof(Value) > kTextBytesMax) return make_error(ErrorCode::Limit, a.kind);
    const auto items = arena.make_span<Value>(size);
    std::copy_n(a.items, a.size, items.begin());
    std::copy_n(b.items, b.size, items.begin() + a.size);
    return make_list(items);
  }
  if (size > kTextBytesMax) return make_error(ErrorCode::Limit, a.kind);
  const auto bytes = arena.make_span<char>(size);
  std::copy_n(a.data, a.size, bytes.begin());
  std::copy_n(b.data, b.size, bytes.begin() + a.size);
  return make_text(a.kind, {bytes.data(), bytes.size()});
}

bool is_time(const Value& value) {
  return value.kind == Kind::Timestamp || value.kind == Kind::Duration;
}

/// A list index may be any whole number.
bool list_index(const Value& key, std::int64_t& index) {
  if (key.kind == Kind::Int) {
    index = key.i;
    return true;
  }
  if (key.kind == Kind::UInt) {
    index = static_cast<std::int64_t>(std::min(key.u, std::uint64_t{0x7fffffffffffffff}));
    return true;
  }
  if (key.kind == Kind::Double && std::trunc(key.d) == key.d && std::fabs(key.d) < 1e15) {
    index = static_cast<std::int64_t>(key.d);
    return true;
  }
  return false;
}

}  // namespace

Value arithmetic(Operator op, const Value& a, const Value& b, binlog::Arena& arena) {
  if (a.kind == Kind::Int && b.kind == Kind::Int) return int_arithmetic(op, a, b);
  if (a.is_number() && b.is_number()) return number_arithmetic(op, a, b, arena);
  if (is_time(a) || is_time(b)) return time_arithmetic(op, a, b);
  const bool joins = a.kind == Kind::String || a.kind == Kind::Bytes || a.kind == Kind::List;
  if (op == Operator::Add && joins && a.kind == b.kind) return concatenate(a, b, arena);
  return no_overload(a, b);
}

Value negate(const Value& a, binlog::Arena& arena) {
  switch (a.kind) {
    case Kind::Int:
      if (a.i == std::numeric_limits<std::int64_t>::min()) return overflow(a, a);
      return make_int(-a.i);
    case Kind::Double:
      return make_double(-a.d);
    case Kind::Decimal:
      return decimal_negate(a, arena);
    case Kind::Duration:
      if (a.i == std::numeric_limits<std::int64_t>::min()) return overflow(a, a);
      return make_duration(-a.i, static_cast<Style>(a.style), a.scale);
    default:
      return make_error(ErrorCode::NoOverload, a.kind);
  }
}

Value relation(Operator op, const Value& a, const Value& b, std::uint64_t& budget) {
  if (op == Operator::Equal) return make_bool(equal(a, b, budget));
  if (op == Operator::NotEqual) return make_bool(!equal(a, b, budget));
  switch (compare(a, b)) {
    case Order::Less:
      return make_bool(op == Operator::Less || op == Operator::LessEqual);
    case Order::Equal:
      return make_bool(op == Operator::LessEqual || op == Operator::GreaterEqual);
    case Order::Greater:
      return make_bool(op == Operator::Greater || op == Operator::GreaterEqual);
    case Order::Unordered:
      return make_bool(false);
    case Order::NoOverload:
      return no_overload(a, b);
  }
  return no_overload(a, b);
}

const Value* find_key(const Value& map, const Value& key, std::uint64_t& budget) {
  for (std::uint32_t n = 0; n < map.size; ++n) {
    if (equal(map.items[std::size_t{2} * n], key, budget))
      return &map.items[std::size_t{2} * n + 1];
  }
  return nullptr;
}

Value membership(const Value& item, const Value& container, std::uint64_t& budget) {
  if (container.kind == Kind::Map) return make_bool(find_key(container, item, budget) != nullptr);
  if (container.kind != Kind::List) return no_overload(item, container);
  for (const Value& candidate : items_of(container)) {
    if (equal(candidate, item, budget)) return make_bool(true);
  }
  return make_bool(false);
}

Value index(const Value& container, const Value& key, std::uint64_t& budget) {
  if (container.kind == Kind::Map) {
    const Value* found = find_key(container, key, budget);
    return found != nullptr ? *found : make_error(ErrorCode::NoSuchKey, container.kind, key.kind);
  }
  std::int64_t at = 0;
  if (container.kind != Kind::List || !list_index(key, at)) return no_overload(container, key);
  if (at < 0 || at >= std::int64_t{container.size}) return make_error(ErrorCode::IndexRange);
  return container.items[at];
}

}  // namespace rowtrail::infer
