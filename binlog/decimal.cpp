#include "binlog/decimal.h"

#include "binlog/column_types.h"

#include <array>
#include <cstring>

namespace rowtrail::binlog {
namespace {

constexpr unsigned kGroupDigits = 9;
constexpr std::array<std::uint8_t, kGroupDigits + 1> kGroupBytes = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
constexpr std::array<std::uint32_t, kGroupDigits + 1> kPowers = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};

/// Writes exactly `digits` digits of `value`.
char* put_digits(char* to, std::uint32_t value, unsigned digits) noexcept {
  for (unsigned i = digits; i > 0; --i) {
    to[i - 1] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return to + digits;
}

struct Groups {
  const unsigned char* at;
  unsigned char mask;  // 0xFF for a negative number
  bool valid = true;

  std::uint32_t next(unsigned digits) noexcept {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < kGroupBytes[digits]; ++i) value = (value << 8) | (*at++ ^ mask);
    if (value >= kPowers[digits]) valid = false;
    return value;
  }
};

}  // namespace

char* read_decimal(Cursor& in, unsigned precision, unsigned scale, char* to) noexcept {
  const unsigned whole = precision - scale;
  const std::size_t size =
      std::size_t{whole / kGroupDigits} * 4 + kGroupBytes[whole % kGroupDigits] +
      std::size_t{scale / kGroupDigits} * 4 + kGroupBytes[scale % kGroupDigits];
  const auto raw = in.take(size);
  if (raw.size() != size) return to;
  std::array<unsigned char, 32> bytes;  // NOLINT: 65 digits take 30 bytes, all written below
  std::memcpy(bytes.data(), raw.data(), size);
  const bool negative = (bytes[0] & 0x80U) == 0;
  bytes[0] ^= 0x80U;
  Groups groups{bytes.data(), static_cast<unsigned char>(negative ? 0xFF : 0)};

  if (negative) *to++ = '-';
  char* const first = to;
  const auto put_whole = [&](unsigned digits) {
    const auto value = groups.next(digits);
    if (to != first) {
      to = put_digits(to, value, digits);
    } else if (value != 0) {  // leading zeros are not printed
      unsigned used = digits;
      while (used > 1 && value < kPowers[used - 1]) --used;
      to = put_digits(to, value, used);
    }
  };
  if (whole % kGroupDigits != 0) put_whole(whole % kGroupDigits);
  for (unsigned i = 0; i < whole / kGroupDigits; ++i) put_whole(kGroupDigits);
  if (to == first) *to++ = '0';
  if (scale > 0) {
    *to++ = '.';
    for (unsigned i = 0; i < scale / kGroupDigits; ++i) {
      to = put_digits(to, groups.next(kGroupDigits), kGroupDigits);
    }
    if (scale % kGroupDigits != 0) {
      to = put_digits(to, groups.next(scale % kGroupDigits), scale % kGroupDigits);
    }
  }
  if (!groups.valid) in.fail();
  return to;
}

void decode_decimal(Cursor& in, const Column& column, CellContext& context, Cell& out) {
  auto* const begin = context.arena.allocate(kDecimalTextMax, 1);
  auto* const text = reinterpret_cast<char*>(begin);
  char* const end = read_decimal(in, column.metadata >> 8U, column.metadata & 0xFFU, text);
  context.arena.trim(reinterpret_cast<const std::byte*>(end));
  set_text(out, CellKind::Decimal, {text, static_cast<std::size_t>(end - text)});
}

}  // namespace rowtrail::binlog
