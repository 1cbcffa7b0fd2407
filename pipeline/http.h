// A small HTTP client for what rowtrail sends out: one request, one answer, TLS verified. Private
// to pipeline/.
#pragma once

#include "core/core.h"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace rowtrail::pipeline {

struct HttpRequest {
  std::string method = "POST";
  std::string url;  // http:// or https://
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::chrono::seconds timeout{15};
  std::size_t answer_bytes_max = 64UL * 1024;
};
struct HttpAnswer {
  unsigned status = 0;
  std::string content_type;
  std::string body;
};
/// The error says what failed, for people; redirects are answers like others.
[[nodiscard]] core::Result<HttpAnswer> http_send(const HttpRequest& request);

}  // namespace rowtrail::pipeline
