#include "server/metrics.h"

#include "server/route.h"

#include <algorithm>

#include <fmt/format.h>

namespace rowtrail::server {
namespace {

using Type = Metric::Type;

void append_head(std::string& out, std::string_view name, std::string_view help,
                 std::string_view type) {
  out += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
}

void append_metric(std::string& out, const Metric& metric, bool with_head) {
  const bool counter = metric.type == Type::Counter;
  if (with_head) append_head(out, metric.name, metric.help, counter ? "counter" : "gauge");
  const std::string labels = metric.labels.empty() ? "" : fmt::format("{{{}}}", metric.labels);
  out += fmt::format("{}{} {}\n", metric.name, labels, metric.value);
}

std::vector<Metric> own_metrics(const Metrics& metrics, const Options& options) {
  const Health health = options.health ? options.health() : Health{};
  return {
      {"rowtrail_build_info", "Always 1; the version is in the label.", Type::Gauge, 1,
       "version=\"" ROWTRAIL_VERSION "\""},
      {"rowtrail_source_connected", "1 while the source is connected.", Type::Gauge,
       health.source_connected ? 1.0 : 0.0},
      {"rowtrail_store_writable", "1 while the store takes records.", Type::Gauge,
       health.store_writable ? 1.0 : 0.0},
      {"rowtrail_source_lag_seconds", "How far capture is behind the source.", Type::Gauge,
       health.lag_s},
      {"rowtrail_http_connections", "Open connections.", Type::Gauge,
       static_cast<double>(metrics.connections)},
      {"rowtrail_http_event_streams", "Open event streams.", Type::Gauge,
       static_cast<double>(metrics.streams)},
      {"rowtrail_http_refused_connections_total", "Connections refused at the cap.", Type::Counter,
       static_cast<double>(metrics.refused_connections)},
      {"rowtrail_http_overloaded_requests_total", "Requests refused because the queue was full.",
       Type::Counter, static_cast<double>(metrics.overloaded_requests)},
  };
}

}  // namespace

void Metrics::count_request(const Route* route, unsigned status,
                            std::chrono::nanoseconds duration) {
  PerRoute& counts = routes_[route != nullptr ? route->pattern : "none"];
  const double seconds = std::chrono::duration<double>(duration).count();
  const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  ++counts.by_status[status];
  ++counts.buckets[static_cast<std::size_t>(bound - kBounds.begin())];
  counts.seconds += seconds;
}

std::string Metrics::text(const Options& options) const {
  std::string out;
  std::vector<Metric> all = own_metrics(*this, options);
  if (options.metrics) {
    const auto more = options.metrics();
    all.insert(all.end(), more.begin(), more.end());
  }
  // Samples of one name belong together, under one head.
  std::stable_sort(all.begin(), all.end(),
                   [](const Metric& a, const Metric& b) { return a.name < b.name; });
  for (std::size_t i = 0; i < all.size(); ++i) {
    append_metric(out, all[i], i == 0 || all[i - 1].name != all[i].name);
  }
  append_head(out, "rowtrail_http_requests_total", "Requests answered.", "counter");
  for (const auto& [pattern, counts] : routes_) {
    for (const auto& [status, count] : counts.by_status) {
      out += fmt::format("rowtrail_http_requests_total{{route=\"{}\",status=\"{}\"}} {}\n", pattern,
                         status, count);
    }
  }
  append_head(out, "rowtrail_http_request_duration_seconds",
              "From a request's last byte to its answer's last byte, or a stream's first.",
              "histogram");
  for (const auto& [pattern, counts] : routes_) {
    std::uint64_t total = 0;
    for (std::size_t i = 0; i <= kBounds.size(); ++i) {
      total += counts.buckets[i];
      const std::string bound = i < kBounds.size() ? fmt::format("{}", kBounds[i]) : "+Inf";
      out += fmt::format(
          "rowtrail_http_request_duration_seconds_bucket{{route=\"{}\",le=\"{}\"}} {}\n", pattern,
          bound, total);
    }
    out += fmt::format("rowtrail_http_request_duration_seconds_sum{{route=\"{}\"}} {}\n", pattern,
                       counts.seconds);
    out += fmt::format("rowtrail_http_request_duration_seconds_count{{route=\"{}\"}} {}\n", pattern,
                       total);
  }
  return out;
}

}  // namespace rowtrail::server
