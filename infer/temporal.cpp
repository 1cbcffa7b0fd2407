#include "infer/temporal.h"

#include <chrono>
#include <iterator>
#include <limits>

#include <fmt/format.h>

namespace rowtrail::infer {
namespace {

/// Exactly `count` digits at the front of `text`, which loses them; nothing otherwise.
std::optional<unsigned> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  unsigned number = 0;
  for (std::size_t n = 0; n < count; ++n) {
    if (text[n] < '0' || text[n] > '9') return std::nullopt;
    number = number * 10 + static_cast<unsigned>(text[n] - '0');
  }
  text.remove_prefix(count);
  return number;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

struct Fraction {
  std::uint32_t nanoseconds = 0;
  unsigned digits = 0;
};
std::optional<Fraction> take_fraction(std::string_view& text) {
  Fraction fraction;
  if (!take(text, ".")) return fraction;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    if (++fraction.digits > 9) return std::nullopt;
    fraction.nanoseconds = fraction.nanoseconds * 10 + static_cast<std::uint32_t>(text[0] - '0');
    text.remove_prefix(1);
  }
  if (fraction.digits == 0) return std::nullopt;
  for (unsigned n = fraction.digits; n < 9; ++n) fraction.nanoseconds *= 10;
  return fraction;
}

std::optional<CivilTime> take_date(std::string_view& text) {
  CivilTime civil{};
  const auto year = take_digits(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day) return std::nullopt;
  civil.year = *year;
  civil.month = *month;
  civil.day = *day;
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(*month), std::chrono::day(*day));
  if (!date.ok() || *year == 0) return std::nullopt;
  return civil;
}

bool take_clock(std::string_view& text, CivilTime& civil) {
  const auto hour = take_digits(text, 2);
  if (!hour || !take(text, ":")) return false;
  const auto minute = take_digits(text, 2);
  if (!minute || !take(text, ":")) return false;
  const auto second = take_digits(text, 2);
  if (!second || *hour > 23 || *minute > 59 || *second > 59) return false;
  civil.hour = *hour;
  civil.minute = *minute;
  civil.second = *second;
  return true;
}

void append_fraction(std::string& out, std::uint32_t nanoseconds, unsigned digits) {
  std::string text = fmt::format("{:09}", nanoseconds);
  while (text.size() > digits && text.back() == '0') text.pop_back();
  if (!text.empty()) out += '.' + text;
}

/// One "12.5ms" of a duration in nanoseconds; false when it is none or too large.
bool take_duration_part(std::string_view& text, __int128& total) {
  __int128 whole = 0;
  bool any = false;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    whole = whole * 10 + (text[0] - '0');
    if (whole > std::numeric_limits<std::int64_t>::max()) return false;
    text.remove_prefix(1);
    any = true;
  }
  __int128 part = 0;
  __int128 divisor = 1;
  if (take(text, ".")) {
    while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
      if (divisor < 1'000'000'000'000) {
        part = part * 10 + (text[0] - '0');
        divisor *= 10;
      }
      text.remove_prefix(1);
      any = true;
    }
  }
  if (!any) return false;
  static constexpr struct {
    std::string_view name;
    std::int64_t nanoseconds;
  } kUnits[] = {{"ns", 1},         {"us", 1000},          {"µs", 1000},
                {"ms", 1'000'000}, {"h", 3600 * kSecond}, {"m", 60 * kSecond},
                {"s", kSecond}};
  for (const auto& unit : kUnits) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    total += whole * unit.nanoseconds + part * unit.nanoseconds / divisor;
    return total <= std::numeric_limits<std::int64_t>::max();
  }
  return false;
}

void append_mysql_time(std::string& out, const Value& time) {
  const bool negative = time.i < 0;
  const auto magnitude = negative ? -static_cast<std::uint64_t>(time.i) : time.u;
  const std::uint64_t seconds = magnitude / kSecond;
  fmt::format_to(std::back_inserter(out), "{}{:02}:{:02}:{:02}", negative ? "-" : "",
                 seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (time.scale > 0) {
    out += '.';
    out.append(fmt::format("{:09}", magnitude % kSecond), 0, time.scale);
  }
}

}  // namespace

Value make_timestamp(std::int64_t seconds, std::uint32_t nanoseconds, Style style,
                     unsigned digits) {
  Value value;
  value.kind = Kind::Timestamp;
  value.style = static_cast<std::uint8_t>(style);
  value.scale = static_cast<std::uint8_t>(digits);
  value.size = nanoseconds;
  value.i = seconds;
  return value;
}

Value make_duration(std::int64_t nanoseconds, Style style, unsigned digits) {
  Value value;
  value.kind = Kind::Duration;
  value.style = static_cast<std::uint8_t>(style);
  value.scale = static_cast<std::uint8_t>(digits);
  value.i = nanoseconds;
  return value;
}

