#include "binlog/cell.h"

#include <array>
#include <chrono>
#include <iterator>

#include <fmt/format.h>

namespace rowtrail::binlog {

std::string format_utc(std::int64_t microseconds, unsigned fsp) {
  namespace chr = std::chrono;
  const chr::sys_time<chr::microseconds> time{chr::microseconds(microseconds)};
  const auto day = chr::floor<chr::days>(time);
  const chr::year_month_day date(day);
  const chr::hh_mm_ss clock(time - day);
  std::string out =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (fsp > 0) {
    static constexpr std::array<std::int64_t, 7> kDivisor = {1000000, 100000, 10000, 1000,
                                                             100,     10,     1};
    const auto digits = fsp > 6 ? 6 : fsp;
    fmt::format_to(std::back_inserter(out), ".{:0{}}",
                   clock.subseconds().count() / kDivisor[digits], digits);
  }
  out += 'Z';
  return out;
}

}  // namespace rowtrail::binlog
