// The detectors on a history made by hand: what is unusual is found and told, what is usual is not,
// and a restart anywhere changes nothing.
#include "test/store/support.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>

#include "insight/insight.h"
#include "insight/statistics.h"
#include <catch2/catch.hpp>
#include <fmt/format.h>

namespace rowtrail::insight {
namespace {

using store::test::Made;

constexpr std::int64_t kHourUs = 3'600'000'000;
constexpr std::int64_t kDayUs = 24 * kHourUs;
constexpr std::int64_t kFirstDay = 1'789'948'800'000'000;  // 2026-09-21, a Monday

/// What happened, of which a transaction is made when it is shown: each has memory of its own.
struct Deed {
  std::int64_t time_us;
  std::string type, actor;
};

/// Days of a shop: anna and bruno sell, anna corrects stock once on every third day.
std::vector<Deed> ordinary(std::int64_t days) {
  std::vector<Deed> deeds;
  for (std::int64_t day = 0; day < days; ++day) {
    for (std::int64_t i = 0; i < 12 + day % 3; ++i) {
      deeds.push_back({kFirstDay + day * kDayUs + 8 * kHourUs + i * kHourUs / 2, "sale.completed",
                       i % 2 == 0 ? "anna" : "bruno"});
    }
    if (day % 3 != 0) continue;
    deeds.push_back({kFirstDay + day * kDayUs + 16 * kHourUs, "stock.corrected", "anna"});
  }
  return deeds;
}

Made transaction_of(std::uint64_t number, const Deed& deed) {
  Made made(number, deed.time_us);
  if (deed.type == "auto.schema_changed") {
    normalize::Change change;
    change.op = normalize::Op::Ddl;
    change.sql = "ALTER TABLE sale DROP COLUMN total";
    made.transaction->changes.push_back(change);
    made.event(deed.type);
    made.events.back().rule_id = "auto";
    return made;
  }
  made.insert(store::test::table("shop", "sale"), static_cast<std::int64_t>(number), "x");
  made.event(deed.type, deed.actor, {{"sale", std::to_string(number), ""}});
  made.events.back().rule_id = "rule";
  return made;
}

/// Shows the history to the detectors; restarts them after every `restart_every` transactions.
std::vector<std::string> judged(const std::vector<Deed>& history, std::size_t restart_every = 0) {
  Detectors detectors;
  std::vector<std::string> kept;
  std::vector<std::string> out;
  std::uint64_t seq = 0;
  std::vector<Anomaly> found;
  for (std::size_t n = 0; n < history.size(); ++n) {
    const auto made = transaction_of(n + 1, history[n]);
    found.clear();
    detectors.observe(*made.transaction, made.events, seq + 2, 0, found);
    seq += 3;
    for (const auto& anomaly : found) {
      std::string line;
      append_anomaly(line, anomaly, *made.transaction);
      out.push_back(line + " " + evidence_text(anomaly));
    }
    if (n % 100 == 50) {
      kept = {detectors.snapshot()};
    } else {
      kept.push_back(detectors.take_observed());
    }
    if (restart_every != 0 && n > 50 && n % restart_every == 0) {
      Detectors again;
      REQUIRE(again.restore(kept));
      detectors = std::move(again);
    }
  }
  return out;
}

bool tells(const std::vector<std::string>& anomalies, const std::string& what) {
  return std::any_of(anomalies.begin(), anomalies.end(),
                     [&](const std::string& line) { return line.find(what) != std::string::npos; });
}

std::vector<Deed> eventful() {
  auto history = ordinary(60);
  const auto day = kFirstDay + 60 * kDayUs;
  for (int i = 0; i < 9; ++i) {
    history.push_back(
        {day + 9 * kHourUs + i * std::int64_t{600'000'000}, "stock.corrected", "anna"});
  }
  history.push_back({day + kDayUs + 3 * kHourUs, "sale.completed", "bruno"});
  history.push_back({day + kDayUs + 10 * kHourUs, "role.granted", "bruno"});
  history.push_back({day + kDayUs + 11 * kHourUs, "auto.schema_changed", ""});
  return history;
}

}  // namespace

TEST_CASE("anomalies: an ordinary history has none") {
  CHECK(judged(ordinary(60)).empty());
}

TEST_CASE("anomalies: what is unusual is told with its numbers and events") {
  const auto found = judged(eventful());
  CHECK(tells(found, "\"detector\":\"actor-rate\""));
  CHECK(tells(found, "anna: stock.corrected"));
  CHECK(tells(found, "\"detector\":\"off-hours\""));
  CHECK(tells(found, "bruno acted at 03:00"));
  CHECK(tells(found, "\"detector\":\"new-actor-type\""));
  CHECK(tells(found, "bruno did role.granted for the first time"));
  CHECK(tells(found, "\"detector\":\"schema-change\""));
  CHECK(tells(found, "DROP COLUMN total"));
}

TEST_CASE("anomalies: a restart changes nothing") {
  const auto history = eventful();
  const auto uncut = judged(history);
  REQUIRE_FALSE(uncut.empty());
  for (const std::size_t every : {1UL, 7UL, 64UL, 333UL}) CHECK(judged(history, every) == uncut);
}

TEST_CASE("anomalies: what another version kept is not taken for one's own") {
  Detectors detectors;
  CHECK(detectors.restore({}));
  const std::vector<std::string> other{"rowtrail detectors 0\nxyz"};
  CHECK_FALSE(detectors.restore(other));
  auto cut = detectors.snapshot();
  cut.resize(cut.size() / 2);
  const std::vector<std::string> parts{cut};
  CHECK_FALSE(detectors.restore(parts));
}

TEST_CASE("anomalies: every detector has its own id and says what it does") {
  std::vector<std::string_view> ids;
  for (const auto& detector : detectors()) {
    CHECK_FALSE(detector.catches.empty());
    CHECK_FALSE(detector.formula.empty());
    CHECK(find_detector(detector.id) == &detector);
    ids.push_back(detector.id);
  }
  std::sort(ids.begin(), ids.end());
  CHECK(std::adjacent_find(ids.begin(), ids.end()) == ids.end());
  CHECK(find_detector("no such") == nullptr);
}

TEST_CASE("anomalies: docs/anomalies.md is the table of detectors") {
  std::ifstream file(ROWTRAIL_SOURCE "/docs/anomalies.md");
  const std::string docs(std::istreambuf_iterator<char>(file), {});
  for (const auto& detector : detectors()) {
    const auto row =
        fmt::format("| `{}` | {} | {} | {} | {} |\n", detector.id, detector.group, detector.catches,
                    detector.formula, infer::severity_name(detector.severity));
    INFO(row);
    CHECK(docs.find(row) != std::string::npos);
  }
}

TEST_CASE("series: a spike and a drop stand out, a weekly rhythm does not") {
  SeriesDetector detector(0.001);
  int false_alarms = 0;
  constexpr int kHours = 24 * 7 * 12;
  for (int hour = 0; hour < kHours; ++hour) {
    const double noise = static_cast<double>((hour * 7919) % 101) / 50 - 1;
    const double usual = 100 + 50 * std::sin(hour % 24 / 24.0 * 6.28318) + 5 * noise;
    const bool spike = hour == kHours - 30 || hour == kHours - 9;
    const auto judged = detector.judge(std::int64_t{hour} * kHourUs,
                                       spike ? usual * (hour % 2 == 0 ? 4 : 0) : usual);
    if (spike) CHECK(judged.anomaly);
    if (!spike && judged.anomaly) ++false_alarms;
  }
  CHECK(false_alarms <= 4);
}

TEST_CASE("series: times in three forms, and what is none") {
  CHECK(series_time("1970-01-02 00:00:01").value() == kDayUs + 1'000'000);
  CHECK(series_time("1970-01-02T00:00:01Z").value() == kDayUs + 1'000'000);
  CHECK(series_time("86401").value() == kDayUs + 1'000'000);
  CHECK_FALSE(series_time("yesterday"));
  CHECK_FALSE(series_time("2026-13-01 00:00:00"));
}

TEST_CASE("statistics: tails against values computed elsewhere") {
  // By exact sums: r = 1/0.5, p = 1/1.5: mean 1, variance 1.5, P(X >= 9).
  CHECK(count_score(9, 1, 1.5) == Approx(-std::log10(3.55637e-4)).margin(0.01));
  CHECK(count_score(0, 1, 1.5) == 0);
  CHECK(low_count_score(0, 10, 2) == Approx(10 * std::log10(2.0)).margin(1e-9));
  CHECK(deviation_score(1.959964, 1e9) == Approx(-std::log10(0.025)).margin(1e-4));
  CHECK(deviation_score(0, 10) == 0);
  CHECK(deviation_score(1e6, 1e9) == kScoreMax);
}

TEST_CASE("statistics: the calibrated tail follows the scores that came") {
  ScoreTail tail;
  CHECK(tail.probability(3) == Approx(1e-3));  // the model, as long as nothing is known
  // Scores of exponential distribution: P(score > s) = exp(-s).
  for (int n = 0; n < 100'000; ++n) tail.add(-std::log((n + 0.5) / 100'000));
  CHECK(tail.probability(2) == Approx(std::exp(-2)).epsilon(0.15));
  CHECK(tail.probability(12) < std::exp(-12) * 10);
  CHECK(tail.probability(12) > std::exp(-12) / 10);
}

}  // namespace rowtrail::insight