std::optional<Value> parse_timestamp(std::string_view text) {
  auto civil = take_date(text);
  if (!civil) return std::nullopt;
  if (text.empty()) return make_timestamp(seconds_of(*civil), 0, Style::Date);
  if (!take(text, "Tt ") || !take_clock(text, *civil)) return std::nullopt;
  const auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  Style style = Style::DateTime;
  std::int64_t offset = 0;
  if (!text.empty()) {
    const auto zone = text == "z" ? std::optional<std::int64_t>(0) : parse_zone(text);
    if (!zone || text[0] == 'U') return std::nullopt;
    offset = *zone;
    style = Style::Plain;
  }
  const std::int64_t seconds = seconds_of(*civil) - offset;
  if (seconds < kTimestampMin || seconds > kTimestampMax) return std::nullopt;
  return make_timestamp(seconds, fraction->nanoseconds, style, fraction->digits);
}

std::optional<Value> parse_duration(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return make_duration(0);
  if (text.empty()) return std::nullopt;
  __int128 total = 0;
  while (!text.empty()) {
    if (!take_duration_part(text, total)) return std::nullopt;
  }
  const auto nanoseconds = static_cast<std::int64_t>(total);
  return make_duration(negative ? -nanoseconds : nanoseconds);
}

void append_timestamp(std::string& out, const Value& timestamp) {
  const CivilTime civil = civil_time(timestamp.i);
  const auto style = static_cast<Style>(timestamp.style);
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}", civil.year, civil.month, civil.day);
  if (style == Style::Date) return;
  fmt::format_to(std::back_inserter(out), "T{:02}:{:02}:{:02}", civil.hour, civil.minute,
                 civil.second);
  append_fraction(out, timestamp.size, timestamp.scale);
  if (style == Style::Plain) out += 'Z';
}

void append_duration(std::string& out, const Value& duration) {
  if (static_cast<Style>(duration.style) == Style::Time) return append_mysql_time(out, duration);
  const bool negative = duration.i < 0;
  const auto magnitude = negative ? -static_cast<std::uint64_t>(duration.i) : duration.u;
  if (negative) out += '-';
  out += std::to_string(magnitude / kSecond);
  append_fraction(out, static_cast<std::uint32_t>(magnitude % kSecond), 0);
  out += 's';
}

std::optional<Value> shift(const Value& timestamp, std::int64_t nanoseconds) {
  std::int64_t seconds = timestamp.i + nanoseconds / kSecond;
  std::int64_t rest = std::int64_t{timestamp.size} + nanoseconds % kSecond;
  if (rest < 0) {
    rest += kSecond;
    --seconds;
  } else if (rest >= kSecond) {
    rest -= kSecond;
    ++seconds;
  }
  if (seconds < kTimestampMin || seconds > kTimestampMax) return std::nullopt;
  const auto style = static_cast<Style>(timestamp.style) == Style::Date
                         ? Style::DateTime
                         : static_cast<Style>(timestamp.style);
  return make_timestamp(seconds, static_cast<std::uint32_t>(rest), style, timestamp.scale);
}

std::optional<Value> difference(const Value& later, const Value& earlier) {
  const __int128 nanoseconds = (static_cast<__int128>(later.i) - earlier.i) * kSecond +
                               (std::int64_t{later.size} - std::int64_t{earlier.size});
  if (nanoseconds > std::numeric_limits<std::int64_t>::max() ||
      nanoseconds < std::numeric_limits<std::int64_t>::min()) {
    return std::nullopt;
  }
  return make_duration(static_cast<std::int64_t>(nanoseconds));
}

CivilTime civil_time(std::int64_t seconds) {
  using namespace std::chrono;
  const auto point = sys_seconds(std::chrono::seconds(seconds));
  const auto day_point = floor<days>(point);
  const year_month_day date(day_point);
  const auto in_day = static_cast<unsigned>((point - day_point).count());
  const auto new_year = sys_days(date.year() / January / 1);
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          in_day / 3600,
          in_day / 60 % 60,
          in_day % 60,
          weekday(day_point).c_encoding(),
          static_cast<unsigned>((day_point - new_year).count())};
}

std::int64_t seconds_of(const CivilTime& civil) {
  using namespace std::chrono;
  const year_month_day date(year(static_cast<int>(civil.year)), month(civil.month), day(civil.day));
  return sys_days(date).time_since_epoch().count() * std::int64_t{86400} +
         std::int64_t{civil.hour} * 3600 + std::int64_t{civil.minute} * 60 + civil.second;
}

std::optional<std::int64_t> parse_zone(std::string_view text) {
  if (text == "UTC" || text == "Z") return 0;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const auto hours = take_digits(text, 2);
  if (!hours || !take(text, ":")) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || !text.empty() || *hours > 23 || *minutes > 59) return std::nullopt;
  const auto seconds = std::int64_t{*hours} * 3600 + std::int64_t{*minutes} * 60;
  return negative ? -seconds : seconds;
}

}  // namespace rowtrail::infer
