#include "infer/decimal.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include <boost/multiprecision/cpp_int.hpp>

namespace rowtrail::infer {
namespace {

namespace mp = boost::multiprecision;
// Room for a coefficient of 76 digits aligned to another's scale of 76: 10^152 < 2^511.
using Big = mp::number<mp::cpp_int_backend<512, 512, mp::signed_magnitude, mp::unchecked, void>,
                       mp::et_off>;
__extension__ using Int128 = __int128;

constexpr std::int64_t kPowers[] = {1,
                                    10,
                                    100,
                                    1000,
                                    10000,
                                    100000,
                                    1000000,
                                    10000000,
                                    100000000,
                                    1000000000,
                                    10000000000,
                                    100000000000,
                                    1000000000000,
                                    10000000000000,
                                    100000000000000,
                                    1000000000000000,
                                    10000000000000000,
                                    100000000000000000,
                                    1000000000000000000};
constexpr unsigned kSmallDigits = 18;

bool is_small(const Value& value) {
  return value.style == 0;
}

Big power_of_ten(unsigned exponent) {
  Big result = 1;
  for (; exponent > kSmallDigits; exponent -= kSmallDigits) result *= kPowers[kSmallDigits];
  return result * kPowers[exponent];
}

const Big& coefficient_limit() {
  static const Big limit = power_of_ten(kDecimalScaleMax);
  return limit;
}

Big to_big(const Value& value) {
  if (is_small(value)) return Big(value.i);
  Big big;
  for (std::size_t n = value.wide->limbs.size(); n-- > 0;) {
    big <<= 64;
    big += value.wide->limbs[n];
  }
  return value.wide->negative ? Big(-big) : big;
}

Value from_big(const Big& big, unsigned scale, binlog::Arena& arena) {
  const Big magnitude = mp::abs(big);
  if (magnitude >= coefficient_limit() || scale > kDecimalScaleMax) {
    return make_error(ErrorCode::Overflow, Kind::Decimal, Kind::Decimal);
  }
  if (magnitude <= std::numeric_limits<std::int64_t>::max()) {
    return make_decimal(static_cast<std::int64_t>(big), scale);
  }
  WideDecimal wide;
  Big rest = magnitude;
  for (auto& limb : wide.limbs) {
    limb = static_cast<std::uint64_t>(rest & std::numeric_limits<std::uint64_t>::max());
    rest >>= 64;
  }
  wide.negative = big < 0;
  auto* stored = arena.make_span<WideDecimal>(1).data();
  *stored = wide;
  Value value = make_decimal(0, scale);
  value.style = 1;
  value.wide = stored;
  return value;
}

/// Both coefficients at the wider of the two scales.
struct Aligned {
  Big a, b;
  unsigned scale;
};
Aligned align(const Value& a, const Value& b) {
  Aligned aligned{to_big(a), to_big(b), std::max(a.scale, b.scale)};
  aligned.a *= power_of_ten(aligned.scale - a.scale);
  aligned.b *= power_of_ten(aligned.scale - b.scale);
  return aligned;
}

Value divide(const Value& a, const Value& b, binlog::Arena& arena) {
  const Big divisor = to_big(b);
  if (divisor == 0) return make_error(ErrorCode::DivideByZero);
  const unsigned scale = std::max(a.scale, b.scale) + kDivisionDigits;
  if (scale > kDecimalScaleMax) return make_error(ErrorCode::Overflow);
  const Big dividend = to_big(a) * power_of_ten(scale + b.scale - a.scale);
  Big quotient, remainder;
  mp::divide_qr(Big(mp::abs(dividend)), Big(mp::abs(divisor)), quotient, remainder);
  if (remainder * 2 >= mp::abs(divisor)) quotient += 1;
  const bool negative = (dividend < 0) != (divisor < 0);
  return from_big(negative ? Big(-quotient) : quotient, scale, arena);
}

Value big_arithmetic(Arithmetic op, const Value& a, const Value& b, binlog::Arena& arena) {
  if (op == Arithmetic::Divide) return divide(a, b, arena);
  if (op == Arithmetic::Multiply) return from_big(to_big(a) * to_big(b), a.scale + b.scale, arena);
  const Aligned aligned = align(a, b);
  switch (op) {
    case Arithmetic::Add:
      return from_big(aligned.a + aligned.b, aligned.scale, arena);
    case Arithmetic::Subtract:
      return from_big(aligned.a - aligned.b, aligned.scale, arena);
    default:
      if (aligned.b == 0) return make_error(ErrorCode::DivideByZero);
      return from_big(aligned.a % aligned.b, aligned.scale, arena);
  }
}

struct Digits {
  Big big = 0;
  std::int64_t small = 0;
  unsigned count = 0;
  unsigned scale = 0;
  bool any = false;
};

/// Reads digits with at most one point; returns the rest.
std::string_view read_digits(std::string_view text, Digits& digits) {
  bool point = false;
  std::size_t n = 0;
  for (; n < text.size(); ++n) {
    const char c = text[n];
    if (c == '.' && !point) {
      point = true;
      continue;
    }
    if (c < '0' || c > '9') break;
    digits.any = true;
    if (point) ++digits.scale;
    if (digits.count == 0 && c == '0') continue;
    if (digits.count == kSmallDigits) digits.big = digits.small;
    if (digits.count >= kSmallDigits) {
      if (digits.count >= kDecimalScaleMax) return text.substr(n);
      digits.big = digits.big * 10 + (c - '0');
    } else {
      digits.small = digits.small * 10 + (c - '0');
    }
    ++digits.count;
  }
  return text.substr(n);
}

}  // namespace

Value parse_decimal(std::string_view text, binlog::Arena& arena) {
  const Value bad = make_error(ErrorCode::BadValue, Kind::String, Kind::Decimal);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  Digits digits;
  std::string_view rest = read_digits(text, digits);
  if (!digits.any) return bad;
  int exponent = 0;
  if (!rest.empty() && (rest[0] == 'e' || rest[0] == 'E')) {
    rest.remove_prefix(1);
    if (rest.starts_with('+')) rest.remove_prefix(1);
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), exponent);
    if (error != std::errc() || end != rest.data() + rest.size()) return bad;
    rest = {};
  }
  if (!rest.empty()) return bad;
  if (exponent == 0 && digits.count <= kSmallDigits && digits.scale <= kDecimalScaleMax) {
    return make_decimal(negative ? -digits.small : digits.small, digits.scale);
  }
  Big big = digits.count > kSmallDigits ? digits.big : Big(digits.small);
  if (negative) big = -big;
  const int scale = static_cast<int>(digits.scale) - exponent;
  const int limit = static_cast<int>(kDecimalScaleMax);
  if (scale > limit || scale < -limit) return make_error(ErrorCode::Overflow, Kind::String);
  if (scale < 0) return from_big(big * power_of_ten(static_cast<unsigned>(-scale)), 0, arena);
  return from_big(big, static_cast<unsigned>(scale), arena);
}

