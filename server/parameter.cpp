// Checks of parameter values, the same for every route that has the parameter.
#include "server/route.h"
#include "server/target.h"
#include "server/time_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <rapidjson/document.h>

namespace rowtrail::server {
namespace {

constexpr std::size_t kTextBytesMax = 1024;

Problem invalid(const Parameter& parameter, std::string detail, std::string hint) {
  return {ProblemId::InvalidParameter, std::move(detail), std::move(hint),
          std::string(parameter.name)};
}

std::string example(const Parameter& parameter) {
  return fmt::format("For example {}={}", parameter.name, parameter.example);
}

Outcome<void> check_number(const Parameter& parameter, std::string_view value, std::uint64_t max) {
  std::uint64_t number = 0;
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, number);
  if (!value.empty() && error == std::errc() && stop == end && number <= max) return {};
  return invalid(parameter,
                 fmt::format("`{}` is a whole number from 0 to {}.", parameter.name, max),
                 example(parameter));
}

Outcome<void> check_choice(const Parameter& parameter, std::string_view value) {
  const auto& choices = parameter.choices;
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return {};
  return invalid(parameter, fmt::format("`{}` has no value \"{}\".", parameter.name, value),
                 fmt::format("It takes {}.", fmt::join(choices, ", ")));
}

Outcome<void> check_object(const Parameter& parameter, std::string_view value) {
  const std::size_t slash = value.find('/');
  if (slash == 0 || slash == std::string_view::npos || slash + 1 == value.size()) {
    return invalid(parameter, "An object is written as type/id.", example(parameter));
  }
  const auto id = decode_key(value.substr(slash + 1));
  if (!id) return invalid(parameter, id.error().detail, id.error().hint);
  return {};
}

Outcome<void> check_key_object(const Parameter& parameter, std::string_view value) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseIterativeFlag>(
      value.data(), value.size());
  if (!document.HasParseError() && document.IsObject() && !document.ObjectEmpty()) return {};
  return invalid(parameter, "A key is a JSON object of its columns.", example(parameter));
}

}  // namespace

Outcome<void> check_parameter(const Parameter& parameter, std::string_view value,
                              std::int64_t now_us) {
  if (value.empty()) {
    return invalid(parameter, fmt::format("`{}` is empty.", parameter.name),
                   "Leave the parameter out, or give it a value.");
  }
  if (value.size() > kTextBytesMax) {
    return invalid(parameter,
                   fmt::format("`{}` is longer than {} bytes.", parameter.name, kTextBytesMax), "");
  }
  switch (parameter.kind) {
    case ParameterKind::Text:
    case ParameterKind::Cursor:  // opened where the list's filters are known
      return {};
    case ParameterKind::Seq:
      // The stores keep seq as a signed 64-bit integer.
      return check_number(parameter, value, std::numeric_limits<std::int64_t>::max());
    case ParameterKind::Count:
      return check_number(parameter, value, kLimitMax);
    case ParameterKind::Choice:
      return check_choice(parameter, value);
    case ParameterKind::Object:
      return check_object(parameter, value);
    case ParameterKind::Exclusions: {
      const auto exclusions = parse_exclusions(value);
      if (!exclusions) return invalid(parameter, exclusions.error().detail, example(parameter));
      return {};
    }
    case ParameterKind::KeyObject:
      return check_key_object(parameter, value);
    case ParameterKind::Time: {
      const auto time = parse_time(value, now_us);
      if (!time) return invalid(parameter, time.error().detail, time.error().hint);
      return {};
    }
    case ParameterKind::Key: {
      const auto key = decode_key(value);
      if (!key) return invalid(parameter, key.error().detail, key.error().hint);
      return {};
    }
  }
  return {};
}

std::optional<std::string_view> Call::parameter(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

double finite_or_zero(double value) {
  return std::isfinite(value) ? value : 0;
}

std::vector<std::string_view> pattern_segments(std::string_view pattern) {
  std::vector<std::string_view> segments;
  while (!pattern.empty()) {
    pattern.remove_prefix(1);  // '/'
    const std::size_t end = std::min(pattern.find('/'), pattern.size());
    segments.push_back(pattern.substr(0, end));
    pattern.remove_prefix(end);
  }
  return segments;
}

}  // namespace rowtrail::server
