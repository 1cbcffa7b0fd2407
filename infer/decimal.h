// Exact decimals: a signed coefficient of up to 76 digits and a scale, enough for DECIMAL(65,30)
// and its sums. Coefficients of 64 bits live in the Value itself; wider ones in the Arena.
#pragma once

#include "infer/value.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rowtrail::infer {

/// Magnitude, least significant limb first, below 10^76.
struct WideDecimal {
  std::array<std::uint64_t, 4> limbs{};
  bool negative = false;
};

inline constexpr unsigned kDecimalScaleMax = 76;
/// Division keeps this many digits more than the wider operand, and rounds half away from zero.
inline constexpr unsigned kDivisionDigits = 4;

[[nodiscard]] inline Value make_decimal(std::int64_t coefficient, unsigned scale) {
  Value value;
  value.kind = Kind::Decimal;
  value.scale = static_cast<std::uint8_t>(scale);
  value.i = coefficient;
  return value;
}

/// "-12.50", "3", ".5", "1.2e3"; nothing else. Error BadValue or Overflow.
[[nodiscard]] Value parse_decimal(std::string_view text, binlog::Arena& arena);
/// Int, UInt, Double (its shortest decimal text) or Decimal as a Decimal.
[[nodiscard]] Value to_decimal(const Value& number, binlog::Arena& arena);

enum class Arithmetic : std::uint8_t { Add, Subtract, Multiply, Divide, Remainder };
/// Both operands Decimal. Exact but for Divide; errors Overflow and DivideByZero.
[[nodiscard]] Value decimal_arithmetic(Arithmetic op, const Value& a, const Value& b,
                                       binlog::Arena& arena);
[[nodiscard]] Value decimal_negate(const Value& a, binlog::Arena& arena);
/// -1, 0, 1.
[[nodiscard]] int decimal_compare(const Value& a, const Value& b);
/// Compares with any other number; nothing when that is a NaN.
[[nodiscard]] std::optional<int> number_compare_decimal(const Value& a, const Value& b);
void append_decimal(std::string& out, const Value& decimal);
[[nodiscard]] double decimal_to_double(const Value& decimal);
/// Towards zero, as CEL's int(double). Nothing when out of range.
[[nodiscard]] std::optional<std::int64_t> decimal_to_int(const Value& decimal);
[[nodiscard]] std::uint64_t decimal_hash(const Value& decimal);

}  // namespace rowtrail::infer
