// DECIMAL in the servers' packed form (strings/decimal.cc, decimal2bin): nine digits in four
// big-endian bytes, the first and last group shorter; the top bit flipped, all bits when negative.
#pragma once

#include "binlog/cursor.h"

#include <cstddef>
#include <cstdint>

namespace rowtrail::binlog {

inline constexpr unsigned kDecimalPrecisionMax = 65;
inline constexpr unsigned kDecimalScaleMax = 30;
/// Sign, point, a zero before it and the digits.
inline constexpr std::size_t kDecimalTextMax = kDecimalPrecisionMax + 3;

[[nodiscard]] constexpr bool is_decimal_shape(unsigned precision, unsigned scale) noexcept {
  return precision >= 1 && precision <= kDecimalPrecisionMax && scale <= kDecimalScaleMax &&
         scale <= precision;
}

/// Reads one value and writes its digits as the server prints them ("-12.50") to `to`, which has
/// room for kDecimalTextMax. Returns the end of the text; fails the cursor on bytes no server
/// writes.
char* read_decimal(Cursor& in, unsigned precision, unsigned scale, char* to) noexcept;

}  // namespace rowtrail::binlog
