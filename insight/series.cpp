#include "insight/series.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

#include <fmt/format.h>

namespace rowtrail::insight {
namespace {

constexpr double kWarmUp = 50;
constexpr std::int64_t kHourUs = 3'600'000'000;

bool digits(std::string_view text, std::size_t at, std::size_t count, int& out) {
  if (text.size() < at + count) return false;
  const auto* begin = text.data() + at;
  return std::from_chars(begin, begin + count, out).ptr == begin + count;
}

}  // namespace

core::Result<std::int64_t> series_time(std::string_view text) {
  using namespace std::chrono;
  double seconds = 0;
  const auto number = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (number.ec == std::errc{} && number.ptr == text.data() + text.size()) {
    constexpr double kSecondsMax = 1e11;
    if (std::abs(seconds) <= kSecondsMax) return static_cast<std::int64_t>(seconds * 1e6);
  }
  int y = 0;
  int mo = 0;
  int d = 0;
  int h = 0;
  int mi = 0;
  int s = 0;
  if (digits(text, 0, 4, y) && digits(text, 5, 2, mo) && digits(text, 8, 2, d)) {
    const auto date = year{y} / mo / d;
    const bool clock = text.size() == 10 || (digits(text, 11, 2, h) && digits(text, 14, 2, mi));
    if (date.ok() && clock && (text.size() < 19 || digits(text, 17, 2, s))) {
      const auto days = sys_days{date}.time_since_epoch().count();
      return (days * std::int64_t{86'400} + h * 3600 + mi * 60 + s) * 1'000'000;
    }
  }
  return core::Error{core::Errc::Invalid,
                     fmt::format("'{}' is no time; write 2026-11-24 10:00:00, RFC 3339 or seconds "
                                 "since 1970",
                                 text)};
}

void SeriesDetector::learn(Cell& cell, double value, double memory) {
  cell.count += 1;
  const double weight = 1 / std::min(cell.count, memory);
  const double difference = value - cell.mean;
  cell.mean += weight * difference;
  cell.variance = (1 - weight) * (cell.variance + weight * difference * difference);
}

Judged SeriesDetector::judge(std::int64_t time_us, double value) {
  constexpr double kLevelMemory = 2000;
  constexpr double kRecentMemory = 12;
  constexpr double kHourMemory = 60;
  constexpr double kErrorMemory = 168;
  constexpr double kHourKnownFrom = 8;
  constexpr double kSmooth = 0.5;
  constexpr double kReach = 4;
  const auto hour = static_cast<std::size_t>(((time_us / kHourUs) % 168 + 168) % 168);
  auto& seasonal = hours_.at(hour);
  // Of two expectations, what is usual at this hour and what came just before, the one that has
  // erred less of late. The lesser deviation of the two would hide every spike of a rhythm that is
  // as high as its peak.
  const bool knows_hour = seasonal.count >= kHourKnownFrom;
  const bool by_hour = knows_hour && hour_error_.mean <= recent_error_.mean;
  const double floor = 0.05 * std::sqrt(level_.variance) + 1e-9 * (1 + std::abs(level_.mean));
  const double variance = by_hour ? seasonal.variance : recent_error_.mean;
  const double scale = std::sqrt(variance + floor * floor);
  Judged out;
  out.usual = by_hour ? seasonal.mean : recent_.mean;
  if (seen_ >= kWarmUp) {
    const double z = std::abs(value - out.usual) / scale;
    const double score = deviation_score(z, std::min(seen_, kLevelMemory));
    smoothed_ = std::max(score, kSmooth * smoothed_);
    out.score = smoothed_;
    out.probability = tail_.probability(score);
    out.anomaly = score >= 3 && out.probability <= rate_;
    tail_.add(score);
  }
  // An outlier shall not become the usual at once.
  const double reach = kReach * scale;
  const double learned =
      seen_ >= kWarmUp ? std::clamp(value, out.usual - reach, out.usual + reach) : value;
  const auto squared = [&](double expected) { return (learned - expected) * (learned - expected); };
  if (seen_ > 0) learn(recent_error_, squared(recent_.mean), kErrorMemory);
  if (knows_hour) learn(hour_error_, squared(seasonal.mean), kErrorMemory);
  seen_ += 1;
  learn(level_, learned, kLevelMemory);
  learn(recent_, learned, kRecentMemory);
  learn(seasonal, learned, kHourMemory);
  return out;
}

}  // namespace rowtrail::insight
