// The rate detector on any series of numbers over time: each value against what is usual at that
// hour, scored by the tail of what came before. Online, constant memory; the value judged is not
// yet part of what it is judged by.
#pragma once

#include "core/core.h"

#include <array>
#include <cstdint>
#include <string_view>

#include "insight/statistics.h"

namespace rowtrail::insight {

struct Judged {
  double usual = 0;        // what was expected
  double score = 0;        // minus the decimal logarithm of the probability, smoothed
  double probability = 1;  // calibrated on the series
  bool anomaly = false;
};

class SeriesDetector {
 public:
  /// `rate`: the share of values that may be called anomalies by chance.
  explicit SeriesDetector(double rate) : rate_(rate) {}
  Judged judge(std::int64_t time_us, double value);

 private:
  struct Cell {
    double count = 0, mean = 0, variance = 0;
  };
  static void learn(Cell& cell, double value, double memory);

  double rate_;
  double seen_ = 0;
  double smoothed_ = 0;
  Cell level_;
  Cell recent_;
  Cell recent_error_, hour_error_;  // squared, of the two expectations
  std::array<Cell, 168> hours_{};   // of the week
  ScoreTail tail_;
};

/// "2014-04-01 00:00:00", RFC 3339, or seconds since 1970.
[[nodiscard]] core::Result<std::int64_t> series_time(std::string_view text);

}  // namespace rowtrail::insight
