#include "binlog/temporal.h"

#include "binlog/column_types.h"

#include <array>
#include <cstdlib>

namespace rowtrail::binlog {
namespace {

constexpr std::array<std::uint32_t, 7> kFractionUnit = {1000000, 100000, 10000, 1000, 100, 10, 1};

[[nodiscard]] constexpr unsigned fraction_bytes(unsigned fsp) noexcept {
  return (fsp + 1) / 2;
}

/// Microseconds of a fraction stored in fraction_bytes(fsp) bytes: units of 10^-2, 10^-4 or 10^-6.
[[nodiscard]] std::uint32_t fraction_us(std::uint64_t stored, unsigned fsp) noexcept {
  return static_cast<std::uint32_t>(stored) * kFractionUnit[fraction_bytes(fsp) * 2];
}

void set_datetime(Cursor& in, Cell& out, CellKind kind, const DateTimeParts& parts, unsigned fsp) {
  if (parts.month > 12 || parts.hour > 23 || parts.minute > 59 || parts.second > 59 ||
      parts.year > 9999 || parts.microsecond >= kMicroseconds) {
    in.fail();
  }
  out.kind = kind;
  out.fsp = static_cast<std::uint8_t>(fsp);
  out.u = pack_datetime(parts);
}

void set_time(Cursor& in, Cell& out, std::int64_t microseconds, unsigned fsp) {
  constexpr std::int64_t kTimeMax = (std::int64_t{839} * 3600) * kMicroseconds;
  if (microseconds <= -kTimeMax || microseconds >= kTimeMax) in.fail();
  out.kind = CellKind::Time;
  out.fsp = static_cast<std::uint8_t>(fsp);
  out.i = microseconds;
}

/// Digits of `value`, at least `width` of them.
char* put_number(char* to, std::uint32_t value, unsigned width) noexcept {
  static constexpr std::array<std::uint32_t, 7> kPowers = {1,     10,     100,    1000,
                                                           10000, 100000, 1000000};
  while (width < 6 && value >= kPowers[width]) ++width;
  for (unsigned i = width; i > 0; --i) {
    to[i - 1] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return to + width;
}

}  // namespace

DateTimeParts datetime_from_packed(std::uint64_t packed) noexcept {
  const auto part = [](std::uint64_t value) { return static_cast<std::uint32_t>(value); };
  const std::uint64_t ymd_hms = packed >> 24;
  const std::uint64_t ymd = ymd_hms >> 17;
  return {part((ymd >> 5) / 13),       part((ymd >> 5) % 13),      part(ymd & 31U),
          part((ymd_hms >> 12) & 31U), part((ymd_hms >> 6) & 63U), part(ymd_hms & 63U),
          part(packed & 0xFFFFFFU)};
}

std::int64_t time_from_packed(std::int64_t packed) noexcept {
  const bool negative = packed < 0;
  const auto magnitude =
      negative ? 0 - static_cast<std::uint64_t>(packed) : static_cast<std::uint64_t>(packed);
  const std::uint64_t hms = magnitude >> 24;
  const auto seconds = static_cast<std::int64_t>(((hms >> 12) & 1023U) * 3600 +
                                                 ((hms >> 6) & 63U) * 60 + (hms & 63U));
  const auto value = seconds * kMicroseconds + static_cast<std::int64_t>(magnitude & 0xFFFFFFU);
  return negative ? -value : value;
}

char* put_date(char* to, const DateTimeParts& parts) noexcept {
  to = put_number(to, parts.year, 4);
  *to++ = '-';
  to = put_number(to, parts.month, 2);
  *to++ = '-';
  return put_number(to, parts.day, 2);
}

char* put_clock(char* to, std::uint32_t hour, std::uint32_t minute, std::uint32_t second,
                std::uint32_t microsecond, unsigned fsp) noexcept {
  to = put_number(to, hour, 2);
  *to++ = ':';
  to = put_number(to, minute, 2);
  *to++ = ':';
  to = put_number(to, second, 2);
  if (fsp > 0) {
    *to++ = '.';
    to = put_number(to, microsecond / kFractionUnit[fsp], fsp);
  }
  return to;
}

void decode_year(Cursor& in, const Column& /*column*/, CellContext& /*context*/, Cell& out) {
  const auto raw = in.u8();
  out.kind = CellKind::UInt;
  out.u = raw == 0 ? 0 : 1900U + raw;
}

void decode_date(Cursor& in, const Column& /*column*/, CellContext& /*context*/, Cell& out) {
  // day in 5 bits, month in 4, year above: the order Cell uses too.
  const auto raw = in.le<3>();
  if (((raw >> 5) & 15U) > 12) in.fail();
  out.kind = CellKind::Date;
  out.u = raw;
}

void decode_datetime(Cursor& in, const Column& /*column*/, CellContext& /*context*/, Cell& out) {
  // Before 5.6: the decimal number YYYYMMDDhhmmss.
  const auto raw = in.le<8>();
  const auto part = [raw](std::uint64_t divisor, std::uint64_t modulus) {
    return static_cast<std::uint32_t>(raw / divisor % modulus);
  };
  if (raw > 99991231235959U) in.fail();
  set_datetime(in, out, CellKind::DateTime,
               {part(10000000000, 10000), part(100000000, 100), part(1000000, 100),
                part(10000, 100), part(100, 100), part(1, 100), 0},
               0);
}

void decode_datetime2(Cursor& in, const Column& column, CellContext& /*context*/, Cell& out) {
  constexpr std::uint64_t kOffset = 0x8000000000U;
  const unsigned fsp = column.metadata;
  const auto whole = in.be(5);
  const auto fraction = fraction_us(in.be(fraction_bytes(fsp)), fsp);
  if (whole < kOffset) {  // a negative DATETIME does not exist
    in.fail();
    return;
  }
  set_datetime(in, out, CellKind::DateTime,
               datetime_from_packed(((whole - kOffset) << 24) | fraction), fsp);
}

void decode_timestamp(Cursor& in, const Column& /*column*/, CellContext& /*context*/, Cell& out) {
  out.kind = CellKind::Timestamp;
  out.fsp = 0;
  out.i = static_cast<std::int64_t>(in.le<4>()) * kMicroseconds;
}

void decode_timestamp2(Cursor& in, const Column& column, CellContext& /*context*/, Cell& out) {
  const unsigned fsp = column.metadata;
  const auto seconds = static_cast<std::int64_t>(in.be(4));
  const auto fraction = fraction_us(in.be(fraction_bytes(fsp)), fsp);
  if (fraction >= kMicroseconds) in.fail();
  out.kind = CellKind::Timestamp;
  out.fsp = static_cast<std::uint8_t>(fsp);
  out.i = seconds * kMicroseconds + fraction;
}

void decode_time(Cursor& in, const Column& /*column*/, CellContext& /*context*/, Cell& out) {
  // Before 5.6: the signed decimal number hhmmss in three bytes.
  const auto raw = in.le<3>();
  const auto value = static_cast<std::int64_t>(raw << 40) >> 40;
  const auto magnitude = std::abs(value);
  if (magnitude / 100 % 100 > 59 || magnitude % 100 > 59) in.fail();
  const auto seconds = magnitude / 10000 * 3600 + magnitude / 100 % 100 * 60 + magnitude % 100;
  set_time(in, out, (value < 0 ? -seconds : seconds) * kMicroseconds, 0);
}

void decode_time2(Cursor& in, const Column& column, CellContext& /*context*/, Cell& out) {
  // A signed number of packed units with its sign flipped, as big-endian bytes: whole and fraction
  // are one number, so the fraction of a negative time counts up from the more negative second.
  const unsigned fsp = column.metadata;
  const unsigned bytes = fraction_bytes(fsp) & 3U;
  const auto raw = static_cast<std::int64_t>(in.be(3 + bytes));
  const auto value = raw - (std::int64_t{0x800000} << (8 * bytes));
  const auto magnitude = static_cast<std::uint64_t>(std::abs(value));
  const auto fraction = fraction_us(magnitude & ((std::uint64_t{1} << (8 * bytes)) - 1), fsp);
  const auto packed = static_cast<std::int64_t>(((magnitude >> (8 * bytes)) << 24) | fraction);
  if (fraction >= kMicroseconds) in.fail();
  set_time(in, out, time_from_packed(value < 0 ? -packed : packed), fsp);
}

}  // namespace rowtrail::binlog
