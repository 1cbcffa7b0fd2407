#include "core/core.h"

#include <memory>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace rowtrail::core {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::Debug:
      return spdlog::level::debug;
    case Level::Info:
      return spdlog::level::info;
    case Level::Warn:
      return spdlog::level::warn;
    case Level::Error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string json_escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 8);
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

bool g_json = false;

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made = spdlog::stderr_color_mt("rowtrail");
    made->set_pattern("%H:%M:%S %^%-7l%$ %v");
    return made;
  }();
  return *instance;
}

}  // namespace

void configure_log(const LogOptions& options) {
  g_json = options.json;
  logger().set_level(to_spdlog(options.level));
  logger().flush_on(spdlog::level::debug);
  if (options.json) {
    logger().set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l","message":"%v"})",
                         spdlog::pattern_time_type::utc);
  }
}

void log(Level level, std::string_view message) {
  if (g_json) {
    logger().log(to_spdlog(level), "{}", json_escaped(message));
  } else {
    logger().log(to_spdlog(level), "{}", message);
  }
}

}  // namespace rowtrail::core
