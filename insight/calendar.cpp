#include "insight/calendar.h"

#include <array>
#include <charconv>
#include <chrono>

#include <fmt/format.h>

namespace rowtrail::insight {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::int64_t kDayUs = 86'400'000'000;
constexpr std::array kWeekdays{"Sundays",   "Mondays", "Tuesdays", "Wednesdays",
                               "Thursdays", "Fridays", "Saturdays"};

std::int64_t microseconds(sys_days day) {
  return day.time_since_epoch().count() * kDayUs;
}

sys_days day_of(std::int64_t time_us) {
  return sys_days{days{time_us / kDayUs - (time_us % kDayUs < 0 ? 1 : 0)}};
}

std::string text(sys_days day) {
  const year_month_day date{day};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

/// The ISO 8601 week: that of its Thursday's year.
std::string week_title(sys_days monday) {
  const sys_days thursday = monday + days{3};
  const auto year = year_month_day{thursday}.year();
  const sys_days january_first{year / 1 / 1};
  return fmt::format("{:04}-W{:02}", static_cast<int>(year),
                     (thursday - january_first).count() / 7 + 1);
}

Span make_span(SpanKind kind, sys_days day) {
  Span span;
  span.kind = kind;
  if (kind == SpanKind::Day) {
    span.since_us = microseconds(day);
    span.until_us = microseconds(day + days{1});
    span.title = text(day);
    span.usual = kWeekdays.at(std::chrono::weekday{day}.c_encoding());
  } else if (kind == SpanKind::Week) {
    const sys_days monday = day - days{std::chrono::weekday{day}.iso_encoding() - 1};
    span.since_us = microseconds(monday);
    span.until_us = microseconds(monday + days{7});
    span.title = week_title(monday);
    span.usual = "weeks";
  } else {
    const year_month_day date{day};
    const auto month = date.year() / date.month();
    const auto next = month + std::chrono::months{1};
    span.since_us = microseconds(sys_days{month / 1});
    span.until_us = microseconds(sys_days{next / 1});
    span.title = text(sys_days{month / 1}).substr(0, 7);
    span.usual = "months";
  }
  return span;
}

bool number(std::string_view text, int& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

core::Result<Span> span_of(SpanKind kind, std::string_view date) {
  int year = 0;
  int month = 0;
  int day = 0;
  const bool shaped = date.size() == 10 && date[4] == '-' && date[7] == '-';
  if (shaped && number(date.substr(0, 4), year) && number(date.substr(5, 2), month) &&
      number(date.substr(8, 2), day)) {
    const auto parsed = std::chrono::year{year} / month / day;
    if (year >= 1970 && parsed.ok()) return make_span(kind, sys_days{parsed});
  }
  return core::Error{core::Errc::Invalid, fmt::format("'{}' is no date YYYY-MM-DD", date)};
}

std::vector<Span> reference_spans(const Span& span) {
  constexpr int kDays = 8;
  constexpr int kWeeks = 4;
  constexpr int kMonths = 3;
  std::vector<Span> spans;
  if (span.kind == SpanKind::Month) {
    for (std::int64_t since = span.since_us; spans.size() < kMonths;
         since = spans.back().since_us) {
      spans.push_back(make_span(span.kind, day_of(since - 1)));
    }
    return spans;
  }
  const int count = span.kind == SpanKind::Day ? kDays : kWeeks;
  for (int i = 1; i <= count; ++i) {
    spans.push_back(make_span(span.kind, day_of(span.since_us) - days{7 * i}));
  }
  return spans;
}

std::string date_text(std::int64_t time_us) {
  return text(day_of(time_us));
}

}  // namespace rowtrail::insight
