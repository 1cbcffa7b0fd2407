// The dashboard's files, built from web/ and kept in the binary, packed with gzip. They hold no
// data of the log, so they need no token; everything they show comes from routes that do.
#pragma once

#include "server/message.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rowtrail::server {

struct Asset {
  std::string_view path;  // "/assets/index-a1b2c3.js"
  std::string_view content_type;
  std::string_view etag;  // of the plain bytes, without quotes
  std::span<const char> packed;
  std::size_t bytes;  // when unpacked
  bool immutable;     // its name holds its digest
};
/// Generated from web/dist by web/embed.mjs.
[[nodiscard]] std::span<const Asset> dashboard_assets();

/// The file at the path, or the dashboard's page at `/` and, for browsers, at the addresses of its
/// views (/events/1042). Nothing for a path that is not the dashboard's.
[[nodiscard]] std::optional<Response> dashboard_answer(const Request& request,
                                                       const std::vector<std::string>& segments);

}  // namespace rowtrail::server
