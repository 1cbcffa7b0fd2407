// Which representation a client gets: the table of formats, and RFC 9110 content negotiation.
#pragma once

#include "server/problem.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace rowtrail::server {

enum class Format : std::uint8_t {
  Json,
  Ndjson,
  Csv,
  CloudEvent,
  CloudEventBatch,
  EventStream,
  Markdown,
  Prometheus,
  PlainText,
  Binary
};

struct FormatKind {
  Format format;
  std::string_view name;  // in ?format=
  std::string_view media_type;
};
[[nodiscard]] std::span<const FormatKind> format_kinds();
[[nodiscard]] const FormatKind& format_kind(Format format);

/// The best of `offered` (best first) for an Accept header; an empty header takes the first.
[[nodiscard]] Outcome<Format> negotiate(std::string_view accept, std::span<const Format> offered);

}  // namespace rowtrail::server
