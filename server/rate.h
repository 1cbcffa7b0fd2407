// How much a caller may ask: fixed windows of a minute, one for each token, and one for each
// address that shows none. Lives on the sockets' thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace rowtrail::server {

constexpr std::int64_t kRateWindowUs = 60'000'000;
constexpr std::size_t kRateCallersMax = 10'000;  // beyond it newcomers share one window

class RateLimiter {
 public:
  /// `per_window` requests a window; 0: as many as come.
  explicit RateLimiter(std::uint64_t per_window) : per_window_(per_window) {}

  struct Standing {
    std::uint64_t of = 0;  // 0: nothing is counted
    std::uint64_t left = 0;
    std::int64_t seconds = 0;  // until the window ends
    bool allowed = true;
  };
  /// Counts one request of `caller`.
  Standing count(const std::string& caller, std::int64_t now_us);

 private:
  std::uint64_t per_window_;
  std::int64_t window_ = 0;
  std::map<std::string, std::uint64_t> used_;
};

}  // namespace rowtrail::server
