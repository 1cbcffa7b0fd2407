// Times and durations of expressions: nanosecond resolution, UTC, no time zone database (a result
// must not depend on the machine's); offsets are written "+02:00".
#pragma once

#include "infer/value.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rowtrail::infer {

// CEL's range of timestamps: 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999999Z.
inline constexpr std::int64_t kTimestampMin = -62'135'596'800;
inline constexpr std::int64_t kTimestampMax = 253'402'300'799;
inline constexpr std::int64_t kSecond = 1'000'000'000;  // nanoseconds

[[nodiscard]] Value make_timestamp(std::int64_t seconds, std::uint32_t nanoseconds,
                                   Style style = Style::Plain, unsigned digits = 0);
[[nodiscard]] Value make_duration(std::int64_t nanoseconds, Style style = Style::Plain,
                                  unsigned digits = 0);

/// RFC 3339, and also what MySQL prints: "2026-11-24", "2026-11-24 10:00:00" (taken as UTC).
[[nodiscard]] std::optional<Value> parse_timestamp(std::string_view text);
/// "1h30m", "-1.5s", "0", with h, m, s, ms, us, ns.
[[nodiscard]] std::optional<Value> parse_duration(std::string_view text);

void append_timestamp(std::string& out, const Value& timestamp);
void append_duration(std::string& out, const Value& duration);

/// Timestamp ± duration, timestamp − timestamp, duration ± duration; nothing when out of range.
[[nodiscard]] std::optional<Value> shift(const Value& timestamp, std::int64_t nanoseconds);
[[nodiscard]] std::optional<Value> difference(const Value& later, const Value& earlier);

struct CivilTime {
  std::int64_t year;
  unsigned month, day, hour, minute, second;
  unsigned week_day;  // 0: Sunday
  unsigned year_day;  // from 0
};
[[nodiscard]] CivilTime civil_time(std::int64_t seconds);
[[nodiscard]] std::int64_t seconds_of(const CivilTime& civil);
/// "UTC", "Z", "+02:00", "-08:30", "02:00" as seconds east of UTC.
[[nodiscard]] std::optional<std::int64_t> parse_zone(std::string_view text);

}  // namespace rowtrail::infer
