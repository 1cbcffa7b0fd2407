#include "server/time_text.h"

#include <array>
#include <charconv>
#include <chrono>
#include <optional>

#include <fmt/format.h>

namespace rowtrail::server {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kDay = 86'400 * kSecond;

/// Takes what it needs from the front of a text; a wrong character makes it fail for good.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  int digits(std::size_t count) {
    int value = 0;
    if (rest_.size() < count) return fail();
    for (std::size_t i = 0; i < count; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return fail();
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }
  /// One of `wanted`, or '\0' after failing.
  char one_of(std::string_view wanted) {
    if (rest_.empty() || wanted.find(rest_.front()) == std::string_view::npos) {
      fail();
      return '\0';
    }
    const char taken = rest_.front();
    rest_.remove_prefix(1);
    return taken;
  }
  [[nodiscard]] char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  [[nodiscard]] bool done() const { return ok_ && rest_.empty(); }

 private:
  int fail() {
    ok_ = false;
    return 0;
  }
  std::string_view rest_;
  bool ok_ = true;
};

std::optional<std::int64_t> span_us(std::string_view text) {
  constexpr std::pair<char, std::int64_t> kUnits[] = {
      {'s', kSecond}, {'m', 60 * kSecond}, {'h', 3600 * kSecond}, {'d', kDay}, {'w', 7 * kDay}};
  constexpr std::int64_t kCountMax = 1'000'000;
  if (text.size() < 2) return std::nullopt;
  std::int64_t count = 0;
  const char* end = text.data() + text.size() - 1;
  const auto [stop, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc() || stop != end || count < 0 || count > kCountMax) return std::nullopt;
  for (const auto& [letter, unit] : kUnits) {
    if (letter == text.back()) return count * unit;
  }
  return std::nullopt;
}

std::int64_t fraction_us(Scanner& scanner) {
  std::int64_t unit = kSecond / 10;
  std::int64_t value = 0;
  do {
    value += scanner.digits(1) * unit;
    unit /= 10;  // beyond microseconds digits are read and dropped
  } while (scanner.peek() >= '0' && scanner.peek() <= '9');
  return value;
}

std::optional<std::int64_t> rfc3339_us(std::string_view text) {
  using namespace std::chrono;
  Scanner scanner(text);
  const int y = scanner.digits(4);
  scanner.one_of("-");
  const int m = scanner.digits(2);
  scanner.one_of("-");
  const int d = scanner.digits(2);
  const year_month_day date{year(y), month(static_cast<unsigned>(m)),
                            day(static_cast<unsigned>(d))};
  if (!date.ok()) return std::nullopt;
  const std::int64_t midnight = sys_days(date).time_since_epoch().count() * kDay;
  if (scanner.done()) return midnight;

  scanner.one_of("Tt ");
  const int h = scanner.digits(2);
  scanner.one_of(":");
  const int minute = scanner.digits(2);
  scanner.one_of(":");
  const int second = scanner.digits(2);
  std::int64_t fraction = 0;
  if (scanner.peek() == '.') {
    scanner.one_of(".");
    fraction = fraction_us(scanner);
  }
  // '+' arrives as a space from a query that did not encode it.
  const char zone = scanner.one_of("Zz+- ");
  int offset_minutes = 0;
  if (zone == '+' || zone == '-' || zone == ' ') {
    const int hours = scanner.digits(2);
    scanner.one_of(":");
    const int minutes = scanner.digits(2);
    if (hours > 23 || minutes > 59) return std::nullopt;
    offset_minutes = (hours * 60 + minutes) * (zone == '-' ? -1 : 1);
  }
  if (!scanner.done() || h > 23 || minute > 59 || second > 60) return std::nullopt;
  const std::int64_t seconds = (h * 60 + minute - offset_minutes) * 60 + second;
  return midnight + seconds * kSecond + fraction;
}

}  // namespace

Outcome<std::int64_t> parse_time(std::string_view text, std::int64_t now_us) {
  if (text == "now") return now_us;
  if (const auto span = span_us(text)) return now_us - *span;
  if (const auto time = rfc3339_us(text)) return *time;
  return Problem{
      ProblemId::InvalidParameter, fmt::format("\"{}\" is not a time.", text),
      "Write 2026-11-24T10:00:00Z, 2026-11-24, or a span back from now such as 24h or 7d.", ""};
}

std::string format_time(std::int64_t time_us) {
  using namespace std::chrono;
  const sys_time<microseconds> time{microseconds(time_us)};
  const auto midnight = floor<days>(time);
  const year_month_day date(midnight);
  const hh_mm_ss clock(time - midnight);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

}  // namespace rowtrail::server
