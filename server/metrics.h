// What the server counts of itself, and the Prometheus text of everything. Only the sockets' thread
// touches it, so nothing here is atomic.
#pragma once

#include "server/server.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace rowtrail::server {

struct Route;

class Metrics {
 public:
  /// Upper bounds of the duration histogram, in seconds; one more bucket is without bound.
  static constexpr std::array<double, 10> kBounds = {0.0005, 0.001, 0.0025, 0.005, 0.01,
                                                     0.025,  0.1,   0.5,    2.5,   10};

  /// An answer has left, or begun to stream. `route` is null when no route was found.
  void count_request(const Route* route, unsigned status, std::chrono::nanoseconds duration);

  std::size_t connections = 0;
  std::size_t streams = 0;
  std::uint64_t refused_connections = 0;
  std::uint64_t overloaded_requests = 0;

  [[nodiscard]] std::string text(const Options& options) const;

 private:
  struct PerRoute {
    std::map<unsigned, std::uint64_t> by_status;
    std::array<std::uint64_t, kBounds.size() + 1> buckets{};
    double seconds = 0;
  };
  std::map<std::string_view, PerRoute> routes_;  // by pattern: bounded by the table of routes
};

}  // namespace rowtrail::server
