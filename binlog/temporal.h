// The servers' packed temporals (mysys/my_time.cc), shared by columns and by JSON.
#pragma once

#include "binlog/cell.h"

#include <cstdint>

namespace rowtrail::binlog {

inline constexpr std::int64_t kMicroseconds = 1'000'000;

/// From the packed 64-bit form (year·13+month, day, hour, minute, second, microsecond), positive.
[[nodiscard]] DateTimeParts datetime_from_packed(std::uint64_t packed) noexcept;
/// Signed microseconds from the packed 64-bit form of TIME.
[[nodiscard]] std::int64_t time_from_packed(std::int64_t packed) noexcept;

/// Digits as the servers print them, to `to`; each returns the end of the text.
char* put_date(char* to, const DateTimeParts& parts) noexcept;  // 2026-11-24
char* put_clock(char* to, std::uint32_t hour, std::uint32_t minute, std::uint32_t second,
                std::uint32_t microsecond, unsigned fsp) noexcept;  // 10:00:00.123
inline constexpr std::size_t kTemporalTextMax = 40;

}  // namespace rowtrail::binlog
