#include "insight/statistics.h"

#include <algorithm>
#include <cmath>

#include "insight/flat_map.h"

namespace rowtrail::insight {
namespace {

constexpr double kLog10 = 2.302585092994046;
constexpr double kDispersionMin = 1.05;

struct NegativeBinomial {
  NegativeBinomial(double mean, double dispersion) {
    const double spread = std::max(dispersion, kDispersionMin);
    size = mean / (spread - 1);
    more = 1 - 1 / spread;
    log_none = -size * std::log(spread);
  }
  [[nodiscard]] double log_of(double count) const {
    return std::lgamma(count + size) - std::lgamma(count + 1) - std::lgamma(size) + log_none +
           count * std::log(more);
  }
  double size = 0, more = 0, log_none = 0;
};

double bounded(double score) {
  return std::clamp(score, 0.0, kScoreMax);
}

}  // namespace

double count_score(std::uint32_t count, double mean, double dispersion) {
  if (count == 0 || mean <= 0) return 0;
  const NegativeBinomial distribution(mean, dispersion);
  constexpr int kTermsMax = 10'000;
  double term = 1;
  double sum = 1;
  double k = count;
  for (int n = 0; n < kTermsMax && term > sum * 1e-12; ++n, k += 1) {
    term *= (k + distribution.size) / (k + 1) * distribution.more;
    sum += term;
  }
  return bounded(-(distribution.log_of(count) + std::log(sum)) / kLog10);
}

double low_count_score(std::uint32_t count, double mean, double dispersion) {
  if (mean <= 0) return 0;
  const NegativeBinomial distribution(mean, dispersion);
  double term = 1;
  double sum = 1;
  for (double k = count; k > 0 && term > sum * 1e-12; k -= 1) {
    term *= k / ((k - 1 + distribution.size) * distribution.more);
    sum += term;
  }
  return bounded(-(distribution.log_of(count) + std::log(sum)) / kLog10);
}

double deviation_score(double z, double n) {
  if (z <= 0) return 0;
  const double freedom = std::max(n - 1, 1.0);
  const double normal = std::sqrt(freedom * std::log1p(z * z / freedom));
  if (normal < 8) return bounded(-std::log10(0.5 * std::erfc(normal / std::sqrt(2.0))));
  // erfc underflows further out; its asymptotic form does not.
  return bounded((normal * normal / 2 + std::log(normal * 2.5066282746310002)) / kLog10);
}

void ScoreTail::add(double score) {
  constexpr double kForgetAt = 4e6;
  count_ += 1;
  if (score <= 0) return;
  bins_.at(static_cast<std::size_t>(bounded(score) / kStep)) += 1;
  if (count_ < kForgetAt) return;
  count_ /= 2;
  for (auto& bin : bins_) bin /= 2;
}

double ScoreTail::probability(double score) const {
  const double model = std::pow(10.0, -bounded(score));
  double above = 0;
  std::size_t first = kBins;
  // The threshold: as high as leaves enough peaks above it.
  while (first > 0 && above < kPeaksMin) above += static_cast<double>(bins_.at(--first));
  const double threshold = static_cast<double>(first) * kStep;
  if (above < kPeaksMin || count_ < 10 * kPeaksMin) return model;
  if (score <= threshold) {
    double over = above;
    const auto from = static_cast<std::size_t>(bounded(score) / kStep);
    for (std::size_t bin = from; bin < first; ++bin) over += static_cast<double>(bins_.at(bin));
    return over / count_;
  }
  double mean = 0;
  double square = 0;
  for (std::size_t bin = first; bin < kBins; ++bin) {
    const double excess = (static_cast<double>(bin) + 0.5) * kStep - threshold;
    mean += static_cast<double>(bins_.at(bin)) * excess;
    square += static_cast<double>(bins_.at(bin)) * excess * excess;
  }
  mean /= above;
  const double variance = std::max(square / above - mean * mean, 1e-6);
  // The generalised Pareto distribution by its moments; never a bounded tail.
  const double shape = std::clamp(0.5 * (1 - mean * mean / variance), 0.0, 0.3);
  const double scale = mean * (1 - shape);
  const double excess = (score - threshold) / scale;
  const double beyond = shape < 1e-3 ? std::exp(-excess) : std::pow(1 + shape * excess, -1 / shape);
  return above / count_ * beyond;
}

void ScoreTail::save(std::string& out) const {
  put(out, count_);
  put(out, bins_);
}

bool ScoreTail::load(std::string_view& bytes) {
  return take(bytes, count_) && take(bytes, bins_);
}

}  // namespace rowtrail::insight
