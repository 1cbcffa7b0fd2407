// The daily summary as plain text: what happened, by type, by person and by object, against the day
// before. Written to be mailed by cron: no colour in a pipe, no line longer than it must be.
#include "cli/commands.h"
#include "cli/terminal.h"
#include "server/server.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

namespace rowtrail::cli {
namespace {

constexpr std::int64_t kDayUs = 86'400'000'000;
constexpr std::size_t kRowsMax = 15;

std::string date_of(std::int64_t time_us) {
  return binlog::format_utc(time_us, 0).substr(0, 10);
}

/// "+12 (+6 %)", "new", "gone", "="
std::string against(std::uint64_t today, std::uint64_t before) {
  if (before == 0 && today == 0) return "";
  if (before == 0) return "new";
  if (today == 0) return "gone";
  if (today == before) return "=";
  const auto difference = static_cast<double>(today) - static_cast<double>(before);
  const auto percent = 100.0 * difference / static_cast<double>(before);
  return fmt::format("{:+.0f} ({:+.0f} %)", difference, percent);
}

using CountMap = std::map<std::string, std::uint64_t>;

void print_counts(const std::string& title, const CountMap& today, const CountMap& before) {
  std::set<std::string> names;
  for (const auto& [name, count] : today) names.insert(name);
  for (const auto& [name, count] : before) names.insert(name);
  if (names.empty()) return;
  const auto count_of = [](const CountMap& counts, const std::string& name) {
    const auto found = counts.find(name);
    return found == counts.end() ? std::uint64_t{0} : found->second;
  };
  std::vector<std::string> ordered(names.begin(), names.end());
  std::stable_sort(ordered.begin(), ordered.end(), [&](const auto& a, const auto& b) {
    return count_of(today, a) > count_of(today, b);
  });
  const std::size_t folded = ordered.size() > kRowsMax ? ordered.size() - kRowsMax : 0;
  ordered.resize(ordered.size() - folded);
  Table table{{title, "count", "day before", "change"}, {false, true, true, true}, {}};
  for (const auto& name : ordered) {
    const auto now = count_of(today, name);
    const auto then = count_of(before, name);
    table.rows.push_back({name.empty() ? "(unknown)" : fit(name, 48), grouped(now), grouped(then),
                          against(now, then)});
  }
  fmt::print("\n");
  table.print();
  if (folded > 0) fmt::print("and {} more\n", folded);
}

}  // namespace

int summary_command(const Common& common, const std::string& date) {
  std::int64_t day_us = now_us() / kDayUs * kDayUs;
  if (date == "yesterday") {
    day_us -= kDayUs;
  } else if (date != "today") {
    const auto parsed = server::time_from_text(date, now_us());
    if (!parsed || date.size() != 10) {
      throw core::Failure(core::Area::Usage, false,
                          fmt::format("--date '{}' is none of YYYY-MM-DD, today, yesterday", date));
    }
    day_us = *parsed;
  }
  const auto reader = store::open_reader(common.config.store_url);
  const auto today = reader->counts(day_us, day_us + kDayUs);
  const auto before = reader->counts(day_us - kDayUs, day_us);

  fmt::print("{}\n", styled("rowtrail summary for " + date_of(day_us) + " (UTC)", Style::Bold));
  if (today.events == 0) {
    fmt::print("\nNothing was recorded on this day.\n");
  } else {
    fmt::print(
        "\n{} business events in {} transactions ({} row changes); the day before {} events.\n",
        grouped(today.events), grouped(today.transactions), grouped(today.changes),
        grouped(before.events));
  }
  print_counts("type", today.by_type, before.by_type);
  print_counts("actor", today.by_actor, before.by_actor);
  print_counts("objects touched", today.by_object_type, before.by_object_type);
  if (!today.top_objects.empty()) {
    fmt::print("\n");
    Table table{{"busiest objects", "events"}, {false, true}, {}};
    for (const auto& [name, count] : today.top_objects) {
      table.rows.push_back({fit(name, 48), grouped(count)});
    }
    table.print();
  }
  fmt::print("\n{}\n", today.gaps == 0
                           ? "No gaps: everything the source committed is in the record."
                           : fmt::format("{} gaps: see 'rowtrail gaps'.", today.gaps));
  return 0;
}

}  // namespace rowtrail::cli