Value to_decimal(const Value& number, binlog::Arena& arena) {
  switch (number.kind) {
    case Kind::Decimal:
      return number;
    case Kind::Int:
      return make_decimal(number.i, 0);
    case Kind::UInt:
      return from_big(Big(number.u), 0, arena);
    case Kind::Double: {
      if (!std::isfinite(number.d)) return make_error(ErrorCode::Overflow, Kind::Double);
      char buffer[32];
      const auto end = std::to_chars(buffer, buffer + sizeof buffer, number.d).ptr;
      return parse_decimal({buffer, static_cast<std::size_t>(end - buffer)}, arena);
    }
    default:
      return make_error(ErrorCode::NoOverload, number.kind, Kind::Decimal);
  }
}

Value decimal_arithmetic(Arithmetic op, const Value& a, const Value& b, binlog::Arena& arena) {
  const bool additive = op == Arithmetic::Add || op == Arithmetic::Subtract;
  if (additive && is_small(a) && is_small(b) && a.scale == b.scale) {
    std::int64_t sum = 0;
    const bool over = op == Arithmetic::Add ? __builtin_add_overflow(a.i, b.i, &sum)
                                            : __builtin_sub_overflow(a.i, b.i, &sum);
    if (!over) return make_decimal(sum, a.scale);
  }
  if (op == Arithmetic::Multiply && is_small(a) && is_small(b)) {
    std::int64_t product = 0;
    const unsigned scale = unsigned{a.scale} + b.scale;
    if (!__builtin_mul_overflow(a.i, b.i, &product) && scale <= kDecimalScaleMax) {
      return make_decimal(product, scale);
    }
  }
  return big_arithmetic(op, a, b, arena);
}

