// `rowtrail detect --csv`: the rate detector on a series of numbers.
#include "cli/commands.h"

#include <charconv>
#include <fstream>

#include "insight/insight.h"
#include <fmt/format.h>

namespace rowtrail::cli {
namespace {

[[noreturn]] void refuse(const std::string& path, std::size_t line, const std::string& why) {
  throw core::Failure(core::Area::Usage, false, fmt::format("{}:{}: {}", path, line, why));
}

}  // namespace

int detect_command(const std::string& path, double rate) {
  std::ifstream file(path);
  if (!file) throw core::Failure(core::Area::Usage, false, path + ": cannot be read");
  if (!(rate > 0 && rate < 1)) {
    throw core::Failure(core::Area::Usage, false, "--rate must lie between 0 and 1");
  }
  insight::SeriesDetector detector(rate);
  std::string line;
  std::size_t number = 0;
  std::int64_t last_us = 0;
  bool any = false;
  fmt::print("timestamp,value,usual,score,probability,anomaly\n");
  while (std::getline(file, line)) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) continue;
    const auto comma = line.find(',');
    if (comma == std::string::npos) refuse(path, number, "no comma: want timestamp,value");
    const auto end = std::min(line.find(',', comma + 1), line.size());
    double value = 0;
    const char* first = line.data() + comma + 1;
    const auto parsed = std::from_chars(first, line.data() + end, value);
    const bool is_number = parsed.ec == std::errc{} && parsed.ptr == line.data() + end;
    if (!is_number && number == 1) continue;  // a header
    if (!is_number) refuse(path, number, "the value is no number: want timestamp,value");
    const auto time = insight::series_time(std::string_view(line).substr(0, comma));
    if (!time) refuse(path, number, time.error().message);
    if (any && *time < last_us)
      refuse(path, number, "is older than the line before; sort the file");
    any = true;
    last_us = *time;
    const auto judged = detector.judge(*time, value);
    fmt::print("{},{:.6g},{:.4f},{:.3g},{}\n", std::string_view(line).substr(0, end), judged.usual,
               judged.score, judged.probability, judged.anomaly ? 1 : 0);
  }
  if (!any) throw core::Failure(core::Area::Usage, false, path + ": holds no values");
  return 0;
}

}  // namespace rowtrail::cli
