// The request target: path segments and query parameters, decoded and checked once at the edge.
#pragma once

#include "server/problem.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rowtrail::server {

struct Target {
  std::vector<std::string> segments;  // decoded, so a segment may hold '/'
  std::vector<std::pair<std::string, std::string>> query;
  std::string authority;  // of an absolute-form target, else empty
  bool asterisk = false;  // "OPTIONS *"
};

/// Origin form, absolute form or `*`. Decoded text is UTF-8 without control characters; dot
/// segments are text like any other: nothing here is a file system.
[[nodiscard]] Outcome<Target> parse_target(std::string_view text);

/// Percent-encodes what may not stand in a path segment or a query value.
[[nodiscard]] std::string percent_encode(std::string_view text);

[[nodiscard]] std::string base64url_encode(std::string_view bytes);
/// Strict: no padding, no other alphabet, no stray bits.
[[nodiscard]] Outcome<std::string> base64url_decode(std::string_view text);

/// An object id or one-column key as DESIGN section 5 writes it in a URL: plain, or `~` + base64url
/// of a JSON array. An array of one is its element; a longer one stays as its JSON text.
[[nodiscard]] Outcome<std::string> decode_key(std::string_view text);
/// The inverse for an id, percent-encoded: what links are made of.
[[nodiscard]] std::string encode_key(std::string_view id);

/// `type:a,actor:b` as names and decoded values.
[[nodiscard]] Outcome<std::vector<std::pair<std::string, std::string>>> parse_exclusions(
    std::string_view text);

[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

}  // namespace rowtrail::server
