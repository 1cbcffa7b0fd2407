#include "server/rate.h"

#include <algorithm>

namespace rowtrail::server {

RateLimiter::Standing RateLimiter::count(const std::string& caller, std::int64_t now_us) {
  if (per_window_ == 0) return {};
  const std::int64_t window = now_us / kRateWindowUs;
  if (window != window_) used_.clear();
  window_ = window;
  const bool known = used_.size() < kRateCallersMax || used_.contains(caller);
  const std::uint64_t used = ++used_[known ? caller : std::string()];
  const std::int64_t left_us = (window + 1) * kRateWindowUs - now_us;
  return {per_window_, per_window_ - std::min(used, per_window_), (left_us + 999'999) / 1'000'000,
          used <= per_window_};
}

}  // namespace rowtrail::server
