#include "server/negotiate.h"

#include "server/message.h"

#include <cassert>
#include <charconv>
#include <string>

namespace rowtrail::server {
namespace {

constexpr FormatKind kFormats[] = {
    {Format::Json, "json", "application/json"},
    {Format::Ndjson, "ndjson", "application/x-ndjson"},
    {Format::Csv, "csv", "text/csv"},
    {Format::CloudEvent, "cloudevent", "application/cloudevents+json"},
    {Format::CloudEventBatch, "cloudevents", "application/cloudevents-batch+json"},
    {Format::EventStream, "sse", "text/event-stream"},
    {Format::Markdown, "md", "text/markdown"},
    {Format::Prometheus, "prometheus", "text/plain; version=0.0.4"},
    {Format::PlainText, "text", "text/plain; charset=utf-8"},
    {Format::Binary, "binary", "application/octet-stream"},
};

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Takes the part before `separator`, and it, from the front of `text`.
std::string_view take(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  const std::string_view part = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return trim(part);
}

/// q in thousandths; what cannot be read counts as 1, as if it were not there.
int quality(std::string_view parameters) {
  while (!parameters.empty()) {
    std::string_view value = take(parameters, ';');
    const std::string_view name = take(value, '=');
    if (!equals_ignoring_case(name, "q")) continue;
    double q = 1;
    const auto [stop, error] = std::from_chars(value.data(), value.data() + value.size(), q);
    if (error != std::errc() || q < 0 || q > 1) return 1000;
    return static_cast<int>(q * 1000);
  }
  return 1000;
}

/// 3 exact, 2 type/*, 1 */*, 0 no match.
int specificity(std::string_view range, std::string_view media_type) {
  if (equals_ignoring_case(range, media_type)) return 3;
  if (range == "*/*" || range == "*") return 1;
  const bool any_subtype = range.ends_with("/*") && range.size() > 2;
  const std::string_view type = media_type.substr(0, media_type.find('/') + 1);
  return any_subtype && equals_ignoring_case(range.substr(0, range.size() - 1), type) ? 2 : 0;
}

int preference(std::string_view accept, std::string_view media_type) {
  int best_specificity = 0;
  int best_quality = 0;
  while (!accept.empty()) {
    std::string_view element = take(accept, ',');
    const std::string_view range = take(element, ';');
    const int match = specificity(range, media_type);
    if (match > best_specificity) {
      best_specificity = match;
      best_quality = quality(element);
    }
  }
  return best_quality;
}

/// Without parameters, which only describe.
std::string_view media_type_of(Format format) {
  const std::string_view media_type = format_kind(format).media_type;
  return media_type.substr(0, media_type.find(';'));
}

}  // namespace

std::span<const FormatKind> format_kinds() {
  return kFormats;
}

const FormatKind& format_kind(Format format) {
  const auto index = static_cast<std::size_t>(format);
  assert(index < std::size(kFormats) && kFormats[index].format == format);
  return kFormats[index];
}

Outcome<Format> negotiate(std::string_view accept, std::span<const Format> offered) {
  assert(!offered.empty());
  if (trim(accept).empty()) return offered.front();
  int best = 0;
  Format chosen = offered.front();
  std::string types;
  for (const Format format : offered) {
    const std::string_view media_type = media_type_of(format);
    const int wish = preference(accept, media_type);
    if (wish > best) {
      best = wish;
      chosen = format;
    }
    types += (types.empty() ? "" : ", ") + std::string(media_type);
  }
  if (best > 0) return chosen;
  return Problem{ProblemId::NotAcceptable, "No type in the Accept header can be given here.",
                 "This route gives " + types + ".", ""};
}

}  // namespace rowtrail::server