Value decimal_negate(const Value& a, binlog::Arena& arena) {
  if (is_small(a) && a.i != std::numeric_limits<std::int64_t>::min()) {
    return make_decimal(-a.i, a.scale);
  }
  return from_big(-to_big(a), a.scale, arena);
}

int decimal_compare(const Value& a, const Value& b) {
  const auto sign = [](const auto& x, const auto& y) { return x < y ? -1 : (x > y ? 1 : 0); };
  if (is_small(a) && is_small(b)) {
    if (a.scale == b.scale) return sign(a.i, b.i);
    const unsigned scale = std::max(a.scale, b.scale);
    if (scale - a.scale <= kSmallDigits && scale - b.scale <= kSmallDigits) {
      return sign(Int128{a.i} * kPowers[scale - a.scale], Int128{b.i} * kPowers[scale - b.scale]);
    }
  }
  const Aligned aligned = align(a, b);
  return sign(aligned.a, aligned.b);
}

std::optional<int> number_compare_decimal(const Value& a, const Value& b) {
  if (a.kind == Kind::Decimal && b.kind == Kind::Decimal) return decimal_compare(a, b);
  if (a.kind != Kind::Decimal) {
    const auto reversed = number_compare_decimal(b, a);
    if (!reversed) return reversed;
    return -*reversed;
  }
  binlog::Arena arena;  // only a number beyond 64 bits allocates in it
  const Value other = to_decimal(b, arena);
  if (!other.is_error()) return decimal_compare(a, other);
  if (std::isnan(b.d)) return std::nullopt;
  const double left = decimal_to_double(a);
  return left < b.d ? -1 : (left > b.d ? 1 : 0);
}

void append_decimal(std::string& out, const Value& decimal) {
  std::string digits;
  bool negative = false;
  if (is_small(decimal)) {
    negative = decimal.i < 0;
    digits = std::to_string(decimal.i);
    if (negative) digits.erase(0, 1);
  } else {
    negative = decimal.wide->negative;
    digits = mp::abs(to_big(decimal)).str();
  }
  if (digits.size() <= decimal.scale) digits.insert(0, decimal.scale + 1 - digits.size(), '0');
  if (negative) out += '-';
  out.append(digits, 0, digits.size() - decimal.scale);
  if (decimal.scale > 0) {
    out += '.';
    out.append(digits, digits.size() - decimal.scale);
  }
}

double decimal_to_double(const Value& decimal) {
  std::string text;
  append_decimal(text, decimal);
  return std::strtod(text.c_str(), nullptr);
}

std::optional<std::int64_t> decimal_to_int(const Value& decimal) {
  Big big = to_big(decimal);
  big /= power_of_ten(decimal.scale);
  if (big > std::numeric_limits<std::int64_t>::max() ||
      big < std::numeric_limits<std::int64_t>::min()) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(big);
}

std::uint64_t decimal_hash(const Value& decimal) {
  Value whole = decimal;
  if (is_small(decimal)) {
    while (whole.scale > 0 && whole.i % 10 == 0) {
      whole.i /= 10;
      --whole.scale;
    }
    if (whole.scale == 0) return hash(make_int(whole.i));
  }
  const double approximate = decimal_to_double(whole);
  return hash(make_double(approximate));
}

}  // namespace rowtrail::infer
