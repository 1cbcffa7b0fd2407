// The arithmetic of the anomaly detectors. A score is minus the decimal logarithm of a probability:
// 3 is one in a thousand. Private to insight/.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace rowtrail::insight {

inline constexpr double kScoreMax = 60;

/// Of a count of at least `count`, where counts have this mean and `dispersion` (variance / mean,
/// above 1): the tail of the negative binomial distribution.
[[nodiscard]] double count_score(std::uint32_t count, double mean, double dispersion);
/// Of a count of at most `count`.
[[nodiscard]] double low_count_score(std::uint32_t count, double mean, double dispersion);
/// Of a deviation of at least `z`, where scale and mean were estimated from `n` values: the tail of
/// Student's distribution, through its usual normal approximation.
[[nodiscard]] double deviation_score(double z, double n);

/// How often scores of one detector were this high: the calibration of SPOT (peaks over a
/// threshold), over a histogram instead of a list, so that its memory is fixed.
class ScoreTail {
 public:
  void add(double score);
  void add_nothing() { count_ += 1; }
  [[nodiscard]] double count() const noexcept { return count_; }
  /// Probability of a score of at least `score`; what the model says while too few are known.
  [[nodiscard]] double probability(double score) const;

  void save(std::string& out) const;
  [[nodiscard]] bool load(std::string_view& bytes);

 private:
  static constexpr double kStep = 0.25;
  static constexpr double kPeaksMin = 30;
  static constexpr std::size_t kBins = static_cast<std::size_t>(kScoreMax / kStep) + 1;
  double count_ = 0;
  std::array<float, kBins> bins_{};  // of scores above 0
};

}  // namespace rowtrail::insight
